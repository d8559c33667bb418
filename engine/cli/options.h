/* The command line, read by the tables options.def and manual.def. */
#ifndef DFR_CLI_OPTIONS_H
#define DFR_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERB(id, word, operands, line, text) DFR_VERB_##id,
#define OPTION(id, letter, name, argument, choices, verbs, help)
enum dfr_cli_verb {
#include "cli/options.def"
    DFR_VERB_COUNT
};
#undef VERB
#define VERB(id, word, operands, line, text) DFR_ON_##id = 1 << DFR_VERB_##id,
enum dfr_cli_verbs {
#include "cli/options.def"
    DFR_ON_EVERY = (1 << DFR_VERB_COUNT) - 1
};
#undef VERB
#undef OPTION
#define VERB(id, word, operands, line, text)
#define OPTION(id, letter, name, argument, choices, verbs, help) DFR_OPT_##id,
enum dfr_cli_option {
#include "cli/options.def"
    DFR_OPT_COUNT
};
#undef VERB
#undef OPTION

#define EXAMPLE(verb, command, text)
#define EXIT_CODE(id, number, meaning) DFR_EXIT_##id = (number),
#define VARIABLE(name, meaning)
enum dfr_cli_exit {
#include "cli/manual.def"
};
#undef EXAMPLE
#undef EXIT_CODE
#undef VARIABLE

struct dfr_cli_verb_info {
    const char *word, *operands, *line, *text;
};
struct dfr_cli_option_info {
    int letter; /* 0: none */
    const char *name, *argument, *choices, *help;
    unsigned verbs; /* enum dfr_cli_verbs, joined */
};
extern const struct dfr_cli_verb_info dfr_cli_verb_rows[DFR_VERB_COUNT];
extern const struct dfr_cli_option_info dfr_cli_option_rows[DFR_OPT_COUNT];

enum dfr_cli_when { DFR_CLI_AUTO, DFR_CLI_ALWAYS, DFR_CLI_NEVER };

/* Strings point into argv. */
struct dfr_cli_list {
    const char **v;
    size_t n;
};

struct dfr_cli_options {
    enum dfr_cli_verb verb;
    bool help, long_help, version;
    const char *program; /* argv[0] */
    struct dfr_cli_list operands, outputs, rules, search, roots;
    const char *save, *images, *only, *against;
    enum dfr_cli_when color;
    bool all, ascii, verbose, quiet, no_default_rules, no_cache, unordered, no_index, mutate,
        together, coverage;
    int columns; /* 0: find out */
    int fail_on; /* strength; 0: never */
    int tiers;
    unsigned jobs; /* 0: one a processor */
    size_t crash;  /* 1-based; 0: all */
    uint64_t max_bytes;
    const char *kind;   /* of a forged dump; NULL: the default */
    const char *server; /* of symbols; NULL: the symbol path's, else Microsoft's */
    bool all_modules, retry;
    const char *symbols; /* symbol path; NULL: the environment's */
    uint32_t steps;
};

/* Read argv; false after an error was printed. Lists are the caller's to free with _deinit. */
bool dfr_cli_options_read(int argc, char **argv, struct dfr_cli_options *ret);
void dfr_cli_options_deinit(struct dfr_cli_options *o);
/* Verb of a word, or DFR_VERB_COUNT. */
enum dfr_cli_verb dfr_cli_verb_find(const char *word);
/* The same of two words such as `corpus eval`. */
enum dfr_cli_verb dfr_cli_verb_pair(const char *first, const char *second);
/* Say that a verb does not exist, with the nearest one. */
void dfr_cli_unknown_verb(const char *word);

/* help.c: print on standard output. `verb` DFR_VERB_COUNT: the whole command. */
void dfr_cli_help(enum dfr_cli_verb verb, bool all, int columns);

#endif
