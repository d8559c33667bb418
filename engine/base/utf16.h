/* Names in dumps: UTF-16 little-endian, possibly broken. */
#ifndef DFR_BASE_UTF16_H
#define DFR_BASE_UTF16_H

#include "base/span.h"
#include "base/str.h"

/* The text of `s` as UTF-8, without a NUL and what follows it. A half surrogate becomes U+FFFD. */
struct dfr_str dfr_utf16_text(struct dfr_arena *a, struct dfr_span s);

#endif
