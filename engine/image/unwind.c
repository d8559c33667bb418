/* What the unwinders of all processors share: the texts, and the way to the right one. */
#include "image/unwind.h"

#include "image/unwind_step.h"

const char *dfr_unwind_text(enum dfr_unwind u)
{
    static const char *const text[] = {
#define UNWIND(id, text) text,
#include "image/unwind.def"
#undef UNWIND
    };
    return (unsigned)u < DFR_UNWIND_COUNT ? text[u] : "?";
}

uint64_t dfr_strip_pac(uint64_t pointer, uint64_t pac)
{
    const uint64_t kernel = UINT64_C(1) << 55; /* tells the two halves of the address space apart */
    return pointer & kernel ? pointer | pac : pointer & ~pac;
}

bool dfr_step_fail(struct dfr_step *s, enum dfr_unwind how, enum dfr_reason why, uint64_t at)
{
    s->how = how;
    s->why = why;
    s->at = at;
    return false;
}

bool dfr_step_lost(struct dfr_step *s, enum dfr_unwind how, const struct dfr_pe *pe, uint32_t rva)
{
    return dfr_step_fail(s, how, dfr_pe_why(pe, rva), pe->base + rva);
}

bool dfr_step_stack(struct dfr_step *s, const struct dfr_space *stack, uint64_t va, uint64_t *ret)
{
    if (dfr_space_u64(stack, va, ret))
        return true;
    return dfr_step_fail(s, DFR_UNWIND_STACK_LOST, dfr_space_why(stack, va), va);
}

/* The last entry that begins at or before `rva`: tables are sorted. */
bool dfr_step_find(struct dfr_step *s, const struct dfr_pe *pe, uint32_t rva, uint32_t stride,
                   bool *ret_found, uint32_t *ret_entry)
{
    uint32_t table = pe->dirs[DFR_PE_EXCEPTION].rva;
    uint32_t from = 0, to = pe->dirs[DFR_PE_EXCEPTION].size / stride;
    *ret_found = false;
    if (!table || !to)
        return dfr_step_fail(s, DFR_UNWIND_NO_TABLE, DFR_REASON_NONE, pe->base);
    while (from < to) {
        uint32_t mid = from + (to - from) / 2, begin;
        if (!dfr_pe_u32(pe, table + mid * stride, &begin))
            return dfr_step_lost(s, DFR_UNWIND_TABLE_LOST, pe, table + mid * stride);
        if (begin <= rva)
            from = mid + 1;
        else
            to = mid;
    }
    if (!from)
        return true;
    *ret_found = true;
    *ret_entry = table + (from - 1) * stride;
    return true;
}

struct dfr_step dfr_unwind(const struct dfr_pe *pe, const struct dfr_space *stack, uint64_t pac,
                           struct dfr_frame *f)
{
    struct dfr_step s = {.how = DFR_UNWIND_OK};
    struct dfr_frame next = *f;
    bool ok = false;
    if (f->pc < pe->base || f->pc - pe->base > INT32_MAX)
        (void)dfr_step_fail(&s, DFR_UNWIND_NO_FUNCTION, DFR_REASON_NONE, f->pc);
    else if (pe->machine == DFR_MACHINE_X64)
        ok = dfr_step_x64(pe, stack, &next, &s);
    else if (pe->machine == DFR_MACHINE_ARM64)
        ok = dfr_step_arm64(pe, stack, pac, &next, &s);
    else
        (void)dfr_step_fail(&s, DFR_UNWIND_MACHINE, DFR_REASON_NONE, pe->base);
    /* Which stack it may lead to the caller knows; but it has to lead somewhere. A leaf of ARM64 has
     * no frame. */
    if (ok && next.sp == f->sp && (pe->machine == DFR_MACHINE_X64 || next.pc == f->pc))
        ok = dfr_step_fail(&s, DFR_UNWIND_NO_PROGRESS, DFR_REASON_NONE, next.sp);
    if (ok) {
        next.exact = s.interrupted || s.resumes;
        *f = next;
    }
    return s;
}
