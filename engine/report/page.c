/* Wrapping, hanging indents and colours. Knows nothing of crashes but how to quote a place. */
#include "report/page.h"

#include <utf8proc.h>

#include "base/limits.h"

enum { COLUMNS = 80, COLUMNS_LEAST = 40, COLUMNS_MOST = 200 };

void dfr_page_init(struct dfr_page *p, const struct dfr_report_style *s, struct dfr_buf *out)
{
    uint32_t columns = s && s->columns ? s->columns : COLUMNS;
    columns = columns < COLUMNS_LEAST ? (uint32_t)COLUMNS_LEAST : columns;
    columns = columns > COLUMNS_MOST ? (uint32_t)COLUMNS_MOST : columns;
    if (!out->most)
        out->most = DFR_LIMIT_OUTPUT_BYTES;
    *p = (struct dfr_page){.out = out, .columns = columns};
    if (s) {
        p->color = s->color;
        p->ascii = s->ascii;
        p->verbose = s->verbose;
    }
}

/* Bytes of the character at `at`, and its columns. */
static size_t character(struct dfr_str s, size_t at, uint32_t *ret_width)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)s.p + at, (utf8proc_ssize_t)(s.len - at), &c);
    *ret_width = 1;
    if (n <= 0)
        return 1;
    if (c >= 0x80) {
        int width = utf8proc_charwidth(c);
        *ret_width = width > 0 ? (uint32_t)width : 0;
    }
    return (size_t)n;
}

uint32_t dfr_page_width(struct dfr_str s)
{
    uint32_t ret = 0, width;
    for (size_t i = 0; i < s.len;) {
        i += character(s, i, &width);
        ret += width;
    }
    return ret;
}

/* Bytes of `s` that fit in `columns`. */
static size_t fitting(struct dfr_str s, uint32_t columns)
{
    uint32_t used = 0, width;
    for (size_t i = 0; i < s.len;) {
        size_t n = character(s, i, &width);
        if (used + width > columns)
            return i;
        used += width;
        i += n;
    }
    return s.len;
}

static const char *ink_code(enum dfr_ink ink)
{
    switch (ink) {
    case DFR_INK_HEADING:
        return "\033[1;4m";
    case DFR_INK_STRONG:
        return "\033[1m";
    case DFR_INK_FAINT:
        return "\033[2m";
    case DFR_INK_FOR:
        return "\033[32m";
    case DFR_INK_AGAINST:
        return "\033[31m";
    case DFR_INK_OPEN:
        return "\033[33m";
    case DFR_INK_COMMAND:
        return "\033[1;36m";
    case DFR_INK_PLAIN:
        break;
    }
    return NULL;
}

static void put(struct dfr_page *p, enum dfr_ink ink, struct dfr_str s)
{
    const char *code = p->color && s.len ? ink_code(ink) : NULL;
    if (code)
        dfr_buf_z(p->out, code);
    dfr_buf_str(p->out, s);
    if (code)
        dfr_buf_z(p->out, "\033[0m");
}

static void blanks(struct dfr_page *p, uint32_t n)
{
    while (n-- > 0)
        dfr_buf_char(p->out, ' ');
}

void dfr_page_gap(struct dfr_page *p)
{
    dfr_buf_char(p->out, '\n');
}

void dfr_page_line(struct dfr_page *p, enum dfr_ink ink, uint32_t indent, struct dfr_str s)
{
    uint32_t room = p->columns > indent ? p->columns - indent : 1;
    blanks(p, indent);
    if (dfr_page_width(s) <= room) {
        put(p, ink, s);
    } else {
        put(p, ink, dfr_str_slice(s, 0, fitting(s, room - (p->ascii ? 3 : 1))));
        dfr_buf_z(p->out, p->ascii ? "..." : "\xE2\x80\xA6");
    }
    dfr_buf_char(p->out, '\n');
}

void dfr_page_heading(struct dfr_page *p, const char *z)
{
    dfr_page_gap(p);
    dfr_page_line(p, DFR_INK_HEADING, 0, dfr_str_from(z));
}

/* Cut the next line off `rest`: at a blank if there is one, else in the middle of a word. */
static struct dfr_str next_line(struct dfr_str *rest, uint32_t room)
{
    size_t newline = dfr_str_find(*rest, DFR_STR("\n"));
    size_t fit = fitting(*rest, room), cut = fit;
    if (newline <= fit) {
        struct dfr_str line = dfr_str_slice(*rest, 0, newline);
        *rest = dfr_str_slice(*rest, newline + 1, rest->len);
        return line;
    }
    if (fit < rest->len) {
        while (cut > 0 && rest->p[cut] != ' ')
            cut--;
        if (!cut) {
            uint32_t width;
            cut = fit ? fit : character(*rest, 0, &width);
        }
    }
    struct dfr_str line = dfr_str_slice(*rest, 0, cut);
    while (cut < rest->len && rest->p[cut] == ' ')
        cut++;
    *rest = dfr_str_slice(*rest, cut, rest->len);
    while (line.len && line.p[line.len - 1] == ' ')
        line.len--;
    return line;
}

void dfr_page_para(struct dfr_page *p, enum dfr_ink ink, struct dfr_str lead, enum dfr_ink lead_ink,
                   struct dfr_str text, struct dfr_str tag, enum dfr_ink tag_ink)
{
    uint32_t hang = dfr_page_width(lead), reserve = tag.len ? dfr_page_width(tag) + 2 : 0;
    uint32_t room = p->columns > hang + reserve + 10 ? p->columns - hang - reserve : 10;
    struct dfr_str rest = text;
    bool first = true;
    do {
        struct dfr_str line = next_line(&rest, first ? room : room + reserve);
        if (first)
            put(p, lead_ink, lead);
        else
            blanks(p, hang);
        put(p, ink, line);
        if (first && tag.len) {
            uint32_t used = hang + dfr_page_width(line) + dfr_page_width(tag);
            blanks(p, used < p->columns ? p->columns - used : 2);
            put(p, tag_ink, tag);
        }
        dfr_buf_char(p->out, '\n');
        first = false;
    } while (rest.len);
}

void dfr_page_text(struct dfr_page *p, enum dfr_ink ink, uint32_t indent, struct dfr_str text)
{
    static const char spaces[] = "                                        ";
    struct dfr_str lead = {spaces, indent < sizeof spaces - 1 ? indent : sizeof spaces - 1};
    dfr_page_para(p, ink, lead, DFR_INK_PLAIN, text, (struct dfr_str){0}, DFR_INK_PLAIN);
}

void dfr_page_where(const struct dfr_facts *f, uint32_t place, struct dfr_buf *out)
{
    if (!place || place >= f->places.n)
        return;
    const struct dfr_place *at = &f->places.v[place];
    if (!at->line) {
        /* In a dump the address says more than the place in the file; the end of a table is none. */
        if (at->va)
            dfr_buf_printf(out, "%016llx, ", (unsigned long long)at->va);
        dfr_buf_printf(out, "offset 0x%llx", (unsigned long long)at->begin);
        return;
    }
    dfr_buf_printf(out, "line %u", at->line);
    struct dfr_str quote = dfr_facts_quote(f, place);
    if (!quote.len || quote.p < f->text.p || quote.p >= f->text.p + f->text.len)
        return;
    size_t begin = (size_t)(quote.p - f->text.p);
    while (begin > 0 && (f->text.p[begin - 1] == ' ' || f->text.p[begin - 1] == '\t'))
        begin--;
    if (begin > 0 && f->text.p[begin - 1] != '\n')
        dfr_buf_printf(out, ", byte %llu", (unsigned long long)at->begin);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A quote with runs of blanks folded, and where in it the words of the place begin and end. */
struct folded {
    struct dfr_buf text;
    size_t begin, end;
};

static void fold(struct folded *q, const struct dfr_facts *f, uint32_t place, struct dfr_arena *a)
{
    struct dfr_str quote = dfr_facts_quote(f, place);
    const struct dfr_place *at = &f->places.v[place];
    size_t start = quote.len && f->text.len ? (size_t)(quote.p - f->text.p) : 0;
    dfr_buf_init(&q->text, a);
    q->begin = q->end = SIZE_MAX;
    for (size_t i = 0; i < quote.len;) {
        size_t from = i;
        while (i < quote.len && !is_blank(quote.p[i]))
            i++;
        if (i > from) {
            if (q->text.len)
                dfr_buf_char(&q->text, ' ');
            if (q->begin == SIZE_MAX && start + i > at->begin)
                q->begin = q->text.len;
            dfr_buf_safe(&q->text, dfr_str_slice(quote, from, i));
            if (start + from < at->end)
                q->end = q->text.len;
        }
        while (i < quote.len && is_blank(quote.p[i]))
            i++;
    }
    q->begin = q->begin == SIZE_MAX ? 0 : q->begin;
    q->end = q->end == SIZE_MAX ? q->text.len : q->end;
}

void dfr_page_quote(struct dfr_page *p, uint32_t indent, const struct dfr_facts *f, uint32_t place)
{
    struct dfr_buf b;
    struct folded q;
    dfr_buf_init(&b, p->out->arena);
    dfr_page_where(f, place, &b);
    if (!b.len)
        return;
    fold(&q, f, place, p->out->arena);
    struct dfr_str text = dfr_buf_text(&q.text);
    if (!text.len) {
        dfr_page_line(p, DFR_INK_FAINT, indent, dfr_buf_text(&b));
        return;
    }
    dfr_buf_z(&b, ": ");
    uint32_t used = indent + dfr_page_width(dfr_buf_text(&b)), from = 0;
    uint32_t room = p->columns > used + 16 ? p->columns - used : 16;
    const char *dots = p->ascii ? "..." : "\xE2\x80\xA6";
    uint32_t dots_width = p->ascii ? 3 : 1;
    /* Where the line is too long, words before the ones that are meant go first. */
    if (dfr_page_width(text) > room) {
        while (from < q.begin && dfr_page_width(dfr_str_slice(text, from, q.end)) +
                                         (from ? dots_width + 1 : 0) + dots_width >
                                     room) {
            size_t blank = dfr_str_find(dfr_str_slice(text, from, q.begin), DFR_STR(" "));
            if (blank == SIZE_MAX)
                break;
            from += (uint32_t)blank + 1;
        }
    }
    if (from) {
        dfr_buf_z(&b, dots);
        dfr_buf_char(&b, ' ');
    }
    dfr_buf_str(&b, dfr_str_slice(text, from, text.len));
    dfr_page_line(p, DFR_INK_FAINT, indent, dfr_buf_text(&b));
}
