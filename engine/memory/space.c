/* Captured ranges by address. */
#include "memory/space.h"

#include <stdlib.h>

bool dfr_space_add(struct dfr_space *m, uint64_t va, uint64_t off, uint64_t size)
{
    uint64_t want = size;
    if (off > m->bytes->size)
        return false;
    if (size > m->bytes->size - off)
        size = m->bytes->size - off;
    if (size > UINT64_MAX - va)
        size = UINT64_MAX - va;
    if (size)
        *DFR_PUSH(m->bytes->arena, &m->ranges) = (struct dfr_range){va, va + size, off, 0};
    return size == want;
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

bool dfr_space_at(const struct dfr_space *m, uint64_t va, uint64_t *ret_off, uint64_t *ret_len)
{
    enum { STEPS = 256 }; /* ranges that start lower and end higher: a handful in real dumps */
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
            return false;
        if (va < r->end) {
            *ret_off = r->off + (va - r->va);
            *ret_len = r->end - va;
            return true;
        }
    }
    return false;
}

enum dfr_reason dfr_space_why(const struct dfr_space *m, uint64_t va)
{
    uint64_t off, len;
    return dfr_space_at(m, va, &off, &len) ? DFR_REASON_NONE : DFR_REASON_NOT_CAPTURED;
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
        va += n; /* ranges end below the top of the address space, so this does not wrap */
    }
    return true;
}

bool dfr_space_u8(const struct dfr_space *m, uint64_t va, uint8_t *ret)
{
    return dfr_space_copy(m, va, ret, 1);
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
