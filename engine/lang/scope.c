/* Packs and the names in them. A pack is a folder: all files in it and below it, up to the next
 * folder with a pack block of its own. */
#include "lang/scope.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static const char CORE[] = "dfrule.core";

/* --- Look-up --------------------------------------------------------------------------------- */

struct dfr_decl *dfr_pack_find(const struct dfr_pack *pack, enum dfr_node_kind kind,
                               struct dfr_str name)
{
    uint32_t id = dfr_names_find(&pack->names[kind], name);
    return id ? pack->decls[kind].v[id - 1] : NULL;
}

struct dfr_pack *dfr_pack_named(const struct dfr_cx *cx, struct dfr_str name)
{
    for (uint32_t i = 0; i < cx->packs.n; i++)
        if (name.len && dfr_str_eq(cx->packs.v[i]->name, name))
            return cx->packs.v[i];
    return NULL;
}

struct dfr_pack *dfr_import_find(const struct dfr_pack *pack, struct dfr_str alias)
{
    for (uint32_t i = 0; i < pack->imports.n; i++)
        if (dfr_str_eq(pack->imports.v[i].alias, alias))
            return pack->imports.v[i].pack;
    return NULL;
}

/* `name` as "pack.rest" for any pack of the rule set. */
static struct dfr_decl *find_full(const struct dfr_cx *cx, enum dfr_node_kind kind,
                                  struct dfr_str name)
{
    for (uint32_t i = 0; i < cx->packs.n; i++) {
        const struct dfr_pack *p = cx->packs.v[i];
        if (!p->name.len || !dfr_str_starts(name, p->name) || name.len <= p->name.len + 1 ||
            name.p[p->name.len] != '.')
            continue;
        struct dfr_decl *d = dfr_pack_find(p, kind, dfr_str_slice(name, p->name.len + 1, name.len));
        if (d)
            return d;
    }
    return NULL;
}

struct dfr_decl *dfr_scope_find(const struct dfr_cx *cx, const struct dfr_pack *pack,
                                enum dfr_node_kind kind, struct dfr_str name)
{
    struct dfr_decl *d = dfr_pack_find(pack, kind, name);
    if (d)
        return d;
    const char *dot = memchr(name.p, '.', name.len);
    if (dot) {
        size_t at = (size_t)(dot - name.p);
        struct dfr_pack *other = dfr_import_find(pack, dfr_str_slice(name, 0, at));
        if (other)
            return dfr_pack_find(other, kind, dfr_str_slice(name, at + 1, name.len));
    }
    if (cx->core && (d = dfr_pack_find(cx->core, kind, name)))
        return d;
    return find_full(cx, kind, name);
}

void dfr_scope_nearest(const struct dfr_cx *cx, const struct dfr_pack *pack,
                       enum dfr_node_kind kind, struct dfr_nearest *n)
{
    const struct dfr_pack *seen[2] = {pack, cx->core};
    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; seen[s] && i < seen[s]->decls[kind].n; i++)
            dfr_nearest_try(n, seen[s]->decls[kind].v[i]->name);
    for (uint32_t i = 0; i < pack->imports.n; i++) {
        const struct dfr_import *im = &pack->imports.v[i];
        for (uint32_t k = 0; im->pack && k < im->pack->decls[kind].n; k++) {
            struct dfr_buf b;
            dfr_buf_init(&b, cx->a);
            dfr_buf_str(&b, im->alias);
            dfr_buf_char(&b, '.');
            dfr_buf_str(&b, im->pack->decls[kind].v[k]->name);
            dfr_nearest_try(n, dfr_buf_text(&b));
        }
    }
}

const struct dfr_entry *dfr_entry_find(const struct dfr_entry *list, const char *name)
{
    for (; list; list = list->next)
        if (!list->requires && !list->weight && dfr_str_eq(list->name.text, dfr_str_from(name)))
            return list;
    return NULL;
}

/* --- Building -------------------------------------------------------------------------------- */

static struct dfr_str folder_of(struct dfr_str path)
{
    const char *slash = memrchr(path.p, '/', path.len);
    return slash ? dfr_str_slice(path, 0, (size_t)(slash - path.p)) : DFR_STR(".");
}

static bool inside(struct dfr_str folder, struct dfr_str path)
{
    if (dfr_str_eq(folder, DFR_STR(".")))
        return true;
    return dfr_str_starts(path, folder) && (path.len == folder.len || path.p[folder.len] == '/');
}

static struct dfr_pack *pack_new(struct dfr_cx *cx, struct dfr_str folder)
{
    struct dfr_pack *p = DFR_NEW(cx->a, struct dfr_pack);
    p->folder = folder;
    for (int k = 0; k < 12; k++)
        dfr_names_init(&p->names[k], cx->a, false);
    *DFR_PUSH(cx->a, &cx->packs) = p;
    return p;
}

uint32_t dfr_tier_of(struct dfr_cx *cx, const struct dfr_source *s, const struct dfr_entry *list)
{
    const struct dfr_entry *e = dfr_entry_find(list, "tier");
    if (!e)
        return 0;
    static const char *const words[] = {"stable", "test", "nursery"};
    for (uint32_t i = 0; i < 3 && e->value->kind == DFR_EXPR_STRING; i++)
        if (dfr_str_eq(e->value->as.text, dfr_str_from(words[i])))
            return i;
    dfr_cx_diag(cx, s, DFR_D_BAD_META, e->value->loc,
                "a tier is \"stable\", \"test\" or \"nursery\"");
    return 0;
}

/* Files with a pack block found their folder's pack. */
static void found_packs(struct dfr_cx *cx)
{
    for (uint32_t i = 0; i < cx->source_count; i++) {
        const struct dfr_source *s = &cx->sources[i];
        for (const struct dfr_node *n = cx->files[i].items; n; n = n->next) {
            if (n->kind != DFR_NODE_PACK)
                continue;
            struct dfr_str folder = folder_of(s->path);
            struct dfr_pack *same = dfr_pack_named(cx, n->name.text), *here = NULL;
            for (uint32_t k = 0; k < cx->packs.n; k++)
                if (dfr_str_eq(cx->packs.v[k]->folder, folder))
                    here = cx->packs.v[k];
            if (same || here) {
                const struct dfr_source *other = same ? same->source : here->source;
                dfr_cx_diag(
                    cx, s, DFR_D_DUPLICATE, n->name.loc,
                    same ? "pack \"%.*s\" is already declared in %.*s"
                         : "this folder already has a pack (so \"%.*s\" needs its own): %.*s",
                    (int)n->name.text.len, n->name.text.p, (int)other->path.len, other->path.p);
                continue;
            }
            struct dfr_pack *p = pack_new(cx, folder);
            p->name = n->name.text;
            p->source = s;
            p->node = n;
            p->tier = dfr_tier_of(cx, s, n->fields);
            if (dfr_str_eq(p->name, DFR_STR(CORE)))
                cx->core = p;
        }
    }
}

/* The pack of a file: of the nearest folder at or above it, else one without a name per folder. */
static struct dfr_pack *pack_of(struct dfr_cx *cx, const struct dfr_source *s)
{
    struct dfr_pack *best = NULL;
    for (uint32_t i = 0; i < cx->packs.n; i++) {
        struct dfr_pack *p = cx->packs.v[i];
        if (!p->name.len || !inside(p->folder, s->path))
            continue;
        if (!best || p->folder.len > best->folder.len)
            best = p;
    }
    if (best)
        return best;
    struct dfr_str folder = folder_of(s->path);
    for (uint32_t i = 0; i < cx->packs.n; i++)
        if (!cx->packs.v[i]->name.len && dfr_str_eq(cx->packs.v[i]->folder, folder))
            return cx->packs.v[i];
    return pack_new(cx, folder);
}

static const char *const kind_words[] = {"pack", "import", "cause",    "list",     "action", "fn",
                                         "fact", "rule",   "override", "suppress", "test"};

static void enter(struct dfr_cx *cx, struct dfr_pack *pack, const struct dfr_source *s,
                  const struct dfr_node *n)
{
    struct dfr_decl *old = dfr_pack_find(pack, n->kind, n->name.text);
    if (n->kind != DFR_NODE_OVERRIDE && n->kind != DFR_NODE_SUPPRESS && old) {
        uint32_t line, column;
        dfr_source_line_column(old->source, old->node->name.loc.begin, &line, &column);
        dfr_cx_diag(cx, s, DFR_D_DUPLICATE, n->name.loc, "%s `%.*s` is already declared at %.*s:%u",
                    kind_words[n->kind], (int)n->name.text.len, n->name.text.p,
                    (int)old->source->path.len, old->source->path.p, line);
        return;
    }
    struct dfr_decl *d = DFR_NEW(cx->a, struct dfr_decl);
    d->kind = n->kind;
    d->name = n->name.text;
    d->pack = pack;
    d->source = s;
    d->node = n;
    d->full = d->name;
    bool short_name = !pack->name.len || (pack == cx->core && n->kind != DFR_NODE_RULE);
    if (!short_name) {
        struct dfr_buf b;
        dfr_buf_init(&b, cx->a);
        dfr_buf_str(&b, pack->name);
        dfr_buf_char(&b, '.');
        dfr_buf_str(&b, d->name);
        d->full = dfr_buf_text(&b);
    }
    if (n->kind != DFR_NODE_OVERRIDE && n->kind != DFR_NODE_SUPPRESS)
        dfr_names_add(&pack->names[n->kind], d->name);
    *DFR_PUSH(cx->a, &pack->decls[n->kind]) = d;
}

static void import(struct dfr_cx *cx, struct dfr_pack *pack, const struct dfr_source *s,
                   const struct dfr_node *n)
{
    struct dfr_pack *to = dfr_pack_named(cx, n->name.text);
    if (!to) {
        struct dfr_diag *d =
            dfr_cx_diag(cx, s, DFR_D_NO_PACK, n->name.loc, "there is no pack \"%.*s\"",
                        (int)n->name.text.len, n->name.text.p);
        struct dfr_nearest near = {.want = n->name.text};
        for (uint32_t i = 0; i < cx->packs.n; i++)
            if (cx->packs.v[i]->name.len)
                dfr_nearest_try(&near, cx->packs.v[i]->name);
        dfr_cx_did_you_mean(cx, d, &near);
        return;
    }
    struct dfr_str alias = n->alias.text;
    if (!alias.len) {
        const char *dot = memrchr(n->name.text.p, '.', n->name.text.len);
        alias =
            dot ? dfr_str_slice(n->name.text, (size_t)(dot + 1 - n->name.text.p), n->name.text.len)
                : n->name.text;
    }
    struct dfr_pack *taken = dfr_import_find(pack, alias);
    if (taken && taken != to) {
        dfr_cx_diag(cx, s, DFR_D_DUPLICATE, n->loc, "`%.*s` already stands for pack \"%.*s\"",
                    (int)alias.len, alias.p, (int)taken->name.len, taken->name.p);
        return;
    }
    if (!taken)
        *DFR_PUSH(cx->a, &pack->imports) = (struct dfr_import){alias, to, s};
}

static int by_name(const void *a, const void *b)
{
    const struct dfr_decl *x = *(struct dfr_decl *const *)a, *y = *(struct dfr_decl *const *)b;
    int d = dfr_str_cmp(x->name, y->name);
    if (d)
        return d;
    d = dfr_str_cmp(x->source->path, y->source->path);
    return d ? d
             : (x->node->loc.begin > y->node->loc.begin) -
                   (x->node->loc.begin < y->node->loc.begin);
}

static int by_pack(const void *a, const void *b)
{
    const struct dfr_pack *x = *(struct dfr_pack *const *)a, *y = *(struct dfr_pack *const *)b;
    int d = dfr_str_cmp(x->name, y->name);
    return d ? d : dfr_str_cmp(x->folder, y->folder);
}

/* From here on a decl's number is its place in the order of names. */
static void sort_pack(struct dfr_cx *cx, struct dfr_pack *p)
{
    for (int k = 0; k < 12; k++) {
        if (p->decls[k].n > 1)
            qsort(p->decls[k].v, p->decls[k].n, sizeof *p->decls[k].v, by_name);
        if (k == DFR_NODE_OVERRIDE || k == DFR_NODE_SUPPRESS)
            continue;
        dfr_names_init(&p->names[k], cx->a, false);
        for (uint32_t i = 0; i < p->decls[k].n; i++)
            dfr_names_add(&p->names[k], p->decls[k].v[i]->name);
    }
}

void dfr_scope_build(struct dfr_cx *cx)
{
    found_packs(cx);
    for (uint32_t i = 0; i < cx->source_count; i++) {
        struct dfr_pack *pack = pack_of(cx, &cx->sources[i]);
        for (const struct dfr_node *n = cx->files[i].items; n; n = n->next) {
            if (n->kind == DFR_NODE_IMPORT)
                import(cx, pack, &cx->sources[i], n);
            else if (n->kind != DFR_NODE_PACK)
                enter(cx, pack, &cx->sources[i], n);
        }
    }
    if (cx->packs.n > 1)
        qsort(cx->packs.v, cx->packs.n, sizeof *cx->packs.v, by_pack);
    for (uint32_t i = 0; i < cx->packs.n; i++)
        sort_pack(cx, cx->packs.v[i]);
}
