/* Headers, sections and the debug directory of a PE image. */
#include "image/pe.h"

#include <string.h>

#include "base/limits.h"

/* Offsets in the headers. Documented. */
enum {
    DOS_NT = 0x3C,
    COFF = 4, /* behind `PE\0\0` */
    COFF_MACHINE = COFF + 0,
    COFF_SECTIONS = COFF + 2,
    COFF_STAMP = COFF + 4,
    COFF_OPTIONAL = COFF + 16,
    OPTIONAL = COFF + 20,
    OPTIONAL_BASE32 = 28,
    OPTIONAL_BASE = 24,
    OPTIONAL_ALIGN = 32,
    OPTIONAL_FILE_ALIGN = 36,
    OPTIONAL_SIZE = 56,
    OPTIONAL_HEADERS = 60,
    OPTIONAL_CHECKSUM = 64,
    OPTIONAL_DIRS32 = 96,
    OPTIONAL_DIRS = 112,
    MAGIC32 = 0x10B,
    MAGIC = 0x20B,
    SECTION = 40,
    SECTION_VSIZE = 8,
    SECTION_RVA = 12,
    SECTION_RAW = 16,
    SECTION_AT = 20,
    SECTION_FLAGS = 36,
    PAGE = 0x1000,
    SECTOR = 0x200,
};
#define SECTION_EXECUTE UINT32_C(0x20000000)
#define SECTION_WRITE UINT32_C(0x80000000)
#define SECTION_DISCARDABLE UINT32_C(0x02000000)

/* Bytes as they lie in the source: offsets of the file, or of the mapping. */
static bool raw(const struct dfr_pe *pe, uint64_t off, void *buf, size_t len)
{
    if (!pe->space)
        return dfr_bytes_copy(pe->file, off, buf, len);
    return off <= UINT64_MAX - pe->base && len <= UINT64_MAX - pe->base - off &&
           dfr_space_copy(pe->space, pe->base + off, buf, len);
}

/* Of the first byte from there on that memory lacks: a small dump may hold only the start of what
 * was wanted. Nothing that is read at once is longer than a page. */
static enum dfr_reason mapped_why(const struct dfr_pe *pe, uint64_t off)
{
    enum { MOST = 0x1000 };
    uint64_t first;
    if (off > UINT64_MAX - pe->base || pe->base + off > UINT64_MAX - MOST)
        return DFR_REASON_DAMAGED;
    return dfr_space_why_range(pe->space, pe->base + off, MOST, &first);
}

static enum dfr_reason raw_why(const struct dfr_pe *pe, uint64_t off)
{
    enum dfr_reason r = pe->space ? mapped_why(pe, off) : DFR_REASON_DAMAGED;
    return r ? r : DFR_REASON_DAMAGED;
}

static uint16_t u16(struct dfr_span s, uint64_t off)
{
    uint16_t u = 0;
    (void)dfr_span_u16le(s, off, &u);
    return u;
}

static uint32_t u32(struct dfr_span s, uint64_t off)
{
    uint32_t u = 0;
    (void)dfr_span_u32le(s, off, &u);
    return u;
}

static enum dfr_machine machine_of(uint16_t coff)
{
    return coff == 0x8664   ? DFR_MACHINE_X64
           : coff == 0xAA64 ? DFR_MACHINE_ARM64
           : coff == 0x014C ? DFR_MACHINE_X86
                            : DFR_MACHINE_OTHER;
}

/* The bytes of a section that the loader takes from the file: its start is rounded down to a sector,
 * an image aligned below a page lies in memory as in the file. */
static void place_section(struct dfr_pe_section *s, uint32_t at, uint32_t in_file, uint32_t align)
{
    if (align < PAGE) {
        s->at = s->rva;
        s->have = at ? s->size : 0;
        return;
    }
    uint32_t in_memory =
        s->size > UINT32_MAX - (PAGE - 1) ? s->size : (s->size + PAGE - 1) & ~(PAGE - 1u);
    s->at = at & ~(SECTOR - 1u);
    s->have = !at ? 0 : in_file < in_memory ? in_file : in_memory;
}

static enum dfr_reason read_sections(struct dfr_pe *pe, struct dfr_arena *a, uint64_t at,
                                     uint32_t count, uint32_t align)
{
    if (count > DFR_LIMIT_PE_SECTIONS)
        return DFR_REASON_DAMAGED;
    pe->sections = DFR_NEW_N(a, count, struct dfr_pe_section);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t b[SECTION];
        if (!raw(pe, at + (uint64_t)i * SECTION, b, sizeof b))
            return raw_why(pe, at + (uint64_t)i * SECTION);
        struct dfr_span h = {b, sizeof b};
        struct dfr_pe_section *s = &pe->sections[pe->section_count];
        uint32_t flags = u32(h, SECTION_FLAGS), in_file = u32(h, SECTION_RAW);
        *s = (struct dfr_pe_section){.rva = u32(h, SECTION_RVA), .size = u32(h, SECTION_VSIZE)};
        memcpy(s->name, b, sizeof s->name - 1);
        if (!s->size)
            s->size = in_file;
        if (s->rva >= pe->size)
            continue;
        if (s->size > pe->size - s->rva)
            s->size = pe->size - s->rva;
        s->executable = flags & SECTION_EXECUTE;
        s->writable = flags & SECTION_WRITE;
        s->discardable = flags & SECTION_DISCARDABLE;
        place_section(s, u32(h, SECTION_AT), in_file, align);
        pe->section_count++;
    }
    return DFR_REASON_NONE;
}

static void read_dirs(struct dfr_pe *pe, uint64_t at, uint32_t count)
{
    if (count > DFR_PE_DIRS)
        count = DFR_PE_DIRS;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t b[8];
        if (!raw(pe, at + (uint64_t)i * 8, b, sizeof b))
            return;
        uint32_t rva = u32((struct dfr_span){b, 8}, 0), size = u32((struct dfr_span){b, 8}, 4);
        if (rva && size && rva < pe->size && size <= pe->size - rva) {
            pe->dirs[i].rva = rva;
            pe->dirs[i].size = size;
        }
    }
}

static enum dfr_reason open(struct dfr_pe *pe, struct dfr_arena *a)
{
    uint8_t dos[DOS_NT + 4], nt[OPTIONAL + OPTIONAL_DIRS];
    struct dfr_span d = {dos, sizeof dos}, n = {nt, sizeof nt};
    if (!raw(pe, 0, dos, sizeof dos))
        return raw_why(pe, 0);
    uint64_t at = u32(d, DOS_NT);
    if (dos[0] != 'M' || dos[1] != 'Z')
        return DFR_REASON_DAMAGED;
    if (!raw(pe, at, nt, OPTIONAL + OPTIONAL_DIRS32))
        return raw_why(pe, at);
    pe->wide = u16(n, OPTIONAL) == MAGIC;
    uint32_t fixed = pe->wide ? OPTIONAL_DIRS : OPTIONAL_DIRS32, optional = u16(n, COFF_OPTIONAL);
    if (memcmp(nt, "PE\0\0", 4) != 0 || (!pe->wide && u16(n, OPTIONAL) != MAGIC32) ||
        optional < fixed)
        return DFR_REASON_DAMAGED;
    if (!raw(pe, at, nt, OPTIONAL + fixed))
        return raw_why(pe, at);
    pe->coff = u16(n, COFF_MACHINE);
    pe->machine = machine_of(pe->coff);
    pe->stamp = u32(n, COFF_STAMP);
    pe->size = u32(n, OPTIONAL + OPTIONAL_SIZE);
    pe->headers = u32(n, OPTIONAL + OPTIONAL_HEADERS);
    pe->checksum = u32(n, OPTIONAL + OPTIONAL_CHECKSUM);
    if (pe->wide)
        (void)dfr_span_u64le(n, OPTIONAL + OPTIONAL_BASE, &pe->wants);
    else
        pe->wants = u32(n, OPTIONAL + OPTIONAL_BASE32);
    if (!pe->size)
        return DFR_REASON_DAMAGED;
    if (pe->headers > pe->size)
        pe->headers = pe->size;
    uint32_t room = (optional - fixed) / 8, dirs = u32(n, OPTIONAL + fixed - 4);
    read_dirs(pe, at + OPTIONAL + fixed, dirs < room ? dirs : room);
    return read_sections(pe, a, at + OPTIONAL + optional, u16(n, COFF_SECTIONS),
                         u32(n, OPTIONAL + OPTIONAL_ALIGN));
}

enum dfr_reason dfr_pe_open_file(struct dfr_pe *ret, struct dfr_arena *a, struct dfr_bytes *file)
{
    struct dfr_pe pe = {.file = file};
    enum dfr_reason r = open(&pe, a);
    if (!r)
        *ret = pe;
    return r;
}

enum dfr_reason dfr_pe_open_mapped(struct dfr_pe *ret, struct dfr_arena *a,
                                   const struct dfr_space *space, uint64_t base)
{
    struct dfr_pe pe = {.space = space, .base = base};
    enum dfr_reason r = open(&pe, a);
    if (!r)
        *ret = pe;
    return r;
}

const struct dfr_pe_section *dfr_pe_section_at(const struct dfr_pe *pe, uint32_t rva)
{
    for (uint32_t i = 0; i < pe->section_count; i++) {
        const struct dfr_pe_section *s = &pe->sections[i];
        if (rva >= s->rva && rva - s->rva < s->size)
            return s;
    }
    return NULL;
}

/* Bytes of a file at an RVA that lie together; 0 when there are none. */
static size_t read_part(const struct dfr_pe *pe, uint32_t rva, uint8_t *buf, size_t len)
{
    const struct dfr_pe_section *s = dfr_pe_section_at(pe, rva);
    uint32_t in = s ? rva - s->rva : 0;
    uint32_t left = s ? s->size - in : rva < pe->headers ? pe->headers - rva : 0;
    if (len > left)
        len = left;
    if (s && in >= s->have) {
        memset(buf, 0, len);
        return len;
    }
    if (s && len > s->have - in)
        len = s->have - in;
    uint64_t off = s ? (uint64_t)s->at + in : rva;
    return len && dfr_bytes_copy(pe->file, off, buf, len) ? len : 0;
}

bool dfr_pe_read(const struct dfr_pe *pe, uint32_t rva, void *buf, size_t len)
{
    if (rva > pe->size || len > pe->size - rva)
        return false;
    if (pe->space)
        return raw(pe, rva, buf, len);
    for (size_t done = 0; done < len;) {
        size_t n = read_part(pe, rva + (uint32_t)done, (uint8_t *)buf + done, len - done);
        if (!n)
            return false;
        done += n;
    }
    return true;
}

bool dfr_pe_u16(const struct dfr_pe *pe, uint32_t rva, uint16_t *ret)
{
    uint8_t b[2];
    return dfr_pe_read(pe, rva, b, sizeof b) &&
           dfr_span_u16le((struct dfr_span){b, sizeof b}, 0, ret);
}

bool dfr_pe_u32(const struct dfr_pe *pe, uint32_t rva, uint32_t *ret)
{
    uint8_t b[4];
    return dfr_pe_read(pe, rva, b, sizeof b) &&
           dfr_span_u32le((struct dfr_span){b, sizeof b}, 0, ret);
}

enum dfr_reason dfr_pe_why(const struct dfr_pe *pe, uint32_t rva)
{
    uint8_t b;
    if (rva >= pe->size)
        return DFR_REASON_NOT_MAPPED;
    if (pe->space)
        return mapped_why(pe, rva);
    return dfr_pe_read(pe, rva, &b, 1) ? DFR_REASON_NONE : DFR_REASON_DAMAGED;
}

/* What lies behind the string need not be readable: pieces that end in it get smaller. */
static size_t string_length(const struct dfr_pe *pe, uint32_t rva, size_t most)
{
    enum { PIECE = 64 };
    char b[PIECE];
    for (size_t len = 0; len < most;) {
        size_t left = pe->size - rva - len, n = most - len < PIECE ? most - len : PIECE;
        n = n < left ? n : left;
        while (n && !dfr_pe_read(pe, rva + (uint32_t)len, b, n))
            n /= 2;
        const char *end = n ? memchr(b, 0, n) : NULL;
        if (end)
            return len + (size_t)(end - b);
        if (!n)
            return 0;
        len += n;
    }
    return 0;
}

struct dfr_str dfr_pe_string(const struct dfr_pe *pe, struct dfr_arena *a, uint32_t rva,
                             size_t most)
{
    size_t len = rva < pe->size ? string_length(pe, rva, most) : 0;
    char *p = dfr_arena_alloc(a, len + 1);
    if (!dfr_pe_read(pe, rva, p, len))
        len = 0;
    return (struct dfr_str){p, len};
}

/* A CodeView record: `RSDS`, GUID, age, path. It stands at an RVA, or in a file that does not map it
 * at an offset of the file. */
static enum dfr_reason read_pdb(const struct dfr_pe *pe, struct dfr_arena *a, uint32_t rva,
                                uint32_t at, uint32_t size, struct dfr_pe_debug *ret)
{
    enum { RSDS = 24 };
    uint8_t h[RSDS];
    if (size < RSDS)
        return DFR_REASON_NONE;
    size_t path = size - RSDS < DFR_LIMIT_PE_NAME_BYTES ? size - RSDS : DFR_LIMIT_PE_NAME_BYTES;
    char *p = dfr_arena_alloc(a, path + 1);
    if (rva) {
        if (!dfr_pe_read(pe, rva, h, sizeof h))
            return dfr_pe_why(pe, rva);
        if (memcmp(h, "RSDS", 4) == 0 && !dfr_pe_read(pe, rva + RSDS, p, path))
            return dfr_pe_why(pe, rva + RSDS);
    } else if (pe->space) {
        return DFR_REASON_NOT_MAPPED;
    } else if (!dfr_bytes_copy(pe->file, at, h, sizeof h) ||
               !dfr_bytes_copy(pe->file, (uint64_t)at + RSDS, p, path)) {
        return DFR_REASON_DAMAGED;
    }
    if (memcmp(h, "RSDS", 4) != 0)
        return DFR_REASON_NONE;
    ret->has_pdb = true;
    memcpy(ret->guid, h + 4, sizeof ret->guid);
    ret->age = u32((struct dfr_span){h, sizeof h}, 20);
    ret->pdb = (struct dfr_str){p, strnlen(p, path)};
    return DFR_REASON_NONE;
}

enum dfr_reason dfr_pe_debug(const struct dfr_pe *pe, struct dfr_arena *a, struct dfr_pe_debug *ret)
{
    enum { ENTRY = 28, TYPE = 12, SIZE = 16, RVA = 20, AT = 24, CODEVIEW = 2, REPRO = 16 };
    enum dfr_reason why = DFR_REASON_NONE;
    uint32_t rva = pe->dirs[DFR_PE_DEBUG].rva, n = pe->dirs[DFR_PE_DEBUG].size / ENTRY;
    *ret = (struct dfr_pe_debug){0};
    for (uint32_t i = 0; i < n && i < DFR_LIMIT_PE_DEBUG_ENTRIES; i++) {
        uint8_t b[ENTRY];
        struct dfr_span e = {b, sizeof b};
        if (!dfr_pe_read(pe, rva + i * ENTRY, b, sizeof b))
            return dfr_pe_why(pe, rva + i * ENTRY);
        if (u32(e, TYPE) == REPRO)
            ret->repro = true;
        if (u32(e, TYPE) != CODEVIEW || ret->has_pdb)
            continue;
        enum dfr_reason r = read_pdb(pe, a, u32(e, RVA), u32(e, AT), u32(e, SIZE), ret);
        why = r ? r : why;
    }
    return why;
}
