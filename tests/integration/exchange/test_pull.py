"""An agency behind a firewall fetches its letter, and its own receipt lets it wait no longer."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.mailbox import MessageKey, MessageStatus
from connectors.request import Doorkeeper, Operation, Request, write_request
from dossier import xmltext
from dossier.directory import Channel
from dossier.envelope import Assurance
from dossier.errors import LienThongError
from dossier.ids import AgencyCode
from dossier.model import MessageState
from dossier.receipt import Outcome, Receipt, write_receipt
from exchange.pull import NodeMailbox, NodeNonces, SealOpener
from signing.enveloped import sign_xml
from storage import outbox
from storage.outbox import Outgoing
from tests.builders.exchange import OneNode

HOA_BINH = AgencyCode("000.00.00.H28")
BINH_DINH = AgencyCode("000.00.00.H08")
TAX = AgencyCode("000.08.52.G12")


@pytest.fixture
def waiting(one: OneNode, monkeypatch: pytest.MonkeyPatch) -> Outgoing:
    """Send a letter to an agency without an address; it waits to be fetched."""
    known = one.node.directory()
    channels = (
        Channel(kind="pull", assurance=Assurance.SEALED),
        Channel(kind="soap", assurance=Assurance.SEALED),
    )
    changed = replace(
        known,
        agencies=tuple(
            replace(agency, endpoint="", channels=channels) if agency.code == BINH_DINH else agency
            for agency in known.agencies
        ),
    )
    monkeypatch.setattr(one.node, "directory", lambda: changed)
    code = one.send_letter()
    return outbox.of_dossier(one.sides(code)[HOA_BINH].id)[0]


def key_of(waiting: Outgoing, addressee: AgencyCode = BINH_DINH) -> MessageKey:
    return MessageKey(
        addressee=addressee, from_agency=HOA_BINH, message_id=waiting.message.message_id
    )


def receipt_of(one: OneNode, waiting: Outgoing, *, sealed_by: AgencyCode = BINH_DINH) -> bytes:
    assert waiting.message.container_sha256 is not None
    receipt = Receipt(
        outcome=Outcome.ACCEPTED,
        code="accepted",
        message_id=waiting.message.message_id,
        from_agency=HOA_BINH,
        to_agency=BINH_DINH,
        container_sha256=waiting.message.container_sha256,
        received=xmltext.truncated(one.node.now()),
        contract_sha256=waiting.message.container_sha256,
        directory_number=1,
    )
    return sign_xml(
        write_receipt(receipt),
        signer=one.node.seal(sealed_by),
        timestamper=one.node.timestamper,
        at=one.node.now(),
    )


def code_of_confirming(one: OneNode, key: MessageKey, receipt: bytes) -> str:
    with pytest.raises(LienThongError) as caught:
        NodeMailbox(one.node).confirm(key, receipt)
    return caught.value.code


def test_sealed_letter_waits_for_its_addressee_alone(one: OneNode, waiting: Outgoing) -> None:
    box = NodeMailbox(one.node)
    (pending,) = box.pending(BINH_DINH, limit=10)
    assert pending.message_id == waiting.message.message_id
    assert box.pending(TAX, limit=10) == []
    with box.container(key_of(waiting)) as (same, path):
        assert same == pending
        assert path.stat().st_size == pending.size_bytes
    assert list(path.parent.iterdir()) == []
    with pytest.raises(LienThongError) as caught, box.container(key_of(waiting, TAX)):
        pytest.fail("expected a refusal")
    assert caught.value.code == "message_unknown"


def test_fetching_removes_nothing_and_confirming_does(one: OneNode, waiting: Outgoing) -> None:
    box = NodeMailbox(one.node)
    with box.container(key_of(waiting)):
        pass
    assert len(box.pending(BINH_DINH, limit=10)) == 1
    receipt = receipt_of(one, waiting)
    box.confirm(key_of(waiting), receipt)
    box.confirm(key_of(waiting), receipt)
    assert box.pending(BINH_DINH, limit=10) == []
    assert outbox.get(waiting.message.id).message.state is MessageState.SENT


def test_message_stays_until_the_addressees_own_receipt_verifies(
    one: OneNode, waiting: Outgoing
) -> None:
    foreign = receipt_of(one, waiting, sealed_by=TAX)
    assert code_of_confirming(one, key_of(waiting), foreign) == "receipt_invalid"
    assert code_of_confirming(one, key_of(waiting), b"<Receipt/>") == "receipt_invalid"
    good = receipt_of(one, waiting)
    assert code_of_confirming(one, key_of(waiting, TAX), good) == "message_unknown"
    assert len(NodeMailbox(one.node).pending(BINH_DINH, limit=10)) == 1


def test_letter_nobody_fetches_is_parked_at_its_expiry(one: OneNode, waiting: Outgoing) -> None:
    one.later(timedelta(days=4))
    assert outbox.get(waiting.message.id).message.state is MessageState.PARKED


def test_request_needs_the_seal_of_the_agency_that_asks_and_counts_once(
    one: OneNode, waiting: Outgoing
) -> None:
    keeper = Doorkeeper(
        opener=SealOpener(one.node),
        nonces=NodeNonces(one.node),
        is_hosted=lambda agency: one.node.hosted(agency) is not None,
    )
    now = xmltext.truncated(one.node.now())

    def sealed(by: AgencyCode) -> bytes:
        request = Request(
            operation=Operation.LIST_PENDING,
            agency=BINH_DINH,
            to_agency=HOA_BINH,
            created=now,
            expires=now + timedelta(minutes=4),
            nonce=secrets.token_hex(16),
            message_id=None,
            from_agency=None,
        )
        return sign_xml(write_request(request), signer=one.node.seal(by), timestamper=None, at=now)

    def code_of(content: bytes) -> str:
        with pytest.raises(LienThongError) as caught:
            keeper.admit(content, Operation.LIST_PENDING, at=now)
        return caught.value.code

    good = sealed(BINH_DINH)
    assert keeper.admit(good, Operation.LIST_PENDING, at=now).agency == BINH_DINH
    assert code_of(good) == "request_replayed"
    assert code_of(sealed(TAX)) == "request_not_own"
    assert code_of(b"<Request/>") == "request_seal_refused"


def test_status_and_receipt_are_for_the_sender(one: OneNode, waiting: Outgoing) -> None:
    box = NodeMailbox(one.node)
    assert box.status(TAX, waiting.message.message_id) is MessageStatus.UNKNOWN
    with pytest.raises(LienThongError) as caught:
        box.receipt(TAX, waiting.message.message_id)
    assert caught.value.code == "message_unknown"
    assert box.directory().startswith(b"<Directory")
