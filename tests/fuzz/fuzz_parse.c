/* Rule text: parse it, the texts inside, and print what is wrong. Memory is bounded, so that running
 * out of it is one of the ways this ends. */
#include "base/diag_text.h"
#include "lang/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dfr_mem mem;
    jmp_buf guard;
    struct dfr_arena arena;
    dfr_mem_init(&mem, NULL, 64u << 20);
    mem.guard = &guard;
    dfr_arena_init(&arena, &mem);
    if (!setjmp(guard)) {
        struct dfr_diags diags;
        dfr_diags_init(&diags, &arena);
        struct dfr_source source;
        dfr_source_init(&source, &arena, DFR_STR("fuzz.dfr"),
                        (struct dfr_str){(const char *)data, size});
        struct dfr_file file;
        dfr_parse(&arena, &source, &diags, &file);
        for (const struct dfr_node *n = file.items; n; n = n->next)
            for (const struct dfr_section *s = n->sections; s; s = s->next)
                if (s->text)
                    dfr_parse_text(&arena, &source, &diags, s->text);
        dfr_parse_expr(&arena, &source, &diags);
        struct dfr_buf out;
        dfr_buf_init(&out, &arena);
        dfr_diags_text(&out, &diags, 0, false);
    }
    dfr_arena_deinit(&arena);
    return 0;
}
