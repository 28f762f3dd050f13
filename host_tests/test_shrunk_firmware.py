"""The firmware as the device gets it, compiled and with short names, against its sources.

Both play the same on the virtual charger with the same seed. Virtual time is charged by what the chip's
modules are asked to do, so all that the outside world notices must be the same to the microsecond.
"""

import ast
import json
import re

import pytest

from pilotwire.charger import SOURCES
from pilotwire.device_build import compile_tree, count
from pilotwire.shrink_map import beside, load, translate
from station import Connected, Lonely, variant


@pytest.fixture(scope="module")
def shrunk(tmp_path_factory):
    return compile_tree(tmp_path_factory.mktemp("shrunk") / "device")


def both(tmp_path, shrunk, play):
    """What play(folder, firmware) returns with the sources and with the shrunk firmware."""
    return play(tmp_path / "sources", SOURCES), play(tmp_path / "shrunk", shrunk)


def lonely(folder, firmware, do, **options):
    """Every event of a station without network in which do(station) happens."""
    with Lonely(folder, firmware=firmware, seed=3, **options) as station:
        station.charger.advance(8)
        do(station)
        (ready,) = station.charger.console  # its self-test needs a manifest, which sources have not
        assert re.fullmatch(r"pilotwire [\d.]+ ready in a, self-test (none|passed)", ready)
        return [event for event in station.events if event["e"] != "console"]


def charge_and_unplug(station):
    station.charge("zoe_ze50", amps=20, seconds=30)
    station.charger.do("unplug")
    station.charger.advance(10)


def test_charge_is_the_same_to_the_microsecond(tmp_path, shrunk):
    before, after = both(tmp_path, shrunk, lambda *to: lonely(*to, charge_and_unplug))
    assert before == after
    kinds = {event["e"] for event in after}
    assert {"contactor", "pilot", "led", "display"} <= kinds, kinds


FAULTS = ("cp_short", "diode_open", "meter_silent", "welded", "display_unplugged")


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_comes_and_goes_the_same(tmp_path, shrunk, fault):
    def do(station):
        station.charge(seconds=8)
        station.charger.do("fault", {"name": fault, "value": None})
        station.charger.advance(12)
        station.charger.do("clear", {"name": fault, "value": None})
        station.charger.advance(3)
        station.charger.do("unplug")
        station.charger.advance(12)

    before, after = both(tmp_path, shrunk, lambda *to: lonely(*to, do))
    assert before == after
    if fault == "cp_short":
        shown = [str(event["text"]) for event in after if event["e"] == "display"]
        assert "E1-1" in "".join(shown) and "READY" in shown[-1]


@pytest.mark.parametrize("board", ["reference-1p", "reference-3p-socket"])
def test_other_boards_are_the_same(tmp_path, shrunk, board):
    path = SOURCES.parent / "boards" / board / "board.json"
    before, after = both(
        tmp_path, shrunk, lambda *to: lonely(*to, lambda s: s.charge(seconds=20), board=path)
    )
    assert before == after


def timeless(record):
    """Without what follows from the time of day: its server is real, and answers when it does."""
    fields = json.loads(record)
    assert {len(fields.pop(name)) for name in ("mac", "prev")} == {64}
    for name in ("plugged_at", "started_at", "ended_at", "unplugged_at"):
        assert fields[name].pop("t").startswith("2026-06-01T05:0")
    return list(fields.items())  # in their order


def connected(folder, firmware):
    """(records, answers, info, all that the display showed). The broker is real: what waits for it goes
    on at a fixed time again."""
    with Connected(folder, firmware=firmware, seed=5) as station:
        charger = station.charger
        charger.until(16_000_000)  # when it is online depends on the broker, which is real
        station.charge("zoe_ze50", amps=20, seconds=10)
        station.command("cmd/limit", {"a": 10, "id": "less"}, 5)
        station.command("cmd/limit", 300, 1)
        charger.until(60_000_000)
        charger.do("fault", {"name": "cp_short", "value": None})
        station.advance(3)
        charger.do("clear", {"name": "cp_short", "value": None})
        charger.do("unplug")
        station.advance(15)
        charger.do("reset", "wdt")
        station.advance(45)
        charger.until(150_000_000)
        station.charge(amps=16, seconds=20)
        charger.do("power", "off")
        station.advance(2)
        charger.do("power", "on")
        assert station.until(lambda: len(station.values("session/record")) == 2)
        shown = {tuple(e["text"]) for e in station.events if e["e"] == "display"}
        info = json.loads(station.values("info")[-1])
        assert info.pop("selftest") == ("none" if firmware == SOURCES else "passed")
        return (
            [timeless(record) for record in station.values("session/record")],
            station.values("result"), info, shown,
        )


def test_records_answers_and_texts_over_mqtt_are_the_same(tmp_path, shrunk):
    before, after = both(tmp_path, shrunk, connected)
    records, answers, _, texts = after
    assert before[:3] == after[:3]
    assert {text[0] for text in before[3]} == {text[0] for text in texts}
    first, second = map(dict, records)
    assert (first["faults"], first["energy_wh"] > 0, second["stop"]) == (["1-1"], True, "PowerLoss")
    assert [json.loads(answer)["ok"] for answer in answers] == [True, False]
    assert "Cable or plug" in str(texts)


def test_traceback_of_the_shrunk_firmware_is_that_of_the_sources(tmp_path, shrunk):
    def said(folder, firmware):
        board = variant(folder.parent / "board", rated_a="63")
        with Lonely(folder, firmware=firmware, board=board) as station:
            station.charger.advance(3)
            return "\n".join(station.charger.console)

    before, after = both(tmp_path, shrunk, said)
    assert "_refuse" in before and "_refuse" not in after
    # the last such name in a path: the clone itself may lie in a folder called main or pilotwire
    frame = re.compile(r'File "[^"]*((?:pilotwire/|main)[^"]*)".* in (?:\w+\.)?(\w+)')
    assert frame.findall(translate(after, load(beside(shrunk)))) == frame.findall(before)
    assert "BoardError: board.json: rated_a has the wrong type" in after


def test_names_become_few_and_the_map_stands_beside(tmp_path, shrunk):
    files, size, names = count(shrunk / "pilotwire")
    before = count(compile_tree(tmp_path / "as they are", sources=((SOURCES, ""),)))
    assert names <= 300 < 1000 < before[2]
    assert files < before[0] and size < before[1]
    functions = [file["functions"] for file in load(beside(shrunk))["files"].values()]
    places = {place for found in functions for some in found.values() for place in some}
    assert "pilotwire/decide/charging.py: Charging.step" in places


def test_what_starts_the_device_stays_text_and_names_nothing_that_another_build_calls_otherwise(shrunk):
    """Two builds share them: see docs/flashing.md."""
    assert (shrunk / "boot.py").read_text() == (SOURCES / "boot.py").read_text()
    plain = ast.unparse(ast.parse((SOURCES / "main.py").read_text()))
    assert (shrunk / "main.py").read_text().strip() == plain
    assert not [path for path in shrunk.rglob("*.py") if path.name not in ("boot.py", "main.py")]
