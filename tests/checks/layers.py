#!/usr/bin/env python3
"""Every #include under engine/ obeys the dependency line of docs/ARCHITECTURE.md."""
import glob
import os
import re
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))

# A third-party header stands behind these files only.
THIRD_PARTY = {
    "pcre2.h": r"code/regex\w*\.[ch]",
    "capstone/": r"dump/insn\w*\.[ch]",
    "sodium.h": r"api/\w+\.[ch]",
    "jansson.h": r"(report|api|pack)/\w+\.[ch]",
    "utf8proc.h": r"(base|lang|text|report)/\w+\.[ch]",
    "xxhash.h": r"(base|code|api|lang|pack)/\w+\.[ch]",
    "mspack.h": r"image/cab\.c",
    "curl/": r"cli/fetch\.c",
    "yaml.h": r"forge/yaml\.[ch]",
    "criterion/": r"$^",
}


def ranks():
    """{layer: rank}; layers in the same braces share a rank."""
    with open("docs/ARCHITECTURE.md", encoding="utf-8") as f:
        rule = next(line for line in f if re.match(r"    base < ", line))
    ret = {}
    for rank, group in enumerate(rule.strip().split("<")):
        for layer in re.findall(r"\w+", group):
            ret[layer] = rank
    return ret


def main():
    rank, bad = ranks(), 0
    for folder in sorted(os.listdir("engine")):
        if folder in ("tools", "include") or not os.path.isdir(f"engine/{folder}"):
            continue
        files = sorted(glob.glob(f"engine/{folder}/**/*.[ch]", recursive=True))
        files += sorted(glob.glob(f"engine/{folder}/*.inc")) + sorted(glob.glob(f"engine/{folder}/*.def"))
        if folder == "lang":
            files += sorted(glob.glob("grammar/*.[ly]"))
        problems = [] if folder in rank else [f"engine/{folder} is no layer of docs/ARCHITECTURE.md"]
        for path in files:
            with open(path, encoding="utf-8", errors="replace") as f:
                for number, line in enumerate(f, 1):
                    m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
                    if m and folder in rank:
                        why = judge(rank, folder, path, m[1], m[2])
                        if why:
                            problems.append(f"{path}:{number}: {why}")
        for p in problems:
            print("#", p)
        print("not ok" if problems else "ok", f"- layers: engine/{folder} includes only what stands lower")
        bad += len(problems)
    return 1 if bad else 0


def judge(rank, folder, path, quote, header):
    local = path.split("/", 1)[1]
    for prefix, allowed in THIRD_PARTY.items():
        if header.startswith(prefix) and not re.fullmatch(allowed, local):
            return f"<{header}> stays behind {allowed}"
    target = header.split("/")[0] if "/" in header else None
    if header in ("dfrule.h", "include/dfrule.h"):
        return None if folder in ("api", "cli") else "only api and cli know the public header"
    if quote == "<" or target is None:
        return None
    if target == "grammar" and folder == "lang":
        return None
    if target not in rank:
        return f'"{header}" belongs to no layer'
    if target == folder:
        return None
    if folder == "cli":
        return f'the command uses dfrule.h alone, not "{header}"'
    if rank[target] >= rank[folder]:
        return f"{folder} may not include {target}"
    return None


sys.exit(main())
