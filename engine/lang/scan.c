/* What the scanner needs besides patterns: words, numbers, times, texts. Knows no grammar. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/checked.h"
#include "base/limits.h"
#include "dfr.tab.h"
#include "facts/value.h"
#include "lang/parser.h"

#define KEYWORD(token, word, class, help) {word, help, TOK_##token, DFR_KEYWORD_##class},
enum { DFR_KEYWORD_CONTEXTUAL, DFR_KEYWORD_RESERVED };
static const struct dfr_keyword keywords[] = {
#include "grammar/keywords.def"
};
#undef KEYWORD
enum { KEYWORDS = sizeof keywords / sizeof keywords[0], LONGEST_KEYWORD = 9 };

const struct dfr_keyword *dfr_keyword_rows(size_t *ret_n)
{
    *ret_n = KEYWORDS;
    return keywords;
}

static int compare_word(const void *key, const void *row)
{
    const struct dfr_str *s = key;
    const struct dfr_keyword *k = row;
    int c = strncmp(s->p, k->word, s->len);
    return c ? c : k->word[s->len] ? -1 : 0;
}

const struct dfr_keyword *dfr_keyword_find(struct dfr_str word)
{
    if (word.len < 2 || word.len > LONGEST_KEYWORD || word.p[0] < 'a')
        return NULL;
    return bsearch(&word, keywords, KEYWORDS, sizeof keywords[0], compare_word);
}

bool dfr_scan_number(struct dfr_str text, uint64_t *ret)
{
    uint64_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        if (!dfr_u64_mul(n, 10, &n) || !dfr_u64_add(n, (uint64_t)(text.p[i] - '0'), &n))
            return false;
    *ret = n;
    return true;
}

bool dfr_scan_hex(struct dfr_str text, uint64_t *ret)
{
    uint64_t n = 0;
    for (size_t i = 2; i < text.len; i++) {
        char c = text.p[i];
        if (n >> 60)
            return false;
        n = n << 4 | (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    *ret = n;
    return true;
}

bool dfr_scan_duration(struct dfr_str text, uint64_t *ret_ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
    size_t digits = 0;
    while (digits < text.len && text.p[digits] <= '9')
        digits++;
    uint64_t n;
    if (!dfr_scan_number(dfr_str_slice(text, 0, digits), &n))
        return false;
    struct dfr_str unit = dfr_str_slice(text, digits, text.len);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (dfr_str_eq(unit, dfr_str_from(units[i].unit))) {
            if (!dfr_u64_mul(n, units[i].ms, &n) || n > INT64_MAX)
                return false;
            *ret_ms = n;
            return true;
        }
    return false;
}

static int digits_at(struct dfr_str s, size_t at, size_t n)
{
    int value = 0;
    for (size_t i = at; i < at + n; i++)
        value = value * 10 + (s.p[i] - '0');
    return value;
}

bool dfr_scan_time(struct dfr_str s, int64_t *ret)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = digits_at(s, 0, 4), month = digits_at(s, 5, 2), day = digits_at(s, 8, 2);
    int h = 0, m = 0, sec = 0;
    if (s.len > 10) {
        h = digits_at(s, 11, 2);
        m = digits_at(s, 14, 2);
        sec = digits_at(s, 17, 2);
    }
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1 || h > 23 || m > 59 || sec > 59 ||
        day > days[month - 1] + (month == 2 && leap))
        return false;
    *ret = dfr_time_from_civil(year, month, day, h, m, sec);
    return true;
}

bool dfr_scan_version(struct dfr_str text)
{
    unsigned parts = 0;
    while (text.len) {
        size_t dot = dfr_str_find(text, DFR_STR("."));
        struct dfr_str part = dfr_str_slice(text, 0, dot == SIZE_MAX ? text.len : dot);
        uint64_t n;
        if (!dfr_scan_number(part, &n) || n > UINT32_MAX || (part.len > 1 && part.p[0] == '0'))
            return false;
        parts++;
        text = dfr_str_slice(text, part.len + 1, text.len);
    }
    return parts >= 2 && parts <= 4;
}

/* Append the code point of \u{hex} at `s`; bytes used, 0 when malformed. */
static size_t unicode_escape(struct dfr_buf *b, struct dfr_str s)
{
    uint32_t c = 0;
    size_t i = 3;
    if (s.len < 5 || s.p[2] != '{')
        return 0;
    for (; i < s.len && s.p[i] != '}'; i++) {
        char h = s.p[i];
        if (i > 8 || !((h >= '0' && h <= '9') || ((h | 0x20) >= 'a' && (h | 0x20) <= 'f')))
            return 0;
        c = c << 4 | (uint32_t)(h <= '9' ? h - '0' : (h | 0x20) - 'a' + 10);
    }
    if (i >= s.len || i == 3 || c < 0x20 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    if (c < 0x80) {
        dfr_buf_char(b, (char)c);
    } else if (c < 0x800) {
        dfr_buf_char(b, (char)(0xC0 | c >> 6));
        dfr_buf_char(b, (char)(0x80 | (c & 0x3F)));
    } else {
        if (c < 0x10000) {
            dfr_buf_char(b, (char)(0xE0 | c >> 12));
        } else {
            dfr_buf_char(b, (char)(0xF0 | c >> 18));
            dfr_buf_char(b, (char)(0x80 | (c >> 12 & 0x3F)));
        }
        dfr_buf_char(b, (char)(0x80 | (c >> 6 & 0x3F)));
        dfr_buf_char(b, (char)(0x80 | (c & 0x3F)));
    }
    return i + 1;
}

struct dfr_str dfr_scan_string(struct dfr_parser *p, struct dfr_str raw, struct dfr_loc loc)
{
    struct dfr_str inner = dfr_str_slice(raw, 1, raw.len - 1);
    if (!memchr(inner.p, '\\', inner.len))
        return dfr_str_dup(p->arena, inner);
    struct dfr_buf b;
    dfr_buf_init(&b, p->arena);
    for (size_t i = 0; i < inner.len;) {
        if (inner.p[i] != '\\') {
            dfr_buf_char(&b, inner.p[i++]);
            continue;
        }
        char c = inner.p[i + 1];
        size_t used = 2;
        if (c == 'n')
            dfr_buf_char(&b, '\n');
        else if (c == 't')
            dfr_buf_char(&b, '\t');
        else if (c == '"' || c == '\\')
            dfr_buf_char(&b, c);
        else
            used = c == 'u' ? unicode_escape(&b, dfr_str_slice(inner, i, inner.len)) : 0;
        if (!used) {
            uint32_t at = loc.begin + 1 + (uint32_t)i;
            dfr_parser_diag(
                p, DFR_D_BAD_ESCAPE, (struct dfr_loc){at, at + 2},
                "there is no such escape; texts know \\n, \\t, \\\", \\\\ and \\u{hex}");
            used = 2;
        }
        i += used;
    }
    return dfr_buf_text(&b);
}

struct dfr_str dfr_scan_regex(struct dfr_parser *p, struct dfr_str raw, bool *ret_fold_case)
{
    *ret_fold_case = raw.p[raw.len - 1] == 'i';
    struct dfr_str inner = dfr_str_slice(raw, 1, raw.len - 1 - *ret_fold_case);
    char *to = dfr_arena_copy(p->arena, inner.p, inner.len);
    size_t n = 0;
    for (size_t i = 0; i < inner.len; i++) {
        if (inner.p[i] == '\\' && i + 1 < inner.len) {
            if (inner.p[i + 1] != '/')
                to[n++] = '\\';
            i++;
        }
        to[n++] = inner.p[i];
    }
    return (struct dfr_str){to, n};
}
