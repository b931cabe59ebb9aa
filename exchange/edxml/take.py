"""Take letters and statuses that came as edXML: archive them, place them, tell what follows.

The channel proves the sender, nothing else does: an agency with a service of its own is refused
here, and so is a message type that demands a seal (protocol §10).
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from connectors.edxml.model import EdxmlFile, MessageHeader, StatusCode, StatusHeader
from dossier import xmltext
from dossier.calendar import local_day
from dossier.directory import DirectoryAgency
from dossier.envelope import Assurance, Contract, Envelope
from dossier.errors import LienThongError, Rejected
from dossier.ids import AgencyCode, ConversationId, Sha256, parse_sha256
from dossier.model import Direction
from dossier.receipt import Outcome, Receipt
from exchange import chronicle
from exchange.chronicle import Event
from exchange.drained import ring_after_commit
from exchange.edxml.accounts import EdxmlConfiguration
from exchange.edxml.arrival import Arrival, identity_of, kind_of, row_of
from exchange.edxml.errors import LetterUnplaced, LetterUnreadable, SenderUnknown
from exchange.edxml.letters import Place, dossier_of, wrap_letter
from exchange.edxml.statuses import take_status
from exchange.errors import AccessDenied, AddresseeNotHosted, AssuranceTooLow, ChannelDenied
from exchange.node import Node
from exchange.opening import new_code
from exchange.receive import seal_receipt
from exchange.seal import contract_of
from signing.asic import DataFile, seal_container
from signing.log.leaf import LeafKind
from storage import dossiers, edxml, inbox, incidents, outbox
from storage.edxml import EdxmlKind, EdxmlState, StoredFile
from storage.transactions import transaction
from workflows.procedure import Procedure

CHANNELS: Final = {"a": "edxml_a", "b": "edxml_b"}
_ARCHIVE_NAMES: Final = {"a": "edxml.mime", "b": "edxml.xml"}


class Intake:
    """The use cases behind every edXML channel of one node."""

    def __init__(self, node: Node, configuration: EdxmlConfiguration) -> None:
        self._node = node
        self._configuration = configuration

    def take(self, arrival: Arrival) -> UUID:
        """Archive and place a file and return our id of it; the same file again changes nothing.

        A letter that cannot be placed is archived too, with an incident, before its error is
        raised. Raises `SenderUnknown` and `ChannelDenied` for whom nothing is kept.
        """
        at = xmltext.truncated(self._node.now())
        sender = self._sender(arrival)
        header = arrival.received.file.header
        raw = self._node.blobs.put(arrival.received.content)
        if isinstance(header, StatusHeader):
            return take_status(arrival, sender, header, raw, at=at)
        identity = identity_of(arrival.received.file)
        known = next(
            (
                one
                for one in edxml.find(Direction.IN, sender.code, header.document_id)
                if one.identity == identity and one.state is EdxmlState.RECEIVED
            ),
            None,
        )
        if known is not None:
            return known.id
        try:
            return self._take_letter(arrival, sender, header, raw, at)
        except Rejected as refusal:
            self._refuse(arrival, sender, header, raw, refusal, at)
            raise

    # --- Letters -------------------------------------------------------------------------------

    def _take_letter(
        self,
        arrival: Arrival,
        sender: DirectoryAgency,
        header: MessageHeader,
        raw: Sha256,
        at: datetime,
    ) -> UUID:
        to = self._addressee(header)
        if any(one.content is None for one in arrival.received.file.attachments):
            raise LetterUnreadable("expected attachments that can be decoded")
        kind = kind_of(arrival.received.file)
        earlier = self._earlier(arrival.received.file, sender)
        if kind in (EdxmlKind.REVOKE, EdxmlKind.UPDATE) and earlier is not None:
            return self._note_change(arrival, sender, header, raw, kind, earlier, to=to, at=at)
        place = self._place(header, sender, to, earlier, at)
        return self._file_letter(arrival, sender, header, raw, kind, place, to=to, at=at)

    def _file_letter(
        self,
        arrival: Arrival,
        sender: DirectoryAgency,
        header: MessageHeader,
        raw: Sha256,
        kind: EdxmlKind,
        place: Place,
        *,
        to: AgencyCode,
        at: datetime,
    ) -> UUID:
        node = self._node
        wrapped = wrap_letter(
            arrival.received.file,
            header,
            place,
            sender=sender.code,
            to=to,
            archived=DataFile(
                name=_ARCHIVE_NAMES[arrival.dialect],
                media_type="application/octet-stream",
                content=arrival.received.content,
            ),
            identity=identity_of(arrival.received.file),
            values=self._configuration.values,
            at=at,
        )
        container = seal_container(
            wrapped.files, signer=node.seal(to), timestamper=node.timestamper, at=at
        )
        for file in wrapped.files[1:]:
            if isinstance(file.content, bytes):
                node.blobs.put(file.content)
        container_sha256 = node.blobs.put(container)
        receipt_sha256 = node.blobs.put(self._receipt(wrapped.envelope, container_sha256, at))
        stored = row_of(arrival, sender, to, header.document_id, raw, kind, at)
        with transaction():
            reserved = inbox.reserve(
                inbox.NewMessage(
                    envelope=wrapped.envelope,
                    container_sha256=container_sha256,
                    receipt_sha256=receipt_sha256,
                    received=at,
                    assurance=Assurance.CHANNEL,
                )
            )
            if reserved is None:
                mine = inbox.find(sender.code, wrapped.envelope.message_id)
                edxml.add(_with_message(stored, mine.id if mine else None))
                chronicle.write_node_event(
                    LeafKind.RECEIPT,
                    {
                        "message_id": wrapped.envelope.message_id,
                        "container": container_sha256,
                        "receipt": receipt_sha256,
                    },
                    at=at,
                )
            ring_after_commit("correlate", wrapped.envelope.message_id)
        return stored.id

    def _place(
        self,
        header: MessageHeader,
        sender: DirectoryAgency,
        to: AgencyCode,
        earlier: StoredFile | None,
        at: datetime,
    ) -> Place:
        """Find what a letter is a message of: an answer to one of ours, or a new matter."""
        place = self._answered(header, sender) or self._opened(header, to, earlier, at)
        contracts = self._node.contracts()
        if not self._node.directory().allows(
            client=sender.code,
            server=to,
            procedure=place.contract.procedure,
            message_type=place.message_type,
        ):
            raise AccessDenied("expected an access rule for this letter", type=place.message_type)
        minimum = contracts.minimum_assurance(place.contract, place.message_type)
        if Assurance.CHANNEL.strength < minimum.strength:
            raise AssuranceTooLow("expected a stronger proof", minimum=minimum.value)
        return place

    def _answered(self, header: MessageHeader, sender: DirectoryAgency) -> Place | None:
        """Return the place of a letter that answers one of ours."""
        for one in header.response_for:
            for sent in edxml.find(Direction.OUT, sender.code, one.document_id):
                if sent.message is None:
                    continue
                outgoing = outbox.get(sent.message)
                held = dossiers.get(outgoing.message.dossier) if outgoing.message.dossier else None
                procedure = self._node.contracts().find(contract_of(outgoing))
                if held is None or procedure is None:
                    continue
                role = next((r for r, code in held.bindings.items() if sender.is_named(code)), "")
                kinds = [
                    name
                    for name, declared in procedure.messages.items()
                    if (declared.source, declared.to) == (role, held.role)
                ]
                if len(kinds) != 1:
                    raise LetterUnplaced("expected one kind of message that can be the answer")
                return _place_of(
                    procedure,
                    kinds[0],
                    conversation_id=outgoing.conversation_id,
                    dossier_code=outgoing.message.dossier_code,
                )
        return None

    def _opened(
        self, header: MessageHeader, to: AgencyCode, earlier: StoredFile | None, at: datetime
    ) -> Place:
        """Return the place of a letter that opens a matter, as the configuration says."""
        configured = self._configuration
        if not configured.procedure:
            raise LetterUnplaced("expected a procedure for new letters in the configuration")
        procedure = self._node.contracts().effective(configured.procedure, day=local_day(at))
        if configured.message_type not in procedure.messages:
            raise LetterUnplaced("expected a message type of the procedure in the configuration")
        # A replacement joins the matter of the letter that it stands for.
        replaced = inbox.get(earlier.message) if earlier and earlier.message else None
        if replaced is not None:
            conversation_id = replaced.envelope.conversation_id
            code = replaced.envelope.dossier_code
        else:
            conversation_id = ConversationId(str(uuid.uuid4()))
            rules = self._node.rules().effective(local_day(at))
            with transaction():
                code = dossier_of(header) or new_code(to, rules=rules, at=at)
        return _place_of(
            procedure,
            configured.message_type,
            conversation_id=conversation_id,
            dossier_code=code,
        )

    def _earlier(self, file: EdxmlFile, sender: DirectoryAgency) -> StoredFile | None:
        """Return the letter of the same sender that this one revokes, changes or replaces."""
        business = file.trace.business
        header = file.header
        own = header.document_id if isinstance(header, MessageHeader) else ""
        ids = [one.document_id for one in business.replacements] + [business.document_id]
        for document_id in ids:
            found = edxml.find(Direction.IN, sender.code, document_id) if document_id else []
            placed = [one for one in found if one.state is EdxmlState.RECEIVED]
            if placed and (document_id != own or kind_of(file) is not EdxmlKind.NEW):
                return placed[0]
        return None

    def _note_change(
        self,
        arrival: Arrival,
        sender: DirectoryAgency,
        header: MessageHeader,
        raw: Sha256,
        kind: EdxmlKind,
        earlier: StoredFile,
        *,
        to: AgencyCode,
        at: datetime,
    ) -> UUID:
        """Tell the dossier that its letter was revoked or changed; a person decides and answers."""
        stored = row_of(arrival, sender, to, header.document_id, raw, kind, at)
        message = inbox.get(earlier.message) if earlier.message else None
        business = arrival.received.file.trace.business
        with transaction():
            if not edxml.add(stored):
                return earlier.id
            if message is not None and message.dossier is not None:
                parameters = {"document_id": earlier.document_id, "file": raw}
                chronicle.write(
                    [
                        Event(
                            dossier=message.dossier,
                            at=at,
                            kind=f"letter_{kind.value}",
                            actor=sender.code,
                            parameters=parameters,
                        )
                    ]
                )
            incidents.open_incident(
                incidents.NewIncident(
                    code=f"letter_{kind.value}",
                    parameters={
                        "from": sender.code,
                        "document_id": earlier.document_id[:200],
                        "reason": business.reason[:200],
                    },
                    opened=at,
                    dossier=message.dossier if message else None,
                    message=earlier.message,
                )
            )
        return stored.id

    def _receipt(self, envelope: Envelope, container: Sha256, at: datetime) -> bytes:
        receipt = Receipt(
            outcome=Outcome.ACCEPTED,
            code="accepted",
            message_id=envelope.message_id,
            from_agency=envelope.from_agency,
            to_agency=envelope.to_agency,
            container_sha256=container,
            received=at,
            contract_sha256=envelope.contract.sha256,
            directory_number=self._node.directory().number,
        )
        return seal_receipt(self._node, receipt, at=at)

    # --- What both share -----------------------------------------------------------------------

    def _sender(self, arrival: Arrival) -> DirectoryAgency:
        """Return the sender if the directory lets letters of it in by this channel."""
        sender = self._node.directory().find(arrival.organ)
        said = arrival.received.file.header.sender.organ_id
        if sender is None or not sender.is_named(said):
            raise SenderUnknown("expected a sender that the directory knows", agency=said[:35])
        channel = CHANNELS[arrival.dialect]
        if sender.endpoint or all(one.kind != channel for one in sender.channels):
            raise ChannelDenied("expected an allowed channel", channel=channel)
        return sender

    def _addressee(self, header: MessageHeader) -> AgencyCode:
        for organ in header.to:
            hosted = self._node.hosted(organ.organ_id)
            if hosted is not None:
                return hosted
        named = header.to[0].organ_id[:35] if header.to else ""
        raise AddresseeNotHosted("expected an agency of this node", agency=named)

    def _refuse(
        self,
        arrival: Arrival,
        sender: DirectoryAgency,
        header: MessageHeader,
        raw: Sha256,
        refusal: LienThongError,
        at: datetime,
    ) -> None:
        hosted = self._node.hosted_agencies()
        kind = kind_of(arrival.received.file)
        stored = row_of(arrival, sender, hosted[0], header.document_id, raw, kind, at)
        with transaction():
            edxml.add(_refused(stored))
            incidents.open_incident(
                incidents.NewIncident(
                    code=refusal.code,
                    parameters={
                        "from": sender.code,
                        "document_id": header.document_id[:200],
                        **{name: str(value) for name, value in refusal.parameters.items()},
                    },
                    opened=at,
                )
            )


def _place_of(
    procedure: Procedure,
    message_type: str,
    *,
    conversation_id: ConversationId,
    dossier_code: str,
) -> Place:
    declared = procedure.messages[message_type]
    return Place(
        contract=Contract(
            procedure=procedure.code,
            version=procedure.version,
            sha256=parse_sha256(procedure.digest),
        ),
        message_type=message_type,
        documents=declared.documents,
        values=frozenset(declared.values),
        conversation_id=conversation_id,
        dossier_code=dossier_code,
    )


def _with_message(stored: StoredFile, message: UUID | None) -> StoredFile:
    return replace(stored, message=message)


def _refused(stored: StoredFile) -> StoredFile:
    return replace(stored, state=EdxmlState.REFUSED, status=StatusCode.REFUSED.value)
