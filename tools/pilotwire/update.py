"""One update of the firmware on a device (device.py), into the slot that is not the proved one.

There is room for two: one at the root of the device's files, as an image has it, called a; one in the
folder b. The file `slot` names the one that runs (firmware/main.py). What is new is written beside the
one that runs, and looked at there; then `slot` is replaced in one step: power or cable may go at any
time, and an old or a new firmware starts, whole. boot.py and main.py are shared and never changed.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pilotwire.device import Full
from pilotwire.serial_port import DeviceError

_FOLDER = {"a": "", "b": "b/"}
_OTHER = {"a": "b", "b": "a"}
_MANIFEST = "manifest.txt"
_SPARE = 8  # one in so many blocks stays free: littlefs copies before it erases
ROOM = "Take away files that are not Pilotwire's, with mpremote. Try again"


def files_of(tree, slot):
    """({path on the device: bytes} of a built firmware in this slot, the bytes of its manifest)."""
    prefix = _FOLDER[slot]
    found = {
        prefix + path.relative_to(tree).as_posix(): path.read_bytes()
        for path in sorted((tree / "pilotwire").rglob("*.*"))
    }
    lines = (tree / _MANIFEST).read_text().splitlines(True)
    up = "../" if prefix else ""  # the files that both slots share are at the root
    return found, "".join(
        line if "/" in line or line[0] == "#" else line[:66] + up + line[66:] for line in lines
    ).encode()


def digest(data):
    return hashlib.sha256(data).hexdigest()


def _sums_of(files):
    return {path: digest(data) for path, data in files.items()}


def slot_of(text):
    """(slot that is proved, slot on trial or None) of what the file `slot` holds."""
    now = "b" if text[:1] == "b" else "a"
    return (_OTHER[now], now) if len(text) > 1 else (now, None)


@dataclass(frozen=True)
class Plan:
    """What is to be done to a slot. All paths are the device's."""

    files: dict  # path: bytes, all that the slot is to have but its manifest
    manifest: bytes
    copies: dict  # path: where the device has these bytes, in its other slot
    sent: list  # paths of what it has nowhere
    extra: list  # paths of what is in the way


class Update:
    """Of one Device to one built firmware. `proved`, `trial`, `target`: slots, as it is found."""

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
        """Plan; None when the device has this very firmware, proved. Full."""
        old = self._sums(self.proved)
        if not self.trial and old == _sums_of(files_of(self._tree, self.proved)[0]):
            return None
        files, manifest = files_of(self._tree, self.target)
        have = self._sums(self.target)
        by_sum = {one: path for path, one in old.items()}
        todo = {path: one for path, one in _sums_of(files).items() if have.get(path) != one}
        copies = {path: by_sum[one] for path, one in todo.items() if one in by_sum}
        self._check_room(len(files[path]) for path in todo)
        sent = [path for path in todo if path not in copies]
        return Plan(files, manifest, copies, sent, [path for path in have if path not in files])

    def mend_manifest(self):
        """Of the proved slot, which has all files of this firmware; whether there was a need."""
        path, data = _FOLDER[self.proved] + _MANIFEST, files_of(self._tree, self.proved)[1]
        lost = self.device.sum(path) != digest(data)
        if lost:
            self.device.replace(path, data)
        return lost

    def _sums(self, slot):
        return self.device.sums(_FOLDER[slot] + "pilotwire")

    def _check_room(self, lengths):
        """Full, before anything is written."""
        block, free, blocks = self.device.free()
        needs = [length // block + 1 for length in lengths]
        need = sum(needs) + len(needs) // 4 + 4
        if free - need < blocks // _SPARE:
            raise Full(
                f"the device's file system is full: {free * block >> 10} KB are free, the update needs"
                f" {need * block >> 10} KB and some room to breathe", ROOM,
            )

    def write(self, plan):
        """The firmware into its slot. The one that runs is not touched."""
        device, manifest = self.device, _FOLDER[self.target] + _MANIFEST
        if self.trial:  # what is there is given up, before it is changed
            device.replace("slot", self.proved.encode())
        device.run(f"_rm({manifest!r})")
        for path in plan.extra:
            device.run(f"_rm({path!r})")
        if self.target == "b":
            device.run("_dir('b')")
        for folder in sorted({str(Path(path).parent) for path in plan.files}, key=len):
            device.run(f"_dir({folder!r})")
        for path, old in plan.copies.items():
            device.run(f"_copy({old!r}, {path!r})\n_w.feed()")
        for path in plan.sent:
            device.write(path, plan.files[path])
        device.names = [*device.names, "b"]
        if self._sums(self.target) != _sums_of(plan.files):
            raise DeviceError("what the device has written is not what was sent")
        device.write(manifest, plan.manifest)

    def switch(self):
        """From the next start on the new firmware runs, on trial."""
        self.device.replace("slot", self.target.encode() + b"+")
