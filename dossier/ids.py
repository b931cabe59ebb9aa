"""Identifiers that travel between agencies: their shapes, parsed once at the edge.

Codes that follow Vietnamese circulars (dossier codes, document numbers) live in `dossier.codes`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NewType
from uuid import UUID

from dossier.errors import IdentifierRefused

AgencyCode = NewType("AgencyCode", str)
MessageId = NewType("MessageId", str)
ConversationId = NewType("ConversationId", str)
Sha256 = NewType("Sha256", str)

# QCVN 102 groups and the newer dotted form, as received (domain.md §4.3).
_AGENCY: Final = re.compile(r"[0-9A-Za-z]{1,6}(\.[0-9A-Za-z]{1,6}){0,8}")
_MESSAGE: Final = re.compile(r"[0-9a-z]{8,32}-[0-9a-f]{32}-[0-9]{1,9}-[0-9A-Za-z.]{1,35}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def parse_agency_code(text: str) -> AgencyCode:
    """Return the code as received; compare two of them with `same_agency`."""
    if len(text) > 35 or not _AGENCY.fullmatch(text):
        raise IdentifierRefused("expected an agency code of dotted groups", kind="agency")
    return AgencyCode(text)


def same_agency(one: str, other: str) -> bool:
    """Tell whether two agency codes name one agency: case does not count (domain.md §4.3)."""
    return one.casefold() == other.casefold()


def parse_sha256(text: str) -> Sha256:
    """Return 64 lower-case hexadecimal digits."""
    if not _SHA256.fullmatch(text):
        raise IdentifierRefused("expected a SHA-256 in lower-case hexadecimal", kind="sha256")
    return Sha256(text)


def parse_conversation_id(text: str) -> ConversationId:
    """Return a UUID in its canonical text form."""
    if not _UUID.fullmatch(text):
        raise IdentifierRefused("expected a UUID in canonical form", kind="conversation")
    return ConversationId(text)


def parse_name(text: str) -> str:
    """Return a plain name: a procedure, a message type, a role, a case value."""
    if not _NAME.fullmatch(text):
        raise IdentifierRefused(
            "expected lower-case letters, digits, - and _ (at most 64)", kind="name"
        )
    return text


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageOrigin:
    """What a message id is made of: nothing random, so a retry makes the same id (protocol §6)."""

    epoch: str  # of the sending node; changes after a restore
    instance: UUID
    sequence: int  # of the transition within the instance
    to: AgencyCode


def message_id(origin: MessageOrigin) -> MessageId:
    """Return the id of the message that this transition sends to this agency."""
    return parse_message_id(f"{origin.epoch}-{origin.instance.hex}-{origin.sequence}-{origin.to}")


def parse_message_id(text: str) -> MessageId:
    """Return a message id as `message_id` writes it."""
    if len(text) > 128 or not _MESSAGE.fullmatch(text):
        raise IdentifierRefused("expected epoch-instance-sequence-agency", kind="message")
    return MessageId(text)
