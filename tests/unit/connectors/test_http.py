"""Calls go to allowed hosts, over https beyond this machine, and nowhere else."""

from __future__ import annotations

import os
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.connections import Pins, Tls
from connectors.errors import EndpointForbidden, PartnerUnavailable
from connectors.http import HttpClient, check_endpoint, only_hosts
from connectors.probe import look_at_tls

_RULE = only_hosts("H08.example", "127.0.0.1:8080", "::1")


@pytest.mark.parametrize(
    "url",
    [
        "https://h08.example/soap",
        "https://H08.example:9443/soap",
        "http://127.0.0.1:8080/soap",
        "http://[::1]:1/soap",
    ],
)
def test_allows_listed_hosts(url: str) -> None:
    check_endpoint(url, _RULE)


@pytest.mark.parametrize(
    "url",
    [
        "http://h08.example/soap",
        "https://other.example/soap",
        "https://h08.example.evil.example/soap",
        "https://h08.example@evil.example/soap",
        "https://user:pass@h08.example/soap",
        "https://h08.example/soap#x",
        "http://127.0.0.1:8081/soap",
        "http://localhost:8080/soap",
        "ftp://h08.example/soap",
        "file:///etc/passwd",
        "https://h08.example:99999/soap",
        "https://[h08.example/soap",
        "//h08.example/soap",
        "",
    ],
)
def test_forbids_everything_else(url: str) -> None:
    with pytest.raises(EndpointForbidden):
        check_endpoint(url, _RULE)


def _own_certificate(path: Path, host: str) -> Path:
    """Write a key and the certificate that it signed itself, which is valid for the host."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


@contextmanager
def _served(pem: Path, *, callers: Path | None = None) -> Iterator[int]:
    """Yield the port of a TLS server; `callers` vouches for who may call, if not everybody."""
    with HTTPServer(("127.0.0.1", 0), _Answering) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        if callers is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(callers)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def https(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Yield the port of a TLS server named hook.example, and the file that vouches for it."""
    pem = _own_certificate(tmp_path / "server.pem", "hook.example")
    with _served(pem) as port:
        yield port, pem


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    peers: ClassVar[set[object]] = set()

    def do_POST(self) -> None:
        self.peers.add(self.client_address)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def _status(
    https: tuple[int, Path], host: str, *, tls: Tls | None = None, pins: Pins | None = None
) -> int:
    port, authorities = https
    client = HttpClient(
        pins=pins,
        may_call=lambda host, port: True,
        tls=tls or Tls(authorities=authorities),
        resolver=lambda host, port: "127.0.0.1",
    )
    try:
        with client.post(f"https://{host}:{port}/", body=b"") as reply:
            return reply.status
    finally:
        client.close()


def test_a_certificate_is_judged_by_the_name_not_the_address(https: tuple[int, Path]) -> None:
    assert _status(https, "hook.example") == 200
    for host in ("other.example", "127.0.0.1"):
        with pytest.raises(PartnerUnavailable):
            _status(https, host)


def test_an_unknown_authority_is_refused(https: tuple[int, Path]) -> None:
    with pytest.raises(PartnerUnavailable):
        _status(https, "hook.example", tls=Tls())


def test_a_host_with_bound_certificates_must_show_one_of_them(https: tuple[int, Path]) -> None:
    shown = ssl.PEM_cert_to_DER_cert(
        "-----BEGIN CERT" + https[1].read_text().partition("-----BEGIN CERT")[2]
    )
    asked: set[tuple[str, int]] = set()

    def bind(*bound: bytes) -> Pins:
        def pins(host: str, port: int) -> frozenset[bytes]:
            asked.add((host, port))
            return frozenset(bound)

        return pins

    assert _status(https, "hook.example", pins=bind(b"old", shown)) == 200
    assert _status(https, "hook.example", pins=bind()) == 200
    with pytest.raises(PartnerUnavailable):
        _status(https, "hook.example", pins=bind(b"another"))
    assert asked == {("hook.example", https[0])}


def test_tls_of_a_partner_is_looked_at_without_a_message(https: tuple[int, Path]) -> None:
    port, authorities = https
    assert look_at_tls(f"http://127.0.0.1:{port}/", Tls()) is None
    # The server is not called hook.example here, which is what the handshake says.
    for tls, trouble in ((Tls(authorities=authorities), "name"), (Tls(), "untrusted")):
        with pytest.raises(PartnerUnavailable) as refused:
            look_at_tls(f"https://127.0.0.1:{port}/", tls)
        assert refused.value.parameters["trouble"] == trouble
    with pytest.raises(PartnerUnavailable) as away:
        look_at_tls("https://127.0.0.1:9/", Tls())
    assert away.value.parameters["trouble"] == "unreachable"


def test_nobody_listens() -> None:
    client = HttpClient(may_call=lambda host, port: True)
    with pytest.raises(PartnerUnavailable), client.post("http://127.0.0.1:9/soap", body=b""):
        pytest.fail("expected no reply")


def test_we_show_our_certificate_where_one_is_demanded(tmp_path: Path) -> None:
    pem = _own_certificate(tmp_path / "server.pem", "hook.example")
    ours = _own_certificate(tmp_path / "ours.pem", "h28.example")
    another = _own_certificate(tmp_path / "another.pem", "h28.example")
    known = Tls(authorities=pem, certificate=ours)
    with _served(pem, callers=ours) as port:
        assert _status((port, pem), "hook.example", tls=known) == 200
        for stranger in (Tls(authorities=pem), Tls(authorities=pem, certificate=another)):
            with pytest.raises(PartnerUnavailable):
                _status((port, pem), "hook.example", tls=stranger)
        missing = Tls(authorities=pem, certificate=tmp_path / "none.pem")
        with pytest.raises(PartnerUnavailable):
            _status((port, pem), "hook.example", tls=missing)


def test_a_secured_connection_is_kept(https: tuple[int, Path]) -> None:
    port, authorities = https
    client = HttpClient(
        may_call=lambda host, port: True,
        tls=Tls(authorities=authorities),
        resolver=lambda host, port: "127.0.0.1",
    )
    _Answering.peers.clear()
    for _ in range(3):
        with client.post(f"https://hook.example:{port}/", body=b"") as reply:
            assert reply.status == 200
    client.close()
    assert len(_Answering.peers) == 1


def test_files_of_tls_that_were_replaced_are_read_again(
    https: tuple[int, Path], tmp_path: Path
) -> None:
    port, pem = https
    authorities = tmp_path / "authorities.pem"
    shutil.copy(pem, authorities)
    assert _status((port, authorities), "hook.example") == 200
    authorities.write_text("")
    os.utime(authorities, ns=(1, 1))
    with pytest.raises(PartnerUnavailable):
        _status((port, authorities), "hook.example")
