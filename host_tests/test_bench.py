"""`pilotwire bench`: the pilot's figures are measured, and fall short when firmware or plant do."""

import json
import shutil

import pytest

from pilotwire import bench, bench_lives, bench_pilot
from pilotwire.charger import ROOT, ChargerError


def measured(only, **options):
    """Figures by name, from few trials."""
    options = {"lives": 2, "count": 2, "ticks": 1000, **options}
    return {figure["name"]: figure for figure in bench_pilot.measure(None, 7, only, **options)}


@pytest.fixture
def firmware(tmp_path):
    """A function that makes a copy of the firmware with one piece of a file replaced."""
    def changed(file, old, new):
        copy = tmp_path / "firmware"
        shutil.copytree(ROOT / "firmware", copy)
        path = copy / "pilotwire" / file
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))
        return copy
    return changed


@pytest.fixture(scope="module")
def all_figures():
    return measured("pilot", count=6)


# What is printed ---------------------------------------------------------------------------------


def test_every_figure_is_there_and_holds(all_figures):
    assert list(all_figures) == [
        "pilot_ca", "pilot_ca_stall", "pilot_da", "pilot_cb", "pilot_cb_stall", "pilot_ce", "pilot_bc",
        "pilot_false",
    ]
    assert [f["name"] for f in all_figures.values() if not f["ok"]] == []


def test_each_trial_is_in_the_histogram_and_the_worst_is_the_value(all_figures):
    for name, figure in all_figures.items():
        if name == "pilot_false":
            continue
        trials = 72 if name == "pilot_bc" else 12  # 2 lives of 6 of each; each of 6 kinds closes first
        assert sum(n for _, n in figure["histogram"]) == figure["trials"] == trials, name
        assert int(figure["value"]) == figure["histogram"][-1][0]
        assert set(figure["worst_by_mhz"]) == {240, 160}
        assert figure["value"] == max(figure["worst_by_mhz"].values())


def test_a_row_is_one_line_with_the_limit_and_the_peers(all_figures):
    for figure in all_figures.values():
        assert "\n" not in bench.row(figure)
    row = bench.row(all_figures["pilot_cb"])
    assert "IEC limit 100" in row and "derived from source: OpenEVSE 325-375" in row
    assert "240 MHz" in row and "160 MHz" in row


def test_figures_are_measured_under_load(all_figures):
    load = all_figures["pilot_ca"]["load"]
    assert load["connections"] >= 3 and load["messages"] > 100  # it has come back at least once
    assert load["programs"] > 100 and load["erases"] and load["handshakes"] == 0
    assert load["tell_errors"] == 0


def test_the_same_seed_gives_the_same_figures():
    assert measured("pilot_ca") == measured("pilot_ca")


def test_lives_differ_in_clock_transport_and_noise():
    options = [bench_lives.options_of(7000 + k, k) for k in range(8)]
    assert len({(o["mhz"], o["tls"], o["spikes"]) for o in options}) == 8


def test_one_figure_can_be_asked_for():
    assert list(measured("pilot_bc")) == ["pilot_bc"]
    assert [f["name"] for f in bench.figures("pilot_nothing", 1, None)] == []


def test_progress_and_seeds_are_told(capfd):
    measured("pilot_ca_stall")
    assert "seeds 7000 to 7001" in capfd.readouterr().err


# What falls short --------------------------------------------------------------------------------


STOP = '("8.1, 8.2", "CD", "B", "closed", %d,'
UNPLUG = '("2.2", "CD", "A", "closed", %d,'


def test_a_stop_that_is_believed_late_falls_short(firmware):
    copy = firmware("decide/sequences.py", STOP % 50, STOP % 90)
    figure = measured("pilot_cb", firmware=copy)["pilot_cb"]
    assert not figure["ok"] and figure["value"] > 90


def test_a_stop_that_is_believed_at_once_falls_short(firmware):
    copy = firmware("decide/sequences.py", STOP % 50, STOP % 0)
    figure = measured("pilot_cb", firmware=copy)["pilot_cb"]
    assert not figure["ok"] and figure["histogram"][0][0] < 50


def test_an_unplugged_car_that_is_believed_late_falls_short(firmware):
    copy = firmware("decide/sequences.py", UNPLUG % 0, UNPLUG % 30)
    figures = measured("pilot_ca", firmware=copy)
    assert not figures["pilot_ca"]["ok"] and figures["pilot_ca"]["value"] > 30


def test_a_closing_after_a_second_falls_short(firmware):
    copy = firmware("decide/charging.py", "_STABLE_C_MS = const(500)", "_STABLE_C_MS = const(1000)")
    assert not measured("pilot_bc", firmware=copy)["pilot_bc"]["ok"]


def test_a_spike_that_is_taken_for_a_plateau_falls_short(firmware):
    copy = firmware("sense/pilot.py", "_MANY = const(6)", "_MANY = const(1)")
    figure = measured("pilot_false", firmware=copy, lives=1, ticks=4000)["pilot_false"]
    assert not figure["ok"] and figure["value"] > 0
    assert "C to A" in " ".join(figure["wrong"])


def test_a_contactor_that_never_opens_is_reported_with_its_seed():
    figure = measured("pilot_ca", stuck=3, lives=1, count=8)["pilot_ca"]
    assert (figure["ok"], figure["value"]) == (False, None)
    assert "never opened" in figure["failed"][0] and "seed 7000" in figure["failed"][0]
    assert any("gave up" in why for why in figure["failed"])
    assert "none" in bench.row(figure) and "SHORT" in bench.row(figure)


def test_a_figure_that_falls_short_is_exit_status_1(monkeypatch, capsys):
    def short(*arguments):
        return measured("pilot_ca", stuck=1, lives=1, count=1).values()

    from pilotwire.cli import main

    monkeypatch.setattr(bench, "SUITES", (("pilot", short),))
    assert main(["bench", "--only", "pilot_ca", "--json"]) == 1
    (figure,) = [f for f in json.loads(capsys.readouterr().out) if f["name"] == "pilot_ca"]
    assert figure["value"] is None and not figure["ok"]


def test_a_firmware_that_does_not_start_is_an_error_with_its_seed(firmware):
    copy = firmware("decide/letters.py", "A = const(0)", "A = const(0) / 0")
    with pytest.raises(ChargerError, match="seed 7000"):
        measured("pilot_ca", firmware=copy, lives=1)
