"""An ESP32's loader on a pseudo-terminal, for tests: what its ROM and esptool's stub answer, over SLIP.

Only what writing a flash needs. Source: Espressif, esptool's documentation, "Serial Protocol". It is no
chip: the stub's code is taken and not run, baud rates and reset lines mean nothing.
"""

import hashlib
import os
import select
import struct
import threading
import zlib

from serial_device import open_terminal

FLASH_BYTES = 0x400000
ESP32, ESP32_S2 = 0x00F01D83, 0x000007C6  # what stands at _MAGIC_AT
_MAGIC_AT = 0x40001000
_UART_CLOCK_AT = 0x3FF40014
_UART_CLOCK = 347  # at 115200 baud: a crystal of 40 MHz
_SPI_DATA_AT = 0x3FF42080
_FLASH_ID = 0x1640EF  # 4 MB
_END, _ESCAPE = 0xC0, 0xDB


def _slip(data):
    data = data.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    return b"\xc0" + data + b"\xc0"


def _frames(data):
    """(whole frames, the rest)."""
    frames = []
    while True:
        begin = data.find(b"\xc0")
        end = data.find(b"\xc0", begin + 1) if begin >= 0 else -1
        if end < 0:
            return frames, data[begin:] if begin >= 0 else b""
        if end > begin + 1:
            frame = data[begin + 1 : end]
            frames.append(frame.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb"))
            end += 1
        data = data[end:]


class Loader:
    """`flash`: its bytes. magic: of the chip. cut: after so many packets of data the cable is pulled.
    on_reset(master): called when somebody has written the flash and closed the port; takes the terminal.
    """

    def __init__(self, *, magic=ESP32, cut=None, damage=False, on_reset=None):
        self.flash = bytearray(b"\xff" * FLASH_BYTES)
        self.master, self.port = open_terminal()
        self._magic, self._cut, self._damage, self._on_reset = magic, cut, damage, on_reset
        self._stub = False
        self._verified = False
        self._stopped = False
        self._pulled = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopped = True
        self._thread.join()
        os.close(self.master if self._pulled is None else self._pulled)

    def _serve(self):
        rest = b""
        while not self._stopped:
            if not select.select([self.master], [], [], 0.02)[0]:
                continue
            try:
                rest += os.read(self.master, 65536)
            except OSError:  # nobody has the port open
                if self._verified and self._on_reset:
                    self._on_reset(self.master)
                    return
                self._stopped or threading.Event().wait(0.01)
                continue
            frames, rest = _frames(rest)
            for frame in frames:
                if not self._answer(frame):
                    # Open, so that no other test's terminal gets this path, where esptool tries again.
                    self._pulled = os.open(self.port, os.O_RDWR | os.O_NOCTTY)
                    os.close(self.master)
                    return

    def _answer(self, frame):
        """False: the cable is pulled."""
        kind, command, size, _ = struct.unpack_from("<BBHI", frame)
        data = frame[8:]
        value, more, times = 0, b"", 1
        if command == 0x08:  # SYNC
            value, times = 0x20120707, 8
        elif command == 0x0A:  # READ_REG
            (address,) = struct.unpack_from("<I", data)
            value = {
                _MAGIC_AT: self._magic, _UART_CLOCK_AT: _UART_CLOCK, _SPI_DATA_AT: _FLASH_ID,
            }.get(address, 0)
        elif command in (0x02, 0x10):  # FLASH_BEGIN, FLASH_DEFL_BEGIN
            self._at = struct.unpack_from("<IIII", data)[3]
            self._stream = zlib.decompressobj()
        elif command in (0x03, 0x11):  # FLASH_DATA, FLASH_DEFL_DATA
            if self._cut is not None:
                self._cut -= 1
                if self._cut < 0:
                    return False
            self._program(data[16:], command == 0x11)
        elif command == 0x13:  # SPI_FLASH_MD5
            at, length = struct.unpack_from("<II", data)
            digest = hashlib.md5(self.flash[at : at + length])
            more = digest.digest() if self._stub else digest.hexdigest().encode()
            self._verified = True
        elif command not in (0x04, 0x05, 0x06, 0x07, 0x09, 0x0B, 0x0D, 0x0F, 0x12):
            self._send(command, 0, b"\x01\x05" if self._stub else b"\x01\x05\0\0")  # not known
            return True
        for _ in range(times):
            self._send(command, value, more + (b"\0\0" if self._stub else b"\0\0\0\0"))
        if command == 0x06 and not data[0]:  # MEM_END, and run it
            self._stub = True
            os.write(self.master, _slip(b"OHAI"))
        return True

    def _program(self, data, compressed):
        if compressed:
            data = self._stream.decompress(data)
        if self._damage and data:
            data = bytes([data[0] ^ 1]) + data[1:]
        self.flash[self._at : self._at + len(data)] = data
        self._at += len(data)

    def _send(self, command, value, data):
        os.write(self.master, _slip(struct.pack("<BBHI", 1, command, len(data), value) + data))
