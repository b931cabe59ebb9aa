"""Keys for calls: who signs WS-Security headers here, and whose certificates are believed.

They prove who called, never what was sent; the directory binds them (`Call`), as it does seals.
"""

from __future__ import annotations

from pathlib import Path

from connectors.errors import WsSecurityRefused
from connectors.wssecurity import Algorithm, TokenSigner
from dossier.errors import LienThongError
from dossier.ids import AgencyCode
from exchange.errors import SealMissing
from exchange.node import Node
from exchange.seals import read_key
from signing.calls import verify_call
from signing.keys import Signer


class CallSigner:
    """Signs calls with a key of an agency; implements `connectors.wssecurity.TokenSigner`."""

    def __init__(self, signer: Signer) -> None:
        """Take a P-256 key: its values are r and s, as the header wants them."""
        self.certificate = signer.certificate
        self.algorithm = Algorithm(signer.algorithm.value)
        self._signer = signer

    def sign(self, octets: bytes) -> bytes:
        """Return the signature value."""
        return self._signer.sign(octets)


def call_signer(keys_dir: Path, agency: AgencyCode) -> TokenSigner:
    """Return the signer of `calls/<code>.*.pem`; raise `SealMissing` without one that fits."""
    stem = keys_dir / "calls" / agency
    try:
        return CallSigner(read_key(stem))
    except (OSError, ValueError, LienThongError) as exc:
        raise SealMissing(
            "expected a P-256 key for calls of the agency",
            hint=f"put calls/{agency}.key.pem and .crt.pem into the keys folder",
            agency=agency,
        ) from exc


class CallJudge:
    """Judges signed calls; implements `connectors.wssecurity.TokenJudge`."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def verify(
        self, certificate: bytes, algorithm: Algorithm, octets: bytes, value: bytes
    ) -> AgencyCode:
        """Return the agency that the directory binds the certificate to."""
        at = self._node.now()
        caller = self._node.directory().caller_of(certificate, at=at)
        if caller is None:
            raise WsSecurityRefused("expected a certificate of the directory", reason="agency")
        try:
            verify_call(
                certificate,
                algorithm=algorithm.value,
                octets=octets,
                value=value,
                trust=self._node.trust(),
                at=at,
            )
        except LienThongError as exc:
            raise WsSecurityRefused("expected a call by a trusted key", reason=exc.code) from exc
        return caller.code
