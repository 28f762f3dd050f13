"""`pilotwire codes`: the fault table for people and programs, made from the firmware's own files.

A row is a dict, the same for every format; what depends on a language is a dict by language.
"""

import json
import sys
from types import ModuleType

from pilotwire.charger import ROOT

SCHEMA = ROOT / "tools/pilotwire/codes.schema.json"
FIRMWARE = ROOT / "firmware/pilotwire"


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
    module = ModuleType("firmware_" + name.replace("/", "_"))
    source = (FIRMWARE / f"{name}.py").read_text()
    exec(compile(source, name, "exec"), module.__dict__)
    return module


def languages():
    """The languages of the display, English first."""
    found = {path.stem[-2:] for path in (FIRMWARE / "tell").glob("faults_??.py")}
    return ("en", *sorted(found - {"en"}))


# Words ----------------------------------------------------------------------------------------

_CLEARS = {
    "en": {
        "W": "with its cause",
        "A": "by itself after {wait_s} s",
        "T": "by itself after {wait_s} s",
        "U": "unplug",
        "S": "button, or switch off and on",
        "P": "service",
    },
    "de": {
        "W": "mit der Ursache",
        "A": "von selbst nach {wait_s} s",
        "T": "von selbst nach {wait_s} s",
        "U": "ausstecken",
        "S": "Taste, oder aus- und einschalten",
        "P": "Service",
    },
}
_THEN = {
    "en": {"A": "; {tries} in 10 min: {then}", "T": ", {tries} times; then {then}",
           "S": "; {tries} times: {then}"},
    "de": {"A": "; {tries} in 10 min: {then}", "T": ", {tries}-mal; dann {then}",
           "S": "; {tries}-mal: {then}"},
}  # fmt: skip
_LED = {
    "en": {"red": ("red", "1 blink", "{} blinks"), "amber": ("amber", "1 pulse", "{} pulses"),
           "pause": "pause"},
    "de": {"red": ("rot", "1-mal blinken", "{}-mal blinken"),
           "amber": ("gelb", "1-mal sanft leuchten", "{}-mal sanft leuchten"), "pause": "Pause"},
}  # fmt: skip
_OPENS = {"0": "no", "1": "by the pilot", "2": "at once"}  # the contactor

# The display's font is ASCII; paper is not.
SPELLED = {
    "Laedt": "Lädt", "Naesse": "Nässe", "pruefen": "prüfen", "Belueftung": "Belüftung",
    "Eindruecken": "Eindrücken", "beruehren": "berühren", "heiss": "heiß", "Stoerung": "Störung",
    "abgekuehlt": "abgekühlt", "Waermefuehler": "Wärmefühler", "Zaehler": "Zähler",
    "beschaedigt": "beschädigt",
}  # fmt: skip


def spelled(text):
    """A German text of the display as one prints it."""
    for ascii_word, word in SPELLED.items():
        text = text.replace(ascii_word, word)
    return text


def clears_in_words(table, row, language="en"):
    """How a row of the fault table clears."""
    def cell(column):
        return table.cell(row, column)

    words = _CLEARS[language]
    how, then = cell(table.CLEARS), cell(table.THEN)
    text = words[how] + (_THEN[language][how] if then != "-" else "")
    return text.format(wait_s=cell(table.WAIT_S), tries=cell(table.TRIES), then=words.get(then, ""))


def led_in_words(code, severity, language="en"):
    """What the LED does: "red: 1 blink, pause, 2 blinks"."""
    colour, one, many = _LED[language][severity]
    major, minor = (one if n == "1" else many.format(n) for n in code.split("-"))
    return f"{colour}: {major}, {_LED[language]['pause']}, {minor}"


# Rows -----------------------------------------------------------------------------------------


def rows():
    """All rows, by code."""
    table = firmware_module("decide/fault_table")
    texts = {at: firmware_module("tell/faults_" + at).words for at in languages()}
    made = [_row(table, row, texts) for row in range(table.COUNT)]
    return sorted(made, key=lambda row: row["code"])


def _row(table, row, texts):
    def cell(column):
        return table.cell(row, column)

    code, severity, mrec = cell(table.CODE), cell(table.SEVERITY), int(cell(table.MREC))
    said = {at: words(code) for at, words in texts.items()}
    return {
        "code": code,
        "name": cell(table.NAME),
        "severity": severity,
        "led": {at: led_in_words(code, severity, at) for at in texts},
        "says": {at: what for at, (what, _) in said.items()},
        "do": {at: todo for at, (_, todo) in said.items()},
        "detect": cell(table.DETECT),
        "opens": _OPENS[cell(table.OPEN)],
        "within_ms": int(cell(table.WITHIN_MS)) or None,
        "pilot": cell(table.PILOT),
        "class": cell(table.CLEARS),
        "wait_s": int(cell(table.WAIT_S)) or None,
        "tries": int(cell(table.TRIES)) or None,
        "then": None if cell(table.THEN) == "-" else cell(table.THEN),
        "ul": None if cell(table.UL) == "-" else cell(table.UL),
        "clears": {at: clears_in_words(table, row, at) for at in texts},
        "ocpp16": cell(table.OCPP16),
        "ocpp2": cell(table.OCPP2),
        "mrec": f"CX{mrec:03}" if mrec else None,
        "everest": cell(table.EVEREST),
        "stop": cell(table.STOP),
    }


# Formats --------------------------------------------------------------------------------------


def opening(row):
    """When the contactor opens, in words."""
    if row["opens"] == "no":
        return "stays closed"
    return row["opens"] + (f", within {row['within_ms']} ms" if row["within_ms"] else "")


def as_text(made, spoken):
    """A paragraph a row; `spoken`: the languages of what people read."""
    for row in made:
        yield f"{row['code']}  {row['name']}"
        for at in spoken:
            yield f"     {row['led'][at]}"
            yield f"     {row['says'][at]}. {row['do'][at]}."
            yield f"     {_CLEARED[at]}: {row['clears'][at]}"
        yield f"     when: {row['detect']}"
        yield f"     contactor: {opening(row)}; pilot: {row['pilot']}; session ends as {row['stop']}"
        yield (f"     OCPP 1.6 {row['ocpp16']}, OCPP 2.0.1 {row['ocpp2']}, "
               f"MREC {row['mrec'] or 'none'}, EVerest {row['everest']}")


_CLEARED = {"en": "clears", "de": "endet"}
# Columns of the Markdown table: heading by language, and what stands there.
_HEADS = {
    "code": ("code", "Code"), "led": ("LED", "LED"),
    "says": ("what the display says", "was das Display sagt"), "do": ("what to do", "was zu tun ist"),
    "clears": ("clears", "endet"),
}  # fmt: skip
_MORE = (
    ("when", lambda row: row["detect"]), ("contactor", opening), ("pilot", lambda row: row["pilot"]),
    ("OCPP 1.6", lambda row: row["ocpp16"]), ("OCPP 2.0.1", lambda row: row["ocpp2"]),
    ("MREC", lambda row: row["mrec"] or "vendor"), ("EVerest", lambda row: row["everest"]),
    ("session ends as", lambda row: row["stop"]),
)  # fmt: skip


def as_markdown(made, spoken, *, led=True, more=True):
    """A table; README's is without `led` and `more`: what the LED does follows from the code."""
    heads, cells = [_HEADS["code"][spoken[0] == "de"]], [[f"{r['code']} {r['severity']}" for r in made]]
    for at in spoken:
        for column in ("led", "says", "do", "clears"):
            if led or column != "led":
                heads.append(_HEADS[column][at == "de"])
                cells.append([row[column][at] for row in made])
    if more:
        heads += [head for head, _ in _MORE]
        cells += [[value(row) for row in made] for _, value in _MORE]
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for line in zip(*cells, strict=True):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"


def as_json(made, spoken):
    """All columns in all languages, as codes.schema.json says."""
    yield json.dumps(made, indent=1, ensure_ascii=False)


FORMATS = {"text": as_text, "md": as_markdown, "json": as_json}


def command(args):
    """0; with --check 1 if something differs; 2 if a file cannot be written."""
    if args.check:
        from pilotwire.codes_check import differences

        found = list(differences())
        for line in found:
            print(line)
        if not found:
            spoken = ", ".join(languages())
            print(f"{len(rows())} codes: table, README, texts ({spoken}) and schema agree")
        return 1 if found else 0
    spoken = languages() if args.lang == "both" else (args.lang,)
    if args.sticker:
        from pilotwire.sticker import sheet

        try:
            drawn = sheet(rows(), spoken)
            with open(args.sticker, "w", encoding="utf-8") as file:
                file.write(drawn)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            print(f"pilotwire codes: {args.sticker} cannot be written: {why}", file=sys.stderr)
            return 2
        return 0
    for line in FORMATS[args.format](rows(), spoken):
        print(line)
    return 0
