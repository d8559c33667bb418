/* Which images and symbol files the modules of a dump want, and which of them are at hand: those of
 * the crashing stack first, then the kernel, then all others in the order of their addresses. */
#include <string.h>

#include "dump/symbols.h"

struct listing {
    struct dfr_dump *d;
    struct dfr_wanted *list;
    bool *seen; /* by row of MODULES */
};

static void want_image(const struct listing *l, struct dfr_wanted_file w,
                       const struct dfr_image *image, bool have)
{
    struct dfr_dump *d = l->d;
    const struct dfr_value *file = dfr_facts_at(d->facts, DFR_F_MODULES_IMAGE, image->row);
    const struct dfr_value *stamp = dfr_facts_at(d->facts, DFR_F_MODULES_TIMESTAMP, image->row);
    struct dfr_str name;
    w.have = have;
    if (file->state != DFR_KNOWN)
        w.why = (enum dfr_reason)file->reason;
    else if (stamp->state != DFR_KNOWN)
        w.why = (enum dfr_reason)stamp->reason;
    else if (!dfr_store_name(dfr_value_str(file), &name))
        w.why = DFR_REASON_NOT_UNDERSTOOD;
    else {
        w.stamp = (uint32_t)stamp->as.u;
        w.image_size = (uint32_t)(image->end - image->base);
        w.path = dfr_store_image_path(d->arena, name, w.stamp, w.image_size);
    }
    *DFR_PUSH(d->arena, &l->list->files) = w;
}

static void want_pdb(const struct listing *l, struct dfr_wanted_file w,
                     const struct dfr_image *image, bool have)
{
    struct dfr_pe_debug debug = {0};
    struct dfr_str name;
    w.pdb = true;
    w.have = have;
    w.why = dfr_symbols_wanted(l->d, image, &debug);
    if (w.why == DFR_REASON_NONE && !dfr_store_name(debug.pdb, &name))
        w.why = DFR_REASON_NOT_UNDERSTOOD;
    if (w.why == DFR_REASON_NONE) {
        memcpy(w.guid, debug.guid, sizeof w.guid);
        w.age = debug.age;
        w.path = dfr_store_pdb_path(l->d->arena, name, debug.guid, debug.age);
    }
    *DFR_PUSH(l->d->arena, &l->list->files) = w;
}

static void add(const struct listing *l, const struct dfr_image *image, bool matters, bool on_stack)
{
    if (!image || l->seen[image->row])
        return;
    l->seen[image->row] = true;
    const struct dfr_value *name = dfr_facts_at(l->d->facts, DFR_F_MODULES_NAME, image->row);
    struct dfr_symbols_have have = dfr_symbols_have(l->d, image);
    struct dfr_wanted_file w = {.matters = matters,
                                .on_stack = on_stack,
                                .module =
                                    name->state == DFR_KNOWN ? dfr_value_str(name) : DFR_STR("?")};
    want_image(l, w, image, have.image);
    want_pdb(l, w, image, have.pdb);
}

static void add_symbol(const struct listing *l, const struct dfr_value *symbol)
{
    uint32_t row = symbol->state == DFR_KNOWN
                       ? dfr_facts_find_module(l->d->facts, symbol->as.sym->module)
                       : UINT32_MAX;
    for (uint32_t i = 0; i < l->d->images.n && row != UINT32_MAX; i++)
        if (l->d->images.v[i].row == row)
            add(l, &l->d->images.v[i], true, false);
}

void dfr_dump_wanted(struct dfr_dump *d, struct dfr_wanted *ret)
{
    const struct dfr_facts *f = d->facts;
    struct listing l = {
        .d = d, .list = ret, .seen = DFR_NEW_N(d->arena, f->tables[DFR_T_MODULES].n, bool)};
    for (uint32_t row = 0; row < f->tables[DFR_T_STACK].n; row++) {
        const struct dfr_value *at = dfr_facts_at(f, DFR_F_STACK_ADDRESS, row);
        if (at->state == DFR_KNOWN)
            add(&l, dfr_dump_image_at(d, at->as.u), true, true);
    }
    if (d->kernel)
        add(&l, dfr_dump_image_at(d, d->kernel), true, false);
    add_symbol(&l, dfr_facts_scalar(f, DFR_F_TRAP_SYMBOL));
    for (uint32_t row = 0; row < f->tables[DFR_T_CPUS].n; row++)
        add_symbol(&l, dfr_facts_at(f, DFR_F_CPUS_SYMBOL, row));
    for (uint32_t row = 0; row < f->tables[DFR_T_IRP_STACK].n; row++)
        add_symbol(&l, dfr_facts_at(f, DFR_F_IRP_STACK_COMPLETION, row));
    for (uint32_t i = 0; i < d->images.n; i++)
        add(&l, &d->images.v[i], false, false);
    for (uint32_t i = 0; i < d->store->servers.n; i++)
        *DFR_PUSH(d->arena, &ret->servers) = dfr_str_dup(d->arena, d->store->servers.v[i]);
    for (uint32_t i = 0; i < d->store->roots.n; i++)
        if (!d->store->roots.v[i].plain)
            *DFR_PUSH(d->arena, &ret->folders) = dfr_str_dup(d->arena, d->store->roots.v[i].folder);
}
