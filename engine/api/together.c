/* dfr_check_together(): each crash by itself, then each with the others as its history, then the
 * machine. */
#include "api/handle.h"
#include "measure/history.h"

struct together_args {
    struct dfr_scratch *scratch;
    const dfr_rules *rules;
    const dfr_crash *const *inputs;
    size_t n;
    dfr_format format;
    struct dfr_report_style style;
    dfr_write_fn write;
    void *user;
    int strength;
};

static enum dfr_status run(const struct together_args *in, const struct dfr_facts *f,
                           struct dfr_eval *eval, struct dfr_ranking *ranking, struct dfr_err *err)
{
    struct dfr_arena *a = &in->scratch->arena;
    struct dfr_eval_options options = {.only_rule = DFR_NONE};
    enum dfr_status status = dfr_eval_run(in->rules->engine, f, &options, a, eval, err);
    if (status == DFR_OK)
        dfr_rank(eval, a, ranking);
    return status;
}

static enum dfr_status check_alone(const struct together_args *in, struct dfr_history *h,
                                   struct dfr_err *err)
{
    struct dfr_arena *a = &in->scratch->arena;
    uint32_t n = 0;
    for (size_t i = 0; i < in->n; i++)
        n += in->inputs[i]->count;
    h->v = DFR_NEW_N(a, n, struct dfr_past);
    for (size_t i = 0; i < in->n; i++)
        for (uint32_t k = 0; k < in->inputs[i]->count; k++) {
            struct dfr_past *p = &h->v[h->n++];
            p->path = in->inputs[i]->path;
            p->crash = k;
            p->crash_count = in->inputs[i]->count;
            p->facts = in->inputs[i]->crashes[k];
            enum dfr_status status = run(in, p->facts, &p->eval, &p->ranking, err);
            if (status != DFR_OK)
                return status;
            dfr_past_judge(p, &p->ranking, a);
        }
    return DFR_OK;
}

static enum dfr_status together_body(void *args, struct dfr_err *err)
{
    struct together_args *in = args;
    struct dfr_arena *a = &in->scratch->arena;
    struct dfr_history h = {0};
    struct dfr_eval eval;
    struct dfr_ranking ranking;
    enum dfr_status status = check_alone(in, &h, err);
    if (status != DFR_OK)
        return status;
    dfr_history_sum(&h);
    for (uint32_t i = 0; i < h.n; i++) {
        struct dfr_facts *f = DFR_NEW(a, struct dfr_facts);
        dfr_history_of(&h, i, a, f);
        status = run(in, f, &h.v[i].eval, &h.v[i].ranking, err);
        if (status != DFR_OK)
            return status;
    }
    struct dfr_facts *machine = DFR_NEW(a, struct dfr_facts);
    dfr_history_machine(&h, a, machine);
    status = run(in, machine, &eval, &ranking, err);
    if (status != DFR_OK)
        return status;
    in->strength = ranking.shown_count ? (int)ranking.causes[0].strength : 0;
    struct dfr_report report = {.ranking = &ranking};
    struct dfr_buf b;
    dfr_api_buf(&b, a);
    if (in->format == DFR_FORMAT_TEXT)
        dfr_history_text(&h, &ranking, &in->style, &b);
    else
        dfr_history_json(&h, &report, in->format == DFR_FORMAT_JSON, &b);
    return dfr_api_emit(&b, in->write, in->user, err);
}

dfr_result dfr_check_together(const dfr_rules *rules, const dfr_crash *const *crashes, size_t n,
                              dfr_format format, const dfr_style *style, dfr_write_fn write,
                              void *user, int *ret_strength, dfr_error *error)
{
    struct dfr_scratch scratch;
    struct together_args args = {.scratch = &scratch,
                                 .rules = rules,
                                 .inputs = crashes,
                                 .n = n,
                                 .format = format,
                                 .style = dfr_api_style(style),
                                 .write = write,
                                 .user = user};
    if (!dfr_api_format_ok(format, error))
        return DFR_RESULT_MISUSE;
    if (!n)
        return dfr_api_fail(error, DFR_RESULT_MISUSE, "there are no crashes to look at together");
    dfr_scratch_init(&scratch, &rules->handle.memory);
    dfr_result r = dfr_api_run(&scratch.mem, together_body, &args, error);
    dfr_scratch_deinit(&scratch);
    if (r == DFR_RESULT_OK && ret_strength)
        *ret_strength = args.strength;
    return r;
}
