"""What is run on a device that was stopped, at its raw prompt (device.py): who it is, and helpers.

From here on it restarts by itself when it hears nothing for a minute.
"""

WHO = """
import os, sys
def _has(p):
    try: return os.stat(p)[6] + 1
    except OSError: return 0
_i = sys.implementation
print((sys.platform, tuple(_i[1])[:3], _i._machine, _i._mpy,
       bool(_has("boot.py") and _has("main.py")), [n[0] for n in os.ilistdir("")]))
"""

# Afterwards: _sum, _sums, _copy, _dir, _rm, and _w, the watchdog that each step must feed.
HELPERS = """
import os, machine, hashlib
from binascii import a2b_base64, hexlify
_w = machine.WDT(timeout=60000)
_b = memoryview(bytearray(512))
def _sum(p):
    h = hashlib.sha256()
    with open(p, "rb") as f:
        while True:
            n = f.readinto(_b)
            if not n: return hexlify(h.digest()).decode()
            h.update(_b[:n])
def _sums(p):
    for n in sorted(i[0] for i in os.ilistdir(p)):
        n = p + "/" + n
        if os.stat(n)[0] & 0x4000: _sums(n)
        else: print((n, _sum(n)), end=",")
        _w.feed()
def _copy(a, b):
    with open(a, "rb") as f, open(b, "wb") as g:
        while True:
            n = f.readinto(_b)
            if not n: break
            g.write(_b[:n])
def _dir(p):
    try: os.mkdir(p)
    except OSError as e:
        if e.errno != 17: raise
def _rm(p):
    try: os.remove(p)
    except OSError as e:
        if e.errno != 2: raise
"""
