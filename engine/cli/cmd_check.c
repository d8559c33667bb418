/* check, facts, info and what-if: crashes in, answers or facts out. */
#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

struct check {
    dfr_rules *rules;
    const dfr_text *assignments; /* of what-if */
    size_t assignment_count;
};

/* JSON holds one object an input: its first crash, or the one asked for, with the others inside. */
static bool inside_another(const struct dfr_cli_job *job, size_t index, dfr_format format)
{
    return format != DFR_FORMAT_TEXT && index > 0 && !job->options->crash;
}

static dfr_result write_pieces(const struct dfr_cli_job *job, const dfr_answer *answer,
                               size_t index, struct dfr_cli_text *pieces, dfr_error *error)
{
    dfr_result r = DFR_RESULT_OK;
    for (size_t i = 0; i < job->outs->n && r == DFR_RESULT_OK; i++) {
        const struct dfr_cli_output *out = &job->outs->v[i];
        if (inside_another(job, index, out->format))
            continue;
        r = dfr_answer_write(answer, out->format, &out->style, dfr_cli_write_text, &pieces[i],
                             error);
    }
    return r;
}

static dfr_result check_crash(const struct dfr_cli_job *job, const dfr_crash *crash, size_t index,
                              struct dfr_cli_text *pieces, int *strength, dfr_error *error)
{
    const struct check *check = job->user;
    const struct dfr_cli_options *o = job->options;
    dfr_check_options options = {.size = sizeof options,
                                 .index = index,
                                 .no_index = o->no_index,
                                 .others = index == 0 && !o->crash,
                                 .steps_per_rule = o->steps};
    dfr_answer *answer = NULL;
    dfr_result r = dfr_check(check->rules, crash, &options, &answer, error);
    if (r == DFR_RESULT_OK)
        r = write_pieces(job, answer, index, pieces, error);
    if (r == DFR_RESULT_OK)
        *strength = dfr_answer_strength(answer);
    dfr_answer_free(answer);
    return r;
}

static dfr_result what_if_crash(const struct dfr_cli_job *job, const dfr_crash *crash, size_t index,
                                struct dfr_cli_text *pieces, int *strength, dfr_error *error)
{
    const struct check *check = job->user;
    dfr_crash *other = NULL;
    dfr_result r =
        dfr_crash_what_if(crash, check->assignments, check->assignment_count, &other, error);
    if (r == DFR_RESULT_OK)
        r = check_crash(job, other, index, pieces, strength, error);
    dfr_crash_free(other);
    return r;
}

typedef dfr_result (*crash_write)(const dfr_crash *, size_t, dfr_format, const dfr_style *,
                                  dfr_write_fn, void *, dfr_error *);

static dfr_result write_crash(const struct dfr_cli_job *job, const dfr_crash *crash, size_t index,
                              crash_write write, struct dfr_cli_text *pieces, dfr_error *error)
{
    dfr_result r = DFR_RESULT_OK;
    for (size_t i = 0; i < job->outs->n && r == DFR_RESULT_OK; i++) {
        const struct dfr_cli_output *out = &job->outs->v[i];
        if (inside_another(job, index, out->format))
            continue;
        r = write(crash, index, out->format, &out->style, dfr_cli_write_text, &pieces[i], error);
    }
    return r;
}

static dfr_result facts_crash(const struct dfr_cli_job *job, const dfr_crash *crash, size_t index,
                              struct dfr_cli_text *pieces, int *strength, dfr_error *error)
{
    (void)strength;
    return write_crash(job, crash, index, dfr_crash_write_facts, pieces, error);
}

static dfr_result info_crash(const struct dfr_cli_job *job, const dfr_crash *crash, size_t index,
                             struct dfr_cli_text *pieces, int *strength, dfr_error *error)
{
    (void)strength;
    return write_crash(job, crash, index, dfr_crash_write_info, pieces, error);
}

static int run(struct dfr_cli_job *job, const struct dfr_cli_list *operands, const char *schema)
{
    struct dfr_cli_inputs inputs;
    struct dfr_cli_outputs outs;
    if (!dfr_cli_inputs_find(operands, &inputs))
        return DFR_EXIT_USAGE;
    if (!dfr_cli_outputs_open(job->options, schema, &outs)) {
        dfr_cli_inputs_free(&inputs);
        return DFR_EXIT_USAGE;
    }
    job->outs = &outs;
    int code = dfr_cli_run(job, &inputs);
    if (!dfr_cli_outputs_close(&outs, true))
        code = DFR_EXIT_USAGE;
    dfr_cli_inputs_free(&inputs);
    return code;
}

int dfr_cli_check(const struct dfr_cli_options *o)
{
    struct check check = {0};
    struct dfr_cli_rule_request request = {
        .tiers = o->tiers, .silent = !o->verbose, .cached = !o->verbose};
    struct dfr_cli_job job = {.options = o, .user = &check, .work = check_crash};
    int code = dfr_cli_rules(o, &request, &check.rules, NULL);
    if (code == DFR_EXIT_OK && o->together)
        code = dfr_cli_together(o, check.rules);
    else if (code == DFR_EXIT_OK)
        code = run(&job, &o->operands, "dfrule/results/1");
    dfr_rules_free(check.rules);
    return code;
}

int dfr_cli_facts(const struct dfr_cli_options *o)
{
    struct dfr_cli_job job = {.options = o, .work = facts_crash};
    return run(&job, &o->operands, "dfrule/results/1");
}

int dfr_cli_info(const struct dfr_cli_options *o)
{
    struct dfr_cli_job job = {.options = o, .work = info_crash};
    return run(&job, &o->operands, "dfrule/results/1");
}

int dfr_cli_what_if(const struct dfr_cli_options *o)
{
    struct check check = {0};
    struct dfr_cli_rule_request request = {
        .tiers = o->tiers, .silent = !o->verbose, .cached = !o->verbose};
    struct dfr_cli_job job = {.options = o, .user = &check, .work = what_if_crash};
    size_t n = 0;
    while (n < o->operands.n && strchr(o->operands.v[n], '='))
        n++;
    if (n == 0 || n + 1 != o->operands.n) {
        dfr_cli_say("what-if needs assignments and then one input, such as "
                    "`dfrule what-if thread.stack_limit=0xfffff88003dcd000 crash.txt`");
        return DFR_EXIT_USAGE;
    }
    dfr_text *assignments = dfr_cli_alloc(NULL, n, sizeof *assignments);
    for (size_t i = 0; i < n; i++)
        assignments[i] = dfr_cli_text_of(o->operands.v[i]);
    check.assignments = assignments;
    check.assignment_count = n;
    const struct dfr_cli_list input = {&o->operands.v[n], 1};
    int code = dfr_cli_rules(o, &request, &check.rules, NULL);
    if (code == DFR_EXIT_OK)
        code = run(&job, &input, "dfrule/results/1");
    dfr_rules_free(check.rules);
    free(assignments);
    return code;
}
