/* dfrule: rule-driven diagnosis of Windows kernel crashes.
 *
 * Compile rules once, open crashes, check, write the answer:
 *
 *     dfr_rules *rules; dfr_crash *crash; dfr_answer *answer; dfr_error error;
 *     dfr_rules_load(paths, 1, NULL, &rules, NULL, &error);
 *     dfr_crash_open(&(dfr_input){.size = sizeof(dfr_input), .path = "crash.txt"}, NULL, &crash, &error);
 *     dfr_check(rules, crash, NULL, &answer, &error);
 *     dfr_answer_write(answer, DFR_FORMAT_TEXT, NULL, write_to_stdout, NULL, &error);
 *
 * Handles are opaque and immutable after they were made: rules and crashes may be shared by any
 * number of threads; every other call works on its own data. No globals, no printing, no exit, no
 * locale. Strings are UTF-8 with a length. A handle is released with its _free, from any thread,
 * in any order: an answer keeps the rules and the crash that it speaks of. NULL is fine.
 * Option structs begin with `size` = sizeof, so that they can grow; NULL options are zeroed ones.
 * On failure *ret is left alone and `error` (may be NULL) says what went wrong. */
#ifndef DFRULE_H
#define DFRULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DFR_API __attribute__((visibility("default")))
#define DFR_CHECK_RESULT __attribute__((warn_unused_result))
#else
#define DFR_API
#define DFR_CHECK_RESULT
#endif

#define DFRULE_VERSION "0.1.0"

typedef enum dfr_result {
    DFR_RESULT_OK = 0,
    DFR_RESULT_NO_MEMORY = 1,
    DFR_RESULT_IO = 2,          /* a file could not be read or written */
    DFR_RESULT_NOT_A_CRASH = 3, /* the input is no kernel crash that can be read */
    DFR_RESULT_BAD_RULES = 4,   /* the rules have errors: see the diagnostics */
    DFR_RESULT_BAD_CACHE = 5,   /* a compiled rule set did not verify */
    DFR_RESULT_LIMIT = 6,       /* a limit was hit */
    DFR_RESULT_MISUSE = 7,      /* an argument makes no sense */
    DFR_RESULT_UNSUPPORTED = 8, /* a dump or an archive, which this version does not read */
    DFR_RESULT_INTERNAL = 70
} dfr_result;

/* What went wrong; `message` names file, place and field, and ends in NUL. */
typedef struct dfr_error {
    dfr_result result;
    char message[512];
} dfr_error;

typedef struct dfr_text {
    const char *p;
    size_t len;
} dfr_text;

typedef struct dfr_rules dfr_rules;             /* a compiled rule set */
typedef struct dfr_crash dfr_crash;             /* the facts of one input: one crash or several */
typedef struct dfr_answer dfr_answer;           /* ranked causes, actions, evidence */
typedef struct dfr_diagnostics dfr_diagnostics; /* findings about rules or inputs, with places */

/* Host memory; zeroed: malloc and free. */
typedef struct dfr_memory {
    void *(*alloc)(void *user, size_t size);
    void (*free)(void *user, void *p);
    void *user;
    size_t limit; /* bytes per handle; 0: none */
} dfr_memory;

/* Receives output; returns 0 to go on. */
typedef int (*dfr_write_fn)(void *user, const char *p, size_t len);

typedef enum dfr_format {
    DFR_FORMAT_TEXT = 0,
    DFR_FORMAT_JSON = 1,     /* indented */
    DFR_FORMAT_NDJSON = 2,   /* one line */
    DFR_FORMAT_MARKDOWN = 3, /* figures of a corpus alone */
    DFR_FORMAT_TSV = 4       /* the same: one line a case, tab separated */
} dfr_format;

/* How text output looks; zeroed: plain UTF-8, 80 columns. */
typedef struct dfr_style {
    size_t size;
    int color;   /* ANSI colours */
    int ascii;   /* no characters outside ASCII in our own words */
    int columns; /* 0: 80 */
    int verbose; /* more: all evidence, notes and waiting rules */
    int all;     /* facts: every row of long tables */
} dfr_style;

DFR_API const char *dfr_version(void);

/* ---- Rules ------------------------------------------------------------------------------- */

typedef struct dfr_rule_source {
    dfr_text path; /* shown in diagnostics; decides the pack together with its folder */
    dfr_text text; /* the rules themselves */
    int layer;     /* 0 pack, 1 team, 2 user */
} dfr_rule_source;

typedef struct dfr_rules_options {
    size_t size;
    dfr_memory memory;
    int tiers;   /* 0: stable rules only, 1: and test, 2: and nursery */
    int64_t now; /* seconds since 1970, for `until` of suppressions; 0: nothing expires */
    const dfr_text *search; /* folders searched for imported packs (dfr_rules_load) */
    size_t search_count;
    int lint; /* report lint findings as well */
    /* Folder of this user in which dfr_rules_load() keeps what it compiled, and finds it when no
     * source has changed; such rules have no tests. Rules with diagnostics are not kept. Empty: none. */
    dfr_text cache;
} dfr_rules_options;

/* Compile rules from memory. *ret_diagnostics (may be NULL) is set also on success and on
 * DFR_RESULT_BAD_RULES, when *ret stays NULL. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_rules_compile(const dfr_rule_source *sources, size_t n,
                                                      const dfr_rules_options *options,
                                                      dfr_rules **ret,
                                                      dfr_diagnostics **ret_diagnostics,
                                                      dfr_error *error);
/* The same from files and folders (all .dfr below a folder, in byte order of their paths). A file
 * written by dfr_rules_save is loaded and verified instead. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_rules_load(const dfr_text *paths, size_t n,
                                                   const dfr_rules_options *options,
                                                   dfr_rules **ret,
                                                   dfr_diagnostics **ret_diagnostics,
                                                   dfr_error *error);
/* Write the compiled form: to a temporary file, flushed, renamed. For local caches only. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_rules_save(const dfr_rules *rules, dfr_text path,
                                                   dfr_error *error);
DFR_API void dfr_rules_free(dfr_rules *rules);

typedef struct dfr_rules_info {
    size_t size;
    uint32_t rules, causes, actions, tests, code_words;
} dfr_rules_info;
DFR_API void dfr_rules_describe(const dfr_rules *rules, dfr_rules_info *ret);
/* Readable listing of one rule by name, or of all (empty name). */
DFR_API DFR_CHECK_RESULT dfr_result dfr_rules_disasm(const dfr_rules *rules, dfr_text rule,
                                                     dfr_write_fn write, void *user,
                                                     dfr_error *error);

/* ---- Diagnostics --------------------------------------------------------------------------- */

DFR_API void dfr_diagnostics_free(dfr_diagnostics *d);
DFR_API uint32_t dfr_diagnostics_errors(const dfr_diagnostics *d);
DFR_API uint32_t dfr_diagnostics_warnings(const dfr_diagnostics *d);
DFR_API DFR_CHECK_RESULT dfr_result dfr_diagnostics_write(const dfr_diagnostics *d,
                                                          dfr_format format, const dfr_style *style,
                                                          dfr_write_fn write, void *user,
                                                          dfr_error *error);
/* What a diagnostic number means (`dfrule explain DFR1001`); NULL: no such number. */
DFR_API const char *dfr_diagnostic_help(uint32_t number);

/* ---- Crashes ------------------------------------------------------------------------------- */

/* Fill `buf` with the `len` bytes at `offset`, which all lie in the input; returns 0 when that is
 * done. Called from within dfr_crash_open(), and later, from several threads at once, whenever
 * a rule or a report needs more of a dump: until the crash and all its answers are freed. */
typedef int (*dfr_read_at_fn)(void *user, uint64_t offset, void *buf, size_t len);

/* One of: a path, bytes, a function that reads. Dumps are read where it matters, however large they
 * are; bytes are copied whole. */
typedef struct dfr_input {
    size_t size;
    /* File to read, or the name shown when there is `bytes` or `read`; "-" is not special. */
    const char *path;
    const void *bytes; /* input in memory, copied; NULL: read the path */
    size_t len;
    dfr_read_at_fn read; /* an input that is neither a file nor in memory; NULL: there is none */
    void *read_user;
    uint64_t read_size; /* bytes of the whole input */
} dfr_input;

typedef struct dfr_crash_options {
    size_t size;
    dfr_memory memory;
    /* Larger inputs are refused; 0: the built-in limit for texts, none for dumps. */
    uint64_t max_bytes;
    /* Where images and PDBs of a dump's modules are on this machine, as in _NT_SYMBOL_PATH: items
     * parted by `;`, each a folder, srv*FOLDER*ADDRESS or cache*FOLDER. NULL: nowhere. Addresses
     * are passed over: the library never opens a connection and never reads the environment. */
    const char *symbol_path;
    int list_symbols; /* find out for dfr_crash_symbols() which files the modules of a dump want */
} dfr_crash_options;

DFR_API DFR_CHECK_RESULT dfr_result dfr_crash_open(const dfr_input *input,
                                                   const dfr_crash_options *options,
                                                   dfr_crash **ret, dfr_error *error);
DFR_API void dfr_crash_free(dfr_crash *crash);

/* An image or a PDB that a module of a dump wants. Texts live as long as the crash. */
typedef struct dfr_symbol_file {
    size_t size;
    int pdb;         /* 0: the image itself */
    int have;        /* the symbol path has it */
    int matters;     /* its module has to do with the crash */
    int on_stack;    /* its module stands on the crashing stack */
    dfr_text module; /* as the dump names it */
    dfr_text path;   /* NAME/ID/NAME in stores and on servers; empty: not known, `why` says why */
    dfr_text why;
    uint32_t stamp, image_size; /* of an image: TimeDateStamp, SizeOfImage */
    unsigned char guid[16];     /* of a PDB, as images store it, and its age */
    uint32_t age;
} dfr_symbol_file;
/* Returns 0 to go on. */
typedef int (*dfr_symbol_fn)(void *user, const dfr_symbol_file *file);
/* Call `each` for the image and then the PDB of every module: those of the stack first. Which PDB a
 * module wants stands in its image, which the dump may not hold: then not before that is found. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_crash_symbols(const dfr_crash *crash, dfr_symbol_fn each,
                                                      void *user, dfr_error *error);
/* The servers and the stores that the symbol path names; NULL past the last. */
DFR_API dfr_text dfr_crash_symbol_server(const dfr_crash *crash, size_t index);
DFR_API dfr_text dfr_crash_symbol_store(const dfr_crash *crash, size_t index);
/* Is the file at `path`, packed or not, the one that is wanted, and whole? */
DFR_API DFR_CHECK_RESULT dfr_result dfr_symbol_file_check(const dfr_symbol_file *file,
                                                          const char *path, dfr_error *error);
/* Number of crashes in the input, at least 1. */
DFR_API size_t dfr_crash_count(const dfr_crash *crash);
/* Write all facts of crash `index`. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_crash_write_facts(const dfr_crash *crash, size_t index,
                                                          dfr_format format, const dfr_style *style,
                                                          dfr_write_fn write, void *user,
                                                          dfr_error *error);
/* The summary of crash `index`: at most 24 lines of text, or one object. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_crash_write_info(const dfr_crash *crash, size_t index,
                                                         dfr_format format, const dfr_style *style,
                                                         dfr_write_fn write, void *user,
                                                         dfr_error *error);
/* A copy of `crash` in which facts are replaced: assignments as in a test's `given`, such as
 * `thread.stack_limit = 0xfffff88003dcd000`, `modules.complete = true`, `trap.address = unknown`. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_crash_what_if(const dfr_crash *crash,
                                                      const dfr_text *assignments, size_t n,
                                                      dfr_crash **ret, dfr_error *error);

/* ---- Checking ------------------------------------------------------------------------------ */

typedef struct dfr_check_options {
    size_t size;
    dfr_memory memory;
    size_t index;            /* which crash of the input */
    int no_index;            /* run every rule (slower, same answer) */
    uint32_t steps_per_rule; /* 0: the built-in limit */
    int others; /* check the input's other crashes as well: JSON then holds them whole */
} dfr_check_options;

DFR_API DFR_CHECK_RESULT dfr_result dfr_check(const dfr_rules *rules, const dfr_crash *crash,
                                              const dfr_check_options *options, dfr_answer **ret,
                                              dfr_error *error);
DFR_API void dfr_answer_free(dfr_answer *answer);
DFR_API DFR_CHECK_RESULT dfr_result dfr_answer_write(const dfr_answer *answer, dfr_format format,
                                                     const dfr_style *style, dfr_write_fn write,
                                                     void *user, dfr_error *error);
/* Strength of the first cause: 0 none, 1 possible, 2 likely, 3 strong, 4 near-certain. */
DFR_API int dfr_answer_strength(const dfr_answer *answer);

/* Several crashes of one machine: each with the others as its `history`, then the machine itself, of
 * which only rules about `history` and `machine.*` speak. Writes one answer for all. *ret_strength
 * (may be NULL): of the first cause of the machine, as dfr_answer_strength(). */
DFR_API DFR_CHECK_RESULT dfr_result dfr_check_together(const dfr_rules *rules,
                                                       const dfr_crash *const *crashes, size_t n,
                                                       dfr_format format, const dfr_style *style,
                                                       dfr_write_fn write, void *user,
                                                       int *ret_strength, dfr_error *error);

/* One rule on one crash, condition by condition: why it speaks (or how far). */
DFR_API DFR_CHECK_RESULT dfr_result dfr_explain(const dfr_rules *rules, const dfr_crash *crash,
                                                size_t index, dfr_text rule, dfr_format format,
                                                const dfr_style *style, dfr_write_fn write,
                                                void *user, dfr_error *error);
/* Why a rule does not speak: the conditions that are false or open, and what would settle them. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_why_not(const dfr_rules *rules, const dfr_crash *crash,
                                                size_t index, dfr_text rule, dfr_format format,
                                                const dfr_style *style, dfr_write_fn write,
                                                void *user, dfr_error *error);

/* ---- Tests in rule files ------------------------------------------------------------------- */

typedef struct dfr_test_options {
    size_t size;
    /* Folders in which `load` looks, besides the rule file's own and its parents. Paths in tests
     * are relative and never lead upwards. */
    const dfr_text *roots;
    size_t root_count;
    dfr_text only; /* tests whose name contains this; of mutated rules, those whose name does */
    const dfr_text
        *paths; /* only tests (and mutated rules) in these files or below these folders */
    size_t path_count;
} dfr_test_options;

/* Run the tests of a rule set: writes each failed expectation with its place (with `verbose`, a line
 * for each test), then `N passed, N failed`. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_rules_test(const dfr_rules *rules,
                                                   const dfr_test_options *options,
                                                   dfr_format format, const dfr_style *style,
                                                   dfr_write_fn write, void *user,
                                                   uint32_t *ret_passed, uint32_t *ret_failed,
                                                   dfr_error *error);
/* Are the tests sharp? Turns each comparison and weight of the rules around, one at a time, and runs
 * the tests of the same file. Writes each change that no test notices with its place, then `N killed,
 * N survived`. A rule without tests lets every change live. The tests must pass as they are. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_rules_mutate(const dfr_rules *rules,
                                                     const dfr_test_options *options,
                                                     dfr_format format, const dfr_style *style,
                                                     dfr_write_fn write, void *user,
                                                     uint32_t *ret_killed, uint32_t *ret_survived,
                                                     dfr_error *error);

/* Which conditions of which rules were ever true, false or undecided (and why), over the facts of the
 * tests and, when `corpus` is not empty, of its cases. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_rules_coverage(const dfr_rules *rules,
                                                       const dfr_test_options *options,
                                                       dfr_text corpus, dfr_format format,
                                                       const dfr_style *style, dfr_write_fn write,
                                                       void *user, dfr_error *error);

/* ---- A corpus: crashes of which is known what was wrong ------------------------------------- */

typedef struct dfr_corpus_options {
    size_t size;
    /* Figures of before (a file written with DFR_FORMAT_TSV): writes what changed, not the figures. */
    dfr_text against;
} dfr_corpus_options;

typedef struct dfr_corpus_result {
    size_t size;
    uint32_t cases, with_culprit; /* the others ask to name nobody */
    uint32_t first, top_three;    /* of those with a culprit */
    uint32_t confident_wrong, unreadable;
    uint32_t worse, better; /* with `against`: cases that fell, or rose */
} dfr_corpus_result;

/* Check every case of a corpus and hold the answers against its labels. `corpus` is a table of labels
 * (docs/corpus.md) or a folder with labels.tsv or ANSWERS.tsv. Writes figures: how often the first
 * answer is right, how often it is confident and wrong, the same of the debugger's own verdict, and
 * for each rule how far it can be relied on. `ret` may be NULL. A case that cannot be read counts as
 * unreadable; DFR_RESULT_MISUSE with the line when the labels are wrong. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_corpus_eval(const dfr_rules *rules, dfr_text corpus,
                                                    const dfr_corpus_options *options,
                                                    dfr_format format, const dfr_style *style,
                                                    dfr_write_fn write, void *user,
                                                    dfr_corpus_result *ret, dfr_error *error);
/* Which cases end with another first cause, subject or strength under other rules? `corpus` may also
 * be a folder without labels: then each file in it is a case. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_corpus_diff(const dfr_rules *before, const dfr_rules *after,
                                                    dfr_text corpus, dfr_format format,
                                                    const dfr_style *style, dfr_write_fn write,
                                                    void *user, uint32_t *ret_changed,
                                                    uint32_t *ret_worse, dfr_error *error);

/* ---- Forging ------------------------------------------------------------------------------- */

typedef struct dfr_forge_options {
    size_t size;
    dfr_memory memory;
    dfr_text kind; /* triage (default), triage-kernel, full, bitmap, kernel, rdmp, ...; text: the
                      transcript of a debugger that looked at the same crash */
    dfr_text path; /* file to write; empty: `write` receives it whole */
    dfr_write_fn write;
    void *user;
    dfr_text
        images; /* folder: the images of its modules are written below it, as an image store that
                        a symbol path may name; without `path` and `write` nothing else is written */
} dfr_forge_options;

/* Write a crash that a recipe describes (docs/forge.md). *ret_diagnostics (may be NULL) is set on
 * success and on DFR_RESULT_BAD_RULES, when the recipe has errors. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_forge(const dfr_input *recipe,
                                              const dfr_forge_options *options,
                                              dfr_diagnostics **ret_diagnostics, dfr_error *error);

/* Fit weights and priors to a corpus, pulled towards what the rules say, and judged on cases that the
 * fit has not seen. Writes sample size, Brier score and how often each strength was true, before and
 * after; and, when `overrides` is not empty, an override file of that name. Rules are not touched.
 * *ret_moved (may be NULL) counts what moves: 0 also when the corpus is too thin to say anything. */
DFR_API DFR_CHECK_RESULT dfr_result dfr_corpus_calibrate(const dfr_rules *rules, dfr_text corpus,
                                                         dfr_text overrides, dfr_format format,
                                                         const dfr_style *style, dfr_write_fn write,
                                                         void *user, uint32_t *ret_moved,
                                                         dfr_error *error);

#ifdef __cplusplus
}
#endif

#endif
