/* dfrule: the command. Everything it knows about crashes and rules it learns through dfrule.h. */
#include <string.h>

#include "cli/commands.h"

static int version(void)
{
    printf("dfrule %s\n", dfr_version());
    if (strcmp(dfr_version(), DFRULE_VERSION) != 0)
        printf("built for library %s\n", DFRULE_VERSION);
    return DFR_EXIT_OK;
}

static int help(const struct dfr_cli_options *o)
{
    enum dfr_cli_verb verb = o->verb;
    bool all = o->long_help;
    if (verb == DFR_VERB_HELP && !o->help) {
        all = true;
        verb = DFR_VERB_COUNT;
        bool pair = o->operands.n == 2;
        if (pair)
            verb = dfr_cli_verb_pair(o->operands.v[0], o->operands.v[1]);
        if (o->operands.n > 2 || (pair && verb == DFR_VERB_COUNT)) {
            dfr_cli_say("help takes one verb, or none");
            return DFR_EXIT_USAGE;
        }
        if (o->operands.n == 1 && (verb = dfr_cli_verb_find(o->operands.v[0])) == DFR_VERB_COUNT) {
            dfr_cli_unknown_verb(o->operands.v[0]);
            return DFR_EXIT_USAGE;
        }
    }
    dfr_cli_help(verb, all, o->columns ? o->columns : dfr_cli_columns(stdout));
    return DFR_EXIT_OK;
}

static int run(const struct dfr_cli_options *o)
{
    if (o->help)
        return help(o);
    if (o->version)
        return version();
    switch (o->verb) {
    case DFR_VERB_CHECK:
        return dfr_cli_check(o);
    case DFR_VERB_FACTS:
        return dfr_cli_facts(o);
    case DFR_VERB_INFO:
        return dfr_cli_info(o);
    case DFR_VERB_EXPLAIN:
        return dfr_cli_explain(o);
    case DFR_VERB_WHY_NOT:
        return dfr_cli_why_not(o);
    case DFR_VERB_WHAT_IF:
        return dfr_cli_what_if(o);
    case DFR_VERB_TEST:
        return dfr_cli_test(o);
    case DFR_VERB_LINT:
        return dfr_cli_lint(o);
    case DFR_VERB_COMPILE:
        return dfr_cli_compile(o);
    case DFR_VERB_DISASM:
        return dfr_cli_disasm(o);
    case DFR_VERB_CORPUS_EVAL:
        return dfr_cli_corpus_eval(o);
    case DFR_VERB_SYMBOLS:
        return dfr_cli_symbols(o);
    case DFR_VERB_FORGE:
        return dfr_cli_forge(o);
    case DFR_VERB_CORPUS_DIFF:
        return dfr_cli_corpus_diff(o);
    case DFR_VERB_CORPUS_CALIBRATE:
        return dfr_cli_corpus_calibrate(o);
    case DFR_VERB_CORPUS_COVERAGE:
        return dfr_cli_corpus_coverage(o);
    case DFR_VERB_VERSION:
        return version();
    case DFR_VERB_HELP:
        return help(o);
    case DFR_VERB_COUNT:
        break;
    }
    dfr_cli_say(
        "no verb given; to diagnose a crash, run `dfrule check FILE`; `dfrule -h` tells more");
    return DFR_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct dfr_cli_options o;
    if (!dfr_cli_options_read(argc, argv, &o))
        return DFR_EXIT_USAGE;
    int code = run(&o);
    dfr_cli_options_deinit(&o);
    /* A full disk may show only now; a reader that went away has ended us before. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == DFR_EXIT_OK) {
        dfr_cli_say("standard output: could not be written");
        code = DFR_EXIT_USAGE;
    }
    return code;
}
