#include "api/suite.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* What a path leads to, so that `rules` and `./rules/core/..` are one; else the path itself. */
static struct dfr_str resolved(struct dfr_arena *a, struct dfr_str path)
{
    char *z = dfr_arena_copy(a, path.p, path.len);
    char *real = realpath(z, NULL);
    if (!real)
        return (struct dfr_str){z, path.len};
    dfr_arena_defer(a, free, real);
    return dfr_str_from(real);
}

void dfr_suite_init(struct dfr_suite *s, const struct dfr_program *p, const dfr_test_options *o,
                    struct dfr_arena *arena, struct dfr_arena *work)
{
    *s = (struct dfr_suite){.program = p, .options = *o, .arena = arena, .work = work};
    s->facts = DFR_NEW_N(arena, p->tests.n, struct dfr_facts *);
    for (size_t i = 0; i < o->path_count; i++)
        *DFR_PUSH(arena, &s->paths) = resolved(arena, dfr_str_of(o->paths[i]));
}

struct dfr_str dfr_suite_file(const struct dfr_program *p, uint32_t file)
{
    return file < p->files.n ? dfr_program_text(p, p->files.v[file]) : DFR_STR("");
}

bool dfr_suite_wants_file(const struct dfr_suite *s, uint32_t file)
{
    if (s->paths.n == 0)
        return true;
    if (file >= s->program->files.n)
        return false;
    struct dfr_str path =
        resolved(s->work, dfr_program_text(s->program, s->program->files.v[file]));
    for (uint32_t i = 0; i < s->paths.n; i++) {
        struct dfr_str root = s->paths.v[i];
        if (dfr_str_eq(path, root) || (dfr_str_starts(path, root) &&
                                       (path.p[root.len] == '/' || root.p[root.len - 1] == '/')))
            return true;
    }
    return false;
}

bool dfr_suite_wants(const struct dfr_suite *s, uint32_t test)
{
    const struct dfr_ptest *t = &s->program->tests.v[test];
    struct dfr_str only = dfr_str_of(s->options.only);
    return (!only.len ||
            dfr_str_find_ci(dfr_program_text(s->program, t->name), only) != SIZE_MAX) &&
           dfr_suite_wants_file(s, t->source.file);
}

/* ---- Inputs -------------------------------------------------------------------------------- */

/* Relative, and no part is `..`: a pack of somebody else reads nothing outside its folders. */
static bool stays_below(struct dfr_str path)
{
    if (path.len == 0 || path.p[0] == '/')
        return false;
    for (size_t i = 0; i < path.len;) {
        size_t end = i;
        while (end < path.len && path.p[end] != '/')
            end++;
        if (dfr_str_eq(dfr_str_slice(path, i, end), DFR_STR("..")))
            return false;
        i = end + 1;
    }
    return true;
}

static enum dfr_status read_from(struct dfr_suite *s, struct dfr_str folder, struct dfr_str path,
                                 struct dfr_loaded *l)
{
    struct dfr_str bytes, full = dfr_path_join(s->arena, folder, path);
    enum dfr_status status =
        dfr_api_read(s->arena, full, DFR_LIMIT_TRANSCRIPT_BYTES, &bytes, &l->err);
    if (status == DFR_OK)
        status = dfr_api_sniff(full, bytes, &l->err);
    if (status == DFR_OK)
        status = dfr_transcript_read(s->arena, bytes, NULL, &l->transcript, &l->err);
    l->err.status = status;
    return status;
}

/* The input that `test` loads: beside its file, then in each folder above, then in the roots. */
static const struct dfr_loaded *load(struct dfr_suite *s, const struct dfr_ptest *test)
{
    const struct dfr_program *p = s->program;
    struct dfr_str path = dfr_program_text(p, test->load);
    struct dfr_str file = dfr_suite_file(p, test->source.file);
    struct dfr_str folder = dfr_path_folder(file);
    struct dfr_buf key;
    dfr_buf_init(&key, s->arena);
    dfr_buf_str(&key, folder);
    dfr_buf_char(&key, '\n');
    dfr_buf_str(&key, path);
    for (uint32_t i = 0; i < s->loaded.n; i++)
        if (dfr_str_eq(s->loaded.v[i].path, dfr_buf_text(&key)))
            return &s->loaded.v[i];
    struct dfr_loaded l = {.path = dfr_buf_text(&key)};
    if (!stays_below(path)) {
        dfr_fail(&l.err, DFR_MISUSE,
                 "%.*s: a test loads what lies in its folder or above, by a "
                 "relative path without `..`",
                 (int)path.len, path.p);
    } else {
        enum dfr_status status = read_from(s, folder, path, &l);
        struct dfr_str up = resolved(s->arena, folder);
        while (status == DFR_IO && up.len > 1) {
            up = dfr_path_folder(up);
            status = read_from(s, up, path, &l);
        }
        for (size_t i = 0; status == DFR_IO && i < s->options.root_count; i++)
            status = read_from(s, dfr_str_of(s->options.roots[i]), path, &l);
        if (status == DFR_IO)
            dfr_fail(&l.err, DFR_IO,
                     "%.*s: not found beside the rule file, above it, or in a --root",
                     (int)path.len, path.p);
    }
    struct dfr_loaded *kept = DFR_PUSH(s->arena, &s->loaded);
    *kept = l;
    return kept;
}

static enum dfr_status make_facts(struct dfr_suite *s, uint32_t test, struct dfr_err *err)
{
    const struct dfr_ptest *t = &s->program->tests.v[test];
    const struct dfr_facts *base = NULL;
    if (t->load.len) {
        const struct dfr_loaded *l = load(s, t);
        *err = l->err;
        if (l->err.status != DFR_OK)
            return l->err.status;
        base = &l->transcript.crashes[0];
    }
    struct dfr_facts *f = DFR_NEW(s->arena, struct dfr_facts);
    enum dfr_status status = dfr_given_apply(s->program, test, base, s->arena, f, err);
    if (status == DFR_OK)
        s->facts[test] = f;
    return status;
}

enum dfr_status dfr_suite_facts(struct dfr_suite *s, uint32_t test, const struct dfr_facts **ret,
                                struct dfr_err *err)
{
    enum dfr_status status = s->facts[test] ? DFR_OK : make_facts(s, test, err);
    if (status == DFR_OK)
        *ret = s->facts[test];
    return status;
}

/* ---- What `expect` asks ----------------------------------------------------------------------- */

struct asked {
    struct dfr_suite *suite;
    struct dfr_verdicts *verdicts;
};

/* A rule that waits does not fire: its `when` is not true. */
static bool fires(const struct asked *q, uint32_t rule)
{
    const struct dfr_eval *eval = &q->verdicts->eval;
    for (uint32_t i = 0; i < eval->hits.n; i++)
        if (eval->hits.v[i].rule == rule && eval->hits.v[i].status == DFR_HIT_FIRED)
            return true;
    return false;
}

static struct dfr_value ask_fires(void *user, uint32_t rule)
{
    return dfr_v_bool(fires(user, rule));
}

static struct dfr_value ask_rule_score(void *user, uint32_t rule)
{
    const struct asked *q = user;
    return dfr_rank_rule_score(&q->verdicts->eval, rule, q->suite->work);
}

static struct dfr_value ask_rule_verdict(void *user, uint32_t rule)
{
    struct dfr_value score = ask_rule_score(user, rule);
    bool known = fires(user, rule) && score.state == DFR_KNOWN;
    return dfr_v_enum(DFR_E_VERDICT,
                      known ? dfr_verdict_of((int32_t)score.as.n.lo) : (uint32_t)DFR_VERDICT_NONE);
}

static struct dfr_value ask_cause_score(void *user, uint32_t cause, const struct dfr_value *subject)
{
    const struct asked *q = user;
    return dfr_rank_cause_score(&q->verdicts->ranking, cause, subject, q->suite->work);
}

static struct dfr_value ask_first(void *user, enum dfr_builtin which)
{
    const struct asked *q = user;
    const struct dfr_eval *eval = &q->verdicts->eval;
    const struct dfr_ranking *r = &q->verdicts->ranking;
    const struct dfr_program *p = eval->program;
    switch (which) {
    case DFR_B_FIRST_CAUSE:
        if (r->shown_count)
            return dfr_v_str(dfr_program_text(p, p->causes.v[r->causes[0].cause].name));
        break;
    case DFR_B_FIRST_SUBJECT:
        if (r->shown_count && r->causes[0].subject.v.kind == DFR_KIND_MODULE)
            return r->causes[0].subject.v;
        return dfr_v_absent(DFR_KIND_MODULE, DFR_REASON_NONE);
    case DFR_B_FIRST_ACTION:
        if (r->action_count)
            return dfr_v_str(eval->hits.v[r->actions[0].hit].advice[r->actions[0].advised].text);
        break;
    case DFR_B_COLLECT_FIRST:
        if (r->collect_count)
            return dfr_v_str(r->collect[0].command);
        break;
    default:
        break;
    }
    return dfr_v_absent(DFR_KIND_STR, DFR_REASON_NONE);
}

/* ---- One test ------------------------------------------------------------------------------ */

enum dfr_outcome dfr_suite_run(struct dfr_suite *s, const struct dfr_engine *engine, uint32_t test,
                               bool no_index, bool quick, struct dfr_verdicts *ret)
{
    const struct dfr_program *p = dfr_engine_program(engine);
    const struct dfr_ptest *t = &p->tests.v[test];
    struct asked asked = {s, ret};
    struct dfr_oracle oracle = {.user = &asked,
                                .fires = ask_fires,
                                .rule_score = ask_rule_score,
                                .cause_score = ask_cause_score,
                                .rule_verdict = ask_rule_verdict,
                                .first = ask_first};
    struct dfr_eval_options options = {.no_index = no_index, .only_rule = DFR_NONE};
    *ret = (struct dfr_verdicts){.expects = DFR_NEW_N(s->work, t->expect_count, enum dfr_tri)};
    if (!s->facts[test] && make_facts(s, test, &ret->err) != DFR_OK)
        return DFR_TEST_BROKEN;
    const struct dfr_facts *f = s->facts[test];
    if (dfr_eval_run(engine, f, &options, s->work, &ret->eval, &ret->err) != DFR_OK)
        return DFR_TEST_BROKEN;
    dfr_rank(&ret->eval, s->work, &ret->ranking);
    for (uint32_t i = 0; i < t->expect_count; i++) {
        struct dfr_tv v;
        uint32_t chunk = p->expects.v[t->expect + i].chunk;
        if (dfr_eval_expect(engine, f, &oracle, chunk, s->work, &v, &ret->err) != DFR_OK)
            return DFR_TEST_BROKEN;
        ret->expects[i] = dfr_tv_tri(&v);
        ret->failed += ret->expects[i] != DFR_TRUE;
        if (ret->failed && quick)
            break;
    }
    return ret->failed ? DFR_TEST_FAILED : DFR_TEST_PASSED;
}
