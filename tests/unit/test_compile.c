/* The compiler: what it says about rule sets that mean nothing, that the order of files and items
 * never shows, and what the language's expressions are worth on given facts. */
#include <criterion/criterion.h>
#include <dirent.h>

#include "base/diag_text.h"
#include "blocks.h"
#include "lang/compile.h"
#include "lang/parse.h"
#include "vm/eval.h"

static struct dfr_mem mem;
static jmp_buf guard;
static struct dfr_arena arena;
static struct dfr_diags diags;
static struct dfr_program program;
static struct dfr_err err;

static void open_arena(void)
{
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    if (setjmp(guard))
        cr_assert_fail("out of memory");
    dfr_arena_init(&arena, &mem);
}

static void close_arena(void)
{
    dfr_arena_deinit(&arena);
    cr_assert_eq(mem.live, 0);
}

TestSuite(compile, .init = open_arena, .fini = close_arena);

enum { MOST_FILES = 256, NOW = 1900000000 };
struct files {
    struct dfr_compile_source v[MOST_FILES];
    size_t n;
};

static bool lint;

static enum dfr_status compile(const struct files *f)
{
    struct dfr_compile_options options = {.now = NOW, .lint = lint};
    dfr_diags_init(&diags, &arena);
    return dfr_compile(&arena, f->v, f->n, &options, &diags, &program, &err);
}

static struct dfr_str keep(const char *p, size_t len)
{
    return (struct dfr_str){dfr_arena_copy(&arena, p, len), len};
}

static void add_file(struct files *f, struct dfr_str path, struct dfr_str text, int layer)
{
    cr_assert_lt(f->n, (size_t)MOST_FILES);
    f->v[f->n++] = (struct dfr_compile_source){path, text, layer};
}

/* Lines `>>> path [layer]` begin files; what stands before the first is t.dfr. */
static struct files split(const char *text)
{
    struct files f = {.n = 0};
    struct dfr_str path = DFR_STR("t.dfr");
    const char *from = text, *at = text;
    int layer = 0;
    while (*at) {
        const char *end = strchr(at, '\n');
        if (strncmp(at, ">>> ", 4) == 0) {
            if (at > from)
                add_file(&f, path, keep(from, (size_t)(at - from)), layer);
            const char *blank = memchr(at + 4, ' ', (size_t)(end - at - 4));
            layer = blank ? atoi(blank) : 0;
            path = keep(at + 4, (size_t)((blank ? blank : end) - at - 4));
            from = end + 1;
        }
        at = end + 1;
    }
    if (at > from)
        add_file(&f, path, keep(from, (size_t)(at - from)), layer);
    return f;
}

static char *run_diagnostics(const struct block *b)
{
    struct files f = split(b->input);
    enum dfr_status s = compile(&f);
    struct dfr_buf out;
    dfr_buf_init(&out, &arena);
    dfr_diags_text(&out, &diags, 0, false);
    if (s == DFR_OK)
        dfr_buf_z(&out, dfr_program_verify(&program, &err) == DFR_OK ? "ok\n" : err.message);
    return strndup(dfr_buf_text(&out).p, out.len);
}

Test(compile, messages)
{
    check_blocks("tests/cases/lang/compile.txt", run_diagnostics);
}

Test(compile, findings)
{
    lint = true;
    check_blocks("tests/cases/lang/lint.txt", run_diagnostics);
}

static char *run_listing(const struct block *b)
{
    struct files f = split(b->input);
    struct dfr_buf out;
    dfr_buf_init(&out, &arena);
    if (compile(&f) == DFR_OK && dfr_program_verify(&program, &err) == DFR_OK)
        dfr_program_disasm(&program, DFR_NONE, &out);
    else
        dfr_diags_text(&out, &diags, 0, false);
    return strndup(dfr_buf_text(&out).p, out.len);
}

Test(compile, listings)
{
    check_blocks("tests/cases/lang/listings.txt", run_listing);
}

/* --- Order ----------------------------------------------------------------------------------- */

static void read_folder(struct files *f, const char *folder)
{
    DIR *d = opendir(folder);
    cr_assert(d, "%s", folder);
    for (struct dirent *e; (e = readdir(d));) {
        char path[600];
        int n = snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_type == DT_DIR && e->d_name[0] != '.')
            read_folder(f, path);
        if (n < 4 || strcmp(path + n - 4, ".dfr") != 0)
            continue;
        size_t len;
        char *text = read_whole(path, &len);
        add_file(f, keep(path, (size_t)n), keep(text, len), 0);
        free(text);
    }
    closedir(d);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void shuffle_files(struct files *f, uint32_t seed)
{
    for (size_t i = f->n; i > 1; i--) {
        size_t k = next_random(&seed) % i;
        struct dfr_compile_source x = f->v[i - 1];
        f->v[i - 1] = f->v[k];
        f->v[k] = x;
    }
}

/* The items of every file in another order. */
static void shuffle_items(struct files *f, uint32_t seed)
{
    for (size_t i = 0; i < f->n; i++) {
        struct dfr_source s;
        struct dfr_file tree;
        dfr_diags_init(&diags, &arena);
        dfr_source_init(&s, &arena, f->v[i].path, f->v[i].text);
        dfr_parse(&arena, &s, &diags, &tree);
        struct dfr_loc items[2000];
        uint32_t n = 0;
        for (const struct dfr_node *k = tree.items; k && n < 2000; k = k->next)
            items[n++] = k->loc;
        for (uint32_t k = n; k > 1; k--) {
            uint32_t other = next_random(&seed) % k;
            struct dfr_loc x = items[k - 1];
            items[k - 1] = items[other];
            items[other] = x;
        }
        struct dfr_buf b;
        dfr_buf_init(&b, &arena);
        for (uint32_t k = 0; k < n; k++) {
            dfr_buf_str(&b, dfr_source_text(&s, items[k]));
            dfr_buf_char(&b, '\n');
        }
        f->v[i].text = dfr_buf_text(&b);
    }
}

/* Without the places, which move with the items. */
static struct dfr_str without_places(struct dfr_str listing)
{
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    while (listing.len) {
        size_t end = dfr_str_find(listing, DFR_STR("\n"));
        struct dfr_str line = dfr_str_slice(listing, 0, end);
        size_t place = dfr_str_find(line, DFR_STR("  ["));
        dfr_buf_str(&b, dfr_str_slice(line, 0, place == SIZE_MAX ? line.len : place));
        dfr_buf_char(&b, '\n');
        listing = dfr_str_slice(listing, end + 1, listing.len);
    }
    return dfr_buf_text(&b);
}

static struct dfr_str listing_of(const struct files *f)
{
    struct dfr_buf out;
    dfr_buf_init(&out, &arena);
    if (compile(f) != DFR_OK) {
        dfr_diags_text(&out, &diags, 0, false);
        cr_assert_fail("%s", dfr_buf_text(&out).p);
    }
    enum dfr_status s = dfr_program_verify(&program, &err);
    cr_assert_eq(s, DFR_OK, "%s", err.message);
    dfr_program_disasm(&program, DFR_NONE, &out);
    return dfr_buf_text(&out);
}

static void check_order(const char *folder)
{
    struct files f = {.n = 0};
    read_folder(&f, folder);
    cr_assert_gt(f.n, 0);
    struct dfr_str first = listing_of(&f);
    for (uint32_t seed = 1; seed <= 4; seed++) {
        shuffle_files(&f, seed);
        cr_expect(dfr_str_eq(first, listing_of(&f)), "%s: the order of files shows", folder);
    }
    for (uint32_t seed = 1; seed <= 3; seed++) {
        struct files mixed = f;
        shuffle_items(&mixed, seed);
        cr_expect(dfr_str_eq(without_places(first), without_places(listing_of(&mixed))),
                  "%s: the order of items shows", folder);
    }
}

Test(compile, order_never_shows)
{
    check_order("rules");
    check_order("tests/cases/lang/order");
}

/* The keys that the compiler reads off the rules may pass over nothing that would speak. */
Test(compile, index_of_our_packs_loses_nothing)
{
    struct files f = {.n = 0};
    read_folder(&f, "rules");
    cr_assert_eq(compile(&f), DFR_OK);
    struct dfr_engine *engine;
    cr_assert_eq(dfr_engine_new(&arena, &program, &engine, &err), DFR_OK, "%s", err.message);
    for (uint32_t t = 0; t < program.tests.n; t += 5) {
        struct dfr_facts facts;
        struct dfr_eval with, without;
        struct dfr_eval_options o = {.only_rule = DFR_NONE};
        cr_assert_eq(dfr_given_apply(&program, t, NULL, &arena, &facts, &err), DFR_OK);
        cr_assert_eq(dfr_eval_run(engine, &facts, &o, &arena, &with, &err), DFR_OK);
        o.no_index = true;
        cr_assert_eq(dfr_eval_run(engine, &facts, &o, &arena, &without, &err), DFR_OK);
        cr_expect_leq(with.candidates, without.candidates);
        cr_assert_eq(with.hits.n, without.hits.n, "test %u", t);
        for (uint32_t i = 0; i < with.hits.n; i++) {
            const struct dfr_hit *a = &with.hits.v[i], *b = &without.hits.v[i];
            cr_expect(a->rule == b->rule && a->row == b->row && a->status == b->status, "test %u",
                      t);
        }
    }
}

/* --- Values ---------------------------------------------------------------------------------- */

static void check_values(const char *path)
{
    size_t len;
    char *text = read_whole(path, &len);
    struct files f = {.n = 0};
    add_file(&f, keep(path, strlen(path)), keep(text, len), 0);
    free(text);
    if (compile(&f) != DFR_OK) {
        struct dfr_buf out;
        dfr_buf_init(&out, &arena);
        dfr_diags_text(&out, &diags, 0, false);
        cr_assert_fail("%s", dfr_buf_text(&out).p);
    }
    struct dfr_engine *engine;
    cr_assert_eq(dfr_engine_new(&arena, &program, &engine, &err), DFR_OK, "%s", err.message);
    cr_assert_gt(program.tests.n, 0);
    for (uint32_t t = 0; t < program.tests.n; t++) {
        struct dfr_facts facts;
        cr_assert_eq(dfr_given_apply(&program, t, NULL, &arena, &facts, &err), DFR_OK, "%s",
                     err.message);
        const struct dfr_ptest *test = &program.tests.v[t];
        for (uint32_t i = 0; i < test->expect_count; i++) {
            const struct dfr_pexpect *x = &program.expects.v[test->expect + i];
            struct dfr_tv got;
            cr_assert_eq(dfr_eval_expect(engine, &facts, NULL, x->chunk, &arena, &got, &err),
                         DFR_OK, "%s", err.message);
            struct dfr_str what = dfr_program_text(&program, x->text);
            cr_expect(got.v.state == DFR_KNOWN && got.v.kind == DFR_KIND_BOOL && got.v.as.b,
                      "%s:%u: %.*s is %s", path, x->source.line, (int)what.len, what.p,
                      got.v.state != DFR_KNOWN ? "not known" : "false");
        }
    }
}

Test(compile, values)
{
    check_values("tests/cases/lang/values.dfr");
}
