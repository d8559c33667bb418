/* A stable merge sort over numbers, so that equal keys keep their order on every C library. */
#include "rank/tally.h"

#include <string.h>

void dfr_order(uint32_t *v, uint32_t n, dfr_order_fn compare, const void *context,
               struct dfr_arena *a)
{
    if (n < 2)
        return;
    uint32_t *from = v, *to = DFR_NEW_N(a, n, uint32_t);
    for (uint64_t width = 1; width < n; width *= 2) {
        for (uint64_t low = 0; low < n; low += 2 * width) {
            uint64_t mid = low + width < n ? low + width : n;
            uint64_t end = low + 2 * width < n ? low + 2 * width : n;
            uint64_t i = low, k = mid;
            for (uint64_t out = low; out < end; out++) {
                bool left = i < mid && (k >= end || compare(context, from[i], from[k]) <= 0);
                to[out] = left ? from[i++] : from[k++];
            }
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != v)
        memcpy(v, from, n * sizeof *v);
}
