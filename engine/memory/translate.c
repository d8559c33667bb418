/* Page table walks. Valid entries: documented by the makers of the processors. Entries that are not
 * valid: how Windows uses them, from public structure prints of its symbols and public parsers that
 * agree; ARM64 from one public parser. No real dump with page tables was read. */
#include "memory/translate.h"

enum {
    VALID = 1,
    LARGE = 1 << 7,
    ARM_TABLE = 2,       /* clear on a level above the last: a block */
    SWIZZLED = 1 << 4,   /* the bits of dfr_paging.swizzle mean themselves */
    PROTOTYPE = 1 << 10, /* of entries that are not valid */
    TRANSITION = 1 << 11,
};

struct level {
    uint8_t shift, bits;
    bool may_be_large;
};

/* From the last level to the root. */
static const struct level wide[] = {
    {12, 9, false}, {21, 9, true}, {30, 9, true}, {39, 9, false}, {48, 9, false}};
static const struct level narrow[] = {{12, 10, false}, {22, 10, true}};
static const struct level pae[] = {{12, 9, false}, {21, 9, true}, {30, 2, false}};

static const uint64_t frame64 = UINT64_C(0x000FFFFFFFFFF000); /* bits 12..51 */
static const uint64_t frame48 = UINT64_C(0x0000FFFFFFFFF000); /* bits 12..47 */
static const uint64_t frame32 = UINT64_C(0x00000000FFFFF000);
static const uint64_t frame_soft = UINT64_C(0x0000FFFFFFFFF000); /* of transition entries */
static const uint64_t frame_pae = UINT64_C(0x0000003FFFFFF000);

static bool canonical(const struct dfr_paging *p, uint64_t va)
{
    unsigned bits = p->mode == DFR_PAGING_X64 && p->levels == 5 ? 57 : 48;
    if (p->mode == DFR_PAGING_X86 || p->mode == DFR_PAGING_PAE)
        return va <= UINT32_MAX || va >> 31 == UINT64_MAX >> 31; /* or sign-extended */
    uint64_t top = va >> (bits - 1);
    return top == 0 || top == UINT64_MAX >> (bits - 1);
}

static const struct level *levels_of(const struct dfr_paging *p, unsigned *ret_n,
                                     uint64_t *ret_root)
{
    switch (p->mode) {
    case DFR_PAGING_X64:
        *ret_n = p->levels == 5 ? 5 : 4;
        *ret_root = p->root & frame64;
        return wide;
    case DFR_PAGING_ARM64:
        *ret_n = 4;
        *ret_root = p->root & frame48;
        return wide;
    case DFR_PAGING_X86:
        *ret_n = 2;
        *ret_root = p->root & frame32;
        return narrow;
    case DFR_PAGING_PAE:
        *ret_n = 3;
        *ret_root = p->root & UINT64_C(0xFFFFFFE0);
        return pae;
    case DFR_PAGING_NONE:
        break;
    }
    return NULL;
}

/* Read the entry at `at` into the walk; why not. */
static enum dfr_reason read_entry(const struct dfr_paging *p, struct dfr_walk *w, uint64_t at)
{
    uint8_t b[8] = {0};
    enum dfr_reason why = dfr_pages_copy(p->pages, at, b, p->mode == DFR_PAGING_X86 ? 4 : sizeof b);
    w->at = at;
    w->value = 0;
    w->entry = DFR_ENTRY_NONE;
    if (why == DFR_REASON_NONE)
        (void)dfr_span_u64le((struct dfr_span){b, sizeof b}, 0, &w->value);
    return why == DFR_REASON_NOT_CAPTURED ? DFR_REASON_NO_PAGE_TABLE : why;
}

static uint64_t unswizzled(const struct dfr_paging *p, uint64_t entry)
{
    return entry & SWIZZLED ? entry : entry & ~p->swizzle;
}

/* The page that a transition entry leads to: Windows keeps flags of its own above it. */
static uint64_t transition_frame(const struct dfr_paging *p, uint64_t entry)
{
    switch (p->mode) {
    case DFR_PAGING_X86:
        return entry & frame32;
    case DFR_PAGING_PAE:
        return entry & frame_pae;
    default:
        return unswizzled(p, entry) & frame_soft;
    }
}

/* Since Windows 11 22H2 an entry may be the bare address of the section that a page belongs to. One
 * public parser; nothing else that is not valid has all of the highest bits set. */
static bool is_section(const struct dfr_paging *p, uint64_t entry)
{
    enum { SINCE = 22621 };
    const uint64_t mask = UINT64_C(0xFFFF80000000000F);
    return (p->mode == DFR_PAGING_X64 || p->mode == DFR_PAGING_ARM64) &&
           (!p->build || p->build >= SINCE) && (entry & mask) == (mask & ~UINT64_C(15));
}

/* An entry that is neither valid, nor in transition, nor a prototype: where the contents are. */
static enum dfr_reason not_resident(const struct dfr_paging *p, struct dfr_walk *w)
{
    enum { LATER = 17134, PROTECTION = 31 << 5, DECOMMIT = 0x10 << 5 };
    bool small = p->mode == DFR_PAGING_X86;
    uint64_t e = w->value, page = small ? e >> 12 : unswizzled(p, e) >> 32;
    if (!e) {
        w->entry = DFR_ENTRY_ZERO;
        return DFR_REASON_NOT_MAPPED;
    }
    if (!page && (e & PROTECTION) == DECOMMIT) {
        w->entry = DFR_ENTRY_DECOMMITTED;
        return DFR_REASON_NOT_MAPPED;
    }
    if (!page) {
        w->entry = DFR_ENTRY_DEMAND;
        return DFR_REASON_NEVER_TOUCHED;
    }
    w->entry = DFR_ENTRY_PAGE_FILE;
    w->page_file = (uint32_t)(e >> (!small && p->build >= LATER ? 12 : 1)) & 15;
    w->page_file_page = page;
    return DFR_REASON_PAGED_OUT;
}

/* Is the last entry in transition? Then set where its page is. */
static bool in_transition(const struct dfr_paging *p, const struct dfr_walk *w, uint64_t *ret)
{
    if ((w->value & (VALID | PROTOTYPE | TRANSITION)) != TRANSITION)
        return false;
    *ret = transition_frame(p, w->value);
    return true;
}

static enum dfr_reason found(struct dfr_walk *w, enum dfr_entry entry, uint64_t frame,
                             unsigned shift, uint64_t va)
{
    uint64_t mask = (UINT64_C(1) << shift) - 1;
    w->entry = entry;
    w->physical = (frame & ~mask) | (va & mask);
    w->left = mask + 1 - (va & mask);
    return DFR_REASON_NONE;
}

/* The frame of a valid entry that maps a page on `level` (0: the last one). */
static uint64_t valid_frame(const struct dfr_paging *p, uint64_t entry, unsigned level)
{
    if (p->mode == DFR_PAGING_X86) {
        uint64_t high = level ? (entry >> 13 & 0xFF) << 32 : 0; /* PSE-36 */
        return (entry & frame32 & ~(level ? UINT64_C(0x3FFFFF) : 0)) | high;
    }
    return entry & (p->mode == DFR_PAGING_ARM64 ? frame48 : frame64);
}

/* Address of the prototype entry that an entry in the last table names; false when it names none that
 * could be one. Without PAE the address cannot be told from the entry alone. */
static bool prototype_at(const struct dfr_paging *p, uint64_t entry, uint64_t *ret)
{
    const uint64_t high = UINT64_C(1) << 63;
    switch (p->mode) {
    case DFR_PAGING_X64:
    case DFR_PAGING_ARM64:
        *ret = entry >> 16 | UINT64_C(0xFFFF) << 48;
        return (entry & (high | UINT64_C(0x70000))) == high;
    case DFR_PAGING_PAE:
        *ret = entry >> 32;
        return (entry & (high | UINT64_C(7) << 32)) == high;
    case DFR_PAGING_NONE:
    case DFR_PAGING_X86:
        break;
    }
    return false;
}

/* Walk down to the entry of the last level, or to one before it that ends the walk. */
static enum dfr_reason walk(const struct dfr_paging *p, uint64_t va, struct dfr_walk *w)
{
    unsigned n = 0;
    uint64_t table = 0, stride = p->mode == DFR_PAGING_X86 ? 4 : 8;
    const struct level *levels = levels_of(p, &n, &table);
    *w = (struct dfr_walk){.level = (uint8_t)n};
    if (!levels)
        return DFR_REASON_NO_PAGE_TABLE;
    if (!canonical(p, va))
        return DFR_REASON_NOT_MAPPED;
    for (unsigned i = n; i-- > 0;) {
        uint64_t index = va >> levels[i].shift & ((UINT64_C(1) << levels[i].bits) - 1), frame;
        w->level = (uint8_t)(i + 1);
        enum dfr_reason why = read_entry(p, w, table + index * stride);
        if (why != DFR_REASON_NONE)
            return why;
        if (w->value & VALID) {
            bool arm = p->mode == DFR_PAGING_ARM64;
            bool large = arm ? !(w->value & ARM_TABLE) : i && (w->value & LARGE);
            if (large && !levels[i].may_be_large) {
                w->entry = DFR_ENTRY_BAD;
                return DFR_REASON_DAMAGED;
            }
            if (large || !i)
                return found(w, large ? DFR_ENTRY_LARGE : DFR_ENTRY_VALID,
                             valid_frame(p, w->value, i), levels[i].shift, va);
            table = valid_frame(p, w->value, 0);
        } else if (!i && is_section(p, w->value)) {
            w->entry = DFR_ENTRY_FILE;
            return DFR_REASON_PAGED_OUT;
        } else if (in_transition(p, w, &frame)) {
            if (!i)
                return found(w, DFR_ENTRY_TRANSITION, frame, DFR_PAGE_SHIFT, va);
            table = frame;
        } else if (w->value & PROTOTYPE) {
            w->entry = i ? DFR_ENTRY_BAD : DFR_ENTRY_SHARED;
            return i ? DFR_REASON_DAMAGED : DFR_REASON_NOT_READ;
        } else {
            return not_resident(p, w);
        }
    }
    return DFR_REASON_DAMAGED;
}

/* A shared page: the prototype entry that stands for it in kernel memory. */
static enum dfr_reason through_prototype(const struct dfr_paging *p, uint64_t va,
                                         struct dfr_walk *w)
{
    uint64_t at, frame;
    if (!prototype_at(p, w->value, &at))
        return DFR_REASON_NOT_READ;
    struct dfr_walk shared = *w;
    enum dfr_reason why = walk(p, at, w);
    if (why == DFR_REASON_NOT_MAPPED || why == DFR_REASON_NEVER_TOUCHED) {
        *w = shared; /* a mark that stands for none: the process's descriptors know */
        return DFR_REASON_NOT_READ;
    }
    w->prototype = true;
    if (why != DFR_REASON_NONE)
        return why;
    why = read_entry(p, w, w->physical);
    w->level = 1;
    if (why != DFR_REASON_NONE)
        return why;
    if (w->value & VALID)
        return found(w, DFR_ENTRY_VALID, valid_frame(p, w->value, 0), DFR_PAGE_SHIFT, va);
    if (!is_section(p, w->value) && in_transition(p, w, &frame))
        return found(w, DFR_ENTRY_TRANSITION, frame, DFR_PAGE_SHIFT, va);
    if (is_section(p, w->value) || w->value & PROTOTYPE) { /* here it names the section of a file */
        w->entry = DFR_ENTRY_FILE;
        return DFR_REASON_PAGED_OUT;
    }
    return not_resident(p, w);
}

struct dfr_walk dfr_translate(const struct dfr_paging *p, uint64_t va)
{
    struct dfr_walk w;
    enum dfr_reason why = walk(p, va, &w);
    if (w.entry == DFR_ENTRY_SHARED)
        why = through_prototype(p, va, &w);
    w.why = why;
    return w;
}
