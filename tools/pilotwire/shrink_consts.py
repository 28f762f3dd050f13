"""Constants become literals where they are used.

A constant is a name that its module binds once, at its top, to something that can be worked out
here: an int, a bool, None, or a text of at most 10 characters (MicroPython interns those). A plain
one that may be looked up by a word in some string is left alone. const(...) is the author's promise:
its uses become literals all the same, and only its definition stays.
"""

import ast
import operator

from pilotwire.shrink_words import lookups

_LONGEST = 10
_WIDEST = 64  # bits that a shift may add
_BINARY = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.LShift: operator.lshift,
    ast.RShift: operator.rshift, ast.BitOr: operator.or_, ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}
_UNARY = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert}
UNKNOWN = object()


def inline(program):
    """Put the literals in. Returns what was found: {("global", module, name): value}."""
    known = constants(program)
    for module in program.modules.values():
        _Literals(program, known).visit(module.tree)
    return known


def literal(value):
    if type(value) is int and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


class _Literals(ast.NodeTransformer):
    def __init__(self, program, known):
        self._program = program
        self._known = known

    def _literal(self, node):
        if isinstance(node.ctx, ast.Load):
            value = self._known.get(self._program.value(node), UNKNOWN)
            if value is not UNKNOWN:
                return ast.copy_location(literal(value), node)
        return self.generic_visit(node)

    visit_Name = visit_Attribute = _literal


# Finding them -----------------------------------------------------------------------------------


def assignments(module):
    """(statement, names) for each `NAME = ...` and `A, B = ...` at the module's top."""
    for statement in module.tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            parts = target.elts if isinstance(target, ast.Tuple) else [target]
            if all(isinstance(part, ast.Name) for part in parts):
                yield statement, [part.id for part in parts]


def constants(program):
    """{("global", module, name): value} of everything that can be worked out."""
    may_be = _candidates(program)
    known, before = {}, -1
    while len(known) > before:  # one may be made of others
        before = len(known)
        for module, statement, names in may_be:
            values = _values(program, known, statement)
            for name, value in zip(names, values, strict=False):
                if name and value is not UNKNOWN:
                    known["global", module.name, name] = value
    return known


def _candidates(program):
    """(module, statement, names) with None for a name that must be left alone."""
    looked_up = lookups(program)
    set_from_outside = {
        node.attr for node in program.nodes(ast.Attribute) if not isinstance(node.ctx, ast.Load)
    }
    found = []
    for module in program.modules.values():
        if module.guest:
            continue
        for statement, names in assignments(module):
            found.append((module, statement, [
                name if (
                    module.top.bound[name] == 1
                    and (module.name, name) not in program.stored
                    and not (module.name in program.escaped and name in set_from_outside)
                    and (is_promise(statement.value) or not looked_up(module, name))
                ) else None
                for name in names
            ]))
    return found


def is_promise(node):
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "const"


def _values(program, known, statement):
    """One value a target, or none at all."""
    target, source = statement.targets[0], statement.value
    if not isinstance(target, ast.Tuple):
        return [evaluate(program, known, source)]
    values = []
    if isinstance(source, ast.Tuple):
        values = [evaluate(program, known, part) for part in source.elts]
    elif isinstance(source, ast.Constant) and isinstance(source.value, bytes):
        values = list(source.value)
    elif isinstance(source, ast.Call) and not source.keywords:
        function = source.func
        is_range = getattr(function, "id", "") == "range" and program.name(function) is None
        bounds = [evaluate(program, known, part) for part in source.args]
        if is_range and all(type(bound) is int for bound in bounds):
            values = list(range(*bounds))
    return values if len(values) == len(target.elts) else []


def evaluate(program, known, node):
    """The constant that an expression is, or UNKNOWN."""
    if isinstance(node, ast.Constant):
        value = node.value
        plain = value is None or type(value) in (int, bool)
        return value if plain or type(value) is str and len(value) <= _LONGEST else UNKNOWN
    if isinstance(node, (ast.Name, ast.Attribute)):
        return known.get(program.value(node), UNKNOWN)
    if is_promise(node) and len(node.args) == 1 and not node.keywords:
        return evaluate(program, known, node.args[0])
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        value = evaluate(program, known, node.operand)
        return _UNARY[type(node.op)](value) if type(value) is int else UNKNOWN
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left = evaluate(program, known, node.left)
        right = evaluate(program, known, node.right)
        return _combined(node.op, left, right)
    return UNKNOWN


def _combined(op, left, right):
    if type(left) is not int or type(right) is not int:
        return UNKNOWN
    if isinstance(op, (ast.LShift, ast.RShift)) and not 0 <= right <= _WIDEST:
        return UNKNOWN
    if isinstance(op, (ast.FloorDiv, ast.Mod)) and not right:
        return UNKNOWN
    return _BINARY[type(op)](left, right)
