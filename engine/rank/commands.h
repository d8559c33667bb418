/* Inside rank/: the command that shows a missing fact. */
#ifndef DFR_RANK_COMMANDS_H
#define DFR_RANK_COMMANDS_H

#include "base/buf.h"
#include "vm/eval.h"

struct dfr_command {
    struct dfr_str text;
    uint32_t cost;
    bool known; /* a debugger command; else words for what would help */
};

/* False when nothing would show it. */
bool dfr_command_of(const struct dfr_eval *e, uint32_t missing, struct dfr_arena *a,
                    struct dfr_command *ret);
/* Is every part (between `;`) of `command` done by `whole`? */
bool dfr_command_covers(struct dfr_str whole, struct dfr_str command);
/* What is missing, in words: "low end of the thread's kernel stack". */
void dfr_command_shows(const struct dfr_eval *e, uint32_t missing, struct dfr_buf *out);

#endif
