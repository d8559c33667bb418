/* Stacks as patterns see them: `has` and sequences. A frame without a function name can be any
 * function of its module; one without a module can be anything. */
#include "base/limits.h"
#include "vm/vm.h"

struct columns {
    uint32_t index, sym, module, func;
};

static const struct columns *columns_of(uint32_t table, uint32_t *ret_slot)
{
    static const struct columns c[] = {
        {DFR_F_STACK_INDEX, DFR_F_STACK_SYM, DFR_F_STACK_MODULE, DFR_F_STACK_FUNC},
        {DFR_F_OTHER_STACKS_INDEX, DFR_F_OTHER_STACKS_SYM, DFR_F_OTHER_STACKS_MODULE,
         DFR_F_OTHER_STACKS_FUNC},
    };
    *ret_slot = table == DFR_T_OTHER_STACKS;
    return table == DFR_T_STACK || table == DFR_T_OTHER_STACKS ? &c[*ret_slot] : NULL;
}

static struct dfr_frame read_frame(const struct dfr_vm *vm, const struct columns *c, uint32_t row)
{
    const struct dfr_value *sym = dfr_facts_at(vm->f, c->sym, row);
    const struct dfr_value *module = dfr_facts_at(vm->f, c->module, row);
    const struct dfr_value *func = dfr_facts_at(vm->f, c->func, row);
    struct dfr_frame f = {.trust = sym->state == DFR_KNOWN ? sym->trust : module->trust};
    struct dfr_str m = {0};
    if (sym->state == DFR_KNOWN) {
        m = sym->as.sym->module;
        f.func = sym->as.sym->func;
    }
    if (!m.len && module->state == DFR_KNOWN)
        m = (struct dfr_str){module->as.module.p, module->as.module.len};
    if (!f.func.len && func->state == DFR_KNOWN)
        f.func = dfr_value_str(func);
    f.nowhere = !m.len && module->state == DFR_ABSENT;
    f.has_module = m.len != 0;
    f.has_func = f.func.len != 0;
    f.module = dfr_vm_canonical_module(m);
    f.module_id = dfr_names_find(&vm->e->modules, f.module);
    f.func_id = dfr_names_find(&vm->e->funcs, f.func);
    return f;
}

const struct dfr_frames *dfr_vm_frames(struct dfr_vm *vm, uint32_t table)
{
    uint32_t slot;
    const struct columns *c = columns_of(table, &slot);
    if (!c)
        return NULL;
    struct dfr_frames *f = &vm->frames[slot];
    if (f->built)
        return f;
    f->built = true;
    f->n = vm->f->tables[table].n;
    f->v = DFR_NEW_N(vm->a, f->n, struct dfr_frame);
    for (uint32_t i = 0; i < f->n; i++)
        f->v[i] = read_frame(vm, c, i);
    return f;
}

/* What is missing where a frame can neither match nor be excluded. */
static uint32_t frame_missing(struct dfr_vm *vm, const struct columns *c, uint32_t table,
                              uint32_t row, const struct dfr_frame *f)
{
    if (!vm->full)
        return 0;
    const struct dfr_value *v = dfr_facts_at(vm->f, c->sym, row);
    enum dfr_reason reason =
        v->state == DFR_KNOWN || f->has_module ? DFR_REASON_NO_SYMBOLS : (enum dfr_reason)v->reason;
    return dfr_vm_missing(vm, f->has_module ? c->func : c->sym, dfr_vm_row_key(vm, table, row),
                          reason, v->place);
}

/* A frame that matches, or may. */
static struct dfr_tv frame_value(struct dfr_vm *vm, const struct columns *c, uint32_t table,
                                 uint32_t row, const struct dfr_frame *f, enum dfr_tri t,
                                 uint8_t reason)
{
    struct dfr_tv r = {.v = t == DFR_OPEN ? dfr_v_unknown(DFR_KIND_BOOL, (enum dfr_reason)reason)
                                          : dfr_v_bool(true)};
    r.v.trust = f->trust;
    if (t == DFR_TRUE)
        r.origin = dfr_vm_cell(vm, c->sym, row);
    else if (!dfr_reason_is_error(reason))
        r.missing = frame_missing(vm, c, table, row, f);
    return r;
}

struct dfr_tv dfr_vm_has(struct dfr_vm *vm, const struct dfr_tv *list, uint32_t pattern)
{
    struct dfr_rows_view rows = dfr_vm_rows(vm, list, DFR_KIND_BOOL);
    if (rows.bad)
        return rows.unknown;
    uint32_t slot;
    const struct columns *c = columns_of(rows.table, &slot);
    if (!c && rows.table != DFR_NONE)
        return dfr_tv_error(DFR_KIND_BOOL, DFR_REASON_BAD_TYPE);
    struct dfr_fold_state s;
    dfr_fold_begin(vm, &s, DFR_FOLD_ANY, 0);
    s.rows = rows;
    const struct dfr_frames *f = c ? dfr_vm_frames(vm, rows.table) : NULL;
    vm->steps += rows.count;
    for (uint32_t i = 0; i < rows.count && !s.over && !dfr_vm_spent(vm); i++) {
        uint32_t row = rows.first + i;
        uint8_t reason = DFR_REASON_NO_SYMBOLS;
        enum dfr_tri t = dfr_vm_frame_matches(vm, &f->v[row], pattern, &reason);
        if (t == DFR_FALSE) { /* most frames: nothing to gather */
            dfr_fold_false(&s, f->v[row].trust);
            continue;
        }
        struct dfr_tv v = frame_value(vm, c, rows.table, row, &f->v[row], t, reason);
        dfr_fold_row(vm, &s, &v);
    }
    return dfr_fold_end(vm, &s);
}

/* --- Sequences --- */

struct sequence {
    struct dfr_vm *vm;
    const struct columns *c;
    const struct dfr_frames *f;
    struct dfr_rows_view rows;
    const uint32_t *patterns;
    uint32_t count, within;
    uint8_t reason;
};

/* Number of a frame as the debugger counts, so that frames left out between two are counted too. */
static int64_t position(const struct sequence *q, uint32_t row)
{
    const struct dfr_value *v = dfr_facts_at(q->vm->f, q->c->index, row);
    return v->state == DFR_KNOWN && v->as.n.lo == v->as.n.hi ? v->as.n.lo : -1;
}

static bool near_enough(const struct sequence *q, uint32_t first, uint32_t last)
{
    if (!q->within)
        return true;
    int64_t a = position(q, first), b = position(q, last);
    if (a >= 0 && b >= a)
        return b - a < (int64_t)q->within;
    return last - first < q->within;
}

/* Could frames have been cut out between two rows, unseen? */
static bool gap_possible(const struct sequence *q, uint32_t first, uint32_t last)
{
    const struct dfr_rows *t = &q->vm->f->tables[q->rows.table];
    return q->within && !t->complete && t->reason == DFR_REASON_ELIDED && last > first &&
           (position(q, first) < 0 || position(q, last) < 0);
}

/* Greedy from `start`: the earliest frames that fit give the nearest end. With `open` an undecided
 * frame fits too. Fills rows[] and says whether all patterns found a frame. */
static bool fit(struct sequence *q, uint32_t start, bool open, uint32_t *rows)
{
    uint32_t k = 0;
    for (uint32_t i = start; i < q->rows.count && k < q->count && !dfr_vm_spent(q->vm); i++) {
        uint32_t row = q->rows.first + i;
        q->vm->steps++;
        enum dfr_tri t = dfr_vm_frame_matches(q->vm, &q->f->v[row], q->patterns[k], &q->reason);
        if (t == DFR_TRUE || (open && t == DFR_OPEN))
            rows[k++] = row;
        else if (k == 0)
            return false; /* a start must match itself */
        if (k && !near_enough(q, rows[0], row))
            return false;
    }
    return k && k == q->count && near_enough(q, rows[0], rows[k - 1]) &&
           (open || !gap_possible(q, rows[0], rows[k - 1]));
}

static struct dfr_tv sequence_found(struct sequence *q, const uint32_t *rows)
{
    struct dfr_tv r = dfr_tv_of(dfr_v_bool(true));
    for (uint32_t k = 0; k < q->count; k++) {
        r.origin = dfr_vm_union(q->vm, r.origin, dfr_vm_cell(q->vm, q->c->sym, rows[k]));
        if (q->f->v[rows[k]].trust < r.v.trust)
            r.v.trust = q->f->v[rows[k]].trust;
    }
    return r;
}

static struct dfr_tv sequence_open(struct sequence *q)
{
    struct dfr_tv r = dfr_tv_error(DFR_KIND_BOOL, (enum dfr_reason)q->reason);
    if (!dfr_reason_is_error(q->reason))
        r.v.reason = q->rows.open ? DFR_REASON_NOT_LISTED : DFR_REASON_NO_SYMBOLS;
    r.missing = q->rows.open ? q->rows.missing : 0;
    for (uint32_t i = 0; q->vm->full && i < q->rows.count && !dfr_vm_spent(q->vm); i++) {
        uint32_t row = q->rows.first + i;
        for (uint32_t k = 0; k < q->count; k++) {
            uint8_t reason = DFR_REASON_NONE;
            q->vm->steps++;
            if (dfr_vm_frame_matches(q->vm, &q->f->v[row], q->patterns[k], &reason) != DFR_OPEN)
                continue;
            r.missing = dfr_vm_union(q->vm, r.missing,
                                     frame_missing(q->vm, q->c, q->rows.table, row, &q->f->v[row]));
            break;
        }
    }
    return r;
}

struct dfr_tv dfr_vm_has_seq(struct dfr_vm *vm, const struct dfr_tv *list, uint32_t seq)
{
    struct sequence q = {.vm = vm, .rows = dfr_vm_rows(vm, list, DFR_KIND_BOOL)};
    if (q.rows.bad)
        return q.rows.unknown;
    uint32_t slot, rows[DFR_LIMIT_SEQ_PATTERNS];
    q.c = columns_of(q.rows.table, &slot);
    if (!q.c && q.rows.table != DFR_NONE)
        return dfr_tv_error(DFR_KIND_BOOL, DFR_REASON_BAD_TYPE);
    const struct dfr_pseq *s = &vm->p->seqs.v[seq];
    q.f = q.c ? dfr_vm_frames(vm, q.rows.table) : NULL;
    q.patterns = vm->p->seq_patterns.v + s->first;
    q.count = s->count;
    q.within = s->within;
    bool possible = false;
    for (uint32_t i = 0; i < q.rows.count && !dfr_vm_spent(vm); i++) {
        if (fit(&q, i, false, rows))
            return sequence_found(&q, rows);
        possible = possible || fit(&q, i, true, rows);
    }
    if (q.rows.open || possible)
        return sequence_open(&q);
    struct dfr_tv r = dfr_tv_of(dfr_v_bool(false));
    r.v.trust = DFR_TRUST_DEBUGGER;
    r.origin = dfr_vm_cell(vm, dfr_table_info(q.rows.table)->field, DFR_NONE);
    return r;
}
