/* Programs as data: building, verifying, storing, listing; and the gate before pcre2. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "assemble.h"
#include "base/limits.h"

static struct dfr_mem mem;
static jmp_buf guard;
static struct dfr_arena arena;

static void open_code(void)
{
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    if (setjmp(guard))
        cr_assert_fail("out of memory");
    dfr_arena_init(&arena, &mem);
}

static void close_code(void)
{
    dfr_arena_deinit(&arena);
    cr_assert_eq(mem.live, 0);
}

TestSuite(code, .init = open_code, .fini = close_code);

/* --- The tables --- */

Test(code, builtin_rows)
{
    const struct dfr_builtin_info *b = dfr_builtin_info(DFR_B_MASKED);
    cr_expect_eq(b->args, 3);
    cr_expect_eq(b->arg[2], DFR_KIND_ADDR);
    cr_expect_eq(b->kind, DFR_KIND_BOOL);
    b = dfr_builtin_info(DFR_B_INSN);
    cr_expect_eq(b->kind, DFR_KIND_ROW);
    cr_expect_eq(b->param, DFR_T_INSNS);
    b = dfr_builtin_info(DFR_B_FIRST_CAUSE);
    cr_expect_eq(b->args, 0);
    cr_expect(b->test_only);
    cr_expect_eq(dfr_builtin_info(DFR_B_VERDICT)->param, DFR_E_VERDICT);
    cr_expect_null(dfr_builtin_info(DFR_B_COUNT));
    cr_expect_null(dfr_op_info(DFR_OP_COUNT));
    cr_expect_eq(dfr_op_info(DFR_OP_CALL)->in, -1);
}

/* --- Building --- */

Test(code, equal_things_are_stored_once)
{
    struct dfr_program p;
    struct assembler as;
    assembler_init(&as, &arena, &p);
    for (int i = 0; i < 1000; i++) {
        char text[16];
        snprintf(text, sizeof text, "t%d", i % 100);
        dfr_build_text(&as.b, dfr_str_from(text));
        dfr_build_const(&as.b, dfr_const_int(i % 100));
    }
    cr_expect_eq(p.consts.n, 100);
    cr_expect_eq(as.b.text_list.n, 100);
    cr_expect_eq(p.pool.n, 10 * 2 + 90 * 3);
    uint32_t a = assemble_code(&as, "scalar bugcheck.code const i:5 eq", 0, 4, DFR_NONE);
    uint32_t b = assemble_code(&as, "scalar bugcheck.code const i:5 eq", 0, 4, DFR_NONE);
    uint32_t c = assemble_code(&as, "scalar bugcheck.code const i:6 eq", 0, 4, DFR_NONE);
    cr_expect_eq(a, b);
    cr_expect_neq(a, c);
}

/* --- Verifying --- */

struct bad_code {
    int line;
    uint32_t words[12];
    uint32_t n;
    const char *says;
};
#define W(op, operand) ((uint32_t)(op) | (uint32_t)(operand) << 8)
static const struct bad_code bad[] = {
    {__LINE__, {0}, 0, "does not end with RET"},
    {__LINE__, {W(DFR_OP_RET, 0)}, 1, "not enough values"},
    {__LINE__, {W(DFR_OP_CONST, 0)}, 1, "does not end with RET"},
    {__LINE__, {W(DFR_OP_CONST, 99), W(DFR_OP_RET, 0)}, 2, "no such constant"},
    {__LINE__, {W(DFR_OP_CONST, 0), W(DFR_OP_CONST, 0), W(DFR_OP_RET, 0)}, 3, "RET does not end"},
    {__LINE__, {W(DFR_OP_CONST, 0), W(DFR_OP_RET, 0), W(DFR_OP_RET, 0)}, 3, "RET does not end"},
    {__LINE__, {W(255, 0), W(DFR_OP_RET, 0)}, 2, "no such instruction"},
    {__LINE__, {W(DFR_OP_CONST, 0), W(DFR_OP_EQ, 0), W(DFR_OP_RET, 0)}, 3, "not enough values"},
    {__LINE__, {W(DFR_OP_CONST, 0), W(DFR_OP_NOT, 1), W(DFR_OP_RET, 0)}, 3, "an operand where"},
    {__LINE__, {W(DFR_OP_SCALAR, DFR_F_MODULES), W(DFR_OP_RET, 0)}, 2, "no such scalar"},
    {__LINE__, {W(DFR_OP_TABLE, DFR_T_COUNT), W(DFR_OP_RET, 0)}, 2, "no such table"},
    {__LINE__, {W(DFR_OP_LISTREF, 9), W(DFR_OP_RET, 0)}, 2, "no such list"},
    {__LINE__, {W(DFR_OP_VAR, 0), W(DFR_OP_RET, 0)}, 2, "the slot holds no row"},
    {__LINE__, {W(DFR_OP_ARG, 0), W(DFR_OP_RET, 0)}, 2, "no such argument"},
    {__LINE__, {W(DFR_OP_LET, 0), W(DFR_OP_RET, 0)}, 2, "no such let"},
    {__LINE__, {W(DFR_OP_FACT, 9), W(DFR_OP_RET, 0)}, 2, "no such fact"},
    {__LINE__, {W(DFR_OP_CALL, 9), W(DFR_OP_RET, 0)}, 2, "no such function"},
    {__LINE__, {W(DFR_OP_BUILTIN, DFR_B_COUNT), W(DFR_OP_RET, 0)}, 2, "no such builtin"},
    {__LINE__, {W(DFR_OP_BUILTIN, DFR_B_MODULE), W(DFR_OP_RET, 0)}, 2, "not enough values"},
    {__LINE__,
     {W(DFR_OP_CONST, 0), W(DFR_OP_COLUMN, DFR_F_BUGCHECK_CODE), W(DFR_OP_RET, 0)},
     3,
     "no such column"},
    {__LINE__,
     {W(DFR_OP_CONST, 0), W(DFR_OP_MODCELL, DFR_F_STACK_SP), W(DFR_OP_RET, 0)},
     3,
     "not a column of modules"},
    {__LINE__, {W(DFR_OP_CONST, 0), W(DFR_OP_SYMPART, 3), W(DFR_OP_RET, 0)}, 3, "no such part"},
    {__LINE__, {W(DFR_OP_CONST, 0), W(DFR_OP_HAS, 9), W(DFR_OP_RET, 0)}, 3, "no such pattern"},
    {__LINE__, {W(DFR_OP_CONST, 0), W(DFR_OP_HAS_SEQ, 9), W(DFR_OP_RET, 0)}, 3, "no such sequence"},
    /* Labels: ahead, on an instruction, at the same height, inside the quantifier. */
    {__LINE__, {W(DFR_OP_CONST, 0), W(DFR_OP_AND_SKIP, 0), W(DFR_OP_RET, 0)}, 3, "not ahead"},
    {__LINE__, {W(DFR_OP_CONST, 0), W(DFR_OP_AND_SKIP, 9), W(DFR_OP_RET, 0)}, 3, "not ahead"},
    {__LINE__,
     {W(DFR_OP_CONST, 0), W(DFR_OP_AND_SKIP, 3), W(DFR_OP_CONST, 0), W(DFR_OP_AND, 0),
      W(DFR_OP_RET, 0)},
     5,
     "heights differ"},
    {__LINE__,
     {W(DFR_OP_CONST, 0), W(DFR_OP_AND_SKIP, 4), W(DFR_OP_OF, 0), 0, 1, W(DFR_OP_RET, 0)},
     6,
     "into an instruction"},
    {__LINE__,
     {W(DFR_OP_CONST, 0), W(DFR_OP_AND_SKIP, 4), W(DFR_OP_AND_SKIP, 5), W(DFR_OP_NOT, 0),
      W(DFR_OP_NOT, 0), W(DFR_OP_RET, 0)},
     6,
     "labels cross"},
    {__LINE__,
     {W(DFR_OP_TABLE, 0), W(DFR_OP_FOLD, 0), 0, 6, W(DFR_OP_CONST, 0), W(DFR_OP_NEXT, 4),
      W(DFR_OP_RET, 0)},
     7,
     ""},
    {__LINE__,
     {W(DFR_OP_TABLE, 0), W(DFR_OP_FOLD, 0), 0, 7, W(DFR_OP_CONST, 0), W(DFR_OP_AND_SKIP, 7),
      W(DFR_OP_NEXT, 4), W(DFR_OP_RET, 0)},
     8,
     "leaves its quantifier"},
    {__LINE__,
     {W(DFR_OP_TABLE, 0), W(DFR_OP_FOLD, 0), 0, 99, W(DFR_OP_CONST, 0), 0},
     6,
     "does not end in the chunk"},
    {__LINE__,
     {W(DFR_OP_TABLE, 0), W(DFR_OP_FOLD, 0), 0, 6, W(DFR_OP_CONST, 0), W(DFR_OP_NEXT, 0),
      W(DFR_OP_RET, 0)},
     7,
     "do not agree"},
    {__LINE__,
     {W(DFR_OP_TABLE, 0), W(DFR_OP_FOLD, 0), 0, 7, W(DFR_OP_CONST, 0), W(DFR_OP_CONST, 0),
      W(DFR_OP_NEXT, 4), W(DFR_OP_RET, 0)},
     8,
     "more than one value"},
    {__LINE__,
     {W(DFR_OP_CONST, 0), W(DFR_OP_TABLE, 0), W(DFR_OP_FOLD, 0), 0, 7, W(DFR_OP_NOT, 0),
      W(DFR_OP_NEXT, 5), W(DFR_OP_RET, 0)},
     8,
     "not enough values"},
    {__LINE__,
     {W(DFR_OP_TABLE, 0), W(DFR_OP_FOLD, 9 << 4), 0, 6, W(DFR_OP_CONST, 0), 0},
     6,
     "the slot does not exist"},
    {__LINE__,
     {W(DFR_OP_TABLE, 0), W(DFR_OP_FOLD, 7), 0, 6, W(DFR_OP_CONST, 0), 0},
     6,
     "no such quantifier"},
    {__LINE__, {W(DFR_OP_CONST, 0), W(DFR_OP_NEXT, 0), W(DFR_OP_RET, 0)}, 3, "outside"},
    {__LINE__,
     {W(DFR_OP_CONST, 0), W(DFR_OP_OF, DFR_FOLD_FIRST), 0, 1, W(DFR_OP_RET, 0)},
     5,
     "over values"},
    {__LINE__, {W(DFR_OP_CONST, 0), W(DFR_OP_OF, 0), 0}, 3, "ends inside an instruction"},
    {__LINE__,
     {W(DFR_OP_CONST, 0), W(DFR_OP_OF, 0), 0, UINT32_MAX, W(DFR_OP_RET, 0)},
     5,
     "not enough values"},
};

Test(code, bad_code_is_refused)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct dfr_program p;
        struct dfr_err err = {0};
        dfr_program_init(&p, &arena);
        *DFR_PUSH(&arena, &p.consts) = dfr_const_bool(true);
        for (uint32_t k = 0; k < bad[i].n; k++)
            *DFR_PUSH(&arena, &p.code) = bad[i].words[k];
        *DFR_PUSH(&arena, &p.chunks) = (struct dfr_pchunk){0, bad[i].n, 0, 4, DFR_NONE, 0};
        enum dfr_status s = dfr_program_verify(&p, &err);
        cr_expect_eq(s, bad[i].says[0] ? DFR_BAD_CACHE : DFR_OK, "line %d: %s", bad[i].line,
                     err.message);
        cr_expect(strstr(err.message, bad[i].says), "line %d: %s", bad[i].line, err.message);
    }
}

static enum dfr_status verify_text(const char *program, struct dfr_err *err)
{
    struct dfr_program p;
    struct assembler as;
    assembler_init(&as, &arena, &p);
    assemble_program(&as, program);
    cr_assert_not(as.failed);
    return dfr_program_verify(&p, err);
}

Test(code, nothing_reads_itself)
{
    struct dfr_err err = {0};
    cr_expect_eq(verify_text("fact: fact 1\nfact: const b:1", &err), DFR_OK, "%s", err.message);
    cr_expect_eq(verify_text("fact: fact 0", &err), DFR_BAD_CACHE);
    cr_expect(strstr(err.message, "reads itself"), "%s", err.message);
    cr_expect_eq(verify_text("fact: fact 1\nfact: fact 0", &err), DFR_BAD_CACHE);
    cr_expect_eq(verify_text("fn: 1: arg 0 call 0", &err), DFR_BAD_CACHE);
    cr_expect_eq(verify_text("let: const i:1\nlet: let 0", &err), DFR_OK, "%s", err.message);
    cr_expect_eq(verify_text("let: let 1\nlet: const i:1", &err), DFR_BAD_CACHE);
}

Test(code, depth_and_stack_are_bounded)
{
    struct dfr_err err = {0};
    char chain[8192] = "fact: const b:1\n";
    for (int i = 0; i < DFR_LIMIT_VM_CALL_DEPTH - 1; i++)
        sprintf(chain + strlen(chain), "fact: fact %d\n", i);
    cr_expect_eq(verify_text(chain, &err), DFR_OK, "%s", err.message);
    strcat(chain, "fact: fact 63\n");
    cr_expect_eq(verify_text(chain, &err), DFR_BAD_CACHE);
    cr_expect(strstr(err.message, "deeper"), "%s", err.message);
    char wide[8192] = "fact:";
    for (int i = 0; i < 200; i++)
        strcat(wide, " const b:1");
    strcat(wide, " of all 200\nfact:");
    for (int i = 0; i < 100; i++)
        strcat(wide, " const b:1");
    strcat(wide, " fact 0 of all 101");
    cr_expect_eq(verify_text(wide, &err), DFR_BAD_CACHE);
    cr_expect(strstr(err.message, "values on the stack"), "%s", err.message);
}

/* --- Storing --- */

static void some_program(struct dfr_program *p)
{
    struct assembler as;
    assembler_init(&as, &arena, p);
    assemble_program(&as,
                     "list: m:iaStor m:nt\nrecords: 2: s:a i:1 s:b -\n"
                     "fact: table stack has nt!Ki*\nfn: 1: arg 0 const i:1 add\n"
                     "let: table stack fold count 1 var 1 column stack.func const s:x eq next\n"
                     "let: let 0 const i:2 gt and_skip e fact 0 and e:\n");
    p->facts.v[0].name = dfr_build_text(&as.b, DFR_STR("faulted"));
    p->rules.v[0].name = dfr_build_text(&as.b, DFR_STR("pack.rule"));
    p->source_hash[0] = 7;
    *DFR_PUSH(&arena, &p->clauses) =
        (struct dfr_pclause){.chunk = p->let_chunks.v[1], .source.file = DFR_NONE};
    p->rules.v[0].clause_count = 1;
}

static struct dfr_str stored(const struct dfr_program *p)
{
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    dfr_program_write(p, &b);
    cr_assert_not(b.cut);
    return dfr_buf_text(&b);
}

Test(code, what_is_stored_comes_back)
{
    struct dfr_program p, q;
    struct dfr_err err = {0};
    some_program(&p);
    struct dfr_str bytes = stored(&p);
    cr_assert_eq(dfr_program_read(&arena, bytes, &q, &err), DFR_OK, "%s", err.message);
    cr_expect_eq(dfr_program_verify(&q, &err), DFR_OK, "%s", err.message);
    cr_expect(dfr_str_eq(bytes, stored(&q)), "a second copy differs");
    struct dfr_buf a, b;
    dfr_buf_init(&a, &arena);
    dfr_buf_init(&b, &arena);
    dfr_program_disasm(&p, DFR_NONE, &a);
    dfr_program_disasm(&q, DFR_NONE, &b);
    cr_expect(dfr_str_eq(dfr_buf_text(&a), dfr_buf_text(&b)), "the listings differ");
}

/* Cut at every length, and with every byte changed: refused, never believed. */
Test(code, damaged_files_are_refused)
{
    struct dfr_program p, q;
    struct dfr_err err = {0};
    some_program(&p);
    struct dfr_str bytes = stored(&p);
    for (size_t n = 0; n < bytes.len; n++)
        cr_expect_eq(dfr_program_read(&arena, (struct dfr_str){bytes.p, n}, &q, &err),
                     DFR_BAD_CACHE, "%zu bytes", n);
    char *copy = dfr_arena_copy(&arena, bytes.p, bytes.len);
    for (size_t n = 0; n < bytes.len; n++) {
        copy[n] ^= 0x20;
        cr_expect_eq(dfr_program_read(&arena, (struct dfr_str){copy, bytes.len}, &q, &err),
                     DFR_BAD_CACHE, "byte %zu", n);
        copy[n] ^= 0x20;
    }
}

Test(code, listing)
{
    struct dfr_program p;
    some_program(&p);
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    dfr_program_disasm(&p, DFR_NONE, &b);
    static const char expected[] = "fact 0  faulted\n"
                                   "    ; chunk 0, cost 23\n"
                                   "       0  TABLE      stack\n"
                                   "       1  HAS        nt!Ki*\n"
                                   "       2  RET\n";
    cr_expect(strncmp(b.p, expected, sizeof expected - 1) == 0, "%s", b.p);
    cr_expect(strstr(b.p, "FOLD       count, slot 1, empty -> 9"), "%s", b.p);
    cr_expect(strstr(b.p, "AND_SKIP   -> 6"), "%s", b.p);
}

/* --- Regular expressions --- */

struct pattern_row {
    const char *pattern, *text, *says; /* `says`: "yes", "no", or what the refusal holds */
};
static const struct pattern_row patterns[] = {
    {"abc", "xxabcxx", "yes"},
    {"^abc", "xabc", "no"},
    {"^abc", "abcd", "yes"},
    {"^ab?c", "ac", "yes"},
    {"abc|def", "def", "yes"},
    {"ab*", "a", "yes"},
    {"[]a]+$", "]a]", "yes"},
    {"[[:digit:]]+", "a1", "yes"},
    {"[\\]\\[]", "[", "yes"},
    {"(?i)ABC", "abc", "yes"},
    {"(?:a|b)c", "bc", "yes"},
    {"\\bKi\\w+", "nt!KiFoo", "yes"},
    {"nt!Ki(?>a+)b", "nt!Kiaaab", "yes"},
    {"", "x", "yes"},
    {"(a)\\1", "", "back-references"},
    {"(?<n>a)", "", "groups"},
    {"(?P<n>a)\\k<n>", "", "groups"},
    {"a(?=b)", "", "lookaround"},
    {"a(?!b)", "", "lookaround"},
    {"(?<=a)b", "", "lookaround"},
    {"(?R)", "", "groups"},
    {"(a)(?1)", "", "groups"},
    {"(?x)[#]", "", "groups"},
    {"(*ACCEPT)", "", "verbs"},
    {"(?|a|b)", "", "groups"},
    {"\\Ka", "", "escape"},
    {"\\Q(?=a)\\E", "", "escape"},
    {"[[a]", "", "bracket"},
    {"[a", "", "class"},
    {"(a", "", "at offset"},
    {"a\\", "", "backslash"},
    {"(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "limit"},
};

Test(code, regular_expressions)
{
    struct dfr_regex_scratch *scratch = dfr_regex_scratch_new(&arena);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const struct pattern_row *r = &patterns[i];
        struct dfr_regex *x = NULL;
        struct dfr_err err = {0};
        if (dfr_regex_new(&arena, dfr_str_from(r->pattern), false, &x, &err) != DFR_OK) {
            cr_expect(strstr(err.message, r->says), "/%s/: %s", r->pattern, err.message);
            continue;
        }
        static const char *const words[] = {"no", "yes", "limit"};
        const char *got = words[dfr_regex_match(x, scratch, dfr_str_from(r->text))];
        cr_expect_str_eq(got, r->says, "/%s/ on %s: %s", r->pattern, r->text, got);
    }
    struct dfr_regex *x = NULL;
    cr_assert_eq(dfr_regex_new(&arena, DFR_STR("^FOO"), true, &x, NULL), DFR_OK);
    cr_expect_eq(dfr_regex_match(x, scratch, DFR_STR("foobar")), DFR_REGEX_YES);
}
