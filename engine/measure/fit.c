#include "measure/fit.h"

#include <math.h>

enum { SWEEPS = 500 };
static const double per_deciban = 0.23025850929940457; /* ln(10) / 10 */
static const double close_enough = 1e-7;
static const double longest_step = 5; /* decibans: Newton's step may overshoot where data are few */

double dfr_fit_probability(double decibans)
{
    return 1 / (1 + exp(-per_deciban * decibans));
}

/* -log of the probability that was given to what came true, without overflow. */
static double loss_of(double decibans, bool truth)
{
    double z = per_deciban * (truth ? decibans : -decibans);
    return z > 0 ? log1p(exp(-z)) : -z + log1p(exp(z));
}

double dfr_fit_score(const struct dfr_observations *o, uint32_t i, const double *change)
{
    double s = o->score[i];
    for (uint32_t k = o->first[i]; k < o->first[i + 1]; k++)
        s += change[o->feature[k]];
    return s;
}

/* Which observations each feature is in. */
struct columns {
    uint32_t *first, *row;
};

static struct columns transpose(const struct dfr_observations *o, struct dfr_arena *a)
{
    struct columns c = {.first = DFR_NEW_N(a, (size_t)o->features + 1, uint32_t),
                        .row = DFR_NEW_N(a, (size_t)o->first[o->n] + 1, uint32_t)};
    for (uint32_t k = 0; k < o->first[o->n]; k++)
        c.first[o->feature[k] + 1]++;
    for (uint32_t j = 0; j < o->features; j++)
        c.first[j + 1] += c.first[j];
    uint32_t *next = DFR_NEW_N(a, (size_t)o->features + 1, uint32_t);
    for (uint32_t j = 0; j < o->features; j++)
        next[j] = c.first[j];
    for (uint32_t i = 0; i < o->n; i++)
        for (uint32_t k = o->first[i]; k < o->first[i + 1]; k++)
            c.row[next[o->feature[k]]++] = i;
    return c;
}

void dfr_fit(const struct dfr_observations *o, const bool *fixed, double sigma, uint32_t folds,
             uint32_t without, struct dfr_arena *a, double *ret)
{
    for (uint32_t j = 0; j < o->features; j++)
        ret[j] = 0;
    if (sigma <= 0 || !o->n)
        return;
    struct columns c = transpose(o, a);
    double *score = DFR_NEW_N(a, o->n, double);
    for (uint32_t i = 0; i < o->n; i++)
        score[i] = o->score[i];
    double penalty = 1 / (sigma * sigma), moved = 1;
    /* One weight at a time, each by Newton's step. The sum is convex, so this ends at its minimum. */
    for (uint32_t sweep = 0; sweep < SWEEPS && moved > close_enough; sweep++) {
        moved = 0;
        for (uint32_t j = 0; j < o->features; j++) {
            if (fixed && fixed[j])
                continue;
            double slope = penalty * ret[j], bend = penalty;
            for (uint32_t k = c.first[j]; k < c.first[j + 1]; k++) {
                uint32_t i = c.row[k];
                if (folds && o->group[i] % folds == without)
                    continue;
                double p = dfr_fit_probability(score[i]);
                slope += per_deciban * (p - o->truth[i]);
                bend += per_deciban * per_deciban * p * (1 - p);
            }
            double step = -slope / bend;
            step = step > longest_step ? longest_step : step < -longest_step ? -longest_step : step;
            ret[j] += step;
            moved = fabs(step) > moved ? fabs(step) : moved;
            for (uint32_t k = c.first[j]; k < c.first[j + 1]; k++)
                score[c.row[k]] += step;
        }
    }
}

static void gains(const struct dfr_observations *o, const double *held_out, struct dfr_arena *a,
                  struct dfr_loss *ret)
{
    uint32_t groups = 0;
    for (uint32_t i = 0; i < o->n; i++)
        groups = o->group[i] >= groups ? o->group[i] + 1 : groups;
    double *gain = DFR_NEW_N(a, (size_t)groups + 1, double);
    bool *seen = DFR_NEW_N(a, (size_t)groups + 1, bool);
    for (uint32_t i = 0; i < o->n; i++) {
        gain[o->group[i]] += loss_of(o->score[i], o->truth[i]) - loss_of(held_out[i], o->truth[i]);
        seen[o->group[i]] = true;
    }
    double n = 0, sum = 0, squares = 0;
    for (uint32_t g = 0; g < groups; g++) {
        n += seen[g];
        sum += gain[g];
    }
    ret->gain = n > 0 ? sum / n : 0;
    for (uint32_t g = 0; g < groups; g++)
        squares += seen[g] ? (gain[g] - ret->gain) * (gain[g] - ret->gain) : 0;
    ret->gain_error = n > 1 ? sqrt(squares / (n - 1) / n) : 0;
}

void dfr_fit_validate(const struct dfr_observations *o, const bool *fixed, double sigma,
                      uint32_t folds, struct dfr_arena *a, double *held_out, struct dfr_loss *ret)
{
    double *change = DFR_NEW_N(a, (size_t)o->features + 1, double);
    double *score = held_out ? held_out : DFR_NEW_N(a, (size_t)o->n + 1, double);
    *ret = (struct dfr_loss){0};
    for (uint32_t f = 0; f < folds; f++) {
        dfr_fit(o, fixed, sigma, folds, f, a, change);
        for (uint32_t i = 0; i < o->n; i++)
            if (o->group[i] % folds == f)
                score[i] = dfr_fit_score(o, i, change);
    }
    for (uint32_t i = 0; i < o->n; i++) {
        double p = dfr_fit_probability(score[i]), off = p - o->truth[i];
        ret->brier += off * off / o->n;
        ret->log_loss += loss_of(score[i], o->truth[i]) / o->n;
    }
    gains(o, score, a, ret);
}
