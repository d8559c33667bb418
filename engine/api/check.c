/* Rules over a crash: the answer, and one rule explained. */
#include <string.h>

#include "api/handle.h"

static void answer_release(dfr_answer *answer)
{
    dfr_rules *rules = answer->rules;
    dfr_crash *crash = answer->crash;
    dfr_handle_free(&answer->handle);
    dfr_rules_free(rules);
    dfr_crash_free(crash);
}

void dfr_answer_free(dfr_answer *answer)
{
    if (answer && dfr_handle_drop(&answer->handle))
        answer_release(answer);
}

struct check_args {
    dfr_answer *answer;
    const dfr_rules *rules;
    const struct dfr_facts *facts;
    struct dfr_eval_options options;
    bool others;
};

static enum dfr_status check_one(const struct check_args *in, const struct dfr_facts *facts,
                                 struct dfr_eval *eval, struct dfr_ranking *ranking,
                                 struct dfr_err *err)
{
    struct dfr_arena *a = &in->answer->handle.arena;
    enum dfr_status status = dfr_eval_run(in->rules->engine, facts, &in->options, a, eval, err);
    if (status == DFR_OK)
        dfr_rank(eval, a, ranking);
    return status;
}

static enum dfr_status check_body(void *args, struct dfr_err *err)
{
    const struct check_args *in = args;
    dfr_answer *answer = in->answer;
    const dfr_crash *crash = answer->crash;
    enum dfr_status status = check_one(in, in->facts, &answer->eval, &answer->ranking, err);
    if (!in->others || crash->count < 2)
        return status;
    answer->others = DFR_NEW_N(&answer->handle.arena, crash->count - 1, struct dfr_other_answer);
    for (uint32_t i = 0; i < crash->count && status == DFR_OK; i++) {
        if (i == answer->index)
            continue;
        struct dfr_other_answer *other = &answer->others[answer->other_count++];
        other->index = i;
        status = check_one(in, crash->crashes[i], &other->eval, &other->ranking, err);
    }
    return status;
}

dfr_result dfr_check(const dfr_rules *rules, const dfr_crash *crash,
                     const dfr_check_options *options, dfr_answer **ret, dfr_error *error)
{
    dfr_check_options o;
    if (!dfr_api_options(&o, sizeof o, options, error))
        return DFR_RESULT_MISUSE;
    const struct dfr_facts *facts = dfr_api_facts(crash, o.index, error);
    if (!facts)
        return DFR_RESULT_MISUSE;
    dfr_result result = DFR_RESULT_OK;
    dfr_answer *answer = dfr_handle_new(sizeof *answer, &o.memory, error, &result);
    if (!answer)
        return result;
    answer->index = (uint32_t)o.index;
    answer->rules = (dfr_rules *)(uintptr_t)rules;
    answer->crash = (dfr_crash *)(uintptr_t)crash;
    dfr_handle_keep(&answer->rules->handle);
    dfr_handle_keep(&answer->crash->handle);
    struct check_args args = {.answer = answer,
                              .rules = rules,
                              .facts = facts,
                              .others = o.others != 0,
                              .options = {.no_index = o.no_index != 0,
                                          .only_rule = DFR_NONE,
                                          .steps_per_rule = o.steps_per_rule}};
    result = dfr_api_run(&answer->handle.mem, check_body, &args, error);
    if (result == DFR_RESULT_OK)
        *ret = answer;
    else
        answer_release(answer);
    return result;
}

int dfr_answer_strength(const dfr_answer *answer)
{
    const struct dfr_ranking *r = &answer->ranking;
    return r->shown_count ? (int)r->causes[0].strength : 0;
}

struct write_args {
    struct dfr_scratch *scratch;
    const dfr_answer *answer;
    dfr_format format;
    struct dfr_report_style style;
    dfr_write_fn write;
    void *user;
};

static enum dfr_status write_body(void *args, struct dfr_err *err)
{
    const struct write_args *in = args;
    const dfr_answer *answer = in->answer;
    struct dfr_report r = {
        .input = dfr_api_input(answer->crash, answer->index,
                               in->format == DFR_FORMAT_TEXT ? NULL : &in->scratch->arena),
        .ranking = &answer->ranking,
        .other_count = answer->other_count,
        .diags = &answer->crash->diags};
    struct dfr_report *others =
        DFR_NEW_N(&in->scratch->arena, answer->other_count, struct dfr_report);
    for (uint32_t i = 0; i < answer->other_count; i++) {
        const struct dfr_other_answer *o = &answer->others[i];
        others[i] = (struct dfr_report){
            .input = r.input, .ranking = &o->ranking, .diags = &answer->crash->diags};
        others[i].input.crash = o->index;
    }
    r.others = others;
    struct dfr_buf b;
    dfr_api_buf(&b, &in->scratch->arena);
    if (in->format == DFR_FORMAT_TEXT)
        dfr_report_text(&r, &in->style, &b);
    else
        dfr_report_json(&r, in->format == DFR_FORMAT_JSON, &b);
    return dfr_api_emit(&b, in->write, in->user, err);
}

dfr_result dfr_answer_write(const dfr_answer *answer, dfr_format format, const dfr_style *style,
                            dfr_write_fn write, void *user, dfr_error *error)
{
    if (!dfr_api_format_ok(format, error))
        return DFR_RESULT_MISUSE;
    struct dfr_scratch s;
    dfr_scratch_init(&s, &answer->handle.memory);
    struct write_args args = {&s, answer, format, dfr_api_style(style), write, user};
    dfr_result result = dfr_api_run(&s.mem, write_body, &args, error);
    dfr_scratch_deinit(&s);
    return result;
}

/* ---- One rule ------------------------------------------------------------------------------ */

static bool last_part(struct dfr_str full, struct dfr_str name)
{
    return full.len > name.len && full.p[full.len - name.len - 1] == '.' &&
           memcmp(full.p + full.len - name.len, name.p, name.len) == 0;
}

enum dfr_status dfr_api_find_rule(const struct dfr_program *p, struct dfr_str name, uint32_t *ret,
                                  struct dfr_err *err)
{
    enum { NEAR = 3 };
    uint32_t found = 0, hit = DFR_NONE;
    struct dfr_str nearest = {0};
    unsigned distance = NEAR + 1;
    for (uint32_t i = 0; i < p->rules.n; i++) {
        struct dfr_str full = dfr_program_text(p, p->rules.v[i].name);
        if (dfr_str_eq(full, name)) {
            *ret = i;
            return DFR_OK;
        }
        if (name.len && last_part(full, name)) {
            found++;
            hit = i;
        }
        size_t dot = full.len;
        while (dot && full.p[dot - 1] != '.')
            dot--;
        struct dfr_str last = dfr_str_slice(full, dot, full.len);
        unsigned d = dfr_str_distance(name, last, NEAR), f = dfr_str_distance(name, full, NEAR);
        d = d < f ? d : f;
        if (d < distance) {
            distance = d;
            nearest = full;
        }
    }
    if (found == 1) {
        *ret = hit;
        return DFR_OK;
    }
    if (found > 1)
        return dfr_fail(err, DFR_MISUSE, "%.*s: %u rules have this name; give the pack too",
                        (int)name.len, name.p, found);
    if (nearest.len)
        return dfr_fail(err, DFR_MISUSE, "%.*s: no such rule; did you mean `%.*s`?", (int)name.len,
                        name.p, (int)nearest.len, nearest.p);
    return dfr_fail(err, DFR_MISUSE, "%.*s: no such rule", (int)name.len, name.p);
}

struct explain_args {
    struct dfr_scratch *scratch;
    const dfr_rules *rules;
    const dfr_crash *crash;
    uint32_t index;
    struct dfr_str rule;
    enum dfr_question question;
    dfr_format format;
    struct dfr_report_style style;
    dfr_write_fn write;
    void *user;
};

static enum dfr_status explain_body(void *args, struct dfr_err *err)
{
    const struct explain_args *in = args;
    struct dfr_arena *a = &in->scratch->arena;
    struct dfr_eval_options options = {.only_rule = DFR_NONE};
    struct dfr_eval *eval = DFR_NEW(a, struct dfr_eval);
    enum dfr_status status =
        dfr_api_find_rule(&in->rules->program, in->rule, &options.only_rule, err);
    if (status == DFR_OK)
        status =
            dfr_eval_run(in->rules->engine, in->crash->crashes[in->index], &options, a, eval, err);
    if (status != DFR_OK)
        return status;
    struct dfr_report_input input = dfr_api_input(
        in->crash, in->index, in->format == DFR_FORMAT_TEXT ? NULL : &in->scratch->arena);
    struct dfr_buf b;
    dfr_api_buf(&b, a);
    if (in->format == DFR_FORMAT_TEXT)
        dfr_report_explain_text(eval, options.only_rule, in->question, &input, &in->style, &b);
    else
        dfr_report_explain_json(eval, options.only_rule, in->question, &input,
                                in->format == DFR_FORMAT_JSON, &b);
    return dfr_api_emit(&b, in->write, in->user, err);
}

static dfr_result explain(struct explain_args *args, size_t index, const dfr_style *style,
                          dfr_error *error)
{
    if (!dfr_api_format_ok(args->format, error) || !dfr_api_facts(args->crash, index, error))
        return DFR_RESULT_MISUSE;
    struct dfr_scratch s;
    dfr_scratch_init(&s, &args->rules->handle.memory);
    args->scratch = &s;
    args->index = (uint32_t)index;
    args->style = dfr_api_style(style);
    dfr_result result = dfr_api_run(&s.mem, explain_body, args, error);
    dfr_scratch_deinit(&s);
    return result;
}

dfr_result dfr_explain(const dfr_rules *rules, const dfr_crash *crash, size_t index, dfr_text rule,
                       dfr_format format, const dfr_style *style, dfr_write_fn write, void *user,
                       dfr_error *error)
{
    struct explain_args args = {.rules = rules,
                                .crash = crash,
                                .rule = dfr_str_of(rule),
                                .question = DFR_EXPLAIN,
                                .format = format,
                                .write = write,
                                .user = user};
    return explain(&args, index, style, error);
}

dfr_result dfr_why_not(const dfr_rules *rules, const dfr_crash *crash, size_t index, dfr_text rule,
                       dfr_format format, const dfr_style *style, dfr_write_fn write, void *user,
                       dfr_error *error)
{
    struct explain_args args = {.rules = rules,
                                .crash = crash,
                                .rule = dfr_str_of(rule),
                                .question = DFR_WHY_NOT,
                                .format = format,
                                .write = write,
                                .user = user};
    return explain(&args, index, style, error);
}
