"""A TCP proxy between the device and its broker that can fail in four ways. Loopback only.

    up         passes bytes both ways
    down       refuses connections and closes those there are
    blackhole  accepts and keeps connections, passes nothing
    reset      resets (RST) the connections there are, once; then it is up

A connection that was there before a blackhole goes on after it, as TCP does when packets get
through again. One that was accepted inside it is reset at its end: on a real network it would not
have been opened, and its stale CONNECT must not reach the broker.
"""

import asyncio
import atexit
import contextlib
import socket
import struct
import threading

MODES = ("up", "down", "blackhole", "reset")

_LOOPBACK = "127.0.0.1"
_CHUNK = 4096
_CONNECT_S = 5
_CALL_S = 10
_RST = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST instead of FIN


class ProxyError(Exception):
    """The proxy cannot listen; str is one plain line."""


class LoopThread:
    """An asyncio loop in a thread of its own, that leaves no task and no message behind."""

    def __init__(self, name):
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._report)
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def run(self, coroutine):
        """Run `coroutine` in the loop, wait for it and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_CALL_S)

    def close(self):
        """Cancel what still runs and end the thread. Harmless when it has ended."""
        if self._loop.is_closed():
            return
        atexit.unregister(self.close)
        self.run(self._cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @staticmethod
    def _report(loop, context):
        """Log what goes wrong in the loop, but not connections that were cut on purpose."""
        if not isinstance(context.get("exception"), (OSError, asyncio.CancelledError)):
            loop.default_exception_handler(context)

    @staticmethod
    async def _cancel_all():
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=_CALL_S / 2) if tasks else None
        await asyncio.get_running_loop().shutdown_asyncgens()


class Proxy:
    """Listens on a loopback port that the system chooses and passes on to `target` (host, port).

    Methods may be called from any thread; each returns when its effect is there.
    """

    def __init__(self, target):
        self._target = target
        self._thread = None
        self._server = None
        self._links = {}  # the device's writer: (the broker's writer or None, from a blackhole)
        self._passing = None  # an asyncio.Event, set unless in a blackhole
        self.mode = "up"
        self.host, self.port = _LOOPBACK, 0
        self.accepted = 0  # connections since the start

    @property
    def connections(self):
        """How many connections there are now."""
        return len(self._links)

    def start(self):
        """Listen, and return (host, port). Raises ProxyError."""
        self._thread = LoopThread("proxy")
        self._thread.run(self._begin())
        return self.host, self.port

    def stop(self):
        """Close everything. The port is free afterwards."""
        if self._thread:
            self._thread.run(self._refuse())
            self._thread.close()
            self._thread = None

    def set_mode(self, mode):
        """Change to one of MODES. Raises ValueError, and ProxyError when the port is taken."""
        if mode not in MODES:
            raise ValueError(f"{mode!r} is no mode of the proxy")
        self._thread.run(self._change(mode))

    async def _begin(self):
        self._passing = asyncio.Event()
        self._passing.set()
        await self._listen()

    async def _listen(self):
        try:
            self._server = await asyncio.start_server(self._accept, self.host, self.port)
        except OSError as error:
            raise ProxyError(
                f"the proxy cannot listen on {self.host}:{self.port} ({error.strerror})"
            ) from None
        self.port = self._server.sockets[0].getsockname()[1]

    async def _change(self, mode):
        if mode == "down":
            await self._refuse()
        elif mode == "reset":
            self._cut(self._links, rst=True)
        elif mode == "up":
            self._cut([d for d, (_, stale) in self._links.items() if stale], rst=True)
        if mode == "blackhole":
            self._passing.clear()
        else:
            self._passing.set()
        if mode != "down" and not self._server:
            await self._listen()
        self.mode = "up" if mode == "reset" else mode

    async def _refuse(self):
        if self._server:
            self._server.close()
            self._server = None
        self._cut(self._links)

    def _cut(self, devices, rst=False):
        for device in list(devices):
            for writer in (device, self._links.pop(device)[0]):
                if writer:
                    _drop(writer, rst)

    async def _accept(self, reader, writer):
        if not self._server:
            return _drop(writer)
        self.accepted += 1
        self._links[writer] = (None, not self._passing.is_set())
        far = None
        try:
            await self._passing.wait()
            if writer in self._links:
                connecting = asyncio.open_connection(*self._target)
                far_reader, far = await asyncio.wait_for(connecting, _CONNECT_S)
            if writer in self._links:
                self._links[writer] = (far, False)
                await self._pass_both_ways(reader, writer, far_reader, far)
        except OSError:
            pass  # the broker is not there: the device sees it hang up
        finally:
            self._links.pop(writer, None)
            for end in (writer, far):
                if end:
                    end.close()

    async def _pass_both_ways(self, reader, writer, far_reader, far):
        ways = [
            asyncio.ensure_future(self._pass(reader, far)),
            asyncio.ensure_future(self._pass(far_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pass(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        await self._passing.wait()  # that an end has hung up does not get through either


def _drop(writer, rst=False):
    """Close at once; without a flush, so nothing can wait for the other end."""
    if rst:
        with contextlib.suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
    writer.transport.abort()
