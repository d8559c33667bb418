/* The rest of what the debugger data block leads to: Driver Verifier, the build, the memory manager's
 * counters, and the kernel's own copy of the bug check. */
#include "dump/kdbg.h"
#include "dump/triage.h"

/* A word at the address that stands in the block at `kdbg`; unknown with the reason when the block
 * names one that cannot be read. False: there is nothing to set. */
static bool variable(struct dfr_dump *d, uint32_t kdbg, uint32_t field, enum dfr_kind kind,
                     size_t bytes, uint64_t *ret_va, uint64_t *ret)
{
    struct dfr_where w = {0};
    if (!dfr_kdbg_pointer(d, kdbg, &w.va) || !dfr_dump_is_kernel(d, w.va))
        return false;
    *ret_va = w.va;
    if (dfr_where_word(d, &w, 0, bytes, ret))
        return true;
    dfr_dump_put_va(d, field, dfr_v_unknown(kind, dfr_where_why(d, &w, 0, bytes)), w.va, bytes);
    return false;
}

/* The flags of Driver Verifier are the first word of its data; no flags, no checks. Observed off. */
static void verifier(struct dfr_dump *d)
{
    uint64_t va, flags;
    if (variable(d, DFR_KDBG_VERIFIER, DFR_F_VERIFIER_FLAGS, DFR_KIND_ADDR, 4, &va, &flags)) {
        dfr_dump_put_va(d, DFR_F_VERIFIER_FLAGS, dfr_v_addr(flags), va, 4);
        dfr_dump_put_va(d, DFR_F_VERIFIER_ENABLED, dfr_v_bool(flags != 0), va, 4);
        return;
    }
    struct dfr_value v = d->facts->scalars[DFR_F_VERIFIER_FLAGS];
    if (v.reason != DFR_REASON_NOT_SHOWN)
        dfr_dump_put_at(d, DFR_F_VERIFIER_ENABLED,
                        dfr_v_unknown(DFR_KIND_BOOL, (enum dfr_reason)v.reason), v.place);
}

/* 19041.1.amd64fre.vb_release.191206-1406 */
static void build_lab(struct dfr_dump *d)
{
    enum { MOST = 96 };
    struct dfr_where w = {0};
    char text[MOST];
    size_t len = 0;
    if (!dfr_kdbg_pointer(d, DFR_KDBG_BUILD_LAB, &w.va) || !dfr_dump_is_kernel(d, w.va))
        return;
    enum dfr_reason why = dfr_where_why(d, &w, 0, 1);
    if (why != DFR_REASON_NONE) {
        dfr_dump_put_va(d, DFR_F_OS_VERSION, dfr_v_unknown(DFR_KIND_STR, why), w.va, 1);
        return;
    }
    while (len < MOST && dfr_where_copy(d, &w, len, text + len, 1) && text[len] > ' ' &&
           text[len] <= '~')
        len++;
    if (len && len < MOST && !text[len])
        dfr_dump_put_va(d, DFR_F_OS_VERSION,
                        dfr_v_str((struct dfr_str){dfr_arena_copy(d->arena, text, len), len}), w.va,
                        len);
}

/* Counts of pages. Recent builds no longer name these variables. A count above `most` is none. */
static void counters(struct dfr_dump *d)
{
    static const struct {
        uint32_t kdbg, field;
    } rows[] = {{DFR_KDBG_COMMITTED, DFR_F_MEMORY_COMMITTED},
                {DFR_KDBG_COMMIT_LIMIT, DFR_F_MEMORY_COMMIT_LIMIT},
                {DFR_KDBG_COMMIT_PEAK, DFR_F_MEMORY_COMMIT_PEAK},
                {DFR_KDBG_AVAILABLE, DFR_F_MEMORY_AVAILABLE},
                {DFR_KDBG_PHYSICAL, DFR_F_MEMORY_PHYSICAL}};
    const uint64_t most = UINT64_C(1) << 40;
    uint64_t va, u;
    uint32_t bytes = dfr_dump_pointer_bytes(d);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (variable(d, rows[i].kdbg, rows[i].field, DFR_KIND_INT, bytes, &va, &u) && u < most)
            dfr_dump_put_va(d, rows[i].field, dfr_v_int((int64_t)u), va, bytes);
}

/* A small dump holds some of them in a block of its own, which debuggers leave empty. Observed. */
static void counters_of_triage(struct dfr_dump *d)
{
    enum { SIZE_AT = 4, SIZE = 0x50, COMMITTED = 0x38, PEAK = 0x40, LIMIT = 0x48 };
    static const struct {
        uint32_t off, field;
    } rows[] = {{COMMITTED, DFR_F_MEMORY_COMMITTED},
                {PEAK, DFR_F_MEMORY_COMMIT_PEAK},
                {LIMIT, DFR_F_MEMORY_COMMIT_LIMIT}};
    struct dfr_where w = {.off = dfr_triage_u32(d, DFR_TRIAGE_MEMORY)};
    uint64_t size, u;
    if (!d->file.wide || !w.off || !dfr_where_word(d, &w, SIZE_AT, 4, &size) || size < SIZE)
        return;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!dfr_where_word(d, &w, rows[i].off, 8, &u) || u > INT64_MAX)
            continue;
        struct dfr_value v =
            u ? dfr_v_int((int64_t)u) : dfr_v_unknown(DFR_KIND_INT, DFR_REASON_NOT_IN_DUMP);
        dfr_dump_put_at(d, rows[i].field, v, dfr_where_place(d, &w, rows[i].off, 8));
    }
}

/* Pages that the memory manager found to be bad. Most systems do not publish the counter. */
static void bad_pages(struct dfr_dump *d)
{
    const uint64_t most = UINT64_C(1) << 32;
    uint64_t va, u;
    if (!dfr_kdbg_pointer(d, DFR_KDBG_BAD_PAGES, &va))
        dfr_dump_put(d, DFR_F_MACHINE_BAD_PAGES,
                     dfr_v_unknown(DFR_KIND_INT, DFR_REASON_NOT_IN_DUMP), d->kdbg_at, d->kdbg_at);
    else if (variable(d, DFR_KDBG_BAD_PAGES, DFR_F_MACHINE_BAD_PAGES, DFR_KIND_INT, 8, &va, &u))
        dfr_dump_put_va(d, DFR_F_MACHINE_BAD_PAGES,
                        u < most ? dfr_v_int((int64_t)u)
                                 : dfr_v_unknown(DFR_KIND_INT, DFR_REASON_NOT_UNDERSTOOD),
                        va, 8);
}

/* The kernel keeps code and parameters for itself; they serve when the header lacks them. */
static void bugcheck(struct dfr_dump *d)
{
    static const uint32_t args[] = {DFR_F_BUGCHECK_ARG1, DFR_F_BUGCHECK_ARG2, DFR_F_BUGCHECK_ARG3,
                                    DFR_F_BUGCHECK_ARG4};
    enum { WORDS = 5 };
    struct dfr_where w = {0};
    uint64_t words[WORDS];
    uint32_t bytes = dfr_dump_pointer_bytes(d);
    if (d->facts->scalars[DFR_F_BUGCHECK_RAW].state == DFR_KNOWN ||
        !dfr_kdbg_pointer(d, DFR_KDBG_BUGCHECK, &w.va) || !dfr_dump_is_kernel(d, w.va))
        return;
    for (size_t i = 0; i < WORDS; i++)
        if (!dfr_where_pointer(d, &w, i * bytes, &words[i]))
            return;
    if (!words[0] || words[0] > UINT32_MAX)
        return;
    dfr_dump_put_va(d, DFR_F_BUGCHECK_RAW, dfr_v_int((int64_t)words[0]), w.va, bytes);
    for (size_t i = 1; i < WORDS; i++)
        dfr_dump_put_va(d, args[i - 1], dfr_v_addr(words[i]), w.va + i * bytes, bytes);
}

void dfr_dump_kernel(struct dfr_dump *d)
{
    if (d->triage.len)
        counters_of_triage(d);
    if (!d->kdbg.len)
        return;
    bugcheck(d);
    verifier(d);
    build_lab(d);
    counters(d);
    bad_pages(d);
}
