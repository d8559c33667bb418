#!/usr/bin/env python3
"""JSON golden files obey docs/schema/, and an altered one does not: the schemas are strict."""
import copy
import glob
import json
import os
import sys

try:
    import jsonschema
except ImportError:  # Debian's module belongs to Debian's Python
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print("ok - golden JSON # SKIP python3-jsonschema is not installed")
    sys.exit(0)

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
failures = 0


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def validator(name):
    schema = load(f"docs/schema/{name}.schema.json")
    return jsonschema.validators.validator_for(schema)(schema)


def objects(value):
    """Every object inside, the whole one first."""
    if isinstance(value, dict):
        yield value
        for v in list(value.values()):
            yield from objects(v)
    elif isinstance(value, list):
        for v in value:
            yield from objects(v)


def loose(v, document):
    """Objects of the document that take a field nobody declared."""
    ret = 0
    count = sum(1 for _ in objects(document))
    for i in range(count):
        altered = copy.deepcopy(document)
        list(objects(altered))[i]["Not a field"] = 1
        ret += v.is_valid(altered)
    return ret


for path in sorted(glob.glob("tests/golden/*.json")):
    document = load(path)
    v = validator(document["schema"].split("/")[1])
    problems = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in v.iter_errors(document)]
    if not problems and loose(v, document):
        problems = [f"{loose(v, document)} objects take undeclared fields"]
    for p in problems[:10]:
        print("#", p)
    print("not ok" if problems else "ok", "- schema of", path)
    failures += bool(problems)
sys.exit(1 if failures else 0)
