"""`pilotwire doctor`: from which figure on it calls something worth a look, or bad."""

import pytest

from doctor_told import INFO, STATE, WELL
from pilotwire.doctor_bounds import BAD, LOOK, OK
from pilotwire.doctor_checks import findings, worst


def level(**members):
    """The worst of what is said of a station that is well but for this, and about what."""
    told = {"status": "online", "info": dict(INFO), "state": dict(STATE), "health": dict(WELL)}
    for name, value in members.items():
        topic = next((t for t in ("health", "state", "info") if name in told[t]), "status")
        if topic == "status":
            told["status"] = value
        else:
            told[topic][name] = value
    found = findings(told)
    return worst(found), {f.what for f in found if f.level != OK}


def resets(**counts):
    return {**WELL["resets"], **counts}


@pytest.mark.parametrize("name, value, what, wanted", [
    ("tick_p99_us", 10_000, None, OK), ("tick_p99_us", 10_250, "loop", LOOK),
    ("tick_p99_us", 20_000, "loop", BAD),
    ("tick_worst_us", 10_000_001, "worst turn", BAD),
    ("late", 119, None, OK), ("late", 120, "late", LOOK), ("late", 600, "late", BAD),
    ("heap_least", 4096, None, OK), ("heap_least", 4095, "heap", LOOK), ("heap_least", 2047, "heap", BAD),
    ("reconnects", 71, None, OK), ("reconnects", 72, "reconnects", LOOK),
    ("reconnects", 288, "reconnects", BAD),
    ("flash_wear", 49_999, None, OK), ("flash_wear", 50_000, "flash", LOOK),
    ("flash_wear", 90_000, "flash", BAD),
    ("flash_errors", 1, "flash errors", LOOK), ("lost_records", 1, "lost", BAD),
    ("tell_errors", 1, "telling", LOOK),
    ("hot_openings", 30_000, "contactor", LOOK), ("hot_openings", 100_000, "contactor", BAD),
    ("cold_openings", 300_000, "contactor moves", LOOK),
    ("rssi", -75, None, OK), ("rssi", -76, "signal", LOOK), ("rssi", -86, "signal", BAD),
    ("rssi", None, None, OK),
    ("resets", resets(watchdog=1), "restarts", LOOK), ("resets", resets(exception=3), "restarts", BAD),
    ("resets", resets(brown_out=1), "restarts", LOOK), ("resets", resets(console=1), "restarts", LOOK),
    ("resets", resets(command=9), None, OK),
    ("faults", ["8-4"], "fault", LOOK), ("faults", ["8-4", "2-1"], "fault", BAD),
    ("faults", ["9-9"], "fault", BAD),
    ("q", "I", None, OK), ("q", "U", "clock", LOOK),
    ("waiting", 2, None, OK), ("waiting", 3, "records", LOOK), ("waiting", 21, "records", BAD),
    ("notices", ["records_waiting"], "records", BAD), ("notices", ["loose_connection"], "notice", BAD),
    ("notices", ["full"], None, OK), ("enabled", False, "orders", LOOK),
    ("selftest", "none", "selftest", LOOK), ("selftest", "failed", "selftest", BAD),
    ("config", "copy", "config", LOOK), ("config", "safe", "config", BAD),
    ("firmware", "9.9", "firmware", LOOK), ("contract", 2, "contract", LOOK),
    ("status", "offline", "link", BAD),
])
def test_each_figure_has_its_bounds(name, value, what, wanted):
    assert level(**{name: value}) == (wanted, {what} - {None})


def test_a_stall_of_flash_or_name_server_is_no_news():
    assert level(tick_worst_us=390_000, worst_in="journal")[0] == OK
    assert level(tick_worst_us=5_000_000, worst_in="link")[0] == OK
    assert level(tick_worst_us=41_000, worst_in="gc") == (LOOK, {"worst turn"})
    assert level(tick_worst_us=5_000_000, worst_in="led") == (BAD, {"worst turn"})


@pytest.mark.parametrize("odd", [None, "x", [], {}, -1, 1e9, True, [["a"]]])
def test_no_payload_ends_it(odd):
    for member in [*WELL, *STATE, *INFO]:
        assert level(**{member: odd})[0] in (OK, LOOK, BAD)
