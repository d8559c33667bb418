/* What scanner, grammar and parser share. Private to the parser. */
#ifndef DFR_LANG_PARSER_H
#define DFR_LANG_PARSER_H

#include "lang/parse.h"

struct dfr_parser {
    struct dfr_arena *arena;
    const struct dfr_source *source;
    struct dfr_diags *diags;
    const uint32_t *map; /* scanned offset to source offset; NULL: the same plus `base` */
    uint32_t base;
    const char *scanned;
    uint32_t scanned_len;
    void *scanner;

    uint32_t pos;    /* of the scanner */
    int start;       /* pseudo token to deliver first; 0: delivered */
    int last;        /* token delivered last */
    uint32_t braces; /* open braces delivered or skipped */
    bool skipping;   /* after a syntax error: run to the next `;` or `}` */
    uint32_t skip_braces;
    bool semicolon; /* deliver a `;`, */
    uint32_t close; /* then so many `}`, */
    int held;       /* then this token that was kept back; 0: none */
    struct dfr_loc held_loc;
    struct dfr_str held_text;
    uint32_t mended_at;  /* where tokens were last put in, so that each place is mended once */
    uint32_t before;     /* end of the token before the last */
    struct dfr_str text; /* of the token delivered last, when it has one */
    bool too_deep;       /* said once */

    struct dfr_file *file;
    struct dfr_expr *expr; /* result of a single expression */
};

struct dfr_exprs { /* siblings under construction */
    struct dfr_expr *first, *last;
};

/* Lists under construction are kept newest first and turned round when they are complete. */
#define DFR_REVERSE(list)                                                                          \
    do {                                                                                           \
        __typeof__(list) dfr_rest = (list), dfr_done = NULL;                                       \
        while (dfr_rest) {                                                                         \
            __typeof__(list) dfr_next = dfr_rest->next;                                            \
            dfr_rest->next = dfr_done;                                                             \
            dfr_done = dfr_rest;                                                                   \
            dfr_rest = dfr_next;                                                                   \
        }                                                                                          \
        (list) = dfr_done;                                                                         \
    } while (0)

/* Add a diagnostic at a scanned range. */
struct dfr_diag *dfr_parser_diag(struct dfr_parser *p, enum dfr_diag_code code, struct dfr_loc loc,
                                 const char *format, ...) __attribute__((format(printf, 4, 5)));
void dfr_parser_suggest(struct dfr_parser *p, struct dfr_diag *d, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct dfr_loc dfr_parser_loc(const struct dfr_parser *p, struct dfr_loc scanned);

/* Scanner helpers. */
const struct dfr_keyword *dfr_keyword_find(struct dfr_str word);
bool dfr_scan_number(struct dfr_str text, uint64_t *ret);
bool dfr_scan_hex(struct dfr_str text, uint64_t *ret);
bool dfr_scan_duration(struct dfr_str text, uint64_t *ret_ms);
bool dfr_scan_time(struct dfr_str text, int64_t *ret);
bool dfr_scan_version(struct dfr_str text);
struct dfr_str dfr_scan_string(struct dfr_parser *p, struct dfr_str raw, struct dfr_loc loc);
struct dfr_str dfr_scan_regex(struct dfr_parser *p, struct dfr_str raw, bool *ret_fold_case);

/* Nodes. Each takes over its children and checks the depth. */
struct dfr_expr *dfr_expr_leaf(struct dfr_parser *p, enum dfr_expr_kind kind, struct dfr_loc loc);
struct dfr_expr *dfr_expr_text(struct dfr_parser *p, enum dfr_expr_kind kind, struct dfr_loc loc,
                               struct dfr_str text);
struct dfr_expr *dfr_expr_num(struct dfr_parser *p, enum dfr_expr_kind kind, struct dfr_loc loc,
                              uint64_t num);
struct dfr_expr *dfr_expr_node(struct dfr_parser *p, enum dfr_expr_kind kind, int op,
                               struct dfr_loc loc, struct dfr_expr *kids);
struct dfr_expr *dfr_expr_binary(struct dfr_parser *p, int op, struct dfr_loc loc,
                                 struct dfr_expr *a, struct dfr_expr *b);
/* a and b, a or b: chains become one node. */
struct dfr_expr *dfr_expr_join(struct dfr_parser *p, enum dfr_expr_kind kind, struct dfr_loc loc,
                               struct dfr_expr *a, struct dfr_expr *b);
struct dfr_expr *dfr_expr_negative(struct dfr_parser *p, struct dfr_loc loc, struct dfr_expr *of);
/* Entries newest first. */
struct dfr_expr *dfr_expr_record(struct dfr_parser *p, struct dfr_loc loc, struct dfr_entry *list);
uint32_t dfr_parser_small(struct dfr_parser *p, struct dfr_loc loc, uint64_t n, const char *what);
struct dfr_word dfr_word_join(struct dfr_parser *p, struct dfr_word a, struct dfr_word b);

struct dfr_entry *dfr_entry_new(struct dfr_parser *p, struct dfr_loc loc, struct dfr_word name,
                                struct dfr_expr *value, struct dfr_entry *next);
struct dfr_section *dfr_section_new(struct dfr_parser *p, enum dfr_section_kind kind,
                                    struct dfr_loc loc, struct dfr_loc head);
struct dfr_evidence *dfr_evidence_new(struct dfr_parser *p, enum dfr_evidence_kind kind,
                                      struct dfr_loc loc, struct dfr_weight *weight,
                                      struct dfr_expr *label, struct dfr_expr *cond);
struct dfr_node *dfr_node_new(struct dfr_parser *p, enum dfr_node_kind kind, struct dfr_loc loc,
                              struct dfr_word name);
void dfr_node_add(struct dfr_parser *p, struct dfr_node *n);

#endif
