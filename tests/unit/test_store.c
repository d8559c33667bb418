/* Symbol stores: layouts, names without regard to case, packed files, identity, hostile names. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "image/cab.h"
#include "image/store.h"

enum { STAMP = 0x1234ABCD, SIZE = 0x5000, OTHER = 0x6000, BYTES = 0x200 };

static struct dfr_mem mem;
static struct dfr_arena arena;
static char root[64];

static void setup(void)
{
    dfr_mem_init(&mem, NULL, 0);
    dfr_arena_init(&arena, &mem);
    strcpy(root, "/tmp/dfrule-store-XXXXXX");
    cr_assert(mkdtemp(root));
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void teardown(void)
{
    dfr_arena_deinit(&arena);
    nftw(root, drop, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(store, .init = setup, .fini = teardown);

static const char *at(const char *path)
{
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    dfr_buf_printf(&b, "%s/%s", root, path);
    return b.p;
}

/* Write a file below the root, with its folders. */
static void put(const char *path, const void *bytes, size_t n)
{
    char *z = dfr_arena_copy(&arena, at(path), strlen(at(path)));
    for (char *p = z + strlen(root) + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            mkdir(z, 0755);
            *p = '/';
        }
    FILE *f = fopen(z, "wb");
    cr_assert(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0, "%s", z);
}

static void u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static const uint8_t *image(uint32_t stamp, uint32_t size)
{
    static uint8_t b[BYTES];
    memset(b, 0, sizeof b);
    u32(b + 0x3C, 0x80);
    u32(b + 0x80, 0x00004550);
    u32(b + 0x88, stamp);
    u32(b + 0x80 + 24 + 56, size);
    return b;
}

/* A cabinet of one file, stored without compression. Source: the documented cabinet format. */
static size_t cabinet(uint8_t *c, const uint8_t *bytes, uint32_t n, uint32_t claimed)
{
    enum { FOLDER = 36, FILE_ENTRY = FOLDER + 8, DATA = FILE_ENTRY + 16 + 2, HEAD = 8 };
    memset(c, 0, DATA + HEAD);
    memcpy(c, "MSCF", 4);
    u32(c + 8, DATA + HEAD + n);
    u32(c + 16, FILE_ENTRY);
    c[24] = 3, c[25] = 1, c[26] = 1, c[28] = 1;
    u32(c + FOLDER, DATA);
    c[FOLDER + 4] = 1;
    u32(c + FILE_ENTRY, claimed);
    c[FILE_ENTRY + 16] = 'x';
    c[DATA + 4] = (uint8_t)n, c[DATA + 5] = (uint8_t)(n >> 8);
    c[DATA + 6] = (uint8_t)n, c[DATA + 7] = (uint8_t)(n >> 8);
    memcpy(c + DATA + HEAD, bytes, n);
    return DATA + HEAD + n;
}

static bool found(const char *symbol_path, const char *file, uint32_t size)
{
    struct dfr_store s;
    struct dfr_bytes b;
    uint8_t two[BYTES];
    dfr_store_init(&s, &arena, dfr_str_from(symbol_path));
    if (!dfr_store_image(&s, dfr_str_from(file), STAMP, size, &b))
        return false;
    cr_assert_eq(b.size, BYTES);
    cr_assert(dfr_bytes_copy(&b, 0, two, sizeof two));
    cr_assert_eq(memcmp(two, image(STAMP, size), sizeof two), 0);
    /* The second time it comes from memory, with windows of its own. */
    struct dfr_bytes again;
    cr_assert(dfr_store_image(&s, dfr_str_from(file), STAMP, size, &again));
    cr_assert(again.windows == NULL || again.windows != b.windows);
    return true;
}

static const char *path_to(const char *prefix, const char *suffix)
{
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    dfr_buf_printf(&b, "%s%s%s", prefix, root, suffix);
    return b.p;
}

Test(store, layouts)
{
    put("flat/Foo.SYS/1234ABCD5000/foo.sys", image(STAMP, SIZE), BYTES);
    put("two/index2.txt", "", 0);
    put("two/FO/foo.sys/1234abcd5000/FOO.sys", image(STAMP, SIZE), BYTES);
    put("bare/foo.sys", image(STAMP, SIZE), BYTES);
    put("debugger/symbols/sys/foo.sys", image(STAMP, SIZE), BYTES);
    put("by_type/sys/foo.sys", image(STAMP, SIZE), BYTES);
    put("elsewhere.bin", image(STAMP, SIZE), BYTES);
    put("pointer/foo.sys/1234ABCD5000/file.ptr", "PATH:../../../elsewhere.bin\r\n", 29);
    put("nowhere/foo.sys/1234ABCD5000/file.ptr", "MSG: gone", 9);
    uint8_t cab[BYTES + 128];
    size_t n = cabinet(cab, image(STAMP, SIZE), BYTES, BYTES);
    put("packed/foo.sys/1234ABCD5000/foo.sy_", cab, n);
    put("packed_bare/foo.sy_", cab, n);
    n = cabinet(cab, image(STAMP, SIZE), BYTES, BYTES + 1);
    put("packed_wrong/foo.sys/1234ABCD5000/foo.sy_", cab, n);
    put("wrong/foo.sys/1234ABCD5000/foo.sys", image(STAMP, OTHER), BYTES);
    put("empty/foo.sys/1234ABCD5000/foo.sys", "", 0);
    put("dots/index2.txt", "", 0); /* the first two letters of a name lead out of the store */
    put("..x.sys/1234ABCD5000/..x.sys", image(STAMP, SIZE), BYTES);
    mkdir(at("folder"), 0755);
    mkdir(at("folder/foo.sys"), 0755);
    mkdir(at("folder/foo.sys/1234ABCD5000"), 0755);
    mkdir(at("folder/foo.sys/1234ABCD5000/foo.sys"), 0755);
    mkdir(at("pipe"), 0755);
    mkfifo(at("pipe/foo.sys"), 0644);
    const struct {
        const char *before, *after, *file;
        bool there;
    } rows[] = {
        {"", "/flat", "foo.sys", true},
        {"srv*", "/flat", "FOO.sys", true},
        {"SRV*", "/flat*https://example.org/symbols", "foo.sys", true},
        {"symsrv*symsrv.dll*", "/flat", "foo.sys", true},
        {"cache*", "/flat", "foo.sys", true},
        {"/nowhere; ", "/flat ;", "foo.sys", true},
        {"srv*/nowhere*", "/flat*", "foo.sys", true},
        {"srv**", "/flat", "foo.sys", true},
        {"srv*", "/two", "foo.sys", true},
        {"srv*", "/dots", "..x.sys", false},
        {"", "/bare", "Foo.sys", true},
        {"", "/bare", "C:\\Windows\\System32\\drivers\\Foo.sys", true},
        {"srv*", "/bare", "foo.sys", false}, /* a server's folder holds no bare files */
        {"", "/debugger", "foo.sys", true},
        {"", "/by_type", "foo.sys", true},
        {"srv*", "/pointer", "foo.sys", true},
        {"srv*", "/nowhere", "foo.sys", false},
        {"srv*", "/packed", "foo.sys", true},
        {"", "/packed_bare", "foo.sys", true},
        {"srv*", "/packed_wrong", "foo.sys", false},
        {"srv*", "/wrong", "foo.sys", false},
        {"srv*", "/empty", "foo.sys", false},
        {"srv*", "/folder", "foo.sys", false},
        {"", "/pipe", "foo.sys", false},
        {"", "/flat", "bar.sys", false},
        {"", "", "", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(found(path_to(rows[i].before, rows[i].after), rows[i].file, SIZE),
                     rows[i].there, "row %zu: %s<root>%s %s", i, rows[i].before, rows[i].after,
                     rows[i].file);
    cr_expect_not(found(path_to("srv*", "/flat"), "foo.sys", OTHER));
    cr_expect_not(found("", "foo.sys", SIZE));
}

Test(store, names_that_lead_elsewhere)
{
    static const char *const bad[] = {"",       ".",     "..",  "...",  "a:b",     "C:",   "a*b",
                                      "a?",     "a|b",   "a;b", "x\n",  "\x1b[0m", "dir/", "dir\\",
                                      "..\\..", "../..", ". .", "a\"b", "..x.sys"};
    struct dfr_str ret;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(dfr_store_name(dfr_str_from(bad[i]), &ret), "row %zu: %s", i, bad[i]);
    cr_expect_not(dfr_store_name((struct dfr_str){"a\0b", 3}, &ret));
    char overlong[300];
    memset(overlong, 'a', sizeof overlong);
    cr_expect_not(dfr_store_name((struct dfr_str){overlong, sizeof overlong}, &ret));
    cr_assert(dfr_store_name(dfr_str_from("\\SystemRoot\\..\\x\\ntoskrnl.exe"), &ret));
    cr_expect(dfr_str_eq(ret, DFR_STR("ntoskrnl.exe")));
}

Test(store, path_of_an_image)
{
    struct dfr_str p = dfr_store_image_path(&arena, DFR_STR("nt.exe"), 0xAB, 0x1046000);
    cr_expect(dfr_str_eq(p, DFR_STR("nt.exe/000000AB1046000/nt.exe")), "%s", p.p);
}

Test(store, servers_are_only_noted)
{
    struct dfr_store s;
    dfr_store_init(
        &s, &arena,
        DFR_STR("srv*/a*https://one.example;http://two.example/s;srv*https://three.example"));
    cr_assert_eq(s.roots.n, 1);
    cr_assert_eq(s.servers.n, 3);
    cr_expect(dfr_str_eq(s.servers.v[1], DFR_STR("http://two.example/s")));
}

/* Every cut and every changed byte of a cabinet ends in an answer. */
Test(store, broken_cabinets)
{
    uint8_t cab[BYTES + 128], broken[BYTES + 128];
    size_t n = cabinet(cab, image(STAMP, SIZE), BYTES, BYTES), good = 0;
    for (size_t i = 0; i < n * 2; i++) {
        memcpy(broken, cab, n);
        size_t len = i < n ? i : n;
        if (i >= n)
            broken[i - n] ^= 0xFF;
        struct dfr_bytes b;
        struct dfr_span out;
        dfr_bytes_memory(&b, &arena, (struct dfr_span){broken, len});
        good += dfr_cab_unpack(&arena, &b, &out);
    }
    cr_expect(good > 0 && good < n * 2);
}

/* An exhausted allocation inside the library that unpacks leaks nothing. */
Test(store, cabinet_without_memory)
{
    uint8_t cab[BYTES + 128];
    size_t n = cabinet(cab, image(STAMP, SIZE), BYTES, BYTES);
    for (size_t limit = 1 << 10; limit < 1 << 20; limit += 4096) {
        struct dfr_mem little;
        struct dfr_arena own;
        jmp_buf guard;
        dfr_mem_init(&little, NULL, limit);
        dfr_arena_init(&own, &little);
        little.guard = &guard;
        if (setjmp(guard) == 0) {
            struct dfr_bytes b;
            struct dfr_span out;
            dfr_bytes_memory(&b, &own, (struct dfr_span){cab, n});
            (void)dfr_cab_unpack(&own, &b, &out);
        }
        dfr_arena_deinit(&own);
        cr_assert_eq(little.live, 0);
    }
}
