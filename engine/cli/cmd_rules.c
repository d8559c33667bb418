/* test, lint, compile and disasm: what rule authors run. */
#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

enum { EVERY_TIER = 2 };

int dfr_cli_write_outputs(const struct dfr_cli_options *o, const struct dfr_cli_output_call *call)
{
    struct dfr_cli_outputs outs;
    dfr_error error = {.result = DFR_RESULT_OK, .message = ""};
    if (!dfr_cli_outputs_open(o, "dfrule/results/1", &outs))
        return DFR_EXIT_USAGE;
    dfr_result r = DFR_RESULT_OK;
    for (size_t i = 0; i < outs.n && r == DFR_RESULT_OK; i++) {
        struct dfr_cli_text t = {0};
        r = call->write(call->user, &outs.v[i], &t, &error);
        if (r == DFR_RESULT_OK)
            dfr_cli_output_piece(&outs, i, t.p ? t.p : "", t.len);
        dfr_cli_text_free(&t);
    }
    bool written = dfr_cli_outputs_close(&outs, r == DFR_RESULT_OK);
    if (r != DFR_RESULT_OK)
        return dfr_cli_failed(&error);
    return written ? DFR_EXIT_OK : DFR_EXIT_USAGE;
}

/* ---- test ---------------------------------------------------------------------------------- */

struct test_run {
    const dfr_rules *rules;
    dfr_test_options options;
    bool mutate, coverage;
    uint32_t good, bad;
};

static dfr_result write_tests(void *user, const struct dfr_cli_output *out, struct dfr_cli_text *t,
                              dfr_error *error)
{
    struct test_run *run = user;
    if (run->coverage)
        return dfr_rules_coverage(run->rules, &run->options, (dfr_text){0}, out->format,
                                  &out->style, dfr_cli_write_text, t, error);
    if (run->mutate)
        return dfr_rules_mutate(run->rules, &run->options, out->format, &out->style,
                                dfr_cli_write_text, t, &run->good, &run->bad, error);
    return dfr_rules_test(run->rules, &run->options, out->format, &out->style, dfr_cli_write_text,
                          t, &run->good, &run->bad, error);
}

static dfr_text *texts(const struct dfr_cli_list *list)
{
    dfr_text *v = dfr_cli_alloc(NULL, list->n, sizeof *v);
    for (size_t i = 0; i < list->n; i++)
        v[i] = dfr_cli_text_of(list->v[i]);
    return v;
}

int dfr_cli_test(const struct dfr_cli_options *o)
{
    struct dfr_cli_rule_request request = {.base = DFR_CLI_PATHS_ALONE,
                                           .paths = &o->operands,
                                           .tiers = EVERY_TIER,
                                           .silent = !o->verbose};
    dfr_rules *rules = NULL;
    int code = dfr_cli_rules(o, &request, &rules, NULL);
    if (code != DFR_EXIT_OK)
        return code;
    dfr_text *roots = texts(&o->roots), *paths = texts(&o->operands);
    struct test_run run = {.rules = rules,
                           .options = {.size = sizeof run.options,
                                       .roots = roots,
                                       .root_count = o->roots.n,
                                       .paths = paths,
                                       .path_count = o->operands.n},
                           .mutate = o->mutate,
                           .coverage = o->coverage};
    if (o->only)
        run.options.only = dfr_cli_text_of(o->only);
    struct dfr_cli_output_call call = {write_tests, &run};
    code = dfr_cli_write_outputs(o, &call);
    if (code == DFR_EXIT_OK && run.bad)
        code = DFR_EXIT_FOUND;
    free(roots);
    free(paths);
    dfr_rules_free(rules);
    return code;
}

/* ---- lint, compile ------------------------------------------------------------------------- */

static dfr_result write_findings(void *user, const struct dfr_cli_output *out,
                                 struct dfr_cli_text *t, dfr_error *error)
{
    const dfr_diagnostics *d = user;
    dfr_result r = dfr_diagnostics_write(d, out->format, &out->style, dfr_cli_write_text, t, error);
    uint32_t errors = dfr_diagnostics_errors(d), warnings = dfr_diagnostics_warnings(d);
    if (r == DFR_RESULT_OK && out->format == DFR_FORMAT_TEXT)
        dfr_cli_text_printf(t, "%u error%s, %u warning%s\n", errors, errors == 1 ? "" : "s",
                            warnings, warnings == 1 ? "" : "s");
    return r;
}

int dfr_cli_lint(const struct dfr_cli_options *o)
{
    struct dfr_cli_rule_request request = {
        .base = DFR_CLI_PATHS_ALONE, .paths = &o->operands, .tiers = EVERY_TIER, .lint = true};
    dfr_rules *rules = NULL;
    dfr_diagnostics *diagnostics = NULL;
    int code = dfr_cli_rules(o, &request, &rules, &diagnostics);
    if (diagnostics) {
        struct dfr_cli_output_call call = {write_findings, diagnostics};
        int written = dfr_cli_write_outputs(o, &call);
        if (written != DFR_EXIT_OK)
            code = written;
        else if (code == DFR_EXIT_OK && dfr_diagnostics_warnings(diagnostics))
            code = DFR_EXIT_FOUND;
    }
    dfr_diagnostics_free(diagnostics);
    dfr_rules_free(rules);
    return code;
}

int dfr_cli_compile(const struct dfr_cli_options *o)
{
    struct dfr_cli_rule_request request = {
        .base = DFR_CLI_PATHS_ALONE, .paths = &o->operands, .tiers = o->tiers};
    dfr_rules *rules = NULL;
    int code = dfr_cli_rules(o, &request, &rules, NULL);
    if (code != DFR_EXIT_OK)
        return code;
    dfr_error error;
    if (o->save && dfr_rules_save(rules, dfr_cli_text_of(o->save), &error) != DFR_RESULT_OK) {
        dfr_cli_say("%s", error.message);
        code = error.result == DFR_RESULT_IO ? DFR_EXIT_USAGE : dfr_cli_exit_of(error.result);
    }
    dfr_rules_info info = {.size = sizeof info};
    dfr_rules_describe(rules, &info);
    if (code == DFR_EXIT_OK && !o->quiet)
        printf("%u rules, %u causes, %u actions, %u tests, %u words of code\n", info.rules,
               info.causes, info.actions, info.tests, info.code_words);
    dfr_rules_free(rules);
    return code;
}

/* ---- disasm -------------------------------------------------------------------------------- */

static int write_stdout(void *user, const char *p, size_t len)
{
    (void)user;
    return fwrite(p, 1, len, stdout) == len ? 0 : 1;
}

int dfr_cli_disasm(const struct dfr_cli_options *o)
{
    if (o->operands.n > 1) {
        dfr_cli_say("disasm takes one rule, or none for all");
        return DFR_EXIT_USAGE;
    }
    struct dfr_cli_rule_request request = {.tiers = o->tiers, .silent = !o->verbose};
    dfr_rules *rules = NULL;
    int code = dfr_cli_rules(o, &request, &rules, NULL);
    if (code != DFR_EXIT_OK)
        return code;
    dfr_error error;
    dfr_text rule = {0};
    if (o->operands.n)
        rule = dfr_cli_text_of(o->operands.v[0]);
    if (dfr_rules_disasm(rules, rule, write_stdout, NULL, &error) != DFR_RESULT_OK)
        code = dfr_cli_failed(&error);
    dfr_rules_free(rules);
    return code;
}
