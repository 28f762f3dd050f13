"""What can be wrong in the plant, by the names that scenarios and tests use; events.py does it."""

from plant.proximity import INVALID_OHM, OPEN_OHM

_NEVER = 1 << 60
_STALL_US = 40000  # the longest that is permitted with the contactor closed

FAULTS = {
    # name: (attribute path on the world, value when injected, value when cleared)
    "cp_short": ("node", "short", True, False),
    "diode_short": ("node", "diode", "short", "ok"),
    "diode_open": ("node", "diode", "open", "ok"),
    "pilot_weak": ("node", "plus_mv", 10500, 12000),
    "pilot_low_lost": ("node", "minus_mv", -3000, -12000),
    "pilot_minus_weak": ("node", "minus_mv", -10500, -12000),
    "pilot_stuck_plus": ("node", "stuck", "plus", None),
    "pilot_stuck_minus": ("node", "stuck", "minus", None),
    "pilot_dead": ("node", "stuck", "dead", None),
    "pilot_duty_off": ("node", "duty_error", 3300, 0),  # 5 points
    "pilot_fast": ("node", "period_dus", 2000, 10016),  # 5 kHz, what an unset PWM gives
    "pilot_spikes": ("node", "spike_every", 200, 0),
    "pilot_noise": ("node", "spike_every", -1, 0),  # in each read: no plateau is left
    "adc_bent": ("node", "bend", 12, 0),
    "pp_invalid": ("proximity", "fault_ohm", INVALID_OHM, None),
    "pp_open": ("proximity", "fault_ohm", OPEN_OHM, None),
    "pp_short": ("proximity", "fault_ohm", 0, None),
    "welded": ("contactor", "stuck", "welded", None),
    "no_close": ("contactor", "stuck", "no_close", None),
    "aux_stuck_closed": ("lines", "aux", True, None),
    "aux_stuck_open": ("lines", "aux", False, None),
    "load_live": ("lines", "load", True, None),  # one pole is welded: voltage, auxiliary contact open
    "load_dead": ("lines", "load", False, None),
    "rcd_ac": ("lines", "rcd_ac", True, False),
    "rcd_dc": ("lines", "rcd_dc", True, False),
    "rcd_test_fails": ("lines", "test_answers", False, True),
    "rcd_test_stuck": ("lines", "test_ends", False, True),
    "pe_lost": ("lines", "pe_lost", True, False),
    "pen_open": ("lines", "pen_open", True, False),
    "lid_open": ("lines", "lid", True, False),
    "button": ("lines", "button", True, False),  # pressed
    "phase_welded": ("second", "stuck", "welded", None),
    "phase_no_close": ("second", "stuck", "no_close", None),
    "lock_stuck_open": ("lock", "stuck", "open", None),
    "lock_stuck_closed": ("lock", "stuck", "closed", None),
    "lock_feedback_lost": ("lock", "mute", True, False),
    "drive_high": ("contactor", "held", True, None),
    "enable_high": ("contactor", "enable_held", True, False),
    "drive_low": ("contactor", "held", False, None),
    "ntc_open": ("ntc", "fault", "open", None),
    "ntc_short": ("ntc", "fault", "short", None),
    "ntc_jump": ("ntc", "jump_dc", 300, 0),  # 30 K at once: a bad contact, or another chip's noise
    "self_heating": ("ntc", "heating_k", 20, 0),  # 32 A on each phase add so much to the air
    "phases_swapped": ("feed", "swapped", True, False),
    "ntp_silent": ("net", "ntp", False, True),
    "dns_dead": ("net", "dns", False, True),
    "wifi_lost": ("net", "wifi", False, True),
    "display_unplugged": ("display", "nak", True, False),
    "display_shorted": ("display", "shorted", True, False),
    "hang": ("board", "hang", True, False),
}
METER_FAULTS = {
    # The emulated chip's own faults, by the names the outside uses.
    "meter_silent": "silent_high",
    "meter_stuck_low": "silent_low",
    "meter_stale": "stale",
    "meter_reset": "reset",
    "meter_lying": "lying",
    "meter_noise": "last_spi_mismatch",
    "meter_reversed": "negative_power",
}
FLASH_FAULTS = ("program_fail", "erase_fail")
LOOP_FAULTS = {
    # Once, in the hardware call during which it happens: what it raises, or how long it takes.
    "exception": RuntimeError,
    "repl_break": KeyboardInterrupt,  # as a 0x03 that is not read by firmware/pilotwire/console.py
    "stall": _STALL_US,
    "stuck_call": _NEVER,  # only the watchdog ends it
}
MORE_FAULTS = ("pp", "phase_loss", "rcd_test_slow")  # these take a value


def names():
    return sorted(
        list(MORE_FAULTS)
        + list(FAULTS) + list(METER_FAULTS) + list(FLASH_FAULTS) + list(LOOP_FAULTS)
    )
