"""A real gunicorn on loopback that serves the SOAP endpoint, and raw HTTP to talk to it."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dossier.wire import SendHints
from tests.builders.connectors import CONTAINER

_ROOT = Path(__file__).parents[3]
CLIENTS = Path(__file__).parent / "clients"
_MODULES = _ROOT / "build" / "soap-clients"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An HTTP reply, read to its end."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def code(self) -> str:
        """The ErrorCode of a fault, empty when there is none."""
        return self.body.partition(b"<lt:ErrorCode>")[2].partition(b"<")[0].decode()


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where the server listens, which folder it spools into, and its process."""

    port: int
    folder: Path
    pid: int

    @property
    def url(self) -> str:
        """Address of the service."""
        return f"http://127.0.0.1:{self.port}/soap"

    def post(
        self,
        body: bytes | Iterable[bytes],
        *,
        content_type: str = "text/xml; charset=utf-8",
        **headers: str,
    ) -> Reply:
        """POST a body: bytes with Content-Length, an iterable chunked."""
        return self.request("POST", body, **{"Content-Type": content_type, **headers})

    def request(
        self, method: str, body: bytes | Iterable[bytes] | None = None, /, **headers: str
    ) -> Reply:
        """Send one request; underscores in header names stand for hyphens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        query = named.pop("query", "")
        try:
            connection.request(
                method,
                f"/soap{query}",
                body=body,
                headers=named,
                encode_chunked=not isinstance(body, bytes | None),
            )
            return _read(connection.getresponse())
        finally:
            connection.close()

    def raw(self, *sent: bytes, pause_seconds: float = 0.0) -> bytes:
        """Send bytes as they are, pausing between the pieces, and return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as sock:
            for piece in sent:
                try:
                    sock.sendall(piece)
                except (BrokenPipeError, ConnectionResetError):
                    break
                time.sleep(pause_seconds)
            received = bytearray()
            try:
                while chunk := sock.recv(65536):
                    received += chunk
            except ConnectionResetError:
                pass
            return bytes(received)

    def spooled(self) -> list[Path]:
        """Return what lies in the spool."""
        return list((self.folder / "spool").iterdir())


def _read(response: http.client.HTTPResponse) -> Reply:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(status=response.status, headers=headers, body=response.read())


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """Yield the endpoint; all tests share it, so each uses message ids of its own."""
    folder = tmp_path_factory.mktemp("node")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [
                sys.executable, "-m", "gunicorn",
                "--worker-class", "tests.builders.soap_app.ImpatientWorker",
                "--threads", "8",
                "--bind", f"fd://{listener.fileno()}", "--log-level", "warning",
                "--limit-request-fields", "64", "--limit-request-field_size", "8190",
                f"tests.builders.soap_app:app({str(folder)!r})",
            ],
            cwd=_ROOT,
            pass_fds=(listener.fileno(),),
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
        )  # fmt: skip
        try:
            found = Endpoint(port=port, folder=folder, pid=process.pid)
            _wait(found)
            yield found
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(endpoint: Endpoint) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if endpoint.request("GET", query="?wsdl").status == 200:
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the endpoint did not start")


def program(name: str, package: str) -> str:
    """Return the path of a program that the tests drive, or fail by naming its package."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"expected {name} for the tests with foreign SOAP clients: install {package}")
    return found


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Return where the npm packages of the lock file are installed; done once per tree."""
    lock = (CLIENTS / "package-lock.json").read_bytes()
    kept = _MODULES / "package-lock.json"
    if not kept.exists() or kept.read_bytes() != lock:
        shutil.rmtree(_MODULES, ignore_errors=True)
        _MODULES.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(CLIENTS / name, _MODULES / f"{name}.new")
            (_MODULES / f"{name}.new").rename(_MODULES / name)
        try:
            subprocess.run(
                [program("npm", "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=_MODULES,
                check=True,
                capture_output=True,
                timeout=300,
            )
        except BaseException:
            kept.unlink()
            raise
    return _MODULES


def call_program(command: list[str], hints: SendHints, **environment: str) -> dict[str, Any]:
    """Give a foreign client the fields of SendMessage as JSON; return what it prints."""
    request = {
        "From": hints.from_agency,
        "To": hints.to_agency,
        "MessageId": hints.message_id,
        "ContainerSha256": hints.container_sha256,
        "Size": hints.size_bytes,
        "Container": base64.b64encode(CONTAINER).decode(),
    }
    answer: dict[str, Any] = ask_program(command, request, **environment)
    return answer


def ask_program(command: list[str], asked: object, **environment: str) -> Any:  # noqa: ANN401 - JSON
    """Give a program JSON, return the JSON that it prints."""
    done = subprocess.run(
        command,
        input=json.dumps(asked).encode(),
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)
