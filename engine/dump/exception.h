/* What the parameters of a bug check say of an exception. Inside the dump layer only. */
#ifndef DFR_DUMP_EXCEPTION_H
#define DFR_DUMP_EXCEPTION_H

#include "dump/reader.h"

/* Addresses, 0: the parameters say nothing of it. */
struct dfr_exception {
    uint64_t record, context, frame;
    uint64_t ip;   /* where it happened */
    uint32_t code; /* NTSTATUS */
};
struct dfr_exception dfr_dump_exception(const struct dfr_dump *d);
/* The exception record: what it wanted and where, and where it stands: where a parameter points, or
 * on the crashing stack. */
void dfr_exception_put(struct dfr_dump *d, const struct dfr_exception *e);

#endif
