/* One answer against its label. The answer is what a reader sees: its suspect, else whom its first
 * cause names. Confidence is judged on every cause that is shown, not on the first alone. */
#include "measure/measure.h"

#include "report/words.h"

#define OUTCOME(id, word, meaning) {word, meaning},
static const struct {
    const char *word, *meaning;
} outcomes[] = {
#include "measure/outcome.def"
};
#undef OUTCOME

const char *dfr_outcome_word(enum dfr_outcome_kind k)
{
    return outcomes[k].word;
}

const char *dfr_outcome_meaning(enum dfr_outcome_kind k)
{
    return outcomes[k].meaning;
}

const char *dfr_guess_word(enum dfr_guess g)
{
    static const char *const words[] = {"none", "right", "other", "wrong"};
    return words[g];
}

static struct dfr_str name_of(const struct dfr_eval *e, uint32_t cause,
                              const struct dfr_tv *subject)
{
    const struct dfr_pcause *c = &e->program->causes.v[cause];
    struct dfr_str cls =
        dfr_rank_meta(e->program, c->meta_first, c->meta_count, DFR_STR("culprit"));
    if (cls.len)
        return cls;
    const struct dfr_value *v = &subject->v;
    if (v->kind != DFR_KIND_MODULE || v->state != DFR_KNOWN)
        return DFR_STR("");
    return (struct dfr_str){v->as.module.p, v->as.module.len};
}

struct dfr_str dfr_judge_name(const struct dfr_eval *e, const struct dfr_ranked_cause *c)
{
    return name_of(e, c->cause, &c->subject);
}

enum dfr_fit dfr_judge_claim(const struct dfr_label *label, const struct dfr_eval *e,
                             uint32_t cause, const struct dfr_tv *subject)
{
    const struct dfr_program *p = e->program;
    const struct dfr_pcause *c = &p->causes.v[cause];
    struct dfr_str full = dfr_program_text(p, c->name), name = name_of(e, cause, subject);
    if (!dfr_str_eq(dfr_program_text(p, c->axis), DFR_STR("contributor")))
        return dfr_label_mechanism(label, full);
    if (dfr_label_confirms(label, name))
        return DFR_FIT_YES;
    if (!name.len)
        return DFR_FIT_UNKNOWN;
    /* Of several that take part a label names one: only what it rules out is known to be wrong. */
    if (label->decidable == DFR_DECIDABLE_NO && !dfr_label_lists(label->wrong, name))
        return DFR_FIT_UNKNOWN;
    return DFR_FIT_NO;
}

/* What the debugger's own verdict in the text names; classes where it does not mean a file. */
static struct dfr_str debugger_of(const struct dfr_facts *f)
{
    const struct dfr_value *v = dfr_facts_scalar(f, DFR_F_ANALYZE_SUSPECT);
    if (v->state == DFR_KNOWN && v->kind == DFR_KIND_MODULE)
        return (struct dfr_str){v->as.module.p, v->as.module.len};
    v = dfr_facts_scalar(f, DFR_F_ANALYZE_IMAGE);
    if (v->state != DFR_KNOWN)
        v = dfr_facts_scalar(f, DFR_F_ANALYZE_MODULE);
    if (v->state != DFR_KNOWN || v->kind != DFR_KIND_STR)
        return DFR_STR("");
    struct dfr_str s = dfr_value_str(v);
    if (dfr_str_starts_ci(s, DFR_STR("memory_corruption")))
        return DFR_STR("hw.memory"); /* so it names damage that it takes for bad memory */
    if (dfr_str_starts_ci(s, DFR_STR("unknown")) || dfr_str_starts_ci(s, DFR_STR("analysis_")))
        return DFR_STR("");
    return s;
}

static void judge_debugger(struct dfr_case *c)
{
    if (!c->debugger.len)
        c->guess = DFR_GUESS_NONE;
    else if (dfr_label_confirms(c->label, c->debugger))
        c->guess = DFR_GUESS_RIGHT;
    else
        c->guess =
            dfr_label_lists(c->label->wrong, c->debugger) ? DFR_GUESS_WRONG : DFR_GUESS_OTHER;
}

static void find_lead(const struct dfr_ranking *r, struct dfr_case *c, struct dfr_arena *a)
{
    uint32_t i = r->culprit;
    if (i == DFR_NONE && r->shown_count && dfr_judge_name(r->eval, &r->causes[0]).len)
        i = 0;
    if (i == DFR_NONE)
        return;
    c->lead = dfr_str_dup(a, dfr_judge_name(r->eval, &r->causes[i]));
    c->lead_strength = r->causes[i].strength;
}

/* Whatever is shown as strong or surer and is ruled out by the label. */
static struct dfr_str confident_wrong(const struct dfr_ranking *r, const struct dfr_label *l)
{
    for (uint32_t i = 0; i < r->shown_count; i++) {
        struct dfr_str name = dfr_judge_name(r->eval, &r->causes[i]);
        if (r->causes[i].strength >= DFR_VERDICT_STRONG && dfr_label_lists(l->wrong, name) &&
            !dfr_label_confirms(l, name))
            return name;
    }
    return DFR_STR("");
}

static enum dfr_outcome_kind outcome_of(const struct dfr_case *c)
{
    const struct dfr_label *l = c->label;
    /* Nobody can be named: a mere possibility, said as one, is no accusation. */
    bool names = c->lead.len && c->lead_strength >= DFR_VERDICT_LIKELY;
    if (dfr_label_is_unknown(l) && !names)
        return DFR_OUTCOME_RIGHT;
    if (!c->lead.len)
        return c->in_three ? DFR_OUTCOME_NEAR : DFR_OUTCOME_SILENT;
    if (dfr_label_confirms(l, c->lead))
        return DFR_OUTCOME_RIGHT;
    if (c->in_three)
        return DFR_OUTCOME_NEAR;
    return dfr_label_lists(l->wrong, c->lead) ? DFR_OUTCOME_WRONG : DFR_OUTCOME_OTHER;
}

/* A rule whose evidence does not outweigh what speaks against it has fired and claimed nothing. */
static bool claims(const struct dfr_eval *e, uint32_t hit, struct dfr_arena *a)
{
    uint32_t cause = e->program->rules.v[e->hits.v[hit].rule].cause;
    return dfr_rank_hit_score(e, hit, a) > e->program->causes.v[cause].prior_db;
}

static void judge_rules(const struct dfr_ranking *r, struct dfr_case *c, struct dfr_arena *a)
{
    const struct dfr_eval *e = r->eval;
    c->fired = DFR_NEW_N(a, e->hits.n, struct dfr_fired);
    for (uint32_t i = 0; i < e->hits.n; i++) {
        const struct dfr_hit *h = &e->hits.v[i];
        uint32_t cause = e->program->rules.v[h->rule].cause;
        if (h->status != DFR_HIT_FIRED || cause == DFR_NONE)
            continue;
        enum dfr_fit fit =
            claims(e, i, a) ? dfr_judge_claim(c->label, e, cause, &h->subject) : DFR_FIT_UNKNOWN;
        if (!c->fired_count || c->fired[c->fired_count - 1].rule != h->rule)
            c->fired[c->fired_count++].rule = h->rule;
        struct dfr_fired *f = &c->fired[c->fired_count - 1];
        f->judged += fit != DFR_FIT_UNKNOWN;
        f->right += fit == DFR_FIT_YES;
    }
}

void dfr_judge(const struct dfr_label *label, const struct dfr_ranking *r, struct dfr_arena *a,
               struct dfr_case *ret)
{
    enum { FIRST_FEW = 3 };
    const struct dfr_eval *e = r->eval;
    const struct dfr_value *code = dfr_facts_scalar(e->facts, DFR_F_BUGCHECK_CODE);
    *ret = (struct dfr_case){.label = label, .code = code->state == DFR_KNOWN ? code->as.n.lo : -1};
    ret->debugger = dfr_str_dup(a, debugger_of(e->facts));
    if (r->shown_count) {
        const struct dfr_ranked_cause *first = &r->causes[0];
        ret->cause =
            dfr_str_dup(a, dfr_program_text(e->program, e->program->causes.v[first->cause].name));
        ret->subject = dfr_str_dup(a, first->key);
        ret->strength = first->strength;
        ret->score_db = first->score_db;
    }
    find_lead(r, ret, a);
    if (!label || !label->culprit.len)
        return; /* a file without a label */
    ret->in_three = dfr_label_confirms(label, ret->lead);
    for (uint32_t i = 0; i < r->shown_count && i < FIRST_FEW; i++)
        ret->in_three |= dfr_label_confirms(label, dfr_judge_name(e, &r->causes[i]));
    ret->outcome = outcome_of(ret);
    struct dfr_str wrong = confident_wrong(r, label);
    if (wrong.len)
        ret->outcome = DFR_OUTCOME_CONFIDENT;
    else if (ret->outcome == DFR_OUTCOME_WRONG)
        wrong = ret->lead;
    ret->wrong = dfr_str_dup(a, wrong);
    judge_debugger(ret);
    judge_rules(r, ret, a);
}
