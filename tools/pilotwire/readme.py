"""Writes the generated parts of README.md: `python -m pilotwire.readme` after a table has changed.

A part stands between `<!-- NAME -->` and `<!-- end -->`.
"""

import re

from pilotwire import codes
from pilotwire.charger import ROOT

README = ROOT / "README.md"
_TABLE = ROOT / "firmware/pilotwire/decide/fault_table.py"


def faults():
    return codes.as_markdown(codes.rows(), ("en",), led=False, more=False)


def undetected():
    """Codes of the rows that nothing in the firmware raises yet."""
    raised = set()
    for path in (ROOT / "firmware").rglob("*.py"):
        source = path.read_text()
        raised.update(re.findall(r"fault_rows\.([A-Z_]+)", source))
        for names in re.findall(r"fault_rows import ([A-Za-z_, ]+|\([A-Z_,\s]+\))\n", source):
            raised.update(re.findall(r"[A-Z_]+", names))
    listed = (ROOT / "firmware/pilotwire/decide/fault_rows.py").read_text()
    number = {name: int(at) for name, at in re.findall(r"([A-Z_]+) = const\((\d+)\)", listed)}
    codes_by_row = re.findall(r"^(\d-\d)\|", _TABLE.read_text(), re.M)
    missing = sorted(codes_by_row[at] for name, at in number.items()
                     if name not in raised and name != "COUNT")
    yield ("In the table, but **not looked for yet**: " + ", ".join(missing) + "."
           if missing else "All of them are looked for.")


PARTS = {"faults": faults, "undetected": undetected}


def filled(text, parts, file):
    """`text` with every generated part made anew. `parts`: {name: function that yields its lines}."""
    for name, make in parts.items():
        body = "\n".join(make())
        text, count = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)",
            lambda found, body=body: f"{found[1]}{body}\n{found[2]}", text, flags=re.S,
        )
        if count != 1:
            raise SystemExit(f"{file} has no place for {name}")
    return text


def generated(text):
    """README's text with every generated part made anew."""
    return filled(text, PARTS, "README.md")


if __name__ == "__main__":
    README.write_text(generated(README.read_text()))
