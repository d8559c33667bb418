/* One decoded instruction, of any processor. Inside the dump layer only; capstone is included in
 * insn_x86.c and insn_arm64.c alone. */
#ifndef DFR_DUMP_INSN_H
#define DFR_DUMP_INSN_H

#include "dump/reader.h"

enum { DFR_INSN_LONGEST = 15, DFR_INSN_OPERANDS = 8 };

/* A place in memory that an operand names. */
struct dfr_access {
    uint64_t address;
    uint32_t size; /* bytes at most; 0: not known */
    bool known;    /* the address: every register of it is among the facts */
    bool read, write;
};

struct dfr_insn {
    uint64_t ip;
    uint32_t len;
    struct dfr_str mnemonic, operands;
    /* It touches memory through its operands alone, and does with it what they say: no stack, no
     * string, no table of the processor, no registers with faults of their own. */
    bool plain;
    bool memory; /* an operand names a place in memory */
    struct dfr_access access[DFR_INSN_OPERANDS];
    uint32_t accesses;
    int feature;         /* bit of ecx of CPUID leaf 1 that it needs; -1: none */
    bool feature_enough; /* and nothing else */
};

/* The value of a register of the fault; false when the facts do not hold it. */
bool dfr_insn_register(const struct dfr_dump *d, const char *name, uint64_t *ret);
/* Decode the bytes at `ip`. False says nothing but that the decoder does not know them. */
bool dfr_insn_x86(const struct dfr_dump *d, uint64_t ip, struct dfr_span bytes,
                  struct dfr_insn *ret);
bool dfr_insn_arm64(const struct dfr_dump *d, uint64_t ip, struct dfr_span bytes,
                    struct dfr_insn *ret);

/* ---- x86 and x64: the way through a function ---- */

/* Walk the code from where it begins, one instruction after the other, to `target`. 1: an
 * instruction starts there; 0: it lies inside one that is certainly run; -1: unknown, because data
 * may stand before it, or bytes that the decoder does not know. */
int dfr_insn_boundary_x86(const struct dfr_dump *d, struct dfr_span code, uint32_t target);

/* ---- code.c: what needs no decoder ---- */

/* Does a call end right before `address`? 1 yes, 0 no, -1 the code cannot be read, neither from
 * memory nor from the image's file. */
int dfr_code_after_call(struct dfr_dump *d, uint64_t address);

#endif
