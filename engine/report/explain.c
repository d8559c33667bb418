/* One rule on one crash, condition by condition: what is true, what is not, which cells decided
 * it and where they stand; what is missing, and which command shows it. */
#include "rank/commands.h"
#include "report/text.h"

enum { ROWS_SHOWN = 3, CELLS_SHOWN = 4, MISSING_SHOWN = 4 };

static const struct dfr_str none = {0};

static const char *status_words(enum dfr_hit_status s)
{
    switch (s) {
    case DFR_HIT_FIRED:
        return "speaks: its condition holds";
    case DFR_HIT_WAITING:
        return "waits: its condition is open, facts are missing";
    case DFR_HIT_REMOVED:
        return "is ruled out: its `unless` holds";
    case DFR_HIT_SUPPRESSED:
        return "is suppressed";
    case DFR_HIT_FALSE:
        return "is silent: its condition is false";
    case DFR_HIT_SILENT:
        return "is silent: its condition asks for something that this crash does not have";
    }
    return "";
}

/* --- Cells and missing facts ------------------------------------------------------------------ */

static const struct dfr_value *cell_value(const struct dfr_facts *f, const struct dfr_cell_ref *c)
{
    const struct dfr_field_info *info = dfr_field_info(c->field);
    if (info->cls == DFR_FIELD_SCALAR)
        return dfr_facts_scalar(f, c->field);
    return info->cls == DFR_FIELD_COLUMN && c->row != DFR_NONE ? dfr_facts_at(f, c->field, c->row)
                                                               : NULL;
}

static void put_cell(struct dfr_page *p, const struct dfr_facts *f, const struct dfr_cell_ref *c)
{
    const struct dfr_field_info *info = dfr_field_info(c->field);
    const struct dfr_value *v = cell_value(f, c);
    struct dfr_buf b;
    uint32_t place;
    dfr_buf_init(&b, p->out->arena);
    if (v) {
        if (info->cls == DFR_FIELD_COLUMN)
            dfr_buf_printf(&b,
                           "%s[%u].%s = ", dfr_field_info(dfr_table_info(info->table)->field)->path,
                           c->row, info->name);
        else
            dfr_buf_printf(&b, "%s = ", info->path);
        if (c->field == DFR_F_BUGCHECK_CODE && v->state == DFR_KNOWN)
            dfr_buf_printf(&b, "0x%llX", (unsigned long long)v->as.n.lo);
        else
            dfr_value_print(&b, v);
        place = v->place;
    } else {
        const struct dfr_rows *rows = &f->tables[info->table];
        dfr_buf_printf(&b, "%s: %u rows, %s",
                       dfr_field_info(dfr_table_info(info->table)->field)->path, rows->n,
                       rows->complete ? "complete" : "not complete");
        place = rows->place;
    }
    dfr_page_text(p, DFR_INK_PLAIN, 9, dfr_buf_text(&b));
    dfr_page_quote(p, 11, f, place);
}

static void put_cells(struct dfr_page *p, const struct dfr_eval *e, uint32_t origin)
{
    uint32_t n, most = p->verbose ? UINT32_MAX : CELLS_SHOWN;
    const uint32_t *cells = dfr_sets_items(e->sets, origin, &n);
    for (uint32_t i = 0; i < n && i < most; i++)
        put_cell(p, e->facts, &e->cells.v[cells[i]]);
    if (n > most) {
        struct dfr_buf b;
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_printf(&b, "and %u more cells", n - most);
        dfr_page_text(p, DFR_INK_FAINT, 9, dfr_buf_text(&b));
    }
}

static void put_missing(struct dfr_page *p, const struct dfr_eval *e, uint32_t set)
{
    uint32_t n, most = p->verbose ? UINT32_MAX : MISSING_SHOWN;
    const uint32_t *items = dfr_sets_items(e->sets, set, &n);
    struct dfr_buf b;
    for (uint32_t i = 0; i < n && i < most; i++) {
        const struct dfr_missing *m = &e->missing.v[items[i]];
        struct dfr_command command;
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_z(&b, "not known: ");
        dfr_report_missing(e, items[i], &b);
        const char *reason = dfr_reason_text((enum dfr_reason)m->reason);
        if (*reason)
            dfr_buf_printf(&b, " (%s)", reason);
        if (dfr_command_of(e, items[i], p->out->arena, &command)) {
            dfr_buf_z(&b, command.known ? ". To see it: " : ". It would take ");
            dfr_buf_safe(&b, command.text);
        }
        dfr_page_text(p, DFR_INK_PLAIN, 9, dfr_buf_text(&b));
        dfr_page_quote(p, 11, e->facts, m->place);
    }
    if (n > most) {
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_printf(&b, "and %u more", n - most);
        dfr_page_text(p, DFR_INK_FAINT, 9, dfr_buf_text(&b));
    }
    if (!n)
        dfr_page_text(p, DFR_INK_FAINT, 9,
                      DFR_STR("nothing that could be collected would settle it"));
}

/* --- Conditions ------------------------------------------------------------------------------- */

static void put_condition(struct dfr_page *p, const struct dfr_eval *e, struct dfr_str text,
                          const struct dfr_tv *t)
{
    enum dfr_tri truth = dfr_tv_tri(t);
    struct dfr_buf b;
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_safe(&b, text);
    dfr_page_para(p, DFR_INK_PLAIN,
                  truth == DFR_TRUE    ? DFR_STR("  yes  ")
                  : truth == DFR_FALSE ? DFR_STR("  no   ")
                                       : DFR_STR("  ?    "),
                  truth == DFR_TRUE    ? DFR_INK_FOR
                  : truth == DFR_FALSE ? DFR_INK_AGAINST
                                       : DFR_INK_OPEN,
                  dfr_buf_text(&b), none, DFR_INK_PLAIN);
    if (truth == DFR_OPEN)
        put_missing(p, e, t->missing);
    else
        put_cells(p, e, t->origin);
}

/* Position in the clause array of the clause that stands at `order` in the source. */
static uint32_t clause_at(const struct dfr_program *p, const struct dfr_prule *rule, uint32_t order)
{
    for (uint32_t i = 0; i < rule->clause_count; i++) {
        if (p->clauses.v[rule->clauses + i].order == order)
            return i;
    }
    return order;
}

static void put_clauses(struct dfr_page *p, const struct dfr_eval *e, const struct dfr_hit *hit,
                        bool only_bad)
{
    const struct dfr_prule *rule = &e->program->rules.v[hit->rule];
    dfr_page_text(p, DFR_INK_STRONG, 0,
                  only_bad ? DFR_STR("These conditions do not hold:") : DFR_STR("when"));
    for (uint32_t i = 0; i < rule->clause_count; i++) {
        uint32_t at = clause_at(e->program, rule, i);
        const struct dfr_tv *t = &hit->clauses[at];
        if (only_bad && dfr_tv_tri(t) == DFR_TRUE)
            continue;
        put_condition(p, e, dfr_report_ptext(e, e->program->clauses.v[rule->clauses + at].text), t);
    }
}

static void put_row(struct dfr_page *p, const struct dfr_eval *e, const struct dfr_hit *hit,
                    enum dfr_question q, bool several)
{
    const struct dfr_prule *rule = &e->program->rules.v[hit->rule];
    struct dfr_buf b;
    dfr_page_gap(p);
    if (several) {
        dfr_buf_init(&b, p->out->arena);
        if (hit->row == DFR_NONE)
            dfr_buf_z(&b, "Rows that the list may still have: ");
        else
            dfr_buf_printf(&b, "Row %u: ", hit->row);
        dfr_buf_z(&b, status_words(hit->status));
        dfr_page_text(p, DFR_INK_STRONG, 0, dfr_buf_text(&b));
    }
    if (rule->clause_count && hit->clauses)
        put_clauses(p, e, hit,
                    q == DFR_WHY_NOT && !p->verbose && dfr_tv_tri(&hit->when) != DFR_TRUE);
    if (hit->unless.v.kind != DFR_KIND_NONE) {
        dfr_page_text(p, DFR_INK_STRONG, 0, DFR_STR("unless"));
        put_condition(p, e, dfr_report_ptext(e, rule->unless_text), &hit->unless);
    }
    if (hit->subject.v.kind != DFR_KIND_NONE && hit->subject.v.state != DFR_KNOWN &&
        hit->status == DFR_HIT_FIRED) {
        dfr_page_text(p, DFR_INK_STRONG, 0, DFR_STR("its subject"));
        put_missing(p, e, hit->subject.missing);
    }
    if (hit->status == DFR_HIT_SUPPRESSED && hit->suppressed_by != DFR_NONE) {
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_z(&b, "suppressed: ");
        dfr_buf_safe(&b, dfr_report_ptext(e, e->program->suppress.v[hit->suppressed_by].reason));
        dfr_page_text(p, DFR_INK_STRONG, 0, dfr_buf_text(&b));
    }
}

/* The row that says most: one that fired, else one that waits, else any. */
static enum dfr_hit_status best_status(const struct dfr_eval *e, uint32_t rule)
{
    enum dfr_hit_status best = DFR_HIT_SILENT;
    for (uint32_t i = 0; i < e->hits.n; i++) {
        if (e->hits.v[i].rule == rule && e->hits.v[i].status < best)
            best = e->hits.v[i].status;
    }
    return best;
}

static void put_head(struct dfr_page *p, const struct dfr_eval *e, uint32_t rule,
                     enum dfr_hit_status status, const struct dfr_report_input *input)
{
    const struct dfr_prule *r = &e->program->rules.v[rule];
    struct dfr_buf b;
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_safe(&b, dfr_report_ptext(e, r->name));
    dfr_buf_char(&b, ' ');
    dfr_buf_z(&b, status_words(status));
    dfr_page_text(p, DFR_INK_STRONG, 0, dfr_buf_text(&b));
    dfr_buf_init(&b, p->out->arena);
    if (r->source.file < e->program->files.n) {
        dfr_buf_safe(&b, dfr_report_ptext(e, e->program->files.v[r->source.file]));
        dfr_buf_printf(&b, ":%u", r->source.line);
    }
    if (input && input->path.len) {
        dfr_buf_z(&b, b.len ? ", on " : "on ");
        dfr_buf_safe(&b, input->path);
    }
    if (b.len)
        dfr_page_text(p, DFR_INK_FAINT, 0, dfr_buf_text(&b));
}

void dfr_report_explain_text(const struct dfr_eval *eval, uint32_t rule, enum dfr_question q,
                             const struct dfr_report_input *input, const struct dfr_report_style *s,
                             struct dfr_buf *out)
{
    struct dfr_page p;
    dfr_page_init(&p, s, out);
    enum dfr_hit_status status = best_status(eval, rule);
    uint32_t rows = 0, shown = 0;
    put_head(&p, eval, rule, status, input);
    for (uint32_t i = 0; i < eval->hits.n; i++)
        rows += eval->hits.v[i].rule == rule;
    if (!rows)
        dfr_page_text(&p, DFR_INK_PLAIN, 0, DFR_STR("The list of its `each` has no rows."));
    /* Rows of the best status first: those are what the question is about. */
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < eval->hits.n; i++) {
            const struct dfr_hit *hit = &eval->hits.v[i];
            if (hit->rule != rule || (hit->status == status) == (pass == 1))
                continue;
            if (shown < ROWS_SHOWN || p.verbose)
                put_row(&p, eval, hit, q, rows > 1);
            shown++;
        }
    }
    if (shown > ROWS_SHOWN && !p.verbose) {
        struct dfr_buf b;
        dfr_buf_init(&b, out->arena);
        dfr_buf_printf(&b, "and %u more rows", shown - ROWS_SHOWN);
        dfr_page_gap(&p);
        dfr_page_text(&p, DFR_INK_FAINT, 0, dfr_buf_text(&b));
    }
    struct dfr_ranking alone;
    dfr_rank(eval, out->arena, &alone);
    alone.shown_count = alone.cause_count; /* explain also what stays below the threshold */
    bool verbose = p.verbose;
    p.verbose = true;
    dfr_text_reasons(&p, &alone);
    p.verbose = verbose;
    if (status == DFR_HIT_FIRED && eval->program->rules.v[rule].cause == DFR_NONE)
        dfr_page_text(&p, DFR_INK_FAINT, 0, DFR_STR("It concludes nothing; it only gives notes."));
    if (alone.cause_count && alone.causes[0].strength == DFR_VERDICT_NONE) {
        dfr_page_gap(&p);
        dfr_page_text(&p, DFR_INK_PLAIN, 0,
                      DFR_STR("By itself that is too little to be shown (-3 or less)."));
    }
}
