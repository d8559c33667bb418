/* Values, schema and store of facts. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "facts/store.h"

static struct dfr_mem mem;
static jmp_buf guard;
static struct dfr_arena arena;
static struct dfr_facts facts;

static void open_facts(void)
{
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    if (setjmp(guard))
        cr_assert_fail("out of memory");
    dfr_arena_init(&arena, &mem);
    dfr_facts_init(&facts, &arena);
}

static void close_facts(void)
{
    dfr_arena_deinit(&arena);
    cr_assert_eq(mem.live, 0);
}

TestSuite(facts, .init = open_facts, .fini = close_facts);

static struct dfr_str S(const char *z) {
    return dfr_str_from(z);
}

static const char *
printed(struct dfr_value v)
{
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    dfr_value_print(&b, &v);
    return dfr_arena_copy(&arena, b.p, b.len);
}

Test(facts, schema_paths_find_their_fields)
{
    for (uint32_t i = 0; i < DFR_F_COUNT; i++) {
        const struct dfr_field_info *info = dfr_field_info(i);
        cr_expect_eq(dfr_field_find(S(info->path)), i, "%s", info->path);
        if (info->cls == DFR_FIELD_COLUMN) {
            cr_expect_eq(dfr_column_find(info->table, S(info->name)), i, "%s", info->path);
            const struct dfr_table_info *t = dfr_table_info(info->table);
            cr_expect_eq(t->first_column + info->column, i, "%s", info->path);
            cr_expect_lt(info->column, t->columns, "%s", info->path);
            const char *table = dfr_field_info(t->field)->path;
            cr_expect(strncmp(info->path, table, strlen(table)) == 0, "%s", info->path);
            cr_expect_str_eq(info->path + strlen(table) + 1, info->name);
        }
        if (info->kind == DFR_KIND_ENUM)
            cr_expect_lt(info->param, DFR_E_COUNT);
    }
    for (uint32_t t = 0; t < DFR_T_COUNT; t++)
        cr_expect_eq(dfr_field_info(dfr_table_info(t)->field)->table, t);
    cr_expect_eq(dfr_field_find(S("bugcheck.cod")), DFR_F_COUNT);
    cr_expect_eq(dfr_field_find(S("")), DFR_F_COUNT);
    cr_expect_eq(dfr_field_find(S("cpus.ipi_frozen")), DFR_F_CPUS_IPI_FROZEN);
    cr_expect_eq(dfr_column_find(DFR_T_CPUS, S("frozen")), DFR_F_COUNT);
    cr_expect_eq(dfr_field_info(DFR_F_STACK_METHOD)->param, DFR_E_METHOD);
}

Test(facts, enum_words_find_their_values)
{
    for (uint32_t e = 0; e < DFR_E_COUNT; e++)
        for (uint32_t v = 0; v < dfr_enum_count(e); v++)
            cr_expect_eq(dfr_enum_find(e, S(dfr_enum_word(e, v))), v);
    cr_expect_str_eq(dfr_enum_name(DFR_E_CPU_STATE), "cpu_state");
    cr_expect_str_eq(dfr_enum_word(DFR_E_VERDICT, DFR_VERDICT_NEAR_CERTAIN), "near-certain");
    cr_expect_eq(dfr_enum_find(DFR_E_CPU_STATE, S("frozen")), DFR_CPU_STATE_FROZEN);
    cr_expect_eq(dfr_enum_find(DFR_E_CPU_STATE, S("icy")), UINT32_MAX);
    cr_expect_str_eq(dfr_enum_word(DFR_E_ARCH, 99), "?");
}

Test(facts, module_stems)
{
    static const struct {
        const char *spelled, *stem;
    } rows[] = {
        {"iaStor.sys", "iaStor"},
        {"\\SystemRoot\\System32\\drivers\\Some.SYS", "Some"},
        {"C:/x/y/tool.dll", "tool"},
        {"  hal  ", "hal"},
        {".sys", ".sys"},
        {"a.b.sys", "a.b"},
        {"driver.sy", "driver.sy"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dfr_str got = dfr_module_stem(S(rows[i].spelled));
        cr_expect(dfr_str_eq(got, S(rows[i].stem)), "%s", rows[i].spelled);
    }
}

Test(facts, module_sameness)
{
    static const struct {
        const char *a, *b;
        bool same, same_cut;
    } rows[] = {
        {"iaStor", "IASTOR.sys", true, true},
        {"nt", "ntkrnlmp.exe", true, true},
        {"ntoskrnl.wrong.symbols.exe", "NTKRPAMP", true, true},
        {"nt", "ntfs", false, false},
        {"nt", "nt_", false, false},
        {"foo", "foobar", false, false},
        {"longdrivername.sys", "longdriverna", false, true},
        {"longdrivername", "longdriverna", false, true},
        {"longdriver.sys", "longdriver.s", false, true},
        {"longdriver", "longdriver.s", false, true},
        {"longdriver", "longdriver.x", false, false},
        {"longdriver", "longdrivers", false, false},
        {"longdrivername.sys", "longdriver", false, false},
        {"", "", true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dfr_str a = S(rows[i].a), b = S(rows[i].b);
        cr_expect_eq(dfr_module_same(a, b), rows[i].same, "%s %s", rows[i].a, rows[i].b);
        cr_expect_eq(dfr_module_same(b, a), rows[i].same, "%s %s", rows[i].b, rows[i].a);
        cr_expect_eq(dfr_module_same_cut(a, b), rows[i].same_cut, "%s %s", rows[i].a, rows[i].b);
    }
}

Test(facts, civil_time_round_trips)
{
    static const struct {
        int y, mo, d, h, mi, s;
        int64_t t;
    } rows[] = {
        {1970, 1, 1, 0, 0, 0, 0},
        {2012, 2, 1, 19, 15, 24, 1328123724},
        {2000, 2, 29, 12, 0, 0, 951825600},
        {1969, 12, 31, 23, 59, 59, -1},
        {1601, 1, 1, 0, 0, 0, -11644473600},
        {2106, 2, 7, 6, 28, 15, 4294967295},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_eq(
            dfr_time_from_civil(rows[i].y, rows[i].mo, rows[i].d, rows[i].h, rows[i].mi, rows[i].s),
            rows[i].t);
        int y, mo, d, h, mi, s;
        dfr_time_to_civil(rows[i].t, &y, &mo, &d, &h, &mi, &s);
        cr_expect(y == rows[i].y && mo == rows[i].mo && d == rows[i].d && h == rows[i].h &&
                  mi == rows[i].mi && s == rows[i].s);
    }
    for (int64_t t = -200000000000; t < 200000000000; t += 86400 * 13 + 4321) {
        int y, mo, d, h, mi, s;
        dfr_time_to_civil(t, &y, &mo, &d, &h, &mi, &s);
        cr_assert_eq(dfr_time_from_civil(y, mo, d, h, mi, s), t);
    }
}

Test(facts, values_read_well)
{
    struct dfr_value module = dfr_facts_module(&facts, S("C:\\x\\iaStor.sys"));
    struct {
        struct dfr_value v;
        const char *text;
    } rows[] = {
        {dfr_v_bool(true), "true"},
        {dfr_v_int(-5), "-5"},
        {dfr_v_addr(0x7F), "0x7F"},
        {dfr_v_addr(0xfffff88002fd5fb0), "fffff88002fd5fb0"},
        {dfr_v_str(S("a\x1b[1m")), "a\\x1b[1m"},
        {dfr_v_time(1328123724, 1328123724), "2012-02-01 19:15:24 UTC"},
        {dfr_v_time(1328123724 - 14 * 3600, 1328123724 + 14 * 3600),
         "2012-02-01 19:15:24 UTC \xC2\xB1"
         "14 h"},
        {dfr_v_dur_ms(0), "0 s"},
        {dfr_v_dur_ms(19546965), "5 h 25 min 46.965 s"},
        {dfr_v_dur_ms(86400000), "1 d"},
        {dfr_v_ver(6, 12, 2, 633), "6.12.2.633"},
        {dfr_v_enum(DFR_E_ACCESS, DFR_ACCESS_WRITE), "write"},
        {dfr_v_unknown(DFR_KIND_INT, DFR_REASON_NOT_SHOWN), "unknown (the text does not show it)"},
        {dfr_v_absent(DFR_KIND_INT, DFR_REASON_NONE), "absent"},
        {module, "iaStor"},
        {dfr_facts_sym(&facts, (struct dfr_sym){S("nt"), S("KiPageFault"), 0x23d, true}),
         "nt!KiPageFault+0x23d"},
        {dfr_facts_sym(&facts, (struct dfr_sym){S("iaStor"), S(""), 0x10, true}), "iaStor+0x10"},
        {dfr_facts_sym(&facts, (struct dfr_sym){S(""), S(""), 0xfffffa8000000001, true}),
         "fffffa8000000001"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_str_eq(printed(rows[i].v), rows[i].text);
}

Test(facts, nothing_set_is_unknown)
{
    for (uint32_t i = 0; i < DFR_F_COUNT; i++) {
        if (dfr_field_info(i)->cls == DFR_FIELD_COLUMN) {
            const struct dfr_value *v = dfr_facts_at(&facts, i, 0);
            cr_expect_eq(v->state, DFR_UNKNOWN);
            cr_expect_eq(v->reason, DFR_REASON_NOT_LISTED);
            cr_expect_eq(v->kind, dfr_field_info(i)->kind);
        } else {
            const struct dfr_value *v = dfr_facts_scalar(&facts, i);
            cr_expect_eq(v->state, DFR_UNKNOWN);
            cr_expect_eq(v->reason, DFR_REASON_NOT_SHOWN);
        }
    }
    facts.tables[DFR_T_CPUS].complete = true;
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_CPUS_ID, 0)->state, DFR_ABSENT);
    cr_expect_eq(dfr_facts_find_module(&facts, S("nt")), UINT32_MAX);
    cr_expect_eq(dfr_facts_module_at(&facts, 0), UINT32_MAX);
}

static struct dfr_value trusted(struct dfr_value v, uint8_t trust)
{
    v.trust = trust;
    return v;
}

Test(facts, first_value_stays_unless_outranked)
{
    const uint32_t F = DFR_F_BUGCHECK_ARG1;
    cr_expect(dfr_facts_set(&facts, F, dfr_v_unknown(DFR_KIND_ADDR, DFR_REASON_ELIDED)));
    cr_expect_eq(dfr_facts_scalar(&facts, F)->reason, DFR_REASON_ELIDED);
    cr_expect(dfr_facts_set(&facts, F, dfr_v_addr(8)));
    cr_expect(dfr_facts_set(&facts, F, dfr_v_unknown(DFR_KIND_ADDR, DFR_REASON_ELIDED)));
    cr_expect(dfr_facts_set(&facts, F, dfr_v_addr(8)));
    cr_expect_not(dfr_facts_set(&facts, F, dfr_v_addr(9)));
    cr_expect_eq(dfr_facts_scalar(&facts, F)->as.u, 8);
    cr_expect(dfr_facts_set(&facts, F, trusted(dfr_v_addr(9), DFR_TRUST_PROSE)));
    cr_expect_eq(dfr_facts_scalar(&facts, F)->as.u, 8);
    cr_expect(dfr_facts_set(&facts, F, trusted(dfr_v_addr(10), DFR_TRUST_BINARY)));
    cr_expect_eq(dfr_facts_scalar(&facts, F)->as.u, 10);

    cr_expect(dfr_facts_set(&facts, DFR_F_DUMP_TIME, dfr_v_time(100, 200)));
    cr_expect(dfr_facts_set(&facts, DFR_F_DUMP_TIME, dfr_v_time(150, 150)));
    cr_expect(dfr_facts_set(&facts, DFR_F_DUMP_TIME, dfr_v_time(0, 1000)));
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_DUMP_TIME)->as.n.lo, 150);
    cr_expect_not(dfr_facts_set(&facts, DFR_F_DUMP_TIME, dfr_v_time(151, 151)));
}

Test(facts, rows_and_cells)
{
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t r = dfr_facts_row(&facts, DFR_T_CPUS);
        cr_assert_eq(r, i);
        dfr_facts_cell(&facts, DFR_F_CPUS_ID, r, dfr_v_int(i));
    }
    for (uint32_t i = 0; i < 100; i++)
        cr_expect_eq(dfr_facts_at(&facts, DFR_F_CPUS_ID, i)->as.n.lo, i);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_CPUS_STATE, 7)->state, DFR_UNKNOWN);
    dfr_facts_cell(&facts, DFR_F_CPUS_ID, 7, dfr_v_unknown(DFR_KIND_INT, DFR_REASON_ELIDED));
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_CPUS_ID, 7)->as.n.lo, 7);
    dfr_facts_cell(&facts, DFR_F_CPUS_ID, 7, trusted(dfr_v_int(3), DFR_TRUST_PROSE));
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_CPUS_ID, 7)->as.n.lo, 7);
    dfr_facts_cell(&facts, DFR_F_CPUS_ID, 1000, dfr_v_int(3)); /* no such row: nothing happens */
}

Test(facts, modules_are_found_by_any_spelling)
{
    char name[32];
    for (uint32_t i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "Driver%u.sys", i);
        struct dfr_str copy = {dfr_arena_copy(&arena, name, strlen(name)), strlen(name)};
        cr_assert_eq(dfr_facts_module_row(&facts, copy), i);
    }
    uint32_t nt = dfr_facts_module_row(&facts, S("nt"));
    uint32_t odd = dfr_facts_module_row(&facts, S("foo_bar"));
    dfr_facts_cell(&facts, DFR_F_MODULES_IMAGE, odd, dfr_v_str(S("foo-bar.sys")));
    cr_expect_eq(dfr_facts_find_module(&facts, S("NTKRNLMP.EXE")), nt);
    cr_expect_eq(dfr_facts_module_row(&facts, S("ntoskrnl.exe")), nt);
    cr_expect_eq(dfr_facts_find_module(&facts, S("driver512")), 512);
    cr_expect_eq(dfr_facts_find_module(&facts, S("driver1000")), UINT32_MAX);
    cr_expect_eq(dfr_facts_find_module(&facts, S("foo-bar.sys")), odd);
    cr_expect_eq(dfr_facts_find_module(&facts, S("")), UINT32_MAX);
    struct dfr_value m = dfr_facts_module(&facts, S("ntoskrnl.exe"));
    cr_expect_eq(m.as.module.row, nt + 1);
    cr_expect_eq(dfr_facts_module(&facts, S("nobody")).as.module.row, 0);
}

Test(facts, modules_are_found_by_address)
{
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t r = dfr_facts_row(&facts, DFR_T_MODULES);
        dfr_facts_cell(&facts, DFR_F_MODULES_BASE, r, dfr_v_addr(0x10000u * (10 - i)));
        if (i != 3)
            dfr_facts_cell(&facts, DFR_F_MODULES_END, r, dfr_v_addr(0x10000u * (10 - i) + 0x800));
    }
    for (int sealed = 0; sealed < 2; sealed++) {
        cr_expect_eq(dfr_facts_module_at(&facts, 0x10000), 9);
        cr_expect_eq(dfr_facts_module_at(&facts, 0x107ff), 9);
        cr_expect_eq(dfr_facts_module_at(&facts, 0x10800), UINT32_MAX);
        cr_expect_eq(dfr_facts_module_at(&facts, 0x70000), UINT32_MAX);
        cr_expect_eq(dfr_facts_module_at(&facts, 0xa0010), 0);
        cr_expect_eq(dfr_facts_module_at(&facts, 0xffff), UINT32_MAX);
        cr_expect_eq(dfr_facts_module_at(&facts, UINT64_MAX), UINT32_MAX);
        dfr_facts_seal(&facts);
    }
}

Test(facts, seal_links_modules_to_rows)
{
    uint32_t frame = dfr_facts_row(&facts, DFR_T_STACK);
    dfr_facts_cell(&facts, DFR_F_STACK_MODULE, frame, dfr_facts_module(&facts, S("nt")));
    dfr_facts_set(&facts, DFR_F_TRAP_MODULE, dfr_facts_module(&facts, S("nobody")));
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_STACK_MODULE, frame)->as.module.row, 0);
    uint32_t row = dfr_facts_module_row(&facts, S("ntkrnlmp.exe"));
    dfr_facts_seal(&facts);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_STACK_MODULE, frame)->as.module.row, row + 1);
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_TRAP_MODULE)->as.module.row, 0);
}

Test(facts, quotes)
{
    static const char text[] = "first line\r\n  second line \nthird";
    facts.text = S(text);
    static const struct {
        uint64_t begin, end;
        const char *quote;
    } rows[] = {
        {0, 5, "first line"},
        {16, 18, "second line"},
        {27, 32, "third"},
        {29, 900, "third"},
        {500, 900, ""},
        {9, 8, ""},
        {0, 32, "first line\r\n  second line \nthird"},
        {28, 28, "third"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dfr_place p = {.begin = rows[i].begin, .end = rows[i].end};
        struct dfr_str q = dfr_facts_quote(&facts, dfr_facts_place(&facts, p));
        cr_expect(dfr_str_eq(q, S(rows[i].quote)), "row %zu: %.*s", i, (int)q.len, q.p);
    }
    cr_expect_eq(dfr_facts_quote(&facts, 0).len, 0);
    cr_expect_eq(dfr_facts_quote(&facts, 999).len, 0);

    char *line = dfr_arena_alloc(&arena, 2000);
    memset(line, 'x', 2000);
    memcpy(line + 1000, " nt!Here ", 9);
    facts.text = (struct dfr_str){line, 2000};
    struct dfr_str q = dfr_facts_quote(
        &facts, dfr_facts_place(&facts, (struct dfr_place){.begin = 1001, .end = 1008}));
    cr_expect(dfr_str_eq(q, S("nt!Here")));
    q = dfr_facts_quote(&facts,
                        dfr_facts_place(&facts, (struct dfr_place){.begin = 0, .end = 1008}));
    cr_expect_eq(q.len, 240);
}

Test(facts, bugchecks_by_code_and_name)
{
    size_t n;
    const struct dfr_bugcheck_info *rows = dfr_bugcheck_rows(&n);
    cr_expect_geq(n, 380);
    for (size_t i = 0; i < n; i++) {
        if (i)
            cr_expect_lt(rows[i - 1].code, rows[i].code, "%s out of order", rows[i].name);
        cr_expect_eq(dfr_bugcheck_info(rows[i].code), &rows[i]);
        cr_expect_eq(dfr_bugcheck_by_name(S(rows[i].name))->code, rows[i].code);
        for (int k = 0; k < 4; k++)
            cr_expect_leq(strlen(rows[i].arg[k]), 64, "%s: %s", rows[i].name, rows[i].arg[k]);
    }
    static const struct {
        uint32_t raw, code;
        const char *name;
    } known[] = {
        {0x7F, 0x7F, "UNEXPECTED_KERNEL_MODE_TRAP"},
        {0x1000007E, 0x7E, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED"},
        {0xDEADDEAD, 0xDEADDEAD, "MANUALLY_INITIATED_CRASH1"},
        {0xC000021A, 0xC000021A, "WINLOGON_FATAL_ERROR"},
        {0x1234567, 0x1234567, NULL},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        cr_expect_eq(dfr_bugcheck_code(known[i].raw), known[i].code);
        const struct dfr_bugcheck_info *info = dfr_bugcheck_info(known[i].code);
        cr_expect_eq(info == NULL, known[i].name == NULL);
        if (info && known[i].name)
            cr_expect_str_eq(info->name, known[i].name);
    }
    cr_expect_eq(dfr_bugcheck_by_name(S("SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M"))->code, 0x7E);
    cr_expect_eq(dfr_bugcheck_by_name(S("no_such_thing")), NULL);
}
