/* Register blocks of r, .trap, .cxr and .tss, with the label and instruction below them, and .exr records. */
#include "text/sections.h"

#include <string.h>

static const char *const register_names[] = {
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rip",  "rsp", "rbp", "r8",   "r9",  "r10",
    "r11", "r12", "r13", "r14", "r15", "eax", "ebx",  "ecx", "edx", "esi",  "edi", "eip",
    "esp", "ebp", "efl", "cs",  "ss",  "ds",  "es",   "fs",  "gs",  "iopl", "cr0", "cr2",
    "cr3", "cr4", "cr8", "dr0", "dr1", "dr2", "dr3",  "dr6", "dr7", "x0",   "x1",  "x2",
    "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",   "x10", "x11", "x12",  "x13", "x14",
    "x15", "x16", "x17", "x18", "x19", "x20", "x21",  "x22", "x23", "x24",  "x25", "x26",
    "x27", "x28", "fp",  "lr",  "sp",  "pc",  "cpsr", "psr",
};

static const char *register_name(struct dfr_str s)
{
    for (size_t i = 0; i < sizeof register_names / sizeof *register_names; i++)
        if (dfr_str_eq_ci(s, dfr_str_from(register_names[i])))
            return register_names[i];
    return NULL;
}

static const char *split(const struct dfr_reader *r, uint32_t i, struct dfr_str *ret_value)
{
    struct dfr_str s = dfr_tx_text(r, i);
    const char *eq = s.len ? memchr(s.p, '=', s.len) : NULL;
    if (!eq || eq == s.p || eq - s.p > 4)
        return NULL;
    *ret_value = dfr_str_slice(s, (size_t)(eq - s.p) + 1, s.len);
    return register_name(dfr_str_slice(s, 0, (size_t)(eq - s.p)));
}

/* Flags between the registers: `nv up ei pl nz na po nc`. */
static bool is_flag(struct dfr_str s)
{
    static const char *const flags[] = {"nv", "ov", "up", "dn", "ei", "di", "pl", "ng",  "nz",
                                        "zr", "na", "ac", "po", "pe", "nc", "cy", "vif", "vip"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (dfr_str_eq(s, dfr_str_from(flags[i])))
            return true;
    /* ARM64: `-ZC-` and the exception level behind it. */
    if (s.len == 3 && s.p[0] == 'E' && s.p[1] == 'L' && s.p[2] >= '0' && s.p[2] <= '3')
        return true;
    static const char letters[] = "NZCV";
    if (s.len != sizeof letters - 1)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] != letters[i] && s.p[i] != '-')
            return false;
    return true;
}

static enum dfr_regs_kind kind_of(enum dfr_output out)
{
    switch (out) {
    case DFR_OUT_TRAP:
        return DFR_REGS_TRAP;
    case DFR_OUT_CONTEXT:
        return DFR_REGS_EXACT;
    case DFR_OUT_TSS:
        return DFR_REGS_TSS;
    default:
        return DFR_REGS_PLAIN;
    }
}

/* The label and the instruction behind the registers; they are left for their own readers. */
static void look_behind(struct dfr_reader *r, uint32_t i, struct dfr_regs *g)
{
    uint32_t j = i;
    while (j < r->words.n && j - i < 6 && !dfr_tx_is(r, j, DFR_W_PROMPT) &&
           !dfr_tx_is(r, j, DFR_W_KEY)) {
        struct dfr_str s = dfr_tx_text(r, j);
        bool unloaded;
        if (memchr(s.p, '!', s.len) || memchr(s.p, '+', s.len)) {
            uint32_t end = dfr_tx_symbol(r, j, &g->sym, &unloaded);
            if (end == j)
                return;
            /* `module!inlined [inlined in` names the function that holds the code. */
            if (dfr_tx_phrase(r, end, "[inlined in")) {
                uint32_t outer = dfr_tx_symbol(r, end + 2, &g->sym, &unloaded);
                if (outer > end + 2)
                    end = outer;
            }
            g->sym_first = j;
            g->sym_last = end - 1;
            j = end;
            if (dfr_str_ends_ci(dfr_tx_text(r, j - 1), DFR_STR(":")) ||
                dfr_tx_is(r, j, DFR_W_ADDR64) || dfr_tx_is(r, j, DFR_W_ADDR32))
                break;
            continue;
        }
        if (dfr_tx_is(r, j, DFR_W_ADDR64) || dfr_tx_is(r, j, DFR_W_ADDR32))
            break;
        j++;
    }
    if (!dfr_tx_address(r, j, &g->insn))
        return;
    g->has_insn = true;
    g->operand_word = j;
}

uint32_t dfr_tx_regs(struct dfr_reader *r, uint32_t i)
{
    struct dfr_regs g = {.kind = kind_of(r->out), .sym_first = DFR_NO_WORD};
    uint32_t j = i;
    while (j < r->words.n) {
        struct dfr_str value, s = dfr_tx_text(r, j);
        const char *name = split(r, j, &value);
        uint64_t v;
        if (name) {
            if (dfr_hex_value(value, &v) && g.n < DFR_REGS_MOST && strcmp(name, "iopl") != 0)
                g.v[g.n++] = (struct dfr_reg){dfr_str_from(name), v, j};
            if (name[0] == 'x' && name[1] >= '0' && name[1] <= '9')
                r->c->arm64 = true;
        } else if (!is_flag(s) && !dfr_tx_is_elision(s)) {
            break;
        }
        j++;
    }
    if (!g.n)
        return i;
    if (g.n > 2)
        look_behind(r, j, &g);
    dfr_tx_regs_seen(r, &g);
    return j;
}

/* `ExceptionAddress: a (sym)`, `ExceptionCode: c0000005 (text)`, `Parameter[1]: v`, `Subcode: 0x3 NAME`. */
uint32_t dfr_tx_exception_record(struct dfr_reader *r, uint32_t i)
{
    struct dfr_str s = dfr_tx_text(r, i);
    uint32_t j = i + 1;
    j += dfr_tx_is(r, j, DFR_W_COLON);
    uint64_t v;
    if (!dfr_tx_number(r, j, &v))
        return i;
    if (dfr_str_starts(s, DFR_STR("ExceptionCode"))) {
        if (!r->other_thread && v)
            dfr_tx_put(r, DFR_F_TRAP_EXCEPTION, dfr_v_addr(v), i, j);
    } else if (dfr_str_starts(s, DFR_STR("ExceptionAddress"))) {
        if (!r->other_thread && v && r->c->regs.kind < DFR_REGS_TSS)
            dfr_tx_put(r, DFR_F_TRAP_RIP, dfr_v_addr(v), i, j);
    }
    uint32_t end = dfr_tx_line_end(r, j, 12);
    return end - j < 12 ? end : j + 1;
}

/* `Attempt to write to address ffffe001`1` below an exception record. All ones is what Windows reports
 * for an address that the processor did not tell. */
uint32_t dfr_tx_attempt(struct dfr_reader *r, uint32_t i)
{
    static const struct {
        const char *words;
        uint32_t access;
    } ways[] = {{"Attempt to read from address", DFR_ACCESS_READ},
                {"Attempt to write to address", DFR_ACCESS_WRITE},
                {"Attempt to execute non-executable address", DFR_ACCESS_EXECUTE}};
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
        uint32_t n = dfr_tx_phrase(r, i, ways[k].words);
        uint64_t address;
        if (!n || !dfr_tx_address(r, i + n, &address))
            continue;
        if (!r->other_thread) {
            dfr_tx_put(r, DFR_F_TRAP_ACCESS, dfr_v_enum(DFR_E_ACCESS, ways[k].access), i, i + n);
            if (address != UINT64_MAX)
                dfr_tx_put(r, DFR_F_TRAP_ADDRESS, dfr_v_addr(address), i, i + n);
        }
        return i + n + 1;
    }
    return i;
}
