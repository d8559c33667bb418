/* The instruction at the fault: decoded from the captured code, with the addresses that it touches.
 *
 * And whether it can have produced the fault that was reported. That is decided only where nothing
 * else could have: instructions of a short list, whose every access is an operand; registers from
 * the context of the fault; an exception that the processor raised, not software. Everything else
 * stays unknown. */
#include "dump/insn.h"

#include <string.h>

#include "base/limits.h"

enum { PADDING = 0xCC };

bool dfr_insn_register(const struct dfr_dump *d, const char *name, uint64_t *ret)
{
    for (uint32_t i = 0; name && i < d->facts->tables[DFR_T_REGS].n; i++) {
        const struct dfr_value *n = dfr_facts_at(d->facts, DFR_F_REGS_NAME, i);
        const struct dfr_value *v = dfr_facts_at(d->facts, DFR_F_REGS_VALUE, i);
        if (n->state == DFR_KNOWN && v->state == DFR_KNOWN &&
            dfr_str_eq(dfr_value_str(n), dfr_str_from(name))) {
            *ret = v->as.u;
            return true;
        }
    }
    return false;
}

/* What the processor takes for an address at all; 32-bit ones all are. */
static bool canonical(const struct dfr_dump *d, uint64_t a)
{
    return d->file.machine != DFR_MACHINE_X64 || a + (UINT64_C(1) << 47) < UINT64_C(1) << 48;
}

/* What the exception was, as the dump reports it. */
struct report {
    bool page_fault; /* the processor told the address */
    bool protection; /* it told none: all ones stand for it */
    uint64_t address;
};

/* Software raises exceptions through a function of the kernel: the context then stands behind a call
 * that leaves the image. */
static bool behind_raise(struct dfr_dump *d, uint64_t ip)
{
    uint8_t b[6];
    if (d->file.machine == DFR_MACHINE_ARM64)
        return dfr_code_after_call(d, ip) != 0;
    if (!dfr_space_copy(&d->memory, ip - sizeof b, b, sizeof b))
        return true;
    /* Calls through memory or a register, of 6, 3 and 2 bytes. */
    for (size_t i = 0; i < sizeof b - 1; i++)
        if (b[i] == 0xFF && (b[i + 1] & 0x38) == 0x10 && (i == 0 || i == 3 || i == 4))
            return true;
    if (b[1] != 0xE8)
        return false;
    uint32_t rel = b[2] | (uint32_t)b[3] << 8 | (uint32_t)b[4] << 16 | (uint32_t)b[5] << 24;
    uint64_t target = ip + rel - ((uint64_t)(rel >> 31) << 32);
    if (dfr_dump_pointer_bytes(d) == 4)
        target = (uint32_t)target;
    const struct dfr_image *from = dfr_dump_image_at(d, ip), *to = dfr_dump_image_at(d, target);
    return !from || from != to;
}

/* A record of an access violation, and whether it holds what the processor told. */
static struct report violation(struct dfr_dump *d, uint64_t ip, uint64_t address)
{
    struct report r = {0};
    if (behind_raise(d, ip))
        return r;
    uint64_t none = dfr_dump_pointer_bytes(d) == 4 ? UINT32_MAX : UINT64_MAX;
    r.protection = address == none && d->file.machine != DFR_MACHINE_ARM64;
    r.page_fault = !r.protection;
    r.address = address;
    return r;
}

/* The exception record of 7E, whose fields stand further apart the wider pointers are. */
static struct report recorded(struct dfr_dump *d, uint64_t ip)
{
    const uint32_t access_violation = 0xC0000005, software = 0x80;
    uint64_t va = dfr_dump_arg(d, 3), at, where;
    uint64_t word = dfr_dump_pointer_bytes(d), count_at = 8 + 2 * word;
    uint64_t first = (count_at + 4 + word - 1) / word * word;
    uint32_t code, flags, count;
    struct report none = {0};
    if (!dfr_dump_is_kernel(d, va) || !dfr_space_u32(&d->memory, va, &code) ||
        code != access_violation || !dfr_space_u32(&d->memory, va + 4, &flags) ||
        (flags & software) || !dfr_dump_pointer(d, va + 8 + word, &at) || at != ip ||
        !dfr_space_u32(&d->memory, va + count_at, &count) || count != 2 ||
        !dfr_dump_pointer(d, va + first + word, &where))
        return none;
    return violation(d, ip, where);
}

static struct report reported(struct dfr_dump *d, uint64_t ip)
{
    const uint32_t access_violation = 0xC0000005;
    struct report none = {0};
    switch (dfr_dump_code(d)) {
    case 0x0A:
    case 0x50:
    case 0xD1:
        return (struct report){.page_fault = true, .address = dfr_dump_arg(d, 1)};
    case 0x1E:
        if ((uint32_t)dfr_dump_arg(d, 1) != access_violation || !dfr_dump_arg(d, 4))
            return none;
        return violation(d, ip, dfr_dump_arg(d, 4));
    case 0x7E:
        return recorded(d, ip);
    default:
        return none;
    }
}

static void put(struct dfr_dump *d, uint32_t field, bool b, uint64_t va, uint64_t len)
{
    dfr_dump_put_va(d, field, dfr_v_bool(b), va, len);
}

static void consistency(struct dfr_dump *d, const struct dfr_insn *in)
{
    struct report r = reported(d, in->ip);
    if (r.page_fault || r.protection)
        put(d, DFR_F_FAULT_NO_ADDRESS, r.protection, in->ip, in->len);
    if ((!r.page_fault && !r.protection) || !in->plain)
        return;
    /* 32-bit processors refuse accesses for the limits of segments, which nobody sees here. */
    if (r.protection && d->file.machine != DFR_MACHINE_X64)
        return;
    bool touches = false, outside = false;
    for (uint32_t i = 0; i < in->accesses; i++) {
        const struct dfr_access *a = &in->access[i];
        if (!a->size || !a->known)
            return;
        uint64_t last = a->address + a->size - 1;
        touches |= r.page_fault && r.address - a->address < a->size;
        outside |= !canonical(d, a->address) || !canonical(d, last) || last < a->address;
    }
    /* The processor also reads the instruction itself. */
    bool fetch = r.page_fault && r.address - in->ip < DFR_INSN_LONGEST;
    put(d, DFR_F_FAULT_CONSISTENT, fetch || (r.page_fault ? touches : outside), in->ip, in->len);
}

/* The stack that a thread runs on is always in memory: within its limits no access is refused.
 * Documented (kernel stacks of running threads are resident). */
static void on_stack(struct dfr_dump *d, const struct dfr_insn *in)
{
    const struct dfr_value *limit = dfr_facts_scalar(d->facts, DFR_F_THREAD_STACK_LIMIT);
    const struct dfr_value *base = dfr_facts_scalar(d->facts, DFR_F_THREAD_STACK_BASE);
    if (!in->plain || !in->accesses || limit->state != DFR_KNOWN || base->state != DFR_KNOWN)
        return;
    bool all = true;
    for (uint32_t i = 0; i < in->accesses; i++) {
        const struct dfr_access *a = &in->access[i];
        if (!a->size || !a->known)
            return;
        all = all && a->address >= limit->as.u && a->address < base->as.u &&
              a->size <= base->as.u - a->address;
    }
    put(d, DFR_F_FAULT_ON_STACK, all, in->ip, in->len);
}

/* Between functions compilers put breakpoints. One that stands behind another is never reached: who
 * would run it would have stopped at the one before. */
static void padding(struct dfr_dump *d, uint64_t ip, uint8_t first)
{
    uint8_t before;
    if (d->file.machine == DFR_MACHINE_ARM64 || !dfr_space_u8(&d->memory, ip - 1, &before))
        return;
    bool inside = before == PADDING && first == PADDING;
    dfr_dump_put_va(d, DFR_F_FAULT_IN_PADDING, dfr_v_bool(inside), ip - 1, 2);
}

static void lacking(struct dfr_dump *d, const struct dfr_insn *in)
{
    uint32_t ecx;
    if (in->feature < 0 || !dfr_dump_cpuid_ecx(d, 1, &ecx))
        return;
    bool has = ecx >> in->feature & 1;
    if (!has || in->feature_enough)
        put(d, DFR_F_FAULT_CPU_LACKS, !has, in->ip, in->len);
}

/* The one memory operand of a plain instruction: where it points, and what is done there. Where no
 * operand is in memory there is no such address. */
static void put_operand(struct dfr_dump *d, const struct dfr_insn *in, uint32_t row, uint32_t place,
                        bool registers)
{
    if (!in->memory)
        dfr_dump_cell(d, DFR_F_INSNS_ADDRESS, row,
                      dfr_v_absent(DFR_KIND_ADDR, DFR_REASON_NOT_APPLICABLE), place);
    for (uint32_t i = 0; i < in->accesses; i++) {
        const struct dfr_access *a = &in->access[i];
        if (a->read != a->write)
            dfr_dump_cell(d, DFR_F_INSNS_ACCESS, row,
                          dfr_v_enum(DFR_E_ACCESS, a->read ? DFR_ACCESS_READ : DFR_ACCESS_WRITE),
                          place);
        if (a->known && registers)
            dfr_dump_cell(d, DFR_F_INSNS_ADDRESS, row, dfr_v_addr(a->address), place);
    }
}

static void put_insn(struct dfr_dump *d, const struct dfr_insn *in, const uint8_t *code,
                     uint32_t row, uint32_t place)
{
    struct dfr_value bytes =
        dfr_v_str((struct dfr_str){dfr_arena_copy(d->arena, code, in->len), in->len});
    bytes.kind = DFR_KIND_BYTES;
    dfr_dump_cell(d, DFR_F_INSNS_BYTES, row, bytes, place);
    dfr_dump_cell(d, DFR_F_INSNS_MNEMONIC, row, dfr_v_str(in->mnemonic), place);
    dfr_dump_cell(d, DFR_F_INSNS_OPERANDS, row, dfr_v_str(in->operands), place);
}

static void not_decoded(struct dfr_dump *d, uint32_t row, uint32_t place)
{
    static const uint32_t columns[] = {DFR_F_INSNS_MNEMONIC, DFR_F_INSNS_OPERANDS};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        dfr_dump_cell(d, columns[i], row, dfr_v_unknown(DFR_KIND_STR, DFR_REASON_NOT_UNDERSTOOD),
                      place);
}

void dfr_dump_insn(struct dfr_dump *d, uint64_t ip, bool registers)
{
    uint8_t code[DFR_INSN_LONGEST];
    struct dfr_insn in;
    uint32_t have = 0;
    if (d->file.machine == DFR_MACHINE_OTHER || !dfr_dump_is_kernel(d, ip))
        return;
    while (have < DFR_INSN_LONGEST && dfr_space_u8(&d->memory, ip + have, &code[have]))
        have++;
    if (!have) {
        d->facts->tables[DFR_T_INSNS].reason = (uint8_t)dfr_space_why(&d->memory, ip);
        return;
    }
    uint32_t place = dfr_dump_place(d, ip, have), row = dfr_facts_row(d->facts, DFR_T_INSNS);
    struct dfr_span bytes = {code, have};
    dfr_dump_cell(d, DFR_F_INSNS_ADDR, row, dfr_v_addr(ip), place);
    dfr_dump_cell(d, DFR_F_INSNS_UNREADABLE, row, dfr_v_bool(false), place);
    padding(d, ip, code[0]);
    if (!(d->file.machine == DFR_MACHINE_ARM64 ? dfr_insn_arm64(d, ip, bytes, &in)
                                               : dfr_insn_x86(d, ip, bytes, &in))) {
        not_decoded(d, row, place);
        return;
    }
    put_insn(d, &in, code, row, place);
    lacking(d, &in);
    put_operand(d, &in, row, place, registers);
    if (registers) {
        consistency(d, &in);
        on_stack(d, &in);
    }
}
