/* dfr_rules_coverage(): every rule over the facts of every test and every case. */
#include "measure/coverage.h"
#include "api/cases.h"
#include "api/suite.h"

struct coverage_args {
    struct dfr_scratch *scratch;
    const dfr_rules *rules;
    dfr_test_options options;
    struct dfr_str corpus;
    dfr_format format;
    struct dfr_report_style style;
    dfr_write_fn write;
    void *user;
};

static enum dfr_status cover(const struct coverage_args *in, const struct dfr_suite *suite,
                             const struct dfr_facts *f, enum dfr_covered_by by,
                             struct dfr_coverage *c, struct dfr_err *err)
{
    const struct dfr_program *p = &in->rules->program;
    struct dfr_arena *work = suite->work;
    struct dfr_eval_options options = {0};
    c->facts[by]++;
    for (options.only_rule = 0; options.only_rule < p->rules.n; options.only_rule++) {
        struct dfr_eval eval;
        if (c->passed_over[options.only_rule])
            continue;
        enum dfr_status status = dfr_eval_run(in->rules->engine, f, &options, work, &eval, err);
        if (status != DFR_OK)
            return status;
        dfr_coverage_add(c, options.only_rule, &eval, by);
    }
    return DFR_OK;
}

static enum dfr_status cover_tests(const struct coverage_args *in, struct dfr_suite *suite,
                                   struct dfr_coverage *c, struct dfr_err *err)
{
    for (uint32_t i = 0; i < in->rules->program.tests.n; i++) {
        const struct dfr_facts *f = NULL;
        dfr_arena_reset(suite->work);
        if (!dfr_suite_wants(suite, i))
            continue;
        enum dfr_status status = dfr_suite_facts(suite, i, &f, err);
        if (status == DFR_OK)
            status = cover(in, suite, f, DFR_BY_TESTS, c, err);
        if (status != DFR_OK)
            return status;
    }
    return DFR_OK;
}

static enum dfr_status cover_cases(const struct coverage_args *in, struct dfr_suite *suite,
                                   struct dfr_coverage *c, struct dfr_err *err)
{
    struct dfr_cases cases;
    enum dfr_status status =
        dfr_cases_open(suite->arena, &in->rules->handle.memory, in->corpus, true, &cases, err);
    for (uint32_t i = 0; status == DFR_OK && i < cases.labels.rows.n; i++) {
        struct dfr_str unreadable;
        dfr_arena_reset(suite->work);
        const struct dfr_facts *f =
            dfr_case_facts(&cases, &cases.labels.rows.v[i], suite->arena, suite->work, &unreadable);
        if (f)
            status = cover(in, suite, f, DFR_BY_CORPUS, c, err);
        else if (!cases.plain)
            status = dfr_fail(err, DFR_IO, "%.*s", (int)unreadable.len, unreadable.p);
    }
    return status;
}

static enum dfr_status coverage_body(void *args, struct dfr_err *err)
{
    const struct coverage_args *in = args;
    struct dfr_arena *a = &in->scratch->arena;
    struct dfr_suite suite;
    struct dfr_coverage c;
    struct dfr_buf b;
    dfr_coverage_init(&c, &in->rules->program, a);
    dfr_suite_init(&suite, &in->rules->program, &in->options, a, &in->scratch->work);
    for (uint32_t i = 0; i < in->rules->program.rules.n; i++)
        c.passed_over[i] = !dfr_suite_wants_file(&suite, in->rules->program.rules.v[i].source.file);
    enum dfr_status status = cover_tests(in, &suite, &c, err);
    if (status == DFR_OK && in->corpus.len)
        status = cover_cases(in, &suite, &c, err);
    if (status != DFR_OK)
        return status;
    dfr_api_buf(&b, a);
    if (in->format == DFR_FORMAT_TEXT)
        dfr_coverage_text(&c, &in->style, &b);
    else
        dfr_coverage_json(&c, in->format == DFR_FORMAT_JSON, &b);
    return dfr_api_emit(&b, in->write, in->user, err);
}

dfr_result dfr_rules_coverage(const dfr_rules *rules, const dfr_test_options *options,
                              dfr_text corpus, dfr_format format, const dfr_style *style,
                              dfr_write_fn write, void *user, dfr_error *error)
{
    struct dfr_scratch scratch;
    struct coverage_args args = {.scratch = &scratch,
                                 .rules = rules,
                                 .corpus = dfr_str_of(corpus),
                                 .format = format,
                                 .style = dfr_api_style(style),
                                 .write = write,
                                 .user = user};
    if (!dfr_api_format_ok(format, error) ||
        !dfr_api_options(&args.options, sizeof args.options, options, error))
        return DFR_RESULT_MISUSE;
    dfr_scratch_init(&scratch, &rules->handle.memory);
    dfr_result r = dfr_api_run(&scratch.mem, coverage_body, &args, error);
    dfr_scratch_deinit(&scratch);
    return r;
}
