/* Small dumps: the block behind the header, and the map of the memory that was captured. */
#include "dump/triage.h"

#include "base/limits.h"

static const struct {
    uint8_t off[2], size[2]; /* [0]: 64-bit, [1]: 32-bit */
} fields[] = {
#define TRIAGE_FIELD(id, off64, size64, off32, size32) {{(off64), (off32)}, {(size64), (size32)}},
#include "dump/triage_field.def"
#undef TRIAGE_FIELD
};

uint64_t dfr_triage_u64(const struct dfr_dump *d, enum dfr_triage_field field)
{
    unsigned k = !d->file.wide;
    uint32_t u32;
    uint64_t u64;
    if (fields[field].size[k] == 8)
        return dfr_span_u64le(d->triage, fields[field].off[k], &u64) ? u64 : 0;
    return dfr_span_u32le(d->triage, fields[field].off[k], &u32) ? u32 : 0;
}

uint32_t dfr_triage_u32(const struct dfr_dump *d, enum dfr_triage_field field)
{
    return (uint32_t)dfr_triage_u64(d, field);
}

static void add(struct dfr_dump *d, uint64_t va, uint64_t off, uint64_t size, const char *what)
{
    if (va && off && size && !dfr_space_add(&d->memory, va, off, size))
        dfr_dump_damaged(d, off, d->bytes->size, what);
}

/* Captured blocks: {pointer, u32 file offset, u32 size}, in no order. Observed in 64-bit dumps. */
static void map_blocks(struct dfr_dump *d)
{
    const uint32_t wide = d->file.wide, stride = wide ? 16 : 12;
    uint64_t at = dfr_triage_u32(d, DFR_TRIAGE_BLOCKS), cut = 0;
    uint64_t n = dfr_triage_u32(d, DFR_TRIAGE_BLOCK_COUNT), fit = 0;
    if (at < d->bytes->size)
        fit = (d->bytes->size - at) / stride;
    if (n > fit) {
        cut = 1; /* what the lost part of the table listed may have been captured */
        d->memory.otherwise = DFR_REASON_DAMAGED;
    }
    n = n < fit ? n : fit;
    n = n < DFR_LIMIT_DUMP_BLOCKS ? n : DFR_LIMIT_DUMP_BLOCKS;
    struct dfr_span t;
    if (!n || !dfr_bytes_span(d->bytes, at, n * stride, &t))
        n = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t va = 0, e = i * stride;
        uint32_t off = 0, size = 0, low = 0;
        bool read = wide ? dfr_span_u64le(t, e, &va) : dfr_span_u32le(t, e, &low);
        if (!wide)
            va = low;
        if (read && dfr_span_u32le(t, e + stride - 8, &off) &&
            dfr_span_u32le(t, e + stride - 4, &size) && size &&
            !dfr_space_add(&d->memory, va, off, size))
            cut++;
    }
    if (cut)
        dfr_dump_damaged(d, at, d->bytes->size,
                         "the file ends before the memory that its table lists");
}

/* The captured part of the crashing stack ends where that stack ends. Observed, in all small dumps. */
static void map_stack(struct dfr_dump *d)
{
    uint64_t low = dfr_triage_u64(d, DFR_TRIAGE_STACK_TOP);
    uint64_t off = dfr_triage_u32(d, DFR_TRIAGE_STACK);
    uint64_t size = dfr_triage_u32(d, DFR_TRIAGE_STACK_SIZE);
    add(d, low, off, size, "the file ends inside the captured stack");
    if (size > DFR_LIMIT_DUMP_STACK_BYTES)
        size = DFR_LIMIT_DUMP_STACK_BYTES;
    if (size && dfr_dump_is_kernel(d, low) && low <= UINT64_MAX - size) {
        d->stack_low = low;
        d->stack_end = low + size;
    }
}

bool dfr_triage_open(struct dfr_dump *d)
{
    enum { MARK = 0x44475254 }; /* `TRGD` ends what the kernel wrote */
    enum { BYTES64 = 0x80, BYTES32 = 0x68 };
    uint32_t mark = 0;
    uint64_t at = d->file.wide ? DFR_HEADER64_SIZE : DFR_HEADER32_SIZE;
    d->memory = (struct dfr_space){.bytes = d->bytes, .pointer_bytes = d->file.wide ? 8 : 4};
    if (!dfr_bytes_span(d->bytes, at, d->file.wide ? BYTES64 : BYTES32, &d->triage))
        return false;
    uint64_t valid = dfr_triage_u32(d, DFR_TRIAGE_VALID);
    if (!dfr_bytes_u32(d->bytes, valid, &mark) || mark != MARK)
        dfr_dump_damaged(d, valid, valid + 4, "the dump is cut off: its end mark is missing");
    map_blocks(d);
    map_stack(d);
    uint64_t page = dfr_triage_u64(d, DFR_TRIAGE_PAGE_VA);
    if (d->file.wide || dfr_dump_is_kernel(d, page))
        add(d, page, dfr_triage_u32(d, DFR_TRIAGE_PAGE), dfr_triage_u32(d, DFR_TRIAGE_PAGE_SIZE),
            "the file ends inside the captured page");
    dfr_space_ready(&d->memory);
    d->prcb.off = dfr_triage_u32(d, DFR_TRIAGE_PRCB);
    d->thread.off = dfr_triage_u32(d, DFR_TRIAGE_THREAD);
    d->process.off = dfr_triage_u32(d, DFR_TRIAGE_PROCESS);
    return true;
}
