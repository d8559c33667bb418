/* The memory of a dump for whoever asks after its facts are sealed: bytes at an address, symbols and
 * members of structures. Symbol files answer first, then what the dump itself tells, then the table of
 * stable structures. Changes nothing, so that threads may share it. */
#include "dump/view.h"

#include "facts/member.h"

/* --- Memory ------------------------------------------------------------------------------------- */

static enum dfr_reason view_read(void *user, uint64_t va, void *buf, size_t len,
                                 struct dfr_place *ret_place)
{
    const struct dfr_dump *d = user;
    uint64_t off = 0, have = 0, at;
    if (dfr_dump_pointer_bytes(d) == 4 && va > UINT32_MAX && va >= UINT64_C(0xFFFFFFFF80000000))
        va &= UINT32_MAX; /* sign-extended, as 64-bit debuggers print addresses of 32-bit systems */
    enum dfr_reason why = DFR_REASON_NOT_MAPPED;
    if (len <= UINT64_MAX - va)
        why = dfr_space_why_range(&d->memory, va, len, &at);
    if (why != DFR_REASON_NONE)
        return why;
    if (!dfr_space_copy(&d->memory, va, buf, len))
        return DFR_REASON_DAMAGED;
    *ret_place = (struct dfr_place){.va = va};
    if (dfr_space_at(&d->memory, va, &off, &have)) {
        ret_place->begin = off;
        ret_place->end = off + (have < len ? have : len);
    }
    return DFR_REASON_NONE;
}

/* --- Symbols ------------------------------------------------------------------------------------ */

/* Variables of the kernel whose addresses the debugger data block holds, 64 bits each. Documented in
 * the SDK. */
static const struct {
    uint16_t at;
    const char *name;
} variables[] = {
#define VARIABLE(at, name) {at, name},
#include "dump/kdbg.def"
#undef VARIABLE
};

static enum dfr_reason view_symbol(void *user, struct dfr_str module, struct dfr_str name,
                                   uint64_t *ret)
{
    const struct dfr_dump *d = user;
    if (d->types && d->types->symbol &&
        d->types->symbol(d->types->user, module, name, ret) == DFR_REASON_NONE)
        return DFR_REASON_NONE;
    if (!dfr_module_is_kernel(module))
        return DFR_REASON_NO_SYMBOLS;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        uint64_t va;
        if (!dfr_str_eq(name, dfr_str_from(variables[i].name)))
            continue;
        if (!dfr_kdbg_u64(d, variables[i].at, &va) || !va)
            return DFR_REASON_NO_SYMBOLS; /* blocks of recent builds leave many of them empty */
        *ret = dfr_dump_pointer_bytes(d) == 4 ? va & UINT32_MAX : va;
        return DFR_REASON_NONE;
    }
    return DFR_REASON_NO_SYMBOLS;
}

/* --- Members ------------------------------------------------------------------------------------ */

static uint32_t arch_of(const struct dfr_dump *d)
{
    const struct dfr_value *v = dfr_facts_scalar(d->facts, DFR_F_DUMP_ARCH);
    return v->state == DFR_KNOWN ? v->as.e.value : (uint32_t)DFR_ARCH_COUNT;
}

/* The offset that the debugger data block holds: 0 there means that it does not. */
static bool kdbg_offset(const struct dfr_dump *d, const struct dfr_member_row *row, uint64_t *ret)
{
    uint16_t low, high = 0;
    if (!dfr_kdbg_u16(d, row->at, &low) ||
        (row->width == 4 && !dfr_kdbg_u16(d, row->at + 2, &high)))
        return false;
    *ret = low | (uint64_t)high << 16;
    return *ret != 0;
}

/* The offset in this build, as the dump's own readers find it. */
static bool block_offset(const struct dfr_dump *d, const struct dfr_member_row *row, uint64_t *ret)
{
    static const struct {
        const char *type, *member;
    } fields[] = {
#define LAYOUT(id, type, member, kdbg, size) [DFR_LAYOUT_##id] = {type, member},
#define LAYOUT_OF(id, machine, size, off)
#include "dump/layout.def"
#undef LAYOUT
#undef LAYOUT_OF
    };
    uint32_t at;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (dfr_str_eq(dfr_str_from(fields[i].type), dfr_str_from(row->type)) &&
            dfr_str_eq(dfr_str_from(fields[i].member), dfr_str_from(row->member)) &&
            dfr_dump_offset(d, (enum dfr_layout)i, &at)) {
            *ret = at;
            return true;
        }
    }
    return false;
}

static enum dfr_reason view_member(void *user, struct dfr_str module, struct dfr_str type,
                                   struct dfr_str path, struct dfr_member *ret)
{
    const struct dfr_dump *d = user;
    uint32_t index;
    bool indexed;
    enum dfr_reason why = DFR_REASON_NEEDS_TYPES;
    if (d->types && d->types->member)
        why = d->types->member(d->types->user, module, type, path, ret);
    if (why == DFR_REASON_NONE || !dfr_module_is_kernel(module))
        return why;
    const struct dfr_member_row *row = dfr_member_find(arch_of(d), type, path, &index, &indexed);
    uint64_t at = row ? row->at : 0;
    if (!row || (row->how != DFR_MEMBER_FIXED && !block_offset(d, row, &at) &&
                 (row->how != DFR_MEMBER_KDBG || !kdbg_offset(d, row, &at))))
        return why;
    return dfr_member_at(row, at, dfr_dump_pointer_bytes(d), index, indexed, ret);
}

void dfr_dump_view(const struct dfr_dump *d)
{
    struct dfr_dump *kept = DFR_NEW(d->arena, struct dfr_dump);
    struct dfr_view *view = DFR_NEW(d->arena, struct dfr_view);
    *kept = *d;
    dfr_bytes_share(d->bytes);
    *view = (struct dfr_view){.user = kept,
                              .pointer_bytes = (uint8_t)dfr_dump_pointer_bytes(d),
                              .read = view_read,
                              .symbol = view_symbol,
                              .member = view_member};
    d->facts->view = view;
}
