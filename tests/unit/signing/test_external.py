"""Signing in two steps: the key is elsewhere."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from hypothesis import given
from hypothesis import strategies as st

from signing.asic import seal_container, signature_name
from signing.errors import ExternalSignatureRefused, KeyUnusable
from signing.external import (
    complete_files,
    digest_of,
    dump_prepared,
    parse_prepared,
    prepare_files,
)
from signing.keys import load_private_key
from signing.pki import Subject, issue_leaf, new_key, public_key_of
from signing.purpose import Purpose
from signing.verify import judge_container
from signing.xades import Prepared, SignatureRole
from tests.builders.signing import NOW, SHORT, letter, pki

KEY = new_key()
CERTIFICATE = issue_leaf(
    pki().issuing,
    public_key=public_key_of(KEY),
    purpose=Purpose.PERSON,
    subject=Subject(common_name="Lãnh đạo"),
    validity=SHORT,
    serial=801,
)


def prepared() -> Prepared:
    return prepare_files(letter()[1:], certificate=CERTIFICATE, at=NOW, role=SignatureRole.APPROVED)


def sign_digest(digest: bytes) -> bytes:
    """Sign as a remote service does: it sees a digest and gives back DER."""
    key = load_private_key(KEY)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))


def test_document_of_two_steps_passes_in_a_container() -> None:
    kept = dump_prepared(prepared())
    back = parse_prepared(kept)
    document = complete_files(back, sign_digest(digest_of(back)), timestamper=pki().timestamper())
    content = seal_container(
        letter(),
        signatures=[(signature_name(1), document)],
        signer=pki().signers[Purpose.SEAL],
        timestamper=pki().timestamper(),
        at=NOW,
    )

    judgement = judge_container(content, trust=pki().trust(), at=NOW)

    assert judgement.is_passed
    assert judgement.signatures[0].role == "approved"


def test_value_over_other_octets_is_refused() -> None:
    value = sign_digest(hashlib.sha256(b"something else").digest())

    with pytest.raises(ExternalSignatureRefused):
        complete_files(prepared(), value, timestamper=None)


@given(st.binary(max_size=80))
def test_any_other_value_is_refused(value: bytes) -> None:
    with pytest.raises(ExternalSignatureRefused):
        complete_files(prepared(), value, timestamper=None)


@given(st.binary(max_size=80))
def test_any_other_bytes_are_no_prepared_signature(content: bytes) -> None:
    with pytest.raises(ExternalSignatureRefused):
        parse_prepared(content)


def test_certificate_that_does_not_sign_documents_is_refused() -> None:
    with pytest.raises(KeyUnusable):
        prepare_files(
            letter(),
            certificate=pki().signers[Purpose.TSA].certificate,
            at=NOW,
            role=SignatureRole.APPROVED,
        )
