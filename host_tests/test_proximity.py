"""The cable in the socket: its coding, its limit, and what happens when it makes no sense."""

import importlib
import json
import random
import sys
from itertools import product
from types import SimpleNamespace

import machine
import pytest

from micropython_port import run_script
from pilotwire import board as board_file
from pilotwire.charger import ROOT
from pilotwire.decide import fault_rows, fault_table
from pilotwire.decide.cable import Cable
from pilotwire.decide.faults import Faults
from pilotwire.decide.letters import A, B, C, E
from pilotwire.decide.limits import NONE_MA
from pilotwire.decide.reading import Reading
from station import Connected, Lonely

SOCKET = ROOT / "boards/reference-3p-socket/board.json"
TETHERED = ROOT / "boards/reference-3p/board.json"
OPEN_OHM = 99999
RATINGS = [(100, 63000), (220, 32000), (680, 20000), (1500, 13000)]
PARTS = (0.06, 0.02, 0.01, 0.03)  # of the ADC's gain, the supply, the pull-up, the resistor
INVALID = [0, 74, 2400, 4200]  # shorted, or between the last coding and an empty socket


# Decisions -------------------------------------------------------------------------------------


class Desk:
    """The cable's decisions, tick by tick: what the socket reads, what the pilot says."""

    def __init__(self):
        self.r = Reading()
        self.r.pp_ohm = OPEN_OHM
        self.r.cp_ok = True
        self.faults = Faults(fault_table.compiled())
        self.cable = Cable()
        self.letter = A
        self.ms = 0
        self.car(A).run(1000)

    def car(self, letter):
        self.letter = letter
        self.r.cp_high_mv = (12000, 9000, 6000, 3000, 0)[letter]
        return self

    def run(self, ms):
        for _ in range(0, ms, 10):
            self.tick()
        return self

    def tick(self, dt_ms=10):
        before = self.cable.limit_ma
        changed = self.cable.step(self.r, self.letter, self.faults, dt_ms)
        assert changed == (self.cable.limit_ma != before)
        if (self.ms + dt_ms) // 1000 != self.ms // 1000:
            self.faults.second(self.letter == A)
        self.ms += dt_ms

    def plug(self, ohm, letter=B):
        self.r.pp_ohm = ohm
        return self.car(letter)

    def unplug(self):
        return self.plug(OPEN_OHM, A)

    @property
    def limit_ma(self):
        return self.cable.limit_ma

    @property
    def faulty(self):
        return self.faults.holds(fault_rows.PROXIMITY)


@pytest.fixture
def desk():
    return Desk()


def test_an_empty_socket_limits_nothing(desk):
    assert desk.limit_ma == NONE_MA and not desk.faulty


@pytest.mark.parametrize("low, high, rated_ma", [
    (75, 149, 63000), (150, 329, 32000), (330, 999, 20000), (1000, 2199, 13000),
])
def test_each_range_of_the_table_has_its_rating_to_its_edges(low, high, rated_ma):
    for ohm in (low, high):
        desk = Desk().plug(ohm).run(600)
        assert (desk.limit_ma, desk.faulty) == (rated_ma, False)


def test_nothing_may_flow_before_the_cable_has_been_the_same_for_500_ms(desk):
    desk.plug(220).run(500)
    assert desk.limit_ma == 0
    desk.run(20)
    assert desk.limit_ma == 32000


def test_a_car_that_is_just_coming_finds_the_limit_at_zero_before_the_pilot_says_b(desk):
    desk.r.cp_high_mv = 9000
    desk.tick()
    assert (desk.letter, desk.limit_ma) == (A, 0)


def test_a_cable_that_is_in_the_socket_before_the_car_is_known_when_it_comes(desk):
    desk.plug(680, A).run(600)
    assert desk.limit_ma == 20000
    desk.car(B)
    desk.tick()
    assert desk.limit_ma == 20000


def test_a_stalled_loop_proves_no_500_ms(desk):
    desk.plug(220)
    desk.tick()
    for _ in range(3):
        desk.tick(400)
    assert desk.limit_ma == 0


@pytest.mark.parametrize("ohm", INVALID)
@pytest.mark.parametrize("letter", [A, B, C])
def test_an_invalid_coding_is_a_fault_within_a_second_until_it_is_unplugged(desk, ohm, letter):
    desk.plug(ohm, letter).run(400)
    assert not desk.faulty
    desk.run(600)
    assert desk.faulty and desk.faults.blocks and desk.faults.open_now
    assert desk.limit_ma == 0
    desk.run(60000)
    assert desk.faulty
    desk.plug(220, letter).run(400)  # another plug in no time: not believed yet
    assert desk.faulty
    desk.unplug().run(2000)
    assert desk.limit_ma == NONE_MA and desk.faulty == (letter != A)
    desk.run(5000)
    assert not desk.faulty


def test_a_coding_that_becomes_good_does_not_end_the_fault_while_the_car_is_there(desk):
    desk.plug(0).run(1000)
    desk.plug(220).run(60000)
    assert desk.faulty and desk.limit_ma == 0
    desk.plug(220, A).run(5000)  # unplugged at the car's end
    assert not desk.faulty and desk.limit_ma == 32000


@pytest.mark.parametrize("ohm", [*INVALID, 100, 680, 1500, OPEN_OHM])
def test_another_coding_in_the_session_is_a_fault_after_500_ms(desk, ohm):
    desk.plug(220).run(10000)
    desk.plug(ohm, C).run(490)
    assert desk.limit_ma == 32000 and not desk.faulty
    desk.run(20)
    assert desk.limit_ma == 0 and desk.faulty


def test_a_coding_that_flickers_among_others_is_no_longer_the_one_that_was_known(desk):
    desk.plug(220, C).run(5000)
    for k in range(6):
        desk.plug((0, 680, OPEN_OHM)[k % 3], C).run(100)
    assert desk.faulty


def test_a_short_disturbance_in_the_session_changes_nothing(desk):
    desk.plug(220, C).run(5000)
    for _ in range(50):
        desk.plug(0, C).run(400)
        desk.plug(220, C).run(100)
    assert desk.limit_ma == 32000 and not desk.faulty


def test_a_car_with_an_open_socket_may_not_charge_and_after_3_s_it_is_told_why(desk):
    desk.plug(OPEN_OHM, C).run(2900)
    assert desk.limit_ma == 0 and not desk.faulty
    desk.run(200)
    assert desk.limit_ma == 0 and desk.faulty


def test_a_coding_that_never_rests_is_a_fault_when_a_car_waits_for_it(desk):
    for k in range(40):
        desk.plug((220, 680)[k % 2]).run(100)
        assert desk.limit_ma == 0
    assert desk.faulty


def test_a_dead_pilot_and_an_empty_socket_are_no_fault_of_a_cable(desk):
    desk.car(E).run(10000)
    assert not desk.faulty


@pytest.mark.parametrize("ohm, near, beyond", [
    (325, range(316, 345), 350), (155, range(144, 160), 140),
])
def test_a_value_at_the_edge_of_a_range_does_not_flicker(desk, ohm, near, beyond):
    rng = random.Random(3)
    desk.plug(ohm, C).run(1000)
    for _ in range(500):
        desk.r.pp_ohm = rng.choice(near)
        desk.run(80)
        assert desk.limit_ma == 32000
    desk.r.pp_ohm = beyond  # more than 5 % beyond: another range
    desk.run(600)
    assert desk.faulty


def test_another_cable_for_the_next_car_is_no_change(desk):
    desk.plug(220, C).run(5000)
    desk.unplug().run(100)
    desk.plug(1500).run(1000)
    assert desk.limit_ma == 13000 and not desk.faulty


def test_random_cables_never_allow_more_than_their_rating(desk):
    """Whatever is plugged and when; a plug that rests has its own rating or none."""
    rng = random.Random(7)
    for _ in range(3000):
        desk.plug(rng.choice([100, 220, 680, 1500, 0, 3000, OPEN_OHM]), rng.choice([A, B, C, E]))
        steady_ms = rng.choice([20, 80, 300, 700, 4000])
        desk.run(steady_ms)
        if desk.letter == A and desk.r.pp_ohm == OPEN_OHM:
            assert desk.limit_ma == NONE_MA
        elif steady_ms >= 700:
            assert desk.limit_ma in (0, dict(RATINGS).get(desk.r.pp_ohm, 0))
        else:
            assert desk.limit_ma != NONE_MA


# The pin ---------------------------------------------------------------------------------------


@pytest.fixture
def pin(monkeypatch):
    """A function: mV at the pin, that ADC's gain -> pp_ohm after eight looks."""
    source = SimpleNamespace(mv=0, gain=1.0)

    class ADC:
        ATTN_11DB = 3

        def __init__(self, pin, *, atten):
            assert atten == ADC.ATTN_11DB

        def read_u16(self):
            count = max(0, min(4095, round((source.mv * source.gain - 142) / 0.8056)))
            return count << 4 | count >> 8

    monkeypatch.setattr(machine, "ADC", ADC, raising=False)
    monkeypatch.delitem(sys.modules, "pilotwire.sense.proximity", raising=False)
    proximity = importlib.import_module("pilotwire.sense.proximity")
    monkeypatch.delitem(sys.modules, "pilotwire.sense.proximity")
    spec = json.loads(SOCKET.read_text())["proximity"]

    def reads(mv, gain=1.0):
        source.mv, source.gain = mv, gain
        sense, r = proximity.Proximity(spec), Reading()
        for _ in range(8):
            assert r.pp_ohm == -1
            sense.look(r)
        return r.pp_ohm

    return reads


def volts(ohm, supply_mv=3300, up_ohm=1000):
    return supply_mv * ohm / (ohm + up_ohm)


@pytest.mark.parametrize("ohm", [75, 100, 150, 220, 330, 680, 1000, 1500, 2200])
def test_a_true_adc_reads_the_whole_table_within_2_percent(pin, ohm):
    assert abs(pin(volts(ohm)) - ohm) <= max(2, ohm * 0.02)
    assert 150 <= volts(ohm) <= 2450


@pytest.mark.parametrize("ohm, rated_ma", RATINGS)
def test_every_coding_is_told_apart_whatever_the_tolerances(pin, ohm, rated_ma):
    for off in product((-1, 0, 1), repeat=4):
        gain, supply, up, coding = (1 + k * part for k, part in zip(off, PARTS, strict=True))
        read = pin(volts(ohm * coding, 3300 * supply, 1000 * up), gain)
        assert Desk().plug(read).run(600).limit_ma == rated_ma, (off, read)


def test_a_short_reads_below_the_table_and_an_empty_socket_beyond_it(pin):
    assert pin(0) < 75
    assert pin(3300) > 4500 and pin(3300, 1.06) > 4500 and pin(3300, 0.95) > 4500


# The board file --------------------------------------------------------------------------------


def changed_board(tmp_path, **changes):
    spec = json.loads(SOCKET.read_text())
    for key, value in changes.items():
        if value is None:
            del spec["proximity"][key]
        else:
            spec["proximity"][key] = value
    (tmp_path / "board.json").write_text(json.dumps(spec))
    return tmp_path / "board.json"


def test_a_board_without_proximity_has_none():
    assert board_file.load(TETHERED).proximity is None


@pytest.mark.parametrize("changes", [
    {"adc_pin": None}, {"pull_up_ohm": "1k"}, {"supply_mv": None},
    {"pull_up_ohm": 330}, {"pull_up_ohm": 2200}, {"supply_mv": 5000}, {"pull_up_ohm": 0},
])
def test_a_pin_that_cannot_tell_the_codings_apart_is_refused(tmp_path, changes):
    with pytest.raises(board_file.BoardError, match="proximity"):
        board_file.load(changed_board(tmp_path, **changes))


LOADED = """
import json, os, sys
from plant.world import world
os.chdir(sys.argv[1])
world.set_up({"board": json.load(open("board.json")), "dir": ".", "epoch_s": 0})
from pilotwire import board, config, control
control.Charger(board.load("board.json"), config.load("config.json"))
print(json.dumps(sorted(name for name in sys.modules if name.startswith("pilotwire."))))
"""


@pytest.mark.parametrize("board, has_socket", [(SOCKET, True), (TETHERED, False)])
def test_only_a_board_with_a_socket_loads_what_it_needs(tmp_path, board, has_socket):
    (tmp_path / "board.json").write_bytes(board.read_bytes())
    settings = {"device": "virtual", "installation_a": 63, "ssid": ""}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    loaded = json.loads(run_script(LOADED, args=(str(tmp_path),)).splitlines()[-1])
    for module in ("pilotwire.decide.cable", "pilotwire.sense.proximity"):
        assert (module in loaded) == has_socket


# The whole firmware ----------------------------------------------------------------------------


@pytest.fixture
def station(tmp_path):
    with Lonely(tmp_path / "s", board=SOCKET) as station:
        station.charger.advance(7)
        yield station


def cable(station, ohm):
    """The next plug (or the one that is in) has this coding; or the name of a plant fault."""
    value = {"name": ohm, "value": None} if isinstance(ohm, str) else {"name": "pp", "value": ohm}
    station.charger.do("fault", value)


def asks(station, seconds):
    """A car that asks at once."""
    station.charger.do("plug", "generic")
    station.charger.at(station.charger.us + 300_000, "s2", True)
    station.charger.advance(seconds)


def offers_ma(station, since_us=0):
    """Currents that the pilot carried, in order."""
    duties = [e["duty"] / 1000 for e in station.seen("pilot", since_us) if 0 < e["duty"] < 100_000]
    return [round(d * 600 if d <= 85 else (d - 64) * 2500) for d in duties]


@pytest.mark.parametrize("ohm, rated_ma", RATINGS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_offer_is_the_cables_rating_from_the_first_duty_on(tmp_path, ohm, rated_ma, seed):
    with Lonely(tmp_path / "s", board=SOCKET, seed=seed) as station:
        station.charger.advance(5)
        cable(station, ohm)
        plugged_us = station.charger.us
        asks(station, 8)
        offered = offers_ma(station, plugged_us)
        assert station.charger.look()["closed"] and offered
        assert all(rated_ma - 150 <= ma <= rated_ma for ma in offered), offered


def test_a_smaller_limit_than_the_cables_stays_in_force(tmp_path):
    with Lonely(tmp_path / "s", board=SOCKET, config={"installation_a": 16}) as station:
        station.charger.advance(5)
        asks(station, 8)
        assert 15900 <= station.charger.look()["car_offer_ma"] <= 16000


def test_the_cable_is_published_as_what_holds_the_current_down_and_forgotten_with_it(tmp_path):
    with Connected(tmp_path / "s", board=SOCKET) as station:
        assert station.until(lambda: station.state() and station.state()["limit"] == "board")
        cable(station, 680)
        asks(station, 0.2)
        station.advance(4)
        assert (station.state()["limit"], station.state()["limit_a"]) == ("cable", 20)
        assert station.until(lambda: station.state()["why"] == "none")
        assert "paused" not in {json.loads(v)["why"] for v in station.values("state")}
        station.charger.do("unplug", "car")
        station.advance(3)
        assert station.state()["limit"] == "cable"  # it still hangs there
        station.charger.do("unplug")
        station.advance(3)
        assert (station.state()["limit"], station.state()["limit_a"]) == ("board", 63)


@pytest.mark.parametrize("fault", ["pp_short", "pp_invalid", "pp_open"])
def test_a_plug_that_cannot_be_read_never_charges_and_says_1_4_until_unplugged(station, fault):
    cable(station, fault)
    plugged_us = station.charger.us
    asks(station, 20)
    assert not station.seen("contactor") and not offers_ma(station, plugged_us)
    assert station.shows("1-4") and station.shows("Cable")
    station.charger.do("clear", {"name": fault, "value": None})
    station.charger.advance(20)
    assert station.shows("1-4") and not station.seen("contactor")
    station.charger.do("unplug")
    station.charger.advance(6)
    assert station.shows("READY")
    station.charge(seconds=8)


@pytest.mark.parametrize("ohm", [100, 680, "pp_short", "pp_invalid", "pp_open"])
def test_a_change_under_load_opens_within_700_ms_and_says_1_4(station, ohm):
    station.charge(seconds=8)
    changed_us = station.charger.us
    cable(station, ohm)
    station.charger.advance(5)
    opened = [e["us"] for e in station.seen("contactor", changed_us) if not e["on"]]
    assert opened and 500 <= (opened[0] - changed_us) / 1000 <= 700
    assert station.shows("1-4")
    station.charger.advance(60)
    assert not [e for e in station.seen("contactor", opened[0] + 1) if e["on"]]


def test_a_tethered_board_does_not_see_what_the_plant_does_to_pp(tmp_path):
    with Lonely(tmp_path / "s", board=TETHERED) as station:
        station.charger.advance(7)
        cable(station, "pp_short")
        station.charge(seconds=8)
        assert station.charger.look()["car_offer_ma"] > 60000


def test_a_quarter_of_an_hour_of_noise_on_pp_neither_stops_nor_changes_a_charge(station):
    station.charge(seconds=8)
    since_us = station.charger.us
    station.charger.advance(900)
    assert not station.seen("contactor", since_us) and not offers_ma(station, since_us)
