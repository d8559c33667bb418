/* The memory of a dump behind its facts. */
#ifndef DFR_DUMP_VIEW_H
#define DFR_DUMP_VIEW_H

#include "dump/reader.h"
#include "facts/view.h"

/* Give the facts of `d` a view of its memory, which lives as long as the arena and the bytes do. */
void dfr_dump_view(const struct dfr_dump *d);

#endif
