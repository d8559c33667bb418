#!/usr/bin/env python3
"""Real PDBs that lie beside the repository, when they are there: what the engine reads in them against
llvm-pdbutil and llvm-undname, where they are installed, and against Breakpad's symbol files."""
import collections
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.environ.get("BUILD", "build/release")
PRINT = os.path.join(BUILD, "tools", "pdbprint")
FOLDER = os.path.join(os.environ.get("SHARED", "../shared"), "images")
failed = 0


def say(good, what, detail=()):
    global failed
    failed += not good
    for line in [] if good else list(detail)[:8]:
        print("#", line)
    print("ok" if good else "not ok", "-", what)


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)


def ours(word, path):
    """[(address, kind, size, name)]"""
    ret = []
    for line in output(PRINT, word, path).stdout.splitlines():
        address, kind, size, name = line.split(" ", 3)
        ret.append((int(address, 16), kind, int(size, 16), name))
    return ret


def lookup(path, addresses):
    """[(address, distance, name)] of the symbols that addresses belong to."""
    text = subprocess.run([PRINT, "at", path], input="\n".join(f"{a:x}" for a in addresses), capture_output=True,
                          text=True, errors="replace").stdout
    rows = [line.split(" ", 2) for line in text.splitlines()]
    return [(int(r[0], 16), int(r[1], 16), r[2]) for r in rows if r[1] != "none"]


class Pdbutil:
    """What llvm-pdbutil says of a PDB."""

    def __init__(self, path):
        text = output("llvm-pdbutil", "dump", "-section-headers", path).stdout
        now, after = text, ""
        if "Original Section Headers" in text:
            now, after = text.split("Original Section Headers", 1)
        headers = r"([0-9A-F]+) virtual size\s+([0-9A-F]+) virtual address"
        self.sections = [(int(a, 16), int(s, 16)) for s, a in re.findall(headers, now)]
        self.original = [(int(a, 16), int(s, 16)) for s, a in re.findall(headers, after)] or self.sections
        self.path = path

    def publics(self):
        """[(segment, offset, name)]"""
        text = output("llvm-pdbutil", "dump", "-publics", self.path).stdout
        found = re.findall(r"S_PUB32 \[size = \d+\] `(.*)`\n\s+flags = .*, addr = (\d+):(\d+)", text)
        return [(int(s), int(o), name) for name, s, o in found]

    def functions(self):
        text = output("llvm-pdbutil", "dump", "-symbols", self.path).stdout
        found = re.findall(r"S_[GL]PROC32(?:_ID|_DPC|_DPC_ID)? \[size = \d+\] `(.*)`\n\s+parent = .*addr = (\d+):(\d+), "
                           r"code size = (\d+)", text)
        return [(int(s), int(o), name, int(n)) for name, s, o, n in found]


def omap(path):
    """The map of moved addresses, read here once more and simply; None without one."""
    text = output("llvm-pdbutil", "dump", "-streams", path).stdout
    m = re.search(r"Stream\s+(\d+) \(\s*(\d+) bytes\): \[Omap From Source", text)
    if not m:
        return None
    raw = output("llvm-pdbutil", "bytes", "-stream-data=" + m[1], path).stdout
    words = []
    for line in raw.splitlines():
        m = re.match(r"\s*[0-9A-F]+: ((?:[0-9A-F]{2,8} ?)+)\s", line)
        if m:
            words.append(m[1].replace(" ", ""))
    data = bytes.fromhex("".join(words))
    return [(int.from_bytes(data[i:i + 4], "little"), int.from_bytes(data[i + 4:i + 8], "little"))
            for i in range(0, len(data) - 7, 8)]


def moved(table, rva):
    if table is None:
        return rva
    best = None
    for start, to in table:
        if start > rva:
            break
        best = (start, to)
    return best[1] + rva - best[0] if best and best[1] else None


def check_pdbutil(path, name):
    tool, table = Pdbutil(path), omap(path)
    expect, absolute, gone = collections.Counter(), 0, 0
    for segment, offset, symbol in tool.publics():
        if segment == 0 or segment > len(tool.original):
            absolute += 1
            continue
        rva = moved(table, tool.original[segment - 1][0] + offset)
        if rva is None:
            gone += 1
            continue
        expect[(rva, symbol)] += 1
    read = ours("symbols", path)
    got = collections.Counter((a, n) for a, kind, _, n in read if kind == "public")
    missing, more = expect - got, got - expect
    say(not missing and not more and sum(expect.values()) > 0,
        f"{name}: {sum(got.values())} publics as llvm-pdbutil has them "
        f"({absolute} absolute, {gone} taken out{', through a map of ' + str(len(table)) if table else ''})",
        [f"missing {x[0]:x} {x[1]}" for x in missing] + [f"not there {x[0]:x} {x[1]}" for x in more])
    wanted = set()
    for segment, offset, symbol, size in tool.functions():
        if 0 < segment <= len(tool.original):
            rva = moved(table, tool.original[segment - 1][0] + offset)
            if rva is not None:
                wanted.add((rva, symbol, 0 if table else size))
    have = {(a, n, size) for a, kind, size, n in read if kind == "function"}
    lost = wanted - have
    if wanted:
        say(not lost, f"{name}: {len(wanted)} functions of its modules as llvm-pdbutil has them",
            [f"missing {x}" for x in sorted(lost)])


def types_of(path):
    """{name of a defined structure: [(member, offset, bit place, bits)]} and {name: size}"""
    text = output("llvm-pdbutil", "dump", "-types", path).stdout
    lists, bits, members, sizes, records = {}, {}, {}, {}, []
    for block in re.split(r"\n(?=\s+0x[0-9A-F]+ \| )", text):
        m = re.match(r"\s+(0x[0-9A-F]+) \| (LF_\w+) \[size = \d+\](?: `(.*)`)?", block)
        if not m:
            continue
        index, kind, name = m[1], m[2], m[3]
        if kind == "LF_FIELDLIST":
            lists[index] = (re.findall(r"- LF_MEMBER \[name = `([^`]*)`, Type = (\S+?)(?: \([^)]*\))?, offset = (\d+)", block),
                            "LF_INDEX" in block)
        elif kind == "LF_BITFIELD":
            b = re.search(r"bit offset = (\d+), # bits = (\d+)", block)
            bits[index] = (int(b[1]), int(b[2]))
        elif kind in ("LF_STRUCTURE", "LF_CLASS", "LF_UNION") and "forward ref" not in block:
            f = re.search(r"field list: (\S+)", block)
            records.append((name, f[1] if f else "", int(re.search(r"sizeof (\d+)", block)[1])))
    for name, fields, size in records:
        sizes[name] = size
        if fields in lists and not lists[fields][1]:
            members[name] = [(n, int(o), *bits.get(t, (0, 0))) for n, t, o in lists[fields][0]]
    return members, sizes, collections.Counter(name for name, _, _ in records)


def check_types(path, name):
    members, sizes, count = types_of(path)
    questions, expect = [], []
    for struct, fields in members.items():
        if count[struct] > 1 or "\t" in struct or struct.startswith("<"):
            continue
        questions.append(struct)
        expect.append((0, sizes[struct], 0, 0))
        seen = collections.Counter(f[0] for f in fields)
        for member, offset, place, n in fields:
            if seen[member] == 1 and re.fullmatch(r"\w+", member):
                questions.append(f"{struct}\t{member}")
                expect.append((offset, None, place, n))
    answers = subprocess.run([PRINT, "members", path], input="\n".join(questions) + "\n", capture_output=True, text=True,
                             errors="replace").stdout.splitlines()
    wrong = []
    for q, e, a in zip(questions, expect, answers):
        got = a[len(q):].split()
        same = len(got) == 4 and all(x is None or int(g) == x for g, x in zip(got, e))
        if not same:
            wrong.append(f"{q!r}: {got}, expected {e}")
    bits = sum(1 for e in expect if e[3])
    if not questions:
        say(not count, f"{name}: no types, as llvm-pdbutil says")
        return
    say(not wrong and len(answers) == len(questions),
        f"{name}: {len(members)} types, {len(questions)} sizes and members ({bits} of bits) as llvm-pdbutil has them", wrong)


def check_names(pdbs):
    """Undecorated C++ names are those of llvm-undname, or the decorated ones."""
    seen, same, kept, wrong = 0, 0, 0, []
    for path in pdbs:
        plain = [n for _, _, _, n in ours("names", path)]
        raw = [n for _, _, _, n in ours("symbols", path)]
        pairs = [(r, p) for r, p in zip(raw, plain) if r.startswith("?")]
        if not pairs:
            continue
        text = subprocess.run(["llvm-undname", "--no-calling-convention", "--no-access-specifier", "--no-member-type",
                               "--no-return-type", "--no-variable-type"], input="\n".join(r for r, _ in pairs) + "\n",
                              capture_output=True, text=True, errors="replace").stdout
        full = dict(re.findall(r"^(\?.*)\n(.+)$", text, re.M))
        for r, p in pairs:
            seen += 1
            if r == p:
                kept += 1
                continue
            name = full.get(r, "").replace("deleting dtor'", "deleting destructor'")
            bare = name.split("(", 1)[0] if not name.startswith("`anonymous") else name
            bare = re.sub(r"^(?:(?:static|virtual|extern \"C\"|const|\[thunk\]:) )+", "", bare).strip()
            if bare == p or name.startswith(p + "(") or (p + "(" in name) or bare.endswith(" " + p):
                same += 1
            else:
                wrong.append(f"{r}: {p}, but {name}")
    say(not wrong and same > 0, f"{seen} C++ names: {same} undecorated as llvm-undname does, {kept} left as they are", wrong)


def check_breakpad(sym, pdb, name):
    """Addresses of PUBLIC and FUNC lines are addresses of symbols of ours."""
    functions, publics = {}, {}
    for line in open(sym, encoding="utf-8", errors="replace"):
        f = line.rstrip("\n").split(" ")
        if f[0] == "FUNC":
            f = f[:1] + f[2:] if f[1] == "m" else f
            functions[int(f[1], 16)] = " ".join(f[4:])
        elif f[0] == "PUBLIC":
            f = f[:1] + f[2:] if f[1] == "m" else f
            publics[int(f[1], 16)] = " ".join(f[3:])
    at = {}
    for address, _, _, symbol in ours("names", pdb):
        at.setdefault(address, set()).add(symbol)
    both = {**functions, **publics}
    for address, distance, symbol in lookup(pdb, [a for a in both if a not in at]):
        at.setdefault(address, set()).add(symbol) # a piece that was moved away from its function
    missing = [f"{a:x} {n}" for a, n in both.items() if a not in at]
    # A name is the same when ours, without decoration, is how theirs begins (theirs has parameters).
    other = []
    for address, symbol in both.items():
        bare = re.sub(r"\(.*", "", symbol)
        if address in at and not any(bare in n or n in symbol or n.startswith("?") for n in at[address]):
            other.append(f"{address:x} {symbol}: {sorted(at[address])}")
    say(not missing and not other,
        f"{name}: {len(functions)} FUNC and {len(publics)} PUBLIC addresses of Breakpad's file carry the same names",
        missing + other)


def crash(value):
    """The object that holds the tables, however deep."""
    if isinstance(value, dict):
        if "tables" in value:
            return value
        value = list(value.values())
    found = [crash(v) for v in value] if isinstance(value, list) else []
    return next((f for f in found if f), None)


def bare(cell):
    return cell.get("value") if isinstance(cell, dict) and "value" in cell else cell


def lay_out(store, bad=False):
    """The files of the dump as a store; with `bad`, a damaged PDB in the place of the good one."""
    source = os.path.join(FOLDER, "triage_x64")
    pdb = os.path.join(FOLDER, "rizin_pdb", "fuzzed.pdb") if bad else os.path.join(source, "amdppm.pdb")
    for path, file in (("amdppm.sys/c9c030003B000", os.path.join(source, "amdppm.sys")),
                       ("AMDPPM.PDB/1C19FDDB27BB3399D9B45973EFEAFCF31", pdb),
                       ("Wdf01000.sys/A9A9D36Ed1000", os.path.join(source, "Wdf01000.sys"))):
        os.makedirs(os.path.join(store, path))
        shutil.copyfile(file, os.path.join(store, path, path.split("/")[0].lower()))


def check_dump():
    dumps = os.path.join(os.path.dirname(FOLDER), "dumps")
    dump, expected = os.path.join(dumps, "rizin_triage_x64.dmp"), os.path.join(dumps, "expected", "rizin_dmp_test_db.txt")
    if not os.path.exists(dump):
        print("ok - names in a dump # skipped: there is no ../shared/dumps")
        return
    text = open(expected, encoding="utf-8", errors="replace").read()
    want = {int(a, 16): (f, int(o)) for a, f, o in re.findall(r"^\d+\s+(0x[0-9a-f]+) sp: .*pdb\.amdppm\.(\w+)\+(\d+)", text, re.M)}
    dfrule = os.environ.get("DFRULE", os.path.join(BUILD, "dfrule"))
    with tempfile.TemporaryDirectory() as tmp:
        lay_out(os.path.join(tmp, "good"))
        lay_out(os.path.join(tmp, "bad"), True)
        good = output(dfrule, "facts", "-o", "json", "--symbols", "srv*" + os.path.join(tmp, "good"), dump).stdout
        bad = output(dfrule, "facts", "-o", "json", "--symbols", "srv*" + os.path.join(tmp, "bad"), dump).stdout
        listed = output(dfrule, "symbols", "list", "--symbols", os.path.join(tmp, "bad"), dump).stdout
    got = {}
    for row in crash(json.loads(good))["tables"]["stack"]["rows"]:
        sym = bare(row.get("sym"))
        sym = sym if isinstance(sym, str) else json.dumps(sym)
        got[int(str(bare(row["address"])), 16)] = sym
    lost = [f"{a:x} {f}+{o:#x}: {got.get(a)}" for a, (f, o) in want.items() if f"amdppm!{f}+{o:#x}" not in (got.get(a) or "")]
    say(len(want) == 6 and not lost, f"{len(want)} frames of rizin_triage_x64.dmp have the expected functions and offsets", lost)
    say("amdppm!" not in bad, "a damaged PDB in the store gives no names")
    say("missing  amdppm.pdb" in listed, "and is listed as missing", [listed])


def main():
    if not os.path.isdir(FOLDER):
        print("ok - symbols # skipped: there is no ../shared/images")
        return 0
    pdbs = sorted(glob.glob(os.path.join(FOLDER, "**", "*.pdb"), recursive=True))
    good = [p for p in pdbs if os.path.basename(p) != "fuzzed.pdb"]
    bad = output(PRINT, "head", os.path.join(FOLDER, "rizin_pdb", "fuzzed.pdb"))
    say(bad.returncode == 1 and "stream directory" in bad.stderr, f"fuzzed.pdb: {bad.stderr.strip().split(': ')[-1]}")
    if shutil.which("llvm-pdbutil"):
        for path in good:
            check_pdbutil(path, os.path.relpath(path, FOLDER))
            check_types(path, os.path.relpath(path, FOLDER))
    else:
        print("ok - PDBs against llvm-pdbutil # skipped: it is not installed")
    if shutil.which("llvm-undname"):
        check_names(good)
    else:
        print("ok - C++ names against llvm-undname # skipped: it is not installed")
    check_dump()
    for sym, pdb in (("breakpad/dump_syms_regtest64.sym", "breakpad/dump_syms_regtest64.pdb"),
                     ("breakpad/omap_reorder_bbs.sym", "breakpad/omap_reorder_bbs.pdb"),
                     ("symbolic/crash.sym", "symbolic/crash.pdb"),
                     ("symbolic/CrashWithException.pdb.sym", "symbolic/CrashWithException.pdb")):
        check_breakpad(os.path.join(FOLDER, sym), os.path.join(FOLDER, pdb), sym)
    return 1 if failed else 0


sys.exit(main())
