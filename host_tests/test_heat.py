"""Temperature: what the sensor reads, what it limits and stops, and what a broken one does."""

import importlib
import json
from math import exp

import machine
import pytest

from pilotwire import board as board_file
from pilotwire.charger import ROOT
from pilotwire.decide import fault_rows as rows
from pilotwire.decide import fault_table
from pilotwire.decide.faults import Faults
from pilotwire.decide.heat import Heat
from pilotwire.decide.limits import NONE_MA, TEMPERATURE, Limits
from pilotwire.decide.reading import Reading
from pilotwire.decide.session import Session
from small_int import Small
from station import Connected, Lonely
from test_after_a_restart import cut_power

BOARD = ROOT / "boards/reference-3p/board.json"
NTC = json.loads(BOARD.read_text())["ntc"]
OPEN_DC, SHORT_DC = -1000, 2000
NO_SENSOR = Reading().temp_dc


# Decisions -------------------------------------------------------------------------------------


class Desk:
    def __init__(self, full_ma=32000):
        self.r = Reading()
        self.faults = Faults(fault_table.compiled())
        self.limits = Limits(6000)
        self.heat = Heat(full_ma)
        self.at(25, 10)

    def at(self, celsius, seconds=1):
        """So warm for so long."""
        self.r.temp_dc = round(celsius * 10)
        for _ in range(seconds):
            self.faults.open_now = False
            self.heat.second(self.r, self.faults, self.limits)
            self.opens = self.faults.open_now
            self.faults.second(False)
        return self

    def to(self, celsius):
        """Slowly there, 5 K a second."""
        while abs(self.r.temp_dc / 10 - celsius) > 5:
            self.at(self.r.temp_dc / 10 + (5 if celsius > self.r.temp_dc / 10 else -5))
        return self.at(celsius)

    @property
    def ma(self):
        return self.limits.value_ma[TEMPERATURE]

    @property
    def shown(self):
        return fault_table.code(self.faults.worst) if self.faults.worst >= 0 else ""


@pytest.fixture
def desk():
    return Desk()


@pytest.mark.parametrize("celsius, ma, shown", [
    (-40, NONE_MA, ""), (25, NONE_MA, ""), (65, NONE_MA, ""), (65.1, 31500, "4-1"),
    (70, 23000, "4-1"), (72.5, 19000, "4-1"), (75, 14500, "4-1"), (79.9, 6000, "4-1"),
    (80, 6000, "4-1"), (84.9, 6000, "4-1"),
])
def test_full_current_up_to_65_falls_to_6_a_at_80(desk, celsius, ma, shown):
    desk.to(celsius)
    assert (desk.ma, desk.shown) == (ma, shown)
    assert not desk.faults.blocks


@pytest.mark.parametrize("full_ma", [6000, 10000, 63000, 80000])
def test_the_limit_lies_between_6_a_and_all(full_ma):
    desk = Desk(full_ma)
    desk.to(65)
    before = full_ma
    for tenth in range(650, 850):
        desk.at(tenth / 10)
        ma = min(desk.ma, full_ma)
        assert 6000 <= ma <= before
        before = ma
    assert before == 6000


def test_the_limit_does_not_follow_every_tenth(desk):
    desk.to(70)
    changes = desk.limits.changes
    for k in range(100):
        desk.at(70 - k % 10 / 10)
    assert desk.limits.changes == changes
    desk.at(68.9)
    assert desk.ma > 23000
    desk.to(63)
    assert (desk.ma, desk.shown) == (NONE_MA, "")


def test_85_stops_and_it_goes_on_30_s_after_it_has_been_below_60(desk):
    desk.to(85)
    assert desk.shown == "4-2" and desk.faults.blocks and not desk.opens
    desk.to(60).at(60, 100)
    assert desk.shown == "4-2"
    desk.at(59.9, 29)
    assert desk.shown == "4-2" and desk.faults.wait_s == 1
    desk.at(59.9)
    assert desk.shown == ""


def test_the_30_s_begin_anew_when_it_grows_warmer_again(desk):
    desk.to(85).to(59).at(59, 20)
    desk.at(60.5, 5).at(59, 29)
    assert desk.shown == "4-2"
    desk.at(59)
    assert desk.shown == ""


def test_95_opens_at_once(desk):
    desk.to(94.9)
    assert not desk.opens
    desk.at(95)
    assert desk.opens


@pytest.mark.parametrize("dc", [OPEN_DC, SHORT_DC, -401, 1251])
def test_a_sensor_out_of_range_is_4_3_and_16_a(desk, dc):
    desk.at(dc / 10)
    assert (desk.shown, desk.ma, desk.faults.blocks) == ("4-3", 16000, False)
    desk.at(dc / 10, 100)
    assert desk.shown == "4-3"


@pytest.mark.parametrize("dc", [-400, 1250])
def test_the_ends_of_the_range_are_in_it(dc):
    desk = Desk()
    desk.heat = Heat(32000)
    desk.at(dc / 10)
    assert not desk.faults.holds(rows.TEMP_SENSOR)


@pytest.mark.parametrize("dc", [OPEN_DC, SHORT_DC])
def test_a_sensor_that_was_never_good_is_4_3_from_the_start(dc):
    desk = Desk()
    desk.heat, desk.limits = Heat(32000), Limits(6000)
    desk.at(dc / 10)
    assert (desk.shown, desk.ma) == ("4-3", 16000)


def test_a_jump_is_4_3_until_the_sensor_has_been_steady_for_5_s(desk):
    desk.at(45.1)
    assert (desk.shown, desk.ma) == ("4-3", 16000)
    desk.at(45.1, 4)
    assert desk.shown == "4-3"
    desk.at(45.1)
    assert (desk.shown, desk.ma) == ("", NONE_MA)
    desk.at(65.1)  # 20 K are none
    assert desk.shown == "4-1"


def test_jumps_to_and_fro_are_never_believed(desk):
    for _ in range(50):
        assert desk.at(90).shown == "4-3"
        assert desk.at(25, 2).shown == "4-3"


def test_a_jump_that_stays_is_believed_after_5_s(desk):
    desk.at(90, 6)
    assert desk.shown == "4-2" and not desk.faults.holds(rows.TEMP_SENSOR)


@pytest.mark.parametrize("celsius, ma", [(25, 16000), (70, 16000), (78, 9000)])
def test_a_sensor_that_breaks_lets_go_of_nothing(desk, celsius, ma):
    desk.to(celsius)
    shown = desk.shown
    desk.at(OPEN_DC / 10, 60)
    assert desk.ma == ma
    assert desk.faults.holds(rows.WARM) == (shown == "4-1")


def test_hot_and_then_broken_stays_stopped_until_the_sensor_says_cool(desk):
    desk.to(86)
    desk.at(SHORT_DC / 10, 1000)
    assert desk.faults.holds(rows.TOO_HOT) and desk.faults.blocks
    desk.at(50, 5 + 29)
    assert desk.shown == "4-2"
    desk.at(50, 3)
    assert desk.shown == ""


def test_a_sensor_that_breaks_during_the_30_s_begins_them_anew(desk):
    desk.to(86).to(50).at(50, 25)
    desk.at(OPEN_DC / 10, 2)
    desk.at(50, 10)
    assert desk.shown == "4-2"


def test_warm_and_broken_in_one_second_show_the_warmth_first(desk):
    desk.to(70)
    desk.at(SHORT_DC / 10)
    assert desk.shown == "4-1" and desk.faults.active == 2


def test_before_the_first_reading_nothing_is_said():
    desk = Desk()
    desk.heat = Heat(32000)
    desk.at(NO_SENSOR / 10, 5)
    assert (desk.shown, desk.ma) == ("", NONE_MA)


def test_every_step_of_the_sums_is_a_small_int():
    heat = Heat(Small(80000))
    r, faults, limits = Reading(), Faults(fault_table.compiled()), Limits(6000)
    for dc in (-1000, -400, 250, 651, 799, 1250, 2000):
        for _ in range(8):
            r.temp_dc = Small(dc)
            heat.second(r, faults, limits)


# The sensor ------------------------------------------------------------------------------------


def ohm_at(celsius, spec=NTC):
    return spec["ohm_25"] * exp(spec["beta"] * (1 / (celsius + 273.15) - 1 / 298.15))


def count_of(mv):
    """What an ESP32's ADC at 11 dB makes of it."""
    if mv > 2450:
        mv += (mv - 2450) / 2
    return max(0, min(4095, round((mv - 142) / 0.8056)))


@pytest.fixture
def sense(monkeypatch):
    """sense(mv) -> 0.1 degC, with an ADC that reads so many mV, `gain` and `zero_mv` off."""

    class Adc:
        ATTN_11DB = 3
        mv = 0

        def __init__(self, pin, *, atten):
            assert atten == self.ATTN_11DB

        def read_u16(self):
            count = count_of(Adc.mv)
            return count << 4 | count >> 8

    monkeypatch.setattr(machine, "ADC", Adc, raising=False)
    module = importlib.import_module("pilotwire.sense.heat")
    monkeypatch.setattr(module, "ADC", Adc)
    sensor = module.Heat(NTC)
    r = Reading()

    def read(mv):
        Adc.mv = mv
        for _ in range(64):
            sensor.look(r)
        return r.temp_dc

    return read


def divider(celsius):
    ohm = ohm_at(celsius)
    return 3300 * ohm / (ohm + NTC["pull_up_ohm"])


def test_it_reads_each_temperature_to_1_k(sense):
    for celsius in [*range(-30, 126, 1), *range(125, -31, -7), 25, -30, 120]:
        most = 15 if celsius < 0 else 6 if celsius < 60 else 10
        assert abs(sense(divider(celsius)) - 10 * celsius) <= most, celsius


def test_with_the_adc_at_its_worst_it_is_8_k_off_where_it_matters(sense):
    worst = 0
    for celsius in (65, 80, 85, 95):
        for gain in (0.94, 1.06):
            for zero_mv in (-30, 30):
                got = sense(divider(celsius) * gain + zero_mv)
                worst = max(worst, abs(got - 10 * celsius))
    print("worst", worst / 10, "K")
    assert worst <= 80


@pytest.mark.parametrize("mv, dc", [(3300, OPEN_DC), (3150, OPEN_DC), (0, SHORT_DC), (140, SHORT_DC)])
def test_open_and_shorted_are_told(sense, mv, dc):
    assert sense(mv) == dc


def test_what_is_colder_than_minus_40_by_the_table_reads_as_open(sense):
    assert sense(divider(-60)) == OPEN_DC


@pytest.mark.parametrize("key, value, said", [
    ("adc_pin", 25, "ADC1"), ("adc_pin", "32", "wrong type"), ("beta", 0, "above 0"),
    ("supply_mv", -3300, "above 0"), ("ohm_25", None, "missing"),
])
def test_a_sensor_that_cannot_be_is_refused(tmp_path, key, value, said):
    ntc = {k: v for k, v in {**NTC, key: value}.items() if v is not None}
    path = tmp_path / "board.json"
    path.write_text(json.dumps({**json.loads(BOARD.read_text()), "ntc": ntc}))
    with pytest.raises(board_file.BoardError, match=said):
        board_file.load(path)


@pytest.mark.parametrize("changed", [
    {"pull_up_ohm": 1000}, {"pull_up_ohm": 47000}, {"supply_mv": 1000}, {"ohm_25": 100000},
])
def test_a_divider_that_does_not_suit_the_adc_is_refused(changed):
    table = importlib.import_module("pilotwire.sense.heat_table").table
    with pytest.raises(ValueError, match="does not suit"):
        table({**NTC, **changed})


# The record ------------------------------------------------------------------------------------


@pytest.mark.parametrize("temp_dc, chip_dc, most", [
    (NO_SENSOR, 415, 415), (700, 415, 700), (250, 415, 250), (OPEN_DC, 415, 415), (SHORT_DC, 415, 415),
])
def test_the_hottest_of_a_session_is_the_sensors_where_there_is_a_good_one(temp_dc, chip_dc, most):
    session, r = Session(), Reading()
    session.begin(1, 0, 0, 0)
    r.temp_dc, r.chip_dc = temp_dc, chip_dc
    session.second(r, 0, 1, 1)
    assert session.temp_dc == most


# The whole station -----------------------------------------------------------------------------


@pytest.fixture
def station(tmp_path):
    with Lonely(tmp_path / "s", config={"installation_a": 32}) as station:
        station.charger.advance(7)
        station.charge(amps=32, seconds=8)
        yield station


def fault(station, name, on=True):
    station.charger.do("fault" if on else "clear", {"name": name, "value": None})


def test_a_station_that_grows_warm_offers_less_and_then_stops(station):
    charger = station.charger
    charger.do("ambient_c", 750)
    charger.advance(35)
    assert 13000 <= charger.look()["car_offer_ma"] <= 16000
    assert station.shows("4-1") and charger.look()["closed"]
    charger.do("ambient_c", 880)
    charger.advance(20)
    assert station.shows("4-2") and not charger.look()["closed"]
    charger.do("ambient_c", 400)
    charger.advance(65)
    assert charger.look()["closed"] and charger.look()["car_offer_ma"] > 31000
    assert not station.shows("4-", 4)


def test_it_opens_at_once_at_95(station):
    charger = station.charger
    charger.do("car", "ignores_stop")
    charger.do("ambient_c", 1150)
    opened = None
    while not opened:
        charger.advance(1)
        opened = [e["us"] for e in station.seen("contactor") if not e["on"]]
        stopped = [e["us"] for e in station.seen("pilot") if e["duty"] == 100000 and e["us"] > 9_000_000]
    assert 3_000_000 < opened[0] - stopped[0] < 6_000_000  # not after the 6 s of a stop


@pytest.mark.parametrize("name", ["ntc_open", "ntc_short", "ntc_jump"])
def test_a_broken_sensor_limits_to_16_a_and_is_told(station, name):
    charger = station.charger
    fault(station, name)
    charger.advance(4)
    assert 15900 <= charger.look()["car_offer_ma"] <= 16000 and charger.look()["closed"]
    assert station.shows("4-3", 5)
    fault(station, name, on=False)
    charger.advance(20)
    assert charger.look()["car_offer_ma"] > 31000
    assert not station.shows("4-3", 4)


def test_the_load_warms_the_box(station):
    fault(station, "self_heating")
    station.charger.do("ambient_c", 580)
    station.charger.advance(60)
    assert station.shows("4-1")
    assert station.charger.look()["car_offer_ma"] < 31000


def test_a_board_without_a_sensor_loads_and_shows_nothing_of_it(tmp_path):
    spec = json.loads(BOARD.read_text())
    del spec["ntc"]
    path = tmp_path / "board.json"
    path.write_text(json.dumps(spec))
    with Lonely(tmp_path / "s", board=path) as station:
        station.charger.advance(7)
        station.charge(seconds=8)
        station.charger.do("ambient_c", 1100)
        station.charger.advance(30)
        assert station.charger.look()["closed"] and not station.shows("4-", 4)


def test_what_stops_the_charge_is_worded_when_the_contactor_is_open_its_code_at_once(tmp_path):
    with Lonely(tmp_path / "s") as station:
        station.charger.advance(7)
        station.charge(seconds=8)
        station.charger.do("car", "ignores_stop")
        station.charger.do("ambient_c", 900)
        assert station.shows("E4-2", 60)
        assert station.charger.look()["closed"] and not station.shows("Charger too hot", 3)
        assert station.shows("Charger too hot", 10) and not station.charger.look()["closed"]


def test_hot_is_not_kept_over_a_power_cut_but_measured_again(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.charge(seconds=8)
        station.charger.do("ambient_c", 900)
        station.advance(60)
        assert station.state()["faults"] == ["4-2", "4-1"]
        cut_power(station)
        station.advance(30)
        assert station.state()["faults"] == ["4-2", "4-1"]
        assert not station.charger.look()["closed"]
        station.charger.do("ambient_c", 250)
        station.charger.do("unplug")
        cut_power(station, 60)
        station.advance(20)
        assert station.until(lambda: station.state()["faults"] == [], 20)


def test_hot_and_over_voltage_at_once_and_one_of_them_going(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.charge(seconds=8)
        station.charger.do("ambient_c", 900)
        station.charger.do("mains_v", [27000])
        station.advance(60)
        assert station.state()["faults"] == ["5-1", "4-2", "4-1"]
        assert not station.charger.look()["closed"]
        station.charger.do("mains_v", [23000])
        assert station.until(lambda: station.state()["faults"] == ["4-2", "4-1"], 100)
        station.charger.do("ambient_c", 250)
        assert station.until(lambda: station.state()["faults"] == [], 80)
        station.advance(35)
        assert station.charger.look()["closed"]
