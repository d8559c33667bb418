/* What a helper wants to know of a crash at first sight, gathered from its facts. */
#include "report/info.h"

const struct dfr_value *dfr_info_known(const struct dfr_facts *f, uint32_t field)
{
    const struct dfr_value *v = dfr_facts_scalar(f, field);
    return v->state == DFR_KNOWN ? v : NULL;
}

const char *dfr_info_kind(const struct dfr_facts *f)
{
    static const char *const words[] = {
        [DFR_DUMP_KIND_TRANSCRIPT] = "debugger text",
        [DFR_DUMP_KIND_TRIAGE] = "small memory dump",
        [DFR_DUMP_KIND_SUMMARY] = "kernel memory dump",
        [DFR_DUMP_KIND_BITMAP] = "kernel or complete memory dump",
        [DFR_DUMP_KIND_FULL] = "complete memory dump",
        [DFR_DUMP_KIND_RANGES] = "kernel or complete memory dump of a debugger",
        [DFR_DUMP_KIND_LIVE] = "text of a live debugging session",
        [DFR_DUMP_KIND_HEADER] = "header of a dump",
    };
    const struct dfr_value *kind = dfr_info_known(f, DFR_F_DUMP_KIND);
    if (f->text.len && (!kind || kind->as.e.value == DFR_DUMP_KIND_TRANSCRIPT))
        return words[DFR_DUMP_KIND_TRANSCRIPT];
    return kind && kind->as.e.value < sizeof words / sizeof *words ? words[kind->as.e.value]
                                                                   : "crash";
}

struct dfr_str dfr_info_file(const struct dfr_report_input *input)
{
    if (!input)
        return (struct dfr_str){0};
    size_t at = input->path.len;
    while (at > 0 && input->path.p[at - 1] != '/' && input->path.p[at - 1] != '\\')
        at--;
    return dfr_str_slice(input->path, at, input->path.len);
}

uint32_t dfr_info_insn(const struct dfr_facts *f)
{
    const struct dfr_value *ip = dfr_info_known(f, DFR_F_TRAP_RIP);
    for (uint32_t i = 0; ip && i < f->tables[DFR_T_INSNS].n; i++) {
        const struct dfr_value *at = dfr_facts_at(f, DFR_F_INSNS_ADDR, i);
        if (at->state == DFR_KNOWN && at->as.u == ip->as.u &&
            dfr_facts_at(f, DFR_F_INSNS_MNEMONIC, i)->state == DFR_KNOWN)
            return i;
    }
    return UINT32_MAX;
}

/* --- The stack ---------------------------------------------------------------------------------- */

static bool is_user_frame(const struct dfr_facts *f, uint32_t row)
{
    const struct dfr_value *sp = dfr_facts_at(f, DFR_F_STACK_SP, row);
    return sp->state == DFR_KNOWN &&
           (sp->as.u <= UINT32_MAX ? sp->as.u < UINT32_C(0x80000000) : sp->as.u >> 47 == 0);
}

static void add_driver(struct dfr_info *r, const struct dfr_facts *f, uint32_t frame)
{
    const struct dfr_value *m = dfr_facts_at(f, DFR_F_STACK_MODULE, frame);
    if (m->state != DFR_KNOWN || m->kind != DFR_KIND_MODULE || is_user_frame(f, frame))
        return;
    struct dfr_str stem = {m->as.module.p, m->as.module.len};
    if (dfr_module_is_kernel(stem) || dfr_module_ships(stem))
        return;
    for (uint32_t i = 0; i < r->driver_count; i++) {
        const struct dfr_value *old = r->drivers[i].module;
        if (dfr_module_same(stem, (struct dfr_str){old->as.module.p, old->as.module.len}))
            return;
    }
    if (r->driver_count == DFR_INFO_DRIVERS) {
        r->driver_more++;
        return;
    }
    r->drivers[r->driver_count++] = (struct dfr_info_driver){
        .frame = frame, .row = m->as.module.row ? m->as.module.row - 1 : UINT32_MAX, .module = m};
}

/* --- What is missing ---------------------------------------------------------------------------- */

static void lacks(struct dfr_info *r, struct dfr_str what)
{
    if (r->missing_count < DFR_INFO_MISSING && what.len)
        r->missing[r->missing_count++] = what;
}

/* "symbols of nt, tcpip and 3 more": modules of frames whose function nobody knows. */
static void lacks_symbols(struct dfr_info *r, const struct dfr_facts *f, struct dfr_arena *a)
{
    struct dfr_str names[DFR_INFO_NAMES];
    uint32_t n = 0;
    bool more = false;
    for (uint32_t i = 0; i < f->tables[DFR_T_STACK].n && !more; i++) {
        const struct dfr_value *m = dfr_facts_at(f, DFR_F_STACK_MODULE, i);
        if (m->state != DFR_KNOWN || dfr_facts_at(f, DFR_F_STACK_FUNC, i)->state == DFR_KNOWN)
            continue;
        struct dfr_str stem = {m->as.module.p, m->as.module.len};
        bool known = false;
        for (uint32_t k = 0; k < n; k++)
            known |= dfr_module_same(names[k], stem);
        more = !known && n == DFR_INFO_NAMES;
        if (!known && !more)
            names[n++] = stem;
    }
    if (!n)
        return;
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    dfr_buf_z(&b, "symbols of ");
    for (uint32_t i = 0; i < n; i++) {
        dfr_buf_z(&b, i ? ", " : "");
        dfr_buf_safe(&b, names[i]);
    }
    dfr_buf_z(&b, more ? " and others" : "");
    lacks(r, dfr_buf_text(&b));
}

static void find_missing(struct dfr_info *r, const struct dfr_facts *f, struct dfr_arena *a)
{
    const struct dfr_value *complete = dfr_info_known(f, DFR_F_DUMP_COMPLETE);
    const struct dfr_rows *stack = &f->tables[DFR_T_STACK];
    if (complete && !complete->as.b && !f->text.len)
        lacks(r, DFR_STR("the damaged part of the file"));
    if (!dfr_info_known(f, DFR_F_BUGCHECK_CODE))
        lacks(r, DFR_STR("the bug check (!analyze -v)"));
    if (!stack->n)
        lacks(r, DFR_STR("the crashing stack"));
    else if (r->scanned)
        lacks(r, DFR_STR("images to unwind the stack with"));
    lacks_symbols(r, f, a);
    if (!f->tables[DFR_T_MODULES].complete)
        lacks(r, f->text.len ? DFR_STR("the list of modules (lm)") : DFR_STR("the module list"));
    if (r->cpus_known < 2) {
        const struct dfr_value *n = dfr_info_known(f, DFR_F_OS_PROCESSORS);
        if (!n || n->as.n.lo > 1)
            lacks(r, f->text.len ? DFR_STR("states of the processors (!ipi)")
                                 : DFR_STR("states of the processors"));
    }
}

void dfr_info_of(struct dfr_info *ret, const struct dfr_facts *f, struct dfr_arena *a)
{
    enum { STATES = sizeof ret->cpus_by_state / sizeof *ret->cpus_by_state };
    *ret = (struct dfr_info){.loaded = f->tables[DFR_T_MODULES].n,
                             .unloaded = f->tables[DFR_T_UNLOADED].n};
    for (uint32_t i = 0; i < f->tables[DFR_T_STACK].n; i++) {
        const struct dfr_value *method = dfr_facts_at(f, DFR_F_STACK_METHOD, i);
        ret->scanned |= method->state == DFR_KNOWN && method->as.e.value == DFR_METHOD_SCAN;
        add_driver(ret, f, i);
    }
    for (uint32_t i = 0; i < f->tables[DFR_T_CPUS].n; i++) {
        const struct dfr_value *state = dfr_facts_at(f, DFR_F_CPUS_STATE, i);
        if (state->state == DFR_KNOWN && state->as.e.value < STATES) {
            ret->cpus_by_state[state->as.e.value]++;
            ret->cpus_known++;
        }
    }
    find_missing(ret, f, a);
}
