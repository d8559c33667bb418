/* Forging through the public header: what a recipe's mistakes say and where, the same bytes whenever a
 * recipe is forged, files with holes, images. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dfrule.h"

static const char recipe[] = "bugcheck: {code: 0xD1, args: [0x48, 2, 0, egretnet+0x1a6c]}\n"
                             "modules:\n"
                             "  - {name: nt, size: 0x1046000}\n"
                             "  - {name: egretnet, size: 0x2c000, built: 2024-11-05T14:02:11Z}\n"
                             "stack:\n"
                             "  - nt!KeBugCheckEx\n"
                             "  - {at: nt!KiPageFault+0x474, trap: trap, regs: {rcx: 0}}\n"
                             "  - egretnet+0x1a6c\n"
                             "  - nt!KiIdleLoop+0x9e\n";

struct bytes {
    char *p;
    size_t len, cap;
};

static int collect(void *user, const char *p, size_t len)
{
    struct bytes *b = user;
    if (b->len + len + 1 > b->cap) {
        b->cap = 2 * (b->len + len + 1);
        b->p = realloc(b->p, b->cap);
    }
    memcpy(b->p + b->len, p, len);
    b->len += len;
    b->p[b->len] = '\0';
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

static dfr_result forge(const char *text, dfr_forge_options *o, dfr_diagnostics **ret,
                        dfr_error *error)
{
    dfr_input input = {.size = sizeof input, .path = "r.yaml", .bytes = text, .len = strlen(text)};
    o->size = sizeof *o;
    return dfr_forge(&input, o, ret, error);
}

static struct bytes forged(const char *text, const char *kind)
{
    struct bytes b = {0};
    dfr_forge_options o = {.kind = T(kind), .write = collect, .user = &b};
    dfr_error error = {0};
    cr_assert_eq(forge(text, &o, NULL, &error), DFR_RESULT_OK, "%s: %s", kind, error.message);
    return b;
}

static const struct {
    const char *add, *says; /* text added to a good recipe, and what its first finding says */
} mistakes[] = {
    {"procesors: {count: 2}\n", "r.yaml:10:1: error[DFR6502]: a recipe has no field `procesors`"},
    {"uptime: soon\n", "r.yaml:10:9: error[DFR6503]: `uptime` is a time span"},
    {"processors: {count: 2, irql: high}\n", "r.yaml:10:30: error[DFR6503]: `irql` is a number"},
    {"contexts:\n  - {name: c, frame: none}\n", "error[DFR6504]: no frame is called `none`"},
    {"memory:\n  - {name: m, words: [nobody]}\n",
     "error[DFR6504]: nothing in this recipe is called `nobody`"},
    {"exceptions:\n  - {name: e}\n", "r.yaml:11:5: error[DFR6502]: an exception needs `code`"},
    {"time: 2026-01-01\ntime: 2026-01-02\n", "r.yaml:11:1: error[DFR6502]: `time` stands twice"},
    {"build: 9600\n", "the layout of build 9600 is not known"},
    {"l1tf: 70\n", "`l1tf` is a bit from 36 to 47"},
    {"attributes: 0x100000000\n", "`attributes` has 32 bits"},
    {"ram: [\n", "error[DFR6501]"},
};

Test(forge, mistakes_have_their_place)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        char text[2048];
        struct bytes none = {0}, said = {0};
        dfr_diagnostics *d = NULL;
        dfr_error error = {0};
        dfr_style style = {.size = sizeof style};
        dfr_forge_options o = {.write = collect, .user = &none};
        snprintf(text, sizeof text, "%s%s", recipe, mistakes[i].add);
        cr_assert_eq(forge(text, &o, &d, &error), DFR_RESULT_BAD_RULES, "%s", mistakes[i].add);
        cr_assert(dfr_diagnostics_errors(d) > 0);
        cr_assert_eq(dfr_diagnostics_write(d, DFR_FORMAT_TEXT, &style, collect, &said, &error),
                     DFR_RESULT_OK);
        cr_expect(strstr(said.p, mistakes[i].says), "%swanted: %s\nsaid: %s", mistakes[i].add,
                  mistakes[i].says, said.p);
        cr_expect_eq(none.len, 0, "a recipe with mistakes gives no bytes");
        dfr_diagnostics_free(d);
        free(said.p);
    }
}

Test(forge, options_that_make_no_sense)
{
    dfr_error error = {0};
    dfr_forge_options nowhere = {0}, kind = {.kind = T("cube"), .write = collect};
    cr_assert_eq(forge(recipe, &nowhere, NULL, &error), DFR_RESULT_MISUSE);
    cr_assert_eq(forge(recipe, &kind, NULL, &error), DFR_RESULT_MISUSE);
    cr_assert(strstr(error.message, "cube"));
    dfr_forge_options stopped = {.write = refuse};
    cr_assert_eq(forge(recipe, &stopped, NULL, &error), DFR_RESULT_IO);
}

Test(forge, the_same_bytes_every_time)
{
    static const char *const kinds[] = {"triage", "triage-kernel", "full",   "bitmap", "kernel",
                                        "rdmp",   "summary",       "header", "text"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct bytes a = forged(recipe, kinds[i]), b = forged(recipe, kinds[i]);
        cr_assert(a.len > 0 && a.len == b.len && !memcmp(a.p, b.p, a.len), "%s", kinds[i]);
        free(a.p);
        free(b.p);
    }
}

static struct stat stat_of(const char *folder, const char *name)
{
    char path[512];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    cr_assert_eq(stat(path, &st), 0, "%s", path);
    return st;
}

Test(forge, files_have_holes)
{
    enum { RAM_MIB = 512, BLOCK = 512 };
    char folder[] = "/tmp/dfrule-forge-XXXXXX", path[512], text[2048];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(text, sizeof text, "%sram: %dM\n", recipe, RAM_MIB);
    snprintf(path, sizeof path, "%s/big.dmp", folder);
    dfr_error error = {0};
    dfr_forge_options o = {.kind = T("bitmap"), .path = T(path)};
    cr_assert_eq(forge(text, &o, NULL, &error), DFR_RESULT_OK, "%s", error.message);
    struct stat st = stat_of(folder, "big.dmp");
    cr_assert(st.st_size > (RAM_MIB - 1) * 1048576L);
    cr_assert((long)st.st_blocks * BLOCK < 8 * 1048576L, "%ld", (long)st.st_blocks);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(rmdir(folder), 0);
}

/* A bitmap ends with a whole byte, whatever the highest page is: public parsers drop the rest. */
Test(forge, bitmaps_have_whole_bytes)
{
    enum { TOTAL = 0x2030 };
    struct bytes b = forged(recipe, "bitmap");
    cr_assert(b.len > TOTAL + 8);
    cr_assert_eq((unsigned char)b.p[TOTAL] % 8, 0);
    free(b.p);
}

Test(forge, images_as_a_store)
{
    char folder[] = "/tmp/dfrule-forge-XXXXXX", command[64];
    cr_assert_not_null(mkdtemp(folder));
    dfr_error error = {0};
    dfr_forge_options o = {.images = T(folder)};
    for (int i = 0; i < 2; i++) /* what is there already is written anew */
        cr_assert_eq(forge(recipe, &o, NULL, &error), DFR_RESULT_OK, "%s", error.message);
    struct stat st = stat_of(folder, "egretnet.sys/672A25632c000/egretnet.sys");
    cr_assert_eq(st.st_size, 0x2c000);
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}
