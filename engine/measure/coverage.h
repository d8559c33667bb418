/* Which conditions of which rules were ever true, false or undecided, in tests and in a corpus. */
#ifndef DFR_MEASURE_COVERAGE_H
#define DFR_MEASURE_COVERAGE_H

#include "report/report.h"
#include "vm/eval.h"

enum dfr_condition { DFR_CONDITION_WHEN, DFR_CONDITION_UNLESS, DFR_CONDITION_EVIDENCE };
enum dfr_covered_by { DFR_BY_TESTS, DFR_BY_CORPUS, DFR_BY_COUNT };

/* Why a condition was undecided: a fact that was missing. */
struct dfr_undecided {
    uint32_t field;
    uint8_t reason; /* enum dfr_reason */
    uint32_t n;
};
struct dfr_covered {
    enum dfr_condition kind;
    struct dfr_psource source;
    struct dfr_str text;
    uint32_t n[DFR_BY_COUNT][3]; /* by enum dfr_tri */
    DFR_VEC(struct dfr_undecided) undecided;
};
struct dfr_coverage {
    struct dfr_arena *arena;
    const struct dfr_program *program;
    bool *passed_over; /* by rule: nobody asked for it */
    uint32_t *first;   /* by rule, one more: lines of `v` */
    struct dfr_covered *v;
    uint32_t count;
    uint32_t facts[DFR_BY_COUNT]; /* crashes that were looked at */
};

void dfr_coverage_init(struct dfr_coverage *c, const struct dfr_program *p, struct dfr_arena *a);
/* Result of a run with `only_rule` = rule. */
void dfr_coverage_add(struct dfr_coverage *c, uint32_t rule, const struct dfr_eval *eval,
                      enum dfr_covered_by by);
void dfr_coverage_text(const struct dfr_coverage *c, const struct dfr_report_style *s,
                       struct dfr_buf *out);
void dfr_coverage_json(const struct dfr_coverage *c, bool indent, struct dfr_buf *out);

#endif
