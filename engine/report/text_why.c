/* The reasons: each piece of evidence with its weight and the line that shows it, what speaks
 * against, what is not known and why; then what else a reader should know. */
#include "report/text.h"

enum { REASONS_SHOWN = 3, DIAGS_SHOWN = 3, WAITING_SHOWN = 12, MISSING_SHOWN = 3 };

static const struct dfr_str none = {0};

struct dfr_str dfr_text_weight(int32_t db, struct dfr_arena *a)
{
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    dfr_buf_printf(&b, "%+6d  ", db);
    return dfr_buf_text(&b);
}

void dfr_text_missing(const struct dfr_eval *e, uint32_t set, uint32_t most, struct dfr_buf *out)
{
    uint32_t n;
    const uint32_t *items = dfr_sets_items(e->sets, set, &n);
    uint32_t shown = n < most ? n : most;
    for (uint32_t i = 0; i < shown; i++) {
        if (i)
            dfr_buf_z(out, ", ");
        dfr_report_missing(e, items[i], out);
        /* A reason that the next one shares is said once, behind the last. */
        uint8_t reason = e->missing.v[items[i]].reason;
        bool again = i + 1 < shown && e->missing.v[items[i + 1]].reason == reason;
        const char *text = dfr_reason_text((enum dfr_reason)reason);
        if (*text && !again)
            dfr_buf_printf(out, " (%s)", text);
    }
    if (n > most)
        dfr_buf_printf(out, " and %u more", n - most);
    if (!n)
        dfr_buf_z(out, "nothing that could be collected");
}

/* --- One line of evidence --------------------------------------------------------------------- */

static void put_label(struct dfr_page *p, const struct dfr_eval *e,
                      const struct dfr_scored_item *item, struct dfr_str lead, enum dfr_ink ink,
                      const char *remark)
{
    struct dfr_buf b;
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_safe(&b, dfr_report_label(e, item));
    dfr_buf_z(&b, remark);
    dfr_page_para(p, DFR_INK_PLAIN, lead, ink, dfr_buf_text(&b), none, DFR_INK_PLAIN);
}

static void put_places(struct dfr_page *p, const struct dfr_eval *e,
                       const struct dfr_scored_item *item)
{
    uint32_t place[4];
    uint32_t n = dfr_report_places(e, dfr_report_origin(e, item), e->hits.v[item->hit].when.origin,
                                   place, p->verbose ? 4 : 1);
    struct dfr_str last = {0};
    for (uint32_t i = 0; i < n; i++) {
        struct dfr_str quote = dfr_facts_quote(e->facts, place[i]);
        if (i && quote.p == last.p && quote.len == last.len)
            continue; /* another cell of the same line */
        dfr_page_quote(p, 10, e->facts, place[i]);
        last = quote;
    }
}

static void put_counted(struct dfr_page *p, const struct dfr_eval *e,
                        const struct dfr_scored_item *item)
{
    const char *remark = "";
    if (item->truth == DFR_FALSE)
        remark = ": no";
    else if (item->prose_capped)
        remark = " (only people's words say so: counts 3 at most)";
    else if (item->trust == DFR_TRUST_PROSE)
        remark = " (only people's words say so)";
    put_label(p, e, item, dfr_text_weight(item->weight_db, p->out->arena),
              item->weight_db > 0 ? DFR_INK_FOR : DFR_INK_AGAINST, remark);
    put_places(p, e, item);
}

static void put_open(struct dfr_page *p, const struct dfr_eval *e,
                     const struct dfr_scored_item *item)
{
    struct dfr_buf b;
    put_label(p, e, item, DFR_STR("     ?  "), DFR_INK_OPEN, "");
    dfr_buf_init(&b, p->out->arena);
    if (item->low_db && item->high_db)
        dfr_buf_printf(&b, "could count %+d or %+d; ", item->low_db, item->high_db);
    else
        dfr_buf_printf(&b, "could count %+d; ", item->low_db ? item->low_db : item->high_db);
    dfr_buf_z(&b, "not known: ");
    dfr_text_missing(e, e->hits.v[item->hit].items[item->item].truth.missing, MISSING_SHOWN, &b);
    dfr_page_text(p, DFR_INK_FAINT, 10, dfr_buf_text(&b));
}

static bool listed(const struct dfr_page *p, const struct dfr_eval *e,
                   const struct dfr_scored_item *item)
{
    if (dfr_report_is_note(e, item))
        return false;
    return item->weight_db || (item->open && (item->low_db || item->high_db)) || p->verbose;
}

static void put_item(struct dfr_page *p, const struct dfr_eval *e,
                     const struct dfr_scored_item *item)
{
    if (item->weight_db) {
        put_counted(p, e, item);
    } else if (item->open) {
        put_open(p, e, item);
    } else if (item->beaten) {
        struct dfr_buf b;
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_printf(&b, " (%+d does not count: something of its group does)", item->own_db);
        put_label(p, e, item, DFR_STR("     -  "), DFR_INK_FAINT, dfr_buf_text(&b).p);
        put_places(p, e, item);
    } else {
        put_label(p, e, item, DFR_STR("     -  "), DFR_INK_FAINT,
                  item->truth == DFR_FALSE ? ": no" : ": says nothing here");
    }
}

/* --- One cause -------------------------------------------------------------------------------- */

static bool interval(const struct dfr_ranked_cause *c)
{
    return c->min_not_shown || c->min_db != c->score_db || c->max_db != c->score_db;
}

static void put_heading(struct dfr_page *p, const struct dfr_eval *e,
                        const struct dfr_ranked_cause *c)
{
    struct dfr_buf b;
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_z(&b, "Why: ");
    dfr_buf_str(&b, dfr_report_cause(e, c, p->out->arena));
    dfr_buf_printf(&b, " %+d", c->score_db);
    if (interval(c)) {
        if (c->min_not_shown && c->max_db == c->score_db)
            dfr_buf_z(&b, " (may not apply at all)");
        else if (c->min_not_shown)
            dfr_buf_printf(&b, " (could go up to %+d, or not apply at all)", c->max_db);
        else
            dfr_buf_printf(&b, " (between %+d and %+d)", c->min_db, c->max_db);
    }
    dfr_page_gap(p);
    dfr_page_text(p, DFR_INK_HEADING, 0, dfr_buf_text(&b));
}

static void put_unless(struct dfr_page *p, const struct dfr_eval *e,
                       const struct dfr_ranked_cause *c)
{
    for (uint32_t i = 0; i < c->hit_count; i++) {
        const struct dfr_hit *hit = &e->hits.v[c->hits[i]];
        uint32_t n;
        if (hit->unless.v.kind == DFR_KIND_NONE || dfr_tv_tri(&hit->unless) != DFR_OPEN)
            continue;
        dfr_sets_items(e->sets, hit->unless.missing, &n);
        if (!n)
            continue;
        struct dfr_buf b;
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_z(&b, "would not apply if: ");
        dfr_buf_safe(&b, dfr_report_ptext(e, e->program->rules.v[hit->rule].unless_text));
        dfr_buf_z(&b, "; not known: ");
        dfr_text_missing(e, hit->unless.missing, MISSING_SHOWN, &b);
        dfr_page_para(p, DFR_INK_PLAIN, DFR_STR("     ?  "), DFR_INK_OPEN, dfr_buf_text(&b), none,
                      DFR_INK_PLAIN);
    }
}

static void put_rules(struct dfr_page *p, const struct dfr_eval *e,
                      const struct dfr_ranked_cause *c)
{
    struct dfr_buf b;
    dfr_buf_init(&b, p->out->arena);
    uint32_t last = DFR_NONE;
    for (uint32_t i = 0; i < c->hit_count; i++) {
        uint32_t rule = e->hits.v[c->hits[i]].rule;
        if (rule == last)
            continue;
        dfr_buf_z(&b, last == DFR_NONE ? "by " : ", ");
        dfr_buf_safe(&b, dfr_report_ptext(e, e->program->rules.v[rule].name));
        last = rule;
    }
    dfr_page_text(p, DFR_INK_FAINT, 8, dfr_buf_text(&b));
}

static void put_cause(struct dfr_page *p, const struct dfr_eval *e,
                      const struct dfr_ranked_cause *c)
{
    put_heading(p, e, c);
    if (c->prior_db)
        dfr_page_para(p, DFR_INK_PLAIN, dfr_text_weight(c->prior_db, p->out->arena), DFR_INK_FAINT,
                      DFR_STR("before any evidence"), none, DFR_INK_PLAIN);
    for (uint32_t i = 0; i < c->item_count; i++) {
        if (listed(p, e, &c->items[i]))
            put_item(p, e, &c->items[i]);
    }
    put_unless(p, e, c);
    put_rules(p, e, c);
}

void dfr_text_reasons(struct dfr_page *p, const struct dfr_ranking *r)
{
    bool likely = r->shown_count && r->causes[0].score_db >= DFR_SCORE_LIKELY;
    for (uint32_t i = 0; i < r->shown_count; i++) {
        bool weak = likely && r->causes[i].score_db < DFR_SCORE_LIKELY;
        if (!p->verbose && (weak || i >= (likely ? REASONS_SHOWN : 1)))
            return;
        put_cause(p, r->eval, &r->causes[i]);
    }
}

/* --- The rest --------------------------------------------------------------------------------- */

static void put_notes(struct dfr_page *p, const struct dfr_eval *e)
{
    struct dfr_noted *notes;
    uint32_t n = dfr_report_notes(e, p->out->arena, &notes);
    if (!n)
        return;
    dfr_page_heading(p, "Notes");
    for (uint32_t i = 0; i < n; i++) {
        const struct dfr_hit *hit = &e->hits.v[notes[i].hit];
        const struct dfr_item *item = &hit->items[notes[i].item];
        struct dfr_buf b;
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_safe(&b, item->label);
        dfr_page_para(p, DFR_INK_PLAIN, DFR_STR("  - "), DFR_INK_PLAIN, dfr_buf_text(&b), none,
                      DFR_INK_PLAIN);
        uint32_t place[1];
        if (p->verbose && dfr_report_places(e, item->truth.origin, hit->when.origin, place, 1))
            dfr_page_quote(p, 4, e->facts, place[0]);
    }
}

static void put_waiting(struct dfr_page *p, const struct dfr_ranking *r)
{
    if (!r->waiting_count || !p->verbose)
        return;
    dfr_page_heading(p, "Could apply if more were known");
    for (uint32_t i = 0; i < r->waiting_count && i < WAITING_SHOWN; i++) {
        const struct dfr_waiting_rule *w = &r->waiting[i];
        const struct dfr_prule *rule = &r->eval->program->rules.v[w->rule];
        struct dfr_buf b;
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_safe(&b, dfr_report_ptext(r->eval, rule->name));
        dfr_buf_z(&b, ": ");
        dfr_text_missing(r->eval, w->missing, MISSING_SHOWN, &b);
        dfr_page_para(p, DFR_INK_PLAIN, DFR_STR("  - "), DFR_INK_PLAIN, dfr_buf_text(&b), none,
                      DFR_INK_PLAIN);
    }
    if (r->waiting_count > WAITING_SHOWN) {
        struct dfr_buf b;
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_printf(&b, "and %u more", r->waiting_count - WAITING_SHOWN);
        dfr_page_text(p, DFR_INK_FAINT, 4, dfr_buf_text(&b));
    }
}

static uint32_t put_diags(struct dfr_page *p, const struct dfr_diags *d, uint32_t shown)
{
    static const char *const words[] = {"note", "warning", "error"};
    for (uint32_t i = 0; d && i < d->n; i++) {
        const struct dfr_diag *x = &d->v[i];
        if (!p->verbose && (x->severity == DFR_SEV_NOTE || shown >= DIAGS_SHOWN))
            continue;
        if (!shown++)
            dfr_page_heading(p, "While reading");
        struct dfr_buf b;
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_printf(&b, "%s[DFR%04u]", words[x->severity], (unsigned)x->code);
        if (x->line)
            dfr_buf_printf(&b, " line %u", x->line);
        dfr_buf_z(&b, ": ");
        dfr_buf_safe(&b, x->message);
        dfr_page_para(p, DFR_INK_PLAIN, DFR_STR("  - "), DFR_INK_PLAIN, dfr_buf_text(&b), none,
                      DFR_INK_PLAIN);
    }
    return shown;
}

static void count(struct dfr_buf *b, uint32_t n, const char *one, const char *many)
{
    if (!n)
        return;
    if (b->len)
        dfr_buf_z(b, "; ");
    dfr_buf_printf(b, "%u %s", n, n == 1 ? one : many);
}

static void put_counts(struct dfr_page *p, const struct dfr_ranking *r)
{
    struct dfr_buf b;
    dfr_buf_init(&b, p->out->arena);
    if (!p->verbose)
        count(&b, r->waiting_count, "rule could apply if more were known",
              "rules could apply if more were known");
    count(&b, r->suppressed, "result is suppressed", "results are suppressed");
    count(&b, r->removed, "result was ruled out", "results were ruled out");
    if (!b.len)
        return;
    dfr_page_gap(p);
    dfr_page_text(p, DFR_INK_FAINT, 0, dfr_buf_text(&b));
}

/* Results that a rule's `unless` or a suppression took away: with reasons when asked for more. */
static void put_hidden(struct dfr_page *p, const struct dfr_eval *e)
{
    bool any = false;
    for (uint32_t i = 0; i < e->hits.n && p->verbose; i++) {
        const struct dfr_hit *hit = &e->hits.v[i];
        const struct dfr_prule *rule = &e->program->rules.v[hit->rule];
        struct dfr_str why;
        if (hit->status == DFR_HIT_REMOVED)
            why = dfr_report_ptext(e, rule->unless_text);
        else if (hit->status == DFR_HIT_SUPPRESSED && hit->suppressed_by != DFR_NONE)
            why = dfr_report_ptext(e, e->program->suppress.v[hit->suppressed_by].reason);
        else
            continue;
        if (!any)
            dfr_page_heading(p, "Ruled out or suppressed");
        any = true;
        struct dfr_buf b;
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_safe(&b, dfr_report_ptext(e, rule->name));
        dfr_buf_z(&b, hit->status == DFR_HIT_REMOVED ? ", because: " : ", suppressed: ");
        dfr_buf_safe(&b, why);
        dfr_page_para(p, DFR_INK_PLAIN, DFR_STR("  - "), DFR_INK_PLAIN, dfr_buf_text(&b), none,
                      DFR_INK_PLAIN);
    }
}

static void put_others(struct dfr_page *p, const struct dfr_report_input *input)
{
    if (!input->crashes || input->crash_count < 2)
        return;
    dfr_page_heading(p, "Other crashes in this input");
    for (uint32_t i = 0; i < input->crash_count; i++) {
        const struct dfr_value *code = dfr_facts_scalar(input->crashes[i], DFR_F_BUGCHECK_CODE);
        if (i == input->crash)
            continue;
        struct dfr_buf b;
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_printf(&b, "%u: ", i + 1);
        if (code->state == DFR_KNOWN) {
            dfr_buf_printf(&b, "0x%llX ", (unsigned long long)code->as.n.lo);
            dfr_buf_safe(&b, dfr_report_bugcheck_name(input->crashes[i]));
        } else {
            dfr_buf_z(&b, "no bug check found");
        }
        if (code->place && code->place < input->crashes[i]->places.n) {
            dfr_buf_z(&b, ", ");
            dfr_page_where(input->crashes[i], code->place, &b);
        }
        dfr_page_text(p, DFR_INK_PLAIN, 2, dfr_buf_text(&b));
    }
}

void dfr_text_rest(struct dfr_page *p, const struct dfr_report *r)
{
    put_notes(p, r->ranking->eval);
    put_waiting(p, r->ranking);
    put_hidden(p, r->ranking->eval);
    put_others(p, &r->input);
    put_diags(p, r->ranking->eval->diags, put_diags(p, r->diags, 0));
    put_counts(p, r->ranking);
}
