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

/* What follows an option: `check:-o | check:--output) COMPREPLY=(...)`. */
static void bash_argument(const struct option *o)
{
    const char *bar = "    ";
    for (size_t v = 0; v < COUNT(verbs); v++) {
        /* One pattern for all verbs, or one for each. */
        const char *verb = o->verbs == DFR_ON_EVERY ? "*" : verbs[v].word;
        if (!(o->verbs >> v & 1) || (o->verbs == DFR_ON_EVERY && v > 0))
            continue;
        if (o->letter)
            fprintf(out, "%s%s:-%c", bar, verb, o->letter);
        fprintf(out, "%s%s:--%s", o->letter ? " | " : bar, verb, o->name);
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
          "        case $word in\n"
          "        ",
          out);
    for (size_t v = 0; v < COUNT(verbs); v++)
        fprintf(out, "%s%s", v ? " | " : "", verbs[v].word);
    fputs(") verb=$word; break ;;\n        esac\n    done\n    case $verb:$prev in\n", out);
    for (size_t i = 0; i < COUNT(options); i++)
        if (options[i].argument[0])
            bash_argument(&options[i]);
    fputs("    esac\n    case $verb in\n", out);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        fprintf(out, "    %s) options=\"", verbs[v].word);
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
    for (size_t v = 0; v < COUNT(verbs); v++)
        fprintf(out, "%s%s", v ? " " : "", verbs[v].word);
    fputs("\" -- \"$cur\"))\n"
          "    else\n"
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
    for (size_t v = 0; v < COUNT(verbs); v++)
        fprintf(out, "%s%s", v ? "|" : "", verbs[v].word);
    fputs(")]}\n  verbs=(\n", out);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        fprintf(out, "    '%s:", verbs[v].word);
        quoted(verbs[v].line, ":");
        fputs("'\n", out);
    }
    fputs("  )\n  case $verb in\n", out);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        fprintf(out, "  %s) options=(\n", verbs[v].word);
        for (size_t i = 0; i < COUNT(options); i++)
            if (options[i].verbs >> v & 1)
                zsh_option(&options[i]);
        fputs("  ) ;;\n", out);
    }
    fputs("  esac\n"
          "  if [[ -z $verb ]]; then\n"
          "    _arguments '1:verb:{_describe verb verbs}' '*:file:_files'\n"
          "  else\n"
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
    for (size_t v = 0; v < COUNT(verbs); v++)
        fprintf(out, " %s", verbs[v].word);
    fputc('\n', out);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        fprintf(out, "complete -c dfrule -n \"not __fish_seen_subcommand_from $verbs\" -a %s -d '",
                verbs[v].word);
        quoted(verbs[v].line, "");
        fputs("'\n", out);
    }
    for (size_t i = 0; i < COUNT(options); i++) {
        const struct option *o = &options[i];
        fputs("complete -c dfrule", out);
        if (o->verbs != DFR_ON_EVERY) {
            fputs(" -n '__fish_seen_subcommand_from", out);
            for (size_t v = 0; v < COUNT(verbs); v++)
                if (o->verbs >> v & 1)
                    fprintf(out, " %s", verbs[v].word);
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
