# Contactor off before anything else can run.
# A reset leaves GPIO levels and PWM as they were, so a closed contactor stays closed until this
# line: every pin that may drive a contactor (README: boards) becomes an input, and the board's
# external pull-down opens it. No file is read, so no broken file can keep it closed.
# The motor of a socket's lock is on these pins too, and stops.
from machine import Pin

for _pin in (25, 26, 27, 32, 33):
    Pin(_pin, Pin.IN, Pin.PULL_DOWN)
