/* Diagnostics: something is off with an input (a rule file, a transcript, a dump), with its place,
 * and work goes on. Collected, never printed, here. Numbers are from diag.def and never reused. */
#ifndef DFR_BASE_DIAG_H
#define DFR_BASE_DIAG_H

#include "base/str.h"

enum dfr_severity { DFR_SEV_NOTE, DFR_SEV_WARNING, DFR_SEV_ERROR };

/* DIAG(id, number, severity, title, what `dfrule explain DFRnnnn` prints) */
#define DIAG(id, number, severity, title, help) DFR_D_##id = (number),
enum dfr_diag_code {
    DFR_D_NONE = 0,
#include "base/diag.def"
};
#undef DIAG

struct dfr_diag_info {
    uint32_t number;
    enum dfr_severity severity;
    const char *id, *title, *help;
};

/* The row of a code; NULL when there is none. */
const struct dfr_diag_info *dfr_diag_info(uint32_t number);
const struct dfr_diag_info *dfr_diag_rows(size_t *ret_n);

struct dfr_diag {
    enum dfr_diag_code code;
    enum dfr_severity severity;
    struct dfr_str file;    /* path as the user gave it; empty: no file */
    uint64_t begin, end;    /* byte range in the file */
    uint32_t line, column;  /* 1-based; column in code points; 0: not known */
    struct dfr_str source;  /* the source line, without its newline */
    uint32_t caret, width;  /* 0-based cell and number of cells to underline in `source` */
    struct dfr_str message; /* one line */
    struct dfr_str suggest; /* "did you mean `x`?", or empty */
};

struct dfr_diags {
    struct dfr_arena *arena;
    struct dfr_diag *v;
    uint32_t n, cap;
    uint32_t errors, warnings; /* counted also past the limit */
    uint32_t dropped;
    struct dfr_diag *spare; /* handed out for those past the limit */
};

void dfr_diags_init(struct dfr_diags *d, struct dfr_arena *a);
/* Append a diagnostic of `code` with its severity from diag.def and the formatted message; the
 * caller fills in the place. Past DFR_LIMIT_DIAGNOSTICS it is counted and a scratch row returned. */
struct dfr_diag *dfr_diags_add(struct dfr_diags *d, enum dfr_diag_code code, const char *format,
                               ...) __attribute__((format(printf, 3, 4)));

/* Cannot-go-on errors: what the public API returns, with detail. */
enum dfr_status {
    DFR_OK = 0,
    DFR_NO_MEMORY,
    DFR_IO,          /* a file could not be read or written */
    DFR_NOT_A_CRASH, /* the input is no kernel crash we can read */
    DFR_BAD_RULES,   /* the rule set has errors: see the diagnostics */
    DFR_BAD_CACHE,   /* a compiled rule set did not verify */
    DFR_LIMIT,       /* a limit was hit */
    DFR_MISUSE,      /* an argument makes no sense */
    DFR_INTERNAL,
    DFR_UNSUPPORTED, /* a dump or an archive, which this version does not read */
};

struct dfr_err {
    enum dfr_status status;
    char message[512]; /* UTF-8, ends in NUL; names file, place and field */
};

/* Fill *err (may be NULL) and return `status`. */
enum dfr_status dfr_fail(struct dfr_err *err, enum dfr_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
