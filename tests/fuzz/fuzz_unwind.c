/* Unwind data, stack and registers that mean nothing: every step ends, reads inside the image and the
 * stack alone, and a failed one leaves the frame as it was.
 *
 * Input: flags, then 16 bytes (size of the image, function table, first pc, stack pointer), then the
 * image, which is one as a file or lies as it is mapped, then the stack. */
#include <stdlib.h>
#include <string.h>

#include "image/unwind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARM64 = 1, EXACT = 2, FILE_LAYOUT = 4, HEAD = 17, STEPS = 32 };
#define IMAGE UINT64_C(0xFFFFF80000000000)
#define STACK UINT64_C(0xFFFFA00000000000)

/* An image as it is mapped: everything counts as headers. */
static struct dfr_pe mapped(struct dfr_bytes *b, struct dfr_span head)
{
    struct dfr_pe pe = {.file = b, .size = (uint32_t)b->size, .headers = (uint32_t)b->size};
    uint16_t at = 0, len = 0;
    (void)dfr_span_u16le(head, 4, &at);
    (void)dfr_span_u16le(head, 6, &len);
    pe.machine = head.p[0] & ARM64 ? DFR_MACHINE_ARM64 : DFR_MACHINE_X64;
    if (at < pe.size && len <= pe.size - at) {
        pe.dirs[DFR_PE_EXCEPTION].rva = at;
        pe.dirs[DFR_PE_EXCEPTION].size = len;
    }
    return pe;
}

static void unwind(struct dfr_arena *a, const uint8_t *data, size_t size)
{
    struct dfr_span head = {data, HEAD}, rest = {data + HEAD, size - HEAD}, image, stack;
    uint16_t cut = 0;
    uint32_t pc = 0, sp = 0;
    (void)dfr_span_u16le(head, 2, &cut);
    (void)dfr_span_u32le(head, 8, &pc);
    (void)dfr_span_u32le(head, 12, &sp);
    if (cut > rest.len)
        cut = (uint16_t)rest.len;
    (void)dfr_span_sub(rest, 0, cut, &image);
    (void)dfr_span_sub(rest, cut, rest.len - cut, &stack);
    struct dfr_bytes file, slots;
    dfr_bytes_memory(&file, a, image);
    dfr_bytes_memory(&slots, a, stack);
    struct dfr_space memory = {.bytes = &slots};
    (void)dfr_space_add(&memory, STACK, 0, stack.len);
    dfr_space_ready(&memory);
    struct dfr_pe pe = mapped(&file, head);
    if ((head.p[0] & FILE_LAYOUT) && dfr_pe_open_file(&pe, a, &file) != DFR_REASON_NONE)
        return;
    pe.base = IMAGE;
    struct dfr_frame f = {
        .pc = IMAGE + pc, .sp = STACK + (sp & ~7u), .known = head.p[16] * 0x1010101u};
    f.exact = head.p[0] & EXACT;
    for (size_t i = 0; i < sizeof f.r / sizeof *f.r; i++)
        f.r[i] = STACK + 8 * i + (sp & ~7u);
    for (int n = 0; n < STEPS; n++) {
        const struct dfr_frame before = f;
        struct dfr_step s = dfr_unwind(&pe, &memory, 0, &f);
        if (s.how != DFR_UNWIND_OK) {
            if (memcmp(&before, &f, sizeof f) != 0 || !*dfr_unwind_text(s.how))
                abort();
            return;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dfr_mem mem;
    jmp_buf guard;
    struct dfr_arena arena;
    if (size < HEAD)
        return 0;
    dfr_mem_init(&mem, NULL, 64u << 20);
    mem.guard = &guard;
    dfr_arena_init(&arena, &mem);
    if (!setjmp(guard))
        unwind(&arena, data, size);
    dfr_arena_deinit(&arena);
    return 0;
}
