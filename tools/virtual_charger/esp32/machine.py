"""`machine` of an ESP32, with the signatures of the stock v1.24 image, over the plant."""

import micropython
import utime as _real_time
from plant.supply import Reset
from plant.world import world

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5
_CAUSES = {
    "power": PWRON_RESET, "brown_out": PWRON_RESET, "hard": HARD_RESET, "wdt": WDT_RESET,
    "soft": SOFT_RESET,
}
_EPOCH_2000_S = 946684800
_clock = world.clock


def freq(hz=None):
    if hz is not None and hz not in (80000000, 160000000, 240000000):
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    return 240000000


def reset_cause():
    return _CAUSES[world.reset_cause]


def reset():
    raise Reset("hard")


def soft_reset():
    raise Reset("soft")


def unique_id():
    return b"\x02pilot"


def idle():
    _clock.advance(1000)


class Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_UP = 2
    PULL_DOWN = 1
    IRQ_RISING = 1
    IRQ_FALLING = 2

    def __init__(self, pin, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        if isinstance(pin, Pin):
            pin = pin.number
        if not 0 <= pin < 40 or pin in (20, 24, 28, 29, 30, 31):
            raise ValueError("invalid pin")
        if mode == Pin.OUT and pin >= 34:
            raise ValueError("pin can only be input")
        self.number = pin
        if pull != -1:
            world.board.pull[pin] = pull
        if mode == Pin.IN:
            world.pin_release(pin)
        elif value is not None:
            world.pin_write(pin, 1 if value else 0)

    @micropython.native
    def value(self, level=None):
        if level is None:
            _clock.advance(world.cost["pin"])
            return world.pin_read(self.number)
        world.pin_write(self.number, 1 if level else 0)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)


class ADC:
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3
    WIDTH_12BIT = 12

    def __init__(self, pin, *, atten=0):
        number = pin.number if isinstance(pin, Pin) else pin
        if not 32 <= number <= 39:
            raise ValueError("ADC2 is unusable with WiFi: invalid pin for the virtual board")
        if number == world.spec["pilot"]["adc_pin"]:
            if atten != ADC.ATTN_11DB:
                raise ValueError("the pilot's front end needs 11 dB")
            self.read_u16 = world.node.read_u16
        elif number == world.spec.get("proximity", {}).get("adc_pin"):
            if atten != ADC.ATTN_11DB:
                raise ValueError("the proximity pin's divider needs 11 dB")
            self.read_u16 = world.proximity.read_u16
        elif number == world.spec.get("ntc", {}).get("adc_pin"):
            if atten != ADC.ATTN_11DB:
                raise ValueError("the NTC's divider needs 11 dB")
            self.read_u16 = world.ntc.read_u16
        else:
            self.read_u16 = self._floating

    def _floating(self):
        _clock.advance(world.cost["adc"])
        return world.random() & 0xFFFF


class PWM:
    def __init__(self, pin, *, freq=5000, duty_u16=32768):
        self._pin = pin.number
        self._freq = freq
        self.duty_u16(duty_u16)

    def duty_u16(self, value=None):
        _clock.advance(world.cost["pwm"])
        if value is None:
            return world.node.duty_u16
        if not 0 <= value <= 65535:
            raise ValueError("duty_u16 must be from 0 to 65535")
        if self._pin == world.spec["pilot"]["pwm_pin"]:
            world.pilot_duty(value)

    def freq(self, hz=None):
        if hz is None:
            return self._freq
        self._freq = hz

    def deinit(self):
        if self._pin == world.spec["pilot"]["pwm_pin"]:
            world.pilot_duty(0)


class SPI:
    MSB = 0

    def __init__(
        self, id, baudrate=500000, *, polarity=0, phase=0, bits=8, firstbit=0,
        sck=None, mosi=None, miso=None,
    ):
        if id not in (1, 2):
            raise ValueError("SPI(%d) doesn't exist" % id)
        self._us_per_byte = 8000000 // baudrate
        self._mode_3 = polarity == 1 and phase == 1
        self._chip = world.meter

    @micropython.native
    def _cost(self, size):
        _clock.advance(world.cost["spi_call"] + size * self._us_per_byte)

    @micropython.native
    def write_readinto(self, tx, rx):
        if len(tx) != len(rx):
            raise ValueError("buffers must be the same length")
        self._cost(len(tx))
        if self._chip and self._mode_3:
            self._chip.exchange(tx, rx)

    @micropython.native
    def write(self, tx):
        self._cost(len(tx))
        if self._chip and self._mode_3:
            self._chip.exchange(tx, None)


class I2C:
    def __init__(self, id=-1, *, scl=None, sda=None, freq=400000, timeout=50000):
        self._freq = freq

    @micropython.native
    def writeto(self, addr, data, stop=True):
        _clock.advance(world.cost["i2c_call"] + (len(data) + 1) * 9000000 // self._freq)
        spec = world.spec.get("display")
        if not spec or addr != spec.get("addr"):
            raise OSError(19)
        world.display.write(data)
        world.drawn_us = _clock.us
        return len(data) + 1

    def scan(self):
        return [world.spec["display"]["addr"]] if world.spec.get("display") else []


class RTC:
    def memory(self, data=None):
        _clock.advance(world.cost["rtc"])
        if data is None:
            return world.rtc_memory
        if len(data) > 2048:
            raise ValueError("buffer too long")
        world.rtc_memory = bytes(data)

    def datetime(self, parts=None):
        """(year, month, day, weekday, hour, minute, second, us), UTC."""
        import time

        if parts is None:
            year, month, day, hour, minute, second, weekday, _ = time.gmtime()
            return (year, month, day, weekday, hour, minute, second, _clock.us % 1000000)
        year, month, day, _, hour, minute, second, _ = parts
        utc = _real_time.mktime((year, month, day, hour, minute, second, 0, 0)) - _EPOCH_2000_S
        world.rtc_offset_s = utc - _clock.us // 1000000


class WDT:
    def __init__(self, id=0, timeout=5000):
        world.wdt_limit_us = timeout * 1000
        world.wdt_us = _clock.us + world.wdt_limit_us
        world.plan()

    @micropython.native
    def feed(self):
        """Once a turn: the Python after this turn's act is charged, and the next turn's is due."""
        _clock.advance(world.cost["python_tick"] - world.cost["python_act"])
        world.wdt_us = _clock.us + world.wdt_limit_us
        world.python_due = True
        world.turn_k = world.node.place()
        if world.board.hang:
            world.plan()
            while True:  # the loop hangs: only the watchdog ends this
                _clock.advance(1000)
