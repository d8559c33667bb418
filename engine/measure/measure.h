/* How right are the answers? Labels say what is known about crashes; answers are held against them.
 *
 * Nothing here opens a file or runs a rule: whoever does hands over the bytes of the labels and each
 * ranking. Figures are sums over cases in the order of the labels, so they depend on nothing else. */
#ifndef DFR_MEASURE_MEASURE_H
#define DFR_MEASURE_MEASURE_H

#include "rank/answer.h"
#include "report/report.h"

/* ---- Labels (labels.c) --------------------------------------------------------------------- */

enum dfr_decidable { DFR_DECIDABLE_YES, DFR_DECIDABLE_PARTLY, DFR_DECIDABLE_NO };

/* One labelled case. Names are lists of modules and classes, parted by commas; `unknown` as culprit
 * means that naming nobody is the right answer. */
struct dfr_label {
    struct dfr_str file; /* relative to the labels */
    struct dfr_str source, culprit, also_ok, wrong, mechanism, note;
    int64_t code; /* -1: the label does not say */
    enum dfr_decidable decidable;
    bool weak; /* the label itself is not sure */
    uint32_t line;
};

struct dfr_labels {
    struct dfr_str path;
    DFR_VEC(struct dfr_label) rows;
};

/* Tab separated with a line of column names; `file` and `culprit` must be there, others may be
 * missing. `#` begins a comment line, `-` is an empty cell. DFR_MISUSE with the line. */
enum dfr_status dfr_labels_read(struct dfr_arena *a, struct dfr_str path, struct dfr_str bytes,
                                struct dfr_labels *ret, struct dfr_err *err);
/* Is `name` (a module or a class) in the list? `nt` and `os.nt` are different answers. */
bool dfr_label_lists(struct dfr_str list, struct dfr_str name);
/* The culprit of the label, or also right. */
bool dfr_label_confirms(const struct dfr_label *l, struct dfr_str name);
bool dfr_label_is_unknown(const struct dfr_label *l);
enum dfr_fit { DFR_FIT_UNKNOWN, DFR_FIT_NO, DFR_FIT_YES };
/* Does the label's mechanism mean this cause (full name)? */
enum dfr_fit dfr_label_mechanism(const struct dfr_label *l, struct dfr_str cause);

/* ---- One case (judge.c) -------------------------------------------------------------------- */

#define OUTCOME(id, word, meaning) DFR_OUTCOME_##id,
enum dfr_outcome_kind {
#include "measure/outcome.def"
    DFR_OUTCOME_COUNT
};
#undef OUTCOME
const char *dfr_outcome_word(enum dfr_outcome_kind k);
const char *dfr_outcome_meaning(enum dfr_outcome_kind k);

enum dfr_guess { DFR_GUESS_NONE, DFR_GUESS_RIGHT, DFR_GUESS_OTHER, DFR_GUESS_WRONG };
const char *dfr_guess_word(enum dfr_guess g);

/* A rule that fired in a case. It claims something once, or once for each row of its `each`. */
struct dfr_fired {
    uint32_t rule;
    uint32_t judged; /* claims of which the label can tell whether they are right */
    uint32_t right;
};

struct dfr_case {
    const struct dfr_label *label;
    struct dfr_str error;   /* why it could not be read */
    int64_t code;           /* bug check; -1: none */
    struct dfr_str cause;   /* full name of the first cause; empty: none is shown */
    struct dfr_str subject; /* as it is compared */
    uint32_t strength;      /* DFR_VERDICT_* of the first cause */
    int32_t score_db;
    struct dfr_str lead; /* whom the answer names first; empty: nobody */
    uint32_t lead_strength;
    struct dfr_str wrong; /* what it names wrongly: with the outcomes WRONG and CONFIDENT */
    bool in_three;        /* the culprit stands among the first three */
    enum dfr_outcome_kind outcome;
    struct dfr_str debugger; /* what the debugger blamed in the same text; empty: nothing */
    enum dfr_guess guess;
    struct dfr_fired *fired;
    uint32_t fired_count;
};

/* Judge an answer. Strings of `ret` are copied to `a`; a label without culprit judges nothing. */
void dfr_judge(const struct dfr_label *label, const struct dfr_ranking *r, struct dfr_arena *a,
               struct dfr_case *ret);
/* Whom a cause names: a module's name or a class; empty: nobody. */
struct dfr_str dfr_judge_name(const struct dfr_eval *e, const struct dfr_ranked_cause *c);
/* Was a claim (cause and subject) right? */
enum dfr_fit dfr_judge_claim(const struct dfr_label *label, const struct dfr_eval *e,
                             uint32_t cause, const struct dfr_tv *subject);

/* ---- Sums (figures.c) ---------------------------------------------------------------------- */

struct dfr_sums {
    struct dfr_str name;
    uint32_t cases;
    uint32_t named;       /* cases with a culprit; the others ask to name nobody */
    uint32_t first;       /* of `named`: right at once */
    uint32_t three;       /* of `named`: right among the first three */
    uint32_t kept_silent; /* of the others: named nobody, as they should */
    uint32_t outcome[DFR_OUTCOME_COUNT];
    uint32_t guess[4]; /* of `named`: the debugger's, by enum dfr_guess */
};

enum dfr_rule_class { DFR_RULE_BLIND, DFR_RULE_THIN, DFR_RULE_MEASURED };
const char *dfr_rule_class_word(enum dfr_rule_class c);
enum { DFR_RULE_ENOUGH = 5 }; /* judged cases from which on a rule counts as measured */

struct dfr_rule_figures {
    struct dfr_str name;
    uint32_t fired;         /* cases in which it fired */
    uint32_t cases;         /* of them: the label can tell whether it was right */
    uint32_t judged, right; /* claims in them */
    uint32_t found;         /* cases in which some claim was right */
    uint32_t truths;        /* cases in which its cause is true, among the codes that it fired on */
    uint32_t base_true, base_all; /* the same over all cases: what precision is held against */
    enum dfr_rule_class cls;
};
/* Parts of 1000; -1: nothing to divide by. Lift: 1000 is no better than chance. */
int32_t dfr_rule_precision(const struct dfr_rule_figures *f);
int32_t dfr_rule_recall(const struct dfr_rule_figures *f);
int32_t dfr_rule_lift(const struct dfr_rule_figures *f);

struct dfr_figures {
    const struct dfr_labels *labels;
    const struct dfr_case *cases;
    uint32_t case_count;
    struct dfr_sums all;
    DFR_VEC(struct dfr_sums) kinds; /* strong and decidable; partly; not; weak labels */
    DFR_VEC(struct dfr_sums) codes, sources;
    DFR_VEC(struct dfr_rule_figures) rules;
    uint32_t classes[3]; /* rules by enum dfr_rule_class */
};
void dfr_figures_sum(const struct dfr_program *p, const struct dfr_labels *labels,
                     const struct dfr_case *cases, uint32_t n, struct dfr_arena *a,
                     struct dfr_figures *ret);

/* ---- Written (figures_text.c, figures_json.c, figures_md.c) ---------------------------------- */

void dfr_figures_text(const struct dfr_figures *f, const struct dfr_report_style *s,
                      struct dfr_buf *out);
void dfr_figures_json(const struct dfr_figures *f, bool indent, struct dfr_buf *out);
void dfr_figures_markdown(const struct dfr_figures *f, struct dfr_buf *out);
/* One line a case: what the gate compares. */
void dfr_figures_tsv(const struct dfr_figures *f, struct dfr_buf *out);
/* Compare with such lines of before. Writes what changed; *ret_worse counts cases that fell. */
enum dfr_status dfr_figures_against(const struct dfr_figures *f, struct dfr_str path,
                                    struct dfr_str before, struct dfr_arena *a, struct dfr_buf *out,
                                    uint32_t *ret_worse, uint32_t *ret_better, struct dfr_err *err);

/* ---- Two rule sets (changes.c) --------------------------------------------------------------- */

struct dfr_changes {
    const struct dfr_labels *labels;
    const struct dfr_case *before, *after; /* of the same labels */
    uint32_t case_count;
    bool plain;                           /* there are no labels, only files: no outcomes */
    uint32_t causes, subjects, strengths; /* cases that differ in them, each counted once */
    uint32_t worse, better;
};

void dfr_changes_sum(const struct dfr_labels *labels, const struct dfr_case *before,
                     const struct dfr_case *after, uint32_t n, bool plain, struct dfr_changes *ret);
/* Does the case end with another first cause, subject, strength or outcome? */
bool dfr_changes_has(const struct dfr_changes *c, uint32_t i);
void dfr_changes_text(const struct dfr_changes *c, const struct dfr_report_style *s,
                      struct dfr_buf *out);
void dfr_changes_json(const struct dfr_changes *c, bool indent, struct dfr_buf *out);

#endif
