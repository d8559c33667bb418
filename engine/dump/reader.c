/* What every reader of a dump uses: values with their place, pointers, and structures that stand
 * either in memory or as a copy in the file. */
#include "dump/reader.h"

#include "base/checked.h"

struct dfr_value dfr_dump_value(struct dfr_dump *d, struct dfr_value v, uint64_t begin,
                                uint64_t end, uint64_t va)
{
    v.trust = DFR_TRUST_BINARY;
    v.place = dfr_facts_place(d->facts, (struct dfr_place){begin, end, 0, va});
    return v;
}

void dfr_dump_cell(struct dfr_dump *d, uint32_t column, uint32_t row, struct dfr_value v,
                   uint32_t place)
{
    v.trust = DFR_TRUST_BINARY;
    v.place = place;
    dfr_facts_cell(d->facts, column, row, v);
}

void dfr_dump_put(struct dfr_dump *d, uint32_t field, struct dfr_value v, uint64_t begin,
                  uint64_t end)
{
    (void)dfr_facts_set(d->facts, field, dfr_dump_value(d, v, begin, end, 0));
}

void dfr_dump_put_at(struct dfr_dump *d, uint32_t field, struct dfr_value v, uint32_t place)
{
    v.trust = DFR_TRUST_BINARY;
    v.place = place;
    (void)dfr_facts_set(d->facts, field, v);
}

uint32_t dfr_dump_place(struct dfr_dump *d, uint64_t va, uint64_t len)
{
    uint64_t off = 0, have;
    bool there = dfr_space_at(&d->memory, va, &off, &have);
    return dfr_facts_place(d->facts, (struct dfr_place){off, there ? off + len : off, 0, va});
}

void dfr_dump_put_va(struct dfr_dump *d, uint32_t field, struct dfr_value v, uint64_t va,
                     uint64_t len)
{
    dfr_dump_put_at(d, field, v, dfr_dump_place(d, va, len));
}

void dfr_dump_damaged(struct dfr_dump *d, uint64_t begin, uint64_t end, const char *what)
{
    struct dfr_diag *g = dfr_diags_add(d->diags, DFR_D_DUMP_DAMAGED, "%s", what);
    g->begin = begin;
    g->end = end;
    d->whole = false;
}

uint32_t dfr_dump_pointer_bytes(const struct dfr_dump *d)
{
    return d->file.machine == DFR_MACHINE_X86 ? 4 : 8;
}

bool dfr_dump_is_kernel(const struct dfr_dump *d, uint64_t va)
{
    if (dfr_dump_pointer_bytes(d) == 4)
        return va >= 0x80000000 && va <= UINT32_MAX;
    return va >> 63;
}

bool dfr_dump_pointer(const struct dfr_dump *d, uint64_t va, uint64_t *ret)
{
    const struct dfr_where w = {.va = va};
    return dfr_where_pointer(d, &w, 0, ret);
}

bool dfr_where_known(const struct dfr_where *w)
{
    return w->va || w->off;
}

bool dfr_where_copy(const struct dfr_dump *d, const struct dfr_where *w, uint64_t at, void *buf,
                    size_t len)
{
    uint64_t from;
    if (!dfr_where_known(w) || !dfr_u64_add(w->off ? w->off : w->va, at, &from))
        return false;
    return w->off ? dfr_bytes_copy(d->bytes, from, buf, len)
                  : dfr_space_copy(&d->memory, from, buf, len);
}

bool dfr_where_word(const struct dfr_dump *d, const struct dfr_where *w, uint64_t at, size_t len,
                    uint64_t *ret)
{
    uint8_t b[8] = {0};
    return len <= sizeof b && dfr_where_copy(d, w, at, b, len) &&
           dfr_span_u64le((struct dfr_span){b, sizeof b}, 0, ret);
}

bool dfr_where_pointer(const struct dfr_dump *d, const struct dfr_where *w, uint64_t at,
                       uint64_t *ret)
{
    return dfr_where_word(d, w, at, dfr_dump_pointer_bytes(d), ret);
}

uint32_t dfr_where_place(struct dfr_dump *d, const struct dfr_where *w, uint64_t at, uint64_t len)
{
    if (!w->off)
        return w->va ? dfr_dump_place(d, w->va + at, len) : 0;
    struct dfr_place p = {w->off + at, w->off + at + len, 0, w->va ? w->va + at : 0};
    return dfr_facts_place(d->facts, p);
}

enum dfr_reason dfr_where_why(const struct dfr_dump *d, const struct dfr_where *w, uint64_t at,
                              size_t len)
{
    uint8_t b;
    if (!dfr_where_known(w))
        return DFR_REASON_NOT_IN_DUMP;
    for (size_t i = 0; i < len; i++)
        if (!dfr_where_copy(d, w, at + i, &b, 1))
            return w->off ? DFR_REASON_DAMAGED : dfr_space_why(&d->memory, w->va + at + i);
    return DFR_REASON_NONE;
}

uint64_t dfr_dump_arg(const struct dfr_dump *d, unsigned number)
{
    uint64_t u = 0;
    return dfr_container_field(&d->file, DFR_HEADER_ARG1 + number - 1, &u) ? u : 0;
}

uint32_t dfr_dump_code(const struct dfr_dump *d)
{
    uint64_t u = 0;
    return dfr_container_field(&d->file, DFR_HEADER_CODE, &u) ? dfr_bugcheck_code((uint32_t)u) : 0;
}
