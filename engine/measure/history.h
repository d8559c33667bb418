/* Several crashes of one machine: what they have in common, as facts that rules can ask for.
 *
 * Each crash is checked by itself first. What came of it becomes a row of `history`: of every other
 * crash, and of a store that speaks of the machine alone. There everything about a single crash is
 * absent, so that only rules about the machine have something to say. */
#ifndef DFR_MEASURE_HISTORY_H
#define DFR_MEASURE_HISTORY_H

#include "measure/measure.h"

/* A crash that was checked by itself. */
struct dfr_past {
    struct dfr_str path;
    uint32_t crash, crash_count; /* which one of its input */
    const struct dfr_facts *facts;
    struct dfr_case answer; /* without a label */
    bool lead_is_class;     /* `answer.lead` is a class such as hw.memory */
    uint32_t same_as;       /* the same crash stands there already; DFR_NONE */
    struct dfr_eval eval;   /* once more, now with the others' history */
    struct dfr_ranking ranking;
};

struct dfr_history {
    struct dfr_past *v;
    uint32_t n, counted; /* counted: without doubles */
    uint32_t codes, suspects;
    struct dfr_str common; /* module that the most suspect; empty: none is suspected twice */
    uint32_t common_count;
    bool differ; /* they come from at least two machines */
};

/* Fill `answer` from a ranking of the crash by itself. */
void dfr_past_judge(struct dfr_past *p, const struct dfr_ranking *r, struct dfr_arena *a);
/* Doubles, counts and what is common. */
void dfr_history_sum(struct dfr_history *h);
/* Facts of crash `i` with the others as its history. */
void dfr_history_of(const struct dfr_history *h, uint32_t i, struct dfr_arena *a,
                    struct dfr_facts *ret);
/* Facts of the machine. */
void dfr_history_machine(const struct dfr_history *h, struct dfr_arena *a, struct dfr_facts *ret);

/* `machine`: the ranking over dfr_history_machine(). JSON: docs/schema/together.schema.json. */
void dfr_history_text(const struct dfr_history *h, const struct dfr_ranking *machine,
                      const struct dfr_report_style *s, struct dfr_buf *out);
void dfr_history_json(const struct dfr_history *h, const struct dfr_report *machine, bool indent,
                      struct dfr_buf *out);

#endif
