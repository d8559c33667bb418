/* Strings as pointer and length: never assumed to end in NUL, never assumed to be valid UTF-8
 * when they come from a dump. Comparisons named `_ci` fold ASCII letters only, as Windows module
 * and file names in debugger output need. */
#ifndef DFR_BASE_STR_H
#define DFR_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct dfr_str {
    const char *p;
    size_t len;
};

#define DFR_STR(lit) ((struct dfr_str){(lit), sizeof(lit) - 1})

struct dfr_str dfr_str_from(const char *z);
struct dfr_str dfr_str_dup(struct dfr_arena *a, struct dfr_str s);
bool dfr_str_eq(struct dfr_str a, struct dfr_str b);
bool dfr_str_eq_ci(struct dfr_str a, struct dfr_str b);
int dfr_str_cmp(struct dfr_str a, struct dfr_str b);
int dfr_str_cmp_ci(struct dfr_str a, struct dfr_str b);
bool dfr_str_starts(struct dfr_str s, struct dfr_str prefix);
bool dfr_str_starts_ci(struct dfr_str s, struct dfr_str prefix);
bool dfr_str_ends_ci(struct dfr_str s, struct dfr_str suffix);
/* Offset of `needle` in `s`, or SIZE_MAX. */
size_t dfr_str_find(struct dfr_str s, struct dfr_str needle);
size_t dfr_str_find_ci(struct dfr_str s, struct dfr_str needle);
/* `s` without blanks, tabs, CR and LF at both ends. */
struct dfr_str dfr_str_trim(struct dfr_str s);
/* Bytes [from, to) of `s`, clamped to it. */
struct dfr_str dfr_str_slice(struct dfr_str s, size_t from, size_t to);
uint64_t dfr_str_hash(struct dfr_str s);
uint64_t dfr_str_hash_ci(struct dfr_str s);
/* Does `s` match `pattern`, where `*` is any run and `?` any one byte? Linear, no recursion. */
bool dfr_str_glob(struct dfr_str pattern, struct dfr_str s, bool fold_case);
/* Edit distance with transpositions, capped at `most` + 1: for "did you mean". */
unsigned dfr_str_distance(struct dfr_str a, struct dfr_str b, unsigned most);

/* Distinct strings by number, 1-based; 0 is "none". Text is copied into the arena. */
struct dfr_names {
    struct dfr_arena *arena;
    struct dfr_str *text; /* text[id]; [0] is empty */
    uint32_t n, cap;      /* ids in use (with 0), room in text */
    uint32_t *slots;
    uint32_t mask;
    bool fold_case;
};

void dfr_names_init(struct dfr_names *t, struct dfr_arena *a, bool fold_case);
uint32_t dfr_names_add(struct dfr_names *t, struct dfr_str s);
uint32_t dfr_names_find(const struct dfr_names *t, struct dfr_str s); /* 0: not there */

#endif
