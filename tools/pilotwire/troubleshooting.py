"""Writes the generated parts of docs/troubleshooting.md: `python -m pilotwire.troubleshooting`.

Each code has a part of its own between `<!-- CODE -->` and `<!-- end -->`; what to check follows by hand.
"""

import re

from pilotwire import codes, readme
from pilotwire.charger import ROOT

DOC = ROOT / "docs/troubleshooting.md"
# What stands by hand below a part, and a hint in it.
_BELOW = re.compile(r"<!-- (\d-\d) -->\n.*?<!-- end -->\n(.*?)(?=^<!-- |^## |\Z)", re.S | re.M)
_HINT = re.compile(r"^\* (Owner|Electrician): (.*?)(?=^\* |\n\n|\Z)", re.S | re.M)
_PILOT = {
    "pwm": "The pilot goes on offering a current.",
    "x1": "The pilot stays at +12 V: nothing is offered.",
    "f": "The pilot shows -12 V for 0.3 s, then stays at +12 V: nothing is offered.",
}


def _contactor(row):
    if row["opens"] == "no":
        return "Charging goes on."
    if not row["within_ms"]:
        return "The contactor stays open."
    if row["opens"] == "at once":
        return f"The contactor is told to open within {row['within_ms']} ms of the cause."
    return "The car is asked to stop. The contactor opens when it has, or 6 s later."


def _over(row):
    text = row["clears"]["en"]
    if row["ul"]:
        wait_s, tries = row["ul"][1:].split("x")
        text += f". With profile `ul`: by itself after {wait_s} s, {tries} times; then {text}"
    return text


def part(row):
    """Lines of one code; `row` as codes.rows() has it."""
    yield f"### {row['code']}, {row['severity']}: {row['says']['en']}"
    yield ""
    yield f"* Seen: {row['detect']}."
    yield f"* Done: {_contactor(row)} {_PILOT[row['pilot']]}"
    yield f"* Over: {_over(row)}."


def generated(text):
    """The document's text with every generated part made anew."""
    parts = {row["code"]: lambda row=row: part(row) for row in codes.rows()}
    return readme.filled(text, parts, "docs/troubleshooting.md")


def hints(text):
    """{code: {"Owner": ..., "Electrician": ...}}, as far as they are there."""
    return {code: dict(_HINT.findall(below)) for code, below in _BELOW.findall(text)}


if __name__ == "__main__":
    DOC.write_text(generated(DOC.read_text()))
