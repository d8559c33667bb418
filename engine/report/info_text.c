/* The summary that people paste: one screen, plain, nothing about the person. */
#include "report/info.h"
#include "report/text.h"
#include "report/words.h"

enum { LABEL = 11, LINES = 24, FRAMES_MOST = 6, FRAMES_LEAST = 2 };

struct summary {
    struct dfr_page *p;
    const struct dfr_facts *f;
    const struct dfr_info *info;
    struct dfr_buf b; /* of the line at hand */
    uint32_t lines;   /* written so far */
};

static struct dfr_buf *begin(struct summary *s)
{
    dfr_buf_init(&s->b, s->p->out->arena);
    return &s->b;
}

/* One line with its label; nothing when nothing was put on it. */
static void line(struct summary *s, const char *label)
{
    struct dfr_buf all;
    if (!s->b.len)
        return;
    dfr_buf_init(&all, s->p->out->arena);
    dfr_buf_printf(&all, "%-*s", LABEL, label);
    dfr_buf_str(&all, dfr_buf_text(&s->b));
    dfr_page_line(s->p, DFR_INK_PLAIN, 0, dfr_buf_text(&all));
    s->lines++;
}

static void comma(struct dfr_buf *b)
{
    if (b->len)
        dfr_buf_z(b, ", ");
}

/* Begin a line below when `more` columns do not fit on this one any more. */
static const char *wrap(struct summary *s, const char *label, struct dfr_str more)
{
    if (!s->b.len ||
        LABEL + dfr_page_width(dfr_buf_text(&s->b)) + dfr_page_width(more) + 2 <= s->p->columns)
        return label;
    line(s, label);
    begin(s);
    return "";
}

/* `before` value `after`, parted from what stands there by a comma; nothing when not known. */
static bool part(struct summary *s, uint32_t field, const char *before, const char *after)
{
    const struct dfr_value *v = dfr_info_known(s->f, field);
    if (!v || (v->kind == DFR_KIND_STR && !v->as.s.len) || dfr_report_is_filler(v))
        return false;
    comma(&s->b);
    dfr_buf_z(&s->b, before);
    dfr_value_print(&s->b, v);
    dfr_buf_z(&s->b, after);
    return true;
}

static void put_size(struct dfr_buf *b, uint64_t n)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    uint64_t tenths = n * 10;
    uint32_t u = 0;
    if (n >= UINT64_MAX / 10)
        tenths = UINT64_MAX;
    for (; u + 1 < sizeof units / sizeof *units && tenths >= 10240; u++)
        tenths /= 1024;
    if (!u || tenths >= 1000)
        dfr_buf_printf(b, "%llu %s", (unsigned long long)(tenths / 10), units[u]);
    else
        dfr_buf_printf(b, "%llu.%llu %s", (unsigned long long)(tenths / 10),
                       (unsigned long long)(tenths % 10), units[u]);
}

static void put_file(struct summary *s, const struct dfr_report_input *input)
{
    struct dfr_buf *b = begin(s);
    dfr_buf_safe(b, dfr_info_file(input));
    comma(b);
    dfr_buf_z(b, dfr_info_kind(s->f));
    if (input && input->size) {
        comma(b);
        put_size(b, input->size);
    }
    const struct dfr_value *complete = dfr_info_known(s->f, DFR_F_DUMP_COMPLETE);
    if (complete && !s->f->text.len)
        dfr_buf_z(b, complete->as.b ? ", complete" : ", DAMAGED OR CUT OFF");
    if (input && input->crash_count > 1)
        dfr_buf_printf(b, ", crash %u of %u", input->crash + 1, input->crash_count);
    line(s, "File");
}

static void put_system(struct summary *s)
{
    struct dfr_buf *b = begin(s);
    const struct dfr_value *build = dfr_info_known(s->f, DFR_F_OS_BUILD);
    const struct dfr_value *revision = dfr_info_known(s->f, DFR_F_OS_REVISION);
    const struct dfr_value *product = dfr_info_known(s->f, DFR_F_OS_PRODUCT);
    bool server = product && product->as.e.value != DFR_PRODUCT_WORKSTATION;
    const char *name = build && !server ? dfr_windows_name(build->as.n.lo) : NULL;
    if (build) {
        dfr_buf_printf(b, "%s, build %lld",
                       name     ? name
                       : server ? "Windows Server"
                                : "Windows",
                       (long long)build->as.n.lo);
        if (revision)
            dfr_buf_printf(b, ".%lld", (long long)revision->as.n.lo);
    } else {
        part(s, DFR_F_OS_NAME, "", "");
    }
    part(s, DFR_F_DUMP_ARCH, "", "");
    line(s, "System");
    begin(s);
    part(s, DFR_F_DUMP_TIME, "crashed ", "");
    part(s, DFR_F_OS_UPTIME, "up ", "");
    line(s, "Time");
    begin(s);
    part(s, DFR_F_MACHINE_MANUFACTURER, "", "");
    part(s, DFR_F_MACHINE_PRODUCT, "", "");
    part(s, DFR_F_MACHINE_BOARD, "board ", "");
    part(s, DFR_F_MACHINE_BIOS_VERSION, "BIOS ", "");
    const struct dfr_value *guest = dfr_info_known(s->f, DFR_F_OS_HYPERVISOR_GUEST);
    if (guest && guest->as.b) {
        comma(&s->b);
        dfr_buf_z(&s->b, "virtual machine");
    }
    line(s, "Machine");
    begin(s);
    if (!part(s, DFR_F_MACHINE_CPU_NAME, "", ""))
        part(s, DFR_F_MACHINE_CPU_VENDOR, "", "");
    part(s, DFR_F_MACHINE_MICROCODE, "microcode ", "");
    line(s, "Processor");
}

static void put_cpus(struct summary *s)
{
    struct dfr_buf *b = begin(s);
    part(s, DFR_F_OS_PROCESSORS, "", "");
    part(s, DFR_F_CPU_CURRENT, "crashed on ", "");
    for (uint32_t i = 0; i < dfr_enum_count(DFR_E_CPU_STATE); i++) {
        if (!s->info->cpus_by_state[i])
            continue;
        comma(b);
        dfr_buf_printf(b, "%u %s", s->info->cpus_by_state[i], dfr_enum_word(DFR_E_CPU_STATE, i));
    }
    if (b->len && !s->info->cpus_known)
        dfr_buf_z(b, ", states not known");
    line(s, "CPUs");
}

static void put_bugcheck(struct summary *s)
{
    struct dfr_buf *b = begin(s);
    const struct dfr_value *code = dfr_info_known(s->f, DFR_F_BUGCHECK_CODE);
    if (!code) {
        dfr_buf_z(b, "not found in this input");
        line(s, "Bug check");
        return;
    }
    dfr_buf_printf(b, "0x%llX ", (unsigned long long)code->as.n.lo);
    dfr_buf_safe(b, dfr_report_bugcheck_name(s->f));
    line(s, "Bug check");
    const struct dfr_bugcheck_info *info = dfr_bugcheck_info((uint32_t)code->as.n.lo);
    for (uint32_t i = 0; i < 4; i++) {
        const struct dfr_value *v = dfr_info_known(s->f, DFR_F_BUGCHECK_ARG1 + i);
        const char *meaning = info && info->arg[i] ? info->arg[i] : "";
        begin(s);
        if (v)
            dfr_buf_printf(b, *meaning ? "%-16llx  %s" : "%llx", (unsigned long long)v->as.u,
                           meaning);
        else if (*meaning)
            dfr_buf_printf(b, "%-16s  %s", "?", meaning);
        char label[8] = "  arg1";
        label[5] = (char)('1' + i);
        line(s, label);
    }
}

static void put_fault(struct summary *s)
{
    struct dfr_buf *b = begin(s);
    if (!part(s, DFR_F_TRAP_SYMBOL, "", "") && !part(s, DFR_F_TRAP_MODULE, "", ""))
        part(s, DFR_F_TRAP_RIP, "", "");
    uint32_t insn = dfr_info_insn(s->f);
    if (insn != UINT32_MAX) {
        dfr_buf_z(b, ": ");
        dfr_value_print(b, dfr_facts_at(s->f, DFR_F_INSNS_MNEMONIC, insn));
        const struct dfr_value *operands = dfr_facts_at(s->f, DFR_F_INSNS_OPERANDS, insn);
        if (operands->state == DFR_KNOWN && operands->as.s.len) {
            dfr_buf_char(b, ' ');
            dfr_value_print(b, operands);
        }
    }
    line(s, "Fault");
    begin(s);
    const struct dfr_value *access = dfr_info_known(s->f, DFR_F_TRAP_ACCESS);
    if (access) {
        dfr_value_print(b, access);
        if (dfr_info_known(s->f, DFR_F_TRAP_ADDRESS))
            dfr_buf_z(b, " at ");
    }
    const struct dfr_value *address = dfr_info_known(s->f, DFR_F_TRAP_ADDRESS);
    if (address && !access)
        dfr_buf_z(b, "touched ");
    if (address)
        dfr_value_print(b, address);
    part(s, DFR_F_TRAP_EXCEPTION, "exception ", "");
    line(s, "");
    begin(s);
    part(s, DFR_F_THREAD_PROCESS, "", "");
    if (!part(s, DFR_F_TRAP_IRQL, "IRQL ", ""))
        part(s, DFR_F_CPU_CURRENT_IRQL, "IRQL ", "");
    static const char *const stacks[] = {[DFR_STACK_KIND_THREAD] = "",
                                         [DFR_STACK_KIND_DPC] = "on the DPC stack",
                                         [DFR_STACK_KIND_INTERRUPT] = "on the interrupt stack",
                                         [DFR_STACK_KIND_EXCEPTION] = "on the exception stack"};
    const struct dfr_value *kind = dfr_info_known(s->f, DFR_F_THREAD_STACK_KIND);
    if (kind && kind->as.e.value < sizeof stacks / sizeof *stacks && *stacks[kind->as.e.value]) {
        comma(b);
        dfr_buf_z(b, stacks[kind->as.e.value]);
    }
    line(s, "Process");
}

/* Newest frames, each with how sure it is. */
static void put_stack(struct summary *s, uint32_t most)
{
    const struct dfr_rows *stack = &s->f->tables[DFR_T_STACK];
    uint32_t shown = 0;
    bool scanned = false;
    for (uint32_t i = 0; i < stack->n && shown < most; i++, shown++) {
        struct dfr_buf *b = begin(s);
        const struct dfr_value *sym = dfr_facts_at(s->f, DFR_F_STACK_SYM, i);
        const struct dfr_value *at = dfr_facts_at(s->f, DFR_F_STACK_ADDRESS, i);
        const struct dfr_value *method = dfr_facts_at(s->f, DFR_F_STACK_METHOD, i);
        dfr_value_print(b, sym->state == DFR_KNOWN ? sym : at);
        uint32_t how =
            method->state == DFR_KNOWN ? method->as.e.value : (uint32_t)DFR_METHOD_LISTED;
        if (how == DFR_METHOD_SCAN && !scanned)
            dfr_buf_z(b, "  (possible callers from here on)");
        else if (how == DFR_METHOD_UNCERTAIN)
            dfr_buf_z(b, "  (uncertain)");
        else if (how == DFR_METHOD_FRAME_POINTER)
            dfr_buf_z(b, "  (frame pointer)");
        else if (how == DFR_METHOD_UNWOUND && i < 2)
            dfr_buf_z(b, "  (unwound)");
        scanned |= how == DFR_METHOD_SCAN;
        line(s, shown ? "" : "Stack");
    }
    if (shown < stack->n) {
        dfr_buf_printf(begin(s), "%u more", stack->n - shown);
        line(s, "");
    }
}

static void put_driver(struct summary *s, const struct dfr_info_driver *d)
{
    comma(&s->b);
    dfr_report_module_name(s->f, d->module, &s->b);
    if (d->row == UINT32_MAX)
        return;
    const struct dfr_value *version = dfr_facts_at(s->f, DFR_F_MODULES_VERSION, d->row);
    const struct dfr_value *built = dfr_facts_at(s->f, DFR_F_MODULES_BUILT, d->row);
    if (version->state == DFR_KNOWN) {
        dfr_buf_char(&s->b, ' ');
        dfr_value_print(&s->b, version);
    }
    if (built->state == DFR_KNOWN) {
        int year, month, day, hour, minute, second;
        dfr_time_to_civil(built->as.n.lo, &year, &month, &day, &hour, &minute, &second);
        dfr_buf_printf(&s->b, " (%04d-%02d)", year, month);
    }
}

/* Drivers of the device stack that a power failure is about. */
static void put_devices(struct summary *s)
{
    enum { MOST = 6 };
    struct dfr_buf *b = begin(s);
    uint32_t shown = 0;
    for (uint32_t i = 0; i < s->f->tables[DFR_T_DEVICES].n && shown < MOST; i++) {
        const struct dfr_value *d = dfr_facts_at(s->f, DFR_F_DEVICES_DRIVER, i);
        if (d->state != DFR_KNOWN)
            continue;
        dfr_buf_z(b, shown++ ? " > " : "");
        dfr_report_module_name(s->f, d, b);
    }
    line(s, "Devices");
}

static void put_modules(struct summary *s)
{
    const struct dfr_info *i = s->info;
    struct dfr_buf *b = begin(s);
    for (uint32_t k = 0; k < i->driver_count; k++)
        put_driver(s, &i->drivers[k]);
    if (i->driver_more)
        dfr_buf_printf(b, " and %u more", i->driver_more);
    if (b->len && i->scanned)
        dfr_buf_z(b, " (scanned: may be left over)");
    if (!b->len && s->f->tables[DFR_T_STACK].n)
        dfr_buf_z(b, "none on the stack");
    line(s, "3rd party");
    put_devices(s);
    begin(s);
    if (i->loaded)
        dfr_buf_printf(b, "%u%s", i->loaded,
                       s->f->tables[DFR_T_MODULES].complete ? " loaded" : " shown");
    if (i->unloaded) {
        comma(b);
        dfr_buf_printf(b, "%u unloaded before", i->unloaded);
    }
    const struct dfr_value *verifier = dfr_info_known(s->f, DFR_F_VERIFIER_ENABLED);
    if (verifier) {
        comma(b);
        dfr_buf_z(b, verifier->as.b ? "Driver Verifier ON" : "Driver Verifier off");
    }
    line(s, "Modules");
    begin(s);
    if (!part(s, DFR_F_ANALYZE_IMAGE, "blames ", ""))
        part(s, DFR_F_ANALYZE_MODULE, "blames ", "");
    part(s, DFR_F_ANALYZE_BUCKET, "", "");
    line(s, "Debugger");
}

static void put_missing(struct summary *s)
{
    const char *label = "Missing";
    begin(s);
    for (uint32_t i = 0; i < s->info->missing_count; i++) {
        label = wrap(s, label, s->info->missing[i]);
        dfr_buf_z(&s->b, s->b.len ? "; " : "");
        dfr_buf_str(&s->b, s->info->missing[i]);
    }
    line(s, label);
}

void dfr_report_info_text(const struct dfr_facts *f, const struct dfr_report_input *input,
                          const struct dfr_report_style *style, struct dfr_buf *out)
{
    struct dfr_page p;
    struct dfr_info info;
    struct dfr_buf rest;
    dfr_info_of(&info, f, out->arena);
    dfr_page_init(&p, style, out);
    struct summary s = {.p = &p, .f = f, .info = &info};
    put_file(&s, input);
    put_system(&s);
    put_cpus(&s);
    put_bugcheck(&s);
    put_fault(&s);
    /* What stands below the stack is put together first: the stack gets the lines that are left. */
    dfr_buf_init(&rest, out->arena);
    p.out = &rest;
    put_modules(&s);
    put_missing(&s);
    p.out = out;
    uint32_t left = s.lines + FRAMES_LEAST + 1 < LINES ? LINES - 1 - s.lines : FRAMES_LEAST;
    put_stack(&s, left < FRAMES_MOST ? left : FRAMES_MOST);
    dfr_buf_str(out, dfr_buf_text(&rest));
}
