/* Memory: a host allocator behind arenas that never hand out NULL.
 *
 * Every public entry point of the library opens one dfr_mem, sets a jump guard, and works in arenas
 * on it. When the host's allocator (or the limit) says no, dfr_mem_fail() jumps to that guard; the
 * entry point frees its arenas and returns DFR_NO_MEMORY. So code below the API never tests an
 * allocation, and nothing leaks, as long as all memory comes from arenas and everything else
 * (files, pcre2 objects) is registered with dfr_arena_defer(). */
#ifndef DFR_BASE_ARENA_H
#define DFR_BASE_ARENA_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dfr_allocator {
    void *(*alloc)(void *user, size_t size); /* NULL: malloc */
    void (*free)(void *user, void *p);
    void *user;
};

struct dfr_mem {
    struct dfr_allocator host;
    jmp_buf *guard; /* where an exhausted allocation jumps; set before any arena is used */
    size_t live;    /* bytes now held from the host */
    size_t limit;   /* 0: none */
};

struct dfr_arena_block;
struct dfr_arena_defer;
struct dfr_arena {
    struct dfr_mem *mem;
    struct dfr_arena_block *head;
    struct dfr_arena_defer *defers;
    uint8_t *next, *end;
    size_t used; /* bytes handed out, alignment included */
};

void dfr_mem_init(struct dfr_mem *m, const struct dfr_allocator *host, size_t limit);
_Noreturn void dfr_mem_fail(struct dfr_mem *m);

void dfr_arena_init(struct dfr_arena *a, struct dfr_mem *m);
/* Run the deferred releases, newest first, and give all blocks back. Safe on a zeroed arena. */
void dfr_arena_deinit(struct dfr_arena *a);
/* Forget everything allocated (deferred releases run) but keep the largest block for reuse. */
void dfr_arena_reset(struct dfr_arena *a);
/* `size` zeroed bytes aligned for any type; never NULL. `size` 0 gives a valid pointer. */
void *dfr_arena_alloc(struct dfr_arena *a, size_t size);
/* The same for `n` elements of `size`; an overflowing product counts as exhausted memory. */
void *dfr_arena_array(struct dfr_arena *a, size_t n, size_t size);
/* As dfr_arena_alloc, but the bytes are not zeroed: for what is written at once. */
void *dfr_arena_raw(struct dfr_arena *a, size_t size);
/* Copy `len` bytes and a NUL behind them. */
char *dfr_arena_copy(struct dfr_arena *a, const void *p, size_t len);
/* Call release(p) when the arena is reset or deinitialised. */
void dfr_arena_defer(struct dfr_arena *a, void (*release)(void *), void *p);

#define DFR_NEW(arena, type) ((type *)dfr_arena_alloc((arena), sizeof(type)))
#define DFR_NEW_N(arena, n, type) ((type *)dfr_arena_array((arena), (n), sizeof(type)))

#endif
