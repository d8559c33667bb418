/* Instructions of every processor, code before return addresses, and the way through a function. */
#include <string.h>

#include "dump/insn.h"
#include "target.h"

TestSuite(code_checks, .init = open_facts, .fini = close_facts, .timeout = 60);

#define BYTES(s) (s), sizeof(s) - 1
enum { AT = 0x3000, LEN = 0x200, NOTHING = -1 };
static const uint64_t wide_code = UINT64_C(0xFFFFF80020001000), narrow_code = 0x91001000;

static uint64_t code_at(enum dfr_machine machine)
{
    return machine == DFR_MACHINE_X86 ? narrow_code : wide_code;
}

/* The instruction at 100h of captured code, after code that calls nothing. */
static struct dfr_dump faulted(enum dfr_machine machine, uint32_t bugcheck, uint64_t address,
                               const char *bytes, size_t len)
{
    const uint64_t args[4] = {address, 2, 0, code_at(machine) + 0x100};
    struct dfr_dump d = target_dump(machine, bugcheck, args);
    target_memory(&d, code_at(machine), AT, LEN);
    target_module(&d, "exdisk", code_at(machine) - 0x1000, 0x10000);
    if (machine == DFR_MACHINE_ARM64)
        for (size_t i = 0; i < LEN; i += 4)
            forge32(target_bytes, AT + i, 0xD503201F);
    else
        memset(target_bytes + AT, 0x90, LEN);
    memcpy(target_bytes + AT + 0x100, bytes, len);
    return d;
}

static int truth(uint32_t field)
{
    const struct dfr_value *v = dfr_facts_scalar(&facts, field);
    return v->state == DFR_KNOWN ? v->as.b : NOTHING;
}

Test(code_checks, faults_of_arm64)
{
    const uint64_t base = UINT64_C(0xFFFF9000ABCD0000);
    static const struct {
        const char *bytes, *mnemonic;
        uint64_t fault; /* distance from x1 */
        int consistent;
        uint64_t address; /* distance from x1; NONE: unknown */
        uint32_t access;
    } rows[] = {
#define NONE UINT64_MAX
        {"\x20\x00\x40\xF9", "ldr", 0, true, 0, DFR_ACCESS_READ},       /* ldr x0, [x1] */
        {"\x20\x08\x40\xF9", "ldr", 0x10, true, 0x10, DFR_ACCESS_READ}, /* [x1, #0x10] */
        {"\x20\x08\x40\xF9", "ldr", 0x8000, false, 0x10, DFR_ACCESS_READ},
        {"\x20\x00\x00\xF9", "str", 0, true, 0, DFR_ACCESS_WRITE},
        {"\x20\x84\x40\xF8", "ldr", 0, true, 0, DFR_ACCESS_READ},       /* [x1], #8 */
        {"\x20\x8C\x40\xF8", "ldr", 8, true, 8, DFR_ACCESS_READ},       /* [x1, #8]! */
        {"\x20\x78\x62\xF8", "ldr", 0x10, true, 0x10, DFR_ACCESS_READ}, /* [x1, x2, lsl #3] */
        {"\x20\xD8\x63\xF8", "ldr", 0x8000, false, (uint64_t)-16, DFR_ACCESS_READ}, /* w3 sxtw #3 */
        {"\x20\x0C\x40\xA9", "ldp", 8, true, 0, DFR_ACCESS_READ},
        {"\x20\x01\x40\xF9", "ldr", 0, NOTHING, NONE, DFR_ACCESS_READ}, /* x9 is not known */
        {"\x20\x7C\x5F\xC8", "ldxr", 0x8000, NOTHING, NONE, UINT32_MAX},
        {"\x1F\x20\x03\xD5", "nop", 0x8000, NOTHING, NONE, UINT32_MAX},
        {"\xFF\xFF\xFF\xFF", "?", 0, NOTHING, NONE, UINT32_MAX},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dfr_dump d =
            faulted(DFR_MACHINE_ARM64, 0xD1, base + rows[i].fault, rows[i].bytes, 4);
        reg("x1", base);
        reg("x2", 2);
        reg("x3", UINT64_C(0x12345678FFFFFFFE));
        dfr_dump_insn(&d, wide_code + 0x100, true);
        cr_assert_eq(facts.tables[DFR_T_INSNS].n, 1);
        cr_expect_str_eq(target_text(dfr_facts_at(&facts, DFR_F_INSNS_MNEMONIC, 0)),
                         rows[i].mnemonic, "%zu", i);
        cr_expect_eq(truth(DFR_F_FAULT_CONSISTENT), rows[i].consistent, "%zu: %d", i,
                     truth(DFR_F_FAULT_CONSISTENT));
        const struct dfr_value *v = dfr_facts_at(&facts, DFR_F_INSNS_ADDRESS, 0);
        cr_expect_eq(v->state == DFR_KNOWN, rows[i].address != NONE, "%zu", i);
        cr_expect(v->state != DFR_KNOWN || v->as.u == base + rows[i].address, "%zu: %llx", i,
                  (unsigned long long)v->as.u);
        v = dfr_facts_at(&facts, DFR_F_INSNS_ACCESS, 0);
        cr_expect_eq(v->state == DFR_KNOWN ? v->as.e.value : UINT32_MAX, rows[i].access, "%zu", i);
    }
}

/* Within the limits of the thread's stack, across its end, and outside. */
Test(code_checks, accesses_to_the_own_stack)
{
    const uint64_t limit = UINT64_C(0xFFFFE60000010000), base = limit + 0x6000;
    static const struct {
        const char *bytes;
        size_t len;
        uint64_t rsp; /* distance from the limit */
        int on_stack;
    } rows[] = {
        {BYTES("\x0F\xB6\x7C\x24\x40"), 0x100, true},   /* movzx edi, byte ptr [rsp+40h] */
        {BYTES("\x48\x8B\x44\x24\x08"), 0x5FF0, true},  /* mov rax, [rsp+8]: the last word */
        {BYTES("\x48\x8B\x44\x24\x08"), 0x5FF1, false}, /* runs over the end */
        {BYTES("\x48\x8B\x44\x24\x08"), 0x9000, false},
        {BYTES("\x48\x8B\x04\x24"), UINT64_MAX, false}, /* below the limit */
        {BYTES("\x48\x8B\x01"), 0x100, NOTHING},        /* [rcx], which is not known */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dfr_dump d = faulted(DFR_MACHINE_X64, 0x3B, 0, rows[i].bytes, rows[i].len);
        reg("rsp", limit + rows[i].rsp);
        dfr_dump_insn(&d, wide_code + 0x100, true);
        cr_expect_eq(truth(DFR_F_FAULT_ON_STACK), NOTHING, "%zu: without limits", i);
        d = faulted(DFR_MACHINE_X64, 0x3B, 0, rows[i].bytes, rows[i].len);
        reg("rsp", limit + rows[i].rsp);
        (void)dfr_facts_set(&facts, DFR_F_THREAD_STACK_LIMIT, dfr_v_addr(limit));
        (void)dfr_facts_set(&facts, DFR_F_THREAD_STACK_BASE, dfr_v_addr(base));
        dfr_dump_insn(&d, wide_code + 0x100, true);
        cr_expect_eq(truth(DFR_F_FAULT_ON_STACK), rows[i].on_stack, "%zu", i);
    }
}

Test(code_checks, faults_of_x86)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *mnemonic;
        uint64_t fault;
        int consistent;
        uint64_t address;
    } rows[] = {
        {BYTES("\x8B\x41\x08"), "mov", 0x84000008, true, 0x84000008},
        {BYTES("\x8B\x41\x08"), "mov", 0x29, false, 0x84000008},
        {BYTES("\x8B\x42\x08"), "mov", 4, true, 4}, /* wraps round */
        {BYTES("\x8B\x45\x08"), "mov", 0x29, NOTHING, 0},
        {BYTES("\xFF\x31"), "push", 0x29, NOTHING, 0},
        {BYTES("\x8B\x0D\x00\x10\x00\x84"), "mov", 0x84001000, true, 0x84001000},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dfr_dump d =
            faulted(DFR_MACHINE_X86, 0x0A, rows[i].fault, rows[i].bytes, rows[i].len);
        reg("ecx", 0x84000000);
        reg("edx", 0xFFFFFFFC);
        dfr_dump_insn(&d, narrow_code + 0x100, true);
        cr_assert_eq(facts.tables[DFR_T_INSNS].n, 1);
        cr_expect_str_eq(target_text(dfr_facts_at(&facts, DFR_F_INSNS_MNEMONIC, 0)),
                         rows[i].mnemonic, "%zu", i);
        cr_expect_eq(truth(DFR_F_FAULT_CONSISTENT), rows[i].consistent, "%zu", i);
        const struct dfr_value *v = dfr_facts_at(&facts, DFR_F_INSNS_ADDRESS, 0);
        cr_expect_eq(v->state == DFR_KNOWN ? v->as.u : 0, rows[i].address, "%zu", i);
    }
}

Test(code_checks, code_before_a_return_address)
{
    static const struct {
        enum dfr_machine machine;
        const char *before;
        size_t len;
        int call;
    } rows[] = {
        {DFR_MACHINE_X64, BYTES("\xE8\x00\x01\x00\x00"), 1},
        {DFR_MACHINE_X64, BYTES("\xE8\x00\x00\x00\xF0"), 1}, /* out of every module: a stub */
        {DFR_MACHINE_X64, BYTES("\xE9\x00\x01\x00\x00"), 0},
        {DFR_MACHINE_X64, BYTES("\xFF\xD0"), 1},
        {DFR_MACHINE_X64, BYTES("\x41\xFF\xD2"), 1},
        {DFR_MACHINE_X64, BYTES("\xFF\xE0"), 0}, /* a jump */
        {DFR_MACHINE_X64, BYTES("\xFF\x15\x00\x10\x00\x00"), 1},
        {DFR_MACHINE_X64, BYTES("\xFF\x50\x08"), 1},
        {DFR_MACHINE_X64, BYTES("\xFF\x54\x24\x20"), 1},
        {DFR_MACHINE_X64, BYTES("\xFF\x90\x00\x01\x00\x00"), 1},
        {DFR_MACHINE_X64, BYTES("\xFF\x94\xC8\x00\x01\x00\x00"), 1},
        {DFR_MACHINE_X64, BYTES("\xFF\x14\x25\x00\x10\x00\x00"), 1},
        {DFR_MACHINE_X64, BYTES("\xFF\x15\x00\x90"), 0}, /* too short for its form */
        {DFR_MACHINE_X86, BYTES("\xE8\x00\x01\x00\x00"), 1},
        {DFR_MACHINE_X86, BYTES("\xE8\xFB\xFF\xFF\xFF"), 1},
        {DFR_MACHINE_X86, BYTES("\xFF\x15\x00\x10\x00\x91"), 1},
        {DFR_MACHINE_ARM64, BYTES("\x10\x00\x00\x94"), 1},
        {DFR_MACHINE_ARM64, BYTES("\xF0\xFF\xFF\x97"), 1}, /* backwards */
        {DFR_MACHINE_ARM64, BYTES("\x00\x00\x00\x95"), 1},
        {DFR_MACHINE_ARM64, BYTES("\x00\x01\x3F\xD6"), 1},
        {DFR_MACHINE_ARM64, BYTES("\x11\x09\x3F\xD7"), 1}, /* with a key */
        {DFR_MACHINE_ARM64, BYTES("\x00\x01\x1F\xD6"), 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dfr_dump d = faulted(rows[i].machine, 0xD1, 0, "", 0);
        memcpy(target_bytes + AT + 0x100 - rows[i].len, rows[i].before, rows[i].len);
        int call = dfr_code_after_call(&d, code_at(rows[i].machine) + 0x100);
        cr_expect_eq(call, rows[i].call, "%zu: %d", i, call);
        cr_expect_eq(dfr_code_after_call(&d, 4), -1);
        cr_expect_eq(dfr_code_after_call(&d, code_at(rows[i].machine) + 2), -1);
        cr_expect_eq(dfr_code_after_call(&d, UINT64_MAX), -1);
    }
}

/* push rbp; mov rbp,rsp; test ecx,ecx; je +3; jmp +2; two bytes of anything; xor eax,eax; ret. */
Test(code_checks, way_through_a_function)
{
    static const uint8_t code[] = {0x55, 0x48, 0x89, 0xE5, 0x85, 0xC9, 0x74, 0x04, 0xEB, 0x02,
                                   0x0F, 0x1F, 0x31, 0xC0, 0xC3, 0xB8, 0x00, 0x00, 0x00, 0x00};
    static const struct {
        uint32_t target;
        int boundary;
    } rows[] = {
        {0, 1},   {1, 1},   {2, 0}, {3, 0}, {4, 1},
        {5, 0},   {6, 1},   {7, 0}, {8, 1}, {10, -1}, /* behind a jump */
        {11, -1}, {12, -1}, /* the bytes before it are read as one with it */
        {15, -1}, {16, -1}, /* behind a return */
        {40, -1},
    };
    const uint64_t args[4] = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dfr_dump d = target_dump(DFR_MACHINE_X64, 0xD1, args);
        int b = dfr_insn_boundary_x86(&d, (struct dfr_span){code, sizeof code}, rows[i].target);
        cr_expect_eq(b, rows[i].boundary, "%u: %d", rows[i].target, b);
    }
}
