"""Ctrl-C at the console, looked for once a second: it stops the loop between two turns, but no charge.

Noise on the receive line may look like it, and `pilotwire deploy` asks in this way whether it may begin.
"""

import select
import sys

from micropython import const

_MOST = const(8)  # characters a second: each costs a poll, noise may send many
_CTRL_C = b"\x03"

_poll = select.poll()
_poll.register(sys.stdin, select.POLLIN)


def second(busy):
    """KeyboardInterrupt, or one answer when it charges or a lock's motor runs."""
    asked = False
    for _ in range(_MOST):
        if not _poll.poll(0):
            break
        if sys.stdin.buffer.read(1) == _CTRL_C:
            if not busy:
                raise KeyboardInterrupt  # what follows is for the prompt
            asked = True
    if asked:
        sys.stdout.write("pilotwire: charging\r\n")  # to somebody who is there, and reads
