"""What a person gets from `pilotwire run` and `pilotwire bench`, above all when something is wrong."""

import json
import os
import signal
import subprocess
import sys

import pytest

from pilotwire.charger import ROOT

ENV = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}


def pilotwire(*args, **options):
    return subprocess.run(
        [sys.executable, "-m", "pilotwire.cli", *map(str, args)], env=ENV, capture_output=True,
        text=True, stdin=subprocess.DEVNULL, check=False, timeout=120, **options,
    )


def scenario(tmp_path, text):
    path = tmp_path / "s.csv"
    path.write_text("t_s,event,value\n" + text)
    return path


CHARGE = "1,plug,generic\n2,ready,\n20,unplug,\n25,end,\n"


@pytest.mark.parametrize("text, words", [
    ("1,plug,generic\n2,fly,\n", ("s.csv:3:", "fly", "expected")),
    ("1,plug,nocar\n", ("s.csv:2:", "nocar")),
    ("5,plug,generic\n4,ready,\n", ("s.csv:3:", "time goes back")),
    ("x,plug,generic\n", ("s.csv:2:", "seconds")),
    ("1,fault,no_such\n", ("s.csv:2:", "no_such")),
])
def test_a_wrong_scenario_is_named_with_its_line_and_nothing_starts(tmp_path, text, words):
    keep = tmp_path / "keep"
    done = pilotwire("run", scenario(tmp_path, text), "--keep", keep)
    assert done.returncode == 2 and done.stdout == ""
    assert all(word in done.stderr for word in words), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not keep.exists()


@pytest.mark.parametrize("args, word", [
    (("--board", "nope"), "reference-3p"),
    (("--keep", "/dev/null/x"), "cannot keep"),
    (("--events", "/dev/null/x"), "cannot be written"),
    (("--broker", "mqtt://127.0.0.1:1"), "no broker at 127.0.0.1:1"),
    (("--broker", "http://x"), "mqtt"),
])
def test_what_cannot_work_is_said_in_one_line(tmp_path, args, word):
    keep = () if "--keep" in args else ("--keep", tmp_path / "keep")
    done = pilotwire("run", scenario(tmp_path, CHARGE), *args, *keep)
    assert done.returncode == 2
    assert word in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.parametrize("args", [("--speed", "0"), ("--speed", "fast"), ("--seed", "-1")])
def test_wrong_options_are_refused_with_the_usage(args):
    done = pilotwire("run", *args)
    assert done.returncode == 2 and "usage:" in done.stderr


def test_the_last_line_of_stdout_is_the_record_alone(tmp_path):
    done = pilotwire("run", scenario(tmp_path, CHARGE), "--keep", tmp_path / "keep")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    assert record["id"] == "virtual-1"
    kept = (tmp_path / "keep/record.json").read_text()
    assert json.loads(kept) == record
    assert str(tmp_path / "keep") in done.stdout or "keep" in done.stdout.splitlines()[-2]


def test_events_tell_everything_with_virtual_time(tmp_path):
    events = tmp_path / "events.jsonl"
    done = pilotwire("run", scenario(tmp_path, CHARGE), "--keep", tmp_path / "k", "--events", events)
    assert done.returncode == 0
    told = [json.loads(line) for line in events.read_text().splitlines()]
    assert {"contactor", "contacts", "pilot", "led", "display", "message", "scenario"} <= {
        e["e"] for e in told
    }
    closed = [e["t_s"] for e in told if e["e"] == "contactor" and e["on"]]
    assert 2.4 < closed[0] < 4


def test_events_on_stdout_leave_nothing_else_there_but_the_record(tmp_path):
    done = pilotwire("run", scenario(tmp_path, CHARGE), "--keep", tmp_path / "k", "--events", "-")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["id"] == "virtual-1" and all("e" in line for line in lines[:-1])


def test_a_second_run_in_the_same_folder_goes_on_with_the_same_flash(tmp_path):
    path, keep = scenario(tmp_path, CHARGE), tmp_path / "keep"
    seqs = []
    for _ in range(2):
        done = pilotwire("run", path, "--keep", keep)
        seqs.append(json.loads(done.stdout.splitlines()[-1])["seq"])
    assert seqs == [1, 2]


def test_a_scenario_that_ends_with_the_car_plugged_in_still_ends_with_a_record(tmp_path):
    done = pilotwire("run", scenario(tmp_path, "1,plug,generic\n2,ready,\n20,end,\n"),
                     "--keep", tmp_path / "keep")
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[-1])["energy_wh"] > 0


def test_a_run_without_a_session_says_that_there_is_no_record(tmp_path):
    done = pilotwire("run", scenario(tmp_path, "1,mains_v,231\n5,end,\n"), "--keep", tmp_path / "k")
    assert done.returncode == 1
    assert "no session record" in done.stdout


def test_events_a_few_milliseconds_apart_are_all_played_at_a_given_speed(tmp_path):
    lines = "".join(f"{1 + k * 0.003:.3f},mains_v,{230 + k % 2}\n" for k in range(50))
    done = pilotwire("run", scenario(tmp_path, lines + "1.2,end,\n"), "--speed", "1",
                     "--keep", tmp_path / "keep")
    assert done.stdout.count("scenario: mains_v") == 50, done.stderr


def test_ctrl_c_closes_keeps_and_shows_the_session(tmp_path):
    path = scenario(tmp_path, "1,plug,generic\n2,ready,\n3000,unplug,\n3005,end,\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "pilotwire.cli", "run", str(path), "--speed", "20",
         "--keep", str(tmp_path / "keep")],
        env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "told to close" in line:
            break
    assert "told to close" in seen[-1], process.stderr.read()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    record = json.loads(out.splitlines()[-1])
    assert record["stop"] == "EVDisconnected" and record["started_at"]
    assert (tmp_path / "keep/record.json").exists()


TRACE = """t_s,pilot_a,v1_v,v2_v,v3_v,i1_a,i2_a,i3_a,p1_w,p2_w,p3_w,p_total_w
# Tinkerforge warp-charger tools/current_ramp, Zoe ZE50 R110 at 32 A, typed over
0,32,219.98,221.73,225.82,30.591,30.568,30.529,6694.5,6761,6873.1,20328.6
4.041,32,219.99,222.0,226.1,30.619,30.581,30.549,6700,6790,6877.5,20367.5
10.113,31.9,220.1,222.1,226.2,30.57,30.57,30.545,6710,6790,6878.9,20378.9
20.1,31.8,220.1,222.1,226.2,30.5,30.5,30.5,6700,6780,6870,20350
120.0,31.8,220.1,222.1,226.2,30.5,30.5,30.5,6700,6780,6870,20350
"""


def test_a_trace_is_played_row_by_row_and_its_energy_recorded(tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text(TRACE)
    events = tmp_path / "events.jsonl"
    done = pilotwire("run", path, "--keep", tmp_path / "keep", "--events", events)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    exact = (20328.6 * 4.041 + 20367.5 * 6.072 + 20378.9 * 9.987 + 20350 * 100.9) / 3600
    assert abs(record["energy_wh"] - exact) <= max(1, exact * 0.005)
    duties = [e["duty"] / 1000 for e in map(json.loads, events.read_text().splitlines())
              if e["e"] == "pilot" and 0 < e["duty"] < 100000]
    offered = [duty * 0.6 for duty in duties]
    for amps, wanted in zip(offered, (32.0, 31.9, 31.8), strict=True):
        assert wanted - 0.01 <= amps <= wanted  # never more than the trace allowed
