/* Collecting diagnostics and filling errors. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/vec.h"

#define DIAG(id, number, severity, title, help) {number, DFR_SEV_##severity, #id, title, help},
static const struct dfr_diag_info rows[] = {
#include "base/diag.def"
};
#undef DIAG

const struct dfr_diag_info *dfr_diag_rows(size_t *ret_n)
{
    *ret_n = sizeof rows / sizeof rows[0];
    return rows;
}

const struct dfr_diag_info *dfr_diag_info(uint32_t number)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].number == number)
            return &rows[i];
    return NULL;
}

void dfr_diags_init(struct dfr_diags *d, struct dfr_arena *a)
{
    *d = (struct dfr_diags){.arena = a};
}

struct dfr_diag *dfr_diags_add(struct dfr_diags *d, enum dfr_diag_code code, const char *format,
                               ...)
{
    const struct dfr_diag_info *info = dfr_diag_info(code);
    enum dfr_severity severity = info ? info->severity : DFR_SEV_ERROR;
    d->errors += severity == DFR_SEV_ERROR;
    d->warnings += severity == DFR_SEV_WARNING;
    if (d->n >= DFR_LIMIT_DIAGNOSTICS) { /* what nobody will see takes no memory */
        d->dropped++;
        if (!d->spare)
            d->spare = DFR_NEW(d->arena, struct dfr_diag);
        *d->spare = (struct dfr_diag){.code = code, .severity = severity};
        return d->spare;
    }
    char message[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct dfr_diag *row = DFR_PUSH(d->arena, d);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof message ? (size_t)n : sizeof message - 1;
    struct dfr_str text = {dfr_arena_copy(d->arena, message, len), len};
    *row = (struct dfr_diag){.code = code, .severity = severity, .message = text};
    return row;
}

enum dfr_status dfr_fail(struct dfr_err *err, enum dfr_status status, const char *format, ...)
{
    if (err) {
        err->status = status;
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
    }
    return status;
}
