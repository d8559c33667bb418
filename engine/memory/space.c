/* Captured memory by address: ranges, then pages. */
#include "memory/space.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* Where pages were found, by their number modulo the slots. */
enum { SLOTS = 256 };

struct dfr_place_cache {
    struct {
        uint64_t page; /* virtual page number + 1; 0: empty */
        uint64_t off;  /* of the page in the file */
    } slots[SLOTS];
};

bool dfr_space_add(struct dfr_space *m, uint64_t va, uint64_t off, uint64_t size)
{
    uint64_t want = size, have = off < m->bytes->size ? m->bytes->size - off : 0;
    if (size > UINT64_MAX - va)
        size = UINT64_MAX - va;
    if (have > size)
        have = size;
    if (size)
        *DFR_PUSH(m->bytes->arena, &m->ranges) =
            (struct dfr_range){.va = va, .end = va + size, .off = off, .stop = va + have};
    return have == want;
}

static int by_address(const void *a, const void *b)
{
    const struct dfr_range *x = a, *y = b;
    if (x->va != y->va)
        return (x->va > y->va) - (x->va < y->va);
    if (x->end != y->end)
        return (x->end > y->end) - (x->end < y->end);
    return (x->off > y->off) - (x->off < y->off);
}

void dfr_space_ready(struct dfr_space *m)
{
    uint64_t reach = 0;
    if (m->ranges.n)
        qsort(m->ranges.v, m->ranges.n, sizeof *m->ranges.v, by_address);
    for (uint32_t i = 0; i < m->ranges.n; i++) {
        if (m->ranges.v[i].end > reach)
            reach = m->ranges.v[i].end;
        m->ranges.v[i].reach = reach;
    }
}

void dfr_space_paging(struct dfr_space *m, const struct dfr_paging *paging)
{
    m->paging = *paging;
    m->pointer_bytes = paging->mode == DFR_PAGING_X86 || paging->mode == DFR_PAGING_PAE ? 4 : 8;
    if (m->bytes->shared)
        m->cache = NULL;
    else if (!m->cache)
        m->cache = DFR_NEW(m->bytes->arena, struct dfr_place_cache);
    else
        memset(m->cache, 0, sizeof *m->cache);
}

struct dfr_space dfr_space_with_root(const struct dfr_space *m, uint64_t root)
{
    struct dfr_space other = *m;
    other.paging.root = root;
    other.cache = NULL;
    return other;
}

/* NOT_CAPTURED: no range holds the address. DAMAGED: one does, but the file ends before it. */
static enum dfr_reason in_ranges(const struct dfr_space *m, uint64_t va, uint64_t *ret_off,
                                 uint64_t *ret_len)
{
    enum { STEPS = 256 }; /* ranges that start lower and end higher: a handful in real dumps */
    enum dfr_reason why = DFR_REASON_NOT_CAPTURED;
    uint32_t from = 0, to = m->ranges.n;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (m->ranges.v[mid].va <= va)
            from = mid + 1;
        else
            to = mid;
    }
    for (uint32_t i = from, steps = 0; i > 0 && steps < STEPS; i--, steps++) {
        const struct dfr_range *r = &m->ranges.v[i - 1];
        if (r->reach <= va)
            break;
        if (va < r->stop) {
            *ret_off = r->off + (va - r->va);
            *ret_len = r->stop - va;
            return DFR_REASON_NONE;
        }
        if (va < r->end)
            why = DFR_REASON_DAMAGED;
    }
    return why;
}

static enum dfr_reason in_pages(const struct dfr_space *m, uint64_t va, uint64_t *ret_off,
                                uint64_t *ret_len)
{
    uint64_t page = va >> DFR_PAGE_SHIFT, in = va % DFR_PAGE_BYTES, off, len;
    struct dfr_place_cache *cache = m->cache; /* once the bytes are shared nobody writes to it */
    if (cache && cache->slots[page % SLOTS].page == page + 1) {
        *ret_off = cache->slots[page % SLOTS].off + in;
        *ret_len = DFR_PAGE_BYTES - in;
        return DFR_REASON_NONE;
    }
    struct dfr_walk w = dfr_translate(&m->paging, va);
    if (w.why != DFR_REASON_NONE)
        return w.why;
    enum dfr_reason why = dfr_pages_at(m->paging.pages, w.physical, &off, &len);
    if (why != DFR_REASON_NONE)
        return why;
    if (cache && !m->bytes->shared && len >= DFR_PAGE_BYTES - in) { /* the whole page is there */
        cache->slots[page % SLOTS].page = page + 1;
        cache->slots[page % SLOTS].off = off - in;
    }
    *ret_off = off;
    *ret_len = len < w.left ? len : w.left;
    return DFR_REASON_NONE;
}

static enum dfr_reason find(const struct dfr_space *m, uint64_t va, uint64_t *ret_off,
                            uint64_t *ret_len)
{
    enum dfr_reason why = in_ranges(m, va, ret_off, ret_len);
    if (why != DFR_REASON_NOT_CAPTURED)
        return why;
    if (m->paging.mode == DFR_PAGING_NONE)
        return m->otherwise == DFR_REASON_NONE ? DFR_REASON_NOT_CAPTURED : m->otherwise;
    return in_pages(m, va, ret_off, ret_len);
}

bool dfr_space_at(const struct dfr_space *m, uint64_t va, uint64_t *ret_off, uint64_t *ret_len)
{
    return find(m, va, ret_off, ret_len) == DFR_REASON_NONE;
}

enum dfr_reason dfr_space_why(const struct dfr_space *m, uint64_t va)
{
    uint64_t off, len;
    return find(m, va, &off, &len);
}

enum dfr_reason dfr_space_why_range(const struct dfr_space *m, uint64_t va, uint64_t len,
                                    uint64_t *ret_va)
{
    while (len) {
        uint64_t off, have;
        enum dfr_reason why = find(m, va, &off, &have);
        if (why != DFR_REASON_NONE) {
            *ret_va = va;
            return why;
        }
        if (have >= len)
            break;
        len -= have;
        va += have;
        if (!va) {
            *ret_va = va;
            return DFR_REASON_NOT_MAPPED;
        }
    }
    return DFR_REASON_NONE;
}

bool dfr_space_copy(const struct dfr_space *m, uint64_t va, void *buf, size_t len)
{
    uint8_t *p = buf;
    while (len) {
        uint64_t off, have;
        if (!dfr_space_at(m, va, &off, &have))
            return false;
        size_t n = have < len ? (size_t)have : len;
        if (!dfr_bytes_copy(m->bytes, off, p, n))
            return false;
        p += n;
        len -= n;
        va += n;
        if (len && !va)
            return false; /* the address space ends here */
    }
    return true;
}

bool dfr_space_span(const struct dfr_space *m, uint64_t va, uint64_t len, struct dfr_span *ret)
{
    uint64_t off, have, bad;
    if (len > DFR_LIMIT_DUMP_SPAN || m->bytes->shared)
        return false;
    if (dfr_space_at(m, va, &off, &have) && have >= len)
        return dfr_bytes_span(m->bytes, off, len, ret);
    if (dfr_space_why_range(m, va, len, &bad) != DFR_REASON_NONE)
        return false;
    uint8_t *p = dfr_arena_raw(m->bytes->arena, (size_t)len);
    if (!dfr_space_copy(m, va, p, (size_t)len))
        return false;
    *ret = (struct dfr_span){p, (size_t)len};
    return true;
}

bool dfr_space_u8(const struct dfr_space *m, uint64_t va, uint8_t *ret)
{
    return dfr_space_copy(m, va, ret, 1);
}

bool dfr_space_u16(const struct dfr_space *m, uint64_t va, uint16_t *ret)
{
    uint8_t b[2];
    return dfr_space_copy(m, va, b, sizeof b) &&
           dfr_span_u16le((struct dfr_span){b, sizeof b}, 0, ret);
}

bool dfr_space_u32(const struct dfr_space *m, uint64_t va, uint32_t *ret)
{
    uint8_t b[4];
    return dfr_space_copy(m, va, b, sizeof b) &&
           dfr_span_u32le((struct dfr_span){b, sizeof b}, 0, ret);
}

bool dfr_space_u64(const struct dfr_space *m, uint64_t va, uint64_t *ret)
{
    uint8_t b[8];
    return dfr_space_copy(m, va, b, sizeof b) &&
           dfr_span_u64le((struct dfr_span){b, sizeof b}, 0, ret);
}

bool dfr_space_ptr(const struct dfr_space *m, uint64_t va, uint64_t *ret)
{
    uint32_t u;
    if (m->pointer_bytes != 4)
        return dfr_space_u64(m, va, ret);
    if (!dfr_space_u32(m, va, &u))
        return false;
    *ret = u;
    return true;
}

enum dfr_reason dfr_space_physical(const struct dfr_space *m, uint64_t address, void *buf,
                                   size_t len)
{
    return m->paging.pages ? dfr_pages_copy(m->paging.pages, address, buf, len)
                           : DFR_REASON_NOT_CAPTURED;
}
