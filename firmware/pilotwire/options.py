"""What only some boards have, put together once at the start. Each loads only what the board needs; what
it has not is None.
"""

from micropython import const

_TRIPS = const(3)  # bits of Reading.lines
_EARTH = const(112)  # earth, PEN, lid


def ntc(board, config):
    """The temperature sensor and what follows from it, where the board has one."""
    if not board.ntc:
        return None, None
    from pilotwire.decide.heat import Heat
    from pilotwire.sense.heat import Heat as Sensor

    return Sensor(board.ntc), Heat(min(board.rating_ma, config.installation_ma))


def socket(board):
    """Proximity pin and cable; a board with a tethered cable has neither, and loads neither."""
    if not board.proximity:
        return None, None
    from pilotwire.decide.cable import Cable
    from pilotwire.sense.proximity import Proximity

    return Proximity(board.proximity), Cable()


def monitor(board):
    """The residual current monitor's rules and its test input, where the board has one."""
    if not board.rcm_test:
        return None, None
    from pilotwire.act.output import Output
    from pilotwire.decide.leakage import Leakage

    lines = 0
    for _, _, bit in board.inputs:
        lines |= bit & _TRIPS
    return Leakage(lines), Output(*board.rcm_test)


def earth(board):
    """What watches the earth, the PEN conductor and the lid, where the board has one of these inputs."""
    for _, _, bit in board.inputs:
        if bit & _EARTH:
            from pilotwire.decide.earth import Earth

            return Earth()
    return None


def lock(board):
    """What decides about the lock, its feedback contact, its pins; only where there is one."""
    if not board.lock:
        return None, None, None
    from pilotwire.act.lock import Lock as Pins
    from pilotwire.decide.lock import Lock
    from pilotwire.sense.contact import Contact

    spec = board.lock
    pins = spec["pins"]
    return (
        Lock(spec["pulse_ms"], len(pins) == 1),
        Contact(spec["feedback_pin"], spec["locked_level"]), Pins(pins),
    )


def phases(board, config):
    """What decides between one phase and three, the second contactor's auxiliary contact, its coil."""
    spec = board.contactor
    if "phase_pin" not in spec:
        return None, None, None
    from pilotwire.act.phase_contactor import PhaseContactor
    from pilotwire.decide.phases import Phases
    from pilotwire.sense.contact import Contact

    aux = None
    if "phase_aux_pin" in spec:
        aux = Contact(spec["phase_aux_pin"], spec.get("phase_aux_closed", 0))
    return Phases(config.phases, config.phase_pause_ms), aux, PhaseContactor(spec["phase_pin"])


def display(board, language):
    """The display of board.json, or None; only its driver and one language are loaded."""
    if not board.display:
        return None
    if language == "de":
        from pilotwire.tell import texts_de as texts
    else:
        from pilotwire.tell import texts_en as texts
    if board.display["kind"] == "tm1637":
        from pilotwire.tell.tm1637 import Display
    else:
        from pilotwire.tell.display import Display

    return Display(board.display, texts)
