/* A dump into facts. */
#include "dump/dump.h"

#include "dump/blob.h"
#include "dump/pages.h"
#include "dump/symbols.h"
#include "dump/triage.h"
#include "dump/view.h"

/* What is read from memory in dumps that hold it. */
static bool from_memory(uint32_t field)
{
    static const uint32_t fields[] = {
        DFR_F_OS_VERSION,          DFR_F_OS_KERNEL_BASE,    DFR_F_MACHINE_CPU_VENDOR,
        DFR_F_MACHINE_CPU_MHZ,     DFR_F_MACHINE_BAD_PAGES, DFR_F_TRAP_SP,
        DFR_F_TRAP_SYMBOL,         DFR_F_TRAP_MODULE,       DFR_F_TRAP_FRAME_ADDRESS,
        DFR_F_TRAP_REGS_EXACT,     DFR_F_FAULT_CONSISTENT,  DFR_F_FAULT_NO_ADDRESS,
        DFR_F_FAULT_IN_PADDING,    DFR_F_CPU_CURRENT,       DFR_F_CPU_CURRENT_IRQL,
        DFR_F_THREAD_ADDRESS,      DFR_F_THREAD_PROCESS,    DFR_F_THREAD_STACK_BASE,
        DFR_F_THREAD_STACK_LIMIT,  DFR_F_THREAD_STACK_USED, DFR_F_THREAD_STACK_KIND,
        DFR_F_THREAD_ON_DPC_STACK, DFR_F_VERIFIER_ENABLED,  DFR_F_VERIFIER_FLAGS,
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i] == field)
            return true;
    return false;
}

/* Why what memory would tell is not known: this kind of dump has none, or the file ends before it. */
static enum dfr_reason why_no_memory(const struct dfr_dump *d)
{
    if (d->kdbg.len)
        return DFR_REASON_NOT_READ;
    if (d->file.form == DFR_FORM_HEADER || d->file.form == DFR_FORM_UNKNOWN)
        return DFR_REASON_NOT_IN_DUMP;
    return d->whole ? DFR_REASON_NOT_CAPTURED : DFR_REASON_DAMAGED;
}

/* What nobody set is nothing that a text failed to show. */
static void reasons(const struct dfr_dump *d, struct dfr_facts *f)
{
    static const uint32_t tables[] = {DFR_T_MODULES, DFR_T_UNLOADED, DFR_T_CPUS, DFR_T_REGS,
                                      DFR_T_INSNS};
    enum dfr_reason why = why_no_memory(d);
    for (uint32_t i = 0; i < DFR_F_COUNT; i++) {
        struct dfr_value *v = &f->scalars[i];
        if (v->state == DFR_UNKNOWN && v->reason == DFR_REASON_NOT_SHOWN)
            v->reason = (uint8_t)(from_memory(i) ? why : DFR_REASON_NOT_READ);
    }
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (!f->tables[tables[i]].complete && f->tables[tables[i]].reason == DFR_REASON_NOT_SHOWN)
            f->tables[tables[i]].reason = (uint8_t)why;
    for (uint32_t t = 0; t < DFR_T_COUNT; t++) {
        struct dfr_rows *rows = &f->tables[t];
        size_t n = (size_t)rows->n * dfr_table_info(t)->columns;
        if (!rows->complete && rows->reason == DFR_REASON_NOT_SHOWN)
            rows->reason = DFR_REASON_NOT_READ;
        for (size_t i = 0; i < n; i++)
            if (rows->cells[i].state == DFR_UNKNOWN &&
                rows->cells[i].reason == DFR_REASON_NOT_SHOWN)
                rows->cells[i].reason = DFR_REASON_NOT_READ;
    }
}

/* What memory holds, in this order: later readers rely on what earlier ones found. */
static void read_memory(struct dfr_dump *d)
{
    dfr_kdbg_open(d);
    if (d->triage.len) {
        dfr_dump_modules(d);
        dfr_dump_unloaded(d);
    } else {
        dfr_dump_modules_memory(d);
        dfr_dump_unloaded_memory(d);
    }
    dfr_dump_processors(d);
    dfr_dump_thread(d);
    dfr_dump_kernel(d);
    dfr_dump_machine(d);
    dfr_dump_io(d);
    dfr_dump_whea(d);
    dfr_dump_pool(d);
    dfr_dump_locks(d);
    struct dfr_fault fault = dfr_dump_fault(d);
    dfr_dump_page_table_fault(d);
    uint64_t ip = fault.is_fault ? fault.ip : dfr_dump_fault_ip(d);
    dfr_dump_insn(d, ip, fault.is_fault);
    dfr_dump_code_image(d, ip);
    dfr_dump_stack(d, &fault);
}

/* Without memory the header's context is all there is. */
static void read_header(struct dfr_dump *d)
{
    if (d->file.form == DFR_FORM_TRIAGE)
        dfr_dump_damaged(d, d->file.header.len, d->bytes->size,
                         "the dump is cut off behind its header");
    struct dfr_fault fault = dfr_dump_fault(d);
    dfr_dump_stack(d, &fault);
}

enum dfr_status dfr_dump_read(struct dfr_arena *a, struct dfr_bytes *b,
                              const struct dfr_dump_options *options, struct dfr_diags *diags,
                              struct dfr_facts *ret, struct dfr_err *err)
{
    struct dfr_container c;
    enum dfr_status status = dfr_container_open(&c, b, err);
    if (status == DFR_OK)
        status = dfr_dump_readable(&c, err);
    if (status != DFR_OK)
        return status;
    dfr_facts_init(ret, a);
    struct dfr_dump d = {
        .arena = a, .bytes = b, .facts = ret, .diags = diags, .file = c, .whole = true};
    dfr_symbols_open(&d, options ? options->symbol_path : DFR_STR(""));
    dfr_dump_system(&d);
    if (c.conflict)
        (void)dfr_diags_add(diags, DFR_D_DUMP_KIND, "the header says kind %u, but it is a %s",
                            (unsigned)c.dump_type, dfr_form_name(c.form));
    bool small = c.form == DFR_FORM_TRIAGE;
    if (small ? dfr_triage_open(&d) : dfr_dump_pages(&d))
        read_memory(&d);
    else
        read_header(&d);
    dfr_dump_names(&d);
    if (options && options->wanted)
        dfr_dump_wanted(&d, options->wanted);
    dfr_symbols_ready(&d);
    dfr_dump_put(&d, DFR_F_DUMP_COMPLETE, dfr_v_bool(d.whole), 0, b->size);
    dfr_facts_seal(ret);
    reasons(&d, ret);
    dfr_dump_view(&d);
    return DFR_OK;
}
