/* From rule text and transcript to the answer: the double fault that the language reference works
 * out by hand, with its sums, and golden answers. DFR_BLESS=1 rewrites the golden files. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/compile.h"
#include "report/report.h"
#include "text/transcript.h"

static struct dfr_mem mem;
static jmp_buf guard;
static struct dfr_arena arena;
static struct dfr_program program;
static struct dfr_engine *engine;
static struct dfr_transcript transcript;

static struct dfr_str slurp(const char *path)
{
    FILE *f = fopen(path, "rb");
    cr_assert(f != NULL, "%s is not there; run from the top folder", path);
    size_t cap = 1u << 20;
    char *p = dfr_arena_alloc(&arena, cap);
    size_t n = fread(p, 1, cap, f);
    fclose(f);
    return (struct dfr_str){p, n};
}

static const char text_path[] = "corpus/transcripts/double_fault_iastor.txt";

static void begin(void)
{
    struct dfr_err err = {0};
    struct dfr_diags diags;
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    if (setjmp(guard))
        cr_assert_fail("out of memory");
    dfr_arena_init(&arena, &mem);
    dfr_program_init(&program, &arena);
    dfr_diags_init(&diags, &arena);
    struct dfr_compile_source source = {.path = dfr_str_from("tests/golden/worked.dfr"),
                                        .text = slurp("tests/golden/worked.dfr")};
    enum dfr_status s =
        dfr_compile(&arena, &source, 1, &(struct dfr_compile_options){0}, &diags, &program, &err);
    for (uint32_t i = 0; i < diags.n; i++)
        fprintf(stderr, "%u: %.*s\n", diags.v[i].line, (int)diags.v[i].message.len,
                diags.v[i].message.p);
    cr_assert_eq(s, DFR_OK, "%s", err.message);
    cr_assert_eq(dfr_engine_new(&arena, &program, &engine, &err), DFR_OK, "%s", err.message);
    cr_assert_eq(dfr_transcript_read(&arena, slurp(text_path), NULL, &transcript, &err), DFR_OK,
                 "%s", err.message);
}

static void end(void)
{
    dfr_arena_deinit(&arena);
    cr_assert_eq(mem.live, 0);
}

TestSuite(worked, .init = begin, .fini = end);

static struct dfr_eval evaluated(uint32_t only_rule)
{
    struct dfr_eval e;
    struct dfr_err err = {0};
    cr_assert_eq(dfr_eval_run(engine, &transcript.crashes[0],
                              &(struct dfr_eval_options){.only_rule = only_rule}, &arena, &e, &err),
                 DFR_OK, "%s", err.message);
    return e;
}

static bool same_as_golden(const char *name, const struct dfr_buf *b)
{
    char path[256];
    snprintf(path, sizeof path, "tests/golden/%s", name);
    if (getenv("DFR_BLESS")) {
        FILE *f = fopen(path, "wb");
        cr_assert(f && fwrite(b->p, 1, b->len, f) == b->len && fclose(f) == 0, "%s", path);
        return true;
    }
    if (dfr_str_eq(slurp(path), dfr_buf_text(b)))
        return true;
    fprintf(stderr, "%s differs; this is what was printed:\n%.*s", path, (int)b->len, b->p);
    return false;
}

Test(worked, sums)
{
    struct dfr_eval e = evaluated(DFR_NONE);
    struct dfr_ranking r;
    dfr_rank(&e, &arena, &r);
    cr_assert_eq(r.shown_count, 2);
    cr_expect_eq(r.causes[0].score_db, 10);
    cr_expect_eq(r.causes[0].min_db, -20);
    cr_expect_eq(r.causes[0].max_db, 23);
    cr_expect_not(r.causes[0].settled);
    cr_expect_eq(r.causes[1].score_db, 8);
    cr_expect_eq(r.actions[0].helps_permille, 780);
    cr_expect_eq(r.actions[0].support_count, 2);
    cr_expect_eq(r.collect[0].flips_first, true);
    cr_expect(dfr_str_eq(r.collect[0].command, DFR_STR("!thread; kv 100")));
    cr_expect(dfr_str_eq(r.causes[r.culprit].key, DFR_STR("iastor")));
}

Test(worked, answer)
{
    struct dfr_eval e = evaluated(DFR_NONE);
    struct dfr_ranking r;
    struct dfr_buf b;
    dfr_rank(&e, &arena, &r);
    struct dfr_report report = {.input = {.path = dfr_str_from(text_path)}, .ranking = &r};
    dfr_buf_init(&b, &arena);
    dfr_report_text(&report, NULL, &b);
    cr_expect(same_as_golden("worked.txt", &b));
    dfr_buf_init(&b, &arena);
    dfr_report_json(&report, true, &b);
    cr_expect(same_as_golden("worked.json", &b));
}

Test(worked, explained)
{
    struct dfr_report_input input = {.path = dfr_str_from(text_path)};
    for (uint32_t rule = 0; rule < program.rules.n; rule++) {
        struct dfr_eval e = evaluated(rule);
        struct dfr_str name = dfr_program_text(&program, program.rules.v[rule].name);
        if (dfr_str_find(name, DFR_STR("kernel_stack_overflow")) == SIZE_MAX)
            continue;
        struct dfr_buf b;
        dfr_buf_init(&b, &arena);
        dfr_report_explain_text(&e, rule, DFR_EXPLAIN, &input, NULL, &b);
        cr_expect(same_as_golden("worked_explain.txt", &b));
        dfr_buf_init(&b, &arena);
        dfr_report_explain_json(&e, rule, DFR_EXPLAIN, &input, true, &b);
        cr_expect(same_as_golden("worked_explain.json", &b));
    }
}
