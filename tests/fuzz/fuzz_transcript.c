/* Debugger text: read it, walk every table of every crash. Memory is bounded, so that running out of
 * it is one of the ways this ends. */
#include "base/buf.h"
#include "report/report.h"
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
        struct dfr_transcript read;
        struct dfr_err err;
        dfr_transcript_looks_like((struct dfr_span){data, size});
        if (dfr_transcript_read(&arena, (struct dfr_str){(const char *)data, size}, &diags, &read,
                                &err) == DFR_OK) {
            for (uint32_t i = 0; i < read.n; i++) {
                for (uint32_t k = 0; k < read.crashes[i].places.n; k++) {
                    const struct dfr_place *place = &read.crashes[i].places.v[k];
                    if (place->begin > place->end || place->end > size)
                        __builtin_trap();
                }
                /* Printing reads every value and quotes every place. */
                struct dfr_buf out;
                dfr_buf_init(&out, &arena);
                struct dfr_report_input input = {.crash_count = read.n, .crash = i};
                struct dfr_report_style style = {.verbose = true};
                dfr_report_facts_json(&read.crashes[i], &input, true, &out);
                dfr_report_facts_text(&read.crashes[i], &input, &style, &out);
            }
        }
    }
    dfr_arena_deinit(&arena);
    return 0;
}
