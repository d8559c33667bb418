/* What the header says of the crash and the system. */
#include "base/checked.h"
#include "base/limits.h"
#include "dump/triage.h"

static void put(struct dfr_dump *d, uint32_t field, struct dfr_value v, enum dfr_header_field from)
{
    uint64_t begin, end;
    dfr_container_where(&d->file, from, &begin, &end);
    dfr_dump_put(d, field, v, begin, end);
}

static void unset_for(struct dfr_dump *d, uint32_t field, enum dfr_kind kind, enum dfr_reason why,
                      enum dfr_header_field from)
{
    put(d, field, dfr_v_unknown(kind, why), from);
}

static void unset(struct dfr_dump *d, uint32_t field, enum dfr_kind kind,
                  enum dfr_header_field from)
{
    unset_for(d, field, kind, DFR_REASON_DAMAGED, from);
}

static void bugcheck(struct dfr_dump *d)
{
    static const struct {
        uint32_t fact;
        enum dfr_header_field field;
    } args[] = {{DFR_F_BUGCHECK_ARG1, DFR_HEADER_ARG1},
                {DFR_F_BUGCHECK_ARG2, DFR_HEADER_ARG2},
                {DFR_F_BUGCHECK_ARG3, DFR_HEADER_ARG3},
                {DFR_F_BUGCHECK_ARG4, DFR_HEADER_ARG4}};
    uint64_t u;
    if (dfr_container_field(&d->file, DFR_HEADER_CODE, &u) && u)
        put(d, DFR_F_BUGCHECK_RAW, dfr_v_int((int64_t)u), DFR_HEADER_CODE);
    else
        unset(d, DFR_F_BUGCHECK_RAW, DFR_KIND_INT, DFR_HEADER_CODE);
    for (size_t i = 0; i < sizeof args / sizeof *args; i++) {
        if (dfr_container_field(&d->file, args[i].field, &u))
            put(d, args[i].fact, dfr_v_addr(u), args[i].field);
        else
            unset(d, args[i].fact, DFR_KIND_ADDR, args[i].field);
    }
}

/* Tools that take the memory of a running system write four letters where the bug check stands. Codes
 * are numbers; none of them reads as text. Observed: MATT, with MOON and SOLS as parameters. */
static bool is_acquired(uint64_t code)
{
    for (unsigned i = 0; i < 4; i++) {
        uint8_t c = (uint8_t)(code >> 8 * i);
        if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

static bool acquisition(struct dfr_dump *d)
{
    uint64_t code;
    if (!dfr_container_field(&d->file, DFR_HEADER_CODE, &code))
        return false;
    bool acquired = is_acquired(code);
    if (acquired)
        (void)dfr_diags_add(
            d->diags, DFR_D_DUMP_NO_CRASH,
            "no crash: a tool took the memory of a running system and left `%c%c%c%c` "
            "where the bug check stands",
            (int)(code & 0xFF), (int)(code >> 8 & 0xFF), (int)(code >> 16 & 0xFF),
            (int)(code >> 24 & 0xFF));
    if (acquired || dfr_bugcheck_info(dfr_bugcheck_code((uint32_t)code)))
        put(d, DFR_F_DUMP_ACQUIRED, dfr_v_bool(acquired), DFR_HEADER_CODE);
    return acquired;
}

static void kind(struct dfr_dump *d)
{
    static const int kinds[] = {[DFR_FORM_FULL] = DFR_DUMP_KIND_FULL,
                                [DFR_FORM_SUMMARY] = DFR_DUMP_KIND_SUMMARY,
                                [DFR_FORM_TRIAGE] = DFR_DUMP_KIND_TRIAGE,
                                [DFR_FORM_BITMAP] = DFR_DUMP_KIND_BITMAP,
                                [DFR_FORM_UNKNOWN] = -1,
                                [DFR_FORM_HEADER] = DFR_DUMP_KIND_HEADER,
                                [DFR_FORM_RDMP] = DFR_DUMP_KIND_RANGES};
    static const int archs[] = {[DFR_MACHINE_X64] = DFR_ARCH_X64,
                                [DFR_MACHINE_ARM64] = DFR_ARCH_ARM64,
                                [DFR_MACHINE_X86] = DFR_ARCH_X86,
                                [DFR_MACHINE_OTHER] = -1};
    if (kinds[d->file.form] >= 0)
        put(d, DFR_F_DUMP_KIND, dfr_v_enum(DFR_E_DUMP_KIND, (uint32_t)kinds[d->file.form]),
            DFR_HEADER_DUMP_TYPE);
    if (archs[d->file.machine] >= 0)
        put(d, DFR_F_DUMP_ARCH, dfr_v_enum(DFR_E_ARCH, (uint32_t)archs[d->file.machine]),
            DFR_HEADER_MACHINE);
    else
        unset(d, DFR_F_DUMP_ARCH, DFR_KIND_ENUM, DFR_HEADER_MACHINE);
    /* Written by the crash path itself, or while the system went on. Dumps that a debugger wrote
     * from another one leave the field unfilled. */
    enum { BY_KERNEL = 0x8, LIVE = 0x10 };
    uint64_t attributes;
    if (acquisition(d))
        unset_for(d, DFR_F_DUMP_LIVE, DFR_KIND_BOOL, DFR_REASON_NOT_APPLICABLE, DFR_HEADER_CODE);
    else if (dfr_container_field(&d->file, DFR_HEADER_ATTRIBUTES, &attributes) &&
             (attributes & (BY_KERNEL | LIVE)))
        put(d, DFR_F_DUMP_LIVE, dfr_v_bool((attributes & LIVE) != 0), DFR_HEADER_ATTRIBUTES);
}

static void times(struct dfr_dump *d)
{
    /* 100 ns units from 1601 to 1970, in a second, in a millisecond. */
    const uint64_t epoch = 116444736000000000, second = 10000000, millisecond = 10000;
    uint64_t u;
    if (dfr_container_field(&d->file, DFR_HEADER_TIME, &u) && u > epoch && u < INT64_MAX) {
        int64_t t = (int64_t)((u - epoch) / second);
        put(d, DFR_F_DUMP_TIME, dfr_v_time(t, t), DFR_HEADER_TIME);
    } else {
        unset(d, DFR_F_DUMP_TIME, DFR_KIND_TIME, DFR_HEADER_TIME);
    }
    if (dfr_container_field(&d->file, DFR_HEADER_UPTIME, &u) && u < INT64_MAX)
        put(d, DFR_F_OS_UPTIME, dfr_v_dur_ms((int64_t)(u / millisecond)), DFR_HEADER_UPTIME);
    else
        unset(d, DFR_F_OS_UPTIME, DFR_KIND_DUR, DFR_HEADER_UPTIME);
}

void dfr_dump_system(struct dfr_dump *d)
{
    uint64_t u;
    kind(d);
    bugcheck(d);
    times(d);
    if (dfr_container_field(&d->file, DFR_HEADER_BUILD, &u) && u)
        put(d, DFR_F_OS_BUILD, dfr_v_int((int64_t)u), DFR_HEADER_BUILD);
    else
        unset(d, DFR_F_OS_BUILD, DFR_KIND_INT, DFR_HEADER_BUILD);
    if (dfr_container_field(&d->file, DFR_HEADER_PROCESSORS, &u) && u &&
        u <= DFR_LIMIT_DUMP_PROCESSORS)
        put(d, DFR_F_OS_PROCESSORS, dfr_v_int((int64_t)u), DFR_HEADER_PROCESSORS);
    else
        unset(d, DFR_F_OS_PROCESSORS, DFR_KIND_INT, DFR_HEADER_PROCESSORS);
    static const uint32_t products[] = {DFR_PRODUCT_WORKSTATION, DFR_PRODUCT_DOMAIN_CONTROLLER,
                                        DFR_PRODUCT_SERVER};
    if (d->file.machine == DFR_MACHINE_X86 && dfr_container_field(&d->file, DFR_HEADER_PAE, &u))
        put(d, DFR_F_OS_PAE, dfr_v_bool(u != 0), DFR_HEADER_PAE);
    if (dfr_container_field(&d->file, DFR_HEADER_PRODUCT, &u) && u &&
        u <= sizeof products / sizeof *products)
        put(d, DFR_F_OS_PRODUCT, dfr_v_enum(DFR_E_PRODUCT, products[u - 1]), DFR_HEADER_PRODUCT);
}
