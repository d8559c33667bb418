/* What stands behind the opaque handles, and the one way into the layers below.
 *
 * Memory below the API comes from arenas that jump when the host has no more. So every entry point
 * packs its arguments into a struct and hands it with a function to dfr_api_run(), which sets the
 * jump guard and translates what comes back. */
#ifndef DFR_API_HANDLE_H
#define DFR_API_HANDLE_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/diag.h"
#include "dfrule.h"
#include "facts/store.h"
#include "forge/forge.h"
#include "memory/bytes.h"
#include "rank/answer.h"
#include "report/report.h"
#include "vm/eval.h"

/* The first member of every handle. */
struct dfr_handle {
    struct dfr_mem mem;
    struct dfr_arena arena;
    dfr_memory memory; /* as the host gave it: for work that this handle starts */
    atomic_uint refs;
};

struct dfr_rules {
    struct dfr_handle handle;
    struct dfr_program program;
    struct dfr_engine *engine;
};

struct dfr_crash {
    struct dfr_handle handle;
    struct dfr_str path, kind;
    struct dfr_bytes *bytes; /* the whole input, shared by threads */
    const struct dfr_facts **crashes;
    uint32_t count;
    struct dfr_diags diags;    /* of reading the input */
    struct dfr_wanted *wanted; /* symbol files; NULL: nobody asked */
    dfr_crash *base;           /* of a what-if: kept alive, its facts are shared */
};

struct dfr_answer {
    struct dfr_handle handle;
    dfr_rules *rules; /* kept alive */
    dfr_crash *crash; /* kept alive */
    uint32_t index;
    struct dfr_eval eval;
    struct dfr_ranking ranking;
    struct dfr_other_answer { /* the input's other crashes, when they were asked for */
        uint32_t index;
        struct dfr_eval eval;
        struct dfr_ranking ranking;
    } * others;
    uint32_t other_count;
};

struct dfr_diagnostics {
    struct dfr_handle handle;
    struct dfr_diags diags;
};

/* ---- guard.c ------------------------------------------------------------------------------- */

typedef enum dfr_status (*dfr_api_body)(void *args, struct dfr_err *err);

/* Run body(args, &err) so that exhausted memory of `mem` comes back as DFR_RESULT_NO_MEMORY. Cleaning
 * up is the caller's. Fills *error (may be NULL) unless the result is OK. */
dfr_result dfr_api_run(struct dfr_mem *mem, dfr_api_body body, void *args, dfr_error *error);
dfr_result dfr_api_fail(dfr_error *error, dfr_result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Copy an option struct of any age into `ret`, zeroed where it is shorter. */
bool dfr_api_options(void *ret, size_t size, const void *given, dfr_error *error);

/* A zeroed handle of `size` bytes that begins with a struct dfr_handle; NULL and the result in *ret:
 * no memory, or a `memory` that is only half there. */
void *dfr_handle_new(size_t size, const dfr_memory *memory, dfr_error *error, dfr_result *ret);
void dfr_handle_keep(struct dfr_handle *h);
/* True when this was the last reference: the caller drops what the handle holds, then _free. */
bool dfr_handle_drop(struct dfr_handle *h);
void dfr_handle_free(struct dfr_handle *h);

/* Working memory of one call: `arena` for what lasts as long, `work` for what is reset in between. */
struct dfr_scratch {
    struct dfr_mem mem;
    struct dfr_arena arena, work;
};
void dfr_scratch_init(struct dfr_scratch *s, const dfr_memory *memory);
void dfr_scratch_deinit(struct dfr_scratch *s);

static inline struct dfr_str dfr_str_of(dfr_text t)
{
    return (struct dfr_str){t.p ? t.p : "", t.p ? t.len : 0};
}

/* Hand a finished text to the host; DFR_LIMIT when it was cut, DFR_IO when the host said stop. */
enum dfr_status dfr_api_emit(const struct dfr_buf *b, dfr_write_fn write, void *user,
                             struct dfr_err *err);
/* A text of an output: longer than other texts may be. */
void dfr_api_buf(struct dfr_buf *b, struct dfr_arena *a);
struct dfr_report_style dfr_api_style(const dfr_style *style);
bool dfr_api_format_ok(dfr_format format, dfr_error *error);

/* ---- file.c -------------------------------------------------------------------------------- */

/* Read a file, a pipe or a device whole. DFR_IO with the path and the reason; DFR_LIMIT past `most`. */
enum dfr_status dfr_api_read(struct dfr_arena *a, struct dfr_str path, uint64_t most,
                             struct dfr_str *ret, struct dfr_err *err);
/* Open a regular file to read it in windows; it is closed with the arena. *ret stays -1 for anything
 * that can only be read from front to back. */
enum dfr_status dfr_api_open(struct dfr_arena *a, struct dfr_str path, int **ret,
                             struct dfr_err *err);
/* Write to a temporary file beside `path`, flush, rename. */
enum dfr_status dfr_api_write_file(struct dfr_arena *a, struct dfr_str path, struct dfr_str bytes,
                                   struct dfr_err *err);
/* The same for a file with holes. */
enum dfr_status dfr_api_write_pieces(struct dfr_arena *a, struct dfr_str path,
                                     const struct dfr_forge_file *f, struct dfr_err *err);
/* The folders above the file `path`, where they are not there yet. */
enum dfr_status dfr_api_make_folders(struct dfr_arena *a, struct dfr_str path, struct dfr_err *err);
struct dfr_paths {
    DFR_VEC(struct dfr_str) list;
    struct dfr_names seen; /* device and inode of each file in the list */
};
void dfr_paths_init(struct dfr_paths *p, struct dfr_arena *a);
/* Append a file, or the files below a folder whose names end in `suffix`, in byte order; a file that
 * is there already, under whatever name, is left out. */
enum dfr_status dfr_paths_add(struct dfr_paths *p, struct dfr_arena *a, struct dfr_str path,
                              const char *suffix, struct dfr_err *err);
/* The folder part of a path, "." when it has none. */
struct dfr_str dfr_path_folder(struct dfr_str path);
struct dfr_str dfr_path_join(struct dfr_arena *a, struct dfr_str folder, struct dfr_str name);

/* ---- input.c ------------------------------------------------------------------------------- */

/* Open an input so that it can be read anywhere; *ret_open is false, without an error, for what can
 * only be read from front to back. */
enum dfr_status dfr_input_open(struct dfr_arena *a, const dfr_input *input, struct dfr_str path,
                               struct dfr_bytes *ret, bool *ret_open, struct dfr_err *err);
/* Read an input whole; DFR_LIMIT past `most`. */
enum dfr_status dfr_input_whole(struct dfr_arena *a, const dfr_input *input, struct dfr_str path,
                                uint64_t most, struct dfr_str *ret, struct dfr_err *err);
/* What a report says about the input; with an arena also its hash, which reads all of it. */
struct dfr_report_input dfr_api_input(const dfr_crash *c, uint32_t index, struct dfr_arena *a);

/* ---- sniff.c, crash.c, check.c ------------------------------------------------------------------------------- */

/* DFR_OK when `bytes` may be a transcript; else the status and one line that says what they are. */
enum dfr_status dfr_api_sniff(struct dfr_str path, struct dfr_str bytes, struct dfr_err *err);
const struct dfr_facts *dfr_api_facts(const dfr_crash *c, size_t index, dfr_error *error);

/* Number of the rule with this full name, or whose name ends in it after a dot and is the only one.
 * DFR_MISUSE with the nearest name otherwise. */
enum dfr_status dfr_api_find_rule(const struct dfr_program *p, struct dfr_str name, uint32_t *ret,
                                  struct dfr_err *err);

/* ---- diagnostics.c ------------------------------------------------------------------------- */

/* A handle around a copy of `diags`; NULL without memory. */
dfr_diagnostics *dfr_diagnostics_new(const struct dfr_diags *diags, const dfr_memory *memory);

#endif
