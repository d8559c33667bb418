/* Objects that several JSON documents hold. */
#include "report/json_parts.h"

#include <stdio.h>

void dfr_json_where(struct dfr_json *j, const char *key, const struct dfr_facts *f, uint32_t place)
{
    if (!place || place >= f->places.n) {
        dfr_json_null(j, key);
        return;
    }
    const struct dfr_place *p = &f->places.v[place];
    dfr_json_open(j, key, '{');
    if (p->line)
        dfr_json_int(j, "line", p->line);
    else
        dfr_json_null(j, "line");
    dfr_json_int(j, "begin", (int64_t)p->begin);
    dfr_json_int(j, "end", (int64_t)p->end);
    if (p->va)
        dfr_json_hex(j, "va", p->va);
    dfr_json_close(j, '}');
}

struct dfr_str dfr_json_time(int64_t t, struct dfr_arena *a)
{
    int year, month, day, hour, minute, second;
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    dfr_time_to_civil(t, &year, &month, &day, &hour, &minute, &second);
    dfr_buf_printf(&b, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day, hour, minute, second);
    return dfr_buf_text(&b);
}

/* Whole numbers beyond 2^53 do not survive a double: they are strings. */
static void put_int(struct dfr_json *j, const char *key, int64_t v)
{
    const int64_t most = INT64_C(1) << 53;
    if (v > -most && v < most) {
        dfr_json_int(j, key, v);
        return;
    }
    char text[32];
    snprintf(text, sizeof text, "%s0x%llx", v < 0 ? "-" : "",
             v < 0 ? 0ull - (unsigned long long)v : (unsigned long long)v);
    dfr_json_z(j, key, text);
}

static void put_printed(struct dfr_json *j, const char *key, const struct dfr_value *v)
{
    struct dfr_buf b;
    dfr_buf_init(&b, j->out->arena);
    dfr_value_print(&b, v);
    dfr_json_str(j, key, dfr_buf_text(&b));
}

/* Parts of a symbol, not the safe print: JSON has escapes of its own. */
static void put_symbol(struct dfr_json *j, const char *key, const struct dfr_sym *s)
{
    struct dfr_buf b;
    dfr_buf_init(&b, j->out->arena);
    dfr_buf_str(&b, s->module);
    if (s->func.len) {
        if (s->module.len)
            dfr_buf_char(&b, '!');
        dfr_buf_str(&b, s->func);
    }
    if (s->has_offset && (s->offset || !s->func.len))
        dfr_buf_printf(&b, "%s0x%llx", b.len ? "+" : "", (unsigned long long)s->offset);
    dfr_json_str(j, key, dfr_buf_text(&b));
}

void dfr_json_value(struct dfr_json *j, const char *key, const struct dfr_facts *f,
                    const struct dfr_value *v)
{
    (void)f;
    if (v->state != DFR_KNOWN) {
        dfr_json_null(j, key);
        return;
    }
    switch ((enum dfr_kind)v->kind) {
    case DFR_KIND_BOOL:
        dfr_json_bool(j, key, v->as.b);
        return;
    case DFR_KIND_INT:
    case DFR_KIND_DUR:
        if (v->as.n.lo == v->as.n.hi)
            put_int(j, key, v->as.n.lo);
        else
            put_printed(j, key, v);
        return;
    case DFR_KIND_ADDR:
        dfr_json_hex(j, key, v->as.u);
        return;
    case DFR_KIND_STR:
        dfr_json_str(j, key, dfr_value_str(v));
        return;
    case DFR_KIND_MODULE:
        dfr_json_str(j, key, (struct dfr_str){v->as.module.p, v->as.module.len});
        return;
    case DFR_KIND_SYM:
        put_symbol(j, key, v->as.sym);
        return;
    case DFR_KIND_TIME:
        /* An interval is a printed time without zone: what was printed is its middle. */
        dfr_json_str(j, key,
                     dfr_json_time(v->as.n.lo + (v->as.n.hi - v->as.n.lo) / 2, j->out->arena));
        return;
    case DFR_KIND_NONE:
        dfr_json_null(j, key);
        return;
    case DFR_KIND_BYTES:
    case DFR_KIND_VER:
    case DFR_KIND_ENUM:
    case DFR_KIND_ROW:
    case DFR_KIND_LIST:
        put_printed(j, key, v);
        return;
    }
    dfr_json_null(j, key);
}

void dfr_json_input(struct dfr_json *j, const struct dfr_facts *f,
                    const struct dfr_report_input *input)
{
    static const struct dfr_report_input nothing;
    if (!input)
        input = &nothing;
    dfr_json_open(j, "input", '{');
    dfr_json_text(j, "path", input->path);
    dfr_json_text(j, "kind", dfr_report_kind(f, input));
    if (input->size && input->size <= INT64_MAX)
        dfr_json_int(j, "size", (int64_t)input->size);
    else
        dfr_json_null(j, "size");
    dfr_json_text(j, "sha256", input->sha256);
    dfr_json_text(j, "sha256_reason", input->sha256_reason);
    dfr_json_int(j, "crash", input->crash);
    dfr_json_int(j, "crashes", input->crash_count ? input->crash_count : 1);
    dfr_json_close(j, '}');
}

void dfr_json_missing_one(struct dfr_json *j, const struct dfr_eval *e, uint32_t missing)
{
    const struct dfr_missing *m = &e->missing.v[missing];
    dfr_json_open(j, NULL, '{');
    dfr_json_z(j, "fact", dfr_field_info(m->field)->path);
    dfr_json_text(j, "param", m->param);
    dfr_json_z(j, "reason", dfr_reason_text((enum dfr_reason)m->reason));
    dfr_json_where(j, "where", e->facts, m->place);
    dfr_json_close(j, '}');
}

void dfr_json_missing(struct dfr_json *j, const char *key, const struct dfr_eval *e, uint32_t set)
{
    uint32_t n;
    const uint32_t *items = dfr_sets_items(e->sets, set, &n);
    dfr_json_open(j, key, '[');
    for (uint32_t i = 0; i < n; i++)
        dfr_json_missing_one(j, e, items[i]);
    dfr_json_close(j, ']');
}

void dfr_json_bugcheck(struct dfr_json *j, const char *key, const struct dfr_facts *f)
{
    dfr_json_open(j, key, '{');
    dfr_json_value(j, "code", f, dfr_facts_scalar(f, DFR_F_BUGCHECK_CODE));
    dfr_json_text(j, "name", dfr_report_bugcheck_name(f));
    dfr_json_open(j, "args", '[');
    for (uint32_t i = 0; i < 4; i++)
        dfr_json_value(j, NULL, f, dfr_facts_scalar(f, DFR_F_BUGCHECK_ARG1 + i));
    dfr_json_close(j, ']');
    dfr_json_close(j, '}');
}

const char *dfr_json_truth(enum dfr_tri t)
{
    return t == DFR_TRUE ? "true" : t == DFR_FALSE ? "false" : "unknown";
}
