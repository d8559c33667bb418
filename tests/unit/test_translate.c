/* Page tables of every kind, entry by entry, and the address space before them. */
#include "derive_help.h"
#include "dump/dump.h"
#include "memory/space.h"
#include "page_forge.h"

TestSuite(translate, .init = open_facts, .fini = close_facts, .timeout = 60);

static struct pages_forge f;
static uint8_t file[PAGES_FILE];
static struct dfr_bytes bytes;
static struct dfr_container c;
static struct dfr_pages p;
static struct dfr_paging paging;
static struct dfr_space space;

/* Pages of tables, of data, and one that is not in the dump. */
enum { ROOT = 0x10, UPPER = 0x11, MIDDLE = 0x12, LOWER = 0x13, HIGHEST = 0x14, OTHER = 0x15 };
enum { DATA = 0x20, MORE = 0x21, PROTO = 0x22, MISSING = 0x2F };
#define BASE UINT64_C(0xFFFFF80000000000) /* entry 0x1F0 of the root, entries 0 below */

static uint64_t at(uint64_t pfn)
{
    return pfn << 12;
}

static void open_pages(uint32_t type, bool wide)
{
    struct dfr_err err;
    static struct dfr_diags diags;
    dfr_diags_init(&diags, &arena);
    size_t len = pages_forge_file(&f, type, wide, 0x800, file);
    dfr_bytes_memory(&bytes, &arena, (struct dfr_span){file, len});
    cr_assert_eq(dfr_container_open(&c, &bytes, &err), DFR_OK);
    cr_assert(dfr_pages_open(&p, &arena, &c, &diags));
    paging.pages = &p;
    space = (struct dfr_space){.bytes = &bytes};
    dfr_space_paging(&space, &paging);
}

static void fill(uint64_t pfn)
{
    uint8_t *page = pages_forge_page(&f, pfn);
    for (size_t i = 0; i < PAGES_BYTES; i += 8)
        pages_forge_put(page, i, pfn << 32 | i, 8);
}

/* Tables of 4 levels down to the one for BASE; `valid`: the low bits of an entry that leads on. */
static void forge_tables(enum dfr_paging_mode mode, uint64_t valid)
{
    memset(&f, 0, sizeof f);
    fill(DATA);
    fill(MORE);
    pages_forge_page(&f, PROTO);
    pages_forge_u64(&f, at(ROOT) + 0x1F0 * 8, at(UPPER) | valid);
    pages_forge_u64(&f, at(UPPER), at(MIDDLE) | valid);
    pages_forge_u64(&f, at(MIDDLE), at(LOWER) | valid);
    pages_forge_page(&f, LOWER);
    paging = (struct dfr_paging){.root = at(ROOT), .mode = mode, .build = 19041};
}

#define NX (UINT64_C(1) << 63)
#define SWIZZLE (UINT64_C(1) << 45)
#define PROTO_VA (BASE + 0x9000 + 0x10) /* entry 9 of the last table leads to page PROTO */

static const struct {
    const char *what;
    enum dfr_paging_mode mode;
    uint64_t entry; /* of page 0 */
    enum dfr_reason why;
    enum dfr_entry kind;
    uint64_t physical; /* of offset 0x123 */
    uint32_t file;
    uint64_t file_page;
} entries[] = {
    {"valid", DFR_PAGING_X64, 0x20063, DFR_REASON_NONE, DFR_ENTRY_VALID, 0x20123, 0, 0},
    {"valid, bits of Windows above it", DFR_PAGING_X64, NX | UINT64_C(0x0AA0000000020863),
     DFR_REASON_NONE, DFR_ENTRY_VALID, 0x20123, 0, 0},
    {"valid, not captured", DFR_PAGING_X64, 0x2F063, DFR_REASON_NONE, DFR_ENTRY_VALID, 0x2F123, 0,
     0},
    {"transition", DFR_PAGING_X64, 0x20880, DFR_REASON_NONE, DFR_ENTRY_TRANSITION, 0x20123, 0, 0},
    {"transition, swizzled", DFR_PAGING_X64, SWIZZLE | 0x20880, DFR_REASON_NONE,
     DFR_ENTRY_TRANSITION, 0x20123, 0, 0},
    {"transition, not swizzled", DFR_PAGING_X64, SWIZZLE | 0x20890, DFR_REASON_NONE,
     DFR_ENTRY_TRANSITION, SWIZZLE | 0x20123, 0, 0},
    {"zero", DFR_PAGING_X64, 0, DFR_REASON_NOT_MAPPED, DFR_ENTRY_ZERO, 0, 0, 0},
    {"demand zero", DFR_PAGING_X64, 0x80, DFR_REASON_NEVER_TOUCHED, DFR_ENTRY_DEMAND, 0, 0, 0},
    {"demand zero, swizzled", DFR_PAGING_X64, SWIZZLE | 0x80, DFR_REASON_NEVER_TOUCHED,
     DFR_ENTRY_DEMAND, 0, 0, 0},
    {"decommitted", DFR_PAGING_X64, 0x200, DFR_REASON_NOT_MAPPED, DFR_ENTRY_DECOMMITTED, 0, 0, 0},
    {"page file", DFR_PAGING_X64, UINT64_C(0x1234000020C0), DFR_REASON_PAGED_OUT,
     DFR_ENTRY_PAGE_FILE, 0, 2, 0x1234},
    {"page file, swizzled", DFR_PAGING_X64, SWIZZLE | UINT64_C(0x0000123400001080),
     DFR_REASON_PAGED_OUT, DFR_ENTRY_PAGE_FILE, 0, 1, 0x1234},
    {"prototype, valid", DFR_PAGING_X64, PROTO_VA << 16 | 0x400, DFR_REASON_NONE, DFR_ENTRY_VALID,
     0x21123, 0, 0},
    {"prototype, in transition", DFR_PAGING_X64, (PROTO_VA + 8) << 16 | 0x400, DFR_REASON_NONE,
     DFR_ENTRY_TRANSITION, 0x21123, 0, 0},
    {"prototype, in a file", DFR_PAGING_X64, (PROTO_VA + 16) << 16 | 0x400, DFR_REASON_PAGED_OUT,
     DFR_ENTRY_FILE, 0, 0, 0},
    {"prototype, paged out", DFR_PAGING_X64, (PROTO_VA + 24) << 16 | 0x400, DFR_REASON_PAGED_OUT,
     DFR_ENTRY_PAGE_FILE, 0, 1, 0x77},
    {"prototype of a prototype", DFR_PAGING_X64, (BASE + 0x123 * 8) << 16 | 0x400,
     DFR_REASON_NOT_READ, DFR_ENTRY_SHARED, 0, 0, 0},
    {"prototype without an address", DFR_PAGING_X64, UINT64_C(0xFFFFFFFF0000) << 16 | 0x400,
     DFR_REASON_NOT_READ, DFR_ENTRY_SHARED, 0, 0, 0},
    {"prototype, a section since 22H2", DFR_PAGING_X64, (PROTO_VA + 32) << 16 | 0x400,
     DFR_REASON_PAGED_OUT, DFR_ENTRY_FILE, 0, 0, 0},
    {"prototype at a user address", DFR_PAGING_X64, UINT64_C(0x00000FFFFFFF0000) | 0x400,
     DFR_REASON_NOT_READ, DFR_ENTRY_SHARED, 0, 0, 0},
    {"prototype, not aligned", DFR_PAGING_X64, (PROTO_VA + 1) << 16 | 0x400, DFR_REASON_NOT_READ,
     DFR_ENTRY_SHARED, 0, 0, 0},
    {"prototype in a page that is not there", DFR_PAGING_X64, (BASE + 0x8000) << 16 | 0x400,
     DFR_REASON_NO_PAGE_TABLE, DFR_ENTRY_NONE, 0, 0, 0},
    {"ARM64 page", DFR_PAGING_ARM64, UINT64_C(0x0060000000020703), DFR_REASON_NONE, DFR_ENTRY_VALID,
     0x20123, 0, 0},
    {"ARM64 block in the last table", DFR_PAGING_ARM64, 0x20701, DFR_REASON_DAMAGED, DFR_ENTRY_BAD,
     0, 0, 0},
    {"ARM64 transition", DFR_PAGING_ARM64, 0x20880, DFR_REASON_NONE, DFR_ENTRY_TRANSITION, 0x20123,
     0, 0},
    {"ARM64 zero", DFR_PAGING_ARM64, 0, DFR_REASON_NOT_MAPPED, DFR_ENTRY_ZERO, 0, 0, 0},
};

Test(translate, entries)
{
    for (size_t i = 0; i < COUNT(entries); i++) {
        bool arm = entries[i].mode == DFR_PAGING_ARM64;
        forge_tables(entries[i].mode, arm ? 3 : 0x63);
        paging.swizzle = arm ? 0 : SWIZZLE;
        pages_forge_u64(&f, at(LOWER), entries[i].entry);
        pages_forge_u64(&f, at(LOWER) + 8 * 8, at(MISSING) | (arm ? 3 : 0x63));
        pages_forge_u64(&f, at(LOWER) + 9 * 8, at(PROTO) | (arm ? 3 : 0x63));
        pages_forge_u64(&f, at(PROTO) + 0x10, at(MORE) | 0x121);
        pages_forge_u64(&f, at(PROTO) + 0x18, at(MORE) | 0x8C0);
        pages_forge_u64(&f, at(PROTO) + 0x20, BASE << 16 | 0x460);
        pages_forge_u64(&f, at(PROTO) + 0x28, UINT64_C(0x7700001080));
        pages_forge_u64(&f, at(PROTO) + 0x30, UINT64_C(0xFFFFB00000012800)); /* bit 11 set */
        paging.build = strstr(entries[i].what, "22H2") ? 22621 : 19041;
        open_pages(1, true);
        struct dfr_walk w = dfr_translate(&paging, BASE + 0x123);
        cr_expect_eq(w.why, entries[i].why, "%s: %s", entries[i].what, dfr_reason_text(w.why));
        cr_expect_eq(w.entry, entries[i].kind, "%s: %d", entries[i].what, w.entry);
        if (w.why == DFR_REASON_NONE) {
            cr_expect_eq(w.physical, entries[i].physical, "%s", entries[i].what);
            cr_expect_eq(w.left, 0x1000 - 0x123, "%s", entries[i].what);
        }
        if (w.entry == DFR_ENTRY_PAGE_FILE) {
            cr_expect_eq(w.page_file, entries[i].file, "%s: %u", entries[i].what, w.page_file);
            cr_expect_eq(w.page_file_page, entries[i].file_page, "%s", entries[i].what);
        }
    }
}

Test(translate, large_pages)
{
    static const struct {
        enum dfr_paging_mode mode;
        uint64_t table; /* the table whose first entry it is */
        uint64_t entry, offset, physical, left;
    } rows[] = {
        {DFR_PAGING_X64, MIDDLE, 0x2000E3 | NX, 0x1FFFFF, 0x3FFFFF, 1},
        {DFR_PAGING_X64, MIDDLE, 0x2010E3, 0x12345, 0x212345, 0x200000 - 0x12345}, /* PAT */
        {DFR_PAGING_X64, UPPER, 0xC00000E3, 0x12345678, 0xD2345678, 0x40000000 - 0x12345678},
        {DFR_PAGING_ARM64, MIDDLE, 0x200701, 0x12345, 0x212345, 0x200000 - 0x12345},
        {DFR_PAGING_ARM64, UPPER, 0xC0000701, 0x12345678, 0xD2345678, 0x40000000 - 0x12345678},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        forge_tables(rows[i].mode, rows[i].mode == DFR_PAGING_ARM64 ? 3 : 0x63);
        pages_forge_u64(&f, at(rows[i].table), rows[i].entry);
        open_pages(1, true);
        struct dfr_walk w = dfr_translate(&paging, BASE + rows[i].offset);
        cr_expect_eq(w.why, DFR_REASON_NONE, "row %zu", i);
        cr_expect_eq(w.entry, DFR_ENTRY_LARGE, "row %zu", i);
        cr_expect_eq(w.physical, rows[i].physical, "row %zu", i);
        cr_expect_eq(w.left, rows[i].left, "row %zu", i);
    }
    forge_tables(DFR_PAGING_X64, 0x63);
    pages_forge_u64(&f, at(ROOT) + 0x1F0 * 8, at(UPPER) | 0xE3); /* no such size */
    open_pages(1, true);
    cr_expect_eq(dfr_translate(&paging, BASE).why, DFR_REASON_DAMAGED);
}

/* What ends a walk before the last table. */
Test(translate, tables)
{
    static const struct {
        uint64_t table;
        uint64_t entry;
        enum dfr_reason why;
        uint8_t level;
    } rows[] = {
        {ROOT, 0, DFR_REASON_NOT_MAPPED, 4},
        {UPPER, 0, DFR_REASON_NOT_MAPPED, 3},
        {MIDDLE, 0, DFR_REASON_NOT_MAPPED, 2},
        {MIDDLE, 0x2F063, DFR_REASON_NO_PAGE_TABLE, 1},
        {UPPER, 0x2F063, DFR_REASON_NO_PAGE_TABLE, 2},
        {MIDDLE, 0x13880, DFR_REASON_NONE, 1}, /* the table itself is in transition */
        {MIDDLE, UINT64_C(0x0000123400001080), DFR_REASON_PAGED_OUT, 2},
        {MIDDLE, UINT64_C(0xFFFFF80000000400), DFR_REASON_DAMAGED, 2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        forge_tables(DFR_PAGING_X64, 0x63);
        pages_forge_u64(&f, at(LOWER), 0x20063);
        pages_forge_u64(&f, at(rows[i].table) + (rows[i].table == ROOT ? 0x1F0 * 8 : 0),
                        rows[i].entry);
        open_pages(1, true);
        struct dfr_walk w = dfr_translate(&paging, BASE);
        cr_expect_eq(w.why, rows[i].why, "row %zu: %s", i, dfr_reason_text(w.why));
        cr_expect_eq(w.level, rows[i].level, "row %zu: %u", i, w.level);
    }
    paging.root = at(MISSING);
    cr_expect_eq(dfr_translate(&paging, BASE).why, DFR_REASON_NO_PAGE_TABLE);
    paging.root = UINT64_MAX;
    cr_expect_eq(dfr_translate(&paging, BASE).why, DFR_REASON_NO_PAGE_TABLE);
    paging.mode = DFR_PAGING_NONE;
    cr_expect_eq(dfr_translate(&paging, BASE).why, DFR_REASON_NO_PAGE_TABLE);
}

Test(translate, canonical_addresses)
{
    static const struct {
        enum dfr_paging_mode mode;
        uint8_t levels;
        uint64_t va;
        bool may;
    } rows[] = {
        {DFR_PAGING_X64, 4, UINT64_C(0x00007FFFFFFFFFFF), true},
        {DFR_PAGING_X64, 4, UINT64_C(0x0000800000000000), false},
        {DFR_PAGING_X64, 4, UINT64_C(0xFFFF7FFFFFFFFFFF), false},
        {DFR_PAGING_X64, 4, UINT64_C(0xFFFF800000000000), true},
        {DFR_PAGING_X64, 5, UINT64_C(0x00FFFFFFFFFFFFFF), true},
        {DFR_PAGING_X64, 5, UINT64_C(0x0100000000000000), false},
        {DFR_PAGING_X64, 5, UINT64_C(0xFF00000000000000), true},
        {DFR_PAGING_X64, 5, UINT64_C(0xFEFFFFFFFFFFFFFF), false},
        {DFR_PAGING_X64, 4, UINT64_MAX, true},
        {DFR_PAGING_ARM64, 0, UINT64_C(0x0000800000000000), false},
        {DFR_PAGING_X86, 0, UINT64_C(0xFFFFFFFF), true},
        {DFR_PAGING_X86, 0, UINT64_C(0x100000000), false},
        {DFR_PAGING_PAE, 0, UINT64_C(0xFFFFFFFF80000000), true},
        {DFR_PAGING_PAE, 0, UINT64_C(0xFFFFFFFF7FFFFFFF), false},
    };
    forge_tables(DFR_PAGING_X64, 0x63);
    open_pages(1, true);
    for (size_t i = 0; i < COUNT(rows); i++) {
        paging.mode = rows[i].mode;
        paging.levels = rows[i].levels;
        struct dfr_walk w = dfr_translate(&paging, rows[i].va);
        cr_expect_eq(w.at != 0, rows[i].may, "row %zu", i); /* was a table asked at all? */
        if (!rows[i].may)
            cr_expect_eq(w.why, DFR_REASON_NOT_MAPPED, "row %zu", i);
    }
}

Test(translate, five_levels)
{
    forge_tables(DFR_PAGING_X64, 0x63);
    pages_forge_u64(&f, at(LOWER), 0x20063);
    pages_forge_u64(&f, at(HIGHEST) + 0x1FE * 8, at(ROOT) | 0x63);
    paging.root = at(HIGHEST);
    paging.levels = 5;
    open_pages(1, true);
    struct dfr_walk w = dfr_translate(&paging, UINT64_C(0xFFFEF80000000123));
    cr_expect_eq(w.why, DFR_REASON_NONE);
    cr_expect_eq(w.physical, 0x20123);
}

Test(translate, x86)
{
    memset(&f, 0, sizeof f);
    fill(DATA);
    pages_forge_u32(&f, at(ROOT) + 0x200 * 4, (uint32_t)at(LOWER) | 0x63); /* 0x80000000 */
    pages_forge_u32(&f, at(ROOT) + 0x201 * 4, 0x4061E3);                   /* 4 MiB at 3'00400000 */
    pages_forge_u32(&f, at(LOWER), 0x20063);
    pages_forge_u32(&f, at(LOWER) + 4, 0x20880);
    pages_forge_u32(&f, at(LOWER) + 8, 0x00345084);
    pages_forge_u32(&f, at(LOWER) + 12, 0x400);
    pages_forge_u32(&f, at(LOWER) + 0x3FF * 4, 0x20063);
    paging = (struct dfr_paging){.root = at(ROOT) | 0x18, .mode = DFR_PAGING_X86, .build = 7601};
    open_pages(1, false);
    cr_expect_eq(dfr_translate(&paging, 0x80000123).physical, 0x20123);
    cr_expect_eq(dfr_translate(&paging, UINT64_C(0xFFFFFFFF80000123)).physical, 0x20123);
    cr_expect_eq(dfr_translate(&paging, 0x803FFFFF).physical, 0x20FFF);
    cr_expect_eq(dfr_translate(&paging, 0x80400123).physical, UINT64_C(0x300400123));
    cr_expect_eq(dfr_translate(&paging, 0x80001123).entry, DFR_ENTRY_TRANSITION);
    cr_expect_eq(dfr_translate(&paging, 0x80001123).physical, 0x20123);
    struct dfr_walk w = dfr_translate(&paging, 0x80002000);
    cr_expect_eq(w.why, DFR_REASON_PAGED_OUT);
    cr_expect_eq(w.page_file, 2);
    cr_expect_eq(w.page_file_page, 0x345);
    cr_expect_eq(dfr_translate(&paging, 0x80003000).why, DFR_REASON_NOT_READ);
    cr_expect_eq(dfr_translate(&paging, 0x80004000).why, DFR_REASON_NOT_MAPPED);
    uint64_t u;
    cr_expect_eq(space.pointer_bytes, 4);
    cr_expect(dfr_space_ptr(&space, 0x80000008, &u));
    cr_expect_eq(u, 8);
}

Test(translate, pae)
{
    memset(&f, 0, sizeof f);
    fill(DATA);
    pages_forge_u64(&f, at(ROOT) + 0x20 + 16, at(MIDDLE) | 1); /* 0x80000000 */
    pages_forge_u64(&f, at(MIDDLE), at(LOWER) | 0x63);
    pages_forge_u64(&f, at(MIDDLE) + 8, UINT64_C(0x80000003002000E3)); /* 2 MiB */
    pages_forge_u64(&f, at(LOWER), NX | 0x20063);
    pages_forge_u64(&f, at(LOWER) + 8, 0x20880);
    pages_forge_u64(&f, at(LOWER) + 16, UINT64_C(0x8000001000000400)); /* prototype at 80000010 */
    paging = (struct dfr_paging){.root = at(ROOT) + 0x20, .mode = DFR_PAGING_PAE, .build = 7601};
    open_pages(2, false);
    cr_expect_eq(dfr_translate(&paging, 0x80000123).physical, 0x20123);
    cr_expect_eq(dfr_translate(&paging, 0x80200123).physical, UINT64_C(0x300200123));
    cr_expect_eq(dfr_translate(&paging, 0x80001123).entry, DFR_ENTRY_TRANSITION);
    cr_expect_eq(dfr_translate(&paging, 0x80002123).why, DFR_REASON_PAGED_OUT); /* 0x20'00000010 */
    cr_expect_eq(dfr_translate(&paging, 0x00000000).why, DFR_REASON_NOT_MAPPED);
}

/* Tables that lead back to themselves end after as many steps as there are levels. */
Test(translate, cycles_and_self_maps)
{
    forge_tables(DFR_PAGING_X64, 0x63);
    pages_forge_u64(&f, at(LOWER), 0x20063);
    pages_forge_u64(&f, at(ROOT) + 0x1ED * 8, at(ROOT) | 0x63);
    open_pages(6, true);
    /* The root as a page, and the entry of BASE through the self map. */
    uint64_t self = UINT64_C(0xFFFF000000000000) | UINT64_C(0x1ED) << 39 | UINT64_C(0x1ED) << 30 |
                    UINT64_C(0x1ED) << 21 | UINT64_C(0x1ED) << 12;
    uint64_t u;
    cr_expect_eq(dfr_translate(&paging, self).physical, at(ROOT));
    uint64_t pte = (UINT64_C(0xFFFF000000000000) | UINT64_C(0x1ED) << 39) +
                   ((BASE & UINT64_C(0xFFFFFFFFFFFF)) >> 12) * 8;
    cr_expect(dfr_space_u64(&space, pte, &u));
    cr_expect_eq(u, 0x20063);
    for (unsigned i = 0; i < 512; i++)
        pages_forge_u64(&f, at(ROOT) + i * 8, at(ROOT) | 0x63);
    open_pages(6, true);
    for (unsigned i = 0; i < 512; i++) {
        uint64_t va = (uint64_t)i * UINT64_C(0x123456789) % (UINT64_C(1) << 47);
        cr_expect_eq(dfr_translate(&paging, va).physical, at(ROOT) | va % 0x1000);
    }
}

/* ---- The address space --------------------------------------------------------------------- */

Test(translate, reads_across_pages)
{
    forge_tables(DFR_PAGING_X64, 0x63);
    pages_forge_u64(&f, at(LOWER), at(MORE) | 0x63);
    pages_forge_u64(&f, at(LOWER) + 8, at(DATA) | 0x63);
    pages_forge_u64(&f, at(LOWER) + 16, at(MISSING) | 0x63);
    pages_forge_u64(&f, at(ROOT) + 0x1FF * 8, at(UPPER) | 0x63); /* the last page there is */
    pages_forge_u64(&f, at(UPPER) + 0x1FF * 8, at(MIDDLE) | 0x63);
    pages_forge_u64(&f, at(MIDDLE) + 0x1FF * 8, at(LOWER) | 0x63);
    pages_forge_u64(&f, at(LOWER) + 0x1FF * 8, at(DATA) | 0x63);
    pages_forge_u64(&f, at(ROOT), at(UPPER) | 0x63); /* and the first */
    open_pages(5, true);
    uint64_t u, off, len, bad = 0;
    uint16_t small;
    struct dfr_span s;
    for (unsigned round = 0; round < 2; round++) { /* without and with what the cache holds */
        cr_expect(dfr_space_u64(&space, BASE + 0xFFC, &u));
        cr_expect_eq(u, 0x21); /* the upper half of 21'00000FF8, then 20'00000000 */
        cr_expect(dfr_space_span(&space, BASE + 0xF00, 0x200, &s));
        cr_expect_eq(s.p[0x104], 0x20);
        cr_expect_not(dfr_space_u64(&space, BASE + 0x1FFC, &u));
        cr_expect_eq(dfr_space_why_range(&space, BASE + 0xFFC, 0x1000, &bad), DFR_REASON_NONE);
        cr_expect_eq(dfr_space_why_range(&space, BASE + 0xFFC, 0x1005, &bad),
                     DFR_REASON_NOT_CAPTURED);
        cr_expect_eq(bad, BASE + 0x2000);
        cr_expect_eq(dfr_space_why(&space, BASE + 0x2000), DFR_REASON_NOT_CAPTURED);
        cr_expect_eq(dfr_space_why(&space, BASE + 0x3000), DFR_REASON_NOT_MAPPED);
        cr_expect(dfr_space_u16(&space, UINT64_MAX - 1, &small));
        cr_expect_not(dfr_space_u64(&space, UINT64_MAX - 3, &u)); /* does not wrap round */
        cr_expect(dfr_space_at(&space, BASE + 0x10, &off, &len));
        cr_expect_eq(len, 0xFF0);
        cr_expect(dfr_space_ptr(&space, 0, &u));
        cr_expect_eq(u, UINT64_C(0x2100000000));
    }
    uint8_t b[4];
    cr_expect_eq(dfr_space_physical(&space, at(DATA) + 4, b, sizeof b), DFR_REASON_NONE);
    cr_expect_eq(b[0], DATA);
    cr_expect_eq(dfr_space_physical(&space, at(MISSING), b, sizeof b), DFR_REASON_NOT_CAPTURED);
}

/* What a torn small dump lists but does not hold is damaged, unless another range holds it. */
Test(translate, torn_ranges)
{
    memset(file, 7, 0x200);
    dfr_bytes_memory(&bytes, &arena, (struct dfr_span){file, 0x200});
    space = (struct dfr_space){.bytes = &bytes};
    cr_expect(dfr_space_add(&space, 0x1000, 0x100, 0x100));
    cr_expect_not(dfr_space_add(&space, 0x2000, 0x180, 0x100));
    cr_expect_not(dfr_space_add(&space, 0x3000, 0x1000, 0x100));
    cr_expect_not(dfr_space_add(&space, 0x20C0, UINT64_MAX, 0x10));
    cr_expect(dfr_space_add(&space, 0x20E0, 0, 0x10));
    cr_expect_not(dfr_space_add(&space, UINT64_MAX - 8, 0, 0x10));
    dfr_space_ready(&space);
    static const struct {
        uint64_t va;
        enum dfr_reason why;
    } rows[] = {
        {0x0FFF, DFR_REASON_NOT_CAPTURED},
        {0x1000, DFR_REASON_NONE},
        {0x10FF, DFR_REASON_NONE},
        {0x1100, DFR_REASON_NOT_CAPTURED},
        {0x207F, DFR_REASON_NONE},
        {0x2080, DFR_REASON_DAMAGED},
        {0x20C0, DFR_REASON_DAMAGED},
        {0x20E0, DFR_REASON_NONE},
        {0x20F0, DFR_REASON_DAMAGED},
        {0x2100, DFR_REASON_NOT_CAPTURED},
        {0x3000, DFR_REASON_DAMAGED},
        {UINT64_MAX - 1, DFR_REASON_NONE},
        {UINT64_MAX, DFR_REASON_NOT_CAPTURED},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        cr_expect_eq(dfr_space_why(&space, rows[i].va), rows[i].why, "row %zu", i);
    uint8_t b[0x20];
    cr_expect_not(dfr_space_copy(&space, 0x2070, b, sizeof b));
    cr_expect(dfr_space_copy(&space, 0x2060, b, sizeof b));
    space.otherwise = DFR_REASON_DAMAGED;
    cr_expect_eq(dfr_space_why(&space, 0x0FFF), DFR_REASON_DAMAGED);
}

/* Another process sees other pages at the same address, also after the first has been read. */
Test(translate, other_roots)
{
    forge_tables(DFR_PAGING_X64, 0x63);
    pages_forge_u64(&f, at(LOWER), at(DATA) | 0x63);
    pages_forge_u64(&f, at(OTHER) + 0x1F0 * 8, at(UPPER) | 0x63);
    pages_forge_u64(&f, at(OTHER), at(HIGHEST) | 0x63);
    pages_forge_u64(&f, at(HIGHEST), 0);
    open_pages(1, true);
    uint64_t u;
    cr_expect(dfr_space_u64(&space, BASE, &u));
    struct dfr_space other = dfr_space_with_root(&space, at(MISSING));
    cr_expect_not(dfr_space_u64(&other, BASE, &u));
    cr_expect_eq(dfr_space_why(&other, BASE), DFR_REASON_NO_PAGE_TABLE);
    other = dfr_space_with_root(&space, at(OTHER));
    cr_expect(dfr_space_u64(&other, BASE + 8, &u));
    cr_expect_eq(u, UINT64_C(0x2000000008));
    cr_expect_eq(dfr_space_why(&other, 0), DFR_REASON_NOT_MAPPED);
    dfr_bytes_share(&bytes);
    cr_expect(dfr_space_u64(&space, BASE + 8, &u));
    cr_expect_eq(u, UINT64_C(0x2000000008));
}

/* ---- Whole dumps --------------------------------------------------------------------------- */

/* The debugger data block says which of the ways to translate is right. */
Test(translate, ways_are_tried)
{
    static struct dfr_diags diags;
    struct dfr_err err;
    for (unsigned levels = 4; levels <= 5; levels++) {
        forge_tables(DFR_PAGING_X64, 0x63);
        pages_forge_u64(&f, at(LOWER), at(PROTO) | 0x63);
        memcpy(pages_forge_page(&f, PROTO) + 0x10, "KDBG", 4);
        pages_forge_u32(&f, at(PROTO) + 0x14, 0x380);
        pages_forge_u64(&f, at(PROTO) + 0x18, FORGE_KERNEL);
        pages_forge_u64(&f, at(HIGHEST) + 0x1FF * 8, at(ROOT) | 0x63);
        size_t len = pages_forge_file(&f, 6, true, 0x800, file);
        forge64(file, 0x10, at(levels == 5 ? HIGHEST : ROOT));
        forge64(file, 0x80, levels == 5 ? UINT64_C(0xFFFFF80000000000) : BASE);
        dfr_bytes_memory(&bytes, &arena, (struct dfr_span){file, len});
        dfr_diags_init(&diags, &arena);
        cr_assert_eq(dfr_dump_read(&arena, &bytes, NULL, &diags, &facts, &err), DFR_OK);
        const struct dfr_value *whole = dfr_facts_scalar(&facts, DFR_F_DUMP_COMPLETE);
        cr_expect(whole->state == DFR_KNOWN && whole->as.b);
        const struct dfr_value *base = dfr_facts_scalar(&facts, DFR_F_OS_KERNEL_BASE);
        cr_expect(base->state == DFR_KNOWN && base->as.u == FORGE_KERNEL, "%u levels", levels);
    }
}
