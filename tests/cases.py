#!/usr/bin/env python3
"""Command cases: tests/cli/*.t, and ```console blocks of pages, run by tests/run.py and rewritten by
`make bless`.

Prose stands at the left margin. A command is indented by two blanks and starts with `$ `; the lines
under it are what it must print (stdout and stderr together), and `[N]` is its exit status if not 0:

    An unknown verb is a usage error.

      $ dfrule frobnicate
      dfrule: unknown verb `frobnicate` (re)
      [3]

A line that ends in ` (re)` is a regular expression, in ` (glob)` a pattern with * and ?. Commands of
one file run in order in bash, from the root of the repository, with an empty folder in $T. In a page
the fence takes the place of the indent.
"""
import difflib
import fnmatch
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile

INDENT = "  "


class Case:
    def __init__(self, command, line):
        self.command, self.line = command, line
        self.expected = []
        self.begin = self.end = 0  # the expected lines, in the file


def indented(lines):
    """A page's lines with its ```console blocks indented."""
    inside = False
    for line in lines:
        if line.startswith("```"):
            inside = line == "```console"
            yield line
        elif inside:
            yield INDENT + line
        else:
            yield line.lstrip(" ")


def parse(text, page=False):
    cases, case = [], None
    lines = text.split("\n")
    if page:
        lines = list(indented(lines))
    for i, line in enumerate(lines):
        if line.startswith(INDENT + "$ "):
            case = Case(line[4:], i + 1)
            case.begin = case.end = i + 1
            cases.append(case)
        elif line.startswith(INDENT + "> ") and case and not case.expected:
            case.command += "\n" + line[4:]
            case.begin = case.end = i + 1
        elif case and (line.startswith(INDENT) or line == ""):
            case.expected.append(line[2:])
            case.end = i + 1
        else:
            case = None
    for c in cases:
        while c.expected and c.expected[-1] == "":
            c.expected.pop()
            c.end -= 1
    return lines, cases


def line_matches(want, got):
    if want == got:
        return True
    if want.endswith(" (re)"):
        return re.fullmatch(want[:-5], got) is not None
    if want.endswith(" (glob)"):
        return fnmatch.fnmatchcase(got, want[:-7])
    return False


def run_program(argv, cwd, env, timeout):
    """(exit status, output); after `timeout` seconds the program and all that it started is killed.
    A child left in the background that holds the output open counts as not ended."""
    p = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, start_new_session=True)
    try:
        out = p.communicate(timeout=timeout)[0]
        return p.returncode, out.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        return 124, p.communicate()[0].decode("utf-8", "replace") + "\ntimed out\n"


def run_case(case, env, cwd, timeout):
    status, out = run_program(["bash", "-c", case.command], cwd, env, min(timeout, 60))
    got = [line.rstrip() for line in out.split("\n")]
    while got and got[-1] == "":
        got.pop()
    if status:
        got.append(f"[{status}]")
    return got


def same(want, got):
    return len(want) == len(got) and all(map(line_matches, want, got))


def run_file(path, env, cwd, timeout=60):
    """(number passed, [what failed])"""
    with open(path, encoding="utf-8") as f:
        _, cases = parse(f.read(), path.endswith(".md"))
    passed, failures = 0, []
    with tempfile.TemporaryDirectory(prefix="dfrule-case-") as tmp:
        env = dict(env, T=tmp)
        for case in cases:
            got = run_case(case, env, cwd, timeout)
            if same(case.expected, got):
                passed += 1
                continue
            diff = difflib.unified_diff(case.expected, got, "expected", "got", lineterm="")
            failures.append(f"{os.path.relpath(path, cwd)}:{case.line}: $ {case.command}\n" + "\n".join(diff))
    return passed, failures


def bless_file(path, env, cwd):
    """Rewrite what each command prints, keeping patterns that still match."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    page = path.endswith(".md")
    lines, (_, cases) = text.split("\n"), parse(text, page)
    with tempfile.TemporaryDirectory(prefix="dfrule-case-") as tmp:
        env = dict(env, T=tmp)
        results = [run_case(c, env, cwd, 60) for c in cases]
    for case, got in reversed(list(zip(cases, results))):
        if same(case.expected, got):
            continue
        patterns = [w for w in case.expected if w.endswith((" (re)", " (glob)"))]
        kept = [next((w for w in patterns if line_matches(w, g)), g) for g in got]
        lines[case.begin:case.end] = [("" if page else INDENT) + k if k else "" for k in kept]
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines))


def files(root):
    """Every file that holds cases."""
    ret = glob.glob(os.path.join(root, "tests", "cli", "*.t")) + glob.glob(os.path.join(root, "*.md"))
    for path in sorted(ret + glob.glob(os.path.join(root, "docs", "**", "*.md"), recursive=True)):
        with open(path, encoding="utf-8") as f:
            if path.endswith(".t") or "```console\n" in f.read():
                yield path


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/release")
    env = {k: v for k, v in os.environ.items() if not k.startswith("DFRULE")}
    env.update(LC_ALL="C.UTF-8", TERM="dumb", PATH=build + os.pathsep + env["PATH"])
    for path in files(root):
        bless_file(path, env, root)


if __name__ == "__main__":
    main()
