/* A dump: from memory and through windows, which must give the same facts. Memory is bounded, so that
 * running out of it is one of the ways this ends. */
#include <stdlib.h>
#include <string.h>

#include "dump/dump.h"

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

/* Number of things that were found: the same however the bytes came in. */
static uint64_t read_all(struct dfr_bytes *b, struct dfr_arena *a)
{
    struct dfr_diags diags;
    struct dfr_facts facts;
    struct dfr_err err;
    uint64_t ret = 0;
    dfr_diags_init(&diags, a);
    if (dfr_dump_read(a, b, NULL, &diags, &facts, &err) != DFR_OK)
        return UINT64_MAX;
    for (uint32_t i = 0; i < DFR_F_COUNT; i++)
        ret += facts.scalars[i].state == DFR_KNOWN;
    for (uint32_t t = 0; t < DFR_T_COUNT; t++)
        ret = ret * 31 + facts.tables[t].n;
    return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dfr_mem mem;
    jmp_buf guard;
    struct dfr_arena arena;
    dfr_mem_init(&mem, NULL, 256u << 20);
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
