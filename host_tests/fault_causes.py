"""How each fault of the table is brought about on the virtual charger, and taken away again.

A cause comes while a car charges. `comes(station)` returns when it came, us of virtual time: the
row's time runs from then. Where the fault is of the moment (6-2: the current has gone with the
opening) `goes` only makes the next charge a good one.
"""

import json
from types import SimpleNamespace

MAINS_CV = 23000


def cause(comes, goes, **options):
    """`board`: one that can have the fault. `known_s`: from the cause until it is certain, at the
    most. `gone_s`: from its end until the firmware knows; `early_s`: so long before its end it may have
    seemed to be gone. `beside`: codes that it brings with it.
    `after_opening`: it is found when the contactor has been told to open, and is not what opens it.
    `momentary`: its cause has gone when it is known. `until_unplugged`: nobody can tell before that
    the cause has gone. `restarts`: looked at only at the start. `retested`: to ask that it be cleared
    is to ask for a start, which looks again. `ends`: it ends the life."""
    values = {
        "board": "reference-3p", "known_s": 2.0, "gone_s": 2.0, "early_s": 0, "beside": [],
        "after_opening": False, "momentary": False, "until_unplugged": False, "restarts": False,
        "retested": False, "ends": False, "built": False,
    }
    return SimpleNamespace(comes=comes, goes=goes, **{**values, **options})


def fault(name, **options):
    """A fault of the plant, switched on and off."""
    on, off = switches(name)
    return cause(on, off, **options)


def switches(name):
    value = {"name": name, "value": None}
    return (lambda station: station.do("fault", value)), (lambda station: station.do("clear", value))


def event(name, bad, good, **options):
    """Something of the plant that has a value: mains, ambient, a row of currents."""
    return cause(lambda s: s.do(name, bad), lambda s: s.do(name, good), **options)


def row(*amps):
    ma = [round(a * 1000) for a in amps]
    return {"v_cv": [MAINS_CV if a else 0 for a in amps], "i_ma": ma,
            "p_mw": [MAINS_CV // 100 * a for a in ma]}


# The ones that need more than a switch ---------------------------------------------------------


def _stops_responding(station):
    """From the order: the pilot goes to +12 V, and the car goes on drawing."""
    at_us = station.do("car", "ignores_stop")
    station.command("cmd/enable", False)
    return station.first("pilot", at_us, duty=100000)


def _responds(station):
    station.do("car", "generic")
    station.command("cmd/enable", True)


def _fails_to_close(station):
    """From the command to close."""
    station.do("not_ready")
    station.wait(lambda: not station.closed(), 10)
    station.do("fault", {"name": "no_close", "value": None})
    at_us = station.do("ready")
    station.wait(lambda: station.first("contactor", at_us, on=True), 40)
    return station.first("contactor", at_us, on=True)


def _welds(station):
    """From the command to open."""
    at_us = station.do("fault", {"name": "welded", "value": None})
    station.do("not_ready")
    station.wait(lambda: station.first("contactor", at_us, on=False), 10)
    return station.first("contactor", at_us, on=False)


def _comes_loose(station):
    station.do("clear", {"name": "welded", "value": None})
    station.do("ready")


def _fails_its_test(station):
    """The test is due 1 s after an opening."""
    station.do("fault", {"name": "rcd_test_fails", "value": None})
    return station.leave()


def _wants_ventilation(station):
    station.do("car", "no_s2")  # else it opens S2, and comes back each half a minute
    return station.do("ventilation", True)


def _wants_none(station):
    station.do("ventilation", False)
    station.do("car", "generic")


def _meter_sticks(station):
    """While the load changes: only then is it wrong."""
    at_us = station.do("fault", {"name": "meter_stale", "value": None})
    station.do("want_a", [6000] * 3)
    return at_us


def _restarts(station):
    boots = len(station.told("boot"))
    at_us = station.do("reset", "wdt")
    assert station.until(lambda: len(station.told("boot")) > boots, 20)
    return at_us


def _loses_its_settings(station):
    path = station.folder / "config.json"
    station.settings = path.read_text()
    (station.folder / "config.good.json").unlink(missing_ok=True)
    path.write_text(json.dumps({**json.loads(station.settings), "installation_a": 3}))
    return station.cut_power()


def _gets_them_back(station):
    (station.folder / "config.json").write_text(station.settings)
    station.cut_power()


def _flip_a_letter(station):
    """In a text, so that the file can still be imported."""
    path = station.firmware / "pilotwire/tell/faults_en.mpy"
    data = bytearray(path.read_bytes())
    data[data.index(b"id is open")] ^= 0x20
    path.write_bytes(data)
    return station.cut_power()


def _flip_it_back(station):
    path = station.firmware / "pilotwire/tell/faults_en.mpy"
    data = bytearray(path.read_bytes())
    data[data.index(b"Id is open")] ^= 0x20
    path.write_bytes(data)
    station.cut_power()


CAUSES = {
    "1-1": fault("cp_short"),
    "1-2": fault("diode_short", until_unplugged=True),
    "1-3": fault("pilot_noise", early_s=2),
    "1-4": fault("pp_invalid", board="reference-3p-socket", until_unplugged=True),
    "1-5": cause(_wants_ventilation, _wants_none),
    "1-6": fault("lock_stuck_open", board="reference-3p-socket", momentary=True, gone_s=8),
    "2-1": fault("rcd_ac"),
    "2-2": fault("rcd_dc"),
    "3-1": fault("pe_lost"),
    "3-2": fault("pen_open", board="reference-1p", known_s=5),
    "4-1": event("ambient_c", 720, 250, known_s=40, gone_s=8),
    "4-2": event("ambient_c", 900, 250, known_s=45, gone_s=25, beside=["4-1"]),
    "4-3": fault("ntc_open", gone_s=8),
    "5-1": event("mains_v", [27000], [MAINS_CV], known_s=5, gone_s=62),  # up to 60 s are random
    "5-2": event("mains_v", [18000], [MAINS_CV], known_s=5, gone_s=62),
    "5-3": fault("phase_loss", known_s=3.5),
    "6-1": event("row", row(37, 0, 0), row(16, 0, 0), board="reference-1p", known_s=9, momentary=True),
    "6-2": event("row", row(110, 6, 6), row(16, 6, 6), momentary=True),
    "6-3": cause(_stops_responding, _responds, known_s=7, momentary=True),
    "7-1": cause(_fails_its_test, switches("rcd_test_fails")[1], known_s=4, momentary=True),
    "7-2": fault("pilot_stuck_minus", known_s=4, retested=True),
    "7-3": cause(_welds, _comes_loose, after_opening=True),
    "7-4": cause(_fails_to_close, switches("no_close")[1], momentary=True),
    "7-5": cause(_restarts, lambda s: None, known_s=5, momentary=True, ends=True),
    "7-6": cause(_loses_its_settings, _gets_them_back, known_s=10, restarts=True, retested=True),
    "7-7": cause(_flip_a_letter, _flip_it_back, known_s=10, restarts=True, retested=True, built=True),
    "8-1": fault("meter_silent", known_s=11, gone_s=12),
    "8-2": cause(_meter_sticks, switches("meter_stale")[1], known_s=70, gone_s=70),
    "8-3": fault("program_fail", known_s=70, gone_s=70),  # a checkpoint each minute
    "8-4": fault("lid_open"),
}
