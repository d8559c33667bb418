/* The readers of all sections, for the table in sections.def. Each stands in the file named beside it. */
#ifndef DFR_TEXT_SECTIONS_H
#define DFR_TEXT_SECTIONS_H

#include "text/stack.h"

/* ident.c */
dfr_section_fn dfr_tx_name_code, dfr_tx_arg_line, dfr_tx_bugcheck_braces, dfr_tx_bugcheck_command,
    dfr_tx_stop, dfr_tx_fatal_error, dfr_tx_bug_check_code, dfr_tx_wer_code, dfr_tx_event_log;
bool dfr_tx_name_code_here(const struct dfr_reader *r, uint32_t i);
void dfr_tx_bugcheck_key(struct dfr_reader *r, uint32_t key, uint32_t value);
/* regs.c */
dfr_section_fn dfr_tx_regs, dfr_tx_exception_record, dfr_tx_attempt;
/* insns.c */
dfr_section_fn dfr_tx_insn, dfr_tx_insn_label;
bool dfr_tx_operand_address(struct dfr_str s, uint64_t *ret);
/* modules.c */
dfr_section_fn dfr_tx_module_row, dfr_tx_module_heading, dfr_tx_module_detail,
    dfr_tx_unloaded_heading, dfr_tx_module_warning;
void dfr_tx_modules_complete(struct dfr_reader *r, uint32_t i);
/* cpus.c */
dfr_section_fn dfr_tx_ipi, dfr_tx_running_row, dfr_tx_pcr, dfr_tx_irql;
uint32_t dfr_tx_cpu_row(struct dfr_reader *r, int64_t id, uint32_t first, uint32_t last);
/* threads.c */
dfr_section_fn dfr_tx_thread, dfr_tx_stack_limits, dfr_tx_owning_process, dfr_tx_thread_line,
    dfr_tx_pcr_field, dfr_tx_prcb_line, dfr_tx_running_heading;
/* devices.c */
dfr_section_fn dfr_tx_irp, dfr_tx_irp_location, dfr_tx_devstack, dfr_tx_device, dfr_tx_devobj,
    dfr_tx_devnode, dfr_tx_devnode_line;
/* memory.c */
dfr_section_fn dfr_tx_raw_row, dfr_tx_type_row;
dfr_section_fn dfr_tx_pool_row, dfr_tx_pool_owner, dfr_tx_pte, dfr_tx_pte_entry, dfr_tx_lock,
    dfr_tx_lock_line;
/* verifier.c */
dfr_section_fn dfr_tx_verifier, dfr_tx_verifier_option, dfr_tx_verifier_summary,
    dfr_tx_verifier_module, dfr_tx_verifier_list, dfr_tx_verifier_name, dfr_tx_verified_drivers;
/* failures.c */
dfr_section_fn dfr_tx_failure, dfr_tx_complaint;
/* whea.c */
dfr_section_fn dfr_tx_record, dfr_tx_record_line, dfr_tx_error_source, dfr_tx_error_packet,
    dfr_tx_record_device;
/* blackbox.c */
dfr_section_fn dfr_tx_blackbox_line;
/* listings.c */
dfr_section_fn dfr_tx_stacks_heading, dfr_tx_stacks_row, dfr_tx_mex_thread, dfr_tx_power_irp,
    dfr_tx_caption;
/* header.c */
dfr_section_fn dfr_tx_loading, dfr_tx_debugger, dfr_tx_dump_kind, dfr_tx_windows, dfr_tx_connected,
    dfr_tx_build_lab, dfr_tx_kernel_base, dfr_tx_session_time, dfr_tx_system, dfr_tx_product,
    dfr_tx_page_missing, dfr_tx_machine, dfr_tx_cpuinfo;
/* prompt.c */
dfr_section_fn dfr_tx_prompt;
void dfr_tx_close_rows(struct dfr_reader *r);
/* Commands in the order of the table; NULL when the verb is not known. */
struct dfr_command {
    const char *verb;
    uint8_t args; /* words behind it that belong to it also in flattened text */
    enum dfr_output out;
};
const struct dfr_command *dfr_tx_command(struct dfr_str verb);
/* analyze.c */
dfr_section_fn dfr_tx_key, dfr_tx_pair, dfr_tx_probably;
bool dfr_tx_us_date(struct dfr_str s, struct dfr_value *ret);
bool dfr_tx_key_known(const void *user, struct dfr_str key);
/* notes.c */
dfr_section_fn dfr_tx_noise, dfr_tx_noise_line, dfr_tx_elision;
bool dfr_tx_is_prose(const struct dfr_reader *r, uint32_t first, uint32_t end);

#endif
