/* What secondary data says of the machine: firmware tables, the registry's processor, ACPI ids. */
#include <string.h>

#include "derive_help.h"
#include "dump/blob.h"
#include "dump/dump.h"
#include "dump_forge.h"

TestSuite(machine, .init = open_facts, .fini = close_facts, .timeout = 60);

#define BYTES(b) (b), sizeof(b) - 1
enum { BLOBS = 0x7800 };
static uint8_t d[FORGE_SIZE];
static struct dfr_diags diags;
static struct dfr_err err;
static size_t end;

static const uint8_t id_smbios[16] =
    DFR_GUID(0xBC5C008F, 0x1E3A, 0x44D7, 0x98, 0x8D, 0x86, 0xF6, 0x88, 0x4C, 0x67, 0x58);
static const uint8_t id_processor[16] =
    DFR_GUID(0x6C7AC389, 0x4313, 0x47DC, 0x9F, 0x34, 0xA8, 0x80, 0x0A, 0x0F, 0xB5, 0x6C);
static const uint8_t id_acpi[16] =
    DFR_GUID(0xE83B40D2, 0xB0A0, 0x4842, 0xAB, 0xEA, 0x71, 0xC9, 0xE3, 0x46, 0x3D, 0xD1);
static const uint8_t id_other[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void begin(void)
{
    forge_triage(d);
    forge32(d, 0x2000 + 0x04, BLOBS);
    memcpy(d + BLOBS, "DumpBlob", 8);
    forge32(d, BLOBS + 8, 16);
    end = BLOBS + 16;
}

static size_t blob(const uint8_t id[16], const void *bytes, size_t len)
{
    size_t at = end + 0x20 + 4;
    forge32(d, end, 0x20);
    memcpy(d + end + 4, id, 16);
    forge32(d, end + 0x14, (uint32_t)len);
    forge32(d, end + 0x18, 4);
    forge32(d, end + 0x1C, 3);
    memcpy(d + at, bytes, len);
    end = at + len + 3;
    return at;
}

static void read_forged(void)
{
    struct dfr_bytes b;
    dfr_bytes_memory(&b, &arena, (struct dfr_span){d, sizeof d});
    dfr_diags_init(&diags, &arena);
    cr_assert_eq(dfr_dump_read(&arena, &b, NULL, &diags, &facts, &err), DFR_OK, "%s", err.message);
}

static const char *text(const struct dfr_value *v)
{
    return v->state == DFR_KNOWN ? dfr_arena_copy(&arena, v->as.s.p, v->as.s.len) : "?";
}

static const char *fact(uint32_t field)
{
    return text(dfr_facts_scalar(&facts, field));
}

static int guest(void)
{
    const struct dfr_value *v = dfr_facts_scalar(&facts, DFR_F_OS_HYPERVISOR_GUEST);
    return v->state == DFR_KNOWN ? v->as.b : -1;
}

static const char firmware[] = "\0\3\3\0\0\0\0\0"
                               "\0\x12\0\0\1\2\0\0\3\0\0\0\0\0\0\0\0\0"
                               "Maker\0F7b \0"
                               "02/24/2022\0\0"
                               "\1\x1B\1\0\1\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                               "  Exa Corp.\0Tower 5\0\0"
                               "\2\x0F\2\0\0\1\0\0\0\0\0\0\0\0\0"
                               "BX-450\0\0"
                               "\x7F\4\3\0\0\0";

static size_t firmware_blob(void)
{
    size_t at = blob(id_smbios, firmware, sizeof firmware - 1);
    forge32(d, at + 4, sizeof firmware - 1 - 8);
    return at;
}

Test(machine, firmware_tables)
{
    begin();
    (void)blob(id_other, "abc", 3);
    (void)firmware_blob();
    read_forged();
    cr_expect_str_eq(fact(DFR_F_MACHINE_BIOS_VERSION), "F7b");
    cr_expect_str_eq(fact(DFR_F_MACHINE_MANUFACTURER), "Exa Corp.");
    cr_expect_str_eq(fact(DFR_F_MACHINE_PRODUCT), "Tower 5");
    cr_expect_str_eq(fact(DFR_F_MACHINE_BOARD), "BX-450");
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_MACHINE_BIOS_DATE)->as.n.lo,
                 dfr_time_from_civil(2022, 2, 24, 0, 0, 0));
    cr_expect_eq(guest(), -1);
    const struct dfr_rows *t = &facts.tables[DFR_T_BLOBS];
    cr_assert_eq(t->n, 2);
    cr_expect(t->complete);
    cr_expect_str_eq(text(dfr_facts_at(&facts, DFR_F_BLOBS_TAG, 0)),
                     "{04030201-0605-0807-090a-0b0c0d0e0f10}");
    cr_expect_eq(dfr_facts_at(&facts, DFR_F_BLOBS_SIZE, 0)->as.n.lo, 3);
    cr_expect_str_eq(text(dfr_facts_at(&facts, DFR_F_BLOBS_WHAT, 0)), "?");
    cr_expect_str_eq(text(dfr_facts_at(&facts, DFR_F_BLOBS_WHAT, 1)), "SMBIOS");
}

Test(machine, a_guest_by_its_firmware)
{
    begin();
    size_t at = firmware_blob();
    uint8_t *name = memmem(d + at, sizeof firmware, "Tower 5", 7);
    cr_assert_not_null(name);
    memcpy(name, "KVM    ", 7);
    read_forged();
    cr_expect_str_eq(fact(DFR_F_MACHINE_PRODUCT), "KVM");
    cr_expect_eq(guest(), true);
}

/* Cut at every length, and with every length field at its worst: never a wrong string. */
Test(machine, damaged_firmware_tables)
{
    for (size_t len = 0; len < sizeof firmware; len++) {
        begin();
        size_t at = blob(id_smbios, firmware, len);
        if (len >= 8)
            forge32(d, at + 4, UINT32_MAX);
        read_forged();
        const char *s = fact(DFR_F_MACHINE_BOARD);
        cr_expect(!strcmp(s, "?") || !strncmp(s, "BX-450", strlen(s)), "%zu: %s", len, s);
    }
    for (size_t i = 8; i + 1 < sizeof firmware; i++) {
        begin();
        size_t at = firmware_blob();
        d[at + i] = 0xFF;
        read_forged();
    }
}

static size_t value(uint8_t *p, const char *name, uint32_t type, const void *data, size_t len)
{
    size_t n = strlen(name) + 1;
    forge32(p, 0, (uint32_t)(2 * n));
    memset(p + 4, 0, 2 * n);
    forge_wide(p, 4, name);
    forge32(p, 4 + 2 * n, type);
    forge32(p, 8 + 2 * n, (uint32_t)len);
    memcpy(p + 12 + 2 * n, data, len);
    return 12 + 2 * n + len;
}

Test(machine, processor_of_the_registry)
{
    static const struct {
        const char *msr, *microcode;
    } rows[] = {{"\0\0\0\0\x3C\0\0\0", "0x3C"},
                {"\0\0\0\0\xFF\xFF\xFF\xFF", "?"}, /* a hypervisor answers nothing */
                {"\0\0\0\0\0\0\0\0", "?"},
                {"\1\0\0\0\x3C\0\0\0", "?"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t p[512];
        size_t n = value(p, "~MHz", 4, "\x20\x0A\0\0", 4);
        n += value(p + n, "ProcessorNameString", 1, "E\0x\0a\0 \0\x35\0 \0\0", 14);
        n += value(p + n, "VendorIdentifier", 1, "E\0x\0a\0\0", 8);
        n += value(p + n, "MSR8B", 11, rows[i].msr, 8);
        begin();
        forge16(d, FORGE_KDBG + 0x2B6, 0); /* not in the processor's block */
        (void)blob(id_processor, p, n);
        read_forged();
        cr_expect_str_eq(fact(DFR_F_MACHINE_CPU_NAME), "Exa 5");
        cr_expect_str_eq(fact(DFR_F_MACHINE_CPU_VENDOR), "Exa");
        cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_MACHINE_CPU_MHZ)->as.n.lo, 2592);
        const struct dfr_value *v = dfr_facts_scalar(&facts, DFR_F_MACHINE_MICROCODE);
        cr_expect_eq(v->state == DFR_KNOWN, rows[i].microcode[0] != '?', "%zu", i);
        cr_expect(v->state != DFR_KNOWN || v->as.u == 0x3C);
        for (size_t len = 0; len < n; len++) {
            begin();
            (void)blob(id_processor, p, len);
            read_forged();
        }
    }
}

Test(machine, guest_by_acpi)
{
    static const struct {
        const char *bytes;
        size_t len;
        int guest;
    } rows[] = {
        {BYTES("FACP\xF4\0\0\0\4\x24VBOX  VBOXFACP"), true},
        {BYTES("xxFACP\xF4\0\0\0\4\x24VRTUALMICROSFT"), true},
        {BYTES("FACP\xF4\0\0\0\4\x24VBAPICT\0\0\0"), -1}, /* cut to two letters: no id */
        {BYTES("FACP\xF4\0\0\0\4\x24"
               "ALASKAA M I "),
         -1},
        {BYTES("VBOX  VBOXFACP  "), -1}, /* no table */
        {BYTES("FACP"), -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin();
        (void)blob(id_acpi, rows[i].bytes, rows[i].len);
        read_forged();
        cr_expect_eq(guest(), rows[i].guest, "%zu: %d", i, guest());
    }
}

Test(machine, a_chain_without_end)
{
    begin();
    for (size_t at = end; at + 0x20 < FORGE_SIZE; at += 0x20)
        forge32(d, at, 0x20);
    read_forged();
    cr_expect_leq(facts.tables[DFR_T_BLOBS].n, 512);
    begin();
    (void)blob(id_other, "abc", 3);
    forge32(d, BLOBS + 16 + 0x1C, UINT32_MAX);
    forge32(d, BLOBS + 16 + 0x14, UINT32_MAX);
    read_forged();
    begin();
    forge32(d, BLOBS + 8, 0);
    read_forged();
    cr_expect_eq(facts.tables[DFR_T_BLOBS].n, 0);
    cr_expect_eq(facts.tables[DFR_T_BLOBS].reason, DFR_REASON_NOT_IN_DUMP);
}

/* Without the registry's words the record of the register itself says it. */
Test(machine, microcode_of_the_register)
{
    static const uint8_t id[16] =
        DFR_GUID(0xD03DC06F, 0xD88E, 0x44C5, 0xBA, 0x2A, 0xFA, 0xE0, 0x35, 0x17, 0x2D, 0x19);
    static const struct {
        const char *vendor;
        uint64_t value;
        bool known;
    } rows[] = {{"GenuineIntel", UINT64_C(0x3C00000000), true},
                {"GenuineIntel", 0x3C, false},
                {"GenuineIntel", UINT64_C(0xFFFFFFFF00000000), false},
                {"AuthenticAMD", UINT64_C(0x3C00000000), false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t record[0x28] = {1, 0, 0, 0, 0x8B};
        forge64(record, 8, rows[i].value);
        begin();
        (void)blob(id, record, sizeof record);
        forge16(d, FORGE_KDBG + 0x2BA, 0x300);
        for (unsigned k = 0; k < 12; k++)
            d[FORGE_PRCB + 0x300 + k] = (uint8_t)rows[i].vendor[k];
        read_forged();
        const struct dfr_value *v = dfr_facts_scalar(&facts, DFR_F_MACHINE_MICROCODE);
        cr_expect_eq(v->state == DFR_KNOWN, rows[i].known, "%zu", i);
        cr_expect(v->state != DFR_KNOWN || v->as.u == 0x3C);
    }
}
