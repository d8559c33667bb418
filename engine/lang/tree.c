/* Building the tree: nodes, depths, chains. Called by the grammar's actions. */
#include <string.h>

#include "base/limits.h"
#include "lang/parser.h"

enum { SMALL_MOST = 1000000 };

struct dfr_expr *dfr_expr_leaf(struct dfr_parser *p, enum dfr_expr_kind kind, struct dfr_loc loc)
{
    struct dfr_expr *e = DFR_NEW(p->arena, struct dfr_expr);
    e->kind = (uint8_t)kind;
    e->depth = 1;
    e->loc = dfr_parser_loc(p, loc);
    return e;
}

struct dfr_expr *dfr_expr_text(struct dfr_parser *p, enum dfr_expr_kind kind, struct dfr_loc loc,
                               struct dfr_str text)
{
    struct dfr_expr *e = dfr_expr_leaf(p, kind, loc);
    e->as.text = text;
    return e;
}

struct dfr_expr *dfr_expr_num(struct dfr_parser *p, enum dfr_expr_kind kind, struct dfr_loc loc,
                              uint64_t num)
{
    struct dfr_expr *e = dfr_expr_leaf(p, kind, loc);
    e->as.num = num;
    return e;
}

/* Set the depth from the children. A tree that is too deep is cut, so that nobody who walks it
 * needs to fear for the stack. */
static void measure(struct dfr_parser *p, struct dfr_expr *e, struct dfr_loc loc)
{
    unsigned deepest = 0;
    for (struct dfr_expr *k = e->kid; k; k = k->next)
        if (k->depth > deepest)
            deepest = k->depth;
    if (deepest >= DFR_LIMIT_EXPR_DEPTH) {
        if (!p->too_deep)
            dfr_parser_diag(p, DFR_D_TOO_DEEP, loc,
                            "this expression is nested more than %d levels deep",
                            (int)DFR_LIMIT_EXPR_DEPTH);
        p->too_deep = true;
        e->kind = DFR_EXPR_ERROR;
        e->kid = NULL;
        deepest = 0;
    }
    e->depth = (uint16_t)(deepest + 1);
}

struct dfr_expr *dfr_expr_node(struct dfr_parser *p, enum dfr_expr_kind kind, int op,
                               struct dfr_loc loc, struct dfr_expr *kids)
{
    struct dfr_expr *e = dfr_expr_leaf(p, kind, loc);
    e->op = (uint8_t)op;
    e->kid = kids;
    measure(p, e, loc);
    return e;
}

struct dfr_expr *dfr_expr_binary(struct dfr_parser *p, int op, struct dfr_loc loc,
                                 struct dfr_expr *a, struct dfr_expr *b)
{
    a->next = b;
    return dfr_expr_node(p, DFR_EXPR_BINARY, op, loc, a);
}

struct dfr_expr *dfr_expr_join(struct dfr_parser *p, enum dfr_expr_kind kind, struct dfr_loc loc,
                               struct dfr_expr *a, struct dfr_expr *b)
{
    if (a->kind == kind) {
        a->as.last->next = b;
        a->as.last = b;
        a->loc = dfr_parser_loc(p, loc);
        if (b->depth >= a->depth)
            measure(p, a, loc);
        return a;
    }
    struct dfr_expr *e = dfr_expr_binary(p, 0, loc, a, b);
    if (e->kind != DFR_EXPR_ERROR) {
        e->kind = (uint8_t)kind;
        e->as.last = b;
    }
    return e;
}

struct dfr_expr *dfr_expr_negative(struct dfr_parser *p, struct dfr_loc loc, struct dfr_expr *of)
{
    return dfr_expr_node(p, DFR_EXPR_UNARY, DFR_X_NEG, loc, of);
}

struct dfr_expr *dfr_expr_record(struct dfr_parser *p, struct dfr_loc loc, struct dfr_entry *list)
{
    struct dfr_expr *kids = NULL;
    for (struct dfr_entry *e = list; e; e = e->next) {
        struct dfr_expr *k = dfr_expr_node(p, DFR_EXPR_ENTRY, 0, e->loc, e->value);
        k->as.text = e->name.text;
        k->next = kids;
        kids = k;
    }
    return dfr_expr_node(p, DFR_EXPR_RECORD, 0, loc, kids);
}

uint32_t dfr_parser_small(struct dfr_parser *p, struct dfr_loc loc, uint64_t n, const char *what)
{
    if (n <= SMALL_MOST)
        return (uint32_t)n;
    dfr_parser_diag(p, DFR_D_NUMBER_RANGE, loc, "%s is at most %d", what, SMALL_MOST);
    return SMALL_MOST;
}

struct dfr_word dfr_word_join(struct dfr_parser *p, struct dfr_word a, struct dfr_word b)
{
    size_t len = a.text.len + 1 + b.text.len;
    char *s = dfr_arena_alloc(p->arena, len + 1);
    memcpy(s, a.text.p, a.text.len);
    s[a.text.len] = '.';
    memcpy(s + a.text.len + 1, b.text.p, b.text.len);
    return (struct dfr_word){{s, len}, {a.loc.begin, b.loc.end}};
}

struct dfr_entry *dfr_entry_new(struct dfr_parser *p, struct dfr_loc loc, struct dfr_word name,
                                struct dfr_expr *value, struct dfr_entry *next)
{
    struct dfr_entry *e = DFR_NEW(p->arena, struct dfr_entry);
    *e = (struct dfr_entry){.name = name, .value = value, .loc = loc, .next = next};
    return e;
}

struct dfr_section *dfr_section_new(struct dfr_parser *p, enum dfr_section_kind kind,
                                    struct dfr_loc loc, struct dfr_loc head)
{
    struct dfr_section *s = DFR_NEW(p->arena, struct dfr_section);
    *s = (struct dfr_section){.kind = kind, .loc = loc, .head = head};
    return s;
}

struct dfr_evidence *dfr_evidence_new(struct dfr_parser *p, enum dfr_evidence_kind kind,
                                      struct dfr_loc loc, struct dfr_weight *weight,
                                      struct dfr_expr *label, struct dfr_expr *cond)
{
    struct dfr_evidence *e = DFR_NEW(p->arena, struct dfr_evidence);
    *e = (struct dfr_evidence){
        .kind = kind, .loc = loc, .weight = weight, .label = label, .cond = cond};
    return e;
}

struct dfr_node *dfr_node_new(struct dfr_parser *p, enum dfr_node_kind kind, struct dfr_loc loc,
                              struct dfr_word name)
{
    struct dfr_node *n = DFR_NEW(p->arena, struct dfr_node);
    n->kind = kind;
    n->loc = loc;
    n->name = name;
    return n;
}

void dfr_node_add(struct dfr_parser *p, struct dfr_node *n)
{
    n->next = p->file->items;
    p->file->items = n;
    p->file->count++;
}
