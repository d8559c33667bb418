/* Weights of rules fitted to labelled cases, pulled towards what their authors wrote, judged on cases
 * that the fit has not seen. What comes out is an override file; rules are never touched. */
#ifndef DFR_MEASURE_CALIBRATE_H
#define DFR_MEASURE_CALIBRATE_H

#include "measure/fit.h"
#include "measure/measure.h"

enum {
    DFR_CALIBRATE_CASES = 20, /* fewer say nothing */
    DFR_CALIBRATE_SEEN = 5,   /* cases in which a weight must have counted before it may move */
    DFR_CALIBRATE_FOLDS = 5,
    DFR_CALIBRATE_SIGMAS = 4, /* how far weights may stray, the author's own first */
    DFR_CALIBRATE_WORDS = 5,  /* none .. near-certain */
};

/* Observations as they are gathered, case by case. */
struct dfr_gathered {
    struct dfr_arena *arena;
    const struct dfr_program *program;
    DFR_VEC(double) score;
    DFR_VEC(bool) truth;
    DFR_VEC(uint32_t) group;
    DFR_VEC(uint32_t) first;
    DFR_VEC(uint32_t) feature;
    uint32_t cases;
};

void dfr_gather_init(struct dfr_gathered *g, const struct dfr_program *p, struct dfr_arena *a);
/* Every cause of the answer that the label can judge. Weak labels teach nothing. */
void dfr_gather_add(struct dfr_gathered *g, const struct dfr_label *label,
                    const struct dfr_ranking *r);

/* A weight or a prior that would move. */
struct dfr_move {
    uint32_t rule; /* DFR_NONE: the prior of `cause` */
    uint32_t cause;
    uint32_t evidence;                                /* of the program */
    int32_t from_true, from_false, to_true, to_false; /* of a prior: from_true and to_true */
};

struct dfr_reliability {
    uint32_t n, truths;
    double predicted; /* sum of probabilities */
};

struct dfr_calibration {
    struct dfr_str labels;
    uint32_t cases, observations, truths, movable, folds;
    double sigma[DFR_CALIBRATE_SIGMAS];
    struct dfr_loss loss[DFR_CALIBRATE_SIGMAS]; /* held out */
    uint32_t chosen;  /* 0: the author's own weights are best, or nothing can be said */
    const char *thin; /* why nothing moves; NULL: something does */
    struct dfr_reliability before[DFR_CALIBRATE_WORDS], after[DFR_CALIBRATE_WORDS];
    DFR_VEC(struct dfr_move) moves;
};

void dfr_calibrate(const struct dfr_gathered *g, struct dfr_calibration *ret);
void dfr_calibration_text(const struct dfr_calibration *c, const struct dfr_program *p,
                          const struct dfr_report_style *s, struct dfr_buf *out);
void dfr_calibration_json(const struct dfr_calibration *c, const struct dfr_program *p, bool indent,
                          struct dfr_buf *out);
/* The override file, in the language of the rules. */
void dfr_calibration_overrides(const struct dfr_calibration *c, const struct dfr_program *p,
                               struct dfr_buf *out);
/* The label of a line of evidence as its author wrote it; empty without one. */
struct dfr_str dfr_calibration_label(const struct dfr_program *p, uint32_t evidence,
                                     struct dfr_arena *a);

#endif
