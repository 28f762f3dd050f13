"""The command line: what `pilotwire` can be told."""

import argparse
import importlib
import sys

from pilotwire import board_command, cli_serial, doctor, stock_release

# A command is the function command() of the module with its name, but for these.
_MODULES = {"board": "board_command", "config": "settings"}


def _speed(text):
    if text == "max":
        return 0
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0.01 <= value <= 1000:
        raise argparse.ArgumentTypeError("a number from 0.01 to 1000, or max")
    return value


def _seed(text):
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value < 2**31:
        raise argparse.ArgumentTypeError("a whole number from 0 to 2147483647")
    return value


def _width(text):
    if not text.isdecimal() or not 60 <= int(text) <= 250:
        raise argparse.ArgumentTypeError("a whole number from 60 to 250")
    return int(text)


def parser():
    top = argparse.ArgumentParser(
        prog="pilotwire", description="Tools for Pilotwire, firmware for AC charging stations."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run", help="play a scenario or a measured trace to the virtual charger",
        description="Play a scenario (CSV: t_s,event,value) or a measured trace to the firmware on "
        "the virtual charger, with a broker and a backend. Without FILE: the built-in scenario.",
    )
    run.add_argument("file", nargs="?", metavar="FILE", help="scenario or trace")
    run.add_argument("--board", default="reference-3p", metavar="B",
                     help="a folder in boards/, or a path (default: %(default)s)")
    run.add_argument("--speed", type=_speed, metavar="N|max",
                     help="virtual seconds a second; default 20 at a terminal, else max")
    run.add_argument("--broker", metavar="URL",
                     help="mqtt://[user:password@]host[:port] instead of the embedded broker")
    run.add_argument("--seed", type=_seed, default=1, metavar="N",
                     help="of all noise and tolerances (default: %(default)s)")
    run.add_argument("--events", metavar="FILE|-",
                     help="write everything noticeable as JSON lines, with virtual time")
    run.add_argument("--headless", action="store_true", help="plain lines also at a terminal")
    run.add_argument("--keep", metavar="DIR",
                     help="where flash, configuration and records stay (default: build/runs/NNNN); "
                     "a second run there goes on with the same flash")
    bench = commands.add_parser(
        "bench", help="measure the figures that the project promises",
        description="A row a figure; exit status 1 if one falls short of its bound.",
    )
    bench.add_argument("--json", action="store_true", help="a list of objects instead of rows")
    bench.add_argument("--only", default="", metavar="PREFIX", help="figures whose name begins so")
    bench.add_argument("--seed", type=_seed, default=1, metavar="N")
    scope = commands.add_parser(
        "scope", help="draw pilot, plateaus, state and contactor around an event",
        description="Play a scenario to the virtual charger without a network, and draw the pilot, "
        "what the firmware made of it and the contactor around one instant: as text, and with --png "
        "as a picture. Without FILE: a car is plugged in, charges and is unplugged under load. With "
        "--record: what a device has recorded before a fault.",
    )
    scope.add_argument("file", nargs="?", metavar="FILE", help="scenario or trace")
    when = scope.add_mutually_exclusive_group()
    when.add_argument("--at", metavar="T_S", help="scenario time in seconds")
    when.add_argument("--event", metavar="NAME",
                      help="the first event of this kind: of a scenario, a plant fault, contactor, "
                      "contacts, pilot (default: unplug)")
    when.add_argument("--record", metavar="EVENT.json",
                      help="draw the half second that a device tells in its `event`; - reads stdin")
    scope.add_argument("--before", metavar="MS", help="begin so long before the cause")
    scope.add_argument("--after", metavar="MS",
                       help="end so long after the cause (default: when the reaction is over)")
    scope.add_argument("--png", metavar="FILE", help="write the picture here")
    scope.add_argument("--seed", type=_seed, default=1, metavar="N",
                       help="of all noise and tolerances (default: %(default)s)")
    scope.add_argument("--board", default="reference-3p", metavar="B",
                       help="a folder in boards/, or a path (default: %(default)s)")
    scope.add_argument("--width", type=_width, metavar="N",
                       help="columns of the text plot (default: the terminal's)")
    codes = commands.add_parser(
        "codes", help="the fault codes: what they mean, and what the light does",
        description="The fault table as the firmware has it: as text, Markdown or JSON, or as a sticker "
        "for the inside of the lid. --check proves that README, texts and schema follow from it.",
    )
    what = codes.add_mutually_exclusive_group()
    what.add_argument("--format", choices=("text", "md", "json"), default="text",
                      help="json has all columns in all languages (default: %(default)s)")
    what.add_argument("--sticker", metavar="FILE.svg",
                      help="write the sticker here: A5, or A4 with both languages")
    what.add_argument("--check", action="store_true",
                      help="print what differs, or that nothing does; status 1 if something does")
    codes.add_argument("--lang", choices=("en", "de", "both"), default="en",
                       help="of what people read (default: %(default)s)")
    show = commands.add_parser(
        "show", help="draw what LED and display do for a code",
        description="Let the firmware show a fault code on the virtual charger: the LED over one cycle, "
        "each page of the display.",
    )
    show.add_argument("code", metavar="CODE", help="as the display shows it: 1-2 or E1-2")
    show.add_argument("--png", metavar="FILE", help="write a picture here")
    show.add_argument("--board", default="reference-3p", metavar="B",
                      help="a folder in boards/, or a path (default: %(default)s)")
    show.add_argument("--lang", choices=("en", "de"), default="en",
                      help="of the display (default: %(default)s)")
    image = commands.add_parser(
        "image", help="make one file for a chip's flash, from a stock MicroPython",
        description="From a stock MicroPython for ESP32_GENERIC, v1.24 or newer, given or downloaded and "
        "checked by its SHA-256: the same bootloader and "
        "application, a partition for the journal, and a file system with the firmware, the board's and "
        "the station's settings. Says how to write it. Such an image has never been written to a real "
        "device.",
    )
    image.add_argument("file", nargs="?", metavar="STOCK.bin",
                       help="as micropython.org offers it for 0x1000 (default: it is downloaded)")
    stock_release.add_options(image)
    image.add_argument("--board", required=True, metavar="B", help="a folder in boards/, or a path")
    image.add_argument("--config", metavar="config.json",
                       help="the station's settings; they are checked as the device does")
    image.add_argument("-o", dest="out", required=True, metavar="OUT.bin", help="write the image here")
    board_command.add(commands)
    doctor.add_parser(commands)
    cli_serial.add(commands)
    return top


def main(argv=None):
    """Entry point; returns the exit status."""
    args = parser().parse_args(argv)
    module = "pilotwire." + _MODULES.get(args.command, args.command)
    try:
        return importlib.import_module(module).command(args)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


if __name__ == "__main__":
    sys.exit(main())
