/* The dump header and what follows it: which kind of dump this is. */
#include "memory/container.h"

#include <string.h>

static const struct {
    uint16_t off[2], size[2]; /* [0]: 64-bit, [1]: 32-bit header */
} fields[] = {
#define HEADER_FIELD(id, off64, size64, off32, size32, meaning)                                    \
    {{(off64), (off32)}, {(size64), (size32)}},
#include "memory/header.def"
#undef HEADER_FIELD
};

/* What stands where the kernel never wrote: `PAGE` over and over. Observed, and in public parsers. */
static const uint64_t fill32 = 0x45474150, fill64 = 0x4547415045474150;

bool dfr_container_field(const struct dfr_container *c, enum dfr_header_field field, uint64_t *ret)
{
    unsigned k = !c->wide;
    uint32_t u32;
    uint64_t u64;
    if (fields[field].size[k] == 1) {
        uint8_t u8;
        if (!dfr_span_u8(c->header, fields[field].off[k], &u8) || u8 == (uint8_t)fill32)
            return false;
        *ret = u8;
        return true;
    }
    if (fields[field].size[k] == 4) {
        if (!dfr_span_u32le(c->header, fields[field].off[k], &u32) || u32 == fill32)
            return false;
        *ret = u32;
        return true;
    }
    if (fields[field].size[k] != 8 || !dfr_span_u64le(c->header, fields[field].off[k], &u64) ||
        u64 == fill64)
        return false;
    *ret = u64;
    return true;
}

void dfr_container_where(const struct dfr_container *c, enum dfr_header_field field,
                         uint64_t *ret_begin, uint64_t *ret_end)
{
    unsigned k = !c->wide;
    *ret_begin = fields[field].off[k];
    *ret_end = *ret_begin + fields[field].size[k];
}

/* Dump types: documented for 1 to 6, public source for the others. */
static enum dfr_form form_of_type(uint32_t type)
{
    switch (type) {
    case 1:
        return DFR_FORM_FULL;
    case 2:
        return DFR_FORM_SUMMARY;
    case 3:
        return DFR_FORM_HEADER;
    case 4:
        return DFR_FORM_TRIAGE;
    case 5:
    case 6:
    case 7:
        return DFR_FORM_BITMAP;
    case 8:
    case 9:
    case 10:
        return DFR_FORM_RDMP;
    default:
        return DFR_FORM_UNKNOWN;
    }
}

/* The form that the bytes behind the header show by a magic, or UNKNOWN. */
static enum dfr_form form_of_magic(struct dfr_bytes *r, uint64_t at)
{
    uint8_t b[12];
    if (!dfr_bytes_copy(r, at, b, sizeof b))
        return DFR_FORM_UNKNOWN;
    if (memcmp(b, "SDMPDUMP", 8) == 0 || memcmp(b, "FDMPDUMP", 8) == 0)
        return DFR_FORM_BITMAP;
    if (memcmp(b + 4, "RDMPDUMP", 8) == 0)
        return DFR_FORM_RDMP;
    return DFR_FORM_UNKNOWN;
}

static enum dfr_machine machine_of(uint64_t type)
{
    switch (type) {
    case 0x8664:
        return DFR_MACHINE_X64;
    case 0xAA64:
        return DFR_MACHINE_ARM64;
    case 0x14C:
        return DFR_MACHINE_X86;
    default:
        return DFR_MACHINE_OTHER;
    }
}

enum dfr_status dfr_container_open(struct dfr_container *c, struct dfr_bytes *r,
                                   struct dfr_err *err)
{
    enum { ENCRYPTED = 0x100, DECRYPTED = 0x200 };
    uint8_t magic[8];
    *c = (struct dfr_container){.bytes = r};
    if (!dfr_bytes_copy(r, 0, magic, sizeof magic) || memcmp(magic, "PAGEDU", 6) != 0 ||
        (memcmp(magic + 6, "64", 2) != 0 && memcmp(magic + 6, "MP", 2) != 0))
        return dfr_fail(err, DFR_NOT_A_CRASH, "is no Windows kernel dump");
    c->wide = magic[6] == '6';
    uint64_t size = c->wide ? DFR_HEADER64_SIZE : DFR_HEADER32_SIZE, u;
    if (!dfr_bytes_span(r, 0, size, &c->header))
        return dfr_fail(
            err, DFR_UNSUPPORTED,
            "is a kernel dump cut off after %llu bytes, inside its header of %llu: copy "
            "it again from the crashed system",
            (unsigned long long)r->size, (unsigned long long)size);
    if (dfr_container_field(c, DFR_HEADER_MACHINE, &u))
        c->machine = machine_of(u);
    if (dfr_container_field(c, DFR_HEADER_DUMP_TYPE, &u))
        c->dump_type = (uint32_t)u;
    c->form = form_of_type(c->dump_type);
    enum dfr_form shown = form_of_magic(r, size);
    /* The kernel dumps of Windows 7 and older carry a magic of their own, which may be the same. */
    bool older = c->form == DFR_FORM_SUMMARY && shown == DFR_FORM_BITMAP;
    c->conflict = shown != DFR_FORM_UNKNOWN && shown != c->form && !older;
    if (c->conflict)
        c->form = shown;
    if (dfr_container_field(c, DFR_HEADER_ATTRIBUTES, &u))
        c->encrypted = (u & ENCRYPTED) && !(u & DECRYPTED);
    return DFR_OK;
}

const char *dfr_form_name(enum dfr_form form)
{
    static const char *const names[] = {
        [DFR_FORM_UNKNOWN] = "kernel dump of an unknown kind",
        [DFR_FORM_FULL] = "complete memory dump",
        [DFR_FORM_SUMMARY] = "kernel memory dump of an older Windows",
        [DFR_FORM_HEADER] = "dump header without memory",
        [DFR_FORM_TRIAGE] = "small memory dump",
        [DFR_FORM_BITMAP] = "kernel or complete memory dump with a page bitmap",
        [DFR_FORM_RDMP] = "memory dump of page ranges written by a debugger",
    };
    return names[form];
}

const char *dfr_machine_name(enum dfr_machine machine)
{
    static const char *const names[] = {[DFR_MACHINE_OTHER] = "another processor",
                                        [DFR_MACHINE_X64] = "x64",
                                        [DFR_MACHINE_ARM64] = "ARM64",
                                        [DFR_MACHINE_X86] = "x86"};
    return names[machine];
}
