/* A calibration as text, as JSON, and as overrides. */
#include "measure/calibrate.h"

#include <math.h>

#include "report/json_parts.h"
#include "report/page.h"

static void put_quoted(struct dfr_buf *b, struct dfr_str s)
{
    dfr_buf_char(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            dfr_buf_char(b, '\\');
        dfr_buf_char(b, s.p[i]);
    }
    dfr_buf_char(b, '"');
}

struct dfr_str dfr_calibration_label(const struct dfr_program *p, uint32_t evidence,
                                     struct dfr_arena *a)
{
    uint32_t label = p->evidence.v[evidence].label;
    struct dfr_buf b;
    if (label == DFR_NONE)
        return DFR_STR("");
    dfr_buf_init(&b, a);
    const struct dfr_ptemplate *t = &p->templates.v[label];
    for (uint32_t i = t->first; i < t->first + t->count; i++) {
        struct dfr_str s = dfr_program_text(p, p->pieces.v[i].literal);
        if (p->pieces.v[i].chunk != DFR_NONE) {
            dfr_buf_char(&b, '{');
            dfr_buf_str(&b, s);
            dfr_buf_char(&b, '}');
            continue;
        }
        for (size_t k = 0; k < s.len; k++) {
            if (s.p[k] == '{')
                dfr_buf_char(&b, '{');
            dfr_buf_char(&b, s.p[k]);
        }
    }
    return dfr_buf_text(&b);
}

static struct dfr_str name_of(const struct dfr_move *m, const struct dfr_program *p)
{
    return m->rule == DFR_NONE ? dfr_program_text(p, p->causes.v[m->cause].name)
                               : dfr_program_text(p, p->rules.v[m->rule].name);
}

static const char *sigma_word(uint32_t i)
{
    static const char *const words[DFR_CALIBRATE_SIGMAS] = {"author's own", "1", "2", "4"};
    return words[i];
}

/* ---- Text ---------------------------------------------------------------------------------- */

/* "0.1263": from whole numbers, so that no locale of the host changes the point. */
static void put_fixed(struct dfr_buf *out, double v, const char *plus)
{
    int64_t n = (int64_t)llround(v * 10000);
    uint64_t size = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    dfr_buf_printf(out, "%s%u.%04u", n < 0 ? "-" : plus, (unsigned)(size / 10000),
                   (unsigned)(size % 10000));
}

static void put_losses(struct dfr_buf *out, const struct dfr_calibration *c)
{
    dfr_buf_printf(out, "  %-14s  %6s  %8s  %s\n", "may stray (db)", "Brier", "log loss",
                   "gained a case");
    for (uint32_t i = 0; i < DFR_CALIBRATE_SIGMAS; i++) {
        const struct dfr_loss *l = &c->loss[i];
        dfr_buf_printf(out, "  %-14s  ", sigma_word(i));
        put_fixed(out, l->brier, "");
        dfr_buf_z(out, "    ");
        put_fixed(out, l->log_loss, "");
        if (i) {
            dfr_buf_z(out, "  ");
            put_fixed(out, l->gain, "+");
            dfr_buf_z(out, " +- ");
            put_fixed(out, l->gain_error, "");
        }
        dfr_buf_z(out, i == c->chosen ? "  <- chosen\n" : "\n");
    }
}

static void put_percent(struct dfr_buf *out, double share)
{
    dfr_buf_printf(out, "  %5d %%", (int)lround(100 * share));
}

static void put_share(struct dfr_buf *out, const struct dfr_reliability *r)
{
    dfr_buf_printf(out, "  %5u", r->n);
    if (!r->n) {
        dfr_buf_printf(out, "  %7s  %7s", "-", "-");
        return;
    }
    put_percent(out, r->predicted / r->n);
    put_percent(out, (double)r->truths / r->n);
}

static void put_reliability(struct dfr_buf *out, const struct dfr_calibration *c)
{
    dfr_buf_printf(out, "  %-13s  %-23s  %s\n", "", "before", "after, held out");
    dfr_buf_printf(out, "  %-13s  %5s  %7s  %7s  %5s  %7s  %7s\n", "said", "n", "meant", "true",
                   "n", "meant", "true");
    for (uint32_t i = 0; i < DFR_CALIBRATE_WORDS; i++) {
        dfr_buf_printf(out, "  %-13s", i ? dfr_enum_word(DFR_E_VERDICT, i) : "not shown");
        put_share(out, &c->before[i]);
        put_share(out, &c->after[i]);
        dfr_buf_char(out, '\n');
    }
}

static void put_move(struct dfr_page *page, const struct dfr_move *m, const struct dfr_program *p)
{
    struct dfr_buf b, tag;
    dfr_buf_init(&b, page->out->arena);
    dfr_buf_init(&tag, page->out->arena);
    dfr_buf_safe(&b, name_of(m, p));
    if (m->rule == DFR_NONE) {
        dfr_buf_z(&b, ", before any evidence");
    } else {
        dfr_buf_z(&b, ": ");
        dfr_buf_safe(&b, dfr_calibration_label(p, m->evidence, page->out->arena));
    }
    if (m->from_true != m->to_true)
        dfr_buf_printf(&tag, "%+d -> %+d", m->from_true, m->to_true);
    if (m->from_false != m->to_false)
        dfr_buf_printf(&tag, "%sif not: %+d -> %+d", tag.len ? ", " : "", m->from_false,
                       m->to_false);
    dfr_page_para(page, DFR_INK_PLAIN, DFR_STR("  "), DFR_INK_PLAIN, dfr_buf_text(&b),
                  dfr_buf_text(&tag), DFR_INK_STRONG);
}

void dfr_calibration_text(const struct dfr_calibration *c, const struct dfr_program *p,
                          const struct dfr_report_style *s, struct dfr_buf *out)
{
    struct dfr_page page;
    struct dfr_buf b;
    dfr_page_init(&page, s, out);
    dfr_buf_init(&b, out->arena);
    dfr_buf_printf(
        &b,
        "%u cases with strong labels, %u causes that a label can judge, %u of them true; "
        "%u weights and priors counted in at least %d cases.",
        c->cases, c->observations, c->truths, c->movable, DFR_CALIBRATE_SEEN);
    dfr_page_text(&page, DFR_INK_STRONG, 0, dfr_buf_text(&b));
    dfr_buf_init(&b, out->arena);
    dfr_buf_printf(&b, "Foretelling cases not seen (%u folds)", c->folds);
    dfr_page_heading(&page, dfr_arena_copy(out->arena, b.p, b.len));
    put_losses(out, c);
    dfr_page_heading(&page, "How often it was true");
    put_reliability(out, c);
    dfr_page_heading(&page, "What moves");
    if (c->thin) {
        dfr_buf_init(&b, out->arena);
        dfr_buf_printf(&b, "Nothing. The corpus is too thin to move anything: %s.", c->thin);
        dfr_page_text(&page, DFR_INK_PLAIN, 2, dfr_buf_text(&b));
    }
    for (uint32_t i = 0; i < c->moves.n; i++)
        put_move(&page, &c->moves.v[i], p);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void put_number(struct dfr_json *j, const char *key, double v)
{
    dfr_json_micro(j, key, (int64_t)llround(v * 1000000));
}

static void put_words(struct dfr_json *j, const char *key, const struct dfr_reliability *v)
{
    dfr_json_open(j, key, '[');
    for (uint32_t i = 0; i < DFR_CALIBRATE_WORDS; i++) {
        dfr_json_open(j, NULL, '{');
        dfr_json_z(j, "said", dfr_enum_word(DFR_E_VERDICT, i));
        dfr_json_int(j, "n", v[i].n);
        dfr_json_int(j, "true", v[i].truths);
        put_number(j, "expected_true", v[i].predicted);
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
}

void dfr_calibration_json(const struct dfr_calibration *c, const struct dfr_program *p, bool indent,
                          struct dfr_buf *out)
{
    struct dfr_json j;
    dfr_json_init(&j, indent, out);
    dfr_json_open(&j, NULL, '{');
    dfr_json_z(&j, "schema", "dfrule/calibration/1");
    dfr_json_str(&j, "labels", c->labels);
    dfr_json_int(&j, "cases", c->cases);
    dfr_json_int(&j, "observations", c->observations);
    dfr_json_int(&j, "true", c->truths);
    dfr_json_int(&j, "movable", c->movable);
    dfr_json_int(&j, "folds", c->folds);
    dfr_json_text(&j, "thin", dfr_str_from(c->thin ? c->thin : ""));
    dfr_json_open(&j, "settings", '[');
    for (uint32_t i = 0; i < DFR_CALIBRATE_SIGMAS; i++) {
        dfr_json_open(&j, NULL, '{');
        dfr_json_int(&j, "sigma_db", (int64_t)c->sigma[i]);
        dfr_json_bool(&j, "chosen", i == c->chosen);
        put_number(&j, "brier", c->loss[i].brier);
        put_number(&j, "log_loss", c->loss[i].log_loss);
        put_number(&j, "gain", c->loss[i].gain);
        put_number(&j, "gain_error", c->loss[i].gain_error);
        dfr_json_close(&j, '}');
    }
    dfr_json_close(&j, ']');
    put_words(&j, "before", c->before);
    put_words(&j, "after", c->after);
    dfr_json_open(&j, "moves", '[');
    for (uint32_t i = 0; i < c->moves.n; i++) {
        const struct dfr_move *m = &c->moves.v[i];
        dfr_json_open(&j, NULL, '{');
        dfr_json_z(&j, "what", m->rule == DFR_NONE ? "prior" : "weight");
        dfr_json_str(&j, "name", name_of(m, p));
        dfr_json_text(&j, "label",
                      m->rule == DFR_NONE ? DFR_STR("")
                                          : dfr_calibration_label(p, m->evidence, out->arena));
        dfr_json_int(&j, "from_db", m->from_true);
        dfr_json_int(&j, "to_db", m->to_true);
        dfr_json_int(&j, "from_if_false_db", m->from_false);
        dfr_json_int(&j, "to_if_false_db", m->to_false);
        dfr_json_close(&j, '}');
    }
    dfr_json_close(&j, ']');
    dfr_json_close(&j, '}');
    dfr_json_end(&j);
}

/* ---- Overrides ----------------------------------------------------------------------------- */

static void put_weight(struct dfr_buf *out, const struct dfr_move *m, const struct dfr_program *p)
{
    int32_t sign = p->evidence.v[m->evidence].cls == DFR_ITEM_AGAINST ? -1 : 1;
    dfr_buf_z(out, "  weight ");
    put_quoted(out, dfr_calibration_label(p, m->evidence, out->arena));
    dfr_buf_printf(out, " = weight(%d", sign * m->to_true);
    if (m->from_false || m->to_false)
        dfr_buf_printf(out, ", %d", sign * m->to_false);
    dfr_buf_printf(out, ");  // was %d", sign * m->from_true);
    if (m->from_false)
        dfr_buf_printf(out, ", %d", sign * m->from_false);
    dfr_buf_char(out, '\n');
}

void dfr_calibration_overrides(const struct dfr_calibration *c, const struct dfr_program *p,
                               struct dfr_buf *out)
{
    dfr_buf_printf(out,
                   "// Written by `dfrule corpus calibrate`: weights fitted to %u labelled cases.\n"
                   "// Brier score on cases not seen by the fit: ",
                   c->cases);
    put_fixed(out, c->loss[c->chosen].brier, "");
    dfr_buf_z(out, ", with the authors' weights ");
    put_fixed(out, c->loss[0].brier, "");
    dfr_buf_z(out, ".\n");
    if (c->thin)
        dfr_buf_printf(out, "// Nothing moves: %s.\n", c->thin);
    for (uint32_t i = 0; i < c->moves.n; i++) {
        const struct dfr_move *m = &c->moves.v[i];
        bool opens = !i || m->rule == DFR_NONE || c->moves.v[i - 1].rule != m->rule;
        bool closes =
            i + 1 == c->moves.n || m->rule == DFR_NONE || c->moves.v[i + 1].rule != m->rule;
        if (opens) {
            dfr_buf_z(out, "override ");
            dfr_buf_str(out, name_of(m, p));
            dfr_buf_z(out, " {\n");
        }
        if (m->rule == DFR_NONE)
            dfr_buf_printf(out, "  prior_db = %d;  // was %d\n", m->to_true, m->from_true);
        else
            put_weight(out, m, p);
        if (closes)
            dfr_buf_z(out, "}\n");
    }
}
