"""Modules that are always loaded together become one: each costs the chip a dict, tables and names.

A unit is a module and what it imports at its top, and what that imports, in the order in which
MicroPython would run them. Not in a unit: packages; what is loaded by its name or handed around; what
main.py imports; what an earlier unit has. Globals get the name of their module in front; short names
follow later.
"""

import ast
import builtins

from pilotwire.shrink_program import STOCK, Program
from pilotwire.shrink_rename import changes
from pilotwire.shrink_scopes import ShrinkError, bound_name
from pilotwire.shrink_words import loaded_by_name


def merge(modules, roots, apart=()):
    """The modules, each of `roots` now with all of its unit. Modules in `apart` stay as they are."""
    program = Program(modules)
    unit = _Units(program, roots, set(apart))
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


def _imports(program, module):
    """Modules of the program that this one imports at its top."""
    for node in module.tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                target = program.imported(node, alias)
                if target != STOCK:
                    yield target[1]


class _Units:
    """`members`: {root: its modules in the order in which they run}."""

    def __init__(self, program, roots, apart):
        self._program = program
        self._root = {}
        self._apart = apart | loaded_by_name(program) | program.escaped
        self.members = {root: [] for root in roots}
        for root in roots:
            self._collect(root, root)
        for root, members in self.members.items():
            for name in members:
                self._refuse_circle(root, name, set())

    def home(self, module):
        """Where the code of `module` is now."""
        return self._root.get(module, module)

    def _collect(self, root, name):
        self._root[name] = root
        module = self._program.modules[name]
        for other in _imports(self._program, module):
            if not (
                other in self._root or other in self._apart or self._program.modules[other].package
            ):
                self._collect(root, other)
        self.members[root].append(name)

    def _refuse_circle(self, root, name, seen):
        """What a unit imports may not need the unit, which is not complete at that time."""
        for other in _imports(self._program, self._program.modules[name]):
            if other in seen or self.home(other) == root and self.home(name) == root:
                continue
            if self.home(other) == root:
                raise ShrinkError(f"{name} and the modules merged into {root} import one another")
            seen.add(other)
            self._refuse_circle(root, other, seen)


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
