/* The hardware error record of 124: a header and sections as UEFI's appendix N lays them out, and the
 * machine check section that Windows adds (packed; types of public symbol files that agree). Words
 * are those that debuggers print, so that the same rules read both. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "dump/blob.h"

enum {
    HEADER = 0x80,
    SIGNATURE = 0x52455043, /* `CPER` */
    SIGNATURE_END_AT = 0x06,
    SECTIONS_AT = 0x0A, /* u16 */
    SEVERITY_AT = 0x0C,
    LENGTH_AT = 0x14,
    NOTIFY_AT = 0x50,
    DESCRIPTOR = 0x48,
    DESCRIPTOR_LENGTH = 0x04,
    DESCRIPTOR_TYPE = 0x10,
    DESCRIPTOR_SEVERITY = 0x30,
};

enum kind { OTHER, GENERIC, MCA, MEMORY, PCIE };
static const struct {
    uint8_t id[DFR_BLOB_ID_BYTES];
    struct dfr_str words;
    enum kind kind;
} sections[] =
    {
#define NOTIFY(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7, words)
#define SECTION(kind, a, b, c, d0, d1, d2, d3, d4, d5, d6, d7, words)                              \
    {DFR_GUID(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7), {(words), sizeof(words) - 1}, kind},
#include "dump/whea.def"
#undef NOTIFY
#undef SECTION
},
  notifies[] = {
#define NOTIFY(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7, words)                                     \
    {DFR_GUID(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7), {(words), sizeof(words) - 1}, OTHER},
#define SECTION(kind, a, b, c, d0, d1, d2, d3, d4, d5, d6, d7, words)
#include "dump/whea.def"
#undef NOTIFY
#undef SECTION
};

/* A record in memory: what of it was captured. */
struct record {
    struct dfr_dump *d;
    uint64_t va;
    struct dfr_span bytes;
};

static uint32_t u32(struct dfr_span s, uint64_t off)
{
    uint32_t u = 0;
    return dfr_span_u32le(s, off, &u) ? u : 0;
}

/* The first that says it stays, as in the text of a debugger. */
static void put(struct record *r, uint32_t field, struct dfr_value v, uint64_t off, uint64_t len)
{
    if (dfr_facts_scalar(r->d->facts, field)->state != DFR_KNOWN)
        dfr_dump_put_va(r->d, field, v, r->va + off, len);
}

static const char *severity_name(uint32_t severity)
{
    static const char *const names[] = {"Recoverable", "Fatal", "Corrected", "Informational"};
    return severity < sizeof names / sizeof *names ? names[severity] : NULL;
}

static struct dfr_str format(struct record *r, const char *text, ...)
    __attribute__((format(printf, 2, 3)));
static struct dfr_str format(struct record *r, const char *text, ...)
{
    char buf[96];
    va_list args;
    va_start(args, text);
    int n = vsnprintf(buf, sizeof buf, text, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof buf ? (size_t)n : sizeof buf - 1;
    return dfr_str_dup(r->d->arena, (struct dfr_str){buf, len});
}

/* ---- sections ---- */

/* {u64 valid bits; u8 processor, instruction set, kind of error ...}: bit 2 says that the kind is
 * there. */
static void generic_section(struct record *r, struct dfr_span s, uint64_t at)
{
    enum { TYPE_AT = 0x0A, HAS_TYPE = 4 };
    uint8_t type;
    if (!(u32(s, 0) & HAS_TYPE) || !dfr_span_u8(s, TYPE_AT, &type))
        return;
    const char *name = type == 1   ? "Cache error"
                       : type == 2 ? "TLB error"
                       : type == 4 ? "BUS error"
                       : type == 8 ? "Micro-Architectural Error"
                                   : NULL;
    if (name)
        put(r, DFR_F_MCA_ERROR_TYPE, dfr_v_str(dfr_str_from(name)), at + TYPE_AT, 1);
}

/* The compound codes of machine checks in their architectural names. Source: processor manuals. */
static struct dfr_str machine_check(struct record *r, uint16_t code, uint32_t processor,
                                    uint32_t bank)
{
    static const char kind[][2] = {"I", "D", "G", "*"};
    static const char *const
        level[] = {"L0", "L1", "L2", "LG"},
        *const party[] = {"SRC", "RES", "OBS", "GEN"}, *const where[] = {"MEM", "*", "IO", "*"},
        *const request[] = {"ERR", "RD", "WR", "DRD", "DWR", "IRD", "PREFETCH", "EVICT", "SNOOP"},
        *const memory[] = {"GEN", "RD", "WR", "AC", "MS"};
    const unsigned ll = code & 3, tt = code >> 2 & 3, rrrr = code >> 4 & 15;
    const char *req = rrrr < sizeof request / sizeof *request ? request[rrrr] : "*";
    code &= 0xEFFF; /* bit 12 is a filter */
    if ((code & 0xFFFC) == 0x000C)
        return format(r, "GCACHE%s_ERR (Proc %u Bank %u)", level[ll], processor, bank);
    if ((code & 0xFFF0) == 0x0010)
        return format(r, "%sTLB%s_ERR (Proc %u Bank %u)", kind[tt], level[ll], processor, bank);
    if ((code & 0xFF80) == 0x0080 && (code >> 4 & 7) < sizeof memory / sizeof *memory)
        return format(r, "%s_CHANNEL%u_ERR (Proc %u Bank %u)", memory[code >> 4 & 7], code & 15u,
                      processor, bank);
    if ((code & 0xFF00) == 0x0100)
        return format(r, "%sCACHE%s_%s_ERR (Proc %u Bank %u)", kind[tt], level[ll], req, processor,
                      bank);
    if ((code & 0xF800) == 0x0800)
        return format(r, "BUS%s_%s_%s_%s_%s_ERR (Proc %u Bank %u)", level[ll], party[code >> 9 & 3],
                      req, where[tt], code & 0x100 ? "TIMEOUT" : "NOTIMEOUT", processor, bank);
    return (struct dfr_str){NULL, 0};
}

static void mca_section(struct record *r, struct dfr_span s, uint64_t at)
{
    enum { PROCESSOR = 0x10, BANK = 0x24, STATUS = 0x28, ADDRESS = 0x30, MOST_BANKS = 256 };
    const uint64_t valid = UINT64_C(1) << 63, has_address = UINT64_C(1) << 58;
    uint64_t status, address;
    uint32_t bank = u32(s, BANK);
    if (!dfr_span_u64le(s, STATUS, &status) || !(status & valid) || bank >= MOST_BANKS ||
        dfr_facts_scalar(r->d->facts, DFR_F_MCA_STATUS)->state == DFR_KNOWN)
        return; /* nothing, or a second bank: all of these are of one */
    put(r, DFR_F_MCA_STATUS, dfr_v_addr(status), at + STATUS, 8);
    put(r, DFR_F_MCA_BANK, dfr_v_int(bank), at + BANK, 4);
    if ((status & has_address) && dfr_span_u64le(s, ADDRESS, &address))
        put(r, DFR_F_MCA_ADDRESS, dfr_v_addr(address), at + ADDRESS, 8);
    struct dfr_str name = machine_check(r, (uint16_t)status, u32(s, PROCESSOR), bank);
    if (name.len)
        put(r, DFR_F_MCA_ERROR_TYPE, dfr_v_str(name), at + STATUS, 8);
}

/* {u64 valid bits, u64 status, u64 physical address ...; u8 kind of error at 48h}. */
static void memory_section(struct record *r, struct dfr_span s, uint64_t at)
{
    enum { ADDRESS_AT = 0x10, TYPE_AT = 0x48, HAS_ADDRESS = 2, HAS_TYPE = 1 << 14 };
    static const char *const types[] = {"Unknown",
                                        "No error",
                                        "Single-bit ECC",
                                        "Multi-bit ECC",
                                        "Single-symbol ChipKill ECC",
                                        "Multi-symbol ChipKill ECC",
                                        "Master abort",
                                        "Target abort",
                                        "Parity error",
                                        "Watchdog timeout",
                                        "Invalid address",
                                        "Mirror broken",
                                        "Memory sparing",
                                        "Scrub corrected error",
                                        "Scrub uncorrected error",
                                        "Physical memory map-out event"};
    uint64_t address;
    uint8_t type;
    if ((u32(s, 0) & HAS_ADDRESS) && dfr_span_u64le(s, ADDRESS_AT, &address))
        put(r, DFR_F_MCA_ADDRESS, dfr_v_addr(address), at + ADDRESS_AT, 8);
    if ((u32(s, 0) & HAS_TYPE) && dfr_span_u8(s, TYPE_AT, &type) && type > 1 &&
        type < sizeof types / sizeof *types)
        put(r, DFR_F_MCA_ERROR_TYPE, dfr_v_str(dfr_str_from(types[type])), at + TYPE_AT, 1);
}

/* {u64 valid bits; ... at 18h u16 vendor, u16 device}: bit 3 says that they are there. */
static void pcie_section(struct record *r, struct dfr_span s, uint64_t at)
{
    enum { VENDOR_AT = 0x18, DEVICE_AT = 0x1A, HAS_ID = 8 };
    uint16_t vendor, device;
    if ((u32(s, 0) & HAS_ID) && dfr_span_u16le(s, VENDOR_AT, &vendor) &&
        dfr_span_u16le(s, DEVICE_AT, &device) && vendor && vendor != 0xFFFF)
        put(r, DFR_F_MCA_DEVICE, dfr_v_str(format(r, "%04x:%04x", vendor, device)), at + VENDOR_AT,
            4);
}

static void section(struct record *r, uint32_t number, struct dfr_span descriptor, uint64_t from)
{
    struct dfr_dump *d = r->d;
    struct dfr_span id, s;
    uint32_t offset = u32(descriptor, 0), length = u32(descriptor, DESCRIPTOR_LENGTH);
    uint32_t row = dfr_facts_row(d->facts, DFR_T_ERROR_SECTIONS);
    if (row == UINT32_MAX || !dfr_span_sub(descriptor, DESCRIPTOR_TYPE, DFR_BLOB_ID_BYTES, &id))
        return;
    enum kind kind = OTHER;
    struct dfr_str words = DFR_STR("");
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (!memcmp(sections[i].id, id.p, DFR_BLOB_ID_BYTES)) {
            kind = sections[i].kind;
            words = sections[i].words;
        }
    if (!words.len)
        words = dfr_guid_text(d->arena, id.p);
    uint32_t place = dfr_dump_place(d, r->va + from, DESCRIPTOR);
    dfr_dump_cell(d, DFR_F_ERROR_SECTIONS_INDEX, row, dfr_v_int(number), place);
    dfr_dump_cell(d, DFR_F_ERROR_SECTIONS_KIND, row, dfr_v_str(words), place);
    const char *severity = severity_name(u32(descriptor, DESCRIPTOR_SEVERITY));
    if (severity)
        dfr_dump_cell(d, DFR_F_ERROR_SECTIONS_SEVERITY, row, dfr_v_str(dfr_str_from(severity)),
                      place);
    if (offset < HEADER || !dfr_span_sub(r->bytes, offset, length, &s))
        return;
    switch (kind) {
    case GENERIC:
        generic_section(r, s, offset);
        break;
    case MCA:
        mca_section(r, s, offset);
        break;
    case MEMORY:
        memory_section(r, s, offset);
        break;
    case PCIE:
        pcie_section(r, s, offset);
        break;
    case OTHER:
        break;
    }
}

/* ---- the record ---- */

/* As much of the record as was captured, up to its length. */
static bool captured(struct dfr_dump *d, uint64_t va, struct dfr_span *ret)
{
    uint8_t head[HEADER];
    struct dfr_span h = {head, HEADER};
    if (!dfr_dump_is_kernel(d, va) || va > UINT64_MAX - DFR_LIMIT_ERROR_RECORD ||
        !dfr_space_copy(&d->memory, va, head, HEADER) || u32(h, 0) != SIGNATURE ||
        u32(h, SIGNATURE_END_AT) != UINT32_MAX)
        return false;
    uint64_t length = u32(h, LENGTH_AT), first = va;
    if (length < HEADER)
        length = HEADER;
    if (length > DFR_LIMIT_ERROR_RECORD)
        length = DFR_LIMIT_ERROR_RECORD;
    uint64_t have = dfr_space_why_range(&d->memory, va, length, &first) ? first - va : length;
    uint8_t *bytes = dfr_arena_alloc(d->arena, have);
    if (have < HEADER || !dfr_space_copy(&d->memory, va, bytes, have))
        return false;
    *ret = (struct dfr_span){bytes, have};
    return true;
}

static void header(struct record *r)
{
    struct dfr_span id;
    uint32_t severity = u32(r->bytes, SEVERITY_AT);
    if (severity_name(severity))
        put(r, DFR_F_MCA_SEVERITY,
            dfr_v_str(format(r, "%s (%u)", severity_name(severity), severity)), SEVERITY_AT, 4);
    if (!dfr_span_sub(r->bytes, NOTIFY_AT, DFR_BLOB_ID_BYTES, &id))
        return;
    struct dfr_str words = dfr_guid_text(r->d->arena, id.p);
    for (size_t i = 0; i < sizeof notifies / sizeof *notifies; i++)
        if (!memcmp(notifies[i].id, id.p, DFR_BLOB_ID_BYTES))
            words = notifies[i].words;
    put(r, DFR_F_MCA_SOURCE, dfr_v_str(words), NOTIFY_AT, DFR_BLOB_ID_BYTES);
}

enum { MACHINE_CHECK = 0x9C, WHEA_UNCORRECTABLE_ERROR = 0x124 };

/* Bug checks of other kinds have no record, so nothing that could show one is worth asking for. */
static void no_record(struct dfr_dump *d)
{
    static const struct {
        uint32_t field;
        enum dfr_kind kind;
    } fields[] = {{DFR_F_MCA_STATUS, DFR_KIND_ADDR},  {DFR_F_MCA_BANK, DFR_KIND_INT},
                  {DFR_F_MCA_ADDRESS, DFR_KIND_ADDR}, {DFR_F_MCA_SOURCE, DFR_KIND_STR},
                  {DFR_F_MCA_SEVERITY, DFR_KIND_STR}, {DFR_F_MCA_ERROR_TYPE, DFR_KIND_STR},
                  {DFR_F_MCA_DEVICE, DFR_KIND_STR}};
    uint64_t begin, end;
    if (!dfr_dump_code(d) || dfr_dump_code(d) == MACHINE_CHECK)
        return;
    dfr_container_where(&d->file, DFR_HEADER_CODE, &begin, &end);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        dfr_dump_put(d, fields[i].field, dfr_v_unknown(fields[i].kind, DFR_REASON_NOT_APPLICABLE),
                     begin, end);
}

void dfr_dump_whea(struct dfr_dump *d)
{
    struct record r = {.d = d, .va = dfr_dump_arg(d, 2)};
    struct dfr_rows *t = &d->facts->tables[DFR_T_ERROR_SECTIONS];
    uint16_t count = 0;
    if (dfr_dump_code(d) != WHEA_UNCORRECTABLE_ERROR) {
        no_record(d);
        return;
    }
    if (!captured(d, r.va, &r.bytes)) {
        enum dfr_reason why = dfr_space_why(&d->memory, r.va);
        t->reason = (uint8_t)(why ? why : DFR_REASON_DAMAGED);
        return;
    }
    header(&r);
    (void)dfr_span_u16le(r.bytes, SECTIONS_AT, &count);
    uint32_t n = 0;
    for (; n < count && n < DFR_LIMIT_ERROR_SECTIONS; n++) {
        struct dfr_span descriptor;
        uint64_t from = HEADER + (uint64_t)n * DESCRIPTOR;
        if (!dfr_span_sub(r.bytes, from, DESCRIPTOR, &descriptor))
            break;
        section(&r, n, descriptor, from);
    }
    t->complete = n == count;
    t->reason = (uint8_t)(t->complete ? DFR_REASON_NONE : DFR_REASON_DAMAGED);
}
