/* Stack frames in every shape that debuggers print and pastes leave, and the stacks that they form.
 * A frame is known by its columns: addresses, then a symbol. The columns' meaning follows from their
 * number, their width, where the colons stand, and whether the frame is numbered. */
#include "text/stack.h"

#include <string.h>

enum { COLUMNS_MOST = 7, TAIL_WORDS = 40 };

struct column {
    uint64_t value;
    unsigned bits; /* 64 or 32 */
    bool dashes;
};

static bool hex_or_tick(struct dfr_str s, size_t *ret_digits)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '`' || s.p[i] == '\'')
            continue;
        if (!dfr_hex_run(dfr_str_slice(s, i, i + 1)))
            return false;
        digits++;
    }
    *ret_digits = digits;
    return digits > 0;
}

/* One address column at word `j`; an address that the end of a line cuts in two is one column. */
static uint32_t read_column(const struct dfr_reader *r, uint32_t j, struct column *ret)
{
    struct dfr_str s = dfr_tx_text(r, j);
    *ret = (struct column){0};
    if (dfr_tx_is(r, j, DFR_W_DASHES)) {
        *ret = (struct column){.bits = 64, .dashes = true};
        return j + 1;
    }
    if (dfr_tx_is(r, j, DFR_W_ADDR64)) {
        ret->bits = 64;
        return dfr_hex_value(s, &ret->value) ? j + 1 : j;
    }
    size_t a, b;
    if (j + 1 < r->words.n && s.len < 17 && hex_or_tick(s, &a) && a < 16 && a > 2) {
        struct dfr_str t = dfr_tx_text(r, j + 1);
        bool tick = s.p[s.len - 1] == '`' || memchr(s.p, '`', s.len);
        bool broken = dfr_tx_bol(r, j + 1) && (r->c->wide || tick) && t.len < 17;
        if ((broken || (tick && s.len == 9)) && hex_or_tick(t, &b) && a + b == 16) {
            uint64_t high, low;
            if (dfr_hex_value(s, &high) && dfr_hex_value(t, &low)) {
                *ret = (struct column){.value = high << (4 * b) | low, .bits = 64};
                return j + 2;
            }
        }
    }
    if (dfr_tx_is(r, j, DFR_W_ADDR32)) {
        ret->bits = 32;
        return dfr_hex_value(s, &ret->value) ? j + 1 : j;
    }
    return j;
}

static bool starts_frame(const struct dfr_reader *r, uint32_t j)
{
    struct column c;
    return read_column(r, j, &c) > j || dfr_tx_phrase(r, j, "(Inline Function)");
}

static const struct dfr_frame *last_frame(const struct dfr_reader *r)
{
    if (!r->stack || !r->c->frames.n)
        return NULL;
    return &r->c->frames.v[r->c->frames.n - 1];
}

/* A frame number before the columns: word index behind it, or `i`. */
static uint32_t frame_number(const struct dfr_reader *r, uint32_t i, int64_t *ret)
{
    struct dfr_str s = dfr_tx_text(r, i);
    uint64_t v;
    *ret = -1;
    if (!dfr_tx_is(r, i, DFR_W_HEX) || s.len > 3 || !dfr_hex_value(s, &v))
        return i;
    *ret = (int64_t)v;
    return i + 1;
}

/* Notes behind a symbol: `[file @ n]`, `(FPO: ...)`, `(CONV: ...)`, `(TrapFrame @ ...)`. */
static uint32_t read_tail(struct dfr_reader *r, uint32_t j, struct dfr_frame *f)
{
    while (j < r->words.n && !dfr_tx_bol(r, j)) {
        struct dfr_str s = dfr_tx_text(r, j);
        char open = s.p[0], close = open == '[' ? ']' : ')';
        if (open != '[' && open != '(')
            break;
        uint32_t end = j;
        int depth = 0;
        bool done = false;
        for (; end < r->words.n && end - j < TAIL_WORDS && !done; end++) {
            if (end > j && dfr_tx_bol(r, end))
                break;
            struct dfr_str w = dfr_tx_text(r, end);
            for (size_t k = 0; k < w.len; k++)
                depth += (w.p[k] == open) - (w.p[k] == close);
            done = depth <= 0;
        }
        if (!done)
            break;
        struct dfr_str note = dfr_tx_text_range(r, j, end - 1);
        if (open == '[') {
            if (dfr_str_find(note, DFR_STR(" @ ")) == SIZE_MAX && !memchr(note.p, '\\', note.len) &&
                !memchr(note.p, '/', note.len))
                break;
            if (end + 1 < r->words.n && dfr_tx_says(r, end, "@") && !dfr_tx_bol(r, end + 1)) {
                end += 2; /* `[file] @ 12` of marked-up output */
                note = dfr_tx_text_range(r, j, end - 1);
            }
            f->source = dfr_tx_strip(note, "[]");
        } else if (!dfr_str_starts(note, DFR_STR("(FPO:")) &&
                   !dfr_str_starts(note, DFR_STR("(CONV:")) &&
                   !dfr_str_starts(note, DFR_STR("(TrapFrame")) &&
                   !dfr_str_starts(note, DFR_STR("(Inline")) &&
                   !dfr_str_eq(note, DFR_STR("(No FPO)"))) {
            break;
        }
        j = end;
    }
    return j;
}

/* Give the columns their meaning; false when these are not the columns of a frame. */
static bool assign(struct dfr_frame *f, const struct column *c, unsigned n, const unsigned *colon,
                   unsigned colons, bool ret_only)
{
    unsigned at = 0;
    if (!n)
        return f->inlined;
    for (unsigned i = 1; i < n; i++)
        if (c[i].bits != c[0].bits && !c[i].dashes && !c[0].dashes)
            return false;
    unsigned before = colons ? colon[0] : n;
    if (before == 0)
        return f->inlined;
    bool no_sp = before == 1 || (!colons && c[0].bits == 64 && n == 5) || ret_only;
    if (!colons && n == 1 && f->index < 0)
        return false; /* address and symbol: a log line, read elsewhere */
    if (before > 2 && colons)
        return false;
    if (!no_sp) {
        f->has_sp = !c[at].dashes;
        f->sp = c[at++].value;
    }
    if (at < n) {
        f->has_ret = !c[at].dashes;
        f->ret = c[at++].value;
    }
    for (; at < n && f->args < 4; at++)
        f->arg[f->args++] = c[at].value;
    return true;
}

uint32_t dfr_tx_frame(struct dfr_reader *r, uint32_t i)
{
    struct dfr_frame f = {.first = i, .index = -1};
    uint32_t j = i;
    if (dfr_tx_is(r, i, DFR_W_HEX)) {
        j = frame_number(r, i, &f.index);
        if (j == i)
            return i;
        int64_t memory;
        uint32_t behind = frame_number(r, j, &memory);
        if (behind > j && starts_frame(r, behind))
            j = behind; /* the Memory column of kf */
        if (!starts_frame(r, j))
            return i;
        const struct dfr_frame *last = last_frame(r);
        if (last && last->index < 0 && f.index != 0)
            f.index = -1; /* kf without numbers */
    }
    if (dfr_tx_phrase(r, j, "(Inline Function)")) {
        f.inlined = true;
        j += 2;
    }
    struct column c[COLUMNS_MOST];
    unsigned n = 0, colon[2] = {0}, colons = 0;
    for (;;) {
        if (dfr_tx_is(r, j, DFR_W_COLON) && colons < 2) {
            colon[colons++] = n;
            j++;
            continue;
        }
        if (n == COLUMNS_MOST || colons == 2)
            break;
        uint32_t next = read_column(r, j, &c[n]);
        if (next == j)
            break;
        n++;
        j = next;
    }
    if (colons == 2 && colon[1] - colon[0] > 4)
        return i;
    f.symbol_first = j;
    uint32_t end = dfr_tx_symbol(r, j, &f.sym, &f.unloaded);
    if (end == j && r->out == DFR_OUT_CALLS && n == 0)
        return i;
    if (end == j && n >= 2 && f.index >= 0 && r->stack && dfr_tx_line_end(r, j, 3) == j + 1 &&
        !memchr(dfr_tx_text(r, j).p, '.', dfr_tx_text(r, j).len) &&
        !memchr(dfr_tx_text(r, j).p, '-', dfr_tx_text(r, j).len)) {
        f.sym.module = dfr_tx_text(r, j); /* a module alone: `08 ffff... ffff... drv` */
        end = f.sym.module.len && !dfr_tx_bol(r, j) ? j + 1 : j;
    }
    if (end == j || !assign(&f, c, n, colon, colons, false))
        return i;
    if (n && !c[0].dashes) {
        r->c->wide |= c[0].bits == 64;
        r->c->narrow |= c[0].bits == 32;
    }
    f.last = read_tail(r, end, &f) - 1;
    dfr_tx_frame_add(r, &f, DFR_STACK_BARE);
    return f.last + 1;
}

/* `81b250cd nt!IovAllocateMdl+0x3d`: a stack that a log kept. */
uint32_t dfr_tx_log_frame(struct dfr_reader *r, uint32_t i)
{
    struct dfr_frame f = {.first = i, .index = -1, .symbol_first = i + 1};
    struct column c;
    uint32_t j = read_column(r, i, &c);
    if (j == i || c.dashes || r->out == DFR_OUT_RAW)
        return i;
    uint32_t end = dfr_tx_symbol(r, j, &f.sym, &f.unloaded);
    if (end == j || dfr_tx_bol(r, j) || !f.sym.module.len || !(dfr_tx_bol(r, i) || r->stack))
        return i;
    f.has_address = true;
    f.address = c.value;
    f.last = read_tail(r, end, &f) - 1;
    dfr_tx_frame_add(r, &f, DFR_STACK_LOG);
    return f.last + 1;
}

/* A symbol alone on its line, numbered or not: kc, or a stack trimmed by hand. */
uint32_t dfr_tx_call(struct dfr_reader *r, uint32_t i)
{
    struct dfr_frame f = {.first = i, .index = -1};
    bool listed = r->out == DFR_OUT_CALLS;
    if (!dfr_tx_bol(r, i))
        return i;
    uint32_t j = frame_number(r, i, &f.index);
    if (j > i) {
        const struct dfr_frame *last = last_frame(r);
        if (f.index != 0 && (!last || last->index + 1 != f.index))
            return i;
        if (dfr_tx_bol(r, j))
            return i;
    }
    f.symbol_first = j;
    uint32_t end = dfr_tx_symbol(r, j, &f.sym, &f.unloaded);
    if (end == j && listed && f.index >= 0 && dfr_tx_line_end(r, i, 4) == j + 1) {
        f.sym.module = dfr_tx_text(r, j);
        end = j + 1;
    }
    if (end == j || !f.sym.module.len)
        return i;
    struct dfr_str s = dfr_tx_text_range(r, j, end - 1);
    if (s.p[s.len - 1] == ':' || s.p[s.len - 1] == ',' ||
        (!listed && f.index < 0 && !f.sym.func.len))
        return i;
    uint32_t tail = read_tail(r, end, &f);
    if (!listed && !dfr_tx_bol(r, tail) && !dfr_tx_remark_mark(dfr_tx_text(r, tail)))
        return i;
    f.last = tail - 1;
    dfr_tx_frame_add(r, &f, DFR_STACK_CALLS);
    return f.last + 1;
}

/* `WARNING: Stack unwind information not available. Following frames may be wrong.` and
 * `WARNING: Frame IP not in any known module. Following frames may be wrong.` */
uint32_t dfr_tx_stack_warning(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "WARNING: Stack unwind information not available.");
    if (!n)
        n = dfr_tx_phrase(r, i, "WARNING: Frame IP not in any known module.");
    if (!n)
        return i;
    uint32_t end = i + n;
    uint32_t more = dfr_tx_phrase(r, end, "Following frames may be wrong.");
    end += more;
    r->stack_uncertain = true;
    return end;
}

/* Column headings: `# Child-SP RetAddr : Args to Child : Call Site`, `ChildEBP RetAddr Args to Child`. */
uint32_t dfr_tx_stack_heading(struct dfr_reader *r, uint32_t i)
{
    static const char *const words[] = {"#",       "Memory", "Child-SP", "ChildEBP", "ChildESP",
                                        "RetAddr", ":",      "Args",     "to",       "Child",
                                        "Call",    "Site",   "Return",   "Info"};
    uint32_t j = i, real = 0;
    bool call_site = false;
    for (; j < r->words.n && j - i < 14; j++) {
        struct dfr_str s = dfr_tx_text(r, j);
        size_t k = 0;
        while (k < sizeof words / sizeof *words && !dfr_str_eq(s, dfr_str_from(words[k])))
            k++;
        if (k == sizeof words / sizeof *words)
            break;
        if (j > i && dfr_tx_bol(r, j) && s.p[0] == '#')
            break;
        real += k >= 2 && k <= 5;
        call_site |= dfr_str_eq(s, DFR_STR("Site")) && dfr_tx_says(r, j - 1, "Call");
    }
    if (!real && !call_site)
        return i;
    dfr_tx_stack_close(r);
    if (!real)
        r->out = DFR_OUT_CALLS;
    else if (r->out == DFR_OUT_CALLS || r->out == DFR_OUT_NONE || r->out == DFR_OUT_OTHER ||
             r->out == DFR_OUT_RAW)
        r->out = DFR_OUT_STACK;
    dfr_tx_stack_open(r, real ? DFR_STACK_K : DFR_STACK_CALLS, i);
    return j;
}

uint32_t dfr_tx_stack_text(struct dfr_reader *r, uint32_t i)
{
    dfr_tx_stack_close(r);
    r->out = DFR_OUT_ANALYZE;
    dfr_tx_stack_open(r, DFR_STACK_TEXT, i);
    return i + 1;
}
