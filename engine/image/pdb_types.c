/* Type records: numbered from a first index, each naming others by number. One walk notes where each
 * stands and the names of those that are defined; nothing else is kept. */
#include "image/pdb_types.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/vec.h"

enum { STREAM = 2, HEADER = 4, FIRST = 8, END = 12, BYTES = 16, HEADER_MOST = 4096 };
enum {
    MODIFIER = 0x1001,
    POINTER = 0x1002,
    FIELDS = 0x1203,
    BITS = 0x1205,
    BASE = 0x1400,
    VIRTUAL_BASE = 0x1401,
    INDIRECT_BASE = 0x1402,
    GO_ON = 0x1404,
    VTABLE = 0x1409,
    ENUMERATE = 0x1502,
    ARRAY = 0x1503,
    CLASS = 0x1504,
    STRUCTURE = 0x1505,
    UNION = 0x1506,
    ENUM = 0x1507,
    MEMBER = 0x150D,
    STATIC = 0x150E,
    METHODS = 0x150F,
    NESTED = 0x1510,
    METHOD = 0x1511,
    INTERFACE = 0x1519,
    CLASS_NEW = 0x1608,
    STRUCTURE_NEW = 0x1609,
    FORWARD = 0x80, /* property: declared here, defined elsewhere */
};

struct named {
    uint64_t hash;
    uint32_t index;
};

struct dfr_pdb_types {
    const char *problem; /* NULL: they are there */
    uint32_t first, count;
    uint32_t *at;          /* offset of record first + i in the stream */
    struct named *defined; /* by hash, then index */
    uint32_t defined_count;
};

/* ---- Records ----------------------------------------------------------------------------------- */

/* A number as records have it: below 8000h itself, else its form and then its bytes. */
static bool numeric(struct dfr_span s, uint64_t *at, uint64_t *ret)
{
    uint16_t lead, u16;
    uint32_t u32;
    uint8_t u8;
    if (!dfr_span_u16le(s, *at, &lead))
        return false;
    *at += 2;
    switch (lead) {
    case 0x8000: /* signed, 8 bits; negative sizes and offsets make no sense */
        if (!dfr_span_u8(s, *at, &u8) || u8 > INT8_MAX)
            return false;
        *ret = u8;
        *at += 1;
        return true;
    case 0x8001:
    case 0x8002:
        if (!dfr_span_u16le(s, *at, &u16) || (lead == 0x8001 && u16 > INT16_MAX))
            return false;
        *ret = u16;
        *at += 2;
        return true;
    case 0x8003:
    case 0x8004:
        if (!dfr_span_u32le(s, *at, &u32) || (lead == 0x8003 && u32 > INT32_MAX))
            return false;
        *ret = u32;
        *at += 4;
        return true;
    case 0x8009:
    case 0x800A:
        if (!dfr_span_u64le(s, *at, ret) || (lead == 0x8009 && *ret > INT64_MAX))
            return false;
        *at += 8;
        return true;
    default:
        *ret = lead;
        return lead < 0x8000;
    }
}

static bool text(struct dfr_span s, uint64_t *at, struct dfr_str *ret)
{
    struct dfr_span rest;
    if (*at > s.len || !dfr_span_sub(s, *at, s.len - *at, &rest) || !rest.len)
        return false;
    const uint8_t *end = memchr(rest.p, 0, rest.len);
    if (!end)
        return false;
    *ret = (struct dfr_str){(const char *)rest.p, (size_t)(end - rest.p)};
    *at += ret->len + 1;
    return true;
}

/* A structure, class or union. */
struct compound {
    uint16_t property;
    uint32_t fields; /* record that lists its members */
    uint64_t size;
    struct dfr_str name;
    struct dfr_str unique; /* tells types of one name apart; may be empty */
};

/* The two kinds of newer compilers have the property in four bytes and the number of members before
 * the size; observed, no published description has them. */
static bool compound(uint16_t kind, struct dfr_span s, struct compound *ret)
{
    enum { HAS_UNIQUE = 0x200 };
    uint64_t at = kind == UNION ? 8 : 16, ignored;
    bool newer = kind == CLASS_NEW || kind == STRUCTURE_NEW;
    ret->unique = (struct dfr_str){0};
    if (!newer && kind != STRUCTURE && kind != CLASS && kind != UNION && kind != INTERFACE)
        return false;
    if (!dfr_span_u16le(s, newer ? 0 : 2, &ret->property) || !dfr_span_u32le(s, 4, &ret->fields) ||
        (newer && !numeric(s, &at, &ignored)) || !numeric(s, &at, &ret->size) ||
        !text(s, &at, &ret->name))
        return false;
    if (ret->property & HAS_UNIQUE)
        (void)text(s, &at, &ret->unique);
    return true;
}

static int by_hash(const void *x, const void *y)
{
    const struct named *a = x, *b = y;
    if (a->hash != b->hash)
        return (a->hash > b->hash) - (a->hash < b->hash);
    return (a->index > b->index) - (a->index < b->index);
}

/* The walk over all records. NULL, or what is wrong. */
static const char *read_all(struct dfr_pdb *p, struct dfr_pdb_types *t)
{
    uint32_t header = 0, first = 0, end = 0, bytes = 0;
    if (!dfr_msf_u32(&p->msf, STREAM, HEADER, &header) ||
        !dfr_msf_u32(&p->msf, STREAM, FIRST, &first) || !dfr_msf_u32(&p->msf, STREAM, END, &end) ||
        !dfr_msf_u32(&p->msf, STREAM, BYTES, &bytes))
        return "it holds no types";
    /* Each record takes four bytes at least. */
    if (header > HEADER_MOST || first < 0x1000 || end < first || end - first > bytes / 4 ||
        bytes > dfr_msf_size(&p->msf, STREAM) || end - first > DFR_LIMIT_PDB_TYPES)
        return "the head of its types makes no sense";
    t->first = first;
    t->at = DFR_NEW_N(p->arena, (size_t)(end - first) + 1, uint32_t);
    DFR_VEC(struct named) defined = {0};
    struct dfr_msf_walk w;
    struct dfr_span s;
    uint16_t kind;
    uint64_t at;
    dfr_msf_walk(&w, &p->msf, STREAM, header, (uint64_t)header + bytes,
                 dfr_arena_raw(p->arena, DFR_MSF_WALK_BYTES));
    while (t->count < end - first && dfr_msf_record(&w, &kind, &s, &at)) {
        struct compound c;
        t->at[t->count] = (uint32_t)at;
        if (compound(kind, s, &c) && !(c.property & FORWARD))
            *DFR_PUSH(p->arena, &defined) = (struct named){dfr_str_hash(c.name), first + t->count};
        t->count++;
    }
    if (t->count < end - first)
        return "its type records are damaged";
    if (defined.n)
        qsort(defined.v, defined.n, sizeof *defined.v, by_hash);
    t->defined = defined.v;
    t->defined_count = defined.n;
    return NULL;
}

static const struct dfr_pdb_types *types_of(struct dfr_pdb *p)
{
    if (!p->types_read) {
        p->types_read = true;
        p->types = DFR_NEW(p->arena, struct dfr_pdb_types);
        p->types->problem = "there was no memory for its types";
        p->types->problem = read_all(p, p->types);
    }
    return p->types && !p->types->problem ? p->types : NULL;
}

/* ---- Looking at single records -------------------------------------------------------------------- */

/* One question: its records are read into one buffer, and there is an end to them. */
struct asking {
    struct dfr_pdb *p;
    const struct dfr_pdb_types *t;
    uint32_t left; /* records that may still be read */
    uint8_t *buf;  /* of the record that is looked at; 64 KiB */
};

static bool record(struct asking *q, uint32_t index, uint16_t *ret_kind, struct dfr_span *ret)
{
    uint16_t len = 0;
    if (index < q->t->first || index - q->t->first >= q->t->count || !q->left)
        return false;
    q->left--;
    uint64_t at = q->t->at[index - q->t->first];
    if (!dfr_msf_u16(&q->p->msf, STREAM, at, &len) || len < 2 ||
        !dfr_msf_u16(&q->p->msf, STREAM, at + 2, ret_kind) ||
        !dfr_msf_read(&q->p->msf, STREAM, at + 4, q->buf, len - 2u))
        return false;
    *ret = (struct dfr_span){q->buf, len - 2u};
    return true;
}

/* The definition of a name, the last one when there are several; with `unique`, the one of them that
 * is called so. */
static bool definition(struct asking *q, struct dfr_str name, struct dfr_str unique,
                       uint32_t *ret_index, struct compound *ret)
{
    uint64_t hash = dfr_str_hash(name);
    uint32_t from = 0, to = q->t->defined_count;
    bool found = false;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (q->t->defined[mid].hash < hash)
            from = mid + 1;
        else
            to = mid;
    }
    for (; from < q->t->defined_count && q->t->defined[from].hash == hash; from++) {
        uint16_t kind;
        struct dfr_span s;
        struct compound c;
        if (record(q, q->t->defined[from].index, &kind, &s) && compound(kind, s, &c) &&
            dfr_str_eq(c.name, name) && (!unique.len || dfr_str_eq(c.unique, unique))) {
            *ret = c;
            *ret_index = q->t->defined[from].index;
            found = true;
        }
    }
    return found;
}

/* Types below the first index are built in: the low byte says what, the next four bits whether it is
 * a pointer to that. 0: of no size, or not known. */
static uint64_t built_in_size(uint32_t index)
{
    static const struct {
        uint8_t kind, size;
    } sizes[] = {{0x10, 1}, {0x20, 1},  {0x30, 1},  {0x68, 1},  {0x69, 1},  {0x70, 1}, {0x7C, 1},
                 {0x11, 2}, {0x21, 2},  {0x31, 2},  {0x46, 2},  {0x71, 2},  {0x72, 2}, {0x73, 2},
                 {0x7A, 2}, {0x08, 4},  {0x12, 4},  {0x22, 4},  {0x32, 4},  {0x40, 4}, {0x74, 4},
                 {0x75, 4}, {0x7B, 4},  {0x13, 8},  {0x23, 8},  {0x33, 8},  {0x41, 8}, {0x76, 8},
                 {0x77, 8}, {0x42, 10}, {0x14, 16}, {0x24, 16}, {0x78, 16}, {0x79, 16}};
    switch (index >> 8 & 0xF) {
    case 0:
        break;
    case 6:
        return 8;
    case 4:
    case 5:
        return 4;
    default:
        return 0;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].kind == (index & 0xFF))
            return sizes[i].size;
    return 0;
}

/* What a type is once modifiers and declarations are looked through. */
struct type {
    uint16_t kind; /* of its record; 0: built in */
    uint64_t size;
    uint32_t fields;          /* of a compound */
    uint32_t element;         /* of an array */
    uint8_t bit_at, bit_size; /* of bits */
};

static uint64_t pointer_size(uint32_t attributes)
{
    uint32_t size = attributes >> 13 & 0x3F, kind = attributes & 0x1F;
    return size ? size : kind == 0xC ? 8 : kind == 0xA ? 4 : 0;
}

/* A compound that is only declared here stands elsewhere under the same name. */
static bool defined_compound(struct asking *q, struct compound *c)
{
    uint32_t index;
    char own[2048]; /* the buffer is used again */
    if (!(c->property & FORWARD))
        return true;
    if (c->name.len + c->unique.len > sizeof own || (!c->unique.len && c->name.p[0] == '<'))
        return false;
    memcpy(own, c->name.p, c->name.len);
    if (c->unique.len)
        memcpy(own + c->name.len, c->unique.p, c->unique.len);
    struct dfr_str name = {own, c->name.len}, unique = {own + c->name.len, c->unique.len};
    return definition(q, name, unique, &index, c);
}

static bool look_through(struct asking *q, uint32_t index, unsigned depth, struct type *ret)
{
    enum { DEPTH = 8 };
    uint16_t kind;
    struct dfr_span s;
    uint64_t at;
    uint32_t next = 0;
    struct compound c;
    *ret = (struct type){0};
    if (index < 0x1000) {
        ret->size = built_in_size(index);
        return true;
    }
    if (depth == DEPTH || !record(q, index, &kind, &s))
        return false;
    ret->kind = kind;
    switch (kind) {
    case MODIFIER:
        return dfr_span_u32le(s, 0, &next) && look_through(q, next, depth + 1, ret);
    case ENUM:
        return dfr_span_u32le(s, 4, &next) && look_through(q, next, depth + 1, ret);
    case BITS:
        if (!dfr_span_u32le(s, 0, &next) || !dfr_span_u8(s, 4, &ret->bit_size) ||
            !dfr_span_u8(s, 5, &ret->bit_at))
            return false;
        struct type of;
        if (!look_through(q, next, depth + 1, &of))
            return false;
        ret->size = of.size;
        return ret->bit_size > 0;
    case POINTER:
        if (!dfr_span_u32le(s, 4, &next))
            return false;
        ret->size = pointer_size(next);
        return true;
    case ARRAY:
        at = 8;
        return dfr_span_u32le(s, 0, &ret->element) && numeric(s, &at, &ret->size);
    default:
        if (!compound(kind, s, &c) || !defined_compound(q, &c))
            return false;
        ret->size = c.size;
        ret->fields = c.fields;
        return true;
    }
}

static bool look(struct asking *q, uint32_t index, struct type *ret)
{
    return look_through(q, index, 0, ret);
}

/* ---- Members ------------------------------------------------------------------------------------- */

/* One entry of a list of fields: where the next one starts, and what it says when it is a member or
 * a base. */
struct field {
    uint16_t kind;
    uint32_t type;
    uint64_t offset;
    struct dfr_str name;
};

static bool method_has_offset(uint16_t attributes)
{
    uint16_t property = attributes >> 2 & 7;
    return property == 4 || property == 6; /* introduces a virtual function */
}

static bool next_field(struct dfr_span s, uint64_t *at, struct field *ret)
{
    uint16_t attributes = 0;
    uint64_t ignored;
    uint8_t pad;
    *ret = (struct field){0};
    if (!dfr_span_u16le(s, *at, &ret->kind) || !dfr_span_u16le(s, *at + 2, &attributes) ||
        !dfr_span_u32le(s, *at + 4, &ret->type))
        return false;
    *at += 8;
    bool good = true;
    switch (ret->kind) {
    case MEMBER:
        good = numeric(s, at, &ret->offset) && text(s, at, &ret->name);
        break;
    case BASE:
        good = numeric(s, at, &ret->offset);
        break;
    case VIRTUAL_BASE:
    case INDIRECT_BASE:
        *at += 4;
        good = numeric(s, at, &ignored);
        good = good && numeric(s, at, &ignored);
        break;
    case ENUMERATE:
        *at -= 4;
        good = numeric(s, at, &ignored) && text(s, at, &ret->name);
        break;
    case METHOD:
        *at += method_has_offset(attributes) ? 4 : 0;
        good = text(s, at, &ret->name);
        break;
    case STATIC:
    case METHODS:
    case NESTED:
        good = text(s, at, &ret->name);
        break;
    case GO_ON:
    case VTABLE:
        break;
    default:
        return false;
    }
    while (good && dfr_span_u8(s, *at, &pad) && pad >= 0xF0) /* up to the next multiple of four */
        *at += pad & 0xF ? pad & 0xF : 1;
    return good;
}

/* Find `name` among the fields of a compound; in bases and in members without a name as well. */
static bool find_field(struct asking *q, uint32_t list, struct dfr_str name, unsigned depth,
                       struct field *ret)
{
    enum { INSIDE_MOST = 64, DEPTH = 8 };
    struct {
        uint32_t type;
        uint64_t offset;
    } inside[INSIDE_MOST]; /* to be looked into once this list is done: the buffer is used again */
    uint32_t inside_count = 0;
    uint16_t kind;
    struct dfr_span s;
    struct field f;
    while (list) {
        uint32_t more = 0;
        if (!record(q, list, &kind, &s) || kind != FIELDS)
            return false;
        for (uint64_t at = 0; at < s.len;) {
            if (!next_field(s, &at, &f))
                return false;
            if (f.kind == GO_ON)
                more = f.type;
            if (f.kind == MEMBER && dfr_str_eq(f.name, name)) {
                *ret = f;
                return true;
            }
            if ((f.kind == BASE || (f.kind == MEMBER && !f.name.len)) &&
                inside_count < INSIDE_MOST) {
                inside[inside_count].type = f.type;
                inside[inside_count++].offset = f.offset;
            }
        }
        list = more;
    }
    for (uint32_t i = 0; i < inside_count && depth < DEPTH; i++) {
        struct type t;
        if (look(q, inside[i].type, &t) && t.fields &&
            find_field(q, t.fields, name, depth + 1, ret)) {
            ret->offset += inside[i].offset;
            return true;
        }
    }
    return false;
}

/* One step of a path: a name, then elements. */
struct step {
    struct dfr_str name;
    uint64_t index[4];
    uint32_t indexes;
};

static bool next_step(struct dfr_str *path, struct step *ret)
{
    size_t n = 0;
    *ret = (struct step){0};
    while (n < path->len && path->p[n] != '.' && path->p[n] != '[')
        n++;
    ret->name = dfr_str_slice(*path, 0, n);
    while (n < path->len && path->p[n] == '[') {
        uint64_t v = 0;
        size_t digits = 0;
        for (n++; n < path->len && path->p[n] >= '0' && path->p[n] <= '9' && digits < 9;
             n++, digits++)
            v = v * 10 + (uint64_t)(path->p[n] - '0');
        if (!digits || n >= path->len || path->p[n++] != ']' || ret->indexes == 4)
            return false;
        ret->index[ret->indexes++] = v;
    }
    if (n < path->len && (path->p[n] != '.' || ++n == path->len))
        return false;
    *path = dfr_str_slice(*path, n, path->len);
    return ret->name.len > 0;
}

/* Go from an array to one of its elements. */
static enum dfr_pdb_answer element(struct asking *q, struct type *t, uint64_t index,
                                   uint64_t *offset)
{
    struct type e;
    uint64_t size = t->size;
    if (t->kind != ARRAY || !look(q, t->element, &e) || !e.size)
        return DFR_PDB_ODD;
    if (index >= size / e.size)
        return DFR_PDB_NO_MEMBER;
    *offset += index * e.size;
    *t = e;
    return DFR_PDB_FOUND;
}

enum dfr_pdb_answer dfr_pdb_member(struct dfr_pdb *p, struct dfr_str type, struct dfr_str path,
                                   struct dfr_pdb_member *ret)
{
    enum { STEPS = 16, RECORD_MOST = 1 << 16 };
    struct asking q = {.p = p, .t = types_of(p), .left = DFR_LIMIT_PDB_RECORDS};
    struct compound c;
    uint32_t index;
    uint64_t offset = 0;
    if (!q.t)
        return DFR_PDB_NO_TYPES;
    if (!p->record)
        p->record = dfr_arena_raw(p->arena, RECORD_MOST);
    q.buf = p->record;
    if (!type.len || type.p[0] == '<' || !definition(&q, type, DFR_STR(""), &index, &c))
        return DFR_PDB_NO_TYPE;
    struct type t = {.kind = STRUCTURE, .size = c.size, .fields = c.fields};
    for (unsigned n = 0; path.len; n++) {
        struct step step;
        struct field f;
        if (n == STEPS || !next_step(&path, &step))
            return DFR_PDB_ODD;
        if (!t.fields)
            return t.kind == POINTER ? DFR_PDB_ODD : DFR_PDB_NO_MEMBER;
        if (!find_field(&q, t.fields, step.name, 0, &f))
            return q.left ? DFR_PDB_NO_MEMBER : DFR_PDB_ODD;
        if (f.offset > UINT32_MAX)
            return DFR_PDB_ODD;
        if (!look(&q, f.type, &t)) { /* it is declared, and defined nowhere: its place is known */
            if (path.len || step.indexes)
                return DFR_PDB_ODD;
            t = (struct type){0};
        }
        offset += f.offset;
        for (uint32_t i = 0; i < step.indexes; i++) {
            enum dfr_pdb_answer a = element(&q, &t, step.index[i], &offset);
            if (a != DFR_PDB_FOUND)
                return a;
        }
    }
    *ret = (struct dfr_pdb_member){
        .offset = offset, .size = t.size, .bit_at = t.bit_at, .bit_size = t.bit_size};
    return DFR_PDB_FOUND;
}
