/* What a pack says about versions: its own, those of packs it requires, the facts' and the
 * engine's. */
#include <string.h>

#include "lang/scope.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Up to four numbers joined by dots; false when it is something else. */
static bool version_of(struct dfr_str s, uint32_t part[4])
{
    memset(part, 0, 4 * sizeof *part);
    size_t i = 0;
    for (int k = 0; k < 4; k++) {
        uint64_t n = 0;
        size_t from = i;
        while (i < s.len && is_digit(s.p[i]) && n <= UINT32_MAX)
            n = n * 10 + (uint64_t)(s.p[i++] - '0');
        if (i == from || n > UINT32_MAX)
            return false;
        part[k] = (uint32_t)n;
        if (i == s.len)
            return true;
        if (s.p[i++] != '.')
            return false;
    }
    return false;
}

static int compare(const uint32_t a[4], const uint32_t b[4])
{
    for (int i = 0; i < 4; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

enum range { RANGE_FITS, RANGE_OUTSIDE, RANGE_MALFORMED };

/* A version against conditions such as ">=1.0 <2.0", all of which must hold. */
static enum range in_range(const uint32_t version[4], struct dfr_str range)
{
    enum range ret = RANGE_FITS;
    range = dfr_str_trim(range);
    if (!range.len)
        return RANGE_MALFORMED;
    while (range.len) {
        size_t op = 0, end;
        uint32_t bound[4];
        while (op < range.len && strchr("<>=", range.p[op]))
            op++;
        for (end = op; end < range.len && range.p[end] != ' ';)
            end++;
        struct dfr_str sign = dfr_str_slice(range, 0, op);
        bool less = dfr_str_starts(sign, DFR_STR("<")), more = dfr_str_starts(sign, DFR_STR(">"));
        bool equal = !op || sign.p[op - 1] == '=';
        if (!version_of(dfr_str_slice(range, op, end), bound) || op > 2 ||
            (op == 2 && (!(less || more) || !equal)))
            return RANGE_MALFORMED;
        int c = compare(version, bound);
        if (!((c == 0 && equal) || (c < 0 && less) || (c > 0 && more)))
            ret = RANGE_OUTSIDE;
        range = dfr_str_trim(dfr_str_slice(range, end, range.len));
    }
    return ret;
}

static void own_version(const struct dfr_pack *p, uint32_t part[4])
{
    const struct dfr_entry *e = dfr_entry_find(p->node->fields, "version");
    if (!e || e->value->kind != DFR_EXPR_VERSION || !version_of(e->value->as.text, part))
        memset(part, 0, 4 * sizeof *part);
}

static void malformed(struct dfr_cx *cx, const struct dfr_pack *p, struct dfr_loc loc)
{
    dfr_cx_diag(cx, p->source, DFR_D_BAD_META, loc, "a range is written \">=1.0 <2.0\"");
}

static void requirement(struct dfr_cx *cx, const struct dfr_pack *p, const struct dfr_entry *e)
{
    const struct dfr_pack *other = dfr_pack_named(cx, e->name.text);
    uint32_t has[4];
    if (!other) {
        dfr_cx_diag(cx, p->source, DFR_D_NO_PACK, e->name.loc,
                    "pack \"%.*s\" is required and not here", (int)e->name.text.len,
                    e->name.text.p);
        return;
    }
    own_version(other, has);
    enum range r = in_range(has, e->value->as.text);
    if (r == RANGE_MALFORMED)
        malformed(cx, p, e->value->loc);
    else if (r == RANGE_OUTSIDE)
        dfr_cx_diag(cx, p->source, DFR_D_PACK_VERSION, e->value->loc,
                    "pack \"%.*s\" is here in version %u.%u.%u", (int)e->name.text.len,
                    e->name.text.p, has[0], has[1], has[2]);
}

static void check(struct dfr_cx *cx, const struct dfr_pack *p)
{
    const struct dfr_entry *version = dfr_entry_find(p->node->fields, "version");
    const struct dfr_entry *facts = dfr_entry_find(p->node->fields, "facts");
    const struct dfr_entry *engine = dfr_entry_find(p->node->fields, "engine");
    if (version && version->value->kind != DFR_EXPR_VERSION)
        dfr_cx_diag(cx, p->source, DFR_D_BAD_META, version->value->loc,
                    "a version is written 1.0.0");
    if (facts && (facts->value->kind != DFR_EXPR_INT || !facts->value->as.num))
        dfr_cx_diag(cx, p->source, DFR_D_BAD_META, facts->value->loc,
                    "`facts` is the number of the schema that the pack was written for");
    else if (facts && facts->value->as.num > DFR_SCHEMA_VERSION)
        dfr_cx_diag(cx, p->source, DFR_D_PACK_VERSION, facts->value->loc,
                    "the pack needs schema %llu of the facts, this program has %d",
                    (unsigned long long)facts->value->as.num, DFR_SCHEMA_VERSION);
    if (engine) {
        uint32_t own[4];
        version_of(dfr_str_from(DFR_VERSION), own);
        enum range r = engine->value->kind == DFR_EXPR_STRING
                           ? in_range(own, engine->value->as.text)
                           : RANGE_MALFORMED;
        if (r == RANGE_MALFORMED)
            malformed(cx, p, engine->value->loc);
        else if (r == RANGE_OUTSIDE)
            dfr_cx_diag(cx, p->source, DFR_D_PACK_VERSION, engine->value->loc,
                        "this program is version %s", DFR_VERSION);
    }
    for (const struct dfr_entry *e = p->node->fields; e; e = e->next)
        if (e->requires)
            requirement(cx, p, e);
}

void dfr_packs_check(struct dfr_cx *cx)
{
    for (uint32_t i = 0; i < cx->packs.n; i++)
        if (cx->packs.v[i]->node)
            check(cx, cx->packs.v[i]);
}
