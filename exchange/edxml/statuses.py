"""Take status files: what became of a letter of ours at its addressee."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from connectors.edxml.model import StatusCode, StatusHeader
from dossier.directory import DirectoryAgency
from dossier.ids import Sha256
from exchange import chronicle
from exchange.chronicle import Event
from exchange.edxml.arrival import Arrival, row_of
from exchange.edxml.errors import LetterUnplaced
from exchange.edxml.places import sent_letters
from storage import edxml, incidents, outbox
from storage.edxml import EdxmlKind, StoredFile
from storage.transactions import transaction

# What an addressee says that a person here must look at.
_ALARMING: Final = frozenset(
    {StatusCode.REFUSED, StatusCode.TAKE_BACK_REQUESTED, StatusCode.TAKE_BACK_REFUSED}
)
_KNOWN: Final = frozenset(code.value for code in StatusCode)


def take_status(
    arrival: Arrival, sender: DirectoryAgency, header: StatusHeader, raw: Sha256, *, at: datetime
) -> UUID:
    """Record a status and return our id of its file; the same again changes nothing.

    Raises `LetterUnplaced` for a code that is none, or a letter that was not sent from here.
    """
    sent = next(iter(sent_letters(sender.code, header.response_for)), None)
    if sent is None or header.status_code not in _KNOWN:
        raise LetterUnplaced("expected the status of a letter that was sent from here")
    code = StatusCode(header.status_code)
    stored = row_of(arrival, sender, sent.agency, sent.document_id, raw, EdxmlKind.STATUS, at)
    with transaction():
        if edxml.add(stored) and edxml.set_status(sent.id, code.value):
            _tell(sender, sent, header, code, raw, at)
    return stored.id


def _tell(
    sender: DirectoryAgency,
    sent: StoredFile,
    header: StatusHeader,
    code: StatusCode,
    raw: Sha256,
    at: datetime,
) -> None:
    """Write the status into the history of the letter's dossier; a bad one is an incident."""
    outgoing = outbox.get(sent.message) if sent.message else None
    held = outgoing.message.dossier if outgoing else None
    if held is not None:
        parameters = {
            "status": code.value,
            "document_id": sent.document_id,
            "file": raw,
            "told": header.timestamp[:40],
        }
        event = Event(
            dossier=held, at=at, kind="letter_status", actor=sender.code, parameters=parameters
        )
        chronicle.write([event])
    if code in _ALARMING:
        incidents.open_incident(
            incidents.NewIncident(
                code="letter_status_alarming",
                parameters={
                    "from": sender.code,
                    "status": code.value,
                    "document_id": sent.document_id[:200],
                },
                opened=at,
                dossier=held,
                message=sent.message,
            )
        )
