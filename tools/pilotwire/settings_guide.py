"""The guided set-up: asks at a terminal, a thing at a time, and checks each answer before the next.

What an answer may be, the device's own rules say. Secrets are typed unseen, and the file is its owner's
alone. A file that is there already gives the answers that Enter takes.
"""

import json
import math
import os
import secrets
import sys
from getpass import getpass
from pathlib import Path

from pilotwire import image
from pilotwire.board_spec import Unreadable, member, read
from pilotwire.charger import ROOT, ChargerError
from pilotwire.esp_image import ImageError
from pilotwire.run import Unusable, board_file
from pilotwire.settings import check, shown
from pilotwire.settings_table import BY_NAME, SettingsError, get, put

# What must be there, and so is there while the rules judge anything else.
_LEAST = {"device": "unset", "installation_a": 6}
# What means nothing without this one, and goes with it.
_GO_ALONG = {
    "ssid": ("wifi_password",),
    "broker.host": tuple(name for name in BY_NAME if name.startswith("broker.")),
    "broker.user": ("broker.password",),
}
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


def _wrong(spec, folder):
    """What the rules say against these settings, None when they take them."""
    try:
        check(json.dumps({**_LEAST, **spec}), folder)
    except (SettingsError, ChargerError, OSError) as problem:
        return str(problem)
    return None


def _value(name, text):
    """What was typed, as JSON has it; as it is, when it is no number, for the rules to refuse."""
    if BY_NAME[name].unit not in _NUMBERS:
        return text
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(number) if number == int(number) else number


def _without(spec, name):
    for gone in (name, *_GO_ALONG.get(name, ())):
        spec = put(spec, gone, None)
    return spec


def _typed(question, secret=False):
    """What a person types, as text that can be stored."""
    while True:
        try:
            text = getpass(question) if secret else input(question).strip()
        except UnicodeDecodeError:
            text = "\0"
        if text.isprintable():
            return text
        print("  it has a character that cannot be printed")


def _ask(spec, name, question, folder):
    """The settings with an answer to this that the rules take."""
    setting, now = BY_NAME[name], get(spec, name)
    shown_now = now if now is not None else setting.default
    if setting.secret:
        shown_now = "the one that is there" if now else ""
    hint = f" [{shown_now}]" if shown_now not in (None, "") else ""
    while True:
        text = _typed(f"{question}{hint}: ", setting.secret)
        if not text and now is not None:
            return spec
        if text in ("", _NONE):
            if name not in _LEAST:
                return _without(spec, name)
            problem = "it must be there"
        else:
            made = put(spec, name, _value(name, text))
            problem = _wrong(made, folder)
            if not problem or problem == _wrong(spec, folder):
                return made  # nothing is wrong, or what is wrong is not this answer: told at the end
        print("  " + problem.removeprefix("config.json: "))


def _board():
    """The board's name and what it is rated for, A."""
    known = sorted(path.parent.name for path in ROOT.glob("boards/*/board.json"))
    print("Boards: " + ", ".join(known))
    while True:
        name = _typed("Board (a name of these, or a path): ")
        try:
            rated_a = member(read(board_file(name))[0], "rated_a")
        except (Unusable, Unreadable) as problem:
            print(f"  {problem}")
            continue
        if rated_a is not None:
            return name, rated_a
        print(f"  {name} has no rated_a")


def _existing(path):
    try:
        return check(path.read_text(encoding="utf-8"), path.parent)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, SettingsError) as problem:
        raise SettingsError(f"{path} is there and cannot be gone on with: {problem}") from None


def _questions(spec, folder):
    """The settings with all answers."""
    for name, question, needs in _QUESTIONS:
        if needs is None or get(spec, needs):
            spec = _ask(spec, name, question, folder)
    if not get(spec, "key"):
        spec = put(spec, "key", secrets.token_hex(_KEY_BYTES))
        print("  a new key to sign the records was made: your backend needs it, too")
    return spec


def _data(spec):
    """Bytes of a config.json; half a character, which JSON may hold, as JSON writes it."""
    return (json.dumps(spec, indent=1, ensure_ascii=False) + "\n").encode(errors="backslashreplace")


def _as_they_are(spec, path):
    """Write answers that are not good, or not there, where the person says."""
    draft = f"{path}.draft"
    while True:
        try:
            out = Path(_typed(f"File for them [{draft}]: ") or draft)
            image.write(out, _data(spec), secret=True)
        except ImageError as problem:
            print(f"  {problem}")
            continue
        print(f"{out}: written as it is; only you may read it. Put it right, then: pilotwire config check"
              f" {out}")
        return


def _filled(spec, path):
    """Ask until the file is written. Its settings; None when they were written elsewhere, as they are."""
    folder = path.resolve().parent
    while True:
        spec = _questions(spec, folder)
        try:
            check(_data(spec).decode(), folder)
            image.write(path, _data(spec), secret=True)
            return spec
        except (SettingsError, ImageError, ChargerError, OSError) as problem:
            print(f"Not written: {problem}")
        if _typed("Enter asks all again, your answers in [ ]; w writes them as they are: ") == "w":
            return _as_they_are(spec, path)


def guide(path):
    """Ask, and write the file; the exit status."""
    if not sys.stdin.isatty():
        raise SettingsError("the guided set-up needs a terminal; `config explain` lists the names")
    spec = _existing(path)
    check(json.dumps(_LEAST))  # can anything be checked here? Before somebody types in vain
    if not os.access(path.resolve().parent, os.W_OK):
        raise SettingsError(f"{path} cannot be written there: nothing was asked")
    print(f"Enter takes what stands in [ ], {_NONE} leaves a thing out. Passwords are not shown.")
    try:
        board, rated_a = _board()
        print(f"  {board} is rated for {rated_a} A: it never offers more, whatever is set below")
        spec = _filled(spec, path)
    except EOFError:
        raise SettingsError("the answers ended early: nothing was written") from None
    if spec is None:
        return 1
    print(shown(spec))
    print(f"{path}: written; only you may read it. What else can be set: pilotwire config explain")
    print(f"Next: pilotwire image --board {board} --config {path} -o pilotwire.bin")
    print(f"or, onto a device that runs: pilotwire config write {path}")
    return 0
