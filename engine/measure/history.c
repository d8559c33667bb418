#include "measure/history.h"

#include <string.h>

void dfr_past_judge(struct dfr_past *p, const struct dfr_ranking *r, struct dfr_arena *a)
{
    dfr_judge(NULL, r, a, &p->answer);
    p->same_as = DFR_NONE;
    /* A mere possibility is nobody's history. */
    if (p->answer.lead_strength < DFR_VERDICT_LIKELY)
        p->answer.lead = DFR_STR("");
    if (!p->answer.lead.len)
        return;
    const struct dfr_ranked_cause *c = &r->causes[r->culprit == DFR_NONE ? 0 : r->culprit];
    p->lead_is_class = c->subject.v.kind != DFR_KIND_MODULE ||
                       !dfr_str_eq_ci(p->answer.lead, (struct dfr_str){c->subject.v.as.module.p,
                                                                       c->subject.v.as.module.len});
}

/* ---- Doubles ------------------------------------------------------------------------------- */

static bool same_known(const struct dfr_facts *a, const struct dfr_facts *b, uint32_t field)
{
    const struct dfr_value *x = dfr_facts_scalar(a, field), *y = dfr_facts_scalar(b, field);
    return x->state == DFR_KNOWN && y->state == DFR_KNOWN && dfr_value_same(x, y);
}

static bool differ_known(const struct dfr_facts *a, const struct dfr_facts *b, uint32_t field)
{
    const struct dfr_value *x = dfr_facts_scalar(a, field), *y = dfr_facts_scalar(b, field);
    return x->state == DFR_KNOWN && y->state == DFR_KNOWN && !dfr_value_same(x, y);
}

/* Bug check and arguments are equal, addresses among them, and nothing says that the times differ. */
static bool same_crash(const struct dfr_facts *a, const struct dfr_facts *b)
{
    bool all = same_known(a, b, DFR_F_BUGCHECK_CODE), address = false;
    for (uint32_t i = 0; i < 4 && all; i++) {
        all = same_known(a, b, DFR_F_BUGCHECK_ARG1 + i);
        address |= all && dfr_facts_scalar(a, DFR_F_BUGCHECK_ARG1 + i)->as.u > UINT32_MAX;
    }
    return all && address && !differ_known(a, b, DFR_F_DUMP_TIME) &&
           !differ_known(a, b, DFR_F_OS_UPTIME);
}

/* ---- What is common -------------------------------------------------------------------------- */

static bool counts(const struct dfr_past *p)
{
    return p->same_as == DFR_NONE;
}

static uint32_t suspect_count(const struct dfr_history *h, struct dfr_str module)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < h->n; i++)
        n += counts(&h->v[i]) && h->v[i].answer.lead.len && !h->v[i].lead_is_class &&
             dfr_module_same(h->v[i].answer.lead, module);
    return n;
}

/* Is this the first crash with its bug check, or with its suspect? */
static bool first_code(const struct dfr_history *h, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (counts(&h->v[k]) && h->v[k].answer.code == h->v[i].answer.code)
            return false;
    return h->v[i].answer.code >= 0;
}

static bool first_suspect(const struct dfr_history *h, uint32_t i)
{
    const struct dfr_past *p = &h->v[i];
    if (!p->answer.lead.len || p->lead_is_class)
        return false;
    for (uint32_t k = 0; k < i; k++)
        if (counts(&h->v[k]) && !h->v[k].lead_is_class && h->v[k].answer.lead.len &&
            dfr_module_same(h->v[k].answer.lead, p->answer.lead))
            return false;
    return true;
}

/* What stays as it is when parts are taken out to test them; memory does not. */
static const uint32_t identity[] = {DFR_F_MACHINE_BOARD,        DFR_F_MACHINE_PRODUCT,
                                    DFR_F_MACHINE_MANUFACTURER, DFR_F_MACHINE_CPU_VENDOR,
                                    DFR_F_OS_PROCESSORS,        DFR_F_DUMP_ARCH};
enum { IDENTITIES = sizeof identity / sizeof identity[0] };

void dfr_history_sum(struct dfr_history *h)
{
    h->counted = h->codes = h->suspects = h->common_count = 0;
    h->common = DFR_STR("");
    h->differ = false;
    for (uint32_t i = 0; i < h->n; i++) {
        for (uint32_t k = 0; k < i && counts(&h->v[i]); k++)
            if (counts(&h->v[k]) && same_crash(h->v[i].facts, h->v[k].facts))
                h->v[i].same_as = k;
        if (!counts(&h->v[i]))
            continue;
        h->counted++;
        h->codes += first_code(h, i);
        h->suspects += first_suspect(h, i);
        for (uint32_t f = 0; f < IDENTITIES; f++)
            h->differ |= differ_known(h->v[0].facts, h->v[i].facts, identity[f]);
    }
    for (uint32_t i = 0; i < h->n; i++) {
        uint32_t n =
            counts(&h->v[i]) && first_suspect(h, i) ? suspect_count(h, h->v[i].answer.lead) : 0;
        if (n >= 2 && n > h->common_count) {
            h->common = h->v[i].answer.lead;
            h->common_count = n;
        } else if (n >= 2 && n == h->common_count) {
            h->common = DFR_STR(""); /* two share the first place: neither is common */
        }
    }
}

/* ---- Facts --------------------------------------------------------------------------------- */

static void put_row(const struct dfr_past *p, struct dfr_facts *f)
{
    uint32_t row = dfr_facts_row(f, DFR_T_HISTORY);
    const struct dfr_case *c = &p->answer;
    struct dfr_value module = dfr_v_absent(DFR_KIND_MODULE, DFR_REASON_NONE);
    struct dfr_value cls = dfr_v_str(DFR_STR(""));
    if (row == UINT32_MAX)
        return;
    if (c->lead.len && p->lead_is_class)
        cls = dfr_v_str(c->lead);
    else if (c->lead.len)
        module = dfr_facts_module(f, c->lead);
    dfr_facts_cell(f, DFR_F_HISTORY_PATH, row, dfr_v_str(p->path));
    if (c->code >= 0)
        dfr_facts_cell(f, DFR_F_HISTORY_CODE, row, dfr_v_int(c->code));
    dfr_facts_cell(f, DFR_F_HISTORY_MODULE, row, module);
    dfr_facts_cell(f, DFR_F_HISTORY_CLASS, row, cls);
    dfr_facts_cell(f, DFR_F_HISTORY_CAUSE, row,
                   c->cause.len ? dfr_v_str(c->cause)
                                : dfr_v_absent(DFR_KIND_STR, DFR_REASON_NONE));
    dfr_facts_cell(f, DFR_F_HISTORY_STRENGTH, row, dfr_v_enum(DFR_E_VERDICT, c->lead_strength));
    struct dfr_value time = *dfr_facts_scalar(p->facts, DFR_F_DUMP_TIME);
    time.place = 0;
    if (time.state == DFR_KNOWN)
        dfr_facts_cell(f, DFR_F_HISTORY_TIME, row, time);
}

static void put_rows(const struct dfr_history *h, uint32_t without, struct dfr_facts *f)
{
    for (uint32_t k = 0; k < h->n; k++)
        if (k != without && counts(&h->v[k]))
            put_row(&h->v[k], f);
    f->tables[DFR_T_HISTORY].complete = true;
}

void dfr_history_of(const struct dfr_history *h, uint32_t i, struct dfr_arena *a,
                    struct dfr_facts *ret)
{
    static const uint32_t machine_wide[] = {DFR_F_MACHINE_CRASHES,      DFR_F_MACHINE_CODES,
                                            DFR_F_MACHINE_SUSPECTS,     DFR_F_MACHINE_COMMON,
                                            DFR_F_MACHINE_COMMON_COUNT, DFR_F_MACHINE_DIFFER};
    const struct dfr_past *p = &h->v[i];
    dfr_facts_init(ret, a);
    dfr_given_copy(p->facts, ret);
    /* Rules about the machine speak once, of the machine, not in every crash again. */
    for (size_t k = 0; k < sizeof machine_wide / sizeof machine_wide[0]; k++)
        ret->scalars[machine_wide[k]] = dfr_v_absent(
            (enum dfr_kind)dfr_field_info(machine_wide[k])->kind, DFR_REASON_NOT_APPLICABLE);
    put_rows(h, counts(p) ? i : p->same_as, ret);
    dfr_facts_seal(ret);
}

/* Does every crash say the same? Then so does the machine. */
static const struct dfr_value *shared(const struct dfr_history *h, uint32_t field)
{
    const struct dfr_value *first = NULL;
    for (uint32_t i = 0; i < h->n; i++) {
        const struct dfr_value *v = dfr_facts_scalar(h->v[i].facts, field);
        if (v->state != DFR_KNOWN)
            continue;
        if (first && !dfr_value_same(first, v))
            return NULL;
        first = v;
    }
    return first;
}

static const uint32_t lasting[] = {DFR_F_DUMP_ARCH,
                                   DFR_F_OS_BUILD,
                                   DFR_F_OS_NAME,
                                   DFR_F_OS_PROCESSORS,
                                   DFR_F_OS_HYPERVISOR_GUEST,
                                   DFR_F_MACHINE_MANUFACTURER,
                                   DFR_F_MACHINE_PRODUCT,
                                   DFR_F_MACHINE_BOARD,
                                   DFR_F_MACHINE_BIOS_VERSION,
                                   DFR_F_MACHINE_BIOS_DATE,
                                   DFR_F_MACHINE_CPU_VENDOR,
                                   DFR_F_MACHINE_CPU_MHZ,
                                   DFR_F_MACHINE_MICROCODE};

void dfr_history_machine(const struct dfr_history *h, struct dfr_arena *a, struct dfr_facts *ret)
{
    dfr_facts_init(ret, a);
    put_rows(h, DFR_NONE, ret);
    dfr_facts_seal(ret);
    for (uint32_t i = 0; i < DFR_F_COUNT; i++)
        if (dfr_field_info(i)->cls == DFR_FIELD_SCALAR)
            ret->scalars[i] =
                dfr_v_absent((enum dfr_kind)dfr_field_info(i)->kind, DFR_REASON_NOT_APPLICABLE);
    for (uint32_t t = 0; t < DFR_T_COUNT; t++)
        ret->tables[t].complete = true;
    for (size_t i = 0; i < sizeof lasting / sizeof lasting[0]; i++) {
        const struct dfr_value *v = shared(h, lasting[i]);
        if (!v)
            continue;
        ret->scalars[lasting[i]] = *v;
        ret->scalars[lasting[i]].place = 0;
    }
    ret->scalars[DFR_F_MACHINE_CRASHES] = dfr_v_int(h->counted);
    ret->scalars[DFR_F_MACHINE_CODES] = dfr_v_int(h->codes);
    ret->scalars[DFR_F_MACHINE_SUSPECTS] = dfr_v_int(h->suspects);
    if (h->common.len)
        ret->scalars[DFR_F_MACHINE_COMMON] = dfr_facts_module(ret, h->common);
    ret->scalars[DFR_F_MACHINE_COMMON_COUNT] = dfr_v_int(h->common.len ? h->common_count : 0);
    ret->scalars[DFR_F_MACHINE_DIFFER] = dfr_v_bool(h->differ);
}
