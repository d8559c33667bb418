/* Markup that pasting left in the text: entities, HTML tags, BBCode tags.
 * Only names of the lists are markup, so that `<Unloaded_x.sys>`, `<lambda_1>`, `<*>`, `[Frozen]` and
 * `[rsp+8]` stay. Every look ahead ends at a fixed length or at the next opening mark. */
#include "text/normal.h"

#include <string.h>

enum { ENTITY_MOST = 10, TAG_MOST = 2000, BBCODE_MOST = 200 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

size_t dfr_markup_entity(struct dfr_str s, char *ret_stand_in)
{
    static const struct {
        const char *name;
        char is;
    } known[] = {{"gt;", '>'},   {"lt;", '<'},   {"amp;", '&'},  {"quot;", '"'}, {"apos;", '\''},
                 {"nbsp;", ' '}, {"ensp;", ' '}, {"emsp;", ' '}, {"shy;", 0},    {"thinsp;", ' '}};
    struct dfr_str rest = dfr_str_slice(s, 1, s.len);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (dfr_str_starts(rest, dfr_str_from(known[i].name))) {
            *ret_stand_in = known[i].is;
            return 1 + strlen(known[i].name);
        }
    if (!rest.len || rest.p[0] != '#')
        return 0;
    size_t i = 1;
    bool hex = i < rest.len && (rest.p[i] == 'x' || rest.p[i] == 'X');
    unsigned code = 0;
    size_t digits = 0;
    for (i += hex; i < rest.len && i < ENTITY_MOST; i++, digits++) {
        char c = rest.p[i];
        unsigned d = c >= '0' && c <= '9'          ? (unsigned)(c - '0')
                     : hex && c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                     : hex && c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                   : 99;
        if (d == 99)
            break;
        code = code * (hex ? 16 : 10) + d;
        if (code > 0x10FFFF)
            return 0;
    }
    if (!digits || i >= rest.len || rest.p[i] != ';')
        return 0;
    *ret_stand_in = code == 0xA0 || code == 0x3000               ? ' '
                    : code == 0x2018 || code == 0x2019           ? '\''
                    : (code >= 0x20 && code < 0x7F) || code == 9 ? (char)code
                    : code == 10 || code == 13                   ? '\n'
                                                                 : '?';
    return 1 + i + 1;
}

struct tag {
    const char *name;
    char stand_in;
};

static const struct tag html[] = {
    {"a", 0},          {"abbr", 0},     {"article", '\n'}, {"b", 0},          {"blockquote", '\n'},
    {"altlink", 0},    {"exec", 0},     {"col", 0},        {"body", '\n'},    {"br", '\n'},
    {"center", '\n'},  {"cite", 0},     {"code", 0},       {"dd", '\n'},      {"del", 0},
    {"details", '\n'}, {"div", '\n'},   {"dl", '\n'},      {"dt", '\n'},      {"em", 0},
    {"font", 0},       {"h1", '\n'},    {"h2", '\n'},      {"h3", '\n'},      {"h4", '\n'},
    {"h5", '\n'},      {"h6", '\n'},    {"head", '\n'},    {"hr", '\n'},      {"html", '\n'},
    {"i", 0},          {"img", 0},      {"ins", 0},        {"kbd", 0},        {"li", '\n'},
    {"link", 0},       {"mark", 0},     {"meta", 0},       {"ol", '\n'},      {"p", '\n'},
    {"pre", '\f'},     {"s", 0},        {"samp", 0},       {"section", '\n'}, {"small", 0},
    {"span", 0},       {"strike", 0},   {"strong", 0},     {"sub", 0},        {"summary", '\n'},
    {"sup", 0},        {"table", '\n'}, {"tbody", '\n'},   {"td", ' '},       {"th", ' '},
    {"thead", '\n'},   {"tr", '\n'},    {"tt", 0},         {"u", 0},          {"ul", '\n'},
};

static const struct tag bbcode[] = {
    {"b", 0},       {"center", 0},     {"code", '\f'},  {"color", 0},  {"email", 0},
    {"font", 0},    {"i", 0},          {"img", 0},      {"indent", 0}, {"left", 0},
    {"list", '\n'}, {"pre", '\f'},     {"quote", '\n'}, {"right", 0},  {"s", 0},
    {"size", 0},    {"spoiler", '\n'}, {"u", 0},        {"url", 0},
};

static const struct tag *find_tag(const struct tag *v, size_t n, struct dfr_str name)
{
    for (size_t i = 0; i < n; i++)
        if (dfr_str_eq_ci(name, dfr_str_from(v[i].name)))
            return &v[i];
    return NULL;
}

static struct dfr_str tag_name(struct dfr_str s, size_t from)
{
    size_t i = from;
    while (i < s.len && i < from + 12 && (is_letter(s.p[i]) || (i > from && is_word(s.p[i]))))
        i++;
    return dfr_str_slice(s, from, i);
}

/* Length of the mark that starts at 0 and ends with `close`; 0 when `open` or the limit comes first. */
static size_t mark_length(struct dfr_str s, size_t from, char open, char close, size_t most)
{
    for (size_t i = from; i < s.len && i < most; i++) {
        if (s.p[i] == close)
            return i + 1;
        if (s.p[i] == open)
            return 0;
    }
    return 0;
}

size_t dfr_markup_tag(struct dfr_str s, char before, char *ret_stand_in)
{
    if (s.len >= 4 && memcmp(s.p, "<!--", 4) == 0) {
        *ret_stand_in = 0;
        return 4; /* what a comment holds may be a transcript */
    }
    bool closing = s.len > 1 && s.p[1] == '/';
    struct dfr_str name = tag_name(s, 1 + (size_t)closing);
    size_t after = 1 + (size_t)closing + name.len;
    if (!name.len || after >= s.len)
        return 0;
    char c = s.p[after];
    bool bare = c == '>' || (c == '/' && after + 1 < s.len && s.p[after + 1] == '>');
    if (!bare && c != ' ' && c != '\t' && c != '\n')
        return 0;
    const struct tag *t = find_tag(html, sizeof html / sizeof *html, name);
    if (!t)
        return 0;
    /* `Foo<a>` is a template; `Foo</a>` and `Foo<a href=...>` are not. */
    if (!closing && c == '>' && name.len == 1 && is_word(before))
        return 0;
    size_t len = mark_length(s, after, '<', '>', TAG_MOST);
    *ret_stand_in = t->stand_in;
    return len;
}

size_t dfr_markup_bbcode(struct dfr_str s, char *ret_stand_in)
{
    bool closing = s.len > 1 && s.p[1] == '/';
    struct dfr_str name = tag_name(s, 1 + (size_t)closing);
    size_t after = 1 + (size_t)closing + name.len;
    if (!name.len || after >= s.len || (s.p[after] != ']' && s.p[after] != '='))
        return 0;
    const struct tag *t = find_tag(bbcode, sizeof bbcode / sizeof *bbcode, name);
    if (!t)
        return 0;
    *ret_stand_in = t->stand_in;
    return mark_length(s, after, '[', ']', BBCODE_MOST);
}
