/* What the section readers of engine/text share: the words, the crash being filled, the context.
 *
 * A section reader is `uint32_t f(struct dfr_reader *r, uint32_t i)`: it stands at word `i`, which looks like
 * its marker, and returns the index behind the last word that it took, or `i` when the shape is not there
 * after all. It never looks further ahead than it takes, except by a small constant, so that reading
 * stays linear on any input. */
#ifndef DFR_TEXT_READER_H
#define DFR_TEXT_READER_H

#include <string.h>

#include "base/diag.h"
#include "facts/store.h"
#include "text/normal.h"
#include "text/words.h"

#define DFR_NO_WORD UINT32_MAX

/* Whose output stands here, from the command at the last prompt or from a heading. */
enum dfr_output {
    DFR_OUT_NONE,    /* no command is in sight */
    DFR_OUT_ANALYZE, /* !analyze and .bugcheck */
    DFR_OUT_STACK,   /* k and its kin */
    DFR_OUT_CALLS,   /* kc: symbols only */
    DFR_OUT_MODULES, /* lm and its kin */
    DFR_OUT_UNLOADED,
    DFR_OUT_REGS,     /* r */
    DFR_OUT_TRAP,     /* .trap, TRAP_FRAME: */
    DFR_OUT_CONTEXT,  /* .cxr, CONTEXT: */
    DFR_OUT_TSS,      /* .tss, TSS: */
    DFR_OUT_CODE,     /* u, ub, uf */
    DFR_OUT_THREAD,   /* !thread, !process: stacks of threads */
    DFR_OUT_RAW,      /* memory: dps, dt, db, .formats ... nothing there is a frame */
    DFR_OUT_LOG,      /* !verifier: stacks that a log kept */
    DFR_OUT_BLACKBOX, /* !blackboxbsd and its kin */
    DFR_OUT_READ,     /* an extension with a reader of its own */
    DFR_OUT_OTHER,    /* a command without a reader */
};

enum dfr_stack_kind {
    DFR_STACK_BARE,  /* frames without any heading */
    DFR_STACK_TEXT,  /* STACK_TEXT: of !analyze */
    DFR_STACK_K,     /* a k command or its column heading */
    DFR_STACK_CALLS, /* symbols only */
    DFR_STACK_LOG,   /* address and symbol only: verifier and pool logs */
    DFR_STACK_OTHER, /* of a thread or processor that is not the crashing one */
};

struct dfr_frame {
    uint32_t first, last; /* words */
    uint32_t symbol_first;
    struct dfr_sym sym;
    uint64_t sp, ret, arg[4];
    uint64_t address; /* code address, when printed */
    int64_t index;    /* as printed, or -1 */
    uint8_t args;
    bool has_sp, has_ret, has_address, inlined, unloaded, uncertain;
    struct dfr_str source, remark;
    uint32_t remark_first, remark_last;
};

struct dfr_stack {
    uint32_t first, count; /* frames */
    enum dfr_stack_kind kind;
    struct dfr_str title;
    uint64_t thread;
    int64_t cpu; /* -1: not said */
    bool has_thread, follows_context, elided, uncertain, bugcheck;
    uint64_t bugcheck_sp; /* of its KeBugCheck frame; 0: none */
};

struct dfr_note {
    uint32_t first, last; /* clean text range, in bytes */
    uint32_t frame;       /* number in the crash's frames, or UINT32_MAX */
};

/* Registers of one context in the text. */
enum { DFR_REGS_MOST = 80 };
enum dfr_regs_kind { DFR_REGS_NONE, DFR_REGS_PLAIN, DFR_REGS_TSS, DFR_REGS_TRAP, DFR_REGS_EXACT };
struct dfr_reg {
    struct dfr_str name;
    uint64_t value;
    uint32_t word;
};
struct dfr_regs {
    enum dfr_regs_kind kind;
    uint32_t n;
    struct dfr_reg v[DFR_REGS_MOST];
    struct dfr_sym sym;           /* of the label below them */
    uint32_t sym_first, sym_last; /* words; DFR_NO_WORD: no label */
    uint64_t operand;             /* address that the instruction line shows */
    uint32_t operand_word;
    uint64_t insn; /* address of that instruction line */
    bool has_insn;
};

/* How a bug check's identity was read: the smaller, the better. */
enum dfr_source { DFR_SRC_EXACT, DFR_SRC_KEY, DFR_SRC_MENTION, DFR_SRC_FRAME, DFR_SRC_NONE };

struct dfr_ident {
    uint64_t value;
    enum dfr_source source;
    uint32_t first, last;
    uint32_t digits; /* as printed */
    bool prose;
};

struct dfr_crash {
    struct dfr_facts *f;
    uint32_t first_word;
    struct dfr_ident code, arg[4];
    struct dfr_str name;
    uint32_t name_first, name_last;
    DFR_VEC(struct dfr_frame) frames;
    DFR_VEC(struct dfr_stack) stacks;
    DFR_VEC(struct dfr_note) notes;
    struct dfr_regs regs; /* the best context so far */
    int64_t cpu;          /* of the first prompt; -1: none */
    uint32_t cpu_word, prompts, dump_files;
    bool cpu_known_unsaid; /* the first prompt named no processor */
    uint64_t thread;       /* the crashing thread, where it is known */
    bool has_thread;
    bool wide, narrow;        /* 64-bit and 32-bit stack columns were seen */
    bool arm64;               /* ARM64 registers were seen */
    uint32_t header_evidence; /* the part of `evidence` that a header block gave */
    uint32_t evidence;        /* pieces of debugger output read */
    uint32_t keys;            /* lines of the body of !analyze that were read */
    uint32_t analyses;        /* commands that print such a body */
    bool analyzed;            /* its STACK_TEXT was read */
};

struct dfr_reader {
    struct dfr_arena *a;
    struct dfr_diags *diags;
    struct dfr_normal norm;
    struct dfr_words words;
    struct {
        uint32_t first, last, place;
        const struct dfr_facts *f;
    } recent[2];               /* places given last: the cells of a row share theirs */
    uint16_t marker_from[257]; /* first marker with this first byte */
    struct dfr_crash *c;       /* the crash being filled */
    struct dfr_facts *f;       /* its facts */
    DFR_VEC(struct dfr_crash *) crashes;

    /* Context of the word at hand. */
    enum dfr_output out;
    uint32_t command; /* first word of the command, or DFR_NO_WORD */
    uint32_t command_end;
    struct dfr_str verb;
    bool set_context;  /* after .trap, .cxr, .tss */
    bool other_thread; /* after .thread, !thread of another thread or ~Ns */
    uint64_t thread;
    bool has_thread;
    bool sticky_thread;          /* .thread holds until the next one, !thread for its own output */
    int64_t prompt_cpu;          /* -1: none */
    uint32_t evidence_at_prompt; /* of the crash, above the prompt */
    bool stack_uncertain;        /* a warning about frames stands above the next one */
    uint32_t stack;              /* open stack of c->stacks + 1, 0: none */
    uint32_t frame;              /* last frame that a remark may follow, + 1 */
    uint32_t loose;              /* first word not taken yet, or DFR_NO_WORD */
    uint32_t loose_frame;
    uint32_t next_args;             /* next argument of the text, found by walking forward once */
    uint32_t taken_before;          /* words before the recognised one that belong to it */
    uint32_t last_frame;            /* frame that the word taken last ended, or UINT32_MAX */
    bool elided;                    /* a cut mark stood above */
    struct dfr_sym label, labelled; /* of the next instruction, of the last labelled one */
    uint32_t label_word;
    uint64_t label_address;
    bool has_labelled;
    uint32_t module, unloaded_row; /* rows that details belong to, or UINT32_MAX */
    bool lm_whole;                 /* the command lists every module */
    uint32_t lm_rows_before;
    uint32_t device_stacks, irp_location;
    uint64_t irp; /* of the !irp being read */
    uint32_t irp_row;
    bool irp_open, irp_known, devstack_open, thread_current, running_idle, record_open, stacks_open;
    uint32_t device_row, devnode_row, thread_row, cpu_row, pte_row, lock_row,
        section_row; /* open rows */
    int64_t cpu_id;
    bool too_many;
};

typedef uint32_t dfr_section_fn(struct dfr_reader *r, uint32_t i);

/* --- words (scan.c) --- */
static inline const struct dfr_word *dfr_tx_word(const struct dfr_reader *r, uint32_t i)
{
    static const struct dfr_word none = {0};
    return i < r->words.n ? &r->words.v[i] : &none;
}
static inline bool dfr_tx_is(const struct dfr_reader *r, uint32_t i, enum dfr_word_class cls)
{
    return i < r->words.n && r->words.v[i].cls == cls;
}
static inline bool dfr_tx_bol(const struct dfr_reader *r, uint32_t i)
{
    return i >= r->words.n || (r->words.v[i].flags & (DFR_W_BOL | DFR_W_BLOCK));
}
/* Empty behind the end. */
static inline struct dfr_str dfr_tx_text(const struct dfr_reader *r, uint32_t i)
{
    const struct dfr_word *w = dfr_tx_word(r, i);
    return (struct dfr_str){r->norm.text.p + w->at, w->len};
}
/* The clean text from word `first` to the end of word `last`, blanks as they are. */
struct dfr_str dfr_tx_text_range(const struct dfr_reader *r, uint32_t first, uint32_t last);
/* Is word `i` exactly this one? */
static inline bool dfr_tx_says(const struct dfr_reader *r, uint32_t i, const char *word)
{
    const struct dfr_word *w = dfr_tx_word(r, i);
    const char *p = r->norm.text.p + w->at;
    size_t len = strlen(word);
    return w->len == len && p[0] == word[0] && memcmp(p, word, len) == 0;
}
bool dfr_tx_says_ci(const struct dfr_reader *r, uint32_t i, const char *word);
/* Do the words from `i` on read `phrase` (words with single blanks between)? Number of words, or 0. */
uint32_t dfr_tx_phrase(const struct dfr_reader *r, uint32_t i, const char *phrase);
/* A hexadecimal number in word `i`, with a comma, brackets or the like around it stripped. */
bool dfr_tx_number(const struct dfr_reader *r, uint32_t i, uint64_t *ret);
bool dfr_tx_address(const struct dfr_reader *r, uint32_t i,
                    uint64_t *ret); /* ADDR64 or ADDR32, or 0x + 8..16 */
bool dfr_tx_decimal(struct dfr_str s, int64_t *ret);
struct dfr_str dfr_tx_strip(struct dfr_str s, const char *both_ends); /* takes these bytes off */
/* First word of the next line (or r->words.n), at most `most` words ahead. */
uint32_t dfr_tx_line_end(const struct dfr_reader *r, uint32_t i, uint32_t most);
/* The text of the line's rest from `i`, joined by single blanks where it was aligned; sets the end. */
struct dfr_str dfr_tx_line_rest(const struct dfr_reader *r, uint32_t i, uint32_t *ret_end);
bool dfr_tx_is_elision(struct dfr_str s);

/* --- facts (scan.c) --- */
uint32_t dfr_tx_place_of(struct dfr_reader *r, uint32_t first, uint32_t last);
/* Set a scalar or a cell from words [first, last]; the value's text must live in the clean text or the arena. */
void dfr_tx_put(struct dfr_reader *r, uint32_t field, struct dfr_value v, uint32_t first,
                uint32_t last);
void dfr_tx_put_cell(struct dfr_reader *r, uint32_t column, uint32_t row, struct dfr_value v,
                     uint32_t first, uint32_t last);
void dfr_tx_skip_note(struct dfr_reader *r, struct dfr_str what, struct dfr_str why, uint32_t first,
                      uint32_t last);
void dfr_tx_table_failed(struct dfr_reader *r, uint32_t table, enum dfr_reason why, uint32_t first,
                         uint32_t last);
uint32_t dfr_tx_new_row(struct dfr_reader *r, uint32_t table, uint32_t first, uint32_t last);

/* --- symbols (symbol.c) --- */
/* A symbol at word `i`: `nt!Foo+0x1`, `nt! ?? ::FNODOBFM::`string'+0x1`, `drv+0x1`, `<Unloaded_x.sys>+0x1`,
 * `0xfffff801`1`. Returns the word behind it, or `i`. `line_bound`: it may not pass the line's end. */
uint32_t dfr_tx_symbol(struct dfr_reader *r, uint32_t i, struct dfr_sym *ret, bool *ret_unloaded);
/* The same for a piece of text; false when it is none. */
bool dfr_tx_symbol_text(struct dfr_str s, struct dfr_sym *ret, bool *ret_unloaded,
                        size_t *ret_used);

/* --- crashes (crash.c) --- */
struct dfr_crash *dfr_tx_crash_begin(struct dfr_reader *r, uint32_t word);
void dfr_tx_crash_finish(struct dfr_reader *r, struct dfr_crash *c);
/* A bug check was read. `mask` has bit n for argument n + 1. May begin a new crash. */
struct dfr_bug_seen {
    bool has_code;
    uint64_t code;
    uint64_t arg[4];
    uint32_t digits[4];
    uint32_t arg_word[4];
    unsigned mask;
    enum dfr_source source;
    bool prose;
    bool heads; /* stands above the body of an analysis */
    uint32_t first, last;
    struct dfr_str name; /* may be empty */
    uint32_t name_word;
};
void dfr_tx_bug_seen(struct dfr_reader *r, const struct dfr_bug_seen *b);
void dfr_tx_stack_close(struct dfr_reader *r);
/* Registers of a context are complete: keep them if they are the best. */
void dfr_tx_regs_seen(struct dfr_reader *r, const struct dfr_regs *g);

/* --- loose words (notes.c) --- */
void dfr_tx_loose_flush(struct dfr_reader *r, uint32_t end);

#endif
