/* The pages and page tables of a dump: from memory and through windows, which must give the same, in
 * every way that addresses can be translated. The last bytes of the input choose the addresses. */
#include <stdlib.h>
#include <string.h>

#include "memory/space.h"

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

static uint64_t read_all(struct dfr_bytes *b, struct dfr_arena *a, struct dfr_span tail)
{
    static const enum dfr_paging_mode modes[] = {DFR_PAGING_X64, DFR_PAGING_ARM64, DFR_PAGING_X86,
                                                 DFR_PAGING_PAE};
    struct dfr_container c;
    struct dfr_pages p;
    struct dfr_diags diags;
    struct dfr_err err;
    uint64_t h = 1, root = 0, va = 0;
    dfr_diags_init(&diags, a);
    if (dfr_container_open(&c, b, &err) != DFR_OK || !dfr_pages_open(&p, a, &c, &diags))
        return diags.n;
    if (!p.whole && !diags.n)
        abort(); /* whatever is wrong is told */
    (void)dfr_container_field(&c, DFR_HEADER_ROOT, &root);
    for (unsigned m = 0; m < sizeof modes / sizeof *modes * 2; m++) {
        struct dfr_paging paging = {.pages = &p,
                                    .root = root,
                                    .mode = modes[m / 2],
                                    .levels = m % 2 ? 5 : 4,
                                    .swizzle = UINT64_C(1) << 45,
                                    .build = m % 2 ? 26100 : 7601};
        struct dfr_space s = {.bytes = b};
        dfr_space_paging(&s, &paging);
        for (size_t at = 0; dfr_span_u64le(tail, at, &va); at += 4) {
            uint8_t buf[40];
            struct dfr_walk w = dfr_translate(&paging, va);
            h = mix(mix(mix(h, w.why), w.entry), w.why == DFR_REASON_NONE ? w.physical : w.value);
            bool got = dfr_space_copy(&s, va, buf, sizeof buf);
            uint64_t bad = 0;
            enum dfr_reason why = dfr_space_why_range(&s, va, sizeof buf, &bad);
            if (got != (why == DFR_REASON_NONE))
                abort();
            for (size_t i = 0; got && i < sizeof buf; i++)
                h = mix(h, buf[i]);
        }
    }
    return mix(h, p.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { TAIL = 64 };
    struct dfr_mem mem;
    jmp_buf guard;
    struct dfr_arena arena;
    dfr_mem_init(&mem, NULL, 256u << 20);
    mem.guard = &guard;
    dfr_arena_init(&arena, &mem);
    if (!setjmp(guard)) {
        struct dfr_bytes whole, windows;
        struct bytes from = {data};
        struct dfr_span all = {data, size}, tail = {0};
        (void)dfr_span_sub(all, size < TAIL ? 0 : size - TAIL, size < TAIL ? size : TAIL, &tail);
        dfr_bytes_memory(&whole, &arena, all);
        dfr_bytes_callback(&windows, &arena, size, copy, &from);
        if (read_all(&whole, &arena, tail) != read_all(&windows, &arena, tail))
            abort();
    }
    dfr_arena_deinit(&arena);
    return 0;
}
