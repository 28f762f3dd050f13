"""`pilotwire deploy`: the firmware of this folder onto a device that has one, over its serial port.

There is room for two: one at the root of its files, as an image has it, called a; one in the folder b.
The file `slot` names the one that runs (firmware/main.py). An update goes into the other one, is looked
at there, and then `slot` is replaced in one step: power or cable may go at any time, and an old or a new
firmware starts, whole. The new one is on trial: unless it has run for a minute without a fault and
without a car, its fourth start is the old one's.

boot.py and main.py are shared and never changed here; board.json is the device's own, with what was
measured on it.
"""

import hashlib
import json
import re
import sys
import tempfile
from pathlib import Path

from pilotwire import ending, image
from pilotwire.device import Device, Full
from pilotwire.device_build import compile_tree
from pilotwire.ending import Ending
from pilotwire.run import board_file
from pilotwire.serial_port import DeviceError, choose

_BLOCK = 4096
_FOLDER = {"a": "", "b": "b/"}
_OTHER = {"a": "b", "b": "a"}
_SPARE = 8  # one in so many blocks stays free: littlefs copies before it erases
_READY_S = 40  # real starts take some seconds
_BACK_S = 120  # three that fail, with 10 s between them
_ROOM = "Take away files that are not Pilotwire's, with mpremote. Try again"


def files_of(tree, slot):
    """{path on the device: bytes} of a built firmware in this slot; the manifest is the last one."""
    prefix = _FOLDER[slot]
    found = {
        prefix + path.relative_to(tree).as_posix(): path.read_bytes()
        for path in sorted((tree / "pilotwire").rglob("*.*"))
    }
    lines = (tree / "manifest.txt").read_text().splitlines(True)
    up = "../" if prefix else ""  # the files that both slots share are at the root
    found[prefix + "manifest.txt"] = "".join(
        line if "/" in line or line[0] == "#" else line[:66] + up + line[66:] for line in lines
    ).encode()
    return found


def digest(data):
    return hashlib.sha256(data).hexdigest()


def slot_of(text):
    """(slot that is proved, slot on trial or None) of what the file `slot` holds."""
    now = "b" if text[:1] == "b" else "a"
    return (_OTHER[now], now) if len(text) > 1 else (now, None)


class Update:
    """One update of one Device. `lines`: what was done, for people."""

    def __init__(self, device, tree):
        self.device = device
        self._tree = Path(tree)
        text = (device.read("slot") or b"").decode(errors="replace")
        self.proved, self.trial = slot_of(text)
        self.target = _OTHER[self.proved]

    def check_shared(self):
        """DeviceError when the files that both slots share are others than this build's."""
        for name in ("boot.py", "main.py"):
            if self.device.sum(name) != digest((self._tree / name).read_bytes()):
                raise DeviceError(
                    f"the device's {name} is not this version's, and an update does not change it",
                    "pilotwire flash writes all of it anew",
                )

    def plan(self):
        """Decide what is to be done; False when the device has this very firmware, proved."""
        device, new = self.device, files_of(self._tree, self.target)
        self._manifest = list(new)[-1]
        self._new = {path: data for path, data in new.items() if path != self._manifest}
        self._manifest_data = new[self._manifest]
        self._sums = {path: digest(data) for path, data in self._new.items()}
        self._have = device.sums(_FOLDER[self.target] + "pilotwire")
        old_prefix, prefix = _FOLDER[self.proved], _FOLDER[self.target]
        old = device.sums(old_prefix + "pilotwire")
        same = {old_prefix + path[len(prefix) :]: one for path, one in self._sums.items()}
        if not self.trial and old == same:
            return False
        by_sum = {one: path for path, one in old.items()}
        todo = [path for path, one in self._sums.items() if self._have.get(path) != one]
        self.copies = {path: by_sum[self._sums[path]] for path in todo if self._sums[path] in by_sum}
        self.sent = [path for path in todo if path not in self.copies]
        self._extra = [path for path in self._have if path not in self._new]
        self._check_room(todo)
        return True

    def _check_room(self, todo):
        """Full, before anything is written."""
        block, free, blocks = self.device.free()
        need = sum(len(self._new[path]) // block + 1 for path in todo) + len(todo) // 4 + 4
        if free - need < blocks // _SPARE:
            raise Full(
                f"the device's file system is full: {free * block >> 10} KB are free, the update needs"
                f" {need * block >> 10} KB and some room to breathe", _ROOM,
            )

    def write(self):
        """The firmware into its slot. The one that runs is not touched."""
        device, prefix = self.device, _FOLDER[self.target]
        if self.trial:  # what is there is given up, before it is changed
            device.replace("slot", self.proved.encode())
        device.run(f"_rm({self._manifest!r})")
        for path in self._extra:
            device.run(f"_rm({path!r})")
        if prefix:
            device.run("_dir('b')")
        for folder in sorted({str(Path(path).parent) for path in self._new}, key=len):
            device.run(f"_dir({folder!r})")
        for path, old in self.copies.items():
            device.run(f"_copy({old!r}, {path!r})\n_w.feed()")
        for path in self.sent:
            device.write(path, self._new[path])
        device.names = [*device.names, "b"]
        if device.sums(prefix + "pilotwire") != self._sums:
            raise DeviceError("what the device has written is not what was sent")
        device.write(self._manifest, self._manifest_data)

    def switch(self):
        """From the next start on the new firmware runs, on trial."""
        self.device.replace("slot", self.target.encode() + b"+")


def check_settings(device, config):
    """ImageError, DeviceError when this version's firmware does not take the device's board.json, and the
    new config.json, or the device's own."""
    with tempfile.TemporaryDirectory(prefix="pilotwire-deploy-") as folder:
        folder = Path(folder)
        for name in device.names:  # the authority's file must be there
            if name.endswith(".der"):
                (folder / name).write_bytes(device.read(name))
        for name in ("board.json", "config.json"):
            data = device.read(name)
            if data is None and name == "board.json":
                raise DeviceError("the device has no board.json", "pilotwire flash writes all of it anew")
            if data is not None:
                (folder / name).write_bytes(data)
        if config:
            (folder / "config.json").write_bytes(Path(config).read_bytes())
            beside = image.authority(Path(config))
            if beside:
                (folder / beside.name).write_bytes(beside.read_bytes())
        image.check(folder, config=bool(config) or "config.json" in device.names)
        return json.loads((folder / "board.json").read_text())


def send_config(device, path, end):
    """config.json, and the authority's file that it names, each whole or not at all."""
    path = Path(path)
    end.state = ending.EITHER_SETTINGS
    beside = image.authority(path)
    if beside:
        device.replace(beside.name, beside.read_bytes())
    device.replace("config.json", path.read_bytes())


def _check_board(spec, wanted):
    """DeviceError when it is another board than the person says."""
    if wanted:
        name = json.loads(board_file(wanted).read_text()).get("name")
        if spec.get("name") != name:
            raise DeviceError(f"the device is a board {spec.get('name')}, not {name}")


def command(args):
    """0; 1 when the device refuses or fails, 2 when there is nothing to send."""
    with Ending("deploy") as end, tempfile.TemporaryDirectory(prefix="pilotwire-deploy-") as folder:
        if args.board:
            board_file(args.board)
        if args.config:
            Path(args.config).read_bytes()
        with Device(choose(args.port), end) as device:
            tree = compile_tree(Path(folder) / "device", arch=device.arch, umqtt=False)
            end.status = _deploy(args, device, tree, end)
    return end.status


def _deploy(args, device, tree, end):
    _check_board(check_settings(device, args.config), args.board)
    update = Update(device, tree)
    update.check_shared()
    if not update.plan():
        if args.config:
            send_config(device, args.config, end)
            end.state = ending.SETTINGS
            print("settings: sent")
        print("firmware: the device has this one, nothing was changed")
    else:
        end.state = ending.OLD_FIRMWARE
        try:
            update.write()
        except Full:
            raise Full("the device's file system became full", _ROOM) from None
        if args.config:
            send_config(device, args.config, end)
            print("settings: sent")
        end.state = ending.EITHER_FIRMWARE
        update.switch()
        end.state = ending.ON_TRIAL
        print(f"firmware: {len(update.sent)} files sent, {len(update.copies)} copied on the device, into"
              f" slot {update.target}")
        device.restart()
        return _report(device, update.target)
    device.restart()
    return _report(device, update.proved)


def _report(device, slot):
    """What the device says when it has started: that it runs this slot, or the other one."""
    ready, before = device.ready(_READY_S)
    errors = [line for line in before.splitlines() if re.match(r"\w*(Error|Interrupt)\b", line)]
    why = f" ({errors[-1]})" if errors else ""
    if ready is None and errors:
        print(f"it does not start{why}: waiting for the old firmware", file=sys.stderr)
        ready, _ = device.ready(_BACK_S)
    if ready is None:
        raise ending.no_word(before)
    version, now, selftest = ready
    print(f"the device runs {version} in slot {now}, self-test {selftest}")
    if now != slot:
        raise DeviceError(f"the new firmware did not start{why}", state=ending.OLD_IS_BACK)
    return 0 if selftest == "passed" else 1
