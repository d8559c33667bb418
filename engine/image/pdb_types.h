/* Structures of a PDB: where a member stands, how long it is. */
#ifndef DFR_IMAGE_PDB_TYPES_H
#define DFR_IMAGE_PDB_TYPES_H

#include "image/pdb.h"

enum dfr_pdb_answer {
    DFR_PDB_FOUND,
    DFR_PDB_NO_TYPES,  /* the PDB holds none, or damaged ones */
    DFR_PDB_NO_TYPE,   /* none of that name is defined */
    DFR_PDB_NO_MEMBER, /* the type has no such member, or the array not so many elements */
    DFR_PDB_ODD,       /* it leads through a pointer, or through something that is not read */
};

struct dfr_pdb_member {
    uint64_t offset;          /* bytes from the start of the type */
    uint64_t size;            /* bytes; 0: not known, or an array of no length */
    uint8_t bit_at, bit_size; /* of a bit field within its `size` bytes; bit_size 0: none */
};

/* The member at `path` of the structure, class or union `type`: names parted by dots, each with
 * `[n]` behind it where it is an array; members of structures without a name need none of their own. An
 * empty path gives the size of the whole. */
enum dfr_pdb_answer dfr_pdb_member(struct dfr_pdb *p, struct dfr_str type, struct dfr_str path,
                                   struct dfr_pdb_member *ret);

#endif
