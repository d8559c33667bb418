/* One dump while it is read: what every reader of the dump layer shares. Inside the dump layer only.
 *
 * Small dumps hold copies of the kernel's structures in their file, all other kinds hold memory. Both
 * meet in struct dfr_where, so that a reader asks for a field and not for a kind of dump. */
#ifndef DFR_DUMP_READER_H
#define DFR_DUMP_READER_H

#include "facts/view.h"
#include "image/pe.h"
#include "image/store.h"
#include "memory/container.h"
#include "memory/space.h"

struct dfr_image {
    uint64_t base, end;
    uint32_t row; /* of MODULES */
};

/* The headers of a loaded image, from memory and from a store: each is looked for once. */
struct dfr_loaded {
    bool asked[2];
    const struct dfr_pe *pe[2];
};

/* Where a structure of the kernel stands: the copy in the file when there is one, else memory. */
struct dfr_where {
    uint64_t va;  /* 0: not known */
    uint64_t off; /* of the copy; 0: none */
};

/* A processor whose control block was read. */
struct dfr_processor {
    uint32_t number;
    uint32_t row; /* of CPUS */
    struct dfr_where prcb;
    struct dfr_where context; /* that the freeze saved; nowhere: none, or a stale one */
};

struct dfr_symbols;
struct dfr_dump {
    struct dfr_arena *arena;
    struct dfr_bytes *bytes;
    struct dfr_facts *facts;
    struct dfr_diags *diags;
    struct dfr_store *store;      /* never NULL; may be empty */
    struct dfr_symbols *symbols;  /* symbols.h */
    const struct dfr_view *types; /* layouts from symbol files; NULL: none */
    struct dfr_container file;
    struct dfr_space memory;
    struct dfr_span triage; /* the block behind the header of a small dump; empty: another kind */
    struct dfr_span kdbg;   /* the debugger data block, as long as it says; empty: not there */
    uint64_t kdbg_at;       /* file offset */
    uint64_t kernel;        /* base of nt; 0: not known */
    uint64_t raised_at; /* entry of KeBugCheckEx, where the header's context shows it; 0: unknown */
    bool whole;         /* nothing found to be missing so far */
    struct dfr_where prcb, thread, process; /* of the crash */
    uint64_t stack_low, stack_end;          /* the part of the crashing stack that was captured */
    DFR_VEC(struct dfr_image) images;       /* by rising base */
    struct dfr_loaded *loaded;              /* as many as images; NULL: nobody asked yet */
    DFR_VEC(struct dfr_processor) processors;
};

/* ---- reader.c ---- */

/* Say that something is damaged or missing; the dump is not whole. */
void dfr_dump_damaged(struct dfr_dump *d, uint64_t begin, uint64_t end, const char *what);

/* A value of the dump: trust BINARY, with its place in the file (and its address, 0: none). */
struct dfr_value dfr_dump_value(struct dfr_dump *d, struct dfr_value v, uint64_t begin,
                                uint64_t end, uint64_t va);
void dfr_dump_put(struct dfr_dump *d, uint32_t field, struct dfr_value v, uint64_t begin,
                  uint64_t end);
/* The same at an address. */
void dfr_dump_put_va(struct dfr_dump *d, uint32_t field, struct dfr_value v, uint64_t va,
                     uint64_t len);
/* The same, read at a place that is already known. */
void dfr_dump_put_at(struct dfr_dump *d, uint32_t field, struct dfr_value v, uint32_t place);
/* A cell of a table, read at a place that is already known. */
void dfr_dump_cell(struct dfr_dump *d, uint32_t column, uint32_t row, struct dfr_value v,
                   uint32_t place);

/* Bytes of a pointer of the crashed system. */
uint32_t dfr_dump_pointer_bytes(const struct dfr_dump *d);
/* Does the address belong to the kernel? In 32-bit systems the upper half, as by default. */
bool dfr_dump_is_kernel(const struct dfr_dump *d, uint64_t va);
/* A parameter of the bug check, 1 to 4, and its code without the bit of small dumps; 0 when they
 * were never written. */
uint64_t dfr_dump_arg(const struct dfr_dump *d, unsigned number);
uint32_t dfr_dump_code(const struct dfr_dump *d);
/* A pointer at an address, zero-extended. */
bool dfr_dump_pointer(const struct dfr_dump *d, uint64_t va, uint64_t *ret);
/* Place of `len` bytes at an address. */
uint32_t dfr_dump_place(struct dfr_dump *d, uint64_t va, uint64_t len);

bool dfr_where_known(const struct dfr_where *w);
bool dfr_where_copy(const struct dfr_dump *d, const struct dfr_where *w, uint64_t at, void *buf,
                    size_t len);
/* A little-endian word of 1 to 8 bytes. */
bool dfr_where_word(const struct dfr_dump *d, const struct dfr_where *w, uint64_t at, size_t len,
                    uint64_t *ret);
bool dfr_where_pointer(const struct dfr_dump *d, const struct dfr_where *w, uint64_t at,
                       uint64_t *ret);
uint32_t dfr_where_place(struct dfr_dump *d, const struct dfr_where *w, uint64_t at, uint64_t len);
/* Why bytes of it cannot be read: memory says, a copy is damaged; NONE when they can. */
enum dfr_reason dfr_where_why(const struct dfr_dump *d, const struct dfr_where *w, uint64_t at,
                              size_t len);

/* ---- kdbg.c: the debugger data block ---- */

/* Find it: `d->kdbg` is empty when it is not there. */
void dfr_kdbg_open(struct dfr_dump *d);
bool dfr_kdbg_u64(const struct dfr_dump *d, uint32_t off, uint64_t *ret);
bool dfr_kdbg_u32(const struct dfr_dump *d, uint32_t off, uint32_t *ret);
bool dfr_kdbg_u16(const struct dfr_dump *d, uint32_t off, uint16_t *ret);
/* A pointer of it, as the crashed system uses it: those of 32-bit systems stand sign-extended there.
 * False also when it is 0. */
bool dfr_kdbg_pointer(const struct dfr_dump *d, uint32_t off, uint64_t *ret);

/* ---- layout.c: where a field stands in a structure of the kernel ---- */

#define LAYOUT(id, type, member, kdbg, size) DFR_LAYOUT_##id,
#define LAYOUT_OF(id, machine, size, off)
enum dfr_layout {
#include "dump/layout.def"
    DFR_LAYOUT_COUNT
};
#undef LAYOUT
#undef LAYOUT_OF
/* Offset of the field in this build: the debugger data block tells it, else symbol files do, else it
 * is known by the size of the structure (layout.def). False: none of them does. */
bool dfr_dump_offset(const struct dfr_dump *d, enum dfr_layout which, uint32_t *ret);
/* The field of a structure, `len` bytes of it. */
bool dfr_dump_field(const struct dfr_dump *d, const struct dfr_where *w, enum dfr_layout which,
                    size_t len, uint64_t *ret);
bool dfr_dump_field_pointer(const struct dfr_dump *d, const struct dfr_where *w,
                            enum dfr_layout which, uint64_t *ret);

/* ---- system.c: what the header says ---- */
void dfr_dump_system(struct dfr_dump *d);
/* ---- modules.c: the list of a small dump; modules_memory.c: the kernel's own lists ---- */
void dfr_dump_modules(struct dfr_dump *d);
void dfr_dump_modules_memory(struct dfr_dump *d);
void dfr_dump_unloaded(struct dfr_dump *d);
void dfr_dump_unloaded_memory(struct dfr_dump *d);
/* The image that holds an address, or NULL. */
const struct dfr_image *dfr_dump_image_at(const struct dfr_dump *d, uint64_t address);
/* ---- processors.c, thread.c, kernel.c: processors; the crashing thread; verifier, memory ---- */
void dfr_dump_processors(struct dfr_dump *d);
void dfr_dump_thread(struct dfr_dump *d);

/* A stack that code of the kernel may run on: addresses [low, end). */
struct dfr_stack {
    uint64_t low, end;
    uint32_t kind; /* DFR_STACK_KIND_* */
};
struct dfr_stacks {
    struct dfr_stack v[4];
    uint32_t n;
};
/* The stacks of a thread and of the processor that it runs on, as far as they are known. */
struct dfr_stacks dfr_dump_stacks(const struct dfr_dump *d, const struct dfr_where *prcb,
                                  const struct dfr_where *thread);
/* The one that a stack pointer stands on, also at its very top; NULL: on none of them. */
const struct dfr_stack *dfr_stacks_find(const struct dfr_stacks *s, uint64_t sp);
void dfr_dump_kernel(struct dfr_dump *d);
/* ---- fault.c: the faulting context, registers ---- */
struct dfr_context;
struct dfr_fault {
    uint64_t ip, sp;
    bool known;     /* a context was read */
    bool is_fault;  /* it is the one that faulted, not the one that raised the bug check */
    uint32_t place; /* of the context */
    const struct dfr_context *context;
};
struct dfr_fault dfr_dump_fault(struct dfr_dump *d);
/* Where the fault was, also when its context is not there: a parameter says it; 0: none does. */
uint64_t dfr_dump_fault_ip(const struct dfr_dump *d);
/* ---- page_table.c: a fault inside the page tables; after dfr_dump_fault ---- */
void dfr_dump_page_table_fault(struct dfr_dump *d);
/* ---- blob.c: ecx of a CPUID leaf, every feature that any of the processors captured has ---- */
bool dfr_dump_cpuid_ecx(const struct dfr_dump *d, uint32_t leaf, uint32_t *ret);
/* ---- insn.c: the instruction at the fault. `registers`: the facts hold those of the fault ---- */
void dfr_dump_insn(struct dfr_dump *d, uint64_t ip, bool registers);
/* ---- io.c: the request and the devices that the bug check is about ---- */
void dfr_dump_io(struct dfr_dump *d);
/* ---- whea.c: the hardware error record of 124 ---- */
void dfr_dump_whea(struct dfr_dump *d);
/* ---- pool.c: the pool block that the bug check is about ---- */
void dfr_dump_pool(struct dfr_dump *d);
/* ---- lock.c: executive resources, where something hangs ---- */
void dfr_dump_locks(struct dfr_dump *d);
/* ---- code_image.c: the code at the fault beside the image that it was loaded from ---- */
void dfr_dump_code_image(struct dfr_dump *d, uint64_t ip);
/* ---- loaded.c: loaded images as images ---- */
enum dfr_source { DFR_FROM_MEMORY, DFR_FROM_STORE };
/* The image that holds an address; its `base` is where it is loaded. NULL: its headers cannot be
 * read there, or no store holds it. */
const struct dfr_pe *dfr_dump_pe(struct dfr_dump *d, uint64_t address, enum dfr_source source);
/* Code at an address: from memory, else from the image's file in a store. */
bool dfr_dump_text(struct dfr_dump *d, uint64_t va, void *buf, size_t len);
/* ---- stack.c: the crashing stack, those of the other processors, and possible callers ---- */
void dfr_dump_stack(struct dfr_dump *d, const struct dfr_fault *fault);

#endif
