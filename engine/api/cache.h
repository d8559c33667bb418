/* Compiled rule sets kept between runs, in a folder that the host names. Whatever goes wrong here, the
 * rules are compiled from their sources instead. */
#ifndef DFR_API_CACHE_H
#define DFR_API_CACHE_H

#include "api/sources.h"

/* The file that holds what these sources compile to. */
enum dfr_status dfr_cache_name(struct dfr_arena *a, const dfr_rules_options *o,
                               const dfr_text *paths, size_t n, struct dfr_str *ret,
                               struct dfr_err *err) __attribute__((warn_unused_result));
/* False when it is not there, not this user's, or does not verify. */
bool dfr_cache_load(struct dfr_arena *a, struct dfr_str path, struct dfr_program *ret);
void dfr_cache_store(struct dfr_arena *a, struct dfr_str path, const struct dfr_program *p);

#endif
