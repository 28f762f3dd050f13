"""config.json: how this station is set up. Every value is checked.

A station whose configuration is wrong starts with the last one that was good (keep_config.py), or,
without that, with safe settings and the fault 7-6: nobody guesses how much current a house can bear.
"""

import json

from micropython import const

from pilotwire.once import Settings

_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-"
_LONGEST_NAME = const(32)
_UNSET = "unset"
# A misspelt limit would else be no limit.
_KNOWN = (
    "device key language ssid wifi_password time_server broker ack installation_a limit_a fail_safe_a"
    " loose_ohm command_for_s phases phase_pause_s one_phase_a currency price_per_kwh night profile"
    " grid restart_random_s"
)
_IN_NIGHT = "from to utc_offset_min"
_IN_BROKER = "host port user password tls ca"
# What safe settings take over from a wrong configuration, each by itself, if it can be read.
_KEPT = (
    "device", "key", "language", "ssid", "wifi_password", "time_server", "broker", "ack",
)


class ConfigError(Exception):
    """The configuration is missing or wrong; the text names the key and what it must be."""


def _only(spec, known, where):
    known = known.split()
    for key in spec:
        if key not in known:
            raise ConfigError("config.json: %s%s is not known" % (where, key))


def _number(spec, key, default, low, high):
    value = spec.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ConfigError("config.json: %s must be a number from %s to %s" % (key, low, high))
    return value


def _amps(spec, key, default, low):
    """mA, to a tenth of an ampere: a float of the chip may hold 15.9999995."""
    return int(_number(spec, key, default, low, 80) * 10 + 0.5) * 100


def _text(spec, key, default):
    value = spec.get(key, default)
    if not isinstance(value, str):
        raise ConfigError("config.json: %s must be text" % key)
    return value


def _choice(spec, key, values):
    """One of `values`; the first is the default."""
    value = _text(spec, key, values[0])
    if value not in values:
        raise ConfigError("config.json: %s must be %s" % (key, " or ".join(values)))
    return value


def _minute(spec, key):
    """Minute of the day that "22:00" is."""
    hour, _, minute = str(spec.get(key)).partition(":")
    if hour.isdigit() and minute.isdigit() and len(minute) == 2:
        if int(hour) < 24 and int(minute) < 60:
            return int(hour) * 60 + int(minute)
    raise ConfigError("config.json: night.%s must be a time of day such as 22:00" % key)


def _night(spec):
    """When LED and display are dimmed: (UTC minute of the day, how many minutes), None = never.

    {"from": "22:00", "to": "06:00", "utc_offset_min": 60} in local time, which is UTC and a fixed
    offset: summer time is not known here.
    """
    if spec is None:
        return None
    if not isinstance(spec, dict):
        raise ConfigError("config.json: night must be an object with from and to")
    _only(spec, _IN_NIGHT, "night.")
    begin = _minute(spec, "from")
    minutes = (_minute(spec, "to") - begin) % 1440
    if not minutes:
        raise ConfigError("config.json: night.from and night.to must differ")
    return (begin - int(_number(spec, "utc_offset_min", 0, -720, 840))) % 1440, minutes


def _broker(spec):
    """The broker's settings, None without one."""
    if spec is None:
        return None
    if not isinstance(spec, dict) or not _text(spec, "host", ""):
        raise ConfigError("config.json: broker must have a host")
    _only(spec, _IN_BROKER, "broker.")
    if not isinstance(_number(spec, "port", 0, 0, 65535), int):
        raise ConfigError("config.json: broker.port must be a whole number")
    for key in ("user", "password", "ca"):
        _text(spec, key, "")
    ca = spec.get("ca", "")
    try:
        # None of our own files ends so: they are written anew. DER begins with 0x30, PEM does not.
        if ca and not ca.endswith(".der"):
            raise OSError
        if spec.get("tls"):
            with open(ca, "rb") as file:
                if file.read(1) != b"0":
                    raise OSError
    except OSError:
        raise ConfigError(
            "config.json: broker.ca must name a file X.der with the authority as DER:"
            " openssl x509 -in X.pem -outform der -out X.der"
        )
    return spec


def _read(path):
    try:
        with open(path) as file:
            spec = json.load(file)
    except (OSError, ValueError) as error:
        raise ConfigError("config.json cannot be read: %s" % error)
    if not isinstance(spec, dict):
        raise ConfigError("config.json must hold an object")
    return spec


def start():
    """Settings to start with, whatever the files hold. `trouble`: what is wrong with config.json, "" =
    nothing; `used_copy`: they are the last good ones; `broken`: they are the safe ones."""
    spec = {}
    try:
        spec = _read("config.json")
        return settings(spec)
    except Exception as error:  # also what no check has thought of
        trouble = "%s: %s" % (type(error).__name__, error)
    try:
        config = load("config.good.json")
        config.used_copy = True
    except Exception:
        config = _safe(spec)
        config.broken = True
    config.trouble = trouble
    return config


def _safe(spec):
    """6 A at the most; no network without a name of its own: two such stations would be one."""
    kept = {"device": _UNSET, "installation_a": 6}
    config = settings(kept)
    for key in _KEPT:
        if key in spec:
            tried = dict(kept)
            tried[key] = spec[key]
            try:
                config, kept = settings(tried), tried
            except Exception:
                pass
        if config.device == _UNSET:
            break
    return config


def load(path):
    """Settings of a file; ConfigError."""
    return settings(_read(path))


def settings(spec):
    """Settings with the values below; ConfigError."""
    _only(spec, _KNOWN, "")
    config = Settings()
    config.trouble = ""
    config.used_copy = config.broken = False
    config.device = _text(spec, "device", "")
    if not 1 <= len(config.device) <= _LONGEST_NAME or any(c not in _NAME for c in config.device):
        raise ConfigError("config.json: device must be 1 to 32 of a-z, 0-9 and -")
    config.installation_ma = _amps(spec, "installation_a", None, 6)
    config.limit_ma = _amps(spec, "limit_a", 80, 6)
    config.fail_safe_ma = _amps(spec, "fail_safe_a", 6, 0)
    # From this supply resistance on a connection is taken for loose.
    config.loose_mohm = int(_number(spec, "loose_ohm", 0.8, 0.1, 10) * 1000 + 0.5)
    # A bare cmd/limit number holds this long; then the fail-safe current takes its place.
    config.command_for_s = int(_number(spec, "command_for_s", 3600, 1, 8000000))
    # Of a board that can switch: phases without an order, the pause before a change, and what may
    # be drawn from one phase alone (VDE-AR-N 4100 5.5.2: 20 A).
    config.phases = _number(spec, "phases", 3, 1, 3)
    if config.phases not in (1, 3) or not isinstance(config.phases, int):
        raise ConfigError("config.json: phases must be 1 or 3")
    config.phase_pause_ms = int(_number(spec, "phase_pause_s", 60, 15, 120) * 1000)
    config.one_phase_ma = _amps(spec, "one_phase_a", 80, 6)
    config.currency = _text(spec, "currency", "EUR")
    if len(config.currency) != 3 or not config.currency.isalpha():
        raise ConfigError("config.json: currency must be three letters")
    price = spec.get("price_per_kwh")  # in major units, 0.3025
    config.price_c = -1
    if price is not None:
        config.price_c = int(_number(spec, "price_per_kwh", 0, 0, 50) * 10000 + 0.5)
    try:
        config.key = bytes.fromhex(_text(spec, "key", ""))
    except ValueError:
        raise ConfigError("config.json: key must be pairs of hexadecimal digits")
    config.language = _choice(spec, "language", ("en", "de"))
    config.night = _night(spec.get("night"))
    # How residual-current and earth faults recover: fault_table.py, column ul.
    config.profile = _choice(spec, "profile", ("iec", "ul"))
    # At which volts charging stops, and how long at most it waits beyond 30 s when they are back.
    config.grid = _choice(spec, "grid", ("eu", "uk"))
    config.restart_random_s = int(_number(spec, "restart_random_s", 60, 0, 1800))
    config.ssid = _text(spec, "ssid", "")
    config.wifi_password = _text(spec, "wifi_password", "")
    if config.wifi_password and not 8 <= len(config.wifi_password.encode()) <= 63:  # WPA; bytes
        raise ConfigError("config.json: wifi_password must be 8 to 63 characters")
    config.time_server = _text(spec, "time_server", "pool.ntp.org")
    config.broker = _broker(spec.get("broker"))
    # "backend": a record is kept until session/ack; "broker": until the broker has it.
    config.ack = _choice(spec, "ack", ("backend", "broker"))
    return config
