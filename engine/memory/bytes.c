/* Bytes of a dump from memory, a file or a callback. */
#include "memory/bytes.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/limits.h"

/* Page tables, lists and stacks lie all over a dump: several small windows, each at one place of the
 * file modulo their number, read it better than one. */
enum { WINDOW = 4096, WINDOWS = 32 };

struct dfr_window {
    uint64_t at; /* a multiple of WINDOW */
    size_t len;  /* 0: holds nothing */
    uint8_t bytes[WINDOW];
};

void dfr_bytes_memory(struct dfr_bytes *r, struct dfr_arena *a, struct dfr_span bytes)
{
    *r = (struct dfr_bytes){.arena = a, .size = bytes.len, .bytes = bytes.p};
}

void dfr_bytes_callback(struct dfr_bytes *r, struct dfr_arena *a, uint64_t size, dfr_read_fn read,
                        void *user)
{
    *r = (struct dfr_bytes){.arena = a, .size = size, .read = read, .user = user};
    r->windows = DFR_NEW_N(a, WINDOWS, struct dfr_window *);
}

static bool read_fd(void *user, uint64_t off, void *buf, size_t len)
{
    const int *fd = user;
    uint8_t *p = buf;
    for (size_t done = 0; done < len;) {
        int64_t at;
        if (!dfr_i64_from_u64(off + done, &at))
            return false;
        ssize_t n = pread(*fd, p + done, len - done, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

bool dfr_bytes_fd(struct dfr_bytes *r, struct dfr_arena *a, const int *fd)
{
    struct stat st;
    if (fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 0)
        return false;
    dfr_bytes_callback(r, a, (uint64_t)st.st_size, read_fd, (void *)(uintptr_t)fd);
    return true;
}

static bool inside(const struct dfr_bytes *r, uint64_t off, uint64_t len)
{
    return off <= r->size && len <= r->size - off;
}

void dfr_bytes_share(struct dfr_bytes *r)
{
    r->shared = true;
}

static bool fetch(struct dfr_bytes *r, uint64_t off, void *buf, size_t len)
{
    __atomic_fetch_add(&r->fetched, len, __ATOMIC_RELAXED);
    return r->read(r->user, off, buf, len);
}

bool dfr_bytes_span(struct dfr_bytes *r, uint64_t off, uint64_t len, struct dfr_span *ret)
{
    if (!inside(r, off, len) || len > DFR_LIMIT_DUMP_SPAN)
        return false;
    if (!r->read)
        return dfr_span_sub((struct dfr_span){r->bytes, (size_t)r->size}, off, len, ret);
    if (r->shared)
        return false;
    uint8_t *p = dfr_arena_alloc(r->arena, (size_t)len);
    if (len && !fetch(r, off, p, (size_t)len))
        return false;
    *ret = (struct dfr_span){p, (size_t)len};
    return true;
}

/* The window over the block that holds `off`, filled; NULL when that cannot be read. */
static const struct dfr_window *window_at(struct dfr_bytes *r, uint64_t off)
{
    uint64_t at = off / WINDOW * WINDOW, left = r->size - at;
    struct dfr_window **slot = &r->windows[at / WINDOW % WINDOWS], *w = *slot;
    if (!w)
        w = *slot = dfr_arena_raw(r->arena, sizeof *w);
    else if (w->len && w->at == at)
        return w;
    size_t n = left < WINDOW ? (size_t)left : WINDOW;
    w->len = 0;
    if (!fetch(r, at, w->bytes, n))
        return NULL;
    w->at = at;
    w->len = n;
    return w;
}

bool dfr_bytes_copy(struct dfr_bytes *r, uint64_t off, void *buf, size_t len)
{
    if (!inside(r, off, len))
        return false;
    if (!r->read) {
        if (len)
            memcpy(buf, r->bytes + (size_t)off, len);
        return true;
    }
    if (len && (r->shared || len > WINDOW))
        return fetch(r, off, buf, len);
    for (uint8_t *p = buf; len;) {
        const struct dfr_window *w = window_at(r, off);
        if (!w)
            return false;
        size_t in = (size_t)(off - w->at), n = w->len - in < len ? w->len - in : len;
        memcpy(p, w->bytes + in, n);
        p += n;
        off += n;
        len -= n;
    }
    return true;
}

bool dfr_bytes_u32(struct dfr_bytes *r, uint64_t off, uint32_t *ret)
{
    uint8_t b[4];
    return dfr_bytes_copy(r, off, b, sizeof b) &&
           dfr_span_u32le((struct dfr_span){b, sizeof b}, 0, ret);
}

bool dfr_bytes_u64(struct dfr_bytes *r, uint64_t off, uint64_t *ret)
{
    uint8_t b[8];
    return dfr_bytes_copy(r, off, b, sizeof b) &&
           dfr_span_u64le((struct dfr_span){b, sizeof b}, 0, ret);
}
