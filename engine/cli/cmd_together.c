/* check --together: all inputs are crashes of one machine. */
#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

struct together {
    const dfr_rules *rules;
    dfr_crash **crashes;
    size_t n, failed, passed_over;
    int strength;
};

static dfr_result write_answer(void *user, const struct dfr_cli_output *out, struct dfr_cli_text *t,
                               dfr_error *error)
{
    struct together *run = user;
    return dfr_check_together(run->rules, (const dfr_crash *const *)run->crashes, run->n,
                              out->format, &out->style, dfr_cli_write_text, t, &run->strength,
                              error);
}

static void open_all(const struct dfr_cli_options *o, const struct dfr_cli_inputs *in,
                     struct together *run)
{
    run->crashes = dfr_cli_alloc(NULL, in->n, sizeof(dfr_crash *));
    for (size_t i = 0; i < in->n; i++) {
        dfr_error error = {.result = DFR_RESULT_OK, .message = ""};
        dfr_result r = dfr_cli_open(o, &in->v[i], &run->crashes[run->n], &error);
        if (r == DFR_RESULT_OK) {
            run->n++;
        } else if (in->v[i].found && r == DFR_RESULT_NOT_A_CRASH) {
            run->passed_over++;
            if (o->verbose)
                dfr_cli_say("%s (passed over)", error.message);
        } else {
            run->failed++;
            dfr_cli_say("%s", error.message);
        }
    }
}

static int exit_code(const struct dfr_cli_options *o, const struct together *run)
{
    if (o->fail_on && run->strength >= o->fail_on)
        return DFR_EXIT_FOUND;
    return run->failed ? DFR_EXIT_PARTIAL : DFR_EXIT_OK;
}

int dfr_cli_together(const struct dfr_cli_options *o, const dfr_rules *rules)
{
    struct dfr_cli_inputs inputs;
    struct together run = {.rules = rules};
    if (!dfr_cli_inputs_find(&o->operands, &inputs))
        return DFR_EXIT_USAGE;
    open_all(o, &inputs, &run);
    if (run.passed_over && !o->quiet && !o->verbose)
        dfr_cli_say("%zu file%s without a crash passed over; -v names them", run.passed_over,
                    run.passed_over == 1 ? "" : "s");
    int code = DFR_EXIT_INPUT;
    if (run.n) {
        code = dfr_cli_write_outputs(o, &(struct dfr_cli_output_call){write_answer, &run});
        if (code == DFR_EXIT_OK)
            code = exit_code(o, &run);
    } else if (!run.failed) {
        dfr_cli_say("no files found");
    }
    for (size_t i = 0; i < run.n; i++)
        dfr_crash_free(run.crashes[i]);
    free(run.crashes);
    dfr_cli_inputs_free(&inputs);
    return code;
}
