/* Compiled programs: whatever the bytes say, reading, verifying, listing and running them ends well.
 *
 * Bytes that begin with "DFRC" are a cache file; magic, hash and engine version are put right first,
 * so that what lies behind them is reached. Any other bytes are the words of one condition in a
 * program that has some of everything. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "facts/member.h"
#include "facts/view.h"
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

/* Memory behind the facts: 64 KiB of pointers into themselves, and of text in every other page. */
#define MEMORY UINT64_C(0xFFFF800000000000)
enum { MEMORY_BYTES = 0x10000 };

static uint8_t memory_byte(uint64_t at)
{
    uint64_t mixed = (at >> 3) * UINT64_C(0x9E3779B97F4A7C15);
    uint64_t word =
        at & 0x1000 ? mixed & UINT64_C(0x7F0063005A4D0041) : MEMORY + (mixed >> 48) % MEMORY_BYTES;
    return (uint8_t)(word >> 8 * (at & 7));
}

static enum dfr_reason memory_read(void *user, uint64_t va, void *buf, size_t len,
                                   struct dfr_place *ret_place)
{
    uint8_t *to = buf;
    (void)user;
    if (va - MEMORY >= MEMORY_BYTES || len > MEMORY_BYTES - (va - MEMORY))
        return va >> 63 ? DFR_REASON_NOT_CAPTURED : DFR_REASON_NOT_MAPPED;
    *ret_place = (struct dfr_place){.begin = va - MEMORY, .end = va - MEMORY + len, .va = va};
    for (size_t i = 0; i < len; i++)
        to[i] = memory_byte(va - MEMORY + i);
    return DFR_REASON_NONE;
}

static enum dfr_reason memory_symbol(void *user, struct dfr_str module, struct dfr_str name,
                                     uint64_t *ret)
{
    (void)user;
    (void)module;
    *ret = MEMORY + name.len * 8;
    return name.len & 1 ? DFR_REASON_NONE : DFR_REASON_NO_SYMBOLS;
}

static enum dfr_reason memory_member(void *user, struct dfr_str module, struct dfr_str type,
                                     struct dfr_str path, struct dfr_member *ret)
{
    uint32_t index;
    bool indexed;
    (void)user;
    (void)module;
    const struct dfr_member_row *row = dfr_member_find(DFR_ARCH_X64, type, path, &index, &indexed);
    if (row)
        return dfr_member_at(row, row->at, 8, index, indexed, ret);
    *ret = (struct dfr_member){.offset = path.len, .size = 4, .bit_at = 8, .bit_size = 2};
    return path.len & 1 ? DFR_REASON_NONE : DFR_REASON_NEEDS_TYPES;
}

static const struct dfr_view memory_view = {
    .pointer_bytes = 8, .read = memory_read, .symbol = memory_symbol, .member = memory_member};

static void fixed_program(struct assembler *as)
{
    assemble_program(as, program_text);
    assemble_facts(as, facts_text);
    assemble_code(as,
                  "const i:1 const a:0xfffff88003dcdfd0 const s:iaStor const m:nt const b:1 "
                  "const t:1350000000 const d:5000 const v:1.2 const e:cpu_state:Frozen const none "
                  "table stack has iaStor!* table stack has /Page.ault/ table stack has \"nt!*\" "
                  "table stack has_seq 2:nt!KiPageFault,iaStor!* "
                  "const a:0xffff800000000100 const a:0xffff800000001008 const i:64 "
                  "const s:nt!_IRP const s:Tail.Overlay.CurrentStackLocation const s:nt!Name "
                  "const s:nt!_X const s:Bit",
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
            facts.view = size & 1 ? NULL : &memory_view;
            assembler_init(&as, &arena, &p);
            if (program_of(&as, data, size))
                run(&arena, &p, &facts);
        }
    }
    dfr_arena_deinit(&arena);
    return 0;
}
