/* Rules over facts: what fires, waits, is removed or held back. */
#include "rule_words.h"

TestSuite(eval, .init = open_eval, .fini = close_eval);

/* --- Cases --- */

struct row {
    int line;
    const char *facts, *program;
    struct rule_words rule;
    const char *expected;
};

#define GATE "scalar bugcheck.code const i:0x7f eq"
#define OLD "const s:iaStor builtin module modcell modules.built const t:1300000000 lt"

static const struct row rows[] = {
    {__LINE__, "set bugcheck.code i:0x7f", "", {.name = "r", .when = {GATE}}, "r fired\n"},
    {__LINE__, "set bugcheck.code i:0x50", "", {.name = "r", .when = {GATE}}, ""},
    {__LINE__, "", "", {.name = "r", .when = {GATE}}, "r waiting ? bugcheck.code\n"},
    {__LINE__, "absent bugcheck.code", "", {.name = "r", .when = {GATE}}, ""},
    /* A clause that is open for good silences the rule, whatever else is missing. */
    {__LINE__, "complete modules", "", {.name = "r", .when = {GATE, OLD}}, ""},
    {__LINE__,
     "",
     "",
     {.name = "r", .when = {GATE, OLD}},
     "r waiting ? bugcheck.code modules(iaStor)\n"},
    {__LINE__, "set bugcheck.code i:0x50", "", {.name = "r", .when = {OLD, GATE}}, ""},
    /* unless */
    {__LINE__,
     "set bugcheck.code i:0x7f\nset dump.live b:1",
     "",
     {.name = "r", .when = {GATE}, .unless = "scalar dump.live"},
     "r removed\n"},
    {__LINE__,
     "set bugcheck.code i:0x7f",
     "",
     {.name = "r", .when = {GATE}, .unless = "scalar dump.live"},
     "r fired\n"},
    {__LINE__,
     "set dump.live b:1",
     "",
     {.name = "r", .when = {GATE}, .unless = "scalar dump.live"},
     ""},
    /* suppress */
    {__LINE__,
     "set bugcheck.code i:0x7f\nset dump.live b:1",
     "",
     {.name = "r", .when = {GATE}, .suppress = "scalar dump.live"},
     "r suppressed\n"},
    {__LINE__,
     "set bugcheck.code i:0x7f",
     "",
     {.name = "r", .when = {GATE}, .suppress = "scalar dump.live"},
     "r fired\n"},
    /* lets, subject, evidence */
    {__LINE__,
     "set bugcheck.code i:0x7f\nrow modules name=s:iaStor built=t:1200000000",
     "",
     {.name = "r",
      .when = {GATE},
      .let = {"const s:iaStor builtin module"},
      .subject = "let 0",
      .evidence = {"let 0 modcell modules.built const t:1300000000 lt", "table stack has nt!X"}},
     "r fired; subject iaStor; for true; for unknown ? stack\n"},
    /* each: one hit a row; an incomplete list has rows that wait */
    {__LINE__,
     "row modules name=s:a built=t:1200000000\nrow modules name=s:b",
     "list: m:a m:b m:c",
     {.name = "r",
      .each = "listref 0",
      .when = {"var 0 record 0 builtin module modcell modules.built const t:1300000000 lt"},
      .subject = "var 0 record 0"},
     "r[0] fired; subject a\nr[1] waiting ? modules.built(b); subject b\n"
     "r[2] waiting ? modules(c); subject c\n"},
    {__LINE__,
     "row modules name=s:a built=t:1200000000",
     "",
     {.name = "r",
      .each = "table modules",
      .when = {"var 0 column modules.built const t:1300000000 lt"}},
     "r[0] fired\nr waiting ? modules\n"},
    {__LINE__,
     "row modules name=s:a built=t:1200000000\ncomplete modules",
     "",
     {.name = "r",
      .each = "table modules",
      .when = {"var 0 column modules.built const t:1300000000 lt"}},
     "r[0] fired\n"},
    {__LINE__,
     "absent trap.frames",
     "",
     {.name = "r", .each = "scalar trap.frames", .when = {"const b:1"}},
     ""},
    /* texts: actions are held back for an unknown argument, plain texts for an unknown part */
    {__LINE__,
     "set bugcheck.code i:0x7f\nrow modules name=s:iaStor",
     "",
     {.name = "r", .when = {GATE}, .update = "const s:iaStor builtin module"},
     "r fired; do Update iaStor, built (not known).\n"},
    {__LINE__,
     "set bugcheck.code i:0x7f",
     "",
     {.name = "r", .when = {GATE}, .update = "const s:iaStor builtin module"},
     "r fired; do (held) Update (not known), built (not known). modules(iaStor)\n"},
    {__LINE__,
     "set bugcheck.code i:0x7f\ncomplete modules",
     "",
     {.name = "r", .when = {GATE}, .update = "const s:iaStor builtin module"},
     "r fired; do (held) Update (not known), built (not known).\n"},
    {__LINE__,
     "set bugcheck.code i:0x7f",
     "",
     {.name = "r",
      .when = {GATE},
      .recommend = "Code {scalar bugcheck.code}, {scalar cpu.current}"},
     "r fired; do (held) Code 127, (not known) cpu.current\n"},
    {__LINE__,
     "set bugcheck.code i:0x7f",
     "",
     {.name = "r", .when = {GATE}, .recommend = "No.", .recommend_if = "const b:0"},
     "r fired\n"},
    {__LINE__,
     "set bugcheck.code i:0x7f",
     "",
     {.name = "r", .when = {GATE}, .recommend = "If.", .recommend_if = "scalar dump.live"},
     "r fired; do If.\n"},
    /* commands take numbers, addresses and plain names only */
    {__LINE__,
     "set bugcheck.code i:0x7f\nset bugcheck.arg2 a:0xfffffa8000000010",
     "",
     {.name = "r",
      .when = {GATE},
      .collect = "!irp {scalar bugcheck.arg4}; dq {scalar "
                 "bugcheck.arg2} {scalar bugcheck.code}"},
     "r fired; run !irp <scalar bugcheck.arg4>; dq 0xfffffa8000000010 0x7f\n"},
    {__LINE__,
     "set bugcheck.code i:0x7f\nset analyze.image s:x;.shell_del",
     "",
     {.name = "r", .when = {GATE}, .collect = "lmvm {scalar analyze.image}"},
     "r fired; run lmvm <scalar analyze.image>\n"},
    {__LINE__,
     "set bugcheck.code i:0x7f\nset analyze.image s:fox-fs.sys",
     "",
     {.name = "r", .when = {GATE}, .collect = "lmvm {scalar analyze.image}"},
     "r fired; run lmvm fox-fs.sys\n"},
    {__LINE__,
     "set bugcheck.code i:0x7f",
     "",
     {.name = "r",
      .when = {GATE},
      .collect = "!thread",
      .collect_if = "scalar thread.stack_limit is_unknown"},
     "r fired; run !thread for thread.stack_limit\n"},
    {__LINE__,
     "set bugcheck.code i:0x7f",
     "fact: scalar thread.stack_limit is_unknown",
     {.name = "r", .when = {GATE, "fact 0"}, .collect = "!thread", .collect_if = "fact 0"},
     "r fired; run !thread for thread.stack_limit\n"},
    /* errors: unknown, reported once, and of no consequence elsewhere */
    {__LINE__,
     "set bugcheck.code i:0x7f",
     "",
     {.name = "r",
      .when = {GATE},
      .evidence = {"const i:1 const i:0 div const i:1 eq", "const b:1"}},
     "r fired; for unknown; for true\nDFR5002 rule r: division by zero\n"},
    {__LINE__,
     "set bugcheck.code i:0x7f",
     "",
     {.name = "r", .when = {GATE, "const i:1 const i:0 div const i:1 eq"}},
     "DFR5002 rule r: division by zero\n"},
    {__LINE__,
     "set bugcheck.code i:0x50",
     "",
     {.name = "r", .when = {GATE, "const i:1 const i:0 div const i:1 eq"}},
     ""},
};

Test(eval, cases)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dfr_program p;
        struct assembler as;
        struct dfr_facts facts;
        struct dfr_err err = {0};
        assembler_init(&as, &arena, &p);
        assemble_program(&as, rows[i].program);
        assemble_facts(&as, rows[i].facts);
        add_action(&as);
        add_rule(&as, &rows[i].rule);
        cr_assert_not(as.failed, "line %d does not assemble", rows[i].line);
        const struct dfr_engine *e = engine_of(&p);
        cr_assert_eq(dfr_given_apply(&p, 0, NULL, &arena, &facts, &err), DFR_OK);
        struct dfr_eval out = run(e, &facts, (struct dfr_eval_options){.only_rule = DFR_NONE});
        const char *got = show(&out, false);
        cr_expect_str_eq(got, rows[i].expected, "line %d: got\n%snot\n%s", rows[i].line, got,
                         rows[i].expected);
        /* Alone, a rule answers whatever happens. */
        struct dfr_eval alone = run(e, &facts, (struct dfr_eval_options){.only_rule = 0});
        cr_expect(alone.hits.n >= 1 && alone.hits.n >= out.hits.n, "line %d: no answer",
                  rows[i].line);
    }
}

/* A budget that is used up is an error of that rule alone. */
Test(eval, budget)
{
    struct dfr_program p;
    struct assembler as;
    struct dfr_facts facts;
    struct dfr_err err = {0};
    assembler_init(&as, &arena, &p);
    assemble_program(&as, "list: i:1 i:2 i:3 i:4 i:5 i:6 i:7 i:8 i:9 i:10");
    assemble_facts(&as, "set bugcheck.code i:0x7f");
    add_rule(&as, &(struct rule_words){
                      .name = "long",
                      .when = {"listref 0 fold all 0 listref 0 fold all 1 listref 0 fold all 2 "
                               "const b:1 next next next"}});
    add_rule(&as, &(struct rule_words){.name = "short", .when = {GATE}});
    struct dfr_engine *e = engine_of(&p);
    cr_assert_eq(dfr_given_apply(&p, 0, NULL, &arena, &facts, &err), DFR_OK);
    struct dfr_eval out =
        run(e, &facts, (struct dfr_eval_options){.only_rule = DFR_NONE, .steps_per_rule = 100});
    cr_expect_str_eq(show(&out, false),
                     "short fired\nDFR5003 rule long: the rule's step budget is used up\n");
    out = run(e, &facts, (struct dfr_eval_options){.only_rule = DFR_NONE});
    cr_expect_str_eq(show(&out, false), "long fired\nshort fired\n");
}

/* --- Expectations: what only the ranking knows comes from an oracle --- */

static struct dfr_value oracle_fires(void *user, uint32_t rule)
{
    return dfr_v_bool(rule == *(const uint32_t *)user);
}

static struct dfr_value oracle_score(void *user, uint32_t rule)
{
    (void)user;
    return rule ? dfr_v_int(-10) : dfr_v_unknown(DFR_KIND_INT, DFR_REASON_NOT_APPLICABLE);
}

static struct dfr_value oracle_cause(void *user, uint32_t cause, const struct dfr_value *subject)
{
    (void)user;
    return dfr_v_int(subject->state == DFR_ABSENT ? cause : cause + subject->as.module.len);
}

static struct dfr_value oracle_verdict(void *user, uint32_t rule)
{
    (void)user;
    return dfr_v_enum(DFR_E_VERDICT, rule ? DFR_VERDICT_STRONG : DFR_VERDICT_NONE);
}

static struct dfr_value oracle_first(void *user, enum dfr_builtin which)
{
    (void)user;
    return dfr_v_str(which == DFR_B_FIRST_CAUSE ? DFR_STR("cause") : DFR_STR("other"));
}

Test(eval, expectations)
{
    static const struct {
        const char *code, *expected;
    } expects[] = {
        {"const i:1 builtin fires", "true"},
        {"const i:0 builtin fires", "false"},
        {"const i:2 builtin fires", "unknown"},
        {"const i:1 builtin score const i:-10 eq", "true"},
        {"const i:0 builtin score const i:-10 eq", "unknown"},
        {"const i:1 builtin verdict const e:verdict:strong eq", "true"},
        {"builtin first_cause const s:cause eq", "true"},
        {"builtin collect_first const s:OTH contains", "true"},
        {"builtin first_action const s:cause eq", "false"},
    };
    struct dfr_program p;
    struct assembler as;
    struct dfr_facts facts;
    struct dfr_err err = {0};
    uint32_t fires = 1, chunks[16];
    assembler_init(&as, &arena, &p);
    assemble_facts(&as, "");
    add_rule(&as, &(struct rule_words){.name = "a", .when = {GATE}});
    add_rule(&as, &(struct rule_words){.name = "b", .when = {GATE}});
    size_t n = sizeof expects / sizeof *expects;
    for (size_t i = 0; i < n; i++)
        chunks[i] = assemble_code(&as, expects[i].code, 0, ASM_SLOTS, DFR_NONE);
    const struct dfr_engine *e = engine_of(&p);
    cr_assert_eq(dfr_given_apply(&p, 0, NULL, &arena, &facts, &err), DFR_OK);
    struct dfr_oracle oracle = {&fires,       oracle_fires,   oracle_score,
                                oracle_cause, oracle_verdict, oracle_first};
    for (size_t i = 0; i < n; i++) {
        struct dfr_tv v;
        struct dfr_buf b;
        struct dfr_eval none = {.sets = dfr_sets_new(&arena)};
        cr_assert_eq(dfr_eval_expect(e, &facts, &oracle, chunks[i], &arena, &v, &err), DFR_OK);
        dfr_buf_init(&b, &arena);
        show_tv(&b, &none, &v, false);
        cr_expect_str_eq(b.p, expects[i].expected, "%s: %s", expects[i].code, b.p);
    }
}

/* A test's `given` replaces facts of a loaded case and leaves the rest, and the case itself. */
Test(eval, given_over_a_case)
{
    struct dfr_program p, q;
    struct assembler as;
    struct dfr_facts base, facts;
    struct dfr_err err = {0};
    assembler_init(&as, &arena, &p);
    assemble_facts(&as, "set bugcheck.code i:0x7f\nset cpu.current i:4\n"
                        "row stack sym=s:nt!KeA\nrow modules name=s:iaStor\ncomplete modules");
    cr_assert_eq(dfr_given_apply(&p, 0, NULL, &arena, &base, &err), DFR_OK);
    assembler_init(&as, &arena, &q);
    assemble_facts(&as, "unknown cpu.current\nbegun modules\nrow modules name=s:fox.sys");
    cr_assert_eq(dfr_given_apply(&q, 0, &base, &arena, &facts, &err), DFR_OK);
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_BUGCHECK_CODE)->as.n.lo, 0x7f);
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_CPU_CURRENT)->state, DFR_UNKNOWN);
    cr_expect_eq(dfr_facts_find_module(&facts, DFR_STR("iaStor")), UINT32_MAX);
    cr_expect_eq(dfr_facts_find_module(&facts, DFR_STR("fox")), 0);
    cr_expect_not(facts.tables[DFR_T_MODULES].complete);
    cr_expect_eq(facts.tables[DFR_T_STACK].n, 1);
    cr_expect_eq(dfr_facts_find_module(&base, DFR_STR("iaStor")), 0);
    cr_expect_eq(dfr_facts_scalar(&base, DFR_F_CPU_CURRENT)->state, DFR_KNOWN);
}
