/* The virtual memory that a dump captured, whatever its kind: ranges of addresses (small dumps), pages
 * behind page tables (all others), or both. What stands at an address, or why nobody can tell.
 *
 * Reading changes nothing but windows and a cache, and not even those once the bytes are shared
 * (dfr_bytes_share): from then on any number of threads may read. */
#ifndef DFR_MEMORY_SPACE_H
#define DFR_MEMORY_SPACE_H

#include "base/vec.h"
#include "facts/value.h"
#include "memory/bytes.h"
#include "memory/translate.h"

struct dfr_range {
    uint64_t va, end; /* addresses [va, end) */
    uint64_t off;     /* of `va` in the file */
    uint64_t stop;    /* the file ends there; `end` when it holds all of the range */
    uint64_t reach;   /* highest end of this and all ranges before it, once sorted */
};

struct dfr_space {
    struct dfr_bytes *bytes;
    DFR_VEC(struct dfr_range) ranges; /* may overlap; they come before pages */
    struct dfr_paging paging;         /* mode NONE: there are only ranges */
    struct dfr_place_cache *cache;    /* of pages that were found; NULL: none */
    enum dfr_reason otherwise;        /* why what is nowhere is not there; NONE: NOT_CAPTURED */
    uint8_t pointer_bytes;            /* 4; else 8 */
};

/* Add a range; what lies behind the end of the file is damaged, what wraps round is cut off. False
 * when there was any of either. */
bool dfr_space_add(struct dfr_space *m, uint64_t va, uint64_t off, uint64_t size);
/* Sort; once, after the last range and before the first read. */
void dfr_space_ready(struct dfr_space *m);
/* Read pages through page tables. Also forgets what was found with other ones. */
void dfr_space_paging(struct dfr_space *m, const struct dfr_paging *paging);
/* The same memory as another root table shows it, such as that of another process. Cheap; lives as
 * long as `m`. */
struct dfr_space dfr_space_with_root(const struct dfr_space *m, uint64_t root);

/* File offset of an address and the captured bytes from there on that follow each other in the file
 * (often the rest of a page, so that more may follow elsewhere); false when it was not captured. */
bool dfr_space_at(const struct dfr_space *m, uint64_t va, uint64_t *ret_off, uint64_t *ret_len);
/* Why the byte at `va` cannot be read; NONE when it can. */
enum dfr_reason dfr_space_why(const struct dfr_space *m, uint64_t va);
/* Why any of `len` bytes at `va` cannot be read, and the address of the first such one. */
enum dfr_reason dfr_space_why_range(const struct dfr_space *m, uint64_t va, uint64_t len,
                                    uint64_t *ret_va);
/* Copy `len` bytes at `va`, also across neighbouring ranges and pages; false when any was not
 * captured. */
bool dfr_space_copy(const struct dfr_space *m, uint64_t va, void *buf, size_t len);
/* The bytes at `va` in memory of the arena of `bytes`, at most DFR_LIMIT_DUMP_SPAN; false as above. Not
 * once the bytes are shared. */
bool dfr_space_span(const struct dfr_space *m, uint64_t va, uint64_t len, struct dfr_span *ret);
bool dfr_space_u8(const struct dfr_space *m, uint64_t va, uint8_t *ret);
bool dfr_space_u16(const struct dfr_space *m, uint64_t va, uint16_t *ret);
bool dfr_space_u32(const struct dfr_space *m, uint64_t va, uint32_t *ret);
bool dfr_space_u64(const struct dfr_space *m, uint64_t va, uint64_t *ret);
/* A pointer of the crashed system: 4 or 8 bytes. Of 32 bits it is not sign-extended. */
bool dfr_space_ptr(const struct dfr_space *m, uint64_t va, uint64_t *ret);
/* Copy bytes at a physical address; NOT_CAPTURED too where a dump stores no physical pages. */
enum dfr_reason dfr_space_physical(const struct dfr_space *m, uint64_t address, void *buf,
                                   size_t len);

#endif
