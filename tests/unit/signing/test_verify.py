"""What a sound container gives, and which verdict each fault of trust or time gets."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from signing.asic import DataFile, seal_container
from signing.certificate import parse_certificate
from signing.errors import (
    ContentChanged,
    VerificationFailed,
    VerificationIndeterminate,
    VerificationPending,
)
from signing.indication import Indication, SubIndication
from signing.judgement import Level, TimeProof, Verdict
from signing.keys import Signer
from signing.pathfinding import find_path
from signing.pki import Revocation, Validity
from signing.policy import Trust
from signing.purpose import Purpose
from signing.tsa import TimestampAuthority, Timestamper
from signing.verify import judge_container, open_container
from tests.builders.signing import NOW, SHORT, letter, pki, sealed

HOUR = timedelta(hours=1)
YEARS = timedelta(days=365)


def seal_with(signer: Signer, *, timestamper: Timestamper | None) -> bytes:
    return seal_container(letter(), signer=signer, timestamper=timestamper, at=NOW)


def test_passes_sound_container_and_says_who_signed_what() -> None:
    judgement = judge_container(sealed(), trust=pki().trust(), at=NOW)

    assert judgement.indication is Indication.TOTAL_PASSED
    person, seal = judgement.signatures
    assert (person.id, person.role, person.purpose) == (
        "META-INF/signatures001.xml",
        "approved",
        Purpose.PERSON,
    )
    assert person.covers == ("Công văn số 1.pdf",)
    assert seal.covers == ("envelope.xml", "Công văn số 1.pdf")
    assert (seal.level, seal.best_time, seal.proof) == (
        Level.B_T,
        NOW,
        TimeProof.SIGNATURE_TIMESTAMP,
    )
    assert len(seal.chain) == 3
    assert judgement.files[1].covered_by == (person.id, seal.id)


def test_returns_verified_bytes_and_signed_media_types() -> None:
    verified = open_container(sealed(), trust=pki().trust(), at=NOW)

    file = verified.files["Công văn số 1.pdf"]
    assert (file.content, file.media_type) == (b"%PDF-1.7 letter", "application/pdf")
    assert file.open().read() == file.content
    assert set(verified.documents) == {"META-INF/signatures001.xml", "META-INF/signatures002.xml"}


def test_reads_container_from_disk_and_notices_later_change(tmp_path: Path) -> None:
    path = tmp_path / "letter.asice"
    path.write_bytes(sealed())
    file = open_container(path, trust=pki().trust(), at=NOW).files["envelope.xml"]
    assert file.content == b"<envelope></envelope>"

    with path.open("r+b") as target:
        target.seek(path.read_bytes().index(b"<envelope>"))
        target.write(b"<ENVELOPE>")

    with pytest.raises(ContentChanged):
        _ = file.content
    with pytest.raises(ContentChanged):
        file.open().read()


def test_streams_files_from_disk_into_the_same_bytes(tmp_path: Path) -> None:
    big = tmp_path / "big.bin"
    big.write_bytes(bytes(range(256)) * 10_000)
    on_disk = DataFile(name="big.bin", media_type="application/octet-stream", content=big)
    sealed_from_disk = seal_container(
        [on_disk], signer=pki().signers[Purpose.SEAL], timestamper=None, at=NOW
    )

    verified = open_container(sealed_from_disk, trust=pki().trust(), at=NOW)

    assert verified.files["big.bin"].content == big.read_bytes()


def test_level_without_timestamp_is_b_b() -> None:
    judgement = judge_container(sealed(stamped=False), trust=pki().trust(), at=NOW)

    assert judgement.indication is Indication.TOTAL_PASSED
    assert {one.level for one in judgement.signatures} == {Level.B_B}
    assert {one.best_time for one in judgement.signatures} == {None}


def test_without_anchor_nothing_is_trusted() -> None:
    with pytest.raises(VerificationIndeterminate) as caught:
        open_container(sealed(), trust=Trust(anchors=()), at=NOW)

    assert caught.value.judgement.sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_certificate_that_only_looks_like_the_anchor_anchors_nothing() -> None:
    other = pki.__wrapped__()
    trust = Trust(
        anchors=(other.root.certificate,),
        certificates=(pki().issuing.certificate, pki().root.certificate),
        crls=pki().crls(),
    )

    judgement = judge_container(sealed(), trust=trust, at=NOW)

    assert judgement.indication is Indication.INDETERMINATE


def test_without_revocation_data_answer_is_try_later() -> None:
    with pytest.raises(VerificationPending) as caught:
        open_container(sealed(), trust=pki().trust(crls=()), at=NOW)

    assert caught.value.judgement.sub_indication is SubIndication.TRY_LATER


def test_stale_revocation_data_is_no_data() -> None:
    stale = pki().crls(at=NOW - 3 * HOUR, next_update=NOW - HOUR)

    judgement = judge_container(sealed(), trust=pki().trust(crls=stale), at=NOW)

    assert judgement.sub_indication is SubIndication.TRY_LATER
    assert "revocation_stale" in {one.code for one in judgement.signatures[0].reasons}


def test_list_issued_after_the_signature_proves_its_status_years_later() -> None:
    later = pki().crls(at=NOW + HOUR, next_update=NOW + 2 * HOUR)

    judgement = judge_container(sealed(), trust=pki().trust(crls=later), at=NOW + YEARS)

    assert judgement.indication is Indication.TOTAL_PASSED


def test_list_of_another_authority_is_no_data() -> None:
    foreign = pki.__wrapped__().crls()

    judgement = judge_container(sealed(), trust=pki().trust(crls=foreign), at=NOW)

    assert judgement.sub_indication is SubIndication.TRY_LATER


@pytest.mark.parametrize(
    ("revoked_at", "stamped", "expected"),
    [
        (NOW - HOUR, True, SubIndication.REVOKED_NO_POE),
        (NOW - HOUR, False, SubIndication.REVOKED_NO_POE),
        (NOW + HOUR, True, None),
        (NOW + HOUR, False, SubIndication.REVOKED_NO_POE),
    ],
)
def test_revocation_counts_against_the_proved_time_only(
    revoked_at: datetime, stamped: bool, expected: SubIndication | None
) -> None:
    signer = pki().leaf(Purpose.SEAL, serial=901)
    content = seal_with(signer, timestamper=pki().timestamper() if stamped else None)
    revocation = Revocation(serial=901, at=revoked_at, reason=x509.ReasonFlags.key_compromise)
    crls = pki().crls(at=NOW + 2 * HOUR, revoked=(revocation,))

    judgement = judge_container(content, trust=pki().trust(crls=crls), at=NOW + 3 * HOUR)

    assert judgement.sub_indication is expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (x509.ReasonFlags.key_compromise, SubIndication.REVOKED_NO_POE),
        (x509.ReasonFlags.superseded, None),
    ],
)
def test_revoked_timestamping_key_keeps_earlier_stamps_for_harmless_reasons_only(
    reason: x509.ReasonFlags, expected: SubIndication | None
) -> None:
    authority = pki().leaf(Purpose.TSA, serial=902)
    timestamper = TimestampAuthority(authority).timestamper(lambda: NOW)
    content = seal_with(pki().signers[Purpose.SEAL], timestamper=timestamper)
    crls = pki().crls(
        at=NOW + 2 * HOUR, revoked=(Revocation(serial=902, at=NOW + HOUR, reason=reason),)
    )

    judgement = judge_container(content, trust=pki().trust(crls=crls), at=NOW + 3 * HOUR)

    assert judgement.sub_indication is expected


def test_expired_certificate_passes_with_timestamp_and_not_without() -> None:
    brief = Validity(start=SHORT.start, end=NOW + timedelta(days=5))
    signer = pki().leaf(Purpose.SEAL, validity=brief, serial=903)
    after = NOW + timedelta(days=6)

    stamped = judge_container(
        seal_with(signer, timestamper=pki().timestamper()), trust=pki().trust(), at=after
    )
    bare = judge_container(seal_with(signer, timestamper=None), trust=pki().trust(), at=after)

    assert stamped.indication is Indication.TOTAL_PASSED
    assert (bare.indication, bare.sub_indication) == (
        Indication.INDETERMINATE,
        SubIndication.OUT_OF_BOUNDS_NO_POE,
    )


def test_expired_without_data_is_out_of_bounds_and_not_try_later() -> None:
    judgement = judge_container(
        sealed(stamped=False), trust=pki().trust(crls=()), at=NOW + 3 * YEARS
    )

    assert judgement.sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE


def test_signature_proved_before_its_certificate_began_fails() -> None:
    signer = pki().leaf(
        Purpose.SEAL, validity=Validity(start=NOW + HOUR, end=SHORT.end), serial=904
    )

    judgement = judge_container(
        seal_with(signer, timestamper=pki().timestamper()), trust=pki().trust(), at=NOW + 2 * HOUR
    )

    assert (judgement.indication, judgement.sub_indication) == (
        Indication.TOTAL_FAILED,
        SubIndication.NOT_YET_VALID,
    )


@pytest.mark.parametrize("purpose", sorted(set(Purpose) - {Purpose.SEAL, Purpose.PERSON}, key=str))
def test_certificate_of_another_purpose_does_not_sign_documents(purpose: Purpose) -> None:
    content = seal_with(pki().signers[purpose], timestamper=pki().timestamper())

    judgement = judge_container(content, trust=pki().trust(), at=NOW)

    assert judgement.sub_indication is SubIndication.CHAIN_CONSTRAINTS_FAILURE


def test_person_does_not_pass_where_a_seal_is_asked_for() -> None:
    with pytest.raises(VerificationIndeterminate):
        open_container(sealed(), trust=pki().trust(), at=NOW, purposes=frozenset({Purpose.SEAL}))


def test_timestamp_from_the_future_proves_nothing() -> None:
    content = seal_with(pki().signers[Purpose.SEAL], timestamper=pki().timestamper(NOW + 2 * HOUR))

    judgement = judge_container(content, trust=pki().trust(), at=NOW)

    assert judgement.indication is Indication.INDETERMINATE
    assert judgement.signatures[0].best_time is None
    assert judgement.signatures[0].level is Level.B_B


def test_any_bytes_get_a_judgement_or_our_error() -> None:
    for content in (b"", b"PK\x05\x06", b"x" * 100, sealed()[:-1], sealed()[1:]):
        judgement = judge_container(content, trust=pki().trust(), at=NOW)
        assert judgement.sub_indication is SubIndication.FORMAT_FAILURE
        with pytest.raises(VerificationFailed):
            open_container(content, trust=pki().trust(), at=NOW)


def test_empty_file_on_disk_is_judged(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")

    judgement = judge_container(tmp_path / "empty", trust=pki().trust(), at=NOW)

    assert judgement.indication is Indication.TOTAL_FAILED


def test_certificates_that_name_each_other_do_not_keep_the_judge_busy() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.load_der_x509_certificate(pki().issuing.certificate).subject
    tangle = tuple(
        x509.CertificateBuilder()
        .subject_name(issuer)
        .issuer_name(issuer)
        .not_valid_before(SHORT.start)
        .not_valid_after(SHORT.end)
        .serial_number(1000 + number)
        .public_key(key.public_key())
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
        for number in range(14)
    )
    leaf = parse_certificate(pki().signers[Purpose.SEAL].certificate)
    trust = Trust(anchors=(pki.__wrapped__().root.certificate,))

    found = find_path(leaf, trust=trust, extra=tangle)

    assert isinstance(found, Verdict)
    assert found.sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
