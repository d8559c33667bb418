/* Which rules a run uses: the default ones, those named by -r, and those of the operands. */
#include "cli/commands.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

dfr_text dfr_cli_text_of(const char *z)
{
    return (dfr_text){z, strlen(z)};
}

int dfr_cli_exit_of(dfr_result result)
{
    switch (result) {
    case DFR_RESULT_OK:
        return DFR_EXIT_OK;
    case DFR_RESULT_BAD_RULES:
    case DFR_RESULT_BAD_CACHE:
        return DFR_EXIT_RULES;
    case DFR_RESULT_MISUSE:
        return DFR_EXIT_USAGE;
    case DFR_RESULT_IO:
    case DFR_RESULT_NOT_A_CRASH:
    case DFR_RESULT_UNSUPPORTED:
    case DFR_RESULT_LIMIT:
        return DFR_EXIT_INPUT;
    case DFR_RESULT_NO_MEMORY:
    case DFR_RESULT_INTERNAL:
        break;
    }
    return DFR_EXIT_INTERNAL;
}

int dfr_cli_failed(const dfr_error *error)
{
    dfr_cli_say("%s", error->message);
    return dfr_cli_exit_of(error->result);
}

/* The folder of this program, without the last slash; false when the system does not tell. */
static bool program_folder(const char *program, char *ret, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", ret, size - 1);
    if (n > 0 && (size_t)n < size - 1) {
        ret[n] = '\0';
    } else {
        char *real = strchr(program, '/') ? realpath(program, NULL) : NULL;
        bool fits = real && strlen(real) < size;
        if (fits)
            memcpy(ret, real, strlen(real) + 1);
        free(real);
        if (!fits)
            return false;
    }
    char *slash = strrchr(ret, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return true;
}

/* $DFRULE_RULES, the rules installed with the command, or those of the source tree it was built in. */
static bool default_rules(const struct dfr_cli_options *o, char *ret, size_t size)
{
    static const char *const places[] = {"../share/dfrule/rules", "../../rules"};
    const char *given = getenv("DFRULE_RULES");
    char folder[PATH_MAX];
    struct stat st;
    if (given && *given) {
        int n = snprintf(ret, size, "%s", given);
        return n > 0 && (size_t)n < size;
    }
    if (!program_folder(o->program, folder, sizeof folder))
        return false;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int n = snprintf(ret, size, "%s/%s", folder, places[i]);
        if (n <= 0 || (size_t)n >= size || stat(ret, &st) != 0)
            continue;
        char *real = realpath(ret, NULL); /* without the dots, as users know it */
        if (real && strlen(real) < size)
            memcpy(ret, real, strlen(real) + 1);
        free(real);
        return true;
    }
    return false;
}

/* The same path as users would write it from here: shorter in messages. */
static const char *from_here(const char *path)
{
    char here[PATH_MAX];
    size_t n;
    if (!getcwd(here, sizeof here))
        return path;
    n = strlen(here);
    return strncmp(path, here, n) == 0 && path[n] == '/' && path[n + 1] ? path + n + 1 : path;
}

static void push(dfr_text *v, size_t *n, const char *path)
{
    v[(*n)++] = dfr_cli_text_of(path);
}

static void print_diagnostics(const struct dfr_cli_options *o, const dfr_diagnostics *d)
{
    struct dfr_cli_text t = {0};
    dfr_error error;
    dfr_style style = dfr_cli_style(o, stderr);
    if (dfr_diagnostics_write(d, DFR_FORMAT_TEXT, &style, dfr_cli_write_text, &t, &error) ==
        DFR_RESULT_OK)
        dfr_cli_tell(t.p ? t.p : "", t.len);
    dfr_cli_text_free(&t);
}

int dfr_cli_rules(const struct dfr_cli_options *o, const struct dfr_cli_rule_request *request,
                  dfr_rules **ret, dfr_diagnostics **ret_diagnostics)
{
    char standard[PATH_MAX], cache[PATH_MAX];
    bool have_standard = default_rules(o, standard, sizeof standard);
    const char *shown = have_standard ? from_here(standard) : NULL;
    const struct dfr_cli_list none = {0}, *operands = request->paths ? request->paths : &none;
    bool alone = request->base == DFR_CLI_PATHS_ALONE && operands->n;
    dfr_text *paths = dfr_cli_alloc(NULL, operands->n + o->rules.n + 1, sizeof *paths);
    dfr_text *search = dfr_cli_alloc(NULL, o->search.n + 1, sizeof *search);
    size_t path_count = 0, search_count = 0;
    if (have_standard && !o->no_default_rules && !alone)
        push(paths, &path_count, shown);
    for (size_t i = 0; i < operands->n; i++)
        push(paths, &path_count, operands->v[i]);
    for (size_t i = 0; i < o->rules.n; i++)
        push(paths, &path_count, o->rules.v[i]);
    for (size_t i = 0; i < o->search.n; i++)
        push(search, &search_count, o->search.v[i]);
    if (have_standard && !o->no_default_rules)
        push(search, &search_count, shown);

    int code = DFR_EXIT_OK;
    if (path_count == 0) {
        dfr_cli_say("there are no rules: name some with -r, or set DFRULE_RULES");
        code = DFR_EXIT_USAGE;
    } else {
        dfr_rules_options options = {.size = sizeof options,
                                     .tiers = request->tiers,
                                     .now = (int64_t)time(NULL),
                                     .search = search,
                                     .search_count = search_count,
                                     .lint = request->lint};
        if (request->cached && !o->no_cache && dfr_cli_cache_folder(cache, sizeof cache))
            options.cache = dfr_cli_text_of(cache);
        dfr_diagnostics *diagnostics = NULL;
        dfr_error error = {.result = DFR_RESULT_OK, .message = ""};
        dfr_result r = dfr_rules_load(paths, path_count, &options, ret, &diagnostics, &error);
        bool bad = r == DFR_RESULT_BAD_RULES;
        if (diagnostics && !ret_diagnostics && (bad || !request->silent))
            print_diagnostics(o, diagnostics);
        if (r == DFR_RESULT_IO || r == DFR_RESULT_LIMIT) { /* a wrong -r, not a wrong input */
            dfr_cli_say("%s", error.message);
            code = DFR_EXIT_USAGE;
        } else if (r != DFR_RESULT_OK && !(bad && diagnostics)) {
            code = dfr_cli_failed(&error);
        } else if (bad) {
            uint32_t n = dfr_diagnostics_errors(diagnostics);
            if (!ret_diagnostics)
                dfr_cli_say("%u error%s in the rules", n, n == 1 ? "" : "s");
            code = DFR_EXIT_RULES;
        }
        if (ret_diagnostics)
            *ret_diagnostics = diagnostics;
        else
            dfr_diagnostics_free(diagnostics);
    }
    free(paths);
    free(search);
    return code;
}
