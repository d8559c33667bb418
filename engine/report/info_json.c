/* The summary as JSON: docs/schema/info.schema.json, "dfrule/info/1". */
#include "report/info.h"
#include "report/json_parts.h"

static void put(struct dfr_json *j, const struct dfr_facts *f, const char *key, uint32_t field)
{
    dfr_json_value(j, key, f, dfr_facts_scalar(f, field));
}

static void put_system(struct dfr_json *j, const struct dfr_facts *f)
{
    const struct dfr_value *build = dfr_info_known(f, DFR_F_OS_BUILD);
    dfr_json_open(j, "system", '{');
    dfr_json_text(j, "name",
                  dfr_str_from(build && dfr_windows_name(build->as.n.lo)
                                   ? dfr_windows_name(build->as.n.lo)
                                   : ""));
    put(j, f, "build", DFR_F_OS_BUILD);
    put(j, f, "revision", DFR_F_OS_REVISION);
    put(j, f, "version", DFR_F_OS_VERSION);
    put(j, f, "product", DFR_F_OS_PRODUCT);
    put(j, f, "arch", DFR_F_DUMP_ARCH);
    put(j, f, "time", DFR_F_DUMP_TIME);
    put(j, f, "uptime", DFR_F_OS_UPTIME);
    put(j, f, "hypervisor_guest", DFR_F_OS_HYPERVISOR_GUEST);
    dfr_json_close(j, '}');
    dfr_json_open(j, "machine", '{');
    put(j, f, "manufacturer", DFR_F_MACHINE_MANUFACTURER);
    put(j, f, "product", DFR_F_MACHINE_PRODUCT);
    put(j, f, "board", DFR_F_MACHINE_BOARD);
    put(j, f, "bios_version", DFR_F_MACHINE_BIOS_VERSION);
    put(j, f, "bios_date", DFR_F_MACHINE_BIOS_DATE);
    put(j, f, "cpu_name", DFR_F_MACHINE_CPU_NAME);
    put(j, f, "cpu_vendor", DFR_F_MACHINE_CPU_VENDOR);
    put(j, f, "microcode", DFR_F_MACHINE_MICROCODE);
    dfr_json_close(j, '}');
}

static void put_cpus(struct dfr_json *j, const struct dfr_facts *f, const struct dfr_info *info)
{
    dfr_json_open(j, "cpus", '{');
    put(j, f, "count", DFR_F_OS_PROCESSORS);
    put(j, f, "current", DFR_F_CPU_CURRENT);
    dfr_json_open(j, "states", '{');
    for (uint32_t i = 0; i < dfr_enum_count(DFR_E_CPU_STATE); i++) {
        if (info->cpus_by_state[i])
            dfr_json_int(j, dfr_enum_word(DFR_E_CPU_STATE, i), info->cpus_by_state[i]);
    }
    dfr_json_close(j, '}');
    dfr_json_close(j, '}');
}

static void put_bugcheck(struct dfr_json *j, const struct dfr_facts *f)
{
    const struct dfr_value *code = dfr_info_known(f, DFR_F_BUGCHECK_CODE);
    const struct dfr_bugcheck_info *info = code ? dfr_bugcheck_info((uint32_t)code->as.n.lo) : NULL;
    dfr_json_open(j, "bugcheck", '{');
    put(j, f, "code", DFR_F_BUGCHECK_CODE);
    dfr_json_text(j, "name", dfr_report_bugcheck_name(f));
    dfr_json_open(j, "args", '[');
    for (uint32_t i = 0; i < 4; i++) {
        dfr_json_open(j, NULL, '{');
        put(j, f, "value", DFR_F_BUGCHECK_ARG1 + i);
        dfr_json_text(j, "meaning", dfr_str_from(info && info->arg[i] ? info->arg[i] : ""));
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
    dfr_json_close(j, '}');
}

static void put_fault(struct dfr_json *j, const struct dfr_facts *f)
{
    uint32_t insn = dfr_info_insn(f);
    struct dfr_buf b;
    dfr_buf_init(&b, j->out->arena);
    if (insn != UINT32_MAX) {
        dfr_value_print(&b, dfr_facts_at(f, DFR_F_INSNS_MNEMONIC, insn));
        const struct dfr_value *operands = dfr_facts_at(f, DFR_F_INSNS_OPERANDS, insn);
        if (operands->state == DFR_KNOWN && operands->as.s.len) {
            dfr_buf_char(&b, ' ');
            dfr_value_print(&b, operands);
        }
    }
    dfr_json_open(j, "fault", '{');
    put(j, f, "ip", DFR_F_TRAP_RIP);
    put(j, f, "symbol", DFR_F_TRAP_SYMBOL);
    put(j, f, "module", DFR_F_TRAP_MODULE);
    dfr_json_text(j, "instruction", dfr_buf_text(&b));
    put(j, f, "access", DFR_F_TRAP_ACCESS);
    put(j, f, "address", DFR_F_TRAP_ADDRESS);
    put(j, f, "exception", DFR_F_TRAP_EXCEPTION);
    put(j, f, "irql", DFR_F_TRAP_IRQL);
    dfr_json_close(j, '}');
    put(j, f, "process", DFR_F_THREAD_PROCESS);
    put(j, f, "irql", DFR_F_CPU_CURRENT_IRQL);
    put(j, f, "stack_kind", DFR_F_THREAD_STACK_KIND);
}

static void put_stack(struct dfr_json *j, const struct dfr_facts *f)
{
    enum { MOST = 10 };
    dfr_json_open(j, "stack", '[');
    for (uint32_t i = 0; i < f->tables[DFR_T_STACK].n && i < MOST; i++) {
        dfr_json_open(j, NULL, '{');
        dfr_json_value(j, "symbol", f, dfr_facts_at(f, DFR_F_STACK_SYM, i));
        dfr_json_value(j, "method", f, dfr_facts_at(f, DFR_F_STACK_METHOD, i));
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
    dfr_json_int(j, "frames", f->tables[DFR_T_STACK].n);
}

static void put_drivers(struct dfr_json *j, const struct dfr_facts *f, const struct dfr_info *info)
{
    dfr_json_open(j, "third_party", '[');
    for (uint32_t i = 0; i < info->driver_count; i++) {
        const struct dfr_info_driver *d = &info->drivers[i];
        bool listed = d->row != UINT32_MAX;
        struct dfr_buf b;
        dfr_buf_init(&b, j->out->arena);
        dfr_report_module_name(f, d->module, &b);
        dfr_json_open(j, NULL, '{');
        dfr_json_str(j, "name", dfr_buf_text(&b));
        dfr_json_int(j, "frame", d->frame);
        if (listed) {
            dfr_json_value(j, "version", f, dfr_facts_at(f, DFR_F_MODULES_VERSION, d->row));
            dfr_json_value(j, "built", f, dfr_facts_at(f, DFR_F_MODULES_BUILT, d->row));
        } else {
            dfr_json_null(j, "version");
            dfr_json_null(j, "built");
        }
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
    dfr_json_open(j, "devices", '[');
    for (uint32_t i = 0; i < f->tables[DFR_T_DEVICES].n; i++)
        dfr_json_value(j, NULL, f, dfr_facts_at(f, DFR_F_DEVICES_DRIVER, i));
    dfr_json_close(j, ']');
    dfr_json_open(j, "modules", '{');
    dfr_json_int(j, "loaded", info->loaded);
    dfr_json_bool(j, "complete", f->tables[DFR_T_MODULES].complete);
    dfr_json_int(j, "unloaded", info->unloaded);
    dfr_json_close(j, '}');
}

static void put_info(struct dfr_json *j, const char *key, const struct dfr_facts *f,
                     const struct dfr_report_input *input, struct dfr_arena *a)
{
    struct dfr_info info;
    dfr_info_of(&info, f, a);
    dfr_json_open(j, key, '{');
    dfr_json_z(j, "schema", "dfrule/info/1");
    dfr_json_input(j, f, input);
    put(j, f, "complete", DFR_F_DUMP_COMPLETE);
    put_system(j, f);
    put_cpus(j, f, &info);
    put_bugcheck(j, f);
    put_fault(j, f);
    put_stack(j, f);
    put_drivers(j, f, &info);
    put(j, f, "verifier", DFR_F_VERIFIER_ENABLED);
    dfr_json_open(j, "debugger", '{');
    put(j, f, "image", DFR_F_ANALYZE_IMAGE);
    put(j, f, "bucket", DFR_F_ANALYZE_BUCKET);
    dfr_json_close(j, '}');
    dfr_json_open(j, "missing", '[');
    for (uint32_t i = 0; i < info.missing_count; i++)
        dfr_json_str(j, NULL, info.missing[i]);
    dfr_json_close(j, ']');
    dfr_json_open(j, "other_crashes", '[');
    bool first = input && input->crash == 0;
    for (uint32_t i = 1; first && input->crashes && i < input->crash_count; i++) {
        struct dfr_report_input other = *input;
        other.crash = i;
        put_info(j, NULL, input->crashes[i], &other, a);
    }
    dfr_json_close(j, ']');
    dfr_json_close(j, '}');
}

void dfr_report_info_json(const struct dfr_facts *f, const struct dfr_report_input *input,
                          bool indent, struct dfr_buf *out)
{
    struct dfr_json j;
    dfr_json_init(&j, indent, out);
    put_info(&j, NULL, f, input, out->arena);
    dfr_json_end(&j);
}
