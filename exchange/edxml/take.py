"""Take letters and statuses that came as edXML: archive them, place them, tell what follows.

The channel proves the sender, nothing else does: an agency with a service of its own is refused
here, and so is a message type that demands a seal (protocol §10).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from connectors.edxml.model import MessageHeader, StatusCode, StatusHeader
from dossier import xmltext
from dossier.directory import DirectoryAgency
from dossier.envelope import Assurance, Envelope
from dossier.errors import LienThongError, Rejected
from dossier.ids import AgencyCode, Sha256, same_agency
from dossier.model import Direction
from dossier.receipt import Outcome, Receipt
from exchange import chronicle
from exchange.chronicle import Event
from exchange.drained import ring_after_commit
from exchange.edxml.accounts import EdxmlConfiguration
from exchange.edxml.arrival import Arrival, identity_of, kind_of, row_of
from exchange.edxml.errors import LetterUnreadable, SenderUnknown
from exchange.edxml.letters import Place, wrap_letter
from exchange.edxml.places import Places
from exchange.edxml.statuses import take_status
from exchange.errors import AddresseeNotHosted, ChannelDenied
from exchange.node import Node
from exchange.receive import seal_receipt
from signing.asic import DataFile, seal_container
from signing.log.leaf import LeafKind
from storage import edxml, inbox, incidents
from storage.edxml import EdxmlKind, EdxmlState, StoredFile
from storage.transactions import transaction

CHANNELS: Final = {"a": "edxml_a", "b": "edxml_b"}
_ARCHIVE_NAMES: Final = {"a": "edxml.mime", "b": "edxml.xml"}


class Intake:
    """The use cases behind every edXML channel of one node."""

    def __init__(self, node: Node, configuration: EdxmlConfiguration) -> None:
        self._node = node
        self._configuration = configuration
        self._places = Places(node, configuration)

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
        taken: list[UUID] = []
        refusal: Rejected | None = None
        addressees = self._addressees(header, arrival)
        if not addressees:
            named = header.to[0].organ_id[:35] if header.to else ""
            refusal = AddresseeNotHosted("expected an agency of this node", agency=named)
            ours = self._node.hosted_agencies()[0]
            self._refuse(arrival, sender, header, raw, refusal, to=ours, at=at)
        for to in addressees:
            try:
                taken.append(self._taken_for(to, arrival, sender, header, raw, at))
            except Rejected as exc:
                self._refuse(arrival, sender, header, raw, exc, to=to, at=at)
                refusal = exc
        if refusal is not None and not taken:
            raise refusal
        return taken[0]

    # --- Letters -------------------------------------------------------------------------------

    def _taken_for(
        self,
        to: AgencyCode,
        arrival: Arrival,
        sender: DirectoryAgency,
        header: MessageHeader,
        raw: Sha256,
        at: datetime,
    ) -> UUID:
        """Take a letter for one of its addressees, or find what was made of it before."""
        identity = identity_of(arrival.received.file)
        for one in edxml.find(Direction.IN, sender.code, header.document_id):
            is_same = one.identity == identity and one.agency == to
            if is_same and one.state is EdxmlState.RECEIVED:
                return one.id
        if any(one.content is None for one in arrival.received.file.attachments):
            raise LetterUnreadable("expected attachments that can be decoded")
        kind = kind_of(arrival.received.file)
        earlier = self._places.earlier(arrival.received.file, sender, to)
        if kind in (EdxmlKind.REVOKE, EdxmlKind.UPDATE) and earlier is not None:
            return self._note_change(arrival, sender, header, raw, kind, earlier, to=to, at=at)
        place = self._places.find(header, sender, to, earlier, at)
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

    def _addressees(self, header: MessageHeader, arrival: Arrival) -> list[AgencyCode]:
        """Return those of our agencies that a letter is for: the named ones, else whose it was."""
        found: dict[AgencyCode, None] = {}
        for organ in header.to:
            if arrival.agency and same_agency(organ.organ_id, arrival.called):
                found[arrival.agency] = None
            elif (hosted := self._node.hosted(organ.organ_id)) is not None:
                found[hosted] = None
        if not found and arrival.agency:
            found[arrival.agency] = None
        return list(found)

    def _refuse(
        self,
        arrival: Arrival,
        sender: DirectoryAgency,
        header: MessageHeader,
        raw: Sha256,
        refusal: LienThongError,
        *,
        to: AgencyCode,
        at: datetime,
    ) -> None:
        kind = kind_of(arrival.received.file)
        stored = row_of(arrival, sender, to, header.document_id, raw, kind, at)
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


def _with_message(stored: StoredFile, message: UUID | None) -> StoredFile:
    return replace(stored, message=message)


def _refused(stored: StoredFile) -> StoredFile:
    return replace(stored, state=EdxmlState.REFUSED, status=StatusCode.REFUSED.value)
