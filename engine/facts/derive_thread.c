/* The crashing thread: its row among the threads shown, how much of its stack was used, and whether
 * the fault happened on that stack at all. */
#include "base/checked.h"
#include "facts/derive.h"

static uint32_t row_of(const struct dfr_facts *f, uint32_t table, uint32_t column,
                       const struct dfr_value *key)
{
    for (uint32_t i = 0; key && i < f->tables[table].n; i++) {
        const struct dfr_value *v = dfr_derive_at(f, column, i);
        if (v && dfr_value_same(v, key))
            return i;
    }
    return UINT32_MAX;
}

static void put_from(struct dfr_facts *f, uint32_t field, uint32_t column, uint32_t row)
{
    const struct dfr_value *v = row == UINT32_MAX ? NULL : dfr_derive_at(f, column, row);
    if (v)
        dfr_derive_put(f, field, *v, v);
}

static void from_tables(struct dfr_facts *f)
{
    uint32_t cpu = row_of(f, DFR_T_CPUS, DFR_F_CPUS_ID, dfr_derive_scalar(f, DFR_F_CPU_CURRENT));
    put_from(f, DFR_F_CPU_CURRENT_IRQL, DFR_F_CPUS_IRQL, cpu);
    put_from(f, DFR_F_THREAD_ADDRESS, DFR_F_CPUS_THREAD, cpu);
    uint32_t thread =
        row_of(f, DFR_T_THREADS, DFR_F_THREADS_ADDR, dfr_derive_scalar(f, DFR_F_THREAD_ADDRESS));
    put_from(f, DFR_F_THREAD_PROCESS, DFR_F_THREADS_PROCESS, thread);
    put_from(f, DFR_F_THREAD_STACK_BASE, DFR_F_THREADS_STACK_BASE, thread);
    put_from(f, DFR_F_THREAD_STACK_LIMIT, DFR_F_THREADS_STACK_LIMIT, thread);
    uint32_t current =
        row_of(f, DFR_T_CPUS, DFR_F_CPUS_THREAD, dfr_derive_scalar(f, DFR_F_THREAD_ADDRESS));
    put_from(f, DFR_F_CPU_CURRENT, DFR_F_CPUS_ID, current);
}

static const struct dfr_value *least_trusted(const struct dfr_value *a, const struct dfr_value *b)
{
    return b->trust < a->trust ? b : a;
}

static const struct dfr_value *dpc_frame(const struct dfr_facts *f)
{
    enum { MOST = 256 };
    uint32_t n = f->tables[DFR_T_STACK].n;
    for (uint32_t i = 0; i < n && i < MOST; i++)
        if (dfr_frame_is(f, i, DFR_ROLE_DPC))
            return dfr_facts_at(f, DFR_F_STACK_SYM, i);
    return NULL;
}

/* A stack pointer inside the thread's own stack tells how much was used, and that the fault was on
 * no other stack. Outside it says neither: DPCs, interrupts and exceptions have stacks of their own,
 * and an overflow lies outside too. Frames that run DPCs or an interrupt decide it then. */
void dfr_derive_thread(struct dfr_facts *f)
{
    from_tables(f);
    const struct dfr_value *sp = dfr_derive_scalar(f, DFR_F_TRAP_SP);
    const struct dfr_value *base = dfr_derive_scalar(f, DFR_F_THREAD_STACK_BASE);
    const struct dfr_value *limit = dfr_derive_scalar(f, DFR_F_THREAD_STACK_LIMIT);
    if (!sp || !base || !limit || limit->as.u >= base->as.u)
        return;
    const struct dfr_value *source = least_trusted(sp, least_trusted(base, limit));
    if (sp->as.u >= limit->as.u && sp->as.u <= base->as.u) {
        int64_t used;
        if (dfr_i64_from_u64(base->as.u - sp->as.u, &used))
            dfr_derive_put(f, DFR_F_THREAD_STACK_USED, dfr_v_int(used), source);
        dfr_derive_put(f, DFR_F_THREAD_ON_DPC_STACK, dfr_v_bool(false), source);
        return;
    }
    const struct dfr_value *dpc = dpc_frame(f);
    if (dpc)
        dfr_derive_put(f, DFR_F_THREAD_ON_DPC_STACK, dfr_v_bool(true), least_trusted(dpc, source));
}
