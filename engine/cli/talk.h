/* Standard error and terminals: what is said to people, never data. */
#ifndef DFR_CLI_TALK_H
#define DFR_CLI_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A growing text. Running out of memory ends the program: the command has nothing better to do. */
struct dfr_cli_text {
    char *p;
    size_t len, cap;
};

void *dfr_cli_alloc(void *old, size_t n, size_t size);
void dfr_cli_text_add(struct dfr_cli_text *t, const char *p, size_t len);
void dfr_cli_text_z(struct dfr_cli_text *t, const char *z);
void dfr_cli_text_printf(struct dfr_cli_text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Append with control characters, broken UTF-8 and bidirectional marks as \xNN: a hostile file name
 * cannot drive a terminal or fake a line. */
void dfr_cli_text_safe(struct dfr_cli_text *t, const char *p, size_t len);
/* Append as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void dfr_cli_text_json(struct dfr_cli_text *t, const char *p, size_t len);
void dfr_cli_text_free(struct dfr_cli_text *t);

/* "dfrule: ", the message made safe, a newline: in one write, after clearing a progress line. */
void dfr_cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Text that is already safe, such as rendered diagnostics, to standard error. */
void dfr_cli_tell(const char *p, size_t len);

bool dfr_cli_is_terminal(FILE *f);
/* Columns of the terminal behind `f`, $COLUMNS, or 80. */
int dfr_cli_columns(FILE *f);

/* "dfrule: 120 of 400 inputs, 7 s left" on a terminal's standard error, only past a second. Any
 * thread may step; dfr_cli_say() clears the line. */
void dfr_cli_progress_begin(bool wanted, size_t total, const char *what);
void dfr_cli_progress_step(void);
void dfr_cli_progress_end(void);

#endif
