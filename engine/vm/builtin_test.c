/* Builtins of `expect`: they ask the ranking through an oracle, which only a test has. */
#include "vm/vm.h"

/* The record that a constant argument names; false without an oracle or such a record. */
static bool names(const struct dfr_vm *vm, const struct dfr_tv *arg, uint32_t n, uint32_t *ret)
{
    if (!vm->oracle || arg->v.state != DFR_KNOWN || arg->v.kind != DFR_KIND_INT ||
        arg->v.as.n.lo < 0 || arg->v.as.n.lo >= (int64_t)n)
        return false;
    *ret = (uint32_t)arg->v.as.n.lo;
    return true;
}

static struct dfr_tv misused(enum dfr_kind kind)
{
    return dfr_tv_error(kind, DFR_REASON_BAD_TYPE);
}

struct dfr_tv dfr_builtin_FIRES(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    uint32_t rule;
    if (!names(vm, arg, vm->p->rules.n, &rule))
        return misused(DFR_KIND_BOOL);
    return (struct dfr_tv){.v = vm->oracle->fires(vm->oracle->user, rule)};
}

struct dfr_tv dfr_builtin_SCORE(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    uint32_t rule;
    if (!names(vm, arg, vm->p->rules.n, &rule))
        return misused(DFR_KIND_INT);
    return (struct dfr_tv){.v = vm->oracle->rule_score(vm->oracle->user, rule)};
}

struct dfr_tv dfr_builtin_CAUSE_SCORE(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    uint32_t cause;
    if (!names(vm, &arg[0], vm->p->causes.n, &cause))
        return misused(DFR_KIND_INT);
    struct dfr_value subject = arg[1].v;
    if (subject.state == DFR_KNOWN && subject.kind == DFR_KIND_STR)
        subject = dfr_facts_module(vm->f, dfr_value_str(&subject));
    if (subject.state == DFR_KNOWN && subject.kind != DFR_KIND_MODULE)
        return misused(DFR_KIND_INT);
    return (struct dfr_tv){.v = vm->oracle->cause_score(vm->oracle->user, cause, &subject)};
}

struct dfr_tv dfr_builtin_VERDICT(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    uint32_t rule;
    if (!names(vm, arg, vm->p->rules.n, &rule))
        return misused(DFR_KIND_ENUM);
    return (struct dfr_tv){.v = vm->oracle->rule_verdict(vm->oracle->user, rule)};
}

static struct dfr_tv first(struct dfr_vm *vm, enum dfr_builtin which, enum dfr_kind kind)
{
    if (!vm->oracle)
        return misused(kind);
    return (struct dfr_tv){.v = vm->oracle->first(vm->oracle->user, which)};
}

struct dfr_tv dfr_builtin_FIRST_CAUSE(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    (void)arg;
    return first(vm, DFR_B_FIRST_CAUSE, DFR_KIND_STR);
}

struct dfr_tv dfr_builtin_FIRST_SUBJECT(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    (void)arg;
    return first(vm, DFR_B_FIRST_SUBJECT, DFR_KIND_MODULE);
}

struct dfr_tv dfr_builtin_FIRST_ACTION(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    (void)arg;
    return first(vm, DFR_B_FIRST_ACTION, DFR_KIND_STR);
}

struct dfr_tv dfr_builtin_COLLECT_FIRST(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    (void)arg;
    return first(vm, DFR_B_COLLECT_FIRST, DFR_KIND_STR);
}
