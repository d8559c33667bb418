/* Pool headers, before and since the heap that serves pool, in both widths. */
#include <string.h>

#include "target.h"

TestSuite(pool, .init = open_facts, .fini = close_facts, .timeout = 60);

enum { AT = 0x3000, PAGE = 0x1000 };
static const uint64_t wide_page = UINT64_C(0xFFFFB00000010000), narrow_page = 0x84010000;

static void put(bool wide, size_t at, uint32_t before, uint32_t bytes, uint8_t type,
                const char *tag)
{
    uint32_t u = wide ? 16 : 8;
    forge32(target_bytes, AT + at,
            wide ? before / u | bytes / u << 16 | (uint32_t)type << 24
                 : before / u | bytes / u << 16 | (uint32_t)type << 25);
    memcpy(target_bytes + AT + at + 4, tag, 4);
}

/* Three blocks that fill a page; the middle one is asked for. */
static struct dfr_dump page(bool wide, uint32_t build, uint32_t code, uint64_t a1, uint64_t a2,
                            uint64_t a3, uint64_t a4)
{
    const uint64_t args[4] = {a1, a2, a3, a4};
    struct dfr_dump d = target_dump(wide ? DFR_MACHINE_X64 : DFR_MACHINE_X86, code, args);
    forge32(target_bytes, 0x0C, build);
    target_memory(&d, wide ? wide_page : narrow_page, AT, PAGE);
    put(wide, 0, 0, 0x200, 2, "Exa ");
    put(wide, 0x200, 0x200, 0x80, 3, "Fil\xE5");
    put(wide, 0x280, 0x80, PAGE - 0x280, 0, "Free");
    return d;
}

static const char *fact(uint32_t field)
{
    return target_text(dfr_facts_scalar(&facts, field));
}

static enum dfr_reason why(uint32_t field)
{
    return dfr_facts_scalar(&facts, field)->reason;
}

Test(pool, a_page_of_blocks)
{
    for (int wide = 0; wide < 2; wide++) {
        uint64_t base = wide ? wide_page : narrow_page;
        struct dfr_dump d = page(wide, 9600, 0x19, 0x20, base + 0x200, 0, 0);
        dfr_dump_pool(&d);
        cr_assert_eq(facts.tables[DFR_T_POOLS].n, 3, "%d", wide);
        cr_expect_str_eq(fact(DFR_F_POOL_TAG), "File");
        cr_expect_str_eq(fact(DFR_F_POOL_STATE), "Allocated");
        cr_expect_str_eq(target_text(dfr_facts_at(&facts, DFR_F_POOLS_TAG, 0)), "Exa");
        cr_expect_str_eq(target_text(dfr_facts_at(&facts, DFR_F_POOLS_STATE, 2)), "Free");
        cr_expect_eq(dfr_facts_at(&facts, DFR_F_POOLS_SIZE, 1)->as.n.lo, 0x80);
        cr_expect(dfr_facts_at(&facts, DFR_F_POOLS_ASKED, 1)->as.b);
        cr_expect_not(dfr_facts_at(&facts, DFR_F_POOLS_ASKED, 0)->as.b);
    }
}

/* The heap's headers name tag and size, and nothing else. */
Test(pool, a_block_of_the_heap)
{
    struct dfr_dump d = page(true, 19041, 0xC2, 7, 0, 0, wide_page + 0x210);
    dfr_dump_pool(&d);
    cr_assert_eq(facts.tables[DFR_T_POOLS].n, 1);
    cr_expect_str_eq(fact(DFR_F_POOL_TAG), "File");
    cr_expect_str_eq(fact(DFR_F_POOL_STATE), "?");
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_POOLS_STATE, 0)->state, DFR_UNKNOWN);
    d = page(true, 19041, 0xC2, 7, 0, 0, wide_page); /* a large block: no header in front */
    dfr_dump_pool(&d);
    cr_expect_eq(why(DFR_F_POOL_TAG), DFR_REASON_NOT_CAPTURED);
}

Test(pool, damaged_headers)
{
    static const struct {
        size_t at;
        uint32_t word;
        uint32_t rows; /* of the page */
        const char *tag;
    } rows[] = {
        {0x200, 0x00000020, 1, "?"},    /* no size */
        {0x200, 0x03FF0020, 1, "?"},    /* beyond the page */
        {0x200, 0x03080007, 2, "File"}, /* does not fit the one before; itself proper */
        {0x204, 0x00000001, 1, "?"},    /* no text */
        {0x000, 0xFFFFFFFF, 1, "File"}, /* the chain does not begin */
        {0x280, 0x12345678, 2, "File"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dfr_dump d = page(true, 9600, 0x19, 0x20, wide_page + 0x200, 0, 0);
        forge32(target_bytes, AT + rows[i].at, rows[i].word);
        dfr_dump_pool(&d);
        cr_expect_eq(facts.tables[DFR_T_POOLS].n, rows[i].rows, "%zu: %u", i,
                     facts.tables[DFR_T_POOLS].n);
        cr_expect_str_eq(fact(DFR_F_POOL_TAG), rows[i].tag, "%zu", i);
    }
    static const uint64_t nowhere[] = {0, 8, UINT64_C(0xFFFFFFFFFFFFFFF0), UINT64_C(0x7FF0),
                                       UINT64_C(0xFFFFB00000010008)};
    for (size_t i = 0; i < COUNT(nowhere); i++) {
        struct dfr_dump d = page(true, 9600, 0x19, 0x20, nowhere[i], 0, 0);
        dfr_dump_pool(&d);
        cr_expect_str_eq(fact(DFR_F_POOL_TAG), "?");
    }
}

/* The bug check itself names the tag that the block was allocated with. */
Test(pool, tag_of_a_parameter)
{
    struct dfr_dump d = page(true, 19041, 0xC2, 0xA, wide_page + 0x9000, 0x45786178, 0);
    dfr_dump_pool(&d);
    cr_expect_str_eq(fact(DFR_F_POOL_TAG), "xaxE");
    d = page(true, 19041, 0xC2, 0xA, wide_page + 0x9000, 1, 0);
    dfr_dump_pool(&d);
    cr_expect_str_eq(fact(DFR_F_POOL_TAG), "?");
}
