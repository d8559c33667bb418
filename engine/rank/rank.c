/* The answer put together: causes with their evidence in order, what is settled, who did it. */
#include "rank/tally.h"

#include <string.h>

static struct dfr_str axis_of(const struct dfr_program *p, uint32_t cause)
{
    return dfr_program_text(p, p->causes.v[cause].axis);
}

/* --- Evidence of a row, in reading order ------------------------------------------------------ */

static int item_class(const struct dfr_leaf *leaf)
{
    if (leaf->note)
        return 4;
    if (leaf->counted && leaf->v)
        return 0;
    if (leaf->open)
        return 1;
    return leaf->v ? 2 : 3; /* beaten; says nothing */
}

static int32_t item_size(const struct dfr_leaf *leaf)
{
    int32_t v = leaf->open ? leaf->hi - leaf->lo : leaf->v;
    return v < 0 ? -v : v;
}

static int by_weight(const void *context, uint32_t a, uint32_t b)
{
    const struct dfr_tally *t = context;
    const struct dfr_leaf *x = &t->leaves.v[a], *y = &t->leaves.v[b];
    int cx = item_class(x), cy = item_class(y);
    if (cx != cy)
        return cx - cy;
    if (item_size(x) != item_size(y))
        return item_size(x) > item_size(y) ? -1 : 1;
    if (x->member != y->member)
        return x->member < y->member ? -1 : 1;
    /* The `when` (all ones) before the lines of evidence. */
    return x->item + 1 < y->item + 1 ? -1 : 1;
}

static void list_items(const struct dfr_tally *t, struct dfr_arena *a, struct dfr_ranked_cause *ret)
{
    uint32_t *order = DFR_NEW_N(a, t->leaves.n, uint32_t), n = 0;
    for (uint32_t i = 0; i < t->leaves.n; i++) {
        if (!t->members.v[t->leaves.v[i].member].waiting)
            order[n++] = i;
    }
    dfr_order(order, n, by_weight, t, a);
    ret->items = DFR_NEW_N(a, n, struct dfr_scored_item);
    ret->item_count = n;
    for (uint32_t i = 0; i < n; i++) {
        const struct dfr_leaf *leaf = &t->leaves.v[order[i]];
        ret->items[i] = (struct dfr_scored_item){.hit = leaf->hit,
                                                 .item = leaf->item,
                                                 .truth = leaf->truth,
                                                 .weight_db = leaf->counted ? leaf->v : 0,
                                                 .own_db = leaf->v,
                                                 .low_db = leaf->lo,
                                                 .high_db = leaf->hi,
                                                 .trust = leaf->trust,
                                                 .beaten = !leaf->counted && leaf->v != 0,
                                                 .prose_capped = leaf->capped,
                                                 .open = leaf->open};
    }
}

static void list_causes(struct dfr_ranking *ret, const struct dfr_rows_made *rows,
                        struct dfr_arena *a)
{
    const struct dfr_program *p = ret->eval->program;
    ret->causes = DFR_NEW_N(a, rows->fired, struct dfr_ranked_cause);
    ret->cause_count = rows->fired;
    for (uint32_t i = 0; i < rows->fired; i++) {
        const struct dfr_row *row = &rows->v[i];
        struct dfr_ranked_cause *c = &ret->causes[i];
        *c = (struct dfr_ranked_cause){.cause = row->cause,
                                       .subject = row->subject,
                                       .key = row->key,
                                       .prior_db = p->causes.v[row->cause].prior_db,
                                       .score_db = row->sum.score,
                                       .min_db = row->sum.min,
                                       .max_db = row->sum.max,
                                       .min_not_shown = row->sum.min_not_shown,
                                       .strength = dfr_verdict_of(row->sum.score),
                                       .hits = row->hits,
                                       .hit_count = row->fired_count};
        list_items(&row->tally, a, c);
        ret->shown_count += c->strength != DFR_VERDICT_NONE;
    }
}

/* A first place is settled when nothing that is missing can take it away on its axis. */
static void settle(struct dfr_ranking *r, const struct dfr_rows_made *rows)
{
    const struct dfr_program *p = r->eval->program;
    for (uint32_t i = 0; i < r->shown_count; i++) {
        struct dfr_ranked_cause *c = &r->causes[i];
        struct dfr_str axis = axis_of(p, c->cause);
        bool settled = !c->min_not_shown && c->min_db >= DFR_SCORE_LIKELY;
        for (uint32_t k = 0; k < c->hit_count && settled; k++) {
            const struct dfr_tv *unless = &r->eval->hits.v[c->hits[k]].unless;
            settled = unless->v.kind == DFR_KIND_NONE || dfr_tv_tri(unless) != DFR_OPEN ||
                      !dfr_tally_moves(r->eval, unless->missing, NULL);
        }
        for (uint32_t k = 0; k < rows->n && settled; k++) {
            if (k != i && dfr_str_eq(axis, axis_of(p, rows->v[k].cause)))
                settled = k > i && rows->v[k].sum.max < c->min_db;
        }
        c->settled = settled;
    }
}

/* --- Who did it ------------------------------------------------------------------------------- */

static bool names_somebody(const struct dfr_eval *e, const struct dfr_ranked_cause *c,
                           struct dfr_str *ret)
{
    const struct dfr_pcause *cause = &e->program->causes.v[c->cause];
    *ret = dfr_rank_meta(e->program, cause->meta_first, cause->meta_count, DFR_STR("culprit"));
    if (ret->len)
        return true;
    const struct dfr_value *v = &c->subject.v;
    if (v->kind != DFR_KIND_MODULE || v->state != DFR_KNOWN)
        return false;
    *ret = c->key;
    return !dfr_str_eq(c->key, DFR_STR("nt"));
}

/* What all shown causes together say about one name: parts two of equal strength. */
static int32_t support_of(const struct dfr_ranking *r, struct dfr_str name)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < r->shown_count; i++) {
        struct dfr_str other;
        if (names_somebody(r->eval, &r->causes[i], &other) && dfr_str_eq(name, other))
            sum += r->causes[i].score_db;
    }
    return sum;
}

/* The strongest of one kind of axis; two of equal strength that nothing parts name nobody. */
static uint32_t culprit_on(const struct dfr_ranking *r, bool contributor, bool *ret_torn)
{
    uint32_t best = DFR_NONE;
    struct dfr_str best_name = {0};
    *ret_torn = false;
    for (uint32_t i = 0; i < r->shown_count; i++) {
        const struct dfr_ranked_cause *c = &r->causes[i];
        struct dfr_str name, axis = axis_of(r->eval->program, c->cause);
        if (c->score_db < DFR_SCORE_LIKELY ||
            (best != DFR_NONE && c->score_db < r->causes[best].score_db))
            break;
        if (dfr_str_eq(axis, DFR_STR("contributor")) != contributor ||
            !names_somebody(r->eval, c, &name))
            continue;
        if (best == DFR_NONE) {
            best = i;
            best_name = name;
        } else if (!dfr_str_eq(name, best_name)) {
            int32_t mine = support_of(r, name), its = support_of(r, best_name);
            *ret_torn = mine == its || (*ret_torn && mine < its);
            if (mine > its) {
                best = i;
                best_name = name;
            }
        }
    }
    return best;
}

/* A mechanism is not a culprit: its subject is asked for only where no contributor is likely. */
static uint32_t find_culprit(const struct dfr_ranking *r)
{
    bool torn;
    uint32_t ret = culprit_on(r, true, &torn);
    if (ret == DFR_NONE)
        ret = culprit_on(r, false, &torn);
    return torn ? DFR_NONE : ret;
}

/* --- Rules that wait -------------------------------------------------------------------------- */

struct waiting_order {
    const struct dfr_ranking *r;
    const struct dfr_waiting_rule *v;
};

static int by_reach(const void *context, uint32_t a, uint32_t b)
{
    const struct waiting_order *o = context;
    if (o->v[a].max_db != o->v[b].max_db)
        return o->v[a].max_db > o->v[b].max_db ? -1 : 1;
    return dfr_str_cmp(dfr_rank_rule_name(o->r->eval, o->v[a].hit),
                       dfr_rank_rule_name(o->r->eval, o->v[b].hit));
}

static void list_waiting(struct dfr_ranking *ret, const struct dfr_rows_made *rows,
                         struct dfr_arena *a)
{
    const struct dfr_eval *e = ret->eval;
    uint32_t *at = DFR_NEW_N(a, e->program->rules.n, uint32_t); /* by rule: entry + 1 */
    DFR_VEC(struct dfr_waiting_rule) made = {0};
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct dfr_row *row = &rows->v[i];
        for (uint32_t k = row->fired_count; k < row->hit_count; k++) {
            const struct dfr_hit *hit = &e->hits.v[row->hits[k]];
            if (!at[hit->rule]) {
                *DFR_PUSH(a, &made) = (struct dfr_waiting_rule){
                    .rule = hit->rule, .hit = row->hits[k], .max_db = row->sum.max};
                at[hit->rule] = made.n;
            }
            struct dfr_waiting_rule *w = &made.v[at[hit->rule] - 1];
            w->rows++;
            w->missing = dfr_sets_union(e->sets, w->missing, hit->when.missing);
            if (row->hits[k] < w->hit)
                w->hit = row->hits[k];
            if (row->sum.max > w->max_db)
                w->max_db = row->sum.max;
        }
    }
    uint32_t *order = DFR_NEW_N(a, made.n, uint32_t);
    for (uint32_t i = 0; i < made.n; i++)
        order[i] = i;
    dfr_order(order, made.n, by_reach, &(struct waiting_order){ret, made.v}, a);
    ret->waiting = DFR_NEW_N(a, made.n, struct dfr_waiting_rule);
    ret->waiting_count = made.n;
    for (uint32_t i = 0; i < made.n; i++)
        ret->waiting[i] = made.v[order[i]];
}

void dfr_rank(const struct dfr_eval *eval, struct dfr_arena *a, struct dfr_ranking *ret)
{
    struct dfr_rows_made rows;
    *ret = (struct dfr_ranking){.eval = eval};
    dfr_rank_rows(eval, a, &rows);
    list_causes(ret, &rows, a);
    settle(ret, &rows);
    list_waiting(ret, &rows, a);
    dfr_rank_actions(ret, a);
    dfr_rank_collect(ret, &rows, a);
    ret->culprit = find_culprit(ret);
    for (uint32_t i = 0; i < eval->hits.n; i++) {
        ret->suppressed += eval->hits.v[i].status == DFR_HIT_SUPPRESSED;
        ret->removed += eval->hits.v[i].status == DFR_HIT_REMOVED;
    }
}

int32_t dfr_rank_hit_score(const struct dfr_eval *eval, uint32_t hit, struct dfr_arena *a)
{
    struct dfr_tally t;
    struct dfr_sum sum;
    dfr_tally_init(&t, eval, eval->program->rules.v[eval->hits.v[hit].rule].cause, a);
    dfr_tally_add(&t, hit);
    dfr_tally_link(&t);
    dfr_tally_sum(&t, NULL, &sum);
    return sum.score;
}

struct dfr_value dfr_rank_rule_score(const struct dfr_eval *eval, uint32_t rule,
                                     struct dfr_arena *a)
{
    struct dfr_value best = dfr_v_unknown(DFR_KIND_INT, DFR_REASON_NOT_APPLICABLE);
    for (uint32_t i = 0; i < eval->hits.n; i++) {
        if (eval->hits.v[i].rule != rule || eval->hits.v[i].status != DFR_HIT_FIRED)
            continue;
        int32_t score = dfr_rank_hit_score(eval, i, a);
        if (best.state != DFR_KNOWN || score > best.as.n.lo)
            best = dfr_v_int(score);
    }
    return best;
}

struct dfr_value dfr_rank_cause_score(const struct dfr_ranking *r, uint32_t cause,
                                      const struct dfr_value *subject, struct dfr_arena *a)
{
    bool named = subject && subject->state == DFR_KNOWN && subject->kind != DFR_KIND_NONE;
    struct dfr_str key = {0};
    if (named)
        key = dfr_rank_subject_key(r->eval->facts, subject, a);
    for (uint32_t i = 0; i < r->cause_count; i++) {
        const struct dfr_ranked_cause *c = &r->causes[i];
        bool has = c->subject.v.kind != DFR_KIND_NONE;
        if (c->cause != cause || has != named)
            continue;
        if (!named || (c->subject.v.state == DFR_KNOWN && dfr_str_eq(c->key, key)))
            return dfr_v_int(c->score_db);
    }
    for (uint32_t i = 0; i < r->cause_count && !subject; i++) {
        if (r->causes[i].cause == cause)
            return dfr_v_int(r->causes[i].score_db); /* the best of its subjects */
    }
    return dfr_v_unknown(DFR_KIND_INT, DFR_REASON_NOT_APPLICABLE);
}
