/* Register blocks, the instruction below them, and stacks. */
#include "forge/words.h"

static uint64_t le(const uint8_t *p, unsigned bytes)
{
    uint64_t u = 0;
    for (unsigned i = bytes; i > 0; i--)
        u = u << 8 | p[i - 1];
    return u;
}

/* What the debugger disassembles at an address, where the recipe says it or it is filler. */
static void instruction(struct dfr_pen *p, uint64_t va)
{
    struct dfr_forge *f = p->f;
    for (uint32_t k = 0; k < f->modules.n; k++) {
        const struct dfr_forged_module *m = &f->modules.v[k];
        for (uint32_t i = 0; i < m->recipe->code.n; i++) {
            const struct dfr_recipe_code *c = &m->recipe->code.v[i];
            uint64_t at = c->at.name.len ? dfr_name_value(f, &c->at, 0) : m->base + c->at.add;
            if (at != va || !c->text.len)
                continue;
            dfr_pen_address(p, va);
            dfr_pen(p, " ");
            if (f->arm64)
                dfr_pen(p, "%08llx", DFR_LLX(le((const uint8_t *)c->bytes.p, 4)));
            for (size_t n = 0; !f->arm64 && n < c->bytes.len; n++)
                dfr_pen(p, "%02x", (unsigned)(uint8_t)c->bytes.p[n]);
            for (size_t n = 2 * c->bytes.len; n < 15; n++)
                dfr_pen(p, " ");
            dfr_pen(p, " %.*s\n", (int)c->text.len, c->text.p);
            return;
        }
    }
    uint64_t nop = f->arm64 ? 0xD503201F : 0x90;
    if (dfr_world_read(f, va, f->arm64 ? 4 : 1) != nop)
        return;
    dfr_pen_address(p, va);
    dfr_pen(p, f->arm64 ? " d503201f nop\n" : " 90              nop\n");
}

static void where(struct dfr_pen *p, uint64_t ip)
{
    dfr_pen_symbol(p, ip);
    dfr_pen(p, ":\n");
    instruction(p, ip);
}

static void flags(struct dfr_pen *p, uint64_t efl)
{
    dfr_pen(p, "iopl=%u         %s %s %s %s %s %s %s %s\n", (unsigned)(efl >> 12 & 3),
            efl & 0x800 ? "ov" : "nv", efl & 0x400 ? "dn" : "up", efl & 0x200 ? "ei" : "di",
            efl & 0x80 ? "ng" : "pl", efl & 0x40 ? "zr" : "nz", efl & 0x10 ? "ac" : "na",
            efl & 4 ? "pe" : "po", efl & 1 ? "cy" : "nc");
}

/* Registers in the order in which they are printed: rax rbx rcx rdx rsi rdi rip rsp rbp r8 ... r15. */
static void block64(struct dfr_pen *p, const uint64_t r[17], uint64_t efl, bool segments)
{
    static const char *const names[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi",
                                        "rip", "rsp", "rbp", " r8", " r9", "r10",
                                        "r11", "r12", "r13", "r14", "r15"};
    for (unsigned i = 0; i < 17; i++)
        dfr_pen(p, "%s=%016llx%s", names[i], DFR_LLX(r[i]), i % 3 == 2 || i == 16 ? "\n" : " ");
    flags(p, efl);
    if (segments)
        dfr_pen(p, "cs=0010  ss=0018  ds=002b  es=002b  fs=0053  gs=002b             efl=%08llx\n",
                DFR_LLX(efl));
    where(p, r[6]);
}

static void block32(struct dfr_pen *p, const uint64_t r[9])
{
    dfr_pen(p, "eax=%08llx ebx=%08llx ecx=%08llx edx=%08llx esi=%08llx edi=%08llx\n", DFR_LLX(r[0]),
            DFR_LLX(r[1]), DFR_LLX(r[2]), DFR_LLX(r[3]), DFR_LLX(r[4]), DFR_LLX(r[5]));
    dfr_pen(p, "eip=%08llx esp=%08llx ebp=%08llx ", DFR_LLX(r[6]), DFR_LLX(r[7]), DFR_LLX(r[8]));
    flags(p, 0x10246);
    dfr_pen(p, "cs=0008  ss=0010  ds=0023  es=0023  fs=0030  gs=0000             efl=00010246\n");
    where(p, r[6]);
}

static void block_arm64(struct dfr_pen *p, const uint8_t *c)
{
    for (unsigned i = 0; i < 29; i++)
        dfr_pen(p, " %sx%u=%016llx%s", i < 10 ? " " : "", i, DFR_LLX(le(c + 8 + 8 * i, 8)),
                i % 4 == 3 || i == 28 ? "\n" : " ");
    dfr_pen(p, "  fp=%016llx   lr=%016llx   sp=%016llx\n", DFR_LLX(le(c + 0xF0, 8)),
            DFR_LLX(le(c + 0xF8, 8)), DFR_LLX(le(c + 0x100, 8)));
    dfr_pen(p, "  pc=%016llx  psr=%08llx -ZC- EL1\n", DFR_LLX(le(c + 0x108, 8)),
            DFR_LLX(le(c + 4, 4)));
    where(p, le(c + 0x108, 8));
}

void dfr_pen_context(struct dfr_pen *p, const uint8_t *c)
{
    static const uint16_t at64[] = {0x78, 0x90, 0x80, 0x88, 0xA8, 0xB0, 0xF8, 0x98, 0xA0,
                                    0xB8, 0xC0, 0xC8, 0xD0, 0xD8, 0xE0, 0xE8, 0xF0};
    static const uint16_t at32[] = {0xB0, 0xA4, 0xAC, 0xA8, 0xA0, 0x9C, 0xB8, 0xC4, 0xB4};
    uint64_t r[17];
    if (p->f->arm64) {
        block_arm64(p, c);
    } else if (p->f->x86) {
        for (unsigned i = 0; i < 9; i++)
            r[i] = le(c + at32[i], 4);
        block32(p, r);
    } else {
        for (unsigned i = 0; i < 17; i++)
            r[i] = le(c + at64[i], 8);
        block64(p, r, le(c + 0x44, 4), true);
    }
}

void dfr_pen_trap(struct dfr_pen *p, uint32_t frame)
{
    /* 0: the frame of a fault does not hold it, and the debugger prints a zero. */
    static const uint16_t at64[] = {0x30, 0,    0x38, 0x40, 0, 0, 0x168, 0x180, 0x158,
                                    0x48, 0x50, 0x58, 0x60, 0, 0, 0,     0};
    static const uint16_t at32[] = {0x40, 0x5C, 0x3C, 0x38, 0x58, 0x54, 0x68, 0, 0x60};
    uint64_t va = p->f->frames.v[frame].sp, r[17] = {0};
    if (p->f->x86) {
        for (unsigned i = 0; i < 9; i++)
            r[i] = at32[i] ? dfr_world_read(p->f, va + at32[i], 4) : va + 0x74;
        block32(p, r);
        return;
    }
    dfr_pen(p, "NOTE: The trap frame does not contain all registers.\n"
               "Some register values may be zeroed or incorrect.\n");
    for (unsigned i = 0; i < 17; i++)
        r[i] = at64[i] ? dfr_world_read(p->f, va + at64[i], 8) : 0;
    block64(p, r, dfr_world_read(p->f, va + 0x178, 4), false);
}

void dfr_pen_stack(struct dfr_pen *p, uint32_t first)
{
    struct dfr_forge *f = p->f;
    for (uint32_t i = first; i < f->frames.n; i++) {
        const struct dfr_forged_frame *t = &f->frames.v[i];
        uint64_t ret = i + 1 < f->frames.n ? f->frames.v[i + 1].address : 0;
        /* A trap has no words of a caller; what stands above the machine's own is shown for them. */
        uint64_t args = t->ret ? t->ret + f->ptr : t->sp + (f->x86 ? 8 : 0x190);
        dfr_pen_address(p, t->sp);
        dfr_pen(p, " ");
        dfr_pen_address(p, ret);
        if (!f->arm64) {
            dfr_pen(p, f->x86 ? "" : "     :");
            for (unsigned k = 0; k < (f->x86 ? 3 : 4); k++) {
                dfr_pen(p, " ");
                dfr_pen_address(p, dfr_world_read(f, args + k * f->ptr, f->ptr));
            }
        }
        dfr_pen(p, f->x86 || f->arm64 ? " " : " : ");
        dfr_pen_symbol(p, t->address);
        if (t->trap) {
            dfr_pen(p, " (TrapFrame @ ");
            dfr_pen_address(p, t->sp);
            dfr_pen(p, ")");
        }
        dfr_pen(p, "\n");
    }
}
