/* One function a verb: reads what it needs through dfrule.h, writes, returns the exit code. */
#ifndef DFR_CLI_COMMANDS_H
#define DFR_CLI_COMMANDS_H

#include "cli/inputs.h"

int dfr_cli_check(const struct dfr_cli_options *o);
/* `check --together`, with the rules that check loaded. */
int dfr_cli_together(const struct dfr_cli_options *o, const dfr_rules *rules);
int dfr_cli_facts(const struct dfr_cli_options *o);
int dfr_cli_info(const struct dfr_cli_options *o);
int dfr_cli_what_if(const struct dfr_cli_options *o);
int dfr_cli_explain(const struct dfr_cli_options *o);
int dfr_cli_why_not(const struct dfr_cli_options *o);
int dfr_cli_test(const struct dfr_cli_options *o);
int dfr_cli_lint(const struct dfr_cli_options *o);
int dfr_cli_compile(const struct dfr_cli_options *o);
int dfr_cli_disasm(const struct dfr_cli_options *o);
int dfr_cli_forge(const struct dfr_cli_options *o);
int dfr_cli_corpus_eval(const struct dfr_cli_options *o);
int dfr_cli_corpus_diff(const struct dfr_cli_options *o);
int dfr_cli_corpus_calibrate(const struct dfr_cli_options *o);
int dfr_cli_corpus_coverage(const struct dfr_cli_options *o);

int dfr_cli_symbols(const struct dfr_cli_options *o);

/* Exit code of a failed call. */
int dfr_cli_exit_of(dfr_result result);
/* Say error->message and return its exit code. */
int dfr_cli_failed(const dfr_error *error);

enum dfr_cli_base {
    DFR_CLI_WITH_DEFAULTS, /* default rules, then `-r` and `paths` */
    DFR_CLI_PATHS_ALONE,   /* `paths` and `-r`; the default rules only serve imports */
};
struct dfr_cli_rule_request {
    enum dfr_cli_base base;
    const struct dfr_cli_list *paths; /* operands; may be NULL */
    int tiers;
    bool lint;
    bool silent; /* print no diagnostics when the rules are good */
    bool cached; /* the compiled rules may be kept between runs; they have no tests then */
};
/* Load rules; prints diagnostics to standard error, or hands them out when ret_diagnostics is not NULL.
 * Returns DFR_EXIT_OK or the exit code. */
int dfr_cli_rules(const struct dfr_cli_options *o, const struct dfr_cli_rule_request *request,
                  dfr_rules **ret, dfr_diagnostics **ret_diagnostics);

dfr_text dfr_cli_text_of(const char *z);

/* Write the same thing in each format of -o. */
struct dfr_cli_output_call {
    dfr_result (*write)(void *user, const struct dfr_cli_output *out, struct dfr_cli_text *t,
                        dfr_error *error);
    void *user;
};
int dfr_cli_write_outputs(const struct dfr_cli_options *o, const struct dfr_cli_output_call *call);

#endif
