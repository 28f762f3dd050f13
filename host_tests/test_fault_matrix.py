"""Every fault of the table on a whole station: opened in time, told alike, cleared by its class.

A life of a row: a car charges; the cause comes; LED, display, MQTT and record say its code and no
other; it goes away as its class says and not before; the same over a power cut; when its retries are
used up, as `then` says; and the record of a session that it ended gives the row's reason.
"""

import shutil

import pytest

from fault_causes import CAUSES
from fault_life import ROWS, Life, Station, counted
from pilotwire.charger import SOURCES
from pilotwire.device_build import LIBRARY, compile_tree


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sources compiled as they are: the plant's watch looks into them by their names."""
    target = tmp_path_factory.mktemp("build") / "device"
    return compile_tree(target, sources=((SOURCES, ""), (LIBRARY, "")))


@pytest.fixture
def life(request, tmp_path):
    code = request.param
    cause, options = CAUSES[code], {}
    if cause.built:
        options["firmware"] = tmp_path / "device"
        shutil.copytree(request.getfixturevalue("built"), options["firmware"])
    with Station(tmp_path / "s", cause.board, **options) as station:
        yield Life(code, station)


def test_every_row_of_the_table_has_a_cause():
    assert set(CAUSES) == set(ROWS)


@pytest.mark.parametrize("life", sorted(ROWS), indirect=True)
def test_a_fault(life):
    how = life.row["clears"]
    life.comes()
    life.agrees()
    life.persists()
    life.goes()
    life.clears(how)
    life.comes()
    life.goes()
    life.outlives_a_power_cut(how)
    if life.tries:
        life.uses_up_its_tries(how)
    life.ends_a_session()


def test_of_several_the_worst_is_shown_and_all_are_listed(tmp_path):
    with Station(tmp_path / "s", "reference-3p") as station:
        station.charges()
        for name in ("lid_open", "cp_short", "pe_lost"):
            station.do("fault", {"name": name, "value": None})
        for codes, goes in ((["3-1", "1-1", "8-4"], "pe_lost"), (["1-1", "8-4"], "cp_short")):
            assert station.holds(codes, 70)
            assert counted(station, station.codes_since_us()) == (codes[0], "red")
            assert station.shows("FAULT E" + codes[0])
            station.advance(2)
            assert station.state()["faults"] == codes
            station.do("clear", {"name": goes, "value": None})
        station.leave()
        assert station.holds(["8-4"], 10)
        assert counted(station, station.codes_since_us()) == ("8-4", "amber")
        told = [event["code"] for event in station.told("fault_raised")]
        assert sorted(told) == ["1-1", "3-1", "8-4"]
