/* The faulting context of a dump: which of several records holds it.
 *
 * The context in the dump's header is that of the bug check, not of the fault, unless the bug check
 * itself carries a context. So, best first: the context record that a parameter points to; the
 * header's, when it stands at the faulting instruction; the trap frame that a parameter points to or
 * that lies on the stack. Without any the registers of the fault stay unknown. */
#include "base/limits.h"
#include "dump/context.h"
#include "dump/exception.h"

/* The frame of the fault on the captured stack, found by the faulting instruction in its place. The
 * only one, or none: two would be two traps at one instruction. */
static bool find_frame(struct dfr_dump *d, uint64_t ip, struct dfr_context *ret)
{
    struct dfr_context c;
    uint64_t size = d->stack_end - d->stack_low, u;
    uint32_t step = dfr_dump_pointer_bytes(d), found = 0;
    uint32_t ip_at = step == 8 ? 0x168 : 0x68;
    if (!ip || d->stack_end <= d->stack_low)
        return false;
    if (size > DFR_LIMIT_DUMP_STACK_BYTES)
        size = DFR_LIMIT_DUMP_STACK_BYTES;
    for (uint64_t at = 0; at + ip_at < size; at += step) {
        uint64_t va = d->stack_low + at;
        if (!dfr_dump_pointer(d, va + ip_at, &u))
            break;
        if (u == ip && dfr_context_trap(d, va, ip, &c)) {
            *ret = c;
            found++;
        }
    }
    return found == 1;
}

uint64_t dfr_dump_fault_ip(const struct dfr_dump *d)
{
    return dfr_dump_exception(d).ip;
}

static struct dfr_fault fault_of(struct dfr_dump *d, const struct dfr_context *c, bool is_fault)
{
    if (is_fault)
        dfr_context_put(d, c);
    struct dfr_context *kept = DFR_NEW(d->arena, struct dfr_context);
    *kept = *c;
    return (struct dfr_fault){.context = kept,
                              .ip = c->ip,
                              .sp = c->sp,
                              .known = true,
                              .is_fault = is_fault,
                              .place = dfr_where_place(d, &c->where, 0, c->bytes)};
}

/* Was the fault on a stack of the processor? Its own stack, and none of them, say nothing here. */
static void put_stack(struct dfr_dump *d, const struct dfr_fault *fault)
{
    struct dfr_stacks stacks = dfr_dump_stacks(d, &d->prcb, &d->thread);
    const struct dfr_stack *s = fault->is_fault ? dfr_stacks_find(&stacks, fault->sp) : NULL;
    if (s && (s->kind == DFR_STACK_KIND_DPC || s->kind == DFR_STACK_KIND_INTERRUPT))
        dfr_dump_put_at(d, DFR_F_THREAD_ON_DPC_STACK, dfr_v_bool(true), fault->place);
}

struct dfr_fault dfr_dump_fault(struct dfr_dump *d)
{
    struct dfr_exception e = dfr_dump_exception(d);
    struct dfr_context c;
    struct dfr_where w = {.va = e.context};
    struct dfr_fault fault = {0};
    dfr_exception_put(d, &e);
    if (dfr_context_read(d, &w, &c)) {
        fault = fault_of(d, &c, true);
        dfr_dump_put_va(d, DFR_F_TRAP_CONTEXT_ADDRESS, dfr_v_addr(w.va), w.va, c.bytes);
    } else {
        if (dfr_context_of_header(d, &c))
            fault = fault_of(d, &c, e.ip && c.ip == e.ip);
        if (!fault.is_fault && ((e.frame && (dfr_context_trap(d, e.frame, e.ip, &c) ||
                                             dfr_context_trap(d, e.frame, 0, &c))) ||
                                find_frame(d, e.ip, &c))) {
            fault = fault_of(d, &c, true);
            dfr_dump_put_va(d, DFR_F_TRAP_FRAME_ADDRESS, dfr_v_addr(c.where.va), c.where.va,
                            c.bytes);
        }
    }
    put_stack(d, &fault);
    if (!fault.is_fault)
        d->facts->tables[DFR_T_REGS].reason = e.frame && d->file.machine == DFR_MACHINE_ARM64
                                                  ? DFR_REASON_NEEDS_TYPES
                                                  : DFR_REASON_NOT_CAPTURED;
    return fault;
}
