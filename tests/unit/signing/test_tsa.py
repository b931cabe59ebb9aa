"""Our time-stamping authority: answers to good and bad requests, tokens read strictly."""

from __future__ import annotations

import hashlib

import pytest
from asn1crypto import algos, tsp
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from signing import der
from signing.errors import KeyUnusable, TimestampKeyRefused, TimestampMalformed
from signing.indication import SubIndication
from signing.keys import load_signer
from signing.pki import Subject, certificates_pem, issue_leaf, public_key_of
from signing.purpose import Purpose
from signing.timestamp import check_token, parse_token, signer_of
from signing.tsa import TimestampAuthority, token_of_response
from tests.builders.signing import NOW, SHORT, pki

IMPRINT = hashlib.sha256(b"x").digest()


def imprint(name: str) -> bytes:
    return hashlib.new(name, b"x").digest()


def authority() -> TimestampAuthority:
    return TimestampAuthority(pki().signers[Purpose.TSA])


def request(**changes: object) -> bytes:
    fields: dict[str, object] = {
        "version": 1,
        "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": IMPRINT},
        "nonce": 12345678901234567890,
        "cert_req": True,
        **changes,
    }
    encoded: bytes = tsp.TimeStampReq(fields).dump()
    return encoded


def failure(response: bytes) -> set[str]:
    # asn1crypto demands a token in every response, so the status is read on its own.
    status = tsp.PKIStatusInfo.load(der.Cursor(response).enter(der.SEQUENCE).take_whole(0x30))
    assert status["status"].native == "rejection"
    found: set[str] = status["fail_info"].native
    return found


def test_answers_with_nonce_time_and_chain() -> None:
    token = parse_token(token_of_response(authority().respond(request(), at=NOW)))

    assert (token.nonce, token.time, token.imprint) == (12345678901234567890, NOW, IMPRINT)
    seal = pki().signers[Purpose.TSA]
    assert set(token.certificates) == {seal.certificate, *seal.chain}


def test_leaves_certificates_out_unless_asked() -> None:
    token = parse_token(token_of_response(authority().respond(request(cert_req=False), at=NOW)))

    assert token.certificates == ()


def test_serial_numbers_differ() -> None:
    serials = {parse_token(authority().stamp(IMPRINT, at=NOW)).serial for _ in range(5)}

    assert len(serials) == 5


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
def test_stamps_each_listed_digest(name: str) -> None:
    token = parse_token(authority().stamp(hashlib.new(name, b"x").digest(), at=NOW))

    assert token.imprint_hash == name


def test_refuses_weak_digest_wrong_length_policy_extension_and_junk() -> None:
    sha1 = {
        "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha1"}),
        "hashed_message": bytes(20),
    }
    short = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(20)}
    extension = [{"extn_id": "1.2.3", "critical": False, "extn_value": b"\\x05\\x00"}]
    answer = authority().respond

    assert failure(answer(request(message_imprint=sha1), at=NOW)) == {"bad_alg"}
    assert failure(answer(request(message_imprint=short), at=NOW)) == {"bad_alg"}
    assert failure(answer(request(req_policy="1.2.3.4"), at=NOW)) == {"unaccepted_policy"}
    assert failure(answer(request(version=2), at=NOW)) == {"bad_request"}
    assert failure(answer(request(extensions=extension), at=NOW)) == {"unaccepted_extensions"}
    assert failure(answer(b"junk", at=NOW)) == {"bad_data_format"}


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(content: bytes) -> None:
    assert failure(authority().respond(content, at=NOW)) == {"bad_data_format"}


@given(st.binary(max_size=300))
def test_any_bytes_are_a_token_or_our_error(content: bytes) -> None:
    with pytest.raises(TimestampMalformed):
        parse_token(content)


def test_key_for_another_purpose_does_not_stamp() -> None:
    with pytest.raises(KeyUnusable):
        TimestampAuthority(pki().signers[Purpose.SEAL])


def test_imprint_of_wrong_size_is_refused() -> None:
    with pytest.raises(TimestampMalformed):
        authority().stamp(bytes(20), at=NOW)


def test_rejection_is_no_token() -> None:
    with pytest.raises(TimestampMalformed):
        token_of_response(authority().respond(b"", at=NOW))


def test_token_over_other_data_fails() -> None:
    token = parse_token(authority().stamp(IMPRINT, at=NOW))
    certificate = signer_of(token, pki().trust())
    assert certificate is not None

    assert check_token(token, certificate, imprint=imprint).is_passed
    assert (
        check_token(
            token, certificate, imprint=lambda name: hashlib.new(name, b"y").digest()
        ).sub_indication
        is SubIndication.HASH_FAILURE
    )


def test_rsa_key_is_refused_by_name() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    certificate = issue_leaf(
        pki().issuing,
        public_key=public_key_of(key),
        purpose=Purpose.TSA,
        subject=Subject(common_name="TSA RSA"),
        validity=SHORT,
        serial=88,
    )
    signer = load_signer(key, certificates=certificates_pem(certificate))

    # `openssl ts -verify` reads tokens as PKCS #7, which has no PSS.
    with pytest.raises(TimestampKeyRefused):
        TimestampAuthority(signer)


def test_changed_octets_of_a_token_never_check() -> None:
    token = authority().stamp(IMPRINT, at=NOW)
    trust = pki().trust()
    for position in range(len(token)):
        changed = token[:position] + bytes((token[position] ^ 1,)) + token[position + 1 :]
        try:
            parsed = parse_token(changed)
        except TimestampMalformed:
            continue
        certificate = signer_of(parsed, trust)
        assert (
            certificate is None or not check_token(parsed, certificate, imprint=imprint).is_passed
        )
