/* Where a field stands in a structure of the kernel, which differs by build. */
#include <string.h>

#include "base/checked.h"
#include "dump/reader.h"

static const struct {
    const char *type, *member;
    uint16_t kdbg;
    uint8_t size;
} fields[] = {
#define LAYOUT(id, type, member, kdbg, size) {type, member, (kdbg), (size)},
#define LAYOUT_OF(id, machine, size, off)
#include "dump/layout.def"
#undef LAYOUT
#undef LAYOUT_OF
};

static const struct {
    enum dfr_layout which;
    enum dfr_machine machine;
    uint16_t size, off;
} builds[] = {
#define LAYOUT(id, type, member, kdbg, size)
#define LAYOUT_OF(id, machine, size, off) {DFR_LAYOUT_##id, DFR_MACHINE_##machine, (size), (off)},
#include "dump/layout.def"
#undef LAYOUT
#undef LAYOUT_OF
};

static bool from_kdbg(const struct dfr_dump *d, enum dfr_layout which, uint32_t *ret)
{
    uint16_t narrow = 0;
    uint32_t wide = 0;
    if (fields[which].size == 2 && dfr_kdbg_u16(d, fields[which].kdbg, &narrow))
        wide = narrow;
    else if (fields[which].size != 4 || !dfr_kdbg_u32(d, fields[which].kdbg, &wide))
        return false;
    if (!wide)
        return false;
    *ret = wide;
    return true;
}

/* Types of symbol files belong to the kernel image that the dump names, so they fit. */
static bool from_types(const struct dfr_dump *d, enum dfr_layout which, uint32_t *ret)
{
    struct dfr_member m;
    return d->types && d->types->member &&
           d->types->member(d->types->user, DFR_STR("nt"), dfr_str_from(fields[which].type),
                            dfr_str_from(fields[which].member), &m) == DFR_REASON_NONE &&
           !m.bit_size && dfr_u32_from_u64(m.offset, ret);
}

static bool from_size(const struct dfr_dump *d, enum dfr_layout which, uint32_t *ret)
{
    enum { PROCESS_SIZE = 0x2A8, PRCB_SIZE = 0x2B0 };
    uint16_t size;
    bool process = strcmp(fields[which].type, "_EPROCESS") == 0;
    if (!dfr_kdbg_u16(d, process ? PROCESS_SIZE : PRCB_SIZE, &size))
        return false;
    for (size_t i = 0; i < sizeof builds / sizeof *builds; i++)
        if (builds[i].which == which && builds[i].machine == d->file.machine &&
            builds[i].size == size) {
            *ret = builds[i].off;
            return true;
        }
    return false;
}

bool dfr_dump_offset(const struct dfr_dump *d, enum dfr_layout which, uint32_t *ret)
{
    return from_kdbg(d, which, ret) || from_types(d, which, ret) || from_size(d, which, ret);
}

bool dfr_dump_field(const struct dfr_dump *d, const struct dfr_where *w, enum dfr_layout which,
                    size_t len, uint64_t *ret)
{
    uint32_t off;
    return dfr_dump_offset(d, which, &off) && dfr_where_word(d, w, off, len, ret);
}

bool dfr_dump_field_pointer(const struct dfr_dump *d, const struct dfr_where *w,
                            enum dfr_layout which, uint64_t *ret)
{
    return dfr_dump_field(d, w, which, dfr_dump_pointer_bytes(d), ret);
}
