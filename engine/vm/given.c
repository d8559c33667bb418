/* The facts of a test: a loaded case, or none, with what the test gives laid over it. */
#include <string.h>

#include "base/limits.h"
#include "vm/vm.h"

enum what { VALUE, IS_UNKNOWN, IS_ABSENT, COMPLETE, BEGUN, NOT_COMPLETE };

static struct dfr_value *cell(struct dfr_facts *f, uint32_t field, uint32_t row)
{
    const struct dfr_field_info *info = dfr_field_info(field);
    return &f->tables[info->table]
                .cells[(size_t)row * dfr_table_info(info->table)->columns + info->column];
}

static bool is_module_key(uint32_t field)
{
    return field == DFR_F_MODULES_NAME || field == DFR_F_MODULES_IMAGE;
}

static void put_cell(struct dfr_facts *f, uint32_t field, uint32_t row, struct dfr_value v)
{
    *cell(f, field, row) = v;
    if (is_module_key(field) && v.state == DFR_KNOWN)
        dfr_facts_cell(f, field, row, v); /* enters the name into the look-up */
}

void dfr_given_copy(const struct dfr_facts *base, struct dfr_facts *f)
{
    memcpy(f->scalars, base->scalars, sizeof f->scalars);
    f->text = base->text;
    f->view = base->view;
    f->places.n = 0;
    for (uint32_t i = 0; i < base->places.n; i++)
        dfr_facts_place(f, base->places.v[i]);
    for (uint32_t t = 0; t < DFR_T_COUNT; t++) {
        const struct dfr_rows *from = &base->tables[t];
        uint32_t first = dfr_table_info(t)->first_column, columns = dfr_table_info(t)->columns;
        for (uint32_t row = 0; row < from->n; row++) {
            dfr_facts_row(f, t);
            for (uint32_t c = 0; c < columns; c++)
                put_cell(f, first + c, row, from->cells[(size_t)row * columns + c]);
        }
        f->tables[t].complete = from->complete;
        f->tables[t].reason = from->reason;
        f->tables[t].place = from->place;
    }
    dfr_facts_unseal(f, base);
}

/* "nt!KiBugCheck+0x12", "iaStor+0x253f5" or a bare address, as debuggers print frames. */
static struct dfr_sym parse_symbol(struct dfr_str s)
{
    struct dfr_sym sym = {0};
    s = dfr_str_trim(s);
    size_t plus = s.len;
    while (plus > 0 && s.p[plus - 1] != '+')
        plus--;
    struct dfr_str name = s, number = {0};
    if (plus) {
        name = dfr_str_slice(s, 0, plus - 1);
        number = dfr_str_slice(s, plus, s.len);
    } else if (dfr_str_starts_ci(s, DFR_STR("0x"))) {
        name = (struct dfr_str){0};
        number = s;
    }
    if (dfr_str_starts_ci(number, DFR_STR("0x")))
        number = dfr_str_slice(number, 2, number.len);
    sym.has_offset = number.len > 0 && number.len <= 16;
    for (size_t i = 0; sym.has_offset && i < number.len; i++) {
        char c = number.p[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16;
        sym.has_offset = digit < 16;
        sym.offset = sym.offset << 4 | (digit & 15);
    }
    if (plus && !sym.has_offset)
        name = s; /* the plus belongs to the name: `operator+` */
    if (!sym.has_offset)
        sym.offset = 0;
    size_t bang = dfr_str_find(name, DFR_STR("!"));
    sym.module = bang == SIZE_MAX ? name : dfr_str_slice(name, 0, bang);
    sym.func = bang == SIZE_MAX ? (struct dfr_str){0} : dfr_str_slice(name, bang + 1, name.len);
    return sym;
}

/* A constant as a value of the field's kind; false when that makes no sense. */
static bool convert(struct dfr_facts *f, struct dfr_value v, enum dfr_kind kind,
                    struct dfr_value *ret)
{
    if (v.kind == DFR_KIND_MODULE && v.state == DFR_KNOWN) {
        struct dfr_str name = {v.as.module.p, v.as.module.len};
        v = kind == DFR_KIND_MODULE ? dfr_facts_module(f, name) : dfr_v_str(name);
    }
    if (v.kind == DFR_KIND_STR && kind == DFR_KIND_SYM)
        v = dfr_facts_sym(f, parse_symbol(dfr_value_str(&v)));
    else if (v.kind == DFR_KIND_STR && kind == DFR_KIND_MODULE)
        v = dfr_facts_module(f, dfr_value_str(&v));
    else if (v.kind == DFR_KIND_STR && kind == DFR_KIND_BYTES)
        v.kind = DFR_KIND_BYTES;
    else if (v.kind == DFR_KIND_INT && kind == DFR_KIND_ADDR && v.as.n.lo >= 0)
        v = dfr_v_addr((uint64_t)v.as.n.lo);
    else if (v.kind == DFR_KIND_ADDR && kind == DFR_KIND_INT && v.as.u <= INT64_MAX)
        v = dfr_v_int((int64_t)v.as.u);
    if (v.kind != kind || v.state != DFR_KNOWN)
        return false;
    v.trust = DFR_TRUST_DEBUGGER;
    v.place = 0;
    *ret = v;
    return true;
}

static void forget_rows(struct dfr_facts *f, uint32_t table)
{
    struct dfr_rows *rows = &f->tables[table];
    *rows = (struct dfr_rows){.reason = DFR_REASON_GIVEN};
    if (table == DFR_T_MODULES) {
        f->module_hash = NULL;
        f->module_mask = f->module_entries = 0;
    }
}

static void give_table(struct dfr_facts *f, uint32_t table, enum what what)
{
    struct dfr_rows *rows = &f->tables[table];
    if (what == BEGUN || what == IS_UNKNOWN || what == IS_ABSENT)
        forget_rows(f, table);
    rows->complete = what == COMPLETE || what == IS_ABSENT;
    rows->reason = DFR_REASON_GIVEN;
    rows->place = 0;
}

static enum dfr_status give(const struct dfr_value *consts, const struct dfr_pgiven *g,
                            struct dfr_facts *f, struct dfr_err *err)
{
    const struct dfr_field_info *info = dfr_field_info(g->field);
    if (info->cls == DFR_FIELD_TABLE) {
        give_table(f, info->table, (enum what)g->what);
        return DFR_OK;
    }
    struct dfr_value v;
    if (g->what == IS_ABSENT)
        v = dfr_v_absent(info->kind, DFR_REASON_GIVEN);
    else if (g->what != VALUE)
        v = dfr_v_unknown(info->kind, DFR_REASON_GIVEN);
    else if (!convert(f, consts[g->constant], info->kind, &v))
        return dfr_fail(err, DFR_BAD_RULES, "%s cannot hold the given value", info->path);
    if (info->cls == DFR_FIELD_SCALAR) {
        f->scalars[g->field] = v;
        return DFR_OK;
    }
    while (f->tables[info->table].n <= g->row)
        if (dfr_facts_row(f, info->table) == UINT32_MAX)
            return dfr_fail(err, DFR_LIMIT, "%s: too many rows", info->path);
    put_cell(f, g->field, g->row, v);
    return DFR_OK;
}

/* Frames as a test writes them carry a symbol alone: the other columns that follow from it. */
static void complete_frames(struct dfr_facts *f)
{
    for (uint32_t row = 0; row < f->tables[DFR_T_STACK].n; row++) {
        const struct dfr_value *sym = cell(f, DFR_F_STACK_SYM, row);
        struct dfr_value *index = cell(f, DFR_F_STACK_INDEX, row);
        struct dfr_value *module = cell(f, DFR_F_STACK_MODULE, row);
        struct dfr_value *func = cell(f, DFR_F_STACK_FUNC, row);
        struct dfr_value *offset = cell(f, DFR_F_STACK_OFFSET, row);
        if (index->state == DFR_UNKNOWN && index->reason == DFR_REASON_NOT_SHOWN)
            *index = dfr_v_int(row);
        struct dfr_value *method = cell(f, DFR_F_STACK_METHOD, row);
        if (method->state == DFR_UNKNOWN && method->reason == DFR_REASON_NOT_SHOWN)
            *method = dfr_v_enum(DFR_E_METHOD, DFR_METHOD_LISTED);
        if (sym->state != DFR_KNOWN)
            continue;
        const struct dfr_sym *s = sym->as.sym;
        if (module->state == DFR_UNKNOWN && s->module.len)
            *module = dfr_facts_module(f, s->module);
        else if (module->state == DFR_UNKNOWN && module->reason == DFR_REASON_NOT_SHOWN)
            *module = dfr_v_absent(DFR_KIND_MODULE, DFR_REASON_NOT_APPLICABLE);
        if (func->state == DFR_UNKNOWN && s->func.len)
            *func = dfr_v_str(s->func);
        if (offset->state == DFR_UNKNOWN && s->has_offset && s->module.len &&
            s->offset <= INT64_MAX)
            *offset = dfr_v_int((int64_t)s->offset);
    }
}

/* The name and the raw code of the loaded case belong to the code that it had. */
static void forget_bugcheck(struct dfr_facts *f)
{
    f->scalars[DFR_F_BUGCHECK_NAME] = dfr_v_unknown(DFR_KIND_STR, DFR_REASON_NOT_SHOWN);
    f->scalars[DFR_F_BUGCHECK_RAW] = dfr_v_unknown(
        (enum dfr_kind)dfr_field_info(DFR_F_BUGCHECK_RAW)->kind, DFR_REASON_NOT_SHOWN);
}

static bool gives_frames(const struct dfr_program *p, const struct dfr_ptest *t)
{
    for (uint32_t i = 0; i < t->given_count; i++) {
        const struct dfr_field_info *info = dfr_field_info(p->givens.v[t->given + i].field);
        if (info->cls != DFR_FIELD_SCALAR && info->table == DFR_T_STACK)
            return true;
    }
    return false;
}

enum dfr_status dfr_given_apply(const struct dfr_program *p, uint32_t test,
                                const struct dfr_facts *base, struct dfr_arena *a,
                                struct dfr_facts *ret, struct dfr_err *err)
{
    if (test >= p->tests.n)
        return dfr_fail(err, DFR_MISUSE, "test %u does not exist", test);
    const struct dfr_ptest *t = &p->tests.v[test];
    const struct dfr_value *consts = dfr_engine_consts(a, p);
    dfr_facts_init(ret, a);
    if (base)
        dfr_given_copy(base, ret);
    for (uint32_t i = 0; i < t->given_count; i++)
        if (p->givens.v[t->given + i].field == DFR_F_BUGCHECK_CODE)
            forget_bugcheck(ret);
    for (uint32_t i = 0; i < t->given_count; i++) {
        enum dfr_status s = give(consts, &p->givens.v[t->given + i], ret, err);
        if (s != DFR_OK)
            return s;
    }
    if (gives_frames(p, t))
        complete_frames(ret);
    dfr_facts_seal(ret);
    return DFR_OK;
}
