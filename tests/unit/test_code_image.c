/* The code at the fault beside its image: a small image put together by hand, in a store and mapped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target.h"

TestSuite(code_image, .init = open_facts, .fini = close_facts, .timeout = 60);

enum {
    AT = 0x3000,
    IMAGE = 0x3000,
    TEXT = 0x1000,
    PDATA = 0x2000,
    FILE_TEXT = 0x400,
    STAMP = 0x63000000
};
static const uint64_t base = UINT64_C(0xFFFFF80020000000);
static uint8_t file[FILE_TEXT + 0x1200];
static char folder[64], path[256];

/* push rbp; mov rbp,rsp; mov eax,[rcx+10h]; pop rbp; ret, at 100h of the text. */
static const uint8_t function[] = {0x55, 0x48, 0x89, 0xE5, 0x8B, 0x41, 0x10, 0x5D, 0xC3};

static void section(size_t at, const char *name, uint32_t rva, uint32_t size, uint32_t off,
                    uint32_t flags)
{
    memcpy(file + at, name, strlen(name));
    forge32(file, at + 8, size);
    forge32(file, at + 12, rva);
    forge32(file, at + 16, size);
    forge32(file, at + 20, off);
    forge32(file, at + 36, flags);
}

static void build(void)
{
    enum { PE = 0x80, OPTIONAL = PE + 24 };
    memset(file, 0, sizeof file);
    memcpy(file, "MZ", 2);
    forge32(file, 0x3C, PE);
    memcpy(file + PE, "PE\0\0", 4);
    forge16(file, PE + 4, 0x8664);
    forge16(file, PE + 6, 2);
    forge32(file, PE + 8, STAMP);
    forge16(file, PE + 20, 0xF0);
    forge16(file, OPTIONAL, 0x20B);
    forge64(file, OPTIONAL + 24, UINT64_C(0x140000000));
    forge32(file, OPTIONAL + 32, 0x1000);
    forge32(file, OPTIONAL + 36, 0x200);
    forge32(file, OPTIONAL + 56, IMAGE);
    forge32(file, OPTIONAL + 60, 0x400);
    forge32(file, OPTIONAL + 108, 16);
    forge32(file, OPTIONAL + 112 + 3 * 8, PDATA);
    forge32(file, OPTIONAL + 112 + 3 * 8 + 4, 12);
    section(OPTIONAL + 0xF0, ".text", TEXT, 0x1000, FILE_TEXT, 0x60000020);
    section(OPTIONAL + 0xF0 + 40, ".pdata", PDATA, 0x200, FILE_TEXT + 0x1000, 0x40000040);
    memset(file + FILE_TEXT, 0xCC, 0x1000);
    memcpy(file + FILE_TEXT + 0x100, function, sizeof function);
    forge32(file, FILE_TEXT + 0x1000, TEXT + 0x100);
    forge32(file, FILE_TEXT + 0x1004, TEXT + 0x100 + sizeof function);
}

static void store(void)
{
    strcpy(folder, "/tmp/dfr-code-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/exdisk.sys", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/exdisk.sys/63000000%x", folder, IMAGE);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/exdisk.sys/63000000%x/exdisk.sys", folder, IMAGE);
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(file, 1, sizeof file, f), sizeof file);
    fclose(f);
}

static void remove_store(void)
{
    unlink(path);
    for (int i = 0; i < 3; i++) {
        *strrchr(path, '/') = 0;
        rmdir(path);
    }
}

/* The image mapped: its text and, where `whole`, all else. */
static struct dfr_dump scene(bool whole, struct dfr_store *s, const char *symbols)
{
    static const uint64_t none[4] = {0};
    struct dfr_dump d = target_dump(DFR_MACHINE_X64, 0x7E, none);
    dfr_store_init(s, &arena, dfr_str_from(symbols));
    d.store = s;
    memcpy(target_bytes + AT, file, FILE_TEXT);
    memcpy(target_bytes + AT + TEXT, file + FILE_TEXT, 0x1000);
    memcpy(target_bytes + AT + PDATA, file + FILE_TEXT + 0x1000, 0x200);
    target_memory(&d, base + (whole ? 0 : TEXT), AT + (whole ? 0 : TEXT), whole ? IMAGE : 0x1000);
    target_module(&d, "exdisk", base, IMAGE);
    uint32_t row = d.images.v[0].row;
    dfr_facts_cell(&facts, DFR_F_MODULES_IMAGE, row, dfr_v_str(S("exdisk.sys")));
    dfr_facts_cell(&facts, DFR_F_MODULES_TIMESTAMP, row, dfr_v_addr(STAMP));
    dfr_facts_cell(&facts, DFR_F_MODULES_SIZE, row, dfr_v_int(IMAGE));
    return d;
}

static int number(uint32_t field)
{
    const struct dfr_value *v = dfr_facts_scalar(&facts, field);
    return v->state != DFR_KNOWN ? -1 : v->kind == DFR_KIND_BOOL ? v->as.b : (int)v->as.n.lo;
}

Test(code_image, bits_and_patches)
{
    static const struct {
        uint32_t at;
        uint8_t change[2];
        int bits, bytes;
    } rows[] = {
        {0x104, {0, 0}, 0, 0},       {0x104, {0x08, 0}, 1, 0},
        {0x104, {0x18, 0}, 0, 1},    /* two bits of a byte */
        {0x104, {0x01, 0x01}, 0, 2}, /* two bytes side by side: a patch */
        {0xFF8, {0x80, 0}, 0, 1},    /* the next page was not compared */
    };
    struct dfr_store s;
    build();
    store();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dfr_dump d = scene(false, &s, folder);
        for (size_t k = 0; k < 2 && rows[i].at + k < 0x1000; k++)
            target_bytes[AT + TEXT + rows[i].at + k] ^= rows[i].change[k];
        dfr_dump_code_image(&d, base + TEXT + 0x104);
        cr_expect_eq(number(DFR_F_FAULT_CODE_BITS), rows[i].bits, "%zu: %d", i,
                     number(DFR_F_FAULT_CODE_BITS));
        cr_expect_eq(number(DFR_F_FAULT_CODE_BYTES), rows[i].bytes, "%zu", i);
    }
    struct dfr_dump d = scene(false, &s, "");
    dfr_dump_code_image(&d, base + TEXT + 0x104); /* no file, no image in memory */
    cr_expect_eq(number(DFR_F_FAULT_CODE_BITS), -1);
    cr_expect_eq(number(DFR_F_FAULT_MISALIGNED), -1);
    remove_store();
}

Test(code_image, instruction_pointer_between_instructions)
{
    static const struct {
        uint32_t at;
        int misaligned;
    } rows[] = {{0x100, false}, {0x104, false}, {0x105, true},
                {0x102, true},  {0x108, false}, {0x110, -1}}; /* of no function */
    struct dfr_store s;
    build();
    store();
    for (int whole = 0; whole < 2; whole++)
        for (size_t i = 0; i < COUNT(rows); i++) {
            struct dfr_dump d = scene(whole, &s, whole ? "" : folder);
            dfr_dump_code_image(&d, base + TEXT + rows[i].at);
            cr_expect_eq(number(DFR_F_FAULT_MISALIGNED), rows[i].misaligned, "%d %zu: %d", whole, i,
                         number(DFR_F_FAULT_MISALIGNED));
        }
    struct dfr_dump d = scene(false, &s, folder); /* the function is not what the file holds */
    target_bytes[AT + TEXT + 0x101] ^= 1;
    dfr_dump_code_image(&d, base + TEXT + 0x105);
    cr_expect_eq(number(DFR_F_FAULT_MISALIGNED), -1);
    remove_store();
}
