/* The public header as a host uses it: nothing here includes anything below it. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dfrule.h"

static const char rules_text[] =
    "cause bad { title = \"Bad access\"; axis = \"mechanism\"; prior_db = 0; }\n"
    "rule touch {\n"
    "  when bugcheck.code == 0xD1;\n"
    "  evidence {\n"
    "    for strong \"high\": bugcheck.arg2 >= 2;\n"
    "    for weak \"regex\": stack has /^exnic/;\n"
    "    against moderate \"fetch\": bugcheck.arg3 == 8;\n"
    "  }\n"
    "  conclude bad;\n"
    "  recommend \"Update it.\";\n"
    "  collect \"!pool {bugcheck.arg1}\" if unknown(pool.tag);\n"
    "}\n"
    "test \"sharp\" {\n"
    "  given { bugcheck.code = 0xD1; bugcheck.arg2 = 2; bugcheck.arg3 = 8; stack = "
    "[\"exnic!Read+0x1\"]; }\n"
    "  expect score(touch) == 7;\n"
    "}\n"
    "test \"other\" { given { bugcheck.code = 0x50; } expect not fires(touch); }\n";

static const char crash_text[] =
    "BugCheck D1, {fffff88001a2b3c8, 2, 0, fffff88004c01234}\n"
    "\n"
    "DRIVER_IRQL_NOT_LESS_OR_EQUAL (d1)\n"
    "Arguments:\n"
    "Arg1: fffff88001a2b3c8, memory referenced\n"
    "Arg2: 0000000000000002, IRQL\n"
    "Arg3: 0000000000000000, value 0 = read operation, 1 = write operation\n"
    "Arg4: fffff88004c01234, address which referenced memory\n"
    "\n"
    "STACK_TEXT:\n"
    "fffff880`03a0b5c8 fffff800`02ad11e9 : 00000000`0000000a fffff880`01a2b3c8 00000000`00000002 "
    "00000000`00000000 : nt!KeBugCheckEx\n"
    "fffff880`03a0b710 fffff880`04c01234 : fffffa80`04d5e010 fffff880`04c02000 00000000`00000000 "
    "00000000`00000000 : nt!KiPageFault+0x260\n"
    "fffff880`03a0b8a0 fffff880`04c02010 : fffffa80`04d5e010 00000000`00000000 00000000`00000000 "
    "00000000`00000000 : exnic+0x1234\n";

struct text {
    char *p;
    size_t len;
};

static int collect(void *user, const char *p, size_t len)
{
    struct text *t = user;
    t->p = realloc(t->p, t->len + len + 1);
    memcpy(t->p + t->len, p, len);
    t->len += len;
    t->p[t->len] = '\0';
    return 0;
}

static int refuse(void *user, const char *p, size_t len)
{
    (void)user;
    (void)p;
    (void)len;
    return 1;
}

static dfr_text T(const char *z)
{
    return (dfr_text){z, strlen(z)};
}

static dfr_rules *compile(const char *z)
{
    dfr_rule_source source = {.path = T("a.dfr"), .text = T(z)};
    dfr_rules *rules = NULL;
    dfr_diagnostics *d = NULL;
    dfr_error error = {0};
    dfr_result r = dfr_rules_compile(&source, 1, NULL, &rules, &d, &error);
    struct text t = {0};
    if (d)
        (void)!dfr_diagnostics_write(d, DFR_FORMAT_TEXT, NULL, collect, &t, &error);
    cr_assert_eq(r, DFR_RESULT_OK, "%s %s", error.message, t.p ? t.p : "");
    free(t.p);
    dfr_diagnostics_free(d);
    return rules;
}

static dfr_crash *open_text(const char *z)
{
    dfr_input in = {.size = sizeof in, .path = "crash.txt", .bytes = z, .len = strlen(z)};
    dfr_crash *crash = NULL;
    dfr_error error = {0};
    cr_assert_eq(dfr_crash_open(&in, NULL, &crash, &error), DFR_RESULT_OK, "%s", error.message);
    return crash;
}

static char *answer_of(const dfr_rules *rules, const dfr_crash *crash, dfr_format format)
{
    dfr_answer *answer = NULL;
    dfr_error error = {0};
    struct text t = {0};
    cr_assert_eq(dfr_check(rules, crash, NULL, &answer, &error), DFR_RESULT_OK, "%s",
                 error.message);
    cr_assert_eq(dfr_answer_write(answer, format, NULL, collect, &t, &error), DFR_RESULT_OK, "%s",
                 error.message);
    dfr_answer_free(answer);
    return t.p;
}

Test(api, an_answer_has_its_cause_and_action)
{
    dfr_rules *rules = compile(rules_text);
    dfr_crash *crash = open_text(crash_text);
    char *text = answer_of(rules, crash, DFR_FORMAT_TEXT);
    cr_expect(strstr(text, "Bad access"), "%s", text);
    cr_expect(strstr(text, "Update it."), "%s", text);
    free(text);
    dfr_crash_free(crash);
    dfr_rules_free(rules);
}

Test(api, an_answer_outlives_its_rules_and_its_crash)
{
    dfr_rules *rules = compile(rules_text);
    dfr_crash *crash = open_text(crash_text), *other = NULL;
    dfr_answer *answer = NULL;
    dfr_error error = {0};
    dfr_text given = T("bugcheck.arg3 = 8");
    struct text t = {0};
    cr_assert_eq(dfr_crash_what_if(crash, &given, 1, &other, &error), DFR_RESULT_OK, "%s",
                 error.message);
    cr_assert_eq(dfr_check(rules, other, NULL, &answer, &error), DFR_RESULT_OK);
    dfr_crash_free(crash);
    dfr_rules_free(rules);
    dfr_crash_free(other);
    cr_expect_eq(dfr_answer_write(answer, DFR_FORMAT_NDJSON, NULL, collect, &t, &error),
                 DFR_RESULT_OK);
    cr_expect(t.p && strchr(t.p, '\n') == t.p + t.len - 1, "one line");
    cr_expect_eq(dfr_answer_strength(answer), 2);
    free(t.p);
    dfr_answer_free(answer);
}

/* ---- Memory -------------------------------------------------------------------------------- */

struct host {
    size_t calls, fail_at; /* fail_at 0: never */
    size_t live;
};

static void *host_alloc(void *user, size_t size)
{
    struct host *h = user;
    h->calls++;
    if (h->fail_at && h->calls == h->fail_at)
        return NULL;
    h->live++;
    return malloc(size);
}

static void host_free(void *user, void *p)
{
    struct host *h = user;
    h->live -= p != NULL;
    free(p);
}

static int discard(void *user, const char *p, size_t len)
{
    (void)user;
    (void)p;
    (void)len;
    return 0;
}

/* Everything that takes memory, in one go; the first failure ends it. */
static dfr_result everything(dfr_memory memory)
{
    dfr_rules_options rules_options = {.size = sizeof rules_options, .memory = memory, .lint = 1};
    dfr_crash_options crash_options = {.size = sizeof crash_options, .memory = memory};
    dfr_check_options check_options = {.size = sizeof check_options, .memory = memory};
    dfr_rule_source source = {.path = T("a.dfr"), .text = T(rules_text)};
    dfr_input in = {.size = sizeof in, .path = "x", .bytes = crash_text, .len = strlen(crash_text)};
    dfr_rules *rules = NULL;
    dfr_diagnostics *diagnostics = NULL;
    dfr_crash *crash = NULL, *other = NULL;
    dfr_answer *answer = NULL;
    dfr_error error = {0};
    dfr_text given = T("bugcheck.arg3 = 8");
    uint32_t good = 0, bad = 0;
    dfr_result r = dfr_rules_compile(&source, 1, &rules_options, &rules, &diagnostics, &error);
    if (r == DFR_RESULT_OK)
        r = dfr_diagnostics_write(diagnostics, DFR_FORMAT_JSON, NULL, discard, NULL, &error);
    if (r == DFR_RESULT_OK)
        r = dfr_rules_disasm(rules, T(""), discard, NULL, &error);
    if (r == DFR_RESULT_OK)
        r = dfr_rules_test(rules, NULL, DFR_FORMAT_JSON, NULL, discard, NULL, &good, &bad, &error);
    if (r == DFR_RESULT_OK)
        r = dfr_crash_open(&in, &crash_options, &crash, &error);
    if (r == DFR_RESULT_OK)
        r = dfr_crash_write_facts(crash, 0, DFR_FORMAT_JSON, NULL, discard, NULL, &error);
    if (r == DFR_RESULT_OK)
        r = dfr_crash_what_if(crash, &given, 1, &other, &error);
    if (r == DFR_RESULT_OK)
        r = dfr_check(rules, other, &check_options, &answer, &error);
    if (r == DFR_RESULT_OK)
        r = dfr_answer_write(answer, DFR_FORMAT_TEXT, NULL, discard, NULL, &error);
    if (r == DFR_RESULT_OK)
        r = dfr_explain(rules, crash, 0, T("touch"), DFR_FORMAT_TEXT, NULL, discard, NULL, &error);
    dfr_answer_free(answer);
    dfr_crash_free(other);
    dfr_crash_free(crash);
    dfr_diagnostics_free(diagnostics);
    dfr_rules_free(rules);
    cr_assert(r == DFR_RESULT_OK || r == DFR_RESULT_NO_MEMORY, "%d: %s", r, error.message);
    return r;
}

Test(api, any_allocation_may_fail, .timeout = 60)
{
    size_t n = 0;
    for (;;) {
        struct host h = {.fail_at = ++n};
        dfr_memory memory = {host_alloc, host_free, &h, 0};
        dfr_result r = everything(memory);
        cr_assert_eq(h.live, 0, "allocation %zu: %zu blocks are left", n, h.live);
        if (r == DFR_RESULT_OK)
            break;
    }
    cr_expect_gt(n, 10);
}

Test(api, a_memory_limit_is_kept)
{
    struct host h = {0};
    dfr_memory memory = {host_alloc, host_free, &h, 1000};
    cr_expect_eq(everything(memory), DFR_RESULT_NO_MEMORY);
    cr_expect_eq(h.live, 0);
}

/* ---- Misuse -------------------------------------------------------------------------------- */

Test(api, half_a_memory_is_refused)
{
    dfr_crash_options o = {.size = sizeof o, .memory = {.alloc = host_alloc}};
    dfr_input in = {.size = sizeof in, .bytes = "x", .len = 1};
    dfr_crash *crash = NULL;
    dfr_error error = {0};
    cr_expect_eq(dfr_crash_open(&in, &o, &crash, &error), DFR_RESULT_MISUSE);
    cr_expect_null(crash);
}

Test(api, an_option_struct_without_its_size_is_refused)
{
    dfr_input in = {.path = "x"};
    dfr_crash *crash = NULL;
    dfr_error error = {0};
    cr_expect_eq(dfr_crash_open(&in, NULL, &crash, &error), DFR_RESULT_MISUSE);
    in.size = sizeof in;
    in.path = NULL;
    cr_expect_eq(dfr_crash_open(&in, NULL, &crash, NULL), DFR_RESULT_MISUSE);
}

Test(api, a_writer_that_stops_ends_the_call)
{
    dfr_crash *crash = open_text(crash_text);
    dfr_error error = {0};
    cr_expect_eq(dfr_crash_write_facts(crash, 0, DFR_FORMAT_TEXT, NULL, refuse, NULL, &error),
                 DFR_RESULT_IO);
    cr_expect_eq(dfr_crash_write_facts(crash, 9, DFR_FORMAT_TEXT, NULL, refuse, NULL, &error),
                 DFR_RESULT_MISUSE);
    cr_expect_eq(dfr_crash_write_facts(crash, 0, (dfr_format)9, NULL, refuse, NULL, &error),
                 DFR_RESULT_MISUSE);
    dfr_crash_free(crash);
}

Test(api, what_if_names_the_wrong_assignment)
{
    static const struct {
        const char *given, *says;
    } rows[] = {
        {"bugcheck.cod = 1", "bugcheck.code"},
        {"bugcheck.code", "bugcheck.code"},
        {"bugcheck.code = 1; } expect true; given { bugcheck.arg1 = 2", "what-if"},
        {"bugcheck.code = 1\n", "line"},
        {"", "what-if"},
    };
    dfr_crash *crash = open_text(crash_text);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dfr_text given = T(rows[i].given);
        dfr_crash *other = NULL;
        dfr_error error = {0};
        cr_expect_eq(dfr_crash_what_if(crash, &given, 1, &other, &error), DFR_RESULT_MISUSE, "%s",
                     rows[i].given);
        cr_expect_null(other);
        cr_expect(strstr(error.message, rows[i].says), "%s: %s", rows[i].given, error.message);
        dfr_crash_free(other);
    }
    dfr_crash_free(crash);
}

Test(api, a_rule_is_found_by_its_last_part)
{
    dfr_rules *rules = compile(rules_text);
    dfr_error error = {0};
    cr_expect_eq(dfr_rules_disasm(rules, T("touch"), discard, NULL, &error), DFR_RESULT_OK, "%s",
                 error.message);
    cr_expect_eq(dfr_rules_disasm(rules, T("tuoch"), discard, NULL, &error), DFR_RESULT_MISUSE);
    cr_expect(strstr(error.message, "did you mean"), "%s", error.message);
    dfr_rules_free(rules);
}

/* ---- Inputs -------------------------------------------------------------------------------- */

Test(api, what_is_no_text_is_named)
{
    static const struct {
        const char *bytes;
        size_t len;
        dfr_result result;
        const char *says;
    } rows[] = {
        {"", 0, DFR_RESULT_NOT_A_CRASH, "empty"},
        {"PAGEDU64\x0f\0\0\0", 12, DFR_RESULT_UNSUPPORTED, "cut off after 12 bytes"},
        {"PAGEDUMP\x0f\0\0\0", 12, DFR_RESULT_UNSUPPORTED, "cut off after 12 bytes"},
        {"MDMP\x93\xa7\0\0", 8, DFR_RESULT_NOT_A_CRASH, "user-mode minidump"},
        {"PK\x03\x04\x14\0", 6, DFR_RESULT_UNSUPPORTED, "zip"},
        {"7z\xBC\xAF\x27\x1C\0\4", 8, DFR_RESULT_UNSUPPORTED, "7-Zip"},
        {"MSCF\0\0\0\0", 8, DFR_RESULT_UNSUPPORTED, "cabinet"},
        {"\x1F\x8B\x08\0", 4, DFR_RESULT_UNSUPPORTED, "gzip"},
        {"MZ\x90\0\x03\0", 6, DFR_RESULT_NOT_A_CRASH, "Windows program"},
        {"\x89PNG\r\n\x1a\n\0\0", 10, DFR_RESULT_NOT_A_CRASH, "picture"},
        {"MZ is how programs begin, says this text.\n", 42, DFR_RESULT_NOT_A_CRASH, "x.bin: "},
        {"\0\1\2\3\4\5\6\7\0\0\0\0", 12, DFR_RESULT_NOT_A_CRASH, "x.bin: "},
        {"\x1b[31m", 5, DFR_RESULT_NOT_A_CRASH, "x.bin: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dfr_input in = {
            .size = sizeof in, .path = "x.bin", .bytes = rows[i].bytes, .len = rows[i].len};
        dfr_crash *crash = NULL;
        dfr_error error = {0};
        cr_expect_eq(dfr_crash_open(&in, NULL, &crash, &error), rows[i].result, "row %zu: %s", i,
                     error.message);
        cr_expect(strstr(error.message, rows[i].says), "row %zu: %s", i, error.message);
        cr_expect_null(strchr(error.message, '\n'));
        dfr_crash_free(crash);
    }
}

Test(api, a_file_has_its_limits)
{
    dfr_input in = {.size = sizeof in, .path = "/dev/zero"};
    dfr_crash_options o = {.size = sizeof o, .max_bytes = 100000};
    dfr_crash *crash = NULL;
    dfr_error error = {0};
    cr_expect_eq(dfr_crash_open(&in, &o, &crash, &error), DFR_RESULT_LIMIT, "%s", error.message);
    in.path = "/";
    cr_expect_eq(dfr_crash_open(&in, NULL, &crash, &error), DFR_RESULT_IO);
    cr_expect(strstr(error.message, "folder"), "%s", error.message);
    in.path = "/there is no such file\x1b";
    cr_expect_eq(dfr_crash_open(&in, NULL, &crash, &error), DFR_RESULT_IO);
    cr_expect_null(strchr(error.message, '\x1b'));
    in = (dfr_input){.size = sizeof in, .bytes = crash_text, .len = sizeof crash_text - 1};
    o.max_bytes = 10;
    cr_expect_eq(dfr_crash_open(&in, &o, &crash, &error), DFR_RESULT_LIMIT);
    cr_expect_null(crash);
}

/* ---- Threads ------------------------------------------------------------------------------- */

struct shared {
    const dfr_rules *rules;
    const dfr_crash *crash;
    const char *expect;
};

static void *check_many(void *user)
{
    const struct shared *s = user;
    for (int i = 0; i < 50; i++) {
        char *text = answer_of(s->rules, s->crash, DFR_FORMAT_JSON);
        if (strcmp(text, s->expect) != 0) {
            free(text);
            return user;
        }
        free(text);
    }
    return NULL;
}

Test(api, threads_share_rules_and_crashes, .timeout = 60)
{
    enum { THREADS = 4 };
    dfr_rules *rules = compile(rules_text);
    dfr_crash *crash = open_text(crash_text);
    char *expect = answer_of(rules, crash, DFR_FORMAT_JSON);
    struct shared s = {rules, crash, expect};
    pthread_t ids[THREADS];
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&ids[i], NULL, check_many, &s), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(ids[i], &wrong);
        cr_expect_null(wrong);
    }
    free(expect);
    dfr_crash_free(crash);
    dfr_rules_free(rules);
}

/* ---- Files of rules ------------------------------------------------------------------------ */

static char folder[64];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/dfrule-api-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void remove_folder(void)
{
    char command[128];
    cr_assert_eq(chdir("/"), 0);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

static dfr_result load(const char *path, const char *search, dfr_rules **ret, dfr_error *error)
{
    dfr_text p = T(path), s = T(search ? search : "");
    dfr_rules_options o = {.size = sizeof o, .search = &s, .search_count = search ? 1 : 0};
    return dfr_rules_load(&p, 1, &o, ret, NULL, error);
}

static uint32_t rule_count(const dfr_rules *rules)
{
    dfr_rules_info info = {.size = sizeof info};
    dfr_rules_describe(rules, &info);
    return info.rules;
}

TestSuite(api_files, .init = make_folder, .fini = remove_folder);

#define CAUSE "cause bad { title = \"B\"; axis = \"mechanism\"; prior_db = 0; }\n"
#define RULE(name) "rule " name " { when bugcheck.code == 1; conclude bad; recommend \"Do.\"; }\n"

Test(api_files, a_folder_is_walked_once)
{
    dfr_rules *rules = NULL;
    dfr_error error = {0};
    cr_assert_eq(mkdir("r", 0755), 0);
    cr_assert_eq(mkdir("r/sub", 0755), 0);
    put("r/a.dfr", CAUSE RULE("a"));
    put("r/b.dfr", RULE("b"));
    put("r/.hidden.dfr", "this is no rule");
    put("r/notes.txt", "this is no rule");
    cr_assert_eq(symlink("..", "r/sub/up"), 0);
    cr_assert_eq(symlink("a.dfr", "r/again.dfr"), 0);
    cr_assert_eq(symlink("nowhere", "r/dangling.dfr"), 0);
    cr_assert_eq(load("r", NULL, &rules, &error), DFR_RESULT_OK, "%s", error.message);
    cr_expect_eq(rule_count(rules), 2);
    dfr_rules_free(rules);
    rules = NULL;
    cr_expect_eq(load("nowhere", NULL, &rules, &error), DFR_RESULT_IO);
    cr_expect_null(rules);
}

#define PACK(name) "pack \"" name "\" { version = 1.0.0; facts = 1; license = \"Apache-2.0\"; }\n"

Test(api_files, a_file_brings_its_pack)
{
    dfr_rules *rules = NULL;
    dfr_error error = {0};
    cr_assert_eq(mkdir("p", 0755), 0);
    put("p/pack.dfr", PACK("made.up"));
    put("p/causes.dfr", CAUSE);
    put("p/a.dfr", RULE("a"));
    put("p/b.dfr", RULE("b"));
    cr_assert_eq(load("p/a.dfr", NULL, &rules, &error), DFR_RESULT_OK, "%s", error.message);
    cr_expect_eq(rule_count(rules), 2);
    cr_expect_eq(dfr_rules_disasm(rules, T("made.up.b"), discard, NULL, &error), DFR_RESULT_OK);
    dfr_rules_free(rules);
}

Test(api_files, an_import_is_searched)
{
    dfr_rules *rules = NULL;
    dfr_error error = {0};
    cr_assert_eq(mkdir("packs", 0755), 0);
    cr_assert_eq(mkdir("packs/lib", 0755), 0);
    cr_assert_eq(mkdir("packs/other", 0755), 0);
    put("packs/lib/pack.dfr", PACK("made.lib"));
    put("packs/lib/fns.dfr", "fn yes(x: addr) = x > 1;\n");
    put("packs/other/pack.dfr", PACK("made.other"));
    put("packs/other/broken.dfr", "this is no rule");
    put("mine.dfr", "import \"made.lib\" as lib;\n" CAUSE
                    "rule r { when lib.yes(bugcheck.arg1); conclude bad; recommend \"Do.\"; }\n");
    cr_expect_eq(load("mine.dfr", NULL, &rules, &error), DFR_RESULT_BAD_RULES);
    cr_assert_eq(load("mine.dfr", "packs", &rules, &error), DFR_RESULT_OK, "%s", error.message);
    cr_expect_eq(rule_count(rules), 1);
    dfr_rules_free(rules);
}

Test(api_files, a_saved_rule_set_answers_the_same)
{
    dfr_rules *rules = compile(rules_text), *again = NULL;
    dfr_crash *crash = open_text(crash_text);
    dfr_error error = {0};
    cr_assert_eq(dfr_rules_save(rules, T("x.dfrc"), &error), DFR_RESULT_OK, "%s", error.message);
    cr_expect_eq(dfr_rules_save(rules, T("no/such/x.dfrc"), &error), DFR_RESULT_IO);
    cr_assert_eq(load("x.dfrc", NULL, &again, &error), DFR_RESULT_OK, "%s", error.message);
    char *a = answer_of(rules, crash, DFR_FORMAT_JSON);
    char *b = answer_of(again, crash, DFR_FORMAT_JSON);
    cr_expect_str_eq(a, b);
    free(a);
    free(b);
    dfr_rules_free(again);
    dfr_rules_free(rules);
    dfr_crash_free(crash);
}

Test(api_files, a_damaged_rule_set_is_refused, .timeout = 60)
{
    dfr_rules *rules = compile(rules_text), *again = NULL;
    dfr_error error = {0};
    cr_assert_eq(dfr_rules_save(rules, T("x.dfrc"), &error), DFR_RESULT_OK);
    FILE *f = fopen("x.dfrc", "rb");
    char bytes[1 << 16];
    size_t len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    cr_assert(len > 100 && len < sizeof bytes);
    for (size_t i = 4; i < len; i += 37) {
        bytes[i] = (char)(bytes[i] ^ 0x41);
        f = fopen("y.dfrc", "wb");
        fwrite(bytes, 1, len, f);
        fclose(f);
        bytes[i] = (char)(bytes[i] ^ 0x41);
        cr_expect_eq(load("y.dfrc", NULL, &again, &error), DFR_RESULT_BAD_CACHE, "byte %zu: %s", i,
                     error.message);
    }
    put("a.dfr", CAUSE);
    dfr_text both[] = {T("a.dfr"), T("x.dfrc")};
    cr_expect_eq(dfr_rules_load(both, 2, NULL, &again, NULL, &error), DFR_RESULT_MISUSE);
    cr_expect_null(again);
    dfr_rules_free(rules);
}

static uint32_t run_tests(const dfr_rules *rules, uint32_t *failed, struct text *out)
{
    uint32_t passed = 0;
    dfr_error error = {0};
    cr_assert_eq(
        dfr_rules_test(rules, NULL, DFR_FORMAT_TEXT, NULL, collect, out, &passed, failed, &error),
        DFR_RESULT_OK, "%s", error.message);
    return passed;
}

Test(api_files, tests_load_only_what_lies_above_them)
{
    dfr_rules *rules = NULL;
    dfr_error error = {0};
    struct text out = {0};
    uint32_t failed = 0;
    cr_assert_eq(mkdir("a", 0755), 0);
    cr_assert_eq(mkdir("a/b", 0755), 0);
    put("crash.txt", crash_text);
    put("a/b/t.dfr",
        CAUSE RULE("r") "test \"above\" { load \"crash.txt\"; expect bugcheck.code == 0xD1; }\n"
                        "test \"given\" { load \"crash.txt\"; given { bugcheck.code = 1; } expect "
                        "fires(r); }\n"
                        "test \"wrong\" { load \"crash.txt\"; expect bugcheck.code == 0xD2; }\n"
                        "test \"open\" { expect bugcheck.code == 0xD2; }\n"
                        "test \"absolute\" { load \"/etc/passwd\"; expect true; }\n"
                        "test \"upwards\" { load \"../../crash.txt\"; expect true; }\n"
                        "test \"missing\" { load \"none.txt\"; expect true; }\n");
    cr_assert_eq(load("a/b", NULL, &rules, &error), DFR_RESULT_OK, "%s", error.message);
    cr_expect_eq(run_tests(rules, &failed, &out), 2, "%s", out.p);
    cr_expect_eq(failed, 5);
    cr_expect(strstr(out.p, "a/b/t.dfr:5:"), "%s", out.p);
    cr_expect(strstr(out.p, "is false: bugcheck.code == 0xD2"), "%s", out.p);
    cr_expect(strstr(out.p, "is not known: bugcheck.code == 0xD2"), "%s", out.p);
    cr_expect(strstr(out.p, "2 passed, 5 failed\n"), "%s", out.p);
    free(out.p);
    dfr_rules_free(rules);
}

Test(api_files, what_follows_from_a_changed_fact_is_derived_again)
{
    dfr_rules *rules = NULL;
    dfr_error error = {0};
    struct text out = {0};
    uint32_t failed = 0;
    put("crash.txt", crash_text);
    put("t.dfr",
        CAUSE RULE("r") "test \"as it is\" { load \"crash.txt\"; expect trap.address == "
                        "0xfffff88001a2b3c8 and trap.frames[0].module == \"exnic\"; }\n"
                        "test \"argument\" { load \"crash.txt\"; given { bugcheck.arg1 = 8; } "
                        "expect trap.address == 8; }\n"
                        "test \"unknown\" { load \"crash.txt\"; given { bugcheck.arg1 = unknown; } "
                        "expect unknown(trap.address); }\n"
                        "test \"said to be unknown\" { load \"crash.txt\"; given { trap.address = "
                        "unknown; } expect unknown(trap.address); }\n"
                        "test \"code\" { load \"crash.txt\"; given { bugcheck.code = 0x7F; } "
                        "expect unknown(trap.address) and bugcheck.name == "
                        "\"UNEXPECTED_KERNEL_MODE_TRAP\"; }\n"
                        "test \"stack\" { load \"crash.txt\"; given { stack = "
                        "[\"nt!KeBugCheckEx\", \"nt!KiPageFault+0x260\", \"other!Read+0x12\"]; } "
                        "expect trap.frames[0].module == \"other\"; }\n");
    cr_assert_eq(load("t.dfr", NULL, &rules, &error), DFR_RESULT_OK, "%s", error.message);
    cr_expect_eq(run_tests(rules, &failed, &out), 6, "%s", out.p);
    cr_expect_eq(failed, 0, "%s", out.p);
    free(out.p);
    dfr_rules_free(rules);
}

/* ---- Mutation ------------------------------------------------------------------------------ */

static uint32_t survivors(const char *z, struct text *out, uint32_t *killed)
{
    dfr_rules *rules = compile(z);
    dfr_error error = {0};
    uint32_t survived = 0;
    cr_assert_eq(dfr_rules_mutate(rules, NULL, DFR_FORMAT_TEXT, NULL, collect, out, killed,
                                  &survived, &error),
                 DFR_RESULT_OK, "%s", error.message);
    dfr_rules_free(rules);
    return survived;
}

Test(api, sharp_tests_let_no_change_live)
{
    struct text out = {0};
    uint32_t killed = 0;
    cr_expect_eq(survivors(rules_text, &out, &killed), 0, "%s", out.p);
    /* when ==, >= and strong, has and weak, == and moderate; the collect has no comparison. */
    cr_expect_eq(killed, 7, "%s", out.p);
    free(out.p);
}

Test(api, blunt_tests_are_named)
{
    struct text out = {0};
    uint32_t killed = 0;
    cr_expect_eq(survivors(CAUSE
                           "rule r { when bugcheck.code == 1 and not bugcheck.arg1 in [2, 3];\n"
                           "  evidence { for weak \"w\": bugcheck.arg2 < 5; } conclude bad; "
                           "recommend \"Do.\"; }\n"
                           "test \"t\" { given { bugcheck.code = 1; bugcheck.arg1 = 4; } "
                           "expect fires(r); }\n",
                           &out, &killed),
                 2, "%s", out.p);
    cr_expect_eq(killed, 2, "%s", out.p);
    cr_expect(strstr(out.p, "< turned to >="), "%s", out.p);
    cr_expect(strstr(out.p, "weight +3 turned to -3"), "%s", out.p);
    free(out.p);
}
