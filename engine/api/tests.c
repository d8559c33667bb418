/* dfr_rules_test(): every test of a rule set, and what each failed expectation says. */
#include <stdlib.h>

#include "api/suite.h"
#include "report/jsonw.h"

struct test_args {
    struct dfr_scratch *scratch;
    const dfr_rules *rules;
    dfr_test_options options;
    dfr_format format;
    struct dfr_report_style style;
    dfr_write_fn write;
    void *user;
    uint32_t passed, failed;
};

static void put_place(struct dfr_buf *b, const struct dfr_program *p, struct dfr_psource at)
{
    dfr_buf_safe(b, dfr_suite_file(p, at.file));
    dfr_buf_printf(b, ":%u:%u", at.line, at.column);
}

static void paint(const struct test_args *in, struct dfr_buf *b, const char *color)
{
    if (in->style.color)
        dfr_buf_z(b, color);
}

/* The top of the answer, so that a failed expectation can be understood without another run. */
static void put_answer(struct dfr_buf *b, const struct dfr_verdicts *v)
{
    enum { SHOWN = 3 };
    const struct dfr_ranking *r = &v->ranking;
    const struct dfr_program *p = v->eval.program;
    dfr_buf_z(b, "    the answer was: ");
    for (uint32_t i = 0; i < r->shown_count && i < SHOWN; i++) {
        const struct dfr_ranked_cause *c = &r->causes[i];
        dfr_buf_z(b, i ? ", " : "");
        dfr_buf_safe(b, dfr_program_text(p, p->causes.v[c->cause].name));
        if (c->subject.v.kind != DFR_KIND_NONE) {
            dfr_buf_char(b, '(');
            dfr_value_print(b, &c->subject.v);
            dfr_buf_char(b, ')');
        }
        dfr_buf_printf(b, " %+d in [%+d, %+d]", c->score_db, c->min_db, c->max_db);
    }
    dfr_buf_z(b, r->shown_count ? "\n" : "no cause\n");
    if (r->collect_count) {
        dfr_buf_z(b, "    first to collect: ");
        dfr_buf_safe(b, r->collect[0].command);
        dfr_buf_char(b, '\n');
    }
}

static void put_text(const struct test_args *in, struct dfr_buf *b, uint32_t test,
                     enum dfr_outcome outcome, const struct dfr_verdicts *v)
{
    const struct dfr_program *p = &in->rules->program;
    const struct dfr_ptest *t = &p->tests.v[test];
    bool passed = outcome == DFR_TEST_PASSED;
    if (passed && !in->style.verbose)
        return;
    paint(in, b, passed ? "\033[32m" : "\033[1;31m");
    dfr_buf_z(b, passed ? "ok    " : "FAIL  ");
    paint(in, b, "\033[0m");
    put_place(b, p, t->source);
    dfr_buf_z(b, ": ");
    dfr_buf_safe(b, dfr_program_text(p, t->name));
    dfr_buf_char(b, '\n');
    if (outcome == DFR_TEST_BROKEN) {
        dfr_buf_z(b, "    ");
        dfr_buf_safe(b, dfr_str_from(v->err.message));
        dfr_buf_char(b, '\n');
    }
    for (uint32_t i = 0; outcome == DFR_TEST_FAILED && i < t->expect_count; i++) {
        const struct dfr_pexpect *e = &p->expects.v[t->expect + i];
        if (v->expects[i] == DFR_TRUE)
            continue;
        dfr_buf_z(b, "    ");
        put_place(b, p, e->source);
        dfr_buf_z(b, v->expects[i] == DFR_FALSE ? ": is false: " : ": is not known: ");
        dfr_buf_safe(b, dfr_program_text(p, e->text));
        dfr_buf_char(b, '\n');
    }
    if (outcome == DFR_TEST_FAILED)
        put_answer(b, v);
}

static void put_json(const struct test_args *in, struct dfr_json *j, uint32_t test,
                     enum dfr_outcome outcome, const struct dfr_verdicts *v)
{
    const struct dfr_program *p = &in->rules->program;
    const struct dfr_ptest *t = &p->tests.v[test];
    bool broken = outcome == DFR_TEST_BROKEN;
    dfr_json_open(j, NULL, '{');
    dfr_json_str(j, "name", dfr_program_text(p, t->name));
    dfr_json_text(j, "file", dfr_suite_file(p, t->source.file));
    dfr_json_int(j, "line", t->source.line);
    dfr_json_bool(j, "passed", outcome == DFR_TEST_PASSED);
    dfr_json_text(j, "error", dfr_str_from(broken ? v->err.message : ""));
    dfr_json_open(j, "failures", '[');
    for (uint32_t i = 0; outcome == DFR_TEST_FAILED && i < t->expect_count; i++) {
        const struct dfr_pexpect *e = &p->expects.v[t->expect + i];
        if (v->expects[i] == DFR_TRUE)
            continue;
        dfr_json_open(j, NULL, '{');
        dfr_json_int(j, "line", e->source.line);
        dfr_json_int(j, "column", e->source.column);
        dfr_json_str(j, "expect", dfr_program_text(p, e->text));
        dfr_json_z(j, "truth", v->expects[i] == DFR_FALSE ? "false" : "unknown");
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
    dfr_json_close(j, '}');
}

struct ordered {
    struct dfr_str file;
    uint32_t line, test;
};

static int by_place(const void *x, const void *y)
{
    const struct ordered *a = x, *b = y;
    int files = dfr_str_cmp(a->file, b->file);
    if (files)
        return files;
    return a->line != b->line ? (a->line > b->line) - (a->line < b->line)
                              : (a->test > b->test) - (a->test < b->test);
}

/* The program has its tests by name; people read them by place. */
static struct ordered *in_order(const struct dfr_program *p, struct dfr_arena *a)
{
    struct ordered *v = DFR_NEW_N(a, p->tests.n, struct ordered);
    for (uint32_t i = 0; i < p->tests.n; i++)
        v[i] = (struct ordered){dfr_suite_file(p, p->tests.v[i].source.file),
                                p->tests.v[i].source.line, i};
    if (p->tests.n)
        qsort(v, p->tests.n, sizeof *v, by_place);
    return v;
}

static void run_all(struct test_args *in, struct dfr_buf *b, struct dfr_json *j)
{
    const struct dfr_program *p = &in->rules->program;
    struct dfr_suite suite;
    const struct ordered *order = in_order(p, &in->scratch->arena);
    dfr_suite_init(&suite, p, &in->options, &in->scratch->arena, &in->scratch->work);
    for (uint32_t k = 0; k < p->tests.n; k++) {
        uint32_t i = order[k].test;
        dfr_arena_reset(&in->scratch->work);
        if (!dfr_suite_wants(&suite, i))
            continue;
        struct dfr_verdicts v;
        enum dfr_outcome outcome = dfr_suite_run(&suite, in->rules->engine, i, false, false, &v);
        *(outcome == DFR_TEST_PASSED ? &in->passed : &in->failed) += 1;
        if (j)
            put_json(in, j, i, outcome, &v);
        else
            put_text(in, b, i, outcome, &v);
    }
}

static enum dfr_status test_body(void *args, struct dfr_err *err)
{
    struct test_args *in = args;
    struct dfr_buf b;
    dfr_api_buf(&b, &in->scratch->arena);
    if (in->format == DFR_FORMAT_TEXT) {
        run_all(in, &b, NULL);
        dfr_buf_printf(&b, "%u passed, %u failed\n", in->passed, in->failed);
    } else {
        struct dfr_json j;
        dfr_json_init(&j, in->format == DFR_FORMAT_JSON, &b);
        dfr_json_open(&j, NULL, '{');
        dfr_json_z(&j, "schema", "dfrule/tests/1");
        dfr_json_open(&j, "tests", '[');
        run_all(in, &b, &j);
        dfr_json_close(&j, ']');
        dfr_json_int(&j, "passed", in->passed);
        dfr_json_int(&j, "failed", in->failed);
        dfr_json_close(&j, '}');
        dfr_json_end(&j);
    }
    return dfr_api_emit(&b, in->write, in->user, err);
}

dfr_result dfr_rules_test(const dfr_rules *rules, const dfr_test_options *options,
                          dfr_format format, const dfr_style *style, dfr_write_fn write, void *user,
                          uint32_t *ret_passed, uint32_t *ret_failed, dfr_error *error)
{
    struct dfr_scratch scratch;
    struct test_args args = {.scratch = &scratch,
                             .rules = rules,
                             .format = format,
                             .style = dfr_api_style(style),
                             .write = write,
                             .user = user};
    if (!dfr_api_format_ok(format, error) ||
        !dfr_api_options(&args.options, sizeof args.options, options, error))
        return DFR_RESULT_MISUSE;
    dfr_scratch_init(&scratch, &rules->handle.memory);
    dfr_result result = dfr_api_run(&scratch.mem, test_body, &args, error);
    dfr_scratch_deinit(&scratch);
    if (result == DFR_RESULT_OK) {
        *ret_passed = args.passed;
        *ret_failed = args.failed;
    }
    return result;
}
