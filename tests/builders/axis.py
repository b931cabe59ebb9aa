"""A document axis on loopback: keeps what is sent, lists it until it is reported done."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from connectors.edxml.axis_auth import AxisIdentity, check_headers, is_body_digest
from connectors.errors import AxisSignatureRefused
from dossier.clock import SystemClock

IDENTITY = AxisIdentity(system_id="liet.thong.H28", secret=b"shared secret")


@dataclass(kw_only=True)
class MockAxis:
    """The files on the axis, and what was reported about them."""

    port: int = 0
    sender: str = "A"  # of every file
    files: dict[str, bytes] = field(default_factory=dict)
    reported: dict[str, str] = field(default_factory=dict)
    answer: tuple[int, bytes] | None = None  # instead of working, once

    def call(self, path: str, parameters: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Answer one call."""
        if path == "/sendEdoc":
            if not is_body_digest(parameters["hash-file"], body.rstrip(b"\r\n")):
                return {"status": "FAIL", "ErrorCode": "12", "ErrorDesc": "hash"}
            doc_id = f"doc-{len(self.files) + 1}"
            self.files[doc_id] = body
            return {"DocId": doc_id}
        if path == "/getReceivedEdocList":
            return {
                "data": [
                    {"docId": doc_id, "from": self.sender, "to": "B", "status": "inbox"}
                    for doc_id in self.files
                    if self.reported.get(doc_id) not in ("done", "fail")
                ]
            }
        if path == "/getEdoc":
            return {"data": base64.b64encode(self.files[parameters["docid"]]).decode()}
        if path == "/updateStatus":
            self.reported[parameters["docid"]] = parameters["status"]
            return {}
        return {"data": [{"id": 1, "pid": None, "code": "000.00.00.H28", "name": "Hòa Bình"}]}


@contextmanager
def mock_axis() -> Iterator[MockAxis]:
    """Yield a running axis."""
    axis = MockAxis()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, content = self._answer(headers, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _answer(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
            if axis.answer is not None:
                answer, axis.answer = axis.answer, None
                return answer
            try:
                parameters = check_headers(
                    IDENTITY, headers, at=SystemClock().now(), max_age=timedelta(minutes=5)
                )
            except AxisSignatureRefused:
                return 200, json.dumps({"status": "FAIL", "ErrorCode": "401"}).encode()
            reply = {"status": "OK", "ErrorCode": "0", **axis.call(self.path, parameters, body)}
            return 200, json.dumps(reply).encode()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        axis.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield axis
        server.shutdown()
        thread.join()
