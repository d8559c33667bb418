/* Where results go: standard output and files, each in its format. */
#ifndef DFR_CLI_OUTPUT_H
#define DFR_CLI_OUTPUT_H

#include <stdio.h>

#include "cli/options.h"
#include "cli/talk.h"
#include "dfrule.h"

enum { DFR_CLI_OUTPUTS = 16 };

struct dfr_cli_output {
    dfr_format format;
    dfr_style style;
    FILE *file;
    const char *path; /* NULL: standard output */
    char *temp;       /* renamed to `path` at the end; NULL: written in place */
    size_t pieces;    /* written so far */
    bool many;        /* JSON: the results stand in an array */
};

struct dfr_cli_outputs {
    struct dfr_cli_output v[DFR_CLI_OUTPUTS];
    size_t n;
    const char *schema; /* of the array of results */
};

/* Open what `-o` names; text on standard output without it. False after an error was printed. */
bool dfr_cli_outputs_open(const struct dfr_cli_options *o, const char *schema,
                          struct dfr_cli_outputs *ret);
/* JSON goes into an array from here on. */
void dfr_cli_outputs_many(struct dfr_cli_outputs *outs);
/* One result, as dfr_..._write() gave it: ends in a newline. */
void dfr_cli_output_piece(struct dfr_cli_outputs *outs, size_t output, const char *p, size_t len);
void dfr_cli_output_flush(struct dfr_cli_outputs *outs);
/* Close; with `keep`, files appear under their names, else they vanish. False after an error. */
bool dfr_cli_outputs_close(struct dfr_cli_outputs *outs, bool keep);
/* Style of text on `file`. */
dfr_style dfr_cli_style(const struct dfr_cli_options *o, FILE *file);

/* A dfr_write_fn that appends to a struct dfr_cli_text. */
int dfr_cli_write_text(void *text, const char *p, size_t len);

#endif
