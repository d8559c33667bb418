/* Inside report/: the parts of the answer as text. */
#ifndef DFR_REPORT_TEXT_H
#define DFR_REPORT_TEXT_H

#include "report/page.h"
#include "report/words.h"

/* What happened, in at most three lines; also for the facts of a crash alone. */
void dfr_text_crash(struct dfr_page *p, const struct dfr_facts *f,
                    const struct dfr_report_input *input);
/* What is most likely, what to do, how sure, what to run next, and why. */
void dfr_text_answer(struct dfr_page *p, const struct dfr_ranking *k);
/* Evidence of each cause that is named, with its places. */
void dfr_text_reasons(struct dfr_page *p, const struct dfr_ranking *r);
/* Notes, waiting rules, what was hidden, diagnostics, other crashes. */
void dfr_text_rest(struct dfr_page *p, const struct dfr_report *r);
/* Facts of a set with their reasons: "thread.stack_limit (the text does not show it)". */
void dfr_text_missing(const struct dfr_eval *e, uint32_t set, uint32_t most, struct dfr_buf *out);
/* A signed weight in six columns. */
struct dfr_str dfr_text_weight(int32_t db, struct dfr_arena *a);

#endif
