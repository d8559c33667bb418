#!/usr/bin/env python3
"""Measures dfrule on made-up rules and transcripts, and prints a table.

    bench.py [--transcripts N] [--rules N,N,...]

Absolute times belong to the machine; the ratios and how the columns grow are what to read. A baseline
(YARA, ripgrep, a process that does nothing) is measured in the same run where it is installed."""
import argparse
import glob
import os
import shutil
import statistics
import struct
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.chdir(ROOT)
BUILD = os.environ.get("BUILD", "build/release")
WORK = os.path.join(BUILD, "bench-data")
GENERATE = [sys.executable, "tests/bench/generate.py"]


def run(*argv):
    p = subprocess.run(argv, stdout=subprocess.PIPE)
    if p.returncode:
        sys.exit(f"bench: {' '.join(argv[:4])} failed with {p.returncode}")
    rows = (line.split("\t") for line in p.stdout.decode().splitlines() if "\t" in line)
    return {name: float(value) for name, value in rows}


def seconds(argv, times=5):
    """The median wall time of a command, output thrown away."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def generate(what, n, path, *more):
    subprocess.run([*GENERATE, what, str(n), path, *more], check=True)


def measure(n, paths, *more):
    """(what compiling N rules took, what checking took)"""
    source, cache = os.path.join(WORK, f"rules-{n}.dfr"), os.path.join(WORK, f"rules-{n}.dfrc")
    generate("rules", n, source, *more)
    c = run(f"{BUILD}/bench/bench", "compile", source, cache)
    c["cache_bytes"] = os.path.getsize(cache)
    return c, run(f"{BUILD}/bench/bench", "check", cache, *paths)


def table(header, rows):
    widths = [max(len(str(r[i])) for r in [header, *rows]) for i in range(len(header))]
    for k, row in enumerate([header, *rows]):
        print("| " + " | ".join(str(c).rjust(w) for c, w in zip(row, widths)) + " |")
        if k == 0:
            print("|" + "|".join("-" * (w + 1) + ":" for w in widths) + "|")


def spread(dump, path, pages=2000000):
    """The forged dump with a bitmap over 8 GiB, every page of it there: a sparse file."""
    head, first, bits = dump[:0x2038], *struct.unpack_from("<Q8xQ", dump, 0x2020)
    held = [p for p in range(bits) if dump[0x2038 + p // 8] >> p % 8 & 1]
    start = (0x2038 + pages // 8 + 4095) // 4096 * 4096
    with open(path, "wb") as f:
        f.write(head[:0x2020] + struct.pack("<QQQ", start, pages, pages) + b"\xff" * (pages // 8))
        f.truncate(start + pages * 4096)
        for i, p in enumerate(held):
            f.seek(start + p * 4096)
            f.write(dump[first + i * 4096:first + (i + 1) * 4096])


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--transcripts", type=int, default=1000)
    ap.add_argument("--rules", default="10,100,1000,10000")
    args = ap.parse_args()
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    folder = os.path.join(WORK, "transcripts")
    generate("transcripts", args.transcripts, folder)
    paths = sorted(glob.glob(folder + "/*.txt"))
    size = sum(map(os.path.getsize, paths))
    print(f"{len(paths)} made-up transcripts, {size / len(paths) / 1000:.1f} KB each, {os.cpu_count()} processors\n")

    rows, sizes = [], [int(n) for n in args.rules.split(",")]
    for n in sizes:
        c, m = measure(n, paths)
        rows.append((n, f"{c['compile_us'] / 1000:.1f}", f"{c['peak_bytes'] / 1e6:.1f}", f"{c['load_us'] / 1000:.2f}",
                     f"{c['cache_bytes'] / 1e6:.2f}", f"{m['read_mb_s']:.0f}", f"{m['candidates']:.1f}", f"{m['fired']:.1f}",
                     f"{m['match_p50_us']:.1f}", f"{m['match_p99_us']:.1f}", f"{m['write_mean_us']:.1f}",
                     f"{m['peak_bytes'] / 1e6:.1f}"))
    table(("rules", "compile ms", "peak MB", "load ms", "cache MB", "read MB/s", "candidates", "fired", "match p50 us",
           "p99 us", "JSON us", "peak MB"), rows)

    print("\nCost follows candidates, not rules: all but 100 rules speak of bug checks that no transcript has.\n")
    rows = []
    for n in (n for n in sizes if n >= 100):
        _, m = measure(n, paths, "100")
        rows.append((n, f"{m['candidates']:.1f}", f"{m['match_p50_us']:.1f}", f"{m['match_mean_us']:.1f}"))
    table(("rules", "candidates", "match p50 us", "mean us"), rows)
    for n in sizes:
        measure(n, paths[:1])  # leaves the caches of the first table

    print("\nWhole processes, median of 5:\n")
    n = 1000 if 1000 in sizes else sizes[-1]
    cache, dfrule = os.path.join(WORK, f"rules-{n}.dfrc"), os.path.join(BUILD, "dfrule")
    nothing = seconds(["/bin/true"], 20)
    check = [dfrule, "check", "--no-default-rules", "-r", cache, "-o", "ndjson"]
    cold = seconds([*check, paths[0]], 20)
    batch = seconds([*check, folder])
    rows = [("/bin/true", f"{nothing * 1000:.2f}", "1.0"),
            (f"dfrule check, one transcript, {n} rules cached", f"{cold * 1000:.2f}", f"{cold / nothing:.1f}")]
    table(("process", "ms", "x true"), rows)
    print()
    rows = [(f"dfrule check, {n} rules, JSON answers", f"{batch * 1000:.0f}", f"{len(paths) / batch:.0f}", "1.0")]

    def baseline(name, argv):
        if shutil.which(argv[0]):
            took = seconds(argv, 3)
            rows.append((name, f"{took * 1000:.0f}", f"{len(paths) / took:.0f}", f"{took / batch:.2f}"))
        else:
            rows.append((f"{name}: not installed", "-", "-", "-"))

    baseline("rg -c, raw scan for one word", ["rg", "-c", "KiDoubleFaultAbort", folder])
    if shutil.which("yarac"):
        text, compiled = os.path.join(WORK, f"rules-{n}.yar"), os.path.join(WORK, f"rules-{n}.yarc")
        generate("yara", n, text)
        subprocess.run(["yarac", "-w", text, compiled], check=True)
        baseline(f"yara, {n} rules, match only", ["yara", "-w", "-C", "-r", compiled, folder])
    else:
        baseline("yara", ["yarac"])
    table((f"all {len(paths)} transcripts", "ms", "per second", "x dfrule"), rows)

    print("\nDumps with a page bitmap, half of the pages stored:\n")
    rows = []
    for gib in (8, 64, 1024):
        p = run(f"{BUILD}/bench/pages", str(gib))
        rows.append((gib, f"{p['index_us'] / 1000:.2f}", f"{p['index_bytes'] / 1e6:.2f}", f"{p['lookup_ns']:.0f}", f"{p['walk_ns']:.0f}"))
    table(("GiB of memory", "index ms", "MB", "page to place ns", "4-level walk ns"), rows)

    print("\nThe same crash as small, complete and 8 GiB sparse dumps, read, checked and written with the core rules:\n")
    rows, core = [], os.path.join(WORK, "core.dfrc")
    subprocess.run([dfrule, "compile", "-o", core, "rules"], check=True, stdout=subprocess.DEVNULL)
    for kind in ("triage", "bitmap", "sparse"):
        path = os.path.join(WORK, f"{kind}.dmp")
        if kind == "sparse":
            with open(os.path.join(WORK, "bitmap.dmp"), "rb") as f:
                spread(f.read(), path)
        else:
            subprocess.run([dfrule, "forge", "--kind", kind, "corpus/recipes/d1_null_field.yaml", "-o", path], check=True)
        p = run(f"{BUILD}/bench/pages", "check", core, path)
        rows.append((kind, f"{os.path.getsize(path) / 1e6:.1f}", f"{p['check_us'] / 1000:.1f}", f"{p['read_bytes'] / 1e6:.2f}"))
    table(("dump", "MB", "verdict ms", "MB read"), rows)


main()
