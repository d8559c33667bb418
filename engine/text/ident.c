/* The bug check's identity, in every place where debuggers, blue screens and reports print it. */
#include "text/sections.h"

#include <string.h>

enum { DESCRIPTION_WORDS = 300, ARG_GAP_WORDS = 200, LIST_BYTES = 300 };

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The symbolic name at the end of a word, which may be glued to prose: `)UNEXPECTED_KERNEL_MODE_TRAP`. */
static struct dfr_str name_suffix(struct dfr_str s)
{
    s = dfr_tx_strip(s, "`*\"'");
    size_t i = s.len;
    while (i && is_name_char(s.p[i - 1]))
        i--;
    return dfr_str_slice(s, i, s.len);
}

/* Up to four numbers between brackets in the text from byte `at`; the number read, 0: not a list. */
static unsigned read_list(const struct dfr_reader *r, size_t at, char open, char close,
                          struct dfr_bug_seen *b, size_t *ret_end)
{
    struct dfr_str s = dfr_str_slice(r->norm.text, at, at + LIST_BYTES);
    size_t i = 0;
    while (i < s.len &&
           (s.p[i] == ' ' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == ':' || s.p[i] == '\t'))
        i++;
    if (i >= s.len || s.p[i] != open)
        return 0;
    unsigned n = 0;
    for (i++; i < s.len && s.p[i] != close && n < 4;) {
        if (s.p[i] == ' ' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\t') {
            i++;
            continue;
        }
        size_t k = i;
        while (k < s.len && s.p[k] != ' ' && s.p[k] != ',' && s.p[k] != '\n' && s.p[k] != close)
            k++;
        struct dfr_str v = dfr_str_slice(s, i, k);
        if (!dfr_hex_value(v, &b->arg[n]))
            return 0;
        b->digits[n] = (uint32_t)v.len;
        b->mask |= 1u << n++;
        i = k;
    }
    while (i < s.len && s.p[i] != close)
        i++;
    *ret_end = at + i + (i < s.len);
    return n;
}

/* First word that ends at or behind byte `end`, for taking words up to there. */
static uint32_t word_behind(const struct dfr_reader *r, uint32_t i, size_t end)
{
    while (i < r->words.n && r->words.v[i].at < end)
        i++;
    return i;
}

static void args_at(struct dfr_bug_seen *b, uint32_t word)
{
    for (unsigned k = 0; k < 4; k++)
        b->arg_word[k] = word;
}

/* Which argument does `Arg2:`, `Arg2` name? 0: none. */
static unsigned arg_number(struct dfr_str s)
{
    if (s.len < 4 || s.len > 5 || memcmp(s.p, "Arg", 3) != 0 || s.p[3] < '1' || s.p[3] > '4')
        return 0;
    return s.len == 4 || s.p[4] == ':' ? (unsigned)(s.p[3] - '0') : 0;
}

/* The same, when a value may stand behind it: without a colon only long numbers are one, for `Arg2 be` is prose. */
static unsigned arg_here(const struct dfr_reader *r, uint32_t i)
{
    struct dfr_str s = dfr_tx_text(r, i);
    unsigned n = arg_number(s);
    if (!n || s.len == 5 || dfr_tx_is(r, i + 1, DFR_W_COLON))
        return n;
    uint64_t v;
    s = dfr_tx_strip(dfr_tx_text(r, i + 1), ",;\"*");
    return dfr_hex_value(s, &v) && s.len >= 8 ? n : 0;
}

/* The value behind `ArgN:`; false when there is none to read. */
static bool arg_value(const struct dfr_reader *r, uint32_t i, uint64_t *ret, uint32_t *ret_digits)
{
    struct dfr_str s = dfr_tx_strip(dfr_tx_text(r, i), ",;\"*");
    size_t digits = dfr_hex_run(s);
    if (!dfr_hex_value(s, ret))
        return false;
    *ret_digits = (uint32_t)(digits < s.len ? s.len - 1 : digits);
    return true;
}

/* Behind an argument's value: its comment, to the next argument or the end of the line. */
static uint32_t skip_comment(const struct dfr_reader *r, uint32_t i)
{
    struct dfr_str value = dfr_tx_text(r, i);
    uint32_t j = i + 1;
    bool comma = value.len && value.p[value.len - 1] == ',';
    if (!comma && !dfr_tx_says(r, j, ","))
        return j;
    uint32_t end = dfr_tx_line_end(r, i, 40);
    for (; j < end; j++)
        if (arg_here(r, j) || dfr_tx_is(r, j, DFR_W_KEY) || dfr_tx_is(r, j, DFR_W_PROMPT))
            return j;
    return end - i < 40 ? end : i + 1;
}

/* One `ArgN: value, comment`; then those of the same group that follow. */
static uint32_t read_args(struct dfr_reader *r, uint32_t i, struct dfr_bug_seen *b)
{
    uint32_t end = i;
    unsigned last = 0;
    for (uint32_t j = i; j < r->words.n && j - end < ARG_GAP_WORDS;) {
        unsigned n = arg_here(r, j);
        if (!n) {
            if (dfr_tx_is(r, j, DFR_W_PROMPT) || dfr_tx_is(r, j, DFR_W_KEY))
                break;
            j++;
            continue;
        }
        if (n <= last)
            break;
        last = n;
        uint32_t v = j + 1;
        if (dfr_tx_is(r, v, DFR_W_COLON))
            v++;
        if (arg_value(r, v, &b->arg[n - 1], &b->digits[n - 1])) {
            b->mask |= 1u << (n - 1);
            b->arg_word[n - 1] = v;
        } else {
            struct dfr_value u = dfr_v_unknown(DFR_KIND_ADDR, DFR_REASON_ELIDED);
            if (!dfr_str_ends_ci(dfr_tx_text(r, v), DFR_STR("...")))
                u = dfr_v_unknown(DFR_KIND_ADDR, DFR_REASON_NOT_UNDERSTOOD);
            u.place = dfr_tx_place_of(r, j, v);
            dfr_facts_set(r->f, DFR_F_BUGCHECK_ARG1 + n - 1, u);
        }
        j = end = skip_comment(r, v);
        if (n == 4)
            break;
    }
    return end;
}

/* Next argument line at or behind `i`; walks forward once over the whole text. */
static uint32_t next_args(struct dfr_reader *r, uint32_t i)
{
    if (r->next_args < i)
        r->next_args = i;
    while (r->next_args < r->words.n && !arg_here(r, r->next_args))
        r->next_args++;
    return r->next_args;
}

uint32_t dfr_tx_arg_line(struct dfr_reader *r, uint32_t i)
{
    if (!arg_here(r, i))
        return i;
    struct dfr_bug_seen b = {.source = DFR_SRC_EXACT, .first = i};
    uint32_t end = read_args(r, i, &b);
    if (end == i)
        return i;
    b.last = end - 1;
    if (b.mask)
        dfr_tx_bug_seen(r, &b);
    return end;
}

/* The description between the name and `Arguments:`. When the arguments are not there, the lines up to the first
 * empty one, cut mark or address. */
static uint32_t description_end(struct dfr_reader *r, uint32_t i, bool *ret_args)
{
    uint32_t args = next_args(r, i);
    *ret_args = false;
    uint32_t j = i;
    for (; j < args && j - i < DESCRIPTION_WORDS; j++) {
        const struct dfr_word *w = dfr_tx_word(r, j);
        if (w->cls == DFR_W_PROMPT || w->cls == DFR_W_ADDR64 ||
            (w->cls == DFR_W_KEY && !dfr_tx_says(r, j, "NOTE:")))
            break;
        if (j > i && dfr_tx_name_code_here(r, j))
            break;
    }
    if (j == args && j < r->words.n) {
        *ret_args = true;
        return args;
    }
    uint32_t stop = j;
    for (j = i; j < stop; j++) {
        const struct dfr_word *w = dfr_tx_word(r, j);
        if (j > i && (w->flags & (DFR_W_PARA | DFR_W_BLOCK)))
            break;
        if (w->cls == DFR_W_ADDR64 || w->cls == DFR_W_ADDR32 ||
            dfr_tx_is_elision(dfr_tx_text(r, j)))
            break;
    }
    return j - i < 120 ? j : i;
}

/* Is word `i` the `(7f)` of `UNEXPECTED_KERNEL_MODE_TRAP (7f)`? */
bool dfr_tx_name_code_here(const struct dfr_reader *r, uint32_t i)
{
    struct dfr_str s = dfr_tx_text(r, i);
    if (!i || s.len < 3 || s.p[0] != '(')
        return false;
    size_t digits = dfr_hex_run(dfr_str_slice(s, 1, s.len));
    if (!digits || digits > 8 || 1 + digits >= s.len || s.p[1 + digits] != ')')
        return false;
    struct dfr_str name = name_suffix(dfr_tx_text(r, i - 1));
    uint64_t code;
    if (name.len < 4 || !dfr_hex_value(dfr_str_slice(s, 1, 1 + digits), &code))
        return false;
    uint32_t plain = dfr_bugcheck_code((uint32_t)code);
    if (dfr_str_ends_ci(name, DFR_STR("_M")))
        name.len -= 2; /* what small dumps say */
    const struct dfr_bugcheck_info *known = dfr_bugcheck_by_name(name);
    if (known && known->code == plain)
        return true;
    /* Words in capitals before a number in brackets: `PASSIVE_LEVEL (0)` is no bug check. A name that is not
     * known has a line for itself. */
    return memchr(name.p, '_', name.len) && !dfr_str_ends_ci(name, DFR_STR("_LEVEL")) &&
           name.p == dfr_tx_text(r, i - 1).p && dfr_tx_bol(r, i - 1) && dfr_tx_bol(r, i + 1) &&
           !dfr_tx_bol(r, i) && 2 + digits == s.len;
}

/* The name stands before the word that was recognised: take it from the prose that it may be glued to. */
static void take_name(struct dfr_reader *r, uint32_t i, struct dfr_str name)
{
    struct dfr_word *before = &r->words.v[i - 1], *here = &r->words.v[i];
    uint32_t at = (uint32_t)(name.p - r->norm.text.p);
    if (at == before->at || r->loose == DFR_NO_WORD) {
        r->taken_before = 1;
        return;
    }
    here->len += here->at - at;
    here->at = at;
    before->len = at - before->at;
}

uint32_t dfr_tx_name_code(struct dfr_reader *r, uint32_t i)
{
    if (!dfr_tx_name_code_here(r, i))
        return i;
    struct dfr_str s = dfr_tx_text(r, i);
    struct dfr_bug_seen b = {
        .has_code = true, .source = DFR_SRC_EXACT, .first = i - 1, .name_word = i - 1};
    b.name = name_suffix(dfr_tx_text(r, i - 1));
    if (!dfr_hex_value(dfr_str_slice(s, 1, 1 + dfr_hex_run(dfr_str_slice(s, 1, s.len))), &b.code))
        return i;
    bool args;
    uint32_t end = description_end(r, i + 1, &args);
    bool code_marks = memchr(dfr_tx_text(r, i - 1).p, '`', dfr_tx_text(r, i - 1).len) != NULL;
    bool starts_line = dfr_tx_bol(r, i - 1) || b.name.len < dfr_tx_text(r, i - 1).len;
    b.heads = args;
    if (args) {
        end = read_args(r, end, &b);
    } else if (code_marks || !starts_line) {
        b.source = DFR_SRC_MENTION; /* a sentence about the bug check */
        b.prose = true;
        end = i + 1;
    }
    b.last = i;
    r->out = b.prose ? r->out : DFR_OUT_ANALYZE;
    dfr_tx_bug_seen(r, &b);
    take_name(r, i, b.name);
    return end > i + 1 ? end : i + 1;
}

/* `BugCheck D1, {a, b, c, d}` and `Bugcheck: D1 (A, B, C, D)`. */
uint32_t dfr_tx_bugcheck_braces(struct dfr_reader *r, uint32_t i)
{
    struct dfr_str first = dfr_tx_text(r, i), s = dfr_tx_strip(dfr_tx_text(r, i + 1), ",:");
    struct dfr_bug_seen b = {.has_code = true, .source = DFR_SRC_EXACT, .first = i, .last = i + 1};
    bool round = dfr_str_ends_ci(first, DFR_STR(":"));
    if (s.len > 10 || !dfr_hex_value(s, &b.code))
        return i;
    const struct dfr_word *w = dfr_tx_word(r, i + 1);
    size_t end;
    if (!read_list(r, w->at + w->len, round ? '(' : '{', round ? ')' : '}', &b, &end))
        return i;
    args_at(&b, i + 2);
    b.heads = true;
    dfr_tx_bug_seen(r, &b);
    return word_behind(r, i + 2, end);
}

/* `Bugcheck code 0000009F` and on the next line `Arguments a b c d`; in reports of other tools
 * `Bugcheck code: 0x9F (0x..., 0x..., 0x..., 0x...)`. */
uint32_t dfr_tx_bugcheck_command(struct dfr_reader *r, uint32_t i)
{
    struct dfr_bug_seen b = {.has_code = true, .source = DFR_SRC_EXACT, .first = i, .last = i + 2};
    bool colon = dfr_tx_says_ci(r, i + 1, "code:");
    if ((!colon && !dfr_tx_says_ci(r, i + 1, "code")) || !dfr_tx_number(r, i + 2, &b.code))
        return i;
    if (colon) {
        const struct dfr_word *w = dfr_tx_word(r, i + 2);
        size_t end;
        if (!read_list(r, w->at + w->len, '(', ')', &b, &end))
            return i;
        args_at(&b, i + 3);
        dfr_tx_bug_seen(r, &b);
        return word_behind(r, i + 3, end);
    }
    uint32_t j = i + 3;
    if (dfr_tx_says_ci(r, j, "Arguments") || dfr_tx_says_ci(r, j, "Arguments:")) {
        j++;
        for (unsigned n = 0; n < 4 && dfr_tx_number(r, j, &b.arg[n]); n++, j++) {
            b.digits[n] = (uint32_t)dfr_tx_text(r, j).len;
            b.arg_word[n] = j;
            b.mask |= 1u << n;
        }
    }
    b.last = j - 1;
    dfr_tx_bug_seen(r, &b);
    return j;
}

/* `*** STOP: 0x0000007E (0x..., 0x..., 0x..., 0x...)`, `STOP 0x...`. */
uint32_t dfr_tx_stop(struct dfr_reader *r, uint32_t i)
{
    struct dfr_bug_seen b = {.has_code = true, .source = DFR_SRC_KEY, .first = i, .last = i + 1};
    struct dfr_str s = dfr_tx_strip(dfr_tx_text(r, i + 1), ",:");
    if (!dfr_str_starts_ci(s, DFR_STR("0x")) || s.len < 10)
        return i;
    size_t paren = 0;
    while (paren < s.len && s.p[paren] != '(')
        paren++;
    if (!dfr_hex_value(dfr_str_slice(s, 0, paren), &b.code) || b.code > UINT32_MAX)
        return i;
    const struct dfr_word *w = dfr_tx_word(r, i + 1);
    size_t end;
    bool listed = read_list(r, w->at + (paren < s.len ? paren : w->len), '(', ')', &b, &end) != 0;
    if (!listed && !dfr_tx_says(r, i - 1, "***"))
        b.source = DFR_SRC_MENTION;
    args_at(&b, i + 2);
    dfr_tx_bug_seen(r, &b);
    return listed ? word_behind(r, i + 2, end) : i + 2;
}

/* `*** Fatal System Error: 0x000000d1` and `(0x..., 0x..., 0x..., 0x...)`. */
uint32_t dfr_tx_fatal_error(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Fatal System Error:");
    struct dfr_bug_seen b = {.has_code = true, .source = DFR_SRC_EXACT, .first = i, .last = i + 3};
    if (!n || !dfr_tx_number(r, i + n, &b.code))
        return i;
    const struct dfr_word *w = dfr_tx_word(r, i + n);
    size_t end;
    bool listed = read_list(r, w->at + w->len, '(', ')', &b, &end) != 0;
    args_at(&b, i + n + 1);
    dfr_tx_put(r, DFR_F_DUMP_KIND, dfr_v_enum(DFR_E_DUMP_KIND, DFR_DUMP_KIND_LIVE), i, i + n);
    dfr_tx_bug_seen(r, &b);
    return listed ? word_behind(r, i + n + 1, end) : i + n + 1;
}

/* One-line records of other tools: `Bug Check Code: 0x0000009f; Parameter 1: 00000000`00000003; ...`. */
uint32_t dfr_tx_bug_check_code(struct dfr_reader *r, uint32_t i)
{
    struct dfr_bug_seen b = {.has_code = true, .source = DFR_SRC_EXACT, .first = i};
    if (!dfr_tx_phrase(r, i, "Bug Check Code") && !dfr_tx_phrase(r, i, "Bug Check Code:"))
        return i;
    uint32_t j = i + 3 + (uint32_t)dfr_tx_is(r, i + 3, DFR_W_COLON);
    if (!dfr_tx_number(r, j, &b.code))
        return i;
    j++;
    while (dfr_tx_says_ci(r, j, "Parameter")) {
        uint64_t n;
        uint32_t v = j + 2;
        if (!dfr_tx_number(r, j + 1, &n) || n < 1 || n > 4)
            break;
        if (dfr_tx_is(r, v, DFR_W_COLON))
            v++;
        if (!dfr_tx_number(r, v, &b.arg[n - 1]))
            break;
        b.digits[n - 1] = 16;
        b.arg_word[n - 1] = v;
        b.mask |= 1u << (n - 1);
        j = v + 1;
    }
    b.last = j - 1;
    dfr_tx_bug_seen(r, &b);
    return j;
}

/* Error reports: `BCCode: 116 BCP1: ... BCP4: ...`. */
uint32_t dfr_tx_wer_code(struct dfr_reader *r, uint32_t i)
{
    struct dfr_bug_seen b = {.has_code = true, .source = DFR_SRC_EXACT, .first = i};
    uint32_t j = i + 1;
    j += dfr_tx_is(r, j, DFR_W_COLON);
    if (!dfr_tx_number(r, j, &b.code))
        return i;
    j++;
    while (dfr_tx_text(r, j).len >= 4 && dfr_str_starts_ci(dfr_tx_text(r, j), DFR_STR("BCP"))) {
        unsigned n = (unsigned)(dfr_tx_text(r, j).p[3] - '0');
        uint32_t v = j + 1 + (uint32_t)dfr_tx_is(r, j + 1, DFR_W_COLON);
        if (n < 1 || n > 4 || !dfr_tx_number(r, v, &b.arg[n - 1]))
            break;
        b.digits[n - 1] = (uint32_t)dfr_tx_text(r, v).len;
        b.arg_word[n - 1] = v;
        b.mask |= 1u << (n - 1);
        j = v + 1;
    }
    b.last = j - 1;
    dfr_tx_bug_seen(r, &b);
    return j;
}

/* The system log: `The bugcheck was: 0x0000009f (0x..., 0x..., 0x..., 0x...).` */
uint32_t dfr_tx_event_log(struct dfr_reader *r, uint32_t i)
{
    struct dfr_bug_seen b = {.has_code = true, .source = DFR_SRC_KEY, .first = i, .last = i + 2};
    if (!dfr_tx_says(r, i + 1, "was:") || !dfr_tx_number(r, i + 2, &b.code))
        return i;
    const struct dfr_word *w = dfr_tx_word(r, i + 2);
    size_t end;
    if (!read_list(r, w->at + w->len, '(', ')', &b, &end))
        return i;
    args_at(&b, i + 3);
    dfr_tx_bug_seen(r, &b);
    r->taken_before = i && dfr_tx_says(r, i - 1, "The");
    return word_behind(r, i + 3, end);
}

/* BUGCHECK_CODE: and BUGCHECK_P1: to P4:, hexadecimal without 0x; `value` is the word behind the key. */
void dfr_tx_bugcheck_key(struct dfr_reader *r, uint32_t key, uint32_t value)
{
    struct dfr_str k = dfr_tx_strip(dfr_tx_text(r, key), ":");
    struct dfr_bug_seen b = {.source = DFR_SRC_KEY, .first = key, .last = value};
    uint64_t v;
    if (!dfr_tx_number(r, value, &v))
        return;
    if (dfr_str_eq(k, DFR_STR("BUGCHECK_CODE"))) {
        b.has_code = true;
        b.code = v;
    } else {
        unsigned n = (unsigned)(k.p[k.len - 1] - '1');
        if (n > 3)
            return;
        b.arg[n] = v;
        b.digits[n] = (uint32_t)dfr_tx_text(r, value).len;
        if (b.digits[n] < 16)
            b.digits[n] = 8;
        b.arg_word[n] = value;
        b.mask = 1u << n;
    }
    dfr_tx_bug_seen(r, &b);
}
