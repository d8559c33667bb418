/* Labels: a tab separated table, read by the names of its columns. */
#include "measure/measure.h"

#include <string.h>

#define MECHANISM(word, cause) {word, cause},
static const struct {
    const char *word, *cause;
} mechanisms[] = {
#include "measure/mechanism.def"
};
#undef MECHANISM

enum column { FILE_, CODE, CULPRIT, ALSO_OK, WRONG, DECIDABLE, MECHANISM_, STRENGTH, NOTE, SOURCE };
static const char *const columns[] = {"file",  "bugcheck",  "culprit",   "also_ok",
                                      "wrong", "decidable", "mechanism", "label_strength",
                                      "note",  "source"};
enum { COLUMNS = sizeof columns / sizeof columns[0], CELLS_MOST = 64 };

struct reader {
    struct dfr_labels *labels;
    struct dfr_arena *arena;
    uint32_t line;
    uint32_t of[CELLS_MOST]; /* enum column of each cell; COLUMNS: not ours */
    uint32_t cells;
    struct dfr_err *err;
};

static enum dfr_status wrong(const struct reader *r, const char *what, struct dfr_str which)
{
    struct dfr_str path = r->labels->path;
    return dfr_fail(r->err, DFR_MISUSE, "%.*s:%u: %s%s%.*s", (int)path.len, path.p, r->line, what,
                    which.len ? ": " : "", (int)which.len, which.p ? which.p : "");
}

static uint32_t split(struct dfr_str line, struct dfr_str *cells)
{
    uint32_t n = 0;
    for (size_t i = 0; n < CELLS_MOST;) {
        size_t end = i;
        while (end < line.len && line.p[end] != '\t')
            end++;
        cells[n++] = dfr_str_trim(dfr_str_slice(line, i, end));
        if (end == line.len)
            break;
        i = end + 1;
    }
    return n;
}

static enum dfr_status read_header(struct reader *r, const struct dfr_str *cells, uint32_t n)
{
    bool have[COLUMNS] = {false};
    for (uint32_t i = 0; i < n; i++) {
        r->of[i] = COLUMNS;
        for (uint32_t k = 0; k < COLUMNS; k++)
            if (dfr_str_eq(cells[i], dfr_str_from(columns[k]))) {
                r->of[i] = k;
                have[k] = true;
            }
    }
    r->cells = n;
    if (!have[FILE_] || !have[CULPRIT])
        return wrong(r,
                     "labels begin with the names of their columns, `file` and `culprit` among "
                     "them, parted by tabs",
                     DFR_STR(""));
    return DFR_OK;
}

/* What a file belongs to when no column says so: its folder, else its name up to a dash. */
static struct dfr_str source_of(struct dfr_str file)
{
    size_t slash = dfr_str_find(file, DFR_STR("/")), dash = dfr_str_find(file, DFR_STR("-"));
    if (slash != SIZE_MAX)
        return dfr_str_slice(file, 0, slash);
    return dash == SIZE_MAX ? DFR_STR("files") : dfr_str_slice(file, 0, dash);
}

static bool hex(struct dfr_str s, int64_t *ret)
{
    uint64_t n = 0;
    if (dfr_str_starts_ci(s, DFR_STR("0x")))
        s = dfr_str_slice(s, 2, s.len);
    if (s.len == 0 || s.len > 8)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = (char)(s.p[i] | 0x20);
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
        n = n << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *ret = (int64_t)n;
    return true;
}

static enum dfr_status read_word(const struct reader *r, enum column column, struct dfr_str s,
                                 struct dfr_label *l)
{
    if (column == CODE)
        return hex(s, &l->code) ? DFR_OK : wrong(r, "this is no bug check code", s);
    if (column == STRENGTH) {
        l->weak = dfr_str_eq(s, DFR_STR("weak"));
        return l->weak || dfr_str_eq(s, DFR_STR("strong"))
                   ? DFR_OK
                   : wrong(r, "`label_strength` is strong or weak, not", s);
    }
    if (dfr_str_eq(s, DFR_STR("partly")))
        l->decidable = DFR_DECIDABLE_PARTLY;
    else if (dfr_str_eq(s, DFR_STR("no")))
        l->decidable = DFR_DECIDABLE_NO;
    else if (!dfr_str_eq(s, DFR_STR("yes")))
        return wrong(r, "`decidable` is yes, partly or no, not", s);
    return DFR_OK;
}

/* A relative path that leads nowhere but below the labels. */
static bool stays_below(struct dfr_str path)
{
    if (path.len == 0 || path.p[0] == '/' || memchr(path.p, '\0', path.len))
        return false;
    for (size_t i = 0; i < path.len;) {
        size_t end = i;
        while (end < path.len && path.p[end] != '/')
            end++;
        if (dfr_str_eq(dfr_str_slice(path, i, end), DFR_STR("..")))
            return false;
        i = end + 1;
    }
    return true;
}

static enum dfr_status read_row(struct reader *r, const struct dfr_str *cells, uint32_t n)
{
    struct dfr_label l = {.code = -1, .line = r->line};
    struct dfr_str *texts[COLUMNS] = {
        [FILE_] = &l.file,   [CULPRIT] = &l.culprit,      [ALSO_OK] = &l.also_ok,
        [WRONG] = &l.wrong,  [MECHANISM_] = &l.mechanism, [NOTE] = &l.note,
        [SOURCE] = &l.source};
    if (n > r->cells)
        return wrong(r, "more cells than columns", DFR_STR(""));
    for (uint32_t i = 0; i < n; i++) {
        struct dfr_str s = cells[i];
        if (r->of[i] == COLUMNS || s.len == 0 || dfr_str_eq(s, DFR_STR("-")))
            continue;
        if (texts[r->of[i]]) {
            *texts[r->of[i]] = dfr_str_dup(r->arena, s);
            continue;
        }
        enum dfr_status status = read_word(r, (enum column)r->of[i], s, &l);
        if (status != DFR_OK)
            return status;
    }
    if (!stays_below(l.file))
        return wrong(r, "a file stands below the folder of its labels", l.file);
    if (!l.culprit.len)
        return wrong(r, "the culprit is missing; write `unknown` where nobody can be named",
                     DFR_STR(""));
    for (uint32_t i = 0; i < r->labels->rows.n; i++)
        if (dfr_str_eq(r->labels->rows.v[i].file, l.file))
            return wrong(r, "this file has a label already", l.file);
    if (!l.source.len)
        l.source = source_of(l.file);
    *DFR_PUSH(r->arena, &r->labels->rows) = l;
    return DFR_OK;
}

enum dfr_status dfr_labels_read(struct dfr_arena *a, struct dfr_str path, struct dfr_str bytes,
                                struct dfr_labels *ret, struct dfr_err *err)
{
    struct reader r = {.labels = ret, .arena = a, .err = err};
    struct dfr_str cells[CELLS_MOST];
    *ret = (struct dfr_labels){.path = dfr_str_dup(a, path)};
    for (size_t i = 0; i < bytes.len;) {
        size_t end = i;
        while (end < bytes.len && bytes.p[end] != '\n')
            end++;
        struct dfr_str line = dfr_str_slice(bytes, i, end);
        i = end + 1;
        r.line++;
        if (line.len && line.p[line.len - 1] == '\r')
            line.len--;
        if (!dfr_str_trim(line).len || line.p[0] == '#')
            continue;
        uint32_t n = split(line, cells);
        enum dfr_status status = r.cells ? read_row(&r, cells, n) : read_header(&r, cells, n);
        if (status != DFR_OK)
            return status;
    }
    if (!ret->rows.n)
        return dfr_fail(err, DFR_MISUSE, "%.*s: there are no labels in it", (int)path.len, path.p);
    return DFR_OK;
}

/* ---- What a label says --------------------------------------------------------------------- */

/* A class of culprit, not a file: those of the causes, and what labels know besides. */
static bool is_class(struct dfr_str s)
{
    static const char *const words[] = {"hypervisor", "deliberate", "unknown", "os.nt"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (dfr_str_eq_ci(s, dfr_str_from(words[i])))
            return true;
    return dfr_str_starts_ci(s, DFR_STR("hw."));
}

static bool same_name(struct dfr_str a, struct dfr_str b)
{
    if (is_class(a) || is_class(b))
        return dfr_str_eq_ci(a, b);
    return dfr_module_same(a, b);
}

bool dfr_label_lists(struct dfr_str list, struct dfr_str name)
{
    for (size_t i = 0; name.len && i < list.len;) {
        size_t end = i;
        while (end < list.len && list.p[end] != ',')
            end++;
        struct dfr_str one = dfr_str_trim(dfr_str_slice(list, i, end));
        if (one.len && same_name(one, name))
            return true;
        i = end + 1;
    }
    return false;
}

bool dfr_label_confirms(const struct dfr_label *l, struct dfr_str name)
{
    return dfr_label_lists(l->culprit, name) || dfr_label_lists(l->also_ok, name);
}

bool dfr_label_is_unknown(const struct dfr_label *l)
{
    return dfr_str_eq_ci(l->culprit, DFR_STR("unknown"));
}

static bool last_parts(struct dfr_str full, struct dfr_str name)
{
    return dfr_str_eq(full, name) ||
           (full.len > name.len && full.p[full.len - name.len - 1] == '.' &&
            memcmp(full.p + full.len - name.len, name.p, name.len) == 0);
}

enum dfr_fit dfr_label_mechanism(const struct dfr_label *l, struct dfr_str cause)
{
    enum dfr_fit ret = DFR_FIT_UNKNOWN;
    for (size_t i = 0; l->mechanism.len && i < sizeof mechanisms / sizeof mechanisms[0]; i++) {
        if (!dfr_str_eq(l->mechanism, dfr_str_from(mechanisms[i].word)))
            continue;
        if (last_parts(cause, dfr_str_from(mechanisms[i].cause)))
            return DFR_FIT_YES;
        ret = DFR_FIT_NO;
    }
    return ret;
}
