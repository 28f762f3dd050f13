"""What people see on the display, read off an emulated SSD1306."""

import pytest

from display_desk import CHARGING, FAULT, at_desk


def lines(**panel):
    """The eight lines that a panel leads to, without their padding."""
    text = at_desk(f"out(show(**{panel!r}))")
    assert [len(line) for line in text] == [16] * 8
    return [line.rstrip() for line in text]


def test_available_says_plug_in_and_how_fast():
    assert lines() == [
        "READY", "Plug in the car", "", "Up to     16.0 A", "by this charger", "", "", "Online",
    ]  # fmt: skip


def test_charging_says_how_fast_how_much_what_cost_and_why_not_faster():
    assert lines(**CHARGING) == [
        "CHARGING",
        "10.9 kW   15.8 A",
        "12.34 kWh  1:23h",
        "Cost    4.32 EUR",
        "",
        "Up to     16.0 A",
        "by the cable",
        "Online",
    ]


def test_a_car_that_takes_less_than_offered_is_named_as_the_reason():
    assert lines(**{**CHARGING, "drawn_ma": 6000})[6] == "car takes less"


def test_without_a_tariff_no_cost_is_shown():
    assert "Cost" not in "".join(lines(**{**CHARGING, "cost_minor": -1}))


def test_a_long_session_still_fits():
    text = lines(**{**CHARGING, "session_wh": 123456, "charge_s": 359999, "cost_minor": 1234567})
    assert text[2:4] == ["123.4 kWh 99:59h", "Cost12345.67 EUR"]


def test_paused_keeps_what_was_charged_in_view():
    text = lines(**{**CHARGING, "mode": 4, "why": 3, "offered_ma": 0})
    assert text == [
        "PAUSED", "Paused by remote", "command", "", "by the cable", "12.34 kWh  1:23h",
        "Cost    4.32 EUR", "Online",
    ]  # fmt: skip


def test_a_rest_counts_down():
    assert lines(mode=2, why=5, wait_s=5)[4] == "Again in    0:05"
    assert lines(mode=2, why=5, wait_s=899)[4] == "Again in   14:59"


@pytest.mark.parametrize(
    "panel, line",
    [
        ({"link_up": False}, "Offline"),
        ({"link_up": False, "records_waiting": 12}, "Offline 12 kept"),
        ({"link_up": False, "records_waiting": 5000}, "Offline 999 kept"),
        ({"records_waiting": 3}, "3 to send"),
        ({"clock_ok": False}, "Clock not set"),
    ],
)
def test_the_last_line_says_how_the_link_is(panel, line):
    assert lines(**panel)[7] == line


def test_a_fault_says_code_what_is_wrong_what_to_do_and_how_long():
    assert lines(**FAULT, more_faults=1) == [
        "FAULT E1-3    +1",
        "Signal to car is",
        "unclear",
        "Wait, or unplug",
        "and plug in",
        "again",
        "Again in    0:59",
        "Online",
    ]


def test_a_short_fault_text_stands_apart_from_what_to_do():
    text = lines(**{**FAULT, "fault_text": "Too warm", "fault_do": "Wait", "wait_s": -1})
    assert text[1:7] == ["Too warm", "", "Wait", "", "", ""]


def test_a_warning_and_the_charging_page_take_turns():
    seen = at_desk(
        f"""
desk = Desk(**{CHARGING!r})
desk.run(2000)
desk.set(code_major=8, code_minor=1, fault_text="Energy meter silent", fault_do="Tell us")
titles = []
for _ in range(25):
    titles.append(desk.run(1000)[0].strip())
out(titles)
"""
    )
    assert set(seen) == {"NOTE E8-1", "CHARGING"}
    assert seen[0] == "NOTE E8-1"
    assert 14 <= seen.count("NOTE E8-1") <= 19


def test_a_fault_in_a_session_lets_its_energy_be_seen():
    seen = at_desk(
        f"""
desk = Desk(**{({**CHARGING, **FAULT})!r})
pages = []
for _ in range(12):
    pages.append([line.strip() for line in desk.run(1000)])
out(pages)
"""
    )
    stopped = [page for page in seen if page[0] == "STOPPED"]
    assert stopped and stopped[0][5] == "12.34 kWh  1:23h"
    assert sum(page[0] == "FAULT E1-3" for page in seen) > len(stopped)


def test_a_fault_without_a_session_stays_in_view():
    titles = at_desk(
        f"desk = Desk(**{FAULT!r}); out([desk.run(1000)[0].strip() for _ in range(20)])"
    )
    assert set(titles) == {"FAULT E1-3"}


@pytest.mark.parametrize(
    "why, title",
    [(0, "CHARGING"), (1, "READY"), (2, "CONNECTED"), (3, "PAUSED"), (10, "STARTING")],
)
def test_the_warning_mode_keeps_telling_what_the_charger_does(why, title):
    seen = at_desk(
        f"""
desk = Desk(mode=5, why={why}, code_major=8, code_minor=3, fault_text="Records not stored")
out([desk.run(1000)[0].strip() for _ in range(10)])
"""
    )
    assert set(seen) == {"NOTE E8-3", title}


# Texts --------------------------------------------------------------------------------------


def test_every_mode_and_every_reason_has_a_text_that_fits():
    """All modes with all reasons: up to two lines for the reason, nothing cut off."""
    reasons, seen = at_desk(
        """
seen = []
for mode in range(5):
    for why in range(12):
        seen.append((mode, why, show(mode=mode, why=why)))
out(([wrap(text) for text in texts_en.WHY], seen))
"""
    )
    assert len(reasons) == 13 and all(1 <= len(reason) <= 2 for reason in reasons)
    for mode, why, text in seen:
        assert text[0].strip() and "?" not in "".join(text)
        if mode != 3:
            assert [line.rstrip() for line in text[1:3]] == (reasons[why] + [""])[:2]


def test_all_texts_are_ascii_and_fit_a_line():
    texts, limits, names = at_desk(
        """
from pilotwire.decide.limits import NAMES
out(({k: v for k, v in texts_en.__dict__.items() if k[0].isupper()}, texts_en.LIMITS, NAMES))
"""
    )
    assert set(names) == set(limits)
    lines = [v for v in texts.values() if isinstance(v, str)]
    short = [*texts["TITLES"], *limits.values(), *lines]
    assert all(len(s.replace("%d", "999")) <= 16 for s in short)
    assert all(s.isascii() for s in [*short, *texts["WHY"]])


def test_every_fault_row_fits_its_page():
    """Six lines; five where a countdown takes the last."""
    rows = at_desk(
        """
from pilotwire.decide import fault_table as f
from pilotwire.decide.fault_rows import COUNT
from pilotwire.tell.faults_en import words
out([
    (f.code(r), f.cell(r, f.CLEARS), wrap(words(f.code(r))[0]) + wrap(words(f.code(r))[1]))
    for r in range(COUNT)
])
"""
    )
    assert rows
    for code, clears, text in rows:
        assert len(text) <= (5 if clears in "AT" else 6), f"E{code}: {text}"
        assert "".join(text).isascii()


def test_wrapping_breaks_at_words_and_cuts_only_what_is_too_long():
    assert at_desk(
        'out([wrap(t) for t in ("", "one", "sixteen columns.", "seventeen columns", "a b",'
        ' "averyveryverylongword x")])'
    ) == [[], ["one"], ["sixteen columns."], ["seventeen", "columns"], ["a b"],
          ["averyveryverylon", "gword x"]]  # fmt: skip
