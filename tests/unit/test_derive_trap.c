/* What follows from other facts about the fault: its context, its frames, its stack. */
#include "derive_help.h"

TestSuite(derive_trap, .init = open_facts, .fini = close_facts);

/* Stacks, newest frame first, and where the faulting frame is. */
Test(derive_trap, faulting_frame)
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

Test(derive_trap, faulting_frame_by_address)
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

Test(derive_trap, a_breakpoint_returns_to_the_next_instruction)
{
    for (int with_rip = 0; with_rip < 2; with_rip++) {
        fresh();
        args(0x8E, 0x80000003, with_rip ? 0xfffff80000001000 : 0, 0, 0);
        frame_raw("nt", "KeBugCheckEx", 0, 1);
        frame_raw("nt", "KiTrap03", 0, 0xfffff80000001001);
        frame_raw("drv", "f", 0, 1);
        dfr_facts_seal(&facts);
        cr_expect_eq(V(DFR_F_TRAP_RIP)->state, with_rip ? DFR_KNOWN : DFR_UNKNOWN);
        cr_expect_eq(V(DFR_F_TRAP_FRAMES)->as.list.first, 2);
        expect_module(DFR_F_TRAP_MODULE, "drv", "breakpoint");
    }
}

Test(derive_trap, a_trap_frame_of_something_else_moves_nothing)
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

Test(derive_trap, parameters)
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

Test(derive_trap, registers_beat_parameters)
{
    args(0xD1, 0x10, 2, 0, 0xfffff80000009999);
    reg("rip", 0xfffff80000001111);
    reg("rsp", 0xfffff88000005550);
    dfr_facts_seal(&facts);
    cr_expect_eq(V(DFR_F_TRAP_RIP)->as.u, 0xfffff80000001111);
    cr_expect_eq(V(DFR_F_TRAP_SP)->as.u, 0xfffff88000005550);
    cr_expect_eq(V(DFR_F_TRAP_ADDRESS)->as.u, 0x10);
}

Test(derive_trap, parameters_of_x86_lose_their_sign)
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

Test(derive_trap, module_of_fault)
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

Test(derive_trap, frame_cells)
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

Test(derive_trap, stack_completeness)
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

Test(derive_trap, stack_used)
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

Test(derive_trap, thread_from_tables)
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

Test(derive_trap, a_contradiction_is_not_papered_over)
{
    args(0xD1, 0x10, 2, 0, 0xfffff80000009999);
    dfr_facts_set(&facts, DFR_F_TRAP_RIP, dfr_v_unknown(DFR_KIND_ADDR, DFR_REASON_CONTRADICTORY));
    dfr_facts_seal(&facts);
    cr_expect_eq(V(DFR_F_TRAP_RIP)->state, DFR_UNKNOWN);
}

Test(derive_trap, a_doubted_frame_counts_when_it_runs_at_the_instruction_pointer)
{
    for (int agrees = 0; agrees < 2; agrees++) {
        fresh();
        args(0xD1, 0x10, 2, 0, agrees ? 0xfffff80000001001 : 0xfffff80000007777);
        frame("nt!KeBugCheckEx");
        frame("nt!KiPageFault");
        uint32_t row = frame("drv");
        dfr_facts_cell(&facts, DFR_F_STACK_METHOD, row,
                       dfr_v_enum(DFR_E_METHOD, DFR_METHOD_UNCERTAIN));
        dfr_facts_seal(&facts);
        cr_expect_eq(V(DFR_F_TRAP_FRAMES)->as.list.first, 2);
        expect_module(DFR_F_TRAP_MODULE, agrees ? "drv" : "?", "doubted");
        cr_expect_eq(V(DFR_F_TRAP_SP)->state, agrees ? DFR_KNOWN : DFR_UNKNOWN);
    }
}

Test(derive_trap, the_kernel_without_names_may_be_what_raised_the_bug_check)
{
    for (int named = 0; named < 2; named++) {
        fresh();
        args(0xD1, 0x10, 2, 0, 0);
        frame(named ? "nt!memcpy" : "nt");
        frame("drv");
        dfr_facts_seal(&facts);
        expect_module(DFR_F_TRAP_MODULE, named ? "nt" : "?", "names");
        cr_expect_eq(V(DFR_F_TRAP_CALLERS)->state, named ? DFR_KNOWN : DFR_UNKNOWN);
    }
}
