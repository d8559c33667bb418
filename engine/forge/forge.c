/* From a recipe to a file. */
#include "forge/forge.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "forge/world.h"

uint8_t *dfr_forge_piece(struct dfr_forge *f, struct dfr_forge_file *out, uint64_t at, size_t len)
{
    uint8_t *p = dfr_arena_alloc(f->arena, len);
    *DFR_PUSH(f->arena, out) = (struct dfr_forge_piece){at, p, len};
    return p;
}

static void choose_layout(struct dfr_forge *f)
{
    const struct dfr_layout *rows;
    size_t n;
    f->x86 = f->r.arch == DFR_RECIPE_X86 || f->r.arch == DFR_RECIPE_X86_PAE;
    f->pae = f->r.arch == DFR_RECIPE_X86_PAE;
    f->arm64 = f->r.arch == DFR_RECIPE_ARM64;
    f->ptr = f->x86 ? 4 : 8;
    rows = f->x86 ? dfr_layout_x86 : f->arm64 ? dfr_layout_arm64 : dfr_layout_x64;
    n = f->x86     ? sizeof dfr_layout_x86 / sizeof *rows
        : f->arm64 ? sizeof dfr_layout_arm64 / sizeof *rows
                   : sizeof dfr_layout_x64 / sizeof *rows;
    if (!f->r.build)
        f->r.build = rows[0].build;
    f->l = &rows[0];
    for (size_t i = 0; i < n; i++)
        if (rows[i].build == f->r.build)
            f->l = &rows[i];
    if (f->l->build != f->r.build)
        dfr_recipe_error(&f->file, f->r.node, DFR_D_RECIPE_VALUE,
                         "the layout of build %llu is not known; x64 has 19041 and 26100, arm64 "
                         "22000, x86 19041",
                         (unsigned long long)f->r.build);
}

static void defaults(struct dfr_forge *f)
{
    struct dfr_recipe *r = &f->r;
    if (!r->time)
        r->time = 1773480413; /* 2026-03-14T09:26:53Z */
    if (!r->uptime)
        r->uptime = 11232250;
    if (r->time > 4294967295u || r->uptime > UINT64_C(1) << 40 || r->ram > UINT64_C(1) << 44)
        dfr_recipe_error(&f->file, r->node, DFR_D_RECIPE_VALUE,
                         "`time`, `uptime` or `ram` is out of range");
    if (r->bugcheck.code > UINT32_MAX || r->bugcheck.args.n > 4)
        dfr_recipe_error(&f->file, r->bugcheck.node, DFR_D_RECIPE_VALUE,
                         "a bug check has 32 bits and four parameters");
    if (r->attributes > UINT32_MAX ||
        (r->l1tf && (f->x86 || f->arm64 || r->l1tf < 36 || r->l1tf > 47)))
        dfr_recipe_error(&f->file, r->node, DFR_D_RECIPE_VALUE,
                         "`attributes` has 32 bits, and `l1tf` is a bit from 36 to 47 on x64");
    f->pool = f->x86 ? 0x85400000 : f->arm64 ? 0xFFFFA40412000000 : 0xFFFF9D8312C00000;
}

/* The whole picture. False after errors. */
static bool picture(struct dfr_forge *f)
{
    uint32_t before = f->file.diags->errors;
    if (!dfr_recipe_read(&f->file, &f->r))
        return false;
    choose_layout(f);
    defaults(f);
    if (f->file.diags->errors != before)
        return false;
    dfr_forge_place_modules(f);
    if (f->file.diags->errors != before)
        return false;
    dfr_forge_kernel_names(f);
    if (f->file.diags->errors != before)
        return false;
    dfr_forge_place_stack(f);
    dfr_forge_place_objects(f);
    for (uint32_t i = 0; i < f->r.bugcheck.args.n && i < 4; i++)
        f->args[i] = dfr_name_value(f, &f->r.bugcheck.args.v[i], 0);
    if (f->file.diags->errors != before)
        return false;
    dfr_forge_write_stack(f);
    dfr_forge_write_modules(f);
    dfr_forge_write_calls(f);
    dfr_forge_write_code(f);
    if (f->images)
        dfr_forge_take_images(f);
    dfr_forge_write_kernel(f);
    dfr_forge_write_objects(f);
    dfr_forge_write_whea(f);
    dfr_forge_map(f);
    return f->file.diags->errors == before;
}

static struct dfr_forge *start(struct dfr_arena *a, struct dfr_str path, struct dfr_str text,
                               struct dfr_diags *diags)
{
    struct dfr_forge *f = DFR_NEW(a, struct dfr_forge);
    f->arena = a;
    f->file = (struct dfr_yaml_file){a, diags, path, text};
    return f;
}

static enum dfr_status bad_recipe(const struct dfr_diags *diags, struct dfr_err *err)
{
    return dfr_fail(err, DFR_BAD_RULES, "the recipe has %u error%s", diags->errors,
                    diags->errors == 1 ? "" : "s");
}

static int by_offset(const void *a, const void *b)
{
    const struct dfr_forge_piece *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

enum dfr_status dfr_forge_dump(struct dfr_arena *a, struct dfr_str path, struct dfr_str text,
                               enum dfr_forge_kind kind, struct dfr_diags *diags,
                               struct dfr_forge_file *ret, struct dfr_err *err)
{
    struct dfr_forge *f = start(a, path, text, diags);
    struct dfr_forge_file out = {0};
    if (!picture(f))
        return bad_recipe(diags, err);
    uint32_t size = f->x86 ? 0x1000 : 0x2000;
    uint8_t *h = dfr_forge_piece(f, &out, 0, size);
    out.size = size;
    dfr_forge_header(f, kind, h);
    if (kind == DFR_FORGE_TRIAGE || kind == DFR_FORGE_TRIAGE_KERNEL)
        dfr_forge_triage(f, kind == DFR_FORGE_TRIAGE_KERNEL, &out);
    else if (kind != DFR_FORGE_HEADER)
        dfr_forge_pages(f, kind, &out);
    dfr_put_le(h + 0xFA0, out.size, 8);
    if (f->r.damage.cut && f->r.damage.cut < out.size)
        out.size = f->r.damage.cut;
    if (diags->errors)
        return bad_recipe(diags, err);
    qsort(out.v, out.n, sizeof *out.v, by_offset);
    *ret = out;
    return DFR_OK;
}

enum dfr_status dfr_forge_text(struct dfr_arena *a, struct dfr_str path, struct dfr_str text,
                               struct dfr_diags *diags, struct dfr_buf *ret, struct dfr_err *err)
{
    struct dfr_forge *f = start(a, path, text, diags);
    if (!picture(f))
        return bad_recipe(diags, err);
    dfr_forge_transcript(f, ret);
    return DFR_OK;
}

enum dfr_status dfr_forge_images(struct dfr_arena *a, struct dfr_str path, struct dfr_str text,
                                 struct dfr_diags *diags, struct dfr_forge_images *ret,
                                 struct dfr_err *err)
{
    struct dfr_forge *f = start(a, path, text, diags);
    struct dfr_forge_images images = {0};
    f->images = &images;
    if (!picture(f))
        return bad_recipe(diags, err);
    *ret = images;
    return DFR_OK;
}
