"""The embedded time-stamp authority and OCSP responder as wire endpoints.

In production both are usually outside services; a node without the keys has no such endpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from dossier.wire import WireEndpoint, WireReply, WireRequest
from exchange.errors import OcspIndexRefused
from exchange.node import Node
from exchange.settings import Settings
from signing.keys import Signer, load_signer
from signing.ocsp import OcspResponder, Revoked, Standing
from signing.tsa import TimestampAuthority

_MOST_BYTES: Final = 16 * 1024


def tsa_endpoint(node: Node) -> WireEndpoint | None:
    """Return the RFC 3161 endpoint of the node's authority; None where it has no such key."""
    if not (node.settings.keys_dir / "tsa.key.pem").exists():
        return None
    authority = TimestampAuthority(_key(node.settings, "tsa"))

    def answer(request: bytes) -> bytes:
        return authority.respond(request, at=node.now())

    return partial(_answered, kind="timestamp", answer=answer)


def ocsp_endpoint(node: Node) -> WireEndpoint | None:
    """Return the RFC 6960 endpoint of the node's responder; None where it has no such key.

    `keys/ocsp.index` holds one certificate a line: its serial number, and for a revoked one the
    ISO instant. It is read at each question, so that a revocation counts at once.
    """
    folder = node.settings.keys_dir
    if not (folder / "ocsp.key.pem").exists():
        return None
    signer = _key(node.settings, "ocsp")
    responder = OcspResponder(signer, issuer=signer.chain[0])

    def answer(request: bytes) -> bytes:
        index = read_index(folder / "ocsp.index")
        return responder.respond(
            request,
            at=node.now(),
            look_up=lambda serial: index.get(serial, Standing.UNKNOWN),
        )

    return partial(_answered, kind="ocsp", answer=answer)


def read_index(path: Path) -> dict[int, Revoked | Standing]:
    """Return what the index says of each serial number; raise `OcspIndexRefused`."""
    found: dict[int, Revoked | Standing] = {}
    for number, line in enumerate(path.read_text("ascii").splitlines(), start=1):
        serial, _, revoked = line.strip().partition(" ")
        try:
            found[int(serial)] = (
                Revoked(at=datetime.fromisoformat(revoked)) if revoked else Standing.GOOD
            )
        except ValueError as exc:
            raise OcspIndexRefused(
                "expected a serial number and maybe an instant", line=number
            ) from exc
    return found


def _answered(request: WireRequest, *, kind: str, answer: Callable[[bytes], bytes]) -> WireReply:
    query = f"application/{kind}-query" if kind == "timestamp" else "application/ocsp-request"
    reply = f"application/{kind}-reply" if kind == "timestamp" else "application/ocsp-response"
    if request.method != "POST":
        return _refused(405, "POST")
    if request.headers.get("content-type", "").partition(";")[0].strip() != query:
        return _refused(415, query)
    body = request.stream.read(_MOST_BYTES + 1)
    if len(body) > _MOST_BYTES:
        return _refused(413, f"at most {_MOST_BYTES} bytes")
    return WireReply(status=200, headers={"Content-Type": reply}, body=[answer(body)])


def _refused(status: int, expected: str) -> WireReply:
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    return WireReply(status=status, headers=headers, body=[f"expected {expected}\n".encode()])


def _key(here: Settings, name: str) -> Signer:
    return load_signer(
        (here.keys_dir / f"{name}.key.pem").read_bytes(),
        certificates=(here.keys_dir / f"{name}.crt.pem").read_bytes(),
    )
