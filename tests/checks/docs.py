#!/usr/bin/env python3
"""Every ```dfr example in the pages compiles: those of one page together, as the files of its packs.

A block that begins with `pack` begins a pack; the blocks behind it belong to it. ```dfr-error marks an
example of a mistake: it must not compile. ```console blocks are run by tests/run.py."""
import glob
import os
import re
import subprocess
import sys
import tempfile

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DFRULE = os.environ.get("DFRULE", "build/release/dfrule")
BLOCK = re.compile(r"^```(dfr|dfr-error)\n(.*?)^```$", re.M | re.S)
failures = 0


def report(name, output, good):
    global failures
    if not good:
        for line in output.splitlines()[:20]:
            print("#", line)
    print("ok" if good else "not ok", "- docs:", name)
    failures += not good


def compile_folder(folder):
    p = subprocess.run([DFRULE, "compile", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return p.returncode, p.stdout.decode("utf-8", "replace")


def write(folder, pack, number, text, line):
    where = os.path.join(folder, f"pack{pack}")
    os.makedirs(where, exist_ok=True)
    # Blank lines in front, so that an error names the line of the page.
    with open(os.path.join(where, f"block{number}.dfr"), "w", encoding="utf-8") as f:
        f.write("\n" * line + text)


def page(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    blocks = [(m[1], m[2], text.count("\n", 0, m.start(2))) for m in BLOCK.finditer(text)]
    good = [b for b in blocks if b[0] == "dfr"]
    with tempfile.TemporaryDirectory(prefix="dfrule-docs-") as tmp:
        pack = 0
        for number, (_, body, line) in enumerate(good):
            pack += bool(re.search(r"^pack\s", body, re.M))
            write(tmp, pack, number, body, line)
        if good:
            status, out = compile_folder(tmp)
            report(f"{path}: {len(good)} examples compile", out, status == 0)
    for number, (_, body, line) in enumerate(b for b in blocks if b[0] == "dfr-error"):
        with tempfile.TemporaryDirectory(prefix="dfrule-docs-") as tmp:
            write(tmp, 0, number, body, line)
            status, out = compile_folder(tmp)
            report(f"{path}:{line + 1}: is refused", out, status == 2)


if not os.path.exists(DFRULE):
    print("ok - docs # SKIP the command is not built")
else:
    for path in sorted(glob.glob("*.md") + glob.glob("docs/**/*.md", recursive=True)):
        page(path)
sys.exit(1 if failures else 0)
