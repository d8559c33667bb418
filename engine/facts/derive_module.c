/* Modules: ranges and sizes, what a time stamp is worth, symbols, and the index by address. */
#include <stdlib.h>

#include "base/checked.h"
#include "facts/derive.h"

static void range(struct dfr_facts *f, uint32_t base_column, uint32_t end_column,
                  uint32_t size_column, uint32_t row)
{
    const struct dfr_value *base = dfr_derive_at(f, base_column, row);
    const struct dfr_value *end = dfr_derive_at(f, end_column, row);
    const struct dfr_value *size = dfr_derive_at(f, size_column, row);
    int64_t bytes;
    uint64_t top;
    if (base && end && end->as.u > base->as.u && dfr_i64_from_u64(end->as.u - base->as.u, &bytes))
        dfr_derive_cell(f, size_column, row, dfr_v_int(bytes), end);
    else if (base && !end && size && size->as.n.lo > 0 && size->as.n.lo == size->as.n.hi &&
             dfr_u64_add(base->as.u, (uint64_t)size->as.n.lo, &top))
        dfr_derive_cell(f, end_column, row, dfr_v_addr(top), size);
}

/* The times between which a driver of this crash can have been linked. Reproducible builds store a
 * hash of the image where the time stands, as most images of Windows itself do since Windows 10; a
 * debugger that does not know prints the hash as a date. A date before the architecture existed, or
 * after the crash, is no date. Without a time of the crash only the far future is out.
 * Source: documented (linker option /Brepro); x64 Windows is of 2005, its tools of 2003. */
static void plausible(const struct dfr_facts *f, int64_t *ret_first, int64_t *ret_last)
{
    const struct dfr_value *arch = dfr_derive_scalar(f, DFR_F_DUMP_ARCH);
    const struct dfr_value *crash = dfr_derive_scalar(f, DFR_F_DUMP_TIME);
    int year = 1990;
    if (arch && arch->as.e.value == DFR_ARCH_X64)
        year = 2003;
    else if (arch && arch->as.e.value == DFR_ARCH_ARM64)
        year = 2016;
    enum { TWO_DAYS = 172800 }; /* clocks of build machines and of the crashed one */
    *ret_first = dfr_time_from_civil(year, 1, 1, 0, 0, 0);
    *ret_last = crash && crash->as.n.hi < INT64_MAX - TWO_DAYS
                    ? crash->as.n.hi + TWO_DAYS
                    : dfr_time_from_civil(2040, 1, 1, 0, 0, 0);
}

bool dfr_module_ships(struct dfr_str stem)
{
    static const struct dfr_str names[] = {
#define INBOX(name) {name, sizeof(name) - 1},
#include "facts/inbox.def"
#undef INBOX
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (dfr_str_glob(names[i], stem, true))
            return true;
    return false;
}

const char *dfr_windows_name(int64_t build)
{
    static const struct {
        int64_t build;
        const char *name;
    } rows[] = {
#define WINDOWS(build, name) {build, name},
#include "facts/windows.def"
#undef WINDOWS
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].build == build)
            return rows[i].name;
    return NULL;
}

static bool ships_with_windows(const struct dfr_facts *f, uint32_t row)
{
    const struct dfr_value *name = dfr_derive_at(f, DFR_F_MODULES_NAME, row);
    const struct dfr_value *build = dfr_derive_scalar(f, DFR_F_OS_BUILD);
    enum { WINDOWS_10 = 10240 };
    if (!name || !build || build->as.n.lo < WINDOWS_10)
        return false;
    return dfr_module_ships(dfr_value_str(name));
}

static void built(struct dfr_facts *f, uint32_t row, int64_t first, int64_t last)
{
    struct dfr_value v = *dfr_facts_at(f, DFR_F_MODULES_BUILT, row);
    const struct dfr_value *stamp = dfr_derive_at(f, DFR_F_MODULES_TIMESTAMP, row);
    /* What a reader found in the image itself needs no guess. */
    bool from_image = v.state == DFR_KNOWN && v.trust == DFR_TRUST_BINARY;
    if (v.state == DFR_UNKNOWN) {
        if (!stamp || !stamp->as.u || stamp->as.u > UINT32_MAX ||
            v.reason == DFR_REASON_BUILD_HASH || v.reason == DFR_REASON_CONTRADICTORY)
            return;
        v = dfr_v_time((int64_t)stamp->as.u, (int64_t)stamp->as.u);
        v.trust = stamp->trust;
        v.place = stamp->place;
    }
    if (v.state != DFR_KNOWN)
        return;
    /* A debugger knows a hash from the image itself; the stamp alone does not tell. */
    bool hash = v.as.n.hi < first || v.as.n.lo > last;
    if (hash || (v.trust == DFR_TRUST_BINARY && !from_image && ships_with_windows(f, row))) {
        uint32_t place = v.place;
        uint8_t trust = v.trust;
        v = dfr_v_unknown(DFR_KIND_TIME, hash ? DFR_REASON_BUILD_HASH : DFR_REASON_MAYBE_HASH);
        v.place = place;
        v.trust = trust;
    }
    struct dfr_rows *t = &f->tables[DFR_T_MODULES];
    t->cells[(size_t)row * dfr_table_info(DFR_T_MODULES)->columns +
             dfr_field_info(DFR_F_MODULES_BUILT)->column] = v;
}

static void symbols(struct dfr_facts *f, uint32_t row)
{
    const struct dfr_value *v = dfr_derive_at(f, DFR_F_MODULES_SYMBOLS, row);
    if (v && v->as.e.value != DFR_SYMBOLS_DEFERRED)
        dfr_derive_cell(f, DFR_F_MODULES_HAS_SYMBOLS, row,
                        dfr_v_bool(v->as.e.value == DFR_SYMBOLS_PDB), v);
}

static int by_base(const void *a, const void *b, void *facts)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    uint64_t u = dfr_facts_at(facts, DFR_F_MODULES_BASE, x)->as.u;
    uint64_t v = dfr_facts_at(facts, DFR_F_MODULES_BASE, y)->as.u;
    return u != v ? (u > v) - (u < v) : (x < y) - (x > y); /* of equal bases the first row last */
}

static void index_by_base(struct dfr_facts *f)
{
    uint32_t n = f->tables[DFR_T_MODULES].n;
    f->modules_by_base = DFR_NEW_N(f->arena, n, uint32_t);
    f->modules_based = 0;
    for (uint32_t i = 0; i < n; i++)
        if (dfr_derive_at(f, DFR_F_MODULES_BASE, i) && dfr_derive_at(f, DFR_F_MODULES_END, i))
            f->modules_by_base[f->modules_based++] = i;
    if (f->modules_based)
        qsort_r(f->modules_by_base, f->modules_based, sizeof(uint32_t), by_base, f);
}

void dfr_derive_modules(struct dfr_facts *f)
{
    int64_t first, last;
    plausible(f, &first, &last);
    for (uint32_t i = 0; i < f->tables[DFR_T_MODULES].n; i++) {
        range(f, DFR_F_MODULES_BASE, DFR_F_MODULES_END, DFR_F_MODULES_SIZE, i);
        built(f, i, first, last);
        symbols(f, i);
    }
    for (uint32_t i = 0; i < f->tables[DFR_T_UNLOADED].n; i++)
        range(f, DFR_F_UNLOADED_BASE, DFR_F_UNLOADED_END, DFR_F_UNLOADED_SIZE, i);
    index_by_base(f);

    uint32_t nt = dfr_facts_find_module(f, DFR_STR("nt"));
    const struct dfr_value *base =
        nt == UINT32_MAX ? NULL : dfr_derive_at(f, DFR_F_MODULES_BASE, nt);
    if (base)
        dfr_derive_put(f, DFR_F_OS_KERNEL_BASE, *base, base);
}
