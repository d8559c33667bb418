/* The crashing thread and its process: the stacks that it may run on, and the name of the process. */
#include "base/limits.h"
#include "dump/context.h"

/* What the processor's stacks take on x64, and the frame that is kept free at the top of two of them:
 * their pointers stand below it. Source: documented (kernel stack size); observed, on every dump. */
enum { STACK_BYTES = 0x6000, TOP_FRAME = 0x50, PAGE = 0x1000 };

static void add(struct dfr_stacks *s, uint64_t low, uint64_t end, uint32_t kind)
{
    if (s->n < sizeof s->v / sizeof *s->v && low < end)
        s->v[s->n++] = (struct dfr_stack){low, end, kind};
}

static void add_processor_stack(const struct dfr_dump *d, struct dfr_stacks *s,
                                const struct dfr_where *prcb, enum dfr_layout which, uint64_t frame,
                                uint32_t kind)
{
    uint64_t top;
    if (dfr_dump_field_pointer(d, prcb, which, &top) && dfr_dump_is_kernel(d, top) &&
        top <= UINT64_MAX - frame && ((top + frame) & (PAGE - 1)) == 0 && top > STACK_BYTES)
        add(s, top + frame - STACK_BYTES, top + frame, kind);
}

struct dfr_stacks dfr_dump_stacks(const struct dfr_dump *d, const struct dfr_where *prcb,
                                  const struct dfr_where *thread)
{
    struct dfr_stacks s = {0};
    uint64_t limit, base;
    if (dfr_dump_field_pointer(d, thread, DFR_LAYOUT_THREAD_STACK_LIMIT, &limit) &&
        dfr_dump_field_pointer(d, thread, DFR_LAYOUT_THREAD_STACK_BASE, &base) &&
        dfr_dump_is_kernel(d, limit) && dfr_dump_is_kernel(d, base))
        add(&s, limit, base, DFR_STACK_KIND_THREAD);
    if (d->file.machine != DFR_MACHINE_X64)
        return s;
    add_processor_stack(d, &s, prcb, DFR_LAYOUT_PRCB_DPC_STACK, TOP_FRAME, DFR_STACK_KIND_DPC);
    add_processor_stack(d, &s, prcb, DFR_LAYOUT_PRCB_ISR_STACK, 0, DFR_STACK_KIND_INTERRUPT);
    add_processor_stack(d, &s, prcb, DFR_LAYOUT_PRCB_EXCEPTION_STACK, TOP_FRAME,
                        DFR_STACK_KIND_EXCEPTION);
    return s;
}

const struct dfr_stack *dfr_stacks_find(const struct dfr_stacks *s, uint64_t sp)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (sp >= s->v[i].low && sp <= s->v[i].end)
            return &s->v[i];
    return NULL;
}

static void put_limits(struct dfr_dump *d)
{
    uint32_t limit_at, base_at, pointer = dfr_dump_pointer_bytes(d);
    uint64_t limit, base;
    if (!dfr_dump_offset(d, DFR_LAYOUT_THREAD_STACK_LIMIT, &limit_at) ||
        !dfr_dump_offset(d, DFR_LAYOUT_THREAD_STACK_BASE, &base_at) ||
        !dfr_where_pointer(d, &d->thread, limit_at, &limit) ||
        !dfr_where_pointer(d, &d->thread, base_at, &base) || !dfr_dump_is_kernel(d, limit) ||
        !dfr_dump_is_kernel(d, base) || base <= limit)
        return;
    dfr_dump_put_at(d, DFR_F_THREAD_STACK_LIMIT, dfr_v_addr(limit),
                    dfr_where_place(d, &d->thread, limit_at, pointer));
    dfr_dump_put_at(d, DFR_F_THREAD_STACK_BASE, dfr_v_addr(base),
                    dfr_where_place(d, &d->thread, base_at, pointer));
}

/* Fifteen bytes of the image's file name. */
static void put_process(struct dfr_dump *d)
{
    enum { NAME_BYTES = 15 };
    uint32_t at = 0;
    uint8_t name[NAME_BYTES];
    bool known = dfr_dump_offset(d, DFR_LAYOUT_PROCESS_NAME, &at);
    if (!dfr_where_known(&d->process))
        return;
    if (!known || !dfr_where_copy(d, &d->process, at, name, sizeof name)) {
        enum dfr_reason why =
            known ? dfr_where_why(d, &d->process, at, sizeof name) : DFR_REASON_NEEDS_TYPES;
        dfr_dump_put_at(d, DFR_F_THREAD_PROCESS, dfr_v_unknown(DFR_KIND_STR, why),
                        dfr_where_place(d, &d->process, 0, 1));
        return;
    }
    size_t len = 0;
    while (len < sizeof name && name[len] >= ' ' && name[len] <= '~')
        len++;
    if (len && (len == sizeof name || !name[len]))
        dfr_dump_put_at(d, DFR_F_THREAD_PROCESS,
                        dfr_v_str((struct dfr_str){dfr_arena_copy(d->arena, name, len), len}),
                        dfr_where_place(d, &d->process, at, len));
}

/* Which stack the crash ran on: the one that holds the stack pointer of the bug check. */
static void put_kind(struct dfr_dump *d)
{
    struct dfr_context own;
    if (!dfr_context_of_header(d, &own))
        return;
    struct dfr_stacks stacks = dfr_dump_stacks(d, &d->prcb, &d->thread);
    const struct dfr_stack *s = dfr_stacks_find(&stacks, own.sp);
    if (!s)
        return;
    uint32_t place = dfr_where_place(d, &own.where, 0, own.bytes);
    dfr_dump_put_at(d, DFR_F_THREAD_STACK_KIND, dfr_v_enum(DFR_E_STACK_KIND, s->kind), place);
    if (d->triage.len)
        return;
    d->stack_low = own.sp & ~(uint64_t)(dfr_dump_pointer_bytes(d) - 1);
    d->stack_end = s->end - d->stack_low <= DFR_LIMIT_DUMP_STACK_BYTES
                       ? s->end
                       : d->stack_low + DFR_LIMIT_DUMP_STACK_BYTES;
}

void dfr_dump_thread(struct dfr_dump *d)
{
    if (!dfr_where_known(&d->process))
        (void)dfr_dump_field_pointer(d, &d->thread, DFR_LAYOUT_THREAD_PROCESS, &d->process.va);
    if (!d->process.off && !dfr_dump_is_kernel(d, d->process.va))
        d->process.va = 0;
    put_limits(d);
    put_process(d);
    put_kind(d);
}
