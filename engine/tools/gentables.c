/* Prints the reference pages of docs/generated/ from the tables that the engine itself is built from.
 *     gentables docs     writes docs/generated/(name).md
 * It includes the .def files, so a page cannot say anything but what the code does. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static FILE *page; /* the page being written */

static void open_page(const char *folder, const char *name, const char *title, const char *table)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/generated/%s.md", folder, name);
    page = n > 0 && (size_t)n < sizeof path ? fopen(path, "w") : NULL;
    if (!page) {
        fprintf(stderr, "gentables: cannot write %s/generated/%s.md\n", folder, name);
        exit(1);
    }
    fprintf(
        page,
        "# %s\n\n<!-- Written by engine/tools/gentables.c from %s; `make docs` refreshes it. -->\n",
        title, table);
}

static void close_page(void)
{
    if (fclose(page) != 0) {
        perror("gentables");
        exit(1);
    }
}

/* Text in a table cell: a bar would end the cell, an angle bracket would start HTML. Backticks in a
 * row mark code, which needs no escapes but for the bar. */
static void put_text(const char *s)
{
    bool code = false;
    for (; *s; s++) {
        if (*s == '`')
            code = !code;
        else if (*s == '|' || (!code && (*s == '<' || *s == '*' || *s == '_')))
            fputc('\\', page);
        fputc(*s, page);
    }
}

static void put_lower(const char *s)
{
    for (; *s; s++)
        fputc(tolower((unsigned char)*s), page);
}

static void put_code(const char *s)
{
    if (!*s)
        return;
    fputc('`', page);
    for (; *s; s++)
        fprintf(page, *s == '|' ? "\\|" : "%c", *s);
    fputc('`', page);
}

/* ---- Facts --------------------------------------------------------------------------------- */

struct enum_row {
    const char *type, *name; /* name set: begins a type */
    const char *word, *meaning;
};
static const struct enum_row enums[] = {
#define ENUM(type, name) {#type, name, NULL, NULL},
#define VALUE(type, id, word, meaning) {#type, NULL, word, meaning},
#define END(type)
#include "facts/enums.def"
#undef ENUM
#undef VALUE
#undef END
};

struct fact_row {
    char cls; /* Scalar, Table, Column */
    const char *id, *path, *type, *param, *unit;
    unsigned cost;
    const char *command, *meaning;
};
static const struct fact_row facts[] = {
#define SCALAR(id, path, type, param, unit, cost, command, meaning)                                \
    {'S', #id, path, #type, #param, unit, cost, command, meaning},
#define TABLE(id, path, cost, command, meaning)                                                    \
    {'T', #id, path, "LIST", #id, "", cost, command, meaning},
#define COLUMN(table, id, name, type, param, unit, meaning)                                        \
    {'C', #id, name, #type, #param, unit, 0, "", meaning},
#include "facts/schema.def"
#undef SCALAR
#undef TABLE
#undef COLUMN
};

/* `enum cpu_state`, `rows of stack`, or the plain type. */
static void put_type(const struct fact_row *f)
{
    if (strcmp(f->type, "ENUM") == 0) {
        for (size_t i = 0; i < COUNT(enums); i++)
            if (enums[i].name && strcmp(enums[i].type, f->param) == 0)
                fprintf(page, "[`%s`](#%s)", enums[i].name, enums[i].name);
    } else if (strcmp(f->type, "LIST") == 0 || strcmp(f->type, "ROW") == 0) {
        for (size_t i = 0; i < COUNT(facts); i++)
            if (facts[i].cls == 'T' && strcmp(facts[i].id, f->param) == 0)
                fprintf(page, "%s of `%s`", f->type[0] == 'L' ? "rows" : "a row", facts[i].path);
    } else {
        put_lower(f->type);
    }
}

static void fact_line(const struct fact_row *f)
{
    fprintf(page, "| `%s` | ", f->path);
    put_type(f);
    fputs(" | ", page);
    put_text(f->meaning);
    if (f->unit[0])
        fprintf(page, " (%s)", f->unit);
    if (f->cls == 'S') {
        fputs(" | ", page);
        put_code(f->command);
        fprintf(page, " | %u", f->cost);
    }
    fputs(" |\n", page);
}

static void facts_page(const char *folder)
{
    open_page(folder, "facts", "Facts", "engine/facts/schema.def and enums.def");
    fputs("\nWhat rules can ask about a crash. Each is known, absent or unknown with a reason. "
          "*Shown by* is "
          "the\ndebugger command that prints it; *cost* is what that takes: 1 a command, 3 "
          "several, 10 "
          "symbols,\n30 a bigger dump. Every table also has `.complete`.\n",
          page);
    fputs(
        "\n## Single facts\n\n| fact | type | meaning | shown by | cost |\n|---|---|---|---|---|\n",
        page);
    for (size_t i = 0; i < COUNT(facts); i++)
        if (facts[i].cls == 'S')
            fact_line(&facts[i]);
    for (size_t i = 0; i < COUNT(facts); i++) {
        if (facts[i].cls == 'T') {
            fprintf(page, "\n## %s\n\n%c", facts[i].path,
                    toupper((unsigned char)facts[i].meaning[0]));
            fprintf(page, "%s.", facts[i].meaning + 1);
            if (facts[i].command[0])
                fprintf(page, " Shown by `%s`, cost %u.", facts[i].command, facts[i].cost);
            fputs("\n\n| column | type | meaning |\n|---|---|---|\n", page);
        } else if (facts[i].cls == 'C') {
            fact_line(&facts[i]);
        }
    }
    fputs("\n# Enumerations\n", page);
    for (size_t i = 0; i < COUNT(enums); i++) {
        if (enums[i].name)
            fprintf(page, "\n## %s\n\n| word | meaning |\n|---|---|\n", enums[i].name);
        else {
            fprintf(page, "| `%s` | ", enums[i].word);
            put_text(enums[i].meaning);
            fputs(" |\n", page);
        }
    }
    fputs("\n# Reasons\n\nWhy a fact is not known, as reports say it.\n\n", page);
#define REASON(id, text)                                                                           \
    if (*(text))                                                                                   \
        fprintf(page, "- %s\n", text);
#include "facts/reason.def"
#undef REASON
    close_page();
}

/* ---- Code ---------------------------------------------------------------------------------- */

static void opcodes_page(const char *folder)
{
    enum { VARIES = -1 };
    static const struct {
        const char *name, *operand;
        int extra, in, out;
        const char *help;
    } ops[] = {
#define OP(name, operand, extra, in, out, help) {#name, #operand, extra, in, out, help},
#include "code/op.def"
#undef OP
    };
    open_page(folder, "opcodes", "Instructions", "engine/code/op.def");
    fputs("\nAn instruction is one 32-bit word: the opcode in bits 0 to 7, its operand in bits 8 "
          "to 31, then "
          "*extra*\nwords. *In* and *out* are the values that it pops and pushes.\n\n"
          "| code | name | operand | extra | in | out | what it does "
          "|\n|---|---|---|---|---|---|---|\n",
          page);
    for (size_t i = 0; i < COUNT(ops); i++) {
        fprintf(page, "| %zu | `%s` | ", i, ops[i].name);
        if (strcmp(ops[i].operand, "NONE") != 0)
            put_lower(ops[i].operand);
        fprintf(page, " | %d | ", ops[i].extra);
        fprintf(page, ops[i].in == VARIES ? "varies" : "%d", ops[i].in);
        fprintf(page, " | %d | ", ops[i].out);
        put_text(ops[i].help);
        fputs(" |\n", page);
    }
    close_page();
}

/* `(STR, INT)` as `str, int`; a pair of parentheses alone is no argument. */
static void put_signature(const char *name, const char *args)
{
    fprintf(page, "| `%s(", name);
    for (; *args; args++)
        if (*args != '(' && *args != ')')
            fputc(*args == '_' ? ' ' : tolower((unsigned char)*args), page);
    fputs(")` | ", page);
}

static void builtin_line(const char *name, const char *kind, const char *param, const char *args,
                         const char *help)
{
    put_signature(name, args);
    struct fact_row type = {.type = kind, .param = param};
    put_type(&type);
    fputs(" | ", page);
    put_text(help);
    fputs(" |\n", page);
}

static void builtins_page(const char *folder)
{
    open_page(folder, "builtins", "Functions", "engine/code/builtin.def");
    fputs("\n## In rules\n\n| function | gives | what |\n|---|---|---|\n", page);
#define BUILTIN(id, name, kind, param, cost, args, help)                                           \
    builtin_line(name, #kind, #param, #args, help);
#define TEST_BUILTIN(id, name, kind, param, args, help)
#include "code/builtin.def"
#undef BUILTIN
#undef TEST_BUILTIN
    fputs("\n## In `expect` of a test\n\n| function | gives | what |\n|---|---|---|\n", page);
#define BUILTIN(id, name, kind, param, cost, args, help)
#define TEST_BUILTIN(id, name, kind, param, args, help)                                            \
    builtin_line(name, #kind, #param, #args, help);
#include "code/builtin.def"
#undef BUILTIN
#undef TEST_BUILTIN
    close_page();
}

/* ---- Diagnostics, limits, words, bug checks -------------------------------------------------- */

static void diagnostics_page(const char *folder)
{
    open_page(folder, "diagnostics", "Diagnostics", "engine/base/diag.def");
    fputs("\nNumbers are never reused. `dfrule explain DFRnnnn` prints the same text.\n", page);
#define DIAG(id, number, severity, title, help)                                                    \
    fprintf(page, "\n## DFR%04u: ", (unsigned)(number));                                           \
    put_text(title);                                                                               \
    fputs(" (", page);                                                                             \
    put_lower(#severity);                                                                          \
    fputs(")\n\n", page);                                                                          \
    put_text(help);                                                                                \
    fputc('\n', page);
#include "base/diag.def"
#undef DIAG
    close_page();
}

static void limits_page(const char *folder)
{
    open_page(folder, "limits", "Limits", "engine/base/limits.def");
    fputs("\nBounds on what an input may ask for. What hits one says so.\n\n"
          "| limit | value | of what |\n|---|---|---|\n",
          page);
#define LIMIT(name, value, what)                                                                   \
    fputs("| ", page);                                                                             \
    put_code(#name);                                                                               \
    fprintf(page, " | %llu | ", (unsigned long long)(value));                                      \
    put_text(what);                                                                                \
    fputs(" |\n", page);
#include "base/limits.def"
#undef LIMIT
    close_page();
}

static void keywords_page(const char *folder)
{
    open_page(folder, "keywords", "Words of the language", "grammar/keywords.def");
    fputs("\nA *reserved* word is never a name. A *contextual* word is one only where the grammar "
          "wants it.\n\n"
          "| word | class | what |\n|---|---|---|\n",
          page);
#define KEYWORD(token, word, cls, help)                                                            \
    fprintf(page, "| `%s` | ", word);                                                              \
    put_lower(#cls);                                                                               \
    fputs(" | ", page);                                                                            \
    put_text(help);                                                                                \
    fputs(" |\n", page);
#include "grammar/keywords.def"
#undef KEYWORD
    close_page();
}

/* "first; second; third", of those that have a meaning. */
static void bugcheck_line(unsigned long long code, const char *name, const char *const arguments[4])
{
    fprintf(page, "| 0x%llX | `%s` |", code, name);
    for (size_t i = 0; i < 4; i++) {
        fputc(' ', page);
        put_text(arguments[i]);
        fputs(" |", page);
    }
    fputc('\n', page);
}

static void bugchecks_page(const char *folder)
{
    open_page(folder, "bugchecks", "Bug checks", "engine/facts/bugcheck.def");
    fputs("\nAn empty cell is reserved or not documented. Small dumps store some codes with bit 28 "
          "set "
          "(0x1000007E);\n`bugcheck.code` is without it.\n\n"
          "| code | name | arg1 | arg2 | arg3 | arg4 |\n|---|---|---|---|---|---|\n",
          page);
#define BUGCHECK(code, name, arg1, arg2, arg3, arg4)                                               \
    bugcheck_line(code, #name, (const char *const[4]){arg1, arg2, arg3, arg4});
#include "facts/bugcheck.def"
#undef BUGCHECK
    close_page();
}

static void recipe_page(const char *folder)
{
    open_page(folder, "recipe", "Recipes", "engine/forge/recipe.def");
    fputs("\nFields of each part of a recipe; [docs/forge.md](../forge.md) shows how they go "
          "together. "
          "A part of which\nonly the first field is given may be written as that value alone.\n",
          page);
#define PART(id, type, what)                                                                       \
    fprintf(page, "\n## %s\n\n| field | type | needed | meaning |\n|---|---|---|---|\n", what);
#define FIELD(part, name, type, member, param, need, help)                                         \
    fprintf(page, "| `%s` | ", name);                                                              \
    put_lower(#type);                                                                              \
    fputs(strcmp(#need, "MUST") == 0 ? " | yes | " : " | | ", page);                               \
    put_text(help);                                                                                \
    fputs(" |\n", page);
#include "forge/recipe.def"
#undef PART
#undef FIELD
    fputs("\n## Kinds of dumps\n\n| kind | what |\n|---|---|\n", page);
#define FORGE_KIND(id, word, type, meaning)                                                        \
    fprintf(page, "| `%s` | ", word);                                                              \
    put_text(meaning);                                                                             \
    fputs(" |\n", page);
#include "forge/kind.def"
#undef FORGE_KIND
    close_page();
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: gentables FOLDER\n", stderr);
        return 3;
    }
    const char *folder = argv[1];
    facts_page(folder);
    opcodes_page(folder);
    builtins_page(folder);
    diagnostics_page(folder);
    limits_page(folder);
    keywords_page(folder);
    bugchecks_page(folder);
    recipe_page(folder);
    return 0;
}
