/* A crashed system in pages behind page tables: kernel, two drivers, three processors, threads, a
 * process. x64, ARM64, or x86 without PAE. Tests change what they are about, then write a file of any kind. */
#ifndef DFR_TESTS_SYSTEM_FORGE_H
#define DFR_TESTS_SYSTEM_FORGE_H

#include "page_forge.h"

struct system_forge {
    struct pages_forge pages;
    bool x86, arm64;
    unsigned pointer;
    uint64_t base; /* of the kernel; all below are offsets from it */
    uint64_t next; /* page that is free */
    uint32_t code;
    uint64_t args[4];
};

enum {
    SYS_ROOT = 1, /* page of the root table */
    SYS_DEBUG = 0x400,
    SYS_LIST = 0x1000, /* head, then entries */
    SYS_ENTRY = 0x1100,
    SYS_NAMES = 0x1800,
    SYS_KDBG = 0x2000,
    SYS_ARRAY = 0x3000,
    SYS_UNLOADED = 0x3100,
    SYS_RING = 0x3200,
    SYS_LAB = 0x3A00,
    SYS_VERIFIER = 0x3A80,
    SYS_COMMITTED = 0x3B00,
    SYS_LIMIT = 0x3B10,
    SYS_BUGCHECK = 0x3B40,
    SYS_BAD = 0x3B80,
    SYS_GONE_NAMES = 0x3C00,
    SYS_PRCB = 0x10000, /* 0x4000 apart */
    SYS_THREAD = 0x20000,
    SYS_PROCESS = 0x24000,
    SYS_CONTEXTS = 0x28000, /* 0x500 apart: of three processors, then of the fault */
    SYS_STACK = 0x30000,
    SYS_STACK_END = 0x32000,
    SYS_SP = 0x31C00,
    SYS_TRAP = 0x31D00,   /* trap frame on the stack */
    SYS_RECORD = 0x31F00, /* exception record on the stack */
    SYS_DPC_END = 0x48000,
    SYS_DRIVER = 0x100000,
    SYS_THIRD = 0x200000,
    SYS_IMAGE = 0x60000, /* bytes of the kernel's image */
    SYS_PROCESSORS = 3,
    SYS_IPI = 0x2D88,
};

/* Physical address of an offset from the kernel's base; made when it was not there. */
static inline uint64_t sys_physical(struct system_forge *s, uint64_t va)
{
    unsigned levels = s->x86 ? 2 : 4, bits = s->x86 ? 10 : 9, bytes = s->x86 ? 4 : 8;
    uint64_t table = SYS_ROOT;
    for (unsigned level = levels; level > 0; level--) {
        uint64_t index = va >> (12 + bits * (level - 1)) & ((1u << bits) - 1), entry = 0;
        uint8_t *p = pages_forge_page(&s->pages, table) + index * bytes;
        memcpy(&entry, p, bytes);
        if (!entry) {
            entry = s->next++ << 12 | (s->arm64 ? 0x703 : 0x63);
            memcpy(p, &entry, bytes);
            (void)pages_forge_page(&s->pages, entry >> 12);
        }
        table = entry >> 12;
    }
    return table << 12 | (va & 0xFFF);
}

static inline void sys_word(struct system_forge *s, uint64_t off, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        uint64_t at = sys_physical(s, s->base + off + i);
        pages_forge_page(&s->pages, at >> 12)[at & 0xFFF] = (uint8_t)(v >> 8 * i);
    }
}

static inline void sys_ptr(struct system_forge *s, uint64_t off, uint64_t target)
{
    sys_word(s, off, target ? s->base + target : 0, s->pointer);
}

static inline void sys_wide(struct system_forge *s, uint64_t off, const char *text)
{
    for (unsigned i = 0; text[i]; i++)
        sys_word(s, off + 2 * i, (uint8_t)text[i], 2);
}

/* A counted string of UTF-16 whose text stands at `text_at`. */
static inline void sys_string(struct system_forge *s, uint64_t off, uint64_t text_at,
                              const char *text)
{
    sys_word(s, off, 2 * strlen(text), 2);
    sys_word(s, off + 2, 2 * strlen(text) + 2, 2);
    sys_ptr(s, off + s->pointer, text_at);
    sys_wide(s, text_at, text);
}

/* Take the page of an offset away: it was not stored. */
static inline void sys_forget(struct system_forge *s, uint64_t off)
{
    uint64_t pfn = sys_physical(s, s->base + off) >> 12;
    struct pages_forge *f = &s->pages;
    for (unsigned i = 0; i < f->n; i++)
        if (f->pfn[i] == pfn) {
            f->n--;
            memmove(&f->pfn[i], &f->pfn[i + 1], (f->n - i) * sizeof f->pfn[0]);
            memmove(&f->data[i], &f->data[i + 1], (f->n - i) * sizeof f->data[0]);
            return;
        }
}

/* An image with a stamp and, in its debug directory, one entry of this type. */
static inline void sys_image(struct system_forge *s, uint64_t off, uint32_t stamp, uint32_t type)
{
    sys_word(s, off, 0x5A4D, 2);
    sys_word(s, off + 0x3C, 0x80, 4);
    sys_word(s, off + 0x80, 0x4550, 4);
    sys_word(s, off + 0x88, stamp, 4);
    uint64_t optional = off + 0x98, directories = optional + (s->x86 ? 0x60 : 0x70);
    sys_word(s, optional, s->x86 ? 0x10B : 0x20B, 2);
    sys_word(s, directories - 4, 16, 4);
    sys_word(s, directories + 6 * 8, SYS_DEBUG, 4);
    sys_word(s, directories + 6 * 8 + 4, 28, 4);
    sys_word(s, off + SYS_DEBUG + 12, type, 4);
}

static inline void sys_module(struct system_forge *s, unsigned i, uint64_t base, uint32_t size,
                              const char *path)
{
    unsigned n = 3;
    uint64_t e = SYS_ENTRY + 0x100u * i;
    sys_ptr(s, e, i + 1 < n ? e + 0x100 : SYS_LIST);
    sys_ptr(s, e + s->pointer, i ? e - 0x100 : SYS_LIST);
    sys_word(s, e + (s->x86 ? 0x18 : 0x30), s->base + base, s->pointer);
    sys_word(s, e + (s->x86 ? 0x20 : 0x40), size, 4);
    sys_string(s, e + (s->x86 ? 0x24 : 0x48), SYS_NAMES + 0x80u * i, path);
    const char *name = strrchr(path, '\\') + 1;
    sys_string(s, e + (s->x86 ? 0x2C : 0x58), SYS_NAMES + 0x400 + 0x80u * i, name);
    sys_word(s, e + (s->x86 ? 0x40 : 0x78), 0x1000 + i, 4);
}

static inline void sys_gone(struct system_forge *s, unsigned i, uint64_t start, const char *name)
{
    uint64_t e = SYS_RING + i * (4 * s->pointer + 8);
    sys_string(s, e, SYS_GONE_NAMES + 0x40u * i, name);
    sys_ptr(s, e + 2 * s->pointer, start);
    sys_ptr(s, e + 3 * s->pointer, start + 0x10000);
    sys_word(s, e + 4 * s->pointer, UINT64_C(133485408000000000), 8); /* 2024-01-01 00:00:00 */
}

static inline void sys_context(struct system_forge *s, unsigned i, uint64_t ip, uint64_t sp)
{
    uint64_t c = SYS_CONTEXTS + 0x500u * i;
    uint32_t flags = s->x86 ? 0x1001F : s->arm64 ? 0x400007 : 0x10001F;
    sys_word(s, c + (s->x86 || s->arm64 ? 0 : 0x30), flags, 4);
    sys_word(s, c + (s->x86 ? 0xB8 : s->arm64 ? 0x108 : 0xF8), s->base + ip, s->pointer);
    sys_word(s, c + (s->x86 ? 0xC4 : s->arm64 ? 0x100 : 0x98), s->base + sp, s->pointer);
    sys_word(s, c + (s->x86 ? 0xB0 : s->arm64 ? 0x08 : 0x78), 0xA + i, s->pointer);
}

/* Where fields of the processors' blocks and threads stand here; the debugger data block tells it. */
static inline uint64_t sys_prcb(const struct system_forge *s, unsigned i, const char *field)
{
    static const struct {
        const char *name;
        uint32_t x64, x86;
    } rows[] = {{"thread", 0x08, 0x04},  {"next", 0x10, 0x08},      {"idle", 0x18, 0x0C},
                {"number", 0x24, 0x3CC}, {"special", 0x100, 0x100}, {"context", 0x300, 0x300},
                {"dpc", 0x310, 0x310},   {"active", 0x320, 0x320},  {"ipi", SYS_IPI, 0x7F4}};
    for (unsigned k = 0; k < sizeof rows / sizeof *rows; k++)
        if (strcmp(rows[k].name, field) == 0 && s->arm64 && rows[k].x64 == SYS_IPI)
            return SYS_PRCB + 0x4000u * i + 0xA8C;
        else if (strcmp(rows[k].name, field) == 0)
            return SYS_PRCB + 0x4000u * i + (s->x86 ? rows[k].x86 : rows[k].x64);
    return 0;
}

static inline uint64_t sys_kdbg_pointer(const struct system_forge *s, uint64_t off)
{
    uint64_t va = s->base + off;
    return s->x86 ? va | UINT64_C(0xFFFFFFFF00000000) : va;
}

static inline void sys_kdbg(struct system_forge *s)
{
    static const struct {
        uint32_t at, target;
    } pointers[] = {{0x18, 0},          {0x48, SYS_LIST},       {0x88, SYS_BUGCHECK},
                    {0x148, SYS_LIMIT}, {0x150, SYS_COMMITTED}, {0x208, SYS_LAB},
                    {0x218, SYS_ARRAY}, {0x220, SYS_UNLOADED},  {0x248, SYS_VERIFIER},
                    {0x320, SYS_BAD}};
    static const struct {
        uint32_t at;
        const char *field;
    } offsets[] = {{0x2B2, "active"},  {0x2B4, "thread"}, {0x2BE, "number"}, {0x2F2, "special"},
                   {0x338, "context"}, {0x350, "idle"},   {0x354, "dpc"}};
    sys_word(s, SYS_KDBG + 0x10, 0x4742444B, 4);
    sys_word(s, SYS_KDBG + 0x14, 0x3A0, 4);
    for (unsigned i = 0; i < sizeof pointers / sizeof *pointers; i++)
        sys_word(s, SYS_KDBG + pointers[i].at, sys_kdbg_pointer(s, pointers[i].target), 8);
    for (unsigned i = 0; i < sizeof offsets / sizeof *offsets; i++)
        sys_word(s, SYS_KDBG + offsets[i].at, sys_prcb(s, 0, offsets[i].field) - SYS_PRCB, 2);
    sys_word(s, SYS_KDBG + 0x2A0, 0xB8, 2); /* process of a thread */
    sys_word(s, SYS_KDBG + 0x2A8, s->arm64 ? 0xC80 : 0xA40, 2);
    sys_word(s, SYS_KDBG + 0x2B0, s->x86 ? 0x2000 : s->arm64 ? 0x9680 : 0xAF00, 2);
    sys_word(s, SYS_KDBG + 0x340, 0x30, 4);
    sys_word(s, SYS_KDBG + 0x344, 0x38, 4);
}

static inline void sys_processor(struct system_forge *s, unsigned i, uint32_t state)
{
    uint64_t thread = SYS_THREAD + 0x1000u * i;
    sys_ptr(s, SYS_ARRAY + i * s->pointer, SYS_PRCB + 0x4000u * i);
    sys_ptr(s, sys_prcb(s, i, "thread"), thread);
    sys_ptr(s, sys_prcb(s, i, "idle"), i == 2 ? thread : SYS_THREAD + 0x800);
    sys_word(s, sys_prcb(s, i, "number"), i, 4);
    sys_word(s, sys_prcb(s, i, "special") + 0xA0, 2, 8);
    sys_ptr(s, sys_prcb(s, i, "context"), SYS_CONTEXTS + 0x500u * i);
    if (i == 0)
        sys_ptr(s, sys_prcb(s, i, "dpc"), SYS_DPC_END - 0x50);
    sys_word(s, sys_prcb(s, i, "ipi"), state, 4);
    sys_ptr(s, thread + 0x30, SYS_STACK + 0x4000u * i);
    sys_ptr(s, thread + 0x38, SYS_STACK_END + 0x4000u * i);
    sys_ptr(s, thread + 0xB8, SYS_PROCESS);
    sys_context(s, i, 0x500 + i, SYS_SP + 0x4000u * i);
}

static inline void sys_forge(struct system_forge *s, enum dfr_machine machine)
{
    bool x86 = machine == DFR_MACHINE_X86;
    memset(s, 0, sizeof *s);
    s->x86 = x86;
    s->arm64 = machine == DFR_MACHINE_ARM64;
    s->pointer = x86 ? 4 : 8;
    s->base = x86 ? 0x80800000 : UINT64_C(0xFFFFF80010000000);
    s->next = SYS_ROOT + 1;
    s->code = x86 ? 0x8E : 0x3B;
    s->args[0] = 0xC0000005;
    s->args[1] = s->base + SYS_DRIVER + 0x234;
    s->args[2] = s->base + (x86 ? SYS_TRAP : SYS_CONTEXTS + 0x500 * 3);
    sys_image(s, 0, 0xF1234567, 16);
    sys_image(s, SYS_DRIVER, 0x63000000, 2);
    sys_ptr(s, SYS_LIST, SYS_ENTRY);
    sys_ptr(s, SYS_LIST + s->pointer, SYS_ENTRY + 0x200);
    sys_module(s, 0, 0, SYS_IMAGE, "\\SystemRoot\\system32\\ntkrnlmp.exe");
    sys_module(s, 1, SYS_DRIVER, 0x4000, "\\??\\C:\\exdisk.sys");
    sys_module(s, 2, SYS_THIRD, 0x2000, "\\Driver\\volmgr.sys"); /* its image was not stored */
    sys_ptr(s, SYS_UNLOADED, SYS_RING);
    sys_gone(s, 0, 0x300000, "gone.sys");
    sys_gone(s, 1, 0x310000, "a_name_of_more_than_twelve.sys");
    for (unsigned i = 0; i < 27; i++)
        sys_word(s, SYS_LAB + i, (uint8_t) "19041.1.amd64fre.vb_release"[i], 1);
    sys_word(s, SYS_VERIFIER, 0x209BB, 4);
    sys_word(s, SYS_COMMITTED, 999, 8);
    sys_word(s, SYS_LIMIT, 1000, 8);
    sys_word(s, SYS_BAD, 3, 8);
    for (unsigned i = 0; i < SYS_PROCESSORS; i++)
        sys_processor(s, i, i == 0 ? 0 : 2);
    sys_kdbg(s);
    for (unsigned i = 0; i < 8; i++)
        sys_word(s, SYS_PROCESS + (s->arm64 ? 0x560u : 0x5A8u) + i, (uint8_t) "tool.exe"[i], 1);
    sys_word(s, SYS_CONTEXTS + 0x500 * 4, 0, 8); /* its end stands on the next page */
    sys_context(s, 3, SYS_DRIVER + 0x234, SYS_SP + 0x40);
    sys_word(s, SYS_RECORD, 0xC0000005, 4);
    sys_word(s, SYS_RECORD + (x86 ? 0x0C : 0x10), s->args[1], s->pointer);
    sys_word(s, SYS_RECORD + (x86 ? 0x10 : 0x18), 2, 4);
    sys_word(s, SYS_RECORD + (x86 ? 0x14 : 0x20), 1, s->pointer);
    sys_word(s, SYS_RECORD + (x86 ? 0x18 : 0x28), 0x1010, s->pointer);
    if (x86) {
        sys_word(s, SYS_TRAP + 0x68, s->args[1], 4);
        sys_word(s, SYS_TRAP + 0x6C, 0x08, 4);
        sys_word(s, SYS_TRAP + 0x70, 0x10246, 4);
        sys_word(s, SYS_TRAP + 0x44, 0xABCD, 4); /* eax before Windows 8 */
    }
}

/* The file; its length. */
static inline size_t sys_file(struct system_forge *s, uint32_t type, uint8_t *d)
{
    size_t n = pages_forge_file(&s->pages, type, !s->x86, 256, d);
    struct {
        size_t root, list, processors, code, args, kdbg, context, time;
    } at = s->x86 ? (__typeof__(at)){0x10, 0x18, 0x24, 0x28, 0x2C, 0x60, 0x320, 0xFC0}
                  : (__typeof__(at)){0x10, 0x20, 0x34, 0x38, 0x40, 0x80, 0x348, 0xFA8};
    unsigned p = s->pointer;
    pages_forge_put(d, at.root, SYS_ROOT << 12, p);
    pages_forge_put(d, at.list, s->base + SYS_LIST, p);
    forge32(d, at.processors, SYS_PROCESSORS);
    forge32(d, at.code, s->code);
    for (unsigned i = 0; i < 4; i++)
        pages_forge_put(d, at.args + i * p, s->args[i], p);
    pages_forge_put(d, at.kdbg, s->base + SYS_KDBG, p);
    if (s->arm64)
        forge32(d, 0x30, 0xAA64);
    if (s->x86)
        d[0x5C] = 0; /* no PAE */
    uint64_t own = sys_physical(s, s->base + SYS_CONTEXTS);
    memcpy(d + at.context, pages_forge_page(&s->pages, own >> 12) + (own & 0xFFF),
           s->x86     ? 0x2CC
           : s->arm64 ? 0x390
                      : 0x4D0);
    return n;
}

#endif
