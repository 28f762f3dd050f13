"""The guided set-up: asks at a terminal, a thing at a time, and checks each answer before the next.

What an answer may be, the device's own rules say. Secrets are typed unseen, and the file is its owner's
alone. A file that is there already gives the answers that Enter takes.
"""

import json
import secrets
import sys
from getpass import getpass

from pilotwire import image
from pilotwire.charger import ROOT
from pilotwire.run import Unusable, board_file
from pilotwire.settings import check, shown
from pilotwire.settings_table import BY_NAME, SettingsError, get, put

_LEAST = {"device": "unset", "installation_a": 6}  # what the rules want before anything else is judged
_NUMBERS = {"A", "s", "Ohm", "currency", "min", ""}  # units of what is a number
_NONE = "-"  # typed to take an answer away
_KEY_BYTES = 32

# (name, question, only when this one has an answer)
_QUESTIONS = (
    ("device", "Name of the station (a-z, 0-9, -)", None),
    ("installation_a", "What the fuse and the wiring carry, in A", None),
    ("limit_a", "A lower limit of your own, in A", None),
    ("language", "Language of the display (en, de)", None),
    ("ssid", "Name of the WiFi", None),
    ("wifi_password", "Password of the WiFi", "ssid"),
    ("broker.host", "MQTT broker: name or address", "ssid"),
    ("broker.port", "its port (0: 1883, with TLS 8883)", "broker.host"),
    ("broker.user", "its user", "broker.host"),
    ("broker.password", "its password", "broker.user"),
    ("currency", "Currency (three letters)", None),
    ("price_per_kwh", "Price of a kWh, for example 0.30", None),
)


def _tried(spec, name, value, folder):
    """The settings with this answer; SettingsError says what is wrong with it."""
    made = put(spec, name, value)
    check(json.dumps({**_LEAST, **made}), folder)
    return made


def _value(name, text):
    """What was typed, as JSON has it; as it is, when it is no number, for the rules to refuse."""
    if BY_NAME[name].unit not in _NUMBERS:
        return text
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text
    return int(number) if number == int(number) else number


def _ask(spec, name, question, folder):
    """The settings with an answer to this that the rules take."""
    setting, now = BY_NAME[name], get(spec, name)
    shown_now = now if now is not None else setting.default
    if setting.secret:
        shown_now = "the one that is there" if now else ""
    hint = f" [{shown_now}]" if shown_now not in (None, "") else ""
    while True:
        text = (getpass if setting.secret else input)(f"{question}{hint}: ")
        text = text if setting.secret else text.strip()
        if text == _NONE or not text and now is None and name not in _LEAST:
            return put(spec, name, None)
        try:
            return _tried(spec, name, _value(name, text) if text or now is None else now, folder)
        except SettingsError as problem:
            print("  " + str(problem).removeprefix("config.json: "))


def _board():
    """The board's name and what it is rated for, A."""
    known = sorted(path.parent.name for path in ROOT.glob("boards/*/board.json"))
    print("Boards: " + ", ".join(known))
    while True:
        name = input("Board (a name of these, or a path): ").strip()
        try:
            return name, json.loads(board_file(name).read_text())["rated_a"]
        except (Unusable, ValueError, LookupError, OSError) as problem:
            print(f"  {problem}")


def _existing(path):
    try:
        spec = json.loads(path.read_text())
        check(path.read_text(), path.parent)
        return spec
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, SettingsError) as problem:
        raise SettingsError(f"{path} is there and cannot be gone on with: {problem}") from None


def guide(path):
    """Ask, and write the file; the exit status."""
    if not sys.stdin.isatty():
        raise SettingsError("the guided set-up needs a terminal; `config explain` lists the names")
    folder = path.resolve().parent
    spec = _existing(path)
    print(f"Enter takes what stands in [ ], {_NONE} leaves a thing out. Passwords are not shown.")
    try:
        board, rated_a = _board()
        print(f"  {board} is rated for {rated_a} A: it never offers more, whatever is set below")
        for name, question, needs in _QUESTIONS:
            if needs is None or get(spec, needs):
                spec = _ask(spec, name, question, folder)
        if not get(spec, "key"):
            spec = put(spec, "key", secrets.token_hex(_KEY_BYTES))
            print("  a new key to sign the records was made: your backend needs it, too")
    except EOFError:
        raise SettingsError("the answers ended early: nothing was written") from None
    text = json.dumps(spec, indent=1, ensure_ascii=False) + "\n"
    check(text, folder)
    image.write(path, text.encode(), secret=True)
    print(shown(spec))
    print(f"{path}: written; only you may read it. What else can be set: pilotwire config explain")
    print(f"Next: pilotwire image --board {board} --config {path} -o pilotwire.bin")
    print(f"or, onto a device that runs: pilotwire config write {path}")
    return 0
