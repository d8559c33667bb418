/* A Windows kernel dump into facts: the one entry for the layers above. */
#ifndef DFR_DUMP_DUMP_H
#define DFR_DUMP_DUMP_H

#include "dump/sniff.h"
#include "facts/store.h"
#include "image/store.h"

/* A file that a module wants. */
struct dfr_wanted_file {
    bool pdb, have;
    bool matters;          /* its module has to do with the crash */
    bool on_stack;         /* its module stands on the crashing stack */
    enum dfr_reason why;   /* the path is empty */
    struct dfr_str module; /* as the dump names it */
    struct dfr_str path;   /* NAME/ID/NAME of stores and servers */
    uint32_t stamp, image_size, age;
    uint8_t guid[16];
};
struct dfr_wanted {
    DFR_VEC(struct dfr_wanted_file) files;
    DFR_VEC(struct dfr_str) servers, folders; /* of the symbol path: addresses, and stores */
};

struct dfr_dump_options {
    struct dfr_str
        symbol_path; /* of images and PDBs on this machine (image/store.h); may be empty */
    struct dfr_wanted *wanted; /* to be filled; NULL: nobody asks */
};

/* Read a dump into sealed facts. DFR_NOT_A_CRASH or DFR_UNSUPPORTED with one line (without the path)
 * when the input is no dump or one that is not read; damage below that is told in `diags` and by unknown facts.
 * `b` and the facts live in `a`. `options` NULL: zeroed ones. */
enum dfr_status dfr_dump_read(struct dfr_arena *a, struct dfr_bytes *b,
                              const struct dfr_dump_options *options, struct dfr_diags *diags,
                              struct dfr_facts *ret, struct dfr_err *err)
    __attribute__((warn_unused_result));

#endif
