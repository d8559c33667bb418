/* Between the unwinders: inside the image layer only. Each returns false and says why in `s`. */
#ifndef DFR_IMAGE_UNWIND_STEP_H
#define DFR_IMAGE_UNWIND_STEP_H

#include "image/unwind.h"

bool dfr_step_fail(struct dfr_step *s, enum dfr_unwind how, enum dfr_reason why, uint64_t at);
bool dfr_step_lost(struct dfr_step *s, enum dfr_unwind how, const struct dfr_pe *pe, uint32_t rva);
bool dfr_step_stack(struct dfr_step *s, const struct dfr_space *stack, uint64_t va, uint64_t *ret);
/* Entry (its RVA) of the function table with the greatest start at or before `rva`. */
bool dfr_step_find(struct dfr_step *s, const struct dfr_pe *pe, uint32_t rva, uint32_t stride,
                   bool *ret_found, uint32_t *ret_entry);

bool dfr_step_x64(const struct dfr_pe *pe, const struct dfr_space *stack, struct dfr_frame *f,
                  struct dfr_step *s);
bool dfr_step_arm64(const struct dfr_pe *pe, const struct dfr_space *stack, uint64_t pac,
                    struct dfr_frame *f, struct dfr_step *s);

#endif
