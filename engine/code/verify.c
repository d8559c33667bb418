/* Every record of a program against every other: what is not checked here, the VM may trust. */
#include "code/verify.h"

#include "base/checked.h"
#include "base/limits.h"

static enum dfr_status bad(const struct dfr_verifier *v, const char *record, uint32_t i,
                           const char *what)
{
    return dfr_fail(v->err, DFR_BAD_CACHE, "%s %u: %s", record, i, what);
}

static bool span(uint32_t first, uint32_t count, uint32_t n)
{
    return first <= n && count <= n - first;
}

static bool text(const struct dfr_verifier *v, struct dfr_ptext t)
{
    return span(t.off, t.len, v->p->pool.n);
}

static bool source(const struct dfr_verifier *v, struct dfr_psource s)
{
    return s.file < v->p->files.n || (s.file == DFR_NONE) || (s.file == 0 && s.line == 0);
}

static bool index_or_none(uint32_t i, uint32_t n)
{
    return i < n || i == DFR_NONE;
}

/* A chunk that its user runs with `args` arguments and, if `rule` is not DFR_NONE, in that rule. */
static bool chunk(const struct dfr_verifier *v, uint32_t i, uint32_t args, uint32_t rule)
{
    const struct dfr_program *p = v->p;
    return i < p->chunks.n && p->chunks.v[i].args <= args &&
           (p->chunks.v[i].rule == DFR_NONE || p->chunks.v[i].rule == rule);
}

static bool chunk_or_none(const struct dfr_verifier *v, uint32_t i, uint32_t rule)
{
    return i == DFR_NONE || chunk(v, i, 0, rule);
}

static bool template(const struct dfr_verifier *v, uint32_t i, uint32_t args, uint32_t rule)
{
    const struct dfr_program *p = v->p;
    if (i >= p->templates.n)
        return false;
    const struct dfr_ptemplate *t = &p->templates.v[i];
    for (uint32_t k = 0; k < t->count; k++) {
        const struct dfr_ppiece *piece = &p->pieces.v[t->first + k];
        if (piece->chunk != DFR_NONE && !chunk(v, piece->chunk, args, rule))
            return false;
    }
    return true;
}

static enum dfr_status constants(const struct dfr_verifier *v)
{
    const struct dfr_program *p = v->p;
    for (uint32_t i = 0; i < p->consts.n; i++) {
        const struct dfr_pconst *c = &p->consts.v[i];
        bool fine = false;
        switch (c->kind) {
        case DFR_KIND_BOOL:
            fine = c->word[0] < 2;
            break;
        case DFR_KIND_INT:
        case DFR_KIND_TIME:
        case DFR_KIND_DUR:
            fine = (int64_t)((uint64_t)c->word[1] << 32 | c->word[0]) <=
                   (int64_t)((uint64_t)c->word[3] << 32 | c->word[2]);
            break;
        case DFR_KIND_STR:
        case DFR_KIND_MODULE:
            fine = text(v, (struct dfr_ptext){c->word[0], c->word[1]});
            break;
        case DFR_KIND_ENUM:
            fine = c->word[0] < DFR_E_COUNT && c->word[1] < dfr_enum_count(c->word[0]);
            break;
        case DFR_KIND_NONE:
        case DFR_KIND_ADDR:
        case DFR_KIND_VER:
            fine = true;
            break;
        default:
            break;
        }
        if (!fine)
            return bad(v, "constant", i, "its kind or value is impossible");
    }
    return DFR_OK;
}

static enum dfr_status patterns(const struct dfr_verifier *v)
{
    const struct dfr_program *p = v->p;
    for (uint32_t i = 0; i < p->patterns.n; i++) {
        const struct dfr_ppattern *t = &p->patterns.v[i];
        if (t->kind > DFR_PATTERN_REGEX || !text(v, t->module) || !text(v, t->func) ||
            !text(v, t->text) || t->fold_case > 1)
            return bad(v, "pattern", i, "its kind or text is impossible");
        if (t->text.len > DFR_LIMIT_PATTERN_BYTES || t->module.len > DFR_LIMIT_PATTERN_BYTES ||
            t->func.len > DFR_LIMIT_PATTERN_BYTES)
            return bad(v, "pattern", i, "it is too long");
    }
    for (uint32_t i = 0; i < p->seq_patterns.n; i++)
        if (p->seq_patterns.v[i] >= p->patterns.n)
            return bad(v, "member of a sequence", i, "no such pattern");
    for (uint32_t i = 0; i < p->seqs.n; i++)
        if (!span(p->seqs.v[i].first, p->seqs.v[i].count, p->seq_patterns.n) ||
            p->seqs.v[i].count == 0 || p->seqs.v[i].count > DFR_LIMIT_SEQ_PATTERNS)
            return bad(v, "sequence", i, "its patterns do not exist, or are too many");
    return DFR_OK;
}

static enum dfr_status lists(const struct dfr_verifier *v)
{
    const struct dfr_program *p = v->p;
    for (uint32_t i = 0; i < p->cells.n; i++)
        if (!index_or_none(p->cells.v[i], p->consts.n))
            return bad(v, "cell", i, "no such constant");
    for (uint32_t i = 0; i < p->column_names.n; i++)
        if (!text(v, p->column_names.v[i]))
            return bad(v, "column", i, "its name is outside the texts");
    for (uint32_t i = 0; i < p->lists.n; i++) {
        const struct dfr_plist *l = &p->lists.v[i];
        uint64_t cells = (uint64_t)l->columns * l->rows;
        if (!text(v, l->name) || l->columns == 0 || l->rows > DFR_LIMIT_LIST_ITEMS ||
            cells > UINT32_MAX || !span(l->first_cell, (uint32_t)cells, p->cells.n) ||
            !span(l->first_column, l->columns, p->column_names.n))
            return bad(v, "list", i, "its columns or cells do not exist");
    }
    return DFR_OK;
}

static enum dfr_status chunks(struct dfr_verifier *v)
{
    const struct dfr_program *p = v->p;
    for (uint32_t i = 0; i < p->rules.n; i++)
        if (!span(p->rules.v[i].lets, p->rules.v[i].let_count, p->let_chunks.n))
            return bad(v, "rule", i, "its lets do not exist");
    for (uint32_t i = 0; i < p->chunks.n; i++) {
        const struct dfr_pchunk *c = &p->chunks.v[i];
        if (!span(c->first, c->count, p->code.n))
            return bad(v, "chunk", i, "its words do not exist");
        if (c->args > DFR_LIMIT_VM_SLOTS || c->slots > DFR_LIMIT_VM_SLOTS ||
            !index_or_none(c->rule, p->rules.n))
            return bad(v, "chunk", i, "its arguments, slots or rule are impossible");
    }
    for (uint32_t i = 0; i < p->facts.n; i++)
        if (!text(v, p->facts.v[i].name) || !chunk(v, p->facts.v[i].chunk, 0, DFR_NONE) ||
            !source(v, p->facts.v[i].source))
            return bad(v, "fact", i, "its name or chunk is impossible");
    for (uint32_t i = 0; i < p->fns.n; i++)
        if (!text(v, p->fns.v[i].name) || p->fns.v[i].args > DFR_LIMIT_VM_SLOTS ||
            !chunk(v, p->fns.v[i].chunk, p->fns.v[i].args, DFR_NONE))
            return bad(v, "function", i, "its name, arguments or chunk are impossible");
    for (uint32_t i = 0; i < p->chunks.n; i++) {
        enum dfr_status s = dfr_verify_chunk(v, i, 0);
        if (s != DFR_OK)
            return s;
    }
    return DFR_OK;
}

static enum dfr_status texts(const struct dfr_verifier *v)
{
    const struct dfr_program *p = v->p;
    for (uint32_t i = 0; i < p->pieces.n; i++)
        if (!text(v, p->pieces.v[i].literal) || !index_or_none(p->pieces.v[i].chunk, p->chunks.n))
            return bad(v, "piece of a text", i, "its text or chunk does not exist");
    for (uint32_t i = 0; i < p->templates.n; i++)
        if (!span(p->templates.v[i].first, p->templates.v[i].count, p->pieces.n))
            return bad(v, "text", i, "its pieces do not exist");
    for (uint32_t i = 0; i < p->metas.n; i++)
        if (!text(v, p->metas.v[i].key) || !text(v, p->metas.v[i].value))
            return bad(v, "metadata", i, "its text does not exist");
    for (uint32_t i = 0; i < p->files.n; i++)
        if (!text(v, p->files.v[i]))
            return bad(v, "file", i, "its name does not exist");
    return DFR_OK;
}

static enum dfr_status vocabulary(const struct dfr_verifier *v)
{
    const struct dfr_program *p = v->p;
    for (uint32_t i = 0; i < p->causes.n; i++) {
        const struct dfr_pcause *c = &p->causes.v[i];
        if (!text(v, c->name) || !text(v, c->title) || !text(v, c->axis) ||
            c->prior_db < -DFR_LIMIT_DECIBANS || c->prior_db > DFR_LIMIT_DECIBANS ||
            !span(c->meta_first, c->meta_count, p->metas.n))
            return bad(v, "cause", i, "its texts, prior or metadata are impossible");
    }
    for (uint32_t i = 0; i < p->actions.n; i++) {
        const struct dfr_paction *a = &p->actions.v[i];
        if (!text(v, a->name) || !template(v, a->template, a->args, DFR_NONE) ||
            a->args > DFR_LIMIT_VM_SLOTS || a->cost > DFR_COST_REPLACE || a->helps > 100 ||
            !span(a->meta_first, a->meta_count, p->metas.n))
            return bad(v, "action", i, "its text, arguments or numbers are impossible");
    }
    for (uint32_t i = 0; i < p->groups.n; i++) {
        const struct dfr_pgroup *g = &p->groups.v[i];
        /* Parents come first, so that no group is inside itself. */
        if (!text(v, g->name) || (g->parent != DFR_NONE && g->parent >= i))
            return bad(v, "group", i, "its name or parent is impossible");
    }
    return DFR_OK;
}

static enum dfr_status rule_parts(const struct dfr_verifier *v, uint32_t i)
{
    const struct dfr_program *p = v->p;
    const struct dfr_prule *r = &p->rules.v[i];
    for (uint32_t k = 0; k < r->let_count; k++) {
        uint32_t c = p->let_chunks.v[r->lets + k];
        if (!chunk(v, c, 0, i) || dfr_chunk_reads_let(p, c, k))
            return bad(v, "rule", i, "a let is impossible, or reads itself or a later one");
    }
    for (uint32_t k = 0; k < r->clause_count; k++) {
        const struct dfr_pclause *c = &p->clauses.v[r->clauses + k];
        if (!chunk(v, c->chunk, 0, i) || !text(v, c->text) || !source(v, c->source))
            return bad(v, "rule", i, "a condition is impossible");
    }
    for (uint32_t k = 0; k < r->evidence_count; k++) {
        const struct dfr_pevidence *e = &p->evidence.v[r->evidence + k];
        if (e->cls > DFR_ITEM_NOTE || !chunk(v, e->chunk, 0, i) || !text(v, e->text) ||
            !index_or_none(e->group, p->groups.n) || !source(v, e->source) ||
            (e->label != DFR_NONE && !template(v, e->label, 0, i)) ||
            e->if_true < -DFR_LIMIT_DECIBANS || e->if_true > DFR_LIMIT_DECIBANS ||
            e->if_false < -DFR_LIMIT_DECIBANS || e->if_false > DFR_LIMIT_DECIBANS)
            return bad(v, "rule", i, "a line of evidence is impossible");
    }
    for (uint32_t k = 0; k < r->advice_count; k++) {
        const struct dfr_padvice *a = &p->advice.v[r->advice + k];
        bool fine = chunk_or_none(v, a->condition, i) && source(v, a->source) &&
                    span(a->first_arg, a->args, p->arg_chunks.n);
        if (a->action == DFR_NONE)
            fine = fine && template(v, a->template, 0, i);
        else
            fine = fine && a->action < p->actions.n && a->args == p->actions.v[a->action].args;
        for (uint32_t n = 0; fine && n < a->args; n++)
            fine = chunk(v, p->arg_chunks.v[a->first_arg + n], 0, i);
        if (!fine)
            return bad(v, "rule", i, "a recommendation is impossible");
    }
    for (uint32_t k = 0; k < r->collect_count; k++) {
        const struct dfr_pcollect *c = &p->collect.v[r->collect + k];
        if (!template(v, c->template, 0, i) || !chunk_or_none(v, c->condition, i) ||
            !source(v, c->source))
            return bad(v, "rule", i, "a collect is impossible");
    }
    return DFR_OK;
}

static enum dfr_status rules(const struct dfr_verifier *v)
{
    const struct dfr_program *p = v->p;
    for (uint32_t i = 0; i < p->rules.n; i++) {
        const struct dfr_prule *r = &p->rules.v[i];
        if (!text(v, r->name) || !text(v, r->pack) || !text(v, r->unless_text) ||
            !source(v, r->source) || r->tier > 2)
            return bad(v, "rule", i, "its texts or tier are impossible");
        if (!span(r->clauses, r->clause_count, p->clauses.n) ||
            !span(r->evidence, r->evidence_count, p->evidence.n) ||
            !span(r->advice, r->advice_count, p->advice.n) ||
            !span(r->collect, r->collect_count, p->collect.n) ||
            !span(r->meta_first, r->meta_count, p->metas.n) ||
            !span(r->codes, r->code_count, p->gate_codes.n))
            return bad(v, "rule", i, "some of its parts do not exist");
        if (!index_or_none(r->cause, p->causes.n) || r->when_db < -DFR_LIMIT_DECIBANS ||
            r->when_db > DFR_LIMIT_DECIBANS || !chunk_or_none(v, r->each_list, i) ||
            !chunk_or_none(v, r->unless, i) || !chunk_or_none(v, r->subject, i))
            return bad(v, "rule", i, "its conclusion is impossible");
        if (r->has_arg1 > 1 || r->atom_kind > DFR_ATOM_MODULE ||
            (r->atom_kind == DFR_ATOM_FRAME && r->atom >= p->patterns.n) ||
            (r->atom_kind == DFR_ATOM_MODULE &&
             (r->atom >= p->consts.n || (p->consts.v[r->atom].kind != DFR_KIND_STR &&
                                         p->consts.v[r->atom].kind != DFR_KIND_MODULE))))
            return bad(v, "rule", i, "its index keys are impossible");
        enum dfr_status s = rule_parts(v, i);
        if (s != DFR_OK)
            return s;
    }
    for (uint32_t i = 0; i < p->suppress.n; i++) {
        const struct dfr_psuppress *s = &p->suppress.v[i];
        if (s->rule >= p->rules.n || !chunk(v, s->where, 0, s->rule) || !text(v, s->reason) ||
            !source(v, s->source))
            return bad(v, "suppression", i, "its rule, condition or reason is impossible");
    }
    return DFR_OK;
}

static enum dfr_status tests(const struct dfr_verifier *v)
{
    const struct dfr_program *p = v->p;
    for (uint32_t i = 0; i < p->givens.n; i++) {
        const struct dfr_pgiven *g = &p->givens.v[i];
        if (g->field >= DFR_F_COUNT || g->what > 5 || g->row >= DFR_LIMIT_TABLE_ROWS ||
            !source(v, g->source) || (g->what == 0 && g->constant >= p->consts.n))
            return bad(v, "given", i, "its field, row or value is impossible");
    }
    for (uint32_t i = 0; i < p->expects.n; i++) {
        const struct dfr_pexpect *e = &p->expects.v[i];
        if (!chunk(v, e->chunk, 0, DFR_NONE) || !text(v, e->text) || !source(v, e->source))
            return bad(v, "expect", i, "its chunk or text is impossible");
    }
    for (uint32_t i = 0; i < p->tests.n; i++) {
        const struct dfr_ptest *t = &p->tests.v[i];
        if (!text(v, t->name) || !text(v, t->load) || !source(v, t->source) ||
            !span(t->given, t->given_count, p->givens.n) ||
            !span(t->expect, t->expect_count, p->expects.n))
            return bad(v, "test", i, "its parts do not exist");
    }
    return DFR_OK;
}

enum dfr_status dfr_program_verify(const struct dfr_program *p, struct dfr_err *err)
{
    struct dfr_verifier v = {.p = p, .err = err};
    if (p->rules.n > DFR_LIMIT_RULES || p->code.n > DFR_LIMIT_CODE_WORDS)
        return dfr_fail(err, DFR_LIMIT, "the rule set has too many rules, or too much code");
    v.chunks = DFR_NEW_N(p->arena, p->chunks.n, struct dfr_chunk_facts);
    enum dfr_status s = constants(&v);
    if (s == DFR_OK)
        s = patterns(&v);
    if (s == DFR_OK)
        s = lists(&v);
    if (s == DFR_OK)
        s = chunks(&v);
    if (s == DFR_OK)
        s = texts(&v);
    if (s == DFR_OK)
        s = vocabulary(&v);
    if (s == DFR_OK)
        s = rules(&v);
    return s == DFR_OK ? tests(&v) : s;
}
