/* A recipe as it was written: names are not yet addresses. recipe.def says what each field means. */
#ifndef DFR_FORGE_RECIPE_H
#define DFR_FORGE_RECIPE_H

#include "base/vec.h"
#include "forge/yaml.h"

enum dfr_recipe_arch { DFR_RECIPE_X64, DFR_RECIPE_ARM64, DFR_RECIPE_X86, DFR_RECIPE_X86_PAE };
enum dfr_recipe_symbols {
    DFR_SYMBOLS_UNSET,
    DFR_RECIPE_NO_SYMBOLS,
    DFR_RECIPE_EXPORT,
    DFR_RECIPE_PDB,
    DFR_RECIPE_DEFERRED
};

/* A number, or a name with an offset. */
struct dfr_ref {
    const struct dfr_yaml *node; /* NULL: not given */
    struct dfr_str name;         /* empty: `add` alone */
    uint64_t add;
};
typedef DFR_VEC(struct dfr_ref) dfr_refs;
typedef DFR_VEC(struct dfr_str) dfr_texts;
struct dfr_reg {
    struct dfr_str name;
    struct dfr_ref value;
};
typedef DFR_VEC(struct dfr_reg) dfr_regs;

/* Every part begins with the node that it was read from. */
struct dfr_recipe_bugcheck {
    const struct dfr_yaml *node;
    uint64_t code;
    dfr_refs args;
};
struct dfr_recipe_processor {
    const struct dfr_yaml *node;
    uint64_t number;
    uint32_t ipi;
    struct dfr_ref thread, rip;
    bool dpc;
};
struct dfr_recipe_processors {
    const struct dfr_yaml *node;
    uint64_t count, crashing, irql, mhz;
    struct dfr_str vendor;
    DFR_VEC(struct dfr_recipe_processor) states;
};
struct dfr_recipe_process {
    const struct dfr_yaml *node;
    struct dfr_str name;
    struct dfr_ref at;
};
struct dfr_recipe_thread {
    const struct dfr_yaml *node;
    struct dfr_str name;
    struct dfr_ref at, stack_base, stack_limit;
};
struct dfr_recipe_function {
    const struct dfr_yaml *node;
    struct dfr_str name;
    uint64_t at, size, frame;
    dfr_texts saves;
    bool hidden;
};
struct dfr_recipe_code {
    const struct dfr_yaml *node;
    struct dfr_ref at;
    struct dfr_str bytes, text;
};
struct dfr_recipe_module {
    const struct dfr_yaml *node;
    struct dfr_str name, file, path;
    uint64_t base, size, stamp, built, checksum;
    uint32_t symbols;
    DFR_VEC(struct dfr_recipe_function) functions;
    DFR_VEC(struct dfr_recipe_code) code;
    bool large;
};
struct dfr_recipe_unloaded {
    const struct dfr_yaml *node;
    struct dfr_str name;
    uint64_t base, size;
};
struct dfr_recipe_frame {
    const struct dfr_yaml *node;
    struct dfr_ref at;
    struct dfr_str name, trap;
    dfr_regs regs;
    struct dfr_ref sp;
    dfr_refs args;
};
struct dfr_recipe_context {
    const struct dfr_yaml *node;
    struct dfr_str name, frame;
    dfr_regs regs;
    bool header;
};
struct dfr_recipe_exception {
    const struct dfr_yaml *node;
    struct dfr_str name;
    uint64_t code;
    struct dfr_ref address;
    dfr_refs parameters;
    bool header;
};
struct dfr_recipe_memory {
    const struct dfr_yaml *node;
    struct dfr_str name;
    struct dfr_ref at;
    uint64_t size;
    struct dfr_str bytes, text;
    dfr_refs words;
    bool shown;
};
struct dfr_recipe_driver {
    const struct dfr_yaml *node;
    struct dfr_str name, module, object;
};
struct dfr_recipe_device {
    const struct dfr_yaml *node;
    struct dfr_str name, driver;
    struct dfr_ref attached;
    struct dfr_str object;
};
struct dfr_recipe_location {
    const struct dfr_yaml *node;
    uint64_t major, minor, control;
    struct dfr_ref device, completion, context;
};
struct dfr_recipe_irp {
    const struct dfr_yaml *node;
    struct dfr_str name;
    struct dfr_ref thread;
    uint64_t current;
    DFR_VEC(struct dfr_recipe_location) stack;
};
struct dfr_recipe_section {
    const struct dfr_yaml *node;
    uint32_t kind, error;
    uint64_t operation, level, bank, status, address, processor;
    struct dfr_str device;
};
struct dfr_recipe_whea {
    const struct dfr_yaml *node;
    struct dfr_str name;
    uint32_t severity, notify;
    DFR_VEC(struct dfr_recipe_section) sections;
};
struct dfr_recipe_lock {
    const struct dfr_yaml *node;
    struct dfr_str name;
    struct dfr_ref owner;
    uint64_t waiters, contention;
};
struct dfr_recipe_pool {
    const struct dfr_yaml *node;
    struct dfr_str name, tag;
    uint64_t size, previous;
    bool unused, paged;
    struct dfr_str owner;
};
struct dfr_recipe_verifier {
    const struct dfr_yaml *node;
    uint64_t flags;
    dfr_texts drivers;
};
struct dfr_recipe_leaf {
    const struct dfr_yaml *node;
    uint64_t leaf, eax, ebx, ecx, edx;
};
struct dfr_recipe_blobs {
    const struct dfr_yaml *node;
    DFR_VEC(struct dfr_recipe_leaf) cpuid;
    uint64_t microcode;
    struct dfr_str acpi_oem;
};
struct dfr_recipe_flip {
    const struct dfr_yaml *node;
    struct dfr_ref at;
    uint64_t bit;
};
struct dfr_recipe_damage {
    const struct dfr_yaml *node;
    uint64_t cut, type;
    dfr_refs zero, omit, omit_table, paged_out, transition, prototype;
    DFR_VEC(struct dfr_recipe_flip) flip;
};
struct dfr_recipe {
    const struct dfr_yaml *node;
    struct dfr_str title;
    uint32_t arch;
    uint64_t build;
    struct dfr_str lab;
    uint64_t time, uptime; /* seconds since 1970, milliseconds */
    struct dfr_recipe_bugcheck bugcheck;
    struct dfr_recipe_processors processors;
    struct dfr_recipe_process process;
    struct dfr_recipe_thread thread;
    DFR_VEC(struct dfr_recipe_module) modules;
    DFR_VEC(struct dfr_recipe_unloaded) unloaded;
    DFR_VEC(struct dfr_recipe_frame) stack;
    DFR_VEC(struct dfr_recipe_context) contexts;
    DFR_VEC(struct dfr_recipe_exception) exceptions;
    DFR_VEC(struct dfr_recipe_memory) memory;
    DFR_VEC(struct dfr_recipe_driver) drivers;
    DFR_VEC(struct dfr_recipe_device) devices;
    DFR_VEC(struct dfr_recipe_irp) irps;
    DFR_VEC(struct dfr_recipe_whea) whea;
    DFR_VEC(struct dfr_recipe_lock) locks;
    DFR_VEC(struct dfr_recipe_pool) pool;
    struct dfr_recipe_verifier verifier;
    struct dfr_recipe_blobs blobs;
    uint64_t ram, l1tf, attributes;
    struct dfr_recipe_damage damage;
    dfr_refs all; /* every reference in it */
};

/* Read a recipe; false after at least one error among f->diags. */
bool dfr_recipe_read(const struct dfr_yaml_file *f, struct dfr_recipe *ret);
/* An error at a node of the recipe. */
void dfr_recipe_error(const struct dfr_yaml_file *f, const struct dfr_yaml *node,
                      enum dfr_diag_code code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
