"""`pilotwire config`: checks, explains, reads and writes a station's settings. The guided set-up is
settings_guide.py.

What is right is for the device's own rules to say: firmware/pilotwire/config.py, run on a computer.
"""

import json
import os
import re
import stat
import tempfile
from pathlib import Path

from pilotwire import ending, image
from pilotwire.deploy import send_config
from pilotwire.device import Device
from pilotwire.ending import Ending
from pilotwire.esp_image import ImageError
from pilotwire.serial_port import DeviceError, choose
from pilotwire.settings_table import BY_NAME, MASK, SETTINGS, SettingsError, get, masked
from pilotwire.settings_text import parse

_READY_S = 40


def check(text, folder="."):
    """What the text holds; SettingsError unless the device would take it as its config.json. folder:
    where the file lies that broker.ca names."""
    spec = parse(text)
    for setting in SETTINGS:
        if get(spec, setting.name) == MASK:
            raise SettingsError(f"config.json: {setting.name} is {MASK}, which only stands for a secret")
    with tempfile.TemporaryDirectory(prefix="pilotwire-config-") as place:
        place = Path(place)
        (place / "config.json").write_text(text, encoding="utf-8")
        try:
            authority = spec["broker"]["ca"]
            if authority.endswith(".der") and Path(authority).name == authority:
                (place / authority).write_bytes((Path(folder) / authority).read_bytes())
        except (LookupError, TypeError, AttributeError, OSError):
            pass  # there is none, or the device says what is wrong
        try:
            image.check(place, board=False)
        except ImageError as problem:
            raise SettingsError(str(problem)) from None
    return spec


def checked(path):
    """What a file holds that the device would take; SettingsError."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "it is no UTF-8")
        raise SettingsError(f"{path} cannot be read: {why}") from None
    return check(text, Path(path).parent)


def explain(name=None):
    """Lines of a table, or about one name and what is in it."""
    if name is None:
        chosen = SETTINGS
    else:
        chosen = [s for s in SETTINGS if name in (s.name, s.path[0])]
        if not chosen:
            raise SettingsError(f"config.json has no {name}; it has {', '.join(BY_NAME)}")
    rows = [(s.name, s.unit, _default(s), s.meaning) for s in chosen]
    rows.insert(0, ("name", "unit", "default", "meaning"))
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    for *cells, meaning in rows:
        yield "  ".join([*map(str.ljust, cells, widths), meaning])


def _default(setting):
    return "-" if setting.default in (None, "") else json.dumps(setting.default).strip('"')


def shown(spec):
    """A config.json for eyes: without its secrets."""
    text = json.dumps(masked(spec), indent=1, ensure_ascii=False)
    return text.encode(errors="backslashreplace").decode()  # JSON may hold half a character


def _check(args, _):
    print(shown(checked(args.file)))
    print(f"{args.file}: the device would take it; the secrets in it are not shown")
    if os.name != "nt" and stat.S_IMODE(os.stat(args.file).st_mode) & 0o077:
        print(f"others may read its secrets: chmod 600 {args.file}")
    return 0


def _explain(args, _):
    for line in explain(args.name):
        print(line)
    return 0


def _instead(device):
    """What the device does where its config.json cannot be used."""
    if "config.good.json" in device.names:
        return "it runs with config.good.json, the last one that ran for a minute, if that can be used"
    return "it shows 7-6 and does not charge"


def _read(args, end):
    end.state = ending.UNTOUCHED
    with Device(choose(args.port), end) as device:
        data, instead = device.read("config.json"), _instead(device)
        device.restart()
    if data is None:
        print(f"the device has no config.json: {instead}")
        return 1
    status, text = 0, None
    try:
        text = shown(parse(data.decode(), "the device's config.json"))
    except (SettingsError, UnicodeDecodeError) as problem:
        status = 1
        print(f"{problem}. If it does not take it, {instead}")
    if args.out:
        image.write(Path(args.out), data, secret=True)
        text = f"{args.out}: written, with its secrets; only you may read it"
    if text:
        print(text)
    return status


def _write(args, end):
    end.state = ending.UNTOUCHED
    spec = checked(args.file)
    with Device(choose(args.port), end) as device:
        instead = _instead(device)
        send_config(device, args.file, end)
        end.state = ending.SETTINGS
        device.restart()
        ready, before = device.ready(_READY_S)
    print(shown(spec))
    errors = re.findall(r"^\w*Error: .*\S", before, re.M)
    if errors and (ready or "ConfigError" in errors[-1]):
        raise DeviceError(
            f"the device does not take it: {errors[-1]}", f"Put {args.file} right, and write it again",
            ending.State(f"The new settings are there, but {instead}"),
        )
    if ready is None:
        raise ending.no_word(before)
    print("the device runs with it. Its last good one stays until this one has run for a minute")
    return 0


_ACTIONS = {"check": _check, "explain": _explain, "read": _read, "write": _write}


def command(args):
    """0; 1 when it is not good or the device refuses, 2 when there is no way to ask."""
    with Ending("config", state=None) as end:
        if args.action is None:
            from pilotwire.settings_guide import guide

            end.status = guide(Path(args.out))
        else:
            end.status = _ACTIONS[args.action](args, end)
    return end.status
