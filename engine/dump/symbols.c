#include "dump/symbols.h"

#include <pthread.h>
#include <string.h>

#include "image/exports.h"
#include "image/functions.h"
#include "image/pdb_types.h"

/* Of one module; what was looked for in vain is not looked for again. */
struct module {
    bool image_tried, mapped_tried, pdb_tried, exports_tried;
    bool has_file, has_mapped, has_pdb, has_exports;
    enum dfr_reason mapped_why; /* it cannot be read where it is mapped */
    struct dfr_bytes bytes;
    struct dfr_pe file, mapped;
    struct dfr_pdb pdb;
    struct dfr_exports exports;
};

struct dfr_symbols {
    struct dfr_mem mem;
    struct dfr_arena arena;
    struct dfr_store store;
    const struct dfr_dump *live; /* while it is read */
    struct dfr_dump own;         /* as it was when somebody last asked: outlives the reading */
    struct dfr_view types;
    pthread_mutex_t lock;
    struct module **modules; /* by row of MODULES; made when first asked for */
    uint32_t count;
};

static void release(void *p)
{
    struct dfr_symbols *s = p;
    dfr_arena_deinit(&s->arena);
    pthread_mutex_destroy(&s->lock);
}

static enum dfr_reason view_symbol(void *user, struct dfr_str module, struct dfr_str name,
                                   uint64_t *ret);
static enum dfr_reason view_member(void *user, struct dfr_str module, struct dfr_str type,
                                   struct dfr_str path, struct dfr_member *ret);

void dfr_symbols_open(struct dfr_dump *d, struct dfr_str symbol_path)
{
    struct dfr_symbols *s = DFR_NEW(d->arena, struct dfr_symbols);
    dfr_mem_init(&s->mem, &d->arena->mem->host, d->arena->mem->limit);
    s->mem.guard = d->arena->mem->guard;
    dfr_arena_init(&s->arena, &s->mem);
    pthread_mutex_init(&s->lock, NULL);
    dfr_arena_defer(d->arena, release, s);
    dfr_store_init(&s->store, &s->arena, symbol_path);
    s->types = (struct dfr_view){.user = s, .symbol = view_symbol, .member = view_member};
    s->live = d;
    d->symbols = s;
    d->store = &s->store;
    d->types = &s->types;
}

void dfr_symbols_ready(struct dfr_dump *d)
{
    d->symbols->own = *d;
    d->symbols->live = NULL;
    d->symbols->mem.guard = NULL;
}

/* The dump with what was read of it so far. */
static struct dfr_dump *now(struct dfr_dump *d)
{
    d->symbols->own = *d;
    return &d->symbols->own;
}

static struct module *module_of(struct dfr_dump *d, const struct dfr_image *image)
{
    struct dfr_symbols *s = d->symbols;
    if (image->row >= s->count) {
        uint32_t n = d->facts->tables[DFR_T_MODULES].n;
        struct module **wider = DFR_NEW_N(&s->arena, n, struct module *);
        if (s->count)
            memcpy(wider, s->modules, s->count * sizeof(struct module *));
        s->modules = wider;
        s->count = n;
    }
    if (!s->modules[image->row])
        s->modules[image->row] = DFR_NEW(&s->arena, struct module);
    return s->modules[image->row];
}

/* ---- Images ------------------------------------------------------------------------------------ */

/* The port drivers that write a dump are loaded a second time under a name that begins so. */
static bool clone_of(struct dfr_str file, struct dfr_str *ret)
{
    if (!dfr_str_starts_ci(file, DFR_STR("dump_")))
        return false;
    *ret = dfr_str_slice(file, 5, file.len);
    return true;
}

/* The image as its file is, from a store. */
static const struct dfr_pe *file_of(struct dfr_dump *d, const struct dfr_image *image)
{
    struct dfr_symbols *s = d->symbols;
    struct module *m = module_of(d, image);
    if (!m->image_tried) {
        m->image_tried = true;
        const struct dfr_value *file = dfr_facts_at(d->facts, DFR_F_MODULES_IMAGE, image->row);
        const struct dfr_value *stamp = dfr_facts_at(d->facts, DFR_F_MODULES_TIMESTAMP, image->row);
        if (file->state != DFR_KNOWN || stamp->state != DFR_KNOWN)
            return NULL;
        struct dfr_str name = dfr_value_str(file), other;
        uint32_t size = (uint32_t)(image->end - image->base), time = (uint32_t)stamp->as.u;
        if (dfr_store_image(&s->store, name, time, size, &m->bytes) ||
            (clone_of(name, &other) && dfr_store_image(&s->store, other, time, size, &m->bytes)))
            m->has_file = dfr_pe_open_file(&m->file, &s->arena, &m->bytes) == DFR_REASON_NONE;
        m->file.base = image->base;
    }
    return m->has_file ? &m->file : NULL;
}

static const struct dfr_pe *mapped_of(struct dfr_dump *d, const struct dfr_image *image)
{
    struct module *m = module_of(d, image);
    if (!m->mapped_tried) {
        m->mapped_tried = true;
        m->mapped_why = dfr_pe_open_mapped(&m->mapped, &d->symbols->arena, &d->memory, image->base);
        m->has_mapped = m->mapped_why == DFR_REASON_NONE;
    }
    return m->has_mapped ? &m->mapped : NULL;
}

static const struct dfr_pe *image_of(struct dfr_dump *d, const struct dfr_image *image)
{
    const struct dfr_pe *pe = file_of(d, image);
    return pe ? pe : mapped_of(d, image);
}

const struct dfr_pe *dfr_symbols_image(struct dfr_dump *d, const struct dfr_image *image)
{
    return image_of(now(d), image);
}

/* ---- PDBs -------------------------------------------------------------------------------------- */

static enum dfr_reason wanted(struct dfr_dump *d, const struct dfr_image *image,
                              struct dfr_pe_debug *ret)
{
    const struct dfr_pe *pes[] = {mapped_of(d, image), file_of(d, image)};
    enum dfr_reason why = module_of(d, image)->mapped_why;
    for (size_t i = 0; i < 2; i++) {
        struct dfr_pe_debug debug = {0};
        if (!pes[i])
            continue;
        why = dfr_pe_debug(pes[i], &d->symbols->arena, &debug);
        if (debug.has_pdb) {
            *ret = debug;
            return DFR_REASON_NONE;
        }
    }
    return why ? why : DFR_REASON_NOT_APPLICABLE;
}

enum dfr_reason dfr_symbols_wanted(struct dfr_dump *d, const struct dfr_image *image,
                                   struct dfr_pe_debug *ret)
{
    return wanted(now(d), image, ret);
}

static struct dfr_pdb *pdb_of(struct dfr_dump *d, const struct dfr_image *image)
{
    struct dfr_symbols *s = d->symbols;
    struct module *m = module_of(d, image);
    if (!m->pdb_tried) {
        m->pdb_tried = true;
        struct dfr_pe_debug debug;
        struct dfr_bytes bytes;
        const char *problem;
        if (s->store.roots.n && wanted(d, image, &debug) == DFR_REASON_NONE &&
            dfr_store_pdb(&s->store, debug.pdb, debug.guid, debug.age, &bytes))
            m->has_pdb = dfr_pdb_open(&m->pdb, &s->arena, &bytes, &problem);
    }
    return m->has_pdb ? &m->pdb : NULL;
}

struct dfr_symbols_have dfr_symbols_have(struct dfr_dump *d, const struct dfr_image *image)
{
    d = now(d);
    return (struct dfr_symbols_have){.image = file_of(d, image) != NULL,
                                     .pdb = pdb_of(d, image) != NULL};
}

/* ---- Exports ----------------------------------------------------------------------------------- */

static const struct dfr_exports *exports_of(struct dfr_dump *d, const struct dfr_image *image)
{
    struct module *m = module_of(d, image);
    if (!m->exports_tried) {
        m->exports_tried = true;
        const struct dfr_pe *pes[] = {file_of(d, image), mapped_of(d, image)};
        for (size_t i = 0; i < 2 && !m->has_exports; i++)
            m->has_exports = pes[i] && dfr_exports_read(&m->exports, &d->symbols->arena, pes[i]) ==
                                           DFR_REASON_NONE;
    }
    return m->has_exports ? &m->exports : NULL;
}

/* ---- Names of addresses ------------------------------------------------------------------------- */

/* A text in the image has a name as well; code next to it has not that one. */
static bool is_text(struct dfr_str name)
{
    return dfr_str_starts(name, DFR_STR("??_C@"));
}

static bool from_pdb(struct dfr_dump *d, struct dfr_pdb *p, const struct dfr_pe *pe, uint32_t rva,
                     struct dfr_symbol *ret)
{
    struct dfr_pdb_symbol sym;
    struct dfr_function f;
    uint32_t distance;
    if (!dfr_pdb_at(p, rva, &sym, &distance))
        return false;
    /* Parts of a function that were moved away from it, and functions without a symbol: the table
     * of functions knows better than the order of addresses. */
    if (!p->back.v && pe && dfr_function_at(pe, rva, &f) == DFR_FUNCTION_FOUND &&
        sym.rva < f.piece && (!sym.size || rva - sym.rva >= sym.size)) {
        if (f.begin == f.piece || !dfr_pdb_at(p, f.begin, &sym, &distance) || distance)
            return false;
        distance = rva - f.begin;
    }
    if (is_text(sym.name))
        return false;
    *ret = (struct dfr_symbol){.name = dfr_pdb_plain_name(d->arena, p->machine, sym.name),
                               .offset = distance};
    return true;
}

/* An export names an address only where the function is known to begin with it. */
static bool from_exports(const struct dfr_exports *e, uint32_t rva, struct dfr_symbol *ret)
{
    struct dfr_function f;
    const struct dfr_export *near = dfr_exports_at(e, rva);
    if (!near || (near->rva != rva &&
                  (dfr_function_at(e->pe, rva, &f) != DFR_FUNCTION_FOUND || f.begin != near->rva)))
        return false;
    *ret = (struct dfr_symbol){.name = near->name, .offset = rva - near->rva, .exported = true};
    return true;
}

bool dfr_symbols_at(struct dfr_dump *d, uint64_t address, bool returns, struct dfr_symbol *ret)
{
    d = now(d);
    const struct dfr_image *image = dfr_dump_image_at(d, address);
    if (!image || address - image->base > UINT32_MAX || (returns && address == image->base))
        return false;
    uint32_t rva = (uint32_t)(address - image->base) - returns;
    struct dfr_pdb *pdb = pdb_of(d, image);
    const struct dfr_exports *exports;
    if (!(pdb && from_pdb(d, pdb, image_of(d, image), rva, ret)) &&
        !((exports = exports_of(d, image)) != NULL && from_exports(exports, rva, ret)))
        return false;
    ret->offset += returns;
    return true;
}

uint32_t dfr_symbols_loaded(struct dfr_dump *d, const struct dfr_image *image)
{
    const struct module *m = module_of(now(d), image);
    if (m->has_pdb)
        return DFR_SYMBOLS_PDB;
    if (m->has_exports && m->exports.n)
        return DFR_SYMBOLS_EXPORT;
    return d->store->roots.n && !m->pdb_tried ? DFR_SYMBOLS_DEFERRED : DFR_SYMBOLS_NONE;
}

/* ---- For those who ask later ---------------------------------------------------------------------- */

static const struct dfr_image *image_named(const struct dfr_dump *d, struct dfr_str module)
{
    uint32_t row = dfr_facts_find_module(d->facts, module);
    for (uint32_t i = 0; i < d->images.n; i++)
        if (d->images.v[i].row == row)
            return &d->images.v[i];
    return NULL;
}

static enum dfr_reason find(struct dfr_dump *d, struct dfr_str module, struct dfr_str name,
                            uint64_t *ret)
{
    const struct dfr_image *image = image_named(d, module);
    struct dfr_pdb_symbol sym;
    if (!image)
        return DFR_REASON_NO_SUCH_ROW;
    struct dfr_pdb *p = pdb_of(d, image);
    if (p && dfr_pdb_named(p, name, &sym)) {
        *ret = image->base + sym.rva;
        return DFR_REASON_NONE;
    }
    const struct dfr_exports *exports = exports_of(d, image);
    const struct dfr_export *e = exports ? dfr_exports_named(exports, name) : NULL;
    if (!e || e->forward.len)
        return DFR_REASON_NO_SYMBOLS;
    *ret = image->base + e->rva;
    return DFR_REASON_NONE;
}

static enum dfr_reason member(struct dfr_dump *d, struct dfr_str module, struct dfr_str type,
                              struct dfr_str path, struct dfr_member *ret)
{
    const struct dfr_image *image = image_named(d, module);
    struct dfr_pdb *p = image ? pdb_of(d, image) : NULL;
    struct dfr_pdb_member m;
    if (!p)
        return DFR_REASON_NEEDS_TYPES;
    switch (dfr_pdb_member(p, type, path, &m)) {
    case DFR_PDB_FOUND:
        if (m.size > UINT32_MAX)
            return DFR_REASON_NO_WORD;
        *ret = (struct dfr_member){.offset = m.offset,
                                   .size = (uint32_t)m.size,
                                   .bit_at = m.bit_at,
                                   .bit_size = m.bit_size};
        return DFR_REASON_NONE;
    case DFR_PDB_NO_MEMBER:
        return DFR_REASON_NO_SUCH_MEMBER;
    case DFR_PDB_ODD:
        return DFR_REASON_NOT_UNDERSTOOD;
    case DFR_PDB_NO_TYPES:
    case DFR_PDB_NO_TYPE:
        break;
    }
    return DFR_REASON_NEEDS_TYPES;
}

/* Enter with a jump guard that is ours: memory may end where nobody stands ready for it. While the
 * dump is read the one who reads it does. */
static enum dfr_reason view_symbol(void *user, struct dfr_str module, struct dfr_str name,
                                   uint64_t *ret)
{
    struct dfr_symbols *s = user;
    enum dfr_reason volatile why = DFR_REASON_NO_SYMBOLS; /* also when memory ends */
    jmp_buf guard;
    pthread_mutex_lock(&s->lock);
    jmp_buf *outer = s->mem.guard;
    if (s->live)
        s->own = *s->live;
    s->mem.guard = &guard;
    if (setjmp(guard) == 0)
        why = find(&s->own, module, name, ret);
    s->mem.guard = outer;
    pthread_mutex_unlock(&s->lock);
    return why;
}

static enum dfr_reason view_member(void *user, struct dfr_str module, struct dfr_str type,
                                   struct dfr_str path, struct dfr_member *ret)
{
    struct dfr_symbols *s = user;
    enum dfr_reason volatile why = DFR_REASON_NEEDS_TYPES;
    jmp_buf guard;
    pthread_mutex_lock(&s->lock);
    jmp_buf *outer = s->mem.guard;
    if (s->live)
        s->own = *s->live;
    s->mem.guard = &guard;
    if (setjmp(guard) == 0)
        why = member(&s->own, module, type, path, ret);
    s->mem.guard = outer;
    pthread_mutex_unlock(&s->lock);
    return why;
}
