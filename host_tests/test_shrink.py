"""Short names at build time: a program says the same with them, however it finds its attributes."""

import re

from shrink_pair import left, play


def test_what_a_program_defines_gets_short_names_and_the_same_ones_again(tmp_path):
    shrunk = play(tmp_path, {
        "one.py": """
            zz_count = [1]
            def zz_double(zz_value):
                return zz_value * 2
            class ZzThing:
                def __init__(self, zz_start):
                    self.zz_first = zz_start
                def zz_step(self):
                    self.zz_first += zz_count[0]
                    return self.zz_first
            """,
        "two.py": """
            class ZzOther:
                def __init__(self):
                    self.zz_second = 5
                def zz_walk(self):
                    return self.zz_second
            """,
        "main.py": """
            import one
            from two import ZzOther
            thing = one.ZzThing(one.zz_double(4))
            print(thing.zz_step(), thing.zz_step(), ZzOther().zz_walk())
            """,
    })
    assert shrunk.said == "9 10 5\n"
    assert not left(shrunk, "one.py") | left(shrunk, "two.py")
    first, second = (re.search(r"\.(\w+) = ", shrunk.texts[f])[1] for f in ("one.py", "two.py"))
    assert first == second  # no class has both


def test_attribute_that_is_looked_up_by_a_word_keeps_its_name(tmp_path):
    shrunk = play(tmp_path, {
        "panel.py": """
            WATCHED = ("zz_mode", "zz_why")
            class Panel:
                def __init__(self):
                    self.zz_mode, self.zz_why, self.zz_other = 1, 2, 3
            def seen(panel):
                return [getattr(panel, name) for name in WATCHED] + [panel.zz_other]
            """,
        "main.py": "import panel\nprint(panel.seen(panel.Panel()))\n",
    })
    assert left(shrunk, "panel.py") == {"zz_mode", "zz_why"}


def test_attributes_that_are_looked_up_by_a_path_keep_their_names(tmp_path):
    shrunk = play(tmp_path, {
        "one.py": """
            class Zz:
                def __init__(self, depth):
                    self.zz_inner = Zz(0) if depth else None
                    self.zz_level = depth
            def found(thing):
                for name in "zz_inner.zz_level".split("."):
                    thing = getattr(thing, name)
                return thing
            """,
        "main.py": "import one\nprint(one.found(one.Zz(1)))\n",
    })
    assert left(shrunk, "one.py") == {"zz_inner", "zz_level"}


def test_fields_of_a_named_tuple_keep_their_names(tmp_path):
    play(tmp_path, {
        "one.py": """
            from collections import namedtuple
            Pair = namedtuple("Pair", "zz_low zz_high")
            class Thing:
                def __init__(self):
                    self.zz_high = 3
            def tell():
                return Pair(1, 2).zz_high, Thing().zz_high
            """,
        "main.py": "import one\nprint(one.tell())\n",
    })


def test_function_of_a_module_whose_name_is_put_together_stays_and_keeps_its_name(tmp_path):
    shrunk = play(tmp_path, {
        "app/__init__.py": "",
        "app/say/__init__.py": "",
        "app/say/zz_en.py": "def zz_words(): return 'yes'\n",
        "app/say/zz_de.py": "def zz_words(): return 'ja'\n",
        "main.py": """
            def call(module, function):
                return getattr(__import__("app." + module, None, None, (function,)), function)()
            for language in ("en", "de"):
                print(call("say.zz_" + language, "zz_words"))
            """,
    })
    assert left(shrunk, "app/say/zz_de.py") == {"zz_words"}


def test_driver_that_is_loaded_by_a_name_from_outside_keeps_its_class(tmp_path):
    shrunk = play(tmp_path, {
        "app/__init__.py": "",
        "app/drives/__init__.py": """
            def drive(spec):
                return __import__("app.drives." + spec["zz"], None, None, ("ZzDrive",)).ZzDrive
            """,
        "app/drives/fast.py": "class ZzDrive: level = [1]\n",
        "main.py": "import sys\nfrom app.drives import drive\n"
        "print(drive({'zz': 'fa' + 'st'}).level)\n",
    })
    assert left(shrunk, "app/drives/fast.py") == {"ZzDrive"}


def test_function_of_a_module_that_is_loaded_by_a_word_keeps_its_name(tmp_path):
    shrunk = play(tmp_path, {
        "app/__init__.py": "",
        "app/once.py": """
            def call(module, function):
                return getattr(__import__("app." + module, None, None, (function,)), function)()
            """,
        "app/zz_setup.py": "def zz_frames(): return zz_helper() + 1\ndef zz_helper(): return 2\n",
        "main.py": 'from app import once\nprint(once.call("zz_setup", "zz_frames"))\n',
    })
    assert left(shrunk, "app/zz_setup.py") == {"zz_frames"}


def test_attribute_that_stock_objects_have_too_keeps_its_name(tmp_path):
    play(tmp_path, {
        "wire.py": """
            import io
            class Wire:
                def __init__(self):
                    self.taken = []
                def write(self, data):
                    self.taken.append(data)
                def getvalue(self):
                    return self.taken
            def speak(out):
                out.write("hello")
                return out.getvalue()
            """,
        "main.py": "import io, wire\nprint(wire.speak(wire.Wire()), wire.speak(io.StringIO()))\n",
    })


def test_names_of_the_library_that_a_class_extends_are_kept(tmp_path):
    shrunk = play(
        tmp_path,
        {
            "link.py": """
                from zzlib import Client
                class Link(Client):
                    def __init__(self):
                        super().__init__()
                        self.zz_pid = 7
                        self._own = 1
                    def zz_wait(self):
                        return 40 + self._own
                """,
            "main.py": "from link import Link\nprint(Link().zz_send())\n",
        },
        library={"zzlib.py": """
            class Client:
                def __init__(self):
                    self.zz_pid = 0
                def zz_send(self):
                    return self.zz_pid, self.zz_wait()
            """},
    )
    assert {"zz_pid", "zz_wait"} <= left(shrunk, "link.py")


def test_private_names_of_a_base_and_of_a_class_in_another_file_do_not_meet(tmp_path):
    play(tmp_path, {
        "ring.py": """
            class Ring:
                def __init__(self):
                    self._head = "head"
                def show(self):
                    return self._head + self._tail() + self._mark
            """,
        "journal.py": """
            import ring as base
            class Journal(base.Ring):
                _mark = "mark"
                def __init__(self):
                    super().__init__()
                    self._stage = "stage"
                def _tail(self):
                    return self._stage
            """,
        "main.py": "import journal\nprint(journal.Journal().show())\n",
    })


def test_attribute_set_from_outside_meets_none_that_the_object_has(tmp_path):
    play(tmp_path, {
        "bags.py": """
            class Bag:
                def __init__(self):
                    self.zz_a = self.zz_b = self.zz_c = self.zz_d = self.zz_e = "inside"
                def all(self):
                    return self.zz_a, self.zz_b, self.zz_c, self.zz_d, self.zz_e
            class Sack:
                def __init__(self):
                    self.zz_filling = "its own"
                def swap(self, bag):
                    self = bag
                    self.zz_swapped = "swapped"
                @staticmethod
                def mark(bag):
                    bag.zz_marked = "marked"
            def fill(bag):
                bag.zz_filling = "filled"
                Sack().swap(bag)
                Sack.mark(bag)
            """,
        "main.py": """
            import bags
            bag = bags.Bag()
            bags.fill(bag)
            print(bag.all(), bag.zz_filling, bag.zz_swapped, bag.zz_marked, bags.Sack().zz_filling)
            """,
    })


def test_method_that_a_class_borrows_from_another_finds_its_names(tmp_path):
    play(tmp_path, {
        "one.py": """
            class Lender:
                def __init__(self):
                    self.z_value = 1
                def keep(self):
                    self.a_kept = 2
                def look(self):
                    return self.a_kept
            class Borrower:
                keep = Lender.keep
                def __init__(self):
                    self.b_value = 3
                def look(self):
                    return self.b_value, Lender.look(self)
            """,
        "main.py": "from one import Borrower\nb = Borrower()\nb.keep()\nprint(b.look())\n",
    })


def test_attribute_that_may_be_missing_is_not_taken_for_another(tmp_path):
    play(tmp_path, {
        "one.py": """
            class Old:
                def __init__(self):
                    self.zz_level = 1
            class New:
                def __init__(self):
                    self.zz_depth = self.depth_mm = 2
            def depth_of(thing):
                try:
                    return thing.zz_depth
                except AttributeError:
                    return "none"
            def has_depth(thing):
                return hasattr(thing, "depth_mm")
            """,
        "main.py": """
            from one import New, Old, depth_of, has_depth
            print(depth_of(New()), depth_of(Old()), has_depth(New()), has_depth(Old()))
            """,
    })


def test_globals_of_modules_that_are_handed_around_are_found_and_do_not_meet(tmp_path):
    play(tmp_path, {
        "deep.py": 'zz_a, zz_b = ["alpha"], ["beta"]\n',
        "texts.py": 'import deep\nREADY = ["ready"]\n',
        "other.py": 'READY = ["fertig"]\n',
        "show.py": """
            class Alpha:
                def __init__(self): self.zz_a = 1
            class Beta:
                def __init__(self): self.zz_b = 2
            def show(texts):
                return texts.READY, texts.deep.zz_a, texts.deep.zz_b, Alpha().zz_a, Beta().zz_b
            def chosen(second):
                import texts as table
                if second:
                    import other as table
                return table.READY
            """,
        "main.py": "import texts, show\nprint(show.show(texts), show.chosen(0), show.chosen(1))\n",
    })
