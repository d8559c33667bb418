/* The picture of memory that a recipe describes: pages by address, the ranges that small dumps hold,
 * the names that the recipe gives to addresses, modules and the crashing stack. */
#ifndef DFR_FORGE_WORLD_H
#define DFR_FORGE_WORLD_H

#include "forge/forge.h"
#include "forge/layout.h"
#include "forge/recipe.h"

enum { DFR_FORGE_PAGE = 0x1000 };

/* Who holds a range of memory. */
enum dfr_forge_holds {
    DFR_HELD_BY_DEBUGGER = 1, /* small dumps that a debugger writes */
    DFR_HELD_BY_KERNEL = 2,   /* small dumps that the kernel writes */
    DFR_HELD_BY_BOTH = 3,
};
enum dfr_forge_state { DFR_PAGE_VALID, DFR_PAGE_OUT, DFR_PAGE_TRANSITION, DFR_PAGE_PROTOTYPE };

struct dfr_forge_page {
    uint64_t va; /* 0 for pages that only have a frame number */
    uint64_t pfn;
    uint8_t *p; /* NULL: zeros */
    enum dfr_forge_state state;
    bool omit;  /* not in the dump */
    bool large; /* mapped by a large page */
    bool user;
};

struct dfr_forge_block {
    uint64_t va, size;
    unsigned holds;
};

struct dfr_forged_function {
    struct dfr_str name; /* empty: none */
    uint64_t at, size;   /* RVA */
    bool placed, hidden, trap;
    uint32_t prolog, locals; /* bytes of code, bytes of stack */
    uint8_t saves[8];        /* registers, in the order in which they are pushed */
    uint32_t save_count;
    uint64_t most; /* the highest offset that something names */
    const struct dfr_recipe_function *recipe;
};

struct dfr_forged_module {
    const struct dfr_recipe_module *recipe;
    struct dfr_str name, file, path;
    uint64_t base, size;
    uint32_t stamp, checksum;
    bool hash; /* the stamp is a hash of the build */
    enum dfr_recipe_symbols symbols;
    DFR_VEC(struct dfr_forged_function) functions;
    uint64_t text_end;          /* RVA behind the code */
    uint64_t data, data_end;    /* RVA of variables, behind them */
    uint64_t pdata, pdata_size; /* RVA of the function table */
    uint64_t entry;             /* KLDR entry */
};

struct dfr_forged_frame {
    const struct dfr_recipe_frame *recipe;
    uint32_t module, function; /* UINT32_MAX: none */
    uint64_t address;
    uint64_t sp;  /* Child-SP; on x86 ebp */
    uint64_t ret; /* where the return address stands; 0 for a trap */
    bool trap;
    bool entry;       /* at its first instruction */
    uint64_t keep[8]; /* x64: rbx rbp rsi rdi r12 to r15 in this frame */
};

struct dfr_forge_name {
    struct dfr_str name;
    uint64_t address;
};

struct dfr_forged_processor {
    uint64_t prcb, context, thread, idle, rip;
    uint32_t ipi;
    bool dpc, known_rip;
};

struct dfr_forge {
    struct dfr_arena *arena;
    struct dfr_yaml_file file;
    struct dfr_recipe r;
    const struct dfr_layout *l;
    bool x86, arm64, pae;
    unsigned ptr; /* bytes of a pointer */
    uint64_t args[4];

    DFR_VEC(struct dfr_forge_page) pages;
    uint32_t *slots; /* page by address: index + 1 */
    uint32_t slot_mask;
    DFR_VEC(struct dfr_forge_block) blocks;
    DFR_VEC(struct dfr_forge_name) names;
    DFR_VEC(struct dfr_forged_module) modules;
    DFR_VEC(struct dfr_forged_frame) frames;
    DFR_VEC(struct dfr_forged_processor) processors;
    uint64_t pool;                    /* next free address for objects */
    uint64_t stack_base, stack_limit; /* the thread's */
    uint64_t stack_low, stack_high; /* the stack that frame 0 is on: from its pointer to the top */
    uint64_t thread, process, dtb;
    uint64_t kdbg, module_list, process_list, resources, unloaded, verifier, bugcheck_data;
    uint64_t header_context; /* address of a context to put into the header, 0: that of frame 0 */
    uint64_t header_exception;
    DFR_VEC(struct dfr_forge_page) tables; /* page tables: pages without an address */
    uint64_t next_pfn;
    struct dfr_forge_images *images; /* NULL: they are not asked for */
};

/* ---- world.c ---- */
uint64_t dfr_world_alloc(struct dfr_forge *f, uint64_t size, uint64_t align);
struct dfr_forge_page *dfr_world_page(struct dfr_forge *f, uint64_t va, bool make);
void dfr_world_put(struct dfr_forge *f, uint64_t va, const void *p, size_t len);
void dfr_world_get(struct dfr_forge *f, uint64_t va, void *p, size_t len);
void dfr_world_fill(struct dfr_forge *f, uint64_t va, uint8_t byte, size_t len);
void dfr_world_u(struct dfr_forge *f, uint64_t va, uint64_t value, unsigned bytes);
void dfr_world_ptr(struct dfr_forge *f, uint64_t va, uint64_t value);
uint64_t dfr_world_read(struct dfr_forge *f, uint64_t va, unsigned bytes);
/* Small dumps hold this range. */
void dfr_world_hold(struct dfr_forge *f, uint64_t va, uint64_t size, unsigned holds);
/* A counted UTF-16 string at `va`, its text behind. */
void dfr_world_unicode(struct dfr_forge *f, uint64_t va, struct dfr_str s, unsigned holds);
uint32_t dfr_world_utf16(struct dfr_arena *a, struct dfr_str s, uint8_t **ret);

/* ---- names.c ---- */
void dfr_name_add(struct dfr_forge *f, const struct dfr_yaml *node, struct dfr_str name,
                  uint64_t address);
/* The value of a reference; 0 after an error. `none`: what it is when it is not given. */
uint64_t dfr_name_value(struct dfr_forge *f, const struct dfr_ref *r, uint64_t none);
/* A hash of a name, for made-up values that are the same in every run. */
uint32_t dfr_name_hash(struct dfr_str s);
struct dfr_forged_module *dfr_module_named(struct dfr_forge *f, struct dfr_str name);
/* Module and function of an address; UINT32_MAX: none. */
void dfr_module_at(const struct dfr_forge *f, uint64_t va, uint32_t *ret_module,
                   uint32_t *ret_function);
/* nt!KeBugCheckEx+0x10 as a debugger prints it. */
void dfr_symbol_text(const struct dfr_forge *f, struct dfr_buf *b, uint64_t va);

/* ---- The parts of the picture, in the order in which they are made ---- */
void dfr_forge_place_modules(struct dfr_forge *f); /* modules.c */
void dfr_forge_place_stack(struct dfr_forge *f);   /* stack.c */
void dfr_forge_place_objects(struct dfr_forge *f); /* objects.c */
void dfr_forge_write_modules(struct dfr_forge *f);
void dfr_forge_write_stack(struct dfr_forge *f);
void dfr_forge_write_calls(struct dfr_forge *f);
void dfr_forge_write_code(struct dfr_forge *f);
void dfr_forge_take_images(struct dfr_forge *f); /* store.c: into f->images */
void dfr_forge_write_objects(struct dfr_forge *f);
void dfr_forge_write_whea(struct dfr_forge *f);   /* whea.c */
void dfr_forge_write_kernel(struct dfr_forge *f); /* kernel.c */
void dfr_forge_kernel_names(struct dfr_forge *f);
uint64_t dfr_forge_data(struct dfr_forge *f, uint64_t size, uint64_t align); /* variables of nt */
/* The context record of frame 0, or of the context that the recipe puts into the header. */
uint32_t dfr_forge_context_bytes(const struct dfr_forge *f);
void dfr_forge_context(struct dfr_forge *f, uint32_t frame, const dfr_regs *regs, uint8_t *ret);
uint32_t dfr_forge_frame_named(struct dfr_forge *f, struct dfr_str name,
                               const struct dfr_yaml *node);
/* Frame numbers, page tables, damage of pages. */
void dfr_forge_map(struct dfr_forge *f); /* pages.c */

/* ---- Files ---- */
/* `len` bytes of the file at `at`, zeroed, to be filled in. */
uint8_t *dfr_forge_piece(struct dfr_forge *f, struct dfr_forge_file *out, uint64_t at, size_t len);
void dfr_forge_header(struct dfr_forge *f, enum dfr_forge_kind kind, uint8_t *h); /* header.c */
void dfr_forge_triage(struct dfr_forge *f, bool by_kernel, struct dfr_forge_file *out);
/* containers.c */
void dfr_forge_pages(struct dfr_forge *f, enum dfr_forge_kind kind, struct dfr_forge_file *out);
/* Secondary data from out->size on; `aligned`: each part begins at a multiple of 8. blobs.c */
void dfr_forge_blobs(struct dfr_forge *f, struct dfr_forge_file *out, bool aligned);

static inline void dfr_put_le(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* ---- The transcript ---- */
void dfr_forge_transcript(struct dfr_forge *f, struct dfr_buf *b);
#endif
