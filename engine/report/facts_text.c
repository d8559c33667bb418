/* All facts of a store as text: what is known and where it stands, what is not and why. */
#include <string.h>

#include "report/text.h"

enum { NAME_COLUMNS = 22, CELL_MOST = 200, ROWS_SHOWN = 12, FRAMES_SHOWN = 32 };

static const struct dfr_str none = {0};

/* Pages in a unit that people know. */
static void put_pages(struct dfr_buf *b, const struct dfr_value *v, const char *unit)
{
    enum { PAGES_PER_MIB = 256 };
    if (v->state == DFR_KNOWN && v->kind == DFR_KIND_INT && strcmp(unit, "pages") == 0 &&
        v->as.n.lo >= PAGES_PER_MIB)
        dfr_buf_printf(b, " (%lld MiB)", (long long)(v->as.n.lo / PAGES_PER_MIB));
}

static void put_known(struct dfr_page *p, const struct dfr_facts *f, uint32_t field)
{
    const struct dfr_value *v = dfr_facts_scalar(f, field);
    const struct dfr_field_info *info = dfr_field_info(field);
    struct dfr_buf lead, b, tag;
    dfr_buf_init(&lead, p->out->arena);
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_init(&tag, p->out->arena);
    dfr_buf_printf(&lead, "  %-*s ", NAME_COLUMNS, info->path);
    if ((field == DFR_F_BUGCHECK_CODE || field == DFR_F_BUGCHECK_RAW) && v->state == DFR_KNOWN)
        dfr_buf_printf(&b, "0x%llX", (unsigned long long)v->as.n.lo);
    else
        dfr_value_print(&b, v);
    if (v->state == DFR_KNOWN && v->kind == DFR_KIND_INT && *info->unit)
        dfr_buf_printf(&b, " %s", info->unit);
    put_pages(&b, v, info->unit);
    if (v->trust == DFR_TRUST_PROSE && v->state == DFR_KNOWN)
        dfr_buf_z(&b, " (only people's words say so)");
    dfr_page_where(f, v->place, &tag);
    dfr_page_para(p, DFR_INK_PLAIN, dfr_buf_text(&lead), DFR_INK_PLAIN, dfr_buf_text(&b),
                  dfr_buf_text(&tag), DFR_INK_FAINT);
}

/* Do two paths begin with the same word? */
static bool same_group(const char *a, const char *b)
{
    while (*a == *b && *a && *a != '.')
        a++, b++;
    return *a == *b || (!*a && *b == '.') || (*a == '.' && !*b);
}

static void put_scalars(struct dfr_page *p, const struct dfr_facts *f)
{
    const char *last = NULL;
    for (uint32_t i = 0; i < DFR_F_COUNT; i++) {
        const char *path = dfr_field_info(i)->path;
        if (dfr_field_info(i)->cls != DFR_FIELD_SCALAR ||
            dfr_facts_scalar(f, i)->state == DFR_UNKNOWN)
            continue;
        if (!last)
            dfr_page_heading(p, "Known");
        else if (!same_group(last, path))
            dfr_page_gap(p);
        last = path;
        put_known(p, f, i);
    }
    if (!last)
        dfr_page_text(p, DFR_INK_PLAIN, 0, DFR_STR("Nothing is known of this crash."));
}

/* The unknown ones, together by reason. */
static void put_unknown(struct dfr_page *p, const struct dfr_facts *f)
{
    bool any = false;
    for (uint32_t reason = 0; reason < DFR_REASON_COUNT; reason++) {
        struct dfr_buf b;
        dfr_buf_init(&b, p->out->arena);
        for (uint32_t i = 0; i < DFR_F_COUNT; i++) {
            if (dfr_field_info(i)->cls != DFR_FIELD_SCALAR ||
                dfr_facts_scalar(f, i)->state != DFR_UNKNOWN ||
                dfr_facts_scalar(f, i)->reason != reason)
                continue;
            if (!b.len) {
                const char *text = dfr_reason_text((enum dfr_reason)reason);
                dfr_buf_z(&b, *text ? text : "no reason given");
                dfr_buf_z(&b, ": ");
            } else {
                dfr_buf_z(&b, ", ");
            }
            dfr_buf_z(&b, dfr_field_info(i)->path);
        }
        if (!b.len)
            continue;
        if (!any)
            dfr_page_heading(p, "Not known");
        any = true;
        dfr_page_text(p, DFR_INK_FAINT, 2, dfr_buf_text(&b));
    }
}

static void put_cell(struct dfr_buf *b, const struct dfr_value *v)
{
    struct dfr_buf text;
    dfr_buf_init(&text, b->arena);
    dfr_value_print(&text, v);
    struct dfr_str s = dfr_buf_text(&text);
    bool quote = v->kind == DFR_KIND_STR && dfr_str_find(s, DFR_STR(" ")) != SIZE_MAX;
    if (quote)
        dfr_buf_char(b, '"');
    size_t cut = s.len < CELL_MOST ? s.len : CELL_MOST;
    while (cut < s.len && cut > 0 && ((unsigned char)s.p[cut] & 0xC0) == 0x80)
        cut--; /* not inside a character */
    for (size_t i = 0; i < cut; i++)
        dfr_buf_char(b, s.p[i] == '\n' ? ' ' : s.p[i]);
    if (cut < s.len)
        dfr_buf_z(b, "...");
    if (quote)
        dfr_buf_char(b, '"');
}

/* Where drivers stand as a rule. */
static bool in_system_folder(const struct dfr_value *v)
{
    static const struct dfr_str folders[] = {{"\\SystemRoot\\system32\\drivers\\", 29},
                                             {"\\SystemRoot\\system32\\", 21}};
    struct dfr_str s = v->state == DFR_KNOWN ? dfr_value_str(v) : (struct dfr_str){0};
    for (size_t i = 0; i < 2; i++) {
        if (dfr_str_starts_ci(s, folders[i]) &&
            !memchr(s.p + folders[i].len, '\\', s.len - folders[i].len))
            return true;
    }
    return false;
}

/* What goes without saying: a frame's module, function and offset are in its symbol, and most
 * things are not so. */
static bool repeated(const struct dfr_facts *f, uint32_t field, uint32_t row)
{
    const struct dfr_value *v = dfr_facts_at(f, field, row);
    if (field == DFR_F_MODULES_END || field == DFR_F_UNLOADED_END)
        return dfr_facts_at(f, field + 1, row)->state == DFR_KNOWN; /* base and size tell it */
    if (field == DFR_F_MODULES_IMAGE && v->state == DFR_KNOWN) {
        const struct dfr_value *name = dfr_facts_at(f, DFR_F_MODULES_NAME, row);
        return name->state == DFR_KNOWN && dfr_str_ends_ci(dfr_value_str(v), DFR_STR(".sys")) &&
               dfr_str_eq(dfr_module_stem(dfr_value_str(v)), dfr_value_str(name));
    }
    if (field == DFR_F_MODULES_PATH)
        return in_system_folder(v) && dfr_facts_at(f, DFR_F_MODULES_IMAGE, row)->state == DFR_KNOWN;
    if (field == DFR_F_MODULES_TIMESTAMP &&
        dfr_facts_at(f, DFR_F_MODULES_BUILT, row)->state == DFR_KNOWN)
        return true;
    if (v->state == DFR_KNOWN &&
        ((v->kind == DFR_KIND_BOOL && !v->as.b) || (v->kind == DFR_KIND_STR && !v->as.s.len)))
        return true;
    if (field == DFR_F_STACK_METHOD && v->state == DFR_KNOWN)
        return v->as.e.value == DFR_METHOD_LISTED;
    if (field == DFR_F_STACK_TRUST && v->state == DFR_KNOWN)
        return v->as.e.value == (f->text.len ? DFR_TRUST_DEBUGGER : DFR_TRUST_BINARY);
    if (field == DFR_F_MODULES_SYMBOLS && v->state == DFR_KNOWN)
        return v->as.e.value == DFR_SYMBOLS_NONE;
    if (field == DFR_F_CPUS_NEXT_THREAD && v->state == DFR_KNOWN)
        return !v->as.u;
    if (field == DFR_F_CPUS_IPI_FROZEN)
        return dfr_facts_at(f, DFR_F_CPUS_STATE, row)->state == DFR_KNOWN;
    if (field == DFR_F_STACK_MODULE || field == DFR_F_STACK_FUNC || field == DFR_F_STACK_OFFSET)
        return dfr_facts_at(f, DFR_F_STACK_SYM, row)->state == DFR_KNOWN;
    if (field == DFR_F_OTHER_STACKS_MODULE || field == DFR_F_OTHER_STACKS_FUNC)
        return dfr_facts_at(f, DFR_F_OTHER_STACKS_SYM, row)->state == DFR_KNOWN;
    return false;
}

static void put_row(struct dfr_page *p, const struct dfr_facts *f, const struct dfr_table_info *t,
                    uint32_t row)
{
    struct dfr_buf b, lead, tag;
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_init(&lead, p->out->arena);
    dfr_buf_init(&tag, p->out->arena);
    uint32_t place = 0;
    for (uint32_t c = 0; c < t->columns; c++) {
        uint32_t field = t->first_column + c;
        const struct dfr_value *v = dfr_facts_at(f, field, row);
        if (!place)
            place = v->place;
        bool tells = v->state == DFR_KNOWN ||
                     (p->verbose && (v->state == DFR_ABSENT || v->reason > DFR_REASON_NOT_SHOWN));
        bool number = !c && v->kind == DFR_KIND_INT && v->as.n.lo == row;
        if (!tells || number || (!p->verbose && repeated(f, field, row)))
            continue;
        if (b.len)
            dfr_buf_z(&b, ", ");
        bool flag = v->kind == DFR_KIND_BOOL && v->state == DFR_KNOWN && v->as.b;
        if (c)
            dfr_buf_printf(&b, flag ? "%s" : "%s ", dfr_field_info(field)->name);
        if (!c || !flag)
            put_cell(&b, v);
    }
    dfr_buf_printf(&lead, "  %3u  ", row);
    dfr_page_where(f, place, &tag);
    dfr_page_para(p, DFR_INK_PLAIN, dfr_buf_text(&lead), DFR_INK_FAINT, dfr_buf_text(&b),
                  p->verbose ? dfr_buf_text(&tag) : none, DFR_INK_FAINT);
}

static void put_table(struct dfr_page *p, const struct dfr_facts *f, uint32_t table, bool all)
{
    const struct dfr_table_info *t = dfr_table_info(table);
    const struct dfr_field_info *info = dfr_field_info(t->field);
    const struct dfr_rows *rows = &f->tables[table];
    if (!rows->n && !rows->complete && !rows->place)
        return;
    struct dfr_buf b;
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_printf(&b, "%s: %u %s, ", info->path, rows->n, rows->n == 1 ? "row" : "rows");
    if (rows->complete) {
        dfr_buf_z(&b, "complete");
    } else {
        const char *why = dfr_reason_text((enum dfr_reason)rows->reason);
        dfr_buf_z(&b, "may have more");
        if (*why)
            dfr_buf_printf(&b, " (%s)", why);
    }
    dfr_page_gap(p);
    dfr_page_text(p, DFR_INK_HEADING, 0, dfr_buf_text(&b));
    uint32_t most = table == DFR_T_STACK ? FRAMES_SHOWN : ROWS_SHOWN;
    /* One line more than is shown would say no less than that it is left out. */
    uint32_t shown = all || rows->n <= most + 1 ? rows->n : most;
    for (uint32_t i = 0; i < shown; i++)
        put_row(p, f, t, i);
    if (shown == rows->n)
        return;
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_printf(&b, "and %u more: --all shows them", rows->n - shown);
    dfr_page_text(p, DFR_INK_FAINT, 7, dfr_buf_text(&b));
}

/* Tables that nothing in the input shows. */
static void put_untouched(struct dfr_page *p, const struct dfr_facts *f)
{
    struct dfr_buf b;
    dfr_buf_init(&b, p->out->arena);
    for (uint32_t i = 0; i < DFR_T_COUNT; i++) {
        const struct dfr_rows *rows = &f->tables[i];
        if (rows->n || rows->complete || rows->place)
            continue;
        dfr_buf_z(&b, b.len ? ", " : "not shown at all: ");
        dfr_buf_z(&b, dfr_field_info(dfr_table_info(i)->field)->path);
    }
    if (!b.len)
        return;
    dfr_page_heading(p, "Other tables");
    dfr_page_text(p, DFR_INK_FAINT, 2, dfr_buf_text(&b));
}

void dfr_report_facts_text(const struct dfr_facts *f, const struct dfr_report_input *input,
                           const struct dfr_report_style *s, struct dfr_buf *out)
{
    struct dfr_page p;
    dfr_page_init(&p, s, out);
    dfr_text_crash(&p, f, input);
    put_scalars(&p, f);
    put_unknown(&p, f);
    for (uint32_t i = 0; i < DFR_T_COUNT; i++)
        put_table(&p, f, i, s && s->all);
    put_untouched(&p, f);
}
