"""`time` that goes on by one tick whenever the bench says so."""

_WRAP = (1 << 30) - 1
_HALF = 1 << 29

now_us = 0


def forward(us):
    global now_us
    now_us += us


def ticks_us():
    return now_us & _WRAP


def ticks_ms():
    return now_us // 1000 & _WRAP


def ticks_add(ticks, delta):
    return ticks + delta & _WRAP


def ticks_diff(end, start):
    return (end - start + _HALF & _WRAP) - _HALF


def sleep_us(us):
    forward(us)


def sleep_ms(ms):
    forward(ms * 1000)


def time():
    return 0


def gmtime(secs=0):
    return (2000, 1, 1, 0, 0, 0, 5, 1)
