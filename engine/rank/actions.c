/* What to do: recommends with the same key come together, each supported by causes on several axes.
 *
 * P(helps) = 1 - product over the axes of (1 - p * e), where p is the probability of the strongest
 * cause of that axis that recommends the action and e how often it helps. All in whole numbers, so
 * that every machine orders alike. */
#include "rank/tally.h"

#include "base/buf.h"

enum { PPM = 1000000, HELPS_DEFAULT = 50 };

/* 1 / (1 + 10^(-S/10)) in millionths, for S = -30 .. 30. */
static const uint32_t probability[2 * DFR_SCORE_MOST + 1] = {
    999,    1257,   1582,   1991,   2506,   3152,   3965,   4987,   6270,   7881,   9901,
    12433,  15602,  19562,  24503,  30653,  38287,  47727,  59351,  73588,  90909,  111816,
    136807, 166338, 200760, 240253, 284747, 333861, 386863, 442688, 500000, 557312, 613137,
    666139, 715253, 759747, 799240, 833662, 863193, 888184, 909091, 926412, 940649, 952273,
    961713, 969347, 975497, 980438, 984398, 987567, 990099, 992119, 993730, 995013, 996035,
    996848, 997494, 998009, 998418, 998743, 999001,
};

/* A recommend on its way into an action. */
struct advice {
    uint32_t cause; /* of the answer */
    uint32_t hit, advised;
};
struct advice_list {
    const struct dfr_ranking *r;
    struct advice *v;
};

static const struct dfr_advised *advised_of(const struct dfr_ranking *r, const struct advice *x)
{
    return &r->eval->hits.v[x->hit].advice[x->advised];
}

static const struct dfr_padvice *advice_of(const struct dfr_ranking *r, uint32_t hit,
                                           uint32_t advised)
{
    return &r->eval->program->advice.v[r->eval->hits.v[hit].advice[advised].advice];
}

/* Equal keys together; in each the strongest cause first, and of one cause the first rule. */
static int by_key(const void *context, uint32_t a, uint32_t b)
{
    const struct advice_list *l = context;
    const struct advice *x = &l->v[a], *y = &l->v[b];
    int c = dfr_str_cmp(advised_of(l->r, x)->key, advised_of(l->r, y)->key);
    if (c)
        return c;
    if (x->cause != y->cause)
        return x->cause < y->cause ? -1 : 1;
    c = dfr_str_cmp(dfr_rank_rule_name(l->r->eval, x->hit), dfr_rank_rule_name(l->r->eval, y->hit));
    if (c)
        return c;
    if (x->hit != y->hit)
        return x->hit < y->hit ? -1 : 1;
    return x->advised < y->advised ? -1 : 1;
}

static uint64_t helps_percent(const struct dfr_ranking *r, const struct advice *x)
{
    const struct dfr_padvice *pa = advice_of(r, x->hit, x->advised);
    uint32_t e = HELPS_DEFAULT;
    if (pa->action != DFR_NONE)
        e = r->eval->program->actions.v[pa->action].helps;
    return e > 100 ? 100 : e;
}

/* Plain words say nothing of their price: they stand in the middle. */
static uint32_t cost_of(const struct dfr_ranking *r, const struct advice *x)
{
    const struct dfr_padvice *pa = advice_of(r, x->hit, x->advised);
    return pa->action == DFR_NONE ? (uint32_t)DFR_COST_SETTING
                                  : r->eval->program->actions.v[pa->action].cost;
}

/* Word of a probability: its log-odds read as a score. */
static uint32_t word_of(uint64_t ppm)
{
    for (int32_t s = DFR_SCORE_MOST; s > DFR_SCORE_HIDDEN; s--) {
        if (ppm >= probability[s + DFR_SCORE_MOST])
            return dfr_verdict_of(s);
    }
    return DFR_VERDICT_POSSIBLE;
}

static struct dfr_str axis_of(const struct dfr_ranking *r, uint32_t cause)
{
    const struct dfr_program *p = r->eval->program;
    return dfr_program_text(p, p->causes.v[r->causes[cause].cause].axis);
}

/* One action from recommends of one key, strongest cause first. */
static struct dfr_ranked_action make_action(const struct dfr_ranking *r,
                                            const struct advice_list *l, const uint32_t *order,
                                            uint32_t n, struct dfr_arena *a)
{
    const struct advice *first = &l->v[order[0]];
    struct dfr_ranked_action ret = {.hit = first->hit,
                                    .advised = first->advised,
                                    .cost = cost_of(r, first),
                                    .worth_trying =
                                        r->causes[first->cause].score_db < DFR_SCORE_LIKELY,
                                    .supports = DFR_NEW_N(a, n, uint32_t)};
    uint64_t fails = PPM;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t cause = l->v[order[i]].cause;
        if (ret.support_count && ret.supports[ret.support_count - 1] == cause)
            continue;
        bool axis_seen = false;
        for (uint32_t k = 0; k < ret.support_count && !axis_seen; k++)
            axis_seen = dfr_str_eq(axis_of(r, ret.supports[k]), axis_of(r, cause));
        ret.supports[ret.support_count++] = cause;
        if (axis_seen)
            continue;
        uint64_t p = probability[r->causes[cause].score_db + DFR_SCORE_MOST];
        fails = fails * (PPM - p * helps_percent(r, first) / 100) / PPM;
    }
    ret.helps_permille = (int32_t)((PPM - fails) / 1000);
    ret.strength = word_of(PPM - fails);
    return ret;
}

struct action_list {
    const struct dfr_ranking *r;
    const struct dfr_ranked_action *v;
};

static const struct dfr_advised *recommended(const struct action_list *l, uint32_t i)
{
    return &l->r->eval->hits.v[l->v[i].hit].advice[l->v[i].advised];
}

/* By the word; of equals the cheaper and less invasive, then what helps more, then the words. */
static int by_help(const void *context, uint32_t a, uint32_t b)
{
    const struct action_list *l = context;
    const struct dfr_ranked_action *x = &l->v[a], *y = &l->v[b];
    if (x->strength != y->strength)
        return x->strength > y->strength ? -1 : 1;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    if (x->helps_permille != y->helps_permille)
        return x->helps_permille > y->helps_permille ? -1 : 1;
    int c = dfr_str_cmp(recommended(l, a)->text, recommended(l, b)->text);
    return c ? c : dfr_str_cmp(recommended(l, a)->key, recommended(l, b)->key);
}

static void list_actions(struct dfr_ranking *ret, struct advice_list *l, uint32_t n,
                         struct dfr_arena *a)
{
    uint32_t *order = DFR_NEW_N(a, n, uint32_t);
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    dfr_order(order, n, by_key, l, a);
    struct dfr_ranked_action *made = DFR_NEW_N(a, n, struct dfr_ranked_action);
    uint32_t count = 0;
    for (uint32_t i = 0; i < n;) {
        uint32_t end = i + 1;
        while (end < n && dfr_str_eq(advised_of(ret, &l->v[order[i]])->key,
                                     advised_of(ret, &l->v[order[end]])->key))
            end++;
        made[count++] = make_action(ret, l, order + i, end - i, a);
        i = end;
    }
    uint32_t *place = DFR_NEW_N(a, count, uint32_t);
    for (uint32_t i = 0; i < count; i++)
        place[i] = i;
    dfr_order(place, count, by_help, &(struct action_list){ret, made}, a);
    ret->actions = DFR_NEW_N(a, count, struct dfr_ranked_action);
    ret->action_count = count;
    for (uint32_t i = 0; i < count; i++)
        ret->actions[i] = made[place[i]];
}

/* The same action held back by several rules is one. */
static void list_held(struct dfr_ranking *ret, struct advice_list *l, uint32_t n,
                      struct dfr_arena *a)
{
    uint32_t *order = DFR_NEW_N(a, n, uint32_t);
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    dfr_order(order, n, by_key, l, a);
    ret->held = DFR_NEW_N(a, n, struct dfr_held_action);
    for (uint32_t i = 0; i < n; i++) {
        const struct advice *x = &l->v[order[i]];
        const struct dfr_advised *adv = advised_of(ret, x);
        uint32_t missing = dfr_sets_union(ret->eval->sets, adv->missing, adv->condition.missing);
        struct dfr_held_action *last = ret->held_count ? &ret->held[ret->held_count - 1] : NULL;
        if (last && dfr_str_eq(ret->eval->hits.v[last->hit].advice[last->advised].key, adv->key)) {
            last->missing = dfr_sets_union(ret->eval->sets, last->missing, missing);
            continue;
        }
        ret->held[ret->held_count++] = (struct dfr_held_action){x->hit, x->advised, missing};
    }
}

void dfr_rank_actions(struct dfr_ranking *ret, struct dfr_arena *a)
{
    const struct dfr_eval *e = ret->eval;
    bool likely = ret->shown_count && ret->causes[0].score_db >= DFR_SCORE_LIKELY;
    DFR_VEC(struct advice) ready = {0};
    DFR_VEC(struct advice) held = {0};
    for (uint32_t c = 0; c < ret->shown_count; c++) {
        if (likely && ret->causes[c].score_db < DFR_SCORE_LIKELY)
            break;
        for (uint32_t i = 0; i < ret->causes[c].hit_count; i++) {
            const struct dfr_hit *hit = &e->hits.v[ret->causes[c].hits[i]];
            for (uint32_t k = 0; k < hit->advice_count; k++) {
                struct advice x = {c, ret->causes[c].hits[i], k};
                enum dfr_tri condition = dfr_tv_tri(&hit->advice[k].condition);
                if (condition == DFR_TRUE && !hit->advice[k].held)
                    *DFR_PUSH(a, &ready) = x;
                else if (condition != DFR_FALSE)
                    *DFR_PUSH(a, &held) = x;
            }
        }
    }
    list_actions(ret, &(struct advice_list){ret, ready.v}, ready.n, a);
    list_held(ret, &(struct advice_list){ret, held.v}, held.n, a);
}
