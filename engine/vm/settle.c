/* Gives missing facts and cells numbers in an order of their own, so that results do not show in
 * which order rules ran, or which rules ran besides. */
#include <stdlib.h>

#include "vm/vm.h"

struct settling {
    struct dfr_vm *vm;
    bool *sets, *missing, *cells; /* in use */
};

static void mark_set(struct settling *s, uint32_t set)
{
    if (s->sets[set])
        return;
    s->sets[set] = true;
    uint32_t n;
    const uint32_t *items = dfr_sets_items(s->vm->out->sets, set, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (items[i] & DFR_SET_CELL)
            s->cells[items[i] & ~DFR_SET_CELL] = true;
        else
            s->missing[items[i]] = true;
    }
}

static void mark(struct settling *s, const struct dfr_tv *t)
{
    mark_set(s, t->missing);
    mark_set(s, t->origin);
}

static void mark_hit(struct settling *s, const struct dfr_hit *h)
{
    mark(s, &h->when);
    mark(s, &h->unless);
    mark(s, &h->subject);
    for (uint32_t i = 0; i < s->vm->p->rules.v[h->rule].clause_count; i++)
        mark(s, &h->clauses[i]);
    for (uint32_t i = 0; i < h->item_count; i++)
        mark(s, &h->items[i].truth);
    for (uint32_t i = 0; i < h->advice_count; i++) {
        mark(s, &h->advice[i].condition);
        mark(s, &h->advice[i].subject);
        mark_set(s, h->advice[i].missing);
    }
    for (uint32_t i = 0; i < h->collect_count; i++) {
        mark(s, &h->collect[i].condition);
        mark_set(s, h->collect[i].missing);
    }
}

struct keyed_missing {
    struct dfr_missing m;
    uint32_t old;
};
struct keyed_cell {
    struct dfr_cell_ref c;
    uint32_t old;
};

static int compare(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int missing_order(const void *x, const void *y)
{
    const struct dfr_missing *a = &((const struct keyed_missing *)x)->m;
    const struct dfr_missing *b = &((const struct keyed_missing *)y)->m;
    int c = compare(a->field, b->field);
    c = c ? c : dfr_str_cmp(a->param, b->param);
    c = c ? c : compare(a->reason, b->reason);
    return c ? c : compare(a->place, b->place);
}

static int cell_order(const void *x, const void *y)
{
    const struct dfr_cell_ref *a = &((const struct keyed_cell *)x)->c;
    const struct dfr_cell_ref *b = &((const struct keyed_cell *)y)->c;
    int c = compare(a->field, b->field);
    return c ? c : compare(a->row, b->row);
}

static uint32_t *settle_missing(struct settling *s)
{
    struct dfr_eval *out = s->vm->out;
    struct keyed_missing *v = DFR_NEW_N(s->vm->a, out->missing.n, struct keyed_missing);
    uint32_t *map = DFR_NEW_N(s->vm->a, out->missing.n, uint32_t), n = 0;
    for (uint32_t i = 0; i < out->missing.n; i++) {
        map[i] = DFR_NONE;
        if (s->missing[i])
            v[n++] = (struct keyed_missing){out->missing.v[i], i};
    }
    if (n)
        qsort(v, n, sizeof *v, missing_order);
    for (uint32_t i = 0; i < n; i++) {
        out->missing.v[i] = v[i].m;
        map[v[i].old] = i;
    }
    out->missing.n = n;
    return map;
}

static uint32_t *settle_cells(struct settling *s)
{
    struct dfr_eval *out = s->vm->out;
    struct keyed_cell *v = DFR_NEW_N(s->vm->a, out->cells.n, struct keyed_cell);
    uint32_t *map = DFR_NEW_N(s->vm->a, out->cells.n, uint32_t), n = 0;
    for (uint32_t i = 0; i < out->cells.n; i++) {
        map[i] = DFR_NONE;
        if (s->cells[i])
            v[n++] = (struct keyed_cell){out->cells.v[i], i};
    }
    if (n)
        qsort(v, n, sizeof *v, cell_order);
    for (uint32_t i = 0; i < n; i++) {
        out->cells.v[i] = v[i].c;
        map[v[i].old] = i;
    }
    out->cells.n = n;
    return map;
}

void dfr_vm_settle(struct dfr_vm *vm)
{
    struct settling s = {.vm = vm};
    s.sets = DFR_NEW_N(vm->a, dfr_sets_count(vm->out->sets), bool);
    s.missing = DFR_NEW_N(vm->a, vm->out->missing.n, bool);
    s.cells = DFR_NEW_N(vm->a, vm->out->cells.n, bool);
    for (uint32_t i = 0; i < vm->out->hits.n; i++)
        mark_hit(&s, &vm->out->hits.v[i]);
    dfr_vm_settle_readings(vm, s.cells);
    const uint32_t *map = settle_missing(&s), *map_cells = settle_cells(&s);
    dfr_sets_renumber(vm->out->sets, map, map_cells);
}
