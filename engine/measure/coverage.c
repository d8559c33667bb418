#include "measure/coverage.h"

#include "report/json_parts.h"
#include "report/page.h"

enum { REASONS_KEPT = 32, REASONS_SHOWN = 3 };

static uint32_t lines_of(const struct dfr_prule *r)
{
    return r->clause_count + (r->unless != DFR_NONE) + r->evidence_count;
}

void dfr_coverage_init(struct dfr_coverage *c, const struct dfr_program *p, struct dfr_arena *a)
{
    *c = (struct dfr_coverage){.arena = a, .program = p};
    c->first = DFR_NEW_N(a, (size_t)p->rules.n + 1, uint32_t);
    c->passed_over = DFR_NEW_N(a, p->rules.n, bool);
    for (uint32_t i = 0; i < p->rules.n; i++)
        c->first[i + 1] = c->first[i] + lines_of(&p->rules.v[i]);
    c->count = c->first[p->rules.n];
    c->v = DFR_NEW_N(a, (size_t)c->count + 1, struct dfr_covered);
    for (uint32_t i = 0; i < p->rules.n; i++) {
        const struct dfr_prule *r = &p->rules.v[i];
        struct dfr_covered *line = &c->v[c->first[i]];
        for (uint32_t k = 0; k < r->clause_count; k++, line++) {
            const struct dfr_pclause *x = &p->clauses.v[r->clauses + k];
            line->kind = DFR_CONDITION_WHEN;
            line->source = x->source;
            line->text = dfr_program_text(p, x->text);
        }
        if (r->unless != DFR_NONE) {
            line->kind = DFR_CONDITION_UNLESS;
            line->source = r->source;
            line->text = dfr_program_text(p, r->unless_text);
            line++;
        }
        for (uint32_t k = 0; k < r->evidence_count; k++, line++) {
            const struct dfr_pevidence *x = &p->evidence.v[r->evidence + k];
            line->kind = DFR_CONDITION_EVIDENCE;
            line->source = x->source;
            line->text = dfr_program_text(p, x->text);
        }
    }
}

static void add_reason(struct dfr_coverage *c, struct dfr_covered *line, uint32_t field,
                       uint8_t reason)
{
    for (uint32_t i = 0; i < line->undecided.n; i++)
        if (line->undecided.v[i].field == field && line->undecided.v[i].reason == reason) {
            line->undecided.v[i].n++;
            return;
        }
    if (line->undecided.n < REASONS_KEPT)
        *DFR_PUSH(c->arena, &line->undecided) = (struct dfr_undecided){field, reason, 1};
}

static void add(struct dfr_coverage *c, struct dfr_covered *line, const struct dfr_eval *e,
                const struct dfr_tv *t, enum dfr_covered_by by)
{
    uint32_t n;
    enum dfr_tri truth = dfr_tv_tri(t);
    line->n[by][truth]++;
    if (truth != DFR_OPEN)
        return;
    const uint32_t *items = dfr_sets_items(e->sets, t->missing, &n);
    for (uint32_t i = 0; i < n; i++)
        add_reason(c, line, e->missing.v[items[i]].field, e->missing.v[items[i]].reason);
    if (!n) /* absent, or an error: nothing would settle it */
        add_reason(c, line, DFR_F_COUNT, t->v.reason);
}

void dfr_coverage_add(struct dfr_coverage *c, uint32_t rule, const struct dfr_eval *eval,
                      enum dfr_covered_by by)
{
    const struct dfr_prule *r = &c->program->rules.v[rule];
    for (uint32_t i = 0; i < eval->hits.n; i++) {
        const struct dfr_hit *h = &eval->hits.v[i];
        struct dfr_covered *line = &c->v[c->first[rule]];
        for (uint32_t k = 0; k < r->clause_count; k++, line++)
            add(c, line, eval, &h->clauses[k], by);
        /* What follows `when` is only asked where `when` does not say no. */
        if (h->status == DFR_HIT_FALSE)
            continue;
        if (r->unless != DFR_NONE)
            add(c, line++, eval, &h->unless, by);
        for (uint32_t k = 0; k < h->item_count; k++, line++)
            add(c, line, eval, &h->items[k].truth, by);
    }
}

/* ---- Written ------------------------------------------------------------------------------- */

static const char *kind_word(enum dfr_condition k)
{
    static const char *const words[] = {"when", "unless", "evidence"};
    return words[k];
}

static uint32_t seen(const struct dfr_covered *l, enum dfr_tri t)
{
    return l->n[DFR_BY_TESTS][t] + l->n[DFR_BY_CORPUS][t];
}

static bool full(const struct dfr_covered *l)
{
    return seen(l, DFR_TRUE) && seen(l, DFR_FALSE);
}

static const char *reason_of(const struct dfr_undecided *u)
{
    return u->field == DFR_F_COUNT && u->reason == DFR_REASON_NONE
               ? "shown not to exist"
               : dfr_reason_text((enum dfr_reason)u->reason);
}

/* The most frequent reasons first. */
static void put_reasons(struct dfr_page *p, const struct dfr_covered *l)
{
    bool used[REASONS_KEPT] = {false};
    struct dfr_buf b;
    dfr_buf_init(&b, p->out->arena);
    for (uint32_t shown = 0; shown < REASONS_SHOWN; shown++) {
        uint32_t best = DFR_NONE;
        for (uint32_t i = 0; i < l->undecided.n; i++)
            if (!used[i] && (best == DFR_NONE || l->undecided.v[i].n > l->undecided.v[best].n))
                best = i;
        if (best == DFR_NONE)
            break;
        used[best] = true;
        const struct dfr_undecided *u = &l->undecided.v[best];
        dfr_buf_printf(&b, "%s%s: %s (%u)", shown ? "; " : "undecided for ",
                       u->field == DFR_F_COUNT ? "a fact" : dfr_field_info(u->field)->path,
                       reason_of(u), u->n);
    }
    if (b.len)
        dfr_page_text(p, DFR_INK_OPEN, 7, dfr_buf_text(&b));
}

static void put_line(struct dfr_page *p, const struct dfr_covered *l)
{
    struct dfr_buf b, tag;
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_init(&tag, p->out->arena);
    dfr_buf_printf(&b, "%u:%u %s: ", l->source.line, l->source.column, kind_word(l->kind));
    dfr_buf_safe(&b, l->text);
    dfr_buf_printf(&tag, "%u true, %u false, %u undecided", seen(l, DFR_TRUE), seen(l, DFR_FALSE),
                   seen(l, DFR_OPEN));
    dfr_page_para(p, DFR_INK_PLAIN, DFR_STR("  "), DFR_INK_PLAIN, dfr_buf_text(&b),
                  dfr_buf_text(&tag), full(l) ? DFR_INK_FOR : DFR_INK_AGAINST);
    if (!full(l) || p->verbose)
        put_reasons(p, l);
}

struct totals {
    uint32_t rules, conditions, both, one, never;
};

static struct totals totals(const struct dfr_coverage *c)
{
    struct totals t = {0};
    for (uint32_t r = 0; r < c->program->rules.n; r++) {
        t.rules += !c->passed_over[r];
        for (uint32_t i = c->first[r]; i < c->first[r + 1] && !c->passed_over[r]; i++) {
            const struct dfr_covered *l = &c->v[i];
            t.conditions++;
            t.both += full(l);
            t.never += !seen(l, DFR_TRUE) && !seen(l, DFR_FALSE);
        }
    }
    t.one = t.conditions - t.both - t.never;
    return t;
}

void dfr_coverage_text(const struct dfr_coverage *c, const struct dfr_report_style *s,
                       struct dfr_buf *out)
{
    struct dfr_page page;
    struct dfr_buf b;
    const struct dfr_program *p = c->program;
    dfr_page_init(&page, s, out);
    for (uint32_t r = 0; r < p->rules.n; r++) {
        bool named = false;
        if (c->passed_over[r])
            continue;
        for (uint32_t i = c->first[r]; i < c->first[r + 1]; i++) {
            if (full(&c->v[i]) && !s->verbose)
                continue;
            if (!named) {
                dfr_buf_init(&b, out->arena);
                dfr_buf_safe(&b, dfr_program_text(p, p->rules.v[r].name));
                dfr_buf_z(&b, ", ");
                uint32_t file = p->rules.v[r].source.file;
                if (file < p->files.n)
                    dfr_buf_safe(&b, dfr_program_text(p, p->files.v[file]));
                dfr_page_text(&page, DFR_INK_STRONG, 0, dfr_buf_text(&b));
                named = true;
            }
            put_line(&page, &c->v[i]);
        }
    }
    struct totals t = totals(c);
    dfr_buf_init(&b, out->arena);
    dfr_buf_printf(&b,
                   "%u conditions in %u rules, over %u tests and %u cases: %u were both true and "
                   "false, %u only one of them, %u never decided.",
                   t.conditions, t.rules, c->facts[DFR_BY_TESTS], c->facts[DFR_BY_CORPUS], t.both,
                   t.one, t.never);
    dfr_page_text(&page, DFR_INK_STRONG, 0, dfr_buf_text(&b));
}

static void put_counts(struct dfr_json *j, const char *key, const uint32_t *n)
{
    dfr_json_open(j, key, '{');
    dfr_json_int(j, "true", n[DFR_TRUE]);
    dfr_json_int(j, "false", n[DFR_FALSE]);
    dfr_json_int(j, "unknown", n[DFR_OPEN]);
    dfr_json_close(j, '}');
}

static void put_json_line(struct dfr_json *j, const struct dfr_covered *l)
{
    dfr_json_open(j, NULL, '{');
    dfr_json_z(j, "kind", kind_word(l->kind));
    dfr_json_int(j, "line", l->source.line);
    dfr_json_int(j, "column", l->source.column);
    dfr_json_str(j, "text", l->text);
    put_counts(j, "tests", l->n[DFR_BY_TESTS]);
    put_counts(j, "corpus", l->n[DFR_BY_CORPUS]);
    dfr_json_open(j, "undecided", '[');
    for (uint32_t i = 0; i < l->undecided.n; i++) {
        const struct dfr_undecided *u = &l->undecided.v[i];
        dfr_json_open(j, NULL, '{');
        if (u->field == DFR_F_COUNT)
            dfr_json_null(j, "fact");
        else
            dfr_json_z(j, "fact", dfr_field_info(u->field)->path);
        dfr_json_z(j, "reason", reason_of(u));
        dfr_json_int(j, "n", u->n);
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
    dfr_json_close(j, '}');
}

void dfr_coverage_json(const struct dfr_coverage *c, bool indent, struct dfr_buf *out)
{
    const struct dfr_program *p = c->program;
    struct dfr_json j;
    struct totals t = totals(c);
    dfr_json_init(&j, indent, out);
    dfr_json_open(&j, NULL, '{');
    dfr_json_z(&j, "schema", "dfrule/coverage/1");
    dfr_json_int(&j, "tests", c->facts[DFR_BY_TESTS]);
    dfr_json_int(&j, "cases", c->facts[DFR_BY_CORPUS]);
    dfr_json_int(&j, "conditions", t.conditions);
    dfr_json_int(&j, "both", t.both);
    dfr_json_int(&j, "one", t.one);
    dfr_json_int(&j, "never", t.never);
    dfr_json_open(&j, "rules", '[');
    for (uint32_t r = 0; r < p->rules.n; r++) {
        uint32_t file = p->rules.v[r].source.file;
        if (c->passed_over[r])
            continue;
        dfr_json_open(&j, NULL, '{');
        dfr_json_str(&j, "rule", dfr_program_text(p, p->rules.v[r].name));
        dfr_json_text(&j, "file",
                      file < p->files.n ? dfr_program_text(p, p->files.v[file]) : DFR_STR(""));
        dfr_json_open(&j, "conditions", '[');
        for (uint32_t i = c->first[r]; i < c->first[r + 1]; i++)
            put_json_line(&j, &c->v[i]);
        dfr_json_close(&j, ']');
        dfr_json_close(&j, '}');
    }
    dfr_json_close(&j, ']');
    dfr_json_close(&j, '}');
    dfr_json_end(&j);
}
