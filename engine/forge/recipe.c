/* Recipes are read by a table: recipe.def says which fields a part has, this file how a value of each
 * type is written. */
#include "forge/recipe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/checked.h"
#include "base/limits.h"

enum type { TEXT, INT, REF, FLAG, TIME, SPAN, BYTES, WORD, TEXTS, REFS, REGS, MAP, MAPS };
enum need { MAY, MUST };

#define PART(id, type, what) PART_##id,
#define FIELD(part, name, type, member, param, need, help)
enum part {
#include "forge/recipe.def"
    PARTS,
};
#undef PART
#undef FIELD

/* Words of WORD fields, in the order of their enums. */
enum {
    WORDS_0,
    WORDS_ARCH,
    WORDS_IPI,
    WORDS_SYMBOLS,
    WORDS_SEVERITY,
    WORDS_NOTIFY,
    WORDS_SECTION_KIND,
    WORDS_ERROR
};
static const char *const words[][8] = {
    [WORDS_ARCH] = {"x64", "arm64", "x86", "x86-pae"},
    [WORDS_IPI] = {"unset", "running", "frozen", "thaw", "owner", "target-freeze"},
    [WORDS_SYMBOLS] = {"unset", "none", "export", "pdb", "deferred"},
    [WORDS_SEVERITY] = {"unset", "recoverable", "fatal", "corrected", "informational"},
    [WORDS_NOTIFY] = {"mce", "cmc", "nmi", "pcie", "boot"},
    [WORDS_SECTION_KIND] = {"generic", "x86", "memory", "pcie", "mca"},
    [WORDS_ERROR] = {"unset", "cache", "tlb", "bus", "microarchitecture"},
};

#define PARAM_TEXT(p) 0
#define PARAM_INT(p) 0
#define PARAM_REF(p) 0
#define PARAM_FLAG(p) 0
#define PARAM_TIME(p) 0
#define PARAM_SPAN(p) 0
#define PARAM_BYTES(p) 0
#define PARAM_WORD(p) WORDS_##p
#define PARAM_TEXTS(p) 0
#define PARAM_REFS(p) 0
#define PARAM_REGS(p) 0
#define PARAM_MAP(p) PART_##p
#define PARAM_MAPS(p) PART_##p

#define PART(id, type, what) typedef struct type part_##id;
#define FIELD(part, name, type, member, param, need, help)
#include "forge/recipe.def"
#undef PART
#undef FIELD

struct field {
    const char *name;
    size_t off;
    enum part part;
    enum type type;
    unsigned param;
    enum need need;
};
static const struct field fields[] = {
#define PART(id, type, what)
#define FIELD(part, name, type, member, param, need, help)                                         \
    {name, offsetof(part_##part, member), PART_##part, type, PARAM_##type(param), need},
#include "forge/recipe.def"
#undef PART
#undef FIELD
};
static const struct {
    const char *what;
    size_t size;
} parts[] = {
#define PART(id, type, what) {what, sizeof(struct type)},
#define FIELD(part, name, type, member, param, need, help)
#include "forge/recipe.def"
#undef PART
#undef FIELD
};
enum { FIELDS = sizeof fields / sizeof *fields };

struct reader {
    const struct dfr_yaml_file *file;
    struct dfr_arena *arena;
    dfr_refs all;
};

void dfr_recipe_error(const struct dfr_yaml_file *f, const struct dfr_yaml *node,
                      enum dfr_diag_code code, const char *format, ...)
{
    char message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct dfr_diag *d = dfr_diags_add(f->diags, code, "%s", message);
    /* To find a place the text is walked; of those that are dropped nobody sees it. */
    if (!f->diags->dropped)
        dfr_yaml_place(f, d, node);
}

/* ---- Values -------------------------------------------------------------------------------- */

/* 0x1F, 31, 64K, 8G; apostrophes and underscores may part the digits. */
static bool number(struct dfr_str s, uint64_t *ret)
{
    uint64_t u = 0;
    size_t i = 0;
    unsigned base = 10, digits = 0;
    if (s.len > 2 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x') {
        base = 16;
        i = 2;
    }
    for (; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        unsigned v = c >= '0' && c <= '9'                                   ? c - (unsigned)'0'
                     : base == 16 && (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10u
                                                                            : 99;
        if ((c == '_' || c == '`' || c == '\'') && digits)
            continue;
        if (v == 99)
            break;
        if (!dfr_u64_mul(u, base, &u) || !dfr_u64_add(u, v, &u))
            return false;
        digits++;
    }
    if (i + 1 == s.len && base == 10 && digits) {
        unsigned shift = s.p[i] == 'K' ? 10 : s.p[i] == 'M' ? 20 : s.p[i] == 'G' ? 30 : 0;
        if (!shift || u > UINT64_MAX >> shift)
            return false;
        u <<= shift;
        i++;
    }
    if (!digits || i != s.len)
        return false;
    *ret = u;
    return true;
}

/* name, name+0x10, name-8, 0x1234. The last + or - before a number parts name and offset. */
static bool reference(struct dfr_str s, struct dfr_ref *ret)
{
    if (number(s, &ret->add))
        return true;
    for (size_t i = s.len; i > 1; i--) {
        uint64_t u;
        if ((s.p[i - 1] == '+' || s.p[i - 1] == '-') && number(dfr_str_slice(s, i, s.len), &u)) {
            ret->name = dfr_str_slice(s, 0, i - 1);
            ret->add = s.p[i - 1] == '+' ? u : 0 - u;
            return true;
        }
    }
    ret->name = s;
    return s.len > 0;
}

static bool digits(struct dfr_str s, size_t at, size_t n, int64_t *ret)
{
    int64_t v = 0;
    if (at + n > s.len)
        return false;
    for (size_t i = at; i < at + n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v * 10 + (s.p[i] - '0');
    }
    *ret = v;
    return true;
}

/* 2026-03-14 or 2026-03-14T09:26:53Z, from 1971 to 2105. */
static bool time_of(struct dfr_str s, uint64_t *ret)
{
    int64_t y, m, d, h = 0, min = 0, sec = 0;
    if (!digits(s, 0, 4, &y) || s.len < 10 || s.p[4] != '-' || !digits(s, 5, 2, &m) ||
        s.p[7] != '-' || !digits(s, 8, 2, &d) || m < 1 || m > 12 || d < 1 || d > 31 || y < 1971 ||
        y > 2105)
        return false;
    if (s.len != 10 &&
        (s.len != 20 || (s.p[10] != 'T' && s.p[10] != ' ') || s.p[13] != ':' || s.p[16] != ':' ||
         s.p[19] != 'Z' || !digits(s, 11, 2, &h) || !digits(s, 14, 2, &min) ||
         !digits(s, 17, 2, &sec) || h > 23 || min > 59 || sec > 59))
        return false;
    /* Days since 1970 by the calendar that begins in March. */
    int64_t yy = m <= 2 ? y - 1 : y, era = yy / 400, yoe = yy - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
    *ret = (uint64_t)(((days * 24 + h) * 60 + min) * 60 + sec);
    return true;
}

/* 3h 7min 12s 250ms */
static bool span_of(struct dfr_str s, uint64_t *ret)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"min", 60000}, {"s", 1000}, {"h", 3600000}, {"d", 86400000}};
    uint64_t total = 0;
    size_t i = 0;
    while (i < s.len) {
        if (s.p[i] == ' ') {
            i++;
            continue;
        }
        size_t from = i, k;
        uint64_t u;
        while (i < s.len && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (!number(dfr_str_slice(s, from, i), &u) || u > 1000000000)
            return false;
        for (k = 0; k < sizeof units / sizeof *units; k++)
            if (dfr_str_starts(dfr_str_slice(s, i, s.len), dfr_str_from(units[k].unit)))
                break;
        if (k == sizeof units / sizeof *units)
            return false;
        total += u * units[k].ms;
        i += strlen(units[k].unit);
    }
    *ret = total;
    return s.len > 0;
}

static bool hex(struct dfr_arena *a, struct dfr_str s, struct dfr_str *ret)
{
    char *to = dfr_arena_alloc(a, s.len / 2 + 1);
    size_t n = 0;
    int high = -1;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (c == ' ' || c == '\n')
            continue;
        int v = c >= '0' && c <= '9'                     ? c - '0'
                : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                         : -1;
        if (v < 0)
            return false;
        if (high < 0) {
            high = v;
        } else {
            to[n++] = (char)(high << 4 | v);
            high = -1;
        }
    }
    *ret = (struct dfr_str){to, n};
    return high < 0;
}

/* ---- Parts --------------------------------------------------------------------------------- */

static void part(struct reader *r, const struct dfr_yaml *y, enum part which, void *ret);

static bool wrong(struct reader *r, const struct dfr_yaml *y, const char *field, const char *want)
{
    dfr_recipe_error(r->file, y, DFR_D_RECIPE_VALUE, "`%s` is %s", field, want);
    return false;
}

static bool scalar(struct reader *r, const struct dfr_yaml *y, const struct field *f, void *to)
{
    static const char *const wants[] = {
        [TEXT] = "a text",
        [INT] = "a number such as 31, 0x1F or 64K",
        [REF] = "a number, or a name with an offset such as irp, fault+0x10 or nt!KeBugCheckEx",
        [FLAG] = "true or false",
        [TIME] = "a time such as 2026-03-14T09:26:53Z",
        [SPAN] = "a time span such as 3h 7min 12s",
        [BYTES] = "bytes in hex",
    };
    bool good = y->kind == DFR_YAML_SCALAR;
    struct dfr_ref ref = {.node = y};
    uint64_t u = 0;
    struct dfr_str s = y->text;
    switch (good ? f->type : MAPS) {
    case TEXT:
        *(struct dfr_str *)to = s;
        return true;
    case INT:
    case TIME:
    case SPAN:
        good = f->type == INT ? number(s, &u) : f->type == TIME ? time_of(s, &u) : span_of(s, &u);
        if (good)
            *(uint64_t *)to = u;
        break;
    case REF:
        if ((good = reference(s, &ref)))
            *DFR_PUSH(r->arena, &r->all) = *(struct dfr_ref *)to = ref;
        break;
    case FLAG:
        good = dfr_str_eq(s, DFR_STR("true")) || dfr_str_eq(s, DFR_STR("false"));
        if (good)
            *(bool *)to = s.p[0] == 't';
        break;
    case BYTES:
        good = hex(r->arena, s, to);
        break;
    default:
        good = false;
    }
    return good || wrong(r, y, f->name, wants[f->type]);
}

static void word(struct reader *r, const struct dfr_yaml *y, const struct field *f, uint32_t *to)
{
    struct dfr_buf b;
    dfr_buf_init(&b, r->arena);
    dfr_buf_z(&b, "one of");
    for (uint32_t i = 0; i < 8 && words[f->param][i]; i++) {
        if (y->kind == DFR_YAML_SCALAR && dfr_str_eq(y->text, dfr_str_from(words[f->param][i]))) {
            *to = i;
            return;
        }
        if (strcmp(words[f->param][i], "unset") != 0)
            dfr_buf_printf(&b, " %s", words[f->param][i]);
    }
    dfr_buf_char(&b, '\0');
    (void)wrong(r, y, f->name, b.p);
}

static void list(struct reader *r, const struct dfr_yaml *y, const struct field *f, void *to)
{
    if (y->kind != DFR_YAML_LIST) {
        (void)wrong(r, y, f->name, "a list");
        return;
    }
    if (f->type == MAPS) {
        /* All vectors look alike: the items, their number, the room. */
        DFR_VEC(uint8_t) *v = to;
        size_t size = parts[f->param].size;
        v->v = dfr_arena_array(r->arena, y->n, size);
        v->n = v->cap = y->n;
        for (uint32_t i = 0; i < y->n; i++)
            part(r, y->items[i], (enum part)f->param, v->v + i * size);
        return;
    }
    struct field item = *f;
    item.type = f->type == REFS ? REF : TEXT;
    for (uint32_t i = 0; i < y->n; i++)
        (void)scalar(r, y->items[i], &item,
                     f->type == REFS ? (void *)DFR_PUSH(r->arena, (dfr_refs *)to)
                                     : (void *)DFR_PUSH(r->arena, (dfr_texts *)to));
}

static void regs(struct reader *r, const struct dfr_yaml *y, const struct field *f, dfr_regs *to)
{
    struct field item = *f;
    item.type = REF;
    if (y->kind != DFR_YAML_MAP) {
        (void)wrong(r, y, f->name, "a map of registers such as {rax: 0x10, rcx: irp}");
        return;
    }
    for (uint32_t i = 0; i < y->n; i++) {
        struct dfr_reg *reg = DFR_PUSH(r->arena, to);
        reg->name = y->keys[i]->text;
        (void)scalar(r, y->items[i], &item, &reg->value);
    }
}

static void value(struct reader *r, const struct dfr_yaml *y, const struct field *f, void *to)
{
    switch (f->type) {
    case WORD:
        word(r, y, f, to);
        break;
    case TEXTS:
    case REFS:
    case MAPS:
        list(r, y, f, to);
        break;
    case REGS:
        regs(r, y, f, to);
        break;
    case MAP:
        part(r, y, (enum part)f->param, to);
        break;
    case TEXT:
    case INT:
    case REF:
    case FLAG:
    case TIME:
    case SPAN:
    case BYTES:
        (void)scalar(r, y, f, to);
    }
}

static const char *article(enum part which)
{
    return strchr("aeiou", parts[which].what[0]) ? "an" : "a";
}

static const struct field *find(enum part which, struct dfr_str name)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].part == which && dfr_str_eq(name, dfr_str_from(fields[i].name)))
            return &fields[i];
    return NULL;
}

static void unknown(struct reader *r, const struct dfr_yaml *key, enum part which)
{
    unsigned best = 4;
    const char *near = NULL;
    for (size_t i = 0; i < FIELDS; i++) {
        unsigned d = fields[i].part == which
                         ? dfr_str_distance(key->text, dfr_str_from(fields[i].name), 3)
                         : 4;
        if (d < best) {
            best = d;
            near = fields[i].name;
        }
    }
    struct dfr_diag *d =
        dfr_diags_add(r->file->diags, DFR_D_RECIPE_FIELD, "%s %s has no field `%.*s`",
                      article(which), parts[which].what, (int)key->text.len, key->text.p);
    dfr_yaml_place(r->file, d, key);
    if (near) {
        struct dfr_buf b;
        dfr_buf_init(&b, r->arena);
        dfr_buf_printf(&b, "did you mean `%s`?", near);
        d->suggest = dfr_buf_text(&b);
    }
}

/* A part of the recipe. A scalar stands for a part with its first field alone. */
static void part(struct reader *r, const struct dfr_yaml *y, enum part which, void *ret)
{
    uint8_t *to = ret;
    memcpy(to, &y, sizeof y);
    if (y->kind == DFR_YAML_SCALAR) {
        size_t i = 0;
        while (fields[i].part != which)
            i++;
        value(r, y, &fields[i], to + fields[i].off);
        return;
    }
    if (y->kind != DFR_YAML_MAP) {
        dfr_recipe_error(r->file, y, DFR_D_RECIPE_VALUE, "%s %s is a map of fields", article(which),
                         parts[which].what);
        return;
    }
    for (uint32_t i = 0; i < y->n; i++) {
        const struct field *f = find(which, y->keys[i]->text);
        bool twice = false;
        for (uint32_t k = 0; k < i && !twice; k++)
            twice = dfr_str_eq(y->keys[i]->text, y->keys[k]->text);
        if (twice)
            dfr_recipe_error(r->file, y->keys[i], DFR_D_RECIPE_FIELD, "`%.*s` stands twice",
                             (int)y->keys[i]->text.len, y->keys[i]->text.p);
        else if (f)
            value(r, y->items[i], f, to + f->off);
        else
            unknown(r, y->keys[i], which);
    }
    for (size_t k = 0; k < FIELDS; k++) {
        bool there = fields[k].part != which || fields[k].need == MAY;
        for (uint32_t i = 0; i < y->n && !there; i++)
            there = dfr_str_eq(y->keys[i]->text, dfr_str_from(fields[k].name));
        if (!there)
            dfr_recipe_error(r->file, y, DFR_D_RECIPE_FIELD, "%s %s needs `%s`", article(which),
                             parts[which].what, fields[k].name);
    }
}

bool dfr_recipe_read(const struct dfr_yaml_file *f, struct dfr_recipe *ret)
{
    struct reader r = {.file = f, .arena = f->arena};
    uint32_t before = f->diags->errors;
    const struct dfr_yaml *root = dfr_yaml_parse(f);
    memset(ret, 0, sizeof *ret);
    if (root && root->kind != DFR_YAML_MAP)
        dfr_recipe_error(f, root, DFR_D_RECIPE_VALUE, "a recipe is a map of fields");
    else if (root)
        part(&r, root, PART_RECIPE, ret);
    ret->all = r.all;
    return root && f->diags->errors == before;
}
