#include "measure/calibrate.h"

#include <math.h>

/* Features: each line of evidence twice (as it counts when true, and when false), then each prior. */
static uint32_t evidence_feature(uint32_t evidence, bool truth)
{
    return 2 * evidence + !truth;
}

static uint32_t prior_feature(const struct dfr_program *p, uint32_t cause)
{
    return 2 * p->evidence.n + cause;
}

static uint32_t feature_count(const struct dfr_program *p)
{
    return 2 * p->evidence.n + p->causes.n;
}

void dfr_gather_init(struct dfr_gathered *g, const struct dfr_program *p, struct dfr_arena *a)
{
    *g = (struct dfr_gathered){.arena = a, .program = p};
    *DFR_PUSH(a, &g->first) = 0;
}

static void gather_cause(struct dfr_gathered *g, const struct dfr_eval *e,
                         const struct dfr_ranked_cause *c, bool truth)
{
    struct dfr_arena *a = g->arena;
    double score = c->prior_db;
    *DFR_PUSH(a, &g->feature) = prior_feature(g->program, c->cause);
    for (uint32_t i = 0; i < c->item_count; i++) {
        const struct dfr_scored_item *item = &c->items[i];
        score += item->weight_db;
        /* What is held down because only prose says so would be just as held down afterwards. */
        if (item->item == DFR_NONE || !item->weight_db || item->prose_capped)
            continue;
        uint32_t evidence = e->hits.v[item->hit].items[item->item].evidence;
        *DFR_PUSH(a, &g->feature) = evidence_feature(evidence, item->truth == DFR_TRUE);
    }
    *DFR_PUSH(a, &g->score) = score;
    *DFR_PUSH(a, &g->truth) = truth;
    *DFR_PUSH(a, &g->group) = g->cases;
    *DFR_PUSH(a, &g->first) = g->feature.n;
}

void dfr_gather_add(struct dfr_gathered *g, const struct dfr_label *label,
                    const struct dfr_ranking *r)
{
    bool any = false;
    for (uint32_t i = 0; i < r->cause_count && !label->weak; i++) {
        const struct dfr_ranked_cause *c = &r->causes[i];
        enum dfr_fit fit = dfr_judge_claim(label, r->eval, c->cause, &c->subject);
        if (fit == DFR_FIT_UNKNOWN)
            continue;
        gather_cause(g, r->eval, c, fit == DFR_FIT_YES);
        any = true;
    }
    g->cases += any;
}

/* ---- The fit ------------------------------------------------------------------------------- */

static struct dfr_observations observations(const struct dfr_gathered *g)
{
    return (struct dfr_observations){.n = g->score.n,
                                     .features = feature_count(g->program),
                                     .score = g->score.v,
                                     .truth = g->truth.v,
                                     .group = g->group.v,
                                     .first = g->first.v,
                                     .feature = g->feature.v};
}

/* A weight may move when an override can name it and enough cases have felt it. */
static bool *fixed_features(const struct dfr_gathered *g, struct dfr_calibration *c)
{
    const struct dfr_program *p = g->program;
    uint32_t n = feature_count(p);
    bool *fixed = DFR_NEW_N(g->arena, n, bool);
    uint32_t *seen = DFR_NEW_N(g->arena, n, uint32_t), *last = DFR_NEW_N(g->arena, n, uint32_t);
    for (uint32_t i = 0; i < g->score.n; i++)
        for (uint32_t k = g->first.v[i]; k < g->first.v[i + 1]; k++) {
            uint32_t f = g->feature.v[k];
            seen[f] += last[f] != g->group.v[i] + 1;
            last[f] = g->group.v[i] + 1;
        }
    for (uint32_t f = 0; f < n; f++) {
        bool named = f >= 2 * p->evidence.n || p->evidence.v[f / 2].label != DFR_NONE;
        fixed[f] = !named || seen[f] < DFR_CALIBRATE_SEEN;
        c->movable += !fixed[f];
    }
    return fixed;
}

static void reliability(const struct dfr_observations *o, const double *score,
                        struct dfr_reliability *ret)
{
    for (uint32_t i = 0; i < o->n; i++) {
        double s = score[i] > DFR_SCORE_MOST    ? DFR_SCORE_MOST
                   : score[i] < -DFR_SCORE_MOST ? -DFR_SCORE_MOST
                                                : score[i];
        struct dfr_reliability *r = &ret[dfr_verdict_of((int32_t)lround(s))];
        r->n++;
        r->truths += o->truth[i];
        r->predicted += dfr_fit_probability(s);
    }
}

/* What spoke for a cause may fall silent, but not turn against it. */
static int32_t moved(int32_t from, double change)
{
    int32_t to = (int32_t)lround(from + change);
    if ((from > 0 && to < 0) || (from < 0 && to > 0))
        to = 0;
    return to > DFR_SCORE_MOST ? DFR_SCORE_MOST : to < -DFR_SCORE_MOST ? -DFR_SCORE_MOST : to;
}

static int32_t moved_prior(int32_t from, double change)
{
    int32_t to = (int32_t)lround(from + change);
    return to > DFR_SCORE_MOST ? DFR_SCORE_MOST : to < -DFR_SCORE_MOST ? -DFR_SCORE_MOST : to;
}

static void list_moves(const struct dfr_gathered *g, const double *change,
                       struct dfr_calibration *c)
{
    const struct dfr_program *p = g->program;
    for (uint32_t i = 0; i < p->causes.n; i++) {
        int32_t from = p->causes.v[i].prior_db;
        int32_t to = moved_prior(from, change[prior_feature(p, i)]);
        if (to != from)
            *DFR_PUSH(g->arena, &c->moves) =
                (struct dfr_move){.rule = DFR_NONE, .cause = i, .from_true = from, .to_true = to};
    }
    for (uint32_t r = 0; r < p->rules.n; r++) {
        const struct dfr_prule *rule = &p->rules.v[r];
        for (uint32_t e = rule->evidence; e < rule->evidence + rule->evidence_count; e++) {
            const struct dfr_pevidence *x = &p->evidence.v[e];
            struct dfr_move m = {.rule = r,
                                 .cause = rule->cause,
                                 .evidence = e,
                                 .from_true = x->if_true,
                                 .from_false = x->if_false,
                                 .to_true = moved(x->if_true, change[evidence_feature(e, true)]),
                                 .to_false =
                                     moved(x->if_false, change[evidence_feature(e, false)])};
            if (m.to_true != m.from_true || m.to_false != m.from_false)
                *DFR_PUSH(g->arena, &c->moves) = m;
        }
    }
}

/* The most cautious setting that foretells as well as the best one, give or take its error; none, when
 * the gain may be chance. */
static uint32_t choose(const struct dfr_loss *loss)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < DFR_CALIBRATE_SIGMAS; i++)
        if (loss[i].gain > loss[i].gain_error && loss[i].gain > loss[best].gain)
            best = i;
    for (uint32_t i = 1; i < best; i++)
        if (loss[i].gain > loss[i].gain_error &&
            loss[i].gain >= loss[best].gain - loss[best].gain_error)
            return i;
    return best;
}

void dfr_calibrate(const struct dfr_gathered *g, struct dfr_calibration *c)
{
    static const double sigmas[DFR_CALIBRATE_SIGMAS] = {0, 1, 2, 4};
    struct dfr_arena *a = g->arena;
    struct dfr_observations o = observations(g);
    double *held_out = DFR_NEW_N(a, (size_t)o.n + 1, double);
    double *change = DFR_NEW_N(a, (size_t)o.features + 1, double);
    c->cases = g->cases;
    c->observations = o.n;
    c->folds = DFR_CALIBRATE_FOLDS;
    c->chosen = 0;
    for (uint32_t i = 0; i < o.n; i++)
        c->truths += o.truth[i];
    const bool *fixed = fixed_features(g, c);
    for (uint32_t i = 0; i < DFR_CALIBRATE_SIGMAS; i++) {
        c->sigma[i] = sigmas[i];
        dfr_fit_validate(&o, fixed, sigmas[i], c->folds, a, held_out, &c->loss[i]);
    }
    c->chosen = choose(c->loss);
    reliability(&o, o.score, c->before);
    c->thin = c->cases < DFR_CALIBRATE_CASES ? "there are too few cases with strong labels"
              : !c->movable                  ? "no weight has counted in enough cases"
              : !c->chosen ? "no fit foretells cases that it has not seen better than the author's "
                             "weights do, beyond what chance would give"
                           : NULL;
    if (c->thin)
        c->chosen = 0;
    dfr_fit_validate(&o, fixed, c->sigma[c->chosen], c->folds, a, held_out, &c->loss[c->chosen]);
    reliability(&o, held_out, c->after);
    dfr_fit(&o, fixed, c->sigma[c->chosen], 0, 0, a, change);
    list_moves(g, change, c);
    if (!c->thin && !c->moves.n)
        c->thin = "what the fit would change rounds to nothing";
}
