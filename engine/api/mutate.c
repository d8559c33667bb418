/* dfr_rules_mutate(): would the tests notice a comparison or a weight that is the wrong way round?
 *
 * Chunks of code are shared by all rules that say the same, so a change goes into a copy of the
 * chunk behind the others, and the one record of the one rule is pointed at it. The index knows
 * nothing of changed conditions, so mutants run without it. */
#include <stdio.h>
#include <string.h>

#include "api/suite.h"
#include "code/build.h"
#include "report/jsonw.h"

enum { SITES_MOST = 100000 };

/* A place in the program that one rule owns. */
struct site {
    uint32_t rule;
    uint32_t *chunk; /* a condition's reference to its code; NULL for a weight */
    int32_t *weight; /* a weight; NULL for a condition */
    struct dfr_psource source;
    struct dfr_str what; /* text of the condition, or label */
};

struct mutate_args {
    struct dfr_scratch *scratch;
    const dfr_rules *rules;
    dfr_test_options options;
    dfr_format format;
    struct dfr_report_style style;
    dfr_write_fn write;
    void *user;
    struct dfr_program *copy; /* what is changed */
    struct dfr_suite suite;
    struct dfr_buf out;
    struct dfr_json json;
    DFR_VEC(struct site) sites;
    DFR_VEC(uint32_t) tests; /* those of the rule at hand */
    uint32_t killed, survived;
};

static void *copied(struct dfr_arena *a, const void *v, uint32_t n, uint32_t cap, size_t size)
{
    void *p = dfr_arena_array(a, cap ? cap : 1, size);
    if (n)
        memcpy(p, v, n * size);
    return p;
}

/* A program of its own for the records that mutants change, with room for one more chunk. */
static struct dfr_program *copy_program(struct dfr_arena *a, const struct dfr_program *p)
{
    struct dfr_program *c = DFR_NEW(a, struct dfr_program);
    *c = *p;
    c->arena = a;
    uint32_t longest = 0;
    for (uint32_t i = 0; i < p->chunks.n; i++)
        if (p->chunks.v[i].count > longest)
            longest = p->chunks.v[i].count;
    c->code.cap = p->code.n + longest + 1;
    c->chunks.cap = p->chunks.n + 1;
    c->code.v = copied(a, p->code.v, p->code.n, c->code.cap, sizeof *c->code.v);
    c->chunks.v = copied(a, p->chunks.v, p->chunks.n, c->chunks.cap, sizeof *c->chunks.v);
    c->clauses.v = copied(a, p->clauses.v, p->clauses.n, p->clauses.n, sizeof *c->clauses.v);
    c->evidence.v = copied(a, p->evidence.v, p->evidence.n, p->evidence.n, sizeof *c->evidence.v);
    c->rules.v = copied(a, p->rules.v, p->rules.n, p->rules.n, sizeof *c->rules.v);
    c->let_chunks.v =
        copied(a, p->let_chunks.v, p->let_chunks.n, p->let_chunks.n, sizeof *c->let_chunks.v);
    c->advice.v = copied(a, p->advice.v, p->advice.n, p->advice.n, sizeof *c->advice.v);
    c->collect.v = copied(a, p->collect.v, p->collect.n, p->collect.n, sizeof *c->collect.v);
    return c;
}

/* ---- Sites --------------------------------------------------------------------------------- */

static void add_chunk(struct mutate_args *in, uint32_t rule, uint32_t *chunk,
                      struct dfr_psource source, struct dfr_str what)
{
    if (*chunk != DFR_NONE && in->sites.n < SITES_MOST)
        *DFR_PUSH(&in->scratch->arena, &in->sites) =
            (struct site){.rule = rule, .chunk = chunk, .source = source, .what = what};
}

static void add_weight(struct mutate_args *in, uint32_t rule, int32_t *weight,
                       struct dfr_psource source, struct dfr_str what)
{
    if (*weight && in->sites.n < SITES_MOST)
        *DFR_PUSH(&in->scratch->arena, &in->sites) =
            (struct site){.rule = rule, .weight = weight, .source = source, .what = what};
}

static void find_sites(struct mutate_args *in, uint32_t rule)
{
    struct dfr_program *p = in->copy;
    struct dfr_prule *r = &p->rules.v[rule];
    in->sites.n = 0;
    add_chunk(in, rule, &r->each_list, r->source, DFR_STR("each"));
    for (uint32_t i = 0; i < r->let_count; i++)
        add_chunk(in, rule, &p->let_chunks.v[r->lets + i], r->source, DFR_STR("let"));
    for (uint32_t i = 0; i < r->clause_count; i++) {
        struct dfr_pclause *c = &p->clauses.v[r->clauses + i];
        add_chunk(in, rule, &c->chunk, c->source, dfr_program_text(p, c->text));
    }
    add_chunk(in, rule, &r->unless, r->source, dfr_program_text(p, r->unless_text));
    for (uint32_t i = 0; i < r->evidence_count; i++) {
        struct dfr_pevidence *e = &p->evidence.v[r->evidence + i];
        struct dfr_str text = dfr_program_text(p, e->text);
        add_chunk(in, rule, &e->chunk, e->source, text);
        add_weight(in, rule, &e->if_true, e->source, text);
        add_weight(in, rule, &e->if_false, e->source, text);
    }
    add_weight(in, rule, &r->when_db, r->source, DFR_STR("conclude"));
    for (uint32_t i = 0; i < r->advice_count; i++) {
        struct dfr_padvice *v = &p->advice.v[r->advice + i];
        add_chunk(in, rule, &v->condition, v->source, DFR_STR("condition of a recommend"));
    }
    for (uint32_t i = 0; i < r->collect_count; i++) {
        struct dfr_pcollect *c = &p->collect.v[r->collect + i];
        add_chunk(in, rule, &c->condition, c->source, DFR_STR("condition of a collect"));
    }
}

/* ---- The rule's tests ---------------------------------------------------------------------- */

/* Does an expectation name the rule: a constant with its number right before fires() and its kin? */
static bool names_rule(const struct dfr_program *p, const struct dfr_ptest *t, uint32_t rule)
{
    for (uint32_t i = 0; i < t->expect_count; i++) {
        const struct dfr_pchunk *c = &p->chunks.v[p->expects.v[t->expect + i].chunk];
        const uint32_t *words = &p->code.v[c->first];
        for (uint32_t k = 1; k < c->count; k++) {
            uint32_t builtin = dfr_word_operand(words[k]);
            if (dfr_word_op(words[k]) != DFR_OP_BUILTIN ||
                dfr_word_op(words[k - 1]) != DFR_OP_CONST ||
                (builtin != DFR_B_FIRES && builtin != DFR_B_SCORE && builtin != DFR_B_VERDICT))
                continue;
            const struct dfr_pconst *n = &p->consts.v[dfr_word_operand(words[k - 1])];
            if (n->kind == DFR_KIND_INT && n->word[0] == rule)
                return true;
        }
    }
    return false;
}

static void find_tests(struct mutate_args *in, uint32_t rule)
{
    const struct dfr_program *p = in->copy;
    in->tests.n = 0;
    for (uint32_t pass = 0; pass < 2;
         pass++) /* those that name it notice most, so they come first */
        for (uint32_t i = 0; i < p->tests.n; i++) {
            const struct dfr_ptest *t = &p->tests.v[i];
            bool named = names_rule(p, t, rule);
            bool same = t->source.file == p->rules.v[rule].source.file;
            if (pass == 0 ? named : same && !named)
                *DFR_PUSH(&in->scratch->arena, &in->tests) = i;
        }
}

/* ---- Mutants ------------------------------------------------------------------------------- */

static enum dfr_op turned(enum dfr_op op)
{
    switch (op) {
    case DFR_OP_EQ:
        return DFR_OP_NE;
    case DFR_OP_NE:
        return DFR_OP_EQ;
    case DFR_OP_LT:
        return DFR_OP_GE;
    case DFR_OP_GE:
        return DFR_OP_LT;
    case DFR_OP_GT:
        return DFR_OP_LE;
    case DFR_OP_LE:
        return DFR_OP_GT;
    default:
        return op;
    }
}

/* What a change is called, from op.def's names: "<" rather than LT. */
static const char *sign(enum dfr_op op)
{
    switch (op) {
    case DFR_OP_EQ:
        return "==";
    case DFR_OP_NE:
        return "!=";
    case DFR_OP_LT:
        return "<";
    case DFR_OP_GE:
        return ">=";
    case DFR_OP_GT:
        return ">";
    case DFR_OP_LE:
        return "<=";
    case DFR_OP_IN:
    case DFR_OP_IN_RANGE:
        return "in";
    case DFR_OP_MATCHES:
        return "matches";
    case DFR_OP_CONTAINS:
        return "contains";
    case DFR_OP_HAS:
        return "has";
    case DFR_OP_HAS_SEQ:
        return "has seq";
    default:
        return NULL;
    }
}

static bool has_label(enum dfr_op op)
{
    return op == DFR_OP_AND_SKIP || op == DFR_OP_OR_SKIP || op == DFR_OP_NEXT;
}

static uint32_t moved(uint32_t label, uint32_t at)
{
    return label > at ? label + 1 : label;
}

/* Append a copy of `chunk` in which the comparison at word `at` says the opposite: another opcode,
 * or a NOT behind it, over which the labels move. */
static void append_turned(struct dfr_program *p, const struct dfr_pchunk *chunk, uint32_t at)
{
    const uint32_t *from = &p->code.v[chunk->first];
    enum dfr_op op = dfr_word_op(from[at]);
    bool insert = turned(op) == op;
    uint32_t n = p->code.n;
    for (uint32_t i = 0; i < chunk->count;) {
        enum dfr_op here = dfr_word_op(from[i]);
        uint32_t operand = dfr_word_operand(from[i]), extra = dfr_op_info(here)->extra;
        if (insert && has_label(here))
            operand = moved(operand, at);
        p->code.v[n++] = dfr_word(i == at ? turned(here) : here, operand);
        for (uint32_t k = 1; k <= extra; k++) {
            bool label = here == DFR_OP_FOLD && k == 2;
            p->code.v[n++] = insert && label ? moved(from[i + k], at) : from[i + k];
        }
        if (insert && i == at)
            p->code.v[n++] = dfr_word(DFR_OP_NOT, 0);
        i += 1 + extra;
    }
    struct dfr_pchunk copy = *chunk;
    copy.first = p->code.n;
    copy.count = n - p->code.n;
    p->chunks.v[p->chunks.n++] = copy;
    p->code.n = n;
}

static void put_survivor(struct mutate_args *in, const struct site *s, const char *change)
{
    const struct dfr_program *p = in->copy;
    struct dfr_str file = dfr_suite_file(p, s->source.file);
    struct dfr_str rule = dfr_program_text(p, p->rules.v[s->rule].name);
    struct dfr_buf *b = &in->out;
    if (in->format != DFR_FORMAT_TEXT) {
        dfr_json_open(&in->json, NULL, '{');
        dfr_json_str(&in->json, "rule", rule);
        dfr_json_text(&in->json, "file", file);
        dfr_json_int(&in->json, "line", s->source.line);
        dfr_json_int(&in->json, "column", s->source.column);
        dfr_json_z(&in->json, "change", change);
        dfr_json_str(&in->json, "in", s->what);
        dfr_json_int(&in->json, "tests", in->tests.n);
        dfr_json_close(&in->json, '}');
        return;
    }
    dfr_buf_safe(b, file);
    dfr_buf_printf(b, ":%u:%u: %s: %s", s->source.line, s->source.column,
                   in->tests.n ? "no test notices" : "no test at all", change);
    dfr_buf_z(b, " in `");
    dfr_buf_safe(b, s->what);
    dfr_buf_z(b, "` of ");
    dfr_buf_safe(b, rule);
    dfr_buf_char(b, '\n');
}

/* Run the rule's tests over the changed program until one fails. */
static enum dfr_status try_mutant(struct mutate_args *in, const struct site *s, const char *change,
                                  struct dfr_err *err)
{
    struct dfr_engine *engine;
    dfr_arena_reset(&in->scratch->work);
    enum dfr_status status = dfr_engine_new(&in->scratch->work, in->copy, &engine, err);
    if (status != DFR_OK)
        return status;
    for (uint32_t i = 0; i < in->tests.n; i++) {
        struct dfr_verdicts v;
        if (dfr_suite_run(&in->suite, engine, in->tests.v[i], true, true, &v) != DFR_TEST_PASSED) {
            in->killed++;
            return DFR_OK;
        }
    }
    in->survived++;
    put_survivor(in, s, change);
    return DFR_OK;
}

static enum dfr_status try_conditions(struct mutate_args *in, const struct site *s,
                                      struct dfr_err *err)
{
    struct dfr_program *p = in->copy;
    uint32_t chunk = *s->chunk, code_n = p->code.n, chunk_n = p->chunks.n;
    struct dfr_pchunk c = p->chunks.v[chunk];
    enum dfr_status status = DFR_OK;
    for (uint32_t i = 0; i < c.count && status == DFR_OK;) {
        enum dfr_op op = dfr_word_op(p->code.v[c.first + i]);
        if (sign(op)) {
            char change[64];
            if (turned(op) != op)
                snprintf(change, sizeof change, "%s turned to %s", sign(op), sign(turned(op)));
            else
                snprintf(change, sizeof change, "%s turned to not %s", sign(op), sign(op));
            append_turned(p, &c, i);
            *s->chunk = chunk_n;
            status = try_mutant(in, s, change, err);
            *s->chunk = chunk;
            p->code.n = code_n;
            p->chunks.n = chunk_n;
        }
        i += 1 + dfr_op_info(op)->extra;
    }
    return status;
}

static enum dfr_status try_rule(struct mutate_args *in, uint32_t rule, struct dfr_err *err)
{
    find_sites(in, rule);
    find_tests(in, rule);
    enum dfr_status status = DFR_OK;
    for (uint32_t i = 0; i < in->sites.n && status == DFR_OK; i++) {
        const struct site *s = &in->sites.v[i];
        if (s->chunk) {
            status = try_conditions(in, s, err);
        } else {
            char change[64];
            snprintf(change, sizeof change, "weight %+d turned to %+d", *s->weight, -*s->weight);
            *s->weight = -*s->weight;
            status = try_mutant(in, s, change, err);
            *s->weight = -*s->weight;
        }
    }
    return status;
}

/* A test that fails anyway would kill every mutant. */
static enum dfr_status must_pass(struct mutate_args *in, struct dfr_err *err)
{
    const struct dfr_program *p = in->copy;
    for (uint32_t i = 0; i < p->tests.n; i++) {
        struct dfr_verdicts v;
        dfr_arena_reset(&in->scratch->work);
        if (dfr_suite_run(&in->suite, in->rules->engine, i, false, true, &v) == DFR_TEST_PASSED)
            continue;
        struct dfr_str name = dfr_program_text(p, p->tests.v[i].name);
        return dfr_fail(err, DFR_MISUSE, "the test \"%.*s\" fails as it is; mend it first",
                        (int)name.len, name.p);
    }
    return DFR_OK;
}

static enum dfr_status try_rules(struct mutate_args *in, struct dfr_err *err)
{
    struct dfr_str only = dfr_str_of(in->options.only);
    enum dfr_status status = must_pass(in, err);
    for (uint32_t i = 0; i < in->copy->rules.n && status == DFR_OK; i++) {
        const struct dfr_prule *r = &in->copy->rules.v[i];
        dfr_arena_reset(&in->scratch->work);
        if ((!only.len || dfr_str_find_ci(dfr_program_text(in->copy, r->name), only) != SIZE_MAX) &&
            dfr_suite_wants_file(&in->suite, r->source.file))
            status = try_rule(in, i, err);
    }
    return status;
}

static enum dfr_status mutate_body(void *args, struct dfr_err *err)
{
    struct mutate_args *in = args;
    struct dfr_arena *a = &in->scratch->arena;
    struct dfr_json *j = &in->json;
    bool json = in->format != DFR_FORMAT_TEXT;
    in->copy = copy_program(a, &in->rules->program);
    dfr_suite_init(&in->suite, in->copy, &in->options, a, &in->scratch->work);
    dfr_api_buf(&in->out, a);
    if (json) {
        dfr_json_init(j, in->format == DFR_FORMAT_JSON, &in->out);
        dfr_json_open(j, NULL, '{');
        dfr_json_z(j, "schema", "dfrule/mutation/1");
        dfr_json_open(j, "survivors", '[');
    }
    enum dfr_status status = try_rules(in, err);
    if (status != DFR_OK)
        return status;
    if (json) {
        dfr_json_close(j, ']');
        dfr_json_int(j, "killed", in->killed);
        dfr_json_int(j, "survived", in->survived);
        dfr_json_close(j, '}');
        dfr_json_end(j);
    } else {
        dfr_buf_printf(&in->out, "%u killed, %u survived\n", in->killed, in->survived);
    }
    return dfr_api_emit(&in->out, in->write, in->user, err);
}

dfr_result dfr_rules_mutate(const dfr_rules *rules, const dfr_test_options *options,
                            dfr_format format, const dfr_style *style, dfr_write_fn write,
                            void *user, uint32_t *ret_killed, uint32_t *ret_survived,
                            dfr_error *error)
{
    struct dfr_scratch scratch;
    struct mutate_args args = {.scratch = &scratch,
                               .rules = rules,
                               .format = format,
                               .style = dfr_api_style(style),
                               .write = write,
                               .user = user};
    if (!dfr_api_format_ok(format, error) ||
        !dfr_api_options(&args.options, sizeof args.options, options, error))
        return DFR_RESULT_MISUSE;
    dfr_scratch_init(&scratch, &rules->handle.memory);
    dfr_result result = dfr_api_run(&scratch.mem, mutate_body, &args, error);
    dfr_scratch_deinit(&scratch);
    if (result == DFR_RESULT_OK) {
        *ret_killed = args.killed;
        *ret_survived = args.survived;
    }
    return result;
}
