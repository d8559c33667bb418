/* Small dumps of both writers. A debugger copies every processor and every range that it thinks useful;
 * the kernel, in the crash, copies the crashing processor and what the parameters point to. */
#include <string.h>

#include "forge/world.h"

struct out {
    struct dfr_forge *f;
    struct dfr_forge_file *file;
    uint64_t at;
};

/* The next `len` bytes of the file, at a multiple of 8; their offset in *ret. */
static uint8_t *take(struct out *o, size_t len, uint64_t *ret)
{
    o->at = (o->at + 7) & ~UINT64_C(7);
    *ret = o->at;
    uint8_t *p = dfr_forge_piece(o->f, o->file, o->at, len);
    o->at += len;
    return p;
}

static uint64_t copy(struct out *o, uint64_t va, uint64_t size)
{
    uint64_t at;
    uint8_t *p = take(o, size, &at);
    dfr_world_get(o->f, va, p, size);
    return at;
}

/* A name as the driver list refers to it: count, UTF-16 units, an end. */
static uint64_t string(struct out *o, struct dfr_str s)
{
    uint8_t *text;
    uint64_t at;
    uint32_t bytes = dfr_world_utf16(o->f->arena, s, &text);
    uint8_t *p = take(o, 4 + bytes + 2, &at);
    dfr_put_le(p, bytes / 2, 4);
    memcpy(p + 4, text, bytes);
    return at;
}

static void driver(struct dfr_forge *f, const struct dfr_forged_module *m, bool by_kernel,
                   uint8_t *e)
{
    uint8_t *k = e + (f->x86 ? 4 : 8); /* a copy of the loader's entry */
    if (by_kernel) {
        dfr_put_le(k, m->entry + 0x40, f->ptr);
        dfr_put_le(k + f->ptr, m->entry - 0x40, f->ptr);
        dfr_put_le(k + 2 * f->ptr, m->pdata_size ? m->base + m->pdata : 0, f->ptr);
        dfr_put_le(k + 3 * f->ptr, m->pdata_size, 4);
        dfr_put_le(k + 7 * f->ptr, m->base + 0x1000, f->ptr);
        dfr_put_le(k + (f->x86 ? 0x34 : 0x68), 0x49104000, 4);
        dfr_put_le(k + (f->x86 ? 0x38 : 0x6C), 1, 2);
    }
    dfr_put_le(k + 6 * f->ptr, m->base, f->ptr);
    dfr_put_le(k + 8 * f->ptr, m->size, 4);
    dfr_put_le(k + (f->x86 ? 0x40 : 0x78), m->checksum, 4);
    dfr_put_le(k + (f->x86 ? 0x44 : 0x80), m->stamp, 4);
}

static uint64_t drivers(struct out *o, bool by_kernel, uint64_t *ret_strings, uint64_t *ret_bytes)
{
    struct dfr_forge *f = o->f;
    size_t stride = f->x86 ? 0x4C : 0x90;
    uint64_t at;
    uint8_t *list = take(o, stride * f->modules.n, &at);
    *ret_strings = (o->at + 7) & ~UINT64_C(7);
    for (uint32_t i = 0; i < f->modules.n; i++) {
        const struct dfr_forged_module *m = &f->modules.v[i];
        dfr_put_le(list + i * stride, string(o, by_kernel ? m->file : m->path), 4);
        driver(f, m, by_kernel, list + i * stride);
    }
    *ret_bytes = o->at - *ret_strings;
    return at;
}

static uint64_t unloaded(struct out *o)
{
    enum { NAME_UNITS = 12 };
    struct dfr_forge *f = o->f;
    unsigned p = f->ptr;
    size_t stride = f->x86 ? 0x28 : 0x38, name = f->x86 ? 8 : 0x10;
    uint64_t at;
    uint8_t *list = take(o, p + stride * f->r.unloaded.n, &at);
    dfr_put_le(list, f->r.unloaded.n, p);
    for (uint32_t i = 0; i < f->r.unloaded.n; i++) {
        const struct dfr_recipe_unloaded *u = &f->r.unloaded.v[i];
        uint8_t *e = list + p + i * stride, *text;
        uint32_t bytes = dfr_world_utf16(f->arena, u->name, &text);
        if (bytes > 2 * NAME_UNITS)
            bytes = 2 * NAME_UNITS;
        dfr_put_le(e, bytes, 2);
        dfr_put_le(e + 2, 2 * NAME_UNITS, 2);
        memcpy(e + name, text, bytes);
        dfr_put_le(e + name + 2 * NAME_UNITS, u->base, p);
        dfr_put_le(e + name + 2 * NAME_UNITS + p, u->base + u->size, p);
    }
    return at;
}

/* The ranges that this writer holds: a table, then their bytes. */
static uint64_t blocks(struct out *o, unsigned who, uint32_t *ret_n)
{
    struct dfr_forge *f = o->f;
    uint32_t n = 0, stride = f->x86 ? 12 : 16;
    uint64_t at;
    for (uint32_t i = 0; i < f->blocks.n; i++)
        n += (f->blocks.v[i].holds & who) != 0;
    uint8_t *table = take(o, (size_t)stride * n, &at);
    for (uint32_t i = 0; i < f->blocks.n; i++) {
        const struct dfr_forge_block *b = &f->blocks.v[i];
        if (!(b->holds & who))
            continue;
        uint64_t off = copy(o, b->va, b->size);
        dfr_put_le(table, b->va, f->ptr);
        dfr_put_le(table + f->ptr, off, 4);
        dfr_put_le(table + f->ptr + 4, b->size, 4);
        table += stride;
    }
    *ret_n = n;
    return at;
}

static uint64_t mm_block(struct out *o, bool by_kernel)
{
    enum { SIZE = 0x50 };
    uint64_t at;
    uint8_t *p = take(o, SIZE, &at);
    dfr_put_le(p, 1, 4);
    dfr_put_le(p + 4, SIZE, 4);
    if (by_kernel) {
        dfr_put_le(p + 0x10, o->f->r.verifier.flags, 4);
        dfr_put_le(p + 0x38, 0x1A2B30, 8);
        dfr_put_le(p + 0x40, 0x1F0000, 8);
        dfr_put_le(p + 0x48, 0x4B5000, 8);
    }
    return at;
}

void dfr_forge_triage(struct dfr_forge *f, bool by_kernel, struct dfr_forge_file *file)
{
    const struct dfr_layout *l = f->l;
    uint64_t head = f->x86 ? 0x1000 : 0x2000, strings, string_bytes, mark;
    struct out o = {f, file, head};
    uint32_t n;
    const struct dfr_forged_processor *own = &f->processors.v[f->r.processors.crashing];
    uint8_t *t = take(&o, f->x86 ? 0x68 : 0x80, &head);
    memset(t, 0, f->x86 ? 0x68 : 0x80);
    dfr_put_le(t + 0x0C, f->x86 ? 0x320 : 0x348, 4);
    dfr_put_le(t + 0x10, f->x86 ? 0x7D0 : 0xF00, 4);
    dfr_put_le(t + 0x14, mm_block(&o, by_kernel), 4);
    dfr_put_le(t + 0x18, unloaded(&o), 4);
    dfr_put_le(t + 0x1C, copy(&o, own->prcb, l->prcb_size), 4);
    dfr_put_le(t + 0x20, copy(&o, f->process, l->process_size), 4);
    dfr_put_le(t + 0x24, copy(&o, f->thread, l->thread_size), 4);
    dfr_put_le(t + 0x28, copy(&o, f->stack_low, f->stack_high - f->stack_low), 4);
    dfr_put_le(t + 0x2C, f->stack_high - f->stack_low, 4);
    dfr_put_le(t + 0x30, drivers(&o, by_kernel, &strings, &string_bytes), 4);
    dfr_put_le(t + 0x34, f->modules.n, 4);
    dfr_put_le(t + 0x38, strings, 4);
    dfr_put_le(t + 0x3C, string_bytes, 4);
    dfr_put_le(t + 0x44, by_kernel ? 0x41 : UINT32_MAX, 4);
    dfr_put_le(t + 0x48, f->stack_low, f->ptr);
    uint64_t kdbg = copy(&o, f->kdbg, l->kdbg_size);
    dfr_put_le(t + (f->x86 ? 0x58 : 0x70), kdbg, 4);
    dfr_put_le(t + (f->x86 ? 0x5C : 0x74), l->kdbg_size, 4);
    dfr_put_le(t + (f->x86 ? 0x60 : 0x78),
               blocks(&o, by_kernel ? DFR_HELD_BY_KERNEL : DFR_HELD_BY_DEBUGGER, &n), 4);
    dfr_put_le(t + (f->x86 ? 0x64 : 0x7C), n, 4);
    memcpy(take(&o, 4, &mark), "TRGD", 4);
    dfr_put_le(t + 0x04, mark + 4, 4);
    dfr_put_le(t + 0x08, mark, 4);
    file->size = o.at;
    dfr_forge_blobs(f, file, !by_kernel);
}
