/* Rule text to code: whatever compiles must pass the verifier. The text is cut at form feeds into
 * files of two packs and a team's layer. */
#include <string.h>

#include "base/diag_text.h"
#include "lang/compile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        const char *path;
        int layer;
    } files[] = {{"core/a.dfr", 0}, {"other/a.dfr", 0}, {"other/b.dfr", 0}, {"team/a.dfr", 1}};
    enum { FILES = sizeof files / sizeof files[0] };
    struct dfr_mem mem;
    jmp_buf guard;
    struct dfr_arena arena;
    dfr_mem_init(&mem, NULL, 64u << 20);
    mem.guard = &guard;
    dfr_arena_init(&arena, &mem);
    if (!setjmp(guard)) {
        struct dfr_compile_source v[FILES];
        size_t n = 0, at = 0;
        while (n < FILES && at < size) {
            const uint8_t *end = n + 1 < FILES ? memchr(data + at, '\f', size - at) : NULL;
            size_t len = end ? (size_t)(end - data) - at : size - at;
            v[n] = (struct dfr_compile_source){
                dfr_str_from(files[n].path), {(const char *)data + at, len}, files[n].layer};
            n++;
            at += len + 1;
        }
        struct dfr_compile_options options = {.now = 1900000000, .tiers = 2};
        struct dfr_diags diags;
        struct dfr_program program;
        struct dfr_err err = {0};
        dfr_diags_init(&diags, &arena);
        enum dfr_status s = dfr_compile(&arena, v, n, &options, &diags, &program, &err);
        struct dfr_buf out;
        dfr_buf_init(&out, &arena);
        dfr_diags_text(&out, &diags, 0, false);
        if (s == DFR_OK) {
            if (dfr_program_verify(&program, &err) != DFR_OK)
                __builtin_trap();
            dfr_program_disasm(&program, DFR_NONE, &out);
        }
    }
    dfr_arena_deinit(&arena);
    return 0;
}
