/* Where the function starts that an address lies in, by the table of functions that images carry for
 * unwinding. It tells a name that is right from one that is only the nearest. */
#ifndef DFR_IMAGE_FUNCTIONS_H
#define DFR_IMAGE_FUNCTIONS_H

#include "image/pe.h"

enum dfr_function_found {
    DFR_FUNCTION_UNKNOWN, /* no table, or it cannot be read */
    DFR_FUNCTION_NONE,    /* no entry holds the address: a leaf, or padding */
    DFR_FUNCTION_FOUND,
};

struct dfr_function {
    uint32_t piece; /* RVA where the piece begins that holds the address */
    uint32_t begin; /* RVA where its function begins; of a function in one piece the same */
};

enum dfr_function_found dfr_function_at(const struct dfr_pe *pe, uint32_t rva,
                                        struct dfr_function *ret);

#endif
