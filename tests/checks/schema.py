#!/usr/bin/env python3
"""Everything the command prints as JSON obeys docs/schema/, as an independent validator reads it.

An object that says `"schema": "dfrule/NAME/1"` is held to docs/schema/NAME.schema.json."""
import glob
import json
import os
import subprocess
import sys

try:
    import jsonschema
except ImportError:  # Debian's module belongs to Debian's Python
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print("ok - schema # SKIP python3-jsonschema is not installed")
    sys.exit(0)

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DFRULE = os.environ.get("DFRULE", "build/release/dfrule")
failures = 0


def report(name, problems):
    global failures
    for p in problems[:20]:
        print("#", p)
    print("not ok" if problems else "ok", "- schema:", name)
    failures += bool(problems)


def load_schemas():
    ret = {}
    for path in sorted(glob.glob("docs/schema/*.schema.json")):
        with open(path, encoding="utf-8") as f:
            schema = json.load(f)
        kind = jsonschema.validators.validator_for(schema)
        try:
            kind.check_schema(schema)
            report(f"{path} is a schema", [])
        except jsonschema.exceptions.SchemaError as e:
            report(f"{path} is a schema", [e.message])
        ret[os.path.basename(path)[:-len(".schema.json")]] = kind(schema)
    return ret


def objects(text):
    """One object, or one a line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def problems_of(schemas, argv):
    p = subprocess.run([DFRULE, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    command = "dfrule " + " ".join(argv)
    try:
        found = objects(p.stdout.decode("utf-8"))
    except (ValueError, UnicodeDecodeError) as e:
        return [f"{command}: no JSON: {e}"]
    ret = [] if found else [f"{command}: printed nothing, exit status {p.returncode}"]
    for o in found:
        name = str(o.get("schema", "?/?/?")).split("/")
        if len(name) != 3 or name[0] != "dfrule" or name[1] not in schemas:
            ret.append(f"{command}: schema {o.get('schema')!r} is not in docs/schema")
            continue
        for e in schemas[name[1]].iter_errors(o):
            ret.append(f"{command}: {'/'.join(map(str, e.absolute_path))}: {e.message[:200]}")
    return ret


def main():
    schemas = load_schemas()
    if not os.path.exists(DFRULE) or not schemas:
        print("ok - schema # SKIP the command or docs/schema is not there")
        return 1 if failures else 0
    corpus = sorted(glob.glob("corpus/transcripts/**/*.txt", recursive=True))
    rules = subprocess.run(["grep", "-rhoP", r"^rule \K\w+", "rules"], stdout=subprocess.PIPE)
    some_rule = sorted(rules.stdout.decode().split())[:1]
    for argv in (["check", "-o", "json"], ["check", "-o", "ndjson"], ["facts", "-o", "json"], ["info", "-o", "json"]):
        report(f"dfrule {' '.join(argv)} on {len(corpus)} transcripts",
               [p for path in corpus for p in problems_of(schemas, [*argv, path])])
    report("dfrule check -o ndjson on the whole folder",
           problems_of(schemas, ["check", "-o", "ndjson", "corpus/transcripts"]))
    report("dfrule corpus eval corpus -o json", problems_of(schemas, ["corpus", "eval", "corpus", "-o", "json"]))
    report("dfrule corpus diff -o json",
           problems_of(schemas, ["corpus", "diff", "rules", "rules,tests/cli/data/shy.dfr", "corpus", "-o", "json"]))
    report("dfrule check --together -o json", problems_of(schemas, ["check", "--together", "-o", "json", *corpus]))
    report("dfrule corpus calibrate corpus --report json",
           problems_of(schemas, ["corpus", "calibrate", "corpus", "--report", "json"]))
    report("dfrule test --coverage -o json",
           problems_of(schemas, ["test", "--coverage", "rules/usb", "-o", "json"]))
    for verb in ("explain", "why-not"):
        for rule in some_rule:
            report(f"dfrule {verb} {rule} -o json",
                   [p for path in corpus[:5] for p in problems_of(schemas, [verb, rule, "-o", "json", path])])
    return 1 if failures else 0


sys.exit(main())
