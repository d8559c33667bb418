/* A rule file in memory, and where its bytes stand: lines, columns, cells to underline. */
#ifndef DFR_LANG_SOURCE_H
#define DFR_LANG_SOURCE_H

#include "base/diag.h"

/* A byte range of one source. */
struct dfr_loc {
    uint32_t begin, end;
};

struct dfr_source {
    struct dfr_str path;
    struct dfr_str text;  /* as given; a byte order mark is skipped by the parser */
    uint32_t *line_begin; /* offset of each line's first byte */
    uint32_t line_count;
    uint32_t index; /* in its rule set */
};

/* Build the line map. `path` and `text` must outlive the arena; `text` has at most
 * DFR_LIMIT_SOURCE_BYTES bytes (the parser refuses more). */
void dfr_source_init(struct dfr_source *s, struct dfr_arena *a, struct dfr_str path,
                     struct dfr_str text);
/* 1-based line and column, the column in code points. */
void dfr_source_line_column(const struct dfr_source *s, uint32_t offset, uint32_t *ret_line,
                            uint32_t *ret_column);
struct dfr_str dfr_source_text(const struct dfr_source *s, struct dfr_loc loc);
/* Fill in a diagnostic's file, range, line, column, and its source line made safe to print, with
 * caret and width in cells of that line. A long line is cut around the caret. */
void dfr_source_place(const struct dfr_source *s, struct dfr_arena *a, struct dfr_loc loc,
                      struct dfr_diag *d);

#endif
