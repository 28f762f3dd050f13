"""Writes the generated parts of README.md: `python -m pilotwire.readme` after a table has changed.

A part stands between `<!-- NAME -->` and `<!-- end -->`.
"""

import re

from pilotwire import codes
from pilotwire.charger import ROOT

README = ROOT / "README.md"


def faults():
    return codes.as_markdown(codes.rows(), ("en",), led=False, more=False)


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
