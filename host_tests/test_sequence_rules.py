"""Each rule of the sequence is needed: taken out, a test that is named after it fails.

Rows of sequences.TABLE are dropped, made hasty, made slow, or left without effect; times and bands get
other values. Then the named tests run on a bench of their own, until one fails.
"""

import inspect

import pytest

import test_offers_and_rests
import test_pilot_levels
import test_protection
import test_sequence
import test_sequence_under_load
import test_time_without_end
import test_unusual_cars
from bench_car import Bench
from pilotwire.decide import charging, letters, over_current, sequences, waking

TESTS = {
    name: test
    for module in (
        test_offers_and_rests, test_pilot_levels, test_protection, test_sequence,
        test_sequence_under_load, test_time_without_end, test_unusual_cars,
    )
    for name, test in vars(module).items() if name.startswith("test_")
}
FIXTURES = {"bench": Bench, "charging": lambda: Bench().charge()}

ONE_LOOK = ("test_one_look_at_another_state_of_the_car_is_no_other_state",)
# (seq, from, to, contactor) of a row: tests of which at least one fails whatever is done to it.
ROWS = {
    ("1.1", "A", "B", "open"): (
        "test_seq_1_1_and_3_1_plug_in_is_offered_the_limit_within_100_ms",
        "test_seq_1_plug_that_bounces_changes_nothing",
    ),
    ("1.2", "A", "CD", "open"): (
        "test_seq_1_2_car_that_asks_at_once_is_seen_within_100_ms",
        "test_seq_1_plug_that_bounces_changes_nothing",
    ),
    ("2.1", "BCD", "A", "open"): (
        "test_seq_2_1_unplug_at_b_ends_the_offer_within_100_ms",
        "test_seq_2_1_one_look_at_plus_12_v_is_no_unplugging",
    ),
    ("2.2", "CD", "A", "closed"): ("test_seq_2_2_unplug_under_load_opens_at_the_first_look",),
    ("4", "B", "CD", "open"): (
        "test_seq_4_close_needs_500_ms_of_stable_c", "test_seq_4_one_look_at_c_is_no_c",
    ),
    ("7, 11", "CD", "B", "open"): (
        "test_seq_7_car_that_asks_no_more_is_known_within_100_ms", *ONE_LOOK,
    ),
    ("8.1, 8.2", "CD", "B", "closed"): (
        "test_seq_8_1_car_stops_opens_between_50_and_90_ms",
        "test_seq_8_2_car_stops_without_an_offer_opens_between_50_and_90_ms",
    ),
    ("-", "C", "D", "closed"): (
        "test_car_that_asks_for_ventilation_while_charging_is_opened",
        "test_seq_8_short_look_at_another_state_does_not_open",
    ),
    ("-", "D", "C", "closed"): (
        "test_one_look_at_c_while_d_is_energised_is_no_c",
        "test_c_while_d_is_energised_is_known_within_100_ms",
    ),
    ("-", "C", "D", "open"): ("test_d_after_c_is_known_within_100_ms", *ONE_LOOK),
    ("-", "D", "C", "open"): ("test_c_after_d_is_known_within_100_ms", *ONE_LOOK),
    ("12", "CD", "EF", "closed"): ("test_seq_12_shorted_pilot_opens_at_the_first_look",),
    ("12", "ABCD", "EF", "open"): ("test_seq_12_short_without_load_is_1_1_within_100_ms",),
    ("12", "EF", "ABCD", "open"): (
        "test_seq_12_car_that_leaves_after_a_short_is_seen_within_100_ms",
        "test_seq_12_one_look_at_plus_12_v_is_no_end_of_a_short",
    ),
}
# Constant: other values, each of which at least one of the tests must notice.
NEVER = 1 << 29
CHARGING = {
    "_STABLE_C_MS": ((0, 300, 4000), (
        "test_seq_11_toggles_never_energise", "test_seq_4_close_needs_500_ms_of_stable_c",
    )),
    "_FAULT_PLAUSIBLE_MS": ((0, NEVER), (
        "test_one_spoilt_burst_while_open_changes_nothing", "test_seq_4_close_needs_the_diode",
    )),
    "_STOP_WAIT_MS": ((0, 3000, NEVER), (
        "test_seq_10_2_car_that_ignores_stop_is_opened_after_6_s",
        "test_seq_9_2_stop_withdraws_the_offer_at_once_and_waits_for_the_car",
    )),
    "_DUTY_MS": ((0, 4900, 20000), (
        "test_duty_changes_are_5_s_apart", "test_seq_5_new_limit_is_offered_within_10_s",
    )),
    "_REST_MS": ((0, 4000, 20000), ("test_no_closing_within_5_s_rest",)),
    "_REST_FAULT_MS": ((0, 20000, 60000), (
        "test_no_closing_within_30_s_after_a_fault",
        "test_no_closing_within_30_s_after_a_forced_stop",
    )),
    "_F_MS": ((0, 100, 3000), ("test_state_f_lasts_300_ms_then_plus_12_v_shows_the_car_leaving",)),
    "_LOOK_MS": ((5, NEVER), (
        "test_seq_4_stalls_of_100_ms_prove_20_ms_each", "test_seq_4_close_needs_500_ms_of_stable_c",
    )),
    "_LATE_MS": ((0, NEVER), (
        "test_seq_8_1_a_stop_in_a_stall_counts_from_the_stalls_begin",
        "test_seq_8_1_short_look_at_another_state_after_a_stall_does_not_open",
    )),
    "_TOGGLE_MS": ((NEVER,), ("test_seq_11_toggles_across_a_stall_never_energise",)),
    "_LONG_MS": ((1 << 31,), ("test_car_that_charges_for_weeks",)),
    "DIODE_MV": ((-11500, -5000), (
        "test_diode_that_is_not_quite_at_minus_12_v_is_one", "test_lost_diode_opens_at_the_first_look",
    )),
    "SHORT_MV": ((-20000, 500), (
        "test_seq_12_level_that_no_short_can_make_is_7_2",
        "test_seq_12_short_without_load_is_1_1_within_100_ms",
    )),
    "SIMPLIFIED_MA": ((6000, 16000), (
        "test_seq_1_2_simplified_pilot_is_charged_with_10_a_at_the_most",
    )),
}
SLEEPING = ("test_sleeping_car_is_woken_at_30_s_and_at_90_s_and_then_left_alone",)
WAKING = {
    "_FIRST_MS": ((0, 20000, NEVER), SLEEPING),
    "_SECOND_MS": ((0, 60000, NEVER), SLEEPING),
    "_ENOUGH": ((0, 1, 3), SLEEPING),
    "_WAKE_MS": ((0, 3000, 8000), SLEEPING),
    "_NO_S2_MS": ((0, 2000, NEVER), (
        "test_seq_1_2_simplified_pilot_is_charged_with_10_a_at_the_most",
        "test_seq_1_2_car_that_was_there_before_the_station_opens_s2_and_gets_all",
    )),
    "SIMPLIFIED_MA": ((), ()),  # charging.py's
}
FOLLOWING = ("test_seq_6_car_that_lags_behind_a_falling_offer_charges_on",)
SEQ_6 = {"_SOFT_AFTER_FALL_MS": ((0,), FOLLOWING), "_HELD_MS": ((0,), FOLLOWING)}
BANDS = (
    "test_band_has_one_letter_whatever_was_before", "test_gap_keeps_the_letter",
    "test_between_b_and_a_a_car_that_asked_has_gone_and_far_above_b_every_car",
)


def cases(test):
    """Arguments for a test, as pytest would give them: fixtures, and each row of parametrize."""
    rows = [{}]
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "parametrize":
            names, values = mark.args[:2]
            names = names.split(", ") if isinstance(names, str) else names
            values = [value if len(names) > 1 else (value,) for value in values]
            rows = [
                {**row, **dict(zip(names, value, strict=True))} for row in rows for value in values
            ]
    for row in rows:
        yield {
            name: row[name] if name in row else FIXTURES[name]()
            for name in inspect.signature(test).parameters
        }


def fails(names):
    """The first of the tests that fails; "" when all pass."""
    for name in names:
        try:
            for arguments in cases(TESTS[name]):
                TESTS[name](**arguments)
        except (AssertionError, ValueError):  # a count of events that is another
            return name
    return ""


def ways_out(row):
    """What may be done to a row: (how, the rows in its place)."""
    *key, lasts_ms, then = row
    yield "dropped", ()
    if lasts_ms:
        yield "hasty", ((*key, 0, then),)
    yield "slow", ((*key, 250, then),)
    if then != "keeps":
        yield "without effect", ((*key, lasts_ms, "keeps"),)


@pytest.mark.parametrize(
    ("at", "instead"),
    [pytest.param(at, instead, id=f"{row[0]} {row[1]}-{row[2]} {row[3]} {how}")
     for at, row in enumerate(sequences.TABLE) for how, instead in ways_out(row)],
)
def test_row_of_the_table_is_needed(monkeypatch, at, instead):
    table = sequences.TABLE
    monkeypatch.setattr(sequences, "TABLE", table[:at] + instead + table[at + 1 :])
    assert fails(ROWS[table[at][:4]])


def others(module, constants):
    return [
        pytest.param(module, name, value, tests, id=f"{name}={value}")
        for name, (values, tests) in constants.items() for value in values
    ]


def shifted_bands():
    return [
        pytest.param(letters, name, value + by_mv, BANDS, id=f"{name}{by_mv:+}")
        for name, value in vars(letters).items() if name.startswith("_") and name.endswith("_MV")
        for by_mv in (-150, 150)
    ]


@pytest.mark.parametrize(
    ("module", "name", "value", "tests"),
    others(charging, CHARGING) + others(waking, WAKING) + others(over_current, SEQ_6) + shifted_bands(),
)
def test_constant_is_needed(monkeypatch, module, name, value, tests):
    monkeypatch.setattr(module, name, value)
    assert fails(tests)


# What has neither row nor constant: (method of Charging, another in its place), tests that all fail.
def offers_never(offer):
    return lambda self, limit_ma, urgent_ma, _, faults: offer(self, limit_ma, urgent_ma, False, faults)


def offers_always(offer):
    def instead(self, limit_ma, urgent_ma, _, faults):
        stop_ms, self.stop_ms = self.stop_ms, -1
        offer(self, limit_ma, urgent_ma, True, faults)
        self.stop_ms = stop_ms

    return instead


def deaf_while_stopping(while_closed):
    def instead(self, dt_ms, allowed, faults):
        if self.stop_ms >= 0 and self.stop_ms < 4000:
            self.stop_ms += dt_ms
        else:
            while_closed(self, dt_ms, allowed, faults)

    return instead


@pytest.mark.parametrize(
    ("method", "instead", "tests"),
    [
        ("_offer", offers_never, (
            "test_seq_3_1_permission_that_comes_in_b_is_offered_at_once",
            "test_seq_3_2_permission_that_comes_later_closes_within_3_s",
        )),
        ("_offer", offers_always, (
            "test_seq_9_1_stop_in_b_withdraws_the_offer_at_once",
            "test_seq_9_2_stop_withdraws_the_offer_at_once_and_waits_for_the_car",
        )),
        ("_while_closed", deaf_while_stopping, (
            "test_seq_8_2_car_stops_without_an_offer_opens_between_50_and_90_ms",
            "test_seq_10_1_car_that_follows_the_stop_is_opened_without_load",
            "test_seq_2_2_unplug_during_a_stop_opens_at_the_first_look",
        )),
    ],
)
def test_what_the_station_does_is_needed(monkeypatch, method, instead, tests):
    whole = getattr(charging.Charging, method)
    assert fails(tests) == ""
    monkeypatch.setattr(charging.Charging, method, instead(whole))
    assert [fails((name,)) for name in tests] == list(tests)


def test_named_tests_pass_with_the_true_rules():
    named = {name for names in ROWS.values() for name in names} | set(BANDS)
    named |= {name for _, names in [*CHARGING.values(), *WAKING.values()] for name in names}
    assert fails(sorted(named)) == ""


def test_every_row_and_every_constant_is_here():
    assert set(ROWS) == {row[:4] for row in sequences.TABLE} and len(ROWS) == len(sequences.TABLE)
    for module, known in ((charging, CHARGING), (waking, WAKING)):
        units = {
            name for name, value in vars(module).items()
            if isinstance(value, int) and name.endswith(("_MS", "_MV", "_MA", "_ENOUGH"))
        }
        assert units == set(known)
