/* What the parts of the compiler share: packs, declarations, typed nodes. Private to lang/. */
#ifndef DFR_LANG_SCOPE_H
#define DFR_LANG_SCOPE_H

#include "base/limits.h"
#include "code/build.h"
#include "lang/compile.h"
#include "lang/parse.h"

/* --- Types ---------------------------------------------------------------------------------- */

/* param: the enum of ENUM; the table of ROW and LIST, declared list n counting from DFR_T_COUNT. */
struct dfr_type {
    uint32_t kind, param;
};
#define DFR_TYPE(kind) ((struct dfr_type){DFR_KIND_##kind, 0})
bool dfr_type_eq(struct dfr_type a, struct dfr_type b);

/* --- Typed nodes ---------------------------------------------------------------------------- */

enum dfr_typed_kind {
    DFR_TYPED_ERROR, /* already complained about; fits everywhere */
    DFR_TYPED_CONST, /* constant */
    DFR_TYPED_OP,    /* kids, then op with operand */
    DFR_TYPED_AND,
    DFR_TYPED_OR,
    DFR_TYPED_FOLD, /* op: enum dfr_fold; kid list, kid body; n threshold; slot */
    DFR_TYPED_OF,   /* op: enum dfr_fold; kids; n threshold */
};

struct dfr_typed {
    uint8_t kind, op;
    bool literal;    /* a literal or list of literals: takes the type its place asks for */
    bool hex;        /* a literal written in hex */
    bool uses_state; /* rests on known() or unknown() */
    struct dfr_type type;
    uint32_t operand, n, slot;
    uint64_t num; /* literal number; negative ones in two's complement with `negative` */
    bool negative;
    struct dfr_str text; /* literal string or version */
    struct dfr_pconst c; /* CONST, once its type is fixed */
    struct dfr_typed *kid, *next;
    const struct dfr_typed *body; /* what a LET, FACT or CALL stands for */
    struct dfr_loc loc;
    uint64_t hash; /* of the meaning, lets and functions expanded */
};

/* --- Declarations --------------------------------------------------------------------------- */

enum dfr_progress { DFR_NOT_BEGUN, DFR_UNDER_WAY, DFR_DONE };

struct dfr_pack;
struct dfr_decl {
    enum dfr_node_kind kind;
    struct dfr_str name; /* inside its pack */
    struct dfr_str full; /* as the program names it */
    struct dfr_pack *pack;
    const struct dfr_source *source;
    const struct dfr_node *node;
    enum dfr_progress progress;
    uint32_t index;         /* of its record in the program; a list: number of the declared list */
    struct dfr_type type;   /* FACT, FN: of the value; LIST: of an element (kind NONE: a record) */
    struct dfr_typed *body; /* FACT, FN */
    struct dfr_type *params;
    uint32_t param_count;
    uint32_t tier; /* RULE */
    bool uses_state;
    uint32_t depth; /* FACT, FN: longest chain of facts and functions below it, itself counted */
    struct dfr_decl *from;          /* while under way: who asked */
    struct dfr_list *list;          /* LIST */
    const struct dfr_local *locals; /* RULE, once compiled: its row and lets, for suppressions */
    bool has_row;                   /* RULE with `each` */
    bool used, tested;              /* for lint: something names it; a test names the rule */
};

/* A declared or inline list while the program is built: columns get their kinds from their cells
 * and from the first place that asks. */
struct dfr_column {
    struct dfr_str name; /* empty: the only one */
    struct dfr_type type;
    bool number; /* literal numbers so far: becomes INT or ADDR where it is first used */
};
struct dfr_list {
    uint32_t index; /* of program.lists */
    struct dfr_str name;
    struct dfr_column *columns;
    uint32_t column_count, rows;
    struct dfr_typed **cells; /* rows * columns; NULL: the row lacks it */
    struct dfr_list *variant; /* the same values as another type */
    uint64_t hash;
};

struct dfr_import {
    struct dfr_str alias;
    struct dfr_pack *pack;
    const struct dfr_source *source; /* imports hold for the whole pack */
};

struct dfr_pack {
    struct dfr_str name; /* empty: files without a pack block */
    struct dfr_str folder;
    const struct dfr_source *source; /* of its pack block */
    const struct dfr_node *node;
    struct dfr_names names[12]; /* by enum dfr_node_kind: name -> decl + 1 through `ids` */
    DFR_VEC(struct dfr_decl *) decls[12];
    DFR_VEC(struct dfr_import) imports;
    int layer;
    uint32_t tier;
};

/* --- One expression's surroundings ---------------------------------------------------------- */

struct dfr_local {
    struct dfr_str name;
    enum { DFR_LOCAL_VAR, DFR_LOCAL_LET, DFR_LOCAL_ARG } what;
    uint32_t number;
    struct dfr_type type;
    struct dfr_typed *value; /* LET */
    const struct dfr_local *outer;
};

struct dfr_env {
    struct dfr_cx *cx;
    struct dfr_pack *pack;
    const struct dfr_source *source;
    const struct dfr_local *locals; /* innermost first */
    struct dfr_decl *decl;          /* fact or function whose body this is; NULL: a rule, a test */
    uint32_t rule;                  /* whose lets may be read; DFR_NONE: none */
    uint32_t args;                  /* arguments in scope */
    uint32_t slots;                 /* next free row variable */
    uint32_t folds;                 /* quantifiers around */
    bool test;                      /* test builtins may be called */
    bool *skip;                     /* set when a test names a rule of a tier that is left out */
};

struct dfr_cx {
    struct dfr_arena *a;
    struct dfr_diags *diags;
    struct dfr_program *p;
    struct dfr_builder b;
    const struct dfr_compile_options *options;
    struct dfr_source *sources;
    struct dfr_file *files;
    int *layers; /* of each source: 0 pack, 1 team, 2 user */
    uint32_t source_count;
    DFR_VEC(struct dfr_pack *) packs;
    struct dfr_pack *core;
    DFR_VEC(struct dfr_list *) lists; /* by program.lists index */
    struct dfr_names regexes;         /* that were tried already */
    uint32_t rule_count;
    bool for_givens; /* what-if: tests without `expect` are fine */
};

/* --- complain.c ------------------------------------------------------------------------------ */

/* A diagnostic at `loc`; the caller may set its `suggest`. */
struct dfr_diag *dfr_cx_diag(struct dfr_cx *cx, const struct dfr_source *s, enum dfr_diag_code code,
                             struct dfr_loc loc, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void dfr_cx_suggest(struct dfr_cx *cx, struct dfr_diag *d, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Collect the nearest of many names. */
struct dfr_nearest {
    struct dfr_str want, best;
    unsigned distance;
};
void dfr_nearest_try(struct dfr_nearest *n, struct dfr_str candidate);
void dfr_cx_did_you_mean(struct dfr_cx *cx, struct dfr_diag *d, const struct dfr_nearest *n);

/* --- scope.c -------------------------------------------------------------------------------- */

/* Parse all, group into packs, enter declarations, resolve imports. */
void dfr_scope_build(struct dfr_cx *cx);
struct dfr_decl *dfr_pack_find(const struct dfr_pack *pack, enum dfr_node_kind kind,
                               struct dfr_str name);
struct dfr_pack *dfr_pack_named(const struct dfr_cx *cx, struct dfr_str name);
struct dfr_pack *dfr_import_find(const struct dfr_pack *pack, struct dfr_str alias);
/* What `name` means for rules of `pack`: its own, `alias.name`, the core pack's, or a full name. */
struct dfr_decl *dfr_scope_find(const struct dfr_cx *cx, const struct dfr_pack *pack,
                                enum dfr_node_kind kind, struct dfr_str name);
/* Offer the names that `pack` can see. */
void dfr_scope_nearest(const struct dfr_cx *cx, const struct dfr_pack *pack,
                       enum dfr_node_kind kind, struct dfr_nearest *n);
uint32_t dfr_tier_of(struct dfr_cx *cx, const struct dfr_source *s, const struct dfr_entry *list);
/* Entry of a metadata block; NULL when there is none. */
const struct dfr_entry *dfr_entry_find(const struct dfr_entry *list, const char *name);

/* --- typed.c: typed nodes ---------------------------------------------------------------------- */

struct dfr_typed *dfr_typed_error(struct dfr_cx *cx, struct dfr_loc loc);
struct dfr_typed *dfr_typed_op(struct dfr_cx *cx, enum dfr_op op, uint32_t operand,
                               struct dfr_type type, struct dfr_loc loc, struct dfr_typed *a,
                               struct dfr_typed *b, struct dfr_typed *c);
struct dfr_typed *dfr_typed_group(struct dfr_cx *cx, enum dfr_typed_kind kind, uint8_t op,
                                  struct dfr_type type, struct dfr_loc loc, struct dfr_typed *kids);
struct dfr_typed *dfr_typed_const(struct dfr_cx *cx, struct dfr_type type, struct dfr_pconst c,
                                  struct dfr_loc loc);
struct dfr_typed *dfr_typed_literal(struct dfr_env *env, const struct dfr_expr *e);
/* Give a literal the type its place asks for, or say that the value has another one. */
struct dfr_typed *dfr_typed_fit(struct dfr_env *env, struct dfr_typed *t, struct dfr_type want,
                                const char *place);
/* The same without complaint: NULL when it does not fit. */
struct dfr_typed *dfr_typed_try(struct dfr_env *env, struct dfr_typed *t, struct dfr_type want);
/* Fix a literal's own type (numbers become INT, lists declared lists). */
struct dfr_typed *dfr_typed_settle(struct dfr_env *env, struct dfr_typed *t);
/* Generate a chunk for `t`; returns its number. */
uint32_t dfr_typed_chunk(struct dfr_env *env, const struct dfr_typed *t);
uint64_t dfr_hash_mix(uint64_t a, uint64_t b);
const char *dfr_type_name_of(struct dfr_cx *cx, struct dfr_type t);
/* `symbols`: it matches module!function, otherwise any text. */
uint32_t dfr_pattern_number(struct dfr_env *env, const struct dfr_expr *e, bool symbols);

/* --- check*.c: expressions ------------------------------------------------------------------ */

/* Check an expression; the result may still be a literal. Never NULL. */
struct dfr_typed *dfr_check_expr(struct dfr_env *env, const struct dfr_expr *e);
/* Check and fit; `place` completes "... is needed as PLACE". */
struct dfr_typed *dfr_check_as(struct dfr_env *env, const struct dfr_expr *e, struct dfr_type want,
                               const char *place);
struct dfr_typed *dfr_check_bool(struct dfr_env *env, const struct dfr_expr *e);
struct dfr_typed *dfr_check_ref(struct dfr_env *env, const struct dfr_expr *e);
struct dfr_typed *dfr_check_call(struct dfr_env *env, const struct dfr_expr *e);
/* Complain about malformed constant names in a call that reads memory (check_memory.c). */
void dfr_check_memory(struct dfr_env *env, uint32_t builtin, struct dfr_typed *const *arg);
struct dfr_typed *dfr_check_fold(struct dfr_env *env, const struct dfr_expr *e);
struct dfr_typed *dfr_check_binary(struct dfr_env *env, const struct dfr_expr *e);
/* subject matches pattern; a list of frames has a pattern or sequence (check_pattern.c). */
struct dfr_typed *dfr_check_matches(struct dfr_env *env, const struct dfr_expr *e,
                                    const struct dfr_expr *pattern, struct dfr_typed *t);
struct dfr_typed *dfr_check_has(struct dfr_env *env, const struct dfr_expr *e);
bool dfr_has_wildcard(struct dfr_str s);
/* "`needs`, this is TYPE": says so and gives an error node. */
struct dfr_typed *dfr_typed_wrong(struct dfr_env *env, const struct dfr_typed *t,
                                  const char *needs);
/* a == b for two checked sides. */
struct dfr_typed *dfr_check_equal(struct dfr_env *env, enum dfr_op op, struct dfr_typed *a,
                                  struct dfr_typed *b, struct dfr_loc loc);
/* A field of a value: row, module, symbol, list. NULL expression range: `loc` underlines the name. */
struct dfr_typed *dfr_check_field(struct dfr_env *env, struct dfr_typed *of, struct dfr_str name,
                                  struct dfr_loc loc);
/* The dotted name that begins an expression, or false. */
bool dfr_dotted(struct dfr_cx *cx, const struct dfr_expr *e, struct dfr_str *ret);
struct dfr_type dfr_element_type(const struct dfr_cx *cx, struct dfr_type list);
/* Complain when a local, fact, list, function or schema name is hidden. */
void dfr_check_hides(struct dfr_env *env, struct dfr_word name);

/* --- decls.c: facts, functions, lists, causes, actions, texts -------------------------------- */

void dfr_decl_fact(struct dfr_cx *cx, struct dfr_decl *d, struct dfr_env *asked, struct dfr_loc at);
void dfr_decl_list(struct dfr_cx *cx, struct dfr_decl *d);
void dfr_decl_cause(struct dfr_cx *cx, struct dfr_decl *d);
void dfr_decl_action(struct dfr_cx *cx, struct dfr_decl *d);
struct dfr_list *dfr_list_new(struct dfr_cx *cx, struct dfr_str name);
/* A list of plain values as elements of `want`. */
struct dfr_list *dfr_list_as(struct dfr_env *env, struct dfr_list *l, struct dfr_type want,
                             struct dfr_loc loc, const char *place);
void dfr_lists_finish(struct dfr_cx *cx);
bool dfr_type_resolve(struct dfr_env *env, const struct dfr_type_name *name, struct dfr_type *ret);
/* A text with {expressions}. A command takes only what is safe in one. */
uint32_t dfr_template(struct dfr_env *env, const struct dfr_expr *text, bool command);
/* Metadata other than the names in `known` (NULL-terminated), into program.metas. */
void dfr_metas(struct dfr_cx *cx, const struct dfr_source *s, const struct dfr_entry *list,
               const char *const *known, uint32_t *ret_first, uint32_t *ret_count);
struct dfr_psource dfr_place_of(const struct dfr_source *s, struct dfr_loc loc);
/* The source text of a range with blanks folded, in the pool. */
struct dfr_ptext dfr_source_folded(struct dfr_cx *cx, const struct dfr_source *s,
                                   struct dfr_loc loc);

/* --- rules.c, gates.c, tests.c ---------------------------------------------------------------- */

void dfr_compile_rule(struct dfr_cx *cx, struct dfr_decl *d);
/* Decibans of a weight, if true and if false. */
bool dfr_weight_of(struct dfr_cx *cx, const struct dfr_source *s, const struct dfr_weight *w,
                   int32_t *if_true, int32_t *if_false);
/* Fill in the rule's index keys from its clauses; complains when they exclude each other. */
void dfr_gates(struct dfr_cx *cx, struct dfr_decl *d, struct dfr_prule *r,
               struct dfr_typed *const *clauses, uint32_t n);
void dfr_compile_test(struct dfr_cx *cx, struct dfr_decl *d);

/* --- layers.c, packs.c ------------------------------------------------------------------------ */

/* Apply overrides to the trees of what they name; before anything is compiled. */
void dfr_layers_apply(struct dfr_cx *cx);
/* Compile a suppression; after the rules. */
void dfr_suppress(struct dfr_cx *cx, struct dfr_decl *by);
/* What a pack's `aliases` say about an old name, with a warning; NULL: nothing. */
struct dfr_decl *dfr_scope_renamed(struct dfr_cx *cx, const struct dfr_pack *from,
                                   const struct dfr_source *s, enum dfr_node_kind kind,
                                   struct dfr_word name);
/* Warn when `user` uses something that another pack deprecates. */
void dfr_deprecated(struct dfr_cx *cx, const struct dfr_decl *d, const struct dfr_pack *user,
                    const struct dfr_source *s, struct dfr_loc loc);
/* Findings of lint, behind everything else. */
void dfr_lint(struct dfr_cx *cx);
/* Versions: of the pack, of what it requires, of the facts and the engine it was written for. */
void dfr_packs_check(struct dfr_cx *cx);

#endif
