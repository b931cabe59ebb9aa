"""Fetch what waits at document services: one bad file, or one dead service, holds up no other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from connectors.edxml.axis import AxisStatus, MessageType
from connectors.edxml.document_client import read_document
from connectors.edxml.document_server import ReceivedFile
from connectors.edxml.model import EdxmlFile, StatusHeader
from connectors.edxml.reader import read_edxml
from connectors.errors import PartnerAnswerRefused
from dossier.errors import Denied, LienThongError, Rejected, Unavailable
from exchange.drained import Drained
from exchange.edxml.accounts import EdxmlAccount, EdxmlConfiguration
from exchange.edxml.arrival import Arrival
from exchange.edxml.places import sent_letters
from exchange.edxml.services import axis_client, document_client
from exchange.edxml.take import Intake
from exchange.edxml.unread import keep_unread
from exchange.node import Node

_BATCH: Final = 50
_B_TYPE: Final = "application/octet-stream"
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Waiting:
    """A file that a service lists: what it is called there, and who sent it, if the list says."""

    reference: str
    organ: str = ""


def fetch_all(node: Node, configuration: EdxmlConfiguration) -> Drained:
    """Fetch what waits at every service; each file is stored before it is confirmed."""
    done = 0
    for account in configuration.accounts:
        try:
            done += sum(_fetched(node, configuration, account))
            done += _told(node, configuration, account) if account.dialect == "a" else 0
        except LienThongError as exc:
            parameters = {"service": account.address, "code": exc.code}
            _log.warning("document service not reached", extra=parameters)
    return Drained(done=done, more=False)


def _fetched(node: Node, configuration: EdxmlConfiguration, account: EdxmlAccount) -> Iterator[int]:
    """Yield 1 for each file that was stored and confirmed, 0 for what is left to the next round."""
    for one in _listed(node, account):
        try:
            content_type, content = _content(node, account, one)
            outcome = _taken(node, configuration, account, one, content_type, content)
            _confirm(node, account, one, outcome)
            yield 1
        except (PartnerAnswerRefused, Rejected, Denied) as exc:
            # Of this one file; a service that does not answer at all ends the round.
            parameters = {"service": account.address, "file": one.reference, "code": exc.code}
            _log.warning("document not fetched", extra=parameters)
            yield 0


def _told(node: Node, configuration: EdxmlConfiguration, account: EdxmlAccount) -> int:
    """Take what a service of dialect A says of letters that we sent through it."""
    traces = document_client(node, account).traces()
    intake = Intake(node, configuration)
    news = [one for one in traces.statuses if _is_news(node, one)]
    for header in news:
        organ = header.sender.organ_id
        received = ReceivedFile(
            content_type=traces.content_type,
            content=traces.content,
            file=EdxmlFile(header=header),
        )
        arrival = Arrival(dialect="a", organ=organ, peer_ref="", received=received)
        try:
            intake.take(arrival)
        except (Rejected, Denied) as exc:
            keep_unread(
                node,
                exc,
                account=account,
                organ=organ,
                reference=header.response_for.document_id,
                content_type=traces.content_type,
                content=traces.content,
            )
    return len(news)


def _is_news(node: Node, header: StatusHeader) -> bool:
    """Tell whether a status is another than the last one told: some services repeat them all."""
    sender = node.directory().find(header.sender.organ_id)
    sent = sent_letters(sender.code, header.response_for) if sender else []
    return not sent or sent[0].status != header.status_code


def _listed(node: Node, account: EdxmlAccount) -> list[_Waiting]:
    if account.dialect == "a":
        pending = document_client(node, account).pending()
        return [_Waiting(reference=one) for one in pending[:_BATCH]]
    client = axis_client(node, account)
    entries = [one for kind in MessageType for one in client.received(kind)[:_BATCH]]
    return [_Waiting(reference=one.doc_id, organ=one.from_organ) for one in entries]


def _content(node: Node, account: EdxmlAccount, one: _Waiting) -> tuple[str, bytes]:
    if account.dialect == "a":
        fetched = document_client(node, account).fetch(one.reference)
        return fetched.content_type, fetched.content
    return _B_TYPE, axis_client(node, account).fetch(one.reference)


def _taken(
    node: Node,
    configuration: EdxmlConfiguration,
    account: EdxmlAccount,
    one: _Waiting,
    content_type: str,
    content: bytes,
) -> AxisStatus:
    """Store a file; what is refused for good is kept with an incident, and confirmed as failed."""
    try:
        file = _read(account, content_type, content)
        arrival = Arrival(
            dialect=account.dialect,
            organ=one.organ or file.header.sender.organ_id,
            peer_ref=one.reference,
            received=ReceivedFile(content_type=content_type, content=content, file=file),
            agency=account.agency,
            called=account.organ_id,
        )
        Intake(node, configuration).take(arrival)
    except Unavailable:
        raise
    except LienThongError as exc:
        keep_unread(
            node,
            exc,
            account=account,
            organ=one.organ,
            reference=one.reference,
            content_type=content_type,
            content=content,
        )
        return AxisStatus.FAIL
    return AxisStatus.DONE


def _read(account: EdxmlAccount, content_type: str, content: bytes) -> EdxmlFile:
    if account.dialect == "a":
        return read_document(content_type, content)
    return read_edxml(content)


def _confirm(node: Node, account: EdxmlAccount, one: _Waiting, outcome: AxisStatus) -> None:
    if account.dialect == "a":
        document_client(node, account).confirm(one.reference)
    else:
        axis_client(node, account).report(one.reference, outcome)
