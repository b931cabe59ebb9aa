"""Our OCSP responder, and what OCSP answers prove."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtensionOID
from hypothesis import given
from hypothesis import strategies as st

from signing.certificate import parse_certificate
from signing.errors import KeyUnusable
from signing.indication import Indication, SubIndication
from signing.keys import load_private_key, load_signer
from signing.ocsp import OcspResponder, Refusal, Revoked, Standing, ocsp_request, refusal
from signing.pki import (
    Revocation,
    Subject,
    certificates_pem,
    issue_leaf,
    new_key,
    public_key_of,
)
from signing.policy import Trust
from signing.purpose import Purpose
from signing.revocation import statuses_of
from signing.verify import judge_container
from tests.builders.signing import NOW, SHORT, pki, sealed

SEAL = pki().signers[Purpose.SEAL].certificate
HOUR = timedelta(hours=1)


def responder() -> OcspResponder:
    return OcspResponder(pki().signers[Purpose.OCSP], issuer=pki().issuing.certificate)


def status(response: bytes) -> ocsp.OCSPResponseStatus:
    return ocsp.load_der_ocsp_response(response).response_status


def trust(*ocsps: bytes) -> Trust:
    """Return trust with the root's list, and OCSP answers instead of the issuing CA's list."""
    return Trust(
        anchors=(pki().root.certificate,),
        certificates=(pki().issuing.certificate,),
        crls=pki().crls()[:1],
        ocsps=ocsps,
    )


def answers(standing: Revoked | Standing = Standing.GOOD, **changes: object) -> list[bytes]:
    at = changes.get("at", NOW)
    assert isinstance(at, type(NOW))
    return [
        responder().state(pki().signers[purpose].certificate, at=at, standing=standing)
        for purpose in (Purpose.SEAL, Purpose.PERSON, Purpose.TSA)
    ]


def test_openssl_accepts_our_answer_to_its_own_request(tmp_path: Path) -> None:
    for name, content in (
        ("seal.pem", SEAL),
        ("ca.pem", pki().issuing.certificate),
        ("root.pem", pki().root.certificate),
    ):
        (tmp_path / name).write_bytes(certificates_pem(content))

    def openssl(*arguments: str) -> str:
        result = subprocess.run(
            ["openssl", "ocsp", *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return result.stdout + result.stderr

    openssl("-issuer", "ca.pem", "-cert", "seal.pem", "-no_nonce", "-reqout", "q.der")
    (tmp_path / "store.pem").write_bytes(
        (tmp_path / "root.pem").read_bytes() + (tmp_path / "ca.pem").read_bytes()
    )
    request = (tmp_path / "q.der").read_bytes()
    response = responder().respond(request, at=NOW, look_up=lambda _: Standing.GOOD)
    (tmp_path / "r.der").write_bytes(response)

    told = openssl(
        "-issuer", "ca.pem", "-cert", "seal.pem", "-respin", "r.der", "-no_nonce",
        "-CAfile", "store.pem", "-attime", str(int(NOW.timestamp())),
        "-validity_period", "2000000000",
    )  # fmt: skip

    assert "Response verify OK" in told
    assert "seal.pem: good" in told


def test_echoes_the_nonce_and_tells_revocation() -> None:
    request = ocsp_request(SEAL, issuer=pki().issuing.certificate, nonce=b"n" * 32)
    revoked = Revoked(at=NOW - HOUR, reason=x509.ReasonFlags.superseded)

    response = ocsp.load_der_ocsp_response(
        responder().respond(request, at=NOW, look_up=lambda _: revoked)
    )

    assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32
    single = next(iter(response.responses))
    assert single.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert single.revocation_time_utc == NOW - HOUR
    assert single.revocation_reason is x509.ReasonFlags.superseded


def test_looks_up_the_serial_number_that_was_asked() -> None:
    asked: list[int] = []

    def look_up(serial: int) -> Standing:
        asked.append(serial)
        return Standing.UNKNOWN

    request = ocsp_request(SEAL, issuer=pki().issuing.certificate)
    responder().respond(request, at=NOW, look_up=look_up)

    assert asked == [10 + Purpose.SEAL.value]


def test_does_not_answer_for_another_authority() -> None:
    request = ocsp_request(pki().issuing.certificate, issuer=pki().root.certificate)

    response = responder().respond(request, at=NOW, look_up=lambda _: Standing.GOOD)

    assert status(response) is ocsp.OCSPResponseStatus.UNAUTHORIZED


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(content: bytes) -> None:
    response = responder().respond(content, at=NOW, look_up=lambda _: Standing.GOOD)

    assert status(response) is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_try_later_can_be_said() -> None:
    assert status(refusal(Refusal.TRY_LATER)) is ocsp.OCSPResponseStatus.TRY_LATER


def test_key_without_the_purpose_does_not_answer() -> None:
    with pytest.raises(KeyUnusable):
        OcspResponder(pki().signers[Purpose.SEAL], issuer=pki().issuing.certificate)


def test_good_answers_take_the_place_of_a_list() -> None:
    judgement = judge_container(sealed(), trust=trust(*answers()), at=NOW)

    assert judgement.indication is Indication.TOTAL_PASSED


def test_revoked_answer_counts() -> None:
    judgement = judge_container(sealed(), trust=trust(*answers(Revoked(at=NOW - HOUR))), at=NOW)

    assert judgement.sub_indication is SubIndication.REVOKED_NO_POE


def test_unknown_is_no_status() -> None:
    judgement = judge_container(sealed(), trust=trust(*answers(Standing.UNKNOWN)), at=NOW)

    assert judgement.sub_indication is SubIndication.TRY_LATER


def test_stale_answer_is_no_status() -> None:
    old = answers(at=NOW - timedelta(days=3))

    judgement = judge_container(sealed(), trust=trust(*old), at=NOW)

    assert judgement.sub_indication is SubIndication.TRY_LATER


def test_answer_of_a_responder_that_the_ca_did_not_appoint_is_no_status() -> None:
    stranger = pki.__wrapped__()
    forged = OcspResponder(stranger.signers[Purpose.OCSP], issuer=pki().issuing.certificate).state(
        SEAL, at=NOW, standing=Standing.GOOD
    )

    judgement = judge_container(sealed(), trust=trust(forged, *answers()[1:]), at=NOW)

    assert judgement.sub_indication is SubIndication.TRY_LATER


def test_answer_for_another_certificate_is_no_status() -> None:
    judgement = judge_container(sealed(), trust=trust(*answers()[1:]), at=NOW)

    assert judgement.sub_indication is SubIndication.TRY_LATER


def test_no_changed_byte_of_an_answer_is_a_status() -> None:
    good = answers()[0]
    leaf, issuer = parse_certificate(SEAL), parse_certificate(pki().issuing.certificate)
    assert statuses_of(leaf, issuer, trust=trust(good))
    for position in range(len(good)):
        changed = good[:position] + bytes((good[position] ^ 1,)) + good[position + 1 :]
        given = Trust(anchors=(), ocsps=(changed,))
        assert statuses_of(leaf, issuer, trust=given) == (), position


def checked_responder() -> tuple[OcspResponder, int]:
    """Return a responder whose certificate does not excuse it from being checked."""
    key = new_key()
    plain = x509.load_der_x509_certificate(pki().signers[Purpose.OCSP].certificate)
    builder = (
        x509.CertificateBuilder()
        .subject_name(plain.subject)
        .issuer_name(plain.issuer)
        .not_valid_before(plain.not_valid_before_utc)
        .not_valid_after(plain.not_valid_after_utc)
        .serial_number(950)
        .public_key(load_private_key(key).public_key())
    )
    for one in plain.extensions:
        if one.oid != ExtensionOID.OCSP_NO_CHECK:
            builder = builder.add_extension(one.value, critical=one.critical)
    made = builder.sign(load_private_key(pki().issuing.key), hashes.SHA256())
    chain = certificates_pem(made.public_bytes(Encoding.DER), pki().issuing.certificate)
    return OcspResponder(
        load_signer(key, certificates=chain), issuer=pki().issuing.certificate
    ), made.serial_number


@pytest.mark.parametrize(
    ("crls", "count"),
    [
        ((), 0),
        (pki().crls(), 1),
        (pki().crls(at=NOW - 9 * HOUR, next_update=NOW - 8 * HOUR), 0),
        (pki().crls(revoked=(Revocation(serial=950, at=NOW),)), 0),
    ],
    ids=["no list", "listed as good", "stale list", "revoked"],
)
def test_responder_that_is_to_be_checked_counts_when_a_list_clears_it(
    crls: tuple[bytes, ...], count: int
) -> None:
    answering, serial = checked_responder()
    assert serial == 950
    answer = answering.state(SEAL, at=NOW, standing=Standing.GOOD)
    known = Trust(anchors=(pki().root.certificate,), crls=crls, ocsps=(answer,))

    found = statuses_of(
        parse_certificate(SEAL), parse_certificate(pki().issuing.certificate), trust=known
    )

    assert len([one for one in found if one.source == "ocsp"]) == count


def test_an_answer_signed_with_rsa_pss_counts() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate = issue_leaf(
        pki().issuing,
        public_key=public_key_of(pem),
        purpose=Purpose.OCSP,
        subject=Subject(common_name="OCSP RSA"),
        validity=SHORT,
        serial=77,
    )
    signer = load_signer(pem, certificates=certificates_pem(certificate))
    answer = OcspResponder(signer, issuer=pki().issuing.certificate).state(
        SEAL, at=NOW, standing=Standing.GOOD
    )

    found = statuses_of(
        parse_certificate(SEAL), parse_certificate(pki().issuing.certificate), trust=trust(answer)
    )

    assert [one.revoked_at for one in found] == [None]
