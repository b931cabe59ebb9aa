"""People's accounts: logging in under a throttle, and what an administrator does with accounts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from dossier.model import Actor, RoleBinding
from exchange.errors import AbsenceRefused, LoginRefused, LoginThrottled, PasswordTooWeak
from exchange.node import Node
from storage import people
from storage.people import Absence
from storage.transactions import transaction

WINDOW: Final = timedelta(minutes=15)
PER_ACCOUNT: Final = 5
PER_ADDRESS: Final = 20
_SHORTEST_PASSWORD: Final = 10


def log_in(node: Node, *, username: str, password: str, address: str) -> Actor:
    """Return the person if the password is theirs.

    Raises `LoginThrottled` after too many failures of the account or of the address within the
    window, before the password is even looked at, and `LoginRefused` without saying what was wrong.
    """
    now = node.now()
    name = username.strip().lower()[:150]
    keys = ((f"user:{name}", PER_ACCOUNT), (f"address:{address}", PER_ADDRESS))
    for key, limit in keys:
        if people.count_failures(key, since=now - WINDOW) >= limit:
            raise LoginThrottled(
                "expected fewer failed logins", minutes=int(WINDOW.total_seconds() // 60)
            )
    found = people.check_password(name, password[:1024])
    actor = people.actor_of(found.user_id, at=now) if found else None
    with transaction():
        if actor is None:
            for key, _limit in keys:
                people.add_failure(key, at=now)
        else:
            people.clear_failures(keys[0][0])
            people.note_login(actor.user_id, at=now)
    if actor is None:
        raise LoginRefused("expected a known name and its password")
    return actor


def actor_of(node: Node, user_id: int) -> Actor | None:
    """Return the person of a session, with the roles valid now; None once disabled."""
    return people.actor_of(user_id, at=node.now())


def change_language(actor: Actor, language: str) -> None:
    """Remember the language that the person reads."""
    with transaction():
        people.set_language(actor.user_id, language)


def add(username: str, *, display_name: str, password: str, language: str = "vi") -> None:
    """Open an account; raise `RowConflict` for a name that is taken."""
    _demand_strength(password)
    with transaction():
        people.add_user(
            people.NewUser(
                username=username.strip().lower(), display_name=display_name, language=language
            ),
            password=password,
        )


def set_password(username: str, password: str) -> None:
    """Replace a password."""
    _demand_strength(password)
    with transaction():
        people.set_password(username, password)


def disable(username: str) -> None:
    """Let nobody log in with the account any more."""
    with transaction():
        people.disable(username)


def grant(username: str, binding: RoleBinding) -> None:
    """Give a role."""
    with transaction():
        people.grant(username, binding)


def note_absence(absence: Absence) -> None:
    """Let a substitute act for an absent person; raise `AbsenceRefused` for a wrong period."""
    if absence.valid_until <= absence.valid_from or absence.user == absence.substitute:
        raise AbsenceRefused("expected another person and a period")
    with transaction():
        people.add_absence(absence)


def listed() -> list[people.UserRecord]:
    """Return all accounts by name."""
    return people.list_users()


def find(username: str, *, at: datetime) -> Actor | None:
    """Return the active person of that name."""
    return people.find_actor(username, at=at)


def _demand_strength(password: str) -> None:
    if len(password) < _SHORTEST_PASSWORD:
        raise PasswordTooWeak("expected a longer password", minimum=_SHORTEST_PASSWORD)
