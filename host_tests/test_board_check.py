"""`pilotwire board check`: good boards pass; each mistake is told, with signal, GPIO and remedy."""

import copy
import json

import pytest

from pilotwire import board_check
from pilotwire.charger import ROOT
from pilotwire.cli import main

BOARDS = sorted(ROOT.glob("boards/*/board.json"))
# Tethered with three phases, with a socket, with one phase and a dynamic drive.
T3 = json.loads((ROOT / "boards/reference-3p/board.json").read_text())
S3 = json.loads((ROOT / "boards/reference-3p-socket/board.json").read_text())
D1 = json.loads((ROOT / "boards/reference-1p/board.json").read_text())
OUT = object()  # takes a member away


def changed(spec, *changes):
    """A copy in which "contactor.pin" and so on are others."""
    spec = copy.deepcopy(spec)
    for path, value in changes:
        *sections, name = path.split(".")
        inside = spec
        for section in sections:
            inside = inside[section]
        if value is OUT:
            del inside[name]
        else:
            inside[name] = value
    return spec


def told(spec, tmp_path, capsys, status=1):
    """{severity: [lines]} of the command."""
    file = tmp_path / "board.json"
    file.write_text(spec if isinstance(spec, str) else json.dumps(spec))
    assert main(["board", "check", str(file)]) == status
    said = capsys.readouterr()
    assert said.err == ""
    head, *lines = said.out.splitlines()
    found = {kind: [line[11:] for line in lines if line[2:9].strip() == kind]
             for kind in ("error", "warning")}
    assert sum(map(len, found.values())) == len(lines)
    counts = [len(found[kind]) for kind in found]
    words = [f"{count} {kind}{'s' * (count != 1)}" for count, kind in zip(counts, found, strict=True)]
    assert head == f"{file}: {', '.join(words)}"
    return found


def test_all_boards_of_ours_pass(capsys):
    assert main(["board", "check"]) == 0
    heads = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert [head.split(":")[0] for head in heads] == [str(p.relative_to(ROOT)) for p in BOARDS]
    assert all(": 0 errors, " in head for head in heads)


# One mistake, one error that says it ---------------------------------------------------------------

BROKEN = [
    # GPIOs that cannot do it.
    (T3, [("led.pin", 0)], "led.pin, GPIO 0: it is a strapping pin: low at", "Free for it"),
    (T3, [("led.pin", 2)], "led.pin, GPIO 2: it is a strapping pin", "Free for it"),
    (T3, [("led.pin", 12)], "led.pin, GPIO 12: it is a strapping pin: high at reset sets the flash", "4"),
    (T3, [("led.pin", 15)], "led.pin, GPIO 15: it is a strapping pin", "4"),
    (T3, [("meter.cs", 4), ("led.pin", 5)], "led.pin, GPIO 5: it is a strapping pin", "26"),
    (T3, [("meter.cs", 12)], "meter.cs, GPIO 12: it is a strapping pin", "Free for it"),
    (T3, [("inputs.button_pin", 0)], "inputs.button_pin, GPIO 0: it is a strapping pin", "its contact"),
    (T3, [("inputs.lid_pin", 15)], "inputs.lid_pin, GPIO 15: it is a strapping pin", "its contact"),
    (T3, [("contactor.aux_pin", 5), ("meter.cs", 26)],
     "contactor.aux_pin, GPIO 5: it is a strapping pin", "its contact"),
    (T3, [("meter.miso", 15)], "meter.miso, GPIO 15: it is a strapping pin", "what hangs on it would"),
    (T3, [("led.pin", 1)], "led.pin, GPIO 1: TX of the console", "UART0"),
    (T3, [("inputs.pe_pin", 3)], "inputs.pe_pin, GPIO 3: RX of the console (UART0)", "Free for it"),
    (T3, [("led.pin", 6)], "led.pin, GPIO 6: it belongs to the flash", "Free for it"),
    (T3, [("inputs.lid_pin", 11)], "inputs.lid_pin, GPIO 11: it belongs to the flash", "Free for it"),
    (T3, [("led.pin", 24)], "led.pin, GPIO 24: an ESP32 has no such GPIO", "Free for it"),
    (T3, [("led.pin", 40)], "led.pin, GPIO 40: an ESP32 has no such GPIO", "Free for it"),
    (T3, [("pilot.adc_pin", 4), ("led", None)], "pilot.adc_pin, GPIO 4: it is on ADC2", "36"),
    (T3, [("pilot.adc_pin", 26)], "pilot.adc_pin, GPIO 26: it is on ADC2, which cannot be read", "36"),
    (T3, [("ntc.adc_pin", 22), ("display", None)], "ntc.adc_pin, GPIO 22: it has no ADC", "32"),
    (T3, [("pilot.pwm_pin", 34), ("contactor.aux_pin", 25)],
     "pilot.pwm_pin, GPIO 34: 34 to 39 are inputs only", "Free for it"),
    (T3, [("rcm.test_pin", 36), ("pilot.adc_pin", 33), ("inputs.button_pin", 13)],
     "rcm.test_pin, GPIO 36: 34 to 39 are inputs only", "Free for it"),
    (T3, [("contactor.pin", 18), ("meter.sck", 27)],
     "contactor.pin, GPIO 18: boot.py does not let it go first", "Free for it: 26"),
    (D1, [("contactor.enable_pin", 14)],
     "contactor.enable_pin, GPIO 14: boot.py does not let it go first", "Free for it: 26"),
    (S3, [("lock.pins", [26, 22]), ("display", None)],
     "lock.pins[1], GPIO 22: boot.py does not let it go first", "Free for it: 32"),
    (T3, [("led.pin", 27)], "led.pin, GPIO 27: contactor.pin has it already", "Free for it: 4"),
    (S3, [("lock.pins", [26, 26])], "lock.pins[1], GPIO 26: lock.pins[0] has it already", "32"),
    # Levels.
    (T3, [("pilot.counts_at_plus12", 3796)],
     "pilot.counts_at_plus12: 3796 counts are 3200 mV at the pin", "Change the divider"),
    (T3, [("pilot.counts_at_minus12", 0)],
     "pilot.counts_at_minus12: 0 counts are 142 mV at the pin", "150 to 2450 mV"),
    (T3, [("pilot.counts_at_minus12", 900)],
     "pilot: -12 V and +12 V are 1902 counts apart", "At least 2112 counts"),
    (S3, [("proximity.pull_up_ohm", 330)], "proximity.pull_up_ohm: the codings of 75 to 2200 Ohm",
     "1 kOhm to 3.3 V does"),
    (T3, [("ntc.pull_up_ohm", 1000)], "ntc.pull_up_ohm: the divider leaves the ADC's range", "10 kOhm"),
    # Ratings.
    (T3, [("contactor.rated_a", 40)], "rated_a: 63 A are more than the contactor's 40 A", "At most 40"),
    (T3, [("contactor.rated_a", OUT)], "contactor.rated_a: it is missing: rated_a may be more",
     'Write the A that its data sheet allows for hours (AC-1): "rated_a": 40'),
    (T3, [("rated_a", 70), ("contactor.rated_a", 80)],
     "rated_a: 70 A are more than the meter can measure, 65.5 A", "At most 65"),
    (T3, [("meter.igain", [26315, 9000, 26315])],
     "rated_a: 63 A are more than the meter can measure, 25.5 A", "other current transformers"),
    (T3, [("rated_a", 5)], "rated_a: it must be 6 to 80, not 5", "A that the station may offer"),
    # What is missing.
    (S3, [("lock", OUT)], "lock: a socket (proximity) without a lock", "Add lock"),
    (S3, [("proximity", OUT)], "proximity: it is missing: a lock needs a socket", "PP says"),
    (T3, [("contactor.aux_closed", OUT)], "contactor.aux_closed: it is missing beside aux_pin", "Level"),
    (T3, [("rcm.test_pin", OUT)], "rcm.test_pin: it is missing", "test input"),
    (T3, [("rcm.ac_pin", OUT), ("rcm.dc_pin", OUT)], "rcm: it has no trip line", "Add ac_pin"),
    (T3, [("pilot", OUT)], "pilot: it is missing", "Control pilot"),
    (T3, [("meter.igain", [26315])], "meter.igain: 1 for 3 phases", "One a phase"),
    # What nobody knows.
    (T3, [("contactor.aux_pni", 33)], "contactor.aux_pni: it is not known",
     "Is contactor.aux_pin meant?"),
    (T3, [("rdc", {"ac_pin": 33})], "rdc: it is not known", "rcm"),
    (T3, [("meter.chip", "atm90e23")], "meter.chip: it must be atm90e32 or sdm630 or none", ""),
    (T3, [("meter.bauds", 9600)], "meter.bauds: it is not known", "Is meter.baud meant?"),
    # What is of the wrong kind.
    (T3, [("contactor.pin", 27.0)], "contactor.pin: it must be a whole number, not 27.0", "coil"),
    (T3, [("contactor.pin", True)], "contactor.pin: it must be a whole number, not true", "coil"),
    (T3, [("contactor.drive", "magnetic")], "contactor.drive: it must be level or dynamic", ""),
    (T3, [("phases", 1), ("contactor.phase_pin", 26)],
     "phases: it must be 3 where contactor.phase_pin switches", ""),
    (T3, [("led", {"kind": "rgb", "pins": [4, 26]})], "led.pins: it must have 3 members", "Red, green"),
    (T3, [("name", 'a"b')], "name: it must be 1 to 32 of a-z, 0-9 and -", ""),
    (T3, [("meter.baud", 9)], "meter.baud: it must be 100000 to 1000000, not 9", "SPI clock"),
]


@pytest.mark.parametrize("spec, changes, says, remedy", BROKEN, ids=[row[2][:40] for row in BROKEN])
def test_a_mistake_is_one_error_with_its_signal_gpio_and_remedy(
    spec, changes, says, remedy, tmp_path, capsys,
):
    (line,) = told(changed(spec, *changes), tmp_path, capsys)["error"]
    assert line.startswith(says) and remedy in line


def test_several_mistakes_are_all_told(tmp_path, capsys):
    lines = told(changed(T3, ("led.pin", 2), ("contactor.pin", 4), ("contactor.aux_pni", 1),
                         ("pilot.counts_at_plus12", 4000), ("rated_a", "63"), ("inputs.pe_missing", OUT)),
                 tmp_path, capsys)["error"]
    for words in ("led.pin, GPIO 2", "contactor.pin, GPIO 4", "contactor.aux_pni", "3364 mV",
                  "rated_a: it must be a whole number, not \"63\"", "inputs.pe_missing: it is missing"):
        assert sum(words in line for line in lines) == 1, words
    assert len(lines) == 6


def test_three_at_one_gpio_are_two_errors(tmp_path, capsys):
    lines = told(changed(T3, ("led.pin", 27), ("display.scl", 27)), tmp_path, capsys)["error"]
    assert [line.split(",")[0] for line in lines] == ["led.pin", "display.scl"]


def test_a_member_that_stands_twice_is_told(tmp_path, capsys):
    text = json.dumps(T3).replace('{"pin": 27,', '{"pin": 26, "pin": 27,')
    (line,) = told(text, tmp_path, capsys)["error"]
    assert line == "pin: it stands twice in one object: only one of them counts. Keep one"


@pytest.mark.parametrize("spec", [
    {}, {"contactor": 5}, {"led": []}, {"pilot": {"adc_pin": []}}, {"lock": {"pins": {}}},
    {"meter": {"igain": [None], "chip": "atm90e32"}},
])
def test_whatever_stands_there_is_told_and_nothing_breaks(spec, tmp_path, capsys):
    assert len(told(spec, tmp_path, capsys)["error"]) >= 3


# Warnings -------------------------------------------------------------------------------------------

HINTS = [
    (T3, [], "contactor.drive: level: the coil follows the pin, and stays on"),
    (T3, [("rcm", OUT)], "rcm: there is no residual current monitor"),
    (T3, [("ntc", OUT)], "ntc: there is no temperature sensor"),
    (T3, [("meter", None)], "meter: there is none: no energy"),
    (T3, [("meter", {"chip": "sdm630", "uart": 2, "tx": 23, "rx": 19, "de": 18, "baud": 9600,
                           "address": 1, "phases": 3})], "meter.chip: sdm630 has no driver yet"),
    (T3, [("meter.phases", 1)], "meter.phases: 1 of 3 are measured"),
    (T3, [("contactor.aux_pin", OUT), ("contactor.load_pin", OUT)],
     "contactor.aux_pin: neither auxiliary contact nor load_pin"),
    (T3, [("contactor.phase_pin", 26)], "contactor.phase_aux_pin: without it"),
    (T3, [("rcm.trip_level", 0)], "rcm.trip_level: with a pull-up a broken wire"),
    (T3, [("inputs.pe_missing", 0)], "inputs.pe_missing: with a pull-up a broken wire"),
    (S3, [("lock.locked_level", 1)], "lock.locked_level: with a pull-up a broken wire reads as locked"),
    (T3, [], "inputs.lid_pin, GPIO 14: it toggles at boot"),
    (T3, [], "inputs.button_pin, GPIO 33: boot.py pulls it down"),
    (T3, [("rcm.dc_pin", 38)], "rcm.dc_pin, GPIO 38: not led out on ESP32-WROOM-32"),
    (T3, [("pilot.adc_pin", 33), ("inputs.button_pin", 26)], "pilot.adc_pin, GPIO 33: boot.py pulls it"),
    (D1, [("contactor.enable_pin", OUT)], "contactor.enable_pin: without it an opening waits"),
    (S3, [("rated_a", 65), ("contactor.rated_a", 65)], "rated_a: 65 A: no plug's coding says more"),
]


@pytest.mark.parametrize("spec, changes, says", HINTS, ids=[row[2][:40] for row in HINTS])
def test_what_hardware_must_make_good_is_a_warning_and_no_error(spec, changes, says, tmp_path, capsys):
    found = told(changed(spec, *changes), tmp_path, capsys, status=0)
    assert sum(line.startswith(says) for line in found["warning"]) == 1


def test_a_dynamic_drive_with_its_enable_line_needs_no_warning(tmp_path, capsys):
    found = told(D1, tmp_path, capsys, status=0)
    assert not [line for line in found["warning"] if line.startswith("contactor.")]


# The command ----------------------------------------------------------------------------------------


def test_json_has_each_problem_in_parts(tmp_path, capsys):
    file = tmp_path / "x.json"
    file.write_text(json.dumps(changed(T3, ("led.pin", 2))))
    assert main(["board", "check", "--json", "reference-1p", str(file)]) == 1
    good, bad = json.loads(capsys.readouterr().out)
    assert (good["board"], good["ok"]) == ("boards/reference-1p/board.json", True)
    assert (bad["board"], bad["ok"]) == (str(file), False)
    first = bad["problems"][0]
    assert (first["severity"], first["signal"], first["pin"]) == ("error", "led.pin", 2)
    assert "strapping" in first["says"] and "Free for it" in first["remedy"]


@pytest.mark.parametrize("text, words", [
    (None, "cannot be read: No such file"), ("", "is no JSON"), ("{", "is no JSON"),
    ("[]", "must hold an object"), (b"\xff{}", "is no JSON"), ("\ufeff{}", "is no JSON"),
    ("[" * 100_000, "is no JSON"),
])
def test_a_file_that_cannot_be_read_is_said_in_one_line(text, words, tmp_path, capsys):
    file = tmp_path / "board.json"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert main(["board", "check", "reference-1p", str(file)]) == 2
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1 and words in said.err and str(file) in said.err
    assert said.out.startswith("boards/reference-1p/board.json: 0 errors")


def test_an_unknown_board_is_said_with_those_that_there_are(capsys):
    assert main(["board", "check", "nothing"]) == 2
    assert "there is no board 'nothing'; there are" in capsys.readouterr().err


def test_the_name_must_be_the_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(board_check, "ROOT", tmp_path)
    file = tmp_path / "boards/mine/board.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(T3))
    assert "name: the folder is called mine. Make them the same" in map(str, board_check.errors(file))
