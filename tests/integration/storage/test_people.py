"""Accounts: passwords, roles in time, substitutes, throttling."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dossier.ids import AgencyCode
from dossier.model import Role, RoleBinding
from storage import people
from storage.errors import RowConflict, RowMissing
from tests.builders.storage import AT, SENDER

pytestmark = pytest.mark.usefixtures("database")


def _user(username: str = "an") -> int:
    return people.add_user(
        people.NewUser(username=username, display_name="Nguyễn Văn An"), password="m@t-kh4u-dài"
    )


def test_the_password_is_checked_and_never_stored_plainly() -> None:
    _user()
    found = people.check_password("an", "m@t-kh4u-dài")
    assert found is not None
    assert found.display_name == "Nguyễn Văn An"
    assert people.check_password("an", "other") is None
    assert people.check_password("nobody", "m@t-kh4u-dài") is None


def test_a_disabled_account_cannot_log_in_and_is_no_actor() -> None:
    _user()
    people.disable("an")
    assert people.check_password("an", "m@t-kh4u-dài") is None
    assert people.find_actor("an", at=AT) is None
    people.enable("an")
    assert people.find_actor("an", at=AT) is not None


def test_a_taken_name_is_refused() -> None:
    _user()
    with pytest.raises(RowConflict):
        _user()


def test_an_unknown_account_is_named() -> None:
    with pytest.raises(RowMissing, match="account"):
        people.set_password("nobody", "x")


def test_roles_hold_during_their_period_only() -> None:
    user = _user()
    people.grant(
        "an",
        RoleBinding(
            agency=SENDER, role=Role.LEADER, valid_from=AT, valid_until=AT + timedelta(days=1)
        ),
    )
    actor = people.actor_of(user, at=AT)
    assert actor is not None
    assert [one.role for one in actor.bindings] == [Role.LEADER]
    later = people.actor_of(user, at=AT + timedelta(days=1))
    assert later is not None
    assert later.bindings == ()


def test_the_same_role_again_changes_its_period_and_revoking_ends_it() -> None:
    user = _user()
    binding = RoleBinding(agency=SENDER, role=Role.CLERK)
    people.grant("an", binding)
    people.grant("an", binding)
    actor = people.actor_of(user, at=AT)
    assert actor is not None
    assert actor.bindings == (binding,)
    people.revoke("an", binding)
    assert people.people_with(SENDER, Role.CLERK, at=AT) == []


def test_people_are_found_by_role_unit_and_procedure() -> None:
    _user("an")
    _user("ba")
    people.grant("an", RoleBinding(agency=SENDER, role=Role.SPECIALIST, unit="it"))
    people.grant("ba", RoleBinding(agency=SENDER, role=Role.SPECIALIST))
    names = [one.username for one in people.people_with(SENDER, Role.SPECIALIST, at=AT, unit="it")]
    assert names == ["an", "ba"]
    assert [
        one.username for one in people.people_with(SENDER, Role.SPECIALIST, at=AT, unit="hr")
    ] == ["ba"]


def test_a_substitute_acts_during_the_absence() -> None:
    _user("an")
    _user("ba")
    people.add_absence(
        people.Absence(
            user="an",
            substitute="ba",
            agency=AgencyCode("H28"),
            valid_from=AT,
            valid_until=AT + timedelta(days=7),
        )
    )
    assert people.substitutes_for("ba", at=AT) == ["an"]
    assert people.substitutes_for("ba", at=AT + timedelta(days=7)) == []


def test_failures_count_from_an_instant_until_a_login_works() -> None:
    for minute in range(3):
        people.add_failure("user:an", at=AT + timedelta(minutes=minute))
    assert people.count_failures("user:an", since=AT + timedelta(minutes=1)) == 2
    assert people.count_failures("user:ba", since=AT) == 0
    people.clear_failures("user:an")
    assert people.count_failures("user:an", since=AT) == 0


def test_the_last_login_and_the_language_are_remembered() -> None:
    user = _user()
    people.note_login(user, at=AT)
    people.set_language(user, "en")
    found = people.find_user("an")
    assert found is not None
    assert found.language == "en"
