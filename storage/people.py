"""Accounts, their roles, who stands in for whom, and how often a login failed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import check_password as matches
from django.contrib.auth.hashers import make_password

from dossier.ids import AgencyCode
from dossier.model import Actor, Role, RoleBinding
from storage import sql
from storage.errors import RowMissing

_ACCOUNT = "id username display_name language is_active must_change_password"
_BINDING = "agency role unit procedure valid_from valid_until"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewUser:
    """An account to be made; its password is given beside it and never kept."""

    username: str
    display_name: str
    language: str = "vi"
    must_change_password: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class UserRecord:
    """An account without anything secret."""

    user_id: int
    username: str
    display_name: str
    language: str
    is_active: bool
    must_change_password: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Absence:
    """A period in which `substitute` may act for `user` at one agency."""

    user: str
    substitute: str
    agency: AgencyCode
    valid_from: datetime
    valid_until: datetime


# --- Accounts ----------------------------------------------------------------------------------


def add_user(new: NewUser, *, password: str) -> int:
    """Make an active account and return its id; raise `RowConflict` for a name that is taken."""
    row = sql.the_row(
        sql.insert_into(
            "account",
            "username display_name language is_active must_change_password password",
            otherwise="RETURNING id",
        ),
        (
            new.username,
            new.display_name,
            new.language,
            True,
            new.must_change_password,
            make_password(password),
        ),
    )
    return int(row[0])


def set_password(username: str, password: str, *, must_change: bool = False) -> None:
    """Replace the password; raise `RowMissing` for an unknown account."""
    _touch(
        username,
        "UPDATE account SET password = %s, must_change_password = %s WHERE username = %s",
        (make_password(password), must_change, username),
    )


def disable(username: str) -> None:
    """Let nobody log in with the account any more; what it did stays on record."""
    _touch(username, "UPDATE account SET is_active = %s WHERE username = %s", (False, username))


def enable(username: str) -> None:
    """Open a disabled account again."""
    _touch(username, "UPDATE account SET is_active = %s WHERE username = %s", (True, username))


def set_language(user_id: int, language: str) -> None:
    """Remember the language that the person reads."""
    sql.execute("UPDATE account SET language = %s WHERE id = %s", (language, user_id))


def find_user(username: str) -> UserRecord | None:
    """Return the account of that name, active or not."""
    row = sql.one_row(_select_account("WHERE username = %s"), (username,))
    return _user(row) if row else None


def list_users() -> list[UserRecord]:
    """Return all accounts by name."""
    return [_user(row) for row in sql.all_rows(_select_account("ORDER BY username"))]


def display_names(usernames: Collection[str]) -> dict[str, str]:
    """Return the names of those people who have an account here, by username."""
    wanted = sorted({one for one in usernames if one})
    if not wanted:
        return {}
    marks = ", ".join(["%s"] * len(wanted))
    rows = sql.all_rows(
        f"SELECT username, display_name FROM account WHERE username IN ({marks})",  # noqa: S608 - marks
        wanted,
    )
    return {row[0]: row[1] for row in rows}


def check_password(username: str, password: str) -> UserRecord | None:
    """Return the active account if the password is its own.

    An unknown or disabled account takes as long to answer as a known one.
    """
    row = sql.one_row("SELECT password FROM account WHERE username = %s", (username,))
    if row is None:
        make_password(password)
        return None
    is_right = matches(password, row[0])
    user = find_user(username)
    return user if is_right and user and user.is_active else None


def _select_account(rest: str) -> str:
    return f"SELECT {sql.columns(_ACCOUNT)} FROM account {rest}"  # noqa: S608 - our constants


def _user(row: sql.Row) -> UserRecord:
    return UserRecord(
        user_id=int(row[0]),
        username=row[1],
        display_name=row[2],
        language=row[3],
        is_active=bool(row[4]),
        must_change_password=bool(row[5]),
    )


def _touch(username: str, statement: str, values: Sequence[object]) -> None:
    if not sql.execute(statement, values):
        raise RowMissing("expected a known account", kind="account", id=username)


# --- Roles -------------------------------------------------------------------------------------


def grant(username: str, binding: RoleBinding) -> None:
    """Give a role; the same role again changes its period."""
    sql.execute(
        sql.insert_into(
            "role_binding",
            f"account {_BINDING}",
            otherwise="ON CONFLICT (account, agency, role, unit, procedure) DO UPDATE SET"
            " valid_from = excluded.valid_from, valid_until = excluded.valid_until",
        ),
        (
            _account_id(username),
            binding.agency,
            binding.role.value,
            binding.unit,
            binding.procedure,
            sql.from_maybe(binding.valid_from),
            sql.from_maybe(binding.valid_until),
        ),
    )


def revoke(username: str, binding: RoleBinding) -> None:
    """Take a role away, whatever its period."""
    sql.execute(
        "DELETE FROM role_binding WHERE account = %s AND agency = %s AND role = %s"
        " AND unit = %s AND procedure = %s",
        (
            _account_id(username),
            binding.agency,
            binding.role.value,
            binding.unit,
            binding.procedure,
        ),
    )


def find_actor(username: str, *, at: datetime) -> Actor | None:
    """Return the active person of that name with the roles held at that instant."""
    user = find_user(username)
    return _actor(user, at) if user and user.is_active else None


def actor_of(user_id: int, *, at: datetime) -> Actor | None:
    """Return the active person of that account with the roles held at that instant."""
    row = sql.one_row(_select_account("WHERE id = %s"), (user_id,))
    user = _user(row) if row else None
    return _actor(user, at) if user and user.is_active else None


def people_with(
    agency: AgencyCode, role: Role, *, at: datetime, unit: str = "", procedure: str = ""
) -> list[UserRecord]:
    """Return the active people who hold the role there; empty unit or procedure fits any."""
    instant = sql.from_instant(at)
    rows = sql.all_rows(
        f"SELECT DISTINCT {sql.columns(_ACCOUNT, of='a')} FROM account a"  # noqa: S608 - constants
        " JOIN role_binding b ON b.account = a.id"
        " WHERE b.agency = %s AND b.role = %s AND (%s = '' OR b.unit IN ('', %s))"
        " AND b.procedure IN ('', %s) AND a.is_active = %s"
        " AND (b.valid_from IS NULL OR b.valid_from <= %s)"
        " AND (b.valid_until IS NULL OR b.valid_until > %s) ORDER BY a.username",
        (agency, role.value, unit, unit, procedure, True, instant, instant),
    )
    return [_user(row) for row in rows]


def _account_id(username: str) -> int:
    user = find_user(username)
    if user is None:
        raise RowMissing("expected a known account", kind="account", id=username)
    return user.user_id


def _actor(user: UserRecord, at: datetime) -> Actor:
    instant = sql.from_instant(at)
    rows = sql.all_rows(
        f"SELECT {sql.columns(_BINDING)} FROM role_binding WHERE account = %s"  # noqa: S608 - constants
        " AND (valid_from IS NULL OR valid_from <= %s)"
        " AND (valid_until IS NULL OR valid_until > %s) ORDER BY agency, role, unit, procedure",
        (user.user_id, instant, instant),
    )
    return Actor(
        user_id=user.user_id,
        username=user.username,
        display_name=user.display_name,
        language=user.language,
        bindings=tuple(
            RoleBinding(
                agency=AgencyCode(agency),
                role=Role(role),
                unit=unit,
                procedure=procedure,
                valid_from=sql.to_maybe(valid_from),
                valid_until=sql.to_maybe(valid_until),
            )
            for agency, role, unit, procedure, valid_from, valid_until in rows
        ),
    )


# --- Substitutes -------------------------------------------------------------------------------


def add_absence(absence: Absence) -> None:
    """Let the substitute act for the absent person."""
    sql.execute(
        sql.insert_into("absence", "account substitute agency valid_from valid_until"),
        (
            _account_id(absence.user),
            _account_id(absence.substitute),
            absence.agency,
            sql.from_instant(absence.valid_from),
            sql.from_instant(absence.valid_until),
        ),
    )


def substitutes_for(username: str, *, at: datetime) -> list[str]:
    """Return the absent people for whom this person may act at that instant."""
    instant = sql.from_instant(at)
    rows = sql.all_rows(
        "SELECT DISTINCT absent.username FROM absence"
        " JOIN account absent ON absent.id = absence.account"
        " JOIN account present ON present.id = absence.substitute"
        " WHERE present.username = %s AND absence.valid_from <= %s AND absence.valid_until > %s"
        " ORDER BY absent.username",
        (username, instant, instant),
    )
    return [row[0] for row in rows]


def absences_covered_by(username: str, *, at: datetime) -> list[Absence]:
    """Return the absences in which this person stands in at that instant."""
    instant = sql.from_instant(at)
    rows = sql.all_rows(
        "SELECT absent.username, present.username, absence.agency, absence.valid_from,"
        " absence.valid_until FROM absence"
        " JOIN account absent ON absent.id = absence.account"
        " JOIN account present ON present.id = absence.substitute"
        " WHERE present.username = %s AND absence.valid_from <= %s AND absence.valid_until > %s"
        " ORDER BY absent.username, absence.agency",
        (username, instant, instant),
    )
    return [
        Absence(
            user=row[0],
            substitute=row[1],
            agency=AgencyCode(row[2]),
            valid_from=sql.to_instant(row[3]),
            valid_until=sql.to_instant(row[4]),
        )
        for row in rows
    ]


# --- Failed logins -----------------------------------------------------------------------------


def count_failures(key: str, *, since: datetime) -> int:
    """Return how often logins failed for an account or an address since that instant."""
    row = sql.the_row(
        "SELECT COUNT(*) FROM login_failure WHERE throttle_key = %s AND at >= %s",
        (key, sql.from_instant(since)),
    )
    return int(row[0])


def add_failure(key: str, *, at: datetime) -> None:
    """Count one failed login."""
    sql.execute(sql.insert_into("login_failure", "throttle_key at"), (key, sql.from_instant(at)))


def clear_failures(key: str) -> None:
    """Forget the failures of an account or an address, after a login that worked."""
    sql.execute("DELETE FROM login_failure WHERE throttle_key = %s", (key,))


def note_login(user_id: int, *, at: datetime) -> None:
    """Remember when the person logged in last."""
    sql.execute("UPDATE account SET last_login = %s WHERE id = %s", (sql.from_django(at), user_id))


def forget_sessions(*, ended_before: datetime) -> int:
    """Delete the sessions that ended, and return how many it were."""
    return sql.execute(
        "DELETE FROM django_session WHERE expire_date < %s", (sql.from_django(ended_before),)
    )
