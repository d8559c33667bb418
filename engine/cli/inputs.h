/* What there is to read: files, folders, standard input; and reading many at a time. */
#ifndef DFR_CLI_INPUTS_H
#define DFR_CLI_INPUTS_H

#include "cli/output.h"

struct dfr_cli_input {
    char *path;  /* as shown; "-" for standard input */
    bool found;  /* while walking a folder: passed over when it holds no crash */
    bool failed; /* nothing to open: `path` could not even be walked */
    int error;   /* errno then */
};

struct dfr_cli_inputs {
    struct dfr_cli_input *v;
    size_t n, cap;
    bool folders; /* some operand was a folder */
};

/* Operands to inputs; none: standard input. False after a usage error was printed. */
bool dfr_cli_inputs_find(const struct dfr_cli_list *operands, struct dfr_cli_inputs *ret);
void dfr_cli_inputs_free(struct dfr_cli_inputs *in);

/* Where images and PDBs are: --symbols, else _NT_SYMBOL_PATH, else the user's own store, which `fetch`
 * fills: with `wanted` even when it is not there yet. Written to `buf`, or from the environment. */
const char *dfr_cli_symbol_path(const struct dfr_cli_options *o, bool wanted, char *buf,
                                size_t size);
/* $DFRULE_CACHE (empty: none), or the user's folder for such things; false when there is none. */
bool dfr_cli_cache_folder(char *ret, size_t size);
/* Open one input. *error is set on failure. */
dfr_result dfr_cli_open(const struct dfr_cli_options *o, const struct dfr_cli_input *input,
                        dfr_crash **ret, dfr_error *error);

/* How inputs went, for the exit code. */
struct dfr_cli_tally {
    size_t good, failed, passed_over;
    bool found;    /* --fail-on was met */
    bool internal; /* an error of ours */
    bool usage;
};

/* Writes one crash of an input in one format. `strength` comes from dfr_answer_strength(). */
struct dfr_cli_job {
    const struct dfr_cli_options *options;
    struct dfr_cli_outputs *outs;
    void *user;
    /* Work on crash `index`: append the text of output i to pieces[i]. */
    dfr_result (*work)(const struct dfr_cli_job *job, const dfr_crash *crash, size_t index,
                       struct dfr_cli_text *pieces, int *strength, dfr_error *error);
};

/* Every crash of every input through `job`, on several threads, in order unless --unordered.
 * Returns the exit code; outputs are still open. */
int dfr_cli_run(const struct dfr_cli_job *job, const struct dfr_cli_inputs *in);

#endif
