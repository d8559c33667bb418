/* The two halves of dfr_program_verify(): records (verify.c) and code (verify_code.c). */
#ifndef DFR_CODE_VERIFY_H
#define DFR_CODE_VERIFY_H

#include "code/program.h"

/* What was found out about a chunk. */
struct dfr_chunk_facts {
    uint8_t state; /* 0 not seen, 1 being checked, 2 checked */
    uint8_t depth; /* lets, facts and functions inside each other, with itself */
    uint16_t need; /* values on the stack at most, with everything it calls */
};

/* A label that code ahead must reach with this height, in this quantifier. */
struct dfr_pending {
    uint32_t target, height, fold;
};

struct dfr_verifier {
    const struct dfr_program *p;
    struct dfr_err *err;
    struct dfr_chunk_facts *chunks;
    /* Labels ahead, of all chunks being checked, innermost last. */
    DFR_VEC(struct dfr_pending) pending;
};

enum dfr_status dfr_verify_chunk(struct dfr_verifier *v, uint32_t chunk, uint32_t level);
/* Does the (verified) chunk read a let of position `from` or later? */
bool dfr_chunk_reads_let(const struct dfr_program *p, uint32_t chunk, uint32_t from);

#endif
