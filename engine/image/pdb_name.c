/* Decorated names into those that debuggers print. Only what is certain is rewritten: plain scopes,
 * constructors, a few operators. Templates, local scopes and all else stay as they are in the PDB.
 * Source: public descriptions of the decoration, checked against an independent undecorator. */
#include <string.h>

#include "base/buf.h"
#include "image/pdb.h"

enum { MACHINE_X86 = 0x14C, SCOPES = 32, REMEMBERED = 10 };

struct undecorating {
    struct dfr_str rest;
    struct dfr_str remembered[REMEMBERED]; /* a digit stands for one of them */
    uint32_t count;
};

static const struct {
    const char *code, *text;
} operators[] = {
    {"_G", "`scalar deleting destructor'"},
    {"_E", "`vector deleting destructor'"},
    {"_7", "`vftable'"},
    {"_8", "`vbtable'"},
    {"_U", "operator new[]"},
    {"_V", "operator delete[]"},
    {"2", "operator new"},
    {"3", "operator delete"},
    {"4", "operator="},
    {"8", "operator=="},
    {"9", "operator!="},
};

static bool is_identifier(struct dfr_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9' && i) &&
            c != '_' && c != '$' && c != '<' && c != '>' && c < 0x80)
            return false;
    }
    return s.len > 0;
}

static bool eat(struct undecorating *u, const char *text)
{
    struct dfr_str t = dfr_str_from(text);
    if (!dfr_str_starts(u->rest, t))
        return false;
    u->rest = dfr_str_slice(u->rest, t.len, u->rest.len);
    return true;
}

/* One name up to its `@`, or a digit for an earlier one. */
static bool piece(struct undecorating *u, struct dfr_str *ret)
{
    if (!u->rest.len)
        return false;
    unsigned digit = (unsigned)(u->rest.p[0] - '0');
    if (digit < REMEMBERED) {
        u->rest = dfr_str_slice(u->rest, 1, u->rest.len);
        *ret = digit < u->count ? u->remembered[digit] : (struct dfr_str){0};
        return digit < u->count;
    }
    bool anonymous = dfr_str_starts(u->rest, DFR_STR("?A0x"));
    struct dfr_str name;
    size_t at = dfr_str_find(u->rest, DFR_STR("@"));
    if (at == SIZE_MAX)
        return false;
    name = dfr_str_slice(u->rest, 0, at);
    u->rest = dfr_str_slice(u->rest, at + 1, u->rest.len);
    if (!anonymous && !is_identifier(name))
        return false;
    if (u->count < REMEMBERED)
        u->remembered[u->count++] = name;
    *ret = anonymous ? DFR_STR("`anonymous namespace'") : name;
    return true;
}

static bool plain_cpp(struct dfr_buf *b, struct dfr_str name)
{
    struct undecorating u = {.rest = dfr_str_slice(name, 1, name.len)};
    struct dfr_str own = {0}, scopes[SCOPES];
    const char *text = NULL;
    uint32_t n = 0;
    bool constructor = eat(&u, "?0"), destructor = !constructor && eat(&u, "?1");
    for (size_t i = 0; i < sizeof operators / sizeof *operators && !constructor && !destructor; i++)
        if (u.rest.len > 1 && u.rest.p[0] == '?' &&
            dfr_str_starts(dfr_str_slice(u.rest, 1, u.rest.len), dfr_str_from(operators[i].code))) {
            text = operators[i].text;
            u.rest = dfr_str_slice(u.rest, 1 + strlen(operators[i].code), u.rest.len);
            break;
        }
    if (!constructor && !destructor && !text && !piece(&u, &own))
        return false;
    while (!eat(&u, "@"))
        if (n == SCOPES || !piece(&u, &scopes[n++]))
            return false;
    if (!u.rest.len || ((constructor || destructor) && !n))
        return false;
    for (uint32_t i = n; i; i--) {
        dfr_buf_str(b, scopes[i - 1]);
        dfr_buf_z(b, "::");
    }
    if (destructor)
        dfr_buf_char(b, '~');
    if (text)
        dfr_buf_z(b, text);
    else
        dfr_buf_str(b, constructor || destructor ? scopes[0] : own);
    return true;
}

/* _name, _name@8, @name@8. */
static struct dfr_str plain_c(struct dfr_str name)
{
    if (name.len < 2 || (name.p[0] != '_' && name.p[0] != '@'))
        return name;
    size_t end = name.len;
    while (end && name.p[end - 1] >= '0' && name.p[end - 1] <= '9')
        end--;
    bool counted = end < name.len && end > 2 && name.p[end - 1] == '@';
    if (!counted && name.p[0] == '@')
        return name;
    return dfr_str_slice(name, 1, counted ? end - 1 : name.len);
}

struct dfr_str dfr_pdb_plain_name(struct dfr_arena *a, uint16_t machine, struct dfr_str name)
{
    struct dfr_buf b;
    if (name.len > 1 && name.p[0] == '?') {
        dfr_buf_init(&b, a);
        return plain_cpp(&b, name) && !b.cut ? dfr_buf_text(&b) : name;
    }
    return machine == MACHINE_X86 ? plain_c(name) : name;
}
