#!/usr/bin/env python3
"""Reads real kernel dumps that lie beside the repository, when they are there.

What must come out stands beside the dumps, read from their bytes by another program (facts/NAME.txt),
printed by a debugger (expected/NAME.lm_t_n.txt), or told in SOURCES.md: kind, architecture, build,
processors, bug check and parameters, modules, unloaded modules, context, process, freeze state."""
import glob
import json
import os
import re
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DFRULE = os.environ.get("DFRULE", "build/release/dfrule")
FOLDER = os.path.join(os.environ.get("SHARED", "../shared"), "dumps")
KINDS = {"1 FULL": "full", "4 TRIAGE": "triage"}
MACHINES = {"0x8664": "x64", "0xaa64": "arm64", "0x14c": "x86"}
MINIDUMP_BIT = 0x10000000
DRIVER = re.compile(r"0x([0-9a-f]{16})-0x([0-9a-f]{16}) 0x([0-9a-f]+) ([0-9a-f]{8}) ([0-9a-f]{8}) (.*)$")
UNLOADED = re.compile(r"0x([0-9a-f]{16})-0x([0-9a-f]{16}) (.*)$")
LISTED = re.compile(r"([0-9a-f`]{17}) ([0-9a-f`]{17})\s+\S+\s+\S.*?\b([0-9A-F]{8})\b")
failures = 0


def number(text):
    return int(str(text).replace("`", ""), 16)


def known(facts, name):
    value = facts[name]
    return value["value"] if value["state"] == "known" else None


def readings(path):
    """The JSON object, and the lines of each section below it."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    head = text[text.index("{"):]
    values, end = json.JSONDecoder().raw_decode(head)
    sections, name = {}, None
    for line in head[end:].splitlines():
        if line.startswith("## "):
            name = re.split(r"[ (]", line[3:], maxsplit=1)[0]
            sections[name] = []
        elif name and line.strip():
            sections[name].append(line.strip())
    return values, sections


def sources():
    """{name: {"process": ..., "rip": ..., "processors": n, "crashing": n}} from SOURCES.md."""
    with open(os.path.join(FOLDER, "SOURCES.md"), encoding="utf-8") as f:
        text = f.read()
    ret = {}
    for name, body in re.findall(r"^### (\S+)\.dmp\n(.*?)(?=^##)", text, re.M | re.S):
        row = ret.setdefault(name, {})
        m = re.search(r"^- process at the crash \(.*?\): (.*)$", body, re.M)
        if m:
            row["process"] = m[1].strip()
        m = re.search(r"CONTEXT \(readable.*?: (\{.*\})$", body, re.M)
        if m:
            row["context"] = json.loads(m[1])
        m = re.search(r"header context: pc (0x[0-9a-f]+).*?, sp (0x[0-9a-f]+)", body)
        if m:
            row["header"] = (number(m[1]), number(m[2]))
        m = re.search(r"PRCB number (\d+)", body)
        if m:
            row["crashing"] = int(m[1])
    freeze = re.search(r"## IPI freeze state.*?\n(.*?)(?=^Stacks|^## )", text, re.M | re.S)[1]
    for name, n, crashing in re.findall(r"(\w+) \((\d+)(?: processors)?, (?:crashing )?(\d+)\)", freeze):
        ret[name]["frozen"] = (int(n), int(crashing))
    return ret


class Dump:
    def __init__(self, name, source):
        self.name, self.source, self.problems = name, source, []
        p = subprocess.run([DFRULE, "facts", "-o", "json", f"{FOLDER}/{name}.dmp"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
        got = json.loads(p.stdout)
        self.facts, self.tables = got["facts"], got["tables"]
        self.want, self.sections = readings(f"{FOLDER}/facts/{name}.txt")

    def same(self, what, got, want):
        if got != want:
            self.problems.append(f"{what}: {want!r} expected, {got!r} read")

    def address(self, name):
        value = known(self.facts, name)
        return None if value is None else number(value)

    def header(self):
        w = self.want
        self.same("kind", known(self.facts, "dump.kind"), KINDS[w["DumpType"]])
        self.same("architecture", known(self.facts, "dump.arch"), MACHINES[w["MachineImageType"]])
        self.same("build", known(self.facts, "os.build"), w["MinorVersion"])
        self.same("processors", known(self.facts, "os.processors"), w["NumberProcessors"])
        self.same("bug check", known(self.facts, "bugcheck.raw"), number(w["BugCheckCode"]))
        for i, want in enumerate(w["BugCheckParameters"], 1):
            self.same(f"parameter {i}", self.address(f"bugcheck.arg{i}"), number(want))
        self.same("complete", known(self.facts, "dump.complete"), "Triage" in w)

    def modules(self):
        want = [(number(m[1]), number(m[2]), number(m[3]), number(m[4]), number(m[5]), m[6])
                for m in map(DRIVER.match, self.sections["drivers"]) if m]
        table = self.tables["modules"]
        got = [(number(r["base"]), number(r["end"]), r["size"], number(r["timestamp"]), number(r["checksum"]),
                r["path"] or r["image"]) for r in table["rows"]]
        self.same("number of modules", len(got), len(want))
        self.same("list of modules complete", table["complete"], True)
        for g, w in zip(got, want):
            self.same(f"module {w[5]}", g, w)

    def listed(self):
        """What a debugger's `lm` printed of the same dump."""
        path = f"{FOLDER}/expected/{self.name}.lm_t_n.txt"
        if not os.path.exists(path):
            return
        got = {number(r["base"]): r for r in self.tables["modules"]["rows"]}
        seen = 0
        with open(path, encoding="utf-8", errors="replace") as f:
            rows = [LISTED.match(line) for line in f]
        for m in filter(None, rows):
            r = got.get(number(m[1]), {})
            mine = (number(r.get("end", "0")), number(r.get("timestamp", "0")))
            self.same(f"lm {m[1]}", mine, (number(m[2]), number(m[3])))
            seen += 1
        self.same("modules of lm", seen, len(got))

    def unloaded(self):
        want = [(number(m[1]), number(m[2]), m[3]) for m in map(UNLOADED.match, self.sections["unloaded"]) if m]
        got = [(number(r["base"]), number(r["end"]), r["name"]) for r in self.tables["unloaded"]["rows"]]
        self.same("unloaded modules", got, want)

    def fault(self):
        s = self.source
        self.same("process", known(self.facts, "thread.process"), s.get("process", "System"))
        self.same("crashing processor", known(self.facts, "cpu.current"), s["crashing"])
        frame = self.tables["stack"]["rows"][0]
        at, sp = number(frame["address"]), number(frame["sp"])
        if "context" in s:
            want = (number(s["context"]["Rip"]), number(s["context"]["Rsp"]))
            self.same("context", (self.address("trap.rip"), self.address("trap.sp")), want)
            self.same("first frame", (at, sp), want)
        elif known(self.facts, "trap.sp") is None:
            self.same("header context", (at, sp), s["header"])

    def freeze(self):
        rows = self.tables["cpus"]["rows"]
        if "frozen" in self.source:
            n, crashing = self.source["frozen"]
            want = {i: "Running" if i == crashing else "Frozen" for i in range(n)}
            self.same("freeze state", {r["id"]: r["state"] for r in rows}, want)
            self.same("processors complete", self.tables["cpus"]["complete"], True)
            return
        self.same("processors read", [r["id"] for r in rows], [self.source["crashing"]])
        n = self.want["NumberProcessors"]
        self.same("processors complete", self.tables["cpus"]["complete"], n == 1)

    def stack_kind(self):
        kind = {"rts_9f": "dpc", "rts_1e": "exception"}.get(self.name)
        if self.facts["dump.arch"]["value"] == "x64" or kind:
            self.same("stack", known(self.facts, "thread.stack_kind"), kind or "thread")

    def check(self):
        self.header()
        if "Triage" not in self.want:
            self.same("acquired", known(self.facts, "dump.acquired"), True)
            self.same("name of the bug check", known(self.facts, "bugcheck.name"), None)
            return self.problems
        for step in (self.modules, self.listed, self.unloaded, self.fault, self.freeze, self.stack_kind):
            step()
        return self.problems


def main():
    global failures
    if not os.path.exists(DFRULE) or not os.path.isfile(f"{FOLDER}/SOURCES.md"):
        print("ok - shared dumps # SKIP ../shared is not there, or the command is not built")
        return 0
    source = sources()
    for path in sorted(glob.glob(f"{FOLDER}/*.dmp")):
        name = os.path.basename(path)[:-4]
        problems = Dump(name, source[name]).check()
        for p in problems[:8]:
            print(f"# {name}: {p}")
        if len(problems) > 8:
            print(f"# {name}: and {len(problems) - 8} more")
        print("not ok" if problems else "ok", "- shared dump:", name)
        failures += bool(problems)
    return 1 if failures else 0


sys.exit(main())
