/* Register contexts that the system saved. Inside the dump layer only. */
#ifndef DFR_DUMP_CONTEXT_H
#define DFR_DUMP_CONTEXT_H

#include "dump/reader.h"

/* Records that hold registers (regs.def). */
enum dfr_record {
    DFR_RECORD_X64,
    DFR_RECORD_ARM64,
    DFR_RECORD_X86,
    DFR_RECORD_TRAP,     /* x64 trap frame */
    DFR_RECORD_TRAP_X86, /* x86 trap frame, since Windows 8 */
    DFR_RECORD_TRAP_X86_OLD,
};

struct dfr_context {
    struct dfr_where where;
    uint32_t bytes;
    uint64_t ip, sp;
    enum dfr_record record;
    uint8_t data[0x4D0];
    bool raised; /* taken as the kernel's KeBugCheckEx was entered */
};

/* Read the context record at `w`: its flags must name the processor and hold control registers. */
bool dfr_context_read(const struct dfr_dump *d, const struct dfr_where *w, struct dfr_context *ret);
/* The one in the dump's header. */
bool dfr_context_of_header(const struct dfr_dump *d, struct dfr_context *ret);
/* A trap frame of the kernel itself at an address. `ip`: where it must have trapped; 0: anywhere. */
bool dfr_context_trap(const struct dfr_dump *d, uint64_t va, uint64_t ip, struct dfr_context *ret);
/* Rows of the table of registers. */
void dfr_context_put(struct dfr_dump *d, const struct dfr_context *c);

#endif
