#include "cli/inputs.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH = 100 };                          /* of folders in folders */
static const uint64_t stdin_most = 256u << 20; /* bytes, as the library's own limit */

static struct dfr_cli_input *add(struct dfr_cli_inputs *in, const char *path)
{
    if (in->n == in->cap) {
        in->cap = in->cap ? in->cap * 2 : 64;
        in->v = dfr_cli_alloc(in->v, in->cap, sizeof *in->v);
    }
    struct dfr_cli_input *i = &in->v[in->n++];
    size_t size = strlen(path) + 1;
    *i = (struct dfr_cli_input){.path = dfr_cli_alloc(NULL, size, 1)};
    memcpy(i->path, path, size);
    return i;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* All regular files below a folder in byte order of their names; hidden ones are left out, links to
 * folders are not followed. */
static void walk(struct dfr_cli_inputs *in, const char *folder)
{
    char *roots[] = {(char *)(uintptr_t)folder, NULL};
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    FTSENT *e;
    struct stat st;
    while (fts && (e = fts_read(fts)) != NULL) {
        bool hidden = e->fts_level > 0 && e->fts_name[0] == '.';
        switch (e->fts_info) {
        case FTS_D:
            if (hidden || e->fts_level > DEPTH)
                fts_set(fts, e, FTS_SKIP);
            break;
        case FTS_SL:
            if (hidden || stat(e->fts_accpath, &st) != 0 || !S_ISREG(st.st_mode))
                break;
            add(in, e->fts_path)->found = true;
            break;
        case FTS_F:
            if (!hidden)
                add(in, e->fts_path)->found = true;
            break;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS: {
            struct dfr_cli_input *i = add(in, e->fts_path);
            i->failed = true;
            i->error = e->fts_errno;
            break;
        }
        default:
            break;
        }
    }
    if (fts)
        fts_close(fts);
}

bool dfr_cli_inputs_find(const struct dfr_cli_list *operands, struct dfr_cli_inputs *ret)
{
    *ret = (struct dfr_cli_inputs){0};
    bool standard = false;
    struct stat st;
    for (size_t i = 0; i < operands->n; i++) {
        const char *path = operands->v[i];
        if (strcmp(path, "-") == 0) {
            if (standard) {
                dfr_cli_say("`-` stands twice: standard input can be read once");
                dfr_cli_inputs_free(ret);
                return false;
            }
            standard = true;
            add(ret, path);
        } else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            ret->folders = true;
            walk(ret, path);
        } else {
            add(ret, path);
        }
    }
    if (operands->n == 0)
        add(ret, "-");
    return true;
}

void dfr_cli_inputs_free(struct dfr_cli_inputs *in)
{
    for (size_t i = 0; i < in->n; i++)
        free(in->v[i].path);
    free(in->v);
    *in = (struct dfr_cli_inputs){0};
}

/* All of standard input; one byte more than the limit is enough for the library to refuse it. */
static bool read_standard(uint64_t most, struct dfr_cli_text *ret, dfr_error *error)
{
    char chunk[1 << 16];
    if (isatty(STDIN_FILENO))
        dfr_cli_say("reading from the terminal; Ctrl-D ends it");
    for (;;) {
        ssize_t n = read(STDIN_FILENO, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            snprintf(error->message, sizeof error->message, "-: %s", strerror(errno));
            error->result = DFR_RESULT_IO;
            return false;
        }
        if (n == 0)
            return true;
        dfr_cli_text_add(ret, chunk, (size_t)n);
        if (ret->len > most)
            return true;
    }
}

bool dfr_cli_cache_folder(char *ret, size_t size)
{
    const char *own = getenv("DFRULE_CACHE"), *caches = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int n = 0;
    if (own)
        n = snprintf(ret, size, "%s", own);
    else if (caches && *caches == '/')
        n = snprintf(ret, size, "%s/dfrule", caches);
    else if (home && *home == '/')
        n = snprintf(ret, size, "%s/.cache/dfrule", home);
    return n > 0 && (size_t)n < size;
}

const char *dfr_cli_symbol_path(const struct dfr_cli_options *o, bool wanted, char *buf,
                                size_t size)
{
    char cache[PATH_MAX];
    struct stat st;
    const char *own = getenv("_NT_SYMBOL_PATH");
    if (o->symbols)
        return o->symbols;
    if (own && *own)
        return own;
    if (!dfr_cli_cache_folder(cache, sizeof cache) || !*cache)
        return "";
    int n = snprintf(buf, size, "srv*%s/symbols", cache);
    bool there = n > 0 && (size_t)n < size && strlen(cache) + 9 < size && stat(buf + 4, &st) == 0 &&
                 S_ISDIR(st.st_mode);
    return n > 0 && (size_t)n < size && (there || wanted) ? buf : "";
}

dfr_result dfr_cli_open(const struct dfr_cli_options *o, const struct dfr_cli_input *input,
                        dfr_crash **ret, dfr_error *error)
{
    char standard[PATH_MAX + 16];
    dfr_crash_options options = {.size = sizeof options,
                                 .max_bytes = o->max_bytes,
                                 .symbol_path =
                                     dfr_cli_symbol_path(o, false, standard, sizeof standard)};
    dfr_input in = {.size = sizeof in, .path = input->path};
    if (input->failed) {
        snprintf(error->message, sizeof error->message, "%s: %s", input->path,
                 strerror(input->error));
        return error->result = DFR_RESULT_IO;
    }
    if (strcmp(input->path, "-") != 0)
        return dfr_crash_open(&in, &options, ret, error);
    struct dfr_cli_text text = {0};
    if (!read_standard(o->max_bytes ? o->max_bytes : stdin_most, &text, error)) {
        dfr_cli_text_free(&text);
        return error->result;
    }
    in.bytes = text.p ? text.p : "";
    in.len = text.len;
    dfr_result r = dfr_crash_open(&in, &options, ret, error);
    dfr_cli_text_free(&text);
    return r;
}
