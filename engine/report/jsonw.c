/* The JSON writer. Knows nothing of what it writes. */
#include "report/jsonw.h"

#include <inttypes.h>

#include <utf8proc.h>

#include "base/limits.h"

void dfr_json_init(struct dfr_json *j, bool indent, struct dfr_buf *out)
{
    if (!out->most)
        out->most = DFR_LIMIT_OUTPUT_BYTES; /* a table of the longest kind fits: cut JSON is none */
    *j = (struct dfr_json){.out = out, .indent = indent, .empty = true};
}

static bool is_bidi(utf8proc_int32_t c)
{
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

static void put_char(struct dfr_buf *out, utf8proc_int32_t c, struct dfr_str bytes)
{
    if (c == '"' || c == '\\') {
        dfr_buf_char(out, '\\');
        dfr_buf_char(out, (char)c);
    } else if (c == '\n') {
        dfr_buf_z(out, "\\n");
    } else if (c == '\t') {
        dfr_buf_z(out, "\\t");
    } else if (c < 0x20 || (c >= 0x7F && c < 0xA0) || is_bidi(c)) {
        dfr_buf_printf(out, "\\u%04" PRIx32, (uint32_t)c);
    } else {
        dfr_buf_str(out, bytes);
    }
}

static void put_string(struct dfr_buf *out, struct dfr_str s)
{
    size_t plain = 0;
    dfr_buf_char(out, '"');
    for (size_t i = 0; i < s.len;) {
        unsigned char byte = (unsigned char)s.p[i];
        if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\') {
            i++;
            continue;
        }
        dfr_buf_str(out, dfr_str_slice(s, plain, i));
        utf8proc_int32_t c;
        utf8proc_ssize_t n =
            utf8proc_iterate((const utf8proc_uint8_t *)s.p + i, (utf8proc_ssize_t)(s.len - i), &c);
        if (n <= 0) {
            dfr_buf_z(out, "\xEF\xBF\xBD");
            n = 1;
        } else {
            put_char(out, c, dfr_str_slice(s, i, i + (size_t)n));
        }
        i += (size_t)n;
        plain = i;
    }
    dfr_buf_str(out, dfr_str_slice(s, plain, s.len));
    dfr_buf_char(out, '"');
}

static void new_line(struct dfr_json *j)
{
    if (!j->indent)
        return;
    dfr_buf_char(j->out, '\n');
    for (uint32_t i = 0; i < j->depth; i++)
        dfr_buf_z(j->out, "  ");
}

static void begin(struct dfr_json *j, const char *key)
{
    if (!j->empty)
        dfr_buf_char(j->out, ',');
    if (j->depth)
        new_line(j);
    j->empty = false;
    if (!key)
        return;
    put_string(j->out, dfr_str_from(key));
    dfr_buf_z(j->out, j->indent ? ": " : ":");
}

void dfr_json_open(struct dfr_json *j, const char *key, char bracket)
{
    begin(j, key);
    dfr_buf_char(j->out, bracket);
    j->depth++;
    j->empty = true;
}

void dfr_json_close(struct dfr_json *j, char bracket)
{
    j->depth--;
    if (!j->empty)
        new_line(j);
    dfr_buf_char(j->out, bracket);
    j->empty = false;
}

void dfr_json_str(struct dfr_json *j, const char *key, struct dfr_str s)
{
    begin(j, key);
    put_string(j->out, s);
}

void dfr_json_z(struct dfr_json *j, const char *key, const char *z)
{
    dfr_json_str(j, key, dfr_str_from(z));
}

void dfr_json_text(struct dfr_json *j, const char *key, struct dfr_str s)
{
    if (s.len)
        dfr_json_str(j, key, s);
    else
        dfr_json_null(j, key);
}

void dfr_json_int(struct dfr_json *j, const char *key, int64_t v)
{
    begin(j, key);
    dfr_buf_printf(j->out, "%" PRId64, v);
}

/* Put together from whole numbers: printf would ask the host's locale for the point. */
void dfr_json_micro(struct dfr_json *j, const char *key, int64_t millionths)
{
    begin(j, key);
    uint64_t n = millionths < 0 ? 0 - (uint64_t)millionths : (uint64_t)millionths;
    dfr_buf_printf(j->out, "%s%" PRIu64 ".%06" PRIu64, millionths < 0 ? "-" : "", n / 1000000,
                   n % 1000000);
}

void dfr_json_hex(struct dfr_json *j, const char *key, uint64_t v)
{
    begin(j, key);
    dfr_buf_printf(j->out, "\"0x%" PRIx64 "\"", v);
}

void dfr_json_bool(struct dfr_json *j, const char *key, bool v)
{
    begin(j, key);
    dfr_buf_z(j->out, v ? "true" : "false");
}

void dfr_json_null(struct dfr_json *j, const char *key)
{
    begin(j, key);
    dfr_buf_z(j->out, "null");
}

void dfr_json_end(struct dfr_json *j)
{
    dfr_buf_char(j->out, '\n');
}
