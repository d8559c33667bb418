/* symbols: what images and PDBs a dump wants, and fetching them. */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/fetch.h"

static const char microsoft[] = "https://msdl.microsoft.com/download/symbols";

struct entry {
    dfr_symbol_file file; /* its texts are owned: each ends in a zero */
};
struct entries {
    struct entry *v;
    size_t n, cap;
};

static dfr_text copied(dfr_text t)
{
    char *p = dfr_cli_alloc(NULL, t.len + 1, 1);
    memcpy(p, t.p, t.len);
    p[t.len] = 0;
    return (dfr_text){p, t.len};
}

static int keep(void *user, const dfr_symbol_file *file)
{
    struct entries *e = user;
    if (e->n == e->cap) {
        e->cap = e->cap ? e->cap * 2 : 64;
        e->v = dfr_cli_alloc(e->v, e->cap, sizeof *e->v);
    }
    struct entry *new = &e->v[e->n++];
    new->file = *file;
    new->file.module = copied(file->module);
    new->file.path = copied(file->path);
    new->file.why = copied(file->why);
    return 0;
}

static void entries_free(struct entries *e)
{
    for (size_t i = 0; i < e->n; i++) {
        free((void *)(uintptr_t)e->v[i].file.module.p);
        free((void *)(uintptr_t)e->v[i].file.path.p);
        free((void *)(uintptr_t)e->v[i].file.why.p);
    }
    free(e->v);
    *e = (struct entries){0};
}

/* Open a dump with a symbol path and list what it wants. */
static dfr_result list_of(const struct dfr_cli_options *o, const char *dump, const char *path,
                          struct entries *ret, dfr_crash **ret_crash, dfr_error *error)
{
    dfr_input input = {.size = sizeof input, .path = dump};
    dfr_crash_options options = {
        .size = sizeof options, .max_bytes = o->max_bytes, .symbol_path = path, .list_symbols = 1};
    dfr_result r = dfr_crash_open(&input, &options, ret_crash, error);
    if (r == DFR_RESULT_OK)
        r = dfr_crash_symbols(*ret_crash, keep, ret, error);
    return r;
}

static bool shown(const struct dfr_cli_options *o, const struct entry *e)
{
    return o->all_modules || e->file.matters;
}

/* ---- list -------------------------------------------------------------------------------------- */

static void list_text(const struct dfr_cli_options *o, const struct entries *e,
                      struct dfr_cli_text *t)
{
    size_t missing = 0, unknown = 0, hidden = 0;
    for (size_t i = 0; i < e->n; i++) {
        const dfr_symbol_file *f = &e->v[i].file;
        if (!shown(o, &e->v[i])) {
            hidden++;
            continue;
        }
        bool known = f->path.len > 0;
        missing += known && !f->have;
        unknown += !known && !f->have;
        dfr_cli_text_z(t, f->have ? "have     " : known ? "missing  " : "unknown  ");
        if (known) {
            dfr_cli_text_safe(t, f->path.p, f->path.len);
        } else {
            dfr_cli_text_z(t, f->pdb ? "PDB of " : "image of ");
            dfr_cli_text_safe(t, f->module.p, f->module.len);
            dfr_cli_text_z(t, ": ");
            dfr_cli_text_z(t, f->pdb && !f->have ? "its image says which; " : "");
            dfr_cli_text_safe(t, f->why.p, f->why.len);
        }
        dfr_cli_text_z(t, "\n");
    }
    dfr_cli_text_printf(t, "\n%zu missing, %zu not known yet", missing, unknown);
    if (hidden)
        dfr_cli_text_printf(t, "; --all shows %zu more, of modules that are not involved", hidden);
    dfr_cli_text_z(t, "\n");
    if (missing)
        dfr_cli_text_z(t, "`dfrule symbols fetch` gets them.\n");
}

static void member(struct dfr_cli_text *t, const char *name, dfr_text value)
{
    dfr_cli_text_printf(t, ", \"%s\": ", name);
    dfr_cli_text_json(t, value.p, value.len);
}

static void list_json(const struct dfr_cli_options *o, const struct entries *e, const char *dump,
                      bool lines, struct dfr_cli_text *t)
{
    const char *line = lines ? "" : "\n  ", *row = lines ? "" : "\n    ";
    bool first = true;
    dfr_cli_text_printf(t, "{%s\"schema\": \"dfrule/symbols/1\",%s\"input\": ", line,
                        lines ? " " : line);
    dfr_cli_text_json(t, dump, strlen(dump));
    dfr_cli_text_printf(t, ",%s\"files\": [", lines ? " " : line);
    for (size_t i = 0; i < e->n; i++) {
        const dfr_symbol_file *f = &e->v[i].file;
        if (!shown(o, &e->v[i]))
            continue;
        dfr_cli_text_printf(t, "%s%s{\"kind\": \"%s\"",
                            first   ? ""
                            : lines ? ", "
                                    : ",",
                            row, f->pdb ? "pdb" : "image");
        first = false;
        member(t, "module", f->module);
        dfr_cli_text_printf(t, ", \"have\": %s, \"matters\": %s, \"on_stack\": %s",
                            f->have ? "true" : "false", f->matters ? "true" : "false",
                            f->on_stack ? "true" : "false");
        if (f->path.len)
            member(t, "path", f->path);
        else
            member(t, "why", f->why);
        dfr_cli_text_z(t, "}");
    }
    dfr_cli_text_printf(t, "%s]%s}\n", line, lines ? "" : "\n");
}

static int list(const struct dfr_cli_options *o, const char *dump, const char *path)
{
    struct dfr_cli_outputs outs;
    struct entries e = {0};
    dfr_crash *crash = NULL;
    dfr_error error = {.message = ""};
    if (!dfr_cli_outputs_open(o, "dfrule/symbols/1", &outs))
        return DFR_EXIT_USAGE;
    dfr_result r = list_of(o, dump, path, &e, &crash, &error);
    for (size_t i = 0; i < outs.n && r == DFR_RESULT_OK; i++) {
        struct dfr_cli_text t = {0};
        if (outs.v[i].format == DFR_FORMAT_TEXT)
            list_text(o, &e, &t);
        else
            list_json(o, &e, dump, outs.v[i].format == DFR_FORMAT_NDJSON, &t);
        dfr_cli_output_piece(&outs, i, t.p ? t.p : "", t.len);
        dfr_cli_text_free(&t);
    }
    int code = r == DFR_RESULT_OK ? DFR_EXIT_OK : dfr_cli_failed(&error);
    if (!dfr_cli_outputs_close(&outs, r == DFR_RESULT_OK))
        code = DFR_EXIT_USAGE;
    entries_free(&e);
    dfr_crash_free(crash);
    return code;
}

/* ---- fetch ------------------------------------------------------------------------------------- */

struct counts {
    size_t done, absent, failed;
};

static void tell(const struct dfr_cli_options *o, const char *word, const char *path,
                 const char *more)
{
    struct dfr_cli_text t = {0};
    if (o->quiet)
        return;
    dfr_cli_text_printf(&t, "%-10s", word);
    dfr_cli_text_safe(&t, path, strlen(path));
    dfr_cli_text_z(&t, more);
    dfr_cli_text_z(&t, "\n");
    fwrite(t.p, 1, t.len, stdout);
    fflush(stdout);
    dfr_cli_text_free(&t);
}

/* Did a module matter before? With its image at hand the stack may be another one. */
static bool mattered(const struct entries *before, dfr_text module)
{
    for (size_t i = 0; i < before->n; i++) {
        const dfr_symbol_file *file = &before->v[i].file;
        if (file->matters && file->module.len == module.len &&
            memcmp(file->module.p, module.p, module.len) == 0)
            return true;
    }
    return false;
}

/* Fetch all files of one kind that are known and not there. */
static void fetch_kind(const struct dfr_cli_options *o, struct dfr_fetch *f,
                       const struct entries *before, const struct entries *e, bool pdb,
                       struct counts *counts)
{
    char more[64];
    for (size_t i = 0; i < e->n; i++) {
        const dfr_symbol_file *file = &e->v[i].file;
        if ((!shown(o, &e->v[i]) && !mattered(before, file->module)) || file->have ||
            !file->path.len || (file->pdb != 0) != pdb)
            continue;
        switch (dfr_fetch_file(f, file)) {
        case DFR_FETCH_DONE:
            counts->done++;
            snprintf(more, sizeof more, " (%llu bytes)", (unsigned long long)f->bytes);
            tell(o, "fetched", file->path.p, more);
            break;
        case DFR_FETCH_ABSENT:
            counts->absent++;
            tell(o, "not there", file->path.p, "");
            break;
        case DFR_FETCH_KNOWN_ABSENT:
            counts->absent++;
            tell(o, "not there", file->path.p, ", by an earlier answer; --retry asks again");
            break;
        case DFR_FETCH_FAILED:
            counts->failed++;
            dfr_cli_say("%s", f->message);
            break;
        }
    }
}

/* Images first: they say which PDBs belong to them, so the dump is read again once they are here. */
static dfr_result fetch_all(const struct dfr_cli_options *o, const char *dump, const char *path,
                            struct dfr_fetch *f, struct counts *counts, dfr_error *error)
{
    struct entries lists[2] = {0};
    dfr_result r = DFR_RESULT_OK;
    for (int pdb = 0; pdb <= 1 && r == DFR_RESULT_OK; pdb++) {
        dfr_crash *crash = NULL;
        r = list_of(o, dump, path, &lists[pdb], &crash, error);
        if (r == DFR_RESULT_OK)
            fetch_kind(o, f, &lists[0], &lists[pdb], pdb != 0, counts);
        dfr_crash_free(crash);
    }
    entries_free(&lists[0]);
    entries_free(&lists[1]);
    return r;
}

/* The server and the store that the symbol path names, where no option says it. */
static dfr_result find_places(const struct dfr_cli_options *o, const char *dump, const char *path,
                              char **ret_server, char **ret_store, dfr_error *error)
{
    struct entries e = {0};
    dfr_crash *crash = NULL;
    dfr_result r = list_of(o, dump, path, &e, &crash, error);
    if (r == DFR_RESULT_OK) {
        dfr_text server = dfr_crash_symbol_server(crash, 0);
        dfr_text store = dfr_crash_symbol_store(crash, 0);
        if (o->server)
            server = dfr_cli_text_of(o->server);
        else if (!server.p)
            server = dfr_cli_text_of(microsoft);
        *ret_server = (char *)(uintptr_t)copied(server).p;
        *ret_store = store.p ? (char *)(uintptr_t)copied(store).p : NULL;
        for (size_t n = strlen(*ret_server); n && (*ret_server)[n - 1] == '/'; n--)
            (*ret_server)[n - 1] = 0;
    }
    entries_free(&e);
    dfr_crash_free(crash);
    return r;
}

static int fetch(const struct dfr_cli_options *o, const char *dump, const char *path)
{
    char *server = NULL, *store = NULL;
    struct counts counts = {0};
    dfr_error error = {.message = ""};
    int code = DFR_EXIT_OK;
    dfr_result r = find_places(o, dump, path, &server, &store, &error);
    if (r != DFR_RESULT_OK) {
        code = dfr_cli_failed(&error);
    } else if (!store) {
        dfr_cli_say("the symbol path names no store to put files into, such as "
                    "`--symbols 'srv*symbols'`");
        code = DFR_EXIT_USAGE;
    } else if (strncasecmp(server, "http://", 7) != 0 && strncasecmp(server, "https://", 8) != 0) {
        dfr_cli_say("--server: %s is no http or https address", server);
        code = DFR_EXIT_USAGE;
    } else {
        struct dfr_fetch f = {.server = server,
                              .store = store,
                              .retry = o->retry,
                              .progress = !o->quiet && dfr_cli_is_terminal(stderr)};
        if (!o->quiet)
            dfr_cli_say("fetching from %s into %s", server, store);
        if (!dfr_fetch_init(&f)) {
            dfr_cli_say("%s", f.message);
            code = DFR_EXIT_INTERNAL;
        } else {
            r = fetch_all(o, dump, path, &f, &counts, &error);
            if (r != DFR_RESULT_OK)
                code = dfr_cli_failed(&error);
            else if (counts.failed)
                code = DFR_EXIT_PARTIAL;
            if (!o->quiet)
                dfr_cli_say("%zu fetched, %zu not on the server, %zu failed", counts.done,
                            counts.absent, counts.failed);
        }
        dfr_fetch_deinit(&f);
    }
    free(server);
    free(store);
    return code;
}

int dfr_cli_symbols(const struct dfr_cli_options *o)
{
    char standard[4096];
    bool fetching = o->operands.n > 0 && strcmp(o->operands.v[0], "fetch") == 0;
    if (o->operands.n != 2 || (!fetching && strcmp(o->operands.v[0], "list") != 0)) {
        dfr_cli_say("symbols needs `list` or `fetch`, and then one dump");
        return DFR_EXIT_USAGE;
    }
    const char *path = dfr_cli_symbol_path(o, fetching, standard, sizeof standard);
    return fetching ? fetch(o, o->operands.v[1], path) : list(o, o->operands.v[1], path);
}
