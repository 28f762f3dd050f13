"""`pilotwire deploy`: the firmware of this folder onto a device that has one, over its serial port.

It goes beside the one that runs (update.py), and is on trial then: unless it has run for a minute without
a fault and without a car, its fourth start is the old one's. board.json is the device's own, with what
was measured on it.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from pilotwire import ending, image, serial_port
from pilotwire.device import Device, Full
from pilotwire.device_build import compile_tree
from pilotwire.ending import Ending
from pilotwire.esp_image import ImageError
from pilotwire.first_minute import NOT_PROVED, Ended, Ready, come_through, started
from pilotwire.run import board_file
from pilotwire.serial_port import DeviceError, choose
from pilotwire.update import ROOM, Update, slot_of

_ARCH = "xtensawin"  # of an ESP32's native code
_LEFT = ("config.json.new", "config.new.json")  # with secrets, by an update or a copy that was cut
_READY_S = 40  # real starts take some seconds
_BACK_S = 120  # three that fail, with 10 s between them
_SETTLED_S = 2  # between its line of health and `slot`, which it writes in the same second
_PROVED = "it is proved as soon as no car is plugged in"
_UNSEEN = "it is proved as soon as no fault and no car keeps it on trial"
_TRIAL = (
    "that keeps it on trial. If it lasts, the device restarts by itself after three minutes, and after"
    " three starts the old firmware is back"
)


def check_settings(device, config=None):
    """The device's board.json, read; ImageError, DeviceError when this version's firmware does not take
    it, or this config.json, or the device's own."""
    board = device.read("board.json")
    if board is None:
        raise DeviceError("the device has no board.json", "pilotwire flash writes all of it anew")
    text = Path(config).read_bytes() if config else device.read("config.json")
    with tempfile.TemporaryDirectory(prefix="pilotwire-deploy-") as folder:
        folder = Path(folder)
        (folder / "board.json").write_bytes(board)
        if text is not None:
            (folder / "config.json").write_bytes(text)
            beside = image.authority(Path(config)) if config else None
            name = image.authority_named(text)
            if beside:
                (folder / name).write_bytes(beside.read_bytes())
            elif name in device.names:
                (folder / name).write_bytes(device.read(name))
        image.check(folder, config=text is not None)
    return json.loads(board)


def send_config(device, path, end):
    """config.json, and before it the authority's file that it names, each whole or not at all."""
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
            if args.no_wait:
                raise ImageError("--config waits until the new firmware is proved: not with --no-wait")
        port = choose(args.port)
        serial_port.check(port)
        tree = compile_tree(Path(folder) / "device", arch=_ARCH, umqtt=False)  # it runs on meanwhile
        with Device(port, end) as device:
            slot, end.status = _firmware(args, device, tree, end)
        if slot and args.config:
            _settings_behind(args, port, slot, end)
    return end.status


def _firmware(args, device, tree, end):
    """(slot of a firmware that was sent, None when it has this one; the exit status)."""
    if device.arch != _ARCH:
        raise DeviceError(f"native code for it is {device.arch}, not {_ARCH}")
    _check_board(check_settings(device, args.config), args.board)
    for name in _LEFT:
        if name in device.names:
            device.run(f"_rm({name!r})")
    update = Update(device, tree)
    update.check_shared()
    plan = update.plan()
    if not plan:
        end.state = ending.OLD_FIRMWARE
        if update.mend_manifest():
            print("firmware: the device has this one; its manifest.txt was missing or wrong, and is sent")
        else:
            print("firmware: the device has this one, nothing was changed")
        if args.config:
            return None, _with_settings(args, device, update.proved, end).status
        device.restart()
        return None, _started(device.console(), update.proved).status
    if args.config:
        _check_own(device)
    end.state = ending.OLD_FIRMWARE
    try:
        update.write(plan)
    except Full:
        raise Full("the device's file system became full", ROOM) from None
    end.state = ending.EITHER_FIRMWARE
    update.switch()
    end.state = ending.ON_TRIAL
    print(f"firmware: {len(plan.sent)} files sent, {len(plan.copies)} copied on the device, into"
          f" slot {update.target}")
    device.restart()
    return update.target, _report(args, device.console(), update.target)


def _check_own(device):
    """The new firmware is proved with the settings that are there; only then others are sent."""
    if "config.json" not in device.names:
        raise DeviceError("the device has no config.json, and so proves no firmware",
                          "First pilotwire config write")
    try:
        check_settings(device)
    except ImageError as problem:
        raise DeviceError(f"the device's own {problem}", "First pilotwire config write") from None


def _settings_behind(args, port, slot, end):
    """The settings, to a new firmware that is proved with the old ones."""
    end.state = ending.FIRMWARE_ONLY
    with Device(port, end, ending.FIRMWARE_ONLY.text) as device:
        if slot_of((device.read("slot") or b"").decode(errors="replace")) != (slot, None):
            raise DeviceError("the settings are not sent: a car or a fault keeps the firmware on trial",
                              state=ending.FIRMWARE_ONLY)
        print("firmware: proved")
        _with_settings(args, device, slot, end)


def _with_settings(args, device, slot, end):
    """Ready, of a start with the settings that are sent here; DeviceError."""
    send_config(device, args.config, end)
    end.state = ending.SETTINGS
    print("settings: sent")
    device.restart()
    console = device.console()
    ready = _started(console, slot)
    for remark in console.remarks:
        if "ConfigError" in remark:
            raise DeviceError(f"the device does not take them: {remark.strip()}")
    return ready


# What the device says afterwards ------------------------------------------------------------------


def _started(console, slot):
    """Ready, of this slot; Ended, DeviceError."""
    ready = started(console, _READY_S)
    _print(ready)
    if ready.slot != slot:
        raise DeviceError("the new firmware did not start", state=ending.OLD_IS_BACK)
    return ready


def _print(ready):
    print(f"the device runs {ready.version} in slot {ready.slot}, self-test {ready.selftest}")


def _report(args, console, slot):
    """The exit status of a firmware on trial; DeviceError when it does not come through its minute."""
    try:
        ready = _started(console, slot)
        if args.no_wait:
            print(NOT_PROVED)
            return ready.status
        health = come_through(console)
    except Ended as problem:
        _taken_back(console, slot, problem)
    print(f"{health}: {_TRIAL if health.blocked else _PROVED if health.known else _UNSEEN}")
    if args.config:
        if health.blocked:
            raise DeviceError("the settings are not sent", state=ending.FIRMWARE_ONLY)
        console.wait(_SETTLED_S)
    return ready.status


def _taken_back(console, slot, problem):
    """DeviceError, in any case: when the old firmware is back, or has not come back in time."""
    print(f"{problem}: waiting for the old firmware", file=sys.stderr)
    ready, end_s = problem.ready, time.monotonic() + _BACK_S
    while (not ready or ready.slot == slot) and (left_s := end_s - time.monotonic()) > 0:
        ready = console.wait(left_s, Ready, what="waiting for the old firmware")
    if not ready or ready.slot == slot:
        raise DeviceError(str(problem), state=ending.ON_TRIAL)
    _print(ready)
    raise DeviceError(str(problem), state=ending.OLD_IS_BACK)
