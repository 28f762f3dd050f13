"""What can be said about the chip without one: the build for it, its size, and what it imports."""

import ast

from pilotwire.charger import SOURCES
from pilotwire.device_build import compile_tree

MOST_BYTES = 120 * 1024  # of all .mpy, so that a quarter of the stock image's 2 MB stays free by far

# help("modules") of ESP32_GENERIC v1.24, as far as they are of use here (docs.micropython.org, esp32).
STOCK = {
    "array", "asyncio", "binascii", "builtins", "cmath", "collections", "cryptolib", "deflate", "errno",
    "esp", "esp32", "framebuf", "gc", "hashlib", "heapq", "io", "json", "machine", "math",
    "micropython", "neopixel", "network", "ntptime", "os", "platform", "random", "re", "select",
    "socket", "ssl", "struct", "sys", "time", "tls", "uctypes", "umqtt", "vfs",
}


def nodes():
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            yield path.relative_to(SOURCES), node


def test_all_of_it_compiles_for_the_chip_and_is_small(tmp_path):
    built = compile_tree(tmp_path / "device", arch="xtensawin")
    files = list(built.rglob("*.mpy"))
    # Byte 2 of an .mpy: 10 << 2 is xtensawin, where a file has native code (py/persistentcode.h).
    # Version 6.3 is that of v1.23 and later; byte 3: small ints of 31 bits.
    assert {(file.read_bytes()[1], file.read_bytes()[3]) for file in files} == {(6, 31)}
    native = [file for file in files if file.read_bytes()[2] >> 2 & 0x3F == 10]
    assert native, "the loops over the ADC are native code"
    assert all(file.read_bytes()[2] & 3 == 3 for file in native)
    assert sum(file.stat().st_size for file in files) <= MOST_BYTES


def test_it_imports_only_what_stock_firmware_has():
    found = set()
    for _, node in nodes():
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.split(".")[0])
    assert {"machine", "umqtt"} < found - {"pilotwire"} <= STOCK


def test_the_loop_prints_nothing_but_its_health():
    """What does not fit into the UART's FIFO holds the loop up; the others print before and after."""
    prints = {
        str(path) for path, node in nodes()
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    }
    assert prints <= {"main.py", "pilotwire/start.py", "pilotwire/tell/health.py"}
