#!/usr/bin/env python3
"""Reads real transcripts that lie beside the repository, when they are there.

Each file must be read without a crash in at most 50 ms of processor time; bug check and arguments must
equal the answer key; every stack frame line that an independent, much simpler reader sees in the text
must appear among the frames that the command read."""
import html
import json
import os
import re
import resource
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DFRULE = os.environ.get("DFRULE", "build/release/dfrule")
FOLDER = os.path.join(os.environ.get("SHARED", "../shared"), "transcripts")
MOST_MS = 50

ADDRESS = r"[0-9a-f]{8}`[0-9a-f]{8}|[0-9a-f]{16}|[0-9a-f]{8}"
FRAME = re.compile(
    rf"^\s*(?:[0-9a-f]{{2,3}}\s+)?(?P<sp>{ADDRESS})\s+(?P<ret>{ADDRESS})\s+"
    rf"(?P<args>:\s*(?:(?:{ADDRESS})\s+){{4}}:\s*)?(?:(?:{ADDRESS})\s+){{0,4}}"
    r"(?P<sym>[A-Za-z_][\w.]*(?:![^\s\[\]+]+)?(?:\+0x[0-9a-f]+)?)(?:\s+[\[(].*[\])]|\s*$)", re.I)
failures = 0


def number(text):
    return int(str(text).replace("`", ""), 16)


def frames_seen(text):
    """[(line number, symbol)] of lines that can only be stack frames: those with four arguments
    between colons, and two or more in a row whose stack pointers grow, but not by the even steps of a
    memory listing."""
    ret, run = [], []

    def close():
        steps = {b[1] - a[1] for a, b in zip(run, run[1:])}
        if run and (all(r[3] for r in run) or (len(run) > 1 and not steps <= {4, 8})):
            ret.extend((n, sym) for n, _, sym, _ in run)
        run.clear()

    for n, line in enumerate(html.unescape(text).splitlines(), 1):
        m = FRAME.match(line)
        if not m or not ("!" in m["sym"] or "+0x" in m["sym"]):
            close()
            continue
        frame = (n, number(m["sp"]), m["sym"], bool(m["args"]))
        if run and (frame[1] < run[-1][1] or frame[3] != run[-1][3]):
            close()
        run.append(frame)
    close()
    return ret


def cell(value):
    """The bare value, whether a cell is a value or an object with its state."""
    if isinstance(value, dict):
        value = value.get("value")
    return value


def symbol_key(module, func, offset):
    if isinstance(offset, str):
        offset = int(offset, 16)
    return (str(module or "").lower(), str(func or ""), offset or 0)


def parse_symbol(sym):
    name, _, offset = sym.partition("+0x")
    module, _, func = name.partition("!")
    return symbol_key(re.sub(r"\.(sys|exe|dll)$", "", module, flags=re.I), func, int(offset, 16) if offset else 0)


def frames_read(crash):
    ret = set()
    for table in ("stack", "other_stacks"):
        for row in crash["tables"].get(table, {}).get("rows", []):
            sym = cell(row.get("sym"))
            if isinstance(sym, str):
                ret.add(parse_symbol(sym))
            ret.add(symbol_key(cell(row.get("module")), cell(row.get("func")), cell(row.get("offset"))))
    return {(re.sub(r"\.(sys|exe|dll)$", "", m, flags=re.I), f, o) for m, f, o in ret}


def facts_of(path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.run([DFRULE, "facts", "-o", "ndjson", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    ms = 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    if p.returncode < 0 or p.returncode >= 64:
        return None, ms, [f"exit status {p.returncode}: {p.stderr.decode(errors='replace')[-300:]}"]
    try:
        first = json.loads(p.stdout)
        return [first] + first["other_crashes"], ms, []
    except ValueError as e:
        return None, ms, [f"no JSON: {e}"]


def agrees(crash, code, args):
    facts = crash["facts"]

    def get(name):
        value = cell(facts.get(f"bugcheck.{name}"))
        return None if value is None else int(value, 16) if isinstance(value, str) else value

    want = None if code == "-" else int(code, 16)
    if get("code") != want:
        got = get("code")
        return f"bug check {code}, read {'none' if got is None else hex(got)}"
    if args != "-":
        have = [get(f"arg{i}") for i in range(1, 5)]
        if have != [int(a, 16) for a in args.split(",")]:
            return f"arguments {args}, read {','.join('?' if a is None else f'{a:x}' for a in have)}"
    return None


def check(path, code, args):
    crashes, ms, problems = facts_of(path)
    if problems:
        return problems
    if ms > MOST_MS and os.environ.get("MODE", "release") == "release":
        problems.append(f"{ms:.0f} ms, more than {MOST_MS}")
    if not crashes:
        return problems if code == "-" else problems + [f"bug check {code}, read no crash"]
    if code != "-":
        wrong = [agrees(c, code, args) for c in crashes]
        if all(wrong):
            problems.append("key says " + wrong[0])
    with open(path, "rb") as f:
        text = f.read().decode("utf-8", "replace")
    read = set().union(*(frames_read(c) for c in crashes))
    for line, sym in frames_seen(text):
        if parse_symbol(sym) not in read:
            problems.append(f"line {line}: frame {sym} was not read")
    return problems


def main():
    global failures
    if not os.path.exists(DFRULE) or not os.path.isfile(f"{FOLDER}/ANSWERS.tsv"):
        print("ok - shared transcripts # SKIP ../shared is not there, or the command is not built")
        return 0
    with open(f"{FOLDER}/ANSWERS.tsv", encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f][1:]
    for row in rows:
        problems = check(os.path.join(FOLDER, row[0]), row[1], row[2])
        for p in problems[:8]:
            print(f"# {row[0]}: {p}")
        if len(problems) > 8:
            print(f"# {row[0]}: and {len(problems) - 8} more")
        print("not ok" if problems else "ok", "- shared:", row[0])
        failures += bool(problems)
    return 1 if failures else 0


sys.exit(main())
