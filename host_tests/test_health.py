"""What the station says of itself each minute: topic `health`, and one line on the console."""

import gc
import json
import re
import sys
from types import SimpleNamespace

import pytest

from micropython_port import run_script
from payload_schemas import validator
from pilotwire.decide import fault_rows
from pilotwire.tell.health import Health
from station import Connected, Lonely
from test_after_a_restart import cut_power

SCHEMA = validator("health")
CHORES = ("none", "link", "led", "display", "journal", "site", "gc", "second")
FIFO = 128  # bytes of the console's UART
LINE = re.compile(
    r"health us=(\d+)/(\d+)/(\d+) in=(\w+) late=(\d+) heap=(\d+)/(\d+) net=(\d+) wear=(\d+) up=(\d+) "
    r"boot=(\w+) clock=([SIU]) rec=(\d+) f=(\[.*\])"
)


def said(station):
    """What the console has said since the start's own line."""
    ready, *lines = station.charger.console
    assert ready.startswith("pilotwire ") and " ready in " in ready
    return lines



@pytest.fixture
def station(tmp_path):
    with Connected(tmp_path / "s") as station:
        yield station


def told(station):
    """All of `health` so far, each checked against its schema."""
    found = [json.loads(payload) for payload in station.values("health")]
    for payload in found:
        errors = [f"{error.json_path}: {error.message}" for error in SCHEMA.iter_errors(payload)]
        assert not errors, (errors, payload)
    return found


def next_one(station):
    """`health` of the next minute. That of the last may still be under way: the console tells at once."""
    lines = len(said(station))
    assert station.until(lambda: len(said(station)) > lines, 70)
    lines = re.findall(r"^health .* up=(\d+) ", "\n".join(said(station)), re.MULTILINE)
    ups_s = [int(up) for up in lines]
    up_s = ups_s[-1]
    assert station.until(lambda: [p["up_s"] for p in told(station)].count(up_s) == ups_s.count(up_s), 9)
    return told(station)[-1]


def fault(station, name):
    station.charger.do("fault", {"name": name, "value": None})


# Minutes ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def minutes(tmp_path_factory):
    """(`health` of the minutes below, the lines on the console)

    A new flash; nothing; stalls; nothing, but for the broker that goes and comes."""
    with Connected(tmp_path_factory.mktemp("minutes") / "s") as station:
        station.advance(130)
        for _ in range(12):
            fault(station, "stall")  # 40 ms
            station.advance(0.7013)  # so that it wanders through the tick, and the sleep after it
        station.advance(50)
        station.run.proxy.set_mode("down")
        station.advance(3)
        station.run.proxy.set_mode("up")
        station.advance(60)
        return told(station), said(station)


def test_each_minute_is_told_once_and_by_itself(minutes):
    told = minutes[0]
    assert [payload["up_s"] for payload in told] == [60, 120, 180, 240]
    for payload in told:
        assert 5700 <= payload["ticks"] <= 6000
        assert payload["tick_median_us"] <= payload["tick_p99_us"] <= payload["tick_worst_us"] + 250
        assert payload["late"] == sum(payload["stalls"].values()) < 70


def test_a_stall_is_in_its_minute_and_in_no_other(minutes):
    _, before, stalled, after = minutes[0]
    assert stalled["tick_worst_us"] >= 40_000 > max(before["tick_worst_us"], after["tick_worst_us"])
    assert stalled["late"] >= 3 + max(before["late"], after["late"])


def test_erases_of_flash_are_the_journals_and_collections_are_gcs(minutes):
    first, second = minutes[0][:2]
    assert first["flash_erases"] == second["flash_erases"] == 32  # a new one: each sector once
    assert 30 <= first["stalls"]["journal"] <= 32 and first["tick_worst_us"] >= 45_000
    assert first["worst_in"] == "journal"
    assert "journal" not in second["stalls"]
    assert second["stalls"]["gc"] >= 20  # every two seconds; at 240 MHz it takes a tick beyond 10 ms


def test_an_outage_is_a_reconnect(minutes):
    assert [payload["reconnects"] for payload in minutes[0]] == [0, 0, 0, 1]


def test_line_and_topic_say_the_same(minutes):
    names = (
        "tick_median_us tick_p99_us tick_worst_us worst_in late heap_free heap_least reconnects"
        " flash_wear up_s boot_cause"
    ).split()
    lines = [LINE.fullmatch(line).groups()[:11] for line in minutes[1]]
    assert lines == [tuple(str(payload[name]) for name in names) for payload in minutes[0]]


def test_a_slower_chip_is_seen(minutes, tmp_path):
    with Lonely(tmp_path / "s", mhz=160) as station:
        station.charger.advance(62)
        slow = LINE.fullmatch(said(station)[0])
    assert int(slow[1]) >= minutes[0][0]["tick_median_us"] + 2000


def test_sessions_wear_the_flash(tmp_path):
    with Connected(tmp_path / "s", flash_kb=12) as station:
        before = next_one(station)
        for _ in range(4):
            station.charge(seconds=8)
            station.charger.do("unplug")
            station.advance(8)
        after = next_one(station)
    assert after["flash_wear"] > before["flash_wear"] >= 1
    assert after["flash_erases"] - before["flash_erases"] >= after["flash_wear"] - before["flash_wear"]
    assert after["flash_wear"] <= after["flash_erases"] <= 3 * after["flash_wear"]


def test_ends_of_lives_are_counted_by_cause_until_the_supply_is_lost(station):
    for how in ("wdt", "brown_out", "wdt"):
        station.charger.do("reset", how)
        station.advance(6)
    station.command("cmd/restart", "{}", seconds=6)
    fault(station, "repl_break")
    station.advance(2)
    station.charger.do("reset", "soft")  # Ctrl-D
    station.advance(6)
    payload = next_one(station)
    assert payload["resets"] == {
        "watchdog": 2, "exception": 0, "command": 1, "console": 1, "brown_out": 1,
    }
    assert payload["boot_cause"] == "console"
    cut_power(station)
    station.advance(6)
    assert set(next_one(station)["resets"].values()) == {0}


# The line on the console --------------------------------------------------------------------------


def test_without_a_network_the_console_has_one_line_a_minute(tmp_path):
    with Lonely(tmp_path / "s") as station:
        station.charger.advance(7)
        fault(station, "lid_open")
        station.charger.advance(120)
        lines = [LINE.fullmatch(line) for line in said(station)]
    assert len(lines) == 2 and all(lines)
    assert [int(line[10]) for line in lines] == [60, 120]
    assert lines[-1][11] == "power" and lines[-1][14] == '["8-4"]'


class Full:
    """A charger of which everything that is told is as long as it gets."""

    def __init__(self):
        self.clock = SimpleNamespace(up_s=999_999_960, quality="S")
        self.chore_names = CHORES
        self.link = SimpleNamespace(mqtt=SimpleNamespace(reconnects=999_999))
        self.records = SimpleNamespace(journal=SimpleNamespace(wear=999_999), waiting=96)
        self.cause = "brown_out"
        self.faults = SimpleNamespace(mask=lambda: (1 << fault_rows.COUNT) - 1)
        self.facts = SimpleNamespace(codes=lambda mask: str(["9-9"] * fault_rows.COUNT))


def test_the_longest_line_fits_into_the_uarts_fifo(monkeypatch, capsys):
    monkeypatch.setattr(gc, "mem_free", lambda: 999_999, raising=False)
    monkeypatch.setitem(sys.modules, "esp32", SimpleNamespace(HEAP_DATA=4, idf_heap_info=lambda _: []))
    health = Health()
    for _ in range(6000):
        health.tick(999_999_999, CHORES.index("journal"))
    assert health.second(Full())
    line = capsys.readouterr().out
    assert line.endswith("\n") and 100 < len(line) + 1 <= FIFO  # its end goes as two bytes


UART = """
import sys
import port
from plant import costs

class World:
    cost = costs.MHZ_240
    class clock:
        us = 0
world = World()
def advance(us):
    world.clock.us += us
world.clock.advance = advance
uart = port.Uart(world)
taken = []
for size, pause_us in ((126, 0), (10, 50000), (126, 50000), (127, 50000), (400, 50000)):
    advance(pause_us)
    began = world.clock.us
    print("-" * size)
    taken.append(world.clock.us - began)
sys.stdout.write(repr(taken))
"""


def test_the_virtual_uart_makes_only_longer_lines_wait():
    waits_us = json.loads(run_script(UART).splitlines()[-1])
    fits_us = waits_us[0]
    assert waits_us == [fits_us, fits_us, fits_us, fits_us + 10_000, fits_us + 30_000]


def test_the_line_delays_no_tick_of_a_charge(station):
    station.charge(seconds=60)
    assert station.charger.look()["closed"] and len(said(station)) == 1
    payload = next_one(station)  # with the line's own tick in it
    assert payload["tick_worst_us"] < 12_000 and payload["stalls"].get("second", 0) == 0


TICKS = """
import gc, micropython
from pilotwire.tell.health import Health
health = Health()

def ticks():
    for k in range(7000):
        health.tick(k * 7, k & 7)

micropython.heap_lock()
ticks()
micropython.heap_unlock()
print("done")
"""


def test_noting_a_tick_allocates_nothing():
    assert run_script(TICKS).split() == ["done"]


SYSTEM = """
import esp32, gc, sys
from plant import world
class Gc:
    mem_free = staticmethod(lambda: 63000)
    collect = staticmethod(gc.collect)
sys.modules["gc"] = Gc
left = [53000]
esp32.idf_heap_info = lambda kind: [(7288, 4, 0, 4), (113840, left[0] + 500, left[0], left[0] + 500)]
from pilotwire.tell.health import Health
class C:
    class clock:
        up_s = 60
        quality = "S"
    class records:
        waiting = 0
        class journal:
            wear = 1
    class facts:
        codes = staticmethod(lambda mask: "[]")
    class faults:
        mask = staticmethod(lambda: 0)
    link = None
    cause = "power"
    chore_names = ("none",) * 8
health = Health()
assert health.second(C)
print(health.last[5], health.last[6])
"""


def test_what_the_system_has_is_not_counted_as_free_heap():
    """gc.mem_free() of a chip counts the block by which the heap could grow, which is WiFi's too."""
    assert run_script(SYSTEM).splitlines()[-1] == "10000 10000"
