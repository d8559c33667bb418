/* Regular expressions of rules: pcre2 without back-references, lookaround, recursion and verbs, so
 * that matching stays near linear; limits bound what is left. The only file that knows pcre2. */
#ifndef DFR_CODE_REGEX_H
#define DFR_CODE_REGEX_H

#include "base/diag.h"

struct dfr_regex;

/* Compile; *ret is released with the arena. DFR_BAD_RULES names the offset and what is wrong. */
enum dfr_status dfr_regex_new(struct dfr_arena *a, struct dfr_str pattern, bool fold_case,
                              struct dfr_regex **ret, struct dfr_err *err);

/* Memory for matching; one per thread, released with its arena. */
struct dfr_regex_scratch;
struct dfr_regex_scratch *dfr_regex_scratch_new(struct dfr_arena *a);

enum dfr_regex_result { DFR_REGEX_NO, DFR_REGEX_YES, DFR_REGEX_LIMIT };
/* Does the pattern match somewhere in `s`? LIMIT: it ran into a matching limit. */
enum dfr_regex_result dfr_regex_match(const struct dfr_regex *r, struct dfr_regex_scratch *scratch,
                                      struct dfr_str s);

#endif
