/* Frame numbers and page tables. x64 and ARM64 have four levels of 9 bits, x86 two of 10 or, with PAE,
 * 2 + 9 + 9. Source: processor manuals; entries that are not valid: published debugger extensions. */
#include "forge/world.h"

enum { FIRST_PFN = 0x100, GAP = 0x40, LARGE_PAGES = 512 };

struct level {
    uint8_t shift, bits;
};
static const struct level four[] = {{39, 9}, {30, 9}, {21, 9}, {12, 9}};
static const struct level pae[] = {{30, 2}, {21, 9}, {12, 9}};
static const struct level two[] = {{22, 10}, {12, 10}};

static const struct level *levels(const struct dfr_forge *f, unsigned *ret_n)
{
    *ret_n = !f->x86 ? 4 : f->pae ? 3 : 2;
    return !f->x86 ? four : f->pae ? pae : two;
}

static unsigned entry_bytes(const struct dfr_forge *f)
{
    return f->x86 && !f->pae ? 4 : 8;
}

/* The table with frame number `pfn`. */
static struct dfr_forge_page *table(struct dfr_forge *f, uint64_t pfn)
{
    return &f->tables.v[pfn - f->tables.v[0].pfn];
}

static uint64_t new_table(struct dfr_forge *f)
{
    struct dfr_forge_page *t = DFR_PUSH(f->arena, &f->tables);
    t->pfn = f->next_pfn++;
    t->p = dfr_arena_alloc(f->arena, DFR_FORGE_PAGE);
    return t->pfn;
}

static uint64_t get(const uint8_t *p, unsigned bytes)
{
    uint64_t u = 0;
    for (unsigned i = bytes; i > 0; i--)
        u = u << 8 | p[i - 1];
    return u;
}

/* The entry of `va` at `level` (0: the root), its tables made where they are not there. */
static uint8_t *entry(struct dfr_forge *f, uint64_t va, unsigned level, uint64_t *ret_table)
{
    enum { TABLE_X86 = 0x63, TABLE_ARM64 = 3, PDPTE = 1 };
    unsigned n, bytes = entry_bytes(f);
    const struct level *l = levels(f, &n);
    uint64_t pfn = f->dtb >> 12;
    for (unsigned i = 0;; i++) {
        uint64_t index = va >> l[i].shift & ((1u << l[i].bits) - 1);
        if (ret_table)
            *ret_table = pfn;
        if (i == level)
            return table(f, pfn)->p + index * bytes;
        uint64_t e = get(table(f, pfn)->p + index * bytes, bytes);
        if (!e) {
            uint64_t next = new_table(f);
            e = next << 12 | (f->arm64 ? TABLE_ARM64 : f->pae && i == 0 ? PDPTE : TABLE_X86);
            if (!(va >> (f->x86 ? 31 : 63)) && !f->arm64 && !(f->pae && i == 0))
                e |= 4;
            dfr_put_le(table(f, pfn)->p + index * bytes, e, bytes);
        }
        pfn = (e & UINT64_C(0x000FFFFFFFFFF000)) >> 12;
    }
}

static uint64_t valid_entry(const struct dfr_forge *f, const struct dfr_forge_page *p)
{
    if (f->arm64)
        return p->pfn << 12 | 0x703 | (p->user ? 0x40 : 0);
    return p->pfn << 12 | (p->user ? 0x67 : 0x63);
}

/* An entry that a page fault would find. */
static uint64_t leaf(struct dfr_forge *f, const struct dfr_forge_page *p, uint64_t prototype)
{
    enum { PROTECTION = 4 << 5, SWIZZLED = 0x10, TRANSITION = 0x800, PROTOTYPE = 0x400 };
    bool narrow = entry_bytes(f) == 4;
    uint64_t offset = (p->va >> 12 & 0xFFFF) + 1;            /* in the page file */
    uint64_t far = f->r.l1tf ? UINT64_C(1) << f->r.l1tf : 0; /* no memory is there */
    switch (p->state) {
    case DFR_PAGE_VALID:
        return valid_entry(f, p);
    case DFR_PAGE_TRANSITION:
        return p->pfn << 12 | TRANSITION | PROTECTION | far;
    case DFR_PAGE_PROTOTYPE:
        return f->x86 ? prototype << 32 | PROTOTYPE : prototype << 16 | PROTOTYPE;
    case DFR_PAGE_OUT:
        break;
    }
    if (far) /* the offset lies above: bit 45 of the entry is its bit 13 */
        return offset << 32 | PROTECTION | far;
    return narrow ? offset << 12 | PROTECTION : offset << 32 | PROTECTION | SWIZZLED;
}

/* ---- Damage -------------------------------------------------------------------------------- */

static struct dfr_forge_page *damaged(struct dfr_forge *f, const struct dfr_ref *r)
{
    uint64_t va = dfr_name_value(f, r, 0);
    struct dfr_forge_page *p = dfr_world_page(f, va, false);
    if (!p)
        dfr_recipe_error(&f->file, r->node, DFR_D_RECIPE_VALUE,
                         "there is no memory at this address that could be damaged");
    return p;
}

static void set_states(struct dfr_forge *f)
{
    const struct dfr_recipe_damage *d = &f->r.damage;
    const struct {
        const dfr_refs *refs;
        enum dfr_forge_state state;
    } states[] = {{&d->paged_out, DFR_PAGE_OUT},
                  {&d->transition, DFR_PAGE_TRANSITION},
                  {&d->prototype, DFR_PAGE_PROTOTYPE}};
    for (size_t k = 0; k < sizeof states / sizeof *states; k++)
        for (uint32_t i = 0; i < states[k].refs->n; i++) {
            struct dfr_forge_page *p = damaged(f, &states[k].refs->v[i]);
            if (p)
                p->state = states[k].state;
        }
    if (d->prototype.n && f->x86 && !f->pae)
        dfr_recipe_error(&f->file, d->node, DFR_D_RECIPE_VALUE,
                         "prototype entries are written for x64, ARM64 and x86-pae");
    for (uint32_t i = 0; i < d->omit.n; i++) {
        struct dfr_forge_page *p = damaged(f, &d->omit.v[i]);
        if (p)
            p->omit = true;
    }
    for (uint32_t i = 0; i < d->zero.n; i++) {
        uint64_t va = dfr_name_value(f, &d->zero.v[i], 0) & ~UINT64_C(0xFFF);
        if (damaged(f, &d->zero.v[i]))
            dfr_world_fill(f, va, 0, DFR_FORGE_PAGE);
    }
    for (uint32_t i = 0; i < d->flip.n; i++) {
        struct dfr_forge_page *p = damaged(f, &d->flip.v[i].at);
        uint64_t bit = d->flip.v[i].bit, va = dfr_name_value(f, &d->flip.v[i].at, 0) + bit / 8;
        if (p && bit < 64)
            dfr_world_u(f, va, dfr_world_read(f, va, 1) ^ 1u << bit % 8, 1);
    }
}

/* ---- Frames -------------------------------------------------------------------------------- */

/* Modules with large pages: the pages between those that hold something are there too, and zero. */
static void fill_large(struct dfr_forge *f)
{
    enum { LARGE = 0x200000 };
    for (uint32_t i = 0; i < f->modules.n; i++) {
        const struct dfr_forged_module *m = &f->modules.v[i];
        if (!m->recipe->large)
            continue;
        if (m->base % LARGE || m->size % LARGE || f->x86 || m->size > 64 * LARGE) {
            dfr_recipe_error(&f->file, m->recipe->node, DFR_D_RECIPE_VALUE,
                             "a module with large pages begins and ends at a multiple of 2M, "
                             "on x64 or ARM64");
            continue;
        }
        for (uint64_t at = 0; at < m->size; at += DFR_FORGE_PAGE)
            dfr_world_page(f, m->base + at, true)->large = true;
        for (uint64_t at = 0; at < m->size; at += LARGE) {
            f->next_pfn = (f->next_pfn + LARGE_PAGES - 1) & ~(uint64_t)(LARGE_PAGES - 1);
            for (uint64_t k = 0; k < LARGE; k += DFR_FORGE_PAGE)
                dfr_world_page(f, m->base + at + k, true)->pfn = f->next_pfn++;
        }
    }
}

static void map_page(struct dfr_forge *f, const struct dfr_forge_page *p, uint64_t prototype)
{
    unsigned n;
    (void)levels(f, &n);
    if (p->large) {
        uint64_t first = p->pfn & ~(uint64_t)(LARGE_PAGES - 1);
        dfr_put_le(entry(f, p->va, n - 2, NULL), first << 12 | (f->arm64 ? 0x701 : 0xE3), 8);
        return;
    }
    dfr_put_le(entry(f, p->va, n - 1, NULL), leaf(f, p, prototype), entry_bytes(f));
}

void dfr_forge_map(struct dfr_forge *f)
{
    uint64_t prototypes = 0, n = f->r.damage.prototype.n;
    f->next_pfn = FIRST_PFN;
    if (n) {
        prototypes = dfr_world_alloc(f, 8 * n, 16);
        dfr_world_fill(f, prototypes, 0, 8 * n);
    }
    fill_large(f);
    set_states(f);
    for (uint32_t i = 0; i < f->pages.n; i++) {
        if (i == f->pages.n / 2)
            f->next_pfn += GAP; /* memory has holes */
        if (!f->pages.v[i].large && f->pages.v[i].state != DFR_PAGE_OUT)
            f->pages.v[i].pfn = f->next_pfn++;
    }
    f->next_pfn += GAP;
    f->dtb = new_table(f) << 12;
    for (uint32_t i = 0, k = 0; i < f->pages.n; i++) {
        struct dfr_forge_page p = f->pages.v[i];
        uint64_t proto = prototypes + 8 * k;
        if (p.state == DFR_PAGE_PROTOTYPE && k++ < n)
            dfr_world_u(f, proto, valid_entry(f, &p), entry_bytes(f));
        map_page(f, &p, proto);
    }
    if (!f->x86 && !f->arm64) /* the tables map themselves where KDBG says */
        dfr_put_le(table(f, f->dtb >> 12)->p + 8 * (UINT64_C(0xFFFFB50000000000) >> 39 & 0x1FF),
                   f->dtb | 0x63, 8);
    for (uint32_t i = 0; i < f->r.damage.omit_table.n; i++) {
        unsigned deep;
        uint64_t pfn;
        (void)levels(f, &deep);
        (void)entry(f, dfr_name_value(f, &f->r.damage.omit_table.v[i], 0), deep - 1, &pfn);
        table(f, pfn)->omit = true;
    }
    /* What was written before the root was known. */
    dfr_world_ptr(f, f->process + f->l->process_dtb, f->dtb);
    for (uint32_t i = 0; i < f->processors.n && !f->arm64; i++)
        dfr_world_ptr(f, f->processors.v[i].prcb + f->l->special + (f->x86 ? 8 : 0x10), f->dtb);
}
