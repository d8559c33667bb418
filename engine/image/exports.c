/* The export directory. Source: the PE format as documented. */
#include "image/exports.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/vec.h"

enum {
    FUNCTION_COUNT = 20,
    NAME_COUNT = 24,
    FUNCTIONS = 28,
    NAMES = 32,
    ORDINALS = 36,
    BYTES = 40
};

static int by_place(const void *x, const void *y)
{
    const struct dfr_export *a = x, *b = y;
    bool there = a->forward.len > 0, there_too = b->forward.len > 0;
    if (there != there_too)
        return there - there_too;
    if (a->rva != b->rva)
        return (a->rva > b->rva) - (a->rva < b->rva);
    return dfr_str_cmp(b->name, a->name); /* of several names the first stands last: it is found */
}

static bool element(uint32_t table, uint64_t i, uint32_t size, uint32_t *ret)
{
    uint64_t at = table + i * size;
    *ret = (uint32_t)at;
    return at <= UINT32_MAX;
}

/* Name `i`: its text, and through its ordinal its address. False: it makes no sense. */
static bool read_name(const struct dfr_pe *pe, struct dfr_arena *a, const uint32_t *dir, uint32_t i,
                      struct dfr_export *ret)
{
    uint32_t at, name = 0;
    uint16_t ordinal = 0;
    if (!element(dir[2], i, 4, &at) || !dfr_pe_u32(pe, at, &name) || !element(dir[3], i, 2, &at) ||
        !dfr_pe_u16(pe, at, &ordinal) || ordinal >= dir[0] || !element(dir[1], ordinal, 4, &at) ||
        !dfr_pe_u32(pe, at, &ret->rva) || !ret->rva)
        return false;
    ret->name = dfr_pe_string(pe, a, name, DFR_LIMIT_PE_NAME_BYTES);
    uint32_t from = pe->dirs[DFR_PE_EXPORT].rva, size = pe->dirs[DFR_PE_EXPORT].size;
    if (ret->rva >= from && ret->rva - from < size)
        ret->forward = dfr_pe_string(pe, a, ret->rva, DFR_LIMIT_PE_NAME_BYTES);
    return ret->name.len > 0;
}

enum dfr_reason dfr_exports_read(struct dfr_exports *ret, struct dfr_arena *a,
                                 const struct dfr_pe *pe)
{
    static const uint8_t fields[] = {FUNCTION_COUNT, FUNCTIONS, NAMES, ORDINALS, NAME_COUNT};
    uint32_t dir[5], at = pe->dirs[DFR_PE_EXPORT].rva;
    *ret = (struct dfr_exports){.pe = pe};
    if (!at || pe->dirs[DFR_PE_EXPORT].size < BYTES)
        return DFR_REASON_NONE;
    for (size_t i = 0; i < sizeof fields; i++)
        if (at > UINT32_MAX - BYTES || !dfr_pe_u32(pe, at + fields[i], &dir[i])) {
            enum dfr_reason why = dfr_pe_why(pe, at);
            return why ? why : DFR_REASON_DAMAGED;
        }
    if (dir[0] > DFR_LIMIT_EXPORTS || dir[4] > DFR_LIMIT_EXPORTS || dir[4] > pe->size / 6)
        return DFR_REASON_DAMAGED;
    DFR_VEC(struct dfr_export) list = {0};
    for (uint32_t i = 0; i < dir[4]; i++) {
        struct dfr_export e = {0};
        if (read_name(pe, a, dir, i, &e))
            *DFR_PUSH(a, &list) = e;
    }
    /* With gaps (pages that were not captured) the nearest name would be a wrong one. */
    if (list.n < dir[4]) {
        enum dfr_reason why = dfr_pe_why(pe, dir[2]);
        return why ? why : DFR_REASON_NOT_CAPTURED;
    }
    if (list.n)
        qsort(list.v, list.n, sizeof *list.v, by_place);
    ret->v = list.v;
    ret->n = list.n;
    while (ret->here < ret->n && !ret->v[ret->here].forward.len)
        ret->here++;
    return DFR_REASON_NONE;
}

const struct dfr_export *dfr_exports_at(const struct dfr_exports *e, uint32_t rva)
{
    uint32_t from = 0, to = e->here;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (e->v[mid].rva <= rva)
            from = mid + 1;
        else
            to = mid;
    }
    const struct dfr_pe_section *s = from ? dfr_pe_section_at(e->pe, rva) : NULL;
    return s && e->v[from - 1].rva >= s->rva ? &e->v[from - 1] : NULL;
}

const struct dfr_export *dfr_exports_named(const struct dfr_exports *e, struct dfr_str name)
{
    for (uint32_t i = 0; i < e->n; i++)
        if (dfr_str_eq(e->v[i].name, name))
            return &e->v[i];
    return NULL;
}
