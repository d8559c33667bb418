/* Names of a recipe, and what stands where. */
#include "base/limits.h"
#include "forge/world.h"

uint32_t dfr_name_hash(struct dfr_str s)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.p[i]) * 16777619u;
    return h ^ h >> 15;
}

void dfr_name_add(struct dfr_forge *f, const struct dfr_yaml *node, struct dfr_str name,
                  uint64_t address)
{
    if (!name.len)
        return;
    for (uint32_t i = 0; i < f->names.n; i++)
        if (dfr_str_eq(f->names.v[i].name, name)) {
            dfr_recipe_error(&f->file, node, DFR_D_RECIPE_NAME, "`%.*s` is the name of two things",
                             (int)name.len, name.p);
            return;
        }
    *DFR_PUSH(f->arena, &f->names) = (struct dfr_forge_name){name, address};
}

struct dfr_forged_module *dfr_module_named(struct dfr_forge *f, struct dfr_str name)
{
    for (uint32_t i = 0; i < f->modules.n; i++)
        if (dfr_str_eq_ci(f->modules.v[i].name, name))
            return &f->modules.v[i];
    return NULL;
}

void dfr_module_at(const struct dfr_forge *f, uint64_t va, uint32_t *ret_module,
                   uint32_t *ret_function)
{
    *ret_module = *ret_function = UINT32_MAX;
    for (uint32_t i = 0; i < f->modules.n; i++) {
        const struct dfr_forged_module *m = &f->modules.v[i];
        if (va < m->base || va - m->base >= m->size)
            continue;
        *ret_module = i;
        for (uint32_t k = 0; k < m->functions.n; k++) {
            const struct dfr_forged_function *fn = &m->functions.v[k];
            if (fn->placed && va - m->base >= fn->at && va - m->base - fn->at < fn->size)
                *ret_function = k;
        }
    }
}

static bool named(struct dfr_forge *f, struct dfr_str name, uint64_t *ret)
{
    for (uint32_t i = 0; i < f->names.n; i++)
        if (dfr_str_eq(f->names.v[i].name, name)) {
            *ret = f->names.v[i].address;
            return true;
        }
    size_t bang = dfr_str_find(name, DFR_STR("!"));
    const struct dfr_forged_module *m =
        dfr_module_named(f, bang == SIZE_MAX ? name : dfr_str_slice(name, 0, bang));
    if (!m)
        return false;
    *ret = m->base;
    if (bang == SIZE_MAX)
        return true;
    struct dfr_str function = dfr_str_slice(name, bang + 1, name.len);
    for (uint32_t k = 0; k < m->functions.n; k++)
        if (m->functions.v[k].placed && dfr_str_eq(m->functions.v[k].name, function)) {
            *ret = m->base + m->functions.v[k].at;
            return true;
        }
    return false;
}

uint64_t dfr_name_value(struct dfr_forge *f, const struct dfr_ref *r, uint64_t none)
{
    uint64_t u = 0;
    if (!r->node)
        return none;
    if (!r->name.len)
        return r->add;
    if (!named(f, r->name, &u)) {
        dfr_recipe_error(&f->file, r->node, DFR_D_RECIPE_NAME,
                         "nothing in this recipe is called `%.*s`", (int)r->name.len, r->name.p);
        return 0;
    }
    u += r->add;
    return f->x86 ? u & UINT32_MAX : u;
}

void dfr_symbol_text(const struct dfr_forge *f, struct dfr_buf *b, uint64_t va)
{
    uint32_t m, k;
    dfr_module_at(f, va, &m, &k);
    if (m == UINT32_MAX) {
        dfr_buf_printf(b, "0x%llx", (unsigned long long)va);
        return;
    }
    const struct dfr_forged_module *mod = &f->modules.v[m];
    const struct dfr_forged_function *fn = k == UINT32_MAX ? NULL : &mod->functions.v[k];
    uint64_t off = va - mod->base;
    bool symbols = mod->symbols == DFR_RECIPE_PDB || mod->symbols == DFR_RECIPE_EXPORT;
    dfr_buf_str(b, mod->name);
    if (symbols && fn && fn->name.len && !(fn->hidden && mod->symbols == DFR_RECIPE_EXPORT)) {
        dfr_buf_printf(b, "!%.*s", (int)fn->name.len, fn->name.p);
        off -= fn->at;
    }
    if (off)
        dfr_buf_printf(b, "+0x%llx", (unsigned long long)off);
}
