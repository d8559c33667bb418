/* Typed nodes: making them, fitting literals to the place they stand in, hashing what they mean,
 * and turning them into code. */
#include "lang/scope.h"

#include <string.h>

#include "base/buf.h"

bool dfr_type_eq(struct dfr_type a, struct dfr_type b)
{
    return a.kind == b.kind && a.param == b.param;
}

uint64_t dfr_hash_mix(uint64_t a, uint64_t b)
{
    uint64_t words[2] = {a, b};
    return dfr_str_hash((struct dfr_str){(const char *)words, sizeof words});
}

const char *dfr_type_name_of(struct dfr_cx *cx, struct dfr_type t)
{
    struct dfr_buf b;
    dfr_buf_init(&b, cx->a);
    if (t.kind == DFR_KIND_ENUM)
        dfr_buf_z(&b, dfr_enum_name(t.param));
    else if (t.kind == DFR_KIND_ROW && t.param < DFR_T_COUNT)
        dfr_buf_printf(&b, "a row of %s", dfr_field_info(dfr_table_info(t.param)->field)->path);
    else if (t.kind == DFR_KIND_LIST && t.param < DFR_T_COUNT)
        dfr_buf_printf(&b, "the table %s", dfr_field_info(dfr_table_info(t.param)->field)->path);
    else
        dfr_buf_z(&b, dfr_kind_name(t.kind));
    return dfr_buf_text(&b).p;
}

/* --- Making ---------------------------------------------------------------------------------- */

static struct dfr_typed *node(struct dfr_cx *cx, enum dfr_typed_kind kind, struct dfr_type type,
                              struct dfr_loc loc)
{
    struct dfr_typed *t = DFR_NEW(cx->a, struct dfr_typed);
    t->kind = (uint8_t)kind;
    t->type = type;
    t->loc = loc;
    return t;
}

struct dfr_typed *dfr_typed_error(struct dfr_cx *cx, struct dfr_loc loc)
{
    return node(cx, DFR_TYPED_ERROR, DFR_TYPE(NONE), loc);
}

/* Hash from the parts: kind, operation, operand and the children, in order where it matters. Operands that are
 * numbers of interned records are fine: one rule set is compared with itself. */
static void finish(struct dfr_typed *t)
{
    uint64_t h = dfr_hash_mix((uint64_t)t->kind << 8 | t->op, (uint64_t)t->operand << 32 | t->n);
    bool any_order = t->kind == DFR_TYPED_AND || t->kind == DFR_TYPED_OR ||
                     (t->kind == DFR_TYPED_OP &&
                      (t->op == DFR_OP_EQ || t->op == DFR_OP_NE || t->op == DFR_OP_BAND ||
                       t->op == DFR_OP_BOR || t->op == DFR_OP_BXOR || t->op == DFR_OP_MUL));
    uint64_t sum = 0;
    for (struct dfr_typed *k = t->kid; k; k = k->next) {
        if (any_order)
            sum += dfr_hash_mix(h, k->hash);
        else
            h = dfr_hash_mix(h, k->hash);
        t->uses_state |= k->uses_state;
    }
    t->hash = any_order ? dfr_hash_mix(h, sum) : h;
}

struct dfr_typed *dfr_typed_op(struct dfr_cx *cx, enum dfr_op op, uint32_t operand,
                               struct dfr_type type, struct dfr_loc loc, struct dfr_typed *a,
                               struct dfr_typed *b, struct dfr_typed *c)
{
    struct dfr_typed *t = node(cx, DFR_TYPED_OP, type, loc);
    t->op = (uint8_t)op;
    t->operand = operand;
    t->kid = a;
    if (a)
        a->next = b;
    if (b)
        b->next = c;
    finish(t);
    return t;
}

struct dfr_typed *dfr_typed_group(struct dfr_cx *cx, enum dfr_typed_kind kind, uint8_t op,
                                  struct dfr_type type, struct dfr_loc loc, struct dfr_typed *kids)
{
    struct dfr_typed *t = node(cx, kind, type, loc);
    t->op = op;
    t->kid = kids;
    finish(t);
    return t;
}

static void hash_const(struct dfr_typed *t)
{
    t->hash = dfr_str_hash((struct dfr_str){(const char *)&t->c, sizeof t->c});
}

struct dfr_typed *dfr_typed_const(struct dfr_cx *cx, struct dfr_type type, struct dfr_pconst c,
                                  struct dfr_loc loc)
{
    struct dfr_typed *t = node(cx, DFR_TYPED_CONST, type, loc);
    t->c = c;
    hash_const(t);
    return t;
}

/* --- Literals -------------------------------------------------------------------------------- */

static bool version_parts(struct dfr_str text, uint32_t part[4])
{
    size_t i = 0;
    for (int n = 0; n < 4; n++)
        part[n] = 0;
    for (int n = 0; i <= text.len; n++, i++) {
        uint64_t v = 0;
        size_t begin = i;
        for (; i < text.len && text.p[i] >= '0' && text.p[i] <= '9' && v <= UINT32_MAX; i++)
            v = v * 10 + (uint64_t)(text.p[i] - '0');
        if (n >= 4 || i == begin || v > UINT32_MAX || (i < text.len && text.p[i] != '.'))
            return false;
        part[n] = (uint32_t)v;
    }
    return true;
}

struct dfr_typed *dfr_typed_literal(struct dfr_env *env, const struct dfr_expr *e)
{
    struct dfr_cx *cx = env->cx;
    struct dfr_typed *t;
    uint32_t part[4];
    switch (e->kind) {
    case DFR_EXPR_BOOL:
        return dfr_typed_const(cx, DFR_TYPE(BOOL), dfr_const_bool(e->as.num != 0), e->loc);
    case DFR_EXPR_DURATION:
        return dfr_typed_const(cx, DFR_TYPE(DUR),
                               dfr_const_span(DFR_KIND_DUR, (int64_t)e->as.num, (int64_t)e->as.num),
                               e->loc);
    case DFR_EXPR_TIME:
        return dfr_typed_const(
            cx, DFR_TYPE(TIME),
            dfr_const_span(DFR_KIND_TIME, (int64_t)e->as.num, (int64_t)e->as.num), e->loc);
    case DFR_EXPR_VERSION:
        if (!version_parts(e->as.text, part)) {
            dfr_cx_diag(cx, env->source, DFR_D_TYPE, e->loc,
                        "a version has at most four parts of 32 bits");
            return dfr_typed_error(cx, e->loc);
        }
        return dfr_typed_const(cx, DFR_TYPE(VER), dfr_const_ver(part), e->loc);
    case DFR_EXPR_INT:
        t = node(cx, DFR_TYPED_CONST, DFR_TYPE(INT), e->loc);
        t->literal = true;
        t->hex = e->op == 1;
        t->num = e->as.num;
        return t;
    default:
        t = node(cx, DFR_TYPED_CONST, DFR_TYPE(STR), e->loc);
        t->literal = true;
        t->text = e->as.text;
        return t;
    }
}

static struct dfr_typed *fixed(struct dfr_env *env, const struct dfr_typed *t, struct dfr_type type,
                               struct dfr_pconst c)
{
    return dfr_typed_const(env->cx, type, c, t->loc);
}

static struct dfr_typed *fit_number(struct dfr_env *env, const struct dfr_typed *t,
                                    struct dfr_type want)
{
    if (want.kind == DFR_KIND_ADDR && !t->negative)
        return fixed(env, t, want, dfr_const_addr(t->num));
    if (want.kind == DFR_KIND_INT && (t->negative || t->num <= INT64_MAX))
        return fixed(env, t, want, dfr_const_int((int64_t)t->num));
    return NULL;
}

static struct dfr_typed *fit_text(struct dfr_env *env, const struct dfr_typed *t,
                                  struct dfr_type want)
{
    struct dfr_builder *b = &env->cx->b;
    if (want.kind == DFR_KIND_STR) {
        struct dfr_typed *r =
            fixed(env, t, want, dfr_const_text(DFR_KIND_STR, dfr_build_text(b, t->text)));
        r->text = t->text; /* some calls look at what they are given */
        return r;
    }
    if (want.kind == DFR_KIND_MODULE)
        return fixed(env, t, want, dfr_const_text(DFR_KIND_MODULE, dfr_build_text(b, t->text)));
    if (want.kind == DFR_KIND_ENUM) {
        uint32_t v = dfr_enum_find(want.param, t->text);
        if (v != UINT32_MAX)
            return fixed(env, t, want, dfr_const_enum(want.param, v));
    }
    return NULL;
}

struct dfr_typed *dfr_typed_try(struct dfr_env *env, struct dfr_typed *t, struct dfr_type want)
{
    if (t->kind == DFR_TYPED_ERROR || want.kind == DFR_KIND_NONE)
        return t;
    if (t->kind == DFR_TYPED_CONST && t->literal)
        return t->type.kind == DFR_KIND_INT ? fit_number(env, t, want) : fit_text(env, t, want);
    if (dfr_type_eq(t->type, want))
        return t;
    return NULL;
}

static void bad_enum_word(struct dfr_env *env, const struct dfr_typed *t, struct dfr_type want)
{
    struct dfr_diag *d = dfr_cx_diag(env->cx, env->source, DFR_D_NEVER, t->loc,
                                     "\"%.*s\" is no %s, so this can never be true",
                                     (int)t->text.len, t->text.p, dfr_enum_name(want.param));
    struct dfr_nearest near = {.want = t->text};
    for (uint32_t i = 0; i < dfr_enum_count(want.param); i++)
        dfr_nearest_try(&near, dfr_str_from(dfr_enum_word(want.param, i)));
    dfr_cx_did_you_mean(env->cx, d, &near);
    if (near.best.p)
        return;
    struct dfr_buf b;
    dfr_buf_init(&b, env->cx->a);
    for (uint32_t i = 0; i < dfr_enum_count(want.param); i++)
        dfr_buf_printf(&b, "%s\"%s\"", i ? ", " : "", dfr_enum_word(want.param, i));
    dfr_cx_suggest(env->cx, d, "one of %s", dfr_buf_text(&b).p);
}

struct dfr_typed *dfr_typed_fit(struct dfr_env *env, struct dfr_typed *t, struct dfr_type want,
                                const char *place)
{
    struct dfr_typed *fits = dfr_typed_try(env, t, want);
    if (fits)
        return fits;
    if (t->literal && t->type.kind == DFR_KIND_STR && want.kind == DFR_KIND_ENUM) {
        bad_enum_word(env, t, want);
    } else {
        struct dfr_diag *d =
            dfr_cx_diag(env->cx, env->source, DFR_D_TYPE, t->loc, "%s is needed as %s, this is %s",
                        dfr_type_name_of(env->cx, want), place, dfr_type_name_of(env->cx, t->type));
        if (want.kind == DFR_KIND_MODULE && t->type.kind == DFR_KIND_STR)
            dfr_cx_suggest(env->cx, d, "module(...) makes a module of a name");
        else if (want.kind == DFR_KIND_STR && t->type.kind == DFR_KIND_MODULE)
            dfr_cx_suggest(env->cx, d, "its name is .name");
        else if (want.kind == DFR_KIND_VER && t->literal)
            dfr_cx_suggest(env->cx, d, "a version has a dot: 3.0");
        else if (want.kind == DFR_KIND_DUR && t->literal)
            dfr_cx_suggest(env->cx, d, "a duration has a unit: 30s, 5min, 2h, 1d");
        else if (want.kind == DFR_KIND_TIME && t->literal)
            dfr_cx_suggest(env->cx, d, "a time is written 2013-01-01");
        else if (want.kind == DFR_KIND_SYM && t->literal)
            dfr_cx_suggest(env->cx, d, "a symbol is compared with a pattern: matches nt!Name");
    }
    return dfr_typed_error(env->cx, t->loc);
}

struct dfr_typed *dfr_typed_settle(struct dfr_env *env, struct dfr_typed *t)
{
    if (!t->literal || t->kind != DFR_TYPED_CONST)
        return t;
    struct dfr_typed *own = dfr_typed_try(env, t, t->type);
    return own ? own : dfr_typed_fit(env, t, DFR_TYPE(ADDR), "a number of 64 bits");
}

/* --- Code ------------------------------------------------------------------------------------ */

static void emit(struct dfr_env *env, struct dfr_emit *e, const struct dfr_typed *t);

static void emit_joined(struct dfr_env *env, struct dfr_emit *e, const struct dfr_typed *t)
{
    enum dfr_op skip = t->kind == DFR_TYPED_AND ? DFR_OP_AND_SKIP : DFR_OP_OR_SKIP;
    enum dfr_op join = t->kind == DFR_TYPED_AND ? DFR_OP_AND : DFR_OP_OR;
    emit(env, e, t->kid);
    for (const struct dfr_typed *k = t->kid->next; k; k = k->next) {
        uint32_t at = dfr_emit_skip(e, skip);
        emit(env, e, k);
        dfr_emit(e, join, 0);
        dfr_emit_here(e, at);
    }
}

static void emit(struct dfr_env *env, struct dfr_emit *e, const struct dfr_typed *t)
{
    uint32_t at, n = 0;
    switch ((enum dfr_typed_kind)t->kind) {
    case DFR_TYPED_ERROR: /* the program is not used; any value keeps the code well-formed */
        dfr_emit(e, DFR_OP_CONST, dfr_build_const(e->b, dfr_const_bool(false)));
        return;
    case DFR_TYPED_CONST:
        dfr_emit(e, DFR_OP_CONST, dfr_build_const(e->b, t->c));
        return;
    case DFR_TYPED_OP:
        for (const struct dfr_typed *k = t->kid; k; k = k->next)
            emit(env, e, k);
        dfr_emit(e, (enum dfr_op)t->op, t->operand);
        return;
    case DFR_TYPED_AND:
    case DFR_TYPED_OR:
        emit_joined(env, e, t);
        return;
    case DFR_TYPED_FOLD:
        emit(env, e, t->kid);
        at = dfr_emit_fold(e, (enum dfr_fold)t->op, t->slot, t->n);
        emit(env, e, t->kid->next);
        dfr_emit_next(e, at);
        return;
    case DFR_TYPED_OF:
        for (const struct dfr_typed *k = t->kid; k; k = k->next, n++)
            emit(env, e, k);
        dfr_emit_of(e, (enum dfr_fold)t->op, t->n, n);
        return;
    }
}

/* Does the code read a let, or the row of `each` (a variable that no quantifier in it binds)? Only
 * such chunks belong to one rule; all others are shared. `bound` has a bit per bound variable. */
static bool reads_rule(const struct dfr_typed *t, uint32_t bound)
{
    if (t->kind == DFR_TYPED_OP && t->op == DFR_OP_LET)
        return true;
    if (t->kind == DFR_TYPED_OP && t->op == DFR_OP_VAR)
        return !(bound & 1u << t->operand);
    if (t->kind == DFR_TYPED_FOLD)
        return reads_rule(t->kid, bound) || reads_rule(t->kid->next, bound | 1u << t->slot);
    for (const struct dfr_typed *k = t->kid; k; k = k->next)
        if (reads_rule(k, bound))
            return true;
    return false;
}

/* Row variables that the code reads or binds. */
static uint32_t slots_of(const struct dfr_typed *t)
{
    uint32_t most = 0;
    if (t->kind == DFR_TYPED_FOLD)
        most = t->slot + 1;
    if (t->kind == DFR_TYPED_OP && t->op == DFR_OP_VAR)
        most = t->operand + 1;
    for (const struct dfr_typed *k = t->kid; k; k = k->next) {
        uint32_t n = slots_of(k);
        most = n > most ? n : most;
    }
    return most;
}

uint32_t dfr_typed_chunk(struct dfr_env *env, const struct dfr_typed *t)
{
    struct dfr_emit e;
    dfr_emit_init(&e, &env->cx->b);
    emit(env, &e, t);
    uint32_t chunk =
        dfr_emit_end(&e, env->args, slots_of(t), reads_rule(t, 0) ? env->rule : DFR_NONE);
    if (e.too_long)
        dfr_cx_diag(env->cx, env->source, DFR_D_TOO_LARGE, t->loc,
                    "this rule set needs more code than the engine takes");
    return chunk;
}
