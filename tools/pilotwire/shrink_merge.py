"""Modules that are always loaded together become one: each costs the chip a dict, tables and names.

A unit is one module or more and what they import at their top, and what that imports, in the order in
which MicroPython would run them. Its first module holds it all. Not in a unit: packages; what is loaded
by its name or handed around; what main.py imports; what an earlier unit has. The first unit is always
loaded; a later one leaves out what somebody else imports too. Globals get the name of their module in
front; short names follow later.
"""

import ast
import builtins

from pilotwire.shrink_program import STOCK, Program
from pilotwire.shrink_rename import changes
from pilotwire.shrink_scopes import ShrinkError, bound_name
from pilotwire.shrink_words import loaded_by_name


def merge(modules, units, apart=()):
    """The modules that are left. units: tuples of module names; apart: modules that are in none."""
    program = Program(modules)
    unit = _Units(program, units, set(apart))
    plan = _Plan(program, unit)
    todo = [change for node in program.all_nodes for change in changes(plan, node)]
    rewriter = _Rewriter(program, plan)
    for node, field, value in todo:
        setattr(node, field, value)
    for module in modules:
        rewriter.visit(module.tree)
    for root, members in unit.members.items():
        program.modules[root].tree.body = [
            statement for name in members for statement in program.modules[name].tree.body
        ]
    return [module for module in modules if unit.home(module.name) == module.name]


def _imports(program, module, everywhere=False):
    """Modules of the program that this one imports at its top, or everywhere."""
    for node in ast.walk(module.tree) if everywhere else module.tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                target = program.imported(node, alias)
                if target != STOCK:
                    yield target[1]


class _Units:
    """`members`: {first module: all of its unit in the order in which they run}."""

    def __init__(self, program, units, apart):
        self._program = program
        self._root = {}
        self._apart = apart | loaded_by_name(program) | program.escaped
        self.members = {}
        for unit in units:
            self._refuse_odd(unit)
            without = set()
            members = self._collected(unit, without)
            while self.members and (shared := self._shared(unit, members)):
                without |= shared
                members = self._collected(unit, without)
            self.members[unit[0]] = members
            self._root.update(dict.fromkeys(members, unit[0]))
        for root, members in self.members.items():
            for name in members:
                self._refuse_circle(root, name, set())

    def home(self, module):
        """Where the code of `module` is now."""
        return self._root.get(module, module)

    def _collected(self, unit, without):
        """The modules of a unit, each behind all that it imports at its top."""
        members, begun = [], set()

        def collect(name):
            begun.add(name)
            for other in _imports(self._program, self._program.modules[name]):
                if other in begun and other not in members:
                    raise _circle(name, other)
                if other not in begun and other not in without and self._may_join(other):
                    collect(other)
            members.append(name)

        for name in unit:
            if name not in begun:
                collect(name)
        return members

    def _refuse_odd(self, unit):
        for name in unit:
            if name not in self._program.modules:
                raise ShrinkError(f"there is no module {name}, which is said to be in a unit")
            if name != unit[0] and not self._may_join(name):
                raise ShrinkError(f"{name} has to stay apart and cannot be in a unit")

    def _may_join(self, name):
        taken = name in self._root or name in self._apart
        return not taken and not self._program.modules[name].package

    def _shared(self, unit, members):
        """Modules that somebody outside imports, who would load all of the unit for it."""
        modules = self._program.modules
        outside = [modules[name] for name in modules if name not in members]
        wanted = {name for one in outside for name in _imports(self._program, one, everywhere=True)}
        return wanted.intersection(members).difference(unit)

    def _refuse_circle(self, root, name, seen):
        """What a unit imports may not need the unit, which is not complete at that time."""
        for other in _imports(self._program, self._program.modules[name]):
            if other in seen or self.home(other) == root and self.home(name) == root:
                continue
            if self.home(other) == root:
                raise _circle(name, root)
            seen.add(other)
            self._refuse_circle(root, other, seen)


def _circle(one, other):
    return ShrinkError(f"{one} and {other} (or what is merged into it) import one another")


class _Plan:
    """New names of the globals of all units, in the form that `changes` takes."""

    def __init__(self, program, unit):
        self.program = program
        self.unit = unit
        self.short = {}
        self._stock = {}  # (root, name): the stock import that binds it there
        for members in unit.members.values():
            for name in members:
                for bound in program.modules[name].top.bound:
                    self._name(("global", name, bound))

    def _name(self, thing):
        """The new name, None for a module of the same unit: that is never more than a prefix."""
        _, module, bound = thing
        root = self.unit.home(module)
        stands_for = self.program.import_of(thing)
        name = self._full(thing)
        if stands_for == STOCK:
            origin = self.program.stock_import_of(thing)
            same = self._stock.setdefault((root, bound), origin) == origin
            if same and not hasattr(builtins, bound):
                name = bound
        elif stands_for and self.unit.home(stands_for[1]) == root:
            if stands_for[0] == "module":
                return None
            name = self._name(stands_for)
        self.short[thing] = name
        return name

    def _full(self, thing):
        _, module, bound = thing
        return bound if module in self.unit.members else module.replace(".", "_") + "__" + bound

    def thing(self, target):
        return target

    def argument(self, scope, name):
        return name


class _Rewriter(ast.NodeTransformer):
    """Drops imports between modules of one unit, and lets the others look where things are now."""

    def __init__(self, program, plan):
        self._unit = plan.unit
        self._targets = {
            node: [program.imported(node, alias) for alias in node.names]
            for node in program.nodes(ast.Import, ast.ImportFrom)
        }
        self._plain = {}  # attribute of a module of the same unit: its name
        for node in program.nodes(ast.Attribute):
            target = program.attribute(node)
            if target in plan.short and self._is_inside(node, target):
                self._plain[node] = plan.short[target]
        self._seen = set()  # stock imports that a unit has already

    def _is_inside(self, node, target):
        home = self._unit.home(node.file.name)
        return home in self._unit.members and self._unit.home(target[1]) == home

    def visit_Attribute(self, node):
        if node in self._plain:
            return ast.copy_location(ast.Name(self._plain[node], node.ctx), node)
        return self.generic_visit(node)

    def _import(self, node):
        out = []
        for alias, target in zip(node.names, self._targets[node], strict=True):
            if target == STOCK:
                out += self._stock_import(node, alias)
            elif not self._is_inside(node, target):
                home = self._unit.home(target[1])
                if target[0] == "module":
                    out.append(ast.Import([ast.alias(home, bound_name(alias))]))
                else:
                    out.append(ast.ImportFrom(home, [alias], 0))
            elif node.scope.kind != "module":
                raise ShrinkError(f"{node.file.name}, line {node.lineno}: imported again in a function")
        return [ast.copy_location(one, node) for one in out]

    visit_Import = visit_ImportFrom = _import

    def _stock_import(self, node, alias):
        if isinstance(node, ast.Import):
            one = ast.Import([alias])
        else:
            one = ast.ImportFrom(node.module, [alias], node.level)
        key = (self._unit.home(node.file.name), ast.unparse(one))
        again = node.scope.kind == "module" and key in self._seen
        if node.scope.kind == "module":
            self._seen.add(key)
        return [] if again else [one]
