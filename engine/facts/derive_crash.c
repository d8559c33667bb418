/* The bug check by code and name, whether the system really stopped, and whether it is a guest. */
#include "facts/derive.h"

/* Codes that only watchdogs write, with a dump while the system goes on. Source: documented (kernel
 * live dump code reference); codes that also stop the system (0xAB, 0x124, 0x144, 0x164) are out. */
static const uint32_t live_codes[] = {
    0x117, 0x141, 0x142, 0x156, 0x15C, 0x15D, 0x15E, 0x15F, 0x161, 0x165, 0x166,  0x167,
    0x168, 0x169, 0x16A, 0x16B, 0x16F, 0x175, 0x179, 0x17C, 0x17D, 0x187, 0x188,  0x190,
    0x193, 0x195, 0x198, 0x19D, 0x1A1, 0x1A3, 0x1A4, 0x1A5, 0x1A6, 0x1A7, 0x1A8,  0x1A9,
    0x1B0, 0x1B8, 0x1C4, 0x1C5, 0x1C9, 0x1CC, 0x1D1, 0x1D4, 0x1E1, 0x1F5, 0x21C8,
};

static bool exact_code(const struct dfr_value *v, uint32_t *ret)
{
    if (!v || v->as.n.lo != v->as.n.hi || v->as.n.lo < 0 || v->as.n.lo > UINT32_MAX)
        return false;
    *ret = (uint32_t)v->as.n.lo;
    return true;
}

static void identity(struct dfr_facts *f)
{
    uint32_t code;
    const struct dfr_value *raw = dfr_derive_scalar(f, DFR_F_BUGCHECK_RAW);
    if (exact_code(raw, &code))
        dfr_derive_put(f, DFR_F_BUGCHECK_CODE, dfr_v_int(dfr_bugcheck_code(code)), raw);
    const struct dfr_value *name = dfr_derive_scalar(f, DFR_F_BUGCHECK_NAME);
    const struct dfr_bugcheck_info *info = name ? dfr_bugcheck_by_name(dfr_value_str(name)) : NULL;
    if (info)
        dfr_derive_put(f, DFR_F_BUGCHECK_CODE, dfr_v_int(info->code), name);
    const struct dfr_value *known = dfr_derive_scalar(f, DFR_F_BUGCHECK_CODE);
    if (exact_code(known, &code) && (info = dfr_bugcheck_info(dfr_bugcheck_code(code))))
        dfr_derive_put(f, DFR_F_BUGCHECK_NAME, dfr_v_str(dfr_str_from(info->name)), known);
}

/* Live: the debugger's bucket says so (LKD_), the stack captures the dump itself, or only a watchdog
 * uses the code. Not live: the newest frames raise a bug check, which no system survives. */
static void live(struct dfr_facts *f)
{
    const struct dfr_value *bucket = dfr_derive_scalar(f, DFR_F_ANALYZE_BUCKET);
    if (bucket && dfr_str_starts(dfr_value_str(bucket), DFR_STR("LKD_")))
        dfr_derive_put(f, DFR_F_DUMP_LIVE, dfr_v_bool(true), bucket);
    enum { NEWEST = 16 };
    for (uint32_t i = 0; i < NEWEST && i < f->tables[DFR_T_STACK].n; i++)
        if (dfr_frame_is(f, i, DFR_ROLE_LIVE))
            dfr_derive_put(f, DFR_F_DUMP_LIVE, dfr_v_bool(true),
                           dfr_facts_at(f, DFR_F_STACK_SYM, i));
    uint32_t code;
    const struct dfr_value *known = dfr_derive_scalar(f, DFR_F_BUGCHECK_CODE);
    if (exact_code(known, &code))
        for (size_t i = 0; i < sizeof live_codes / sizeof *live_codes; i++)
            if (live_codes[i] == code)
                dfr_derive_put(f, DFR_F_DUMP_LIVE, dfr_v_bool(true), known);
    uint32_t behind = dfr_stack_after_bugcheck(f);
    if (behind)
        dfr_derive_put(f, DFR_F_DUMP_LIVE, dfr_v_bool(false),
                       dfr_facts_at(f, DFR_F_STACK_SYM, behind - 1));
}

/* Firmware ids that hypervisors give their guests, as `*` patterns without case. A machine that
 * shows none of them may still be a guest, so nothing is ever shown not to be one. */
static const struct {
    uint32_t field;
    struct dfr_str pattern;
} guests[] = {
#define GUEST(field, pattern) {DFR_F_MACHINE_##field, {pattern, sizeof(pattern) - 1}},
#include "facts/guest.def"
#undef GUEST
};

static void guest(struct dfr_facts *f)
{
    for (size_t i = 0; i < sizeof guests / sizeof *guests; i++) {
        const struct dfr_value *v = dfr_derive_scalar(f, guests[i].field);
        if (v && dfr_str_glob(guests[i].pattern, dfr_str_trim(dfr_value_str(v)), true))
            dfr_derive_put(f, DFR_F_OS_HYPERVISOR_GUEST, dfr_v_bool(true), v);
    }
    /* The debugger's own finding, but not "HyperV": that is also set on hosts. */
    static const struct dfr_str names[] = {{"*VMware*", 8},    {"*VirtualBox*", 12}, {"*VBox*", 6},
                                           {"*QEMU*", 6},      {"*KVM*", 5},         {"*Xen*", 5},
                                           {"*Parallels*", 11}};
    const struct dfr_rows *keys = &f->tables[DFR_T_ANALYZE_KEYS];
    for (uint32_t i = 0; i < keys->n; i++) {
        const struct dfr_value *key = dfr_derive_at(f, DFR_F_ANALYZE_KEYS_KEY, i);
        const struct dfr_value *value = dfr_derive_at(f, DFR_F_ANALYZE_KEYS_VALUE, i);
        if (!key || !value || !dfr_str_eq(dfr_value_str(key), DFR_STR("VIRTUAL_MACHINE")))
            continue;
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (dfr_str_glob(names[k], dfr_value_str(value), true))
                dfr_derive_put(f, DFR_F_OS_HYPERVISOR_GUEST, dfr_v_bool(true), value);
    }
}

void dfr_derive_crash(struct dfr_facts *f)
{
    identity(f);
    live(f);
    guest(f);
}
