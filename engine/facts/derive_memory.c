/* What addresses belong to: instructions to modules, frames to unloaded modules, and the pool block
 * that the crash is about. */
#include "facts/derive.h"

uint32_t dfr_unloaded_at(const struct dfr_facts *f, uint64_t address)
{
    for (uint32_t i = 0; i < f->tables[DFR_T_UNLOADED].n; i++) {
        const struct dfr_value *base = dfr_derive_at(f, DFR_F_UNLOADED_BASE, i);
        const struct dfr_value *end = dfr_derive_at(f, DFR_F_UNLOADED_END, i);
        if (base && end && base->as.u <= address && address < end->as.u &&
            dfr_facts_module_at(f, address) == UINT32_MAX)
            return i;
    }
    return UINT32_MAX;
}

static void instructions(struct dfr_facts *f)
{
    for (uint32_t i = 0; i < f->tables[DFR_T_INSNS].n; i++) {
        const struct dfr_value *sym = dfr_derive_at(f, DFR_F_INSNS_SYM, i);
        const struct dfr_value *addr = dfr_derive_at(f, DFR_F_INSNS_ADDR, i);
        uint32_t at = addr ? dfr_facts_module_at(f, addr->as.u) : UINT32_MAX;
        const struct dfr_value *name =
            at == UINT32_MAX ? NULL : dfr_derive_at(f, DFR_F_MODULES_NAME, at);
        if (sym && sym->as.sym->module.len)
            dfr_derive_cell(f, DFR_F_INSNS_MODULE, i, dfr_facts_module(f, sym->as.sym->module),
                            sym);
        else if (name)
            dfr_derive_cell(f, DFR_F_INSNS_MODULE, i, dfr_facts_module(f, dfr_value_str(name)),
                            addr);
    }
}

/* An address that no loaded module holds and an unloaded one held: the code is gone. */
static void unloaded_frames(struct dfr_facts *f)
{
    enum { NEWEST = 128 };
    for (uint32_t i = 0; i < f->tables[DFR_T_STACK].n && i < NEWEST; i++) {
        const struct dfr_value *address = dfr_derive_at(f, DFR_F_STACK_ADDRESS, i);
        uint32_t row = address ? dfr_unloaded_at(f, address->as.u) : UINT32_MAX;
        const struct dfr_value *name =
            row == UINT32_MAX ? NULL : dfr_derive_at(f, DFR_F_UNLOADED_NAME, row);
        if (!name)
            continue;
        dfr_derive_cell(f, DFR_F_STACK_UNLOADED, i, dfr_v_bool(true), address);
        dfr_derive_cell(f, DFR_F_STACK_MODULE, i, dfr_facts_module(f, dfr_value_str(name)),
                        address);
    }
}

/* The block that was asked for is the one of the crash when it holds the faulting address or a
 * parameter of the bug check. */
static bool of_the_crash(const struct dfr_facts *f, uint32_t row)
{
    static const uint32_t fields[] = {DFR_F_TRAP_ADDRESS, DFR_F_BUGCHECK_ARG1, DFR_F_BUGCHECK_ARG2,
                                      DFR_F_BUGCHECK_ARG3, DFR_F_BUGCHECK_ARG4};
    const struct dfr_value *asked = dfr_derive_at(f, DFR_F_POOLS_ASKED, row);
    const struct dfr_value *addr = dfr_derive_at(f, DFR_F_POOLS_ADDR, row);
    const struct dfr_value *size = dfr_derive_at(f, DFR_F_POOLS_SIZE, row);
    if (!asked || !asked->as.b || !addr || !size || size->as.n.lo <= 0)
        return false;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const struct dfr_value *v = dfr_derive_scalar(f, fields[i]);
        if (v && v->as.u >= addr->as.u && v->as.u - addr->as.u < (uint64_t)size->as.n.lo)
            return true;
    }
    return false;
}

static void pool(struct dfr_facts *f)
{
    for (uint32_t i = 0; i < f->tables[DFR_T_POOLS].n; i++) {
        if (!of_the_crash(f, i))
            continue;
        const struct dfr_value *tag = dfr_derive_at(f, DFR_F_POOLS_TAG, i);
        const struct dfr_value *state = dfr_derive_at(f, DFR_F_POOLS_STATE, i);
        if (tag)
            dfr_derive_put(f, DFR_F_POOL_TAG, *tag, tag);
        if (state)
            dfr_derive_put(f, DFR_F_POOL_STATE, *state, state);
    }
}

void dfr_derive_memory(struct dfr_facts *f)
{
    instructions(f);
    unloaded_frames(f);
    pool(f);
}
