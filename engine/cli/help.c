/* Help from the tables: `-h` fits on a screen and shows three examples, `--help` says all. */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "cli/talk.h"

enum { LEAST_WIDTH = 40, MOST_WIDTH = 100 };

#define EXAMPLE(verb, command, text) {DFR_VERB_##verb, command, text},
#define EXIT_CODE(id, number, meaning)
#define VARIABLE(name, meaning)
static const struct {
    enum dfr_cli_verb verb;
    const char *command, *text;
} examples[] = {
#include "cli/manual.def"
};
#undef EXAMPLE
#undef EXIT_CODE
#undef VARIABLE
#define EXAMPLE(verb, command, text)
#define EXIT_CODE(id, number, meaning) {number, meaning},
#define VARIABLE(name, meaning)
static const struct {
    int number;
    const char *meaning;
} exits[] = {
#include "cli/manual.def"
};
#undef EXIT_CODE
#undef VARIABLE
#define EXIT_CODE(id, number, meaning)
#define VARIABLE(name, meaning) {name, meaning},
static const struct {
    const char *name, *meaning;
} variables[] = {
#include "cli/manual.def"
};
#undef EXAMPLE
#undef EXIT_CODE
#undef VARIABLE

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* `text` wrapped to `columns`, each line behind `indent` blanks; the first line starts at `at`. */
static void wrap(const char *text, int indent, int at, int columns)
{
    int column = at;
    if (at < indent)
        column += printf("%*s", indent - at, "");
    bool first = true;
    for (const char *p = text; *p;) {
        int len = (int)strcspn(p, " ");
        if (!first && column + 1 + len > columns) {
            printf("\n%*s", indent, "");
            column = indent;
            first = true;
        }
        column += printf("%s%.*s", first ? "" : " ", len, p);
        first = false;
        p += len;
        p += strspn(p, " ");
    }
    putchar('\n');
}

/* A term and its meaning in two columns; a term that is too long gets a line of its own. */
static void row(const char *term, const char *meaning, int indent, int columns)
{
    int at = printf("  %s", term);
    if (at + 2 > indent) {
        putchar('\n');
        at = 0;
    }
    wrap(meaning, indent, at, columns);
}

static void print_options(unsigned verbs, bool own, int columns)
{
    for (int i = 0; i < DFR_OPT_COUNT; i++) {
        const struct dfr_cli_option_info *o = &dfr_cli_option_rows[i];
        if (!(o->verbs & verbs) || (o->verbs == DFR_ON_EVERY) == own)
            continue;
        char term[80];
        snprintf(term, sizeof term, "%s%c%s--%s%s%s", o->letter ? "-" : " ",
                 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
                 o->argument[0] ? " " : "", o->argument);
        char help[512];
        if (o->choices[0] && o->choices[0] != '@')
            snprintf(help, sizeof help, "%s [%s]", o->help, o->choices);
        else
            snprintf(help, sizeof help, "%s", o->help);
        row(term, help, 30, columns);
    }
}

static void print_examples(enum dfr_cli_verb verb, int columns)
{
    size_t n = 0;
    for (size_t i = 0; i < COUNT(examples); i++)
        n += examples[i].verb == verb;
    if (n == 0)
        return;
    puts("\nExamples:");
    for (size_t i = 0; i < COUNT(examples); i++)
        if (examples[i].verb == verb) {
            printf("  %s\n", examples[i].command);
            wrap(examples[i].text, 6, 0, columns);
        }
}

static void print_ends(int columns)
{
    puts("\nExit codes, the same for every verb:");
    for (size_t i = 0; i < COUNT(exits); i++) {
        char term[16];
        snprintf(term, sizeof term, "%d", exits[i].number);
        row(term, exits[i].meaning, 8, columns);
    }
    puts("\nEnvironment:");
    for (size_t i = 0; i < COUNT(variables); i++)
        row(variables[i].name, variables[i].meaning, 18, columns);
}

static void print_verbs(int columns)
{
    puts("\nVerbs:");
    for (unsigned i = 0; i < DFR_VERB_COUNT; i++)
        row(dfr_cli_verb_rows[i].word, dfr_cli_verb_rows[i].line, 14, columns);
}

void dfr_cli_help(enum dfr_cli_verb verb, bool all, int columns)
{
    columns = columns < LEAST_WIDTH ? LEAST_WIDTH : columns > MOST_WIDTH ? MOST_WIDTH : columns;
    if (verb == DFR_VERB_COUNT) {
        puts("Usage: dfrule VERB [OPTION]... [OPERAND]...");
        wrap("Diagnoses Windows kernel crashes by rules: what happened, what to do, how sure, and "
             "which lines say so.",
             0, 0, columns);
        print_verbs(columns);
        if (all) {
            puts("\nOptions of every verb:");
            print_options(DFR_ON_EVERY, false, columns);
            print_ends(columns);
        }
        print_examples(DFR_VERB_CHECK, columns);
        puts("\n`dfrule VERB -h` tells about a verb, `dfrule --help` all that they share.");
        return;
    }
    const struct dfr_cli_verb_info *v = &dfr_cli_verb_rows[verb];
    printf("Usage: dfrule %s [OPTION]...%s%s\n", v->word, v->operands[0] ? " " : "", v->operands);
    if (all)
        wrap(v->text, 0, 0, columns);
    else
        printf("%c%s.\n", v->line[0] - 'a' + 'A', v->line + 1);
    puts("\nOptions:");
    print_options(1u << verb, true, columns);
    if (all) {
        puts("\nOptions of every verb:");
        print_options(1u << verb, false, columns);
        print_ends(columns);
    }
    print_examples(verb, columns);
    if (!all)
        printf("\n`dfrule %s --help` tells all.\n", v->word);
}
