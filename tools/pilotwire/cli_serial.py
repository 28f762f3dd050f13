"""The parsers of the commands for a device on a serial port."""

from pilotwire import stock_release


def add(commands):
    _flash(commands)
    _deploy(commands)
    _config(commands)


def _port(parser):
    parser.add_argument("--port", metavar="P",
                        help="/dev/ttyUSB0, COM3 or the like (default: the only USB serial port)")


def _no_wait(parser):
    parser.add_argument("--no-wait", action="store_true",
                        help="do not wait for its first minute: it has started, and is not proved")


def _flash(commands):
    flash = commands.add_parser(
        "flash", help="write an image to a chip, and wait until the firmware reports",
        description="Write a whole image of `pilotwire image`, or one that is made here of a stock "
        "MicroPython and a board, with esptool. The journal's records stay. Never while it charges.",
    )
    flash.add_argument("file", nargs="?", metavar="STOCK.bin|IMAGE",
                       help="default: a stock MicroPython is downloaded")
    _port(flash)
    stock_release.add_options(flash)
    flash.add_argument("--board", metavar="B", help="not with IMAGE: a folder in boards/, or a path")
    flash.add_argument("--config", metavar="config.json", help="not with IMAGE: the station's settings")
    flash.add_argument("--baud", type=int, default=460800, metavar="N",
                       help="of the writing (default: %(default)s)")
    _no_wait(flash)


def _deploy(commands):
    deploy = commands.add_parser(
        "deploy", help="update the firmware on a device, over its serial port",
        description="Send what differs of this firmware to a device that has one. Never while it "
        "charges. An old or a new firmware is whole at any time; one that does not prove itself in three "
        "starts is taken back. Waits until the new one has run for a minute. board.json is not changed.",
    )
    _port(deploy)
    deploy.add_argument("--board", metavar="B",
                        help="a folder in boards/, or a path: refuse a device with another board")
    deploy.add_argument("--config", metavar="config.json",
                        help="send these settings, too: afterwards, when the new firmware is proved with "
                        "the old ones")
    _no_wait(deploy)


def _config(commands):
    config = commands.add_parser(
        "config", help="a station's settings: guided set-up, check, explain, read, write",
        description="Without an action: ask for the settings of a station, check each answer as the "
        "device does, and write a config.json that only you may read.",
    )
    config.add_argument("-o", dest="out", default="config.json", metavar="FILE",
                        help="of the guided set-up (default: %(default)s)")
    actions = config.add_subparsers(dest="action", metavar="ACTION")
    check = actions.add_parser("check", help="would the device take this file")
    check.add_argument("file", metavar="FILE")
    explain = actions.add_parser("explain", help="names, units, defaults and what they mean")
    explain.add_argument("name", nargs="?", metavar="NAME")
    read = actions.add_parser("read", help="show a device's settings; it restarts")
    _port(read)
    read.add_argument("-o", dest="out", metavar="FILE", help="keep them here, with their secrets")
    write = actions.add_parser("write", help="give a device other settings; it restarts")
    write.add_argument("file", metavar="FILE")
    _port(write)
