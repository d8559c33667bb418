/* One crash of a text: where it begins, what its bug check is, which registers are the fault's, and the
 * sealing of its facts. */
#include "text/sections.h"

#include <string.h>

#include "base/limits.h"

enum { KEYS_OF_A_BODY = 3 };

struct dfr_crash *dfr_tx_crash_begin(struct dfr_reader *r, uint32_t word)
{
    if (r->c && r->crashes.n >= DFR_LIMIT_CRASHES) {
        if (r->diags && !r->too_many)
            dfr_diags_add(r->diags, DFR_D_TEXT_TOO_MANY,
                          "only the first %d crashes of the text are read", DFR_LIMIT_CRASHES);
        r->too_many = true;
        return r->c;
    }
    struct dfr_crash *c = DFR_NEW(r->a, struct dfr_crash);
    c->f = DFR_NEW(r->a, struct dfr_facts);
    dfr_facts_init(c->f, r->a);
    c->f->text = r->norm.input;
    c->first_word = word;
    c->code.source = DFR_SRC_NONE;
    for (unsigned i = 0; i < 4; i++)
        c->arg[i].source = DFR_SRC_NONE;
    c->cpu = -1;
    *DFR_PUSH(r->a, &r->crashes) = c;
    r->c = c;
    r->f = c->f;
    r->module = r->unloaded_row = UINT32_MAX;
    r->other_thread = r->has_thread = false; /* a thread of the crash before */
    dfr_tx_close_rows(r);
    return c;
}

static uint64_t code_of(uint64_t raw)
{
    return raw > UINT32_MAX ? raw : dfr_bugcheck_code((uint32_t)raw);
}

/* The same parameter, printed with 32 bits here and sign-extended or cut there? */
static bool same_arg(const struct dfr_ident *a, uint64_t value, uint32_t digits)
{
    if (a->value == value)
        return true;
    bool narrow = a->digits <= 8 || digits <= 8;
    bool extended = a->value >> 32 == UINT32_MAX || value >> 32 == UINT32_MAX;
    return narrow && extended && (uint32_t)a->value == (uint32_t)value;
}

/* Does an argument of `b` differ from one that the crash's text lists? */
static bool contradicted(const struct dfr_crash *c, const struct dfr_bug_seen *b)
{
    for (unsigned i = 0; i < 4; i++)
        if ((b->mask & 1u << i) && c->arg[i].source <= DFR_SRC_KEY &&
            !same_arg(&c->arg[i], b->arg[i], b->digits[i]))
            return true;
    return false;
}

static bool is_fault(uint64_t code)
{
    return code == 0xA || code == 0x50;
}

/* Bug checks that the kernel makes of 0xA and 0x50 behind KeBugCheckEx. */
static bool is_made_of_faults(uint64_t code)
{
    return code == 0xC5 || (code >= 0xCC && code <= 0xD7);
}

static bool other_crash(const struct dfr_reader *r, const struct dfr_bug_seen *b)
{
    const struct dfr_crash *c = r->c;
    if (b->source > DFR_SRC_KEY || b->prose)
        return false;
    bool known = c->code.source <= DFR_SRC_KEY;
    if (b->has_code && known && code_of(b->code) != code_of(c->code.value))
        return true;
    /* The body of an analysis, or the stack that called KeBugCheckEx, is there and has another bug check. */
    bool shown = c->code.source == DFR_SRC_FRAME || (c->analyzed && c->code.source != DFR_SRC_NONE);
    if (b->has_code && shown && !c->code.prose && code_of(b->code) != code_of(c->code.value) &&
        !(c->code.source == DFR_SRC_FRAME && is_fault(code_of(c->code.value)) &&
          is_made_of_faults(code_of(b->code))))
        return true;
    /* A heading below the body of an analysis that lost its own. */
    if (b->heads && !known &&
        (c->analyzed || c->keys >= KEYS_OF_A_BODY || (c->keys && c->analyses > 1)))
        return true;
    return contradicted(c, b);
}

void dfr_tx_bug_seen(struct dfr_reader *r, const struct dfr_bug_seen *b)
{
    if (b->source == DFR_SRC_FRAME && contradicted(r->c, b))
        return; /* the stack of another crash */
    if (r->stack && b->source <= DFR_SRC_KEY && !b->prose && (b->heads || b->mask == 0xF))
        dfr_tx_stack_close(r); /* what it says of its bug check is wanted now */
    if (other_crash(r, b)) {
        dfr_tx_stack_close(r);
        struct dfr_crash *before = r->c;
        bool own = b->heads && r->command != DFR_NO_WORD &&
                   before->evidence == r->evidence_at_prompt && r->prompt_cpu >= 0 &&
                   dfr_tx_command(r->verb) && dfr_tx_command(r->verb)->out == DFR_OUT_ANALYZE;
        struct dfr_crash *now = dfr_tx_crash_begin(r, b->first);
        if (own && now != before) { /* the prompt above the heading is this crash's own */
            now->cpu = r->prompt_cpu;
            now->cpu_word = r->command - 1;
            now->prompts = now->analyses = 1;
            if (before->cpu >= 0 && before->cpu_word == now->cpu_word)
                before->cpu = -1;
        }
    }
    struct dfr_crash *c = r->c;
    c->evidence += !b->prose && b->source < DFR_SRC_FRAME;
    if (b->has_code && b->source < c->code.source) {
        /* A better source with another code takes the arguments of the worse one away too. */
        if (c->code.source != DFR_SRC_NONE && code_of(c->code.value) != code_of(b->code))
            for (unsigned i = 0; i < 4; i++)
                if (c->arg[i].source >= c->code.source)
                    c->arg[i].source = DFR_SRC_NONE;
        c->code = (struct dfr_ident){.value = b->code,
                                     .source = b->source,
                                     .first = b->first,
                                     .last = b->last,
                                     .prose = b->prose};
    }
    if (b->has_code && code_of(b->code) != code_of(c->code.value))
        return;
    bool listed =
        false; /* what the kernel was given does not complete what the debugger says of it */
    for (unsigned i = 0; i < 4 && b->source == DFR_SRC_FRAME; i++)
        listed |= c->arg[i].source < DFR_SRC_FRAME;
    for (unsigned i = 0; i < 4 && !listed; i++)
        if ((b->mask & 1u << i) && b->source < c->arg[i].source)
            c->arg[i] = (struct dfr_ident){.value = b->arg[i],
                                           .source = b->source,
                                           .first = b->arg_word[i],
                                           .last = b->arg_word[i],
                                           .digits = b->digits[i],
                                           .prose = b->prose};
    if (b->name.len && !c->name.len) {
        c->name = b->name;
        c->name_first = c->name_last = b->name_word;
    }
}

void dfr_tx_regs_seen(struct dfr_reader *r, const struct dfr_regs *g)
{
    r->c->evidence += g->n;
    if (r->other_thread)
        return;
    if (g->kind > r->c->regs.kind)
        r->c->regs = *g;
    else if (g->kind == r->c->regs.kind && g->n < 3 && r->c->regs.n + g->n < DFR_REGS_MOST)
        for (uint32_t i = 0; i < g->n; i++) /* `r cr2` adds to what `r` showed */
            r->c->regs.v[r->c->regs.n++] = g->v[i];
}

static struct dfr_value with_trust(struct dfr_value v, bool prose)
{
    v.trust = prose ? DFR_TRUST_PROSE : DFR_TRUST_DEBUGGER;
    return v;
}

static void write_identity(struct dfr_reader *r, struct dfr_crash *c)
{
    if (c->code.source != DFR_SRC_NONE) {
        const struct dfr_ident *d = &c->code;
        dfr_tx_put(r, DFR_F_BUGCHECK_CODE,
                   with_trust(dfr_v_int((int64_t)code_of(d->value)), d->prose), d->first, d->last);
        dfr_tx_put(r, DFR_F_BUGCHECK_RAW, with_trust(dfr_v_int((int64_t)d->value), d->prose),
                   d->first, d->last);
        if (!c->name.len) {
            const struct dfr_bugcheck_info *info = dfr_bugcheck_info((uint32_t)code_of(d->value));
            if (info)
                dfr_tx_put(r, DFR_F_BUGCHECK_NAME,
                           with_trust(dfr_v_str(dfr_str_from(info->name)), d->prose), d->first,
                           d->last);
        }
    }
    /* `_M` is the debugger's mark of a code with the bit of small dumps; the name is without. */
    const struct dfr_bugcheck_info *named = c->name.len ? dfr_bugcheck_by_name(c->name) : NULL;
    bool marked =
        named && dfr_str_ends_ci(c->name, DFR_STR("_M")) && c->name.len == strlen(named->name) + 2;
    if (c->name.len)
        dfr_tx_put(
            r, DFR_F_BUGCHECK_NAME,
            with_trust(dfr_v_str(marked ? dfr_str_from(named->name) : c->name), c->code.prose),
            c->name_first, c->name_last);
    for (unsigned i = 0; i < 4; i++) {
        struct dfr_ident *d = &c->arg[i];
        if (d->source == DFR_SRC_NONE)
            continue;
        bool narrow = c->narrow && !c->wide;
        if (narrow && d->value >> 32 == UINT32_MAX)
            d->value = (uint32_t)d->value; /* BUGCHECK_Pn sign-extends 32-bit values */
        dfr_tx_put(r, DFR_F_BUGCHECK_ARG1 + i, with_trust(dfr_v_addr(d->value), d->prose), d->first,
                   d->last);
    }
}

static void write_regs(struct dfr_reader *r, struct dfr_crash *c)
{
    const struct dfr_regs *g = &c->regs;
    if (!g->n)
        return;
    bool bugcheck = g->sym_first != DFR_NO_WORD &&
                    (dfr_tx_is_bugcheck_call(&g->sym) ||
                     dfr_str_starts(g->sym.func, DFR_STR("DbgBreakPoint")) ||
                     dfr_str_starts(g->sym.func, DFR_STR("RtlpBreakWithStatus")));
    if (g->kind == DFR_REGS_PLAIN &&
        (bugcheck || (g->sym_first == DFR_NO_WORD && c->code.source < DFR_SRC_FRAME)))
        return; /* the context of KeBugCheckEx or one of which nothing tells: not the fault's */
    bool rip = false;
    for (uint32_t i = 0; i < g->n; i++) {
        const struct dfr_reg *v = &g->v[i];
        uint32_t row = dfr_tx_new_row(r, DFR_T_REGS, v->word, v->word);
        dfr_tx_put_cell(r, DFR_F_REGS_NAME, row, dfr_v_str(v->name), v->word, v->word);
        dfr_tx_put_cell(r, DFR_F_REGS_VALUE, row, dfr_v_addr(v->value), v->word, v->word);
        uint32_t field = DFR_F_COUNT;
        if (dfr_str_eq(v->name, DFR_STR("rip")) || dfr_str_eq(v->name, DFR_STR("eip")) ||
            dfr_str_eq(v->name, DFR_STR("pc")))
            field = DFR_F_TRAP_RIP;
        else if (dfr_str_eq(v->name, DFR_STR("rsp")) || dfr_str_eq(v->name, DFR_STR("esp")) ||
                 dfr_str_eq(v->name, DFR_STR("sp")))
            field = DFR_F_TRAP_SP;
        if (field != DFR_F_COUNT)
            dfr_tx_put(r, field, dfr_v_addr(v->value), v->word, v->word);
        rip |= field == DFR_F_TRAP_RIP;
    }
    uint32_t w = g->v[0].word;
    /* A trap frame of x86 holds every register; one of x64 only what a call may change. */
    bool whole = g->kind == DFR_REGS_EXACT;
    for (uint32_t i = 0; i < g->n && g->kind == DFR_REGS_TRAP; i++)
        whole |= dfr_str_eq(g->v[i].name, DFR_STR("eip"));
    dfr_tx_put(r, DFR_F_TRAP_REGS_EXACT, dfr_v_bool(whole), w, w);
    if (!rip && g->has_insn)
        dfr_tx_put(r, DFR_F_TRAP_RIP, dfr_v_addr(g->insn), g->operand_word, g->operand_word);
    if (g->sym_first != DFR_NO_WORD) {
        dfr_tx_put(r, DFR_F_TRAP_SYMBOL, dfr_facts_sym(r->f, g->sym), g->sym_first, g->sym_last);
        dfr_tx_put(r, DFR_F_TRAP_MODULE, dfr_facts_module(r->f, g->sym.module), g->sym_first,
                   g->sym_last);
    }
}

/* The crash's own processor: of the first prompt, else of the only one that !ipi shows running. */
static void write_cpu(struct dfr_reader *r, struct dfr_crash *c)
{
    if (c->cpu >= 0) {
        dfr_tx_put(r, DFR_F_CPU_CURRENT, dfr_v_int(c->cpu), c->cpu_word, c->cpu_word);
        return;
    }
    uint32_t running = UINT32_MAX, many = 0;
    const struct dfr_rows *t = &c->f->tables[DFR_T_CPUS];
    for (uint32_t i = 0; i < t->n; i++) {
        const struct dfr_value *v = dfr_facts_at(c->f, DFR_F_CPUS_STATE, i);
        if (v->state == DFR_KNOWN && v->as.e.value == DFR_CPU_STATE_FREEZE_ACTIVE) {
            running = i;
            many = 1;
            break;
        }
        if (v->state == DFR_KNOWN && v->as.e.value == DFR_CPU_STATE_RUNNING) {
            running = i;
            many++;
        }
    }
    if (many == 1 && t->n > 1) {
        struct dfr_value v = *dfr_facts_at(c->f, DFR_F_CPUS_ID, running);
        dfr_facts_set(c->f, DFR_F_CPU_CURRENT, v);
    }
}

static void write_notes(struct dfr_reader *r, struct dfr_crash *c, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < c->notes.n; i++) {
        const struct dfr_note *n = &c->notes.v[i];
        uint32_t row = dfr_facts_row(r->f, DFR_T_NOTES);
        if (row == UINT32_MAX)
            return;
        uint32_t place = dfr_facts_place(r->f, dfr_normal_place(&r->norm, n->first, n->last));
        struct dfr_value v = dfr_v_str(dfr_str_slice(r->norm.text, n->first, n->last));
        v.trust = DFR_TRUST_PROSE;
        v.place = place;
        dfr_facts_cell(r->f, DFR_F_NOTES_TEXT, row, v);
        if (n->frame != UINT32_MAX && n->frame >= first && n->frame - first < count) {
            v = dfr_v_int(n->frame - first);
            v.trust = DFR_TRUST_PROSE;
            v.place = place;
        } else {
            v = dfr_v_absent(DFR_KIND_INT, DFR_REASON_NOT_APPLICABLE);
        }
        dfr_facts_cell(r->f, DFR_F_NOTES_FRAME, row, v);
    }
    /* People do not write down everything: that a remark is not there proves nothing. */
    r->f->tables[DFR_T_NOTES].reason = DFR_REASON_NOT_SHOWN;
}

void dfr_tx_crash_finish(struct dfr_reader *r, struct dfr_crash *c)
{
    r->c = c;
    r->f = c->f;
    write_identity(r, c);
    write_regs(r, c);
    uint32_t first, count;
    dfr_tx_stacks_finish(r, c, &first, &count);
    write_notes(r, c, first, count);
    write_cpu(r, c);
    struct dfr_value arch = *dfr_facts_scalar(c->f, DFR_F_DUMP_ARCH);
    if (arch.state != DFR_KNOWN && c->frames.n && c->wide != c->narrow) {
        uint32_t word = c->frames.v[0].first;
        if (!c->wide || !c->arm64)
            dfr_tx_put(r, DFR_F_DUMP_ARCH,
                       dfr_v_enum(DFR_E_ARCH, c->wide ? DFR_ARCH_X64 : DFR_ARCH_X86), word, word);
    }
    if (dfr_facts_scalar(c->f, DFR_F_DUMP_KIND)->state != DFR_KNOWN) {
        struct dfr_value kind = dfr_v_enum(DFR_E_DUMP_KIND, DFR_DUMP_KIND_TRANSCRIPT);
        dfr_facts_set(c->f, DFR_F_DUMP_KIND, kind);
    }
    dfr_facts_seal(c->f);
}
