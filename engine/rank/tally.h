/* Inside rank/: one row of the answer as a sum, which can be taken again with only some facts open.
 *
 * A leaf is a weight: a line of evidence, or a rule's `when`. Leaves sit in the groups of their
 * rule (nodes). What stands at the top of a rule belongs to a part; parts of different rules that
 * say the same form a class, of which one part counts. */
#ifndef DFR_RANK_TALLY_H
#define DFR_RANK_TALLY_H

#include "rank/answer.h"

struct dfr_leaf {
    uint32_t hit, item; /* item DFR_NONE: the `when` itself */
    uint32_t member;
    int32_t v, lo, hi; /* what it adds, and could add */
    uint32_t missing, origin;
    uint64_t hash; /* same condition, same hash; 0: none */
    uint32_t node; /* innermost group, or DFR_NONE */
    uint32_t unit; /* without a group */
    enum dfr_tri truth;
    uint8_t trust;
    bool decided, open, capped, note, counted;
};
struct dfr_node {
    uint32_t group, parent; /* parent: node, or DFR_NONE */
    uint32_t unit;          /* at the top */
    int32_t v, lo, hi;
    uint32_t best_leaf, best_node; /* which child counts; at most one is not DFR_NONE */
};
struct dfr_unit {
    uint32_t member, part, root; /* root: union-find */
    uint32_t leaf, node;         /* which it is */
};
struct dfr_part {
    uint32_t member, cls, next; /* next part of the class */
    int32_t v, lo, hi;
    int32_t mass, reach;  /* sizes of its weights, now and at most */
    int32_t below, above; /* if each of its units counted by itself */
    int32_t units;
};
struct dfr_class {
    uint32_t first, best; /* parts */
    int32_t v, lo, hi;
    bool taken; /* some part of a fired member is in it */
};
struct dfr_member {
    uint32_t hit;
    uint32_t first_part, part_count;
    bool waiting;
    bool unless_open;
};

struct dfr_tally {
    const struct dfr_eval *eval;
    struct dfr_arena *arena;
    int32_t prior;
    DFR_VEC(struct dfr_leaf) leaves;
    DFR_VEC(struct dfr_node) nodes;
    DFR_VEC(struct dfr_unit) units;
    DFR_VEC(struct dfr_part) parts;
    DFR_VEC(struct dfr_class) classes;
    DFR_VEC(struct dfr_member) members;
};

struct dfr_sum {
    int32_t score, min, max;
    bool fired;         /* some member fired: `score` means something */
    bool min_not_shown; /* every fired member could be removed */
};

/* Sets as bits, one for each missing fact. NULL stands for all facts. */
bool dfr_tally_moves(const struct dfr_eval *e, uint32_t missing, const uint64_t *facts);

void dfr_tally_init(struct dfr_tally *t, const struct dfr_eval *e, uint32_t cause,
                    struct dfr_arena *a);
/* Add a fired or waiting hit. Fired ones first, each kind in its order. */
void dfr_tally_add(struct dfr_tally *t, uint32_t hit);
/* After the last hit: finds what different rules have in common. */
void dfr_tally_link(struct dfr_tally *t);
/* Add up, with only `facts` able to change. Marks the leaves that count. */
void dfr_tally_sum(struct dfr_tally *t, const uint64_t *facts, struct dfr_sum *ret);

/* Stable sort of `n` numbers. */
typedef int (*dfr_order_fn)(const void *context, uint32_t a, uint32_t b);
void dfr_order(uint32_t *v, uint32_t n, dfr_order_fn compare, const void *context,
               struct dfr_arena *a);

/* A row of the answer while it is made: also rows that only wait. */
struct dfr_row {
    uint32_t cause;
    struct dfr_tv subject;
    struct dfr_str key;
    bool nameless; /* the subject is not known */
    uint32_t *hits;
    uint32_t hit_count, fired_count;
    struct dfr_tally tally;
    struct dfr_sum sum;
};
struct dfr_rows_made {
    struct dfr_row
        *v; /* fired ones first, best first; then those that wait, by what they could reach */
    uint32_t n, fired;
};

/* merge.c */
void dfr_rank_rows(const struct dfr_eval *e, struct dfr_arena *a, struct dfr_rows_made *ret);
/* Key of a subject: equal for equal subjects, readable, in lower case for modules. */
struct dfr_str dfr_rank_subject_key(const struct dfr_facts *f, const struct dfr_value *v,
                                    struct dfr_arena *a);
struct dfr_str dfr_rank_rule_name(const struct dfr_eval *e, uint32_t hit);
/* actions.c: needs ret->causes. */
void dfr_rank_actions(struct dfr_ranking *ret, struct dfr_arena *a);
/* collect.c: needs ret->causes and ret->held. */
void dfr_rank_collect(struct dfr_ranking *ret, const struct dfr_rows_made *rows,
                      struct dfr_arena *a);

#endif
