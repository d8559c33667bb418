/* The header of a dump, 64 and 32 bits. What is never written holds the text PAGE. */
#include <string.h>

#include "forge/world.h"

static const struct {
    const char *word, *meaning;
    uint32_t type;
} kinds[] = {
#define FORGE_KIND(id, word, type, meaning) {word, meaning, type},
#include "forge/kind.def"
#undef FORGE_KIND
};

const char *dfr_forge_kind_word(enum dfr_forge_kind kind)
{
    return kinds[kind].word;
}

const char *dfr_forge_kind_meaning(enum dfr_forge_kind kind)
{
    return kinds[kind].meaning;
}

/* Offsets of a header; the fields that both have. */
struct header {
    uint16_t size, dtb, pfn, modules, processes, machine, processors, code, args, kdbg, context,
        exception, type, space, time, uptime, fields, product, attributes, user, memory;
};
static const struct header h64 = {.size = 0x2000,
                                  .dtb = 0x10,
                                  .pfn = 0x18,
                                  .modules = 0x20,
                                  .processes = 0x28,
                                  .machine = 0x30,
                                  .processors = 0x34,
                                  .code = 0x38,
                                  .args = 0x40,
                                  .kdbg = 0x80,
                                  .context = 0x348,
                                  .exception = 0xF00,
                                  .type = 0xF98,
                                  .space = 0xFA0,
                                  .time = 0xFA8,
                                  .uptime = 0x1030,
                                  .fields = 0x1038,
                                  .product = 0x1040,
                                  .attributes = 0x1050,
                                  .user = 0x60,
                                  .memory = 0x88};
static const struct header h32 = {.size = 0x1000,
                                  .dtb = 0x10,
                                  .pfn = 0x14,
                                  .modules = 0x18,
                                  .processes = 0x1C,
                                  .machine = 0x20,
                                  .processors = 0x24,
                                  .code = 0x28,
                                  .args = 0x2C,
                                  .kdbg = 0x60,
                                  .context = 0x320,
                                  .exception = 0x7D0,
                                  .type = 0xF88,
                                  .space = 0xFA0,
                                  .time = 0xFC0,
                                  .uptime = 0xFB8,
                                  .fields = 0xF8C,
                                  .product = 0xF94,
                                  .attributes = 0x8A0,
                                  .user = 0x3C,
                                  .memory = 0x64};

/* Without a record of its own: the breakpoint that a bug check leaves. */
static void put_exception(struct dfr_forge *f, uint8_t *p)
{
    const uint32_t breakpoint = 0x80000003;
    memset(p, 0, f->x86 ? 0x50 : 0x98);
    if (f->header_exception) {
        dfr_world_get(f, f->header_exception, p, f->x86 ? 0x50 : 0x98);
        return;
    }
    dfr_put_le(p, breakpoint, 4);
    dfr_put_le(p + 4, 1, 4);
    dfr_put_le(p + (f->x86 ? 0xC : 0x10), f->frames.v[0].address, f->ptr);
}

void dfr_forge_header(struct dfr_forge *f, enum dfr_forge_kind kind, uint8_t *h)
{
    enum { BY_KERNEL = 8 };
    const struct header *o = f->x86 ? &h32 : &h64;
    const uint64_t epoch = 116444736000000000;
    bool by_debugger = kind == DFR_FORGE_TRIAGE;
    unsigned p = f->ptr;
    dfr_regs first = {0};
    for (unsigned i = 0; i < o->size; i += 4)
        memcpy(h + i, "PAGE", 4);
    memcpy(h + 4, f->x86 ? "DUMP" : "DU64", 4);
    dfr_put_le(h + 8, 0xF, 4);
    dfr_put_le(h + 0xC, f->r.build, 4);
    dfr_put_le(h + o->dtb, f->dtb, p);
    uint64_t pfn = dfr_world_read(f, f->kdbg + 0xC0, p);
    dfr_put_le(h + o->pfn, by_debugger ? pfn : dfr_world_read(f, pfn, p), p);
    dfr_put_le(h + o->modules, f->module_list, p);
    dfr_put_le(h + o->processes, f->process_list, p);
    dfr_put_le(h + o->machine, f->x86 ? 0x14C : f->arm64 ? 0xAA64 : 0x8664, 4);
    dfr_put_le(h + o->processors, f->processors.n, 4);
    dfr_put_le(h + o->code, f->r.bugcheck.code, 4);
    if (!f->x86)
        memset(h + 0x3C, 0, 4);
    for (unsigned i = 0; i < 4; i++)
        dfr_put_le(h + o->args + p * i, f->args[i], p);
    memset(h + o->user, 0, 32);
    if (f->x86)
        h[0x5C] = f->pae;
    dfr_put_le(h + o->kdbg, f->kdbg, p);
    memset(h + o->context, 0, f->x86 ? 1200 : 3000);
    if (f->header_context)
        dfr_world_get(f, f->header_context, h + o->context, dfr_forge_context_bytes(f));
    else
        dfr_forge_context(f, 0, &first, h + o->context);
    put_exception(f, h + o->exception);
    dfr_put_le(h + o->type, f->r.damage.type ? f->r.damage.type : kinds[kind].type, 4);
    dfr_put_le(h + o->time, f->r.time * 10000000 + epoch, 8);
    dfr_put_le(h + o->uptime, f->r.uptime * 10000, 8);
    dfr_put_le(h + o->product, 1, 4);
    if (kind == DFR_FORGE_TRIAGE || kind == DFR_FORGE_TRIAGE_KERNEL)
        dfr_put_le(h + o->fields, by_debugger ? 0xCFF : 0xDFF, 4);
    if (!by_debugger)
        dfr_put_le(h + o->attributes,
                   (kind == DFR_FORGE_TRIAGE_KERNEL ? BY_KERNEL : 0) | f->r.attributes, 4);
}
