"""The temperature sensor: what is read from its divider, and which dividers a board may have."""

import importlib
import json
from math import exp

import machine
import pytest

from pilotwire import board as board_file
from pilotwire.charger import ROOT
from pilotwire.decide.reading import Reading

BOARD = ROOT / "boards/reference-3p/board.json"
NTC = json.loads(BOARD.read_text())["ntc"]
OPEN_DC, SHORT_DC = -1000, 2000


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
