/* A dump without a file around it: a header, and memory at addresses. For readers of the crashed
 * system's objects, in every width. */
#ifndef DFR_TESTS_TARGET_H
#define DFR_TESTS_TARGET_H

#include "derive_help.h"
#include "dump/reader.h"
#include "dump_forge.h"

enum { TARGET_HEADER = 0x2000, TARGET_BYTES = 0x8000 };

/* Bytes of the file: a header, then memory. */
static uint8_t target_bytes[TARGET_BYTES];
static struct dfr_bytes target_file;
static struct dfr_diags target_diags;

static inline struct dfr_dump target_dump(enum dfr_machine machine, uint32_t code,
                                          const uint64_t args[4])
{
    bool wide = machine != DFR_MACHINE_X86;
    memset(target_bytes, 0, sizeof target_bytes);
    dfr_bytes_memory(&target_file, &arena, (struct dfr_span){target_bytes, sizeof target_bytes});
    dfr_diags_init(&target_diags, &arena);
    dfr_facts_init(&facts, &arena);
    forge32(target_bytes, wide ? 0x38 : 0x28, code);
    for (unsigned i = 0; i < 4; i++)
        if (wide)
            forge64(target_bytes, 0x40 + 8u * i, args[i]);
        else
            forge32(target_bytes, 0x2C + 4u * i, (uint32_t)args[i]);
    struct dfr_dump d = {.arena = &arena,
                         .bytes = &target_file,
                         .facts = &facts,
                         .diags = &target_diags,
                         .whole = true};
    d.file.bytes = &target_file;
    d.file.header = (struct dfr_span){target_bytes, TARGET_HEADER};
    d.file.wide = wide;
    d.file.machine = machine;
    d.memory.bytes = &target_file;
    d.memory.pointer_bytes = wide ? 8 : 4;
    return d;
}

/* `len` bytes of memory at `va` that stand at `off` of the file. */
static inline void target_memory(struct dfr_dump *d, uint64_t va, size_t off, size_t len)
{
    cr_assert(dfr_space_add(&d->memory, va, off, len));
    dfr_space_ready(&d->memory);
}

/* A module; in the order of their bases. */
static inline void target_module(struct dfr_dump *d, const char *name, uint64_t base, uint64_t size)
{
    uint32_t row = dfr_facts_module_row(&facts, dfr_str_from(name));
    dfr_facts_cell(&facts, DFR_F_MODULES_BASE, row, dfr_v_addr(base));
    *DFR_PUSH(&arena, &d->images) =
        (struct dfr_image){.base = base, .end = base + size, .row = row};
}

static inline const char *target_text(const struct dfr_value *v)
{
    if (v->state != DFR_KNOWN)
        return "?";
    if (v->kind == DFR_KIND_MODULE)
        return dfr_arena_copy(&arena, v->as.module.p, v->as.module.len);
    return dfr_arena_copy(&arena, v->as.s.p, v->as.s.len);
}

#endif
