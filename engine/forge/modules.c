/* Where modules and their functions stand. A function that a frame or another field names is made by
 * itself, with a prolog whose shape comes from its name, so that it is the same in every run. */
#include <string.h>

#include "base/limits.h"
#include "forge/world.h"

enum { TEXT_AT = 0x1000, LEAST_FUNCTION = 0x40, MOST_FUNCTION = 0x100000 };

static struct dfr_forged_function *function(struct dfr_forge *f, struct dfr_forged_module *m,
                                            struct dfr_str name)
{
    for (uint32_t i = 0; i < m->functions.n; i++)
        if (dfr_str_eq(m->functions.v[i].name, name))
            return &m->functions.v[i];
    struct dfr_forged_function *fn = DFR_PUSH(f->arena, &m->functions);
    fn->name = name;
    return fn;
}

static bool save_of(struct dfr_str s, uint8_t *ret)
{
    static const char *const names[] = {"rbx", "rbp", "rsi", "rdi", "r12", "r13", "r14", "r15"};
    static const uint8_t numbers[] = {3, 5, 6, 7, 12, 13, 14, 15};
    for (size_t i = 0; i < sizeof numbers; i++)
        if (dfr_str_eq(s, dfr_str_from(names[i]))) {
            *ret = numbers[i];
            return true;
        }
    return false;
}

/* What its prolog saves and takes: as the recipe says, else by its name. */
static void shape(struct dfr_forge *f, struct dfr_forged_function *fn, struct dfr_str module)
{
    static const uint8_t sets[4][3] = {{0}, {3}, {3, 7}, {3, 6, 7}};
    uint32_t h = dfr_name_hash(fn->name.len ? fn->name : module) + (uint32_t)fn->at;
    const struct dfr_recipe_function *r = fn->recipe;
    fn->locals = r && r->frame ? (uint32_t)r->frame : 0x20 + (h & 3) * 0x10;
    for (uint32_t i = 0; r && i < r->saves.n && i < sizeof fn->saves; i++)
        if (!save_of(r->saves.v[i], &fn->saves[fn->save_count++]))
            dfr_recipe_error(
                &f->file, r->node, DFR_D_RECIPE_VALUE,
                "`saves` names a register that calls keep: rbx rbp rsi rdi r12 to r15");
    if (!r || (!r->saves.n && !r->frame))
        for (fn->save_count = 0; fn->save_count < (h >> 8 & 3); fn->save_count++)
            fn->saves[fn->save_count] = sets[h >> 8 & 3][fn->save_count];
    if (fn->trap) {
        fn->locals = 0x158;
        fn->save_count = 1;
        fn->saves[0] = 5;
    }
    if (f->arm64) {
        fn->locals = (fn->locals + 0x1F) & ~0xFu;
        fn->save_count = 0;
        fn->prolog = 8; /* stp fp, lr, [sp, #-n]!; mov fp, sp */
    } else if (f->x86) {
        fn->locals = (fn->locals + 3) & ~3u;
        fn->save_count = 0;
        fn->prolog = 9; /* push ebp; mov ebp, esp; sub esp, n */
    } else {
        if (!fn->trap) {
            fn->locals = (fn->locals + 7) & ~7u;
            if ((8 + 8 * fn->save_count + fn->locals) % 16)
                fn->locals += 8;
        }
        fn->prolog = fn->locals < 0x80 ? 4 : 7;
        for (uint32_t i = 0; i < fn->save_count; i++)
            fn->prolog += fn->saves[i] >= 8 ? 2 : 1;
    }
}

/* Functions that fields name as module!function+offset; offsets make them longer. */
static void named_functions(struct dfr_forge *f)
{
    for (uint32_t i = 0; i < f->r.all.n; i++) {
        const struct dfr_ref *r = &f->r.all.v[i];
        size_t bang = dfr_str_find(r->name, DFR_STR("!"));
        struct dfr_forged_module *m =
            bang == SIZE_MAX ? NULL : dfr_module_named(f, dfr_str_slice(r->name, 0, bang));
        if (!m || bang + 1 == r->name.len)
            continue;
        struct dfr_forged_function *fn =
            function(f, m, dfr_str_slice(r->name, bang + 1, r->name.len));
        if (r->add >= MOST_FUNCTION)
            dfr_recipe_error(&f->file, r->node, DFR_D_RECIPE_VALUE,
                             "a function has less than 1M: +0x%llx is too far",
                             (unsigned long long)r->add);
        else if (r->add > fn->most)
            fn->most = r->add;
    }
    for (uint32_t i = 0; i < f->r.stack.n; i++) {
        const struct dfr_recipe_frame *frame = &f->r.stack.v[i];
        size_t bang = dfr_str_find(frame->at.name, DFR_STR("!"));
        struct dfr_forged_module *m =
            bang == SIZE_MAX ? NULL : dfr_module_named(f, dfr_str_slice(frame->at.name, 0, bang));
        if (m && frame->trap.len)
            function(f, m, dfr_str_slice(frame->at.name, bang + 1, frame->at.name.len))->trap =
                true;
    }
}

/* A frame written as module+0x1234 lies in a function without a name, unless the recipe has one there. */
static void nameless_function(struct dfr_forge *f, const struct dfr_ref *r)
{
    enum { BEFORE = 0x40, BEHIND = 0x30 };
    struct dfr_forged_module *m = dfr_module_named(f, r->name);
    if (!m || !r->add || r->add >= UINT32_MAX || r->add < TEXT_AT)
        return;
    for (uint32_t i = 0; i < m->functions.n; i++) {
        struct dfr_forged_function *fn = &m->functions.v[i];
        if (fn->at && r->add >= fn->at && r->add < fn->at + fn->size)
            return;
    }
    struct dfr_forged_function *fn = DFR_PUSH(f->arena, &m->functions);
    fn->at = (r->add & ~UINT64_C(0xF)) - BEFORE;
    if (fn->at < TEXT_AT)
        fn->at = TEXT_AT;
    fn->size = ((r->add + BEHIND + 0xF) & ~UINT64_C(0xF)) - fn->at;
    /* Two such places close to each other lie in one function. */
    for (uint32_t i = 0; i + 1 < m->functions.n; i++) {
        struct dfr_forged_function *o = &m->functions.v[i];
        if (o->at && o->size && fn->at < o->at + o->size && o->at < fn->at + fn->size) {
            uint64_t end =
                fn->at + fn->size > o->at + o->size ? fn->at + fn->size : o->at + o->size;
            if (!o->recipe) {
                o->at = o->at < fn->at ? o->at : fn->at;
                o->size = end - o->at;
                m->functions.n--;
                return;
            }
            if (o->at < fn->at)
                fn->at = o->at + o->size;
            fn->size = end - fn->at;
        }
    }
}

static void place_functions(struct dfr_forge *f, struct dfr_forged_module *m)
{
    uint64_t end = TEXT_AT;
    for (uint32_t i = 0; i < m->functions.n; i++) {
        struct dfr_forged_function *fn = &m->functions.v[i];
        shape(f, fn, m->name);
        if (!fn->size)
            fn->size = (fn->most + 0x30 > LEAST_FUNCTION ? fn->most + 0x30 : LEAST_FUNCTION);
        fn->size = (fn->size + 0xF) & ~UINT64_C(0xF);
        if (fn->at && fn->at + fn->size > end)
            end = fn->at + fn->size;
    }
    for (uint32_t i = 0; i < m->functions.n; i++) {
        struct dfr_forged_function *fn = &m->functions.v[i];
        if (!fn->at) {
            fn->at = end;
            end += fn->size + 0x10;
        }
        fn->placed = true;
    }
    for (uint32_t i = 0; i < m->recipe->code.n; i++) {
        const struct dfr_recipe_code *c = &m->recipe->code.v[i];
        if (!c->at.name.len && c->at.add < UINT32_MAX && c->at.add + c->bytes.len > end)
            end = c->at.add + c->bytes.len;
    }
    m->text_end = end;
}

static struct dfr_str text(struct dfr_forge *f, const char *format, struct dfr_str s)
{
    struct dfr_buf b;
    dfr_buf_init(&b, f->arena);
    dfr_buf_printf(&b, format, (int)s.len, s.p);
    return dfr_buf_text(&b);
}

static void start(struct dfr_forge *f, const struct dfr_recipe_module *r)
{
    struct dfr_forged_module *m = DFR_PUSH(f->arena, &f->modules);
    bool nt = dfr_str_eq(r->name, DFR_STR("nt"));
    m->recipe = r;
    m->name = r->name;
    m->file = r->file.len ? r->file : nt ? DFR_STR("ntoskrnl.exe") : text(f, "%.*s.sys", r->name);
    m->path =
        r->path.len
            ? r->path
            : text(f, nt ? "\\SystemRoot\\system32\\%.*s" : "\\SystemRoot\\System32\\drivers\\%.*s",
                   nt ? DFR_STR("ntoskrnl.exe") : m->file);
    m->hash = !r->built;
    m->stamp = (uint32_t)(r->built ? r->built : r->stamp ? r->stamp : dfr_name_hash(r->name));
    m->checksum =
        (uint32_t)(r->checksum ? r->checksum : (dfr_name_hash(m->file) & 0xFFFFF) + 0x4000);
    m->symbols = (enum dfr_recipe_symbols)r->symbols;
    if (m->symbols == DFR_SYMBOLS_UNSET)
        m->symbols = nt ? DFR_RECIPE_PDB : DFR_RECIPE_NO_SYMBOLS;
    for (uint32_t i = 0; i < r->functions.n; i++) {
        const struct dfr_recipe_function *rf = &r->functions.v[i];
        struct dfr_forged_function *fn = function(f, m, rf->name);
        if (rf->at >= UINT32_MAX || rf->size > MOST_FUNCTION || rf->frame > 0xFFFF ||
            (rf->at && rf->at < TEXT_AT)) {
            dfr_recipe_error(
                &f->file, rf->node, DFR_D_RECIPE_VALUE,
                "a function stands at 0x1000 or behind and is no larger than its module");
            continue;
        }
        *fn = (struct dfr_forged_function){
            .name = rf->name, .at = rf->at, .size = rf->size, .hidden = rf->hidden, .recipe = rf};
        if (fn->at && !fn->size)
            fn->size = 0x100;
    }
}

/* Behind the code: what the image says of itself, then its function table, then its variables. */
static void sections(struct dfr_forge *f, struct dfr_forged_module *m, bool nt, uint64_t *next)
{
    uint64_t names = 0, unwound = 0;
    for (uint32_t i = 0; i < m->functions.n; i++) {
        names += m->functions.v[i].name.len + 1 + 16;
        unwound += 32;
    }
    uint64_t end = ((m->text_end + 0xFFF) & ~UINT64_C(0xFFF)) + 0x400 + names + unwound;
    m->pdata = (end + 0xFFF) & ~UINT64_C(0xFFF);
    m->data = (m->pdata + 12 * m->functions.n + 0xFFF) & ~UINT64_C(0xFFF);
    m->data_end = m->data;
    uint64_t need = m->data + (nt ? 0x8000 : 0x1000);
    m->size = m->recipe->size ? m->recipe->size : (need + 0xFFFF) & ~UINT64_C(0xFFFF);
    if (m->size < need || m->size > UINT32_MAX)
        dfr_recipe_error(&f->file, m->recipe->node, DFR_D_RECIPE_VALUE,
                         "`%.*s` needs a size of 0x%llx at least", (int)m->name.len, m->name.p,
                         (unsigned long long)need);
    m->base = m->recipe->base ? m->recipe->base : *next;
    if ((m->base & 0xFFF) || m->base > (f->x86 ? UINT32_MAX : UINT64_MAX) - m->size)
        dfr_recipe_error(&f->file, m->recipe->node, DFR_D_RECIPE_VALUE,
                         "`%.*s` does not begin at a page that has room for it", (int)m->name.len,
                         m->name.p);
    *next = (m->base + m->size + 0x1FFFF) & ~UINT64_C(0xFFFF);
}

void dfr_forge_place_modules(struct dfr_forge *f)
{
    uint64_t next = f->x86 ? 0x82A00000 : f->arm64 ? 0xFFFFF80110000000 : 0xFFFFF80022000000;
    for (uint32_t i = 0; i < f->r.modules.n; i++)
        start(f, &f->r.modules.v[i]);
    if (!dfr_module_named(f, DFR_STR("nt")))
        dfr_recipe_error(&f->file, f->r.node, DFR_D_RECIPE_NAME, "no module is called `nt`");
    named_functions(f);
    if (f->r.processors.count > 1 && dfr_module_named(f, DFR_STR("nt"))) {
        struct dfr_forged_function *idle =
            function(f, dfr_module_named(f, DFR_STR("nt")), DFR_STR("KiIdleLoop"));
        if (idle->most < LEAST_FUNCTION)
            idle->most = LEAST_FUNCTION;
    }
    for (uint32_t i = 0; i < f->r.stack.n; i++)
        nameless_function(f, &f->r.stack.v[i].at);
    for (uint32_t i = 0; i < f->r.processors.states.n; i++)
        nameless_function(f, &f->r.processors.states.v[i].rip);
    for (uint32_t i = 0; i < f->modules.n; i++) {
        struct dfr_forged_module *m = &f->modules.v[i];
        place_functions(f, m);
        sections(f, m, dfr_str_eq(m->name, DFR_STR("nt")), &next);
        for (uint32_t k = 0; k < i; k++)
            if (m->base < f->modules.v[k].base + f->modules.v[k].size &&
                f->modules.v[k].base < m->base + m->size)
                dfr_recipe_error(&f->file, m->recipe->node, DFR_D_RECIPE_VALUE,
                                 "`%.*s` overlaps `%.*s`", (int)m->name.len, m->name.p,
                                 (int)f->modules.v[k].name.len, f->modules.v[k].name.p);
    }
}

uint64_t dfr_forge_data(struct dfr_forge *f, uint64_t size, uint64_t align)
{
    struct dfr_forged_module *nt = dfr_module_named(f, DFR_STR("nt"));
    uint64_t at = (nt->data_end + align - 1) & ~(align - 1);
    nt->data_end = at + size;
    return nt->base + at;
}
