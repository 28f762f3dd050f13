"""What goes with short names: who looks in, who reads them back, and what is refused."""

import re
import subprocess

import pytest

from pilotwire import mpy
from pilotwire.device_build import mpy_cross
from pilotwire.shrink import shrink, stock_names
from pilotwire.shrink_map import translate
from pilotwire.shrink_scopes import ShrinkError
from shrink_pair import OWN, play, run, write


def compiled(folder, shrunk, name):
    """The .mpy of one file of a shrunk program, beside the others."""
    after = write(folder / "after", shrunk.texts)
    subprocess.run([mpy_cross(), "-O3", "-s", shrunk.tags[name], str(after / name)], check=True)
    (after / name).unlink()
    return (after / name).with_suffix(".mpy")


def test_file_that_looks_into_the_program_gets_the_new_names(tmp_path):
    guest = tmp_path / "look.py"
    guest.write_text("import one\none.zz_read = lambda: 5\nprint(one.ZzThing().zz_value())\n")
    shrunk = play(tmp_path, {
        "one.py": """
            def zz_read():
                return 4
            class ZzThing:
                def zz_value(self):
                    return zz_read()
            """,
        "main.py": "import one\nprint(one.ZzThing().zz_value())\n",
    }, guests=[guest])
    assert not OWN.findall(shrunk.guests[guest])
    (tmp_path / "after/main.py").write_text(shrunk.guests[guest])
    assert run(tmp_path / "after") == "5\n"


def test_traceback_of_a_device_is_read_back(tmp_path):
    files = {
        "one.py": """
            class First:
                def deep(self):
                    return helper({}[1])
            class Second:
                def deep_too(self):
                    return First().deep() or First().deep()  # twice: else it would stand here
            def helper(value):
                return value
            """,
        "main.py": "import one\none.Second().deep_too()\n",
    }
    shrunk = shrink(write(tmp_path / "before", files), units=())
    said = run(compiled(tmp_path, shrunk, "one.py").parent)
    assert "First" not in said and "one.py" not in said
    frames = re.findall(r"File .*", translate(said, shrunk.names))
    assert frames[1:] == ['File "one.py", in Second.deep_too', 'File "one.py", in First.deep']


def test_message_about_an_attribute_is_read_back(tmp_path):
    files = {
        "one.py": "class Thing:\n    def __init__(self):\n        self.zz_level = 1\n",
        "main.py": "from one import Thing\nprint(Thing().zz_level)\n",
    }
    shrunk = play(tmp_path, files)
    short = re.search(r"\.(\w+) = 1", shrunk.texts["one.py"])[1]
    said = f"AttributeError: 'NoneType' object has no attribute '{short}'"
    assert translate(said, shrunk.names).endswith("attribute 'Thing.zz_level'")


@pytest.mark.parametrize(("source", "words"), [
    ("from os import *", "import *"),
    ("print(globals())", "globals"),
    ("class A:\n    __slots__ = ('b',)", "__slots__"),
    ("def f(base):\n    class A(base):\n        pass\nf(list)", "base class"),
    ("limit = 1\nclass A:\n    limit = limit", "makes it later"),
    ("def f(x):\n    return x.zz_nowhere\nf(1)", "nothing has .zz_nowhere"),
    ("x = [y := 1 for _ in ()]", ":="),
    ("import os\nmatch os:\n    case _:\n        pass", "match"),
    ("import pack.mod\nprint(pack.mod)", "without `as`"),
    ("from pack.mod import missing", "has no missing"),
    ("import pack.mod as m\nprint(m.missing)", "has no missing"),
])
def test_what_cannot_be_followed_is_refused(tmp_path, source, words):
    write(tmp_path, {"pack/__init__.py": "", "pack/mod.py": "", "one.py": ""})
    (tmp_path / "one.py").write_text(source + "\n")
    with pytest.raises(ShrinkError, match=re.escape(words)):
        shrink(tmp_path, units=())


def test_names_that_may_be_given_to_others_are_stock_names_of_the_chip():
    every, free = stock_names()
    assert every.issuperset(free) and len(free) == len(set(free)) > 200
    assert all(name.isupper() and name.isidentifier() for name in free)
    assert {"append", "readinto", "write_readinto", "getaddrinfo", "wait_msg", "_send_str"} <= every


def test_names_that_are_used_most_come_first_in_a_file(tmp_path):
    """The first 128 take one byte each time, the others two."""
    rare = "".join(f"    x.rare_{k} = {k}\n" for k in range(200))
    often = "".join(f"    x.zz_often.append({k})\n" for k in range(20))
    shrunk = play(tmp_path, {
        "one.py": "class Thing:\n    def __init__(self): self.zz_often = []\n"
        f"def fill(x):\n{rare}    return x\ndef use(x):\n{often}    return x.zz_often, x.rare_199\n",
        "main.py": "import one\nprint(one.use(one.fill(one.Thing())))\n",
    })
    often_now = re.search(r"\.(\w+)\.append\(", shrunk.texts["one.py"])[1]
    names = mpy.names(compiled(tmp_path, shrunk, "one.py"))
    assert len(names) > 200 and names.index(often_now) < 120


def test_what_is_no_mpy_file_is_said(tmp_path):
    (tmp_path / "x.mpy").write_bytes(b"M\x05\x00\x1f")
    with pytest.raises(mpy.MpyError, match="version 6"):
        mpy.names(tmp_path / "x.mpy")
