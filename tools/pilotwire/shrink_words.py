"""Names that are found by a text when the program runs: getattr, once.call, __import__.

A name that is put together from parts is not known here: it must stand somewhere as a whole. A module's
may be begun by a text with a dot in it ("tell.faults_"); then every module that begins so is meant.
"""

import ast
import re

_WORDS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_LOADERS = ("call", "forget", "__import__")


def strings(program):
    """All texts in the program, but for docstrings."""
    return {
        node.value for node in program.nodes(ast.Constant)
        if isinstance(node.value, str) and not isinstance(node.parent, ast.Expr)
    }


def word_parts(text):
    """The words of a text that is nothing else: one, or some with dots between them."""
    plain = text.strip(".")
    return plain.split(".") if _WORDS.fullmatch(plain) else []


def words(program):
    """All words that stand as a whole in a string, dotted ones in parts."""
    found = {word for text in strings(program) for word in word_parts(text)}
    for node in program.nodes(ast.Call):
        if _called(node) == "namedtuple":
            found.update(word for text in _texts(node) for word in re.findall(r"\w+", text))
    return found


def _called(node):
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _texts(node):
    found = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return [text for text in found if isinstance(text, str)]


def _fits(text, module):
    """The text names the module, ends its name, or begins it or its end: "tell.faults_" + language."""
    plain = text.strip(".")
    if "." in plain:  # a part alone would begin too many, and the root everything
        return "." + text in "." + module
    return plain != "" and (module == plain or module.endswith("." + plain))


def modules_named(program, text):
    """The modules that a text may load."""
    return [name for name in program.modules if _fits(text, name)]


def lookups(program):
    """A function of (module, name): may this global be looked up by a word in a string?

    It may if the module can be had as an object: it is handed around, or some text fits its name.
    """
    known = words(program)
    texts = strings(program)
    reachable = program.escaped | {m for m in program.modules if any(_fits(t, m) for t in texts)}
    return lambda module, name: module.name in reachable and name in known


def loaded_by_name(program):
    """Modules whose name fits a text in a call of once or __import__, or any text with a dot in it."""
    texts = {text for text in strings(program) if "." in text.strip(".")}
    for node in program.nodes(ast.Call):
        if _called(node) in _LOADERS:
            texts.update(_texts(node))
    return {m for m in program.modules if any(_fits(text, m) for text in texts)}


def named_at_once(program):
    """The texts, as nodes, that once.py gets: it loads what they name, and lets the module go again."""
    return {
        part for node in program.nodes(ast.Call) if _called(node) in _LOADERS[:2]
        for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def identifiers(program):
    """Every name that is written anywhere in the program."""
    found = set()
    for node in program.all_nodes:
        for field in ("id", "attr", "arg", "name", "asname", "module"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                found.update(value.split("."))
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            found.update(node.names)
    return found
