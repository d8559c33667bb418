/* Tests in rule files: what is given becomes cells of a store, what is expected becomes chunks. */
#include "lang/scope.h"

enum given_what {
    GIVEN_VALUE,
    GIVEN_UNKNOWN,
    GIVEN_ABSENT,
    GIVEN_COMPLETE,
    GIVEN_TABLE,
    GIVEN_INCOMPLETE
};

static void add(struct dfr_env *env, uint32_t field, uint32_t row, enum given_what what,
                uint32_t constant, struct dfr_loc loc)
{
    struct dfr_program *p = env->cx->p;
    *DFR_PUSH(p->arena, &p->givens) =
        (struct dfr_pgiven){field, row, what, constant, dfr_place_of(env->source, loc)};
}

/* A value for a scalar or a cell. Symbols are given as text, as the debugger prints them. */
static void give_value(struct dfr_env *env, uint32_t field, uint32_t row, const struct dfr_expr *v,
                       struct dfr_loc loc)
{
    struct dfr_cx *cx = env->cx;
    const struct dfr_field_info *info = dfr_field_info(field);
    if (v->kind == DFR_EXPR_STATE_WORD) {
        add(env, field, row, v->op == DFR_X_ABSENT ? GIVEN_ABSENT : GIVEN_UNKNOWN, DFR_NONE, loc);
        return;
    }
    struct dfr_type want = {info->kind, info->kind == DFR_KIND_ENUM ? info->param : 0};
    struct dfr_typed *t;
    if (v->kind == DFR_EXPR_SYMPAT || (v->kind == DFR_EXPR_STRING && want.kind == DFR_KIND_SYM)) {
        struct dfr_expr text = *v;
        text.kind = DFR_EXPR_STRING;
        t = dfr_typed_literal(env, &text);
        if (want.kind == DFR_KIND_SYM)
            want.kind = DFR_KIND_STR;
    } else {
        t = dfr_check_expr(env, v);
    }
    if (want.kind == DFR_KIND_LIST || want.kind == DFR_KIND_BYTES) {
        dfr_cx_diag(cx, env->source, DFR_D_TYPE, v->loc,
                    "`%s` cannot be given, it follows from other facts", info->path);
        return;
    }
    t = dfr_typed_fit(env, t, want, "this fact");
    if (t->kind == DFR_TYPED_ERROR)
        return;
    if (t->kind != DFR_TYPED_CONST) {
        dfr_cx_diag(cx, env->source, DFR_D_TYPE, v->loc,
                    "a given fact is a value, not an expression");
        return;
    }
    add(env, field, row, GIVEN_VALUE, dfr_build_const(&cx->b, t->c), loc);
}

/* The column that a plain value stands for in a table's list: the one that names the row. */
static uint32_t plain_column(uint32_t table)
{
    return table == DFR_T_STACK          ? (uint32_t)DFR_F_STACK_SYM
           : table == DFR_T_OTHER_STACKS ? (uint32_t)DFR_F_OTHER_STACKS_SYM
                                         : dfr_table_info(table)->first_column;
}

static void give_record(struct dfr_env *env, uint32_t table, uint32_t row, const struct dfr_expr *r)
{
    for (const struct dfr_expr *f = r->kid; f; f = f->next) {
        uint32_t column = dfr_column_find(table, f->as.text);
        if (column != DFR_F_COUNT) {
            give_value(env, column, row, f->kid, f->loc);
            continue;
        }
        struct dfr_diag *d = dfr_cx_diag(
            env->cx, env->source, DFR_D_UNKNOWN_FIELD, f->loc, "%s has no field `%.*s`",
            dfr_field_info(dfr_table_info(table)->field)->path, (int)f->as.text.len, f->as.text.p);
        struct dfr_nearest near = {.want = f->as.text};
        const struct dfr_table_info *t = dfr_table_info(table);
        for (uint32_t i = 0; i < t->columns; i++)
            dfr_nearest_try(&near, dfr_str_from(dfr_field_info(t->first_column + i)->name));
        dfr_cx_did_you_mean(env->cx, d, &near);
    }
}

static void give_table(struct dfr_env *env, uint32_t table, const struct dfr_expr *v,
                       struct dfr_loc loc)
{
    uint32_t field = dfr_table_info(table)->field, row = 0;
    if (v->kind == DFR_EXPR_STATE_WORD) {
        add(env, field, 0, v->op == DFR_X_ABSENT ? GIVEN_ABSENT : GIVEN_UNKNOWN, DFR_NONE, loc);
        return;
    }
    if (v->kind != DFR_EXPR_LIST) {
        dfr_cx_diag(env->cx, env->source, DFR_D_TYPE, v->loc, "a table is given as a list: [...]");
        return;
    }
    add(env, field, 0, GIVEN_TABLE, DFR_NONE, loc);
    for (const struct dfr_expr *e = v->kid; e; e = e->next, row++) {
        if (e->kind == DFR_EXPR_RECORD)
            give_record(env, table, row, e);
        else
            give_value(env, plain_column(table), row, e, e->loc);
    }
}

static void give_complete(struct dfr_env *env, uint32_t table, const struct dfr_given *g)
{
    if (g->value->kind != DFR_EXPR_BOOL) {
        dfr_cx_diag(env->cx, env->source, DFR_D_TYPE, g->value->loc, "`complete` is true or false");
        return;
    }
    add(env, dfr_table_info(table)->field, 0, g->value->as.num ? GIVEN_COMPLETE : GIVEN_INCOMPLETE,
        DFR_NONE, g->loc);
}

static void give(struct dfr_env *env, const struct dfr_given *g)
{
    struct dfr_cx *cx = env->cx;
    struct dfr_str path;
    if (!dfr_dotted(cx, g->ref, &path)) {
        dfr_cx_diag(cx, env->source, DFR_D_TYPE, g->ref->loc, "the name of a fact is needed here");
        return;
    }
    uint32_t f = dfr_field_find(path);
    const struct dfr_field_info *info = f == DFR_F_COUNT ? NULL : dfr_field_info(f);
    if (info && info->cls == DFR_FIELD_SCALAR) {
        give_value(env, f, 0, g->value, g->loc);
        return;
    }
    if (info && info->cls == DFR_FIELD_TABLE) {
        give_table(env, info->table, g->value, g->loc);
        return;
    }
    struct dfr_str suffix = DFR_STR(".complete");
    if (dfr_str_ends_ci(path, suffix)) {
        f = dfr_field_find(dfr_str_slice(path, 0, path.len - suffix.len));
        if (f != DFR_F_COUNT && dfr_field_info(f)->cls == DFR_FIELD_TABLE) {
            give_complete(env, dfr_field_info(f)->table, g);
            return;
        }
    }
    if (info || dfr_scope_find(cx, env->pack, DFR_NODE_FACT, path)) {
        struct dfr_diag *d = dfr_cx_diag(cx, env->source, DFR_D_TYPE, g->ref->loc,
                                         "`%.*s` cannot be given", (int)path.len, path.p);
        dfr_cx_suggest(cx, d,
                       info ? "give the table: table = [{ field = ...; }]"
                            : "it is derived: give the facts that it follows from");
        return;
    }
    struct dfr_diag *d = dfr_cx_diag(cx, env->source, DFR_D_UNKNOWN_NAME, g->ref->loc,
                                     "there is no fact `%.*s`", (int)path.len, path.p);
    struct dfr_nearest near = {.want = path};
    for (uint32_t i = 0; i < DFR_F_COUNT; i++)
        if (dfr_field_info(i)->cls != DFR_FIELD_COLUMN)
            dfr_nearest_try(&near, dfr_str_from(dfr_field_info(i)->path));
    dfr_cx_did_you_mean(cx, d, &near);
}

static void expect(struct dfr_env *env, const struct dfr_expr *e)
{
    struct dfr_program *p = env->cx->p;
    if (e->kind == DFR_EXPR_ALL_OF) { /* each operand fails on its own */
        for (const struct dfr_expr *k = e->kid; k; k = k->next)
            expect(env, k);
        return;
    }
    struct dfr_typed *t = dfr_check_bool(env, e);
    struct dfr_pexpect x = {.chunk = dfr_typed_chunk(env, t),
                            .text = dfr_source_folded(env->cx, env->source, e->loc),
                            .source = dfr_place_of(env->source, e->loc)};
    *DFR_PUSH(p->arena, &p->expects) = x;
}

void dfr_compile_test(struct dfr_cx *cx, struct dfr_decl *d)
{
    struct dfr_program *p = cx->p;
    bool skip = false;
    struct dfr_env env = {.cx = cx,
                          .pack = d->pack,
                          .source = d->source,
                          .rule = DFR_NONE,
                          .test = true,
                          .skip = &skip};
    struct dfr_ptest t = {.name = dfr_build_text(&cx->b, d->name),
                          .given = p->givens.n,
                          .expect = p->expects.n,
                          .source = dfr_place_of(d->source, d->node->name.loc)};
    for (const struct dfr_step *s = d->node->steps; s; s = s->next) {
        if (s->kind == DFR_STEP_LOAD && t.load.len)
            dfr_cx_diag(cx, d->source, DFR_D_SECTION_TWICE, s->loc,
                        "a test loads at most one case");
        else if (s->kind == DFR_STEP_LOAD)
            t.load = dfr_build_text(&cx->b, s->path.text);
        else if (s->kind == DFR_STEP_GIVEN)
            for (const struct dfr_given *g = s->given; g; g = g->next)
                give(&env, g);
        else
            expect(&env, s->expect);
    }
    t.given_count = p->givens.n - t.given;
    t.expect_count = p->expects.n - t.expect;
    if (!t.expect_count && !cx->for_givens)
        dfr_cx_diag(cx, d->source, DFR_D_NO_WHEN, d->node->name.loc, "a test needs an `expect`");
    if (!skip)
        *DFR_PUSH(p->arena, &p->tests) = t;
}
