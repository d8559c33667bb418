/* Diagnostics as text. `source` lines are safe to print when they come here (the places that set
 * them see to it); paths, messages and suggestions are made safe here. */
#include "base/diag_text.h"

static const char *const words[] = {"note", "warning", "error"};
static const char *const colors[] = {"\033[36m", "\033[33m", "\033[31m"};

static void paint(struct dfr_buf *b, bool color, const char *code)
{
    if (color)
        dfr_buf_z(b, code);
}

void dfr_diag_text(struct dfr_buf *b, const struct dfr_diag *d, bool color)
{
    if (d->file.len) {
        dfr_buf_safe(b, d->file);
        dfr_buf_char(b, ':');
        if (d->line)
            dfr_buf_printf(b, "%u:", d->line);
        if (d->line && d->column)
            dfr_buf_printf(b, "%u:", d->column);
        dfr_buf_char(b, ' ');
    }
    paint(b, color, "\033[1m");
    paint(b, color, colors[d->severity]);
    dfr_buf_printf(b, "%s[DFR%04d]:", words[d->severity], (int)d->code);
    paint(b, color, "\033[0m");
    dfr_buf_char(b, ' ');
    dfr_buf_safe(b, d->message);
    dfr_buf_char(b, '\n');
    if (d->line && d->source.p) {
        struct dfr_buf gutter;
        dfr_buf_init(&gutter, b->arena);
        dfr_buf_printf(&gutter, "%4u | ", d->line);
        dfr_buf_str(b, dfr_buf_text(&gutter));
        dfr_buf_str(b, d->source);
        dfr_buf_char(b, '\n');
        for (size_t i = 0; i + 2 < gutter.len; i++)
            dfr_buf_char(b, ' ');
        dfr_buf_z(b, "| ");
        for (uint32_t i = 0; i < d->caret; i++)
            dfr_buf_char(b, ' ');
        paint(b, color, colors[d->severity]);
        for (uint32_t i = 0; i < (d->width ? d->width : 1); i++)
            dfr_buf_char(b, '^');
        paint(b, color, "\033[0m");
        dfr_buf_char(b, '\n');
    }
    if (d->suggest.len) {
        dfr_buf_z(b, "     = ");
        dfr_buf_safe(b, d->suggest);
        dfr_buf_char(b, '\n');
    }
}

void dfr_diags_text(struct dfr_buf *b, const struct dfr_diags *d, uint32_t most, bool color)
{
    uint32_t shown = 0;
    for (uint32_t i = 0; i < d->n && (!most || shown < most); i++, shown++)
        dfr_diag_text(b, &d->v[i], color);
    uint32_t left = d->n - shown + d->dropped;
    if (left)
        dfr_buf_printf(b, "... and %u more\n", left);
}
