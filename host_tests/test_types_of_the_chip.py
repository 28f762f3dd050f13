"""All device code, checked against what stock ESP32_GENERIC v1.24 has: chip_types.py says how."""

import ast
import re
import shutil

import pytest

import chip_types
from pilotwire.charger import SOURCES


@pytest.fixture(scope="module")
def chip(tmp_path_factory):
    """(folder for mypy, the corrected stubs, what it finds in the firmware as it is)"""
    folder = tmp_path_factory.mktemp("types")
    stubs = chip_types.types(folder / "stubs")
    return folder, stubs, chip_types.check(SOURCES, folder, stubs)


def test_the_firmware_asks_nothing_of_the_chip_that_it_has_not(chip):
    assert chip_types.findings(chip[2] + chip_types.absent(SOURCES)) == []


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in chip_types.EXPECTED])
def test_what_is_expected_of_untyped_code_is_there(chip, pattern):
    assert any(re.search(pattern, text) for _, _, text, _ in chip[2]), "take it out of EXPECTED"


# (file below firmware/ or firmware/pilotwire/, what stands there, what is planted, a word of the finding)
PLANTED = (
    ("boot.py", "Pin(_pin, Pin.IN, Pin.PULL_DOWN)", "Pin(_pin, Pin.OUT, values=0)", "values"),
    ("main.py", "machine.freq(", "machine.frequency(", "frequency"),
    ("main.py", "time.sleep(_AGAIN_S)", 'time.sleep("10")', "sleep"),
    ("act/pilot_pwm.py", "freq=", "frequency=", "frequency"),
    ("act/contactor.py", "import Pin", "import Pins as Pin", "Pins"),
    ("control.py", "        due_us = ticks_us()", '        sleep_us("x")', "sleep_us"),
    ("control.py", "RTC()\n", "RTC()\n        self.rtc.memories()\n", "memories"),
    ("control.py", "WDT(timeout=_WATCHDOG_OPEN_MS)", "WDT(wait=_WATCHDOG_OPEN_MS)", "wait"),
    ("control.py", 'label="journal"', 'name="journal"', "name"),
    ("seconds.py", "os.urandom(2)", "os.sync2(2)", "sync2"),
    ("keep_config.py", "import os", "import os\nimport esp32\n\nesp32.foo()", "foo"),
    ("tell/site.py", "os.urandom(8)", "os.getrandom(8)", "getrandom"),
    ("tell/site.py", "setblocking(", "set_blocking(", "set_blocking"),
    ("tell/site.py", "network.STA_IF", "network.STATION", "STATION"),
    ("tell/site.py", "self._wlan.disconnect()", "self._wlan.leave()", "leave"),
    ("act/output.py", "_pin.value(", "_pin.value(1, ", "value"),
    ("tell/journal_ring.py", "pack_into(", "pack_in(", "pack_in"),
    ("tell/commands.py", "json.loads(", "json.JSONDecoder().decode(", "JSONDecoder"),
    ("tell/numbers.py", "tenths((ma + 50) // 100)", '"5".zfill(ma)', "zfill"),
    ("tell/led.py", "import time", "import time\n\ntime.ticks_us(1)", "ticks_us"),
    ("selftest.py", "import hashlib", "import hashlib\nimport zlib", "zlib"),
)


def test_each_planted_mistake_is_found_where_it_is(chip, tmp_path):
    folder, stubs, _ = chip
    firmware = tmp_path / "firmware"
    shutil.copytree(SOURCES, firmware, ignore=shutil.ignore_patterns("__pycache__"))
    wanted = []
    for name, old, new, word in PLANTED:
        name = name if (firmware / name).exists() else "pilotwire/" + name
        path = firmware / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r} any more: plant it elsewhere"
        path.write_text(text.replace(old, new, 1))
        wanted.append((name, word))
    found = chip_types.check(firmware, folder, stubs) + chip_types.absent(firmware)
    said = chip_types.findings(found)
    missed = [
        (name, word) for name, word in wanted
        if not any(line.startswith(name + ":") and word in line for line in said)
    ]
    assert not missed, said


# once.call names its module and its function by text: no checker sees them ------------------------


def called_once():
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "once.call":
                if all(isinstance(name, ast.Constant) for name in node.args[:2]):
                    yield path.name, node


@pytest.mark.parametrize("where, node", [
    pytest.param(where, node, id=f"{where}-{node.args[1].value}") for where, node in called_once()
])
def test_what_is_called_by_its_name_is_there_and_takes_that_many_arguments(where, node):
    module, function = (name.value for name in node.args[:2])
    tree = ast.parse((SOURCES / "pilotwire" / (module.replace(".", "/") + ".py")).read_text())
    (there,) = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function]
    given = node.args[2:]
    if not any(isinstance(value, ast.Starred) for value in given):
        most = len(there.args.args)
        assert most - len(there.args.defaults) <= len(given) <= most or there.args.vararg


# Small ints -----------------------------------------------------------------------------------------

SMALL = 1 << 30  # small ints of the chip: -2**30 to 2**30 - 1; others live on the heap
LARGE = {  # seldom used: when the time comes, and each ten seconds
    ("site.py", 3155673600), ("site.py", 4294967296), ("site.py", 3155760000),
    ("boot_record.py", 0xFFFFFFFF),
}


def numbers(tree):
    """Every number in a tree, constant expressions worked out as the compiler does."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Constant, ast.BinOp, ast.UnaryOp)):
            try:
                value = eval(compile(ast.Expression(node), "", "eval"), {"__builtins__": {}})
            except (NameError, TypeError, SyntaxError):
                continue
            if isinstance(value, int) and not isinstance(value, bool):
                yield value


def test_no_number_in_the_firmware_is_larger_than_a_small_int():
    found = {
        (path.name, value) for path in SOURCES.rglob("*.py")
        for value in numbers(ast.parse(path.read_text())) if not -SMALL <= value < SMALL
    }
    assert found == LARGE
