/* A file of a symbol store: a PDB, an image or a cabinet of one of them. Names and members that are
 * found lie where they must, whatever the file says. */
#include <stdlib.h>
#include <string.h>

#include "image/cab.h"
#include "image/exports.h"
#include "image/functions.h"
#include "image/pdb.h"
#include "image/pdb_types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_pdb(struct dfr_arena *a, const struct dfr_bytes *b)
{
    static const char *const types[][2] = {
        {"_OUT", "row[2].high"}, {"_IRP", "Tail.Overlay.CurrentStackLocation"}, {"_KPRCB", ""}};
    struct dfr_pdb p;
    struct dfr_pdb_symbol s;
    struct dfr_pdb_member m;
    const char *problem;
    uint32_t distance;
    if (!dfr_pdb_open(&p, a, b, &problem))
        return;
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t rva = i < p.sections.n ? p.sections.v[i].rva + 16 : i * 0x123;
        if (!dfr_pdb_at(&p, rva, &s, &distance))
            continue;
        if (!p.back.v && s.rva + distance != rva)
            abort();
        (void)dfr_pdb_plain_name(a, p.machine, s.name);
        if (!dfr_pdb_named(&p, s.name, &s))
            abort();
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        (void)dfr_pdb_member(&p, dfr_str_from(types[i][0]), dfr_str_from(types[i][1]), &m);
}

static void ask_image(struct dfr_arena *a, struct dfr_bytes *b)
{
    struct dfr_pe pe;
    struct dfr_exports e;
    struct dfr_function f;
    if (dfr_pe_open_file(&pe, a, b) != DFR_REASON_NONE)
        return;
    bool names = dfr_exports_read(&e, a, &pe) == DFR_REASON_NONE;
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t rva = i * 0x123;
        const struct dfr_export *found = names ? dfr_exports_at(&e, rva) : NULL;
        if (found && (found->rva > rva || found->forward.len))
            abort();
        if (dfr_function_at(&pe, rva, &f) == DFR_FUNCTION_FOUND && f.piece > rva)
            abort();
    }
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
        struct dfr_span unpacked;
        dfr_bytes_memory(&b, &arena, (struct dfr_span){data, size});
        if (dfr_cab_is(&b) && dfr_cab_unpack(&arena, &b, &unpacked))
            dfr_bytes_memory(&b, &arena, unpacked);
        ask_pdb(&arena, &b);
        ask_image(&arena, &b);
    }
    dfr_arena_deinit(&arena);
    return 0;
}
