/* Rules and results as words, for tests of evaluation. On top of assemble.h. */
#ifndef DFR_TESTS_RULE_WORDS_H
#define DFR_TESTS_RULE_WORDS_H

#include <criterion/criterion.h>
#include <stdio.h>

#include "assemble.h"

static struct dfr_mem mem;
static jmp_buf guard;
static struct dfr_arena arena;

static MAYBE_UNUSED void open_eval(void)
{
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    if (setjmp(guard))
        cr_assert_fail("out of memory");
    dfr_arena_init(&arena, &mem);
}

static MAYBE_UNUSED void close_eval(void)
{
    dfr_arena_deinit(&arena);
    cr_assert_eq(mem.live, 0);
}

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

static MAYBE_UNUSED uint32_t template(struct assembler *as, const char *text, uint32_t args,
                                      uint32_t rule)
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

static MAYBE_UNUSED uint32_t code_or_none(struct assembler *as, const char *code, uint32_t rule)
{
    return code ? assemble_code(as, code, 0, ASM_SLOTS, rule) : DFR_NONE;
}

static MAYBE_UNUSED void add_parts(struct assembler *as, const struct rule_words *w,
                                   struct dfr_prule *r, uint32_t rule)
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

static MAYBE_UNUSED void add_rule(struct assembler *as, const struct rule_words *w)
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
static MAYBE_UNUSED void add_action(struct assembler *as)
{
    uint32_t t = template(as,
                          "Update {arg 0 modcell modules.name}, built {arg 0 modcell "
                          "modules.built}.",
                          1, DFR_NONE);
    *DFR_PUSH(as->a, &as->p->actions) = (struct dfr_paction){
        .name = dfr_build_text(&as->b, DFR_STR("update")), .template = t, .args = 1, .helps = 50};
}

/* --- Results as words --- */

static MAYBE_UNUSED void show_set(struct dfr_buf *b, const struct dfr_eval *e, uint32_t set)
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

static MAYBE_UNUSED void show_origin(struct dfr_buf *b, const struct dfr_eval *e, uint32_t set)
{
    uint32_t n;
    const uint32_t *items = dfr_sets_items(e->sets, set, &n);
    for (uint32_t i = 0; i < n; i++)
        dfr_buf_printf(b, " %s:%d", dfr_field_info(e->cells.v[items[i]].field)->path,
                       (int)e->cells.v[items[i]].row);
}

static MAYBE_UNUSED void show_tv(struct dfr_buf *b, const struct dfr_eval *e,
                                 const struct dfr_tv *t, bool origins)
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

static MAYBE_UNUSED const char *const statuses[] = {"fired",      "waiting", "removed",
                                                    "suppressed", "false",   "silent"};

static MAYBE_UNUSED void show_hit(struct dfr_buf *b, const struct dfr_eval *e,
                                  const struct dfr_hit *h, bool everything)
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

static MAYBE_UNUSED const char *show(const struct dfr_eval *e, bool everything)
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

static MAYBE_UNUSED struct dfr_engine *engine_of(const struct dfr_program *p)
{
    struct dfr_engine *e = NULL;
    struct dfr_err err = {0};
    cr_assert_eq(dfr_engine_new(&arena, p, &e, &err), DFR_OK, "%s", err.message);
    return e;
}

static MAYBE_UNUSED struct dfr_eval run(const struct dfr_engine *e, const struct dfr_facts *f,
                                        struct dfr_eval_options o)
{
    struct dfr_eval out;
    struct dfr_err err = {0};
    cr_assert_eq(dfr_eval_run(e, f, &o, &arena, &out, &err), DFR_OK, "%s", err.message);
    return out;
}

#endif
