"""What `pilotwire flash` takes for a whole image: a copy that was cut off or has lost bits is refused."""

import json
import shutil

import pytest

from pilotwire import image
from pilotwire.cli import main
from serial_device import BOARD, CONFIG, build
from stock_bin import stock_bin
from test_image import damaged

FILES = 0x200000 - 0x1000  # where they begin


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A whole image's bytes."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "stock.bin").write_bytes(stock_bin())
    (folder / "config.json").write_text(json.dumps(CONFIG))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image, "compile_tree", lambda tree, **_: shutil.copytree(
            build(), tree, dirs_exist_ok=True))
        base = image.parsed((folder / "stock.bin").read_bytes(), "stock.bin")
        return image.build(base, BOARD, folder / "config.json").data


def at(data, text):
    """Where these bytes lie in its files; the damage is done there."""
    found = data.index(text, FILES)
    return data[: found + 3] + bytes([data[found + 3] ^ 0x10]) + data[found + 4 :]


@pytest.mark.parametrize("broken, words", [
    (lambda data: data[:-4096], "not where the journal begins, 0x3E0000"),
    (lambda data: data[:0x40000], "not where the journal begins"),
    (lambda data: data[:0x10000], "the application is cut off"),
    (lambda data: data + b"\xff" * 4096, "not where the journal begins"),
    (lambda data: damaged(data, 0x100), "the bootloader is damaged"),
    (lambda data: damaged(data, 0x10100), "the application is damaged"),
    (lambda data: at(data, b"import machine"), "in it is damaged"),
    (lambda data: at(data, b"kbd_intr"), "pilotwire/control.mpy in it is damaged"),
    (lambda data: at(data, b'": "garage"'), "config.json in it is damaged"),
    (lambda data: data[: FILES].ljust(len(data), b"\xff"), "the file system is damaged"),
], ids=["4 KB short", "no files", "half an application", "longer", "bootloader", "application", "a start "
        "file", "a file", "settings", "empty"])
def test_an_image_that_is_not_whole_is_not_written(whole, tmp_path, capsys, broken, words):
    path = tmp_path / "broken.bin"
    path.write_bytes(broken(whole))
    assert main(["flash", str(path), "--port", "/dev/ttyNONE7"]) == 2
    said = capsys.readouterr().err
    assert words in said and "Nothing was changed" in said and "broken.bin: " in said
