"""What nothing uses any more goes: docstrings, constants, imports, methods and functions."""

import ast

from pilotwire.shrink_consts import assignments, literal
from pilotwire.shrink_program import STOCK, Program
from pilotwire.shrink_words import lookups, words

_BODIES = ("body", "orelse", "finalbody")
_QUIET = (
    ast.Import, ast.ImportFrom, ast.Assign, ast.FunctionDef, ast.ClassDef, ast.Pass,
)


def drop_docstrings(tree):
    for node in ast.walk(tree):
        for field in _BODIES:
            body = getattr(node, field, None)
            if isinstance(body, list):
                kept = [s for s in body if not _is_text(s)]
                body[:] = kept or _nothing(node, field, body)


def _is_text(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _nothing(node, field, before):
    """What stands in a body that has lost everything."""
    may_be_empty = isinstance(node, ast.Module) or field != "body" or not before
    return [] if may_be_empty else [ast.Pass()]


def drop_unused(modules, known, stock):
    """Drop definitions and imports until nothing more is unused. `known`: constants(); `stock`: names
    that something outside may look up in any object."""
    while _Unused(Program(modules), known, stock).drop():
        pass


class _Unused:
    """What one look at the program finds to be unused."""

    def __init__(self, program, known, stock):
        self._program = program
        self._known = known
        self._named = lookups(program)
        self._used = set()  # what is read as a variable; (scope, name) too
        self._looked_up = words(program) | stock  # names of attributes
        for node in program.nodes(ast.Name, ast.Attribute, ast.Import, ast.ImportFrom):
            if isinstance(node, ast.Attribute):
                self._used.add(program.attribute(node))
                self._looked_up.add(node.attr)
            elif not isinstance(node, ast.Name):
                self._used.update(program.imported(node, alias) for alias in node.names)
            elif isinstance(node.ctx, ast.Load):
                self._used.add(program.name(node))
                self._used.add((node.scope.resolve(node.id), node.id))
        self.dropped = False

    def drop(self):
        """True if something has gone: something else may be unused now."""
        for module in self._program.modules.values():
            if module.guest:
                continue
            for statement, names in list(assignments(module)):
                self._drop_constants(module, statement, names)
            for node in ast.walk(module.tree):
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    self._drop_import(node)
                elif isinstance(node, ast.FunctionDef) and self._is_unused(node):
                    self._remove(node)
        return self.dropped

    def _is_free(self, module, name):
        """No code reads this global, and none may look it up."""
        return (
            ("global", module.name, name) not in self._used and not self._named(module, name)
            and not (module.name in self._program.escaped and name in self._looked_up)
        )

    def _remove(self, node):
        for field in _BODIES:
            body = getattr(node.parent, field, None)
            if isinstance(body, list) and node in body:
                before = list(body)
                body.remove(node)
                body.extend(_nothing(node.parent, field, before) if not body else [])
                self.dropped = True

    def _drop_constants(self, module, statement, names):
        keys = [("global", module.name, name) for name in names]
        if not all(key in self._known for key in keys):
            return
        if any(self._is_free(module, name) for name in names):
            at = module.tree.body.index(statement)
            module.tree.body[at : at + 1] = [
                ast.Assign([ast.Name(name, ast.Store())], literal(self._known[key]), lineno=0)
                for key, name in zip(keys, names, strict=True) if not self._is_free(module, name)
            ]
            self.dropped = True

    def _drop_import(self, node):
        kept = [alias for alias in node.names if not self._is_idle(node, alias)]
        if len(kept) < len(node.names):
            node.names = kept
            self.dropped = True
        if not kept:
            self._remove(node)

    def _is_idle(self, node, alias):
        """Nothing uses what this import binds, and to import it does nothing else."""
        name = alias.asname or alias.name.split(".")[0]
        home = alias.scope.owner(name)
        if home.kind == "module":
            unused = self._is_free(node.file, name)
        else:
            unused = home.kind == "function" and (home, name) not in self._used
        target = self._program.imported(node, alias)
        if not unused:
            return False
        if target == STOCK:
            return getattr(node, "module", alias.name) == "micropython"
        return all(isinstance(s, _QUIET) for s in self._program.modules[target[1]].tree.body)

    def _is_unused(self, node):
        """A function or method that nothing names; decorated ones too: nothing can look them up."""
        kind = node.scope.kind
        if node.name.startswith("__") or node.scope.bound.get(node.name) != 1:
            return False
        if kind == "class":
            return node.name not in self._looked_up and ("attr", node.name) not in self._used
        return kind == "module" and self._is_free(node.file, node.name)
