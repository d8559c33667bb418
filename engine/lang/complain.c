/* What the compiler says of the rules: messages at a place, and the name that was probably meant. */
#include "lang/scope.h"

#include <stdarg.h>
#include <stdio.h>

struct dfr_diag *dfr_cx_diag(struct dfr_cx *cx, const struct dfr_source *s, enum dfr_diag_code code,
                             struct dfr_loc loc, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct dfr_diag *d = dfr_diags_add(cx->diags, code, "%s", message);
    if (s)
        dfr_source_place(s, cx->a, loc, d);
    return d;
}

void dfr_cx_suggest(struct dfr_cx *cx, struct dfr_diag *d, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    d->suggest = dfr_str_dup(cx->a, (struct dfr_str){text, len});
}

void dfr_nearest_try(struct dfr_nearest *n, struct dfr_str candidate)
{
    unsigned most = n->best.p ? n->distance : (unsigned)(n->want.len / 3 + 1);
    unsigned d = dfr_str_distance(n->want, candidate, most);
    if (d > most || (n->best.p && (d == n->distance && dfr_str_cmp(candidate, n->best) >= 0)))
        return;
    n->best = candidate;
    n->distance = d;
}

void dfr_cx_did_you_mean(struct dfr_cx *cx, struct dfr_diag *d, const struct dfr_nearest *n)
{
    if (n->best.p)
        dfr_cx_suggest(cx, d, "did you mean `%.*s`?", (int)n->best.len, n->best.p);
}
