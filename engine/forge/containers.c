/* Dumps of pages: runs, a bitmap, ranges. */
#include <stdlib.h>
#include <string.h>

#include "forge/world.h"

enum { MOST_RUNS64 = 42, MOST_RUNS32 = 86 };

struct run {
    uint64_t first, count;
};
struct memory {
    struct dfr_forge *f;
    const struct dfr_forge_page **v; /* pages that hold something, by frame number */
    uint32_t n;
    DFR_VEC(struct run) runs;
    uint64_t pages, top; /* pages in the dump; the frame number behind the last */
};

static int by_pfn(const void *a, const void *b)
{
    const struct dfr_forge_page *const *x = a, *const *y = b;
    return ((*x)->pfn > (*y)->pfn) - ((*x)->pfn < (*y)->pfn);
}

static void add_run(struct memory *m, uint64_t first, uint64_t count)
{
    struct run *last = m->runs.n ? &m->runs.v[m->runs.n - 1] : NULL;
    if (!count)
        return;
    if (last && last->first + last->count == first)
        last->count += count;
    else
        *DFR_PUSH(m->f->arena, &m->runs) = (struct run){first, count};
    m->pages += count;
}

/* `all`: also the memory that nothing of the recipe uses, as zeros. */
static void collect(struct memory *m, bool kernel_only, bool all)
{
    struct dfr_forge *f = m->f;
    uint64_t ram = all ? f->r.ram / DFR_FORGE_PAGE : 0, at = 1;
    m->v = DFR_NEW_N(f->arena, f->pages.n + f->tables.n, const struct dfr_forge_page *);
    for (uint32_t i = 0; i < f->pages.n + f->tables.n; i++) {
        const struct dfr_forge_page *p =
            i < f->pages.n ? &f->pages.v[i] : &f->tables.v[i - f->pages.n];
        if (p->state != DFR_PAGE_OUT)
            m->v[m->n++] = p;
    }
    qsort(m->v, m->n, sizeof *m->v, by_pfn);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < m->n; i++) {
        const struct dfr_forge_page *p = m->v[i];
        if (ram && at < p->pfn)
            add_run(m, at, p->pfn - at);
        at = p->pfn + 1;
        if (p->omit || (p->user && kernel_only))
            continue;
        add_run(m, p->pfn, 1);
        m->v[kept++] = p;
    }
    m->n = kept;
    if (at < ram)
        add_run(m, at, ram - at);
    m->top = m->runs.n ? m->runs.v[m->runs.n - 1].first + m->runs.v[m->runs.n - 1].count : 1;
    if (m->top < f->r.ram / DFR_FORGE_PAGE)
        m->top = f->r.ram / DFR_FORGE_PAGE;
}

/* The pages back to back from `at`; what is zero takes no room on the disk. */
static void put_pages(struct memory *m, struct dfr_forge_file *out, uint64_t at)
{
    uint64_t before = 0;
    uint32_t run = 0;
    for (uint32_t i = 0; i < m->n; i++) {
        while (m->v[i]->pfn >= m->runs.v[run].first + m->runs.v[run].count)
            before += m->runs.v[run++].count;
        uint64_t off = at + DFR_FORGE_PAGE * (before + m->v[i]->pfn - m->runs.v[run].first);
        memcpy(dfr_forge_piece(m->f, out, off, DFR_FORGE_PAGE), m->v[i]->p, DFR_FORGE_PAGE);
    }
    out->size = at + DFR_FORGE_PAGE * m->pages;
}

static void full(struct memory *m, struct dfr_forge_file *out, uint8_t *h)
{
    bool x86 = m->f->x86;
    uint32_t most = x86 ? MOST_RUNS32 : MOST_RUNS64;
    uint8_t *d = h + (x86 ? 0x64 : 0x88);
    if (m->runs.n > most) {
        dfr_recipe_error(&m->f->file, m->f->r.node, DFR_D_RECIPE_VALUE,
                         "a complete dump has %u runs of memory at most", (unsigned)most);
        return;
    }
    memset(d, 0, 700);
    dfr_put_le(d, m->runs.n, 4);
    dfr_put_le(d + (x86 ? 4 : 8), m->pages, m->f->ptr);
    d += 2 * (size_t)m->f->ptr;
    for (uint32_t i = 0; i < m->runs.n; i++, d += 2 * m->f->ptr) {
        dfr_put_le(d, m->runs.v[i].first, m->f->ptr);
        dfr_put_le(d + m->f->ptr, m->runs.v[i].count, m->f->ptr);
    }
    put_pages(m, out, x86 ? 0x1000 : 0x2000);
}

static void put_bits(struct memory *m, uint8_t *bits)
{
    for (uint32_t i = 0; i < m->runs.n; i++)
        for (uint64_t k = m->runs.v[i].first; k < m->runs.v[i].first + m->runs.v[i].count; k++)
            bits[k / 8] |= (uint8_t)(1u << k % 8);
}

static void bitmap(struct memory *m, struct dfr_forge_file *out, const char *magic)
{
    enum { BITS = 0x38 };
    uint64_t head = m->f->x86 ? 0x1000 : 0x2000;
    /* Whole bytes: public parsers do not read the bits behind the last one. */
    uint64_t total = (m->top + 7) & ~UINT64_C(7);
    uint64_t first = (head + BITS + total / 8 + 0xFFF) & ~UINT64_C(0xFFF);
    uint8_t *b = dfr_forge_piece(m->f, out, head, first - head);
    memcpy(b, magic, 4);
    memcpy(b + 4, "DUMP", 4);
    dfr_put_le(b + 0x20, first, 8);
    dfr_put_le(b + 0x28, m->pages, 8);
    dfr_put_le(b + 0x30, total, 8);
    put_bits(m, b + BITS);
    put_pages(m, out, first);
}

static void summary(struct memory *m, struct dfr_forge_file *out)
{
    uint64_t head = m->f->x86 ? 0x1000 : 0x2000, bits = m->f->x86 ? 0x20 : 0x28;
    uint64_t first = (head + bits + (m->top + 7) / 8 + 0xFFF) & ~UINT64_C(0xFFF);
    uint8_t *b = dfr_forge_piece(m->f, out, head, first - head);
    memcpy(b, "SDMP", 4);
    memcpy(b + 4, "DUMP", 4);
    dfr_put_le(b + 0x0C, first, 4);
    dfr_put_le(b + 0x10, m->top, 4);
    dfr_put_le(b + 0x14, m->pages, 4);
    dfr_put_le(b + 0x18, m->top, 4);
    dfr_put_le(b + (m->f->x86 ? 0x1C : 0x20), 0x80001000, m->f->ptr);
    put_bits(m, b + bits);
    put_pages(m, out, first);
}

static void rdmp(struct memory *m, struct dfr_forge_file *out, bool complete)
{
    enum { HEAD = 0x2000, RANGES = 0x30 };
    /* A range of frame number 0 ends them. */
    uint64_t first = (HEAD + RANGES + 16 * (uint64_t)(m->runs.n + 1) + 0xFFF) & ~UINT64_C(0xFFF);
    uint8_t *b = dfr_forge_piece(m->f, out, HEAD, first - HEAD);
    dfr_put_le(b, 0x40, 4);
    memcpy(b + 4, "RDMPDUMP", 8);
    dfr_put_le(b + 0x10, first - HEAD - 0x20, 8);
    dfr_put_le(b + 0x18, first, 8);
    if (complete) {
        dfr_put_le(b + 0x20, m->runs.n, 4);
        dfr_put_le(b + 0x28, m->pages, 8);
    }
    for (uint32_t i = 0; i < m->runs.n; i++) {
        dfr_put_le(b + RANGES + 16 * i, m->runs.v[i].first, 8);
        dfr_put_le(b + RANGES + 16 * i + 8, m->runs.v[i].count, 8);
    }
    put_pages(m, out, first);
}

void dfr_forge_pages(struct dfr_forge *f, enum dfr_forge_kind kind, struct dfr_forge_file *out)
{
    struct memory m = {.f = f};
    uint8_t *h = (uint8_t *)(uintptr_t)out->v[0].p; /* the header, which comes first */
    bool complete = kind == DFR_FORGE_FULL || kind == DFR_FORGE_BITMAP || kind == DFR_FORGE_RDMP;
    collect(&m, !complete && kind != DFR_FORGE_RDMP_USER, complete);
    if (f->x86 &&
        (kind == DFR_FORGE_RDMP || kind == DFR_FORGE_RDMP_KERNEL || kind == DFR_FORGE_RDMP_USER)) {
        dfr_recipe_error(&f->file, f->r.node, DFR_D_RECIPE_VALUE,
                         "dumps of this kind are 64-bit only");
        return;
    }
    switch (kind) {
    case DFR_FORGE_FULL:
        full(&m, out, h);
        break;
    case DFR_FORGE_BITMAP:
        bitmap(&m, out, "FDMP");
        break;
    case DFR_FORGE_KERNEL:
        bitmap(&m, out, "SDMP");
        break;
    case DFR_FORGE_SUMMARY:
        summary(&m, out);
        break;
    case DFR_FORGE_RDMP:
    case DFR_FORGE_RDMP_KERNEL:
    case DFR_FORGE_RDMP_USER:
        rdmp(&m, out, kind == DFR_FORGE_RDMP);
        break;
    case DFR_FORGE_TRIAGE:
    case DFR_FORGE_TRIAGE_KERNEL:
    case DFR_FORGE_HEADER:
    case DFR_FORGE_KINDS:
        break;
    }
    dfr_forge_blobs(f, out, true);
}
