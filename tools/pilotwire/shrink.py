"""The build step that makes the firmware small enough for the chip: constants, units, short names.

Every name that a program uses costs the chip 6 bytes and its length, in pools that double; every global
8 bytes more, and every module some 200. This changes the sources as a whole before they are compiled:
* constants become literals (shrink_consts), and what is then unused goes (shrink_unused);
* modules that are always loaded together become one (shrink_merge);
* what is called at one place only is put there (shrink_inline);
* what only the start needs is taken away after it, on the device (shrink_start);
* what the firmware defines gets short names, the same ones again and again (shrink_names). The first of
  them are names that the chip has in ROM anyway: stock_names.txt.
What it leaves is the same program: host_tests plays it against the sources.
"""

import ast
import json
from dataclasses import dataclass
from pathlib import Path

from pilotwire import shrink_map
from pilotwire.shrink_consts import inline
from pilotwire.shrink_inline import inline_once
from pilotwire.shrink_merge import merge
from pilotwire.shrink_names import Names
from pilotwire.shrink_order import order
from pilotwire.shrink_program import STOCK, Module, Program
from pilotwire.shrink_rename import rename
from pilotwire.shrink_start import fill, idle_functions
from pilotwire.shrink_text import text
from pilotwire.shrink_unused import drop_docstrings, drop_unused
from pilotwire.shrink_words import identifiers, named_at_once

STOCK_NAMES = Path(__file__).with_name("stock_names.txt")
BOOT = "boot.py"  # stays as it is
MAIN = "main.py"  # stays text
UNITS = (  # what is loaded together: see shrink_merge
    ("pilotwire.control",),
    ("pilotwire.tell.display",),
    ("pilotwire.tell.link", "pilotwire.tell.speaker"),
    ("pilotwire.decide.cable", "pilotwire.sense.proximity"),
)


@dataclass
class Shrunk:
    """texts: source by path below the target. guests: source by the guest's path. tags: the name by
    which a device calls a file. names: the map."""

    texts: dict
    guests: dict
    tags: dict
    names: dict


def stock_names(path=STOCK_NAMES):
    """(all names of MicroPython's own, those of them that may be given to something else)."""
    every, free = set(), []
    for line in Path(path).read_text().splitlines():
        if not line.startswith("#"):
            words = line.removeprefix("free:").split()
            every.update(words)
            free += words if line.startswith("free:") else []
    return every, free


def shrink(folder, *, library=None, guests=(), units=UNITS):
    """The tree of sources in `folder` as Shrunk. ShrinkError for what cannot be shrunk.

    library: folder of sources that the firmware builds on and that stay as they are. guests: files
    that look into the firmware, such as a bench; they get its new names. units: see shrink_merge.
    """
    tree, texts = read_tree(folder)
    visitors = {Path(g): Module(f"guest {g}", Path(g).read_text(), guest=True) for g in guests}
    stock, pool = stock_names()
    foreign = identifiers(Program(read_tree(library)[0])) if library else set()
    stock, pool = stock | foreign, [name for name in pool if name not in foreign]
    modules, names = shrink_modules(tree + list(visitors.values()), stock, pool, units, foreign)
    texts.update({m.path: text(m.tree) for m in modules if m.path})
    tags = {}
    for module in modules:
        if module.path:
            short = names.pool(len(tags))
            tags[module.path] = module.path if module.path == MAIN else short
    return Shrunk(
        texts, {path: text(module.tree) for path, module in visitors.items()}, tags,
        {
            "files": {tags[m.path]: {"path": m.path, **names.files[m.name]} for m in modules if m.path},
            "attributes": names.attributes,
        },
    )


def shrink_modules(modules, stock, pool, units=(), foreign=()):
    """Change the trees; returns the modules that are left and their Names.

    foreign: names that a library uses.
    """
    for module in modules:
        drop_docstrings(module.tree)
    known = inline(Program(modules))
    drop_unused(modules, known, stock)
    at_once = named_at_once(Program(modules))
    if units:
        modules = merge(modules, units, _imported_by_main(Program(modules)))
    inline_once(modules, {*stock, *foreign})
    idle = idle_functions(modules, at_once, foreign)
    names = Names(Program(modules), stock, pool)
    names.files, names.attributes = rename(names)
    fill(modules, idle)
    for module in modules:
        if not module.guest:
            order(module.tree)
    return modules, names


def read_tree(folder):
    """(modules, {path: text} of what stays as it is)."""
    modules, texts = [], {}
    for path in sorted(Path(folder).rglob("*.py")):
        below = path.relative_to(folder)
        if str(below) == BOOT:
            texts[BOOT] = path.read_text()
            continue
        parts = list(below.with_suffix("").parts)
        package = parts[-1] == "__init__"
        modules.append(Module(
            ".".join(parts[:-1] if package else parts), path.read_text(), path=str(below),
            package=package, guest=str(below) == MAIN,
        ))
    return modules, texts


def _imported_by_main(program):
    """main.py loads these when it wants to: they stay modules of their own."""
    found = set()
    for node in program.nodes(ast.Import, ast.ImportFrom):
        if node.file.path == MAIN:
            targets = [program.imported(node, alias) for alias in node.names]
            found.update(target[1] for target in targets if target != STOCK)
    return found


def write_map(target, shrunk):
    shrink_map.beside(target).write_text(json.dumps(shrunk.names, indent=1, sort_keys=True) + "\n")
