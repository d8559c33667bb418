/* Frames and stacks: stack.c reads frames, stacks.c groups them and decides which stack crashed. */
#ifndef DFR_TEXT_STACK_H
#define DFR_TEXT_STACK_H

#include "text/reader.h"

dfr_section_fn dfr_tx_frame, dfr_tx_log_frame, dfr_tx_call, dfr_tx_stack_warning,
    dfr_tx_stack_heading, dfr_tx_stack_text;

void dfr_tx_stack_open(struct dfr_reader *r, enum dfr_stack_kind kind, uint32_t title);
/* Add a frame to the open stack, or to a new one of `kind` when it does not continue that. */
void dfr_tx_frame_add(struct dfr_reader *r, const struct dfr_frame *f, enum dfr_stack_kind kind);
/* Choose the crashing stack and write the rows of STACK and OTHER_STACKS; `ret_first` is the number of its first
 * frame in c->frames (UINT32_MAX: none) and `ret_count` its length. */
void dfr_tx_stacks_finish(struct dfr_reader *r, struct dfr_crash *c, uint32_t *ret_first,
                          uint32_t *ret_count);
/* Does a word start a remark behind a frame: `<-`, `//`, `<==`, ... */
bool dfr_tx_remark_mark(struct dfr_str s);
bool dfr_tx_is_bugcheck_call(const struct dfr_sym *s);

#endif
