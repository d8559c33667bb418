/* Encodings: byte order marks, UTF-16 to UTF-8, and where the lines of the input start. */
#include "text/normal.h"

#include <string.h>

void dfr_text_map_add(struct dfr_text_map *m, struct dfr_arena *a, uint32_t out, uint32_t in,
                      uint32_t step)
{
    if (m->runs.n) {
        const struct dfr_text_run *last = &m->runs.v[m->runs.n - 1];
        if (last->step == step && step && (out - last->out) * step == in - last->in)
            return;
    }
    *DFR_PUSH(a, &m->runs) = (struct dfr_text_run){out, in, step};
}

static void find_lines(struct dfr_normal *n, struct dfr_str bytes)
{
    *DFR_PUSH(n->arena, &n->lines) = 0;
    const char *p = bytes.p, *end = bytes.p + bytes.len;
    while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
        p++;
        *DFR_PUSH(n->arena, &n->lines) = (uint32_t)(p - bytes.p);
    }
}

/* The first run of CR at or behind `p` that no LF follows, and its end; NULL when there is none. */
static const char *lone_cr(const char *p, const char *end, const char **ret_end)
{
    while (p < end && (p = memchr(p, '\r', (size_t)(end - p)))) {
        const char *q = p;
        while (q < end && *q == '\r')
            q++;
        *ret_end = q;
        if (q == end || *q != '\n')
            return p;
        p = q;
    }
    return NULL;
}

/* The first U+2028 or U+2029 at or behind `p`, or NULL. */
static const char *wide_line_end(const char *p, const char *end)
{
    static const char odd[] = "\xE2\x80";
    while (p < end && (p = memmem(p, (size_t)(end - p), odd, 2)) && end - p > 2) {
        if (((unsigned char)p[2] | 1) == 0xA9)
            return p;
        p += 2;
    }
    return NULL;
}

/* Line ends of other systems become ones of a byte, with blanks in front, so that no offset moves: CR alone and
 * U+2028, U+2029. CR before LF stays, a blank to everybody. Returns `bytes` or a copy. */
static struct dfr_str with_line_ends(struct dfr_normal *n, struct dfr_str bytes)
{
    const char *start = bytes.p, *end = start + bytes.len, *cr_end = start;
    const char *cr = lone_cr(start, end, &cr_end), *wide = wide_line_end(start, end);
    if (!cr && !wide)
        return bytes;
    char *copy = dfr_arena_copy(n->arena, start, bytes.len);
    for (; cr; cr = lone_cr(cr_end, end, &cr_end))
        memset(copy + (cr - start), '\n', (size_t)(cr_end - cr));
    for (; wide; wide = wide_line_end(wide + 3, end))
        memcpy(copy + (wide - start), "  \n", 3);
    return (struct dfr_str){copy, bytes.len};
}

static unsigned unit_at(struct dfr_str s, size_t i, bool big)
{
    unsigned a = (unsigned char)s.p[i], b = (unsigned char)s.p[i + 1];
    return big ? a << 8 | b : b << 8 | a;
}

static size_t put_utf8(char *o, unsigned c)
{
    if (c < 0x80) {
        o[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        o[0] = (char)(0xC0 | c >> 6);
        o[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        o[0] = (char)(0xE0 | c >> 12);
        o[1] = (char)(0x80 | (c >> 6 & 0x3F));
        o[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    o[0] = (char)(0xF0 | c >> 18);
    o[1] = (char)(0x80 | (c >> 12 & 0x3F));
    o[2] = (char)(0x80 | (c >> 6 & 0x3F));
    o[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

static struct dfr_str from_utf16(struct dfr_normal *n, struct dfr_str s, bool big)
{
    /* A unit of two bytes makes at most three bytes, a pair of units four. */
    char *out = dfr_arena_array(n->arena, s.len / 2 + 1, 3);
    size_t o = 0;
    *DFR_PUSH(n->arena, &n->lines) = 0;
    for (size_t i = 2; i + 1 < s.len;) {
        unsigned c = unit_at(s, i, big);
        size_t used = 2;
        if (c >= 0xD800 && c < 0xDC00 && i + 3 < s.len) {
            unsigned low = unit_at(s, i + 2, big);
            if (low >= 0xDC00 && low < 0xE000) {
                c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                used = 4;
            }
        }
        if (c >= 0xD800 && c < 0xE000)
            c = 0xFFFD;
        dfr_text_map_add(&n->decode, n->arena, (uint32_t)o, (uint32_t)i, c < 0x80 ? 2 : 0);
        o += put_utf8(out + o, c);
        i += used;
        if (c == '\n')
            *DFR_PUSH(n->arena, &n->lines) = (uint32_t)i;
    }
    return (struct dfr_str){out, o};
}

struct dfr_str dfr_normal_decode(struct dfr_normal *n, struct dfr_str bytes)
{
    if (bytes.len >= 2) {
        unsigned mark = unit_at(bytes, 0, true);
        if (mark == 0xFFFE || mark == 0xFEFF)
            return with_line_ends(n, from_utf16(n, bytes, mark == 0xFEFF));
    }
    bytes = with_line_ends(n, bytes);
    find_lines(n, bytes);
    return bytes;
}
