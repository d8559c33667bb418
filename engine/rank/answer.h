/* From hits to an answer: causes with their evidence added up, actions, what to collect next.
 * Follows docs/language.md, scoring and ranking. */
#ifndef DFR_RANK_ANSWER_H
#define DFR_RANK_ANSWER_H

#include "vm/eval.h"

struct dfr_scored_item {
    uint32_t hit, item;      /* of the evaluation; item DFR_NONE: the `when` itself */
    int32_t weight_db;       /* what it adds now; 0 when open, beaten in its group, or a note */
    int32_t low_db, high_db; /* what it could add at least and at most */
    bool beaten; /* another member of its group, or an equal of another rule, counts instead */
    bool prose_capped; /* held to +-3 because only prose says so */
};

struct dfr_ranked_cause {
    uint32_t cause; /* of the program */
    /* Kind NONE: mechanism without subject; unknown: "which one is not known". */
    struct dfr_tv subject;
    int32_t prior_db;
    int32_t score_db, min_db, max_db; /* clamped to +-30 */
    bool min_not_shown;               /* an open `unless` could remove it */
    uint32_t strength;                /* DFR_VERDICT_* of score_db */
    bool settled;
    struct dfr_scored_item *items;
    uint32_t item_count;
};

struct dfr_ranked_action {
    uint32_t hit, advised;  /* the strongest recommend of it */
    int32_t helps_permille; /* P(helps), for the order; shown as a word */
    uint32_t strength;      /* DFR_VERDICT_* of the strongest supporting cause */
    bool worth_trying;      /* only possible causes support it */
    uint32_t *supports;     /* indexes of causes in the answer */
    uint32_t support_count;
};

struct dfr_ranked_collect {
    struct dfr_str command;
    struct dfr_str why; /* which facts it shows, in words */
    uint32_t cost;
    int32_t moves_db; /* how far the top five could move */
    bool flips_first;
    uint32_t *missing; /* of the evaluation */
    uint32_t missing_count;
};

struct dfr_ranking {
    const struct dfr_eval *eval;
    struct dfr_ranked_cause *causes; /* best first; those not shown (verdict none) at the end */
    uint32_t cause_count, shown_count;
    struct dfr_ranked_action *actions;
    uint32_t action_count;
    struct dfr_ranked_collect *collect; /* best three first */
    uint32_t collect_count;
};

void dfr_rank(const struct dfr_eval *eval, struct dfr_arena *a, struct dfr_ranking *ret);
/* Score of one rule alone: prior and its own evidence (best row of an each). Unknown value when it
 * does not fire. */
struct dfr_value dfr_rank_rule_score(const struct dfr_eval *eval, uint32_t rule,
                                     struct dfr_arena *a);
/* Word of a score: DFR_VERDICT_*. */
uint32_t dfr_verdict_of(int32_t score_db);

#endif
