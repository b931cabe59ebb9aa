"""The embedded TSA and OCSP responder behind HTTP, judged by openssl."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

from dossier.wire import WireEndpoint, WireReply, WireRequest
from exchange.pki import ocsp_endpoint, tsa_endpoint
from tests.builders.exchange import OneNode


def post(
    endpoint: WireEndpoint | None, body: bytes, media_type: str, method: str = "POST"
) -> WireReply:
    assert endpoint
    return endpoint(
        WireRequest(
            method=method,
            path="/tsa",
            query="",
            headers={"content-type": media_type},
            stream=io.BytesIO(body),
            peer="127.0.0.1",
        )
    )


def openssl(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def lay_out(one: OneNode, folder: Path) -> None:
    trust = one.node.settings.trust_dir
    (folder / "root.pem").write_bytes((trust / "anchor.pem").read_bytes())
    (folder / "ca.pem").write_bytes((trust / "certificates.pem").read_bytes())


def test_openssl_accepts_the_time_stamp(one: OneNode, tmp_path: Path) -> None:
    lay_out(one, tmp_path)
    (tmp_path / "letter").write_bytes(b"a letter")
    openssl(tmp_path, "ts", "-query", "-data", "letter", "-sha256", "-cert", "-out", "q")
    reply = post(
        tsa_endpoint(one.node), (tmp_path / "q").read_bytes(), "application/timestamp-query"
    )
    assert reply.headers["Content-Type"] == "application/timestamp-reply"
    (tmp_path / "r").write_bytes(b"".join(reply.body))
    said = openssl(
        tmp_path,
        *("ts", "-verify", "-queryfile", "q", "-in", "r"),
        *("-CAfile", "root.pem", "-untrusted", "ca.pem"),
    )
    assert "Verification: OK" in said


def ask(one: OneNode, folder: Path) -> str:
    lay_out(one, folder)
    endpoint = ocsp_endpoint(one.node)
    assert endpoint is not None
    seal = one.node.settings.keys_dir / "seals" / "000.00.00.H08.crt.pem"
    (folder / "leaf.pem").write_bytes(seal.read_bytes())
    openssl(folder, "ocsp", "-issuer", "ca.pem", "-cert", "leaf.pem", "-reqout", "q")
    reply = post(endpoint, (folder / "q").read_bytes(), "application/ocsp-request")
    (folder / "r").write_bytes(b"".join(reply.body))
    return openssl(
        folder,
        *("ocsp", "-issuer", "ca.pem", "-cert", "leaf.pem", "-no_nonce", "-respin", "r"),
        *("-CAfile", "root.pem", "-verify_other", "ca.pem"),
    )


def test_openssl_accepts_the_ocsp_answer(one: OneNode, tmp_path: Path) -> None:
    said = ask(one, tmp_path)
    assert "Response verify OK" in said
    assert "leaf.pem: good" in said


def test_revocation_counts_at_once(one: OneNode, tmp_path: Path) -> None:
    index = one.node.settings.keys_dir / "ocsp.index"
    kept = index.read_text()
    index.write_text("".join(f"{line} 2026-01-01T00:00:00+00:00\n" for line in kept.splitlines()))
    try:
        assert "leaf.pem: revoked" in ask(one, tmp_path)
    finally:
        index.write_text(kept)


def test_other_methods_types_and_sizes_are_refused(one: OneNode) -> None:
    endpoint = tsa_endpoint(one.node)
    assert post(endpoint, b"", "application/timestamp-query", method="GET").status == 405
    assert post(endpoint, b"", "text/plain").status == 415
    assert post(endpoint, b"x" * 20_000, "application/timestamp-query").status == 413
