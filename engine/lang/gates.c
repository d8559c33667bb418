/* What must hold for a rule to fire, read off its clauses for the rule index: bug check codes, the
 * first argument, one symbol on the stack or one module. Only what makes the rule certainly false
 * when it is false may be used here, never what would leave it open. */
#include "lang/scope.h"

#include <stdlib.h>

enum { MOST_CODES = 64 };

struct codes {
    uint64_t v[MOST_CODES];
    uint32_t n;
    bool any; /* no restriction */
};

static uint64_t const_number(const struct dfr_typed *t)
{
    return (uint64_t)t->c.word[1] << 32 | t->c.word[0];
}

/* What a let, a derived fact or a call stands for. Arguments of a function stay unresolved: a
 * condition on one is no gate. */
static const struct dfr_typed *meaning(const struct dfr_typed *t)
{
    while (t->kind == DFR_TYPED_OP && t->body)
        t = t->body;
    return t;
}

static bool is_scalar(const struct dfr_typed *t, uint32_t field)
{
    return t->kind == DFR_TYPED_OP && t->op == DFR_OP_SCALAR && t->operand == field;
}

static bool is_const(const struct dfr_typed *t)
{
    return t->kind == DFR_TYPED_CONST && (t->c.kind == DFR_KIND_INT || t->c.kind == DFR_KIND_ADDR);
}

static bool add_code(struct codes *c, uint64_t code)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (c->v[i] == code)
            return true;
    if (c->n == MOST_CODES)
        return false;
    c->v[c->n++] = code;
    return true;
}

/* Values that `field` must have for `t` to be true; false: no such restriction. */
static bool values_of(struct dfr_cx *cx, const struct dfr_typed *t, uint32_t field, struct codes *c)
{
    t = meaning(t);
    if (t->kind == DFR_TYPED_OR) {
        for (const struct dfr_typed *k = t->kid; k; k = k->next)
            if (!values_of(cx, k, field, c))
                return false;
        return true;
    }
    if (t->kind == DFR_TYPED_AND) { /* one restricted operand is enough */
        for (const struct dfr_typed *k = t->kid; k; k = k->next) {
            struct codes one = *c;
            if (values_of(cx, k, field, &one)) {
                *c = one;
                return true;
            }
        }
        return false;
    }
    if (t->kind != DFR_TYPED_OP || !t->kid || !is_scalar(t->kid, field))
        return t->kind == DFR_TYPED_OP && t->op == DFR_OP_EQ && is_const(t->kid) &&
               is_scalar(t->kid->next, field) && add_code(c, const_number(t->kid));
    const struct dfr_typed *to = t->kid->next;
    if (t->op == DFR_OP_EQ)
        return is_const(to) && add_code(c, const_number(to));
    if (t->op == DFR_OP_IN_RANGE && is_const(to) && is_const(to->next)) {
        uint64_t low = const_number(to), high = const_number(to->next);
        if (low > high || high - low >= MOST_CODES)
            return false;
        for (uint64_t x = low; x <= high; x++)
            if (!add_code(c, x))
                return false;
        return true;
    }
    if (t->op != DFR_OP_IN || to->kind != DFR_TYPED_OP || to->op != DFR_OP_LISTREF)
        return false;
    const struct dfr_list *l = cx->lists.v[to->operand];
    struct dfr_env env = {.cx = cx, .rule = DFR_NONE};
    for (uint32_t i = 0; i < l->rows; i++) {
        /* The cells of a declared list are still literals. */
        struct dfr_typed *cell =
            l->cells[i] ? dfr_typed_try(&env, l->cells[i], l->columns[0].type) : NULL;
        if (!cell || !is_const(cell) || !add_code(c, const_number(cell)))
            return false;
    }
    return l->rows > 0;
}

static void intersect(struct codes *a, const struct codes *b)
{
    if (a->any) {
        *a = *b;
        return;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t k = 0; k < b->n; k++)
            if (a->v[i] == b->v[k]) {
                a->v[n++] = a->v[i];
                break;
            }
    a->n = n;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* known(module("x")): false wherever `modules` is complete and lacks it. */
static uint32_t module_atom(const struct dfr_typed *t, struct dfr_cx *cx)
{
    if (t->kind != DFR_TYPED_OP || t->op != DFR_OP_IS_KNOWN)
        return DFR_NONE;
    const struct dfr_typed *call = t->kid;
    if (call->kind != DFR_TYPED_OP || call->op != DFR_OP_BUILTIN || call->operand != DFR_B_MODULE ||
        call->kid->kind != DFR_TYPED_CONST)
        return DFR_NONE;
    struct dfr_pconst name = call->kid->c;
    name.kind = DFR_KIND_MODULE;
    return dfr_build_const(&cx->b, name);
}

static bool is_whole_stack(const struct dfr_typed *t)
{
    return t->kind == DFR_TYPED_OP && t->op == DFR_OP_TABLE && t->operand == DFR_T_STACK;
}

/* True when the search may end: a frame is the best there is. */
static bool find_atom(struct dfr_cx *cx, struct dfr_prule *r, const struct dfr_typed *t)
{
    t = meaning(t);
    if (t->kind == DFR_TYPED_AND) {
        for (const struct dfr_typed *k = t->kid; k; k = k->next)
            if (find_atom(cx, r, k))
                return true;
        return false;
    }
    if (t->kind != DFR_TYPED_OP || !t->kid)
        return false;
    if (t->op == DFR_OP_HAS && is_whole_stack(t->kid)) {
        r->atom_kind = DFR_ATOM_FRAME;
        r->atom = t->operand;
        return true;
    }
    if (t->op == DFR_OP_HAS_SEQ && is_whole_stack(t->kid)) {
        const struct dfr_pseq *s = &cx->p->seqs.v[t->operand];
        r->atom_kind = DFR_ATOM_FRAME;
        r->atom = cx->p->seq_patterns.v[s->first];
        return true;
    }
    uint32_t module = module_atom(t, cx);
    if (module != DFR_NONE) {
        r->atom_kind = DFR_ATOM_MODULE;
        r->atom = module;
    }
    return false;
}

void dfr_gates(struct dfr_cx *cx, struct dfr_decl *d, struct dfr_prule *r,
               struct dfr_typed *const *clauses, uint32_t n)
{
    struct dfr_program *p = cx->p;
    struct codes codes = {.any = true}, arg1 = {.any = true};
    for (uint32_t i = 0; i < n; i++) {
        struct codes one = {0};
        if (values_of(cx, clauses[i], DFR_F_BUGCHECK_CODE, &one))
            intersect(&codes, &one);
        one = (struct codes){0};
        if (values_of(cx, clauses[i], DFR_F_BUGCHECK_ARG1, &one))
            intersect(&arg1, &one);
    }
    if ((!codes.any && !codes.n) || (!arg1.any && !arg1.n))
        dfr_cx_diag(cx, d->source, DFR_D_NEVER, d->node->name.loc,
                    "the conditions of this rule exclude each other, so it can never fire");
    r->codes = p->gate_codes.n;
    for (uint32_t i = 0; i < codes.n && !codes.any; i++)
        if (codes.v[i] <= UINT32_MAX)
            *DFR_PUSH(p->arena, &p->gate_codes) = (uint32_t)codes.v[i];
    r->code_count = p->gate_codes.n - r->codes;
    if (r->code_count > 1)
        qsort(p->gate_codes.v + r->codes, r->code_count, sizeof *p->gate_codes.v, by_value);
    if (!arg1.any && arg1.n == 1) {
        r->has_arg1 = 1;
        r->arg1_lo = (uint32_t)arg1.v[0];
        r->arg1_hi = (uint32_t)(arg1.v[0] >> 32);
    }
    for (uint32_t i = 0; i < n && !find_atom(cx, r, clauses[i]); i++)
        ;
}
