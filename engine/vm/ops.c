/* What operators make of values: three-valued logic, intervals, and arithmetic that says when it
 * overflows. Nothing here decides more than its operands do. */
#include "base/checked.h"
#include "vm/vm.h"

enum dfr_tri dfr_tv_tri(const struct dfr_tv *t)
{
    if (t->v.state != DFR_KNOWN || t->v.kind != DFR_KIND_BOOL)
        return DFR_OPEN;
    return t->v.as.b ? DFR_TRUE : DFR_FALSE;
}

/* A value that rests on nothing in the crash: it must not lower the trust of what it meets. */
struct dfr_tv dfr_tv_of(struct dfr_value v)
{
    v.trust = DFR_TRUST_BINARY;
    return (struct dfr_tv){.v = v};
}

struct dfr_tv dfr_tv_error(enum dfr_kind kind, enum dfr_reason why)
{
    return dfr_tv_of(dfr_v_unknown(kind, why));
}

bool dfr_reason_is_error(uint8_t r)
{
    return r == DFR_REASON_OVERFLOW || r == DFR_REASON_DIVISION || r == DFR_REASON_BUDGET ||
           r == DFR_REASON_PATTERN_LIMIT || r == DFR_REASON_BAD_TYPE;
}

/* Errors win, so that they reach the result; else the lower number, so that order is no matter. */
uint8_t dfr_reason_join(uint8_t a, uint8_t b)
{
    bool ea = dfr_reason_is_error(a), eb = dfr_reason_is_error(b);
    if (ea != eb)
        return ea ? a : b;
    if (!a || !b)
        return a ? a : b;
    return a < b ? a : b;
}

static uint8_t worse(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

static uint8_t better(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

static uint8_t open_reason(const struct dfr_tv *t)
{
    if (t->v.state == DFR_KNOWN)
        return DFR_REASON_NONE;
    return t->v.reason;
}

struct dfr_tv dfr_tv_open(struct dfr_vm *vm, enum dfr_kind kind, const struct dfr_tv *a,
                          const struct dfr_tv *b)
{
    struct dfr_tv r = {
        .v = dfr_v_unknown(kind, (enum dfr_reason)dfr_reason_join(open_reason(a), open_reason(b)))};
    r.v.trust = worse(a->v.trust, b->v.trust);
    r.missing = dfr_vm_union(vm, a->missing, b->missing);
    r.origin = dfr_vm_union(vm, a->origin, b->origin);
    return r;
}

static struct dfr_tv failed(struct dfr_vm *vm, enum dfr_kind kind, const struct dfr_tv *a,
                            const struct dfr_tv *b, enum dfr_reason why)
{
    struct dfr_tv r = dfr_tv_open(vm, kind, a, b);
    r.missing = 0;
    r.v.reason = (uint8_t)why;
    return r;
}

/* A known value that rests on both. */
static struct dfr_tv known(struct dfr_vm *vm, struct dfr_value v, const struct dfr_tv *a,
                           const struct dfr_tv *b)
{
    v.trust = worse(a->v.trust, b->v.trust);
    return (struct dfr_tv){.v = v, .origin = dfr_vm_union(vm, a->origin, b->origin)};
}

static bool both_known(const struct dfr_tv *a, const struct dfr_tv *b)
{
    return a->v.state == DFR_KNOWN && b->v.state == DFR_KNOWN;
}

/* --- Comparing --- */

static enum dfr_tri tri(bool b)
{
    return b ? DFR_TRUE : DFR_FALSE;
}

static bool spans(uint8_t kind)
{
    return kind == DFR_KIND_INT || kind == DFR_KIND_TIME || kind == DFR_KIND_DUR;
}

static enum dfr_tri same_module(const struct dfr_vm *vm, const struct dfr_value *a,
                                const struct dfr_value *b)
{
    if (dfr_module_same((struct dfr_str){a->as.module.p, a->as.module.len},
                        (struct dfr_str){b->as.module.p, b->as.module.len}))
        return DFR_TRUE;
    /* A module may be listed under a name and under another image name. */
    uint32_t x = dfr_vm_module_row(vm, a);
    return tri(x != UINT32_MAX && x == dfr_vm_module_row(vm, b));
}

static enum dfr_tri same_symbol(const struct dfr_sym *a, const struct dfr_sym *b)
{
    if (!a->module.len || !b->module.len)
        return DFR_OPEN;
    if (!dfr_module_same(a->module, b->module))
        return DFR_FALSE;
    if (!a->func.len || !b->func.len)
        return DFR_OPEN;
    if (!dfr_str_eq(a->func, b->func))
        return DFR_FALSE;
    if (!a->has_offset || !b->has_offset)
        return DFR_OPEN;
    return tri(a->offset == b->offset);
}

enum dfr_tri dfr_vm_same(const struct dfr_vm *vm, const struct dfr_value *a,
                         const struct dfr_value *b)
{
    if (a->kind != b->kind)
        return DFR_OPEN;
    switch ((enum dfr_kind)a->kind) {
    case DFR_KIND_INT:
    case DFR_KIND_TIME:
    case DFR_KIND_DUR:
        if (a->as.n.hi < b->as.n.lo || b->as.n.hi < a->as.n.lo)
            return DFR_FALSE;
        if (a->as.n.lo == a->as.n.hi && b->as.n.lo == b->as.n.hi)
            return DFR_TRUE;
        return DFR_OPEN;
    case DFR_KIND_MODULE:
        return same_module(vm, a, b);
    case DFR_KIND_SYM:
        return same_symbol(a->as.sym, b->as.sym);
    case DFR_KIND_ENUM:
        if (a->as.e.type != b->as.e.type)
            return DFR_OPEN;
        return tri(a->as.e.value == b->as.e.value);
    case DFR_KIND_NONE:
    case DFR_KIND_LIST:
        return DFR_OPEN;
    default:
        return tri(dfr_value_same(a, b));
    }
}

static int order_of(const struct dfr_value *a, const struct dfr_value *b, bool *ret_fits)
{
    *ret_fits = true;
    switch ((enum dfr_kind)a->kind) {
    case DFR_KIND_ADDR:
        return (a->as.u > b->as.u) - (a->as.u < b->as.u);
    case DFR_KIND_STR:
        return dfr_str_cmp(dfr_value_str(a), dfr_value_str(b));
    case DFR_KIND_ENUM:
        *ret_fits = a->as.e.type == b->as.e.type;
        return (a->as.e.value > b->as.e.value) - (a->as.e.value < b->as.e.value);
    case DFR_KIND_VER:
        for (int i = 0; i < 4; i++)
            if (a->as.ver[i] != b->as.ver[i])
                return a->as.ver[i] > b->as.ver[i] ? 1 : -1;
        return 0;
    default:
        *ret_fits = false;
        return 0;
    }
}

/* a < b, or a <= b with `or_same`. */
static enum dfr_tri before(const struct dfr_value *a, const struct dfr_value *b, bool or_same,
                           bool *ret_fits)
{
    if (spans(a->kind)) {
        *ret_fits = true;
        if (or_same ? a->as.n.hi <= b->as.n.lo : a->as.n.hi < b->as.n.lo)
            return DFR_TRUE;
        if (or_same ? a->as.n.lo > b->as.n.hi : a->as.n.lo >= b->as.n.hi)
            return DFR_FALSE;
        return DFR_OPEN;
    }
    int order = order_of(a, b, ret_fits);
    return tri(or_same ? order <= 0 : order < 0);
}

struct dfr_tv dfr_tv_compare(struct dfr_vm *vm, enum dfr_op op, const struct dfr_tv *a,
                             const struct dfr_tv *b)
{
    if (!both_known(a, b))
        return dfr_tv_open(vm, DFR_KIND_BOOL, a, b);
    bool fits = a->v.kind == b->v.kind, negate = op == DFR_OP_NE;
    enum dfr_tri t = DFR_OPEN;
    if (fits) {
        if (op == DFR_OP_EQ || op == DFR_OP_NE) {
            t = dfr_vm_same(vm, &a->v, &b->v);
            fits = t != DFR_OPEN || spans(a->v.kind) || a->v.kind == DFR_KIND_SYM;
        } else if (op == DFR_OP_LT || op == DFR_OP_LE) {
            t = before(&a->v, &b->v, op == DFR_OP_LE, &fits);
        } else {
            t = before(&b->v, &a->v, op == DFR_OP_GE, &fits);
        }
    }
    if (!fits)
        return failed(vm, DFR_KIND_BOOL, a, b, DFR_REASON_BAD_TYPE);
    if (t == DFR_OPEN) {
        struct dfr_tv r = dfr_tv_open(vm, DFR_KIND_BOOL, a, b);
        r.v.reason = a->v.kind == DFR_KIND_TIME  ? DFR_REASON_TIME_ZONE
                     : a->v.kind == DFR_KIND_SYM ? DFR_REASON_NO_SYMBOLS
                                                 : DFR_REASON_NOT_LISTED;
        return r;
    }
    return known(vm, dfr_v_bool((t == DFR_TRUE) != negate), a, b);
}

/* --- Logic --- */

/* A bool operand as logic sees it: what is no bool is an error, not a decision. */
static struct dfr_tv operand(const struct dfr_tv *t)
{
    struct dfr_tv r = *t;
    if (t->v.state == DFR_KNOWN && t->v.kind != DFR_KIND_BOOL)
        r.v = dfr_v_unknown(DFR_KIND_BOOL, DFR_REASON_BAD_TYPE);
    return r;
}

/* `and` with decider false, `or` with decider true. */
static struct dfr_tv combine(struct dfr_vm *vm, const struct dfr_tv *left,
                             const struct dfr_tv *right, enum dfr_tri decider)
{
    struct dfr_tv a = operand(left), b = operand(right);
    bool da = dfr_tv_tri(&a) == decider, db = dfr_tv_tri(&b) == decider;
    if (da && db) {
        struct dfr_tv r = {.v = dfr_v_bool(decider == DFR_TRUE)};
        r.v.trust = better(a.v.trust, b.v.trust);
        r.origin = dfr_vm_union(vm, a.origin, b.origin);
        return r;
    }
    if (da || db) {
        struct dfr_tv r = da ? a : b;
        r.missing = 0;
        return r;
    }
    if (!both_known(&a, &b))
        return dfr_tv_open(vm, DFR_KIND_BOOL, &a, &b);
    return known(vm, dfr_v_bool(decider != DFR_TRUE), &a, &b);
}

struct dfr_tv dfr_tv_and(struct dfr_vm *vm, const struct dfr_tv *a, const struct dfr_tv *b)
{
    return combine(vm, a, b, DFR_FALSE);
}

struct dfr_tv dfr_tv_or(struct dfr_vm *vm, const struct dfr_tv *a, const struct dfr_tv *b)
{
    return combine(vm, a, b, DFR_TRUE);
}

struct dfr_tv dfr_tv_not(const struct dfr_tv *a)
{
    struct dfr_tv r = operand(a);
    if (r.v.state == DFR_KNOWN)
        r.v.as.b = !r.v.as.b;
    else
        r.v.state = DFR_UNKNOWN;
    r.v.kind = DFR_KIND_BOOL;
    return r;
}

/* --- Arithmetic --- */

static bool span_value(uint8_t kind, int64_t lo, int64_t hi, struct dfr_value *ret)
{
    *ret = dfr_v_time(lo, hi);
    ret->kind = kind;
    return true;
}

/* Times are in seconds, durations in milliseconds: the sum rounds outward, so that it holds the
 * true value. */
static int64_t seconds_down(int64_t ms)
{
    return ms / 1000 - (ms % 1000 < 0);
}

static int64_t seconds_up(int64_t ms)
{
    return ms / 1000 + (ms % 1000 > 0);
}

enum outcome { FITS, NOT_FOR_THESE, TOO_LARGE, BY_ZERO, INEXACT };

static enum outcome add_time(const struct dfr_value *t, const struct dfr_value *d, bool minus,
                             struct dfr_value *ret)
{
    int64_t lo = d->as.n.lo, hi = d->as.n.hi;
    if (minus) {
        if (lo == INT64_MIN || hi == INT64_MIN)
            return TOO_LARGE;
        int64_t swap = -lo;
        lo = -hi;
        hi = swap;
    }
    if (!dfr_i64_add(t->as.n.lo, seconds_down(lo), &lo) ||
        !dfr_i64_add(t->as.n.hi, seconds_up(hi), &hi))
        return TOO_LARGE;
    span_value(DFR_KIND_TIME, lo, hi, ret);
    return FITS;
}

static enum outcome time_minus_time(const struct dfr_value *a, const struct dfr_value *b,
                                    struct dfr_value *ret)
{
    int64_t lo, hi;
    if (!dfr_i64_sub(a->as.n.lo, b->as.n.hi, &lo) || !dfr_i64_sub(a->as.n.hi, b->as.n.lo, &hi) ||
        !dfr_i64_mul(lo, 1000, &lo) || !dfr_i64_mul(hi, 1000, &hi))
        return TOO_LARGE;
    span_value(DFR_KIND_DUR, lo, hi, ret);
    return FITS;
}

static enum outcome ints(enum dfr_op op, int64_t a, int64_t b, int64_t *ret)
{
    switch (op) {
    case DFR_OP_ADD:
        return dfr_i64_add(a, b, ret) ? FITS : TOO_LARGE;
    case DFR_OP_SUB:
        return dfr_i64_sub(a, b, ret) ? FITS : TOO_LARGE;
    case DFR_OP_MUL:
        return dfr_i64_mul(a, b, ret) ? FITS : TOO_LARGE;
    case DFR_OP_DIV:
    case DFR_OP_MOD:
        if (b == 0)
            return BY_ZERO;
        if (a == INT64_MIN && b == -1)
            return TOO_LARGE;
        *ret = op == DFR_OP_DIV ? a / b : a % b;
        return FITS;
    case DFR_OP_BAND:
        *ret = a & b;
        return FITS;
    case DFR_OP_BOR:
        *ret = a | b;
        return FITS;
    case DFR_OP_BXOR:
        *ret = a ^ b;
        return FITS;
    case DFR_OP_SHL:
        if (b < 0 || b > 62 || a < 0 || a > INT64_MAX >> b)
            return TOO_LARGE;
        *ret = (int64_t)((uint64_t)a << b);
        return FITS;
    case DFR_OP_SHR:
        if (b < 0 || b > 63)
            return TOO_LARGE;
        *ret = (int64_t)((uint64_t)a >> b);
        return FITS;
    default:
        return NOT_FOR_THESE;
    }
}

static enum outcome words(enum dfr_op op, uint64_t a, uint64_t b, uint64_t *ret)
{
    switch (op) {
    case DFR_OP_ADD:
        return dfr_u64_add(a, b, ret) ? FITS : TOO_LARGE;
    case DFR_OP_SUB:
        if (a < b)
            return TOO_LARGE;
        *ret = a - b;
        return FITS;
    case DFR_OP_MUL:
        return dfr_u64_mul(a, b, ret) ? FITS : TOO_LARGE;
    case DFR_OP_DIV:
    case DFR_OP_MOD:
        if (b == 0)
            return BY_ZERO;
        *ret = op == DFR_OP_DIV ? a / b : a % b;
        return FITS;
    case DFR_OP_BAND:
        *ret = a & b;
        return FITS;
    case DFR_OP_BOR:
        *ret = a | b;
        return FITS;
    case DFR_OP_BXOR:
        *ret = a ^ b;
        return FITS;
    case DFR_OP_SHL:
    case DFR_OP_SHR:
        if (b > 63)
            return TOO_LARGE;
        *ret = op == DFR_OP_SHL ? a << b : a >> b;
        return FITS;
    default:
        return NOT_FOR_THESE;
    }
}

static bool exact(const struct dfr_value *v)
{
    return !spans(v->kind) || v->as.n.lo == v->as.n.hi;
}

/* addr - addr: a signed distance. */
static enum outcome distance(uint64_t a, uint64_t b, int64_t *ret)
{
    uint64_t size = a >= b ? a - b : b - a;
    if (size > (uint64_t)INT64_MAX)
        return TOO_LARGE;
    *ret = a >= b ? (int64_t)size : -(int64_t)size;
    return FITS;
}

static enum outcome addr_and_int(enum dfr_op op, uint64_t a, int64_t b, uint64_t *ret)
{
    bool back = (op == DFR_OP_SUB) != (b < 0);
    uint64_t size = b < 0 ? 0 - (uint64_t)b : (uint64_t)b;
    switch (op) {
    case DFR_OP_ADD:
    case DFR_OP_SUB:
        return words(back ? DFR_OP_SUB : DFR_OP_ADD, a, size, ret);
    case DFR_OP_SHL:
    case DFR_OP_SHR:
        return b < 0 ? TOO_LARGE : words(op, a, size, ret);
    case DFR_OP_MUL:
    case DFR_OP_DIV:
    case DFR_OP_MOD:
    case DFR_OP_BAND:
    case DFR_OP_BOR:
    case DFR_OP_BXOR:
        return b < 0 ? NOT_FOR_THESE : words(op, a, size, ret);
    default:
        return NOT_FOR_THESE;
    }
}

static enum outcome arith(enum dfr_op op, const struct dfr_value *a, const struct dfr_value *b,
                          struct dfr_value *ret)
{
    bool add = op == DFR_OP_ADD, sub = op == DFR_OP_SUB;
    if (a->kind == DFR_KIND_TIME && b->kind == DFR_KIND_DUR && (add || sub))
        return add_time(a, b, sub, ret);
    if (a->kind == DFR_KIND_DUR && b->kind == DFR_KIND_TIME && add)
        return add_time(b, a, false, ret);
    if (a->kind == DFR_KIND_TIME && b->kind == DFR_KIND_TIME && sub)
        return time_minus_time(a, b, ret);
    if (!exact(a) || !exact(b))
        return INEXACT;
    int64_t n = 0;
    uint64_t u = 0;
    enum outcome o = NOT_FOR_THESE;
    if (a->kind == DFR_KIND_ADDR && b->kind == DFR_KIND_ADDR && sub) {
        o = distance(a->as.u, b->as.u, &n);
        *ret = dfr_v_int(n);
    } else if (a->kind == DFR_KIND_ADDR && b->kind == DFR_KIND_ADDR) {
        o = words(op, a->as.u, b->as.u, &u);
        *ret = dfr_v_addr(u);
    } else if (a->kind == DFR_KIND_ADDR && b->kind == DFR_KIND_INT) {
        o = addr_and_int(op, a->as.u, b->as.n.lo, &u);
        *ret = dfr_v_addr(u);
    } else if (a->kind == DFR_KIND_INT && b->kind == DFR_KIND_ADDR && add) {
        o = addr_and_int(op, b->as.u, a->as.n.lo, &u);
        *ret = dfr_v_addr(u);
    } else if (a->kind == DFR_KIND_INT && b->kind == DFR_KIND_INT) {
        o = ints(op, a->as.n.lo, b->as.n.lo, &n);
        *ret = dfr_v_int(n);
    } else if (a->kind == DFR_KIND_DUR &&
               ((b->kind == DFR_KIND_DUR && (add || sub)) ||
                (b->kind == DFR_KIND_INT && (op == DFR_OP_MUL || op == DFR_OP_DIV)))) {
        o = ints(op, a->as.n.lo, b->as.n.lo, &n);
        *ret = dfr_v_dur_ms(n);
    }
    return o;
}

/* The kind that an operation has even when its operands are not known. */
static enum dfr_kind result_kind(enum dfr_op op, const struct dfr_value *a,
                                 const struct dfr_value *b)
{
    if (a->kind == b->kind && op == DFR_OP_SUB) {
        if (a->kind == DFR_KIND_ADDR)
            return DFR_KIND_INT;
        if (a->kind == DFR_KIND_TIME)
            return DFR_KIND_DUR;
    }
    if (b->kind == DFR_KIND_TIME || (a->kind == DFR_KIND_INT && b->kind == DFR_KIND_ADDR))
        return (enum dfr_kind)b->kind;
    return (enum dfr_kind)a->kind;
}

static enum dfr_reason outcome_reason(enum outcome o)
{
    return o == BY_ZERO         ? DFR_REASON_DIVISION
           : o == NOT_FOR_THESE ? DFR_REASON_BAD_TYPE
                                : DFR_REASON_OVERFLOW;
}

struct dfr_tv dfr_tv_arith(struct dfr_vm *vm, enum dfr_op op, const struct dfr_tv *a,
                           const struct dfr_tv *b)
{
    enum dfr_kind kind = result_kind(op, &a->v, &b->v);
    if (!both_known(a, b))
        return dfr_tv_open(vm, kind, a, b);
    struct dfr_value v;
    enum outcome o = arith(op, &a->v, &b->v, &v);
    if (o == INEXACT) {
        struct dfr_tv r = dfr_tv_open(vm, kind, a, b);
        r.v.reason = kind == DFR_KIND_TIME ? DFR_REASON_TIME_ZONE : DFR_REASON_NOT_LISTED;
        return r;
    }
    if (o != FITS)
        return failed(vm, kind, a, b, outcome_reason(o));
    struct dfr_tv r = known(vm, v, a, b);
    if (spans(v.kind) && v.as.n.lo != v.as.n.hi) /* what would make it exact */
        r.missing = dfr_vm_union(vm, a->missing, b->missing);
    return r;
}

struct dfr_tv dfr_tv_unary(struct dfr_vm *vm, enum dfr_op op, const struct dfr_tv *a)
{
    struct dfr_tv r = *a;
    if (a->v.state != DFR_KNOWN) {
        r.v.state = DFR_UNKNOWN;
        return r;
    }
    enum outcome o = FITS;
    if (op == DFR_OP_BNOT && a->v.kind == DFR_KIND_ADDR) {
        r.v.as.u = ~a->v.as.u;
    } else if (op == DFR_OP_BNOT && a->v.kind == DFR_KIND_INT && exact(&a->v)) {
        r.v.as.n.lo = r.v.as.n.hi = ~a->v.as.n.lo;
    } else if (op == DFR_OP_NEG && (a->v.kind == DFR_KIND_INT || a->v.kind == DFR_KIND_DUR)) {
        if (a->v.as.n.lo == INT64_MIN || a->v.as.n.hi == INT64_MIN) {
            o = TOO_LARGE;
        } else if (!exact(&a->v)) {
            r.v = dfr_v_unknown((enum dfr_kind)a->v.kind, DFR_REASON_NOT_LISTED);
        } else {
            r.v.as.n.lo = -a->v.as.n.hi;
            r.v.as.n.hi = -a->v.as.n.lo;
        }
    } else {
        o = NOT_FOR_THESE;
    }
    if (o != FITS)
        return failed(vm, (enum dfr_kind)a->v.kind, a, a, outcome_reason(o));
    return r;
}
