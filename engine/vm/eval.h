/* Running a verified program over the facts of one crash.
 *
 * dfr_engine_new() prepares what is worth doing once per rule set (interned names, compiled
 * patterns, the rule index). It is immutable and may be shared by threads. dfr_eval_run() evaluates
 * one crash: candidate rules from the index, conditions with short circuit, and every rule that
 * fires or waits once more in full, so that all evidence, missing facts and places are there. */
#ifndef DFR_VM_EVAL_H
#define DFR_VM_EVAL_H

#include "code/program.h"
#include "facts/store.h"

/* A value with what it rests on. Sets are numbers in dfr_eval.sets; 0 is the empty set. */
struct dfr_tv {
    struct dfr_value v;
    uint32_t missing; /* facts that would settle it */
    uint32_t origin;  /* cells that decided it */
};

/* Three-valued reading of a condition. */
enum dfr_tri { DFR_FALSE, DFR_TRUE, DFR_OPEN };
enum dfr_tri dfr_tv_tri(const struct dfr_tv *t);

/* A fact that is missing. */
struct dfr_missing {
    uint32_t field; /* scalar, table or column (dfr_field_info gives command and cost) */
    /* What `{}` in its command stands for: module, address, row key; or empty. */
    struct dfr_str param;
    uint8_t reason; /* enum dfr_reason */
    uint32_t place; /* where a failed attempt stands in the input; 0: nowhere */
};
/* A cell that decided something. */
struct dfr_cell_ref {
    uint32_t field; /* scalar or column, or the table itself for its completeness */
    uint32_t row;   /* DFR_NONE for scalars and tables */
};

struct dfr_sets; /* interned sorted sets of numbers */
/* Elements of a set: indexes into dfr_eval.missing or dfr_eval.cells. */
const uint32_t *dfr_sets_items(const struct dfr_sets *s, uint32_t set, uint32_t *ret_n);
uint32_t dfr_sets_union(struct dfr_sets *s, uint32_t a, uint32_t b);

enum dfr_hit_status {
    DFR_HIT_FIRED,      /* `when` is true */
    DFR_HIT_WAITING,    /* `when` is open: could apply */
    DFR_HIT_REMOVED,    /* `unless` is true */
    DFR_HIT_SUPPRESSED, /* a suppression's `where` is true */
    DFR_HIT_FALSE,      /* `when` is false: only reported for `only_rule` */
    DFR_HIT_SILENT, /* a part of `when` is open for good (absent, error): only for `only_rule` */
};

struct dfr_item {      /* one line of evidence */
    uint32_t evidence; /* of the program */
    struct dfr_tv truth;
    struct dfr_str label; /* interpolated, or the source text */
};
struct dfr_advised { /* one recommend whose condition is not false */
    uint32_t advice;
    struct dfr_tv condition; /* known true without `if` */
    bool held;               /* its argument or text has an unknown part: held back */
    uint32_t missing;        /* what is missing for it */
    struct dfr_str text;     /* interpolated */
    struct dfr_str key;      /* same key: the same action with the same argument */
    struct dfr_tv subject;   /* first argument of an action; kind NONE without one */
};
struct dfr_collected { /* one collect whose condition is true (or open) */
    uint32_t collect;
    struct dfr_tv condition;
    struct dfr_str command; /* interpolated; unknown parts as `<bugcheck.arg4>` */
    uint32_t missing;       /* facts that its condition asks about */
};

struct dfr_hit {
    uint32_t rule;
    /* Of its `each` list; DFR_NONE without each, and for the rows that an incomplete list lacks
     * (one hit that waits for the table). */
    uint32_t row;
    enum dfr_hit_status status;
    struct dfr_tv when; /* conjunction of all clauses */
    /* `rule.clause_count` of them, in the program's order; explain and why-not read them. */
    struct dfr_tv *clauses;
    struct dfr_tv unless;   /* kind NONE without one */
    struct dfr_tv subject;  /* kind NONE without one */
    uint32_t suppressed_by; /* of program.suppress; DFR_NONE */
    struct dfr_item *items;
    uint32_t item_count;
    struct dfr_advised *advice;
    uint32_t advice_count;
    struct dfr_collected *collect;
    uint32_t collect_count;
};

struct dfr_eval {
    const struct dfr_program *program;
    const struct dfr_facts *facts;
    DFR_VEC(struct dfr_hit) hits; /* by rule number, then row: independent of rule and file order */
    DFR_VEC(struct dfr_missing) missing;
    DFR_VEC(struct dfr_cell_ref) cells;
    struct dfr_sets *sets;
    struct dfr_diags *diags; /* runtime errors that reached a result, once each */
    uint64_t steps;
    uint32_t candidates; /* rules that were run */
};

struct dfr_engine;
/* Verifies the program first. Lives in `a`; pcre2 objects are released with it. */
enum dfr_status dfr_engine_new(struct dfr_arena *a, const struct dfr_program *p,
                               struct dfr_engine **ret, struct dfr_err *err);
const struct dfr_program *dfr_engine_program(const struct dfr_engine *e);

struct dfr_eval_options {
    bool no_index;           /* run every rule: same result, slower (a property test) */
    uint32_t only_rule;      /* run this rule alone, in full, also when false; DFR_NONE: all */
    uint32_t steps_per_rule; /* 0: DFR_LIMIT_VM_STEPS */
};
/* Evaluate. Results live in `a`. With `only_rule` there is exactly one hit per row even if its
 * `when` is false. */
enum dfr_status dfr_eval_run(const struct dfr_engine *e, const struct dfr_facts *f,
                             const struct dfr_eval_options *o, struct dfr_arena *a,
                             struct dfr_eval *ret, struct dfr_err *err);

/* Answers that only the ranking knows, for `expect` of tests. Each returns a value with state. */
struct dfr_oracle {
    void *user;
    struct dfr_value (*fires)(void *user, uint32_t rule);
    struct dfr_value (*rule_score)(void *user, uint32_t rule);
    /* An absent subject asks for the cause without one. */
    struct dfr_value (*cause_score)(void *user, uint32_t cause, const struct dfr_value *subject);
    struct dfr_value (*rule_verdict)(void *user, uint32_t rule);
    struct dfr_value (*first)(void *user, enum dfr_builtin which);
};
/* Evaluate one `expect` chunk of a test. */
enum dfr_status dfr_eval_expect(const struct dfr_engine *e, const struct dfr_facts *f,
                                const struct dfr_oracle *oracle, uint32_t chunk,
                                struct dfr_arena *a, struct dfr_tv *ret, struct dfr_err *err);
/* Facts of a test: `base` (a loaded case; may be NULL) with the test's `given` laid over it, resealed. */
enum dfr_status dfr_given_apply(const struct dfr_program *p, uint32_t test,
                                const struct dfr_facts *base, struct dfr_arena *a,
                                struct dfr_facts *ret, struct dfr_err *err);

/* Put into `f`, fresh from dfr_facts_init(), all that `base` holds but for what only follows from the
 * rest. Facts may then be changed; dfr_facts_seal() ends that. */
void dfr_given_copy(const struct dfr_facts *base, struct dfr_facts *f);

#endif
