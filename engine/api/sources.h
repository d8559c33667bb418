/* From paths to rule sources: files, folders, the packs that they belong to and import. */
#ifndef DFR_API_SOURCES_H
#define DFR_API_SOURCES_H

#include "api/handle.h"
#include "lang/compile.h"

struct dfr_sources {
    DFR_VEC(struct dfr_compile_source) list;
    struct dfr_str cache; /* bytes of a compiled rule set; empty: there is none */
};

/* Read the sources of `paths`, then of the packs that they import and that a folder of `search`
 * holds. A file brings the pack that it belongs to; no file is read twice. */
enum dfr_status dfr_sources_read(struct dfr_arena *a, const dfr_text *paths, size_t n,
                                 const dfr_text *search, size_t search_n, struct dfr_sources *ret,
                                 struct dfr_err *err);
/* Every file that dfr_sources_read() may read: those of `paths` with their packs, and all below
 * `search`. */
enum dfr_status dfr_sources_reach(struct dfr_arena *a, const dfr_text *paths, size_t n,
                                  const dfr_text *search, size_t search_n, struct dfr_paths *ret,
                                  struct dfr_err *err);

#endif
