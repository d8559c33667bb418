/* Names of symbols, types and members as rules write them, and where the members of stable structures
 * stand: member.def as data. */
#ifndef DFR_FACTS_MEMBER_H
#define DFR_FACTS_MEMBER_H

#include "facts/view.h"

enum dfr_member_how { DFR_MEMBER_FIXED, DFR_MEMBER_KDBG, DFR_MEMBER_BLOCK };
enum { DFR_MEMBER_ALL = 0xFF }; /* bits of dfr_member_row.archs */

struct dfr_member_row {
    uint8_t how;        /* enum dfr_member_how */
    uint8_t archs;      /* bits 1 << DFR_ARCH_* */
    uint8_t width;      /* KDBG: bytes of the offset there */
    const char *type;   /* of nt, without the module */
    const char *member; /* without an index */
    uint32_t at;        /* offset, or where the debugger data block holds it */
    uint32_t size;      /* of one; 0: a pointer */
    uint32_t count;
};

const struct dfr_member_row *dfr_member_rows(size_t *ret_n);
/* The row of `path` (an index in brackets may stand behind it) in nt!`type` on this machine, and the
 * index; NULL: there is none. DFR_ARCH_COUNT: any machine. */
const struct dfr_member_row *dfr_member_find(uint32_t arch, struct dfr_str type,
                                             struct dfr_str path, uint32_t *ret_index,
                                             bool *ret_indexed);
/* The member that a FIXED row says, or whose offset `at` the caller found; NO_SUCH_MEMBER when the
 * index is beyond the last. */
enum dfr_reason dfr_member_at(const struct dfr_member_row *row, uint64_t at, uint32_t pointer_bytes,
                              uint32_t index, bool indexed, struct dfr_member *ret);

/* `module!name`: both parts of letters, digits and `_ $ @ ? : . ~ -`, the first without `: @ ?`. */
bool dfr_symbol_split(struct dfr_str spelled, struct dfr_str *ret_module, struct dfr_str *ret_name);
/* `A.B[3].C`: names joined by dots, each with at most one index of at most five digits. */
bool dfr_member_path_ok(struct dfr_str path);

#endif
