/* Memory by address: pages come into being when something is written to them. */
#include <string.h>

#include "forge/world.h"

static uint32_t slot_of(uint64_t va, uint32_t mask)
{
    return (uint32_t)(((va >> 12) * UINT64_C(0x9E3779B97F4A7C15)) >> 33) & mask;
}

static void grow(struct dfr_forge *f)
{
    uint32_t room = f->slots ? (f->slot_mask + 1) * 2 : 1024;
    f->slots = DFR_NEW_N(f->arena, room, uint32_t);
    f->slot_mask = room - 1;
    for (uint32_t i = 0; i < f->pages.n; i++) {
        uint32_t s = slot_of(f->pages.v[i].va, f->slot_mask);
        while (f->slots[s])
            s = (s + 1) & f->slot_mask;
        f->slots[s] = i + 1;
    }
}

struct dfr_forge_page *dfr_world_page(struct dfr_forge *f, uint64_t va, bool make)
{
    va &= ~(uint64_t)(DFR_FORGE_PAGE - 1);
    if (!f->slots || f->pages.n * 2 > f->slot_mask)
        grow(f);
    uint32_t s = slot_of(va, f->slot_mask);
    while (f->slots[s]) {
        struct dfr_forge_page *p = &f->pages.v[f->slots[s] - 1];
        if (p->va == va)
            return p;
        s = (s + 1) & f->slot_mask;
    }
    if (!make)
        return NULL;
    struct dfr_forge_page *p = DFR_PUSH(f->arena, &f->pages);
    p->va = va;
    p->p = dfr_arena_alloc(f->arena, DFR_FORGE_PAGE);
    p->user = f->x86 ? va < 0x80000000u : !(va >> 63);
    f->slots[s] = f->pages.n;
    return p;
}

/* Each part of [va, va + len) that lies in one page. */
#define EACH_PART(va, len, at, n)                                                                  \
    for (uint64_t at = 0, n; at < (len) && (n = DFR_FORGE_PAGE - (((va) + at) & 0xFFF),            \
                                           n = n < (len)-at ? n : (len)-at, true);                 \
         at += n)

void dfr_world_put(struct dfr_forge *f, uint64_t va, const void *p, size_t len)
{
    EACH_PART(va, len, at, n)
    memcpy(dfr_world_page(f, va + at, true)->p + ((va + at) & 0xFFF), (const uint8_t *)p + at, n);
}

void dfr_world_fill(struct dfr_forge *f, uint64_t va, uint8_t byte, size_t len)
{
    EACH_PART(va, len, at, n)
    memset(dfr_world_page(f, va + at, true)->p + ((va + at) & 0xFFF), byte, n);
}

void dfr_world_get(struct dfr_forge *f, uint64_t va, void *p, size_t len)
{
    memset(p, 0, len);
    EACH_PART(va, len, at, n)
    {
        const struct dfr_forge_page *page = dfr_world_page(f, va + at, false);
        if (page)
            memcpy((uint8_t *)p + at, page->p + ((va + at) & 0xFFF), n);
    }
}

void dfr_world_u(struct dfr_forge *f, uint64_t va, uint64_t value, unsigned bytes)
{
    uint8_t b[8];
    dfr_put_le(b, value, 8);
    dfr_world_put(f, va, b, bytes);
}

void dfr_world_ptr(struct dfr_forge *f, uint64_t va, uint64_t value)
{
    dfr_world_u(f, va, value, f->ptr);
}

uint64_t dfr_world_read(struct dfr_forge *f, uint64_t va, unsigned bytes)
{
    uint8_t b[8] = {0};
    uint64_t u = 0;
    dfr_world_get(f, va, b, bytes);
    for (unsigned i = bytes; i > 0; i--)
        u = u << 8 | b[i - 1];
    return u;
}

uint64_t dfr_world_alloc(struct dfr_forge *f, uint64_t size, uint64_t align)
{
    uint64_t va = (f->pool + align - 1) & ~(align - 1);
    f->pool = va + size + 0x40;
    return va;
}

void dfr_world_hold(struct dfr_forge *f, uint64_t va, uint64_t size, unsigned holds)
{
    *DFR_PUSH(f->arena, &f->blocks) = (struct dfr_forge_block){va, size, holds};
}

uint32_t dfr_world_utf16(struct dfr_arena *a, struct dfr_str s, uint8_t **ret)
{
    *ret = dfr_arena_alloc(a, 2 * s.len + 2);
    for (size_t i = 0; i < s.len; i++)
        (*ret)[2 * i] = (uint8_t)s.p[i];
    return (uint32_t)(2 * s.len);
}

void dfr_world_unicode(struct dfr_forge *f, uint64_t va, struct dfr_str s, unsigned holds)
{
    uint8_t *text;
    uint32_t bytes = dfr_world_utf16(f->arena, s, &text);
    uint64_t at = dfr_world_alloc(f, bytes + 2, 16);
    dfr_world_put(f, at, text, bytes + 2);
    dfr_world_hold(f, at, bytes + 2, holds);
    dfr_world_u(f, va, bytes, 2);
    dfr_world_u(f, va + 2, bytes + 2, 2);
    dfr_world_ptr(f, va + f->ptr, at);
}
