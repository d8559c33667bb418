/* Symbols of a PDB: publics, and the functions and data that a private PDB has more of. Read once
 * into one table by address. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "base/vec.h"
#include "image/pdb.h"

/* Kinds of symbol records, and offsets in their bodies. */
enum {
    S_THUNK = 0x1102,
    S_LDATA = 0x110C,
    S_GDATA = 0x110D,
    S_PUBLIC = 0x110E,
    S_LPROC = 0x110F,
    S_GPROC = 0x1110,
    S_LPROC_ID = 0x1146,
    S_GPROC_ID = 0x1147,
    S_LPROC_DPC = 0x1155,
    S_LPROC_DPC_ID = 0x1156,
};
enum { RANK_DATA, RANK_PUBLIC_DATA, RANK_PUBLIC, RANK_FUNCTION };
enum { MODULE_HEADER = 64, MODULE_STREAM = 34, MODULE_SYMBOLS = 36, DEBUG = 3 };

struct reading {
    struct dfr_pdb *p;
    DFR_VEC(struct dfr_pdb_entry) entries, source;
    struct {
        char *v;
        uint32_t n, cap;
    } names;
    uint8_t *buf;
    uint64_t left; /* bytes of streams that may still be walked: each stream once */
    const char *problem;
};

/* An address through a map of moved ones; false: there is no such place. */
static bool mapped(const struct dfr_pdb_omap_table *map, uint32_t rva, uint32_t *ret)
{
    uint32_t from = 0, to = map->n;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (map->v[mid].from <= rva)
            from = mid + 1;
        else
            to = mid;
    }
    if (!from || !map->v[from - 1].to)
        return false;
    return dfr_u32_from_u64((uint64_t)map->v[from - 1].to + (rva - map->v[from - 1].from), ret);
}

static const struct dfr_pdb_section *section_at(const struct dfr_pdb_sections *s, uint32_t rva)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (rva >= s->v[i].rva && rva - s->v[i].rva < s->v[i].size)
            return &s->v[i];
    return NULL;
}

/* Name in the pool; false past a limit. */
static bool pool(struct reading *r, struct dfr_str name, uint32_t *ret)
{
    size_t need = (size_t)r->names.n + name.len;
    if (need > DFR_LIMIT_PDB_NAME_BYTES)
        return false;
    if (need > r->names.cap) {
        size_t cap = (size_t)r->names.cap * 2 > need ? (size_t)r->names.cap * 2 : need + (1 << 16);
        char *wider = dfr_arena_raw(r->p->arena, cap);
        if (r->names.n)
            memcpy(wider, r->names.v, r->names.n);
        r->names.v = wider;
        r->names.cap = (uint32_t)cap;
    }
    *ret = r->names.n;
    if (name.len)
        memcpy(r->names.v + r->names.n, name.p, name.len);
    r->names.n += (uint32_t)name.len;
    return true;
}

/* The zero-ended name at `off` of a record. */
static bool name_in(struct dfr_span body, uint64_t off, struct dfr_str *ret)
{
    struct dfr_span s;
    if (off > body.len || !dfr_span_sub(body, off, body.len - off, &s) || !s.len)
        return false;
    const uint8_t *end = memchr(s.p, 0, s.len);
    if (!end || end == s.p)
        return false;
    *ret = (struct dfr_str){(const char *)s.p, (size_t)(end - s.p)};
    return true;
}

/* Segments count from 1; 0 and those past the sections are absolute values, not addresses. */
static bool add(struct reading *r, uint32_t segment, uint32_t off, uint32_t size, uint8_t kind,
                uint8_t rank, struct dfr_str name)
{
    struct dfr_pdb *p = r->p;
    const struct dfr_pdb_sections *s = &p->original;
    struct dfr_pdb_entry e = {
        .size = size, .name_len = (uint16_t)name.len, .rank = rank, .kind = kind};
    if (!segment || segment > s->n || off > s->v[segment - 1].size)
        return true;
    e.rva = s->v[segment - 1].rva + off; /* a section's end was seen to fit */
    if (r->entries.n >= DFR_LIMIT_PDB_SYMBOLS || !pool(r, name, &e.name)) {
        r->problem = "it has more symbols than are read";
        return false;
    }
    if (p->moved.v) {
        *DFR_PUSH(p->arena, &r->source) = e;
        e.size = 0; /* its pieces may lie apart */
        if (!mapped(&p->moved, e.rva, &e.rva))
            return true;
    }
    *DFR_PUSH(p->arena, &r->entries) = e;
    return true;
}

/* One record; true to go on. Records that are too short are passed over. */
static bool take(struct reading *r, uint16_t kind, struct dfr_span b)
{
    enum { CODE = 1, FUNCTION = 2 };
    uint32_t flags = 0, off = 0, size = 0;
    uint16_t segment = 0, length = 0;
    struct dfr_str name;
    switch (kind) {
    case S_PUBLIC:
        if (!dfr_span_u32le(b, 0, &flags) || !dfr_span_u32le(b, 4, &off) ||
            !dfr_span_u16le(b, 8, &segment) || !name_in(b, 10, &name))
            return true;
        return add(r, segment, off, 0, DFR_PDB_PUBLIC,
                   flags & (CODE | FUNCTION) ? RANK_PUBLIC : RANK_PUBLIC_DATA, name);
    case S_LDATA:
    case S_GDATA:
        if (!dfr_span_u32le(b, 4, &off) || !dfr_span_u16le(b, 8, &segment) ||
            !name_in(b, 10, &name))
            return true;
        return add(r, segment, off, 0, DFR_PDB_DATA, RANK_DATA, name);
    case S_LPROC:
    case S_GPROC:
    case S_LPROC_ID:
    case S_GPROC_ID:
    case S_LPROC_DPC:
    case S_LPROC_DPC_ID:
        if (!dfr_span_u32le(b, 12, &size) || !dfr_span_u32le(b, 28, &off) ||
            !dfr_span_u16le(b, 32, &segment) || !name_in(b, 35, &name))
            return true;
        return add(r, segment, off, size, DFR_PDB_FUNCTION, RANK_FUNCTION, name);
    case S_THUNK:
        if (!dfr_span_u32le(b, 12, &off) || !dfr_span_u16le(b, 16, &segment) ||
            !dfr_span_u16le(b, 18, &length) || !name_in(b, 21, &name))
            return true;
        return add(r, segment, off, length, DFR_PDB_FUNCTION, RANK_FUNCTION, name);
    default:
        return true;
    }
}

/* All records of [from, to) of a stream. False: they end in the middle, or a limit was met. */
static bool take_all(struct reading *r, uint32_t stream, uint64_t from, uint64_t to)
{
    struct dfr_msf_walk w;
    struct dfr_span body;
    uint16_t kind;
    uint64_t at;
    dfr_msf_walk(&w, &r->p->msf, stream, from, to, r->buf);
    if (w.end > r->left) {
        r->problem = "several of its modules name one stream";
        return false;
    }
    r->left -= w.end;
    while (dfr_msf_record(&w, &kind, &body, &at))
        if (!take(r, kind, body))
            return false;
    if (w.at >= w.end)
        return true;
    r->problem = "its symbol records are damaged";
    return false;
}

/* Length of a zero-ended text in the debug information stream, with the zero; 0: it has no end. */
static uint64_t text_bytes(const struct dfr_pdb *p, uint64_t at, uint64_t end)
{
    for (uint64_t n = 0; n < DFR_LIMIT_PE_NAME_BYTES && at < end; at += 64) {
        uint8_t b[64];
        size_t len = end - at < sizeof b ? (size_t)(end - at) : sizeof b;
        if (!dfr_msf_read(&p->msf, DEBUG, at, b, len))
            return 0;
        const uint8_t *zero = memchr(b, 0, len);
        if (zero)
            return n + (uint64_t)(zero - b) + 1;
        n += len;
    }
    return 0;
}

/* The modules: a header each, then two texts, then bytes up to a multiple of four. */
static bool take_modules(struct reading *r)
{
    enum { SIGNATURE = 4 };
    const struct dfr_pdb *p = r->p;
    uint64_t at = p->modules_at, end = at + p->modules_size;
    while (at < end && end - at >= MODULE_HEADER) {
        uint16_t stream = DFR_MSF_NO_STREAM;
        uint32_t size = 0;
        if (!dfr_msf_u16(&p->msf, DEBUG, at + MODULE_STREAM, &stream) ||
            !dfr_msf_u32(&p->msf, DEBUG, at + MODULE_SYMBOLS, &size))
            break;
        uint64_t next = at + MODULE_HEADER, first = text_bytes(p, next, end);
        uint64_t second = first ? text_bytes(p, next + first, end) : 0;
        if (!second)
            break;
        at = (next + first + second + 3) & ~UINT64_C(3);
        if (stream != DFR_MSF_NO_STREAM && size > SIGNATURE &&
            !take_all(r, stream, SIGNATURE, size))
            return false;
    }
    if (at >= end || end - at < MODULE_HEADER)
        return true;
    r->problem = "its list of modules is damaged";
    return false;
}

static int by_address(const void *x, const void *y)
{
    const struct dfr_pdb_entry *a = x, *b = y;
    if (a->rva != b->rva)
        return (a->rva > b->rva) - (a->rva < b->rva);
    if (a->rank != b->rank)
        return (a->rank > b->rank) - (a->rank < b->rank);
    return (a->name < b->name) - (a->name > b->name); /* the first written is the last here */
}

static struct dfr_str name_of(const struct dfr_pdb *p, const struct dfr_pdb_entry *e)
{
    return (struct dfr_str){p->names + e->name, e->name_len};
}

static int by_name(const void *x, const void *y, void *pdb)
{
    const struct dfr_pdb *p = pdb;
    const struct dfr_pdb_entry *a = &p->entries[*(const uint32_t *)x],
                               *b = &p->entries[*(const uint32_t *)y];
    int c = dfr_str_cmp(name_of(p, a), name_of(p, b));
    return c ? c : (a->rank < b->rank) - (a->rank > b->rank);
}

bool dfr_pdb_read_symbols(struct dfr_pdb *p)
{
    if (p->symbols_read)
        return !p->symbols_problem;
    p->symbols_read = true; /* also when an allocation jumps away: then there are none */
    p->symbols_problem = "there was no memory for its symbols";
    struct reading r = {
        .p = p, .buf = dfr_arena_raw(p->arena, DFR_MSF_WALK_BYTES), .left = p->file.size};
    /* A table that is not whole would name an address after a symbol further down. */
    bool whole = take_all(&r, p->symbol_stream, 0, UINT64_MAX) && take_modules(&r);
    if (!whole || !r.entries.n) {
        p->symbols_problem = r.problem ? r.problem : "it holds no symbols";
        return false;
    }
    qsort(r.entries.v, r.entries.n, sizeof *r.entries.v, by_address);
    p->entries = r.entries.v;
    p->entry_count = r.entries.n;
    p->names = r.names.v;
    if (r.source.n)
        qsort(r.source.v, r.source.n, sizeof *r.source.v, by_address);
    p->source = r.source.v;
    p->source_count = r.source.n;
    p->by_name = dfr_arena_array(p->arena, p->entry_count, sizeof *p->by_name);
    for (uint32_t i = 0; i < p->entry_count; i++)
        p->by_name[i] = i;
    qsort_r(p->by_name, p->entry_count, sizeof *p->by_name, by_name, p);
    p->symbols_problem = NULL;
    return true;
}

static struct dfr_pdb_symbol symbol_of(const struct dfr_pdb *p, const struct dfr_pdb_entry *e)
{
    return (struct dfr_pdb_symbol){
        .name = name_of(p, e), .rva = e->rva, .size = e->size, .kind = (enum dfr_pdb_kind)e->kind};
}

struct dfr_pdb_symbol dfr_pdb_symbol_of(const struct dfr_pdb *p, uint32_t index)
{
    return symbol_of(p, &p->entries[index]);
}

/* The last entry at or below `rva` in the section that holds it, or NULL. */
static const struct dfr_pdb_entry *nearest(const struct dfr_pdb_entry *v, uint32_t n,
                                           const struct dfr_pdb_sections *sections, uint32_t rva)
{
    uint32_t from = 0, to = n;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (v[mid].rva <= rva)
            from = mid + 1;
        else
            to = mid;
    }
    const struct dfr_pdb_section *s = section_at(sections, rva);
    return from && s && v[from - 1].rva >= s->rva ? &v[from - 1] : NULL;
}

bool dfr_pdb_at(struct dfr_pdb *p, uint32_t rva, struct dfr_pdb_symbol *ret, uint32_t *ret_distance)
{
    if (!dfr_pdb_read_symbols(p))
        return false;
    const struct dfr_pdb_entry *now = nearest(p->entries, p->entry_count, &p->sections, rva);
    uint32_t before = rva;
    if (p->back.v) {
        if (!mapped(&p->back, rva, &before))
            return false;
        const struct dfr_pdb_entry *then =
            nearest(p->source, p->source_count, &p->original, before);
        if (!then)
            return false;
        if (!now || now->name != then->name) {
            *ret = symbol_of(p, then);
            *ret_distance = before - then->rva;
            return mapped(&p->moved, then->rva, &ret->rva);
        }
    }
    if (!now)
        return false;
    *ret = symbol_of(p, now);
    *ret_distance = rva - now->rva;
    return true;
}

static bool exact(const struct dfr_pdb *p, struct dfr_str name, struct dfr_pdb_symbol *ret)
{
    uint32_t from = 0, to = p->entry_count;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (dfr_str_cmp(name_of(p, &p->entries[p->by_name[mid]]), name) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    if (from == p->entry_count || !dfr_str_eq(name_of(p, &p->entries[p->by_name[from]]), name))
        return false;
    *ret = dfr_pdb_symbol_of(p, p->by_name[from]);
    return true;
}

bool dfr_pdb_named(struct dfr_pdb *p, struct dfr_str name, struct dfr_pdb_symbol *ret)
{
    enum { MACHINE_X86 = 0x14C, LONGEST = 1000 };
    if (!dfr_pdb_read_symbols(p) || !name.len)
        return false;
    if (exact(p, name, ret))
        return true;
    if (p->machine != MACHINE_X86 || name.len > LONGEST)
        return false;
    char decorated[LONGEST + 8];
    static const char marks[] = {'_', '@'};
    memcpy(decorated + 1, name.p, name.len);
    for (size_t m = 0; m < sizeof marks; m++) {
        decorated[0] = marks[m];
        if (m == 0 && exact(p, (struct dfr_str){decorated, name.len + 1}, ret))
            return true;
        for (unsigned bytes = 0; bytes <= 64; bytes += 4) { /* of arguments */
            size_t n = name.len + 1;
            decorated[n++] = '@';
            if (bytes >= 10)
                decorated[n++] = (char)('0' + bytes / 10);
            decorated[n++] = (char)('0' + bytes % 10);
            if (exact(p, (struct dfr_str){decorated, n}, ret))
                return true;
        }
    }
    return false;
}
