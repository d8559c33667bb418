/* Programs and evaluations put together by hand, so that ranking and reports are tested without
 * a compiler or an evaluator. One test program includes it once. */
#ifndef DFR_TESTS_HANDMADE_H
#define DFR_TESTS_HANDMADE_H

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "code/build.h"
#include "rank/answer.h"
#include "vm/vm.h"

static struct dfr_mem mem;
static jmp_buf guard;
static struct dfr_arena arena;
static struct dfr_program program;
static struct dfr_builder builder;
static struct dfr_facts facts;
static struct dfr_eval eval;
static struct dfr_diags eval_diags;

static void begin(void)
{
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    if (setjmp(guard))
        cr_assert_fail("out of memory");
    dfr_arena_init(&arena, &mem);
    dfr_program_init(&program, &arena);
    dfr_builder_init(&builder, &program);
    dfr_facts_init(&facts, &arena);
    dfr_diags_init(&eval_diags, &arena);
    eval = (struct dfr_eval){
        .program = &program, .facts = &facts, .sets = dfr_sets_new(&arena), .diags = &eval_diags};
}

static void end(void)
{
    dfr_arena_deinit(&arena);
    cr_assert_eq(mem.live, 0);
}

static inline struct dfr_str S(const char *z) {
    return dfr_str_from(z);
}

static inline struct dfr_ptext
T(const char *z) {
    return dfr_build_text(&builder, S(z));
}

/* --- The rule set ------------------------------------------------------------------------------ */

static inline uint32_t
a_cause(const char *name, const char *axis, int32_t prior)
{
    *DFR_PUSH(&arena, &program.causes) =
        (struct dfr_pcause){.name = T(name), .title = T(name), .axis = T(axis), .prior_db = prior};
    return program.causes.n - 1;
}

static inline void a_cause_meta(uint32_t cause, const char *key, const char *value)
{
    program.causes.v[cause].meta_first = program.metas.n;
    program.causes.v[cause].meta_count = 1;
    *DFR_PUSH(&arena, &program.metas) = (struct dfr_pmeta){T(key), T(value)};
}

static inline uint32_t an_action(const char *name, uint32_t cost, uint32_t helps)
{
    *DFR_PUSH(&arena, &program.actions) =
        (struct dfr_paction){.name = T(name), .template = DFR_NONE, .cost = cost, .helps = helps};
    return program.actions.n - 1;
}

static inline uint32_t a_rule(const char *name, uint32_t cause, int32_t when_db)
{
    *DFR_PUSH(&arena, &program.rules) = (struct dfr_prule){.name = T(name),
                                                           .pack = T("test"),
                                                           .each_list = DFR_NONE,
                                                           .unless = DFR_NONE,
                                                           .cause = cause,
                                                           .subject = DFR_NONE,
                                                           .when_db = when_db,
                                                           .atom = DFR_NONE};
    return program.rules.n - 1;
}

static inline uint32_t a_group(const char *name, uint32_t parent)
{
    *DFR_PUSH(&arena, &program.groups) = (struct dfr_pgroup){T(name), parent};
    return program.groups.n - 1;
}

/* --- Facts, missing and deciding --------------------------------------------------------------- */

static inline uint32_t missing(uint32_t field, const char *param)
{
    for (uint32_t i = 0; i < eval.missing.n; i++) {
        if (eval.missing.v[i].field == field && dfr_str_eq(eval.missing.v[i].param, S(param)))
            return dfr_sets_one(eval.sets, i);
    }
    *DFR_PUSH(&arena, &eval.missing) =
        (struct dfr_missing){.field = field, .param = S(param), .reason = DFR_REASON_NOT_SHOWN};
    return dfr_sets_one(eval.sets, eval.missing.n - 1);
}

static inline uint32_t cell(uint32_t field, uint32_t row)
{
    for (uint32_t i = 0; i < eval.cells.n; i++) {
        if (eval.cells.v[i].field == field && eval.cells.v[i].row == row)
            return dfr_sets_one(eval.sets, i);
    }
    *DFR_PUSH(&arena, &eval.cells) = (struct dfr_cell_ref){field, row};
    return dfr_sets_one(eval.sets, eval.cells.n - 1);
}

static inline struct dfr_tv is(bool b, uint32_t origin)
{
    return (struct dfr_tv){.v = dfr_v_bool(b), .origin = origin};
}

static inline struct dfr_tv open_for(uint32_t set)
{
    return (struct dfr_tv){.v = dfr_v_unknown(DFR_KIND_BOOL, DFR_REASON_NOT_SHOWN), .missing = set};
}

static inline struct dfr_tv module_named(const char *name)
{
    return (struct dfr_tv){.v = dfr_facts_module(&facts, S(name))};
}

/* --- Hits -------------------------------------------------------------------------------------- */

static inline struct dfr_hit *a_hit(uint32_t rule, enum dfr_hit_status status)
{
    *DFR_PUSH(&arena, &eval.hits) = (struct dfr_hit){
        .rule = rule,
        .row = DFR_NONE,
        .status = status,
        .when = status == DFR_HIT_WAITING ? open_for(missing(DFR_F_BUGCHECK_ARG1, ""))
                                          : is(true, cell(DFR_F_BUGCHECK_CODE, DFR_NONE)),
        .suppressed_by = DFR_NONE,
        .items = DFR_NEW_N(&arena, 16, struct dfr_item),
        .advice = DFR_NEW_N(&arena, 16, struct dfr_advised),
        .collect = DFR_NEW_N(&arena, 16, struct dfr_collected)};
    return &eval.hits.v[eval.hits.n - 1];
}

/* A line of evidence. Equal `hash` stands for equal conditions. */
static inline void an_item(struct dfr_hit *h, uint32_t cls, int32_t if_true, int32_t if_false,
                           uint32_t group, uint32_t hash, const char *label, struct dfr_tv truth)
{
    *DFR_PUSH(&arena, &program.evidence) = (struct dfr_pevidence){.cls = cls,
                                                                  .if_true = if_true,
                                                                  .if_false = if_false,
                                                                  .group = group,
                                                                  .label = DFR_NONE,
                                                                  .text = T(label),
                                                                  .hash_lo = hash};
    h->items[h->item_count++] =
        (struct dfr_item){.evidence = program.evidence.n - 1, .truth = truth, .label = S(label)};
}

static inline void for_it(struct dfr_hit *h, int32_t db, const char *label, struct dfr_tv truth)
{
    an_item(h, DFR_ITEM_FOR, db, 0, DFR_NONE, 0, label, truth);
}

static inline struct dfr_advised *an_advice(struct dfr_hit *h, uint32_t action, const char *text,
                                            const char *subject)
{
    *DFR_PUSH(&arena, &program.advice) =
        (struct dfr_padvice){.action = action, .template = DFR_NONE, .condition = DFR_NONE};
    struct dfr_advised *a = &h->advice[h->advice_count++];
    struct dfr_buf key;
    dfr_buf_init(&key, &arena);
    dfr_buf_printf(&key, "%u/%s", action, action == DFR_NONE ? text : subject);
    *a = (struct dfr_advised){.advice = program.advice.n - 1,
                              .condition = is(true, 0),
                              .text = S(text),
                              .key = dfr_buf_text(&key)};
    if (*subject)
        a->subject = module_named(subject);
    return a;
}

static inline void a_collect(struct dfr_hit *h, const char *command, uint32_t about)
{
    *DFR_PUSH(&arena, &program.collect) =
        (struct dfr_pcollect){.template = DFR_NONE, .condition = about ? 0 : DFR_NONE};
    h->collect[h->collect_count++] = (struct dfr_collected){.collect = program.collect.n - 1,
                                                            .condition = is(true, 0),
                                                            .command = S(command),
                                                            .missing = about};
}

/* --- The double fault of 2014, as the language's reference works it out -------------------------- */

struct double_fault {
    uint32_t outdated, overflow, update, reduce;
};

static inline uint32_t a_place(uint64_t begin_at, uint64_t end_at, uint32_t line)
{
    return dfr_facts_place(&facts,
                           (struct dfr_place){.begin = begin_at, .end = end_at, .line = line});
}

static inline struct double_fault double_fault(void)
{
    struct double_fault d;
    d.outdated = a_cause("dfrule.core.driver.outdated", "contributor", -10);
    d.overflow = a_cause("dfrule.core.stack.overflow", "mechanism", 0);
    d.update = an_action("update_driver", DFR_COST_UPDATE, 60);
    d.reduce = an_action("reduce_stack_use", DFR_COST_SETTING, 40);
    uint32_t same_stack = a_group("same_stack", DFR_NONE), sp = a_group("stack_pointer", DFR_NONE);
    uint32_t old = a_rule("community.storage.ipi_double_fault_old_storage", d.outdated, 0);
    uint32_t deep = a_rule("community.storage.kernel_stack_overflow", d.overflow, 0);

    struct dfr_hit *h = a_hit(old, DFR_HIT_FIRED);
    h->subject = module_named("iaStor");
    an_item(h, DFR_ITEM_FOR, 3, 0, same_stack, 1, "TLB-flush IPI directly under the double fault",
            is(true, cell(DFR_F_STACK_SYM, 2)));
    an_item(h, DFR_ITEM_FOR, 6, 0, same_stack, 2, "storage driver on the faulting stack",
            is(true, cell(DFR_F_STACK_MODULE, 11)));
    for_it(h, 6, "built before 2013", is(true, cell(DFR_F_MODULES_BUILT, 0)));
    for_it(h, 3, "Driver Verifier was checking this call", is(true, cell(DFR_F_STACK_SYM, 10)));
    struct dfr_tv prose = is(true, cell(DFR_F_NOTES_TEXT, 0));
    prose.v.trust = DFR_TRUST_PROSE;
    for_it(h, 3, "antivirus filter present or mentioned", prose);
    an_item(h, DFR_ITEM_NOTE, 0, 0, DFR_NONE, 0,
            "processors other than the crashing one are Frozen: normal after any bug check",
            is(true, cell(DFR_F_CPUS_STATE, 0)));
    an_advice(h, d.update, "Update or replace iaStor, built 2012-02-01.", "iaStor");
    an_advice(h, DFR_NONE, "Return the controller to the in-box AHCI driver.", "");

    h = a_hit(deep, DFR_HIT_FIRED);
    h->subject = module_named("iaStor");
    uint32_t limit = missing(DFR_F_THREAD_STACK_LIMIT, "");
    an_item(h, DFR_ITEM_FOR, 20, -20, sp, 3, "fault SP is below the thread's stack limit",
            open_for(limit));
    an_item(h, DFR_ITEM_FOR, 10, 0, sp, 4, "fault SP just under a page boundary",
            is(true, cell(DFR_F_TRAP_SP, DFR_NONE)));
    for_it(h, 3, "three or more frames of filter drivers", open_for(missing(DFR_F_STACK, "")));
    an_item(h, DFR_ITEM_AGAINST, -10, 0, DFR_NONE, 5, "stack complete and shallow",
            is(false, cell(DFR_F_STACK, DFR_NONE)));
    an_advice(h, d.update, "Update or replace iaStor, built 2012-02-01.", "iaStor");
    an_advice(h, d.reduce, "Remove one storage or antivirus filter above iaStor.", "iaStor");
    a_collect(h, "!thread; kv 100", limit);
    return d;
}

#endif
