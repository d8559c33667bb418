/* Likely mistakes in rules that compile: what would never be seen, looked for everywhere, or is
 * tested by nobody. Runs last, over the program and what it came from. */
#include "lang/scope.h"

static struct dfr_diag *say(struct dfr_cx *cx, const struct dfr_decl *d, enum dfr_diag_code code,
                            const char *text)
{
    return dfr_cx_diag(cx, d->source, code, d->node->name.loc, text, (int)d->name.len, d->name.p);
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* The most that the rule's evidence can say for its cause: all lines at their best, of a group one. */
static int32_t best_evidence(struct dfr_cx *cx, const struct dfr_prule *r)
{
    const struct dfr_program *p = cx->p;
    int32_t *groups = DFR_NEW_N(cx->a, p->groups.n, int32_t);
    int32_t sum = 0;
    for (uint32_t i = r->evidence; i < r->evidence + r->evidence_count; i++) {
        const struct dfr_pevidence *e = &p->evidence.v[i];
        int32_t best = larger(larger(e->if_true, e->if_false), 0);
        uint32_t g = e->group;
        while (g != DFR_NONE && p->groups.v[g].parent != DFR_NONE)
            g = p->groups.v[g].parent;
        if (g == DFR_NONE) {
            sum += best;
        } else if (best > groups[g]) {
            sum += best - groups[g];
            groups[g] = best;
        }
    }
    return sum;
}

static void lint_rule(struct dfr_cx *cx, struct dfr_decl *d)
{
    enum { NOT_SHOWN = -3 };
    const struct dfr_program *p = cx->p;
    if (d->index == DFR_NONE || d->index >= p->rules.n)
        return;
    const struct dfr_prule *r = &p->rules.v[d->index];
    if (!r->code_count && r->atom_kind == DFR_ATOM_NONE && r->each_list == DFR_NONE)
        dfr_cx_suggest(cx,
                       say(cx, d, DFR_D_LINT_EVERYWHERE, "rule `%.*s` is looked at on every crash"),
                       "say which bug checks it is for, or which frame or module it needs");
    if (r->cause != DFR_NONE &&
        p->causes.v[r->cause].prior_db + r->when_db + best_evidence(cx, r) <= NOT_SHOWN)
        say(cx, d, DFR_D_LINT_NEVER_SHOWN,
            "rule `%.*s` alone never lifts its cause to where it is shown");
    if (r->cause == DFR_NONE && !r->evidence_count && !r->advice_count && !r->collect_count)
        say(cx, d, DFR_D_LINT_NO_EFFECT, "rule `%.*s` concludes, notes and recommends nothing");
    if (!d->tested)
        say(cx, d, DFR_D_LINT_UNTESTED, "no test asks for rule `%.*s`");
}

static void lint_used(struct dfr_cx *cx, struct dfr_decl *d)
{
    if (!d->used)
        dfr_cx_diag(cx, d->source, DFR_D_LINT_UNUSED, d->node->name.loc, "nothing uses %s `%.*s`",
                    d->kind == DFR_NODE_CAUSE    ? "cause"
                    : d->kind == DFR_NODE_ACTION ? "action"
                                                 : "list",
                    (int)d->name.len, d->name.p);
}

void dfr_lint(struct dfr_cx *cx)
{
    for (uint32_t i = 0; i < cx->packs.n; i++) {
        struct dfr_pack *p = cx->packs.v[i];
        for (uint32_t k = 0; k < p->decls[DFR_NODE_RULE].n; k++)
            lint_rule(cx, p->decls[DFR_NODE_RULE].v[k]);
        static const enum dfr_node_kind kinds[] = {DFR_NODE_CAUSE, DFR_NODE_ACTION, DFR_NODE_LIST};
        for (int m = 0; m < 3; m++)
            for (uint32_t k = 0; k < p->decls[kinds[m]].n; k++)
                lint_used(cx, p->decls[kinds[m]].v[k]);
    }
}
