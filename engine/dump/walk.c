/* From frame to frame: by the unwind data of the image, from memory or from a store, as long as it is
 * there; by frame pointers where they are kept (ARM64, x86); no further. A frame must stand on a
 * stack that is known, above the one before it; another stack may be entered once. */
#include "dump/walk.h"

#include "base/limits.h"
#include "dump/insn.h"

enum { HEADERS = 0x1000, POINTER_MASK_AT = 0x390, LOOSE_BYTES = 0x6000, NO_STACK = -1 };

/* Lies the address in code? 1 yes, 0 no, -1 the image's sections are not known. */
static int in_code(struct dfr_dump *d, uint64_t address)
{
    for (enum dfr_source from = DFR_FROM_MEMORY; from <= DFR_FROM_STORE; from++) {
        const struct dfr_pe *pe = dfr_dump_pe(d, address, from);
        if (!pe || !pe->section_count)
            continue;
        const struct dfr_pe_section *s = dfr_pe_section_at(pe, (uint32_t)(address - pe->base));
        return s && s->executable;
    }
    return -1;
}

bool dfr_dump_may_return(struct dfr_dump *d, uint64_t address)
{
    const struct dfr_image *image =
        dfr_dump_is_kernel(d, address) ? dfr_dump_image_at(d, address) : NULL;
    return image && address - image->base >= HEADERS && in_code(d, address) != 0 &&
           dfr_code_after_call(d, address) != 0;
}

struct walker {
    struct dfr_dump *d;
    const struct dfr_stacks *stacks;
    struct dfr_stack_walk *walk;
    struct dfr_frame frame;
    uint64_t pac;
    int stack;        /* index of the one it stands on; NO_STACK: none that is known */
    uint64_t low;     /* on none: where the walk began there */
    uint32_t entered; /* bit n: stack n was entered */
    bool at_entry;    /* the first frame is at the entry of its function */
    bool chained;     /* on the chain of frame pointers: sp is not exact any more */
};

static int stack_of(const struct walker *w, uint64_t sp)
{
    const struct dfr_stack *s = dfr_stacks_find(w->stacks, sp);
    return s ? (int)(s - w->stacks->v) : NO_STACK;
}

/* May a frame whose caller is interrupted or called stand at `sp`? Enters its stack. */
static bool stands(struct walker *w, uint64_t sp)
{
    int at = stack_of(w, sp);
    bool level = w->frame.exact && w->d->file.machine == DFR_MACHINE_ARM64;
    bool higher = sp > w->frame.sp || (level && sp == w->frame.sp);
    if (sp & 3)
        return false;
    if (at == NO_STACK)
        return w->stack == NO_STACK && higher && sp - w->low <= LOOSE_BYTES;
    if (at == w->stack)
        return higher;
    if (w->entered >> at & 1)
        return false;
    w->entered |= UINT32_C(1) << at;
    w->stack = at;
    return true;
}

static void push(struct walker *w, uint64_t slot, uint32_t method)
{
    bool x86 = w->d->file.machine == DFR_MACHINE_X86; /* frames are told by ebp there */
    *DFR_PUSH(w->d->arena, &w->walk->frames) = (struct dfr_walked){
        .pc = w->frame.pc,
        .sp = x86 ? w->frame.r[DFR_X64_RBP] : w->frame.sp,
        .low = w->frame.sp,
        .slot = slot,
        .method = method,
        .exact = w->frame.exact,
    };
}

static uint64_t data_word(const struct dfr_context *c, uint32_t at, uint32_t bytes)
{
    struct dfr_span s = {c->data, c->bytes};
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    if (bytes == 4)
        return dfr_span_u32le(s, at, &u32) ? u32 : 0;
    return dfr_span_u64le(s, at, &u64) ? u64 : 0;
}

/* Registers of a record, in the numbering of unwind data. A trap frame holds those that a call may
 * change, and the frame pointer. */
static struct dfr_frame frame_of(const struct dfr_context *c)
{
    enum { X64_RAX = 0x78, ARM64_X0 = 0x08, X86_EBP = 0xB4, TRAP_X86_EBP = 0x60 };
    static const struct {
        uint8_t reg;
        uint16_t at;
    } trap[] = {{0, 0x30}, {1, 0x38},  {2, 0x40},  {8, 0x48},
                {9, 0x50}, {10, 0x58}, {11, 0x60}, {DFR_X64_RBP, 0x158}};
    struct dfr_frame f = {.pc = c->ip, .sp = c->sp, .exact = true};
    switch (c->record) {
    case DFR_RECORD_X64:
    case DFR_RECORD_ARM64:
        for (uint32_t i = 0; i < (c->record == DFR_RECORD_X64 ? 16u : 31u); i++) {
            f.r[i] = data_word(c, (c->record == DFR_RECORD_X64 ? X64_RAX : ARM64_X0) + 8 * i, 8);
            f.known |= UINT32_C(1) << i;
        }
        break;
    case DFR_RECORD_TRAP:
        for (size_t i = 0; i < sizeof trap / sizeof *trap; i++) {
            f.r[trap[i].reg] = data_word(c, trap[i].at, 8);
            f.known |= UINT32_C(1) << trap[i].reg;
        }
        break;
    case DFR_RECORD_X86:
    case DFR_RECORD_TRAP_X86:
    case DFR_RECORD_TRAP_X86_OLD:
        f.r[DFR_X64_RBP] = data_word(c, c->record == DFR_RECORD_X86 ? X86_EBP : TRAP_X86_EBP, 4);
        f.known = 1 << DFR_X64_RBP;
        break;
    }
    return f;
}

/* One step by unwind data, from memory or else from a store. */
static bool by_data(struct walker *w, struct dfr_frame *next, struct dfr_step *ret)
{
    bool tried = false;
    ret->how = DFR_UNWIND_TABLE_LOST;
    for (enum dfr_source from = DFR_FROM_MEMORY; from <= DFR_FROM_STORE; from++) {
        const struct dfr_pe *pe = dfr_dump_pe(w->d, w->frame.pc, from);
        if (!pe)
            continue;
        *next = w->frame;
        struct dfr_step s = dfr_unwind(pe, &w->d->memory, w->pac, next);
        /* What memory says of a stack that cannot be read, a file would say again. */
        if (s.how == DFR_UNWIND_OK || !tried)
            *ret = s;
        if (s.how == DFR_UNWIND_OK || s.how == DFR_UNWIND_STACK_LOST)
            return s.how == DFR_UNWIND_OK;
        tried = true;
    }
    return false;
}

static bool stop(struct walker *w, enum dfr_stack_end end)
{
    w->walk->end = end;
    return false;
}

/* Take the caller that the data led to; false at the end of the walk. */
static bool take(struct walker *w, const struct dfr_frame *next, const struct dfr_step *s)
{
    if (!next->pc && !s->interrupted)
        return stop(w, DFR_WALK_ROOT);
    bool user = s->interrupted && s->user;
    bool kernel = dfr_dump_is_kernel(w->d, next->pc);
    w->walk->off_stack = true;
    if (user ? kernel : !kernel && !s->interrupted)
        return stop(w, DFR_WALK_STOPPED);
    if (!user && (!stands(w, next->sp) || (dfr_dump_image_at(w->d, next->pc) && !next->exact &&
                                           in_code(w->d, next->pc) == 0)))
        return stop(w, DFR_WALK_STOPPED);
    w->walk->off_stack = false;
    w->frame = *next;
    push(w, s->slot, DFR_METHOD_UNWOUND);
    if (user)
        return stop(w, DFR_WALK_USER);
    if (!dfr_dump_image_at(w->d, next->pc)) {
        w->walk->how = DFR_UNWIND_NO_TABLE;
        return stop(w, DFR_WALK_STOPPED);
    }
    return true;
}

/* The pair that a function keeps at its frame pointer: the caller's one, and the return address. */
static bool by_pointer(struct walker *w)
{
    struct dfr_dump *d = w->d;
    bool arm = d->file.machine == DFR_MACHINE_ARM64;
    if (!arm && d->file.machine != DFR_MACHINE_X86)
        return stop(w, DFR_WALK_STOPPED);
    uint32_t reg = arm ? DFR_ARM64_FP : DFR_X64_RBP, size = dfr_dump_pointer_bytes(d);
    uint64_t fp = w->frame.r[reg], up, pc;
    if (!(w->frame.known >> reg & 1))
        return stop(w, DFR_WALK_STOPPED);
    if (!fp)
        return stop(w, w->chained ? DFR_WALK_CHAIN : DFR_WALK_STOPPED);
    if (fp % size || stack_of(w, fp) != w->stack || fp < w->frame.sp ||
        !dfr_dump_pointer(d, fp, &up) || !dfr_dump_pointer(d, fp + size, &pc))
        return stop(w, DFR_WALK_STOPPED);
    pc = arm ? dfr_strip_pac(pc, w->pac) : pc;
    if (!pc)
        return stop(w, DFR_WALK_CHAIN);
    if (!dfr_dump_may_return(d, pc) || (up && up <= fp))
        return stop(w, DFR_WALK_STOPPED);
    w->frame = (struct dfr_frame){.pc = pc, .sp = fp + 2 * (uint64_t)size, .known = 1u << reg};
    w->frame.r[reg] = up;
    w->chained = true;
    push(w, fp + size, DFR_METHOD_FRAME_POINTER);
    return true;
}

/* At the entry of a function the return address is what the stack pointer points to. */
static bool by_entry(struct walker *w)
{
    struct dfr_frame next = w->frame;
    uint64_t slot = w->frame.sp;
    if (!dfr_dump_pointer(w->d, slot, &next.pc) || !dfr_dump_may_return(w->d, next.pc))
        return false;
    next.sp = slot + 8;
    next.exact = false;
    struct dfr_step s = {.how = DFR_UNWIND_OK, .slot = slot};
    return take(w, &next, &s);
}

static bool step(struct walker *w)
{
    struct dfr_frame next;
    struct dfr_step s = {.how = DFR_UNWIND_MACHINE};
    /* On the chain the stack pointer is only a bound, and unwind data may count from it. */
    if (!w->chained && by_data(w, &next, &s))
        return take(w, &next, &s);
    if (w->at_entry && w->walk->frames.n == 1 && by_entry(w))
        return true;
    if (!w->chained)
        w->walk->how = s.how;
    return by_pointer(w);
}

void dfr_dump_walk(struct dfr_dump *d, const struct dfr_context *c, const struct dfr_stacks *stacks,
                   uint32_t most, struct dfr_stack_walk *ret)
{
    struct walker w = {.d = d, .stacks = stacks, .walk = ret, .frame = frame_of(c)};
    w.at_entry = c->raised;
    *ret = (struct dfr_stack_walk){.end = DFR_WALK_LIMIT};
    w.stack = stack_of(&w, c->sp);
    w.low = c->sp;
    if (w.stack != NO_STACK)
        w.entered = UINT32_C(1) << w.stack;
    if (d->file.machine == DFR_MACHINE_ARM64 && !dfr_kdbg_u64(d, POINTER_MASK_AT, &w.pac))
        w.pac = 0;
    push(&w, 0, DFR_METHOD_CONTEXT);
    for (uint32_t n = 1; n < most && step(&w);)
        n++;
    if (ret->frames.n < most && ret->end == DFR_WALK_LIMIT)
        ret->end = DFR_WALK_STOPPED;
}
