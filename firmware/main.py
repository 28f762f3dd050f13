# Board + configuration -> Charger -> run. Whatever goes wrong ends with the contactor off.
import machine


def _start():
    from pilotwire import once

    board = once.call("board", "load", "board.json")
    config = once.call("config", "load", "config.json")
    from pilotwire.control import Charger

    charger = Charger(board, config)
    try:
        charger.run()
    except Exception as error:
        charger.safe("exception", error)
        raise


try:
    machine.freq(240_000_000)  # a stock board boots at 160 MHz
    _start()
except Exception as error:
    import sys

    sys.print_exception(error)
    machine.reset()
