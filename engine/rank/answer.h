/* From hits to an answer: causes with their evidence added up, actions, what to collect next.
 * Follows docs/language.md, scoring and ranking. Everything is in a total order that depends on
 * names and values alone, never on the order of rules or files. */
#ifndef DFR_RANK_ANSWER_H
#define DFR_RANK_ANSWER_H

#include "vm/eval.h"

enum { DFR_SCORE_MOST = 30, DFR_SCORE_LIKELY = 3, DFR_SCORE_HIDDEN = -3, DFR_PROSE_MOST = 3 };

struct dfr_scored_item {
    uint32_t hit, item; /* of the evaluation; item DFR_NONE: the `when` itself */
    enum dfr_tri truth;
    int32_t weight_db;       /* what it adds now; 0 when open, beaten, or a note */
    int32_t own_db;          /* what it would add if nothing beat it; 0 when open or a note */
    int32_t low_db, high_db; /* what it could add at least and at most */
    uint8_t trust;           /* DFR_TRUST_*: the lower of its own and its rule's `when` */
    bool beaten;             /* another member of its group, or an equal of another rule, counts */
    bool prose_capped;       /* held to +-3 because only prose says so */
    bool open;               /* undecided, and facts are missing that could decide it */
};

struct dfr_ranked_cause {
    uint32_t cause;        /* of the program */
    struct dfr_tv subject; /* kind NONE: without subject; unknown: "which one is not known" */
    struct dfr_str key;    /* of the subject: equal for equal subjects; empty without one */
    int32_t prior_db;
    int32_t score_db, min_db, max_db; /* clamped to +-30 */
    bool min_not_shown;               /* an open `unless` could remove it */
    uint32_t strength;                /* DFR_VERDICT_* of score_db */
    bool settled;
    struct dfr_scored_item *items; /* by what they add: largest first, then rule and label */
    uint32_t item_count;
    uint32_t *hits; /* fired ones of the evaluation, by rule name, then row */
    uint32_t hit_count;
};

/* Rules whose `when` is open: they could apply. One row for all rows of an `each`. */
struct dfr_waiting_rule {
    uint32_t rule;
    uint32_t hit;     /* the first */
    uint32_t rows;    /* how many wait */
    uint32_t missing; /* set: what would settle their `when` */
    int32_t max_db;   /* how far the best of them could bring its cause */
};

struct dfr_ranked_action {
    uint32_t hit, advised;  /* the recommend of the strongest cause that supports it */
    int32_t helps_permille; /* P(helps) */
    uint32_t strength;      /* DFR_VERDICT_* of P(helps) as log-odds, at least possible */
    uint32_t cost;          /* enum dfr_cost */
    bool worth_trying;      /* only possible causes support it */
    uint32_t *supports;     /* indexes of causes in the answer, best first */
    uint32_t support_count;
};

struct dfr_ranked_collect {
    struct dfr_str command;
    struct dfr_str why; /* what it shows, in words */
    uint32_t cost;
    int32_t moves_db;   /* how far the top five could move, within what is shown */
    bool flips_first;   /* another cause could come first, or the first could vanish */
    bool command_known; /* false: no command shows it; `command` says what would */
    uint32_t *missing;  /* of the evaluation */
    uint32_t missing_count;
};

/* An action that is held back because something about it is not known. */
struct dfr_held_action {
    uint32_t hit, advised;
    uint32_t missing; /* set */
};

struct dfr_ranking {
    const struct dfr_eval *eval;
    struct dfr_ranked_cause *causes; /* best first; those not shown (verdict none) at the end */
    uint32_t cause_count, shown_count;
    struct dfr_ranked_action *actions;
    uint32_t action_count;
    struct dfr_held_action *held;
    uint32_t held_count;
    struct dfr_ranked_collect *collect; /* best three first */
    uint32_t collect_count;
    struct dfr_waiting_rule *waiting; /* those that could change most first */
    uint32_t waiting_count;
    /* Who did it: the strongest contributor, at least likely, that names a module other than the
     * kernel or whose declaration carries a class (`culprit = "hw.memory"`). Where no contributor is
     * likely, the same of the mechanisms: their subject is where it happened, not always who did it.
     * DFR_NONE when there is none, and when two of equal strength name different ones. */
    uint32_t culprit;
    uint32_t suppressed, removed; /* results hidden by a suppression, removed by `unless` */
};

void dfr_rank(const struct dfr_eval *eval, struct dfr_arena *a, struct dfr_ranking *ret);
/* Score of one fired hit alone: prior and its own evidence. */
int32_t dfr_rank_hit_score(const struct dfr_eval *eval, uint32_t hit, struct dfr_arena *a);
/* Score of one rule alone: prior and its own evidence (best row of an each). Unknown value when it
 * does not fire. */
struct dfr_value dfr_rank_rule_score(const struct dfr_eval *eval, uint32_t rule,
                                     struct dfr_arena *a);
/* Merged score of a cause with a subject (absent: without one; NULL: without one, else with the best
 * of its subjects). Unknown when there is no such row. */
struct dfr_value dfr_rank_cause_score(const struct dfr_ranking *r, uint32_t cause,
                                      const struct dfr_value *subject, struct dfr_arena *a);
/* Word of a score: DFR_VERDICT_*. */
uint32_t dfr_verdict_of(int32_t score_db);
/* Value of a key in the `meta` of a cause, action or rule; empty when it has none. */
struct dfr_str dfr_rank_meta(const struct dfr_program *p, uint32_t first, uint32_t count,
                             struct dfr_str key);

#endif
