/* dfr_corpus_calibrate(): weights fitted to labelled cases, written as overrides. */
#include "measure/calibrate.h"
#include "api/cases.h"

struct calibrate_args {
    struct dfr_scratch *scratch;
    const dfr_rules *rules;
    struct dfr_str path, overrides;
    dfr_format format;
    struct dfr_report_style style;
    dfr_write_fn write;
    void *user;
    uint32_t moved;
};

static enum dfr_status gather(const struct calibrate_args *in, const struct dfr_cases *cases,
                              struct dfr_gathered *g, struct dfr_err *err)
{
    struct dfr_arena *a = &in->scratch->arena, *work = &in->scratch->work;
    struct dfr_eval_options options = {.only_rule = DFR_NONE};
    for (uint32_t i = 0; i < cases->labels.rows.n; i++) {
        struct dfr_str unreadable = {0};
        dfr_arena_reset(work);
        const struct dfr_facts *f =
            dfr_case_facts(cases, &cases->labels.rows.v[i], a, work, &unreadable);
        if (!f)
            return dfr_fail(err, DFR_IO, "%.*s", (int)unreadable.len, unreadable.p);
        struct dfr_eval eval;
        struct dfr_ranking ranking;
        enum dfr_status status = dfr_eval_run(in->rules->engine, f, &options, work, &eval, err);
        if (status != DFR_OK)
            return status;
        dfr_rank(&eval, work, &ranking);
        dfr_gather_add(g, &cases->labels.rows.v[i], &ranking);
    }
    dfr_arena_reset(work);
    return DFR_OK;
}

static enum dfr_status calibrate_body(void *args, struct dfr_err *err)
{
    struct calibrate_args *in = args;
    struct dfr_arena *a = &in->scratch->arena;
    const struct dfr_program *p = &in->rules->program;
    struct dfr_cases cases;
    struct dfr_gathered g;
    struct dfr_calibration c = {0};
    struct dfr_buf b;
    enum dfr_status status =
        dfr_cases_open(a, &in->rules->handle.memory, in->path, false, &cases, err);
    dfr_gather_init(&g, p, a);
    if (status == DFR_OK)
        status = gather(in, &cases, &g, err);
    if (status != DFR_OK)
        return status;
    c.labels = cases.labels.path;
    dfr_calibrate(&g, &c);
    in->moved = c.moves.n;
    if (in->overrides.len) {
        dfr_api_buf(&b, a);
        dfr_calibration_overrides(&c, p, &b);
        status = dfr_api_write_file(a, in->overrides, dfr_buf_text(&b), err);
        if (status != DFR_OK)
            return status;
    }
    dfr_api_buf(&b, a);
    if (in->format == DFR_FORMAT_TEXT)
        dfr_calibration_text(&c, p, &in->style, &b);
    else
        dfr_calibration_json(&c, p, in->format == DFR_FORMAT_JSON, &b);
    return dfr_api_emit(&b, in->write, in->user, err);
}

dfr_result dfr_corpus_calibrate(const dfr_rules *rules, dfr_text corpus, dfr_text overrides,
                                dfr_format format, const dfr_style *style, dfr_write_fn write,
                                void *user, uint32_t *ret_moved, dfr_error *error)
{
    struct dfr_scratch scratch;
    struct calibrate_args args = {.scratch = &scratch,
                                  .rules = rules,
                                  .path = dfr_str_of(corpus),
                                  .overrides = dfr_str_of(overrides),
                                  .format = format,
                                  .style = dfr_api_style(style),
                                  .write = write,
                                  .user = user};
    if (!dfr_api_format_ok(format, error))
        return DFR_RESULT_MISUSE;
    dfr_scratch_init(&scratch, &rules->handle.memory);
    dfr_result r = dfr_api_run(&scratch.mem, calibrate_body, &args, error);
    dfr_scratch_deinit(&scratch);
    if (r == DFR_RESULT_OK && ret_moved)
        *ret_moved = args.moved;
    return r;
}
