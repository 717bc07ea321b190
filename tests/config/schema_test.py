"""The loader and the JSON Schemas must agree.

Every file of the examples and of valid/ and warning/ must be valid by its schema. In invalid/shape the
schema must reject exactly the files that expected.txt, the loader's diagnostics, complains about; in
invalid/meaning it must accept all, because what is wrong there only the loader can know. What is in
invalid/file never gets as far as a schema.
"""

import json
import re
import sys
from pathlib import Path

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-jsonschema, python3-yaml)")
    sys.exit(77)

HERE = Path(__file__).resolve().parent
CONFIG = HERE.parent.parent / "config"


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2 core schema: PyYAML's own resolver is that of YAML 1.1."""


def integer(loader, node):
    text = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0x", "0o") else int(text)


CoreLoader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        list("-+.0123456789"),
    ),
):
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)
CoreLoader.add_constructor("tag:yaml.org,2002:int", integer)


def validator(name):
    schema = json.loads((CONFIG / "schema" / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


GATEWAY = validator("gateway.schema.json")
RULES = validator("rules.schema.json")


def rejected(folder):
    """The files of a configuration that its schema rejects, and why."""
    complaints = {}
    files = {"gateway.yaml": GATEWAY}
    files |= {f"rules/{file.name}": RULES for file in (folder / "rules").glob("*.yaml")}
    for name, schema in files.items():
        document = yaml.load((folder / name).read_bytes(), Loader=CoreLoader)
        first = jsonschema.exceptions.best_match(schema.iter_errors(document))
        if first:
            complaints[name] = first.message
    return complaints


def complained_about(folder):
    expected = (folder / "expected.txt").read_text()
    return {line.split(":")[0] for line in expected.splitlines() if not line.startswith(" ")}


def folders(below):
    found = sorted(file.parent for file in below.rglob("gateway.yaml"))
    assert found, f"nothing in {below}"
    return found


def main():
    failures = []
    accepted = [CONFIG / "examples", HERE / "valid", HERE / "warning", HERE / "invalid" / "meaning"]
    count = 0
    for folder in (folder for below in accepted for folder in folders(below)):
        count += 1
        for name, message in rejected(folder).items():
            failures.append(f"{folder}/{name}: the schema rejects what it should accept: {message}")
    for folder in folders(HERE / "invalid" / "shape"):
        count += 1
        by_schema, by_loader = rejected(folder), complained_about(folder)
        for name in by_loader - by_schema.keys():
            failures.append(f"{folder}/{name}: the schema accepts what the loader rejects")
        for name in by_schema.keys() - by_loader:
            failures.append(f"{folder}/{name}: only the schema rejects this: {by_schema[name]}")
    print("\n".join(failures))
    print(f"{count} configurations, {len(failures)} disagreements")
    return 1 if failures else 0


sys.exit(main())
