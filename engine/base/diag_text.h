/* A diagnostic as people read it: place, severity and code, message, source line, underline. */
#ifndef DFR_BASE_DIAG_TEXT_H
#define DFR_BASE_DIAG_TEXT_H

#include "base/buf.h"
#include "base/diag.h"

/* Append `d`, ending in a newline. With `color`, ANSI colours are added; never needed to read it. */
void dfr_diag_text(struct dfr_buf *b, const struct dfr_diag *d, bool color);
/* Append all of them in order, and a closing line with a count
 * when any were dropped or more than `most` (0: all) would be shown. */
void dfr_diags_text(struct dfr_buf *b, const struct dfr_diags *d, uint32_t most, bool color);

#endif
