/* Names and types of one module, from a PDB. Opening reads the few bytes that say which build it
 * belongs to; symbols and types are read when they are first asked for.
 * Source: the documentation of the format by LLVM and the published reader; both agree, and so do the
 * PDBs of several linkers that were read. Knows nothing of crashes. Not for several threads at once. */
#ifndef DFR_IMAGE_PDB_H
#define DFR_IMAGE_PDB_H

#include "base/str.h"
#include "image/msf.h"

struct dfr_pdb_section {
    uint32_t rva, size;
};
struct dfr_pdb_sections {
    struct dfr_pdb_section *v;
    uint32_t n;
};

/* A symbol as it is kept: names stand in one pool. */
struct dfr_pdb_entry {
    uint32_t rva, size; /* size 0: not said */
    uint32_t name;      /* offset in `names` */
    uint16_t name_len;
    uint8_t rank; /* which of several at one address names it: a higher one */
    uint8_t kind; /* enum dfr_pdb_kind */
};
enum dfr_pdb_kind { DFR_PDB_PUBLIC, DFR_PDB_FUNCTION, DFR_PDB_DATA };

/* Addresses of an image whose code was reordered after linking, by rising `from`. */
struct dfr_pdb_omap {
    uint32_t from, to; /* `to` 0: there is no such place */
};
struct dfr_pdb_omap_table {
    struct dfr_pdb_omap *v;
    uint32_t n;
};

struct dfr_pdb_types;
struct dfr_pdb {
    struct dfr_arena *arena;
    struct dfr_bytes file;
    struct dfr_msf msf;
    uint8_t guid[16];
    uint32_t age; /* the one that images and stores name, which is not that of the info stream */
    uint16_t machine; /* as images have it */
    uint16_t symbol_stream;
    uint32_t modules_at, modules_size; /* in the debug information stream */
    struct dfr_pdb_sections sections;  /* of the image as it is */
    struct dfr_pdb_sections original;  /* before it was reordered; what symbols speak of */
    struct dfr_pdb_omap_table moved;   /* original addresses to those of now */
    struct dfr_pdb_omap_table back;    /* the other way round */
    bool symbols_read, types_read;
    const char *symbols_problem;   /* why there are no symbols; NULL: there are */
    struct dfr_pdb_entry *entries; /* by rising address */
    uint32_t entry_count;
    struct dfr_pdb_entry *source; /* of a reordered image: the same by original address */
    uint32_t source_count;
    const char *names;
    uint32_t *by_name; /* indexes of entries, ordered by name */
    struct dfr_pdb_types *types;
    uint8_t *record; /* room for one type record */
};

/* Read the head of a PDB. False: *ret_problem is one line without the file's name. What `file` reads
 * from must outlive *ret. */
bool dfr_pdb_open(struct dfr_pdb *ret, struct dfr_arena *a, const struct dfr_bytes *file,
                  const char **ret_problem);

struct dfr_pdb_symbol {
    struct dfr_str name; /* as it stands in the PDB; lives as long as the PDB's arena */
    uint32_t rva, size;  /* size 0: not said */
    enum dfr_pdb_kind kind;
};
/* Read the symbols; false and the reason in `symbols_problem`. Done by the next two when needed. */
bool dfr_pdb_read_symbols(struct dfr_pdb *p);
/* The symbol that `rva` belongs to: the nearest at or below it in the same section. In a reordered
 * image it is the nearest before reordering, so that a piece of a function that was moved away still
 * has the function's name; its distance is the one that it had. */
bool dfr_pdb_at(struct dfr_pdb *p, uint32_t rva, struct dfr_pdb_symbol *ret,
                uint32_t *ret_distance);
/* The symbol called `name`, also when the PDB has it decorated as C names of x86 are. */
bool dfr_pdb_named(struct dfr_pdb *p, struct dfr_str name, struct dfr_pdb_symbol *ret);
/* Symbols by rising address, for those who list them. */
struct dfr_pdb_symbol dfr_pdb_symbol_of(const struct dfr_pdb *p, uint32_t index);

/* A name as debuggers print it: C names of x86 without their decoration, C++ names that are plain
 * without parameters and types; all others as they are. `machine` as images have it. */
struct dfr_str dfr_pdb_plain_name(struct dfr_arena *a, uint16_t machine, struct dfr_str name);

#endif
