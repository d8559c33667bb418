/* Rows of the answer: hits with the same cause and subject come together, and the rows are put in
 * their order. Relies on score.c for the sums. */
#include "rank/tally.h"

#include <string.h>

#include "base/buf.h"

struct dfr_str dfr_rank_rule_name(const struct dfr_eval *e, uint32_t hit)
{
    return dfr_program_text(e->program, e->program->rules.v[e->hits.v[hit].rule].name);
}

struct dfr_str dfr_rank_meta(const struct dfr_program *p, uint32_t first, uint32_t count,
                             struct dfr_str key)
{
    for (uint32_t i = first; count-- > 0; i++) {
        if (dfr_str_eq(dfr_program_text(p, p->metas.v[i].key), key))
            return dfr_program_text(p, p->metas.v[i].value);
    }
    return (struct dfr_str){0};
}

/* The name by which MODULES lists it when it does: a stack may spell it otherwise. */
static struct dfr_str module_stem(const struct dfr_facts *f, const struct dfr_value *v)
{
    struct dfr_str stem = {v->as.module.p, v->as.module.len};
    if (v->as.module.row) {
        const struct dfr_value *name = dfr_facts_at(f, DFR_F_MODULES_NAME, v->as.module.row - 1);
        if (name->state == DFR_KNOWN && name->kind == DFR_KIND_STR)
            stem = dfr_module_stem(dfr_value_str(name));
    }
    return dfr_module_is_kernel(stem) ? DFR_STR("nt") : stem;
}

struct dfr_str dfr_rank_subject_key(const struct dfr_facts *f, const struct dfr_value *v,
                                    struct dfr_arena *a)
{
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    if (v->kind == DFR_KIND_MODULE) {
        struct dfr_str stem = module_stem(f, v);
        for (size_t i = 0; i < stem.len; i++) {
            char c = stem.p[i];
            dfr_buf_char(&b, (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c));
        }
    } else {
        dfr_value_print(&b, v);
    }
    return dfr_buf_text(&b);
}

/* A hit on its way into a row. */
struct candidate {
    uint32_t hit, cause;
    struct dfr_str key;
    uint32_t missing; /* of a subject that is not known */
    bool nameless, waiting, subject;
};

struct gathering {
    const struct dfr_eval *eval;
    struct candidate *v;
};

/* False when the hit can be no result. */
static bool gather(const struct dfr_eval *e, uint32_t hit_index, struct dfr_arena *a,
                   struct candidate *ret)
{
    const struct dfr_hit *hit = &e->hits.v[hit_index];
    const struct dfr_prule *rule = &e->program->rules.v[hit->rule];
    bool waiting = hit->status == DFR_HIT_WAITING;
    if (rule->cause == DFR_NONE || (hit->status != DFR_HIT_FIRED && !waiting))
        return false;
    if (waiting && !dfr_tally_moves(e, hit->when.missing, NULL))
        return false; /* nothing can settle it: silent */
    *ret = (struct candidate){.hit = hit_index, .cause = rule->cause, .waiting = waiting};
    const struct dfr_value *v = &hit->subject.v;
    if (v->kind == DFR_KIND_NONE)
        return true;
    if (v->state == DFR_KNOWN) {
        ret->subject = true;
        ret->key = dfr_rank_subject_key(e->facts, v, a);
        return true;
    }
    if (v->state == DFR_UNKNOWN && dfr_tally_moves(e, hit->subject.missing, NULL)) {
        ret->subject = ret->nameless = true;
        ret->missing = hit->subject.missing;
        return true;
    }
    struct dfr_str axis = dfr_program_text(e->program, e->program->causes.v[rule->cause].axis);
    return !dfr_str_eq(axis, DFR_STR("contributor")); /* the driver is not there */
}

static int number_cmp(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int same_row(const struct candidate *x, const struct candidate *y)
{
    int c = number_cmp(x->cause, y->cause);
    if (!c)
        c = number_cmp(x->subject, y->subject);
    if (!c)
        c = number_cmp(x->nameless, y->nameless);
    if (!c)
        c = number_cmp(x->missing, y->missing);
    return c ? c : dfr_str_cmp(x->key, y->key);
}

static int hit_order(const struct dfr_eval *e, uint32_t a, uint32_t b)
{
    int c = dfr_str_cmp(dfr_rank_rule_name(e, a), dfr_rank_rule_name(e, b));
    if (!c)
        c = number_cmp(e->hits.v[a].row, e->hits.v[b].row);
    return c ? c : number_cmp(a, b);
}

static int by_row(const void *context, uint32_t a, uint32_t b)
{
    const struct gathering *g = context;
    int c = same_row(&g->v[a], &g->v[b]);
    if (!c)
        c = number_cmp(g->v[a].waiting, g->v[b].waiting);
    return c ? c : hit_order(g->eval, g->v[a].hit, g->v[b].hit);
}

static int by_rule(const void *context, uint32_t a, uint32_t b)
{
    const struct gathering *g = context;
    return hit_order(g->eval, g->v[a].hit, g->v[b].hit);
}

static struct dfr_row make_row(const struct gathering *g, const uint32_t *order, uint32_t n,
                               const uint32_t *nameless, uint32_t nameless_count,
                               struct dfr_arena *a)
{
    const struct candidate *first = &g->v[order[0]];
    struct dfr_row row = {.cause = first->cause, .key = first->key, .nameless = first->nameless};
    if (first->subject)
        row.subject = g->eval->hits.v[first->hit].subject;
    row.hits = DFR_NEW_N(a, n, uint32_t);
    dfr_tally_init(&row.tally, g->eval, first->cause, a);
    for (uint32_t i = 0; i < n; i++) {
        row.hits[row.hit_count++] = g->v[order[i]].hit;
        row.fired_count += !g->v[order[i]].waiting;
        dfr_tally_add(&row.tally, g->v[order[i]].hit);
    }
    /* A waiting rule that cannot name its subject yet may turn out to speak of this one. */
    for (uint32_t i = 0; i < nameless_count && row.fired_count && !row.nameless; i++) {
        if (g->v[nameless[i]].cause == row.cause)
            dfr_tally_add(&row.tally, g->v[nameless[i]].hit);
    }
    dfr_tally_link(&row.tally);
    dfr_tally_sum(&row.tally, NULL, &row.sum);
    return row;
}

struct ordering {
    const struct dfr_eval *eval;
    const struct dfr_row *v;
};

static int by_rank(const void *context, uint32_t a, uint32_t b)
{
    const struct ordering *o = context;
    const struct dfr_program *p = o->eval->program;
    const struct dfr_row *x = &o->v[a], *y = &o->v[b];
    if (x->sum.fired != y->sum.fired)
        return x->sum.fired ? -1 : 1;
    int32_t xs = x->sum.fired ? x->sum.score : x->sum.max;
    int32_t ys = y->sum.fired ? y->sum.score : y->sum.max;
    if (xs != ys)
        return xs > ys ? -1 : 1;
    if (x->nameless != y->nameless)
        return x->nameless ? 1 : -1;
    if (x->sum.min != y->sum.min)
        return x->sum.min > y->sum.min ? -1 : 1;
    int c = dfr_str_cmp(dfr_program_text(p, p->causes.v[x->cause].name),
                        dfr_program_text(p, p->causes.v[y->cause].name));
    if (!c)
        c = dfr_str_cmp(x->key, y->key);
    return c ? c : hit_order(o->eval, x->hits[0], y->hits[0]);
}

void dfr_rank_rows(const struct dfr_eval *e, struct dfr_arena *a, struct dfr_rows_made *ret)
{
    struct gathering g = {.eval = e, .v = DFR_NEW_N(a, e->hits.n, struct candidate)};
    uint32_t n = 0, nameless_count = 0;
    for (uint32_t i = 0; i < e->hits.n; i++)
        n += gather(e, i, a, &g.v[n]);
    uint32_t *order = DFR_NEW_N(a, n, uint32_t), *nameless = DFR_NEW_N(a, n, uint32_t);
    for (uint32_t i = 0; i < n; i++) {
        order[i] = i;
        if (g.v[i].waiting && g.v[i].nameless)
            nameless[nameless_count++] = i;
    }
    dfr_order(order, n, by_row, &g, a);
    dfr_order(nameless, nameless_count, by_rule, &g, a);
    struct dfr_row *made = DFR_NEW_N(a, n, struct dfr_row);
    *ret = (struct dfr_rows_made){0};
    for (uint32_t i = 0; i < n;) {
        uint32_t end = i + 1;
        while (end < n && same_row(&g.v[order[i]], &g.v[order[end]]) == 0)
            end++;
        made[ret->n++] = make_row(&g, order + i, end - i, nameless, nameless_count, a);
        i = end;
    }
    uint32_t *place = DFR_NEW_N(a, ret->n, uint32_t);
    for (uint32_t i = 0; i < ret->n; i++)
        place[i] = i;
    dfr_order(place, ret->n, by_rank, &(struct ordering){e, made}, a);
    ret->v = DFR_NEW_N(a, ret->n, struct dfr_row);
    for (uint32_t i = 0; i < ret->n; i++) {
        ret->v[i] = made[place[i]];
        ret->fired += made[place[i]].sum.fired;
    }
}
