"""Bundles that an exporting agency sealed with its own key, although something is wrong in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dossier import canonical
from dossier.canonical import Json
from dossier.envelope import Assurance, ManifestEntry
from dossier.ids import AgencyCode, ConversationId, Sha256
from dossier.receipt import Outcome
from dossier.report import TimeBasis
from signing import zipfile
from signing.evidence import BundleEvent, BundleMessage, BundleParts, BundleTrust
from signing.indication import Indication, SubIndication
from signing.log import LeafKind, Opening, parse_proof
from signing.pki import Revocation
from signing.purpose import Purpose
from tests.builders.evidence import (
    H08,
    H28,
    answers,
    bundle,
    directory,
    letters,
    logged,
    message,
    opening,
    openings,
    parts,
    receipt,
    seals,
    sha256,
    signed_directory,
    trust,
)
from tests.builders.signing import NOW, pki
from tests.unit.signing.test_evidence_bundle import codes, judged, named

FAILED, INDETERMINATE = Indication.TOTAL_FAILED, Indication.INDETERMINATE
FIRST, SECOND = letters()
ANSWER, REPLY_ANSWER = answers()
ACCEPTED = Assurance.SEALED


def with_messages(*pairs: tuple[bytes, bytes | None]) -> BundleParts:
    """A dossier of these containers and receipts, its history in accord with them."""
    messages = [
        BundleMessage(container=one, receipt=answer, assurance=ACCEPTED) for one, answer in pairs
    ]
    return replace(parts(), messages=messages, events=logged(openings(*pairs)))


def reply(container: bytes) -> bytes:
    return receipt(container, sender=H08, receiver=H28, sequence=2)


def expect(made: BundleParts, indication: Indication, code: str, part: str = "") -> None:
    found = judged(bundle(made))
    assert (found.indication, code in codes(found)) == (indication, True), codes(found)
    assert not part or part in named(found), named(found)


def test_the_builder_makes_a_good_dossier_of_any_messages() -> None:
    made = with_messages((FIRST, receipt(FIRST)), (SECOND, reply(SECOND)))
    assert judged(bundle(made)).verdict.is_passed


# --- The bundle's own seal ---------------------------------------------------------------------


def test_a_bundle_sealed_by_another_agency_fails() -> None:
    found = judged(bundle(seal=seals().h08))
    assert (found.indication, "seal_of_another_agency" in codes(found)) == (FAILED, True)


def test_a_bundle_sealed_by_a_person_fails() -> None:
    found = judged(bundle(seal=pki().signers[Purpose.PERSON]))
    assert (found.indication, "not_a_seal" in codes(found)) == (FAILED, True)


def test_a_seal_that_the_directory_does_not_know_is_not_accepted() -> None:
    found = judged(bundle(seal=pki().signers[Purpose.SEAL]))
    assert (found.indication, "seal_not_in_directory" in codes(found)) == (INDETERMINATE, True)


# --- The directory -----------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", [Purpose.SEAL, Purpose.PERSON, Purpose.TRUST_LIST])
def test_a_directory_signed_by_another_key_is_not_used(purpose: Purpose) -> None:
    found = judged(
        bundle(replace(parts(), trust=trust(directory=signed_directory(purpose=purpose))))
    )
    assert found.indication is INDETERMINATE
    assert "directory_not_proved" in codes(found)
    assert found.directory_number is None
    assert {one.agency for one in found.signatures} == {""}


def test_a_directory_that_is_none_fails() -> None:
    expect(
        replace(parts(), trust=trust(directory=receipt(FIRST))),
        FAILED,
        "directory_malformed",
        "trust/directory.xml",
    )


def test_a_seal_after_its_period_in_the_directory_is_not_accepted() -> None:
    known = directory()
    ended = [
        replace(one, seals=(replace(one.seals[0], valid_until=NOW - timedelta(hours=1)),))
        for one in known.agencies
    ]
    edition = directory(agencies=tuple(ended))
    expect(
        replace(parts(), trust=trust(directory=signed_directory(edition))),
        INDETERMINATE,
        "seal_not_in_directory",
    )


def test_two_agencies_on_one_node_have_no_independent_time() -> None:
    known = directory()
    same = [replace(one, endpoint="https://one.example/soap") for one in known.agencies]
    edition = directory(agencies=tuple(same))
    found = judged(bundle(replace(parts(), trust=trust(directory=signed_directory(edition)))))
    assert found.verdict.is_passed
    assert {one.basis for one in found.messages} == {TimeBasis.SELF_ASSERTED}
    assert {one.basis for one in found.signatures} == {TimeBasis.SELF_ASSERTED}


# --- Messages ----------------------------------------------------------------------------------


def test_a_message_sealed_by_another_agency_fails() -> None:
    forged = message(seal=seals().h08)
    made = with_messages((forged, receipt(forged)))
    expect(made, FAILED, "seal_of_another_agency")


def test_a_message_whose_persons_signature_was_taken_out_fails() -> None:
    entries = [(one.name, bytes(one.content)) for one in zipfile.read(FIRST).entries]
    bare = zipfile.write([one for one in entries if one[0] != "META-INF/signatures001.xml"])
    made = with_messages((bare, receipt(bare)))
    expect(made, FAILED, "file_missing", "messages/1.asice!META-INF/signatures001.xml")


def test_a_seal_in_the_place_of_the_persons_signature_fails() -> None:
    bare = message(signed=False, manifest=_manifest_of(FIRST))
    made = with_messages((bare, receipt(bare)))
    expect(made, FAILED, "file_changed", "messages/1.asice!META-INF/signatures001.xml")
    expect(made, FAILED, "seal_count")


def test_a_message_with_another_signature_than_it_lists_fails() -> None:
    entries = _manifest_of(message())
    other = message(manifest=(entries[0], replace(entries[1], sha256=Sha256("0" * 64))))
    made = with_messages((other, receipt(other)))
    expect(made, FAILED, "file_changed", "messages/1.asice!META-INF/signatures001.xml")


def test_a_message_with_an_unlisted_file_fails() -> None:
    other = message(manifest=_manifest_of(message())[1:])
    made = with_messages((other, receipt(other)))
    expect(made, FAILED, "file_unexpected", "messages/1.asice!Công văn số 1.pdf")


def test_a_message_with_an_unlisted_signature_fails() -> None:
    other = message(manifest=_manifest_of(message())[:1])
    made = with_messages((other, receipt(other)))
    expect(made, FAILED, "seal_count")


def test_a_message_without_readable_envelope_fails() -> None:
    broken = message(subject="x" * 501)
    made = with_messages((broken, receipt(broken)))
    expect(made, FAILED, "envelope_malformed", "messages/1.asice")


def test_a_message_that_is_no_container_fails() -> None:
    made = with_messages((b"nothing", receipt(b"nothing")))
    expect(made, FAILED, "zip_malformed")


def test_a_message_of_other_agencies_fails() -> None:
    foreign = message(from_agency=AgencyCode("H08"), to_agency=AgencyCode("H99"), seal=seals().h08)
    made = with_messages((foreign, receipt(foreign)))
    expect(made, FAILED, "message_of_another_dossier", "messages/1.asice")


def test_a_message_of_another_conversation_fails() -> None:
    other = message(
        sender=H08,
        receiver=H28,
        sequence=2,
        conversation_id=ConversationId("0b6f1c9e-7b57-4f0e-9d6b-0f5b8f3d2c12"),
    )
    made = with_messages((FIRST, receipt(FIRST)), (other, reply(other)))
    expect(made, FAILED, "message_of_another_dossier", "messages/2.asice")


def test_an_answer_without_its_question_fails() -> None:
    made = with_messages((SECOND, reply(SECOND)))
    expect(made, FAILED, "answered_message_missing", "messages/1.asice")


def test_one_message_with_two_contents_fails() -> None:
    twin = message(subject="another subject")
    made = with_messages((FIRST, receipt(FIRST)), (twin, receipt(twin)))
    expect(made, FAILED, "message_twice", "messages/2.asice")


def test_a_weaker_channel_does_not_prove_the_sender() -> None:
    wrapped = message(seal=seals().h08)
    made = with_messages((wrapped, receipt(wrapped)))
    channel = replace(made.messages[0], assurance=Assurance.CHANNEL)
    expect(replace(made, messages=[channel]), INDETERMINATE, "sender_not_proved")


# --- Receipts ----------------------------------------------------------------------------------


def test_a_message_without_receipt_is_named() -> None:
    expect(with_messages((FIRST, None)), INDETERMINATE, "receipt_missing", "messages/1.asice")


@pytest.mark.parametrize(
    "answer",
    [
        receipt(SECOND),
        receipt(FIRST, sequence=5),
        receipt(FIRST, contract_sha256=Sha256("0" * 64)),
        receipt(FIRST, from_agency=AgencyCode("H99")),
    ],
)
def test_a_receipt_for_another_message_fails(answer: bytes) -> None:
    made = with_messages((FIRST, answer))
    expect(made, FAILED, "receipt_of_another_message", "receipts/1.xml")


def test_a_receipt_sealed_by_the_sender_fails() -> None:
    made = with_messages((FIRST, receipt(FIRST, seal=seals().h28)))
    expect(made, FAILED, "seal_of_another_agency", "receipts/1.xml")


def test_a_receipt_signed_by_a_person_is_not_accepted() -> None:
    made = with_messages((FIRST, receipt(FIRST, seal=pki().signers[Purpose.PERSON])))
    expect(made, FAILED, "not_a_seal", "receipts/1.xml")


def test_a_receipt_that_is_none_fails() -> None:
    made = with_messages((FIRST, b"<x></x>"))
    expect(made, FAILED, "receipt_malformed", "receipts/1.xml")


def test_a_refusal_is_named_and_changes_nothing() -> None:
    refused = receipt(FIRST, outcome=Outcome.REFUSED, code="seal_not_bound")
    found = judged(bundle(with_messages((FIRST, refused))))
    assert found.verdict.is_passed
    notice = next(one for one in found.notices if one.code == "receipt_refused")
    assert dict(notice.parameters) == {"name": "messages/1.asice", "code": "seal_not_bound"}


# --- History and log ---------------------------------------------------------------------------


def with_history(*history: Opening) -> BundleParts:
    return replace(parts(), events=logged(list(history)))


HISTORY = openings((FIRST, ANSWER), (SECOND, REPLY_ANSWER))


def test_a_gap_in_the_history_fails() -> None:
    made = with_history(*HISTORY[:1], *HISTORY[2:])
    expect(made, FAILED, "history_gap", "history/000002.json")


def test_two_events_exchanged_fail() -> None:
    made = with_history(HISTORY[1], HISTORY[0], *HISTORY[2:])
    expect(made, FAILED, "history_gap", "history/000001.json")


def test_an_event_of_another_dossier_fails() -> None:
    stray = opening(2, LeafKind.TRANSITION, {"kind": "x"}, dossier="H28-220412-000009")
    made = with_history(HISTORY[0], stray, *HISTORY[2:])
    expect(made, FAILED, "event_of_another_dossier", "history/000002.json")


def test_an_event_under_another_salt_fails() -> None:
    place = HISTORY[1].place
    assert place
    stray = replace(HISTORY[1], place=replace(place, salt=b"x" * 32))
    made = with_history(HISTORY[0], stray, *HISTORY[2:])
    expect(made, FAILED, "event_of_another_dossier", "history/000002.json")


@pytest.mark.parametrize(
    "content", [None, "text", {"other": "x"}, {"parameters": 3}, {"parameters": {"container": 3}}]
)
def test_a_message_event_that_names_nothing_shows_nothing(content: Json) -> None:
    blank = opening(5, LeafKind.MESSAGE, content)
    made = with_history(*HISTORY[:4], blank, opening(6, LeafKind.RECEIPT, content))
    expect(made, FAILED, "message_not_in_history", "messages/2.asice")


def test_a_container_that_only_a_transition_names_is_not_logged_as_a_message() -> None:
    moved = [opening(number, LeafKind.TRANSITION, one.content)
             for number, one in enumerate(HISTORY, start=1)]  # fmt: skip
    expect(with_history(*moved), FAILED, "message_not_in_history", "messages/1.asice")


def test_a_message_refused_first_and_accepted_later_shows_its_last_receipt() -> None:
    refused = receipt(FIRST, outcome=Outcome.REFUSED, code="directory_stale")
    named = {"container": sha256(FIRST), "receipt": sha256(refused)}
    early = opening(4, LeafKind.RECEIPT, {"parameters": named})
    late = [opening(number, one.kind, one.content)
            for number, one in enumerate(HISTORY[3:], start=5)]  # fmt: skip
    assert judged(bundle(with_history(*HISTORY[:3], early, *late))).verdict.is_passed
    swapped = [replace(parts().messages[0], receipt=refused), parts().messages[1]]
    made = replace(with_history(*HISTORY[:3], early, *late), messages=swapped)
    expect(made, FAILED, "receipt_not_in_history", "messages/1.asice")


def test_an_event_that_is_none_fails() -> None:
    events = [BundleEvent(opening=b"{}"), *(replace(one, proof=None) for one in parts().events[1:])]
    made = replace(parts(), events=events)
    expect(made, FAILED, "event_malformed", "history/000001.json")


def test_a_changed_event_contradicts_its_leaf() -> None:
    changed = replace(HISTORY[0], content={"kind": "something else"})
    first = BundleEvent(opening=changed.dump(), proof=parts().events[0].proof)
    made = replace(parts(), events=[first, *parts().events[1:]])
    expect(made, FAILED, "log_proof_refused", "history/000001.tlog-proof")


def test_a_proof_that_is_none_fails() -> None:
    first = replace(parts().events[0], proof=b"nothing")
    made = replace(parts(), events=[first, *parts().events[1:]])
    expect(made, FAILED, "log_proof_malformed", "history/000001.tlog-proof")


def test_proofs_of_two_heads_of_one_log_fail() -> None:
    # Both heads are signed, and nothing in the bundle shows that one continues the other.
    longer = logged([*HISTORY, opening(7, LeafKind.TRANSITION, {"kind": "closed"})])
    made = replace(parts(), events=[*parts().events[:3], *longer[3:6]])
    expect(made, FAILED, "log_checkpoints_differ", "history/000004.tlog-proof")


def test_events_logged_in_another_order_fail() -> None:
    first, second, *rest = logged([HISTORY[1], HISTORY[0], *HISTORY[2:]])
    made = replace(parts(), events=[second, first, *rest])
    expect(made, FAILED, "log_order", "history/000002.tlog-proof")


def test_a_message_that_was_left_out_is_missed() -> None:
    made = replace(parts(), messages=parts().messages[:1])
    expect(made, FAILED, "message_left_out", sha256(SECOND))


def test_a_receipt_that_was_left_out_is_missed() -> None:
    bare = [replace(parts().messages[0], receipt=None), parts().messages[1]]
    expect(replace(parts(), messages=bare), FAILED, "receipt_left_out", "messages/1.asice")


def test_a_message_that_nobody_logged_fails() -> None:
    expect(with_history(*HISTORY[:4]), FAILED, "message_not_in_history", "messages/2.asice")
    expect(with_history(*HISTORY[:5]), FAILED, "receipt_not_in_history", "messages/2.asice")


def test_log_keys_that_are_none_fail() -> None:
    made = bundle(replace(parts(), trust=trust(log_keys=("nonsense",))))
    found = judged(made)
    assert (found.indication, "log_key_malformed" in codes(found)) == (FAILED, True)


def test_all_proofs_of_the_builder_lead_to_one_checkpoint() -> None:
    heads = {parse_proof(one.proof or b"").checkpoint for one in parts().events}
    assert len(heads) == 1


# --- Revocation --------------------------------------------------------------------------------


def revoked(serial: int, *, after: timedelta) -> BundleTrust:
    return trust(
        crls=pki().crls(
            at=NOW + timedelta(hours=1), revoked=(Revocation(serial=serial, at=NOW + after),)
        )
    )


def test_a_person_revoked_after_signing_is_believed_through_the_receivers_receipt() -> None:
    serial = 10 + Purpose.PERSON.value
    late = replace(parts(), trust=revoked(serial, after=timedelta(minutes=20)))
    assert judged(bundle(late)).verdict.is_passed


def test_a_person_revoked_before_signing_is_not_believed() -> None:
    serial = 10 + Purpose.PERSON.value
    early = replace(parts(), trust=revoked(serial, after=-timedelta(minutes=20)))
    found = judged(bundle(early))
    assert (found.indication, found.sub_indication) == (
        INDETERMINATE,
        SubIndication.REVOKED_NO_POE,
    )


def test_a_revoked_seal_cannot_date_itself_back() -> None:
    # The exporter's seal is over the bundle; only its own operator says when that was.
    made = replace(parts(), trust=revoked(9028, after=timedelta(minutes=40)))
    found = judged(bundle(made))
    assert found.indication is INDETERMINATE
    assert found.sub_indication is SubIndication.REVOKED_NO_POE
    assert "revoked_and_time_self_asserted" in codes(found)


def _manifest_of(container: bytes) -> tuple[ManifestEntry, ...]:
    found = judged(bundle(with_messages((container, receipt(container)))))
    envelope = found.messages[0].envelope
    assert envelope
    return envelope.manifest


# --- Nothing raises ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["certificates", "crls", "ocsps"])
@pytest.mark.parametrize("content", [b"", b"\x30\x80", b"\x30\x03\x02\x01\x00", bytes(70_000)])
def test_trust_that_is_none_counts_for_nothing_and_raises_nothing(
    name: str, content: bytes
) -> None:
    found = judged(bundle(replace(parts(), trust=trust(**{name: (content,)}))))
    # OCSP responses are not needed here; the two others are.
    assert found.indication is (Indication.TOTAL_PASSED if name == "ocsps" else INDETERMINATE)


@pytest.mark.parametrize("events", [10_001, -1, True, "6", None])
def test_an_index_that_promises_anything_is_refused_before_it_is_believed(events: Json) -> None:
    entries = [(one.name, bytes(one.content)) for one in zipfile.read(bundle()).entries]
    index = canonical.parse(dict(entries)["history/index.json"])
    assert isinstance(index, dict)
    promised = canonical.dump({**index, "events": events})
    changed = [(name, promised if name.endswith("index.json") else old) for name, old in entries]
    found = judged(zipfile.write(changed))
    assert (found.indication, "index_malformed" in codes(found)) == (FAILED, True)
