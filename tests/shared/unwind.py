#!/usr/bin/env python3
"""Unwinding, function by function, against llvm's listing of the same unwind data.

For every function of every image: a machine that knows nothing of our code runs the prolog that llvm
lists (forwards, on a stack of its own), stops at every offset where something is done, in the body
and at every instruction of the epilogs that objdump shows; the unwinder must then give back the
registers of the caller. What it answers is symbolic (tests/tools/unwound.c), so one wrong slot shows."""
import glob
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.path.dirname(os.environ.get("DFRULE", "build/release/dfrule"))
UNWOUND = os.path.join(BUILD, "probes", "unwound")
FOLDER = os.path.join(os.environ.get("SHARED", "../shared"), "images")
X64 = ["triage_x64/amdppm.sys", "triage_x64/Wdf01000.sys", "user32_x64/user32.dll",
       "ms_seh/x64/xcpt4.exe", "ms_seh/x64/nested_collided.exe", "breakpad/dump_syms_regtest64.exe",
       "breakpad/pe_only_symbol_test.dll", "rizin_pdb/exceptions-test.exe",
       "symbolic/CrashWithException.exe"]
ARM64 = ["ms_seh/ARM64/xcpt4.exe", "ms_seh/ARM64/nested_collided.exe", "symbolic/arm64_test.exe",
         "rizin_pdb/hello_world_arm64.exe"]
REGS = "RAX RCX RDX RBX RSP RBP RSI RDI R8 R9 R10 R11 R12 R13 R14 R15".split()
UNSIGNED = 0x0080FFFFFFFFFFFF  # the rest of a code pointer of ARM64 may be its signature
KEPT_X64 = [3, 5, 6, 7, 12, 13, 14, 15]
failures = 0


def ok(good, what):
    global failures
    print(("ok - " if good else "not ok - ") + what)
    failures += not good


def run(*command, text=None):
    r = subprocess.run(command, input=text, capture_output=True, text=True, errors="replace",
                       check=False)
    return r.returncode, r.stdout


def newest_readobj():
    """Version 2 of the unwind data is read since llvm 20; 14 ends with a crash on it."""
    found = []
    for folder in os.environ["PATH"].split(":"):
        for path in glob.glob(os.path.join(folder, "llvm-readobj-[0-9]*")):
            found.append((int(path.rsplit("-", 1)[1]), path))
    found.sort()
    if found:
        return found[-1]
    path = shutil.which("llvm-readobj")
    return (14, path) if path else (0, None)


# --- The answers -------------------------------------------------------------------------------
def query(image, queries):
    _, out = run(UNWOUND, image, text="".join(f"{rva:x} {int(exact)}\n" for rva, exact in queries))
    lines = out.splitlines()
    return lines if len(lines) == len(queries) else None


def value(symbols, regs, sp, memory):
    m = re.fullmatch(r"(\[?)(SP|S\d+)([+-])([0-9a-f]+)\]?", symbols)
    base = sp if m[2] == "SP" else regs[int(m[2][1:])]
    if base is None:
        return None
    v = base + int(m[4], 16) * (1 if m[3] == "+" else -1)
    return memory.get(v) if m[1] else v


def agrees(line, state, want):
    """Does the answer, read with the registers and the memory of the machine, give the caller's?"""
    words = line.split()
    if words[2] not in ("ok", "leaf", "interrupted"):
        return False
    got = dict(w.split("=") for w in words[3:])
    for name, wanted in want.items():
        v = value(got[name], *state) if name in got else None
        if v is not None and name == "pc":
            v &= UNSIGNED
        if v != wanted:
            return False
    return True


# --- x64 ---------------------------------------------------------------------------------------
def parse_x64(text):
    functions, fn, chained = [], None, False
    for line in text.splitlines():
        line = line.strip()
        m = re.match(r"(?:([A-Z]\w+): \(?0x([0-9A-F]+)\)?|([A-Z]\w+): (.*)|0x([0-9A-F]{2}): (.*))$", line)
        if line == "RuntimeFunction {":
            fn, chained = {"ops": []}, False
            functions.append(fn)
        elif line == "Chained {":
            chained = True
            fn["chain"] = {}
        elif m and m[5]:
            fn["ops"].append((int(m[5], 16), m[6]))
        elif m and fn is not None:
            (fn["chain"] if chained else fn)[m[1] or m[3]] = int(m[2], 16) if m[2] else m[4]
    return functions


def image_base(readobj, path):
    _, out = run(readobj, "--file-headers", path)
    return (int(re.search(r"ImageBase: 0x([0-9A-F]+)", out)[1], 16),
            int(re.search(r"ExceptionTableRVA: 0x([0-9A-F]+)", out)[1], 16),
            int(re.search(r"ExceptionTableSize: 0x([0-9A-F]+)", out)[1], 16) // 12)


def number(text):
    return int(text, 0)


def levels_of(fn, by_info, table):
    """The data of a function, then that of those it is a part of: [(ops, frame register, offset)]."""
    levels = []
    info, seen = fn["UnwindInfoAddress"], 0
    while seen < 32:
        seen += 1
        while info & 1:
            info = table[info - 1]["UnwindInfoAddress"]
        data = by_info[info]
        freg = re.search(r"\((0x[0-9A-F]+)\)", str(data.get("FrameRegister", "")))
        foff = str(data.get("FrameOffset", "-"))
        levels.append((data["ops"], int(freg[1], 16) if freg else None,
                       number(foff) * 16 if foff not in ("-", "") else 0, number(str(data["PrologSize"]))))
        if "chain" not in data:
            return levels
        info = data["chain"]["UnwindInfoAddress"]
    return None


class Machine:
    """Registers, a stack pointer and the memory they were saved to."""

    def __init__(self, rng, count):
        self.rng = rng
        self.memory = {}
        self.regs = [rng.getrandbits(63) for _ in range(count)]
        self.sp = 0x7FFF00000000 + rng.randrange(1 << 20) * 16
        self.frame_known = True

    def clobber(self, reg):
        self.regs[reg] = self.rng.getrandbits(63)

    def state(self):
        return self.regs, self.sp, self.memory


def prolog_x64(m, level, upto):
    """Run what is done up to that offset. Saved registers are given new values, as a body may."""
    ops, freg, foff, _ = level
    todo = [o for o in reversed(ops) if not o[1].startswith("EPILOG") and o[0] <= upto]
    saves, interrupted = [], False
    for _, op in todo:
        name = op.split()[0]
        arg = dict(re.findall(r"(\w+)=([\w]+)", op))
        if name == "PUSH_NONVOL":
            m.sp -= 8
            m.memory[m.sp] = m.regs[REGS.index(arg["reg"])]
            m.clobber(REGS.index(arg["reg"]))
        elif name.startswith("ALLOC"):
            m.sp -= int(arg["size"], 0)
        elif name == "SET_FPREG":
            m.regs[freg] = m.sp + foff
        elif name.startswith("SAVE_NONVOL"):
            saves.append((REGS.index(arg["reg"]), int(arg["offset"], 0)))
        elif name.startswith("SAVE_XMM"):
            pass
        elif name == "PUSH_MACHFRAME":
            interrupted = True
        else:
            raise ValueError(op)
    base = m.regs[freg] - foff if freg is not None and any("SET_FPREG" in o for _, o in todo) else m.sp
    if freg is not None and not any("SET_FPREG" in o for _, o in ops):
        base = m.regs[freg] - foff
    for reg, off in saves:
        m.memory[base + off] = m.regs[reg]
        m.clobber(reg)
    return saves, base, interrupted


def disassemble(path, base):
    _, out = run("objdump", "-d", "-w", "--no-show-raw-insn", "-M", "intel", path)
    insns = {}
    for line in out.splitlines():
        m = re.match(r"\s*([0-9a-f]+):\s+(.*?)\s*$", line)
        if m:
            insns[int(m[1], 16) - base] = m[2]
    return insns


LOW = {r.lower(): i for i, r in enumerate(REGS)}


def epilog_at(insns, order, i, fn_range, freg, same):
    """[(rva, text)] of the epilog whose last instruction is order[i]; None: it ends none."""
    text = insns[order[i]].replace("bnd ", "").replace("repz ", "").replace("rex.W ", "rex.W ")
    jump = re.match(r"jmp\s+(?:0x)?([0-9a-f]+)\b", text)
    through = re.match(r"(rex\.W )?jmp\s+(QWORD PTR|[er]\w\w?\b)", text)
    if jump:
        if same(int(jump[1], 16)):
            return None
    elif through:
        if not through[1] and not through[2].startswith("Q"):
            return None
    elif not re.fullmatch(r"ret", text):
        return None
    found = [order[i]]
    k = i - 1
    while k >= 0 and re.match(r"pop\s+r\w+$", insns[order[k]]) and order[k] >= fn_range[0]:
        found.append(order[k])
        k -= 1
    if k >= 0 and order[k] >= fn_range[0]:
        t = insns[order[k]]
        lea = re.match(r"lea\s+rsp,\[(\w+)", t)
        if re.match(r"add\s+rsp,0x", t) or (lea and freg is not None and LOW.get(lea[1]) == freg):
            found.append(order[k])
        elif t == "mov    rsp,r11":  # r11 was made to point at the first pop before
            found.append(None)
    return found[::-1]


def step_insn(m, text):
    pop = re.match(r"pop\s+(r\w+)$", text)
    add = re.match(r"add\s+rsp,(0x[0-9a-f]+)", text)
    lea = re.match(r"lea\s+rsp,\[(\w+)(?:([+-])(0x[0-9a-f]+))?\]", text)
    if pop:
        m.regs[LOW[pop[1]]] = m.memory.get(m.sp)
        m.sp += 8
    elif add:
        v = int(add[1], 16)
        m.sp += v - (1 << 64) if v >> 63 else v
    elif lea:
        m.sp = m.regs[LOW[lea[1]]] + (int(lea[3], 16) * (1 if lea[2] == "+" else -1) if lea[3] else 0)
    else:
        return False
    return True


def enter_x64(rng, levels, upto, alloca):
    m = Machine(rng, 16)
    caller = list(m.regs)
    m.sp -= 8
    m.memory[m.sp] = 0x1234567890
    want = {"pc": 0x1234567890, "sp": f"{m.sp + 8}"}
    want["sp"] = m.sp + 8
    for r in KEPT_X64:
        want[f"S{r}"] = caller[r]
    saved = []
    for n, level in enumerate(reversed(levels)):
        last = n == len(levels) - 1
        saves, base, interrupted = prolog_x64(m, level, upto if last else 1 << 20)
        saved += [(r, base + off) for r, off in saves]
        if interrupted:
            raise ValueError("machine frame")
    if alloca and any(lv[1] is not None for lv in levels) and upto >= levels[0][3]:
        m.sp -= 16 * rng.randrange(64)
    return m, want, saved


def check_x64(path, readobj):
    base, pdata, count = image_base(readobj, path)
    code, text = run(readobj, "--unwind", path)
    functions = parse_x64(text)[:count]
    if code or not functions:
        ok(False, f"{path}: llvm lists its functions")
        return 0
    by_info = {f["UnwindInfoAddress"]: f for f in functions if not f["UnwindInfoAddress"] & 1}
    table = {base + pdata + 12 * i: f for i, f in enumerate(functions)}
    insns = disassemble(path, base)
    order = sorted(insns)
    index = {a: i for i, a in enumerate(order)}
    rng = random.Random(7)
    queries, checks = [], []
    roots = {}
    for f in functions:
        f["begin"], f["end"] = f["StartAddress"] - base, f["EndAddress"] - base
        info = f["UnwindInfoAddress"]
        root = f
        for _ in range(32):
            while info & 1:
                root = table[info - 1]
                info = root["UnwindInfoAddress"]
            if "chain" not in by_info[info]:
                break
            root = by_info[info]["chain"]
            info = root["UnwindInfoAddress"]
        f["root"] = root["StartAddress"] - base
        roots[f["begin"]] = f["root"]
    starts = sorted(roots)
    ends = {f["begin"]: f["end"] for f in functions}

    def root_of(rva):
        import bisect
        i = bisect.bisect_right(starts, rva) - 1
        return roots[starts[i]] if i >= 0 and rva < ends[starts[i]] else None

    def ask(rva, exact, m, want):
        queries.append((rva, exact))
        regs, sp, memory = m.state()
        checks.append(((list(regs), sp, dict(memory)), want))

    counted = body = epilogs = 0
    for f in functions:
        if f["end"] <= f["begin"]:
            continue
        levels = levels_of(f, by_info, table)
        counted += 1
        if f["UnwindInfoAddress"] & 1:  # the prolog stands in the part that it refers to
            levels[0] = levels[0][:3] + (0,)
        own = levels[0]
        size = f["end"] - f["begin"]
        offsets = {0} | {o for o, t in own[0] if not t.startswith("EPILOG")}
        for o in sorted(x for x in offsets if x < own[3]):
            m, want, _ = enter_x64(rng, levels, o, False)
            ask(f["begin"] + o, True, m, want)
        # Epilogs, as the instructions show them.
        covered = {}
        i = index.get(f["begin"])
        while i is not None and i < len(order) and order[i] < f["end"]:
            freg = next((lv[1] for lv in levels if lv[1] is not None), None)

            def same(target):
                rva = target - base
                if f["begin"] <= rva < f["end"]:
                    return rva != f["root"]
                return root_of(rva) == f["root"] and rva != f["root"]
            e = epilog_at(insns, order, i, (f["begin"] + own[3], f["end"]), freg, same)
            if e and order[i] >= f["begin"] + own[3]:
                covered.update((a, e) for a in e if a is not None)
            i += 1
        has_code = any(lv[0] for lv in levels)
        for e in {e[-1]: e for e in covered.values()}.values():
            if not has_code or (e[0] or e[1]) < f["begin"] + own[3]:
                continue
            m, want, saved = enter_x64(rng, levels, 1 << 20, True)
            for reg, at in saved:
                m.regs[reg] = m.memory[at]
            if e[0] is None:
                m.sp = want["sp"] - 8 * (len(e) - 1)
            for a in filter(None, e):
                ask(a, True, m, want)
                step_insn(m, insns[a])
                epilogs += 1
        # The body: every instruction behind the prolog that belongs to no epilog.
        m, want, _ = enter_x64(rng, levels, 1 << 20, True)
        i = index.get(f["begin"])
        while i is not None and i < len(order) and order[i] < f["end"]:
            a = order[i]
            if a >= f["begin"] + own[3] and a not in covered and has_code:
                ask(a, True, m, want)
                body += 1
            if insns[a].startswith("call") and a >= f["begin"] + own[3] and i + 1 < len(order):
                ask(order[i + 1], False, m, want)
            i += 1
        if size and not has_code:
            ask(f["begin"], True, m, want)
    lines = query(path, queries)
    if lines is None:
        ok(False, f"{path}: an answer to each question")
        return 0
    wrong = [(l, c) for l, c in zip(lines, checks) if not agrees(l, *c)]
    for l, (state, want) in wrong[:5]:
        print(f"# {l}\n#   wanted " + " ".join(
            f"{k}={v - state[1]:+#x} from sp" if k == "sp" else k for k, v in want.items()))
    ok(not wrong, f"{os.path.relpath(path, FOLDER)}: {counted} functions, {len(queries)} places "
       f"({body} in bodies, {epilogs} in epilogs), {len(wrong)} differ")
    return counted


# --- ARM64 -------------------------------------------------------------------------------------
def parse_arm64(text):
    functions, fn, part = [], None, None
    for line in text.splitlines():
        line = line.strip()
        if line == "RuntimeFunction {":
            fn = {"prolog": [], "epilogs": []}
            functions.append(fn)
        elif line == "Prologue [":
            part = fn["prolog"]
        elif line == "EpilogueScope {":
            fn["epilogs"].append({"ops": []})
        elif line in ("Opcodes [", "Epilogue ["):
            if not fn["epilogs"] or line == "Epilogue [":
                fn["epilogs"].append({"ops": []})
            part = fn["epilogs"][-1]["ops"]
        elif line == "]":
            part = None
        elif part is not None:
            part.append(line.split(";", 1)[-1].strip())
        else:
            m = re.match(r"(\w+): (\S+)", line)
            if m and m[1] == "StartOffset":
                fn["epilogs"][-1]["start"] = int(m[2]) * 4
            elif m and fn is not None:
                fn[m[1]] = m[2]
    return functions


def arm_reg(name):
    return {"fp": 29, "lr": 30}.get(name) if name in ("fp", "lr") else int(name[1:])


def exec_arm64(m, text):
    """One instruction of a prolog or an epilog, as llvm writes it."""
    text = text.rstrip("!") + ("!" if text.endswith("!") else "")
    mem = re.match(r"(stp|str|ldp|ldr) (\w+), (?:(\w+), )?\[sp(?:, #(-?\d+))?\](!)?(?:, #(\d+))?$", text)
    if text in ("end", "nop", "clear unwound to call", "end_c", "save next"):
        return
    if text == "pacibsp":
        m.regs[30] |= 0x5A << 56
    elif text == "autibsp":
        m.regs[30] = (m.regs[30] or 0) & ((1 << 56) - 1)
    elif text in ("mov fp, sp", "mov x29, sp"):
        m.regs[29] = m.sp
    elif text in ("mov sp, fp", "mov sp, x29"):
        m.sp = m.regs[29]
    elif mem:
        name, regs, off = mem[1], [r for r in (mem[2], mem[3]) if r], int(mem[4] or 0)
        at = m.sp + off
        if mem[5]:
            m.sp = at
        for i, r in enumerate(regs):
            if r[0] in "dq":
                continue
            n = arm_reg(r)
            if name[:2] == "st":
                m.memory[at + 8 * i] = m.regs[n]
                if 19 <= n <= 30:
                    m.clobber(n)
            else:
                m.regs[n] = m.memory.get(at + 8 * i)
        if mem[6]:
            m.sp += int(mem[6])
    else:
        a = re.match(r"(sub|add) (sp|fp|x29)(?:, (sp|fp|x29))?, #(\d+)$", text)
        if not a:
            raise ValueError(text)
        v = (m.sp if (a[3] or a[2]) == "sp" else m.regs[29]) + int(a[4]) * (1 if a[1] == "add" else -1)
        if a[2] == "sp":
            m.sp = v
        else:
            m.regs[29] = v


def enter_arm64(rng, ops, count):
    m = Machine(rng, 31)
    m.regs[30] = 0x00007FF612345678
    caller = list(m.regs)
    want = {"pc": caller[30], "sp": m.sp}
    for r in range(19, 30):
        want[f"S{r}"] = caller[r]
    for text in ops[:count]:
        exec_arm64(m, text)
    return m, want


def mirrored(text):
    """The instruction that undoes one of the prolog."""
    text = text.replace("mov fp, sp", "mov sp, fp").replace("mov x29, sp", "mov sp, x29")
    text = text.replace("pacibsp", "autibsp").replace("sub sp", "add sp")
    text = re.sub(r"^st([pr])", r"ld\1", text)
    return re.sub(r"\[sp, #-(\d+)\]!", r"[sp], #\1", text)


def net_arm64(ops):
    """How far the stack pointer goes up when they are undone."""
    m = Machine(random.Random(1), 31)
    begin = m.sp
    for text in ops:
        if text not in ("mov fp, sp", "mov x29, sp", "mov sp, fp", "mov sp, x29"):
            exec_arm64(m, text)
    return m.sp - begin


def check_arm64(path, readobj):
    base, _, _ = image_base(readobj, path)
    code, text = run(readobj, "--unwind", path)
    functions = parse_arm64(text)
    rng = random.Random(8)
    queries, checks, epilogs = [], [], 0
    for f in functions:
        begin, length = int(f["Function"], 16) - base, int(f["FunctionLength"])
        prolog = [t for t in reversed(f["prolog"]) if t != "end"]
        if any(t in ("end_c",) for t in f["prolog"]):
            continue
        fragment = f.get("Fragment") == "Yes"
        for n in range(len(prolog) if not fragment else 0):
            m, want = enter_arm64(rng, prolog, n)
            queries.append((begin + 4 * n, True))
            checks.append((m.state(), want))
        m, want = enter_arm64(rng, prolog, len(prolog))
        state = (list(m.regs), m.sp, dict(m.memory))
        ranges = []
        if f.get("EpiloguePacked") == "Yes" and not f["epilogs"]:  # the codes of the prolog serve
            f["epilogs"].append({"ops": [mirrored(t) for t in f["prolog"]]})
        for e in f["epilogs"]:
            undo = [t for t in e["ops"] if t != "end"]
            start = e.get("start", length - 4 * (len([t for t in undo if t != "clear unwound to call"]) + 1))
            m, want_e = enter_arm64(rng, prolog, len(prolog))
            more = net_arm64(undo) + net_arm64(prolog)
            if "mov x29, sp" in prolog or "mov fp, sp" in prolog:
                m.sp -= more  # what the body took
            else:
                want_e["sp"] += more  # made to leave the stack lower or higher
            at = start
            for t in undo + ["end"]:
                queries.append((begin + at, True))
                checks.append(((list(m.regs), m.sp, dict(m.memory)), want_e))
                epilogs += 1
                exec_arm64(m, t)
                at += 0 if t == "clear unwound to call" else 4
            ranges.append((start, at))
        for at in range(0 if fragment else 4 * len(prolog), length, 4):
            if not any(a <= at < b for a, b in ranges) and ("RegI" not in f or f["Fragment"] == "Yes"
                                                            or at < length - 4 * (len(prolog) + 1)):
                queries.append((begin + at, True))
                checks.append((state, want))
    lines = query(path, queries)
    if lines is None or code:
        ok(False, f"{path}: an answer to each question")
        return 0
    wrong = [(l, c) for l, c in zip(lines, checks) if not agrees(l, *c)]
    for l, (state, want) in wrong[:5]:
        print(f"# {l}\n#   sp is off by {want['sp'] - state[1]:#x}")
    ok(not wrong, f"{os.path.relpath(path, FOLDER) if FOLDER in path else os.path.basename(path)}: {len(functions)} functions, {len(queries)} places ({epilogs} in epilogs), "
       f"{len(wrong)} differ")
    return len(functions)


def packed_image():
    """An image with one function for every packed form of ARM64 that makes sense."""
    words = []
    for cr in range(4):
        for ints in range(11):
            for floats in range(8):
                for homed in (0, 1):
                    saved = (ints + (cr == 1) + (floats + 1 if floats else 0) + 8 * homed + 1) // 2
                    for more in (0, 1, 2, 32, 33, 255, 256, 300):
                        if saved + more < 512 and (more or cr < 2):
                            words.append(1 | 64 << 2 | floats << 13 | ints << 16 | homed << 20 | cr << 21
                                         | (saved + more) << 23)
    table = b"".join(struct.pack("<II", 0x1000 + 0x100 * i, w) for i, w in enumerate(words))
    text = 0x100 * len(words)
    rva = (0x1000 + text + 0xFFF) & ~0xFFF
    size = (rva + len(table) + 0xFFF) & ~0xFFF
    raw = (len(table) + 0x1FF) & ~0x1FF
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    head += b"PE\0\0" + struct.pack("<HHIIIHH", 0xAA64, 2, 0, 0, 0, 0xF0, 0x22)
    head += struct.pack("<HBBIIIIIQIIHHHHHHIIIIHHQQQQII", 0x20B, 14, 0, 0x200, raw, 0, 0x1000, 0x1000,
                        0x140000000, 0x1000, 0x200, 6, 0, 0, 0, 6, 2, 0, size, 0x400, 0, 3, 0, 0x100000,
                        0x1000, 0x100000, 0x1000, 0, 16)
    head += bytes(24) + struct.pack("<II", rva, len(table)) + bytes(8 * 12)
    for name, at, length, off, have, flags in (
            (b".text", 0x1000, text, 0x400, 0x200, 0x60000020),
            (b".pdata", rva, len(table), 0x600, raw, 0x40000040)):
        head += name.ljust(8, b"\0") + struct.pack("<IIIIIIHHI", length, at, have, off, 0, 0, 0, 0, flags)
    return head.ljust(0x400, b"\0") + b"\0" * 0x200 + table.ljust(raw, b"\0")


def check_loop():
    path = os.path.join(FOLDER, "symbolic", "cfi_chained_loop.exe")
    lines = query(path, [(0x1001, False), (0x1800, False)]) or []
    ok(len(lines) == 2 and all(l.endswith("the function's unwind data refers to itself") for l in lines),
       "cfi_chained_loop.exe: a chain that loops is told")


def check_breakpad(image, symbols):
    """The frame sizes that breakpad's own reader of unwind data printed for two of the images."""
    sizes, last = {}, None
    with open(os.path.join(FOLDER, symbols), encoding="utf-8", errors="replace") as f:
        for line in f:
            init = re.match(r"STACK CFI INIT (\w+) (\w+) ", line)
            if init and int(init[2], 16) < 8:  # nothing behind its prolog that could call
                last = init = None
            cfa = re.match(r"STACK CFI \w+ \.cfa: \$rsp (\d+) \+", line)
            if init:
                last = int(init[1], 16) + int(init[2], 16)
                sizes[last] = 8
            elif cfa and last:
                sizes[last] = int(cfa[1])
    ends = sorted(sizes)
    lines = query(os.path.join(FOLDER, image), [(end, False) for end in ends]) or []
    wrong = framed = 0
    for end, line in zip(ends, lines):
        if " sp=S5" in line or " sp=S3" in line:  # counts from a frame register, theirs from rsp
            framed += 1
        elif f" ok sp=SP+{sizes[end]:x} pc=[SP+{sizes[end] - 8:x}]" not in line:
            print(f"# {line}: wanted {sizes[end]:#x}")
            wrong += 1
    ok(len(lines) == len(ends) and lines and not wrong,
       f"{symbols}: {len(ends)} frame sizes, {framed} by frame registers, {wrong} differ")


def main():
    if not os.path.isdir(FOLDER):
        print("ok - skipped: no images beside the repository")
        return 0
    version, readobj = newest_readobj()
    if not readobj or not shutil.which("objdump") or not os.path.exists(UNWOUND):
        print("ok - skipped: llvm-readobj, objdump or the probe is not there")
        return 0
    names = sys.argv[1:]
    for names_of, check in ((X64, check_x64), (ARM64, check_arm64)):
        for name in names_of:
            if names and not any(n in name for n in names):
                continue
            if version < 20 and name.startswith("triage"):
                print(f"ok - skipped {name}: llvm-readobj {version} does not read version 2")
                continue
            check(os.path.join(FOLDER, name), readobj)
    if not names:
        check_loop()
        check_breakpad("breakpad/dump_syms_regtest64.exe", "breakpad/dump_syms_regtest64.sym")
        check_breakpad("breakpad/pe_only_symbol_test.dll", "breakpad/pe_only_symbol_test.sym")
        check_breakpad("symbolic/CrashWithException.exe", "symbolic/CrashWithException.pdb.sym")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "every packed form of ARM64")
            with open(path, "wb") as f:
                f.write(packed_image())
            check_arm64(path, readobj)
    return failures > 0


sys.exit(main())
