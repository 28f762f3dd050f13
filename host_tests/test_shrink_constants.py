"""Constants become literals at build time, and what nothing uses any more goes."""

import pytest

from shrink_pair import play

USES = {
    "from import": ("from app.states import PAUSED", "PAUSED"),
    "from import as": ("from app.states import PAUSED as P", "P"),
    "module": ("import app.states as seq", "seq.PAUSED"),
    "module of a package": ("from app import states", "states.PAUSED"),
    "relative": ("from .states import PAUSED", "PAUSED"),
    "through another": ("from app import third", "third.PAUSED"),
}


@pytest.mark.parametrize("how", USES)
def test_constant_of_another_module_becomes_its_literal(tmp_path, how):
    statement, use = USES[how]
    shrunk = play(tmp_path, {
        "app/__init__.py": "",
        "app/states.py": """
            from micropython import const
            FREE = const(7)
            PAUSED = const(-FREE << 2)
            """,
        "app/third.py": "from app.states import PAUSED\n",
        "app/user.py": f"{statement}\ndef why(x):\n    return x - {use}\n",
        "main.py": "from app import user\nprint(user.why(1))\n",
    })
    assert shrunk.said == "29\n"
    assert "- -28" in shrunk.texts["app/user.py"]
    assert "import" not in shrunk.texts["app/user.py"]
    assert shrunk.texts["app/states.py"].strip() == ""  # and nothing of it is left in memory


@pytest.mark.parametrize("values", ["range(3)", "range(0, 6, 2)", "1, 2, 4", 'b"WAT"', "0x10, 1, -1"])
def test_constants_that_are_bound_together_become_literals(tmp_path, values):
    shrunk = play(tmp_path, {
        "one.py": f"A, B, C = {values}\ndef all_of():\n    return [A, B, C]\n",
        "main.py": "import one\nprint(one.all_of(), one.C)\n",
    })
    assert " = " not in shrunk.texts["one.py"]


def test_negative_constant_stays_one_number(tmp_path):
    shrunk = play(tmp_path, {
        "one.py": "LOW = -3\ndef square(): return LOW ** 2, 2 - LOW, -LOW\n",
        "main.py": "import one\nprint(one.square())\n",
    })
    assert shrunk.said == "(9, 5, 3)\n"


def test_constants_that_are_no_numbers(tmp_path):
    shrunk = play(tmp_path, {
        "one.py": """
            from micropython import const
            DEBUG, NOTHING, SHORT = const(False), None, "kept"
            LONG, HALF, MANY, BYTES = "longer than ten", 0.5, [1], b"abc"
            def tell():
                return DEBUG, NOTHING, SHORT, LONG, HALF, MANY, BYTES
            """,
        "main.py": "import one\nprint(one.tell())\n",
    })
    text = shrunk.texts["one.py"]
    assert "(False, None, 'kept', " in text
    assert "'kept', 'longer" not in text and "0.5, " not in text.split("return")[1]


# Each is a program in which something like a constant is none.
NO_CONSTANT = {
    "bound twice": """
        LIMIT = 1
        def early(): return LIMIT
        seen = early()
        LIMIT = 2
        def tell(): return seen, LIMIT
        """,
    "changed in place": """
        LIMIT = 1
        LIMIT += 4
        def tell(): return LIMIT
        """,
    "changed by a function": """
        LIMIT = 1
        def tell():
            global LIMIT
            LIMIT = 3
            return LIMIT, again()
        def again(): return LIMIT
        """,
    "only perhaps": """
        LIMIT = 1
        if tuple() == ():
            LIMIT = 2
        for LIMIT in (5, 6): pass
        def tell(): return LIMIT
        """,
    "deleted": """
        LIMIT = 1
        def tell():
            try:
                return LIMIT
            except NameError:
                return "gone"
        del LIMIT
        """,
    "hidden by a local": """
        LIMIT = 1
        def tell(): return local(), given(2), [LIMIT for LIMIT in range(2)], LIMIT
        def local():
            LIMIT = 3
            return LIMIT
        def given(LIMIT): return LIMIT
        """,
    "hidden by a class": """
        LIMIT = 1
        class Thing:
            LIMIT = 2
            mine = LIMIT
            def method(self): return LIMIT, self.LIMIT
        def tell(): return Thing.mine, Thing().method()
        """,
    "made by a range that is none": """
        def range(n): return 7, 8
        LIMIT, MORE = range(2)
        def tell(): return LIMIT, MORE
        """,
}


@pytest.mark.parametrize("why", NO_CONSTANT)
def test_what_is_no_constant_everywhere_stays_what_it_is(tmp_path, why):
    play(tmp_path, {"one.py": NO_CONSTANT[why], "main.py": "import one\nprint(one.tell())\n"})


@pytest.mark.parametrize("value", ["5 // ZERO", "5 % ZERO", "1 << -1", "1 << 'a'"])
def test_what_cannot_be_worked_out_is_left_to_the_device(tmp_path, value):
    play(tmp_path, {
        "one.py": f"ZERO = 0\nLIMIT = {value}\ndef tell(): return LIMIT\n",
        "main.py": """
            try:
                import one
                print(one.tell())
            except Exception as error:
                print(type(error).__name__)
            """,
    })


def test_global_that_another_module_sets_is_no_constant(tmp_path):
    play(tmp_path, {
        "one.py": "LIMIT = 1\ndef tell(): return LIMIT\n",
        "main.py": "import one\none.LIMIT = 9\nprint(one.tell())\n",
    })


def test_global_of_a_module_that_is_handed_around_and_set_is_no_constant(tmp_path):
    play(tmp_path, {
        "one.py": "LIMIT = 1\ndef tell(): return LIMIT\n",
        "two.py": "def change(module):\n    module.LIMIT = 9\n",
        "main.py": "import one, two\ntwo.change(one)\nprint(one.tell())\n",
    })


def test_table_of_texts_that_is_handed_around_is_read_by_its_names(tmp_path):
    shrunk = play(tmp_path, {
        "texts.py": 'READY, BUSY = range(2)\nUP_TO = "Up to"\nTITLES = ("READY", "BUSY")\n',
        "show.py": "def page(texts): return texts.UP_TO, texts.TITLES[texts.BUSY]\n",
        "main.py": "import texts, show\nprint(show.page(texts))\n",
    })
    assert "0" not in shrunk.texts["texts.py"]  # READY is looked up by nobody


def test_global_that_is_looked_up_by_a_word_stays(tmp_path):
    shrunk = play(tmp_path, {
        "app/__init__.py": "",
        "app/limits.py": """
            from micropython import const
            TOP = 5
            LOW = const(1)
            def sum(): return TOP + LOW
            """,
        "main.py": """
            module = __import__("app.limits", None, None, ("sum",))
            print(getattr(module, "TOP"), getattr(module, "LOW"), module.sum())
            """,
    })
    assert "TOP +" in shrunk.texts["app/limits.py"]


def test_import_that_does_something_stays(tmp_path):
    shrunk = play(tmp_path, {
        "loud.py": 'LEVEL = 3\nprint("loaded")\n',
        "one.py": "from loud import LEVEL\nimport library\ndef tell(): return LEVEL\n",
        "main.py": "import one\nprint(one.tell())\n",
    }, library={"library.py": 'print("library")\n'})
    assert shrunk.said == "loaded\nlibrary\n3\n"


def test_what_nothing_uses_goes(tmp_path):
    shrunk = play(tmp_path, {
        "one.py": '''
            """What it is."""
            from two import other
            def helper():
                """Used by what is not used."""
            def unused():
                return helper()
            class Thing:
                """What it is."""
                def used(self):
                    """Only this."""
                def drop(self):
                    return self.drop_too()
                def drop_too(self):
                    return other
                def getvalue(self):
                    return "stock names may be asked for"
                def by_word(self):
                    return 1
            ''',
        "two.py": "def other(): pass\n",
        "main.py": """
            from one import Thing
            print(Thing().used(), getattr(Thing(), "by_word")())
            """,
    })
    text = shrunk.texts["one.py"]
    assert text.count("def ") == 3 and "getvalue" in text and "by_word" in text
    assert "import" not in text and '"""' not in text and "What" not in text
