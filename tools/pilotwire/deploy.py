"""`pilotwire deploy`: the firmware of this folder onto a device that has one, over its serial port.

It goes beside the one that runs (update.py), and is on trial then: unless it has run for a minute without
a fault and without a car, its fourth start is the old one's. board.json is the device's own, with what
was measured on it.
"""

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
from pilotwire.update import ROOM, Update

_READY_S = 40  # real starts take some seconds
_BACK_S = 120  # three that fail, with 10 s between them


def check_settings(device, config):
    """ImageError, DeviceError when this version's firmware does not take the device's board.json, and the
    new config.json, or the device's own."""
    with tempfile.TemporaryDirectory(prefix="pilotwire-deploy-") as folder:
        folder = Path(folder)
        for name in device.names:  # the authority's file must be there
            if name.count(".") == 1:
                (folder / name).touch()
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
    plan = update.plan()
    if not plan:
        if args.config:
            send_config(device, args.config, end)
            end.state = ending.SETTINGS
            print("settings: sent")
        print("firmware: the device has this one, nothing was changed")
    else:
        end.state = ending.OLD_FIRMWARE
        try:
            update.write(plan)
        except Full:
            raise Full("the device's file system became full", ROOM) from None
        if args.config:
            send_config(device, args.config, end)
            print("settings: sent")
        end.state = ending.EITHER_FIRMWARE
        update.switch()
        end.state = ending.ON_TRIAL
        print(f"firmware: {len(plan.sent)} files sent, {len(plan.copies)} copied on the device, into"
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
