/* Inside report/: objects that several JSON documents hold. */
#ifndef DFR_REPORT_JSON_PARTS_H
#define DFR_REPORT_JSON_PARTS_H

#include "report/jsonw.h"
#include "report/words.h"

/* {line, begin, end}, or null. */
void dfr_json_where(struct dfr_json *j, const char *key, const struct dfr_facts *f, uint32_t place);
/* A value as a plain JSON value; null unless known. */
void dfr_json_value(struct dfr_json *j, const char *key, const struct dfr_facts *f,
                    const struct dfr_value *v);
void dfr_json_input(struct dfr_json *j, const struct dfr_facts *f,
                    const struct dfr_report_input *input);
/* Missing facts of a set as [{fact, param, reason, command}]. */
void dfr_json_missing(struct dfr_json *j, const char *key, const struct dfr_eval *e, uint32_t set);
void dfr_json_missing_one(struct dfr_json *j, const struct dfr_eval *e, uint32_t missing);
/* A whole answer, "dfrule/result/1", as a member or an element. */
void dfr_json_result(struct dfr_json *j, const char *key, const struct dfr_report *r);
/* {code, name, args}. */
void dfr_json_bugcheck(struct dfr_json *j, const char *key, const struct dfr_facts *f);
const char *dfr_json_truth(enum dfr_tri t);
/* "2012-02-01T19:15:24Z". */
struct dfr_str dfr_json_time(int64_t t, struct dfr_arena *a);

#endif
