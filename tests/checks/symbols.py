#!/usr/bin/env python3
"""Linked names start with dfr_; the shared library exports what dfrule.h declares and nothing else;
the command needs nothing that is not exported."""
import glob
import os
import re
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.environ.get("BUILD", "build/release")
HEADER = "engine/include/dfrule.h"
# Compilers and sanitizers add names of their own.
FOREIGN = re.compile(r"^(__|_GLOBAL_|_?asan|_?ubsan|\.|DW\.ref\.)")
failures = 0


def nm(*args):
    p = subprocess.run(["nm", *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    ret = set()
    for line in p.stdout.decode().splitlines():
        m = re.match(r"(?:[0-9a-f]+)?\s+([A-Za-z])\s+(\S+)$", line)
        if m:
            ret.add((m[1], m[2].split("@")[0]))
    return ret


def report(name, problems):
    global failures
    for p in sorted(problems):
        print("#", p)
    print("not ok" if problems else "ok", "- symbols:", name)
    failures += bool(problems)


def declared():
    with open(HEADER, encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", f.read(), flags=re.S)
    text = re.sub(r"^\s*#(?:.*\\\n)*.*$", "", text, flags=re.M)
    return set(re.findall(r"\b(dfr_\w+)\s*\((?!\*)[^;{]*\)[^;{}]*;", text)) - \
        set(re.findall(r"\(\s*\*\s*(dfr_\w+)\s*\)", text))


defined = {n for t, n in nm("-g", "--defined-only", f"{BUILD}/libdfrule.a")}
report("every linked name starts with dfr_",
       {n for n in defined if not n.startswith("dfr_") and not FOREIGN.match(n)})
if os.path.exists(HEADER) and os.path.exists("engine/api/libdfrule.map"):
    api = declared()
    exported = {n for t, n in nm("-D", "--defined-only", f"{BUILD}/libdfrule.so") if t in "TtDBRVW"}
    exported = {n for n in exported if not FOREIGN.match(n) and not n.startswith("LIBDFRULE")}
    report("the shared library exports dfrule.h",
           {f"declared, not exported: {n}" for n in api - exported} |
           {f"exported, not declared: {n}" for n in exported - api})
    used = set()
    for path in glob.glob(f"{BUILD}/obj/engine/cli/*.o"):
        used |= {n for t, n in nm("-g", path) if t == "U" and n.startswith("dfr_")}
    own = set()
    for path in glob.glob(f"{BUILD}/obj/engine/cli/*.o"):
        own |= {n for t, n in nm("-g", "--defined-only", path)}
    report("the command uses only what is exported", used - api - own)
sys.exit(1 if failures else 0)
