/* A compiled rule set: flat arrays of 32-bit records that refer to each other by index.
 *
 * lang writes it, vm reads it, neither knows the other. The arrays hold no pointers, so the cache
 * file is the same records; whoever loads them runs dfr_program_verify() first, also on programs
 * fresh from our own compiler. DFR_NONE (all ones) means "no such record". */
#ifndef DFR_CODE_PROGRAM_H
#define DFR_CODE_PROGRAM_H

#include "base/diag.h"
#include "base/vec.h"
#include "facts/schema.h"

#define DFR_NONE UINT32_MAX

#define OP(name, operand, extra, in, out, help) DFR_OP_##name,
enum dfr_op {
#include "code/op.def"
    DFR_OP_COUNT
};
#undef OP

#define BUILTIN(id, name, kind, param, cost, args, help) DFR_B_##id,
#define TEST_BUILTIN(id, name, kind, param, args, help) DFR_B_##id,
enum dfr_builtin {
#include "code/builtin.def"
    DFR_B_COUNT
};
#undef BUILTIN
#undef TEST_BUILTIN

enum dfr_fold {
    DFR_FOLD_ANY,
    DFR_FOLD_ALL,
    DFR_FOLD_NONE,
    DFR_FOLD_COUNT,
    DFR_FOLD_FIRST,
    DFR_FOLD_AT_LEAST
};

/* Text in the pool. */
struct dfr_ptext {
    uint32_t off, len;
};

/* Where something stands in the rule files. */
struct dfr_psource {
    uint32_t file; /* of `files` */
    uint32_t line, column;
    uint32_t begin, end; /* byte range */
};

struct dfr_pconst {
    uint32_t kind; /* enum dfr_kind: BOOL INT ADDR STR TIME DUR VER ENUM MODULE; NONE: absent */
    /* INT/TIME/DUR: lo, hi as two words each; ADDR: 2 words; STR/MODULE: pool off, len; VER: 4;
     * ENUM: type, value; BOOL: 0/1 */
    uint32_t word[4];
};

/* A piece of code with one value. */
struct dfr_pchunk {
    uint32_t first, count; /* words in `code` */
    uint32_t args;         /* arguments it may read */
    /* Row variables it may read or bind: 0..slots-1; slot 0 of a rule with `each` is its row. */
    uint32_t slots;
    uint32_t rule; /* whose lets it may read; DFR_NONE: none */
    uint32_t cost; /* static cost, steps in a typical crash */
};

/* Patterns: EXACT and GLOB carry module and function; STRING and REGEX match the whole name
 * `module!function`, or the string at hand. Module names compare as modules, functions with case. */
enum dfr_pattern_kind {
    DFR_PATTERN_EXACT,
    DFR_PATTERN_GLOB,
    DFR_PATTERN_STRING,
    DFR_PATTERN_REGEX
};
struct dfr_ppattern {
    uint32_t kind;
    struct dfr_ptext module, func; /* EXACT, GLOB */
    struct dfr_ptext text;         /* as written, without delimiters */
    uint32_t fold_case;            /* REGEX with `i` */
};
struct dfr_pseq {
    uint32_t first, count; /* in `seq_patterns` */
    uint32_t within;       /* frames; 0: any distance */
};

/* A text with {expressions}. A piece with chunk DFR_NONE is literal. */
struct dfr_ppiece {
    uint32_t chunk;
    struct dfr_ptext literal; /* for an expression: its source, for "<bugcheck.arg4>" */
};
struct dfr_ptemplate {
    uint32_t first, count; /* in `pieces` */
};

struct dfr_pmeta {
    struct dfr_ptext key, value;
};

/* A declared list: rows of cells; a list of plain values has one column without a name. As the
 * `table` of a row or list value, list n counts from DFR_T_COUNT. */
struct dfr_plist {
    struct dfr_ptext name;
    uint32_t columns, rows;
    uint32_t first_column; /* in `column_names` */
    uint32_t first_cell;   /* in `cells`: constant number, DFR_NONE: the row lacks it */
};

struct dfr_pfact { /* derived fact */
    struct dfr_ptext name;
    uint32_t chunk;
    uint32_t kind, param;
    struct dfr_psource source;
};
struct dfr_pfn { /* function, and derived fact with parameters */
    struct dfr_ptext name;
    uint32_t chunk;
    uint32_t args;
};

struct dfr_pcause {
    struct dfr_ptext name; /* full */
    struct dfr_ptext title, axis;
    int32_t prior_db;
    uint32_t meta_first, meta_count;
};

enum dfr_cost {
    DFR_COST_CHECK,
    DFR_COST_UPDATE,
    DFR_COST_SETTING,
    DFR_COST_TEST,
    DFR_COST_REPLACE
};
struct dfr_paction {
    struct dfr_ptext name; /* full */
    uint32_t template;     /* its chunks read the action's parameters as ARG */
    uint32_t args;
    uint32_t cost;  /* enum dfr_cost */
    uint32_t helps; /* percent */
    uint32_t meta_first, meta_count;
};

struct dfr_pclause { /* one conjunct of `when`, or the condition of `each` */
    uint32_t chunk;
    uint32_t order; /* position in the source, for reports; the array is in order of cost */
    struct dfr_ptext text;
    struct dfr_psource source;
};

enum dfr_item_class { DFR_ITEM_FOR, DFR_ITEM_AGAINST, DFR_ITEM_NOTE };
struct dfr_pgroup {
    struct dfr_ptext name;
    uint32_t parent; /* of `groups`; DFR_NONE: top */
};
struct dfr_pevidence {
    uint32_t cls;              /* enum dfr_item_class */
    int32_t if_true, if_false; /* decibans, sign already applied for `against` */
    uint32_t chunk;
    uint32_t group;            /* DFR_NONE: none */
    uint32_t label;            /* template; DFR_NONE: none, show the text */
    struct dfr_ptext text;     /* source of the condition, blanks folded */
    uint32_t hash_lo, hash_hi; /* of the condition after let and fn are expanded */
    struct dfr_psource source;
};

struct dfr_padvice {          /* recommend */
    uint32_t action;          /* DFR_NONE: plain text */
    uint32_t template;        /* plain text */
    uint32_t first_arg, args; /* chunk numbers in `arg_chunks` */
    uint32_t condition;       /* chunk; DFR_NONE: always */
    struct dfr_psource source;
};
struct dfr_pcollect {
    uint32_t template;
    uint32_t condition; /* chunk; DFR_NONE: always */
    struct dfr_psource source;
};

enum dfr_atom_kind { DFR_ATOM_NONE, DFR_ATOM_FRAME, DFR_ATOM_MODULE };
struct dfr_prule {
    struct dfr_ptext name; /* full: pack.rule */
    struct dfr_ptext pack;
    struct dfr_psource source;
    uint32_t tier;            /* 0 stable, 1 test, 2 nursery */
    uint32_t each_list;       /* chunk; DFR_NONE: no each */
    uint32_t lets, let_count; /* chunk numbers in `let_chunks` */
    uint32_t clauses, clause_count;
    uint32_t unless; /* chunk; DFR_NONE: none */
    struct dfr_ptext unless_text;
    uint32_t evidence, evidence_count;
    uint32_t cause;   /* DFR_NONE: concludes nothing */
    uint32_t subject; /* chunk; DFR_NONE: no subject */
    int32_t when_db;  /* weight of the conclude */
    uint32_t advice, advice_count;
    uint32_t collect, collect_count;
    uint32_t meta_first, meta_count;
    uint32_t cost; /* static, whole rule */
    /* Index: what must hold, so that the rule can be passed over where it certainly does not. */
    uint32_t codes, code_count; /* bug check codes in `gate_codes`; count 0: any */
    uint32_t has_arg1;
    uint32_t arg1_lo, arg1_hi;
    uint32_t atom_kind; /* enum dfr_atom_kind */
    /* FRAME: pattern that some frame of `stack` must match; MODULE: constant with the name of a
     * module that `modules` must list. */
    uint32_t atom;
};

struct dfr_psuppress {
    uint32_t rule;
    uint32_t where;              /* chunk */
    uint32_t until_lo, until_hi; /* seconds since 1970; both DFR_NONE: no end */
    struct dfr_ptext reason;
    struct dfr_psource source;
};

/* Tests: kept beside the program, never in the cache. */
struct dfr_pgiven {
    uint32_t field; /* scalar, table or column; for a table see `what` */
    uint32_t row;   /* row of the table, for columns */
    /* 0 value, 1 unknown, 2 absent, 3 table is complete, 4 table is begun (empty or to be filled),
     * 5 table is not complete */
    uint32_t what;
    uint32_t constant;
    struct dfr_psource source;
};
struct dfr_pexpect {
    uint32_t chunk;
    struct dfr_ptext text;
    struct dfr_psource source;
};
struct dfr_ptest {
    struct dfr_ptext name;
    struct dfr_ptext load; /* path as written; empty: none */
    uint32_t given, given_count;
    uint32_t expect, expect_count;
    struct dfr_psource source;
};

struct dfr_program {
    struct dfr_arena *arena;
    DFR_VEC(char) pool;
    DFR_VEC(uint32_t) code;
    DFR_VEC(struct dfr_pconst) consts;
    DFR_VEC(struct dfr_pchunk) chunks;
    DFR_VEC(struct dfr_ppattern) patterns;
    DFR_VEC(uint32_t) seq_patterns;
    DFR_VEC(struct dfr_pseq) seqs;
    DFR_VEC(struct dfr_ppiece) pieces;
    DFR_VEC(struct dfr_ptemplate) templates;
    DFR_VEC(struct dfr_pmeta) metas;
    DFR_VEC(struct dfr_ptext) column_names;
    DFR_VEC(uint32_t) cells;
    DFR_VEC(struct dfr_plist) lists;
    DFR_VEC(struct dfr_pfact) facts;
    DFR_VEC(struct dfr_pfn) fns;
    DFR_VEC(struct dfr_pcause) causes;
    DFR_VEC(struct dfr_paction) actions;
    DFR_VEC(struct dfr_pclause) clauses;
    DFR_VEC(struct dfr_pgroup) groups;
    DFR_VEC(struct dfr_pevidence) evidence;
    DFR_VEC(uint32_t) arg_chunks;
    DFR_VEC(struct dfr_padvice) advice;
    DFR_VEC(struct dfr_pcollect) collect;
    DFR_VEC(uint32_t) let_chunks;
    DFR_VEC(uint32_t) gate_codes;
    DFR_VEC(struct dfr_prule) rules;
    DFR_VEC(struct dfr_psuppress) suppress;
    DFR_VEC(struct dfr_ptext) files;
    DFR_VEC(struct dfr_pgiven) givens;
    DFR_VEC(struct dfr_pexpect) expects;
    DFR_VEC(struct dfr_ptest) tests;
    uint8_t source_hash[32]; /* SHA-256 over the sources and the compiler's version */
};

void dfr_program_init(struct dfr_program *p, struct dfr_arena *a);
static inline struct dfr_str dfr_program_text(const struct dfr_program *p, struct dfr_ptext t)
{
    return (struct dfr_str){p->pool.v + t.off, t.len};
}

/* How many arguments an opcode's record or builtin takes, names for listings. */
struct dfr_op_info {
    const char *name, *help;
    uint32_t operand; /* enum dfr_operand */
    uint32_t extra;
    int32_t in, out; /* in < 0: varies */
};
enum dfr_operand {
    DFR_OPERAND_NONE,
    DFR_OPERAND_CONST,
    DFR_OPERAND_SCALAR,
    DFR_OPERAND_TABLE,
    DFR_OPERAND_LIST,
    DFR_OPERAND_SLOT,
    DFR_OPERAND_ARG,
    DFR_OPERAND_LET,
    DFR_OPERAND_FACT,
    DFR_OPERAND_FN,
    DFR_OPERAND_BUILTIN,
    DFR_OPERAND_COLUMN,
    DFR_OPERAND_INDEX,
    DFR_OPERAND_PATTERN,
    DFR_OPERAND_SEQ,
    DFR_OPERAND_LABEL,
    DFR_OPERAND_FOLD,
};
const struct dfr_op_info *dfr_op_info(uint32_t op); /* NULL: no such opcode */

/* Pseudo kinds of arguments: the record's number as a constant INT. */
enum { DFR_ARG_RULE = 100, DFR_ARG_CAUSE = 101 };
struct dfr_builtin_info {
    const char *name, *help;
    uint32_t kind, param; /* of the result */
    uint32_t cost;
    uint32_t args;
    uint32_t arg[3]; /* enum dfr_kind, or a pseudo kind */
    bool test_only;
};
const struct dfr_builtin_info *dfr_builtin_info(uint32_t builtin);

/* Check everything a program can get wrong: indexes, jump targets, stack heights, fold nesting,
 * slots, arguments, lets (no let reads itself or a later one), facts and functions free of cycles
 * and no deeper than DFR_LIMIT_VM_CALL_DEPTH, texts inside the pool. dfr_engine_new() then compiles
 * the regular expressions.
 * DFR_BAD_CACHE with the record and place named in *err. */
enum dfr_status dfr_program_verify(const struct dfr_program *p, struct dfr_err *err);

/* The cache file: header with magic, format version, engine version, checksum of the rest. Reading
 * copies nothing: the program points into `bytes`, which must stay as they are while it is used. */
struct dfr_buf;
/* What this engine's tables and compiler hash to: compiled rules belong to one engine. */
struct dfr_str dfr_program_engine(void);
void dfr_program_write(const struct dfr_program *p, struct dfr_buf *out);
enum dfr_status dfr_program_read(struct dfr_arena *a, struct dfr_str bytes, struct dfr_program *ret,
                                 struct dfr_err *err);
/* Readable listing of one rule (by number), or of everything (DFR_NONE). */
void dfr_program_disasm(const struct dfr_program *p, uint32_t rule, struct dfr_buf *out);

#endif
