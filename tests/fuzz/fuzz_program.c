/* A compiled rule set from anywhere: what the verifier lets through runs without harm, and the same
 * with the index and without. The header (magic, versions, hash) is put right first, or hardly any
 * input would pass it. */
#include <sodium/crypto_hash_sha256.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "text/transcript.h"
#include "vm/eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char crash[] =
    "DRIVER_IRQL_NOT_LESS_OR_EQUAL (d1)\n"
    "Arg1: 0000000000000008, memory referenced\nArg2: 0000000000000002, IRQL\n"
    "Arg3: 0000000000000000, read\nArg4: fffff88001844123, address which referenced memory\n\n"
    "STACK_TEXT:\n"
    "fffff880`009b9e10 fffff800`032c1169 : 00000000`0000000a 00000000`00000008 00000000`00000002 "
    "00000000`00000000 : nt!KeBugCheckEx\n"
    "fffff880`009b9e20 fffff800`032bfde0 : 00000000`00000000 00000000`00000008 00000000`00000000 "
    "00000000`00000000 : nt!KiBugCheckDispatch+0x69\n"
    "fffff880`009b9f60 fffff880`01844123 : 00000000`00000001 00000000`00000000 00000000`00000000 "
    "00000000`00000000 : madeup!Read+0x123\n";

enum { HASH_AT = 8, HASHED_FROM = 40, KEPT_FROM = 72, HEADER = 92 };

/* The input with the header of a program that this engine writes. */
static struct dfr_str with_header(struct dfr_arena *a, const uint8_t *data, size_t size)
{
    struct dfr_program none;
    struct dfr_buf written;
    dfr_program_init(&none, a);
    dfr_buf_init(&written, a);
    dfr_program_write(&none, &written);
    char *p = dfr_arena_copy(a, data, size);
    memcpy(p, written.p, HASHED_FROM);
    memcpy(p + KEPT_FROM, written.p + KEPT_FROM, HEADER - KEPT_FROM);
    crypto_hash_sha256((unsigned char *)p + HASH_AT, (const unsigned char *)p + HASHED_FROM,
                       size - HASHED_FROM);
    return (struct dfr_str){p, size};
}

static void run(struct dfr_arena *a, const struct dfr_engine *engine, const struct dfr_facts *facts)
{
    struct dfr_eval with = {0}, without = {0};
    struct dfr_err err;
    struct dfr_eval_options o = {.only_rule = DFR_NONE, .steps_per_rule = 2000};
    enum dfr_status first = dfr_eval_run(engine, facts, &o, a, &with, &err);
    o.no_index = true;
    enum dfr_status second = dfr_eval_run(engine, facts, &o, a, &without, &err);
    if (first != DFR_OK || second != DFR_OK)
        return;
    for (uint32_t i = 0; i < with.hits.n; i++)
        (void)dfr_tv_tri(&with.hits.v[i].when);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dfr_mem mem;
    jmp_buf guard;
    struct dfr_arena arena;
    if (size < HEADER)
        return 0;
    dfr_mem_init(&mem, NULL, 256u << 20);
    mem.guard = &guard;
    dfr_arena_init(&arena, &mem);
    if (!setjmp(guard)) {
        struct dfr_program program;
        struct dfr_engine *engine;
        struct dfr_transcript read;
        struct dfr_err err;
        struct dfr_str bytes = with_header(&arena, data, size);
        if (dfr_program_read(&arena, bytes, &program, &err) == DFR_OK &&
            dfr_engine_new(&arena, &program, &engine, &err) == DFR_OK &&
            dfr_transcript_read(&arena, (struct dfr_str){crash, sizeof crash - 1}, NULL, &read,
                                &err) == DFR_OK)
            run(&arena, engine, &read.crashes[0]);
    }
    dfr_arena_deinit(&arena);
    return 0;
}
