/* Weights from labelled data: a logistic regression whose starting point, and the point that it is
 * pulled back to, is what the authors of the rules wrote.
 *
 * Scores are decibans: a score S means odds of 10^(S/10). An observation is a cause that some answer
 * holds, with the author's score and whether the cause was true. A feature is something that added to
 * the score (a line of evidence, a prior); fitting finds by how many decibans it should have added
 * more or less. The penalty is that of a normal prior around the author's weight with standard
 * deviation `sigma` decibans; sigma 0 leaves everything as it is. Plain numbers in, plain numbers out,
 * in a fixed order: the same data always give the same result. */
#ifndef DFR_MEASURE_FIT_H
#define DFR_MEASURE_FIT_H

#include "base/arena.h"

struct dfr_observations {
    uint32_t n, features;
    double *score; /* decibans, the author's */
    bool *truth;
    uint32_t *group; /* observations of one case stay together */
    uint32_t *first; /* n + 1: features of i are feature[first[i]] .. feature[first[i + 1] - 1] */
    uint32_t *feature;
};

double dfr_fit_probability(double decibans);
/* Fit on the observations whose group is not `without` modulo `folds` (folds 0: on all). Features with
 * `fixed` stay at 0. `ret` holds one change, in decibans, for each feature. */
void dfr_fit(const struct dfr_observations *o, const bool *fixed, double sigma, uint32_t folds,
             uint32_t without, struct dfr_arena *a, double *ret);
/* The score of observation i with these changes. */
double dfr_fit_score(const struct dfr_observations *o, uint32_t i, const double *change);

struct dfr_loss {
    double brier, log_loss; /* means over observations */
    double gain,
        gain_error; /* mean fall of the log loss for a group, against no change; standard error */
};
/* Every observation scored by a fit that has not seen its fold. `held_out` (may be NULL) receives the
 * scores. */
void dfr_fit_validate(const struct dfr_observations *o, const bool *fixed, double sigma,
                      uint32_t folds, struct dfr_arena *a, double *held_out, struct dfr_loss *ret);

#endif
