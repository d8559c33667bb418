/* Transcripts: any bytes are read to facts, within bounded memory. */
#include "text/transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dfr_mem mem;
    jmp_buf guard;
    struct dfr_arena arena;
    dfr_mem_init(&mem, NULL, 256u << 20);
    mem.guard = &guard;
    dfr_arena_init(&arena, &mem);
    if (!setjmp(guard)) {
        struct dfr_diags diags;
        dfr_diags_init(&diags, &arena);
        struct dfr_transcript t;
        struct dfr_err err;
        (void)dfr_transcript_looks_like((struct dfr_span){data, size});
        if (dfr_transcript_read(&arena, (struct dfr_str){(const char *)data, size}, &diags, &t,
                                &err) == DFR_OK) {
            for (uint32_t c = 0; c < t.n; c++)
                for (uint32_t p = 0; p < t.crashes[c].places.n; p++) {
                    const struct dfr_place *place = &t.crashes[c].places.v[p];
                    if (place->begin > place->end || place->end > size)
                        __builtin_trap();
                }
        }
    }
    dfr_arena_deinit(&arena);
    return 0;
}
