/* Transcripts: made-up snippets in every shape, by file, and what only code can build: encodings,
 * cuts at every length, removed lines. */
#include "base/buf.h"
#include "blocks.h"
#include "text/normal.h"
#include "text/transcript.h"

static struct dfr_mem mem;
static jmp_buf guard;
static struct dfr_arena arena;

static void open_text(void)
{
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    if (setjmp(guard))
        cr_assert_fail("out of memory");
    dfr_arena_init(&arena, &mem);
}

static void close_text(void)
{
    dfr_arena_deinit(&arena);
    cr_assert_eq(mem.live, 0);
}

TestSuite(text, .init = open_text, .fini = close_text);

static enum dfr_status read_text(const char *p, size_t len, struct dfr_transcript *ret)
{
    struct dfr_err err;
    return dfr_transcript_read(&arena, (struct dfr_str){p, len}, NULL, ret, &err);
}

/* Columns and scalars that say the same everywhere. */
static bool is_dull(uint32_t field, const struct dfr_value *v)
{
    if (v->state == DFR_UNKNOWN && v->reason == DFR_REASON_NOT_SHOWN)
        return true;
    switch (field) {
    case DFR_F_STACK_TRUST:
    case DFR_F_STACK_INDEX:
    case DFR_F_STACK_MODULE:
    case DFR_F_STACK_FUNC:
    case DFR_F_STACK_OFFSET:
    case DFR_F_OTHER_STACKS_MODULE:
    case DFR_F_OTHER_STACKS_FUNC:
    case DFR_F_OTHER_STACKS_INDEX:
    case DFR_F_BUGCHECK_RAW:
    case DFR_F_TRAP_FRAMES:
    case DFR_F_TRAP_CALLERS:
    case DFR_F_DUMP_LIVE:
        return true;
    case DFR_F_STACK_METHOD:
        return v->as.e.value == DFR_METHOD_LISTED;
    case DFR_F_STACK_INLINE:
    case DFR_F_STACK_UNLOADED:
    case DFR_F_INSNS_UNREADABLE:
    case DFR_F_POOLS_ASKED:
    case DFR_F_DEVICES_ASKED:
    case DFR_F_IRP_STACK_CURRENT:
        return v->state == DFR_KNOWN && !v->as.b;
    case DFR_F_NOTES_FRAME:
        return v->state == DFR_ABSENT;
    case DFR_F_DUMP_KIND:
        return v->as.e.value == DFR_DUMP_KIND_TRANSCRIPT;
    default:
        return false;
    }
}

static void print_table(struct dfr_buf *b, const struct dfr_facts *f, uint32_t table)
{
    const struct dfr_rows *t = &f->tables[table];
    const struct dfr_table_info *info = dfr_table_info(table);
    if (!t->n && t->reason == DFR_REASON_NOT_SHOWN)
        return;
    dfr_buf_printf(b, "%s", dfr_field_info(info->field)->path);
    if (t->complete && table != DFR_T_NOTES)
        dfr_buf_z(b, " complete");
    else if (t->reason != DFR_REASON_NOT_SHOWN && table != DFR_T_NOTES)
        dfr_buf_printf(b, " (%s)", dfr_reason_text(t->reason));
    dfr_buf_char(b, '\n');
    for (uint32_t row = 0; row < t->n; row++) {
        dfr_buf_char(b, ' ');
        for (uint32_t k = 0; k < info->columns; k++) {
            const struct dfr_value *v = dfr_facts_at(f, info->first_column + k, row);
            if (is_dull(info->first_column + k, v))
                continue;
            dfr_buf_printf(b, " %s=", dfr_field_info(info->first_column + k)->name);
            dfr_value_print(b, v);
        }
        dfr_buf_char(b, '\n');
    }
}

static char *print_crashes(const struct dfr_transcript *t)
{
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    for (uint32_t c = 0; c < t->n; c++) {
        const struct dfr_facts *f = &t->crashes[c];
        if (t->n > 1)
            dfr_buf_printf(&b, "crash %u\n", c + 1);
        for (uint32_t i = 0; i < DFR_F_COUNT; i++) {
            const struct dfr_value *v = &f->scalars[i];
            if (dfr_field_info(i)->cls != DFR_FIELD_SCALAR || is_dull(i, v))
                continue;
            dfr_buf_printf(&b, "%s = ", dfr_field_info(i)->path);
            dfr_value_print(&b, v);
            if (v->trust == DFR_TRUST_PROSE)
                dfr_buf_z(&b, " (prose)");
            if (f->places.v[v->place].line)
                dfr_buf_printf(&b, " @%u", f->places.v[v->place].line);
            dfr_buf_char(&b, '\n');
        }
        for (uint32_t table = 0; table < DFR_T_COUNT; table++)
            if (table != DFR_T_ANALYZE_KEYS)
                print_table(&b, f, table);
    }
    return strndup(b.p ? b.p : "", b.len);
}

static char *run_block(const struct block *b)
{
    struct dfr_transcript t;
    size_t len = strlen(b->input);
    enum dfr_status s = read_text(b->input, len, &t);
    if (s != DFR_OK)
        return strdup("not a crash\n");
    return print_crashes(&t);
}

Test(text, frames)
{
    check_blocks("tests/cases/text/frames.txt", run_block);
}

Test(text, identities)
{
    check_blocks("tests/cases/text/idents.txt", run_block);
}

Test(text, output_of_commands)
{
    check_blocks("tests/cases/text/output.txt", run_block);
}

Test(text, output_of_extensions)
{
    check_blocks("tests/cases/text/extensions.txt", run_block);
}

Test(text, failed_commands)
{
    check_blocks("tests/cases/text/failures.txt", run_block);
}

/* Keys of verifier rules and of black boxes are kept with their values, known to us or not. */
Test(text, keys_of_rules_are_kept)
{
    static const char body[] = "DV_VIOLATED_CONDITION:  Made-up condition text.\n"
                               "DV_RULE_INFO:  0x91002\n"
                               "DV_SOMETHING_NEW:  42\n"
                               "BLACKBOXSCM: 1 (!blackboxscm)\n";
    static const char *const expected[] = {"Made-up condition text.", "0x91002", "42",
                                           "1 (!blackboxscm)"};
    struct dfr_transcript t;
    cr_assert_eq(read_text(body, sizeof body - 1, &t), DFR_OK);
    const struct dfr_facts *f = &t.crashes[0];
    cr_assert_eq(f->tables[DFR_T_ANALYZE_KEYS].n, 4);
    for (uint32_t i = 0; i < 4; i++) {
        struct dfr_str v = dfr_value_str(dfr_facts_at(f, DFR_F_ANALYZE_KEYS_VALUE, i));
        cr_expect(dfr_str_eq(v, dfr_str_from(expected[i])), "%.*s", (int)v.len, v.p);
    }
    cr_expect_eq(f->tables[DFR_T_BLACKBOX].n, 1);
}

Test(text, prose_alone_is_no_crash)
{
    static const char prose[] = "My computer shows a blue screen every day. What can I do?\n";
    struct dfr_transcript t;
    cr_assert_eq(read_text(prose, sizeof prose - 1, &t), DFR_NOT_A_CRASH);
    cr_assert_eq(read_text("", 0, &t), DFR_NOT_A_CRASH);
}

Test(text, binary_files_do_not_look_like_text)
{
    static const char *const binary[] = {"PAGEDU64....", "PAGEDUMP....", "MDMP....", "MZ......"};
    for (size_t i = 0; i < sizeof binary / sizeof *binary; i++)
        cr_expect_not(dfr_transcript_looks_like(
            (struct dfr_span){(const uint8_t *)binary[i], strlen(binary[i])}));
    cr_expect(dfr_transcript_looks_like((struct dfr_span){(const uint8_t *)"0: kd> k", 8}));
    cr_expect(dfr_transcript_looks_like((struct dfr_span){(const uint8_t *)"\xff\xfek\0d\0", 6}));
}

static const char sample[] = "0: kd> k\r\n"
                             "Child-SP          RetAddr           Call Site\r\n"
                             "ffff8000`11112200 fffff803`33334444 nt!KeBugCheckEx\r\n"
                             "ffff8000`11112240 fffff803`33335555 acmeflt!Read+0x69 <- here\r\n";

static void expect_sample(const struct dfr_transcript *t)
{
    const struct dfr_facts *f = &t->crashes[0];
    cr_assert_eq(f->tables[DFR_T_STACK].n, 2);
    cr_expect_eq(dfr_facts_at(f, DFR_F_STACK_SP, 1)->as.u, 0xffff800011112240);
    struct dfr_str remark = dfr_value_str(dfr_facts_at(f, DFR_F_STACK_REMARK, 1));
    cr_expect(dfr_str_eq(remark, DFR_STR("here")), "%.*s", (int)remark.len, remark.p);
    cr_expect_eq(f->places.v[dfr_facts_at(f, DFR_F_STACK_SP, 1)->place].line, 4);
}

Test(text, line_ends_and_encodings)
{
    struct dfr_transcript t;
    cr_assert_eq(read_text(sample, sizeof sample - 1, &t), DFR_OK);
    expect_sample(&t);
    for (int big = 0; big < 2; big++) {
        char wide[2 * sizeof sample + 2];
        size_t n = 0;
        wide[n++] = big ? '\xfe' : '\xff';
        wide[n++] = big ? '\xff' : '\xfe';
        for (size_t i = 0; i < sizeof sample - 1; i++) {
            wide[n++] = big ? 0 : sample[i];
            wide[n++] = big ? sample[i] : 0;
        }
        cr_assert_eq(read_text(wide, n, &t), DFR_OK);
        expect_sample(&t);
        const struct dfr_facts *f = &t.crashes[0];
        const struct dfr_place *p = &f->places.v[dfr_facts_at(f, DFR_F_STACK_SP, 0)->place];
        const char *frame = strstr(sample, "ffff8000`11112200");
        cr_expect_eq(p->begin, 2 + 2 * (size_t)(frame - sample));
    }
}

/* Places lead back to the bytes of the input, through markup and odd blanks. */
Test(text, places_lead_back_to_the_input)
{
    static const char pasted[] = "<p>&gt;&#160;0:&nbsp;kd&gt; k<br />\n"
                                 "[b]ffff8000`11112200[/b] fffff803`33334444 nt!KeBugCheckEx\n"
                                 "ffff8000`11112240\xe3\x80\x80"
                                 "fffff803`33335555 nt!Foo+0x69\n</p>";
    struct dfr_transcript t;
    cr_assert_eq(read_text(pasted, sizeof pasted - 1, &t), DFR_OK);
    const struct dfr_facts *f = &t.crashes[0];
    cr_assert_eq(f->tables[DFR_T_STACK].n, 2);
    const struct dfr_place *p = &f->places.v[dfr_facts_at(f, DFR_F_STACK_SYM, 1)->place];
    cr_expect_eq(p->line, 3);
    cr_expect_eq(memcmp(pasted + p->begin, "nt!Foo+0x69", 11), 0);
    cr_expect_eq(p->end - p->begin, 11);
}

static const char *const files[] = {
    "tests/cases/text/frames.txt", "tests/cases/text/idents.txt", "tests/cases/text/output.txt",
    "tests/cases/text/extensions.txt", "tests/cases/text/failures.txt"};

/* Cut anywhere, the text is read to its end without a fault. */
Test(text, every_cut_is_read)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t len;
        char *text = read_whole(files[i], &len);
        for (size_t n = 0; n < len; n += 23) {
            struct dfr_transcript t;
            char *exact = malloc(n + 1); /* so that a read behind the end is seen */
            memcpy(exact, text, n);
            enum dfr_status s = read_text(exact, n, &t);
            cr_assert(s == DFR_OK || s == DFR_NOT_A_CRASH);
            dfr_arena_reset(&arena);
            free(exact);
        }
        free(text);
    }
}

/* Taking any line away never makes a table complete that was not, and never a known value absent. */
Test(text, a_missing_line_proves_nothing)
{
    size_t len;
    char *text = read_whole("tests/cases/text/output.txt", &len);
    int n;
    struct block *v = read_blocks(text, &n);
    for (int i = 0; i < n; i++) {
        struct dfr_transcript whole;
        size_t size = strlen(v[i].input);
        if (read_text(v[i].input, size, &whole) != DFR_OK)
            continue;
        bool complete[DFR_T_COUNT];
        for (uint32_t t = 0; t < DFR_T_COUNT; t++)
            complete[t] = whole.crashes[0].tables[t].complete;
        for (char *line = v[i].input; *line;) {
            char *end = strchr(line, '\n');
            end = end ? end + 1 : line + strlen(line);
            size_t before = (size_t)(line - v[i].input), after = size - (size_t)(end - v[i].input);
            char *less = malloc(before + after + 1);
            memcpy(less, v[i].input, before);
            memcpy(less + before, end, after);
            struct dfr_transcript t;
            if (read_text(less, before + after, &t) == DFR_OK)
                for (uint32_t k = 0; k < DFR_T_COUNT; k++)
                    cr_expect(!t.crashes[0].tables[k].complete || complete[k] || k == DFR_T_NOTES,
                              "%s: table %u without `%.*s`", v[i].name, k, (int)(end - line - 1),
                              line);
            free(less);
            line = end;
        }
        dfr_arena_reset(&arena);
    }
    for (int i = 0; i < n; i++) {
        free(v[i].name);
        free(v[i].input);
        free(v[i].expected);
    }
    free(v);
    free(text);
}
