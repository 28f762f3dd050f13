"""A configuration that is missing or wrong: the last good copy, else 7-6 and an open contactor."""

import json

import pytest

from pilotwire import config as config_file
from station import Connected, Lonely
from test_after_a_restart import cut_power

GOOD = {"device": "garage-1", "installation_a": 32}
BROKEN = ["", "{", "[]", "null", '{"device":"garage-1"}', '{"device":"garage-1","installation_a":"32"}',
          '{"device":"Garage 1","installation_a":32}', '{"installation_a":32}', "\x00\xff" * 50,
          '{"device":"garage-1","installation_a":32,"limit_A":10}']  # misspelt: would be no limit


# The settings ----------------------------------------------------------------------------------


@pytest.fixture
def start(tmp_path, monkeypatch):
    """start(content, good=None) -> settings; None: there is no such file."""
    monkeypatch.chdir(tmp_path)

    def start(content, good=None):
        for name, text in (("config.json", content), ("config.good.json", good)):
            (tmp_path / name).unlink(missing_ok=True)
            if text is not None:
                (tmp_path / name).write_text(text if isinstance(text, str) else json.dumps(text))
        return config_file.start()

    return start


def test_a_good_file_is_used_and_the_copy_is_not_looked_at(start):
    config = start(GOOD, "{")
    assert (config.device, config.trouble) == ("garage-1", "")
    assert not config.used_copy and not config.broken


@pytest.mark.parametrize("content", [None, *BROKEN])
def test_the_copy_replaces_what_cannot_be_used(start, content):
    config = start(content, {**GOOD, "limit_a": 13})
    assert (config.used_copy, config.broken, config.limit_ma) == (True, False, 13000)
    assert "config.json" in config.trouble


@pytest.mark.parametrize("content", [None, *BROKEN])
@pytest.mark.parametrize("good", [None, "{", '{"device":"x"}'])
def test_without_a_copy_it_is_6_a_and_broken(start, content, good):
    config = start(content, good)
    assert config.broken and not config.used_copy and config.trouble
    assert config.installation_ma == 6000 and config.fail_safe_ma == 6000
    assert config.ssid == "" and config.broker is None


def test_safe_settings_keep_the_network_where_it_can_be_read(start):
    broker = {"host": "broker.example", "port": 1883}
    config = start({"device": "garage-1", "installation_a": 3, "ssid": "home", "wifi_password": "w",
                    "broker": broker, "key": "zz", "limit_a": 16})
    assert config.broken
    assert (config.device, config.ssid, config.broker) == ("garage-1", "home", broker)
    assert config.key == b"" and config.installation_ma == 6000
    config = start({"device": "garage-1", "installation_a": 32, "ssid": 5, "broker": broker})
    assert (config.ssid, config.broker) == ("", broker)


@pytest.mark.parametrize("device", [None, "", "No Name", 7])
def test_without_a_name_of_its_own_there_is_no_network(start, device):
    config = start({"device": device, "installation_a": 32, "ssid": "home", "broker": {"host": "b"}})
    assert (config.device, config.ssid, config.broker) == ("unset", "", None)


# The whole station -----------------------------------------------------------------------------


def restart(station, content):
    """The file changes, and the power goes and comes."""
    path = station.folder / "config.json"
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    station.charger.console.clear()
    station.charger.do("power", "off")
    station.charger.advance(1)
    station.charger.do("power", "on")
    station.charger.advance(3)


def copy_of(station):
    path = station.folder / "config.good.json"
    return path.read_bytes() if path.exists() else None


@pytest.mark.parametrize("content", [None, "{", '{"device":"virtual","installation_a":3}'])
def test_7_6_is_shown_and_the_contactor_never_closes(tmp_path, content):
    with Lonely(tmp_path / "s") as station:
        charger = station.charger
        charger.advance(7)
        restart(station, content)
        assert station.shows("7-6") and station.shows("Settings missing")
        at_us = charger.us
        charger.do("plug", "generic")
        charger.do("ready")
        charger.advance(400)
        charger.do("unplug")
        charger.advance(30)
        charger.do("plug", "no_s2")
        charger.do("ready")
        charger.advance(100)
        assert not station.seen("contactor", at_us) and not station.seen("reset", at_us)
        assert station.shows("7-6")
        assert [e for e in station.seen("led", at_us) if e["rgb"].startswith("ff0000")]
        assert sum("config.json" in line for line in charger.console) == 1
        restart(station, json.dumps({"device": "virtual", "installation_a": 32}))
        charger.advance(15)
        assert charger.look()["closed"]


def test_a_good_configuration_is_copied_after_a_minute_without_a_car(tmp_path):
    with Lonely(tmp_path / "s") as station:
        charger = station.charger
        own = (station.folder / "config.json").read_bytes()
        charger.advance(50)
        station.charge(seconds=30)
        assert copy_of(station) is None
        charger.do("unplug")
        charger.advance(3)
        assert copy_of(station) == own


def test_a_copy_that_is_the_same_is_not_written_again_another_one_is(tmp_path):
    with Lonely(tmp_path / "s") as station:
        charger = station.charger
        charger.advance(63)
        path = station.folder / "config.good.json"
        written = path.stat().st_mtime_ns, path.stat().st_ino
        own = (station.folder / "config.json").read_text()
        restart(station, own)
        charger.advance(63)
        assert (path.stat().st_mtime_ns, path.stat().st_ino) == written
        changed = own.replace("63", "25")
        restart(station, changed)
        charger.advance(50)
        assert path.read_text() == own
        charger.advance(13)
        assert path.read_text() == changed


def test_a_minute_with_a_fault_proves_nothing(tmp_path):
    with Lonely(tmp_path / "s") as station:
        station.charger.do("mains_v", [28000])
        station.charger.advance(90)
        assert copy_of(station) is None
        station.charger.do("mains_v", [23000])
        station.charger.advance(100)
        assert copy_of(station) is not None


def test_the_copy_charges_when_the_file_is_damaged_and_stays_the_copy(tmp_path):
    with Lonely(tmp_path / "s", config={"limit_a": 13}) as station:
        charger = station.charger
        charger.advance(63)
        good = copy_of(station)
        restart(station, good.decode()[:40])
        charger.advance(5)
        station.charge(amps=10, seconds=8)
        assert 12900 <= charger.look()["car_offer_ma"] <= 13000
        assert not station.shows("7-6", 3)
        assert sum("config.json" in line for line in charger.console) == 1
        charger.do("unplug")
        charger.advance(90)
        assert copy_of(station) == good


def test_a_wrong_value_is_told_over_the_network_that_can_still_be_read(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.advance(5)
        path = station.folder / "config.json"
        spec = json.loads(path.read_text())
        path.write_text(json.dumps({**spec, "limit_a": "sixteen"}))
        cut_power(station)
        assert station.until(lambda: station.state()["faults"] == ["7-6"], 30)
        assert station.state()["limit_a"] == 6.0
        station.charger.do("plug", "generic")
        station.charger.do("ready")
        station.advance(30)
        assert station.state()["why"] == "fault" and not station.charger.look()["closed"]
