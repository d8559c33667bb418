/* The instruction at the fault of forged dumps: decoded, and whether it can have raised the fault.
 * Real ones beside the repository when they are there. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "derive_help.h"
#include "dump/dump.h"
#include "dump_forge.h"

TestSuite(insn, .init = open_facts, .fini = close_facts, .timeout = 60);

enum { CODE = 0x6900, BLOBS = 0x7000, NOTHING = -1 };

static uint8_t d[FORGE_SIZE];
static struct dfr_diags diags;
static struct dfr_err err;

static void read_forged(void)
{
    struct dfr_bytes b;
    dfr_bytes_memory(&b, &arena, (struct dfr_span){d, sizeof d});
    dfr_diags_init(&diags, &arena);
    cr_assert_eq(dfr_dump_read(&arena, &b, NULL, &diags, &facts, &err), DFR_OK, "%s", err.message);
}

/* The bytes of the faulting instruction, and those before it; 7E with a context record. */
static void forge_code(const char *before, size_t before_len, const char *bytes, size_t len)
{
    forge_triage(d);
    memset(d + CODE - 0x100, 0x90, 0x200);
    memcpy(d + CODE - before_len, before, before_len);
    memcpy(d + CODE, bytes, len);
    forge_block(d, 11, FORGE_IP - 0x100, CODE - 0x100, 0x200);
    forge32(d, 0x2000 + 0x7C, 12);
    forge64(d, FORGE_RECORD + 0x10, FORGE_IP);
    forge64(d, FORGE_CONTEXT + 0x80, UINT64_C(0xFFFFA00000009000)); /* rcx */
    forge64(d, FORGE_CONTEXT + 0x88, UINT64_C(0x6B6B6B6B6B6B6B6B)); /* rdx */
}

static int truth(uint32_t field)
{
    const struct dfr_value *v = dfr_facts_scalar(&facts, field);
    return v->state == DFR_KNOWN ? v->as.b : NOTHING;
}

static const char *mnemonic(void)
{
    const struct dfr_value *v = dfr_facts_at(&facts, DFR_F_INSNS_MNEMONIC, 0);
    return facts.tables[DFR_T_INSNS].n && v->state == DFR_KNOWN
               ? dfr_arena_copy(&arena, v->as.s.p, v->as.s.len)
               : "?";
}

static uint64_t operand(void)
{
    const struct dfr_value *v = dfr_facts_at(&facts, DFR_F_INSNS_ADDRESS, 0);
    return v->state == DFR_KNOWN ? v->as.u : 0;
}

#define BYTES(s) (s), sizeof(s) - 1

Test(insn, what_an_instruction_can_raise)
{
    const uint64_t ones = UINT64_MAX, at = UINT64_C(0xFFFFA00000009000);
    static const char nop[] = "\x90";
    const struct {
        const char *bytes;
        size_t len;
        uint64_t reported;
        const char *mnemonic;
        int consistent;
        uint64_t operand;
    } rows[] = {
        {BYTES("\x80\x79\x29\x05"), at + 0x29, "cmp", true, at + 0x29},
        {BYTES("\x80\x79\x29\x05"), at + 0x2A, "cmp", false, at + 0x29},
        {BYTES("\x80\x79\x29\x05"), 0x29, "cmp", false, at + 0x29},
        {BYTES("\x48\x8B\x01"), at + 7, "mov", true, at}, /* its last byte */
        {BYTES("\x48\x8B\x01"), at + 8, "mov", false, at},
        {BYTES("\x48\x8B\x01"), ones, "mov", false, at}, /* proper address */
        {BYTES("\x48\x8B\x02"), ones, "mov", true, UINT64_C(0x6B6B6B6B6B6B6B6B)},
        {BYTES("\x48\x8B\x01"), FORGE_IP + 2, "mov", true, at}, /* the code itself */
        {BYTES("\x48\x89\xC8"), 0x1010, "mov", false, 0},       /* registers only */
        {BYTES("\x48\x8D\x41\x08"), at + 8, "lea", false, 0},   /* computes, touches nothing */
        {BYTES("\xFF\x31"), 0x1010, "push", NOTHING, 0},        /* the stack as well */
        {BYTES("\xFF\x11"), 0x1010, "call", NOTHING, 0},
        {BYTES("\xC3"), 0x1010, "ret", NOTHING, 0},
        {BYTES("\xF3\xA4"), 0x1010, "rep movsb", NOTHING, 0},
        {BYTES("\x0F\xAB\x01"), 0x1010, "bts", NOTHING, 0}, /* beside the operand */
        {BYTES("\x65\x48\x8B\x01"), 0x1010, "mov", NOTHING, 0},
        {BYTES("\x0F\x22\xD8"), ones, "mov", NOTHING, 0}, /* to a control register */
        {BYTES("\x8E\xD8"), ones, "mov", NOTHING, 0},     /* to a segment */
        {BYTES("\x0F\x28\x01"), ones, "movaps", NOTHING, 0},
        {BYTES("\x06"), 0x1010, "?", NOTHING, 0}, /* no instruction on x64 */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        forge_code(BYTES(nop), rows[i].bytes, rows[i].len);
        forge64(d, FORGE_RECORD + 0x28, rows[i].reported);
        read_forged();
        cr_expect_str_eq(mnemonic(), rows[i].mnemonic, "%zu: %s", i, mnemonic());
        cr_expect_eq(truth(DFR_F_FAULT_CONSISTENT), rows[i].consistent, "%zu: %d", i,
                     truth(DFR_F_FAULT_CONSISTENT));
        cr_expect_eq(operand(), rows[i].operand, "%zu: %llx", i, (unsigned long long)operand());
        cr_expect_eq(truth(DFR_F_FAULT_NO_ADDRESS),
                     rows[i].mnemonic[0] == '?' ? NOTHING : rows[i].reported == ones, "%zu", i);
    }
}

Test(insn, what_software_raised_is_no_contradiction)
{
    static const struct {
        const char *before;
        size_t len;
        int consistent;
    } rows[] = {
        {BYTES("\x90\x90\x90\x90\x90\x90"), false},
        {BYTES("\x90\xE8\x00\xF0\xFF\xFF"), false},   /* called a function of its own image */
        {BYTES("\x90\xE8\x00\x00\x00\xF0"), NOTHING}, /* of another */
        {BYTES("\xFF\x15\x00\x10\x00\x00"), NOTHING}, /* through the import table */
        {BYTES("\x90\x90\x90\x90\xFF\xD0"), NOTHING},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        forge_code(rows[i].before, rows[i].len, BYTES("\x80\x79\x29\x05"));
        read_forged();
        cr_expect_eq(truth(DFR_F_FAULT_CONSISTENT), rows[i].consistent, "%zu", i);
    }
    forge_code(BYTES("\x90"), BYTES("\x80\x79\x29\x05"));
    forge32(d, FORGE_RECORD + 4, 0x80); /* the record says so itself */
    read_forged();
    cr_expect_eq(truth(DFR_F_FAULT_CONSISTENT), NOTHING);
}

/* A trap frame holds neither rbx nor rsi: what they point to is not known. */
Test(insn, registers_of_a_trap_frame)
{
    static const struct {
        const char *bytes;
        size_t len;
        int consistent;
    } rows[] = {
        {BYTES("\x80\x79\x29\x05"), false},   /* rcx */
        {BYTES("\x80\x7B\x29\x05"), NOTHING}, /* rbx */
        {BYTES("\x48\x8B\x1E"), NOTHING},     /* rsi */
        {BYTES("\x43\x89\x14\x27"), NOTHING}, /* r15 + r12 */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t frame = FORGE_STACK + 0x100;
        forge_code(BYTES("\x90"), rows[i].bytes, rows[i].len);
        forge32(d, 0x38, 0xD1);
        forge64(d, 0x40, 0x29);
        forge64(d, 0x48, 2);
        forge64(d, 0x50, 0);
        forge64(d, 0x58, FORGE_IP);
        forge64(d, frame + 0x38, UINT64_C(0xFFFFA00000009000));
        forge64(d, frame + 0x168, FORGE_IP);
        forge64(d, frame + 0x170, 0x10);
        forge64(d, frame + 0x180, FORGE_STACK_VA + 0x700);
        forge64(d, frame + 0x188, 0x18);
        read_forged();
        cr_expect_eq(truth(DFR_F_FAULT_CONSISTENT), rows[i].consistent, "%zu", i);
    }
    forge_code(BYTES("\x90"), BYTES("\x80\x79\x29\x05")); /* no frame: no registers */
    forge32(d, 0x38, 0xD1);
    forge64(d, 0x58, FORGE_IP);
    read_forged();
    cr_expect_str_eq(mnemonic(), "cmp");
    cr_expect_eq(truth(DFR_F_FAULT_CONSISTENT), NOTHING);
}

/* The table that is walked stands where the debugger data block says. */
Test(insn, fault_inside_the_page_tables)
{
    const uint64_t base = UINT64_C(0xFFFFFA0000000000);
    const struct {
        uint64_t base, fault, of;
    } rows[] = {
        {base, UINT64_C(0xFFFFFA5BD73D3148), UINT64_C(0xFFFFB7AE7A629000)},
        {base, base + (UINT64_C(0x1234) << 3), UINT64_C(0x1234000)},
        {base, base + (UINT64_C(1) << 39), 0},
        {base, base - 8, 0},
        {base + 0x1000, base + 0x8000, 0}, /* no base at all */
        {0, UINT64_C(0x1000), 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        forge_triage(d);
        forge32(d, 0x38, 0x50);
        forge64(d, 0x40, rows[i].fault);
        forge64(d, FORGE_KDBG + 0x360, rows[i].base);
        read_forged();
        const struct dfr_value *v = dfr_facts_scalar(&facts, DFR_F_FAULT_PTE_OF);
        cr_expect_eq(v->state == DFR_KNOWN ? v->as.u : 0, rows[i].of, "%zu", i);
    }
}

Test(insn, padding_between_functions)
{
    static const struct {
        const char *before, *code;
        int padding;
    } rows[] = {{"\xC3", "\xCC", false},
                {"\xCC", "\xCC", true},
                {"\xCC", "\x90", false},
                {"\x90", "\x90", false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        forge_code(rows[i].before, 1, rows[i].code, 1);
        read_forged();
        cr_expect_eq(truth(DFR_F_FAULT_IN_PADDING), rows[i].padding, "%zu", i);
    }
    forge_triage(d); /* no code captured */
    read_forged();
    cr_expect_eq(truth(DFR_F_FAULT_IN_PADDING), NOTHING);
    cr_expect_eq(facts.tables[DFR_T_INSNS].n, 0);
    cr_expect_eq(facts.tables[DFR_T_INSNS].reason, DFR_REASON_NOT_CAPTURED);
}

static void forge_cpuid(uint32_t one, uint32_t two)
{
    static const uint8_t id[16] = {0x6F, 0xC0, 0x3D, 0xD0, 0x8E, 0xD8, 0xC5, 0x44,
                                   0xBA, 0x2A, 0xFA, 0xE0, 0x35, 0x17, 0x2D, 0x19};
    size_t at = BLOBS;
    forge32(d, 0x2000 + 0x04, BLOBS);
    memcpy(d + at, "DumpBlob", 8);
    forge32(d, at + 8, 16);
    at += 16;
    forge32(d, at, 0x20); /* another one first, with padding on both sides */
    forge32(d, at + 0x14, 8);
    forge32(d, at + 0x18, 4);
    forge32(d, at + 0x1C, 4);
    at += 0x20 + 16;
    forge32(d, at, 0x20);
    memcpy(d + at + 4, id, sizeof id);
    forge32(d, at + 0x14, 2 * 0x28);
    forge32(d, at + 0x20 + 0x10, 0xFFFFFFFF); /* leaf 0 */
    forge32(d, at + 0x20 + 0x28 + 4, 1);
    forge32(d, at + 0x20 + 0x28 + 0x10, one);
    forge32(d, at + 0x20 + 0x28 + 0x20, two);
}

Test(insn, features_of_the_processor)
{
    const uint32_t popcnt = 1u << 23, avx = 1u << 28, sse3 = 1;
    const struct {
        const char *bytes;
        size_t len;
        uint32_t one, two;
        int lacks;
    } rows[] = {
        {BYTES("\xF3\x0F\xB8\xD8"), sse3, sse3, true},
        {BYTES("\xF3\x0F\xB8\xD8"), popcnt, popcnt, false},
        {BYTES("\xF3\x0F\xB8\xD8"), sse3, popcnt, false}, /* one of the two has it */
        {BYTES("\xF3\x0F\xB8\xD8"), 0, 0, NOTHING},       /* nothing was captured */
        {BYTES("\xC5\xF8\x77"), sse3, sse3, true},        /* vzeroupper */
        {BYTES("\xC5\xF8\x77"), avx, avx, false},
        {BYTES("\xC5\xFD\xFE\xC1"), sse3, sse3, true}, /* vpaddd of AVX2 */
        {BYTES("\xC5\xFD\xFE\xC1"), avx, avx, NOTHING},
        {BYTES("\x48\x8B\x01"), sse3, sse3, NOTHING}, /* every processor has it */
        {BYTES("\x0F\x0B"), sse3, sse3, NOTHING},     /* and none takes this */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        forge_code(BYTES("\x90"), rows[i].bytes, rows[i].len);
        forge_cpuid(rows[i].one, rows[i].two);
        read_forged();
        cr_expect_eq(truth(DFR_F_FAULT_CPU_LACKS), rows[i].lacks, "%zu: %d", i,
                     truth(DFR_F_FAULT_CPU_LACKS));
    }
    forge_code(BYTES("\x90"), BYTES("\xF3\x0F\xB8\xD8"));
    forge_cpuid(sse3, sse3);
    forge32(d, BLOBS + 16, 0); /* a chain that does not go on */
    read_forged();
    cr_expect_eq(truth(DFR_F_FAULT_CPU_LACKS), NOTHING);
}

Test(insn, real_dumps)
{
    static const struct {
        const char *file, *mnemonic;
        int consistent, no_address, padding, lacks;
    } rows[] = {
        {"rizin_triage_x64", "mov", false, true, false, NOTHING},
        {"rizin_triage_arm64", "?", NOTHING, NOTHING, NOTHING, NOTHING},
        {"eolaruhagen_083125-14875-01", "?", NOTHING, NOTHING, NOTHING, NOTHING},
        {"rts_116_0", "?", NOTHING, NOTHING, NOTHING, NOTHING},
        {"rts_13a", "?", NOTHING, NOTHING, NOTHING, NOTHING},
        {"rts_1e", "int3", NOTHING, NOTHING, true, NOTHING},
        {"rts_3b_0", "cmp", NOTHING, NOTHING, false, NOTHING},
        {"rts_50_0", "mov", NOTHING, false, false, NOTHING},
        {"rts_7e_0", "mov", false, false, false, NOTHING},
        {"rts_7e_1", "popcnt", NOTHING, NOTHING, false, true},
        {"rts_9f", "?", NOTHING, NOTHING, NOTHING, NOTHING},
        {"rts_d1", "cmp", false, false, false, NOTHING},
    };
    const char *shared = getenv("SHARED");
    size_t seen = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/dumps/%s.dmp", shared ? shared : "../shared", rows[i].file);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct dfr_bytes b;
        if (fd < 0)
            continue;
        seen++;
        cr_assert(dfr_bytes_fd(&b, &arena, &fd));
        dfr_diags_init(&diags, &arena);
        cr_assert_eq(dfr_dump_read(&arena, &b, NULL, &diags, &facts, &err), DFR_OK, "%s: %s", path,
                     err.message);
        close(fd);
        cr_expect_str_eq(mnemonic(), rows[i].mnemonic, "%s: %s", path, mnemonic());
        cr_expect_eq(truth(DFR_F_FAULT_CONSISTENT), rows[i].consistent, "%s", path);
        cr_expect_eq(truth(DFR_F_FAULT_NO_ADDRESS), rows[i].no_address, "%s", path);
        cr_expect_eq(truth(DFR_F_FAULT_IN_PADDING), rows[i].padding, "%s", path);
        cr_expect_eq(truth(DFR_F_FAULT_CPU_LACKS), rows[i].lacks, "%s", path);
        dfr_arena_reset(&arena);
    }
    if (!seen)
        cr_skip("SKIPPED: no real dumps beside the repository");
}
