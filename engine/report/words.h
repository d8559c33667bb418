/* Inside report/: what text and JSON say alike. */
#ifndef DFR_REPORT_WORDS_H
#define DFR_REPORT_WORDS_H

#include "report/report.h"

static inline struct dfr_str dfr_report_ptext(const struct dfr_eval *e, struct dfr_ptext t)
{
    return dfr_program_text(e->program, t);
}

/* Display name of any subject: a module as above, else as the value reads; empty without one. */
struct dfr_str dfr_report_subject(const struct dfr_eval *e, const struct dfr_tv *subject,
                                  struct dfr_arena *a);
/* The culprit as a name, and empty when there is none. */
struct dfr_str dfr_report_culprit(const struct dfr_ranking *r, struct dfr_arena *a);
/* Title of a cause with its subject: "Outdated driver contributes (iaStor.sys)". */
struct dfr_str dfr_report_cause(const struct dfr_eval *e, const struct dfr_ranked_cause *c,
                                struct dfr_arena *a);
/* "strong, not settled". */
struct dfr_str dfr_report_strength(const struct dfr_ranked_cause *c, struct dfr_arena *a);
/* One line: what comes first, or that nothing is sure. */
struct dfr_str dfr_report_headline(const struct dfr_ranking *r, struct dfr_arena *a);
/* Text that a maker of boards never filled in, such as "Default string": it tells nothing. */
bool dfr_report_is_filler(const struct dfr_value *v);
const char *dfr_report_cost(uint32_t cost);

/* What decided something, the most telling cell first. `when_origin` holds cells that the rule's
 * condition rests on: they say least about a single line of evidence. */
uint32_t dfr_report_places(const struct dfr_eval *e, uint32_t origin, uint32_t when_origin,
                           uint32_t *ret, uint32_t most);
/* Label, trust and weight of a scored item. */
struct dfr_str dfr_report_label(const struct dfr_eval *e, const struct dfr_scored_item *item);
uint32_t dfr_report_origin(const struct dfr_eval *e, const struct dfr_scored_item *item);
bool dfr_report_is_note(const struct dfr_eval *e, const struct dfr_scored_item *item);
/* "thread.stack_limit", "modules.built: iaStor". */
void dfr_report_missing(const struct dfr_eval *e, uint32_t missing, struct dfr_buf *out);
/* Known notes of all rules that fired, each once, as indexes of hit and item. */
struct dfr_noted {
    uint32_t hit, item;
};
uint32_t dfr_report_notes(const struct dfr_eval *e, struct dfr_arena *a, struct dfr_noted **ret);
/* `dump.kind`, or what the input says of itself. */
struct dfr_str dfr_report_kind(const struct dfr_facts *f, const struct dfr_report_input *input);
struct dfr_str dfr_report_bugcheck_name(const struct dfr_facts *f);

#endif
