/* Loaded modules: their rows, and the list that small dumps hold. */
#include "dump/modules.h"

#include <stdlib.h>

#include "base/checked.h"
#include "base/limits.h"
#include "base/utf16.h"
#include "dump/triage.h"

/* A driver entry: u32 offset of the name, then a copy of the kernel's own entry. The debugger fills
 * only the base, size, checksum and stamp of the copy. Public parsers; the 64-bit one observed on x64
 * and ARM64, the 32-bit one on none. */
static const struct entry {
    uint8_t bytes, base, size, checksum, stamp;
} entries[] = {{0x90, 0x38, 0x48, 0x80, 0x88}, {0x4C, 0x1C, 0x24, 0x44, 0x48}};

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

/* Kernel-written small dumps hold file names alone, debugger-written ones full paths. The kernel is
 * the module at its base; its image has several names. */
static void put_name(struct dfr_dump *d, uint32_t row, const struct dfr_module *m)
{
    size_t from = m->path.len;
    while (from && m->path.p[from - 1] != '\\' && m->path.p[from - 1] != '/')
        from--;
    struct dfr_str file = dfr_str_slice(m->path, from, m->path.len);
    if (from)
        dfr_dump_cell(d, DFR_F_MODULES_PATH, row, dfr_v_str(m->path), m->place);
    if (!file.len)
        return;
    bool kernel = d->kernel ? m->base == d->kernel : dfr_module_is_kernel(file);
    dfr_dump_cell(d, DFR_F_MODULES_NAME, row,
                  dfr_v_str(kernel ? DFR_STR("nt") : dfr_module_stem(file)), m->place);
    dfr_dump_cell(d, DFR_F_MODULES_IMAGE, row, dfr_v_str(file), m->place);
}

uint32_t dfr_module_add(struct dfr_dump *d, const struct dfr_module *m)
{
    uint64_t end;
    if (!m->base || !m->size || !dfr_u64_add(m->base, m->size, &end))
        return UINT32_MAX;
    uint32_t row = dfr_facts_row(d->facts, DFR_T_MODULES);
    if (row == UINT32_MAX)
        return row;
    if (m->path.len)
        put_name(d, row, m);
    else
        dfr_dump_cell(d, DFR_F_MODULES_NAME, row, dfr_v_unknown(DFR_KIND_STR, m->why), m->place);
    dfr_dump_cell(d, DFR_F_MODULES_BASE, row, dfr_v_addr(m->base), m->place);
    dfr_dump_cell(d, DFR_F_MODULES_END, row, dfr_v_addr(end), m->place);
    dfr_dump_cell(d, DFR_F_MODULES_SIZE, row, dfr_v_int(m->size), m->place);
    dfr_dump_cell(d, DFR_F_MODULES_CHECKSUM, row, dfr_v_addr(m->checksum), m->place);
    *DFR_PUSH(d->arena, &d->images) = (struct dfr_image){m->base, end, row};
    return row;
}

static int by_base(const void *a, const void *b)
{
    const struct dfr_image *x = a, *y = b;
    if (x->base != y->base)
        return (x->base > y->base) - (x->base < y->base);
    return (x->row > y->row) - (x->row < y->row);
}

void dfr_modules_ready(struct dfr_dump *d)
{
    if (d->images.n)
        qsort(d->images.v, d->images.n, sizeof *d->images.v, by_base);
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

/* One entry; false when it makes no sense. */
static bool read_entry(struct dfr_dump *d, struct dfr_span e, const struct entry *l, uint64_t at)
{
    uint32_t name = 0, stamp = 0, low = 0;
    struct dfr_module m = {.why = DFR_REASON_DAMAGED};
    bool read =
        d->file.wide ? dfr_span_u64le(e, l->base, &m.base) : dfr_span_u32le(e, l->base, &low);
    if (!d->file.wide)
        m.base = low;
    if (!read || !dfr_span_u32le(e, 0, &name) || !dfr_span_u32le(e, l->size, &m.size) ||
        !dfr_span_u32le(e, l->checksum, &m.checksum) || !dfr_span_u32le(e, l->stamp, &stamp))
        return false;
    m.place = dfr_facts_place(d->facts, (struct dfr_place){at, at + l->bytes, 0, m.base});
    bool named = name_at(d, name, &m.path);
    uint32_t row = dfr_module_add(d, &m);
    if (row == UINT32_MAX)
        return false;
    dfr_dump_cell(d, DFR_F_MODULES_TIMESTAMP, row, dfr_v_addr(stamp), m.place);
    return named;
}

void dfr_dump_modules(struct dfr_dump *d)
{
    enum { NOT_SET = -1, CUT_LIST = 0x100 };
    const struct entry *l = &entries[!d->file.wide];
    uint64_t at = dfr_triage_u32(d, DFR_TRIAGE_DRIVERS);
    uint32_t count = dfr_triage_u32(d, DFR_TRIAGE_DRIVER_COUNT), n = count, bad = 0;
    uint32_t options = dfr_triage_u32(d, DFR_TRIAGE_OPTIONS);
    uint64_t fit = at && at < d->bytes->size ? (d->bytes->size - at) / l->bytes : 0;
    if (n > fit)
        n = (uint32_t)fit;
    if (n > DFR_LIMIT_DUMP_MODULES)
        n = DFR_LIMIT_DUMP_MODULES;
    struct dfr_span list, e;
    if (n && dfr_bytes_span(d->bytes, at, (uint64_t)n * l->bytes, &list))
        for (uint32_t i = 0; i < n; i++)
            if (!dfr_span_sub(list, (uint64_t)i * l->bytes, l->bytes, &e) ||
                !read_entry(d, e, l, at + (uint64_t)i * l->bytes))
                bad++;
    dfr_modules_ready(d);
    struct dfr_rows *t = &d->facts->tables[DFR_T_MODULES];
    uint64_t end = at + (uint64_t)n * l->bytes;
    t->place = dfr_facts_place(d->facts, (struct dfr_place){at, end, 0, 0});
    t->complete =
        count && n == count && !bad && !(options != (uint32_t)NOT_SET && (options & CUT_LIST));
    t->reason = t->complete                  ? DFR_REASON_NONE
                : n < count || bad || !count ? DFR_REASON_DAMAGED
                                             : DFR_REASON_NOT_IN_DUMP;
    if (bad || n < count)
        dfr_dump_damaged(d, at, end, "the module list is damaged");
}
