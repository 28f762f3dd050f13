"""Modules that are always loaded together become one at build time, and run as they did before."""

import pytest

from pilotwire.shrink import shrink
from pilotwire.shrink_scopes import ShrinkError
from shrink_pair import play, run, write


def test_unit_runs_its_modules_in_their_order_and_keeps_their_globals_apart(tmp_path):
    shrunk = play(tmp_path, {
        "app/__init__.py": "",
        "app/low.py": 'print("low")\n_state = ["low"]\ndef tell(): return _state\n',
        "app/middle.py": """
            from app import low as below
            print("middle")
            _state = ["middle"] + below.tell()
            class Middle:
                kept = below.tell
                def tell(self): return _state, below._state
            """,
        "app/top.py": """
            from .middle import Middle as M
            from app.low import tell as low_tell
            print("top")
            _state = ["top"]
            def tell(): return _state, M().tell(), low_tell()
            """,
        "main.py": "from app.top import tell\nprint(tell())\n",
    }, units=[("app.top",)])
    assert sorted(shrunk.texts) == ["app/__init__.py", "app/top.py", "main.py"]
    assert "from app" not in shrunk.texts["app/top.py"]


def test_module_that_a_function_imports_stays_apart_until_it_is_wanted(tmp_path):
    shrunk = play(tmp_path, {
        "base.py": "level = [4]\n",
        "late.py": 'import base\nprint("late")\ndef tell(): return base.level\n',
        "top.py": """
            import base
            print("top")
            def tell():
                from late import tell as late_tell
                return late_tell(), base.level
            """,
        "main.py": "import top\nprint(top.tell())\n",
    }, units=[("top",)])
    assert sorted(shrunk.texts) == ["late.py", "main.py", "top.py"]


def test_module_that_is_loaded_by_its_name_or_handed_around_stays_apart(tmp_path):
    shrunk = play(tmp_path, {
        "app/__init__.py": "",
        "app/once.py": """
            import sys
            def call(module, function):
                name = "app." + module
                try:
                    return getattr(__import__(name, None, None, (function,)), function)()
                finally:
                    del sys.modules[name]
            """,
        "app/rare.py": 'print("rare")\ndef frames(): return [1]\n',
        "app/drives/__init__.py": """
            def found(letter):
                return __import__("app.drives." + letter, None, None, ("Drive",)).Drive.name
            """,
        "app/drives/a.py": "class Drive: name = ['a']\n",
        "app/texts.py": 'READY = ["ready"]\n',
        "app/top.py": """
            from app import once, rare, texts
            from app.drives import found
            from app.drives.a import Drive
            def show(table): return table.READY
            def tell():
                return once.call("rare", "frames"), rare.frames(), show(texts), Drive.name, found("a")
            """,
        "main.py": "from app import top, once\nprint(top.tell())\n",
    }, units=[("app.top",)])
    assert set(shrunk.texts) == {
        "app/__init__.py", "app/drives/__init__.py", "app/drives/a.py", "app/once.py", "app/rare.py",
        "app/texts.py", "app/top.py", "main.py",
    }


def test_stock_imports_of_a_unit_do_not_hide_one_another_nor_builtins(tmp_path):
    shrunk = play(tmp_path, {
        "one.py": """
            from json import dumps as sum
            import sys
            def one(): return sum([1]), len(sys.path) > 0
            """,
        "two.py": "from json import loads as value\nimport sys\ndef two(): return value('[2]')\n",
        "three.py": "from json import dumps as value\ndef three(): return value([3]), sum([3, 4])\n",
        "top.py": """
            from one import one
            from two import two
            from three import three
            import sys
            def tell(): return one(), two(), three(), len(sys.path) > 0
            """,
        "main.py": "import top\nprint(top.tell())\n",
    }, units=[("top",)])
    assert shrunk.texts["top.py"].count("import sys") == 1


def test_two_units_share_what_the_first_one_has(tmp_path):
    shrunk = play(tmp_path, {
        "base.py": 'print("base")\nclass Base:\n    def __init__(self): self.kept = [1]\n',
        "first.py": "from base import Base\ndef later():\n    import second\n    return second.tell()\n",
        "second.py": "import base, third\ndef tell(): return base.Base().kept, third.more()\n",
        "third.py": "def more(): return [2]\n",
        "main.py": "import first\nprint(first.later(), first.Base().kept)\n",
    }, units=[("first",), ("second",)])
    assert sorted(shrunk.texts) == ["first.py", "main.py", "second.py"]


def test_late_unit_holds_two_modules_and_leaves_what_others_need_without_it(tmp_path):
    shrunk = play(tmp_path, {
        "top.py": """
            def tell():
                import link
                from speaker import say
                return link.words(), say()
            def record():
                from report import report
                return report()
            """,
        "link.py": 'import wire\nprint("link")\ndef words(): return wire.sent\n',
        "speaker.py": """
            import numbers_, digits, link
            print(link.words())
            def say(): return numbers_.amps(5), digits.ten
            """,
        "wire.py": "sent = [1]\n",
        "numbers_.py": "from digits import ten\ndef amps(ma): return [ma] + ten\n",
        "digits.py": "ten = [10]\n",
        "report.py": "import numbers_\nprint('report')\ndef report(): return numbers_.amps(6)\n",
        "main.py": "import top\nprint(top.record(), top.tell())\n",
    }, units=[("top",), ("link", "speaker")])
    assert sorted(shrunk.texts) == [
        "digits.py", "link.py", "main.py", "numbers_.py", "report.py", "top.py",
    ]


def test_modules_that_need_a_unit_before_it_is_complete_are_refused(tmp_path):
    write(tmp_path, {
        "app/__init__.py": "",
        "app/low.py": "def low(): return [1]\n",
        "app/apart.py": "from app.low import low\n",
        "app/top.py": "from app.low import low\nfrom app import apart\nuse = low, apart.low\n",
        "main.py": 'import app.top as top\n__import__("app.apart")\nprint(top.use)\n',
    })
    with pytest.raises(ShrinkError, match="import one another"):
        shrink(tmp_path, units=[("app.top",)])


def test_modules_of_a_unit_that_import_one_another_are_refused(tmp_path):
    write(tmp_path, {
        "one.py": "import two\ndef one(): return 1\ndef both(): return one(), two.two()\n",
        "two.py": "import one\ndef two(): return one.one()\n",
        "main.py": "import one as top\nprint(top.both())\n",
    })
    with pytest.raises(ShrinkError, match="import one another"):
        shrink(tmp_path, units=[("one",)])


@pytest.mark.parametrize(("second", "words"), [("zwei", "no module zwei"), ("two", "stay apart")])
def test_unit_that_cannot_be_is_refused(tmp_path, second, words):
    write(tmp_path, {
        "one.py": "def one(): return [1]\n",
        "two.py": "def two(): return [2]\n",
        "main.py": 'import one\nprint(one.one(), __import__("two").two())\n',
    })
    with pytest.raises(ShrinkError, match=words):
        shrink(tmp_path, units=[("one", second)])


def test_file_that_looks_into_a_module_of_a_unit_finds_it_there(tmp_path):
    guest = tmp_path / "look.py"
    guest.write_text("from app import low\nlow.count = [9]\nprint(low.tell())\n")
    files = {
        "app/__init__.py": "",
        "app/low.py": "count = [1]\ndef tell(): return count\n",
        "app/top.py": "from app.low import tell\n",
        "main.py": "from app.top import tell\nprint(tell())\n",
    }
    shrunk = play(tmp_path, files, units=[("app.top",)], guests=[guest])
    (tmp_path / "after/main.py").write_text(shrunk.guests[guest])
    assert run(tmp_path / "after") == "[9]\n"
