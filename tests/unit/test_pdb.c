/* PDB files: names by address, addresses by name, reordered images, members of types, damage. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <setjmp.h>

#include "image/pdb.h"
#include "image/pdb_types.h"
#include "tests/unit/pdb_forge.h"

enum { X64 = 0x8664, X86 = 0x14C };

static struct dfr_mem mem;
static struct dfr_arena arena;
static struct forge_pdb forge;
static uint8_t file[FORGE_MOST];
static size_t length;
static struct dfr_pdb pdb;

static void setup(void)
{
    dfr_mem_init(&mem, NULL, 0);
    dfr_arena_init(&arena, &mem);
    forge_start(&forge, X64);
}

static void teardown(void)
{
    dfr_arena_deinit(&arena);
}

TestSuite(pdb, .init = setup, .fini = teardown);

static void two_sections(void)
{
    forge_section(&forge.s[FORGE_SECTIONS], 0x1000, 0x800);
    forge_section(&forge.s[FORGE_SECTIONS], 0x3000, 0x100);
}

static void open_forged(void)
{
    struct dfr_bytes b;
    const char *problem = "";
    length = forge_file(&forge, file);
    cr_assert(length);
    dfr_bytes_memory(&b, &arena, (struct dfr_span){file, length});
    cr_assert(dfr_pdb_open(&pdb, &arena, &b, &problem), "%s", problem);
}

static void expect_at(uint32_t rva, const char *name, uint32_t distance)
{
    struct dfr_pdb_symbol s;
    uint32_t off;
    bool found = dfr_pdb_at(&pdb, rva, &s, &off);
    cr_expect_eq(found, name != NULL, "%x", rva);
    if (found && name) {
        cr_expect(dfr_str_eq(s.name, dfr_str_from(name)), "%x: %.*s", rva, (int)s.name.len,
                  s.name.p);
        cr_expect_eq(off, distance, "%x: %x", rva, off);
    }
}

Test(pdb, head)
{
    two_sections();
    open_forged();
    cr_expect_eq(pdb.age, 7);
    cr_expect_eq(pdb.machine, X64);
    cr_expect_eq(pdb.sections.n, 2);
    cr_expect_eq(pdb.guid[0], 1);
    cr_expect_eq(pdb.guid[15], 16);
    cr_expect_not(dfr_pdb_read_symbols(&pdb));
    cr_expect_str_eq(pdb.symbols_problem, "it holds no symbols");
}

Test(pdb, nearest_symbol)
{
    two_sections();
    forge_public(&forge, 1, 0x100, 2, "second");
    forge_public(&forge, 1, 0x10, 2, "first");
    forge_public(&forge, 2, 0x20, 0, "data");
    forge_public(&forge, 0, 0x40, 0, "absolute");
    forge_public(&forge, 9, 0x40, 0, "beyond the sections");
    forge_public(&forge, 1, 0x9000, 2, "beyond its section");
    forge_function(&forge, 1, 0x100, 0x40, "known_better");
    open_forged();
    expect_at(0x100F, NULL, 0);
    expect_at(0x1010, "first", 0);
    expect_at(0x10FF, "first", 0xEF);
    expect_at(0x1100, "known_better", 0);
    expect_at(0x17FF, "known_better", 0x6FF);
    expect_at(0x1800, NULL, 0); /* behind the section, though no symbol follows */
    expect_at(0x3000, NULL, 0); /* of the section before it */
    expect_at(0x3025, "data", 5);
    expect_at(0xFFFFFFFF, NULL, 0);
    cr_expect_eq(pdb.entry_count, 4);
    struct dfr_pdb_symbol s;
    cr_expect(dfr_pdb_named(&pdb, DFR_STR("second"), &s) && s.rva == 0x1100);
    cr_expect(dfr_pdb_named(&pdb, DFR_STR("known_better"), &s) && s.size == 0x40);
    cr_expect_not(dfr_pdb_named(&pdb, DFR_STR("absolute"), &s));
    cr_expect_not(dfr_pdb_named(&pdb, DFR_STR(""), &s));
}

/* The function `moved` had 100h bytes at 1000h; its last 80h now stand at 2000h. */
Test(pdb, reordered_image)
{
    forge_section(&forge.s[FORGE_ORIGINAL], 0x1000, 0x400);
    forge_section(&forge.s[FORGE_SECTIONS], 0x1000, 0x2000);
    forge_omap(&forge.s[FORGE_MOVED], 0x1000, 0x1200);
    forge_omap(&forge.s[FORGE_MOVED], 0x1080, 0x2000);
    forge_omap(&forge.s[FORGE_MOVED], 0x1100, 0x1000);
    forge_omap(&forge.s[FORGE_MOVED], 0x1180, 0x1800);
    forge_omap(&forge.s[FORGE_MOVED], 0x1200, 0);
    forge_omap(&forge.s[FORGE_BACK], 0x1000, 0x1100);
    forge_omap(&forge.s[FORGE_BACK], 0x1100, 0);
    forge_omap(&forge.s[FORGE_BACK], 0x1200, 0x1000);
    forge_omap(&forge.s[FORGE_BACK], 0x1280, 0);
    forge_omap(&forge.s[FORGE_BACK], 0x1800, 0x1180);
    forge_omap(&forge.s[FORGE_BACK], 0x2000, 0x1080);
    forge_public(&forge, 1, 0, 2, "moved");
    forge_public(&forge, 1, 0x100, 2, "other");
    forge_public(&forge, 1, 0x180, 2, "late");
    forge_public(&forge, 1, 0x200, 2, "gone");
    open_forged();
    expect_at(0x1000, "other", 0);
    expect_at(0x1208, "moved", 8);
    expect_at(0x1801, "late", 1);
    expect_at(0x2010, "moved", 0x90);
    expect_at(0x1290, NULL, 0);
    struct dfr_pdb_symbol s;
    cr_expect(dfr_pdb_named(&pdb, DFR_STR("moved"), &s) && s.rva == 0x1200);
    cr_expect_not(dfr_pdb_named(&pdb, DFR_STR("gone"), &s));
}

Test(pdb, decorated_names_are_found)
{
    forge.machine = X86;
    two_sections();
    forge_public(&forge, 1, 0, 2, "_KeBugCheckEx@20");
    forge_public(&forge, 1, 0x10, 2, "@KfLowerIrql@4");
    forge_public(&forge, 1, 0x20, 2, "_memcpy");
    open_forged();
    struct dfr_pdb_symbol s;
    cr_expect(dfr_pdb_named(&pdb, DFR_STR("KeBugCheckEx"), &s) && s.rva == 0x1000);
    cr_expect(dfr_pdb_named(&pdb, DFR_STR("KfLowerIrql"), &s) && s.rva == 0x1010);
    cr_expect(dfr_pdb_named(&pdb, DFR_STR("memcpy"), &s) && s.rva == 0x1020);
    cr_expect_not(dfr_pdb_named(&pdb, DFR_STR("KeBugCheck"), &s));
}

Test(pdb, plain_names)
{
    static const struct {
        unsigned machine;
        const char *decorated, *plain;
    } rows[] = {
        {X64, "KeBugCheckEx", "KeBugCheckEx"},
        {X64, "_purecall", "_purecall"},
        {X86, "_KeBugCheckEx@20", "KeBugCheckEx"},
        {X86, "@KfLowerIrql@4", "KfLowerIrql"},
        {X86, "_memcpy", "memcpy"},
        {X86, "__imp__X@8", "_imp__X"},
        {X86, "@feat.00", "@feat.00"},
        {X86, "_", "_"},
        {X64, "?FxStubInitTypes@@YAJXZ", "FxStubInitTypes"},
        {X64, "?Dispatch@FxPkgPnp@@MEAAJPEAU_IRP@@@Z", "FxPkgPnp::Dispatch"},
        {X64, "?f@B@A@@QEAAXXZ", "A::B::f"},
        {X64, "??0FxIrp@@QEAA@XZ", "FxIrp::FxIrp"},
        {X64, "??1FxIrp@@QEAA@XZ", "FxIrp::~FxIrp"},
        {X64, "??3@YAXPEAX@Z", "operator delete"},
        {X64, "??_GFxIrp@@UEAAPEAXI@Z", "FxIrp::`scalar deleting destructor'"},
        {X64, "?f@?A0x12345678@@YAXXZ", "`anonymous namespace'::f"},
        {X64, "?f@1@YAXXZ", "?f@1@YAXXZ"}, /* a name that was never given */
        {X64, "?f@A@1@@YAXXZ", "A::A::f"},
        /* left as they are */
        {X64, "?f@?$vector@H@std@@QEAAXXZ", "?f@?$vector@H@std@@QEAAXXZ"},
        {X64, "??_C@_07NFANNNEC@UNKNOWN@", "??_C@_07NFANNNEC@UNKNOWN@"},
        {X64, "?", "?"},
        {X64, "??", "??"},
        {X64, "?f", "?f"},
        {X64, "?f@@", "?f@@"},
        {X64, "??0@@", "??0@@"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dfr_str got =
            dfr_pdb_plain_name(&arena, (uint16_t)rows[i].machine, dfr_str_from(rows[i].decorated));
        cr_expect(dfr_str_eq(got, dfr_str_from(rows[i].plain)), "%s: %.*s", rows[i].decorated,
                  (int)got.len, got.p);
    }
}

/* ---- Types ------------------------------------------------------------------------------------- */

enum { U8 = 0x20, U32 = 0x75, U64 = 0x77, POINTER64 = 0x603, U16 = 0x21 };

static void member(uint32_t type, unsigned offset, const char *name)
{
    struct forge_stream *s = &forge.s[FORGE_TYPES];
    forge_u16(s, 0x150D);
    forge_u16(s, 3);
    forge_u32(s, type);
    forge_u16(s, offset);
    forge_z(s, name);
    while (s->n % 4) {
        s->b[s->n] = (uint8_t)(0xF0 | (4 - s->n % 4));
        s->n++;
    }
}

static uint32_t compound(unsigned kind, uint32_t fields, unsigned size, const char *name)
{
    struct forge_stream *s = &forge.s[FORGE_TYPES];
    size_t at = forge_type(&forge, kind);
    forge_u16(s, 0);
    forge_u16(s, fields ? 0 : 0x80);
    forge_u32(s, fields);
    if (kind != 0x1506) {
        forge_u32(s, 0);
        forge_u32(s, 0);
    }
    forge_u16(s, size);
    forge_z(s, name);
    forge_end(s, at);
    return forge_last(&forge);
}

/* struct _IN { u32 a; u32 low : 3, high : 29; };
 * struct _OUT { _IN in; u64 word; _IN row[4]; union { u8 byte; u16 half; }; void *p; };  */
static void two_types(void)
{
    struct forge_stream *s = &forge.s[FORGE_TYPES];
    uint32_t declared = compound(0x1505, 0, 0, "_IN"), low, high, list, row, nameless, whole;
    size_t at = forge_type(&forge, 0x1205);
    forge_u32(s, U32);
    forge_bytes(s, "\3\0", 2);
    forge_end(s, at);
    low = forge_last(&forge);
    at = forge_type(&forge, 0x1205);
    forge_u32(s, U32);
    forge_bytes(s, "\35\3", 2);
    forge_end(s, at);
    high = forge_last(&forge);
    at = forge_type(&forge, 0x1203);
    member(U32, 0, "a");
    member(low, 4, "low");
    member(high, 4, "high");
    forge_end(s, at);
    compound(0x1505, forge_last(&forge), 8, "_IN");
    at = forge_type(&forge, 0x1503);
    forge_u32(s, declared);
    forge_u32(s, U64);
    forge_u16(s, 32);
    forge_z(s, "");
    forge_end(s, at);
    row = forge_last(&forge);
    at = forge_type(&forge, 0x1203);
    member(U8, 0, "byte");
    member(U16, 0, "half");
    forge_end(s, at);
    nameless = compound(0x1506, forge_last(&forge), 2, "<unnamed-tag>");
    at = forge_type(&forge, 0x1203); /* the second part of a list */
    member(nameless, 48, "");
    member(POINTER64, 56, "p");
    forge_end(s, at);
    whole = forge_last(&forge);
    at = forge_type(&forge, 0x1203);
    member(declared, 0, "in");
    member(U64, 8, "word");
    member(row, 16, "row");
    forge_u16(s, 0x1404);
    forge_u16(s, 0);
    forge_u32(s, whole);
    forge_end(s, at);
    list = forge_last(&forge);
    compound(0x1505, list, 64, "_OUT");
    /* A type that is its own modifier, and a list that goes on in itself. */
    at = forge_type(&forge, 0x1001);
    forge_u32(s, forge_last(&forge));
    forge_u16(s, 1);
    forge_end(s, at);
    uint32_t loop = forge_last(&forge);
    at = forge_type(&forge, 0x1203);
    member(loop, 0, "loop");
    forge_u16(s, 0x1404);
    forge_u16(s, 0);
    forge_u32(s, forge_last(&forge));
    forge_end(s, at);
    compound(0x1505, forge_last(&forge), 8, "_LOOP");
}

Test(pdb, members)
{
    static const struct {
        const char *type, *path;
        enum dfr_pdb_answer answer;
        uint64_t offset, size;
        unsigned bit_at, bit_size;
    } rows[] = {
        {"_OUT", "", DFR_PDB_FOUND, 0, 64, 0, 0},
        {"_OUT", "in", DFR_PDB_FOUND, 0, 8, 0, 0},
        {"_OUT", "in.a", DFR_PDB_FOUND, 0, 4, 0, 0},
        {"_OUT", "in.low", DFR_PDB_FOUND, 4, 4, 0, 3},
        {"_OUT", "in.high", DFR_PDB_FOUND, 4, 4, 3, 29},
        {"_OUT", "word", DFR_PDB_FOUND, 8, 8, 0, 0},
        {"_OUT", "row", DFR_PDB_FOUND, 16, 32, 0, 0},
        {"_OUT", "row[3]", DFR_PDB_FOUND, 40, 8, 0, 0},
        {"_OUT", "row[2].high", DFR_PDB_FOUND, 36, 4, 3, 29},
        {"_OUT", "half", DFR_PDB_FOUND, 48, 2, 0, 0},
        {"_OUT", "p", DFR_PDB_FOUND, 56, 8, 0, 0},
        {"_OUT", "row[4]", DFR_PDB_NO_MEMBER, 0, 0, 0, 0},
        {"_OUT", "nothing", DFR_PDB_NO_MEMBER, 0, 0, 0, 0},
        {"_OUT", "word.x", DFR_PDB_NO_MEMBER, 0, 0, 0, 0},
        {"_OUT", "word[0]", DFR_PDB_ODD, 0, 0, 0, 0},
        {"_OUT", "in.", DFR_PDB_ODD, 0, 0, 0, 0},
        {"_OUT", ".in", DFR_PDB_ODD, 0, 0, 0, 0},
        {"_OUT", "row[", DFR_PDB_ODD, 0, 0, 0, 0},
        {"_OUT", "row[]", DFR_PDB_ODD, 0, 0, 0, 0},
        {"_OUT", "row[9999999999]", DFR_PDB_ODD, 0, 0, 0, 0},
        {"_NONE", "in", DFR_PDB_NO_TYPE, 0, 0, 0, 0},
        {"<unnamed-tag>", "byte", DFR_PDB_NO_TYPE, 0, 0, 0, 0},
        {"", "in", DFR_PDB_NO_TYPE, 0, 0, 0, 0},
        {"_LOOP", "loop", DFR_PDB_FOUND, 0, 0, 0, 0},
        {"_LOOP", "other", DFR_PDB_ODD, 0, 0, 0, 0},
    };
    two_sections();
    two_types();
    open_forged();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dfr_pdb_member m = {0};
        enum dfr_pdb_answer a =
            dfr_pdb_member(&pdb, dfr_str_from(rows[i].type), dfr_str_from(rows[i].path), &m);
        cr_expect_eq(a, rows[i].answer, "%s %s: %d", rows[i].type, rows[i].path, a);
        if (a == DFR_PDB_FOUND && a == rows[i].answer)
            cr_expect(m.offset == rows[i].offset && m.size == rows[i].size &&
                          m.bit_at == rows[i].bit_at && m.bit_size == rows[i].bit_size,
                      "%s %s: %llu %llu %u %u", rows[i].type, rows[i].path,
                      (unsigned long long)m.offset, (unsigned long long)m.size, m.bit_at,
                      m.bit_size);
    }
}

/* ---- Damage ------------------------------------------------------------------------------------ */

static void use(const uint8_t *p, size_t n, unsigned *opened)
{
    struct dfr_mem own;
    struct dfr_arena a;
    jmp_buf guard;
    dfr_mem_init(&own, NULL, 64u << 20);
    dfr_arena_init(&a, &own);
    own.guard = &guard;
    if (setjmp(guard) == 0) {
        struct dfr_bytes b;
        struct dfr_pdb d;
        struct dfr_pdb_symbol s;
        struct dfr_pdb_member m;
        const char *problem = NULL;
        uint32_t off;
        dfr_bytes_memory(&b, &a, (struct dfr_span){p, n});
        if (dfr_pdb_open(&d, &a, &b, &problem)) {
            ++*opened;
            (void)dfr_pdb_at(&d, 0x1100, &s, &off);
            (void)dfr_pdb_named(&d, DFR_STR("first"), &s);
            (void)dfr_pdb_member(&d, DFR_STR("_OUT"), DFR_STR("row[2].high"), &m);
        } else {
            cr_assert(problem);
        }
    }
    dfr_arena_deinit(&a);
}

Test(pdb, damage)
{
    two_sections();
    two_types();
    forge_public(&forge, 1, 0x10, 2, "first");
    forge_function(&forge, 1, 0x100, 0x40, "function");
    open_forged();
    unsigned cut = 0, flipped = 0;
    for (size_t n = 0; n < length; n += 32)
        use(file, n, &cut);
    cr_expect_eq(cut, 0, "%u cut files were opened", cut);
    for (size_t i = 0; i < length; i++)
        for (unsigned x = 1; x < 256; x += 127) {
            uint8_t was = file[i];
            file[i] ^= (uint8_t)x;
            use(file, length, &flipped);
            file[i] = was;
        }
    cr_expect(flipped > 0);
}

/* Each stream belongs to one module: a list of many that name the same one would be endless work. */
Test(pdb, modules_that_share_a_stream)
{
    two_sections();
    for (uint32_t i = 0; i < 64; i++)
        forge_function(&forge, 1, i * 0x10, 0x10, "function");
    forge.copies = 40;
    open_forged();
    cr_expect_not(dfr_pdb_read_symbols(&pdb));
    cr_expect_str_eq(pdb.symbols_problem, "several of its modules name one stream");
}

Test(pdb, streams_longer_than_the_file)
{
    struct dfr_bytes b;
    const char *problem = "";
    two_sections();
    open_forged();
    uint8_t *directory = file + length - 2 * FORGE_BLOCK;
    cr_assert_eq(directory[0], FORGE_STREAMS);
    directory[4 + 4 * FORGE_MODULE + 1] = 0x60; /* bytes of a stream: more than the file has */
    file[45] = 0x01;                            /* and a directory that has room for its blocks */
    dfr_bytes_memory(&b, &arena, (struct dfr_span){file, length});
    cr_expect_not(dfr_pdb_open(&pdb, &arena, &b, &problem));
    cr_expect_str_eq(problem, "its stream directory is damaged");
}
