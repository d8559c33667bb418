/* Where fields of the kernel's structures stand, by machine and build. What a debugger data block tells
 * is written into it from here, so a reader finds the same numbers there.
 * Sources: published structure layouts and offset tables of real dumps for x64 19041, x64 26100 and
 * ARM64 22000. The x86 rows are those of a made-up build: only the offsets that never change there
 * (KPCR, head of the KPRCB) are real, all others are told by its debugger data block. */
#ifndef DFR_FORGE_LAYOUT_H
#define DFR_FORGE_LAYOUT_H

#include <stdint.h>

struct dfr_layout {
    uint32_t build;
    const char *lab;
    uint16_t kdbg_size;
    /* KTHREAD */
    uint16_t next_processor, teb, kernel_stack, initial_stack, apc_process, thread_state;
    uint16_t stack_limit, stack_base, queue_entry, wait_reason, thread_process;
    /* ETHREAD, EPROCESS */
    uint16_t thread_size, thread_cid, irp_list;
    uint16_t process_size, peb, parent_cid, process_dtb, process_id, process_links, image_name;
    /* KPRCB */
    uint16_t prcb_size, dpc_active, current_thread, mhz, cpu_type, vendor, state_context, number;
    uint16_t special, context, normal_dpc, dpc_stack, isr_stack, idle_thread, next_thread;
    uint16_t ipi_frozen; /* 0: not known */
    uint16_t saved_irql; /* 0: not known */
    /* KPCR */
    uint16_t pcr_size, pcr_self, pcr_prcb, pcr_contained;
};

extern const struct dfr_layout dfr_layout_x64[2], dfr_layout_arm64[1], dfr_layout_x86[1];

#endif
