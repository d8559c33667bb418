/* The store: scalars by field id, tables row after row, places, and modules by name. */
#include "facts/store.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"

static struct dfr_value blank(uint32_t field)
{
    struct dfr_value v = dfr_v_unknown(dfr_field_info(field)->kind, DFR_REASON_NOT_SHOWN);
    v.trust = 0;
    return v;
}

void dfr_facts_init(struct dfr_facts *f, struct dfr_arena *a)
{
    *f = (struct dfr_facts){.arena = a};
    for (uint32_t i = 0; i < DFR_F_COUNT; i++)
        f->scalars[i] = blank(i);
    for (uint32_t t = 0; t < DFR_T_COUNT; t++)
        f->tables[t].reason = DFR_REASON_NOT_SHOWN;
    *DFR_PUSH(a, &f->places) = (struct dfr_place){0};
}

static bool is_interval(const struct dfr_value *v)
{
    return v->kind == DFR_KIND_INT || v->kind == DFR_KIND_TIME || v->kind == DFR_KIND_DUR;
}

static bool holds(const struct dfr_value *outer, const struct dfr_value *inner)
{
    return outer->as.n.lo <= inner->as.n.lo && inner->as.n.hi <= outer->as.n.hi;
}

bool dfr_facts_set(struct dfr_facts *f, uint32_t field, struct dfr_value v)
{
    assert(dfr_field_info(field)->cls == DFR_FIELD_SCALAR);
    assert(dfr_field_info(field)->kind == v.kind);
    struct dfr_value *old = &f->scalars[field];
    if (old->state == DFR_UNKNOWN) {
        if (v.state != DFR_UNKNOWN || old->reason == DFR_REASON_NOT_SHOWN)
            *old = v;
        return true;
    }
    if (v.state == DFR_UNKNOWN || dfr_value_same(old, &v)) {
        if (v.state != DFR_UNKNOWN && v.trust > old->trust)
            *old = v;
        return true;
    }
    if (v.trust > old->trust) {
        *old = v;
        return true;
    }
    if (v.trust < old->trust)
        return true;
    if (v.state == DFR_KNOWN && old->state == DFR_KNOWN && is_interval(&v)) {
        if (holds(&v, old))
            return true;
        if (holds(old, &v)) {
            *old = v;
            return true;
        }
    }
    return false;
}

uint32_t dfr_facts_place(struct dfr_facts *f, struct dfr_place p)
{
    uint32_t n = f->places.n;
    *DFR_PUSH(f->arena, &f->places) = p;
    return n;
}

uint32_t dfr_facts_row(struct dfr_facts *f, uint32_t table)
{
    struct dfr_rows *r = &f->tables[table];
    const struct dfr_table_info *info = dfr_table_info(table);
    if (r->n >= DFR_LIMIT_TABLE_ROWS)
        return UINT32_MAX;
    if (r->n == r->cap) {
        uint32_t cap = r->cap ? r->cap * 2 : 16;
        struct dfr_value *cells =
            DFR_NEW_N(f->arena, (size_t)cap * info->columns, struct dfr_value);
        if (r->n)
            memcpy(cells, r->cells, (size_t)r->n * info->columns * sizeof *cells);
        r->cells = cells;
        r->cap = cap;
    }
    struct dfr_value *row = &r->cells[(size_t)r->n * info->columns];
    for (uint32_t i = 0; i < info->columns; i++)
        row[i] = blank(info->first_column + i);
    return r->n++;
}

static struct dfr_value *cell(const struct dfr_facts *f, uint32_t column_field, uint32_t row)
{
    const struct dfr_field_info *info = dfr_field_info(column_field);
    assert(info->cls == DFR_FIELD_COLUMN);
    const struct dfr_rows *r = &f->tables[info->table];
    if (row >= r->n)
        return NULL;
    return &r->cells[(size_t)row * dfr_table_info(info->table)->columns + info->column];
}

/* Modules by name. Open addressing; keys are stems without case, all names of the kernel are one.
 * A row has an entry for its name and one for its image, which may be spelled apart. */
static uint64_t module_key(struct dfr_str spelled)
{
    struct dfr_str stem = dfr_module_stem(spelled);
    return dfr_str_hash_ci(dfr_module_is_kernel(stem) ? DFR_STR("nt") : stem);
}

static bool cell_is_module(const struct dfr_facts *f, uint32_t column, uint32_t row,
                           struct dfr_str name)
{
    const struct dfr_value *v = cell(f, column, row);
    return v->state == DFR_KNOWN && dfr_module_same(dfr_value_str(v), name);
}

/* Of several rows with one name the first keeps it, so no chain grows with repeated names. */
static void hash_cell(struct dfr_facts *f, uint32_t column, uint32_t row)
{
    const struct dfr_value *v = cell(f, column, row);
    if (v->state != DFR_KNOWN)
        return;
    struct dfr_str name = dfr_value_str(v);
    uint32_t i = (uint32_t)module_key(name) & f->module_mask;
    while (f->module_hash[i]) {
        if (cell_is_module(f, column, f->module_hash[i] - 1, name))
            return;
        i = (i + 1) & f->module_mask;
    }
    f->module_hash[i] = row + 1;
    f->module_entries++;
}

static void hash_module(struct dfr_facts *f, uint32_t column, uint32_t row)
{
    if (f->module_hash && f->module_entries < f->module_mask / 2) {
        hash_cell(f, column, row);
        return;
    }
    uint32_t slots = f->module_hash ? (f->module_mask + 1) * 2 : 256;
    f->module_hash = DFR_NEW_N(f->arena, slots, uint32_t);
    f->module_mask = slots - 1;
    f->module_entries = 0;
    for (uint32_t i = 0; i < f->tables[DFR_T_MODULES].n; i++) {
        hash_cell(f, DFR_F_MODULES_NAME, i);
        hash_cell(f, DFR_F_MODULES_IMAGE, i);
    }
}

void dfr_facts_cell(struct dfr_facts *f, uint32_t column_field, uint32_t row, struct dfr_value v)
{
    struct dfr_value *c = cell(f, column_field, row);
    assert(dfr_field_info(column_field)->kind == v.kind);
    if (!c)
        return;
    if (c->state != DFR_UNKNOWN && (v.state == DFR_UNKNOWN || v.trust < c->trust))
        return;
    *c = v;
    if ((column_field == DFR_F_MODULES_NAME || column_field == DFR_F_MODULES_IMAGE) &&
        v.state == DFR_KNOWN)
        hash_module(f, column_field, row);
}

uint32_t dfr_facts_find_module(const struct dfr_facts *f, struct dfr_str spelled)
{
    struct dfr_str stem = dfr_module_stem(spelled);
    if (!f->module_hash || !stem.len)
        return UINT32_MAX;
    uint32_t by_image = UINT32_MAX;
    for (uint32_t i = (uint32_t)module_key(stem) & f->module_mask; f->module_hash[i];
         i = (i + 1) & f->module_mask) {
        uint32_t row = f->module_hash[i] - 1;
        if (cell_is_module(f, DFR_F_MODULES_NAME, row, stem))
            return row;
        if (by_image == UINT32_MAX && cell_is_module(f, DFR_F_MODULES_IMAGE, row, stem))
            by_image = row;
    }
    return by_image;
}

uint32_t dfr_facts_module_row(struct dfr_facts *f, struct dfr_str spelled)
{
    uint32_t row = dfr_facts_find_module(f, spelled);
    if (row != UINT32_MAX)
        return row;
    row = dfr_facts_row(f, DFR_T_MODULES);
    if (row != UINT32_MAX)
        dfr_facts_cell(f, DFR_F_MODULES_NAME, row, dfr_v_str(dfr_module_stem(spelled)));
    return row;
}

struct dfr_value dfr_facts_module(const struct dfr_facts *f, struct dfr_str spelled)
{
    struct dfr_str stem = dfr_module_stem(spelled);
    uint32_t row = dfr_facts_find_module(f, stem);
    return (struct dfr_value){
        .as.module = {stem.p, (uint32_t)stem.len, row == UINT32_MAX ? 0 : row + 1},
        .kind = DFR_KIND_MODULE,
        .state = DFR_KNOWN,
        .trust = DFR_TRUST_DEBUGGER,
    };
}

struct dfr_value dfr_facts_sym(struct dfr_facts *f, struct dfr_sym s)
{
    struct dfr_sym *sym = DFR_NEW(f->arena, struct dfr_sym);
    *sym = s;
    return (struct dfr_value){
        .as.sym = sym, .kind = DFR_KIND_SYM, .state = DFR_KNOWN, .trust = DFR_TRUST_DEBUGGER};
}

const struct dfr_value *dfr_facts_scalar(const struct dfr_facts *f, uint32_t field)
{
    assert(field < DFR_F_COUNT);
    return &f->scalars[field];
}

/* What stands behind the last row: unknown where more may follow, absent behind a complete table. */
#define NO_CELL(k)                                                                                 \
    {                                                                                              \
        {.kind = (k), .reason = DFR_REASON_NOT_LISTED},                                            \
        {                                                                                          \
            .kind = (k), .state = DFR_ABSENT, .reason = DFR_REASON_NO_SUCH_ROW                     \
        }                                                                                          \
    }
static const struct dfr_value no_cell[][2] = {
    [DFR_KIND_NONE] = NO_CELL(DFR_KIND_NONE),     [DFR_KIND_BOOL] = NO_CELL(DFR_KIND_BOOL),
    [DFR_KIND_INT] = NO_CELL(DFR_KIND_INT),       [DFR_KIND_ADDR] = NO_CELL(DFR_KIND_ADDR),
    [DFR_KIND_STR] = NO_CELL(DFR_KIND_STR),       [DFR_KIND_SYM] = NO_CELL(DFR_KIND_SYM),
    [DFR_KIND_MODULE] = NO_CELL(DFR_KIND_MODULE), [DFR_KIND_BYTES] = NO_CELL(DFR_KIND_BYTES),
    [DFR_KIND_TIME] = NO_CELL(DFR_KIND_TIME),     [DFR_KIND_DUR] = NO_CELL(DFR_KIND_DUR),
    [DFR_KIND_VER] = NO_CELL(DFR_KIND_VER),       [DFR_KIND_ENUM] = NO_CELL(DFR_KIND_ENUM),
    [DFR_KIND_ROW] = NO_CELL(DFR_KIND_ROW),       [DFR_KIND_LIST] = NO_CELL(DFR_KIND_LIST),
};

const struct dfr_value *dfr_facts_at(const struct dfr_facts *f, uint32_t column_field, uint32_t row)
{
    const struct dfr_value *c = cell(f, column_field, row);
    if (c)
        return c;
    const struct dfr_field_info *info = dfr_field_info(column_field);
    return &no_cell[info->kind][f->tables[info->table].complete];
}

static bool module_holds(const struct dfr_facts *f, uint32_t row, uint64_t address)
{
    const struct dfr_value *base = cell(f, DFR_F_MODULES_BASE, row);
    const struct dfr_value *end = cell(f, DFR_F_MODULES_END, row);
    return base->state == DFR_KNOWN && end->state == DFR_KNOWN && base->as.u <= address &&
           address < end->as.u;
}

uint32_t dfr_facts_module_at(const struct dfr_facts *f, uint64_t address)
{
    if (!f->modules_by_base) {
        for (uint32_t i = 0; i < f->tables[DFR_T_MODULES].n; i++)
            if (module_holds(f, i, address))
                return i;
        return UINT32_MAX;
    }
    /* The last module that starts at or before the address; loaded images do not overlap. */
    uint32_t from = 0, to = f->modules_based;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (cell(f, DFR_F_MODULES_BASE, f->modules_by_base[mid])->as.u <= address)
            from = mid + 1;
        else
            to = mid;
    }
    uint32_t row = from ? f->modules_by_base[from - 1] : UINT32_MAX;
    return row != UINT32_MAX && module_holds(f, row, address) ? row : UINT32_MAX;
}

struct dfr_str dfr_facts_quote(const struct dfr_facts *f, uint32_t place)
{
    enum { MOST = 240 };
    if (!place || place >= f->places.n || !f->text.len)
        return (struct dfr_str){"", 0};
    const struct dfr_place *p = &f->places.v[place];
    if (p->begin > f->text.len || p->end < p->begin)
        return (struct dfr_str){"", 0};
    size_t from = (size_t)p->begin;
    size_t to = p->end > f->text.len ? f->text.len : (size_t)p->end;
    size_t begin = from, end = to;
    while (begin > 0 && from - begin <= MOST && f->text.p[begin - 1] != '\n')
        begin--;
    while (end < f->text.len && end - to <= MOST && f->text.p[end] != '\n' &&
           (end == from || f->text.p[end - 1] != '\n'))
        end++;
    if (end - begin > MOST) {
        begin = from;
        end = to;
    }
    struct dfr_str line = dfr_str_trim(dfr_str_slice(f->text, begin, end));
    if (line.len <= MOST)
        return line;
    size_t cut = MOST;
    while (cut > 0 && ((uint8_t)line.p[cut] & 0xC0) == 0x80)
        cut--; /* not inside a character */
    return dfr_str_trim(dfr_str_slice(line, 0, cut));
}
