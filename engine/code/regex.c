/* pcre2 behind a gate: a scan of the pattern first refuses what could run away, then limits hold
 * the rest. Nothing outside this file sees pcre2's types. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "code/regex.h"

#include <pcre2.h>
#include <string.h>

#include "base/limits.h"

struct dfr_regex {
    pcre2_code *code;
    struct dfr_str literal; /* every match holds it; empty: none known */
    bool fold_case, anchored;
};

struct dfr_regex_scratch {
    pcre2_match_context *context;
    pcre2_match_data *data;
};

/* --- The gate --- */

struct gate {
    const char *p;
    size_t len, at;
    const char *wrong;
};

static bool refuse(struct gate *g, const char *what)
{
    g->wrong = what;
    return false;
}

static bool escape(struct gate *g)
{
    if (++g->at >= g->len)
        return refuse(g, "a backslash at the end");
    char c = g->p[g->at++];
    if (c >= '1' && c <= '9')
        return refuse(g, "back-references are not supported");
    if (strchr("gk", c))
        return refuse(g, "back-references are not supported");
    if (strchr("KGXCRQENcopP", c) || c == '\0')
        return refuse(g, "this escape is not supported");
    return true;
}

/* A class up to its bracket. A bare [ inside is refused unless it opens a POSIX name, so that this
 * reading and pcre2's cannot disagree on where the class ends. */
static bool class(struct gate *g)
{
    g->at++;
    if (g->at < g->len && g->p[g->at] == '^')
        g->at++;
    if (g->at < g->len && g->p[g->at] == ']')
        g->at++;
    while (g->at < g->len && g->p[g->at] != ']') {
        if (g->p[g->at] == '\\') {
            if (!escape(g))
                return false;
        } else if (g->p[g->at] == '[') {
            size_t i = g->at + 1;
            if (i >= g->len || g->p[i] != ':')
                return refuse(g, "write \\[ for a bracket inside a class");
            i += i + 1 < g->len && g->p[i + 1] == '^' ? 2 : 1;
            while (i < g->len && g->p[i] >= 'a' && g->p[i] <= 'z')
                i++;
            if (i + 1 >= g->len || g->p[i] != ':' || g->p[i + 1] != ']')
                return refuse(g, "write \\[ for a bracket inside a class");
            g->at = i + 2;
        } else {
            g->at++;
        }
    }
    if (g->at >= g->len)
        return refuse(g, "a class without its ]");
    g->at++;
    return true;
}

static bool group(struct gate *g)
{
    g->at++;
    if (g->at < g->len && g->p[g->at] == '*')
        return refuse(g, "verbs are not supported");
    if (g->at >= g->len || g->p[g->at] != '?')
        return true;
    g->at++;
    if (g->at < g->len && g->p[g->at] == '>') {
        g->at++;
        return true;
    }
    while (g->at < g->len && (strchr("ims-", g->p[g->at]) && g->p[g->at]))
        g->at++;
    if (g->at < g->len && (g->p[g->at] == ':' || g->p[g->at] == ')')) {
        g->at++;
        return true;
    }
    return refuse(g, "only (...), (?:...), (?>...) and (?i) groups are supported; no lookaround");
}

static bool gate_passes(struct gate *g)
{
    while (g->at < g->len) {
        char c = g->p[g->at];
        if (c == '\\' ? !escape(g) : c == '[' ? !class(g) : c == '(' ? !group(g) : (g->at++, false))
            return false;
    }
    return true;
}

/* --- A literal that every match begins with --- */

static bool plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           strchr("_!%,:;<>=@~&'\"`/# -", c) != NULL;
}

/* Only at the start, and only without alternatives anywhere: anything else is pcre2's business. */
static struct dfr_str leading_literal(struct dfr_str s, bool *ret_anchored)
{
    *ret_anchored = false;
    if (memchr(s.p, '|', s.len) || memchr(s.p, '\0', s.len))
        return (struct dfr_str){0};
    size_t from = s.len && s.p[0] == '^', to = from;
    while (to < s.len && plain(s.p[to]))
        to++;
    if (to < s.len && strchr("?*{+", s.p[to]) && to > from)
        to--; /* the last one may be repeated, or left out */
    *ret_anchored = from == 1;
    return dfr_str_slice(s, from, to);
}

/* --- Compiling --- */

static void *host_alloc(size_t size, void *user)
{
    struct dfr_mem *m = user;
    return m->host.alloc(m->host.user, size);
}

static void host_free(void *p, void *user)
{
    struct dfr_mem *m = user;
    if (p)
        m->host.free(m->host.user, p);
}

static void release_general(void *p)
{
    pcre2_general_context_free(p);
}

static void release_compile(void *p)
{
    pcre2_compile_context_free(p);
}

static void release_code(void *p)
{
    pcre2_code_free(p);
}

static void release_match(void *p)
{
    pcre2_match_context_free(p);
}

static void release_data(void *p)
{
    pcre2_match_data_free(p);
}

static void *owned(struct dfr_arena *a, void *p, void (*release)(void *))
{
    if (!p)
        dfr_mem_fail(a->mem);
    dfr_arena_defer(a, release, p);
    return p;
}

enum dfr_status dfr_regex_new(struct dfr_arena *a, struct dfr_str pattern, bool fold_case,
                              struct dfr_regex **ret, struct dfr_err *err)
{
    if (pattern.len > DFR_LIMIT_PATTERN_BYTES)
        return dfr_fail(err, DFR_BAD_RULES, "the pattern is longer than %d bytes",
                        DFR_LIMIT_PATTERN_BYTES);
    struct gate g = {.p = pattern.p, .len = pattern.len};
    if (!gate_passes(&g))
        return dfr_fail(err, DFR_BAD_RULES, "at offset %zu: %s", g.at, g.wrong);
    pcre2_general_context *general =
        owned(a, pcre2_general_context_create(host_alloc, host_free, a->mem), release_general);
    pcre2_compile_context *context =
        owned(a, pcre2_compile_context_create(general), release_compile);
    pcre2_set_parens_nest_limit(context, 64);
    int code;
    PCRE2_SIZE offset;
    uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
                       PCRE2_NO_AUTO_CAPTURE | PCRE2_DOLLAR_ENDONLY |
                       (fold_case ? PCRE2_CASELESS : 0);
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)(pattern.len ? pattern.p : ""), pattern.len,
                                         options, &code, &offset, context);
    if (!compiled) {
        if (code == PCRE2_ERROR_HEAP_FAILED || code == PCRE2_ERROR_NOMEMORY)
            dfr_mem_fail(a->mem);
        char text[160];
        pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
        return dfr_fail(err, DFR_BAD_RULES, "at offset %zu: %s", (size_t)offset, text);
    }
    owned(a, compiled, release_code);
    uint32_t references = 0;
    pcre2_pattern_info(compiled, PCRE2_INFO_BACKREFMAX, &references);
    if (references)
        return dfr_fail(err, DFR_BAD_RULES, "back-references are not supported");
    struct dfr_regex *r = DFR_NEW(a, struct dfr_regex);
    r->code = compiled;
    r->fold_case = fold_case;
    r->literal = leading_literal(dfr_str_dup(a, pattern), &r->anchored);
    *ret = r;
    return DFR_OK;
}

struct dfr_regex_scratch *dfr_regex_scratch_new(struct dfr_arena *a)
{
    pcre2_general_context *general =
        owned(a, pcre2_general_context_create(host_alloc, host_free, a->mem), release_general);
    struct dfr_regex_scratch *s = DFR_NEW(a, struct dfr_regex_scratch);
    s->context = owned(a, pcre2_match_context_create(general), release_match);
    pcre2_set_match_limit(s->context, DFR_LIMIT_PCRE_MATCH);
    pcre2_set_depth_limit(s->context, DFR_LIMIT_PCRE_DEPTH);
    pcre2_set_heap_limit(s->context, DFR_LIMIT_PCRE_HEAP_KIB);
    s->data = owned(a, pcre2_match_data_create(1, general), release_data);
    return s;
}

enum dfr_regex_result dfr_regex_match(const struct dfr_regex *r, struct dfr_regex_scratch *scratch,
                                      struct dfr_str s)
{
    if (r->literal.len) {
        bool there = r->anchored    ? (r->fold_case ? dfr_str_starts_ci(s, r->literal)
                                                    : dfr_str_starts(s, r->literal))
                     : r->fold_case ? dfr_str_find_ci(s, r->literal) != SIZE_MAX
                                    : dfr_str_find(s, r->literal) != SIZE_MAX;
        if (!there)
            return DFR_REGEX_NO;
    }
    int n = pcre2_match(r->code, (PCRE2_SPTR)(s.len ? s.p : ""), s.len, 0, 0, scratch->data,
                        scratch->context);
    return n >= 0 ? DFR_REGEX_YES : n == PCRE2_ERROR_NOMATCH ? DFR_REGEX_NO : DFR_REGEX_LIMIT;
}
