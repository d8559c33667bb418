/* From a ranking or a store of facts to bytes: text for people, JSON for programs.
 *
 * Everything is appended to a dfr_buf of the caller and nothing is kept. Nothing here decides
 * anything: what is shown, and in which order, was settled by rank/. Text that came from an input
 * passes dfr_buf_safe() or the JSON writer's escapes, so a hostile name cannot drive a terminal. */
#ifndef DFR_REPORT_REPORT_H
#define DFR_REPORT_REPORT_H

#include "base/buf.h"
#include "rank/answer.h"

/* How text looks. Zeroed: plain UTF-8, 80 columns. */
struct dfr_report_style {
    bool color;
    bool ascii;       /* no characters outside ASCII in our own words */
    bool all;         /* every row of long tables */
    bool verbose;     /* all evidence, silent and waiting rules, places as byte ranges */
    uint32_t columns; /* 0: 80; held to 40..200 */
};

/* The input that an answer speaks of. Strings may be empty: then the field is null. */
struct dfr_report_input {
    struct dfr_str path;
    struct dfr_str kind;          /* "transcript", ...; empty: taken from dump.kind */
    struct dfr_str sha256;        /* 64 hex digits of the input's bytes as given, */
    struct dfr_str sha256_reason; /* or why there are none */
    uint64_t size;                /* bytes of the input; 0: not known */
    const struct dfr_facts *const
        *crashes;         /* all crashes of the input, or NULL when there is one */
    uint32_t crash_count; /* 0 counts as 1 */
    uint32_t crash;       /* which one this is, from 0 */
};

/* One checked crash. `facts` of the input are those of ranking->eval->facts. */
struct dfr_report {
    struct dfr_report_input input;
    const struct dfr_ranking *ranking;
    const struct dfr_report *others; /* checked as well: whole in JSON's `other_crashes` */
    uint32_t other_count;
    const struct dfr_diags
        *diags; /* of reading the input; may be NULL. Those of the evaluation are added */
};

/* `check`. JSON follows docs/schema/result.schema.json ("dfrule/result/1"); `indent` false gives
 * one line. Both end in a newline. */
void dfr_report_text(const struct dfr_report *r, const struct dfr_report_style *s,
                     struct dfr_buf *out);
void dfr_report_json(const struct dfr_report *r, bool indent, struct dfr_buf *out);

/* `facts`. JSON follows docs/schema/facts.schema.json ("dfrule/facts/1"). */
void dfr_report_facts_text(const struct dfr_facts *f, const struct dfr_report_input *input,
                           const struct dfr_report_style *s, struct dfr_buf *out);
void dfr_report_facts_json(const struct dfr_facts *f, const struct dfr_report_input *input,
                           bool indent, struct dfr_buf *out);

/* `info`: one screen. JSON follows docs/schema/info.schema.json ("dfrule/info/1"). */
void dfr_report_info_text(const struct dfr_facts *f, const struct dfr_report_input *input,
                          const struct dfr_report_style *s, struct dfr_buf *out);
void dfr_report_info_json(const struct dfr_facts *f, const struct dfr_report_input *input,
                          bool indent, struct dfr_buf *out);

/* `explain` and `why-not`: `eval` is the result of dfr_eval_run() with only_rule = `rule`.
 * JSON: "dfrule/explain/1", the same object for both, with `question`. */
enum dfr_question { DFR_EXPLAIN, DFR_WHY_NOT };
void dfr_report_explain_text(const struct dfr_eval *eval, uint32_t rule, enum dfr_question q,
                             const struct dfr_report_input *input, const struct dfr_report_style *s,
                             struct dfr_buf *out);
void dfr_report_explain_json(const struct dfr_eval *eval, uint32_t rule, enum dfr_question q,
                             const struct dfr_report_input *input, bool indent,
                             struct dfr_buf *out);

/* Display name of a module value: the image name of its row ("iaStor.sys"), else its stem with
 * ".sys" where it is a plain driver name. Appends to `out`, made safe. */
void dfr_report_module_name(const struct dfr_facts *f, const struct dfr_value *module,
                            struct dfr_buf *out);

#endif
