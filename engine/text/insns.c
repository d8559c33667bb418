/* Disassembled instructions of u, ub and uf, and the address that a debugger computes for an operand. */
#include "text/sections.h"

#include <string.h>

#include "base/buf.h"

enum { OPERAND_WORDS = 16 };

static bool is_mnemonic(struct dfr_str s)
{
    if (s.len < 1 || s.len > 14 || s.p[0] < 'a' || s.p[0] > 'z')
        return dfr_str_eq(s, DFR_STR("???"));
    for (size_t i = 1; i < s.len; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '.'))
            return false;
    return s.len >= 2;
}

static bool is_bytes(struct dfr_str s)
{
    if (dfr_str_eq(s, DFR_STR("??")))
        return true;
    return s.len >= 2 && s.len <= 30 && s.len % 2 == 0 && dfr_hex_run(s) == s.len;
}

/* `ds:002b:fffff801`12345678=????????`, `ss:0018:...=0000`, `ds:0023:8a8b8c8d=??`. */
bool dfr_tx_operand_address(struct dfr_str s, uint64_t *ret)
{
    if (s.len < 12 || s.p[1] != 's' || s.p[2] != ':' || !strchr("cdefgs", s.p[0]))
        return false;
    const char *eq = memchr(s.p, '=', s.len);
    if (!eq)
        return false;
    size_t end = (size_t)(eq - s.p), from = 3;
    const char *colon = memchr(s.p + 3, ':', end - 3);
    if (colon)
        from = (size_t)(colon - s.p) + 1;
    return dfr_hex_value(dfr_str_slice(s, from, end), ret);
}

/* Does the operand list go on behind word `j`, whose text is `s`? Brackets open, a comma, `ptr`, a size. */
static bool operand_goes_on(struct dfr_str s, int depth)
{
    static const char *const open[] = {"byte",    "word",    "dword",  "qword", "oword", "xmmword",
                                       "ymmword", "zmmword", "tbyte",  "fword", "ptr",   "far",
                                       "short",   "near",    "mmword", "tword"};
    if (depth > 0 || s.p[s.len - 1] == ',')
        return true;
    const char *comma = memrchr(s.p, ',', s.len);
    struct dfr_str last = comma ? dfr_str_slice(s, (size_t)(comma - s.p) + 1, s.len) : s;
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (dfr_str_eq(last, dfr_str_from(open[i])))
            return true;
    return false;
}

static bool takes_no_operand(struct dfr_str m)
{
    static const char *const none[] = {
        "ret",   "retn",    "nop",     "int3",    "leave",  "cdq",   "cqo",   "hlt",    "cli",
        "sti",   "pause",   "syscall", "sysret",  "iretq",  "iretd", "clc",   "stc",    "cld",
        "std",   "ud2",     "lfence",  "mfence",  "sfence", "cpuid", "rdtsc", "swapgs", "pushfq",
        "popfq", "pushfd",  "popfd",   "???",     "wbinvd", "cbw",   "cwde",  "cdqe",   "eret",
        "isb",   "pacibsp", "autibsp", "paciasp", "autiasp"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (dfr_str_eq(m, dfr_str_from(none[i])))
            return true;
    return false;
}

/* Words of the operands from `i` on; the grammar ends them also where lines run together. */
static uint32_t operands_end(const struct dfr_reader *r, uint32_t i, struct dfr_str mnemonic)
{
    uint32_t j = i;
    if (takes_no_operand(mnemonic)) {
        struct dfr_str s = dfr_tx_text(r, j);
        bool number = dfr_str_starts(s, DFR_STR("0x")) ||
                      (dfr_tx_is(r, j, DFR_W_HEX) && s.len <= 5) ||
                      dfr_str_ends_ci(s, DFR_STR("h"));
        bool memory = dfr_str_eq(s, DFR_STR("dword")) || dfr_str_eq(s, DFR_STR("word")) ||
                      dfr_str_eq(s, DFR_STR("qword"));
        if (dfr_tx_bol(r, j) ||
            (!memory && (!number || s.len > 8 || dfr_tx_is(r, j + 1, DFR_W_ADDR64))))
            return i;
    }
    int depth = 0;
    bool first = true;
    while (j < r->words.n && j - i < OPERAND_WORDS && !dfr_tx_bol(r, j)) {
        struct dfr_str s = dfr_tx_text(r, j);
        if (first && (dfr_tx_remark_mark(s) || dfr_tx_is(r, j, DFR_W_PROMPT)))
            break;
        for (size_t k = 0; k < s.len; k++)
            depth += (s.p[k] == '[' || s.p[k] == '(') - (s.p[k] == ']' || s.p[k] == ')');
        j++;
        first = false;
        if (operand_goes_on(s, depth))
            continue;
        /* A symbol's address follows it: `call nt!Foo (fffff803`12345678)`. */
        struct dfr_str next = dfr_tx_text(r, j);
        uint64_t v;
        if (!dfr_tx_bol(r, j) && next.len > 9 && next.p[0] == '(' && dfr_tx_number(r, j, &v)) {
            j++;
            next = dfr_tx_text(r, j);
        }
        if (!dfr_tx_bol(r, j) && next.len && next.p[0] == ',')
            continue;
        break;
    }
    return j;
}

/* `lock bts`, `rep movs`: a prefix belongs to the mnemonic. */
static bool is_prefix(struct dfr_str s)
{
    return dfr_str_eq(s, DFR_STR("lock")) || dfr_str_eq(s, DFR_STR("rep")) ||
           dfr_str_eq(s, DFR_STR("repe")) || dfr_str_eq(s, DFR_STR("repne")) ||
           dfr_str_eq(s, DFR_STR("xacquire")) || dfr_str_eq(s, DFR_STR("bnd"));
}

static uint32_t access_of(struct dfr_str mnemonic, struct dfr_str operands)
{
    const char *bracket = operands.len ? memchr(operands.p, '[', operands.len) : NULL;
    if (!bracket)
        return UINT32_MAX;
    const char *comma = memchr(operands.p, ',', operands.len);
    bool first = !comma || bracket < comma;
    if (dfr_str_eq(mnemonic, DFR_STR("lea")) || dfr_str_eq(mnemonic, DFR_STR("nop")) ||
        dfr_str_starts(mnemonic, DFR_STR("prefetch")))
        return UINT32_MAX; /* computes an address only */
    if (dfr_str_eq(mnemonic, DFR_STR("call")) || dfr_str_eq(mnemonic, DFR_STR("jmp")) ||
        dfr_str_eq(mnemonic, DFR_STR("push")) || dfr_str_eq(mnemonic, DFR_STR("cmp")) ||
        dfr_str_eq(mnemonic, DFR_STR("test")) || dfr_str_eq(mnemonic, DFR_STR("bt")))
        return DFR_ACCESS_READ;
    if (!first) { /* ARM64 names the register first, also where it is stored */
        static const char *const both[] = {"cas", "swp", "ldadd", "ldset", "ldclr", "ldeor"};
        for (size_t i = 0; i < sizeof both / sizeof *both; i++)
            if (dfr_str_starts(mnemonic, dfr_str_from(both[i])))
                return UINT32_MAX;
        static const char *const stores[] = {"str", "stp", "stur", "stlr", "stlx", "stx", "stnp"};
        for (size_t i = 0; i < sizeof stores / sizeof *stores; i++)
            if (dfr_str_starts(mnemonic, dfr_str_from(stores[i])))
                return DFR_ACCESS_WRITE;
        return DFR_ACCESS_READ;
    }
    if (dfr_str_starts(mnemonic, DFR_STR("mov")) || dfr_str_eq(mnemonic, DFR_STR("pop")) ||
        dfr_str_starts(mnemonic, DFR_STR("set")))
        return DFR_ACCESS_WRITE;
    return UINT32_MAX; /* read and written, or not a memory access at all */
}

static bool is_arm64(const struct dfr_reader *r)
{
    const struct dfr_value *arch = dfr_facts_scalar(r->f, DFR_F_DUMP_ARCH);
    return r->c->arm64 || (arch->state == DFR_KNOWN && arch->as.e.value == DFR_ARCH_ARM64);
}

static void write_bytes(struct dfr_reader *r, uint32_t row, uint32_t word)
{
    struct dfr_str s = dfr_tx_text(r, word);
    uint8_t *b = dfr_arena_alloc(r->a, s.len / 2);
    for (size_t i = 0; i + 1 < s.len; i += 2) {
        uint64_t v;
        if (!dfr_hex_value(dfr_str_slice(s, i, i + 2), &v))
            return;
        b[i / 2] = (uint8_t)v;
    }
    /* ARM64 instructions are printed as one number; in memory its lowest byte comes first. */
    if (s.len == 8 && is_arm64(r))
        for (size_t i = 0; i < 2; i++) {
            uint8_t t = b[i];
            b[i] = b[3 - i];
            b[3 - i] = t;
        }
    struct dfr_value v = dfr_v_str((struct dfr_str){(const char *)b, s.len / 2});
    v.kind = DFR_KIND_BYTES;
    dfr_tx_put_cell(r, DFR_F_INSNS_BYTES, row, v, word, word);
}

uint32_t dfr_tx_insn(struct dfr_reader *r, uint32_t i)
{
    uint64_t addr;
    struct dfr_str bytes = dfr_tx_text(r, i + 1), mnemonic = dfr_tx_text(r, i + 2);
    if (r->out == DFR_OUT_RAW || r->out == DFR_OUT_MODULES || !dfr_tx_address(r, i, &addr) ||
        !is_bytes(bytes) || !is_mnemonic(mnemonic) || dfr_tx_bol(r, i + 1) || dfr_tx_bol(r, i + 2))
        return i;
    uint32_t m = i + 2; /* last word of the mnemonic */
    if (is_prefix(mnemonic) && is_mnemonic(dfr_tx_text(r, i + 3)) && !dfr_tx_bol(r, i + 3)) {
        m++;
        mnemonic = dfr_tx_text_range(r, i + 2, m);
    }
    uint32_t end = operands_end(r, m + 1, dfr_tx_text(r, m));
    uint32_t row = dfr_tx_new_row(r, DFR_T_INSNS, i, end - 1);
    dfr_tx_put_cell(r, DFR_F_INSNS_ADDR, row, dfr_v_addr(addr), i, i);
    bool unreadable = bytes.p[0] == '?';
    dfr_tx_put_cell(r, DFR_F_INSNS_UNREADABLE, row, dfr_v_bool(unreadable), i + 1, i + 1);
    if (!unreadable) {
        write_bytes(r, row, i + 1);
        dfr_tx_put_cell(r, DFR_F_INSNS_MNEMONIC, row, dfr_v_str(mnemonic), i + 2, m);
        struct dfr_str operands = end > m + 1 ? dfr_tx_text_range(r, m + 1, end - 1) : DFR_STR("");
        dfr_tx_put_cell(r, DFR_F_INSNS_OPERANDS, row, dfr_v_str(operands), i + 2, end - 1);
        uint32_t access = access_of(mnemonic, operands);
        if (access != UINT32_MAX)
            dfr_tx_put_cell(r, DFR_F_INSNS_ACCESS, row, dfr_v_enum(DFR_E_ACCESS, access), i + 2,
                            end - 1);
    }
    if (r->label_word != DFR_NO_WORD) {
        dfr_tx_put_cell(r, DFR_F_INSNS_SYM, row, dfr_facts_sym(r->f, r->label), r->label_word,
                        r->label_word);
        dfr_tx_put_cell(r, DFR_F_INSNS_MODULE, row, dfr_facts_module(r->f, r->label.module),
                        r->label_word, r->label_word);
        r->label_address = addr;
        r->labelled = r->label;
        r->label_word = DFR_NO_WORD;
        r->has_labelled = true;
    } else if (r->has_labelled && addr > r->label_address && addr - r->label_address < 4096 &&
               r->labelled.has_offset) {
        struct dfr_sym s = r->labelled;
        s.offset += addr - r->label_address;
        dfr_tx_put_cell(r, DFR_F_INSNS_SYM, row, dfr_facts_sym(r->f, s), i, i);
        dfr_tx_put_cell(r, DFR_F_INSNS_MODULE, row, dfr_facts_module(r->f, s.module), i, i);
    }
    uint64_t operand;
    if (end < r->words.n && dfr_tx_operand_address(dfr_tx_text(r, end), &operand)) {
        dfr_tx_put_cell(r, DFR_F_INSNS_ADDRESS, row, dfr_v_addr(operand), end, end);
        if (r->c->regs.has_insn && r->c->regs.insn == addr && r->c->regs.kind > DFR_REGS_PLAIN &&
            (r->out == DFR_OUT_TRAP || r->out == DFR_OUT_CONTEXT || r->out == DFR_OUT_TSS))
            dfr_tx_put(r, DFR_F_TRAP_ADDRESS, dfr_v_addr(operand), end, end);
        end++;
    }
    return end;
}

/* `nt!KiIpiSendRequest+0x2eb:` above instructions. */
uint32_t dfr_tx_insn_label(struct dfr_reader *r, uint32_t i)
{
    bool unloaded;
    struct dfr_sym sym;
    uint32_t end = dfr_tx_symbol(r, i, &sym, &unloaded);
    if (end == i || end >= r->words.n || !sym.module.len)
        return i;
    bool colon = dfr_str_ends_ci(dfr_tx_text(r, end - 1), DFR_STR(":"));
    uint64_t addr;
    if (!dfr_tx_address(r, end, &addr) || !is_bytes(dfr_tx_text(r, end + 1)) ||
        !is_mnemonic(dfr_tx_text(r, end + 2)) || (!colon && !dfr_tx_bol(r, end)))
        return i;
    if (!sym.has_offset) { /* the function's first instruction */
        sym.offset = 0;
        sym.has_offset = true;
    }
    r->label = sym;
    r->label_word = i;
    return end;
}
