"""Hostile bytes: whatever is cut, doubled or flipped in a sound file, the judge answers."""

from __future__ import annotations

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from signing.augment import augment_container
from signing.enveloped import sign_xml
from signing.errors import CertificateRefused, SignatureMalformed, TimestampMalformed
from signing.judgement import Level
from signing.keys import read_certificates
from signing.policy import Trust
from signing.purpose import Purpose
from signing.revocation import statuses_of
from signing.timestamp import parse_token
from signing.verify import judge_container, judge_xml
from signing.xades import read_signature
from tests.builders.signing import NOW, pki, sealed


@cache
def seeds() -> dict[str, bytes]:
    """Return one sound file of each kind."""
    return {
        "container": sealed(),
        "archived": augment_container(
            sealed(),
            to=Level.B_LTA,
            trust=pki().trust(),
            timestamper=pki().timestamper(),
            at=NOW,
        ),
        "xml": sign_xml(
            b"<r><x></x></r>",
            signer=pki().signers[Purpose.SEAL],
            timestamper=pki().timestamper(),
            at=NOW,
        ),
        "token": pki().timestamper().stamp(bytes(32)),
        "certificate": pki().signers[Purpose.SEAL].certificate,
        "crl": pki().crls()[1],
    }


@st.composite
def mutants(draw: st.DrawFn, kind: str) -> bytes:
    """Draw a copy of a sound file with a few cuts, copies and flips."""
    content = bytearray(seeds()[kind])
    for _ in range(draw(st.integers(min_value=1, max_value=4))):
        if not content:
            break
        start = draw(st.integers(min_value=0, max_value=len(content) - 1))
        length = draw(st.integers(min_value=1, max_value=64))
        match draw(st.sampled_from(("flip", "cut", "copy", "write"))):
            case "flip":
                content[start] ^= 1 << draw(st.integers(min_value=0, max_value=7))
            case "cut":
                del content[start : start + length]
            case "copy":
                content[start:start] = content[start : start + length]
            case _:
                content[start : start + length] = draw(st.binary(max_size=length))
    return bytes(content)


@given(mutants("container"))
def test_container(content: bytes) -> None:
    judgement = judge_container(content, trust=pki().trust(), at=NOW)

    assert not judgement.is_passed or content == seeds()["container"]


@given(mutants("archived"))
def test_archived_container(content: bytes) -> None:
    judgement = judge_container(content, trust=pki().trust(), at=NOW)

    assert not judgement.is_passed or content == seeds()["archived"]


@given(mutants("xml"))
def test_document(content: bytes) -> None:
    purposes = frozenset({Purpose.SEAL})
    judgement = judge_xml(content, trust=pki().trust(), at=NOW, purposes=purposes)

    assert not judgement.is_passed or content == seeds()["xml"]


@given(st.binary(max_size=300))
def test_any_bytes_as_document(content: bytes) -> None:
    assert not judge_xml(content, trust=pki().trust(), at=NOW).is_passed


@given(st.binary(max_size=300))
def test_any_bytes_as_signature(content: bytes) -> None:
    try:
        read_signature(content)
    except SignatureMalformed:
        return
    raise AssertionError(content)


@given(mutants("token"))
def test_token(content: bytes) -> None:
    try:
        parse_token(content)
    except TimestampMalformed:
        return


@given(mutants("certificate"))
def test_certificate(content: bytes) -> None:
    try:
        read_certificates(content)
    except CertificateRefused:
        return


@given(mutants("crl"))
def test_revocation_list(content: bytes) -> None:
    trust = Trust(anchors=(), crls=(content,))
    leaf = trust.certificate(pki().signers[Purpose.SEAL].certificate)
    issuer = trust.certificate(pki().issuing.certificate)

    found = statuses_of(leaf, issuer, trust=trust)

    assert not found or content == seeds()["crl"]
