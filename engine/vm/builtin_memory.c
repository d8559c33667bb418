/* Builtins that read the memory behind the facts: words and texts at an address, symbols, members of
 * structures. What a debugger printed of memory (the tables words, symbols and fields) is looked at
 * first; a dump answers the rest through its view. A text has no more than those tables. */
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf16.h"
#include "facts/member.h"
#include "vm/vm.h"

enum { WORD = 8, PIECE = 16 };

/* A range of memory that was asked for, and how that went. */
struct ask {
    uint64_t va;
    uint32_t len;
    uint8_t *to;
    uint8_t reason; /* enum dfr_reason; NONE: `to` is filled */
    uint8_t trust;
    uint32_t origin;
};

static struct dfr_str text_of(const struct dfr_value *v)
{
    return v->kind == DFR_KIND_MODULE ? (struct dfr_str){v->as.module.p, v->as.module.len}
                                      : dfr_value_str(v);
}

/* --- Memory as a debugger printed it ------------------------------------------------------------ */

static bool shown_word(const struct dfr_vm *vm, uint32_t row, uint64_t *ret_va, uint64_t *ret_value,
                       uint32_t *ret_size)
{
    const struct dfr_value *va = dfr_facts_at(vm->f, DFR_F_WORDS_ADDR, row);
    const struct dfr_value *value = dfr_facts_at(vm->f, DFR_F_WORDS_VALUE, row);
    const struct dfr_value *size = dfr_facts_at(vm->f, DFR_F_WORDS_SIZE, row);
    if (va->state != DFR_KNOWN || value->state != DFR_KNOWN)
        return false;
    *ret_va = va->as.u;
    *ret_value = value->as.u;
    *ret_size = WORD;
    if (size->state == DFR_KNOWN)
        *ret_size = size->as.n.lo > 0 && size->as.n.lo <= WORD ? (uint32_t)size->as.n.lo : 0;
    return *ret_size != 0;
}

/* Fill `a` from the rows of words; every byte must be shown, and nowhere differently. */
static void ask_shown(struct dfr_vm *vm, struct ask *a)
{
    enum { ROWS_PER_STEP = 4 };
    uint32_t n = vm->f->tables[DFR_T_WORDS].n, have = 0;
    bool known[DFR_LIMIT_MEM_TEXT] = {false};
    a->reason = DFR_REASON_NOT_SHOWN;
    a->trust = DFR_TRUST_BINARY;
    a->origin = 0;
    vm->steps += n / ROWS_PER_STEP;
    for (uint32_t row = 0; row < n; row++) {
        uint64_t va, value;
        uint32_t size, used = 0;
        if (!shown_word(vm, row, &va, &value, &size))
            continue;
        for (uint32_t i = 0; i < size; i++) {
            uint64_t at = va + i - a->va; /* wraps to something large below the range */
            uint8_t byte = (uint8_t)(value >> 8 * i);
            if (at >= a->len)
                continue;
            if (known[at] && a->to[at] != byte) {
                a->reason = DFR_REASON_CONTRADICTORY;
                return;
            }
            have += !known[at];
            known[at] = true;
            a->to[at] = byte;
            used++;
        }
        if (!used)
            continue;
        uint8_t trust = dfr_facts_at(vm->f, DFR_F_WORDS_VALUE, row)->trust;
        a->trust = trust < a->trust ? trust : a->trust;
        a->origin = dfr_vm_union(vm, a->origin, dfr_vm_cell(vm, DFR_F_WORDS_VALUE, row));
    }
    if (have == a->len)
        a->reason = DFR_REASON_NONE;
}

/* Read `len` (at most DFR_LIMIT_MEM_TEXT) bytes. `name` says what was asked for. */
static struct ask ask(struct dfr_vm *vm, uint64_t va, uint8_t *to, uint32_t len,
                      struct dfr_str name)
{
    struct ask a = {.va = va, .len = len, .to = to, .reason = DFR_REASON_NOT_MAPPED};
    const struct dfr_view *view = vm->f->view;
    vm->steps += len / PIECE;
    if (len > UINT64_MAX - va)
        return a;
    ask_shown(vm, &a);
    if (a.reason != DFR_REASON_NOT_SHOWN || !view)
        return a;
    struct dfr_place place = {0};
    a.reason = (uint8_t)view->read(view->user, va, to, len, &place);
    a.trust = DFR_TRUST_BINARY;
    a.origin = 0;
    if (a.reason == DFR_REASON_NONE)
        a.origin = dfr_vm_reading(vm, va, to, len, name, place);
    return a;
}

static uint64_t little_endian(const uint8_t *p, uint32_t n)
{
    uint64_t u = 0;
    for (uint32_t i = 0; i < n; i++)
        u |= (uint64_t)p[i] << 8 * i;
    return u;
}

/* What would show the range: `dq address L2`. */
static uint32_t missing_range(struct dfr_vm *vm, uint64_t va, uint32_t len, enum dfr_reason why)
{
    if (!vm->full)
        return 0;
    struct dfr_buf b;
    dfr_buf_init(&b, vm->a);
    dfr_buf_printf(&b, "%llx L%u", (unsigned long long)va, (len + WORD - 1) / WORD);
    return dfr_vm_missing(vm, DFR_F_WORDS, dfr_buf_text(&b), why, 0);
}

static struct dfr_tv not_read(struct dfr_vm *vm, enum dfr_kind kind, const struct ask *a)
{
    struct dfr_tv r = dfr_tv_error(kind, (enum dfr_reason)a->reason);
    r.missing = missing_range(vm, a->va, a->len, (enum dfr_reason)a->reason);
    return r;
}

static struct dfr_tv word(struct dfr_vm *vm, uint64_t va, uint32_t bytes)
{
    uint8_t b[WORD];
    struct ask a = ask(vm, va, b, bytes, (struct dfr_str){0});
    if (a.reason != DFR_REASON_NONE)
        return not_read(vm, DFR_KIND_ADDR, &a);
    struct dfr_tv r = dfr_tv_of(dfr_v_addr(little_endian(b, bytes)));
    r.v.trust = a.trust;
    r.origin = a.origin;
    return r;
}

/* Bytes of a pointer: 0 when the architecture is not known, which *ret_why then says. */
static uint32_t pointer_bytes(struct dfr_vm *vm, enum dfr_kind kind, struct dfr_tv *ret_why)
{
    if (vm->f->view)
        return vm->f->view->pointer_bytes;
    struct dfr_tv none = dfr_tv_of(dfr_v_bool(false));
    struct dfr_tv arch = dfr_vm_scalar(vm, DFR_F_DUMP_ARCH);
    if (arch.v.state == DFR_KNOWN)
        return arch.v.as.e.value == DFR_ARCH_X86 ? 4 : WORD;
    *ret_why = dfr_tv_open(vm, kind, &arch, &none);
    return 0;
}

struct dfr_tv dfr_builtin_MEM_U8(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return word(vm, arg->v.as.u, 1);
}

struct dfr_tv dfr_builtin_MEM_U16(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return word(vm, arg->v.as.u, 2);
}

struct dfr_tv dfr_builtin_MEM_U32(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return word(vm, arg->v.as.u, 4);
}

struct dfr_tv dfr_builtin_MEM_U64(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return word(vm, arg->v.as.u, WORD);
}

struct dfr_tv dfr_builtin_MEM_PTR(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    struct dfr_tv why;
    uint32_t bytes = pointer_bytes(vm, DFR_KIND_ADDR, &why);
    return bytes ? word(vm, arg->v.as.u, bytes) : why;
}

/* --- Texts -------------------------------------------------------------------------------------- */

/* Where a text ends: the byte behind its last unit, or `n` when it goes on. */
static uint32_t text_end(const uint8_t *p, uint32_t n, uint32_t unit)
{
    for (uint32_t i = 0; i + unit <= n; i += unit) {
        if (unit == 2 ? !p[i] && !p[i + 1] : p[i] < 0x20 || p[i] > 0x7E)
            return i;
    }
    return n;
}

/* Read units up to the one that ends the text or `most` bytes. Memory may end behind the text, so a
 * piece that cannot be read whole is read unit by unit. */
static struct ask read_text(struct dfr_vm *vm, uint64_t va, uint8_t *to, uint32_t most,
                            uint32_t unit, uint32_t *ret_len)
{
    uint32_t got = 0, piece = PIECE;
    struct ask all = {.va = va, .len = most, .trust = DFR_TRUST_BINARY};
    while (got < most && !dfr_vm_spent(vm)) {
        uint32_t n = most - got < piece ? most - got : piece;
        struct ask a = ask(vm, va + got, to + got, n, (struct dfr_str){0});
        if (a.reason != DFR_REASON_NONE && piece > unit) {
            piece = unit;
            continue;
        }
        if (a.reason != DFR_REASON_NONE) {
            a.origin = all.origin;
            return a;
        }
        all.origin = dfr_vm_union(vm, all.origin, a.origin);
        all.trust = a.trust < all.trust ? a.trust : all.trust;
        uint32_t end = text_end(to + got, n, unit);
        got += end;
        if (end < n)
            break;
    }
    *ret_len = got;
    return all;
}

static struct dfr_tv text(struct dfr_vm *vm, uint64_t va, int64_t units, uint32_t unit)
{
    uint8_t b[DFR_LIMIT_MEM_TEXT];
    uint32_t len = 0;
    int64_t most = DFR_LIMIT_MEM_TEXT / unit;
    most = units < 0 ? 0 : units < most ? units : most;
    struct ask a = read_text(vm, va, b, (uint32_t)most * unit, unit, &len);
    if (a.reason != DFR_REASON_NONE)
        return not_read(vm, DFR_KIND_STR, &a);
    struct dfr_str s = unit == 1 ? (struct dfr_str){dfr_arena_copy(vm->a, b, len), len}
                                 : dfr_utf16_text(vm->a, (struct dfr_span){b, len});
    struct dfr_tv r = dfr_tv_of(dfr_v_str(s));
    r.v.trust = a.trust;
    r.origin = a.origin;
    return r;
}

/* A length that is an interval: only its lower end is sure. */
static int64_t length_of(const struct dfr_value *v)
{
    return v->as.n.lo;
}

struct dfr_tv dfr_builtin_MEM_ASCII(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return text(vm, arg[0].v.as.u, length_of(&arg[1].v), 1);
}

struct dfr_tv dfr_builtin_MEM_UTF16(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return text(vm, arg[0].v.as.u, length_of(&arg[1].v), 2);
}

/* UNICODE_STRING: bytes of the text in 16 bits, and behind padding a pointer to it. Documented. */
struct dfr_tv dfr_builtin_MEM_UNICODE(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    struct dfr_tv why;
    uint32_t bytes = pointer_bytes(vm, DFR_KIND_STR, &why);
    if (!bytes)
        return why;
    uint64_t va = arg->v.as.u;
    uint8_t len[2], pointer[WORD];
    struct ask a = ask(vm, va, len, sizeof len, (struct dfr_str){0});
    struct ask b = ask(vm, va + bytes, pointer, bytes, (struct dfr_str){0});
    if (a.reason != DFR_REASON_NONE || b.reason != DFR_REASON_NONE)
        return not_read(vm, DFR_KIND_STR, a.reason != DFR_REASON_NONE ? &a : &b);
    struct dfr_tv r =
        text(vm, little_endian(pointer, bytes), (int64_t)little_endian(len, sizeof len) / 2, 2);
    r.origin = dfr_vm_union(vm, r.origin, dfr_vm_union(vm, a.origin, b.origin));
    r.v.trust = a.trust < r.v.trust ? a.trust : r.v.trust;
    r.v.trust = b.trust < r.v.trust ? b.trust : r.v.trust;
    return r;
}

/* --- Symbols ------------------------------------------------------------------------------------ */

static bool shown_symbol(struct dfr_vm *vm, struct dfr_str name, struct dfr_tv *ret)
{
    uint32_t n = vm->f->tables[DFR_T_SYMBOLS].n;
    vm->steps += n;
    for (uint32_t row = 0; row < n; row++) {
        const struct dfr_value *v = dfr_facts_at(vm->f, DFR_F_SYMBOLS_NAME, row);
        if (v->state == DFR_KNOWN && dfr_str_eq_ci(dfr_value_str(v), name)) {
            *ret = dfr_vm_column(vm, DFR_F_SYMBOLS_ADDR, row);
            return true;
        }
    }
    return false;
}

struct dfr_tv dfr_builtin_SYMBOL(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    const struct dfr_view *view = vm->f->view;
    struct dfr_str spelled = text_of(&arg->v), module, name;
    struct dfr_tv r;
    if (shown_symbol(vm, spelled, &r))
        return r;
    enum dfr_reason why = DFR_REASON_NOT_SHOWN;
    uint64_t va = 0;
    if (!dfr_symbol_split(spelled, &module, &name))
        return dfr_tv_error(DFR_KIND_ADDR, DFR_REASON_NOT_UNDERSTOOD);
    if (view)
        why = view->symbol(view->user, module, name, &va);
    if (why == DFR_REASON_NONE) {
        r = dfr_tv_of(dfr_v_addr(va));
        r.v.trust = DFR_TRUST_BINARY;
        return r;
    }
    r = dfr_tv_error(DFR_KIND_ADDR, why);
    if (vm->full)
        r.missing = dfr_vm_missing(vm, DFR_F_SYMBOLS, dfr_str_dup(vm->a, spelled), why, 0);
    return r;
}

/* --- Members ------------------------------------------------------------------------------------ */

struct wanted {
    uint64_t va; /* of the structure */
    struct dfr_str spelled, module, type, path;
    struct dfr_member member;
    struct dfr_tv why; /* when the architecture is missing */
};

/* Where the member stands: from the dump's view, else from the table of stable structures. */
static enum dfr_reason find_member(struct dfr_vm *vm, struct wanted *w)
{
    const struct dfr_view *view = vm->f->view;
    if (!dfr_symbol_split(w->spelled, &w->module, &w->type) || !dfr_member_path_ok(w->path))
        return DFR_REASON_NOT_UNDERSTOOD;
    if (view)
        return view->member(view->user, w->module, w->type, w->path, &w->member);
    const struct dfr_value *arch = dfr_facts_scalar(vm->f, DFR_F_DUMP_ARCH);
    if (arch->state != DFR_KNOWN || !dfr_module_is_kernel(w->module))
        return DFR_REASON_NOT_SHOWN;
    uint32_t index;
    bool indexed;
    const struct dfr_member_row *row =
        dfr_member_find(arch->as.e.value, w->type, w->path, &index, &indexed);
    if (!row || row->how != DFR_MEMBER_FIXED)
        return DFR_REASON_NOT_SHOWN;
    return dfr_member_at(row, row->at, arch->as.e.value == DFR_ARCH_X86 ? 4 : WORD, index, indexed,
                         &w->member);
}

/* What would show it: `dt nt!_IRP address CurrentLocation`. */
static struct dfr_tv no_member(struct dfr_vm *vm, const struct wanted *w, enum dfr_reason why)
{
    struct dfr_tv r = dfr_tv_error(DFR_KIND_ADDR, why);
    if (!vm->full)
        return r;
    struct dfr_buf b;
    dfr_buf_init(&b, vm->a);
    dfr_buf_str(&b, w->spelled);
    dfr_buf_printf(&b, " %llx ", (unsigned long long)w->va);
    dfr_buf_str(&b, w->path);
    r.missing = dfr_vm_missing(vm, DFR_F_FIELDS, dfr_buf_text(&b), why, 0);
    return r;
}

/* The type as `dt` was asked for it: with or without its module. */
static bool same_type(struct dfr_str shown, struct dfr_str spelled)
{
    size_t bang = dfr_str_find(shown, DFR_STR("!"));
    if (bang == SIZE_MAX)
        spelled = dfr_str_slice(spelled, dfr_str_find(spelled, DFR_STR("!")) + 1, spelled.len);
    return dfr_str_eq(shown, spelled);
}

static bool shown_member(struct dfr_vm *vm, const struct wanted *w, uint32_t column,
                         struct dfr_tv *ret)
{
    uint32_t n = vm->f->tables[DFR_T_FIELDS].n;
    vm->steps += n;
    for (uint32_t row = 0; row < n; row++) {
        const struct dfr_value *va = dfr_facts_at(vm->f, DFR_F_FIELDS_ADDR, row);
        const struct dfr_value *type = dfr_facts_at(vm->f, DFR_F_FIELDS_TYPE, row);
        const struct dfr_value *member = dfr_facts_at(vm->f, DFR_F_FIELDS_MEMBER, row);
        if (va->state == DFR_KNOWN && type->state == DFR_KNOWN && member->state == DFR_KNOWN &&
            va->as.u == w->va && same_type(dfr_value_str(type), w->spelled) &&
            dfr_str_eq(dfr_value_str(member), w->path)) {
            *ret = dfr_vm_column(vm, column, row);
            return ret->v.state == DFR_KNOWN;
        }
    }
    return false;
}

static struct wanted wanted(const struct dfr_tv *arg)
{
    return (struct wanted){
        .va = arg[0].v.as.u, .spelled = text_of(&arg[1].v), .path = text_of(&arg[2].v)};
}

/* `nt!_IRP.CurrentLocation`, for people who look at the evidence. */
static struct dfr_str member_name(struct dfr_vm *vm, const struct wanted *w)
{
    struct dfr_buf b;
    if (!vm->full)
        return (struct dfr_str){0};
    dfr_buf_init(&b, vm->a);
    dfr_buf_str(&b, w->spelled);
    dfr_buf_char(&b, '.');
    dfr_buf_str(&b, w->path);
    return dfr_buf_text(&b);
}

struct dfr_tv dfr_builtin_FIELD(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    struct wanted w = wanted(arg);
    struct dfr_tv r;
    if (shown_member(vm, &w, DFR_F_FIELDS_VALUE, &r))
        return r;
    enum dfr_reason why = find_member(vm, &w);
    if (why != DFR_REASON_NONE)
        return no_member(vm, &w, why);
    const struct dfr_member *m = &w.member;
    if (!m->size || m->size > WORD)
        return dfr_tv_error(DFR_KIND_ADDR, DFR_REASON_NO_WORD);
    uint8_t b[WORD];
    struct ask a = ask(vm, w.va + m->offset, b, m->size, member_name(vm, &w));
    if (a.reason != DFR_REASON_NONE)
        return no_member(vm, &w, (enum dfr_reason)a.reason);
    uint64_t u = little_endian(b, m->size);
    if (m->bit_size && m->bit_size < 64 && m->bit_at < 64)
        u = u >> m->bit_at & ((UINT64_C(1) << m->bit_size) - 1);
    r = dfr_tv_of(dfr_v_addr(u));
    r.v.trust = a.trust;
    r.origin = a.origin;
    return r;
}

struct dfr_tv dfr_builtin_FIELD_ADDRESS(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    struct wanted w = wanted(arg);
    struct dfr_tv r;
    if (shown_member(vm, &w, DFR_F_FIELDS_OFFSET, &r)) {
        r.v = dfr_v_addr(w.va + (uint64_t)r.v.as.n.lo);
        r.v.trust = DFR_TRUST_DEBUGGER;
        return r;
    }
    enum dfr_reason why = find_member(vm, &w);
    if (why != DFR_REASON_NONE)
        return no_member(vm, &w, why);
    r = dfr_tv_of(dfr_v_addr(w.va + w.member.offset));
    r.v.trust = DFR_TRUST_BINARY;
    return r;
}
