"""Writes the generated parts of README.md: `python -m pilotwire.readme` after a table has changed.

A part stands between `<!-- NAME -->` and `<!-- end -->`.
"""

import importlib.util
import re
import sys
from types import ModuleType

from pilotwire.charger import ROOT

README = ROOT / "README.md"


def fault_table():
    """The firmware's fault table as a CPython module."""
    name = "pilotwire_fault_table"
    stub = ModuleType("micropython")
    stub.const = lambda value: value
    before = sys.modules.get("micropython")
    sys.modules["micropython"] = stub
    try:
        path = ROOT / "firmware/pilotwire/decide/fault_table.py"
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        if before is None:
            del sys.modules["micropython"]
        else:
            sys.modules["micropython"] = before


_CLEARS = {
    "W": "by itself",
    "A": "after {wait_s} healthy seconds",
    "T": "after {wait_s} s, {tries} times; then unplug",
    "U": "unplug",
    "S": "switch off and on",
    "P": "service",
}


def faults():
    table = fault_table()
    rows = sorted(range(table.COUNT), key=table.code)
    yield "| code | what the display says | what to do | clears |"
    yield "|---|---|---|---|"
    for row in rows:
        clears = _CLEARS[table.cell(row, table.CLEARS)].format(
            wait_s=table.cell(row, table.WAIT_S), tries=table.cell(row, table.TRIES)
        )
        yield (f"| {table.code(row)} {table.cell(row, table.SEVERITY)} "
               f"| {table.cell(row, table.TEXT)} | {table.cell(row, table.DO)} | {clears} |")


PARTS = {"faults": faults}


def generated(text):
    """README's text with every generated part made anew."""
    for name, make in PARTS.items():
        body = "\n".join(make())
        text, count = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)",
            lambda found, body=body: f"{found[1]}{body}\n{found[2]}", text, flags=re.S,
        )
        if count != 1:
            raise SystemExit(f"README.md has no place for {name}")
    return text


if __name__ == "__main__":
    README.write_text(generated(README.read_text()))
