/* One dump while it is read. Inside the dump layer only. */
#ifndef DFR_DUMP_TRIAGE_H
#define DFR_DUMP_TRIAGE_H

#include "facts/store.h"
#include "image/store.h"
#include "memory/container.h"
#include "memory/space.h"

/* Fields of the block behind the header of a small 64-bit dump, all u32 but the first address.
 * Source: public parsers that agree; observed on x64 and ARM64. */
enum {
    DFR_TRIAGE_SIZE_OF_DUMP = 0x04,
    DFR_TRIAGE_VALID = 0x08,
    DFR_TRIAGE_CONTEXT = 0x0C,
    DFR_TRIAGE_EXCEPTION = 0x10,
    DFR_TRIAGE_UNLOADED = 0x18,
    DFR_TRIAGE_PRCB = 0x1C,
    DFR_TRIAGE_PROCESS = 0x20,
    DFR_TRIAGE_THREAD = 0x24,
    DFR_TRIAGE_STACK = 0x28,
    DFR_TRIAGE_STACK_SIZE = 0x2C,
    DFR_TRIAGE_DRIVERS = 0x30,
    DFR_TRIAGE_DRIVER_COUNT = 0x34,
    DFR_TRIAGE_STACK_TOP = 0x48, /* u64: lowest captured address of the stack */
    DFR_TRIAGE_PAGE_VA = 0x60,   /* u64 */
    DFR_TRIAGE_PAGE = 0x68,
    DFR_TRIAGE_PAGE_SIZE = 0x6C,
    DFR_TRIAGE_KDBG = 0x70,
    DFR_TRIAGE_KDBG_SIZE = 0x74,
    DFR_TRIAGE_BLOCKS = 0x78,
    DFR_TRIAGE_BLOCK_COUNT = 0x7C,
    DFR_TRIAGE_BYTES = 0x80,
};

struct dfr_image {
    uint64_t base, end;
    uint32_t row; /* of MODULES */
};

struct dfr_dump {
    struct dfr_arena *arena;
    struct dfr_bytes *bytes;
    struct dfr_facts *facts;
    struct dfr_diags *diags;
    struct dfr_store *store; /* never NULL; may be empty */
    struct dfr_container file;
    struct dfr_span triage; /* DFR_TRIAGE_BYTES */
    struct dfr_space memory;
    struct dfr_span kdbg; /* the debugger data block, as long as it says; empty: not there */
    uint64_t kdbg_at;     /* file offset */
    bool whole;           /* nothing found to be missing so far */
    DFR_VEC(struct dfr_image) images; /* by rising base */
};

/* ---- triage.c ---- */

/* A u32 of the block; 0 when it cannot be read. */
uint32_t dfr_triage_u32(const struct dfr_dump *d, uint32_t field);
uint64_t dfr_triage_u64(const struct dfr_dump *d, uint32_t field);
/* Read the block behind the header and the map of what was captured. False: they are not there. */
bool dfr_triage_open(struct dfr_dump *d);
/* Say that something is damaged or missing; the dump is not whole. */
void dfr_dump_damaged(struct dfr_dump *d, uint64_t begin, uint64_t end, const char *what);

/* A value of the dump: trust BINARY, with its place in the file (and its address, 0: none). */
struct dfr_value dfr_dump_value(struct dfr_dump *d, struct dfr_value v, uint64_t begin,
                                uint64_t end, uint64_t va);
void dfr_dump_put(struct dfr_dump *d, uint32_t field, struct dfr_value v, uint64_t begin,
                  uint64_t end);
/* The same at an address that was captured. */
void dfr_dump_put_va(struct dfr_dump *d, uint32_t field, struct dfr_value v, uint64_t va,
                     uint64_t len);
/* A cell of a table, read at a place that is already known. */
void dfr_dump_cell(struct dfr_dump *d, uint32_t column, uint32_t row, struct dfr_value v,
                   uint32_t place);

/* ---- system.c: what the header says ---- */
void dfr_dump_system(struct dfr_dump *d);
/* ---- modules.c ---- */
void dfr_dump_modules(struct dfr_dump *d);
void dfr_dump_unloaded(struct dfr_dump *d);
/* The image that holds an address, or NULL. */
const struct dfr_image *dfr_dump_image_at(const struct dfr_dump *d, uint64_t address);
/* ---- kernel.c: the kernel's own tables: debugger data, processors, thread, process, verifier ---- */
void dfr_dump_kernel(struct dfr_dump *d);
bool dfr_kdbg_u64(const struct dfr_dump *d, uint32_t off, uint64_t *ret);
bool dfr_kdbg_u16(const struct dfr_dump *d, uint32_t off, uint16_t *ret);
/* ---- fault.c: the faulting context, registers ---- */
struct dfr_fault {
    uint64_t ip, sp;
    bool known;     /* a context was read */
    bool is_fault;  /* it is the one that faulted, not the one that raised the bug check */
    uint32_t place; /* of the context */
};
struct dfr_fault dfr_dump_fault(struct dfr_dump *d);
/* Where the fault was, also when its context is not there: a parameter says it; 0: none does. */
uint64_t dfr_dump_fault_ip(const struct dfr_dump *d);
/* ---- blob.c: ecx of a CPUID leaf, every feature that any of the processors captured has ---- */
bool dfr_dump_cpuid_ecx(const struct dfr_dump *d, uint32_t leaf, uint32_t *ret);
/* ---- insn.c: the instruction at the fault. `registers`: the facts hold those of the fault ---- */
void dfr_dump_insn(struct dfr_dump *d, uint64_t ip, bool registers);
/* ---- power.c: the request and the devices of 9F ---- */
void dfr_dump_power(struct dfr_dump *d);
/* ---- stack.c: frame 0 and possible callers ---- */
void dfr_dump_stack(struct dfr_dump *d, const struct dfr_fault *fault);

#endif
