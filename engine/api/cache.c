/* Compiled rule sets kept between runs. The name of an entry is a hash of everything that the result
 * depends on, so an entry is never out of date, only unused; the oldest are removed. */
#include "api/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/limits.h"

static const char suffix[] = ".dfrc";

static void hash_u64(XXH3_state_t *h, uint64_t u)
{
    XXH3_128bits_update(h, &u, sizeof u);
}

/* With its length, so that no two lists of strings hash the same. */
static void hash_str(XXH3_state_t *h, struct dfr_str s)
{
    hash_u64(h, s.len);
    if (s.len)
        XXH3_128bits_update(h, s.p, s.len);
}

/* Sources that expire are good for a day. */
static bool expires(struct dfr_str text)
{
    static const char word[] = "until";
    return text.len && memmem(text.p, text.len, word, sizeof word - 1);
}

static enum dfr_status hash_files(XXH3_state_t *h, struct dfr_arena *a,
                                  const struct dfr_paths *files, bool *ret_expires,
                                  struct dfr_err *err)
{
    for (uint32_t i = 0; i < files->list.n; i++) {
        struct dfr_str text = {0};
        enum dfr_status status =
            dfr_api_read(a, files->list.v[i], DFR_LIMIT_SOURCE_BYTES, &text, err);
        if (status != DFR_OK)
            return status;
        hash_str(h, files->list.v[i]);
        hash_str(h, text);
        *ret_expires = *ret_expires || expires(text);
    }
    return DFR_OK;
}

enum dfr_status dfr_cache_name(struct dfr_arena *a, const dfr_rules_options *o,
                               const dfr_text *paths, size_t n, struct dfr_str *ret,
                               struct dfr_err *err)
{
    enum { DAY = 24 * 60 * 60 };
    struct dfr_paths files;
    bool day = false;
    enum dfr_status status =
        dfr_sources_reach(a, paths, n, o->search, o->search_count, &files, err);
    if (status != DFR_OK)
        return status;
    XXH3_state_t h;
    XXH3_128bits_reset(&h);
    hash_str(&h, dfr_program_engine());
    hash_u64(&h, (uint64_t)o->tiers);
    hash_u64(&h, n);
    for (size_t i = 0; i < n; i++)
        hash_str(&h, dfr_str_of(paths[i]));
    for (size_t i = 0; i < o->search_count; i++)
        hash_str(&h, dfr_str_of(o->search[i]));
    status = hash_files(&h, a, &files, &day, err);
    hash_u64(&h, day ? (uint64_t)(o->now / DAY) : 0);
    XXH128_hash_t sum = XXH3_128bits_digest(&h);
    char name[64];
    int len = snprintf(name, sizeof name, "%016llx%016llx%s", (unsigned long long)sum.high64,
                       (unsigned long long)sum.low64, suffix);
    *ret = dfr_path_join(a, dfr_str_of(o->cache), (struct dfr_str){name, (size_t)len});
    return status;
}

/* Written by this user and by no one else. */
static bool is_ours(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
           !(st.st_mode & (S_IWGRP | S_IWOTH));
}

bool dfr_cache_load(struct dfr_arena *a, struct dfr_str path, struct dfr_program *ret)
{
    struct dfr_err ignored;
    struct dfr_str bytes = {0};
    return is_ours(path.p) &&
           dfr_api_read(a, path, DFR_LIMIT_PROGRAM_BYTES, &bytes, &ignored) == DFR_OK &&
           dfr_program_read(a, bytes, ret, &ignored) == DFR_OK &&
           dfr_program_verify(ret, &ignored) == DFR_OK;
}

struct entry {
    struct dfr_str path;
    struct timespec used;
};

static int newest_first(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec)
        return (x->used.tv_sec < y->used.tv_sec) - (x->used.tv_sec > y->used.tv_sec);
    return (x->used.tv_nsec < y->used.tv_nsec) - (x->used.tv_nsec > y->used.tv_nsec);
}

static void remove_oldest(struct dfr_arena *a, struct dfr_str folder)
{
    struct dfr_paths found;
    struct dfr_err ignored;
    DFR_VEC(struct entry) entries = {0};
    dfr_paths_init(&found, a);
    if (dfr_paths_add(&found, a, folder, suffix, &ignored) != DFR_OK)
        return;
    for (uint32_t i = 0; i < found.list.n; i++) {
        struct stat st;
        if (stat(found.list.v[i].p, &st) == 0)
            *DFR_PUSH(a, &entries) = (struct entry){found.list.v[i], st.st_mtim};
    }
    if (entries.n)
        qsort(entries.v, entries.n, sizeof *entries.v, newest_first);
    for (uint32_t i = DFR_LIMIT_CACHE_ENTRIES; i < entries.n; i++)
        unlink(entries.v[i].path.p);
}

/* The folder and the one above it, for this user alone. */
static bool make_folder(struct dfr_arena *a, struct dfr_str folder)
{
    struct dfr_str above = dfr_path_folder(folder);
    const char *z = dfr_arena_copy(a, folder.p, folder.len);
    if (mkdir(z, 0700) == 0 || access(z, W_OK) == 0)
        return true;
    (void)mkdir(dfr_arena_copy(a, above.p, above.len), 0700);
    return mkdir(z, 0700) == 0;
}

void dfr_cache_store(struct dfr_arena *a, struct dfr_str path, const struct dfr_program *p)
{
    struct dfr_err ignored;
    struct dfr_buf b;
    struct dfr_str folder = dfr_path_folder(path);
    dfr_buf_init(&b, a);
    dfr_program_write(p, &b);
    if (!b.cut && make_folder(a, folder) &&
        dfr_api_write_file(a, path, dfr_buf_text(&b), &ignored) == DFR_OK)
        remove_oldest(a, folder);
}
