"""What a station that is well has told, for the tests of `pilotwire doctor`."""

WELL = {
    "tick_median_us": 6250, "tick_p99_us": 8000, "tick_worst_us": 18139, "worst_in": "link", "late": 29,
    "heap_free": 14000, "heap_least": 9000, "reconnects": 1, "flash_wear": 12, "up_s": 86400,
    "ticks": 5998, "stalls": {"gc": 28, "link": 1}, "flash_erases": 300, "flash_errors": 0,
    "lost_records": 0, "hot_openings": 3, "cold_openings": 700, "tell_errors": 0, "tell_error": "",
    "boot": 9, "boot_cause": "power", "rssi": -61,
    "resets": {"watchdog": 0, "exception": 0, "command": 2, "console": 0, "brown_out": 0},
}
STATE = {"pilot": "A1", "q": "S", "faults": [], "waiting": 0, "notices": [], "enabled": True,
         "limit": "board", "limit_a": 63}
INFO = {"device": "garage", "firmware": "0.1.0", "selftest": "passed", "config": "own", "contract": 1}
