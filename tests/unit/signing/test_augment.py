"""Levels B-T, B-LT and B-LTA: raising them, and judging them years later with nothing else."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from signing import zipfile
from signing.augment import augment_container, augment_xml
from signing.enveloped import sign_xml
from signing.errors import VerificationIndeterminate, VerificationPending
from signing.indication import Indication, SubIndication
from signing.judgement import Judgement, Level, TimeProof
from signing.keys import FileSigner
from signing.ocsp import OcspResponder, Standing
from signing.pki import Validity
from signing.policy import Trust
from signing.purpose import Purpose
from signing.tsa import TimestampAuthority, Timestamper
from signing.unsigned import encoded
from signing.verify import judge_container, judge_xml, open_xml
from tests.builders.signing import NOW, SHORT, pki, sealed

DAY = timedelta(days=1)
YEAR = timedelta(days=365)
SEALS = frozenset({Purpose.SEAL})
# What an auditor holds years later: the anchor and nothing else.
ANCHOR = Trust(anchors=(pki().root.certificate,))


def raised(to: Level, *, at: datetime = NOW, content: bytes | None = None) -> bytes:
    return augment_container(
        sealed() if content is None else content,
        to=to,
        trust=pki().trust(crls=pki().crls(at=at, next_update=at + 7 * DAY)),
        timestamper=pki().timestamper(at),
        at=at,
    )


def authority(years: int, serial: int) -> tuple[FileSigner, Timestamper]:
    """Return a time-stamping authority of a later year, stamping at the start of that year."""
    start = NOW + years * YEAR
    signer = pki().leaf(
        Purpose.TSA, validity=Validity(start=start - DAY, end=start + 2 * YEAR), serial=serial
    )
    return signer, TimestampAuthority(signer).timestamper(lambda: start)


def levels(judgement: Judgement) -> set[Level | None]:
    return {one.level for one in judgement.signatures}


@pytest.mark.parametrize("to", [Level.B_T, Level.B_LT, Level.B_LTA])
def test_raises_every_signature_without_touching_signed_octets(to: Level) -> None:
    before = sealed(stamped=False)
    after = raised(to, content=before)

    judgement = judge_container(after, trust=pki().trust(), at=NOW)

    assert judgement.indication is Indication.TOTAL_PASSED
    assert levels(judgement) == {to}
    for old, new in zip(zipfile.read(before).entries, zipfile.read(after).entries, strict=True):
        signed, unsigned = bytes(old.content), bytes(new.content)
        end = signed.find(b"</xades:SignedProperties>")
        assert signed[:end] == unsigned[:end]


def test_long_term_level_needs_nothing_but_the_anchor() -> None:
    bare = judge_container(sealed(), trust=ANCHOR, at=NOW)
    long_term = judge_container(raised(Level.B_LT), trust=ANCHOR, at=NOW)

    assert bare.indication is Indication.INDETERMINATE
    assert long_term.indication is Indication.TOTAL_PASSED


def test_level_carries_ocsp_answers_where_there_is_no_list() -> None:
    responder = OcspResponder(pki().signers[Purpose.OCSP], issuer=pki().issuing.certificate)
    answers = tuple(
        responder.state(pki().signers[one].certificate, at=NOW, standing=Standing.GOOD)
        for one in (Purpose.SEAL, Purpose.PERSON, Purpose.TSA)
    )
    trust = Trust(
        anchors=ANCHOR.anchors,
        certificates=(pki().issuing.certificate,),
        crls=pki().crls()[:1],
        ocsps=answers,
    )
    content = augment_container(
        sealed(), to=Level.B_LT, trust=trust, timestamper=pki().timestamper(), at=NOW
    )

    assert judge_container(content, trust=ANCHOR, at=NOW).is_passed


def test_after_everything_expired_only_the_archive_time_stamp_helps() -> None:
    # SHORT ends two years after NOW; the archive's authority lives from year 1 to year 3.
    _, later = authority(1, 950)
    at = NOW + YEAR
    archived = augment_container(
        raised(Level.B_LT),
        to=Level.B_LTA,
        trust=pki().trust(crls=pki().crls(at=at, next_update=at + 7 * DAY)),
        timestamper=later,
        at=at,
    )
    then = SHORT.end + 100 * DAY
    crls = pki().crls(at=then, next_update=then + DAY)
    trust = pki().trust(crls=crls)

    assert judge_container(archived, trust=trust, at=then).is_passed
    plain = judge_container(raised(Level.B_LT), trust=trust, at=then)
    assert plain.sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE


def test_archive_time_stamps_are_renewed_in_a_chain() -> None:
    content = raised(Level.B_LT)
    for years, serial in ((1, 951), (2, 952), (4, 953)):
        _, timestamper = authority(years, serial)
        at = NOW + years * YEAR
        if years == 4:  # the authority of year 2 has ended, so it is renewed before that
            at -= YEAR
            timestamper = TimestampAuthority(
                pki().leaf(
                    Purpose.TSA, validity=Validity(start=at - DAY, end=at + 4 * YEAR), serial=954
                )
            ).timestamper(lambda at=at: at)  # type: ignore[misc]  # bound early on purpose
        content = augment_container(
            content,
            to=Level.B_LTA,
            trust=pki().trust(crls=pki().crls(at=at, next_update=at + 7 * DAY)),
            timestamper=timestamper,
            at=at,
        )
    then = NOW + 5 * YEAR

    judgement = judge_container(
        content, trust=pki().trust(crls=pki().crls(at=then, next_update=then + DAY)), at=then
    )

    assert judgement.is_passed
    assert len(judgement.signatures[0].timestamps) == 4
    assert judgement.signatures[0].best_time == NOW
    assert judgement.signatures[0].proof is TimeProof.SIGNATURE_TIMESTAMP


def test_enveloped_document_is_raised_too() -> None:
    document = b"<r><x>1</x></r>"
    signed = sign_xml(document, signer=pki().signers[Purpose.SEAL], timestamper=None, at=NOW)

    content = augment_xml(
        signed,
        to=Level.B_LTA,
        trust=pki().trust(),
        timestamper=pki().timestamper(),
        at=NOW,
        purposes=SEALS,
    )

    verified = open_xml(content, trust=ANCHOR, at=NOW, purposes=SEALS)
    assert verified.content == document
    assert verified.signature.level is Level.B_LTA


def test_only_named_documents_are_raised() -> None:
    content = augment_container(
        sealed(),
        to=Level.B_LT,
        trust=pki().trust(),
        timestamper=pki().timestamper(),
        at=NOW,
        names=["META-INF/signatures002.xml"],
    )

    judgement = judge_container(content, trust=pki().trust(), at=NOW)

    assert [one.level for one in judgement.signatures] == [Level.B_T, Level.B_LT]


def test_what_does_not_pass_is_not_raised() -> None:
    with pytest.raises(VerificationPending):
        augment_container(
            sealed(),
            to=Level.B_LT,
            trust=pki().trust(crls=()),
            timestamper=pki().timestamper(),
            at=NOW,
        )


def test_changed_file_fails_also_by_its_archive_time_stamp() -> None:
    entries = [
        (one.name, b"<other/>" if one.name == "envelope.xml" else bytes(one.content))
        for one in zipfile.read(raised(Level.B_LTA)).entries
    ]

    judgement = judge_container(zipfile.write(entries), trust=pki().trust(), at=NOW)

    codes = {reason.code for reason in judgement.signatures[1].reasons}
    assert judgement.indication is Indication.TOTAL_FAILED
    assert {"file_changed", "timestamp_imprint"} <= codes


def test_archive_time_stamp_older_than_what_it_covers_is_out_of_order() -> None:
    long_term = augment_container(
        sealed(),
        to=Level.B_LT,
        trust=pki().trust(),
        timestamper=pki().timestamper(),
        at=NOW + DAY,
    )

    with pytest.raises(VerificationIndeterminate) as caught:
        augment_container(
            long_term,
            to=Level.B_LTA,
            trust=pki().trust(),
            timestamper=pki().timestamper(NOW - DAY),
            at=NOW + DAY,
        )

    sub = caught.value.judgement.sub_indication
    assert sub is SubIndication.TIMESTAMP_ORDER_FAILURE


def test_added_certificate_that_nothing_needs_fails() -> None:
    content = raised(Level.B_LT)
    entries = []
    for one in zipfile.read(content).entries:
        text = bytes(one.content)
        extra = _value(pki().signers[Purpose.DIRECTORY].certificate)
        text = text.replace(b"</xades:CertificateValues>", extra + b"</xades:CertificateValues>")
        entries.append((one.name, text))

    judgement = judge_container(zipfile.write(entries), trust=pki().trust(), at=NOW)

    assert judgement.sub_indication is SubIndication.FORMAT_FAILURE


def _value(certificate: bytes) -> bytes:
    name = "xades:EncapsulatedX509Certificate"
    return f"<{name}>{encoded(certificate)}</{name}>".encode()


def test_no_changed_byte_of_an_archived_container_passes() -> None:
    content = raised(Level.B_LTA)
    trust = pki().trust()
    assert judge_container(content, trust=trust, at=NOW).is_passed
    draw = random.Random(7)
    for _ in range(250):
        position = draw.randrange(len(content))
        changed = bytes((content[position] ^ (1 << draw.randrange(8)),))
        mutant = content[:position] + changed + content[position + 1 :]
        assert not judge_container(mutant, trust=trust, at=NOW).is_passed, position


def test_no_changed_byte_of_a_long_term_document_passes() -> None:
    signed = sign_xml(b"<r></r>", signer=pki().signers[Purpose.SEAL], timestamper=None, at=NOW)
    content = augment_xml(
        signed,
        to=Level.B_LT,
        trust=pki().trust(),
        timestamper=pki().timestamper(),
        at=NOW,
        purposes=SEALS,
    )
    trust = pki().trust()
    draw = random.Random(8)
    for _ in range(200):
        position = draw.randrange(len(content))
        changed = bytes((content[position] ^ (1 << draw.randrange(8)),))
        mutant = content[:position] + changed + content[position + 1 :]
        judgement = judge_xml(mutant, trust=trust, at=NOW, purposes=SEALS)
        assert not judgement.is_passed, position
