/* One crash against all rules: a quick pass with short circuit over the candidates, then everything
 * about those that fire or wait. */
#include "vm/eval.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "vm/vm.h"

struct run {
    struct dfr_vm vm;
    const struct dfr_eval_options *o;
    uint64_t steps[2]; /* of the rule at hand, first and second pass */
};

/* --- Runtime errors, once each --- */

static enum dfr_diag_code diag_of(uint8_t reason)
{
    switch (reason) {
    case DFR_REASON_OVERFLOW:
        return DFR_D_EVAL_OVERFLOW;
    case DFR_REASON_DIVISION:
        return DFR_D_EVAL_DIVISION;
    case DFR_REASON_BUDGET:
        return DFR_D_EVAL_BUDGET;
    case DFR_REASON_PATTERN_LIMIT:
        return DFR_D_EVAL_PATTERN;
    default:
        return DFR_D_EVAL_TYPE;
    }
}

static void note_reason(struct dfr_vm *vm, const struct dfr_psource *s, uint8_t reason)
{
    const struct dfr_program *p = vm->p;
    struct dfr_diags *d = vm->out->diags;
    enum dfr_diag_code code = diag_of(reason);
    struct dfr_str file =
        s->file < p->files.n ? dfr_program_text(p, p->files.v[s->file]) : (struct dfr_str){0};
    char message[256];
    struct dfr_str name = dfr_program_text(p, p->rules.v[vm->rule].name);
    snprintf(message, sizeof message, "rule %.*s: %s", (int)(name.len < 160 ? name.len : 160),
             name.len ? name.p : "", dfr_reason_text((enum dfr_reason)reason));
    for (uint32_t i = 0; i < d->n; i++)
        if (d->v[i].code == code && d->v[i].begin == s->begin && d->v[i].end == s->end &&
            d->v[i].line == s->line && dfr_str_eq(d->v[i].file, file) &&
            dfr_str_eq(d->v[i].message, dfr_str_from(message)))
            return;
    struct dfr_diag *row = dfr_diags_add(d, code, "%s", message);
    row->file = file;
    row->line = s->line;
    row->column = s->column;
    row->begin = s->begin;
    row->end = s->end;
}

static void note(struct dfr_vm *vm, const struct dfr_psource *s, const struct dfr_tv *t)
{
    if (t->v.state == DFR_UNKNOWN && dfr_reason_is_error(t->v.reason))
        note_reason(vm, s, t->v.reason);
}

/* --- Passes --- */

static void begin_pass(struct run *r, bool full)
{
    r->vm.full = full;
    r->vm.steps = r->steps[full];
    r->vm.let_age++;
    r->vm.asked = 0;
}

static void end_pass(struct run *r)
{
    r->steps[r->vm.full] = r->vm.steps;
}

static enum dfr_tri quick(struct run *r, const struct dfr_prule *rule)
{
    begin_pass(r, false);
    enum dfr_tri when = DFR_TRUE;
    for (uint32_t i = 0; i < rule->clause_count && when != DFR_FALSE; i++) {
        struct dfr_tv t = dfr_vm_value(&r->vm, r->vm.p->clauses.v[rule->clauses + i].chunk);
        enum dfr_tri tri = dfr_tv_tri(&t);
        if (tri != DFR_TRUE)
            when = tri;
    }
    end_pass(r);
    return when;
}

static struct dfr_tv certain(void)
{
    return dfr_tv_of(dfr_v_bool(true));
}

/* Evaluates every clause into `hit`. *ret_stuck: one of them is open and nothing would settle it.
 * *ret_moot: one is so without an error, so that errors in the others do not matter. */
static void run_clauses(struct run *r, const struct dfr_prule *rule, struct dfr_hit *hit,
                        bool *ret_stuck, bool *ret_moot)
{
    struct dfr_vm *vm = &r->vm;
    hit->clauses = DFR_NEW_N(vm->a, rule->clause_count, struct dfr_tv);
    hit->when = certain();
    *ret_stuck = *ret_moot = false;
    for (uint32_t i = 0; i < rule->clause_count; i++) {
        struct dfr_tv t = dfr_vm_value(vm, vm->p->clauses.v[rule->clauses + i].chunk);
        hit->clauses[i] = t;
        hit->when = dfr_tv_and(vm, &hit->when, &t);
        bool stuck = dfr_tv_tri(&t) == DFR_OPEN && !t.missing;
        *ret_stuck = *ret_stuck || stuck;
        *ret_moot = *ret_moot || (stuck && !dfr_reason_is_error(t.v.reason));
    }
}

static void note_clauses(struct run *r, const struct dfr_prule *rule, const struct dfr_hit *hit)
{
    for (uint32_t i = 0; i < rule->clause_count; i++)
        note(&r->vm, &r->vm.p->clauses.v[rule->clauses + i].source, &hit->clauses[i]);
}

static void run_evidence(struct run *r, const struct dfr_prule *rule, struct dfr_hit *hit)
{
    struct dfr_vm *vm = &r->vm;
    hit->items = DFR_NEW_N(vm->a, rule->evidence_count, struct dfr_item);
    hit->item_count = rule->evidence_count;
    for (uint32_t i = 0; i < rule->evidence_count; i++) {
        const struct dfr_pevidence *e = &vm->p->evidence.v[rule->evidence + i];
        struct dfr_item *item = &hit->items[i];
        item->evidence = rule->evidence + i;
        item->truth = dfr_vm_value(vm, e->chunk);
        note(vm, &e->source, &item->truth);
        item->label = e->label == DFR_NONE
                          ? dfr_program_text(vm->p, e->text)
                          : dfr_vm_render(vm, e->label, NULL, DFR_RENDER_TEXT).text;
    }
}

/* --- Recommendations --- */

static struct dfr_str folded(struct dfr_vm *vm, struct dfr_str s)
{
    struct dfr_buf b;
    dfr_buf_init(&b, vm->a);
    dfr_buf_z(&b, "text:");
    bool blank = false;
    for (size_t i = 0; i < s.len; i++) {
        bool is_blank = s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\n' || s.p[i] == '\r';
        if (!is_blank) {
            if (blank && b.len > 5)
                dfr_buf_char(&b, ' ');
            dfr_buf_char(&b, s.p[i]);
        }
        blank = is_blank;
    }
    return dfr_buf_text(&b);
}

static void key_part(struct dfr_buf *b, const struct dfr_value *v)
{
    dfr_buf_char(b, '\x1f');
    if (v->state == DFR_KNOWN && v->kind == DFR_KIND_MODULE) {
        struct dfr_str m =
            dfr_vm_canonical_module((struct dfr_str){v->as.module.p, v->as.module.len});
        for (size_t i = 0; i < m.len; i++)
            dfr_buf_char(b, m.p[i] >= 'A' && m.p[i] <= 'Z' ? (char)(m.p[i] | 0x20) : m.p[i]);
    } else {
        dfr_vm_print_part(b, v);
    }
}

static void run_action(struct run *r, const struct dfr_padvice *a, struct dfr_advised *ret)
{
    struct dfr_vm *vm = &r->vm;
    struct dfr_tv args[DFR_LIMIT_VM_SLOTS];
    struct dfr_buf key;
    dfr_buf_init(&key, vm->a);
    dfr_buf_z(&key, "action:");
    dfr_buf_str(&key, dfr_program_text(vm->p, vm->p->actions.v[a->action].name));
    for (uint32_t i = 0; i < a->args; i++) {
        args[i] = dfr_vm_value(vm, vm->p->arg_chunks.v[a->first_arg + i]);
        note(vm, &a->source, &args[i]);
        if (args[i].v.state != DFR_KNOWN) {
            ret->held = true;
            ret->missing = dfr_vm_union(vm, ret->missing, args[i].missing);
        }
        key_part(&key, &args[i].v);
    }
    if (a->args)
        ret->subject = args[0];
    ret->key = dfr_buf_text(&key);
    ret->text = dfr_vm_render(vm, vm->p->actions.v[a->action].template, args, DFR_RENDER_TEXT).text;
}

static void run_advice(struct run *r, const struct dfr_prule *rule, struct dfr_hit *hit)
{
    struct dfr_vm *vm = &r->vm;
    hit->advice = DFR_NEW_N(vm->a, rule->advice_count, struct dfr_advised);
    for (uint32_t i = 0; i < rule->advice_count; i++) {
        const struct dfr_padvice *a = &vm->p->advice.v[rule->advice + i];
        struct dfr_advised d = {.advice = rule->advice + i, .condition = certain()};
        if (a->condition != DFR_NONE) {
            d.condition = dfr_vm_value(vm, a->condition);
            note(vm, &a->source, &d.condition);
            if (dfr_tv_tri(&d.condition) == DFR_FALSE)
                continue;
        }
        if (a->action == DFR_NONE) {
            struct dfr_rendered text = dfr_vm_render(vm, a->template, NULL, DFR_RENDER_TEXT);
            d.text = text.text;
            d.held = text.unknown;
            d.missing = text.missing;
            d.key = folded(vm, text.text);
            if (dfr_reason_is_error(text.reason))
                note_reason(vm, &a->source, text.reason);
        } else {
            run_action(r, a, &d);
        }
        hit->advice[hit->advice_count++] = d;
    }
}

static void run_collect(struct run *r, const struct dfr_prule *rule, struct dfr_hit *hit)
{
    struct dfr_vm *vm = &r->vm;
    hit->collect = DFR_NEW_N(vm->a, rule->collect_count, struct dfr_collected);
    for (uint32_t i = 0; i < rule->collect_count; i++) {
        const struct dfr_pcollect *c = &vm->p->collect.v[rule->collect + i];
        struct dfr_collected d = {.collect = rule->collect + i, .condition = certain()};
        if (c->condition != DFR_NONE) {
            vm->asked = 0;
            d.condition = dfr_vm_value(vm, c->condition);
            d.missing = dfr_vm_union(vm, vm->asked, d.condition.missing);
            note(vm, &c->source, &d.condition);
            if (dfr_tv_tri(&d.condition) == DFR_FALSE)
                continue;
        }
        d.command = dfr_vm_render(vm, c->template, NULL, DFR_RENDER_COMMAND).text;
        hit->collect[hit->collect_count++] = d;
    }
}

/* --- A row of a rule --- */

static bool alone(const struct run *r)
{
    return r->o->only_rule != DFR_NONE;
}

static void run_suppressions(struct run *r, struct dfr_hit *hit)
{
    struct dfr_vm *vm = &r->vm;
    for (uint32_t i = vm->e->first_suppress[hit->rule]; i != DFR_NONE;
         i = vm->e->next_suppress[i]) {
        const struct dfr_psuppress *s = &vm->p->suppress.v[i];
        struct dfr_tv where = dfr_vm_value(vm, s->where);
        note(vm, &s->source, &where);
        if (dfr_tv_tri(&where) != DFR_TRUE)
            continue;
        hit->status = DFR_HIT_SUPPRESSED;
        hit->suppressed_by = i;
        return;
    }
}

static void in_full(struct run *r, uint32_t row, enum dfr_tri when)
{
    struct dfr_vm *vm = &r->vm;
    const struct dfr_prule *rule = &vm->p->rules.v[vm->rule];
    struct dfr_hit hit = {.rule = vm->rule, .row = row, .suppressed_by = DFR_NONE};
    begin_pass(r, true);
    bool stuck, moot;
    run_clauses(r, rule, &hit, &stuck, &moot);
    if (when != DFR_FALSE)
        when = dfr_tv_tri(&hit.when);
    hit.status = when == DFR_FALSE  ? DFR_HIT_FALSE
                 : when == DFR_TRUE ? DFR_HIT_FIRED
                 : stuck            ? DFR_HIT_SILENT
                                    : DFR_HIT_WAITING;
    if (hit.status != DFR_HIT_FALSE && !moot)
        note_clauses(r, rule, &hit);
    bool live = hit.status == DFR_HIT_FIRED || hit.status == DFR_HIT_WAITING;
    if ((live || alone(r)) && rule->unless != DFR_NONE) {
        hit.unless = dfr_vm_value(vm, rule->unless);
        if (live)
            note(vm, &rule->source, &hit.unless);
        /* A rule that only waits has no result yet that could be removed. */
        if (live && dfr_tv_tri(&hit.unless) == DFR_TRUE) {
            live = hit.status == DFR_HIT_FIRED;
            hit.status = DFR_HIT_REMOVED;
        }
    }
    if (live || alone(r)) {
        if (hit.status == DFR_HIT_FIRED || hit.status == DFR_HIT_WAITING)
            run_suppressions(r, &hit);
        if (rule->subject != DFR_NONE) {
            hit.subject = dfr_vm_value(vm, rule->subject);
            if (live)
                note(vm, &rule->source, &hit.subject);
        }
        run_evidence(r, rule, &hit);
        run_advice(r, rule, &hit);
        run_collect(r, rule, &hit);
        *DFR_PUSH(vm->a, &vm->out->hits) = hit;
    }
    end_pass(r);
}

/* False when the rule's budget is used up. */
static bool run_row(struct run *r, uint32_t row)
{
    const struct dfr_prule *rule = &r->vm.p->rules.v[r->vm.rule];
    enum dfr_tri when = quick(r, rule);
    if (r->steps[0] > r->vm.limit) {
        note_reason(&r->vm, &rule->source, DFR_REASON_BUDGET);
        if (alone(r))
            in_full(r, row, when);
        return false;
    }
    if (when != DFR_FALSE || alone(r))
        in_full(r, row, when);
    return r->steps[1] <= r->vm.limit;
}

static struct dfr_rows_view each_rows(struct run *r, const struct dfr_prule *rule, bool full)
{
    begin_pass(r, full);
    r->vm.row = dfr_tv_error(DFR_KIND_ROW, DFR_REASON_NOT_APPLICABLE);
    struct dfr_tv list = dfr_vm_value(&r->vm, rule->each_list);
    struct dfr_rows_view rows = dfr_vm_rows(&r->vm, &list, DFR_KIND_ROW);
    end_pass(r);
    return rows;
}

static void run_each(struct run *r, const struct dfr_prule *rule)
{
    struct dfr_vm *vm = &r->vm;
    struct dfr_rows_view rows = each_rows(r, rule, false);
    if (rows.bad) {
        note(vm, &rule->source, &rows.unknown);
        vm->row = rows.unknown;
        if (alone(r))
            run_row(r, DFR_NONE);
        return;
    }
    for (uint32_t i = 0; i < rows.count; i++) {
        vm->row = (struct dfr_tv){.v = dfr_vm_row(rows.table, rows.first + i)};
        if (!run_row(r, i))
            return;
    }
    if (rows.open) {
        /* The rows that nobody has seen: one that is not known stands for all of them. */
        struct dfr_rows_view again = each_rows(r, rule, true);
        vm->row = dfr_tv_error(DFR_KIND_ROW, DFR_REASON_NOT_LISTED);
        vm->row.missing = again.missing;
        run_row(r, DFR_NONE);
    }
}

static void run_rule(struct run *r, uint32_t rule)
{
    const struct dfr_prule *p = &r->vm.p->rules.v[rule];
    r->vm.rule = rule;
    r->steps[0] = r->steps[1] = 0;
    if (p->each_list == DFR_NONE) {
        r->vm.row = dfr_tv_error(DFR_KIND_ROW, DFR_REASON_NOT_APPLICABLE);
        run_row(r, DFR_NONE);
    } else {
        run_each(r, p);
    }
    r->vm.out->steps += r->steps[0] + r->steps[1];
    r->vm.out->candidates++;
}

enum dfr_status dfr_eval_run(const struct dfr_engine *e, const struct dfr_facts *f,
                             const struct dfr_eval_options *o, struct dfr_arena *a,
                             struct dfr_eval *ret, struct dfr_err *err)
{
    static const struct dfr_eval_options usual = {.only_rule = DFR_NONE};
    struct dfr_tv stack[DFR_LIMIT_VM_STACK];
    struct run r = {.o = o ? o : &usual};
    uint32_t rules = e->p->rules.n;
    if (r.o->only_rule != DFR_NONE && r.o->only_rule >= rules)
        return dfr_fail(err, DFR_MISUSE, "rule %u does not exist", r.o->only_rule);
    dfr_vm_init(&r.vm, e, f, a, ret, stack);
    if (r.o->steps_per_rule)
        r.vm.limit = r.o->steps_per_rule;
    if (r.o->only_rule != DFR_NONE) {
        run_rule(&r, r.o->only_rule);
    } else if (r.o->no_index) {
        for (uint32_t i = 0; i < rules; i++)
            run_rule(&r, i);
    } else {
        uint32_t n;
        const uint32_t *candidates = dfr_index_candidates(&r.vm, &n);
        for (uint32_t i = 0; i < n; i++)
            run_rule(&r, candidates[i]);
    }
    dfr_vm_settle(&r.vm);
    return DFR_OK;
}

enum dfr_status dfr_eval_expect(const struct dfr_engine *e, const struct dfr_facts *f,
                                const struct dfr_oracle *oracle, uint32_t chunk,
                                struct dfr_arena *a, struct dfr_tv *ret, struct dfr_err *err)
{
    struct dfr_tv stack[DFR_LIMIT_VM_STACK];
    struct dfr_vm vm;
    struct dfr_eval out;
    if (chunk >= e->p->chunks.n || e->p->chunks.v[chunk].args ||
        e->p->chunks.v[chunk].rule != DFR_NONE)
        return dfr_fail(err, DFR_MISUSE, "chunk %u is no expectation", chunk);
    dfr_vm_init(&vm, e, f, a, &out, stack);
    vm.oracle = oracle;
    vm.full = true;
    *ret = dfr_vm_value(&vm, chunk);
    ret->missing = ret->origin = 0; /* numbers of an evaluation that ends here */
    return DFR_OK;
}
