#!/usr/bin/env python3
"""Makes up rules and transcripts for measurements; the same numbers give the same bytes.

    generate.py rules N FILE [M]      N rules in one file: bug check and argument, one to three stack
                                      patterns, frozen processors, a driver older than a date; all
                                      but the first M speak of bug checks that no transcript has
    generate.py yara N FILE           the same bug checks, arguments and first patterns as YARA rules
    generate.py transcripts N FOLDER  N transcripts of about 38 KB: analysis, stack, processors, modules
"""
import os
import random
import sys

CODES = [(0x7F, 0.1), (0xD1, 0.15), (0x0A, 0.12), (0x50, 0.1), (0x3B, 0.1), (0x1E, 0.06), (0x7E, 0.06),
         (0x9F, 0.06), (0x133, 0.06), (0x139, 0.05), (0xC4, 0.04), (0x1A, 0.04), (0x116, 0.03), (0xEF, 0.03)]
DRIVERS = 600
FUNCTIONS = ["Dispatch", "Read", "Write", "Complete", "Start", "Power", "Dpc", "Isr", "Queue", "Send",
             "Receive", "Alloc", "Free", "Init", "Stop", "Pnp"]
KERNEL = ["KiDispatchException", "KiPageFault", "KiBugCheckDispatch", "KeBugCheckEx", "IofCallDriver",
          "IopSynchronousServiceTail", "NtDeviceIoControlFile", "KiSystemServiceCopyEnd", "KiIpiSendRequest",
          "KxWaitForLockChainValid", "MmAccessFault", "ExFreePoolWithTag", "PspSystemThreadStartup",
          "KiStartSystemThread", "KiDoubleFaultAbort", "KeFlushMultipleRangeTb", "MiAllocateWsle", "CcFlushCache"]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def driver(i):
    return f"drv{i:03d}{'abcdefgh'[i % 8]}"


def pick_code(rng):
    return rng.choices([c for c, _ in CODES], [w for _, w in CODES])[0]


def function(rng, i):
    return f"Drv{i:03d}{rng.choice(FUNCTIONS)}{rng.randrange(3)}"


def popular(rng):
    """A driver: some are in many crashes, most in few."""
    return min(int(rng.paretovariate(0.7)) - 1, 10**9) % DRIVERS


def made_up(n):
    """(number, driver, bug check, argument, patterns, year, month) of each rule."""
    rng = random.Random(1)
    for r in range(n):
        d = popular(rng)
        patterns = [f"{driver(d)}!{function(rng, d)}"]
        for _ in range(rng.randrange(3)):
            patterns.append(rng.choice([f"nt!{rng.choice(KERNEL)}",
                                        f"{driver(d)}!Drv{d:03d}{rng.choice(FUNCTIONS)}*"]))
        yield (r, driver(d), pick_code(rng), rng.randrange(1, 9), patterns, rng.randrange(2009, 2022),
               rng.randrange(1, 10))


def rules(n, path, here=None):
    out = ['pack "bench.generated" { version = 1.0.0; facts = 1; license = "CC0-1.0"; }\n',
           'cause bench.driver { title = "A made-up driver"; axis = "contributor"; prior_db = 0; }\n']
    for r, name, code, arg1, patterns, year, month in made_up(n):
        if here is not None and r >= int(here):
            code += 0x100000
        out.append(f"rule made_up_{r:05d} {{\n"
                   f"  when bugcheck.code == 0x{code:X} and bugcheck.arg1 == {arg1}"
                   f" and stack has {patterns[0]};\n"
                   f'  let m = module("{name}");\n'
                   f"  evidence {{\n")
        for k, pattern in enumerate(patterns[1:], 1):
            out.append(f'    for weak "frame {k}": stack has {pattern};\n')
        out.append(f'    for moderate "old": m.built < {year}-0{month}-01;\n'
                   f'    note "frozen": any c in cpus: (c.state == "Frozen");\n'
                   f"  }}\n"
                   f"  conclude bench.driver subject m weight weak;\n"
                   f'  recommend "Update {{m.name}}.";\n}}\n')
    with open(path, "w", encoding="utf-8") as f:
        f.write("".join(out))


def yara(n, path):
    with open(path, "w", encoding="utf-8") as f:
        for r, _, code, arg1, patterns, _, _ in made_up(n):
            f.write(f'rule made_up_{r:05d} {{ strings: $b = "BugCheck {code:X}, {{{arg1:x}," $p = "{patterns[0]}+" '
                    f"condition: $b and $p }}\n")


def address(v):
    return f"{v >> 32:08x}`{v & 0xFFFFFFFF:08x}"


def transcript(rng):
    code, arg1 = pick_code(rng), rng.randrange(1, 9)
    args = [arg1, rng.randrange(1 << 40), rng.randrange(16), 0xFFFFF80000000000 + rng.randrange(1 << 32)]
    on_stack = [popular(rng) for _ in range(4)]
    modules = sorted({*rng.sample(range(DRIVERS), 120), *on_stack})
    out = ["\nMicrosoft (R) Windows Debugger Version 10.0.17763.1 AMD64\n"
           "Copyright (c) Microsoft Corporation. All rights reserved.\n\n"
           "Windows 10 Kernel Version 17763 MP (8 procs) Free x64\n"
           f"BugCheck {code:X}, {{{', '.join(f'{a:x}' for a in args)}}}\n\n4: kd> !analyze -v\n"
           f"MADE_UP_BUGCHECK ({code:x})\nArguments:\n"]
    out += [f"Arg{i}: {a:016x}, made up\n" for i, a in enumerate(args, 1)]
    out.append("\nDebugging Details:\n------------------\n\nSTACK_TEXT:  \n")
    sp = 0xFFFFD00020000000 + rng.randrange(1 << 20) * 16
    for k in range(rng.randrange(14, 40)):
        d = rng.choice(on_stack)
        symbol = f"nt!{rng.choice(KERNEL)}" if k == 0 or rng.random() < 0.5 else f"{driver(d)}!{function(rng, d)}"
        values = " ".join(address(rng.randrange(1 << 64)) for _ in range(4))
        out.append(f"{address(sp)} {address(0xFFFFF80000000000 + rng.randrange(1 << 34))} : {values} : "
                   f"{symbol}+0x{rng.randrange(1, 4096):x}\n")
        sp += 16 * rng.randrange(3, 40)
    out.append("\nFollowup: MachineOwner\n---------\n\n4: kd> !ipi\n")
    for cpu in range(8):
        state = "0 [Running]" if cpu == 4 else "2 [Frozen]"
        out.append(f"IPI State for Processor {cpu}\n\n    TargetCount          0  PacketBarrier        0  IpiFrozen     {state}\n\n")
    out.append("\n4: kd> lmv\nstart             end                 module name\n")
    base = 0xFFFFF80002000000
    for d in modules:
        size = 4096 * rng.randrange(4, 400)
        name = driver(d)
        stamp = rng.randrange(1230768000, 1640995200)
        day = f"{MONTHS[rng.randrange(12)]} {rng.randrange(1, 29):02d} 10:11:12 {rng.randrange(2009, 2022)}"
        out.append(f"{address(base)} {address(base + size)}   {name}   (deferred)             \n"
                   f"    Image path: \\SystemRoot\\System32\\drivers\\{name}.sys\n"
                   f"    Image name: {name}.sys\n    Timestamp:        {day} ({stamp:08X})\n"
                   f"    CheckSum:         {rng.randrange(1 << 20):08X}\n    ImageSize:        {size:08X}\n")
        base += size + 4096
    return "".join(out)


def transcripts(n, folder):
    os.makedirs(folder, exist_ok=True)
    rng = random.Random(2)
    for i in range(n):
        with open(os.path.join(folder, f"t{i:04d}.txt"), "w", encoding="utf-8") as f:
            f.write(transcript(rng))


def main():
    what, n, *where = sys.argv[1:]
    {"rules": rules, "yara": yara, "transcripts": transcripts}[what](int(n), *where)


main()
