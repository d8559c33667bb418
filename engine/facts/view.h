/* The memory behind the facts, for questions that nobody can answer beforehand: words at an address,
 * addresses of symbols, members of types. A dump gives one; a text has none.
 *
 * Every function answers DFR_REASON_NONE, or why it cannot tell, and may be called from several
 * threads at once: facts are shared. */
#ifndef DFR_FACTS_VIEW_H
#define DFR_FACTS_VIEW_H

#include "facts/store.h"

/* Where a member stands in its type. */
struct dfr_member {
    uint64_t offset;          /* bytes from the start of the type */
    uint32_t size;            /* bytes */
    uint8_t bit_at, bit_size; /* of a bit field, within the `size` bytes; bit_size 0: none */
};

struct dfr_view {
    void *user;
    uint8_t pointer_bytes; /* 4 or 8 */
    /* Copy `len` bytes at `va`; *ret_place says where they stand in the file. */
    enum dfr_reason (*read)(void *user, uint64_t va, void *buf, size_t len,
                            struct dfr_place *ret_place);
    /* Address of `module!name`. */
    enum dfr_reason (*symbol)(void *user, struct dfr_str module, struct dfr_str name,
                              uint64_t *ret);
    /* The member at `path` (dotted) of `module!type`. */
    enum dfr_reason (*member)(void *user, struct dfr_str module, struct dfr_str type,
                              struct dfr_str path, struct dfr_member *ret);
};

#endif
