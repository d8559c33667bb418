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
# A frame, or what says which stack the frames belong to.
STACK = re.compile(r"[0-9a-f]{8}.*\b\w+(!\S+|>?\+0x[0-9a-f]+)|^\s*[0-9a-f]{2}\s+\S+|!\w+|\w\+0x"
                   r"|\.(cxr|trap|tss|exr)\b|^(CONTEXT|TRAP_FRAME|STACK_TEXT)\b", re.I)

SUMMARY = re.compile(rb"^BugCheck [0-9A-F]+, \{", re.M)


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


def identity(result):
    """{what is said of the bug check: value}"""
    b = result["crash"]["bugcheck"]
    args = b["args"] or [None] * 4
    return {"code": b["code"], "name": b["name"], **{f"arg{n}": a for n, a in enumerate(args, 1)}}


def same_crash(whole, less):
    """Do two answers speak of one crash? What the shorter text still says of it is the same."""
    a, b = ({**identity(o), "fault": o["crash"]["fault"]} for o in (whole, less))
    return all(b[k] is None or a[k] == b[k] for k in a)


def mistaken(whole, less):
    """What was known of the first crash's bug check, and now has another value."""
    a, b = identity(whole), identity(less)
    for k in a:
        if a[k] is not None and b[k] is not None and a[k] != b[k]:
            yield f"bug check {k}: {a[k]} became {b[k]}"


def rules_in(result):
    return {e["rule"] for c in result["causes"] for e in c["evidence"] + c["against"] if e["trust"] != "prose"}


def contradicted(rule, path):
    """Conditions of a rule that are shown as false; known() and absent() are always decided."""
    p = subprocess.run([DFRULE, "why-not", rule, "-o", "ndjson", path], stdout=subprocess.PIPE)
    o = json.loads(p.stdout.decode("utf-8").splitlines()[0])
    if o["status"] != "false":
        return []
    return [w["text"] for r in o["rows"] for w in r["when"]
            if w["truth"] == "false" and not re.search(r"\b(known|unknown|absent)\(", w["text"])]


def only_name_of_several(lines, line):
    """Is this the one line that says which bug check it was, in a text with more such lines?"""
    return len(SUMMARY.findall(b"".join(lines))) > 1 and SUMMARY.search(line) is not None


def check(path):
    """(variants tried, [what went wrong])"""
    with open(path, "rb") as f:
        text = f.read()
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return 0, []
    lines = text.splitlines(keepends=True)
    tried, bad = list(variants(lines)), []
    with tempfile.TemporaryDirectory(prefix="dfrule-less-") as tmp:
        names = [os.path.join(tmp, f"{n:05}") for n in range(len(tried) + 1)]
        for name, content in zip(names, [lines] + [stay for _, stay, _ in tried]):
            with open(name, "wb") as f:
                f.write(b"".join(content))
        p = subprocess.run([DFRULE, "check", "-q", "--crash", "1", "-o", "ndjson", tmp],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if p.returncode not in (0, 4, 5):
            return len(tried), [f"exit status {p.returncode}: {p.stderr.decode(errors='replace')[:500]}"]
        results = {r["input"]["path"]: r for r in map(json.loads, p.stdout.decode("utf-8").splitlines())
                   if "error" not in r}
        whole = results.get(names[0])
        for name, (taken, _, out) in zip(names[1:], tried):
            less = results.get(name)
            other_stack = any(STACK.search(line.decode("utf-8", "replace")) for line in out)
            # Without a whole section, nothing may tell where the next crash begins.
            if whole and less and len(out) == 1 and not only_name_of_several(lines, out[0]):
                bad += [f"without {taken}: {b}" for b in mistaken(whole, less)]
            if whole and less and same_crash(whole, less) and not other_stack:
                bad += [f"without {taken}: {b}" for b in compare(whole, less, name)]
    return len(tried), bad


def compare(whole, less, path):
    """What the longer text supported and the shorter one contradicts."""
    before = truths(whole)
    for k, (truth, weight, where) in truths(less).items():
        was = before.get(k)
        if was and was[0] == "true" and truth == "false":
            yield f"{k[2]}: {k[3]!r} was true and is false{'' if where else ', and no line says so'}"
        if was and was[0] != "true" and was[1] >= 0 and weight < 0 and not where:
            yield f"{k[2]}: {k[3]!r} now counts {weight}, and no line says so"
    for rule in sorted(rules_in(whole) - rules_in(less) - {w["rule"] for w in less["waiting"]}):
        for text in contradicted(rule, path):
            yield f"{rule}: fired, and now `{text}` is false"


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
