"""Where a received letter stands, in the codes of status files (interchange.md §3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.edxml.model import StatusCode
from dossier.model import Business
from storage import dossiers, inbox
from storage.edxml import EdxmlState, StoredFile

_OF_BUSINESS: Final[Mapping[Business, StatusCode]] = {
    Business.SUBMITTED: StatusCode.ARRIVED,
    Business.ACCEPTED: StatusCode.ACCEPTED,
    Business.REFUSED_AT_INTAKE: StatusCode.REFUSED,
    Business.IN_PROCESS: StatusCode.PROCESSING,
    Business.SUPPLEMENT_REQUESTED: StatusCode.PROCESSING,
    Business.FINANCIAL_OBLIGATION: StatusCode.PROCESSING,
    Business.WITHDRAWAL_REQUESTED: StatusCode.PROCESSING,
    Business.STOPPED: StatusCode.FINISHED,
    Business.PROCESSED: StatusCode.FINISHED,
    Business.DELIVERED: StatusCode.FINISHED,
}


def fate_of(stored: StoredFile) -> StatusCode:
    """Return the status of a letter that came: that of its dossier, arrived while it has none.

    A status that a person gave (`lienthong edxml status`) stands as it was given.
    """
    if stored.state is EdxmlState.REFUSED:
        return StatusCode.REFUSED
    if stored.status in (StatusCode.TAKE_BACK_AGREED.value, StatusCode.TAKE_BACK_REFUSED.value):
        return StatusCode(stored.status)
    message = inbox.get(stored.message) if stored.message else None
    if message is None or message.dossier is None:
        return StatusCode.ARRIVED
    held = dossiers.get(message.dossier)
    return StatusCode.FINISHED if not held.is_open else _OF_BUSINESS[held.business]
