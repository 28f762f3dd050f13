"""A stock MicroPython that is downloaded: whole and with the right SHA-256, or not at all.

micropython.org is played by a server on this computer. No test has asked the real one.
"""

import hashlib
import re
import socket
import ssl
import sys
import urllib.request
from urllib.error import URLError

import pytest

from pilotwire import flash, image, partitions, stock_fetch, stock_release
from pilotwire.cli import main, parser
from pilotwire.esp_image import ImageError
from pilotwire.stock_release import Release, known
from stock_bin import stock_bin
from web_site import Site, gone, moved, whole

GOOD = stock_bin()
OTHER = GOOD[:-1] + b"?"
SUM = hashlib.sha256(GOOD).hexdigest()
FILE = "ESP32_GENERIC-20990101-v1.99.0.bin"
RELEASE = Release(FILE, SUM, ("a test",))
BY_HAND = (" Try again, or get it by hand from https://micropython.org/download/ESP32_GENERIC/"
           " and give the file")
VOUCHED = ["--stock", FILE, "--sha256", SUM]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and no proxy on the way to this computer."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache/pilotwire"


@pytest.fixture
def site(monkeypatch):
    """A Site that has the file, in the place of micropython.org."""
    with Site(whole(GOOD)) as site:
        monkeypatch.setattr(stock_fetch, "BASE", site.base)
        yield site


def failed(cache, release=RELEASE, **options):
    """What is said of a download that fails; nothing of it is left."""
    with pytest.raises(ImageError) as problem:
        stock_fetch.fetch(release, **options)
    assert not cache.exists() or not list(cache.iterdir())
    said = str(problem.value)
    assert "\n" not in said and said.endswith(BY_HAND)
    return said


# Downloaded -----------------------------------------------------------------------------------------


def test_the_right_file_is_kept_and_used_again_without_the_network(site, cache):
    assert stock_fetch.fetch(RELEASE) == (GOOD, "from 127.0.0.1, its SHA-256 is as known")
    assert site.asked == ["/" + FILE]
    assert [path.name for path in cache.iterdir()] == [FILE]
    site.close()
    assert stock_fetch.fetch(RELEASE) == (GOOD, f"from {cache}, its SHA-256 is as known")


def test_it_is_quiet_without_a_terminal_and_counts_on_one(site, cache, capsys, monkeypatch):
    stock_fetch.fetch(RELEASE)
    assert capsys.readouterr() == ("", "")
    (cache / FILE).unlink()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    stock_fetch.fetch(RELEASE)
    size = len(GOOD) >> 10
    said = capsys.readouterr().err
    assert said.startswith(f"\r{FILE}: ") and said.endswith(f"\r{FILE}: {size} of {size} KB\n")


def test_the_proxy_of_the_environment_is_asked(site, monkeypatch):
    monkeypatch.setattr(stock_fetch, "BASE", "http://firmware.invalid/")
    monkeypatch.setenv("http_proxy", site.base)
    monkeypatch.setenv("no_proxy", "")
    assert stock_fetch.fetch(RELEASE)[0] == GOOD
    assert site.asked == ["http://firmware.invalid/" + FILE]


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(site, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert stock_fetch.fetch(RELEASE)[0] == GOOD
    assert "the cache cannot be changed: /dev/null/pilotwire: Not a directory" in capsys.readouterr().err


def test_nothing_half_is_left_when_the_cache_takes_no_file(site, cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stock_fetch.os, "replace", full)
    assert stock_fetch.fetch(RELEASE)[0] == GOOD
    assert list(cache.iterdir()) == []


# Refused --------------------------------------------------------------------------------------------


def test_a_wrong_sum_is_told_with_both_and_nothing_is_kept(site, cache):
    site.answer = whole(OTHER)
    said = failed(cache)
    assert f"is refused, and nothing of it is kept: expected is the SHA-256 {SUM}, what came has " in said
    assert hashlib.sha256(OTHER).hexdigest() in said


def test_a_download_that_is_cut_in_the_middle_is_none(site, cache):
    site.answer = whole(GOOD[:5000], len(GOOD))
    assert f"it was cut off: 5000 of {len(GOOD)} bytes came" in failed(cache)
    site.answer = whole(GOOD[:5000], 0)  # and where nobody says how long it is
    assert "is refused" in failed(cache)


def test_a_release_that_is_gone_is_told_with_the_servers_answer(site, cache):
    site.answer = gone
    assert f"{site.base}{FILE} cannot be downloaded: it answers 404, Not Found." in failed(cache)


def test_no_network_is_told(site, cache, monkeypatch):
    site.close()
    assert "cannot be downloaded: Connection refused." in failed(cache)

    def nobody(*_, **__):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    assert "cannot be downloaded: no network, or no name service." in failed(cache)


def test_a_server_that_says_nothing_is_given_up(site, cache, monkeypatch):
    monkeypatch.setattr(stock_fetch, "_SILENT_S", 0.1)
    site.answer = site.silent
    assert "cannot be downloaded: nothing comes for 0.1 s." in failed(cache)


def test_a_server_that_drips_is_given_up_after_five_minutes(site, cache):
    site.answer = site.drip
    times = iter(range(0, 10_000, 100))
    said = failed(cache, clock=lambda: next(times))
    assert re.search(r"after 300 s only \d+ bytes have come\. ", said), said
    assert next(times) == 500  # the fourth look was too late


def test_a_flood_is_not_taken_in(site, cache, monkeypatch):
    monkeypatch.setattr(stock_fetch, "_MOST", 10_000)
    site.answer = site.drip
    assert "more than 9 KB come" in failed(cache)


def test_only_https_is_followed(site, cache):
    site.answer = moved(site.base + "elsewhere")
    assert f"it redirects to {site.base}elsewhere, which is no https." in failed(cache)
    assert site.asked == ["/" + FILE]
    asked = urllib.request.Request("https://micropython.org/a")
    there = stock_fetch._OnlyHttps().redirect_request(asked, None, 302, "", {}, "https://example.org/b")
    assert there.full_url == "https://example.org/b"


def test_a_certificate_that_is_not_trusted_is_told(site, cache, monkeypatch):
    def refused(*_, **__):
        raise URLError(ssl.SSLCertVerificationError(1, "certificate verify failed"))

    monkeypatch.setattr(urllib.request.HTTPHandler, "http_open", refused)
    assert "its certificate is not trusted on this computer" in failed(cache)


def test_a_damaged_cache_is_deleted_and_asked_for_again(site, cache, capsys):
    stock_fetch.fetch(RELEASE)
    (cache / FILE).write_bytes(OTHER)
    assert stock_fetch.fetch(RELEASE)[0] == GOOD
    assert f"{cache / FILE} is deleted: expected is the SHA-256 {SUM}, it has " in capsys.readouterr().err
    assert len(site.asked) == 2 and (cache / FILE).read_bytes() == GOOD
    (cache / FILE).write_bytes(GOOD[:-1])
    site.close()
    failed(cache)


# What is asked for ----------------------------------------------------------------------------------


def test_the_table_names_files_sums_and_where_they_come_from():
    table = stock_release.table()
    assert table["base"] == "https://micropython.org/resources/firmware/" == stock_fetch.BASE
    assert table["default"] in [release.version for release in known()]
    order = [tuple(map(int, release.version[1:].split("."))) for release in known()]
    assert order == sorted(set(order)) and order[0] >= (1, 24, 0)
    for release in known():
        assert stock_release.sha256(release.sha256) == release.sha256
        assert release.seen and all(release.seen)
    assert len({release.sha256 for release in known()}) == len(known())


@pytest.mark.parametrize("words, version", [
    ([], stock_release.table()["default"]), (["--stock", "v1.24.0"], "v1.24.0"),
    (["--stock", "1.28.0"], "v1.28.0"), (["--stock", known()[1].file], "v1.24.1"),
])
def test_a_release_is_asked_for_by_its_version_or_file_else_the_default(words, version, site, capsys):
    assert main(["image", *words, "--board", "reference-3p", "-o", "/dev/null/out"]) == 2
    (asked,) = [release for release in known() if release.version == version]
    assert site.asked == ["/" + asked.file]
    assert f"expected is the SHA-256 {asked.sha256}" in capsys.readouterr().err


@pytest.mark.parametrize("words, said", [
    (["--stock", "v1.2"], "no stock release 'v1.2' is known here; there are v1.24.0, "),
    (["--stock", "../../" + FILE, "--sha256", SUM], "no stock release '../../"),
    (["--stock", FILE], f"the SHA-256 of {FILE} is not known here: say it with --sha256"),
    (["--stock", "v1.24.0", "--sha256", SUM], f"has the SHA-256 {known()[0].sha256} here, not {SUM}"),
    (["--sha256", SUM], f"here, not {SUM}"),
    (["stock.bin", "--stock", "v1.24.0"], "--stock is for a download"),
    (["stock.bin", "--sha256", "0" * 64], f"stock.bin: it is refused: expected is the SHA-256 {'0' * 64},"
     f" it has {SUM}"),
])
def test_what_does_not_fit_is_refused_without_asking_anybody(
    words, said, site, tmp_path, monkeypatch, capsys,
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stock.bin").write_bytes(GOOD)
    assert main(["image", *words, "--board", "reference-3p", "-o", "out.bin"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and said in lines[0], lines
    assert site.asked == [] and not (tmp_path / "out.bin").exists()


def test_a_sum_is_64_hexadecimal_digits(capsys):
    for text in ("", "12", "g" * 64, SUM + "0"):
        with pytest.raises(SystemExit):
            parser().parse_args(["image", "--sha256", text, "--board", "b", "-o", "o"])
        assert "--sha256" in capsys.readouterr().err
    words = ["image", "--sha256", SUM.upper(), "--board", "b", "-o", "o"]
    assert parser().parse_args(words).sha256 == SUM


@pytest.fixture
def quick(monkeypatch):
    """The stock file alone for an image: no firmware is built."""
    monkeypatch.setattr(image, "build", lambda base, *_: image.Image(
        base.data, base, partitions.with_journal(base.table, 0x20000), 1, 1, 10))


def test_one_that_a_person_vouches_for_becomes_the_same_image_as_the_file(
    site, tmp_path, capsys, quick,
):
    (tmp_path / "stock.bin").write_bytes(GOOD)
    words = ["--board", "reference-3p", "-o", str(tmp_path / "out.bin")]
    assert main(["image", *VOUCHED, *words]) == 0
    assert f"  stock      {FILE}: from 127.0.0.1, its SHA-256 is as you say\n" in capsys.readouterr().out
    assert (tmp_path / "out.bin").read_bytes() == GOOD
    assert main(["image", str(tmp_path / "stock.bin"), *words]) == 0
    assert "stock.bin: its SHA-256 is none of those known here\n" in capsys.readouterr().out


def test_a_given_file_is_recognised_by_its_sum():
    assert stock_release.described(GOOD, SUM) == "its SHA-256 is as you say"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stock_release, "known", lambda: (RELEASE,))
        assert stock_release.described(GOOD) == f"its SHA-256 is that of {FILE}"


def test_flash_downloads_too_when_a_board_is_named(site, capsys, monkeypatch, quick):
    monkeypatch.setattr(flash, "esptool", lambda: ["esptool"])
    assert main(["flash", *VOUCHED, "--board", "reference-3p", "--port", "/dev/ttyNONE7"]) == 1
    assert "there is no /dev/ttyNONE7" in capsys.readouterr().err
    assert site.asked == ["/" + FILE]
    assert main(["flash", "--port", "/dev/ttyNONE7"]) == 2
    assert "which board with --board" in capsys.readouterr().err


def test_the_cache_is_the_set_ups(monkeypatch):
    monkeypatch.syspath_prepend(str(stock_release._TABLE.parents[1] / "setup"))
    from common import cache_folder

    for home in ("/somewhere", "relative", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", home)
        assert stock_fetch.cache_folder() == cache_folder()
