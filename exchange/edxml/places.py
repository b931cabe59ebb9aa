"""Find what an edXML letter is a message of: an answer to one of ours, or a new matter."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from connectors.edxml.model import EdxmlFile, MessageHeader, ResponseFor
from dossier.calendar import local_day
from dossier.directory import DirectoryAgency
from dossier.envelope import Assurance, Contract
from dossier.ids import AgencyCode, ConversationId, parse_sha256, same_agency
from dossier.model import Direction
from exchange.edxml.accounts import EdxmlConfiguration
from exchange.edxml.arrival import kind_of
from exchange.edxml.errors import LetterUnplaced
from exchange.edxml.letters import Place, dossier_of
from exchange.errors import AccessDenied, AssuranceTooLow
from exchange.node import Node
from exchange.opening import new_code
from exchange.seal import contract_of
from storage import dossiers, edxml, inbox, outbox
from storage.edxml import EdxmlKind, EdxmlState, StoredFile
from storage.transactions import transaction
from workflows.procedure import Procedure

_SEARCHED: Final = 500  # letters to an organ, newest first, among which a bare number is looked for


def sent_letters(organ: str, said: ResponseFor) -> list[StoredFile]:
    """Return our letters to an organ that a `ResponseFor` means, by DocumentId or by number.

    Services that count letters may also say their own number of it as DocumentId.
    """
    if said.document_id:
        found = edxml.find(Direction.OUT, organ, said.document_id)
        named = [one for one in found if one.kind is not EdxmlKind.STATUS]
        sent = [] if named else edxml.letters_to(organ, limit=_SEARCHED)
        return named or [one for one in sent if one.peer_ref == said.document_id]
    if "/" not in said.code:
        return []
    dated = said.promulgation_date
    ending = f",{dated},{said.code}" if dated else f",{said.code}"
    sent = edxml.letters_to(organ, limit=_SEARCHED)
    return [one for one in sent if one.document_id.casefold().endswith(ending.casefold())]


class Places:
    """Where letters belong on one node."""

    def __init__(self, node: Node, configuration: EdxmlConfiguration) -> None:
        self._node = node
        self._configuration = configuration

    def find(
        self,
        header: MessageHeader,
        sender: DirectoryAgency,
        to: AgencyCode,
        earlier: StoredFile | None,
        at: datetime,
    ) -> Place:
        """Find what a letter is a message of: an answer to one of ours, or a new matter."""
        place = self._answered(header, sender, to) or self._opened(header, to, earlier, at)
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

    def _answered(
        self, header: MessageHeader, sender: DirectoryAgency, to: AgencyCode
    ) -> Place | None:
        """Return the place of a letter that answers one that `to` sent."""
        for one in header.response_for:
            for sent in sent_letters(sender.code, one):
                if sent.message is None or not same_agency(sent.agency, to):
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

    def earlier(
        self, file: EdxmlFile, sender: DirectoryAgency, to: AgencyCode
    ) -> StoredFile | None:
        """Return the letter of the same sender that this one revokes, changes or replaces."""
        business = file.trace.business
        header = file.header
        own = header.document_id if isinstance(header, MessageHeader) else ""
        ids = [one.document_id for one in business.replacements] + [business.document_id]
        for document_id in ids:
            found = edxml.find(Direction.IN, sender.code, document_id) if document_id else []
            placed = [
                one
                for one in found
                if one.state is EdxmlState.RECEIVED and same_agency(one.agency, to)
            ]
            if placed and (document_id != own or kind_of(file) is not EdxmlKind.NEW):
                return placed[0]
        return None


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
