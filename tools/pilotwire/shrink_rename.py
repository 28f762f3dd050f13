"""Puts new names into the trees, and notes what each stands for."""

import ast

from pilotwire.shrink_names import ANYWHERE
from pilotwire.shrink_program import STOCK
from pilotwire.shrink_scopes import bound_name


def rename(names):
    """Change all trees as `names` says. Returns (files, attributes) for the map: see shrink_map.

    Everything is looked up first and changed afterwards: a tree that is half changed says nothing.
    """
    nodes = names.program.all_nodes
    todo = [change for node in nodes for change in changes(names, node)]
    known = _files(names), _attributes(names)
    for node, field, value in todo:
        setattr(node, field, value)
    return known


def _variable(names, node, name):
    """New name of the variable `name` as seen at this node."""
    scope = node.scope.resolve(name)
    if scope is None:
        return name
    if scope.kind == "function":
        return names.argument(scope, name)
    return names.short.get(names.thing(names.program.variable(scope, name)), name)


def changes(names, node):
    """(node, field, new value) of what is to be changed in one node."""
    if isinstance(node, ast.Name):
        yield node, "id", _variable(names, node, node.id)
    elif isinstance(node, ast.arg):
        yield node, "arg", _variable(names, node, node.arg)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node, "name", _variable(names, node, node.name)
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node, "name", _variable(names, node, node.name)
    elif isinstance(node, (ast.Global, ast.Nonlocal)):
        yield node, "names", [_variable(names, node, name) for name in node.names]
    elif isinstance(node, ast.Attribute):
        target = names.program.attribute(node)
        yield node, "attr", names.short.get(names.thing(target), node.attr)
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            yield from _import_changes(names, node, alias)


def _import_changes(names, node, alias):
    target = names.program.imported(node, alias)
    new_bound = _variable(names, alias, bound_name(alias))
    new_name = alias.name
    if target != STOCK and target[0] == "global":
        new_name = names.short.get(names.thing(target), alias.name)
    dotted = isinstance(node, ast.Import) and "." in new_name
    plain = new_bound == new_name or dotted and not alias.asname
    yield alias, "name", new_name
    yield alias, "asname", None if plain else new_bound


def _files(names):
    """{module: {"functions": {short: [where it is]}, "globals": {short: name}}}."""
    found = {
        name: {"functions": {}, "globals": {}} for name in names.program.modules
    }
    for node in names.program.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        functions = found[node.file.name]["functions"]
        functions.setdefault(_variable(names, node, node.name), []).append(_place(node))
    for thing, short in names.short.items():
        if thing[0] == "global":
            found[thing[1]]["globals"][short] = thing[2]
    return found


def _place(node):
    """path: Class.function, in the sources."""
    path, name = node.origin
    if node.scope.kind == "class":
        name = node.scope.node.origin[1] + "." + name
    return f"{path}: {name}"


def _attributes(names):
    """{short: [Class.name, ...]}; without a class where it may be in any."""
    found = {}
    for thing, short in names.short.items():
        if thing[0] != "attr":
            continue
        classes = [
            node.origin[1] for node, group in names.groups.items() if group in names.spaces[thing]
        ]
        if ANYWHERE in names.spaces[thing] or not classes:
            classes = ["?"]
        found.setdefault(short, []).extend(f"{name}.{thing[1]}" for name in classes)
    return found
