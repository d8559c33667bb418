/* What an input is, from its first bytes: a kernel dump, another image of memory, or neither. */
#ifndef DFR_DUMP_SNIFF_H
#define DFR_DUMP_SNIFF_H

#include "memory/container.h"

enum { DFR_SNIFF_BYTES = 512 }; /* enough to tell */

/* Do these first bytes begin a Windows kernel dump? */
bool dfr_dump_looks_like(struct dfr_span first);
/* What another image of memory or of a process is and what to do with it, for "PATH: ..."; NULL when
 * the bytes begin none. */
const char *dfr_dump_other(struct dfr_span first);
/* DFR_OK when dfr_dump_read() reads this kind of dump. Else DFR_UNSUPPORTED and one line that says
 * what the dump is, what its header tells of the crash, and what to do. */
enum dfr_status dfr_dump_readable(const struct dfr_container *c, struct dfr_err *err)
    __attribute__((warn_unused_result));

#endif
