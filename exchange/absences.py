"""Who is away and who stands in: people say it themselves, leaders for their agency.

Rows are ended, never removed: they say on whose behalf an act was done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dossier.ids import AgencyCode, same_agency
from dossier.model import Actor, Role
from exchange import access, accounts
from exchange.node import Node
from exchange.people_errors import AbsenceUnknown, ColleagueRefused
from storage import absences, people
from storage.absences import AbsenceLine
from storage.people import Absence
from storage.transactions import transaction

__all__ = ["Absence", "AbsenceLine", "AbsencesPage", "absences_page", "end", "note"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AbsencesPage:
    """What the page of absences shows."""

    lines: tuple[AbsenceLine, ...]
    colleagues: tuple[tuple[str, str], ...]  # username and name, of one's agencies
    agencies: tuple[AgencyCode, ...]
    is_leader: bool  # may say it for others


def absences_page(node: Node, actor: Actor) -> AbsencesPage:
    """Return the absences that touch the person, for a leader those of the agency."""
    at = node.now()
    led = _led(actor)
    found = {
        one.id: one
        for one in (
            *absences.of_people([actor.username], ending_after=at),
            *absences.of_agencies(led, ending_after=at),
        )
    }
    own = tuple(dict.fromkeys(one.agency for one in actor.bindings))
    return AbsencesPage(
        lines=tuple(sorted(found.values(), key=lambda one: (one.valid_from, one.id))),
        colleagues=_colleagues(own, at=at),
        agencies=own,
        is_leader=bool(led),
    )


def note(
    node: Node,
    actor: Actor,
    *,
    user: str,
    substitute: str,
    agency: str,
    start: datetime,
    end: datetime,
) -> None:
    """Let a colleague of the agency stand in; for somebody else only a leader may say so.

    Raises `NotAllowed`, `ColleagueRefused`, `AbsenceRefused`.
    """
    at = node.now()
    _demand(actor, user, agency)
    own = [one for one in actor.bindings if same_agency(one.agency, agency)]
    access.demand(allowed=bool(own), what="note an absence at this agency")
    for username in (user, substitute):
        person = people.find_actor(username, at=at)
        if person is None or not any(same_agency(b.agency, agency) for b in person.bindings):
            raise ColleagueRefused("expected a colleague of the agency", username=username)
    accounts.note_absence(
        Absence(
            user=user,
            substitute=substitute,
            agency=own[0].agency,
            valid_from=start,
            valid_until=end,
        )
    )


def end(node: Node, actor: Actor, absence: int) -> None:
    """End an absence now; raise `AbsenceUnknown` or `NotAllowed`."""
    found = absences.find(absence)
    if found is None:
        raise AbsenceUnknown("expected a known absence")
    _demand(actor, found.user, found.agency)
    with transaction():
        absences.end(absence, at=node.now())


def _demand(actor: Actor, user: str, agency: str) -> None:
    leads = any(same_agency(one, agency) for one in _led(actor))
    access.demand(allowed=user == actor.username or leads, what="note this absence")


def _led(actor: Actor) -> tuple[str, ...]:
    return tuple(one.agency for one in actor.bindings if one.role is Role.LEADER)


def _colleagues(agencies: tuple[AgencyCode, ...], *, at: datetime) -> tuple[tuple[str, str], ...]:
    found = {
        one.username: one.display_name
        for agency in agencies
        for role in Role
        for one in people.people_with(agency, role, at=at)
    }
    return tuple(sorted(found.items(), key=lambda pair: pair[1]))
