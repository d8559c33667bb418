#!/usr/bin/env python3
"""The answers to real transcripts that lie beside the repository, when they are there.

Of strong, decidable labels at least nine in ten are named first; of partly decidable ones seven in ten
stand among the first three; nothing that a strong label rules out is called strong or surer."""
import json
import os
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DFRULE = os.environ.get("DFRULE", "build/release/dfrule")
FOLDER = os.path.join(os.environ.get("SHARED", "../shared"), "transcripts")
failures = 0


def report(name, good):
    global failures
    print("ok" if good else "not ok", "- shared corpus:", name)
    failures += not good


def main():
    if not os.path.exists(DFRULE) or not os.path.isfile(f"{FOLDER}/ANSWERS.tsv"):
        print("ok - shared corpus # SKIP ../shared is not there, or the command is not built")
        return 0
    p = subprocess.run([DFRULE, "corpus", "eval", FOLDER, "-o", "ndjson"], stdout=subprocess.PIPE)
    o = json.loads(p.stdout)
    strong = [c for c in o["cases"] if c["label_strength"] == "strong" and c["culprit"] != "unknown"]
    yes = [c for c in strong if c["decidable"] == "yes"]
    partly = [c for c in o["cases"] if c["decidable"] == "partly" and c["culprit"] != "unknown"]
    first = sum(c["outcome"] == "right" for c in yes)
    three = sum(c["in_top_three"] for c in partly)
    debugger = sum(c["debugger_outcome"] == "right" for c in yes)
    report("every case is read", not any(c["outcome"] == "unreadable" for c in o["cases"]))
    report(f"named first: {first} of {len(yes)}; the debugger's own verdict: {debugger}", first >= 0.9 * len(yes))
    report(f"partly decidable, among the first three: {three} of {len(partly)}", three >= 0.7 * len(partly))
    for c in o["cases"]:
        if c["outcome"] == "confident":
            print(f"# {c['file']}: sure of {c['named_wrongly']}, the label says {c['culprit']}")
    confident = [c for c in o["cases"] if c["outcome"] == "confident" and c["label_strength"] == "strong"]
    report("nothing wrong is said with confidence", not confident)
    return 1 if failures else 0


sys.exit(main())
