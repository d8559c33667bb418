/* Arithmetic that says when it overflows, and narrowing that says when it loses bits. */
#ifndef DFR_BASE_CHECKED_H
#define DFR_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each returns true and sets *ret, or returns false on overflow and leaves *ret alone. */
#define DFR_CHECKED(name, type, builtin)                                                           \
    static inline bool name(type a, type b, type *ret)                                             \
    {                                                                                              \
        type r;                                                                                    \
        if (builtin(a, b, &r))                                                                     \
            return false;                                                                          \
        *ret = r;                                                                                  \
        return true;                                                                               \
    }

DFR_CHECKED(dfr_u64_add, uint64_t, __builtin_add_overflow)
DFR_CHECKED(dfr_u64_mul, uint64_t, __builtin_mul_overflow)
DFR_CHECKED(dfr_i64_add, int64_t, __builtin_add_overflow)
DFR_CHECKED(dfr_i64_sub, int64_t, __builtin_sub_overflow)
DFR_CHECKED(dfr_i64_mul, int64_t, __builtin_mul_overflow)
DFR_CHECKED(dfr_size_add, size_t, __builtin_add_overflow)
DFR_CHECKED(dfr_size_mul, size_t, __builtin_mul_overflow)

static inline bool dfr_u32_from_u64(uint64_t v, uint32_t *ret)
{
    if (v > UINT32_MAX)
        return false;
    *ret = (uint32_t)v;
    return true;
}

static inline bool dfr_i64_from_u64(uint64_t v, int64_t *ret)
{
    if (v > INT64_MAX)
        return false;
    *ret = (int64_t)v;
    return true;
}

#endif
