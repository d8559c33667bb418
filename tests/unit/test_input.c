/* Inputs of the public header that are read through a function, and what is no crash. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dfrule.h"
#include "dump_forge.h"

static const char crash_text[] = "BugCheck D1, {fffff88001a2b3c8, 2, 0, fffff88004c01234}\n";

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

struct source {
    const uint8_t *p;
    size_t len;
    uint64_t asked; /* bytes */
    bool broken;
};

static int give(void *user, uint64_t offset, void *buf, size_t len)
{
    struct source *s = user;
    s->asked += len;
    if (s->broken || offset > s->len || len > s->len - offset)
        return 1;
    memcpy(buf, s->p + offset, len);
    return 0;
}

static dfr_result open_source(struct source *s, dfr_crash **ret, dfr_error *error)
{
    dfr_input in = {
        .size = sizeof in, .path = "it", .read = give, .read_user = s, .read_size = s->len};
    return dfr_crash_open(&in, NULL, ret, error);
}

static char *facts_of(const dfr_crash *crash, dfr_format format)
{
    struct text t = {0};
    cr_assert_eq(dfr_crash_write_facts(crash, 0, format, NULL, collect, &t, NULL), DFR_RESULT_OK);
    return t.p;
}

/* A dump and a text through a function give what they give as bytes. */
Test(input, inputs_through_a_function)
{
    static uint8_t dump[FORGE_SIZE];
    forge_triage(dump);
    const struct source sources[] = {
        {dump, sizeof dump, 0, false},
        {(const uint8_t *)crash_text, sizeof crash_text - 1, 0, false}};
    for (size_t i = 0; i < 2; i++) {
        struct source s = sources[i];
        dfr_crash *crash = NULL, *same = NULL;
        dfr_error error = {0};
        cr_assert_eq(open_source(&s, &crash, &error), DFR_RESULT_OK, "%s", error.message);
        dfr_input in = {.size = sizeof in, .path = "it", .bytes = s.p, .len = s.len};
        cr_assert_eq(dfr_crash_open(&in, NULL, &same, &error), DFR_RESULT_OK);
        char *x = facts_of(crash, DFR_FORMAT_JSON), *y = facts_of(same, DFR_FORMAT_JSON);
        cr_expect_str_eq(x, y);
        cr_expect(strstr(x, "\"sha256\": \""), "%s", x);
        free(x);
        free(y);
        dfr_crash_free(same);
        dfr_crash_free(crash);
    }
}

Test(input, inputs_through_a_function_that_fails)
{
    struct source s = {(const uint8_t *)crash_text, sizeof crash_text - 1, 0, true};
    dfr_crash *crash = NULL;
    dfr_error error = {0};
    cr_expect_eq(open_source(&s, &crash, &error), DFR_RESULT_IO);
    cr_expect(strstr(error.message, "it: "), "%s", error.message);
    s.len = 0;
    cr_expect_eq(open_source(&s, &crash, &error), DFR_RESULT_NOT_A_CRASH);
}

/* Eight gibibytes of a dump that are mostly not there: read where it matters, never whole. */
struct sparse {
    uint8_t head[0x2000], bitmap[0x41000]; /* two million pages */
    uint64_t asked;
};

static int give_sparse(void *user, uint64_t offset, void *buf, size_t len)
{
    struct sparse *s = user;
    s->asked += len;
    memset(buf, 0, len);
    for (size_t i = 0; i < len; i++) {
        uint64_t at = offset + i;
        if (at < sizeof s->head)
            ((uint8_t *)buf)[i] = s->head[at];
        else if (at - sizeof s->head < sizeof s->bitmap)
            ((uint8_t *)buf)[i] = s->bitmap[at - sizeof s->head];
    }
    return 0;
}

Test(input, large_dumps_are_not_read_whole)
{
    static struct sparse s;
    const uint64_t pages = 2000000, first = sizeof s.head + sizeof s.bitmap;
    forge_header(s.head, 5);
    forge64(s.head, 0x10, UINT64_C(0x1AB000));
    memcpy(s.bitmap, "FDMPDUMP", 8);
    forge64(s.bitmap, 0x20, first);
    forge64(s.bitmap, 0x28, pages);
    forge64(s.bitmap, 0x30, pages);
    memset(s.bitmap + 0x38, 0xFF, pages / 8);
    dfr_input in = {.size = sizeof in,
                    .path = "big",
                    .read = give_sparse,
                    .read_user = &s,
                    .read_size = first + pages * 4096};
    dfr_crash *crash = NULL;
    dfr_error error = {0};
    cr_assert_eq(dfr_crash_open(&in, NULL, &crash, &error), DFR_RESULT_OK, "%s", error.message);
    char *x = facts_of(crash, DFR_FORMAT_JSON);
    cr_expect(strstr(x, "\"size\": 8192274432"), "%s", x);
    cr_expect(strstr(x, "\"sha256\": null"));
    cr_expect(strstr(x, "too large"));
    cr_expect_lt(s.asked, 1u << 20);
    free(x);
    dfr_crash_free(crash);
    dfr_crash_options o = {.size = sizeof o, .max_bytes = 1u << 30};
    cr_expect_eq(dfr_crash_open(&in, &o, &crash, &error), DFR_RESULT_LIMIT);
    memset(s.head, 'A', sizeof s.head); /* a text of that size */
    cr_expect_eq(dfr_crash_open(&in, NULL, &crash, &error), DFR_RESULT_LIMIT);
    memcpy(s.head, "PK\x03\x04\0\0", 6); /* an archive of that size */
    cr_expect_eq(dfr_crash_open(&in, NULL, &crash, &error), DFR_RESULT_UNSUPPORTED);
    cr_expect_lt(s.asked, 3u << 20);
}

/* One line for each: what it is, and what to do where there is something to do. */
Test(input, what_is_no_crash)
{
    static const struct {
        const char *bytes;
        size_t len;
        dfr_result result;
        const char *says[2];
    } rows[] = {
        {"MDMP\x93\xA7\0\0", 8, DFR_RESULT_NOT_A_CRASH, {"user-mode minidump", "MEMORY.DMP"}},
        {"PK\3\4\24\0\0\0\10\0AAAABBBBCCCCDDDD\12\0\0\0MEMORY.DMP",
         40,
         DFR_RESULT_UNSUPPORTED,
         {"zip archive with MEMORY.DMP in it", "unpack"}},
        {"PK\3\4\24\0\0\0\10\0AAAABBBBCCCCDDDD\xFF\xFF\0\0M",
         31,
         DFR_RESULT_UNSUPPORTED,
         {"zip archive", "unpack"}},
        {"\x1F\x8B\10\10AAAA\0\3a.dmp\0", 16, DFR_RESULT_UNSUPPORTED, {"gzip", "a.dmp in it"}},
        {"\x1F\x8B\10\10AAAA\0\3a.dmp", 15, DFR_RESULT_UNSUPPORTED, {"gzip", "unpack"}},
        {"\xFD\67zXZ\0\0", 8, DFR_RESULT_UNSUPPORTED, {"xz", "unpack"}},
        {"\x28\xB5\x2F\xFD\0\0", 6, DFR_RESULT_UNSUPPORTED, {"zstd", "unpack"}},
        {"\x7F"
         "ELF\2\1\1\0\0\0\0\0\0\0\0\0\4\0",
         18,
         DFR_RESULT_NOT_A_CRASH,
         {"ELF core", "Minidump"}},
        {"\x7F"
         "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0",
         18,
         DFR_RESULT_NOT_A_CRASH,
         {"ELF program", ""}},
        {"QEVM\0\0\0\3", 8, DFR_RESULT_NOT_A_CRASH, {"virtual machine", "Minidump"}},
        {"\xD2\xBE\xD2\xBE\0\0\0\0", 8, DFR_RESULT_NOT_A_CRASH, {"virtual machine", "debugger"}},
        {"HIBR\0\0\0\0", 8, DFR_RESULT_NOT_A_CRASH, {"hibernation", "did not crash"}},
        {"wake\0\0\0\0", 8, DFR_RESULT_NOT_A_CRASH, {"hibernation", "did not crash"}},
        {"EMiL\1\0\0\0", 8, DFR_RESULT_NOT_A_CRASH, {"raw memory", "convert"}},
        {"PAGEDU64\xF\0\0\0",
         12,
         DFR_RESULT_UNSUPPORTED,
         {"cut off after 12 bytes", "copy it again"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dfr_input in = {.size = sizeof in, .path = "x", .bytes = rows[i].bytes, .len = rows[i].len};
        dfr_crash *crash = NULL;
        dfr_error error = {0};
        cr_expect_eq(dfr_crash_open(&in, NULL, &crash, &error), rows[i].result, "row %zu: %s", i,
                     error.message);
        cr_expect(strstr(error.message, rows[i].says[0]), "row %zu: %s", i, error.message);
        cr_expect(strstr(error.message, rows[i].says[1]), "row %zu: %s", i, error.message);
        cr_expect_null(strchr(error.message, '\n'));
        dfr_crash_free(crash);
    }
}
