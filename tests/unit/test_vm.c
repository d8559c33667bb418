/* The virtual machine, instruction by instruction: facts, code, value. Every opcode and builtin has
 * a case; every case runs in both passes, which must agree. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "assemble.h"

static struct dfr_mem mem;
static jmp_buf guard;
static struct dfr_arena arena;

static void open_vm(void)
{
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    if (setjmp(guard))
        cr_assert_fail("out of memory");
    dfr_arena_init(&arena, &mem);
}

static void close_vm(void)
{
    dfr_arena_deinit(&arena);
    cr_assert_eq(mem.live, 0);
}

TestSuite(vm, .init = open_vm, .fini = close_vm);

struct row {
    int line;
    const char *facts, *program, *code, *expected;
};
#define CASE(facts, program, code, expected)                                                       \
    {                                                                                              \
        __LINE__, facts, program, code, expected                                                   \
    }

/* T, F, U (unknown, asks for bugcheck.arg1) and A (absent) as code. */
#define T "const b:1 "
#define F "const b:0 "
#define U "scalar bugcheck.arg1 const a:1 eq "
#define U2 "scalar bugcheck.arg2 const a:1 eq "
#define A "const none "
#define MISS1 "unknown ? bugcheck.arg1"
#define MISS2 "unknown ? bugcheck.arg2"
#define MISS12 "unknown ? bugcheck.arg1 bugcheck.arg2"

#define STACK                                                                                      \
    "row stack sym=s:nt!KeBugCheckEx\nrow stack sym=s:nt!KiPageFault+0x260\n"                      \
    "row stack sym=s:iaStor+0x253f5\nrow stack sym=s:nt!IopfCallDriver+0x10\n"
#define FULL_STACK STACK "complete stack\n"
#define MODULES                                                                                    \
    "row modules name=s:nt base=a:0xfffff80000000000 end=a:0xfffff80000100000 "                    \
    "built=t:1300002000\n"                                                                         \
    "row modules name=s:iaStor built=t:1300001000 base=a:0xfffff88000000000 "                      \
    "end=a:0xfffff88000010000\n"                                                                   \
    "row modules name=s:tcpip built=t:1300000900..1300001100\n"
#define WORDS                                                                                      \
    "row words addr=a:0x1000 value=a:0x1234 size=i:4\n"                                            \
    "row words addr=a:0x1004 value=a:0x44332211 size=i:4\n"
#define FULL_MODULES MODULES "complete modules\n"

static const struct row rows[] = {
    /* Pushing */
    CASE("", "", "const i:5", "5"),
    CASE("", "", "const none", "absent"),
    CASE("set bugcheck.code i:0x7f", "", "scalar bugcheck.code", "127"),
    CASE("", "", "scalar bugcheck.code", "unknown ? bugcheck.code"),
    CASE("absent bugcheck.code", "", "scalar bugcheck.code", "absent"),
    CASE(STACK, "", "table stack complete", "false"),
    CASE(FULL_STACK, "", "table stack complete", "true"),
    CASE("", "list: i:1 i:2", "listref 0 complete", "true"),
    CASE("", "list: i:1 i:2 i:3", "const i:2 listref 0 in", "true"),
    CASE("", "list: i:1 i:2 i:3", "const i:4 listref 0 in", "false"),
    CASE("", "", "scalar trap.frames complete", "false"),
    CASE("", "fact: const i:7", "fact 0 fact 0 add", "14"),
    CASE("", "fn: 2: arg 0 arg 1 sub", "const i:9 const i:4 call 0", "5"),
    CASE("", "fn: 1: arg 0 arg 0 mul\nfn: 1: arg 0 call 0 call 0", "const i:3 call 1", "81"),
    CASE("", "let: const i:2\nlet: let 0 let 0 add", "let 1 let 0 mul", "8"),
    /* Parts */
    CASE(STACK, "", "table stack const i:1 at column stack.func", "KiPageFault"),
    CASE(STACK, "", "table stack const i:2 at column stack.func", "unknown ? stack.func(2)"),
    CASE(STACK, "", "table stack const i:9 at", "unknown ? stack"),
    CASE(FULL_STACK, "", "table stack const i:9 at", "absent"),
    CASE(FULL_STACK, "", "table stack const i:9 at column stack.func", "absent"),
    CASE(FULL_STACK, "", "table stack const i:9 at column stack.func const s:x eq", "unknown"),
    CASE("", "", "table stack scalar cpu.current at", "unknown ? cpu.current"),
    CASE("", "records: 2: s:a i:1 s:b -", "listref 0 const i:0 at record 1", "1"),
    CASE("", "records: 2: s:a i:1 s:b -", "listref 0 const i:1 at record 1", "absent"),
    CASE(MODULES, "", "const m:iastor.sys modcell modules.built", "2011-03-13 07:23:20 UTC"),
    CASE(MODULES, "", "const m:other modcell modules.built", "unknown ? modules(other)"),
    CASE(MODULES, "", "const m:other modcell modules.name", "other"),
    CASE(MODULES, "", "const m:iaStor modcell modules.version",
         "unknown ? modules.version(iaStor)"),
    CASE(FULL_MODULES, "", "const m:other modcell modules.built", "absent"),
    CASE("set trap.symbol s:iaStor!Foo+0x12", "", "scalar trap.symbol sympart 0", "iaStor"),
    CASE("set trap.symbol s:iaStor!Foo+0x12", "", "scalar trap.symbol sympart 1", "Foo"),
    CASE("set trap.symbol s:iaStor!Foo+0x12", "", "scalar trap.symbol sympart 2", "18"),
    CASE("set trap.symbol s:iaStor+0x12", "", "scalar trap.symbol sympart 1",
         "unknown ? trap.symbol"),
    CASE("", "", "scalar trap.symbol sympart 1", "unknown ? trap.symbol"),
    /* Comparing */
    CASE("", "", "const i:1 const i:1 eq", "true"),
    CASE("", "", "const i:1 const i:2 ne", "true"),
    CASE("", "", "const i:1 const i:2 lt", "true"),
    CASE("", "", "const i:2 const i:2 lt", "false"),
    CASE("", "", "const i:2 const i:2 le", "true"),
    CASE("", "", "const i:3 const i:2 gt", "true"),
    CASE("", "", "const i:2 const i:2 ge", "true"),
    CASE("", "", "const a:0xffffffffffffffff const a:1 gt", "true"),
    CASE("", "", "const v:2.10 const v:2.9.9 gt", "true"),
    CASE("", "", "const s:a const s:b lt", "true"),
    CASE("", "", "const s:a const s:A eq", "false"),
    CASE("", "", "const e:arch:x64 const e:arch:x64 eq", "true"),
    CASE("", "", "const e:arch:x64 const e:access:read eq", "unknown ! wrong type"),
    CASE("", "", "const i:1 const a:1 eq", "unknown ! wrong type"),
    CASE("", "", "const m:NTOSKRNL.EXE const m:nt eq", "true"),
    CASE("", "", "const m:iaStor.sys const m:IASTOR eq", "true"),
    CASE("", "", "const m:iaStor const m:iaStorA eq", "false"),
    CASE("", "", "scalar bugcheck.arg1 const a:1 eq", "unknown ? bugcheck.arg1"),
    CASE("", "", "scalar bugcheck.arg1 scalar bugcheck.arg2 eq", MISS12),
    CASE("absent bugcheck.arg1", "", "scalar bugcheck.arg1 const a:1 eq", "unknown"),
    CASE("absent bugcheck.arg1", "", "scalar bugcheck.arg1 scalar bugcheck.arg2 eq", MISS2),
    /* Times without a zone decide only outside their interval. */
    CASE(MODULES, "", "const m:tcpip modcell modules.built const t:1300001200 lt", "true"),
    CASE(MODULES, "", "const m:tcpip modcell modules.built const t:1300000800 lt", "false"),
    CASE(MODULES, "", "const m:tcpip modcell modules.built const t:1300001000 lt",
         "unknown ? modules.built(tcpip)"),
    CASE(MODULES, "", "const m:tcpip modcell modules.built const t:1300001000 eq",
         "unknown ? modules.built(tcpip)"),
    CASE(MODULES, "", "const m:tcpip modcell modules.built const t:1300001101 eq", "false"),
    CASE(MODULES, "", "const m:tcpip modcell modules.built const t:1300001100 le", "true"),
    CASE("", "", "const i:5 const i:1 const i:9 in_range", "true"),
    CASE("", "", "const i:0 const i:1 const i:9 in_range", "false"),
    CASE("", "", "scalar cpu.current const i:1 const i:9 in_range", "unknown ? cpu.current"),
    /* in, contains, matches */
    CASE("", "list: m:iaStor.sys m:iaStorV*", "const m:iastorvx listref 0 in", "true"),
    CASE("", "list: m:nt m:hal", "const m:ntkrnlmp listref 0 in", "true"),
    CASE("", "list: m:nt m:hal", "scalar trap.module listref 0 in", "unknown ? trap.module"),
    CASE("absent trap.module", "list: m:nt", "scalar trap.module listref 0 in", "unknown"),
    CASE("", "list: s:a i:1", "const i:1 listref 0 in", "true"),
    CASE("", "list: s:a", "const i:1 listref 0 in", "unknown ! wrong type"),
    CASE(MODULES, "", "const s:tcpip table modules in", "true"),
    CASE(MODULES, "", "const s:zzz table modules in", "unknown ? modules"),
    CASE(FULL_MODULES, "", "const s:zzz table modules in", "false"),
    CASE("", "", "const s:Say_Hello const s:hello contains", "true"),
    CASE("", "", "const s:Hello const s:bye contains", "false"),
    CASE("", "", "scalar analyze.bucket const s:x contains", "unknown ? analyze.bucket"),
    CASE("", "list: i:1 i:2", "listref 0 const i:2 contains", "true"),
    CASE("", "", "const s:abc matches /^a.c$/", "true"),
    CASE("", "", "const s:ABC matches /^a.c$/", "false"),
    CASE("", "", "const s:ABC matches /^a.c$/i", "true"),
    CASE("", "", "const s:abcd matches \"ab*\"", "true"),
    CASE("", "", "const s:abcd matches \"ab\"", "false"),
    CASE("", "", "const s:nt!KiFoo+0x12 matches nt!Ki*", "true"),
    CASE("", "", "const m:iaStorV matches \"iastor*\"", "true"),
    CASE("set trap.symbol s:iaStor!Foo+0x12", "", "scalar trap.symbol matches iaStor!Foo", "true"),
    CASE("set trap.symbol s:iaStor!Foo+0x12", "", "scalar trap.symbol matches iaStor!Bar", "false"),
    CASE("set trap.symbol s:iaStor+0x12", "", "scalar trap.symbol matches iaStor!*", "true"),
    CASE("set trap.symbol s:iaStor+0x12", "", "scalar trap.symbol matches iaStor!Foo",
         "unknown ? trap.symbol"),
    CASE("set trap.symbol s:iaStor+0x12", "", "scalar trap.symbol matches nt!Foo", "false"),
    CASE("", "", "scalar trap.symbol matches nt!Foo", "unknown ? trap.symbol"),
    /* has: a frame without function name matches mod!*, and is unknown for mod!Name. */
    CASE(FULL_STACK, "", "table stack has nt!KiPageFault", "true"),
    CASE(FULL_STACK, "", "table stack has ntkrnlmp!KiPage*", "true"),
    CASE(FULL_STACK, "", "table stack has nt!KiDoubleFaultAbort", "false"),
    CASE(FULL_STACK, "", "table stack has iaStor!*", "true"),
    CASE(FULL_STACK, "", "table stack has iaStor!Foo", "unknown ? stack.func(2)"),
    CASE(FULL_STACK, "", "table stack has /nt!.*CallDriver/", "true"),
    CASE(FULL_STACK, "", "table stack has /nope/", "unknown ? stack.func(2)"),
    CASE(FULL_STACK, "", "table stack has \"nt!*Bug*\"", "true"),
    CASE(STACK, "", "table stack has nt!KiDoubleFaultAbort", "unknown ? stack"),
    CASE(STACK, "", "table stack has iaStor!Foo", "unknown ? stack stack.func(2)"),
    CASE("", "", "table stack has nt!X", "unknown ? stack"),
    CASE("", "", "scalar trap.frames has nt!X", "unknown ? trap.frames"),
    CASE("absent trap.frames", "", "scalar trap.frames has nt!X", "unknown"),
    CASE("begun stack\ncomplete stack", "", "table stack has nt!X", "false"),
    CASE("row stack addr=none", "", "table stack", "!assemble"),
    CASE(FULL_STACK, "", "table stack has_seq 0:nt!KeBugCheckEx,nt!IopfCallDriver", "true"),
    CASE(FULL_STACK, "", "table stack has_seq 4:nt!KeBugCheckEx,nt!IopfCallDriver", "true"),
    CASE(FULL_STACK, "", "table stack has_seq 3:nt!KeBugCheckEx,nt!IopfCallDriver", "false"),
    CASE(STACK, "", "table stack has_seq 3:nt!KeBugCheckEx,nt!IopfCallDriver", "unknown ? stack"),
    CASE(FULL_STACK, "", "table stack has_seq 0:nt!IopfCallDriver,nt!KeBugCheckEx", "false"),
    CASE(FULL_STACK, "", "table stack has_seq 2:nt!KiPageFault,iaStor!Foo",
         "unknown ? stack.func(2)"),
    CASE(FULL_STACK, "", "table stack has_seq 2:nt!KiPageFault,iaStor!*", "true"),
    /* A missing frame between two counts when the debugger numbers them. */
    CASE("row stack index=i:0 sym=s:a!x\nrow stack index=i:7 sym=s:b!y\ncomplete stack", "",
         "table stack has_seq 2:a!x,b!y", "false"),
    /* Strong Kleene: and */
    CASE("", "", T T "and", "true"),
    CASE("", "", T F "and", "false"),
    CASE("", "", F T "and", "false"),
    CASE("", "", F F "and", "false"),
    CASE("", "", T U "and", MISS1),
    CASE("", "", U T "and", MISS1),
    CASE("", "", F U "and", "false"),
    CASE("", "", U F "and", "false"),
    CASE("", "", U U2 "and", MISS12),
    CASE("", "", T A "and", "unknown"),
    CASE("", "", A F "and", "false"),
    CASE("", "", A U "and", MISS1),
    CASE("", "", A A "and", "unknown"),
    CASE("", "", "const i:1 " T "and", "unknown ! wrong type"),
    CASE("", "", "const i:1 " F "and", "false"),
    /* or */
    CASE("", "", T T "or", "true"),
    CASE("", "", T F "or", "true"),
    CASE("", "", F F "or", "false"),
    CASE("", "", T U "or", "true"),
    CASE("", "", U T "or", "true"),
    CASE("", "", F U "or", MISS1),
    CASE("", "", U U2 "or", MISS12),
    CASE("", "", A T "or", "true"),
    CASE("", "", A F "or", "unknown"),
    CASE("", "", A U "or", MISS1),
    /* not */
    CASE("", "", T "not", "false"),
    CASE("", "", F "not", "true"),
    CASE("", "", U "not", MISS1),
    CASE("", "", A "not", "unknown"),
    /* Skips change nothing but the work. */
    CASE("", "", F "and_skip e " U "and e:", "false"),
    CASE("", "", T "and_skip e " U "and e:", MISS1),
    CASE("", "", U "and_skip e " F "and e:", "false"),
    CASE("", "", T "or_skip e " U "or e:", "true"),
    CASE("", "", F "or_skip e " U "or e:", MISS1),
    CASE("", "", T "and_skip e " F "or_skip i " T "or i: and e:", "true"),
    /* ??, known, absent, unknown */
    CASE("absent bugcheck.arg1", "", "scalar bugcheck.arg1 const a:7 coalesce", "0x7"),
    CASE("", "", "scalar bugcheck.arg1 const a:7 coalesce", "unknown ? bugcheck.arg1"),
    CASE("set bugcheck.arg1 a:1", "", "scalar bugcheck.arg1 const a:7 coalesce", "0x1"),
    CASE("", "", "scalar bugcheck.arg1 is_known", "false"),
    CASE("", "", "scalar bugcheck.arg1 is_unknown", "true"),
    CASE("", "", "scalar bugcheck.arg1 is_absent", "unknown ? bugcheck.arg1"),
    CASE("set bugcheck.arg1 a:1", "", "scalar bugcheck.arg1 is_absent", "false"),
    CASE("absent bugcheck.arg1", "", "scalar bugcheck.arg1 is_absent", "true"),
    CASE("absent bugcheck.arg1", "", "scalar bugcheck.arg1 is_known", "false"),
    CASE("set bugcheck.arg1 a:1", "", "scalar bugcheck.arg1 is_known", "true"),
    /* Arithmetic */
    CASE("", "", "const i:2 const i:3 add", "5"),
    CASE("", "", "const i:0x7fffffffffffffff const i:1 add", "unknown ! overflow"),
    CASE("", "", "const a:0xffffffffffffffff const i:1 add", "unknown ! overflow"),
    CASE("", "", "const a:0x10 const i:-1 add", "0xF"),
    CASE("", "", "const a:0x10 const a:0x20 sub", "-16"),
    CASE("", "", "const a:0xffffffffffffffff const a:0 sub", "unknown ! overflow"),
    CASE("", "", "const t:100 const d:5000 add", "1970-01-01 00:01:45 UTC"),
    CASE("", "", "const t:100 const d:5000 sub", "1970-01-01 00:01:35 UTC"),
    CASE("", "", "const t:100 const t:40 sub", "1 min"),
    CASE("", "", "const t:100..200 const t:40 sub", "1 min to 2 min 40 s"),
    CASE("", "", "const i:6 const i:7 mul", "42"),
    CASE("", "", "const i:-0x7fffffffffffffff const i:2 mul", "unknown ! overflow"),
    CASE("", "", "const i:7 const i:2 div", "3"),
    CASE("", "", "const i:7 const i:0 div", "unknown ! division"),
    CASE("", "", "const i:7 const i:4 mod", "3"),
    CASE("", "", "const i:7 const i:0 mod", "unknown ! division"),
    CASE("", "", "const i:7 neg", "-7"),
    CASE("", "", "const a:0xff0 const a:0xf band", "0x0"),
    CASE("", "", "const a:0xf0 const a:0xf bor", "0xFF"),
    CASE("", "", "const a:0xff const a:0xf bxor", "0xF0"),
    CASE("", "", "const a:0xffffffff00000000 bnot", "0xFFFFFFFF"),
    CASE("", "", "const a:1 const i:12 shl", "0x1000"),
    CASE("", "", "const a:0x12345 const i:12 shr", "0x12"),
    CASE("", "", "const a:1 const i:64 shl", "unknown ! overflow"),
    CASE("", "", "scalar bugcheck.arg1 const i:1 add", "unknown ? bugcheck.arg1"),
    CASE("", "", "const s:a const i:1 add", "unknown ! wrong type"),
    /* An error decides nothing, and is not hidden by what is missing. */
    CASE("", "", "const i:7 const i:0 div const i:1 eq " U "and",
         "unknown ! division ? bugcheck.arg1"),
    CASE("", "", "const i:7 const i:0 div const i:1 eq " F "and", "false"),
/* Quantifiers over a complete list */
#define OVER(q) "table stack fold " q " 0 var 0 column stack.module const m:nt eq next"
    CASE(FULL_STACK, "", OVER("any"), "true"),
    CASE(FULL_STACK, "", OVER("all"), "false"),
    CASE(FULL_STACK, "", OVER("none"), "false"),
    CASE(FULL_STACK, "", OVER("count"), "3"),
    CASE(FULL_STACK, "", OVER("least:3"), "true"),
    CASE(FULL_STACK, "", OVER("least:4"), "false"),
    CASE(FULL_STACK, "", OVER("least:0"), "true"),
    CASE(FULL_STACK, "", OVER("first") " column stack.func", "KeBugCheckEx"),
    /* over an incomplete one */
    CASE(STACK, "", OVER("any"), "true"),
    CASE(STACK, "", OVER("all"), "false"),
    CASE(STACK, "", OVER("none"), "false"),
    CASE(STACK, "", OVER("count"), "3 or more ? stack"),
    CASE(STACK, "", OVER("count") " const i:2 gt", "true"),
    CASE(STACK, "", OVER("count") " const i:4 lt", "unknown ? stack"),
    CASE(STACK, "", OVER("count") " const i:3 lt", "false"),
    CASE(STACK, "", OVER("count") " const i:3 eq", "unknown ? stack"),
    CASE(STACK, "", OVER("count") " const i:2 eq", "false"),
    CASE(STACK, "", OVER("count") " const i:1 add", "unknown ? stack"),
    CASE(STACK, "", OVER("count") " is_known", "true"),
    CASE(STACK, "", OVER("least:3"), "true"),
    CASE(STACK, "", OVER("least:4"), "unknown ? stack"),
    CASE(STACK, "", OVER("first") " column stack.func", "KeBugCheckEx"),
#define OTHER(q) "table stack fold " q " 0 var 0 column stack.module const m:hal eq next"
    CASE(STACK, "", OTHER("any"), "unknown ? stack"),
    CASE(STACK, "", OTHER("none"), "unknown ? stack"),
    CASE(STACK, "", OTHER("first"), "unknown ? stack"),
    CASE(FULL_STACK, "", OTHER("any"), "false"),
    CASE(FULL_STACK, "", OTHER("none"), "true"),
    CASE(FULL_STACK, "", OTHER("first"), "absent"),
    CASE(FULL_STACK, "", OTHER("first") " column stack.module", "absent"),
    /* over an empty one, and over none */
    CASE("begun stack\ncomplete stack", "", OVER("all"), "true"),
    CASE("begun stack\ncomplete stack", "", OVER("none"), "true"),
    CASE("begun stack\ncomplete stack", "", OVER("any"), "false"),
    CASE("begun stack\ncomplete stack", "", OVER("count"), "0"),
    CASE("", "", OVER("all"), "unknown ? stack"),
    CASE("", "", OVER("count"), "0 or more ? stack"),
#define FRAMES(q) "scalar trap.frames fold " q " 0 var 0 column stack.module const m:nt eq next"
    CASE("", "", FRAMES("any"), "unknown ? trap.frames"),
    CASE("absent trap.frames", "", FRAMES("any"), "unknown"),
    CASE("absent trap.frames", "", FRAMES("all"), "unknown"),
    CASE("absent trap.frames", "", FRAMES("first") " column stack.module", "absent"),
    CASE("", "", "const i:1 fold any 0 const b:1 next", "unknown ! wrong type"),
/* rows that are not known themselves */
#define SOME                                                                                       \
    "row cpus id=i:0\nrow cpus id=i:1 state=e:cpu_state:Frozen\n"                                  \
    "row cpus id=i:2 state=e:cpu_state:Running\ncomplete cpus\n"
#define STATE(q, w)                                                                                \
    "table cpus fold " q " 0 var 0 column cpus.state const e:cpu_state:" w " eq next"
    CASE(SOME, "", STATE("any", "Frozen"), "true"),
    CASE(SOME, "", STATE("any", "Thaw"), "unknown ? cpus.state(0)"),
    CASE(SOME, "", STATE("all", "Frozen"), "false"),
    CASE(SOME, "", STATE("count", "Frozen"), "1 to 2 ? cpus.state(0)"),
    CASE(SOME, "", STATE("count", "Frozen") " const i:3 lt", "true"),
    CASE(SOME, "", STATE("least:2", "Frozen"), "unknown ? cpus.state(0)"),
    CASE(SOME, "", STATE("least:3", "Frozen"), "false"),
    CASE(SOME, "", STATE("first", "Frozen"), "unknown ? cpus.state(0)"),
    CASE(SOME, "", STATE("first", "Thaw"), "unknown ? cpus.state(0)"),
    /* nested, and over declared lists */
    CASE(FULL_STACK, "list: m:iaStor m:storport",
         "table stack fold any 0 listref 0 fold any 1 var 0 column stack.module var 1 record 0 eq "
         "next next",
         "true"),
    CASE("", "records: 2: m:iaStor t:500 m:tcpip t:5000",
         "listref 0 fold count 0 var 0 record 1 const t:1000 lt next", "1"),
    /* of */
    CASE("", "", T F U "of any 3", "true"),
    CASE("", "", F U "of any 2", MISS1),
    CASE("", "", T F U "of all 3", "false"),
    CASE("", "", F F "of none 2", "true"),
    CASE("", "", T U U2 "of least:2 3", MISS12),
    CASE("", "", T T U "of least:2 3", "true"),
    CASE("", "", T U "of count 2", "1 to 2 ? bugcheck.arg1"),
    CASE("", "", "of all 0", "true"),
    /* Builtins */
    CASE(MODULES, "", "const s:IASTOR.SYS builtin module modcell modules.name", "IASTOR"),
    CASE(MODULES, "", "const s:other builtin module", "unknown ? modules(other)"),
    CASE(FULL_MODULES, "", "const s:other builtin module", "absent"),
    CASE(FULL_MODULES, "", "const s:other builtin module modcell modules.built const t:1 lt",
         "unknown"),
    CASE(MODULES, "", "const a:0xfffff88000000010 builtin module_at", "iaStor"),
    CASE(MODULES, "", "const a:0x10 builtin module_at", "unknown ? modules(0x10)"),
    CASE(FULL_MODULES, "", "const a:0x10 builtin module_at", "unknown ? modules.base(tcpip)"),
    CASE("row insns addr=a:0x10 mnemonic=s:mov", "",
         "const a:0x10 builtin insn column insns.mnemonic", "mov"),
    CASE("row insns addr=a:0x10", "", "const a:0x20 builtin insn", "unknown ? insns(0x20)"),
    CASE("row irps addr=a:0x10 owner=m:iaStor", "", "const a:0x10 builtin irp column irps.owner",
         "iaStor"),
    CASE("", "", "scalar bugcheck.arg4 builtin irp", "unknown ? bugcheck.arg4"),
    CASE("complete irps", "", "const a:0x10 builtin irp column irps.owner", "absent"),
    CASE("row devices addr=a:1 name=s:x", "", "const a:1 builtin device column devices.name", "x"),
    CASE("row threads addr=a:1 cpu=i:3", "", "const a:1 builtin thread_at column threads.cpu", "3"),
    CASE("row cpus id=i:1 irql=i:15", "", "const i:1 builtin cpu_at column cpus.irql", "15"),
    CASE("row ptes va=a:0x1000 valid=b:0", "", "const a:0x1000 builtin pte column ptes.valid",
         "false"),
    CASE("row trap.regs name=s:rax value=a:7", "", "const s:RAX builtin reg", "0x7"),
    CASE("row trap.regs name=s:rax value=a:7", "", "const s:rbx builtin reg",
         "unknown ? trap.regs(rbx)"),
    CASE("row analyze.keys key=s:A value=s:b", "", "const s:a builtin analyze_key", "b"),
    CASE("", "", "const a:1 const i:8 builtin code.diff", "unknown"),
    CASE("", "", "const a:0xff builtin popcount", "8"),
    CASE("", "", "const a:0xfffff88003dccfd0 builtin page_offset", "4048"),
    CASE("", "", "const a:0xffffffffc0000005 builtin status", "0xC0000005"),
    CASE("", "", "const a:0x123456789 builtin low32", "0x23456789"),
    CASE("set dump.arch e:arch:x64", "", "const a:0xfffff80000000000 builtin canonical", "true"),
    CASE("set dump.arch e:arch:x64", "", "const a:0x123456789abcdef0 builtin canonical", "false"),
    CASE("", "", "const a:0x1 builtin canonical", "unknown ? dump.arch"),
    CASE("set dump.arch e:arch:x64", "", "const a:0xfffff80000000000 builtin kernel_address",
         "true"),
    CASE("", "", "const s:abc builtin length", "3"),
    CASE("", "", "const a:0x6578652e builtin ascii", ".exe"),
    CASE("", "", "const a:0xf1 const a:0xf2 const a:0xf builtin same_except", "true"),
    CASE("", "", "const a:0xf1 const a:0xe2 const a:0xf builtin same_except", "false"),
    /* Memory as a debugger printed it; a dump's own is in test_view.c. */
    CASE(WORDS, "", "const a:0x1001 builtin mem.u8", "0x12"),
    CASE(WORDS, "", "const a:0x1007 builtin mem.u16", "unknown ? words(1007 L1)"),
    CASE(WORDS, "", "const a:0x1004 builtin mem.u32", "0x44332211"),
    CASE(WORDS, "", "const a:0x1000 builtin mem.u64", "4433221100001234"),
    CASE(WORDS, "", "const a:0x1008 builtin mem.u64", "unknown ? words(1008 L1)"),
    CASE(WORDS "set dump.arch e:arch:x86", "", "const a:0x1004 builtin mem.ptr", "0x44332211"),
    CASE(WORDS, "", "const a:0x1000 builtin mem.ptr", "unknown ? dump.arch"),
    CASE("row words addr=a:0x1000 value=a:0x41\nrow words addr=a:0x1000 value=a:0x42", "",
         "const a:0x1000 builtin mem.u64", "unknown ? words(1000 L1)"),
    CASE("row words addr=a:0x2000 value=a:0x207973616e7241 size=i:8", "",
         "const a:0x2000 const i:64 builtin mem.ascii", "Arnasy "),
    CASE("row words addr=a:0x2000 value=a:0x6f6f6f6f6f6f6f6f size=i:8", "",
         "const a:0x2000 const i:9 builtin mem.ascii", "unknown ? words(2008 L1)"),
    CASE("row words addr=a:0x2000 value=a:0x0020002000690068 size=i:8", "",
         "const a:0x2000 const i:2 builtin mem.utf16", "hi"),
    CASE("row words addr=a:0x3000 value=a:0x100004\nrow words addr=a:0x3008 value=a:0x2000\n"
         "row words addr=a:0x2000 value=a:0x0020002000690068\nset dump.arch e:arch:x64",
         "", "const a:0x3000 builtin mem.unicode", "hi"),
    CASE("row symbols name=s:nt!A addr=a:0x10", "", "const s:NT!a builtin symbol", "0x10"),
    CASE("", "", "const s:nt!A builtin symbol", "unknown ? symbols(nt!A)"),
    CASE("", "", "const s:A builtin symbol", "unknown"),
    CASE("row fields addr=a:0x10 type=s:nt!T member=s:M value=a:7 offset=i:8", "",
         "const a:0x10 const s:nt!T const s:M builtin field", "0x7"),
    CASE("row fields addr=a:0x10 type=s:T member=s:M value=a:7 offset=i:8", "",
         "const a:0x10 const s:nt!T const s:M builtin field_address", "0x18"),
    CASE("", "", "const a:0x10 const s:nt!T const s:Flags builtin field",
         "unknown ? fields(nt!T 10 Flags)"),
    CASE("", "", "const i:1 builtin popcount", "unknown ! wrong type"),
    CASE("absent bugcheck.arg1", "", "scalar bugcheck.arg1 builtin popcount", "unknown"),
    /* Only a test's oracle can answer these. */
    CASE("", "", "const i:0 builtin fires", "unknown ! wrong type"),
    CASE("", "", "const i:0 builtin score", "unknown ! wrong type"),
    CASE("", "", "const i:0 builtin verdict", "unknown ! wrong type"),
    CASE("", "", "builtin first_cause", "unknown ! wrong type"),
    CASE("", "", "builtin first_subject", "unknown ! wrong type"),
    CASE("", "", "builtin first_action", "unknown ! wrong type"),
    CASE("", "", "builtin collect_first", "unknown ! wrong type"),
};

static const char *error_word(uint8_t reason)
{
    switch (reason) {
    case DFR_REASON_OVERFLOW:
        return " ! overflow";
    case DFR_REASON_DIVISION:
        return " ! division";
    case DFR_REASON_BUDGET:
        return " ! budget";
    case DFR_REASON_PATTERN_LIMIT:
        return " ! pattern";
    case DFR_REASON_BAD_TYPE:
        return " ! wrong type";
    default:
        return "";
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *show(const struct dfr_vm *vm, const struct dfr_tv *t)
{
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    if (t->v.state == DFR_KNOWN)
        dfr_value_print(&b, &t->v);
    else
        dfr_buf_printf(&b, "%s%s", t->v.state == DFR_ABSENT ? "absent" : "unknown",
                       error_word(t->v.reason));
    uint32_t n;
    const uint32_t *items = dfr_sets_items(vm->out->sets, t->missing, &n);
    const char *words[64];
    for (uint32_t i = 0; i < n && i < 64; i++) {
        const struct dfr_missing *m = &vm->out->missing.v[items[i]];
        struct dfr_buf w;
        dfr_buf_init(&w, &arena);
        dfr_buf_z(&w, dfr_field_info(m->field)->path);
        if (m->param.len)
            dfr_buf_printf(&w, "(%.*s)", (int)m->param.len, m->param.p);
        words[i] = w.p;
    }
    if (n)
        qsort(words, n, sizeof *words, by_text);
    for (uint32_t i = 0; i < n; i++)
        dfr_buf_printf(&b, "%s%s", i ? " " : " ? ", words[i]);
    dfr_buf_z(&b, "");
    return b.p;
}

static void run_case(const struct row *r)
{
    struct dfr_program p;
    struct assembler as;
    struct dfr_err err = {0};
    assembler_init(&as, &arena, &p);
    assemble_program(&as, r->program);
    assemble_facts(&as, r->facts);
    uint32_t rule = p.rules.n ? 0 : DFR_NONE;
    uint32_t chunk = assemble_code(&as, r->code, 0, ASM_SLOTS, rule);
    if (as.failed) {
        cr_expect_str_eq(r->expected, "!assemble", "line %d does not assemble", r->line);
        return;
    }
    struct dfr_engine *e;
    if (dfr_engine_new(&arena, &p, &e, &err) != DFR_OK) {
        cr_expect(false, "line %d: %s", r->line, err.message);
        return;
    }
    struct dfr_facts facts;
    cr_expect_eq(dfr_given_apply(&p, 0, NULL, &arena, &facts, &err), DFR_OK, "line %d: %s", r->line,
                 err.message);
    struct dfr_tv value[2], stack[256];
    for (int full = 0; full < 2; full++) {
        struct dfr_vm vm;
        struct dfr_eval out;
        dfr_vm_init(&vm, e, &facts, &arena, &out, stack);
        vm.full = full;
        vm.rule = rule;
        vm.let_age = 1;
        value[full] = dfr_vm_value(&vm, chunk);
        cr_expect_eq(vm.gathered.n, 0, "line %d: rows are left over", r->line);
        if (full) {
            const char *got = show(&vm, &value[1]);
            cr_expect_str_eq(got, r->expected, "line %d: %s: got %s, not %s", r->line, r->code, got,
                             r->expected);
        } else {
            cr_expect(!value[0].missing && !value[0].origin, "line %d: sets in the first pass",
                      r->line);
        }
    }
    cr_expect_eq(value[0].v.state, value[1].v.state, "line %d: passes differ", r->line);
    cr_expect(dfr_tv_tri(&value[0]) == dfr_tv_tri(&value[1]), "line %d: passes differ", r->line);
}

Test(vm, cases)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        run_case(&rows[i]);
}

/* Is there a case line that names it? */
static bool covered(const char *name, bool builtin)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text[] = {rows[i].code, rows[i].program};
        for (int t = 0; t < 2; t++) {
            char w[128], before[128] = "";
            for (const char *at = text[t]; *at;) {
                while (asm_word(&at, w, sizeof w)) {
                    if (strcasecmp(w, name) == 0 && builtin == (strcmp(before, "builtin") == 0))
                        return true;
                    memcpy(before, w, sizeof before);
                }
                at += *at == '\n';
            }
        }
    }
    return false;
}

Test(vm, every_opcode_has_a_case)
{
    for (uint32_t op = 0; op < DFR_OP_COUNT; op++)
        cr_expect(op == DFR_OP_RET || covered(dfr_op_info(op)->name, false), "%s has no case",
                  dfr_op_info(op)->name);
    for (uint32_t b = 0; b < DFR_B_COUNT; b++)
        cr_expect(covered(dfr_builtin_info(b)->name, true), "%s() has no case",
                  dfr_builtin_info(b)->name);
}
