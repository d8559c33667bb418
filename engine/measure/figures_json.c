/* Figures as JSON: docs/schema/corpus.schema.json, "dfrule/corpus/1". */
#include "measure/measure.h"

#include "report/json_parts.h"

static void put_sums(struct dfr_json *j, const char *key, const struct dfr_sums *s)
{
    dfr_json_open(j, key, '{');
    dfr_json_str(j, "name", s->name);
    dfr_json_int(j, "cases", s->cases);
    dfr_json_int(j, "with_culprit", s->named);
    dfr_json_int(j, "first", s->first);
    dfr_json_int(j, "top_three", s->three);
    dfr_json_int(j, "cannot_tell", s->cases - s->named - s->outcome[DFR_OUTCOME_UNREADABLE]);
    dfr_json_int(j, "cannot_tell_kept", s->kept_silent);
    dfr_json_open(j, "outcomes", '{');
    for (int k = 0; k < DFR_OUTCOME_COUNT; k++)
        dfr_json_int(j, dfr_outcome_word((enum dfr_outcome_kind)k), s->outcome[k]);
    dfr_json_close(j, '}');
    dfr_json_open(j, "debugger", '{');
    for (int k = 0; k < 4; k++)
        dfr_json_int(j, dfr_guess_word((enum dfr_guess)k), s->guess[k]);
    dfr_json_close(j, '}');
    dfr_json_close(j, '}');
}

static void put_list(struct dfr_json *j, const char *key, const struct dfr_sums *v, uint32_t n)
{
    dfr_json_open(j, key, '[');
    for (uint32_t i = 0; i < n; i++)
        put_sums(j, NULL, &v[i]);
    dfr_json_close(j, ']');
}

static void put_permille(struct dfr_json *j, const char *key, int32_t n)
{
    if (n < 0)
        dfr_json_null(j, key);
    else
        dfr_json_int(j, key, n);
}

static void put_rule(struct dfr_json *j, const struct dfr_rule_figures *r)
{
    dfr_json_open(j, NULL, '{');
    dfr_json_str(j, "rule", r->name);
    dfr_json_z(j, "class", dfr_rule_class_word(r->cls));
    dfr_json_int(j, "fired", r->fired);
    dfr_json_int(j, "cases", r->cases);
    dfr_json_int(j, "judged", r->judged);
    dfr_json_int(j, "right", r->right);
    dfr_json_int(j, "found", r->found);
    dfr_json_int(j, "truths", r->truths);
    put_permille(j, "precision_permille", dfr_rule_precision(r));
    put_permille(j, "recall_permille", dfr_rule_recall(r));
    put_permille(j, "lift_permille", dfr_rule_lift(r));
    dfr_json_close(j, '}');
}

static void put_case(struct dfr_json *j, const struct dfr_case *c)
{
    static const char *const decidable[] = {"yes", "partly", "no"};
    const struct dfr_label *l = c->label;
    dfr_json_open(j, NULL, '{');
    dfr_json_str(j, "file", l->file);
    dfr_json_str(j, "source", l->source);
    dfr_json_z(j, "outcome", dfr_outcome_word(c->outcome));
    dfr_json_text(j, "error", c->error);
    if (c->code < 0)
        dfr_json_null(j, "bugcheck");
    else
        dfr_json_hex(j, "bugcheck", (uint64_t)c->code);
    dfr_json_str(j, "culprit", l->culprit);
    dfr_json_z(j, "decidable", decidable[l->decidable]);
    dfr_json_z(j, "label_strength", l->weak ? "weak" : "strong");
    dfr_json_text(j, "cause", c->cause);
    dfr_json_text(j, "subject", c->subject);
    dfr_json_z(j, "strength", dfr_enum_word(DFR_E_VERDICT, c->strength));
    dfr_json_text(j, "named", c->lead);
    dfr_json_z(j, "named_strength", dfr_enum_word(DFR_E_VERDICT, c->lead_strength));
    dfr_json_bool(j, "in_top_three", c->in_three);
    dfr_json_text(j, "named_wrongly", c->wrong);
    dfr_json_text(j, "debugger", c->debugger);
    dfr_json_z(j, "debugger_outcome", dfr_guess_word(c->guess));
    dfr_json_close(j, '}');
}

void dfr_figures_json(const struct dfr_figures *f, bool indent, struct dfr_buf *out)
{
    struct dfr_json j;
    dfr_json_init(&j, indent, out);
    dfr_json_open(&j, NULL, '{');
    dfr_json_z(&j, "schema", "dfrule/corpus/1");
    dfr_json_str(&j, "labels", f->labels->path);
    put_sums(&j, "all", &f->all);
    put_list(&j, "kinds", f->kinds.v, f->kinds.n);
    put_list(&j, "sources", f->sources.v, f->sources.n);
    put_list(&j, "codes", f->codes.v, f->codes.n);
    dfr_json_open(&j, "rules", '[');
    for (uint32_t i = 0; i < f->rules.n; i++)
        put_rule(&j, &f->rules.v[i]);
    dfr_json_close(&j, ']');
    dfr_json_open(&j, "cases", '[');
    for (uint32_t i = 0; i < f->case_count; i++)
        put_case(&j, &f->cases[i]);
    dfr_json_close(&j, ']');
    dfr_json_close(&j, '}');
    dfr_json_end(&j);
}
