"""What is called at one place only is put there at build time, and the program says the same."""

import ast

import pytest

from shrink_pair import play


def functions(tmp_path, source, main="import one\none.zz_say()\n"):
    """How many functions the shrunk module has left."""
    shrunk = play(tmp_path, {"one.py": source, "main.py": main})
    return sum(isinstance(node, ast.FunctionDef) for node in ast.walk(ast.parse(shrunk.texts["one.py"])))


@pytest.mark.parametrize("body", [
    "zz_note(3)\n",  # nobody wants what it gives back
    "a = zz_first(3)\n    print(a)\n",
    "a, b = zz_pair(3)\n    print(b, a)\n",
    "return zz_loop(3)\n",  # its return stands in a loop
    "if zz_first(3) > 2: print('more')\n    else: print('less')\n",
    "if not zz_first(0) and True: print('none')\n",
    "for a in range(3):\n        zz_note(a)\n",
    "if zz_first(0): print('a')\n    elif zz_first2(1): print('b')\n",
    "print(1 + zz_one_line(2))\n",
    "a = 7\n    a = zz_first(a)\n    print(a)\n",
    "zz_note(print('first') or 4)\n",
    "zz_guard(1)\n    print('on')\n",
    "zz_guard(-1)\n    print('on')\n",
    "b = 1\n    zz_note(3)\n    print(b)\n",  # it has a b, too
    "a = 1\n    b = zz_deepest(a)\n    print(a, b)\n",  # it changes its own a
    "zz_deep(5)\n",  # it calls one, which calls one
])
def test_one_call_is_replaced_by_what_it_does(tmp_path, body):
    source = f"""
def zz_note(a):
    b = a * 2
    print("note", b)
def zz_first(a):
    if a < 1:
        return 0
    b = a
    if b < 5:
        return b + 10
    return b
def zz_first2(a):
    return a
def zz_pair(a):
    if a:
        return a, 1
    return 0, 0
def zz_loop(a):
    for b in range(10):
        if b == a:
            print("found")
            return b
    print("none")
def zz_one_line(a):
    return a * a
def zz_guard(a):
    if a < 0:
        print("negative")
        return
    print("positive")
def zz_deep(a):
    print("deep")
    b = zz_deeper(a + 1)
    print(b)
def zz_deeper(a):
    if a > 5:
        return zz_deepest(a)
    return 0
def zz_deepest(a):
    a += 1
    return a
def zz_say():
    {body}
"""
    # Those that nobody calls go too, as unused.
    assert functions(tmp_path, source) == 1


def test_methods_go_into_methods_of_their_class_also_where_others_have_the_same_name(tmp_path):
    assert functions(tmp_path, """
class ZzA:
    def __init__(self):
        self.zz_x = 1
    def zz_go(self):
        self.zz_part(2)
        return self.zz_x
    def zz_part(self, by):
        self.zz_x += by
class ZzB:
    def __init__(self):
        self.zz_x = 1
    def zz_walk(self):
        self.zz_part(3)
        return self.zz_x
    def zz_part(self, by):
        self.zz_x *= by
def zz_say():
    print(ZzA().zz_go(), ZzB().zz_walk())
""") == 5  # two __init__, zz_go, zz_walk and zz_say


@pytest.mark.parametrize(("definition", "body"), [
    ("def zz_f(a): return a", "print(zz_f(1), zz_f(2))"),  # twice
    ("def zz_f(a): return a", "print([zz_f(a) for a in (1, 2)])"),  # in a scope of its own
    ("def zz_f(a): return a", "print(list(map(zz_f, (1, 2))))"),  # handed on
    ("def zz_f(a=1): return a", "print(zz_f())"),
    ("def zz_f(*a): return a", "print(zz_f(1))"),
    ("def zz_f(a):\n    yield a\n    yield 5", "print(list(zz_f(1)))"),
    ("def zz_f(a): return (lambda: a)", "print(zz_f(1)())"),
    ("def zz_f(a):\n    for b in a:\n        return b", "c = zz_f((4, 5))\n    print(c)"),
    ("def zz_f(a):\n    try:\n        return a[0]\n    except IndexError:\n        return 9",
     "c = zz_f(())\n    print(c)"),
    ("def zz_f(a):\n    if a > 1:\n        if a > 2:\n            return 3\n"
     "        print('x')\n    return 4", "c = zz_f(2)\n    print(c)"),
    ("def zz_f(a): return zz_g + a\nzz_g = [5]", "zz_g = [1]\n    print(zz_f(zz_g))"),  # another zz_g
    ("def zz_f(a):\n    a.append(1)\n    return a", "print(5 if len([]) else zz_f([]))"),  # perhaps not
    ("class ZzBase:\n    def zz_f(self): return 1\nclass ZzMore(ZzBase):\n    def zz_f(self): return 2\n"
     "    def zz_h(self): return self.zz_f()\nclass ZzMost(ZzMore):\n    def zz_f(self): return 3",
     "print(ZzMost().zz_h())"),
])
def test_what_cannot_be_put_there_stays_a_function(tmp_path, definition, body):
    assert functions(tmp_path, f"{definition}\ndef zz_say():\n    {body}\n") >= 2


def test_function_that_is_found_by_a_word_stays(tmp_path):
    assert functions(tmp_path, """
class ZzA:
    def zz_word(self): return 5
    def zz_use(self): return self.zz_word()
def zz_say():
    print(ZzA().zz_use(), getattr(ZzA(), "zz_word")())
""") >= 2


def test_two_in_one_function_do_not_disturb_one_another(tmp_path):
    assert functions(tmp_path, """
def zz_a(n):
    c = n + 1
    d = c * 2
    return d
def zz_b(n):
    c = n - 1
    return c
def zz_say():
    x = zz_a(5)
    y = zz_b(x)
    if x >= zz_c(y):
        print(x, y)
def zz_c(n):
    d = n
    d += 1
    return d
""") == 2  # zz_c is not what the if works out first


@pytest.mark.parametrize(("part", "left"), [("decide", 2), ("tell", 1)])
def test_what_runs_in_each_tick_keeps_its_locals_off_the_heap(tmp_path, part, left):
    """With the other's locals zz_say would need more words than a call has on the stack."""
    path = f"pilotwire/{part}/one.py"
    shrunk = play(tmp_path, {
        "pilotwire/__init__.py": "",
        f"pilotwire/{part}/__init__.py": "",
        path: """
            def zz_say():
                a = [1]
                b = zz_other(a)
                print(a, b)
            def zz_other(a):
                c = d = e = f = g = h = i = a
                return c + d + e + f + g + h + i
            """,
        "main.py": f"from pilotwire.{part} import one\none.zz_say()\n",
    })
    tree = ast.parse(shrunk.texts[path])
    assert sum(isinstance(node, ast.FunctionDef) for node in ast.walk(tree)) == left
