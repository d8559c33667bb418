/* Modules that were unloaded before the crash: the list of a small dump, or the kernel's own. */
#include "base/limits.h"
#include "base/utf16.h"
#include "dump/kdbg.h"
#include "dump/triage.h"

enum { KEPT = 50 }; /* what the kernel remembers */

static void put(struct dfr_dump *d, struct dfr_str name, uint64_t start, uint64_t end,
                uint64_t time, uint32_t place)
{
    /* 100 ns units from 1601 to 1970, in a second. */
    const uint64_t epoch = 116444736000000000, second = 10000000;
    uint32_t row = dfr_facts_row(d->facts, DFR_T_UNLOADED);
    if (row == UINT32_MAX)
        return;
    if (name.len)
        dfr_dump_cell(d, DFR_F_UNLOADED_NAME, row, dfr_v_str(name), place);
    if (start && end > start) {
        dfr_dump_cell(d, DFR_F_UNLOADED_BASE, row, dfr_v_addr(start), place);
        dfr_dump_cell(d, DFR_F_UNLOADED_END, row, dfr_v_addr(end), place);
    }
    struct dfr_value when =
        dfr_v_unknown(DFR_KIND_TIME, d->triage.len ? DFR_REASON_NOT_IN_DUMP : DFR_REASON_DAMAGED);
    if (time > epoch && time < INT64_MAX) {
        int64_t t = (int64_t)((time - epoch) / second);
        when = dfr_v_time(t, t);
    }
    dfr_dump_cell(d, DFR_F_UNLOADED_TIME, row, when, place);
}

static void done(struct dfr_dump *d)
{
    struct dfr_rows *t = &d->facts->tables[DFR_T_UNLOADED];
    t->complete = t->n < KEPT;
    t->reason = t->complete ? DFR_REASON_NONE : DFR_REASON_NOT_IN_DUMP;
}

/* In a small dump: a count in a pointer's width, then entries: u16 length of the name in bytes, the
 * name (12 units, not ended when full), first and last address. Public parsers; the 64-bit one
 * observed. */
void dfr_dump_unloaded(struct dfr_dump *d)
{
    static const struct {
        uint8_t stride, name, start, end;
    } layouts[] = {{0x38, 0x10, 0x28, 0x30}, {0x28, 0x08, 0x20, 0x24}};
    enum { NAME_BYTES = 24 };
    unsigned k = !d->file.wide;
    uint32_t stride = layouts[k].stride, pointer = k ? 4 : 8;
    uint64_t at = dfr_triage_u32(d, DFR_TRIAGE_UNLOADED), count = 0;
    struct dfr_rows *t = &d->facts->tables[DFR_T_UNLOADED];
    t->reason = DFR_REASON_NOT_IN_DUMP;
    if (!at)
        return;
    struct dfr_span list, e, name;
    struct dfr_where w = {.off = at};
    t->place = dfr_facts_place(d->facts, (struct dfr_place){at, at + pointer, 0, 0});
    if (!dfr_where_word(d, &w, 0, pointer, &count) || count > DFR_LIMIT_DUMP_UNLOADED ||
        !dfr_bytes_span(d->bytes, at + pointer, count * stride, &list)) {
        t->reason = DFR_REASON_DAMAGED;
        dfr_dump_damaged(d, at, at + pointer, "the list of unloaded modules is damaged");
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint16_t len;
        uint64_t start, end;
        w.off = at + pointer + i * stride;
        if (!dfr_span_sub(list, i * stride, stride, &e) || !dfr_span_u16le(e, 0, &len) ||
            !dfr_where_word(d, &w, layouts[k].start, pointer, &start) ||
            !dfr_where_word(d, &w, layouts[k].end, pointer, &end) ||
            !dfr_span_sub(e, layouts[k].name, len < NAME_BYTES ? len & ~1u : NAME_BYTES, &name))
            continue;
        uint32_t place =
            dfr_facts_place(d->facts, (struct dfr_place){w.off, w.off + stride, 0, start});
        put(d, dfr_utf16_text(d->arena, name), start, end, 0, place);
    }
    done(d);
}

/* In memory: a ring of entries, a counted name, first and last address, when. Types of public symbol
 * files. */
void dfr_dump_unloaded_memory(struct dfr_dump *d)
{
    struct dfr_rows *t = &d->facts->tables[DFR_T_UNLOADED];
    uint32_t pointer = dfr_dump_pointer_bytes(d), stride = 4 * pointer + 8;
    uint64_t variable;
    struct dfr_where ring = {0};
    t->reason = DFR_REASON_DAMAGED;
    if (!dfr_kdbg_pointer(d, DFR_KDBG_UNLOADED, &variable))
        return;
    t->place = dfr_dump_place(d, variable, pointer);
    if (!dfr_dump_is_kernel(d, variable) || !dfr_dump_pointer(d, variable, &ring.va)) {
        const struct dfr_where w = {.va = variable};
        t->reason = (uint8_t)dfr_where_why(d, &w, 0, pointer);
        return;
    }
    if (!ring.va) { /* made with the first module that goes */
        done(d);
        return;
    }
    if (!dfr_dump_is_kernel(d, ring.va))
        return;
    for (uint64_t i = 0; i < KEPT; i++) {
        uint64_t at = i * stride, bytes, buffer, start, end, time;
        uint8_t text[2 * DFR_LIMIT_DUMP_NAME_UNITS];
        if (!dfr_where_word(d, &ring, at, 2, &bytes) ||
            !dfr_where_pointer(d, &ring, at + pointer, &buffer) ||
            !dfr_where_pointer(d, &ring, at + 2 * pointer, &start) ||
            !dfr_where_pointer(d, &ring, at + 3 * pointer, &end) ||
            !dfr_where_word(d, &ring, at + 4 * pointer, 8, &time)) {
            t->reason = (uint8_t)dfr_where_why(d, &ring, at, stride);
            return;
        }
        if (!start && !buffer)
            continue;
        struct dfr_str name = {0};
        bytes &= ~UINT64_C(1);
        if (bytes <= sizeof text && dfr_dump_is_kernel(d, buffer) &&
            dfr_space_copy(&d->memory, buffer, text, (size_t)bytes))
            name = dfr_utf16_text(d->arena, (struct dfr_span){text, (size_t)bytes});
        put(d, name, start, end, time, dfr_where_place(d, &ring, at, stride));
    }
    done(d);
}
