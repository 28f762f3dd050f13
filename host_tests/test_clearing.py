"""Clearing a fault by command and at the button: what each class allows, and what is said."""

import json
from types import SimpleNamespace

import pytest

from display_desk import at_desk
from pilotwire import clearing
from pilotwire.charger import names
from pilotwire.decide import fault_rows as rows
from pilotwire.decide import fault_table as table
from pilotwire.decide.faults import Faults
from pilotwire.tell import clear_de, clear_en
from station import Connected, Lonely

STILL = "Its cause is still there"


@pytest.fixture
def charger():
    return SimpleNamespace(
        faults=Faults(table.compiled()), config=SimpleNamespace(language="en"),
        clock=SimpleNamespace(up_s=100), restart_s=-1,
    )


def latch(charger, *which):
    for row in which:
        charger.faults.raise_(row)
        charger.faults.gone(row)


def code(row):
    major, minor = map(int, table.code(row).split("-"))
    return major << 4 | minor


def held(charger):
    return {row for row in range(rows.COUNT) if charger.faults.holds(row)}


def press(charger):
    panel = SimpleNamespace(note="", note_until_s=0)
    clearing.pressed(charger, panel)
    assert bool(panel.note) == (panel.note_until_s > charger.clock.up_s + 3)
    return panel.note


# By command ------------------------------------------------------------------------------------


@pytest.mark.parametrize("row, service, why", [
    (rows.RCD_TEST, False, None),
    (rows.SOFT_OVER_CURRENT, False, None),
    (rows.WELDED, True, None),
    (rows.WELDED, False, "Only service may clear it"),
    (rows.OVER_CURRENT, False, "It clears when the car is unplugged"),
    (rows.OVER_CURRENT, True, "It clears when the car is unplugged"),
    (rows.OVER_VOLTAGE, True, "It clears by itself"),
])
def test_a_fault_is_cleared_as_its_class_allows(charger, row, service, why):
    assert clearing.command(charger, code(row), service) == "There is no such fault"
    charger.faults.raise_(row)
    assert clearing.command(charger, code(row), service) == STILL
    charger.faults.gone(row)
    assert clearing.command(charger, code(row), service) == why
    assert charger.faults.holds(row) == (why is not None)


def test_all_that_may_be_are_cleared_and_the_others_hold(charger):
    latch(charger, rows.WELDED, rows.PILOT_GENERATOR, rows.OVER_CURRENT, rows.SOFT_OVER_CURRENT)
    charger.faults.raise_(rows.METER_LOST)
    assert clearing.command(charger, 0, False) is None
    assert held(charger) == {rows.WELDED, rows.OVER_CURRENT, rows.METER_LOST}
    assert clearing.command(charger, 0, False) == "Only service may clear it"
    assert clearing.command(charger, 0, True) is None
    assert held(charger) == {rows.OVER_CURRENT, rows.METER_LOST}


def test_a_code_that_is_nobodys_is_refused(charger):
    latch(charger, *range(rows.COUNT))
    before = held(charger)
    assert clearing.command(charger, 0x99, True) == "no fault has that code"
    assert held(charger) == before


def test_without_any_fault_all_is_refused(charger):
    assert clearing.command(charger, 0, True) == "There is no such fault"


@pytest.mark.parametrize("row", [rows.FIRMWARE, rows.CONFIG, rows.PILOT_GENERATOR])
def test_to_ask_for_what_a_start_tests_is_to_ask_for_a_start(charger, row):
    charger.faults.raise_(row)
    assert clearing.command(charger, code(row), False) is None
    assert charger.restart_s == 0 and held(charger) == {row}
    charger.restart_s = 2
    assert press(charger) == "Restarts to test it again"
    assert charger.restart_s == 2  # impatience does not put it off


def test_what_clears_otherwise_does_not_restart(charger):
    latch(charger, rows.PILOT_GENERATOR)
    charger.faults.raise_(rows.PILOT_SHORT)
    assert clearing.command(charger, code(rows.PILOT_GENERATOR), False) is None
    assert clearing.command(charger, code(rows.PILOT_SHORT), False) == STILL
    assert charger.restart_s == -1


# At the button ---------------------------------------------------------------------------------


def test_button_clears_what_it_may_and_says_so(charger):
    latch(charger, rows.PILOT_GENERATOR, rows.SOFT_OVER_CURRENT)
    assert press(charger) == "Cleared"
    assert held(charger) == set()


@pytest.mark.parametrize("row, note", [
    (rows.WELDED, "Only service may clear it"), (rows.RCD_AC, "It clears when the car is unplugged"),
    (rows.OVER_VOLTAGE, "It clears by itself"),
])
def test_button_says_why_the_fault_that_is_shown_stays_whatever_else_it_cleared(charger, row, note):
    latch(charger, row, rows.SOFT_OVER_CURRENT)
    assert press(charger) == note
    assert held(charger) == {row}


def test_button_says_that_the_cause_is_still_there(charger):
    charger.faults.raise_(rows.PILOT_SHORT)
    assert press(charger) == STILL


def test_button_uses_up_one_retry_a_press(charger):
    latch(charger, rows.SOFT_OVER_CURRENT)
    press(charger)
    assert charger.faults.tries[rows.SOFT_OVER_CURRENT] == 1


def test_button_without_a_fault_says_nothing(charger):
    assert press(charger) == ""


def test_every_language_says_each_answer_in_six_lines():
    for answer in range(7):
        for words in (clear_en, clear_de):
            assert 0 < len(words.words(answer)) <= 6 * 16 and words.words(answer).isascii()
    assert len(clear_en._WORDS) == len(clear_de._WORDS) == 7


def test_display_shows_the_note_while_there_is_one():
    noted, after = at_desk("""
fault = {"mode": 6, "why": 7, "code_major": 1, "code_minor": 1, "fault_text": "Wrong"}
desk = Desk(note="It clears by itself", **fault)
noted = desk.run(2000)
desk.set(note="")
out([noted, desk.run(2000)])
""")
    assert [line.strip() for line in noted[1:4]] == ["It clears by", "itself", ""]
    assert after[0].strip() == "FAULT E1-1"


# On the virtual charger ------------------------------------------------------------------------


@pytest.fixture
def station(tmp_path):
    with Connected(tmp_path / "station") as station:
        yield station


def weld(station):
    """The contactor stays closed when it should open, then somebody taps it loose: 7-3."""
    station.charge(seconds=8)
    station.charger.do("fault", {"name": "welded", "value": None})
    station.charger.do("unplug")
    station.advance(3)
    station.charger.do("clear", {"name": "welded", "value": None})
    station.advance(1)
    assert station.state()["faults"] == ["7-3"]


def test_service_clears_a_welded_contactor_by_command_and_nobody_else(station):
    weld(station)
    answer = station.command("cmd/clear", {"code": "7-3", "id": "a"})
    assert (answer["ok"], answer["reason"]) == (False, "Only service may clear it")
    answer = station.command("cmd/clear", {"code": "7-3", "service": True, "id": "b"})
    assert (answer["ok"], answer["id"], answer["cmd"]) == (True, "b", "cmd/clear")
    station.advance(2)
    assert station.state()["faults"] == []
    event = json.loads(station.values("event")[-1])
    assert (event["event"], event["code"]) == ("fault_cleared", "7-3")
    station.charge(seconds=40)  # the rest of 30 s after a fault


def test_a_cleared_fault_stays_cleared_over_a_power_cut_and_one_that_holds_holds(station):
    weld(station)
    for service, codes in ((False, ["7-3"]), (True, [])):
        station.command("cmd/clear", {"service": service}, seconds=2)
        station.charger.do("power", "off")
        station.advance(2)
        station.charger.do("power", "on")
        station.advance(20)
        assert station.state()["faults"] == codes


BAD = [
    "1-2", [], True, None, 7, {"code": 12}, {"code": "12"}, {"code": "1-12"}, {"code": "a-b"},
    {"code": None}, {"code": "1-2", "service": "yes"}, {"code": "1-2", "service": 1}, {"code": "9-9"},
    {"code": "0-0-"}, {"code": ""},
]


def test_a_wrong_command_clears_nothing_and_is_answered(station):
    weld(station)
    for payload in BAD:
        answer = station.command("cmd/clear", json.dumps(payload))
        assert not answer["ok"] and answer["reason"]
    assert station.state()["faults"] == ["7-3"]


def test_a_retained_command_clears_nothing(station):
    weld(station)
    station.run.proxy.set_mode("down")  # what a subscriber gets at once is not marked as retained
    station.backend._client.publish(
        station.backend.root + "cmd/clear", b'{"service":true}', qos=1, retain=True
    ).wait_for_publish(5)
    station.run.proxy.set_mode("up")
    assert station.until(lambda: b"retained" in station.backend.last.get("result", b""), 60)
    assert station.state()["faults"] == ["7-3"]


@pytest.mark.skipif("button" not in names()[1], reason="the plant has no button")
def test_a_long_press_is_answered_on_the_display_and_a_short_one_is_not(tmp_path):
    with Lonely(tmp_path / "s") as station:
        station.charger.advance(7)
        station.charge(seconds=8)
        station.charger.do("fault", {"name": "cp_short", "value": None})
        station.charger.advance(1)
        for seconds in (2.8, 3.2):
            station.charger.do("fault", {"name": "button", "value": None})
            station.charger.advance(seconds)
            station.charger.do("clear", {"name": "button", "value": None})
            station.charger.advance(2)
            assert (STILL in station.text()) == (seconds > 3)
        station.charger.advance(10)
        assert STILL not in station.text()


def test_a_long_press_takes_mended_settings_into_use(tmp_path):
    with Lonely(tmp_path / "s") as station:
        settings = station.folder / "config.json"
        good = settings.read_text()
        settings.write_text("{")
        station.charger.advance(5)
        station.charger.do("power", "off")
        station.charger.advance(2)
        station.charger.do("power", "on")
        station.charger.advance(8)
        assert station.shows("E7-6")
        for text, after in (("{", "E7-6"), (good, "READY")):
            settings.write_text(text)
            station.charger.do("fault", {"name": "button", "value": None})
            station.charger.advance(3.5)
            station.charger.do("clear", {"name": "button", "value": None})
            assert station.shows("Restarts", 3)
            station.charger.advance(12)
            assert station.shows(after), station.text()
        station.charge(seconds=40)  # the rest of 30 s after a restart


def test_a_button_that_is_stuck_at_the_start_is_no_press(tmp_path):
    with Lonely(tmp_path / "s") as station:
        station.charger.advance(5)
        (station.folder / "config.json").write_text("{")
        station.charger.do("fault", {"name": "button", "value": None})
        station.charger.do("power", "off")
        station.charger.advance(2)
        station.charger.do("power", "on")
        station.charger.advance(60)
        assert station.shows("E7-6") and len(station.seen("boot")) == 2
        station.charger.do("clear", {"name": "button", "value": None})
        station.charger.advance(1)
        station.charger.do("fault", {"name": "button", "value": None})
        station.charger.advance(8)
        assert len(station.seen("boot")) == 3


def test_all_that_may_be_cleared_are_and_what_a_start_tests_is_tested(charger):
    latch(charger, rows.SOFT_OVER_CURRENT)
    charger.faults.raise_(rows.CONFIG)
    assert clearing.command(charger, 0, False) is None
    assert charger.restart_s == 0 and held(charger) == {rows.CONFIG}
