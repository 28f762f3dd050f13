"""A tree as source text again.

ast.unparse writes `a, b = (x, y)`. To CPython that is the same; MicroPython makes a tuple of what has
parentheses, which the loop may not, and only moves values about where there are none.
"""

import ast

_MARK = "__assign_{}__"


def text(tree):
    """Source of a module. The tree is changed."""
    marks = {}
    tree = _Marker(marks).visit(tree)
    out = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    for mark, statement in marks.items():
        out = out.replace(mark, statement)
    return out


class _Marker(ast.NodeTransformer):
    def __init__(self, marks):
        self._marks = marks

    def visit_Assign(self, node):
        to_many = any(isinstance(target, ast.Tuple) for target in node.targets)
        if not to_many or not isinstance(node.value, ast.Tuple):
            return node
        mark = _MARK.format(len(self._marks))
        self._marks[mark] = " = ".join(_plain(part) for part in (*node.targets, node.value))
        return ast.Expr(ast.Name(mark, ast.Load()))


def _plain(node):
    if not isinstance(node, ast.Tuple):
        return ast.unparse(node)
    parts = ", ".join(ast.unparse(part) for part in node.elts)
    return parts + "," if len(node.elts) == 1 else parts
