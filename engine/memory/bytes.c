/* Bytes of a dump from memory, a file or a callback. */
#include "memory/bytes.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/limits.h"

enum { WINDOW = 4096 };

void dfr_bytes_memory(struct dfr_bytes *r, struct dfr_arena *a, struct dfr_span bytes)
{
    *r = (struct dfr_bytes){.arena = a, .size = bytes.len, .bytes = bytes.p};
}

void dfr_bytes_callback(struct dfr_bytes *r, struct dfr_arena *a, uint64_t size, dfr_read_fn read,
                        void *user)
{
    *r = (struct dfr_bytes){.arena = a, .size = size, .read = read, .user = user};
    r->window = dfr_arena_alloc(a, WINDOW);
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

static bool fetch(struct dfr_bytes *r, uint64_t off, void *buf, size_t len)
{
    r->fetched += len;
    return r->read(r->user, off, buf, len);
}

bool dfr_bytes_span(struct dfr_bytes *r, uint64_t off, uint64_t len, struct dfr_span *ret)
{
    if (!inside(r, off, len) || len > DFR_LIMIT_DUMP_SPAN)
        return false;
    if (!r->read)
        return dfr_span_sub((struct dfr_span){r->bytes, (size_t)r->size}, off, len, ret);
    uint8_t *p = dfr_arena_alloc(r->arena, (size_t)len);
    if (len && !fetch(r, off, p, (size_t)len))
        return false;
    *ret = (struct dfr_span){p, (size_t)len};
    return true;
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
    if (len > WINDOW / 2)
        return fetch(r, off, buf, len);
    if (off < r->window_at || off - r->window_at > r->window_len ||
        len > r->window_len - (size_t)(off - r->window_at)) {
        uint64_t left = r->size - off;
        size_t n = left < WINDOW ? (size_t)left : WINDOW;
        r->window_len = 0;
        if (!fetch(r, off, r->window, n))
            return false;
        r->window_at = off;
        r->window_len = n;
    }
    memcpy(buf, r->window + (size_t)(off - r->window_at), len);
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
