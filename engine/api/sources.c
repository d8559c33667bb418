#include "api/sources.h"

#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "lang/parse.h"

static const char suffix[] = ".dfr";
static const char manifest[] = "pack.dfr";
static const char cache_magic[] = "DFRC";
static const char core_name[] = "dfrule.core";

enum { LEVELS_UP = 8 };

struct reading {
    struct dfr_arena *a;
    struct dfr_paths paths;
    uint32_t read; /* of paths: those before it are in `out` */
    struct dfr_sources *out;
    struct dfr_names declared; /* packs */
    DFR_VEC(struct dfr_str) pack_folders;
    DFR_VEC(struct dfr_str) wanted; /* packs that are imported */
    struct dfr_err *err;
};

static bool exists(struct dfr_arena *a, struct dfr_str path)
{
    return access(dfr_arena_copy(a, path.p, path.len), R_OK) == 0;
}

/* Folder of the nearest pack.dfr beside a file or above it, as far up as its path is spelled. */
static bool pack_folder(struct dfr_arena *a, struct dfr_str file, struct dfr_str *ret)
{
    struct dfr_str folder = dfr_path_folder(file);
    for (int i = 0; i < LEVELS_UP; i++) {
        if (exists(a, dfr_path_join(a, folder, dfr_str_from(manifest)))) {
            *ret = folder;
            return true;
        }
        if (folder.len <= 1)
            return false;
        folder = dfr_path_folder(folder);
    }
    return false;
}

static enum dfr_status add_path(struct reading *r, struct dfr_str path)
{
    struct dfr_str folder;
    uint32_t before = r->paths.list.n;
    enum dfr_status status = dfr_paths_add(&r->paths, r->a, path, suffix, r->err);
    bool is_file = r->paths.list.n == before + 1 && dfr_str_eq(r->paths.list.v[before], path);
    if (status == DFR_OK && is_file && dfr_str_ends_ci(path, dfr_str_from(suffix)) &&
        pack_folder(r->a, path, &folder))
        status = dfr_paths_add(&r->paths, r->a, folder, suffix, r->err);
    return status;
}

static void deinit_later(void *arena)
{
    dfr_arena_deinit(arena);
}

/* What a source declares and imports. The compiler parses again: it wants all sources at once. */
static void look_into(struct reading *r, const struct dfr_compile_source *c)
{
    struct dfr_mem *mem = r->a->mem;
    struct dfr_arena *scratch = DFR_NEW(r->a, struct dfr_arena);
    dfr_arena_init(scratch, mem);
    dfr_arena_defer(r->a, deinit_later, scratch);
    struct dfr_source source;
    struct dfr_file tree = {0};
    struct dfr_diags diags;
    dfr_diags_init(&diags, scratch);
    dfr_source_init(&source, scratch, c->path, c->text);
    dfr_parse(scratch, &source, &diags, &tree);
    for (const struct dfr_node *n = tree.items; n; n = n->next) {
        if (n->kind == DFR_NODE_PACK) {
            dfr_names_add(&r->declared, n->name.text);
            *DFR_PUSH(r->a, &r->pack_folders) = dfr_path_folder(c->path);
        } else if (n->kind == DFR_NODE_IMPORT) {
            *DFR_PUSH(r->a, &r->wanted) = dfr_str_dup(r->a, n->name.text);
        }
    }
    dfr_arena_deinit(scratch);
}

static enum dfr_status read_new(struct reading *r)
{
    for (; r->read < r->paths.list.n; r->read++) {
        struct dfr_str bytes, path = r->paths.list.v[r->read];
        uint64_t most = DFR_LIMIT_SOURCE_BYTES;
        if (!dfr_str_ends_ci(path, dfr_str_from(suffix)))
            most = DFR_LIMIT_PROGRAM_BYTES;
        enum dfr_status status = dfr_api_read(r->a, path, most, &bytes, r->err);
        if (status != DFR_OK)
            return status;
        if (dfr_str_starts(bytes, dfr_str_from(cache_magic))) {
            if (r->paths.list.n != 1)
                return dfr_fail(
                    r->err, DFR_MISUSE,
                    "%.*s: a compiled rule set stands alone; use --no-default-rules, or "
                    "name its sources",
                    (int)path.len, path.p);
            r->out->cache = bytes;
            continue;
        }
        if (bytes.len > DFR_LIMIT_SOURCE_BYTES)
            return dfr_fail(r->err, DFR_LIMIT, "%.*s: larger than %u bytes", (int)path.len, path.p,
                            (unsigned)DFR_LIMIT_SOURCE_BYTES);
        struct dfr_compile_source *c = DFR_PUSH(r->a, &r->out->list);
        *c = (struct dfr_compile_source){.path = path, .text = bytes};
        look_into(r, c);
    }
    return DFR_OK;
}

/* Add the folder of the pack `name`, when a search folder holds it. */
static enum dfr_status find_pack(struct reading *r, struct dfr_str name, const dfr_text *search,
                                 size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct dfr_paths found;
        dfr_paths_init(&found, r->a);
        enum dfr_status status =
            dfr_paths_add(&found, r->a, dfr_str_of(search[i]), manifest, r->err);
        for (uint32_t k = 0; status == DFR_OK && k < found.list.n; k++) {
            struct dfr_sources one = {0};
            struct reading probe = {.a = r->a, .out = &one, .err = r->err};
            dfr_paths_init(&probe.paths, r->a);
            dfr_names_init(&probe.declared, r->a, false);
            *DFR_PUSH(r->a, &probe.paths.list) = found.list.v[k];
            status = read_new(&probe);
            if (status == DFR_OK && dfr_names_find(&probe.declared, name))
                return dfr_paths_add(&r->paths, r->a, dfr_path_folder(found.list.v[k]), suffix,
                                     r->err);
        }
        if (status != DFR_OK)
            return status;
    }
    return DFR_OK; /* the compiler says what is missing */
}

/* Packs stand below teams: what lies in no pack tunes those that do. */
static void set_layers(struct reading *r)
{
    for (uint32_t i = 0; i < r->out->list.n; i++) {
        struct dfr_compile_source *c = &r->out->list.v[i];
        struct dfr_str folder = dfr_path_folder(c->path);
        c->layer = 1;
        for (uint32_t k = 0; k < r->pack_folders.n && c->layer; k++) {
            struct dfr_str f = r->pack_folders.v[k];
            bool inside =
                dfr_str_eq(folder, f) || dfr_str_eq(f, DFR_STR(".")) ||
                (dfr_str_starts(folder, f) && (f.p[f.len - 1] == '/' || folder.p[f.len] == '/'));
            c->layer = inside ? 0 : 1;
        }
    }
}

enum dfr_status dfr_sources_read(struct dfr_arena *a, const dfr_text *paths, size_t n,
                                 const dfr_text *search, size_t search_n, struct dfr_sources *ret,
                                 struct dfr_err *err)
{
    struct reading r = {.a = a, .out = ret, .err = err};
    struct dfr_names tried;
    enum dfr_status status = DFR_OK;
    dfr_paths_init(&r.paths, a);
    dfr_names_init(&r.declared, a, false);
    dfr_names_init(&tried, a, false);
    for (size_t i = 0; i < n && status == DFR_OK; i++)
        status = add_path(&r, dfr_str_of(paths[i]));
    if (status == DFR_OK)
        status = read_new(&r);
    if (status != DFR_OK || ret->cache.len)
        return status;
    *DFR_PUSH(a, &r.wanted) = dfr_str_from(core_name); /* everyone sees it without an import */
    for (uint32_t i = 0; i < r.wanted.n && status == DFR_OK; i++) {
        struct dfr_str name = r.wanted.v[i];
        if (dfr_names_find(&r.declared, name) || dfr_names_find(&tried, name))
            continue;
        dfr_names_add(&tried, name);
        status = find_pack(&r, name, search, search_n);
        if (status == DFR_OK)
            status = read_new(&r);
    }
    set_layers(&r);
    return status;
}

enum dfr_status dfr_sources_reach(struct dfr_arena *a, const dfr_text *paths, size_t n,
                                  const dfr_text *search, size_t search_n, struct dfr_paths *ret,
                                  struct dfr_err *err)
{
    struct reading r = {.a = a, .err = err};
    enum dfr_status status = DFR_OK;
    dfr_paths_init(&r.paths, a);
    for (size_t i = 0; i < n && status == DFR_OK; i++)
        status = add_path(&r, dfr_str_of(paths[i]));
    for (size_t i = 0; i < search_n && status == DFR_OK; i++)
        status = dfr_paths_add(&r.paths, a, dfr_str_of(search[i]), suffix, err);
    *ret = r.paths;
    return status;
}
