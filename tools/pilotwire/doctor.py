"""`pilotwire doctor`: what a device says of itself, in words, and what to do about it."""

import json
import os
import re
import sys
from datetime import UTC, datetime
from urllib.parse import unquote

from pilotwire.doctor_bounds import BAD, LEVELS, LOOK
from pilotwire.doctor_checks import findings, worst
from pilotwire.secret_names import is_secret, without_login

BROKER = "PILOTWIRE_BROKER"
_TIMEOUT_S = 75  # health and the console's line come each minute
_REMOVED = "(removed)"
_LONG = 8  # characters of a secret that are in no other word


def _seconds(text):
    value = float(text)
    if not 0 < value <= 3600:
        raise ValueError(text)
    return value


_seconds.__name__ = "number of seconds up to 3600"


def add_parser(commands):
    doctor = commands.add_parser(
        "doctor", help="say in words whether a station is well, and what to do",
        description="Read what a device tells of itself, from the broker, from its console or from "
        "files, and say what is fine and what is not. Sends nothing to the device. Exit status: 0 all is "
        "well, 1 something to look at, 2 something is bad or nothing can be learnt.",
    )
    where = doctor.add_mutually_exclusive_group()
    where.add_argument("--broker", metavar="URL", default=os.environ.get(BROKER),
                       help="mqtt[s]://[user:password@]host[:port]; else the variable " + BROKER
                       + ", where others do not see the password")
    where.add_argument("--serial", metavar="PORT", help="the console: /dev/ttyUSB0")
    where.add_argument("--file", metavar="FILE", nargs="+",
                       help="saved payloads of health, state, info; a report; a console's output")
    doctor.add_argument("--device", metavar="NAME", help="this one only; else all at the broker")
    doctor.add_argument("--ca", metavar="FILE",
                        help="of a broker with mqtts: the certificate of its authority, PEM or DER; else "
                        "those that this computer trusts")
    doctor.add_argument("--timeout", metavar="S", type=_seconds, default=_TIMEOUT_S,
                        help="how long to listen (default: %(default)s)")
    doctor.add_argument("--report", metavar="FILE",
                        help="write all of it as JSON, without passwords, names of WiFi and users; only "
                        "you may read it")


def words(finding):
    """A finding as a person reads it: one line, with bound and advice where something is not well."""
    text = f"{finding.level:<5}{finding.what:<16}{finding.figure}"
    if finding.level in (LOOK, BAD):
        text += f"\n     {'':<16}should be: {finding.bound}"
        if finding.do:
            text += f"\n     {'':<16}do: {finding.do}"
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)


def without_secrets(value, secrets=()):
    """A copy without what is called like a secret, users in URLs, and the texts in `secrets`: short ones
    only as whole words, since a user may be called a."""
    if isinstance(value, dict):
        return {
            name: _REMOVED if is_secret(name) and value[name] not in (None, "")
            else without_secrets(value[name], secrets) for name in value
        }
    if isinstance(value, (list, tuple)):
        return [without_secrets(item, secrets) for item in value]
    if isinstance(value, str):
        value = without_login(value)
        for secret in sorted(secrets, key=len, reverse=True):
            what = re.escape(secret)
            value = re.sub(what if len(secret) >= _LONG else rf"(?<!\w){what}(?!\w)", _REMOVED, value)
    return value


def _secrets(url):
    """User and password of a broker's URL, as typed and as meant; of one that is wrong, too."""
    login = (url or "").partition("//")[2].rpartition("@")[0]
    typed = [text for text in login.partition(":")[::2] if text]
    return {*typed, *map(unquote, typed)}


def write_report(path, report):
    """JSON that only its owner may read, also where the file was there before; OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(json.dumps(report, indent=1) + "\n")


def _learn(args):
    from pilotwire.doctor_sources import SourceError, from_files, from_serial

    if args.file:
        return from_files(args.file)
    if args.serial:
        return from_serial(args.serial, args.timeout, _progress)
    if not args.broker:
        raise SourceError(f"say where to look: --broker, --serial, --file, or the variable {BROKER}")
    from pilotwire.doctor_broker import from_broker  # paho and a broker take their time to load

    return from_broker(args.broker, args.device, args.timeout, _progress, args.ca)


def _progress(text):
    print(f"pilotwire doctor: {text}", file=sys.stderr, flush=True)


def _found(told, wanted):
    """What is found, the worst first."""
    return sorted(findings(told, wanted), key=lambda finding: -LEVELS.index(finding.level))


def command(args):
    """Look as the command line says; the exit status."""
    from pilotwire.doctor_sources import SourceError

    try:
        devices, wanted = _learn(args)
    except SourceError as error:
        _progress(str(error))
        return LEVELS.index(BAD)
    secrets = _secrets(args.broker)
    level, report = LEVELS[0], {"made": datetime.now(UTC).isoformat(timespec="seconds"), "devices": {},
                                "findings": {}}
    for device, told in sorted(devices.items()):
        found = _found(told, wanted)
        level = max(level, worst(found), key=LEVELS.index)
        counts = ", ".join(f"{sum(f.level == name for f in found)} {name}" for name in LEVELS)
        print(f"{device}: {worst(found)} ({counts})")
        print("\n".join(map(words, found)), flush=True)
        # Its words are ours, but for what was told: a user called "a" may not spoil them.
        told = report["devices"][device] = without_secrets(told, secrets - {device})
        report["findings"][device] = [finding._asdict() for finding in _found(told, wanted)]
    if args.report:
        try:
            write_report(args.report, report)
        except OSError as error:
            _progress(f"{args.report}: cannot be written ({error.strerror})")
            return LEVELS.index(BAD)
    return LEVELS.index(level)
