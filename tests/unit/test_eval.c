/* Rules over facts: what fires, waits, is removed or held back; and the property that the index and
 * the order of rules change nothing. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "assemble.h"

static struct dfr_mem mem;
static jmp_buf guard;
static struct dfr_arena arena;

static void open_eval(void)
{
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    if (setjmp(guard))
        cr_assert_fail("out of memory");
    dfr_arena_init(&arena, &mem);
}

static void close_eval(void)
{
    dfr_arena_deinit(&arena);
    cr_assert_eq(mem.live, 0);
}

TestSuite(eval, .init = open_eval, .fini = close_eval);

/* --- Rules as words --- */

struct rule_words {
    const char *name, *each;
    const char *when[4];
    const char *let[2];
    const char *unless, *subject, *suppress;
    const char *evidence[3];
    const char *recommend; /* TEXT with {code}, see template() */
    const char *recommend_if;
    const char *update; /* code of the argument of action 0 */
    const char *collect, *collect_if;
    uint32_t codes[3], code_count;
    bool has_arg1;
    uint64_t arg1;
    uint32_t atom_kind;
    const char *atom;
};

static uint32_t template(struct assembler *as, const char *text, uint32_t args, uint32_t rule)
{
    struct dfr_program *p = as->p;
    struct dfr_ptemplate t = {.first = p->pieces.n};
    struct dfr_ppiece pieces[8];
    while (*text && t.count < 8) {
        const char *end = text + strcspn(text, *text == '{' ? "}" : "{");
        struct dfr_ppiece piece = {.chunk = DFR_NONE};
        if (*text == '{') {
            char code[128];
            snprintf(code, sizeof code, "%.*s", (int)(end - text - 1), text + 1);
            piece.chunk = assemble_code(as, code, args, ASM_SLOTS, rule);
            piece.literal = dfr_build_text(&as->b, dfr_str_from(code));
            end++;
        } else {
            piece.literal = dfr_build_text(&as->b, (struct dfr_str){text, (size_t)(end - text)});
        }
        pieces[t.count++] = piece;
        text = end;
    }
    for (uint32_t i = 0; i < t.count; i++)
        *DFR_PUSH(as->a, &p->pieces) = pieces[i];
    *DFR_PUSH(as->a, &p->templates) = t;
    return p->templates.n - 1;
}

static uint32_t code_or_none(struct assembler *as, const char *code, uint32_t rule)
{
    return code ? assemble_code(as, code, 0, ASM_SLOTS, rule) : DFR_NONE;
}

static void add_parts(struct assembler *as, const struct rule_words *w, struct dfr_prule *r,
                      uint32_t rule)
{
    struct dfr_program *p = as->p;
    for (uint32_t i = 0; i < 4 && w->when[i]; i++, r->clause_count++) {
        uint32_t c = assemble_code(as, w->when[i], 0, ASM_SLOTS, rule);
        *DFR_PUSH(as->a, &p->clauses) = (struct dfr_pclause){
            .chunk = c, .order = i, .source.file = DFR_NONE, .source.line = i + 1};
    }
    for (uint32_t i = 0; i < 3 && w->evidence[i]; i++, r->evidence_count++) {
        uint32_t c = assemble_code(as, w->evidence[i], 0, ASM_SLOTS, rule);
        *DFR_PUSH(as->a, &p->evidence) = (struct dfr_pevidence){.chunk = c,
                                                                .if_true = 3,
                                                                .group = DFR_NONE,
                                                                .label = DFR_NONE,
                                                                .source.file = DFR_NONE};
    }
    if (w->recommend) {
        struct dfr_padvice a = {.action = DFR_NONE, .source.file = DFR_NONE};
        a.template = template(as, w->recommend, 0, rule);
        a.condition = code_or_none(as, w->recommend_if, rule);
        *DFR_PUSH(as->a, &p->advice) = a;
        r->advice_count++;
    }
    if (w->update) {
        struct dfr_padvice a = {.args = 1, .condition = DFR_NONE, .source.file = DFR_NONE};
        a.first_arg = p->arg_chunks.n;
        uint32_t c = assemble_code(as, w->update, 0, ASM_SLOTS, rule);
        *DFR_PUSH(as->a, &p->arg_chunks) = c;
        *DFR_PUSH(as->a, &p->advice) = a;
        r->advice_count++;
    }
    if (w->collect) {
        struct dfr_pcollect c = {.source.file = DFR_NONE};
        c.template = template(as, w->collect, 0, rule);
        c.condition = code_or_none(as, w->collect_if, rule);
        *DFR_PUSH(as->a, &p->collect) = c;
        r->collect_count++;
    }
}

static void add_rule(struct assembler *as, const struct rule_words *w)
{
    struct dfr_program *p = as->p;
    uint32_t rule = p->rules.n;
    struct dfr_prule r = {.name = dfr_build_text(&as->b, dfr_str_from(w->name)),
                          .cause = DFR_NONE,
                          .source.file = DFR_NONE,
                          .lets = p->let_chunks.n,
                          .clauses = p->clauses.n,
                          .evidence = p->evidence.n,
                          .advice = p->advice.n,
                          .collect = p->collect.n,
                          .codes = p->gate_codes.n,
                          .code_count = w->code_count,
                          .has_arg1 = w->has_arg1,
                          .arg1_lo = (uint32_t)w->arg1,
                          .arg1_hi = (uint32_t)(w->arg1 >> 32),
                          .atom_kind = w->atom_kind};
    if (w->atom_kind == DFR_ATOM_FRAME)
        r.atom = asm_pattern(as, w->atom);
    if (w->atom_kind == DFR_ATOM_MODULE)
        r.atom = asm_const(as, w->atom);
    for (uint32_t i = 0; i < w->code_count; i++)
        *DFR_PUSH(as->a, &p->gate_codes) = w->codes[i];
    for (uint32_t i = 0; i < 2 && w->let[i]; i++, r.let_count++) {
        uint32_t c = assemble_code(as, w->let[i], 0, ASM_SLOTS, rule);
        *DFR_PUSH(as->a, &p->let_chunks) = c;
    }
    r.each_list = code_or_none(as, w->each, rule);
    r.unless = code_or_none(as, w->unless, rule);
    r.subject = code_or_none(as, w->subject, rule);
    add_parts(as, w, &r, rule);
    *DFR_PUSH(as->a, &p->rules) = r;
    if (w->suppress) {
        uint32_t c = assemble_code(as, w->suppress, 0, ASM_SLOTS, rule);
        *DFR_PUSH(as->a, &p->suppress) = (struct dfr_psuppress){.rule = rule,
                                                                .where = c,
                                                                .until_lo = DFR_NONE,
                                                                .until_hi = DFR_NONE,
                                                                .source.file = DFR_NONE};
    }
}

/* Action 0: "Update {the argument}." */
static void add_action(struct assembler *as)
{
    uint32_t t = template(as,
                          "Update {arg 0 modcell modules.name}, built {arg 0 modcell "
                          "modules.built}.",
                          1, DFR_NONE);
    *DFR_PUSH(as->a, &as->p->actions) = (struct dfr_paction){
        .name = dfr_build_text(&as->b, DFR_STR("update")), .template = t, .args = 1, .helps = 50};
}

/* --- Results as words --- */

static void show_set(struct dfr_buf *b, const struct dfr_eval *e, uint32_t set)
{
    uint32_t n;
    const uint32_t *items = dfr_sets_items(e->sets, set, &n);
    for (uint32_t i = 0; i < n; i++) {
        const struct dfr_missing *m = &e->missing.v[items[i]];
        dfr_buf_printf(b, " %s", dfr_field_info(m->field)->path);
        if (m->param.len)
            dfr_buf_printf(b, "(%.*s)", (int)m->param.len, m->param.p);
    }
}

static void show_origin(struct dfr_buf *b, const struct dfr_eval *e, uint32_t set)
{
    uint32_t n;
    const uint32_t *items = dfr_sets_items(e->sets, set, &n);
    for (uint32_t i = 0; i < n; i++)
        dfr_buf_printf(b, " %s:%d", dfr_field_info(e->cells.v[items[i]].field)->path,
                       (int)e->cells.v[items[i]].row);
}

static void show_tv(struct dfr_buf *b, const struct dfr_eval *e, const struct dfr_tv *t,
                    bool origins)
{
    if (t->v.state == DFR_KNOWN)
        dfr_value_print(b, &t->v);
    else
        dfr_buf_z(b, t->v.state == DFR_ABSENT ? "absent" : "unknown");
    if (t->missing)
        dfr_buf_z(b, " ?");
    show_set(b, e, t->missing);
    if (origins) {
        dfr_buf_printf(b, " trust %u from", t->v.trust);
        show_origin(b, e, t->origin);
    }
}

static const char *const statuses[] = {"fired",      "waiting", "removed",
                                       "suppressed", "false",   "silent"};

static void show_hit(struct dfr_buf *b, const struct dfr_eval *e, const struct dfr_hit *h,
                     bool everything)
{
    struct dfr_str name = dfr_program_text(e->program, e->program->rules.v[h->rule].name);
    dfr_buf_str(b, name);
    if (h->row != DFR_NONE)
        dfr_buf_printf(b, "[%u]", h->row);
    dfr_buf_printf(b, " %s", statuses[h->status]);
    if (h->when.missing)
        dfr_buf_z(b, " ?");
    show_set(b, e, h->when.missing);
    if (everything) {
        for (uint32_t i = 0; i < e->program->rules.v[h->rule].clause_count; i++) {
            dfr_buf_z(b, "; when ");
            show_tv(b, e, &h->clauses[i], true);
        }
        dfr_buf_z(b, "; unless ");
        show_tv(b, e, &h->unless, true);
    }
    if (h->subject.v.kind != DFR_KIND_NONE) {
        dfr_buf_z(b, "; subject ");
        show_tv(b, e, &h->subject, everything);
    }
    for (uint32_t i = 0; i < h->item_count; i++) {
        dfr_buf_z(b, "; for ");
        show_tv(b, e, &h->items[i].truth, everything);
    }
    for (uint32_t i = 0; i < h->advice_count; i++) {
        const struct dfr_advised *a = &h->advice[i];
        dfr_buf_printf(b, "; do%s %.*s", a->held ? " (held)" : "", (int)a->text.len, a->text.p);
        show_set(b, e, a->missing);
    }
    for (uint32_t i = 0; i < h->collect_count; i++) {
        const struct dfr_collected *c = &h->collect[i];
        dfr_buf_printf(b, "; run %.*s", (int)c->command.len, c->command.p);
        if (c->missing)
            dfr_buf_z(b, " for");
        show_set(b, e, c->missing);
    }
    dfr_buf_char(b, '\n');
}

static const char *show(const struct dfr_eval *e, bool everything)
{
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    for (uint32_t i = 0; i < e->hits.n; i++)
        show_hit(&b, e, &e->hits.v[i], everything);
    for (uint32_t i = 0; i < e->diags->n; i++)
        dfr_buf_printf(&b, "DFR%d %.*s\n", e->diags->v[i].code, (int)e->diags->v[i].message.len,
                       e->diags->v[i].message.p);
    dfr_buf_z(&b, "");
    return b.p;
}

static struct dfr_engine *engine_of(const struct dfr_program *p)
{
    struct dfr_engine *e = NULL;
    struct dfr_err err = {0};
    cr_assert_eq(dfr_engine_new(&arena, p, &e, &err), DFR_OK, "%s", err.message);
    return e;
}

static struct dfr_eval run(const struct dfr_engine *e, const struct dfr_facts *f,
                           struct dfr_eval_options o)
{
    struct dfr_eval out;
    struct dfr_err err = {0};
    cr_assert_eq(dfr_eval_run(e, f, &o, &arena, &out, &err), DFR_OK, "%s", err.message);
    return out;
}

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

/* --- Property: index and order change nothing --- */

static uint64_t seed;
static unsigned labels; /* so that no two have one name */

static uint32_t below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % n;
}

#define PICK(list) (list)[below(sizeof(list) / sizeof *(list))]

static const char *const module_names[] = {"nt", "hal", "iaStor", "tcpip", "ndis", "fox.sys"};
static const char *const func_names[] = {"KeA", "KeB", "KeC", "KeD"};

static char *words(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *words(const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return dfr_arena_copy(&arena, text, strlen(text));
}

/* A random condition: leaves that may be known, missing or absent, joined every way. */
static char *condition(unsigned depth)
{
    if (depth && below(2)) {
        static const char *const joins[] = {"and", "or"};
        const char *join = PICK(joins);
        if (below(5) == 0)
            return words("%s not", condition(depth - 1));
        if (below(3) == 0) {
            unsigned label = ++labels;
            return words("%s %s_skip l%u %s %s l%u:", condition(depth - 1), join, label,
                         condition(depth - 1), join, label);
        }
        return words("%s %s %s", condition(depth - 1), condition(depth - 1), join);
    }
    switch (below(9)) {
    case 0:
        return words("scalar bugcheck.arg%u const a:%u eq", 1 + below(4), below(3));
    case 1:
        return words("table stack has %s!%s", PICK(module_names), PICK(func_names));
    case 2:
        return words("const s:%s builtin module modcell modules.built const t:1300000%03u lt",
                     PICK(module_names), below(1000));
    case 3:
        return words("table stack fold %s 1 var 1 column stack.module const m:%s eq next",
                     below(2) ? "any" : "all", PICK(module_names));
    case 4:
        return words("table modules fold count 1 var 1 column modules.built const t:1300000%03u "
                     "lt next const i:%u ge",
                     below(1000), below(4));
    case 5:
        return words("scalar dump.live");
    case 6:
        return words("table stack has_seq %u:%s!%s,%s!*", below(4), PICK(module_names),
                     PICK(func_names), PICK(module_names));
    case 7:
        return words("fact %u", below(3));
    default:
        return words("scalar cpu.current const i:%u div const i:1 eq", below(3));
    }
}

static struct rule_words random_rule(uint32_t number)
{
    static const uint32_t codes[] = {0x7f, 0x50, 0xd1};
    struct rule_words r = {.name = words("r%03u", number)};
    uint32_t n = 0;
    if (below(4)) {
        r.codes[0] = PICK(codes);
        r.code_count = 1;
        if (below(3) == 0)
            r.codes[r.code_count++] = r.codes[0] == 0x7f ? 0x50 : 0x7f;
        r.when[n++] = r.code_count == 1
                          ? words("scalar bugcheck.code const i:%u eq", r.codes[0])
                          : words("scalar bugcheck.code const i:%u eq scalar bugcheck.code const "
                                  "i:%u eq or",
                                  r.codes[0], r.codes[1]);
    }
    if (below(3) == 0) {
        r.has_arg1 = true;
        r.arg1 = below(3);
        r.when[n++] = words("scalar bugcheck.arg1 const a:%u eq", (unsigned)r.arg1);
    }
    switch (below(3)) {
    case 0:
        r.atom_kind = DFR_ATOM_FRAME;
        r.atom = words("%s!%s", PICK(module_names), PICK(func_names));
        r.when[n++] = words("table stack has %s", r.atom);
        break;
    case 1: {
        const char *name = PICK(module_names);
        r.atom_kind = DFR_ATOM_MODULE;
        r.atom = words("m:%s", name);
        r.when[n++] =
            words("const s:%s builtin module modcell modules.built const t:1300000500 lt", name);
        break;
    }
    default:
        break;
    }
    if (!n || below(2))
        r.when[n++] = condition(2);
    r.evidence[0] = condition(3);
    if (below(4) == 0)
        r.unless = condition(1);
    if (below(6) == 0)
        r.suppress = condition(1);
    if (below(8) == 0) {
        r.each = "table modules";
        r.subject = "var 0 column modules.name builtin module";
    }
    return r;
}

static void random_facts(struct dfr_buf *b)
{
    static const char *const codes[] = {"set bugcheck.code i:0x7f\n", "set bugcheck.code i:0x50\n",
                                        "set bugcheck.code i:0x1\n", "absent bugcheck.code\n", ""};
    dfr_buf_z(b, PICK(codes));
    for (uint32_t i = 1; i <= 4; i++) {
        uint32_t what = below(4);
        if (what < 2)
            dfr_buf_printf(b, "set bugcheck.arg%u a:%u\n", i, below(3));
        else if (what == 2)
            dfr_buf_printf(b, "absent bugcheck.arg%u\n", i);
    }
    if (below(2))
        dfr_buf_printf(b, "set cpu.current i:%u\n", below(3));
    if (below(3) == 0)
        dfr_buf_printf(b, "set dump.live b:%u\n", below(2));
    for (uint32_t i = below(6); i; i--) {
        uint32_t what = below(8);
        if (what == 0)
            dfr_buf_printf(b, "row stack index=i:%u\n", i);
        else if (what == 1)
            dfr_buf_printf(b, "row stack sym=s:0xfffff80012345678\n");
        else if (what == 2)
            dfr_buf_printf(b, "row stack sym=s:%s+0x10\n", PICK(module_names));
        else
            dfr_buf_printf(b, "row stack sym=s:%s!%s+0x1\n", PICK(module_names), PICK(func_names));
    }
    if (below(2))
        dfr_buf_z(b, "complete stack\n");
    for (uint32_t i = below(6); i; i--) {
        const char *name = PICK(module_names);
        if (below(4) == 0)
            dfr_buf_printf(b, "row modules name=s:%s\n", name);
        else
            dfr_buf_printf(b, "row modules name=s:%s built=t:1300000%03u\n", name, below(1000));
    }
    if (below(2))
        dfr_buf_z(b, "complete modules\n");
}

static int by_line(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Lines in order of text: how results read when rule numbers do not matter. */
static char *sorted(const char *text)
{
    char *copy = words("%s", ""), *save = NULL, *lines[4096];
    size_t n = 0;
    copy = dfr_arena_copy(&arena, text, strlen(text));
    for (char *l = strtok_r(copy, "\n", &save); l && n < 4096; l = strtok_r(NULL, "\n", &save))
        lines[n++] = l;
    qsort(lines, n, sizeof *lines, by_line);
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    for (size_t i = 0; i < n; i++)
        dfr_buf_printf(&b, "%s\n", lines[i]);
    dfr_buf_z(&b, "");
    return b.p;
}

enum { PROPERTY_RULES = 24, PROPERTY_RUNS = 400 };

static const struct dfr_engine *build(struct dfr_program *p, const struct rule_words *rules,
                                      const uint32_t *order, const char *facts)
{
    struct assembler as;
    assembler_init(&as, &arena, p);
    assemble_program(&as, "fact: table stack has nt!KeA\n"
                          "fact: scalar bugcheck.arg2 const a:1 eq fact 0 or\n"
                          "fact: const s:hal builtin module modcell modules.has_symbols\n");
    assemble_facts(&as, facts);
    for (uint32_t i = 0; i < PROPERTY_RULES; i++)
        add_rule(&as, &rules[order ? order[i] : i]);
    cr_assert_not(as.failed);
    return engine_of(p);
}

Test(eval, index_and_order_change_nothing)
{
    uint32_t hits = 0, candidates = 0;
    for (uint32_t k = 1; k <= PROPERTY_RUNS; k++) {
        seed = 0x9E3779B97F4A7C15u * k;
        struct rule_words rules[PROPERTY_RULES];
        uint32_t order[PROPERTY_RULES];
        for (uint32_t i = 0; i < PROPERTY_RULES; i++) {
            rules[i] = random_rule(i);
            order[i] = i;
        }
        for (uint32_t i = PROPERTY_RULES; i-- > 1;) {
            uint32_t j = below(i + 1), t = order[i];
            order[i] = order[j];
            order[j] = t;
        }
        struct dfr_buf text;
        dfr_buf_init(&text, &arena);
        random_facts(&text);
        dfr_buf_z(&text, "");
        struct dfr_program p, shuffled;
        struct dfr_facts facts;
        struct dfr_err err = {0};
        const struct dfr_engine *e = build(&p, rules, NULL, text.p);
        cr_assert_eq(dfr_given_apply(&p, 0, NULL, &arena, &facts, &err), DFR_OK, "%s", err.message);
        struct dfr_eval with = run(e, &facts, (struct dfr_eval_options){.only_rule = DFR_NONE});
        struct dfr_eval without =
            run(e, &facts, (struct dfr_eval_options){.only_rule = DFR_NONE, .no_index = true});
        const char *a = show(&with, true), *b = show(&without, true);
        cr_assert_str_eq(a, b, "seed %u: with index\n%swithout\n%sfacts\n%s", k, a, b, text.p);
        cr_assert_eq(with.missing.n, without.missing.n, "seed %u", k);
        cr_assert_eq(with.cells.n, without.cells.n, "seed %u", k);
        const struct dfr_engine *other = build(&shuffled, rules, order, text.p);
        struct dfr_eval again =
            run(other, &facts, (struct dfr_eval_options){.only_rule = DFR_NONE});
        const char *c = sorted(show(&again, true)), *d = sorted(a);
        cr_assert_str_eq(c, d, "seed %u: other order\n%snot\n%s", k, c, d);
        hits += with.hits.n;
        candidates += with.candidates;
        dfr_arena_reset(&arena);
    }
    cr_expect(hits > PROPERTY_RUNS, "the property was hardly tried: %u hits", hits);
    cr_expect(candidates < PROPERTY_RUNS * PROPERTY_RULES * 9 / 10,
              "the index passes over nothing");
}
