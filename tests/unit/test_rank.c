/* Scores, groups, merging, settling, actions and what to collect. */
#include "handmade.h"

TestSuite(rank, .init = begin, .fini = end);

static struct dfr_ranking ranked(void)
{
    struct dfr_ranking r;
    dfr_rank(&eval, &arena, &r);
    return r;
}

static struct dfr_str name_of(const struct dfr_ranked_cause *c)
{
    return dfr_program_text(&program, program.causes.v[c->cause].name);
}

static bool is_text(struct dfr_str s, const char *z)
{
    if (dfr_str_eq(s, S(z)))
        return true;
    fprintf(stderr, "got \"%.*s\", want \"%s\"\n", (int)s.len, s.p, z);
    return false;
}

Test(rank, worked_sums)
{
    struct double_fault d = double_fault();
    struct dfr_ranking r = ranked();
    cr_assert_eq(r.shown_count, 2);
    cr_assert(is_text(name_of(&r.causes[0]), "dfrule.core.stack.overflow"));
    cr_assert_eq(r.causes[0].score_db, 10);
    cr_assert_eq(r.causes[0].min_db, -20);
    cr_assert_eq(r.causes[0].max_db, 23);
    cr_assert_eq(r.causes[0].strength, DFR_VERDICT_STRONG);
    cr_assert_not(r.causes[0].settled);
    cr_assert(is_text(name_of(&r.causes[1]), "dfrule.core.driver.outdated"));
    cr_assert_eq(r.causes[1].score_db, 8);
    cr_assert_eq(r.causes[1].strength, DFR_VERDICT_LIKELY);
    cr_assert_eq(r.causes[1].min_db, 8);
    cr_assert(r.causes[1].settled, "nothing is missing on its axis");

    cr_assert_eq(r.action_count, 3);
    const struct dfr_advised *first = &eval.hits.v[r.actions[0].hit].advice[r.actions[0].advised];
    cr_assert_eq(program.advice.v[first->advice].action, d.update);
    cr_assert_eq(r.actions[0].helps_permille, 780);
    cr_assert_eq(r.actions[0].strength, DFR_VERDICT_LIKELY);
    cr_assert_eq(r.actions[0].support_count, 2);
    cr_assert_not(r.actions[0].worth_trying);
    first = &eval.hits.v[r.actions[1].hit].advice[r.actions[1].advised];
    cr_assert(is_text(first->text, "Return the controller to the in-box AHCI driver."));

    cr_assert_geq(r.collect_count, 1);
    cr_assert(is_text(r.collect[0].command, "!thread; kv 100"));
    cr_assert(r.collect[0].flips_first);
    cr_assert_neq(r.culprit, DFR_NONE);
    cr_assert(is_text(r.causes[r.culprit].key, "iastor"));
    cr_assert_eq(dfr_rank_rule_score(&eval, 0, &arena).as.n.lo, 8);
    cr_assert_eq(dfr_rank_rule_score(&eval, 1, &arena).as.n.lo, 10);
    struct dfr_tv iastor = module_named("IASTOR.SYS");
    cr_assert_eq(dfr_rank_cause_score(&r, d.outdated, &iastor.v, &arena).as.n.lo, 8);
    iastor = module_named("storport");
    cr_assert_eq(dfr_rank_cause_score(&r, d.outdated, &iastor.v, &arena).state, DFR_UNKNOWN);
}

Test(rank, words)
{
    static const struct {
        int32_t score;
        uint32_t word;
    } rows[] = {
        {30, DFR_VERDICT_NEAR_CERTAIN}, {20, DFR_VERDICT_NEAR_CERTAIN}, {19, DFR_VERDICT_STRONG},
        {10, DFR_VERDICT_STRONG},       {9, DFR_VERDICT_LIKELY},        {3, DFR_VERDICT_LIKELY},
        {2, DFR_VERDICT_POSSIBLE},      {-2, DFR_VERDICT_POSSIBLE},     {-3, DFR_VERDICT_NONE},
        {-30, DFR_VERDICT_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(dfr_verdict_of(rows[i].score), rows[i].word, "%d", rows[i].score);
}

/* A group as a row of members: what is decided, and what is open. 99 ends it. */
Test(rank, groups)
{
    enum { T_ = 1, F_, O_, E_ };
    static const struct {
        int line;
        struct {
            int truth, yes, no;
        } m[4];
        int score, min, max;
    } rows[] = {
        {__LINE__, {{T_, 3, 0}, {T_, 6, 0}}, 6, 6, 6},
        {__LINE__, {{T_, 6, 0}, {T_, -6, 0}}, -6, -6, -6},
        {__LINE__, {{T_, -6, 0}, {T_, 10, 0}}, 10, 10, 10},
        {__LINE__, {{O_, 20, -20}, {T_, 10, 0}}, 10, -20, 20},
        {__LINE__, {{O_, 6, 0}, {T_, 10, 0}}, 10, 10, 10},
        {__LINE__, {{O_, 6, -10}, {T_, 10, 0}}, 10, -10, 10},
        {__LINE__, {{O_, 10, 0}, {T_, -10, 0}}, -10, -10, -10},
        {__LINE__, {{O_, 6, 0}, {O_, 10, -3}}, 0, -3, 10},
        {__LINE__, {{F_, 6, -6}, {T_, 3, 0}}, -6, -6, -6},
        {__LINE__, {{E_, 20, -20}, {T_, 3, 0}}, 3, 3, 3},
        {__LINE__, {{F_, 6, 0}}, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        end();
        begin();
        uint32_t cause = a_cause("c", "mechanism", 0), group = a_group("g", DFR_NONE);
        struct dfr_hit *h = a_hit(a_rule("r", cause, 0), DFR_HIT_FIRED);
        for (size_t k = 0; k < 4 && rows[i].m[k].truth; k++) {
            uint32_t c = cell(DFR_F_STACK_SYM, (uint32_t)k);
            struct dfr_tv t = rows[i].m[k].truth == T_   ? is(true, c)
                              : rows[i].m[k].truth == F_ ? is(false, c)
                              : rows[i].m[k].truth == O_ ? open_for(missing(DFR_F_TRAP_SP, ""))
                                                         : open_for(0);
            an_item(h, DFR_ITEM_FOR, rows[i].m[k].yes, rows[i].m[k].no, group, 0, "x", t);
        }
        struct dfr_ranking r = ranked();
        cr_expect(r.causes[0].score_db == rows[i].score && r.causes[0].min_db == rows[i].min &&
                      r.causes[0].max_db == rows[i].max,
                  "line %d: %d in [%d, %d]", rows[i].line, r.causes[0].score_db, r.causes[0].min_db,
                  r.causes[0].max_db);
    }
}

Test(rank, nested_groups)
{
    uint32_t cause = a_cause("c", "mechanism", 0);
    uint32_t outer = a_group("outer", DFR_NONE), inner = a_group("inner", outer);
    struct dfr_hit *h = a_hit(a_rule("r", cause, 0), DFR_HIT_FIRED);
    an_item(h, DFR_ITEM_FOR, 3, 0, inner, 0, "a", is(true, cell(DFR_F_STACK_SYM, 0)));
    an_item(h, DFR_ITEM_FOR, 6, 0, inner, 0, "b", is(true, cell(DFR_F_STACK_SYM, 1)));
    an_item(h, DFR_ITEM_FOR, 3, 0, outer, 0, "c", is(true, cell(DFR_F_STACK_SYM, 2)));
    an_item(h, DFR_ITEM_FOR, 20, 0, inner, 0, "d", open_for(missing(DFR_F_TRAP_SP, "")));
    for_it(h, 3, "e", is(true, cell(DFR_F_STACK_SYM, 3)));
    struct dfr_ranking r = ranked();
    cr_assert_eq(r.causes[0].score_db, 9);
    cr_assert_eq(r.causes[0].min_db, 9);
    cr_assert_eq(r.causes[0].max_db, 23);
    uint32_t counted = 0;
    for (uint32_t i = 0; i < r.causes[0].item_count; i++)
        counted += r.causes[0].items[i].weight_db != 0;
    cr_assert_eq(counted, 2);
}

Test(rank, copies_inflate_nothing)
{
    uint32_t cause = a_cause("c", "mechanism", -3);
    for (int copy = 0; copy < 4; copy++) {
        char name[8] = {'r', (char)('0' + copy)};
        struct dfr_hit *h = a_hit(a_rule(name, cause, 3), DFR_HIT_FIRED);
        for_it(h, 6, "a", is(true, cell(DFR_F_STACK_SYM, 4)));
        program.evidence.v[program.evidence.n - 1].hash_lo = copy < 2 ? 7 : 8; /* reworded */
        for_it(h, 3, "b", open_for(missing(DFR_F_TRAP_SP, "")));
        program.evidence.v[program.evidence.n - 1].hash_lo = 9;
        struct dfr_ranking r = ranked();
        cr_expect_eq(r.cause_count, 1);
        cr_expect_eq(r.causes[0].score_db, 6, "%d copies: %d", copy + 1, r.causes[0].score_db);
        cr_expect_eq(r.causes[0].max_db, 9, "%d copies: %d", copy + 1, r.causes[0].max_db);
    }
}

Test(rank, copies_deflate_nothing)
{
    /* Two lines decided by one cell, in each of two rules: each rule alone says 6 + 3. */
    uint32_t cause = a_cause("c", "mechanism", 0);
    for (int copy = 0; copy < 2; copy++) {
        char name[8] = {'r', (char)('0' + copy)};
        struct dfr_hit *h = a_hit(a_rule(name, cause, 0), DFR_HIT_FIRED);
        for_it(h, 6, "a", is(true, cell(DFR_F_STACK_SYM, 4)));
        for_it(h, 3, "b", is(true, cell(DFR_F_STACK_SYM, 4)));
        cr_expect_eq(ranked().causes[0].score_db, 9);
    }
}

Test(rank, other_evidence_adds_up)
{
    uint32_t cause = a_cause("c", "mechanism", -10);
    struct dfr_hit *h = a_hit(a_rule("r1", cause, 0), DFR_HIT_FIRED);
    for_it(h, 6, "a", is(true, cell(DFR_F_STACK_SYM, 4)));
    h = a_hit(a_rule("r2", cause, 0), DFR_HIT_FIRED);
    for_it(h, 10, "b", is(true, cell(DFR_F_STACK_SYM, 5)));
    struct dfr_ranking r = ranked();
    cr_assert_eq(r.cause_count, 1);
    cr_assert_eq(r.causes[0].score_db, 6, "the prior counts once");
}

Test(rank, prose_is_capped)
{
    uint32_t cause = a_cause("c", "mechanism", 0);
    struct dfr_hit *h = a_hit(a_rule("r", cause, 0), DFR_HIT_FIRED);
    struct dfr_tv prose = is(true, cell(DFR_F_NOTES_TEXT, 0));
    prose.v.trust = DFR_TRUST_PROSE;
    for_it(h, 20, "a", prose);
    struct dfr_ranking r = ranked();
    cr_assert_eq(r.causes[0].score_db, 3);
    cr_assert(r.causes[0].items[0].prose_capped);
    /* A `when` that only prose decides caps all that the rule says. */
    h->when.v.trust = DFR_TRUST_PROSE;
    for_it(h, 10, "b", is(true, cell(DFR_F_STACK_SYM, 1)));
    for_it(h, 20, "c", open_for(missing(DFR_F_TRAP_SP, "")));
    r = ranked();
    cr_assert_eq(r.causes[0].score_db, 3, "however many remarks there are");
    cr_assert_eq(r.causes[0].min_db, 3);
    cr_assert_eq(r.causes[0].max_db, 9);
    /* Words that speak against take from it as usual. */
    for_it(h, -2, "d", is(true, cell(DFR_F_NOTES_TEXT, 2)));
    r = ranked();
    cr_assert_eq(r.causes[0].score_db, 1);
}

Test(rank, sums_are_clamped)
{
    uint32_t cause = a_cause("c", "mechanism", 0);
    struct dfr_hit *h = a_hit(a_rule("r", cause, 20), DFR_HIT_FIRED);
    for_it(h, 20, "a", is(true, cell(DFR_F_STACK_SYM, 1)));
    for_it(h, -60, "b", open_for(missing(DFR_F_TRAP_SP, "")));
    struct dfr_ranking r = ranked();
    cr_assert_eq(r.causes[0].score_db, 30);
    cr_assert_eq(r.causes[0].min_db, -20);
    cr_assert_eq(r.causes[0].max_db, 30);
}

Test(rank, waiting_rules_widen)
{
    uint32_t cause = a_cause("c", "mechanism", 0), other = a_cause("d", "mechanism", 0);
    a_hit(a_rule("r1", cause, 6), DFR_HIT_FIRED);
    struct dfr_ranking r = ranked();
    cr_assert(r.causes[0].settled);
    struct dfr_hit *h = a_hit(a_rule("r2", cause, 0), DFR_HIT_WAITING);
    for_it(h, 10, "a", is(true, cell(DFR_F_STACK_SYM, 1)));
    for_it(h, -3, "b", is(true, cell(DFR_F_STACK_SYM, 2)));
    r = ranked();
    cr_assert_eq(r.causes[0].score_db, 6);
    cr_assert_eq(r.causes[0].min_db, 6);
    cr_assert_eq(r.causes[0].max_db, 13);
    cr_assert(r.causes[0].settled, "more for the same cause unsettles nothing");
    cr_assert_eq(r.waiting_count, 1);
    h = a_hit(a_rule("r3", other, 0), DFR_HIT_WAITING);
    for_it(h, 10, "c", is(true, cell(DFR_F_STACK_SYM, 3)));
    r = ranked();
    cr_assert_eq(r.cause_count, 1, "what only waits is no result");
    cr_assert_not(r.causes[0].settled, "another cause could come first");
    cr_assert_eq(r.waiting_count, 2);
    cr_assert(is_text(r.collect[0].command, ".bugcheck"));
    cr_assert(r.collect[0].flips_first);
    /* A rule that nothing can settle is silent. */
    eval.hits.v[2].when = open_for(0);
    r = ranked();
    cr_assert(r.causes[0].settled);
    cr_assert_eq(r.waiting_count, 1);
}

Test(rank, unless_that_is_open)
{
    uint32_t cause = a_cause("c", "mechanism", 0);
    struct dfr_hit *h = a_hit(a_rule("r", cause, 10), DFR_HIT_FIRED);
    h->unless = open_for(missing(DFR_F_VERIFIER_ENABLED, ""));
    struct dfr_ranking r = ranked();
    cr_assert_eq(r.causes[0].score_db, 10);
    cr_assert(r.causes[0].min_not_shown);
    cr_assert_not(r.causes[0].settled);
    cr_assert(is_text(r.collect[0].command, "!verifier"));
    cr_assert(r.collect[0].flips_first);
    h->unless = open_for(0);
    r = ranked();
    cr_assert_not(r.causes[0].min_not_shown, "nothing could decide it");
    cr_assert(r.causes[0].settled);
}

Test(rank, subjects)
{
    uint32_t contributor = a_cause("c", "contributor", 0), mechanism = a_cause("m", "mechanism", 0);
    struct dfr_tv absent = {.v = dfr_v_absent(DFR_KIND_MODULE, DFR_REASON_NO_SUCH_ROW)};
    struct dfr_tv unknown = open_for(missing(DFR_F_STACK, ""));
    unknown.v.kind = DFR_KIND_MODULE;
    a_hit(a_rule("r1", contributor, 6), DFR_HIT_FIRED)->subject = absent;
    cr_assert_eq(ranked().cause_count, 0, "the driver is not there");
    a_hit(a_rule("r2", mechanism, 6), DFR_HIT_FIRED)->subject = absent;
    struct dfr_ranking r = ranked();
    cr_assert_eq(r.cause_count, 1);
    cr_assert_eq(r.causes[0].subject.v.kind, DFR_KIND_NONE);
    a_hit(a_rule("r3", contributor, 6), DFR_HIT_FIRED)->subject = unknown;
    a_hit(a_rule("r4", contributor, 3), DFR_HIT_FIRED)->subject = module_named("iaStor.sys");
    a_hit(a_rule("r5", contributor, 3), DFR_HIT_FIRED)->subject = module_named("IASTOR");
    r = ranked();
    cr_assert_eq(r.cause_count, 3, "spelling makes no other module; unknown is a row of its own");
    cr_assert_eq(r.causes[0].score_db, 6);
    cr_assert_eq(r.causes[2].score_db, 3, "equal conditions count once");
    cr_assert_eq(r.causes[2].hit_count, 2);
}

Test(rank, culprit)
{
    uint32_t contributor = a_cause("c", "contributor", 0),
             memory = a_cause("hw.memory", "mechanism", 0);
    a_cause_meta(memory, "culprit", "hw.memory");
    a_hit(a_rule("r1", contributor, 6), DFR_HIT_FIRED)->subject = module_named("nt");
    cr_assert_eq(ranked().culprit, DFR_NONE, "never the kernel");
    a_hit(a_rule("r2", contributor, 3), DFR_HIT_FIRED)->subject = module_named("a");
    struct dfr_ranking r = ranked();
    cr_assert(is_text(r.causes[r.culprit].key, "a"));
    a_hit(a_rule("r3", contributor, 3), DFR_HIT_FIRED)->subject = module_named("b");
    cr_assert_eq(ranked().culprit, DFR_NONE, "two of equal strength");
    uint32_t second = a_cause("m", "mechanism", 0);
    a_hit(a_rule("r4", second, 3), DFR_HIT_FIRED)->subject = module_named("b");
    r = ranked();
    cr_assert(is_text(r.causes[r.culprit].key, "b"), "both axes name it");
    a_hit(a_rule("r5", memory, 10), DFR_HIT_FIRED);
    r = ranked();
    cr_assert_eq(r.causes[0].cause, memory);
    cr_assert(is_text(r.causes[r.culprit].key, "b"), "contributors before mechanisms");
    eval.hits.n = 0;
    a_hit(4, DFR_HIT_FIRED);
    r = ranked();
    cr_assert_eq(r.causes[r.culprit].cause, memory, "a class, where no contributor is likely");
}

Test(rank, weak_causes_make_things_worth_trying)
{
    uint32_t cause = a_cause("c", "contributor", -6);
    uint32_t update = an_action("update", DFR_COST_UPDATE, 60),
             look = an_action("look", DFR_COST_CHECK, 50);
    struct dfr_hit *h = a_hit(a_rule("r", cause, 6), DFR_HIT_FIRED);
    h->subject = module_named("a");
    an_advice(h, update, "Update a.", "a");
    an_advice(h, look, "Look at a.", "a");
    struct dfr_advised *held = an_advice(h, look, "Look at (not known).", "");
    held->held = true;
    held->missing = missing(DFR_F_MODULES_VERSION, "a");
    struct dfr_ranking r = ranked();
    cr_assert_eq(r.culprit, DFR_NONE);
    cr_assert_eq(r.action_count, 2);
    cr_assert(r.actions[0].worth_trying);
    cr_assert_eq(r.actions[0].cost, DFR_COST_CHECK, "one word: the cheaper first");
    cr_assert_eq(r.held_count, 1);
    cr_assert_eq(r.collect_count, 1);
    cr_assert(is_text(r.collect[0].command, "lmvm a"));
    cr_assert(is_text(r.collect[0].why, "file version (a)"));
    a_hit(a_rule("s", a_cause("d", "mechanism", 0), 10), DFR_HIT_FIRED);
    cr_assert_eq(ranked().action_count, 0,
                 "where something is likely, what is only possible is silent");
}

Test(rank, commands)
{
    static const struct {
        int line;
        uint32_t field;
        const char *param;
        uint8_t reason;
        const char *command; /* "": nothing shows it */
    } rows[] = {
        {__LINE__, DFR_F_THREAD_STACK_LIMIT, "", DFR_REASON_NOT_SHOWN, "!thread"},
        {__LINE__, DFR_F_MODULES, "iaStor", DFR_REASON_NOT_LISTED, "lmvm iaStor"},
        {__LINE__, DFR_F_MODULES_BUILT, "iaStor", DFR_REASON_TIME_ZONE, "lmvm iaStor"},
        {__LINE__, DFR_F_MODULES_BUILT, "iaStor", DFR_REASON_BUILD_HASH, ""},
        {__LINE__, DFR_F_MODULES, "", DFR_REASON_NOT_SHOWN, "lm"},
        {__LINE__, DFR_F_MODULES, "x;.shell rm", DFR_REASON_NOT_LISTED, "lm"},
        {__LINE__, DFR_F_IRPS, "x|y", DFR_REASON_NOT_SHOWN, "!irp <addr>"},
        {__LINE__, DFR_F_MCA_STATUS, "", DFR_REASON_NOT_SHOWN, "!errrec fffffa8003141028"},
        {__LINE__, DFR_F_STACK, "", DFR_REASON_NO_SYMBOLS, ".symfix; .reload /f"},
        {__LINE__, DFR_F_STACK, "", DFR_REASON_OVERFLOW, ""},
        {__LINE__, DFR_F_NOTES, "", DFR_REASON_NOT_SHOWN, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        end();
        begin();
        dfr_facts_set(&facts, DFR_F_BUGCHECK_ARG2, dfr_v_addr(UINT64_C(0xfffffa8003141028)));
        uint32_t set = missing(rows[i].field, rows[i].param);
        eval.missing.v[0].reason = rows[i].reason;
        struct dfr_hit *h = a_hit(a_rule("r", a_cause("c", "mechanism", 0), 0), DFR_HIT_FIRED);
        for_it(h, 10, "a", open_for(set));
        struct dfr_ranking r = ranked();
        if (!*rows[i].command)
            cr_expect_eq(r.collect_count, 0, "line %d", rows[i].line);
        else
            cr_expect(r.collect_count == 1 && is_text(r.collect[0].command, rows[i].command),
                      "line %d", rows[i].line);
    }
}

Test(rank, best_command_first)
{
    /* One command that shows two facts beats two that show one each; a dear one comes last. */
    struct dfr_hit *h = a_hit(a_rule("r", a_cause("c", "mechanism", 0), 0), DFR_HIT_FIRED);
    for_it(h, 10, "a", open_for(missing(DFR_F_THREAD_STACK_LIMIT, "")));
    for_it(h, 6, "b", open_for(missing(DFR_F_THREAD_STACK_BASE, "")));
    for_it(h, 10, "c", open_for(missing(DFR_F_VERIFIER_ENABLED, "")));
    for_it(h, 20, "d", open_for(missing(DFR_F_OS_BUILD, "")));
    eval.missing.v[3].reason = DFR_REASON_NOT_IN_DUMP;
    for_it(h, 3, "e", open_for(missing(DFR_F_CPU_CURRENT, "")));
    struct dfr_ranking r = ranked();
    cr_assert_eq(r.collect_count, 3);
    cr_assert(is_text(r.collect[0].command, "!thread"));
    cr_assert_eq(r.collect[0].moves_db, 16);
    cr_assert_eq(r.collect[0].missing_count, 2);
    cr_assert(is_text(r.collect[1].command, "!verifier"));
    cr_assert(is_text(r.collect[2].command, "~"));
    /* A rule's longer command takes over what the shorter one would show. */
    a_collect(h, "!thread; kv 100", missing(DFR_F_STACK, ""));
    for_it(h, 3, "f", open_for(missing(DFR_F_STACK, "")));
    r = ranked();
    cr_assert(is_text(r.collect[0].command, "!thread; kv 100"));
    cr_assert_eq(r.collect[0].moves_db, 19);
    cr_assert(is_text(r.collect[1].command, "!verifier"));
}

/* Two hits in another order give the same answer. */
Test(rank, order_changes_nothing)
{
    double_fault();
    struct dfr_ranking r = ranked();
    struct dfr_hit first = eval.hits.v[0];
    eval.hits.v[0] = eval.hits.v[1];
    eval.hits.v[1] = first;
    struct dfr_ranking again = ranked();
    cr_assert_eq(r.cause_count, again.cause_count);
    for (uint32_t i = 0; i < r.cause_count; i++) {
        cr_assert_eq(r.causes[i].cause, again.causes[i].cause);
        cr_assert_eq(r.causes[i].score_db, again.causes[i].score_db);
    }
    cr_assert_eq(r.action_count, again.action_count);
    for (uint32_t i = 0; i < r.action_count; i++)
        cr_assert_eq(r.actions[i].helps_permille, again.actions[i].helps_permille);
    cr_assert_eq(r.collect_count, again.collect_count);
    for (uint32_t i = 0; i < r.collect_count; i++)
        cr_assert(dfr_str_eq(r.collect[i].command, again.collect[i].command));
}

/* --- Properties over made-up rule sets --------------------------------------------------------- */

enum { CONDITIONS = 8, RULES = 4, ITEMS = 6 };

struct made_item {
    uint32_t condition, group; /* group: 0 none, 1 outer, 2 inside 1 */
    int32_t yes, no;
};
struct made_rule {
    uint32_t items;
    int32_t when_db;
    bool unless; /* has one that is open */
    struct made_item item[ITEMS];
};
struct made_set {
    struct made_rule rule[RULES];
    uint32_t rules;
    int32_t prior;
};

static uint32_t dice(uint64_t *seed, uint32_t sides)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % sides;
}

static struct made_set made_up(uint64_t *seed)
{
    static const int32_t weights[] = {0, 3, 6, 10, 20, -3, -6, -10};
    struct made_set s = {.rules = 1 + dice(seed, RULES), .prior = (int32_t)dice(seed, 13) - 10};
    for (uint32_t r = 0; r < s.rules; r++) {
        struct made_rule *rule = &s.rule[r];
        rule->items = 1 + dice(seed, ITEMS);
        rule->when_db = weights[dice(seed, 4)];
        rule->unless = dice(seed, 4) == 0;
        for (uint32_t i = 0; i < rule->items; i++)
            rule->item[i] = (struct made_item){.condition = dice(seed, CONDITIONS),
                                               .group = dice(seed, 3),
                                               .yes = weights[dice(seed, 8)],
                                               .no = weights[dice(seed, 8)]};
    }
    return s;
}

/* The set with these truths; `removed` rules are left out, rules from `copies` on come once more. */
static struct dfr_ranking rank_made(const struct made_set *s, const enum dfr_tri *truth,
                                    const bool *removed, bool unless_open, bool copied)
{
    end();
    begin();
    uint32_t cause = a_cause("c", "mechanism", s->prior);
    for (uint32_t n = 0; n < s->rules * (copied ? 2 : 1); n++) {
        const struct made_rule *rule = &s->rule[n % s->rules];
        char name[16];
        snprintf(name, sizeof name, "r%u", n);
        if (removed[n % s->rules])
            continue;
        uint32_t outer = a_group("outer", DFR_NONE), inner = a_group("inner", outer);
        struct dfr_hit *h = a_hit(a_rule(name, cause, rule->when_db), DFR_HIT_FIRED);
        if (rule->unless && unless_open)
            h->unless = open_for(missing(DFR_F_VERIFIER_ENABLED, ""));
        for (uint32_t i = 0; i < rule->items; i++) {
            const struct made_item *m = &rule->item[i];
            uint32_t group = m->group == 0 ? DFR_NONE : m->group == 1 ? outer : inner;
            struct dfr_tv t =
                truth[m->condition] == DFR_OPEN
                    ? open_for(missing(DFR_F_BUGCHECK_ARG1 + m->condition % 4, ""))
                    : is(truth[m->condition] == DFR_TRUE, cell(DFR_F_STACK_SYM, m->condition));
            an_item(h, DFR_ITEM_FOR, m->yes, m->no, group, m->condition + 1, "x", t);
        }
    }
    return ranked();
}

/* Whatever the missing facts turn out to be, the score ends inside the interval. */
Test(rank, intervals_hold, .timeout = 60)
{
    uint64_t seed = 2014;
    for (int round = 0; round < 3000; round++) {
        struct made_set s = made_up(&seed);
        enum dfr_tri truth[CONDITIONS];
        bool removed[RULES] = {0};
        for (uint32_t i = 0; i < CONDITIONS; i++)
            truth[i] = (enum dfr_tri)dice(&seed, 3);
        struct dfr_ranking r = rank_made(&s, truth, removed, true, false);
        int32_t low = r.causes[0].min_db, high = r.causes[0].max_db;
        bool may_vanish = r.causes[0].min_not_shown;
        cr_assert(low <= r.causes[0].score_db && r.causes[0].score_db <= high, "round %d", round);
        for (int again = 0; again < 8; again++) {
            enum dfr_tri settled[CONDITIONS];
            for (uint32_t i = 0; i < CONDITIONS; i++)
                settled[i] = truth[i] == DFR_OPEN ? (enum dfr_tri)dice(&seed, 3) : truth[i];
            for (uint32_t i = 0; i < RULES; i++)
                removed[i] = s.rule[i].unless && dice(&seed, 2);
            r = rank_made(&s, settled, removed, false, false);
            if (!r.cause_count) {
                cr_assert(may_vanish, "round %d: nothing is left", round);
                continue;
            }
            int32_t score = r.causes[0].score_db;
            cr_assert(low <= score && score <= high, "round %d: %d is not in [%d, %d]", round,
                      score, low, high);
        }
    }
}

/* Copying every rule changes neither the score nor what it could become. */
Test(rank, copies_change_nothing, .timeout = 60)
{
    uint64_t seed = 7;
    for (int round = 0; round < 3000; round++) {
        struct made_set s = made_up(&seed);
        enum dfr_tri truth[CONDITIONS];
        static const bool removed[RULES];
        for (uint32_t i = 0; i < CONDITIONS; i++)
            truth[i] = (enum dfr_tri)dice(&seed, 3);
        struct dfr_ranking r = rank_made(&s, truth, removed, false, false);
        int32_t score = r.causes[0].score_db, low = r.causes[0].min_db, high = r.causes[0].max_db;
        r = rank_made(&s, truth, removed, false, true);
        cr_assert(r.causes[0].score_db == score && r.causes[0].min_db == low &&
                      r.causes[0].max_db == high,
                  "round %d: %d in [%d, %d], copied %d in [%d, %d]", round, score, low, high,
                  r.causes[0].score_db, r.causes[0].min_db, r.causes[0].max_db);
    }
}
