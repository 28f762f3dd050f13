"""Writes the generated parts of docs/boards.md, and the wiring pictures of boards/:
`python -m pilotwire.board_docs` after a board or the schema has changed.
"""

import json

from pilotwire import readme
from pilotwire.board_spec import board_files, has_driver, kind_of, schema, sections
from pilotwire.board_wiring import drawing
from pilotwire.charger import ROOT

DOC = ROOT / "docs/boards.md"


def _spec(path):
    return json.loads(path.read_text())


# The boards ---------------------------------------------------------------------------------------


def _ratings(spec):
    return f"{spec['rated_a']} A x {spec.get('phases', 3)}"


def _meter(spec):
    chip = (spec.get("meter") or {}).get("chip", "none")
    return chip if chip == "none" or has_driver(chip) else f"{chip}: no driver yet"


def summary(path):
    """(name, ratings, meter, title) of one board."""
    spec = _spec(path)
    return path.parent.name, _ratings(spec), _meter(spec), spec.get("title", "")


def _drive(it):
    if it.get("drive") != "dynamic":
        return "level"
    return "dynamic, with enable" if "enable_pin" in it else "dynamic"


def _witnesses(it):
    words = (("aux_pin", "auxiliary contact"), ("load_pin", "voltage"))
    return ", ".join(word for pin, word in words if pin in it) or "**nothing**"


def _residual(it):
    if not it:
        return "**none**"
    return "two lines" if {"ac_pin", "dc_pin"} <= set(it) else "one line for AC and DC"


def _earth(it):
    words = (("pe_pin", "earth"), ("pen_pin", "PEN"))
    return ", ".join(word for pin, word in words if pin in it) or "none"


def _buttons(it):
    words = (("lid_pin", "lid"), ("button_pin", "button"))
    return ", ".join(word for pin, word in words if pin in it) or "neither"


_COLUMNS = (
    ("rated", _ratings), ("contactor drive", lambda spec: _drive(spec["contactor"])),
    ("seen of the contactor", lambda spec: _witnesses(spec["contactor"])),
    ("residual current monitor", lambda spec: _residual(spec.get("rcm"))),
    ("earth, PEN", lambda spec: _earth(spec.get("inputs", {}))),
    ("temperature", lambda spec: "yes" if "ntc" in spec else "**none**"),
    ("lid, button", lambda spec: _buttons(spec.get("inputs", {}))),
    ("cable", lambda spec: "socket, locked" if "lock" in spec else "fixed"),
    ("meter", _meter),
    ("light", lambda spec: (spec.get("led") or {}).get("kind", "none")),
    ("display", lambda spec: (spec.get("display") or {}).get("kind", "none")),
)


def boards():
    """Lines of the table of boards."""
    yield "| board | " + " | ".join(name for name, _ in _COLUMNS) + " |"
    yield "|---" * (len(_COLUMNS) + 1) + "|"
    for path in board_files():
        spec = _spec(path)
        name = path.parent.name
        cells = " | ".join(tell(spec) for _, tell in _COLUMNS)
        yield f"| [{name}](../boards/{name}/README.md) | {cells} |"


# The members --------------------------------------------------------------------------------------


def _may(member):
    """What may stand there, in words."""
    kind = kind_of(member)
    if kind:
        what = schema()["$defs"][kind]["description"]
        if member.get("type") == "array":
            least, most = member["minItems"], member["maxItems"]
            return f"{least} of them: {what}" if least == most else f"{least} or {most}: {what}"
        return what
    if member.get("$ref", "").endswith("/level"):
        return schema()["$defs"]["level"]["description"]
    if "const" in member:
        return f"`{member['const']}`"
    if "enum" in member:
        return ", ".join(f"`{one}`" if isinstance(one, str) else str(one) for one in member["enum"])
    if member.get("type") == "array":
        items = member["items"]
        return f"{member['minItems']} to {member['maxItems']} of {items['minimum']} to {items['maximum']}"
    if "minimum" in member:
        return f"{member['minimum']} to {member['maximum']}" if "maximum" in member else "above 0"
    return {"string": "text", "boolean": "true, false"}.get(member.get("type"), "an object")


def members():
    """Lines of the tables of what may stand in a board.json."""
    for section, form in sections().items():
        what = form["description"] if section else "The outermost object."
        _, _, chip = section.partition("meter: ")
        if chip and chip != "none" and not has_driver(chip):
            what += " **There is no driver yet**: the station runs without a meter and says so."
        yield f"### {section or 'board.json'}"
        yield ""
        yield what
        yield ""
        yield "| member | may be | what |"
        yield "|---|---|---|"
        for name, member in form["properties"].items():
            must = " (must be there)" if name in form.get("required", ()) else ""
            if name in sections() or isinstance(member.get("type"), list):
                may = "see below"
            else:
                may = _may(member)
            yield f"| `{name}`{must} | {may} | {member['description']} |"
        yield ""


PARTS = {"boards": boards, "members": members}


def generated(text):
    """The document's text with every generated part made anew."""
    return readme.filled(text, PARTS, "docs/boards.md")


if __name__ == "__main__":
    DOC.write_text(generated(DOC.read_text()))
    for path in board_files():
        path.with_name("wiring.svg").write_text(drawing(_spec(path)))
