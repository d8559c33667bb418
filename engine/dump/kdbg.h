/* Fields of the debugger data block, 64 bits each. Documented in the SDK; the last two public headers
 * that agree. */
#ifndef DFR_DUMP_KDBG_H
#define DFR_DUMP_KDBG_H

enum {
    DFR_KDBG_KERNEL = 0x18,
    DFR_KDBG_MODULE_LIST = 0x48,
    DFR_KDBG_BUGCHECK = 0x88,
    DFR_KDBG_COMMIT_LIMIT = 0x148,
    DFR_KDBG_COMMITTED = 0x150,
    DFR_KDBG_AVAILABLE = 0x1A8,
    DFR_KDBG_PHYSICAL = 0xF8,
    DFR_KDBG_BUILD_LAB = 0x208,
    DFR_KDBG_PROCESSORS = 0x218,
    DFR_KDBG_UNLOADED = 0x220,
    DFR_KDBG_LAST_UNLOADED = 0x228,
    DFR_KDBG_VERIFIER = 0x248,
    DFR_KDBG_COMMIT_PEAK = 0x258,
    DFR_KDBG_BAD_PAGES = 0x320,
};

#endif
