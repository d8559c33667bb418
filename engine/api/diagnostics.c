/* Findings about rule files, as text with the source line underlined, and as JSON. */
#include <stdio.h>

#include "api/handle.h"
#include "base/diag_text.h"
#include "base/limits.h"
#include "report/jsonw.h"

struct copy_args {
    dfr_diagnostics *d;
    const struct dfr_diags *from;
};

static enum dfr_status copy_body(void *args, struct dfr_err *err)
{
    const struct copy_args *in = args;
    struct dfr_arena *a = &in->d->handle.arena;
    struct dfr_diags *to = &in->d->diags;
    (void)err;
    *to = *in->from;
    to->arena = a;
    to->cap = to->n;
    to->v = DFR_NEW_N(a, to->n, struct dfr_diag);
    for (uint32_t i = 0; i < to->n; i++) {
        struct dfr_diag *d = &to->v[i];
        *d = in->from->v[i];
        d->file = dfr_str_dup(a, d->file);
        d->source = dfr_str_dup(a, d->source);
        d->message = dfr_str_dup(a, d->message);
        d->suggest = dfr_str_dup(a, d->suggest);
    }
    return DFR_OK;
}

dfr_diagnostics *dfr_diagnostics_new(const struct dfr_diags *diags, const dfr_memory *memory)
{
    dfr_result result;
    dfr_diagnostics *d = dfr_handle_new(sizeof *d, memory, NULL, &result);
    struct copy_args args = {d, diags};
    if (d && dfr_api_run(&d->handle.mem, copy_body, &args, NULL) != DFR_RESULT_OK) {
        dfr_diagnostics_free(d);
        d = NULL;
    }
    return d;
}

void dfr_diagnostics_free(dfr_diagnostics *d)
{
    if (d && dfr_handle_drop(&d->handle))
        dfr_handle_free(&d->handle);
}

uint32_t dfr_diagnostics_errors(const dfr_diagnostics *d)
{
    return d->diags.errors;
}

uint32_t dfr_diagnostics_warnings(const dfr_diagnostics *d)
{
    return d->diags.warnings;
}

const char *dfr_diagnostic_help(uint32_t number)
{
    const struct dfr_diag_info *info = dfr_diag_info(number);
    return info ? info->help : NULL;
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void put_json(struct dfr_json *j, const struct dfr_diag *d)
{
    static const char *const severities[] = {
        [DFR_SEV_NOTE] = "note", [DFR_SEV_WARNING] = "warning", [DFR_SEV_ERROR] = "error"};
    char code[16];
    snprintf(code, sizeof code, "DFR%04u", (unsigned)d->code);
    dfr_json_open(j, NULL, '{');
    dfr_json_z(j, "code", code);
    dfr_json_z(j, "severity", severities[d->severity]);
    dfr_json_text(j, "file", d->file);
    if (d->line) {
        dfr_json_int(j, "line", d->line);
        dfr_json_int(j, "column", d->column);
        dfr_json_int(j, "begin", (int64_t)d->begin);
        dfr_json_int(j, "end", (int64_t)d->end);
    } else {
        dfr_json_null(j, "line");
        dfr_json_null(j, "column");
        dfr_json_null(j, "begin");
        dfr_json_null(j, "end");
    }
    dfr_json_str(j, "message", d->message);
    dfr_json_text(j, "suggest", d->suggest);
    dfr_json_close(j, '}');
}

static void put_all_json(struct dfr_buf *b, const struct dfr_diags *ds, bool indent)
{
    struct dfr_json j;
    dfr_json_init(&j, indent, b);
    dfr_json_open(&j, NULL, '{');
    dfr_json_z(&j, "schema", "dfrule/diagnostics/1");
    dfr_json_int(&j, "errors", ds->errors);
    dfr_json_int(&j, "warnings", ds->warnings);
    dfr_json_open(&j, "diagnostics", '[');
    for (uint32_t i = 0; i < ds->n; i++)
        put_json(&j, &ds->v[i]);
    dfr_json_close(&j, ']');
    dfr_json_close(&j, '}');
    dfr_json_end(&j);
}

struct write_args {
    struct dfr_scratch *scratch;
    const dfr_diagnostics *d;
    dfr_format format;
    struct dfr_report_style style;
    dfr_write_fn write;
    void *user;
};

static enum dfr_status write_body(void *args, struct dfr_err *err)
{
    const struct write_args *in = args;
    struct dfr_buf b;
    dfr_api_buf(&b, &in->scratch->arena);
    if (in->format == DFR_FORMAT_TEXT)
        dfr_diags_text(&b, &in->d->diags, in->style.verbose ? 0 : DFR_LIMIT_ERRORS_SHOWN,
                       in->style.color);
    else
        put_all_json(&b, &in->d->diags, in->format == DFR_FORMAT_JSON);
    return dfr_api_emit(&b, in->write, in->user, err);
}

dfr_result dfr_diagnostics_write(const dfr_diagnostics *d, dfr_format format,
                                 const dfr_style *style, dfr_write_fn write, void *user,
                                 dfr_error *error)
{
    if (!dfr_api_format_ok(format, error))
        return DFR_RESULT_MISUSE;
    struct dfr_scratch s;
    dfr_scratch_init(&s, &d->handle.memory);
    struct write_args args = {&s, d, format, dfr_api_style(style), write, user};
    dfr_result result = dfr_api_run(&s.mem, write_body, &args, error);
    dfr_scratch_deinit(&s);
    return result;
}
