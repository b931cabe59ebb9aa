"""WS-Security with others: xmlsec1 verifies what we sign, we verify what the npm package signs."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from connectors import contract
from connectors.incoming import SignedCalls
from connectors.soap_envelope import parse_envelope
from connectors.soap_server import SoapServer
from connectors.wssecurity import WSU, Algorithm, sign_message
from dossier.clock import SystemClock
from dossier.ids import AgencyCode
from tests.builders.call_keys import KnownCertificates, call_key
from tests.builders.connectors import (
    BINH_DINH,
    CONTAINER,
    HOA_BINH,
    SOAP11,
    DiskSpool,
    FakeReceiving,
    hints_for,
    send_xml,
)
from tests.builders.wire_server import served
from tests.integration.soap.conftest import CLIENTS, call_program, program


@pytest.mark.parametrize("kind", list(Algorithm))
def test_xmlsec1_verifies_what_we_sign(tmp_path: Path, kind: Algorithm) -> None:
    xml = send_xml(hints_for(CONTAINER), base64.b64encode(CONTAINER).decode())
    key = call_key(kind, "H28")
    message, certificate = tmp_path / "message.xml", tmp_path / "certificate.pem"
    plain = parse_envelope(xml, expected=None)
    message.write_bytes(sign_message(plain, signer=key, at=SystemClock().now()))
    certificate.write_bytes(key.certificate_pem)
    done = subprocess.run(
        [
            program("xmlsec1", "xmlsec1"), "--verify",
            "--pubkey-cert-pem", str(certificate),
            "--id-attr:Id", f"{WSU}:Timestamp", "--id-attr:Id", f"{SOAP11}:Body", str(message),
        ],
        capture_output=True,
        check=False,
        timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize(("owner", "accepted"), [(HOA_BINH, True), (BINH_DINH, False)])
def test_the_npm_package_signs_and_we_verify(
    tmp_path: Path, node_modules: Path, owner: AgencyCode, accepted: bool
) -> None:
    key = call_key(Algorithm.RSA_SHA256, "H28")
    (tmp_path / "key.pem").write_bytes(key.private_pem)
    (tmp_path / "certificate.pem").write_bytes(key.certificate_pem)
    (tmp_path / "spool").mkdir()
    judge = KnownCertificates({key.certificate: owner})
    server = SoapServer(
        receiving=FakeReceiving(),
        spool=DiskSpool(tmp_path / "spool"),
        signed=SignedCalls(judge=judge, clock=SystemClock()),
    )
    with served(server) as address:
        command = [
            program("node", "nodejs"), str(CLIENTS / "signing.mjs"), str(contract.wsdl_path()),
            f"{address}/soap", str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem"),
        ]  # fmt: skip
        answer = call_program(command, hints_for(CONTAINER), SOAP_MODULES=str(node_modules))
    if accepted:
        assert "receipt" in answer
    else:
        assert answer["detail"]["ErrorCode"] == "ws_security_refused"
