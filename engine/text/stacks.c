/* Which frames form one stack, which stack is the crashing one, and the rows of both stack tables. */
#include "text/stack.h"

#include <string.h>

enum { CALLS_LEAST = 3, LOG_LEAST = 2, PROSE_GAP = 6 };

bool dfr_tx_is_bugcheck_call(const struct dfr_sym *s)
{
    return dfr_str_starts(s->func, DFR_STR("KeBugCheck")) ||
           dfr_str_eq(s->func, DFR_STR("KiBugCheckDispatch")) ||
           dfr_str_eq(s->func, DFR_STR("KiDoubleFaultAbort"));
}

static bool is_kebugcheckex(const struct dfr_sym *s)
{
    return dfr_str_eq(s->func, DFR_STR("KeBugCheckEx")) ||
           dfr_str_eq(s->func, DFR_STR("KeBugCheck"));
}

bool dfr_tx_remark_mark(struct dfr_str s)
{
    static const char *const marks[] = {"<-", "//", "<=", "<<", "##", "/*",
                                        "->", "=>", "--", "^",  ";",  "#"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (dfr_str_starts(s, dfr_str_from(marks[i])))
            return true;
    return false;
}

void dfr_tx_stack_open(struct dfr_reader *r, enum dfr_stack_kind kind, uint32_t title)
{
    dfr_tx_stack_close(r);
    struct dfr_stack *s = DFR_PUSH(r->a, &r->c->stacks);
    *s = (struct dfr_stack){0}; /* the slot may have held a stack that was dropped */
    s->first = r->c->frames.n;
    s->kind = kind;
    /* A thread that was asked for runs on no processor that the prompt names. */
    s->cpu = r->other_thread && r->has_thread ? -1 : r->prompt_cpu;
    s->follows_context = r->set_context;
    s->thread = r->thread;
    s->has_thread = r->has_thread;
    if (r->other_thread)
        s->kind = DFR_STACK_OTHER;
    else if (r->out == DFR_OUT_LOG)
        s->kind = DFR_STACK_LOG;
    if (r->command != DFR_NO_WORD)
        s->title = dfr_tx_text_range(r, r->command, r->command_end - 1);
    else if (title != DFR_NO_WORD)
        s->title = dfr_tx_strip(dfr_tx_text(r, title), ":");
    r->stack = r->c->stacks.n;
}

/* Words of prose that stand between the last frame and the next one. */
static uint32_t loose_words(const struct dfr_reader *r, uint32_t next)
{
    if (r->loose == DFR_NO_WORD || r->loose >= next)
        return 0;
    uint32_t i = r->loose;
    while (i < next && !dfr_tx_bol(r, i))
        i++; /* what stands behind the frame on its own line is a remark */
    return next - i;
}

/* Functions that KeBugCheckEx itself calls; any other frame above it is of another stack. */
static bool may_be_above_bugcheck(const struct dfr_sym *s)
{
    static const char *const starts[] = {"KeBugCheck", "KiBugCheck", "Rtlp", "Dbg", "Kd"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (dfr_str_starts(s->func, dfr_str_from(starts[i])))
            return true;
    return dfr_str_starts(s->func, DFR_STR("_")) || !s->func.len;
}

static bool continues(const struct dfr_reader *r, const struct dfr_stack *s,
                      const struct dfr_frame *f, enum dfr_stack_kind kind)
{
    if (!s->count || r->out == DFR_OUT_LOG)
        return true;
    const struct dfr_frame *last = &r->c->frames.v[r->c->frames.n - 1];
    if (f->index >= 0 && last->index >= 0)
        return f->index > last->index || (f->inlined && f->index == last->index);
    if (s->kind != DFR_STACK_OTHER && kind != s->kind &&
        (kind == DFR_STACK_LOG || kind == DFR_STACK_CALLS || s->kind == DFR_STACK_LOG ||
         s->kind == DFR_STACK_CALLS))
        return kind == DFR_STACK_CALLS ? false : f->index >= 0 && last->index >= 0;
    if (is_kebugcheckex(&f->sym) && s->bugcheck_sp && f->has_sp && f->sp != s->bugcheck_sp)
        return false;
    if (is_kebugcheckex(&f->sym) && !may_be_above_bugcheck(&last->sym))
        return false;
    bool gap =
        loose_words(r, f->first) >= PROSE_GAP || (dfr_tx_word(r, f->first)->flags & DFR_W_BLOCK);
    if (!gap)
        return true;
    return f->has_sp && last->has_sp && f->sp > last->sp;
}

void dfr_tx_frame_add(struct dfr_reader *r, const struct dfr_frame *f, enum dfr_stack_kind kind)
{
    struct dfr_crash *c = r->c;
    if (r->stack && !continues(r, &c->stacks.v[r->stack - 1], f, kind))
        dfr_tx_stack_close(r);
    if (!r->stack) {
        if (kind == DFR_STACK_BARE && r->out == DFR_OUT_STACK)
            kind = DFR_STACK_K;
        dfr_tx_stack_open(r, kind, DFR_NO_WORD);
    }
    c = r->c;
    struct dfr_stack *s = &c->stacks.v[r->stack - 1];
    if (!s->count && kind == DFR_STACK_LOG && s->kind != DFR_STACK_OTHER)
        s->kind = DFR_STACK_LOG;
    struct dfr_frame *n = DFR_PUSH(r->a, &c->frames);
    *n = *f;
    s->uncertain |= r->stack_uncertain;
    n->uncertain = s->uncertain;
    r->stack_uncertain = false;
    s->count++;
    if (dfr_tx_is_bugcheck_call(&f->sym)) {
        s->bugcheck = true;
        if (is_kebugcheckex(&f->sym) && f->has_sp && !s->bugcheck_sp)
            s->bugcheck_sp = f->sp;
    }
    r->frame = c->frames.n;
}

/* Was the instruction that faulted below the call at frame `i` outside of drivers? Behind the call, the kernel
 * makes another bug check, such as 0xD1, of IRQL_NOT_LESS_OR_EQUAL in a driver. */
static bool fault_in_kernel(const struct dfr_frame *v, uint32_t i, uint32_t n)
{
    for (; i + 1 < n; i++) {
        if (!dfr_str_starts(v[i].sym.func, DFR_STR("KiPageFault")) &&
            !dfr_str_starts(v[i].sym.func, DFR_STR("KiTrap0E")))
            continue;
        struct dfr_str at = v[i + 1].sym.module;
        return !v[i + 1].unloaded &&
               (!at.len || dfr_str_eq_ci(at, DFR_STR("nt")) || dfr_str_eq_ci(at, DFR_STR("hal")));
    }
    return false;
}

/* The identity that KeBugCheckEx received, from its argument columns: the last resort. */
static void identity_of(struct dfr_reader *r, const struct dfr_stack *s)
{
    const struct dfr_frame *v = r->c->frames.v + s->first;
    for (uint32_t i = 0; i < s->count && i < 8; i++) {
        if (!dfr_str_starts(v[i].sym.func, DFR_STR("KeBugCheck")))
            continue;
        if (v[i].args < 2 || v[i].arg[0] > UINT32_MAX || !v[i].arg[0])
            return;
        if (!dfr_bugcheck_info(dfr_bugcheck_code((uint32_t)v[i].arg[0])))
            return;
        if (v[i].arg[0] == 0xA && !fault_in_kernel(v, i, s->count))
            return;
        struct dfr_bug_seen b = {.has_code = true,
                                 .code = v[i].arg[0],
                                 .source = DFR_SRC_FRAME,
                                 .first = v[i].first,
                                 .last = v[i].last};
        for (unsigned k = 1; k < v[i].args; k++) {
            b.arg[k - 1] = v[i].arg[k];
            b.digits[k - 1] = r->c->wide ? 16 : 8;
            b.arg_word[k - 1] = v[i].first;
            if (b.code != 0x50 || k < 3) /* the kernel replaces that one's third argument */
                b.mask |= 1u << (k - 1);
        }
        dfr_tx_bug_seen(r, &b);
        return;
    }
}

/* Does the stack's KeBugCheckEx have another code than the crash that the text speaks of? */
static bool names_other_code(const struct dfr_crash *c, const struct dfr_stack *s)
{
    for (uint32_t i = s->first; i < s->first + s->count; i++) {
        const struct dfr_frame *f = &c->frames.v[i];
        if (!is_kebugcheckex(&f->sym) || f->args < 3 || f->arg[0] > UINT32_MAX)
            continue;
        uint32_t code = dfr_bugcheck_code((uint32_t)f->arg[0]);
        return code != 0xA && code != 0x50 && dfr_bugcheck_info(code) &&
               c->code.source <= DFR_SRC_KEY && !c->code.prose &&
               code != dfr_bugcheck_code((uint32_t)c->code.value);
    }
    return false;
}

/* Does the stack that just ended belong to another crash than the one at hand? One machine calls
 * KeBugCheckEx once, so a second call with another stack pointer and other arguments is another crash. */
static bool is_other_crash(const struct dfr_reader *r, const struct dfr_stack *s)
{
    if (!s->bugcheck_sp || s->kind == DFR_STACK_OTHER)
        return false;
    bool other = names_other_code(r->c, s);
    for (uint32_t i = 0; i < r->c->stacks.n && !other; i++) {
        const struct dfr_stack *t = &r->c->stacks.v[i];
        if (t == s || !t->bugcheck_sp || t->kind == DFR_STACK_OTHER)
            continue;
        if (t->bugcheck_sp == s->bugcheck_sp)
            return false;
        other = true;
    }
    if (!other)
        return false;
    const struct dfr_crash *c = r->c;
    for (uint32_t i = s->first; i < s->first + s->count; i++) {
        const struct dfr_frame *f = &c->frames.v[i];
        if (!is_kebugcheckex(&f->sym) || f->args < 3)
            continue;
        if (c->arg[0].source < DFR_SRC_FRAME && c->arg[1].source < DFR_SRC_FRAME &&
            f->arg[1] == c->arg[0].value && f->arg[2] == c->arg[1].value)
            return false;
    }
    return true;
}

void dfr_tx_stack_close(struct dfr_reader *r)
{
    if (!r->stack)
        return;
    struct dfr_crash *c = r->c;
    struct dfr_stack s = c->stacks.v[r->stack - 1];
    r->stack = 0;
    r->stack_uncertain = false;
    uint32_t least = s.kind == DFR_STACK_CALLS && r->out != DFR_OUT_CALLS ? CALLS_LEAST
                     : s.kind == DFR_STACK_LOG                            ? LOG_LEAST
                                                                          : 1;
    if (s.count < least) {
        c->frames.n = s.first;
        c->stacks.n--;
        return;
    }
    c->evidence += s.count;
    if (is_other_crash(r, &c->stacks.v[c->stacks.n - 1])) {
        uint32_t first = s.first;
        c->stacks.n--;
        struct dfr_crash *n = dfr_tx_crash_begin(r, c->frames.v[first].first);
        for (uint32_t i = 0; i < s.count; i++)
            *DFR_PUSH(r->a, &n->frames) = c->frames.v[first + i];
        c->frames.n = first;
        /* Remarks on the frames that moved move with them. */
        uint32_t kept = 0;
        for (uint32_t i = 0; i < c->notes.n; i++) {
            struct dfr_note note = c->notes.v[i];
            if (note.frame != UINT32_MAX && note.frame >= first) {
                note.frame -= first;
                *DFR_PUSH(r->a, &n->notes) = note;
            } else {
                c->notes.v[kept++] = note;
            }
        }
        c->notes.n = kept;
        s.first = 0;
        *DFR_PUSH(r->a, &n->stacks) = s;
        n->wide = c->wide;
        n->narrow = c->narrow;
        n->evidence += s.count;
        n->cpu = s.cpu;
        if (r->frame)
            r->frame = r->frame > first ? r->frame - first : 0;
        if (r->loose_frame != UINT32_MAX)
            r->loose_frame = r->loose_frame >= first ? r->loose_frame - first : UINT32_MAX;
    }
    if (s.kind != DFR_STACK_OTHER)
        identity_of(r, &r->c->stacks.v[r->c->stacks.n - 1]);
}

/* How well a stack fits as the crashing one; 0: it cannot be. */
static int fitness(const struct dfr_crash *c, const struct dfr_stack *s)
{
    int fit = 0;
    switch (s->kind) {
    case DFR_STACK_TEXT:
        fit = 60;
        break;
    case DFR_STACK_K:
        fit = 40;
        break;
    case DFR_STACK_BARE:
        fit = 35;
        break;
    case DFR_STACK_CALLS:
        fit = 10;
        break;
    default:
        return 0;
    }
    if (s->bugcheck)
        fit += 15;
    if (s->follows_context)
        fit += 12;
    if (s->has_thread && c->has_thread && s->thread != c->thread)
        return 0;
    if (s->cpu >= 0 && c->cpu >= 0 && s->cpu != c->cpu && !s->bugcheck)
        fit -= 30;
    if (s->elided)
        fit -= 2;
    return fit > 0 ? fit : 1;
}

static struct dfr_value frame_module(const struct dfr_reader *r, const struct dfr_frame *f)
{
    return f->sym.module.len ? dfr_facts_module(r->f, f->sym.module)
                             : dfr_v_absent(DFR_KIND_MODULE, DFR_REASON_NOT_APPLICABLE);
}

static void frame_cells(struct dfr_reader *r, const struct dfr_frame *f, uint32_t row, bool main)
{
    uint32_t a = f->first, b = f->last, sym = f->symbol_first;
    dfr_tx_put_cell(r, main ? DFR_F_STACK_SYM : DFR_F_OTHER_STACKS_SYM, row,
                    dfr_facts_sym(r->f, f->sym), sym, b);
    dfr_tx_put_cell(r, main ? DFR_F_STACK_MODULE : DFR_F_OTHER_STACKS_MODULE, row,
                    frame_module(r, f), sym, b);
    uint32_t func = main ? DFR_F_STACK_FUNC : DFR_F_OTHER_STACKS_FUNC;
    if (f->sym.func.len)
        dfr_tx_put_cell(r, func, row, dfr_v_str(f->sym.func), sym, b);
    else
        dfr_tx_put_cell(r, func, row, dfr_v_unknown(DFR_KIND_STR, DFR_REASON_NO_SYMBOLS), sym, b);
    if (f->has_sp)
        dfr_tx_put_cell(r, main ? DFR_F_STACK_SP : DFR_F_OTHER_STACKS_SP, row, dfr_v_addr(f->sp), a,
                        b);
    if (f->has_ret)
        dfr_tx_put_cell(r, main ? DFR_F_STACK_RET : DFR_F_OTHER_STACKS_RET, row, dfr_v_addr(f->ret),
                        a, b);
    if (f->remark.len) {
        struct dfr_value v = dfr_v_str(f->remark);
        v.trust = DFR_TRUST_PROSE;
        dfr_tx_put_cell(r, main ? DFR_F_STACK_REMARK : DFR_F_OTHER_STACKS_REMARK, row, v,
                        f->remark_first, f->remark_last);
    }
}

static void write_frame(struct dfr_reader *r, const struct dfr_frame *f,
                        const struct dfr_frame *newer, uint32_t index)
{
    uint32_t a = f->first, b = f->last, row = dfr_tx_new_row(r, DFR_T_STACK, a, b);
    dfr_tx_put_cell(r, DFR_F_STACK_INDEX, row, dfr_v_int(index), a, b);
    frame_cells(r, f, row, true);
    if (f->sym.has_offset && f->sym.offset <= INT64_MAX && f->sym.module.len)
        dfr_tx_put_cell(r, DFR_F_STACK_OFFSET, row, dfr_v_int((int64_t)f->sym.offset),
                        f->symbol_first, b);
    else if (f->sym.module.len && f->sym.func.len)
        dfr_tx_put_cell(r, DFR_F_STACK_OFFSET, row, dfr_v_int(0), f->symbol_first, b);
    bool consecutive = newer && (f->index < 0 || newer->index < 0 || f->index == newer->index + 1);
    if (!f->sym.module.len)
        dfr_tx_put_cell(r, DFR_F_STACK_ADDRESS, row, dfr_v_addr(f->sym.offset), f->symbol_first, b);
    else if (f->has_address)
        dfr_tx_put_cell(r, DFR_F_STACK_ADDRESS, row, dfr_v_addr(f->address), a, a);
    else if (consecutive && newer->has_ret && !newer->inlined && !f->inlined)
        dfr_tx_put_cell(r, DFR_F_STACK_ADDRESS, row, dfr_v_addr(newer->ret), newer->first,
                        newer->last);
    dfr_tx_put_cell(r, DFR_F_STACK_INLINE, row, dfr_v_bool(f->inlined), a, b);
    dfr_tx_put_cell(r, DFR_F_STACK_UNLOADED, row, dfr_v_bool(f->unloaded), a, b);
    dfr_tx_put_cell(
        r, DFR_F_STACK_METHOD, row,
        dfr_v_enum(DFR_E_METHOD, f->uncertain ? DFR_METHOD_UNCERTAIN : DFR_METHOD_LISTED), a, b);
    dfr_tx_put_cell(r, DFR_F_STACK_TRUST, row, dfr_v_enum(DFR_E_TRUST, DFR_TRUST_DEBUGGER), a, b);
    for (unsigned k = 0; k < f->args; k++)
        dfr_tx_put_cell(r, DFR_F_STACK_ARG1 + k, row, dfr_v_addr(f->arg[k]), a, b);
    if (f->source.len)
        dfr_tx_put_cell(r, DFR_F_STACK_SOURCE, row, dfr_v_str(f->source), a, b);
}

/* Functions below which a stack holds nothing more. */
static bool is_bottom(const struct dfr_frame *f)
{
    static const char *const starts[] = {
        "KiThreadStartup", "KxStartSystemThread", "KiStartSystemThread", "PspSystemThreadStartup",
        "KiIdleLoop",      "RtlUserThreadStart",  "_RtlUserThreadStart", "BaseThreadInitThunk",
        "BaseThreadStart", "LdrInitializeThunk",  "BaseProcessStart"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (dfr_str_eq(f->sym.func, dfr_str_from(starts[i])))
            return true;
    return false;
}

static void write_main(struct dfr_reader *r, struct dfr_crash *c, const struct dfr_stack *s)
{
    bool whole = s->kind == DFR_STACK_TEXT || s->kind == DFR_STACK_K;
    whole &= !s->elided && !s->uncertain;
    const struct dfr_frame *v = c->frames.v + s->first;
    for (uint32_t i = 0; i < s->count; i++) {
        write_frame(r, &v[i], i ? &v[i - 1] : NULL, i);
        whole &= v[i].sym.module.len != 0 && !v[i].unloaded;
        if (i && v[i].index >= 0 && v[i - 1].index >= 0)
            whole &= v[i].index == v[i - 1].index + 1;
    }
    if (s->count && v[0].index > 0)
        whole = false;
    const struct dfr_frame *bottom = &v[s->count - 1];
    struct dfr_rows *t = &r->f->tables[DFR_T_STACK];
    t->complete = whole && bottom->has_ret && bottom->ret == 0 && is_bottom(bottom);
    if (!t->complete)
        t->reason = s->elided ? DFR_REASON_ELIDED : DFR_REASON_NOT_SHOWN;
}

static void write_other(struct dfr_reader *r, struct dfr_crash *c, const struct dfr_stack *s,
                        uint32_t number)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct dfr_frame *f = &c->frames.v[s->first + i];
        uint32_t row = dfr_tx_new_row(r, DFR_T_OTHER_STACKS, f->first, f->last);
        dfr_tx_put_cell(r, DFR_F_OTHER_STACKS_STACK, row, dfr_v_int(number), f->first, f->last);
        dfr_tx_put_cell(r, DFR_F_OTHER_STACKS_INDEX, row, dfr_v_int(i), f->first, f->last);
        frame_cells(r, f, row, false);
        if (s->has_thread)
            dfr_tx_put_cell(r, DFR_F_OTHER_STACKS_THREAD, row, dfr_v_addr(s->thread), f->first,
                            f->last);
        if (s->cpu >= 0)
            dfr_tx_put_cell(r, DFR_F_OTHER_STACKS_CPU, row, dfr_v_int(s->cpu), f->first, f->last);
        if (s->title.len)
            dfr_tx_put_cell(r, DFR_F_OTHER_STACKS_TITLE, row, dfr_v_str(s->title), f->first,
                            f->last);
    }
}

void dfr_tx_stacks_finish(struct dfr_reader *r, struct dfr_crash *c, uint32_t *ret_first,
                          uint32_t *ret_count)
{
    *ret_first = UINT32_MAX;
    *ret_count = 0;
    uint32_t best = UINT32_MAX;
    int best_fit = 0;
    for (uint32_t i = 0; i < c->stacks.n; i++) {
        int fit = fitness(c, &c->stacks.v[i]);
        if (fit > best_fit) {
            best = i;
            best_fit = fit;
        }
    }
    if (best != UINT32_MAX) {
        write_main(r, c, &c->stacks.v[best]);
        *ret_first = c->stacks.v[best].first;
        *ret_count = c->stacks.v[best].count;
    }
    uint32_t number = 1;
    for (uint32_t i = 0; i < c->stacks.n; i++)
        if (i != best)
            write_other(r, c, &c->stacks.v[i], number++);
}
