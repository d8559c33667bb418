/* Sums over judged cases: in all, by kind of label, by bug check, by source, and by rule. */
#include "measure/measure.h"

#include <stdlib.h>

const char *dfr_rule_class_word(enum dfr_rule_class c)
{
    static const char *const words[] = {"blind", "thin", "measured"};
    return words[c];
}

static void add(struct dfr_sums *s, const struct dfr_case *c)
{
    s->cases++;
    s->outcome[c->outcome]++;
    if (c->outcome == DFR_OUTCOME_UNREADABLE)
        return;
    if (dfr_label_is_unknown(c->label)) {
        s->kept_silent += c->outcome == DFR_OUTCOME_RIGHT;
        return;
    }
    s->named++;
    s->first += dfr_label_confirms(c->label, c->lead);
    s->three += c->in_three;
    s->guess[c->guess]++;
}

/* ---- Groups -------------------------------------------------------------------------------- */

static struct dfr_sums *group(struct dfr_sums *v, uint32_t n, struct dfr_str name)
{
    for (uint32_t i = 0; i < n; i++)
        if (dfr_str_eq(v[i].name, name))
            return &v[i];
    return NULL;
}

static struct dfr_str code_name(struct dfr_arena *a, int64_t code)
{
    struct dfr_buf b;
    if (code < 0)
        return DFR_STR("none");
    dfr_buf_init(&b, a);
    dfr_buf_printf(&b, "0x%02llX", (unsigned long long)code);
    return dfr_buf_text(&b);
}

static int by_name(const void *x, const void *y)
{
    const struct dfr_sums *a = x, *b = y;
    bool numbers = dfr_str_starts(a->name, DFR_STR("0x")) && dfr_str_starts(b->name, DFR_STR("0x"));
    if (numbers && a->name.len != b->name.len)
        return a->name.len < b->name.len ? -1 : 1;
    return dfr_str_cmp(a->name, b->name);
}

static struct dfr_str kind_of(const struct dfr_label *l)
{
    if (l->weak)
        return DFR_STR("weak labels");
    return l->decidable == DFR_DECIDABLE_YES      ? DFR_STR("strong, decidable")
           : l->decidable == DFR_DECIDABLE_PARTLY ? DFR_STR("strong, partly decidable")
                                                  : DFR_STR("strong, not decidable");
}

static void sum_groups(struct dfr_figures *f, struct dfr_arena *a)
{
    static const char *const kinds[] = {"strong, decidable", "strong, partly decidable",
                                        "strong, not decidable", "weak labels"};
    f->all.name = DFR_STR("all");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        DFR_PUSH(a, &f->kinds)->name = dfr_str_from(kinds[i]);
    for (uint32_t i = 0; i < f->case_count; i++) {
        const struct dfr_case *c = &f->cases[i];
        struct dfr_str code = code_name(a, c->label->code >= 0 ? c->label->code : c->code);
        struct dfr_sums *s = group(f->codes.v, f->codes.n, code);
        add(&f->all, c);
        add(group(f->kinds.v, f->kinds.n, kind_of(c->label)), c);
        if (!s) {
            s = DFR_PUSH(a, &f->codes);
            s->name = code;
        }
        add(s, c);
        s = group(f->sources.v, f->sources.n, c->label->source);
        if (!s) {
            s = DFR_PUSH(a, &f->sources);
            s->name = c->label->source;
        }
        add(s, c);
    }
    if (f->codes.n)
        qsort(f->codes.v, f->codes.n, sizeof *f->codes.v, by_name);
    if (f->sources.n)
        qsort(f->sources.v, f->sources.n, sizeof *f->sources.v, by_name);
}

/* ---- Rules --------------------------------------------------------------------------------- */

/* Could a rule with this conclusion be right about the case at all? */
static enum dfr_fit could_be(const struct dfr_program *p, const struct dfr_prule *rule,
                             const struct dfr_label *l)
{
    const struct dfr_pcause *c = &p->causes.v[rule->cause];
    if (!dfr_str_eq(dfr_program_text(p, c->axis), DFR_STR("contributor")))
        return dfr_label_mechanism(l, dfr_program_text(p, c->name));
    struct dfr_str cls = dfr_rank_meta(p, c->meta_first, c->meta_count, DFR_STR("culprit"));
    if (cls.len)
        return dfr_label_confirms(l, cls) ? DFR_FIT_YES : DFR_FIT_NO;
    if (rule->subject == DFR_NONE)
        return DFR_FIT_UNKNOWN;
    bool file = !dfr_label_is_unknown(l) && dfr_str_find(l->culprit, DFR_STR(".")) != SIZE_MAX &&
                !dfr_str_starts_ci(l->culprit, DFR_STR("hw.")) &&
                !dfr_str_eq_ci(l->culprit, DFR_STR("os.nt"));
    return file ? DFR_FIT_YES : DFR_FIT_NO;
}

static const struct dfr_fired *fired_in(const struct dfr_case *c, uint32_t rule)
{
    for (uint32_t i = 0; i < c->fired_count; i++)
        if (c->fired[i].rule == rule)
            return &c->fired[i];
    return NULL;
}

static bool has_code(const int64_t *codes, uint32_t n, int64_t code)
{
    for (uint32_t i = 0; i < n; i++)
        if (codes[i] == code)
            return true;
    return false;
}

static void sum_rule(const struct dfr_figures *f, const struct dfr_program *p, uint32_t number,
                     int64_t *codes, struct dfr_rule_figures *ret)
{
    const struct dfr_prule *rule = &p->rules.v[number];
    uint32_t n = 0;
    ret->name = dfr_program_text(p, rule->name);
    for (uint32_t i = 0; i < f->case_count; i++) {
        const struct dfr_fired *hit = fired_in(&f->cases[i], number);
        if (!hit)
            continue;
        ret->fired++;
        ret->cases += hit->judged > 0;
        ret->judged += hit->judged;
        ret->right += hit->right;
        ret->found += hit->right > 0;
        if (!has_code(codes, n, f->cases[i].code))
            codes[n++] = f->cases[i].code;
    }
    for (uint32_t i = 0; ret->fired && i < f->case_count; i++) {
        const struct dfr_case *c = &f->cases[i];
        const struct dfr_fired *hit = fired_in(c, number);
        enum dfr_fit fit = could_be(p, rule, c->label);
        if (c->outcome == DFR_OUTCOME_UNREADABLE)
            continue;
        ret->base_all += fit != DFR_FIT_UNKNOWN;
        ret->base_true += fit == DFR_FIT_YES;
        /* Whatever it got right was there to be found, also where the label lists it as also right. */
        ret->truths += (hit && hit->right) || (fit == DFR_FIT_YES && has_code(codes, n, c->code));
    }
    ret->cls = !ret->fired                    ? DFR_RULE_BLIND
               : ret->cases < DFR_RULE_ENOUGH ? DFR_RULE_THIN
                                              : DFR_RULE_MEASURED;
}

static int by_class(const void *x, const void *y)
{
    const struct dfr_rule_figures *a = x, *b = y;
    if (a->cls != b->cls)
        return a->cls > b->cls ? -1 : 1;
    if (a->fired != b->fired)
        return a->fired > b->fired ? -1 : 1;
    return dfr_str_cmp(a->name, b->name);
}

static void sum_rules(struct dfr_figures *f, const struct dfr_program *p, struct dfr_arena *a)
{
    int64_t *codes = DFR_NEW_N(a, f->case_count + 1, int64_t);
    for (uint32_t i = 0; i < p->rules.n; i++) {
        if (p->rules.v[i].cause == DFR_NONE)
            continue;
        struct dfr_rule_figures *r = DFR_PUSH(a, &f->rules);
        sum_rule(f, p, i, codes, r);
        f->classes[r->cls]++;
    }
    if (f->rules.n)
        qsort(f->rules.v, f->rules.n, sizeof *f->rules.v, by_class);
}

static int32_t permille(uint32_t part, uint32_t whole)
{
    return whole ? (int32_t)((UINT64_C(1000) * part + whole / 2) / whole) : -1;
}

int32_t dfr_rule_precision(const struct dfr_rule_figures *f)
{
    return permille(f->right, f->judged);
}

int32_t dfr_rule_recall(const struct dfr_rule_figures *f)
{
    return permille(f->found, f->truths);
}

int32_t dfr_rule_lift(const struct dfr_rule_figures *f)
{
    uint64_t chance = (uint64_t)f->judged * f->base_true;
    if (!chance)
        return -1;
    return (int32_t)(UINT64_C(1000) * f->right * f->base_all / chance);
}

void dfr_figures_sum(const struct dfr_program *p, const struct dfr_labels *labels,
                     const struct dfr_case *cases, uint32_t n, struct dfr_arena *a,
                     struct dfr_figures *ret)
{
    *ret = (struct dfr_figures){.labels = labels, .cases = cases, .case_count = n};
    sum_groups(ret, a);
    sum_rules(ret, p, a);
}
