/* Stacks into facts: the crashing one from the faulting context, or from that of the bug check when it
 * leads to the fault; behind what could be unwound possible callers, values on the stack that point
 * behind a call. Most of those are no callers, so each says that it was found by a scan. */
#include "base/limits.h"
#include "dump/symbols.h"
#include "dump/walk.h"

/* The function, where symbols or exports tell it, else module and offset. `exact`: the processor stood
 * there; else a call returns there. */
static struct dfr_sym symbol_at(struct dfr_dump *d, const struct dfr_image *image, uint64_t address,
                                bool exact)
{
    struct dfr_symbol found;
    const struct dfr_value *name = dfr_facts_at(d->facts, DFR_F_MODULES_NAME, image->row);
    if (name->state == DFR_KNOWN && dfr_symbols_at(d, address, !exact, &found))
        return (struct dfr_sym){.module = dfr_value_str(name),
                                .func = found.name,
                                .offset = found.offset,
                                .has_offset = true};
    /* The function that raised the bug check is known by what the header says. */
    if (name->state == DFR_KNOWN && address == d->raised_at)
        return (struct dfr_sym){
            .module = dfr_value_str(name), .func = DFR_STR("KeBugCheckEx"), .has_offset = true};
    return (struct dfr_sym){.module = name->state == DFR_KNOWN ? dfr_value_str(name) : DFR_STR(""),
                            .func = DFR_STR(""),
                            .offset = address - image->base,
                            .has_offset = true};
}

static void put_frame(struct dfr_dump *d, uint64_t sp, uint64_t address, bool exact,
                      uint32_t method, uint32_t place)
{
    uint32_t row = dfr_facts_row(d->facts, DFR_T_STACK);
    if (row == UINT32_MAX)
        return;
    dfr_dump_cell(d, DFR_F_STACK_INDEX, row, dfr_v_int(row), place);
    dfr_dump_cell(d, DFR_F_STACK_SP, row, dfr_v_addr(sp), place);
    dfr_dump_cell(d, DFR_F_STACK_ADDRESS, row, dfr_v_addr(address), place);
    dfr_dump_cell(d, DFR_F_STACK_METHOD, row, dfr_v_enum(DFR_E_METHOD, method), place);
    dfr_dump_cell(d, DFR_F_STACK_TRUST, row, dfr_v_enum(DFR_E_TRUST, DFR_TRUST_BINARY), place);
    const struct dfr_image *image = dfr_dump_image_at(d, address);
    if (!image)
        return;
    struct dfr_sym sym = symbol_at(d, image, address, exact);
    if (sym.module.len) {
        dfr_dump_cell(d, DFR_F_STACK_MODULE, row, dfr_facts_module(d->facts, sym.module), place);
        dfr_dump_cell(d, DFR_F_STACK_SYM, row, dfr_facts_sym(d->facts, sym), place);
        if (sym.func.len)
            dfr_dump_cell(d, DFR_F_STACK_FUNC, row, dfr_v_str(sym.func), place);
    }
    dfr_dump_cell(d, DFR_F_STACK_OFFSET, row, dfr_v_int((int64_t)sym.offset), place);
}

static void scan(struct dfr_dump *d, uint64_t from, uint64_t to)
{
    uint64_t last = 0, value;
    uint32_t kept = 0, step = dfr_dump_pointer_bytes(d);
    from = (from + step - 1) & ~(uint64_t)(step - 1);
    for (uint64_t at = from; at < to && to - at >= step && kept < DFR_LIMIT_SCAN_FRAMES;
         at += step) {
        if (!dfr_dump_pointer(d, at, &value))
            break;
        if (value == last || !dfr_dump_may_return(d, value))
            continue;
        last = value;
        kept++;
        put_frame(d, at + step, value, false, DFR_METHOD_SCAN, dfr_dump_place(d, at, step));
    }
}

/* Rows of a walk; each says where it returns to as far as that is known. */
static void put_walk(struct dfr_dump *d, const struct dfr_stack_walk *w, uint32_t place)
{
    uint32_t first = d->facts->tables[DFR_T_STACK].n, size = dfr_dump_pointer_bytes(d);
    for (uint32_t i = 0; i < w->frames.n; i++) {
        const struct dfr_walked *f = &w->frames.v[i];
        uint32_t at = f->slot ? dfr_dump_place(d, f->slot, size) : place;
        put_frame(d, f->sp, f->pc, f->exact, f->method, at);
        if (i)
            dfr_dump_cell(d, DFR_F_STACK_RET, first + i - 1, dfr_v_addr(f->pc), at);
    }
    if (w->end == DFR_WALK_ROOT)
        dfr_dump_cell(d, DFR_F_STACK_RET, first + w->frames.n - 1, dfr_v_addr(0), place);
}

/* Tell what is wrong with the data, not what is merely missing: `dfrule symbols` lists that. */
static void tell(struct dfr_dump *d, const struct dfr_stack_walk *w)
{
    const struct dfr_walked *last = &w->frames.v[w->frames.n - 1];
    bool missing = w->how == DFR_UNWIND_OK || w->how == DFR_UNWIND_TABLE_LOST ||
                   w->how == DFR_UNWIND_NO_TABLE || w->how == DFR_UNWIND_INFO_LOST ||
                   w->how == DFR_UNWIND_CODE_LOST || w->how == DFR_UNWIND_STACK_LOST ||
                   w->how == DFR_UNWIND_MACHINE;
    if (w->end != DFR_WALK_STOPPED || (missing && !w->off_stack))
        return;
    const struct dfr_image *image = dfr_dump_image_at(d, last->pc);
    struct dfr_sym s =
        image ? symbol_at(d, image, last->pc, last->exact) : (struct dfr_sym){.offset = last->pc};
    (void)dfr_diags_add(d->diags, DFR_D_DUMP_STACK, "unwinding ends at %.*s+0x%llx: %s",
                        (int)(s.module.len < 64 ? s.module.len : 64), s.module.p ? s.module.p : "",
                        (unsigned long long)s.offset,
                        w->off_stack ? "its caller would stand outside of the stack or of all code"
                                     : dfr_unwind_text(w->how));
}

static void put_end(struct dfr_dump *d, const struct dfr_stack_walk *w)
{
    struct dfr_rows *t = &d->facts->tables[DFR_T_STACK];
    bool chained = w->frames.v[w->frames.n - 1].method == DFR_METHOD_FRAME_POINTER;
    t->complete = w->end == DFR_WALK_ROOT;
    t->reason = t->complete                           ? DFR_REASON_NONE
                : w->end == DFR_WALK_USER             ? DFR_REASON_USER_STACK
                : w->end == DFR_WALK_CHAIN && chained ? DFR_REASON_CHAINED
                                                      : DFR_REASON_SCANNED;
}

/* How the thread came into the kernel: a system call leaves its trap frame at the very top of the
 * thread's stack. Source: types of public symbol files; observed. */
static void put_entry(struct dfr_dump *d)
{
    enum { FRAME = 0x190, RIP = 0x168, CS = 0x170, RSP = 0x180 };
    uint64_t top, ip, cs, sp;
    if (d->file.machine != DFR_MACHINE_X64 ||
        !dfr_dump_field_pointer(d, &d->thread, DFR_LAYOUT_THREAD_INITIAL_STACK, &top) ||
        !dfr_dump_is_kernel(d, top) || !dfr_space_u64(&d->memory, top - FRAME + RIP, &ip) ||
        !dfr_space_u64(&d->memory, top - FRAME + CS, &cs) ||
        !dfr_space_u64(&d->memory, top - FRAME + RSP, &sp))
        return;
    enum { USER_CODE = 0x33, LOWEST = 0x10000 };
    if ((cs & 0xFFFF) == USER_CODE && ip >= LOWEST && sp >= LOWEST && !dfr_dump_is_kernel(d, ip) &&
        !dfr_dump_is_kernel(d, sp))
        put_frame(d, sp, ip, true, DFR_METHOD_CONTEXT, dfr_dump_place(d, top - FRAME, FRAME));
}

/* Does the walk of the bug check's own context come to the fault? */
static bool reaches(const struct dfr_stack_walk *w, const struct dfr_fault *fault)
{
    for (uint32_t i = 0; i < w->frames.n; i++)
        if (w->frames.v[i].exact && w->frames.v[i].pc == fault->ip &&
            w->frames.v[i].sp == fault->sp)
            return true;
    return false;
}

/* The processors that were frozen: what they ran then, as far as it can be told exactly. */
static void put_others(struct dfr_dump *d)
{
    struct dfr_context c;
    struct dfr_stack_walk w;
    for (uint32_t i = 0, number = 0; i < d->processors.n; i++) {
        const struct dfr_processor *p = &d->processors.v[i];
        struct dfr_where thread = {0};
        if (!dfr_context_read(d, &p->context, &c))
            continue;
        (void)dfr_dump_field_pointer(d, &p->prcb, DFR_LAYOUT_PRCB_THREAD, &thread.va);
        struct dfr_stacks stacks = dfr_dump_stacks(d, &p->prcb, &thread);
        dfr_dump_walk(d, &c, &stacks, DFR_LIMIT_WALK_OTHER_FRAMES, &w);
        uint32_t place = dfr_where_place(d, &c.where, 0, c.bytes);
        number++;
        for (uint32_t k = 0; k < w.frames.n; k++) {
            const struct dfr_walked *f = &w.frames.v[k];
            uint32_t row = dfr_facts_row(d->facts, DFR_T_OTHER_STACKS);
            if (row == UINT32_MAX)
                return;
            uint32_t at = f->slot ? dfr_dump_place(d, f->slot, dfr_dump_pointer_bytes(d)) : place;
            dfr_dump_cell(d, DFR_F_OTHER_STACKS_STACK, row, dfr_v_int(number), at);
            dfr_dump_cell(d, DFR_F_OTHER_STACKS_INDEX, row, dfr_v_int(k), at);
            dfr_dump_cell(d, DFR_F_OTHER_STACKS_SP, row, dfr_v_addr(f->sp), at);
            dfr_dump_cell(d, DFR_F_OTHER_STACKS_CPU, row, dfr_v_int(p->number), at);
            dfr_dump_cell(d, DFR_F_OTHER_STACKS_METHOD, row, dfr_v_enum(DFR_E_METHOD, f->method),
                          at);
            if (thread.va)
                dfr_dump_cell(d, DFR_F_OTHER_STACKS_THREAD, row, dfr_v_addr(thread.va), at);
            if (k + 1 < w.frames.n)
                dfr_dump_cell(d, DFR_F_OTHER_STACKS_RET, row, dfr_v_addr(f[1].pc), at);
            const struct dfr_image *image = dfr_dump_image_at(d, f->pc);
            struct dfr_sym sym = {.offset = f->pc, .has_offset = true};
            if (image)
                sym = symbol_at(d, image, f->pc, f->exact);
            dfr_dump_cell(d, DFR_F_OTHER_STACKS_SYM, row, dfr_facts_sym(d->facts, sym), at);
            if (sym.module.len)
                dfr_dump_cell(d, DFR_F_OTHER_STACKS_MODULE, row,
                              dfr_facts_module(d->facts, sym.module), at);
        }
    }
    d->facts->tables[DFR_T_OTHER_STACKS].reason = DFR_REASON_NOT_CAPTURED;
}

static void put_crashing(struct dfr_dump *d, const struct dfr_fault *fault)
{
    struct dfr_rows *t = &d->facts->tables[DFR_T_STACK];
    struct dfr_stacks stacks = dfr_dump_stacks(d, &d->prcb, &d->thread);
    struct dfr_context own;
    struct dfr_stack_walk from_own = {0}, w = {0};
    bool has_own = dfr_context_of_header(d, &own);
    d->raised_at = has_own && own.raised ? own.ip : 0;
    if (has_own)
        dfr_dump_walk(d, &own, &stacks, DFR_LIMIT_WALK_FRAMES, &from_own);
    if (has_own && (!fault->is_fault || reaches(&from_own, fault)))
        w = from_own;
    else if (fault->known)
        dfr_dump_walk(d, fault->context, &stacks, DFR_LIMIT_WALK_FRAMES, &w);
    uint64_t from = d->stack_low, to = d->stack_end;
    t->reason = DFR_REASON_SCANNED;
    if (w.frames.n) {
        put_walk(d, &w,
                 w.frames.v == from_own.frames.v ? dfr_where_place(d, &own.where, 0, own.bytes)
                                                 : fault->place);
        put_end(d, &w);
        tell(d, &w);
        uint64_t low = w.frames.v[w.frames.n - 1].low;
        from = low >= from && low < to ? low : from;
    }
    if (t->reason != DFR_REASON_SCANNED)
        return;
    if (d->stack_low >= to) {
        t->reason = DFR_REASON_NOT_CAPTURED;
        return;
    }
    scan(d, from, to);
    put_entry(d);
    /* Below the fault stands what was called to raise the bug check. */
    if (w.frames.n && w.frames.v[0].low > d->stack_low && w.frames.v[0].low <= to)
        scan(d, d->stack_low, w.frames.v[0].low);
}

void dfr_dump_stack(struct dfr_dump *d, const struct dfr_fault *fault)
{
    put_crashing(d, fault);
    put_others(d);
}
