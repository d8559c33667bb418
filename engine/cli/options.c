/* Reads argv by the rows of options.def. Nothing is opened or checked against the world here. */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/talk.h"

#define VERB(id, word, operands, line, text) {word, operands, line, text},
#define OPTION(id, letter, name, argument, choices, verbs, help)
const struct dfr_cli_verb_info dfr_cli_verb_rows[DFR_VERB_COUNT] = {
#include "cli/options.def"
};
#undef VERB
#undef OPTION
#define VERB(id, word, operands, line, text)
#define OPTION(id, letter, name, argument, choices, verbs, help)                                   \
    {letter, name, argument, choices, help, verbs},
const struct dfr_cli_option_info dfr_cli_option_rows[DFR_OPT_COUNT] = {
#include "cli/options.def"
};
#undef VERB
#undef OPTION

enum { LONG_ONLY = 256 }; /* getopt values of options without a letter start here */

static size_t smallest(size_t a, size_t b, size_t c)
{
    return a < b ? (a < c ? a : c) : (b < c ? b : c);
}

/* Edit distance with neighbours swapped counting one; words here are short. */
static size_t distance(const char *a, const char *b)
{
    enum { MOST = 40 };
    size_t n = strlen(a), m = strlen(b), d[MOST + 1][MOST + 1];
    if (n > MOST || m > MOST)
        return MOST;
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j <= m; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = smallest(d[i - 1][j] + 1, d[i][j - 1] + 1,
                               d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < d[i][j])
                d[i][j] = d[i - 2][j - 2] + 1;
        }
    return d[n][m];
}

/* Keep in *best the word nearest to `given`, when it is near at all. */
static void nearer(const char *given, const char *word, const char **best, size_t *score)
{
    size_t n = strlen(given), d = distance(given, word);
    if (n >= 3 && strncmp(given, word, n) == 0)
        d = 1;
    if (d <= (n < 4 ? 1 : n < 8 ? 2 : 3) && d < *score) {
        *best = word;
        *score = d;
    }
}

enum dfr_cli_verb dfr_cli_verb_find(const char *word)
{
    for (unsigned i = 0; i < DFR_VERB_COUNT; i++)
        if (strcmp(word, dfr_cli_verb_rows[i].word) == 0)
            return (enum dfr_cli_verb)i;
    return DFR_VERB_COUNT;
}

enum dfr_cli_verb dfr_cli_verb_pair(const char *first, const char *second)
{
    size_t n = strlen(first);
    for (unsigned i = 0; i < DFR_VERB_COUNT && second; i++) {
        const char *word = dfr_cli_verb_rows[i].word;
        if (strncmp(word, first, n) == 0 && word[n] == ' ' && strcmp(word + n + 1, second) == 0)
            return (enum dfr_cli_verb)i;
    }
    return DFR_VERB_COUNT;
}

/* Verbs of two words, such as `corpus eval`, share their first. */
static bool is_first_word(const char *word)
{
    size_t n = strlen(word);
    for (unsigned i = 0; i < DFR_VERB_COUNT && n; i++)
        if (strncmp(dfr_cli_verb_rows[i].word, word, n) == 0 && dfr_cli_verb_rows[i].word[n] == ' ')
            return true;
    return false;
}

void dfr_cli_unknown_verb(const char *word)
{
    const char *best = NULL;
    size_t score = SIZE_MAX;
    struct stat st;
    for (unsigned i = 0; i < DFR_VERB_COUNT; i++)
        nearer(word, dfr_cli_verb_rows[i].word, &best, &score);
    if (best)
        dfr_cli_say("unknown verb `%s`; did you mean `%s`?", word, best);
    else if (strcmp(word, "-") == 0 || stat(word, &st) == 0)
        dfr_cli_say("unknown verb `%s`; to diagnose it, run `dfrule check %s`", word, word);
    else
        dfr_cli_say("unknown verb `%s`; `dfrule -h` lists them", word);
}

/* ---- getopt -------------------------------------------------------------------------------- */

struct table {
    struct option longs[DFR_OPT_COUNT + 1];
    char shorts[2 * DFR_OPT_COUNT + 2];
    int rows[DFR_OPT_COUNT]; /* option of longs[i] */
};

static int value_of(const struct dfr_cli_option_info *row)
{
    return row->letter ? row->letter : LONG_ONLY + (int)(row - dfr_cli_option_rows);
}

/* The options of `verbs` for getopt_long(); of two with one name the first. */
static void make_table(struct table *t, unsigned verbs)
{
    size_t n = 0, s = 0;
    t->shorts[s++] = ':';
    for (int i = 0; i < DFR_OPT_COUNT; i++) {
        const struct dfr_cli_option_info *row = &dfr_cli_option_rows[i];
        bool taken = false;
        for (size_t k = 0; k < n; k++)
            taken = taken || strcmp(t->longs[k].name, row->name) == 0;
        if (taken || !(row->verbs & verbs))
            continue;
        bool argument = row->argument[0] != '\0';
        t->rows[n] = i;
        t->longs[n++] = (struct option){.name = row->name,
                                        .has_arg = argument ? required_argument : no_argument,
                                        .val = value_of(row)};
        if (row->letter) {
            t->shorts[s++] = (char)row->letter;
            if (argument)
                t->shorts[s++] = ':';
        }
    }
    t->longs[n] = (struct option){0};
    t->shorts[s] = '\0';
}

/* Does the long option that starts `word` (after its dashes) take an argument behind a blank? */
static bool long_takes_next(const char *word)
{
    if (strchr(word, '='))
        return false;
    for (int i = 0; i < DFR_OPT_COUNT; i++)
        if (strncmp(dfr_cli_option_rows[i].name, word, strlen(word)) == 0)
            return dfr_cli_option_rows[i].argument[0] != '\0';
    return false;
}

/* The same for a cluster of letters such as `-vo`. */
static bool letters_take_next(const char *letters)
{
    for (; *letters; letters++)
        for (int i = 0; i < DFR_OPT_COUNT; i++)
            if (dfr_cli_option_rows[i].letter == *letters && dfr_cli_option_rows[i].argument[0])
                return letters[1] == '\0';
    return false;
}

/* Index of the first word in argv behind `from` that is no option, or argc. */
static int word_index(int argc, char **argv, int from)
{
    for (int i = from + 1; i < argc; i++) {
        const char *a = argv[i];
        if (a[0] != '-' || a[1] == '\0')
            return i;
        if (strcmp(a, "--") == 0)
            return i + 1;
        if (a[1] == '-' ? long_takes_next(a + 2) : letters_take_next(a + 1))
            i++;
    }
    return argc;
}

/* ---- Values -------------------------------------------------------------------------------- */

static void push(struct dfr_cli_list *list, const char *s)
{
    list->v = dfr_cli_alloc(list->v, list->n + 1, sizeof *list->v);
    list->v[list->n++] = s;
}

static bool wrong_value(const struct dfr_cli_option_info *row, const char *given)
{
    if (row->choices[0] && row->choices[0] != '@')
        dfr_cli_say("--%s: `%s` is not one of: %s", row->name, given, row->choices);
    else
        dfr_cli_say("--%s: `%s` is no %s", row->name, given,
                    strcmp(row->argument, "BYTES") == 0 ? "size" : "number in range");
    return false;
}

static bool number(const struct dfr_cli_option_info *row, const char *s, uint64_t least,
                   uint64_t most, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(s, &end, 10);
    if (s[0] < '0' || s[0] > '9' || errno)
        return wrong_value(row, s);
    if (*end && strcmp(row->argument, "BYTES") == 0) {
        unsigned shift = *end == 'k' || *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
        if (shift == 0 || end[1] || n > UINT64_MAX >> shift)
            return wrong_value(row, s);
        n <<= shift;
    } else if (*end) {
        return wrong_value(row, s);
    }
    if (n < least || n > most)
        return wrong_value(row, s);
    *ret = n;
    return true;
}

/* Position of `s` among the words of the row's choices; false after an error. */
static bool choice(const struct dfr_cli_option_info *row, const char *s, int *ret)
{
    int i = 0;
    for (const char *p = row->choices; *p; i++) {
        size_t len = strcspn(p, " ");
        if (strlen(s) == len && memcmp(p, s, len) == 0) {
            *ret = i;
            return true;
        }
        p += len + strspn(p + len, " ");
    }
    return wrong_value(row, s);
}

static bool take(struct dfr_cli_options *o, int option, const char *value, bool is_long)
{
    const struct dfr_cli_option_info *row = &dfr_cli_option_rows[option];
    uint64_t n = 0;
    int word = 0;
    switch ((enum dfr_cli_option)option) {
    case DFR_OPT_OUTPUT:
        push(&o->outputs, value);
        return true;
    case DFR_OPT_RULES:
        push(&o->rules, value);
        return true;
    case DFR_OPT_SEARCH:
        push(&o->search, value);
        return true;
    case DFR_OPT_ROOT:
        push(&o->roots, value);
        return true;
    case DFR_OPT_FIGURES:
    case DFR_OPT_REPORT:
        push(&o->outputs, value);
        return true;
    case DFR_OPT_AGAINST:
        o->against = value;
        return true;
    case DFR_OPT_SAVE:
    case DFR_OPT_OVERRIDES:
        o->save = value;
        return true;
    case DFR_OPT_ONLY:
        o->only = value;
        return true;
    case DFR_OPT_ASCII:
        return o->ascii = true;
    case DFR_OPT_ALL:
        return o->all = true;
    case DFR_OPT_VERBOSE:
        return o->verbose = true;
    case DFR_OPT_QUIET:
        return o->quiet = true;
    case DFR_OPT_NO_DEFAULT_RULES:
        return o->no_default_rules = true;
    case DFR_OPT_NO_CACHE:
        return o->no_cache = true;
    case DFR_OPT_UNORDERED:
        return o->unordered = true;
    case DFR_OPT_NO_INDEX:
        return o->no_index = true;
    case DFR_OPT_COVERAGE:
        return o->coverage = true;
    case DFR_OPT_TOGETHER:
        return o->together = true;
    case DFR_OPT_MUTATE:
        return o->mutate = true;
    case DFR_OPT_VERSION:
        return o->version = true;
    case DFR_OPT_HELP:
        o->long_help = o->long_help || is_long;
        return o->help = true;
    case DFR_OPT_COLOR:
        if (!choice(row, value, &word))
            return false;
        o->color = (enum dfr_cli_when)word;
        return true;
    case DFR_OPT_FAIL_ON:
        if (!choice(row, value, &word))
            return false;
        o->fail_on = word + 1;
        return true;
    case DFR_OPT_KIND:
        if (!choice(row, value, &word))
            return false;
        o->kind = value;
        return true;
    case DFR_OPT_IMAGES:
        o->images = value;
        return true;
    case DFR_OPT_TEXT:
        o->kind = "text";
        return true;
    case DFR_OPT_TIER:
        return choice(row, value, &o->tiers);
    case DFR_OPT_COLUMNS:
        if (!number(row, value, 20, 1000, &n))
            return false;
        o->columns = (int)n;
        return true;
    case DFR_OPT_JOBS:
        if (!number(row, value, 1, 256, &n))
            return false;
        o->jobs = (unsigned)n;
        return true;
    case DFR_OPT_CRASH:
        if (!number(row, value, 1, UINT32_MAX, &n))
            return false;
        o->crash = (size_t)n;
        return true;
    case DFR_OPT_MAX_SIZE:
        return number(row, value, 1, UINT64_MAX, &o->max_bytes);
    case DFR_OPT_ALL_MODULES:
        return o->all_modules = true;
    case DFR_OPT_RETRY:
        return o->retry = true;
    case DFR_OPT_SERVER:
        o->server = value;
        return true;
    case DFR_OPT_SYMBOLS:
        o->symbols = value;
        return true;
    case DFR_OPT_STEPS:
        if (!number(row, value, 1, UINT32_MAX, &n))
            return false;
        o->steps = (uint32_t)n;
        return true;
    case DFR_OPT_COUNT:
        break;
    }
    return false;
}

/* ---- Reading ------------------------------------------------------------------------------- */

static void unknown_option(const char *word, unsigned verbs, const char *verb)
{
    char name[64];
    size_t len = strcspn(word, "=");
    const char *best = NULL;
    size_t score = SIZE_MAX;
    if (len >= sizeof name || word[0] != '-' || word[1] != '-') {
        dfr_cli_say("unknown option `%s`; `dfrule %s%s-h` lists them", word, verb,
                    *verb ? " " : "");
        return;
    }
    memcpy(name, word, len);
    name[len] = '\0';
    for (int i = 0; i < DFR_OPT_COUNT; i++) {
        const struct dfr_cli_option_info *row = &dfr_cli_option_rows[i];
        if (strcmp(row->name, name + 2) == 0 && !(row->verbs & verbs)) {
            dfr_cli_say("`%s` is no option of `dfrule %s`", name, verb);
            return;
        }
        if (row->verbs & verbs)
            nearer(name + 2, row->name, &best, &score);
    }
    if (best)
        dfr_cli_say("unknown option `%s`; did you mean `--%s`?", name, best);
    else
        dfr_cli_say("unknown option `%s`; `dfrule %s%s-h` lists them", name, verb,
                    *verb ? " " : "");
}

static void unknown_letter(int letter, unsigned verbs, const char *verb)
{
    char word[3] = {'-', (char)letter, '\0'};
    for (int i = 0; i < DFR_OPT_COUNT; i++)
        if (dfr_cli_option_rows[i].letter == letter && !(dfr_cli_option_rows[i].verbs & verbs)) {
            dfr_cli_say("`%s` is no option of `dfrule %s`", word, verb);
            return;
        }
    unknown_option(word, verbs, verb);
}

static const struct dfr_cli_option_info *by_value(const struct table *t, int value)
{
    for (size_t k = 0; t->longs[k].name; k++)
        if (t->longs[k].val == value)
            return &dfr_cli_option_rows[t->rows[k]];
    return NULL;
}

/* getopt over argv without its verb. */
static bool read_all(int argc, char **argv, unsigned verbs, const char *verb,
                     struct dfr_cli_options *o)
{
    struct table t;
    make_table(&t, verbs);
    opterr = 0;
    optind = 0;
    for (;;) {
        int index = -1;
        int c = getopt_long(argc, argv, t.shorts, t.longs, &index);
        if (c == -1)
            break;
        const struct dfr_cli_option_info *row = by_value(&t, optopt);
        if (c == '?') {
            if (row)
                dfr_cli_say("--%s takes no argument", row->name);
            else if (optopt > 0)
                unknown_letter(optopt, verbs, verb);
            else
                unknown_option(argv[optind - 1], verbs, verb);
            return false;
        }
        if (c == ':') {
            dfr_cli_say("--%s needs an argument: %s", row ? row->name : "",
                        row ? row->argument : "");
            return false;
        }
        bool is_long = index >= 0;
        for (int k = 0; !is_long && t.longs[k].name; k++)
            if (t.longs[k].val == c)
                index = k;
        if (!take(o, t.rows[index], optarg, is_long))
            return false;
    }
    for (int i = optind; i < argc; i++)
        push(&o->operands, argv[i]);
    return true;
}

/* "corpus" alone: say which there are. */
static void half_a_verb(const char *first, const char *second)
{
    struct dfr_cli_text t = {0};
    const char *shown = NULL;
    size_t n = strlen(first);
    for (unsigned i = 0; i < DFR_VERB_COUNT; i++) {
        const char *word = dfr_cli_verb_rows[i].word;
        if (strncmp(word, first, n) != 0 || word[n] != ' ')
            continue;
        dfr_cli_text_printf(&t, "%s%s", t.len ? ", " : "", word + n + 1);
        shown = shown ? shown : word;
    }
    if (second)
        dfr_cli_say("unknown verb `%s %s`; there are: %s", first, second, t.p);
    else
        dfr_cli_say("`%s` needs a second word: %s; `dfrule %s -h` tells of one", first, t.p, shown);
    dfr_cli_text_free(&t);
}

bool dfr_cli_options_read(int argc, char **argv, struct dfr_cli_options *ret)
{
    *ret =
        (struct dfr_cli_options){.verb = DFR_VERB_COUNT, .program = argc > 0 ? argv[0] : "dfrule"};
    int at = word_index(argc, argv, 0), second = -1;
    unsigned verbs = DFR_ON_EVERY;
    const char *word = "";
    char **rest = dfr_cli_alloc(NULL, (size_t)argc + 2, sizeof *rest);
    int n = 0;
    if (at < argc) {
        ret->verb = dfr_cli_verb_find(argv[at]);
        if (is_first_word(argv[at])) {
            second = word_index(argc, argv, at);
            ret->verb = dfr_cli_verb_pair(argv[at], second < argc ? argv[second] : NULL);
            if (ret->verb == DFR_VERB_COUNT)
                half_a_verb(argv[at], second < argc ? argv[second] : NULL);
        } else if (ret->verb == DFR_VERB_COUNT) {
            dfr_cli_unknown_verb(argv[at]);
        }
        if (ret->verb == DFR_VERB_COUNT) {
            free(rest);
            return false;
        }
        word = dfr_cli_verb_rows[ret->verb].word;
        verbs = 1u << ret->verb;
    }
    for (int i = 0; i < argc; i++)
        if (i != at && i != second && !(i < at && strcmp(argv[i], "--") == 0))
            rest[n++] = argv[i];
    rest[n] = NULL;
    bool ok = read_all(n, rest, verbs, word, ret);
    free(rest);
    return ok;
}

void dfr_cli_options_deinit(struct dfr_cli_options *o)
{
    free(o->operands.v);
    free(o->outputs.v);
    free(o->rules.v);
    free(o->search.v);
    free(o->roots.v);
    *o = (struct dfr_cli_options){0};
}
