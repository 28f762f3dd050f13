"""The firmware against the types of stock ESP32_GENERIC v1.24: what a module has, and how it is called.

The types are the stubs of micropython-esp32-esp32_generic-stubs (their machine, esp32, network, time,
...) and micropython-stdlib-stubs (os, sys, builtins, ...), both made for v1.24.1, corrected where the
sources of MicroPython v1.24.1 say otherwise. The checker is mypy. What it does not see: calls of things
that came in as arguments, for the firmware has no type hints.
"""

import ast
import json
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from micropython_port import run_script

SITE = Path(sysconfig.get_path("purelib"))
_PACKAGES = ("micropython_esp32_esp32_generic_stubs-*", "micropython_stdlib_stubs-*")

_PIN = """        id: Any,
        /,
        mode: int = -1,
        pull: {pull} = -1,
        *,
        value: Any = None,
        drive: int | None = None,
        {last} | None = None,
    ) -> None:
"""
# (file, what it says, what the chip says): where in MicroPython v1.24.1 that stands.
_CORRECTIONS = (
    # ports/esp32/machine_adc.c, mp_machine_adc_init_helper
    ("machine.pyi", "def __init__(self, pin: PinLike, /) -> None:",
     "def __init__(self, pin: PinLike, /, *, atten: int = 0) -> None:"),
    # ports/esp32/machine_pin.c, machine_pin_obj_init_helper
    ("machine.pyi", _PIN.format(pull="int", last="alt: int"),
     _PIN.format(pull="int | None", last="hold: bool")),
    # ports/esp32/esp32_partition.c: block_size; shared with every block device: what ioctl returns
    ("esp32.pyi", "/, label: str | None = None) -> List:",
     "/, label: str | None = None, block_size: int = 4096) -> List[Partition]:"),
    # extmod/modtls_mbedtls.c, ssl_context_attr
    ("tls.pyi", "class SSLContext:\n", "class SSLContext:\n    verify_mode: int\n"),
    # py/modsys.c: a named tuple (name, version, ...)
    ("_mpy_shed/mp_implementation.py", "class _mp_implementation():",
     "class _mp_implementation(Tuple[Any, ...]):"),
    # micropython-lib, umqtt/simple.py: its own import, which mqtt_connect.py replaces for a moment
    ("umqtt/simple.pyi", "class MQTTException", "socket: Incomplete\n\nclass MQTTException"),
    # py/emitnative.c: types of viper
    ("stdlib/builtins.pyi", "", "".join(
        f"class ptr{bits}(Protocol):\n    def __getitem__(self, at: int, /) -> int: ...\n"
        "    def __setitem__(self, at: int, to: int, /) -> None: ...\n" for bits in (8, 16, 32)
    )),
)

# Modules whose types are those of CPython, cut down too little: what stock ESP32_GENERIC v1.24 has of
# them (extmod/modos.c, py/modsys.c, extmod/modjson.c, ..., with ports/esp32/mpconfigport.h).
_NAMES = {
    "os": "chdir dupterm dupterm_notify getcwd ilistdir listdir mkdir mount remove rename rmdir sep stat "
          "statvfs sync umount uname unlink urandom VfsFat VfsLfs2",
    "sys": "argv byteorder exit implementation maxsize modules path platform print_exception ps1 ps2 "
           "stderr stdin stdout version version_info",
    "json": "dump dumps load loads",
    "struct": "calcsize pack pack_into unpack unpack_from",
    "io": "BufferedWriter BytesIO IOBase StringIO open",
    "array": "array",
    "collections": "OrderedDict deque namedtuple",
    "re": "compile match search sub",
    "hashlib": "md5 sha1 sha256",
}

# What untyped code makes mypy say, and what is no finding about the chip: (a pattern, why).
EXPECTED = (
    (r'"Settings" has no attribute', "a bag of values: once.py"),
    (r'"Refused" has no attribute "id"', "set on the exception as it passes: commands.py"),
    (r'Argument 2 to "isinstance" has incompatible type "object"', "a table of types: board.py"),
    (r'"Connection" has no attribute "_(serve|begin)"', "whoever extends it has them: mqtt_connect.py"),
)
# Codes that only speak of how a name is used within the firmware: it has no hints.
_OFF = ("assignment", "has-type", "no-redef", "abstract", "var-annotated")
_METHODS = ("str", "bytes", "bytearray", "int", "float", "list", "dict", "set", "tuple")


def types(folder):
    """The stubs below `folder`, corrected."""
    for pattern in _PACKAGES:
        (info,) = SITE.glob(pattern + ".dist-info")
        for line in (info / "RECORD").read_text().splitlines():
            name = line.split(",")[0]
            if ".dist-info/" not in name:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(SITE / name, folder / name)
    for name, old, new in _CORRECTIONS:
        path = folder / name
        text = path.read_text()
        assert not old or text.count(old) == 1, f"{name} has changed: correct it anew ({old[:60]!r})"
        path.write_text(text.replace(old, new) if old else text + new)
    _take_methods(folder / "stdlib/builtins.pyi")
    return folder


def _take_methods(path):
    """Take from the built-in types the methods that MicroPython has not: its own word, dir()."""
    has = json.loads(run_script(
        f"import json; print(json.dumps({{t.__name__: dir(t) for t in ({','.join(_METHODS)})}}))"
    ))
    parts = re.split(r"^(?=class )", path.read_text(), flags=re.M)
    for k, part in enumerate(parts):
        named = re.match(r"class (\w+)", part)
        if named and named[1] in has:
            ours = "|".join(has[named[1]])
            parts[k] = re.sub(rf"\bdef (?!_|(?:{ours})\()(\w+)\(", r"def _not_on_the_chip_\1(", part)
    path.write_text("".join(parts))


def _without_none(text):
    """The source without `self.x = None` where x becomes something else later: then mypy knows that."""
    def shown(line):
        return f"{line[1]}pass" if re.search(rf"self\.{line[2]} = (?!None$)", text, re.M) else line[0]

    return re.sub(r"^( +)self\.(\w+) = None\b", shown, text, flags=re.M)


def check(sources, folder, stubs):
    """[(path below `sources`, line, what is wrong, code)]; `folder` keeps a copy and mypy's cache."""
    firmware = folder / "firmware"
    shutil.rmtree(firmware, ignore_errors=True)
    shutil.copytree(sources, firmware, ignore=shutil.ignore_patterns("__pycache__"))
    for path in firmware.rglob("*.py"):
        path.write_text(_without_none(path.read_text()))
    (folder / "mypy.ini").write_text(f"""[mypy]
python_version = 3.11
platform = linux
custom_typeshed_dir = {stubs}
mypy_path = {stubs}:{firmware}
cache_dir = {folder / "cache"}
no_site_packages = True
check_untyped_defs = True
strict_optional = False
allow_redefinition_new = True
local_partial_types = True
disable_error_code = {", ".join(_OFF)}
show_error_codes = True
pretty = False
""")
    files = [firmware / "boot.py", firmware / "main.py", firmware / "pilotwire"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", folder / "mypy.ini", *files],
        capture_output=True, text=True, check=False, cwd=folder, env={"PATH": ""},
    )
    assert done.returncode in (0, 1) and not done.stderr, done.stdout[-2000:] + done.stderr
    found = []
    for line in done.stdout.splitlines():
        said = re.match(r"(.+?):(\d+): error: (.*?)(?:  \[([\w-]+)\])?$", line)
        if said:
            path = (folder / said[1]).resolve()
            if path.is_relative_to(firmware.resolve()):  # errors of the stubs are not ours
                below = path.relative_to(firmware.resolve()).as_posix()
                found.append((below, int(said[2]), said[3], said[4]))
    checked = re.search(r"checked (\d+) source files", done.stdout)
    assert checked and int(checked[1]) == len(list(firmware.rglob("*.py"))), done.stdout[-500:]
    return found


def absent(firmware):
    """Like check(): names that the modules of _NAMES have not, imported or taken from them."""
    found = []
    for path in sorted(firmware.rglob("*.py")):
        tree = ast.parse(path.read_text())
        taken = []
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in _NAMES:
                taken += [(node.lineno, node.module, alias.name) for alias in node.names]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                taken.append((node.lineno, node.value.id, node.attr))
        for line, module, name in taken:
            if module in _NAMES and name not in _NAMES[module].split():
                below = path.relative_to(firmware).as_posix()
                found.append((below, line, f"the chip's {module} has no {name}", "absent"))
    return found


def findings(found):
    """Without what is expected of untyped code."""
    return [
        f"{path}:{line}: {text} [{code}]" for path, line, text, code in found
        if not any(re.search(pattern, text) for pattern, _ in EXPECTED)
    ]
