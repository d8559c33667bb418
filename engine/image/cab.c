/* Cabinets through libmspack, which reads and writes through the functions given here: it sees the
 * bytes of the store's file, one block of an arena, and no file system. Its own memory is malloc's: it
 * calls the allocator with a copy of the system that it was given, so nothing can hang on to that. So
 * no allocation of ours, which may jump away, happens while it holds any. */
#include "image/cab.h"

#include <mspack.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* libmspack names files; these two are all there are. */
static const char in_name[] = "in", out_name[] = "out";

struct file {
    struct unpack *u; /* NULL: closed */
    uint64_t at;
    bool out;
};

struct unpack {
    struct mspack_system system; /* first: libmspack hands it back to file_open() */
    struct file files[4];        /* more than it ever has open */
    struct dfr_bytes *in;
    uint8_t *out;
    size_t len, cap;
};

static struct mspack_file *file_open(struct mspack_system *self, const char *name, int mode)
{
    struct unpack *u = (struct unpack *)(void *)self;
    bool out = name == out_name;
    if ((name != in_name && !out) || out != (mode == MSPACK_SYS_OPEN_WRITE))
        return NULL;
    for (size_t i = 0; i < sizeof u->files / sizeof *u->files; i++)
        if (!u->files[i].u) {
            u->files[i] = (struct file){.u = u, .out = out};
            return (struct mspack_file *)(void *)&u->files[i];
        }
    return NULL;
}

static void file_close(struct mspack_file *file)
{
    ((struct file *)(void *)file)->u = NULL;
}

static int file_read(struct mspack_file *file, void *buffer, int bytes)
{
    struct file *f = (struct file *)(void *)file;
    if (f->out || bytes < 0)
        return -1;
    uint64_t left = f->at < f->u->in->size ? f->u->in->size - f->at : 0;
    size_t n = (uint64_t)bytes < left ? (size_t)bytes : (size_t)left;
    if (n && !dfr_bytes_copy(f->u->in, f->at, buffer, n))
        return -1;
    f->at += n;
    return (int)n;
}

static int file_write(struct mspack_file *file, void *buffer, int bytes)
{
    struct file *f = (struct file *)(void *)file;
    struct unpack *u = f->u;
    if (!f->out || bytes < 0 || (size_t)bytes > u->cap - u->len)
        return -1;
    if (bytes)
        memcpy(u->out + u->len, buffer, (size_t)bytes);
    u->len += (size_t)bytes;
    return bytes;
}

static int file_seek(struct mspack_file *file, off_t offset, int mode)
{
    struct file *f = (struct file *)(void *)file;
    uint64_t size = f->out ? f->u->len : f->u->in->size;
    int64_t from = mode == MSPACK_SYS_SEEK_START ? 0
                   : mode == MSPACK_SYS_SEEK_CUR ? (int64_t)f->at
                                                 : (int64_t)size;
    int64_t to;
    if (f->out || __builtin_add_overflow(from, (int64_t)offset, &to) || to < 0 ||
        (uint64_t)to > size)
        return -1;
    f->at = (uint64_t)to;
    return 0;
}

static off_t file_tell(struct mspack_file *file)
{
    return (off_t)((struct file *)(void *)file)->at;
}

static void message(struct mspack_file *file, const char *format, ...)
{
    (void)file;
    (void)format;
}

static void *take(struct mspack_system *self, size_t bytes)
{
    (void)self;
    return malloc(bytes);
}

static void give_back(void *p)
{
    free(p);
}

static void copy(void *src, void *dest, size_t bytes)
{
    memcpy(dest, src, bytes);
}

bool dfr_cab_is(struct dfr_bytes *b)
{
    uint8_t magic[4];
    return dfr_bytes_copy(b, 0, magic, sizeof magic) && memcmp(magic, "MSCF", 4) == 0;
}

/* Open the cabinet and, once there is a block to write to, unpack its first file. False when that is
 * not possible. */
static bool run(struct unpack *u, uint32_t *ret_length)
{
    struct mscab_decompressor *d = mspack_create_cab_decompressor(&u->system);
    struct mscabd_cabinet *cab = d ? d->open(d, in_name) : NULL;
    bool good = cab && cab->files;
    if (good)
        *ret_length = cab->files->length;
    if (good && u->out)
        good = d->extract(d, cab->files, out_name) == MSPACK_ERR_OK && u->len == *ret_length;
    if (cab)
        d->close(d, cab);
    if (d)
        mspack_destroy_cab_decompressor(d);
    return good;
}

/* No cabinet unpacks to more: each block of 32 KiB has a header of 8 bytes. Documented. */
static bool believable(const struct dfr_bytes *b, uint32_t length)
{
    return length <= DFR_LIMIT_UNPACKED_BYTES && length / 4096 <= b->size;
}

bool dfr_cab_unpack(struct dfr_arena *a, struct dfr_bytes *b, struct dfr_span *ret)
{
    int own;
    uint32_t length = 0;
    MSPACK_SYS_SELFTEST(own);
    if (own != MSPACK_ERR_OK || !dfr_cab_is(b))
        return false;
    struct unpack u = {.system = {.open = file_open,
                                  .close = file_close,
                                  .read = file_read,
                                  .write = file_write,
                                  .seek = file_seek,
                                  .tell = file_tell,
                                  .message = message,
                                  .alloc = take,
                                  .free = give_back,
                                  .copy = copy},
                       .in = b};
    if (!run(&u, &length) || !believable(b, length))
        return false;
    u.cap = length;
    u.out = dfr_arena_raw(a, length ? length : 1);
    if (!run(&u, &length))
        return false;
    *ret = (struct dfr_span){u.out, u.len};
    return true;
}
