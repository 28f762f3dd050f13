"""The schemas of docs/contract, made strict: what they do not mention is an error in a test."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).resolve().parent.parent / "docs/contract"


def schema(name):
    return json.loads((FOLDER / f"{name}.schema.json").read_text())


def _closed(node):
    """Objects inside of others: no members but their own."""
    if isinstance(node, dict):
        if node.get("type") == "object" and "properties" in node:
            node["additionalProperties"] = False
        for value in node.values():
            _closed(value)
    elif isinstance(node, list):
        for value in node:
            _closed(value)


def validator(name):
    strict = schema(name)
    Draft202012Validator.check_schema(strict)
    for value in strict.values():
        _closed(value)
    strict["unevaluatedProperties"] = False
    return Draft202012Validator(strict)


def enum(name, member):
    """The values that a member of a schema may have."""
    found = schema(name)["properties"][member]
    return found["enum"] if "enum" in found else found["items"]["enum"]
