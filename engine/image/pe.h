/* A PE image by relative virtual address, from a file or from where the kernel mapped it.
 * Source of all offsets: the PE format as documented; the alignment rules of the loader as public
 * parsers that agree have them. Knows nothing of crashes. */
#ifndef DFR_IMAGE_PE_H
#define DFR_IMAGE_PE_H

#include "memory/bytes.h"
#include "memory/container.h"
#include "memory/space.h"

/* Data directories that are read. */
enum {
    DFR_PE_EXPORT = 0,
    DFR_PE_EXCEPTION = 3,
    DFR_PE_RELOC = 5,
    DFR_PE_DEBUG = 6,
    DFR_PE_DIRS = 16,
};

struct dfr_pe_section {
    char name[9];      /* as written, ended; not necessarily text */
    uint32_t rva;      /* where it starts */
    uint32_t size;     /* bytes that it takes in memory */
    uint32_t at, have; /* where it starts in the file, and how many bytes of it stand there */
    bool executable, writable, discardable;
};

struct dfr_pe {
    const struct dfr_space *space; /* mapped at `base`; NULL: a file */
    struct dfr_bytes *file;
    uint64_t base;
    uint16_t coff;            /* machine as the header has it */
    enum dfr_machine machine; /* OTHER: none that dfrule knows */
    bool wide;                /* PE32+ */
    uint32_t stamp, size, checksum, headers;
    uint64_t wants; /* preferred base */
    struct {
        uint32_t rva, size;
    } dirs[DFR_PE_DIRS]; /* 0, 0: there is none, or it lies outside the image */
    struct dfr_pe_section *sections;
    uint32_t section_count;
};

/* Read the headers. NONE: *ret is set. DAMAGED: these bytes are no image, or a broken one; else the
 * reason why the headers cannot be read. `file` and `space` must outlive *ret, its sections live in
 * `a`. */
enum dfr_reason dfr_pe_open_file(struct dfr_pe *ret, struct dfr_arena *a, struct dfr_bytes *file);
enum dfr_reason dfr_pe_open_mapped(struct dfr_pe *ret, struct dfr_arena *a,
                                   const struct dfr_space *space, uint64_t base);

/* Copy `len` bytes at an RVA; false when not all of them can be had. What a section has in memory
 * but not in the file reads as zero. */
bool dfr_pe_read(const struct dfr_pe *pe, uint32_t rva, void *buf, size_t len);
bool dfr_pe_u16(const struct dfr_pe *pe, uint32_t rva, uint16_t *ret);
bool dfr_pe_u32(const struct dfr_pe *pe, uint32_t rva, uint32_t *ret);
/* Why bytes at an RVA could not be read: of a mapped image, of the first of a page's worth that memory
 * lacks. NONE when nothing is in the way. */
enum dfr_reason dfr_pe_why(const struct dfr_pe *pe, uint32_t rva);
/* Zero-ended bytes at an RVA, at most `most` of them; empty when they cannot be read or no end is
 * found. Lives in `a`. */
struct dfr_str dfr_pe_string(const struct dfr_pe *pe, struct dfr_arena *a, uint32_t rva,
                             size_t most);
/* The section that holds an RVA, or NULL. */
const struct dfr_pe_section *dfr_pe_section_at(const struct dfr_pe *pe, uint32_t rva);

/* What the debug directory says. */
struct dfr_pe_debug {
    bool has_pdb;     /* the next three are known */
    uint8_t guid[16]; /* as stored: three little-endian numbers and eight bytes */
    uint32_t age;
    struct dfr_str pdb; /* path as the linker wrote it */
    bool repro;         /* the stamp in the header is a hash of the build, not a time */
};

/* Read the debug directory. NONE also when there is none (nothing is set then); else why it, or the
 * PDB record that it points to, cannot be read; what could be read is set. */
enum dfr_reason dfr_pe_debug(const struct dfr_pe *pe, struct dfr_arena *a,
                             struct dfr_pe_debug *ret);

#endif
