/* The parser: what it accepts, what it says about the rest, and that nothing makes it fall over. */
#include <criterion/criterion.h>
#include <dirent.h>

#include "base/diag_text.h"
#include "base/limits.h"
#include "blocks.h"
#include "lang/parse.h"

static struct dfr_mem mem;
static jmp_buf guard;
static struct dfr_arena arena;
static struct dfr_diags diags;

static void open_arena(void)
{
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    if (setjmp(guard))
        cr_assert_fail("out of memory");
    dfr_arena_init(&arena, &mem);
    dfr_diags_init(&diags, &arena);
}

static void close_arena(void)
{
    dfr_arena_deinit(&arena);
    cr_assert_eq(mem.live, 0);
}

TestSuite(parse, .init = open_arena, .fini = close_arena);

static struct dfr_file parse(const char *path, const char *text, size_t len)
{
    struct dfr_source *s = DFR_NEW(&arena, struct dfr_source);
    dfr_source_init(s, &arena, dfr_str_from(path), (struct dfr_str){text, len});
    struct dfr_file file;
    dfr_parse(&arena, s, &diags, &file);
    return file;
}

static char *diagnostics(void)
{
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    dfr_diags_text(&b, &diags, 0, false);
    return strndup(dfr_buf_text(&b).p, b.len);
}

/* Texts inside a tree are parsed when they are used: do it for all of them here. */
static void parse_texts(const struct dfr_file *file)
{
    for (const struct dfr_node *n = file->items; n; n = n->next) {
        for (const struct dfr_section *s = n->sections; s; s = s->next)
            if (s->text)
                dfr_parse_text(&arena, file->source, &diags, s->text);
        for (const struct dfr_entry *e = n->fields; e; e = e->next)
            if (n->kind == DFR_NODE_ACTION && e->value->kind == DFR_EXPR_STRING)
                dfr_parse_text(&arena, file->source, &diags, e->value);
    }
}

static char *run_reject(const struct block *b)
{
    dfr_diags_init(&diags, &arena);
    struct dfr_file file = parse("t.dfr", b->input, strlen(b->input));
    parse_texts(&file);
    return diagnostics();
}

Test(parse, messages)
{
    check_blocks("tests/cases/lang/syntax.txt", run_reject);
}

Test(parse, accepts_examples)
{
    static const char folder[] = "tests/cases/lang/accept";
    DIR *d = opendir(folder);
    cr_assert(d);
    int files = 0;
    for (struct dirent *e; (e = readdir(d));) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (!strstr(path, ".dfr"))
            continue;
        files++;
        size_t len;
        char *text = read_whole(path, &len);
        dfr_diags_init(&diags, &arena);
        struct dfr_file file = parse(path, text, len);
        parse_texts(&file);
        char *got = diagnostics();
        cr_expect_str_empty(got, "%s", got);
        cr_expect_gt(file.count, 0);
        free(got);
        free(text);
    }
    closedir(d);
    cr_assert_gt(files, 2);
}

/* A prefix of a good file, or one with a byte changed, is refused or accepted, never worse. */
Test(parse, torn_files)
{
    size_t len;
    char *text = read_whole("tests/cases/lang/accept/community.dfr", &len);
    for (size_t n = 0; n <= len; n += 3) {
        struct dfr_file file = parse("t.dfr", text, n);
        parse_texts(&file);
        dfr_arena_reset(&arena);
        dfr_diags_init(&diags, &arena);
    }
    static const char bytes[] = "\0\"/{}();:.\\\n\xE2\xFF?!";
    for (size_t n = 0; n < len; n += 2) {
        char keep = text[n];
        text[n] = bytes[n % (sizeof bytes - 1)];
        struct dfr_file file = parse("t.dfr", text, len);
        parse_texts(&file);
        text[n] = keep;
        dfr_arena_reset(&arena);
        dfr_diags_init(&diags, &arena);
    }
    free(text);
}

static struct dfr_expr *expression(const char *text)
{
    struct dfr_source *s = DFR_NEW(&arena, struct dfr_source);
    dfr_source_init(s, &arena, DFR_STR("e"), dfr_str_from(text));
    return dfr_parse_expr(&arena, s, &diags);
}

/* The tree as nested parentheses. */
static void draw(struct dfr_buf *b, const struct dfr_expr *e)
{
    static const char *const ops[] = {"==",       "!=", "<", "<=", ">",   ">=", "in", "matches",
                                      "contains", "??", "|", "^",  "&",   "<<", ">>", "+",
                                      "-",        "*",  "/", "%",  "neg", "~",  "not"};
    static const char *const states[] = {"known", "unknown", "absent"};
    static const char *const folds[] = {"any", "all", "none", "count", "first", "at_least"};
    switch ((enum dfr_expr_kind)e->kind) {
    case DFR_EXPR_BOOL:
        dfr_buf_z(b, e->as.num ? "true" : "false");
        return;
    case DFR_EXPR_INT:
        dfr_buf_printf(b, e->op ? "0x%llx" : "%llu", (unsigned long long)e->as.num);
        return;
    case DFR_EXPR_DURATION:
        dfr_buf_printf(b, "%llums", (unsigned long long)e->as.num);
        return;
    case DFR_EXPR_TIME:
        dfr_buf_printf(b, "@%lld", (long long)e->as.num);
        return;
    case DFR_EXPR_STRING:
        dfr_buf_printf(b, "'%.*s'", (int)e->as.text.len, e->as.text.p);
        return;
    case DFR_EXPR_REGEX:
        dfr_buf_printf(b, "/%.*s/%s", (int)e->as.text.len, e->as.text.p, e->op ? "i" : "");
        return;
    case DFR_EXPR_VERSION:
    case DFR_EXPR_SYMPAT:
    case DFR_EXPR_NAME:
        dfr_buf_str(b, e->as.text);
        return;
    default:
        break;
    }
    dfr_buf_char(b, '(');
    switch ((enum dfr_expr_kind)e->kind) {
    case DFR_EXPR_FIELD:
        dfr_buf_printf(b, ".%.*s", (int)e->as.text.len, e->as.text.p);
        break;
    case DFR_EXPR_CALL:
        dfr_buf_z(b, "call");
        break;
    case DFR_EXPR_INDEX:
        dfr_buf_z(b, "at");
        break;
    case DFR_EXPR_LIST:
        dfr_buf_z(b, "list");
        break;
    case DFR_EXPR_RANGE:
        dfr_buf_z(b, "..");
        break;
    case DFR_EXPR_UNARY:
    case DFR_EXPR_BINARY:
        dfr_buf_z(b, ops[e->op]);
        break;
    case DFR_EXPR_ALL_OF:
        dfr_buf_z(b, "and");
        break;
    case DFR_EXPR_ANY_OF:
        dfr_buf_z(b, "or");
        break;
    case DFR_EXPR_HAS:
        dfr_buf_printf(b, "has:%u", e->n);
        break;
    case DFR_EXPR_HAS_SEQ:
        dfr_buf_printf(b, "seq:%u", e->n);
        break;
    case DFR_EXPR_STATE:
        dfr_buf_z(b, states[e->op]);
        break;
    case DFR_EXPR_FOLD:
        dfr_buf_printf(b, "%s:%u:%.*s", folds[e->op], e->n, (int)e->as.text.len, e->as.text.p);
        break;
    case DFR_EXPR_FOLD_OF:
        dfr_buf_printf(b, "%s:%u", folds[e->op], e->n);
        break;
    default:
        dfr_buf_z(b, "?");
        break;
    }
    for (const struct dfr_expr *k = e->kid; k; k = k->next) {
        dfr_buf_char(b, ' ');
        draw(b, k);
    }
    dfr_buf_char(b, ')');
}

static char *run_tree(const struct block *block)
{
    dfr_diags_init(&diags, &arena);
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    const char *at = block->input;
    while (*at) {
        const char *end = strchr(at, '\n');
        char *line = dfr_arena_copy(&arena, at, (size_t)(end - at));
        struct dfr_expr *e = expression(line);
        if (e)
            draw(&b, e);
        else
            dfr_buf_z(&b, "error");
        dfr_buf_char(&b, '\n');
        at = end + 1;
    }
    return strndup(dfr_buf_text(&b).p, b.len);
}

Test(parse, trees)
{
    check_blocks("tests/cases/lang/trees.txt", run_tree);
}

Test(parse, depth_is_bounded)
{
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    for (int i = 0; i < 100000; i++)
        dfr_buf_char(&b, '(');
    cr_expect_null(expression(dfr_buf_text(&b).p));
    cr_expect_eq(diags.errors, 1);
    dfr_buf_init(&b, &arena);
    for (int i = 0; i < 5000; i++)
        dfr_buf_z(&b, "not ");
    dfr_buf_z(&b, "x");
    cr_expect_null(expression(dfr_buf_text(&b).p));
    dfr_buf_init(&b, &arena);
    for (int i = 0; i < 5000; i++)
        dfr_buf_z(&b, "x + ");
    dfr_buf_z(&b, "x");
    cr_expect_null(expression(dfr_buf_text(&b).p));
    /* Long chains of one connective are flat. */
    dfr_buf_init(&b, &arena);
    for (int i = 0; i < 5000; i++)
        dfr_buf_z(&b, "x or ");
    dfr_buf_z(&b, "x");
    struct dfr_expr *e = expression(dfr_buf_text(&b).p);
    cr_assert_not_null(e);
    cr_expect_eq(e->depth, 2);
}

Test(parse, refuses_broken_bytes)
{
    static const struct {
        const char *text;
        size_t len;
        uint32_t code, column;
    } rows[] = {
        {"// a\0b", 6, DFR_D_NUL_BYTE, 5},        {"// \xFF\n", 5, DFR_D_NOT_UTF8, 4},
        {"// \xC3", 4, DFR_D_NOT_UTF8, 4},        {"// \xE2\x80\xAE x", 8, DFR_D_BIDI_CONTROL, 4},
        {"\xFF\xFE/\0/\0", 6, DFR_D_NOT_UTF8, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dfr_diags_init(&diags, &arena);
        parse("t.dfr", rows[i].text, rows[i].len);
        cr_assert_gt(diags.n, 0, "row %zu", i);
        cr_expect_eq((uint32_t)diags.v[0].code, rows[i].code, "row %zu", i);
        cr_expect_eq(diags.v[0].column, rows[i].column, "row %zu", i);
    }
}

Test(parse, refuses_large_files)
{
    size_t len = DFR_LIMIT_SOURCE_BYTES + 1u;
    char *text = malloc(len);
    memset(text, ' ', len);
    parse("t.dfr", text, len);
    cr_assert_eq(diags.n, 1);
    cr_expect_eq((int)diags.v[0].code, DFR_D_TOO_LARGE);
    free(text);
}

Test(parse, keywords_are_sorted)
{
    size_t n;
    const struct dfr_keyword *k = dfr_keyword_rows(&n);
    for (size_t i = 1; i < n; i++)
        cr_expect_lt(strcmp(k[i - 1].word, k[i].word), 0, "%s", k[i].word);
    /* Contextual words are names wherever a name can stand; reserved ones are not. */
    for (size_t i = 0; i < n; i++) {
        char text[64];
        snprintf(text, sizeof text, "list %s = [1];", k[i].word);
        dfr_diags_init(&diags, &arena);
        parse("t.dfr", dfr_arena_copy(&arena, text, strlen(text)), strlen(text));
        cr_expect_eq(diags.errors != 0, k[i].reserved, "%s", k[i].word);
    }
}

Test(parse, columns_and_cells)
{
    /* Wide characters count one column and two cells; tabs are shown as blanks. */
    static const char text[] = "list a = [\"\xE6\xBC\xA2\xE5\xAD\x97\", @];\n\tlist b = @;\n";
    parse("t.dfr", text, sizeof text - 1);
    cr_assert_eq(diags.n, 2);
    cr_expect_eq(diags.v[0].column, 17);
    cr_expect_eq(diags.v[0].caret, 18);
    cr_expect_eq(diags.v[1].column, 11);
    cr_expect_eq(diags.v[1].caret, 13);
    cr_expect_eq(diags.v[1].source.p[0], ' ');
}
