/* What follows from other facts, and what does not: identity, modules, blame, and less input. */
#include "derive_help.h"

TestSuite(derive, .init = open_facts, .fini = close_facts);

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

static uint32_t gone(const char *name, uint64_t base, uint64_t end)
{
    uint32_t row = dfr_facts_row(&facts, DFR_T_UNLOADED);
    dfr_facts_cell(&facts, DFR_F_UNLOADED_NAME, row, dfr_v_str(S(name)));
    dfr_facts_cell(&facts, DFR_F_UNLOADED_BASE, row, dfr_v_addr(base));
    dfr_facts_cell(&facts, DFR_F_UNLOADED_END, row, dfr_v_addr(end));
    return row;
}

Test(derive, code_of_unloaded_modules)
{
    for (int reused = 0; reused < 2; reused++) {
        fresh();
        uint32_t u = gone("old.sys", 0xfffff80000010000, 0xfffff80000012000);
        if (reused)
            module("drv", 0xfffff80000010000, 0xfffff80000012000);
        facts.tables[DFR_T_MODULES].complete = true;
        args(0xD1, 0x10, 2, 8, 0xfffff80000011000);
        uint32_t row = dfr_facts_row(&facts, DFR_T_STACK);
        dfr_facts_cell(&facts, DFR_F_STACK_ADDRESS, row, dfr_v_addr(0xfffff80000011000));
        dfr_facts_seal(&facts);
        expect_module(DFR_F_TRAP_MODULE, reused ? "drv" : "old", "unloaded");
        cr_expect_eq(dfr_facts_at(&facts, DFR_F_STACK_UNLOADED, row)->state,
                     reused ? DFR_UNKNOWN : DFR_KNOWN);
        cr_expect_eq(dfr_facts_at(&facts, DFR_F_UNLOADED_SIZE, u)->as.n.lo, 0x2000);
    }
}

Test(derive, instructions_lie_in_modules)
{
    module("drv", 0x1000, 0x2000);
    const uint64_t at[] = {0x1800, 0x2800};
    for (size_t i = 0; i < COUNT(at); i++) {
        uint32_t row = dfr_facts_row(&facts, DFR_T_INSNS);
        dfr_facts_cell(&facts, DFR_F_INSNS_ADDR, row, dfr_v_addr(at[i]));
    }
    dfr_facts_seal(&facts);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_INSNS_MODULE, 0)->as.module.row, 1);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_INSNS_MODULE, 1)->state, DFR_UNKNOWN);
}

Test(derive, pool_block_of_the_crash)
{
    static const struct {
        bool asked;
        uint64_t arg;
        bool known;
    } rows[] = {{true, 0x5010, true}, {true, 0x5040, false}, {false, 0x5010, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        args(0xC2, 7, rows[i].arg, 0, 0);
        uint32_t row = dfr_facts_row(&facts, DFR_T_POOLS);
        dfr_facts_cell(&facts, DFR_F_POOLS_ADDR, row, dfr_v_addr(0x5000));
        dfr_facts_cell(&facts, DFR_F_POOLS_SIZE, row, dfr_v_int(0x40));
        dfr_facts_cell(&facts, DFR_F_POOLS_ASKED, row, dfr_v_bool(rows[i].asked));
        dfr_facts_cell(&facts, DFR_F_POOLS_TAG, row, dfr_v_str(S("Abcd")));
        dfr_facts_seal(&facts);
        cr_expect_eq(V(DFR_F_POOL_TAG)->state == DFR_KNOWN, rows[i].known, "row %zu", i);
    }
}

Test(derive, architecture_from_register_names)
{
    static const struct {
        const char *reg;
        int arch; /* -1: unknown */
    } rows[] = {{"rip", DFR_ARCH_X64}, {"esp", DFR_ARCH_X86}, {"pc", DFR_ARCH_ARM64}, {"rax", -1}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        reg(rows[i].reg, 0x1000);
        dfr_facts_seal(&facts);
        const struct dfr_value *v = V(DFR_F_DUMP_ARCH);
        cr_expect_eq(v->state == DFR_KNOWN, rows[i].arch >= 0);
        if (rows[i].arch >= 0)
            cr_expect_eq(v->as.e.value, (uint32_t)rows[i].arch);
    }
}
