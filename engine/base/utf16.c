/* UTF-16 to UTF-8 for names out of a dump. */
#include "base/utf16.h"

static size_t put(uint8_t *p, uint32_t c)
{
    if (c < 0x80) {
        p[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        p[0] = (uint8_t)(0xC0 | c >> 6);
        p[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        p[0] = (uint8_t)(0xE0 | c >> 12);
        p[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        p[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    p[0] = (uint8_t)(0xF0 | c >> 18);
    p[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    p[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    p[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}

struct dfr_str dfr_utf16_text(struct dfr_arena *a, struct dfr_span s)
{
    /* A unit of two bytes becomes at most three, a pair of four becomes four. */
    uint8_t *p = dfr_arena_array(a, s.len / 2 + 1, 3);
    size_t len = 0;
    uint16_t unit, low;
    for (uint64_t at = 0; dfr_span_u16le(s, at, &unit) && unit; at += 2) {
        uint32_t c = unit;
        if (unit >= 0xD800 && unit < 0xDC00 && dfr_span_u16le(s, at + 2, &low) && low >= 0xDC00 &&
            low < 0xE000) {
            c = 0x10000 + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
            at += 2;
        } else if (unit >= 0xD800 && unit < 0xE000) {
            c = 0xFFFD;
        }
        len += put(p + len, c);
    }
    return (struct dfr_str){(const char *)p, len};
}
