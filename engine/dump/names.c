/* Names of addresses into the facts (those of frames are there already), and what symbols each module
 * has. Without any, a symbol is a module and an offset, which is right as it is. */
#include "dump/symbols.h"

/* The symbol of an address, as a value; false: nothing better than module and offset is known. */
static bool symbol_value(struct dfr_dump *d, uint64_t address, struct dfr_value *ret)
{
    struct dfr_symbol found;
    const struct dfr_image *image = dfr_dump_image_at(d, address);
    if (!image)
        return false;
    const struct dfr_value *module = dfr_facts_at(d->facts, DFR_F_MODULES_NAME, image->row);
    if (module->state != DFR_KNOWN || !dfr_symbols_at(d, address, false, &found))
        return false;
    *ret = dfr_facts_sym(d->facts, (struct dfr_sym){.module = dfr_value_str(module),
                                                    .func = found.name,
                                                    .offset = found.offset,
                                                    .has_offset = true});
    return true;
}

/* A column of symbols beside one of addresses where a processor stood. */
static void column(struct dfr_dump *d, uint32_t table, uint32_t address, uint32_t symbol)
{
    uint32_t n = d->facts->tables[table].n;
    for (uint32_t row = 0; row < n; row++) {
        const struct dfr_value *at = dfr_facts_at(d->facts, address, row);
        struct dfr_value v;
        if (at->state == DFR_KNOWN && symbol_value(d, at->as.u, &v))
            dfr_dump_cell(d, symbol, row, v, at->place);
    }
}

static void trap(struct dfr_dump *d)
{
    const struct dfr_value *ip = dfr_facts_scalar(d->facts, DFR_F_TRAP_RIP);
    struct dfr_value v;
    if (ip->state == DFR_KNOWN && symbol_value(d, ip->as.u, &v))
        dfr_dump_put_at(d, DFR_F_TRAP_SYMBOL, v, ip->place);
}

/* Routines that are known by module and offset get their names. */
static void completions(struct dfr_dump *d)
{
    uint32_t n = d->facts->tables[DFR_T_IRP_STACK].n;
    for (uint32_t row = 0; row < n; row++) {
        const struct dfr_value *v = dfr_facts_at(d->facts, DFR_F_IRP_STACK_COMPLETION, row);
        uint32_t module, place = v->place;
        if (v->state != DFR_KNOWN || v->as.sym->func.len || !v->as.sym->has_offset ||
            (module = dfr_facts_find_module(d->facts, v->as.sym->module)) == UINT32_MAX)
            continue;
        const struct dfr_value *base = dfr_facts_at(d->facts, DFR_F_MODULES_BASE, module);
        struct dfr_value named;
        if (base->state == DFR_KNOWN && symbol_value(d, base->as.u + v->as.sym->offset, &named))
            dfr_dump_cell(d, DFR_F_IRP_STACK_COMPLETION, row, named, place);
    }
}

/* What each module has. With no place to look for symbols there are none; modules that nobody asked
 * for were not looked for. */
static void modules(struct dfr_dump *d)
{
    for (uint32_t i = 0; i < d->images.n; i++) {
        const struct dfr_image *image = &d->images.v[i];
        uint32_t place = dfr_facts_at(d->facts, DFR_F_MODULES_BASE, image->row)->place;
        dfr_dump_cell(d, DFR_F_MODULES_SYMBOLS, image->row,
                      dfr_v_enum(DFR_E_SYMBOLS, dfr_symbols_loaded(d, image)), place);
    }
}

/* Files that stood where a wanted one would be and are not it: people should know. */
static void rejects(struct dfr_dump *d)
{
    for (uint32_t i = 0; i < d->store->rejects.n; i++) {
        const struct dfr_store_reject *r = &d->store->rejects.v[i];
        (void)dfr_diags_add(d->diags, DFR_D_SYMBOLS_REJECTED, "%.*s is not used: %s",
                            (int)r->path.len, r->path.p, r->why);
    }
}

void dfr_dump_names(struct dfr_dump *d)
{
    trap(d);
    column(d, DFR_T_CPUS, DFR_F_CPUS_RIP, DFR_F_CPUS_SYMBOL);
    column(d, DFR_T_INSNS, DFR_F_INSNS_ADDR, DFR_F_INSNS_SYM);
    completions(d);
    modules(d);
    rejects(d);
}
