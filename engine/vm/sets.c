/* Sets of small numbers, each stored once: equal sets have equal numbers, so joining what rests on
 * the same facts costs nothing. */
#include <stdlib.h>
#include <string.h>

#include "vm/vm.h"

struct set {
    const uint32_t *items;
    uint32_t n, hash;
};

enum { MEMO = 128, FIRST_SLOTS = 64 };
struct dfr_sets {
    struct dfr_arena *arena;
    DFR_VEC(struct set) sets; /* [0] is empty */
    uint32_t *slots;
    uint32_t mask;
    uint32_t *scratch;
    uint32_t scratch_cap;
    struct {
        uint32_t a, b, result;
    } memo[MEMO];
};

struct dfr_sets *dfr_sets_new(struct dfr_arena *a)
{
    struct dfr_sets *s = DFR_NEW(a, struct dfr_sets);
    s->arena = a;
    s->slots = DFR_NEW_N(a, FIRST_SLOTS, uint32_t);
    s->mask = FIRST_SLOTS - 1;
    *DFR_PUSH(a, &s->sets) = (struct set){0};
    return s;
}

static uint32_t hash_items(const uint32_t *items, uint32_t n)
{
    uint64_t h = 0x9E3779B97F4A7C15u ^ n;
    for (uint32_t i = 0; i < n; i++)
        h = (h ^ items[i]) * 0xFF51AFD7ED558CCDu, h ^= h >> 32;
    return (uint32_t)h;
}

static void place(struct dfr_sets *s, uint32_t number)
{
    uint32_t i = s->sets.v[number].hash & s->mask;
    while (s->slots[i])
        i = (i + 1) & s->mask;
    s->slots[i] = number;
}

static void rehash(struct dfr_sets *s, uint32_t slots)
{
    s->slots = DFR_NEW_N(s->arena, slots, uint32_t);
    s->mask = slots - 1;
    for (uint32_t i = 1; i < s->sets.n; i++)
        place(s, i);
}

/* `items` are sorted and distinct; they are copied when the set is new. */
static uint32_t intern(struct dfr_sets *s, const uint32_t *items, uint32_t n)
{
    if (!n)
        return 0;
    uint32_t hash = hash_items(items, n);
    for (uint32_t i = hash & s->mask; s->slots[i]; i = (i + 1) & s->mask) {
        const struct set *t = &s->sets.v[s->slots[i]];
        if (t->hash == hash && t->n == n && memcmp(t->items, items, n * sizeof *items) == 0)
            return s->slots[i];
    }
    uint32_t *copy = DFR_NEW_N(s->arena, n, uint32_t);
    memcpy(copy, items, n * sizeof *items);
    uint32_t number = s->sets.n;
    *DFR_PUSH(s->arena, &s->sets) = (struct set){copy, n, hash};
    if (number > s->mask / 2)
        rehash(s, (s->mask + 1) * 2);
    else
        place(s, number);
    return number;
}

static int by_number(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return (a > b) - (a < b);
}

static uint32_t sort_distinct(uint32_t *items, uint32_t n)
{
    bool sorted = true;
    for (uint32_t i = 1; sorted && i < n; i++)
        sorted = items[i - 1] < items[i];
    if (sorted)
        return n;
    qsort(items, n, sizeof *items, by_number);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (!kept || items[kept - 1] != items[i])
            items[kept++] = items[i];
    return kept;
}

uint32_t dfr_sets_of(struct dfr_sets *s, uint32_t *items, uint32_t n)
{
    return intern(s, items, sort_distinct(items, n));
}

uint32_t dfr_sets_one(struct dfr_sets *s, uint32_t item)
{
    return intern(s, &item, 1);
}

uint32_t dfr_sets_count(const struct dfr_sets *s)
{
    return s->sets.n;
}

const uint32_t *dfr_sets_items(const struct dfr_sets *s, uint32_t set, uint32_t *ret_n)
{
    const struct set *t = &s->sets.v[set < s->sets.n ? set : 0];
    *ret_n = t->n;
    return t->items;
}

static uint32_t merge(struct dfr_sets *s, uint32_t a, uint32_t b)
{
    struct set x = s->sets.v[a], y = s->sets.v[b];
    uint32_t most = x.n + y.n; /* no overflow: both are in memory, four bytes each */
    if (s->scratch_cap < most) {
        s->scratch_cap = most < 32 ? 32 : most;
        s->scratch = DFR_NEW_N(s->arena, s->scratch_cap, uint32_t);
    }
    uint32_t n = 0, i = 0, k = 0;
    while (i < x.n && k < y.n) {
        uint32_t low = x.items[i] < y.items[k] ? x.items[i] : y.items[k];
        i += x.items[i] == low;
        k += y.items[k] == low;
        s->scratch[n++] = low;
    }
    while (i < x.n)
        s->scratch[n++] = x.items[i++];
    while (k < y.n)
        s->scratch[n++] = y.items[k++];
    if (n == x.n)
        return a;
    if (n == y.n)
        return b;
    return intern(s, s->scratch, n);
}

uint32_t dfr_sets_union(struct dfr_sets *s, uint32_t a, uint32_t b)
{
    if (a == b || !b)
        return a;
    if (!a)
        return b;
    if (a > b) {
        uint32_t t = a;
        a = b;
        b = t;
    }
    uint32_t at = (a * 31 + b) % MEMO;
    if (s->memo[at].a != a || s->memo[at].b != b) {
        uint32_t result = merge(s, a, b);
        s->memo[at].a = a;
        s->memo[at].b = b;
        s->memo[at].result = result;
    }
    return s->memo[at].result;
}

void dfr_sets_renumber(struct dfr_sets *s, const uint32_t *map, const uint32_t *map_cells)
{
    for (uint32_t i = 1; i < s->sets.n; i++) {
        struct set *t = &s->sets.v[i];
        uint32_t *items = DFR_NEW_N(s->arena, t->n, uint32_t), n = 0;
        for (uint32_t k = 0; k < t->n; k++) {
            uint32_t item = t->items[k];
            uint32_t to = item & DFR_SET_CELL ? map_cells[item & ~DFR_SET_CELL] : map[item];
            if (to != DFR_NONE)
                items[n++] = to;
        }
        t->n = sort_distinct(items, n);
        t->items = items;
        t->hash = hash_items(items, t->n);
    }
    memset(s->memo, 0, sizeof s->memo);
    rehash(s, s->mask + 1);
}
