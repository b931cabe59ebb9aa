"""Clients of the REST interface: issue, check and revoke their tokens.

A token is 256 random bits, so its plain SHA-256 is all that has to be kept; it is shown once.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from dossier.ids import AgencyCode, parse_agency_code
from exchange.errors import SealMissing
from exchange.node import Node
from exchange.service_errors import (
    OperationDenied,
    TokenPeriodRefused,
    TokenRefused,
    TokenUnknown,
)
from storage import tokens
from storage.tokens import RestToken
from storage.transactions import transaction

__all__ = ["Client", "RestToken", "authenticate", "demand", "issue", "listed", "revoke"]

LONGEST: Final = timedelta(days=730)
_PREFIX: Final = "lt_"
# jobs:<operation of lt:service>, dossiers:start:<procedure>, dossiers:read
_OPERATION: Final = re.compile(
    r"jobs:[A-Za-z0-9._-]{1,64}|dossiers:start:[a-z0-9._-]{1,64}|dossiers:read"
)
_NOTE_USE_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """Who calls, for which agency, and what it may do."""

    token: UUID
    name: str
    agency: AgencyCode
    operations: tuple[str, ...]

    def under(self, prefix: str) -> tuple[str, ...]:
        """Return what follows a prefix in the operations that the token covers."""
        return tuple(one.removeprefix(prefix) for one in self.operations if one.startswith(prefix))


def issue(
    node: Node,
    *,
    name: str,
    agency: str,
    operations: tuple[str, ...],
    lasting: timedelta,
    by: str,
) -> tuple[RestToken, str]:
    """Make a token and return it with its text, which nobody can read again.

    Raises `TokenPeriodRefused` for a period or operations that no token may have, `SealMissing`
    for an agency that this node does not answer for.
    """
    at, code = node.now(), parse_agency_code(agency)
    if node.hosted(code) is None:
        raise SealMissing("expected an agency of this node", agency=code)
    fits = all(_OPERATION.fullmatch(one) for one in operations)
    if not operations or not fits or not timedelta() < lasting <= LONGEST:
        raise TokenPeriodRefused("expected operations and a period", most=LONGEST.days)
    text = _PREFIX + secrets.token_urlsafe(32)
    made = RestToken(
        id=uuid.uuid4(),
        name=" ".join(name.split())[:100],
        agency=code,
        operations=tuple(sorted(set(operations))),
        token_sha256=_digest(text),
        issued=at,
        issued_by=by,
        expires=at + lasting,
    )
    with transaction():
        tokens.add(made)
    return made, text


def authenticate(node: Node, text: str) -> Client:
    """Return the client of a token; raise `TokenRefused` without saying what was wrong."""
    at = node.now()
    found = tokens.find(_digest(text)) if text.startswith(_PREFIX) else None
    if found is None or found.revoked is not None or found.expires <= at:
        raise TokenRefused("expected a token in force")
    with transaction():
        tokens.note_use(found.id, at=at, unless_since=at - _NOTE_USE_EVERY)
    return Client(token=found.id, name=found.name, agency=found.agency, operations=found.operations)


def demand(client: Client, operation: str) -> None:
    """Raise `OperationDenied` unless the token covers the operation."""
    if operation not in client.operations:
        raise OperationDenied("expected a token for the operation", operation=operation)


def listed() -> list[RestToken]:
    """Return all tokens, newest first."""
    return tokens.listed()


def revoke(token: UUID, *, by: str, at: datetime) -> None:
    """Let a token open nothing any more; raise `TokenUnknown`."""
    with transaction():
        if not tokens.revoke(token, by=by, at=at):
            raise TokenUnknown("expected a token in force")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
