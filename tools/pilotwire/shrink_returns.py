"""The body of a function as it can stand in another one: its returns become assignments, or nothing."""

import ast


class Stays(Exception):
    """This function cannot be put where it is called."""


def copied(tree):
    """Without what Program has noted. Constants stay the same ones: named_at_once knows some of them."""
    if isinstance(tree, list):
        return [copied(part) for part in tree]
    if not isinstance(tree, ast.AST) or isinstance(tree, ast.Constant):
        return tree
    new = type(tree)(**{field: copied(value) for field, value in ast.iter_fields(tree)})
    return ast.copy_location(new, tree)


def _has_return(tree):
    return any(isinstance(node, ast.Return) for node in ast.walk(tree))


def ends(body):
    """No path leads out at the end."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.If):
        return ends(last.body) and ends(last.orelse)
    return isinstance(last, (ast.Return, ast.Raise))


def without_returns(body, give):
    """The statements with `give(value)` for each return, and for the unwritten one at the end."""
    out = []
    for k, statement in enumerate(body):
        if isinstance(statement, ast.Return):
            return out + give(statement.value)
        if not _has_return(statement):
            out.append(statement)
            continue
        if not isinstance(statement, ast.If):
            raise Stays
        rest = body[k + 1 :]
        if ends(statement.body):
            first, second = statement.body, statement.orelse + rest
        elif ends(statement.orelse):
            first, second = statement.body + rest, statement.orelse
        elif rest:
            raise Stays
        else:
            first, second = statement.body, statement.orelse
        return out + _if(statement.test, without_returns(first, give), without_returns(second, give))
    return out if ends(out) else out + give(None)


def _if(test, first, second):
    if not first and not second:
        return [ast.Expr(test)]
    if not first:
        return [ast.If(ast.UnaryOp(ast.Not(), test), second, [])]
    return [ast.If(test, first, second)]


def dropped(value):
    """What a return becomes where nobody wants its value."""
    if value is None or isinstance(value, (ast.Constant, ast.Name)):
        return []
    return [ast.Expr(value)]


def assigned(targets, value):
    return [ast.Assign(copied(targets), value or ast.Constant(None))]


def slots(function):
    """About how many words a call of it needs: locals, stack, 3 for each `try` or `with` around another.
    CPython's compiler says it, whose stack is much like MicroPython's."""
    module = compile(ast.unparse(function), "", "exec")
    code = next(const for const in module.co_consts if getattr(const, "co_name", None) == function.name)
    return code.co_nlocals + code.co_stacksize + 3 * _most_around(function.body)


def _most_around(body):
    """How many `try` and `with` stand in one another, at the most."""
    most = 0
    for statement in body:
        inner = [getattr(statement, field, []) for field in ("body", "orelse", "finalbody")]
        inner += [handler.body for handler in getattr(statement, "handlers", [])]
        here = isinstance(statement, (ast.Try, ast.With))
        most = max(most, here + max(map(_most_around, inner)))
    return most
