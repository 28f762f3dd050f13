"""A station whose plant has faults, and the codes that the firmware makes of them."""

from station import Lonely, only_with_sources


class Faulty(Lonely):
    """`codes()`: what holds now, most important first; `code_log`: [(us, codes)] of every change."""

    def __init__(self, folder, **options):
        only_with_sources()
        super().__init__(folder, watch=True, **options)
        self.charger.advance(7)  # the rest after a power-on

    def inject(self, name, seconds=0.0, value=None):
        """Switch a plant fault on; when that was."""
        at_us = self.charger.us
        self.charger.do("fault", {"name": name, "value": value})
        self.charger.advance(seconds)
        return at_us

    def clear(self, name, seconds=0.0):
        self.charger.do("clear", {"name": name, "value": None})
        self.charger.advance(seconds)

    def pulse(self, at_us, name, us):
        """A plant fault for so long."""
        self.charger.at(at_us, "fault", {"name": name, "value": None})
        self.charger.at(at_us + us, "clear", {"name": name, "value": None})

    def cut_power(self, seconds=2):
        self.charger.do("power", "off")
        self.charger.advance(seconds)
        self.charger.do("power", "on")
        self.charger.advance(8)

    def plug(self, seconds=0.0):
        """A car that asks 300 ms after it came; when it asked."""
        self.charger.do("plug", "generic")
        asks_us = self.charger.us + 300_000
        self.charger.at(asks_us, "s2", True)
        self.charger.advance(seconds)
        return asks_us

    def unplug(self, seconds=0.0):
        self.charger.do("unplug")
        self.charger.advance(seconds)

    @property
    def code_log(self):
        return [(e["us"], e["codes"]) for e in self.seen("faults")]

    def codes(self):
        return self.code_log[-1][1] if self.code_log else []

    def code_after_ms(self, code, since_us):
        """When it first held, ms after `since_us`; None = never."""
        times = [us for us, codes in self.code_log if us >= since_us and code in codes]
        return (times[0] - since_us) / 1000 if times else None

    def opened_after_ms(self, since_us):
        """When the contactor was told to open, ms after `since_us`; None = never."""
        times = [e["us"] for e in self.seen("contactor", since_us) if not e["on"]]
        return (times[0] - since_us) / 1000 if times else None

    def closings(self, since_us=0):
        return [e["us"] for e in self.seen("contactor", since_us) if e["on"]]

    def closed(self):
        return self.charger.look()["closed"]
