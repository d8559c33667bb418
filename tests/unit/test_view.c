/* Rules over memory: a handmade view, and the view of a forged dump. */
#include "derive_help.h"
#include "dump/dump.h"
#include "dump_forge.h"
#include "facts/member.h"
#include "facts/view.h"
#include "lang/compile.h"
#include "vm/eval.h"

TestSuite(view, .init = open_facts, .fini = close_facts, .timeout = 60);

/* --- A power failure in handmade memory ----------------------------------------------------------- */

struct words {
    uint64_t va, value;
};
/* IRP -> stack location -> device -> driver -> image; a name; the page behind it is not there. */
static const struct words memory[] = {
    {0xFFFF800000001000 + 0xB8, 0xFFFF800000002000},
    {0xFFFF800000001000 + 0x40, 0x0000000000000700},
    {0xFFFF800000002000 + 0x28, 0xFFFF800000003000},
    {0xFFFF800000003000 + 0x08, 0xFFFF800000004000},
    {0xFFFF800000004000 + 0x18, 0xFFFFF80000100000},
    {0xFFFF800000004000 + 0x38, 0x0000000000080008},
    {0xFFFF800000004000 + 0x40, 0xFFFF800000005000},
    {0xFFFF800000005000, 0x006B007300690064},
    {0xFFFF800000006FF8, 0x0073006C00690061},
};

static enum dfr_reason read_words(void *user, uint64_t va, void *buf, size_t len,
                                  struct dfr_place *ret_place)
{
    uint8_t *to = buf;
    (void)user;
    *ret_place = (struct dfr_place){.begin = va & 0xFFFF, .end = (va & 0xFFFF) + len, .va = va};
    for (size_t i = 0; i < len; i++) {
        const struct words *w = NULL;
        for (size_t k = 0; k < sizeof memory / sizeof *memory && !w; k++)
            w = va + i - memory[k].va < 8 ? &memory[k] : NULL;
        if (!w)
            return va + i > 0xFFFFF00000000000 ? DFR_REASON_NOT_MAPPED : DFR_REASON_NOT_CAPTURED;
        to[i] = (uint8_t)(w->value >> 8 * (va + i - w->va));
    }
    return DFR_REASON_NONE;
}

static enum dfr_reason one_symbol(void *user, struct dfr_str module, struct dfr_str name,
                                  uint64_t *ret)
{
    (void)user;
    if (!dfr_module_is_kernel(module) || !dfr_str_eq(name, DFR_STR("Names")))
        return DFR_REASON_NO_SYMBOLS;
    *ret = 0xFFFF800000006FF8;
    return DFR_REASON_NONE;
}

static enum dfr_reason some_members(void *user, struct dfr_str module, struct dfr_str type,
                                    struct dfr_str path, struct dfr_member *ret)
{
    uint32_t index;
    bool indexed;
    (void)user;
    (void)module;
    if (dfr_str_eq(path, DFR_STR("Bits"))) {
        *ret = (struct dfr_member){.offset = 0x40, .size = 4, .bit_at = 8, .bit_size = 2};
        return DFR_REASON_NONE;
    }
    const struct dfr_member_row *row = dfr_member_find(DFR_ARCH_X64, type, path, &index, &indexed);
    if (!row)
        return DFR_REASON_NEEDS_TYPES;
    return dfr_member_at(row, row->at, 8, index, indexed, ret);
}

static const struct dfr_view view = {
    .pointer_bytes = 8, .read = read_words, .symbol = one_symbol, .member = some_members};

static struct dfr_program program;

static struct dfr_engine *compiled(const char *text)
{
    struct dfr_engine *e = NULL;
    struct dfr_err why = {0};
    struct dfr_diags found;
    struct dfr_compile_source source = {.path = DFR_STR("t.dfr"), .text = dfr_str_from(text)};
    dfr_program_init(&program, &arena);
    dfr_diags_init(&found, &arena);
    enum dfr_status s =
        dfr_compile(&arena, &source, 1, &(struct dfr_compile_options){0}, &found, &program, &why);
    for (uint32_t i = 0; i < found.n; i++)
        fprintf(stderr, "%u: %.*s\n", found.v[i].line, (int)found.v[i].message.len,
                found.v[i].message.p);
    cr_assert_eq(s, DFR_OK, "%s", why.message);
    cr_assert_eq(dfr_engine_new(&arena, &program, &e, &why), DFR_OK, "%s", why.message);
    return e;
}

static struct dfr_eval evaluated(const struct dfr_engine *e, const struct dfr_facts *f)
{
    struct dfr_eval ret;
    struct dfr_err why = {0};
    cr_assert_eq(
        dfr_eval_run(e, f, &(struct dfr_eval_options){.only_rule = DFR_NONE}, &arena, &ret, &why),
        DFR_OK, "%s", why.message);
    return ret;
}

#define CAUSE "cause c { title = \"t\"; axis = \"contributor\"; prior_db = 0; }\n"
#define WALK                                                                                       \
    "let at = field(bugcheck.arg4, \"nt!_IRP\", \"Tail.Overlay.CurrentStackLocation\");\n"         \
    "let device = field(at, \"nt!_IO_STACK_LOCATION\", \"DeviceObject\");\n"                       \
    "let driver = field(device, \"nt!_DEVICE_OBJECT\", \"DriverObject\");\n"

static void power_failure(uint64_t irp)
{
    dfr_facts_set(&facts, DFR_F_BUGCHECK_CODE, dfr_v_int(0x9F));
    dfr_facts_set(&facts, DFR_F_BUGCHECK_ARG4, dfr_v_addr(irp));
    uint32_t row = dfr_facts_module_row(&facts, DFR_STR("disk"));
    dfr_facts_cell(&facts, DFR_F_MODULES_BASE, row, dfr_v_addr(0xFFFFF80000100000));
    dfr_facts_cell(&facts, DFR_F_MODULES_END, row, dfr_v_addr(0xFFFFF80000110000));
    facts.view = &view;
    dfr_facts_seal(&facts);
}

Test(view, a_rule_walks_to_the_driver)
{
    power_failure(0xFFFF800000001000);
    struct dfr_engine *e =
        compiled(CAUSE "rule walk { when bugcheck.code == 0x9F;\n" WALK
                       "evidence { for strong: module_at(field(driver, \"nt!_DRIVER_OBJECT\", "
                       "\"DriverStart\")) == \"disk\"; }\n"
                       "conclude c; }");
    struct dfr_eval r = evaluated(e, &facts);
    cr_assert_eq(r.hits.n, 1);
    cr_assert_eq(r.hits.v[0].item_count, 1);
    const struct dfr_tv *t = &r.hits.v[0].items[0].truth;
    cr_expect_eq(dfr_tv_tri(t), DFR_TRUE);
    cr_expect_neq(r.facts, &facts, "what was read stands in facts of the result's own");
    cr_expect_eq(facts.tables[DFR_T_WORDS].n, 0);
    /* The four words on the way, by rising address, each with its place. */
    static const uint64_t way[] = {0xFFFF8000000010B8, 0xFFFF800000002028, 0xFFFF800000003008,
                                   0xFFFF800000004018};
    static const char *const names[] = {
        "nt!_IRP.Tail.Overlay.CurrentStackLocation", "nt!_IO_STACK_LOCATION.DeviceObject",
        "nt!_DEVICE_OBJECT.DriverObject", "nt!_DRIVER_OBJECT.DriverStart"};
    cr_assert_eq(r.facts->tables[DFR_T_WORDS].n, 4);
    for (uint32_t i = 0; i < 4; i++) {
        const struct dfr_value *at = dfr_facts_at(r.facts, DFR_F_WORDS_ADDR, i);
        const struct dfr_value *name = dfr_facts_at(r.facts, DFR_F_WORDS_NAME, i);
        cr_expect_eq(at->as.u, way[i]);
        cr_expect(dfr_str_eq(dfr_value_str(name), dfr_str_from(names[i])));
        cr_expect_eq(at->trust, DFR_TRUST_BINARY);
        cr_assert(at->place && at->place < r.facts->places.n);
        cr_expect_eq(r.facts->places.v[at->place].va, way[i]);
        cr_expect_eq(r.facts->places.v[at->place].begin, way[i] & 0xFFFF);
    }
    uint32_t n, read = 0;
    const uint32_t *cells = dfr_sets_items(r.sets, t->origin, &n);
    for (uint32_t i = 0; i < n; i++)
        read += r.cells.v[cells[i]].field == DFR_F_WORDS_VALUE;
    cr_expect_eq(read, 4, "the evidence rests on them");
}

struct waits {
    int line;
    uint64_t irp;
    const char *condition, *field, *param;
    enum dfr_reason reason;
};
static const struct waits waiting[] = {
    {__LINE__, 0xFFFF800000009000, WALK "evidence { for weak: driver == 0; }", "fields",
     "nt!_IRP ffff800000009000 Tail.Overlay.CurrentStackLocation", DFR_REASON_NOT_CAPTURED},
    {__LINE__, 0xFFFFF80000000000, "evidence { for weak: mem.u32(bugcheck.arg4) == 1; }", "words",
     "fffff80000000000 L1", DFR_REASON_NOT_MAPPED},
    {__LINE__, 0xFFFFFFFFFFFFFFFC, "evidence { for weak: mem.u64(bugcheck.arg4) == 1; }", "words",
     "fffffffffffffffc L1", DFR_REASON_NOT_MAPPED},
    {__LINE__, 0xFFFF800000001000, "evidence { for weak: symbol(\"nt!Unheard\") == 1; }", "symbols",
     "nt!Unheard", DFR_REASON_NO_SYMBOLS},
    {__LINE__, 0xFFFF800000001000,
     "evidence { for weak: field(bugcheck.arg4, \"nt!_UNHEARD\", \"Of\") == 1; }", "fields",
     "nt!_UNHEARD ffff800000001000 Of", DFR_REASON_NEEDS_TYPES},
    {__LINE__, 0xFFFF800000006FF8, "evidence { for weak: mem.utf16(bugcheck.arg4, 5) == \"\"; }",
     "words", "ffff800000007000 L1", DFR_REASON_NOT_CAPTURED},
};

Test(view, unknown_with_its_reason)
{
    for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++) {
        const struct waits *w = &waiting[i];
        char text[2048];
        dfr_facts_init(&facts, &arena);
        power_failure(w->irp);
        snprintf(text, sizeof text, CAUSE "rule r { when bugcheck.code == 0x9F;\n%s conclude c; }",
                 w->condition);
        struct dfr_eval r = evaluated(compiled(text), &facts);
        cr_assert_eq(r.hits.n, 1, "line %d", w->line);
        const struct dfr_tv *t = &r.hits.v[0].items[0].truth;
        cr_expect_eq(dfr_tv_tri(t), DFR_OPEN, "line %d", w->line);
        cr_assert_eq(r.missing.n, 1, "line %d: %u missing", w->line, r.missing.n);
        const struct dfr_missing *m = &r.missing.v[0];
        cr_expect_str_eq(dfr_field_info(m->field)->path, w->field, "line %d", w->line);
        cr_expect(dfr_str_eq(m->param, dfr_str_from(w->param)), "line %d: %.*s", w->line,
                  (int)m->param.len, m->param.p);
        cr_expect_eq(m->reason, w->reason, "line %d: %s", w->line,
                     dfr_reason_text((enum dfr_reason)m->reason));
    }
}

Test(view, texts_bits_and_symbols)
{
    static const char *const conditions[] = {
        "mem.unicode(field_address(0xFFFF800000004000, \"nt!_DRIVER_OBJECT\", \"DriverName\")) == "
        "\"disk\"",
        "mem.utf16(symbol(\"nt!Names\"), 4) == \"ails\"",
        "mem.ascii(symbol(\"nt!Names\"), 9) == \"a\"",
        "mem.u16(symbol(\"nt!Names\") + 6) == 0x73",
        "field(bugcheck.arg4, \"nt!_IRP\", \"Bits\") == 3",
        "mem.ptr(bugcheck.arg4 + 0xB8) == 0xFFFF800000002000",
    };
    power_failure(0xFFFF800000001000);
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 CAUSE "rule r { when bugcheck.code == 0x9F and %s; conclude c; }", conditions[i]);
        struct dfr_eval r = evaluated(compiled(text), &facts);
        cr_expect(r.hits.n == 1 && r.hits.v[0].status == DFR_HIT_FIRED, "%s", conditions[i]);
    }
}

/* What was read before does not show in the numbers of what is read now. */
Test(view, order_of_rules_does_not_show)
{
#define FIRST                                                                                      \
    "rule a { when mem.u8(bugcheck.arg4 + 0x40) == 0 and bugcheck.code == 0x9F; conclude c; }\n"
#define SECOND                                                                                     \
    "rule b { when mem.u64(bugcheck.arg4 + 0xB8) != 0 and bugcheck.code == 0x9F; conclude c; }\n"
    power_failure(0xFFFF800000001000);
    struct dfr_eval x = evaluated(compiled(CAUSE FIRST SECOND), &facts);
    struct dfr_eval y = evaluated(compiled(CAUSE SECOND FIRST), &facts);
    cr_assert_eq(x.facts->tables[DFR_T_WORDS].n, 2);
    cr_assert_eq(y.facts->tables[DFR_T_WORDS].n, 2);
    for (uint32_t i = 0; i < 2; i++)
        cr_expect_eq(dfr_facts_at(x.facts, DFR_F_WORDS_ADDR, i)->as.u,
                     dfr_facts_at(y.facts, DFR_F_WORDS_ADDR, i)->as.u);
}

/* --- The view of a dump --------------------------------------------------------------------------- */

static uint8_t d[FORGE_SIZE];
static struct dfr_bytes bytes;

static const struct dfr_view *forged(void)
{
    struct dfr_diags found;
    struct dfr_err why = {0};
    forge_triage(d);
    dfr_bytes_memory(&bytes, &arena, (struct dfr_span){d, sizeof d});
    dfr_diags_init(&found, &arena);
    cr_assert_eq(dfr_dump_read(&arena, &bytes, NULL, &found, &facts, &why), DFR_OK, "%s",
                 why.message);
    cr_assert_not_null(facts.view);
    return facts.view;
}

Test(view, memory_of_a_dump)
{
    const struct dfr_view *v = forged();
    struct dfr_place place;
    uint8_t b[8];
    cr_expect_eq(v->pointer_bytes, 8);
    cr_expect_eq(v->read(v->user, FORGE_STACK_VA + 16, b, 8, &place), DFR_REASON_NONE);
    cr_expect_eq(memcmp(b, d + FORGE_STACK + 16, 8), 0);
    cr_expect_eq(place.begin, FORGE_STACK + 16);
    cr_expect_eq(place.end, FORGE_STACK + 24);
    cr_expect_eq(place.va, FORGE_STACK_VA + 16);
    cr_expect_eq(v->read(v->user, FORGE_STACK_VA - 4, b, 8, &place), DFR_REASON_NOT_CAPTURED);
    cr_expect_eq(v->read(v->user, UINT64_MAX - 3, b, 8, &place), DFR_REASON_NOT_MAPPED);
}

static enum dfr_reason member(const struct dfr_view *v, const char *type, const char *path,
                              struct dfr_member *ret)
{
    return v->member(v->user, DFR_STR("nt"), dfr_str_from(type), dfr_str_from(path), ret);
}

Test(view, symbols_and_members_of_a_dump)
{
    const struct dfr_view *v = forged();
    struct dfr_member m = {0};
    uint64_t va = 0;
    cr_expect_eq(v->symbol(v->user, DFR_STR("nt"), DFR_STR("NtBuildLab"), &va), DFR_REASON_NONE);
    cr_expect_eq(v->symbol(v->user, DFR_STR("nt"), DFR_STR("Unheard"), &va), DFR_REASON_NO_SYMBOLS);
    cr_expect_eq(v->symbol(v->user, DFR_STR("tcpip"), DFR_STR("NtBuildLab"), &va),
                 DFR_REASON_NO_SYMBOLS);
    cr_expect_eq(member(v, "_IRP", "Tail.Overlay.CurrentStackLocation", &m), DFR_REASON_NONE);
    cr_expect(m.offset == 0xB8 && m.size == 8);
    cr_expect_eq(member(v, "_DRIVER_OBJECT", "MajorFunction[2]", &m), DFR_REASON_NONE);
    cr_expect(m.offset == 0x80 && m.size == 8);
    cr_expect_eq(member(v, "_DRIVER_OBJECT", "MajorFunction[28]", &m), DFR_REASON_NO_SUCH_MEMBER);
    cr_expect_eq(member(v, "_KPRCB", "CurrentThread", &m), DFR_REASON_NONE);
    cr_expect(m.offset == 8 && m.size == 8);
    cr_expect_eq(member(v, "_KPRCB", "Unheard", &m), DFR_REASON_NEEDS_TYPES);
    cr_expect_eq(v->member(v->user, DFR_STR("tcpip"), DFR_STR("_IRP"), DFR_STR("Type"), &m),
                 DFR_REASON_NEEDS_TYPES);
}

/* --- Names ---------------------------------------------------------------------------------------- */

Test(view, names)
{
    struct dfr_str module, name;
    static const struct {
        const char *text;
        bool ok;
    } symbols[] = {{"nt!KiBugCheckData", true},
                   {"win32kfull!?Name@@YAXXZ", true},
                   {"nt!", false},
                   {"!x", false},
                   {"x", false},
                   {"a!b!c", false},
                   {"nt!a;b", false},
                   {"nt!a b", false},
                   {"", false}},
      paths[] = {{"A", true},          {"A.B[12].C", true}, {"A[3]", true},   {"", false},
                 {".A", false},        {"A.", false},       {"A..B", false},  {"A[]", false},
                 {"A[123456]", false}, {"A[1", false},      {"A[1]B", false}, {"1A", false},
                 {"A;B", false}};
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        cr_expect_eq(dfr_symbol_split(dfr_str_from(symbols[i].text), &module, &name), symbols[i].ok,
                     "%s", symbols[i].text);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        cr_expect_eq(dfr_member_path_ok(dfr_str_from(paths[i].text)), paths[i].ok, "%s",
                     paths[i].text);
}

Test(view, members_are_aligned)
{
    size_t n;
    const struct dfr_member_row *rows = dfr_member_rows(&n);
    for (size_t i = 0; i < n; i++) {
        uint32_t unit = rows[i].size < 4 ? rows[i].size : 4;
        cr_expect(rows[i].type[0] == '_' && dfr_member_path_ok(dfr_str_from(rows[i].member)), "%s",
                  rows[i].member);
        cr_expect(rows[i].how != DFR_MEMBER_FIXED || rows[i].at % unit == 0, "%s.%s is not aligned",
                  rows[i].type, rows[i].member);
    }
}
