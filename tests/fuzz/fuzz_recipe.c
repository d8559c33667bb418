/* A recipe: whatever it says, forging a dump and a transcript ends well, and what is forged is read.
 * The first byte chooses the kind of dump. */
#include <stdlib.h>
#include <string.h>

#include "dump/dump.h"
#include "forge/forge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct file {
    const struct dfr_forge_file *f;
};

static bool copy(void *user, uint64_t off, void *buf, size_t len)
{
    const struct dfr_forge_file *f = ((const struct file *)user)->f;
    memset(buf, 0, len);
    for (uint32_t i = 0; i < f->n && f->v[i].at < off + len; i++) {
        const struct dfr_forge_piece *p = &f->v[i];
        if (p->at + p->len <= off)
            continue;
        uint64_t from = p->at > off ? p->at : off;
        uint64_t to = p->at + p->len < off + len ? p->at + p->len : off + len;
        memcpy((uint8_t *)buf + (from - off), p->p + (from - p->at), (size_t)(to - from));
    }
    return true;
}

static void forge(struct dfr_arena *a, uint8_t kind, struct dfr_str text)
{
    struct dfr_diags diags;
    struct dfr_err err;
    struct dfr_forge_file f = {0};
    struct dfr_buf out;
    struct dfr_str path = DFR_STR("r.yaml");
    dfr_diags_init(&diags, a);
    dfr_buf_init(&out, a);
    if (dfr_forge_text(a, path, text, &diags, &out, &err) != DFR_OK) {
        if (!diags.errors)
            abort(); /* whatever is wrong is told */
        return;
    }
    dfr_diags_init(&diags, a);
    if (dfr_forge_dump(a, path, text, kind % DFR_FORGE_KINDS, &diags, &f, &err) != DFR_OK)
        return;
    struct dfr_bytes b;
    struct dfr_facts facts;
    struct file from = {&f};
    dfr_bytes_callback(&b, a, f.size, copy, &from);
    (void)!dfr_dump_read(a, &b, NULL, &diags, &facts, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dfr_mem mem;
    jmp_buf guard;
    struct dfr_arena arena;
    dfr_mem_init(&mem, NULL, 128u << 20);
    mem.guard = &guard;
    dfr_arena_init(&arena, &mem);
    if (size && !setjmp(guard))
        forge(&arena, data[0], (struct dfr_str){(const char *)data + 1, size - 1});
    dfr_arena_deinit(&arena);
    return 0;
}
