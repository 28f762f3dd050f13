"""What may stand in a config.json, for people: `pilotwire config explain` and the guided set-up.

The rules are the firmware's (firmware/pilotwire/config.py); tests hold this table against them.
"""

from dataclasses import dataclass

from pilotwire.secret_names import is_secret, without_login

MASK = "***"  # what is shown of a secret


class SettingsError(Exception):
    """What is wrong with a config.json; one line."""


@dataclass(frozen=True)
class Setting:
    name: str  # broker.host: host within the object broker
    unit: str
    default: object  # None: there is none
    meaning: str
    secret: bool = False  # typed unseen

    @property
    def path(self):
        return self.name.split(".")


SETTINGS = tuple(Setting(*row) for row in (
    ("device", "a-z 0-9 -", None, "name of the station, and of its topics: pilotwire/<device>/; at most"
     " 32 characters, unique at its broker. Must be there"),
    ("installation_a", "A", None, "what fuse and wiring carry, 6 to 80. Must be there"),
    ("limit_a", "A", 80, "a lower limit of the owner's, 6 to 80"),
    ("fail_safe_a", "A", 6, "when an order expires, in its place after a restart, with a silent meter;"
     " 0 to 80"),
    ("command_for_s", "s", 3600, "how long an order without for_s holds"),
    ("loose_ohm", "Ohm", 0.8, "supply resistance that counts as a loose connection, 0.1 to 10"),
    ("phases", "1, 3", 3, "on a board that switches: phases without an order"),
    ("phase_pause_s", "s", 60, "pause before phases are switched, 15 to 120"),
    ("one_phase_a", "A", 80, "limit while one phase alone charges, on a board that switches"),
    ("profile", "iec, ul", "iec", "ul: a trip of residual current is tried again. Not allowed in Europe"),
    ("grid", "eu, uk", "eu", "volts that stop it: 195 to 264 V for 3 s, or 207 to 253 V for 4 s"),
    ("restart_random_s", "s", 60, "longest random delay when the mains are well again, 0 to 1800"),
    ("currency", "letters", "EUR", "three letters"),
    ("price_per_kwh", "currency", None, "price of a kWh in whole units, 0.3025; without it no costs"),
    ("key", "hex digits", "", "signs the records (HMAC-SHA256); without it they are not signed", True),
    ("language", "en, de", "en", "of the display"),
    ("night.from", "HH:MM", None, "LED and display are dimmed from then on; never without `night`"),
    ("night.to", "HH:MM", None, "until then"),
    ("night.utc_offset_min", "min", 0, "of the local time that is meant; summer time is not known"),
    ("ssid", "text", "", "name of the WiFi; without it there is no network"),
    ("wifi_password", "text", "", "of the WiFi, 8 to 63 characters", True),
    ("time_server", "name", "pool.ntp.org", "NTP server"),
    ("broker.host", "name", None, "MQTT broker; without `broker` nothing is published"),
    ("broker.port", "", 0, "1883, with tls 8883, where it is 0"),
    ("broker.user", "text", "", "at the broker"),
    ("broker.password", "text", "", "at the broker", True),
    ("broker.tls", "true, false", False, "encrypted; needs ca"),
    ("broker.ca", "file", "", "certificate of the authority, as DER, beside config.json; X.der"),
    ("ack", "backend, broker", "backend", "until when a record is kept: until session/ack, or until the"
     " broker has it"),
))
BY_NAME = {setting.name: setting for setting in SETTINGS}
_OBJECTS = {"", *(setting.path[0] for setting in SETTINGS if setting.path[1:])}


def get(spec, name):
    """The value in a config.json's object; None when it is not there."""
    for part in BY_NAME[name].path:
        if not isinstance(spec, dict) or part not in spec:
            return None
        spec = spec[part]
    return spec


def put(spec, name, value):
    """A copy with this value; None takes it away."""
    first, *rest = BY_NAME[name].path
    made = dict(spec)
    if rest:
        inner = {**(made.get(first) or {}), rest[0]: value}
        value = {key: one for key, one in inner.items() if one is not None} or None
    made[first] = value
    return {key: one for key, one in made.items() if one is not None}


def masked(value, name=""):
    """A copy of a config.json's object in which no secret can be read. Of a name that is not known nobody
    knows what it was meant for."""
    if isinstance(value, dict) and name in _OBJECTS:
        return {key: masked(one, f"{name}.{key}" if name else key) for key, one in value.items()}
    if value in (None, ""):
        return value
    if name not in BY_NAME or is_secret(name) or isinstance(value, (dict, list)):
        return MASK
    return without_login(value) if isinstance(value, str) else value
