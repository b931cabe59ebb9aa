"""A dossier of ours as a national portal is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.national_portal import PortalDossier, ProgressStep
from dossier.canonical import Json
from dossier.model import Business, Delivery, Dossier, HistoryEntry, Money
from dossier.status import status_name
from dossier.texts import Language, render_stored
from exchange.national.configuration import Destination, PortalProcedure
from storage import cases, people

# What happens inside a dossier and is told as a step of it.
_TOLD = frozenset({"task_completed", "status_changed", "message_sent", "message_received"})


def portal_dossier(
    held: Dossier, destination: Destination, history: Sequence[HistoryEntry], *, unit: str
) -> PortalDossier:
    """Return what the portal is told; the four axes of our status become one national status."""
    procedure = destination.procedures[held.procedure]
    values = cases.values(held.id)
    field = _Fields(destination.values, values)
    return PortalDossier(
        code=held.code,
        procedure_code=procedure.code,
        procedure_name=procedure.name,
        field_code=procedure.field_code,
        field_name=procedure.field_name,
        service_code=procedure.service_code,
        owner_name=field.text("owner_name") or held.subject,
        owner_kind=field.text("owner_kind"),
        phone=field.text("phone"),
        email=field.text("email"),
        subject=held.subject,
        submitted=held.opened,
        received=_since(history, Business.ACCEPTED) or held.opened,
        due=held.due or held.opened,
        finished=_since(history, Business.PROCESSED),
        returned=_since(history, Business.DELIVERED),
        status=national_status(held.business, money=held.money, delivery=held.delivery),
        unit=unit,
        channel=field.text("channel"),
        return_form=field.text("return_form"),
    )


def national_status(business: Business, *, money: Money, delivery: Delivery) -> Business:
    """Return the one of the ten statuses that the portal is told.

    The business axis is that status but in two cases, of which no axis knows by itself. How far
    the fourth axis is, what this portal knows, is no part of it.
    """
    if delivery is Delivery.HANDED_OVER and business is Business.PROCESSED:
        return Business.DELIVERED
    if money is Money.DUE and business is Business.IN_PROCESS:
        return Business.FINANCIAL_OBLIGATION
    return business


def steps_after(
    held: Dossier,
    told: int,
    history: Sequence[HistoryEntry],
    elements: Mapping[str, str],
    *,
    unit: str,
    agencies: Mapping[str, str],
) -> list[ProgressStep]:
    """Return the steps that were taken after entry `told`.

    `elements` names them by element, `agencies` the agencies by code; what nobody did in person
    was done by the unit.
    """
    names = {**agencies, **people.display_names({entry.actor for entry in history})}
    status = Business.SUBMITTED
    steps = []
    for entry in history:
        if entry.kind == "status_changed":
            status = Business(int(str(entry.parameters.get("status", status.value))))
        if entry.kind not in _TOLD or entry.sequence <= told:
            continue
        said = elements.get(entry.element_id) or render_stored("event", entry.kind, Language.VI, {})
        if entry.kind == "status_changed":
            said = f"{said}: {status_name(status, lang=Language.VI)}"
        steps.append(
            ProgressStep(
                officer=names.get(entry.actor, unit),
                title="",
                unit=unit,
                at=entry.at,
                content=said,
                status=status,
                due=held.due,
            )
        )
    return steps


def told_of(procedures: Mapping[str, PortalProcedure]) -> list[str]:
    """Return the procedures whose dossiers are told, in a fixed order."""
    return sorted(procedures)


def _since(history: Sequence[HistoryEntry], status: Business) -> datetime | None:
    for entry in history:
        if entry.kind == "status_changed" and str(entry.parameters.get("status")) == str(
            status.value
        ):
            return entry.at
    return None


class _Fields:
    """Texts from case values, or constants of the configuration (`=text`)."""

    def __init__(self, names: Mapping[str, str], values: Mapping[str, Json]) -> None:
        self._names = names
        self._values = values

    def text(self, field: str) -> str:
        """Return the text of a field, empty for a value that the dossier has not."""
        name = self._names.get(field, "")
        if name.startswith("="):
            return name[1:]
        value = self._values.get(name)
        return "" if value is None else str(value)
