/* Calling builtins: what every one of them would otherwise check for itself. */
#include "vm/vm.h"

typedef struct dfr_tv (*builtin_fn)(struct dfr_vm *, const struct dfr_tv *);

#define BUILTIN(id, name, kind, param, cost, args, help) dfr_builtin_##id,
#define TEST_BUILTIN(id, name, kind, param, args, help) dfr_builtin_##id,
static const builtin_fn functions[] = {
#include "code/builtin.def"
};
#undef BUILTIN
#undef TEST_BUILTIN

static bool fits(uint32_t want, const struct dfr_value *v)
{
    if (want == DFR_ARG_RULE || want == DFR_ARG_CAUSE)
        want = DFR_KIND_INT;
    return v->kind == want || (want == DFR_KIND_STR && v->kind == DFR_KIND_MODULE) ||
           (want == DFR_KIND_MODULE && v->kind == DFR_KIND_STR);
}

struct dfr_tv dfr_vm_builtin(struct dfr_vm *vm, uint32_t builtin, const struct dfr_tv *arg)
{
    const struct dfr_builtin_info *info = dfr_builtin_info(builtin);
    enum dfr_kind kind = (enum dfr_kind)info->kind;
    vm->steps += info->cost;
    if (info->test_only) /* they ask about verdicts, which know what absent means to them */
        return functions[builtin](vm, arg);
    struct dfr_tv none = dfr_tv_of(dfr_v_bool(false)), all = none;
    bool known = true;
    for (uint32_t i = 0; i < info->args; i++) {
        all = i ? dfr_tv_open(vm, kind, &all, &arg[i]) : arg[i];
        if (arg[i].v.state != DFR_KNOWN)
            known = false;
        else if (!fits(info->arg[i], &arg[i].v))
            return dfr_tv_error(kind, DFR_REASON_BAD_TYPE);
    }
    if (!known)
        return dfr_tv_open(vm, kind, &all, &none);
    struct dfr_tv r = functions[builtin](vm, arg);
    for (uint32_t i = 0; i < info->args; i++) {
        r.origin = dfr_vm_union(vm, r.origin, arg[i].origin);
        if (arg[i].v.trust < r.v.trust)
            r.v.trust = arg[i].v.trust;
    }
    return r;
}
