/* Rules: their sections to records and chunks. */
#include "lang/scope.h"

#include <stdlib.h>

#include "base/buf.h"

enum { MOST_SECTIONS_LETS = 1000 };

/* One rule under compilation. */
struct rule {
    struct dfr_cx *cx;
    struct dfr_decl *d;
    struct dfr_env env;
    struct dfr_prule out;
    DFR_VEC(uint32_t) lets;
    DFR_VEC(struct dfr_pclause) clauses;
    DFR_VEC(struct dfr_typed *) clause_nodes;
    DFR_VEC(struct dfr_pevidence) evidence;
    DFR_VEC(struct dfr_padvice) advice;
    DFR_VEC(struct dfr_pcollect) collect;
    DFR_VEC(struct dfr_str) labels;
    bool has_when, has_evidence, has_unless, has_conclude;
    const struct dfr_section *conclude;
};

static void complain(struct rule *r, enum dfr_diag_code code, struct dfr_loc loc, const char *text)
{
    dfr_cx_diag(r->cx, r->d->source, code, loc, "%s", text);
}

/* Missing data must not count: evidence and `unless` may not ask whether something is known. */
static void forbid_state(struct rule *r, const struct dfr_typed *t, const char *where)
{
    if (!t->uses_state)
        return;
    for (const struct dfr_typed *k = t->kid; k;) {
        if (!k->uses_state) {
            k = k->next;
            continue;
        }
        t = k;
        k = t->kid;
    }
    dfr_cx_diag(r->cx, r->d->source, DFR_D_STATE_PLACE, t->loc,
                "known() and unknown() do not count in %s: missing data is no evidence", where);
}

/* --- when, each, let ------------------------------------------------------------------------- */

static void add_clause(struct rule *r, struct dfr_typed *t, struct dfr_loc loc)
{
    struct dfr_pclause c = {.chunk = dfr_typed_chunk(&r->env, t),
                            .order = r->clauses.n,
                            .text = dfr_source_folded(r->cx, r->d->source, loc),
                            .source = dfr_place_of(r->d->source, loc)};
    *DFR_PUSH(r->cx->a, &r->clauses) = c;
    *DFR_PUSH(r->cx->a, &r->clause_nodes) = t;
}

/* Each operand of an `and` is a clause of its own, so that reports can speak of it. */
static void add_conditions(struct rule *r, const struct dfr_expr *e)
{
    if (e->kind == DFR_EXPR_ALL_OF) {
        for (const struct dfr_expr *k = e->kid; k; k = k->next)
            add_conditions(r, k);
        return;
    }
    add_clause(r, dfr_check_bool(&r->env, e), e->loc);
}

static struct dfr_local *add_local(struct rule *r, struct dfr_word name)
{
    dfr_check_hides(&r->env, name);
    struct dfr_local *l = DFR_NEW(r->cx->a, struct dfr_local);
    l->name = name.text;
    l->outer = r->env.locals;
    return l;
}

static void section_let(struct rule *r, const struct dfr_section *s)
{
    struct dfr_local *l = add_local(r, s->name);
    struct dfr_typed *t = dfr_typed_settle(&r->env, dfr_check_expr(&r->env, s->expr));
    if (r->lets.n >= MOST_SECTIONS_LETS)
        complain(r, DFR_D_TOO_LARGE, s->loc, "a rule has at most 1000 lets");
    l->what = DFR_LOCAL_LET;
    l->number = r->lets.n;
    l->type = t->type;
    l->value = t;
    *DFR_PUSH(r->cx->a, &r->lets) = dfr_typed_chunk(&r->env, t);
    r->env.locals = l;
}

static void section_each(struct rule *r, const struct dfr_section *s)
{
    if (r->out.each_list != DFR_NONE) {
        complain(r, DFR_D_SECTION_TWICE, s->head, "a rule has at most one `each`");
        return;
    }
    struct dfr_typed *list = dfr_check_expr(&r->env, s->expr);
    r->out.each_list = dfr_typed_chunk(&r->env, list);
    struct dfr_local *l = add_local(r, s->name);
    l->what = DFR_LOCAL_VAR;
    l->number = 0;
    if (list->kind != DFR_TYPED_ERROR && list->type.kind != DFR_KIND_LIST)
        dfr_cx_diag(r->cx, r->d->source, DFR_D_TYPE, list->loc,
                    "`each` goes over a list, this is %s", dfr_type_name_of(r->cx, list->type));
    if (list->type.kind != DFR_KIND_LIST)
        return;
    l->type = dfr_element_type(r->cx, list->type);
    r->env.locals = l;
    add_conditions(r, s->cond);
}

static void section_unless(struct rule *r, const struct dfr_section *s)
{
    if (r->has_unless)
        complain(r, DFR_D_SECTION_TWICE, s->head,
                 "a rule has at most one `unless`: join them with `or`");
    r->has_unless = true;
    struct dfr_typed *t = dfr_check_bool(&r->env, s->expr);
    forbid_state(r, t, "`unless`");
    r->out.unless = dfr_typed_chunk(&r->env, t);
    r->out.unless_text = dfr_source_folded(r->cx, r->d->source, s->expr->loc);
}

/* --- evidence -------------------------------------------------------------------------------- */

bool dfr_weight_of(struct dfr_cx *cx, const struct dfr_source *s, const struct dfr_weight *w,
                   int32_t *if_true, int32_t *if_false)
{
    static const struct {
        const char *name;
        int32_t db;
    } words[] = {{"weak", 3}, {"moderate", 6}, {"strong", 10}, {"decisive", 20}};
    *if_false = 0;
    if (w->numbers) {
        if (w->a < -30 || w->a > 30 || w->b < -30 || w->b > 30) {
            dfr_cx_diag(cx, s, DFR_D_BAD_WEIGHT, w->loc,
                        "a weight lies between -30 and 30 decibans");
            return false;
        }
        *if_true = (int32_t)w->a;
        *if_false = w->numbers == 2 ? (int32_t)w->b : 0;
        return true;
    }
    struct dfr_nearest near = {.want = w->name.text};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (dfr_str_eq(w->name.text, dfr_str_from(words[i].name))) {
            *if_true = words[i].db;
            return true;
        }
        dfr_nearest_try(&near, dfr_str_from(words[i].name));
    }
    struct dfr_diag *d = dfr_cx_diag(cx, s, DFR_D_BAD_WEIGHT, w->loc,
                                     "a weight is weak, moderate, strong, decisive or weight(n)");
    dfr_cx_did_you_mean(cx, d, &near);
    return false;
}

static bool weight_of(struct rule *r, const struct dfr_weight *w, int32_t *if_true,
                      int32_t *if_false)
{
    return dfr_weight_of(r->cx, r->d->source, w, if_true, if_false);
}

static void check_label(struct rule *r, const struct dfr_expr *label)
{
    for (uint32_t i = 0; i < r->labels.n; i++)
        if (dfr_str_eq(r->labels.v[i], label->as.text)) {
            complain(r, DFR_D_DUPLICATE, label->loc, "this label stands twice in the rule");
            return;
        }
    *DFR_PUSH(r->cx->a, &r->labels) = label->as.text;
}

static void add_evidence(struct rule *r, const struct dfr_evidence *e, uint32_t group)
{
    struct dfr_pevidence out = {.group = group, .label = DFR_NONE};
    static const uint32_t cls[] = {DFR_ITEM_FOR, DFR_ITEM_AGAINST, DFR_ITEM_NOTE};
    out.cls = cls[e->kind];
    if (e->weight) /* a bad one is complained about; the condition is checked all the same */
        (void)weight_of(r, e->weight, &out.if_true, &out.if_false);
    if (e->kind == DFR_EV_AGAINST) {
        out.if_true = -out.if_true;
        out.if_false = -out.if_false;
    }
    if (e->label) {
        check_label(r, e->label);
        out.label = dfr_template(&r->env, e->label, false);
    }
    struct dfr_typed *t = dfr_check_bool(&r->env, e->cond);
    if (e->kind != DFR_EV_NOTE)
        forbid_state(r, t, "evidence");
    out.chunk = dfr_typed_chunk(&r->env, t);
    out.text = dfr_source_folded(r->cx, r->d->source, e->cond->loc);
    out.hash_lo = (uint32_t)t->hash;
    out.hash_hi = (uint32_t)(t->hash >> 32);
    out.source = dfr_place_of(r->d->source, e->loc);
    *DFR_PUSH(r->cx->a, &r->evidence) = out;
}

enum { MOST_GROUPS_DEEP = 8 };

static void add_items(struct rule *r, const struct dfr_evidence *e, uint32_t group, int depth)
{
    struct dfr_program *p = r->cx->p;
    for (; e; e = e->next) {
        if (e->kind != DFR_EV_GROUP) {
            add_evidence(r, e, group);
            continue;
        }
        if (depth >= MOST_GROUPS_DEEP) {
            complain(r, DFR_D_TOO_DEEP, e->loc, "groups go at most 8 deep");
            continue;
        }
        *DFR_PUSH(p->arena, &p->groups) =
            (struct dfr_pgroup){dfr_build_text(&r->cx->b, e->group.text), group};
        add_items(r, e->items, p->groups.n - 1, depth + 1);
    }
}

/* --- conclude, recommend, collect ------------------------------------------------------------ */

static void section_conclude(struct rule *r, const struct dfr_section *s)
{
    struct dfr_cx *cx = r->cx;
    if (r->has_conclude) {
        complain(r, DFR_D_SECTION_TWICE, s->head, "a rule has at most one `conclude`");
        return;
    }
    r->has_conclude = true;
    r->conclude = s;
    struct dfr_decl *cause = dfr_scope_find(cx, r->d->pack, DFR_NODE_CAUSE, s->name.text);
    if (!cause)
        cause = dfr_scope_renamed(cx, r->d->pack, r->d->source, DFR_NODE_CAUSE, s->name);
    if (cause) {
        dfr_deprecated(cx, cause, r->d->pack, r->d->source, s->name.loc);
        cause->used = true;
        r->out.cause = cause->index;
    } else {
        struct dfr_diag *d =
            dfr_cx_diag(cx, r->d->source, DFR_D_UNKNOWN_NAME, s->name.loc,
                        "there is no cause `%.*s`", (int)s->name.text.len, s->name.text.p);
        struct dfr_nearest near = {.want = s->name.text};
        dfr_scope_nearest(cx, r->d->pack, DFR_NODE_CAUSE, &near);
        dfr_cx_did_you_mean(cx, d, &near);
    }
    if (!s->expr)
        return;
    struct dfr_typed *t = dfr_check_expr(&r->env, s->expr);
    if (t->literal && t->type.kind == DFR_KIND_STR)
        t = dfr_typed_fit(&r->env, t, DFR_TYPE(MODULE), "a subject");
    t = dfr_typed_settle(&r->env, t);
    if (t->type.kind == DFR_KIND_LIST || t->type.kind == DFR_KIND_ROW)
        complain(r, DFR_D_TYPE, t->loc, "a subject is one thing: a module, a name, an address");
    r->out.subject = dfr_typed_chunk(&r->env, t);
}

static uint32_t condition_of(struct rule *r, const struct dfr_expr *e)
{
    return e ? dfr_typed_chunk(&r->env, dfr_check_bool(&r->env, e)) : DFR_NONE;
}

static void section_recommend(struct rule *r, const struct dfr_section *s)
{
    struct dfr_cx *cx = r->cx;
    struct dfr_program *p = cx->p;
    struct dfr_padvice a = {
        .action = DFR_NONE, .template = DFR_NONE, .source = dfr_place_of(r->d->source, s->loc)};
    if (s->text) {
        a.template = dfr_template(&r->env, s->text, false);
    } else {
        struct dfr_decl *d = dfr_scope_find(cx, r->d->pack, DFR_NODE_ACTION, s->name.text);
        if (!d)
            d = dfr_scope_renamed(cx, r->d->pack, r->d->source, DFR_NODE_ACTION, s->name);
        if (d)
            dfr_deprecated(cx, d, r->d->pack, r->d->source, s->name.loc);
        if (!d) {
            struct dfr_diag *g =
                dfr_cx_diag(cx, r->d->source, DFR_D_UNKNOWN_NAME, s->name.loc,
                            "there is no action `%.*s`", (int)s->name.text.len, s->name.text.p);
            struct dfr_nearest near = {.want = s->name.text};
            dfr_scope_nearest(cx, r->d->pack, DFR_NODE_ACTION, &near);
            dfr_cx_did_you_mean(cx, g, &near);
            return;
        }
        d->used = true;
        a.action = d->index;
        uint32_t n = 0, chunks[16];
        for (const struct dfr_expr *x = s->args; x; x = x->next, n++)
            if (n < d->param_count && n < 16)
                chunks[n] = dfr_typed_chunk(
                    &r->env, dfr_check_as(&r->env, x, d->params[n], "this argument"));
        if (n != d->param_count || n > 16) {
            dfr_cx_diag(cx, r->d->source, DFR_D_ARGUMENTS, s->loc,
                        "`%.*s` takes %u argument%s, not %u", (int)d->name.len, d->name.p,
                        d->param_count, d->param_count == 1 ? "" : "s", n);
            return;
        }
        a.first_arg = p->arg_chunks.n;
        a.args = n;
        for (uint32_t i = 0; i < n; i++)
            *DFR_PUSH(p->arena, &p->arg_chunks) = chunks[i];
    }
    a.condition = condition_of(r, s->cond);
    *DFR_PUSH(cx->a, &r->advice) = a;
}

static void section_collect(struct rule *r, const struct dfr_section *s)
{
    struct dfr_pcollect c = {.template = dfr_template(&r->env, s->text, true),
                             .condition = condition_of(r, s->cond),
                             .source = dfr_place_of(r->d->source, s->loc)};
    *DFR_PUSH(r->cx->a, &r->collect) = c;
}

/* --- The whole rule -------------------------------------------------------------------------- */

static void section(struct rule *r, const struct dfr_section *s)
{
    switch (s->kind) {
    case DFR_SEC_META:
    case DFR_SEC_BROKEN:
        return;
    case DFR_SEC_LET:
        section_let(r, s);
        return;
    case DFR_SEC_EACH:
        section_each(r, s);
        return;
    case DFR_SEC_WHEN:
        if (r->has_when)
            complain(r, DFR_D_SECTION_TWICE, s->head,
                     "a rule has at most one `when`: join them with `and`");
        r->has_when = true;
        add_conditions(r, s->expr);
        return;
    case DFR_SEC_UNLESS:
        section_unless(r, s);
        return;
    case DFR_SEC_EVIDENCE:
        if (r->has_evidence)
            complain(r, DFR_D_SECTION_TWICE, s->head, "a rule has at most one `evidence`");
        r->has_evidence = true;
        add_items(r, s->evidence, DFR_NONE, 0);
        return;
    case DFR_SEC_CONCLUDE:
        section_conclude(r, s);
        return;
    case DFR_SEC_RECOMMEND:
        section_recommend(r, s);
        return;
    case DFR_SEC_COLLECT:
        section_collect(r, s);
        return;
    }
}

/* Metadata of all `meta` blocks, and the tags. */
static void rule_metas(struct rule *r)
{
    struct dfr_cx *cx = r->cx;
    struct dfr_program *p = cx->p;
    r->out.meta_first = p->metas.n;
    for (const struct dfr_section *s = r->d->node->sections; s; s = s->next)
        if (s->kind == DFR_SEC_META) {
            uint32_t first, count;
            dfr_metas(cx, r->d->source, s->fields, NULL, &first, &count);
        }
    if (r->d->node->tags) {
        struct dfr_buf b;
        dfr_buf_init(&b, cx->a);
        for (const struct dfr_tag *t = r->d->node->tags; t; t = t->next) {
            if (b.len)
                dfr_buf_z(&b, ", ");
            dfr_buf_str(&b, t->name.text);
        }
        *DFR_PUSH(p->arena, &p->metas) = (struct dfr_pmeta){
            dfr_build_text(&cx->b, DFR_STR("tags")), dfr_build_text(&cx->b, dfr_buf_text(&b))};
    }
    r->out.meta_count = p->metas.n - r->out.meta_first;
}

static uint32_t chunk_cost(const struct rule *r, uint32_t chunk)
{
    return r->cx->p->chunks.v[chunk].cost;
}

/* Cheap conditions first; of equal ones the one that stands first. */
static void order_clauses(struct rule *r)
{
    for (uint32_t i = 1; i < r->clauses.n; i++) {
        struct dfr_pclause c = r->clauses.v[i];
        uint32_t k = i;
        for (; k && chunk_cost(r, r->clauses.v[k - 1].chunk) > chunk_cost(r, c.chunk); k--)
            r->clauses.v[k] = r->clauses.v[k - 1];
        r->clauses.v[k] = c;
    }
}

#define MOVE(from, array, first, count)                                                            \
    do {                                                                                           \
        first = p->array.n;                                                                        \
        count = (from).n;                                                                          \
        for (uint32_t dfr_i = 0; dfr_i < (from).n; dfr_i++)                                        \
            *DFR_PUSH(p->arena, &p->array) = (from).v[dfr_i];                                      \
    } while (0)

static void store(struct rule *r)
{
    struct dfr_program *p = r->cx->p;
    struct dfr_prule *o = &r->out;
    uint64_t cost = 0;
    for (uint32_t i = 0; i < r->clauses.n; i++)
        cost += chunk_cost(r, r->clauses.v[i].chunk);
    for (uint32_t i = 0; i < r->evidence.n; i++)
        cost += chunk_cost(r, r->evidence.v[i].chunk);
    for (uint32_t i = 0; i < r->lets.n; i++)
        cost += chunk_cost(r, r->lets.v[i]);
    o->cost = cost > UINT32_MAX ? UINT32_MAX : (uint32_t)cost;
    MOVE(r->lets, let_chunks, o->lets, o->let_count);
    MOVE(r->clauses, clauses, o->clauses, o->clause_count);
    MOVE(r->evidence, evidence, o->evidence, o->evidence_count);
    MOVE(r->advice, advice, o->advice, o->advice_count);
    MOVE(r->collect, collect, o->collect, o->collect_count);
    *DFR_PUSH(p->arena, &p->rules) = *o;
}

static int32_t conclude_weight(struct rule *r)
{
    enum { MODERATE = 6 };
    int32_t if_true = 0, if_false = 0;
    if (r->conclude && r->conclude->weight) {
        weight_of(r, r->conclude->weight, &if_true, &if_false);
        return if_true;
    }
    return r->has_evidence ? 0 : MODERATE;
}

void dfr_compile_rule(struct dfr_cx *cx, struct dfr_decl *d)
{
    struct rule r = {.cx = cx, .d = d};
    r.env = (struct dfr_env){.cx = cx, .pack = d->pack, .source = d->source, .rule = d->index};
    r.out = (struct dfr_prule){.name = dfr_build_text(&cx->b, d->full),
                               .pack = dfr_build_text(&cx->b, d->pack->name),
                               .source = dfr_place_of(d->source, d->node->name.loc),
                               .tier = d->tier,
                               .each_list = DFR_NONE,
                               .unless = DFR_NONE,
                               .cause = DFR_NONE,
                               .subject = DFR_NONE};
    bool has_each = false, broken = false;
    for (const struct dfr_section *s = d->node->sections; s; s = s->next) {
        has_each |= s->kind == DFR_SEC_EACH;
        broken |= s->kind == DFR_SEC_BROKEN;
    }
    r.env.slots = has_each; /* row variable 0 is the row of `each`, also before it is named */
    for (const struct dfr_section *s = d->node->sections; s; s = s->next)
        section(&r, s);
    if (!r.has_when && !has_each && !broken)
        complain(&r, DFR_D_NO_WHEN, d->node->name.loc, "a rule needs a `when` or an `each`");
    r.out.when_db = conclude_weight(&r);
    rule_metas(&r);
    dfr_gates(cx, d, &r.out, r.clause_nodes.v, r.clause_nodes.n);
    order_clauses(&r);
    store(&r);
    d->locals = r.env.locals;
    d->has_row = has_each;
}
