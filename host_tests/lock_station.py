"""A station with a lock in its socket: what is done to it, and what its motor and bolt did."""

from pilotwire.charger import ROOT

SOCKET = ROOT / "boards/reference-3p-socket/board.json"


def fault(station, name, on=True):
    station.charger.do("fault" if on else "clear", {"name": name, "value": None})


def leave(station, seconds=6):
    """The driver unplugs at the car, then takes the cable out."""
    station.charger.do("unplug", "car")
    station.charger.advance(seconds)
    assert not station.charger.look()["locked"]
    station.charger.do("unplug")
    station.charger.advance(1)


def pull(station):
    """Somebody pulls at the plug in the socket; True when the lock holds it."""
    at_us = station.charger.us
    station.charger.do("unplug")
    station.charger.advance(0.1)
    return first(station, "held", at_us, event="unplug") is not None


def asks(station, seconds):
    station.charger.do("plug", "generic")
    station.charger.at(station.charger.us + 300_000, "s2", True)
    station.charger.advance(seconds)


def first(station, kind, since_us, **fields):
    """When the first event of this kind with these fields came, us; None when none did."""
    for event in station.seen(kind, since_us):
        if fields.items() <= event.items():
            return event["us"]
    return None


def drives(station, what, since_us=0):
    return [e["us"] for e in station.seen("lock_drive", since_us) if e["drive"] == what]


def pulses_ms(station, since_us=0):
    """How long each pulse was."""
    events = station.seen("lock_drive", since_us)
    pairs = zip(events, events[1:], strict=False)
    return [(b["us"] - a["us"]) / 1000 for a, b in pairs if a["drive"] != "off"]
