#!/usr/bin/env python3
"""Rules over the memory of real dumps that lie beside the repository, when they are there: the walk of
memory.dfr from a power failure's argument to a driver, and words that every dump must give."""
import json
import os
import subprocess
import sys
import tempfile

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DFRULE = os.environ.get("DFRULE", "build/release/dfrule")
FOLDER = os.path.join(os.environ.get("SHARED", "../shared"), "dumps")
WORDS = """pack "tests.words" { version = 1.0.0; facts = 1; license = "Apache-2.0"; }
cause tests.seen { title = "Words agree with facts"; axis = "mechanism"; prior_db = 0; }
rule code { when mem.u32(symbol("nt!KiBugCheckData")) == low32(mem.u64(symbol("nt!KiBugCheckData")));
  evidence { for strong: mem.u64(symbol("nt!KiBugCheckData") + 8) == bugcheck.arg1; } conclude tests.seen; }
rule thread { when field(cpu_at(cpu.current).prcb, "nt!_KPRCB", "CurrentThread") == thread.address; conclude tests.seen; }
rule image { when mem.ascii(os.kernel_base, 2) == "MZ"; conclude tests.seen; }
rule nowhere { when known(mem.u8(0x1000)); conclude tests.seen; }
"""
failures = 0


def report(name, problem):
    global failures
    if problem:
        print("#", problem)
    print("not ok" if problem else "ok", "- memory:", name)
    failures += bool(problem)


def check(rules, dump, *more):
    p = subprocess.run([DFRULE, "check", "--no-default-rules", "-r", rules, "-o", "ndjson", *more, f"{FOLDER}/{dump}"],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return json.loads(p.stdout)


def main():
    if not os.path.exists(DFRULE) or not os.path.exists(f"{FOLDER}/rts_9f.dmp"):
        print("ok - memory of dumps # SKIP ../shared is not there, or the command is not built")
        return 0
    answer = check("tests/shared/memory.dfr", "rts_9f.dmp")
    first = answer["causes"][0] if answer["causes"] else {}
    report("a walk from the argument to the driver",
           "" if first.get("subject") == "disk.sys" and first.get("score_db") == 13 else f"{first}"[:400])
    with tempfile.NamedTemporaryFile("w", suffix=".dfr") as f:
        f.write(WORDS)
        f.flush()
        # The debugger-written dumps hold every processor's block and the kernel's variables.
        for dump in ("rts_9f.dmp", "rts_d1.dmp", "rts_50_0.dmp", "rizin_triage_x64.dmp", "rizin_triage_arm64.dmp"):
            text = json.dumps(check(f.name, dump))
            missing = [r for r in ("code", "thread") if f'"tests.words.{r}"' not in text]
            report(f"words of {dump}", f"silent: {missing}" if missing or "tests.words.nowhere" in text else "")
    return 1 if failures else 0


sys.exit(main())
