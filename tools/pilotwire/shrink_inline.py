"""A function that is called at one place only is put there: on the chip each one costs some 50 bytes of
heap, and 10 to 20 us each time it is called.

Which: what has one mention, and this a call in the same module; what nothing looks up by a word; with
plain arguments; without `yield` and without functions in it. What it gives back must be had without
`return` where it goes (shrink_returns), unless it goes behind one. Arguments are worked out in their
order before the body, as a call does it. Locals get new names, which cost nothing in compiled code.
"""

import ast
import re

from pilotwire.shrink_program import LOCAL, Program
from pilotwire.shrink_returns import Stays, assigned, copied, dropped, ends, slots, without_returns
from pilotwire.shrink_scopes import FUNCTIONS
from pilotwire.shrink_words import lookups, words

_SCOPES = (*FUNCTIONS, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# A call whose locals and stack need more words than this gets them from the heap (py/objfun.c), which
# costs more than a call of another function: not in what runs in each tick.
_MOST_SLOTS = 11
_EACH_TICK = re.compile(r"pilotwire/(sense|decide|act)/|pilotwire/(control|visit)\.py")
_NEVER = (ast.Yield, ast.YieldFrom, ast.Global, ast.Nonlocal, ast.Import, ast.ImportFrom)


def inline_once(modules, kept):
    """Put them in, from inside out, until there are no more. kept: names that are called from outside."""
    stays = set()
    while True:
        program = Program(modules)
        found = {
            callee: call for callee, call in _candidates(program, kept | words(program))
            if callee not in stays
        }
        places = {_function(call) for call in found.values()}
        given = {}  # caller: names that it has got in this round
        ready = [callee for callee in found if callee not in places]
        if not ready:
            return
        for callee in ready:
            try:
                _put(callee, found[callee], given.setdefault(_function(found[callee]), set()))
            except Stays:
                stays.add(callee)


# Which --------------------------------------------------------------------------------------------


def _candidates(program, kept):
    """(function, its only call)."""
    mentions, definitions, imported, related = {}, {}, set(), set()
    for node in program.nodes(ast.Name, ast.Attribute):
        thing = program.name(node) if isinstance(node, ast.Name) else program.attribute(node)
        if thing and thing != LOCAL:
            mentions.setdefault(thing, []).append(node)
    for node in program.nodes(ast.Import, ast.ImportFrom):
        imported.update(program.imported(node, alias) for alias in node.names)
    for node in program.nodes(ast.FunctionDef, ast.ClassDef):
        definitions.setdefault(program.name(node, node.name), []).append(node)
        if isinstance(node, ast.ClassDef) and node.bases:
            related.update([node, *map(program.base_class, node.bases)])
    looked_up = lookups(program)
    for callee in program.nodes(ast.FunctionDef):
        thing = program.name(callee, callee.name)
        if (
            callee.file.guest or callee.name in kept or callee.name.startswith("__") or thing in imported
            or not thing or thing == LOCAL or not _is_plain(callee)
            or thing[0] == "global" and looked_up(callee.file, callee.name)
        ):
            continue
        named = mentions.get(thing, [])
        if len(definitions[thing]) > 1:  # other classes have one too: whose is meant must be known
            owners = [program.method_self(getattr(name, "value", None)) for name in named]
            mine = callee.scope.node
            if not all(owners) or mine in related or any(owner in related for owner in owners):
                continue
            named = [name for name, owner in zip(named, owners, strict=True) if owner is mine]
        if len(named) == 1 and _is_call_of(named[0], callee):
            yield callee, named[0].parent


def _is_plain(callee):
    args = callee.args
    if callee.decorator_list or args.vararg or args.kwarg or args.kwonlyargs or args.defaults:
        return False
    return not any(
        isinstance(node, (*_SCOPES, *_NEVER)) for node in ast.walk(callee) if node is not callee
    )


def _is_call_of(name, callee):
    call = name.parent
    if not isinstance(call, ast.Call) or call.func is not name or name.file is not callee.file:
        return False
    if call.keywords or any(isinstance(arg, ast.Starred) for arg in call.args):
        return False
    given = len(call.args) + isinstance(name, ast.Attribute)
    caller = _function(call)
    is_method = callee.scope.kind == "class"
    return (
        caller and caller is not callee and not caller.file.guest and call.scope is caller.inner
        and is_method == isinstance(name, ast.Attribute) and given == len(callee.args.args)
    )


def _function(node):
    """The function statement around a node."""
    while node is not None and not isinstance(node, FUNCTIONS):
        node = getattr(node, "parent", None)
    return node if isinstance(node, ast.FunctionDef) else None


# Putting it there ----------------------------------------------------------------------------------


def _put(callee, call, given):
    """Change the caller's tree and take the function away; Stays, and nothing is changed."""
    caller, statement = _function(call), _statement(call)
    block, home = _block(statement), _block(callee)
    small = _EACH_TICK.match(caller.origin[0]) and slots(caller) <= _MOST_SLOTS
    result = None
    names = _new_names(caller, callee, given)
    before, values = _arguments(callee, call, names)
    body = [_Renamed(names, values).visit(part) for part in copied(callee.body)]
    if not before and len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value:
        result = body[0].value
        new = [statement]
    elif getattr(statement, "value", None) is call:
        new = before + _instead(statement, body)
    elif isinstance(statement, ast.If) and _asks(statement.test, call):
        name = _fresh(caller, callee, names, given)
        asked = ast.Assign([ast.Name(name, ast.Store())], call)
        result = ast.Name(name, ast.Load())
        new = [*before, *_instead(asked, body), statement]
    else:
        raise Stays
    at = block.index(statement)
    new = new or [ast.Pass()]
    if result:
        _replace(statement, call, result)
    block[at : at + 1] = [ast.fix_missing_locations(ast.copy_location(one, statement)) for one in new]
    if small and slots(caller) > _MOST_SLOTS:
        block[at : at + len(new)] = [statement]
        if result:
            _replace(statement, result, call)
        raise Stays
    home.remove(callee)
    if not home:
        home.append(ast.copy_location(ast.Pass(), callee))


def _instead(statement, body):
    """The statements that do what `statement` did, whose value is the call."""
    if isinstance(statement, ast.Return):
        return body if ends(body) else [*body, ast.Return(ast.Constant(None))]
    if isinstance(statement, ast.Expr):
        return without_returns(body, dropped)
    if isinstance(statement, ast.Assign):
        return without_returns(body, lambda value: assigned(statement.targets, value))
    raise Stays


def _statement(node):
    while not isinstance(node, ast.stmt):
        node = node.parent
    return node


def _block(statement):
    """The list of statements that it is in."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(statement.parent, field, None)
        if isinstance(block, list) and statement in block:
            return block
    raise Stays


def _asks(test, call):
    """The call is what an `if` works out first."""
    while test is not call:
        if isinstance(test, ast.UnaryOp):
            test = test.operand
        elif isinstance(test, ast.Compare):
            test = test.left
        elif isinstance(test, ast.BoolOp):
            test = test.values[0]
        else:
            return False
    return True


def _replace(tree, old, new):
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            if value is old:
                setattr(node, field, new)
                return
            if isinstance(value, list) and old in value:
                value[value.index(old)] = new
                return


def _new_names(caller, callee, given):
    """{local of the function: its name there}. Stays when a global of it is a local there."""
    taken = set(caller.inner.bound)
    for node in ast.walk(callee):
        if isinstance(node, ast.Name) and node.id not in callee.inner.bound and node.id in taken:
            raise Stays
    names = {}
    for name in callee.inner.bound:
        names[name] = _fresh(caller, callee, names, given)
    return names


def _fresh(caller, callee, names, given):
    """A name that this call needs for itself. What else is put into this caller may have it too: they
    need it one after the other."""
    taken = {node.id for one in (caller, callee) for node in ast.walk(one) if isinstance(node, ast.Name)}
    taken = (taken | set(caller.inner.bound)) - given
    number = 0
    while (new := f"i{number}") in taken or new in names.values():
        number += 1
    given.add(new)
    return new


def _arguments(callee, call, names):
    """(statements that work them out, {argument: expression that may stand for it})."""
    given = ([call.func.value] if isinstance(call.func, ast.Attribute) else []) + call.args
    before, values = [], {}
    for arg, value in zip(callee.args.args, given, strict=True):
        simple = isinstance(value, ast.Constant) or isinstance(value, ast.Name) and (
            value.id in call.scope.bound
        )
        if simple and callee.inner.bound[arg.arg] == 1:
            values[arg.arg] = value
        else:
            before.append(ast.Assign([ast.Name(names[arg.arg], ast.Store())], value))
    return before, values


class _Renamed(ast.NodeTransformer):
    def __init__(self, names, values):
        self._names, self._values = names, values

    def visit_Name(self, node):
        if node.id in self._values:
            return copied(self._values[node.id])
        return ast.copy_location(ast.Name(self._names.get(node.id, node.id), node.ctx), node)

    def visit_ExceptHandler(self, node):
        self.generic_visit(node)
        node.name = self._names.get(node.name, node.name)
        return node
