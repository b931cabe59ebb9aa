"""The evidence bundle as it is exported, and every way of spoiling its bytes."""

from __future__ import annotations

import io
import random
import zipfile as foreign
from dataclasses import replace
from pathlib import Path

import pytest

from dossier.report import Subject, TimeBasis
from signing import zipfile
from signing.asic import signature_name
from signing.errors import FileNameRefused
from signing.evidence import (
    BundleDocument,
    BundleEvent,
    BundleJudgement,
    TrustGiven,
    build_bundle,
    judge_bundle,
    judge_file,
)
from signing.evidence.errors import BundleRefused
from signing.indication import Indication, SubIndication
from signing.log import VerifierKey, verifier_key
from signing.policy import fingerprint
from tests.builders.evidence import (
    JUDGED,
    LETTER,
    LOG_KEY,
    ORIGIN,
    bundle,
    given,
    parts,
    trust,
)
from tests.builders.signing import NOW, pki

BUNDLE = bundle()
ENTRIES = [(one.name, bytes(one.content)) for one in zipfile.read(BUNDLE).entries]
SEAL = signature_name(1)


def judged(content: bytes | Path, *, known: TrustGiven | None = None) -> BundleJudgement:
    return judge_file(content, name="dossier.asice", given=known or given(), at=JUDGED)


def codes(found: BundleJudgement) -> set[str]:
    """Every reason given anywhere."""
    verdicts = [found.verdict, *(one.verdict for one in found.messages)]
    verdicts += [one.verdict for one in found.events]
    reasons = [reason for one in verdicts for reason in one.reasons]
    reasons += [reason for one in found.signatures for reason in one.verdict.reasons]
    return {reason.code for reason in reasons}


def named(found: BundleJudgement) -> set[str]:
    """Every part that a reason of the whole or of a signature names."""
    reasons = [*found.verdict.reasons]
    reasons += [reason for one in found.signatures for reason in one.verdict.reasons]
    reasons += [reason for one in found.messages for reason in one.verdict.reasons]
    reasons += [reason for one in found.events for reason in one.verdict.reasons]
    return {str(value) for reason in reasons for _, value in reason.parameters}


def test_a_whole_dossier_passes() -> None:
    found = judged(BUNDLE)
    assert found.subject is Subject.BUNDLE
    assert (found.indication, found.sub_indication) == (Indication.TOTAL_PASSED, None)
    assert codes(found) == set()
    assert found.directory_number == 3


def test_every_signature_is_listed_by_its_path() -> None:
    found = judged(BUNDLE)
    assert [one.verdict.id for one in found.signatures] == [
        SEAL,
        "trust/directory.xml",
        f"messages/1.asice!{signature_name(1)}",
        f"messages/1.asice!{signature_name(2)}",
        f"messages/2.asice!{signature_name(1)}",
        f"messages/2.asice!{signature_name(2)}",
        "receipts/1.xml",
        "receipts/2.xml",
    ]
    agencies = [one.agency for one in found.signatures]
    assert agencies == ["H28", "", "", "H28", "", "H08", "H08", "H28"]


def test_every_file_is_covered_and_a_document_also_by_who_signed_it() -> None:
    found = judged(BUNDLE)
    covered = {one.name: one.covered_by for one in found.files}
    assert all(covered.values())
    assert covered[f"documents/{LETTER}"] == (
        SEAL,
        f"messages/1.asice!{signature_name(1)}",
        f"messages/1.asice!{signature_name(2)}",
    )


def test_times_of_the_signers_own_operator_are_called_self_asserted() -> None:
    found = judged(BUNDLE)
    assert {one.basis for one in found.signatures if "messages" in one.verdict.id} == {
        TimeBasis.INDEPENDENT
    }
    assert {one.basis for one in found.signatures if "messages" not in one.verdict.id} == {
        TimeBasis.SELF_ASSERTED
    }
    assert {one.basis for one in found.messages} == {TimeBasis.INDEPENDENT}


def test_a_log_without_cosignatures_is_called_not_witnessed() -> None:
    found = judged(BUNDLE)
    assert [one.code for one in found.notices] == ["not_witnessed"]
    assert not found.is_witnessed
    assert [one.log_index for one in found.events] == [1, 3, 5, 7, 9, 11]


def test_a_dossier_without_log_says_so() -> None:
    events = tuple(BundleEvent(opening=one.opening) for one in parts().events)
    found = judged(bundle(replace(parts(), events=events, trust=trust(log_keys=()))))
    assert found.verdict.is_passed
    assert [one.code for one in found.notices] == ["not_logged"]


def test_a_path_is_judged_as_its_bytes_are(tmp_path: Path) -> None:
    file = tmp_path / "dossier.asice"
    file.write_bytes(BUNDLE)
    assert judge_bundle(file, given=given(), at=JUDGED) == judge_bundle(
        BUNDLE, given=given(), at=JUDGED
    )


def test_without_an_anchor_nothing_can_be_told() -> None:
    found = judged(BUNDLE, known=TrustGiven())
    assert found.indication is Indication.INDETERMINATE
    assert found.sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_an_anchor_inside_the_bundle_is_never_trusted() -> None:
    inside = trust(certificates=(pki().issuing.certificate, pki().root.certificate))
    content = bundle(replace(parts(), trust=inside))
    assert judged(content, known=TrustGiven()).indication is Indication.INDETERMINATE
    named_anchor = TrustGiven(fingerprints=frozenset({fingerprint(pki().root.certificate)}))
    assert judged(content, known=named_anchor).indication is Indication.TOTAL_PASSED
    other = TrustGiven(fingerprints=frozenset({"0" * 64}))
    assert judged(content, known=other).indication is Indication.INDETERMINATE


def test_without_revocation_lists_it_says_try_later() -> None:
    found = judged(bundle(replace(parts(), trust=trust(crls=()))))
    assert (found.indication, found.sub_indication) == (
        Indication.INDETERMINATE,
        SubIndication.TRY_LATER,
    )
    again = judged(
        bundle(replace(parts(), trust=trust(crls=()))),
        known=given(crls=pki().crls(at=NOW)),
    )
    assert again.indication is Indication.TOTAL_PASSED


def test_a_log_key_from_elsewhere_replaces_the_bundles_own() -> None:
    pinned = given(log_keys=(verifier_key(ORIGIN, key=LOG_KEY),))
    assert judged(BUNDLE, known=pinned).verdict.is_passed
    other = given(log_keys=(VerifierKey(name=ORIGIN, public_key=bytes(32)),))
    found = judged(BUNDLE, known=other)
    assert (found.indication, "note_signature_refused" in codes(found)) == (
        Indication.TOTAL_FAILED,
        True,
    )
    foreign = given(log_keys=(VerifierKey(name="other.example", public_key=bytes(32)),))
    found = judged(BUNDLE, known=foreign)
    assert (found.indication, "log_key_unknown" in codes(found)) == (
        Indication.INDETERMINATE,
        True,
    )


def test_any_changed_byte_fails_and_the_part_is_named() -> None:
    source = random.Random(20220412)
    names = {name for name, _ in ENTRIES}
    unnamed = 0
    for _ in range(200):
        at = source.randrange(len(BUNDLE))
        changed = bytearray(BUNDLE)
        changed[at] ^= 1 << source.randrange(8)
        found = judged(bytes(changed))
        assert found.indication is Indication.TOTAL_FAILED, at
        assert found.verdict.reasons, at
        unnamed += not named(found) & names
    # Bytes of the archive's own tables belong to no file.
    assert unnamed <= 10


def test_any_changed_byte_fails_also_when_the_archive_was_rebuilt() -> None:
    source = random.Random(7)
    for number in range(200):
        name, content = ENTRIES[number % len(ENTRIES)]
        changed = bytearray(content)
        changed[source.randrange(len(content))] ^= 1 << source.randrange(8)
        spoiled = [(one, bytes(changed) if one == name else old) for one, old in ENTRIES]
        found = judged(zipfile.write(spoiled))
        assert found.indication is not Indication.TOTAL_PASSED, name
        if not name.startswith(("META-INF/", "mimetype")):
            assert found.indication is Indication.TOTAL_FAILED, name
            assert name in named(found)


@pytest.mark.parametrize("name", [name for name, _ in ENTRIES])
def test_any_file_taken_out_is_missed(name: str) -> None:
    found = judged(zipfile.write([(one, old) for one, old in ENTRIES if one != name]))
    assert found.indication is not Indication.TOTAL_PASSED
    if not name.startswith(("META-INF/", "mimetype")):
        uri = name.replace("documents/Công văn số 1.pdf", "documents/C%C3%B4ng")
        assert any(uri in one for one in named(found)), named(found)


@pytest.mark.parametrize(
    "name",
    ["documents/more.pdf", "messages/3.asice", "history/000007.json", "trust/9.cer", "more.txt"],
)
def test_any_file_put_in_is_named(name: str) -> None:
    grown = sorted([*ENTRIES[1:-2], (name, b"more")])
    found = judged(zipfile.write([ENTRIES[0], *grown, *ENTRIES[-2:]]))
    assert found.indication is Indication.TOTAL_FAILED
    assert name in named(found)


def test_a_second_signature_is_refused() -> None:
    found = judged(zipfile.write([*ENTRIES, (signature_name(2), ENTRIES[-1][1])]))
    assert found.indication is Indication.TOTAL_FAILED
    assert "bundle_order" in codes(found)


@pytest.mark.parametrize("number", range(1, len(ENTRIES) - 3))
def test_swapped_entries_fail(number: int) -> None:
    swapped = [*ENTRIES]
    swapped[number], swapped[number + 1] = swapped[number + 1], swapped[number]
    assert judged(zipfile.write(swapped)).indication is Indication.TOTAL_FAILED
    renamed = [*ENTRIES]
    (one, first), (other, second) = renamed[number], renamed[number + 1]
    renamed[number], renamed[number + 1] = (one, second), (other, first)
    assert judged(zipfile.write(renamed)).indication is Indication.TOTAL_FAILED


def test_the_seal_of_another_file_fails() -> None:
    other = bundle(replace(parts(), documents=()))
    seal = zipfile.read(other).entries[-1].content
    found = judged(zipfile.write([*ENTRIES[:-1], (SEAL, bytes(seal))]))
    assert found.indication is Indication.TOTAL_FAILED
    assert f"documents/{LETTER}" in named(found)


def test_bytes_before_and_behind_fail() -> None:
    for content in (b"x" + BUNDLE, BUNDLE + b"x", BUNDLE[:-1], b"", b"PK"):
        assert judged(content).indication is Indication.TOTAL_FAILED


def test_a_deflated_copy_fails() -> None:
    out = io.BytesIO()
    with foreign.ZipFile(out, "w", foreign.ZIP_DEFLATED) as archive:
        for name, content in ENTRIES:
            archive.writestr(name, content)
    assert zipfile.write(ENTRIES) == BUNDLE
    assert judged(out.getvalue()).indication is Indication.TOTAL_FAILED


def test_the_bundle_is_a_function_of_its_parts() -> None:
    first = [one for one in zipfile.read(bundle()).entries if one.name != SEAL]
    second = [one for one in zipfile.read(bundle()).entries if one.name != SEAL]
    assert first == second


def test_documents_of_one_name_are_numbered() -> None:
    twins = [
        BundleDocument(name=name, media_type="text/plain", content=b"x")
        for name in ("a.b.txt", "A.b.txt", "a.b.txt", "plain", "plain", ".hidden", ".hidden")
    ]
    found = judged(bundle(replace(parts(), documents=twins)))
    assert found.verdict.is_passed
    names = [one.name for one in found.files if one.name.startswith("documents/")]
    assert sorted(names) == [
        "documents/.hidden",
        "documents/.hidden (2)",
        "documents/A.b (2).txt",
        "documents/a.b (3).txt",
        "documents/a.b.txt",
        "documents/plain",
        "documents/plain (2)",
    ]


def test_parts_that_make_no_bundle_are_refused() -> None:
    stamper = pki().timestamper(NOW)
    seal = pki().signers[next(iter(pki().signers))]
    some = (parts().events[0], BundleEvent(opening=parts().events[1].opening))
    with pytest.raises(BundleRefused) as caught:
        build_bundle(replace(parts(), events=some), signer=seal, timestamper=stamper, at=NOW)
    assert caught.value.parameters["part"] == "history/000002.tlog-proof"
    for name in ("../x.pdf", "a\\b.pdf", "x/../../y", ""):
        document = BundleDocument(name=name, media_type="text/plain", content=b"x")
        with pytest.raises((BundleRefused, FileNameRefused)):
            build_bundle(
                replace(parts(), documents=(document,)), signer=seal, timestamper=stamper, at=NOW
            )
