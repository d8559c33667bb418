/* Images and PDBs on this machine: the folders and symbol stores of a symbol path. Nothing is
 * fetched here. Names come from dumps and are hostile; what is opened is a regular file below one of
 * the folders that the user named, and it is the file asked for, or it is not given out. */
#ifndef DFR_IMAGE_STORE_H
#define DFR_IMAGE_STORE_H

#include "base/str.h"
#include "base/vec.h"
#include "memory/bytes.h"

/* One folder of the path. */
struct dfr_store_root {
    struct dfr_str folder;
    bool plain;    /* files may stand in it bare, not only below name/id/ */
    bool two_tier; /* it holds index2.txt: the first two letters of a name are a folder more */
    bool listed;   /* `names` were read */
    DFR_VEC(struct dfr_str) names; /* of what stands in it, by dfr_str_cmp_ci */
};

/* A file that stood where a wanted one would, and was not given out. */
struct dfr_store_reject {
    struct dfr_str path;
    const char *why;
};

struct dfr_store_found;
struct dfr_store {
    struct dfr_arena *arena;
    DFR_VEC(struct dfr_store_root) roots;    /* in the order of the path */
    DFR_VEC(struct dfr_str) servers;         /* addresses in the path, for those who may fetch */
    DFR_VEC(struct dfr_store_found *) found; /* what was asked for before, also in vain */
    DFR_VEC(struct dfr_store_reject) rejects;
};

/* Read a symbol path: items parted by `;`, each a folder, `srv*FOLDER*...*ADDRESS`,
 * `symsrv*FILE*FOLDER*...*ADDRESS` or `cache*FOLDER`. An empty path gives an empty store. */
void dfr_store_init(struct dfr_store *s, struct dfr_arena *a, struct dfr_str symbol_path);

/* The image named `file` (a path is cut to its last part) with this TimeDateStamp and SizeOfImage.
 * Never matched on CheckSum, which signing changes. *ret lives as long as the store's arena; a
 * compressed file is unpacked into it. Not for several threads at once. */
bool dfr_store_image(struct dfr_store *s, struct dfr_str file, uint32_t stamp, uint32_t size,
                     struct dfr_bytes *ret);

/* The PDB named `file` with this GUID and age, as the image's debug directory says them: the age is
 * that of the debug information stream, never that of the info stream, which may be higher. */
bool dfr_store_pdb(struct dfr_store *s, struct dfr_str file, const uint8_t guid[16], uint32_t age,
                   struct dfr_bytes *ret);

/* Is this file, packed or not, that image or PDB, and whole? NULL, or why not. */
const char *dfr_store_check_image(struct dfr_arena *a, struct dfr_bytes *b, uint32_t stamp,
                                  uint32_t size);
const char *dfr_store_check_pdb(struct dfr_arena *a, struct dfr_bytes *b, const uint8_t guid[16],
                                uint32_t age);

/* The last part of a Windows or other path, when it may name a file of a store: not empty, no dots
 * alone or two in front, no separators, colons, wildcards or control characters, not overlong. */
bool dfr_store_name(struct dfr_str path, struct dfr_str *ret);
/* name/ID/name as stores and servers lay it out. */
struct dfr_str dfr_store_image_path(struct dfr_arena *a, struct dfr_str name, uint32_t stamp,
                                    uint32_t size);
struct dfr_str dfr_store_pdb_path(struct dfr_arena *a, struct dfr_str name, const uint8_t guid[16],
                                  uint32_t age);

#endif
