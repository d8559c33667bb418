/* Names: locals, facts of the schema, derived facts, lists, and the fields of values. */
#include "lang/scope.h"

#include <string.h>

#include "base/buf.h"

enum { MOST_PARTS = 16 };

/* The chain of names that an expression begins with: a.b.c of a.b.c[0].d. */
struct chain {
    const struct dfr_expr *part[MOST_PARTS]; /* NAME, then FIELDs */
    uint32_t n;
};

static bool chain_of(const struct dfr_expr *e, struct chain *c)
{
    uint32_t n = 0;
    for (const struct dfr_expr *x = e; x; x = x->kid) {
        if (x->kind == DFR_EXPR_NAME) {
            if (++n > MOST_PARTS)
                return false;
            c->n = n;
            for (const struct dfr_expr *y = e; n; y = y->kid)
                c->part[--n] = y;
            return true;
        }
        if (x->kind != DFR_EXPR_FIELD)
            return false;
        n++;
    }
    return false;
}

static struct dfr_str joined(struct dfr_cx *cx, const struct chain *c, uint32_t n)
{
    struct dfr_buf b;
    dfr_buf_init(&b, cx->a);
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            dfr_buf_char(&b, '.');
        dfr_buf_str(&b, c->part[i]->as.text);
    }
    return dfr_buf_text(&b);
}

bool dfr_dotted(struct dfr_cx *cx, const struct dfr_expr *e, struct dfr_str *ret)
{
    struct chain c = {0};
    if (!chain_of(e, &c))
        return false;
    *ret = joined(cx, &c, c.n);
    return true;
}

/* Where the last name of a FIELD stands. */
static struct dfr_loc name_loc(const struct dfr_expr *e)
{
    if (e->kind != DFR_EXPR_FIELD || e->loc.end - e->loc.begin < e->as.text.len)
        return e->loc;
    return (struct dfr_loc){e->loc.end - (uint32_t)e->as.text.len, e->loc.end};
}

struct dfr_type dfr_element_type(const struct dfr_cx *cx, struct dfr_type list)
{
    (void)cx;
    return (struct dfr_type){DFR_KIND_ROW, list.param};
}

/* --- Fields ---------------------------------------------------------------------------------- */

static void no_field(struct dfr_env *env, struct dfr_typed *of, struct dfr_str name,
                     struct dfr_loc loc)
{
    struct dfr_cx *cx = env->cx;
    struct dfr_diag *d =
        dfr_cx_diag(cx, env->source, DFR_D_UNKNOWN_FIELD, loc, "%s has no field `%.*s`",
                    dfr_type_name_of(cx, of->type), (int)name.len, name.p);
    struct dfr_nearest near = {.want = name};
    uint32_t table = DFR_T_COUNT;
    if (of->type.kind == DFR_KIND_MODULE)
        table = DFR_T_MODULES;
    else if (of->type.kind == DFR_KIND_ROW)
        table = of->type.param;
    if (table < DFR_T_COUNT) {
        const struct dfr_table_info *t = dfr_table_info(table);
        for (uint32_t i = 0; i < t->columns; i++)
            dfr_nearest_try(&near, dfr_str_from(dfr_field_info(t->first_column + i)->name));
    } else if (of->type.kind == DFR_KIND_ROW) {
        const struct dfr_list *l = cx->lists.v[table - DFR_T_COUNT];
        for (uint32_t i = 0; i < l->column_count; i++)
            dfr_nearest_try(&near, l->columns[i].name);
    } else if (of->type.kind == DFR_KIND_SYM) {
        dfr_nearest_try(&near, DFR_STR("module"));
        dfr_nearest_try(&near, DFR_STR("func"));
        dfr_nearest_try(&near, DFR_STR("offset"));
    }
    if (of->type.kind == DFR_KIND_LIST)
        dfr_cx_suggest(cx, d,
                       "a list has `complete`; fields are of its rows: any x in ...: (x.%.*s)",
                       (int)name.len, name.p);
    else
        dfr_cx_did_you_mean(cx, d, &near);
}

static struct dfr_type field_type(uint32_t field)
{
    const struct dfr_field_info *f = dfr_field_info(field);
    return (struct dfr_type){f->kind, f->param};
}

static struct dfr_typed *record_field(struct dfr_env *env, struct dfr_typed *of,
                                      struct dfr_str name, struct dfr_loc loc)
{
    struct dfr_list *l = env->cx->lists.v[of->type.param - DFR_T_COUNT];
    for (uint32_t i = 0; i < l->column_count; i++)
        if (dfr_str_eq(l->columns[i].name, name))
            return dfr_typed_op(env->cx, DFR_OP_RECORD, i, l->columns[i].type, loc, of, NULL, NULL);
    return NULL;
}

struct dfr_typed *dfr_check_field(struct dfr_env *env, struct dfr_typed *of, struct dfr_str name,
                                  struct dfr_loc loc)
{
    struct dfr_cx *cx = env->cx;
    struct dfr_loc whole = {of->loc.begin, loc.end};
    struct dfr_typed *t = NULL;
    if (of->kind == DFR_TYPED_ERROR)
        return of;
    if (of->type.kind == DFR_KIND_MODULE ||
        (of->type.kind == DFR_KIND_ROW && of->type.param < DFR_T_COUNT)) {
        bool module = of->type.kind == DFR_KIND_MODULE;
        uint32_t f = dfr_column_find(module ? DFR_T_MODULES : of->type.param, name);
        if (f != DFR_F_COUNT)
            t = dfr_typed_op(cx, module ? DFR_OP_MODCELL : DFR_OP_COLUMN, f, field_type(f), whole,
                             of, NULL, NULL);
    } else if (of->type.kind == DFR_KIND_ROW) {
        t = record_field(env, of, name, whole);
    } else if (of->type.kind == DFR_KIND_SYM) {
        static const struct {
            const char *name;
            uint32_t kind;
        } parts[] = {{"module", DFR_KIND_MODULE}, {"func", DFR_KIND_STR}, {"offset", DFR_KIND_INT}};
        for (uint32_t i = 0; i < 3; i++)
            if (dfr_str_eq(name, dfr_str_from(parts[i].name)))
                t = dfr_typed_op(cx, DFR_OP_SYMPART, i, (struct dfr_type){parts[i].kind, 0}, whole,
                                 of, NULL, NULL);
    } else if (of->type.kind == DFR_KIND_LIST && dfr_str_eq(name, DFR_STR("complete"))) {
        t = dfr_typed_op(cx, DFR_OP_COMPLETE, 0, DFR_TYPE(BOOL), whole, of, NULL, NULL);
    }
    if (t)
        return t;
    no_field(env, of, name, loc);
    return dfr_typed_error(cx, whole);
}

/* --- Names ----------------------------------------------------------------------------------- */

static struct dfr_typed *local_value(struct dfr_env *env, const struct dfr_local *l,
                                     struct dfr_loc loc)
{
    static const uint8_t ops[] = {DFR_OP_VAR, DFR_OP_LET, DFR_OP_ARG};
    struct dfr_typed *t =
        dfr_typed_op(env->cx, ops[l->what], l->number, l->type, loc, NULL, NULL, NULL);
    if (l->what == DFR_LOCAL_LET) {
        t->hash = l->value->hash; /* a let means what it stands for */
        t->body = l->value;
        t->uses_state = l->value->uses_state;
        if (l->value->kind == DFR_TYPED_ERROR)
            return dfr_typed_error(env->cx, loc);
    }
    /* A row of a list of plain values is its value. */
    if (l->what == DFR_LOCAL_VAR && l->type.kind == DFR_KIND_ROW && l->type.param >= DFR_T_COUNT) {
        const struct dfr_list *list = env->cx->lists.v[l->type.param - DFR_T_COUNT];
        if (list->column_count == 1 && !list->columns[0].name.len)
            return dfr_typed_op(env->cx, DFR_OP_RECORD, 0, list->columns[0].type, loc, t, NULL,
                                NULL);
    }
    return t;
}

static struct dfr_typed *decl_value(struct dfr_env *env, struct dfr_decl *d, struct dfr_loc loc)
{
    struct dfr_cx *cx = env->cx;
    d->used = true;
    if (d->kind == DFR_NODE_LIST)
        return dfr_typed_op(cx, DFR_OP_LISTREF, d->list->index,
                            (struct dfr_type){DFR_KIND_LIST, DFR_T_COUNT + d->list->index}, loc,
                            NULL, NULL, NULL);
    if (d->kind == DFR_NODE_FN || d->node->has_params) {
        struct dfr_diag *g = dfr_cx_diag(cx, env->source, DFR_D_ARGUMENTS, loc,
                                         "`%.*s` is a function", (int)d->name.len, d->name.p);
        dfr_cx_suggest(cx, g, "call it: %.*s(...)", (int)d->name.len, d->name.p);
        return dfr_typed_error(cx, loc);
    }
    dfr_decl_fact(cx, d, env, loc);
    if (d->progress != DFR_DONE || d->body->kind == DFR_TYPED_ERROR)
        return dfr_typed_error(cx, loc);
    struct dfr_typed *t = dfr_typed_op(cx, DFR_OP_FACT, d->index, d->type, loc, NULL, NULL, NULL);
    t->uses_state = d->uses_state;
    t->hash = d->body->hash;
    t->body = d->body;
    return t;
}

/* A declaration that `name` names for rules of this pack: fact, list, function. */
static struct dfr_decl *declared(struct dfr_env *env, struct dfr_str name)
{
    static const enum dfr_node_kind kinds[] = {DFR_NODE_FACT, DFR_NODE_LIST, DFR_NODE_FN};
    for (int i = 0; i < 3; i++) {
        struct dfr_decl *d = dfr_scope_find(env->cx, env->pack, kinds[i], name);
        if (d)
            return d;
    }
    return NULL;
}

static struct dfr_typed *schema_value(struct dfr_env *env, struct dfr_str path, struct dfr_loc loc)
{
    uint32_t f = dfr_field_find(path);
    if (f == DFR_F_COUNT)
        return NULL;
    const struct dfr_field_info *info = dfr_field_info(f);
    if (info->cls == DFR_FIELD_SCALAR)
        return dfr_typed_op(env->cx, DFR_OP_SCALAR, f, field_type(f), loc, NULL, NULL, NULL);
    if (info->cls == DFR_FIELD_TABLE)
        return dfr_typed_op(env->cx, DFR_OP_TABLE, info->table,
                            (struct dfr_type){DFR_KIND_LIST, info->table}, loc, NULL, NULL, NULL);
    return NULL;
}

/* `insn` alone is the faulting instruction. */
static struct dfr_typed *faulting_insn(struct dfr_env *env, struct dfr_loc loc)
{
    struct dfr_typed *rip =
        dfr_typed_op(env->cx, DFR_OP_SCALAR, DFR_F_TRAP_RIP, DFR_TYPE(ADDR), loc, NULL, NULL, NULL);
    return dfr_typed_op(env->cx, DFR_OP_BUILTIN, DFR_B_INSN,
                        (struct dfr_type){DFR_KIND_ROW, DFR_T_INSNS}, loc, rip, NULL, NULL);
}

static void unknown_name(struct dfr_env *env, const struct chain *c)
{
    struct dfr_cx *cx = env->cx;
    struct dfr_str whole = joined(cx, c, c->n);
    struct dfr_loc loc = c->part[c->n - 1]->loc;
    struct dfr_nearest near = {.want = whole};
    for (const struct dfr_local *l = env->locals; l; l = l->outer)
        dfr_nearest_try(&near, l->name);
    for (uint32_t f = 0; f < DFR_F_COUNT; f++)
        dfr_nearest_try(&near, dfr_str_from(dfr_field_info(f)->path));
    dfr_scope_nearest(cx, env->pack, DFR_NODE_FACT, &near);
    dfr_scope_nearest(cx, env->pack, DFR_NODE_LIST, &near);
    dfr_scope_nearest(cx, env->pack, DFR_NODE_FN, &near);
    uint32_t f = dfr_field_find(whole);
    if (f != DFR_F_COUNT && dfr_field_info(f)->cls == DFR_FIELD_COLUMN) {
        const char *table = dfr_field_info(dfr_table_info(dfr_field_info(f)->table)->field)->path;
        struct dfr_diag *d = dfr_cx_diag(cx, env->source, DFR_D_UNKNOWN_NAME, loc,
                                         "`%.*s` is a field of each row", (int)whole.len, whole.p);
        dfr_cx_suggest(cx, d, "any x in %s: (x.%s ...)", table, dfr_field_info(f)->name);
        return;
    }
    struct dfr_diag *d = dfr_cx_diag(cx, env->source, DFR_D_UNKNOWN_NAME, loc,
                                     "there is nothing called `%.*s`", (int)whole.len, whole.p);
    dfr_cx_did_you_mean(cx, d, &near);
}

/* Resolve as much of the chain as one name covers; *used says how many parts. */
static struct dfr_typed *resolve(struct dfr_env *env, const struct chain *c, uint32_t *used)
{
    struct dfr_str first = c->part[0]->as.text;
    *used = 1;
    for (const struct dfr_local *l = env->locals; l; l = l->outer)
        if (dfr_str_eq(l->name, first))
            return local_value(env, l, c->part[0]->loc);
    for (uint32_t n = c->n; n; n--) {
        struct dfr_str name = joined(env->cx, c, n);
        struct dfr_decl *d = declared(env, name);
        struct dfr_typed *t = NULL;
        *used = n;
        if (d)
            return decl_value(env, d, c->part[n - 1]->loc);
        if ((t = schema_value(env, name, c->part[n - 1]->loc)))
            return t;
    }
    *used = 1;
    if (dfr_str_eq(first, DFR_STR("insn")))
        return faulting_insn(env, c->part[0]->loc);
    *used = c->n; /* a list has no fields but `complete`, and a declared one not even that */
    struct dfr_word old = {joined(env->cx, c, c->n), c->part[c->n - 1]->loc};
    struct dfr_decl *d = dfr_scope_renamed(env->cx, env->pack, env->source, DFR_NODE_LIST, old);
    return d ? decl_value(env, d, old.loc) : NULL;
}

struct dfr_typed *dfr_check_ref(struct dfr_env *env, const struct dfr_expr *e)
{
    struct dfr_cx *cx = env->cx;
    struct chain c = {0};
    if (chain_of(e, &c)) {
        uint32_t used = 0;
        struct dfr_typed *t = resolve(env, &c, &used);
        if (!t) {
            unknown_name(env, &c);
            return dfr_typed_error(cx, e->loc);
        }
        for (uint32_t i = used; i < c.n; i++)
            t = dfr_check_field(env, t, c.part[i]->as.text, name_loc(c.part[i]));
        t->loc = e->loc;
        return t;
    }
    if (e->kind == DFR_EXPR_FIELD) {
        struct dfr_typed *of = dfr_typed_settle(env, dfr_check_expr(env, e->kid));
        return dfr_check_field(env, of, e->as.text, name_loc(e));
    }
    if (e->kind == DFR_EXPR_INDEX) {
        struct dfr_typed *of = dfr_check_expr(env, e->kid);
        struct dfr_typed *at = dfr_check_as(env, e->kid->next, DFR_TYPE(INT), "an index");
        if (of->kind == DFR_TYPED_ERROR || at->kind == DFR_TYPED_ERROR)
            return dfr_typed_error(cx, e->loc);
        if (of->type.kind == DFR_KIND_LIST)
            return dfr_typed_op(cx, DFR_OP_AT, 0, dfr_element_type(cx, of->type), e->loc, of, at,
                                NULL);
        dfr_cx_diag(cx, env->source, DFR_D_TYPE, of->loc,
                    "only a list has rows to pick, this is %s", dfr_type_name_of(cx, of->type));
        return dfr_typed_error(cx, e->loc);
    }
    return dfr_check_call(env, e);
}

void dfr_check_hides(struct dfr_env *env, struct dfr_word name)
{
    const char *what = NULL;
    for (const struct dfr_local *l = env->locals; l; l = l->outer)
        if (dfr_str_eq(l->name, name.text))
            what = "a name of this rule";
    if (!what && declared(env, name.text))
        what = "a declared name";
    if (!what && dfr_import_find(env->pack, name.text))
        what = "an imported pack";
    for (uint32_t f = 0; !what && f < DFR_F_COUNT; f++) {
        struct dfr_str path = dfr_str_from(dfr_field_info(f)->path);
        if (dfr_field_info(f)->cls != DFR_FIELD_COLUMN && dfr_str_starts(path, name.text) &&
            (path.len == name.text.len || path.p[name.text.len] == '.'))
            what = "a fact";
    }
    if (what)
        dfr_cx_diag(env->cx, env->source, DFR_D_HIDES, name.loc, "`%.*s` would hide %s",
                    (int)name.text.len, name.text.p, what);
}
