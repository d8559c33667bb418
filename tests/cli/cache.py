#!/usr/bin/env python3
"""Compiled rules are kept between runs: same answers, never out of date, never believed when damaged."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DFRULE = os.environ.get("DFRULE", os.path.join(ROOT, "build/release/dfrule"))
CRASH = os.path.join(ROOT, "corpus/transcripts/double_fault_iastor.txt")
failed = 0


def check(folder, cache, *options):
    env = {**os.environ, "DFRULE_CACHE": cache}
    p = subprocess.run([DFRULE, "check", *options, "-r", folder, CRASH], env=env, capture_output=True)
    return p.returncode, p.stdout, p.stderr


def case(name, good, detail=""):
    global failed
    failed += not good
    print("ok" if good else "not ok", "- cache:", name, detail if not good else "")


def main():
    tmp = tempfile.mkdtemp()
    rules, cache = os.path.join(tmp, "rules"), os.path.join(tmp, "new", "cache")
    shutil.copytree(os.path.join(ROOT, "rules"), rules)
    entries = lambda: sorted(glob.glob(os.path.join(cache, "*")))
    options = ("--no-default-rules",)
    plain = check(rules, "", *options)
    case("without a folder nothing is kept", not os.path.exists(cache))
    first = check(rules, cache, *options)
    made = entries()
    case("the first run keeps one entry", len(made) == 1, made)
    case("the second run gives the same", plain == first == check(rules, cache, *options))
    case("and keeps nothing else", entries() == made)
    case("--no-cache reads and keeps nothing",
         check(rules, os.path.join(tmp, "other"), *options, "--no-cache") == plain
         and not os.path.exists(os.path.join(tmp, "other")))

    os.utime(made[0], (1, 1))
    check(rules, cache, *options)
    case("an entry that is there is used, not written again", os.stat(made[0]).st_mtime == 1)

    path = os.path.join(rules, "core", "stack_overflow.dfr")
    text = open(path).read()
    open(path, "w").write(text.replace("for strong", "for weak"))
    changed = check(rules, cache, *options)
    case("a changed source is compiled anew", changed == check(rules, "", *options) != plain)
    open(path, "w").write(text)
    case("and the old one found again", check(rules, cache, *options) == plain and len(entries()) == 2)

    whole = open(made[0], "rb").read()
    for name, damaged in (("cut", whole[:len(whole) // 2]), ("empty", b""),
                          ("changed", whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])):
        open(made[0], "wb").write(damaged)
        case(f"a {name} entry is compiled anew", check(rules, cache, *options) == plain)
        case(f"a {name} entry is replaced", open(made[0], "rb").read() == whole)
    os.chmod(made[0], 0o666)
    os.utime(made[0], (1, 1))
    case("an entry that others can write is not believed",
         check(rules, cache, *options) == plain and os.stat(made[0]).st_mtime != 1)

    open(path, "w").write(text + "\nrule broken { when ; }\n")
    case("broken rules are told every time and not kept",
         check(rules, cache, *options)[0] == check(rules, cache, *options)[0] != plain[0]
         and len(entries()) == 2)
    open(path, "w").write(text)

    for i in range(40):
        open(os.path.join(rules, "note.dfr"), "w").write(f"// {i}\n")
        check(rules, cache, *options)
    case("the oldest entries are removed", len(entries()) == 32, len(entries()))
    blocked = os.path.join(tmp, "file")
    open(blocked, "w").close()
    case("a folder that cannot be made does no harm", check(rules, os.path.join(blocked, "x"), *options)[1]
         and not os.path.getsize(blocked))
    shutil.rmtree(tmp)
    return failed


sys.exit(1 if main() else 0)
