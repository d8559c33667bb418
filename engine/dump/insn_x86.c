/* x86 and x64 instructions, through capstone. */
#include "dump/insn.h"

#include <capstone/capstone.h>
#include <string.h>

#include "base/limits.h"

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

/* Address of a memory operand; false when a register of it is not known, or has another width. The
 * registers that a trap frame does not hold are not among the facts. */
static bool operand_address(const struct dfr_dump *d, csh cs, const cs_insn *in,
                            const x86_op_mem *m, uint64_t *ret)
{
    uint64_t sum = (uint64_t)m->disp, u;
    uint32_t bytes = dfr_dump_pointer_bytes(d);
    if (m->segment == X86_REG_FS || m->segment == X86_REG_GS || in->detail->x86.addr_size != bytes)
        return false;
    if (m->base == X86_REG_RIP)
        sum += in->address + in->size;
    else if (m->base != X86_REG_INVALID) {
        if (!dfr_insn_register(d, cs_reg_name(cs, m->base), &u))
            return false;
        sum += u;
    }
    if (m->index != X86_REG_INVALID && m->index != X86_REG_RIZ && m->index != X86_REG_EIZ) {
        if (!dfr_insn_register(d, cs_reg_name(cs, m->index), &u))
            return false;
        sum += u * (uint64_t)m->scale;
    }
    *ret = bytes == 4 ? (uint32_t)sum : sum;
    return true;
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

static bool is_plain(csh cs, const cs_insn *in)
{
    const cs_x86 *x = &in->detail->x86;
    if (!one_of(in->id, plain, sizeof plain / sizeof *plain))
        return false;
    for (uint8_t i = 0; i < x->op_count && i < DFR_INSN_OPERANDS; i++)
        if (x->operands[i].type == X86_OP_REG && !general(cs, x->operands[i].reg))
            return false;
    return true;
}

/* What a plain instruction does at its memory operand. */
static void put_access(const struct dfr_dump *d, csh cs, const cs_insn *in, uint8_t i,
                       struct dfr_insn *ret)
{
    static const uint32_t reads[] = {X86_INS_CMP, X86_INS_TEST};
    const cs_x86_op *op = &in->detail->x86.operands[i];
    bool both = in->id == X86_INS_XCHG || in->id == X86_INS_XADD || in->id == X86_INS_CMPXCHG;
    bool read = i > 0 || one_of(in->id, reads, sizeof reads / sizeof *reads);
    struct dfr_access *a = &ret->access[ret->accesses++];
    a->size = op->size;
    a->known = operand_address(d, cs, in, &op->mem, &a->address);
    a->read = both || read || in->id != X86_INS_MOV;
    a->write = both || !read;
}

/* The feature that an instruction came with, as a bit of ecx of CPUID leaf 1. Instructions of AVX2
 * need AVX and more. Source: processor manuals. */
static void put_feature(const cs_insn *in, struct dfr_insn *ret)
{
    static const struct {
        uint8_t group, bit;
        bool enough;
    } features[] = {
        {X86_GRP_AVX2, 28, false}, {X86_GRP_AVX, 28, true},  {X86_GRP_FMA, 12, true},
        {X86_GRP_F16C, 29, true},  {X86_GRP_AES, 25, true},  {X86_GRP_SSE42, 20, true},
        {X86_GRP_SSE41, 19, true}, {X86_GRP_SSSE3, 9, true}, {X86_GRP_SSE3, 0, true},
    };
    ret->feature_enough = true;
    switch (in->id) {
    case X86_INS_POPCNT:
        ret->feature = 23;
        return;
    case X86_INS_CRC32:
        ret->feature = 20;
        return;
    case X86_INS_MOVBE:
        ret->feature = 22;
        return;
    case X86_INS_RDRAND:
        ret->feature = 30;
        return;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        for (uint8_t k = 0; k < in->detail->groups_count; k++)
            if (in->detail->groups[k] == features[i].group) {
                ret->feature_enough = features[i].enough;
                ret->feature = features[i].bit;
                return;
            }
}

static struct dfr_str copy(const struct dfr_dump *d, const char *p, size_t most)
{
    return dfr_str_dup(d->arena, (struct dfr_str){p, strnlen(p, most)});
}

static bool open_decoder(const struct dfr_dump *d, csh *ret)
{
    bool wide = d->file.machine == DFR_MACHINE_X64;
    if (cs_open(CS_ARCH_X86, wide ? CS_MODE_64 : CS_MODE_32, ret) != CS_ERR_OK)
        return false;
    if (cs_option(*ret, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK)
        return true;
    (void)cs_close(ret);
    return false;
}

bool dfr_insn_x86(const struct dfr_dump *d, uint64_t ip, struct dfr_span bytes,
                  struct dfr_insn *ret)
{
    csh cs;
    cs_insn *in = NULL;
    if (!open_decoder(d, &cs))
        return false;
    size_t n = cs_disasm(cs, bytes.p, bytes.len, ip, 1, &in);
    bool ok = n == 1 && in->detail;
    if (ok) {
        const cs_x86 *x = &in->detail->x86;
        *ret = (struct dfr_insn){.ip = ip,
                                 .len = in->size,
                                 .mnemonic = copy(d, in->mnemonic, sizeof in->mnemonic),
                                 .operands = copy(d, in->op_str, sizeof in->op_str),
                                 .plain = is_plain(cs, in),
                                 .feature = -1};
        for (uint8_t i = 0; i < x->op_count && i < DFR_INSN_OPERANDS; i++) {
            ret->memory |= x->operands[i].type == X86_OP_MEM;
            if (ret->plain && x->operands[i].type == X86_OP_MEM && in->id != X86_INS_LEA)
                put_access(d, cs, in, i, ret);
        }
        put_feature(in, ret);
    }
    if (n)
        cs_free(in, n);
    (void)cs_close(&cs);
    return ok;
}

/* ---- the way through a function ---- */

/* Does the code go on behind it? What follows a jump, a return or a trap may be data. */
static bool goes_on(const cs_insn *in)
{
    const cs_detail *detail = in->detail;
    for (uint8_t k = 0; k < detail->groups_count; k++)
        if (detail->groups[k] == X86_GRP_RET || detail->groups[k] == X86_GRP_IRET)
            return false;
    return in->id != X86_INS_JMP && in->id != X86_INS_LJMP && in->id != X86_INS_UD2 &&
           in->id != X86_INS_INT3 && in->id != X86_INS_INT && in->id != X86_INS_HLT &&
           in->id != X86_INS_CALL; /* some calls never return */
}

/* Where a direct jump leads, when that is further on in the code. */
static bool jumps_to(const cs_insn *in, uint32_t *ret)
{
    const cs_x86 *x = &in->detail->x86;
    bool jump = false;
    for (uint8_t k = 0; k < in->detail->groups_count; k++)
        jump |= in->detail->groups[k] == X86_GRP_JUMP;
    if (!jump || x->op_count != 1 || x->operands[0].type != X86_OP_IMM)
        return false;
    uint64_t to = (uint64_t)x->operands[0].imm;
    *ret = (uint32_t)to;
    return to > in->address && to <= UINT32_MAX;
}

int dfr_insn_boundary_x86(const struct dfr_dump *d, struct dfr_span code, uint32_t target)
{
    csh cs;
    uint64_t at = 0;
    const uint8_t *p = code.p;
    size_t left = code.len;
    int ret = -1;
    if (target >= code.len || code.len > DFR_LIMIT_CODE_WALK || !open_decoder(d, &cs))
        return -1;
    bool *led_to = dfr_arena_alloc(d->arena, code.len * sizeof *led_to);
    memset(led_to, 0, code.len * sizeof *led_to);
    cs_insn *in = cs_malloc(cs);
    bool certain = true;
    while (in && at <= target) {
        uint32_t to;
        uint64_t from = at;
        certain |= led_to[from];
        if (from == target) {
            ret = certain ? 1 : -1;
            break;
        }
        if (!cs_disasm_iter(cs, &p, &left, &at, in))
            break;
        if (at > target) { /* it lies inside this one */
            ret = certain && !led_to[target] ? 0 : -1;
            break;
        }
        if (certain && jumps_to(in, &to) && to < code.len)
            led_to[to] = true;
        certain &= goes_on(in);
    }
    if (in)
        cs_free(in, 1);
    (void)cs_close(&cs);
    return ret;
}
