#!/usr/bin/env python3
"""Every recipe of the corpus, in every kind of dump and as a transcript: what is known on both sides is
equal, what the recipe says is known where that kind of dump holds it, and the rules rank the same."""
import collections
import glob
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
os.chdir(ROOT)
DFRULE = os.path.join(os.environ.get("BUILD", "build/release"), "dfrule")
KINDS = "triage triage-kernel full bitmap kernel rdmp rdmp-kernel rdmp-user summary header".split()

# What differs by its nature, and why.
SCALARS = {
    "dump.kind": "the transcript is of a bitmap dump",
    "dump.live": "said by attributes of the dump alone",
    "trap.frames": "rows of a stack that is compared by itself",
    "trap.callers": "rows of a stack that is compared by itself",
}
COLUMNS = {
    "stack.method": "how a frame was found: listed or unwound",
    "stack.trust": "who says so: a debugger or the dump",
    "stack.index": "a scan has more rows than a stack",
    "modules.symbols": "the debugger's symbols are not those that we have",
    "modules.has_symbols": "the same",
    "modules.unverified": "the same",
    "blobs.size": "the same",
}
# Rows of a table are the same row when these columns are equal.
KEYS = {
    "modules": "name", "unloaded": "base", "cpus": "id", "trap.regs": "name", "insns": "addr",
    "irps": "addr", "devices": "addr", "error_sections": "index", "locks": "addr", "pools": "addr",
    "threads": "addr",
}
# What small dumps of a recipe do not hold, so that neither stack nor ranking is the transcript's.
LACKS = {
    "7f_double_fault": "a small dump holds the stack in use; the one that overflowed is another",
}
# Recipes of files that end in the middle: of some kinds only the header is left.
TORN = {"d1_torn"}
# Bug checks whose trap frame is that of an interrupt or of a page read: a debugger shows the frame that
# it meets on the stack, no parameter says that the crash was there.
NO_FAULT = {0x101, 0x133, 0x7A}
# Known in every dump of these kinds, whatever the recipe.
ALWAYS = ("bugcheck.code bugcheck.arg1 bugcheck.arg2 bugcheck.arg3 bugcheck.arg4 dump.time dump.arch "
          "os.build os.uptime os.processors").split()
IN_MEMORY = "os.kernel_base os.version cpu.current thread.address thread.process".split()


def run(*args):
    p = subprocess.run([DFRULE, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return p.returncode, p.stdout, p.stderr.decode("utf-8", "replace")


def facts(path, *more):
    code, out, err = run("facts", "-o", "json", *more, path)
    return json.loads(out) if code == 0 else None


def ranking(path, *more):
    code, out, err = run("check", "-o", "json", *more, path)
    if code:
        return None
    return [(c["cause"], c["subject"], c["strength"]) for c in json.loads(out)["causes"]
            if c["strength"] != "none"]


def rows(table, key):
    ret = collections.OrderedDict()
    for r in table["rows"]:
        if r.get(key) is not None:
            ret.setdefault(str(r[key]).lower(), r)
    return ret


def differences(text, dump):
    for name, t in text["facts"].items():
        d = dump["facts"].get(name)
        if name in SCALARS or t["state"] != "known" or not d or d["state"] != "known":
            continue
        if name == "trap.symbol" and same_symbol(t["value"], d["value"]):
            continue
        if t["value"] != d["value"]:
            yield f"{name}: text {t['value']}, dump {d['value']}"
    for name, key in KEYS.items():
        a, b = rows(text["tables"][name], key), rows(dump["tables"][name], key)
        if text["tables"][name]["complete"] and dump["tables"][name]["complete"] and set(a) != set(b):
            yield f"{name}: text has {sorted(set(a) - set(b))}, dump has {sorted(set(b) - set(a))}"
        for k in a:
            for column, t in a[k].items():
                d = b.get(k, {}).get(column)
                if t is None or d is None or column.startswith("_") or f"{name}.{column}" in COLUMNS:
                    continue
                if column in ("operands",) or column in ("sym", "symbol", "completion") and same_symbol(t, d):
                    continue
                if t != d:
                    yield f"{name}[{k}].{column}: text {t}, dump {d}"
    yield from stack_differences(text["tables"]["stack"], dump["tables"]["stack"])


def same_symbol(a, b):
    """module!function+1 and module+2 may be the same place: only the module is compared then."""
    a, b = a.lower(), b.lower()
    if ("!" in a) == ("!" in b):
        return a == b
    return a.split("!")[0].split("+")[0] == b.split("!")[0].split("+")[0]


def stack_differences(text, dump):
    """Frames that were unwound are the debugger's, in its order; a scan may find more, never less."""
    listed = {r["sp"]: r for r in text["rows"] if r["sp"]}
    for r in dump["rows"]:
        if r["method"] == "scan" or not r["sym"]:
            continue
        t = listed.get(r["sp"]) or next((x for x in text["rows"] if x["address"] == r["address"]), None)
        if t is None:
            yield f"stack: {r['sp']} {r['sym']} ({r['method']}) is no frame of the debugger's"
        elif r["sym"] and t["sym"] and not same_symbol(t["sym"], r["sym"]):
            yield f"stack[{r['sp']}]: text {t['sym']}, dump {r['sym']}"
        elif r["ret"] and t["ret"] and r["ret"] != t["ret"]:
            yield f"stack[{r['sp']}].ret: text {t['ret']}, dump {r['ret']}"


def same_stack(text, dump):
    """Rules that look at callers say the same only where the dump's stack was unwound to its end."""
    certain = [r for r in dump["tables"]["stack"]["rows"] if r["method"] != "scan"]
    listed = text["tables"]["stack"]["rows"]
    # A dump's stack begins where the fault was, when that is known; a debugger's at its newest frame.
    for i, r in enumerate(listed):
        if certain and (r["sp"] == certain[0]["sp"] or r["address"] == certain[0]["address"]):
            return len(certain) >= len(listed) - i
    return False


def missing(text, dump):
    """What the debugger shows of the fault, a dump with the memory shows too."""
    names = "trap.address trap.access trap.exception".split()
    if text["facts"]["bugcheck.code"]["value"] not in NO_FAULT:
        names += ["trap.rip", "trap.symbol"]
    for name in names:
        if text["facts"][name]["state"] == "known" and dump["facts"][name]["state"] != "known":
            yield f"{name} is unknown: {dump['facts'][name].get('reason')}"
    if len(dump["tables"]["locks"]["rows"]) < len(text["tables"]["locks"]["rows"]):
        yield "not all locks are listed"


def unknown(kind, dump):
    names = list(ALWAYS) + ([] if kind == "header" else IN_MEMORY)
    if "thread.process" in names and dump["facts"]["dump.arch"]["value"] == "x86":
        names.remove("thread.process")  # no table of offsets has its place: types are needed
    if kind == "triage-kernel":
        names.remove("os.version")
    for name in names:
        if dump["facts"][name]["state"] != "known":
            yield f"{name} is unknown: {dump['facts'][name].get('reason')}"


failures = 0


def report(name, problems):
    global failures
    for p in problems[:12]:
        print("#", p)
    print("not ok" if problems else "ok", "-", name)
    failures += bool(problems)


def one(recipe, folder):
    name = os.path.splitext(os.path.basename(recipe))[0]
    path = os.path.join(folder, name + ".txt")
    code, _, err = run("forge", "--text", recipe, "-o", path)
    if code:
        report(f"{name}: transcript", [err])
        return
    text, ranks, problems = facts(path), ranking(path), []
    images = os.path.join(folder, name + ".images")
    code, _, err = run("forge", "--images", images, recipe)
    if code:
        report(f"{name}: images", [err])
        return
    compared = []
    x86 = text["facts"]["dump.arch"]["value"] == "x86"
    for kind in KINDS:
        if x86 and kind.startswith("rdmp"):
            continue
        path = os.path.join(folder, f"{name}.{kind}.dmp")
        code, _, err = run("forge", "--kind", kind, recipe, "-o", path)
        dump = facts(path) if code == 0 else None
        if dump is None:
            problems.append(f"{kind}: {err or 'not read'}")
            continue
        problems += [f"{kind}: {p}" for p in differences(text, dump)]
        problems += [f"{kind}: {p}" for p in unknown("header" if name in TORN else kind, dump)]
        if kind not in ("triage", "triage-kernel", "header") and name not in TORN:
            problems += [f"{kind}: {p}" for p in missing(text, dump)]
        if kind.startswith("triage"):
            # Small dumps hold no images: with those beside them they are unwound as others are.
            symbols = ("--symbols", images)
            dump = facts(path, *symbols)
            problems += [f"{kind} with images: {p}" for p in differences(text, dump)]
            if name not in TORN:
                problems += [f"{kind} with images: {p}" for p in unknown(kind, dump)]
            if not same_stack(text, dump) and name not in LACKS and name not in TORN:
                problems.append(f"{kind} with images: the stack is not unwound to its end")
        else:
            symbols = ()
        if same_stack(text, dump):
            got = ranking(path, *symbols)
            if got != ranks:
                problems.append(f"{kind}: text ranks {ranks}, dump {got}")
            compared.append(kind)
        os.unlink(path)
    report(f"{name}: text and every kind of dump agree; ranked alike in {' '.join(compared) or 'none'}",
           problems)


with tempfile.TemporaryDirectory() as folder:
    recipes = sys.argv[1:] or sorted(glob.glob("corpus/recipes/*.yaml"))
    report("there are recipes", [] if recipes else ["corpus/recipes is empty"])
    for recipe in recipes:
        one(recipe, folder)
sys.exit(1 if failures else 0)
