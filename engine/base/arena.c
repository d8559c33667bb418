/* Arenas in blocks that double up to a megabyte. Blocks come zeroed, so reused ones are cleared. */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

enum { BLOCK_FIRST = 4096, BLOCK_MOST = 1 << 20, ALIGNMENT = 16 };

struct dfr_arena_block {
    struct dfr_arena_block *older;
    size_t size; /* payload bytes */
};

struct dfr_arena_defer {
    struct dfr_arena_defer *older;
    void (*release)(void *);
    void *p;
};

/* The header is padded so that the payload keeps malloc's alignment. */
enum { HEADER = (sizeof(struct dfr_arena_block) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT };

static void *host_malloc(void *user, size_t size)
{
    (void)user;
    return malloc(size);
}

static void host_free(void *user, void *p)
{
    (void)user;
    free(p);
}

void dfr_mem_init(struct dfr_mem *m, const struct dfr_allocator *host, size_t limit)
{
    *m = (struct dfr_mem){.host = {.alloc = host_malloc, .free = host_free}, .limit = limit};
    if (host && host->alloc && host->free)
        m->host = *host;
}

_Noreturn void dfr_mem_fail(struct dfr_mem *m)
{
    if (!m->guard)
        abort(); /* an arena was used outside any API entry: our bug */
    longjmp(*m->guard, 1);
}

void dfr_arena_init(struct dfr_arena *a, struct dfr_mem *m)
{
    *a = (struct dfr_arena){.mem = m};
}

static void run_defers(struct dfr_arena *a)
{
    while (a->defers) {
        struct dfr_arena_defer *d = a->defers;
        a->defers = d->older;
        d->release(d->p);
    }
}

static void free_block(struct dfr_arena *a, struct dfr_arena_block *b)
{
    a->mem->live -= b->size + HEADER;
    a->mem->host.free(a->mem->host.user, b);
}

void dfr_arena_deinit(struct dfr_arena *a)
{
    run_defers(a);
    while (a->head) {
        struct dfr_arena_block *b = a->head;
        a->head = b->older;
        free_block(a, b);
    }
    *a = (struct dfr_arena){.mem = a->mem};
}

void dfr_arena_reset(struct dfr_arena *a)
{
    run_defers(a);
    struct dfr_arena_block *keep = NULL;
    while (a->head) {
        struct dfr_arena_block *b = a->head;
        a->head = b->older;
        if (keep && keep->size >= b->size) {
            free_block(a, b);
        } else {
            if (keep)
                free_block(a, keep);
            keep = b;
        }
    }
    a->head = keep;
    a->used = 0;
    a->next = a->end = NULL;
    if (keep) {
        keep->older = NULL;
        a->next = (uint8_t *)keep + HEADER;
        a->end = a->next + keep->size;
    }
}

static void grow(struct dfr_arena *a, size_t need)
{
    size_t size = a->head ? a->head->size * 2 : BLOCK_FIRST;
    if (size > BLOCK_MOST)
        size = BLOCK_MOST;
    if (size < need)
        size = need;
    size_t total;
    if (!dfr_size_add(size, HEADER, &total) ||
        (a->mem->limit &&
         total > a->mem->limit - (a->mem->live < a->mem->limit ? a->mem->live : a->mem->limit)))
        dfr_mem_fail(a->mem);
    struct dfr_arena_block *b = a->mem->host.alloc(a->mem->host.user, total);
    if (!b)
        dfr_mem_fail(a->mem);
    a->mem->live += total;
    b->older = a->head;
    b->size = size;
    a->head = b;
    a->next = (uint8_t *)b + HEADER;
    a->end = a->next + size;
}

void *dfr_arena_raw(struct dfr_arena *a, size_t size)
{
    size_t rounded;
    if (!dfr_size_add(size ? size : 1, ALIGNMENT - 1, &rounded))
        dfr_mem_fail(a->mem);
    rounded = rounded / ALIGNMENT * ALIGNMENT;
    if (rounded > (size_t)(a->end - a->next))
        grow(a, rounded);
    void *p = a->next;
    a->next += rounded;
    a->used += rounded;
    return p;
}

void *dfr_arena_alloc(struct dfr_arena *a, size_t size)
{
    return memset(dfr_arena_raw(a, size), 0, size);
}

void *dfr_arena_array(struct dfr_arena *a, size_t n, size_t size)
{
    size_t total;
    if (!dfr_size_mul(n, size, &total))
        dfr_mem_fail(a->mem);
    return dfr_arena_alloc(a, total);
}

char *dfr_arena_copy(struct dfr_arena *a, const void *p, size_t len)
{
    size_t with_nul;
    if (!dfr_size_add(len, 1, &with_nul))
        dfr_mem_fail(a->mem);
    char *copy = dfr_arena_alloc(a, with_nul);
    if (len)
        memcpy(copy, p, len);
    return copy;
}

void dfr_arena_defer(struct dfr_arena *a, void (*release)(void *), void *p)
{
    struct dfr_arena_defer *d = DFR_NEW(a, struct dfr_arena_defer);
    *d = (struct dfr_arena_defer){.older = a->defers, .release = release, .p = p};
    a->defers = d;
}
