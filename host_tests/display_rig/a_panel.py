"""A panel that shows a charger without a car, for the desks of both displays."""


class Panel:
    mode = why = 1
    code_major = code_minor = more_faults = 0
    fault_text = fault_do = ""
    wait_s = -1
    drawn_ma = p_w = session_wh = charge_s = records_waiting = offered_ma = 0
    limit_name = "board"
    cost_minor = -1
    currency = "EUR"
    link_up = clock_ok = True
    rating_ma = 16000
    note = ""
    night = False
