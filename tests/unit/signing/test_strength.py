"""Old algorithms and keys: judged by the time that is proved, not by today (attack row 13)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from signing import zipfile
from signing.algorithms import PrivateKey, SignatureAlgorithm, sign
from signing.asic import (
    DOCUMENT_CLOSE,
    DOCUMENT_OPEN,
    MIME_TYPE,
    manifest_xml,
)
from signing.judgement import Judgement
from signing.keys import load_private_key, load_signer
from signing.pki import (
    Issuer,
    Subject,
    Validity,
    certificates_pem,
    issue_authority,
    issue_crl,
    issue_leaf,
    issue_root,
    new_key,
    public_key_of,
)
from signing.policy import Trust
from signing.purpose import Purpose
from signing.tsa import TimestampAuthority
from signing.verify import judge_container
from signing.xades import Reference, SignatureRole, finish_signature, prepare_signature

THEN = datetime(2012, 6, 1, tzinfo=UTC)
NOW = datetime(2024, 6, 1, tzinfo=UTC)
VALID = Validity(start=THEN - timedelta(days=365), end=NOW + timedelta(days=3650))
DATA = b"%PDF-1.4 old letter"


@cache
def authorities() -> tuple[Issuer, Issuer]:
    root_key, key = new_key(), new_key()
    root = Issuer(
        certificate=issue_root(
            root_key, subject=Subject(common_name="Gốc cũ"), validity=VALID, serial=1
        ),
        key=root_key,
    )
    certificate = issue_authority(
        root,
        public_key=public_key_of(key),
        subject=Subject(common_name="CA cũ"),
        validity=VALID,
        serial=2,
    )
    return root, Issuer(certificate=certificate, key=key)


@cache
def person(kind: str) -> tuple[PrivateKey, bytes]:
    keys: dict[str, PrivateKey] = {
        "EC-256": load_private_key(new_key()),
        "EC-192": ec.generate_private_key(ec.SECP192R1()),
        "RSA-1024": rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505  # weak on purpose
    }
    key = keys[kind]
    return key, issue(Purpose.PERSON, key, serial=len(kind))


def issue(purpose: Purpose, key: PrivateKey, *, serial: int) -> bytes:
    """Issue by hand what `issue_leaf` refuses: weak keys."""
    template = issue_leaf(
        authorities()[1],
        public_key=public_key_of(new_key()),
        purpose=purpose,
        subject=Subject(common_name=f"Người ký {purpose.name}"),
        validity=VALID,
        serial=serial,
    )
    return reissued(template, key)


def reissued(template: bytes, key: PrivateKey) -> bytes:
    model = x509.load_der_x509_certificate(template)
    builder = x509.CertificateBuilder(
        issuer_name=model.issuer,
        subject_name=model.subject,
        public_key=key.public_key(),
        serial_number=model.serial_number,
        not_valid_before=model.not_valid_before_utc,
        not_valid_after=model.not_valid_after_utc,
        extensions=list(model.extensions),
    )
    issuer = load_private_key(authorities()[1].key)
    return builder.sign(issuer, hashes.SHA256()).public_bytes(Encoding.DER)


@cache
def stamper() -> TimestampAuthority:
    root, issuing = authorities()
    key = new_key()
    certificate = issue(Purpose.TSA, load_private_key(key), serial=77)
    chain = certificates_pem(certificate, issuing.certificate, root.certificate)
    return TimestampAuthority(load_signer(key, certificates=chain))


def container(kind: str, algorithm: SignatureAlgorithm, *, stamped: datetime | None) -> bytes:
    key, certificate = person(kind)
    reference = Reference(
        uri="a.pdf", media_type="application/pdf", sha256=hashlib.sha256(DATA).digest()
    )
    prepared = prepare_signature(
        [reference],
        certificate=certificate,
        algorithm=algorithm,
        at=THEN,
        role=SignatureRole.APPROVED,
    )
    timestamper = stamper().timestamper(lambda: stamped) if stamped else None
    signature = finish_signature(
        prepared, sign(key, algorithm, prepared.signed_info), timestamper=timestamper
    )
    return zipfile.write(
        [
            ("mimetype", MIME_TYPE.encode()),
            ("a.pdf", DATA),
            ("META-INF/manifest.xml", manifest_xml([("a.pdf", "application/pdf")])),
            ("META-INF/signatures001.xml", DOCUMENT_OPEN + signature + DOCUMENT_CLOSE),
        ]
    )


def judged(content: bytes, *, at: datetime = NOW) -> Judgement:
    root, issuing = authorities()
    crls = tuple(
        issue_crl(one, number=1, at=at, next_update=at + timedelta(days=7))
        for one in (root, issuing)
    )
    trust = Trust(anchors=(root.certificate,), certificates=(issuing.certificate,), crls=crls)
    return judge_container(content, trust=trust, at=at)


CASES = [
    ("EC-256", SignatureAlgorithm.ECDSA_SHA1, "SHA-1"),
    ("EC-192", SignatureAlgorithm.ECDSA_SHA256, "EC-192"),
    ("RSA-1024", SignatureAlgorithm.RSA_PKCS1_SHA256, "RSA-1024"),
    ("RSA-1024", SignatureAlgorithm.RSA_PKCS1_SHA1, "SHA-1"),
]


@pytest.mark.parametrize(("kind", "algorithm", "weak"), CASES)
def test_passes_while_it_is_proved_to_be_older_than_the_end(
    kind: str, algorithm: SignatureAlgorithm, weak: str
) -> None:
    assert judged(container(kind, algorithm, stamped=THEN)).is_passed


@pytest.mark.parametrize("stamped", [None, datetime(2014, 1, 1, tzinfo=UTC)])
@pytest.mark.parametrize(("kind", "algorithm", "weak"), CASES)
def test_without_a_time_before_the_end_nothing_can_be_told(
    kind: str, algorithm: SignatureAlgorithm, weak: str, stamped: datetime | None
) -> None:
    judgement = judged(container(kind, algorithm, stamped=stamped))

    assert judgement.sub_indication is not None
    assert judgement.sub_indication.value == "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
    told = [one for one in judgement.signatures[0].reasons if one.code == "algorithm_expired"]
    assert (("algorithm", weak), ("until", "2013-12-31")) in [one.parameters for one in told]


def test_before_the_end_no_proof_is_needed() -> None:
    content = container("EC-256", SignatureAlgorithm.ECDSA_SHA1, stamped=None)

    assert judged(content, at=THEN + timedelta(days=1)).is_passed


def test_a_wrong_signature_with_an_old_algorithm_is_wrong() -> None:
    content = container("EC-256", SignatureAlgorithm.ECDSA_SHA1, stamped=None)
    other = content.replace(b"#ecdsa-sha1", b"#rsa-sha256")

    judgement = judged(other, at=THEN)

    assert judgement.indication.value == "TOTAL-FAILED"
