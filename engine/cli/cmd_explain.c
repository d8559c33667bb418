/* explain and why-not: one rule on one crash; explain also tells what a diagnostic means. */
#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

typedef dfr_result (*question)(const dfr_rules *rules, const dfr_crash *crash, size_t index,
                               dfr_text rule, dfr_format format, const dfr_style *style,
                               dfr_write_fn write, void *user, dfr_error *error);

static int ask(const struct dfr_cli_options *o, question q, const dfr_rules *rules,
               const dfr_crash *crash)
{
    struct dfr_cli_outputs outs;
    dfr_error error = {.result = DFR_RESULT_OK, .message = ""};
    if (!dfr_cli_outputs_open(o, "dfrule/results/1", &outs))
        return DFR_EXIT_USAGE;
    dfr_result r = DFR_RESULT_OK;
    for (size_t i = 0; i < outs.n && r == DFR_RESULT_OK; i++) {
        struct dfr_cli_text t = {0};
        r = q(rules, crash, o->crash ? o->crash - 1 : 0, dfr_cli_text_of(o->operands.v[0]),
              outs.v[i].format, &outs.v[i].style, dfr_cli_write_text, &t, &error);
        if (r == DFR_RESULT_OK)
            dfr_cli_output_piece(&outs, i, t.p ? t.p : "", t.len);
        dfr_cli_text_free(&t);
    }
    bool written = dfr_cli_outputs_close(&outs, r == DFR_RESULT_OK);
    if (r != DFR_RESULT_OK)
        return dfr_cli_failed(&error);
    return written ? DFR_EXIT_OK : DFR_EXIT_USAGE;
}

static int explain(const struct dfr_cli_options *o, question q)
{
    if (o->operands.n != 2) {
        dfr_cli_say(
            "%s needs a rule and one input, such as `dfrule %s kernel_stack_overflow crash.txt`",
            dfr_cli_verb_rows[o->verb].word, dfr_cli_verb_rows[o->verb].word);
        return DFR_EXIT_USAGE;
    }
    dfr_rules *rules = NULL;
    dfr_crash *crash = NULL;
    dfr_error error = {.result = DFR_RESULT_OK, .message = ""};
    struct dfr_cli_rule_request request = {
        .tiers = o->tiers, .silent = !o->verbose, .cached = !o->verbose};
    int code = dfr_cli_rules(o, &request, &rules, NULL);
    if (code == DFR_EXIT_OK) {
        size_t len = strlen(o->operands.v[1]) + 1;
        struct dfr_cli_input input = {.path = dfr_cli_alloc(NULL, len, 1)};
        memcpy(input.path, o->operands.v[1], len);
        if (dfr_cli_open(o, &input, &crash, &error) == DFR_RESULT_OK)
            code = ask(o, q, rules, crash);
        else
            code = dfr_cli_failed(&error);
        free(input.path);
    }
    dfr_crash_free(crash);
    dfr_rules_free(rules);
    return code;
}

/* `DFR1001`, `dfr1001` or `1001`. */
static bool diagnostic_number(const char *s, uint32_t *ret)
{
    char *end;
    if ((s[0] | 0x20) == 'd' && (s[1] | 0x20) == 'f' && (s[2] | 0x20) == 'r')
        s += 3;
    unsigned long n = strtoul(s, &end, 10);
    if (s[0] < '0' || s[0] > '9' || *end || n > 99999)
        return false;
    *ret = (uint32_t)n;
    return true;
}

int dfr_cli_explain(const struct dfr_cli_options *o)
{
    uint32_t number;
    if (o->operands.n != 1 || !diagnostic_number(o->operands.v[0], &number))
        return explain(o, dfr_explain);
    const char *help = dfr_diagnostic_help(number);
    if (!help) {
        dfr_cli_say("there is no diagnostic DFR%04u", (unsigned)number);
        return DFR_EXIT_USAGE;
    }
    printf("DFR%04u\n%s\n", (unsigned)number, help);
    return DFR_EXIT_OK;
}

int dfr_cli_why_not(const struct dfr_cli_options *o)
{
    return explain(o, dfr_why_not);
}
