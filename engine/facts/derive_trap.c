/* The faulting context, and which frame of the crashing stack it is.
 *
 * Sources, best first: what a reader set (.trap, .cxr, .exr); the registers; the parameters of bug
 * checks that define them (trap_arg.def); the stack. */
#include "facts/derive.h"

enum encoding { NONE, BITS, DRIVER, FAULT, ZERO_ONE, EXCEPTION, READ, WRITE, EXECUTE, DOUBLE };

static const struct trap_arg {
    uint32_t code;
    uint8_t ip, address, access;
    enum encoding encoding;
    uint8_t irql, exception, frame, context;
} trap_args[] = {
#define TRAP_ARG(code, ip, address, access, encoding, irql, exception, frame, context)             \
    {code, ip, address, access, encoding, irql, exception, frame, context},
#include "facts/trap_arg.def"
#undef TRAP_ARG
};

static const struct trap_arg *trap_arg(const struct dfr_facts *f)
{
    const struct dfr_value *code = dfr_derive_scalar(f, DFR_F_BUGCHECK_CODE);
    for (size_t i = 0; code && i < sizeof trap_args / sizeof *trap_args; i++)
        if (trap_args[i].code == code->as.n.lo && code->as.n.lo == code->as.n.hi)
            return &trap_args[i];
    return NULL;
}

static bool is_arch(const struct dfr_facts *f, uint32_t arch)
{
    const struct dfr_value *v = dfr_derive_scalar(f, DFR_F_DUMP_ARCH);
    return v && v->as.e.value == arch;
}

/* Parameter 1 to 4 when it is known; 0 is none. Debuggers print 32-bit ones also sign-extended. */
static const struct dfr_value *arg(const struct dfr_facts *f, unsigned number, uint64_t *ret)
{
    const struct dfr_value *v =
        number ? dfr_derive_scalar(f, DFR_F_BUGCHECK_ARG1 + number - 1) : NULL;
    if (!v)
        return NULL;
    *ret = is_arch(f, DFR_ARCH_X86) ? (uint32_t)v->as.u : v->as.u;
    return v;
}

enum { ACCESS_UNKNOWN = DFR_ACCESS_COUNT };

/* What the faulting access wanted, as bug checks encode it; documented unless noted.
 *   BITS       bit 0 write, bit 3 execute (0A)
 *   DRIVER     0 read, 1 write, 2 and 8 execute (D1)
 *   FAULT      0 read, 1 write before Windows 10 and on ARM, 2 write since; 8 and 10h execute (50)
 *   ZERO_ONE   0 read, 1 write
 *   EXCEPTION  0 read, 1 write, 8 execute: first parameter of an access violation */
static uint32_t access_of(enum encoding e, uint64_t v)
{
    switch (e) {
    case BITS:
        return v == 0   ? DFR_ACCESS_READ
               : v == 1 ? DFR_ACCESS_WRITE
               : v == 8 ? DFR_ACCESS_EXECUTE
                        : ACCESS_UNKNOWN;
    case DRIVER:
        return v == 0             ? DFR_ACCESS_READ
               : v == 1           ? DFR_ACCESS_WRITE
               : v == 2 || v == 8 ? DFR_ACCESS_EXECUTE
                                  : ACCESS_UNKNOWN;
    case FAULT:
        return v == 0                ? DFR_ACCESS_READ
               : v == 1 || v == 2    ? DFR_ACCESS_WRITE
               : v == 8 || v == 0x10 ? DFR_ACCESS_EXECUTE
                                     : ACCESS_UNKNOWN;
    case ZERO_ONE:
        return v == 0 ? DFR_ACCESS_READ : v == 1 ? DFR_ACCESS_WRITE : ACCESS_UNKNOWN;
    case EXCEPTION:
        return v == 0   ? DFR_ACCESS_READ
               : v == 1 ? DFR_ACCESS_WRITE
               : v == 8 ? DFR_ACCESS_EXECUTE
                        : ACCESS_UNKNOWN;
    case READ:
        return DFR_ACCESS_READ;
    case WRITE:
        return DFR_ACCESS_WRITE;
    case EXECUTE:
        return DFR_ACCESS_EXECUTE;
    case NONE:
    case DOUBLE:
        break;
    }
    return ACCESS_UNKNOWN;
}

static void put_access(struct dfr_facts *f, uint32_t access, const struct dfr_value *source)
{
    if (access != ACCESS_UNKNOWN)
        dfr_derive_put(f, DFR_F_TRAP_ACCESS, dfr_v_enum(DFR_E_ACCESS, access), source);
}

static void put_address(struct dfr_facts *f, uint32_t field, unsigned number, bool zero_too)
{
    uint64_t u;
    const struct dfr_value *v = arg(f, number, &u);
    if (v && (u || zero_too))
        dfr_derive_put(f, field, dfr_v_addr(u), v);
}

/* 1E carries the first two parameters of the exception itself: of an access violation what it wanted
 * and where. The processor does not tell a non-canonical address; Windows then reports all ones,
 * which is no address. */
static void exception_parameters(struct dfr_facts *f)
{
    const uint32_t access_violation = 0xC0000005, in_page_error = 0xC0000006;
    uint64_t code, access, address;
    const struct dfr_value *a = arg(f, 1, &code), *b = arg(f, 3, &access), *c = arg(f, 4, &address);
    if (!a || ((uint32_t)code != access_violation && (uint32_t)code != in_page_error))
        return;
    if (b)
        put_access(f, access_of(EXCEPTION, access), b);
    if (c && address != UINT64_MAX && !(is_arch(f, DFR_ARCH_X86) && address == UINT32_MAX))
        dfr_derive_put(f, DFR_F_TRAP_ADDRESS, dfr_v_addr(address), c);
}

static void from_arguments(struct dfr_facts *f, const struct trap_arg *t)
{
    uint64_t u, v;
    const struct dfr_value *a;
    put_address(f, DFR_F_TRAP_RIP, t->ip, false);
    put_address(f, DFR_F_TRAP_ADDRESS, t->address, true);
    put_address(f, DFR_F_TRAP_FRAME_ADDRESS, t->frame, false);
    put_address(f, DFR_F_TRAP_CONTEXT_ADDRESS, t->context, false);
    if (t->access && (a = arg(f, t->access, &u)))
        put_access(f, access_of(t->encoding, u), a);
    else if (!t->access && t->encoding != EXCEPTION)
        put_access(f, access_of(t->encoding, 0), dfr_facts_scalar(f, DFR_F_BUGCHECK_CODE));
    if ((a = arg(f, t->irql, &u)) && u <= 31)
        dfr_derive_put(f, DFR_F_TRAP_IRQL, dfr_v_int((int64_t)u), a);
    /* An NTSTATUS, also where it was sign-extended. 1E raised inside dispatching has all zeros. */
    if ((a = arg(f, t->exception, &u)) && u && (u <= UINT32_MAX || u >> 31 == 0x1FFFFFFFF))
        dfr_derive_put(f, DFR_F_TRAP_EXCEPTION, dfr_v_addr((uint32_t)u), a);
    if (t->encoding == EXCEPTION)
        exception_parameters(f);
    /* Double fault on x64: the fourth parameter is the instruction pointer. Observed on Windows 7 to
     * 11 in public crash texts; on x86 it means nothing. */
    if (t->encoding == DOUBLE && arg(f, 1, &v) && v == 8 && !is_arch(f, DFR_ARCH_X86) &&
        !is_arch(f, DFR_ARCH_ARM64) && (a = arg(f, 4, &u)) && u >> 47 == 0x1FFFF)
        dfr_derive_put(f, DFR_F_TRAP_RIP, dfr_v_addr(u), a);
}

/* Instruction and stack pointer; the names of the registers also tell the architecture. */
void dfr_derive_registers(struct dfr_facts *f)
{
    static const struct {
        struct dfr_str name;
        uint32_t field, arch;
    } wanted[] = {
        {{"rip", 3}, DFR_F_TRAP_RIP, DFR_ARCH_X64},  {{"eip", 3}, DFR_F_TRAP_RIP, DFR_ARCH_X86},
        {{"pc", 2}, DFR_F_TRAP_RIP, DFR_ARCH_ARM64}, {{"rsp", 3}, DFR_F_TRAP_SP, DFR_ARCH_X64},
        {{"esp", 3}, DFR_F_TRAP_SP, DFR_ARCH_X86},   {{"sp", 2}, DFR_F_TRAP_SP, DFR_ARCH_ARM64},
    };
    for (uint32_t i = 0; i < f->tables[DFR_T_REGS].n; i++) {
        const struct dfr_value *name = dfr_derive_at(f, DFR_F_REGS_NAME, i);
        const struct dfr_value *value = dfr_derive_at(f, DFR_F_REGS_VALUE, i);
        for (size_t k = 0; name && value && k < sizeof wanted / sizeof *wanted; k++)
            if (dfr_str_eq_ci(dfr_value_str(name), wanted[k].name)) {
                dfr_derive_put(f, wanted[k].field, *value, value);
                dfr_derive_put(f, DFR_F_DUMP_ARCH, dfr_v_enum(DFR_E_ARCH, wanted[k].arch), value);
            }
    }
}

/* Where the faulting context stands on the crashing stack. */
struct start {
    uint32_t frame;      /* the faulting frame, or where looking for it has to begin */
    uint32_t trap;       /* the frame of the trap that it ran into; UINT32_MAX: none seen */
    bool certain;        /* it is the faulting frame */
    bool faulted;        /* something faulted there: not just the caller of KeBugCheckEx */
    enum dfr_reason why; /* of an uncertain one */
};

static bool uncertain_frame(const struct dfr_facts *f, uint32_t row)
{
    const struct dfr_value *m = dfr_derive_at(f, DFR_F_STACK_METHOD, row);
    return m && (m->as.e.value == DFR_METHOD_UNCERTAIN || m->as.e.value == DFR_METHOD_SCAN);
}

/* Number of frames before the first one that was only found by scanning: those behind it are possible
 * callers, never frames to reason from. */
static uint32_t found_frames(const struct dfr_facts *f)
{
    uint32_t n = f->tables[DFR_T_STACK].n;
    for (uint32_t i = 0; i < n; i++) {
        const struct dfr_value *m = dfr_derive_at(f, DFR_F_STACK_METHOD, i);
        if (m && m->as.e.value == DFR_METHOD_SCAN)
            return i;
    }
    return n;
}

/* The frame that runs at `ip`: its address, else the return address of the frame before it. */
static bool frame_at(const struct dfr_facts *f, uint64_t ip, uint32_t from, uint32_t to,
                     uint32_t *ret)
{
    for (uint32_t i = from; i < to; i++) {
        const struct dfr_value *address = dfr_derive_at(f, DFR_F_STACK_ADDRESS, i);
        const struct dfr_value *newer = i ? dfr_derive_at(f, DFR_F_STACK_RET, i - 1) : NULL;
        if ((address && address->as.u == ip) || (!address && newer && newer->as.u == ip)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* Last trap of the run of dispatching functions that begins at `from`. A double fault is an abort:
 * behind it stands what was interrupted, even when that is the entry of another trap. */
static uint32_t last_trap(const struct dfr_facts *f, uint32_t from, uint32_t to)
{
    uint32_t trap = UINT32_MAX;
    for (uint32_t i = from; i < to; i++) {
        if (dfr_frame_is(f, i, DFR_ROLE_ABORT))
            return i;
        if (dfr_frame_is(f, i, DFR_ROLE_TRAP))
            trap = i;
        else if (!dfr_frame_is(f, i, DFR_ROLE_DISPATCH))
            break;
    }
    return trap;
}

/* The same where a driver's own handler stands between: a trap counts only below the dispatcher. */
static uint32_t trap_below_handler(const struct dfr_facts *f, uint32_t from, uint32_t to)
{
    bool dispatched = false;
    for (uint32_t i = from; i < to; i++) {
        if (dispatched && (dfr_frame_is(f, i, DFR_ROLE_TRAP) || dfr_frame_is(f, i, DFR_ROLE_ABORT)))
            return last_trap(f, i, to);
        if (dfr_frame_is(f, i, DFR_ROLE_DISPATCH))
            dispatched = true;
    }
    return UINT32_MAX;
}

/* A driver raised the bug check itself: its frame is the caller, and nothing behind it dispatches an
 * exception or is a kernel function without a name that could. */
static bool called_by_driver(const struct dfr_facts *f, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        const struct dfr_value *m = dfr_derive_at(f, DFR_F_STACK_MODULE, i);
        if (!m)
            return false;
        bool kernel = dfr_module_is_kernel((struct dfr_str){m->as.module.p, m->as.module.len});
        if (kernel && (i == from || !dfr_derive_at(f, DFR_F_STACK_FUNC, i)))
            return false;
        if (dfr_frame_is(f, i, DFR_ROLE_DISPATCH) || dfr_frame_is(f, i, DFR_ROLE_TRAP))
            return false;
    }
    return from < to;
}

/* The stack starts in the faulting context itself, as after .trap or .cxr, unless the instruction
 * pointer says otherwise or frames are missing at the top. */
static bool top_is_context(const struct dfr_facts *f, const struct dfr_value *ip)
{
    if (dfr_frame_is(f, 0, DFR_ROLE_DISPATCH) || dfr_frame_is(f, 0, DFR_ROLE_BREAK))
        return false;
    const struct dfr_value *index = dfr_derive_at(f, DFR_F_STACK_INDEX, 0);
    if (index && index->as.n.lo > 0)
        return false;
    const struct dfr_value *address = dfr_derive_at(f, DFR_F_STACK_ADDRESS, 0);
    const struct dfr_value *module = dfr_derive_at(f, DFR_F_STACK_MODULE, 0);
    /* A place in the kernel without a name may be the one that raises bug checks. */
    if (!ip)
        return !module || dfr_derive_at(f, DFR_F_STACK_FUNC, 0) ||
               !dfr_module_is_kernel((struct dfr_str){module->as.module.p, module->as.module.len});
    if (address && address->as.u != ip->as.u)
        return false;
    uint32_t at = dfr_facts_module_at(f, ip->as.u);
    return !module || !module->as.module.row || at == UINT32_MAX || module->as.module.row == at + 1;
}

/* Was the bug check raised by a fault? Only a known code can tell that it was not. */
enum origin { BY_FAULT, BY_CALL, BY_EITHER };

static struct start find_start(const struct dfr_facts *f, enum origin origin)
{
    enum { RUN = 64, HANDLER = 24 };
    uint32_t n = found_frames(f);
    uint32_t behind = dfr_stack_after_bugcheck(f);
    uint32_t end = n - behind < RUN ? n : behind + RUN;
    const struct dfr_value *ip = dfr_derive_scalar(f, DFR_F_TRAP_RIP);
    struct start s = {.frame = behind, .trap = UINT32_MAX};

    uint32_t at;
    if (ip && frame_at(f, ip->as.u, behind, end, &at)) {
        bool trapped = at && (dfr_frame_is(f, at - 1, DFR_ROLE_TRAP) ||
                              dfr_frame_is(f, at - 1, DFR_ROLE_ABORT));
        /* A debugger also shows trap frames that have nothing to do with the bug check. */
        if (trapped || origin == BY_FAULT || at == behind) {
            s.frame = at;
            s.trap = trapped ? at - 1 : UINT32_MAX;
            s.certain = s.faulted = true;
            return s;
        }
    }
    if (behind || (n && (dfr_frame_is(f, 0, DFR_ROLE_TRAP) || dfr_frame_is(f, 0, DFR_ROLE_ABORT))))
        s.trap = last_trap(f, behind, end);
    uint32_t near = n - behind < HANDLER ? n : behind + HANDLER;
    if (s.trap == UINT32_MAX && behind && origin != BY_CALL)
        s.trap = trap_below_handler(f, behind, near);
    if (s.trap != UINT32_MAX) {
        s.frame = s.trap + 1;
        s.certain = s.faulted = true;
        return s;
    }
    if (behind) {
        s.certain = origin == BY_CALL || called_by_driver(f, behind, near);
        s.why = DFR_REASON_NO_SYMBOLS;
        return s;
    }
    s.certain = origin == BY_CALL || top_is_context(f, ip);
    s.faulted = origin == BY_FAULT;
    s.why = DFR_REASON_ELIDED;
    return s;
}

static struct dfr_value frames(uint32_t first, uint32_t count)
{
    return (struct dfr_value){.as.list = {DFR_T_STACK, first, count},
                              .kind = DFR_KIND_LIST,
                              .state = DFR_KNOWN,
                              .trust = DFR_TRUST_DEBUGGER};
}

/* A stack pointer of a program: such frames stand below the system call and are no kernel code. */
static bool user_stack(const struct dfr_facts *f, const struct dfr_value *sp)
{
    enum { LOWEST = 0x10000 }; /* smaller numbers are debris of a damaged stack */
    uint64_t kernel = is_arch(f, DFR_ARCH_X86) ? UINT64_C(1) << 31 : UINT64_C(1) << 63;
    return sp && sp->as.u >= LOWEST && sp->as.u < kernel && dfr_derive_scalar(f, DFR_F_DUMP_ARCH);
}

/* Number of frames up to the first one of a program. */
static uint32_t kernel_frames(const struct dfr_facts *f)
{
    uint32_t n = found_frames(f);
    for (uint32_t i = 0; i < n; i++) {
        if (user_stack(f, dfr_derive_at(f, DFR_F_STACK_SP, i)))
            return i;
    }
    return n;
}

/* Of a stack that was scanned from its first frame on only that one may be certain: the faulting one
 * when it runs at the instruction pointer. Its callers are not known. */
static void scanned_frames(struct dfr_facts *f, const struct start *s, uint32_t n)
{
    const struct dfr_value *sym = dfr_facts_at(f, DFR_F_STACK_SYM, 0);
    const struct dfr_value *ip = dfr_derive_scalar(f, DFR_F_TRAP_RIP);
    const struct dfr_value *address = n ? dfr_derive_at(f, DFR_F_STACK_ADDRESS, 0) : NULL;
    bool faulted =
        s->certain && s->faulted && s->frame == 0 && ip && address && address->as.u == ip->as.u;
    dfr_derive_put(f, DFR_F_TRAP_FRAMES,
                   faulted ? frames(0, n) : dfr_v_unknown(DFR_KIND_LIST, DFR_REASON_SCANNED), sym);
    dfr_derive_put(f, DFR_F_TRAP_CALLERS, dfr_v_unknown(DFR_KIND_LIST, DFR_REASON_SCANNED), sym);
}

/* The lists of frames. When the faulting frame cannot be told, `frames` still begins behind the
 * raising of the bug check, so that it misses no caller, while `callers` stays unknown. */
static void put_frames(struct dfr_facts *f, const struct start *s)
{
    uint32_t n = kernel_frames(f);
    enum dfr_reason why = f->tables[DFR_T_STACK].reason;
    if ((why == DFR_REASON_SCANNED || why == DFR_REASON_NOT_CAPTURED) && n <= 1) {
        scanned_frames(f, s, n);
        return;
    }
    if (s->frame >= n)
        return; /* the text ends above the faulting frame */
    const struct dfr_value *sym = dfr_facts_at(f, DFR_F_STACK_SYM, s->frame);
    dfr_derive_put(f, DFR_F_TRAP_FRAMES, frames(s->frame, n - s->frame), sym);
    dfr_derive_put(f, DFR_F_TRAP_CALLERS,
                   s->certain ? frames(s->frame + 1, n - s->frame - 1)
                              : dfr_v_unknown(DFR_KIND_LIST, s->why),
                   sym);
}

static void from_stack(struct dfr_facts *f, const struct start *s)
{
    if (!s->certain || !s->faulted)
        return;
    /* A fault returns to the instruction that ran into it; breakpoints and the like to the next. */
    bool next = s->trap != UINT32_MAX && dfr_frame_is(f, s->trap, DFR_ROLE_NEXT);
    if (s->trap != UINT32_MAX && !next && !uncertain_frame(f, s->trap)) {
        const struct dfr_value *ret = dfr_derive_at(f, DFR_F_STACK_RET, s->trap);
        if (ret && ret->as.u)
            dfr_derive_put(f, DFR_F_TRAP_RIP, dfr_v_addr(ret->as.u), ret);
    }
    if (s->frame >= found_frames(f))
        return;
    const struct dfr_value *rip = dfr_derive_scalar(f, DFR_F_TRAP_RIP);
    const struct dfr_value *address = dfr_derive_at(f, DFR_F_STACK_ADDRESS, s->frame);
    enum { LONGEST_TRAP = 2 }; /* bytes of `int 2Ch`, one more than `int 3` */
    bool same = rip && address && address->as.u - rip->as.u <= (next ? (uint64_t)LONGEST_TRAP : 0);
    /* The debugger doubts the frames that follow one without symbols. The faulting one it took from
     * the trap frame all the same, when it runs at the instruction pointer. */
    if (uncertain_frame(f, s->frame) && !same)
        return;
    /* A frame in no module may be the one that raised the bug check. */
    const struct dfr_value *sym = dfr_derive_at(f, DFR_F_STACK_SYM, s->frame);
    if (!sym && !same)
        return;
    /* Child-SP is the stack pointer of the frame; ChildEBP of x86 is not. */
    const struct dfr_value *sp = dfr_derive_at(f, DFR_F_STACK_SP, s->frame);
    if (sp && sp->as.u > UINT32_MAX && !is_arch(f, DFR_ARCH_X86))
        dfr_derive_put(f, DFR_F_TRAP_SP, dfr_v_addr(sp->as.u), sp);
    if (sym && sym->as.sym->module.len && (same || !rip || !address))
        dfr_derive_put(f, DFR_F_TRAP_SYMBOL, *sym, sym);
}

static void symbol_from_code(struct dfr_facts *f)
{
    const struct dfr_value *rip = dfr_derive_scalar(f, DFR_F_TRAP_RIP);
    for (uint32_t i = 0; rip && i < f->tables[DFR_T_INSNS].n; i++) {
        const struct dfr_value *at = dfr_derive_at(f, DFR_F_INSNS_ADDR, i);
        const struct dfr_value *sym = dfr_derive_at(f, DFR_F_INSNS_SYM, i);
        if (at && sym && at->as.u == rip->as.u && sym->as.sym->module.len)
            dfr_derive_put(f, DFR_F_TRAP_SYMBOL, *sym, sym);
    }
}

/* Does every listed module have a range, and is the list complete? Only then an address in none of
 * them lies in no module. */
static bool ranges_are_complete(const struct dfr_facts *f)
{
    const struct dfr_rows *t = &f->tables[DFR_T_MODULES];
    return t->complete && t->n && f->modules_based == t->n;
}

static void module_of_fault(struct dfr_facts *f)
{
    const struct dfr_value *rip = dfr_derive_scalar(f, DFR_F_TRAP_RIP);
    const struct dfr_value *sym = dfr_derive_scalar(f, DFR_F_TRAP_SYMBOL);
    uint32_t at = rip ? dfr_facts_module_at(f, rip->as.u) : UINT32_MAX;
    const struct dfr_value *name =
        at == UINT32_MAX ? NULL : dfr_derive_at(f, DFR_F_MODULES_NAME, at);
    uint32_t row = rip ? dfr_unloaded_at(f, rip->as.u) : UINT32_MAX;
    const struct dfr_value *gone =
        row == UINT32_MAX ? NULL : dfr_derive_at(f, DFR_F_UNLOADED_NAME, row);
    if (sym && sym->as.sym->module.len) {
        struct dfr_value m = dfr_facts_module(f, sym->as.sym->module);
        if (name && m.as.module.row && m.as.module.row != at + 1)
            m = dfr_v_unknown(DFR_KIND_MODULE, DFR_REASON_CONTRADICTORY);
        dfr_derive_put(f, DFR_F_TRAP_MODULE, m, sym);
    } else if (name) {
        dfr_derive_put(f, DFR_F_TRAP_MODULE, dfr_facts_module(f, dfr_value_str(name)), rip);
    } else if (gone) {
        dfr_derive_put(f, DFR_F_TRAP_MODULE, dfr_facts_module(f, dfr_value_str(gone)), rip);
    } else if (rip && rip->as.u >> 63 && ranges_are_complete(f)) {
        dfr_derive_put(f, DFR_F_TRAP_MODULE, dfr_v_absent(DFR_KIND_MODULE, DFR_REASON_NO_SUCH_ROW),
                       rip);
    }
}

void dfr_derive_trap(struct dfr_facts *f)
{
    const struct trap_arg *t = trap_arg(f);
    if (t)
        from_arguments(f, t);
    if (f->tables[DFR_T_STACK].n) {
        bool code = dfr_derive_scalar(f, DFR_F_BUGCHECK_CODE) != NULL;
        struct start s = find_start(f, t ? BY_FAULT : code ? BY_CALL : BY_EITHER);
        put_frames(f, &s);
        from_stack(f, &s);
    }
    symbol_from_code(f);
    module_of_fault(f);
}
