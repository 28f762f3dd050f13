"""A board.json as data: reading it strictly, its schema, and which GPIO serves what.

The schema (boards/board.schema.json) says of each member what may stand there and what it is; the
checks, the wiring picture and docs/boards.md are made from it.
"""

import difflib
import json
from dataclasses import dataclass
from functools import cache

from jsonschema import Draft202012Validator, validators

from pilotwire.charger import ROOT

SCHEMA = ROOT / "boards/board.schema.json"
# Kinds of GPIO, as the schema's $defs name them.
IN, OUT, ADC, CONTACTOR = "gpio_in", "gpio_out", "adc_pin", "contactor_pin"
KINDS = (IN, OUT, ADC, CONTACTOR)
_BY = {"meter": "chip", "led": "kind", "display": "kind"}  # sections whose members depend on one of them
_TYPES = {"integer": "a whole number", "string": "text", "boolean": "true or false",
          "object": "an object", "array": "a list", "null": "null"}


class Unreadable(Exception):
    """There is no such file, or it holds no JSON object; the text is one line."""


@dataclass(frozen=True)
class Problem:
    severity: str  # "error", "warning"
    signal: str  # where in board.json: "contactor.pin"
    says: str  # what is wrong
    remedy: str = ""
    pin: int | None = None

    def __str__(self):
        where = self.signal + ("" if self.pin is None else f", GPIO {self.pin}")
        return f"{where}: {self.says}" + (f". {self.remedy}" if self.remedy else "")


@dataclass(frozen=True)
class Use:
    signal: str
    pin: int
    kind: str  # of KINDS
    what: str  # the schema's description


def board_files():
    """Paths of all boards of this project."""
    return sorted((ROOT / "boards").glob("*/board.json"))


def read(path):
    """(object, problems): members that stand twice; Unreadable."""
    twice = []

    def pairs(found):
        names = [name for name, _ in found]
        twice.extend(sorted({name for name in names if names.count(name) > 1}))
        return dict(found)

    try:
        spec = json.loads(path.read_bytes().decode(), object_pairs_hook=pairs)
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path} is no JSON: {str(error).splitlines()[0]}") from None
    if not isinstance(spec, dict):
        raise Unreadable(f"{path} must hold an object")
    return spec, [Problem("error", name, "it stands twice in one object: only one of them counts",
                          "Keep one") for name in twice]


@cache
def schema():
    return json.loads(SCHEMA.read_text())


@cache
def validator():
    """Of the schema, as strict as the device: neither 27.0 nor true is a whole number."""
    checker = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool))
    strict = validators.extend(Draft202012Validator, type_checker=checker)
    return strict(schema())


def sections(spec=None):
    """{section: its object schema}; "" is the outermost. Of meter, led and display those that `spec` has;
    without `spec` all of them, as "meter: atm90e32"."""
    whole = schema()
    found = {"": whole}
    for name, inside in whole["properties"].items():
        if name in _BY:
            kinds = inside["properties"][_BY[name]]["enum"]
            section = spec.get(name) if spec else None
            kind = section.get(_BY[name]) if isinstance(section, dict) else None
            if spec is None:
                found |= {f"{name}: {one}": whole["$defs"][f"{name}_{one}"] for one in kinds}
            elif kind in kinds:
                found[name] = whole["$defs"][f"{name}_{kind}"]
        elif inside.get("type") == "object":
            found[name] = inside
    return found


def meters():
    """All chips that a board may name."""
    return schema()["properties"]["meter"]["properties"]["chip"]["enum"]


def has_driver(chip):
    """Can the firmware read that meter?"""
    return bool(chip) and (ROOT / f"firmware/pilotwire/sense/meter/{chip}.py").exists()


def kind_of(member):
    """The kind of GPIO that a member's schema asks for, or None; of a list, that of its items."""
    reference = (member.get("items") or member).get("$ref", "")
    kind = reference.rpartition("/")[2]
    return kind if kind in KINDS else None


def uses(spec):
    """[Use] of all GPIOs in a spec, whatever else is wrong with it."""
    found = []
    for section, form in sections(spec).items():
        inside = spec.get(section) if section else {}
        for name, member in form["properties"].items():
            kind = kind_of(member)
            if not kind or not isinstance(inside, dict) or name not in inside:
                continue
            listed = isinstance(inside[name], list)
            for place, value in enumerate(inside[name] if listed else [inside[name]]):
                if isinstance(value, int) and not isinstance(value, bool):
                    signal = f"{section}.{name}[{place}]" if listed else f"{section}.{name}"
                    found.append(Use(signal, value, kind, member["description"]))
    return found


def member(spec, path, kind=int):
    """The value at "contactor.pin", or None where there is none of this type."""
    for name in path.split("."):
        spec = spec.get(name) if isinstance(spec, dict) else None
    return spec if isinstance(spec, kind) and not (kind is int and isinstance(spec, bool)) else None


# What the schema finds, in plain words ------------------------------------------------------------


def misfits(spec):
    """[Problem] of the schema, but for GPIOs that are numbers: board_pins says more of them."""
    found = []
    for error in sorted(validator().iter_errors(spec), key=lambda one: [str(part) for part in one.path]):
        found += _plain(error)
    return found


def _described(path):
    """The schema's words for a member, or nothing."""
    for section, form in sections().items():
        for name, what in form["properties"].items():
            if path == (f"{section.partition(':')[0]}.{name}" if section else name):
                return what.get("description", "").partition(".")[0]
    return ""


def _plain(error):
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.path)[1:]
    inside = path + "." if path else ""
    rule, wanted, value = error.validator, error.validator_value, error.instance
    number = isinstance(value, int) and not isinstance(value, bool)
    if rule == "required":
        missing = [name for name in wanted if name not in value]
        named = [name for name in missing if f"'{name}' is a required" in error.message]
        return [Problem("error", inside + name, "it is missing", _described(inside + name))
                for name in named]
    if rule == "additionalProperties":
        return [_unknown(inside, name, error.schema["properties"])
                for name in value if name not in error.schema["properties"]]
    if rule == "dependentRequired":
        return [_dependent(inside, has, name) for has, names in wanted.items() if has in value
                for name in names if name not in value and f"'{name}'" in error.message]
    if rule == "anyOf":
        return [Problem("error", path, "it has no trip line", "Add ac_pin, dc_pin or both")]
    if rule in ("minimum", "maximum") and path.startswith("pilot.counts"):
        return []  # the check says it in mV
    if rule == "enum" and error.schema.get("type") == "integer" and not number:
        return []  # its type is told
    if rule == "enum" and number and error.schema.get("description", "").startswith("a GPIO"):
        return []
    if rule == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        says = "it must be " + " or ".join(_TYPES[kind] for kind in kinds) + f", not {_short(value)}"
    elif rule == "const":
        says = f"it must be {wanted}"
        if path == "phases":
            says += " where contactor.phase_pin switches"
    elif rule == "enum":
        says = f"it must be {' or '.join(map(str, wanted))}, not {_short(value)}"
    elif rule in ("minimum", "maximum"):
        least, most = error.schema["minimum"], error.schema.get("maximum")
        says = f"it must be {least} " + (f"to {most}" if most else "or more") + f", not {value}"
    elif rule in ("minItems", "maxItems"):
        least, most = error.schema["minItems"], error.schema["maxItems"]
        says = "it must have " + (str(least) if least == most else f"{least} to {most}") + " members"
    elif rule == "pattern":
        says = "it must be 1 to 32 of a-z, 0-9 and -"
    else:
        says = error.message.splitlines()[0][:120]
    return [Problem("error", path, says, _described(path))]


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 30 else text[:27] + "..."


def _unknown(inside, name, known):
    near = difflib.get_close_matches(name, known, 1)
    remedy = f"Is {inside}{near[0]} meant?" if near else "Take it out: nobody reads it"
    return Problem("error", inside + name, "it is not known", remedy)


def _dependent(inside, has, name):
    if name == "proximity":
        return Problem("error", name, "it is missing: a lock needs a socket",
                       "PP says what the plug's cable may carry")
    return Problem("error", inside + name, f"it is missing beside {has}", _described(inside + name))
