/* The answer as JSON: docs/schema/result.schema.json, "dfrule/result/1". */
#include "report/json_parts.h"

enum { WAITING_MOST = 50, HIDDEN_MOST = 50 };

static void put_crash(struct dfr_json *j, const struct dfr_facts *f)
{
    dfr_json_open(j, "crash", '{');
    dfr_json_bugcheck(j, "bugcheck", f);
    dfr_json_open(j, "os", '{');
    dfr_json_value(j, "build", f, dfr_facts_scalar(f, DFR_F_OS_BUILD));
    dfr_json_value(j, "revision", f, dfr_facts_scalar(f, DFR_F_OS_REVISION));
    dfr_json_value(j, "version", f, dfr_facts_scalar(f, DFR_F_OS_VERSION));
    dfr_json_value(j, "name", f, dfr_facts_scalar(f, DFR_F_OS_NAME));
    dfr_json_value(j, "uptime_ms", f, dfr_facts_scalar(f, DFR_F_OS_UPTIME));
    dfr_json_close(j, '}');
    dfr_json_value(j, "arch", f, dfr_facts_scalar(f, DFR_F_DUMP_ARCH));
    dfr_json_value(j, "time", f, dfr_facts_scalar(f, DFR_F_DUMP_TIME));
    dfr_json_value(j, "process", f, dfr_facts_scalar(f, DFR_F_THREAD_PROCESS));
    dfr_json_value(j, "processor", f, dfr_facts_scalar(f, DFR_F_CPU_CURRENT));
    dfr_json_value(j, "fault", f, dfr_facts_scalar(f, DFR_F_TRAP_SYMBOL));
    dfr_json_close(j, '}');
}

static void put_culprit(struct dfr_json *j, const struct dfr_ranking *r)
{
    struct dfr_arena *a = j->out->arena;
    dfr_json_open(j, "culprit", '{');
    dfr_json_text(j, "module", dfr_report_culprit(r, a));
    if (r->culprit == DFR_NONE) {
        dfr_json_null(j, "cause");
        dfr_json_null(j, "strength");
        dfr_json_null(j, "settled");
    } else {
        const struct dfr_ranked_cause *c = &r->causes[r->culprit];
        const struct dfr_program *p = r->eval->program;
        dfr_json_str(j, "cause", dfr_program_text(p, p->causes.v[c->cause].name));
        dfr_json_z(j, "strength", dfr_enum_word(DFR_E_VERDICT, c->strength));
        dfr_json_bool(j, "settled", c->settled);
    }
    dfr_json_close(j, '}');
}

/* {cause, subject} of a shown cause, as actions point at it. */
static void put_cause_ref(struct dfr_json *j, const struct dfr_ranking *r, uint32_t index)
{
    const struct dfr_ranked_cause *c = &r->causes[index];
    const struct dfr_program *p = r->eval->program;
    dfr_json_open(j, NULL, '{');
    dfr_json_int(j, "rank", (int64_t)index + 1);
    dfr_json_str(j, "cause", dfr_program_text(p, p->causes.v[c->cause].name));
    if (c->subject.v.state == DFR_KNOWN)
        dfr_json_text(j, "subject", dfr_report_subject(r->eval, &c->subject, j->out->arena));
    else
        dfr_json_null(j, "subject");
    dfr_json_str(j, "axis", dfr_program_text(p, p->causes.v[c->cause].axis));
    dfr_json_close(j, '}');
}

static void put_action_name(struct dfr_json *j, const struct dfr_eval *e, uint32_t advice)
{
    const struct dfr_padvice *pa = &e->program->advice.v[advice];
    if (pa->action == DFR_NONE)
        dfr_json_null(j, "action");
    else
        dfr_json_str(j, "action", dfr_report_ptext(e, e->program->actions.v[pa->action].name));
}

static void put_action_subject(struct dfr_json *j, const struct dfr_eval *e,
                               const struct dfr_tv *subject)
{
    if (subject->v.kind != DFR_KIND_NONE && subject->v.state == DFR_KNOWN)
        dfr_json_text(j, "subject", dfr_report_subject(e, subject, j->out->arena));
    else
        dfr_json_null(j, "subject");
}

static void put_actions(struct dfr_json *j, const struct dfr_ranking *r)
{
    dfr_json_open(j, "actions", '[');
    for (uint32_t i = 0; i < r->action_count; i++) {
        const struct dfr_ranked_action *x = &r->actions[i];
        const struct dfr_advised *adv = &r->eval->hits.v[x->hit].advice[x->advised];
        dfr_json_open(j, NULL, '{');
        dfr_json_int(j, "rank", (int64_t)i + 1);
        put_action_name(j, r->eval, adv->advice);
        put_action_subject(j, r->eval, &adv->subject);
        dfr_json_str(j, "text", adv->text);
        dfr_json_z(j, "strength", dfr_enum_word(DFR_E_VERDICT, x->strength));
        dfr_json_int(j, "helps_permille", x->helps_permille);
        dfr_json_z(j, "cost", dfr_report_cost(x->cost));
        dfr_json_bool(j, "worth_trying", x->worth_trying);
        dfr_json_open(j, "supports", '[');
        for (uint32_t k = 0; k < x->support_count; k++)
            put_cause_ref(j, r, x->supports[k]);
        dfr_json_close(j, ']');
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
    dfr_json_open(j, "held_back", '[');
    for (uint32_t i = 0; i < r->held_count; i++) {
        const struct dfr_held_action *h = &r->held[i];
        const struct dfr_advised *adv = &r->eval->hits.v[h->hit].advice[h->advised];
        dfr_json_open(j, NULL, '{');
        put_action_name(j, r->eval, adv->advice);
        dfr_json_str(j, "text", adv->text);
        dfr_json_missing(j, "missing", r->eval, h->missing);
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
}

static void put_trust(struct dfr_json *j, const struct dfr_scored_item *item)
{
    if (item->truth == DFR_OPEN)
        dfr_json_null(j, "trust");
    else
        dfr_json_z(j, "trust", dfr_enum_word(DFR_E_TRUST, item->trust));
}

static void put_item(struct dfr_json *j, const struct dfr_eval *e,
                     const struct dfr_scored_item *item)
{
    const struct dfr_hit *hit = &e->hits.v[item->hit];
    uint32_t place[1];
    uint32_t n = dfr_report_places(e, dfr_report_origin(e, item), hit->when.origin, place, 1);
    dfr_json_open(j, NULL, '{');
    dfr_json_str(j, "rule", dfr_report_ptext(e, e->program->rules.v[hit->rule].name));
    dfr_json_str(j, "label", dfr_report_label(e, item));
    dfr_json_int(j, "weight_db", item->weight_db);
    dfr_json_z(j, "truth", dfr_json_truth(item->truth));
    put_trust(j, item);
    dfr_json_int(j, "own_db", item->own_db);
    dfr_json_int(j, "low_db", item->low_db);
    dfr_json_int(j, "high_db", item->high_db);
    dfr_json_bool(j, "beaten", item->beaten);
    dfr_json_bool(j, "prose_capped", item->prose_capped);
    dfr_json_where(j, "where", e->facts, n ? place[0] : 0);
    dfr_json_text(j, "quote", n ? dfr_facts_quote(e->facts, place[0]) : (struct dfr_str){0});
    dfr_json_missing(j, "missing", e, item->open ? hit->items[item->item].truth.missing : 0);
    dfr_json_close(j, '}');
}

static void put_items(struct dfr_json *j, const char *key, const struct dfr_eval *e,
                      const struct dfr_ranked_cause *c, bool against)
{
    dfr_json_open(j, key, '[');
    for (uint32_t i = 0; i < c->item_count; i++) {
        if (!dfr_report_is_note(e, &c->items[i]) && (c->items[i].own_db < 0) == against)
            put_item(j, e, &c->items[i]);
    }
    dfr_json_close(j, ']');
}

static void put_causes(struct dfr_json *j, const struct dfr_ranking *r)
{
    dfr_json_open(j, "causes", '[');
    for (uint32_t i = 0; i < r->shown_count; i++) {
        const struct dfr_ranked_cause *c = &r->causes[i];
        const struct dfr_pcause *pc = &r->eval->program->causes.v[c->cause];
        bool unknown = c->subject.v.kind != DFR_KIND_NONE && c->subject.v.state != DFR_KNOWN;
        dfr_json_open(j, NULL, '{');
        dfr_json_int(j, "rank", (int64_t)i + 1);
        dfr_json_str(j, "cause", dfr_report_ptext(r->eval, pc->name));
        dfr_json_text(j, "title", dfr_report_ptext(r->eval, pc->title));
        put_action_subject(j, r->eval, &c->subject);
        dfr_json_bool(j, "subject_unknown", unknown);
        dfr_json_text(j, "axis", dfr_report_ptext(r->eval, pc->axis));
        dfr_json_int(j, "prior_db", c->prior_db);
        dfr_json_int(j, "score_db", c->score_db);
        if (c->min_not_shown)
            dfr_json_null(j, "score_min_db");
        else
            dfr_json_int(j, "score_min_db", c->min_db);
        dfr_json_int(j, "score_max_db", c->max_db);
        dfr_json_z(j, "strength", dfr_enum_word(DFR_E_VERDICT, c->strength));
        dfr_json_bool(j, "settled", c->settled);
        put_items(j, "evidence", r->eval, c, false);
        put_items(j, "against", r->eval, c, true);
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
}

static void put_collect(struct dfr_json *j, const struct dfr_ranking *r)
{
    dfr_json_open(j, "collect", '[');
    for (uint32_t i = 0; i < r->collect_count; i++) {
        const struct dfr_ranked_collect *c = &r->collect[i];
        dfr_json_open(j, NULL, '{');
        dfr_json_str(j, "command", c->command);
        dfr_json_str(j, "why", c->why);
        dfr_json_bool(j, "flips_first", c->flips_first);
        dfr_json_bool(j, "is_command", c->command_known);
        dfr_json_int(j, "cost", c->cost);
        dfr_json_int(j, "moves_db", c->moves_db);
        dfr_json_open(j, "missing", '[');
        for (uint32_t k = 0; k < c->missing_count; k++)
            dfr_json_missing_one(j, r->eval, c->missing[k]);
        dfr_json_close(j, ']');
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
}

static void put_waiting(struct dfr_json *j, const struct dfr_ranking *r)
{
    const struct dfr_eval *e = r->eval;
    dfr_json_int(j, "waiting_count", r->waiting_count);
    dfr_json_open(j, "waiting", '[');
    for (uint32_t i = 0; i < r->waiting_count && i < WAITING_MOST; i++) {
        const struct dfr_waiting_rule *w = &r->waiting[i];
        const struct dfr_prule *rule = &e->program->rules.v[w->rule];
        dfr_json_open(j, NULL, '{');
        dfr_json_str(j, "rule", dfr_report_ptext(e, rule->name));
        dfr_json_str(j, "cause", dfr_report_ptext(e, e->program->causes.v[rule->cause].name));
        dfr_json_int(j, "rows", w->rows);
        dfr_json_int(j, "score_max_db", w->max_db);
        dfr_json_missing(j, "missing", e, w->missing);
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
}

static void put_notes(struct dfr_json *j, const struct dfr_eval *e)
{
    struct dfr_noted *notes;
    uint32_t n = dfr_report_notes(e, j->out->arena, &notes);
    dfr_json_open(j, "notes", '[');
    for (uint32_t i = 0; i < n; i++) {
        const struct dfr_hit *hit = &e->hits.v[notes[i].hit];
        const struct dfr_item *item = &hit->items[notes[i].item];
        uint32_t place[1];
        uint32_t found = dfr_report_places(e, item->truth.origin, hit->when.origin, place, 1);
        dfr_json_open(j, NULL, '{');
        dfr_json_str(j, "rule", dfr_report_ptext(e, e->program->rules.v[hit->rule].name));
        dfr_json_str(j, "text", item->label);
        dfr_json_where(j, "where", e->facts, found ? place[0] : 0);
        dfr_json_text(j, "quote",
                      found ? dfr_facts_quote(e->facts, place[0]) : (struct dfr_str){0});
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
}

static void put_diags(struct dfr_json *j, const struct dfr_diags *d)
{
    static const char *const severities[] = {"note", "warning", "error"};
    for (uint32_t i = 0; d && i < d->n; i++) {
        const struct dfr_diag *x = &d->v[i];
        struct dfr_buf b;
        dfr_buf_init(&b, j->out->arena);
        dfr_buf_printf(&b, "DFR%04u", (unsigned)x->code);
        dfr_json_open(j, NULL, '{');
        dfr_json_str(j, "code", dfr_buf_text(&b));
        dfr_json_z(j, "severity", severities[x->severity]);
        dfr_json_str(j, "message", x->message);
        dfr_json_text(j, "file", x->file);
        if (x->line)
            dfr_json_int(j, "line", x->line);
        else
            dfr_json_null(j, "line");
        if (x->column)
            dfr_json_int(j, "column", x->column);
        else
            dfr_json_null(j, "column");
        dfr_json_text(j, "suggest", x->suggest);
        dfr_json_close(j, '}');
    }
}

/* Results that a rule's `unless` or a suppression took away. */
static void put_hidden(struct dfr_json *j, const struct dfr_eval *e)
{
    uint32_t n = 0;
    dfr_json_open(j, "hidden", '[');
    for (uint32_t i = 0; i < e->hits.n && n < HIDDEN_MOST; i++) {
        const struct dfr_hit *hit = &e->hits.v[i];
        const struct dfr_prule *rule = &e->program->rules.v[hit->rule];
        bool removed = hit->status == DFR_HIT_REMOVED;
        if (!removed && (hit->status != DFR_HIT_SUPPRESSED || hit->suppressed_by == DFR_NONE))
            continue;
        n++;
        dfr_json_open(j, NULL, '{');
        dfr_json_str(j, "rule", dfr_report_ptext(e, rule->name));
        dfr_json_z(j, "by", removed ? "unless" : "suppress");
        dfr_json_text(j, "reason",
                      dfr_report_ptext(e, removed
                                              ? rule->unless_text
                                              : e->program->suppress.v[hit->suppressed_by].reason));
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
}

/* The other crashes of the same input: whole answers, for whoever asked for them all. */
static void put_others(struct dfr_json *j, const struct dfr_report *r)
{
    dfr_json_open(j, "other_crashes", '[');
    for (uint32_t i = 0; i < r->other_count; i++)
        dfr_json_result(j, NULL, &r->others[i]);
    dfr_json_close(j, ']');
}

void dfr_json_result(struct dfr_json *j, const char *key, const struct dfr_report *r)
{
    const struct dfr_ranking *k = r->ranking;
    const struct dfr_facts *f = k->eval->facts;
    dfr_json_open(j, key, '{');
    dfr_json_z(j, "schema", "dfrule/result/1");
    dfr_json_input(j, f, &r->input);
    dfr_json_str(j, "headline", dfr_report_headline(k, j->out->arena));
    dfr_json_z(j, "strength",
               dfr_enum_word(DFR_E_VERDICT,
                             k->shown_count ? k->causes[0].strength : (uint32_t)DFR_VERDICT_NONE));
    dfr_json_bool(j, "settled", k->shown_count && k->causes[0].settled);
    put_crash(j, f);
    put_culprit(j, k);
    put_actions(j, k);
    put_causes(j, k);
    put_collect(j, k);
    put_waiting(j, k);
    put_notes(j, k->eval);
    dfr_json_int(j, "suppressed", k->suppressed);
    dfr_json_int(j, "removed", k->removed);
    put_hidden(j, k->eval);
    put_others(j, r);
    dfr_json_open(j, "diagnostics", '[');
    put_diags(j, r->diags);
    put_diags(j, k->eval->diags);
    dfr_json_close(j, ']');
    dfr_json_close(j, '}');
}

void dfr_report_json(const struct dfr_report *r, bool indent, struct dfr_buf *out)
{
    struct dfr_json j;
    dfr_json_init(&j, indent, out);
    dfr_json_result(&j, NULL, r);
    dfr_json_end(&j);
}
