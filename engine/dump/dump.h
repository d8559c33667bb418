/* A Windows kernel dump into facts: the one entry for the layers above. */
#ifndef DFR_DUMP_DUMP_H
#define DFR_DUMP_DUMP_H

#include "dump/sniff.h"
#include "facts/store.h"
#include "image/store.h"

struct dfr_dump_options {
    struct dfr_str
        symbol_path; /* of images and PDBs on this machine (image/store.h); may be empty */
};

/* Read a dump into sealed facts. DFR_NOT_A_CRASH or DFR_UNSUPPORTED with one line (without the path)
 * when the input is no dump or one that is not read; damage below that is told in `diags` and by unknown facts.
 * `b` and the facts live in `a`. `options` NULL: zeroed ones. */
enum dfr_status dfr_dump_read(struct dfr_arena *a, struct dfr_bytes *b,
                              const struct dfr_dump_options *options, struct dfr_diags *diags,
                              struct dfr_facts *ret, struct dfr_err *err)
    __attribute__((warn_unused_result));

#endif
