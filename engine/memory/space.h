/* The virtual memory that a small dump captured: ranges of addresses and where they stand in the
 * file. Ranges may overlap; what lies in none was not captured. */
#ifndef DFR_MEMORY_SPACE_H
#define DFR_MEMORY_SPACE_H

#include "base/vec.h"
#include "facts/value.h"
#include "memory/bytes.h"

struct dfr_range {
    uint64_t va, end; /* addresses [va, end) */
    uint64_t off;     /* of `va` in the file */
    uint64_t reach;   /* highest end of this and all ranges before it, once sorted */
};

struct dfr_space {
    struct dfr_bytes *bytes;
    DFR_VEC(struct dfr_range) ranges;
};

/* Add a range; what lies behind the end of the file or wraps round is cut off. False when anything
 * had to be cut. */
bool dfr_space_add(struct dfr_space *m, uint64_t va, uint64_t off, uint64_t size);
/* Sort; once, after the last range and before the first read. */
void dfr_space_ready(struct dfr_space *m);
/* File offset of an address and the captured bytes from there on; false when it was not captured. */
bool dfr_space_at(const struct dfr_space *m, uint64_t va, uint64_t *ret_off, uint64_t *ret_len);
/* Why the byte at `va` cannot be read; NONE when it can. */
enum dfr_reason dfr_space_why(const struct dfr_space *m, uint64_t va);
/* Copy `len` bytes at `va`, also across neighbouring ranges; false when any was not captured. */
bool dfr_space_copy(const struct dfr_space *m, uint64_t va, void *buf, size_t len);
bool dfr_space_u8(const struct dfr_space *m, uint64_t va, uint8_t *ret);
bool dfr_space_u32(const struct dfr_space *m, uint64_t va, uint32_t *ret);
bool dfr_space_u64(const struct dfr_space *m, uint64_t va, uint64_t *ret);

#endif
