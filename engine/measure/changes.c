/* What another rule set makes of the same cases. */
#include "measure/measure.h"

#include "report/json_parts.h"
#include "report/page.h"

static bool causes_differ(const struct dfr_case *a, const struct dfr_case *b)
{
    return !dfr_str_eq(a->cause, b->cause);
}

static bool subjects_differ(const struct dfr_case *a, const struct dfr_case *b)
{
    return !dfr_str_eq(a->subject, b->subject) || !dfr_str_eq_ci(a->lead, b->lead);
}

static bool strengths_differ(const struct dfr_case *a, const struct dfr_case *b)
{
    return a->strength != b->strength || a->lead_strength != b->lead_strength;
}

bool dfr_changes_has(const struct dfr_changes *c, uint32_t i)
{
    const struct dfr_case *a = &c->before[i], *b = &c->after[i];
    return causes_differ(a, b) || subjects_differ(a, b) || strengths_differ(a, b) ||
           a->outcome != b->outcome;
}

void dfr_changes_sum(const struct dfr_labels *labels, const struct dfr_case *before,
                     const struct dfr_case *after, uint32_t n, bool plain, struct dfr_changes *ret)
{
    *ret = (struct dfr_changes){
        .labels = labels, .before = before, .after = after, .case_count = n, .plain = plain};
    for (uint32_t i = 0; i < n; i++) {
        const struct dfr_case *a = &before[i], *b = &after[i];
        if (causes_differ(a, b))
            ret->causes++;
        else if (subjects_differ(a, b))
            ret->subjects++;
        else if (strengths_differ(a, b))
            ret->strengths++;
        ret->worse += !plain && b->outcome > a->outcome;
        ret->better += !plain && b->outcome < a->outcome;
    }
}

/* "access.null (foo), strong; suspect foo" */
static void put_answer(struct dfr_buf *b, const struct dfr_case *c)
{
    if (c->error.len) {
        dfr_buf_z(b, "cannot be read");
        return;
    }
    dfr_buf_safe(b, c->cause.len ? c->cause : DFR_STR("no cause"));
    if (c->subject.len) {
        dfr_buf_z(b, " (");
        dfr_buf_safe(b, c->subject);
        dfr_buf_char(b, ')');
    }
    if (c->cause.len)
        dfr_buf_printf(b, ", %s", dfr_enum_word(DFR_E_VERDICT, c->strength));
    dfr_buf_z(b, "; suspect ");
    dfr_buf_safe(b, c->lead.len ? c->lead : DFR_STR("not known"));
    if (c->lead.len)
        dfr_buf_printf(b, ", %s", dfr_enum_word(DFR_E_VERDICT, c->lead_strength));
}

static void put_side(struct dfr_page *p, const struct dfr_changes *c, const char *sign,
                     enum dfr_ink ink, const struct dfr_case *one)
{
    struct dfr_buf b, lead;
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_init(&lead, p->out->arena);
    dfr_buf_printf(&lead, "  %s ", sign);
    put_answer(&b, one);
    struct dfr_str tag = c->plain ? DFR_STR("") : dfr_str_from(dfr_outcome_word(one->outcome));
    dfr_page_para(p, DFR_INK_PLAIN, dfr_buf_text(&lead), ink, dfr_buf_text(&b), tag, ink);
}

void dfr_changes_text(const struct dfr_changes *c, const struct dfr_report_style *s,
                      struct dfr_buf *out)
{
    struct dfr_page p;
    struct dfr_buf b;
    dfr_page_init(&p, s, out);
    for (uint32_t i = 0; i < c->case_count; i++) {
        if (!dfr_changes_has(c, i))
            continue;
        dfr_buf_init(&b, out->arena);
        dfr_buf_safe(&b, c->before[i].label->file);
        dfr_page_text(&p, DFR_INK_STRONG, 0, dfr_buf_text(&b));
        put_side(&p, c, "-", DFR_INK_AGAINST, &c->before[i]);
        put_side(&p, c, "+", DFR_INK_FOR, &c->after[i]);
    }
    dfr_buf_init(&b, out->arena);
    dfr_buf_printf(&b,
                   "%u case%s: %u with another first cause, %u with another subject, %u with "
                   "another strength",
                   c->case_count, c->case_count == 1 ? "" : "s", c->causes, c->subjects,
                   c->strengths);
    if (!c->plain)
        dfr_buf_printf(&b, "; %u worse, %u better", c->worse, c->better);
    dfr_buf_char(&b, '.');
    dfr_page_text(&p, DFR_INK_PLAIN, 0, dfr_buf_text(&b));
}

static void put_json_side(struct dfr_json *j, const char *key, const struct dfr_changes *c,
                          const struct dfr_case *one)
{
    dfr_json_open(j, key, '{');
    dfr_json_text(j, "cause", one->cause);
    dfr_json_text(j, "subject", one->subject);
    dfr_json_z(j, "strength", dfr_enum_word(DFR_E_VERDICT, one->strength));
    dfr_json_int(j, "score_db", one->score_db);
    dfr_json_text(j, "named", one->lead);
    dfr_json_z(j, "named_strength", dfr_enum_word(DFR_E_VERDICT, one->lead_strength));
    if (c->plain)
        dfr_json_null(j, "outcome");
    else
        dfr_json_z(j, "outcome", dfr_outcome_word(one->outcome));
    dfr_json_close(j, '}');
}

void dfr_changes_json(const struct dfr_changes *c, bool indent, struct dfr_buf *out)
{
    struct dfr_json j;
    dfr_json_init(&j, indent, out);
    dfr_json_open(&j, NULL, '{');
    dfr_json_z(&j, "schema", "dfrule/corpus-diff/1");
    dfr_json_int(&j, "cases", c->case_count);
    dfr_json_int(&j, "causes", c->causes);
    dfr_json_int(&j, "subjects", c->subjects);
    dfr_json_int(&j, "strengths", c->strengths);
    if (c->plain) {
        dfr_json_null(&j, "worse");
        dfr_json_null(&j, "better");
    } else {
        dfr_json_int(&j, "worse", c->worse);
        dfr_json_int(&j, "better", c->better);
    }
    dfr_json_open(&j, "changes", '[');
    for (uint32_t i = 0; i < c->case_count; i++) {
        if (!dfr_changes_has(c, i))
            continue;
        dfr_json_open(&j, NULL, '{');
        dfr_json_str(&j, "file", c->before[i].label->file);
        put_json_side(&j, "before", c, &c->before[i]);
        put_json_side(&j, "after", c, &c->after[i]);
        dfr_json_close(&j, '}');
    }
    dfr_json_close(&j, ']');
    dfr_json_close(&j, '}');
    dfr_json_end(&j);
}
