"""Redis servers of the tests' own: on a port, watched by a sentinel, behind TLS."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from exchange.doorbell import find_program

_START_SECONDS = 10


@contextmanager
def redis_server(*options: str) -> Iterator[int]:
    """Yield the port of an empty server with these command-line options."""
    with _process("--save", "", *options) as port:
        yield port


@contextmanager
def redis_sentinel(master: int, *, name: str) -> Iterator[int]:
    """Yield the port of a sentinel that watches the server on that port under that name."""
    folder = Path(tempfile.mkdtemp(prefix="lt-sentinel-"))
    try:
        file = folder / "sentinel.conf"
        file.write_text(f"sentinel monitor {name} 127.0.0.1 {master} 1\n")
        with _process(first=[str(file), "--sentinel"]) as port:
            yield port
    finally:
        shutil.rmtree(folder)


@contextmanager
def _process(*options: str, first: list[str] | None = None) -> Iterator[int]:
    program = find_program()
    assert program is not None, "expected a redis-server: the extra `embedded` brings one"
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="lt-redis-") as folder:
        process = subprocess.Popen(
            [str(program), *(first or []), "--port", str(port), "--bind", "127.0.0.1", *options],
            cwd=folder,  # a follower writes there what it gets from its master
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(port)
            yield port
        finally:
            process.kill()
            process.wait()


def _wait(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with contextlib.closing(Redis(port=port)) as probe:
        while True:
            try:
                probe.ping()
            except AuthenticationError:
                return
            except RedisError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def behind_tls(port: int, folder: Path) -> Iterator[int]:
    """Yield a port that speaks TLS and passes everything on; `folder` gets ca.pem and key.pem."""
    _make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening, context, port), daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            peer, _ = listening.accept()
            threading.Thread(target=_serve, args=(peer, context, port), daemon=True).start()


def _serve(peer: socket.socket, context: ssl.SSLContext, port: int) -> None:
    # One thread a direction would share the TLS object; commands and answers alternate anyway.
    with (
        contextlib.suppress(OSError),
        context.wrap_socket(peer, server_side=True) as given,
        socket.create_connection(("127.0.0.1", port)) as server,
    ):
        while asked := given.recv(65_536):
            server.sendall(asked)
            given.sendall(server.recv(65_536))


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "redis")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
