"""Hand letters to document services, fetch theirs, and report what becomes of them.

A letter goes to a service that this node calls, or waits until its addressee calls this node.
Nothing here is a receipt: SENT means that the channel took it, and the pages say so.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never
from uuid import UUID

from connectors.edxml import dialect_a
from connectors.edxml.axis import MessageType
from connectors.edxml.mime import MimeBody
from connectors.edxml.model import (
    BusinessKind,
    EdxmlFile,
    Organ,
    ResponseFor,
    Staff,
    StatusCode,
    StatusHeader,
)
from connectors.edxml.writer import write_edxml
from dossier.directory import DirectoryAgency
from dossier.envelope import Action
from dossier.errors import LienThongError, Unavailable
from dossier.ids import AgencyCode, Sha256, same_agency
from dossier.model import Direction, Document, MessageState
from exchange import chronicle
from exchange.chronicle import Event
from exchange.drained import Drained
from exchange.edxml.accounts import EdxmlAccount, EdxmlConfiguration, read_configuration
from exchange.edxml.arrival import identity_of, kind_of
from exchange.edxml.errors import LetterUnplaced
from exchange.edxml.fates import fate_of
from exchange.edxml.letters import Sent, edxml_time, write_letter
from exchange.edxml.services import axis_client, document_client
from exchange.edxml.take import CHANNELS
from exchange.errors import PartnerUnknown
from exchange.node import Node
from signing.log.leaf import LeafKind
from storage import documents, edxml, inbox, incidents, outbox, pull
from storage.edxml import EdxmlKind, EdxmlState, StoredFile
from storage.outbox import Outgoing
from storage.transactions import transaction

_REPORTED: Final = timedelta(days=180)  # how long the fate of a letter is followed
_B_TYPE: Final = "application/octet-stream"
_log: Final = logging.getLogger(__name__)


class PostOffice:
    """Everything this node does with document services of its own accord."""

    def __init__(self, node: Node, configuration: EdxmlConfiguration | None = None) -> None:
        self._node = node
        self._configuration = configuration or read_configuration(node.settings.edxml)

    def hand_over(self, outgoing: Outgoing, partner: DirectoryAgency, *, token: str) -> None:
        """Send one claimed message as a letter; only the holder of the token records it.

        Raises what the service answers: the caller tries again, then parks the message.
        """
        node = self._node
        at = node.now()
        known = edxml.of_message(outgoing.message.id)
        if known is not None:
            # Sent before, and lost before it was recorded: the peer has it.
            self._record(outgoing, known, token=token)
            return
        if _kind(outgoing) is BusinessKind.REVOKE and self._withdrawn(outgoing, token=token):
            return
        dialect = _dialect(partner)
        account = self._configuration.account_for(
            outgoing.message.agency, partner.code, dialect=dialect
        )
        if account is None and partner.code.casefold() not in self._configuration.callers:
            raise PartnerUnknown("expected a way to the organ", agency=partner.code)
        # Of the instant of the decision: every attempt writes the same letter.
        document_id, file = self._letter(
            outgoing, partner, account=account, at=outgoing.message.created
        )
        body = _written(file, dialect)
        stored = StoredFile(
            id=uuid.uuid4(),
            direction=Direction.OUT,
            dialect=dialect,
            agency=outgoing.message.agency,
            organ=partner.code,
            document_id=document_id,
            peer_ref=self._send(account, file, body) if account else "",
            identity=identity_of(file),
            sha256=node.blobs.put(body.content),
            media_type=body.content_type,
            kind=kind_of(file),
            state=EdxmlState.SENT if account else EdxmlState.WAITING,
            status="",
            message=outgoing.message.id,
            dossier=outgoing.message.dossier,
            repairs=(),
            at=at,
        )
        with transaction():
            edxml.add(stored)
        self._record(outgoing, stored, token=token)

    def report_all(self) -> Drained:
        """Tell the senders where their letters stand now, where that has changed."""
        done = 0
        since = self._node.now() - _REPORTED
        for stored in edxml.received_letters(since=since, limit=500):
            account = self._configuration.account_for(
                stored.agency, stored.organ, dialect=stored.dialect
            )
            fate = fate_of(stored)
            if account is None or fate.value == stored.status:
                continue
            done += self._reported(stored, fate, account=account)
        return Drained(done=done, more=False)

    def _reported(self, stored: StoredFile, fate: StatusCode, *, account: EdxmlAccount) -> int:
        """Report one fate; what the service refuses is an incident, and holds up no other."""
        try:
            self.report(stored, fate, account=account)
        except Unavailable as exc:
            _log.warning("status not reported", extra={"code": exc.code, "to": stored.organ})
            return 0
        except LienThongError as exc:
            parameters = {"from": stored.organ, "document_id": stored.document_id[:200]}
            told = {name: str(value) for name, value in exc.parameters.items()}
            incident = incidents.NewIncident(
                code=exc.code,
                parameters={**parameters, **told},
                opened=self._node.now(),
                message=stored.message,
            )
            with transaction():
                incidents.open_incident(incident)
            return 0
        return 1

    def report(
        self,
        stored: StoredFile,
        status: StatusCode,
        *,
        account: EdxmlAccount,
        description: str = "",
    ) -> None:
        """Send one status file and record it."""
        at = self._node.now()
        header = StatusHeader(
            sender=Organ(organ_id=account.organ_id),
            response_for=ResponseFor(organ_id=stored.organ, document_id=stored.document_id),
            staff=Staff(),
            status_code=status.value,
            description=description,
            timestamp=edxml_time(at),
        )
        if account.dialect == "a":
            document_client(self._node, account).update(header)
        else:
            axis_client(self._node, account).send(
                write_edxml(EdxmlFile(header=header)),
                from_organ=account.organ_id,
                to_organs=[stored.organ],
                kind=MessageType.STATUS,
            )
        with transaction():
            edxml.set_status(stored.id, status.value)

    def account_of(self, stored: StoredFile) -> EdxmlAccount | None:
        """Return the service through which the sender of a letter is told; None: it asks us."""
        return self._configuration.account_for(stored.agency, stored.organ, dialect=stored.dialect)

    # --- Sending -------------------------------------------------------------------------------

    def _letter(
        self,
        outgoing: Outgoing,
        partner: DirectoryAgency,
        *,
        account: EdxmlAccount | None,
        at: datetime,
    ) -> tuple[str, EdxmlFile]:
        request = outgoing.request if isinstance(outgoing.request, Mapping) else {}
        sender = self._node.directory().find(outgoing.message.agency)
        if sender is None:
            raise PartnerUnknown("expected our agency", agency=outgoing.message.agency)
        if account is not None:
            # The service knows us by the name of the account.
            sender = replace(sender, code=AgencyCode(account.organ_id))
        kind = _kind(outgoing)
        earlier = _superseded(outgoing) if kind is not BusinessKind.NEW else None
        sent = Sent(
            sender=sender,
            to=partner,
            message_id=outgoing.message.message_id,
            dossier_code=outgoing.message.dossier_code,
            document_number=str(request.get("document_number") or ""),
            subject=str(request.get("subject") or outgoing.message.dossier_code),
            answers=_answered(outgoing, partner),
            kind=kind if earlier else BusinessKind.NEW,
            about=earlier.document_id if earlier else "",
        )
        files = [
            (one.name, self._node.blobs.read(one.sha256)) for one in _attached(outgoing, request)
        ]
        return write_letter(sent, files, at=at)

    def _send(self, account: EdxmlAccount, file: EdxmlFile, body: MimeBody) -> str:
        if account.dialect == "a":
            return document_client(self._node, account).send(file)
        organs = [one.organ_id for one in getattr(file.header, "to", ())]
        return axis_client(self._node, account).send(
            body.content, from_organ=account.organ_id, to_organs=organs, kind=MessageType.LETTER
        )

    def _record(self, outgoing: Outgoing, stored: StoredFile, *, token: str) -> None:
        with transaction():
            if stored.state is EdxmlState.WAITING:
                outbox.retry(outgoing.message.id, token=token, at=outgoing.expires, error="")
            elif self._mark_sent(outgoing, token=token):
                _note_sent(outgoing, stored, at=self._node.now())

    def _withdrawn(self, outgoing: Outgoing, *, token: str) -> bool:
        """Take a letter back that nobody has fetched; False where it has left."""
        earlier = _superseded(outgoing)
        if earlier is not None and earlier.state is EdxmlState.SENT:
            return False
        with transaction():
            if earlier is not None:
                edxml.set_state(earlier.id, EdxmlState.WITHDRAWN)
            self._mark_sent(outgoing, token=token)
        return True

    def _mark_sent(self, outgoing: Outgoing, *, token: str) -> bool:
        return outbox.mark_answered(
            outgoing.message.id,
            token=token,
            state=MessageState.SENT,
            receipt_sha256=Sha256(""),
            outcome="",
            code="",
            received=self._node.now(),
        )


def mark_fetched(node: Node, stored: StoredFile) -> None:
    """Record that the addressee has fetched a letter that waited; again is harmless."""
    with transaction():
        if not edxml.set_state(stored.id, EdxmlState.SENT) or stored.message is None:
            return
        token = uuid.uuid4().hex
        taken = pull.take(stored.message, token=token)
        if taken is not None and outbox.mark_answered(
            stored.message,
            token=token,
            state=MessageState.SENT,
            receipt_sha256=Sha256(""),
            outcome="",
            code="",
            received=node.now(),
        ):
            _note_sent(taken, stored, at=node.now())


def report_by_hand(
    node: Node, reference: str, code: str, *, description: str = "", agency: str = ""
) -> str:
    """Give a received letter a status and return the organ that is told of it.

    `reference` is its DocumentId, `agency` which of ours speaks, if it came to several.

    Raises `LetterUnplaced` for a letter that did not come, or a speaker that is not clear.
    """
    office = PostOffice(node)
    found = [
        one
        for sender in node.directory().agencies
        for one in edxml.find(Direction.IN, sender.code, reference)
        if one.kind is not EdxmlKind.STATUS and (not agency or same_agency(one.agency, agency))
    ]
    if not found:
        raise LetterUnplaced("expected a letter that was received here")
    if len({one.agency for one in found}) > 1:
        raise LetterUnplaced("expected one agency to speak", hint="name it with --agency")
    stored = found[0]
    account = office.account_of(stored)
    status = StatusCode(code)
    if account is not None:
        office.report(stored, status, account=account, description=description)
    else:
        with transaction():
            edxml.set_status(stored.id, status.value)
    return stored.organ


def _note_sent(outgoing: Outgoing, stored: StoredFile, *, at: datetime) -> None:
    if outgoing.message.dossier is None:
        return
    chronicle.write(
        [
            Event(
                dossier=outgoing.message.dossier,
                at=at,
                kind="letter_sent",
                leaf=LeafKind.MESSAGE,
                instance=outgoing.instance,
                parameters={
                    "message_id": outgoing.message.message_id,
                    "to": outgoing.message.partner,
                    "type": outgoing.message.message_type,
                    "container": outgoing.message.container_sha256,
                    "document_id": stored.document_id,
                    "file": stored.sha256,
                },
            )
        ]
    )


def _dialect(partner: DirectoryAgency) -> str:
    kinds = {one.kind for one in partner.channels}
    for dialect, channel in CHANNELS.items():
        if channel in kinds:
            return dialect
    raise PartnerUnknown("expected an edXML channel of the organ", agency=partner.code)


def _written(file: EdxmlFile, dialect: str) -> MimeBody:
    if dialect == "a":
        return dialect_a.write_letter(file)
    return MimeBody(content_type=_B_TYPE, content=write_edxml(file))


def _attached(outgoing: Outgoing, request: Mapping[str, object]) -> list[Document]:
    listed = request.get("documents")
    found = [documents.get(UUID(str(one))) for one in listed] if isinstance(listed, list) else []
    missing = request.get("missing")
    kinds = [str(one) for one in missing] if isinstance(missing, list) else []
    held = outgoing.message.dossier
    late = [documents.latest(held, kind) if held else None for kind in kinds]
    return found + [one for one in late if one is not None]


def _answered(outgoing: Outgoing, partner: DirectoryAgency) -> str:
    """Return the DocumentId of the newest letter of the organ in this dossier."""
    if outgoing.message.dossier is None:
        return ""
    received = inbox.of_dossier(outgoing.message.dossier)
    for message in reversed(received):
        if partner.is_named(message.envelope.from_agency):
            stored = edxml.of_message(message.id)
            if stored is not None:
                return stored.document_id
    return ""


def _kind(outgoing: Outgoing) -> BusinessKind:
    """Return what a message does to the one that it supersedes; a reissue is new."""
    request = outgoing.request if isinstance(outgoing.request, Mapping) else {}
    match Action(str(request.get("action") or Action.NEW.value)):
        case Action.NEW:
            return BusinessKind.NEW
        case Action.RECALL:
            return BusinessKind.REVOKE
        case Action.REPLACE:
            return BusinessKind.REPLACE
        case Action.UPDATE:
            return BusinessKind.UPDATE
        case never:
            assert_never(never)


def _superseded(outgoing: Outgoing) -> StoredFile | None:
    """Return the letter that a message is about, as it went."""
    if outgoing.supersedes is None:
        return None
    earlier = outbox.find(outgoing.message.agency, outgoing.supersedes)
    return edxml.of_message(earlier.message.id) if earlier else None
