/* Constant names in calls that read memory: the shape of `module!name` and of a member's path, and
 * members of structures that are known. */
#include "facts/member.h"
#include "lang/scope.h"

/* The text of a constant; false when it is known only at run time. */
static bool constant(const struct dfr_typed *t, struct dfr_str *ret)
{
    if (t->kind != DFR_TYPED_CONST || !t->text.p)
        return false;
    *ret = t->text;
    return true;
}

static void check_path(struct dfr_env *env, const struct dfr_typed *at, struct dfr_str type,
                       struct dfr_str path)
{
    struct dfr_cx *cx = env->cx;
    uint32_t index;
    bool indexed, known = false;
    size_t n;
    if (!dfr_member_path_ok(path)) {
        dfr_cx_diag(cx, env->source, DFR_D_MEMORY_NAME, at->loc,
                    "a member is named as \"Tail.Overlay.Thread\" or \"MajorFunction[3]\"");
        return;
    }
    const struct dfr_member_row *row =
        dfr_member_find(DFR_ARCH_COUNT, type, path, &index, &indexed);
    if (row && index < row->count)
        return;
    if (row) {
        dfr_cx_diag(cx, env->source, DFR_D_MEMORY_NAME, at->loc, "`%s` has %u element%s",
                    row->member, row->count, row->count == 1 ? "" : "s, counted from 0");
        return;
    }
    /* The tables hold what is stable; a symbol file may know more members. Only what is nearly one
     * of them is worth a word. */
    enum { NEAR = 2 };
    const struct dfr_member_row *rows = dfr_member_rows(&n);
    struct dfr_nearest near = {.want = path};
    for (size_t i = 0; i < n; i++) {
        if (!dfr_str_eq(type, dfr_str_from(rows[i].type)))
            continue;
        struct dfr_str member = dfr_str_from(rows[i].member);
        if (dfr_str_eq_ci(member, path)) {
            near.best = member;
            known = true;
            break;
        }
        dfr_nearest_try(&near, member);
    }
    if (!near.best.p || (!known && (near.distance > NEAR || path.len < 6)))
        return;
    struct dfr_diag *d = dfr_cx_diag(cx, env->source, DFR_D_MEMBER_DOUBT, at->loc,
                                     "no table of stable members has `%.*s` of `%.*s`",
                                     (int)path.len, path.p, (int)type.len, type.p);
    dfr_cx_did_you_mean(cx, d, &near);
}

static void check_type(struct dfr_env *env, const struct dfr_typed *at, struct dfr_str module,
                       struct dfr_str type)
{
    size_t n;
    const struct dfr_member_row *rows = dfr_member_rows(&n);
    struct dfr_nearest near = {.want = type};
    for (size_t i = 0; i < n && dfr_module_is_kernel(module); i++) {
        struct dfr_str known = dfr_str_from(rows[i].type);
        if (dfr_str_eq(known, type))
            return;
        bool bare = dfr_str_eq_ci(dfr_str_slice(known, 1, known.len), type);
        if (!bare && !dfr_str_eq_ci(known, type))
            continue;
        near.best = known;
        struct dfr_diag *d =
            dfr_cx_diag(env->cx, env->source, DFR_D_MEMBER_DOUBT, at->loc,
                        "the kernel's type is not spelled `%.*s`", (int)type.len, type.p);
        dfr_cx_did_you_mean(env->cx, d, &near);
        return;
    }
}

void dfr_check_memory(struct dfr_env *env, uint32_t builtin, struct dfr_typed *const *arg)
{
    struct dfr_str spelled, module, name, path;
    bool symbol = builtin == DFR_B_SYMBOL;
    if (!symbol && builtin != DFR_B_FIELD && builtin != DFR_B_FIELD_ADDRESS)
        return;
    const struct dfr_typed *at = symbol ? arg[0] : arg[1];
    bool split = false;
    if (constant(at, &spelled)) {
        split = dfr_symbol_split(spelled, &module, &name);
        if (!split)
            dfr_cx_diag(env->cx, env->source, DFR_D_MEMORY_NAME, at->loc,
                        symbol ? "a symbol is named as \"nt!KiBugCheckData\""
                               : "a type is named as \"nt!_IRP\"");
    }
    if (symbol)
        return;
    if (split)
        check_type(env, at, module, name);
    if (constant(arg[2], &path))
        check_path(env, arg[2], split && dfr_module_is_kernel(module) ? name : DFR_STR(""), path);
}
