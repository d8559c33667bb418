/* What the parameters of a bug check point to: records, I/O objects, pool blocks, locks, other memory.
 * Offsets from types of public symbol files (x64); on x86 those of the same types there. */
#include <string.h>

#include "base/limits.h"
#include "forge/world.h"

enum {
    DEVICE64 = 0x150,
    DRIVER64 = 0x150,
    IRP64 = 0xD0,
    LOCATION64 = 0x48,
    DEVICE32 = 0xB8,
    DRIVER32 = 0xA8,
    IRP32 = 0x70,
    LOCATION32 = 0x24,
    LOCK64 = 0x68,
    LOCK32 = 0x38,
    MOST_MEMORY = 0x100000,
};

static uint64_t object(struct dfr_forge *f, const struct dfr_yaml *node, struct dfr_str name,
                       uint64_t size, uint64_t align)
{
    uint64_t va = dfr_world_alloc(f, size, align);
    dfr_name_add(f, node, name, va);
    return va;
}

static uint64_t memory_size(const struct dfr_forge *f, const struct dfr_recipe_memory *m)
{
    uint64_t size = m->size, have = m->bytes.len;
    if (m->text.len > have)
        have = m->text.len + 1;
    if (m->words.n * (uint64_t)f->ptr > have)
        have = m->words.n * (uint64_t)f->ptr;
    return size > have ? size : have;
}

void dfr_forge_place_objects(struct dfr_forge *f)
{
    const struct dfr_recipe *r = &f->r;
    uint64_t all = 0;
    for (uint32_t i = 0; i < r->contexts.n; i++)
        (void)object(f, r->contexts.v[i].node, r->contexts.v[i].name, dfr_forge_context_bytes(f),
                     16);
    for (uint32_t i = 0; i < r->exceptions.n; i++)
        (void)object(f, r->exceptions.v[i].node, r->exceptions.v[i].name, 0x98, 16);
    for (uint32_t i = 0; i < r->memory.n; i++) {
        const struct dfr_recipe_memory *m = &r->memory.v[i];
        uint64_t size = memory_size(f, m);
        all += size > MOST_MEMORY ? MOST_MEMORY : size;
        if (size > MOST_MEMORY)
            dfr_recipe_error(&f->file, m->node, DFR_D_RECIPE_VALUE, "one block has at most 1M");
        else if (all > DFR_LIMIT_RECIPE_MEMORY) {
            dfr_recipe_error(&f->file, m->node, DFR_D_RECIPE_VALUE,
                             "all blocks together have at most 64M");
            return;
        } else if (!m->at.node)
            (void)object(f, m->node, m->name, memory_size(f, m), 16);
        else
            dfr_name_add(f, m->node, m->name, dfr_name_value(f, &m->at, 0));
    }
    for (uint32_t i = 0; i < r->drivers.n; i++)
        (void)object(f, r->drivers.v[i].node, r->drivers.v[i].name, f->x86 ? DRIVER32 : DRIVER64,
                     16);
    for (uint32_t i = 0; i < r->devices.n; i++)
        (void)object(f, r->devices.v[i].node, r->devices.v[i].name, f->x86 ? DEVICE32 : DEVICE64,
                     16);
    for (uint32_t i = 0; i < r->irps.n; i++) {
        if (r->irps.v[i].stack.n > 100 || !r->irps.v[i].current ||
            r->irps.v[i].current > r->irps.v[i].stack.n + 1)
            dfr_recipe_error(&f->file, r->irps.v[i].node, DFR_D_RECIPE_VALUE,
                             "`current` is one of the 1 to 100 locations");
        (void)object(f, r->irps.v[i].node, r->irps.v[i].name,
                     f->x86 ? IRP32 + LOCATION32 * r->irps.v[i].stack.n
                            : IRP64 + LOCATION64 * r->irps.v[i].stack.n,
                     16);
    }
    for (uint32_t i = 0; i < r->whea.n; i++)
        (void)object(f, r->whea.v[i].node, r->whea.v[i].name, 0x1000, 8);
    for (uint32_t i = 0; i < r->locks.n; i++)
        (void)object(f, r->locks.v[i].node, r->locks.v[i].name, f->x86 ? LOCK32 : LOCK64, 16);
    for (uint32_t i = 0; i < r->pool.n; i++) {
        const struct dfr_recipe_pool *p = &r->pool.v[i];
        uint64_t grain = f->x86 ? 8 : 16;
        if (p->size % grain || p->previous % grain || !p->size || p->size > 0xFF0 ||
            p->previous > 0xFF0 || p->tag.len != 4)
            dfr_recipe_error(&f->file, p->node, DFR_D_RECIPE_VALUE,
                             "a pool block has a multiple of %u bytes below a page, and a tag of 4 "
                             "characters",
                             (unsigned)grain);
        (void)object(f, p->node, p->name, DFR_FORGE_PAGE, DFR_FORGE_PAGE);
    }
}

static uint64_t at(struct dfr_forge *f, const struct dfr_yaml *node, struct dfr_str name)
{
    struct dfr_ref r = {.node = node, .name = name};
    return dfr_name_value(f, &r, 0);
}

static void put_exception(struct dfr_forge *f, const struct dfr_recipe_exception *e)
{
    uint64_t va = at(f, e->node, e->name);
    unsigned n = e->parameters.n < 15 ? e->parameters.n : 15;
    unsigned first = f->x86 ? 0x14 : 0x20;
    dfr_world_fill(f, va, 0, f->x86 ? 0x50 : 0x98);
    dfr_world_u(f, va, e->code, 4);
    dfr_world_ptr(f, va + (f->x86 ? 0xC : 0x10), dfr_name_value(f, &e->address, 0));
    dfr_world_u(f, va + (f->x86 ? 0x10 : 0x18), n, 4);
    for (unsigned i = 0; i < n; i++)
        dfr_world_ptr(f, va + first + i * f->ptr, dfr_name_value(f, &e->parameters.v[i], 0));
    dfr_world_hold(f, va, f->x86 ? 0x50 : 0x98, DFR_HELD_BY_BOTH);
    if (e->header)
        f->header_exception = va;
}

static void put_memory(struct dfr_forge *f, const struct dfr_recipe_memory *m)
{
    uint64_t va = m->at.node ? dfr_name_value(f, &m->at, 0) : at(f, m->node, m->name);
    uint64_t size = memory_size(f, m);
    if (size > MOST_MEMORY)
        return;
    /* Where it lies in memory that is there already, only its content changes. */
    if (!dfr_world_page(f, va, false) || !m->at.node)
        dfr_world_fill(f, va, 0, size);
    dfr_world_put(f, va, m->bytes.p, m->bytes.len);
    if (m->text.len)
        dfr_world_put(f, va, m->text.p, m->text.len);
    for (uint32_t i = 0; i < m->words.n; i++)
        dfr_world_ptr(f, va + i * f->ptr, dfr_name_value(f, &m->words.v[i], 0));
    dfr_world_hold(f, va, size, DFR_HELD_BY_BOTH);
}

static void put_driver(struct dfr_forge *f, const struct dfr_recipe_driver *d)
{
    uint64_t va = at(f, d->node, d->name);
    const struct dfr_forged_module *m = dfr_module_named(f, d->module);
    struct dfr_buf b;
    dfr_buf_init(&b, f->arena);
    if (!m)
        dfr_recipe_error(&f->file, d->node, DFR_D_RECIPE_NAME, "no module is called `%.*s`",
                         (int)d->module.len, d->module.p);
    dfr_buf_printf(&b, "\\Driver\\%.*s", (int)d->module.len, d->module.p);
    dfr_world_fill(f, va, 0, f->x86 ? DRIVER32 : DRIVER64);
    dfr_world_u(f, va, 4, 2);
    dfr_world_u(f, va + 2, f->x86 ? DRIVER32 : DRIVER64, 2);
    dfr_world_ptr(f, va + (f->x86 ? 0xC : 0x18), m ? m->base : 0);
    dfr_world_u(f, va + (f->x86 ? 0x10 : 0x20), m ? m->size : 0, 4);
    dfr_world_unicode(f, va + (f->x86 ? 0x1C : 0x38), d->object.len ? d->object : dfr_buf_text(&b),
                      DFR_HELD_BY_BOTH);
    dfr_world_hold(f, va, f->x86 ? DRIVER32 : DRIVER64, DFR_HELD_BY_BOTH);
}

static void put_device(struct dfr_forge *f, const struct dfr_recipe_device *d)
{
    uint64_t va = at(f, d->node, d->name), driver = at(f, d->node, d->driver);
    dfr_world_fill(f, va, 0, f->x86 ? DEVICE32 : DEVICE64);
    dfr_world_u(f, va, 3, 2);
    dfr_world_u(f, va + 2, f->x86 ? DEVICE32 : DEVICE64, 2);
    dfr_world_ptr(f, va + 0x8, driver);
    dfr_world_ptr(f, va + (f->x86 ? 0x10 : 0x18), dfr_name_value(f, &d->attached, 0));
    dfr_world_hold(f, va, f->x86 ? DEVICE32 : DEVICE64, DFR_HELD_BY_BOTH);
}

static void put_irp(struct dfr_forge *f, const struct dfr_recipe_irp *r)
{
    uint64_t va = at(f, r->node, r->name), first = va + (f->x86 ? IRP32 : IRP64);
    uint64_t step = f->x86 ? LOCATION32 : LOCATION64, size = first - va + step * r->stack.n;
    dfr_world_fill(f, va, 0, size);
    dfr_world_u(f, va, 6, 2);
    dfr_world_u(f, va + 2, size, 2);
    dfr_world_u(f, va + (f->x86 ? 0x22 : 0x42), r->stack.n, 1);
    dfr_world_u(f, va + (f->x86 ? 0x23 : 0x43), r->current, 1);
    dfr_world_ptr(f, va + (f->x86 ? 0x50 : 0x98), dfr_name_value(f, &r->thread, 0));
    dfr_world_ptr(f, va + (f->x86 ? 0x60 : 0xB8), first + (r->current - 1) * step);
    for (uint32_t i = 0; i < r->stack.n; i++) {
        const struct dfr_recipe_location *l = &r->stack.v[i];
        uint64_t s = first + i * step;
        dfr_world_u(f, s, l->major, 1);
        dfr_world_u(f, s + 1, l->minor, 1);
        dfr_world_u(f, s + 3, l->control, 1);
        dfr_world_ptr(f, s + (f->x86 ? 0x14 : 0x28), dfr_name_value(f, &l->device, 0));
        dfr_world_ptr(f, s + (f->x86 ? 0x1C : 0x38), dfr_name_value(f, &l->completion, 0));
        dfr_world_ptr(f, s + (f->x86 ? 0x20 : 0x40), dfr_name_value(f, &l->context, 0));
    }
    dfr_world_hold(f, va, size, DFR_HELD_BY_BOTH);
}

/* Header of a pool block: previous size and size in units, index, kind; then the tag. */
static void put_pool(struct dfr_forge *f, const struct dfr_recipe_pool *p)
{
    uint64_t va = at(f, p->node, p->name), unit = f->x86 ? 8 : 16;
    uint64_t kind = p->unused ? 0 : p->paged ? 3 : 2;
    dfr_world_fill(f, va, 0, DFR_FORGE_PAGE);
    if (f->x86)
        dfr_world_u(f, va, p->previous / unit | p->size / unit << 16 | kind << 25, 4);
    else
        dfr_world_u(f, va, p->previous / unit | p->size / unit << 16 | kind << 24, 4);
    dfr_world_put(f, va + 4, p->tag.p, p->tag.len < 4 ? p->tag.len : 4);
    /* What stands before and behind a block in its page: one more block each. */
    dfr_world_u(f, va + p->size,
                p->size / unit | (0x100 - p->size / unit) << 16 | UINT64_C(2) << 24, 4);
    dfr_world_put(f, va + p->size + 4, "MmSt", 4);
    dfr_world_hold(f, va, DFR_FORGE_PAGE, DFR_HELD_BY_BOTH);
}

/* ERESOURCE, linked into the system's list: owner, contention, waiters. */
static void put_lock(struct dfr_forge *f, const struct dfr_recipe_lock *l)
{
    uint64_t va = at(f, l->node, l->name);
    dfr_world_fill(f, va, 0, f->x86 ? LOCK32 : LOCK64);
    dfr_world_u(f, va + (f->x86 ? 0xC : 0x18), 1, 2);    /* active entries */
    dfr_world_u(f, va + (f->x86 ? 0xE : 0x1A), 0x80, 2); /* owned exclusively */
    dfr_world_ptr(f, va + (f->x86 ? 0x18 : 0x30), dfr_name_value(f, &l->owner, 0));
    dfr_world_u(f, va + (f->x86 ? 0x1C : 0x38), 1u << 2, 4);
    dfr_world_u(f, va + (f->x86 ? 0x24 : 0x44), l->contention, 4);
    dfr_world_u(f, va + (f->x86 ? 0x2C : 0x4C), l->waiters, 4);
    /* At the end of the list, as the kernel does. */
    uint64_t last = dfr_world_read(f, f->resources + f->ptr, f->ptr);
    dfr_world_ptr(f, va, f->resources);
    dfr_world_ptr(f, va + f->ptr, last);
    dfr_world_ptr(f, last, va);
    dfr_world_ptr(f, f->resources + f->ptr, va);
    dfr_world_hold(f, va, f->x86 ? LOCK32 : LOCK64, DFR_HELD_BY_DEBUGGER);
}

/* The page of code at an address: what a small dump holds around an instruction. */
static void hold_code(struct dfr_forge *f, uint64_t va)
{
    if (dfr_world_page(f, va, false))
        dfr_world_hold(f, va & ~UINT64_C(0xFFF), DFR_FORGE_PAGE, DFR_HELD_BY_BOTH);
}

void dfr_forge_write_objects(struct dfr_forge *f)
{
    const struct dfr_recipe *r = &f->r;
    for (uint32_t i = 0; i < r->contexts.n; i++) {
        const struct dfr_recipe_context *c = &r->contexts.v[i];
        uint32_t frame = dfr_forge_frame_named(f, c->frame, c->node);
        uint64_t va = at(f, c->node, c->name);
        uint8_t b[0x4D0];
        dfr_forge_context(f, frame, &c->regs, b);
        dfr_world_put(f, va, b, dfr_forge_context_bytes(f));
        dfr_world_hold(f, va, dfr_forge_context_bytes(f), DFR_HELD_BY_BOTH);
        hold_code(f, f->frames.v[frame].address);
        if (c->header)
            f->header_context = va;
    }
    for (uint32_t i = 0; i < r->exceptions.n; i++)
        put_exception(f, &r->exceptions.v[i]);
    for (uint32_t i = 0; i < r->drivers.n; i++)
        put_driver(f, &r->drivers.v[i]);
    for (uint32_t i = 0; i < r->devices.n; i++)
        put_device(f, &r->devices.v[i]);
    for (uint32_t i = 0; i < r->irps.n; i++)
        put_irp(f, &r->irps.v[i]);
    for (uint32_t i = 0; i < r->pool.n; i++)
        put_pool(f, &r->pool.v[i]);
    for (uint32_t i = 0; i < r->locks.n; i++)
        put_lock(f, &r->locks.v[i]);
    for (uint32_t i = 0; i < r->memory.n; i++)
        put_memory(f, &r->memory.v[i]);
    hold_code(f, f->frames.v[0].address);
    for (uint32_t i = 1; i < f->frames.n; i++)
        if (f->frames.v[i - 1].trap)
            hold_code(f, f->frames.v[i].address);
}
