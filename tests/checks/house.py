#!/usr/bin/env python3
"""Habits of the house that a machine can see: file length, line ends, words that mark unfinished work,
paths of one machine, links between pages."""
import os
import re
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
# Split, so that this file does not name what it looks for.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
MACHINE = re.compile(r"(?<![\w.])/(ro" + r"ot|ho" + r"me/\w+|wo" + r"rk)/")
SOURCE = (".c", ".h", ".def", ".l", ".y", ".py", ".sh", ".dfr", ".md", ".map", ".json")
MOST_LINES = 700  # of code; a test may be one long table
failures = 0


def tracked():
    p = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL)
    if p.returncode == 0:
        return [f for f in p.stdout.decode().splitlines() if os.path.isfile(f)]
    ret = []
    for base, dirs, files in os.walk("."):
        dirs[:] = [d for d in dirs if d not in (".git", "build")]
        ret += [os.path.relpath(os.path.join(base, f)) for f in files]
    return ret


def report(name, problems):
    global failures
    for p in problems:
        print("#", p)
    print("not ok" if problems else "ok", "- house:", name)
    failures += bool(problems)


def links(path, text):
    for m in re.finditer(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)):
        if not re.match(r"[a-z]+:", m[1]) and not os.path.exists(os.path.join(os.path.dirname(path), m[1])):
            yield f"{path}: no such file: {m[1]}"


unfinished, machine, blanks, long, broken = [], [], [], [], []
for path in sorted(tracked()):
    if not path.endswith(SOURCE) and os.path.basename(path) not in ("Makefile", "run"):
        continue
    if path.startswith(("tests/fuzz/corpus/", "tests/fuzz/regressions/")):
        continue
    with open(path, "rb") as f:
        text = f.read().decode("utf-8", "replace")
    lines = text.split("\n")
    for n, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            unfinished.append(f"{path}:{n}: {line.strip()[:80]}")
        if MACHINE.search(line):
            machine.append(f"{path}:{n}: {line.strip()[:80]}")
        if line != line.rstrip():
            blanks.append(f"{path}:{n}: blanks at the end of the line")
    if text and not text.endswith("\n"):
        blanks.append(f"{path}: no newline at the end")
    if path.endswith((".c", ".h", ".l", ".y")) and not path.startswith("tests/") and len(lines) > MOST_LINES:
        long.append(f"{path}: {len(lines)} lines, more than {MOST_LINES}")
    if path.endswith(".md"):
        broken += links(path, text)
report("no mark of unfinished work", unfinished)
report("no path of one machine", machine)
report("no blanks at line ends", blanks)
report(f"no C file of the engine is longer than {MOST_LINES} lines", long)
report("links between pages lead somewhere", broken)
sys.exit(1 if failures else 0)
