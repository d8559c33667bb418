/* Physical pages of a dump: which were stored, and where in the file each stands.
 *
 * A dump lists them as runs (complete dumps, and those that recent debuggers write) or as a bitmap with
 * one bit a page. Runs become a sorted array; a bitmap is kept with the number of bits set before each
 * block of it, so that either answers without looking at every page. Nothing changes after opening. */
#ifndef DFR_MEMORY_PAGES_H
#define DFR_MEMORY_PAGES_H

#include "base/vec.h"
#include "facts/value.h"
#include "memory/container.h"

enum { DFR_PAGE_SHIFT = 12, DFR_PAGE_BYTES = 1 << DFR_PAGE_SHIFT };

struct dfr_run {
    uint64_t pfn, count; /* pages [pfn, pfn + count) */
    uint64_t off;        /* of the first one in the file */
};

struct dfr_pages {
    struct dfr_bytes *bytes;
    DFR_VEC(struct dfr_run) runs; /* by rising page, without overlap */
    const uint8_t *bitmap;        /* NULL: runs */
    const uint64_t *rank;         /* bits set before each block of the bitmap */
    uint64_t bits;                /* pages that the bitmap speaks of */
    uint64_t first;               /* file offset of the first page */
    uint64_t count;               /* pages that were stored, if the file is whole */
    bool cut;   /* the list breaks off: what it does not hold may have been stored */
    bool whole; /* all that is listed makes sense and lies in the file */
};

/* Read the list of pages behind the header of `c`; what is damaged or missing is told in `diags`
 * (with its place) and by `whole`. False, and no pages at all: this kind of dump stores no physical pages,
 * or its list is not readable. The list lives in `a`. */
bool dfr_pages_open(struct dfr_pages *p, struct dfr_arena *a, const struct dfr_container *c,
                    struct dfr_diags *diags);
/* Where the byte at a physical address stands in the file, and how many follow it in both. NOT_CAPTURED:
 * its page was not stored. DAMAGED: it was, or may have been, but the file ends before it. */
enum dfr_reason dfr_pages_at(const struct dfr_pages *p, uint64_t address, uint64_t *ret_off,
                             uint64_t *ret_len);
/* Copy `len` bytes at a physical address, over as many pages as they take. */
enum dfr_reason dfr_pages_copy(const struct dfr_pages *p, uint64_t address, void *buf, size_t len);

#endif
