"""The firmware as one program: its modules, and what each import, name and attribute refers to.

What something refers to is a tuple: ("module", dotted name); ("global", dotted name of the module,
name); ("attr", name), an attribute of an object whose class is not known; STOCK, something of
MicroPython's own; LOCAL; None for a builtin.
"""

import ast

from pilotwire.shrink_scopes import ShrinkError, bound_name, scoped

STOCK = ("stock",)
LOCAL = ("local",)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# What these find by a name that is only known when it runs, nobody finds here.
_REFUSED = {
    "globals", "locals", "vars", "dir", "exec", "eval", "__dict__", "__class__", "__getattr__",
    "__setattr__", "__delattr__", "__slots__",
}


class Module:
    """A source file. A guest looks into the firmware and is looked into by nobody: its own names stay."""

    def __init__(self, name, source, *, path="", package=False, guest=False):
        self.name = name
        self.path = path  # for people
        self.package = package
        self.guest = guest
        self.tree = ast.parse(source)
        self.top = None
        for node in ast.walk(self.tree):
            if isinstance(node, _DEFINITIONS):
                node.origin = (path, node.name)

    def absolute(self, node):
        """Dotted name of the module that a `from ... import` reads."""
        if not node.level:
            return node.module
        parts = self.name.split(".")
        parts = parts[: len(parts) - node.level + self.package]
        return ".".join(parts + ([node.module] if node.module else []))


class Program:
    """What is asked here holds until a tree changes; after that, make a new one."""

    def __init__(self, modules):
        self.modules = {module.name: module for module in modules}
        self.all_nodes = []
        self._files = {}  # module of a top scope
        self._targets = {}  # (scope, name): what a name that is bound by one import stands for
        self._classes = {}  # (scope, name): the class statement, of a name that is bound only by it
        self._stock_names = {}  # (scope, name) that an import of a stock module binds: which import
        self.escaped = set()  # modules that are handed around as objects
        self.stored = set()  # (module, name) of globals that another module assigns to
        for module in modules:
            try:
                self._take_in(module)
            except ShrinkError as error:
                raise ShrinkError(f"{module.name}: {error}") from None
        for node in self.all_nodes:
            self._refuse(node)
            self._bind(node)
        for node in self.nodes(ast.Name, ast.Attribute):
            self._use(node)
        self._escape_further()

    def _take_in(self, module):
        module.top = scoped(module.tree)
        self._files[module.top] = module
        for node in ast.walk(module.tree):
            for child in ast.iter_child_nodes(node):
                child.parent = node
                child.file = module
                self.all_nodes.append(child)

    def fail(self, node, what):
        raise ShrinkError(f"{node.file.name}, line {node.lineno}: {what}")

    def nodes(self, *kinds):
        return (node for node in self.all_nodes if isinstance(node, kinds))

    def _refuse(self, node):
        name = getattr(node, "id", getattr(node, "attr", getattr(node, "name", None)))
        if name in _REFUSED and not node.file.guest:
            self.fail(node, f"{name}, which finds names that are not written there")

    # Imports and classes ----------------------------------------------------------------------

    def imported(self, node, alias):
        """What one name of an import statement refers to."""
        if isinstance(node, ast.Import):
            if alias.name not in self.modules:
                return STOCK
            if "." in alias.name and not alias.asname:
                self.fail(node, f"import {alias.name} without `as`")
            return ("module", alias.name)
        base = node.file.absolute(node)
        if base not in self.modules:
            return STOCK
        if alias.name in self.modules[base].top.bound:
            return ("global", base, alias.name)
        if base + "." + alias.name in self.modules:
            return ("module", base + "." + alias.name)
        return self.fail(node, f"{base} has no {alias.name}")

    def _bind(self, node):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = bound_name(alias)
                home = alias.scope.owner(name)
                target = self.imported(node, alias)
                if target == STOCK:
                    self._stock_names[home, name] = (getattr(node, "module", None), alias.name)
                if home.bound[name] == 1:
                    self._targets[home, name] = target
                elif target[0] == "module":
                    self.escaped.add(target[1])
        elif isinstance(node, ast.ClassDef) and node.scope.bound.get(node.name) == 1:
            self._classes[node.scope, node.name] = node

    def _use(self, node):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            target = self.attribute(node)
            if target[0] == "global":
                self.stored.add(target[1:])
        whole = self.value(node)
        is_base = isinstance(node.parent, ast.Attribute) and node.parent.value is node
        if whole and whole[0] == "module" and not is_base:
            self.escaped.add(whole[1])

    def _escape_further(self):
        """A module that is handed around hands around the modules it has imported."""
        todo = list(self.escaped)
        while todo:
            top = self.modules[todo.pop()].top
            for (scope, _), target in self._targets.items():
                if scope is top and target[0] == "module" and target[1] not in self.escaped:
                    self.escaped.add(target[1])
                    todo.append(target[1])

    # What is meant ----------------------------------------------------------------------------

    def name(self, node, name=None):
        """What a name at this node refers to, as a variable."""
        scope = node.scope.resolve(name or node.id)
        return self.variable(scope, name or node.id) if scope else None

    def variable(self, scope, name):
        if scope.kind == "module":
            return ("global", self._files[scope].name, name)
        return ("attr", name) if scope.kind == "class" else LOCAL

    def attribute(self, node):
        """What `.attr` of an ast.Attribute refers to."""
        value = self.value(node.value)
        if value == STOCK:
            return STOCK
        if value and value[0] == "module":
            top = self.modules[value[1]].top
            if node.attr in top.bound:
                return ("global", value[1], node.attr)
            if value[1] + "." + node.attr in self.modules:
                return ("module", value[1] + "." + node.attr)
            self.fail(node, f"{value[1]} has no {node.attr}")
        return ("attr", node.attr)

    def value(self, node):
        """The module, global or stock thing that an expression is; None when that is not known."""
        if isinstance(node, ast.Name):
            scope = node.scope.resolve(node.id)
            if not scope:
                return None
            if (scope, node.id) in self._targets:
                return self.chased(self._targets[scope, node.id])
            if (scope, node.id) in self._stock_names:
                return STOCK
            found = self.variable(scope, node.id)
            return found if found[0] == "global" else None
        if isinstance(node, ast.Attribute):
            found = self.attribute(node)
            return None if found[0] == "attr" else self.chased(found)
        return None

    def chased(self, target):
        """Where an import of an imported thing ends."""
        while target[0] == "global" and self.import_of(target):
            target = self.import_of(target)
        return target

    def import_of(self, target):
        """What ("global", module, name) stands for if one import binds it, and nothing else."""
        return self._targets.get((self.modules[target[1]].top, target[2]))

    def stock_import_of(self, target):
        """(module, name) of the stock import that binds this global."""
        return self._stock_names[self.modules[target[1]].top, target[2]]

    def named_class(self, node):
        """The class statement that an expression names; None when it names no class of the program."""
        if isinstance(node, ast.Name):
            scope = node.scope.resolve(node.id)
            if (scope, node.id) in self._classes:
                return self._classes[scope, node.id]
        value = self.value(node)
        return self.global_class(value) if value and value[0] == "global" else None

    def global_class(self, target):
        """The class statement of ("global", module, name), or None."""
        return self._classes.get((self.modules[target[1]].top, target[2]))

    def base_class(self, node):
        """A base's class statement, STOCK, or None for a builtin."""
        if isinstance(node, ast.Name) and node.scope.resolve(node.id) is None:
            return None
        found = self.named_class(node)
        if not found and self.value(node) != STOCK:
            self.fail(node, "a base class that is not known")
        return found or STOCK

    def method_self(self, node):
        """The class whose instance this ast.Name is: the first argument of a method; else None."""
        scope = node.scope.resolve(node.id) if isinstance(node, ast.Name) else None
        if not scope or not isinstance(scope.node, ast.FunctionDef) or scope.parent.kind != "class":
            return None
        args = scope.node.args.posonlyargs + scope.node.args.args
        static = any(getattr(d, "id", "") == "staticmethod" for d in scope.node.decorator_list)
        if static or not args or args[0].arg != node.id or scope.bound[node.id] != 1:
            return None
        return scope.parent.node
