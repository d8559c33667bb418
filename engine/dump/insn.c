/* The instruction at the fault: decoded from the captured code, with the addresses that it touches.
 *
 * And whether it can have produced the fault that was reported. That is decided only where nothing
 * else could have: instructions of a short list, whose every access is an operand; registers from
 * the context of the fault; an exception that the processor raised, not software. Everything else
 * stays unknown. */
#include <capstone/capstone.h>
#include <string.h>

#include "base/limits.h"
#include "dump/triage.h"

enum { LONGEST = 15, OPERANDS = 8, PADDING = 0xCC };

struct insn {
    uint64_t ip;
    uint8_t bytes[LONGEST];
    uint32_t len;
    const cs_x86 *x86; /* NULL: not decoded, or another architecture */
    uint32_t id;
    uint32_t row, place;
};

/* Instructions that touch memory through their explicit operands alone, and do what the operand
 * says: no stack, no string, no table of the processor, no address from a bit number. */
static const uint32_t plain[] = {
    X86_INS_ADC, X86_INS_ADD,  X86_INS_AND,    X86_INS_CMP,   X86_INS_DEC,   X86_INS_IMUL,
    X86_INS_INC, X86_INS_LEA,  X86_INS_MOV,    X86_INS_MOVSX, X86_INS_MOVZX, X86_INS_MOVSXD,
    X86_INS_NEG, X86_INS_NOT,  X86_INS_OR,     X86_INS_ROL,   X86_INS_ROR,   X86_INS_SAR,
    X86_INS_SBB, X86_INS_SHL,  X86_INS_SHR,    X86_INS_SUB,   X86_INS_TEST,  X86_INS_XADD,
    X86_INS_XOR, X86_INS_XCHG, X86_INS_CMPXCHG};

static bool one_of(uint32_t id, const uint32_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == id)
            return true;
    return false;
}

static bool register_value(const struct dfr_dump *d, const char *name, uint64_t *ret)
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

/* Address of a memory operand; false when a register of it is not known, or has another width. The
 * registers that a trap frame does not hold are not among the facts. */
static bool operand_address(const struct dfr_dump *d, csh cs, const struct insn *in,
                            const x86_op_mem *m, uint64_t *ret)
{
    uint64_t sum = (uint64_t)m->disp, u;
    if (m->segment == X86_REG_FS || m->segment == X86_REG_GS || in->x86->addr_size != 8)
        return false;
    if (m->base == X86_REG_RIP)
        sum += in->ip + in->len;
    else if (m->base != X86_REG_INVALID) {
        if (!register_value(d, cs_reg_name(cs, m->base), &u))
            return false;
        sum += u;
    }
    if (m->index != X86_REG_INVALID && m->index != X86_REG_RIZ) {
        if (!register_value(d, cs_reg_name(cs, m->index), &u))
            return false;
        sum += u * (uint64_t)m->scale;
    }
    *ret = sum;
    return true;
}

static bool canonical(uint64_t a)
{
    return a + (UINT64_C(1) << 47) < UINT64_C(1) << 48;
}

/* Registers of general use: those of segments, control and vectors fault for reasons of their own. */
static bool general(csh cs, uint32_t reg)
{
    const char *n = cs_reg_name(cs, reg);
    static const char *const other[] = {"cs", "ds", "es", "fs", "gs", "ss", "cr", "dr",
                                        "xm", "ym", "zm", "st", "mm", "tr", "bn", "k"};
    for (size_t i = 0; n && i < sizeof other / sizeof *other; i++)
        if (!strncmp(n, other[i], strlen(other[i])))
            return false;
    return n != NULL;
}

static bool is_plain(csh cs, const struct insn *in)
{
    if (!one_of(in->id, plain, sizeof plain / sizeof *plain))
        return false;
    for (uint8_t i = 0; i < in->x86->op_count && i < OPERANDS; i++)
        if (in->x86->operands[i].type == X86_OP_REG && !general(cs, in->x86->operands[i].reg))
            return false;
    return true;
}

/* What the exception was, as the dump reports it. */
struct report {
    bool page_fault; /* the processor told the address */
    bool protection; /* it told none: all ones stand for it */
    uint64_t address;
};

/* Software raises exceptions through a function of the kernel: the context then stands behind a call
 * that leaves the image. */
static bool behind_raise(const struct dfr_dump *d, uint64_t ip)
{
    uint8_t b[6];
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
    const struct dfr_image *from = dfr_dump_image_at(d, ip), *to = dfr_dump_image_at(d, target);
    return !from || from != to;
}

static uint64_t header(const struct dfr_dump *d, enum dfr_header_field field)
{
    uint64_t u = 0;
    return dfr_container_field(&d->file, field, &u) ? u : 0;
}

/* A record of an access violation, and whether it holds what the processor told. */
static struct report violation(const struct dfr_dump *d, uint64_t ip, uint64_t address)
{
    struct report r = {0};
    if (behind_raise(d, ip))
        return r;
    r.protection = address == UINT64_MAX;
    r.page_fault = !r.protection;
    r.address = address;
    return r;
}

static struct report reported(const struct dfr_dump *d, uint64_t ip)
{
    enum { FLAGS = 4, AT = 0x10, COUNT = 0x18, WHERE = 0x28, SOFTWARE = 0x80 };
    const uint32_t access_violation = 0xC0000005;
    uint64_t va = header(d, DFR_HEADER_ARG3), at, where;
    uint32_t code, flags, count;
    struct report none = {0};
    switch (dfr_bugcheck_code((uint32_t)header(d, DFR_HEADER_CODE))) {
    case 0x0A:
    case 0x50:
    case 0xD1:
        return (struct report){.page_fault = true, .address = header(d, DFR_HEADER_ARG1)};
    case 0x1E:
        if ((uint32_t)header(d, DFR_HEADER_ARG1) != access_violation || !header(d, DFR_HEADER_ARG4))
            return none;
        return violation(d, ip, header(d, DFR_HEADER_ARG4));
    case 0x7E:
        if (!dfr_space_u32(&d->memory, va, &code) || code != access_violation ||
            !dfr_space_u32(&d->memory, va + FLAGS, &flags) || (flags & SOFTWARE) ||
            !dfr_space_u64(&d->memory, va + AT, &at) || at != ip ||
            !dfr_space_u32(&d->memory, va + COUNT, &count) || count != 2 ||
            !dfr_space_u64(&d->memory, va + WHERE, &where))
            return none;
        return violation(d, ip, where);
    default:
        return none;
    }
}

static void put(struct dfr_dump *d, uint32_t field, bool b, uint64_t va, uint64_t len)
{
    dfr_dump_put_va(d, field, dfr_v_bool(b), va, len);
}

static void consistency(struct dfr_dump *d, csh cs, const struct insn *in)
{
    struct report r = reported(d, in->ip);
    if (r.page_fault || r.protection)
        put(d, DFR_F_FAULT_NO_ADDRESS, r.protection, in->ip, in->len);
    if ((!r.page_fault && !r.protection) || !is_plain(cs, in))
        return;
    bool touches = false, outside = false;
    for (uint8_t i = 0; i < in->x86->op_count && i < OPERANDS; i++) {
        const cs_x86_op *op = &in->x86->operands[i];
        uint64_t address, last;
        if (op->type != X86_OP_MEM || in->id == X86_INS_LEA)
            continue;
        if (!op->size || !operand_address(d, cs, in, &op->mem, &address))
            return;
        last = address + op->size - 1;
        touches |= r.page_fault && r.address - address < op->size;
        outside |= !canonical(address) || !canonical(last) || last < address;
    }
    /* The processor also reads the instruction itself. */
    bool fetch = r.page_fault && r.address - in->ip < LONGEST;
    put(d, DFR_F_FAULT_CONSISTENT, fetch || (r.page_fault ? touches : outside), in->ip, in->len);
}

/* Between functions compilers put breakpoints. One that stands behind another is never reached: who
 * would run it would have stopped at the one before. */
static void padding(struct dfr_dump *d, const struct insn *in)
{
    uint8_t before;
    if (!dfr_space_u8(&d->memory, in->ip - 1, &before))
        return;
    bool inside = before == PADDING && in->bytes[0] == PADDING;
    dfr_dump_put_va(d, DFR_F_FAULT_IN_PADDING, dfr_v_bool(inside), in->ip - 1, 2);
}

/* The feature that an instruction came with, as a bit of ecx of CPUID leaf 1. Instructions of AVX2
 * need AVX and more. Source: processor manuals. */
static int feature(const struct insn *in, const cs_detail *detail, bool *ret_enough)
{
    static const struct {
        uint8_t group, bit;
        bool enough;
    } features[] = {
        {X86_GRP_AVX2, 28, false}, {X86_GRP_AVX, 28, true},  {X86_GRP_FMA, 12, true},
        {X86_GRP_F16C, 29, true},  {X86_GRP_AES, 25, true},  {X86_GRP_SSE42, 20, true},
        {X86_GRP_SSE41, 19, true}, {X86_GRP_SSSE3, 9, true}, {X86_GRP_SSE3, 0, true},
    };
    *ret_enough = true;
    switch (in->id) {
    case X86_INS_POPCNT:
        return 23;
    case X86_INS_CRC32:
        return 20;
    case X86_INS_MOVBE:
        return 22;
    case X86_INS_RDRAND:
        return 30;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        for (uint8_t k = 0; k < detail->groups_count; k++)
            if (detail->groups[k] == features[i].group) {
                *ret_enough = features[i].enough;
                return features[i].bit;
            }
    return -1;
}

static void lacking(struct dfr_dump *d, const struct insn *in, const cs_detail *detail)
{
    bool enough;
    uint32_t ecx;
    int bit = feature(in, detail, &enough);
    if (bit < 0 || !dfr_dump_cpuid_ecx(d, 1, &ecx))
        return;
    bool has = ecx >> bit & 1;
    if (!has || enough)
        put(d, DFR_F_FAULT_CPU_LACKS, !has, in->ip, in->len);
}

static void cell(struct dfr_dump *d, const struct insn *in, uint32_t column, struct dfr_value v)
{
    dfr_dump_cell(d, column, in->row, v, in->place);
}

static struct dfr_str copy(struct dfr_dump *d, const void *p, size_t len)
{
    return (struct dfr_str){dfr_arena_copy(d->arena, p, len), len};
}

/* The one memory operand of a plain instruction: where it points, and what is done there. */
static void put_operand(struct dfr_dump *d, csh cs, const struct insn *in)
{
    static const uint32_t reads[] = {X86_INS_CMP, X86_INS_TEST};
    static const uint32_t moves[] = {X86_INS_MOV};
    for (uint8_t i = 0; i < in->x86->op_count && i < OPERANDS; i++) {
        const cs_x86_op *op = &in->x86->operands[i];
        uint64_t address;
        if (op->type != X86_OP_MEM || !is_plain(cs, in) || in->id == X86_INS_LEA)
            continue;
        bool both = in->id == X86_INS_XCHG || in->id == X86_INS_XADD || in->id == X86_INS_CMPXCHG;
        if (!both && (i > 0 || one_of(in->id, reads, sizeof reads / sizeof *reads)))
            cell(d, in, DFR_F_INSNS_ACCESS, dfr_v_enum(DFR_E_ACCESS, DFR_ACCESS_READ));
        else if (one_of(in->id, moves, sizeof moves / sizeof *moves))
            cell(d, in, DFR_F_INSNS_ACCESS, dfr_v_enum(DFR_E_ACCESS, DFR_ACCESS_WRITE));
        if (operand_address(d, cs, in, &op->mem, &address))
            cell(d, in, DFR_F_INSNS_ADDRESS, dfr_v_addr(address));
    }
}

static void decode(struct dfr_dump *d, struct insn *in, uint32_t have, bool registers)
{
    csh cs;
    cs_insn *i = NULL;
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &cs) != CS_ERR_OK)
        return;
    size_t n = cs_option(cs, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK
                   ? cs_disasm(cs, in->bytes, have, in->ip, 1, &i)
                   : 0;
    if (n == 1 && i->detail) {
        in->len = i->size;
        in->id = i->id;
        in->x86 = &i->detail->x86;
        struct dfr_value bytes = dfr_v_str(copy(d, in->bytes, in->len));
        bytes.kind = DFR_KIND_BYTES;
        cell(d, in, DFR_F_INSNS_BYTES, bytes);
        cell(d, in, DFR_F_INSNS_MNEMONIC,
             dfr_v_str(copy(d, i->mnemonic, strnlen(i->mnemonic, sizeof i->mnemonic))));
        cell(d, in, DFR_F_INSNS_OPERANDS,
             dfr_v_str(copy(d, i->op_str, strnlen(i->op_str, sizeof i->op_str))));
        lacking(d, in, i->detail);
        if (registers) {
            put_operand(d, cs, in);
            consistency(d, cs, in);
        }
    }
    if (n)
        cs_free(i, n);
    (void)cs_close(&cs);
}

void dfr_dump_insn(struct dfr_dump *d, uint64_t ip, bool registers)
{
    struct insn in = {.ip = ip};
    uint32_t have = 0;
    uint64_t off = 0, len;
    if (d->file.machine != DFR_MACHINE_X64 || !(ip >> 63))
        return;
    while (have < LONGEST && dfr_space_u8(&d->memory, ip + have, &in.bytes[have]))
        have++;
    if (!have) {
        d->facts->tables[DFR_T_INSNS].reason = DFR_REASON_NOT_CAPTURED;
        return;
    }
    (void)dfr_space_at(&d->memory, ip, &off, &len);
    in.place = dfr_facts_place(d->facts, (struct dfr_place){off, off + have, 0, ip});
    in.row = dfr_facts_row(d->facts, DFR_T_INSNS);
    cell(d, &in, DFR_F_INSNS_ADDR, dfr_v_addr(ip));
    cell(d, &in, DFR_F_INSNS_UNREADABLE, dfr_v_bool(false));
    padding(d, &in);
    decode(d, &in, have, registers);
}
