/* Virtual to physical addresses, by the page tables that a dump holds: x64 with 4 or 5 levels, x86 with
 * and without PAE, ARM64 with pages of 4 KiB. Also what the tables say of pages that are in no table:
 * in transition, shared, paged out, never touched. Reads nothing but physical pages. */
#ifndef DFR_MEMORY_TRANSLATE_H
#define DFR_MEMORY_TRANSLATE_H

#include "memory/pages.h"

enum dfr_paging_mode {
    DFR_PAGING_NONE, /* no page tables are known */
    DFR_PAGING_X64,
    DFR_PAGING_ARM64,
    DFR_PAGING_X86,
    DFR_PAGING_PAE,
};

struct dfr_paging {
    const struct dfr_pages *pages;
    uint64_t root; /* physical address of the root table, with or without its low bits */
    enum dfr_paging_mode mode;
    uint8_t levels; /* of x64: 4, or 5 where bit 12 of Cr4 is set; 0: 4 */
    /* Bits that the kernel sets in entries that are not valid, so that processors with the L1TF flaw
     * do not follow them; 0: none. The debugger data block says which; a wrong guess harms nobody
     * whose memory ends below them. */
    uint64_t swizzle;
    uint32_t
        build; /* where a page file's number stands in an entry changed with 17134; 0: unknown */
};

/* What the last entry of a walk was. */
enum dfr_entry {
    DFR_ENTRY_NONE,       /* there was none: not canonical, or a table is missing */
    DFR_ENTRY_VALID,      /* a page of 4 KiB */
    DFR_ENTRY_LARGE,      /* a larger one */
    DFR_ENTRY_TRANSITION, /* not valid, but the page is still in memory */
    DFR_ENTRY_ZERO,       /* empty */
    DFR_ENTRY_DECOMMITTED,
    DFR_ENTRY_DEMAND,    /* a page of zeros on the first touch */
    DFR_ENTRY_PAGE_FILE, /* `page_file` and `page_file_page` say where */
    DFR_ENTRY_FILE,      /* in a mapped file, not in memory */
    DFR_ENTRY_SHARED,    /* only the process's address descriptors lead to it */
    DFR_ENTRY_BAD,       /* no entry of that level looks like this */
};

struct dfr_walk {
    enum dfr_reason why;  /* NONE: `physical` is the answer */
    enum dfr_entry entry; /* the last one that was read, */
    uint8_t level;        /* on which level (1: page table), */
    bool prototype;       /* behind a prototype entry, */
    uint64_t value, at;   /* what it holds, and its physical address */
    uint64_t physical;
    uint64_t left; /* bytes from there to the end of the page */
    uint32_t page_file;
    uint64_t page_file_page;
};

/* Follow the page tables to `va`. The page it leads to need not have been captured. At most six tables
 * are read, twelve where one entry leads to a prototype. */
struct dfr_walk dfr_translate(const struct dfr_paging *p, uint64_t va);

#endif
