/* The one text builder: everything that is printed or quoted is put together here.
 * Grows in an arena up to a cap; past it the text is cut and `cut` says so. */
#ifndef DFR_BASE_BUF_H
#define DFR_BASE_BUF_H

#include <stdarg.h>

#include "base/str.h"

struct dfr_buf {
    struct dfr_arena *arena;
    char *p;
    size_t len, cap;
    size_t most; /* 0: DFR_LIMIT_TEXT_BYTES */
    bool cut;
};

void dfr_buf_init(struct dfr_buf *b, struct dfr_arena *a);
void dfr_buf_char(struct dfr_buf *b, char c);
void dfr_buf_str(struct dfr_buf *b, struct dfr_str s);
void dfr_buf_z(struct dfr_buf *b, const char *z);
void dfr_buf_printf(struct dfr_buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Append text that came from a dump: control characters, escapes, bidirectional marks and broken
 * UTF-8 become \xNN or U+FFFD, so a hostile name cannot drive a terminal. */
void dfr_buf_safe(struct dfr_buf *b, struct dfr_str hostile);
struct dfr_str dfr_buf_text(const struct dfr_buf *b);

#endif
