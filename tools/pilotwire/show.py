"""`pilotwire show CODE`: what LED and display do for a code, by the firmware itself, in virtual time."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

from pilotwire import codes, show_draw
from pilotwire.charger import HEAP, ROOT, VIRTUAL, ChargerError, micropython, search_path
from pilotwire.run import Unusable, board_file


def watch(code, board, language):
    """What tools/virtual_charger/show.py prints; `board`: path of a board.json."""
    with tempfile.TemporaryDirectory(prefix="pilotwire-show-") as folder:
        shutil.copyfile(board, f"{folder}/board.json")
        done = subprocess.run(
            [micropython(), "-X", "heapsize=" + HEAP, str(VIRTUAL / "show.py")],
            input=json.dumps({"dir": folder, "code": code, "language": language}) + "\n",
            env={**os.environ, "MICROPYPATH": search_path(ROOT / "firmware")},
            capture_output=True, text=True, check=False,
        )
    if done.returncode:
        raise ChargerError("the firmware did not show it: " + (done.stdout + done.stderr).strip()[-200:])
    return json.loads(done.stdout)


def command(args):
    """0, or 2 with one line when there is no such code or board, or a file cannot be written."""
    made = {row["code"]: row for row in codes.rows()}
    code = args.code.upper().removeprefix("E")
    try:
        if code not in made:
            raise Unusable(f"there is no code {args.code!r}; there are {' '.join(made)}")
        seen = watch(code, board_file(args.board), args.lang)
        if args.png:
            show_draw.picture(made[code], seen, args.lang).save(args.png, "PNG")
    except (Unusable, ChargerError) as problem:
        print(f"pilotwire show: {problem}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"pilotwire show: {args.png} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    wide = shutil.get_terminal_size().columns if sys.stdout.isatty() else 1000
    for line in show_draw.as_text(made[code], seen, args.lang, wide, colours=sys.stdout.isatty()):
        print(line)
    return 0
