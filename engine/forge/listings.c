/* Modules, processors, threads, requests, records: what extensions of the debugger print. */
#include "forge/words.h"

static uint64_t named(struct dfr_forge *f, const struct dfr_yaml *node, struct dfr_str name)
{
    struct dfr_ref r = {.node = node, .name = name};
    return dfr_name_value(f, &r, 0);
}

static void command(struct dfr_pen *p, const char *verb, uint64_t va)
{
    struct dfr_buf b;
    dfr_buf_init(&b, p->f->arena);
    dfr_buf_printf(&b, p->f->x86 ? "%s %08llx" : "%s %016llx", verb, DFR_LLX(va));
    dfr_buf_char(&b, '\0');
    dfr_pen_prompt(p, b.p);
}

static void modules(struct dfr_pen *p)
{
    static const char *const symbols[] = {"deferred", "no symbols", "export symbols", "pdb symbols",
                                          "deferred"};
    struct dfr_forge *f = p->f;
    dfr_pen_prompt(p, "lmv");
    dfr_pen(p, f->x86 ? "start    end        module name\n"
                      : "start             end                 module name\n");
    for (uint32_t i = 0; i < f->modules.n; i++) {
        const struct dfr_forged_module *m = &f->modules.v[i];
        dfr_pen_address(p, m->base);
        dfr_pen(p, " ");
        dfr_pen_address(p, m->base + m->size);
        dfr_pen(p, "   %-10.*s (%s)\n", (int)m->name.len, m->name.p, symbols[m->symbols]);
        dfr_pen(p, "    Image path: %.*s\n", (int)m->path.len, m->path.p);
        dfr_pen(p, "    Image name: %.*s\n", (int)m->file.len, m->file.p);
        if (m->hash) {
            dfr_pen(p, "    Image was built with /Brepro flag.\n");
            dfr_pen(p,
                    "    Timestamp:        %08X (This is a reproducible build file hash, not a "
                    "timestamp)\n",
                    m->stamp);
        } else {
            dfr_pen(p, "    Timestamp:        ");
            dfr_pen_date(p, m->stamp, false);
            dfr_pen(p, " (%08X)\n", m->stamp);
        }
        dfr_pen(p, "    CheckSum:         %08X\n", m->checksum);
        dfr_pen(p, "    ImageSize:        %08llX\n", DFR_LLX(m->size));
    }
    if (f->r.unloaded.n)
        dfr_pen(p, "\nUnloaded modules:\n");
    for (uint32_t i = 0; i < f->r.unloaded.n; i++) {
        const struct dfr_recipe_unloaded *u = &f->r.unloaded.v[i];
        dfr_pen_address(p, u->base);
        dfr_pen(p, " ");
        dfr_pen_address(p, u->base + u->size);
        dfr_pen(p, "   %.*s\n", (int)(u->name.len < 12 ? u->name.len : 12), u->name.p);
        dfr_pen(p, "    Timestamp: unavailable (00000000)\n    Checksum:  00000000\n");
        dfr_pen(p, "    ImageSize:  %08llX\n", DFR_LLX(u->size));
    }
}

static void processors(struct dfr_pen *p)
{
    static const char *const states[] = {"Running", "", "Frozen", "Thaw", "Owner", "TargetFreeze"};
    struct dfr_forge *f = p->f;
    if (f->processors.n < 2 || !f->l->ipi_frozen)
        return;
    dfr_pen_prompt(p, "!ipi");
    for (uint32_t i = 0; i < f->processors.n; i++)
        dfr_pen(p,
                "IPI State for Processor %u\n    TargetCount 0  PacketBarrier 0  IpiFrozen %u "
                "[%s]\n\n",
                i, f->processors.v[i].ipi, states[f->processors.v[i].ipi]);
}

static void thread(struct dfr_pen *p)
{
    struct dfr_forge *f = p->f;
    struct dfr_str name = f->r.process.name.len ? f->r.process.name : DFR_STR("System");
    dfr_pen_prompt(p, "!thread");
    dfr_pen(p, "THREAD ");
    dfr_pen_plain(p, f->thread);
    dfr_pen(p, "  Cid 0004.0068  Teb: ");
    dfr_pen_plain(p, 0);
    dfr_pen(p, " Win32Thread: ");
    dfr_pen_plain(p, 0);
    dfr_pen(p, " RUNNING on processor %u\n", (unsigned)f->r.processors.crashing);
    dfr_pen(p, "Not impersonating\nOwning Process            ");
    dfr_pen_plain(p, f->process);
    dfr_pen(p, "       Image:         %.*s\n", (int)name.len, name.p);
    dfr_pen(p, "Stack Init ");
    dfr_pen_plain(p, f->stack_base);
    dfr_pen(p, " Current ");
    dfr_pen_plain(p, f->stack_base - 0x100);
    dfr_pen(p, "\nBase ");
    dfr_pen_plain(p, f->stack_base);
    dfr_pen(p, " Limit ");
    dfr_pen_plain(p, f->stack_limit);
    dfr_pen(p, " Call ");
    dfr_pen_plain(p, 0);
    dfr_pen(p, "\n");
    if (!f->x86 && !f->arm64) {
        static const char *const levels[] = {"LOW_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL"};
        uint64_t irql = f->r.processors.irql;
        dfr_pen_prompt(p, "!irql");
        dfr_pen(p, "Debugger saved IRQL for processor 0x%x -- %u (%s)\n",
                (unsigned)f->r.processors.crashing, (unsigned)irql,
                irql < 3     ? levels[irql]
                : irql == 15 ? "HIGH_LEVEL"
                             : "DEVICE_LEVEL");
    }
}

/* The object name of a device's driver. */
static void driver_name(struct dfr_pen *p, uint64_t device)
{
    struct dfr_forge *f = p->f;
    for (uint32_t i = 0; i < f->r.devices.n; i++) {
        const struct dfr_recipe_device *d = &f->r.devices.v[i];
        if (named(f, d->node, d->name) != device)
            continue;
        for (uint32_t k = 0; k < f->r.drivers.n; k++) {
            const struct dfr_recipe_driver *r = &f->r.drivers.v[k];
            if (!dfr_str_eq(r->name, d->driver))
                continue;
            if (r->object.len)
                dfr_pen(p, "%.*s", (int)r->object.len, r->object.p);
            else
                dfr_pen(p, "\\Driver\\%.*s", (int)r->module.len, r->module.p);
        }
    }
}

static const char *major_name(uint64_t major)
{
    static const char *const names[] = {"IRP_MJ_CREATE",
                                        "IRP_MJ_CREATE_NAMED_PIPE",
                                        "IRP_MJ_CLOSE",
                                        "IRP_MJ_READ",
                                        "IRP_MJ_WRITE",
                                        "IRP_MJ_QUERY_INFORMATION",
                                        "IRP_MJ_SET_INFORMATION",
                                        "IRP_MJ_QUERY_EA",
                                        "IRP_MJ_SET_EA",
                                        "IRP_MJ_FLUSH_BUFFERS",
                                        "IRP_MJ_QUERY_VOLUME_INFORMATION",
                                        "IRP_MJ_SET_VOLUME_INFORMATION",
                                        "IRP_MJ_DIRECTORY_CONTROL",
                                        "IRP_MJ_FILE_SYSTEM_CONTROL",
                                        "IRP_MJ_DEVICE_CONTROL",
                                        "IRP_MJ_INTERNAL_DEVICE_CONTROL",
                                        "IRP_MJ_SHUTDOWN",
                                        "IRP_MJ_LOCK_CONTROL",
                                        "IRP_MJ_CLEANUP",
                                        "IRP_MJ_CREATE_MAILSLOT",
                                        "IRP_MJ_QUERY_SECURITY",
                                        "IRP_MJ_SET_SECURITY",
                                        "IRP_MJ_POWER",
                                        "IRP_MJ_SYSTEM_CONTROL",
                                        "IRP_MJ_DEVICE_CHANGE",
                                        "IRP_MJ_QUERY_QUOTA",
                                        "IRP_MJ_SET_QUOTA",
                                        "IRP_MJ_PNP"};
    return major < sizeof names / sizeof *names ? names[major] : "N/A";
}

/* `[IRP_MJ_POWER(16), IRP_MN_SET_POWER(2)]`; an empty location is `[N/A(0), N/A(0)]`. */
static void location(struct dfr_pen *p, const struct dfr_recipe_location *l, bool current)
{
    static const char *const power[] = {"IRP_MN_WAIT_WAKE", "IRP_MN_POWER_SEQUENCE",
                                        "IRP_MN_SET_POWER", "IRP_MN_QUERY_POWER"};
    struct dfr_forge *f = p->f;
    uint64_t device = dfr_name_value(f, &l->device, 0);
    uint64_t completion = dfr_name_value(f, &l->completion, 0);
    bool empty = !device && !l->major;
    dfr_pen(p, "%s[%s(%llx), %s(%llx)]\n", current ? ">" : " ",
            empty ? "N/A" : major_name(l->major), DFR_LLX(l->major),
            l->major == 0x16 && l->minor < 4 ? power[l->minor] : "N/A", DFR_LLX(l->minor));
    dfr_pen(p, "            0 %2llx ", DFR_LLX(l->control));
    dfr_pen_plain(p, device);
    dfr_pen(p, " 00000000 ");
    dfr_pen_plain(p, completion);
    dfr_pen(p, "-");
    dfr_pen_plain(p, dfr_name_value(f, &l->context, 0));
    if (l->control & 0xE0)
        dfr_pen(p, " Success Error Cancel%s", l->control & 1 ? " pending" : "");
    dfr_pen(p, "\n");
    if (device) {
        dfr_pen(p, "\t       ");
        driver_name(p, device);
        if (completion) {
            dfr_pen(p, "\t");
            dfr_pen_symbol(p, completion);
        }
        dfr_pen(p, "\n");
    }
    dfr_pen(p, "\t\t\tArgs: 00000000 00000000 00000000 00000000\n");
}

static void irps(struct dfr_pen *p)
{
    struct dfr_forge *f = p->f;
    for (uint32_t i = 0; i < f->r.irps.n; i++) {
        const struct dfr_recipe_irp *r = &f->r.irps.v[i];
        uint64_t va = named(f, r->node, r->name);
        uint64_t at = va + (f->x86 ? 0x70 : 0xD0) + (r->current - 1) * (f->x86 ? 0x24 : 0x48);
        command(p, "!irp", va);
        dfr_pen(p, "Irp is active with %u stacks %u is current (= 0x", r->stack.n,
                (unsigned)r->current);
        dfr_pen_plain(p, at);
        dfr_pen(p, ")\n No Mdl: No System Buffer: Thread ");
        dfr_pen_plain(p, dfr_name_value(f, &r->thread, 0));
        dfr_pen(p, ":  Irp stack trace.\n     cmd  flg cl Device   File     Completion-Context\n");
        for (uint32_t k = 0; k < r->stack.n; k++)
            location(p, &r->stack.v[k], k + 1 == r->current);
    }
}

/* The stacks of devices: from the one that nothing recipe-made lies below, upwards. */
static void devices(struct dfr_pen *p)
{
    struct dfr_forge *f = p->f;
    uint64_t *attached = DFR_NEW_N(f->arena, f->r.devices.n, uint64_t);
    for (uint32_t i = 0; i < f->r.devices.n; i++)
        attached[i] = dfr_name_value(f, &f->r.devices.v[i].attached, 0);
    for (uint32_t i = 0; i < f->r.devices.n; i++) {
        const struct dfr_recipe_device *d = &f->r.devices.v[i];
        uint64_t va = named(f, d->node, d->name), chain[32] = {va};
        bool lowest = true;
        uint32_t n = 1;
        for (uint32_t k = 0; k < f->r.devices.n; k++)
            if (attached[k] == va)
                lowest = false;
        if (!lowest)
            continue;
        while (n < 32) {
            uint64_t up = dfr_world_read(f, chain[n - 1] + (f->x86 ? 0x10 : 0x18), f->ptr);
            if (!up)
                break;
            chain[n++] = up;
        }
        command(p, "!devstack", va);
        dfr_pen(p, "  !DevObj           !DrvObj            !DevExt           ObjectName\n");
        for (uint32_t k = n; k > 0; k--) {
            dfr_pen(p, k == 1 ? "> " : "  ");
            dfr_pen_plain(p, chain[k - 1]);
            dfr_pen(p, "  ");
            driver_name(p, chain[k - 1]);
            dfr_pen(p, "  ");
            dfr_pen_plain(p, chain[k - 1] + 0x150);
            if (k == 1 && d->object.len)
                dfr_pen(p, "  %.*s", (int)d->object.len, d->object.p);
            dfr_pen(p, "\n");
        }
    }
}

static void sections(struct dfr_pen *p, const struct dfr_recipe_whea *w)
{
    static const char *const kinds[] = {"Processor Generic", "x86/x64 Processor Specific", "Memory",
                                        "PCI Express", "x86/x64 MCA"};
    static const char *const severities[] = {"Fatal", "Recoverable", "Fatal", "Corrected",
                                             "Informational"};
    static const char *const errors[] = {"Unknown", "Cache error", "TLB error", "BUS error",
                                         "Micro-Architectural Error"};
    static const char *const operations[] = {"Generic", "Data Read", "Data Write",
                                             "Instruction Execution"};
    for (uint32_t i = 0; i < w->sections.n; i++) {
        const struct dfr_recipe_section *s = &w->sections.v[i];
        dfr_pen(p,
                "===============================================================================\n"
                "Section %u     : %s\n"
                "-------------------------------------------------------------------------------\n",
                i, kinds[s->kind]);
        dfr_pen(p, "Severity      : %s\n", severities[w->severity]);
        switch (s->kind) {
        case 0:
            dfr_pen(p, "\nProc. Type    : x86/x64\nInstr. Set    : x64\nError Type    : %s\n",
                    errors[s->error]);
            dfr_pen(p, "Operation     : %s\nFlags         : 0x00\nLevel         : %u\n",
                    operations[s->operation & 3], (unsigned)s->level);
            dfr_pen(p, "Processor ID  : 0x%016llx\n", DFR_LLX(s->processor));
            break;
        case 1:
            dfr_pen(p, "\nLocal APIC Id : 0x%016llx\n", DFR_LLX(s->processor));
            break;
        case 2:
            dfr_pen(p, "\nPhys. Address : 0x%016llx\nError Type    : Multi-bit ECC\n",
                    DFR_LLX(s->address));
            break;
        case 3:
            dfr_pen(p, "\nDevice Id     : %.*s\n", (int)s->device.len, s->device.p);
            break;
        default:
            dfr_pen(p, "\n  Status      : 0x%016llx\n", DFR_LLX(s->status));
            if (s->status >> 58 & 1)
                dfr_pen(p, "  Address     : 0x%016llx\n", DFR_LLX(s->address));
        }
        dfr_pen(p, "\n");
    }
}

static void records(struct dfr_pen *p)
{
    static const char *const severities[] = {"Fatal (1)", "Recoverable (0)", "Fatal (1)",
                                             "Corrected (2)", "Informational (3)"};
    static const char *const notify[] = {"Machine Check Exception", "Corrected Machine Check",
                                         "Non-Maskable Interrupt", "PCI Express Error",
                                         "Boot Error Record"};
    struct dfr_forge *f = p->f;
    for (uint32_t i = 0; i < f->r.whea.n; i++) {
        const struct dfr_recipe_whea *w = &f->r.whea.v[i];
        uint64_t va = named(f, w->node, w->name);
        command(p, "!errrec", va);
        dfr_pen(p,
                "===============================================================================\n"
                "Common Platform Error Record @ ");
        dfr_pen_plain(p, va);
        dfr_pen(p, "\n-----------------------------------------------------------------------------"
                   "--\nRecord Id     : 01dbb3d5a3c6e7f0\n");
        dfr_pen(p, "Severity      : %s\nLength        : %u\nCreator       : Microsoft\n",
                severities[w->severity], (unsigned)dfr_world_read(f, va + 0x14, 4));
        dfr_pen(p, "Notify Type   : %s\nFlags         : 0x00000000\n\n", notify[w->notify]);
        sections(p, w);
    }
}

static void verifier(struct dfr_pen *p)
{
    const struct dfr_recipe_verifier *v = &p->f->r.verifier;
    if (!v->node)
        return;
    dfr_pen_prompt(p, "!verifier");
    dfr_pen(p, "\nVerify Flags Level 0x%08llx\n", DFR_LLX(v->flags));
}

/* !pool for the blocks that the recipe has. */
static void pool(struct dfr_pen *p)
{
    struct dfr_forge *f = p->f;
    for (uint32_t i = 0; i < f->r.pool.n; i++) {
        const struct dfr_recipe_pool *b = &f->r.pool.v[i];
        uint64_t va = named(f, b->node, b->name);
        command(p, "!pool", va);
        dfr_pen(p, "Pool page ");
        dfr_pen_plain(p, va);
        dfr_pen(p, " region is %s pool\n*", b->paged ? "Paged" : "Nonpaged");
        dfr_pen_plain(p, va);
        dfr_pen(p, " size: %4llx previous size: %4llx  (%s)  *%.*s\n", DFR_LLX(b->size),
                DFR_LLX(b->previous), b->unused ? "Free" : "Allocated", (int)b->tag.len, b->tag.p);
        if (b->owner.len)
            dfr_pen(p, "\t\tOwning component : %.*s\n", (int)b->owner.len, b->owner.p);
    }
}

static void locks(struct dfr_pen *p)
{
    struct dfr_forge *f = p->f;
    if (!f->r.locks.n)
        return;
    dfr_pen_prompt(p, "!locks");
    dfr_pen(p, "**** DUMP OF ALL RESOURCE OBJECTS ****\n");
    for (uint32_t i = 0; i < f->r.locks.n; i++) {
        const struct dfr_recipe_lock *l = &f->r.locks.v[i];
        dfr_pen(p, "\nResource @ 0x");
        dfr_pen_plain(p, named(f, l->node, l->name));
        dfr_pen(p, "    Exclusively owned\n");
        if (l->contention)
            dfr_pen(p, "    Contention Count = %u\n", (unsigned)l->contention);
        if (l->waiters)
            dfr_pen(p, "    NumberOfExclusiveWaiters = %u\n", (unsigned)l->waiters);
        dfr_pen(p, "     Threads: ");
        dfr_pen_plain(p, dfr_name_value(f, &l->owner, 0));
        dfr_pen(p, "-01<*>\n");
    }
}

void dfr_pen_listings(struct dfr_pen *p)
{
    thread(p);
    processors(p);
    irps(p);
    devices(p);
    records(p);
    pool(p);
    locks(p);
    verifier(p);
    modules(p);
}
