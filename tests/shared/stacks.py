#!/usr/bin/env python3
"""Stacks of real dumps that lie beside the repository, against what debuggers printed of them.

Frames in images that we have must be unwound, with the stack pointer and the return address of the
debugger; those in images that we lack must be among the possible callers. The image store is laid out
for the test from two drivers."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DFRULE = os.environ.get("DFRULE", "build/release/dfrule")
SHARED = os.environ.get("SHARED", "../shared")
DUMPS, IMAGES = os.path.join(SHARED, "dumps"), os.path.join(SHARED, "images", "triage_x64")
STORE = {"amdppm.sys": "C9C030003b000", "Wdf01000.sys": "A9A9D36Ed1000"}
failures = 0


def ok(good, what):
    global failures
    print(("ok - " if good else "not ok - ") + what)
    failures += not good


def number(v):
    v = v.get("value") if isinstance(v, dict) else v
    return v if isinstance(v, int) else int(str(v), 16) if v else None


def word(v):
    return v.get("value") if isinstance(v, dict) else v


def stack(dump, *options):
    """[(method, sp, address, ret)] of the crashing stack, and the facts."""
    r = subprocess.run([DFRULE, "facts", "-o", "json", *options, os.path.join(DUMPS, dump)],
                       capture_output=True, text=True, check=False)
    crash = json.loads(r.stdout)
    rows = crash["tables"]["stack"]["rows"]
    return [(word(f.get("method")), number(f.get("sp")), number(f.get("address")),
             number(f.get("ret"))) for f in rows], crash


def expected(section):
    """[(sp, pc)] that rizin prints for one of its dumps."""
    with open(os.path.join(DUMPS, "expected", "rizin_dmp_test_db.txt"), encoding="utf-8") as f:
        text = f.read()
    part = text.split("NAME=: " + section)[1].split("\nRUN")[0]
    found = re.findall(r"^\d+\s+0x([0-9a-f]+)\s+sp: 0x([0-9a-f]+)", part, re.M)
    return [(int(sp, 16), int(pc, 16)) for pc, sp in found]


def triage_x64(folder):
    for name, stamp in STORE.items():
        os.makedirs(os.path.join(folder, name, stamp))
        shutil.copy(os.path.join(IMAGES, name), os.path.join(folder, name, stamp, name))
    want = expected("Triage Dump Debug x64")
    rows, _ = stack("rizin_triage_x64.dmp", "--symbols", folder)
    ours = [(sp, pc) for method, sp, pc, _ in rows if method in ("context", "unwound")]
    # Frame 8 is the fault; 8 to 23 lie in the two drivers, so 24 is where the last returns to.
    ok(ours == want[8:25], f"rizin_triage_x64: frames 8 to 24 by unwinding ({len(ours)})")
    returns = [ret for method, _, _, ret in rows if method in ("context", "unwound")]
    ok(returns[:-1] == [pc for _, pc in want[9:25]], "rizin_triage_x64: and their return addresses")
    scanned = {(sp, pc) for method, sp, pc, _ in rows if method == "scan"}
    rest = [f for f in want[1:8] + want[25:36]]
    missing = [f for f in rest if f not in scanned]
    ok(not missing, f"rizin_triage_x64: the other {len(rest)} among {len(scanned)} possible callers")
    without, _ = stack("rizin_triage_x64.dmp")
    ok([m for m, *_ in without].count("unwound") == 0, "rizin_triage_x64: nothing unwound without images")
    scanned = {(sp, pc) for method, sp, pc, _ in without if method == "scan"}
    ok(all(f in scanned for f in want[1:8] + want[9:36]),
       "rizin_triage_x64: without images all 34 are possible callers")


def triage_arm64():
    want = expected("Triage Dump Debug arm64")
    rows, _ = stack("rizin_triage_arm64.dmp")
    ok([(sp, pc) for _, sp, pc, _ in rows] == want, f"rizin_triage_arm64: the {len(want)} frames")
    ok([m for m, *_ in rows] == ["context"] + ["frame_pointer"] * (len(want) - 1),
       "rizin_triage_arm64: by frame pointers")


def kv():
    with open(os.path.join(DUMPS, "expected", "eolaruhagen_083125-14875-01.kv.txt"),
              encoding="utf-8") as f:
        sps = [int(m.replace("`", ""), 16)
               for m in re.findall(r"^\d\d ([0-9a-f]{8}`[0-9a-f]{8}) ", f.read(), re.M)]
    rows, _ = stack("eolaruhagen_083125-14875-01.dmp")
    ours = {sp: (method, pc) for method, sp, pc, _ in rows}
    ok(len(sps) == 4 and all(sp in ours for sp in sps), "eolaruhagen: the four frames of kv")
    ok(ours.get(sps[0], ("",))[0] == "context" and ours.get(sps[3]) == ("context", 0x7FFE7350D0C4),
       "eolaruhagen: the first and the program's are exact")


def main():
    if not os.path.isdir(DUMPS) or not os.path.isdir(IMAGES):
        print("ok - skipped: no dumps beside the repository")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        triage_x64(folder)
    triage_arm64()
    kv()
    return failures > 0


sys.exit(main())
