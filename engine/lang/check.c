/* Types of expressions: operators and quantifiers. */
#include "lang/scope.h"

#include <string.h>

static struct dfr_typed *error_at(struct dfr_env *env, const struct dfr_expr *e)
{
    return dfr_typed_error(env->cx, e->loc);
}

static bool is_error(const struct dfr_typed *t)
{
    return t->kind == DFR_TYPED_ERROR;
}

struct dfr_typed *dfr_typed_wrong(struct dfr_env *env, const struct dfr_typed *t, const char *needs)
{
    dfr_cx_diag(env->cx, env->source, DFR_D_TYPE, t->loc, "%s, this is %s", needs,
                dfr_type_name_of(env->cx, t->type));
    return dfr_typed_error(env->cx, t->loc);
}

struct dfr_typed *dfr_check_as(struct dfr_env *env, const struct dfr_expr *e, struct dfr_type want,
                               const char *place)
{
    return dfr_typed_fit(env, dfr_check_expr(env, e), want, place);
}

struct dfr_typed *dfr_check_bool(struct dfr_env *env, const struct dfr_expr *e)
{
    return dfr_check_as(env, e, DFR_TYPE(BOOL), "a condition");
}

/* --- Comparing ------------------------------------------------------------------------------- */

/* Give two sides one type, a literal following the other side. False: they have none in common. */
static bool pair(struct dfr_env *env, struct dfr_typed **a, struct dfr_typed **b, const char *place)
{
    if (is_error(*a) || is_error(*b))
        return false;
    if ((*a)->literal && !(*b)->literal) {
        *a = dfr_typed_fit(env, *a, (*b)->type, place);
    } else if ((*b)->literal && !(*a)->literal) {
        *b = dfr_typed_fit(env, *b, (*a)->type, place);
    } else {
        *a = dfr_typed_settle(env, *a);
        *b = dfr_typed_settle(env, *b);
        struct dfr_typed *fits = dfr_typed_try(env, *a, (*b)->type);
        if (fits)
            *a = fits;
        else
            *b = dfr_typed_fit(env, *b, (*a)->type, place);
    }
    return !is_error(*a) && !is_error(*b);
}

static bool has_order(uint32_t kind)
{
    return kind == DFR_KIND_INT || kind == DFR_KIND_ADDR || kind == DFR_KIND_TIME ||
           kind == DFR_KIND_DUR || kind == DFR_KIND_VER;
}

static bool const_number(const struct dfr_typed *t, uint64_t *ret)
{
    if (t->kind != DFR_TYPED_CONST || (t->c.kind != DFR_KIND_INT && t->c.kind != DFR_KIND_ADDR))
        return false;
    *ret = (uint64_t)t->c.word[1] << 32 | t->c.word[0];
    return true;
}

static bool is_op(const struct dfr_typed *t, enum dfr_op op)
{
    return t->kind == DFR_TYPED_OP && t->op == op;
}

/* Does the range of the fact `a` decide how it compares with the number `b`? */
static bool out_of_range(enum dfr_op op, const struct dfr_typed *a, const struct dfr_typed *b)
{
    int64_t low, high;
    uint64_t word;
    if ((!is_op(a, DFR_OP_SCALAR) && !is_op(a, DFR_OP_COLUMN)) || a->type.kind != DFR_KIND_INT ||
        !dfr_field_range(a->operand, &low, &high) || !const_number(b, &word))
        return false;
    int64_t n = (int64_t)word;
    if (op == DFR_OP_EQ || op == DFR_OP_NE)
        return n < low || n > high;
    if (op == DFR_OP_LT || op == DFR_OP_GE)
        return n <= low || n > high;
    return n < low || n >= high;
}

/* Comparisons that the types alone decide: something else was meant. False: one was found. */
static bool can_change(struct dfr_env *env, enum dfr_op op, const struct dfr_typed *a,
                       const struct dfr_typed *b, struct dfr_loc loc)
{
    struct dfr_cx *cx = env->cx;
    uint64_t value, mask;
    if (a->kind == DFR_TYPED_CONST && b->kind == DFR_TYPED_CONST) {
        dfr_cx_diag(cx, env->source, DFR_D_NEVER, loc,
                    "both sides are literals, so this never changes");
        return false;
    }
    if (op == DFR_OP_EQ && is_op(a, DFR_OP_BAND) && const_number(b, &value) &&
        (const_number(a->kid, &mask) || const_number(a->kid->next, &mask)) && value & ~mask) {
        dfr_cx_diag(cx, env->source, DFR_D_NEVER, loc,
                    "the mask 0x%llx leaves no bit of 0x%llx, so this can never be true",
                    (unsigned long long)mask, (unsigned long long)(value & ~mask));
        return false;
    }
    if ((op == DFR_OP_LT || op == DFR_OP_GE) && a->type.kind == DFR_KIND_ADDR &&
        const_number(b, &value) && !value) {
        dfr_cx_diag(cx, env->source, DFR_D_NEVER, loc,
                    "an address is never negative, so this never changes");
        return false;
    }
    if (out_of_range(op, a, b)) {
        dfr_cx_diag(cx, env->source, DFR_D_NEVER, loc,
                    "the fact's range decides this comparison, so it never changes");
        return false;
    }
    const struct dfr_typed *name = a->kind == DFR_TYPED_CONST ? a : b;
    if (name->kind == DFR_TYPED_CONST && name->c.kind == DFR_KIND_MODULE) {
        struct dfr_str s =
            dfr_program_text(cx->p, (struct dfr_ptext){name->c.word[0], name->c.word[1]});
        if (!dfr_has_wildcard(s))
            return true;
        dfr_cx_suggest(cx,
                       dfr_cx_diag(cx, env->source, DFR_D_PATTERN, name->loc,
                                   "a comparison is with a whole name; * and ? work in lists"),
                       "`in [\"%.*s\"]`", (int)s.len, s.p);
        return false;
    }
    return true;
}

struct dfr_typed *dfr_check_equal(struct dfr_env *env, enum dfr_op op, struct dfr_typed *a,
                                  struct dfr_typed *b, struct dfr_loc loc)
{
    if (!pair(env, &a, &b, "the other side of the comparison"))
        return dfr_typed_error(env->cx, loc);
    if (op != DFR_OP_EQ && op != DFR_OP_NE && !has_order(a->type.kind))
        return dfr_typed_wrong(
            env, a, "only numbers, addresses, times, durations and versions are ordered");
    if (a->type.kind == DFR_KIND_ROW || a->type.kind == DFR_KIND_LIST)
        return dfr_typed_wrong(env, a, "rows and lists are not compared, their fields are");
    if (!can_change(env, op, a, b, loc))
        return dfr_typed_error(env->cx, loc);
    return dfr_typed_op(env->cx, op, 0, DFR_TYPE(BOOL), loc, a, b, NULL);
}

/* x in [low .. high] */
static struct dfr_typed *check_in_range(struct dfr_env *env, const struct dfr_expr *e,
                                        struct dfr_typed *x, const struct dfr_expr *range)
{
    struct dfr_typed *low = dfr_check_expr(env, range->kid);
    struct dfr_typed *high = dfr_check_expr(env, range->kid->next);
    x = dfr_typed_settle(env, x);
    if (is_error(x) || is_error(low) || is_error(high))
        return error_at(env, e);
    if (!has_order(x->type.kind))
        return dfr_typed_wrong(
            env, x, "only numbers, addresses, times, durations and versions have ranges");
    low = dfr_typed_fit(env, low, x->type, "the low end");
    high = dfr_typed_fit(env, high, x->type, "the high end");
    if (is_error(low) || is_error(high))
        return error_at(env, e);
    uint64_t from, to;
    if (const_number(low, &from) && const_number(high, &to) &&
        (x->type.kind == DFR_KIND_INT ? (int64_t)from > (int64_t)to : from > to)) {
        dfr_cx_diag(env->cx, env->source, DFR_D_NEVER, range->loc,
                    "this range is empty, so this can never be true");
        return error_at(env, e);
    }
    return dfr_typed_op(env->cx, DFR_OP_IN_RANGE, 0, DFR_TYPE(BOOL), e->loc, x, low, high);
}

/* x in [a, b, c]: a constant list where all are literals, else comparisons joined by `or`. */
static struct dfr_typed *check_in_items(struct dfr_env *env, const struct dfr_expr *e,
                                        struct dfr_typed *x, const struct dfr_expr *items)
{
    struct dfr_cx *cx = env->cx;
    if (!items->kid) {
        dfr_cx_diag(cx, env->source, DFR_D_NEVER, items->loc,
                    "nothing is in an empty list, so this can never be true");
        return error_at(env, e);
    }
    x = dfr_typed_settle(env, x);
    if (is_error(x))
        return x;
    bool constant = true;
    struct dfr_typed *first = NULL, *last = NULL;
    for (const struct dfr_expr *k = items->kid; k; k = k->next) {
        struct dfr_typed *t =
            dfr_typed_fit(env, dfr_check_expr(env, k), x->type, "an element of this list");
        if (is_error(t))
            return error_at(env, e);
        constant &= t->kind == DFR_TYPED_CONST;
        if (last)
            last->next = t;
        else
            first = t;
        last = t;
    }
    if (constant) {
        struct dfr_list *l = dfr_list_new(cx, (struct dfr_str){0});
        l->columns = DFR_NEW(cx->a, struct dfr_column);
        l->columns[0].type = x->type;
        l->column_count = 1;
        for (struct dfr_typed *t = first; t; t = t->next)
            l->rows++;
        l->cells = DFR_NEW_N(cx->a, l->rows, struct dfr_typed *);
        uint32_t i = 0;
        for (struct dfr_typed *t = first; t; t = t->next) {
            l->cells[i++] = t;
            l->hash = dfr_hash_mix(l->hash, t->hash);
        }
        struct dfr_typed *ref = dfr_typed_op(
            cx, DFR_OP_LISTREF, l->index, (struct dfr_type){DFR_KIND_LIST, DFR_T_COUNT + l->index},
            items->loc, NULL, NULL, NULL);
        ref->hash = l->hash;
        return dfr_typed_op(cx, DFR_OP_IN, 0, DFR_TYPE(BOOL), e->loc, x, ref, NULL);
    }
    struct dfr_typed *eq = NULL, *tail = NULL;
    for (struct dfr_typed *t = first, *next; t; t = next) {
        next = t->next;
        struct dfr_typed *again = DFR_NEW(cx->a, struct dfr_typed);
        *again = *x;
        struct dfr_typed *one =
            dfr_typed_op(cx, DFR_OP_EQ, 0, DFR_TYPE(BOOL), t->loc, again, t, NULL);
        if (tail)
            tail->next = one;
        else
            eq = one;
        tail = one;
    }
    return eq == tail ? eq : dfr_typed_group(cx, DFR_TYPED_OR, 0, DFR_TYPE(BOOL), e->loc, eq);
}

/* x in list, list contains x */
static struct dfr_typed *check_in_list(struct dfr_env *env, const struct dfr_expr *e,
                                       struct dfr_typed *x, struct dfr_typed *list)
{
    struct dfr_cx *cx = env->cx;
    if (is_error(x) || is_error(list))
        return error_at(env, e);
    if (list->type.kind != DFR_KIND_LIST)
        return dfr_typed_wrong(env, list, "`in` needs a list on its right");
    const struct dfr_list *l =
        list->type.param >= DFR_T_COUNT ? cx->lists.v[list->type.param - DFR_T_COUNT] : NULL;
    if (!l || l->column_count != 1 || l->columns[0].name.len) {
        struct dfr_diag *d = dfr_cx_diag(cx, env->source, DFR_D_TYPE, list->loc,
                                         "this list has rows with fields, not plain values");
        dfr_cx_suggest(cx, d, "any row in ...: (row.field == ...)");
        return error_at(env, e);
    }
    x = dfr_typed_settle(env, x);
    struct dfr_list *as =
        dfr_list_as(env, cx->lists.v[l->index], x->type, list->loc, "the left side of `in`");
    if (!as || is_error(x))
        return error_at(env, e);
    struct dfr_typed *ref = dfr_typed_op(cx, DFR_OP_LISTREF, as->index,
                                         (struct dfr_type){DFR_KIND_LIST, DFR_T_COUNT + as->index},
                                         list->loc, NULL, NULL, NULL);
    return dfr_typed_op(cx, DFR_OP_IN, 0, DFR_TYPE(BOOL), e->loc, x, ref, NULL);
}

static struct dfr_typed *check_contains(struct dfr_env *env, const struct dfr_expr *e)
{
    struct dfr_typed *hay = dfr_typed_settle(env, dfr_check_expr(env, e->kid));
    struct dfr_typed *needle = dfr_check_expr(env, e->kid->next);
    if (is_error(hay) || is_error(needle))
        return error_at(env, e);
    if (hay->type.kind == DFR_KIND_LIST)
        return check_in_list(env, e, needle, hay);
    if (hay->type.kind != DFR_KIND_STR)
        return dfr_typed_wrong(env, hay, "`contains` looks into a string or a list");
    needle = dfr_typed_fit(env, needle, DFR_TYPE(STR), "what a string contains");
    return dfr_typed_op(env->cx, DFR_OP_CONTAINS, 0, DFR_TYPE(BOOL), e->loc, hay, needle, NULL);
}

/* --- Arithmetic ------------------------------------------------------------------------------ */

static struct dfr_typed *check_sum(struct dfr_env *env, const struct dfr_expr *e, enum dfr_op op)
{
    struct dfr_typed *a = dfr_typed_settle(env, dfr_check_expr(env, e->kid));
    struct dfr_typed *b = dfr_typed_settle(env, dfr_check_expr(env, e->kid->next));
    if (is_error(a) || is_error(b))
        return error_at(env, e);
    static const struct {
        uint8_t op, a, b, ret;
    } rows[] = {
        {DFR_OP_ADD, DFR_KIND_INT, DFR_KIND_INT, DFR_KIND_INT},
        {DFR_OP_ADD, DFR_KIND_ADDR, DFR_KIND_INT, DFR_KIND_ADDR},
        {DFR_OP_ADD, DFR_KIND_INT, DFR_KIND_ADDR, DFR_KIND_ADDR},
        {DFR_OP_ADD, DFR_KIND_TIME, DFR_KIND_DUR, DFR_KIND_TIME},
        {DFR_OP_ADD, DFR_KIND_DUR, DFR_KIND_DUR, DFR_KIND_DUR},
        {DFR_OP_SUB, DFR_KIND_INT, DFR_KIND_INT, DFR_KIND_INT},
        {DFR_OP_SUB, DFR_KIND_ADDR, DFR_KIND_INT, DFR_KIND_ADDR},
        {DFR_OP_SUB, DFR_KIND_ADDR, DFR_KIND_ADDR, DFR_KIND_INT},
        {DFR_OP_SUB, DFR_KIND_TIME, DFR_KIND_DUR, DFR_KIND_TIME},
        {DFR_OP_SUB, DFR_KIND_TIME, DFR_KIND_TIME, DFR_KIND_DUR},
        {DFR_OP_SUB, DFR_KIND_DUR, DFR_KIND_DUR, DFR_KIND_DUR},
        {DFR_OP_MUL, DFR_KIND_INT, DFR_KIND_INT, DFR_KIND_INT},
        {DFR_OP_DIV, DFR_KIND_INT, DFR_KIND_INT, DFR_KIND_INT},
        {DFR_OP_MOD, DFR_KIND_INT, DFR_KIND_INT, DFR_KIND_INT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].op == op && rows[i].a == a->type.kind && rows[i].b == b->type.kind)
            return dfr_typed_op(env->cx, op, 0, (struct dfr_type){rows[i].ret, 0}, e->loc, a, b,
                                NULL);
    struct dfr_diag *d =
        dfr_cx_diag(env->cx, env->source, DFR_D_TYPE, e->loc, "%s and %s do not go together here",
                    dfr_type_name_of(env->cx, a->type), dfr_type_name_of(env->cx, b->type));
    if (op == DFR_OP_MOD && a->type.kind == DFR_KIND_ADDR)
        dfr_cx_suggest(env->cx, d, "use a mask: x & 0xFFF");
    return error_at(env, e);
}

static struct dfr_typed *check_bits(struct dfr_env *env, const struct dfr_expr *e, enum dfr_op op)
{
    bool shift = op == DFR_OP_SHL || op == DFR_OP_SHR;
    struct dfr_typed *a =
        dfr_check_as(env, e->kid, DFR_TYPE(ADDR), "an operand of a bit operation");
    struct dfr_typed *b =
        shift ? dfr_check_as(env, e->kid->next, DFR_TYPE(INT), "the number of bits")
              : dfr_check_as(env, e->kid->next, DFR_TYPE(ADDR), "an operand of a bit operation");
    if (is_error(a) || is_error(b))
        return error_at(env, e);
    return dfr_typed_op(env->cx, op, 0, DFR_TYPE(ADDR), e->loc, a, b, NULL);
}

static struct dfr_typed *check_unary(struct dfr_env *env, const struct dfr_expr *e)
{
    if (e->op == DFR_X_NOT) {
        struct dfr_typed *t = dfr_check_bool(env, e->kid);
        return is_error(t)
                   ? t
                   : dfr_typed_op(env->cx, DFR_OP_NOT, 0, DFR_TYPE(BOOL), e->loc, t, NULL, NULL);
    }
    if (e->op == DFR_X_BNOT) {
        struct dfr_typed *t =
            dfr_check_as(env, e->kid, DFR_TYPE(ADDR), "an operand of a bit operation");
        return is_error(t)
                   ? t
                   : dfr_typed_op(env->cx, DFR_OP_BNOT, 0, DFR_TYPE(ADDR), e->loc, t, NULL, NULL);
    }
    struct dfr_typed *t = dfr_check_expr(env, e->kid);
    if (is_error(t))
        return t;
    if (t->literal && t->type.kind == DFR_KIND_INT && !t->negative &&
        t->num <= (uint64_t)INT64_MAX + 1) {
        t->num = 0 - t->num;
        t->negative = t->num != 0;
        t->loc = e->loc;
        return t;
    }
    if (t->type.kind != DFR_KIND_INT && t->type.kind != DFR_KIND_DUR)
        return dfr_typed_wrong(env, t, "only a number or a duration has a negative");
    t = dfr_typed_settle(env, t);
    return dfr_typed_op(env->cx, DFR_OP_NEG, 0, t->type, e->loc, t, NULL, NULL);
}

struct dfr_typed *dfr_check_binary(struct dfr_env *env, const struct dfr_expr *e)
{
    static const uint8_t ops[] = {
        [DFR_X_EQ] = DFR_OP_EQ,   [DFR_X_NE] = DFR_OP_NE,     [DFR_X_LT] = DFR_OP_LT,
        [DFR_X_LE] = DFR_OP_LE,   [DFR_X_GT] = DFR_OP_GT,     [DFR_X_GE] = DFR_OP_GE,
        [DFR_X_BOR] = DFR_OP_BOR, [DFR_X_BXOR] = DFR_OP_BXOR, [DFR_X_BAND] = DFR_OP_BAND,
        [DFR_X_SHL] = DFR_OP_SHL, [DFR_X_SHR] = DFR_OP_SHR,   [DFR_X_ADD] = DFR_OP_ADD,
        [DFR_X_SUB] = DFR_OP_SUB, [DFR_X_MUL] = DFR_OP_MUL,   [DFR_X_DIV] = DFR_OP_DIV,
        [DFR_X_MOD] = DFR_OP_MOD,
    };
    const struct dfr_expr *l = e->kid, *r = e->kid->next;
    switch ((enum dfr_expr_op)e->op) {
    case DFR_X_EQ:
    case DFR_X_NE:
        if (r->kind == DFR_EXPR_SYMPAT || r->kind == DFR_EXPR_REGEX) {
            struct dfr_typed *t = dfr_check_matches(env, e, r, dfr_check_expr(env, l));
            return is_error(t) || e->op == DFR_X_EQ
                       ? t
                       : dfr_typed_op(env->cx, DFR_OP_NOT, 0, DFR_TYPE(BOOL), e->loc, t, NULL,
                                      NULL);
        }
        /* fall through */
    case DFR_X_LT:
    case DFR_X_LE:
    case DFR_X_GT:
    case DFR_X_GE: {
        struct dfr_typed *a = dfr_check_expr(env, l), *b = dfr_check_expr(env, r);
        return dfr_check_equal(env, (enum dfr_op)ops[e->op], a, b, e->loc);
    }
    case DFR_X_IN: {
        struct dfr_typed *x = dfr_check_expr(env, l);
        if (r->kind == DFR_EXPR_RANGE)
            return check_in_range(env, e, x, r);
        if (r->kind == DFR_EXPR_LIST)
            return check_in_items(env, e, x, r);
        return check_in_list(env, e, x, dfr_check_expr(env, r));
    }
    case DFR_X_MATCHES:
        return dfr_check_matches(env, e, r, dfr_check_expr(env, l));
    case DFR_X_CONTAINS:
        return check_contains(env, e);
    case DFR_X_COALESCE: {
        struct dfr_typed *a = dfr_typed_settle(env, dfr_check_expr(env, l));
        if (is_error(a))
            return a;
        struct dfr_typed *b = dfr_check_as(env, r, a->type, "the value that stands in");
        return dfr_typed_op(env->cx, DFR_OP_COALESCE, 0, a->type, e->loc, a, b, NULL);
    }
    case DFR_X_BOR:
    case DFR_X_BXOR:
    case DFR_X_BAND:
    case DFR_X_SHL:
    case DFR_X_SHR:
        return check_bits(env, e, (enum dfr_op)ops[e->op]);
    default:
        return check_sum(env, e, (enum dfr_op)ops[e->op]);
    }
}

/* --- Joining and quantifiers ----------------------------------------------------------------- */

static struct dfr_typed *check_conditions(struct dfr_env *env, const struct dfr_expr *first,
                                          bool *ok)
{
    struct dfr_typed *head = NULL, *last = NULL;
    for (const struct dfr_expr *k = first; k; k = k->next) {
        struct dfr_typed *t = dfr_check_bool(env, k);
        *ok &= !is_error(t);
        if (last)
            last->next = t;
        else
            head = t;
        last = t;
    }
    return head;
}

static const uint8_t folds[] = {
    [DFR_X_ANY] = DFR_FOLD_ANY,     [DFR_X_ALL] = DFR_FOLD_ALL,
    [DFR_X_NONE] = DFR_FOLD_NONE,   [DFR_X_COUNT] = DFR_FOLD_COUNT,
    [DFR_X_FIRST] = DFR_FOLD_FIRST, [DFR_X_AT_LEAST] = DFR_FOLD_AT_LEAST,
};

enum { MOST_OF = 64 }; /* their values stand on the stack together */

static struct dfr_typed *check_of(struct dfr_env *env, const struct dfr_expr *e)
{
    bool ok = true;
    struct dfr_typed *kids = check_conditions(env, e->kid, &ok);
    if (e->op == DFR_X_FIRST) {
        dfr_cx_diag(env->cx, env->source, DFR_D_TYPE, e->loc,
                    "`first` needs rows: first x in list: (...)");
        return error_at(env, e);
    }
    uint32_t count = 0;
    for (const struct dfr_expr *k = e->kid; k; k = k->next)
        count++;
    if (count > MOST_OF || (e->op == DFR_X_AT_LEAST && e->n > count)) {
        bool many = count > MOST_OF;
        dfr_cx_diag(env->cx, env->source, many ? DFR_D_TOO_LARGE : DFR_D_NEVER, e->loc,
                    many ? "at most %u conditions stand in one `of`"
                         : "there are only %u conditions, so this can never be true",
                    many ? (uint32_t)MOST_OF : count);
        return error_at(env, e);
    }
    if (!ok)
        return error_at(env, e);
    struct dfr_typed *t =
        dfr_typed_group(env->cx, DFR_TYPED_OF, folds[e->op],
                        e->op == DFR_X_COUNT ? DFR_TYPE(INT) : DFR_TYPE(BOOL), e->loc, kids);
    t->n = e->n;
    t->hash = dfr_hash_mix(t->hash, e->n);
    return t;
}

/* The variable is the second word of a quantifier. */
static struct dfr_loc variable_loc(const struct dfr_source *s, const struct dfr_expr *e)
{
    struct dfr_str text = dfr_source_text(s, e->loc);
    size_t i = 0;
    while (i < text.len && text.p[i] > ' ')
        i++;
    while (i < text.len && text.p[i] <= ' ')
        i++;
    if (!dfr_str_starts(dfr_str_slice(text, i, text.len), e->as.text))
        return e->loc;
    uint32_t at = e->loc.begin + (uint32_t)i;
    return (struct dfr_loc){at, at + (uint32_t)e->as.text.len};
}

struct dfr_typed *dfr_check_fold(struct dfr_env *env, const struct dfr_expr *e)
{
    struct dfr_cx *cx = env->cx;
    struct dfr_typed *list = dfr_check_expr(env, e->kid);
    if (is_error(list))
        return list;
    if (list->type.kind != DFR_KIND_LIST)
        return dfr_typed_wrong(env, list, "a quantifier goes over a list");
    if (env->folds >= DFR_LIMIT_FOLD_DEPTH) {
        dfr_cx_diag(cx, env->source, DFR_D_TOO_DEEP_FOLDS, e->loc, "quantifiers go at most %d deep",
                    (int)DFR_LIMIT_FOLD_DEPTH);
        return error_at(env, e);
    }
    struct dfr_word name = {e->as.text, variable_loc(env->source, e)};
    dfr_check_hides(env, name);
    struct dfr_type row = dfr_element_type(cx, list->type);
    struct dfr_local var = {.name = e->as.text,
                            .what = DFR_LOCAL_VAR,
                            .number = env->slots,
                            .type = row,
                            .outer = env->locals};
    struct dfr_env inner = *env;
    inner.locals = &var;
    inner.slots++;
    inner.folds++;
    struct dfr_typed *body = dfr_check_bool(&inner, e->kid->next);
    if (is_error(body))
        return body;
    struct dfr_type type = DFR_TYPE(BOOL);
    if (e->op == DFR_X_COUNT)
        type = DFR_TYPE(INT);
    if (e->op == DFR_X_FIRST)
        type = row;
    list->next = body;
    struct dfr_typed *t = dfr_typed_group(cx, DFR_TYPED_FOLD, folds[e->op], type, e->loc, list);
    t->n = e->op == DFR_X_AT_LEAST ? e->n : 0;
    t->slot = env->slots;
    t->hash = dfr_hash_mix(t->hash, t->n);
    if (e->op == DFR_X_FIRST && row.param >= DFR_T_COUNT) {
        const struct dfr_list *l = cx->lists.v[row.param - DFR_T_COUNT];
        if (l->column_count == 1 && !l->columns[0].name.len)
            return dfr_typed_op(cx, DFR_OP_RECORD, 0, l->columns[0].type, e->loc, t, NULL, NULL);
    }
    return t;
}

/* --- Everything ------------------------------------------------------------------------------ */

static struct dfr_typed *check_state(struct dfr_env *env, const struct dfr_expr *e)
{
    static const uint8_t ops[] = {[DFR_X_KNOWN] = DFR_OP_IS_KNOWN,
                                  [DFR_X_UNKNOWN] = DFR_OP_IS_UNKNOWN,
                                  [DFR_X_ABSENT] = DFR_OP_IS_ABSENT};
    struct dfr_typed *of = dfr_typed_settle(env, dfr_check_expr(env, e->kid));
    if (is_error(of))
        return of;
    struct dfr_typed *t =
        dfr_typed_op(env->cx, (enum dfr_op)ops[e->op], 0, DFR_TYPE(BOOL), e->loc, of, NULL, NULL);
    t->uses_state |= e->op != DFR_X_ABSENT;
    return t;
}

struct dfr_typed *dfr_check_expr(struct dfr_env *env, const struct dfr_expr *e)
{
    bool ok = true;
    switch ((enum dfr_expr_kind)e->kind) {
    case DFR_EXPR_ERROR:
        return error_at(env, e);
    case DFR_EXPR_BOOL:
    case DFR_EXPR_INT:
    case DFR_EXPR_STRING:
    case DFR_EXPR_DURATION:
    case DFR_EXPR_TIME:
    case DFR_EXPR_VERSION:
        return dfr_typed_literal(env, e);
    case DFR_EXPR_REGEX:
    case DFR_EXPR_SYMPAT:
        dfr_cx_diag(env->cx, env->source, DFR_D_TYPE, e->loc,
                    "a pattern stands only after `matches`, `has` or `==`");
        return error_at(env, e);
    case DFR_EXPR_NAME:
    case DFR_EXPR_FIELD:
    case DFR_EXPR_CALL:
    case DFR_EXPR_INDEX:
        return dfr_check_ref(env, e);
    case DFR_EXPR_LIST:
    case DFR_EXPR_RANGE:
    case DFR_EXPR_RECORD:
    case DFR_EXPR_ENTRY:
        dfr_cx_diag(env->cx, env->source, DFR_D_TYPE, e->loc,
                    "a list or a range stands only on the right of `in`");
        return error_at(env, e);
    case DFR_EXPR_STATE_WORD:
        dfr_cx_diag(env->cx, env->source, DFR_D_TYPE, e->loc,
                    "`unknown` and `absent` stand alone only in `given`");
        return error_at(env, e);
    case DFR_EXPR_UNARY:
        return check_unary(env, e);
    case DFR_EXPR_BINARY:
        return dfr_check_binary(env, e);
    case DFR_EXPR_ALL_OF:
    case DFR_EXPR_ANY_OF: {
        struct dfr_typed *kids = check_conditions(env, e->kid, &ok);
        if (!ok)
            return error_at(env, e);
        return dfr_typed_group(env->cx, e->kind == DFR_EXPR_ALL_OF ? DFR_TYPED_AND : DFR_TYPED_OR,
                               0, DFR_TYPE(BOOL), e->loc, kids);
    }
    case DFR_EXPR_HAS:
    case DFR_EXPR_HAS_SEQ:
        return dfr_check_has(env, e);
    case DFR_EXPR_STATE:
        return check_state(env, e);
    case DFR_EXPR_FOLD:
        return dfr_check_fold(env, e);
    case DFR_EXPR_FOLD_OF:
        return check_of(env, e);
    }
    return error_at(env, e);
}
