"""Every car that others have measured charges: on the bench, and with its volts at a whole station."""

import csv
from pathlib import Path

import pytest

from bench_car import Bench, closed, opened
from pilotwire.decide import limits
from pilotwire.decide.letters import A, B, C
from station import Lonely

FILE = Path(__file__).with_name("measured_cars.csv")
LIMIT_MA = 16000  # offered where nobody wrote it down
MINUTES_MS = 120_000


def table():
    with FILE.open() as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def milli(cell):
    """Thousandths of "a/b/c", [] when it is empty."""
    return [round(float(value) * 1000) for value in cell.split("/")] if cell else []


def offered_ma(car):
    return round(float(car["offered_a"] or LIMIT_MA / 1000) * 10) * 100


CARS = table()


def which(*does):
    return pytest.mark.parametrize(
        "car", [pytest.param(car, id=car["car"]) for car in CARS if car["does"] in does]
    )


def bench_for(car):
    bench = Bench(limit_ma=offered_ma(car))
    if car["low_v"]:
        bench.low_mv = round(float(car["low_v"]) * 1000)
    return bench


def draw(bench, car):
    """The load as measured, by its active power at the bench's 230 V where that was."""
    watts_ma = [round(mw / 230) for mw in milli(car["p_w"])]
    bench.amps_ma = milli(car["i_a"]) or watts_ma or [0, 0, 0]
    bench.active_ma = watts_ma or None


def charge(car):
    bench = bench_for(car).plug()
    bench.shows = C
    bench.until(closed, within_ms=1000)
    return bench


def assert_charges_on(bench):
    closings = bench.times("contactor")
    bench.run(MINUTES_MS)
    assert closed(bench) and bench.shown() == ""
    assert bench.times("contactor") == closings


@which("draws")
def test_measured_car_charges_with_what_it_draws(car):
    bench = charge(car)
    draw(bench, car)
    assert_charges_on(bench)
    assert bench.charging.offer_ma == offered_ma(car) // 100 * 100


@which("draws_late")
def test_car_that_follows_a_lower_offer_late_charges_on(car):
    bench = charge(car)
    before_ma = round(float(car["before_a"]) * 1000)
    bench.limits.set(limits.COMMAND, before_ma)
    bench.run(20_000)
    draw(bench, car)
    bench.limits.set(limits.COMMAND, offered_ma(car))
    bench.run(int(car["for_s"]) * 1000)
    bench.amps_ma = [min(ma, offered_ma(car)) for ma in bench.amps_ma]
    bench.active_ma = None
    assert_charges_on(bench)


@which("waits")
def test_car_that_takes_a_minute_to_ask_charges_then(car):
    bench = bench_for(car).plug()
    bench.run(int(car["for_s"]) * 1000)
    bench.shows = C
    bench.until(closed, within_ms=6000)
    assert_charges_on(bench)


@which("asks_at_once")
def test_car_that_asks_when_the_station_starts_charges(car):
    bench = bench_for(car)
    bench.shows = C
    bench.until(closed, within_ms=6000)
    assert_charges_on(bench)


@which("ends")
def test_car_that_tapers_and_ends_by_itself_may_begin_again(car):
    bench = charge(car)
    draw(bench, car)
    bench.run(60_000)
    bench.amps_ma = [200, 0, 0]
    bench.run(60_000)
    bench.shows = B
    assert 50 <= bench.until(opened) <= 90
    bench.run(600_000)
    assert bench.shown() == ""
    bench.shows = C
    bench.until(closed, within_ms=1000)


@which("ignores_stop")
def test_car_that_draws_on_after_the_stop_is_opened_with_6_3_and_charges_when_it_comes_again(car):
    bench = charge(car)
    draw(bench, car)
    bench.run(20_000)
    bench.enabled = False
    assert 6000 <= bench.until(opened) <= 6100
    bench.run(int(car["for_s"]) * 1000)
    bench.enabled = True
    assert bench.shown() == "6-3"
    bench.shows = A
    bench.run(4100)
    bench.plug(C)
    bench.until(closed, within_ms=31_000)
    assert_charges_on(bench)


@which("unsteady")
@pytest.mark.parametrize("beside_mv", [7300, 7900, 4600])
def test_car_whose_c_is_not_always_in_its_band_charges_on(car, beside_mv):
    """A strict band put it into an endless loop. Its levels are not known: these are a model of it."""
    bench = charge(car)
    closings = bench.times("contactor")
    for _ in range(1000):
        bench.level_mv = beside_mv
        bench.run(90)
        bench.level_mv = 6000
        bench.run(30)
    assert closed(bench) and bench.shown() == ""
    assert bench.times("contactor") == closings


@pytest.mark.parametrize("car", [
    pytest.param(car, id=car["car"]) for car in CARS if car["source"].startswith("warp_")
])
def test_measured_car_charges_at_a_whole_station(car, tmp_path):
    config = {"limit_a": offered_ma(car) / 1000}
    with Lonely(tmp_path / "s", config=config) as station:
        charger = station.charger
        charger.advance(6)
        charger.do("mains_v", [mv // 10 for mv in milli(car["v_v"])])
        station.charge(seconds=3)
        charger.do("row", {
            "v_cv": [mv // 10 for mv in milli(car["v_v"])], "i_ma": milli(car["i_a"]),
            "p_mw": milli(car["p_w"]),
        })
        charger.advance(25)
        look = charger.look()
        assert look["closed"] and look["i_ma"] == milli(car["i_a"])
        assert offered_ma(car) - 100 <= look["car_offer_ma"] <= offered_ma(car)
        assert len(station.seen("contactor")) == 1 and "FAULT" not in station.text()


def test_every_car_has_a_source_and_a_test():
    tested = {"draws", "draws_late", "waits", "asks_at_once", "ends", "ignores_stop", "unsteady"}
    assert {car["does"] for car in CARS} == tested
    assert all(car["source"] for car in CARS)
