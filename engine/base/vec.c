/* Growth of arena vectors. */
#include "base/vec.h"

#include <string.h>

#include "base/checked.h"

void *dfr_vec_grow(struct dfr_arena *a, void *v, uint32_t n, uint32_t *cap, size_t size)
{
    enum { FIRST = 8 };
    if (*cap > UINT32_MAX / 2)
        dfr_mem_fail(a->mem);
    *cap = *cap ? *cap * 2 : FIRST;
    size_t total;
    if (!dfr_size_mul(*cap, size, &total))
        dfr_mem_fail(a->mem);
    char *bigger = dfr_arena_raw(a, total);
    if (n)
        memcpy(bigger, v, n * size);
    memset(bigger + n * size, 0, total - n * size);
    return bigger;
}
