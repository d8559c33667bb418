/* Inside report/: what the summary of a crash says, as text and as JSON. */
#ifndef DFR_REPORT_INFO_H
#define DFR_REPORT_INFO_H

#include "report/words.h"

enum { DFR_INFO_DRIVERS = 8, DFR_INFO_MISSING = 8, DFR_INFO_NAMES = 4 };

struct dfr_info_driver {
    uint32_t frame; /* of STACK, the newest that it has */
    uint32_t row;   /* of MODULES, or UINT32_MAX */
    const struct dfr_value *module;
};

struct dfr_info {
    /* Drivers on the crashing stack that do not ship with Windows, newest first. */
    struct dfr_info_driver drivers[DFR_INFO_DRIVERS];
    uint32_t driver_count, driver_more;
    uint32_t cpus_by_state[8]; /* enum of CPU_STATE */
    uint32_t cpus_known;
    uint32_t loaded, unloaded;
    bool scanned;                             /* frames behind the first are possible callers */
    struct dfr_str missing[DFR_INFO_MISSING]; /* what a helper would ask for next */
    uint32_t missing_count;
};
void dfr_info_of(struct dfr_info *ret, const struct dfr_facts *f, struct dfr_arena *a);

/* "small memory dump", "debugger text", ... */
const char *dfr_info_kind(const struct dfr_facts *f);
/* File name without its folder. */
struct dfr_str dfr_info_file(const struct dfr_report_input *input);
/* Row of INSNS of the faulting instruction, or UINT32_MAX. */
uint32_t dfr_info_insn(const struct dfr_facts *f);
/* Known value of a scalar, or NULL. */
const struct dfr_value *dfr_info_known(const struct dfr_facts *f, uint32_t field);

#endif
