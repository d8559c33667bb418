/* Putting a program together: interned texts and records, and one piece of code at a time.
 *
 * Records that mean the same are stored once, so a predicate that a thousand rules share is one
 * chunk. Knows nothing of the language; does not check what dfr_program_verify() checks. */
#ifndef DFR_CODE_BUILD_H
#define DFR_CODE_BUILD_H

#include "code/program.h"

/* Open-addressed index over records that live in the program's arrays. */
struct dfr_intern {
    uint32_t *slots; /* record number + 1 */
    uint32_t *hashes;
    uint32_t used, mask;
};

struct dfr_builder {
    struct dfr_program *p; /* initialised; the builder allocates in its arena */
    struct dfr_intern texts, consts, patterns, chunks;
    DFR_VEC(struct dfr_ptext) text_list;
};

void dfr_builder_init(struct dfr_builder *b, struct dfr_program *p);

/* Text in the pool; the same bytes give the same place. */
struct dfr_ptext dfr_build_text(struct dfr_builder *b, struct dfr_str s);
/* Number of a constant or pattern; equal ones share a number. Texts in them must come from
 * dfr_build_text(). */
uint32_t dfr_build_const(struct dfr_builder *b, struct dfr_pconst c);
uint32_t dfr_build_pattern(struct dfr_builder *b, struct dfr_ppattern pattern);

struct dfr_pconst dfr_const_bool(bool v);
struct dfr_pconst dfr_const_int(int64_t v);
struct dfr_pconst dfr_const_addr(uint64_t v);
struct dfr_pconst dfr_const_text(enum dfr_kind kind, struct dfr_ptext t);     /* STR, MODULE */
struct dfr_pconst dfr_const_span(enum dfr_kind kind, int64_t lo, int64_t hi); /* TIME, DUR, INT */
struct dfr_pconst dfr_const_ver(const uint32_t part[4]);
struct dfr_pconst dfr_const_enum(uint32_t type, uint32_t value);
struct dfr_pconst dfr_const_absent(void);

/* One chunk under construction. Several may be open at once. */
struct dfr_emit {
    struct dfr_builder *b;
    DFR_VEC(uint32_t) words;
    uint32_t cost;
    bool too_long; /* an operand does not fit its 24 bits, or the code is too long */
};

void dfr_emit_init(struct dfr_emit *e, struct dfr_builder *b);
/* Append an instruction without extra words; returns its offset in the chunk. */
uint32_t dfr_emit(struct dfr_emit *e, enum dfr_op op, uint32_t operand);
/* AND_SKIP or OR_SKIP with its label still open; dfr_emit_here() makes it the next instruction. */
uint32_t dfr_emit_skip(struct dfr_emit *e, enum dfr_op op);
void dfr_emit_here(struct dfr_emit *e, uint32_t skip);
/* FOLD; the body follows, then dfr_emit_next() with what this returned. */
uint32_t dfr_emit_fold(struct dfr_emit *e, enum dfr_fold kind, uint32_t slot, uint32_t threshold);
void dfr_emit_next(struct dfr_emit *e, uint32_t fold);
void dfr_emit_of(struct dfr_emit *e, enum dfr_fold kind, uint32_t threshold, uint32_t count);
/* Append RET and store the chunk; returns its number, that of an equal chunk if there is one. */
uint32_t dfr_emit_end(struct dfr_emit *e, uint32_t args, uint32_t slots, uint32_t rule);

/* Instruction words. */
static inline uint32_t dfr_word(uint32_t op, uint32_t operand)
{
    return op | operand << 8;
}
static inline uint32_t dfr_word_op(uint32_t word)
{
    return word & 0xFF;
}
static inline uint32_t dfr_word_operand(uint32_t word)
{
    return word >> 8;
}
static inline uint32_t dfr_fold_kind(uint32_t operand)
{
    return operand & 15;
}
static inline uint32_t dfr_fold_slot(uint32_t operand)
{
    return operand >> 4;
}

#endif
