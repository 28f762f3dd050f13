"""Lets the names that a file uses most come first in its table: the first 128 take one byte, not two.

mpy-cross numbers names as it meets them, and it meets the top of the module first. So a file with more
names begins with a statement that never runs and mentions them in order.
"""

import ast
from collections import Counter

from pilotwire.shrink_scopes import scoped

_ONE_BYTE = 126  # of 128, one is the file's own name and one is __name__


def order(tree):
    """Put the statement at the top of a module's tree."""
    scoped(tree)
    count = Counter(name for node in ast.walk(tree) for name in _names(node) if name.isidentifier())
    if len(count) <= _ONE_BYTE:
        return
    never = chain = ast.Name("__name__", ast.Load())
    for name, _ in sorted(count.most_common(_ONE_BYTE)):
        chain = ast.Attribute(chain, name, ast.Load())
    tree.body.insert(0, ast.If(ast.UnaryOp(ast.Not(), never), [ast.Expr(chain)], []))


def _names(node):
    """Names by which the compiled code of this node's function calls something."""
    scope = getattr(node, "scope", None)
    if not scope or scope.kind == "module":  # what runs once does not stay
        return
    if isinstance(node, ast.Name):
        home = scope.resolve(node.id)
        if home is None or home.kind != "function":
            yield node.id
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for field in ("attr", "arg", "name"):
            if isinstance(getattr(node, field, None), str):
                yield getattr(node, field)
