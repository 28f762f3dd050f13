"""Scenario and trace files: what a good one means, and how a bad one is told."""

import json
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pilotwire import trace
from pilotwire.scenario import EVENTS, BadFile, load

CARS = {"generic", "zoe_ze50"}
FAULTS = {"weld", "diode_short", "heat"}
HEAD = "t_s,event,value\n"
TRACE_HEAD = ",".join(trace.COLUMNS) + "\n"

# Rounded figures of Tinkerforge/warp-charger, tools/current_ramp (1 Hz).
ZOE_PARKED = TRACE_HEAD + """\
0,6.2,225.34,227.64,230.57,6.373,6.423,6.424,15.8,-8.3,11.8,19.3
1.01,6.2,225.34,227.64,230.57,6.373,6.423,6.424,15.7,-9,11.7,18.4
2.021,6,225.72,227.91,230.63,6.383,6.424,6.427,16.2,-9.1,11.9,19
"""
LEAF_ONE_PHASE = TRACE_HEAD + """\
0,13.3,225.26,233.42,234.29,13.36,0,0,3000,0,0,3000
1.034,13.3,225.26,233.42,234.44,13.36,0,0,3000,0,0,3000
27.85,13.1,226.34,233.58,234.17,13.14,0,0,2990,0,0,2990
"""


def write(folder, content):
    path = folder / "file.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder, content):
    return load(write(folder, content), cars=CARS, faults=FAULTS)


def trouble(folder, content):
    path = write(folder, content)
    with pytest.raises(BadFile) as caught:
        load(path, cars=CARS, faults=FAULTS)
    said = str(caught.value)
    assert said.startswith(f"{path}:{caught.value.line}: ")
    assert "\n" not in said
    return caught.value.line, said.removeprefix(f"{path}:{caught.value.line}: ")


VALUES = [
    ("plug", "", None),
    ("plug", "zoe_ze50", "zoe_ze50"),
    ("unplug", "", None),
    ("unplug", "car", "car"),
    ("ready", "", None),
    ("not_ready", "", None),
    ("ventilation", "on", True),
    ("ventilation", "off", False),
    ("want_a", "16", [16000]),
    ("want_a", " 16 / 0/7.25", [16000, 0, 7250]),
    ("car", "generic", "generic"),
    ("mains_v", "230.5", [23050]),
    ("mains_v", "230/231/103.4", [23000, 23100, 10340]),
    ("mains_hz", "49.98", 4998),
    ("ambient_c", "-12.5", -125),
    ("fault", "weld", {"name": "weld", "value": None}),
    ("fault", "heat=82.5", {"name": "heat", "value": 82.5}),
    ("fault", "heat = 90", {"name": "heat", "value": 90}),
    ("clear", "weld", {"name": "weld", "value": None}),
    ("cmd", "cmd/enable false", {"topic": "cmd/enable", "payload": "false"}),
    ("cmd", "cmd/clear", {"topic": "cmd/clear", "payload": ""}),
    ("cmd", 'cmd/limit {"a": 16, "for_s": 120}',
     {"topic": "cmd/limit", "payload": '{"a": 16, "for_s": 120}'}),
    ("broker", "blackhole", "blackhole"),
    ("power", "off", "off"),
    ("reset", "wdt", "wdt"),
    ("clock", "lost", "lost"),
    ("clock", "2026-03-01T12:00:00.5Z", 1772366400500),
    ("clock", "2026-03-01T13:00:00+01:00", 1772366400000),
    ("end", "", None),
]


@pytest.mark.parametrize("event, text, value", VALUES)
def test_each_event_has_its_value_parsed(tmp_path, event, text, value):
    action = read(tmp_path, f"{HEAD}1.5,{event},{text}\n").actions[0]
    assert (action.t_us, action.event, action.value, action.line) == (1500000, event, value, 2)
    assert json.loads(json.dumps(action.value)) == value


def test_every_event_of_the_table_is_tried_above():
    assert {event for event, _, _ in VALUES} == set(EVENTS)


def test_bom_crlf_comments_blank_lines_and_missing_value_columns_are_fine(tmp_path):
    text = "\ufeff# about\n\n t_s , event , value \n0,plug\n# later\n0.000001, ready ,\n"
    played = read(tmp_path, text.replace("\n", "\r\n")).actions
    assert [(a.t_us, a.event, a.line) for a in played[:2]] == [(0, "plug", 4), (1, "ready", 6)]


def test_a_scenario_ends_where_it_says_or_a_little_after_its_last_event(tmp_path):
    said = read(tmp_path, HEAD + "0,plug,\n70,end,\n")
    assert (said.end_us, said.kind, said.name, said.expected_wh) == (
        70000000, "scenario", "file", None)
    unsaid = read(tmp_path, HEAD + "0,plug,\n70,unplug,\n")
    assert unsaid.actions[-1].event == "end"
    assert unsaid.end_us == unsaid.actions[-1].t_us == 80000000


@pytest.mark.parametrize("content, line, words", [
    ("", 1, ["is empty", "t_s,event,value"]),
    ("\n# only a comment\n", 1, ["is empty"]),
    (HEAD, 1, ["nothing follows the header"]),
    ("# note\n0,plug,\n", 2, ["header is missing", "'0,plug,'", "t_s,event,value", "p_total_w"]),
    (HEAD + "0,plug,\n1,unplugg,\n", 3, ["'unplugg'", "did you mean 'unplug'", "not_ready, vent"]),
    (HEAD + "\n\nsoon,plug,\n", 4, ["'soon' is not a number", "seconds"]),
    (HEAD + "-1,plug,\n", 2, ["-1 is out of range", "seconds from 0"]),
    (HEAD + "1e99,plug,\n", 2, ["out of range"]),
    (HEAD + "nan,plug,\n", 2, ["not a number"]),
    (HEAD + ",plug,\n", 2, ["'' is not a number"]),
    (HEAD + "5,plug,\n4.9,unplug,\n", 3, ["time goes back from 5 s", "never decrease"]),
    (HEAD + "5\n", 2, ["'5' has only one column", "t_s,event,value"]),
    (HEAD + "5,end,\n6,plug,\n", 3, ["something after 'end'", "last line"]),
    (HEAD + "0,plug,zoe_ze5\n", 2, ["car 'zoe_ze5' is unknown", "did you mean 'zoe_ze50'"]),
    (HEAD + "0,car,\n", 2, ["the car '' is unknown"]),
    (HEAD + "0,ready,now\n", 2, ["'now' has no meaning", "no value"]),
    (HEAD + "0,unplug,now\n", 2, ["'now' is unknown", "nothing, or 'car'"]),
    (HEAD + "0,ventilation,yes\n", 2, ["'yes' is unknown", "'on' or 'off'"]),
    (HEAD + "0,want_a,1/2\n", 2, ["has 2 values", "one current or three"]),
    (HEAD + "0,want_a,101\n", 2, ["101 is out of range", "0 to 100 A"]),
    (HEAD + "0,want_a,16A\n", 2, ["'16A' is not a number"]),
    (HEAD + "0,want_a,7,5\n", 2, ["'7,5' is not a number"]),
    (HEAD + "0,mains_v,401\n", 2, ["out of range", "0 to 400 V"]),
    (HEAD + "0,mains_hz,39\n", 2, ["out of range", "40 to 70 Hz"]),
    (HEAD + "0,ambient_c,121\n", 2, ["out of range", "-40 to 120"]),
    (HEAD + "0,fault,wled\n", 2, ["'wled' is unknown (did you mean 'weld'?)", "plant fault"]),
    (HEAD + "0,fault,heat=\n", 2, ["nothing after the '='", "name=value"]),
    (HEAD + "0,cmd,\n", 2, ["no topic is given", "cmd/limit 10"]),
    (HEAD + "0,cmd,cmd/# 10\n", 2, ["'cmd/#' is not a topic"]),
    (HEAD + "0,broker,off\n", 2, ["'off' is unknown", "up, down, blackhole or reset"]),
    (HEAD + "0,power,up\n", 2, ["'up' is unknown", "'off' or 'on'"]),
    (HEAD + "0,reset,hard\n", 2, ["'hard' is unknown", "'wdt' or 'brown_out'"]),
    (HEAD + "0,clock,noon\n", 2, ["'noon' is not a time", "synced"]),
    (HEAD + "0,clock,2026-02-30T00:00:00Z\n", 2, ["not a possible time"]),
    (HEAD + "0,clock,1999-01-01T00:00:00Z\n", 2, ["not a possible time", "2000"]),
    ((HEAD + "0,plug,\n").encode() + b"1,ready,\xff\n", 3, ["is not text", "UTF-8"]),
    (HEAD + "0,plug,\x00\n", 2, ["is not text"]),
    (TRACE_HEAD, 1, ["nothing follows the header"]),
    (ZOE_PARKED + "3,6\n", 5, ["2 columns", "12 as in the header"]),
    (ZOE_PARKED + "3,6" + "," * 11 + "\n", 5, ["13 columns", "12 as in the header"]),
    (ZOE_PARKED + "1" + "," * 11 + "\n", 5, ["time goes back from 2.021 s"]),
    (ZOE_PARKED + "," * 11 + "\n", 5, ["t_s is empty"]),
    (ZOE_PARKED + "3,six" + "," * 10 + "\n", 5, ["pilot_a: 'six' is not a number", "0 to 100"]),
    (ZOE_PARKED + "3,,-5" + "," * 9 + "\n", 5, ["v1_v: -5 is out of range"]),
])
def test_a_bad_file_is_told_with_its_line_and_what_was_expected(tmp_path, content, line, words):
    at, said = trouble(tmp_path, content)
    assert at == line, said
    assert "; expected " in said
    for word in words:
        assert word in said


def test_a_file_that_cannot_be_read_is_a_bad_file(tmp_path):
    for path in (tmp_path / "absent.csv", tmp_path, "a\0b"):
        with pytest.raises(BadFile, match="cannot be read"):
            load(path, cars=CARS, faults=FAULTS)


cells = st.sampled_from(
    [*EVENTS, "", "0", "1", "-1", "1e50", "1/2/3", "on", "weld", "heat=1", "cmd/x y", "synced",
     "2026-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", '"', "#", ",", "\r", "٣", "1_0"]
) | st.text(max_size=6)
texts = st.text() | st.lists(
    st.lists(cells, max_size=13).map(",".join), max_size=6
).map("\n".join)


@given(head=st.sampled_from(["", HEAD, TRACE_HEAD]), body=texts)
@example(head=TRACE_HEAD, body="0" + "," * 11)
@example(head=TRACE_HEAD, body='0,"' + "1" * 140000)
def test_any_text_is_a_scenario_or_a_bad_file(tmp_path_factory, head, body):
    path = write(tmp_path_factory.getbasetemp(), (head + body).encode("utf-8", "surrogatepass"))
    try:
        read_back = load(path, cars=CARS, faults=FAULTS)
    except BadFile:
        return
    times = [action.t_us for action in read_back.actions]
    assert times == sorted(times) and times[-1] == read_back.end_us
    json.dumps([action.value for action in read_back.actions])


def rows_of(folder, text):
    lines = list(enumerate(text.strip().split("\n")[1:], 2))
    return trace.read_rows(folder, text.split("\n")[0].split(","), lines)


def row(folder, cells, before=()):
    text = TRACE_HEAD + "\n".join([*before, cells])
    return rows_of(folder, text)[-1]


def test_a_trace_is_plugged_in_played_from_10_s_and_unplugged(tmp_path):
    got = read(tmp_path, LEAF_ONE_PHASE)
    assert got.kind == "trace"
    assert [(a.t_us, a.event) for a in got.actions] == [
        (200000, "cmd"), (500000, "plug"), (1000000, "ready"),
        (10000000, "row"), (11034000, "row"), (37850000, "cmd"), (37850000, "row"),
        (38850000, "row"), (38850000, "not_ready"), (40850000, "unplug"), (41850000, "end"),
    ]
    assert got.actions[1].value == "trace"
    assert got.actions[3].value == {
        "v_cv": [22526, 23342, 23429], "i_ma": [13360, 0, 0], "p_mw": [3000000, 0, 0]}


def test_the_last_row_with_power_holds_a_second_and_then_nothing_is_drawn(tmp_path):
    last = [a for a in read(tmp_path, LEAF_ONE_PHASE).actions if a.event == "row"][-1]
    assert last.value["p_mw"] == last.value["i_ma"] == [0, 0, 0]
    text = LEAF_ONE_PHASE + "30,13.1,226,233,234,0,0,0,0,0,0,0\n"
    ends = {a.event: a.t_us for a in read(tmp_path, text).actions}
    assert ends["not_ready"] == 40000000


def test_limits_are_sent_when_the_pilot_changes_and_outlast_the_trace(tmp_path):
    got = read(tmp_path, ZOE_PARKED)
    sent = [(a.t_us, json.loads(a.value["payload"])) for a in got.actions if a.event == "cmd"]
    assert [(t_us, limit["a"]) for t_us, limit in sent] == [(200000, 6.2), (12021000, 6)]
    for t_us, limit in sent:
        assert 60 <= limit["for_s"] - (got.end_us - t_us) / 1e6 < 61
    assert all(a.value["topic"] == "cmd/limit" for a in got.actions if a.event == "cmd")


def test_a_trace_that_begins_paused_gets_its_first_limit_in_its_place(tmp_path):
    # The shape of a logger that starts before the car does: empty pilot, then 0, then an offer.
    text = TRACE_HEAD + "0,,0,,,0,,,,,,0\n61,0,0,,,0,,,,,,0\n181,40,239,,,16,,,,,,4000\n"
    sent = [(a.t_us, json.loads(a.value["payload"])["a"])
            for a in read(tmp_path, text).actions if a.event == "cmd"]
    assert sent == [(71000000, 0), (191000000, 40)]


def test_a_row_that_changes_nothing_is_not_played(tmp_path):
    text = TRACE_HEAD + "0,6,,,,0,,,0,,,0\n1,6,,,,0,,,0,,,0\n2,6,,,,0,,,0,,,0\n"
    events = [a.event for a in read(tmp_path, text).actions]
    assert events == ["cmd", "plug", "ready", "row", "not_ready", "unplug", "end"]


@pytest.mark.parametrize("before, cells, v_cv, i_ma, p_mw", [
    ([], "0,,,,,0,,,0,,,0", (23000, 23000, 23000), (0, 0, 0), (0, 0, 0)),
    (["0,,239,,,16,,,,,,4000"], "1,,0,,,0,,,,,,0", (23900, 23000, 23000), (0, 0, 0), (0, 0, 0)),
    (["0,,239,49.9,,0,,,,,,0"], "1,,,,,0,,,,,,0", (23900, 23000, 23000), (0, 0, 0), (0, 0, 0)),
    ([], "0,,,,,16.94,,,3864.35,,,3864.35", (22812, 23000, 23000), (16940, 0, 0), (3864350, 0, 0)),
    ([], "0,,,,,0.9,,,200,,,200", (23000, 23000, 23000), (900, 0, 0), (200000, 0, 0)),
    ([], "0,,,,,6.4,,,19,,,19", (23000, 23000, 23000), (6400, 0, 0), (19000, 0, 0)),
    ([], "0,,230,230,230,10,20,10,,,,9200", (23000,) * 3, (10000, 20000, 10000),
     (2300000, 4600000, 2300000)),
    ([], "0,,230,230,230,,,,,,,4600", (23000,) * 3, (20000, 0, 0), (4600000, 0, 0)),
    ([], "0,,230,240,250,,,,2300,-2400,0,-100", (23000, 24000, 25000), (10000, 10000, 0),
     (2300000, -2400000, 0)),
    ([], "0,,230,230,230,10,10,,2300,,,4500", (23000,) * 3, (10000, 10000, 0),
     (2300000, 2200000, 0)),
    ([], "0,,230,230,230,10,,,,,,", (23000,) * 3, (10000, 0, 0), (2300000, 0, 0)),
    ([], "0, 16 , 230,230, 230 ,10,10,10, 2300,2300,2300, 6900 ", (23000,) * 3, (10000,) * 3,
     (2300000,) * 3),
])
def test_gaps_in_a_row_are_filled(tmp_path, before, cells, v_cv, i_ma, p_mw):
    got = row(tmp_path, cells, before)
    assert (got.v_cv, got.i_ma, got.p_mw) == (v_cv, i_ma, p_mw)


@given(total_w=st.integers(-20000, 60000), amps_ma=st.tuples(*[st.integers(0, 32000)] * 3))
def test_sharing_a_total_over_the_phases_loses_nothing(total_w, amps_ma):
    texts = ",".join(f"{ma / 1000:.3f}" for ma in amps_ma)
    got = row("x", f"0,,230,230,230,{texts},,,,{total_w}")
    assert sum(got.p_mw) == total_w * 1000


def test_extra_columns_are_ignored_in_any_order(tmp_path):
    text = "site_w," + TRACE_HEAD.strip() + ",state\n" + '8400,0,6,230,,,10,,,2300,,,2300,"a, b"\n'
    first = next(a for a in read(tmp_path, text).actions if a.event == "row")
    assert first.value["p_mw"] == [2300000, 0, 0]


def test_energy_is_the_exact_integral_between_two_times(tmp_path):
    rows = rows_of(tmp_path, TRACE_HEAD + "0,,230,,,,,,,,,1000\n2,,230,,,,,,,,,3000\n"
                                         "4,,230,,,,,,,,,5000\n")
    ws = Fraction(1, 3600)
    assert trace.energy_wh(rows, 0, 4) == 8000 * ws
    assert trace.energy_wh(rows, 0, 4, trapezoid=True) == 12000 * ws
    assert trace.energy_wh(rows, 1, 3) == 4000 * ws
    assert trace.energy_wh(rows, 1, 2, trapezoid=True) == 2500 * ws
    assert trace.energy_wh(rows, 3, 4, trapezoid=True) == 4500 * ws
    assert trace.energy_wh(rows, 3, 3) == 0
    assert trace.energy_wh(rows, 0, 99) == 13000 * ws  # the last row holds 1 s, then nothing
    assert trace.energy_wh(rows, "0.1", "0.3") == Fraction(200) * ws


def test_what_a_trace_expects_is_what_its_rows_deliver(tmp_path):
    got = read(tmp_path, LEAF_ONE_PHASE)
    played = [a for a in got.actions if a.event == "row"]
    mw_us = sum(sum(a.value["p_mw"]) * (b.t_us - a.t_us)
                for a, b in zip(played, played[1:], strict=False))
    assert got.expected_wh == pytest.approx(mw_us / 3.6e15 * 1000, abs=1e-9)
    assert got.expected_wh == pytest.approx((3000 * 27.85 + 2990) / 3600)
