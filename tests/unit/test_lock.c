/* The list of executive resources, in both widths of a pointer. */
#include <string.h>

#include "target.h"

TestSuite(lock, .init = open_facts, .fini = close_facts, .timeout = 60);

enum { AT = 0x3000, LEN = 0x1000, KDBG = 0x5000, HEAD = 0, TABLE = 0x800 };

static const struct width {
    enum dfr_machine machine;
    uint64_t base;
    unsigned pointer;
    uint16_t table, active, owner, contention;
} widths[] = {
    {DFR_MACHINE_X64, UINT64_C(0xFFFFB00000010000), 8, 0x10, 0x18, 0x30, 0x44},
    {DFR_MACHINE_ARM64, UINT64_C(0xFFFFB00000010000), 8, 0x10, 0x18, 0x30, 0x44},
    {DFR_MACHINE_X86, 0x84010000, 4, 0x08, 0x0C, 0x18, 0x24},
};

static void word(const struct width *w, size_t at, uint64_t v)
{
    if (w->pointer == 8)
        forge64(target_bytes, AT + at, v);
    else
        forge32(target_bytes, AT + at, (uint32_t)v);
}

static size_t resource(unsigned i)
{
    return 0x100 + 0x100u * i;
}

/* Three resources: held exclusively and waited for, held by two, not held at all. */
static struct dfr_dump scene(const struct width *w, uint32_t code)
{
    static const uint64_t none[4] = {0};
    struct dfr_dump d = target_dump(w->machine, code, none);
    target_memory(&d, w->base, AT, LEN);
    target_module(&d, "exdisk", w->base + resource(1), 0x100);
    for (unsigned i = 0; i <= 3; i++) {
        size_t at = i == 3 ? (size_t)HEAD : resource(i);
        word(w, at, w->base + (i == 3 ? resource(0) : i == 2 ? (size_t)HEAD : resource(i + 1)));
        word(w, at + w->pointer,
             w->base + (i == 0   ? (size_t)HEAD
                        : i == 3 ? resource(2)
                                 : resource(i - 1)));
    }
    forge16(target_bytes, AT + resource(0) + w->active, 1);
    forge16(target_bytes, AT + resource(0) + w->active + 2u, 0x80);
    word(w, resource(0) + w->owner, w->base + 0xE00);
    forge32(target_bytes, AT + resource(0) + w->contention, 5);
    forge32(target_bytes, AT + resource(0) + w->contention + 4u, 1);
    forge32(target_bytes, AT + resource(0) + w->contention + 8u, 2);
    forge16(target_bytes, AT + resource(1) + w->active, 2);
    word(w, resource(1) + w->table, w->base + TABLE);
    forge32(target_bytes, AT + TABLE + w->pointer, 4);
    word(w, TABLE + 4u * w->pointer, w->base + 0xE80);
    forge64(target_bytes, KDBG + 0x60,
            w->pointer == 8 ? w->base + HEAD : w->base + HEAD + UINT64_C(0xFFFFFFFF00000000));
    d.kdbg = (struct dfr_span){target_bytes + KDBG, 0x300};
    d.kdbg_at = KDBG;
    return d;
}

static uint64_t at(uint32_t column, uint32_t row)
{
    const struct dfr_value *v = dfr_facts_at(&facts, column, row);
    return v->state != DFR_KNOWN      ? UINT64_MAX
           : v->kind == DFR_KIND_INT  ? (uint64_t)v->as.n.lo
           : v->kind == DFR_KIND_BOOL ? v->as.b
                                      : v->as.u;
}

Test(lock, held_and_waited_for)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        const struct width *w = &widths[i];
        struct dfr_dump d = scene(w, 0xE2);
        dfr_dump_locks(&d);
        const struct dfr_rows *t = &facts.tables[DFR_T_LOCKS];
        cr_assert_eq(t->n, 2, "%zu", i);
        cr_expect(t->complete);
        cr_expect_eq(at(DFR_F_LOCKS_ADDR, 0), w->base + resource(0));
        cr_expect_eq(at(DFR_F_LOCKS_OWNER, 0), w->base + 0xE00);
        cr_expect_eq(at(DFR_F_LOCKS_EXCLUSIVE, 0), true);
        cr_expect_eq(at(DFR_F_LOCKS_WAITERS, 0), 3);
        cr_expect_eq(at(DFR_F_LOCKS_CONTENTION, 0), 5);
        cr_expect_eq(at(DFR_F_LOCKS_OWNER, 1), w->base + 0xE80);
        cr_expect_eq(at(DFR_F_LOCKS_EXCLUSIVE, 1), false);
        cr_expect_str_eq(target_text(dfr_facts_at(&facts, DFR_F_LOCKS_NAME, 1)), "exdisk+0x0");
    }
}

/* What came before the damage stays, and the list is not called whole. */
Test(lock, damaged_lists)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        const struct width *w = &widths[i];
        struct dfr_dump d = scene(w, 0xE2);
        word(w, resource(0), w->base + resource(0)); /* bites itself */
        dfr_dump_locks(&d);
        cr_expect_not(facts.tables[DFR_T_LOCKS].complete);
        cr_expect_eq(facts.tables[DFR_T_LOCKS].reason, DFR_REASON_DAMAGED);
        cr_expect_eq(facts.tables[DFR_T_LOCKS].n, 1);
        d = scene(w, 0xE2);
        word(w, resource(1), w->base + 0x100000); /* leads to what was not captured */
        dfr_dump_locks(&d);
        cr_expect_eq(facts.tables[DFR_T_LOCKS].n, 2);
        cr_expect_eq(facts.tables[DFR_T_LOCKS].reason, DFR_REASON_NOT_CAPTURED);
        d = scene(w, 0x1A); /* nothing hangs */
        dfr_dump_locks(&d);
        cr_expect_eq(facts.tables[DFR_T_LOCKS].n, 0);
        cr_expect_not(facts.tables[DFR_T_LOCKS].complete);
        for (size_t k = 0; k < 0x500; k += 4) {
            d = scene(w, 0xE2);
            forge32(target_bytes, AT + k, UINT32_MAX);
            dfr_dump_locks(&d);
            cr_expect_leq(facts.tables[DFR_T_LOCKS].n, 3);
        }
    }
}
