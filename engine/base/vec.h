/* Growing arrays in an arena. A vector is any struct with members `v`, `n`, `cap`:
 *     struct { struct thing *v; uint32_t n, cap; } things;
 *     *DFR_PUSH(arena, &things) = (struct thing){...};
 * Growing copies into a new arena block, so pointers into `v` do not survive a push. */
#ifndef DFR_BASE_VEC_H
#define DFR_BASE_VEC_H

#include "base/arena.h"

void *dfr_vec_grow(struct dfr_arena *a, void *v, uint32_t n, uint32_t *cap, size_t size);

#define DFR_VEC(type)                                                                              \
    struct {                                                                                       \
        type *v;                                                                                   \
        uint32_t n, cap;                                                                           \
    }

/* Pointer to a new last element, zeroed. */
#define DFR_PUSH(arena, vec)                                                                       \
    ((vec)->v = (vec)->n < (vec)->cap                                                              \
                    ? (vec)->v                                                                     \
                    : dfr_vec_grow((arena), (vec)->v, (vec)->n, &(vec)->cap, sizeof *(vec)->v),    \
     &(vec)->v[(vec)->n++])

#endif
