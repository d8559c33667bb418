/* The line map and the placing of diagnostics. Relies on utf8proc for widths; knows no grammar. */
#include "lang/source.h"

#include <string.h>

#include <utf8proc.h>

#include "base/buf.h"
#include "base/limits.h"

enum { TAB = 4, SHOWN_CELLS = 160, BEFORE_CARET = 100 };

void dfr_source_init(struct dfr_source *s, struct dfr_arena *a, struct dfr_str path,
                     struct dfr_str text)
{
    if (text.len > DFR_LIMIT_SOURCE_BYTES + 1u)
        text.len = DFR_LIMIT_SOURCE_BYTES + 1u; /* enough for the parser to refuse it */
    uint32_t lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.p[i] == '\n';
    *s = (struct dfr_source){.path = path, .text = text, .line_count = lines};
    s->line_begin = DFR_NEW_N(a, lines, uint32_t);
    uint32_t line = 1;
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] == '\n')
            s->line_begin[line++] = (uint32_t)i + 1;
}

/* 0-based line that holds `offset`. */
static uint32_t line_of(const struct dfr_source *s, uint32_t offset)
{
    uint32_t lo = 0, hi = s->line_count;
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (s->line_begin[mid] <= offset)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

/* One code point at `p`; a broken byte counts as one. */
static size_t step(const char *p, size_t len, utf8proc_int32_t *ret)
{
    utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)p, (utf8proc_ssize_t)(len < 4 ? len : 4), ret);
    if (n > 0)
        return (size_t)n;
    *ret = -1;
    return 1;
}

void dfr_source_line_column(const struct dfr_source *s, uint32_t offset, uint32_t *ret_line,
                            uint32_t *ret_column)
{
    if (offset > s->text.len)
        offset = (uint32_t)s->text.len;
    uint32_t line = line_of(s, offset), column = 1;
    size_t i = s->line_begin[line];
    if (i == 0 && s->text.len >= 3 && memcmp(s->text.p, "\xEF\xBB\xBF", 3) == 0)
        i = 3;
    while (i < offset) {
        utf8proc_int32_t c;
        i += step(s->text.p + i, s->text.len - i, &c);
        column++;
    }
    *ret_line = line + 1;
    *ret_column = column;
}

struct dfr_str dfr_source_text(const struct dfr_source *s, struct dfr_loc loc)
{
    return dfr_str_slice(s->text, loc.begin, loc.end);
}

static uint32_t cells(struct dfr_str s)
{
    uint32_t n = 0;
    while (s.len) {
        utf8proc_int32_t c;
        size_t k = step(s.p, s.len, &c);
        int w = c < 0 ? 1 : utf8proc_charwidth(c);
        n += w > 0 ? (uint32_t)w : 0;
        s = dfr_str_slice(s, k, s.len);
    }
    return n;
}

/* Append one source character as it is shown. */
static void show(struct dfr_buf *b, struct dfr_str one, uint32_t *cell)
{
    if (one.len == 1 && one.p[0] == '\t') {
        uint32_t to = (*cell / TAB + 1) * TAB;
        for (; *cell < to; ++*cell)
            dfr_buf_char(b, ' ');
        return;
    }
    size_t before = b->len;
    dfr_buf_safe(b, one);
    *cell += cells(dfr_str_slice(dfr_buf_text(b), before, b->len));
}

void dfr_source_place(const struct dfr_source *s, struct dfr_arena *a, struct dfr_loc loc,
                      struct dfr_diag *d)
{
    uint32_t size = (uint32_t)s->text.len;
    if (loc.begin > size)
        loc.begin = size;
    if (loc.end > size)
        loc.end = size;
    if (loc.end < loc.begin)
        loc.end = loc.begin;
    d->file = s->path;
    d->begin = loc.begin;
    d->end = loc.end;
    dfr_source_line_column(s, loc.begin, &d->line, &d->column);
    uint32_t from = s->line_begin[d->line - 1];
    uint32_t to = d->line < s->line_count ? s->line_begin[d->line] - 1 : size;
    if (to > from && s->text.p[to - 1] == '\r')
        to--;
    if (from == 0 && size >= 3 && memcmp(s->text.p, "\xEF\xBB\xBF", 3) == 0)
        from = 3;
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    bool cut = loc.begin - from > BEFORE_CARET && to - from > SHOWN_CELLS;
    if (cut) {
        from = loc.begin - BEFORE_CARET / 2;
        while (from < loc.begin && ((uint8_t)s->text.p[from] & 0xC0) == 0x80)
            from++;
        dfr_buf_z(&b, "...");
    }
    uint32_t cell = cut ? 3 : 0, first = UINT32_MAX, last = 0;
    uint32_t i = from;
    while (i < to && cell < SHOWN_CELLS) {
        utf8proc_int32_t c;
        uint32_t n = (uint32_t)step(s->text.p + i, to - i, &c);
        if (i >= loc.begin && first == UINT32_MAX)
            first = cell;
        show(&b, dfr_str_slice(s->text, i, i + n), &cell);
        i += n;
        if (i <= loc.end)
            last = cell;
    }
    if (first == UINT32_MAX)
        first = cell;
    if (i < to)
        dfr_buf_z(&b, "...");
    d->source = dfr_buf_text(&b);
    d->caret = first;
    d->width = last > first ? last - first : 1;
}
