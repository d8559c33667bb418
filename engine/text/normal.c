/* The cleaning pass: one walk over the bytes, copying plain stretches and replacing the rest.
 * The result never grows, so one block of the input's size holds it. */
#include "text/normal.h"

#include <string.h>

#include "base/limits.h"

enum special { PLAIN, NEWLINE, BLANK, MARK, HIGH };

static const uint8_t special_of[256] = {
    [0x00] = BLANK, [0x01] = BLANK, [0x02] = BLANK, [0x03] = BLANK, [0x04] = BLANK,
    [0x05] = BLANK, [0x06] = BLANK, [0x07] = BLANK, [0x08] = BLANK, ['\n'] = NEWLINE,
    [0x0B] = BLANK, [0x0C] = BLANK, ['\r'] = BLANK, [0x0E] = BLANK, [0x0F] = BLANK,
    [0x7F] = BLANK, ['&'] = MARK,   [0x1B] = MARK,  ['\\'] = MARK,  ['<'] = MARK,
    ['['] = MARK,   ['*'] = MARK,   ['`'] = MARK,   [0xC2] = HIGH,  [0xE2] = HIGH,
    [0xE3] = HIGH,  [0xEF] = HIGH,  [0xA0] = HIGH,
};

enum { CONTROL_MOST = 32, ESCAPED_MOST = 120 };

struct cleaner {
    struct dfr_normal *n;
    struct dfr_str in;
    size_t i; /* next input byte */
    char *out;
    size_t o;
    unsigned depth;  /* how often the line before was quoted */
    char comment;    /* mark taken off the line before, or 0 */
    size_t tail_cut; /* input offset of what ends this line's emphasis or quotes, or SIZE_MAX */
    size_t tail_end; /* and where that ends */
};

static void copy(struct cleaner *c, size_t from, size_t to)
{
    if (from >= to)
        return;
    dfr_text_map_add(&c->n->clean, c->n->arena, (uint32_t)c->o, (uint32_t)from, 1);
    memcpy(c->out + c->o, c->in.p + from, to - from);
    c->o += to - from;
}

static void stand_in(struct cleaner *c, const char *bytes, size_t len, size_t from)
{
    dfr_text_map_add(&c->n->clean, c->n->arena, (uint32_t)c->o, (uint32_t)from, 0);
    memcpy(c->out + c->o, bytes, len);
    c->o += len;
}

static char at(const struct cleaner *c, size_t i)
{
    return i < c->in.len ? c->in.p[i] : '\n';
}

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r';
}

static bool is_hex(char ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f') || (ch >= 'A' && ch <= 'F');
}

static size_t skip_blanks(const struct cleaner *c, size_t i)
{
    while (i < c->in.len && is_blank(c->in.p[i]))
        i++;
    return i;
}

static size_t line_end(const struct cleaner *c, size_t i)
{
    const char *e = i < c->in.len ? memchr(c->in.p + i, '\n', c->in.len - i) : NULL;
    return e ? (size_t)(e - c->in.p) : c->in.len;
}

/* Quoting marks that a line starts with: `>` before a blank, another one, or the end. `>[` is data. */
static unsigned quote_marks(const struct cleaner *c, size_t i)
{
    unsigned n = 0;
    while (at(c, i) == '>' &&
           (is_blank(at(c, i + 1)) || at(c, i + 1) == '>' || at(c, i + 1) == '\n')) {
        i = skip_blanks(c, i + 1);
        n++;
    }
    return n;
}

/* Takes the quoting marks at `i` off; where the line goes on. The last mark before an address or a bracket is
 * the debugger's pointer to the current row, unless a neighbouring line is quoted as deeply. */
static size_t skip_quoting(struct cleaner *c, size_t i)
{
    unsigned marks = quote_marks(c, i), deep = 0;
    if (marks) {
        unsigned below = quote_marks(c, skip_blanks(c, line_end(c, i) + 1));
        for (; deep < marks; deep++) {
            size_t next = skip_blanks(c, i + 1), digits = 0;
            while (is_hex(at(c, next + digits)) && digits < 8)
                digits++;
            if (c->depth <= deep && below <= deep && (digits == 8 || at(c, next) == '['))
                break;
            c->i = i = next;
        }
    }
    if (!deep || at(c, i) != '\n' || deep > c->depth)
        c->depth = deep;
    return i;
}

/* The mark of a comment at `i`, with a blank or nothing behind it: its bytes, 0 when there is none. */
static size_t comment_mark(const struct cleaner *c, size_t i)
{
    char first = at(c, i);
    size_t n = first == '/' ? 2 : 1;
    if (first == '+') /* of a difference; `+0x10` is an offset */
        return !(at(c, i + 1) == '0' && at(c, i + 2) == 'x');
    if (!memchr("*/#;|", first, 5) || (n == 2 && at(c, i + 1) != '/'))
        return 0;
    return is_blank(at(c, i + n)) || at(c, i + n) == '\n' ? n : 0;
}

/* Takes the mark off that every line of a comment starts with: two neighbours have the same one. The box that
 * the debugger draws ends its lines with the mark, too. */
static size_t skip_comment_mark(struct cleaner *c, size_t i)
{
    size_t n = comment_mark(c, i), end = line_end(c, i);
    char was = c->comment;
    c->comment = 0;
    if (!n)
        return i;
    size_t last = end;
    while (last > i + n && is_blank(c->in.p[last - 1]))
        last--;
    if (last > i + n && at(c, last - 1) == at(c, i))
        return i;
    size_t below = skip_blanks(c, end + 1);
    if (was != at(c, i) && !(comment_mark(c, below) && at(c, below) == at(c, i)))
        return i;
    c->comment = at(c, i);
    return c->i = skip_blanks(c, i + n);
}

static bool is_only_word(const struct cleaner *c, size_t i, size_t end)
{
    while (i < end && !is_blank(c->in.p[i]))
        i++;
    return skip_blanks(c, i) >= end;
}

/* A line of a program's text: `"...\n"`, perhaps with a comma, a plus or a backslash behind it. */
static void begin_literal(struct cleaner *c, size_t i, struct dfr_str line)
{
    size_t n = line.len;
    while (n > 1 && (is_blank(line.p[n - 1]) || memchr(",;+\\", line.p[n - 1], 4)))
        n--;
    if (n < 2 || line.p[n - 1] != '"')
        return;
    for (n--; n > 2 && line.p[n - 2] == '\\' && (line.p[n - 1] == 'n' || line.p[n - 1] == 'r');)
        n -= 2;
    c->tail_cut = i + n;
    c->tail_end = i + line.len;
    c->i = i + 1;
}

/* At the start of a line: quoting and comment marks, fences, "Code:" captions, emphasis around the line. */
static void begin_line(struct cleaner *c)
{
    c->tail_cut = SIZE_MAX;
    size_t i = skip_comment_mark(c, skip_quoting(c, skip_blanks(c, c->i)));
    char first = at(c, i);
    if (first != '~' && first != 'C' && first != '_' && first != '`' && first != '"')
        return;
    size_t end = line_end(c, i);
    struct dfr_str line = dfr_str_slice(c->in, i, end);
    if (dfr_str_starts(line, DFR_STR("~~~")) || dfr_str_starts(line, DFR_STR("```"))) {
        size_t k = i;
        while (at(c, k) == first)
            k++;
        stand_in(c, "\f", 1, i);
        c->i = is_only_word(c, k, end) ? end : k;
    } else if (dfr_str_eq(dfr_str_trim(line), DFR_STR("Code:"))) {
        stand_in(c, "\f", 1, i);
        c->i = end;
    } else if (first == '"') {
        begin_literal(c, i, line);
    } else if (dfr_str_starts(line, DFR_STR("__"))) {
        struct dfr_str t = dfr_str_trim(line);
        if (t.len > 4 && memcmp(t.p + t.len - 2, "__", 2) == 0) {
            c->tail_cut = i + t.len - 2;
            c->tail_end = i + t.len;
            c->i = i + 2;
        }
    }
}

/* Odd blanks and typographic quotes; 0 when the bytes at `i` are none of them. */
static size_t high(struct cleaner *c, size_t i)
{
    unsigned a = (unsigned char)at(c, i), b = (unsigned char)at(c, i + 1);
    unsigned d = (unsigned char)at(c, i + 2);
    if (a == 0xA0) { /* a no-break space of Latin-1, unless it continues a sequence */
        if (i && (unsigned char)c->in.p[i - 1] >= 0x80)
            return 0;
        stand_in(c, " ", 1, i);
        return 1;
    }
    if (a == 0xC2 && b == 0xA0) {
        stand_in(c, " ", 1, i);
        return 2;
    }
    if (a == 0xC2 && b == 0xAD) /* a soft hyphen */
        return 2;
    unsigned code = a << 16 | b << 8 | d;
    if (code == 0xE38080 || (code >= 0xE28080 && code <= 0xE2808A) || code == 0xE280AF) {
        stand_in(c, " ", 1, i);
        return 3;
    }
    bool unseen = (code >= 0xE2808B && code <= 0xE2808F) ||
                  (code >= 0xE280AA && code <= 0xE280AE) || code == 0xE281A0 ||
                  (code >= 0xE281A6 && code <= 0xE281A9) || code == 0xEFBBBF;
    if (unseen)
        return 3;
    if ((code >= 0xE28090 && code <= 0xE28095) || code == 0xE28892) {
        stand_in(c, "-", 1, i);
        return 3;
    }
    if (code == 0xE28098 || code == 0xE28099) {
        stand_in(c, "'", 1, i);
        return 3;
    }
    if (code == 0xE2809C || code == 0xE2809D) {
        stand_in(c, "\"", 1, i);
        return 3;
    }
    if (code == 0xE280A6) {
        stand_in(c, "...", 3, i);
        return 3;
    }
    if (code == 0xE28690) {
        stand_in(c, "<-", 2, i);
        return 3;
    }
    return 0;
}

/* Length of a terminal's control sequence at `i`, such as a colour. */
static size_t control(const struct cleaner *c, size_t i)
{
    size_t k = i + 1;
    if (at(c, k) != '[')
        return 1;
    for (k++; k < i + CONTROL_MOST && k < c->in.len; k++)
        if (at(c, k) >= '@' && at(c, k) <= '~')
            return k + 1 - i;
        else if (at(c, k) < ' ')
            break;
    return 1;
}

static bool is_escaped(const struct cleaner *c, size_t i)
{
    return at(c, i) == '\\' && memchr("_*[]<>`#", at(c, i + 1), 8);
}

/* Is the backslash at `i` one of Markdown's: `STACK\_TEXT`? In a path others stand beside it. */
static bool is_escape(const struct cleaner *c, size_t i)
{
    if (!is_escaped(c, i))
        return false;
    for (size_t k = i; k > 0 && i - k < ESCAPED_MOST && (unsigned char)c->in.p[k - 1] > ' '; k--)
        if (c->in.p[k - 1] == '\\' && !is_escaped(c, k - 1))
            return false;
    for (size_t k = i; k < i + ESCAPED_MOST && (unsigned char)at(c, k) > ' '; k++)
        if (at(c, k) == '\\' && !is_escaped(c, k))
            return false;
    return i > 0 && (unsigned char)c->in.p[i - 1] > ' ' && c->in.p[i - 1] != ':';
}

static size_t mark(struct cleaner *c, size_t i)
{
    struct dfr_str rest = dfr_str_slice(c->in, i, c->in.len);
    char put = 0;
    size_t used = 0;
    switch (c->in.p[i]) {
    case '&':
        used = dfr_markup_entity(rest, &put);
        break;
    case 0x1B:
        used = control(c, i);
        break;
    case '\\':
        if (is_escape(c, i)) {
            copy(c, i + 1, i + 2);
            return 2;
        }
        break;
    case '<':
        used = dfr_markup_tag(rest, i ? c->in.p[i - 1] : 0, &put);
        break;
    case '[':
        used = dfr_markup_bbcode(rest, &put);
        break;
    case '`':
        if (dfr_str_starts(rest, DFR_STR("```"))) {
            used = 3;
            while (used < rest.len && rest.p[used] == '`')
                used++;
            put = '\f';
        }
        break;
    case '*': {
        size_t run = 1;
        while (run < rest.len && rest.p[run] == '*')
            run++;
        if (run != 2) {
            copy(c, i, i + run);
            return run;
        }
        used = 2;
        break;
    }
    default:
        break;
    }
    if (used && put)
        stand_in(c, &put, 1, i);
    return used;
}

void dfr_normal_init(struct dfr_normal *n, struct dfr_arena *a, struct dfr_str bytes)
{
    memset(n, 0, sizeof *n);
    n->arena = a;
    n->input = dfr_str_slice(bytes, 0, DFR_LIMIT_TRANSCRIPT_BYTES);
    struct cleaner c = {.n = n, .in = dfr_normal_decode(n, n->input), .tail_cut = SIZE_MAX};
    c.out = dfr_arena_raw(a, c.in.len + 1);
    begin_line(&c);
    size_t plain = c.i; /* start of the stretch not yet copied */
    while (c.i < c.in.len) {
        size_t i = c.i;
        if (i == c.tail_cut) {
            copy(&c, plain, i);
            c.i = plain = c.tail_end;
            c.tail_cut = SIZE_MAX;
            continue;
        }
        enum special s = (enum special)special_of[(unsigned char)c.in.p[i]];
        if (s == PLAIN) {
            c.i++;
            continue;
        }
        copy(&c, plain, i);
        plain = i;
        size_t used = 0;
        if (s == NEWLINE) {
            copy(&c, i, i + 1);
            c.i = i + 1;
            begin_line(&c);
            plain = c.i;
            continue;
        }
        if (s == BLANK) { /* one byte for one byte: the run that maps them goes on */
            copy(&c, i, i + 1);
            c.out[c.o - 1] = ' ';
            used = 1;
        } else if (s == MARK) {
            used = mark(&c, i);
        } else {
            used = high(&c, i);
        }
        c.i = i + (used ? used : 1);
        if (used)
            plain = c.i;
    }
    copy(&c, plain, c.in.len);
    c.out[c.o] = 0;
    n->text = (struct dfr_str){c.out, c.o};
}

/* Input offset of output byte `at`, and how many input bytes it stands for. */
static uint32_t map_back(const struct dfr_text_map *m, uint32_t where, bool end, uint32_t whole,
                         uint32_t *near)
{
    if (!m->runs.n)
        return where;
    uint32_t lo = 0, hi = m->runs.n;
    if (*near < hi && m->runs.v[*near].out <= where) {
        lo = *near; /* places are asked for in about the order of the text */
        uint32_t ahead = lo + 8;
        if (ahead < hi && m->runs.v[ahead].out > where)
            hi = ahead;
    }
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (m->runs.v[mid].out <= where)
            lo = mid;
        else
            hi = mid;
    }
    *near = lo;
    const struct dfr_text_run *r = &m->runs.v[lo];
    if (r->step)
        return r->in + (where - r->out + (uint32_t)end) * r->step;
    if (!end)
        return r->in;
    return lo + 1 < m->runs.n ? r[1].in : whole;
}

struct dfr_place dfr_normal_place(struct dfr_normal *n, uint32_t begin, uint32_t end)
{
    struct dfr_place p = {0};
    if (end <= begin)
        end = begin + 1;
    uint32_t whole = (uint32_t)n->input.len;
    uint32_t b = map_back(&n->clean, begin, false, whole, &n->near_clean);
    uint32_t e = map_back(&n->clean, end - 1, true, whole, &n->near_clean);
    if (n->decode.runs.n) {
        b = map_back(&n->decode, b, false, whole, &n->near_decode);
        e = map_back(&n->decode, e ? e - 1 : 0, true, whole, &n->near_decode);
    }
    p.begin = b < whole ? b : whole;
    p.end = e < whole ? e : whole;
    if (p.end < p.begin)
        p.end = p.begin;
    uint32_t lo = 0, hi = n->lines.n;
    if (n->near_line < hi && n->lines.v[n->near_line] <= p.begin) {
        lo = n->near_line;
        if (lo + 8 < hi && n->lines.v[lo + 8] > p.begin)
            hi = lo + 8;
    }
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (n->lines.v[mid] <= p.begin)
            lo = mid;
        else
            hi = mid;
    }
    n->near_line = lo;
    p.line = lo + 1;
    return p;
}
