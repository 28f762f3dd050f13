"""Just enough of machine for act/ on CPython: pins and PWM that remember what they were told."""


class Pin:
    IN, OUT = 1, 3

    def __init__(self, number, mode=-1, value=None):
        self.number = number
        self.level = value

    def value(self, level=None):
        if level is None:
            return self.level
        self.level = level


class PWM:
    made = []  # in the order they were made

    def __init__(self, pin, *, freq, duty_u16):
        self.pin, self.freq = pin, freq
        self.duties = [duty_u16]
        PWM.made.append(self)

    def duty_u16(self, duty):
        self.duties.append(duty)
