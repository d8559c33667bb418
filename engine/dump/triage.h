/* What only small dumps have: the block behind their header. */
#ifndef DFR_DUMP_TRIAGE_H
#define DFR_DUMP_TRIAGE_H

#include "dump/reader.h"

/* Fields of the block behind the header of a small dump. 64-bit offsets and, where they differ, 32-bit
 * ones come from triage_field.def. Source: public parsers that agree; observed on x64 and ARM64. */
#define TRIAGE_FIELD(id, off64, size64, off32, size32) DFR_TRIAGE_##id,
enum dfr_triage_field {
#include "dump/triage_field.def"
    DFR_TRIAGE_COUNT
};
#undef TRIAGE_FIELD

/* A field of the block; 0 when it cannot be read. */
uint32_t dfr_triage_u32(const struct dfr_dump *d, enum dfr_triage_field field);
uint64_t dfr_triage_u64(const struct dfr_dump *d, enum dfr_triage_field field);
/* Read the block behind the header and the map of what was captured. False: they are not there. */
bool dfr_triage_open(struct dfr_dump *d);

#endif
