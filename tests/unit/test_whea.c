/* Hardware error records: what the facts say equals what is read from a debugger's text. */
#include <string.h>

#include "dump/blob.h"
#include "target.h"

TestSuite(whea, .init = open_facts, .fini = close_facts, .timeout = 60);

enum { AT = 0x3000, LEN = 0x800 };
static const uint64_t va = UINT64_C(0xFFFFA50111112028);
static uint8_t *const rec = target_bytes + AT;

static const uint8_t mce[16] =
    DFR_GUID(0xE8F56FFE, 0x919C, 0x4CC5, 0xBA, 0x88, 0x65, 0xAB, 0xE1, 0x49, 0x13, 0xBB);
static const uint8_t generic[16] =
    DFR_GUID(0x9876CCAD, 0x47B4, 0x4BDB, 0xB6, 0x5E, 0x16, 0xF1, 0x93, 0xC4, 0xF3, 0xDB);
static const uint8_t mca[16] =
    DFR_GUID(0x8A1E1D01, 0x42F9, 0x4557, 0x9C, 0x33, 0x56, 0x5E, 0x5C, 0xC3, 0xF7, 0xE8);
static const uint8_t pcie[16] =
    DFR_GUID(0xD995E954, 0xBBC1, 0x430F, 0xAD, 0x91, 0xB4, 0x4D, 0xCB, 0x3C, 0x6F, 0x35);
static const uint8_t memory[16] =
    DFR_GUID(0xA5BC1114, 0x6F64, 0x4EDE, 0xB8, 0x63, 0x3E, 0x83, 0xED, 0x7C, 0x83, 0xB1);
static const uint8_t nobody[16] = {0};

static struct dfr_dump record(uint16_t sections)
{
    const uint64_t args[4] = {0, va, 0, 0};
    struct dfr_dump d = target_dump(DFR_MACHINE_X64, 0x124, args);
    target_memory(&d, va, AT, LEN);
    memcpy(rec, "CPER", 4);
    forge32(rec, 0x06, UINT32_MAX);
    forge16(rec, 0x0A, sections);
    forge32(rec, 0x0C, 1);
    forge32(rec, 0x14, LEN);
    memcpy(rec + 0x50, mce, 16);
    return d;
}

static size_t section(unsigned i, const uint8_t id[16], uint32_t severity, uint32_t len)
{
    size_t at = 0x80 + 0x48u * i, body = 0x200 + 0x140u * i;
    forge32(rec, at, (uint32_t)body);
    forge32(rec, at + 4, len);
    memcpy(rec + at + 0x10, id, 16);
    forge32(rec, at + 0x30, severity);
    return body;
}

static const char *fact(uint32_t field)
{
    return target_text(dfr_facts_scalar(&facts, field));
}

static const char *cell(uint32_t column, uint32_t row)
{
    return target_text(dfr_facts_at(&facts, column, row));
}

static void put_mca(size_t at, uint64_t status, uint32_t bank)
{
    forge32(rec, at + 0x10, 4);
    forge32(rec, at + 0x24, bank);
    forge64(rec, at + 0x28, status);
    forge64(rec, at + 0x30, UINT64_C(0xFEEDF00D));
}

Test(whea, machine_check)
{
    struct dfr_dump d = record(3);
    size_t at = section(0, generic, 1, 192);
    forge32(rec, at, 4);
    rec[at + 0x0A] = 4;
    (void)section(1, nobody, 2, 16);
    put_mca(section(2, mca, 1, 264), UINT64_C(0xBE80000000000E0B), 27);
    dfr_dump_whea(&d);
    cr_expect_str_eq(fact(DFR_F_MCA_SEVERITY), "Fatal (1)");
    cr_expect_str_eq(fact(DFR_F_MCA_SOURCE), "Machine Check Exception");
    cr_expect_str_eq(fact(DFR_F_MCA_ERROR_TYPE), "BUS error");
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_MCA_STATUS)->as.u, UINT64_C(0xBE80000000000E0B));
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_MCA_BANK)->as.n.lo, 27);
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_MCA_ADDRESS)->as.u, 0xFEEDF00D);
    cr_assert_eq(facts.tables[DFR_T_ERROR_SECTIONS].n, 3);
    cr_expect(facts.tables[DFR_T_ERROR_SECTIONS].complete);
    cr_expect_str_eq(cell(DFR_F_ERROR_SECTIONS_KIND, 0), "Processor Generic");
    cr_expect_str_eq(cell(DFR_F_ERROR_SECTIONS_SEVERITY, 0), "Fatal");
    cr_expect_str_eq(cell(DFR_F_ERROR_SECTIONS_KIND, 1), "{00000000-0000-0000-0000-000000000000}");
    cr_expect_str_eq(cell(DFR_F_ERROR_SECTIONS_SEVERITY, 1), "Corrected");
    cr_expect_str_eq(cell(DFR_F_ERROR_SECTIONS_KIND, 2), "x86/x64 MCA");
}

/* The names of the architectural codes; a status that is not valid says nothing. */
Test(whea, machine_check_codes)
{
    static const struct {
        uint64_t status;
        const char *name;
        bool address;
    } rows[] = {
        {UINT64_C(0xBF80000000000124), "DCACHEL0_WR_ERR (Proc 4 Bank 1)", true},
        {UINT64_C(0xBA00000000000E0F), "BUSLG_GEN_ERR_*_NOTIMEOUT_ERR (Proc 4 Bank 1)", false},
        {UINT64_C(0xB200000000000119), "GCACHEL1_RD_ERR (Proc 4 Bank 1)", false},
        {UINT64_C(0xB200000000000014), "DTLBL0_ERR (Proc 4 Bank 1)", false},
        {UINT64_C(0xBE00000000000092), "RD_CHANNEL2_ERR (Proc 4 Bank 1)", true},
        {UINT64_C(0xBE0000000000000F), "GCACHELG_ERR (Proc 4 Bank 1)", true},
        {UINT64_C(0xB200000000000400), "?", false}, /* an internal timer has no compound name */
        {UINT64_C(0x3E00000000000092), "?", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dfr_dump d = record(1);
        put_mca(section(0, mca, 1, 264), rows[i].status, 1);
        dfr_dump_whea(&d);
        cr_expect_str_eq(fact(DFR_F_MCA_ERROR_TYPE), rows[i].name, "%zu: %s", i,
                         fact(DFR_F_MCA_ERROR_TYPE));
        cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_MCA_ADDRESS)->state == DFR_KNOWN,
                     rows[i].address, "%zu", i);
        cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_MCA_STATUS)->state == DFR_KNOWN,
                     rows[i].status >> 63 != 0, "%zu", i);
    }
}

Test(whea, device_and_memory)
{
    struct dfr_dump d = record(2);
    size_t at = section(0, pcie, 1, 208);
    forge32(rec, at, 8);
    forge16(rec, at + 0x18, 0x1FAB);
    forge16(rec, at + 0x1A, 0x42);
    at = section(1, memory, 1, 80);
    forge32(rec, at, 2 | 1 << 14);
    forge64(rec, at + 0x10, UINT64_C(0x123456000));
    rec[at + 0x48] = 3;
    dfr_dump_whea(&d);
    cr_expect_str_eq(fact(DFR_F_MCA_DEVICE), "1fab:0042");
    cr_expect_str_eq(fact(DFR_F_MCA_ERROR_TYPE), "Multi-bit ECC");
    cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_MCA_ADDRESS)->as.u, UINT64_C(0x123456000));
    cr_expect_str_eq(cell(DFR_F_ERROR_SECTIONS_KIND, 0), "PCI Express");
}

/* Cut at every length, every word at its worst, counts without end, no record at all. */
Test(whea, damaged_records)
{
    for (size_t len = 0; len < 0x500; len += 4) {
        struct dfr_dump d = record(3);
        put_mca(section(0, mca, 1, 264), UINT64_C(0xBF80000000000124), 1);
        d.memory.ranges.n = 0;
        if (len)
            target_memory(&d, va, AT, len);
        dfr_dump_whea(&d);
        cr_expect_eq(dfr_facts_scalar(&facts, DFR_F_MCA_STATUS)->state == DFR_KNOWN,
                     len >= 0x200 + 264, "%zu", len);
        cr_expect_eq(facts.tables[DFR_T_ERROR_SECTIONS].complete, len >= 0x80 + 3 * 0x48);
    }
    for (size_t at = 0; at < 0x200; at += 4) {
        struct dfr_dump d = record(3);
        (void)section(0, generic, 1, 192);
        (void)section(1, pcie, 1, 208);
        put_mca(section(2, mca, 1, 264), UINT64_C(0xBF80000000000124), 1);
        forge32(rec, at, UINT32_MAX);
        dfr_dump_whea(&d);
        cr_expect_leq(facts.tables[DFR_T_ERROR_SECTIONS].n, 256);
    }
    struct dfr_dump d = record(3);
    rec[0] = 'X';
    dfr_dump_whea(&d);
    cr_expect_eq(facts.tables[DFR_T_ERROR_SECTIONS].n, 0);
    cr_expect_eq(facts.tables[DFR_T_ERROR_SECTIONS].reason, DFR_REASON_DAMAGED);
    const uint64_t none[4] = {0};
    d = target_dump(DFR_MACHINE_X64, 0x124, none);
    dfr_dump_whea(&d);
    cr_expect_eq(facts.tables[DFR_T_ERROR_SECTIONS].reason, DFR_REASON_NOT_CAPTURED);
}
