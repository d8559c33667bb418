#!/usr/bin/env python3
"""Unknown is not false: a transcript with less in it never contradicts what the whole one supported.

Each line, and each run of lines between blank ones, is taken out of every transcript in turn. A line of
evidence that spoke for a cause, and a rule that fired, may then fall silent or wait; evidence that is
shown as false, or that speaks against, must rest on a line that says so. A stack with a frame taken out
is another stack, so what the answer says about frames is compared only where no frame was taken out. What
only people's words say is left out: a text holds all the words that it holds, so a remark that is gone was
not made, and evidence from prose counts nothing when it is false.

THOROUGH=1 takes out every line; otherwise long texts give up an even sample of theirs."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DFRULE = os.environ.get("DFRULE", os.path.join(ROOT, "build/release/dfrule"))
MOST = 10**9 if os.environ.get("THOROUGH") else 60
FRAME = re.compile(r"[0-9a-fA-F]{8}.*\b\w+(!\S+|\+0x[0-9a-f]+)|^\s*[0-9a-f]{2}\s+\S+|!\w+|\w\+0x", re.I)


def transcripts():
    found = sorted(glob.glob(os.path.join(ROOT, "corpus/transcripts/**/*.txt"), recursive=True))
    shared = os.environ.get("SHARED", os.path.join(ROOT, "../shared"))
    return found + sorted(glob.glob(os.path.join(shared, "transcripts/*.txt")))


def variants(lines):
    """[(name, lines that stay, lines taken out)]"""
    step = max(1, -(-len(lines) // MOST))
    for i in range(0, len(lines), step):
        if lines[i].strip():
            yield f"line {i + 1}", lines[:i] + lines[i + 1:], lines[i:i + 1]
    begin = 0
    sections = []
    for i in range(len(lines) + 1):
        if i == len(lines) or not lines[i].strip():
            if i - begin > 1:
                sections.append((begin, i))
            begin = i + 1
    for a, b in sections[:MOST]:
        yield f"lines {a + 1}-{b}", lines[:a] + lines[b:], lines[a:b]


def truths(result):
    """{(cause, subject, rule, label): (truth, weight, where)} of what does not rest on prose alone"""
    ret = {}
    for c in result["causes"]:
        for e in c["evidence"] + c["against"]:
            if e["trust"] != "prose":
                name = c["cause"], c["subject"], e["rule"], e["label"]
                ret[name] = e["truth"], e["weight_db"], e["where"]
    return ret


def key(result):
    """What must stay the same for two answers to speak of one crash."""
    return json.dumps([result["crash"]["bugcheck"], result["crash"]["fault"], result["culprit"]["module"]])


def check(path):
    """(variants tried, [what went wrong])"""
    with open(path, "rb") as f:
        text = f.read()
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return 0, []
    lines = text.splitlines(keepends=True)
    tried, bad = list(variants(lines)), []
    with tempfile.TemporaryDirectory(prefix="dfrule-less-") as tmp:
        with open(os.path.join(tmp, "00000"), "wb") as f:
            f.write(text)
        for n, (_, stay, _) in enumerate(tried, 1):
            with open(os.path.join(tmp, f"{n:05}"), "wb") as f:
                f.write(b"".join(stay))
        p = subprocess.run([DFRULE, "check", "-q", "--crash", "1", "-o", "ndjson", tmp],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode not in (0, 4, 5):
        return len(tried), [f"exit status {p.returncode}: {p.stderr.decode(errors='replace')[:500]}"]
    results = {}
    for line in p.stdout.decode("utf-8").splitlines():
        r = json.loads(line)
        if "error" not in r:
            results[int(os.path.basename(r["input"]["path"]))] = r
    if 0 not in results:
        return len(tried), []
    whole = truths(results[0])
    for n, (name, _, out) in enumerate(tried, 1):
        frames = any(FRAME.search(line.decode("utf-8", "replace")) for line in out)
        if n not in results or key(results[n]) != key(results[0]) or frames:
            continue
        for k, (truth, weight, where) in truths(results[n]).items():
            was = whole.get(k)
            if was and was[0] == "true" and truth == "false":
                bad.append(f"without {name}: {k[2]}: {k[3]!r} was true and is false"
                           f"{'' if where else ', and no line says so'}")
            if was and was[0] != "true" and was[1] >= 0 and weight < 0 and not where:
                bad.append(f"without {name}: {k[2]}: {k[3]!r} now counts {weight}, and no line says so")
    return len(tried), bad


def main():
    os.chdir(ROOT)
    failures = total = 0
    for path in transcripts():
        tried, bad = check(path)
        total += tried
        for b in bad[:10]:
            print("#", b)
        if bad:
            print(f"not ok - less is not false: {os.path.relpath(path, ROOT)}")
            failures += 1
    print(f"{'not ok' if failures else 'ok'} - less is not false: {total} texts with something taken out")
    return 1 if failures else 0


sys.exit(main())
