/* Prints the manual page and the shell completions from the option table.
 *     genman docs     writes docs/man/dfrule.1 and docs/completions/dfrule.bash, _dfrule, dfrule.fish
 * It includes engine/cli/options.def and manual.def, from which the command's own parser and help
 * are built. Nothing here knows a verb or an option by name, but for `check`, which shells run
 * when no verb is given. */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum verb {
#define VERB(id, word, operands, line, text) VERB_##id,
#define OPTION(id, letter, name, argument, choices, verbs, help)
#include "cli/options.def"
#undef VERB
#undef OPTION
    VERB_COUNT
};
enum verb_bit {
#define VERB(id, word, operands, line, text) DFR_ON_##id = 1u << VERB_##id,
#define OPTION(id, letter, name, argument, choices, verbs, help)
#include "cli/options.def"
#undef VERB
#undef OPTION
    DFR_ON_EVERY = (1u << VERB_COUNT) - 1
};

static const struct {
    const char *word, *operands, *line, *text;
} verbs[] = {
#define VERB(id, word, operands, line, text) {word, operands, line, text},
#define OPTION(id, letter, name, argument, choices, verbs, help)
#include "cli/options.def"
#undef VERB
#undef OPTION
};

struct option {
    char letter;
    const char *name, *argument, *choices;
    uint32_t verbs;
    const char *help;
};
static const struct option options[] = {
#define VERB(id, word, operands, line, text)
#define OPTION(id, letter, name, argument, choices, verbs, help)                                   \
    {letter, name, argument, choices, verbs, help},
#include "cli/options.def"
#undef VERB
#undef OPTION
};

static const struct {
    enum verb verb;
    const char *command, *what;
} examples[] = {
#define EXAMPLE(verb, command, what) {VERB_##verb, command, what},
#define EXIT_CODE(id, number, meaning)
#define VARIABLE(name, meaning)
#include "cli/manual.def"
#undef EXAMPLE
#undef EXIT_CODE
};

static FILE *out;

static void open_out(const char *folder, const char *name)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    out = n > 0 && (size_t)n < sizeof path ? fopen(path, "w") : NULL;
    if (!out) {
        fprintf(stderr, "genman: cannot write %s/%s\n", folder, name);
        exit(1);
    }
}

static void close_out(void)
{
    if (fclose(out) != 0) {
        perror("genman");
        exit(1);
    }
}

static bool is_path(const struct option *o)
{
    return o->choices[0] == '@';
}

/* ---- Manual page --------------------------------------------------------------------------- */

/* Roff text: backslashes, hyphens and leading dots escaped; words in backticks bold. */
static void roff(const char *s)
{
    bool bold = false, start = true;
    for (; *s; s++, start = false) {
        if (*s == '`') {
            bold = !bold;
            fputs(bold ? "\\fB" : "\\fR", out);
        } else if (*s == '\\') {
            fputs("\\e", out);
        } else if (*s == '-') {
            fputs("\\-", out);
        } else if (start && (*s == '.' || *s == '\'')) {
            fprintf(out, "\\&%c", *s);
        } else {
            fputc(*s, out);
        }
    }
}

static void man_option(const struct option *o)
{
    fputs(".TP\n", out);
    if (o->letter)
        fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
    fputs("\\fB\\-\\-", out);
    roff(o->name);
    fputs("\\fR", out);
    if (o->argument[0]) {
        fputs("=\\fI", out);
        roff(o->argument);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    roff(o->help);
    fputs(".\n", out);
    if (o->choices[0] && !is_path(o)) {
        fputs("One of \\fB", out);
        roff(o->choices);
        fputs("\\fR.\n", out);
    }
    if (o->verbs == DFR_ON_EVERY)
        return;
    fputs("Of", out);
    const char *comma = " \\fB";
    for (size_t v = 0; v < COUNT(verbs); v++) {
        if (!(o->verbs >> v & 1))
            continue;
        fputs(comma, out);
        roff(verbs[v].word);
        comma = "\\fR, \\fB";
    }
    fputs("\\fR.\n", out);
}

static void manual(const char *folder)
{
    open_out(folder, "man/dfrule.1");
    fputs(".\\\" Written by engine/tools/genman.c from engine/cli/options.def; `make docs` "
          "refreshes it.\n"
          ".TH DFRULE 1 \"\" \"dfrule " DFR_VERSION "\" \"User Commands\"\n.SH NAME\n"
          "dfrule \\- diagnose Windows kernel crashes with rules\n.SH SYNOPSIS\n",
          out);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        fprintf(out, "%s\\fBdfrule ", v ? ".br\n" : "");
        roff(verbs[v].word);
        fputs("\\fR [\\fIOPTION\\fR]... ", out);
        roff(verbs[v].operands);
        fputc('\n', out);
    }
    fputs(".SH DESCRIPTION\nReads what a kernel debugger printed about a crash, runs rules over "
          "it, and says "
          "what probably\nhappened, what to do about it, how sure that is, and which lines say "
          "so.\n.SH VERBS\n",
          out);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        fputs(".TP\n\\fB", out);
        roff(verbs[v].word);
        fputs("\\fR ", out);
        roff(verbs[v].operands);
        fputc('\n', out);
        roff(verbs[v].text);
        fputc('\n', out);
    }
    fputs(".SH OPTIONS\n", out);
    for (size_t i = 0; i < COUNT(options); i++)
        man_option(&options[i]);
    fputs(".SH EXIT STATUS\n", out);
#define EXAMPLE(verb, command, what)
#define VARIABLE(name, meaning)
#define EXIT_CODE(id, number, meaning)                                                             \
    fprintf(out, ".TP\n\\fB%d\\fR\n", number);                                                     \
    roff(meaning);                                                                                 \
    fputs(".\n", out);
#include "cli/manual.def"
#undef EXIT_CODE
#undef VARIABLE
    fputs(".SH ENVIRONMENT\n", out);
#define EXIT_CODE(id, number, meaning)
#define VARIABLE(name, meaning)                                                                    \
    fprintf(out, ".TP\n\\fB%s\\fR\n", name);                                                       \
    roff(meaning);                                                                                 \
    fputs(".\n", out);
#include "cli/manual.def"
#undef EXIT_CODE
#undef VARIABLE
#undef EXAMPLE
    fputs(".SH EXAMPLES\n", out);
    for (size_t i = 0; i < COUNT(examples); i++) {
        fputs(".TP\n\\fB", out);
        roff(examples[i].command);
        fputs("\\fR\n", out);
        roff(examples[i].what);
        fputs(".\n", out);
    }
    close_out();
}

/* ---- Completions --------------------------------------------------------------------------- */

/* A verb as one word of a shell: `corpus_eval`. */
static void put_key(const char *verb)
{
    for (; *verb; verb++)
        fputc(*verb == ' ' ? '_' : *verb, out);
}

/* Length of the first word of a verb of two words; 0: it has one. */
static size_t first_word(size_t v)
{
    const char *blank = strchr(verbs[v].word, ' ');
    return blank ? (size_t)(blank - verbs[v].word) : 0;
}

/* Does verb `v` begin with the same first word as one before it? */
static bool seen_first(size_t v)
{
    size_t n = first_word(v);
    for (size_t i = 0; n && i < v; i++)
        if (first_word(i) == n && strncmp(verbs[i].word, verbs[v].word, n) == 0)
            return true;
    return false;
}

/* The words that a command may begin with, parted by `between`. */
static void first_words(const char *between)
{
    const char *gap = "";
    for (size_t v = 0; v < COUNT(verbs); v++) {
        size_t n = first_word(v);
        if (seen_first(v))
            continue;
        fprintf(out, "%s%.*s", gap, n ? (int)n : (int)strlen(verbs[v].word), verbs[v].word);
        gap = between;
    }
}

/* The second words behind the first word of verb `v`. */
static void second_words(size_t v, const char *between)
{
    size_t n = first_word(v);
    const char *gap = "";
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (first_word(i) == n && strncmp(verbs[i].word, verbs[v].word, n) == 0) {
            fprintf(out, "%s%s", gap, verbs[i].word + n + 1);
            gap = between;
        }
}

/* What follows an option: `check:-o | check:--output) COMPREPLY=(...)`. */
static void bash_argument(const struct option *o)
{
    const char *bar = "    ";
    for (size_t v = 0; v < COUNT(verbs); v++) {
        /* One pattern for all verbs, or one for each. */
        const char *verb = o->verbs == DFR_ON_EVERY ? "*" : verbs[v].word;
        if (!(o->verbs >> v & 1) || (o->verbs == DFR_ON_EVERY && v > 0))
            continue;
        fputs(bar, out);
        if (o->letter) {
            put_key(verb);
            fprintf(out, ":-%c | ", o->letter);
        }
        put_key(verb);
        fprintf(out, ":--%s", o->name);
        bar = " | ";
    }
    fputs(") ", out);
    if (is_path(o))
        fprintf(out, "COMPREPLY=($(compgen -%c -- \"$cur\")); ",
                strcmp(o->choices, "@folder") == 0 ? 'd' : 'f');
    else if (o->choices[0])
        fprintf(out, "COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); ", o->choices);
    fputs("return ;;\n", out);
}

static void bash(const char *folder)
{
    open_out(folder, "completions/dfrule.bash");
    fputs("# Written by engine/tools/genman.c from engine/cli/options.def; `make docs` refreshes "
          "it.\n"
          "# shellcheck shell=bash disable=SC2207\n"
          "_dfrule() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} word verb='' "
          "options\n"
          "    COMPREPLY=()\n"
          "    # `--color=al` comes as three words.\n"
          "    if [[ $cur == = ]]; then cur=; elif [[ $prev == = && $COMP_CWORD -gt 1 ]]; then\n"
          "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
          "    fi\n"
          "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
          "        case ${verb:+${verb}_}$word in\n"
          "        ",
          out);
    first_words(" | ");
    for (size_t v = 0; v < COUNT(verbs); v++)
        if (first_word(v)) {
            fputs(" | ", out);
            put_key(verbs[v].word);
        }
    fputs(") verb=${verb:+${verb}_}$word ;;\n        esac\n    done\n    case $verb:$prev in\n",
          out);
    for (size_t i = 0; i < COUNT(options); i++)
        if (options[i].argument[0])
            bash_argument(&options[i]);
    fputs("    esac\n    case $verb in\n", out);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        fputs("    ", out);
        put_key(verbs[v].word);
        fputs(") options=\"", out);
        const char *blank = "";
        for (size_t i = 0; i < COUNT(options); i++)
            if (options[i].verbs >> v & 1) {
                fprintf(out, "%s--%s", blank, options[i].name);
                blank = " ";
            }
        fputs("\" ;;\n", out);
    }
    fputs("    *) options=\"", out);
    for (size_t i = 0; i < COUNT(options); i++)
        fprintf(out, "%s--%s", i ? " " : "", options[i].name);
    fputs("\" ;;\n    esac\n"
          "    if [[ $cur == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
          "    elif [[ -z $verb || $verb == help ]]; then\n"
          "        COMPREPLY=($(compgen -W \"",
          out);
    first_words(" ");
    fputs("\" -- \"$cur\"))\n", out);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        if (!first_word(v) || seen_first(v))
            continue;
        fprintf(out,
                "    elif [[ $verb == %.*s ]]; then\n"
                "        COMPREPLY=($(compgen -W \"",
                (int)first_word(v), verbs[v].word);
        second_words(v, " ");
        fputs("\" -- \"$cur\"))\n", out);
    }
    fputs("    else\n"
          "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
          "    fi\n"
          "}\n"
          "complete -o filenames -F _dfrule dfrule\n",
          out);
    close_out();
}

/* Text inside single quotes of zsh or fish, without what _arguments reads as structure. */
static void quoted(const char *s, const char *escape)
{
    for (; *s; s++) {
        if (*s == '\'')
            fputs("'\\''", out);
        else if (*s == '`')
            continue;
        else if (strchr(escape, *s))
            fprintf(out, "\\%c", *s);
        else
            fputc(*s, out);
    }
}

static void zsh_option(const struct option *o)
{
    fputs("    '*", out);
    fprintf(out, "--%s%s[", o->name, o->argument[0] ? "=" : "");
    quoted(o->help, "[]:");
    fputc(']', out);
    if (o->argument[0]) {
        fputc(':', out);
        for (const char *p = o->argument; *p && *p != '['; p++)
            fputc(tolower((unsigned char)*p), out);
        if (is_path(o))
            fprintf(out, ":%s", strcmp(o->choices, "@folder") == 0 ? "_files -/" : "_files");
        else if (o->choices[0])
            fprintf(out, ":(%s)", o->choices);
        else
            fputs(": ", out);
    }
    fputs("'\n", out);
}

static void zsh(const char *folder)
{
    open_out(folder, "completions/_dfrule");
    fputs("#compdef dfrule\n"
          "# Written by engine/tools/genman.c from engine/cli/options.def; `make docs` refreshes "
          "it.\n"
          "_dfrule() {\n  local -a verbs options\n  local verb=${words[(r)(",
          out);
    first_words("|");
    fputs(")]}\n", out);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        if (!first_word(v) || seen_first(v))
            continue;
        fprintf(out, "  [[ $verb == %.*s ]] && verb=${verb}_${words[(r)(", (int)first_word(v),
                verbs[v].word);
        second_words(v, "|");
        fputs(")]}\n", out);
    }
    fputs("  verbs=(\n", out);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        if (seen_first(v))
            continue;
        if (first_word(v)) {
            fprintf(out, "    '%.*s:", (int)first_word(v), verbs[v].word);
            second_words(v, ", ");
        } else {
            fprintf(out, "    '%s:", verbs[v].word);
            quoted(verbs[v].line, ":");
        }
        fputs("'\n", out);
    }
    fputs("  )\n  case $verb in\n", out);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        fputs("  ", out);
        put_key(verbs[v].word);
        fputs(") options=(\n", out);
        for (size_t i = 0; i < COUNT(options); i++)
            if (options[i].verbs >> v & 1)
                zsh_option(&options[i]);
        fputs("  ) ;;\n", out);
    }
    fputs("  esac\n"
          "  if [[ -z $verb ]]; then\n"
          "    _arguments '1:verb:{_describe verb verbs}' '*:file:_files'\n",
          out);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        if (!first_word(v) || seen_first(v))
            continue;
        fprintf(out, "  elif [[ $verb == %.*s_ ]]; then\n    _values verb ", (int)first_word(v),
                verbs[v].word);
        second_words(v, " ");
        fputc('\n', out);
    }
    fputs("  else\n"
          "    _arguments $options '*:file:_files'\n"
          "  fi\n"
          "}\n"
          "_dfrule \"$@\"\n",
          out);
    close_out();
}

static void fish(const char *folder)
{
    open_out(folder, "completions/dfrule.fish");
    fputs("# Written by engine/tools/genman.c from engine/cli/options.def; `make docs` refreshes "
          "it.\n"
          "set -l verbs",
          out);
    fputc(' ', out);
    first_words(" ");
    fputc('\n', out);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        size_t n = first_word(v);
        if (n)
            fprintf(out, "complete -c dfrule -n \"__fish_seen_subcommand_from %.*s\" -a %s -d '",
                    (int)n, verbs[v].word, verbs[v].word + n + 1);
        else
            fprintf(out,
                    "complete -c dfrule -n \"not __fish_seen_subcommand_from $verbs\" -a %s -d '",
                    verbs[v].word);
        quoted(verbs[v].line, "");
        fputs("'\n", out);
        if (!n || seen_first(v))
            continue;
        fprintf(out,
                "complete -c dfrule -n \"not __fish_seen_subcommand_from $verbs\" -a %.*s -d '",
                (int)n, verbs[v].word);
        second_words(v, ", ");
        fputs("'\n", out);
    }
    for (size_t i = 0; i < COUNT(options); i++) {
        const struct option *o = &options[i];
        fputs("complete -c dfrule", out);
        if (o->verbs != DFR_ON_EVERY) {
            fputs(" -n '__fish_seen_subcommand_from", out);
            for (size_t v = 0; v < COUNT(verbs); v++)
                if (o->verbs >> v & 1)
                    fprintf(out, " %s", verbs[v].word + (first_word(v) ? first_word(v) + 1 : 0));
            fputc('\'', out);
        }
        if (o->letter)
            fprintf(out, " -s %c", o->letter);
        fprintf(out, " -l %s", o->name);
        if (is_path(o))
            fputs(" -r -F", out);
        else if (o->argument[0])
            fprintf(out, " -x -a '%s'", o->choices);
        fputs(" -d '", out);
        quoted(o->help, "");
        fputs("'\n", out);
    }
    close_out();
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: genman FOLDER\n", stderr);
        return 3;
    }
    manual(argv[1]);
    bash(argv[1]);
    zsh(argv[1]);
    fish(argv[1]);
    return 0;
}
