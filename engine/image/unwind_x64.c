/* Unwinding on x64: function table, unwind data versions 1 and 2, chains, frames that the processor
 * pushed, and where the processor may stand in an epilog the epilog's own instructions.
 * Source: the documented exception handling of x64; version 2 as public parsers that agree have it,
 * observed in kernel images of Windows 10 and 11; entries that refer to another entry observed in
 * Windows 7. */
#include "image/unwind_x64.h"
#include "base/limits.h"
#include "image/unwind_step.h"

enum {
    ENTRY = 12,
    CHAINED = 4,
    POP_BYTES = 8,
    NONVOLATILE = 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7 | 0xF000, /* rbx rbp rsi rdi r12..r15 */
};

bool dfr_x64_entry(const struct dfr_pe *pe, uint32_t at, struct dfr_x64_entry *ret)
{
    uint8_t b[ENTRY];
    struct dfr_span e = {b, sizeof b};
    return dfr_pe_read(pe, at, b, sizeof b) && dfr_span_u32le(e, 0, &ret->begin) &&
           dfr_span_u32le(e, 4, &ret->end) && dfr_span_u32le(e, 8, &ret->info);
}

bool dfr_x64_info(const struct dfr_pe *pe, uint32_t at, struct dfr_x64_info *ret,
                  struct dfr_step *s)
{
    uint8_t h[4];
    if (!dfr_pe_read(pe, at, h, sizeof h))
        return dfr_step_lost(s, DFR_UNWIND_INFO_LOST, pe, at);
    *ret = (struct dfr_x64_info){.at = at,
                                 .version = h[0] & 7,
                                 .flags = h[0] >> 3,
                                 .prolog = h[1],
                                 .slots = h[2],
                                 .frame = h[3] & 15,
                                 .frame_offset = (uint32_t)(h[3] >> 4) * 16};
    if (ret->version != 1 && ret->version != 2)
        return dfr_step_fail(s, DFR_UNWIND_VERSION, DFR_REASON_NONE, pe->base + at);
    if (!dfr_pe_read(pe, at + 4, ret->code, (size_t)ret->slots * 2))
        return dfr_step_lost(s, DFR_UNWIND_INFO_LOST, pe, at + 4);
    return true;
}

/* Behind the codes, which fill an even number of slots, stands the entry of the function that this
 * one is a part of. */
static bool chained_to(const struct dfr_pe *pe, const struct dfr_x64_info *i,
                       struct dfr_x64_entry *ret, struct dfr_step *s)
{
    uint32_t at = i->at + 4 + ((i->slots + 1u) & ~1u) * 2;
    return dfr_x64_entry(pe, at, ret) || dfr_step_lost(s, DFR_UNWIND_INFO_LOST, pe, at);
}

static uint16_t slot16(const struct dfr_x64_info *i, uint32_t slot)
{
    return (uint16_t)(i->code[slot * 2] | i->code[slot * 2 + 1] << 8);
}

bool dfr_x64_op(const struct dfr_x64_info *i, uint32_t *slot, struct dfr_unwind_op *ret)
{
    enum { PUSH, LARGE, SMALL, SET_FP, SAVE, SAVE_FAR, EPILOG, SPARE, XMM, XMM_FAR, MACHINE };
    static const uint8_t slots[] = {1, 2, 1, 1, 2, 3, 1, 0, 2, 3, 1};
    uint32_t n = *slot;
    uint8_t op = i->code[n * 2 + 1] & 15, info = i->code[n * 2 + 1] >> 4;
    uint32_t len = op < sizeof slots ? slots[op] : 0;
    if (op == LARGE && info)
        len = 3;
    if (!len || len > i->slots - n || (op == EPILOG && i->version != 2) ||
        ((op == LARGE || op == MACHINE) && info > 1))
        return false;
    uint32_t near = len > 1 ? slot16(i, n + 1) : 0;
    uint32_t far = len > 2 ? near | (uint32_t)slot16(i, n + 2) << 16 : 0;
    *ret = (struct dfr_unwind_op){.reg = info, .count = 1, .at = i->code[n * 2]};
    switch (op) {
    case PUSH:
        ret->kind = DFR_OP_PUSH;
        break;
    case LARGE:
    case SMALL:
        ret->kind = DFR_OP_ALLOC;
        ret->amount = op == SMALL ? info * 8u + 8 : info ? far : near * 8;
        break;
    case SET_FP:
        ret->kind = DFR_OP_SET_FP;
        ret->reg = i->frame;
        ret->amount = i->frame_offset;
        break;
    case SAVE:
    case SAVE_FAR:
        ret->kind = DFR_OP_SAVE;
        ret->amount = op == SAVE ? near * 8 : far;
        break;
    case XMM:
    case XMM_FAR:
        ret->kind = DFR_OP_XMM;
        ret->amount = op == XMM ? near * 16 : far;
        break;
    case MACHINE:
        ret->kind = DFR_OP_MACHINE;
        ret->amount = info;
        break;
    default:
        ret->kind = DFR_OP_NONE;
        break;
    }
    *slot = n + len;
    return true;
}

static bool bad_op(struct dfr_step *s, const struct dfr_pe *pe, const struct dfr_x64_info *i,
                   uint32_t slot)
{
    return dfr_step_fail(s, DFR_UNWIND_OPERATION, DFR_REASON_NONE, pe->base + i->at + 4 + slot * 2);
}

/* What saved registers stand relative to: the frame register once the prolog has set it, else the
 * stack pointer. */
static bool frame_base(const struct dfr_x64_info *i, uint32_t offset, const struct dfr_frame *f,
                       struct dfr_step *s, uint64_t *ret)
{
    bool set = i->frame && (offset >= i->prolog || (i->flags & CHAINED));
    struct dfr_unwind_op op;
    for (uint32_t n = 0; i->frame && !set && n < i->slots && dfr_x64_op(i, &n, &op);)
        set = op.kind == DFR_OP_SET_FP && offset >= op.at;
    if (!set) {
        *ret = f->sp;
        return true;
    }
    if (!(f->known >> i->frame & 1))
        return dfr_step_fail(s, DFR_UNWIND_REGISTER, DFR_REASON_NONE, f->pc);
    *ret = f->r[i->frame] - i->frame_offset;
    return true;
}

static bool load(const struct dfr_space *stack, uint64_t at, uint32_t reg, struct dfr_frame *f,
                 struct dfr_step *s)
{
    if (!dfr_step_stack(s, stack, at, &f->r[reg]))
        return false;
    f->known |= UINT32_C(1) << reg;
    return true;
}

/* ip, code segment, flags, stack pointer, stack segment; an error code may lie below. */
static bool machine_frame(const struct dfr_space *stack, uint32_t error, struct dfr_frame *f,
                          struct dfr_step *s)
{
    uint64_t at = f->sp + 8 * (uint64_t)error, cs, sp;
    if (!dfr_step_stack(s, stack, at, &f->pc) || !dfr_step_stack(s, stack, at + 8, &cs) ||
        !dfr_step_stack(s, stack, at + 24, &sp))
        return false;
    s->interrupted = true;
    s->user = (cs & 3) == 3;
    s->slot = at;
    f->sp = sp;
    return true;
}

/* Undo the operations that were done at `offset` of the function. */
static bool undo(const struct dfr_pe *pe, const struct dfr_space *stack,
                 const struct dfr_x64_info *i, uint32_t offset, struct dfr_frame *f,
                 struct dfr_step *s)
{
    uint64_t base = f->sp;
    if (!frame_base(i, offset, f, s, &base))
        return false;
    for (uint32_t n = 0; n < i->slots && !s->interrupted;) {
        struct dfr_unwind_op op;
        uint32_t slot = n;
        if (!dfr_x64_op(i, &n, &op))
            return bad_op(s, pe, i, slot);
        if (op.kind == DFR_OP_NONE || op.at > offset)
            continue;
        if ((op.kind == DFR_OP_PUSH || op.kind == DFR_OP_SAVE) && op.reg == DFR_X64_RSP)
            return bad_op(s, pe, i, slot);
        bool ok = true;
        switch (op.kind) {
        case DFR_OP_PUSH:
            ok = load(stack, f->sp, op.reg, f, s);
            f->sp += POP_BYTES;
            break;
        case DFR_OP_ALLOC:
            f->sp += op.amount;
            break;
        case DFR_OP_SET_FP:
            if (!i->frame)
                return bad_op(s, pe, i, slot);
            f->sp = base;
            break;
        case DFR_OP_SAVE:
            ok = load(stack, base + op.amount, op.reg, f, s);
            break;
        case DFR_OP_MACHINE:
            ok = machine_frame(stack, op.amount, f, s);
            break;
        default: /* floating-point registers are not followed */
            break;
        }
        if (!ok)
            return false;
    }
    return true;
}

static bool pop_return(const struct dfr_space *stack, struct dfr_frame *f, struct dfr_step *s)
{
    s->slot = f->sp;
    if (!dfr_step_stack(s, stack, f->sp, &f->pc))
        return false;
    f->sp += POP_BYTES;
    return true;
}

/* Where two addresses belong to the same function, whose parts may lie apart. */
static uint32_t function_of(const struct dfr_pe *pe, uint32_t rva)
{
    struct dfr_step s = {0};
    struct dfr_x64_entry e = {0};
    struct dfr_x64_info i = {0};
    uint32_t at = 0;
    bool found;
    if (!dfr_step_find(&s, pe, rva, ENTRY, &found, &at) || !found || !dfr_x64_entry(pe, at, &e) ||
        rva >= e.end)
        return UINT32_MAX;
    for (uint32_t n = 0; n < DFR_LIMIT_UNWIND_CHAIN; n++) {
        bool same_as = e.info & 1;
        if (!(same_as ? dfr_x64_entry(pe, e.info & ~1u, &e) : dfr_x64_info(pe, e.info, &i, &s)))
            return UINT32_MAX;
        if (same_as)
            continue;
        if (!(i.flags & CHAINED))
            return e.begin;
        if (!chained_to(pe, &i, &e, &s))
            return UINT32_MAX;
    }
    return UINT32_MAX;
}

/* A jump that leaves the function ends an epilog; one to its start calls it again, but one to the
 * start of another part of it does not. */
static bool leaves(const struct dfr_pe *pe, const struct dfr_x64_entry *e, uint32_t target)
{
    uint32_t here = function_of(pe, e->begin);
    if (target >= e->begin && target < e->end)
        return target == here;
    return here == UINT32_MAX || function_of(pe, target) != here || target == here;
}

/* `ret`, or a jump out of the function, at `p`. */
static bool ends(const struct dfr_pe *pe, const struct dfr_x64_entry *e, uint32_t rva,
                 struct dfr_span c)
{
    uint8_t a = 0, b = 0, x = 0;
    uint32_t rel, next = rva + 2;
    (void)dfr_span_u8(c, 0, &a);
    (void)dfr_span_u8(c, 1, &b);
    (void)dfr_span_u8(c, 2, &x);
    if (a == 0xC3 || ((a == 0xF3 || a == 0xF2) && b == 0xC3))
        return true;
    if (a == 0xEB && c.len >= 2)
        return leaves(pe, e, b & 0x80 ? next - (0x100u - b) : next + b);
    if (a == 0xE9 && dfr_span_u32le(c, 1, &rel))
        return leaves(pe, e, rva + 5 + rel);
    if (a == 0xFF && (b & 0xF8) == 0x20) /* through memory: tables of a switch jump by register */
        return true;
    return (a & 0xF8) == 0x48 && b == 0xFF && (x & 0x38) == 0x20;
}

/* `add rsp, n` or `lea rsp, [frame register + n]`: its length, 0 when it is neither. */
static uint32_t release(const struct dfr_x64_info *i, struct dfr_span c, const struct dfr_frame *f,
                        uint64_t *ret_sp)
{
    uint8_t rex = 0, op = 0, modrm = 0, small = 0;
    uint32_t large = 0;
    (void)dfr_span_u8(c, 0, &rex);
    (void)dfr_span_u8(c, 1, &op);
    if (!dfr_span_u8(c, 2, &modrm))
        return 0;
    bool has_small = dfr_span_u8(c, 3, &small), has_large = dfr_span_u32le(c, 3, &large);
    if (rex == 0x48 && op == 0x83 && modrm == 0xC4 && has_small) {
        *ret_sp = f->sp + (uint64_t)(int8_t)small;
        return 4;
    }
    if (rex == 0x48 && op == 0x81 && modrm == 0xC4 && has_large) {
        *ret_sp = f->sp + (uint64_t)(int32_t)large;
        return 7;
    }
    uint32_t reg = (modrm & 7u) | (rex & 1u) << 3, mod = modrm >> 6;
    if ((rex & 0xFE) != 0x48 || op != 0x8D || (modrm & 0x38) != 0x20 || !i->frame ||
        reg != i->frame || (modrm & 7) == 4 || mod == 3 || (mod == 0 && (modrm & 7) == 5) ||
        (mod == 1 && !has_small) || (mod == 2 && !has_large))
        return 0;
    *ret_sp = f->r[reg] + (mod == 1   ? (uint64_t)(int8_t)small
                           : mod == 2 ? (uint64_t)(int32_t)large
                                      : 0);
    return mod == 0 ? 3 : mod == 1 ? 4 : 7;
}

/* When the processor stands in an epilog, what is left of it: true with *f after it. */
static bool epilog(const struct dfr_pe *pe, const struct dfr_space *stack,
                   const struct dfr_x64_entry *e, const struct dfr_x64_info *i, uint32_t rva,
                   struct dfr_span c, struct dfr_frame *f, struct dfr_step *s, bool *ret_ok)
{
    enum { POPS = 16 };
    uint8_t pops[POPS];
    uint32_t n = 0;
    uint64_t sp = f->sp;
    uint32_t at = release(i, c, f, &sp);
    if (at && i->frame && !(f->known >> i->frame & 1))
        return false;
    for (;;) {
        uint8_t a = 0, b = 0;
        (void)dfr_span_u8(c, at, &a);
        (void)dfr_span_u8(c, (uint64_t)at + 1, &b);
        bool high = (a & 0xF1) == 0x41 && (b & 0xF8) == 0x58;
        if (!high && (a & 0xF8) != 0x58)
            break;
        if (n == POPS)
            return false;
        pops[n++] = high ? (b & 7) | 8 : a & 7;
        at += high ? 2 : 1;
    }
    struct dfr_span rest;
    if (!dfr_span_sub(c, at, c.len - at, &rest) || !ends(pe, e, rva + at, rest))
        return false;
    f->sp = sp;
    *ret_ok = true;
    for (uint32_t k = 0; k < n && *ret_ok; k++, f->sp += POP_BYTES)
        *ret_ok = pops[k] != DFR_X64_RSP && load(stack, f->sp, pops[k], f, s);
    *ret_ok = *ret_ok && pop_return(stack, f, s);
    return true;
}

/* Version 2 lists its epilogs: the first slot has the size of each and whether one ends the function,
 * the others how far from the end one starts. Every one is pops, in the order of the codes, and a
 * return; what released the stack stands before it. */
static bool listed_epilog(const struct dfr_x64_entry *e, const struct dfr_x64_info *i, uint32_t rva,
                          uint32_t *ret_into)
{
    for (uint32_t n = 0; n < i->slots && (i->code[n * 2 + 1] & 15) == 6; n++) {
        uint32_t size = i->code[0], far = i->code[n * 2] | (i->code[n * 2 + 1] >> 4 & 15u) << 8;
        if (n == 0)
            far = i->code[1] >> 4 & 1 ? size : 0;
        if (!far || far > e->end - e->begin)
            continue;
        uint32_t start = e->end - far;
        if (rva >= start && rva - start < size) {
            *ret_into = rva - start;
            return true;
        }
    }
    return false;
}

/* The same as epilog() where the code cannot be read but the list tells. */
static bool undo_listed(const struct dfr_space *stack, const struct dfr_x64_info *i, uint32_t into,
                        struct dfr_frame *f, struct dfr_step *s)
{
    struct dfr_unwind_op op;
    for (uint32_t n = 0, at = 0; n < i->slots && dfr_x64_op(i, &n, &op);) {
        if (op.kind != DFR_OP_PUSH || op.reg == DFR_X64_RSP)
            continue;
        bool left = at >= into;
        at += op.reg < 8 ? 1 : 2;
        if (!left)
            continue;
        if (!load(stack, f->sp, op.reg, f, s))
            return false;
        f->sp += POP_BYTES;
    }
    return pop_return(stack, f, s);
}

/* Where the processor stood at `rva` itself: 1 in an epilog, *f is after it; 0 in none; -1: failed. */
static int try_epilog(const struct dfr_pe *pe, const struct dfr_space *stack,
                      const struct dfr_x64_entry *e, const struct dfr_x64_info *i, uint32_t rva,
                      uint32_t offset, struct dfr_frame *f, struct dfr_step *s)
{
    enum { CODE = 64 };
    uint8_t code[CODE];
    bool ok = false;
    uint32_t into = 0, n = e->end - rva < CODE ? e->end - rva : CODE;
    if ((!i->slots && !(i->flags & CHAINED)) || (offset < i->prolog && !(i->flags & CHAINED)))
        return 0;
    if (dfr_pe_read(pe, rva, code, n))
        return !epilog(pe, stack, e, i, rva, (struct dfr_span){code, n}, f, s, &ok) ? 0
               : ok                                                                 ? 1
                                                                                    : -1;
    if (i->version != 2 || !i->slots || (i->code[1] & 15) != 6) {
        (void)dfr_step_lost(s, DFR_UNWIND_CODE_LOST, pe, rva);
        return -1;
    }
    return !listed_epilog(e, i, rva, &into) ? 0 : undo_listed(stack, i, into, f, s) ? 1 : -1;
}

/* Follow the entry to its data; older images let an entry refer to another one. */
static bool resolve(const struct dfr_pe *pe, struct dfr_x64_entry *e, struct dfr_step *s)
{
    for (uint32_t n = 0; e->info & 1; n++) {
        uint32_t at = e->info & ~1u;
        if (n >= DFR_LIMIT_UNWIND_CHAIN)
            return dfr_step_fail(s, DFR_UNWIND_CHAIN, DFR_REASON_NONE, pe->base + at);
        if (!dfr_x64_entry(pe, at, e))
            return dfr_step_lost(s, DFR_UNWIND_INFO_LOST, pe, at);
    }
    return true;
}

static bool undo_function(const struct dfr_pe *pe, const struct dfr_space *stack,
                          struct dfr_x64_entry e, uint32_t rva, struct dfr_frame *f,
                          struct dfr_step *s)
{
    const uint32_t begin = e.begin, end = e.end;
    struct dfr_x64_info i = {0};
    uint32_t offset = rva - begin;
    for (uint32_t n = 0; n < DFR_LIMIT_UNWIND_CHAIN; n++) {
        if (!resolve(pe, &e, s) || !dfr_x64_info(pe, e.info, &i, s))
            return false;
        const struct dfr_x64_entry here = {begin, end, e.info};
        if (!n && e.begin != begin)
            offset = UINT32_MAX; /* the prolog stands where the other entry begins */
        int done = f->exact && !n ? try_epilog(pe, stack, &here, &i, rva, offset, f, s) : 0;
        if (done)
            return done > 0;
        if (!undo(pe, stack, &i, offset, f, s))
            return false;
        if (s->interrupted)
            return true;
        if (!(i.flags & CHAINED))
            return pop_return(stack, f, s);
        if (!chained_to(pe, &i, &e, s))
            return false;
        offset = UINT32_MAX; /* of the function itself the whole prolog was run */
    }
    return dfr_step_fail(s, DFR_UNWIND_CHAIN, DFR_REASON_NONE, pe->base + i.at);
}

bool dfr_step_x64(const struct dfr_pe *pe, const struct dfr_space *stack, struct dfr_frame *f,
                  struct dfr_step *s)
{
    /* A call may be the last instruction of a function: look where the call stands. */
    uint32_t rva = (uint32_t)(f->pc - pe->base), at;
    bool found;
    if (!f->exact && !rva--)
        return dfr_step_fail(s, DFR_UNWIND_NO_FUNCTION, DFR_REASON_NONE, f->pc);
    if (!dfr_step_find(s, pe, rva, ENTRY, &found, &at))
        return false;
    struct dfr_x64_entry e = {0};
    if (found && !dfr_x64_entry(pe, at, &e))
        return dfr_step_lost(s, DFR_UNWIND_TABLE_LOST, pe, at);
    if (found && e.end <= e.begin)
        return dfr_step_fail(s, DFR_UNWIND_TABLE_BAD, DFR_REASON_NONE, pe->base + at);
    if (found && rva < e.end) {
        s->begin = e.begin;
        s->end = e.end;
        if (!undo_function(pe, stack, e, rva, f, s))
            return false;
    } else if (!f->exact) { /* what has no entry calls nothing */
        return dfr_step_fail(s, DFR_UNWIND_NO_FUNCTION, DFR_REASON_NONE, f->pc);
    } else {
        s->leaf = true;
        if (!pop_return(stack, f, s))
            return false;
    }
    f->known &= NONVOLATILE;
    return true;
}
