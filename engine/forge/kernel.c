/* The kernel's own tables: debugger data, processors, threads, the process, module lists. */
#include <string.h>

#include "base/limits.h"
#include "forge/world.h"

enum { KEPT_UNLOADED = 50 };

static uint32_t count(const struct dfr_forge *f)
{
    return f->processors.n;
}

/* Addresses of what everything else may refer to. */
void dfr_forge_kernel_names(struct dfr_forge *f)
{
    const struct dfr_layout *l = f->l;
    const struct dfr_recipe_processors *p = &f->r.processors;
    uint64_t n = p->count ? p->count : 1;
    if (n > DFR_LIMIT_RECIPE_PROCESSORS || p->crashing >= n) {
        dfr_recipe_error(&f->file, p->node, DFR_D_RECIPE_VALUE,
                         "there are %u processors at most, and `crashing` is one of them",
                         (unsigned)DFR_LIMIT_RECIPE_PROCESSORS);
        return;
    }
    f->process = dfr_name_value(f, &f->r.process.at, 0);
    if (!f->process)
        f->process = dfr_world_alloc(f, l->process_size, 0x80);
    f->thread = dfr_name_value(f, &f->r.thread.at, 0);
    if (!f->thread)
        f->thread = dfr_world_alloc(f, l->thread_size, 0x80);
    dfr_name_add(f, f->r.node, DFR_STR("process"), f->process);
    dfr_name_add(f, f->r.node, f->r.thread.name.len ? f->r.thread.name : DFR_STR("thread"),
                 f->thread);
    for (uint64_t i = 0; i < n; i++) {
        struct dfr_forged_processor *c = DFR_PUSH(f->arena, &f->processors);
        struct dfr_buf b;
        c->prcb = dfr_world_alloc(f, l->pcr_size, DFR_FORGE_PAGE) + l->pcr_contained;
        c->context = dfr_world_alloc(f, dfr_forge_context_bytes(f), 16);
        c->idle = dfr_world_alloc(f, l->thread_size, 0x80);
        c->thread = i == p->crashing ? f->thread : c->idle;
        c->ipi = i == p->crashing ? 0 : 2;
        c->known_rip = true;
        dfr_buf_init(&b, f->arena);
        dfr_buf_printf(&b, "prcb%u", (unsigned)i);
        dfr_name_add(f, f->r.node, dfr_buf_text(&b), c->prcb);
    }
}

static void states(struct dfr_forge *f)
{
    static const uint32_t values[] = {2, 0, 2, 3, 4, 5};
    struct dfr_ref idle = {.node = f->r.node, .name = DFR_STR("nt!KiIdleLoop"), .add = 0x20};
    for (uint32_t i = 0; count(f) > 1 && i < count(f); i++)
        f->processors.v[i].rip = dfr_name_value(f, &idle, 0);
    for (uint32_t i = 0; i < f->r.processors.states.n; i++) {
        const struct dfr_recipe_processor *s = &f->r.processors.states.v[i];
        if (s->number >= count(f)) {
            dfr_recipe_error(&f->file, s->node, DFR_D_RECIPE_VALUE, "there is no processor %llu",
                             (unsigned long long)s->number);
            continue;
        }
        struct dfr_forged_processor *c = &f->processors.v[s->number];
        c->ipi = s->ipi ? values[s->ipi] : c->ipi;
        c->thread = dfr_name_value(f, &s->thread, c->thread);
        c->rip = dfr_name_value(f, &s->rip, c->rip);
        c->dpc = s->dpc;
        c->known_rip = c->ipi == 2;
    }
}

static void put_thread(struct dfr_forge *f, uint64_t va, uint64_t base, uint64_t limit,
                       uint64_t process, uint32_t id)
{
    const struct dfr_layout *l = f->l;
    dfr_world_fill(f, va, 0, l->thread_size);
    dfr_world_u(f, va, 6, 1); /* a dispatcher object of the kind thread */
    dfr_world_ptr(f, va + l->initial_stack, base);
    dfr_world_ptr(f, va + l->stack_base, base);
    dfr_world_ptr(f, va + l->stack_limit, limit);
    dfr_world_ptr(f, va + l->kernel_stack, base ? base - 0x100 : 0);
    dfr_world_ptr(f, va + l->apc_process, process);
    dfr_world_ptr(f, va + l->thread_process, process);
    dfr_world_u(f, va + l->thread_state, 2, 1); /* running */
    dfr_world_ptr(f, va + l->thread_cid, process == f->process ? 4 : 0);
    dfr_world_ptr(f, va + l->thread_cid + f->ptr, id);
}

static void put_process(struct dfr_forge *f)
{
    enum { NAME = 15 };
    const struct dfr_layout *l = f->l;
    struct dfr_str name = f->r.process.name.len ? f->r.process.name : DFR_STR("System");
    dfr_world_fill(f, f->process, 0, l->process_size);
    dfr_world_u(f, f->process, 3, 1);
    dfr_world_ptr(f, f->process + l->process_dtb, f->dtb);
    dfr_world_ptr(f, f->process + l->process_id, 4);
    dfr_world_put(f, f->process + l->image_name, name.p, name.len < NAME ? name.len : NAME - 1);
    dfr_world_ptr(f, f->process + l->process_links, f->process_list);
    dfr_world_ptr(f, f->process + l->process_links + f->ptr, f->process_list);
    dfr_world_ptr(f, f->process_list, f->process + l->process_links);
    dfr_world_ptr(f, f->process_list + f->ptr, f->process + l->process_links);
    dfr_world_hold(f, f->process, l->process_size, DFR_HELD_BY_DEBUGGER);
}

/* Where another processor was when it was told to stop. */
static void put_frozen(struct dfr_forge *f, const struct dfr_forged_processor *c, uint32_t number)
{
    uint8_t b[0x4D0] = {0};
    uint64_t sp = c->idle - 0x200;
    if (!c->known_rip)
        return;
    if (f->arm64) {
        dfr_put_le(b, 0x400007, 4);
        dfr_put_le(b + 0x100, sp, 8);
        dfr_put_le(b + 0x108, c->rip, 8);
    } else if (f->x86) {
        dfr_put_le(b, 0x10017, 4);
        dfr_put_le(b + 0xB8, c->rip, 4);
        dfr_put_le(b + 0xBC, 8, 4);
        dfr_put_le(b + 0xC4, sp, 4);
        dfr_put_le(b + 0xC8, 0x10, 4);
    } else {
        dfr_put_le(b + 0x30, 0x10004B, 4);
        b[0x38] = 0x10;
        b[0x42] = 0x18;
        dfr_put_le(b + 0x44, 0x246, 4);
        dfr_put_le(b + 0x88, number, 8);
        dfr_put_le(b + 0x98, sp, 8);
        dfr_put_le(b + 0xF8, c->rip, 8);
    }
    dfr_world_put(f, c->context, b, dfr_forge_context_bytes(f));
}

static void put_processor(struct dfr_forge *f, uint32_t number)
{
    enum { CR2 = 8, CR3 = 0x10, CR4 = 0x18, CR8 = 0xA0 };
    const struct dfr_layout *l = f->l;
    const struct dfr_recipe_processors *r = &f->r.processors;
    struct dfr_forged_processor *c = &f->processors.v[number];
    uint64_t pcr = c->prcb - l->pcr_contained, p = c->prcb;
    bool own = number == r->crashing;
    dfr_world_fill(f, pcr, 0, l->pcr_size);
    dfr_world_ptr(f, pcr + l->pcr_self, pcr);
    dfr_world_ptr(f, pcr + l->pcr_prcb, p);
    dfr_world_ptr(f, p + l->current_thread, c->thread);
    dfr_world_ptr(f, p + l->idle_thread, c->idle);
    dfr_world_u(f, p + l->number, number, 4);
    dfr_world_u(f, p + l->mhz, r->mhz ? r->mhz : 2904, 4);
    dfr_world_ptr(f, p + l->context, c->context);
    dfr_world_u(f, p + l->dpc_active, c->dpc, 1);
    if (l->ipi_frozen)
        dfr_world_u(f, p + l->ipi_frozen, c->ipi, 4);
    if (!f->arm64) {
        struct dfr_str vendor = r->vendor.len ? r->vendor : DFR_STR("GenuineIntel");
        dfr_world_put(f, p + l->vendor, vendor.p, vendor.len < 13 ? vendor.len : 12);
        dfr_world_ptr(f, p + l->special, 0x80050033);
        dfr_world_ptr(f, p + l->special + CR3 / (8 / f->ptr), f->dtb);
    }
    if (!f->arm64 && !f->x86) {
        dfr_world_u(f, p, 0x1F80, 4);
        dfr_world_u(f, p + l->special + CR4, 0x370678, 8);
        dfr_world_u(f, p + l->special + CR8, own ? r->irql : 0, 8);
        if (l->saved_irql)
            dfr_world_u(f, p + l->saved_irql, own ? r->irql : 0, 1);
    }
    if (own) {
        uint8_t b[0x4D0];
        dfr_regs first = {0};
        dfr_forge_context(f, 0, &first, b);
        dfr_world_put(f, c->context, b, dfr_forge_context_bytes(f));
    } else {
        put_frozen(f, c, number);
    }
    put_thread(f, c->idle, c->idle - 0x100, c->idle - 0x6100, 0, 0);
    dfr_world_hold(f, p, l->prcb_size, DFR_HELD_BY_DEBUGGER);
    dfr_world_hold(f, c->context, dfr_forge_context_bytes(f), DFR_HELD_BY_DEBUGGER);
}

static void put_modules(struct dfr_forge *f)
{
    uint64_t before = f->module_list;
    unsigned p = f->ptr;
    for (uint32_t i = 0; i < f->modules.n; i++) {
        struct dfr_forged_module *m = &f->modules.v[i];
        m->entry = dfr_world_alloc(f, f->x86 ? 0x60 : 0xA0, 16);
        dfr_world_ptr(f, before, m->entry);
        dfr_world_ptr(f, m->entry + p, before);
        dfr_world_ptr(f, m->entry + 2 * p, m->pdata_size ? m->base + m->pdata : 0);
        dfr_world_u(f, m->entry + 3 * p, m->pdata_size, 4);
        dfr_world_ptr(f, m->entry + 6 * p, m->base);
        dfr_world_ptr(f, m->entry + 7 * p,
                      m->base + (m->functions.n ? m->functions.v[0].at : 0x1000));
        dfr_world_u(f, m->entry + 8 * p, m->size, 4);
        dfr_world_unicode(f, m->entry + 9 * p, m->path, 0);
        dfr_world_unicode(f, m->entry + 11 * p, m->file, 0);
        dfr_world_u(f, m->entry + (f->x86 ? 0x34 : 0x68), 0x49104000, 4);
        dfr_world_u(f, m->entry + (f->x86 ? 0x38 : 0x6C), 1, 2);
        dfr_world_u(f, m->entry + (f->x86 ? 0x40 : 0x78), m->checksum, 4);
        if (!f->x86)
            dfr_world_u(f, m->entry + 0x9C, m->stamp, 4);
        before = m->entry;
    }
    dfr_world_ptr(f, before, f->module_list);
    dfr_world_ptr(f, f->module_list + p, before);
}

/* The list of modules that were unloaded: name, first and last address, time. */
static void put_unloaded(struct dfr_forge *f, uint64_t list_at, uint64_t last_at)
{
    uint64_t size = f->x86 ? 0x18 : 0x28;
    f->unloaded = dfr_world_alloc(f, size * KEPT_UNLOADED, 16);
    dfr_world_fill(f, f->unloaded, 0, size * KEPT_UNLOADED);
    dfr_world_ptr(f, list_at, f->unloaded);
    dfr_world_u(f, last_at, f->r.unloaded.n, 4);
    for (uint32_t i = 0; i < f->r.unloaded.n && i < KEPT_UNLOADED; i++) {
        const struct dfr_recipe_unloaded *u = &f->r.unloaded.v[i];
        uint64_t e = f->unloaded + i * size;
        dfr_world_unicode(f, e, u->name, 0);
        dfr_world_ptr(f, e + 2 * f->ptr, u->base);
        dfr_world_ptr(f, e + 3 * f->ptr, u->base + u->size);
        dfr_world_u(f, e + 4 * f->ptr, 0x01DBF0C0A0000000, 8);
    }
}

static void kdbg_offsets(struct dfr_forge *f, uint64_t k)
{
    const struct dfr_layout *l = f->l;
    const struct {
        uint16_t at, value;
    } u16s[] = {
        {0x298, l->next_processor},
        {0x29A, l->teb},
        {0x29C, l->kernel_stack},
        {0x29E, l->initial_stack},
        {0x2A0, l->apc_process},
        {0x2A2, l->thread_state},
        {0x2A8, l->process_size},
        {0x2AA, l->peb},
        {0x2AC, l->parent_cid},
        {0x2AE, l->process_dtb},
        {0x2B0, l->prcb_size},
        {0x2B2, l->dpc_active},
        {0x2B4, l->current_thread},
        {0x2B6, l->mhz},
        {0x2B8, l->cpu_type},
        {0x2BA, l->vendor},
        {0x2BC, l->state_context},
        {0x2BE, l->number},
        {0x2C0, l->thread_size},
        {0x2E0, l->pcr_size},
        {0x2E2, l->pcr_self},
        {0x2E4, l->pcr_prcb},
        {0x2E6, l->pcr_contained},
        {0x2F2, l->special},
        {0x2F4, 0x10},
        {0x2F6, 0x18},
        {0x338, l->context},
        {0x350, l->idle_thread},
        {0x352, l->normal_dpc},
        {0x354, l->dpc_stack},
        {0x356, l->isr_stack},
        {0x358, 0x50},
        {0x35C, l->wait_reason},
    };
    for (size_t i = 0; i < sizeof u16s / sizeof *u16s; i++)
        dfr_world_u(f, k + u16s[i].at, u16s[i].value, 2);
    dfr_world_u(f, k + 0x340, l->stack_limit, 4);
    dfr_world_u(f, k + 0x344, l->stack_base, 4);
    dfr_world_u(f, k + 0x348, l->queue_entry, 4);
    dfr_world_u(f, k + 0x34C, l->irp_list, 4);
}

/* A 64-bit field that holds an address: 32-bit addresses are sign-extended there. */
static void kdbg_address(struct dfr_forge *f, uint32_t off, uint64_t va)
{
    dfr_world_u(f, f->kdbg + off, f->x86 && va >> 31 ? va | UINT64_C(0xFFFFFFFF00000000) : va, 8);
}

void dfr_forge_write_kernel(struct dfr_forge *f)
{
    enum { VERIFIER_BYTES = 0x9C };
    struct dfr_forged_module *nt = dfr_module_named(f, DFR_STR("nt"));
    struct dfr_str lab = f->r.lab.len ? f->r.lab : dfr_str_from(f->l->lab);
    unsigned p = f->ptr;
    f->kdbg = dfr_forge_data(f, 0x400, 16);
    f->module_list = dfr_forge_data(f, 2 * p, 16);
    f->process_list = dfr_forge_data(f, 2 * p, 16);
    f->resources = dfr_forge_data(f, 2 * p, 16);
    f->bugcheck_data = dfr_forge_data(f, 5 * p, 16);
    f->verifier = dfr_forge_data(f, VERIFIER_BYTES, 16);
    uint64_t lab_at = dfr_forge_data(f, lab.len + 1, 16);
    uint64_t processors = dfr_forge_data(f, (uint64_t)p * count(f) + p, 16);
    uint64_t unloaded_at = dfr_forge_data(f, p, 8), last_at = dfr_forge_data(f, 4, 8);
    uint64_t pfn_at = dfr_forge_data(f, p, 8), page_size = 0x1000;
    states(f);
    put_modules(f);
    put_unloaded(f, unloaded_at, last_at);
    for (uint32_t i = 0; i < count(f); i++) {
        dfr_world_ptr(f, processors + p * i, f->processors.v[i].prcb);
        put_processor(f, i);
    }
    dfr_world_ptr(f, processors + p * count(f), 0);
    put_thread(f, f->thread, f->stack_base, f->stack_limit, f->process, 0x68);
    dfr_world_hold(f, f->thread, f->l->thread_size, DFR_HELD_BY_DEBUGGER);
    put_process(f);
    dfr_world_ptr(f, f->resources, f->resources);
    dfr_world_ptr(f, f->resources + p, f->resources);
    dfr_world_put(f, lab_at, lab.p, lab.len);
    dfr_world_u(f, f->verifier, f->r.verifier.flags, 4);
    dfr_world_ptr(f, f->bugcheck_data, f->r.bugcheck.code);
    for (uint32_t i = 0; i < 4; i++)
        dfr_world_ptr(f, f->bugcheck_data + p * (i + 1), f->args[i]);
    dfr_world_ptr(f, pfn_at, f->x86 ? 0x83C00000 : 0xFFFFE58000000000);

    uint64_t k = f->kdbg;
    dfr_world_fill(f, k, 0, 0x400);
    dfr_world_put(f, k + 0x10, "KDBG", 4);
    dfr_world_u(f, k + 0x14, f->l->kdbg_size, 4);
    kdbg_address(f, 0x18, nt->base);
    dfr_world_u(f, k + 0x36, f->pae ? 1 : 0, 2);
    const struct {
        uint32_t off;
        uint64_t va;
    } v[] = {{0x48, f->module_list},   {0x50, f->process_list}, {0x60, f->resources},
             {0x88, f->bugcheck_data}, {0xC0, pfn_at},          {0x208, lab_at},
             {0x218, processors},      {0x220, unloaded_at},    {0x228, last_at},
             {0x248, f->verifier}};
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        kdbg_address(f, v[i].off, v[i].va);
    dfr_world_u(f, k + 0x138, page_size, 8);
    kdbg_offsets(f, k);
    if (f->r.l1tf) {
        dfr_world_u(f, k + 0x2C2, f->r.l1tf, 1);
        dfr_world_u(f, k + 0x2C3, 4, 1); /* the bit that says that an entry means itself */
    }
    if (!f->x86 && !f->arm64)
        dfr_world_u(f, k + 0x360, 0xFFFFB50000000000, 8);
    dfr_world_hold(f, k, f->l->kdbg_size, DFR_HELD_BY_BOTH);
    dfr_world_hold(f, lab_at, lab.len + 1, DFR_HELD_BY_DEBUGGER);
    dfr_world_hold(f, processors, (uint64_t)p * (count(f) + 1), DFR_HELD_BY_DEBUGGER);
    dfr_world_hold(f, f->verifier, VERIFIER_BYTES, DFR_HELD_BY_DEBUGGER);
    dfr_world_hold(f, f->bugcheck_data, 5 * p, DFR_HELD_BY_DEBUGGER);
    if (nt->data_end > nt->size)
        dfr_recipe_error(&f->file, nt->recipe->node, DFR_D_RECIPE_VALUE,
                         "`nt` is too small for its variables");
}
