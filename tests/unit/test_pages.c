/* Physical pages of forged dumps of every kind: where each stands, what is missing, what is damaged. */
#include <pthread.h>
#include <stdlib.h>

#include "derive_help.h"
#include "memory/pages.h"
#include "page_forge.h"

TestSuite(pages, .init = open_facts, .fini = close_facts, .timeout = 60);

static struct pages_forge f;
static uint8_t file[PAGES_FILE];
static struct dfr_bytes bytes;
static struct dfr_container c;
static struct dfr_pages p;
static struct dfr_diags diags;

static const struct kind {
    uint32_t type;
    bool wide;
} kinds[] = {{1, true}, {5, true},  {6, true},  {2, true},  {8, true},
             {9, true}, {10, true}, {1, false}, {5, false}, {2, false}};

static bool open_bytes(void)
{
    struct dfr_err err;
    dfr_diags_init(&diags, &arena);
    cr_assert_eq(dfr_container_open(&c, &bytes, &err), DFR_OK, "%s", err.message);
    return dfr_pages_open(&p, &arena, &c, &diags);
}

static bool open_file(size_t len)
{
    dfr_bytes_memory(&bytes, &arena, (struct dfr_span){file, len});
    return open_bytes();
}

/* Pages 3 4 5, 9, 0x1FF 0x200, 0x3E7: borders of words and blocks of the bitmap, and its last bit. */
static const uint64_t numbers[] = {3, 4, 5, 9, 0x1FF, 0x200, 0x3E7};
enum { BITS = 0x3E8 };

static void forge_pages(void)
{
    memset(&f, 0, sizeof f);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        uint8_t *page = pages_forge_page(&f, numbers[i]);
        for (size_t at = 0; at < PAGES_BYTES; at += 8)
            pages_forge_put(page, at, numbers[i] << 32 | at, 8);
    }
}

static uint64_t word(uint64_t address, enum dfr_reason *why)
{
    uint8_t b[8];
    uint64_t u = 0;
    *why = dfr_pages_copy(&p, address, b, sizeof b);
    (void)dfr_span_u64le((struct dfr_span){b, sizeof b}, 0, &u);
    return u;
}

Test(pages, of_every_kind)
{
    forge_pages();
    for (size_t k = 0; k < COUNT(kinds); k++) {
        size_t len = pages_forge_file(&f, kinds[k].type, kinds[k].wide, BITS, file);
        cr_assert(open_file(len), "kind %zu", k);
        cr_expect(p.whole, "kind %zu", k);
        cr_expect_eq(diags.n, 0, "kind %zu", k);
        cr_expect_eq(p.count, COUNT(numbers), "kind %zu", k);
        for (uint64_t pfn = 0; pfn < 0x400; pfn++) {
            bool there = false;
            for (size_t i = 0; i < COUNT(numbers); i++)
                there |= numbers[i] == pfn;
            for (uint64_t at = 0; at < PAGES_BYTES; at += 0xFF8) {
                enum dfr_reason why;
                uint64_t u = word(pfn << 12 | at, &why);
                cr_expect_eq(why, there ? DFR_REASON_NONE : DFR_REASON_NOT_CAPTURED);
                if (there)
                    cr_expect_eq(u, pfn << 32 | at, "kind %zu: page %x", k, (unsigned)pfn);
            }
        }
        enum dfr_reason why;
        (void)word(0x5FFC, &why); /* the next page is not there */
        cr_expect_eq(why, DFR_REASON_NOT_CAPTURED);
        (void)word(UINT64_MAX - 3, &why);
        cr_expect_eq(why, DFR_REASON_NOT_CAPTURED);
    }
}

/* The bytes on both sides of a border of pages. */
Test(pages, across_a_border)
{
    forge_pages();
    for (size_t k = 0; k < COUNT(kinds); k++) {
        enum dfr_reason why;
        cr_assert(open_file(pages_forge_file(&f, kinds[k].type, kinds[k].wide, BITS, file)));
        /* The upper half of the last word of page 3, the lower half of the first of page 4. */
        cr_expect_eq(word(0x3FFC, &why), 3, "kind %zu", k);
        cr_expect_eq(why, DFR_REASON_NONE);
        cr_expect_eq(word(0x1FFFFC, &why), 0x1FF, "kind %zu", k);
        cr_expect_eq(why, DFR_REASON_NONE);
    }
}

/* Whatever the cut, what lies before it is read, what lies behind it is damaged, nothing is invented. */
Test(pages, torn_anywhere)
{
    forge_pages();
    for (size_t k = 0; k < COUNT(kinds); k++) {
        size_t len = pages_forge_file(&f, kinds[k].type, kinds[k].wide, BITS, file);
        for (size_t cut = kinds[k].wide ? 0x2000 : 0x1000; cut < len; cut += 256) {
            uint8_t *copy = malloc(cut);
            memcpy(copy, file, cut);
            dfr_bytes_memory(&bytes, &arena, (struct dfr_span){copy, cut});
            bool open = open_bytes();
            cr_expect(!p.whole, "kind %zu cut at %zx", k, cut);
            cr_expect_geq(diags.n, 1, "kind %zu cut at %zx", k, cut);
            for (size_t i = 0; i < COUNT(numbers); i++) {
                size_t at = len - (COUNT(numbers) - i) * PAGES_BYTES;
                enum dfr_reason why;
                uint64_t u = word(numbers[i] << 12, &why);
                if (!open)
                    why = DFR_REASON_DAMAGED;
                if (cut >= at + 8)
                    cr_expect_eq(u, numbers[i] << 32, "kind %zu cut at %zx", k, cut);
                else
                    cr_expect_eq(why, DFR_REASON_DAMAGED, "kind %zu cut at %zx: %d", k, cut, why);
            }
            free(copy);
            dfr_arena_reset(&arena);
        }
    }
}

/* Fields that make no sense: nothing is read past the end, nothing loops, and it is told. */
Test(pages, hostile_fields)
{
    static const struct {
        uint32_t type;
        bool wide;
        size_t at;
        unsigned bytes;
        uint64_t value;
    } rows[] = {
        {1, true, 0x88, 4, 43},
        {1, true, 0x88, 4, 0x45474150},
        {1, true, 0x88, 4, UINT32_MAX},
        {1, true, 0x88, 4, 0},
        {1, true, 0x90, 8, 99},
        {1, true, 0x98, 8, UINT64_MAX},
        {1, true, 0xA0, 8, UINT64_MAX},
        {1, true, 0xA0, 8, UINT64_C(1) << 39},
        {1, false, 0x64, 4, 87},
        {1, false, 0x70, 4, UINT32_MAX},
        {5, true, 0x2020, 8, 0},
        {5, true, 0x2020, 8, UINT64_MAX},
        {5, true, 0x2020, 8, UINT64_MAX - 0xFFF},
        {5, true, 0x2020, 8, 0x3001},
        {5, true, 0x2028, 8, 3},
        {5, true, 0x2030, 8, UINT64_MAX},
        {5, true, 0x2030, 8, UINT64_C(1) << 40},
        {5, true, 0x2030, 8, 0},
        {5, true, 0x2030, 8, 0x8000},
        {5, true, 0x2004, 4, 0},
        {2, false, 0x100C, 4, 0},
        {2, false, 0x1010, 4, UINT32_MAX},
        {2, true, 0x2014, 4, 1},
        {8, true, 0x2010, 8, 0},
        {8, true, 0x2018, 8, 0},
        {8, true, 0x2018, 8, UINT64_MAX},
        {8, true, 0x2018, 8, UINT64_MAX - 15},
        {8, true, 0x2018, 8, UINT64_C(1) << 61},
        {8, true, 0x2030, 8, UINT64_MAX},
        {8, true, 0x2038, 8, UINT64_MAX},
        {8, true, 0x2038, 8, UINT64_C(1) << 39},
        {10, true, 0x2028, 8, 2},
        {10, true, 0x2028, 8, UINT64_MAX - 1},
    };
    forge_pages();
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = pages_forge_file(&f, rows[i].type, rows[i].wide, BITS, file);
        pages_forge_put(file, rows[i].at, rows[i].value, rows[i].bytes);
        bool open = open_file(len);
        cr_expect(!p.whole, "row %zu", i);
        cr_expect_geq(diags.n, 1, "row %zu", i);
        for (uint64_t pfn = 0; open && pfn < 0x400; pfn++) {
            enum dfr_reason why;
            (void)word(pfn << 12, &why);
            (void)word((pfn << 40) | 0xFF8, &why);
        }
    }
}

Test(pages, runs_that_overlap)
{
    forge_pages();
    size_t len = pages_forge_file(&f, 1, true, BITS, file);
    forge64(file, 0x98 + 16, 4); /* the second run, page 9, becomes page 4 */
    cr_assert(open_file(len));
    cr_expect(!p.whole);
    enum dfr_reason why;
    cr_expect_eq(word(4 << 12, &why), UINT64_C(4) << 32);
    cr_expect_eq(why, DFR_REASON_NONE);
    (void)word(9 << 12, &why);
    cr_expect_eq(why, DFR_REASON_NOT_CAPTURED);
    cr_expect_eq(word(0x1FF000, &why), UINT64_C(0x1FF) << 32);
}

/* No order is promised: ranges stand in the file in the order of their list. */
Test(pages, ranges_in_any_order)
{
    forge_pages();
    size_t len = pages_forge_file(&f, 8, true, BITS, file);
    forge64(file, 0x2030, 0x700); /* pages 3 4 5 are called 0x700.. */
    cr_assert(open_file(len));
    enum dfr_reason why;
    cr_expect_eq(word(0x701000, &why), UINT64_C(4) << 32);
    cr_expect_eq(word(0x9000, &why), UINT64_C(9) << 32);
    cr_expect(p.whole);
}

static uint64_t seed = 88172645463325252;
static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* The index gives what counting bit by bit gives, for bitmaps of any length and density. */
Test(pages, index_equals_counting)
{
    enum { HEAD = 0x2000, MAP = 0x2038, FIRST = 0x4000, MOST = (FIRST - MAP) * 8 };
    static uint8_t sparse[FIRST + 0x1000];
    for (unsigned round = 0; round < 200; round++) {
        uint64_t bits = round < 20 ? 1 + round * 37 : 1 + next() % (MOST - 1);
        unsigned density = (unsigned)(next() % 4);
        memset(sparse, 0, sizeof sparse);
        forge_header(sparse, 5);
        memcpy(sparse + HEAD, "FDMPDUMP", 8);
        forge64(sparse, HEAD + 0x20, FIRST);
        forge64(sparse, HEAD + 0x30, bits);
        for (size_t i = MAP; i < FIRST; i++) /* bits behind the last one too: they mean nothing */
            sparse[i] = (uint8_t)(density == 0   ? next()
                                  : density == 1 ? next() & next() & next()
                                  : density == 2 ? next() | next()
                                                 : (next() % 64 ? 0 : next()));
        dfr_bytes_memory(&bytes, &arena, (struct dfr_span){sparse, sizeof sparse});
        cr_assert(open_bytes());
        bytes.size =
            UINT64_MAX / 2; /* the pages themselves are nowhere: only their places matter */
        uint64_t n = 0;
        for (uint64_t pfn = 0; pfn < bits + 70; pfn++) {
            bool set = pfn < bits && (sparse[MAP + pfn / 8] >> pfn % 8 & 1);
            uint64_t off = 0, len = 0;
            enum dfr_reason why = dfr_pages_at(&p, pfn << 12 | 5, &off, &len);
            if (why != (set ? DFR_REASON_NONE : DFR_REASON_NOT_CAPTURED) ||
                (set && (off != FIRST + n * PAGES_BYTES + 5 || len != PAGES_BYTES - 5)))
                cr_assert_fail("round %u: page %u of %u", round, (unsigned)pfn, (unsigned)bits);
            n += set;
        }
        cr_expect_eq(p.count, n);
        dfr_arena_reset(&arena);
    }
}

/* ---- Bytes --------------------------------------------------------------------------------- */

static bool give(void *user, uint64_t off, void *buf, size_t len)
{
    const struct dfr_span *s = user;
    struct dfr_span from;
    if (!dfr_span_sub(*s, off, len, &from))
        return false;
    memcpy(buf, from.p, len);
    return true;
}

/* Windows change nothing but the number of reads. */
Test(pages, windows_give_the_same)
{
    forge_pages();
    struct dfr_span whole = {file, pages_forge_file(&f, 5, true, BITS, file)};
    whole.len -= 100; /* an odd end */
    dfr_bytes_callback(&bytes, &arena, whole.len, give, &whole);
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t got[0x2100], want[sizeof got];
        uint64_t off = next() % (whole.len + 10);
        size_t len = (size_t)(next() % (round % 16 ? 64 : sizeof got));
        bool in = give(&whole, off, want, len);
        cr_assert_eq(dfr_bytes_copy(&bytes, off, got, len), in);
        if (in && memcmp(got, want, len) != 0)
            cr_assert_fail("%zu bytes at %llx", len, (unsigned long long)off);
    }
}

struct reader {
    struct dfr_span whole;
    bool same;
};

static void *read_much(void *arg)
{
    struct reader *r = arg;
    uint64_t s = (uint64_t)(uintptr_t)arg | 1;
    r->same = true;
    for (unsigned round = 0; round < 20000; round++) {
        s = s * 6364136223846793005u + 1442695040888963407u;
        size_t i = (s >> 33) % COUNT(numbers);
        uint64_t at = (s >> 45) % (PAGES_BYTES / 8) * 8;
        uint8_t b[8];
        uint64_t u = 0;
        if (dfr_pages_copy(&p, numbers[i] << 12 | at, b, sizeof b) != DFR_REASON_NONE)
            r->same = false;
        (void)dfr_span_u64le((struct dfr_span){b, sizeof b}, 0, &u);
        r->same &= u == (numbers[i] << 32 | at);
    }
    return NULL;
}

/* Once they are shared, any number of threads may read, and only what they ask for is fetched. */
Test(pages, shared_by_threads)
{
    enum { THREADS = 4 };
    forge_pages();
    struct dfr_span whole = {file, pages_forge_file(&f, 5, true, BITS, file)};
    dfr_bytes_callback(&bytes, &arena, whole.len, give, &whole);
    cr_assert(open_bytes());
    dfr_bytes_share(&bytes);
    uint64_t before = bytes.fetched;
    pthread_t threads[THREADS];
    struct reader readers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        readers[i].whole = whole;
        cr_assert_eq(pthread_create(&threads[i], NULL, read_much, &readers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
        cr_expect(readers[i].same);
    }
    cr_expect_eq(bytes.fetched - before, THREADS * UINT64_C(20000) * 8);
    struct dfr_span s;
    cr_expect(!dfr_bytes_span(&bytes, 0, 16, &s));
}

/* The first 16 KiB of a real complete dump of 2 GiB, when it is beside the repository. */
Test(pages, head_of_a_real_dump)
{
    FILE *in = fopen("../shared/dumps/imhex_full_header16k.dmp", "rb");
    if (!in)
        return;
    size_t len = fread(file, 1, sizeof file, in);
    fclose(in);
    cr_assert(open_file(len));
    cr_expect_eq(len, 16384);
    cr_expect(!p.whole);
    cr_expect_eq(diags.n, 1);
    cr_expect_eq(p.count, 523910);
    cr_expect_eq(p.runs.n, 5);
    enum dfr_reason why;
    uint64_t off, have;
    (void)word(0x2000, &why);
    cr_expect_eq(why, DFR_REASON_NONE);
    (void)word(0x1000, &why);
    cr_expect_eq(why, DFR_REASON_NOT_CAPTURED);
    cr_expect_eq(dfr_pages_at(&p, 0x3010, &off, &have), DFR_REASON_NONE);
    cr_expect_eq(off, 0x3010);
    (void)word(0x4000, &why);
    cr_expect_eq(why, DFR_REASON_DAMAGED);
    (void)word(UINT64_C(0xFBFF000), &why);
    cr_expect_eq(why, DFR_REASON_DAMAGED);
    (void)word(UINT64_C(0x80000000), &why);
    cr_expect_eq(why, DFR_REASON_NOT_CAPTURED);
}
