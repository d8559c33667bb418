/* Derivations by topic, run in this order by dfr_facts_seal(). Inside the facts layer only. */
#ifndef DFR_FACTS_DERIVE_H
#define DFR_FACTS_DERIVE_H

#include "facts/store.h"

void dfr_derive_registers(struct dfr_facts *f); /* pointers and architecture they show */
void dfr_derive_modules(struct dfr_facts *f); /* sizes, ends, build times, symbols, address index */
void dfr_derive_analysis(struct dfr_facts *f); /* whom the debugger blames */
void dfr_derive_stack(struct dfr_facts *f);    /* cells of frames, completeness */
void dfr_derive_crash(struct dfr_facts *f);    /* bug check code and name, live dump, guest */
void dfr_derive_trap(struct dfr_facts *f);     /* the faulting context and the frames from it on */
void dfr_derive_thread(struct dfr_facts *f);   /* the crashing thread and its stack */
void dfr_derive_memory(struct dfr_facts *f);   /* what addresses belong to */

/* Row of UNLOADED that held an address which no loaded module holds, or UINT32_MAX. */
uint32_t dfr_unloaded_at(const struct dfr_facts *f, uint64_t address);

/* Set a scalar that is still unknown, unless the input contradicts itself about it. `v` takes trust
 * and place of `source`, what it follows from. */
void dfr_derive_put(struct dfr_facts *f, uint32_t field, struct dfr_value v,
                    const struct dfr_value *source);
/* The same for a cell. */
void dfr_derive_cell(struct dfr_facts *f, uint32_t column, uint32_t row, struct dfr_value v,
                     const struct dfr_value *source);
/* Every row of a table turns out to be there. */
void dfr_derive_complete(struct dfr_facts *f, uint32_t table);
/* The value when it is known, else NULL. */
const struct dfr_value *dfr_derive_known(const struct dfr_value *v);
const struct dfr_value *dfr_derive_scalar(const struct dfr_facts *f, uint32_t field);
const struct dfr_value *dfr_derive_at(const struct dfr_facts *f, uint32_t column, uint32_t row);

/* What a function does in the way from a fault to the bug check; DFR_ROLE_NONE for all others. */
enum dfr_role {
    DFR_ROLE_NONE,
    DFR_ROLE_BREAK,    /* breakpoint that a bug check ends in, or a person asked for */
    DFR_ROLE_BUGCHECK, /* raises the bug check */
    DFR_ROLE_DISPATCH, /* between a trap and the bug check: handlers, filters, the pager */
    DFR_ROLE_TRAP,     /* entry of a fault or trap: the next older frame faulted */
    DFR_ROLE_ABORT,    /* the same for an abort: no other trap stands for the same fault */
    DFR_ROLE_NEXT,     /* a trap that leaves its instruction behind: it returns to the next one */
    DFR_ROLE_ROOT,     /* oldest function of a stack */
    DFR_ROLE_DPC,      /* runs DPCs or an interrupt, on a stack of their own */
    DFR_ROLE_LIVE,     /* captures a live dump */
};
bool dfr_frame_is(const struct dfr_facts *f, uint32_t row, enum dfr_role role);
/* The stack starts with the raising of a bug check: index of the first frame behind it, else 0. */
uint32_t dfr_stack_after_bugcheck(const struct dfr_facts *f);

#endif
