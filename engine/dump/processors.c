/* Processors: the kernel's control block of each, its freeze state, and which of them crashed. */
#include "base/limits.h"
#include "dump/calibrate.h"
#include "dump/context.h"
#include "dump/kdbg.h"
#include "dump/triage.h"

/* The context that the freeze saved. It is stale unless the processor stopped as it was told. */
static bool saved_context(const struct dfr_dump *d, const struct dfr_where *p,
                          struct dfr_context *ret)
{
    uint64_t va;
    uint32_t off;
    if (dfr_dump_field_pointer(d, p, DFR_LAYOUT_PRCB_CONTEXT, &va)) {
        struct dfr_where w = {.va = va};
        return dfr_dump_is_kernel(d, va) && dfr_context_read(d, &w, ret);
    }
    /* Systems without that pointer hold it in the block itself. */
    struct dfr_where w = *p;
    if (!dfr_dump_offset(d, DFR_LAYOUT_PRCB_STATE_CONTEXT, &off))
        return false;
    w.va += w.va ? off : 0;
    w.off += w.off ? off : 0;
    return dfr_context_read(d, &w, ret);
}

static void put_state(struct dfr_dump *d, uint32_t row, uint64_t raw, uint32_t place)
{
    enum { STATE = 0xF, STATES = 6 };
    static const uint32_t states[STATES] = {
        DFR_CPU_STATE_RUNNING,       UINT32_MAX,
        DFR_CPU_STATE_FROZEN,        DFR_CPU_STATE_THAW,
        DFR_CPU_STATE_FREEZE_ACTIVE, DFR_CPU_STATE_TARGET_FREEZE};
    dfr_dump_cell(d, DFR_F_CPUS_IPI_FROZEN, row, dfr_v_int((int64_t)raw), place);
    uint32_t state = (raw & STATE) < STATES ? states[raw & STATE] : UINT32_MAX;
    dfr_dump_cell(d, DFR_F_CPUS_STATE, row,
                  state != UINT32_MAX ? dfr_v_enum(DFR_E_CPU_STATE, state)
                                      : dfr_v_unknown(DFR_KIND_ENUM, DFR_REASON_NOT_UNDERSTOOD),
                  place);
}

/* The processor that crashed runs, or owns the freeze of the others. Where it does not, the field
 * stands elsewhere in this build, or another processor crashed: then no state is believed. */
static bool fits(const struct dfr_dump *d, const struct dfr_processor *own)
{
    enum { STATE = 0xF, RUNNING = 0, OWNER = 4 };
    uint64_t raw;
    return !own || !dfr_dump_field(d, &own->prcb, DFR_LAYOUT_PRCB_IPI_FROZEN, 4, &raw) ||
           (raw & STATE) == RUNNING || (raw & STATE) == OWNER;
}

/* `doubt`: why the field is not to be read; NONE where it is. */
static void freeze_state(struct dfr_dump *d, struct dfr_processor *p, bool crashing,
                         enum dfr_reason doubt, uint32_t place)
{
    enum { STATE = 0xF, FROZEN = 2 };
    uint32_t off = 0;
    uint64_t raw;
    bool known = !doubt && dfr_dump_offset(d, DFR_LAYOUT_PRCB_IPI_FROZEN, &off);
    if (!known || !dfr_where_word(d, &p->prcb, off, 4, &raw)) {
        enum dfr_reason why = known   ? dfr_where_why(d, &p->prcb, off, 4)
                              : doubt ? doubt
                                      : DFR_REASON_NEEDS_TYPES;
        dfr_dump_cell(d, DFR_F_CPUS_IPI_FROZEN, p->row, dfr_v_unknown(DFR_KIND_INT, why), place);
        dfr_dump_cell(d, DFR_F_CPUS_STATE, p->row, dfr_v_unknown(DFR_KIND_ENUM, why), place);
        return;
    }
    put_state(d, p->row, raw, place);
    struct dfr_context c;
    if ((raw & STATE) == FROZEN && !crashing && saved_context(d, &p->prcb, &c)) {
        dfr_dump_cell(d, DFR_F_CPUS_RIP, p->row, dfr_v_addr(c.ip),
                      dfr_where_place(d, &c.where, 0, c.bytes));
        p->context = c.where;
    }
}

/* The thread that runs, the one chosen to run next, which stands behind it, and the idle thread behind
 * that. Observed on x64; where the two that are known stand otherwise, there is no next one. */
static void put_threads(struct dfr_dump *d, const struct dfr_processor *p, uint32_t place)
{
    uint32_t current, idle, pointer = dfr_dump_pointer_bytes(d);
    uint64_t thread, u;
    if (!dfr_dump_offset(d, DFR_LAYOUT_PRCB_THREAD, &current) ||
        !dfr_where_pointer(d, &p->prcb, current, &thread) || !thread)
        return;
    dfr_dump_cell(d, DFR_F_CPUS_THREAD, p->row, dfr_v_addr(thread), place);
    if (!dfr_dump_offset(d, DFR_LAYOUT_PRCB_IDLE, &idle))
        return;
    if (dfr_where_pointer(d, &p->prcb, idle, &u) && u)
        dfr_dump_cell(d, DFR_F_CPUS_IDLE, p->row, dfr_v_bool(u == thread), place);
    if (idle == current + 2 * pointer && dfr_where_pointer(d, &p->prcb, current + pointer, &u))
        dfr_dump_cell(d, DFR_F_CPUS_NEXT_THREAD, p->row, dfr_v_addr(u), place);
}

/* The IRQL is the one that the crash saved: CR8 of the crashing processor, x64 only. */
static void put_details(struct dfr_dump *d, struct dfr_processor *p, bool crashing,
                        enum dfr_reason doubt)
{
    enum { CR8 = 0xA0, HIGHEST = 15 };
    uint32_t place = dfr_where_place(d, &p->prcb, 0, 1), special;
    uint64_t u;
    put_threads(d, p, place);
    if (dfr_dump_field(d, &p->prcb, DFR_LAYOUT_PRCB_DPC_ACTIVE, 1, &u) && u <= 1)
        dfr_dump_cell(d, DFR_F_CPUS_DPC_ACTIVE, p->row, dfr_v_bool(u != 0), place);
    if (crashing && d->file.machine == DFR_MACHINE_X64 &&
        dfr_dump_offset(d, DFR_LAYOUT_PRCB_SPECIAL, &special) &&
        dfr_where_word(d, &p->prcb, (uint64_t)special + CR8, 8, &u) && u <= HIGHEST)
        dfr_dump_cell(d, DFR_F_CPUS_IRQL, p->row, dfr_v_int((int64_t)u), place);
    freeze_state(d, p, crashing, doubt, place);
}

/* Before Windows 7 the number was a byte at the start of the block. Types of public symbol files. */
static bool number_of(const struct dfr_dump *d, const struct dfr_where *w, uint64_t *ret)
{
    uint32_t off;
    if (!dfr_dump_offset(d, DFR_LAYOUT_PRCB_NUMBER, &off))
        return false;
    bool byte = off == (dfr_dump_pointer_bytes(d) == 4 ? 0x10 : 0x04);
    return dfr_where_word(d, w, off, byte ? 1 : 4, ret);
}

/* A processor's row; false when its block cannot be read, or is one that was there before. */
static bool add_processor(struct dfr_dump *d, const struct dfr_where *w, uint64_t most)
{
    uint64_t number;
    if (!number_of(d, w, &number) || number >= most)
        return false;
    for (uint32_t i = 0; i < d->processors.n; i++)
        if (d->processors.v[i].number == number)
            return false;
    uint32_t row = dfr_facts_row(d->facts, DFR_T_CPUS);
    if (row == UINT32_MAX)
        return false;
    uint32_t place = dfr_where_place(d, w, 0, 1);
    dfr_dump_cell(d, DFR_F_CPUS_ID, row, dfr_v_int((int64_t)number), place);
    if (w->va)
        dfr_dump_cell(d, DFR_F_CPUS_PRCB, row, dfr_v_addr(w->va), place);
    *DFR_PUSH(d->arena, &d->processors) =
        (struct dfr_processor){.number = (uint32_t)number, .row = row, .prcb = *w};
    return true;
}

/* Every processor, where the dump holds them: their addresses stand in an array of the kernel. */
static bool all_processors(struct dfr_dump *d, uint64_t count)
{
    uint32_t pointer = dfr_dump_pointer_bytes(d);
    uint64_t array, va;
    if (!dfr_kdbg_pointer(d, DFR_KDBG_PROCESSORS, &array) || !dfr_dump_is_kernel(d, array) ||
        !count || count > DFR_LIMIT_DUMP_PROCESSORS || array > UINT64_MAX - count * pointer ||
        !dfr_dump_pointer(d, array, &va))
        return false;
    bool all = true;
    for (uint64_t i = 0; i < count; i++) {
        struct dfr_where w = {0};
        if (!dfr_dump_pointer(d, array + i * pointer, &w.va) || !dfr_dump_is_kernel(d, w.va) ||
            !add_processor(d, &w, count))
            all = false;
    }
    return all;
}

static struct dfr_processor *by_number(struct dfr_dump *d, uint64_t number)
{
    for (uint32_t i = 0; i < d->processors.n; i++)
        if (d->processors.v[i].number == number)
            return &d->processors.v[i];
    return NULL;
}

/* The header's context is that of the processor that crashed: the only one whose own saved context
 * says the same, else the only one that ran on the stack it stands on. */
static struct dfr_processor *by_context(struct dfr_dump *d)
{
    struct dfr_context own, c;
    struct dfr_processor *same = NULL, *on_stack = NULL;
    uint32_t n_same = 0, n_stack = 0;
    if (!dfr_context_of_header(d, &own))
        return NULL;
    for (uint32_t i = 0; i < d->processors.n; i++) {
        struct dfr_processor *p = &d->processors.v[i];
        struct dfr_stacks stacks;
        if (saved_context(d, &p->prcb, &c) && c.ip == own.ip && c.sp == own.sp) {
            same = p;
            n_same++;
        }
        struct dfr_where thread = {0};
        if (dfr_dump_field_pointer(d, &p->prcb, DFR_LAYOUT_PRCB_THREAD, &thread.va) &&
            dfr_dump_is_kernel(d, thread.va)) {
            stacks = dfr_dump_stacks(d, &p->prcb, &thread);
            if (dfr_stacks_find(&stacks, own.sp)) {
                on_stack = p;
                n_stack++;
            }
        }
    }
    return n_same == 1 ? same : n_same == 0 && n_stack == 1 ? on_stack : NULL;
}

/* The block of the processor that crashed: a small dump points to its copy. */
static struct dfr_processor *crashing(struct dfr_dump *d, uint64_t count)
{
    uint64_t number;
    if (!d->prcb.off)
        return d->processors.n == 1 && count == 1 ? &d->processors.v[0] : by_context(d);
    if (!number_of(d, &d->prcb, &number) || number >= count)
        return NULL;
    struct dfr_processor *p = by_number(d, number);
    if (p)
        d->prcb.va = p->prcb.va;
    else if (!d->processors.n && add_processor(d, &d->prcb, count))
        p = &d->processors.v[0];
    return p;
}

static void put_model(struct dfr_dump *d)
{
    uint32_t off;
    uint64_t u;
    uint8_t vendor[12];
    if (dfr_dump_field(d, &d->prcb, DFR_LAYOUT_PRCB_MHZ, 4, &u) && u && u < 100000)
        dfr_dump_put_at(d, DFR_F_MACHINE_CPU_MHZ, dfr_v_int((int64_t)u),
                        dfr_where_place(d, &d->prcb, 0, 1));
    if (d->file.machine == DFR_MACHINE_ARM64 || !dfr_dump_offset(d, DFR_LAYOUT_PRCB_VENDOR, &off) ||
        !dfr_where_copy(d, &d->prcb, off, vendor, sizeof vendor))
        return;
    for (size_t i = 0; i < sizeof vendor; i++)
        if (vendor[i] < ' ' || vendor[i] > '~')
            return;
    struct dfr_str s = {dfr_arena_copy(d->arena, vendor, sizeof vendor), sizeof vendor};
    dfr_dump_put_at(d, DFR_F_MACHINE_CPU_VENDOR, dfr_v_str(s),
                    dfr_where_place(d, &d->prcb, off, sizeof vendor));
}

void dfr_dump_processors(struct dfr_dump *d)
{
    struct dfr_rows *t = &d->facts->tables[DFR_T_CPUS];
    uint64_t count = 0, u;
    t->reason = DFR_REASON_NOT_IN_DUMP;
    if (!d->kdbg.len) {
        t->reason = DFR_REASON_DAMAGED;
        return;
    }
    if (!dfr_container_field(&d->file, DFR_HEADER_PROCESSORS, &count))
        count = 0;
    t->complete = all_processors(d, count);
    struct dfr_processor *own = crashing(d, count);
    t->complete = t->complete || (count == 1 && t->n == 1);
    if (t->complete)
        t->reason = DFR_REASON_NONE;
    if (own) {
        if (!d->prcb.off)
            d->prcb = own->prcb;
        dfr_dump_put_at(d, DFR_F_CPU_CURRENT, dfr_v_int((int64_t)own->number),
                        dfr_where_place(d, &d->prcb, 0, 1));
    }
    uint32_t off;
    enum dfr_reason doubt = fits(d, own) ? DFR_REASON_NONE : DFR_REASON_NEEDS_TYPES;
    if (!dfr_dump_offset(d, DFR_LAYOUT_PRCB_IPI_FROZEN, &off) && dfr_dump_calibrate(d, own))
        doubt = DFR_REASON_INFERRED;
    for (uint32_t i = 0; i < d->processors.n; i++)
        put_details(d, &d->processors.v[i], own == &d->processors.v[i], doubt);
    if (!dfr_where_known(&d->prcb))
        return;
    if (dfr_dump_field_pointer(d, &d->prcb, DFR_LAYOUT_PRCB_THREAD, &u) &&
        dfr_dump_is_kernel(d, u)) {
        d->thread.va = u;
        dfr_dump_put_at(d, DFR_F_THREAD_ADDRESS, dfr_v_addr(u), dfr_where_place(d, &d->prcb, 0, 1));
    }
    put_model(d);
}
