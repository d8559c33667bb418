/* The base layer: spans, arenas under a failing host, strings, globs, names, the text builder. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/checked.h"
#include "base/diag.h"
#include "base/limits.h"
#include "base/span.h"
#include "base/vec.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static struct dfr_mem mem;
static struct dfr_arena arena;
static jmp_buf guard;

static void begin(void)
{
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    dfr_arena_init(&arena, &mem);
}

static void end(void)
{
    dfr_arena_deinit(&arena);
    cr_expect_eq(mem.live, 0, "everything was given back");
}

static struct dfr_str z(const char *s)
{
    return dfr_str_from(s);
}

/* ---- Spans and arithmetic ------------------------------------------------------------------ */

Test(span, sub_accepts_what_lies_inside)
{
    static const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const struct {
        uint64_t off, len;
        bool ok;
    } rows[] = {
        {0, 8, true},
        {0, 9, false},
        {8, 0, true},
        {9, 0, false},
        {7, 1, true},
        {7, 2, false},
        {UINT64_MAX, 1, false},
        {1, UINT64_MAX, false},
        {UINT64_MAX, UINT64_MAX, false},
        {4, UINT64_MAX - 3, false},
    };
    struct dfr_span s = {bytes, sizeof bytes};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dfr_span ret = {NULL, 99};
        cr_expect_eq(dfr_span_sub(s, rows[i].off, rows[i].len, &ret), rows[i].ok, "row %zu", i);
        if (rows[i].ok)
            cr_expect(ret.p == bytes + rows[i].off && ret.len == rows[i].len, "row %zu", i);
        else
            cr_expect(ret.p == NULL && ret.len == 99, "row %zu: left alone", i);
    }
}

Test(span, reads_little_endian)
{
    static const uint8_t bytes[] = {0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE, 0xFF};
    struct dfr_span s = {bytes, sizeof bytes};
    uint8_t a = 0;
    uint16_t b = 0;
    uint32_t c = 0;
    uint64_t d = 0;
    cr_expect(dfr_span_u8(s, 8, &a) && a == 0xFF);
    cr_expect(dfr_span_u16le(s, 1, &b) && b == 0x5432);
    cr_expect(dfr_span_u32le(s, 4, &c) && c == 0xFEDCBA98);
    cr_expect(dfr_span_u64le(s, 0, &d) && d == UINT64_C(0xFEDCBA9876543210));
    cr_expect(!dfr_span_u8(s, 9, &a) && !dfr_span_u16le(s, 8, &b) && !dfr_span_u32le(s, 6, &c) &&
              !dfr_span_u64le(s, 2, &d) && !dfr_span_u64le(s, UINT64_MAX - 3, &d));
    cr_expect_eq(d, UINT64_C(0xFEDCBA9876543210), "left alone");
}

Test(checked, says_when_it_overflows)
{
    int64_t i = 7;
    uint64_t u = 7;
    uint32_t n = 7;
    cr_expect(!dfr_i64_add(INT64_MAX, 1, &i) && !dfr_i64_sub(INT64_MIN, 1, &i) &&
              !dfr_i64_mul(INT64_MIN, -1, &i) && i == 7);
    cr_expect(!dfr_u64_add(UINT64_MAX, 1, &u) &&
              !dfr_u64_mul(UINT64_C(1) << 32, UINT64_C(1) << 32, &u) && u == 7);
    cr_expect(dfr_i64_sub(INT64_MIN, INT64_MIN, &i) && i == 0);
    cr_expect(!dfr_u32_from_u64(UINT64_C(1) << 32, &n) && n == 7 &&
              dfr_u32_from_u64(UINT32_MAX, &n) && n == UINT32_MAX);
    cr_expect(!dfr_i64_from_u64(UINT64_C(1) << 63, &i) && i == 0);
}

/* ---- Arenas -------------------------------------------------------------------------------- */

static void note_release(void *p)
{
    char *log = p;
    strcat(log, "x");
}

Test(arena, gives_zeroed_aligned_memory, .init = begin, .fini = end)
{
    for (size_t size = 0; size < 300; size += 7) {
        unsigned char *p = dfr_arena_alloc(&arena, size);
        cr_assert_eq((uintptr_t)p % 16, 0, "size %zu", size);
        for (size_t i = 0; i < size; i++)
            cr_assert_eq(p[i], 0, "size %zu", size);
        memset(p, 0xEE, size);
    }
    size_t used = arena.used;
    cr_expect_gt(used, 0);
    dfr_arena_reset(&arena);
    cr_expect_eq(arena.used, 0);
    unsigned char *again = dfr_arena_alloc(&arena, 4096);
    for (size_t i = 0; i < 4096; i++)
        cr_assert_eq(again[i], 0, "reused memory is cleared");
}

Test(arena, runs_deferred_releases_once, .init = begin, .fini = end)
{
    char log[8] = "";
    dfr_arena_defer(&arena, note_release, log);
    dfr_arena_defer(&arena, note_release, log);
    dfr_arena_reset(&arena);
    cr_expect_str_eq(log, "xx");
    dfr_arena_deinit(&arena);
    dfr_arena_deinit(&arena);
    cr_expect_str_eq(log, "xx");
}

struct failing {
    unsigned left; /* allocations that still succeed */
};

static void *failing_alloc(void *user, size_t size)
{
    struct failing *f = user;
    if (f->left == 0)
        return NULL;
    f->left--;
    return malloc(size);
}

static void failing_free(void *user, void *p)
{
    (void)user;
    free(p);
}

/* Work that needs many blocks; true when it came to its end. */
static bool work(struct dfr_mem *m, struct dfr_arena *a)
{
    jmp_buf here;
    dfr_arena_init(a, m);
    m->guard = &here;
    if (setjmp(here))
        return false;
    struct dfr_names names;
    dfr_names_init(&names, a, false);
    for (unsigned i = 0; i < 5000; i++) {
        char name[16];
        int n = snprintf(name, sizeof name, "name%u", i);
        dfr_names_add(&names, (struct dfr_str){name, (size_t)n});
    }
    return names.n == 5001;
}

Test(arena, survives_every_failing_allocation)
{
    unsigned failed = 0;
    for (unsigned n = 0; n < 1000; n++) {
        struct failing f = {n};
        struct dfr_allocator host = {failing_alloc, failing_free, &f};
        struct dfr_mem m;
        struct dfr_arena a;
        dfr_mem_init(&m, &host, 0);
        bool done = work(&m, &a);
        dfr_arena_deinit(&a);
        cr_assert_eq(m.live, 0, "after failure %u", n);
        if (done)
            break;
        failed++;
    }
    cr_expect(failed > 3 && failed < 1000, "%u allocations failed before it passed", failed);
}

Test(arena, holds_to_its_limit)
{
    struct dfr_mem m;
    struct dfr_arena a;
    dfr_mem_init(&m, NULL, 64 * 1024);
    cr_expect_not(work(&m, &a));
    cr_expect_leq(m.live, 64 * 1024);
    dfr_arena_deinit(&a);
    cr_expect_eq(m.live, 0);
}

Test(arena, refuses_products_that_overflow, .init = begin, .fini = end)
{
    if (setjmp(guard) == 0) {
        dfr_arena_array(&arena, SIZE_MAX / 2, 3);
        cr_assert_fail("came back");
    }
    if (setjmp(guard) == 0) {
        dfr_arena_alloc(&arena, SIZE_MAX);
        cr_assert_fail("came back");
    }
}

Test(vec, keeps_what_was_pushed, .init = begin, .fini = end)
{
    DFR_VEC(uint32_t) v = {0};
    for (uint32_t i = 0; i < 10000; i++)
        *DFR_PUSH(&arena, &v) = i;
    cr_assert_eq(v.n, 10000);
    for (uint32_t i = 0; i < v.n; i++)
        cr_assert_eq(v.v[i], i);
}

/* ---- Strings ------------------------------------------------------------------------------- */

Test(str, globs)
{
    static const struct {
        const char *pattern, *s;
        bool fold, match;
    } rows[] = {
        {"", "", false, true},
        {"", "a", false, false},
        {"*", "", false, true},
        {"?", "", false, false},
        {"iaStor*", "iaStorA", false, true},
        {"iastor*", "iaStorA", false, false},
        {"iastor*", "iaStorA", true, true},
        {"*Verifier*", "VerifierKeAcquire", false, true},
        {"a*b*c", "aXXbYYc", false, true},
        {"a*b*c", "aXXbYY", false, false},
        {"a*bc", "abcbc", false, true},
        {"?b?", "abc", false, true},
        {"?b?", "ab", false, false},
        {"**a**", "a", false, true},
        {"Ki*Abort", "KiDoubleFaultAbortX", false, false},
        {"*\xC3\xA9", "caf\xC3\xA9", false, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        cr_expect_eq(dfr_str_glob(z(rows[i].pattern), z(rows[i].s), rows[i].fold), rows[i].match,
                     "%s against %s", rows[i].pattern, rows[i].s);
}

Test(str, globs_of_many_stars_end_soon)
{
    char pattern[64], s[4096];
    memset(s, 'a', sizeof s);
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = i % 2 ? 'a' : '*';
    pattern[sizeof pattern - 1] = 'b';
    cr_expect_not(dfr_str_glob((struct dfr_str){pattern, sizeof pattern},
                               (struct dfr_str){s, sizeof s}, false));
}

Test(str, distances)
{
    static const struct {
        const char *a, *b;
        unsigned most, want;
    } rows[] = {
        {"ipi_frozen", "ipi_frozen", 3, 0},
        {"ipi_frozn", "ipi_frozen", 3, 1},
        {"ipi_forzen", "ipi_frozen", 3, 1},
        {"IPI_frozen", "ipi_Frozen", 3, 0},
        {"", "abc", 3, 3},
        {"abc", "xyz", 2, 3},
        {"kitten", "sitting", 3, 3},
        {"", "", 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        cr_expect_eq(dfr_str_distance(z(rows[i].a), z(rows[i].b), rows[i].most), rows[i].want,
                     "%s, %s", rows[i].a, rows[i].b);
        cr_expect_eq(dfr_str_distance(z(rows[i].b), z(rows[i].a), rows[i].most), rows[i].want,
                     "%s, %s", rows[i].b, rows[i].a);
    }
    char longer[200];
    memset(longer, 'x', sizeof longer);
    cr_expect_eq(dfr_str_distance((struct dfr_str){longer, sizeof longer}, z("x"), 2), 3);
}

Test(str, comparing_and_finding)
{
    cr_expect(dfr_str_eq_ci(z("iaStor.SYS"), z("IASTOR.sys")) && !dfr_str_eq(z("a"), z("A")));
    cr_expect(dfr_str_cmp(z("a"), z("ab")) < 0 && dfr_str_cmp(z("b"), z("ab")) > 0);
    cr_expect_eq(dfr_str_cmp_ci(z("NT"), z("nt")), 0);
    cr_expect(dfr_str_starts_ci(z("BugCheck 7F"), z("bugcheck")) &&
              !dfr_str_starts(z("a"), z("ab")));
    cr_expect(dfr_str_ends_ci(z("x.SYS"), z(".sys")) && !dfr_str_ends_ci(z("s"), z(".sys")));
    cr_expect_eq(dfr_str_find(z("abcabd"), z("abd")), 3);
    cr_expect_eq(dfr_str_find(z("abc"), z("")), 0);
    cr_expect_eq(dfr_str_find(z("abc"), z("abcd")), SIZE_MAX);
    cr_expect_eq(dfr_str_find_ci(z("xxKERNEL"), z("kernel")), 2);
    cr_expect_eq(dfr_str_find_ci(z("x"), z("kernel")), SIZE_MAX);
    cr_expect(dfr_str_eq(dfr_str_trim(z(" \t a b\r\n")), z("a b")) &&
              dfr_str_trim(z(" \n")).len == 0);
    cr_expect(dfr_str_eq(dfr_str_slice(z("abc"), 1, 99), z("bc")) &&
              dfr_str_slice(z("abc"), 5, 2).len == 0);
    cr_expect_eq(dfr_str_hash_ci(z("NT")), dfr_str_hash_ci(z("nt")));
}

Test(names, are_interned_once, .init = begin, .fini = end)
{
    struct dfr_names exact, folded;
    dfr_names_init(&exact, &arena, false);
    dfr_names_init(&folded, &arena, true);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 3000; i++) {
            char name[16];
            int n = snprintf(name, sizeof name, "Drv%u", i);
            cr_assert_eq(dfr_names_add(&exact, (struct dfr_str){name, (size_t)n}), i + 1);
            name[0] = round ? 'd' : 'D';
            cr_assert_eq(dfr_names_add(&folded, (struct dfr_str){name, (size_t)n}), i + 1);
        }
    }
    cr_expect_eq(dfr_names_find(&exact, z("drv7")), 0);
    cr_expect_eq(dfr_names_find(&folded, z("dRV7")), 8);
    cr_expect(dfr_str_eq(exact.text[8], z("Drv7")) && exact.text[0].len == 0);
    cr_expect_eq(dfr_names_find(&exact, z("")), 0);
    uint32_t empty = dfr_names_add(&exact, z(""));
    cr_expect_eq(dfr_names_find(&exact, z("")), empty);
}

/* ---- Text ---------------------------------------------------------------------------------- */

Test(buf, neutralises_hostile_text, .init = begin, .fini = end)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"iaStor.sys", "iaStor.sys"},
        {"caf\xC3\xA9 \xE4\xB8\xAD", "caf\xC3\xA9 \xE4\xB8\xAD"},
        {"\x1B[2Jgone", "\\x1b[2Jgone"},
        {"a\rb\nc\td", "a\\x0db\\x0ac\\x09d"},
        {"\x7F", "\\x7f"},
        {"\xC2\x9B"
         "31m",
         "\\x9b31m"}, /* the one-byte control sequence introducer */
        {"\xE2\x80\xAE"
         "exe.txt",
         "\\u202eexe.txt"}, /* right-to-left override */
        {"\xFF\xFE", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xC3", "\xEF\xBF\xBD"},                                 /* cut in the middle */
        {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                 /* overlong */
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* a lone surrogate */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dfr_buf b;
        dfr_buf_init(&b, &arena);
        dfr_buf_safe(&b, z(rows[i].in));
        cr_expect(dfr_str_eq(dfr_buf_text(&b), z(rows[i].out)), "row %zu: %.*s", i, (int)b.len,
                  b.p);
    }
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    dfr_buf_safe(&b, (struct dfr_str){"a\0b", 3});
    cr_expect(dfr_str_eq(dfr_buf_text(&b), z("a\\x00b")));
}

Test(buf, cuts_at_its_cap, .init = begin, .fini = end)
{
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    b.most = 10;
    dfr_buf_printf(&b, "%s-%d", "abcdef", 42);
    cr_expect_not(b.cut);
    dfr_buf_z(&b, "wxyz");
    cr_expect(b.cut && dfr_str_eq(dfr_buf_text(&b), z("abcdef-42w")));
    dfr_buf_char(&b, '!');
    cr_expect_eq(b.len, 10);
    cr_expect_eq(b.p[10], 0);
}

Test(buf, formats_more_than_its_scratch, .init = begin, .fini = end)
{
    char longer[2000];
    memset(longer, 'q', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    cr_expect_eq(dfr_buf_text(&b).len, 0);
    dfr_buf_printf(&b, "<%s>", longer);
    cr_expect(b.len == 2001 && b.p[0] == '<' && b.p[2000] == '>');
}

/* ---- Diagnostics --------------------------------------------------------------------------- */

Test(diag, rows_are_sane)
{
    size_t n;
    const struct dfr_diag_info *rows = dfr_diag_rows(&n);
    for (size_t i = 0; i < n; i++) {
        cr_expect(rows[i].number >= 1000 && rows[i].number <= 9999, "%s", rows[i].id);
        cr_expect_eq(dfr_diag_info(rows[i].number), &rows[i], "%s: its number is taken",
                     rows[i].id);
        cr_expect(rows[i].title[0] && strlen(rows[i].help) > 20, "%s says too little", rows[i].id);
    }
    cr_expect_null(dfr_diag_info(1));
}

Test(diag, keeps_a_bounded_number, .init = begin, .fini = end)
{
    struct dfr_diags d;
    dfr_diags_init(&d, &arena);
    for (unsigned i = 0; i < DFR_LIMIT_DIAGNOSTICS + 5; i++)
        dfr_diags_add(&d, DFR_D_SYNTAX, "number %u", i)->line = i;
    cr_expect_eq(d.n, DFR_LIMIT_DIAGNOSTICS);
    cr_expect_eq(d.dropped, 5);
    cr_expect_eq(d.errors, DFR_LIMIT_DIAGNOSTICS + 5);
    cr_expect(dfr_str_eq(d.v[7].message, z("number 7")));
}

Test(diag, fail_fills_and_returns)
{
    struct dfr_err err = {0};
    cr_expect_eq(dfr_fail(&err, DFR_IO, "%s: %d", "x", 3), DFR_IO);
    cr_expect(err.status == DFR_IO && strcmp(err.message, "x: 3") == 0);
    cr_expect_eq(dfr_fail(NULL, DFR_LIMIT, "unseen"), DFR_LIMIT);
}
