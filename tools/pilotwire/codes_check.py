"""`pilotwire codes --check`: everything that must follow from the fault table, and where it does not.

A difference is one line: the file, the code, and what is wrong. What cannot be judged because of an
earlier difference is not judged.
"""

import json
import re
import textwrap

from pilotwire import codes, readme

_COLUMNS = {
    # column: what a cell must look like
    "code": r"[1-8]-[1-7]", "name": r".+", "severity": "red|amber", "open": "[012]",
    "within_ms": r"\d+", "pilot": "pwm|x1|f", "clears": "[WATUSP]", "wait_s": r"\d+", "tries": r"\d+",
    "then": "-|[WATUSP]", "ul": r"-|[WATUSP]\d+x\d+", "detect": r".+", "ocpp16": r"[A-Za-z]+",
    "mrec": r"\d{1,2}", "ocpp2": r"[A-Za-z]+\.[A-Za-z]+", "everest": r"\w+", "stop": r"[A-Za-z]+",
}  # fmt: skip
_WIDE, _HIGH = 16, 6  # a page of the display: columns, and lines for what is wrong and what to do


def differences():
    """Yields the lines; none: all is complete."""
    for part in (_table, _texts, _schema, _readme):
        found = list(part())
        yield from found
        if found and part in (_table, _texts):
            return


def _table():
    file = "decide/fault_table.py"
    table = codes.firmware_module("decide/fault_table")
    head, *lines = (line.split("|") for line in table.TABLE.splitlines())
    if head != list(_COLUMNS):
        yield f"{file}: the columns are {', '.join(head)}; wanted: {', '.join(_COLUMNS)}"
        return
    if len(lines) != table.COUNT:
        yield f"{file}: {len(lines)} rows, but fault_rows.py counts {table.COUNT}"
    seen = set()
    for cells in lines:
        code = cells[0]
        if code in seen:
            yield f"{file}: {code} is there twice"
        seen.add(code)
        if len(cells) != len(_COLUMNS):
            yield f"{file}: {code} has {len(cells)} cells of {len(_COLUMNS)}"
            continue
        for (column, wanted), cell in zip(_COLUMNS.items(), cells, strict=True):
            if not re.fullmatch(wanted, cell):
                yield f"{file}: {code}: {column} may not be {cell!r}"
        if cells[2] == "amber" and cells[3] != "0":
            yield f"{file}: {code} warns in amber, and opens the contactor"


def _names(module):
    """{name: shape} of a language's constants: its keys, how many, or how many figures go in."""
    shapes = {}
    for name, value in vars(module).items():
        if name.isupper() and not isinstance(value, int):
            if isinstance(value, str):
                shapes[name] = value.count("%d")
            else:
                shapes[name] = sorted(value) if isinstance(value, dict) else len(value)
    return shapes


def _texts():
    table = codes.firmware_module("decide/fault_table")
    waits = {
        table.code(row) for row in range(table.COUNT)
        if table.cell(row, table.CLEARS) in "AT" or table.cell(row, table.UL)[0] in "AT"
    }
    wanted = {table.code(row) for row in range(table.COUNT)}
    english = _names(codes.firmware_module("tell/texts_en"))
    for language in codes.languages():
        file = f"tell/texts_{language}.py"
        if not (codes.FIRMWARE / file).is_file():
            yield f"{file} is missing"
            continue
        names = _names(codes.firmware_module(file[:-3]))
        for name in sorted({*names, *english}):
            if names.get(name) != english.get(name):
                yield f"{file}: {name} is not as in English"
        file = f"tell/faults_{language}.py"
        lines = codes.firmware_module(file[:-3]).TABLE.splitlines()
        texts = {line.split("|")[0]: line.split("|")[1:] for line in lines}
        for code in sorted(wanted - set(texts)):
            yield f"{file}: {code} has no text"
        for code in sorted(set(texts) - wanted):
            yield f"{file}: {code} is no fault of the table"
        for code, said in texts.items():
            if len(said) != 2 or not all(said) or not "".join(said).isascii():
                yield f"{file}: {code} must say in ASCII what is wrong, and what to do"
                continue
            high = sum(len(textwrap.wrap(text, _WIDE, break_on_hyphens=False)) for text in said)
            if high > _HIGH - (code in waits):
                yield f"{file}: {code} takes {high} lines of {_WIDE}, there are {_HIGH - (code in waits)}"


def _schema():
    from jsonschema import Draft202012Validator

    file = codes.SCHEMA.name
    schema = json.loads(codes.SCHEMA.read_text())
    made = codes.rows()
    listed, there = schema["$defs"]["code"]["enum"], [row["code"] for row in made]
    for code in sorted(set(there) - set(listed)):
        yield f"{file}: {code} is missing"
    for code in sorted(set(listed) - set(there)):
        yield f"{file}: {code} is no fault of the table"
    languages = schema["$defs"]["words"]["required"]
    if sorted(languages) != sorted(codes.languages()):
        yield f"{file}: its languages are {', '.join(languages)}"
    for error in Draft202012Validator(schema).iter_errors(made):
        at = made[error.path[0]]["code"] if error.path else "all"
        if "/".join(map(str, list(error.path)[1:])) != "code":
            yield f"{file}: {at}: {error.message[:120]}"


def _readme():
    text = readme.README.read_text()
    try:
        same = readme.generated(text) == text
    except SystemExit as missing:
        yield str(missing)
        return
    if not same:
        yield "README.md: its table is not the code's: run python -m pilotwire.readme"
