/* Builtins that look things up in fact tables: a row, or what would show it. */
#include "base/buf.h"
#include "vm/vm.h"

static struct dfr_str text_of(const struct dfr_value *v)
{
    return v->kind == DFR_KIND_MODULE ? (struct dfr_str){v->as.module.p, v->as.module.len}
                                      : dfr_value_str(v);
}

/* What is missing when an incomplete table lacks a row: the table's command with this parameter. */
static struct dfr_tv not_listed(struct dfr_vm *vm, uint32_t table, enum dfr_kind kind,
                                const struct dfr_value *key)
{
    const struct dfr_rows *rows = &vm->f->tables[table];
    uint32_t field = dfr_table_info(table)->field;
    struct dfr_tv r;
    if (rows->complete) {
        r = dfr_tv_of(dfr_v_absent(kind, DFR_REASON_NO_SUCH_ROW));
        r.v.trust = DFR_TRUST_DEBUGGER;
        r.origin = dfr_vm_cell(vm, field, DFR_NONE);
        return r;
    }
    enum dfr_reason why = rows->n ? DFR_REASON_NOT_LISTED : (enum dfr_reason)rows->reason;
    r = dfr_tv_error(kind, why);
    if (vm->full)
        r.missing = dfr_vm_missing(vm, field, dfr_vm_print(vm, key), why, rows->place);
    return r;
}

/* The row whose first column equals the key. */
static struct dfr_tv row_by_key(struct dfr_vm *vm, uint32_t table, const struct dfr_tv *key)
{
    enum { ROWS_PER_STEP = 4 };
    const struct dfr_rows *rows = &vm->f->tables[table];
    uint32_t field = dfr_table_info(table)->first_column;
    bool undecided = false;
    vm->steps += rows->n / ROWS_PER_STEP;
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct dfr_value *v = dfr_facts_at(vm->f, field, i);
        enum dfr_tri same = v->state == DFR_KNOWN    ? dfr_vm_same(vm, v, &key->v)
                            : v->state == DFR_ABSENT ? DFR_FALSE
                                                     : DFR_OPEN;
        undecided = undecided || same == DFR_OPEN;
        if (same != DFR_TRUE)
            continue;
        struct dfr_tv r = {.v = dfr_vm_row(table, i), .origin = dfr_vm_cell(vm, field, i)};
        r.v.trust = v->trust;
        return r;
    }
    struct dfr_tv r = not_listed(vm, table, DFR_KIND_ROW, &key->v);
    if (undecided && r.v.state == DFR_ABSENT) {
        r = dfr_tv_error(DFR_KIND_ROW, DFR_REASON_NOT_UNDERSTOOD);
        r.missing = dfr_vm_table_missing(vm, table);
    }
    return r;
}

/* The second column of the row whose first column is a name, without case. */
static struct dfr_tv value_by_name(struct dfr_vm *vm, uint32_t table, enum dfr_kind kind,
                                   struct dfr_str name)
{
    const struct dfr_rows *rows = &vm->f->tables[table];
    uint32_t field = dfr_table_info(table)->first_column;
    vm->steps += rows->n;
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct dfr_value *v = dfr_facts_at(vm->f, field, i);
        if (v->state == DFR_KNOWN && dfr_str_eq_ci(dfr_value_str(v), name))
            return dfr_vm_column(vm, field + 1, i);
    }
    struct dfr_value key = dfr_v_str(name);
    return not_listed(vm, table, kind, &key);
}

struct dfr_tv dfr_builtin_MODULE(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    struct dfr_value m = dfr_facts_module(vm->f, text_of(&arg->v));
    if (!m.as.module.row)
        return not_listed(vm, DFR_T_MODULES, DFR_KIND_MODULE, &arg->v);
    struct dfr_tv r = {.v = m};
    const struct dfr_value *name = dfr_facts_at(vm->f, DFR_F_MODULES_NAME, m.as.module.row - 1);
    r.v.trust = name->trust;
    r.v.place = name->place;
    r.origin = dfr_vm_cell(vm, DFR_F_MODULES_NAME, m.as.module.row - 1);
    return r;
}

struct dfr_tv dfr_builtin_MODULE_AT(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    enum { ROWS_PER_STEP = 4 };
    const struct dfr_rows *rows = &vm->f->tables[DFR_T_MODULES];
    vm->steps += rows->n / ROWS_PER_STEP;
    uint32_t row = dfr_facts_module_at(vm->f, arg->v.as.u);
    if (row < rows->n) {
        const struct dfr_value *name = dfr_facts_at(vm->f, DFR_F_MODULES_NAME, row);
        if (name->state == DFR_KNOWN) {
            struct dfr_tv r = {.v = dfr_facts_module(vm->f, dfr_value_str(name))};
            r.v.as.module.row = row + 1;
            r.v.trust = name->trust;
            r.v.place = name->place;
            r.origin = dfr_vm_cell(vm, DFR_F_MODULES_BASE, row);
            return r;
        }
    }
    /* A complete list decides only when the range of every module is known. */
    for (uint32_t i = 0; rows->complete && i < rows->n; i++) {
        if (dfr_facts_at(vm->f, DFR_F_MODULES_BASE, i)->state == DFR_KNOWN &&
            dfr_facts_at(vm->f, DFR_F_MODULES_END, i)->state == DFR_KNOWN)
            continue;
        struct dfr_tv r = dfr_tv_error(DFR_KIND_MODULE, DFR_REASON_NOT_SHOWN);
        r.missing =
            dfr_vm_missing(vm, DFR_F_MODULES_BASE,
                           vm->full ? dfr_vm_row_key(vm, DFR_T_MODULES, i) : (struct dfr_str){0},
                           DFR_REASON_NOT_SHOWN, rows->place);
        return r;
    }
    return not_listed(vm, DFR_T_MODULES, DFR_KIND_MODULE, &arg->v);
}

struct dfr_tv dfr_builtin_INSN(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return row_by_key(vm, DFR_T_INSNS, arg);
}

struct dfr_tv dfr_builtin_IRP(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return row_by_key(vm, DFR_T_IRPS, arg);
}

struct dfr_tv dfr_builtin_DEVICE(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return row_by_key(vm, DFR_T_DEVICES, arg);
}

struct dfr_tv dfr_builtin_THREAD(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return row_by_key(vm, DFR_T_THREADS, arg);
}

struct dfr_tv dfr_builtin_CPU(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return row_by_key(vm, DFR_T_CPUS, arg);
}

struct dfr_tv dfr_builtin_PTE(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return row_by_key(vm, DFR_T_PTES, arg);
}

struct dfr_tv dfr_builtin_REG(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return value_by_name(vm, DFR_T_REGS, DFR_KIND_ADDR, text_of(&arg->v));
}

struct dfr_tv dfr_builtin_ANALYZE(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return value_by_name(vm, DFR_T_ANALYZE_KEYS, DFR_KIND_STR, text_of(&arg->v));
}

/* No table holds the image's own bytes, so nothing in the input can settle it. */
struct dfr_tv dfr_builtin_CODE_DIFF(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    (void)vm;
    (void)arg;
    return dfr_tv_error(DFR_KIND_ADDR, DFR_REASON_NOT_IN_DUMP);
}
