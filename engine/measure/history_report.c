/* Several crashes of one machine, as text and as JSON. */
#include "measure/history.h"

#include "report/json_parts.h"
#include "report/text.h"
#include "report/words.h"

static void put_code(struct dfr_buf *b, int64_t code)
{
    if (code < 0)
        dfr_buf_z(b, "no bug check");
    else
        dfr_buf_printf(b, "0x%llX", (unsigned long long)code);
}

static void put_past(struct dfr_page *p, const struct dfr_history *h, uint32_t i)
{
    const struct dfr_past *x = &h->v[i];
    struct dfr_buf b, lead, tag;
    struct dfr_arena *a = p->out->arena;
    dfr_buf_init(&b, a);
    dfr_buf_init(&lead, a);
    dfr_buf_init(&tag, a);
    dfr_buf_printf(&lead, "%3u. ", i + 1);
    put_code(&b, x->answer.code);
    const struct dfr_value *time = dfr_facts_scalar(x->facts, DFR_F_DUMP_TIME);
    if (time->state == DFR_KNOWN) {
        dfr_buf_z(&b, ", ");
        dfr_value_print(&b, time);
    }
    if (x->same_as != DFR_NONE) {
        dfr_buf_printf(&b, ": the same crash as %u, counted once", x->same_as + 1);
    } else {
        struct dfr_str culprit = dfr_report_culprit(&x->ranking, a);
        dfr_buf_z(&b, ": ");
        dfr_buf_str(&b, culprit.len ? culprit : DFR_STR("suspect not known"));
        if (x->ranking.culprit != DFR_NONE)
            dfr_buf_z(&tag,
                      dfr_enum_word(DFR_E_VERDICT, x->ranking.causes[x->ranking.culprit].strength));
    }
    dfr_page_para(p, DFR_INK_PLAIN, dfr_buf_text(&lead), DFR_INK_PLAIN, dfr_buf_text(&b),
                  dfr_buf_text(&tag), DFR_INK_PLAIN);
    dfr_buf_init(&b, a);
    dfr_buf_safe(&b, x->path);
    if (x->crash_count > 1)
        dfr_buf_printf(&b, ", crash %u", x->crash + 1);
    dfr_page_text(p, DFR_INK_FAINT, 5, dfr_buf_text(&b));
}

static void put_times(struct dfr_page *p, const struct dfr_history *h)
{
    const struct dfr_value *first = NULL, *last = NULL;
    for (uint32_t i = 0; i < h->n; i++) {
        const struct dfr_value *v = dfr_facts_scalar(h->v[i].facts, DFR_F_DUMP_TIME);
        if (v->state != DFR_KNOWN)
            continue;
        first = !first || v->as.n.lo < first->as.n.lo ? v : first;
        last = !last || v->as.n.hi > last->as.n.hi ? v : last;
    }
    if (!first || first == last)
        return;
    struct dfr_buf b;
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_z(&b, "between ");
    dfr_value_print(&b, first);
    dfr_buf_z(&b, " and ");
    dfr_value_print(&b, last);
    dfr_page_text(p, DFR_INK_PLAIN, 2, dfr_buf_text(&b));
}

static void put_common(struct dfr_page *p, const struct dfr_history *h,
                       const struct dfr_facts *machine)
{
    struct dfr_buf b;
    dfr_page_heading(p, "What they have in common");
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_printf(&b, "%u bug check%s, %u suspected module%s", h->codes, h->codes == 1 ? "" : "s",
                   h->suspects, h->suspects == 1 ? "" : "s");
    dfr_page_text(p, DFR_INK_PLAIN, 2, dfr_buf_text(&b));
    if (h->common.len) {
        dfr_buf_init(&b, p->out->arena);
        dfr_report_module_name(machine, dfr_facts_scalar(machine, DFR_F_MACHINE_COMMON), &b);
        dfr_buf_printf(&b, " is suspected in %u of %u", h->common_count, h->counted);
        dfr_page_text(p, DFR_INK_PLAIN, 2, dfr_buf_text(&b));
    }
    put_times(p, h);
    if (h->differ)
        dfr_page_text(p, DFR_INK_AGAINST, 2,
                      DFR_STR("They come from at least two machines: nothing is said about "
                              "hardware."));
}

/* The product, else the board that it is built on. */
static void put_machine(const struct dfr_facts *f, struct dfr_buf *b)
{
    static const uint32_t fields[] = {DFR_F_MACHINE_PRODUCT, DFR_F_MACHINE_BOARD};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const struct dfr_value *v = dfr_facts_scalar(f, fields[i]);
        if (v->state != DFR_KNOWN || dfr_report_is_filler(v))
            continue;
        dfr_buf_z(b, ", ");
        dfr_buf_safe(b, dfr_value_str(v));
        return;
    }
}

void dfr_history_text(const struct dfr_history *h, const struct dfr_ranking *machine,
                      const struct dfr_report_style *s, struct dfr_buf *out)
{
    struct dfr_page p;
    struct dfr_buf b;
    dfr_page_init(&p, s, out);
    dfr_buf_init(&b, out->arena);
    dfr_buf_printf(&b, "%u crash%s looked at together", h->counted, h->counted == 1 ? "" : "es");
    put_machine(machine->eval->facts, &b);
    dfr_page_text(&p, DFR_INK_STRONG, 0, dfr_buf_text(&b));
    for (uint32_t i = 0; i < h->n; i++)
        put_past(&p, h, i);
    put_common(&p, h, machine->eval->facts);
    dfr_page_heading(&p, "The machine");
    if (h->counted < 2)
        dfr_page_text(&p, DFR_INK_PLAIN, 2,
                      DFR_STR("One crash has nothing to be compared with: give more of them."));
    else if (!machine->shown_count || machine->causes[0].score_db < DFR_SCORE_LIKELY)
        dfr_page_text(&p, DFR_INK_PLAIN, 2,
                      DFR_STR("Taken together they speak neither for one driver nor for the "
                              "hardware: judge each by itself."));
    else
        dfr_text_answer(&p, machine);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void put_json_past(struct dfr_json *j, const struct dfr_history *h, uint32_t i)
{
    const struct dfr_past *x = &h->v[i];
    const struct dfr_ranking *r = &x->ranking;
    dfr_json_open(j, NULL, '{');
    dfr_json_str(j, "path", x->path);
    dfr_json_int(j, "crash", x->crash + 1);
    dfr_json_bugcheck(j, "bugcheck", x->facts);
    dfr_json_value(j, "time", x->facts, dfr_facts_scalar(x->facts, DFR_F_DUMP_TIME));
    dfr_json_text(j, "suspect", dfr_report_culprit(r, j->out->arena));
    dfr_json_z(j, "strength",
               r->culprit == DFR_NONE
                   ? dfr_enum_word(DFR_E_VERDICT, DFR_VERDICT_NONE)
                   : dfr_enum_word(DFR_E_VERDICT, r->causes[r->culprit].strength));
    dfr_json_text(j, "cause", x->answer.cause);
    if (x->same_as == DFR_NONE)
        dfr_json_null(j, "same_as");
    else
        dfr_json_int(j, "same_as", (int64_t)x->same_as + 1);
    dfr_json_close(j, '}');
}

void dfr_history_json(const struct dfr_history *h, const struct dfr_report *machine, bool indent,
                      struct dfr_buf *out)
{
    struct dfr_json j;
    dfr_json_init(&j, indent, out);
    dfr_json_open(&j, NULL, '{');
    dfr_json_z(&j, "schema", "dfrule/together/1");
    dfr_json_open(&j, "crashes", '[');
    for (uint32_t i = 0; i < h->n; i++)
        put_json_past(&j, h, i);
    dfr_json_close(&j, ']');
    dfr_json_open(&j, "common", '{');
    dfr_json_int(&j, "crashes", h->counted);
    dfr_json_int(&j, "codes", h->codes);
    dfr_json_int(&j, "suspects", h->suspects);
    dfr_json_text(&j, "module", h->common);
    dfr_json_int(&j, "module_crashes", h->common.len ? h->common_count : 0);
    dfr_json_bool(&j, "machines_differ", h->differ);
    dfr_json_close(&j, '}');
    dfr_json_result(&j, "machine", machine);
    dfr_json_close(&j, '}');
    dfr_json_end(&j);
}
