/* Dumps of every kind, and the transcript of a debugger that looked at them, out of one recipe.
 *
 * Written from the description of the formats and not from the readers: nothing of dump/ or text/ is
 * used here, so that a misreading is not shared. A recipe becomes a picture of memory (world.h), from
 * which each container takes what it holds. */
#ifndef DFR_FORGE_FORGE_H
#define DFR_FORGE_FORGE_H

#include "base/buf.h"
#include "base/diag.h"

/* FORGE_KIND(ID, "word", header's type, "meaning") */
#define FORGE_KIND(id, word, type, meaning) DFR_FORGE_##id,
enum dfr_forge_kind {
#include "forge/kind.def"
    DFR_FORGE_KINDS,
};
#undef FORGE_KIND

const char *dfr_forge_kind_word(enum dfr_forge_kind kind);
const char *dfr_forge_kind_meaning(enum dfr_forge_kind kind);

/* A file with holes: what no piece covers is zero. */
struct dfr_forge_piece {
    uint64_t at;
    const uint8_t *p;
    size_t len;
};
struct dfr_forge_file {
    uint64_t size;
    struct dfr_forge_piece *v; /* in order, apart from each other */
    uint32_t n, cap;
};

/* The dump of the recipe `text`; DFR_BAD_RECIPE after diagnostics with their places. */
enum dfr_status dfr_forge_dump(struct dfr_arena *a, struct dfr_str path, struct dfr_str text,
                               enum dfr_forge_kind kind, struct dfr_diags *diags,
                               struct dfr_forge_file *ret, struct dfr_err *err);
/* An image as a symbol server would hand it out: NAME/STAMP and size/NAME. */
struct dfr_forge_image {
    struct dfr_str path;
    struct dfr_forge_file file;
};
struct dfr_forge_images {
    struct dfr_forge_image *v;
    uint32_t n, cap;
};
/* The images of the recipe's modules as they were before anything ran or was damaged. */
enum dfr_status dfr_forge_images(struct dfr_arena *a, struct dfr_str path, struct dfr_str text,
                                 struct dfr_diags *diags, struct dfr_forge_images *ret,
                                 struct dfr_err *err);
/* What a debugger prints for the same crash. */
enum dfr_status dfr_forge_text(struct dfr_arena *a, struct dfr_str path, struct dfr_str text,
                               struct dfr_diags *diags, struct dfr_buf *ret, struct dfr_err *err);

#endif
