/* One module, wherever its entry was read. Inside the dump layer only. */
#ifndef DFR_DUMP_MODULES_H
#define DFR_DUMP_MODULES_H

#include "dump/reader.h"

struct dfr_module {
    uint64_t base;
    uint32_t size, checksum;
    struct dfr_str path; /* or the file name alone; empty: not known, `why` says why */
    enum dfr_reason why;
    uint32_t place;
};
/* Add its row and image; UINT32_MAX when it makes no sense. */
uint32_t dfr_module_add(struct dfr_dump *d, const struct dfr_module *m);
/* After the last one. */
void dfr_modules_ready(struct dfr_dump *d);
/* What the headers of an image in memory say: its stamp, and whether that is a time. */
void dfr_module_stamp(struct dfr_dump *d, uint32_t row, uint64_t base);

#endif
