/* corpus eval and its kin: how right the rules are. */
#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

static bool one_corpus(const struct dfr_cli_options *o)
{
    if (o->operands.n == 1)
        return true;
    dfr_cli_say("%s takes one corpus: a table of labels, or a folder with labels.tsv",
                dfr_cli_verb_rows[o->verb].word);
    return false;
}

struct eval_run {
    const dfr_rules *rules;
    dfr_text corpus;
    dfr_corpus_options options;
    dfr_corpus_result result;
};

static dfr_result write_figures(void *user, const struct dfr_cli_output *out,
                                struct dfr_cli_text *t, dfr_error *error)
{
    struct eval_run *run = user;
    return dfr_corpus_eval(run->rules, run->corpus, &run->options, out->format, &out->style,
                           dfr_cli_write_text, t, &run->result, error);
}

int dfr_cli_corpus_eval(const struct dfr_cli_options *o)
{
    struct dfr_cli_rule_request request = {.tiers = o->tiers, .silent = !o->verbose};
    dfr_rules *rules = NULL;
    if (!one_corpus(o))
        return DFR_EXIT_USAGE;
    int code = dfr_cli_rules(o, &request, &rules, NULL);
    if (code != DFR_EXIT_OK)
        return code;
    struct eval_run run = {.rules = rules,
                           .corpus = dfr_cli_text_of(o->operands.v[0]),
                           .options = {.size = sizeof run.options},
                           .result = {.size = sizeof run.result}};
    if (o->against)
        run.options.against = dfr_cli_text_of(o->against);
    code = dfr_cli_write_outputs(o, &(struct dfr_cli_output_call){write_figures, &run});
    if (code == DFR_EXIT_OK && run.result.worse)
        code = DFR_EXIT_FOUND;
    if (code == DFR_EXIT_OK && run.result.unreadable)
        code = run.result.unreadable < run.result.cases ? DFR_EXIT_PARTIAL : DFR_EXIT_INPUT;
    dfr_rules_free(rules);
    return code;
}

/* ---- diff ---------------------------------------------------------------------------------- */

struct diff_run {
    dfr_rules *before, *after;
    dfr_text corpus;
    uint32_t changed, worse;
};

static dfr_result write_changes(void *user, const struct dfr_cli_output *out,
                                struct dfr_cli_text *t, dfr_error *error)
{
    struct diff_run *run = user;
    return dfr_corpus_diff(run->before, run->after, run->corpus, out->format, &out->style,
                           dfr_cli_write_text, t, &run->changed, &run->worse, error);
}

/* Rules from "path,path,...". */
static int listed_rules(const struct dfr_cli_options *o, const char *list, dfr_rules **ret)
{
    size_t len = strlen(list), n = 0;
    char *copy = dfr_cli_alloc(NULL, len + 1, 1);
    const char **v = dfr_cli_alloc(NULL, len + 1, sizeof *v);
    memcpy(copy, list, len + 1);
    for (char *p = copy; *p;) {
        size_t part = strcspn(p, ",");
        bool last = p[part] == '\0';
        p[part] = '\0';
        if (part)
            v[n++] = p;
        p += part + !last;
    }
    const struct dfr_cli_list paths = {v, n};
    struct dfr_cli_rule_request request = {
        .base = DFR_CLI_PATHS_ALONE, .paths = &paths, .tiers = o->tiers, .silent = !o->verbose};
    int code = dfr_cli_rules(o, &request, ret, NULL);
    free(v);
    free(copy);
    return code;
}

int dfr_cli_corpus_diff(const struct dfr_cli_options *o)
{
    if (o->operands.n != 3) {
        dfr_cli_say("corpus diff takes two rule sets and a corpus, such as `dfrule corpus diff "
                    "old/rules rules corpus`");
        return DFR_EXIT_USAGE;
    }
    struct diff_run run = {.corpus = dfr_cli_text_of(o->operands.v[2])};
    int code = listed_rules(o, o->operands.v[0], &run.before);
    if (code == DFR_EXIT_OK)
        code = listed_rules(o, o->operands.v[1], &run.after);
    if (code == DFR_EXIT_OK)
        code = dfr_cli_write_outputs(o, &(struct dfr_cli_output_call){write_changes, &run});
    if (code == DFR_EXIT_OK && run.changed)
        code = DFR_EXIT_FOUND;
    dfr_rules_free(run.before);
    dfr_rules_free(run.after);
    return code;
}

/* ---- calibrate ----------------------------------------------------------------------------- */

struct calibrate_run {
    const dfr_rules *rules;
    dfr_text corpus, overrides;
};

static dfr_result write_calibration(void *user, const struct dfr_cli_output *out,
                                    struct dfr_cli_text *t, dfr_error *error)
{
    struct calibrate_run *run = user;
    return dfr_corpus_calibrate(run->rules, run->corpus, run->overrides, out->format, &out->style,
                                dfr_cli_write_text, t, NULL, error);
}

int dfr_cli_corpus_calibrate(const struct dfr_cli_options *o)
{
    struct dfr_cli_rule_request request = {.tiers = o->tiers, .silent = !o->verbose};
    dfr_rules *rules = NULL;
    if (!one_corpus(o))
        return DFR_EXIT_USAGE;
    int code = dfr_cli_rules(o, &request, &rules, NULL);
    if (code != DFR_EXIT_OK)
        return code;
    struct calibrate_run run = {.rules = rules, .corpus = dfr_cli_text_of(o->operands.v[0])};
    if (o->save)
        run.overrides = dfr_cli_text_of(o->save);
    code = dfr_cli_write_outputs(o, &(struct dfr_cli_output_call){write_calibration, &run});
    dfr_rules_free(rules);
    return code;
}

/* ---- coverage ------------------------------------------------------------------------------ */

struct coverage_run {
    const dfr_rules *rules;
    dfr_text corpus;
};

static dfr_result write_coverage(void *user, const struct dfr_cli_output *out,
                                 struct dfr_cli_text *t, dfr_error *error)
{
    struct coverage_run *run = user;
    return dfr_rules_coverage(run->rules, NULL, run->corpus, out->format, &out->style,
                              dfr_cli_write_text, t, error);
}

int dfr_cli_corpus_coverage(const struct dfr_cli_options *o)
{
    struct dfr_cli_rule_request request = {.tiers = o->tiers, .silent = !o->verbose};
    dfr_rules *rules = NULL;
    if (o->operands.n > 1) {
        dfr_cli_say("corpus coverage takes one corpus, or none for the tests alone");
        return DFR_EXIT_USAGE;
    }
    int code = dfr_cli_rules(o, &request, &rules, NULL);
    if (code != DFR_EXIT_OK)
        return code;
    struct coverage_run run = {.rules = rules};
    if (o->operands.n)
        run.corpus = dfr_cli_text_of(o->operands.v[0]);
    code = dfr_cli_write_outputs(o, &(struct dfr_cli_output_call){write_coverage, &run});
    dfr_rules_free(rules);
    return code;
}
