/* The facts of one crash. Readers fill it once; afterwards it is read-only and may be shared.
 *
 * A scalar that nobody set is unknown with reason NOT_SHOWN. A table that nobody touched is an
 * incomplete empty one. Rows are appended; cells that nobody set are unknown, NOT_SHOWN. */
#ifndef DFR_FACTS_STORE_H
#define DFR_FACTS_STORE_H

#include "base/vec.h"
#include "facts/schema.h"

/* Where something stands: a byte range of the input, with its line in a text, or an address. */
struct dfr_place {
    uint64_t begin, end; /* bytes of the input file as given, before any normalising */
    uint32_t line;       /* 1-based; 0 in a binary */
    uint64_t va;         /* virtual address in a dump; 0: none */
};

struct dfr_rows {
    struct dfr_value *cells; /* n * columns, row after row */
    uint32_t n, cap;
    bool complete;  /* true only where the reader can show it */
    uint8_t reason; /* enum dfr_reason when not complete */
    uint32_t place; /* where the table (or its failure) stands */
};

/* What the seal filled in, with what stood there before; a table: its completeness. */
struct dfr_derived {
    uint32_t field;
    uint32_t row; /* of a column */
    struct dfr_value before;
};

struct dfr_view;

struct dfr_facts {
    struct dfr_arena *arena;
    const struct dfr_view *view; /* the memory behind the facts (facts/view.h); NULL: a text */
    struct dfr_value scalars[DFR_F_COUNT]; /* by field id; table and column entries unused */
    struct dfr_rows tables[DFR_T_COUNT];
    DFR_VEC(struct dfr_place) places; /* [0] is "no place" */
    struct dfr_str text;   /* the input's bytes when it is text, for quoting; else empty */
    uint32_t *module_hash; /* row + 1 of MODULES by stem of name or image; 0: free */
    uint32_t module_mask, module_entries;
    uint32_t *modules_by_base; /* rows of MODULES with a range, by rising base; built by the seal */
    uint32_t modules_based;
    DFR_VEC(struct dfr_derived) derived; /* in the order of the seal */
};

void dfr_facts_init(struct dfr_facts *f, struct dfr_arena *a);

/* Readers. The first known (or absent) value of a scalar stays; a different one from the same trust
 * class is reported by the return value false (the caller records the contradiction), one of a
 * higher trust class replaces it. Of two intervals where one holds the other the narrower stays. */
bool dfr_facts_set(struct dfr_facts *f, uint32_t field, struct dfr_value v);
uint32_t dfr_facts_place(struct dfr_facts *f, struct dfr_place p);
/* New row of a table, all cells unknown. Returns its index, or UINT32_MAX at DFR_LIMIT_TABLE_ROWS. */
uint32_t dfr_facts_row(struct dfr_facts *f, uint32_t table);
/* Set a cell. Nothing known is overwritten by something unknown or less trusted. */
void dfr_facts_cell(struct dfr_facts *f, uint32_t column_field, uint32_t row, struct dfr_value v);
/* Row of MODULES with this name (stem compare), appended when missing. */
uint32_t dfr_facts_module_row(struct dfr_facts *f, struct dfr_str spelled);
/* A module value for a spelling: linked to its row when MODULES lists it. */
struct dfr_value dfr_facts_module(const struct dfr_facts *f, struct dfr_str spelled);
/* A symbol value; strings are not copied. */
struct dfr_value dfr_facts_sym(struct dfr_facts *f, struct dfr_sym s);
/* Derive what follows from other facts (derive.c): trap.* from bug check arguments and the stack,
 * trap.frames and trap.callers, thread.stack_used, has_symbols, links of module cells to rows,
 * analyze.suspect ... Call once, after the last set. */
void dfr_facts_seal(struct dfr_facts *f);
/* Take back in `f` what the seal of `from` filled in; `f` holds the same rows. The facts may then
 * be changed and sealed once more. */
void dfr_facts_unseal(struct dfr_facts *f, const struct dfr_facts *from);

/* Everybody else. Never NULL. */
const struct dfr_value *dfr_facts_scalar(const struct dfr_facts *f, uint32_t field);
const struct dfr_value *dfr_facts_at(const struct dfr_facts *f, uint32_t column_field,
                                     uint32_t row);
/* Row of MODULES whose name (else whose image) is the same module, or UINT32_MAX. */
uint32_t dfr_facts_find_module(const struct dfr_facts *f, struct dfr_str spelled);
/* Row of MODULES that contains an address, or UINT32_MAX. */
uint32_t dfr_facts_module_at(const struct dfr_facts *f, uint64_t address);
/* The input's line(s) at a place, without line end; of a longer line the bytes of the place alone.
 * Cut to 240 bytes; empty without text. */
struct dfr_str dfr_facts_quote(const struct dfr_facts *f, uint32_t place);

/* Does Windows 10 or later ship an image of this name (inbox.def)? */
bool dfr_module_ships(struct dfr_str stem);
/* What a build is called (windows.def); NULL: not in the table. */
const char *dfr_windows_name(int64_t build);

/* Bug checks as data. BUGCHECK(code, NAME, p1, p2, p3, p4) in bugcheck.def. */
struct dfr_bugcheck_info {
    uint32_t code;
    const char *name;
    const char *arg[4]; /* meaning, "" when reserved or unknown */
};
const struct dfr_bugcheck_info *dfr_bugcheck_info(uint32_t code); /* NULL: not in the table */
const struct dfr_bugcheck_info *dfr_bugcheck_by_name(struct dfr_str name); /* also NAME_M */
const struct dfr_bugcheck_info *dfr_bugcheck_rows(size_t *ret_n);          /* by rising code */
/* The code without the bit that small dumps set: 0x1000007E is 0x7E, 0xDEADDEAD is itself. */
uint32_t dfr_bugcheck_code(uint32_t raw);

#endif
