/* Builtins over words and strings: pure arithmetic. */
#include <string.h>

#include "vm/vm.h"

struct dfr_tv dfr_builtin_POPCOUNT(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    (void)vm;
    return dfr_tv_of(dfr_v_int(__builtin_popcountll(arg->v.as.u)));
}

static struct dfr_tv low32(const struct dfr_tv *arg)
{
    return dfr_tv_of(dfr_v_addr(arg->v.as.u & 0xFFFFFFFFu));
}

struct dfr_tv dfr_builtin_PAGE_OFFSET(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    (void)vm;
    return dfr_tv_of(dfr_v_int((int64_t)(arg->v.as.u & 0xFFF)));
}

/* An NTSTATUS is 32 bits; where it is printed as a pointer it may be sign-extended. */
struct dfr_tv dfr_builtin_STATUS(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    (void)vm;
    return low32(arg);
}

struct dfr_tv dfr_builtin_LOW32(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    (void)vm;
    return low32(arg);
}

/* Whether an address of 48 significant bits is sign-extended, or on a machine with five-level
 * paging one of 57. On x86 every 32-bit address is canonical. */
static struct dfr_tv half(struct dfr_vm *vm, const struct dfr_tv *arg, bool kernel)
{
    struct dfr_tv arch = dfr_vm_scalar(vm, DFR_F_DUMP_ARCH);
    struct dfr_tv none = dfr_tv_of(dfr_v_bool(false)), r;
    uint64_t a = arg->v.as.u;
    if (arch.v.state != DFR_KNOWN)
        return dfr_tv_open(vm, DFR_KIND_BOOL, &arch, &none);
    if (arch.v.as.e.value == DFR_ARCH_X86) {
        /* With a 3 GB split the kernel's half begins at 3 GB: between the two nobody knows. */
        uint32_t low = (uint32_t)a;
        if (kernel && low >= 0x80000000u && low < 0xC0000000u)
            return dfr_tv_error(DFR_KIND_BOOL, DFR_REASON_NOT_IN_DUMP);
        r = dfr_tv_of(
            dfr_v_bool(kernel ? low >= 0xC0000000u : a <= UINT32_MAX || a >= 0xFFFFFFFF80000000u));
    } else {
        uint64_t top = a >> 47;
        bool wide = a >> 56 == 0 || a >> 56 == 0xFF;
        bool canonical = top == 0 || top == 0x1FFFF;
        if (kernel) {
            r = dfr_tv_of(dfr_v_bool(a >> 63 != 0));
        } else if (!canonical && wide) {
            /* 57-bit addresses exist only with five-level paging, which no fact shows. */
            return dfr_tv_error(DFR_KIND_BOOL, DFR_REASON_NOT_IN_DUMP);
        } else {
            r = dfr_tv_of(dfr_v_bool(canonical));
        }
    }
    r.origin = arch.origin;
    r.v.trust = arch.v.trust;
    return r;
}

struct dfr_tv dfr_builtin_CANONICAL(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return half(vm, arg, false);
}

struct dfr_tv dfr_builtin_KERNEL_VA(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    return half(vm, arg, true);
}

struct dfr_tv dfr_builtin_LENGTH(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    (void)vm;
    size_t len = arg->v.kind == DFR_KIND_MODULE ? arg->v.as.module.len : arg->v.as.s.len;
    return dfr_tv_of(dfr_v_int((int64_t)len));
}

struct dfr_tv dfr_builtin_TEXT(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    char text[8];
    size_t n = 0;
    for (; n < sizeof text; n++) {
        char c = (char)(arg->v.as.u >> (8 * n) & 0xFF);
        if (c < 0x20 || c > 0x7E)
            break;
        text[n] = c;
    }
    return dfr_tv_of(dfr_v_str((struct dfr_str){dfr_arena_copy(vm->a, text, n), n}));
}

struct dfr_tv dfr_builtin_MASKED(struct dfr_vm *vm, const struct dfr_tv *arg)
{
    (void)vm;
    return dfr_tv_of(dfr_v_bool(((arg[0].v.as.u ^ arg[1].v.as.u) & ~arg[2].v.as.u) == 0));
}
