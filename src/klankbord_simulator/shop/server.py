"""Serving the shop on loopback."""

from __future__ import annotations

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit

from .pages import PATHS, Desk, content_policy, icon, render_page, stylesheet


class Shop:
    """A running shop. Use as a context manager, or call `stop`."""

    def __init__(self, port: int, desk: Desk) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(desk))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="shop", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """By name, not by number: browsers give `localhost` the rights of a secure page."""
        return f"http://localhost:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Shop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(port: int, desk_url: str, widget_key: str) -> Shop:
    """Start the shop in the background.

    port: 0 takes any free one, see `Shop.url`. desk_url: such as "http://localhost:8000".
    Raises ValueError for an address that is not one, OSError when the port is taken.
    """
    return Shop(port, Desk(desk_url, widget_key))


def _handler(desk: Desk) -> type[BaseHTTPRequestHandler]:
    policy = content_policy(desk)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "Shop", ""
        timeout = 30

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            path = path.rstrip("/") or "/"
            if path == "/shop.css":
                self._answer(HTTPStatus.OK, "text/css", stylesheet())
            elif path == "/mark.svg":
                self._answer(HTTPStatus.OK, "image/svg+xml", icon())
            else:
                status = HTTPStatus.OK if path in PATHS else HTTPStatus.NOT_FOUND
                self._answer(status, "text/html", render_page(path, desk))

        def do_HEAD(self) -> None:
            self.do_GET()

        def _answer(self, status: HTTPStatus, content_type: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{content_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-cache")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "strict-origin-when-cross-origin")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the log belongs to the desk that is being shown."""

    return Handler
