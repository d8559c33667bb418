/* Inside the virtual machine: what the files of vm/ share. */
#ifndef DFR_VM_VM_H
#define DFR_VM_VM_H

#include "code/build.h"
#include "code/regex.h"
#include "vm/eval.h"

/* --- Sets --- */
/* Elements that are cells carry this bit until the evaluation is finished, so that a set of missing
 * facts and a set of cells are never the same set. */
#define DFR_SET_CELL 0x80000000u

struct dfr_sets *dfr_sets_new(struct dfr_arena *a);
/* The set of these elements, in any order, with repetitions; sorts them in place. */
uint32_t dfr_sets_of(struct dfr_sets *s, uint32_t *items, uint32_t n);
uint32_t dfr_sets_one(struct dfr_sets *s, uint32_t item);
uint32_t dfr_sets_count(const struct dfr_sets *s);
/* Replace elements by map[element] (missing) or map_cells[element] (cells, which lose their mark). */
void dfr_sets_renumber(struct dfr_sets *s, const uint32_t *map, const uint32_t *map_cells);

/* --- Engine --- */
struct dfr_pattern_code {  /* a pattern made ready */
    uint32_t module, func; /* EXACT: numbers in the engine's names */
    struct dfr_regex *regex;
};

struct dfr_rule_index; /* index.c */
struct dfr_list_index; /* lists.c */
struct dfr_engine {
    const struct dfr_program *p;
    struct dfr_value *consts; /* every constant as a value */
    struct dfr_pattern_code *patterns;
    struct dfr_names modules, funcs; /* that EXACT patterns mention */
    struct dfr_rule_index *index;
    struct dfr_list_index *lists;             /* by list */
    uint32_t *first_suppress, *next_suppress; /* by rule, by suppression; DFR_NONE ends */
    uint32_t most_lets;
};

struct dfr_value *dfr_engine_consts(struct dfr_arena *a, const struct dfr_program *p);

/* --- One evaluation --- */
struct dfr_frame {         /* a stack frame as patterns see it */
    struct dfr_str module; /* bare; any kernel is "nt" */
    struct dfr_str func;
    uint32_t module_id, func_id; /* in the engine's names; 0: no pattern mentions it */
    bool has_module, has_func;
    bool nowhere; /* certainly in no module */
    uint8_t trust;
};
struct dfr_frames {
    struct dfr_frame *v;
    uint32_t n;
    bool built;
};

struct dfr_memo {
    struct dfr_tv v;
    uint32_t asked;
    uint32_t age; /* lets: valid when it equals vm->let_age */
    uint64_t steps;
};

enum dfr_gathered { DFR_GATHER_OPEN, DFR_GATHER_TRUE, DFR_GATHER_FALSE, DFR_GATHER_CLASSES };
struct dfr_gather { /* a row's sets, until its quantifier ends */
    uint32_t cls, missing, origin;
};

struct dfr_reading {    /* a range of memory that a rule read */
    uint64_t va, value; /* value: its first bytes as a word */
    uint32_t len, row;
    struct dfr_str name;
    struct dfr_place place;
};

struct dfr_vm {
    const struct dfr_engine *e;
    const struct dfr_program *p;
    const struct dfr_facts *f;
    struct dfr_arena *a;
    struct dfr_eval *out;
    const struct dfr_oracle *oracle; /* expect of tests only */
    struct dfr_tv *stack;            /* DFR_LIMIT_VM_STACK values */
    bool full;                       /* second pass: no short circuit, sets are kept */
    uint64_t steps, limit;
    uint32_t rule;
    struct dfr_tv row; /* of the rule's each */
    uint32_t asked;    /* missing facts that known(), absent() and unknown() asked about */
    struct dfr_memo *lets;
    uint32_t let_age;
    uint32_t *fact_memo[2]; /* by fact, first and second pass: index in memos, 0: none */
    DFR_VEC(struct dfr_memo) memos;
    DFR_VEC(struct dfr_gather) gathered;
    DFR_VEC(uint32_t) items;     /* scratch for building a set */
    struct dfr_frames frames[2]; /* of STACK and OTHER_STACKS */
    uint32_t **list_memo;        /* by list, by row of MODULES (lists.c) */
    struct dfr_regex_scratch *regex;
    struct dfr_buf *scratch; /* for names put together */
    uint32_t *leaf_slots;    /* open addressing over missing facts and cells */
    uint32_t leaf_used, leaf_mask;
    DFR_VEC(struct dfr_reading) readings; /* second pass only */
    uint32_t *reading_slots, reading_mask;
};

void dfr_vm_init(struct dfr_vm *vm, const struct dfr_engine *e, const struct dfr_facts *f,
                 struct dfr_arena *a, struct dfr_eval *out, struct dfr_tv *stack);
/* Run a verified chunk; the value lands in sp[0]. */
void dfr_vm_run(struct dfr_vm *vm, uint32_t chunk, const struct dfr_tv *args, struct dfr_tv *sp);
struct dfr_tv dfr_vm_value(struct dfr_vm *vm, uint32_t chunk);
static inline bool dfr_vm_spent(const struct dfr_vm *vm)
{
    return vm->steps > vm->limit;
}

/* Leaves: sets of one element, empty in the first pass (leaf.c). */
uint32_t dfr_vm_missing(struct dfr_vm *vm, uint32_t field, struct dfr_str param,
                        enum dfr_reason reason, uint32_t place);
uint32_t dfr_vm_cell(struct dfr_vm *vm, uint32_t field, uint32_t row);
uint32_t dfr_vm_union(struct dfr_vm *vm, uint32_t a, uint32_t b);
/* What a table lacks, and that it lacks nothing. */
uint32_t dfr_vm_table_missing(struct dfr_vm *vm, uint32_t table);
/* How the first column of a row reads; empty when not known. */
struct dfr_str dfr_vm_row_key(struct dfr_vm *vm, uint32_t table, uint32_t row);
struct dfr_str dfr_vm_print(struct dfr_vm *vm, const struct dfr_value *v);
struct dfr_tv dfr_vm_scalar(struct dfr_vm *vm, uint32_t field);
struct dfr_tv dfr_vm_column(struct dfr_vm *vm, uint32_t field, uint32_t row);
struct dfr_tv dfr_vm_module_cell(struct dfr_vm *vm, uint32_t field, const struct dfr_tv *m);
/* Row of MODULES of a known module value, or UINT32_MAX. */
uint32_t dfr_vm_module_row(const struct dfr_vm *vm, const struct dfr_value *m);

/* A slice of a fact table or of a declared list, seen as rows. */
struct dfr_rows_view {
    uint32_t table, first, count;
    bool open;        /* more rows may follow */
    bool bad;         /* not a list at all, or absent: `unknown` says what to push */
    uint32_t missing; /* when open */
    struct dfr_tv unknown;
};
struct dfr_rows_view dfr_vm_rows(struct dfr_vm *vm, const struct dfr_tv *list, enum dfr_kind kind);
struct dfr_value dfr_vm_row(uint32_t table, uint32_t index);
/* Cell `column` of row `row` of a declared list: absent when the row lacks it. */
struct dfr_value dfr_vm_record(const struct dfr_vm *vm, uint32_t list, uint32_t row,
                               uint32_t column);

/* Values (ops.c) */
struct dfr_tv dfr_tv_of(struct dfr_value v);
struct dfr_tv dfr_tv_error(enum dfr_kind kind, enum dfr_reason why);
/* Unknown, resting on both operands. */
struct dfr_tv dfr_tv_open(struct dfr_vm *vm, enum dfr_kind kind, const struct dfr_tv *a,
                          const struct dfr_tv *b);
uint8_t dfr_reason_join(uint8_t a, uint8_t b);
bool dfr_reason_is_error(uint8_t r);
struct dfr_tv dfr_tv_compare(struct dfr_vm *vm, enum dfr_op op, const struct dfr_tv *a,
                             const struct dfr_tv *b);
struct dfr_tv dfr_tv_and(struct dfr_vm *vm, const struct dfr_tv *a, const struct dfr_tv *b);
struct dfr_tv dfr_tv_or(struct dfr_vm *vm, const struct dfr_tv *a, const struct dfr_tv *b);
struct dfr_tv dfr_tv_not(const struct dfr_tv *a);
struct dfr_tv dfr_tv_arith(struct dfr_vm *vm, enum dfr_op op, const struct dfr_tv *a,
                           const struct dfr_tv *b);
struct dfr_tv dfr_tv_unary(struct dfr_vm *vm, enum dfr_op op, const struct dfr_tv *a);
/* Do two known values of one kind mean the same? OPEN: intervals cannot tell, or kinds differ. */
enum dfr_tri dfr_vm_same(const struct dfr_vm *vm, const struct dfr_value *a,
                         const struct dfr_value *b);

/* Names, lists and patterns (match.c, frames.c) */
struct dfr_tv dfr_vm_in(struct dfr_vm *vm, const struct dfr_tv *x, const struct dfr_tv *list);
struct dfr_tv dfr_vm_contains(struct dfr_vm *vm, const struct dfr_tv *hay,
                              const struct dfr_tv *needle);
struct dfr_tv dfr_vm_matches(struct dfr_vm *vm, const struct dfr_tv *x, uint32_t pattern);
struct dfr_tv dfr_vm_has(struct dfr_vm *vm, const struct dfr_tv *list, uint32_t pattern);
struct dfr_tv dfr_vm_has_seq(struct dfr_vm *vm, const struct dfr_tv *list, uint32_t seq);
const struct dfr_frames *dfr_vm_frames(struct dfr_vm *vm, uint32_t table);
enum dfr_tri dfr_vm_frame_matches(struct dfr_vm *vm, const struct dfr_frame *f, uint32_t pattern,
                                  uint8_t *ret_reason);
struct dfr_str dfr_vm_canonical_module(struct dfr_str name);
bool dfr_vm_has_wildcard(struct dfr_str s);
/* Is a known value the element of a list? A module is also meant by its name, and by a pattern. */
enum dfr_tri dfr_vm_element_is(const struct dfr_vm *vm, const struct dfr_value *x,
                               const struct dfr_value *element);
/* Declared lists by name (lists.c). False: the list or the value is not of that kind, ask every
 * element. *ret_row is the element that `x` is, or DFR_NONE. */
struct dfr_list_index *dfr_lists_new(struct dfr_arena *a, const struct dfr_engine *e);
bool dfr_lists_find(struct dfr_vm *vm, const struct dfr_rows_view *rows, const struct dfr_value *x,
                    uint32_t *ret_row);

/* Quantifiers (fold.c) */
struct dfr_fold_state {
    uint32_t kind, threshold;
    struct dfr_rows_view rows;
    uint32_t at; /* rows folded in */
    uint32_t trues, opens;
    uint8_t true_best, true_worst, false_best, false_worst; /* trust */
    uint8_t open_reason;
    uint32_t gather_from; /* in vm->gathered */
    bool found;           /* FIRST: `row` is true */
    bool over;            /* decided: no further row matters */
    struct dfr_tv row;
};
void dfr_fold_begin(struct dfr_vm *vm, struct dfr_fold_state *s, uint32_t kind, uint32_t threshold);
void dfr_fold_row(struct dfr_vm *vm, struct dfr_fold_state *s, const struct dfr_tv *v);
/* A row of ANY that is false and rests on no cell of its own. */
static inline void dfr_fold_false(struct dfr_fold_state *s, uint8_t trust)
{
    s->at++;
    s->false_best = trust > s->false_best ? trust : s->false_best;
    s->false_worst = trust < s->false_worst ? trust : s->false_worst;
}
struct dfr_tv dfr_fold_end(struct dfr_vm *vm, struct dfr_fold_state *s);

/* Memory that was read (readings.c): the cell that stands for it as a set, empty in the first pass.
 * `name` says what it is and lives as long as the result. */
uint32_t dfr_vm_reading(struct dfr_vm *vm, uint64_t va, const uint8_t *bytes, uint32_t len,
                        struct dfr_str name, struct dfr_place place);
/* Give the readings among the cells in use rows in the facts of the result, in an order of their
 * own. */
void dfr_vm_settle_readings(struct dfr_vm *vm, const bool *used);

/* Builtins: arguments are known and of the right kind, but for those of tests. */
#define BUILTIN(id, name, kind, param, cost, args, help)                                           \
    struct dfr_tv dfr_builtin_##id(struct dfr_vm *vm, const struct dfr_tv *arg);
#define TEST_BUILTIN(id, name, kind, param, args, help)                                            \
    struct dfr_tv dfr_builtin_##id(struct dfr_vm *vm, const struct dfr_tv *arg);
#include "code/builtin.def"
#undef BUILTIN
#undef TEST_BUILTIN
struct dfr_tv dfr_vm_builtin(struct dfr_vm *vm, uint32_t builtin, const struct dfr_tv *arg);

/* Texts (render.c) */
enum dfr_render { DFR_RENDER_TEXT, DFR_RENDER_COMMAND };
struct dfr_rendered {
    struct dfr_str text;
    bool unknown;     /* a part is not known */
    uint32_t missing; /* of its parts */
    uint8_t reason;
};
struct dfr_rendered dfr_vm_render(struct dfr_vm *vm, uint32_t template, const struct dfr_tv *args,
                                  enum dfr_render how);
void dfr_vm_print_part(struct dfr_buf *b, const struct dfr_value *v);

/* Index (index.c) */
struct dfr_rule_index *dfr_index_new(struct dfr_arena *a, const struct dfr_engine *e);
/* Rules to run on these facts, by number; *ret_n of them. */
const uint32_t *dfr_index_candidates(struct dfr_vm *vm, uint32_t *ret_n);

/* Order that does not depend on how the evaluation went (settle.c). */
void dfr_vm_settle(struct dfr_vm *vm);

#endif
