#include "api/cases.h"

#include <sys/stat.h>

#include "base/limits.h"

static bool is_folder(struct dfr_arena *a, struct dfr_str path)
{
    struct stat st;
    return stat(dfr_arena_copy(a, path.p, path.len), &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_there(struct dfr_arena *a, struct dfr_str path)
{
    struct stat st;
    return stat(dfr_arena_copy(a, path.p, path.len), &st) == 0;
}

static enum dfr_status plain_files(struct dfr_arena *a, struct dfr_cases *ret, struct dfr_err *err)
{
    struct dfr_paths paths;
    dfr_paths_init(&paths, a);
    enum dfr_status status = dfr_paths_add(&paths, a, ret->folder, "", err);
    size_t cut = ret->folder.len + (ret->folder.p[ret->folder.len - 1] != '/');
    ret->plain = true;
    ret->labels.path = ret->folder;
    for (uint32_t i = 0; status == DFR_OK && i < paths.list.n; i++)
        *DFR_PUSH(a, &ret->labels.rows) = (struct dfr_label){
            .file = dfr_str_slice(paths.list.v[i], cut, paths.list.v[i].len), .code = -1};
    return status;
}

enum dfr_status dfr_cases_open(struct dfr_arena *a, const dfr_memory *memory, struct dfr_str path,
                               bool plain_too, struct dfr_cases *ret, struct dfr_err *err)
{
    static const char *const names[] = {"labels.tsv", "ANSWERS.tsv"};
    struct dfr_str bytes, table = path;
    *ret = (struct dfr_cases){.memory = memory};
    if (path.len && is_folder(a, path)) {
        while (path.len > 1 && path.p[path.len - 1] == '/')
            path.len--;
        ret->folder = dfr_str_dup(a, path);
        size_t n = sizeof names / sizeof names[0], i = 0;
        while (i < n && !is_there(a, dfr_path_join(a, path, dfr_str_from(names[i]))))
            i++;
        if (i == n && plain_too)
            return plain_files(a, ret, err);
        if (i == n)
            return dfr_fail(err, DFR_MISUSE, "%.*s: holds neither labels.tsv nor ANSWERS.tsv",
                            (int)path.len, path.p);
        table = dfr_path_join(a, path, dfr_str_from(names[i]));
    } else {
        ret->folder = dfr_str_dup(a, dfr_path_folder(path));
    }
    enum dfr_status status = dfr_api_read(a, table, DFR_LIMIT_SOURCE_BYTES, &bytes, err);
    return status == DFR_OK ? dfr_labels_read(a, table, bytes, &ret->labels, err) : status;
}

static void free_crash(void *crash)
{
    dfr_crash_free(crash);
}

const struct dfr_facts *dfr_case_facts(const struct dfr_cases *c, const struct dfr_label *label,
                                       struct dfr_arena *a, struct dfr_arena *work,
                                       struct dfr_str *ret_error)
{
    struct dfr_str path = dfr_path_join(work, c->folder, label->file);
    dfr_input input = {.size = sizeof input, .path = dfr_arena_copy(work, path.p, path.len)};
    dfr_crash_options options = {.size = sizeof options, .memory = *c->memory};
    dfr_crash *crash = NULL;
    dfr_error error = {.result = DFR_RESULT_OK, .message = ""};
    if (dfr_crash_open(&input, &options, &crash, &error) != DFR_RESULT_OK) {
        *ret_error = dfr_str_dup(a, dfr_str_from(error.message));
        return NULL;
    }
    dfr_arena_defer(work, free_crash, crash);
    for (uint32_t i = 0; i < crash->count; i++) {
        const struct dfr_value *code = dfr_facts_scalar(crash->crashes[i], DFR_F_BUGCHECK_CODE);
        if (label->code >= 0 && code->state == DFR_KNOWN && code->as.n.lo == label->code)
            return crash->crashes[i];
    }
    return crash->crashes[0];
}
