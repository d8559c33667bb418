/* Unwind data of x64 as it stands, for the unwinder and for tools. */
#ifndef DFR_IMAGE_UNWIND_X64_H
#define DFR_IMAGE_UNWIND_X64_H

#include "image/unwind.h"

struct dfr_x64_entry {
    uint32_t begin, end, info; /* RVAs; bit 0 of `info`: that of another entry */
};

struct dfr_x64_info {
    uint32_t at; /* RVA */
    uint8_t version, flags, prolog, slots, frame;
    uint32_t frame_offset;
    uint8_t code[2 * 255];
};

/* The entry of the function table at an RVA; false when it cannot be read. */
bool dfr_x64_entry(const struct dfr_pe *pe, uint32_t at, struct dfr_x64_entry *ret);
/* The data at an RVA; false with the reason in `s`. */
bool dfr_x64_info(const struct dfr_pe *pe, uint32_t at, struct dfr_x64_info *ret,
                  struct dfr_step *s);
/* The operation at *slot, which then is the next one's; false: it is not known or runs out. */
bool dfr_x64_op(const struct dfr_x64_info *i, uint32_t *slot, struct dfr_unwind_op *ret);

#endif
