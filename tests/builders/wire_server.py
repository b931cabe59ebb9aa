"""Serve a `WireEndpoint` on loopback from a thread of the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO

from dossier.wire import WireEndpoint, WireRequest


@contextmanager
def served(endpoint: WireEndpoint, *, port: int = 0) -> Iterator[str]:
    """Yield the address under which the endpoint answers GETs and POSTs."""

    class Bridge(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def _answer(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            path, _, query = self.path.partition("?")
            reply = endpoint(
                WireRequest(
                    method=method,
                    path=path,
                    query=query,
                    headers={name.lower(): value for name, value in self.headers.items()},
                    stream=BytesIO(body),
                    peer="127.0.0.1",
                )
            )
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for chunk in reply.body:
                self.wfile.write(chunk)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", port), Bridge) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
