"""Writes the generated parts of README.md: `python -m pilotwire.readme` after a table has changed.

A part stands between `<!-- NAME -->` and `<!-- end -->`.
"""

import importlib.util
import re
import sys
from types import ModuleType

from pilotwire.charger import ROOT

README = ROOT / "README.md"


def firmware_module(name):
    """A pure module of the firmware, such as "decide/fault_table", as a CPython module."""
    stub = ModuleType("micropython")
    stub.const = lambda value: value
    before = {key: sys.modules.get(key) for key in ("micropython", "pilotwire.decide.fault_rows")}
    sys.modules["micropython"] = stub
    try:
        sys.modules["pilotwire.decide.fault_rows"] = _load("decide/fault_rows")
        return _load(name)
    finally:
        for key, module in before.items():
            if module is None:
                del sys.modules[key]
            else:
                sys.modules[key] = module


def _load(name):
    path = ROOT / f"firmware/pilotwire/{name}.py"
    spec = importlib.util.spec_from_file_location("firmware_" + name.replace("/", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_CLEARS = {
    "W": "with its cause",
    "A": "by itself after {wait_s} s",
    "T": "by itself after {wait_s} s",
    "U": "unplug",
    "S": "button, or switch off and on",
    "P": "service",
}
_MORE = {"A": "; {tries} in 10 min: {then}", "T": ", {tries} times; then {then}",
         "S": "; {tries} times: {then}"}


def clears(table, row):
    """How a row of the fault table clears, in words."""
    def cell(column):
        return table.cell(row, column)

    values = {"wait_s": cell(table.WAIT_S), "tries": cell(table.TRIES),
              "then": _CLEARS.get(cell(table.THEN), "")}
    how = cell(table.CLEARS)
    words = _CLEARS[how] + (_MORE[how] if cell(table.THEN) != "-" else "")
    return words.format(**values)


def faults():
    table = firmware_module("decide/fault_table")
    words = firmware_module("tell/faults_en").words
    rows = sorted(range(table.COUNT), key=table.code)
    yield "| code | what the display says | what to do | clears |"
    yield "|---|---|---|---|"
    for row in rows:
        code = table.code(row)
        text, todo = words(code)
        yield (f"| {code} {table.cell(row, table.SEVERITY)} | {text} | {todo} "
               f"| {clears(table, row)} |")


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
