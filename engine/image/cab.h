/* Files of a symbol store that were packed into a cabinet of one file (`name.sy_`, `name.pd_`). */
#ifndef DFR_IMAGE_CAB_H
#define DFR_IMAGE_CAB_H

#include "memory/bytes.h"

/* Does `b` begin as a cabinet does? */
bool dfr_cab_is(struct dfr_bytes *b);
/* Unpack the first file of a cabinet into `a`. False when it is none, is damaged, or unpacks to more
 * than DFR_LIMIT_UNPACKED_BYTES. */
bool dfr_cab_unpack(struct dfr_arena *a, struct dfr_bytes *b, struct dfr_span *ret);

#endif
