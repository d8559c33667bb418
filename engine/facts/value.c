/* Values: makers, sameness, printing, module names, civil time. */
#include "facts/value.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "facts/schema.h"

const char *dfr_reason_text(enum dfr_reason r)
{
    static const char *const texts[] = {
#define REASON(id, text) text,
#include "facts/reason.def"
#undef REASON
    };
    return r < DFR_REASON_COUNT ? texts[r] : "";
}

static struct dfr_value known(enum dfr_kind kind)
{
    return (struct dfr_value){
        .kind = (uint8_t)kind, .state = DFR_KNOWN, .trust = DFR_TRUST_DEBUGGER};
}

struct dfr_value dfr_v_bool(bool b)
{
    struct dfr_value v = known(DFR_KIND_BOOL);
    v.as.b = b;
    return v;
}

struct dfr_value dfr_v_int(int64_t i)
{
    struct dfr_value v = known(DFR_KIND_INT);
    v.as.n.lo = v.as.n.hi = i;
    return v;
}

struct dfr_value dfr_v_addr(uint64_t u)
{
    struct dfr_value v = known(DFR_KIND_ADDR);
    v.as.u = u;
    return v;
}

struct dfr_value dfr_v_str(struct dfr_str s)
{
    struct dfr_value v = known(DFR_KIND_STR);
    v.as.s.p = s.p;
    v.as.s.len = s.len;
    return v;
}

struct dfr_value dfr_v_time(int64_t lo, int64_t hi)
{
    struct dfr_value v = known(DFR_KIND_TIME);
    v.as.n.lo = lo;
    v.as.n.hi = hi;
    return v;
}

struct dfr_value dfr_v_dur_ms(int64_t ms)
{
    struct dfr_value v = known(DFR_KIND_DUR);
    v.as.n.lo = v.as.n.hi = ms;
    return v;
}

struct dfr_value dfr_v_ver(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    struct dfr_value v = known(DFR_KIND_VER);
    v.as.ver[0] = a;
    v.as.ver[1] = b;
    v.as.ver[2] = c;
    v.as.ver[3] = d;
    return v;
}

struct dfr_value dfr_v_enum(uint32_t type, uint32_t value)
{
    struct dfr_value v = known(DFR_KIND_ENUM);
    v.as.e.type = type;
    v.as.e.value = value;
    return v;
}

struct dfr_value dfr_v_unknown(enum dfr_kind kind, enum dfr_reason why)
{
    struct dfr_value v = known(kind);
    v.state = DFR_UNKNOWN;
    v.reason = (uint8_t)why;
    return v;
}

struct dfr_value dfr_v_absent(enum dfr_kind kind, enum dfr_reason why)
{
    struct dfr_value v = dfr_v_unknown(kind, why);
    v.state = DFR_ABSENT;
    return v;
}

static struct dfr_str module_str(const struct dfr_value *v)
{
    return (struct dfr_str){v->as.module.p, v->as.module.len};
}

bool dfr_value_same(const struct dfr_value *a, const struct dfr_value *b)
{
    if (a->kind != b->kind || a->state != b->state)
        return false;
    if (a->state != DFR_KNOWN)
        return true;
    switch ((enum dfr_kind)a->kind) {
    case DFR_KIND_NONE:
        return true;
    case DFR_KIND_BOOL:
        return a->as.b == b->as.b;
    case DFR_KIND_INT:
    case DFR_KIND_TIME:
    case DFR_KIND_DUR:
        return a->as.n.lo == b->as.n.lo && a->as.n.hi == b->as.n.hi;
    case DFR_KIND_ADDR:
        return a->as.u == b->as.u;
    case DFR_KIND_STR:
    case DFR_KIND_BYTES:
        return dfr_str_eq(dfr_value_str(a), dfr_value_str(b));
    case DFR_KIND_SYM: {
        const struct dfr_sym *x = a->as.sym, *y = b->as.sym;
        return dfr_module_same(x->module, y->module) && dfr_str_eq(x->func, y->func) &&
               x->has_offset == y->has_offset && (!x->has_offset || x->offset == y->offset);
    }
    case DFR_KIND_MODULE:
        if (a->as.module.row && b->as.module.row)
            return a->as.module.row == b->as.module.row;
        return dfr_module_same(module_str(a), module_str(b));
    case DFR_KIND_VER:
        return memcmp(a->as.ver, b->as.ver, sizeof a->as.ver) == 0;
    case DFR_KIND_ENUM:
        return a->as.e.type == b->as.e.type && a->as.e.value == b->as.e.value;
    case DFR_KIND_ROW:
        return a->as.row.table == b->as.row.table && a->as.row.index == b->as.row.index;
    case DFR_KIND_LIST:
        return a->as.list.table == b->as.list.table && a->as.list.first == b->as.list.first &&
               a->as.list.count == b->as.list.count;
    }
    return false;
}

enum { EXTENSION = 4 }; /* bytes of each extension */

static const struct dfr_str *extensions(size_t *ret_n)
{
    static const struct dfr_str list[] = {
        {".sys", EXTENSION}, {".exe", EXTENSION}, {".dll", EXTENSION}};
    *ret_n = sizeof list / sizeof *list;
    return list;
}

static struct dfr_str without_path(struct dfr_str s)
{
    size_t start = s.len;
    while (start > 0 && s.p[start - 1] != '\\' && s.p[start - 1] != '/')
        start--;
    return dfr_str_slice(s, start, s.len);
}

struct dfr_str dfr_module_stem(struct dfr_str spelled)
{
    struct dfr_str s = without_path(dfr_str_trim(spelled));
    size_t n;
    const struct dfr_str *ext = extensions(&n);
    if (s.len <= EXTENSION || s.p[s.len - EXTENSION] != '.')
        return s;
    for (size_t i = 0; i < n; i++)
        if (s.len > ext[i].len && dfr_str_ends_ci(s, ext[i]))
            return dfr_str_slice(s, 0, s.len - ext[i].len);
    return s;
}

/* File names that the kernel image has had: uniprocessor, multiprocessor, each with and without PAE,
 * with five-level paging; and what a debugger calls it when the symbols do not match. Documented
 * (debugger documentation, "Module syntax"; boot configuration). */
static const char *const kernel_names[] = {
    "nt",
    "ntoskrnl",
    "ntkrnlmp",
    "ntkrnlpa",
    "ntkrpamp",
    "ntkrla57",
    "ntoskrnl.wrong.symbols",
    "ntkrnlmp.wrong.symbols",
    "ntkrnlpa.wrong.symbols",
    "ntkrpamp.wrong.symbols",
    "ntkrla57.wrong.symbols",
    "nt.wrong.symbols",
    "nt_wrong_symbols",
};

static bool is_kernel_stem(struct dfr_str stem)
{
    if (stem.len < 2 || (stem.p[0] | 0x20) != 'n' || (stem.p[1] | 0x20) != 't')
        return false;
    for (size_t i = 0; i < sizeof kernel_names / sizeof *kernel_names; i++)
        if (dfr_str_eq_ci(stem, dfr_str_from(kernel_names[i])))
            return true;
    return false;
}

bool dfr_module_is_kernel(struct dfr_str spelled)
{
    return is_kernel_stem(dfr_module_stem(spelled));
}

bool dfr_module_same(struct dfr_str a, struct dfr_str b)
{
    a = dfr_module_stem(a);
    b = dfr_module_stem(b);
    return dfr_str_eq_ci(a, b) || (is_kernel_stem(a) && is_kernel_stem(b));
}

bool dfr_module_same_cut(struct dfr_str spelled, struct dfr_str cut)
{
    if (dfr_module_same(spelled, cut))
        return true;
    cut = without_path(dfr_str_trim(cut));
    if (cut.len < DFR_MODULE_CUT)
        return false;
    spelled = without_path(dfr_str_trim(spelled));
    if (dfr_str_starts_ci(spelled, cut))
        return true;
    /* `spelled` may lack the extension of which `cut` still holds a part. */
    if (!dfr_str_starts_ci(cut, spelled))
        return false;
    size_t n;
    const struct dfr_str *ext = extensions(&n);
    struct dfr_str rest = dfr_str_slice(cut, spelled.len, cut.len);
    for (size_t i = 0; i < n; i++)
        if (dfr_str_starts_ci(ext[i], rest))
            return true;
    return false;
}

static void print_time(struct dfr_buf *b, int64_t lo, int64_t hi)
{
    int64_t half = hi / 2 - lo / 2, at = lo + half;
    int y, mo, d, h, mi, s;
    dfr_time_to_civil(at, &y, &mo, &d, &h, &mi, &s);
    dfr_buf_printf(b, "%04d-%02d-%02d %02d:%02d:%02d UTC", y, mo, d, h, mi, s);
    if (half >= 3600)
        dfr_buf_printf(b, " \xC2\xB1%" PRId64 " h", half / 3600);
    else if (half > 0)
        dfr_buf_printf(b, " \xC2\xB1%" PRId64 " s", half);
}

static void print_duration(struct dfr_buf *b, int64_t ms)
{
    if (ms < 0)
        dfr_buf_char(b, '-');
    uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    static const struct {
        uint64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}};
    bool any = false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        uint64_t n = left / units[i].ms;
        left %= units[i].ms;
        if (n)
            dfr_buf_printf(b, "%s%" PRIu64 " %s", any ? " " : "", n, units[i].unit);
        any = any || n;
    }
    if (left % 1000)
        dfr_buf_printf(b, "%s%" PRIu64 ".%03" PRIu64 " s", any ? " " : "", left / 1000,
                       left % 1000);
    else if (left || !any)
        dfr_buf_printf(b, "%s%" PRIu64 " s", any ? " " : "", left / 1000);
}

static void print_address(struct dfr_buf *b, uint64_t u)
{
    if (u > UINT32_MAX)
        dfr_buf_printf(b, "%016" PRIx64, u);
    else
        dfr_buf_printf(b, "0x%" PRIX64, u);
}

static void print_symbol(struct dfr_buf *b, const struct dfr_sym *s)
{
    if (!s->module.len && !s->func.len) {
        print_address(b, s->offset);
        return;
    }
    dfr_buf_safe(b, s->module);
    if (s->func.len) {
        if (s->module.len)
            dfr_buf_char(b, '!');
        dfr_buf_safe(b, s->func);
    }
    if (s->has_offset && (s->offset || !s->func.len))
        dfr_buf_printf(b, "+0x%" PRIx64, s->offset);
}

static void print_known(struct dfr_buf *b, const struct dfr_value *v)
{
    switch ((enum dfr_kind)v->kind) {
    case DFR_KIND_NONE:
        break;
    case DFR_KIND_BOOL:
        dfr_buf_z(b, v->as.b ? "true" : "false");
        break;
    case DFR_KIND_INT:
        dfr_buf_printf(b, "%" PRId64, v->as.n.lo);
        if (v->as.n.hi == INT64_MAX && v->as.n.lo != INT64_MAX)
            dfr_buf_z(b, " or more");
        else if (v->as.n.hi != v->as.n.lo)
            dfr_buf_printf(b, " to %" PRId64, v->as.n.hi);
        break;
    case DFR_KIND_ADDR:
        print_address(b, v->as.u);
        break;
    case DFR_KIND_STR:
        dfr_buf_safe(b, dfr_value_str(v));
        break;
    case DFR_KIND_SYM:
        print_symbol(b, v->as.sym);
        break;
    case DFR_KIND_MODULE:
        dfr_buf_safe(b, module_str(v));
        break;
    case DFR_KIND_BYTES:
        for (size_t i = 0; i < v->as.s.len; i++)
            dfr_buf_printf(b, "%s%02x", i ? " " : "", (unsigned)(uint8_t)v->as.s.p[i]);
        break;
    case DFR_KIND_TIME:
        print_time(b, v->as.n.lo, v->as.n.hi);
        break;
    case DFR_KIND_DUR:
        print_duration(b, v->as.n.lo);
        if (v->as.n.hi != v->as.n.lo) {
            dfr_buf_z(b, " to ");
            print_duration(b, v->as.n.hi);
        }
        break;
    case DFR_KIND_VER:
        dfr_buf_printf(b, "%" PRIu32 ".%" PRIu32 ".%" PRIu32 ".%" PRIu32, v->as.ver[0],
                       v->as.ver[1], v->as.ver[2], v->as.ver[3]);
        break;
    case DFR_KIND_ENUM:
        dfr_buf_z(b, dfr_enum_word(v->as.e.type, v->as.e.value));
        break;
    case DFR_KIND_ROW:
        dfr_buf_printf(b, "%s[%" PRIu32 "]",
                       v->as.row.table < DFR_T_COUNT
                           ? dfr_field_info(dfr_table_info(v->as.row.table)->field)->path
                           : "row",
                       v->as.row.index);
        break;
    case DFR_KIND_LIST:
        dfr_buf_printf(b, "%" PRIu32 " rows of %s from %" PRIu32, v->as.list.count,
                       v->as.list.table < DFR_T_COUNT
                           ? dfr_field_info(dfr_table_info(v->as.list.table)->field)->path
                           : "a list",
                       v->as.list.first);
        break;
    }
}

void dfr_value_print(struct dfr_buf *b, const struct dfr_value *v)
{
    if (v->state == DFR_KNOWN) {
        print_known(b, v);
        return;
    }
    dfr_buf_z(b, v->state == DFR_ABSENT ? "absent" : "unknown");
    if (v->reason != DFR_REASON_NONE)
        dfr_buf_printf(b, " (%s)", dfr_reason_text((enum dfr_reason)v->reason));
}

/* Days since 1970-01-01 with the year counted from March, so that the leap day comes last: 400 years
 * are 146097 days, and 153 days make five months of 31, 30, 31, 30, 31. */
enum { DAYS_400Y = 146097, DAYS_TO_1970 = 719468 };

int64_t dfr_time_from_civil(int year, int month, int day, int hour, int minute, int second)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = of_era * 365 + of_era / 4 - of_era / 100 + of_year + era * DAYS_400Y;
    return ((days - DAYS_TO_1970) * 24 + hour) * 3600 + (int64_t)minute * 60 + second;
}

void dfr_time_to_civil(int64_t t, int *year, int *month, int *day, int *hour, int *minute,
                       int *second)
{
    int64_t days = t / 86400, rest = t % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    days += DAYS_TO_1970;
    int64_t era = (days >= 0 ? days : days - (DAYS_400Y - 1)) / DAYS_400Y;
    int64_t of_era = days - era * DAYS_400Y;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    y += era * 400 + (m >= 10);
    *year = y > INT32_MAX ? INT32_MAX : y < INT32_MIN ? INT32_MIN : (int)y;
    *month = (int)(m + (m < 10 ? 3 : -9));
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *hour = (int)(rest / 3600);
    *minute = (int)(rest % 3600 / 60);
    *second = (int)(rest % 60);
}
