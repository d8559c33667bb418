/* Declared lists by name: `x in list` asks a hash instead of comparing with every element. */
#include "vm/vm.h"

/* The elements of one list by the bare name of a module, which equal strings share as well. */
struct dfr_list_index {
    bool indexed;    /* every element is a known name */
    uint32_t *slots; /* row + 1; 0: free */
    uint32_t mask;
    /* Elements with a wildcard, which every question must try. */
    struct glob {
        struct dfr_str pattern; /* the bare name of a module */
        uint32_t row;
    } * globs;
    uint32_t glob_count;
    uint32_t cost; /* most steps of one question: charged for each, so that no answer depends on
                      who asked before */
};

static uint32_t key_of(struct dfr_str name)
{
    return (uint32_t)dfr_str_hash_ci(dfr_vm_canonical_module(name));
}

static const struct dfr_value *element(const struct dfr_engine *e, uint32_t list, uint32_t row)
{
    const struct dfr_plist *l = &e->p->lists.v[list];
    uint32_t c = e->p->cells.v[l->first_cell + (size_t)row * l->columns];
    return c == DFR_NONE ? NULL : &e->consts[c];
}

static struct dfr_str name_of(const struct dfr_value *v)
{
    return v->kind == DFR_KIND_MODULE ? (struct dfr_str){v->as.module.p, v->as.module.len}
                                      : dfr_value_str(v);
}

static void index_list(struct dfr_arena *a, const struct dfr_engine *e, uint32_t list,
                       struct dfr_list_index *ret)
{
    uint32_t n = e->p->lists.v[list].columns ? e->p->lists.v[list].rows : 0, slots = 8;
    for (uint32_t i = 0; i < n; i++) {
        const struct dfr_value *v = element(e, list, i);
        if (!v || v->state != DFR_KNOWN || (v->kind != DFR_KIND_STR && v->kind != DFR_KIND_MODULE))
            return;
    }
    while (slots / 2 < n)
        slots *= 2;
    ret->indexed = n > 0;
    ret->slots = DFR_NEW_N(a, slots, uint32_t);
    ret->globs = DFR_NEW_N(a, n, struct glob);
    ret->mask = slots - 1;
    for (uint32_t i = 0; i < n; i++) {
        struct dfr_str name = name_of(element(e, list, i));
        if (dfr_vm_has_wildcard(name))
            ret->globs[ret->glob_count++] = (struct glob){dfr_module_stem(name), i};
        uint32_t at = key_of(name) & ret->mask;
        while (ret->slots[at])
            at = (at + 1) & ret->mask;
        ret->slots[at] = i + 1;
    }
    uint32_t run = 0, longest = 0;
    for (uint32_t at = 0; at < 2 * slots; at++) {
        run = ret->slots[at & ret->mask] ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    ret->cost = 1 + longest + ret->glob_count;
}

struct dfr_list_index *dfr_lists_new(struct dfr_arena *a, const struct dfr_engine *e)
{
    struct dfr_list_index *ret = DFR_NEW_N(a, e->p->lists.n, struct dfr_list_index);
    for (uint32_t i = 0; i < e->p->lists.n; i++)
        index_list(a, e, i, &ret[i]);
    return ret;
}

/* Elements that share a key with `name`, and of those the one that `x` is. */
static uint32_t by_name(struct dfr_vm *vm, uint32_t list, const struct dfr_value *x,
                        struct dfr_str name)
{
    const struct dfr_list_index *index = &vm->e->lists[list];
    for (uint32_t at = key_of(name) & index->mask; index->slots[at]; at = (at + 1) & index->mask) {
        vm->steps++;
        if (dfr_vm_element_is(vm, x, element(vm->e, list, index->slots[at] - 1)) == DFR_TRUE)
            return index->slots[at] - 1;
    }
    return DFR_NONE;
}

/* A module that the dump lists may be in the list under its name or that of its image. */
static uint32_t by_listed_name(struct dfr_vm *vm, uint32_t list, const struct dfr_value *x)
{
    static const uint32_t columns[] = {DFR_F_MODULES_NAME, DFR_F_MODULES_IMAGE};
    uint32_t row = dfr_vm_module_row(vm, x), hit = DFR_NONE;
    for (size_t i = 0; row != UINT32_MAX && hit == DFR_NONE && i < 2; i++) {
        const struct dfr_value *v = dfr_facts_at(vm->f, columns[i], row);
        if (v->state == DFR_KNOWN)
            hit = by_name(vm, list, x, dfr_value_str(v));
    }
    return hit;
}

static uint32_t by_pattern(const struct dfr_list_index *index, const struct dfr_value *x)
{
    struct dfr_str name = dfr_vm_canonical_module(name_of(x));
    for (uint32_t i = 0; i < index->glob_count; i++)
        if (dfr_str_glob(index->globs[i].pattern, name, true))
            return index->globs[i].row;
    return DFR_NONE;
}

static uint32_t find(struct dfr_vm *vm, uint32_t list, const struct dfr_value *x)
{
    uint32_t hit = by_name(vm, list, x, name_of(x));
    if (hit == DFR_NONE && x->kind == DFR_KIND_MODULE)
        hit = by_listed_name(vm, list, x);
    if (hit == DFR_NONE && x->kind == DFR_KIND_MODULE)
        hit = by_pattern(&vm->e->lists[list], x);
    return hit;
}

/* What was found for each listed module: rules ask the same of the same modules over and over. */
static uint32_t *memo(struct dfr_vm *vm, uint32_t list, const struct dfr_value *x)
{
    uint32_t n = vm->f->tables[DFR_T_MODULES].n, row = x->as.module.row - 1;
    if (x->kind != DFR_KIND_MODULE || !x->as.module.row || row >= n)
        return NULL;
    if (!vm->list_memo[list])
        vm->list_memo[list] = DFR_NEW_N(vm->a, n, uint32_t);
    return &vm->list_memo[list][row];
}

bool dfr_lists_find(struct dfr_vm *vm, const struct dfr_rows_view *rows, const struct dfr_value *x,
                    uint32_t *ret_row)
{
    enum { ASKED = 2, NOWHERE = 1 }; /* 0: not asked yet */
    uint32_t list = rows->table - DFR_T_COUNT;
    if (rows->table < DFR_T_COUNT || list >= vm->p->lists.n || !vm->e->lists[list].indexed ||
        rows->first || rows->count != vm->p->lists.v[list].rows ||
        (x->kind != DFR_KIND_STR && x->kind != DFR_KIND_MODULE))
        return false;
    vm->steps += vm->e->lists[list].cost;
    uint32_t *known = memo(vm, list, x);
    if (known && *known) {
        *ret_row = *known == NOWHERE ? DFR_NONE : *known - ASKED;
        return true;
    }
    *ret_row = find(vm, list, x);
    if (known)
        *known = *ret_row == DFR_NONE ? NOWHERE : *ret_row + ASKED;
    return true;
}
