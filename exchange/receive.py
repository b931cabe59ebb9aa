"""Receive one message: the checks of protocol §4 in their order, then store, answer, ring.

Until the seal is bound to From a failure raises (the caller answers an unsigned fault, so that
nobody can make this node sign for a stranger); from then on the answer is a sealed receipt.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dossier import canonical, xmltext
from dossier.canonical import Json
from dossier.directory import Directory, DirectoryAgency
from dossier.envelope import (
    FILE_NAME,
    PAYLOAD_NAME,
    Action,
    Assurance,
    Envelope,
    FileKind,
    parse_envelope,
)
from dossier.errors import LienThongError, Rejected
from dossier.ids import AgencyCode, Sha256
from dossier.receipt import Outcome, Receipt, write_receipt
from dossier.rule_errors import FormRefused
from dossier.wire import SendHints, Spooled
from exchange import chronicle
from exchange.arrivals import receipt_of
from exchange.contract import Contracts
from exchange.directory import demand_in_time
from exchange.drained import ring_after_commit
from exchange.errors import (
    AccessDenied,
    AddresseeNotHosted,
    AssuranceTooLow,
    ChannelDenied,
    ContainerDigestMismatch,
    ContainerRefused,
    ContainerTooLarge,
    HintsDiffer,
    LevelTooLow,
    ManifestDiffers,
    MessageExpired,
    MessageIdReused,
    MessageTypeUnknown,
    PayloadRefused,
    ProcedureVersionUnknown,
    SealNotBound,
    TimestampInFuture,
)
from exchange.node import Node
from signing.enveloped import sign_xml
from signing.errors import VerificationFailed, VerificationIndeterminate
from signing.judgement import Level, SignatureVerdict
from signing.log.leaf import LeafKind
from signing.purpose import Purpose
from signing.verify import VerifiedContainer, open_container
from storage import arrivals, inbox, incidents
from storage.blobs import Given
from storage.transactions import transaction
from workflows.procedure import MessageType, Procedure

CHANNEL: Final = "soap"
_AHEAD: Final = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """A container whose seal is bound to From: nothing else of it is ever used."""

    envelope: Envelope
    container: VerifiedContainer
    seal: SignatureVerdict
    sender: DirectoryAgency
    hosted: AgencyCode | None  # To, as this node holds its seal
    directory: Directory


class Reception:
    """The use cases behind SendMessage for one node; implements `dossier.wire.Receiving`."""

    def __init__(self, node: Node, *, channel: str = CHANNEL) -> None:
        self._node = node
        self._channel = channel

    def before(self, hints: SendHints) -> bytes | None:
        """Answer from the announced fields alone where that is possible (checks 1 and 2)."""
        limit = self._node.settings.max_container_bytes
        if hints.size_bytes > limit:
            raise ContainerTooLarge(
                f"expected at most {limit} bytes, got {hints.size_bytes} announced", limit=limit
            )
        if self._node.hosted(hints.to_agency) is None:
            raise AddresseeNotHosted("expected an agency of this node", agency=hints.to_agency)
        known = inbox.find(hints.from_agency, hints.message_id)
        if known and known.container_sha256 == hints.container_sha256:
            return receipt_of(self._node, known)
        return None

    def receive(self, hints: SendHints, container: Spooled) -> bytes:
        """Judge, store and answer with the sealed receipt, yes or no."""
        received = xmltext.truncated(self._node.clock.now())
        try:
            verified = self._authenticate(hints, container, received)
            try:
                self._admit(verified, received)
                return self._keep(verified, hints, container, received)
            except Rejected as refusal:
                return self._refuse(verified, hints, received, refusal)
        finally:
            container.drop()

    def _authenticate(self, hints: SendHints, container: Spooled, at: datetime) -> Verified:
        # 3. digest and size as announced
        if (container.sha256, container.size_bytes) != (hints.container_sha256, hints.size_bytes):
            raise ContainerDigestMismatch("expected the announced digest and size")
        # 4. container well-formed, signatures verified, level ≥ B-T, manifest complete
        try:
            opened = open_container(container.content, trust=self._node.trust(), at=at)
        except (VerificationFailed, VerificationIndeterminate) as exc:
            verdict = exc.judgement
            sub = verdict.sub_indication.value if verdict.sub_indication else ""
            raise ContainerRefused(
                f"expected a container that passes, got {verdict.indication.value} {sub}",
                indication=verdict.indication.value,
                sub_indication=sub,
            ) from exc
        seal = seal_of(opened)
        if seal.level is None or seal.level is Level.B_B:
            raise LevelTooLow("expected level B-T or above", level="B-B")
        envelope = read_envelope(opened)
        # 1. the announced fields equal the envelope
        if (envelope.from_agency, envelope.to_agency, envelope.message_id) != (
            hints.from_agency,
            hints.to_agency,
            hints.message_id,
        ):
            raise HintsDiffer("expected the announced From, To and MessageId in the envelope")
        # 5. seal bound to From by the directory, at first-receipt time
        directory = self._node.directory()
        demand_in_time(directory, at=at)
        sender = directory.seal_owner(seal.certificate or b"", at=at)
        if sender is None or not sender.is_named(envelope.from_agency):
            raise SealNotBound("expected a seal bound to From", agency=envelope.from_agency)
        return Verified(
            envelope=envelope,
            container=opened,
            seal=seal,
            sender=sender,
            hosted=self._node.hosted(envelope.to_agency, directory=directory),
            directory=directory,
        )

    def _admit(self, verified: Verified, at: datetime) -> None:
        envelope = verified.envelope
        # 6. To is hosted here: without it there is no seal to answer with
        if verified.hosted is None:
            raise AddresseeNotHosted("expected an agency of this node", agency=envelope.to_agency)
        # 7. rule, channel and assurance
        contract = self._node.contracts()
        self._admit_access(verified, contract)
        # 8. not expired, not from the future
        if at > envelope.expires:
            raise MessageExpired("expected a message within its expiry")
        stamped = verified.seal.best_time
        if stamped is None or stamped > at + _AHEAD:
            raise TimestampInFuture("expected a time-stamp not after the time of receipt")
        # 9. contract known, message type in it, payload as declared
        found = contract.find(envelope.contract)
        if found is None:
            raise ProcedureVersionUnknown(
                "expected a contract that this node runs",
                procedure=envelope.contract.procedure,
                version=envelope.contract.version,
            )
        declared = found.messages.get(envelope.message_type)
        if declared is None:
            raise MessageTypeUnknown(
                "expected a message type of the contract", type=envelope.message_type
            )
        self._admit_content(verified, found, declared)

    def _admit_content(
        self, verified: Verified, procedure: Procedure, declared: MessageType
    ) -> None:
        if verified.envelope.action is Action.RECALL:
            return
        values = read_payload(verified.container, allowed=frozenset(declared.values))
        if declared.payload:
            try:
                procedure.forms[declared.payload].check(values)
            except FormRefused as exc:
                raise PayloadRefused(f"expected values that the form allows: {exc}") from exc
        kinds = [
            entry.document_kind
            for entry in verified.envelope.manifest
            if entry.kind is FileKind.DOCUMENT
        ]
        if set(kinds) != set(declared.documents):
            raise PayloadRefused("expected exactly the kinds of documents that are declared")

    def _admit_access(self, verified: Verified, contracts: Contracts) -> None:
        envelope = verified.envelope
        # A rule may name the addressee as it is written, or the agency that answers for it now.
        servers = {envelope.to_agency, verified.hosted} - {None}
        if not any(
            verified.directory.allows(
                client=verified.sender.code,
                server=str(server),
                procedure=envelope.contract.procedure,
                message_type=envelope.message_type,
            )
            for server in servers
        ):
            raise AccessDenied(
                "expected an access rule for this message", type=envelope.message_type
            )
        channel = next((c for c in verified.sender.channels if c.kind == self._channel), None)
        if channel is None:
            raise ChannelDenied("expected an allowed channel", channel=self._channel)
        minimum = contracts.minimum_assurance(envelope.contract, envelope.message_type)
        if channel.assurance.strength < minimum.strength:
            raise AssuranceTooLow("expected a stronger proof", minimum=minimum.value)

    def _keep(
        self, verified: Verified, hints: SendHints, container: Spooled, at: datetime
    ) -> bytes:
        envelope = verified.envelope
        answer = self._answer(verified, hints, at, Outcome.ACCEPTED, "accepted")
        # 11. stored durably before anything says yes: small ones in the commit itself, large ones
        # before it
        content = container.content
        waiting = arrivals.IN_BLOBS
        if isinstance(content, bytes):
            receipt_sha256 = Sha256(hashlib.sha256(answer).hexdigest())
            waiting = arrivals.Waiting(container=content, receipt=answer)
        else:
            whole = Given(path=content, sha256=container.sha256)
            _, receipt_sha256 = self._node.blobs.put_all((whole, answer))
        with transaction():
            # 10. identity: one row per (From, MessageId), reserved only here
            known = inbox.reserve(
                inbox.NewMessage(
                    envelope=envelope,
                    written=verified.container.files[FILE_NAME].content,
                    container_sha256=hints.container_sha256,
                    receipt_sha256=receipt_sha256,
                    received=at,
                    assurance=Assurance.SEALED,
                )
            )
            if known is None:
                arrivals.add(inbox.message_key(envelope), waiting, at=at)
                chronicle.write_node_event(
                    LeafKind.RECEIPT,
                    {
                        "message_id": envelope.message_id,
                        "container": hints.container_sha256,
                        "receipt": receipt_sha256,
                    },
                    at=at,
                )
            ring_after_commit("correlate", envelope.message_id)
        if known is None:
            return answer
        if known.container_sha256 == hints.container_sha256:
            return receipt_of(self._node, known)
        raise MessageIdReused("expected a new message id for other bytes")

    def _refuse(
        self, verified: Verified, hints: SendHints, at: datetime, refusal: LienThongError
    ) -> bytes:
        envelope = verified.envelope
        if verified.hosted is None:
            raise refusal
        answer = self._answer(verified, hints, at, Outcome.REFUSED, refusal.code)
        with transaction():
            incidents.open_incident(
                incidents.NewIncident(
                    code=refusal.code,
                    parameters={
                        "from": envelope.from_agency,
                        "message_id": envelope.message_id,
                        "dossier": envelope.dossier_code,
                    },
                    opened=at,
                )
            )
        return answer

    def _answer(
        self, verified: Verified, hints: SendHints, at: datetime, outcome: Outcome, code: str
    ) -> bytes:
        receipt = Receipt(
            outcome=outcome,
            code=code,
            message_id=verified.envelope.message_id,
            from_agency=verified.envelope.from_agency,
            to_agency=verified.envelope.to_agency,
            container_sha256=hints.container_sha256,
            received=at,
            contract_sha256=verified.envelope.contract.sha256,
            directory_number=verified.directory.number,
        )
        return seal_receipt(self._node, receipt, at=at, hosted=verified.hosted)


def seal_receipt(
    node: Node, receipt: Receipt, *, at: datetime, hosted: AgencyCode | None = None
) -> bytes:
    """Return the receipt under the seal of the agency that received.

    Who has asked already as which agency To is hosted hands the answer over.
    """
    return sign_xml(
        write_receipt(receipt),
        signer=node.own_seal(hosted) if hosted else node.seal(receipt.to_agency),
        timestamper=node.timestamper,
        at=at,
    )


def seal_of(container: VerifiedContainer) -> SignatureVerdict:
    """Return the one agency seal among the signatures, which covers the envelope."""
    seals = [
        one
        for one in container.signatures
        if one.purpose is Purpose.SEAL and FILE_NAME in one.covers
    ]
    if len(seals) != 1:
        raise ContainerRefused(
            f"expected one agency seal, got {len(seals)}", indication="TOTAL-FAILED"
        )
    return seals[0]


def read_envelope(container: VerifiedContainer) -> Envelope:
    """Return the envelope, its manifest compared with every file that is in the container."""
    if FILE_NAME not in container.files:
        raise ManifestDiffers(f"expected {FILE_NAME} in the container")
    envelope = parse_envelope(container.files[FILE_NAME].content)
    announced = {
        entry.name: (entry.sha256, entry.size_bytes)
        for entry in envelope.manifest
        if entry.kind is not FileKind.SIGNATURE
    }
    found = {
        name: (file.sha256, file.size)
        for name, file in container.files.items()
        if name != FILE_NAME
    }
    persons = {
        entry.name: entry.sha256 for entry in envelope.manifest if entry.kind is FileKind.SIGNATURE
    }
    signatures = {
        name: Sha256(hashlib.sha256(content).hexdigest())
        for name, content in container.documents.items()
        if name != seal_of(container).id
    }
    if announced != found or persons != signatures:
        raise ManifestDiffers("expected exactly the files of the manifest")
    return envelope


def read_payload(container: VerifiedContainer, *, allowed: frozenset[str]) -> dict[str, Json]:
    """Return the case values that travelled: exactly those that the contract lets travel."""
    if PAYLOAD_NAME not in container.files:
        return {}
    values = canonical.parse(container.files[PAYLOAD_NAME].content)
    if not isinstance(values, dict) or not set(values) <= allowed:
        raise PayloadRefused("expected only the values that the message type declares")
    return dict(values)
