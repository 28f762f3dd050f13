"""The life of one fault on a whole station with a broker, step by step; each step asserts.

What is seen is what an onlooker and a backend see; when it happened is told to the microsecond by the
plant's own events. cmd/clear is tried at every step, and must say why when it is refused.
"""

import json
from collections import defaultdict

from fault_causes import CAUSES
from pilotwire.charger import ROOT
from pilotwire.decide import fault_table as table
from pilotwire.tell import faults_en
from station import Connected, Lonely, only_with_sources

COLUMNS = table.TABLE.splitlines()[0].split("|")
ROWS = {
    line.split("|")[0]: dict(zip(COLUMNS, line.split("|"), strict=True))
    for line in table.TABLE.splitlines()[1:]
}
STILL = "Its cause is still there"
BY_ITSELF = "It clears by itself"
UNPLUG = "It clears when the car is unplugged"
SERVICE = "Only service may clear it"
NAMES = ("name", "severity", "ocpp16", "mrec", "ocpp2", "everest")  # of a row in its event
KEPT = "TUP"  # classes that outlive a power cut
SLACK_S = 2.2  # faults are counted once a second, the cause comes anywhere in it


class Station(Connected):
    """With what only a test sees: when codes and contactor changed, to the microsecond."""

    shows, text = Lonely.shows, Lonely.text

    def __init__(self, folder, board, **options):
        only_with_sources()
        super().__init__(folder, board=ROOT / f"boards/{board}/board.json", watch=True, **options)
        self.log = defaultdict(list)
        self.firmware = options.get("firmware")
        self.socket = "socket" in board
        self.plugged = False
        self.run.view.event = self._note

    def _note(self, event):
        us = round(event["t_s"] * 1_000_000) + self.run._zero_us
        self.log[event["e"]].append((us, event))

    def first(self, kind, since_us, **fields):
        """When the first such event came, us; None when none did."""
        for us, event in self.log[kind]:
            if us >= since_us and fields.items() <= event.items():
                return us
        return None

    def do(self, event, value=None):
        self.charger.do(event, value)
        return self.charger.us

    def wait(self, condition, seconds, step_s=0.5):
        """Advance until it is so; whether it became so."""
        end_us = self.charger.us + seconds * 1_000_000
        while not condition() and self.charger.us < end_us:
            self.charger.advance(step_s)
        return condition()

    def closed(self):
        return self.charger.look()["closed"]

    def codes(self):
        return self.log["faults"][-1][1]["codes"] if self.log["faults"] else []

    def holds(self, codes, within_s):
        """Whether it comes to these."""
        return self.wait(lambda: self.codes() == codes, within_s)

    def codes_since_us(self):
        return self.log["faults"][-1][0]

    def cut_power(self):
        at_us = self.do("power", "off")
        self.charger.advance(2)
        self.do("power", "on")
        self.charger.advance(0.3)
        return at_us

    def leave(self):
        """The car is unplugged; when. From a locked socket the cable comes out later."""
        self.plugged = False
        at_us = self.do("unplug", "car" if self.socket else None)
        if self.socket:
            self.charger.advance(1.5)
            self.do("unplug")
        return at_us

    def charges(self, within_s=80):
        """A car charges, the one that is there or a new one."""
        if not self.plugged:
            self.plugged = True
            self.do("plug", "generic")
            self.do("want_a", [16000])
            self.charger.at(self.charger.us + 300_000, "s2", True)
        assert self.wait(self.closed, within_s), f"no charge; codes {self.codes()}, {self.text()}"
        self.charger.advance(4)  # a current flows, and inrush is over
        assert self.closed()

    def told(self, kind):
        return [event for event in map(json.loads, self.values("event")) if event["event"] == kind]


class Life:
    def __init__(self, code, station):
        self.code, self.station = code, station
        self.cause, self.row = CAUSES[code], ROWS[code]
        self.all = sorted([code, *self.cause.beside], key=list(ROWS).index)
        self.red = self.row["severity"] == "red"
        self.wait_s = int(self.row["wait_s"])
        self.tries = int(self.row["tries"])
        self.retries = 0  # of a T so far
        self.opens_it = self.row["within_ms"] != "0" and not self.cause.after_opening

    # It comes ----------------------------------------------------------------------------------

    def comes(self):
        """From a good charge. Opens in time, and is the only one."""
        station, cause = self.station, self.cause
        station.charges()
        before_us = station.charger.us
        self.at_us = cause.comes(station)
        assert station.holds(self.all, cause.known_s), station.codes()
        self.known_us = station.codes_since_us()
        assert (self.known_us - self.at_us) / 1e6 <= cause.known_s
        self.opens()
        self.opened_us = station.first("contactor", before_us, on=False)
        self.gone_us = self.known_us if cause.momentary else None

    def opens(self):
        station, within_ms = self.station, int(self.row["within_ms"])
        if self.cause.after_opening:
            assert (self.known_us - self.at_us) / 1000 <= within_ms
            return
        if not within_ms:
            assert station.closed() or self.red
            return
        since_us = self.at_us if self.row["open"] == "2" else self.known_us
        station.wait(lambda: station.first("contactor", since_us, on=False), within_ms / 1000 + 1, 0.05)
        opened_us = station.first("contactor", since_us, on=False)
        assert opened_us and (opened_us - since_us) / 1000 <= within_ms

    def agrees(self):
        """The same code at the LED, on the display and in MQTT, with its names."""
        station, code, row = self.station, self.code, self.row
        assert counted(station, self.known_us) == (code, row["severity"])
        what, do = faults_en.words(code)
        title = ("FAULT E" if self.red else "NOTE E") + code
        assert station.shows(title, 30) and station.shows(what, 30) and station.shows(do, 30)
        assert station.until(lambda: station.state().get("faults") == self.all, 15)
        assert (station.state()["why"] == "fault") == self.red
        raised = [event for event in station.told("fault_raised") if event["code"] == code]
        assert len(raised) == 1
        names = {key: raised[0][key] for key in NAMES}
        mrec = f"CX{int(row['mrec']):03d}" if row["mrec"] != "0" else None
        assert names == {**{key: row[key] for key in NAMES}, "mrec": mrec}

    # It goes -----------------------------------------------------------------------------------

    def holds(self, seconds):
        self.station.charger.advance(seconds)
        assert self.station.codes() == self.all
        assert not (self.red and self.station.log["contactor"][-1][1]["on"])

    def refuses(self, why, **options):
        answer = self.station.command("cmd/clear", {"code": self.code, **options})
        assert (answer["ok"], answer["reason"]) == (False, why)
        assert self.station.codes() == self.all

    def accepts(self, **options):
        answer = self.station.command("cmd/clear", {"code": self.code, **options})
        assert answer["ok"], answer
        assert self.station.holds([], 12 if self.cause.retested else 2)

    def persists(self):
        """Nothing ends it while its cause is there."""
        if self.cause.retested:
            self.is_found_again()
        elif not self.cause.momentary:
            self.refuses(STILL, service=True)
            self.holds(max(5, min(self.wait_s, 35)))

    def is_found_again(self):
        """By the start that asking for it brings about."""
        station, boots = self.station, len(self.station.told("boot"))
        assert station.command("cmd/clear", {"code": self.code})["ok"]
        assert station.until(lambda: len(station.told("boot")) > boots, 30)
        assert station.told("boot")[-1]["cause"] == "command"
        self.holds(5)
        assert station.until(lambda: station.state().get("faults") == self.all, 15)

    def goes(self):
        gone_us = self.station.charger.us
        self.cause.goes(self.station)
        if self.gone_us is None:
            self.gone_us = gone_us

    def clears(self, how, since_us=None):
        """As its class says, and not before. `since_us`: the wait began later than with its end."""
        getattr(self, "clears_" + how.lower())(since_us or self.gone_us)

    def cleared_after_s(self, since_us, least_s, most_s):
        station = self.station
        left_s = (since_us - station.charger.us) / 1e6 + most_s
        assert station.holds([], left_s), (least_s, most_s)
        assert least_s <= (station.codes_since_us() - since_us) / 1e6 <= most_s

    def clears_w(self, since_us):
        self.cleared_after_s(since_us, 0, self.cause.gone_s)
        assert self.station.closed()

    def clears_a(self, since_us):
        if self.wait_s > 10:
            self.refused_soon(BY_ITSELF)
        self.cleared_after_s(since_us, self.wait_s - 1, self.wait_s + self.cause.gone_s + SLACK_S)
        self.station.charges()  # the same car, by itself

    def refused_soon(self, why, **options):
        """The cause may take a while to be known as gone."""
        station = self.station
        end_us = station.charger.us + (self.cause.gone_s + 2) * 1e6
        while True:
            answer = station.command("cmd/clear", {"code": self.code, **options})
            assert not answer["ok"] and answer["reason"] in (STILL, why)
            if answer["reason"] == why or self.cause.until_unplugged:
                return
            assert station.charger.us < end_us, answer

    def clears_t(self, since_us):
        least_s = self.wait_s - 1 - self.cause.early_s
        self.cleared_after_s(since_us, least_s, self.wait_s + self.cause.gone_s + SLACK_S)
        self.station.charges()
        self.retries += 1

    def clears_u(self, since_us):
        self.refused_soon(UNPLUG)
        self.holds(30)
        self.refused_soon(UNPLUG, service=True)
        left_us = self.station.leave()
        self.station.charger.advance((left_us - self.station.charger.us) / 1e6 + 2)
        assert self.station.codes() == self.all
        self.cleared_after_s(left_us, 2, 5.5)

    def clears_s(self, since_us):
        if self.cause.restarts:  # `goes` has switched it off and on
            assert self.station.holds([], 6)
            return
        self.holds(40)
        self.station.leave()
        self.holds(8)
        self.accepts()

    def clears_p(self, since_us):
        self.holds(40)
        self.station.leave()
        self.holds(8)
        self.refuses(SERVICE)
        self.accepts(service=True)

    # Over a power cut --------------------------------------------------------------------------

    def outlives_a_power_cut(self, how):
        """Or not, as its class says; when the firmware was there again."""
        station, boots = self.station, len(self.station.told("boot"))
        station.charger.advance(1)  # the latch is on flash a few tenths of a second later
        if self.cause.beside:  # what it has brought with it goes first
            assert station.holds([self.code], self.cause.gone_s)
        station.cut_power()
        kept = self.all if how in KEPT else []
        assert station.until(lambda: len(station.told("boot")) > boots, 20)
        assert station.told("boot")[-1]["faults"] == kept
        assert station.codes() == kept
        assert station.until(lambda: station.state()["faults"] == kept, 5)
        since_us = station.log["boot"][-1][0]
        if kept:
            self.holds(10)
            self.clears(how, since_us)
        return kept


    # Its tries ---------------------------------------------------------------------------------

    def uses_up_its_tries(self, how):
        """Then it clears as `then` says. Retries before the power cut count."""
        station, then = self.station, self.row["then"]
        while how == "T" and self.retries < self.tries:
            self.comes()
            self.goes()
            self.clears(how)
        self.comes()
        for _ in range(self.tries - 1 if how == "S" else 0):  # nothing passes between
            since_us = station.charger.us
            assert station.command("cmd/clear", {})["ok"]
            station.charger.advance(self.cause.known_s)
            changes = [event["codes"] for us, event in station.log["faults"] if us >= since_us]
            assert changes == [[], self.all]
        for _ in range(self.tries - 1 if how == "A" else 0):
            self.goes()
            self.clears(how)
            self.comes()
        self.goes()
        self.holds(2 * self.wait_s)
        if then in KEPT:
            self.outlives_a_power_cut(then)
        else:
            self.clears(then)

    # What is recorded --------------------------------------------------------------------------

    def ends_a_session(self):
        """Its record has the code and no other, and the row's reason. Nor had anything else in this life
        another one."""
        station = self.station
        self.comes()
        if not station.plugged:  # it came after the car, and is there when the next one comes
            station.do("plug", "generic")
        station.charger.advance(3)
        if not self.cause.restarts:
            self.goes()
        station.leave()
        station.advance(10)
        records = [json.loads(value) for value in station.values("session/last") if value]
        assert records[-1]["faults"] == self.all
        assert all(record["faults"] in ([], self.all) for record in records)
        if self.opens_it or self.cause.ends:
            assert self.row["stop"] in {record["stop"] for record in records}
        only = set(self.all)
        assert {code for _, event in station.log["faults"] for code in event["codes"]} == only
        assert {event["code"] for event in station.told("fault_raised")} == only


def counted(station, since_us, seconds=70):
    """(code, severity) that an onlooker counts at the LED from `since_us` on."""
    found = []

    def look():
        found[:] = [code for code in [_code_of(station.log["led"], since_us)] if code]
        return found

    station.wait(look, seconds, 1)
    assert found, "the LED shows no code"
    return found[0]


def _hue(rgb):
    red, green, blue = bytes.fromhex(rgb)
    if blue or not red:
        return None
    return "amber" if green else "red"


def _code_of(changes, since_us):
    """The first whole code: flashes, a dark, flashes, a longer dark."""
    groups, hues = [[]], set()
    lit_us = dark_us = None
    for us, event in changes:
        if us < since_us:
            continue
        hue = _hue(event["rgb"])
        if hue and lit_us is None:
            if dark_us:
                if us - dark_us > 2_500_000:
                    if len(groups) == 2:
                        break
                    groups = [[]]
                elif us - dark_us > 800_000:
                    groups.append([])
            lit_us = us
            groups[-1].append(us)
            hues.add(hue)
        elif not hue and lit_us is not None:
            lit_us, dark_us = None, us
    else:
        return None
    (severity,) = hues
    return f"{len(groups[0])}-{len(groups[1])}", severity
