#include "image/msf.h"

#include <string.h>

#include "base/limits.h"

/* The first block: magic, then six numbers and the list of blocks that list the directory's blocks. */
enum {
    MAGIC_BYTES = 32,
    BLOCK_SIZE = 32,
    BLOCK_COUNT = 40,
    DIRECTORY_BYTES = 44,
    MAP = 52,
    BLOCK_LEAST = 512,
    BLOCK_MOST = 1 << 16,
    ABSENT = -1,
};

static const uint8_t magic[MAGIC_BYTES] = "Microsoft C/C++ MSF 7.00\r\n\x1A"
                                          "DS\0\0";

static bool failed(const char **ret_problem, const char *problem)
{
    *ret_problem = problem;
    return false;
}

static uint64_t blocks_of(const struct dfr_msf *m, uint64_t bytes)
{
    return (bytes + m->block - 1) / m->block;
}

/* Read the directory into memory. Its blocks are listed in blocks that the first block lists. */
static bool read_directory(struct dfr_msf *m, struct dfr_arena *a, uint32_t bytes, uint8_t *ret)
{
    uint64_t count = blocks_of(m, bytes), in_file = m->file->size / m->block;
    uint64_t maps = blocks_of(m, count * 4);
    uint8_t *map = dfr_arena_raw(a, m->block);
    for (uint64_t k = 0; k < maps; k++) {
        uint32_t at = 0, number = 0;
        if (MAP + k * 4 + 4 > m->block || !dfr_bytes_u32(m->file, MAP + k * 4, &at) ||
            at >= in_file || !dfr_bytes_copy(m->file, (uint64_t)at * m->block, map, m->block))
            return false;
        uint64_t first = k * (m->block / 4), n = count - first;
        if (n > m->block / 4)
            n = m->block / 4;
        for (uint64_t i = 0; i < n; i++) {
            uint64_t from = (first + i) * m->block, want = bytes - from;
            if (want > m->block)
                want = m->block;
            if (!dfr_span_u32le((struct dfr_span){map, m->block}, i * 4, &number) ||
                !dfr_bytes_copy(m->file, (uint64_t)number * m->block, ret + from, (size_t)want))
                return false;
        }
    }
    return true;
}

/* u32 count, a size each, then the blocks of each. */
static bool parse_directory(struct dfr_msf *m, struct dfr_arena *a, struct dfr_span d)
{
    uint32_t count = 0;
    if (!dfr_span_u32le(d, 0, &count) || count > (d.len - 4) / 4)
        return false;
    uint64_t lists = 4 + (uint64_t)count * 4, all = (d.len - lists) / 4, used = 0;
    uint64_t in_file = blocks_of(m, m->file->size);
    m->streams = count;
    m->stream = dfr_arena_array(a, count ? count : 1, sizeof *m->stream);
    m->list = dfr_arena_array(a, all ? (size_t)all : 1, sizeof *m->list);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = 0;
        (void)dfr_span_u32le(d, 4 + (uint64_t)i * 4, &size);
        if (size == (uint32_t)ABSENT)
            size = 0;
        uint64_t n = blocks_of(m, size);
        /* No two streams share a block, so all of them are no longer than the file. */
        if (n > all - used || n > in_file - used)
            return false;
        m->stream[i].size = size;
        m->stream[i].first = (uint32_t)used;
        for (uint64_t k = 0; k < n; k++) {
            uint32_t number = 0;
            (void)dfr_span_u32le(d, lists + (used + k) * 4, &number);
            if (number >= in_file)
                return false;
            m->list[used + k] = number;
        }
        used += n;
    }
    return true;
}

bool dfr_msf_open(struct dfr_msf *ret, struct dfr_arena *a, struct dfr_bytes *file,
                  const char **ret_problem)
{
    uint8_t head[MAGIC_BYTES];
    uint32_t count = 0, bytes = 0;
    struct dfr_msf m = {.file = file};
    if (!dfr_bytes_copy(file, 0, head, sizeof head) || memcmp(head, magic, sizeof magic) != 0)
        return failed(ret_problem, "it is no PDB file");
    if (!dfr_bytes_u32(file, BLOCK_SIZE, &m.block) || !dfr_bytes_u32(file, BLOCK_COUNT, &count) ||
        !dfr_bytes_u32(file, DIRECTORY_BYTES, &bytes))
        return failed(ret_problem, "it is cut off in its first block");
    if (m.block < BLOCK_LEAST || m.block > BLOCK_MOST || (m.block & (m.block - 1)))
        return failed(ret_problem, "the size of its blocks makes no sense");
    if ((uint64_t)count * m.block > file->size)
        return failed(ret_problem, "it is cut off: it names more blocks than it has");
    if (bytes < 4 || bytes > file->size || bytes > DFR_LIMIT_PDB_DIRECTORY)
        return failed(ret_problem, "the size of its stream directory makes no sense");
    uint8_t *directory = dfr_arena_raw(a, bytes);
    if (!read_directory(&m, a, bytes, directory))
        return failed(ret_problem, "its stream directory runs past the end of the file");
    if (!parse_directory(&m, a, (struct dfr_span){directory, bytes}))
        return failed(ret_problem, "its stream directory is damaged");
    *ret = m;
    return true;
}

uint32_t dfr_msf_size(const struct dfr_msf *m, uint32_t stream)
{
    return stream < m->streams ? m->stream[stream].size : 0;
}

bool dfr_msf_read(const struct dfr_msf *m, uint32_t stream, uint64_t off, void *buf, size_t len)
{
    uint64_t size = dfr_msf_size(m, stream);
    uint8_t *to = buf;
    if (off > size || len > size - off)
        return false;
    const uint32_t *list = size ? m->list + m->stream[stream].first : NULL;
    while (len) {
        uint64_t i = off / m->block, in = off % m->block, have = m->block - in;
        /* Blocks that follow each other in the file are one read. */
        while (have < len && list[i + 1] == list[i] + 1) {
            have += m->block;
            i++;
        }
        uint64_t at = (uint64_t)list[off / m->block] * m->block + in;
        size_t n = have < len ? (size_t)have : len;
        if (!dfr_bytes_copy(m->file, at, to, n))
            return false;
        off += n;
        to += n;
        len -= n;
    }
    return true;
}

bool dfr_msf_u16(const struct dfr_msf *m, uint32_t stream, uint64_t off, uint16_t *ret)
{
    uint8_t b[2];
    return dfr_msf_read(m, stream, off, b, sizeof b) &&
           dfr_span_u16le((struct dfr_span){b, sizeof b}, 0, ret);
}

bool dfr_msf_u32(const struct dfr_msf *m, uint32_t stream, uint64_t off, uint32_t *ret)
{
    uint8_t b[4];
    return dfr_msf_read(m, stream, off, b, sizeof b) &&
           dfr_span_u32le((struct dfr_span){b, sizeof b}, 0, ret);
}

void dfr_msf_walk(struct dfr_msf_walk *w, const struct dfr_msf *m, uint32_t stream, uint64_t from,
                  uint64_t to, uint8_t *buf)
{
    uint64_t size = dfr_msf_size(m, stream);
    if (to > size)
        to = size;
    *w = (struct dfr_msf_walk){.msf = m, .stream = stream, .at = from, .end = to};
    w->buf = buf;
}

/* Have the next `n` bytes in the buffer. */
static bool have(struct dfr_msf_walk *w, size_t n)
{
    if (w->at > w->end || n > w->end - w->at)
        return false;
    if (w->at >= w->buf_at && w->at - w->buf_at <= w->buf_len &&
        n <= w->buf_len - (size_t)(w->at - w->buf_at))
        return true;
    uint64_t left = w->end - w->at;
    w->buf_at = w->at;
    w->buf_len = left < DFR_MSF_WALK_BYTES ? (size_t)left : DFR_MSF_WALK_BYTES;
    if (dfr_msf_read(w->msf, w->stream, w->buf_at, w->buf, w->buf_len))
        return true;
    w->buf_len = 0;
    return false;
}

bool dfr_msf_record(struct dfr_msf_walk *w, uint16_t *ret_kind, struct dfr_span *ret,
                    uint64_t *ret_at)
{
    enum { KIND = 2, BODY = 4 };
    uint16_t len = 0;
    if (!have(w, BODY))
        return false;
    struct dfr_span s = {w->buf + (w->at - w->buf_at), BODY};
    (void)dfr_span_u16le(s, 0, &len);
    if (len < KIND || !have(w, (size_t)len + 2))
        return false;
    s = (struct dfr_span){w->buf + (w->at - w->buf_at), (size_t)len + 2};
    (void)dfr_span_u16le(s, 2, ret_kind);
    (void)dfr_span_sub(s, BODY, (uint64_t)len - KIND, ret);
    *ret_at = w->at;
    w->at += (uint64_t)len + 2;
    return true;
}
