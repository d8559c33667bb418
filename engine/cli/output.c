/* Files are written beside their place and renamed when all is there, so that nobody ever reads half
 * a result; what is no regular file is written in place. */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Temporary files of this process, for the signal handler. Set before the handler can run. */
static char *volatile temps[DFR_CLI_OUTPUTS];

static void remove_temps(int signal_number)
{
    for (int i = 0; i < DFR_CLI_OUTPUTS; i++)
        if (temps[i])
            unlink(temps[i]);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void watch_signals(void)
{
    static const int all[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct sigaction old;
        struct sigaction act = {.sa_handler = remove_temps};
        if (sigaction(all[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(all[i], &act, NULL);
    }
}

dfr_style dfr_cli_style(const struct dfr_cli_options *o, FILE *file)
{
    dfr_style s = {.size = sizeof s, .ascii = o->ascii, .verbose = o->verbose, .all = o->all};
    const char *no_color = getenv("NO_COLOR");
    bool automatic = file && dfr_cli_is_terminal(file) && !(no_color && *no_color);
    s.color = o->color == DFR_CLI_ALWAYS || (o->color == DFR_CLI_AUTO && automatic);
    s.columns = o->columns ? o->columns : file ? dfr_cli_columns(file) : 80;
    return s;
}

/* "FORMAT" or "FORMAT=FILE". */
static bool read_output(const struct dfr_cli_options *o, const char *given,
                        struct dfr_cli_output *ret)
{
    static const struct {
        const char *word;
        dfr_format format;
    } formats[] = {{"text", DFR_FORMAT_TEXT},
                   {"json", DFR_FORMAT_JSON},
                   {"ndjson", DFR_FORMAT_NDJSON},
                   {"md", DFR_FORMAT_MARKDOWN},
                   {"tsv", DFR_FORMAT_TSV}};
    size_t len = strcspn(given, "=");
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strlen(formats[i].word) == len && memcmp(given, formats[i].word, len) == 0 &&
            (formats[i].format <= DFR_FORMAT_NDJSON || o->verb == DFR_VERB_CORPUS_EVAL)) {
            ret->format = formats[i].format;
            ret->path = given[len] ? given + len + 1 : NULL;
            if (ret->path && strcmp(ret->path, "-") == 0)
                ret->path = NULL;
            if (!ret->path || ret->path[0])
                return true;
            dfr_cli_say("-o %s: the file name is missing", given);
            return false;
        }
    const char *dot = strrchr(given, '.');
    if (dot && (!strcmp(dot, ".json") || !strcmp(dot, ".ndjson") || !strcmp(dot, ".txt")))
        dfr_cli_say("-o %s: no such format; did you mean `-o %s=%s`?", given,
                    strcmp(dot, ".txt") == 0 ? "text" : dot + 1, given);
    else
        dfr_cli_say("-o %s: no such format; there are text, json and ndjson", given);
    return false;
}

static bool open_file(struct dfr_cli_output *out, size_t slot)
{
    struct stat st;
    if (stat(out->path, &st) == 0 && !S_ISREG(st.st_mode)) {
        out->file = S_ISDIR(st.st_mode) ? NULL : fopen(out->path, "we");
        if (!out->file)
            dfr_cli_say("%s: %s", out->path, S_ISDIR(st.st_mode) ? "is a folder" : strerror(errno));
        return out->file != NULL;
    }
    struct dfr_cli_text name = {0};
    dfr_cli_text_printf(&name, "%s.part-XXXXXX", out->path);
    int fd = mkostemp(name.p, O_CLOEXEC);
    if (fd < 0) {
        dfr_cli_say("%s: %s", out->path, strerror(errno));
        dfr_cli_text_free(&name);
        return false;
    }
    temps[slot] = out->temp = name.p;
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(fd, 0666 & ~mask) == 0)
        out->file = fdopen(fd, "w");
    if (out->file)
        return true;
    dfr_cli_say("%s: %s", out->path, strerror(errno));
    close(fd);
    return false;
}

bool dfr_cli_outputs_open(const struct dfr_cli_options *o, const char *schema,
                          struct dfr_cli_outputs *ret)
{
    *ret = (struct dfr_cli_outputs){.schema = schema};
    if (o->outputs.n > DFR_CLI_OUTPUTS) {
        dfr_cli_say("-o: more than %d outputs", DFR_CLI_OUTPUTS);
        return false;
    }
    for (size_t i = 0; i < o->outputs.n; i++) {
        if (!read_output(o, o->outputs.v[i], &ret->v[i]))
            return false;
        for (size_t k = 0; k < i; k++) {
            const char *a = ret->v[i].path, *b = ret->v[k].path;
            if ((!a && !b) || (a && b && strcmp(a, b) == 0)) {
                dfr_cli_say("-o: two outputs go to %s", a ? a : "standard output");
                return false;
            }
        }
    }
    ret->n = o->outputs.n;
    if (ret->n == 0)
        ret->v[ret->n++] = (struct dfr_cli_output){.format = DFR_FORMAT_TEXT};
    watch_signals();
    for (size_t i = 0; i < ret->n; i++) {
        struct dfr_cli_output *out = &ret->v[i];
        if (!out->path) {
            out->file = stdout;
        } else if (!open_file(out, i)) {
            dfr_cli_outputs_close(ret, false);
            return false;
        }
        out->style = dfr_cli_style(o, out->path ? NULL : stdout);
    }
    return true;
}

void dfr_cli_outputs_many(struct dfr_cli_outputs *outs)
{
    for (size_t i = 0; i < outs->n; i++)
        outs->v[i].many = true;
}

void dfr_cli_output_piece(struct dfr_cli_outputs *outs, size_t output, const char *p, size_t len)
{
    struct dfr_cli_output *out = &outs->v[output];
    if (out->format == DFR_FORMAT_TEXT && out->pieces)
        fputc('\n', out->file);
    if (out->format == DFR_FORMAT_JSON && out->many) {
        if (out->pieces == 0)
            fprintf(out->file, "{\n  \"schema\": \"%s\",\n  \"results\": [\n", outs->schema);
        else
            fputs(",\n", out->file);
        while (len && p[len - 1] == '\n')
            len--;
        while (len) { /* JSON strings hold no newline, so every line may be moved in */
            const char *end = memchr(p, '\n', len);
            size_t line = end ? (size_t)(end - p) + 1 : len;
            fputs("    ", out->file);
            fwrite(p, 1, line, out->file);
            p += line;
            len -= line;
        }
    } else {
        fwrite(p, 1, len, out->file);
    }
    out->pieces++;
}

void dfr_cli_output_flush(struct dfr_cli_outputs *outs)
{
    for (size_t i = 0; i < outs->n; i++)
        if (!outs->v[i].path)
            fflush(outs->v[i].file);
}

static bool close_file(struct dfr_cli_output *out, bool keep)
{
    bool ok = !ferror(out->file);
    if (!out->path)
        return fflush(out->file) == 0 && ok;
    ok = fflush(out->file) == 0 && ok;
    if (ok && keep && out->temp)
        ok = fsync(fileno(out->file)) == 0;
    ok = fclose(out->file) == 0 && ok;
    if (ok && keep && out->temp)
        ok = rename(out->temp, out->path) == 0;
    return ok;
}

bool dfr_cli_outputs_close(struct dfr_cli_outputs *outs, bool keep)
{
    bool all = true;
    for (size_t i = 0; i < outs->n; i++) {
        struct dfr_cli_output *out = &outs->v[i];
        if (!out->file && !out->temp)
            continue;
        if (keep && out->format == DFR_FORMAT_JSON && out->many) {
            if (out->pieces == 0)
                fprintf(out->file, "{\n  \"schema\": \"%s\",\n  \"results\": []\n}\n",
                        outs->schema);
            else
                fputs("\n  ]\n}\n", out->file);
        }
        errno = 0;
        bool ok = out->file ? close_file(out, keep) : false;
        if (!ok && out->temp)
            unlink(out->temp);
        else if (!keep && out->temp)
            unlink(out->temp);
        if (!ok && keep)
            dfr_cli_say("%s: %s", out->path ? out->path : "standard output",
                        errno ? strerror(errno) : "could not be written");
        temps[i] = NULL;
        free(out->temp);
        out->temp = NULL;
        out->file = NULL;
        all = all && (ok || !keep);
    }
    return all;
}

int dfr_cli_write_text(void *text, const char *p, size_t len)
{
    dfr_cli_text_add(text, p, len);
    return 0;
}
