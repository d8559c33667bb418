/* PE images: headers, sections, the debug directory, and what is wrong with them. */
#include <string.h>

#include "derive_help.h"
#include "image/pe.h"

TestSuite(image, .init = open_facts, .fini = close_facts, .timeout = 20);

enum { NT = 0x80, OPT = NT + 24, SECTIONS = OPT + 0xF0, BYTES = 0xA00 };
static uint8_t img[BYTES];

static void put(size_t at, uint64_t v, size_t len)
{
    for (size_t i = 0; i < len; i++)
        img[at + i] = (uint8_t)(v >> (8 * i));
}

static void section(size_t i, const char *name, uint32_t rva, uint32_t vsize, uint32_t at,
                    uint32_t have, uint32_t flags)
{
    size_t s = SECTIONS + 40 * i;
    memcpy(img + s, name, strlen(name));
    put(s + 8, vsize, 4);
    put(s + 12, rva, 4);
    put(s + 16, have, 4);
    put(s + 20, at, 4);
    put(s + 36, flags, 4);
}

/* Two sections: .text at 1000h (file 400h), .data at 2000h (file 600h) with more in memory than in
 * the file, which holds the debug directory and its record. */
static void forge(void)
{
    memset(img, 0, sizeof img);
    memcpy(img, "MZ", 2);
    put(0x3C, NT, 4);
    memcpy(img + NT, "PE\0\0", 4);
    put(NT + 4, 0x8664, 2);
    put(NT + 6, 2, 2);
    put(NT + 8, 0x5D964377, 4);
    put(NT + 20, 0xF0, 2);
    put(OPT, 0x20B, 2);
    put(OPT + 24, UINT64_C(0x140000000), 8);
    put(OPT + 32, 0x1000, 4);
    put(OPT + 36, 0x200, 4);
    put(OPT + 56, 0x4000, 4);
    put(OPT + 60, 0x400, 4);
    put(OPT + 64, 0xABCD, 4);
    put(OPT + 108, 16, 4);
    put(OPT + 112 + 8 * DFR_PE_DEBUG, 0x2000, 4);
    put(OPT + 116 + 8 * DFR_PE_DEBUG, 2 * 28, 4);
    section(0, ".text", 0x1000, 0x180, 0x4FF - 0xFF, 0x200, 0x60000020);
    section(1, ".data", 0x2000, 0x1400, 0x600, 0x400, 0xC0000040);
    put(0x600 + 12, 2, 4);
    put(0x600 + 16, 24 + 6, 4);
    put(0x600 + 20, 0x2100, 4);
    put(0x600 + 28 + 12, 16, 4);
    memcpy(img + 0x700, "RSDS0123456789abcdef\3\0\0\0a.pdb", 30);
    put(0x400, 0x11223344, 4);
}

static enum dfr_reason open_file(struct dfr_pe *pe, size_t len)
{
    struct dfr_bytes *b = DFR_NEW(&arena, struct dfr_bytes);
    dfr_bytes_memory(b, &arena, (struct dfr_span){img, len});
    return dfr_pe_open_file(pe, &arena, b);
}

Test(image, headers)
{
    struct dfr_pe pe;
    forge();
    cr_assert_eq(open_file(&pe, BYTES), DFR_REASON_NONE);
    cr_expect_eq(pe.machine, DFR_MACHINE_X64);
    cr_expect(pe.wide);
    cr_expect_eq(pe.stamp, 0x5D964377);
    cr_expect_eq(pe.size, 0x4000);
    cr_expect_eq(pe.checksum, 0xABCD);
    cr_expect_eq(pe.wants, UINT64_C(0x140000000));
    cr_assert_eq(pe.section_count, 2);
    cr_expect_str_eq(pe.sections[0].name, ".text");
    cr_expect(pe.sections[0].executable && !pe.sections[0].writable);
    cr_expect(!pe.sections[1].executable && pe.sections[1].writable);
    cr_expect_eq(dfr_pe_section_at(&pe, 0x117F), &pe.sections[0]);
    cr_expect_null(dfr_pe_section_at(&pe, 0x1180));
}

Test(image, reads_by_rva)
{
    struct dfr_pe pe;
    uint32_t u = 0;
    uint16_t h = 0;
    forge();
    cr_assert_eq(open_file(&pe, BYTES), DFR_REASON_NONE);
    cr_expect(dfr_pe_u32(&pe, 0x1000, &u) && u == 0x11223344);
    cr_expect(dfr_pe_u16(&pe, 0, &h) && h == 0x5A4D);
    cr_expect(dfr_pe_u32(&pe, 0x2FFE - 0x7FE, &u), "the last bytes that stand in the file");
    cr_expect(dfr_pe_u32(&pe, 0x33FC, &u) && u == 0, "memory that the file does not hold is zero");
    cr_expect_not(dfr_pe_u32(&pe, 0x33FD, &u));
    cr_expect_not(dfr_pe_u32(&pe, 0x1800, &u), "between two sections");
    cr_expect_not(dfr_pe_u32(&pe, 0x3FFE, &u));
    cr_expect_not(dfr_pe_u32(&pe, UINT32_MAX, &u));
    cr_expect_eq(dfr_pe_why(&pe, 0x4000), DFR_REASON_NOT_MAPPED);
    cr_expect_eq(dfr_pe_why(&pe, 0x1000), DFR_REASON_NONE);
}

Test(image, debug_directory)
{
    struct dfr_pe pe;
    struct dfr_pe_debug dbg;
    forge();
    cr_assert_eq(open_file(&pe, BYTES), DFR_REASON_NONE);
    cr_expect_eq(dfr_pe_debug(&pe, &arena, &dbg), DFR_REASON_NONE);
    cr_expect(dbg.has_pdb && dbg.repro);
    cr_expect_arr_eq(dbg.guid, "0123456789abcdef", 16);
    cr_expect_eq(dbg.age, 3);
    cr_expect(dfr_str_eq(dbg.pdb, DFR_STR("a.pdb")));
    put(0x600 + 20, 0, 4); /* not mapped: by offset in the file */
    put(0x600 + 24, 0x700, 4);
    cr_assert_eq(open_file(&pe, BYTES), DFR_REASON_NONE);
    cr_expect_eq(dfr_pe_debug(&pe, &arena, &dbg), DFR_REASON_NONE);
    cr_expect(dbg.has_pdb);
    put(0x600 + 20, 0x3FF0, 4);
    cr_assert_eq(open_file(&pe, BYTES), DFR_REASON_NONE);
    cr_expect_eq(dfr_pe_debug(&pe, &arena, &dbg), DFR_REASON_DAMAGED);
    cr_expect(!dbg.has_pdb && dbg.repro);
}

Test(image, strings_end_inside_the_image)
{
    struct dfr_pe pe;
    forge();
    memcpy(img + 0x780, "name", 5);
    cr_assert_eq(open_file(&pe, BYTES), DFR_REASON_NONE);
    cr_expect(dfr_str_eq(dfr_pe_string(&pe, &arena, 0x2180, 64), DFR_STR("name")));
    cr_expect_eq(dfr_pe_string(&pe, &arena, 0x2180, 4).len, 0, "no end within the bound");
    memset(img + 0x400, 'x', 0x200);
    cr_expect_eq(dfr_pe_string(&pe, &arena, 0x1100, 4096).len, 0, "the section ends first");
    cr_expect_eq(dfr_pe_string(&pe, &arena, UINT32_MAX, 64).len, 0);
}

Test(image, mapped)
{
    struct dfr_pe pe;
    uint32_t u = 0;
    const uint64_t base = UINT64_C(0xFFFFF80000100000);
    forge();
    struct dfr_bytes b;
    dfr_bytes_memory(&b, &arena, (struct dfr_span){img, BYTES});
    struct dfr_space m = {.bytes = &b};
    (void)dfr_space_add(&m, base, 0, 0x400);
    (void)dfr_space_add(&m, base + 0x1000, 0x400, 0x200);
    dfr_space_ready(&m);
    cr_assert_eq(dfr_pe_open_mapped(&pe, &arena, &m, base), DFR_REASON_NONE);
    cr_expect(dfr_pe_u32(&pe, 0x1000, &u) && u == 0x11223344);
    cr_expect_not(dfr_pe_u32(&pe, 0x2000, &u));
    cr_expect_eq(dfr_pe_why(&pe, 0x2000), DFR_REASON_NOT_CAPTURED);
    cr_expect_eq(dfr_pe_open_mapped(&pe, &arena, &m, base + 0x2000), DFR_REASON_NOT_CAPTURED);
    cr_expect_eq(dfr_pe_open_mapped(&pe, &arena, &m, base + 0x1000), DFR_REASON_DAMAGED);
    struct dfr_pe_debug dbg;
    cr_expect_eq(dfr_pe_debug(&pe, &arena, &dbg), DFR_REASON_NOT_CAPTURED);
}

/* No length and no flipped byte makes a reader leave the image. */
Test(image, hostile)
{
    struct dfr_pe pe;
    struct dfr_pe_debug dbg;
    uint8_t b[64];
    forge();
    for (size_t len = 0; len < BYTES; len += 7)
        if (open_file(&pe, len) == DFR_REASON_NONE) {
            (void)dfr_pe_debug(&pe, &arena, &dbg);
            for (uint32_t rva = 0; rva < 0x5000; rva += 61)
                (void)dfr_pe_read(&pe, rva, b, sizeof b);
        }
    for (size_t i = 0; i < SECTIONS + 80; i++) {
        uint8_t was = img[i];
        img[i] = 0xFF;
        if (open_file(&pe, BYTES) == DFR_REASON_NONE) {
            (void)dfr_pe_debug(&pe, &arena, &dbg);
            for (uint32_t rva = 0; rva < 0x5000; rva += 61)
                (void)dfr_pe_read(&pe, rva, b, sizeof b);
        }
        img[i] = was;
    }
}
