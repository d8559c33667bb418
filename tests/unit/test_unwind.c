/* One step of unwinding over handmade images: what real ones have too rarely, and what is wrong. */
#include <string.h>

#include "derive_help.h"
#include "image/unwind.h"

TestSuite(unwind, .init = open_facts, .fini = close_facts, .timeout = 20);

enum { TABLE = 0x80, INFO = 0xC0, BYTES = 0x200, WORDS = 64 };
#define BASE UINT64_C(0xFFFFF80000000000)
#define STACK UINT64_C(0xFFFFA00000001000)

static uint8_t img[BYTES];
static uint64_t words[WORDS];
static struct dfr_space space;
static struct dfr_pe pe;

static void put32(size_t at, uint32_t v)
{
    for (size_t i = 0; i < 4; i++)
        img[at + i] = (uint8_t)(v >> (8 * i));
}

/* An image as it is mapped, with one function at [0, 40h), and a stack whose words are their numbers. */
static void forge(enum dfr_machine machine, const uint8_t *info, size_t len)
{
    struct dfr_bytes *file = DFR_NEW(&arena, struct dfr_bytes);
    struct dfr_bytes *slots = DFR_NEW(&arena, struct dfr_bytes);
    memset(img, 0x90, sizeof img);
    bool x64 = machine == DFR_MACHINE_X64;
    put32(TABLE, 0);
    put32(TABLE + 4, x64 ? 0x40 : INFO);
    put32(TABLE + 8, INFO);
    memcpy(img + INFO, info, len);
    for (size_t i = 0; i < WORDS; i++)
        words[i] = 0x1000 + i;
    dfr_bytes_memory(file, &arena, (struct dfr_span){img, sizeof img});
    dfr_bytes_memory(slots, &arena, (struct dfr_span){(const uint8_t *)words, sizeof words});
    space = (struct dfr_space){.bytes = slots};
    (void)dfr_space_add(&space, STACK, 0, sizeof words);
    dfr_space_ready(&space);
    pe = (struct dfr_pe){
        .file = file, .base = BASE, .machine = machine, .size = BYTES, .headers = BYTES};
    pe.dirs[DFR_PE_EXCEPTION].rva = TABLE;
    pe.dirs[DFR_PE_EXCEPTION].size = x64 ? 12 : 8;
}

static struct dfr_frame frame_at(uint32_t rva, bool exact)
{
    struct dfr_frame f = {.pc = BASE + rva, .sp = STACK, .known = 0x7FFFFFFF, .exact = exact};
    for (uint32_t i = 0; i < 31; i++)
        f.r[i] = 0x100 + i;
    return f;
}

#define FORGE(machine, ...)                                                                        \
    do {                                                                                           \
        const uint8_t info[] = {__VA_ARGS__};                                                      \
        forge(machine, info, sizeof info);                                                         \
    } while (0)

Test(unwind, machine_frames)
{
    for (uint8_t error = 0; error < 2; error++) {
        FORGE(DFR_MACHINE_X64, 1, 4, 2, 0, 4, 0x12, 0, (uint8_t)(0x0A | error << 4));
        words[2 + error] = BASE + 0x20;
        words[3 + error] = 0x10;
        words[5 + error] = STACK + 0x100;
        struct dfr_frame f = frame_at(0x20, true);
        struct dfr_step s = dfr_unwind(&pe, &space, 0, &f);
        cr_assert_eq(s.how, DFR_UNWIND_OK, "%s", dfr_unwind_text(s.how));
        cr_expect(s.interrupted && f.exact && !s.user);
        cr_expect_eq(f.pc, BASE + 0x20);
        cr_expect_eq(f.sp, STACK + 0x100);
        words[3 + error] = 0x33;
        f = frame_at(0x20, true);
        s = dfr_unwind(&pe, &space, 0, &f);
        cr_expect(s.user, "a code segment of user mode");
    }
}

Test(unwind, large_and_far)
{
    /* sub rsp, 78h as 16 bits; sub rsp, 40h as 32; rbx at 20h far, r12 at 8; xmm6, xmm7 far */
    FORGE(DFR_MACHINE_X64, 1, 9, 13, 0, 9, 0x35, 0x20, 0, 0, 0, 9, 0xC4, 1, 0, 9, 0x68, 2, 0, 9,
          0x79, 0x40, 0, 0, 0, 4, 0x01, 15, 0, 3, 0x02);
    struct dfr_frame f = frame_at(0x20, false);
    struct dfr_step s = dfr_unwind(&pe, &space, 0, &f);
    cr_assert_eq(s.how, DFR_UNWIND_OK, "%s", dfr_unwind_text(s.how));
    cr_expect_eq(f.sp, STACK + 0x78 + 8 + 8);
    cr_expect_eq(f.r[3], 0x1004);
    cr_expect_eq(f.r[12], 0x1001);
    cr_expect_eq(s.slot, STACK + 0x80);
    cr_expect_eq(f.known & 1, 0, "a call may have changed rax");
    FORGE(DFR_MACHINE_X64, 1, 9, 3, 0, 9, 0x11, 0x40, 0, 0, 0);
    f = frame_at(0x20, false);
    s = dfr_unwind(&pe, &space, 0, &f);
    cr_expect(s.how == DFR_UNWIND_OK && f.sp == STACK + 0x48);
}

/* push rbp; push rsi; sub rsp, 20h ... add rsp, 20h; pop rsi; pop rbp; ret */
Test(unwind, epilogs_with_and_without_code)
{
    static const uint8_t code[] = {0x48, 0x83, 0xC4, 0x20, 0x5E, 0x5D, 0xC3};
    static const uint8_t sp_at[] = {0x30, 0, 0, 0, 0x10, 8, 0};
    for (int with = 0; with < 2; with++)
        for (uint32_t at = 4; at < sizeof code; at++) {
            FORGE(DFR_MACHINE_X64, 2, 6, 5, 0, 3, 0x16, 0, 0x06, 6, 0x32, 2, 0x60, 1, 0x50);
            memcpy(img + 0x40 - sizeof code, code, sizeof code);
            if (!with) { /* the bytes of the function are not there, its data is */
                pe.headers = 0;
                pe.section_count = 1;
                pe.sections = DFR_NEW(&arena, struct dfr_pe_section);
                *pe.sections = (struct dfr_pe_section){
                    .rva = TABLE, .size = 0x100, .at = TABLE, .have = 0x100};
            }
            struct dfr_frame f = frame_at((uint32_t)(0x40 - sizeof code) + at, true);
            struct dfr_step s = dfr_unwind(&pe, &space, 0, &f);
            cr_assert_eq(s.how, DFR_UNWIND_OK, "%u: %s", at, dfr_unwind_text(s.how));
            cr_expect_eq(f.sp, STACK + sp_at[at] + 8, "%u", at);
            cr_expect_eq(f.pc, 0x1000 + sp_at[at] / 8u, "%u", at);
        }
}

Test(unwind, without_code_an_epilog_cannot_be_told)
{
    FORGE(DFR_MACHINE_X64, 1, 6, 1, 0, 6, 0x32);
    pe.headers = 0;
    pe.section_count = 1;
    pe.sections = DFR_NEW(&arena, struct dfr_pe_section);
    *pe.sections = (struct dfr_pe_section){.rva = TABLE, .size = 0x100, .at = TABLE, .have = 0x100};
    struct dfr_frame f = frame_at(0x20, true);
    cr_expect_eq(dfr_unwind(&pe, &space, 0, &f).how, DFR_UNWIND_CODE_LOST);
    f = frame_at(0x20, false);
    cr_expect_eq(dfr_unwind(&pe, &space, 0, &f).how, DFR_UNWIND_OK, "no caller stands in one");
}

Test(unwind, leaves)
{
    FORGE(DFR_MACHINE_X64, 1, 0, 0, 0);
    struct dfr_frame f = frame_at(0x60, true);
    struct dfr_step s = dfr_unwind(&pe, &space, 0, &f);
    cr_expect(s.how == DFR_UNWIND_OK && s.leaf && f.pc == 0x1000 && f.sp == STACK + 8);
    f = frame_at(0x60, false);
    cr_expect_eq(dfr_unwind(&pe, &space, 0, &f).how, DFR_UNWIND_NO_FUNCTION,
                 "a leaf calls nothing");
    FORGE(DFR_MACHINE_ARM64, 0, 0, 0, 0);
    f = frame_at(0x60, true);
    s = dfr_unwind(&pe, &space, 0, &f);
    cr_expect(s.how == DFR_UNWIND_OK && s.leaf && f.pc == 0x100 + 30 && f.sp == STACK);
}

Test(unwind, what_is_wrong_is_told)
{
    static const struct {
        enum dfr_unwind how;
        uint8_t info[16];
    } rows[] = {
        {DFR_UNWIND_VERSION, {3, 0, 0, 0}},
        {DFR_UNWIND_VERSION, {0, 0, 0, 0}},
        {DFR_UNWIND_OPERATION, {1, 0, 1, 0, 0, 0x07}},
        {DFR_UNWIND_OPERATION, {1, 0, 1, 0, 0, 0x0B}},
        {DFR_UNWIND_OPERATION, {1, 0, 1, 0, 0, 0x06}},
        {DFR_UNWIND_OPERATION, {1, 0, 1, 0, 0, 0x01}},
        {DFR_UNWIND_OPERATION, {1, 0, 1, 0, 0, 0x2A}},
        {DFR_UNWIND_OPERATION, {1, 0, 1, 0, 0, 0x40}},
        {DFR_UNWIND_CHAIN, {0x21, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, INFO, 0, 0, 0}},
        {DFR_UNWIND_CHAIN, {0x21, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, TABLE | 1, 0, 0, 0}},
        {DFR_UNWIND_INFO_LOST, {0x21, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 1, 0}},
        {DFR_UNWIND_STACK_LOST, {1, 0, 3, 0, 0, 0x11, 0, 0, 1, 0}},
        {DFR_UNWIND_REGISTER, {1, 0, 1, 0x05, 0, 0x03}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        forge(DFR_MACHINE_X64, rows[i].info, sizeof rows[i].info);
        struct dfr_frame f = frame_at(0x20, false);
        f.known = 0;
        const struct dfr_frame before = f;
        struct dfr_step s = dfr_unwind(&pe, &space, 0, &f);
        cr_expect_eq(s.how, rows[i].how, "row %zu: %s", i, dfr_unwind_text(s.how));
        cr_expect_arr_eq(&f, &before, sizeof f, "row %zu: the frame is untouched", i);
    }
    FORGE(DFR_MACHINE_X64, 1, 0, 0, 0);
    struct dfr_frame f = frame_at(0x20, false);
    put32(TABLE + 8, TABLE | 1);
    cr_expect_eq(dfr_unwind(&pe, &space, 0, &f).how, DFR_UNWIND_CHAIN, "an entry that is its own");
    put32(TABLE + 8, 0x10000);
    cr_expect_eq(dfr_unwind(&pe, &space, 0, &f).how, DFR_UNWIND_INFO_LOST);
    pe.dirs[DFR_PE_EXCEPTION].rva = 0x10000;
    cr_expect_eq(dfr_unwind(&pe, &space, 0, &f).how, DFR_UNWIND_TABLE_LOST);
    pe.dirs[DFR_PE_EXCEPTION].rva = 0;
    cr_expect_eq(dfr_unwind(&pe, &space, 0, &f).how, DFR_UNWIND_NO_TABLE);
}

/* Header: 16 instructions, one epilog behind all others, code words in the upper bits. */
#define ARM_HEADER(words) 16, 0, 0x20, (uint8_t)((words) << 3)

Test(unwind, arm64_what_is_no_call)
{
    FORGE(DFR_MACHINE_ARM64, ARM_HEADER(1), 0xE9, 0xE4, 0xE4, 0xE4);
    words[0] = STACK + 0x80;
    words[1] = BASE + 0x10;
    struct dfr_frame f = frame_at(0x20, true);
    struct dfr_step s = dfr_unwind(&pe, &space, 0, &f);
    cr_expect(s.how == DFR_UNWIND_OK && s.interrupted && f.exact, "%s", dfr_unwind_text(s.how));
    cr_expect(f.pc == BASE + 0x10 && f.sp == STACK + 0x80);

    FORGE(DFR_MACHINE_ARM64, ARM_HEADER(1), 0xE8, 0xE4, 0xE4, 0xE4);
    words[0x90 / 8] = 0x4; /* exception level 1 */
    f = frame_at(0x20, true);
    s = dfr_unwind(&pe, &space, 0, &f);
    cr_expect(s.how == DFR_UNWIND_OK && s.interrupted && !s.user);
    cr_expect_eq(f.sp, 0x1000 + 0x98 / 8);
    cr_expect_eq(f.pc, 0x1000 + 0x148 / 8);
    cr_expect_eq(f.r[29], 0x1000 + 0x140 / 8);
    cr_expect_eq(f.r[18], 0x1000 + 0xA0 / 8 + 18);
    words[0x90 / 8] = 0;
    f = frame_at(0x20, true);
    cr_expect(dfr_unwind(&pe, &space, 0, &f).user);
}

/* Saves in a row, any register, a vector register; signed return address. */
Test(unwind, arm64_rare_codes)
{
    /* save_next, save_next, save_regp_x x21 40h!; save_any x20 [sp, 18h]; save_any pair d5 [sp, 20h]!;
     * pac */
    FORGE(DFR_MACHINE_ARM64, ARM_HEADER(3), 0xE7, 20, 3, 0xE7, 0x65, 0x41, 0xE6, 0xE6, 0xCC, 0x87,
          0xFC, 0xE4);
    struct dfr_frame f = frame_at(0x20, false);
    struct dfr_step s = dfr_unwind(&pe, &space, 0, &f);
    cr_assert_eq(s.how, DFR_UNWIND_REGISTER, "lr is not saved: %s", dfr_unwind_text(s.how));
    f = frame_at(0x20, true);
    f.r[30] = UINT64_C(0x1282F80012345678);
    s = dfr_unwind(&pe, &space, UINT64_C(0xFF7F000000000000), &f);
    cr_assert_eq(s.how, DFR_UNWIND_OK, "%s", dfr_unwind_text(s.how));
    cr_expect_eq(f.pc, UINT64_C(0xFFFFF80012345678), "%llx", (unsigned long long)f.pc);
    cr_expect_eq(f.r[20], 0x1003);
    for (uint32_t i = 0; i < 6; i++)
        cr_expect_eq(f.r[21 + i], 0x1004 + i, "x%u", 21 + i);
    cr_expect_eq(f.sp, STACK + 0x20 + 0x40);
    FORGE(DFR_MACHINE_ARM64, ARM_HEADER(1), 0xDF, 1, 0xE4, 0xE4);
    f = frame_at(0x20, true);
    cr_expect_eq(dfr_unwind(&pe, &space, 0, &f).how, DFR_UNWIND_OPERATION, "scalable vectors");
}

Test(unwind, pointers_lose_their_signature)
{
    const uint64_t pac = UINT64_C(0xFF7F000000000000);
    cr_expect_eq(dfr_strip_pac(UINT64_C(0x1A80F80012345678), pac), UINT64_C(0xFFFFF80012345678));
    cr_expect_eq(dfr_strip_pac(UINT64_C(0x1A00007F12345678), pac), UINT64_C(0x0000007F12345678));
    cr_expect_eq(dfr_strip_pac(UINT64_C(0xFFFFF80012345678), 0), UINT64_C(0xFFFFF80012345678));
}
