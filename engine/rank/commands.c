/* Which command shows a missing fact: the schema's, filled in; or a rule's own.
 * Only numbers, addresses and plain names go into a command: names come from hostile files. */
#include "rank/commands.h"

#include <string.h>

enum { COST_SYMBOLS = 10, COST_DUMP = 30 };

static const struct dfr_field_info *shown_by(uint32_t field)
{
    const struct dfr_field_info *info = dfr_field_info(field);
    if (info->cls == DFR_FIELD_COLUMN)
        info = dfr_field_info(dfr_table_info(info->table)->field);
    return info;
}

/* What a rule asks of memory is spelled by the rule: a symbol, a type with an address and a member. */
static bool of_memory(uint32_t table)
{
    return table == DFR_T_WORDS || table == DFR_T_SYMBOLS || table == DFR_T_FIELDS;
}

static bool plain(struct dfr_str s, uint32_t table)
{
    enum { MOST = 64, MEMORY_MOST = 256 };
    const char *more = of_memory(table) ? "_.-` !$[]" : "_.-`";
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  (c && strchr(more, c));
        if (!ok)
            return false;
    }
    return s.len > 0 && s.len <= (of_memory(table) ? MEMORY_MOST : MOST);
}

/* `{bugcheck.arg2}` in a command of the schema. */
static void fill_fact(const struct dfr_eval *e, struct dfr_str path, struct dfr_buf *out)
{
    uint32_t field = dfr_field_find(path);
    if (field != DFR_F_COUNT && dfr_field_info(field)->cls == DFR_FIELD_SCALAR) {
        const struct dfr_value *v = dfr_facts_scalar(e->facts, field);
        if (v->state == DFR_KNOWN && v->kind == DFR_KIND_ADDR) {
            dfr_buf_printf(out, "%llx", (unsigned long long)v->as.u);
            return;
        }
    }
    dfr_buf_char(out, '<');
    dfr_buf_str(out, path);
    dfr_buf_char(out, '>');
}

static struct dfr_str fill(const struct dfr_eval *e, const struct dfr_field_info *info,
                           struct dfr_str param, struct dfr_arena *a)
{
    struct dfr_str command = dfr_str_from(info->command);
    struct dfr_buf out;
    dfr_buf_init(&out, a);
    for (size_t i = 0; i < command.len; i++) {
        if (command.p[i] != '{') {
            dfr_buf_char(&out, command.p[i]);
            continue;
        }
        size_t end = i;
        while (end < command.len && command.p[end] != '}')
            end++;
        struct dfr_str path = dfr_str_slice(command, i + 1, end);
        if (path.len) {
            fill_fact(e, path, &out);
        } else if (plain(param, info->table)) {
            dfr_buf_str(&out, param);
        } else {
            const struct dfr_table_info *t = dfr_table_info(info->table);
            dfr_buf_printf(&out, "<%s>", dfr_field_info(t->first_column)->name);
        }
        i = end;
    }
    return dfr_buf_text(&out);
}

bool dfr_command_of(const struct dfr_eval *e, uint32_t missing, struct dfr_arena *a,
                    struct dfr_command *ret)
{
    const struct dfr_missing *m = &e->missing.v[missing];
    const struct dfr_field_info *info = shown_by(m->field);
    *ret = (struct dfr_command){.cost = info->cost ? info->cost : 1, .known = true};
    switch (m->reason) {
    case DFR_REASON_OVERFLOW:
    case DFR_REASON_DIVISION:
    case DFR_REASON_BUDGET:
    case DFR_REASON_PATTERN_LIMIT:
    case DFR_REASON_BAD_TYPE:
    case DFR_REASON_BUILD_HASH:
    case DFR_REASON_NOT_APPLICABLE:
    case DFR_REASON_NO_SUCH_ROW:
    case DFR_REASON_NOT_MAPPED:
    case DFR_REASON_NEVER_TOUCHED:
    case DFR_REASON_NO_SUCH_MEMBER:
    case DFR_REASON_NO_WORD:
        return false; /* nothing shows it */
    case DFR_REASON_NO_SYMBOLS:
        if (info->table == DFR_T_SYMBOLS && info->cls == DFR_FIELD_TABLE)
            break; /* a debugger that has the symbols shows it */
        ret->text = DFR_STR(".symfix; .reload /f");
        ret->cost = COST_SYMBOLS;
        return true;
    case DFR_REASON_NOT_CAPTURED:
    case DFR_REASON_NO_PAGE_TABLE:
    case DFR_REASON_PAGED_OUT:
    case DFR_REASON_NOT_IN_DUMP:
    case DFR_REASON_DAMAGED:
        ret->text = DFR_STR("a kernel or complete memory dump of the next crash");
        ret->cost = COST_DUMP;
        ret->known = false;
        return true;
    case DFR_REASON_COMMAND_FAILED:
        ret->cost = ret->cost < COST_SYMBOLS ? (uint32_t)COST_SYMBOLS : ret->cost;
        break;
    default:
        break;
    }
    if (!info->command || !*info->command)
        return false;
    if (info->cls == DFR_FIELD_TABLE && info->table == DFR_T_MODULES &&
        !plain(m->param, info->table))
        ret->text = DFR_STR("lm");
    else
        ret->text = fill(e, info, m->param, a);
    return true;
}

/* --- Does one command show what another does? -------------------------------------------------- */

static struct dfr_str next_part(struct dfr_str *rest)
{
    size_t end = 0;
    while (end < rest->len && rest->p[end] != ';')
        end++;
    struct dfr_str part = dfr_str_trim(dfr_str_slice(*rest, 0, end));
    *rest = dfr_str_slice(*rest, end + 1, rest->len);
    return part;
}

/* `kv 100` does what `kv` does. */
static bool part_covers(struct dfr_str whole, struct dfr_str part)
{
    return dfr_str_eq(whole, part) || (dfr_str_starts(whole, part) && whole.p[part.len] == ' ' &&
                                       dfr_str_find(part, DFR_STR(" ")) == SIZE_MAX);
}

bool dfr_command_covers(struct dfr_str whole, struct dfr_str command)
{
    while (command.len) {
        struct dfr_str part = next_part(&command), rest = whole;
        bool found = false;
        while (rest.len && !found)
            found = part_covers(next_part(&rest), part);
        if (!found)
            return false;
    }
    return true;
}

/* --- In words ----------------------------------------------------------------------------------- */

void dfr_command_shows(const struct dfr_eval *e, uint32_t missing, struct dfr_buf *out)
{
    const struct dfr_missing *m = &e->missing.v[missing];
    const struct dfr_field_info *info = dfr_field_info(m->field);
    bool module = info->cls != DFR_FIELD_SCALAR && info->table == DFR_T_MODULES && m->param.len;
    if (module && info->cls == DFR_FIELD_TABLE) {
        dfr_buf_z(out, "whether ");
        dfr_buf_safe(out, m->param);
        dfr_buf_z(out, " is loaded");
        return;
    }
    if (info->kind == DFR_KIND_BOOL && info->cls == DFR_FIELD_SCALAR)
        dfr_buf_z(out, "whether: ");
    /* The first words say what it is; what stands behind a comma or in parentheses is detail. */
    struct dfr_str words =
        dfr_str_from(info->meaning && *info->meaning ? info->meaning : info->path);
    size_t cut = 0;
    while (cut < words.len && words.p[cut] != ',' && words.p[cut] != ';' && words.p[cut] != '(')
        cut++;
    dfr_buf_str(out, dfr_str_trim(dfr_str_slice(words, 0, cut)));
    if (m->param.len) {
        dfr_buf_z(out, " (");
        dfr_buf_safe(out, m->param);
        dfr_buf_char(out, ')');
    }
}
