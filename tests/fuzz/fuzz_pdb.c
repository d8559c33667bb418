/* A PDB: from memory and through windows, which must give the same. Its symbols, by address and by
 * name, and the members of its types are asked for; so are names that are not in it. */
#include <stdlib.h>
#include <string.h>

#include "image/pdb_types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *p;
};

static bool copy(void *user, uint64_t off, void *buf, size_t len)
{
    const struct bytes *b = user;
    memcpy(buf, b->p + off, len);
    return true;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    return (h ^ v) * UINT64_C(1099511628211);
}

static uint64_t symbols(struct dfr_pdb *p, struct dfr_arena *a)
{
    enum { MOST = 64 };
    uint64_t h = 1;
    if (!dfr_pdb_read_symbols(p))
        return p->symbols_problem ? 2 : 0;
    for (uint32_t i = 0; i < p->entry_count && i < MOST; i++) {
        struct dfr_pdb_symbol s = dfr_pdb_symbol_of(p, i), found;
        uint32_t distance = 0;
        if (s.name.len && !dfr_pdb_named(p, s.name, &found))
            abort(); /* what stands in it is found */
        uint32_t rva = s.rva + (i & 3);
        if (!dfr_pdb_at(p, rva, &found, &distance))
            continue;
        if (!p->back.v && found.rva + distance != rva)
            abort();
        h = mix(mix(h, found.rva), distance);
        h = mix(mix(h, s.rva), dfr_pdb_plain_name(a, p->machine, s.name).len);
    }
    return h;
}

static uint64_t read_all(struct dfr_bytes *b, struct dfr_arena *a)
{
    static const char *const types[] = {"_OUTER", "_INNER",        "_EPROCESS",
                                        "_UNION", "<unnamed-tag>", "_OUT"};
    static const char *const paths[] = {
        "",       "First",        "Inner.Count",  "List[2]",
        "Flags",  "Matrix[1][1]", "InUnion",      "Inner.List[1].Flags",
        "Linked", "Base",         "Linked.First", "row[2].high"};
    struct dfr_pdb p;
    const char *problem = NULL;
    uint64_t h = 1;
    if (!dfr_pdb_open(&p, a, b, &problem)) {
        if (!problem)
            abort(); /* whatever is wrong is told */
        return 3;
    }
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
            struct dfr_pdb_member m = {0};
            enum dfr_pdb_answer answer =
                dfr_pdb_member(&p, dfr_str_from(types[t]), dfr_str_from(paths[i]), &m);
            h = mix(mix(mix(h, answer), m.offset), m.size);
        }
    return mix(h, symbols(&p, a));
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
        struct dfr_bytes whole, windows;
        struct bytes from = {data};
        dfr_bytes_memory(&whole, &arena, (struct dfr_span){data, size});
        dfr_bytes_callback(&windows, &arena, size, copy, &from);
        if (read_all(&whole, &arena) != read_all(&windows, &arena))
            abort();
    }
    dfr_arena_deinit(&arena);
    return 0;
}
