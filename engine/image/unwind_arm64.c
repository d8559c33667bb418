/* Unwinding on ARM64: which operations are in force at an instruction, and what undoing them does.
 * Source: the documented exception handling of ARM64; the trap frame as the public kit declares it. */
#include "image/unwind_arm64.h"

#include "image/unwind_step.h"

enum {
    ENTRY = 8,
    WORD = 8,
    KEPT = 0x3FF80000, /* x19..x29 */
    LR = 1 << DFR_ARM64_LR,
};

/* What stands where on a stack that something else than a call left. */
enum {
    TRAP_SPSR = 0x90,
    TRAP_SP = 0x98,
    TRAP_X = 0xA0, /* x0..x18 */
    TRAP_XS = 19,
    TRAP_LR = 0x138,
    TRAP_FP = 0x140,
    TRAP_PC = 0x148,
    CONTEXT_FLAGS = 0x00,
    CONTEXT_X = 0x08, /* x0..x30 */
    CONTEXT_XS = 31,
    CONTEXT_SP = 0x100,
    CONTEXT_PC = 0x108,
};

static bool load(const struct dfr_space *stack, uint64_t at, uint32_t reg, struct dfr_frame *f,
                 struct dfr_step *s)
{
    if (!dfr_step_stack(s, stack, at, &f->r[reg]))
        return false;
    f->known |= UINT32_C(1) << reg;
    if (reg == DFR_ARM64_LR)
        s->slot = at;
    return true;
}

static bool load_pc(const struct dfr_space *stack, uint64_t pc, uint64_t sp, struct dfr_frame *f,
                    struct dfr_step *s)
{
    uint64_t new_sp;
    if (!dfr_step_stack(s, stack, pc, &f->pc) || !dfr_step_stack(s, stack, sp, &new_sp))
        return false;
    f->sp = new_sp;
    s->slot = pc;
    s->interrupted = true;
    return true;
}

static bool trap_frame(const struct dfr_space *stack, struct dfr_frame *f, struct dfr_step *s)
{
    uint64_t at = f->sp, spsr;
    for (uint32_t i = 0; i < TRAP_XS; i++)
        if (!load(stack, at + TRAP_X + WORD * (uint64_t)i, i, f, s))
            return false;
    if (!load(stack, at + TRAP_LR, DFR_ARM64_LR, f, s) ||
        !load(stack, at + TRAP_FP, DFR_ARM64_FP, f, s) ||
        !dfr_step_stack(s, stack, at + TRAP_SPSR, &spsr))
        return false;
    s->user = (spsr & 15) == 0; /* exception level 0 */
    return load_pc(stack, at + TRAP_PC, at + TRAP_SP, f, s);
}

static bool whole_context(const struct dfr_space *stack, struct dfr_frame *f, struct dfr_step *s)
{
    uint64_t at = f->sp;
    for (uint32_t i = 0; i < CONTEXT_XS; i++)
        if (!load(stack, at + CONTEXT_X + WORD * (uint64_t)i, i, f, s))
            return false;
    return load_pc(stack, at + CONTEXT_PC, at + CONTEXT_SP, f, s);
}

static bool save(const struct dfr_space *stack, uint64_t at, const struct dfr_unwind_op *op,
                 uint32_t more, struct dfr_frame *f, struct dfr_step *s)
{
    uint32_t count = op->count + 2 * more;
    if (op->reg > DFR_ARM64_LR || count > (uint32_t)DFR_ARM64_LR + 1 - op->reg)
        return dfr_step_fail(s, DFR_UNWIND_INFO_BAD, DFR_REASON_NONE, f->pc);
    for (uint32_t i = 0; i < count; i++)
        if (!load(stack, at + WORD * (uint64_t)i, op->reg + i, f, s))
            return false;
    return true;
}

static bool undo_op(const struct dfr_space *stack, const struct dfr_unwind_op *op, uint32_t more,
                    struct dfr_frame *f, struct dfr_step *s)
{
    switch (op->kind) {
    case DFR_OP_ALLOC:
    case DFR_OP_XMM_X:
        f->sp += op->amount;
        return true;
    case DFR_OP_SET_FP:
        if (!(f->known >> op->reg & 1))
            return dfr_step_fail(s, DFR_UNWIND_REGISTER, DFR_REASON_NONE, f->pc);
        f->sp = f->r[op->reg] - op->amount;
        return true;
    case DFR_OP_SAVE:
        return save(stack, f->sp + op->amount, op, more, f, s);
    case DFR_OP_SAVE_X:
        if (!save(stack, f->sp, op, more, f, s))
            return false;
        f->sp += op->amount;
        return true;
    case DFR_OP_SAVE_LR:
        return save(stack, f->sp + op->amount, op, 0, f, s) &&
               load(stack, f->sp + op->amount + WORD, DFR_ARM64_LR, f, s);
    case DFR_OP_TRAP:
        return trap_frame(stack, f, s);
    case DFR_OP_MFRAME:
        return load_pc(stack, f->sp + WORD, f->sp, f, s);
    case DFR_OP_CONTEXT:
        return whole_context(stack, f, s);
    case DFR_OP_EXACT:
        s->resumes = true;
        return true;
    default:
        return true;
    }
}

/* The last epilog that starts at or before `offset`: the list rises. False: there is none. */
static bool last_epilog(const struct dfr_pe *pe, const struct dfr_arm64_function *fn,
                        uint32_t offset, uint32_t *ret)
{
    uint32_t start, index, n = 0;
    if (!fn->scopes) {
        *ret = 0;
        return fn->epilogs > 0;
    }
    while (n < fn->epilogs && dfr_arm64_scope(pe, fn, n, &start, &index) && start <= offset)
        n++;
    *ret = n - 1;
    return n > 0;
}

/* The operations in force `offset` bytes into the function, and how many instructions' worth of them
 * are not done yet (prolog) or undone already (epilog): *ret_skip. A return address in the prolog is
 * one of a call that probes the stack. */
static bool in_force(const struct dfr_pe *pe, const struct dfr_arm64_function *fn, uint32_t offset,
                     bool exact, struct dfr_arm64_ops *ret, uint32_t *ret_skip, struct dfr_step *s)
{
    uint32_t i, start;
    *ret_skip = 0;
    if (!dfr_arm64_prolog(pe, fn, ret, s))
        return false;
    uint32_t prolog = dfr_arm64_instructions(ret, ret->own);
    if (offset / 4 < prolog) {
        *ret_skip = prolog - offset / 4;
        return true;
    }
    if (!exact || !last_epilog(pe, fn, offset, &i))
        return true;
    if (!dfr_arm64_epilog(pe, fn, i, &start, ret, s))
        return false;
    if (offset >= start && (offset - start) / 4 <= dfr_arm64_instructions(ret, ret->own)) {
        *ret_skip = (offset - start) / 4;
        return true;
    }
    return dfr_arm64_prolog(pe, fn, ret, s);
}

static bool undo(const struct dfr_space *stack, const struct dfr_arm64_ops *o, uint32_t skip,
                 struct dfr_frame *f, struct dfr_step *s, bool *ret_signed)
{
    uint32_t more = 0;
    for (uint32_t i = 0; i < o->n && !s->interrupted; i++) {
        const struct dfr_unwind_op *op = &o->op[i];
        if (skip && op->at) {
            skip--;
            continue;
        }
        if (op->kind == DFR_OP_NEXT) {
            more++;
            continue;
        }
        if (op->kind == DFR_OP_PAC)
            *ret_signed = true;
        if (!undo_op(stack, op, more, f, s))
            return false;
        more = 0;
    }
    return true;
}

/* The return address. Without the mask the bits above 48 are taken to be the signature, which holds
 * for every kernel so far. */
static bool return_to(uint64_t pac, bool is_signed, struct dfr_frame *f, struct dfr_step *s)
{
    const uint64_t usual = UINT64_C(0xFF7F000000000000);
    if (!(f->known & LR))
        return dfr_step_fail(s, DFR_UNWIND_REGISTER, DFR_REASON_NONE, f->pc);
    f->pc = dfr_strip_pac(f->r[DFR_ARM64_LR], pac || !is_signed ? pac : usual);
    f->known &= KEPT;
    return true;
}

bool dfr_step_arm64(const struct dfr_pe *pe, const struct dfr_space *stack, uint64_t pac,
                    struct dfr_frame *f, struct dfr_step *s)
{
    struct dfr_arm64_function fn = {0};
    struct dfr_arm64_ops ops;
    uint32_t rva = (uint32_t)(f->pc - pe->base), at, skip;
    uint32_t call = f->exact ? 0 : 4; /* a call may be the last instruction of a function */
    bool found, is_signed = false;
    if ((rva & 3) || rva < call)
        return dfr_step_fail(s, DFR_UNWIND_NO_FUNCTION, DFR_REASON_NONE, f->pc);
    if (!dfr_step_find(s, pe, rva - call, ENTRY, &found, &at) ||
        (found && !dfr_arm64_function(pe, at, &fn, s)))
        return false;
    if (!found || rva - call - fn.begin >= fn.length) {
        if (!f->exact) /* what has no entry calls nothing */
            return dfr_step_fail(s, DFR_UNWIND_NO_FUNCTION, DFR_REASON_NONE, f->pc);
        s->leaf = true;
        return return_to(pac, false, f, s);
    }
    s->begin = fn.begin;
    s->end = fn.begin + fn.length;
    if (!in_force(pe, &fn, rva - fn.begin, f->exact, &ops, &skip, s))
        return false;
    if (!f->exact)
        f->known &= ~(uint32_t)LR; /* a caller has to have saved it */
    if (!undo(stack, &ops, skip, f, s, &is_signed))
        return false;
    return s->interrupted || return_to(pac, is_signed, f, s);
}
