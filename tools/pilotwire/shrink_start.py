"""What only the start needs goes when the start is over: a fifth of the firmware's functions.

Every class keeps an __init__ for life, and most run once. pilotwire/shed.py has a function for each stage
of the start; here they get their bodies: what no later code can reach is set to None, and the chip's
heap has it back. To be reachable is enough to stay. From what is called later (LATER), from what
MicroPython itself calls, and from the words in strings, everything is followed that is named: a global,
an attribute of whatever object, a class's __init__ with the class. So a function that is gone is named
by nothing that still runs; were it called all the same, it would be loud: None cannot be called.
"""

import ast

from pilotwire.shrink_program import STOCK, Program
from pilotwire.shrink_words import modules_named, word_parts

SHED = "pilotwire.shed"
LATER = {  # stage, a function of shed.py: what is called afterwards, besides all that main.py names
    "after_parts": ("open_link",),
    "after_link": (),
}
_MAIN = "main.py"
# What MicroPython calls by name on an object that it is given: a stream, a block device.
_PROTOCOLS = {
    "read", "readinto", "readline", "write", "close", "ioctl", "readblocks", "writeblocks",
}
_START = "__init__"


def idle_functions(modules, at_once, foreign):
    """{stage: the functions that it can take away}; nothing where there is no pilotwire/shed.py.

    at_once: see shrink_words; foreign: names in a library, which may call them on an object of ours.
    """
    if not any(module.name == SHED for module in modules):
        return {}
    program = Program(modules)
    passing = {SHED, *(name for node in at_once for name in modules_named(program, node.value))}
    called = {*foreign, *_PROTOCOLS, *_named_by_main(program)}
    idle, gone = {}, set()
    for stage, more in LATER.items():
        kept = _Reach(program, {*called, *more}, at_once).functions | gone
        idle[stage] = [node for node in _functions(program, passing) if node not in kept]
        gone.update(idle[stage])
    return idle


def _named_by_main(program):
    return {node.attr for node in program.nodes(ast.Attribute) if node.file.path == _MAIN}


def fill(modules, idle):
    """Give the functions of pilotwire/shed.py their bodies. After all renaming: nothing is named here
    that the chip would have to remember."""
    for module in modules:
        if module.name == SHED:
            for node in module.tree.body:
                if isinstance(node, ast.FunctionDef):
                    node.body = ast.parse("\n".join(_lines(idle[node.origin[1]]) or ["pass"])).body
            module.tree.body.insert(0, ast.parse("import sys").body[0])


def _functions(program, passing):
    """What can be taken away: functions of modules that stay and of their classes."""
    return [
        node for node in program.nodes(ast.FunctionDef)
        if (node.scope.kind == "module" or _is_method(node)) and node.scope.bound[node.name] == 1
        and not node.file.guest and node.file.name not in passing
    ]


def _is_method(node):
    return node.scope.kind == "class" and node.scope.node.scope.kind == "module"


def _lines(functions):
    """The statements that take them away, for each module that is loaded by then."""
    lines, by_module = [], {}
    for node in functions:
        owner = "module." if node.scope.kind == "module" else f"module.{node.scope.node.name}."
        by_module.setdefault(node.file.name, []).append(owner + node.name)
    for name, places in by_module.items():
        lines += [
            f"module = sys.modules.get({name!r})",
            "if module:",
            "    " + " = ".join(places) + " = None",
        ]
    return lines


class _Reach:
    """`functions`: those that something may still call when only `called` is called from outside."""

    def __init__(self, program, called, at_once):
        self._program = program
        self.functions = set()
        self._seen = set()  # things: see shrink_program
        self._loaded = set()  # modules whose top may run
        self._objects = set()  # modules that may be had as an object
        self._todo = []
        self._methods, self._globals = {}, {}
        for node in program.nodes(ast.FunctionDef, ast.ClassDef):
            if node.scope.kind == "class":
                self._methods.setdefault(node.name, []).append(node)
        for module in program.modules.values():
            for statement in module.tree.body:
                for name in _bound(statement):
                    self._globals.setdefault(name, []).append((module.name, statement))
        self._start(called, at_once)
        while self._todo:
            self._follow(self._todo.pop())

    def _start(self, called, at_once):
        for name in self._program.escaped:
            self._take(name)
        for name in {*called, *(name for name in self._methods if name.startswith("__"))}:
            self._reach(("attr", name))
        for node in self._program.nodes(ast.Name, ast.Attribute):
            if _is_kept(node) and not node.file.guest:
                self._name(node)  # and perhaps called from there
        for node in self._program.nodes(ast.Constant):
            if isinstance(node.value, str) and not node.file.guest:
                if node not in at_once and not _is_loaded_at_once(node):
                    self._words(node.value)  # likewise

    def _reach(self, thing):
        if thing and thing not in self._seen and thing != ("attr", _START):  # it goes with its class
            self._seen.add(thing)
            self._todo.append(thing)

    def _follow(self, thing):
        kind, *where = thing
        if kind == "attr":
            for node in self._methods.get(where[0], ()):
                self._bind(node)
            for module, statement in self._globals.get(where[0], ()):
                if module in self._objects:
                    self._bind(statement)
        elif kind == "global":
            for module, statement in self._globals.get(where[1], ()):
                if module == where[0]:
                    self._bind(statement)
        elif kind == "module":
            self._load(where[0])

    def _bind(self, node):
        """What a name stands for may be used: called, made, read."""
        if isinstance(node, ast.FunctionDef):
            self.functions.add(node)
            self._run(node)
        elif isinstance(node, ast.ClassDef):
            for base in node.bases:
                self._run(base)
            for child in node.body:
                if isinstance(child, ast.FunctionDef) and child.name == _START:
                    self._bind(child)
        else:
            self._run(node)

    def _take(self, name):
        """A module as an object: each of its globals may be an attribute that is named somewhere."""
        if name not in self._objects:
            self._objects.add(name)
            for bound in self._program.modules[name].top.bound:
                if ("attr", bound) in self._seen:
                    self._reach(("global", name, bound))

    def _load(self, name):
        """A module's top may run, its packages' too."""
        if name in self._loaded or name not in self._program.modules:
            return
        self._loaded.add(name)
        self._load(name.rpartition(".")[0])
        for statement in self._program.modules[name].tree.body:
            if not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                self._run(statement)

    def _run(self, tree):
        """All that this code names."""
        for node in ast.walk(tree):
            if isinstance(node, (ast.Name, ast.Attribute)):
                self._name(node)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                self._import(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                self._words(node.value)

    def _name(self, node):
        program = self._program
        self._reach(program.name(node) if isinstance(node, ast.Name) else program.attribute(node))
        self._reach(program.value(node))

    def _import(self, node):
        for alias in node.names:
            target = self._program.imported(node, alias)
            if target != STOCK:
                self._load(target[1])

    def _words(self, text):
        for word in word_parts(text):
            self._reach(("attr", word))
        for name in modules_named(self._program, text):
            self._load(name)
            self._take(name)


def _is_kept(node):
    """What the name stands for may be somewhere afterwards: it is not just called, or looked into, or the
    base of a class."""
    if not isinstance(node.ctx, ast.Load) or isinstance(node.parent, (ast.ClassDef, ast.Attribute)):
        return False
    return not (isinstance(node.parent, ast.Call) and node.parent.func is node)


def _is_loaded_at_once(text):
    """It stands in a call of __import__."""
    node = text.parent
    while isinstance(node, (ast.Tuple, ast.BinOp)):
        node = node.parent
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "__import__"


def _bound(statement):
    """Names that a statement at a module's top binds."""
    found = set()
    todo = [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
            continue
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name.split(".")[0])
        todo += ast.iter_child_nodes(node)
    return found
