/* Where values come from: scalars, cells, modules and rows, each with the fact that is missing when
 * it is not known, and the cell that it is when it is. */
#include "base/buf.h"
#include "vm/vm.h"

/* --- Numbers for missing facts and cells --- */

static uint32_t hash_missing(const struct dfr_missing *m)
{
    uint64_t h = dfr_str_hash(m->param) ^ (uint64_t)m->field * 0x9E3779B97F4A7C15u ^
                 (uint64_t)m->place * 0xC2B2AE3D27D4EB4Fu ^ (uint64_t)m->reason << 56;
    return (uint32_t)(h ^ h >> 32);
}

static uint32_t hash_cell(struct dfr_cell_ref c)
{
    uint64_t h = ((uint64_t)c.field << 32 | c.row) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(h >> 32);
}

static uint32_t hash_leaf(const struct dfr_vm *vm, uint32_t leaf)
{
    return leaf & DFR_SET_CELL ? hash_cell(vm->out->cells.v[leaf & ~DFR_SET_CELL])
                               : hash_missing(&vm->out->missing.v[leaf]);
}

static void leaf_room(struct dfr_vm *vm)
{
    if (vm->leaf_slots && vm->leaf_used < vm->leaf_mask / 2)
        return;
    uint32_t old_mask = vm->leaf_mask, *old = vm->leaf_slots;
    vm->leaf_mask = old ? old_mask * 2 + 1 : 63;
    vm->leaf_slots = DFR_NEW_N(vm->a, (size_t)vm->leaf_mask + 1, uint32_t);
    for (uint32_t i = 0; old && i <= old_mask; i++) {
        if (!old[i])
            continue;
        uint32_t at = hash_leaf(vm, old[i] - 1) & vm->leaf_mask;
        while (vm->leaf_slots[at])
            at = (at + 1) & vm->leaf_mask;
        vm->leaf_slots[at] = old[i];
    }
}

uint32_t dfr_vm_missing(struct dfr_vm *vm, uint32_t field, struct dfr_str param,
                        enum dfr_reason reason, uint32_t place)
{
    if (!vm->full)
        return 0;
    leaf_room(vm);
    struct dfr_missing m = {field, param, (uint8_t)reason, place};
    uint32_t at = hash_missing(&m) & vm->leaf_mask;
    for (; vm->leaf_slots[at]; at = (at + 1) & vm->leaf_mask) {
        uint32_t leaf = vm->leaf_slots[at] - 1;
        if (leaf & DFR_SET_CELL)
            continue;
        const struct dfr_missing *old = &vm->out->missing.v[leaf];
        if (old->field == field && old->reason == reason && old->place == place &&
            dfr_str_eq(old->param, param))
            return dfr_sets_one(vm->out->sets, leaf);
    }
    uint32_t leaf = vm->out->missing.n;
    *DFR_PUSH(vm->a, &vm->out->missing) = m;
    vm->leaf_slots[at] = leaf + 1;
    vm->leaf_used++;
    return dfr_sets_one(vm->out->sets, leaf);
}

uint32_t dfr_vm_cell(struct dfr_vm *vm, uint32_t field, uint32_t row)
{
    if (!vm->full)
        return 0;
    leaf_room(vm);
    struct dfr_cell_ref c = {field, row};
    uint32_t at = hash_cell(c) & vm->leaf_mask;
    for (; vm->leaf_slots[at]; at = (at + 1) & vm->leaf_mask) {
        uint32_t leaf = vm->leaf_slots[at] - 1;
        if (!(leaf & DFR_SET_CELL))
            continue;
        const struct dfr_cell_ref *old = &vm->out->cells.v[leaf & ~DFR_SET_CELL];
        if (old->field == field && old->row == row)
            return dfr_sets_one(vm->out->sets, leaf);
    }
    uint32_t leaf = vm->out->cells.n | DFR_SET_CELL;
    *DFR_PUSH(vm->a, &vm->out->cells) = c;
    vm->leaf_slots[at] = leaf + 1;
    vm->leaf_used++;
    return dfr_sets_one(vm->out->sets, leaf);
}

uint32_t dfr_vm_union(struct dfr_vm *vm, uint32_t a, uint32_t b)
{
    enum { ITEMS_PER_STEP = 16 };
    if (a == b || !a || !b)
        return a ? a : b;
    uint32_t x, y;
    dfr_sets_items(vm->out->sets, a, &x);
    dfr_sets_items(vm->out->sets, b, &y);
    vm->steps += ((uint64_t)x + y) / ITEMS_PER_STEP;
    return dfr_sets_union(vm->out->sets, a, b);
}

struct dfr_str dfr_vm_print(struct dfr_vm *vm, const struct dfr_value *v)
{
    struct dfr_buf b;
    dfr_buf_init(&b, vm->a);
    dfr_vm_print_part(&b, v);
    return dfr_buf_text(&b);
}

struct dfr_str dfr_vm_row_key(struct dfr_vm *vm, uint32_t table, uint32_t row)
{
    const struct dfr_value *v = dfr_facts_at(vm->f, dfr_table_info(table)->first_column, row);
    return v->state == DFR_KNOWN ? dfr_vm_print(vm, v) : (struct dfr_str){0};
}

uint32_t dfr_vm_table_missing(struct dfr_vm *vm, uint32_t table)
{
    const struct dfr_rows *r = &vm->f->tables[table];
    return dfr_vm_missing(vm, dfr_table_info(table)->field, (struct dfr_str){0},
                          (enum dfr_reason)r->reason, r->place);
}

/* --- Values --- */

/* An inexact time stands for the exact one that is missing. */
static bool inexact(const struct dfr_value *v)
{
    return v->state == DFR_KNOWN &&
           (v->kind == DFR_KIND_TIME || v->kind == DFR_KIND_INT || v->kind == DFR_KIND_DUR) &&
           v->as.n.lo != v->as.n.hi;
}

struct dfr_tv dfr_vm_scalar(struct dfr_vm *vm, uint32_t field)
{
    const struct dfr_value *v = dfr_facts_scalar(vm->f, field);
    struct dfr_tv t = {.v = *v};
    if (!vm->full)
        return t;
    if (v->state == DFR_UNKNOWN || inexact(v))
        t.missing = dfr_vm_missing(
            vm, field, (struct dfr_str){0},
            inexact(v) && !v->reason ? DFR_REASON_TIME_ZONE : (enum dfr_reason)v->reason, v->place);
    if (v->state != DFR_UNKNOWN && v->kind != DFR_KIND_LIST)
        t.origin = dfr_vm_cell(vm, field, DFR_NONE);
    return t;
}

struct dfr_tv dfr_vm_column(struct dfr_vm *vm, uint32_t field, uint32_t row)
{
    const struct dfr_value *v = dfr_facts_at(vm->f, field, row);
    struct dfr_tv t = {.v = *v};
    if (!vm->full)
        return t;
    if (v->state == DFR_UNKNOWN || inexact(v))
        t.missing = dfr_vm_missing(
            vm, field, dfr_vm_row_key(vm, dfr_field_info(field)->table, row),
            inexact(v) && !v->reason ? DFR_REASON_TIME_ZONE : (enum dfr_reason)v->reason, v->place);
    if (v->state != DFR_UNKNOWN)
        t.origin = dfr_vm_cell(vm, field, row);
    return t;
}

uint32_t dfr_vm_module_row(const struct dfr_vm *vm, const struct dfr_value *m)
{
    if (m->as.module.row)
        return m->as.module.row - 1;
    return dfr_facts_find_module(vm->f, (struct dfr_str){m->as.module.p, m->as.module.len});
}

struct dfr_tv dfr_vm_module_cell(struct dfr_vm *vm, uint32_t field, const struct dfr_tv *m)
{
    const struct dfr_field_info *info = dfr_field_info(field);
    if (m->v.state != DFR_KNOWN) {
        struct dfr_tv t = *m;
        t.v.kind = (uint8_t)info->kind;
        return t;
    }
    if (m->v.kind != DFR_KIND_MODULE)
        return dfr_tv_error(info->kind, DFR_REASON_BAD_TYPE);
    struct dfr_str name = {m->v.as.module.p, m->v.as.module.len};
    if (field == DFR_F_MODULES_NAME) {
        struct dfr_tv t = {.v = dfr_v_str(name), .origin = m->origin};
        t.v.trust = m->v.trust;
        t.v.place = m->v.place;
        return t;
    }
    uint32_t row = dfr_vm_module_row(vm, &m->v);
    struct dfr_tv t;
    const struct dfr_rows *modules = &vm->f->tables[DFR_T_MODULES];
    if (row < modules->n) {
        t = dfr_vm_column(vm, field, row);
    } else if (modules->complete) {
        t = (struct dfr_tv){.v = dfr_v_absent(info->kind, DFR_REASON_NO_SUCH_ROW),
                            .origin = dfr_vm_cell(vm, DFR_F_MODULES, DFR_NONE)};
    } else {
        t = (struct dfr_tv){
            .v = dfr_v_unknown(info->kind, DFR_REASON_NOT_LISTED),
            .missing = vm->full ? dfr_vm_missing(vm, DFR_F_MODULES, dfr_vm_print(vm, &m->v),
                                                 DFR_REASON_NOT_LISTED, modules->place)
                                : 0};
    }
    t.origin = dfr_vm_union(vm, t.origin, m->origin);
    if (m->v.trust < t.v.trust)
        t.v.trust = m->v.trust;
    return t;
}

/* --- Lists --- */

struct dfr_value dfr_vm_row(uint32_t table, uint32_t index)
{
    struct dfr_value v = {.kind = DFR_KIND_ROW, .state = DFR_KNOWN, .trust = DFR_TRUST_BINARY};
    v.as.row.table = table;
    v.as.row.index = index;
    return v;
}

/* Was this row of the stack only found by scanning it: a possible caller, none that was seen? */
static bool scanned(const struct dfr_vm *vm, uint32_t table, uint32_t row)
{
    if (table != DFR_T_STACK)
        return false;
    const struct dfr_value *m = dfr_facts_at(vm->f, DFR_F_STACK_METHOD, row);
    return m->state == DFR_KNOWN && m->as.e.value == DFR_METHOD_SCAN;
}

struct dfr_rows_view dfr_vm_rows(struct dfr_vm *vm, const struct dfr_tv *list, enum dfr_kind kind)
{
    struct dfr_rows_view r = {.table = DFR_NONE};
    if (list->v.state == DFR_ABSENT) {
        r.bad = true;
        r.unknown = dfr_tv_error(kind, DFR_REASON_NOT_APPLICABLE);
        r.unknown.origin = list->origin;
    } else if (list->v.state == DFR_UNKNOWN) {
        r.open = true;
        r.missing = list->missing;
    } else if (list->v.kind != DFR_KIND_LIST) {
        r.bad = true;
        r.unknown = dfr_tv_error(kind, DFR_REASON_BAD_TYPE);
    } else {
        r.table = list->v.as.list.table;
        r.first = list->v.as.list.first;
        r.count = list->v.as.list.count;
        if (r.table < DFR_T_COUNT) {
            /* A slice that ends before its table does has an end of its own, unless what follows
             * was only found by scanning. */
            const struct dfr_rows *rows = &vm->f->tables[r.table];
            if (r.first > rows->n)
                r.first = rows->n;
            if (r.count > rows->n - r.first)
                r.count = rows->n - r.first;
            uint32_t end = r.first + r.count;
            r.open = !rows->complete && (end == rows->n || scanned(vm, r.table, end));
            if (r.open)
                r.missing = dfr_vm_table_missing(vm, r.table);
        }
    }
    return r;
}

struct dfr_value dfr_vm_record(const struct dfr_vm *vm, uint32_t list, uint32_t row,
                               uint32_t column)
{
    const struct dfr_program *p = vm->p;
    if (list >= p->lists.n || row >= p->lists.v[list].rows || column >= p->lists.v[list].columns)
        return dfr_v_absent(DFR_KIND_NONE, DFR_REASON_NO_SUCH_ROW);
    const struct dfr_plist *l = &p->lists.v[list];
    uint32_t c = p->cells.v[l->first_cell + (size_t)row * l->columns + column];
    if (c == DFR_NONE)
        return dfr_v_absent(DFR_KIND_NONE, DFR_REASON_NOT_APPLICABLE);
    return vm->e->consts[c];
}
