"""A web server on this computer that plays micropython.org, for tests: well, or badly in all ways."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """A context. `answer(handler)`: what it does when asked; `asked`: the paths; `base`: its address."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []
        self.over = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(self.path)
                with contextlib.suppress(OSError):  # the other side has had enough
                    site.answer(self)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """From here on nobody answers there."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # What it may do -------------------------------------------------------------------------------

    def silent(self, _):
        self.over.wait()

    def drip(self, handler):
        """One byte after another, and no end."""
        begin(handler, {})
        while not self.over.is_set():
            handler.wfile.write(b"x")


def begin(handler, headers, status=200):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, str(value))
    handler.end_headers()


def whole(data, length=None):
    """This data; `length`: what is said of it, None for as much as there is, 0 for nothing at all."""

    def answer(handler):
        said = len(data) if length is None else length
        begin(handler, {"Content-Length": said} if said else {})
        handler.wfile.write(data)

    return answer


def moved(url):
    return lambda handler: begin(handler, {"Location": url}, 302)


def gone(handler):
    handler.send_error(404)
