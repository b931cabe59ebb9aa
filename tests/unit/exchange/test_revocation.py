"""CRLs and OCSP responses are fetched beforehand, from allowed hosts only, and kept as files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from dossier.wire import WireReply, WireRequest
from exchange.revocation import fetch_for_files
from signing.sources import sources_of
from tests.builders.wire_server import served

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_KEY = ec.generate_private_key(ec.SECP256R1())
_CA = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])


@dataclass
class Authority:
    """Answers with what it is told to, and remembers what it was asked."""

    status: int = 200
    crl: bytes = b""
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)

    def __call__(self, request: WireRequest) -> WireReply:
        body = request.stream.read(10_000)
        self.asked.append((request.method, request.path, body))
        content = self.crl if request.method == "GET" else b"0\x03\n\x01\x06"
        headers = {"Content-Length": str(len(content))}
        return WireReply(status=self.status, headers=headers, body=(content,))


@pytest.fixture
def authority() -> Authority:
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(_CA)
        .last_update(_AT)
        .next_update(_AT + timedelta(days=7))
        .sign(_KEY, hashes.SHA256())
    )
    return Authority(crl=made.public_bytes(Encoding.DER))


@pytest.fixture
def address(authority: Authority) -> Iterator[str]:
    with served(authority) as running:
        yield running


def _certificates(folder: Path, address: str) -> Path:
    points = x509.CRLDistributionPoints(
        [
            x509.DistributionPoint(
                [x509.UniformResourceIdentifier(f"{address}/ca.crl")], None, None, None
            ),
            x509.DistributionPoint(
                [x509.UniformResourceIdentifier("ldap://directory/cn=ca")], None, None, None
            ),
        ]
    )
    responder = x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(
                AuthorityInformationAccessOID.OCSP,
                x509.UniformResourceIdentifier(f"{address}/ocsp"),
            )
        ]
    )
    leaf = _issued("Seal", serial=2).add_extension(points, critical=False)
    found = [_issued("Test CA", serial=1), leaf.add_extension(responder, critical=False)]
    pems = [one.sign(_KEY, hashes.SHA256()).public_bytes(Encoding.PEM) for one in found]
    path = folder / "chain.pem"
    path.write_bytes(b"".join(pems))
    return path


def _issued(name: str, *, serial: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(_CA)
        .public_key(_KEY.public_key())
        .serial_number(serial)
        .not_valid_before(_AT)
        .not_valid_after(_AT + timedelta(days=365))
    )


def test_lists_and_answers_become_files(authority: Authority, address: str, tmp_path: Path) -> None:
    chain = _certificates(tmp_path, address)
    fetched = fetch_for_files([chain], into=tmp_path / "out", hosts=["127.0.0.1"])
    assert [(one.address, one.is_new, one.error) for one in fetched] == [
        (f"{address}/ca.crl", True, ""),
        (f"{address}/ocsp", True, ""),
    ]
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".crl", ".ocsp"]
    assert [asked[:2] for asked in authority.asked] == [("GET", "/ca.crl"), ("POST", "/ocsp")]
    again = fetch_for_files([chain], into=tmp_path / "out", hosts=["127.0.0.1"])
    assert [one.is_new for one in again] == [False, False]


def test_a_host_that_is_not_allowed_is_not_asked(
    authority: Authority, address: str, tmp_path: Path
) -> None:
    chain = _certificates(tmp_path, address)
    fetched = fetch_for_files([chain], into=tmp_path / "out", hosts=["ca.example"])
    assert {one.error for one in fetched} == {"endpoint_forbidden"}
    assert authority.asked == []


@pytest.mark.parametrize(("status", "crl"), [(404, None), (302, None), (200, b"<html>")])
def test_what_is_no_list_leaves_the_old_one(
    authority: Authority, address: str, tmp_path: Path, status: int, crl: bytes | None
) -> None:
    chain = _certificates(tmp_path, address)
    first = fetch_for_files([chain], into=tmp_path / "out", hosts=["127.0.0.1"])[0]
    assert first.file is not None
    kept = first.file.read_bytes()
    authority.status, authority.crl = status, crl or authority.crl
    second = fetch_for_files([chain], into=tmp_path / "out", hosts=["127.0.0.1"])[0]
    assert second.error == "partner_answer_refused"
    assert first.file.read_bytes() == kept


def test_only_http_addresses_count(tmp_path: Path) -> None:
    chain = _certificates(tmp_path, "https://ca.example")
    leaf = x509.load_pem_x509_certificates(chain.read_bytes())[1]
    found = sources_of(leaf.public_bytes(Encoding.DER))
    assert found.lists == ("https://ca.example/ca.crl",)
    assert found.responders == ("https://ca.example/ocsp",)
