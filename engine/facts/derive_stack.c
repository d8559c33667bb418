/* Frames: cells that follow from others, the part a function has in a crash, completeness. */
#include "facts/derive.h"

enum where { KERNEL, ANY };
static const struct {
    enum dfr_role role;
    enum where where;
    struct dfr_str name;
} roles[] = {
#define ROLE(role, where, name) {DFR_ROLE_##role, where, {name, sizeof(name) - 1}},
#include "facts/frame_role.def"
#undef ROLE
};

/* The name without decoration: `_KeBugCheckEx@20` and `@KiTrap0E@8` lose both ends. */
static struct dfr_str undecorated(struct dfr_str s)
{
    while (s.len && (s.p[0] == '_' || s.p[0] == '@'))
        s = dfr_str_slice(s, 1, s.len);
    size_t digits = 0;
    while (digits < s.len && s.p[s.len - digits - 1] >= '0' && s.p[s.len - digits - 1] <= '9')
        digits++;
    if (digits && digits < s.len && s.p[s.len - digits - 1] == '@')
        s = dfr_str_slice(s, 0, s.len - digits - 1);
    return s;
}

bool dfr_frame_is(const struct dfr_facts *f, uint32_t row, enum dfr_role role)
{
    const struct dfr_value *sym = dfr_derive_at(f, DFR_F_STACK_SYM, row);
    const struct dfr_value *func = dfr_derive_at(f, DFR_F_STACK_FUNC, row);
    const struct dfr_value *module = dfr_derive_at(f, DFR_F_STACK_MODULE, row);
    struct dfr_str name = func ? dfr_value_str(func) : sym ? sym->as.sym->func : DFR_STR("");
    struct dfr_str in = module ? (struct dfr_str){module->as.module.p, module->as.module.len}
                        : sym  ? sym->as.sym->module
                               : DFR_STR("");
    if (!name.len)
        return false;
    bool kernel = !in.len || dfr_module_is_kernel(in) || dfr_module_same(in, DFR_STR("hal"));
    name = undecorated(name);
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (roles[i].role == role && (kernel || roles[i].where == ANY) &&
            dfr_str_glob(roles[i].name, name, false))
            return true;
    return false;
}

uint32_t dfr_stack_after_bugcheck(const struct dfr_facts *f)
{
    bool raised = false;
    uint32_t n = f->tables[DFR_T_STACK].n;
    for (uint32_t i = 0; i < n; i++) {
        if (dfr_frame_is(f, i, DFR_ROLE_BUGCHECK))
            raised = true;
        else if (!dfr_frame_is(f, i, DFR_ROLE_BREAK))
            return raised ? i : 0;
    }
    return raised ? n : 0;
}

static void cells_from_symbol(struct dfr_facts *f, uint32_t row)
{
    const struct dfr_value *v = dfr_derive_at(f, DFR_F_STACK_SYM, row);
    if (!v)
        return;
    const struct dfr_sym *s = v->as.sym;
    if (s->module.len)
        dfr_derive_cell(f, DFR_F_STACK_MODULE, row, dfr_facts_module(f, s->module), v);
    else if (s->has_offset)
        dfr_derive_cell(f, DFR_F_STACK_ADDRESS, row, dfr_v_addr(s->offset), v);
    if (s->func.len)
        dfr_derive_cell(f, DFR_F_STACK_FUNC, row, dfr_v_str(s->func), v);
    if (s->module.len && s->has_offset && s->offset <= INT64_MAX)
        dfr_derive_cell(f, DFR_F_STACK_OFFSET, row, dfr_v_int((int64_t)s->offset), v);
}

/* Frame `row` runs at the return address of the frame before it, when the two are neighbours: their
 * numbers follow each other, neither is inlined, and the address does not lie in another module. */
static void address_from_newer(struct dfr_facts *f, uint32_t row)
{
    const struct dfr_value *ret = row ? dfr_derive_at(f, DFR_F_STACK_RET, row - 1) : NULL;
    if (!ret || !ret->as.u || f->tables[DFR_T_STACK].reason == DFR_REASON_ELIDED)
        return;
    for (uint32_t i = row - 1; i <= row; i++) {
        const struct dfr_value *inlined = dfr_derive_at(f, DFR_F_STACK_INLINE, i);
        if (inlined && inlined->as.b)
            return;
    }
    const struct dfr_value *a = dfr_derive_at(f, DFR_F_STACK_INDEX, row - 1);
    const struct dfr_value *b = dfr_derive_at(f, DFR_F_STACK_INDEX, row);
    if (a && b && a->as.n.lo + 1 != b->as.n.lo)
        return;
    const struct dfr_value *module = dfr_derive_at(f, DFR_F_STACK_MODULE, row);
    uint32_t at = dfr_facts_module_at(f, ret->as.u);
    if (module && module->as.module.row && at != UINT32_MAX && module->as.module.row != at + 1)
        return;
    dfr_derive_cell(f, DFR_F_STACK_ADDRESS, row, dfr_v_addr(ret->as.u), ret);
}

/* A frame of which only the address is shown lies in the module that holds the address. */
static void module_from_address(struct dfr_facts *f, uint32_t row)
{
    const struct dfr_value *address = dfr_derive_at(f, DFR_F_STACK_ADDRESS, row);
    uint32_t at = address ? dfr_facts_module_at(f, address->as.u) : UINT32_MAX;
    const struct dfr_value *name =
        at == UINT32_MAX ? NULL : dfr_derive_at(f, DFR_F_MODULES_NAME, at);
    if (name)
        dfr_derive_cell(f, DFR_F_STACK_MODULE, row, dfr_facts_module(f, dfr_value_str(name)),
                        address);
}

/* Complete: it ends in the function that every thread starts with, which returns to nothing, and
 * nothing between is cut, guessed or without a name. Frames may still be missing in a text that
 * was trimmed without a trace; numbered frames show even that. */
static void completeness(struct dfr_facts *f)
{
    struct dfr_rows *t = &f->tables[DFR_T_STACK];
    if (t->complete || !t->n || (t->reason != DFR_REASON_NONE && t->reason != DFR_REASON_NOT_SHOWN))
        return;
    const struct dfr_value *ret = dfr_derive_at(f, DFR_F_STACK_RET, t->n - 1);
    if (!ret || ret->as.u || !dfr_frame_is(f, t->n - 1, DFR_ROLE_ROOT))
        return;
    for (uint32_t i = 0; i < t->n; i++) {
        const struct dfr_value *index = dfr_derive_at(f, DFR_F_STACK_INDEX, i);
        const struct dfr_value *method = dfr_derive_at(f, DFR_F_STACK_METHOD, i);
        const struct dfr_value *unloaded = dfr_derive_at(f, DFR_F_STACK_UNLOADED, i);
        const struct dfr_value *sym = dfr_derive_at(f, DFR_F_STACK_SYM, i);
        if (index && index->as.n.lo != i)
            return;
        if (method &&
            (method->as.e.value == DFR_METHOD_UNCERTAIN || method->as.e.value == DFR_METHOD_SCAN))
            return;
        if ((unloaded && unloaded->as.b) || !sym || !sym->as.sym->module.len)
            return;
        if (sym->trust == DFR_TRUST_PROSE)
            return;
    }
    dfr_derive_complete(f, DFR_T_STACK);
}

void dfr_derive_stack(struct dfr_facts *f)
{
    for (uint32_t i = 0; i < f->tables[DFR_T_STACK].n; i++) {
        cells_from_symbol(f, i);
        address_from_newer(f, i);
        module_from_address(f, i);
    }
    completeness(f);
}
