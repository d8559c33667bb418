/* Unwind data of ARM64 as operations, for the unwinder and for tools. */
#ifndef DFR_IMAGE_UNWIND_ARM64_H
#define DFR_IMAGE_UNWIND_ARM64_H

#include "image/unwind.h"

enum { DFR_ARM64_OPS = 1024 }; /* more than the bytes of codes that one function can have */

/* Operations in the order in which they are undone; each but those of special frames stands for one
 * instruction. */
struct dfr_arm64_ops {
    uint32_t n;
    uint32_t own; /* the operations of a function that this one is a part of begin here */
    struct dfr_unwind_op op[DFR_ARM64_OPS];
};

struct dfr_arm64_function {
    uint32_t begin, length; /* bytes */
    uint32_t word;          /* packed: what stands for the data; else its RVA */
    bool packed;
    uint32_t epilogs;           /* listed at `scopes`; 1 without a list: it ends the function */
    uint32_t scopes, index;     /* RVA of the list; or where the codes of the only epilog begin */
    uint32_t codes, code_bytes; /* RVA and size */
};

/* The function of the table's entry at an RVA; false with the reason in `s`. */
bool dfr_arm64_function(const struct dfr_pe *pe, uint32_t entry, struct dfr_arm64_function *ret,
                        struct dfr_step *s);
/* Operations of the prolog. */
bool dfr_arm64_prolog(const struct dfr_pe *pe, const struct dfr_arm64_function *fn,
                      struct dfr_arm64_ops *ret, struct dfr_step *s);
/* Where listed epilog `i` starts and where its codes do; false when the list cannot be read. */
bool dfr_arm64_scope(const struct dfr_pe *pe, const struct dfr_arm64_function *fn, uint32_t i,
                     uint32_t *ret_start, uint32_t *ret_index);
/* Where epilog `i` starts (bytes into the function) and its operations; its return is one
 * instruction more. */
bool dfr_arm64_epilog(const struct dfr_pe *pe, const struct dfr_arm64_function *fn, uint32_t i,
                      uint32_t *ret_start, struct dfr_arm64_ops *ret, struct dfr_step *s);
/* Operations that a packed word stands for; false: it makes no sense. */
bool dfr_arm64_unpack(uint32_t word, bool epilog, struct dfr_arm64_ops *ret);
/* How many of the operations of `o` before `to` stand for an instruction. */
uint32_t dfr_arm64_instructions(const struct dfr_arm64_ops *o, uint32_t to);

#endif
