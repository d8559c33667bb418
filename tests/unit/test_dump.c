/* Dumps: forged ones for every statement, real ones beside the repository when they are there. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "derive_help.h"
#include "dump/dump.h"
#include "dump_forge.h"

TestSuite(dump, .init = open_facts, .fini = close_facts, .timeout = 60);

static uint8_t d[FORGE_SIZE];
static struct dfr_diags diags;
static struct dfr_err err;

static enum dfr_status read_bytes(const uint8_t *p, size_t len)
{
    struct dfr_bytes b;
    dfr_bytes_memory(&b, &arena, (struct dfr_span){p, len});
    dfr_diags_init(&diags, &arena);
    return dfr_dump_read(&arena, &b, NULL, &diags, &facts, &err);
}

static void read_forged(void)
{
    cr_assert_eq(read_bytes(d, sizeof d), DFR_OK, "%s", err.message);
}

static bool known(uint32_t field)
{
    return dfr_facts_scalar(&facts, field)->state == DFR_KNOWN;
}

static uint64_t addr(uint32_t field)
{
    const struct dfr_value *v = dfr_facts_scalar(&facts, field);
    return v->state == DFR_KNOWN ? v->as.u : 0;
}

static int64_t number(uint32_t field)
{
    const struct dfr_value *v = dfr_facts_scalar(&facts, field);
    return v->state == DFR_KNOWN ? v->as.n.lo : -1;
}

static const char *text(const struct dfr_value *v)
{
    return v->state == DFR_KNOWN ? dfr_arena_copy(&arena, v->as.s.p, v->as.s.len) : "?";
}

static const char *text_of(const struct dfr_str *s)
{
    return dfr_arena_copy(&arena, s->p, s->len);
}

static const char *name_of(const struct dfr_value *v)
{
    return v->state == DFR_KNOWN ? dfr_arena_copy(&arena, v->as.module.p, v->as.module.len) : "?";
}

static uint64_t at(uint32_t column, uint32_t row)
{
    const struct dfr_value *v = dfr_facts_at(&facts, column, row);
    return v->state == DFR_KNOWN ? v->as.u : 0;
}

static uint32_t word_of(uint32_t column, uint32_t row)
{
    const struct dfr_value *v = dfr_facts_at(&facts, column, row);
    return v->state == DFR_KNOWN ? v->as.e.value : UINT32_MAX;
}

static uint64_t value_of(const char *name)
{
    for (uint32_t i = 0; i < facts.tables[DFR_T_REGS].n; i++)
        if (dfr_str_eq(dfr_value_str(dfr_facts_at(&facts, DFR_F_REGS_NAME, i)), S(name)))
            return at(DFR_F_REGS_VALUE, i);
    return UINT64_MAX;
}

Test(dump, header)
{
    forge_triage(d);
    read_forged();
    cr_expect_eq(diags.n, 0);
    cr_expect_eq(number(DFR_F_BUGCHECK_RAW), 0x1000007E);
    cr_expect_eq(number(DFR_F_BUGCHECK_CODE), 0x7E);
    cr_expect_eq(addr(DFR_F_BUGCHECK_ARG1), UINT64_C(0xFFFFFFFFC0000005));
    cr_expect_eq(addr(DFR_F_BUGCHECK_ARG4), FORGE_CONTEXT_VA);
    cr_expect_eq(number(DFR_F_OS_BUILD), 19041);
    cr_expect_eq(number(DFR_F_OS_PROCESSORS), 3);
    cr_expect_eq(number(DFR_F_DUMP_TIME), dfr_time_from_civil(2024, 1, 1, 0, 0, 0));
    cr_expect_eq(number(DFR_F_OS_UPTIME), 3600000);
    cr_expect_eq(addr(DFR_F_OS_KERNEL_BASE), FORGE_KERNEL);
    cr_expect(dfr_facts_scalar(&facts, DFR_F_DUMP_COMPLETE)->as.b);
    cr_expect_str_eq(text(dfr_facts_scalar(&facts, DFR_F_OS_VERSION)),
                     "19041.1.amd64fre.vb_release");
    const struct dfr_value *v = dfr_facts_scalar(&facts, DFR_F_OS_BUILD);
    cr_expect_eq(v->trust, DFR_TRUST_BINARY);
    cr_expect_eq(facts.places.v[v->place].begin, 0x0C);
    cr_expect_eq(facts.places.v[v->place].end, 0x10);
}

Test(dump, fields_that_were_never_written_are_unknown)
{
    static const struct {
        size_t off;
        unsigned size;
        uint32_t field;
    } rows[] = {{0x00C, 4, DFR_F_OS_BUILD},      {0x034, 4, DFR_F_OS_PROCESSORS},
                {0x038, 4, DFR_F_BUGCHECK_RAW},  {0x040, 8, DFR_F_BUGCHECK_ARG1},
                {0x058, 8, DFR_F_BUGCHECK_ARG4}, {0xFA8, 8, DFR_F_DUMP_TIME},
                {0x1030, 8, DFR_F_OS_UPTIME}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        forge_triage(d);
        memcpy(d + rows[i].off, "PAGEPAGE", rows[i].size);
        read_forged();
        const struct dfr_value *v = dfr_facts_scalar(&facts, rows[i].field);
        cr_expect_eq(v->state, DFR_UNKNOWN, "row %zu", i);
        cr_expect_eq(v->reason, DFR_REASON_DAMAGED, "row %zu", i);
    }
}

/* Neither the block behind the header nor the header leads to the debugger data: it is found in the
 * file, by the module list and the kernel that it names. */
Test(dump, debugger_data_that_nothing_leads_to)
{
    forge_triage(d);
    forge32(d, 0x2070, 0);
    forge64(d, 0x020, FORGE_KERNEL + 0x5100);
    read_forged();
    cr_expect_eq(facts.tables[DFR_T_CPUS].n, 0);
    forge64(d, FORGE_KDBG + 0x48, FORGE_KERNEL + 0x5100);
    read_forged();
    cr_expect_eq(addr(DFR_F_OS_KERNEL_BASE), FORGE_KERNEL);
    cr_expect_eq(facts.tables[DFR_T_CPUS].n, 3);
}

Test(dump, modules)
{
    forge_triage(d);
    read_forged();
    cr_assert_eq(facts.tables[DFR_T_MODULES].n, 2);
    cr_expect(facts.tables[DFR_T_MODULES].complete);
    cr_expect_str_eq(text(dfr_facts_at(&facts, DFR_F_MODULES_NAME, 0)), "nt");
    cr_expect_str_eq(text(dfr_facts_at(&facts, DFR_F_MODULES_IMAGE, 0)), "ntoskrnl.exe");
    cr_expect_str_eq(text(dfr_facts_at(&facts, DFR_F_MODULES_NAME, 1)), "exdisk");
    cr_expect_str_eq(text(dfr_facts_at(&facts, DFR_F_MODULES_PATH, 1)), "\\??\\C:\\exdisk.sys");
    cr_expect_eq(at(DFR_F_MODULES_BASE, 1), FORGE_DRIVER);
    cr_expect_eq(at(DFR_F_MODULES_END, 1), FORGE_DRIVER + 0x10000);
    cr_expect_eq(at(DFR_F_MODULES_TIMESTAMP, 1), 0x63000000);
    cr_expect_eq(at(DFR_F_MODULES_CHECKSUM, 1), 0x1001);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_MODULES_BUILT, 0)->reason, DFR_REASON_BUILD_HASH);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_MODULES_BUILT, 1)->as.n.lo, 0x63000000);
    cr_assert_eq(facts.tables[DFR_T_UNLOADED].n, 1);
    cr_expect_str_eq(text(dfr_facts_at(&facts, DFR_F_UNLOADED_NAME, 0)), "dump_storpor");
    cr_expect_eq(at(DFR_F_UNLOADED_END, 0), UINT64_C(0xFFFFF80030010000));
}

/* One hash in five reads as a date: a component of Windows has none. */
Test(dump, stamp_of_a_windows_component)
{
    forge_triage(d);
    forge_module(d, 1, FORGE_DRIVER, 0x10000, 0x63000000, "VOLMGR.SYS");
    read_forged();
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_MODULES_BUILT, 1)->reason, DFR_REASON_MAYBE_HASH);
    cr_expect_eq(at(DFR_F_MODULES_TIMESTAMP, 1), 0x63000000);
    forge32(d, 0x0C, 7601);
    read_forged();
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_MODULES_BUILT, 1)->as.n.lo, 0x63000000);
}

Test(dump, broken_names)
{
    static const struct {
        uint16_t units[4];
        const char *name;
    } rows[] = {
        {{'a', 0xD83D, 0xDE00, 0}, "a\xF0\x9F\x98\x80"},
        {{'a', 0xD83D, 'b', 0},
         "a\xEF\xBF\xBD"
         "b"},
        {{0xDE00, 0xE9, 0x20AC, 0}, "\xEF\xBF\xBD\xC3\xA9\xE2\x82\xAC"},
        {{0, 'b', 'c', 0}, "?"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        forge_triage(d);
        size_t name = FORGE_NAMES + 0x80;
        forge32(d, name, 4);
        for (size_t k = 0; k < 4; k++)
            forge16(d, name + 4 + 2 * k, rows[i].units[k]);
        read_forged();
        cr_expect_str_eq(text(dfr_facts_at(&facts, DFR_F_MODULES_NAME, 1)), rows[i].name);
        cr_expect_eq(at(DFR_F_MODULES_BASE, 1), FORGE_DRIVER);
    }
}

Test(dump, fault_from_the_context_behind_a_parameter)
{
    forge_triage(d);
    read_forged();
    cr_expect_eq(addr(DFR_F_TRAP_RIP), FORGE_IP);
    cr_expect_eq(addr(DFR_F_TRAP_SP), FORGE_STACK_VA + 0x10);
    cr_expect_eq(value_of("rax"), 0xA);
    cr_expect_eq(value_of("efl"), 0x10246);
    cr_expect(dfr_facts_scalar(&facts, DFR_F_TRAP_REGS_EXACT)->as.b);
    cr_expect_str_eq(name_of(dfr_facts_scalar(&facts, DFR_F_TRAP_MODULE)), "exdisk");
    cr_expect_eq(addr(DFR_F_TRAP_ADDRESS), 0x1010);
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_TRAP_ACCESS)->as.e.value, DFR_ACCESS_WRITE);
    const struct dfr_value *frames = dfr_facts_scalar(&facts, DFR_F_TRAP_FRAMES);
    cr_assert_eq(frames->state, DFR_KNOWN);
    cr_expect_eq(frames->as.list.count, 1);
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_TRAP_CALLERS)->reason, DFR_REASON_SCANNED);
}

Test(dump, an_address_of_all_ones_is_none)
{
    forge_triage(d);
    forge64(d, FORGE_RECORD + 0x28, UINT64_MAX);
    read_forged();
    cr_expect_not(known(DFR_F_TRAP_ADDRESS));
    cr_expect(known(DFR_F_TRAP_ACCESS));
}

Test(dump, context_of_the_bugcheck_is_not_the_fault)
{
    forge_triage(d);
    forge32(d, 0x38, 0x9F);
    read_forged();
    cr_expect_eq(facts.tables[DFR_T_REGS].n, 0);
    cr_expect_not(known(DFR_F_TRAP_RIP));
    cr_expect_not(known(DFR_F_TRAP_MODULE));
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_TRAP_FRAMES)->reason, DFR_REASON_SCANNED);
    cr_expect_eq(word_of(DFR_F_STACK_METHOD, 0), DFR_METHOD_CONTEXT);
    cr_expect_eq(at(DFR_F_STACK_ADDRESS, 0), FORGE_KERNEL + 0x2000);
}

/* The trap frame of a D1 on the stack: found once, else not believed. */
Test(dump, trap_frame_on_the_stack)
{
    for (int twice = 0; twice < 2; twice++) {
        forge_triage(d);
        forge32(d, 0x38, 0xD1);
        forge64(d, 0x58, FORGE_IP);
        for (int k = 0; k <= twice; k++) {
            size_t frame = FORGE_STACK + 0x100 + 0x200u * (size_t)k;
            forge64(d, frame + 0x30, 0x77);
            forge64(d, frame + 0x168, FORGE_IP);
            forge64(d, frame + 0x170, 0x10);
            forge64(d, frame + 0x180, FORGE_STACK_VA + 0x700);
            forge64(d, frame + 0x188, 0x18);
        }
        read_forged();
        cr_expect_eq(known(DFR_F_TRAP_SP), !twice);
        cr_expect_eq(addr(DFR_F_TRAP_FRAME_ADDRESS), twice ? 0 : FORGE_STACK_VA + 0x100);
        cr_expect_eq(value_of("rax"), twice ? UINT64_MAX : 0x77);
        cr_expect_eq(value_of("rbx"), UINT64_MAX);
        cr_expect_eq(addr(DFR_F_TRAP_RIP), FORGE_IP);
    }
}

Test(dump, scan_keeps_what_may_be_a_caller)
{
    forge_triage(d);
    read_forged();
    cr_assert_eq(facts.tables[DFR_T_STACK].n, 3);
    cr_expect_eq(word_of(DFR_F_STACK_METHOD, 0), DFR_METHOD_CONTEXT);
    cr_expect_eq(word_of(DFR_F_STACK_METHOD, 1), DFR_METHOD_SCAN);
    cr_expect_eq(at(DFR_F_STACK_ADDRESS, 1), FORGE_DRIVER + 0x2048);
    cr_expect_eq(at(DFR_F_STACK_SP, 1), FORGE_STACK_VA + 0x28);
    cr_expect_eq(at(DFR_F_STACK_ADDRESS, 2), FORGE_KERNEL + 0x9000);
    cr_expect_not(facts.tables[DFR_T_STACK].complete);
    cr_expect_eq(facts.tables[DFR_T_STACK].reason, DFR_REASON_SCANNED);
}

Test(dump, processors)
{
    static const uint32_t states[] = {DFR_CPU_STATE_RUNNING, DFR_CPU_STATE_FROZEN,
                                      DFR_CPU_STATE_TARGET_FREEZE};
    forge_triage(d);
    read_forged();
    cr_assert_eq(facts.tables[DFR_T_CPUS].n, 3);
    cr_expect(facts.tables[DFR_T_CPUS].complete);
    for (uint32_t i = 0; i < 3; i++)
        cr_expect_eq(word_of(DFR_F_CPUS_STATE, i), states[i]);
    cr_expect_eq(number(DFR_F_CPU_CURRENT), 0);
    cr_expect_eq(number(DFR_F_CPU_CURRENT_IRQL), 2);
    cr_expect_eq(number(DFR_F_MACHINE_CPU_MHZ), 3600);
    cr_expect_eq(addr(DFR_F_THREAD_ADDRESS), UINT64_C(0xFFFFB00000001000));
    cr_expect(dfr_facts_at(&facts, DFR_F_CPUS_IDLE, 1)->as.b);
    cr_expect_eq(addr(DFR_F_THREAD_STACK_BASE), UINT64_C(0xFFFFA00000005000));
    cr_expect_eq(number(DFR_F_THREAD_STACK_USED), 0xFF0);
    cr_expect_str_eq(text(dfr_facts_scalar(&facts, DFR_F_THREAD_PROCESS)), "tool.exe");
}

/* A build whose layout is not known: the state is unknown with that reason, never a guess. */
Test(dump, layout_of_another_build)
{
    forge_triage(d);
    forge16(d, FORGE_KDBG + 0x2A8, 0xA50);
    forge16(d, FORGE_KDBG + 0x2B0, 0xB000);
    read_forged();
    cr_expect_eq(facts.tables[DFR_T_CPUS].n, 3);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_CPUS_STATE, 1)->reason, DFR_REASON_NEEDS_TYPES);
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_THREAD_PROCESS)->reason, DFR_REASON_NEEDS_TYPES);
}

Test(dump, only_the_crashing_processor)
{
    forge_triage(d);
    forge64(d, FORGE_KDBG + 0x218, FORGE_KERNEL + 0x8000);
    read_forged();
    cr_assert_eq(facts.tables[DFR_T_CPUS].n, 1);
    cr_expect_not(facts.tables[DFR_T_CPUS].complete);
    cr_expect_eq(facts.tables[DFR_T_CPUS].reason, DFR_REASON_NOT_IN_DUMP);
}

Test(dump, power_request)
{
    forge_power(d);
    read_forged();
    cr_assert_eq(facts.tables[DFR_T_IRPS].n, 1);
    cr_expect_eq(at(DFR_F_IRPS_ADDR, 0), FORGE_OBJECTS_VA);
    cr_expect_str_eq(name_of(dfr_facts_at(&facts, DFR_F_IRPS_OWNER, 0)), "nt");
    cr_assert_eq(facts.tables[DFR_T_IRP_STACK].n, 3);
    for (uint32_t i = 0; i < 3; i++)
        cr_expect_eq(dfr_facts_at(&facts, DFR_F_IRP_STACK_CURRENT, i)->as.b, i == 1);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_IRP_STACK_MAJOR, 1)->as.n.lo, 0x16);
    const struct dfr_value *done = dfr_facts_at(&facts, DFR_F_IRP_STACK_COMPLETION, 1);
    cr_assert_eq(done->state, DFR_KNOWN);
    cr_expect_eq(done->as.sym->offset, 0x40);
    cr_assert_eq(facts.tables[DFR_T_DEVICES].n, 2);
    cr_expect_str_eq(name_of(dfr_facts_at(&facts, DFR_F_DEVICES_DRIVER, 0)), "nt");
    cr_expect_str_eq(name_of(dfr_facts_at(&facts, DFR_F_DEVICES_DRIVER, 1)), "exdisk");
    cr_expect(dfr_facts_at(&facts, DFR_F_DEVICES_ASKED, 1)->as.b);
}

/* Nothing is believed that does not fit together. */
Test(dump, damaged_power_request)
{
    forge_power(d);
    forge64(d, FORGE_OBJECTS + 0xB8, FORGE_OBJECTS_VA + 0xD0);
    read_forged();
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_IRPS_OWNER, 0)->state, DFR_UNKNOWN);
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_IRP_STACK_CURRENT, 1)->state, DFR_UNKNOWN);

    forge_power(d);
    forge16(d, FORGE_OBJECTS, 7);
    forge64(d, FORGE_OBJECTS + FORGE_FDO + 0x18, FORGE_OBJECTS_VA + FORGE_PDO);
    read_forged();
    cr_expect_eq(facts.tables[DFR_T_IRPS].n, 0);
    cr_expect_eq(facts.tables[DFR_T_DEVICES].n, 0);

    forge_power(d);
    forge16(d, FORGE_OBJECTS + 0x400, 0);
    read_forged();
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_DEVICES_DRIVER, 1)->state, DFR_UNKNOWN);
}

/* A header with nothing useful behind it gives what stands in the header, and one line. */
Test(dump, headers_alone)
{
    static const struct {
        uint32_t type;
        const char *magic;
        uint32_t kind; /* DFR_DUMP_KIND_*, UINT32_MAX: not known */
        bool whole;
        const char *says;
    } rows[] = {
        {1, "", DFR_DUMP_KIND_FULL, false, "list of memory makes no sense"},
        {2, "", DFR_DUMP_KIND_SUMMARY, false, "is not readable"},
        {3, "", DFR_DUMP_KIND_HEADER, true, "header alone"},
        {5, "SDMPDUMP", DFR_DUMP_KIND_BITMAP, false, "does not fit"},
        {6, "FDMPDUMP", DFR_DUMP_KIND_BITMAP, false, "does not fit"},
        {4, "SDMPDUMP", DFR_DUMP_KIND_BITMAP, false, "the header says kind 4"},
        {8, "\x40\0\0\0RDMPDUMP", DFR_DUMP_KIND_RANGES, false, "makes no sense"},
        {10, "\x40\0\0\0RDMPDUMP", DFR_DUMP_KIND_RANGES, false, "makes no sense"},
        {77, "", UINT32_MAX, true, "kind 77 is not known"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(d, 0, sizeof d);
        forge_header(d, rows[i].type);
        memcpy(d + 0x2000, rows[i].magic, i == 6 || i == 7 ? 12 : strlen(rows[i].magic));
        read_forged();
        const struct dfr_value *kind = dfr_facts_scalar(&facts, DFR_F_DUMP_KIND);
        const struct dfr_value *whole = dfr_facts_scalar(&facts, DFR_F_DUMP_COMPLETE);
        cr_expect_eq(kind->state == DFR_KNOWN ? kind->as.e.value : UINT32_MAX, rows[i].kind,
                     "row %zu", i);
        cr_expect_eq(whole->as.b, rows[i].whole, "row %zu", i);
        cr_expect(known(DFR_F_BUGCHECK_RAW), "row %zu", i);
        cr_expect_geq(diags.n, 1, "row %zu", i);
        cr_expect_neq(strstr(text_of(&diags.v[0].message), rows[i].says), NULL, "row %zu: %s", i,
                      text_of(&diags.v[0].message));
    }
}

Test(dump, what_is_not_read_says_what_it_is)
{
    forge_triage(d);
    forge32(d, 0x1050, 0x108);
    cr_expect_eq(read_bytes(d, sizeof d), DFR_UNSUPPORTED);
    cr_expect_neq(strstr(err.message, "encrypted"), NULL);
    memcpy(d, "PAGEDUMP", 8); /* its kind stands elsewhere: nobody filled it */
    cr_expect_eq(read_bytes(d, sizeof d), DFR_OK);
    cr_expect_eq(read_bytes(d, 100), DFR_UNSUPPORTED);
    cr_expect_neq(strstr(err.message, "cut off after 100 bytes"), NULL);
    cr_expect_eq(read_bytes((const uint8_t *)"MDMP", 4), DFR_NOT_A_CRASH);
    cr_expect_neq(dfr_dump_other((struct dfr_span){(const uint8_t *)"MDMP\x93\xA7\0\0", 8}), NULL);
}

/* Every fact that lies before the cut survives, and the dump is said to be incomplete. */
Test(dump, cut_off_anywhere)
{
    forge_triage(d);
    for (size_t n = 0; n < FORGE_SIZE; n += 64) {
        uint8_t *cut = malloc(n ? n : 1); /* so that a sanitizer sees any step too far */
        memcpy(cut, d, n);
        enum dfr_status status = read_bytes(cut, n);
        if (n < 0x2000) {
            cr_expect_neq(status, DFR_OK, "%zu", n);
        } else {
            cr_assert_eq(status, DFR_OK, "%zu", n);
            cr_expect_eq(number(DFR_F_BUGCHECK_CODE), 0x7E);
            if (n < FORGE_END)
                cr_expect_not(dfr_facts_scalar(&facts, DFR_F_DUMP_COMPLETE)->as.b, "%zu", n);
            if (n >= FORGE_DRIVERS + 0x400)
                cr_expect_eq(facts.tables[DFR_T_MODULES].n, 2, "%zu", n);
        }
        free(cut);
        dfr_arena_reset(&arena);
    }
}

Test(dump, any_byte_may_be_wrong)
{
    static uint8_t bad[FORGE_SIZE];
    uint64_t x = 88172645463325252;
    forge_triage(d);
    for (int round = 0; round < 20000; round++) {
        memcpy(bad, d, sizeof bad);
        for (int k = 0; k < 4; k++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            /* Half of them where the counts and offsets stand. */
            size_t where = x & 1 ? 0x2000 + (x >> 8) % 0x80 : (x >> 8) % sizeof bad;
            bad[where] = (uint8_t)(x >> 40);
        }
        (void)!read_bytes(bad, sizeof bad);
        dfr_arena_reset(&arena);
    }
}

static bool refuse(void *user, uint64_t off, void *buf, size_t len)
{
    size_t *left = user;
    if (*left == 0)
        return false;
    --*left;
    memcpy(buf, d + off, len);
    return true;
}

Test(dump, a_source_that_fails_at_any_read)
{
    forge_triage(d);
    for (size_t reads = 0; reads < 64; reads++) {
        size_t left = reads;
        struct dfr_bytes b;
        dfr_bytes_callback(&b, &arena, sizeof d, refuse, &left);
        dfr_diags_init(&diags, &arena);
        enum dfr_status status = dfr_dump_read(&arena, &b, NULL, &diags, &facts, &err);
        cr_expect(status == DFR_OK || reads < 4, "%zu: %s", reads, err.message);
        dfr_arena_reset(&arena);
    }
}

/* Real dumps, read from outside the repository. What must come out was taken from the bytes by an
 * independent program. */
Test(dump, real_dumps)
{
    static const struct {
        const char *file;
        uint32_t raw, build, arch, processors, current, modules, unloaded, frozen;
        const char *process;
        uint64_t arg2, kernel, ip;
    } rows[] = {
        {"rizin_triage_x64", 0x1000007E, 19041, DFR_ARCH_X64, 16, 0, 151, 4, 15, "System",
         0xfffff8048b58334c, 0xfffff8047ba00000, 0xfffff8048b58334c},
        {"rizin_triage_arm64", 0x1C8, 22000, DFR_ARCH_ARM64, 8, 0, 245, 11, 7, "System",
         0xfffff803f3a20860, 0xfffff803f2e00000, 0},
        {"eolaruhagen_083125-14875-01", 0x4A, 19041, DFR_ARCH_X64, 1, 0, 156, 9, 0,
         "notmyfault64.e", 2, 0xfffff8075bc0e000, 0},
        {"rts_116_0", 0x116, 19041, DFR_ARCH_X64, 4, 2, 194, 11, 3, "System", 0, 0xfffff8025c200000,
         0},
        {"rts_13a", 0x13A, 26100, DFR_ARCH_X64, 12, 11, 203, 10, 0, "svchost.exe", 0,
         0xfffff803e9200000, 0},
        {"rts_1e", 0x1E, 19041, DFR_ARCH_X64, 12, 0, 212, 17, 11, "obs64.exe", 0xfffff80330ec2e68,
         0xfffff8030b800000, 0xfffff80330ec2e68},
        {"rts_3b_0", 0x3B, 26100, DFR_ARCH_X64, 12, 2, 204, 10, 0, "explorer.exe",
         0xfffff80370d0f183, 0xfffff803cc200000, 0xfffff80370d0f183},
        {"rts_50_0", 0x50, 26100, DFR_ARCH_X64, 12, 5, 208, 10, 0, "System", 0, 0xfffff80770400000,
         0xfffff80770690b9f},
        {"rts_7e_0", 0x1000007E, 19041, DFR_ARCH_X64, 12, 9, 210, 16, 11, "System",
         0xfffff80699c9e3a8, 0xfffff80676000000, 0xfffff80699c9e3a8},
        {"rts_7e_1", 0x1000007E, 19041, DFR_ARCH_X64, 4, 1, 189, 12, 3, "System",
         0xfffff801d566634e, 0xfffff80081c00000, 0xfffff801d566634e},
        {"rts_9f", 0x9F, 19041, DFR_ARCH_X64, 20, 6, 184, 6, 19, "EpicGamesLaunc",
         0xffffd68fe35b8050, 0xfffff80470600000, 0},
        {"rts_d1", 0xD1, 19041, DFR_ARCH_X64, 12, 9, 210, 17, 11, "audiodg.exe", 2,
         0xfffff80081a00000, 0xfffff800a56d1ae9},
    };
    const char *shared = getenv("SHARED");
    size_t seen = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/dumps/%s.dmp", shared ? shared : "../shared", rows[i].file);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct dfr_bytes b;
        if (fd < 0)
            continue;
        seen++;
        cr_assert(dfr_bytes_fd(&b, &arena, &fd));
        dfr_diags_init(&diags, &arena);
        cr_assert_eq(dfr_dump_read(&arena, &b, NULL, &diags, &facts, &err), DFR_OK, "%s: %s", path,
                     err.message);
        close(fd);
        uint32_t frozen = 0;
        for (uint32_t k = 0; k < facts.tables[DFR_T_CPUS].n; k++)
            frozen += word_of(DFR_F_CPUS_STATE, k) == DFR_CPU_STATE_FROZEN;
        cr_expect_eq(diags.n, 0, "%s", path);
        cr_expect_eq(number(DFR_F_BUGCHECK_RAW), rows[i].raw, "%s", path);
        cr_expect_eq(number(DFR_F_OS_BUILD), rows[i].build, "%s", path);
        cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_DUMP_ARCH)->as.e.value, rows[i].arch);
        cr_expect_eq(number(DFR_F_OS_PROCESSORS), rows[i].processors, "%s", path);
        cr_expect_eq(number(DFR_F_CPU_CURRENT), rows[i].current, "%s", path);
        cr_expect_eq(facts.tables[DFR_T_MODULES].n, rows[i].modules, "%s", path);
        cr_expect(facts.tables[DFR_T_MODULES].complete, "%s", path);
        cr_expect_eq(facts.tables[DFR_T_UNLOADED].n, rows[i].unloaded, "%s", path);
        cr_expect_eq(frozen, rows[i].frozen, "%s: %u", path, frozen);
        cr_expect_str_eq(text(dfr_facts_scalar(&facts, DFR_F_THREAD_PROCESS)), rows[i].process);
        if (rows[i].arg2)
            cr_expect_eq(addr(DFR_F_BUGCHECK_ARG2), rows[i].arg2, "%s", path);
        cr_expect_eq(addr(DFR_F_OS_KERNEL_BASE), rows[i].kernel, "%s", path);
        cr_expect_eq(addr(DFR_F_TRAP_RIP), rows[i].ip, "%s", path);
        cr_expect_lt(b.fetched, 2u << 20, "%s", path);
        dfr_arena_reset(&arena);
    }
    if (!seen)
        cr_skip("SKIPPED: no real dumps beside the repository");
}
