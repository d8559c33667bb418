/* What one step of unwinding does, in symbols, for tests that know the answer from elsewhere.
 *
 *     unwound IMAGE < QUERIES       each query: RVA in hex, and 1 where the processor stood there
 *
 * Every register begins as a symbol of its own (S0..S30, SP), every slot of memory holds a symbol of
 * its address, so that the answer says where each register came from:
 *     1234 1 ok sp=SP+28 pc=[SP+20] S3=[SP+0] S5=S5+0
 * Registers that are not known afterwards are left out. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/unwind.h"

/* A symbol is a region of 2^40 addresses; what a slot holds is its address with one bit set. */
enum { REGION = 40, SLOT = 47, SP_NUMBER = 31 };
#define BASE (UINT64_C(1) << 46)

static uint64_t symbol(unsigned n)
{
    return (uint64_t)(n + 1) << REGION;
}

static bool slot_bytes(void *user, uint64_t off, void *buf, size_t len)
{
    (void)user;
    for (size_t i = 0; i < len; i++) {
        uint64_t at = off + i, v = (at & ~UINT64_C(7)) | UINT64_C(1) << SLOT;
        ((uint8_t *)buf)[i] = (uint8_t)(v >> 8 * (at & 7));
    }
    return true;
}

static void show(uint64_t v)
{
    bool slot = v >> SLOT & 1;
    v &= ~(UINT64_C(1) << SLOT);
    uint64_t n = (v + (UINT64_C(1) << (REGION - 1))) >> REGION;
    int64_t off = (int64_t)(v - (n << REGION));
    printf("%s", slot ? "[" : "");
    if (n == SP_NUMBER + 1)
        printf("SP");
    else
        printf("S%" PRIu64, n - 1);
    printf("%c%" PRIx64 "%s", off < 0 ? '-' : '+', (uint64_t)(off < 0 ? -off : off),
           slot ? "]" : "");
}

static void answer(const struct dfr_pe *pe, const struct dfr_space *stack, uint32_t rva, bool exact)
{
    bool x64 = pe->machine == DFR_MACHINE_X64;
    struct dfr_frame f = {.pc = pe->base + rva, .sp = symbol(SP_NUMBER), .exact = exact};
    for (unsigned i = 0; i < (x64 ? 16 : 31); i++) {
        f.r[i] = symbol(i);
        f.known |= UINT32_C(1) << i;
    }
    struct dfr_step s = dfr_unwind(pe, stack, 0, &f);
    printf("%" PRIx32 " %d ", rva, exact);
    if (s.how) {
        printf("failed: %s\n", dfr_unwind_text(s.how));
        return;
    }
    printf("%s sp=", s.leaf ? "leaf" : s.interrupted ? "interrupted" : "ok");
    show(f.sp);
    printf(" pc=");
    show(f.pc);
    for (unsigned i = 0; i < 31; i++)
        if (f.known >> i & 1) {
            printf(" S%u=", i);
            show(f.r[i]);
        }
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct dfr_mem mem;
    struct dfr_arena arena;
    struct dfr_bytes file, slots;
    struct dfr_pe pe;
    jmp_buf guard;
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (fd < 0) {
        fprintf(stderr, "usage: unwound IMAGE < QUERIES\n");
        return 2;
    }
    dfr_mem_init(&mem, NULL, 0);
    dfr_arena_init(&arena, &mem);
    mem.guard = &guard;
    if (setjmp(guard))
        return 3;
    if (!dfr_bytes_fd(&file, &arena, &fd) ||
        dfr_pe_open_file(&pe, &arena, &file) != DFR_REASON_NONE) {
        fprintf(stderr, "%s: not an image\n", argv[1]);
        return 1;
    }
    pe.base = BASE;
    dfr_bytes_callback(&slots, &arena, UINT64_C(1) << SLOT, slot_bytes, NULL);
    struct dfr_space stack = {.bytes = &slots};
    (void)dfr_space_add(&stack, 0, 0, UINT64_C(1) << SLOT);
    dfr_space_ready(&stack);
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        uint32_t rva;
        int exact;
        if (sscanf(line, "%" SCNx32 " %d", &rva, &exact) == 2)
            answer(&pe, &stack, rva, exact);
    }
    dfr_arena_deinit(&arena);
    close(fd);
    return 0;
}
