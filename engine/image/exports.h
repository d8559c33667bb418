/* Names that an image exports: all that is known of an image without a PDB. They are few, so the
 * nearest one below an address is often not the function that the address lies in. */
#ifndef DFR_IMAGE_EXPORTS_H
#define DFR_IMAGE_EXPORTS_H

#include "base/str.h"
#include "image/pe.h"

struct dfr_export {
    uint32_t rva;
    struct dfr_str name;
    struct dfr_str forward; /* MODULE.name of where it really is; empty: it is here */
};

struct dfr_exports {
    const struct dfr_pe *pe;
    struct dfr_export *v; /* those that are here first, by rising address; then forwarded ones */
    uint32_t n, here;
};

/* Read the names. NONE also when there are none; else why they cannot be read. `pe` must outlive
 * *ret; names live in `a`. */
enum dfr_reason dfr_exports_read(struct dfr_exports *ret, struct dfr_arena *a,
                                 const struct dfr_pe *pe);
/* The nearest name at or below `rva` in the same section, or NULL. */
const struct dfr_export *dfr_exports_at(const struct dfr_exports *e, uint32_t rva);
/* The export called `name`, or NULL. */
const struct dfr_export *dfr_exports_named(const struct dfr_exports *e, struct dfr_str name);

#endif
