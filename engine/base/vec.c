/* Growth of arena vectors. */
#include "base/vec.h"

#include <string.h>

void *dfr_vec_grow(struct dfr_arena *a, void *v, uint32_t n, uint32_t *cap, size_t size)
{
    enum { FIRST = 8 };
    if (*cap > UINT32_MAX / 2)
        dfr_mem_fail(a->mem);
    *cap = *cap ? *cap * 2 : FIRST;
    void *bigger = dfr_arena_array(a, *cap, size);
    if (n)
        memcpy(bigger, v, n * size);
    return bigger;
}
