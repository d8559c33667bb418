/* Loaded and unloaded modules of a small dump. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "base/utf16.h"
#include "dump/triage.h"

/* A driver entry: u32 offset of the name, then a copy of the kernel's own entry. The debugger fills
 * only the base, size, checksum and stamp of the copy. Public parsers; observed on x64 and ARM64. */
enum {
    ENTRY = 0x90,
    ENTRY_BASE = 0x38,
    ENTRY_SIZE = 0x48,
    ENTRY_CHECKSUM = 0x80,
    ENTRY_STAMP = 0x88,
};

/* The name at a file offset: u32 count of units, the units. */
static bool name_at(struct dfr_dump *d, uint32_t off, struct dfr_str *ret)
{
    uint32_t units;
    struct dfr_span s;
    if (!off || !dfr_bytes_u32(d->bytes, off, &units) || !units ||
        units > DFR_LIMIT_DUMP_NAME_UNITS ||
        !dfr_bytes_span(d->bytes, (uint64_t)off + 4, (uint64_t)units * 2, &s))
        return false;
    *ret = dfr_utf16_text(d->arena, s);
    return ret->len > 0;
}

/* Kernel-written dumps hold file names alone, debugger-written ones full paths. */
static void put_name(struct dfr_dump *d, uint32_t row, struct dfr_str path, bool kernel,
                     uint32_t place)
{
    size_t from = path.len;
    while (from && path.p[from - 1] != '\\' && path.p[from - 1] != '/')
        from--;
    struct dfr_str file = dfr_str_slice(path, from, path.len);
    if (from)
        dfr_dump_cell(d, DFR_F_MODULES_PATH, row, dfr_v_str(path), place);
    if (!file.len)
        return;
    dfr_dump_cell(d, DFR_F_MODULES_NAME, row,
                  dfr_v_str(kernel ? DFR_STR("nt") : dfr_module_stem(file)), place);
    dfr_dump_cell(d, DFR_F_MODULES_IMAGE, row, dfr_v_str(file), place);
}

static int by_base(const void *a, const void *b)
{
    const struct dfr_image *x = a, *y = b;
    if (x->base != y->base)
        return (x->base > y->base) - (x->base < y->base);
    return (x->row > y->row) - (x->row < y->row);
}

/* One entry; false when it makes no sense. */
static bool read_entry(struct dfr_dump *d, struct dfr_span e, uint64_t at, uint64_t kernel)
{
    uint32_t name = 0, size = 0, checksum = 0, stamp = 0;
    uint64_t base = 0, end;
    struct dfr_str path;
    if (!dfr_span_u32le(e, 0, &name) || !dfr_span_u64le(e, ENTRY_BASE, &base) ||
        !dfr_span_u32le(e, ENTRY_SIZE, &size) || !dfr_span_u32le(e, ENTRY_CHECKSUM, &checksum) ||
        !dfr_span_u32le(e, ENTRY_STAMP, &stamp) || !base || !size || !dfr_u64_add(base, size, &end))
        return false;
    uint32_t row = dfr_facts_row(d->facts, DFR_T_MODULES);
    if (row == UINT32_MAX)
        return false;
    uint32_t place = dfr_facts_place(d->facts, (struct dfr_place){at, at + ENTRY, 0, base});
    bool named = name_at(d, name, &path);
    if (named)
        put_name(d, row, path, kernel && base == kernel, place);
    else
        dfr_dump_cell(d, DFR_F_MODULES_NAME, row, dfr_v_unknown(DFR_KIND_STR, DFR_REASON_DAMAGED),
                      place);
    dfr_dump_cell(d, DFR_F_MODULES_BASE, row, dfr_v_addr(base), place);
    dfr_dump_cell(d, DFR_F_MODULES_END, row, dfr_v_addr(end), place);
    dfr_dump_cell(d, DFR_F_MODULES_SIZE, row, dfr_v_int(size), place);
    dfr_dump_cell(d, DFR_F_MODULES_CHECKSUM, row, dfr_v_addr(checksum), place);
    dfr_dump_cell(d, DFR_F_MODULES_TIMESTAMP, row, dfr_v_addr(stamp), place);
    *DFR_PUSH(d->arena, &d->images) = (struct dfr_image){base, end, row};
    return named;
}

void dfr_dump_modules(struct dfr_dump *d)
{
    enum { OPTIONS = 0x44, NOT_SET = -1, CUT_LIST = 0x100, KERN_BASE = 0x18 };
    uint64_t at = dfr_triage_u32(d, DFR_TRIAGE_DRIVERS), kernel = 0;
    uint32_t count = dfr_triage_u32(d, DFR_TRIAGE_DRIVER_COUNT), n = count, bad = 0;
    uint32_t options = dfr_triage_u32(d, OPTIONS);
    if (dfr_kdbg_u64(d, KERN_BASE, &kernel) && kernel)
        dfr_dump_put(d, DFR_F_OS_KERNEL_BASE, dfr_v_addr(kernel), d->kdbg_at + KERN_BASE,
                     d->kdbg_at + KERN_BASE + 8);
    uint64_t fit = at && at < d->bytes->size ? (d->bytes->size - at) / ENTRY : 0;
    if (n > fit)
        n = (uint32_t)fit;
    if (n > DFR_LIMIT_DUMP_MODULES)
        n = DFR_LIMIT_DUMP_MODULES;
    struct dfr_span list, e;
    if (n && dfr_bytes_span(d->bytes, at, (uint64_t)n * ENTRY, &list))
        for (uint32_t i = 0; i < n; i++)
            if (!dfr_span_sub(list, (uint64_t)i * ENTRY, ENTRY, &e) ||
                !read_entry(d, e, at + (uint64_t)i * ENTRY, kernel))
                bad++;
    if (d->images.n)
        qsort(d->images.v, d->images.n, sizeof *d->images.v, by_base);
    struct dfr_rows *t = &d->facts->tables[DFR_T_MODULES];
    t->place = dfr_facts_place(d->facts, (struct dfr_place){at, at + (uint64_t)n * ENTRY, 0, 0});
    t->complete =
        count && n == count && !bad && !(options != (uint32_t)NOT_SET && (options & CUT_LIST));
    t->reason = t->complete                  ? DFR_REASON_NONE
                : n < count || bad || !count ? DFR_REASON_DAMAGED
                                             : DFR_REASON_NOT_IN_DUMP;
    if (bad || n < count)
        dfr_dump_damaged(d, at, at + (uint64_t)n * ENTRY, "the module list is damaged");
}

const struct dfr_image *dfr_dump_image_at(const struct dfr_dump *d, uint64_t address)
{
    uint32_t from = 0, to = d->images.n;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (d->images.v[mid].base <= address)
            from = mid + 1;
        else
            to = mid;
    }
    return from && address < d->images.v[from - 1].end ? &d->images.v[from - 1] : NULL;
}

/* Unloaded modules: u64 count, then entries of 38h bytes: u16 length of the name in bytes, name at
 * 10h (12 units, not ended when full), first and last address at 28h and 30h. Public parsers;
 * observed. The kernel remembers 50. */
void dfr_dump_unloaded(struct dfr_dump *d)
{
    enum { STRIDE = 0x38, NAME = 0x10, NAME_BYTES = 24, START = 0x28, END = 0x30, KEPT = 50 };
    uint64_t at = dfr_triage_u32(d, DFR_TRIAGE_UNLOADED), count = 0;
    struct dfr_rows *t = &d->facts->tables[DFR_T_UNLOADED];
    t->reason = DFR_REASON_NOT_IN_DUMP;
    if (!at)
        return;
    struct dfr_span list, e, name;
    t->place = dfr_facts_place(d->facts, (struct dfr_place){at, at + 8, 0, 0});
    if (!dfr_bytes_u64(d->bytes, at, &count) || count > DFR_LIMIT_DUMP_UNLOADED ||
        !dfr_bytes_span(d->bytes, at + 8, count * STRIDE, &list)) {
        t->reason = DFR_REASON_DAMAGED;
        dfr_dump_damaged(d, at, at + 8, "the list of unloaded modules is damaged");
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint16_t len;
        uint64_t start, end, off = at + 8 + i * STRIDE;
        uint32_t row;
        if (!dfr_span_sub(list, i * STRIDE, STRIDE, &e) || !dfr_span_u16le(e, 0, &len) ||
            !dfr_span_u64le(e, START, &start) || !dfr_span_u64le(e, END, &end) ||
            !dfr_span_sub(e, NAME, len < NAME_BYTES ? len & ~1u : NAME_BYTES, &name) ||
            (row = dfr_facts_row(d->facts, DFR_T_UNLOADED)) == UINT32_MAX)
            continue;
        uint32_t place = dfr_facts_place(d->facts, (struct dfr_place){off, off + STRIDE, 0, start});
        struct dfr_str text = dfr_utf16_text(d->arena, name);
        if (text.len)
            dfr_dump_cell(d, DFR_F_UNLOADED_NAME, row, dfr_v_str(text), place);
        if (start && end > start) {
            dfr_dump_cell(d, DFR_F_UNLOADED_BASE, row, dfr_v_addr(start), place);
            dfr_dump_cell(d, DFR_F_UNLOADED_END, row, dfr_v_addr(end), place);
        }
    }
    t->complete = count < KEPT;
    t->reason = t->complete ? DFR_REASON_NONE : DFR_REASON_NOT_IN_DUMP;
}
