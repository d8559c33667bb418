/* Runs and bitmaps of physical pages. Layouts: public parsers that agree; those of which no real dump
 * was read are named in docs/formats.md. */
#include "memory/pages.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"

enum { BLOCK_BITS = 512, BLOCK_BYTES = BLOCK_BITS / 8, BLOCK_WORDS = BLOCK_BITS / 64 };

/* A physical address has at most 52 bits. */
static const uint64_t most_pages = UINT64_C(1) << (52 - DFR_PAGE_SHIFT);

/* Behind this no page can stand: offsets of pages never wrap round. */
static const uint64_t furthest = UINT64_C(1) << 62;

static void damaged(struct dfr_pages *p, struct dfr_diags *diags, uint64_t begin, uint64_t end,
                    const char *what)
{
    struct dfr_diag *g = dfr_diags_add(diags, DFR_D_DUMP_DAMAGED, "%s", what);
    g->begin = begin;
    g->end = end;
    p->whole = false;
}

/* ---- Runs ---------------------------------------------------------------------------------- */

static int by_page(const void *a, const void *b)
{
    const struct dfr_run *x = a, *y = b;
    if (x->pfn != y->pfn)
        return (x->pfn > y->pfn) - (x->pfn < y->pfn);
    return (x->off > y->off) - (x->off < y->off);
}

/* Sort the runs; of pages that several hold, the run that starts lowest keeps them. */
static bool sort_runs(struct dfr_pages *p)
{
    uint32_t n = 0;
    uint64_t end = 0;
    bool apart = true;
    if (p->runs.n)
        qsort(p->runs.v, p->runs.n, sizeof *p->runs.v, by_page);
    for (uint32_t i = 0; i < p->runs.n; i++) {
        struct dfr_run r = p->runs.v[i];
        if (n && r.pfn < end) {
            uint64_t twice = end - r.pfn < r.count ? end - r.pfn : r.count;
            apart = false;
            r.pfn += twice;
            r.count -= twice;
            r.off += twice * DFR_PAGE_BYTES;
        }
        if (!r.count)
            continue;
        end = r.pfn + r.count;
        p->runs.v[n++] = r;
    }
    p->runs.n = n;
    return apart;
}

/* Append a run whose pages stand behind those of all runs before. False: no page can have such a
 * number. */
static bool add_run(struct dfr_pages *p, struct dfr_arena *a, uint64_t pfn, uint64_t count)
{
    if (pfn >= most_pages || count > most_pages - pfn || count > most_pages - p->count)
        return false;
    if (count)
        *DFR_PUSH(a, &p->runs) = (struct dfr_run){pfn, count, p->first + p->count * DFR_PAGE_BYTES};
    p->count += count;
    return true;
}

/* The file must reach to the last page. */
static void reach(struct dfr_pages *p, struct dfr_diags *diags)
{
    uint64_t size = p->bytes->size;
    uint64_t have = size > p->first ? (size - p->first) / DFR_PAGE_BYTES : 0;
    if (have >= p->count)
        return;
    struct dfr_diag *g = dfr_diags_add(
        diags, DFR_D_DUMP_DAMAGED, "the file ends after %" PRIu64 " of %" PRIu64 " pages of memory",
        have, p->count);
    g->begin = g->end = size;
    p->whole = false;
}

/* Runs listed in the header: a count of runs, one of pages, then {first page, pages}; 64-bit fields, or
 * 32-bit ones in a 32-bit header. Public parsers that agree; observed on the head of one x64 dump. */
static bool open_full(struct dfr_pages *p, struct dfr_arena *a, const struct dfr_container *c,
                      struct dfr_diags *diags)
{
    enum { AT64 = 0x88, AT32 = 0x64, BYTES = 700, FILL = 0x45474150 };
    uint64_t at = c->wide ? AT64 : AT32, stride = c->wide ? 16 : 8;
    uint64_t fit = (BYTES - stride) / stride, pages = 0;
    uint32_t runs = 0, u32 = 0;
    if (!dfr_span_u32le(c->header, at, &runs) || runs == FILL || !runs || runs > fit) {
        damaged(p, diags, at, at + BYTES, "the header's list of memory makes no sense");
        return false;
    }
    p->first = c->wide ? DFR_HEADER64_SIZE : DFR_HEADER32_SIZE;
    if (c->wide)
        (void)dfr_span_u64le(c->header, at + 8, &pages);
    else if (dfr_span_u32le(c->header, at + 4, &u32))
        pages = u32;
    for (uint32_t i = 0; i < runs; i++) {
        uint64_t run = at + stride * (i + 1u), pfn = 0, count = 0;
        uint32_t low = 0, n = 0;
        if (c->wide) {
            (void)dfr_span_u64le(c->header, run, &pfn);
            (void)dfr_span_u64le(c->header, run + 8, &count);
        } else if (dfr_span_u32le(c->header, run, &low) && dfr_span_u32le(c->header, run + 4, &n)) {
            pfn = low;
            count = n;
        }
        if (!add_run(p, a, pfn, count)) {
            damaged(p, diags, run, run + stride, "a run of memory in the header makes no sense");
            p->cut = true; /* nobody knows where the pages behind it stand */
            break;
        }
    }
    if (p->whole && pages != p->count)
        damaged(p, diags, at, at + stride,
                "the header's number of pages is not that of its runs of memory");
    return true;
}

/* Ranges of pages behind a second header. Public parser, and one independent writer of tests; no real
 * dump was read. Kinds 8 and 9 end their list with a range at page 0, kind 10 says how many pages
 * there are. */
static bool open_ranges(struct dfr_pages *p, struct dfr_arena *a, const struct dfr_container *c,
                        struct dfr_diags *diags)
{
    enum {
        AT = DFR_HEADER64_SIZE,
        META = AT + 0x10,
        FIRST = AT + 0x18,
        TOTAL = AT + 0x28,
        LIST = AT + 0x30,
        STRIDE = 16,
        COMPLETE = 10
    };
    uint64_t meta = 0, total = UINT64_MAX, size = p->bytes->size;
    if (!c->wide || !dfr_bytes_u64(p->bytes, FIRST, &p->first) ||
        !dfr_bytes_u64(p->bytes, META, &meta) || p->first < LIST || p->first % STRIDE ||
        p->first > furthest) {
        damaged(p, diags, AT, LIST, "the list of memory behind the header makes no sense");
        return false;
    }
    if (meta != p->first - (AT + 0x20))
        damaged(p, diags, META, LIST, "the size of the list of memory contradicts its place");
    if (c->dump_type == COMPLETE)
        (void)dfr_bytes_u64(p->bytes, TOTAL, &total);
    if (p->first > size)
        p->cut = true;
    uint64_t end = p->first < size ? p->first : size, i = 0;
    for (uint64_t at = LIST; end - at >= STRIDE && p->count < total; at += STRIDE, i++) {
        uint64_t pfn = 0, count = 0;
        if (i >= DFR_LIMIT_DUMP_RUNS) {
            damaged(p, diags, at, p->first, "the list of memory is longer than can be");
            p->cut = true;
            break;
        }
        if (!dfr_bytes_u64(p->bytes, at, &pfn) || !dfr_bytes_u64(p->bytes, at + 8, &count)) {
            damaged(p, diags, at, end, "the list of memory cannot be read to its end");
            p->cut = true;
            break;
        }
        if (!pfn && (i || !count))
            break;
        if (!add_run(p, a, pfn, count)) {
            damaged(p, diags, at, at + STRIDE, "a range of memory makes no sense");
            p->cut = true;
            break;
        }
    }
    if (total != UINT64_MAX && p->whole && total != p->count)
        damaged(p, diags, TOTAL, TOTAL + 8, "the number of pages is not that of the ranges");
    return true;
}

/* ---- Bitmaps ------------------------------------------------------------------------------- */

static uint64_t word_at(const uint8_t *p)
{
    uint64_t u = 0;
    for (unsigned i = 0; i < 8; i++) /* one load where bytes stand in this order */
        u |= (uint64_t)p[i] << 8 * i;
    return u;
}

/* Bits set in each byte of a word. */
static uint64_t bits_by_byte(uint64_t u)
{
    const uint64_t one = UINT64_C(0x5555555555555555), two = UINT64_C(0x3333333333333333);
    u -= u >> 1 & one;
    u = (u & two) + (u >> 2 & two);
    return (u + (u >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
}

static uint64_t sum_of_bytes(uint64_t u)
{
    u = (u & UINT64_C(0x00FF00FF00FF00FF)) + (u >> 8 & UINT64_C(0x00FF00FF00FF00FF));
    return u * UINT64_C(0x0001000100010001) >> 48;
}

/* Bits set before each block, and in all. `map` holds whole blocks. No instruction that counts bits is
 * taken for granted: the bytes of a block's words are added up side by side. */
static uint64_t count_bits(const uint8_t *map, uint64_t blocks, uint64_t *rank)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t bytes = 0; /* at most 64 in each */
        rank[i] = n;
        for (unsigned w = 0; w < BLOCK_WORDS; w++, map += 8)
            bytes += bits_by_byte(word_at(map));
        n += sum_of_bytes(bytes);
    }
    return n;
}

/* Read the bitmap at `at`, with as many of its bits as the file holds. */
static bool read_bitmap(struct dfr_pages *p, struct dfr_arena *a, uint64_t at,
                        struct dfr_diags *diags)
{
    uint64_t need = p->bits / 8 + (p->bits % 8 != 0), size = p->bytes->size;
    uint64_t have = at < size ? size - at : 0;
    if (!p->bits || need > DFR_LIMIT_DUMP_BITMAP || p->first < at || need > p->first - at ||
        p->first % DFR_PAGE_BYTES || p->first > furthest) {
        damaged(p, diags, at, p->first > at ? p->first : at,
                "the page bitmap does not fit before the first page");
        return false;
    }
    if (need > have) {
        damaged(p, diags, at + have, at + need, "the file ends inside the page bitmap");
        need = have;
        p->bits = have * 8;
        p->cut = true;
    }
    uint64_t blocks = need / BLOCK_BYTES + (need % BLOCK_BYTES != 0);
    uint8_t *map = dfr_arena_raw(a, (size_t)(blocks * BLOCK_BYTES));
    uint64_t *rank = dfr_arena_raw(a, (size_t)blocks * sizeof *rank);
    memset(map + need, 0, (size_t)(blocks * BLOCK_BYTES - need));
    if (!dfr_bytes_copy(p->bytes, at, map, (size_t)need)) {
        damaged(p, diags, at, at + need, "the page bitmap cannot be read");
        return false;
    }
    if (p->bits % 8 && need)
        map[need - 1] &= (uint8_t)((1u << p->bits % 8) - 1);
    p->count = count_bits(map, blocks, rank);
    p->bitmap = map;
    p->rank = rank;
    return true;
}

/* A bitmap behind a second header: offset of the first page, pages stored, pages there are, one bit for
 * each. The pages stored are counted, not believed. Public parsers that agree; of the older form the
 * 64-bit layout follows from one source, and no real dump of either was read. */
static bool open_bitmap(struct dfr_pages *p, struct dfr_arena *a, const struct dfr_container *c,
                        struct dfr_diags *diags)
{
    enum { FIRST = 0x20, STORED = 0x28, BITS = 0x30, MAP = 0x38 };
    enum {
        OLD_FIRST = 0x0C,
        OLD_BITS = 0x10,
        OLD_STORED = 0x14,
        OLD_MAP32 = 0x20,
        OLD_MAP64 = 0x28
    };
    uint64_t at = c->wide ? DFR_HEADER64_SIZE : DFR_HEADER32_SIZE, stored = 0, map = MAP;
    uint32_t first = 0, bits = 0, n = 0, magic = 0;
    bool read = dfr_bytes_u32(p->bytes, at + 4, &magic) && magic == 0x504D5544; /* `DUMP` */
    if (read && c->form == DFR_FORM_SUMMARY) {
        map = c->wide ? OLD_MAP64 : OLD_MAP32;
        read = dfr_bytes_u32(p->bytes, at + OLD_FIRST, &first) &&
               dfr_bytes_u32(p->bytes, at + OLD_BITS, &bits) &&
               dfr_bytes_u32(p->bytes, at + OLD_STORED, &n);
        p->first = first;
        p->bits = bits;
        stored = n;
    } else if (read) {
        read = dfr_bytes_u64(p->bytes, at + FIRST, &p->first) &&
               dfr_bytes_u64(p->bytes, at + BITS, &p->bits) &&
               dfr_bytes_u64(p->bytes, at + STORED, &stored);
    }
    if (!read) {
        damaged(p, diags, at, at + map, "the list of memory behind the header is not readable");
        return false;
    }
    if (!read_bitmap(p, a, at + map, diags))
        return false;
    if (p->whole && stored != p->count)
        damaged(p, diags, at, at + map, "the page bitmap does not hold the pages that it says");
    return true;
}

/* ---- Answers ------------------------------------------------------------------------------- */

bool dfr_pages_open(struct dfr_pages *p, struct dfr_arena *a, const struct dfr_container *c,
                    struct dfr_diags *diags)
{
    bool open = false;
    *p = (struct dfr_pages){.bytes = c->bytes, .whole = true};
    switch (c->form) {
    case DFR_FORM_FULL:
        open = open_full(p, a, c, diags);
        break;
    case DFR_FORM_RDMP:
        open = open_ranges(p, a, c, diags);
        break;
    case DFR_FORM_BITMAP:
    case DFR_FORM_SUMMARY:
        open = open_bitmap(p, a, c, diags);
        break;
    case DFR_FORM_UNKNOWN:
    case DFR_FORM_HEADER:
    case DFR_FORM_TRIAGE:
        break;
    }
    if (!open) {
        p->count = 0;
        p->runs.n = 0;
        return false;
    }
    reach(p, diags);
    if (!sort_runs(p))
        damaged(p, diags, 0, p->first, "the dump lists the same pages of memory twice");
    return true;
}

static bool in_bitmap(const struct dfr_pages *p, uint64_t pfn, uint64_t *ret_off)
{
    if (pfn >= p->bits || !(p->bitmap[pfn / 8] >> pfn % 8 & 1))
        return false;
    uint64_t n = p->rank[pfn / BLOCK_BITS], bytes = 0;
    const uint8_t *map = p->bitmap + pfn / BLOCK_BITS * BLOCK_BYTES;
    for (uint64_t left = pfn % BLOCK_BITS; left; map += 8) {
        uint64_t word = word_at(map), take = left < 64 ? left : 64;
        if (take < 64)
            word &= (UINT64_C(1) << take) - 1;
        bytes += bits_by_byte(word);
        left -= take;
    }
    n += sum_of_bytes(bytes);
    *ret_off = p->first + n * DFR_PAGE_BYTES;
    return true;
}

static bool in_runs(const struct dfr_pages *p, uint64_t pfn, uint64_t *ret_off, uint64_t *ret_pages)
{
    uint32_t from = 0, to = p->runs.n;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (p->runs.v[mid].pfn <= pfn)
            from = mid + 1;
        else
            to = mid;
    }
    if (!from || pfn - p->runs.v[from - 1].pfn >= p->runs.v[from - 1].count)
        return false;
    const struct dfr_run *r = &p->runs.v[from - 1];
    *ret_off = r->off + (pfn - r->pfn) * DFR_PAGE_BYTES;
    *ret_pages = r->count - (pfn - r->pfn);
    return true;
}

enum dfr_reason dfr_pages_at(const struct dfr_pages *p, uint64_t address, uint64_t *ret_off,
                             uint64_t *ret_len)
{
    uint64_t off, pages = 1, in = address % DFR_PAGE_BYTES;
    if (!(p->bitmap ? in_bitmap(p, address >> DFR_PAGE_SHIFT, &off)
                    : in_runs(p, address >> DFR_PAGE_SHIFT, &off, &pages)))
        return p->cut && (!p->bitmap || address >> DFR_PAGE_SHIFT >= p->bits)
                   ? DFR_REASON_DAMAGED
                   : DFR_REASON_NOT_CAPTURED;
    off += in;
    if (off >= p->bytes->size)
        return DFR_REASON_DAMAGED;
    uint64_t len = pages * DFR_PAGE_BYTES - in, have = p->bytes->size - off;
    *ret_off = off;
    *ret_len = len < have ? len : have;
    return DFR_REASON_NONE;
}

enum dfr_reason dfr_pages_copy(const struct dfr_pages *p, uint64_t address, void *buf, size_t len)
{
    for (uint8_t *to = buf; len;) {
        uint64_t off, have;
        enum dfr_reason why = dfr_pages_at(p, address, &off, &have);
        if (why != DFR_REASON_NONE)
            return why;
        size_t n = have < len ? (size_t)have : len;
        if (!dfr_bytes_copy(p->bytes, off, to, n))
            return DFR_REASON_DAMAGED;
        to += n;
        len -= n;
        if (len && !dfr_u64_add(address, n, &address))
            return DFR_REASON_NOT_CAPTURED;
    }
    return DFR_REASON_NONE;
}
