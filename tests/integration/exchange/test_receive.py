"""The receiving checks of protocol §4: each broken in turn, its own code, nothing stored."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dossier.directory import Channel, Directory
from dossier.envelope import Assurance
from dossier.errors import LienThongError
from dossier.ids import AgencyCode, Sha256
from dossier.receipt import Outcome, Receipt, parse_receipt
from exchange.receive import Reception
from signing.asic import DataFile
from signing.errors import TimestampUnavailable
from signing.purpose import Purpose
from signing.tsa import Timestamper
from signing.verify import open_xml
from storage import inbox, incidents, transactions
from tests.builders.exchange import OneNode
from tests.builders.messages import Draft, hints_for, lying, spooled

TAX = AgencyCode("000.08.52.G12")
COMMUNE = AgencyCode("000.31.01.H08")
Break = Callable[[Draft], None]


@pytest.fixture
def draft(one: OneNode) -> Draft:
    return Draft(node=one.node, at=one.node.now())


def give(one: OneNode, draft: Draft, folder: Path, **lies: object) -> Receipt:
    """Hand the message to the reception and return its verified answer."""
    container = spooled(folder, draft.container())
    hints = lying(hints_for(draft, container), **lies)
    answer = Reception(one.node).receive(hints, container)
    opened = open_xml(
        answer, trust=one.node.trust(), at=one.node.now(), purposes=frozenset({Purpose.SEAL})
    )
    return parse_receipt(opened.content)


def test_sound_message_is_accepted_and_answered_by_the_addressees_seal(
    one: OneNode, draft: Draft, tmp_path: Path
) -> None:
    receipt = give(one, draft, tmp_path)
    assert receipt.outcome is Outcome.ACCEPTED
    assert receipt.directory_number == 1
    stored = inbox.find(draft.sender, receipt.message_id)
    assert stored is not None
    assert stored.container_sha256 == receipt.container_sha256


# --- 1 to 5: no receipt may exist --------------------------------------------------------------


def expect_fault(one: OneNode, draft: Draft, folder: Path, code: str, **lies: object) -> None:
    with pytest.raises(LienThongError) as caught:
        give(one, draft, folder, **lies)
    assert caught.value.code == code
    assert inbox.backlog().due == 0


def test_1_announced_fields_must_equal_the_envelope(
    one: OneNode, draft: Draft, tmp_path: Path
) -> None:
    expect_fault(one, draft, tmp_path, "hints_differ", to_agency=COMMUNE)


def test_2_announced_size_is_capped_before_the_attachment_is_read(
    one: OneNode, draft: Draft, tmp_path: Path
) -> None:
    hints = hints_for(draft, spooled(tmp_path, draft.container()))
    with pytest.raises(LienThongError) as caught:
        Reception(one.node).before(lying(hints, size_bytes=10**12))
    assert caught.value.code == "container_too_large"


def test_3_digest_must_be_the_announced_one(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    expect_fault(
        one, draft, tmp_path, "container_digest_mismatch", container_sha256=Sha256("0" * 64)
    )


def test_3_size_must_be_the_announced_one(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    expect_fault(one, draft, tmp_path, "container_digest_mismatch", size_bytes=1)


def test_4_changed_byte_is_refused(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    content = bytearray(draft.container())
    content[content.index(b"%PDF-1.4") + 2] ^= 1
    container = spooled(tmp_path, bytes(content))
    with pytest.raises(LienThongError) as caught:
        Reception(one.node).receive(hints_for(draft, container), container)
    assert caught.value.code == "container_refused"


def test_4_not_a_container_is_refused(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    container = spooled(tmp_path, b"not a zip")
    with pytest.raises(LienThongError) as caught:
        Reception(one.node).receive(hints_for(draft, container), container)
    assert caught.value.code == "container_refused"


def test_4_seal_needs_a_timestamp(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    draft.is_stamped = False
    expect_fault(one, draft, tmp_path, "level_too_low")


def test_4_file_outside_the_manifest_is_refused(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    draft.unlisted = (DataFile(name="thêm.txt", media_type="text/plain", content=b"x"),)
    expect_fault(one, draft, tmp_path, "manifest_differs")


def test_5_seal_of_another_agency_is_refused(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    draft.signer = one.node.seal(TAX)
    expect_fault(one, draft, tmp_path, "seal_not_bound")


def test_6_agency_of_another_node_is_refused(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    draft.receiver = AgencyCode("000.00.00.H15")
    expect_fault(one, draft, tmp_path, "addressee_not_hosted")


# --- 7 to 10: a sealed refusal -----------------------------------------------------------------


def refused(one: OneNode, draft: Draft, folder: Path) -> str:
    receipt = give(one, draft, folder)
    assert receipt.outcome is Outcome.REFUSED
    assert inbox.find(draft.sender, receipt.message_id) is None
    assert incidents.count_open() == 1
    return receipt.code


def use_directory(
    one: OneNode, monkeypatch: pytest.MonkeyPatch, change: Callable[[Directory], Directory]
) -> None:
    changed = change(one.node.directory())
    monkeypatch.setattr(one.node, "directory", lambda: changed)


def test_7_access_rule_is_needed(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    draft.sender = TAX
    assert refused(one, draft, tmp_path) == "access_denied"


def test_7_channel_must_be_allowed(
    one: OneNode, draft: Draft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_file = (Channel(kind="filedrop", assurance=Assurance.SEALED),)
    use_directory(
        one,
        monkeypatch,
        lambda known: replace(
            known, agencies=tuple(replace(agency, channels=by_file) for agency in known.agencies)
        ),
    )
    assert refused(one, draft, tmp_path) == "channel_denied"


def test_7_channel_must_give_the_assurance(
    one: OneNode, draft: Draft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weak = (Channel(kind="soap", assurance=Assurance.NONE),)
    use_directory(
        one,
        monkeypatch,
        lambda known: replace(
            known, agencies=tuple(replace(agency, channels=weak) for agency in known.agencies)
        ),
    )
    assert refused(one, draft, tmp_path) == "assurance_too_low"


def test_8_expired_message_is_refused(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    draft.issued = draft.at.replace(microsecond=0) - timedelta(days=4)
    draft.expires = draft.at.replace(microsecond=0) - timedelta(days=1)
    assert refused(one, draft, tmp_path) == "message_expired"


class Ahead:
    """Stamps six minutes in the future, with the node's own authority."""

    def __init__(self, one: OneNode, stamper: Timestamper) -> None:
        self._one = one
        self._stamper = stamper

    def stamp(self, imprint_sha256: bytes) -> bytes:
        self._one.clock.at += timedelta(minutes=6)
        try:
            return self._stamper.stamp(imprint_sha256)
        finally:
            self._one.clock.at -= timedelta(minutes=6)


def test_8_timestamp_from_the_future_is_refused(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    draft.timestamper = Ahead(one, one.node.timestamper)
    with pytest.raises(LienThongError) as caught:
        give(one, draft, tmp_path)
    # The verifier itself already refuses a seal that is not of the past.
    assert caught.value.code in ("container_refused", "timestamp_in_future")


def test_9_unknown_contract_is_refused(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    draft.contract = replace(draft.known_contract(), sha256=Sha256("a" * 64))
    assert refused(one, draft, tmp_path) == "procedure_version_unknown"


def test_9_unknown_message_type_is_refused(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    draft.message_type = "telegram"
    assert refused(one, draft, tmp_path) == "message_type_unknown"


def test_9_message_against_its_direction_is_refused(
    one: OneNode, draft: Draft, tmp_path: Path
) -> None:
    draft.message_type = "reply"
    code = refused(one, draft, tmp_path)
    assert code == "payload_refused"


def test_9_values_nobody_declared_are_refused(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    draft.values |= {"secret": "x"}
    assert refused(one, draft, tmp_path) == "payload_refused"


def test_9_values_the_form_does_not_allow_are_refused(
    one: OneNode, draft: Draft, tmp_path: Path
) -> None:
    draft.values |= {"delegation_size": "many"}
    assert refused(one, draft, tmp_path) == "payload_refused"


def test_10_same_id_with_other_bytes_is_refused_and_the_first_stays(
    one: OneNode, draft: Draft, tmp_path: Path
) -> None:
    first = give(one, draft, tmp_path)
    second = give(one, draft, tmp_path)  # sealed anew: other bytes
    assert second.outcome is Outcome.REFUSED
    assert second.code == "message_id_reused"
    stored = inbox.find(draft.sender, first.message_id)
    assert stored is not None
    assert stored.container_sha256 == first.container_sha256


# --- Identity ----------------------------------------------------------------------------------


def test_same_bytes_get_the_stored_receipt_byte_for_byte(
    one: OneNode, draft: Draft, tmp_path: Path
) -> None:
    content = draft.container()
    container = spooled(tmp_path, content)
    hints = hints_for(draft, container)
    first = Reception(one.node).receive(hints, container)
    assert Reception(one.node).receive(hints, spooled(tmp_path, content)) == first
    assert Reception(one.node).before(hints) == first


def test_same_bytes_at_once_get_one_receipt(one: OneNode, draft: Draft, tmp_path: Path) -> None:
    content = draft.container()
    hints = hints_for(draft, spooled(tmp_path, content))

    def receive() -> bytes:
        try:
            return Reception(one.node).receive(hints, spooled(tmp_path, content))
        finally:
            transactions.close()

    with ThreadPoolExecutor(4) as pool:
        answers = [call.result() for call in [pool.submit(receive) for _ in range(4)]]
    assert len(set(answers)) == 1


def test_refusal_reserves_nothing(
    one: OneNode, draft: Draft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = draft.container()
    container = spooled(tmp_path, content)
    hints = hints_for(draft, container)
    with monkeypatch.context() as closed:
        use_directory(one, closed, lambda known: replace(known, rules=()))
        Reception(one.node).receive(hints, container)
    answer = Reception(one.node).receive(hints, spooled(tmp_path, content))
    opened = open_xml(
        answer, trust=one.node.trust(), at=one.node.now(), purposes=frozenset({Purpose.SEAL})
    )
    assert parse_receipt(opened.content).outcome is Outcome.ACCEPTED


def test_no_receipt_exists_while_the_timestamp_authority_is_down(
    one: OneNode, draft: Draft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = spooled(tmp_path, draft.container())

    class Down:
        def stamp(self, imprint_sha256: bytes) -> bytes:
            raise TimestampUnavailable("expected a time-stamp authority")

    monkeypatch.setattr(one.node, "timestamper", Down())
    with pytest.raises(LienThongError) as caught:
        Reception(one.node).receive(hints_for(draft, container), container)
    assert caught.value.code == TimestampUnavailable.code
    assert inbox.backlog().due == 0
