/* The faulting context of a dump: registers, and the exception record.
 *
 * The context in the dump's header is that of the bug check, not of the fault, unless the bug check
 * itself carries a context. So, best first: the context record that a parameter points to; the
 * header's, when it stands at the faulting instruction; the trap frame that a parameter points to or
 * that lies on the stack. Without any the registers of the fault stay unknown. */
#include "base/limits.h"
#include "dump/triage.h"

enum record { X64, TRAP, ARM64 };
enum {
    X64_BYTES = 0x4D0,
    ARM64_BYTES = 0x390,
    TRAP_BYTES = 0x190,
    TRAP_RIP = 0x168,
    TRAP_CS = 0x170,
    TRAP_RSP = 0x180,
    TRAP_SS = 0x188,
};

static const struct {
    enum record record;
    uint16_t off, size;
    struct dfr_str name;
} regs[] = {
#define REG(record, name, off, size) {record, (off), (size), {(name), sizeof(name) - 1}},
#include "dump/regs.def"
#undef REG
};

/* Parameters (1 to 4, 0: none) of bug checks that say where the fault was. */
enum encoding { NONE, BITS, DRIVER, FAULT, ZERO_ONE, EXCEPTION, READ, WRITE, EXECUTE, DOUBLE };
struct trap_arg {
    uint32_t code;
    uint8_t ip, frame, context;
};
static const struct trap_arg trap_args[] = {
#define TRAP_ARG(code, ip, address, access, encoding, irql, exception, frame, context)             \
    {code, ip, frame, context},
#include "facts/trap_arg.def"
#undef TRAP_ARG
};

static uint64_t argument(const struct dfr_dump *d, unsigned number)
{
    uint64_t u = 0;
    return number && dfr_container_field(&d->file, DFR_HEADER_ARG1 + number - 1, &u) ? u : 0;
}

static struct trap_arg trap_arg(const struct dfr_dump *d)
{
    uint64_t code;
    if (dfr_container_field(&d->file, DFR_HEADER_CODE, &code))
        for (size_t i = 0; i < sizeof trap_args / sizeof *trap_args; i++)
            if (trap_args[i].code == dfr_bugcheck_code((uint32_t)code))
                return trap_args[i];
    return (struct trap_arg){0};
}

static uint64_t word(struct dfr_span s, uint64_t off, uint32_t size)
{
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    if (size == 2)
        return dfr_span_u16le(s, off, &u16) ? u16 : 0;
    if (size == 4)
        return dfr_span_u32le(s, off, &u32) ? u32 : 0;
    return dfr_span_u64le(s, off, &u64) ? u64 : 0;
}

/* A context record whose flags name its processor and hold control registers. */
static bool plausible(const struct dfr_dump *d, struct dfr_span s)
{
    bool x64 = d->file.machine == DFR_MACHINE_X64;
    uint32_t machine = x64 ? 0x100000 : 0x400000;
    uint32_t flags = (uint32_t)word(s, x64 ? 0x30 : 0, 4);
    return (flags & machine) && (flags & 1);
}

static void put_reg(struct dfr_dump *d, struct dfr_str name, uint64_t value, uint32_t place)
{
    uint32_t row = dfr_facts_row(d->facts, DFR_T_REGS);
    struct dfr_value n = dfr_v_str(name), v = dfr_v_addr(value);
    n.trust = v.trust = DFR_TRUST_BINARY;
    n.place = v.place = place;
    dfr_facts_cell(d->facts, DFR_F_REGS_NAME, row, n);
    dfr_facts_cell(d->facts, DFR_F_REGS_VALUE, row, v);
}

static void put_regs(struct dfr_dump *d, enum record record, struct dfr_span s, uint32_t place)
{
    static const char *const x[] = {"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",
                                    "x8",  "x9",  "x10", "x11", "x12", "x13", "x14", "x15",
                                    "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
                                    "x24", "x25", "x26", "x27", "x28"};
    for (size_t i = 0; record == ARM64 && i < sizeof x / sizeof *x; i++)
        put_reg(d, dfr_str_from(x[i]), word(s, 8 + 8 * i, 8), place);
    for (size_t i = 0; i < sizeof regs / sizeof *regs; i++)
        if (regs[i].record == record)
            put_reg(d, regs[i].name, word(s, regs[i].off, regs[i].size), place);
    struct dfr_value exact = dfr_v_bool(record != TRAP);
    exact.trust = DFR_TRUST_BINARY;
    exact.place = place;
    (void)dfr_facts_set(d->facts, DFR_F_TRAP_REGS_EXACT, exact);
}

static struct dfr_fault fault_of(const struct dfr_dump *d, struct dfr_span s, bool is_fault,
                                 uint32_t place)
{
    bool x64 = d->file.machine == DFR_MACHINE_X64;
    return (struct dfr_fault){.ip = word(s, x64 ? 0xF8 : 0x108, 8),
                              .sp = word(s, x64 ? 0x98 : 0x100, 8),
                              .known = true,
                              .is_fault = is_fault,
                              .place = place};
}

static uint32_t place_of(struct dfr_dump *d, uint64_t va, uint64_t off, uint64_t len)
{
    uint64_t have;
    if (va && !dfr_space_at(&d->memory, va, &off, &have))
        off = 0;
    return dfr_facts_place(d->facts, (struct dfr_place){off, off + len, 0, va});
}

/* A trap frame at an address: kernel code and stack segments, and a stack pointer above it. */
static bool frame_at(struct dfr_dump *d, uint64_t va, uint64_t ip, uint8_t *buf)
{
    struct dfr_span s = {buf, TRAP_BYTES};
    if (!(va >> 63) || !dfr_space_copy(&d->memory, va, buf, TRAP_BYTES))
        return false;
    uint64_t cs = word(s, TRAP_CS, 2), ss = word(s, TRAP_SS, 2), sp = word(s, TRAP_RSP, 8);
    return word(s, TRAP_RIP, 8) == (ip ? ip : word(s, TRAP_RIP, 8)) && cs == 0x10 &&
           (ss == 0x18 || ss == 0) && sp > va && word(s, TRAP_RIP, 8) >> 63;
}

/* The frame of the fault on the captured stack, found by the faulting instruction in its place. The
 * only one, or none: two would be two traps at one instruction. */
static uint64_t find_frame(struct dfr_dump *d, uint64_t ip, uint8_t *buf)
{
    uint64_t low = dfr_triage_u64(d, DFR_TRIAGE_STACK_TOP), found = 0;
    uint64_t size = dfr_triage_u32(d, DFR_TRIAGE_STACK_SIZE);
    if (size > DFR_LIMIT_DUMP_STACK_BYTES)
        size = DFR_LIMIT_DUMP_STACK_BYTES;
    if (!ip || !(low >> 63) || low > UINT64_MAX - size)
        return 0;
    for (uint64_t at = 0; at + TRAP_BYTES <= size; at += 8) {
        uint64_t u;
        if (!dfr_space_u64(&d->memory, low + at + TRAP_RIP, &u))
            break;
        if (u != ip || !frame_at(d, low + at, ip, buf))
            continue;
        if (found)
            return 0;
        found = low + at;
    }
    return found && frame_at(d, found, ip, buf) ? found : 0;
}

/* The exception record of 7E: code, then at 18h the number of parameters, at 20h the parameters: of
 * an access violation what it wanted and where. All ones is what Windows reports for an address that
 * the processor did not tell. Documented. */
static void exception_record(struct dfr_dump *d, uint64_t va)
{
    enum { COUNT = 0x18, WANTED = 0x20, WHERE = 0x28 };
    const uint32_t access_violation = 0xC0000005, in_page_error = 0xC0000006;
    uint32_t code, count;
    uint64_t wanted, where;
    if (!(va >> 63) || !dfr_space_u32(&d->memory, va, &code) ||
        (code != access_violation && code != in_page_error) ||
        !dfr_space_u32(&d->memory, va + COUNT, &count) || count < 2 ||
        !dfr_space_u64(&d->memory, va + WANTED, &wanted) ||
        !dfr_space_u64(&d->memory, va + WHERE, &where))
        return;
    if (wanted == 0 || wanted == 1 || wanted == 8) {
        uint32_t access = wanted == 0   ? DFR_ACCESS_READ
                          : wanted == 1 ? DFR_ACCESS_WRITE
                                        : DFR_ACCESS_EXECUTE;
        dfr_dump_put_va(d, DFR_F_TRAP_ACCESS, dfr_v_enum(DFR_E_ACCESS, access), va + WANTED, 8);
    }
    if (where != UINT64_MAX)
        dfr_dump_put_va(d, DFR_F_TRAP_ADDRESS, dfr_v_addr(where), va + WHERE, 8);
}

uint64_t dfr_dump_fault_ip(const struct dfr_dump *d)
{
    return argument(d, trap_arg(d).ip);
}

struct dfr_fault dfr_dump_fault(struct dfr_dump *d)
{
    bool x64 = d->file.machine == DFR_MACHINE_X64;
    size_t len = x64 ? X64_BYTES : ARM64_BYTES;
    enum { IN_HEADER = 0x348 };
    uint8_t buf[X64_BYTES], frame[TRAP_BYTES];
    struct trap_arg t = trap_arg(d);
    uint64_t at = argument(d, t.context), ip = argument(d, t.ip), code = 0;
    struct dfr_span s = {buf, len};
    struct dfr_fault fault = {0};
    if (dfr_container_field(&d->file, DFR_HEADER_CODE, &code) &&
        dfr_bugcheck_code((uint32_t)code) == 0x7E)
        exception_record(d, argument(d, 3));

    if (at >> 63 && dfr_space_copy(&d->memory, at, buf, len) && plausible(d, s)) {
        fault = fault_of(d, s, true, place_of(d, at, 0, len));
        put_regs(d, x64 ? X64 : ARM64, s, fault.place);
        return fault;
    }
    uint64_t off = dfr_triage_u32(d, DFR_TRIAGE_CONTEXT);
    if (!off)
        off = IN_HEADER;
    if (dfr_bytes_copy(d->bytes, off, buf, len) && plausible(d, s)) {
        fault = fault_of(d, s, false, place_of(d, 0, off, len));
        fault.is_fault = ip && fault.ip == ip;
        if (fault.is_fault) {
            put_regs(d, x64 ? X64 : ARM64, s, fault.place);
            return fault;
        }
    }
    uint64_t va = x64 ? argument(d, t.frame) : 0;
    s = (struct dfr_span){frame, TRAP_BYTES};
    if (x64 && !(va && frame_at(d, va, 0, frame)))
        va = find_frame(d, ip, frame);
    if (va) {
        uint32_t place = place_of(d, va, 0, TRAP_BYTES);
        put_regs(d, TRAP, s, place);
        dfr_dump_put_va(d, DFR_F_TRAP_FRAME_ADDRESS, dfr_v_addr(va), va, TRAP_BYTES);
        return (struct dfr_fault){word(s, TRAP_RIP, 8), word(s, TRAP_RSP, 8), true, true, place};
    }
    d->facts->tables[DFR_T_REGS].reason = DFR_REASON_NOT_CAPTURED;
    return fault;
}
