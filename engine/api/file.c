/* The only files that the library opens: inputs, rule files, compiled rule sets. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/handle.h"
#include "base/checked.h"
#include "base/limits.h"

enum { CHUNK = 1 << 16, FOLDER_DEPTH = 64 };

static void close_later(void *p)
{
    int *fd = p;
    if (*fd >= 0)
        close(*fd);
}

static enum dfr_status io_error(struct dfr_err *err, struct dfr_str path)
{
    return dfr_fail(err, DFR_IO, "%.*s: %s", (int)path.len, path.p, strerror(errno));
}

/* A path as the system wants it; paths with a NUL inside name nothing. */
static enum dfr_status path_z(struct dfr_arena *a, struct dfr_str path, const char **ret,
                              struct dfr_err *err)
{
    if (path.len == 0 || memchr(path.p, '\0', path.len))
        return dfr_fail(err, DFR_MISUSE, "a path is empty or holds a NUL");
    *ret = dfr_arena_copy(a, path.p, path.len);
    return DFR_OK;
}

enum dfr_status dfr_api_read(struct dfr_arena *a, struct dfr_str path, uint64_t most,
                             struct dfr_str *ret, struct dfr_err *err)
{
    const char *z = NULL;
    enum dfr_status status = path_z(a, path, &z, err);
    if (status != DFR_OK)
        return status;
    int *fd = DFR_NEW(a, int);
    *fd = -1;
    dfr_arena_defer(a, close_later, fd);
    do
        *fd = open(z, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (*fd < 0 && errno == EINTR);
    struct stat st;
    if (*fd < 0 || fstat(*fd, &st) != 0)
        return io_error(err, path);
    if (S_ISDIR(st.st_mode))
        return dfr_fail(err, DFR_IO, "%s: is a folder", z);
    uint64_t expect = S_ISREG(st.st_mode) && st.st_size > 0 ? (uint64_t)st.st_size : 0;
    if (expect > most)
        return dfr_fail(err, DFR_LIMIT, "%s: larger than %llu bytes", z, (unsigned long long)most);
    /* One byte more than the file has, so that its end shows without another block. */
    size_t cap = (size_t)(expect ? expect + 1 : CHUNK), len = 0;
    char *p = dfr_arena_alloc(a, cap);
    for (;;) {
        if (len == cap) {
            size_t wider;
            if (!dfr_size_mul(cap, 2, &wider))
                dfr_mem_fail(a->mem);
            char *copy = dfr_arena_alloc(a, wider);
            memcpy(copy, p, len);
            p = copy;
            cap = wider;
        }
        ssize_t n = read(*fd, p + len, cap - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(err, path);
        if (n == 0)
            break;
        len += (size_t)n;
        if (len > most)
            return dfr_fail(err, DFR_LIMIT, "%s: larger than %llu bytes", z,
                            (unsigned long long)most);
    }
    close(*fd);
    *fd = -1;
    *ret = (struct dfr_str){p, len};
    return DFR_OK;
}

enum dfr_status dfr_api_open(struct dfr_arena *a, struct dfr_str path, int **ret,
                             struct dfr_err *err)
{
    const char *z = NULL;
    struct stat st;
    enum dfr_status status = path_z(a, path, &z, err);
    if (status != DFR_OK)
        return status;
    int *fd = DFR_NEW(a, int);
    *fd = -1;
    *ret = fd;
    dfr_arena_defer(a, close_later, fd);
    if (stat(z, &st) != 0 || !S_ISREG(st.st_mode))
        return DFR_OK; /* dfr_api_read() says what is wrong with it, if anything */
    do
        *fd = open(z, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (*fd < 0 && errno == EINTR);
    return *fd < 0 ? io_error(err, path) : DFR_OK;
}

struct unfinished {
    char *path; /* NULL: nothing to remove */
};

static void remove_later(void *p)
{
    struct unfinished *u = p;
    if (u->path)
        unlink(u->path);
}

static bool write_piece(int fd, uint64_t at, const uint8_t *p, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(fd, p + done, len - done, (off_t)(at + done));
        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* What is all zero stays a hole. */
static bool write_all(int fd, const struct dfr_forge_file *f)
{
    if (f->size > INT64_MAX || ftruncate(fd, (off_t)f->size) != 0)
        return false;
    for (uint32_t i = 0; i < f->n; i++) {
        const struct dfr_forge_piece *p = &f->v[i];
        if (p->at >= f->size)
            continue;
        size_t len = p->len < f->size - p->at ? p->len : (size_t)(f->size - p->at);
        bool zero = len && !p->p[0] && !memcmp(p->p, p->p + 1, len - 1);
        if (!zero && !write_piece(fd, p->at, p->p, len))
            return false;
    }
    return true;
}

enum dfr_status dfr_api_write_file(struct dfr_arena *a, struct dfr_str path, struct dfr_str bytes,
                                   struct dfr_err *err)
{
    struct dfr_forge_piece all = {0, (const uint8_t *)bytes.p, bytes.len};
    struct dfr_forge_file f = {.size = bytes.len, .v = &all, .n = bytes.len ? 1 : 0};
    return dfr_api_write_pieces(a, path, &f, err);
}

enum dfr_status dfr_api_write_pieces(struct dfr_arena *a, struct dfr_str path,
                                     const struct dfr_forge_file *f, struct dfr_err *err)
{
    const char *z = NULL;
    enum dfr_status status = path_z(a, path, &z, err);
    if (status != DFR_OK)
        return status;
    struct dfr_buf name;
    dfr_buf_init(&name, a);
    dfr_buf_str(&name, path);
    dfr_buf_z(&name, ".part-XXXXXX");
    char *temp = dfr_arena_copy(a, name.p, name.len);
    int *fd = DFR_NEW(a, int);
    struct unfinished *u = DFR_NEW(a, struct unfinished);
    *fd = -1;
    dfr_arena_defer(a, remove_later, u);
    dfr_arena_defer(a, close_later, fd);
    *fd = mkostemp(temp, O_CLOEXEC);
    if (*fd < 0)
        return io_error(err, path);
    u->path = temp;
    if (!write_all(*fd, f) || fchmod(*fd, 0644) != 0 || fsync(*fd) != 0)
        return io_error(err, path);
    int closed = close(*fd);
    *fd = -1;
    if (closed != 0 || rename(temp, z) != 0)
        return io_error(err, path);
    u->path = NULL;
    return DFR_OK;
}

enum dfr_status dfr_api_make_folders(struct dfr_arena *a, struct dfr_str path, struct dfr_err *err)
{
    const char *z = NULL;
    enum dfr_status status = path_z(a, path, &z, err);
    if (status != DFR_OK)
        return status;
    for (size_t i = 1; i < path.len; i++) {
        struct dfr_str folder = dfr_str_slice(path, 0, i);
        if (path.p[i] == '/' && mkdir(dfr_arena_copy(a, folder.p, folder.len), 0777) != 0 &&
            errno != EEXIST)
            return io_error(err, folder);
    }
    return DFR_OK;
}

/* ---- Lists of files ------------------------------------------------------------------------ */

void dfr_paths_init(struct dfr_paths *p, struct dfr_arena *a)
{
    *p = (struct dfr_paths){0};
    dfr_names_init(&p->seen, a, false);
}

static enum dfr_status add_file(struct dfr_paths *p, struct dfr_arena *a, struct dfr_str path,
                                const struct stat *st, struct dfr_err *err)
{
    char id[64];
    int n = snprintf(id, sizeof id, "%llx:%llx", (unsigned long long)st->st_dev,
                     (unsigned long long)st->st_ino);
    struct dfr_str key = {id, (size_t)n};
    if (dfr_names_find(&p->seen, key))
        return DFR_OK;
    if (p->list.n >= DFR_LIMIT_SOURCES)
        return dfr_fail(err, DFR_LIMIT, "%.*s: more than %u rule files", (int)path.len, path.p,
                        (unsigned)DFR_LIMIT_SOURCES);
    dfr_names_add(&p->seen, key);
    *DFR_PUSH(a, &p->list) = dfr_str_dup(a, path);
    return DFR_OK;
}

static int by_name(const FTSENT **x, const FTSENT **y)
{
    return strcmp((*x)->fts_name, (*y)->fts_name);
}

static void fts_later(void *p)
{
    FTS **fts = p;
    if (*fts)
        fts_close(*fts);
}

static int by_path(const void *x, const void *y)
{
    return dfr_str_cmp(*(const struct dfr_str *)x, *(const struct dfr_str *)y);
}

static enum dfr_status walk(struct dfr_paths *p, struct dfr_arena *a, const char *folder,
                            struct dfr_str suffix, struct dfr_err *err)
{
    char *roots[] = {dfr_arena_copy(a, folder, strlen(folder)), NULL};
    FTS **fts = DFR_NEW(a, FTS *);
    dfr_arena_defer(a, fts_later, fts);
    *fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    if (!*fts)
        return dfr_fail(err, errno == ENOMEM ? DFR_NO_MEMORY : DFR_IO, "%s: %s", folder,
                        strerror(errno));
    DFR_VEC(struct dfr_str) found = {0};
    FTSENT *e;
    while (errno = 0, (e = fts_read(*fts)) != NULL) {
        struct dfr_str name = {e->fts_name, e->fts_namelen};
        bool hidden = e->fts_level > 0 && e->fts_name[0] == '.';
        if (e->fts_info == FTS_D && (hidden || e->fts_level > FOLDER_DEPTH))
            fts_set(*fts, e, FTS_SKIP);
        else if ((e->fts_info == FTS_F || e->fts_info == FTS_SL) && !hidden &&
                 dfr_str_ends_ci(name, suffix))
            *DFR_PUSH(a, &found) = dfr_str_dup(a, dfr_str_from(e->fts_path));
        else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
            return dfr_fail(err, DFR_IO, "%s: %s", e->fts_path, strerror(e->fts_errno));
    }
    if (errno)
        return dfr_fail(err, DFR_IO, "%s: %s", folder, strerror(errno));
    if (found.n)
        qsort(found.v, found.n, sizeof *found.v, by_path);
    for (uint32_t i = 0; i < found.n; i++) {
        struct stat st; /* of what a link leads to; a link to nowhere or to a folder is no source */
        if (stat(found.v[i].p, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        enum dfr_status status = add_file(p, a, found.v[i], &st, err);
        if (status != DFR_OK)
            return status;
    }
    return DFR_OK;
}

enum dfr_status dfr_paths_add(struct dfr_paths *p, struct dfr_arena *a, struct dfr_str path,
                              const char *suffix, struct dfr_err *err)
{
    const char *z = NULL;
    struct stat st;
    enum dfr_status status = path_z(a, path, &z, err);
    if (status != DFR_OK)
        return status;
    if (stat(z, &st) != 0)
        return io_error(err, path);
    if (!S_ISDIR(st.st_mode))
        return add_file(p, a, path, &st, err);
    while (path.len > 1 && path.p[path.len - 1] == '/')
        path.len--;
    return walk(p, a, dfr_arena_copy(a, path.p, path.len), dfr_str_from(suffix), err);
}

struct dfr_str dfr_path_folder(struct dfr_str path)
{
    while (path.len && path.p[path.len - 1] != '/')
        path.len--;
    while (path.len > 1 && path.p[path.len - 1] == '/')
        path.len--;
    return path.len ? path : DFR_STR(".");
}

struct dfr_str dfr_path_join(struct dfr_arena *a, struct dfr_str folder, struct dfr_str name)
{
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    if (!dfr_str_eq(folder, DFR_STR("."))) {
        dfr_buf_str(&b, folder);
        if (folder.len && folder.p[folder.len - 1] != '/')
            dfr_buf_char(&b, '/');
    }
    dfr_buf_str(&b, name);
    return dfr_buf_text(&b);
}
