"""What only the start needs is gone after it, and nothing that somebody can still reach."""

import pytest

from shrink_pair import play

# ZzPart is made at the start, where {start} runs too; main.py prints what {later} gives.
STATION = """
class ZzPart:
    def __init__(self):
        self.zz_five = zz_helped() + zz_helped() - 5
    def zz_asked(self):
        return self.zz_five
def zz_helped():
    return 5
{top}
class ZzCharger:
    def __init__(self):
        self.zz_part = ZzPart()
        {start}
    def open_link(self):
        pass
    def run(self):
        {later}
"""
MAIN = "from pilotwire import begin\nprint(begin.zz_begin().run())\n"
BEGIN = """
    from pilotwire import shed
    from pilotwire.station import ZzCharger
    def zz_begin():
        charger = ZzCharger()
        shed.after_parts()
        charger.open_link()
        shed.after_link()
        return charger
    """


def gone(tmp_path, later, *, start="", top="", library=None, **more):
    """What shed.py takes away: (how many __init__, how many other functions)."""
    text = STATION.format(later=later, start=start, top=top)
    shrunk = play(tmp_path, {
        "pilotwire/__init__.py": "",
        "pilotwire/shed.py": "def after_parts(): pass\ndef after_link(): pass\n",
        "pilotwire/station.py": text,
        "pilotwire/begin.py": BEGIN,
        "main.py": MAIN,
        **{f"pilotwire/{name}.py": source for name, source in more.items()},
    }, library=library)
    assert shrunk.said == "5\n"
    taken = [line for line in shrunk.texts["pilotwire/shed.py"].split("\n") if line.endswith("= None")]
    targets = [target for line in taken for target in line.split(" = ")[:-1]]
    starts = sum(target.endswith("__init__") for target in targets)
    return starts, len(targets) - starts


def test_what_is_made_once_loses_its_init_and_what_only_that_calls(tmp_path):
    # Of ZzCharger and ZzPart; zz_helped, zz_begin and open_link.
    assert gone(tmp_path, "return self.zz_part.zz_asked()") == (2, 3)


def test_method_that_nothing_calls_later_goes(tmp_path):
    twice = "self.zz_seen = self.zz_part.zz_asked(), self.zz_part.zz_asked()"
    assert gone(tmp_path, "return self.zz_seen[0]", start=twice) == (2, 4)


@pytest.mark.parametrize("way", [
    {"later": "return ZzPart().zz_five"},
    {"later": "return self.zz_kind().zz_five", "start": "self.zz_kind = ZzPart"},
    {"later": "return zz_kinds[0]().zz_five", "top": "zz_kinds = [ZzPart]"},
    {"later": "return self.zz_kinds[0]().zz_five", "start": "self.zz_kinds = {0: ZzPart}"},
    {"later": "return ZzMore().zz_five", "top": "class ZzMore(ZzPart): pass"},
    {"later": "return zz_more().zz_five", "top": "def zz_more(): return ZzPart()"},
    {"later": "return [ZzPart() for _ in range(1)][0].zz_five"},
    {"later": "return getattr(self, 'zz_more')()\n    def zz_more(self): return ZzPart().zz_five"},
    {"later": "return getattr(self, self.zz_name)()\n    def zz_more(self): return ZzPart().zz_five",
     "start": "self.zz_name = 'zz_more'"},
])
def test_init_of_what_is_made_later_too_stays(tmp_path, way):
    assert gone(tmp_path, **way)[0] == 1  # of ZzCharger only


def test_method_that_was_kept_at_the_start_stays_with_all_that_it_calls(tmp_path):
    assert gone(
        tmp_path, "return self.zz_stages[0]()", start="self.zz_stages = (self.zz_serve,)\n"
        "    def zz_serve(self):\n        return zz_helped()",
    ) == (2, 2)  # zz_begin and open_link


def test_module_that_is_loaded_by_its_name_later_finds_all_that_it_uses(tmp_path):
    assert gone(
        tmp_path, "return getattr(__import__('pilotwire.rare', None, None, ('zz_rare',)), 'zz_rare')()",
        rare="""
            from pilotwire.station import ZzPart
            def zz_rare():
                return ZzPart().zz_five
            """,
    )[0] == 1


def test_method_that_a_library_calls_stays(tmp_path):
    assert gone(
        tmp_path, "import zzlib; return zzlib.zz_use(self)\n"
        "    def zz_called(self):\n        return ZzPart().zz_five",
        library={"zzlib.py": "def zz_use(thing): return thing.zz_called()\n"},
    )[0] == 1


def test_module_that_this_board_has_not_loaded_stays_away(tmp_path):
    assert gone(
        tmp_path, "return self.zz_part.zz_asked()",
        start="""if not self.zz_part:
            from pilotwire.lazy import ZzLazy
            ZzLazy()""",
        lazy="""
            print("lazy is loaded")
            class ZzLazy:
                def __init__(self):
                    pass
            """,
    ) == (3, 3)
