/* The interpreter. Runs only verified chunks: indexes, heights and nesting need no second look. */
#include "base/buf.h"
#include "base/limits.h"
#include "vm/vm.h"

void dfr_vm_init(struct dfr_vm *vm, const struct dfr_engine *e, const struct dfr_facts *f,
                 struct dfr_arena *a, struct dfr_eval *out, struct dfr_tv *stack)
{
    *vm = (struct dfr_vm){.e = e, .p = e->p, .f = f, .a = a, .out = out, .stack = stack};
    *out = (struct dfr_eval){.program = e->p, .facts = f, .sets = dfr_sets_new(a)};
    out->diags = DFR_NEW(a, struct dfr_diags);
    dfr_diags_init(out->diags, a);
    vm->limit = DFR_LIMIT_VM_STEPS;
    vm->rule = DFR_NONE;
    vm->lets = DFR_NEW_N(a, e->most_lets, struct dfr_memo);
    vm->fact_memo[0] = DFR_NEW_N(a, e->p->facts.n, uint32_t);
    vm->fact_memo[1] = DFR_NEW_N(a, e->p->facts.n, uint32_t);
    vm->list_memo = DFR_NEW_N(a, e->p->lists.n, uint32_t *);
    *DFR_PUSH(a, &vm->memos) = (struct dfr_memo){0};
    vm->scratch = DFR_NEW(a, struct dfr_buf);
    dfr_buf_init(vm->scratch, a);
    vm->row = dfr_tv_error(DFR_KIND_ROW, DFR_REASON_NOT_APPLICABLE);
}

/* --- Memoised values: what they cost is charged again to every reader --- */

static struct dfr_tv let(struct dfr_vm *vm, uint32_t number, struct dfr_tv *sp)
{
    struct dfr_memo *m = &vm->lets[number];
    if (m->age == vm->let_age) {
        vm->steps += m->steps;
        vm->asked = dfr_vm_union(vm, vm->asked, m->asked);
        return m->v;
    }
    uint64_t before = vm->steps;
    uint32_t asked = vm->asked;
    vm->asked = 0;
    dfr_vm_run(vm, vm->p->let_chunks.v[vm->p->rules.v[vm->rule].lets + number], NULL, sp);
    *m = (struct dfr_memo){*sp, vm->asked, vm->let_age, vm->steps - before};
    vm->asked = dfr_vm_union(vm, asked, m->asked);
    return m->v;
}

/* A fact has a whole budget of its own, so that its value does not depend on who asks first. */
static struct dfr_tv fact(struct dfr_vm *vm, uint32_t number, struct dfr_tv *sp)
{
    uint32_t known = vm->fact_memo[vm->full][number];
    if (!known) {
        uint64_t steps = vm->steps;
        uint32_t asked = vm->asked;
        vm->steps = 0;
        vm->asked = 0;
        dfr_vm_run(vm, vm->p->facts.v[number].chunk, NULL, sp);
        struct dfr_memo m = {*sp, vm->asked, 0, vm->steps};
        vm->steps = steps;
        vm->asked = asked;
        known = vm->memos.n;
        *DFR_PUSH(vm->a, &vm->memos) = m;
        vm->fact_memo[vm->full][number] = known;
    }
    const struct dfr_memo m = vm->memos.v[known];
    vm->steps += m.steps;
    vm->asked = dfr_vm_union(vm, vm->asked, m.asked);
    return m.v;
}

/* --- Parts --- */

/* A part of what is not known is not known, of what is absent absent. */
static struct dfr_tv part_of(const struct dfr_tv *whole, enum dfr_kind kind)
{
    struct dfr_tv r = *whole;
    if (whole->v.state == DFR_KNOWN)
        return dfr_tv_error(kind, DFR_REASON_BAD_TYPE);
    r.v.kind = (uint8_t)kind;
    return r;
}

static struct dfr_tv with_row(struct dfr_vm *vm, struct dfr_tv cell, const struct dfr_tv *row)
{
    cell.origin = dfr_vm_union(vm, cell.origin, row->origin);
    if (row->v.trust < cell.v.trust)
        cell.v.trust = row->v.trust;
    return cell;
}

static struct dfr_tv column(struct dfr_vm *vm, const struct dfr_tv *row, uint32_t field)
{
    const struct dfr_field_info *info = dfr_field_info(field);
    if (row->v.state != DFR_KNOWN || row->v.kind != DFR_KIND_ROW ||
        row->v.as.row.table != info->table)
        return part_of(row, info->kind);
    return with_row(vm, dfr_vm_column(vm, field, row->v.as.row.index), row);
}

static struct dfr_tv record(struct dfr_vm *vm, const struct dfr_tv *row, uint32_t number)
{
    if (row->v.state != DFR_KNOWN || row->v.kind != DFR_KIND_ROW ||
        row->v.as.row.table < DFR_T_COUNT)
        return part_of(row, DFR_KIND_NONE);
    struct dfr_value v =
        dfr_vm_record(vm, row->v.as.row.table - DFR_T_COUNT, row->v.as.row.index, number);
    return with_row(vm, dfr_tv_of(v), row);
}

static struct dfr_tv symbol_part(struct dfr_vm *vm, const struct dfr_tv *s, uint32_t part)
{
    static const enum dfr_kind kinds[] = {DFR_KIND_MODULE, DFR_KIND_STR, DFR_KIND_INT};
    if (s->v.state != DFR_KNOWN || s->v.kind != DFR_KIND_SYM)
        return part_of(s, kinds[part]);
    const struct dfr_sym *sym = s->v.as.sym;
    struct dfr_tv r = *s;
    bool there = part == 0   ? sym->module.len != 0
                 : part == 1 ? sym->func.len != 0
                             : sym->has_offset && sym->offset <= INT64_MAX;
    if (!there) {
        r.v = dfr_v_unknown(kinds[part], DFR_REASON_NO_SYMBOLS);
        uint32_t n;
        const uint32_t *cells = dfr_sets_items(vm->out->sets, s->origin, &n);
        if (vm->full && n) {
            struct dfr_cell_ref c = vm->out->cells.v[cells[0] & ~DFR_SET_CELL];
            r.missing = dfr_vm_missing(
                vm, c.field,
                c.row == DFR_NONE ? (struct dfr_str){0}
                                  : dfr_vm_row_key(vm, dfr_field_info(c.field)->table, c.row),
                DFR_REASON_NO_SYMBOLS, s->v.place);
        }
        return r;
    }
    if (part == 0)
        r.v = dfr_facts_module(vm->f, sym->module);
    else if (part == 1)
        r.v = dfr_v_str(sym->func);
    else
        r.v = dfr_v_int((int64_t)sym->offset);
    r.v.trust = s->v.trust;
    r.v.place = s->v.place;
    return r;
}

static struct dfr_tv at(struct dfr_vm *vm, const struct dfr_tv *list, const struct dfr_tv *index)
{
    struct dfr_rows_view rows = dfr_vm_rows(vm, list, DFR_KIND_ROW);
    if (rows.bad) {
        if (list->v.state == DFR_ABSENT)
            rows.unknown.v.state = DFR_ABSENT;
        return rows.unknown;
    }
    if (index->v.state != DFR_KNOWN)
        return dfr_tv_open(vm, DFR_KIND_ROW, list, index);
    if (index->v.kind != DFR_KIND_INT || index->v.as.n.lo != index->v.as.n.hi)
        return dfr_tv_error(DFR_KIND_ROW, DFR_REASON_BAD_TYPE);
    int64_t i = index->v.as.n.lo;
    struct dfr_tv r;
    if (i >= 0 && i < (int64_t)rows.count) {
        r = (struct dfr_tv){.v = dfr_vm_row(rows.table, rows.first + (uint32_t)i)};
        r.origin = dfr_vm_union(vm, list->origin, index->origin);
        r.v.trust = index->v.trust;
    } else if (i >= 0 && rows.open) {
        r = dfr_tv_error(DFR_KIND_ROW, list->v.state == DFR_UNKNOWN
                                           ? (enum dfr_reason)list->v.reason
                                           : DFR_REASON_NOT_LISTED);
        r.missing = rows.missing;
    } else {
        r = dfr_tv_of(dfr_v_absent(DFR_KIND_ROW, DFR_REASON_NO_SUCH_ROW));
        if (rows.table < DFR_T_COUNT)
            r.origin = dfr_vm_cell(vm, dfr_table_info(rows.table)->field, DFR_NONE);
    }
    return r;
}

static struct dfr_tv list_value(uint32_t table, uint32_t count)
{
    struct dfr_value v = {.kind = DFR_KIND_LIST, .state = DFR_KNOWN};
    v.as.list.table = table;
    v.as.list.count = count;
    return dfr_tv_of(v);
}

static struct dfr_tv complete(struct dfr_vm *vm, const struct dfr_tv *list)
{
    struct dfr_rows_view rows = dfr_vm_rows(vm, list, DFR_KIND_BOOL);
    struct dfr_tv r = dfr_tv_of(dfr_v_bool(!rows.open && !rows.bad));
    if (rows.table < DFR_T_COUNT) {
        r.v.trust = DFR_TRUST_DEBUGGER;
        r.origin = dfr_vm_cell(vm, dfr_table_info(rows.table)->field, DFR_NONE);
    }
    return r;
}

static struct dfr_tv state_is(struct dfr_vm *vm, uint32_t op, const struct dfr_tv *a)
{
    uint8_t want = op == DFR_OP_IS_KNOWN ? DFR_KNOWN : DFR_UNKNOWN;
    struct dfr_tv r = {.v = dfr_v_bool(a->v.state == want), .origin = a->origin};
    r.v.trust = a->v.state == DFR_UNKNOWN ? DFR_TRUST_DEBUGGER : a->v.trust;
    vm->asked = dfr_vm_union(vm, vm->asked, a->missing);
    return r;
}

/* A thing that nobody looked for is not shown to exist, nor shown not to. */
static struct dfr_tv is_absent(const struct dfr_tv *a)
{
    struct dfr_tv r = *a;
    if (a->v.state == DFR_UNKNOWN) {
        r.v.kind = DFR_KIND_BOOL;
        return r;
    }
    r.v = dfr_v_bool(a->v.state == DFR_ABSENT);
    r.v.trust = a->v.trust;
    r.missing = 0;
    return r;
}

static struct dfr_tv in_range(struct dfr_vm *vm, const struct dfr_tv *x)
{
    struct dfr_tv low = dfr_tv_compare(vm, DFR_OP_GE, &x[0], &x[1]);
    struct dfr_tv high = dfr_tv_compare(vm, DFR_OP_LE, &x[0], &x[2]);
    return dfr_tv_and(vm, &low, &high);
}

static struct dfr_tv fold_of(struct dfr_vm *vm, const uint32_t *w, const struct dfr_tv *v)
{
    struct dfr_fold_state s;
    dfr_fold_begin(vm, &s, dfr_fold_kind(dfr_word_operand(w[0])), w[1]);
    s.rows.table = DFR_NONE;
    for (uint32_t i = 0; i < w[2] && !s.over; i++)
        dfr_fold_row(vm, &s, &v[i]);
    return dfr_fold_end(vm, &s);
}

/* --- The loop --- */

struct activation {
    struct dfr_tv slots[DFR_LIMIT_VM_SLOTS];
    struct dfr_fold_state folds[DFR_LIMIT_FOLD_DEPTH];
    uint32_t fold_count;
};

/* The next row into its slot; false when there is none, or none matters. */
static bool next_row(struct dfr_fold_state *s, struct dfr_tv *slot)
{
    if (s->over || s->rows.bad || s->at >= s->rows.count)
        return false;
    *slot = s->row = (struct dfr_tv){.v = dfr_vm_row(s->rows.table, s->rows.first + s->at)};
    return true;
}

/* Returns the offset to go on at; the result of a quantifier that ends is in *sp. */
static uint32_t begin_fold(struct dfr_vm *vm, struct activation *act, const uint32_t *w,
                           uint32_t at_word, struct dfr_tv *sp, bool *ret_ended)
{
    uint32_t kind = dfr_fold_kind(dfr_word_operand(w[0])),
             slot = dfr_fold_slot(dfr_word_operand(w[0]));
    struct dfr_fold_state *s = &act->folds[act->fold_count];
    dfr_fold_begin(vm, s, kind, w[1]);
    s->rows = dfr_vm_rows(vm, sp,
                          kind == DFR_FOLD_COUNT   ? DFR_KIND_INT
                          : kind == DFR_FOLD_FIRST ? DFR_KIND_ROW
                                                   : DFR_KIND_BOOL);
    if (s->rows.bad && sp->v.state == DFR_ABSENT && kind == DFR_FOLD_FIRST)
        s->rows.unknown.v.state = DFR_ABSENT;
    if (next_row(s, &act->slots[slot])) {
        act->fold_count++;
        *ret_ended = false;
        return at_word + 3;
    }
    *sp = dfr_fold_end(vm, s);
    *ret_ended = true;
    return w[2];
}

void dfr_vm_run(struct dfr_vm *vm, uint32_t chunk, const struct dfr_tv *args, struct dfr_tv *sp)
{
    const struct dfr_program *p = vm->p;
    const struct dfr_pchunk *c = &p->chunks.v[chunk];
    const uint32_t *code = p->code.v + c->first;
    struct dfr_tv *const base = sp;
    struct activation act;
    uint32_t gathered = vm->gathered.n, skip;
    act.fold_count = 0;
    act.slots[0] = vm->row;
    bool ended;
    for (uint32_t at_word = 0; at_word < c->count;) {
        const uint32_t *w = code + at_word;
        const uint32_t op = dfr_word_op(*w), o = dfr_word_operand(*w);
        if (++vm->steps > vm->limit)
            break;
        at_word++;
        switch ((enum dfr_op)op) {
        case DFR_OP_CONST:
            *sp++ = (struct dfr_tv){.v = vm->e->consts[o]};
            break;
        case DFR_OP_SCALAR:
            *sp++ = dfr_vm_scalar(vm, o);
            break;
        case DFR_OP_TABLE:
            *sp++ = list_value(o, vm->f->tables[o].n);
            break;
        case DFR_OP_LISTREF:
            *sp++ = list_value(DFR_T_COUNT + o, p->lists.v[o].rows);
            break;
        case DFR_OP_VAR:
            *sp++ = act.slots[o];
            break;
        case DFR_OP_ARG:
            *sp++ = args[o];
            break;
        case DFR_OP_LET:
            *sp = let(vm, o, sp);
            sp++;
            break;
        case DFR_OP_FACT:
            *sp = fact(vm, o, sp);
            sp++;
            break;
        case DFR_OP_CALL: {
            const struct dfr_tv *from = sp - p->fns.v[o].args;
            dfr_vm_run(vm, p->fns.v[o].chunk, from, sp);
            struct dfr_tv result = *sp;
            sp -= p->fns.v[o].args;
            *sp++ = result;
            break;
        }
        case DFR_OP_BUILTIN: {
            sp -= dfr_builtin_info(o)->args;
            *sp = dfr_vm_builtin(vm, o, sp);
            sp++;
            break;
        }
        case DFR_OP_COLUMN:
            sp[-1] = column(vm, &sp[-1], o);
            break;
        case DFR_OP_RECORD:
            sp[-1] = record(vm, &sp[-1], o);
            break;
        case DFR_OP_MODCELL:
            sp[-1] = dfr_vm_module_cell(vm, o, &sp[-1]);
            break;
        case DFR_OP_SYMPART:
            sp[-1] = symbol_part(vm, &sp[-1], o);
            break;
        case DFR_OP_COMPLETE:
            sp[-1] = complete(vm, &sp[-1]);
            break;
        case DFR_OP_AT:
            sp--;
            sp[-1] = at(vm, &sp[-1], &sp[0]);
            break;
        case DFR_OP_EQ:
        case DFR_OP_NE:
        case DFR_OP_LT:
        case DFR_OP_LE:
        case DFR_OP_GT:
        case DFR_OP_GE:
            sp--;
            sp[-1] = dfr_tv_compare(vm, (enum dfr_op)op, &sp[-1], &sp[0]);
            break;
        case DFR_OP_IN:
            sp--;
            sp[-1] = dfr_vm_in(vm, &sp[-1], &sp[0]);
            break;
        case DFR_OP_IN_RANGE:
            sp -= 2;
            sp[-1] = in_range(vm, &sp[-1]);
            break;
        case DFR_OP_MATCHES:
            sp[-1] = dfr_vm_matches(vm, &sp[-1], o);
            break;
        case DFR_OP_CONTAINS:
            sp--;
            sp[-1] = dfr_vm_contains(vm, &sp[-1], &sp[0]);
            break;
        case DFR_OP_HAS:
            sp[-1] = dfr_vm_has(vm, &sp[-1], o);
            break;
        case DFR_OP_HAS_SEQ:
            sp[-1] = dfr_vm_has_seq(vm, &sp[-1], o);
            break;
        case DFR_OP_AND_SKIP:
        case DFR_OP_OR_SKIP:
            skip = op == DFR_OP_AND_SKIP ? DFR_FALSE : DFR_TRUE;
            if (!vm->full && dfr_tv_tri(&sp[-1]) == (enum dfr_tri)skip)
                at_word = o;
            break;
        case DFR_OP_AND:
            sp--;
            sp[-1] = dfr_tv_and(vm, &sp[-1], &sp[0]);
            break;
        case DFR_OP_OR:
            sp--;
            sp[-1] = dfr_tv_or(vm, &sp[-1], &sp[0]);
            break;
        case DFR_OP_NOT:
            sp[-1] = dfr_tv_not(&sp[-1]);
            break;
        case DFR_OP_COALESCE:
            sp--;
            if (sp[-1].v.state == DFR_ABSENT)
                sp[-1] = sp[0];
            break;
        case DFR_OP_IS_ABSENT:
            sp[-1] = is_absent(&sp[-1]);
            break;
        case DFR_OP_IS_KNOWN:
        case DFR_OP_IS_UNKNOWN:
            sp[-1] = state_is(vm, op, &sp[-1]);
            break;
        case DFR_OP_ADD:
        case DFR_OP_SUB:
        case DFR_OP_MUL:
        case DFR_OP_DIV:
        case DFR_OP_MOD:
        case DFR_OP_BAND:
        case DFR_OP_BOR:
        case DFR_OP_BXOR:
        case DFR_OP_SHL:
        case DFR_OP_SHR:
            sp--;
            sp[-1] = dfr_tv_arith(vm, (enum dfr_op)op, &sp[-1], &sp[0]);
            break;
        case DFR_OP_NEG:
        case DFR_OP_BNOT:
            sp[-1] = dfr_tv_unary(vm, (enum dfr_op)op, &sp[-1]);
            break;
        case DFR_OP_FOLD:
            at_word = begin_fold(vm, &act, w, at_word - 1, sp - 1, &ended);
            sp -= !ended;
            break;
        case DFR_OP_NEXT: {
            struct dfr_fold_state *s = &act.folds[act.fold_count - 1];
            dfr_fold_row(vm, s, &sp[-1]);
            if (next_row(s, &act.slots[dfr_fold_slot(dfr_word_operand(code[o - 3]))])) {
                sp--;
                at_word = o;
            } else {
                sp[-1] = dfr_fold_end(vm, s);
                act.fold_count--;
            }
            break;
        }
        case DFR_OP_OF:
            sp -= w[2];
            *sp = fold_of(vm, w, sp);
            sp++;
            at_word += 2;
            break;
        case DFR_OP_RET:
            *base = sp[-1];
            return;
        case DFR_OP_COUNT:
            break;
        }
    }
    /* Only a spent budget leads here. */
    vm->gathered.n = gathered;
    *base = dfr_tv_error(DFR_KIND_BOOL, DFR_REASON_BUDGET);
}

struct dfr_tv dfr_vm_value(struct dfr_vm *vm, uint32_t chunk)
{
    dfr_vm_run(vm, chunk, NULL, vm->stack);
    return vm->stack[0];
}
