/* Figures as text and as Markdown: the same tables, drawn with blanks or with bars. */
#include "measure/measure.h"

#include "report/page.h"

enum { CELLS = 12, RULES_SHOWN = 20, NAME_MOST = 44, CASES_SHOWN = 30 };

struct table {
    struct dfr_arena *a;
    DFR_VEC(struct dfr_str) cells;
    uint32_t columns;
};

static void cell(struct table *t, struct dfr_str s)
{
    *DFR_PUSH(t->a, &t->cells) = s;
}

static void cell_z(struct table *t, const char *z)
{
    cell(t, dfr_str_from(z));
}

static void cell_number(struct table *t, uint32_t n)
{
    struct dfr_buf b;
    dfr_buf_init(&b, t->a);
    dfr_buf_printf(&b, "%u", n);
    cell(t, dfr_buf_text(&b));
}

/* "31 of 33"; a dash where there is nothing to count. */
static void cell_part(struct table *t, uint32_t part, uint32_t whole)
{
    struct dfr_buf b;
    dfr_buf_init(&b, t->a);
    if (whole)
        dfr_buf_printf(&b, "%u of %u", part, whole);
    else
        dfr_buf_char(&b, '-');
    cell(t, dfr_buf_text(&b));
}

static void cell_permille(struct table *t, int32_t n, bool percent)
{
    struct dfr_buf b;
    dfr_buf_init(&b, t->a);
    if (n < 0)
        dfr_buf_char(&b, '-');
    else if (percent)
        dfr_buf_printf(&b, "%d %%", (n + 5) / 10);
    else
        dfr_buf_printf(&b, "%d.%d", n / 1000, n % 1000 / 100);
    cell(t, dfr_buf_text(&b));
}

static void cell_safe(struct table *t, struct dfr_str hostile)
{
    struct dfr_buf b;
    dfr_buf_init(&b, t->a);
    dfr_buf_safe(&b, hostile.len ? hostile : DFR_STR("-"));
    cell(t, dfr_buf_text(&b));
}

static void begin(struct table *t, struct dfr_arena *a, const char *const *names, uint32_t n)
{
    *t = (struct table){.a = a, .columns = n};
    for (uint32_t i = 0; i < n; i++)
        cell_z(t, names[i]);
}

static void draw_text(const struct table *t, struct dfr_buf *out)
{
    uint32_t width[CELLS] = {0};
    for (uint32_t i = 0; i < t->cells.n; i++) {
        uint32_t w = dfr_page_width(t->cells.v[i]), *most = &width[i % t->columns];
        *most = w > *most ? w : *most;
    }
    for (uint32_t i = 0; i < t->cells.n; i++) {
        uint32_t column = i % t->columns, pad = width[column] - dfr_page_width(t->cells.v[i]);
        dfr_buf_z(out, "  ");
        if (column == 0) {
            dfr_buf_str(out, t->cells.v[i]);
            dfr_buf_printf(out, "%*s", (int)pad, "");
        } else {
            dfr_buf_printf(out, "%*s", (int)pad, "");
            dfr_buf_str(out, t->cells.v[i]);
        }
        if (column + 1 == t->columns)
            dfr_buf_char(out, '\n');
    }
}

static void draw_markdown(const struct table *t, struct dfr_buf *out)
{
    for (uint32_t i = 0; i < t->cells.n; i++) {
        struct dfr_str s = t->cells.v[i];
        dfr_buf_z(out, i % t->columns ? " | " : "| ");
        for (size_t k = 0; k < s.len; k++) {
            if (s.p[k] == '|')
                dfr_buf_char(out, '\\');
            dfr_buf_char(out, s.p[k]);
        }
        if ((i + 1) % t->columns)
            continue;
        dfr_buf_z(out, " |\n");
        for (uint32_t k = 0; i + 1 == t->columns && k < t->columns; k++)
            dfr_buf_z(out, k == 0 ? "|---|" : "---:|");
        if (i + 1 == t->columns)
            dfr_buf_char(out, '\n');
    }
}

/* ---- Tables -------------------------------------------------------------------------------- */

static const char *const sums_names[] = {"",       "first", "top three", "cannot tell",
                                         "silent", "wrong", "confident", "debugger"};
enum { SUMS_COLUMNS = sizeof sums_names / sizeof sums_names[0] };

static void sums_row(struct table *t, const struct dfr_sums *s)
{
    uint32_t open = s->cases - s->named - s->outcome[DFR_OUTCOME_UNREADABLE];
    cell_safe(t, s->name);
    cell_part(t, s->first, s->named);
    cell_part(t, s->three, s->named);
    cell_part(t, s->kept_silent, open);
    cell_number(t, s->outcome[DFR_OUTCOME_SILENT]);
    cell_number(t, s->outcome[DFR_OUTCOME_WRONG]);
    cell_number(t, s->outcome[DFR_OUTCOME_CONFIDENT]);
    cell_part(t, s->guess[DFR_GUESS_RIGHT], s->named);
}

static void sums_table(struct table *t, struct dfr_arena *a, const char *what,
                       const struct dfr_sums *v, uint32_t n, const struct dfr_sums *all)
{
    begin(t, a, sums_names, SUMS_COLUMNS);
    t->cells.v[0] = dfr_str_from(what);
    if (all)
        sums_row(t, all);
    for (uint32_t i = 0; i < n; i++)
        if (v[i].cases)
            sums_row(t, &v[i]);
}

static void rules_table(struct table *t, struct dfr_arena *a, const struct dfr_figures *f,
                        bool every)
{
    static const char *const names[] = {"rule",      "class",  "fired", "claims",
                                        "precision", "recall", "lift"};
    begin(t, a, names, sizeof names / sizeof names[0]);
    for (uint32_t i = 0; i < f->rules.n; i++) {
        const struct dfr_rule_figures *r = &f->rules.v[i];
        if (!every && (i >= RULES_SHOWN || r->cls == DFR_RULE_BLIND))
            break;
        cell_safe(t, r->name);
        cell_z(t, dfr_rule_class_word(r->cls));
        cell_number(t, r->fired);
        cell_number(t, r->judged);
        cell_permille(t, dfr_rule_precision(r), true);
        cell_permille(t, dfr_rule_recall(r), true);
        cell_permille(t, dfr_rule_lift(r), false);
    }
}

/* What there is to look at: every case that was not answered right. */
static uint32_t cases_table(struct table *t, struct dfr_arena *a, const struct dfr_figures *f,
                            bool every)
{
    static const char *const names[] = {"case",     "outcome", "answer named",
                                        "strength", "culprit", "decidable"};
    static const char *const decidable[] = {"yes", "partly", "no"};
    uint32_t n = 0;
    begin(t, a, names, sizeof names / sizeof names[0]);
    for (int k = DFR_OUTCOME_COUNT - 1; k >= (every ? 0 : 1); k--)
        for (uint32_t i = 0; i < f->case_count; i++) {
            const struct dfr_case *c = &f->cases[i];
            if ((int)c->outcome != k)
                continue;
            n++;
            cell_safe(t, c->label->file);
            cell_z(t, dfr_outcome_word(c->outcome));
            cell_safe(t, c->wrong.len ? c->wrong : c->lead);
            cell_z(t, c->lead.len ? dfr_enum_word(DFR_E_VERDICT, c->lead_strength) : "-");
            cell_safe(t, c->label->culprit);
            cell_z(t, decidable[c->label->decidable]);
        }
    return n;
}

/* ---- Pages --------------------------------------------------------------------------------- */

static void put_summary(struct dfr_buf *b, const struct dfr_figures *f)
{
    const struct dfr_sums *s = &f->all;
    dfr_buf_printf(b, "%u cases. Named first: %u of %u; the debugger's own verdict: %u of %u",
                   s->cases, s->first, s->named, s->guess[DFR_GUESS_RIGHT], s->named);
    dfr_buf_printf(b, ". Wrong and confident: %u; the debugger was wrong in %u",
                   s->outcome[DFR_OUTCOME_CONFIDENT], s->guess[DFR_GUESS_WRONG]);
    if (s->outcome[DFR_OUTCOME_UNREADABLE])
        dfr_buf_printf(b, ". Not readable: %u", s->outcome[DFR_OUTCOME_UNREADABLE]);
    dfr_buf_char(b, '.');
}

static void put_classes(struct dfr_buf *b, const struct dfr_figures *f)
{
    dfr_buf_printf(b,
                   "%u rules are measured (judged in %d cases or more), %u thin, %u blind (never "
                   "fired here).",
                   f->classes[DFR_RULE_MEASURED], DFR_RULE_ENOUGH, f->classes[DFR_RULE_THIN],
                   f->classes[DFR_RULE_BLIND]);
}

struct section {
    const char *heading;
    struct table table;
};

static uint32_t sections(const struct dfr_figures *f, struct dfr_arena *a, bool every,
                         struct section *v)
{
    uint32_t n = 0;
    v[n].heading = "How right";
    sums_table(&v[n++].table, a, "labels", f->kinds.v, f->kinds.n, &f->all);
    v[n].heading = "By source";
    sums_table(&v[n++].table, a, "source", f->sources.v, f->sources.n, NULL);
    v[n].heading = "By bug check";
    sums_table(&v[n++].table, a, "code", f->codes.v, f->codes.n, NULL);
    v[n].heading = "Rules";
    rules_table(&v[n++].table, a, f, every);
    v[n].heading = every ? "Cases" : "Cases to look at";
    if (cases_table(&v[n].table, a, f, every))
        n++;
    return n;
}

static void put_meanings(struct dfr_buf *b)
{
    for (int k = 0; k < DFR_OUTCOME_COUNT; k++)
        dfr_buf_printf(b, "%s%s: %s", k ? "; " : "", dfr_outcome_word((enum dfr_outcome_kind)k),
                       dfr_outcome_meaning((enum dfr_outcome_kind)k));
    dfr_buf_char(b, '.');
}

void dfr_figures_text(const struct dfr_figures *f, const struct dfr_report_style *s,
                      struct dfr_buf *out)
{
    struct section v[5];
    struct dfr_page p;
    struct dfr_buf b;
    dfr_page_init(&p, s, out);
    dfr_buf_init(&b, out->arena);
    put_summary(&b, f);
    dfr_page_text(&p, DFR_INK_STRONG, 0, dfr_buf_text(&b));
    uint32_t n = sections(f, out->arena, s->verbose, v);
    for (uint32_t i = 0; i < n; i++) {
        if (i == 2 && !s->verbose)
            continue; /* most codes have one case: a long table that says little */
        dfr_page_heading(&p, v[i].heading);
        draw_text(&v[i].table, out);
        if (i == 3) {
            dfr_buf_init(&b, out->arena);
            put_classes(&b, f);
            dfr_page_text(&p, DFR_INK_FAINT, 2, dfr_buf_text(&b));
        }
    }
    dfr_buf_init(&b, out->arena);
    put_meanings(&b);
    dfr_page_gap(&p);
    dfr_page_text(&p, DFR_INK_FAINT, 0, dfr_buf_text(&b));
}

void dfr_figures_markdown(const struct dfr_figures *f, struct dfr_buf *out)
{
    struct section v[5];
    dfr_buf_z(out, "# Answers against labels\n\n");
    put_summary(out, f);
    dfr_buf_char(out, '\n');
    uint32_t n = sections(f, out->arena, true, v);
    for (uint32_t i = 0; i < n; i++) {
        dfr_buf_printf(out, "\n## %s\n\n", v[i].heading);
        draw_markdown(&v[i].table, out);
        if (i != 3)
            continue;
        dfr_buf_char(out, '\n');
        put_classes(out, f);
        dfr_buf_char(out, '\n');
    }
    dfr_buf_char(out, '\n');
    put_meanings(out);
    dfr_buf_char(out, '\n');
}
