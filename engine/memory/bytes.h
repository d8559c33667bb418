/* Where the bytes of a dump come from: memory, a file, or a callback. Readers ask for ranges; a file
 * is read in windows and never mapped (a mapped file that shrinks raises a signal).
 * Knows nothing of formats. */
#ifndef DFR_MEMORY_BYTES_H
#define DFR_MEMORY_BYTES_H

#include "base/arena.h"
#include "base/span.h"

/* Fill `buf` with the `len` bytes at `off`; false when they cannot be had. Once the bytes are shared,
 * it is called from several threads at once. */
typedef bool (*dfr_read_fn)(void *user, uint64_t off, void *buf, size_t len);

struct dfr_window;
struct dfr_bytes {
    struct dfr_arena *arena;
    uint64_t size; /* of the whole input */
    const uint8_t *bytes;
    dfr_read_fn read; /* NULL: `bytes` holds everything */
    void *user;
    struct dfr_window **windows; /* blocks of the file that were read lately, by their place */
    uint64_t fetched; /* bytes that `read` was asked for; may be read while others count */
    bool shared;
};

void dfr_bytes_memory(struct dfr_bytes *r, struct dfr_arena *a, struct dfr_span bytes);
void dfr_bytes_callback(struct dfr_bytes *r, struct dfr_arena *a, uint64_t size, dfr_read_fn read,
                        void *user);
/* A regular file that the caller opened and closes after the last use of it; false when
 * `*fd` is none. `fd` must live as long as the reader. */
bool dfr_bytes_fd(struct dfr_bytes *r, struct dfr_arena *a, const int *fd);
/* From now on threads may read at once: the windows are left alone, every copy asks `read` for what
 * it needs and no more, and dfr_bytes_span() gives only what lies in memory already. */
void dfr_bytes_share(struct dfr_bytes *r);

/* Set *ret to the `len` bytes at `off`, which live as long as the arena (and the bytes given). False
 * when they do not all lie in the input, cannot be read, or are more than DFR_LIMIT_DUMP_SPAN. */
bool dfr_bytes_span(struct dfr_bytes *r, uint64_t off, uint64_t len, struct dfr_span *ret);
/* Copy bytes, small pieces through the windows. */
bool dfr_bytes_copy(struct dfr_bytes *r, uint64_t off, void *buf, size_t len);
bool dfr_bytes_u32(struct dfr_bytes *r, uint64_t off, uint32_t *ret);
bool dfr_bytes_u64(struct dfr_bytes *r, uint64_t off, uint64_t *ret);

#endif
