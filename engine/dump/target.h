/* Small things that readers of the crashed system's objects share. Inside the dump layer. */
#ifndef DFR_DUMP_TARGET_H
#define DFR_DUMP_TARGET_H

#include "dump/triage.h"

/* An address of the kernel's half; 32-bit addresses stand without sign extension. */
static inline bool dfr_target_kernel(const struct dfr_dump *d, uint64_t va)
{
    return d->file.wide ? va >> 63 : va >= UINT64_C(0x80000000) && va <= UINT32_MAX;
}

static inline uint64_t dfr_target_pointer_bytes(const struct dfr_dump *d)
{
    return d->file.wide ? 8 : 4;
}

/* A place for what stands at an address; only the address when it was not captured. */
static inline uint32_t dfr_target_place(struct dfr_dump *d, uint64_t va, uint64_t len)
{
    uint64_t off = 0, have;
    if (!dfr_space_at(&d->memory, va, &off, &have))
        len = 0;
    return dfr_facts_place(d->facts, (struct dfr_place){off, off + len, 0, va});
}

/* A parameter of the bug check, 1 to 4; 0 when it was never written. */
static inline uint64_t dfr_target_arg(const struct dfr_dump *d, unsigned number)
{
    uint64_t u = 0;
    return dfr_container_field(&d->file, DFR_HEADER_ARG1 + number - 1, &u) ? u : 0;
}

static inline uint32_t dfr_target_code(const struct dfr_dump *d)
{
    uint64_t u = 0;
    return dfr_container_field(&d->file, DFR_HEADER_CODE, &u) ? dfr_bugcheck_code((uint32_t)u) : 0;
}

#endif
