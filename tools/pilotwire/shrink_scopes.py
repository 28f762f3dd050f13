"""Which binding a name in a source file means: Python's scopes, as far as the firmware uses them."""

import ast

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class ShrinkError(Exception):
    """The firmware uses something that shrink does not understand; the text is one line."""


class Scope:
    """A module, class, function or comprehension: the names it binds, and how often each is bound."""

    def __init__(self, kind, node, parent=None):
        self.kind = kind  # "module", "class" or "function"
        self.node = node
        self.parent = parent
        self.bound = {}  # name: how often
        self.elsewhere = {}  # name: the scope that `global` or `nonlocal` points to

    def owner(self, name):
        """The scope in which a statement here binds `name`."""
        return self.elsewhere.get(name, self)

    def bind(self, name):
        bound = self.owner(name).bound
        bound[name] = bound.get(name, 0) + 1

    def enclosing_function(self):
        """The innermost function around this scope, None at the top."""
        scope = self.parent
        while scope and scope.kind == "class":
            scope = scope.parent
        return scope if scope and scope.kind == "function" else None

    def resolve(self, name):
        """The scope whose `name` is meant here; None: a builtin."""
        if name in self.elsewhere:
            return self.elsewhere[name]
        if name in self.bound:
            return self
        scope = self.parent
        while scope:
            if name in scope.bound and scope.kind != "class":
                return scope
            scope = scope.parent
        return None


def arguments(node):
    """All arguments of a function as ast.arg, those with a name in the compiled code first."""
    args = node.args
    plain = args.posonlyargs + args.args + args.kwonlyargs
    return plain, [a for a in (args.vararg, args.kwarg) if a]


def scoped(tree):
    """Give every node of a module its `scope`, and the nodes that open one their `inner` scope."""
    top = Scope("module", tree)
    tree.inner = top
    for child in ast.iter_child_nodes(tree):
        _place(child, top)
    _declare(tree)
    for node in ast.walk(tree):
        _bind(node)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            _refuse_early_use(node)
    return top


def _place(node, scope):
    node.scope = scope
    if isinstance(node, FUNCTIONS):
        _place_function(node, scope)
    elif isinstance(node, ast.ClassDef):
        node.inner = Scope("class", node, scope)
        for child in node.bases + node.keywords + node.decorator_list:
            _place(child, scope)
        for child in node.body:
            _place(child, node.inner)
    elif isinstance(node, _COMPREHENSIONS):
        node.inner = Scope("function", node, scope)
        for child in ast.iter_child_nodes(node):
            _place(child, node.inner)
        _place(node.generators[0].iter, scope)
    elif isinstance(node, ast.NamedExpr) and isinstance(scope.node, _COMPREHENSIONS):
        raise ShrinkError(f"line {node.lineno}: := in a comprehension")
    else:
        for child in ast.iter_child_nodes(node):
            _place(child, scope)


def _place_function(node, scope):
    node.inner = Scope("function", node, scope)
    args = node.args
    for child in args.defaults + [d for d in args.kw_defaults if d]:
        _place(child, scope)
    for arg in sum(arguments(node), []):
        arg.scope = node.inner
        if arg.annotation:
            _place(arg.annotation, scope)
    if isinstance(node, ast.Lambda):
        _place(node.body, node.inner)
        return
    for child in node.decorator_list + ([node.returns] if node.returns else []):
        _place(child, scope)
    for child in node.body:
        _place(child, node.inner)


def _declare(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            for name in node.names:
                node.scope.elsewhere[name] = tree.inner
        elif isinstance(node, ast.Nonlocal):
            for name in node.names:
                node.scope.elsewhere[name] = _owner(node.scope, name)


def _owner(scope, name):
    """The function whose local `name` a nonlocal statement means."""
    outer = scope.enclosing_function()
    while outer:
        if any(bound_name(node) == name for node in _own_nodes(outer)):
            return outer
        outer = outer.enclosing_function()
    raise ShrinkError(f"nonlocal {name}: no function around it has that name")


def _own_nodes(scope):
    for node in ast.walk(scope.node):
        if getattr(node, "scope", None) is scope:
            yield node


def bound_name(node):
    """The name that this node binds in its scope, None if it binds none."""
    if isinstance(node, ast.Name):
        return None if isinstance(node.ctx, ast.Load) else node.id
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.alias):
        return node.asname or node.name.split(".")[0]
    if isinstance(node, (*_NAMED, ast.ExceptHandler)):
        return node.name
    return None


def _bind(node):
    if isinstance(node, ast.Match):
        raise ShrinkError(f"line {node.lineno}: match, which MicroPython does not have")
    name = bound_name(node)
    if name == "*":
        raise ShrinkError(f"line {node.lineno}: import *")
    if name:
        node.scope.bind(name)


def _refuse_early_use(node):
    """`limit = limit` in a class body reads a global and makes an attribute: one name, two things."""
    made = set()
    for statement in node.body:
        inside = [n for n in ast.walk(statement) if getattr(n, "scope", None) is node.inner]
        for use in inside:
            if isinstance(use, ast.Name) and isinstance(use.ctx, ast.Load):
                if use.id in node.inner.bound and use.id not in made:
                    raise ShrinkError(f"line {use.lineno}: {use.id} in a class body that makes it later")
        made.update(bound_name(n) for n in inside)
