/* Small dumps: the block behind the header, and the map of the memory that was captured. */
#include "dump/triage.h"

#include "base/limits.h"

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

void dfr_dump_put_va(struct dfr_dump *d, uint32_t field, struct dfr_value v, uint64_t va,
                     uint64_t len)
{
    uint64_t off = 0, have;
    bool there = dfr_space_at(&d->memory, va, &off, &have);
    (void)dfr_facts_set(d->facts, field, dfr_dump_value(d, v, off, there ? off + len : off, va));
}

void dfr_dump_damaged(struct dfr_dump *d, uint64_t begin, uint64_t end, const char *what)
{
    struct dfr_diag *g = dfr_diags_add(d->diags, DFR_D_DUMP_DAMAGED, "%s", what);
    g->begin = begin;
    g->end = end;
    d->whole = false;
}

uint32_t dfr_triage_u32(const struct dfr_dump *d, uint32_t field)
{
    uint32_t u = 0;
    return dfr_span_u32le(d->triage, field, &u) ? u : 0;
}

uint64_t dfr_triage_u64(const struct dfr_dump *d, uint32_t field)
{
    uint64_t u = 0;
    return dfr_span_u64le(d->triage, field, &u) ? u : 0;
}

static void add(struct dfr_dump *d, uint64_t va, uint64_t off, uint64_t size, const char *what)
{
    if (va && off && size && !dfr_space_add(&d->memory, va, off, size))
        dfr_dump_damaged(d, off, d->bytes->size, what);
}

/* Captured blocks: {u64 address, u32 file offset, u32 size}, in no order. Observed. */
static void map_blocks(struct dfr_dump *d)
{
    enum { STRIDE = 16 };
    uint64_t at = dfr_triage_u32(d, DFR_TRIAGE_BLOCKS), cut = 0;
    uint64_t n = dfr_triage_u32(d, DFR_TRIAGE_BLOCK_COUNT), fit = 0;
    if (at < d->bytes->size)
        fit = (d->bytes->size - at) / STRIDE;
    if (n > fit)
        cut = 1;
    n = n < fit ? n : fit;
    n = n < DFR_LIMIT_DUMP_BLOCKS ? n : DFR_LIMIT_DUMP_BLOCKS;
    struct dfr_span t;
    if (!n || !dfr_bytes_span(d->bytes, at, n * STRIDE, &t))
        n = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t va = 0;
        uint32_t off = 0, size = 0;
        if (dfr_span_u64le(t, i * STRIDE, &va) && dfr_span_u32le(t, i * STRIDE + 8, &off) &&
            dfr_span_u32le(t, i * STRIDE + 12, &size) && size &&
            !dfr_space_add(&d->memory, va, off, size))
            cut++;
    }
    if (cut)
        dfr_dump_damaged(d, at, d->bytes->size,
                         "the file ends before the memory that its table lists");
}

/* The debugger data block: `KDBG` at 10h and its length at 14h. Documented in the SDK. */
static void find_kdbg(struct dfr_dump *d)
{
    enum { TAG = 0x10, SIZE = 0x14, LEAST = 0x250, MOST = 0x1000 };
    uint64_t off = dfr_triage_u32(d, DFR_TRIAGE_KDBG), va = 0, have;
    uint64_t size = dfr_triage_u32(d, DFR_TRIAGE_KDBG_SIZE);
    uint32_t tag = 0, says = 0;
    bool known = dfr_container_field(&d->file, DFR_HEADER_KDBG, &va);
    if (!off && !(known && dfr_space_at(&d->memory, va, &off, &size)))
        return;
    if (!dfr_bytes_u32(d->bytes, off + TAG, &tag) || tag != 0x4742444B ||
        !dfr_bytes_u32(d->bytes, off + SIZE, &says) || says < LEAST || says > MOST) {
        dfr_dump_damaged(d, off, off + LEAST, "the kernel's debugger data block is not readable");
        return;
    }
    if (size > says)
        size = says;
    have = off < d->bytes->size ? d->bytes->size - off : 0;
    if (size > have)
        size = have;
    if (dfr_bytes_span(d->bytes, off, size, &d->kdbg))
        d->kdbg_at = off;
}

bool dfr_triage_open(struct dfr_dump *d)
{
    enum { MARK = 0x44475254 }; /* `TRGD` ends what the kernel wrote */
    uint32_t mark = 0;
    d->memory = (struct dfr_space){.bytes = d->bytes};
    if (!dfr_bytes_span(d->bytes, DFR_HEADER64_SIZE, DFR_TRIAGE_BYTES, &d->triage))
        return false;
    uint64_t valid = dfr_triage_u32(d, DFR_TRIAGE_VALID);
    if (!dfr_bytes_u32(d->bytes, valid, &mark) || mark != MARK)
        dfr_dump_damaged(d, valid, valid + 4, "the dump is cut off: its end mark is missing");
    map_blocks(d);
    add(d, dfr_triage_u64(d, DFR_TRIAGE_STACK_TOP), dfr_triage_u32(d, DFR_TRIAGE_STACK),
        dfr_triage_u32(d, DFR_TRIAGE_STACK_SIZE), "the file ends inside the captured stack");
    add(d, dfr_triage_u64(d, DFR_TRIAGE_PAGE_VA), dfr_triage_u32(d, DFR_TRIAGE_PAGE),
        dfr_triage_u32(d, DFR_TRIAGE_PAGE_SIZE), "the file ends inside the captured page");
    dfr_space_ready(&d->memory);
    find_kdbg(d);
    return true;
}
