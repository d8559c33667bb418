/* Running scanner and grammar over a source, and saying what is wrong with it in plain words. */
#include "lang/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

#include "base/buf.h"
#include "base/limits.h"
#include "dfr.tab.h"
#include "lang/parser.h"
#define YYSTYPE DFR_YYSTYPE
#define YYLTYPE struct dfr_loc
#define YY_DECL int dfr_scan(DFR_YYSTYPE *value, struct dfr_loc *loc, void *scanner)
#include "dfr.lex.h"

struct dfr_loc dfr_parser_loc(const struct dfr_parser *p, struct dfr_loc scanned)
{
    if (p->map)
        return (struct dfr_loc){p->map[scanned.begin], p->map[scanned.end]};
    return (struct dfr_loc){scanned.begin + p->base, scanned.end + p->base};
}

struct dfr_diag *dfr_parser_diag(struct dfr_parser *p, enum dfr_diag_code code, struct dfr_loc loc,
                                 const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct dfr_buf b;
    dfr_buf_init(&b, p->arena);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    dfr_buf_safe(&b, (struct dfr_str){text, len});
    struct dfr_diag *d = dfr_diags_add(p->diags, code, "%.*s", (int)b.len, dfr_buf_text(&b).p);
    dfr_source_place(p->source, p->diags->arena, dfr_parser_loc(p, loc), d);
    return d;
}

void dfr_parser_suggest(struct dfr_parser *p, struct dfr_diag *d, const char *format, ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    d->suggest = dfr_str_dup(p->diags->arena, dfr_str_from(text));
}

/* --- What the grammar calls for the next token --- */

static bool begins_item(int token)
{
    switch (token) {
    case TOK_PACK:
    case TOK_IMPORT:
    case TOK_CAUSE:
    case TOK_ACTION:
    case TOK_FN:
    case TOK_FACT:
    case TOK_RULE:
    case TOK_OVERRIDE:
    case TOK_SUPPRESS:
    case TOK_TEST:
    case TOK_OPEN:
    case TOK_LIST:
        return true;
    default:
        return false;
    }
}

static bool at_line_start(const struct dfr_parser *p, uint32_t at)
{
    return !at || p->scanned[at - 1] == '\n';
}

/* The next token that is not skipped after an error. A balanced block that is skipped ends the
 * skipping like a `;`. */
static int next_token(DFR_YYSTYPE *value, struct dfr_loc *loc, struct dfr_parser *p)
{
    for (;;) {
        p->before = p->pos;
        int token = dfr_scan(value, loc, p->scanner);
        p->last = token;
        if (!p->skipping)
            return token;
        if (token == 0) {
            p->skipping = false;
            return token;
        }
        if (begins_item(token) && at_line_start(p, loc->begin) && loc->begin != p->mended_at) {
            p->mended_at = loc->begin;
            p->held = token;
            p->held_loc = *loc;
            p->held_text = value->text;
            p->semicolon = !p->braces;
            p->close = p->braces;
            p->skipping = false;
            return -1;
        }
        if (token == '{') {
            p->skip_braces++;
        } else if (token == '}' && p->skip_braces) {
            if (--p->skip_braces == 0) {
                p->skipping = false;
                return ';';
            }
        } else if (token == '}' || (token == ';' && !p->skip_braces)) {
            p->skipping = false;
            return token;
        }
    }
}

int dfr_yylex(DFR_YYSTYPE *value, struct dfr_loc *loc, struct dfr_parser *p)
{
    int token;
    if (p->start) {
        token = p->start;
        p->start = 0;
        *loc = (struct dfr_loc){0, 0};
        return token;
    }
    if (!p->semicolon && !p->close && !p->held) {
        token = next_token(value, loc, p);
        if (token == TOK_DFR_YYerror) {
            p->skipping = true;
            p->skip_braces = 0;
            return token;
        }
        if (token >= 0) {
            if (token == '{')
                p->braces++;
            else if (token == '}' && p->braces)
                p->braces--;
            p->text = value->text;
            return token;
        }
    }
    *loc = (struct dfr_loc){p->held_loc.begin, p->held_loc.begin};
    if (p->semicolon) {
        p->semicolon = false;
        return ';';
    }
    if (p->close) {
        p->close--;
        if (p->braces)
            p->braces--;
        return '}';
    }
    token = p->held;
    p->held = 0;
    *loc = p->held_loc;
    value->text = p->text = p->held_text;
    if (token == '}' && p->braces)
        p->braces--;
    return token;
}

/* --- Saying what was expected --- */

struct expected {
    const int *v;
    int n;
    bool dropped[128];
};

static bool expects(const struct expected *e, int token)
{
    for (int i = 0; i < e->n; i++)
        if (e->v[i] == token && !e->dropped[i])
            return true;
    return false;
}

static void drop(struct expected *e, const int *tokens, size_t n)
{
    for (size_t k = 0; k < n; k++)
        for (int i = 0; i < e->n; i++)
            if (e->v[i] == tokens[k])
                e->dropped[i] = true;
}
#define DROP(e, ...) drop((e), (const int[]){__VA_ARGS__}, sizeof(int[]){__VA_ARGS__} / sizeof(int))

static const char *token_word(int token)
{
    size_t n;
    const struct dfr_keyword *k = dfr_keyword_rows(&n);
    for (size_t i = 0; i < n; i++)
        if (k[i].token == token)
            return k[i].word;
    return NULL;
}

/* Fold the tokens of common places into one description; those are appended to `words`. */
static int classes(struct expected *e, const char **words)
{
    int n = 0;
    bool name = expects(e, TOK_IDENT) && expects(e, TOK_PACK);
    if (expects(e, TOK_INT) && expects(e, '(')) {
        DROP(e, '(', '[', '-', '~', TOK_NOT, TOK_INT, TOK_HEX, TOK_STRING, TOK_DURATION, TOK_DATE,
             TOK_VERSION, TOK_REGEX, TOK_SYMPAT, TOK_TRUE, TOK_FALSE, TOK_KNOWN, TOK_UNKNOWN,
             TOK_ABSENT, TOK_ANY, TOK_ALL, TOK_NONE, TOK_COUNT, TOK_FIRST, TOK_IDENT);
        words[n++] = "a value";
    } else if (expects(e, TOK_INT) && expects(e, TOK_STRING) && expects(e, '{')) {
        DROP(e, '[', '{', '-', TOK_INT, TOK_HEX, TOK_STRING, TOK_DURATION, TOK_DATE, TOK_VERSION,
             TOK_REGEX, TOK_SYMPAT, TOK_TRUE, TOK_FALSE);
        words[n++] = "a plain value";
    } else if (expects(e, TOK_IDENT)) {
        DROP(e, TOK_IDENT);
        words[n++] = "a name";
    }
    if (name)
        for (int i = 0; i < e->n; i++)
            if (e->v[i] >= TOK_PACK && e->v[i] <= TOK_EACH)
                e->dropped[i] = true;
    if (expects(e, TOK_AND) && expects(e, '+')) {
        DROP(e, TOK_AND, TOK_OR, TOK_EQ, TOK_NE, '<', '>', TOK_LE, TOK_GE, TOK_IN, TOK_MATCHES,
             TOK_CONTAINS, TOK_HAS, TOK_COALESCE, '|', '^', '&', TOK_SHL, TOK_SHR, '+', '-', '*',
             '/', '%', '.', '(', '[');
        words[n++] = "an operator";
    }
    if (expects(e, TOK_RULE) && expects(e, TOK_CAUSE)) {
        DROP(e, TOK_PACK, TOK_IMPORT, TOK_CAUSE, TOK_LIST, TOK_OPEN, TOK_ACTION, TOK_FN, TOK_FACT,
             TOK_RULE, TOK_OVERRIDE, TOK_SUPPRESS, TOK_TEST, 0);
        words[n++] = "a declaration such as `rule`";
    }
    if (expects(e, TOK_LET) && expects(e, TOK_EVIDENCE)) {
        DROP(e, TOK_META, TOK_LET, TOK_EACH, TOK_WHEN, TOK_UNLESS, TOK_EVIDENCE, TOK_CONCLUDE,
             TOK_RECOMMEND, TOK_COLLECT);
        words[n++] = "a section such as `when`";
    }
    return n;
}

static void describe_token(struct dfr_buf *b, int token)
{
    static const struct {
        int token;
        const char *text;
    } others[] = {
        {0, "the end of the file"},
        {TOK_STRING, "a text in quotes"},
        {TOK_VERSION, "a version"},
        {TOK_SYMPAT, "a pattern such as nt!Ki*"},
        {TOK_INT, "a number"},
        {TOK_HEX, "a hex number"},
        {TOK_DURATION, "a duration"},
        {TOK_DATE, "a date"},
        {TOK_REGEX, "a regular expression"},
        {TOK_EQ, "`==`"},
        {TOK_NE, "`!=`"},
        {TOK_LE, "`<=`"},
        {TOK_GE, "`>=`"},
        {TOK_SHL, "`<<`"},
        {TOK_SHR, "`>>`"},
        {TOK_DOTDOT, "`..`"},
        {TOK_COALESCE, "`?"
                       "?`"},
        {TOK_IDENT, "a name"},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (others[i].token == token) {
            dfr_buf_z(b, others[i].text);
            return;
        }
    const char *word = token_word(token);
    if (word)
        dfr_buf_printf(b, "`%s`", word);
    else
        dfr_buf_printf(b, "`%c`", token);
}

static struct dfr_str expected_text(struct dfr_parser *p, struct expected *e)
{
    const char *class_words[8];
    int classes_n = classes(e, class_words), total = classes_n, written = 0;
    for (int i = 0; i < e->n; i++)
        total += !e->dropped[i] && e->v[i] >= 0;
    struct dfr_buf b;
    dfr_buf_init(&b, p->arena);
    for (int i = 0; i < e->n + classes_n; i++) {
        bool class = i >= e->n;
        if (!class && (e->dropped[i] || e->v[i] < 0))
            continue;
        if (written)
            dfr_buf_z(&b, written + 1 == total ? " or " : ", ");
        if (class)
            dfr_buf_z(&b, class_words[i - e->n]);
        else
            describe_token(&b, e->v[i]);
        written++;
    }
    return dfr_buf_text(&b);
}

/* A word of the language close to `text` that could stand here. */
static const char *near_keyword(const struct expected *e, struct dfr_str text)
{
    const char *best = NULL;
    unsigned best_distance = text.len < 4 ? 2 : 3;
    for (int i = 0; i < e->n; i++) {
        const char *word = e->v[i] > 0 ? token_word(e->v[i]) : NULL;
        if (!word)
            continue;
        unsigned d = dfr_str_distance(text, dfr_str_from(word), best_distance);
        if (d < best_distance) {
            best = word;
            best_distance = d;
        }
    }
    return best;
}

static bool compares(int token)
{
    return token == TOK_EQ || token == TOK_NE || token == '<' || token == '>' || token == TOK_LE ||
           token == TOK_GE || token == TOK_IN || token == TOK_MATCHES || token == TOK_CONTAINS ||
           token == TOK_HAS;
}

/* Put the token back behind a `;` or closing braces that were forgotten. */
static void mend(struct dfr_parser *p, struct dfr_loc loc, int token, bool semicolon,
                 uint32_t close)
{
    p->mended_at = loc.begin;
    p->held = token;
    p->held_loc = loc;
    p->held_text = p->text;
    p->semicolon = semicolon;
    p->close = close;
}

void dfr_parser_unexpected(struct dfr_parser *p, struct dfr_loc loc, int token, const int *expected,
                           int n)
{
    struct expected e = {.v = expected, .n = n < 128 ? n : 128};
    struct dfr_str text = {p->scanned + loc.begin, loc.end - loc.begin};
    if (text.len > 40)
        text.len = 40;
    bool new_line = memchr(p->scanned + p->before, '\n', loc.begin - p->before) != NULL;
    struct dfr_loc gap = {p->before ? p->before - 1 : 0, p->before};
    p->skipping = token != ';' && token != '}';
    p->skip_braces = 0;
    if (token == '{' && p->braces) {
        p->braces--;
        p->skip_braces = 1;
    }
    if (token == 0 && p->braces) {
        dfr_parser_diag(p, DFR_D_MISSING, loc, "the file ends inside a block: `}` is missing");
        return;
    }
    if (begins_item(token) && p->braces && at_line_start(p, loc.begin) &&
        loc.begin != p->mended_at) {
        dfr_parser_diag(p, DFR_D_MISSING, loc, "`}` is missing before this `%.*s`", (int)text.len,
                        text.p);
        mend(p, loc, token, false, p->braces);
        p->skipping = false;
        return;
    }
    if (token == '=' && expects(&e, TOK_EQ)) {
        struct dfr_diag *d =
            dfr_parser_diag(p, DFR_D_SYNTAX, loc, "`=` names things; it does not compare");
        dfr_parser_suggest(p, d, "did you mean `==`?");
        return;
    }
    const char *near = token == TOK_IDENT ? near_keyword(&e, text) : NULL;
    if (!near && expects(&e, ';') && (new_line || token == '}') && loc.begin != p->mended_at) {
        dfr_parser_diag(p, DFR_D_MISSING, gap, "`;` is missing behind this");
        if (token != '}') {
            mend(p, loc, token, true, 0);
            p->skipping = false;
        }
        return;
    }
    if (compares(token) && expects(&e, TOK_AND) && !expects(&e, TOK_EQ)) {
        struct dfr_diag *d = dfr_parser_diag(p, DFR_D_SYNTAX, loc, "comparisons do not chain");
        dfr_parser_suggest(p, d, "join two comparisons with `and`, or use parentheses");
        return;
    }
    const struct dfr_keyword *word = dfr_keyword_find(text);
    if (word && word->reserved && expects(&e, TOK_IDENT) && !expects(&e, TOK_INT)) {
        dfr_parser_diag(p, DFR_D_SYNTAX, loc, "`%s` is a reserved word and cannot be a name",
                        word->word);
        return;
    }
    struct dfr_str list = expected_text(p, &e);
    struct dfr_diag *d;
    if (token == 0)
        d = dfr_parser_diag(p, DFR_D_SYNTAX, loc, "the %s ends too early, expected %.*s",
                            p->map ? "expression" : "file", (int)list.len, list.p);
    else
        d = dfr_parser_diag(p, DFR_D_SYNTAX, loc, "unexpected `%.*s`, expected %.*s", (int)text.len,
                            text.p, (int)list.len, list.p);
    if (near)
        dfr_parser_suggest(p, d, "did you mean `%s`?", near);
}

/* --- Entries --- */

/* Run the grammar over `len` bytes that are followed by two NULs. */
static void run(struct dfr_parser *p, char *bytes, size_t len, int start)
{
    p->start = start;
    p->scanned = bytes;
    p->scanned_len = (uint32_t)len;
    p->mended_at = UINT32_MAX;
    yyscan_t scanner;
    if (dfr_yylex_init_extra(p, &scanner))
        dfr_mem_fail(p->arena->mem);
    p->scanner = scanner;
    dfr_yy_scan_buffer(bytes, len + 2, scanner);
    dfr_yyparse(p);
    dfr_yylex_destroy(scanner);
}

static bool reorders(utf8proc_int32_t c)
{
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

/* Refuse what no rule file holds: the first offence of each kind is enough. */
static bool clean_text(struct dfr_parser *p)
{
    struct dfr_str s = p->source->text;
    if (s.len > DFR_LIMIT_SOURCE_BYTES) {
        dfr_parser_diag(p, DFR_D_TOO_LARGE, (struct dfr_loc){0, 0},
                        "this file is larger than %d bytes", (int)DFR_LIMIT_SOURCE_BYTES);
        return false;
    }
    bool broken = false, bidi = false, nul = false;
    for (size_t i = 0; i < s.len;) {
        utf8proc_int32_t c = (uint8_t)s.p[i];
        size_t n = 1;
        if (c >= 0x80) {
            size_t most = s.len - i < 4 ? s.len - i : 4;
            utf8proc_ssize_t k =
                utf8proc_iterate((const utf8proc_uint8_t *)s.p + i, (utf8proc_ssize_t)most, &c);
            n = k > 0 ? (size_t)k : 1;
            if (k <= 0)
                c = -1;
        }
        struct dfr_loc loc = {(uint32_t)i, (uint32_t)(i + n)};
        if (c < 0 && !broken) {
            broken = true;
            dfr_parser_diag(p, DFR_D_NOT_UTF8, loc, "this is not UTF-8 (byte 0x%02x)",
                            (uint8_t)s.p[i]);
        } else if (c == 0 && !nul) {
            nul = true;
            dfr_parser_diag(p, DFR_D_NUL_BYTE, loc, "a rule file holds no NUL bytes");
        } else if (reorders(c) && !bidi) {
            bidi = true;
            dfr_parser_diag(p, DFR_D_BIDI_CONTROL, loc,
                            "the control character U+%04X changes the order in which text is shown",
                            (unsigned)c);
        }
        i += n;
    }
    return !broken && !bidi && !nul;
}

static bool run_source(struct dfr_parser *p, int start)
{
    if (!clean_text(p))
        return false;
    struct dfr_str s = p->source->text;
    char *bytes = dfr_arena_alloc(p->arena, s.len + 2);
    if (s.len)
        memcpy(bytes, s.p, s.len);
    if (s.len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
        memset(bytes, ' ', 3);
    run(p, bytes, s.len, start);
    return true;
}

void dfr_parse(struct dfr_arena *a, const struct dfr_source *s, struct dfr_diags *diags,
               struct dfr_file *ret)
{
    *ret = (struct dfr_file){.source = s};
    struct dfr_parser p = {.arena = a, .source = s, .diags = diags, .file = ret};
    run_source(&p, TOK_START_FILE);
    DFR_REVERSE(ret->items);
}

struct dfr_expr *dfr_parse_expr(struct dfr_arena *a, const struct dfr_source *s,
                                struct dfr_diags *diags)
{
    uint32_t errors = diags->errors;
    struct dfr_file file = {.source = s};
    struct dfr_parser p = {.arena = a, .source = s, .diags = diags, .file = &file};
    run_source(&p, TOK_START_EXPR);
    return diags->errors == errors ? p.expr : NULL;
}

/* Offset in the source of each decoded byte of a string, and of its end. */
static uint32_t *string_map(struct dfr_parser *p, const struct dfr_expr *string)
{
    struct dfr_str raw = dfr_source_text(p->source, string->loc), text = string->as.text;
    uint32_t *map = DFR_NEW_N(p->arena, text.len + 3, uint32_t);
    size_t at = 1, i = 0;
    while (i < text.len && at < raw.len) {
        size_t from = at;
        size_t bytes = 1;
        if (raw.p[at] != '\\') {
            at++;
        } else if (raw.p[at + 1] == 'u') {
            while (at < raw.len && raw.p[at] != '}')
                at++;
            at++;
            uint8_t lead = (uint8_t)text.p[i];
            bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        } else {
            at += 2;
        }
        for (; bytes && i < text.len; bytes--)
            map[i++] = string->loc.begin + (uint32_t)from;
    }
    for (; i < text.len + 3; i++)
        map[i] = string->loc.begin + (uint32_t)at;
    return map;
}

/* Offset behind the `}` that ends the expression at `i`, or SIZE_MAX. */
static size_t expression_end(struct dfr_str s, size_t i)
{
    bool quoted = false;
    for (; i < s.len; i++) {
        if (s.p[i] == '"')
            quoted = !quoted;
        else if (s.p[i] == '}' && !quoted)
            return i;
        else if (s.p[i] == '{' && !quoted)
            return SIZE_MAX;
    }
    return SIZE_MAX;
}

static struct dfr_piece *add_piece(struct dfr_arena *a, struct dfr_piece **last,
                                   struct dfr_str literal, struct dfr_expr *expr)
{
    struct dfr_piece *piece = DFR_NEW(a, struct dfr_piece);
    *piece = (struct dfr_piece){.literal = literal, .expr = expr};
    if (*last)
        (*last)->next = piece;
    *last = piece;
    return piece;
}

struct dfr_piece *dfr_parse_text(struct dfr_arena *a, const struct dfr_source *s,
                                 struct dfr_diags *diags, const struct dfr_expr *string)
{
    struct dfr_file file = {.source = s};
    struct dfr_parser base = {.arena = a, .source = s, .diags = diags, .file = &file};
    struct dfr_str text = string->as.text;
    struct dfr_piece *first = NULL, *last = NULL;
    uint32_t *map = NULL;
    struct dfr_buf plain;
    dfr_buf_init(&plain, a);
    for (size_t i = 0; i < text.len;) {
        char c = text.p[i];
        if (c != '{' || (i + 1 < text.len && text.p[i + 1] == '{')) {
            dfr_buf_char(&plain, c);
            i += (c == '{' || (c == '}' && i + 1 < text.len && text.p[i + 1] == '}')) ? 2 : 1;
            continue;
        }
        if (!map)
            map = string_map(&base, string);
        size_t end = expression_end(text, i + 1);
        struct dfr_parser p = base;
        p.map = map;
        if (end == SIZE_MAX) {
            struct dfr_diag *d =
                dfr_parser_diag(&p, DFR_D_BAD_TEXT, (struct dfr_loc){(uint32_t)i, (uint32_t)i + 1},
                                "this `{` begins an expression that does not end");
            dfr_parser_suggest(&p, d, "write `{{` for a brace");
            break;
        }
        if (plain.len) {
            add_piece(a, &last, dfr_buf_text(&plain), NULL);
            first = first ? first : last;
            dfr_buf_init(&plain, a);
        }
        struct dfr_str inner = dfr_str_slice(text, i + 1, end);
        char *bytes = dfr_arena_alloc(a, inner.len + 2);
        if (inner.len)
            memcpy(bytes, inner.p, inner.len);
        p.map = map + i + 1;
        uint32_t errors = diags->errors;
        run(&p, bytes, inner.len, TOK_START_EXPR);
        struct dfr_expr *expr = diags->errors == errors ? p.expr : NULL;
        if (!expr)
            expr = dfr_expr_leaf(&p, DFR_EXPR_ERROR, (struct dfr_loc){0, (uint32_t)inner.len});
        add_piece(a, &last, dfr_str_trim(inner), expr);
        first = first ? first : last;
        i = end + 1;
    }
    if (plain.len || !first) {
        add_piece(a, &last, dfr_buf_text(&plain), NULL);
        first = first ? first : last;
    }
    return first;
}
