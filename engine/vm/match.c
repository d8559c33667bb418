/* Names against patterns and lists: frames, symbols, modules and plain strings. */
#include <string.h>

#include "base/buf.h"
#include "vm/vm.h"

struct dfr_str dfr_vm_canonical_module(struct dfr_str name)
{
    struct dfr_str stem = dfr_module_stem(name);
    return dfr_module_is_kernel(stem) ? DFR_STR("nt") : stem;
}

static bool is_star(struct dfr_str s)
{
    return s.len == 1 && s.p[0] == '*';
}

bool dfr_vm_has_wildcard(struct dfr_str s)
{
    return s.len && (memchr(s.p, '*', s.len) || memchr(s.p, '?', s.len));
}

static enum dfr_tri tri(bool b)
{
    return b ? DFR_TRUE : DFR_FALSE;
}

static enum dfr_tri regex(struct dfr_vm *vm, uint32_t pattern, struct dfr_str s,
                          uint8_t *ret_reason)
{
    enum { BYTES_PER_STEP = 16 };
    if (!vm->regex)
        vm->regex = dfr_regex_scratch_new(vm->a);
    vm->steps += s.len / BYTES_PER_STEP;
    switch (dfr_regex_match(vm->e->patterns[pattern].regex, vm->regex, s)) {
    case DFR_REGEX_YES:
        return DFR_TRUE;
    case DFR_REGEX_NO:
        return DFR_FALSE;
    case DFR_REGEX_LIMIT:
        break;
    }
    *ret_reason = DFR_REASON_PATTERN_LIMIT;
    return DFR_OPEN;
}

/* A whole string against STRING or REGEX. */
static enum dfr_tri whole(struct dfr_vm *vm, uint32_t pattern, struct dfr_str s, bool fold_case,
                          uint8_t *ret_reason)
{
    const struct dfr_ppattern *t = &vm->p->patterns.v[pattern];
    if (t->kind == DFR_PATTERN_REGEX)
        return regex(vm, pattern, s, ret_reason);
    return tri(dfr_str_glob(dfr_program_text(vm->p, t->text), s, fold_case || t->fold_case));
}

static bool module_fits(struct dfr_str pattern, struct dfr_str canonical)
{
    return dfr_vm_has_wildcard(pattern)
               ? dfr_str_glob(pattern, canonical, true)
               : dfr_str_eq_ci(dfr_vm_canonical_module(pattern), canonical);
}

enum dfr_tri dfr_vm_frame_matches(struct dfr_vm *vm, const struct dfr_frame *f, uint32_t pattern,
                                  uint8_t *ret_reason)
{
    const struct dfr_ppattern *t = &vm->p->patterns.v[pattern];
    const struct dfr_pattern_code *c = &vm->e->patterns[pattern];
    if (f->nowhere)
        return DFR_FALSE;
    if (t->kind == DFR_PATTERN_EXACT) {
        if ((f->has_module && f->module_id != c->module) || (f->has_func && f->func_id != c->func))
            return DFR_FALSE;
        return f->has_module && f->has_func ? DFR_TRUE : DFR_OPEN;
    }
    if (t->kind == DFR_PATTERN_GLOB) {
        struct dfr_str func = dfr_program_text(vm->p, t->func);
        if ((f->has_module && !module_fits(dfr_program_text(vm->p, t->module), f->module)) ||
            (f->has_func && !dfr_str_glob(func, f->func, false)))
            return DFR_FALSE;
        return f->has_module && (f->has_func || is_star(func)) ? DFR_TRUE : DFR_OPEN;
    }
    if (!f->has_module || !f->has_func)
        return DFR_OPEN;
    vm->scratch->len = 0;
    dfr_buf_str(vm->scratch, f->module);
    dfr_buf_char(vm->scratch, '!');
    dfr_buf_str(vm->scratch, f->func);
    return whole(vm, pattern, dfr_buf_text(vm->scratch), false, ret_reason);
}

/* `module!function+0x12` as a frame; text without `!` names a module alone. */
static struct dfr_frame split(const struct dfr_vm *vm, struct dfr_str s)
{
    struct dfr_frame f = {.has_module = true, .has_func = true};
    size_t bang = dfr_str_find(s, DFR_STR("!"));
    struct dfr_str func = {0};
    if (bang != SIZE_MAX) {
        func = dfr_str_slice(s, bang + 1, s.len);
        size_t plus = dfr_str_find(func, DFR_STR("+0x"));
        func = dfr_str_slice(func, 0, plus == SIZE_MAX ? func.len : plus);
        s = dfr_str_slice(s, 0, bang);
    }
    f.module = dfr_vm_canonical_module(s);
    f.func = func;
    f.module_id = dfr_names_find(&vm->e->modules, f.module);
    f.func_id = dfr_names_find(&vm->e->funcs, f.func);
    return f;
}

static struct dfr_frame of_symbol(const struct dfr_vm *vm, const struct dfr_sym *s)
{
    struct dfr_frame f = {.has_module = s->module.len != 0, .has_func = s->func.len != 0};
    f.module = dfr_vm_canonical_module(s->module);
    f.func = s->func;
    f.module_id = dfr_names_find(&vm->e->modules, f.module);
    f.func_id = dfr_names_find(&vm->e->funcs, f.func);
    return f;
}

static enum dfr_tri value_matches(struct dfr_vm *vm, const struct dfr_value *v, uint32_t pattern,
                                  uint8_t *ret_reason)
{
    const struct dfr_ppattern *t = &vm->p->patterns.v[pattern];
    bool names = t->kind == DFR_PATTERN_EXACT || t->kind == DFR_PATTERN_GLOB;
    struct dfr_frame f;
    switch ((enum dfr_kind)v->kind) {
    case DFR_KIND_STR:
        if (!names)
            return whole(vm, pattern, dfr_value_str(v), false, ret_reason);
        f = split(vm, dfr_value_str(v));
        return dfr_vm_frame_matches(vm, &f, pattern, ret_reason);
    case DFR_KIND_SYM:
        f = of_symbol(vm, v->as.sym);
        return dfr_vm_frame_matches(vm, &f, pattern, ret_reason);
    case DFR_KIND_MODULE: {
        struct dfr_str name =
            dfr_vm_canonical_module((struct dfr_str){v->as.module.p, v->as.module.len});
        if (!names)
            return whole(vm, pattern, name, true, ret_reason);
        return tri(module_fits(dfr_program_text(vm->p, t->module), name) &&
                   is_star(dfr_program_text(vm->p, t->func)));
    }
    default:
        *ret_reason = DFR_REASON_BAD_TYPE;
        return DFR_OPEN;
    }
}

struct dfr_tv dfr_vm_matches(struct dfr_vm *vm, const struct dfr_tv *x, uint32_t pattern)
{
    struct dfr_tv none = dfr_tv_of(dfr_v_bool(false));
    if (x->v.state != DFR_KNOWN)
        return dfr_tv_open(vm, DFR_KIND_BOOL, x, &none);
    uint8_t reason = DFR_REASON_NO_SYMBOLS;
    enum dfr_tri t = value_matches(vm, &x->v, pattern, &reason);
    struct dfr_tv r = {.v = t == DFR_OPEN ? dfr_v_unknown(DFR_KIND_BOOL, (enum dfr_reason)reason)
                                          : dfr_v_bool(t == DFR_TRUE),
                       .origin = x->origin};
    r.v.trust = x->v.trust;
    if (t == DFR_OPEN && !dfr_reason_is_error(reason)) {
        /* The name needs symbols: the cell that holds it is what is missing. */
        uint32_t n;
        const uint32_t *cells = dfr_sets_items(vm->out->sets, x->origin, &n);
        for (uint32_t i = 0; vm->full && i < n; i++) {
            struct dfr_cell_ref c = vm->out->cells.v[cells[i] & ~DFR_SET_CELL];
            struct dfr_str key = c.row == DFR_NONE
                                     ? (struct dfr_str){0}
                                     : dfr_vm_row_key(vm, dfr_field_info(c.field)->table, c.row);
            r.missing = dfr_vm_union(
                vm, r.missing, dfr_vm_missing(vm, c.field, key, DFR_REASON_NO_SYMBOLS, x->v.place));
        }
    }
    return r;
}

/* --- in, contains --- */

enum dfr_tri dfr_vm_element_is(const struct dfr_vm *vm, const struct dfr_value *x,
                               const struct dfr_value *element)
{
    bool module_x = x->kind == DFR_KIND_MODULE;
    if (module_x && (element->kind == DFR_KIND_MODULE || element->kind == DFR_KIND_STR)) {
        struct dfr_value m = *element;
        if (element->kind == DFR_KIND_STR) {
            m.kind = DFR_KIND_MODULE;
            m.as.module.p = element->as.s.p;
            m.as.module.len = (uint32_t)element->as.s.len;
            m.as.module.row = 0;
        }
        struct dfr_str pattern = {m.as.module.p, m.as.module.len};
        if (dfr_vm_has_wildcard(pattern))
            return tri(dfr_str_glob(
                dfr_module_stem(pattern),
                dfr_vm_canonical_module((struct dfr_str){x->as.module.p, x->as.module.len}), true));
        return dfr_vm_same(vm, x, &m);
    }
    return dfr_vm_same(vm, x, element);
}

/* One element of a list for comparing: the value of a plain list, the key of a fact table. */
static struct dfr_tv element(struct dfr_vm *vm, const struct dfr_rows_view *r, uint32_t i)
{
    if (r->table < DFR_T_COUNT)
        return dfr_vm_column(vm, dfr_table_info(r->table)->first_column, r->first + i);
    return dfr_tv_of(dfr_vm_record(vm, r->table - DFR_T_COUNT, r->first + i, 0));
}

struct dfr_tv dfr_vm_in(struct dfr_vm *vm, const struct dfr_tv *x, const struct dfr_tv *list)
{
    struct dfr_rows_view rows = dfr_vm_rows(vm, list, DFR_KIND_BOOL);
    if (rows.bad)
        return rows.unknown;
    if (x->v.state != DFR_KNOWN) {
        /* Nothing is in an empty list, whatever it is. */
        struct dfr_tv none = dfr_tv_of(dfr_v_bool(false));
        return !rows.count && !rows.open ? none : dfr_tv_open(vm, DFR_KIND_BOOL, x, &none);
    }
    struct dfr_fold_state s;
    dfr_fold_begin(vm, &s, DFR_FOLD_ANY, 0);
    s.rows = rows;
    bool hit = false;
    /* Constants rest on nothing: of a list that was looked up, one element speaks for all. */
    uint32_t from = 0, to = rows.count, found;
    if (dfr_lists_find(vm, &rows, &x->v, &found)) {
        from = found == DFR_NONE ? 0 : found;
        to = from + 1;
    }
    for (uint32_t i = from; i < to && !s.over && !hit && !dfr_vm_spent(vm); i++) {
        struct dfr_tv e = element(vm, &rows, i), t = e;
        vm->steps++;
        if (e.v.state == DFR_KNOWN) {
            enum dfr_tri same = dfr_vm_element_is(vm, &x->v, &e.v);
            bool kinds =
                x->v.kind == e.v.kind || (x->v.kind == DFR_KIND_MODULE && e.v.kind == DFR_KIND_STR);
            t.v = same == DFR_OPEN ? dfr_v_unknown(DFR_KIND_BOOL, kinds ? DFR_REASON_NOT_LISTED
                                                                        : DFR_REASON_BAD_TYPE)
                                   : dfr_v_bool(same == DFR_TRUE);
            t.v.trust = e.v.trust;
            t.missing = same == DFR_OPEN && kinds ? dfr_vm_union(vm, e.missing, x->missing) : 0;
            hit = same == DFR_TRUE;
        } else {
            t.v.state = DFR_UNKNOWN;
        }
        dfr_fold_row(vm, &s, &t);
    }
    struct dfr_tv r = dfr_fold_end(vm, &s);
    r.origin = dfr_vm_union(vm, r.origin, x->origin);
    if (x->v.trust < r.v.trust)
        r.v.trust = x->v.trust;
    return r;
}

struct dfr_tv dfr_vm_contains(struct dfr_vm *vm, const struct dfr_tv *hay,
                              const struct dfr_tv *needle)
{
    if (hay->v.kind == DFR_KIND_LIST)
        return dfr_vm_in(vm, needle, hay);
    if (hay->v.state != DFR_KNOWN || needle->v.state != DFR_KNOWN)
        return dfr_tv_open(vm, DFR_KIND_BOOL, hay, needle);
    struct dfr_tv r = dfr_tv_open(vm, DFR_KIND_BOOL, hay, needle);
    r.missing = 0;
    if (hay->v.kind != DFR_KIND_STR || needle->v.kind != DFR_KIND_STR) {
        r.v.reason = DFR_REASON_BAD_TYPE;
        return r;
    }
    enum { BYTES_PER_STEP = 16 };
    vm->steps += hay->v.as.s.len / BYTES_PER_STEP;
    uint8_t trust = r.v.trust;
    r.v =
        dfr_v_bool(dfr_str_find_ci(dfr_value_str(&hay->v), dfr_value_str(&needle->v)) != SIZE_MAX);
    r.v.trust = trust;
    return r;
}
