/* ARM64 instructions, through capstone, which does not know all of them. */
#include "dump/insn.h"

#include <capstone/capstone.h>
#include <string.h>

/* Loads and stores that touch memory through their operand alone; no atomic ones, none that first
 * take a right to the line. The widest of them takes two registers of 16 bytes. */
static const struct {
    uint32_t id;
    bool write;
} plain[] = {
    {ARM64_INS_LDR, false},    {ARM64_INS_LDUR, false},   {ARM64_INS_LDRB, false},
    {ARM64_INS_LDURB, false},  {ARM64_INS_LDRH, false},   {ARM64_INS_LDURH, false},
    {ARM64_INS_LDRSB, false},  {ARM64_INS_LDURSB, false}, {ARM64_INS_LDRSH, false},
    {ARM64_INS_LDURSH, false}, {ARM64_INS_LDRSW, false},  {ARM64_INS_LDURSW, false},
    {ARM64_INS_LDP, false},    {ARM64_INS_LDNP, false},   {ARM64_INS_LDPSW, false},
    {ARM64_INS_LDAR, false},   {ARM64_INS_LDARB, false},  {ARM64_INS_LDARH, false},
    {ARM64_INS_STR, true},     {ARM64_INS_STUR, true},    {ARM64_INS_STRB, true},
    {ARM64_INS_STURB, true},   {ARM64_INS_STRH, true},    {ARM64_INS_STURH, true},
    {ARM64_INS_STP, true},     {ARM64_INS_STNP, true},    {ARM64_INS_STLR, true},
    {ARM64_INS_STLRB, true},   {ARM64_INS_STLRH, true},
};
enum { WIDEST = 32 };

/* Capstone calls x29 and x30 so or by their roles; contexts know fp and lr. A w register is the lower
 * half of its x register. */
static bool register_value(const struct dfr_dump *d, csh cs, uint32_t reg, uint64_t *ret)
{
    const char *n = cs_reg_name(cs, reg);
    char name[8];
    if (!n || strlen(n) >= sizeof name)
        return false;
    if (reg == ARM64_REG_XZR || reg == ARM64_REG_WZR) {
        *ret = 0;
        return true;
    }
    memcpy(name, n, strlen(n) + 1);
    bool half = name[0] == 'w' && name[1] >= '0' && name[1] <= '9';
    if (half)
        name[0] = 'x';
    const char *known = !strcmp(name, "x29") ? "fp" : !strcmp(name, "x30") ? "lr" : name;
    if (!dfr_insn_register(d, known, ret))
        return false;
    if (half)
        *ret = (uint32_t)*ret;
    return true;
}

/* The second register as the operand uses it: extended, then shifted. */
static bool extended(arm64_extender ext, uint64_t *u)
{
    switch (ext) {
    case ARM64_EXT_INVALID:
    case ARM64_EXT_UXTX:
    case ARM64_EXT_SXTX:
        return true;
    case ARM64_EXT_UXTW:
        *u = (uint32_t)*u;
        return true;
    case ARM64_EXT_SXTW:
        *u = (uint32_t)*u - ((uint64_t)((uint32_t)*u >> 31) << 32);
        return true;
    default:
        return false;
    }
}

static bool operand_address(const struct dfr_dump *d, csh cs, const cs_insn *in,
                            const cs_arm64_op *op, uint64_t *ret)
{
    uint64_t base, index = 0;
    /* With the distance behind the bracket, the register moves after the access. */
    const char *bracket = strchr(in->op_str, ']');
    bool after = bracket && bracket[1] == ',';
    if (op->mem.base == ARM64_REG_INVALID || !register_value(d, cs, op->mem.base, &base))
        return false;
    if (op->mem.index != ARM64_REG_INVALID) {
        if (!register_value(d, cs, op->mem.index, &index) || !extended(op->ext, &index))
            return false;
        if (op->shift.type == ARM64_SFT_LSL && op->shift.value < 64)
            index <<= op->shift.value;
        else if (op->shift.type != ARM64_SFT_INVALID)
            return false;
    }
    *ret = after ? base : base + index + (uint64_t)(int64_t)op->mem.disp;
    return true;
}

static void decode(const struct dfr_dump *d, csh cs, const cs_insn *in, struct dfr_insn *ret)
{
    const cs_arm64 *x = &in->detail->arm64;
    bool write = false;
    *ret = (struct dfr_insn){
        .ip = in->address,
        .len = in->size,
        .mnemonic = dfr_str_dup(
            d->arena, (struct dfr_str){in->mnemonic, strnlen(in->mnemonic, sizeof in->mnemonic)}),
        .operands = dfr_str_dup(
            d->arena, (struct dfr_str){in->op_str, strnlen(in->op_str, sizeof in->op_str)}),
        .feature = -1};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (plain[i].id == in->id) {
            ret->plain = true;
            write = plain[i].write;
        }
    for (uint8_t i = 0; i < x->op_count && i < DFR_INSN_OPERANDS; i++) {
        const cs_arm64_op *op = &x->operands[i];
        ret->memory |= op->type == ARM64_OP_MEM;
        if (!ret->plain || op->type != ARM64_OP_MEM)
            continue;
        struct dfr_access *a = &ret->access[ret->accesses++];
        *a = (struct dfr_access){.size = WIDEST, .read = !write, .write = write};
        a->known = operand_address(d, cs, in, op, &a->address);
    }
    ret->plain = ret->plain && ret->accesses == 1; /* not a constant beside the code */
}

bool dfr_insn_arm64(const struct dfr_dump *d, uint64_t ip, struct dfr_span bytes,
                    struct dfr_insn *ret)
{
    csh cs;
    cs_insn *in = NULL;
    bool ok = false;
    if ((ip & 3) || bytes.len < 4 ||
        cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &cs) != CS_ERR_OK)
        return false;
    if (cs_option(cs, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK) {
        size_t n = cs_disasm(cs, bytes.p, 4, ip, 1, &in);
        ok = n == 1 && in->detail;
        if (ok)
            decode(d, cs, in, ret);
        if (n)
            cs_free(in, n);
    }
    (void)cs_close(&cs);
    return ok;
}
