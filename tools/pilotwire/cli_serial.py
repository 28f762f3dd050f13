"""The parsers of the commands for a device on a serial port."""


def add(commands):
    _deploy(commands)


def _port(parser):
    parser.add_argument("--port", metavar="P",
                        help="/dev/ttyUSB0, COM3 or the like (default: the only USB serial port)")


def _deploy(commands):
    deploy = commands.add_parser(
        "deploy", help="update the firmware on a device, over its serial port",
        description="Send what differs of this firmware to a device that has one. Never while it "
        "charges. An old or a new firmware is whole at any time; one that does not prove itself in three "
        "starts is taken back. board.json is not changed.",
    )
    _port(deploy)
    deploy.add_argument("--board", metavar="B",
                        help="a folder in boards/, or a path: refuse a device with another board")
    deploy.add_argument("--config", metavar="config.json", help="send these settings, too")
