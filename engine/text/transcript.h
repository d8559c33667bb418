/* Debugger text to facts: WinDbg and kd output as people paste it, one or more crashes per text. */
#ifndef DFR_TEXT_TRANSCRIPT_H
#define DFR_TEXT_TRANSCRIPT_H

#include "base/diag.h"
#include "base/span.h"
#include "facts/store.h"

struct dfr_transcript {
    struct dfr_facts
        *crashes; /* sealed; those with a bug check first, each kind in the order of the text */
    uint32_t n;   /* at least 1 on success */
};

/* Read `bytes`, which must outlive the result. Everything else lives in `a`. What is off with the text goes to
 * `diags` (may be NULL). DFR_NOT_A_CRASH: nothing that a kernel debugger prints is in it.
 * DFR_LIMIT: longer than DFR_LIMIT_TRANSCRIPT_BYTES. */
enum dfr_status dfr_transcript_read(struct dfr_arena *a, struct dfr_str bytes,
                                    struct dfr_diags *diags, struct dfr_transcript *ret,
                                    struct dfr_err *err) __attribute__((warn_unused_result));

/* Could these bytes be text at all? False for dumps, programs and other binary files. */
bool dfr_transcript_looks_like(struct dfr_span bytes);

#endif
