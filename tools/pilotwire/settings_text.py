"""The text of a config.json, read strictly.

MicroPython's JSON takes a comma too many or too few, and of a name that stands twice the last one; which
of that a device takes is its version's matter. So none of it is sent to one.
"""

import json
import re

from pilotwire.settings_table import SettingsError


def parse(text, name="config.json"):
    """What the text holds; SettingsError. name: of the file, for people."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        at, why = _plain(text, error)
        line = text.count("\n", 0, at) + 1
        raise SettingsError(
            f"{name} cannot be read: line {line}: {why}. A device may take it or not: put it right"
        ) from None
    except RecursionError:
        raise SettingsError(f"{name} cannot be read: too many brackets within brackets") from None
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from None


def _plain(text, error):
    """(place, what is wrong there). The text itself is not repeated: it may be a secret."""
    comma = text.rfind(",", 0, error.pos + 1)
    if comma >= 0 and (found := re.compile(r",\s*[}\]]").match(text, comma)) and error.pos <= found.end():
        return comma, "a comma too many before } or ]"
    if error.msg.startswith("Expecting ',' delimiter"):
        return len(text[: error.pos].rstrip()), "a comma is missing"
    if text.startswith("\ufeff"):
        return 0, "a byte order mark: save it as UTF-8 without BOM"
    return error.pos, error.msg[0].lower() + error.msg[1:]


def _object(pairs):
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} stands twice in one object, and only one of them counts: keep one")
    return dict(pairs)


def _constant(text):
    raise ValueError(f"{text} is no number")
