/* The kernel's own tables, out of forged memory of x64 and x86 systems, whole and hostile. No real
 * 32-bit dump was there to test with. */
#include "derive_help.h"
#include "dump/dump.h"
#include "system_forge.h"

TestSuite(kernel, .init = open_facts, .fini = close_facts, .timeout = 60);

static struct system_forge s;
static uint8_t d[PAGES_FILE];
static struct dfr_diags diags;
static struct dfr_err err;

static void read_file(uint32_t type)
{
    struct dfr_bytes b;
    size_t n = sys_file(&s, type, d);
    dfr_bytes_memory(&b, &arena, (struct dfr_span){d, n});
    dfr_diags_init(&diags, &arena);
    cr_assert_eq(dfr_dump_read(&arena, &b, NULL, &diags, &facts, &err), DFR_OK, "%s", err.message);
}

static uint64_t addr(uint32_t field)
{
    const struct dfr_value *v = dfr_facts_scalar(&facts, field);
    return v->state == DFR_KNOWN ? v->as.u : 0;
}

static int64_t number(uint32_t field)
{
    const struct dfr_value *v = dfr_facts_scalar(&facts, field);
    return v->state == DFR_KNOWN ? v->as.n.lo : -1;
}

static uint32_t word_of(uint32_t field)
{
    const struct dfr_value *v = dfr_facts_scalar(&facts, field);
    return v->state == DFR_KNOWN ? v->as.e.value : UINT32_MAX;
}

static uint64_t at(uint32_t column, uint32_t row)
{
    const struct dfr_value *v = dfr_facts_at(&facts, column, row);
    return v->state == DFR_KNOWN ? v->as.u : 0;
}

static const char *text(const struct dfr_value *v)
{
    return v->state == DFR_KNOWN ? dfr_arena_copy(&arena, v->as.s.p, v->as.s.len) : "?";
}

static const char *cell(uint32_t column, uint32_t row)
{
    return text(dfr_facts_at(&facts, column, row));
}

static const char *message(const struct dfr_diag *g)
{
    return dfr_arena_copy(&arena, g->message.p, g->message.len);
}

static uint64_t value_of(const char *name)
{
    for (uint32_t i = 0; i < facts.tables[DFR_T_REGS].n; i++)
        if (strcmp(cell(DFR_F_REGS_NAME, i), name) == 0)
            return at(DFR_F_REGS_VALUE, i);
    return UINT64_MAX;
}

static uint32_t modules(void)
{
    return facts.tables[DFR_T_MODULES].n;
}

/* Every kind of dump, and both widths, give the same system. */
static void expect_system(void)
{
    cr_expect_eq(addr(DFR_F_OS_KERNEL_BASE), s.base);
    cr_assert_eq(modules(), 3);
    cr_expect(facts.tables[DFR_T_MODULES].complete);
    cr_expect_str_eq(cell(DFR_F_MODULES_NAME, 0), "nt");
    cr_expect_str_eq(cell(DFR_F_MODULES_PATH, 1), "\\??\\C:\\exdisk.sys");
    cr_expect_str_eq(cell(DFR_F_MODULES_NAME, 2), "volmgr");
    cr_expect_eq(at(DFR_F_MODULES_END, 1), s.base + SYS_DRIVER + 0x4000);
    cr_expect_eq(at(DFR_F_MODULES_CHECKSUM, 1), 0x1001);
    cr_expect_eq(at(DFR_F_MODULES_TIMESTAMP, 1), 0x63000000);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_MODULES_BUILT, 0)->reason, DFR_REASON_BUILD_HASH);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_MODULES_BUILT, 1)->as.n.lo, 0x63000000);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_MODULES_TIMESTAMP, 2)->state, DFR_UNKNOWN);

    cr_assert_eq(facts.tables[DFR_T_UNLOADED].n, 2);
    cr_expect(facts.tables[DFR_T_UNLOADED].complete);
    cr_expect_str_eq(cell(DFR_F_UNLOADED_NAME, 1), "a_name_of_more_than_twelve.sys");
    cr_expect_eq(at(DFR_F_UNLOADED_BASE, 0), s.base + 0x300000);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_UNLOADED_TIME, 0)->as.n.lo,
                 dfr_time_from_civil(2024, 1, 1, 0, 0, 0));

    cr_assert_eq(facts.tables[DFR_T_CPUS].n, 3);
    cr_expect(facts.tables[DFR_T_CPUS].complete);
    cr_expect_eq(number(DFR_F_CPU_CURRENT), 0);
    cr_expect_eq(at(DFR_F_CPUS_THREAD, 1), s.base + SYS_THREAD + 0x1000);
    cr_expect(dfr_facts_at(&facts, DFR_F_CPUS_IDLE, 2)->as.b);
    cr_expect_eq(addr(DFR_F_THREAD_ADDRESS), s.base + SYS_THREAD);
    cr_expect_eq(addr(DFR_F_THREAD_STACK_LIMIT), s.base + SYS_STACK);
    cr_expect_eq(addr(DFR_F_THREAD_STACK_BASE), s.base + SYS_STACK_END);
    cr_expect_eq(word_of(DFR_F_THREAD_STACK_KIND), DFR_STACK_KIND_THREAD);

    cr_expect_str_eq(text(dfr_facts_scalar(&facts, DFR_F_OS_VERSION)),
                     "19041.1.amd64fre.vb_release");
    cr_expect_eq(addr(DFR_F_VERIFIER_FLAGS), 0x209BB);
    cr_expect_eq(number(DFR_F_MEMORY_COMMITTED), 999);
    cr_expect_eq(number(DFR_F_MEMORY_COMMIT_LIMIT), 1000);
    cr_expect_eq(number(DFR_F_MACHINE_BAD_PAGES), 3);

    cr_expect_eq(addr(DFR_F_TRAP_RIP), s.base + SYS_DRIVER + 0x234);
    cr_expect_eq(addr(DFR_F_TRAP_ADDRESS), 0x1010);
    cr_expect_eq(word_of(DFR_F_TRAP_ACCESS), DFR_ACCESS_WRITE);
    cr_expect_eq(addr(DFR_F_TRAP_EXCEPTION), 0xC0000005);
}

Test(kernel, every_kind_of_x64)
{
    static const uint32_t kinds[] = {1, 2, 5, 6, 8, 9, 10};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        sys_forge(&s, DFR_MACHINE_X64);
        read_file(kinds[i]);
        expect_system();
        cr_expect_eq(diags.n, 0, "kind %u: %s", kinds[i], diags.n ? message(&diags.v[0]) : "");
        cr_expect_str_eq(text(dfr_facts_scalar(&facts, DFR_F_THREAD_PROCESS)), "tool.exe");
        cr_expect_eq(number(DFR_F_CPU_CURRENT_IRQL), 2);
        cr_expect_eq(dfr_facts_at(&facts, DFR_F_CPUS_STATE, 1)->as.e.value, DFR_CPU_STATE_FROZEN);
        cr_expect_eq(at(DFR_F_CPUS_RIP, 1), s.base + 0x501);
        cr_expect_eq(value_of("rax"), 0xD);
        cr_expect_eq(addr(DFR_F_TRAP_SP), s.base + SYS_SP + 0x40);
        dfr_arena_reset(&arena);
    }
}

Test(kernel, arm64)
{
    static const uint32_t kinds[] = {1, 6, 8};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        sys_forge(&s, DFR_MACHINE_ARM64);
        read_file(kinds[i]);
        expect_system();
        cr_expect_eq(diags.n, 0, "%s", diags.n ? message(&diags.v[0]) : "");
        cr_expect_eq(word_of(DFR_F_DUMP_ARCH), DFR_ARCH_ARM64);
        cr_expect_str_eq(text(dfr_facts_scalar(&facts, DFR_F_THREAD_PROCESS)), "tool.exe");
        cr_expect_eq(dfr_facts_at(&facts, DFR_F_CPUS_STATE, 1)->as.e.value, DFR_CPU_STATE_FROZEN);
        cr_expect_eq(at(DFR_F_CPUS_RIP, 1), s.base + 0x501);
        cr_expect_eq(value_of("x0"), 0xD);
        /* Where its IRQL and the stacks of its processors stand is not known. */
        cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_CPU_CURRENT_IRQL)->state, DFR_UNKNOWN);
        dfr_arena_reset(&arena);
    }
}

/* Its trap frame differs by build: a parameter that points to one gives its address alone. */
Test(kernel, trap_frame_of_arm64)
{
    sys_forge(&s, DFR_MACHINE_ARM64);
    s.code = 0x139;
    s.args[1] = s.base + SYS_TRAP;
    read_file(1);
    cr_expect_eq(facts.tables[DFR_T_REGS].n, 0);
    cr_expect_eq(facts.tables[DFR_T_REGS].reason, DFR_REASON_NEEDS_TYPES);
    cr_expect_eq(addr(DFR_F_TRAP_FRAME_ADDRESS), s.base + SYS_TRAP);
}

Test(kernel, x86)
{
    static const uint32_t kinds[] = {1, 2, 5, 6};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        sys_forge(&s, DFR_MACHINE_X86);
        read_file(kinds[i]);
        expect_system();
        cr_expect_eq(word_of(DFR_F_DUMP_ARCH), DFR_ARCH_X86);
        cr_expect_not(dfr_facts_scalar(&facts, DFR_F_OS_PAE)->as.b);
        cr_expect_eq(value_of("eax"), 0xABCD);
        cr_expect_eq(value_of("esp"), s.base + SYS_TRAP + 0x74);
        cr_expect_eq(addr(DFR_F_TRAP_FRAME_ADDRESS), s.base + SYS_TRAP);
        /* No build of it is known: its state is told, and no fact. */
        cr_expect_eq(dfr_facts_at(&facts, DFR_F_CPUS_STATE, 1)->reason, DFR_REASON_INFERRED);
        cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_THREAD_PROCESS)->reason,
                     DFR_REASON_NEEDS_TYPES);
        dfr_arena_reset(&arena);
    }
}

/* The list of modules, broken in every way: what is on either side of the break is there, the list is
 * not complete, and nothing runs in circles. */
Test(kernel, broken_module_lists)
{
    static const struct {
        const char *what;
        uint64_t off, value; /* an offset from the kernel's base; 0: NULL */
        uint32_t modules;
    } rows[] = {
        {"an entry that leads to itself", SYS_ENTRY + 0x100, SYS_ENTRY + 0x100, 3},
        {"an entry that leads back", SYS_ENTRY + 0x200, SYS_ENTRY, 3},
        {"an entry that leads nowhere", SYS_ENTRY, 0, 3},
        {"a head that leads to itself", SYS_LIST, SYS_LIST, 0},
        {"an entry that is no pointer", SYS_ENTRY + 0x100, 3, 3},
        {"a way back that leads elsewhere", SYS_ENTRY + 0x108, SYS_LIST, 3},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        sys_forge(&s, DFR_MACHINE_X64);
        sys_ptr(&s, rows[i].off, rows[i].value);
        read_file(1);
        cr_expect_eq(modules(), rows[i].modules, "%s: %u", rows[i].what, modules());
        if (modules())
            cr_expect_not(facts.tables[DFR_T_MODULES].complete, "%s", rows[i].what);
        dfr_arena_reset(&arena);
    }
}

Test(kernel, a_list_whose_middle_was_not_stored)
{
    sys_forge(&s, DFR_MACHINE_X64);
    /* The second entry stands on a page that is not there; the third leads back to it. */
    uint64_t far = 0x50000;
    sys_ptr(&s, SYS_ENTRY, far);
    sys_ptr(&s, SYS_ENTRY + 0x208, far);
    sys_word(&s, far, 0, 8);
    sys_forget(&s, far);
    read_file(1);
    cr_expect_eq(modules(), 2);
    cr_expect_not(facts.tables[DFR_T_MODULES].complete);
    cr_expect_eq(facts.tables[DFR_T_MODULES].reason, DFR_REASON_NOT_CAPTURED);
    cr_expect_str_eq(cell(DFR_F_MODULES_NAME, 1), "volmgr");
}

Test(kernel, names_that_cannot_be_read)
{
    sys_forge(&s, DFR_MACHINE_X64);
    sys_word(&s, SYS_ENTRY + 0x148 + 8, 0x1234, 8); /* the path is in no kernel memory */
    sys_word(&s, SYS_ENTRY + 0x248, 0xFFFF, 2);     /* longer than any path */
    sys_word(&s, SYS_ENTRY + 0x258 + 8, 0, 8);      /* and no name */
    read_file(1);
    cr_assert_eq(modules(), 3);
    cr_expect_str_eq(cell(DFR_F_MODULES_NAME, 1), "exdisk");
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_MODULES_PATH, 1)->state, DFR_UNKNOWN);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_MODULES_NAME, 2)->reason, DFR_REASON_DAMAGED);
    cr_expect_eq(at(DFR_F_MODULES_BASE, 2), s.base + SYS_THIRD);
}

/* The block is part of the kernel's image: it is found there when the header does not lead to it. */
Test(kernel, debugger_data_that_the_header_does_not_name)
{
    sys_forge(&s, DFR_MACHINE_X64);
    sys_file(&s, 1, d);
    size_t n = sys_file(&s, 1, d);
    forge64(d, 0x80, s.base + 0x5000);
    struct dfr_bytes b;
    dfr_bytes_memory(&b, &arena, (struct dfr_span){d, n});
    dfr_diags_init(&diags, &arena);
    cr_assert_eq(dfr_dump_read(&arena, &b, NULL, &diags, &facts, &err), DFR_OK);
    expect_system();
}

/* Lengths of the block: what lies behind its own end is not there, and one that is too long or too
 * short is none. */
Test(kernel, debugger_data_that_lies_about_its_length)
{
    static const struct {
        uint32_t size;
        uint32_t modules, cpus;
        bool stack;
    } rows[] = {{0x3A0, 3, 3, true},       {0x338, 3, 3, false}, {0x10, 3, 0, false},
                {0xFFFFFFF0, 3, 0, false}, {0x1000, 3, 3, true}, {0x254, 3, 0, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        sys_forge(&s, DFR_MACHINE_X64);
        sys_word(&s, SYS_KDBG + 0x14, rows[i].size, 4);
        read_file(1);
        cr_expect_eq(modules(), rows[i].modules, "row %zu", i);
        cr_expect_eq(facts.tables[DFR_T_CPUS].n, rows[i].cpus, "row %zu", i);
        cr_expect_eq(addr(DFR_F_THREAD_STACK_BASE) != 0, rows[i].stack, "row %zu", i);
        dfr_arena_reset(&arena);
    }
}

Test(kernel, processors_that_make_no_sense)
{
    static const struct {
        uint64_t off, value;
        uint32_t cpus;
    } rows[] = {
        {SYS_PRCB + 0x4000 + 0x24, 0, 2},  /* a number twice */
        {SYS_PRCB + 0x4000 + 0x24, 77, 2}, /* a number beyond */
        {SYS_ARRAY + 8, 0, 2},             /* no address */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        sys_forge(&s, DFR_MACHINE_X64);
        sys_word(&s, rows[i].off, rows[i].value, 4);
        if (rows[i].off == SYS_ARRAY + 8)
            sys_word(&s, rows[i].off, 0, 8);
        read_file(1);
        cr_expect_eq(facts.tables[DFR_T_CPUS].n, rows[i].cpus, "row %zu", i);
        cr_expect_not(facts.tables[DFR_T_CPUS].complete, "row %zu", i);
        dfr_arena_reset(&arena);
    }
}

/* Which processor crashed: the header's context, then the stack that it stands on; else nobody knows. */
Test(kernel, the_processor_that_crashed)
{
    static const struct {
        uint64_t own_ip, own_sp; /* of processor 0 as saved; the header stays */
        uint64_t header_sp;
        int64_t current;
    } rows[] = {{0x500, SYS_SP, SYS_SP, 0},
                {0x999, SYS_SP, SYS_SP, 0},              /* by the stack */
                {0x999, SYS_SP, SYS_SP + 0x4000, 1},     /* by the stack of another */
                {0x999, SYS_SP, SYS_DPC_END - 0x100, 0}, /* by the stack for DPCs */
                {0x999, SYS_SP, SYS_SP + 0x900000, -1}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        sys_forge(&s, DFR_MACHINE_X64);
        size_t n = sys_file(&s, 1, d);
        sys_context(&s, 0, rows[i].own_ip, rows[i].own_sp);
        n = sys_file(&s, 1, d);
        forge64(d, 0x348 + 0xF8, s.base + 0x500);
        forge64(d, 0x348 + 0x98, s.base + rows[i].header_sp);
        struct dfr_bytes b;
        dfr_bytes_memory(&b, &arena, (struct dfr_span){d, n});
        dfr_diags_init(&diags, &arena);
        cr_assert_eq(dfr_dump_read(&arena, &b, NULL, &diags, &facts, &err), DFR_OK);
        cr_expect_eq(number(DFR_F_CPU_CURRENT), rows[i].current, "row %zu", i);
        if (rows[i].current < 0)
            cr_expect_eq(addr(DFR_F_THREAD_ADDRESS), 0);
        if (i == 3)
            cr_expect_eq(word_of(DFR_F_THREAD_STACK_KIND), DFR_STACK_KIND_DPC);
        dfr_arena_reset(&arena);
    }
}

/* A build whose layout nobody knows: one place that fits is told, two or none are nothing. */
Test(kernel, freeze_state_that_is_inferred)
{
    static const struct {
        uint32_t second; /* another place that fits as well */
        uint32_t state;  /* of processor 2 */
        const char *says;
    } rows[] = {{0, 2, "all stopped"}, {0, 5, "(processor 2)"}, {0x200, 2, NULL}, {0, 9, NULL}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        sys_forge(&s, DFR_MACHINE_X86);
        sys_word(&s, sys_prcb(&s, 2, "ipi"), rows[i].state, 4);
        for (unsigned k = 1; rows[i].second && k < SYS_PROCESSORS; k++)
            sys_word(&s, SYS_PRCB + 0x4000u * k + rows[i].second, 2, 4);
        read_file(1);
        bool told = false;
        for (uint32_t k = 0; k < diags.n; k++)
            told |= diags.v[k].code == DFR_D_DUMP_INFERRED && rows[i].says &&
                    strstr(message(&diags.v[k]), rows[i].says);
        cr_expect_eq(told, rows[i].says != NULL, "row %zu", i);
        cr_expect_eq(dfr_facts_at(&facts, DFR_F_CPUS_STATE, 2)->reason,
                     rows[i].says ? DFR_REASON_INFERRED : DFR_REASON_NEEDS_TYPES, "row %zu", i);
        dfr_arena_reset(&arena);
    }
}

Test(kernel, the_bug_check_that_the_kernel_kept)
{
    sys_forge(&s, DFR_MACHINE_X64);
    s.code = 0;
    sys_word(&s, SYS_BUGCHECK, 0xD1, 8);
    for (unsigned i = 0; i < 4; i++)
        sys_word(&s, SYS_BUGCHECK + 8 * (i + 1), 0x1000 + i, 8);
    read_file(1);
    cr_expect_eq(number(DFR_F_BUGCHECK_RAW), 0xD1);
    s.code = 0x50;
    read_file(1);
    cr_expect_eq(number(DFR_F_BUGCHECK_RAW), 0x50);
}

Test(kernel, nobody_crashed)
{
    sys_forge(&s, DFR_MACHINE_X64);
    s.code = 0x5454414D;
    read_file(1);
    cr_expect(dfr_facts_scalar(&facts, DFR_F_DUMP_ACQUIRED)->as.b);
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_BUGCHECK_NAME)->state, DFR_UNKNOWN);
    cr_expect_eq(diags.v[0].code, DFR_D_DUMP_NO_CRASH);
    s.code = 0x50;
    read_file(1);
    cr_expect_not(dfr_facts_scalar(&facts, DFR_F_DUMP_ACQUIRED)->as.b);
}

/* A record on the stack that is not the one of this exception, or two that differ, is none. */
Test(kernel, exception_record_on_the_stack)
{
    sys_forge(&s, DFR_MACHINE_X64);
    sys_word(&s, SYS_RECORD + 0x10, s.base, 8);
    read_file(1);
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_TRAP_ADDRESS)->state, DFR_UNKNOWN);
    sys_forge(&s, DFR_MACHINE_X64);
    uint64_t other = SYS_RECORD - 0x100;
    sys_word(&s, other, 0xC0000005, 4);
    sys_word(&s, other + 0x10, s.args[1], 8);
    sys_word(&s, other + 0x18, 2, 4);
    sys_word(&s, other + 0x28, 0x2020, 8);
    read_file(1);
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_TRAP_ADDRESS)->state, DFR_UNKNOWN);
}

/* A small dump of a 32-bit system: nobody has seen one with these readers, so the layout is that of two
 * public parsers. */
static size_t small_x86(void)
{
    enum { KDBG = 0x2000, DRIVERS = 0x3000, NAMES = 0x3200, PRCB = 0x3400, THREAD = 0x3A00 };
    enum { GONE = 0x3B00, PROCESS = 0x3C00, STACK = 0x4000, BLOCKS = 0x4800, DATA = 0x4A00 };
    enum { END = 0x4C00 };
    const uint32_t KERNEL = 0x80800000, STACK_VA = 0x81004000, DATA_VA = 0x81010000;
    const uint32_t block[][2] = {
        {0x04, END + 4}, {0x08, END},    {0x0C, 0x320},    {0x18, GONE},  {0x1C, PRCB},
        {0x20, PROCESS}, {0x24, THREAD}, {0x28, STACK},    {0x2C, 0x400}, {0x30, DRIVERS},
        {0x34, 2},       {0x44, 0x41},   {0x48, STACK_VA}, {0x58, KDBG},  {0x5C, 0x350},
        {0x60, BLOCKS},  {0x64, 1},
    };
    memset(d, 0, END + 8);
    pages_forge_header32(d, 4);
    for (size_t i = 0; i < COUNT(block); i++)
        forge32(d, 0x1000 + block[i][0], block[i][1]);
    memcpy(d + END, "TRGD", 4);
    memcpy(d + KDBG + 0x10, "KDBG", 4);
    forge32(d, KDBG + 0x14, 0x350);
    forge64(d, KDBG + 0x18, UINT64_C(0xFFFFFFFF80800000));
    forge64(d, KDBG + 0x248, UINT64_C(0xFFFFFFFF00000000) | DATA_VA);
    forge16(d, KDBG + 0x2A8, 0x370);
    forge16(d, KDBG + 0x2B4, 4);
    forge16(d, KDBG + 0x2BE, 0x10);
    forge32(d, KDBG + 0x340, 0x1C);
    forge32(d, KDBG + 0x344, 0x18);
    for (unsigned i = 0; i < 2; i++) {
        size_t e = DRIVERS + 0x4Cu * i, name = NAMES + 0x80u * i;
        forge32(d, e, (uint32_t)name);
        forge32(d, e + 0x1C, KERNEL + i * 0x400000u);
        forge32(d, e + 0x24, 0x200000);
        forge32(d, e + 0x44, 0x77 + i);
        forge32(d, e + 0x48, 0x4A000000 + i);
        forge32(d, name, 8);
        forge_wide(d, name + 4, i ? "disk.sys" : "ntos.exe");
    }
    d[PRCB + 0x10] = 0; /* number, a byte in those days */
    d[PRCB + 0x11] = 0xFF;
    forge32(d, PRCB + 4, 0x82000000);
    forge32(d, THREAD + 0x1C, STACK_VA - 0x1000);
    forge32(d, THREAD + 0x18, STACK_VA + 0x400);
    memcpy(d + PROCESS + 0x174, "old.exe", 7);
    forge32(d, GONE, 1);
    forge16(d, GONE + 4, 14);
    forge_wide(d, GONE + 4 + 8, "old.sys");
    forge32(d, GONE + 4 + 0x20, 0x83000000);
    forge32(d, GONE + 4 + 0x24, 0x83010000);
    forge32(d, BLOCKS, DATA_VA);
    forge32(d, BLOCKS + 4, DATA);
    forge32(d, BLOCKS + 8, 0x100);
    forge32(d, DATA, 9);
    forge32(d, 0x320, 0x1001F);
    forge32(d, 0x320 + 0xB8, KERNEL + 0x1234);
    forge32(d, 0x320 + 0xC4, STACK_VA + 0x20);
    return END + 8;
}

Test(kernel, small_dump_of_32_bits)
{
    struct dfr_bytes b;
    size_t n = small_x86();
    dfr_bytes_memory(&b, &arena, (struct dfr_span){d, n});
    dfr_diags_init(&diags, &arena);
    cr_assert_eq(dfr_dump_read(&arena, &b, NULL, &diags, &facts, &err), DFR_OK, "%s", err.message);
    cr_expect_eq(diags.n, 0, "%s", diags.n ? message(&diags.v[0]) : "");
    cr_expect_eq(word_of(DFR_F_DUMP_ARCH), DFR_ARCH_X86);
    cr_assert_eq(modules(), 2);
    cr_expect(facts.tables[DFR_T_MODULES].complete);
    cr_expect_str_eq(cell(DFR_F_MODULES_NAME, 0), "nt");
    cr_expect_str_eq(cell(DFR_F_MODULES_IMAGE, 1), "disk.sys");
    cr_expect_eq(at(DFR_F_MODULES_BASE, 1), 0x80C00000);
    cr_expect_eq(at(DFR_F_MODULES_TIMESTAMP, 1), 0x4A000001);
    cr_assert_eq(facts.tables[DFR_T_UNLOADED].n, 1);
    cr_expect_str_eq(cell(DFR_F_UNLOADED_NAME, 0), "old.sys");
    cr_expect_eq(at(DFR_F_UNLOADED_BASE, 0), 0x83000000);
    cr_expect_eq(number(DFR_F_CPU_CURRENT), 0);
    cr_expect(facts.tables[DFR_T_CPUS].complete);
    cr_expect_eq(addr(DFR_F_THREAD_ADDRESS), 0x82000000);
    cr_expect_eq(addr(DFR_F_THREAD_STACK_BASE), 0x81004400);
    cr_expect_str_eq(text(dfr_facts_scalar(&facts, DFR_F_THREAD_PROCESS)), "old.exe");
    cr_expect_eq(addr(DFR_F_VERIFIER_FLAGS), 9);
    cr_expect_eq(at(DFR_F_STACK_ADDRESS, 0), 0x80801234);
    for (size_t cut = 0x1000; cut < n; cut += 16) {
        dfr_bytes_memory(&b, &arena, (struct dfr_span){d, cut});
        dfr_diags_init(&diags, &arena);
        cr_assert_eq(dfr_dump_read(&arena, &b, NULL, &diags, &facts, &err), DFR_OK);
        cr_expect_not(dfr_facts_scalar(&facts, DFR_F_DUMP_COMPLETE)->as.b || cut > n - 8);
        dfr_arena_reset(&arena);
    }
}

Test(kernel, any_byte_may_be_wrong)
{
    uint64_t x = 88172645463325252;
    static const enum dfr_machine machines[] = {DFR_MACHINE_X64, DFR_MACHINE_ARM64,
                                                DFR_MACHINE_X86};
    for (size_t m = 0; m < COUNT(machines); m++) {
        sys_forge(&s, machines[m]);
        size_t n = sys_file(&s, 1, d);
        for (int round = 0; round < 1000; round++) {
            static uint8_t bad[PAGES_FILE];
            memcpy(bad, d, n);
            for (int k = 0; k < 6; k++) {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                bad[(x >> 8) % n] = (uint8_t)(x >> 40);
            }
            struct dfr_bytes b;
            dfr_bytes_memory(&b, &arena, (struct dfr_span){bad, n});
            dfr_diags_init(&diags, &arena);
            (void)!dfr_dump_read(&arena, &b, NULL, &diags, &facts, &err);
            dfr_arena_reset(&arena);
        }
    }
}
