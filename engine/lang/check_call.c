/* Calls: functions, facts with parameters, builtins, and the builtins that only tests may call. */
#include "lang/scope.h"

static const char *plural(uint32_t n)
{
    return n == 1 ? "" : "s";
}

static uint32_t count_args(const struct dfr_expr *first)
{
    uint32_t n = 0;
    for (; first; first = first->next)
        n++;
    return n;
}

static struct dfr_typed *wrong_count(struct dfr_env *env, const struct dfr_expr *e,
                                     struct dfr_str name, uint32_t want)
{
    dfr_cx_diag(env->cx, env->source, DFR_D_ARGUMENTS, e->loc, "`%.*s` takes %u argument%s, not %u",
                (int)name.len, name.p, want, plural(want), count_args(e->kid->next));
    return dfr_typed_error(env->cx, e->loc);
}

/* The body's hash with the arguments' in it: two calls that mean the same hash alike. */
static uint64_t call_hash(const struct dfr_decl *d, const struct dfr_typed *args)
{
    uint64_t h = d->body->hash;
    for (; args; args = args->next)
        h = dfr_hash_mix(h, args->hash);
    return h;
}

static struct dfr_typed *call_decl(struct dfr_env *env, const struct dfr_expr *e,
                                   struct dfr_decl *d)
{
    struct dfr_cx *cx = env->cx;
    if (d->kind == DFR_NODE_FACT && !d->node->has_params) {
        dfr_cx_diag(cx, env->source, DFR_D_ARGUMENTS, e->loc, "`%.*s` is a fact, not a function",
                    (int)d->name.len, d->name.p);
        return dfr_typed_error(cx, e->loc);
    }
    dfr_decl_fact(cx, d, env, e->loc);
    if (d->progress != DFR_DONE)
        return dfr_typed_error(cx, e->loc);
    if (count_args(e->kid->next) != d->param_count)
        return wrong_count(env, e, d->name, d->param_count);
    struct dfr_typed *first = NULL, *last = NULL;
    const struct dfr_expr *x = e->kid->next;
    for (uint32_t i = 0; i < d->param_count; i++, x = x->next) {
        struct dfr_typed *arg = dfr_check_as(env, x, d->params[i], "this argument");
        if (last)
            last->next = arg;
        else
            first = arg;
        last = arg;
    }
    if (d->body->kind == DFR_TYPED_ERROR)
        return dfr_typed_error(cx, e->loc);
    struct dfr_typed *t = dfr_typed_group(cx, DFR_TYPED_OP, DFR_OP_CALL, d->type, e->loc, first);
    t->operand = d->index;
    t->body = d->body;
    t->uses_state |= d->uses_state;
    t->hash = call_hash(d, first);
    return t;
}

/* --- Builtins -------------------------------------------------------------------------------- */

static struct dfr_typed *number_of(struct dfr_env *env, const struct dfr_expr *e, uint32_t index)
{
    return dfr_typed_const(env->cx, DFR_TYPE(INT), dfr_const_int(index), e->loc);
}

static struct dfr_typed *named_record(struct dfr_env *env, const struct dfr_expr *e,
                                      enum dfr_node_kind kind, const char *what)
{
    struct dfr_str name;
    struct dfr_decl *d = NULL;
    if (dfr_dotted(env->cx, e, &name)) {
        d = dfr_scope_find(env->cx, env->pack, kind, name);
        if (!d)
            d = dfr_scope_renamed(env->cx, env->pack, env->source, kind,
                                  (struct dfr_word){name, e->loc});
        if (d && d->index == DFR_NONE && env->skip) {
            *env->skip = true;
            return dfr_typed_error(env->cx, e->loc);
        }
        if (d) {
            d->tested = d->used = true;
            return number_of(env, e, d->index);
        }
    }
    struct dfr_diag *g = dfr_cx_diag(env->cx, env->source, DFR_D_UNKNOWN_NAME, e->loc,
                                     "this is not the name of a %s", what);
    if (name.p) {
        struct dfr_nearest near = {.want = name};
        dfr_scope_nearest(env->cx, env->pack, kind, &near);
        dfr_cx_did_you_mean(env->cx, g, &near);
    }
    return dfr_typed_error(env->cx, e->loc);
}

/* score(rule), score(cause), score(cause, subject). */
static struct dfr_typed *call_score(struct dfr_env *env, const struct dfr_expr *e)
{
    struct dfr_cx *cx = env->cx;
    const struct dfr_expr *arg = e->kid->next;
    uint32_t n = count_args(arg);
    struct dfr_str name;
    if (n < 1 || n > 2)
        return wrong_count(env, e, DFR_STR("score"), 1);
    if (n == 1 && dfr_dotted(cx, arg, &name) &&
        dfr_scope_find(cx, env->pack, DFR_NODE_RULE, name)) {
        struct dfr_typed *rule = named_record(env, arg, DFR_NODE_RULE, "rule");
        return dfr_typed_op(cx, DFR_OP_BUILTIN, DFR_B_SCORE, DFR_TYPE(INT), e->loc, rule, NULL,
                            NULL);
    }
    struct dfr_typed *cause =
        named_record(env, arg, DFR_NODE_CAUSE, n == 1 ? "rule or a cause" : "cause");
    struct dfr_typed *subject =
        n == 2 ? dfr_check_as(env, arg->next, DFR_TYPE(MODULE), "a subject")
               : dfr_typed_const(cx, DFR_TYPE(MODULE), dfr_const_absent(), e->loc);
    return dfr_typed_op(cx, DFR_OP_BUILTIN, DFR_B_CAUSE_SCORE, DFR_TYPE(INT), e->loc, cause,
                        subject, NULL);
}

static struct dfr_typed *call_builtin(struct dfr_env *env, const struct dfr_expr *e,
                                      uint32_t builtin)
{
    struct dfr_cx *cx = env->cx;
    const struct dfr_builtin_info *info = dfr_builtin_info(builtin);
    struct dfr_str name = dfr_str_from(info->name);
    if (info->test_only && !env->test) {
        dfr_cx_diag(cx, env->source, DFR_D_TEST_ONLY, e->loc,
                    "`%s` can only be asked in the `expect` of a test", info->name);
        return dfr_typed_error(cx, e->loc);
    }
    if (builtin == DFR_B_SCORE || builtin == DFR_B_CAUSE_SCORE)
        return call_score(env, e);
    if (count_args(e->kid->next) != info->args)
        return wrong_count(env, e, name, info->args);
    struct dfr_typed *arg[3] = {NULL, NULL, NULL};
    const struct dfr_expr *x = e->kid->next;
    for (uint32_t i = 0; i < info->args; i++, x = x->next) {
        if (info->arg[i] == DFR_ARG_RULE)
            arg[i] = named_record(env, x, DFR_NODE_RULE, "rule");
        else if (info->arg[i] == DFR_ARG_CAUSE)
            arg[i] = named_record(env, x, DFR_NODE_CAUSE, "cause");
        else
            arg[i] = dfr_check_as(env, x, (struct dfr_type){info->arg[i], 0}, "this argument");
    }
    dfr_check_memory(env, builtin, arg);
    return dfr_typed_op(cx, DFR_OP_BUILTIN, builtin, (struct dfr_type){info->kind, info->param},
                        e->loc, arg[0], arg[1], arg[2]);
}

struct dfr_typed *dfr_check_call(struct dfr_env *env, const struct dfr_expr *e)
{
    struct dfr_cx *cx = env->cx;
    struct dfr_str name;
    if (!dfr_dotted(cx, e->kid, &name)) {
        dfr_cx_diag(cx, env->source, DFR_D_TYPE, e->kid->loc, "this cannot be called");
        return dfr_typed_error(cx, e->loc);
    }
    static const enum dfr_node_kind kinds[] = {DFR_NODE_FN, DFR_NODE_FACT};
    for (int i = 0; i < 2; i++) {
        struct dfr_decl *d = dfr_scope_find(cx, env->pack, kinds[i], name);
        if (d)
            return call_decl(env, e, d);
    }
    struct dfr_nearest near = {.want = name};
    for (uint32_t b = 0; b < DFR_B_COUNT; b++) {
        const struct dfr_builtin_info *info = dfr_builtin_info(b);
        if (dfr_str_eq(name, dfr_str_from(info->name)))
            return call_builtin(env, e, b);
        if (!info->test_only || env->test)
            dfr_nearest_try(&near, dfr_str_from(info->name));
    }
    dfr_scope_nearest(cx, env->pack, DFR_NODE_FN, &near);
    struct dfr_diag *d = dfr_cx_diag(cx, env->source, DFR_D_UNKNOWN_NAME, e->kid->loc,
                                     "there is no function `%.*s`", (int)name.len, name.p);
    dfr_cx_did_you_mean(cx, d, &near);
    return dfr_typed_error(cx, e->loc);
}
