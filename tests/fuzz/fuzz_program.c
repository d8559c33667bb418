/* Compiled programs: whatever the bytes say, reading, verifying, listing and running them ends well.
 *
 * Bytes that begin with "DFRC" are a cache file; magic, hash and engine version are put right first,
 * so that what lies behind them is reached. Any other bytes are the words of one condition in a
 * program that has some of everything. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tests/unit/assemble.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char facts_text[] =
    "set bugcheck.code i:0x7f\nset bugcheck.arg1 a:8\nabsent bugcheck.arg3\n"
    "set dump.arch e:arch:x64\nset trap.symbol s:iaStor!Foo+0x12\nset dump.live b:0\n"
    "set dump.time t:1300000000\nset thread.process s:System\n"
    "row stack sym=s:nt!KeBugCheckEx\nrow stack sym=s:nt!KiPageFault+0x260\n"
    "row stack sym=s:iaStor+0x253f5\nrow stack sp=a:1\n"
    "row modules name=s:nt built=t:1300000000 base=a:0x1000 end=a:0x2000\n"
    "row modules name=s:iaStor built=t:1290000000..1310000000\ncomplete modules\n"
    "row cpus id=i:0 state=e:cpu_state:Frozen\nrow cpus id=i:1\n"
    "row irps addr=a:8 owner=m:iaStor\nrow trap.regs name=s:rax value=a:7\n";

static const char program_text[] =
    "list: i:1 i:2 i:3 i:4\nlist: m:iaStor m:tcp*\nrecords: 2: m:iaStor t:1400000000 m:x -\n"
    "fact: table stack has nt!KiPageFault\nfact: fact 0 scalar dump.live or\n"
    "fn: 1: arg 0 const i:1 add\nfn: 2: arg 0 arg 1 call 0 eq\n";

static void fixed_program(struct assembler *as)
{
    assemble_program(as, program_text);
    assemble_facts(as, facts_text);
    assemble_code(as,
                  "const i:1 const a:0xfffff88003dcdfd0 const s:iaStor const m:nt const b:1 "
                  "const t:1350000000 const d:5000 const v:1.2 const e:cpu_state:Frozen const none "
                  "table stack has iaStor!* table stack has /Page.ault/ table stack has \"nt!*\" "
                  "table stack has_seq 2:nt!KiPageFault,iaStor!*",
                  0, ASM_SLOTS, DFR_NONE);
    as->p->chunks.n--; /* wanted for its constants and patterns alone */
    as->p->code.n -= as->p->chunks.v[as->p->chunks.n].count;
}

/* A rule whose condition and evidence are the chunk. */
static void add_rule(struct assembler *as, uint32_t chunk)
{
    struct dfr_program *p = as->p;
    struct dfr_psource none = {.file = DFR_NONE};
    *DFR_PUSH(as->a, &p->clauses) = (struct dfr_pclause){.chunk = chunk, .source = none};
    *DFR_PUSH(as->a, &p->evidence) = (struct dfr_pevidence){
        .chunk = chunk, .group = DFR_NONE, .label = DFR_NONE, .source = none};
    *DFR_PUSH(as->a, &p->let_chunks) = assemble_code(as, "const i:2", 0, ASM_SLOTS, 0);
    *DFR_PUSH(as->a, &p->rules) =
        (struct dfr_prule){.each_list = assemble_code(as, "listref 2", 0, ASM_SLOTS, DFR_NONE),
                           .unless = DFR_NONE,
                           .subject = DFR_NONE,
                           .cause = DFR_NONE,
                           .let_count = 1,
                           .clause_count = 1,
                           .evidence_count = 1,
                           .source = none};
}

/* Magic, format and engine of a file that this engine writes, and the checksum of what follows. */
static void mend_header(struct dfr_arena *a, unsigned char *bytes, size_t size)
{
    enum { CHECKSUM_AT = 8, BODY = 40, ENGINE_AT = 72, HEADER = 92 };
    struct dfr_program none;
    struct dfr_buf written;
    dfr_program_init(&none, a);
    dfr_buf_init(&written, a);
    dfr_program_write(&none, &written);
    memcpy(bytes, written.p, BODY);
    memcpy(bytes + ENGINE_AT, written.p + ENGINE_AT, HEADER - ENGINE_AT);
    XXH128_canonical_t sum;
    XXH128_canonicalFromHash(&sum, XXH3_128bits(bytes + BODY, size - BODY));
    memcpy(bytes + CHECKSUM_AT, sum.digest, sizeof sum.digest);
}

static bool program_of(struct assembler *as, const uint8_t *data, size_t size)
{
    enum { LEAST = 92 };
    if (size >= LEAST && memcmp(data, "DFRC", 4) == 0) {
        unsigned char *bytes = (unsigned char *)dfr_arena_copy(as->a, data, size);
        mend_header(as->a, bytes, size);
        return dfr_program_read(as->a, (struct dfr_str){(char *)bytes, size}, as->p, NULL) ==
               DFR_OK;
    }
    fixed_program(as);
    struct dfr_program *p = as->p;
    struct dfr_pchunk c = {p->code.n, (uint32_t)(size / 4), 0, ASM_SLOTS, 0, 0};
    for (uint32_t i = 0; i < c.count; i++) {
        uint32_t word;
        memcpy(&word, data + (size_t)i * 4, sizeof word);
        *DFR_PUSH(as->a, &p->code) = word;
    }
    *DFR_PUSH(as->a, &p->chunks) = c;
    add_rule(as, p->chunks.n - 1);
    return true;
}

static void run(struct dfr_arena *a, const struct dfr_program *p, const struct dfr_facts *facts)
{
    struct dfr_engine *e;
    struct dfr_err err;
    struct dfr_buf listing;
    if (dfr_engine_new(a, p, &e, &err) != DFR_OK)
        return;
    dfr_buf_init(&listing, a);
    dfr_program_disasm(p, DFR_NONE, &listing);
    for (int i = 0; i < 2; i++) {
        struct dfr_eval out;
        struct dfr_eval_options o = {
            .no_index = i == 1, .only_rule = DFR_NONE, .steps_per_rule = 2000};
        dfr_eval_run(e, facts, &o, a, &out, &err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dfr_mem mem;
    jmp_buf guard;
    struct dfr_arena arena;
    dfr_mem_init(&mem, NULL, 64u << 20);
    mem.guard = &guard;
    dfr_arena_init(&arena, &mem);
    if (!setjmp(guard)) {
        struct dfr_program own, p;
        struct assembler as;
        struct dfr_facts facts;
        assembler_init(&as, &arena, &own);
        assemble_facts(&as, facts_text);
        if (dfr_given_apply(&own, 0, NULL, &arena, &facts, NULL) == DFR_OK) {
            assembler_init(&as, &arena, &p);
            if (program_of(&as, data, size))
                run(&arena, &p, &facts);
        }
    }
    dfr_arena_deinit(&arena);
    return 0;
}
