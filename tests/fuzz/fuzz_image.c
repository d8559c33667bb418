/* An image: as a file and as it lies in memory. Its debug directory, its exports and its table of
 * functions are read; names from it are asked of the store's rules for names, and bytes that begin as
 * a cabinet does are unpacked. */
#include <stdlib.h>
#include <string.h>

#include "image/cab.h"
#include "image/exports.h"
#include "image/functions.h"
#include "image/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE UINT64_C(0xFFFFF80000000000)

/* A name that a store would look for is one part of a path, and stays in its folder. */
static void name(struct dfr_arena *a, struct dfr_str s)
{
    struct dfr_str part;
    if (!dfr_store_name(s, &part))
        return;
    if (!part.len || memchr(part.p, '/', part.len) || memchr(part.p, '\\', part.len) ||
        memchr(part.p, 0, part.len) || dfr_str_starts_ci(part, DFR_STR("..")))
        abort();
    (void)dfr_store_image_path(a, part, 1, 2);
}

static void functions(const struct dfr_pe *pe, uint32_t rva)
{
    struct dfr_function f = {0};
    if (dfr_function_at(pe, rva, &f) == DFR_FUNCTION_FOUND && f.piece > rva)
        abort();
}

static void read_image(struct dfr_arena *a, const struct dfr_pe *pe)
{
    struct dfr_pe_debug debug = {0};
    struct dfr_exports e = {0};
    (void)dfr_pe_debug(pe, a, &debug);
    if (debug.has_pdb)
        name(a, debug.pdb);
    for (uint32_t i = 0; i < pe->section_count; i++) {
        (void)dfr_pe_why(pe, pe->sections[i].rva + pe->sections[i].size - 1);
        functions(pe, pe->sections[i].rva);
        functions(pe, pe->sections[i].rva + 0x10);
        functions(pe, pe->sections[i].rva + 0x1234);
    }
    if (dfr_exports_read(&e, a, pe) != DFR_REASON_NONE)
        return;
    for (uint32_t i = 0; i < e.n && i < 64; i++) {
        name(a, e.v[i].name);
        if (!dfr_exports_named(&e, e.v[i].name))
            abort(); /* what stands in it is found */
        const struct dfr_export *near = dfr_exports_at(&e, e.v[i].rva + (i & 3));
        if (near && (near->rva > e.v[i].rva + (i & 3) || near->forward.len))
            abort();
        functions(pe, e.v[i].rva);
    }
}

static void unpack(struct dfr_arena *a, struct dfr_bytes *b)
{
    struct dfr_span out;
    if (dfr_cab_unpack(a, b, &out) && out.len)
        name(a, (struct dfr_str){(const char *)out.p, out.len < 64 ? out.len : 64});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dfr_mem mem;
    jmp_buf guard;
    struct dfr_arena arena;
    dfr_mem_init(&mem, NULL, 64u << 20);
    mem.guard = &guard;
    dfr_arena_init(&arena, &mem);
    if (!setjmp(guard)) {
        struct dfr_bytes b;
        struct dfr_pe pe;
        dfr_bytes_memory(&b, &arena, (struct dfr_span){data, size});
        if (dfr_cab_is(&b))
            unpack(&arena, &b);
        else if (dfr_pe_open_file(&pe, &arena, &b) == DFR_REASON_NONE)
            read_image(&arena, &pe);
        struct dfr_space space = {.bytes = &b};
        (void)dfr_space_add(&space, BASE, 0, size);
        dfr_space_ready(&space);
        if (dfr_pe_open_mapped(&pe, &arena, &space, BASE) == DFR_REASON_NONE)
            read_image(&arena, &pe);
    }
    dfr_arena_deinit(&arena);
    return 0;
}
