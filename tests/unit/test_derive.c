/* What follows from other facts, and what does not. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "facts/store.h"

static struct dfr_mem mem;
static jmp_buf guard;
static struct dfr_arena arena;
static struct dfr_facts facts;

static void open_facts(void)
{
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    if (setjmp(guard))
        cr_assert_fail("out of memory");
    dfr_arena_init(&arena, &mem);
    dfr_facts_init(&facts, &arena);
}

static void close_facts(void)
{
    dfr_arena_deinit(&arena);
}

static void fresh(void)
{
    dfr_facts_init(&facts, &arena);
}

TestSuite(derive, .init = open_facts, .fini = close_facts);

#define COUNT(a) (sizeof(a) / sizeof *(a))

static struct dfr_str S(const char *z) {
    return dfr_str_from(z);
}

static const struct dfr_value *
V(uint32_t field)
{
    return dfr_facts_scalar(&facts, field);
}

static uint32_t frame_raw(const char *module, const char *func, uint64_t sp, uint64_t ret)
{
    uint32_t row = dfr_facts_row(&facts, DFR_T_STACK);
    dfr_facts_cell(&facts, DFR_F_STACK_INDEX, row, dfr_v_int(row));
    struct dfr_sym s = {S(module), S(func), 0x10, true};
    dfr_facts_cell(&facts, DFR_F_STACK_SYM, row, dfr_facts_sym(&facts, s));
    if (sp)
        dfr_facts_cell(&facts, DFR_F_STACK_SP, row, dfr_v_addr(sp));
    if (ret != 1)
        dfr_facts_cell(&facts, DFR_F_STACK_RET, row, dfr_v_addr(ret));
    return row;
}

/* "module!function" or "module"; return addresses count up from 0xfffff80000001000. */
static uint32_t frame(const char *symbol)
{
    const char *bang = strchr(symbol, '!');
    size_t len = bang ? (size_t)(bang - symbol) : strlen(symbol);
    uint32_t row = facts.tables[DFR_T_STACK].n;
    return frame_raw(dfr_arena_copy(&arena, symbol, len), bang ? bang + 1 : "",
                     0xfffff88000100000 + row * 0x100, 0xfffff80000001000 + row);
}

static uint32_t module(const char *name, uint64_t base, uint64_t end)
{
    uint32_t row = dfr_facts_module_row(&facts, S(name));
    if (base)
        dfr_facts_cell(&facts, DFR_F_MODULES_BASE, row, dfr_v_addr(base));
    if (end)
        dfr_facts_cell(&facts, DFR_F_MODULES_END, row, dfr_v_addr(end));
    return row;
}

static void args(int64_t code, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    dfr_facts_set(&facts, DFR_F_BUGCHECK_CODE, dfr_v_int(code));
    const uint64_t v[] = {a, b, c, d};
    for (uint32_t i = 0; i < 4; i++) {
        struct dfr_value x = dfr_v_addr(v[i]);
        x.place = dfr_facts_place(&facts, (struct dfr_place){.line = i + 1});
        dfr_facts_set(&facts, DFR_F_BUGCHECK_ARG1 + i, x);
    }
}

Test(derive, code_and_name)
{
    static const struct {
        int64_t raw, code; /* 0: not shown */
        const char *given;
        int64_t want; /* -1: unknown */
        const char *name;
    } rows[] = {
        {0x1000007E, 0, NULL, 0x7E, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED"},
        {0xDEADDEAD, 0, NULL, 0xDEADDEAD, "MANUALLY_INITIATED_CRASH1"},
        {0, 0xD1, NULL, 0xD1, "DRIVER_IRQL_NOT_LESS_OR_EQUAL"},
        {0, 0, "CLOCK_WATCHDOG_TIMEOUT", 0x101, "CLOCK_WATCHDOG_TIMEOUT"},
        {0, 0, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M", 0x7E,
         "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M"},
        {0, 0, "NO_SUCH_NAME", -1, "NO_SUCH_NAME"},
        {0, 0xABCDEF, NULL, 0xABCDEF, NULL},
        {0, 0, NULL, -1, NULL},
        {0x7F, 0x50, NULL, 0x50, "PAGE_FAULT_IN_NONPAGED_AREA"}, /* what a reader set stays */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        if (rows[i].raw)
            dfr_facts_set(&facts, DFR_F_BUGCHECK_RAW, dfr_v_int(rows[i].raw));
        if (rows[i].code)
            dfr_facts_set(&facts, DFR_F_BUGCHECK_CODE, dfr_v_int(rows[i].code));
        if (rows[i].given)
            dfr_facts_set(&facts, DFR_F_BUGCHECK_NAME, dfr_v_str(S(rows[i].given)));
        dfr_facts_seal(&facts);
        const struct dfr_value *code = V(DFR_F_BUGCHECK_CODE), *name = V(DFR_F_BUGCHECK_NAME);
        cr_expect_eq(code->state == DFR_KNOWN, rows[i].want >= 0, "row %zu", i);
        if (rows[i].want >= 0)
            cr_expect_eq(code->as.n.lo, rows[i].want, "row %zu", i);
        cr_expect_eq(name->state == DFR_KNOWN, rows[i].name != NULL, "row %zu", i);
        if (rows[i].name && name->state == DFR_KNOWN)
            cr_expect(dfr_str_eq(dfr_value_str(name), S(rows[i].name)), "row %zu", i);
    }
}

/* Stacks, newest frame first, and where the faulting frame is. */
Test(derive, faulting_frame)
{
    enum { UNSURE = 100 };
    static const struct {
        const char *what;
        int64_t code; /* -1: unknown */
        const char *frames[12];
        uint32_t first;     /* + UNSURE: frames known, callers not; UINT32_MAX: not even frames */
        const char *module; /* of the fault, NULL: unknown */
    } rows[] = {
        {"double fault on x64",
         0x7F,
         {"nt!KeBugCheckEx", "nt!KiBugCheckDispatch", "nt!KiDoubleFaultAbort",
          "nt!KiIpiSendRequest", "drv"},
         3,
         "nt"},
        {"double fault at the entry of another trap",
         0x7F,
         {"nt!KeBugCheckEx", "nt!KiBugCheckDispatch", "nt!KiDoubleFaultAbort", "nt!KiPageFault",
          "drv!f"},
         3,
         "nt"},
        {"page fault on x64",
         0xD1,
         {"nt!KeBugCheckEx", "nt!KiBugCheckDispatch", "nt!KiPageFault", "drv!f", "drv!g"},
         3,
         "drv"},
        {"through the pager",
         0x50,
         {"nt!KeBugCheckEx", "nt!MiSystemFault", "nt!MmAccessFault", "nt!KiPageFault", "nt!memcpy",
          "drv!g"},
         4,
         "nt"},
        {"through a part of a function that was moved away",
         0x50,
         {"nt!KeBugCheckEx", "nt! ?? ::FNODOBFM::`string'", "nt!MmAccessFault", "nt!KiPageFault",
          "drv!g"},
         4,
         "drv"},
        {"x86, live",
         0x50,
         {"nt!RtlpBreakWithStatusInstruction", "nt!KiBugCheckDebugBreak", "nt!KeBugCheck2",
          "nt!KeBugCheckEx", "nt!MmAccessFault", "nt!KiTrap0E", "drv!f"},
         6,
         "drv"},
        {"x86, decorated names",
         0x0A,
         {"NT!_KeBugCheckEx@20", "nt!@KiTrap0E@8", "drv!f"},
         2,
         "drv"},
        {"exception that nobody handled",
         0x1E,
         {"nt!KeBugCheckEx", "nt!KiFatalExceptionHandler", "nt!RtlpExecuteHandlerForException",
          "nt!RtlDispatchException", "nt!KiDispatchException", "nt!KiExceptionDispatch",
          "nt!KiGeneralProtectionFault", "nt!PoIdle", "nt!KiIdleLoop"},
         7,
         "nt"},
        {"system thread",
         0x7E,
         {"nt!KeBugCheckEx", "nt!PspUnhandledExceptionInSystemThread",
          "nt!PspSystemThreadStartup$filt$0", "nt!_C_specific_handler",
          "nt!RtlpExecuteHandlerForException", "nt!RtlDispatchException", "nt!KiDispatchException",
          "nt!KiExceptionDispatch", "nt!KiPageFault", "drv!f"},
         9,
         "drv"},
        {"a driver's own filter stands between",
         0x1E,
         {"nt!KeBugCheckEx", "drv!Filter", "nt!RtlpExecuteHandlerForException",
          "nt!RtlDispatchException", "nt!KiDispatchException", "nt!KiExceptionDispatch",
          "nt!KiPageFault", "other!f"},
         7,
         "other"},
        {"fast fail",
         0x139,
         {"nt!KeBugCheckEx", "nt!KiBugCheckDispatch", "nt!KiFastFailDispatch",
          "nt!KiRaiseSecurityCheckFailure", "drv!f"},
         4,
         "drv"},
        {"fault with shadowed entry",
         0x3B,
         {"nt!KeBugCheckEx", "nt!KiBugCheckDispatch", "nt!KiSystemServiceHandler",
          "nt!RtlpExecuteHandlerForException", "nt!RtlDispatchException", "nt!KiDispatchException",
          "nt!KiExceptionDispatch", "nt!KiPageFaultShadow", "win32kfull!f"},
         8,
         "win32kfull"},
        {"called by a driver", 0x9F, {"nt!KeBugCheckEx", "drv!f", "nt!KiIdleLoop"}, 1, NULL},
        {"called by a driver, code not shown", -1, {"nt!KeBugCheckEx", "drv", "nt!f"}, 1, NULL},
        {"a filter without the dispatcher's names",
         -1,
         {"nt!KeBugCheckEx", "drv", "nt", "nt"},
         1 + UNSURE,
         NULL},
        {"called behind a moved part",
         0x101,
         {"nt!KeBugCheckEx", "nt! ?? ::FNODOBFM::`string'", "nt!KeUpdateSystemTime"},
         1,
         NULL},
        {"no symbols: where the fault is cannot be told",
         0xD1,
         {"nt!KeBugCheckEx", "nt", "nt", "drv"},
         1 + UNSURE,
         NULL},
        {"code not shown either", -1, {"nt!KeBugCheckEx", "nt", "drv"}, 1 + UNSURE, NULL},
        {"moved part, text of the debugger without its blank",
         0x50,
         {"nt!KeBugCheckEx", "nt!?? ::FNODOBFM::`string'", "nt!KiPageFault", "drv"},
         3,
         "drv"},
        {"code not shown, trap on the stack",
         -1,
         {"nt!KeBugCheckEx", "nt!KiBugCheckDispatch", "nt!KiPageFault", "drv!f"},
         3,
         "drv"},
        {"stack of the faulting context", 0xD1, {"drv!f", "nt!g"}, 0, "drv"},
        {"top trimmed to the trap", 0xD1, {"nt!KiPageFault", "drv!f", "nt!g"}, 1, "drv"},
        {"a deeper trap is none of this crash",
         0xD1,
         {"drv!f", "nt!KiPageFault", "drv!g"},
         0,
         "drv"},
        {"a driver's function of the same name", 0x9F, {"drv!KeBugCheckEx", "drv!f"}, 0, NULL},
        {"nothing behind the trap", 0xD1, {"nt!KeBugCheckEx", "nt!KiPageFault"}, UINT32_MAX, NULL},
        {"nothing at all", 0xD1, {NULL}, UINT32_MAX, NULL},
        {"breakpoint by hand", -1, {"nt!DbgBreakPointWithStatus", "kdcom!f"}, 0 + UNSURE, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        if (rows[i].code >= 0)
            dfr_facts_set(&facts, DFR_F_BUGCHECK_CODE, dfr_v_int(rows[i].code));
        uint32_t n = 0;
        while (rows[i].frames[n])
            frame(rows[i].frames[n++]);
        dfr_facts_seal(&facts);
        const struct dfr_value *frames = V(DFR_F_TRAP_FRAMES), *callers = V(DFR_F_TRAP_CALLERS);
        if (rows[i].first == UINT32_MAX) {
            cr_expect_eq(frames->state, DFR_UNKNOWN, "%s", rows[i].what);
            cr_expect_eq(callers->state, DFR_UNKNOWN, "%s", rows[i].what);
        } else {
            bool sure = rows[i].first < UNSURE;
            uint32_t first = rows[i].first % UNSURE;
            cr_expect_eq(frames->state, DFR_KNOWN, "%s", rows[i].what);
            cr_expect_eq(frames->as.list.first, first, "%s: first is %u", rows[i].what,
                         frames->as.list.first);
            cr_expect_eq(frames->as.list.count, n - first, "%s", rows[i].what);
            cr_expect_eq(callers->state, sure ? DFR_KNOWN : DFR_UNKNOWN, "%s", rows[i].what);
            if (sure)
                cr_expect_eq(callers->as.list.first, first + 1, "%s", rows[i].what);
        }
        const struct dfr_value *m = V(DFR_F_TRAP_MODULE);
        cr_expect_eq(m->state == DFR_KNOWN, rows[i].module != NULL, "%s", rows[i].what);
        if (rows[i].module && m->state == DFR_KNOWN)
            cr_expect(dfr_module_same((struct dfr_str){m->as.module.p, m->as.module.len},
                                      S(rows[i].module)),
                      "%s", rows[i].what);
    }
}

Test(derive, faulting_frame_by_address)
{
    /* The return address of frame 3 is the instruction pointer: frame 4 faulted, not the frame
     * behind the newest trap. */
    args(0x0A, 0x8, 2, 0, 0xfffff80000001003);
    static const char *const v[] = {"nt!KeBugCheckEx", "nt", "nt", "nt", "drv!f", "drv!g"};
    for (size_t i = 0; i < COUNT(v); i++)
        frame(v[i]);
    dfr_facts_seal(&facts);
    cr_expect_eq(V(DFR_F_TRAP_FRAMES)->as.list.first, 4);
    cr_expect_eq(V(DFR_F_TRAP_CALLERS)->as.list.first, 5);
    cr_expect_eq(V(DFR_F_TRAP_SP)->as.u, 0xfffff88000100400);
    cr_expect(dfr_str_eq(V(DFR_F_TRAP_SYMBOL)->as.sym->func, S("f")));
}

Test(derive, a_trap_frame_of_something_else_moves_nothing)
{
    /* A bug check that a driver called for, with the context of some older trap shown beside it. */
    args(0x19, 0x22, 0, 0, 0);
    dfr_facts_set(&facts, DFR_F_TRAP_RIP, dfr_v_addr(0xfffff80000001003));
    static const char *const v[] = {"nt!KeBugCheckEx", "nt!ExFreePoolWithTag", "drv!f", "nt!g",
                                    "nt!h"};
    for (size_t i = 0; i < COUNT(v); i++)
        frame(v[i]);
    dfr_facts_seal(&facts);
    cr_expect_eq(V(DFR_F_TRAP_FRAMES)->as.list.first, 1);
    cr_expect_eq(V(DFR_F_TRAP_CALLERS)->as.list.first, 2);
    cr_expect_eq(V(DFR_F_TRAP_SP)->state, DFR_UNKNOWN);
}

Test(derive, parameters)
{
    enum { NO = 99 };
    const uint64_t U = UINT64_MAX; /* unknown */
    const uint64_t ip = 0xfffff80012345678, va = 0x29;
    const struct {
        int64_t code;
        uint64_t a[4];
        uint64_t rip, address;
        uint32_t access;
        int64_t irql;
        uint64_t exception;
    } rows[] = {
        {0x0A, {va, 2, 1, ip}, ip, va, DFR_ACCESS_WRITE, 2, U},
        {0x0A, {va, 2, 8, ip}, ip, va, DFR_ACCESS_EXECUTE, 2, U},
        {0x0A, {va, 255, 77, 0}, U, va, NO, -1, U},
        {0xD1, {0, 2, 2, ip}, ip, 0, DFR_ACCESS_EXECUTE, 2, U},
        {0xD1, {va, 2, 0, ip}, ip, va, DFR_ACCESS_READ, 2, U},
        {0x50, {va, 0, ip, 2}, ip, va, DFR_ACCESS_READ, -1, U},
        {0x50, {va, 2, ip, 2}, ip, va, DFR_ACCESS_WRITE, -1, U},
        {0x50, {va, 0x10, 0, 2}, U, va, DFR_ACCESS_EXECUTE, -1, U},
        {0xD5, {va, 1, ip, 0}, ip, va, DFR_ACCESS_WRITE, -1, U},
        {0xBE, {va, 0x80, 0, 0}, U, va, DFR_ACCESS_WRITE, -1, U},
        {0xFC, {va, 0x80, 0, 0}, va, va, DFR_ACCESS_EXECUTE, -1, U},
        {0x1E, {0xC0000005, ip, 1, va}, ip, va, DFR_ACCESS_WRITE, -1, 0xC0000005},
        {0x1E, {0xFFFFFFFFC0000005, ip, 0, U}, ip, U, DFR_ACCESS_READ, -1, 0xC0000005},
        {0x1E, {0x80000003, ip, 1, va}, ip, U, NO, -1, 0x80000003},
        {0x1E, {0, 0, 0, 0}, U, U, NO, -1, U},
        {0x3B, {0xC0000005, ip, 0xfffff88000000000, 0}, ip, U, NO, -1, 0xC0000005},
        {0x7F, {8, 0x80050033, 0x406f8, ip}, ip, U, NO, -1, U},
        {0x7F, {0, 0x80050033, 0x406f8, ip}, U, U, NO, -1, U},
        {0x7F, {8, 0x801e0000, 0, 0}, U, U, NO, -1, U},
        {0x9F, {3, ip, ip, ip}, U, U, NO, -1, U},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        args(rows[i].code, rows[i].a[0], rows[i].a[1], rows[i].a[2], rows[i].a[3]);
        dfr_facts_seal(&facts);
        const struct {
            uint32_t field;
            bool known;
            uint64_t want;
        } checks[] = {{DFR_F_TRAP_RIP, rows[i].rip != U, rows[i].rip},
                      {DFR_F_TRAP_ADDRESS, rows[i].address != U, rows[i].address},
                      {DFR_F_TRAP_EXCEPTION, rows[i].exception != U, rows[i].exception}};
        for (size_t k = 0; k < COUNT(checks); k++) {
            const struct dfr_value *v = V(checks[k].field);
            cr_expect_eq(v->state == DFR_KNOWN, checks[k].known, "row %zu check %zu", i, k);
            if (checks[k].known && v->state == DFR_KNOWN) {
                cr_expect_eq(v->as.u, checks[k].want, "row %zu check %zu", i, k);
                cr_expect_neq(v->place, 0, "row %zu: the parameter's place", i);
            }
        }
        const struct dfr_value *access = V(DFR_F_TRAP_ACCESS), *irql = V(DFR_F_TRAP_IRQL);
        cr_expect_eq(access->state == DFR_KNOWN, rows[i].access != NO, "row %zu", i);
        if (rows[i].access != NO)
            cr_expect_eq(access->as.e.value, rows[i].access, "row %zu", i);
        cr_expect_eq(irql->state == DFR_KNOWN, rows[i].irql >= 0, "row %zu", i);
        if (rows[i].irql >= 0)
            cr_expect_eq(irql->as.n.lo, rows[i].irql);
    }
}

static void reg(const char *name, uint64_t value)
{
    uint32_t row = dfr_facts_row(&facts, DFR_T_REGS);
    dfr_facts_cell(&facts, DFR_F_REGS_NAME, row, dfr_v_str(S(name)));
    dfr_facts_cell(&facts, DFR_F_REGS_VALUE, row, dfr_v_addr(value));
}

Test(derive, registers_beat_parameters)
{
    args(0xD1, 0x10, 2, 0, 0xfffff80000009999);
    reg("rip", 0xfffff80000001111);
    reg("rsp", 0xfffff88000005550);
    dfr_facts_seal(&facts);
    cr_expect_eq(V(DFR_F_TRAP_RIP)->as.u, 0xfffff80000001111);
    cr_expect_eq(V(DFR_F_TRAP_SP)->as.u, 0xfffff88000005550);
    cr_expect_eq(V(DFR_F_TRAP_ADDRESS)->as.u, 0x10);
}

Test(derive, parameters_of_x86_lose_their_sign)
{
    dfr_facts_set(&facts, DFR_F_DUMP_ARCH, dfr_v_enum(DFR_E_ARCH, DFR_ARCH_X86));
    args(0xD1, 0xffffffff85f6da70, 2, 0, 0xffffffff8a8b8c8d);
    frame("nt!KiTrap0E");
    frame_raw("drv", "f", 0x8a001000, 0x8a8b0000);
    dfr_facts_seal(&facts);
    cr_expect_eq(V(DFR_F_TRAP_ADDRESS)->as.u, 0x85f6da70);
    cr_expect_eq(V(DFR_F_TRAP_RIP)->as.u, 0x8a8b8c8d);
    cr_expect_eq(V(DFR_F_TRAP_SP)->state, DFR_UNKNOWN); /* ChildEBP is no stack pointer */
}

Test(derive, module_of_fault)
{
    static const struct {
        bool complete, unranged;
        uint64_t rip;
        enum dfr_state state;
    } rows[] = {
        {true, false, 0xfffff80000011000, DFR_KNOWN},
        {true, false, 0xfffff80000090000, DFR_ABSENT},
        {false, false, 0xfffff80000090000, DFR_UNKNOWN},
        {true, true, 0xfffff80000090000, DFR_UNKNOWN},
        {true, false, 0x7ff612345678, DFR_UNKNOWN}, /* modules of processes are not listed */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        module("drv", 0xfffff80000010000, 0xfffff80000012000);
        if (rows[i].unranged)
            module("other", 0, 0);
        facts.tables[DFR_T_MODULES].complete = rows[i].complete;
        dfr_facts_set(&facts, DFR_F_TRAP_RIP, dfr_v_addr(rows[i].rip));
        dfr_facts_seal(&facts);
        cr_expect_eq(V(DFR_F_TRAP_MODULE)->state, rows[i].state, "row %zu", i);
    }
    fresh(); /* symbol and address disagree */
    module("drv", 0xfffff80000010000, 0xfffff80000012000);
    module("other", 0xfffff80000020000, 0xfffff80000022000);
    dfr_facts_set(&facts, DFR_F_TRAP_RIP, dfr_v_addr(0xfffff80000011000));
    struct dfr_sym s = {S("other"), S("f"), 0, true};
    dfr_facts_set(&facts, DFR_F_TRAP_SYMBOL, dfr_facts_sym(&facts, s));
    dfr_facts_seal(&facts);
    cr_expect_eq(V(DFR_F_TRAP_MODULE)->state, DFR_UNKNOWN);
    cr_expect_eq(V(DFR_F_TRAP_MODULE)->reason, DFR_REASON_CONTRADICTORY);
}

Test(derive, frame_cells)
{
    module("drv", 0xfffff80000001000, 0xfffff80000002000);
    frame("nt!a");
    frame("drv!b"); /* runs at the return address of frame 0 */
    uint32_t bare = frame_raw("", "", 0, 1);
    frame("other!c");
    dfr_facts_seal(&facts);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_STACK_ADDRESS, 0)->state, DFR_UNKNOWN);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_STACK_ADDRESS, 1)->as.u, 0xfffff80000001000);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_STACK_MODULE, 1)->as.module.row, 1);
    cr_expect(dfr_str_eq(dfr_value_str(dfr_facts_at(&facts, DFR_F_STACK_FUNC, 1)), S("b")));
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_STACK_OFFSET, 1)->as.n.lo, 0x10);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_STACK_ADDRESS, bare)->as.u, 0x10);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_STACK_ADDRESS, 3)->state, DFR_UNKNOWN);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_STACK_MODULE, 3)->as.module.row, 0);
}

Test(derive, stack_completeness)
{
    enum change { NOTHING, CUT, GUESSED, MISSING_NUMBER, RETURNS, NO_NAME, UNLOADED };
    static const struct {
        const char *root;
        enum change change;
        bool complete;
    } rows[] = {
        {"nt!KiStartSystemThread", NOTHING, true},
        {"nt!KiIdleLoop", NOTHING, true},
        {"ntdll!RtlUserThreadStart", NOTHING, true},
        {"ntdll!_RtlUserThreadStart", NOTHING, true},
        {"nt!KiFastCallEntry", NOTHING, false},
        {"drv!KiStart", NOTHING, false},
        {"nt!KiStartSystemThread", CUT, false},
        {"nt!KiStartSystemThread", GUESSED, false},
        {"nt!KiStartSystemThread", RETURNS, false},
        {"nt!KiStartSystemThread", NO_NAME, false},
        {"nt!KiStartSystemThread", MISSING_NUMBER, false},
        {"nt!KiStartSystemThread", UNLOADED, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        enum change c = rows[i].change;
        frame("drv!a");
        uint32_t mid = frame(c == NO_NAME ? "" : "drv!b");
        const char *bang = strchr(rows[i].root, '!');
        struct dfr_str m = {rows[i].root, (size_t)(bang - rows[i].root)};
        frame_raw(dfr_arena_copy(&arena, m.p, m.len), bang + 1, 0, c == RETURNS ? 5 : 0);
        if (c == CUT)
            facts.tables[DFR_T_STACK].reason = DFR_REASON_ELIDED;
        if (c == GUESSED)
            dfr_facts_cell(&facts, DFR_F_STACK_METHOD, mid,
                           dfr_v_enum(DFR_E_METHOD, DFR_METHOD_UNCERTAIN));
        if (c == MISSING_NUMBER)
            dfr_facts_cell(&facts, DFR_F_STACK_INDEX, mid, dfr_v_int(7));
        if (c == UNLOADED)
            dfr_facts_cell(&facts, DFR_F_STACK_UNLOADED, mid, dfr_v_bool(true));
        dfr_facts_seal(&facts);
        cr_expect_eq(facts.tables[DFR_T_STACK].complete, rows[i].complete, "row %zu", i);
    }
}

Test(derive, stack_used)
{
    static const struct {
        uint64_t sp, base, limit;
        const char *frame;
        int64_t used; /* -1: unknown */
        int on_dpc;   /* -1: unknown */
    } rows[] = {
        {0x7000, 0x8000, 0x2000, "drv!f", 0x1000, 0},
        {0x2000, 0x8000, 0x2000, "nt!KiRetireDpcList", 0x6000, 0},
        {0x1ff0, 0x8000, 0x2000, "drv!f", -1, -1}, /* overflow, or another stack */
        {0x9000, 0x8000, 0x2000, "nt!KiRetireDpcList", -1, 1},
        {0x9000, 0x8000, 0x2000, "drv!KiRetireDpcList", -1, -1},
        {0, 0x8000, 0x2000, "drv!f", -1, -1},
        {0x7000, 0, 0x2000, "drv!f", -1, -1},
        {0x7000, 0x8000, 0, "drv!f", -1, -1},
        {0x7000, 0x2000, 0x8000, "drv!f", -1, -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        frame(rows[i].frame);
        if (rows[i].sp)
            dfr_facts_set(&facts, DFR_F_TRAP_SP, dfr_v_addr(rows[i].sp));
        if (rows[i].base)
            dfr_facts_set(&facts, DFR_F_THREAD_STACK_BASE, dfr_v_addr(rows[i].base));
        if (rows[i].limit)
            dfr_facts_set(&facts, DFR_F_THREAD_STACK_LIMIT, dfr_v_addr(rows[i].limit));
        /* keep the frame's own stack pointer out of it */
        dfr_facts_set(&facts, DFR_F_BUGCHECK_CODE, dfr_v_int(0x9F));
        dfr_facts_seal(&facts);
        const struct dfr_value *used = V(DFR_F_THREAD_STACK_USED);
        const struct dfr_value *dpc = V(DFR_F_THREAD_ON_DPC_STACK);
        cr_expect_eq(used->state == DFR_KNOWN, rows[i].used >= 0, "row %zu", i);
        if (rows[i].used >= 0)
            cr_expect_eq(used->as.n.lo, rows[i].used, "row %zu", i);
        cr_expect_eq(dpc->state == DFR_KNOWN, rows[i].on_dpc >= 0, "row %zu", i);
        if (rows[i].on_dpc >= 0)
            cr_expect_eq(dpc->as.b, rows[i].on_dpc == 1, "row %zu", i);
    }
}

Test(derive, thread_from_tables)
{
    uint32_t t = dfr_facts_row(&facts, DFR_T_THREADS);
    dfr_facts_cell(&facts, DFR_F_THREADS_ADDR, t, dfr_v_addr(0x5000));
    dfr_facts_cell(&facts, DFR_F_THREADS_STACK_BASE, t, dfr_v_addr(0x9000));
    dfr_facts_cell(&facts, DFR_F_THREADS_PROCESS, t, dfr_v_str(S("a.exe")));
    uint32_t c = dfr_facts_row(&facts, DFR_T_CPUS);
    dfr_facts_cell(&facts, DFR_F_CPUS_ID, c, dfr_v_int(3));
    dfr_facts_cell(&facts, DFR_F_CPUS_IRQL, c, dfr_v_int(2));
    dfr_facts_cell(&facts, DFR_F_CPUS_THREAD, c, dfr_v_addr(0x5000));
    dfr_facts_set(&facts, DFR_F_CPU_CURRENT, dfr_v_int(3));
    dfr_facts_seal(&facts);
    cr_expect_eq(V(DFR_F_THREAD_ADDRESS)->as.u, 0x5000);
    cr_expect_eq(V(DFR_F_THREAD_STACK_BASE)->as.u, 0x9000);
    cr_expect_eq(V(DFR_F_THREAD_STACK_LIMIT)->state, DFR_UNKNOWN);
    cr_expect_eq(V(DFR_F_CPU_CURRENT_IRQL)->as.n.lo, 2);
}

Test(derive, build_times)
{
    const int64_t y2012 = 1328123724, y1985 = 480000000, y2000 = 950000000, y2033 = 2000000000;
    const struct {
        int64_t stamp, crash; /* 0: not shown */
        int arch;             /* -1: not shown */
        bool known;
    } rows[] = {
        {y2012, 0, -1, true},
        {y2012, y2012 + 86400, DFR_ARCH_X64, true},
        {y2012, y2012 - 86400 * 3, DFR_ARCH_X64, false}, /* linked after the crash */
        {y1985, 0, -1, false},
        {y2000, 0, DFR_ARCH_X86, true},
        {y2000, 0, DFR_ARCH_X64, false},
        {y2012, 0, DFR_ARCH_ARM64, false},
        {y2033, 0, -1, true}, /* no clock: only a crash time could tell */
        {y2033, y2012, -1, false},
        {4290000000, 0, -1, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        uint32_t m = module("drv", 0x1000, 0x3000);
        dfr_facts_cell(&facts, DFR_F_MODULES_TIMESTAMP, m, dfr_v_addr((uint64_t)rows[i].stamp));
        if (rows[i].crash)
            dfr_facts_set(&facts, DFR_F_DUMP_TIME, dfr_v_time(rows[i].crash, rows[i].crash));
        if (rows[i].arch >= 0)
            dfr_facts_set(&facts, DFR_F_DUMP_ARCH, dfr_v_enum(DFR_E_ARCH, (uint32_t)rows[i].arch));
        dfr_facts_seal(&facts);
        const struct dfr_value *v = dfr_facts_at(&facts, DFR_F_MODULES_BUILT, m);
        cr_expect_eq(v->state == DFR_KNOWN, rows[i].known, "row %zu", i);
        if (rows[i].known)
            cr_expect_eq(v->as.n.lo, rows[i].stamp, "row %zu", i);
        else
            cr_expect_eq(v->reason, DFR_REASON_BUILD_HASH, "row %zu", i);
        cr_expect_eq(dfr_facts_at(&facts, DFR_F_MODULES_SIZE, m)->as.n.lo, 0x2000);
    }
    fresh(); /* the reader saw the flag of a reproducible build */
    uint32_t m = module("drv", 0, 0);
    dfr_facts_cell(&facts, DFR_F_MODULES_TIMESTAMP, m, dfr_v_addr((uint64_t)y2012));
    dfr_facts_cell(&facts, DFR_F_MODULES_BUILT, m,
                   dfr_v_unknown(DFR_KIND_TIME, DFR_REASON_BUILD_HASH));
    dfr_facts_seal(&facts);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_MODULES_BUILT, m)->state, DFR_UNKNOWN);
}

Test(derive, symbols_and_ends)
{
    static const struct {
        uint32_t symbols;
        int has; /* -1: unknown */
    } rows[] = {{DFR_SYMBOLS_PDB, 1},
                {DFR_SYMBOLS_EXPORT, 0},
                {DFR_SYMBOLS_NONE, 0},
                {DFR_SYMBOLS_WRONG, 0},
                {DFR_SYMBOLS_DEFERRED, -1}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        uint32_t m = module("drv", 0x1000, 0);
        dfr_facts_cell(&facts, DFR_F_MODULES_SIZE, m, dfr_v_int(0x500));
        dfr_facts_cell(&facts, DFR_F_MODULES_SYMBOLS, m,
                       dfr_v_enum(DFR_E_SYMBOLS, rows[i].symbols));
        dfr_facts_seal(&facts);
        const struct dfr_value *v = dfr_facts_at(&facts, DFR_F_MODULES_HAS_SYMBOLS, m);
        cr_expect_eq(v->state == DFR_KNOWN, rows[i].has >= 0);
        if (rows[i].has >= 0)
            cr_expect_eq(v->as.b, rows[i].has == 1);
        cr_expect_eq(dfr_facts_at(&facts, DFR_F_MODULES_END, m)->as.u, 0x1500);
        cr_expect_eq(dfr_facts_module_at(&facts, 0x14ff), m);
    }
}

static void expect_module(uint32_t field, const char *want, const char *what)
{
    const struct dfr_value *v = V(field);
    if (strcmp(want, "?") == 0)
        cr_expect_eq(v->state, DFR_UNKNOWN, "%s", what);
    else if (strcmp(want, "-") == 0)
        cr_expect_eq(v->state, DFR_ABSENT, "%s", what);
    else
        cr_expect(v->state == DFR_KNOWN &&
                      dfr_str_eq((struct dfr_str){v->as.module.p, v->as.module.len}, S(want)),
                  "%s: got %.*s", what, v->state == DFR_KNOWN ? (int)v->as.module.len : 1,
                  v->state == DFR_KNOWN ? v->as.module.p : "?");
}

Test(derive, suspects)
{
    static const struct {
        const char *module, *image, *want; /* "-": absent, "?": unknown */
    } rows[] = {
        {"drv", "drv.sys", "drv"},
        {NULL, "drv.sys", "drv"},
        {"nt", "ntkrnlmp.exe", "nt"},
        {"nt", "memory_corruption", "-"},
        {"Unknown_Module", "Unknown_Image", "-"},
        {"hardware", NULL, "-"},
        {"GenuineIntel", "GenuineIntel.sys", "-"},
        {"AuthenticAMD", "AuthenticAMD.sys", "-"},
        {"nt_wrong_symbols", "ntoskrnl.wrong.symbols.exe", "-"},
        {"Pool_Corruption", "Pool_Corruption", "-"},
        {NULL, NULL, "?"},
        {"", "", "?"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        if (rows[i].module)
            dfr_facts_set(&facts, DFR_F_ANALYZE_MODULE, dfr_v_str(S(rows[i].module)));
        if (rows[i].image)
            dfr_facts_set(&facts, DFR_F_ANALYZE_IMAGE, dfr_v_str(S(rows[i].image)));
        dfr_facts_seal(&facts);
        expect_module(DFR_F_ANALYZE_SUSPECT, rows[i].want, rows[i].module ? rows[i].module : "-");
    }
}

Test(derive, bucket_modules)
{
    static const struct {
        const char *bucket, *listed, *want;
    } rows[] = {
        {"AV_foo!bar", NULL, "foo"},
        {"AV_VRF_foo!memcpy", NULL, "foo"},
        {"AV_nt!KiPageFault", NULL, "nt"},
        {"AV_W_(null)_Drv1!unknown_function", NULL, "Drv1"},
        {"AV_sd_card_host!f", NULL, "sd_card_host"},
        {"AV_SD_card!f", NULL, "?"}, /* SD might be a word of the failure */
        {"AV_SD_card!f", "SD_card", "SD_card"},
        {"0x9F_3_RdrDrv_IMAGE_pci.sys", NULL, "RdrDrv"},
        {"0x9F_3_i2cdrv_DEV_ABCD0010_IMAGE_ACPI.sys", NULL, "i2cdrv"},
        {"0x116_IMAGE_gpudrv.sys", NULL, "gpudrv"},
        {"0x124_16_GenuineIntel__UNKNOWN_IMAGE_GenuineIntel.sys", NULL, "-"},
        {"0xD1_netfw+51bd", NULL, "netfw"},
        {"0x139_1d_INVALID_BALANCED_TREE_Driver!unknown_function", NULL, "Driver"},
        {"0x139_ODD_NEW_WORDS_Driver!unknown_function", NULL, "?"},
        {"0x139_ODD_NEW_WORDS_Driver!unknown_function", "driver", "Driver"},
        {"LKD_0x193_dxgkrnl!Dxg", NULL, "dxgkrnl"},
        {"0x9F_3", NULL, "-"},
        {"PAGE_NOT_ZERO", NULL, "-"},
        {"MEMORY_CORRUPTION_LARGE", NULL, "-"},
        {"X64_CLOCK_WATCHDOG_TIMEOUT_18_PROC_ANALYSIS_INCONCLUSIVE", NULL, "-"},
        {"WRONG_SYMBOLS_X64_17763_TIMESTAMP_940930-002145_nt_wrong_symbols!2E8B5A19", NULL, "-"},
        {"0x1a_61941_IMAGE_hardware", NULL, "-"},
        {"", NULL, "?"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        if (rows[i].listed)
            module(rows[i].listed, 0, 0);
        dfr_facts_set(&facts, DFR_F_ANALYZE_BUCKET, dfr_v_str(S(rows[i].bucket)));
        dfr_facts_seal(&facts);
        expect_module(DFR_F_ANALYZE_BUCKET_MODULE, rows[i].want, rows[i].bucket);
    }
}

Test(derive, live_dumps)
{
    static const struct {
        const char *bucket, *frame;
        int64_t code;
        int live; /* -1: unknown */
    } rows[] = {
        {"LKD_0x141_IMAGE_gpudrv.sys", NULL, -1, 1},
        {NULL, "nt!DbgkWerCaptureLiveKernelDump", -1, 1},
        {NULL, NULL, 0x193, 1},
        {NULL, "nt!KeBugCheckEx", 0xD1, 0},
        {NULL, "nt!KiSwapContext", 0xD1, -1},
        {"0x124_0", NULL, 0x124, -1},
        {NULL, NULL, -1, -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        if (rows[i].bucket)
            dfr_facts_set(&facts, DFR_F_ANALYZE_BUCKET, dfr_v_str(S(rows[i].bucket)));
        if (rows[i].frame)
            frame(rows[i].frame);
        if (rows[i].code >= 0)
            dfr_facts_set(&facts, DFR_F_BUGCHECK_CODE, dfr_v_int(rows[i].code));
        dfr_facts_seal(&facts);
        const struct dfr_value *v = V(DFR_F_DUMP_LIVE);
        cr_expect_eq(v->state == DFR_KNOWN, rows[i].live >= 0, "row %zu", i);
        if (rows[i].live >= 0)
            cr_expect_eq(v->as.b, rows[i].live == 1, "row %zu", i);
    }
}

Test(derive, guests)
{
    static const struct {
        uint32_t field;
        const char *text;
        bool guest;
    } rows[] = {
        {DFR_F_MACHINE_MANUFACTURER, "VMware, Inc.", true},
        {DFR_F_MACHINE_MANUFACTURER, "Microsoft Corporation", false},
        {DFR_F_MACHINE_PRODUCT, "Virtual Machine", true},
        {DFR_F_MACHINE_PRODUCT, "VirtualBox", true},
        {DFR_F_MACHINE_PRODUCT, "Surface Pro", false},
        {DFR_F_MACHINE_BIOS_VERSION, "VRTUAL - 1", true},
        {DFR_F_MACHINE_BIOS_VERSION, "A12", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        dfr_facts_set(&facts, rows[i].field, dfr_v_str(S(rows[i].text)));
        dfr_facts_seal(&facts);
        const struct dfr_value *v = V(DFR_F_OS_HYPERVISOR_GUEST);
        cr_expect_eq(v->state, rows[i].guest ? DFR_KNOWN : DFR_UNKNOWN, "row %zu", i);
    }
    static const struct {
        const char *value;
        bool guest;
    } keys[] = {{"VMware", true}, {"HyperV", false}};
    for (size_t i = 0; i < COUNT(keys); i++) {
        fresh();
        uint32_t row = dfr_facts_row(&facts, DFR_T_ANALYZE_KEYS);
        dfr_facts_cell(&facts, DFR_F_ANALYZE_KEYS_KEY, row, dfr_v_str(S("VIRTUAL_MACHINE")));
        dfr_facts_cell(&facts, DFR_F_ANALYZE_KEYS_VALUE, row, dfr_v_str(S(keys[i].value)));
        dfr_facts_seal(&facts);
        cr_expect_eq(V(DFR_F_OS_HYPERVISOR_GUEST)->state, keys[i].guest ? DFR_KNOWN : DFR_UNKNOWN);
    }
}

Test(derive, a_contradiction_is_not_papered_over)
{
    args(0xD1, 0x10, 2, 0, 0xfffff80000009999);
    dfr_facts_set(&facts, DFR_F_TRAP_RIP, dfr_v_unknown(DFR_KIND_ADDR, DFR_REASON_CONTRADICTORY));
    dfr_facts_seal(&facts);
    cr_expect_eq(V(DFR_F_TRAP_RIP)->state, DFR_UNKNOWN);
}

/* A crash whose parts agree with each other; `without` leaves out one of its facts. */
static uint32_t coherent_crash(uint32_t without)
{
    uint32_t step = 0;
#define UNLESS_LEFT_OUT(statement)                                                                 \
    do {                                                                                           \
        if (step++ != without)                                                                     \
            statement;                                                                             \
    } while (0)
    static const char *const stack[] = {"nt!KeBugCheckEx",       "nt!KiBugCheckDispatch",
                                        "nt!KiPageFault",        "drv!Read",
                                        "drv!Dispatch",          "nt!IofCallDriver",
                                        "nt!ExpWorkerThread",    "nt!PspSystemThreadStartup",
                                        "nt!KiStartSystemThread"};
    const uint64_t rip = 0xfffff88001001234, sp = 0xfffff88002005000;
    UNLESS_LEFT_OUT(dfr_facts_set(&facts, DFR_F_BUGCHECK_CODE, dfr_v_int(0xD1)));
    const uint64_t arg[] = {0x29, 2, 1, rip};
    for (uint32_t i = 0; i < 4; i++)
        UNLESS_LEFT_OUT(dfr_facts_set(&facts, DFR_F_BUGCHECK_ARG1 + i, dfr_v_addr(arg[i])));
    UNLESS_LEFT_OUT(dfr_facts_set(&facts, DFR_F_DUMP_ARCH, dfr_v_enum(DFR_E_ARCH, DFR_ARCH_X64)));
    UNLESS_LEFT_OUT(dfr_facts_set(&facts, DFR_F_ANALYZE_MODULE, dfr_v_str(S("drv"))));
    UNLESS_LEFT_OUT(dfr_facts_set(&facts, DFR_F_ANALYZE_IMAGE, dfr_v_str(S("drv.sys"))));
    UNLESS_LEFT_OUT(dfr_facts_set(&facts, DFR_F_ANALYZE_BUCKET, dfr_v_str(S("AV_drv!Read"))));
    UNLESS_LEFT_OUT(dfr_facts_set(&facts, DFR_F_THREAD_STACK_BASE, dfr_v_addr(sp + 0x1000)));
    UNLESS_LEFT_OUT(dfr_facts_set(&facts, DFR_F_THREAD_STACK_LIMIT, dfr_v_addr(sp - 0x5000)));
    UNLESS_LEFT_OUT(reg("rip", rip));
    UNLESS_LEFT_OUT(reg("rsp", sp));
    facts.tables[DFR_T_MODULES].complete = true;
    uint32_t drv = module("drv", 0, 0);
    UNLESS_LEFT_OUT(module("drv", 0xfffff88001000000, 0));
    UNLESS_LEFT_OUT(module("nt", 0xfffff80000000000, 0xfffff80000800000));
    UNLESS_LEFT_OUT(module("drv", 0, 0xfffff88001010000));
    UNLESS_LEFT_OUT(dfr_facts_cell(&facts, DFR_F_MODULES_TIMESTAMP, drv, dfr_v_addr(1328123724)));
    for (uint32_t i = 0; i < COUNT(stack); i++) {
        uint32_t row = dfr_facts_row(&facts, DFR_T_STACK);
        const char *bang = strchr(stack[i], '!');
        struct dfr_sym s = {{stack[i], (size_t)(bang - stack[i])}, S(bang + 1), 0x34, true};
        dfr_facts_cell(&facts, DFR_F_STACK_INDEX, row, dfr_v_int(i));
        UNLESS_LEFT_OUT(dfr_facts_cell(&facts, DFR_F_STACK_SYM, row, dfr_facts_sym(&facts, s)));
        UNLESS_LEFT_OUT(dfr_facts_cell(&facts, DFR_F_STACK_SP, row,
                                       dfr_v_addr(i == 3 ? sp : sp + (i - 3) * 0x80)));
        uint64_t ret = i == 2 ? rip : i + 1 == COUNT(stack) ? 0 : 0xfffff80000100000 + i * 0x1000;
        if (i == 3)
            ret = 0xfffff88001002000;
        UNLESS_LEFT_OUT(dfr_facts_cell(&facts, DFR_F_STACK_RET, row, dfr_v_addr(ret)));
    }
#undef UNLESS_LEFT_OUT
    return step;
}

static bool is_list(uint32_t field)
{
    return field == DFR_F_TRAP_FRAMES || field == DFR_F_TRAP_CALLERS;
}

Test(derive, less_input_never_claims_something_else)
{
    uint32_t steps = coherent_crash(UINT32_MAX);
    dfr_facts_seal(&facts);
    static struct dfr_facts whole;
    whole = facts;
    cr_expect(whole.tables[DFR_T_STACK].complete);
    for (uint32_t i = 0; i < COUNT(whole.scalars); i++)
        if (i == DFR_F_TRAP_RIP || i == DFR_F_TRAP_MODULE || i == DFR_F_THREAD_STACK_USED)
            cr_expect_eq(whole.scalars[i].state, DFR_KNOWN);
    for (uint32_t without = 0; without < steps; without++) {
        fresh();
        coherent_crash(without);
        dfr_facts_seal(&facts);
        for (uint32_t i = 0; i < DFR_F_COUNT; i++) {
            const struct dfr_value *a = &whole.scalars[i], *b = &facts.scalars[i];
            if (dfr_field_info(i)->cls != DFR_FIELD_SCALAR || b->state == DFR_UNKNOWN)
                continue;
            const char *path = dfr_field_info(i)->path;
            /* `frames` may begin earlier when the faulting frame cannot be told; never later */
            if (is_list(i) && V(DFR_F_TRAP_CALLERS)->state == DFR_UNKNOWN) {
                cr_expect_leq(b->as.list.first, a->as.list.first, "%s without %u", path, without);
                continue;
            }
            cr_expect(dfr_value_same(a, b), "%s changes without fact %u", path, without);
        }
    }
}
