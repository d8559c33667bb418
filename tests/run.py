#!/usr/bin/env python3
"""Runs every kind of test over one build and adds them up.

The last line is `N passed, N failed`, alone; the exit status is 1 when anything failed. A kind is
found by its folder, so a new test is a new file:
  unit     tests/unit/test_*.c     Criterion programs, built into BUILD/tests
  rules    rules/                  the tests that stand in the rules, run by `dfrule test`
  cli      tests/cli/*.t, *.md     commands with the output they must give (```console in a page)
  script   tests/{checks,cli,shared}/*.{py,sh}   programs that print `ok - x` and `not ok - x`
  replay   tests/fuzz/fuzz_*.c     seeds and regressions through each fuzz target, no libFuzzer
  sweep    corpus/, ../shared      the command over every transcript (sanitizer builds)
"""
import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import cases  # noqa: E402

SYNTHESIS = re.compile(r"Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)")
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed", re.M)
ALL_KINDS = ["unit", "rules", "cli", "script", "replay", "sweep"]


class Result:
    def __init__(self, name, passed=0, failed=0, skipped=None, output=""):
        self.name, self.passed, self.failed = name, passed, failed
        self.skipped, self.output = skipped or [], output
        self.seconds = 0.0


class Bench:
    """One build under test: where it is, its environment, and its sanitizer logs."""

    def __init__(self, build, timeout):
        self.build, self.timeout = build, timeout
        self.dfrule = os.path.join(build, "dfrule")
        self.tmp = tempfile.mkdtemp(prefix="dfrule-test-")
        self.sanitized = os.path.basename(build) in ("asan", "fuzz")
        self.base = {k: v for k, v in os.environ.items()
                     if not k.startswith("DFRULE") and k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        self.base.update(LC_ALL="C.UTF-8", TERM="dumb", ROOT=ROOT,
                         XDG_CACHE_HOME=os.path.join(self.tmp, "cache"), BUILD=os.path.abspath(build),
                         DFRULE=os.path.abspath(self.dfrule), MODE=os.path.basename(build),
                         PATH=os.path.abspath(build) + os.pathsep + os.environ.get("PATH", ""))
        shared = os.path.join(ROOT, "..", "shared")
        if os.path.isdir(shared):
            self.base["SHARED"] = os.path.normpath(shared)

    def environment(self, name):
        env = dict(self.base)
        logs = os.path.join(self.tmp, re.sub(r"[^A-Za-z0-9_.-]", "_", name))
        if self.sanitized:
            # A leak is found after Criterion has called the test passed: only the log shows it.
            env["ASAN_OPTIONS"] = f"log_path={logs}.san:detect_leaks=1:abort_on_error=0"
            env["UBSAN_OPTIONS"] = f"log_path={logs}.san:print_stacktrace=1"
        return env, logs

    def logs(self, logs):
        text = ""
        for path in sorted(glob.glob(logs + ".san.*")):
            with open(path, errors="replace") as f:
                text += f.read()
        return text

    def run(self, name, argv):
        """(exit status, output, sanitizer log); 124 for a timeout."""
        env, logs = self.environment(name)
        status, out = cases.run_program(argv, ROOT, env, self.timeout)
        return status, out, self.logs(logs)


def counted(name, passed, failed, status, out, log):
    """A program that fails, or leaves a sanitizer log, without counting a failure counts as one."""
    if failed == 0 and (status != 0 or log):
        failed = 1
        out += f"\n{name}: exit status {status}\n"
    return Result(name, passed, failed, output=out + log)


def run_unit(bench, path):
    name = "unit " + os.path.basename(path)
    status, out, log = bench.run(name, [path, "-j1"])
    m = SYNTHESIS.search(out)
    passed, failed = (int(m[2]), int(m[3]) + int(m[4])) if m else (0, 0)
    if not m:
        status = status or 1
    return counted(name, passed, failed, status, out, log)


def run_tap(bench, name, argv):
    status, out, log = bench.run(name, argv)
    skipped = re.findall(r"^ok\b[ -]*(.*?# SKIP.*)$", out, re.M | re.I)
    passed = len(re.findall(r"^ok\b", out, re.M)) - len(skipped)
    failed = len(re.findall(r"^not ok\b", out, re.M))
    r = counted(name, passed, failed, status, out, log)
    r.skipped = skipped
    return r


def run_rules(bench):
    if not os.path.isdir(os.path.join(ROOT, "rules")):
        return Result("rules", skipped=["rules # SKIP there is no rules/ folder"])
    status, out, log = bench.run("rules", [bench.dfrule, "test", "rules"])
    m = SUMMARY.search(out)
    passed, failed = (int(m[1]), int(m[2])) if m else (0, 0)
    return counted("rules", passed, failed, status if m else status or 1, out, log)


def run_cases(bench, path):
    name = "cli " + os.path.relpath(path, ROOT)
    env, logs = bench.environment(name)
    passed, failures = cases.run_file(path, env, ROOT, bench.timeout)
    return counted(name, passed, len(failures), 0, "\n".join(failures), bench.logs(logs))


def run_sweep(bench, path):
    """No transcript, whatever it holds, may crash a verb or take the internal-error exit."""
    name = "sweep " + os.path.relpath(path, ROOT)
    bad, log = [], ""
    verbs = [["facts"], ["check"], ["check", "-o", "json"]]
    for verb in verbs:
        status, out, san = bench.run(name, [bench.dfrule, *verb, path])
        log += san
        if san or status < 0 or status >= 64:
            bad.append(f"dfrule {' '.join(verb)} {path}: exit status {status}\n{out[-2000:]}")
    return Result(name, len(verbs) - len(bad), len(bad), output="\n".join(bad) + log)


def transcripts(bench):
    found = sorted(glob.glob(os.path.join(ROOT, "corpus", "transcripts", "**", "*.txt"), recursive=True))
    if "SHARED" in bench.base:
        found += sorted(glob.glob(os.path.join(bench.base["SHARED"], "transcripts", "*.txt")))
        found += sorted(glob.glob(os.path.join(bench.base["SHARED"], "*.txt")))
    return found


def jobs(bench, kinds):
    have_cli = os.path.exists(bench.dfrule)
    if "unit" in kinds:
        for path in sorted(glob.glob(os.path.join(bench.build, "tests", "test_*"))):
            source = os.path.join(ROOT, "tests", "unit", os.path.basename(path) + ".c")
            if os.access(path, os.X_OK) and os.path.isfile(source):
                yield lambda p=path: run_unit(bench, p)
    if "rules" in kinds and have_cli:
        yield lambda: run_rules(bench)
    if "cli" in kinds and have_cli:
        for path in cases.files(ROOT):
            yield lambda p=path: run_cases(bench, p)
    if "script" in kinds:
        for folder in ("checks", "cli", "shared"):
            for path in sorted(glob.glob(os.path.join(ROOT, "tests", folder, "*"))):
                if path.endswith((".py", ".sh")) and os.access(path, os.X_OK):
                    yield lambda p=path: run_tap(bench, os.path.relpath(p, ROOT), [p])
    if "replay" in kinds:
        for path in sorted(glob.glob(os.path.join(bench.build, "fuzz", "replay_*"))):
            if path.endswith(".d"):
                continue
            name = os.path.basename(path)[len("replay_"):]
            inputs = [os.path.join("tests", "fuzz", d, name) for d in ("corpus", "regressions")]
            yield lambda p=path, n=name, i=inputs: run_tap(bench, "replay " + n, [p, *i])
    if "sweep" in kinds and have_cli:
        for path in transcripts(bench):
            yield lambda p=path: run_sweep(bench, p)


def timed(job):
    start = time.monotonic()
    result = job()
    result.seconds = time.monotonic() - start
    return result


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--build", default="build/release", help="the build to test")
    ap.add_argument("--kinds", default="unit,rules,cli,script,replay", help=",".join(ALL_KINDS))
    ap.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    ap.add_argument("--timeout", type=int, default=300, help="seconds for one program")
    ap.add_argument("--verbose", action="store_true", help="print the output of what passed, too")
    args = ap.parse_args()
    bench = Bench(args.build, args.timeout)
    passed = failed = 0
    try:
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            for r in pool.map(timed, list(jobs(bench, args.kinds.split(",")))):
                passed, failed = passed + r.passed, failed + r.failed
                if r.failed or args.verbose:
                    print(r.output.rstrip())
                for line in r.skipped:
                    print(f"SKIPPED  {line.replace('# SKIP', '-', 1)}")
                if r.failed or not r.name.startswith("sweep"):
                    verdict = "FAILED" if r.failed else "ok"
                    print(f"{verdict:8} {r.name}: {r.passed} passed, {r.failed} failed, {r.seconds:.1f} s",
                          flush=True)
    finally:
        shutil.rmtree(bench.tmp, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
