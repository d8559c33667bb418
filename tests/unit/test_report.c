/* Answers, facts and explanations as text and JSON. Golden files stand in tests/golden; DFR_BLESS=1
 * rewrites them. */
#include <jansson.h>
#include <stdlib.h>

#include "doublefault.h"
#include "report/jsonw.h"
#include "report/page.h"
#include "report/words.h"

TestSuite(report, .init = begin, .fini = end);

static struct dfr_buf *fresh(void)
{
    struct dfr_buf *b = DFR_NEW(&arena, struct dfr_buf);
    dfr_buf_init(b, &arena);
    return b;
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
    FILE *f = fopen(path, "rb");
    cr_assert(f != NULL, "%s is not there; run from the top folder, or with DFR_BLESS=1", path);
    char *want = dfr_arena_alloc(&arena, b->len + 2);
    size_t n = fread(want, 1, b->len + 1, f);
    fclose(f);
    if (n == b->len && memcmp(want, b->p, n) == 0)
        return true;
    fprintf(stderr, "%s differs; this is what was printed:\n%.*s", path, (int)b->len, b->p);
    return false;
}

static json_t *parsed(const struct dfr_buf *b)
{
    json_error_t e;
    json_t *ret = json_loadb(b->p, b->len, JSON_REJECT_DUPLICATES, &e);
    cr_assert(ret != NULL, "%s at %d", e.text, e.position);
    return ret;
}

static struct dfr_report report_of(struct dfr_ranking *r)
{
    dfr_rank(&eval, &arena, r);
    return (struct dfr_report){.input = {.path = S("double_fault.txt")}, .ranking = r};
}

static void titles(struct double_fault d)
{
    program.causes.v[d.overflow].title = T("Kernel stack exhausted");
    program.causes.v[d.outdated].title = T("Outdated driver contributes");
}

Test(report, double_fault)
{
    struct dfr_ranking r;
    double_fault_facts();
    titles(double_fault());
    struct dfr_report report = report_of(&r);
    struct dfr_buf *b = fresh();
    dfr_report_text(&report, NULL, b);
    cr_expect(same_as_golden("report_double_fault.txt", b));
    b = fresh();
    dfr_report_text(&report,
                    &(struct dfr_report_style){.verbose = true, .ascii = true, .columns = 60}, b);
    cr_expect(same_as_golden("report_double_fault_verbose.txt", b));
    b = fresh();
    dfr_report_text(&report, &(struct dfr_report_style){.color = true}, b);
    cr_expect(same_as_golden("report_double_fault_color.txt", b));
    b = fresh();
    dfr_report_json(&report, true, b);
    cr_expect(same_as_golden("report_double_fault.json", b));
    b = fresh();
    dfr_report_json(&report, false, b);
    cr_expect_eq(b->p[b->len - 1], '\n');
    cr_expect_eq(memchr(b->p, '\n', b->len), b->p + b->len - 1, "one line");
    json_decref(parsed(b));
}

Test(report, facts)
{
    double_fault_facts();
    struct dfr_report_input input = {.path = S("double_fault.txt")};
    struct dfr_buf *b = fresh();
    dfr_report_facts_text(&facts, &input, NULL, b);
    cr_expect(same_as_golden("report_facts.txt", b));
    b = fresh();
    dfr_report_facts_json(&facts, &input, true, b);
    cr_expect(same_as_golden("report_facts.json", b));
}

/* A rule with conditions, one of each truth. */
Test(report, explain)
{
    double_fault_facts();
    titles(double_fault());
    static const char *const texts[] = {"bugcheck.code == 0x7F", "bugcheck.arg1 == 0",
                                        "cpu.irql > 2"};
    eval.hits.v[0] = eval.hits.v[1];
    eval.hits.n = 1; /* as an evaluation of one rule alone gives it */
    struct dfr_hit *h = &eval.hits.v[0];
    struct dfr_prule *rule = &program.rules.v[h->rule];
    rule->clauses = program.clauses.n;
    rule->clause_count = 3;
    for (uint32_t i = 0; i < 3; i++)
        *DFR_PUSH(&arena, &program.clauses) =
            (struct dfr_pclause){.order = 2 - i, .text = T(texts[2 - i])};
    h->clauses = DFR_NEW_N(&arena, 3, struct dfr_tv);
    h->clauses[0] = open_for(missing(DFR_F_CPU_CURRENT_IRQL, ""));
    h->clauses[1] = is(false, cell(DFR_F_BUGCHECK_ARG1, DFR_NONE));
    h->clauses[2] = is(true, cell(DFR_F_BUGCHECK_CODE, DFR_NONE));
    struct dfr_report_input input = {.path = S("double_fault.txt")};
    struct dfr_buf *b = fresh();
    dfr_report_explain_text(&eval, h->rule, DFR_EXPLAIN, &input, NULL, b);
    cr_expect(same_as_golden("report_explain.txt", b));
    b = fresh();
    dfr_report_explain_json(&eval, h->rule, DFR_EXPLAIN, &input, true, b);
    cr_expect(same_as_golden("report_explain.json", b));
    h->status = DFR_HIT_FALSE;
    h->when = is(false, cell(DFR_F_BUGCHECK_ARG1, DFR_NONE));
    b = fresh();
    dfr_report_explain_text(&eval, h->rule, DFR_WHY_NOT, &input, NULL, b);
    cr_expect(same_as_golden("report_why_not.txt", b));
}

Test(report, nothing_sure)
{
    struct dfr_ranking r;
    double_fault_facts();
    struct dfr_report report = report_of(&r);
    struct dfr_buf *b = fresh();
    dfr_report_text(&report, NULL, b);
    cr_expect(same_as_golden("report_nothing.txt", b));
    b = fresh();
    dfr_report_json(&report, true, b);
    cr_expect(same_as_golden("report_nothing.json", b));
    /* Only a possible cause, and one whose subject is not known. */
    uint32_t cause = a_cause("driver.fault", "contributor", 0);
    program.causes.v[cause].title = T("A driver misbehaved");
    struct dfr_hit *h = a_hit(a_rule("pack.maybe", cause, 0), DFR_HIT_FIRED);
    h->subject = open_for(missing(DFR_F_STACK, ""));
    h->subject.v.kind = DFR_KIND_MODULE;
    for_it(h, 10, "a driver was running", open_for(missing(DFR_F_STACK, "")));
    h->unless = open_for(missing(DFR_F_VERIFIER_ENABLED, ""));
    program.rules.v[h->rule].unless_text = T("verifier.enabled");
    struct dfr_advised *a =
        an_advice(h, an_action("update", DFR_COST_UPDATE, 60), "Update (not known).", "");
    a->held = true;
    a->missing = missing(DFR_F_STACK, "");
    report = report_of(&r);
    b = fresh();
    dfr_report_text(&report, NULL, b);
    cr_expect(same_as_golden("report_possible.txt", b));
    b = fresh();
    dfr_report_json(&report, true, b);
    cr_expect(same_as_golden("report_possible.json", b));
}

Test(report, several_crashes)
{
    struct dfr_ranking r;
    static struct dfr_facts other;
    double_fault_facts();
    dfr_facts_init(&other, &arena);
    dfr_facts_set(&other, DFR_F_BUGCHECK_CODE, dfr_v_int(0xd1));
    const struct dfr_facts *all[] = {&other, &facts};
    struct dfr_report report = report_of(&r);
    report.input.crashes = all;
    report.input.crash_count = 2;
    report.input.crash = 1;
    struct dfr_buf *b = fresh();
    dfr_report_text(&report, NULL, b);
    struct dfr_str text = dfr_buf_text(b);
    cr_expect(dfr_str_starts(text, S("double_fault.txt, crash 2 of 2\nBug check 0x7F")));
    cr_expect_neq(dfr_str_find(text, S("1: 0xD1 DRIVER_IRQL_NOT_LESS_OR_EQUAL")), SIZE_MAX);
    struct dfr_report other_answer = report_of(&r);
    report.others = &other_answer;
    report.other_count = 1;
    b = fresh();
    dfr_report_json(&report, false, b);
    json_t *j = parsed(b), *others = json_object_get(j, "other_crashes");
    cr_expect_eq(json_array_size(others), 1);
    cr_expect_neq(json_object_get(json_array_get(others, 0), "causes"), NULL);
    json_decref(j);
}

Test(report, hostile_text)
{
    static const char evil[] = "\033[2Jx\xFF\xE2\x80\xAE\"\\\x01\n";
    struct dfr_ranking r;
    double_fault();
    uint32_t row = dfr_facts_module_row(&facts, S("iaStor"));
    dfr_facts_cell(&facts, DFR_F_MODULES_IMAGE, row,
                   dfr_v_str((struct dfr_str){evil, sizeof evil - 1}));
    for (uint32_t i = 0; i < eval.hits.n; i++) {
        eval.hits.v[i].subject = module_named("iaStor");
        for (uint32_t k = 0; k < eval.hits.v[i].item_count; k++)
            eval.hits.v[i].items[k].label = S(evil);
        for (uint32_t k = 0; k < eval.hits.v[i].advice_count; k++)
            eval.hits.v[i].advice[k].text = S(evil);
    }
    struct dfr_report report = report_of(&r);
    report.input.path = S(evil);
    struct dfr_buf *b = fresh();
    dfr_report_text(&report, &(struct dfr_report_style){.verbose = true}, b);
    dfr_report_facts_text(&facts, &report.input, NULL, b);
    dfr_report_explain_text(&eval, 0, DFR_EXPLAIN, &report.input, NULL, b);
    for (size_t i = 0; i < b->len; i++)
        cr_assert((unsigned char)b->p[i] >= 0x20 || b->p[i] == '\n', "byte %02x at %zu",
                  (unsigned)b->p[i], i);
    cr_expect_eq(dfr_str_find(dfr_buf_text(b), S("\xE2\x80\xAE")), SIZE_MAX);
    b = fresh();
    dfr_report_json(&report, true, b);
    json_t *j = parsed(b);
    const char *text = json_string_value(
        json_object_get(json_array_get(json_object_get(j, "actions"), 0), "text"));
    cr_expect_str_eq(text, "\033[2Jx\xEF\xBF\xBD\xE2\x80\xAE\"\\\x01\n");
    json_decref(j);
    for (size_t i = 0; i < b->len; i++)
        cr_assert((unsigned char)b->p[i] >= 0x20 || b->p[i] == '\n');
}

Test(report, module_names)
{
    static const struct {
        const char *spelled, *shown;
    } rows[] = {
        {"iaStor", "iaStor.sys"},
        {"nt", "nt"},
        {"ntkrnlmp.exe", "nt"},
        {"hal", "hal.dll"},
        {"Wdf01000", "Wdf01000.sys"},
        {"rtwlane", "rtwlane13.sys"},
        {"mcupdate_AuthenticAMD", "mcupdate_AuthenticAMD.dll"},
    };
    uint32_t row = dfr_facts_module_row(&facts, S("rtwlane"));
    dfr_facts_cell(&facts, DFR_F_MODULES_IMAGE, row, dfr_v_str(S("rtwlane13.sys")));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dfr_value v = dfr_facts_module(&facts, S(rows[i].spelled));
        struct dfr_buf *b = fresh();
        dfr_report_module_name(&facts, &v, b);
        cr_expect_str_eq(b->p, rows[i].shown);
    }
}

Test(report, wrapping)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"", "> \n"},
        {"short", "> short\n"},
        {"one two three four five six seven 8 nine",
         "> one two three four five six seven 8\n  nine\n"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "> aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n  aaaaaaaaaaaaaa\n"},
        {"two\nlines", "> two\n  lines\n"},
        {"\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6"
         "\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2"
         "\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6"
         "\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2",
         "> "
         "\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6"
         "\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2"
         "\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6"
         "\xBC\xA2\xE6\xBC\xA2\n  \xE6\xBC\xA2\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dfr_page p;
        struct dfr_buf *b = fresh();
        dfr_page_init(&p, &(struct dfr_report_style){.columns = 40}, b);
        dfr_page_para(&p, DFR_INK_PLAIN, S("> "), DFR_INK_PLAIN, S(rows[i].text), S(""),
                      DFR_INK_PLAIN);
        cr_expect_str_eq(b->p, rows[i].shown);
    }
}

Test(report, json_strings)
{
    static const struct {
        const char *text, *json;
    } rows[] = {
        {"plain", "\"plain\"\n"},
        {"q\"b\\", "\"q\\\"b\\\\\"\n"},
        {"tab\tnl\n", "\"tab\\tnl\\n\"\n"},
        {"\x1b\x7f", "\"\\u001b\\u007f\"\n"},
        {"\xC2\x85", "\"\\u0085\"\n"},
        {"\xE2\x80\xAE", "\"\\u202e\"\n"},
        {"\xC3\xA9", "\"\xC3\xA9\"\n"},
        {"\xC3", "\"\xEF\xBF\xBD\"\n"},
        {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dfr_json j;
        struct dfr_buf *b = fresh();
        dfr_json_init(&j, false, b);
        dfr_json_str(&j, NULL, S(rows[i].text));
        dfr_json_end(&j);
        cr_expect_str_eq(b->p, rows[i].json);
    }
}
