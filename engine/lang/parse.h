/* Rule text to tree. Never fails: what cannot be read becomes a diagnostic and is left out. */
#ifndef DFR_LANG_PARSE_H
#define DFR_LANG_PARSE_H

#include "lang/ast.h"

/* Parse one source. The tree and its strings live in `a`. */
void dfr_parse(struct dfr_arena *a, const struct dfr_source *s, struct dfr_diags *diags,
               struct dfr_file *ret);

/* A text with {expressions}: pieces in order. */
struct dfr_piece {
    struct dfr_str literal; /* for an expression: its source */
    struct dfr_expr *expr;  /* NULL: literal */
    struct dfr_piece *next;
};
/* Split a STRING node of `s` at its braces and parse what stands inside. */
struct dfr_piece *dfr_parse_text(struct dfr_arena *a, const struct dfr_source *s,
                                 struct dfr_diags *diags, const struct dfr_expr *string);

/* One expression that is the whole source (for `what-if` and tests). NULL after an error. */
struct dfr_expr *dfr_parse_expr(struct dfr_arena *a, const struct dfr_source *s,
                                struct dfr_diags *diags);

/* Words with a meaning, sorted: for completion and docs. */
struct dfr_keyword {
    const char *word, *help;
    int token;
    bool reserved;
};
const struct dfr_keyword *dfr_keyword_rows(size_t *ret_n);

#endif
