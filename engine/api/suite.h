/* Running the tests that stand in rule files: shared by dfr_rules_test() and dfr_rules_mutate(). */
#ifndef DFR_API_SUITE_H
#define DFR_API_SUITE_H

#include "api/handle.h"
#include "text/transcript.h"

struct dfr_loaded { /* an input that tests load, read once */
    struct dfr_str path;
    struct dfr_transcript transcript;
    struct dfr_err err; /* status OK, or why it could not be read */
};

struct dfr_suite {
    const struct dfr_program *program;
    dfr_test_options options;
    struct dfr_arena *arena; /* lives as long as the suite */
    struct dfr_arena *work;  /* reset for each test */
    DFR_VEC(struct dfr_loaded) loaded;
    DFR_VEC(struct dfr_str) paths; /* options.paths, resolved */
    struct dfr_facts **facts;      /* by test; NULL: not made yet */
};

enum dfr_outcome { DFR_TEST_PASSED, DFR_TEST_FAILED, DFR_TEST_BROKEN };

struct dfr_verdicts {
    enum dfr_tri *expects; /* by expectation, from the first */
    uint32_t failed;
    struct dfr_err err; /* BROKEN: why the test could not run */
    struct dfr_eval eval;
    struct dfr_ranking ranking;
};

void dfr_suite_init(struct dfr_suite *s, const struct dfr_program *p, const dfr_test_options *o,
                    struct dfr_arena *arena, struct dfr_arena *work);
/* Path of a source file of the program; empty when there is none. */
struct dfr_str dfr_suite_file(const struct dfr_program *p, uint32_t file);
/* Is this source file among options.paths (all, when there are none)? */
bool dfr_suite_wants_file(const struct dfr_suite *s, uint32_t file);
bool dfr_suite_wants(const struct dfr_suite *s, uint32_t test);
/* What the test says of a crash. */
enum dfr_status dfr_suite_facts(struct dfr_suite *s, uint32_t test, const struct dfr_facts **ret,
                                struct dfr_err *err);
/* Run one test with an engine over a program whose tests are those of the suite's. Stops at the
 * first failed expectation when `quick`. Results live in s->work. */
enum dfr_outcome dfr_suite_run(struct dfr_suite *s, const struct dfr_engine *engine, uint32_t test,
                               bool no_index, bool quick, struct dfr_verdicts *ret);

#endif
