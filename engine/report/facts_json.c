/* All facts of a store as JSON: docs/schema/facts.schema.json, "dfrule/facts/1". */
#include "report/json_parts.h"

enum { HOUR = 3600 };

/* Reasons as words for programs: stable, unlike the sentences. */
static const char *reason_word(uint32_t reason)
{
    static const char *const words[] = {
#define REASON(id, text) #id,
#include "facts/reason.def"
#undef REASON
    };
    return reason < sizeof words / sizeof *words ? words[reason] : "NONE";
}

static void put_reason(struct dfr_json *j, const char *key, uint32_t reason)
{
    struct dfr_buf b;
    if (reason == DFR_REASON_NONE) {
        dfr_json_null(j, key);
        return;
    }
    dfr_buf_init(&b, j->out->arena);
    for (const char *c = reason_word(reason); *c; c++)
        dfr_buf_char(&b, (char)(*c >= 'A' && *c <= 'Z' ? *c + ('a' - 'A') : *c));
    dfr_json_str(j, key, dfr_buf_text(&b));
}

static const char *state_word(const struct dfr_value *v)
{
    return v->state == DFR_KNOWN ? "known" : v->state == DFR_ABSENT ? "absent" : "unknown";
}

static bool inexact_time(const struct dfr_value *v)
{
    return v->kind == DFR_KIND_TIME && v->state == DFR_KNOWN && v->as.n.lo != v->as.n.hi;
}

static int64_t uncertainty_hours(const struct dfr_value *v)
{
    return (v->as.n.hi - v->as.n.lo) / 2 / HOUR;
}

static const char *table_path(uint32_t table)
{
    return table < DFR_T_COUNT ? dfr_field_info(dfr_table_info(table)->field)->path : NULL;
}

/* A list or row of a table as a reference, not a copy. */
static void put_value(struct dfr_json *j, const struct dfr_facts *f, const struct dfr_value *v)
{
    if (v->state == DFR_KNOWN && v->kind == DFR_KIND_LIST && table_path(v->as.list.table)) {
        dfr_json_open(j, "value", '{');
        dfr_json_z(j, "table", table_path(v->as.list.table));
        dfr_json_int(j, "first", v->as.list.first);
        dfr_json_int(j, "count", v->as.list.count);
        dfr_json_close(j, '}');
    } else if (v->state == DFR_KNOWN && v->kind == DFR_KIND_ROW && table_path(v->as.row.table)) {
        dfr_json_open(j, "value", '{');
        dfr_json_z(j, "table", table_path(v->as.row.table));
        dfr_json_int(j, "first", v->as.row.index);
        dfr_json_int(j, "count", 1);
        dfr_json_close(j, '}');
    } else {
        dfr_json_value(j, "value", f, v);
    }
}

static void put_fact(struct dfr_json *j, const struct dfr_facts *f, uint32_t field)
{
    const struct dfr_value *v = dfr_facts_scalar(f, field);
    dfr_json_open(j, dfr_field_info(field)->path, '{');
    dfr_json_z(j, "state", state_word(v));
    put_value(j, f, v);
    if (inexact_time(v))
        dfr_json_int(j, "uncertainty_hours", uncertainty_hours(v));
    if (v->state == DFR_UNKNOWN) {
        dfr_json_null(j, "trust");
        dfr_json_where(j, "where", f, v->place);
        put_reason(j, "reason", v->reason);
        dfr_json_z(j, "reason_text", dfr_reason_text((enum dfr_reason)v->reason));
    } else {
        dfr_json_z(j, "trust", dfr_enum_word(DFR_E_TRUST, v->trust));
        dfr_json_where(j, "where", f, v->place);
        put_reason(j, "reason", v->reason);
    }
    dfr_json_close(j, '}');
}

/* Cells that are not known for a reason worth telling, as {"built": "build_hash"}. */
static void put_cell_reasons(struct dfr_json *j, const char *key, const struct dfr_facts *f,
                             const struct dfr_table_info *t, uint32_t row, enum dfr_state state)
{
    bool any = false;
    for (uint32_t c = 0; c < t->columns; c++) {
        const struct dfr_value *v = dfr_facts_at(f, t->first_column + c, row);
        if (v->state != state || (state == DFR_UNKNOWN && (v->reason == DFR_REASON_NOT_SHOWN ||
                                                           v->reason == DFR_REASON_NOT_READ ||
                                                           v->reason == DFR_REASON_NONE)))
            continue;
        if (!any)
            dfr_json_open(j, key, '{');
        any = true;
        put_reason(j, dfr_field_info(t->first_column + c)->name, v->reason);
    }
    if (any)
        dfr_json_close(j, '}');
}

static void put_row(struct dfr_json *j, const struct dfr_facts *f, const struct dfr_table_info *t,
                    uint32_t row)
{
    uint32_t place = 0;
    bool prose = false;
    dfr_json_open(j, NULL, '{');
    for (uint32_t c = 0; c < t->columns; c++) {
        const struct dfr_field_info *info = dfr_field_info(t->first_column + c);
        const struct dfr_value *v = dfr_facts_at(f, t->first_column + c, row);
        dfr_json_value(j, info->name, f, v);
        if (inexact_time(v)) {
            struct dfr_buf b;
            dfr_buf_init(&b, j->out->arena);
            dfr_buf_printf(&b, "%s_uncertainty_hours", info->name);
            dfr_json_int(j, dfr_buf_text(&b).p, uncertainty_hours(v));
        }
        if (!place)
            place = v->place;
        prose |= v->state == DFR_KNOWN && v->trust == DFR_TRUST_PROSE;
    }
    put_cell_reasons(j, "_unknown", f, t, row, DFR_UNKNOWN);
    put_cell_reasons(j, "_absent", f, t, row, DFR_ABSENT);
    if (prose)
        dfr_json_bool(j, "_prose", true);
    dfr_json_where(j, "_where", f, place);
    dfr_json_close(j, '}');
}

static void put_table(struct dfr_json *j, const struct dfr_facts *f, uint32_t table)
{
    const struct dfr_table_info *t = dfr_table_info(table);
    const struct dfr_rows *rows = &f->tables[table];
    dfr_json_open(j, dfr_field_info(t->field)->path, '{');
    dfr_json_bool(j, "complete", rows->complete);
    put_reason(j, "reason", rows->complete ? (uint32_t)DFR_REASON_NONE : rows->reason);
    dfr_json_where(j, "where", f, rows->place);
    dfr_json_open(j, "rows", '[');
    for (uint32_t i = 0; i < rows->n; i++)
        put_row(j, f, t, i);
    dfr_json_close(j, ']');
    dfr_json_close(j, '}');
}

static void put_facts(struct dfr_json *j, const char *key, const struct dfr_facts *f,
                      const struct dfr_report_input *input)
{
    dfr_json_open(j, key, '{');
    dfr_json_z(j, "schema", "dfrule/facts/1");
    dfr_json_input(j, f, input);
    dfr_json_open(j, "facts", '{');
    for (uint32_t i = 0; i < DFR_F_COUNT; i++) {
        if (dfr_field_info(i)->cls == DFR_FIELD_SCALAR)
            put_fact(j, f, i);
    }
    dfr_json_close(j, '}');
    dfr_json_open(j, "tables", '{');
    for (uint32_t i = 0; i < DFR_T_COUNT; i++)
        put_table(j, f, i);
    dfr_json_close(j, '}');
    dfr_json_open(j, "other_crashes", '[');
    bool first = input && input->crash == 0;
    for (uint32_t i = 1; first && input->crashes && i < input->crash_count; i++) {
        struct dfr_report_input other = *input;
        other.crash = i;
        put_facts(j, NULL, input->crashes[i], &other);
    }
    dfr_json_close(j, ']');
    dfr_json_close(j, '}');
}

void dfr_report_facts_json(const struct dfr_facts *f, const struct dfr_report_input *input,
                           bool indent, struct dfr_buf *out)
{
    struct dfr_json j;
    dfr_json_init(&j, indent, out);
    put_facts(&j, NULL, f, input);
    dfr_json_end(&j);
}
