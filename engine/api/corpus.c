/* dfr_corpus_eval() and dfr_corpus_diff(): every case through the rules, and what comes of it. */
#include <string.h>

#include "api/cases.h"
#include "base/limits.h"

struct eval_args {
    struct dfr_scratch *scratch;
    const dfr_rules *rules;
    struct dfr_str path;
    dfr_corpus_options options;
    dfr_format format;
    struct dfr_report_style style;
    dfr_write_fn write;
    void *user;
    dfr_corpus_result *ret;
};

static enum dfr_status judge_all(struct dfr_scratch *scratch, const dfr_rules *rules,
                                 const struct dfr_cases *cases, struct dfr_case *ret,
                                 struct dfr_err *err)
{
    struct dfr_arena *a = &scratch->arena, *work = &scratch->work;
    struct dfr_eval_options options = {.only_rule = DFR_NONE};
    for (uint32_t i = 0; i < cases->labels.rows.n; i++) {
        const struct dfr_label *label = &cases->labels.rows.v[i];
        struct dfr_str error = {0};
        dfr_arena_reset(work);
        const struct dfr_facts *f = dfr_case_facts(cases, label, a, work, &error);
        if (!f) {
            ret[i] = (struct dfr_case){
                .label = label, .error = error, .code = -1, .outcome = DFR_OUTCOME_UNREADABLE};
            continue;
        }
        struct dfr_eval eval;
        struct dfr_ranking ranking;
        enum dfr_status status = dfr_eval_run(rules->engine, f, &options, work, &eval, err);
        if (status != DFR_OK)
            return status;
        dfr_rank(&eval, work, &ranking);
        dfr_judge(label, &ranking, a, &ret[i]);
    }
    dfr_arena_reset(work);
    return DFR_OK;
}

static enum dfr_status write_figures(const struct eval_args *in, const struct dfr_figures *f,
                                     struct dfr_err *err)
{
    struct dfr_arena *a = &in->scratch->arena;
    struct dfr_buf b;
    dfr_api_buf(&b, a);
    if (in->options.against.len) {
        struct dfr_str before, path = dfr_str_of(in->options.against);
        enum dfr_status status = dfr_api_read(a, path, DFR_LIMIT_SOURCE_BYTES, &before, err);
        if (status == DFR_OK)
            status =
                dfr_figures_against(f, path, before, a, &b, &in->ret->worse, &in->ret->better, err);
        return status == DFR_OK ? dfr_api_emit(&b, in->write, in->user, err) : status;
    }
    switch (in->format) {
    case DFR_FORMAT_TEXT:
        dfr_figures_text(f, &in->style, &b);
        break;
    case DFR_FORMAT_MARKDOWN:
        dfr_figures_markdown(f, &b);
        break;
    case DFR_FORMAT_TSV:
        dfr_figures_tsv(f, &b);
        break;
    default:
        dfr_figures_json(f, in->format == DFR_FORMAT_JSON, &b);
    }
    return dfr_api_emit(&b, in->write, in->user, err);
}

static enum dfr_status eval_body(void *args, struct dfr_err *err)
{
    const struct eval_args *in = args;
    struct dfr_arena *a = &in->scratch->arena;
    struct dfr_cases cases;
    struct dfr_figures figures;
    enum dfr_status status =
        dfr_cases_open(a, &in->rules->handle.memory, in->path, false, &cases, err);
    if (status != DFR_OK)
        return status;
    struct dfr_case *v = DFR_NEW_N(a, cases.labels.rows.n, struct dfr_case);
    status = judge_all(in->scratch, in->rules, &cases, v, err);
    if (status != DFR_OK)
        return status;
    dfr_figures_sum(&in->rules->program, &cases.labels, v, cases.labels.rows.n, a, &figures);
    in->ret->cases = figures.all.cases;
    in->ret->with_culprit = figures.all.named;
    in->ret->first = figures.all.first;
    in->ret->top_three = figures.all.three;
    in->ret->confident_wrong = figures.all.outcome[DFR_OUTCOME_CONFIDENT];
    in->ret->unreadable = figures.all.outcome[DFR_OUTCOME_UNREADABLE];
    return write_figures(in, &figures, err);
}

dfr_result dfr_corpus_eval(const dfr_rules *rules, dfr_text corpus,
                           const dfr_corpus_options *options, dfr_format format,
                           const dfr_style *style, dfr_write_fn write, void *user,
                           dfr_corpus_result *ret, dfr_error *error)
{
    struct dfr_scratch scratch;
    dfr_corpus_result result = {.size = sizeof result};
    struct eval_args args = {.scratch = &scratch,
                             .rules = rules,
                             .path = dfr_str_of(corpus),
                             .format = format,
                             .style = dfr_api_style(style),
                             .write = write,
                             .user = user,
                             .ret = &result};
    if (format != DFR_FORMAT_MARKDOWN && format != DFR_FORMAT_TSV &&
        !dfr_api_format_ok(format, error))
        return DFR_RESULT_MISUSE;
    if (!dfr_api_options(&args.options, sizeof args.options, options, error))
        return DFR_RESULT_MISUSE;
    dfr_scratch_init(&scratch, &rules->handle.memory);
    dfr_result r = dfr_api_run(&scratch.mem, eval_body, &args, error);
    dfr_scratch_deinit(&scratch);
    if (r == DFR_RESULT_OK && ret) {
        result.size = ret->size;
        memcpy(ret, &result, ret->size < sizeof result ? ret->size : sizeof result);
    }
    return r;
}

/* ---- Two rule sets ------------------------------------------------------------------------- */

struct diff_args {
    struct dfr_scratch *scratch;
    const dfr_rules *before, *after;
    struct dfr_str path;
    dfr_format format;
    struct dfr_report_style style;
    dfr_write_fn write;
    void *user;
    uint32_t changed, worse;
};

static enum dfr_status diff_body(void *args, struct dfr_err *err)
{
    struct diff_args *in = args;
    struct dfr_arena *a = &in->scratch->arena;
    struct dfr_cases cases;
    struct dfr_changes changes;
    enum dfr_status status =
        dfr_cases_open(a, &in->before->handle.memory, in->path, true, &cases, err);
    if (status != DFR_OK)
        return status;
    uint32_t n = cases.labels.rows.n;
    struct dfr_case *before = DFR_NEW_N(a, n, struct dfr_case);
    struct dfr_case *after = DFR_NEW_N(a, n, struct dfr_case);
    status = judge_all(in->scratch, in->before, &cases, before, err);
    if (status == DFR_OK)
        status = judge_all(in->scratch, in->after, &cases, after, err);
    if (status != DFR_OK)
        return status;
    dfr_changes_sum(&cases.labels, before, after, n, cases.plain, &changes);
    for (uint32_t i = 0; i < n; i++)
        in->changed += dfr_changes_has(&changes, i);
    in->worse = changes.worse;
    struct dfr_buf b;
    dfr_api_buf(&b, a);
    if (in->format == DFR_FORMAT_TEXT)
        dfr_changes_text(&changes, &in->style, &b);
    else
        dfr_changes_json(&changes, in->format == DFR_FORMAT_JSON, &b);
    return dfr_api_emit(&b, in->write, in->user, err);
}

dfr_result dfr_corpus_diff(const dfr_rules *before, const dfr_rules *after, dfr_text corpus,
                           dfr_format format, const dfr_style *style, dfr_write_fn write,
                           void *user, uint32_t *ret_changed, uint32_t *ret_worse, dfr_error *error)
{
    struct dfr_scratch scratch;
    struct diff_args args = {.scratch = &scratch,
                             .before = before,
                             .after = after,
                             .path = dfr_str_of(corpus),
                             .format = format,
                             .style = dfr_api_style(style),
                             .write = write,
                             .user = user};
    if (!dfr_api_format_ok(format, error))
        return DFR_RESULT_MISUSE;
    dfr_scratch_init(&scratch, &before->handle.memory);
    dfr_result r = dfr_api_run(&scratch.mem, diff_body, &args, error);
    dfr_scratch_deinit(&scratch);
    if (r == DFR_RESULT_OK) {
        *ret_changed = args.changed;
        *ret_worse = args.worse;
    }
    return r;
}
