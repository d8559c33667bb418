/* The tree of one rule file, as written. The parser builds it and never looks at meanings; nodes
 * live in the arena of the compilation, locations are byte ranges of the file's source. */
#ifndef DFR_LANG_AST_H
#define DFR_LANG_AST_H

#include "lang/source.h"

struct dfr_word { /* a name or text as written, decoded */
    struct dfr_str text;
    struct dfr_loc loc;
};

enum dfr_expr_kind {
    DFR_EXPR_ERROR,      /* something that was already complained about */
    DFR_EXPR_BOOL,       /* num */
    DFR_EXPR_INT,        /* num; op 1: written in hex */
    DFR_EXPR_STRING,     /* text, decoded */
    DFR_EXPR_DURATION,   /* num: milliseconds */
    DFR_EXPR_TIME,       /* num: seconds since 1970, as int64 */
    DFR_EXPR_VERSION,    /* text as written */
    DFR_EXPR_REGEX,      /* text between the slashes, with \/ reduced; op 1: /i */
    DFR_EXPR_SYMPAT,     /* text as written: module!function */
    DFR_EXPR_STATE_WORD, /* op: the bare word unknown or absent, in `given` only */
    DFR_EXPR_NAME,       /* text */
    DFR_EXPR_FIELD,      /* kid . text */
    DFR_EXPR_CALL,       /* kid ( other kids ) */
    DFR_EXPR_INDEX,      /* kid [ kid ] */
    DFR_EXPR_LIST,       /* kids */
    DFR_EXPR_RANGE,      /* kid .. kid */
    DFR_EXPR_RECORD,     /* kids are ENTRYs */
    DFR_EXPR_ENTRY,      /* text = kid, in a RECORD */
    DFR_EXPR_UNARY,      /* op kid */
    DFR_EXPR_BINARY,     /* kid op kid */
    DFR_EXPR_ALL_OF,     /* kids joined by `and` */
    DFR_EXPR_ANY_OF,     /* kids joined by `or` */
    DFR_EXPR_HAS,        /* kid has kid; n: within, 0 none */
    DFR_EXPR_HAS_SEQ,    /* kid has seq [other kids]; n: within, 0 none */
    DFR_EXPR_STATE,      /* op ( kid ) */
    DFR_EXPR_FOLD,       /* op text in kid: (kid); n: threshold of at-least */
    DFR_EXPR_FOLD_OF,    /* op of (kids); n: threshold */
};

enum dfr_expr_op {
    DFR_X_EQ,
    DFR_X_NE,
    DFR_X_LT,
    DFR_X_LE,
    DFR_X_GT,
    DFR_X_GE,
    DFR_X_IN,
    DFR_X_MATCHES,
    DFR_X_CONTAINS,
    DFR_X_COALESCE,
    DFR_X_BOR,
    DFR_X_BXOR,
    DFR_X_BAND,
    DFR_X_SHL,
    DFR_X_SHR,
    DFR_X_ADD,
    DFR_X_SUB,
    DFR_X_MUL,
    DFR_X_DIV,
    DFR_X_MOD,
    DFR_X_NEG,
    DFR_X_BNOT,
    DFR_X_NOT,
};
enum dfr_expr_state { DFR_X_KNOWN, DFR_X_UNKNOWN, DFR_X_ABSENT };
enum dfr_expr_fold { DFR_X_ANY, DFR_X_ALL, DFR_X_NONE, DFR_X_COUNT, DFR_X_FIRST, DFR_X_AT_LEAST };

struct dfr_expr {
    uint8_t kind, op;
    uint16_t depth; /* 1 for a leaf */
    uint32_t n;
    struct dfr_loc loc;
    struct dfr_expr *next; /* sibling */
    struct dfr_expr *kid;  /* first child */
    union {
        struct dfr_str text;
        uint64_t num;
        struct dfr_expr *last; /* ALL_OF, ANY_OF: last child */
    } as;
};

struct dfr_entry { /* name = value; also `requires "name" "range"` and override weights */
    struct dfr_word name;
    struct dfr_expr *value;
    struct dfr_weight *weight; /* override: weight "label" = ...; name is the label */
    bool requires;             /* name is the pack, value its range */
    struct dfr_loc loc;
    struct dfr_entry *next;
};

struct dfr_weight {       /* weak | weight(a) | weight(a, b) */
    struct dfr_word name; /* empty: numbers */
    int64_t a, b;
    uint8_t numbers; /* 0 for a name, else 1 or 2 */
    struct dfr_loc loc;
};

struct dfr_type_name {        /* module, list<int> */
    struct dfr_word name, of; /* `of` empty unless a list */
};

struct dfr_param {
    struct dfr_word name;
    struct dfr_type_name type;
    struct dfr_param *next;
};

enum dfr_evidence_kind { DFR_EV_FOR, DFR_EV_AGAINST, DFR_EV_NOTE, DFR_EV_GROUP };
struct dfr_evidence {
    enum dfr_evidence_kind kind;
    struct dfr_loc loc;
    struct dfr_weight *weight; /* FOR, AGAINST */
    struct dfr_expr *label;    /* STRING or NULL */
    struct dfr_expr *cond;
    struct dfr_word group; /* GROUP */
    struct dfr_evidence *items;
    struct dfr_evidence *next;
};

enum dfr_section_kind {
    DFR_SEC_META,
    DFR_SEC_LET,
    DFR_SEC_EACH,
    DFR_SEC_WHEN,
    DFR_SEC_UNLESS,
    DFR_SEC_EVIDENCE,
    DFR_SEC_CONCLUDE,
    DFR_SEC_RECOMMEND,
    DFR_SEC_COLLECT,
    DFR_SEC_BROKEN, /* a syntax error stood here */
};
struct dfr_section {
    enum dfr_section_kind kind;
    struct dfr_loc loc;
    struct dfr_loc head;   /* its first word */
    struct dfr_word name;  /* LET, EACH variable; CONCLUDE cause; RECOMMEND action, empty: text */
    struct dfr_expr *expr; /* LET value, EACH list, WHEN, UNLESS, CONCLUDE subject */
    struct dfr_expr *cond; /* EACH condition; `if` of RECOMMEND and COLLECT */
    struct dfr_expr *text; /* STRING of RECOMMEND and COLLECT */
    struct dfr_expr *args; /* RECOMMEND action arguments, siblings */
    struct dfr_weight *weight; /* CONCLUDE, or NULL */
    struct dfr_entry *fields;  /* META */
    struct dfr_evidence *evidence;
    struct dfr_section *next;
};

enum dfr_step_kind { DFR_STEP_LOAD, DFR_STEP_GIVEN, DFR_STEP_EXPECT };
struct dfr_given { /* one line of a `given` */
    struct dfr_expr *ref, *value;
    struct dfr_loc loc;
    struct dfr_given *next;
};
struct dfr_step {
    enum dfr_step_kind kind;
    struct dfr_loc loc;
    struct dfr_word path;
    struct dfr_given *given;
    struct dfr_expr *expect;
    struct dfr_step *next;
};

enum dfr_node_kind {
    DFR_NODE_PACK,
    DFR_NODE_IMPORT,
    DFR_NODE_CAUSE,
    DFR_NODE_LIST,
    DFR_NODE_ACTION,
    DFR_NODE_FN,
    DFR_NODE_FACT,
    DFR_NODE_RULE,
    DFR_NODE_OVERRIDE,
    DFR_NODE_SUPPRESS,
    DFR_NODE_TEST,
};
struct dfr_tag {
    struct dfr_word name;
    struct dfr_tag *next;
};
struct dfr_node { /* one declaration of a file */
    enum dfr_node_kind kind;
    bool open; /* LIST */
    struct dfr_loc loc;
    struct dfr_word name;  /* full dotted name, or the string of PACK, IMPORT and TEST */
    struct dfr_word alias; /* IMPORT; empty: none */
    bool has_params;
    struct dfr_param *params;     /* ACTION, FN, FACT */
    struct dfr_type_name type;    /* FACT */
    struct dfr_expr *expr;        /* FN, FACT body, LIST value, SUPPRESS where */
    struct dfr_entry *fields;     /* PACK, CAUSE, ACTION meta; OVERRIDE */
    struct dfr_tag *tags;         /* RULE */
    struct dfr_section *sections; /* RULE */
    struct dfr_step *steps;       /* TEST */
    bool has_until;
    int64_t until;          /* SUPPRESS */
    struct dfr_word reason; /* SUPPRESS */
    struct dfr_node *next;
};

struct dfr_file {
    const struct dfr_source *source;
    struct dfr_node *items;
    uint32_t count;
};

#endif
