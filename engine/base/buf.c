/* Bounded text building, and the neutralising of hostile text. */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

#include "base/limits.h"

void dfr_buf_init(struct dfr_buf *b, struct dfr_arena *a)
{
    *b = (struct dfr_buf){.arena = a};
}

/* Room for `more` bytes and a NUL; less, with `cut` set, at the cap. */
static size_t reserve(struct dfr_buf *b, size_t more)
{
    size_t most = b->most ? b->most : DFR_LIMIT_TEXT_BYTES;
    if (more > most - b->len) {
        more = most - b->len;
        b->cut = true;
    }
    if (b->len + more + 1 > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 128;
        while (cap < b->len + more + 1)
            cap *= 2;
        char *p = dfr_arena_alloc(b->arena, cap);
        if (b->len)
            memcpy(p, b->p, b->len);
        b->p = p;
        b->cap = cap;
    }
    return more;
}

void dfr_buf_str(struct dfr_buf *b, struct dfr_str s)
{
    size_t n = reserve(b, s.len);
    if (n)
        memcpy(b->p + b->len, s.p, n);
    b->len += n;
    b->p[b->len] = 0;
}

void dfr_buf_char(struct dfr_buf *b, char c)
{
    dfr_buf_str(b, (struct dfr_str){&c, 1});
}

void dfr_buf_z(struct dfr_buf *b, const char *z)
{
    dfr_buf_str(b, dfr_str_from(z));
}

void dfr_buf_printf(struct dfr_buf *b, const char *format, ...)
{
    char small[256];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int want = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (want >= 0 && (size_t)want < sizeof small) {
        dfr_buf_str(b, (struct dfr_str){small, (size_t)want});
    } else if (want > 0) {
        char *large = dfr_arena_alloc(b->arena, (size_t)want + 1);
        vsnprintf(large, (size_t)want + 1, format, again);
        dfr_buf_str(b, (struct dfr_str){large, (size_t)want});
    }
    va_end(again);
}

static bool is_bidi(utf8proc_int32_t c)
{
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

void dfr_buf_safe(struct dfr_buf *b, struct dfr_str s)
{
    while (s.len) {
        size_t plain = 0;
        while (plain < s.len && s.p[plain] >= 0x20 && s.p[plain] < 0x7F)
            plain++;
        dfr_buf_str(b, dfr_str_slice(s, 0, plain));
        s = dfr_str_slice(s, plain, s.len);
        if (!s.len)
            break;
        utf8proc_int32_t c;
        size_t most = s.len < 4 ? s.len : 4;
        utf8proc_ssize_t n =
            utf8proc_iterate((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)most, &c);
        if (n <= 0) {
            dfr_buf_z(b, "\xEF\xBF\xBD");
            n = 1;
        } else if (c < 0x20 || (c >= 0x7F && c < 0xA0)) {
            dfr_buf_printf(b, "\\x%02x", (unsigned)c);
        } else if (is_bidi(c)) {
            dfr_buf_printf(b, "\\u%04x", (unsigned)c);
        } else {
            dfr_buf_str(b, dfr_str_slice(s, 0, (size_t)n));
        }
        s = dfr_str_slice(s, (size_t)n, s.len);
    }
}

struct dfr_str dfr_buf_text(const struct dfr_buf *b)
{
    return (struct dfr_str){b->p ? b->p : "", b->len};
}
