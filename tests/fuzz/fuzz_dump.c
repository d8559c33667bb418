/* A dump: from memory and through windows, which must give the same facts, and the same answers to what
 * rules ask of its memory. Memory is bounded, so that running out of it is one of the ways this ends. */
#include <stdlib.h>
#include <string.h>

#include "dump/dump.h"
#include "facts/view.h"

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

static uint64_t ask_view(const struct dfr_facts *facts)
{
    static const char *const names[] = {"KeBugCheckEx", "PsLoadedModuleList", "no_such"};
    static const char *const members[][2] = {
        {"_EPROCESS", "ImageFileName"}, {"_IRP", "Tail.Overlay"}, {"_KPRCB", "CurrentThread"}};
    const struct dfr_view *v = facts->view;
    struct dfr_place place;
    struct dfr_member member = {0};
    uint8_t buf[64] = {0};
    uint64_t ret = 0, va = 0;
    if (!v)
        return 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ret = ret * 31 + v->symbol(v->user, DFR_STR("nt"), dfr_str_from(names[i]), &va);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        ret = ret * 31 + v->member(v->user, DFR_STR("nt"), dfr_str_from(members[i][0]),
                                   dfr_str_from(members[i][1]), &member);
    for (uint32_t row = 0; row < facts->tables[DFR_T_STACK].n && row < 16; row++) {
        const struct dfr_value *sp = dfr_facts_at(facts, DFR_F_STACK_SP, row);
        if (sp->state == DFR_KNOWN)
            ret = ret * 31 + v->read(v->user, sp->as.u, buf, sizeof buf, &place) + buf[0];
    }
    return ret;
}

/* Number of things that were found: the same however the bytes came in. */
static uint64_t read_all(struct dfr_bytes *b, struct dfr_arena *a)
{
    struct dfr_diags diags;
    struct dfr_facts facts;
    struct dfr_err err;
    uint64_t ret = 0;
    dfr_diags_init(&diags, a);
    struct dfr_wanted wanted = {0};
    const struct dfr_dump_options options = {.wanted = &wanted};
    if (dfr_dump_read(a, b, &options, &diags, &facts, &err) != DFR_OK)
        return UINT64_MAX;
    for (uint32_t i = 0; i < DFR_F_COUNT; i++)
        ret += facts.scalars[i].state == DFR_KNOWN;
    for (uint32_t t = 0; t < DFR_T_COUNT; t++)
        ret = ret * 31 + facts.tables[t].n;
    return ret * 31 + ask_view(&facts) + wanted.files.n;
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
