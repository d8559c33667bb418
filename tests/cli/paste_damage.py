#!/usr/bin/env python3
"""What pasting does to a transcript does not change what is read from it.

Every transcript is damaged in every way that mail, forums, wikis, bug trackers and editors are known to damage
text; then the bug check, the processor, the stack, the modules, the processors' states and the trap's registers
must be the same as before. Damage that loses information may turn what was known into unknown (`weaker`),
never into something else. Texts of several crashes, one behind the other, must be read as those crashes.

`paste_damage.py NAME [FILE]...` tries one damage only and shows all that differs."""
import glob
import html
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DFRULE = os.environ.get("DFRULE", os.path.join(ROOT, "build/release/dfrule"))
SHARED = os.environ.get("SHARED", os.path.join(ROOT, "../shared"))
SCALARS = ["bugcheck.code", "bugcheck.arg1", "bugcheck.arg2", "bugcheck.arg3", "bugcheck.arg4",
           "cpu.current", "trap.rip", "trap.sp"]
TABLES = {"stack": ["module", "func", "offset", "sp"], "modules": ["name", "base", "built"],
          "cpus": ["id", "ipi_frozen"]}
PROSE = ("We have looked at this machine for some weeks now and replaced nearly all of it, the memory, the board "
         "and at last the disk, but every few days it stops again while nobody is near it, and the person "
         "who owns it would like to know what to do next. ") * 3

TICKED = re.compile(r"(?<![0-9a-f`'])([0-9a-f]{8})`([0-9a-f]{8})(?![0-9a-f`'])")
LONG = re.compile(r"(?<![\w`'.\\])(?:0x)?[0-9a-f]{8}(?:`?[0-9a-f]{8})?(?![\w`'.\\])")
HEX = re.compile(r"(?<![\w`'.\\/@-])(?:[0-9a-f]{8}(?:`?[0-9a-f]{8})?|0x[0-9a-f]+(?:`[0-9a-f]{8})?)(?![\w`'.\\-])"
                 r"|(?<=\w\+0x)[0-9a-f]+\b|(?<=[A-Z] \()[0-9a-f]+(?=\)\s)")
ARG = re.compile(r"^([ \t>*]*)(Arg[1-4]:)([^\n]*?)[ \t]*$", re.M)
FRAME = re.compile(r"^((?:[0-9a-f]{2}\s+)?[0-9a-f]{8}`[0-9a-f]{8}\s+[0-9a-f]{8}`[0-9a-f]{8}\s.*\w!?\w+\+0x[0-9a-f]+)[ \t]*$",
                   re.M)
PROMPT = re.compile(r"^(?=(?:\d+: )?kd> )", re.M)


def each_line(fn):
    return lambda t: "\n".join(fn(line) for line in t.split("\n"))


def encoded(codec, mark=b""):
    return lambda t: mark + t.encode(codec)


def escaped(t):
    return html.escape(t, quote=True).replace("&#x27;", "'").replace("`", "&#96;")


def wrapped(width):
    def line_of(line):
        out = []
        while len(line) > width:
            cut = line.rfind(" ", 1, width + 1)
            if cut <= 0 or not line[:cut].strip():
                cut = line.find(" ", width)
            if cut < 0:
                break
            out.append(line[:cut])
            line = line[cut + 1:]
        return "\n".join(out + [line])
    return each_line(line_of)


def compressed(t):
    return "\n".join(re.sub(r"[ \t]+", " ", line).strip() for line in t.split("\n") if line.strip())


def commented(t):
    return "/*\n" + "\n".join((" * " + line).rstrip() for line in t.split("\n")) + "\n */\n"


def flat(t):
    return re.sub(r"\s*\n\s*", " ", t).strip() + "\n"


def has_markup(t):
    return re.search(r"&(gt|lt|amp|quot|#\d+);|<(br|pre|span|p|td|li|code)\b", t) is not None


def has_marks(t):
    return re.search(r"^[ \t]*>", t, re.M) is not None


# name: (damage, transcripts that it cannot be done to, what may change)
DAMAGES = {
    "quoted": (each_line(lambda s: "> " + s), None, ""),
    "quoted without a blank on empty lines": (each_line(lambda s: "> " + s if s else ">"), None, ""),
    "quoted twice": (each_line(lambda s: "> > " + s), None, ""),
    "quoted twice, closely": (each_line(lambda s: ">> " + s), None, ""),
    "indented by 4": (each_line(lambda s: "    " + s), None, ""),
    "indented by a tab": (each_line(lambda s: "\t" + s), None, ""),
    "CRLF": (lambda t: t.replace("\n", "\r\n"), None, ""),
    "UTF-16LE": (encoded("utf-16-le", b"\xff\xfe"), None, ""),
    "UTF-16BE": (encoded("utf-16-be", b"\xfe\xff"), None, ""),
    "UTF-8 mark": (encoded("utf-8", b"\xef\xbb\xbf"), None, ""),
    "line-break blanks": (each_line(lambda s: s + "  "), None, ""),
    "fence": (lambda t: "```\n" + t + "\n```\n", None, ""),
    "fence with dbgcmd": (lambda t: "```dbgcmd\n" + t + "\n```\n", None, ""),
    "tilde fence with text": (lambda t: "~~~ text\n" + t + "\n~~~\n", None, ""),
    "fence of each command": (lambda t: "```\n" + PROMPT.sub("```\n\n```\n", t) + "\n```\n", None, ""),
    "entities": (escaped, has_markup, ""),
    "pre": (lambda t: "<html><body><pre>\n" + escaped(t) + "\n</pre></body></html>\n", has_markup, ""),
    "br": (each_line(lambda s: escaped(s) + "<br/>"), has_markup, ""),
    "span": (each_line(lambda s: '<span class="x">' + escaped(s) + "</span><br>"), has_markup, ""),
    "p": (each_line(lambda s: "<p>" + escaped(s) + "</p>"), has_markup, ""),
    "[code]": (lambda t: "[code]\n" + t + "\n[/code]\n", None, ""),
    "[CODE] [QUOTE=x]": (lambda t: "[QUOTE=\"someone, post: 1\"][CODE]" + t + "[/CODE][/QUOTE]\n", None, ""),
    "[COLOR] of values": (lambda t: LONG.sub(r"[COLOR=#ff0000]\g<0>[/COLOR]", t), None, ""),
    "[b] of values": (lambda t: LONG.sub(r"[b]\g<0>[/b]", t), None, ""),
    "backticks of addresses lost": (lambda t: TICKED.sub(r"\1\2", t), None, ""),
    "all backticks lost": (lambda t: re.sub(r"(?<!`)`(?!`)", "", t), None, "quotes"),
    "backticks to apostrophes": (lambda t: re.sub(r"(?<!`)`(?!`)", "'", t), None, "quotes"),
    "typographic apostrophes": (lambda t: TICKED.sub("\\1\u2019\\2", t), None, ""),
    "blanks compressed": (compressed, None, ""),
    "no-break spaces": (lambda t: t.replace(" ", "\u00a0"), None, ""),
    "ideographic spaces": (lambda t: t.replace(" ", "\u3000"), None, ""),
    "tabs for runs of blanks": (each_line(lambda s: re.sub(r"(?<=\S)  +(?=\S)", "\t", s)), None, ""),
    "** around arguments": (lambda t: ARG.sub(r"\1**\2\3**", t), None, ""),
    "__ around arguments": (lambda t: ARG.sub(r"\1__\2\3__", t), None, ""),
    "** around Arg": (lambda t: ARG.sub(r"\1**\2**\3", t), None, ""),
    "C comment": (commented, has_marks, ""),
    "comment with //": (each_line(lambda s: "// " + s), has_marks, ""),
    "comment with #": (each_line(lambda s: ("# " + s).rstrip()), has_marks, ""),
    "comment with ;": (each_line(lambda s: "; " + s), has_marks, ""),
    "bars in front": (each_line(lambda s: "| " + s), has_marks, ""),
    "remarks behind frames": (lambda t: FRAME.sub(r"\1 <- this is where it went wrong, see 12 above", t), None, ""),
    "wrapped at 80": (wrapped(80), None, ""),
    "wrapped at 100": (wrapped(100), None, ""),
    "flattened": (flat, None, "weaker"),
    "upper-case hex": (lambda t: HEX.sub(lambda m: m[0].upper().replace("0X", "0x"), t), None, ""),
    "dashes to typographic": (lambda t: re.sub(r"(?<=\s)-(?=[a-z]\b)", "\u2013", t).replace("Child-SP", "Child\u2011SP"), None,
                              ""),
    "zero-width spaces in long words": (each_line(lambda s: re.sub(r"(\S{16})(?=\S{4})", "\\1\u200b", s)), has_markup, ""),
    "soft hyphens in long words": (each_line(lambda s: re.sub(r"(\w{16})(?=\w{4})", "\\1\u00ad", s)), None, ""),
    "joiners and direction marks": (each_line(lambda s: "\u200e" + s.replace(" ", " \u2060") + "\u200f"), None, ""),
    "CR alone": (lambda t: t.replace("\n", "\r"), None, ""),
    "CR CR LF": (lambda t: t.replace("\n", "\r\r\n"), None, ""),
    "line separators": (lambda t: t.replace("\n", "\u2028"), None, ""),
    "double spaced": (lambda t: t.replace("\n", "\n\n"), None, ""),
    "colours of a terminal": (lambda t: LONG.sub("\x1b[1;31m\\g<0>\x1b[0m", t), None, ""),
    "nbsp entities": (lambda t: escaped(t).replace(" ", "&nbsp;"), has_markup, ""),
    "numbered entities": (lambda t: re.sub(r"[`<>&!_'\"]", lambda m: f"&#x{ord(m[0]):x};", t), has_markup, ""),
    "table cells": (each_line(lambda s: "<tr><td>" + escaped(s) + "</td></tr>"), has_markup, ""),
    "links of the debugger": (lambda t: re.sub(r"\b\w+!\w+(?=\+0x)", r'<exec cmd="ln \g<0>">\g<0></exec>', t), None, ""),
    "escaped for Markdown": (lambda t: re.sub(r"(?<=\w)_(?=\w)", r"\_", t), lambda t: "\\_" in t, ""),
    "block of a diff": (each_line(lambda s: "+" + s), has_marks, ""),
    "quoted strings": (each_line(lambda s: '"' + s + '"'), lambda t: '"' in t, ""),
    "prose between commands": (lambda t: PROMPT.sub("\n" + PROSE.strip() + "\n\n", t) + "\n" + PROSE, None, ""),
    "prose in front": (lambda t: PROSE + "\n\n" + t, None, ""),
}


def digest(o):
    """What must stay: {name: value}; a list for each table, a count for stacks"""
    ret = {}
    for name in SCALARS:
        v = o["facts"].get(name) or {}
        ret[name] = v.get("value") if v.get("state") == "known" else None
    for name, columns in TABLES.items():
        ret[name] = [tuple(row.get(c) for c in columns) for row in o["tables"][name]["rows"]]
    ret["other stacks"] = len({row["stack"] for row in o["tables"]["other_stacks"]["rows"]})
    return ret


def plain(d):
    """Without what lost backticks change inside of C++ names"""
    ret = dict(d)
    ret["stack"] = [(m, f and f.replace("`", "").replace("'", ""), o, s) for m, f, o, s in d["stack"]]
    return ret


def weaker(a, b):
    """Is each value of `b` that of `a`, or unknown?"""
    if isinstance(a, list):
        rest = iter(a)
        return all(any(all(y is None or x == y for x, y in zip(p, q)) for p in rest) for q in b)
    return b is None or a == b


def differences(was, now, mode):
    """[what differs] between the crashes of two readings"""
    if mode == "quotes":
        was, now = [plain(d) for d in was], [plain(d) for d in now]
    ret = []
    if len(was) != len(now) and (now or mode != "weaker"):
        ret.append(f"{len(was)} crashes became {len(now)}")
    for n, (a, b) in enumerate(zip(was, now), 1):
        for k in a:
            if a[k] == b[k] or (mode == "weaker" and weaker(a[k], b[k])):
                continue
            x, y = a[k], b[k]
            if isinstance(x, list):
                at = next((i for i, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
                x, y = (f"{len(v)} rows, [{at}] {v[at] if at < len(v) else None}" for v in (x, y))
            ret.append(f"crash {n}: {k}: {x} became {y}")
    return ret


def read_all(folder):
    """{file name: [digest of each crash]}"""
    p = subprocess.run([DFRULE, "facts", "-q", "-o", "ndjson", folder], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    if p.returncode not in (0, 4, 5):
        print(f"not ok - exit status {p.returncode}: {p.stderr.decode(errors='replace')[:500]}")
        sys.exit(1)
    ret = {}
    for line in p.stdout.split(b"\n"):
        o = json.loads(line) if line else {"error": 1}
        if "error" not in o:
            ret[os.path.basename(o["input"]["path"])] = [digest(c) for c in [o, *o["other_crashes"]]]
    return ret


def load():
    """{name: text} of every transcript that is there"""
    ret = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "corpus/transcripts/**/*.txt"), recursive=True)) + sorted(
            glob.glob(os.path.join(SHARED, "transcripts/*.txt"))):
        with open(path, "rb") as f:
            ret[os.path.basename(path)] = f.read().decode("utf-8", "replace").replace("\r\n", "\n")
    return ret


def write(folder, name, text):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())


def read_texts(texts):
    with tempfile.TemporaryDirectory(prefix="dfrule-paste-") as tmp:
        for name, text in texts.items():
            write(tmp, name, text)
        return read_all(tmp)


def say(name, tried, bad, show):
    for file, ds in list(bad.items())[:show]:
        print(*(f"# {file}: {d}" for d in ds[:show]), sep="\n")
    print(f"{'not ok' if bad else 'ok'} - paste: {name}: {tried} texts" + (f", {len(bad)} differ" if bad else ""))
    return bool(bad)


def one_behind_another(texts, base):
    """Texts of three crashes, from transcripts that hold one crash each and begin with its bug check."""
    single = [n for n, crashes in base.items() if len(crashes) == 1 and crashes[0]["bugcheck.code"] is not None
              and re.search(r"^\**\s*\w*_\w+ \([0-9a-f]+\)\s*$|^BugCheck [0-9A-F]+, \{", texts[n][:2000], re.M)
              and not re.search(r"kd>|!\w+\+0x", re.split(r"_\w+ \([0-9a-f]+\)\s*\n|BugCheck ", texts[n])[0])]
    ret = {}
    for i, first in enumerate(single):
        chosen, codes = [], set()
        for name in single[i:] + single[:i]:
            code = base[name][0]["bugcheck.code"]
            if code not in codes and len(chosen) < 3:
                chosen.append(name)
                codes.add(code)
        ret[first] = chosen
    return ret


def main():
    texts = load()
    only = sys.argv[1:2]
    if sys.argv[2:]:
        texts = {n: t for n, t in texts.items() if n in sys.argv[2:]}
    show = 10**6 if only else 3
    base = read_texts(texts)
    texts = {n: t for n, t in texts.items() if n in base}
    failures = 0
    for name, (damage, cannot, mode) in DAMAGES.items():
        if only and only[0] != name:
            continue
        damaged = {n: damage(t) for n, t in texts.items() if not (cannot and cannot(t))}
        now = read_texts(damaged)
        bad = {n: differences(base[n], now.get(n, []), mode) for n in damaged}
        failures += say(name, len(damaged), {n: b for n, b in bad.items() if b}, show)
    if not only or only[0] == "crashes":
        groups = one_behind_another(texts, base)
        now = read_texts({n: "\n\n".join(texts[m] for m in g) for n, g in groups.items()})
        bad = {n: differences([base[m][0] for m in g], now.get(n, []), "") for n, g in groups.items()}
        failures += say("crashes one behind another", len(groups), {n: b for n, b in bad.items() if b}, show)
    return 1 if failures else 0


sys.exit(main())
