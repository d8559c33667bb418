/* Quantifiers: `or`, `and` and counting over rows, of which an incomplete list has more that nobody
 * has seen. The sets of the rows are gathered and joined once, at the end. */
#include "vm/vm.h"

void dfr_fold_begin(struct dfr_vm *vm, struct dfr_fold_state *s, uint32_t kind, uint32_t threshold)
{
    *s = (struct dfr_fold_state){.kind = kind,
                                 .threshold = threshold,
                                 .true_worst = DFR_TRUST_BINARY,
                                 .false_worst = DFR_TRUST_BINARY,
                                 .gather_from = vm->gathered.n};
}

static void gather(struct dfr_vm *vm, const struct dfr_fold_state *s, enum dfr_gathered cls,
                   const struct dfr_tv *v)
{
    if (!vm->full || (!v->missing && !v->origin))
        return;
    struct dfr_gather g = {cls, v->missing, v->origin};
    if (vm->gathered.n > s->gather_from) {
        const struct dfr_gather *last = &vm->gathered.v[vm->gathered.n - 1];
        if (last->cls == g.cls && last->missing == g.missing && last->origin == g.origin)
            return;
    }
    *DFR_PUSH(vm->a, &vm->gathered) = g;
}

void dfr_fold_row(struct dfr_vm *vm, struct dfr_fold_state *s, const struct dfr_tv *v)
{
    enum dfr_tri t = dfr_tv_tri(v);
    s->at++;
    if (t == DFR_TRUE) {
        s->trues++;
        s->true_best = v->v.trust > s->true_best ? v->v.trust : s->true_best;
        s->true_worst = v->v.trust < s->true_worst ? v->v.trust : s->true_worst;
        gather(vm, s, DFR_GATHER_TRUE, v);
    } else if (t == DFR_FALSE) {
        s->false_best = v->v.trust > s->false_best ? v->v.trust : s->false_best;
        s->false_worst = v->v.trust < s->false_worst ? v->v.trust : s->false_worst;
        gather(vm, s, DFR_GATHER_FALSE, v);
    } else {
        uint8_t reason = v->v.state == DFR_KNOWN ? DFR_REASON_BAD_TYPE : v->v.reason;
        s->open_reason = dfr_reason_join(s->open_reason, reason);
        s->opens++;
        gather(vm, s, DFR_GATHER_OPEN, v);
    }
    /* `first` needs no row behind the one it found; the others stop early in the first pass. */
    if (s->kind == DFR_FOLD_FIRST)
        s->over = s->found = t == DFR_TRUE;
    else if (!vm->full)
        s->over = (s->kind == DFR_FOLD_ANY || s->kind == DFR_FOLD_NONE) ? t == DFR_TRUE
                  : s->kind == DFR_FOLD_ALL                             ? t == DFR_FALSE
                  : s->kind == DFR_FOLD_AT_LEAST                        ? s->trues >= s->threshold
                                                                        : false;
}

/* The union over gathered rows of some classes: of their missing facts, or of their cells. */
static uint32_t join(struct dfr_vm *vm, const struct dfr_fold_state *s, unsigned classes,
                     bool missing)
{
    if (!vm->full)
        return 0;
    vm->items.n = 0;
    uint32_t one = 0;
    bool several = false;
    for (uint32_t i = s->gather_from; i < vm->gathered.n; i++) {
        const struct dfr_gather *g = &vm->gathered.v[i];
        uint32_t set = missing ? g->missing : g->origin, n;
        if (!(classes & 1u << g->cls) || !set)
            continue;
        several = several || (one && one != set);
        one = set;
        const uint32_t *items = dfr_sets_items(vm->out->sets, set, &n);
        vm->steps += n / 4;
        for (uint32_t k = 0; k < n && !dfr_vm_spent(vm); k++)
            *DFR_PUSH(vm->a, &vm->items) = items[k];
    }
    return several ? dfr_sets_of(vm->out->sets, vm->items.v, vm->items.n) : one;
}

enum {
    OPEN = 1u << DFR_GATHER_OPEN,
    TRUES = 1u << DFR_GATHER_TRUE,
    FALSES = 1u << DFR_GATHER_FALSE
};

static struct dfr_tv decided(struct dfr_vm *vm, const struct dfr_fold_state *s, bool b, unsigned by,
                             uint8_t trust)
{
    struct dfr_tv r = {.v = dfr_v_bool(b)};
    r.v.trust = trust;
    r.origin = join(vm, s, by, false);
    return r;
}

static struct dfr_tv undecided(struct dfr_vm *vm, const struct dfr_fold_state *s,
                               enum dfr_kind kind)
{
    uint8_t reason = s->open_reason;
    if (s->rows.open)
        reason = dfr_reason_join(reason, DFR_REASON_NOT_LISTED);
    struct dfr_tv r = dfr_tv_error(kind, (enum dfr_reason)reason);
    r.missing = join(vm, s, OPEN, true);
    if (s->rows.open && !s->found)
        r.missing = dfr_vm_union(vm, r.missing, s->rows.missing);
    r.origin = join(vm, s, OPEN | TRUES | FALSES, false);
    return r;
}

/* A result that rests on there being no more rows also rests on the table's completeness, which
 * only its reader vouches for. */
static struct dfr_tv by_completeness(struct dfr_vm *vm, const struct dfr_fold_state *s,
                                     struct dfr_tv r)
{
    if (s->rows.table < DFR_T_COUNT) {
        r.origin = dfr_vm_union(vm, r.origin,
                                dfr_vm_cell(vm, dfr_table_info(s->rows.table)->field, DFR_NONE));
        if (r.v.trust > DFR_TRUST_DEBUGGER)
            r.v.trust = DFR_TRUST_DEBUGGER;
    }
    return r;
}

static struct dfr_tv at_least(struct dfr_vm *vm, const struct dfr_fold_state *s, uint32_t n,
                              bool negate)
{
    if (s->trues >= n)
        return decided(vm, s, !negate, TRUES, n <= 1 ? s->true_best : s->true_worst);
    if (s->rows.open || s->opens >= n - s->trues)
        return undecided(vm, s, DFR_KIND_BOOL);
    return by_completeness(vm, s, decided(vm, s, negate, FALSES, s->false_worst));
}

static struct dfr_tv all(struct dfr_vm *vm, const struct dfr_fold_state *s)
{
    if (s->trues + s->opens < s->at)
        return decided(vm, s, false, FALSES, s->false_best);
    if (s->rows.open || s->opens)
        return undecided(vm, s, DFR_KIND_BOOL);
    return by_completeness(vm, s, decided(vm, s, true, TRUES, s->true_worst));
}

static struct dfr_tv count(struct dfr_vm *vm, const struct dfr_fold_state *s)
{
    struct dfr_tv r = dfr_tv_of(dfr_v_int(s->trues));
    r.v.as.n.hi = s->rows.open ? INT64_MAX : (int64_t)s->trues + s->opens;
    r.v.trust = s->true_worst < s->false_worst ? s->true_worst : s->false_worst;
    r.origin = join(vm, s, TRUES | FALSES, false);
    if (r.v.as.n.lo != r.v.as.n.hi) {
        r.missing = undecided(vm, s, DFR_KIND_INT).missing;
        r.v.reason = dfr_reason_join(s->open_reason, DFR_REASON_NOT_LISTED);
        return r;
    }
    return by_completeness(vm, s, r);
}

static struct dfr_tv first(struct dfr_vm *vm, const struct dfr_fold_state *s)
{
    if (s->opens || (!s->found && s->rows.open))
        return undecided(vm, s, DFR_KIND_ROW);
    struct dfr_tv r = {.v = dfr_v_absent(DFR_KIND_ROW, DFR_REASON_NO_SUCH_ROW)};
    if (s->found) {
        r.v = s->row.v;
        r.v.trust = s->true_worst < s->false_worst ? s->true_worst : s->false_worst;
        r.origin = dfr_vm_union(vm, join(vm, s, TRUES, false), s->row.origin);
        return r;
    }
    r.v.trust = s->false_worst;
    r.origin = join(vm, s, FALSES, false);
    return by_completeness(vm, s, r);
}

struct dfr_tv dfr_fold_end(struct dfr_vm *vm, struct dfr_fold_state *s)
{
    struct dfr_tv r;
    if (s->rows.bad)
        r = s->rows.unknown;
    else if (s->kind == DFR_FOLD_ALL)
        r = all(vm, s);
    else if (s->kind == DFR_FOLD_COUNT)
        r = count(vm, s);
    else if (s->kind == DFR_FOLD_FIRST)
        r = first(vm, s);
    else
        r = at_least(vm, s, s->kind == DFR_FOLD_AT_LEAST ? s->threshold : 1,
                     s->kind == DFR_FOLD_NONE);
    vm->gathered.n = s->gather_from;
    return r;
}
