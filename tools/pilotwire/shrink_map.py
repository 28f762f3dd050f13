"""Reads names back: what a device says in short names, in the words of its sources.

The map is what shrink wrote beside the build, as JSON:
    files       by the name that the device gives a file: its `path`; `globals`, {short: original};
                `functions`, {short: ["path of the source: Class.function", ...]}: more than one
                only for a name that is kept, such as __init__
    attributes  {short: [Class.original, ...]}: which one it is, the object decides
"""

import json
import re
from pathlib import Path

_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>[^\s]+)')
_QUOTED = re.compile(r"'(\w+)'")


def beside(target):
    """Path of the map of the build in the folder `target`."""
    target = Path(target)
    return target.with_name(target.name + ".names.json")


def load(path):
    return json.loads(Path(path).read_text())


def translate(text, names):
    """A traceback, or any text with frames in it, with the sources' names. `names`: from load().

    The build has no line numbers: what MicroPython prints instead of one is left out.
    """
    return "\n".join(_line(line, names) for line in text.splitlines())


def _line(line, names):
    def frame(match):
        file = names["files"].get(match["file"])
        if not file:
            return match[0]
        places = file["functions"].get(match["function"], [f"{file['path']}: {match['function']}"])
        return " or ".join(f'File "{path}", in {name}' for path, name in (p.split(": ") for p in places))

    def quoted(match):
        known = names["attributes"].get(match[1])
        return f"'{' or '.join(known)}'" if known else match[0]

    changed = _FRAME.sub(frame, line)
    return _QUOTED.sub(quoted, line) if changed == line else changed
