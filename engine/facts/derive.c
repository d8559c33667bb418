/* Sealing: everything that follows from other facts. Runs once, after the readers; it never
 * overwrites what a reader set and never invents: what cannot be decided stays unknown. */
#include "facts/derive.h"

const struct dfr_value *dfr_derive_known(const struct dfr_value *v)
{
    return v->state == DFR_KNOWN ? v : NULL;
}

const struct dfr_value *dfr_derive_scalar(const struct dfr_facts *f, uint32_t field)
{
    return dfr_derive_known(dfr_facts_scalar(f, field));
}

const struct dfr_value *dfr_derive_at(const struct dfr_facts *f, uint32_t column, uint32_t row)
{
    return dfr_derive_known(dfr_facts_at(f, column, row));
}

/* What a test or a what-if declares unknown stays so. */
static bool open_to(const struct dfr_value *old)
{
    return old->state == DFR_UNKNOWN && old->reason != DFR_REASON_CONTRADICTORY &&
           old->reason != DFR_REASON_GIVEN;
}

static void note(struct dfr_facts *f, uint32_t field, uint32_t row, const struct dfr_value *before)
{
    *DFR_PUSH(f->arena, &f->derived) = (struct dfr_derived){field, row, *before};
}

void dfr_derive_put(struct dfr_facts *f, uint32_t field, struct dfr_value v,
                    const struct dfr_value *source)
{
    if (!open_to(&f->scalars[field]))
        return;
    v.trust = source->trust;
    v.place = source->place;
    note(f, field, 0, &f->scalars[field]);
    f->scalars[field] = v;
}

void dfr_derive_cell(struct dfr_facts *f, uint32_t column, uint32_t row, struct dfr_value v,
                     const struct dfr_value *source)
{
    if (!open_to(dfr_facts_at(f, column, row)))
        return;
    v.trust = source->trust;
    v.place = source->place;
    note(f, column, row, dfr_facts_at(f, column, row));
    dfr_facts_cell(f, column, row, v);
}

void dfr_derive_complete(struct dfr_facts *f, uint32_t table)
{
    struct dfr_rows *t = &f->tables[table];
    struct dfr_value before = dfr_v_unknown(DFR_KIND_LIST, (enum dfr_reason)t->reason);
    note(f, dfr_table_info(table)->field, 0, &before);
    t->complete = true;
    t->reason = DFR_REASON_NONE;
}

void dfr_facts_unseal(struct dfr_facts *f, const struct dfr_facts *from)
{
    for (uint32_t i = from->derived.n; i-- > 0;) {
        const struct dfr_derived *d = &from->derived.v[i];
        const struct dfr_field_info *info = dfr_field_info(d->field);
        struct dfr_rows *t = &f->tables[info->table];
        if (info->cls == DFR_FIELD_SCALAR) {
            f->scalars[d->field] = d->before;
        } else if (info->cls == DFR_FIELD_TABLE) {
            t->complete = false;
            t->reason = d->before.reason;
        } else if (d->row < t->n) {
            t->cells[(size_t)d->row * dfr_table_info(info->table)->columns + info->column] =
                d->before;
        }
    }
}

/* Module cells name a module; where MODULES lists it they also hold its row. */
static void link_module(const struct dfr_facts *f, struct dfr_value *v)
{
    if (v->kind != DFR_KIND_MODULE || v->state != DFR_KNOWN)
        return;
    uint32_t row = dfr_facts_find_module(f, (struct dfr_str){v->as.module.p, v->as.module.len});
    v->as.module.row = row == UINT32_MAX ? 0 : row + 1;
}

static void link_modules(struct dfr_facts *f)
{
    for (uint32_t i = 0; i < DFR_F_COUNT; i++) {
        const struct dfr_field_info *info = dfr_field_info(i);
        if (info->kind != DFR_KIND_MODULE)
            continue;
        if (info->cls == DFR_FIELD_SCALAR) {
            link_module(f, &f->scalars[i]);
            continue;
        }
        struct dfr_rows *rows = &f->tables[info->table];
        uint32_t columns = dfr_table_info(info->table)->columns;
        for (uint32_t r = 0; r < rows->n; r++)
            link_module(f, &rows->cells[(size_t)r * columns + info->column]);
    }
}

void dfr_facts_seal(struct dfr_facts *f)
{
    dfr_derive_registers(f);
    dfr_derive_modules(f);
    link_modules(f);
    dfr_derive_analysis(f);
    dfr_derive_stack(f);
    dfr_derive_crash(f);
    dfr_derive_trap(f);
    dfr_derive_thread(f);
    dfr_derive_memory(f);
}
