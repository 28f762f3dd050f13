"""`pilotwire board check`, `list` and `wiring`: boards as data that people can trust."""

import dataclasses
import json
import sys
from pathlib import Path

from pilotwire.charger import ROOT


def add(commands):
    """The parsers; `commands`: of argparse."""
    board = commands.add_parser(
        "board", help="check a board's file, draw its wiring, list the boards",
        description="A board is a folder with board.json: pins, levels, ratings.",
    )
    what = board.add_subparsers(dest="what", required=True, metavar="WHAT")
    check = what.add_parser(
        "check", help="say all that is wrong with a board",
        description="Errors are what the firmware refuses, what an ESP32 cannot do, or what could not be "
        "trusted; warnings are what hardware must make good. Exit status: 0 none but warnings, 1 errors, "
        "2 a file that cannot be read.",
    )
    check.add_argument("boards", nargs="*", metavar="BOARD|PATH",
                       help="a folder in boards/, or a path (default: all of boards/)")
    check.add_argument("--json", action="store_true", help="a list of objects, one a board")
    what.add_parser("list", help="a line for each board")
    wiring = what.add_parser(
        "wiring", help="draw which GPIO goes where, as SVG",
        description="The picture is made from board.json alone. It is no circuit diagram.",
    )
    wiring.add_argument("board", metavar="BOARD", help="a folder in boards/, or a path")
    wiring.add_argument("-o", dest="out", metavar="FILE.svg",
                        help="write it here (default: wiring.svg beside board.json)")


def command(args):
    """Exit status."""
    return {"check": _check, "list": _list, "wiring": _wiring}[args.what](args)


def _fail(text):
    print(f"pilotwire board: {text}", file=sys.stderr)
    return 2


def _check(args):
    from pilotwire.board_check import check
    from pilotwire.board_spec import Unreadable, board_files
    from pilotwire.run import Unusable

    status, told = 0, []
    for name in args.boards or board_files():
        try:
            path = _path(name)
            found = check(path)
        except (Unreadable, Unusable) as problem:
            status = _fail(problem)
            continue
        errors = [one for one in found if one.severity == "error"]
        status = max(status, 1 if errors else 0)
        told.append({"board": _shown(path), "ok": not errors,
                     "problems": [dataclasses.asdict(one) for one in found]})
        if not args.json:
            print(f"{_shown(path)}: {_count(len(errors), 'error')},"
                  f" {_count(len(found) - len(errors), 'warning')}")
            for one in found:
                print(f"  {one.severity:7}  {one}")
    if args.json:
        print(json.dumps(told, indent=1))
    return status


def _path(name):
    """Of a board's file; what looks like a path is taken as one, also when nothing is there."""
    from pilotwire.run import board_file

    path = Path(name)
    return path if path.suffix == ".json" else board_file(str(name))


def _shown(path):
    path = path.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _count(number, word):
    return f"{number} {word}" + ("" if number == 1 else "s")


def _list(_):
    from pilotwire.board_docs import summary
    from pilotwire.board_spec import board_files

    rows = [summary(path) for path in board_files()]
    wide = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        print("  ".join([*(cell.ljust(size) for cell, size in zip(row, wide, strict=False)), row[-1]]))
    return 0


def _wiring(args):
    from pilotwire.board_check import errors
    from pilotwire.board_spec import Unreadable, read
    from pilotwire.board_wiring import drawing
    from pilotwire.run import Unusable

    try:
        path = _path(args.board)
        wrong = errors(path)
        if wrong:
            return _fail(f"{_shown(path)}: {wrong[0]} (see `pilotwire board check`)")
        out = Path(args.out) if args.out else path.with_name("wiring.svg")
        out.write_text(drawing(read(path)[0]))
    except (Unreadable, Unusable) as problem:
        return _fail(problem)
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}")
    print(out)
    return 0
