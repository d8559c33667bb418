/* The kernel's own tables in a small dump: the debugger data block and what it leads to. Its offset
 * table tells where fields of threads and processors stand in any build. Documented in the SDK. */
#include "base/limits.h"
#include "dump/triage.h"

/* Offsets in the debugger data block. */
enum {
    KDBG_BUILD_LAB = 0x208,
    KDBG_PROCESSORS = 0x218,
    KDBG_VERIFIER = 0x248,
    KDBG_PROCESS_SIZE = 0x2A8,
    KDBG_PRCB_SIZE = 0x2B0,
    KDBG_PRCB_DPC = 0x2B2,
    KDBG_PRCB_THREAD = 0x2B4,
    KDBG_PRCB_MHZ = 0x2B6,
    KDBG_PRCB_VENDOR = 0x2BA,
    KDBG_PRCB_NUMBER = 0x2BE,
    KDBG_PRCB_SPECIAL = 0x2F2,
    KDBG_PRCB_CONTEXT = 0x338,
    KDBG_STACK_LIMIT = 0x340, /* u32, as the next */
    KDBG_STACK_BASE = 0x344,
    KDBG_PRCB_IDLE = 0x350,
};

bool dfr_kdbg_u64(const struct dfr_dump *d, uint32_t off, uint64_t *ret)
{
    return dfr_span_u64le(d->kdbg, off, ret);
}

bool dfr_kdbg_u16(const struct dfr_dump *d, uint32_t off, uint16_t *ret)
{
    return dfr_span_u16le(d->kdbg, off, ret);
}

/* One processor: in captured memory at its address, or the copy that the dump's header points to. */
struct prcb {
    uint64_t va;  /* 0: not known */
    uint64_t off; /* file offset when `va` is 0 */
};

static bool prcb_copy(const struct dfr_dump *d, const struct prcb *p, uint64_t off, void *buf,
                      size_t len)
{
    return p->va ? p->va <= UINT64_MAX - off && dfr_space_copy(&d->memory, p->va + off, buf, len)
                 : dfr_bytes_copy(d->bytes, p->off + off, buf, len);
}

static bool prcb_u32(const struct dfr_dump *d, const struct prcb *p, uint64_t off, uint32_t *ret)
{
    uint8_t b[4];
    return prcb_copy(d, p, off, b, sizeof b) &&
           dfr_span_u32le((struct dfr_span){b, sizeof b}, 0, ret);
}

static bool prcb_u64(const struct dfr_dump *d, const struct prcb *p, uint64_t off, uint64_t *ret)
{
    uint8_t b[8];
    return prcb_copy(d, p, off, b, sizeof b) &&
           dfr_span_u64le((struct dfr_span){b, sizeof b}, 0, ret);
}

/* The field whose offset the debugger data block tells at `kdbg`. */
static bool prcb_field(const struct dfr_dump *d, const struct prcb *p, uint32_t kdbg, size_t len,
                       uint64_t *ret)
{
    uint16_t off;
    uint8_t b[8] = {0};
    return dfr_kdbg_u16(d, kdbg, &off) && off && prcb_copy(d, p, off, b, len) &&
           dfr_span_u64le((struct dfr_span){b, sizeof b}, 0, ret);
}

enum table { IPI, NAME };
/* Offset in a structure that is known by its size; 0: not known. */
static uint32_t known_offset(const struct dfr_dump *d, enum table table)
{
    static const struct {
        enum table table;
        enum dfr_machine machine;
        uint16_t size, off;
    } rows[] = {
#define IPI_FROZEN(machine, size, off) {IPI, DFR_MACHINE_##machine, (size), (off)},
#define PROCESS_NAME(machine, size, off) {NAME, DFR_MACHINE_##machine, (size), (off)},
#include "dump/prcb.def"
#undef IPI_FROZEN
#undef PROCESS_NAME
    };
    uint16_t size;
    if (!dfr_kdbg_u16(d, table == IPI ? KDBG_PRCB_SIZE : KDBG_PROCESS_SIZE, &size))
        return 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].table == table && rows[i].machine == d->file.machine && rows[i].size == size)
            return rows[i].off;
    return 0;
}

/* The context that the freeze saved. It is stale unless the processor stopped as it was told. */
static void saved_context(struct dfr_dump *d, const struct prcb *p, uint32_t row, uint32_t place)
{
    enum { X64_FLAGS = 0x30, X64_IP = 0xF8, ARM64_IP = 0x108 };
    uint64_t context, ip;
    uint32_t flags;
    bool x64 = d->file.machine == DFR_MACHINE_X64;
    if (!prcb_field(d, p, KDBG_PRCB_CONTEXT, 8, &context) || !(context >> 63) ||
        !dfr_space_u32(&d->memory, context + (x64 ? X64_FLAGS : 0), &flags) ||
        !(flags & (x64 ? 0x100000u : 0x400000u)) ||
        !dfr_space_u64(&d->memory, context + (x64 ? X64_IP : ARM64_IP), &ip))
        return;
    dfr_dump_cell(d, DFR_F_CPUS_RIP, row, dfr_v_addr(ip), place);
}

static void freeze_state(struct dfr_dump *d, const struct prcb *p, uint32_t row, bool crashing,
                         uint32_t place)
{
    enum { STATE = 0xF, FROZEN = 2, STATES = 6 };
    static const uint32_t states[STATES] = {
        DFR_CPU_STATE_RUNNING,       UINT32_MAX,
        DFR_CPU_STATE_FROZEN,        DFR_CPU_STATE_THAW,
        DFR_CPU_STATE_FREEZE_ACTIVE, DFR_CPU_STATE_TARGET_FREEZE};
    uint32_t off = known_offset(d, IPI), raw;
    if (!off || !prcb_u32(d, p, off, &raw)) {
        enum dfr_reason why = off ? DFR_REASON_NOT_CAPTURED : DFR_REASON_NEEDS_TYPES;
        dfr_dump_cell(d, DFR_F_CPUS_IPI_FROZEN, row, dfr_v_unknown(DFR_KIND_INT, why), place);
        dfr_dump_cell(d, DFR_F_CPUS_STATE, row, dfr_v_unknown(DFR_KIND_ENUM, why), place);
        return;
    }
    dfr_dump_cell(d, DFR_F_CPUS_IPI_FROZEN, row, dfr_v_int(raw), place);
    uint32_t state = (raw & STATE) < STATES ? states[raw & STATE] : UINT32_MAX;
    if (state != UINT32_MAX)
        dfr_dump_cell(d, DFR_F_CPUS_STATE, row, dfr_v_enum(DFR_E_CPU_STATE, state), place);
    else
        dfr_dump_cell(d, DFR_F_CPUS_STATE, row,
                      dfr_v_unknown(DFR_KIND_ENUM, DFR_REASON_NOT_UNDERSTOOD), place);
    if ((raw & STATE) == FROZEN && !crashing)
        saved_context(d, p, row, place);
}

/* One row. The IRQL is the one that the crash saved: CR8 of the crashing processor, x64 only. */
static bool put_processor(struct dfr_dump *d, const struct prcb *p, int64_t crashing)
{
    enum { NEXT_THREAD = 0x10, CR8 = 0xA0, HIGHEST = 15 };
    uint64_t number, thread, u, off = p->off, have;
    uint16_t special;
    if (!prcb_field(d, p, KDBG_PRCB_NUMBER, 4, &number))
        return false;
    if (p->va && !dfr_space_at(&d->memory, p->va, &off, &have))
        off = 0;
    uint32_t row = dfr_facts_row(d->facts, DFR_T_CPUS);
    if (row == UINT32_MAX)
        return false;
    bool is_crashing = crashing >= 0 && number == (uint64_t)crashing;
    uint32_t place = dfr_facts_place(d->facts, (struct dfr_place){off, off + 1, 0, p->va});
    dfr_dump_cell(d, DFR_F_CPUS_ID, row, dfr_v_int((int64_t)number), place);
    if (p->va)
        dfr_dump_cell(d, DFR_F_CPUS_PRCB, row, dfr_v_addr(p->va), place);
    if (prcb_field(d, p, KDBG_PRCB_THREAD, 8, &thread) && thread) {
        dfr_dump_cell(d, DFR_F_CPUS_THREAD, row, dfr_v_addr(thread), place);
        if (prcb_field(d, p, KDBG_PRCB_IDLE, 8, &u) && u)
            dfr_dump_cell(d, DFR_F_CPUS_IDLE, row, dfr_v_bool(u == thread), place);
    }
    if (d->file.machine == DFR_MACHINE_X64 && prcb_u64(d, p, NEXT_THREAD, &u))
        dfr_dump_cell(d, DFR_F_CPUS_NEXT_THREAD, row, dfr_v_addr(u), place);
    if (prcb_field(d, p, KDBG_PRCB_DPC, 1, &u) && u <= 1)
        dfr_dump_cell(d, DFR_F_CPUS_DPC_ACTIVE, row, dfr_v_bool(u != 0), place);
    if (is_crashing && d->file.machine == DFR_MACHINE_X64 &&
        dfr_kdbg_u16(d, KDBG_PRCB_SPECIAL, &special) && special &&
        prcb_u64(d, p, (uint64_t)special + CR8, &u) && u <= HIGHEST)
        dfr_dump_cell(d, DFR_F_CPUS_IRQL, row, dfr_v_int((int64_t)u), place);
    freeze_state(d, p, row, is_crashing, place);
    return true;
}

/* Every processor, where the dump holds them: the addresses stand in an array of the kernel. */
static bool all_processors(struct dfr_dump *d, int64_t crashing)
{
    uint64_t array, count, va;
    if (!dfr_kdbg_u64(d, KDBG_PROCESSORS, &array) || !(array >> 63) ||
        !dfr_container_field(&d->file, DFR_HEADER_PROCESSORS, &count) || !count ||
        count > DFR_LIMIT_DUMP_PROCESSORS || !dfr_space_u64(&d->memory, array, &va))
        return false;
    bool all = true;
    for (uint64_t i = 0; i < count; i++) {
        struct prcb p = {0};
        if (array > UINT64_MAX - 8 * i || !dfr_space_u64(&d->memory, array + 8 * i, &p.va) ||
            !(p.va >> 63) || !put_processor(d, &p, crashing))
            all = false;
    }
    return all;
}

static void processors(struct dfr_dump *d)
{
    struct dfr_rows *t = &d->facts->tables[DFR_T_CPUS];
    struct prcb own = {.off = dfr_triage_u32(d, DFR_TRIAGE_PRCB)};
    uint64_t u, count = 0;
    int64_t crashing = -1;
    t->reason = DFR_REASON_NOT_IN_DUMP;
    if (own.off && prcb_field(d, &own, KDBG_PRCB_NUMBER, 4, &u) &&
        dfr_container_field(&d->file, DFR_HEADER_PROCESSORS, &count) && u < count) {
        crashing = (int64_t)u;
        dfr_dump_put(d, DFR_F_CPU_CURRENT, dfr_v_int(crashing), own.off, own.off + 1);
    }
    if (own.off && prcb_field(d, &own, KDBG_PRCB_THREAD, 8, &u) && u >> 63)
        dfr_dump_put(d, DFR_F_THREAD_ADDRESS, dfr_v_addr(u), own.off, own.off + 1);
    if (all_processors(d, crashing)) {
        t->complete = true;
        t->reason = DFR_REASON_NONE;
    } else if (!t->n && crashing >= 0) {
        (void)put_processor(d, &own, crashing);
        t->complete = count == 1 && t->n == 1;
        t->reason = t->complete ? DFR_REASON_NONE : DFR_REASON_NOT_IN_DUMP;
    }
    uint16_t off;
    uint8_t vendor[12];
    if (own.off && prcb_field(d, &own, KDBG_PRCB_MHZ, 4, &u) && u && u < 100000)
        dfr_dump_put(d, DFR_F_MACHINE_CPU_MHZ, dfr_v_int((int64_t)u), own.off, own.off + 1);
    if (own.off && d->file.machine == DFR_MACHINE_X64 && dfr_kdbg_u16(d, KDBG_PRCB_VENDOR, &off) &&
        off && prcb_copy(d, &own, off, vendor, sizeof vendor)) {
        for (size_t i = 0; i < sizeof vendor; i++)
            if (vendor[i] < ' ' || vendor[i] > '~')
                return;
        struct dfr_str s = {dfr_arena_copy(d->arena, vendor, sizeof vendor), sizeof vendor};
        dfr_dump_put(d, DFR_F_MACHINE_CPU_VENDOR, dfr_v_str(s), own.off + off,
                     own.off + off + sizeof vendor);
    }
}

/* The crashing thread's stack and process: copies that the dump's header points to. */
static void thread_and_process(struct dfr_dump *d)
{
    enum { NAME_BYTES = 15 };
    uint64_t thread = dfr_triage_u32(d, DFR_TRIAGE_THREAD);
    uint64_t process = dfr_triage_u32(d, DFR_TRIAGE_PROCESS), limit, base;
    uint32_t limit_at, base_at, name_at = known_offset(d, NAME);
    if (thread && dfr_span_u32le(d->kdbg, KDBG_STACK_LIMIT, &limit_at) && limit_at &&
        dfr_span_u32le(d->kdbg, KDBG_STACK_BASE, &base_at) && base_at &&
        dfr_bytes_u64(d->bytes, thread + limit_at, &limit) &&
        dfr_bytes_u64(d->bytes, thread + base_at, &base) && limit >> 63 && base > limit) {
        dfr_dump_put(d, DFR_F_THREAD_STACK_LIMIT, dfr_v_addr(limit), thread + limit_at,
                     thread + limit_at + 8);
        dfr_dump_put(d, DFR_F_THREAD_STACK_BASE, dfr_v_addr(base), thread + base_at,
                     thread + base_at + 8);
    }
    uint8_t name[NAME_BYTES];
    if (!process)
        return;
    if (!name_at || !dfr_bytes_copy(d->bytes, process + name_at, name, sizeof name)) {
        dfr_dump_put(
            d, DFR_F_THREAD_PROCESS,
            dfr_v_unknown(DFR_KIND_STR, name_at ? DFR_REASON_DAMAGED : DFR_REASON_NEEDS_TYPES),
            process, process + 1);
        return;
    }
    size_t len = 0;
    while (len < sizeof name && name[len] >= ' ' && name[len] <= '~')
        len++;
    if (len && (len == sizeof name || !name[len]))
        dfr_dump_put(d, DFR_F_THREAD_PROCESS,
                     dfr_v_str((struct dfr_str){dfr_arena_copy(d->arena, name, len), len}),
                     process + name_at, process + name_at + len);
}

/* The flags of Driver Verifier are the first word of its data; no flags, no checks. Observed off. */
static void verifier(struct dfr_dump *d)
{
    uint64_t va;
    uint32_t flags;
    if (!dfr_kdbg_u64(d, KDBG_VERIFIER, &va) || !(va >> 63))
        return;
    if (!dfr_space_u32(&d->memory, va, &flags)) {
        dfr_dump_put_va(d, DFR_F_VERIFIER_FLAGS,
                        dfr_v_unknown(DFR_KIND_ADDR, DFR_REASON_NOT_CAPTURED), va, 4);
        dfr_dump_put_va(d, DFR_F_VERIFIER_ENABLED,
                        dfr_v_unknown(DFR_KIND_BOOL, DFR_REASON_NOT_CAPTURED), va, 4);
        return;
    }
    dfr_dump_put_va(d, DFR_F_VERIFIER_FLAGS, dfr_v_addr(flags), va, 4);
    dfr_dump_put_va(d, DFR_F_VERIFIER_ENABLED, dfr_v_bool(flags != 0), va, 4);
}

/* 19041.1.amd64fre.vb_release.191206-1406 */
static void build_lab(struct dfr_dump *d)
{
    enum { MOST = 96 };
    uint64_t va, off, have;
    char text[MOST];
    if (!dfr_kdbg_u64(d, KDBG_BUILD_LAB, &va) || !(va >> 63))
        return;
    if (!dfr_space_at(&d->memory, va, &off, &have)) {
        dfr_dump_put_va(d, DFR_F_OS_VERSION, dfr_v_unknown(DFR_KIND_STR, DFR_REASON_NOT_CAPTURED),
                        va, 1);
        return;
    }
    size_t n = have < MOST ? (size_t)have : MOST, len = 0;
    if (!dfr_bytes_copy(d->bytes, off, text, n))
        return;
    while (len < n && text[len] > ' ' && text[len] <= '~')
        len++;
    if (len && len < n && !text[len])
        dfr_dump_put_va(d, DFR_F_OS_VERSION,
                        dfr_v_str((struct dfr_str){dfr_arena_copy(d->arena, text, len), len}), va,
                        len);
}

void dfr_dump_kernel(struct dfr_dump *d)
{
    if (!d->kdbg.len) {
        d->facts->tables[DFR_T_CPUS].reason = DFR_REASON_DAMAGED;
        return;
    }
    processors(d);
    thread_and_process(d);
    verifier(d);
    build_lab(d);
}
