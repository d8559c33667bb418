/* The crashing stack: where each frame lies, and what stands there. Every frame is one of its function's
 * real prolog, so that unwinding by the function table, by frame records or by ebp gives the same. */
#include <string.h>

#include "forge/world.h"

enum {
    TRAP64 = 0x190,
    TRAP32 = 0x8C,
    TOP_ROOM = 0x50, /* between the oldest frame and the top of a stack */
    OTHER_STACK = 0x6000,
    ARGS32 = 0x10,
};

static const struct dfr_forged_function *function_of(const struct dfr_forge *f,
                                                     const struct dfr_forged_frame *r)
{
    return r->function == UINT32_MAX ? NULL : &f->modules.v[r->module].functions.v[r->function];
}

static void resolve(struct dfr_forge *f, const struct dfr_recipe_frame *r, bool interrupted)
{
    struct dfr_forged_frame *t = DFR_PUSH(f->arena, &f->frames);
    *t = (struct dfr_forged_frame){.recipe = r, .trap = r->trap.len > 0};
    t->address = dfr_name_value(f, &r->at, 0);
    dfr_module_at(f, t->address, &t->module, &t->function);
    const struct dfr_forged_function *fn = function_of(f, t);
    if (!fn) {
        if (t->address)
            dfr_recipe_error(&f->file, r->at.node, DFR_D_RECIPE_VALUE,
                             "a frame lies in a function of a module of the recipe");
        return;
    }
    uint64_t off = t->address - f->modules.v[t->module].base - fn->at;
    t->entry = off == 0;
    if (off && off < fn->prolog + (interrupted ? 0 : 5))
        dfr_recipe_error(&f->file, r->at.node, DFR_D_RECIPE_VALUE,
                         "+0x%llx lies in the prolog and the call behind it, which take 0x%x bytes",
                         (unsigned long long)off, fn->prolog + 5);
    if (t->entry && f->frames.n > 1 && !interrupted)
        dfr_recipe_error(&f->file, r->at.node, DFR_D_RECIPE_VALUE,
                         "only the newest frame can be at the first instruction of its function");
    if (t->trap && f->arm64)
        dfr_recipe_error(&f->file, r->at.node, DFR_D_RECIPE_VALUE,
                         "trap frames are written for x64 and x86; use a context record");
}

/* Bytes from the frame's stack pointer to that of its caller. */
static uint64_t extent(const struct dfr_forge *f, const struct dfr_forged_frame *t)
{
    const struct dfr_forged_function *fn = function_of(f, t);
    if (!fn)
        return 16;
    if (f->arm64)
        return t->entry ? 0 : fn->locals;
    if (t->trap)
        return TRAP64;
    return (t->entry ? 0 : fn->locals + 8 * fn->save_count) + 8;
}

/* x64, ARM64: frames [from, to) with the newest at `sp`; returns what lies behind the oldest. */
static uint64_t lay(struct dfr_forge *f, uint32_t from, uint32_t to, uint64_t sp)
{
    for (uint32_t i = from; i < to; i++) {
        struct dfr_forged_frame *t = &f->frames.v[i];
        t->sp = sp;
        sp += extent(f, t);
        t->ret = t->trap ? 0 : f->arm64 ? (t->entry ? 0 : t->sp + 8) : sp - 8;
    }
    return sp;
}

/* x86: a frame's place is its ebp. `low` is free from there on; returns what lies behind. */
static uint64_t lay32(struct dfr_forge *f, uint32_t from, uint32_t to, uint64_t low)
{
    for (uint32_t i = from; i < to; i++) {
        struct dfr_forged_frame *t = &f->frames.v[i];
        const struct dfr_forged_function *fn = function_of(f, t);
        if (t->entry) {
            t->sp = low - 4; /* where its ebp would be pushed */
            t->ret = low;
            low += 4 + ARGS32;
        } else if (t->trap) {
            t->sp = low;
            low += TRAP32;
        } else {
            t->sp = low + (fn ? fn->locals : 0);
            t->ret = t->sp + 4;
            low = t->sp + 8 + ARGS32;
        }
    }
    return low;
}

static uint64_t segment(struct dfr_forge *f, uint32_t from, uint32_t to, uint64_t sp)
{
    return f->x86 ? lay32(f, from, to, sp) : lay(f, from, to, sp);
}

/* So that the oldest frame ends below `top`. */
static uint64_t anchor(struct dfr_forge *f, uint32_t from, uint32_t to, uint64_t top)
{
    uint64_t first = !f->x86 && !f->arm64 && f->frames.v[from].entry ? 8 : 0;
    uint64_t bytes = segment(f, from, to, 0x1000) - 0x1000;
    uint64_t sp = ((top - TOP_ROOM - bytes - 0x10) & ~UINT64_C(0xF)) + first;
    (void)segment(f, from, to, sp);
    return sp;
}

void dfr_forge_place_stack(struct dfr_forge *f)
{
    const struct dfr_recipe_thread *t = &f->r.thread;
    uint64_t base = f->x86 ? 0x8D1F3000 : f->arm64 ? 0xFFFFD00FC4A37000 : 0xFFFFCE0A1AB37000;
    f->stack_base = dfr_name_value(f, &t->stack_base, base);
    f->stack_limit = dfr_name_value(f, &t->stack_limit, f->stack_base - (f->x86 ? 0x3000 : 0x6000));
    if ((f->stack_base & 0xF) || f->stack_limit >= f->stack_base ||
        f->stack_base - f->stack_limit > 0x100000) {
        dfr_recipe_error(&f->file, t->node, DFR_D_RECIPE_VALUE,
                         "`stack_limit` lies below `stack_base`, by 1M at most");
        f->stack_base = base;
        f->stack_limit = base - 0x6000;
    }
    if (!f->r.stack.n) {
        dfr_recipe_error(&f->file, f->r.node, DFR_D_RECIPE_VALUE, "`stack` has no frame");
        return;
    }
    uint32_t n = f->r.stack.n, split = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct dfr_recipe_frame *r = &f->r.stack.v[i];
        resolve(f, r, i > 0 && f->r.stack.v[i - 1].trap.len > 0);
        if (!r->sp.node)
            continue;
        if (split || !i || !f->r.stack.v[i - 1].trap.len)
            dfr_recipe_error(&f->file, r->node, DFR_D_RECIPE_VALUE,
                             "one frame may have `sp`: the one that a trap frame interrupts");
        split = i;
    }
    if (split) {
        uint64_t sp = dfr_name_value(f, &f->r.stack.v[split].sp, 0);
        uint64_t low = (dfr_world_alloc(f, OTHER_STACK, DFR_FORGE_PAGE));
        f->stack_low = anchor(f, 0, split, low + OTHER_STACK);
        f->stack_high = low + OTHER_STACK;
        if (segment(f, split, n, sp) > f->stack_base)
            dfr_recipe_error(&f->file, f->r.stack.v[split].node, DFR_D_RECIPE_VALUE,
                             "the frames from `sp` on do not fit below the base of the stack");
    } else {
        f->stack_low = anchor(f, 0, n, f->stack_base);
        f->stack_high = f->stack_base;
        if (f->stack_low < f->stack_limit)
            dfr_recipe_error(&f->file, t->node ? t->node : f->r.node, DFR_D_RECIPE_VALUE,
                             "the stack needs 0x%llx bytes and has 0x%llx",
                             (unsigned long long)(f->stack_base - f->stack_low),
                             (unsigned long long)(f->stack_base - f->stack_limit));
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct dfr_recipe_frame *r = &f->r.stack.v[i];
        dfr_name_add(f, r->node, r->trap, f->frames.v[i].sp);
        dfr_name_add(f, r->node, r->name, f->frames.v[i].sp);
    }
}

uint32_t dfr_forge_frame_named(struct dfr_forge *f, struct dfr_str name,
                               const struct dfr_yaml *node)
{
    for (uint32_t i = 0; i < f->frames.n; i++)
        if (dfr_str_eq(f->frames.v[i].recipe->name, name))
            return i;
    dfr_recipe_error(&f->file, node, DFR_D_RECIPE_NAME, "no frame is called `%.*s`", (int)name.len,
                     name.p);
    return 0;
}

/* ---- Registers ----------------------------------------------------------------------------- */

struct reg {
    const char *name;
    uint16_t off;
    uint8_t bytes;
};
static const struct reg context64[] = {
    {"rax", 0x78, 8}, {"rcx", 0x80, 8}, {"rdx", 0x88, 8}, {"rbx", 0x90, 8}, {"rsp", 0x98, 8},
    {"rbp", 0xA0, 8}, {"rsi", 0xA8, 8}, {"rdi", 0xB0, 8}, {"r8", 0xB8, 8},  {"r9", 0xC0, 8},
    {"r10", 0xC8, 8}, {"r11", 0xD0, 8}, {"r12", 0xD8, 8}, {"r13", 0xE0, 8}, {"r14", 0xE8, 8},
    {"r15", 0xF0, 8}, {"rip", 0xF8, 8}, {"efl", 0x44, 4}, {NULL, 0, 0}};
static const struct reg trap64[] = {{"rax", 0x30, 8},  {"rcx", 0x38, 8},    {"rdx", 0x40, 8},
                                    {"r8", 0x48, 8},   {"r9", 0x50, 8},     {"r10", 0x58, 8},
                                    {"r11", 0x60, 8},  {"rbp", 0x158, 8},   {"cr2", 0xD0, 8},
                                    {"efl", 0x178, 4}, {"error", 0x160, 8}, {NULL, 0, 0}};
static const struct reg context32[] = {{"edi", 0x9C, 4}, {"esi", 0xA0, 4}, {"ebx", 0xA4, 4},
                                       {"edx", 0xA8, 4}, {"ecx", 0xAC, 4}, {"eax", 0xB0, 4},
                                       {"ebp", 0xB4, 4}, {"eip", 0xB8, 4}, {"efl", 0xC0, 4},
                                       {"esp", 0xC4, 4}, {NULL, 0, 0}};
static const struct reg trap32[] = {{"edx", 0x38, 4},   {"ecx", 0x3C, 4}, {"eax", 0x40, 4},
                                    {"edi", 0x54, 4},   {"esi", 0x58, 4}, {"ebx", 0x5C, 4},
                                    {"error", 0x64, 4}, {"efl", 0x70, 4}, {NULL, 0, 0}};
static const struct reg contextarm[] = {{"fp", 0xF0, 8},  {"lr", 0xF8, 8}, {"sp", 0x100, 8},
                                        {"pc", 0x108, 8}, {"cpsr", 4, 4},  {NULL, 0, 0}};
static const uint8_t kept[8] = {3, 5, 6, 7, 12, 13, 14, 15};
static const char *const kept_names[8] = {"rbx", "rbp", "rsi", "rdi", "r12", "r13", "r14", "r15"};

/* Offset of a register; x0 to x28 of ARM64 stand in a row. */
static bool find_reg(const struct dfr_forge *f, const struct reg *table, struct dfr_str name,
                     struct reg *ret)
{
    for (const struct reg *r = table; r->name; r++)
        if (dfr_str_eq(name, dfr_str_from(r->name))) {
            *ret = *r;
            return true;
        }
    unsigned n = 0;
    if (!f->arm64 || name.len < 2 || name.len > 3 || name.p[0] != 'x')
        return false;
    for (size_t i = 1; i < name.len; i++)
        n = n * 10 + (unsigned)(name.p[i] - '0');
    *ret = (struct reg){"x", (uint16_t)(8 + 8 * n), 8};
    return n <= 28;
}

static void put_regs(struct dfr_forge *f, const struct reg *table, const dfr_regs *regs,
                     uint8_t *to)
{
    for (uint32_t i = 0; regs && i < regs->n; i++) {
        const struct dfr_reg *r = &regs->v[i];
        struct reg at;
        if (find_reg(f, table, r->name, &at))
            dfr_put_le(to + at.off, dfr_name_value(f, &r->value, 0), at.bytes);
        else
            dfr_recipe_error(&f->file, r->value.node, DFR_D_RECIPE_VALUE,
                             "there is no register `%.*s` in it", (int)r->name.len, r->name.p);
    }
}

uint32_t dfr_forge_context_bytes(const struct dfr_forge *f)
{
    return f->x86 ? 0x2CC : f->arm64 ? 0x390 : 0x4D0;
}

/* esp of an x86 frame. */
static uint64_t esp_of(const struct dfr_forge *f, uint32_t i)
{
    const struct dfr_forged_frame *t = &f->frames.v[i];
    const struct dfr_forged_function *fn = function_of(f, t);
    return t->entry ? t->ret : t->sp - (fn ? fn->locals : 0);
}

void dfr_forge_context(struct dfr_forge *f, uint32_t frame, const dfr_regs *regs, uint8_t *c)
{
    const struct dfr_forged_frame *t = &f->frames.v[frame];
    uint64_t caller = frame + 1 < f->frames.n ? f->frames.v[frame + 1].sp : 0;
    memset(c, 0, dfr_forge_context_bytes(f));
    if (f->arm64) {
        dfr_put_le(c, 0x400007, 4);
        dfr_put_le(c + 4, 0x60000004, 4);
        dfr_put_le(c + 0xF0, t->entry ? caller : t->sp, 8);
        dfr_put_le(c + 0xF8, frame + 1 < f->frames.n ? f->frames.v[frame + 1].address : 0, 8);
        dfr_put_le(c + 0x100, t->sp, 8);
        dfr_put_le(c + 0x108, t->address, 8);
        put_regs(f, contextarm, regs, c);
        return;
    }
    if (f->x86) {
        static const uint8_t segments[] = {0x8C, 0,    0x90, 0x30, 0x94, 0x23,
                                           0x98, 0x23, 0xBC, 8,    0xC8, 0x10};
        dfr_put_le(c, 0x10017, 4);
        for (size_t i = 0; i < sizeof segments; i += 2)
            c[segments[i]] = segments[i + 1];
        dfr_put_le(c + 0xB4, t->entry ? caller : t->sp, 4);
        dfr_put_le(c + 0xB8, t->address, 4);
        dfr_put_le(c + 0xC0, 0x10246, 4);
        dfr_put_le(c + 0xC4, esp_of(f, frame), 4);
        put_regs(f, context32, regs, c);
        return;
    }
    dfr_put_le(c + 0x30, 0x10001F, 4);
    dfr_put_le(c + 0x34, 0x1F80, 4);
    dfr_put_le(c + 0x118, 0x1F80, 4); /* the same in the floating point area; a reader compares */
    dfr_put_le(c + 0x38, 0x10, 2);
    for (unsigned at = 0x3A; at <= 0x40; at += 2)
        dfr_put_le(c + at, at == 0x3E ? 0x53 : 0x2B, 2);
    dfr_put_le(c + 0x42, 0x18, 2);
    dfr_put_le(c + 0x44, 0x10246, 4);
    for (size_t i = 0; i < 8; i++) {
        struct reg at;
        if (find_reg(f, context64, dfr_str_from(kept_names[i]), &at))
            dfr_put_le(c + at.off, t->keep[i], 8);
    }
    dfr_put_le(c + 0x98, t->sp, 8);
    dfr_put_le(c + 0xF8, t->address, 8);
    put_regs(f, context64, regs, c);
}

/* ---- Contents ------------------------------------------------------------------------------ */

/* A call right before the return address `ret`, to `callee`. */
static void put_call(struct dfr_forge *f, uint64_t ret, uint64_t callee)
{
    uint64_t d = callee - ret;
    uint8_t b[5] = {0xE8};
    if (f->arm64) {
        d = callee - (ret - 4);
        bool near = d + 0x8000000 < 0x10000000;
        dfr_world_u(f, ret - 4, near ? 0x94000000 | (d >> 2 & 0x3FFFFFF) : 0xD63F0100, 4);
    } else if (f->x86 || d + 0x80000000 < 0x100000000) {
        dfr_put_le(b + 1, d, 4);
        dfr_world_put(f, ret - 5, b, 5);
    } else {
        dfr_world_u(f, ret - 2, 0xD0FF, 2); /* call rax */
    }
}

/* Values that calls keep, from the oldest frame to the newest: a function pushes what it found. */
static void keep_registers(struct dfr_forge *f)
{
    uint64_t now[8] = {0};
    for (uint32_t i = f->frames.n; i > 0; i--) {
        struct dfr_forged_frame *t = &f->frames.v[i - 1];
        const struct dfr_forged_function *fn = function_of(f, t);
        for (uint32_t k = fn && !t->entry ? fn->save_count : 0; k > 0; k--) {
            uint64_t slot = t->trap ? t->sp + 0x158 : t->sp + fn->locals + 8 * (fn->save_count - k);
            for (size_t r = 0; r < 8; r++)
                if (kept[r] == fn->saves[k - 1]) {
                    dfr_world_u(f, slot, now[r], 8);
                    now[r] = 0x10 * i + r;
                }
        }
        for (uint32_t c = 0; c < f->r.contexts.n; c++)
            for (uint32_t k = 0; dfr_str_eq(f->r.contexts.v[c].frame, t->recipe->name) &&
                                 k < f->r.contexts.v[c].regs.n;
                 k++)
                for (size_t r = 0; r < 8; r++)
                    if (dfr_str_eq(f->r.contexts.v[c].regs.v[k].name, dfr_str_from(kept_names[r])))
                        now[r] = dfr_name_value(f, &f->r.contexts.v[c].regs.v[k].value, 0);
        memcpy(t->keep, now, sizeof now);
    }
}

static void put_trap(struct dfr_forge *f, uint32_t i)
{
    const struct dfr_forged_frame *t = &f->frames.v[i];
    const struct dfr_forged_frame *o = i + 1 < f->frames.n ? &f->frames.v[i + 1] : NULL;
    uint8_t b[TRAP64] = {0};
    if (f->x86) {
        dfr_put_le(b, o ? o->sp : 0, 4); /* what a chain of ebp finds */
        dfr_put_le(b + 4, o ? o->address : 0, 4);
        dfr_put_le(b + 0x60, o ? o->sp : 0, 4);
        dfr_put_le(b + 0x68, o ? o->address : 0, 4);
        b[0x6C] = 8;
        dfr_put_le(b + 0x70, 0x10246, 4);
        b[0x30] = b[0x34] = 0x23;
        b[0x50] = 0x30;
        put_regs(f, trap32, &t->recipe->regs, b);
        dfr_world_put(f, t->sp, b, TRAP32);
        return;
    }
    dfr_put_le(b + 0x2C, 0x1F80, 4);
    dfr_put_le(b + 0x158, t->keep[1], 8);
    if (o) {
        dfr_put_le(b + 0x158, o->keep[1], 8);
        dfr_put_le(b + 0x168, o->address, 8);
        dfr_put_le(b + 0x180, o->sp, 8);
    }
    dfr_put_le(b + 0x170, 0x10, 8);
    dfr_put_le(b + 0x178, 0x10246, 8);
    dfr_put_le(b + 0x188, 0x18, 8);
    put_regs(f, trap64, &t->recipe->regs, b);
    dfr_world_put(f, t->sp, b, TRAP64);
}

static void put_args(struct dfr_forge *f, uint32_t i)
{
    const struct dfr_forged_frame *t = &f->frames.v[i];
    uint64_t at = t->ret + f->ptr;
    const struct dfr_forged_function *fn = function_of(f, t);
    if (!t->ret || f->arm64)
        return;
    if (!t->recipe->args.n && !i && fn &&
        (dfr_str_eq(fn->name, DFR_STR("KeBugCheckEx")) ||
         dfr_str_eq(fn->name, DFR_STR("KeBugCheck2")))) {
        dfr_world_ptr(f, at, f->r.bugcheck.code);
        for (unsigned k = 0; k < 3; k++)
            dfr_world_ptr(f, at + (k + 1) * f->ptr, f->args[k]);
    }
    for (uint32_t k = 0; k < t->recipe->args.n && k < 4; k++)
        dfr_world_ptr(f, at + k * f->ptr, dfr_name_value(f, &t->recipe->args.v[k], 0));
}

void dfr_forge_write_stack(struct dfr_forge *f)
{
    uint64_t low = f->stack_low & ~UINT64_C(0xFFF);
    dfr_world_fill(f, low, 0, f->stack_high - low);
    for (uint64_t at = f->stack_limit; at < f->stack_base; at += DFR_FORGE_PAGE)
        (void)dfr_world_page(f, at, true);
    if (!f->x86 && !f->arm64)
        keep_registers(f);
    for (uint32_t i = 0; i < f->frames.n; i++) {
        const struct dfr_forged_frame *t = &f->frames.v[i];
        const struct dfr_forged_frame *o = i + 1 < f->frames.n ? &f->frames.v[i + 1] : NULL;
        uint64_t ret = o ? o->address : 0;
        if (t->trap) {
            put_trap(f, i);
            continue;
        }
        if (t->ret)
            dfr_world_ptr(f, t->ret, ret);
        if ((f->arm64 || f->x86) && !t->entry)
            dfr_world_ptr(f, t->sp, o ? o->sp : 0);
        put_args(f, i);
    }
    if (f->stack_low < f->stack_limit || f->stack_low >= f->stack_base)
        dfr_world_hold(f, f->frames.v[f->frames.n - 1].sp & ~UINT64_C(0xFFF),
                       f->stack_base - (f->frames.v[f->frames.n - 1].sp & ~UINT64_C(0xFFF)),
                       DFR_HELD_BY_DEBUGGER);
}

void dfr_forge_write_calls(struct dfr_forge *f)
{
    for (uint32_t i = 0; i + 1 < f->frames.n; i++) {
        const struct dfr_forged_frame *t = &f->frames.v[i], *o = t + 1;
        if (!t->trap && o->function != UINT32_MAX && t->function != UINT32_MAX)
            put_call(f, o->address, f->modules.v[t->module].base + function_of(f, t)->at);
    }
}
