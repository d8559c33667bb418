/* Facts for the double fault of handmade.h: a made-up transcript, with the places of what it shows. */
#ifndef DFR_TESTS_DOUBLEFAULT_H
#define DFR_TESTS_DOUBLEFAULT_H

#include "handmade.h"

static const char df_text[] =
    "UNEXPECTED_KERNEL_MODE_TRAP (7f)\n"
    "Arg1: 0000000000000008, EXCEPTION_DOUBLE_FAULT\n"
    "4: kd> k\n"
    "Child-SP          RetAddr           Call Site\n"
    "fffff880`02a41fd0 fffff800`032909ba nt!KiIpiSendRequest+0x305\n"
    "fffff880`02a424d0 fffff880`018443f5 nt!VerifierKeAcquireSpinLockRaiseToDpc+0x54\n"
    "fffff880`02a42530 fffff880`018222a2 iaStor+0x253f5\n"
    "4: kd> lmvm iaStor\n"
    "    Image name: iaStor.sys\n"
    "    Timestamp:        Wed Feb 01 19:15:24 2012 (4F299E3C)\n"
    "An antivirus suite was installed as well.\n";

static inline uint32_t df_place(const char *needle)
{
    const char *at = strstr(df_text, needle);
    cr_assert(at != NULL);
    uint32_t line = 1;
    for (const char *c = df_text; c < at; c++)
        line += *c == '\n';
    uint64_t from = (uint64_t)(at - df_text);
    return dfr_facts_place(
        &facts, (struct dfr_place){.begin = from, .end = from + strlen(needle), .line = line});
}

static inline struct dfr_value df_at(struct dfr_value v, const char *needle)
{
    v.place = df_place(needle);
    return v;
}

static inline struct dfr_sym *df_sym(const char *module, const char *func, uint64_t offset)
{
    struct dfr_sym *s = DFR_NEW(&arena, struct dfr_sym);
    *s = (struct dfr_sym){
        .module = S(module), .func = S(func), .offset = offset, .has_offset = true};
    return s;
}

static inline void df_frame(const char *needle, uint64_t sp, const char *module, const char *func,
                            uint64_t offset)
{
    uint32_t row = dfr_facts_row(&facts, DFR_T_STACK);
    struct dfr_value sym = dfr_facts_sym(&facts, *df_sym(module, func, offset));
    dfr_facts_cell(&facts, DFR_F_STACK_INDEX, row, df_at(dfr_v_int(row), needle));
    dfr_facts_cell(&facts, DFR_F_STACK_SP, row, df_at(dfr_v_addr(sp), needle));
    dfr_facts_cell(&facts, DFR_F_STACK_SYM, row, df_at(sym, needle));
    dfr_facts_cell(&facts, DFR_F_STACK_MODULE, row,
                   df_at(dfr_facts_module(&facts, S(module)), needle));
}

/* Before double_fault(): the rows that its cells name. */
static inline void double_fault_facts(void)
{
    facts.text = S(df_text);
    uint32_t row = dfr_facts_module_row(&facts, S("iaStor"));
    int64_t built = dfr_time_from_civil(2012, 2, 1, 19, 15, 24);
    dfr_facts_cell(&facts, DFR_F_MODULES_IMAGE, row,
                   df_at(dfr_v_str(S("iaStor.sys")), "Image name: iaStor.sys"));
    dfr_facts_cell(&facts, DFR_F_MODULES_BUILT, row,
                   df_at(dfr_v_time(built, built), "Wed Feb 01 19:15:24 2012 (4F299E3C)"));
    dfr_facts_cell(&facts, DFR_F_MODULES_BASE, row, dfr_v_addr(UINT64_C(0xfffff8800181f000)));
    dfr_facts_set(&facts, DFR_F_BUGCHECK_CODE, df_at(dfr_v_int(0x7f), "(7f)"));
    dfr_facts_set(&facts, DFR_F_BUGCHECK_ARG1, df_at(dfr_v_addr(8), "0000000000000008"));
    dfr_facts_set(&facts, DFR_F_BUGCHECK_ARG2, dfr_v_addr(0x80050033));
    dfr_facts_set(&facts, DFR_F_CPU_CURRENT, df_at(dfr_v_int(4), "4: kd> k"));
    dfr_facts_set(&facts, DFR_F_DUMP_ARCH, dfr_v_enum(DFR_E_ARCH, DFR_ARCH_X64));
    dfr_facts_set(&facts, DFR_F_DUMP_KIND, dfr_v_enum(DFR_E_DUMP_KIND, DFR_DUMP_KIND_TRANSCRIPT));
    static const char first[] = "fffff880`02a41fd0 fffff800`032909ba nt!KiIpiSendRequest+0x305";
    dfr_facts_set(&facts, DFR_F_TRAP_SP, df_at(dfr_v_addr(UINT64_C(0xfffff88002a41fd0)), first));
    dfr_facts_set(&facts, DFR_F_TRAP_SYMBOL,
                  df_at(dfr_facts_sym(&facts, *df_sym("nt", "KiIpiSendRequest", 0x305)), first));
    for (int i = 0; i < 10; i++)
        df_frame(first, UINT64_C(0xfffff88002a41fd0), "nt", "KiIpiSendRequest", 0x305);
    df_frame("fffff880`02a424d0 fffff880`018443f5 nt!VerifierKeAcquireSpinLockRaiseToDpc+0x54",
             UINT64_C(0xfffff88002a424d0), "nt", "VerifierKeAcquireSpinLockRaiseToDpc", 0x54);
    df_frame("fffff880`02a42530 fffff880`018222a2 iaStor+0x253f5", UINT64_C(0xfffff88002a42530),
             "iaStor", "", 0x253f5);
    facts.tables[DFR_T_STACK].reason = DFR_REASON_ELIDED;
    row = dfr_facts_row(&facts, DFR_T_NOTES);
    struct dfr_value note =
        df_at(dfr_v_str(S("An antivirus suite was installed as well.")), "An antivirus");
    note.trust = DFR_TRUST_PROSE;
    dfr_facts_cell(&facts, DFR_F_NOTES_TEXT, row, note);
    dfr_facts_row(&facts, DFR_T_CPUS);
    dfr_facts_seal(&facts);
}

#endif
