"""Other people's tools read what we write: xmlsec1, openssl, rfc3161-client."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
import rfc3161_client
from cryptography import x509

from signing import zipfile
from signing.enveloped import sign_xml
from signing.pki import certificates_pem
from signing.purpose import Purpose
from signing.tsa import TimestampAuthority
from tests.builders.signing import NOW, pki, sealed

MOMENT = str(int(NOW.timestamp()))


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "root.pem").write_bytes(certificates_pem(pki().root.certificate))
    (tmp_path / "ca.pem").write_bytes(certificates_pem(pki().issuing.certificate))
    return tmp_path


def xmlsec(document: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run(
        "xmlsec1", "--verify", "--id-attr:Id", "SignedProperties",
        "--verification-time", NOW.strftime("%Y-%m-%d %H:%M:%S"),
        "--trusted-pem", "root.pem", "--untrusted-pem", "ca.pem", document,
        cwd=cwd,
    )  # fmt: skip


def test_xmlsec_verifies_both_signatures_of_a_container(folder: Path) -> None:
    for entry in zipfile.read(sealed()).entries:
        path = folder / entry.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(entry.content)

    for number in ("001", "002"):
        result = xmlsec(f"META-INF/signatures{number}.xml", folder)
        assert result.returncode == 0, result.stderr
        assert "OK" in result.stderr


def test_xmlsec_refuses_a_changed_file(folder: Path) -> None:
    for entry in zipfile.read(sealed()).entries:
        path = folder / entry.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(entry.content)
    (folder / "envelope.xml").write_bytes(b"<other></other>")

    assert xmlsec("META-INF/signatures002.xml", folder).returncode != 0


def test_xmlsec_verifies_an_enveloped_document(folder: Path) -> None:
    receipt = '<receipt xmlns="urn:test"><to>Bình Định</to></receipt>'.encode()
    signed = sign_xml(receipt, signer=pki().signers[Purpose.SEAL], timestamper=None, at=NOW)
    (folder / "receipt.xml").write_bytes(signed)

    result = xmlsec("receipt.xml", folder)

    assert result.returncode == 0, result.stderr


def test_openssl_accepts_our_answer_to_its_own_request(folder: Path) -> None:
    (folder / "d").write_bytes(b"noi dung")
    query = run(
        "openssl", "ts", "-query", "-data", "d", "-sha256", "-cert", "-out", "q.tsq", cwd=folder
    )
    assert query.returncode == 0, query.stderr
    authority = TimestampAuthority(pki().signers[Purpose.TSA])
    (folder / "r.tsr").write_bytes(authority.respond((folder / "q.tsq").read_bytes(), at=NOW))

    result = run(
        "openssl", "ts", "-verify", "-queryfile", "q.tsq", "-in", "r.tsr",
        "-CAfile", "root.pem", "-untrusted", "ca.pem", "-attime", MOMENT,
        cwd=folder,
    )  # fmt: skip

    assert result.returncode == 0, result.stdout + result.stderr


def test_openssl_cms_verifies_our_token(folder: Path) -> None:
    authority = TimestampAuthority(pki().signers[Purpose.TSA])
    token = authority.stamp(hashlib.sha256(b"x").digest(), at=NOW)
    (folder / "t.tst").write_bytes(token)
    # `openssl cms` builds paths from its store alone, so the issuing CA goes there too.
    (folder / "store.pem").write_bytes(
        certificates_pem(pki().root.certificate, pki().issuing.certificate)
    )

    result = run(
        "openssl", "cms", "-verify", "-inform", "DER", "-in", "t.tst", "-CAfile", "store.pem",
        "-purpose", "timestampsign", "-attime", MOMENT, "-out", "info.der",
        cwd=folder,
    )  # fmt: skip

    assert result.returncode == 0, result.stderr


def test_rfc3161_client_verifies_our_answer() -> None:
    message = b"noi dung"
    request = rfc3161_client.TimestampRequestBuilder().data(message).build()
    authority = TimestampAuthority(pki().signers[Purpose.TSA])
    answer = rfc3161_client.decode_timestamp_response(authority.respond(request.as_bytes(), at=NOW))
    verifier = (
        rfc3161_client.VerifierBuilder()
        .add_root_certificate(x509.load_der_x509_certificate(pki().root.certificate))
        .add_intermediate_certificate(x509.load_der_x509_certificate(pki().issuing.certificate))
        .build()
    )

    assert verifier.verify_message(answer, message)


def test_openssl_reads_our_revocation_list(folder: Path) -> None:
    (folder / "crl.der").write_bytes(pki().crls()[1])

    result = run(
        "openssl", "crl", "-inform", "DER", "-in", "crl.der", "-CAfile", "ca.pem", "-noout",
        cwd=folder,
    )  # fmt: skip

    assert "verify OK" in result.stderr
