/* The memory of a dump that stores physical pages: every kind but the small ones. */
#ifndef DFR_DUMP_PAGES_H
#define DFR_DUMP_PAGES_H

#include <stdbool.h>

struct dfr_dump;

/* Open the list of pages and the page tables into `d->memory`; what is damaged is told. False: the
 * dump holds no page that could be read, its header is all there is. */
bool dfr_dump_pages(struct dfr_dump *d);

#endif
