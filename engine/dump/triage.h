/* What only small dumps have: the block behind their header. */
#ifndef DFR_DUMP_TRIAGE_H
#define DFR_DUMP_TRIAGE_H

#include "dump/reader.h"

/* Fields of the block behind the header of a small dump. 64-bit offsets and, where they differ, 32-bit
 * ones come from triage_field.def. Source: public parsers that agree; observed on x64 and ARM64. */
#define TRIAGE_FIELD(id, off64, size64, off32, size32) DFR_TRIAGE_##id,
enum dfr_triage_field {
#include "dump/triage_field.def"
    DFR_TRIAGE_COUNT
};
#undef TRIAGE_FIELD

/* A field of the block; 0 when it cannot be read. */
uint32_t dfr_triage_u32(const struct dfr_dump *d, enum dfr_triage_field field);
uint64_t dfr_triage_u64(const struct dfr_dump *d, enum dfr_triage_field field);
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
/* ---- io.c: the request and the devices that the bug check is about ---- */
void dfr_dump_io(struct dfr_dump *d);
/* ---- whea.c: the hardware error record of 124 ---- */
void dfr_dump_whea(struct dfr_dump *d);
/* ---- stack.c: frame 0 and possible callers ---- */
void dfr_dump_stack(struct dfr_dump *d, const struct dfr_fault *fault);

#endif
