/* Which rules to run at all: by bug check code, first argument, and one frame or module that a rule
 * cannot do without. Three levels of sorted keys; at each one, what is not known leads everywhere. */
#include <stdlib.h>

#include "vm/vm.h"

struct group { /* rules with the same keys */
    uint32_t kind, module, func;
    uint32_t first, count; /* of rules */
};
struct bucket { /* one argument of one code */
    bool any;
    uint64_t arg;
    uint32_t groups, group_count;
    uint32_t frames, frame_count; /* of groups: those that need a frame */
    uint32_t modules, module_count;
};
struct code_key {
    uint64_t key;          /* 0: any code; else code + 1 */
    uint32_t first, count; /* of buckets */
};

struct dfr_rule_index {
    DFR_VEC(struct code_key) codes;
    DFR_VEC(struct bucket) buckets;
    DFR_VEC(struct group) groups;
    uint32_t *rules;
    struct dfr_names modules; /* that rules need, canonical */
};

/* --- Building --- */

struct entry {
    uint64_t code, arg;
    uint32_t any_arg; /* 0 sorts before 1 */
    uint32_t kind, module, func, rule;
};

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_key(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    int c = order(a->code, b->code);
    c = c ? c : order(b->any_arg, a->any_arg);
    c = c ? c : order(a->arg, b->arg);
    c = c ? c : order(a->kind, b->kind);
    c = c ? c : order(a->module, b->module);
    c = c ? c : order(a->func, b->func);
    return c ? c : order(a->rule, b->rule);
}

static void set_atom(struct dfr_rule_index *x, const struct dfr_engine *e,
                     const struct dfr_prule *r, struct entry *ret)
{
    const struct dfr_program *p = e->p;
    ret->kind = DFR_ATOM_NONE;
    if (r->atom_kind == DFR_ATOM_FRAME && p->patterns.v[r->atom].kind == DFR_PATTERN_EXACT) {
        ret->kind = DFR_ATOM_FRAME;
        ret->module = e->patterns[r->atom].module;
        ret->func = e->patterns[r->atom].func;
    } else if (r->atom_kind == DFR_ATOM_MODULE) {
        const struct dfr_pconst *c = &p->consts.v[r->atom];
        struct dfr_str name = dfr_program_text(p, (struct dfr_ptext){c->word[0], c->word[1]});
        if (!name.len || dfr_str_find(name, DFR_STR("*")) != SIZE_MAX ||
            dfr_str_find(name, DFR_STR("?")) != SIZE_MAX)
            return;
        ret->kind = DFR_ATOM_MODULE;
        ret->module = dfr_names_add(&x->modules, dfr_vm_canonical_module(name));
    }
}

static void add_levels(struct dfr_arena *a, struct dfr_rule_index *x, const struct entry *v,
                       uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct entry *e = &v[i], *last = i ? &v[i - 1] : NULL;
        bool new_code = !last || last->code != e->code;
        bool new_arg = new_code || last->any_arg != e->any_arg || last->arg != e->arg;
        bool new_group =
            new_arg || last->kind != e->kind || last->module != e->module || last->func != e->func;
        if (new_code)
            *DFR_PUSH(a, &x->codes) = (struct code_key){e->code, x->buckets.n, 0};
        if (new_arg) {
            *DFR_PUSH(a, &x->buckets) =
                (struct bucket){.any = e->any_arg != 0, .arg = e->arg, .groups = x->groups.n};
            x->codes.v[x->codes.n - 1].count++;
        }
        struct bucket *b = &x->buckets.v[x->buckets.n - 1];
        if (new_group) {
            *DFR_PUSH(a, &x->groups) = (struct group){e->kind, e->module, e->func, i, 0};
            uint32_t g = x->groups.n - 1;
            b->group_count++;
            if (e->kind == DFR_ATOM_FRAME && !b->frame_count++)
                b->frames = g;
            if (e->kind == DFR_ATOM_MODULE && !b->module_count++)
                b->modules = g;
        }
        x->groups.v[x->groups.n - 1].count++;
        x->rules[i] = e->rule;
    }
}

struct dfr_rule_index *dfr_index_new(struct dfr_arena *a, const struct dfr_engine *e)
{
    const struct dfr_program *p = e->p;
    struct dfr_rule_index *x = DFR_NEW(a, struct dfr_rule_index);
    dfr_names_init(&x->modules, a, true);
    DFR_VEC(struct entry) entries = {0};
    for (uint32_t i = 0; i < p->rules.n; i++) {
        const struct dfr_prule *r = &p->rules.v[i];
        struct entry k = {.rule = i, .any_arg = !r->has_arg1};
        if (r->has_arg1)
            k.arg = (uint64_t)r->arg1_hi << 32 | r->arg1_lo;
        set_atom(x, e, r, &k);
        if (!r->code_count)
            *DFR_PUSH(a, &entries) = k;
        for (uint32_t c = 0; c < r->code_count; c++) {
            k.code = (uint64_t)p->gate_codes.v[r->codes + c] + 1;
            *DFR_PUSH(a, &entries) = k;
        }
    }
    if (entries.n)
        qsort(entries.v, entries.n, sizeof *entries.v, by_key);
    x->rules = DFR_NEW_N(a, entries.n, uint32_t);
    add_levels(a, x, entries.v, entries.n);
    return x;
}

/* --- Asking --- */

struct ask {
    struct dfr_vm *vm;
    const struct dfr_rule_index *x;
    uint64_t *wanted; /* a bit per rule */
    uint32_t count;
    bool frames_known; /* the stack is complete and every frame has a module */
    const struct dfr_frames *frames;
};

static void take(struct ask *q, const struct group *g)
{
    for (uint32_t i = 0; i < g->count; i++) {
        uint32_t rule = q->x->rules[g->first + i];
        uint64_t bit = (uint64_t)1 << (rule % 64);
        q->count += !(q->wanted[rule / 64] & bit);
        q->wanted[rule / 64] |= bit;
    }
}

static void take_all(struct ask *q, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        take(q, &q->x->groups.v[first + i]);
}

/* First of `count` sorted groups that is not before (module, func). */
static uint32_t lower(const struct group *g, uint32_t count, uint32_t module, uint32_t func)
{
    uint32_t from = 0;
    while (count) {
        uint32_t half = count / 2;
        const struct group *m = &g[from + half];
        if (m->module < module || (m->module == module && m->func < func)) {
            from += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return from;
}

static void take_frames(struct ask *q, const struct bucket *b)
{
    if (!q->frames_known) {
        take_all(q, b->frames, b->frame_count);
        return;
    }
    const struct group *g = &q->x->groups.v[b->frames];
    for (uint32_t i = 0; i < q->frames->n; i++) {
        const struct dfr_frame *f = &q->frames->v[i];
        if (f->nowhere || !f->module_id || (f->has_func && !f->func_id))
            continue;
        /* Without a function name it may be any that a rule needs of this module. */
        uint32_t k = lower(g, b->frame_count, f->module_id, f->func_id);
        for (; k < b->frame_count && g[k].module == f->module_id &&
               (!f->has_func || g[k].func == f->func_id);
             k++)
            take(q, &g[k]);
    }
}

static void take_listed(struct ask *q, const struct bucket *b, uint32_t column, uint32_t row)
{
    const struct dfr_value *v = dfr_facts_at(q->vm->f, column, row);
    if (v->state != DFR_KNOWN)
        return;
    uint32_t id = dfr_names_find(&q->x->modules, dfr_vm_canonical_module(dfr_value_str(v)));
    if (!id)
        return;
    const struct group *g = &q->x->groups.v[b->modules];
    uint32_t k = lower(g, b->module_count, id, 0);
    if (k < b->module_count && g[k].module == id)
        take(q, &g[k]);
}

static void take_modules(struct ask *q, const struct bucket *b)
{
    const struct dfr_rows *modules = &q->vm->f->tables[DFR_T_MODULES];
    if (!modules->complete) {
        take_all(q, b->modules, b->module_count);
        return;
    }
    if (b->module_count <= modules->n) {
        for (uint32_t i = 0; i < b->module_count; i++) {
            const struct group *g = &q->x->groups.v[b->modules + i];
            if (dfr_facts_find_module(q->vm->f, q->x->modules.text[g->module]) != UINT32_MAX)
                take(q, g);
        }
        return;
    }
    for (uint32_t row = 0; row < modules->n; row++) {
        take_listed(q, b, DFR_F_MODULES_NAME, row);
        take_listed(q, b, DFR_F_MODULES_IMAGE, row);
    }
}

static void look_at_frames(struct ask *q)
{
    if (q->frames)
        return;
    q->frames = dfr_vm_frames(q->vm, DFR_T_STACK);
    q->frames_known = q->vm->f->tables[DFR_T_STACK].complete;
    for (uint32_t i = 0; q->frames_known && i < q->frames->n; i++)
        q->frames_known = q->frames->v[i].has_module || q->frames->v[i].nowhere;
}

static void take_bucket(struct ask *q, const struct bucket *b)
{
    uint32_t free = b->group_count - b->frame_count - b->module_count;
    take_all(q, b->groups, free);
    if (b->frame_count) {
        look_at_frames(q);
        take_frames(q, b);
    }
    if (b->module_count)
        take_modules(q, b);
}

static void take_code(struct ask *q, const struct code_key *c)
{
    const struct dfr_value *arg = dfr_facts_scalar(q->vm->f, DFR_F_BUGCHECK_ARG1);
    const struct bucket *b = &q->x->buckets.v[c->first];
    if (arg->state != DFR_KNOWN) {
        for (uint32_t i = 0; i < c->count; i++)
            take_bucket(q, &b[i]);
        return;
    }
    uint32_t from = 0, count = c->count;
    if (b[0].any) {
        take_bucket(q, &b[0]);
        from = 1;
        count--;
    }
    while (count) {
        uint32_t half = count / 2;
        if (b[from + half].arg == arg->as.u) {
            take_bucket(q, &b[from + half]);
            return;
        }
        if (b[from + half].arg < arg->as.u) {
            from += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
}

static const struct code_key *find_code(const struct dfr_rule_index *x, uint64_t key)
{
    uint32_t from = 0, count = x->codes.n;
    while (count) {
        uint32_t half = count / 2;
        if (x->codes.v[from + half].key == key)
            return &x->codes.v[from + half];
        if (x->codes.v[from + half].key < key) {
            from += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return NULL;
}

const uint32_t *dfr_index_candidates(struct dfr_vm *vm, uint32_t *ret_n)
{
    const struct dfr_rule_index *x = vm->e->index;
    uint32_t words = vm->p->rules.n / 64 + 1;
    struct ask q = {.vm = vm, .x = x, .wanted = DFR_NEW_N(vm->a, words, uint64_t)};
    const struct dfr_value *code = dfr_facts_scalar(vm->f, DFR_F_BUGCHECK_CODE);
    if (code->state != DFR_KNOWN || code->as.n.lo != code->as.n.hi) {
        for (uint32_t i = 0; i < x->codes.n; i++)
            take_code(&q, &x->codes.v[i]);
    } else {
        const struct code_key *any = find_code(x, 0);
        const struct code_key *this = find_code(x, (uint64_t)code->as.n.lo + 1);
        if (any)
            take_code(&q, any);
        if (this && this != any)
            take_code(&q, this);
    }
    uint32_t *rules = DFR_NEW_N(vm->a, q.count, uint32_t), n = 0;
    for (uint32_t w = 0; w < words; w++)
        for (uint64_t bits = q.wanted[w]; bits; bits &= bits - 1)
            rules[n++] = w * 64 + (uint32_t)__builtin_ctzll(bits);
    *ret_n = n;
    return rules;
}
