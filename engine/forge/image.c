/* What an image holds in memory: headers, code with real prologs, unwind data, exports, debug records.
 * Source: the PE and exception handling specifications. */
#include <stdlib.h>
#include <string.h>

#include "forge/world.h"

enum { RDATA_HEAD = 0x200, EXPORT_DIR = 0x28 };

static uint64_t rdata(const struct dfr_forged_module *m)
{
    return (m->text_end + 0xFFF) & ~UINT64_C(0xFFF);
}

/* ---- Code ---------------------------------------------------------------------------------- */

static size_t push_code(uint8_t *p, uint8_t reg, uint8_t op)
{
    size_t n = 0;
    if (reg >= 8)
        p[n++] = 0x41;
    p[n++] = (uint8_t)(op + (reg & 7));
    return n;
}

static size_t stack_code(uint8_t *p, uint32_t size, uint8_t modrm)
{
    size_t n = 0;
    p[n++] = 0x48;
    p[n++] = size < 0x80 ? 0x83 : 0x81;
    p[n++] = modrm;
    dfr_put_le(p + n, size, size < 0x80 ? 1 : 4);
    return n + (size < 0x80 ? 1 : 4);
}

static void x64_code(uint8_t *p, const struct dfr_forged_function *fn)
{
    uint8_t end[32];
    size_t n = 0, e = 0;
    for (uint32_t i = 0; i < fn->save_count; i++)
        n += push_code(p + n, fn->saves[i], 0x50);
    stack_code(p + n, fn->locals, 0xEC); /* sub rsp */
    e = stack_code(end, fn->locals, 0xC4);
    for (uint32_t i = fn->save_count; i > 0; i--)
        e += push_code(end + e, fn->saves[i - 1], 0x58);
    end[e++] = 0xC3;
    memcpy(p + fn->size - e, end, e);
}

static void arm64_code(uint8_t *p, const struct dfr_forged_function *fn)
{
    uint32_t scaled = (0u - fn->locals / 8) & 0x7F;
    for (uint64_t i = 0; i < fn->size; i += 4)
        dfr_put_le(p + i, 0xD503201F, 4);        /* nop */
    dfr_put_le(p, 0xA9807BFD | scaled << 15, 4); /* stp fp, lr, [sp, #-n]! */
    dfr_put_le(p + 4, 0x910003FD, 4);            /* mov fp, sp */
    dfr_put_le(p + fn->size - 8, 0xA8C07BFD | (fn->locals / 8 & 0x7F) << 15, 4);
    dfr_put_le(p + fn->size - 4, 0xD65F03C0, 4); /* ret */
}

static void write_code(struct dfr_forge *f, struct dfr_forged_module *m,
                       const struct dfr_forged_function *fn)
{
    uint8_t *p = dfr_arena_alloc(f->arena, (size_t)fn->size);
    memset(p, 0x90, (size_t)fn->size);
    if (f->arm64) {
        arm64_code(p, fn);
    } else if (f->x86) {
        static const uint8_t prolog[] = {0x55, 0x8B, 0xEC, 0x81, 0xEC};
        memcpy(p, prolog, sizeof prolog);
        dfr_put_le(p + sizeof prolog, fn->locals, 4);
        p[fn->size - 2] = 0xC9; /* leave; ret */
        p[fn->size - 1] = 0xC3;
    } else {
        x64_code(p, fn);
    }
    dfr_world_put(f, m->base + fn->at, p, (size_t)fn->size);
}

/* ---- Unwind data --------------------------------------------------------------------------- */

/* Unwind codes of a prolog, last instruction first; returns their bytes. */
static uint32_t x64_unwind(uint8_t *p, const struct dfr_forged_function *fn)
{
    enum { PUSH = 0, LARGE = 1, SMALL = 2, MACHINE_FRAME = 10 };
    uint32_t slots = 0, at = fn->prolog;
    uint8_t *code = p + 4;
    bool small = fn->locals <= 128;
    p[0] = 1;
    p[1] = (uint8_t)fn->prolog;
    code[0] = (uint8_t)at;
    code[1] = small ? (uint8_t)(SMALL | (fn->locals / 8 - 1) << 4) : LARGE;
    slots = 1;
    if (!small)
        dfr_put_le(code + 2 * slots++, fn->locals / 8, 2);
    at -= fn->locals < 0x80 ? 4 : 7;
    for (uint32_t i = fn->save_count; i > 0; i--) {
        code[2 * slots] = (uint8_t)at;
        code[2 * slots++ + 1] = (uint8_t)(PUSH | (fn->saves[i - 1] << 4));
        at -= fn->saves[i - 1] >= 8 ? 2 : 1;
    }
    if (fn->trap) {
        code[2 * slots] = 0;
        code[2 * slots++ + 1] = MACHINE_FRAME | 1 << 4; /* behind an error code */
    }
    p[2] = (uint8_t)slots;
    return 4 + 2 * ((slots + 1) & ~1u);
}

static int by_at(const void *a, const void *b)
{
    const struct dfr_forged_function *const *x = a, *const *y = b;
    return ((*x)->at > (*y)->at) - ((*x)->at < (*y)->at);
}

static void write_functions(struct dfr_forge *f, struct dfr_forged_module *m, uint64_t *at)
{
    uint32_t n = m->functions.n;
    const struct dfr_forged_function **order =
        DFR_NEW_N(f->arena, n, const struct dfr_forged_function *);
    for (uint32_t i = 0; i < n; i++)
        order[i] = &m->functions.v[i];
    if (n)
        qsort(order, n, sizeof *order, by_at);
    for (uint32_t i = 0; i < n; i++) {
        const struct dfr_forged_function *fn = order[i];
        uint64_t entry = m->base + m->pdata + i * (f->arm64 ? 8 : 12);
        if (i && fn->at < order[i - 1]->at + order[i - 1]->size)
            dfr_recipe_error(&f->file, fn->recipe ? fn->recipe->node : m->recipe->node,
                             DFR_D_RECIPE_VALUE, "function `%.*s` of `%.*s` overlaps another",
                             (int)fn->name.len, fn->name.p, (int)m->name.len, m->name.p);
        write_code(f, m, fn);
        if (f->x86)
            continue;
        m->pdata_size += f->arm64 ? 8 : 12;
        dfr_world_u(f, entry, fn->at, 4);
        if (f->arm64) {
            /* Packed: length, a chained frame record, size of the frame. */
            dfr_world_u(f, entry + 4,
                        1 | fn->size / 4 << 2 | 3u << 21 | (uint64_t)(fn->locals / 16) << 23, 4);
            continue;
        }
        uint8_t unwind[40] = {0};
        uint32_t bytes = x64_unwind(unwind, fn);
        dfr_world_u(f, entry + 4, fn->at + fn->size, 4);
        dfr_world_u(f, entry + 8, *at, 4);
        dfr_world_put(f, m->base + *at, unwind, bytes);
        *at += bytes;
    }
}

/* ---- Exports and debug records ------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct dfr_forged_function *const *x = a, *const *y = b;
    return dfr_str_cmp((*x)->name, (*y)->name);
}

static void put_z(struct dfr_forge *f, uint64_t va, struct dfr_str s)
{
    dfr_world_put(f, va, s.p, s.len);
    dfr_world_u(f, va + s.len, 0, 1);
}

/* Returns the size of the export directory, 0: the image exports nothing. */
static uint32_t write_exports(struct dfr_forge *f, struct dfr_forged_module *m, uint64_t *at)
{
    uint32_t n = 0;
    const struct dfr_forged_function **v =
        DFR_NEW_N(f->arena, m->functions.n, const struct dfr_forged_function *);
    for (uint32_t i = 0; i < m->functions.n; i++)
        if (m->functions.v[i].name.len && !m->functions.v[i].hidden)
            v[n++] = &m->functions.v[i];
    if (!n || (m->symbols != DFR_RECIPE_PDB && m->symbols != DFR_RECIPE_EXPORT))
        return 0;
    qsort(v, n, sizeof *v, by_name);
    uint64_t dir = *at, addresses = dir + EXPORT_DIR, names = addresses + 4 * (uint64_t)n;
    uint64_t ordinals = names + 4 * (uint64_t)n, next = ordinals + 2 * (uint64_t)n;
    uint64_t va = m->base + dir;
    dfr_world_u(f, va + 0x0C, next, 4);
    dfr_world_u(f, va + 0x10, 1, 4);
    dfr_world_u(f, va + 0x14, n, 4);
    dfr_world_u(f, va + 0x18, n, 4);
    dfr_world_u(f, va + 0x1C, addresses, 4);
    dfr_world_u(f, va + 0x20, names, 4);
    dfr_world_u(f, va + 0x24, ordinals, 4);
    put_z(f, m->base + next, m->file);
    next += m->file.len + 1;
    for (uint32_t i = 0; i < n; i++) {
        dfr_world_u(f, m->base + addresses + 4 * i, v[i]->at, 4);
        dfr_world_u(f, m->base + names + 4 * i, next, 4);
        dfr_world_u(f, m->base + ordinals + 2 * i, i, 2);
        put_z(f, m->base + next, v[i]->name);
        next += v[i]->name.len + 1;
    }
    *at = (next + 7) & ~UINT64_C(7);
    return (uint32_t)(next - dir);
}

/* CodeView record, and the mark of a reproducible build; returns the size of the directory. */
static uint32_t write_debug(struct dfr_forge *f, struct dfr_forged_module *m, uint64_t dir)
{
    enum { ENTRY = 28, CODEVIEW = 2, REPRO = 16 };
    uint64_t record = dir + 2 * ENTRY, va = m->base + record;
    struct dfr_buf pdb;
    dfr_buf_init(&pdb, f->arena);
    size_t stem = m->file.len;
    while (stem && m->file.p[stem - 1] != '.')
        stem--;
    dfr_buf_printf(&pdb, "%.*spdb", (int)stem, m->file.p);
    dfr_world_put(f, va, "RSDS", 4);
    for (uint32_t i = 0; i < 4; i++)
        dfr_world_u(f, va + 4 + 4 * i, (dfr_name_hash(m->file) ^ m->stamp) * (2 * i + 1), 4);
    dfr_world_u(f, va + 20, 1, 4);
    put_z(f, va + 24, dfr_buf_text(&pdb));
    for (uint32_t i = 0; i < (m->hash ? 2u : 1u); i++) {
        uint64_t e = m->base + dir + i * ENTRY;
        dfr_world_u(f, e + 4, m->stamp, 4);
        dfr_world_u(f, e + 12, i ? REPRO : CODEVIEW, 4);
        dfr_world_u(f, e + 16, i ? 0 : 24 + pdb.len + 1, 4);
        dfr_world_u(f, e + 20, i ? 0 : record, 4);
        dfr_world_u(f, e + 24, i ? 0 : record, 4);
    }
    return ENTRY * (m->hash ? 2u : 1u);
}

/* ---- Headers ------------------------------------------------------------------------------- */

static void write_headers(struct dfr_forge *f, struct dfr_forged_module *m, uint32_t exports,
                          uint64_t export_at, uint32_t debug, uint64_t debug_at)
{
    enum { NEW = 0x80, OPTIONAL = NEW + 24, SECTIONS = 4 };
    uint32_t dirs = OPTIONAL + (f->x86 ? 96 : 112), head = dirs + 16 * 8;
    uint64_t b = m->base, rd = rdata(m);
    dfr_world_fill(f, b, 0, DFR_FORGE_PAGE);
    dfr_world_put(f, b, "MZ", 2);
    dfr_world_u(f, b + 0x3C, NEW, 4);
    dfr_world_put(f, b + NEW, "PE", 2);
    dfr_world_u(f, b + NEW + 4, f->x86 ? 0x14C : f->arm64 ? 0xAA64 : 0x8664, 2);
    dfr_world_u(f, b + NEW + 6, SECTIONS, 2);
    dfr_world_u(f, b + NEW + 8, m->stamp, 4);
    dfr_world_u(f, b + NEW + 20, head - OPTIONAL, 2);
    dfr_world_u(f, b + NEW + 22, f->x86 ? 0x102 : 0x22, 2);
    uint64_t o = b + OPTIONAL;
    dfr_world_u(f, o, f->x86 ? 0x10B : 0x20B, 2);
    dfr_world_u(f, o + 0x04, rd - 0x1000, 4);
    dfr_world_u(f, o + 0x10, m->functions.n ? m->functions.v[0].at : 0x1000, 4);
    dfr_world_u(f, o + 0x14, 0x1000, 4);
    dfr_world_u(f, o + (f->x86 ? 0x1C : 0x18), b, f->ptr);
    dfr_world_u(f, o + 0x20, 0x1000, 4); /* both alignments: the file is laid out as memory is */
    dfr_world_u(f, o + 0x24, 0x1000, 4);
    dfr_world_u(f, o + 0x28, 10, 2);
    dfr_world_u(f, o + 0x30, 10, 2);
    dfr_world_u(f, o + 0x38, m->size, 4);
    dfr_world_u(f, o + 0x3C, 0x1000, 4);
    dfr_world_u(f, o + 0x40, m->checksum, 4);
    dfr_world_u(f, o + 0x44, 1, 2); /* native */
    dfr_world_u(f, b + dirs - 4, 16, 4);
    const struct {
        uint32_t number;
        uint64_t at;
        uint64_t size;
    } d[] = {{0, export_at, exports}, {3, m->pdata, m->pdata_size}, {6, debug_at, debug}};
    for (size_t i = 0; i < sizeof d / sizeof *d; i++)
        if (d[i].size) {
            dfr_world_u(f, b + dirs + 8 * d[i].number, d[i].at, 4);
            dfr_world_u(f, b + dirs + 8 * d[i].number + 4, d[i].size, 4);
        }
    const struct {
        const char *name;
        uint64_t from, to;
        uint32_t flags;
    } s[SECTIONS] = {{".text", 0x1000, rd, 0x68000020},
                     {".rdata", rd, m->pdata, 0x48000040},
                     {".pdata", m->pdata, m->data, 0x48000040},
                     {".data", m->data, m->size, 0xC8000040}};
    for (uint32_t i = 0; i < SECTIONS; i++) {
        uint64_t h = b + head + 40 * i, size = s[i].to - s[i].from;
        dfr_world_put(f, h, s[i].name, strlen(s[i].name));
        dfr_world_u(f, h + 8, size, 4);
        dfr_world_u(f, h + 12, s[i].from, 4);
        dfr_world_u(f, h + 16, size, 4);
        dfr_world_u(f, h + 20, s[i].from, 4);
        dfr_world_u(f, h + 36, s[i].flags, 4);
    }
}

static void write_module(struct dfr_forge *f, struct dfr_forged_module *m)
{
    uint64_t at = rdata(m), debug_at = at, exports_at;
    for (uint32_t i = 0; i < m->functions.n; i++)
        for (uint64_t k = m->functions.v[i].at & ~UINT64_C(0xFFF);
             k < m->functions.v[i].at + m->functions.v[i].size; k += DFR_FORGE_PAGE)
            dfr_world_fill(f, m->base + k, 0xCC, DFR_FORGE_PAGE);
    uint32_t debug = write_debug(f, m, debug_at);
    exports_at = at += RDATA_HEAD;
    uint32_t exports = write_exports(f, m, &at);
    write_functions(f, m, &at);
    write_headers(f, m, exports, exports_at, debug, debug_at);
}

void dfr_forge_write_modules(struct dfr_forge *f)
{
    for (uint32_t i = 0; i < f->modules.n; i++)
        write_module(f, &f->modules.v[i]);
}

/* Bytes that the recipe asks for: they win over prologs and calls. */
void dfr_forge_write_code(struct dfr_forge *f)
{
    for (uint32_t k = 0; k < f->modules.n; k++) {
        const struct dfr_forged_module *m = &f->modules.v[k];
        for (uint32_t i = 0; i < m->recipe->code.n; i++) {
            const struct dfr_recipe_code *c = &m->recipe->code.v[i];
            uint64_t va = c->at.name.len ? dfr_name_value(f, &c->at, 0) : m->base + c->at.add;
            if (va < m->base || c->bytes.len > m->size || va - m->base > m->size - c->bytes.len)
                dfr_recipe_error(&f->file, c->node, DFR_D_RECIPE_VALUE,
                                 "the code lies outside `%.*s`", (int)m->name.len, m->name.p);
            else
                dfr_world_put(f, va, c->bytes.p, c->bytes.len);
        }
    }
}
