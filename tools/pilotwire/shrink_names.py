"""Short names: which name may become which, so that few distinct ones are left.

Two things may have the same short name when nothing can meet both:
* globals of one module: never both in one module's dict;
* attributes, methods too: never both in one class or in classes linked by inheritance. A name that
  is set from outside, as in `config.device = ...`, may be in any class. A name that only some classes
  have is looked up in their objects alone, by a program that does not look up what is not there;
* arguments: by position.
Names that MicroPython has for itself, words in strings and keywords are kept. Functions of one file
get different names, so that a traceback can be read back.
"""

import ast
import builtins
import keyword

from pilotwire.shrink_program import STOCK
from pilotwire.shrink_scopes import FUNCTIONS, arguments
from pilotwire.shrink_words import identifiers, lookups, words

ANYWHERE = "anywhere"


class Names:
    """Short names for everything in `program`: `short`, {thing: name}; see thing().

    stock: names that are never given up. pool: names to use, best first; more are made up.
    """

    def __init__(self, program, stock, pool):
        self.program = program
        self.words = words(program)
        self.spaces = {}  # thing: where it may meet others
        self.groups = _class_groups(program)
        self._kept = stock | self.words | {
            n.attr for n in program.nodes(ast.Attribute) if program.attribute(n) == STOCK
        }
        self._keywords = self._keyword_names()
        self._find_attributes(stock)
        self._find_globals()
        self._find_functions()
        taken = identifiers(program) | self.words | set(dir(builtins))
        for module in program.modules:
            taken.update(module.split("."))
        self._pool = [name for name in pool if name not in taken]
        self._made_up = _made_up(taken | stock)
        self._most_arguments = max(
            (self._first_argument(n.inner) + len(arguments(n)[0]) for n in program.nodes(*FUNCTIONS)),
            default=0,
        )
        self.short = self._colour()

    def thing(self, target):
        """What shares a short name: the global of a module that is handed around is an attribute."""
        if target and target[0] == "global" and target[1] in self.program.escaped:
            return ("attr", target[2])
        return target

    def pool(self, number):
        """The name with this number."""
        while len(self._pool) <= number:
            self._pool.append(next(self._made_up))
        return self._pool[number]

    # Where names meet -------------------------------------------------------------------------

    def _meet(self, thing, space):
        self.spaces.setdefault(thing, set()).add(space)

    def _find_attributes(self, stock):
        program = self.program
        for node, group in self.groups.items():
            for name in node.inner.bound:
                self._meet(("attr", name), group)
        for node in program.nodes(ast.Attribute):
            if not isinstance(node.ctx, ast.Load) and program.attribute(node)[0] == "attr":
                owner = program.method_self(node.value)
                self._meet(("attr", node.attr), self.groups[owner] if owner else ANYWHERE)
        for name in program.escaped:
            for bound in program.modules[name].top.bound:
                if self._keeps_its_name(program.modules[name], bound):
                    self._kept.add(bound)
                self._meet(("attr", bound), name)
        known = stock | self.words
        for node in program.nodes(ast.Attribute):
            if program.attribute(node) not in self.spaces and program.attribute(node)[0] == "attr":
                if not (node.attr in known or node.attr.startswith("__") or node.file.guest):
                    program.fail(node, f"nothing has .{node.attr}, also not in stock_names.txt")
        for thing in list(self.spaces):
            if thing[1] in self._kept or thing[1].startswith("__"):
                del self.spaces[thing]
        for node in program.nodes(ast.Try):
            if any(_catches_attribute_error(handler) for handler in node.handlers):
                for missing in ast.walk(node):  # perhaps looked up where it is not
                    if isinstance(missing, ast.Attribute) and ("attr", missing.attr) in self.spaces:
                        self._meet(("attr", missing.attr), ANYWHERE)

    def _find_globals(self):
        program = self.program
        looked_up = lookups(program)
        for module in program.modules.values():
            if module.guest or module.name in program.escaped:
                continue
            for name in module.top.bound:
                if not (looked_up(module, name) or self._keeps_its_name(module, name)):
                    self._meet(("global", module.name, name), module.name)
        for node in program.nodes(ast.Name):  # seen from a class body, beside the class's own names
            thing = self.thing(program.name(node))
            if node.scope.kind == "class" and thing in self.spaces and thing[0] == "global":
                self._meet(thing, self.groups[node.scope.node])
                self._meet(thing, ANYWHERE)

    def _find_functions(self):
        for node in self.program.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
            thing = self.thing(self.program.name(node, node.name))
            if thing in self.spaces:
                self._meet(thing, ("file", node.file.name))

    def _keeps_its_name(self, module, name):
        """A global that gains nothing by a short name, or that people read: an exception."""
        thing = ("global", module.name, name)
        return (
            name.startswith("__") or self.program.import_of(thing) == STOCK
            or self._is_exception(self.program.global_class(thing))
        )

    def _is_exception(self, node):
        while node not in (None, STOCK) and node.bases:
            base = node.bases[0]
            node = self.program.base_class(base)
            if node is None:
                found = getattr(builtins, base.id, None)
                return isinstance(found, type) and issubclass(found, BaseException)
        return False

    # Giving them ------------------------------------------------------------------------------

    def _colour(self):
        """{thing: short name}, what meets most first."""
        order = sorted(self.spaces, key=lambda thing: (
            thing[0] == "global", ANYWHERE not in self.spaces[thing], -len(self.spaces[thing]), thing
        ))
        numbers, attributes = {}, set()
        used = {space: set() for spaces in self.spaces.values() for space in spaces}
        anywhere = used.setdefault(ANYWHERE, set())
        for thing in order:
            spaces = self.spaces[thing]
            taken = set().union(*(used[space] for space in spaces))
            number = 0
            if thing[0] == "global":
                number = self._most_arguments  # an argument must not hide a global
            else:
                taken |= attributes if ANYWHERE in spaces else anywhere
            while number in taken:
                number += 1
            numbers[thing] = number
            for space in spaces:
                used[space].add(number)
            if thing[0] == "attr":
                attributes.add(number)
        return {thing: self.pool(number) for thing, number in numbers.items()}

    # Arguments --------------------------------------------------------------------------------

    def _keyword_names(self):
        """Names of arguments that some call may give by name."""
        found = set()
        for node in self.program.nodes(ast.Call):
            for word in node.keywords:
                if word.arg:
                    found.add(word.arg)
                elif not _is_passed_on(word.value):
                    found |= self.words
        return found

    def _first_argument(self, scope):
        """Number of a function's first argument: beyond those of the functions around it."""
        outer = scope.enclosing_function()
        while outer and not isinstance(outer.node, FUNCTIONS):  # a comprehension
            outer = outer.enclosing_function()
        return self._first_argument(outer) + len(arguments(outer.node)[0]) if outer else 0

    def argument(self, scope, name):
        """New name of a local `name` of this function's scope; itself unless it is an argument."""
        if not isinstance(scope.node, FUNCTIONS) or scope.node.file.guest or name in self._keywords:
            return name
        for at, arg in enumerate(arguments(scope.node)[0]):
            if arg.arg == name:
                return self.pool(self._first_argument(scope) + at)
        return name


def _class_groups(program):
    """{class statement: its group}: linked by inheritance, or because one names the other's methods."""
    group = {node: node for node in program.nodes(ast.ClassDef)}

    def root(node):
        while group[node] is not node:
            node = group[node]
        return node

    for node in list(group):
        for base in node.bases:
            found = program.base_class(base)
            if found in group:
                group[root(node)] = root(found)
    for node in program.nodes(ast.Name, ast.Attribute):
        borrowed = node.scope.kind == "class" or isinstance(node.parent, ast.Attribute)
        found = program.named_class(node) if borrowed else None
        around = node.scope
        while found and around:
            if around.kind == "class":
                group[root(around.node)] = root(found)
            around = around.parent
    return {node: root(node) for node in group}


def _catches_attribute_error(handler):
    kinds = ast.walk(handler.type) if handler.type else ()
    return any(getattr(kind, "id", "") == "AttributeError" for kind in kinds)


def _is_passed_on(node):
    """**options of the function's own **options: its keywords stand in other calls."""
    scope = node.scope.resolve(node.id) if isinstance(node, ast.Name) else None
    if not scope or not isinstance(scope.node, FUNCTIONS):
        return False
    own = scope.node.args.kwarg
    return own is not None and own.arg == node.id and scope.bound[node.id] == 1


def _made_up(taken):
    """a, b, ... z, aa, ab, ... without those that are taken."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    some = [""]
    while True:
        some = [before + letter for before in some for letter in letters]
        for name in some:
            if name not in taken and not keyword.iskeyword(name):
                yield name
