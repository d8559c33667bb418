/* What the secondary data of a dump says of the machine: the firmware's own tables (SMBIOS), the
 * processor's entry of the registry, ids in ACPI tables. And the table of all blobs.
 *
 * Which blob holds what is observed, in 11 or 12 of 12 small dumps; what is in it is documented
 * (SMBIOS, ACPI) or explains every byte of it (the registry's values). */
#include <string.h>

#include "base/limits.h"
#include "base/utf16.h"
#include "dump/blob.h"

static const struct {
    uint8_t id[DFR_BLOB_ID_BYTES];
    struct dfr_str what;
} known_blobs[] = {
#define BLOB(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7, what)                                        \
    {DFR_GUID(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7), {(what), sizeof(what) - 1}},
#include "dump/blob.def"
#undef BLOB
};

static void rows(struct dfr_dump *d)
{
    struct dfr_rows *t = &d->facts->tables[DFR_T_BLOBS];
    struct dfr_blob b;
    uint64_t at = 0;
    for (unsigned i = 0; i < DFR_LIMIT_DUMP_BLOBS && dfr_blob_next(d, &at, &b); i++) {
        uint32_t row = dfr_facts_row(d->facts, DFR_T_BLOBS);
        if (row == UINT32_MAX)
            return;
        uint32_t place = dfr_facts_place(d->facts, (struct dfr_place){b.off, b.off + b.size, 0, 0});
        dfr_dump_cell(d, DFR_F_BLOBS_TAG, row, dfr_v_str(dfr_guid_text(d->arena, b.id)), place);
        dfr_dump_cell(d, DFR_F_BLOBS_SIZE, row, dfr_v_int(b.size), place);
        for (size_t k = 0; k < sizeof known_blobs / sizeof *known_blobs; k++)
            if (!memcmp(known_blobs[k].id, b.id, sizeof b.id))
                dfr_dump_cell(d, DFR_F_BLOBS_WHAT, row, dfr_v_str(known_blobs[k].what), place);
    }
    t->complete = t->n > 0;
    t->reason = t->n ? DFR_REASON_NONE : DFR_REASON_NOT_IN_DUMP;
}

static bool blob_bytes(const struct dfr_dump *d, const char *what, struct dfr_blob *ret,
                       struct dfr_span *ret_bytes)
{
    for (size_t k = 0; k < sizeof known_blobs / sizeof *known_blobs; k++)
        if (dfr_str_eq(known_blobs[k].what, dfr_str_from(what)))
            return dfr_blob_find(d, known_blobs[k].id, ret) && ret->size &&
                   dfr_bytes_span(d->bytes, ret->off, ret->size, ret_bytes);
    return false;
}

/* ---- SMBIOS ---- */

/* Printable text without blanks around it. */
static bool clean(struct dfr_dump *d, const uint8_t *p, size_t len, struct dfr_str *ret)
{
    struct dfr_str s = dfr_str_trim((struct dfr_str){(const char *)p, len});
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    *ret = dfr_str_dup(d->arena, s);
    return s.len > 0;
}

/* String `number`, counted from 1, of those behind a structure; they end with an empty one. */
static bool smbios_string(struct dfr_span strings, uint8_t number, struct dfr_span *ret)
{
    uint64_t at = 0;
    while (number && at < strings.len && strings.p[at]) {
        const uint8_t *end = memchr(strings.p + at, 0, strings.len - at);
        uint64_t len = end ? (uint64_t)(end - strings.p) - at : strings.len - at;
        if (--number == 0)
            return dfr_span_sub(strings, at, len, ret);
        at += len + 1;
    }
    return false;
}

static bool digits(struct dfr_str s, int *ret)
{
    s = dfr_str_trim(s);
    *ret = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || i >= 4)
            return false;
        *ret = *ret * 10 + (s.p[i] - '0');
    }
    return s.len > 0;
}

/* month/day/year; a year of two digits is one of the last century. Documented in SMBIOS. */
static bool us_date(struct dfr_str s, struct dfr_value *ret)
{
    int part[3];
    size_t from = 0;
    for (unsigned i = 0; i < 3; i++) {
        size_t to = from;
        while (to < s.len && s.p[to] != '/')
            to++;
        if (!digits(dfr_str_slice(s, from, to), &part[i]))
            return false;
        from = to + 1;
    }
    if (part[2] < 100)
        part[2] += 1900;
    if (part[0] < 1 || part[0] > 12 || part[1] < 1 || part[1] > 31 || part[2] < 1980 ||
        part[2] > 2200)
        return false;
    int64_t t = dfr_time_from_civil(part[2], part[0], part[1], 0, 0, 0);
    *ret = dfr_v_time(t, t);
    return true;
}

/* The fields of one structure that facts are made of: where the number of the string stands. */
static void smbios_structure(struct dfr_dump *d, struct dfr_span body, struct dfr_span strings,
                             uint64_t at)
{
    static const struct {
        uint8_t type, off;
        uint32_t field;
    } fields[] = {
        {0, 5, DFR_F_MACHINE_BIOS_VERSION}, {0, 8, DFR_F_MACHINE_BIOS_DATE},
        {1, 4, DFR_F_MACHINE_MANUFACTURER}, {1, 5, DFR_F_MACHINE_PRODUCT},
        {2, 5, DFR_F_MACHINE_BOARD},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct dfr_span raw;
        struct dfr_str text;
        uint8_t number;
        if (body.p[0] != fields[i].type || !dfr_span_u8(body, fields[i].off, &number) ||
            !smbios_string(strings, number, &raw) || !clean(d, raw.p, raw.len, &text) ||
            dfr_facts_scalar(d->facts, fields[i].field)->state == DFR_KNOWN)
            continue;
        struct dfr_value v = dfr_v_str(text);
        if (fields[i].field == DFR_F_MACHINE_BIOS_DATE && !us_date(text, &v))
            continue;
        dfr_dump_put(d, fields[i].field, v, at, at + body.len);
    }
}

/* {u8 how it was found, u8 major, u8 minor, u8 revision, u32 length}, then structures: type, length,
 * u16 handle, body, strings, two zeros at their end. Documented in SMBIOS; the header by Microsoft. */
static void smbios(struct dfr_dump *d)
{
    enum { HEADER = 8, LENGTH = 4, LEAST = 4, LAST = 127 };
    struct dfr_blob b;
    struct dfr_span s, table, body, rest;
    uint32_t len;
    if (!blob_bytes(d, "SMBIOS", &b, &s) || !dfr_span_u32le(s, LENGTH, &len))
        return;
    if (len > s.len - HEADER)
        len = (uint32_t)(s.len - HEADER);
    if (!dfr_span_sub(s, HEADER, len, &table))
        return;
    uint64_t at = 0;
    for (unsigned n = 0; n < DFR_LIMIT_SMBIOS_STRUCTURES; n++) {
        uint8_t bytes;
        if (!dfr_span_u8(table, at + 1, &bytes) || bytes < LEAST ||
            !dfr_span_sub(table, at, bytes, &body) ||
            !dfr_span_sub(table, at + bytes, table.len - at - bytes, &rest))
            return;
        smbios_structure(d, body, rest, b.off + HEADER + at);
        if (body.p[0] == LAST)
            return;
        uint64_t end = 0;
        while (end + 1 < rest.len && (rest.p[end] || rest.p[end + 1]))
            end++;
        at += bytes + end + 2;
    }
}

/* ---- the registry's entry of processor 0 ---- */

static bool same(struct dfr_span wide, const char *text)
{
    size_t n = strlen(text) + 1; /* with its end */
    if (wide.len != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (wide.p[2 * i] != (uint8_t)text[i] || wide.p[2 * i + 1])
            return false;
    return true;
}

static bool missing(const struct dfr_dump *d, uint32_t field)
{
    return dfr_facts_scalar(d->facts, field)->state != DFR_KNOWN;
}

static void processor_value(struct dfr_dump *d, struct dfr_span name, uint32_t type,
                            struct dfr_span data, uint64_t at)
{
    enum { STRING = 1, BINARY = 3, WORD = 4, LONG = 11, MOST_MHZ = 100000 };
    uint32_t u, low;
    uint64_t end = at + data.len;
    bool text = type == STRING, binary = type == BINARY || type == LONG;
    struct dfr_str s = text ? dfr_str_trim(dfr_utf16_text(d->arena, data)) : DFR_STR("");
    if (text && s.len && same(name, "ProcessorNameString"))
        dfr_dump_put(d, DFR_F_MACHINE_CPU_NAME, dfr_v_str(s), at, end);
    else if (text && s.len && same(name, "VendorIdentifier") &&
             missing(d, DFR_F_MACHINE_CPU_VENDOR))
        dfr_dump_put(d, DFR_F_MACHINE_CPU_VENDOR, dfr_v_str(s), at, end);
    else if (type == WORD && same(name, "~MHz") && missing(d, DFR_F_MACHINE_CPU_MHZ) &&
             dfr_span_u32le(data, 0, &u) && u && u < MOST_MHZ)
        dfr_dump_put(d, DFR_F_MACHINE_CPU_MHZ, dfr_v_int(u), at, end);
    else if (binary && (same(name, "MSR8B") || same(name, "Update Revision")) &&
             missing(d, DFR_F_MACHINE_MICROCODE) && dfr_span_u32le(data, 0, &low) && !low &&
             dfr_span_u32le(data, 4, &u) && u && u != UINT32_MAX)
        dfr_dump_put(d, DFR_F_MACHINE_MICROCODE, dfr_v_addr(u), at + 4, end);
}

/* Values one behind the other: u32 bytes of the name, UTF-16 name, u32 type, u32 bytes, data. */
static void processor(struct dfr_dump *d)
{
    struct dfr_blob b;
    struct dfr_span s, name, data;
    uint64_t at = 0;
    if (!blob_bytes(d, "processor in the registry", &b, &s))
        return;
    for (unsigned n = 0; n < DFR_LIMIT_REGISTRY_VALUES; n++) {
        uint32_t bytes, type, size;
        if (!dfr_span_u32le(s, at, &bytes) || !dfr_span_sub(s, at + 4, bytes, &name))
            return;
        at += UINT64_C(4) + bytes;
        if (!dfr_span_u32le(s, at, &type) || !dfr_span_u32le(s, at + 4, &size) ||
            !dfr_span_sub(s, at + 8, size, &data))
            return;
        processor_value(d, name, type, data, b.off + at + 8);
        at += UINT64_C(8) + size;
    }
}

/* The revision of the microcode as the processor itself says it: Intel's stands in the upper half. */
static void microcode(struct dfr_dump *d)
{
    enum { BIOS_SIGN_ID = 0x8B, VALUE_AT = 8 };
    const struct dfr_value *vendor = dfr_facts_scalar(d->facts, DFR_F_MACHINE_CPU_VENDOR);
    uint64_t u, at;
    if (!missing(d, DFR_F_MACHINE_MICROCODE) || vendor->state != DFR_KNOWN ||
        !dfr_str_eq(dfr_value_str(vendor), DFR_STR("GenuineIntel")) ||
        !dfr_blob_register(d, BIOS_SIGN_ID, &u, &at) || (uint32_t)u || !(u >> 32) ||
        u >> 32 == UINT32_MAX)
        return;
    dfr_dump_put(d, DFR_F_MACHINE_MICROCODE, dfr_v_addr(u >> 32), at + VALUE_AT, at + VALUE_AT + 8);
}

/* ---- ACPI ---- */

/* Ids of tables that only hypervisors make: at 10 of a table, behind its name, length, revision and
 * checksum. The tables are cut short in ways that differ, so the ids are looked for. */
static void acpi(struct dfr_dump *d)
{
    enum { NAME = 4, ID_AT = 10, ID_BYTES = 6 };
    static const char ids[][ID_BYTES + 1] = {"VBOX  ", "VMWARE", "BOCHS ", "QEMU  ", "VRTUAL"};
    static const char names[][NAME + 1] = {"FACP", "APIC", "MCFG", "HPET", "SSDT",
                                           "WAET", "SRAT", "SLIC", "BGRT"};
    struct dfr_blob b;
    struct dfr_span s;
    if (!blob_bytes(d, "ACPI tables", &b, &s))
        return;
    for (size_t at = 0; at + ID_AT + ID_BYTES <= s.len; at++) {
        bool table = false;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            table |= !memcmp(s.p + at, names[i], NAME);
        for (size_t i = 0; table && i < sizeof ids / sizeof *ids; i++)
            if (!memcmp(s.p + at + ID_AT, ids[i], ID_BYTES)) {
                dfr_dump_put(d, DFR_F_OS_HYPERVISOR_GUEST, dfr_v_bool(true), b.off + at,
                             b.off + at + ID_AT + ID_BYTES);
                return;
            }
    }
}

void dfr_dump_machine(struct dfr_dump *d)
{
    rows(d);
    smbios(d);
    processor(d);
    microcode(d);
    acpi(d);
}
