/* Executive resources that are held or waited for, in dumps that hold the kernel's memory, where the
 * bug check is about something that hangs. They stand in one list of the whole system, whose head the
 * debugger data block names. Layout: public headers. */
#include "base/buf.h"
#include "base/limits.h"
#include "dump/reader.h"

struct layout {
    uint16_t blink, table, active, flags, owner, contention, shared_waiters, exclusive_waiters,
        bytes;
    uint16_t entry; /* of the table of owners: {pointer thread, u32 size or count} */
};
static const struct layout wide = {.blink = 0x08,
                                   .table = 0x10,
                                   .active = 0x18,
                                   .flags = 0x1A,
                                   .owner = 0x30,
                                   .contention = 0x44,
                                   .shared_waiters = 0x48,
                                   .exclusive_waiters = 0x4C,
                                   .bytes = 0x50,
                                   .entry = 0x10};
static const struct layout narrow = {.blink = 0x04,
                                     .table = 0x08,
                                     .active = 0x0C,
                                     .flags = 0x0E,
                                     .owner = 0x18,
                                     .contention = 0x24,
                                     .shared_waiters = 0x28,
                                     .exclusive_waiters = 0x2C,
                                     .bytes = 0x30,
                                     .entry = 0x08};
enum { KDBG_RESOURCES = 0x60, OWNED_EXCLUSIVE = 0x80, MOST_BYTES = 0x50 };

/* Bug checks after which somebody asks who holds what: watchdogs, and crashes on purpose. */
static const uint32_t hangs[] = {0x9F,  0xE2,  0xEA,  0x101, 0x133, 0x14F, 0x15F,
                                 0x161, 0x1C8, 0x1CA, 0x1CF, 0x1D5, 0x1DB, 0xDEADDEAD};

static const struct layout *layout(const struct dfr_dump *d)
{
    return dfr_dump_pointer_bytes(d) == 8 ? &wide : &narrow;
}

static uint64_t word(struct dfr_span s, uint64_t off, size_t len)
{
    uint64_t ret = 0;
    for (size_t i = 0; i < len && off + i < s.len; i++)
        ret |= (uint64_t)s.p[off + i] << 8 * i;
    return ret;
}

/* A thread; its lowest bits are flags. What other owners put there stands in the kernel's half too. */
static bool thread_of(const struct dfr_dump *d, uint64_t raw, uint64_t *ret)
{
    *ret = raw & ~UINT64_C(3);
    return !(raw & 3) && dfr_dump_is_kernel(d, *ret);
}

/* The one that holds it; of several the first that is told. */
static bool owner(const struct dfr_dump *d, struct dfr_span s, uint64_t *ret)
{
    const struct layout *l = layout(d);
    enum { MOST_OWNERS = 64 };
    uint32_t pointer = dfr_dump_pointer_bytes(d), count;
    uint64_t table = word(s, l->table, pointer), raw;
    if (thread_of(d, word(s, l->owner, pointer), ret))
        return true;
    if (!dfr_dump_is_kernel(d, table) || !dfr_space_u32(&d->memory, table + pointer, &count))
        return false;
    for (uint32_t i = 1; i < count && i < MOST_OWNERS; i++)
        if (dfr_dump_pointer(d, table + (uint64_t)i * l->entry, &raw) && thread_of(d, raw, ret))
            return true;
    return false;
}

static void name(struct dfr_dump *d, uint64_t va, uint32_t row, uint32_t place)
{
    const struct dfr_image *image = dfr_dump_image_at(d, va);
    const struct dfr_value *v =
        image ? dfr_facts_at(d->facts, DFR_F_MODULES_NAME, image->row) : NULL;
    struct dfr_buf b;
    if (!v || v->state != DFR_KNOWN)
        return;
    dfr_buf_init(&b, d->arena);
    dfr_buf_str(&b, dfr_value_str(v));
    dfr_buf_printf(&b, "+0x%llx", (unsigned long long)(va - image->base));
    dfr_dump_cell(d, DFR_F_LOCKS_NAME, row, dfr_v_str(dfr_buf_text(&b)), place);
}

static void put(struct dfr_dump *d, uint64_t va, struct dfr_span s)
{
    const struct layout *l = layout(d);
    int64_t waiters =
        (int64_t)word(s, l->shared_waiters, 4) + (int64_t)word(s, l->exclusive_waiters, 4);
    uint64_t active = word(s, l->active, 2), thread;
    if (!active && !waiters)
        return;
    uint32_t row = dfr_facts_row(d->facts, DFR_T_LOCKS);
    if (row == UINT32_MAX)
        return;
    uint32_t place = dfr_dump_place(d, va, l->bytes);
    dfr_dump_cell(d, DFR_F_LOCKS_ADDR, row, dfr_v_addr(va), place);
    dfr_dump_cell(d, DFR_F_LOCKS_EXCLUSIVE, row,
                  dfr_v_bool((word(s, l->flags, 2) & OWNED_EXCLUSIVE) != 0), place);
    dfr_dump_cell(d, DFR_F_LOCKS_WAITERS, row, dfr_v_int(waiters), place);
    dfr_dump_cell(d, DFR_F_LOCKS_CONTENTION, row, dfr_v_int((int64_t)word(s, l->contention, 4)),
                  place);
    if (owner(d, s, &thread))
        dfr_dump_cell(d, DFR_F_LOCKS_OWNER, row, dfr_v_addr(thread), place);
    name(d, va, row, place);
}

/* From the head on, for as long as each one leads back to the one before it. True at the head again. */
static bool walk(struct dfr_dump *d, uint64_t head, enum dfr_reason *ret_why)
{
    const struct layout *l = layout(d);
    uint32_t pointer = dfr_dump_pointer_bytes(d);
    uint8_t buf[MOST_BYTES];
    struct dfr_span s = {buf, l->bytes};
    uint64_t before = head, va;
    *ret_why = dfr_space_why(&d->memory, head);
    if (!dfr_dump_pointer(d, head, &va))
        return false;
    for (uint32_t n = 0; n < DFR_LIMIT_DUMP_LOCKS; n++) {
        if (va == head)
            return true;
        if (!dfr_dump_is_kernel(d, va) || !dfr_space_copy(&d->memory, va, buf, l->bytes)) {
            enum dfr_reason why = dfr_space_why(&d->memory, va);
            *ret_why = why ? why : DFR_REASON_DAMAGED;
            return false;
        }
        if (word(s, l->blink, pointer) != before)
            break;
        put(d, va, s);
        before = va;
        va = word(s, 0, pointer);
    }
    *ret_why = DFR_REASON_DAMAGED;
    return false;
}

void dfr_dump_locks(struct dfr_dump *d)
{
    struct dfr_rows *t = &d->facts->tables[DFR_T_LOCKS];
    enum dfr_reason why;
    uint64_t head;
    bool hang = false;
    for (size_t i = 0; i < sizeof hangs / sizeof *hangs; i++)
        hang |= dfr_dump_code(d) == hangs[i];
    if (!hang || !dfr_kdbg_pointer(d, KDBG_RESOURCES, &head) || !dfr_dump_is_kernel(d, head))
        return;
    t->complete = walk(d, head, &why);
    t->reason = (uint8_t)(t->complete ? DFR_REASON_NONE : why);
}
