/* Inside report/: JSON written straight into a buffer, so nothing is allocated outside the arena
 * and keys stay in their order. Strings from inputs are escaped: broken UTF-8 becomes U+FFFD,
 * control and bidirectional characters become \uXXXX. */
#ifndef DFR_REPORT_JSONW_H
#define DFR_REPORT_JSONW_H

#include "base/buf.h"

struct dfr_json {
    struct dfr_buf *out;
    bool indent;
    uint32_t depth;
    bool empty; /* nothing in the innermost bracket yet */
};

void dfr_json_init(struct dfr_json *j, bool indent, struct dfr_buf *out);
/* `key` NULL: an element of an array, or the whole text. */
void dfr_json_open(struct dfr_json *j, const char *key, char bracket);
void dfr_json_close(struct dfr_json *j, char bracket);
void dfr_json_str(struct dfr_json *j, const char *key, struct dfr_str s);
void dfr_json_z(struct dfr_json *j, const char *key, const char *z);
/* Null when empty. */
void dfr_json_text(struct dfr_json *j, const char *key, struct dfr_str s);
void dfr_json_int(struct dfr_json *j, const char *key, int64_t v);
/* A number with six decimals. */
void dfr_json_micro(struct dfr_json *j, const char *key, int64_t millionths);
void dfr_json_hex(struct dfr_json *j, const char *key, uint64_t v);
void dfr_json_bool(struct dfr_json *j, const char *key, bool v);
void dfr_json_null(struct dfr_json *j, const char *key);
/* One newline after the whole text. */
void dfr_json_end(struct dfr_json *j);

#endif
