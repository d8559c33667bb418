/* What symbols the modules of a dump want, and whether a file is the one that was wanted. Fetching
 * is somebody else's: the library opens no connection. */
#include "api/handle.h"
#include "dump/dump.h"
#include "facts/schema.h"

static dfr_text text_of(struct dfr_str s)
{
    return (dfr_text){s.p ? s.p : "", s.len};
}

dfr_result dfr_crash_symbols(const dfr_crash *crash, dfr_symbol_fn each, void *user,
                             dfr_error *error)
{
    if (!each)
        return dfr_api_fail(error, DFR_RESULT_MISUSE, "there is no function to call");
    if (!crash->wanted)
        return dfr_api_fail(error, DFR_RESULT_UNSUPPORTED,
                            "%.*s: only dumps that were opened with list_symbols name symbol files",
                            (int)crash->path.len, crash->path.p);
    for (uint32_t i = 0; i < crash->wanted->files.n; i++) {
        const struct dfr_wanted_file *w = &crash->wanted->files.v[i];
        dfr_symbol_file file = {.size = sizeof file,
                                .pdb = w->pdb,
                                .have = w->have,
                                .matters = w->matters,
                                .on_stack = w->on_stack,
                                .module = text_of(w->module),
                                .path = text_of(w->path),
                                .why = text_of(dfr_str_from(dfr_reason_text(w->why))),
                                .stamp = w->stamp,
                                .image_size = w->image_size,
                                .age = w->age};
        for (size_t k = 0; k < sizeof w->guid; k++)
            file.guid[k] = w->guid[k];
        if (each(user, &file) != 0)
            return dfr_api_fail(error, DFR_RESULT_IO, "the caller stopped");
    }
    return DFR_RESULT_OK;
}

dfr_text dfr_crash_symbol_server(const dfr_crash *crash, size_t index)
{
    bool there = crash->wanted && index < crash->wanted->servers.n;
    return there ? text_of(crash->wanted->servers.v[index]) : (dfr_text){NULL, 0};
}

dfr_text dfr_crash_symbol_store(const dfr_crash *crash, size_t index)
{
    bool there = crash->wanted && index < crash->wanted->folders.n;
    return there ? text_of(crash->wanted->folders.v[index]) : (dfr_text){NULL, 0};
}

struct check_args {
    struct dfr_scratch *scratch;
    const dfr_symbol_file *file;
    const char *path;
};

static enum dfr_status check_body(void *args, struct dfr_err *err)
{
    const struct check_args *in = args;
    struct dfr_arena *a = &in->scratch->arena;
    struct dfr_str path = dfr_str_from(in->path);
    struct dfr_bytes b;
    int *fd;
    enum dfr_status status = dfr_api_open(a, path, &fd, err);
    if (status != DFR_OK)
        return status;
    if (*fd < 0 || !dfr_bytes_fd(&b, a, fd))
        return dfr_fail(err, DFR_IO, "%s: is no regular file", in->path);
    const char *why = in->file->pdb
                          ? dfr_store_check_pdb(a, &b, in->file->guid, in->file->age)
                          : dfr_store_check_image(a, &b, in->file->stamp, in->file->image_size);
    return why ? dfr_fail(err, DFR_NOT_A_CRASH, "%s", why) : DFR_OK;
}

dfr_result dfr_symbol_file_check(const dfr_symbol_file *file, const char *path, dfr_error *error)
{
    if (!file || file->size < sizeof *file || !path)
        return dfr_api_fail(error, DFR_RESULT_MISUSE, "the wanted file or the path is missing");
    struct dfr_scratch s;
    dfr_scratch_init(&s, &(dfr_memory){0});
    struct check_args args = {&s, file, path};
    dfr_result result = dfr_api_run(&s.mem, check_body, &args, error);
    dfr_scratch_deinit(&s);
    return result;
}
