/* Labels, outcomes, sums and the gate. */
#include "handmade.h"

#include "measure/history.h"

TestSuite(measure, .init = begin, .fini = end);

static struct dfr_labels labels;
static struct dfr_err err;

static enum dfr_status read_labels(const char *text)
{
    return dfr_labels_read(&arena, S("labels.tsv"), S(text), &labels, &err);
}

Test(measure, labels_are_read_by_the_names_of_their_columns)
{
    cr_assert_eq(read_labels("# a comment\n\nfile\tculprit\tbugcheck\tdecidable\tunheard\twrong\n"
                             "a/b.txt\tfoo.sys\t0x7f\tpartly\tx\tnt,os.nt\r\n"
                             "edb-1.txt\tunknown\n"),
                 DFR_OK);
    cr_assert_eq(labels.rows.n, 2);
    const struct dfr_label *l = labels.rows.v;
    cr_expect(dfr_str_eq(l[0].file, S("a/b.txt")));
    cr_expect_eq(l[0].code, 0x7F);
    cr_expect_eq(l[0].decidable, DFR_DECIDABLE_PARTLY);
    cr_expect(dfr_str_eq(l[0].source, S("a")));
    cr_expect(dfr_str_eq(l[0].wrong, S("nt,os.nt")));
    cr_expect_eq(l[1].code, -1);
    cr_expect(dfr_str_eq(l[1].source, S("edb")));
    cr_expect(dfr_label_is_unknown(&l[1]));
}

Test(measure, wrong_labels_name_their_line)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "labels.tsv: there are no labels in it"},
        {"a.txt\tfoo\n", "labels.tsv:1: labels begin with the names of their columns, `file` and "
                         "`culprit` among them, parted by tabs"},
        {"file\tculprit\na.txt\t-\n",
         "labels.tsv:2: the culprit is missing; write `unknown` where nobody can be named"},
        {"file\tculprit\n../a.txt\tx\n",
         "labels.tsv:2: a file stands below the folder of its labels: ../a.txt"},
        {"file\tculprit\n/a.txt\tx\n",
         "labels.tsv:2: a file stands below the folder of its labels: /a.txt"},
        {"file\tculprit\na\tx\na\ty\n", "labels.tsv:3: this file has a label already: a"},
        {"file\tculprit\na\tx\ty\n", "labels.tsv:2: more cells than columns"},
        {"file\tculprit\tbugcheck\na\tx\tDEADBEEF1\n",
         "labels.tsv:2: this is no bug check code: DEADBEEF1"},
        {"file\tculprit\tdecidable\na\tx\tperhaps\n",
         "labels.tsv:2: `decidable` is yes, partly or no, not: perhaps"},
        {"file\tculprit\tlabel_strength\na\tx\thigh\n",
         "labels.tsv:2: `label_strength` is strong or weak, not: high"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(read_labels(cases[i].text), DFR_MISUSE, "%s", cases[i].text);
        cr_expect_str_eq(err.message, cases[i].message);
    }
}

Test(measure, names_compare_as_modules_and_classes)
{
    static const struct {
        const char *list, *name;
        bool in;
    } cases[] = {
        {"foo.sys", "FOO", true},
        {"a.sys, b.sys", "b", true},
        {"a.sys", "b", false},
        {"nt", "ntoskrnl.exe", true},
        {"os.nt", "nt", false},
        {"nt", "os.nt", false},
        {"hw.memory", "hw.memory", true},
        {"hw.memory", "hw.cpu", false},
        {"", "x", false},
        {"x", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(dfr_label_lists(S(cases[i].list), S(cases[i].name)), cases[i].in, "%s in %s",
                     cases[i].name, cases[i].list);
}

Test(measure, mechanisms_fit_causes)
{
    struct dfr_label l = {.mechanism = S("null_deref")};
    cr_expect_eq(dfr_label_mechanism(&l, S("access.null")), DFR_FIT_YES);
    cr_expect_eq(dfr_label_mechanism(&l, S("some.pack.access.null")), DFR_FIT_YES);
    cr_expect_eq(dfr_label_mechanism(&l, S("pool.corruption")), DFR_FIT_NO);
    l.mechanism = S("other");
    cr_expect_eq(dfr_label_mechanism(&l, S("access.null")), DFR_FIT_UNKNOWN);
}

/* An answer of named causes, the first one best. */
struct named {
    const char *module; /* NULL: names nobody */
    int32_t score;
};

static struct dfr_case judged(const struct dfr_label *l, const struct named *v, uint32_t n)
{
    struct dfr_ranking r = {.eval = &eval, .culprit = DFR_NONE};
    struct dfr_case c;
    uint32_t cause = a_cause("core.driver.fault", "contributor", 0);
    r.causes = DFR_NEW_N(&arena, n + 1, struct dfr_ranked_cause);
    for (uint32_t i = 0; i < n; i++) {
        struct dfr_ranked_cause *to = &r.causes[i];
        *to = (struct dfr_ranked_cause){
            .cause = cause, .score_db = v[i].score, .strength = dfr_verdict_of(v[i].score)};
        if (v[i].module) {
            to->subject.v = dfr_facts_module(&facts, S(v[i].module));
            to->key = S(v[i].module);
            if (r.culprit == DFR_NONE && v[i].score >= DFR_SCORE_LIKELY)
                r.culprit = i;
        }
    }
    r.cause_count = r.shown_count = n;
    dfr_judge(l, &r, &arena, &c);
    return c;
}

Test(measure, outcomes)
{
    const struct dfr_label foo = {.culprit = S("foo.sys"), .also_ok = S("bar"), .wrong = S("nt")};
    const struct dfr_label nobody = {.culprit = S("unknown"), .wrong = S("nt,foo.sys")};
    static const struct {
        bool known;
        struct named v[4];
        uint32_t n;
        enum dfr_outcome_kind outcome;
        bool in_three;
    } cases[] = {
        {true, {{"foo", 12}}, 1, DFR_OUTCOME_RIGHT, true},
        {true, {{"bar.sys", 1}}, 1, DFR_OUTCOME_RIGHT, true},
        {true, {{"other", 12}, {NULL, 5}, {"foo", 4}}, 3, DFR_OUTCOME_NEAR, true},
        {true, {{"x", 9}, {"y", 8}, {"z", 7}, {"foo", 6}}, 4, DFR_OUTCOME_OTHER, false},
        {true, {{NULL, 12}}, 1, DFR_OUTCOME_SILENT, false},
        {true, {{0}}, 0, DFR_OUTCOME_SILENT, false},
        {true, {{"nt", 9}}, 1, DFR_OUTCOME_WRONG, false},
        {true, {{"nt", 10}}, 1, DFR_OUTCOME_CONFIDENT, false},
        /* The culprit comes first, and yet the answer is sure of what is ruled out. */
        {true, {{"foo", 20}, {"nt", 10}}, 2, DFR_OUTCOME_CONFIDENT, true},
        {false, {{NULL, 25}}, 1, DFR_OUTCOME_RIGHT, false},
        {false, {{"foo", 2}}, 1, DFR_OUTCOME_RIGHT, false},
        {false, {{"foo", 3}}, 1, DFR_OUTCOME_WRONG, false},
        {false, {{"zed", 3}}, 1, DFR_OUTCOME_OTHER, false},
        {false, {{"foo", 10}}, 1, DFR_OUTCOME_CONFIDENT, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dfr_case c = judged(cases[i].known ? &foo : &nobody, cases[i].v, cases[i].n);
        cr_expect_eq(c.outcome, cases[i].outcome, "case %zu: %s", i, dfr_outcome_word(c.outcome));
        cr_expect_eq(c.in_three, cases[i].in_three, "case %zu", i);
    }
}

Test(measure, the_debugger_is_judged_by_the_same_label)
{
    static const struct {
        const char *image;
        enum dfr_guess guess;
    } cases[] = {{"memory_corruption", DFR_GUESS_OTHER},
                 {"Unknown_Image", DFR_GUESS_NONE},
                 {"GenuineIntel.sys", DFR_GUESS_WRONG}};
    const struct dfr_label l = {.culprit = S("foo.sys"), .wrong = S("genuineintel.sys")};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        facts.scalars[DFR_F_ANALYZE_IMAGE] = dfr_v_str(S(cases[i].image));
        cr_expect_eq(judged(&l, NULL, 0).guess, cases[i].guess, "%s", cases[i].image);
    }
    facts.scalars[DFR_F_ANALYZE_SUSPECT] = dfr_facts_module(&facts, S("foo"));
    cr_expect_eq(judged(&l, NULL, 0).guess, DFR_GUESS_RIGHT);
}

Test(measure, the_gate_tells_worse_from_better)
{
    cr_assert_eq(read_labels("file\tculprit\na\tx.sys\nb\ty.sys\nnew\tz.sys\n"), DFR_OK);
    struct dfr_case v[] = {
        {.label = &labels.rows.v[0], .outcome = DFR_OUTCOME_SILENT, .code = -1},
        {.label = &labels.rows.v[1], .outcome = DFR_OUTCOME_RIGHT, .code = -1, .lead = S("y")},
        {.label = &labels.rows.v[2], .outcome = DFR_OUTCOME_RIGHT, .code = -1}};
    struct dfr_figures f;
    struct dfr_buf out;
    uint32_t worse, better;
    dfr_figures_sum(&program, &labels, v, 3, &arena, &f);
    dfr_buf_init(&out, &arena);
    cr_assert_eq(dfr_figures_against(&f, S("FIGURES"),
                                     S("# before\nfile\toutcome\tnamed\n"
                                       "a\tright\tx\nb\tother\tq\ngone\tright\tg\n"),
                                     &arena, &out, &worse, &better, &err),
                 DFR_OK);
    cr_expect_eq(worse, 2);
    cr_expect_eq(better, 1);
    cr_expect_str_eq(dfr_arena_copy(&arena, out.p, out.len),
                     "worse   a: was right (x), is silent (-)\n"
                     "better  b: was other (q), is right (y)\n"
                     "worse   gone: was right (g), is not there any more\n"
                     "3 cases, 2 worse, 1 better, 1 new\n");
    cr_expect_eq(dfr_figures_against(&f, S("FIGURES"), S("a\tfine\tx\n"), &arena, &out, &worse,
                                     &better, &err),
                 DFR_MISUSE);
    cr_expect_str_eq(err.message, "FIGURES:1: no such outcome: fine");
}

Test(measure, precision_recall_and_lift)
{
    const struct dfr_rule_figures f = {.fired = 9,
                                       .cases = 5,
                                       .judged = 8,
                                       .right = 6,
                                       .found = 4,
                                       .truths = 8,
                                       .base_true = 10,
                                       .base_all = 40};
    cr_expect_eq(dfr_rule_precision(&f), 750);
    cr_expect_eq(dfr_rule_recall(&f), 500);
    cr_expect_eq(dfr_rule_lift(&f), 3000);
    const struct dfr_rule_figures none = {.fired = 1};
    cr_expect_eq(dfr_rule_precision(&none), -1);
    cr_expect_eq(dfr_rule_recall(&none), -1);
    cr_expect_eq(dfr_rule_lift(&none), -1);
}

/* ---- Several crashes ------------------------------------------------------------------------ */

static struct dfr_past past(const char *lead, bool is_class, int64_t code, uint64_t arg,
                            int64_t time)
{
    struct dfr_facts *f = DFR_NEW(&arena, struct dfr_facts);
    dfr_facts_init(f, &arena);
    f->scalars[DFR_F_BUGCHECK_CODE] = dfr_v_int(code);
    for (uint32_t i = 0; i < 4; i++)
        f->scalars[DFR_F_BUGCHECK_ARG1 + i] = dfr_v_addr(arg);
    if (time)
        f->scalars[DFR_F_DUMP_TIME] = dfr_v_time(time, time);
    return (struct dfr_past){.path = S("x"),
                             .facts = f,
                             .answer = {.code = code, .lead = S(lead), .lead_strength = 2},
                             .lead_is_class = is_class,
                             .same_as = DFR_NONE};
}

Test(measure, what_crashes_have_in_common)
{
    const uint64_t high = UINT64_C(0xfffff80000000000);
    struct dfr_past v[] = {
        past("foo", false, 0x50, high, 100), past("FOO.sys", false, 0x3B, high + 1, 200),
        past("bar", false, 0x50, high + 2, 300), past("hw.memory", true, 0x1A, high + 3, 400),
        past("", false, 0xEF, high + 4, 500), past("foo", false, 0x50, high, 100),
        /* Small arguments say little: 0xE2 (0, 0, 0, 0) twice are two crashes. */
        past("deliberate", true, 0xE2, 0, 600), past("deliberate", true, 0xE2, 0, 600)};
    struct dfr_history h = {.v = v, .n = 8};
    dfr_history_sum(&h);
    cr_expect_eq(h.counted, 7);
    cr_expect_eq(h.v[5].same_as, 0);
    cr_expect_eq(h.codes, 5);
    cr_expect_eq(h.suspects, 2);
    cr_expect(dfr_str_eq(h.common, S("foo")));
    cr_expect_eq(h.common_count, 2);
    cr_expect_not(h.differ);

    struct dfr_facts f;
    dfr_history_machine(&h, &arena, &f);
    cr_expect_eq(f.tables[DFR_T_HISTORY].n, 7);
    cr_expect(f.tables[DFR_T_HISTORY].complete);
    cr_expect_eq(dfr_facts_scalar(&f, DFR_F_MACHINE_CRASHES)->as.n.lo, 7);
    cr_expect_eq(dfr_facts_scalar(&f, DFR_F_BUGCHECK_CODE)->state, DFR_ABSENT);
    dfr_history_of(&h, 1, &arena, &f);
    cr_expect_eq(f.tables[DFR_T_HISTORY].n, 6);
    cr_expect_eq(dfr_facts_scalar(&f, DFR_F_MACHINE_CRASHES)->state, DFR_ABSENT);
    cr_expect_eq(dfr_facts_scalar(&f, DFR_F_BUGCHECK_CODE)->as.n.lo, 0x3B);
    dfr_history_of(&h, 5, &arena, &f); /* a double is not its own history */
    cr_expect_eq(f.tables[DFR_T_HISTORY].n, 6);
}

Test(measure, two_that_share_the_first_place_are_not_common)
{
    const uint64_t high = UINT64_C(0xfffff80000000000);
    struct dfr_past v[] = {past("a", false, 1, high, 1), past("b", false, 2, high, 2),
                           past("a", false, 3, high, 3), past("b", false, 4, high, 4)};
    struct dfr_history h = {.v = v, .n = 4};
    dfr_history_sum(&h);
    cr_expect_eq(h.common.len, 0);
    ((struct dfr_facts *)v[3].facts)->scalars[DFR_F_DUMP_ARCH] =
        dfr_v_enum(DFR_E_ARCH, DFR_ARCH_X86);
    ((struct dfr_facts *)v[0].facts)->scalars[DFR_F_DUMP_ARCH] =
        dfr_v_enum(DFR_E_ARCH, DFR_ARCH_X64);
    dfr_history_sum(&h);
    cr_expect(h.differ);
}
