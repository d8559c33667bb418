/* Read-only byte ranges: the one gate through which untrusted bytes are read.
 * Knows nothing of files, dumps or text. */
#ifndef DFR_BASE_SPAN_H
#define DFR_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dfr_span {
    const uint8_t *p;
    size_t len;
};

/* Set *ret to the `len` bytes at `off`; false (and *ret untouched) when they do not all lie in `s`. */
static inline bool dfr_span_sub(struct dfr_span s, uint64_t off, uint64_t len, struct dfr_span *ret)
{
    if (off > s.len || len > s.len - off)
        return false;
    *ret = (struct dfr_span){s.p + (size_t)off, (size_t)len};
    return true;
}

/* Little-endian reads at `off`; false when the field does not lie in `s`. */
static inline bool dfr_span_u8(struct dfr_span s, uint64_t off, uint8_t *ret)
{
    struct dfr_span f;
    if (!dfr_span_sub(s, off, 1, &f))
        return false;
    *ret = f.p[0];
    return true;
}

static inline bool dfr_span_u16le(struct dfr_span s, uint64_t off, uint16_t *ret)
{
    struct dfr_span f;
    if (!dfr_span_sub(s, off, 2, &f))
        return false;
    *ret = (uint16_t)(f.p[0] | (uint16_t)(f.p[1] << 8));
    return true;
}

static inline bool dfr_span_u32le(struct dfr_span s, uint64_t off, uint32_t *ret)
{
    struct dfr_span f;
    if (!dfr_span_sub(s, off, 4, &f))
        return false;
    *ret =
        (uint32_t)f.p[0] | (uint32_t)f.p[1] << 8 | (uint32_t)f.p[2] << 16 | (uint32_t)f.p[3] << 24;
    return true;
}

static inline bool dfr_span_u64le(struct dfr_span s, uint64_t off, uint64_t *ret)
{
    uint32_t lo, hi;
    if (!dfr_span_u32le(s, off, &lo) || !dfr_span_u32le(s, off + 4, &hi))
        return false;
    *ret = (uint64_t)hi << 32 | lo;
    return true;
}

#endif
