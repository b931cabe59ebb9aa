"""Publishing: ready or refused, by two people, stored and logged once, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from dossier.ids import parse_agency_code
from dossier.model import Actor, Role, RoleBinding
from exchange import accounts, proposals
from exchange.errors import (
    AlreadyPublished,
    NotAllowed,
    ProposalClosed,
    ReasonMissing,
    SamePerson,
)
from exchange.procedures.errors import ProcedureNotReady
from exchange.procedures.scaffold import scaffold_files
from exchange.proposals import ProposalState
from exchange.publish import demand_ready, publish
from storage import definitions, sql
from storage.errors import RowConflict
from tests.builders.procedures import folder, names

pytestmark = pytest.mark.usefixtures("database")

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def files(**changed: tuple[str, str]) -> dict[str, bytes]:
    """Return a new procedure; `model=(before, after)` and the like replace texts in it."""
    paths = {
        "model": "process.bpmn",
        "declaration": "procedure.toml",
        "scenario": "scenarios/answered.yaml",
    }
    found = dict(scaffold_files("visa-letter", effective=date(2026, 3, 1)))
    for name, (before, after) in changed.items():
        content = found[paths[name]].decode()
        assert before in content
        found[paths[name]] = content.replace(before, after).encode()
    return found


def second() -> dict[str, bytes]:
    """Return the next version, which has the same contract and another deadline."""
    found = files(declaration=('total = "5wd"', 'total = "6wd"'))
    declaration = found["procedure.toml"].replace(b'version = "1"', b'version = "2"', 1)
    return found | {"procedure.toml": declaration}


def leaves() -> int:
    """Return how many leaves wait for the log."""
    return int(sql.the_row("SELECT count(*) FROM log_pending")[0])


@pytest.fixture
def admins() -> tuple[Actor, Actor]:
    """Return two people who may publish."""
    return person("le.ba", Role.BUSINESS_ADMIN), person("tran.tam", Role.BUSINESS_ADMIN)


def person(username: str, role: Role, *, procedure: str = "") -> Actor:
    """Open an account with one role and return its owner."""
    accounts.add(username, display_name=username, password="a long password")
    agency = parse_agency_code("000.00.00.H08")
    accounts.grant(username, RoleBinding(agency=agency, role=role, procedure=procedure))
    found = accounts.find(username, at=AT)
    assert found is not None
    return found


def test_what_one_proposes_another_confirms(admins: tuple[Actor, Actor]) -> None:
    before = leaves()
    proposal = proposals.propose(admins[0], files(), at=AT)
    assert definitions.find_version("visa-letter", "1") is None
    assert leaves() == before + 1
    assert proposals.confirm(admins[1], proposal.id, at=AT).state is ProposalState.CONFIRMED
    stored = definitions.find_version("visa-letter", "1")
    assert stored is not None
    assert (stored.published_by, stored.confirmed_by) == ("le.ba", "tran.tam")
    assert leaves() == before + 2


def test_nobody_confirms_their_own_proposal(admins: tuple[Actor, Actor]) -> None:
    proposal = proposals.propose(admins[0], files(), at=AT)
    with pytest.raises(SamePerson):
        proposals.confirm(admins[0], proposal.id, at=AT)
    with pytest.raises(SamePerson):
        publish(files(), at=AT, proposed_by="le.ba", confirmed_by="le.ba")
    assert definitions.find_version("visa-letter", "1") is None


def test_only_business_administrators_propose_and_confirm(admins: tuple[Actor, Actor]) -> None:
    leader = person("a.leader", Role.LEADER)
    elsewhere = person("an.admin", Role.BUSINESS_ADMIN, procedure="official-letter")
    proposal = proposals.propose(admins[0], files(), at=AT)
    for other in (leader, elsewhere):
        with pytest.raises(NotAllowed):
            proposals.propose(other, files(), at=AT)
        with pytest.raises(NotAllowed):
            proposals.confirm(other, proposal.id, at=AT)


def test_a_refusal_needs_a_reason_and_ends_the_proposal(admins: tuple[Actor, Actor]) -> None:
    proposal = proposals.propose(admins[0], files(), at=AT)
    with pytest.raises(ReasonMissing):
        proposals.refuse(admins[1], proposal.id, reason="  ", at=AT)
    refused = proposals.refuse(admins[1], proposal.id, reason="wrong citation", at=AT)
    assert (refused.state, refused.reason) == (ProposalState.REFUSED, "wrong citation")
    with pytest.raises(ProposalClosed):
        proposals.confirm(admins[1], proposal.id, at=AT)
    again = proposals.propose(admins[1], files(), at=AT)
    assert [one.id for one in proposals.listed()] == [again.id, proposal.id]


def test_one_version_has_one_open_proposal(admins: tuple[Actor, Actor]) -> None:
    proposals.propose(admins[0], files(), at=AT)
    with pytest.raises(RowConflict):
        proposals.propose(admins[1], files(), at=AT)


def test_a_published_version_never_changes(admins: tuple[Actor, Actor]) -> None:
    publish(files(), at=AT, proposed_by="an", confirmed_by="binh")
    before = leaves()
    publish(files(), at=AT, proposed_by="an", confirmed_by="binh")
    assert leaves() == before
    changed = files(declaration=('total = "5wd"', 'total = "6wd"'))
    with pytest.raises(RowConflict):
        publish(changed, at=AT, proposed_by="an", confirmed_by="binh")
    with pytest.raises(AlreadyPublished):
        proposals.propose(admins[0], changed, at=AT)


def test_a_second_version_may_have_the_same_contract() -> None:
    first = publish(files(), at=AT, proposed_by="an", confirmed_by="binh")
    after = publish(second(), at=AT + timedelta(hours=1), proposed_by="an", confirmed_by="binh")
    assert first.digest == after.digest
    effective = definitions.effective("visa-letter", date(2026, 3, 2))
    assert effective is not None
    assert effective.version == "2"


def test_a_version_that_would_never_take_effect_is_refused() -> None:
    publish(files(), at=AT, proposed_by="an", confirmed_by="binh")
    late = dict(second())
    late["procedure.toml"] = late["procedure.toml"].replace(
        b"effective = 2026-03-01", b"effective = 2026-02-01"
    )
    with pytest.raises(ProcedureNotReady):
        demand_ready(late)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"declaration": ('total = "5wd"', 'total = "0wd"')}, "it has errors"),
        ({"model": ('targetRef="decide_request"', 'targetRef="x"')}, "it has errors"),
        ({"scenario": ("open: [decide_request]", "open: []")}, "a scenario fails"),
    ],
)
def test_what_is_not_ready_is_refused(changed: Mapping[str, tuple[str, str]], reason: str) -> None:
    with pytest.raises(ProcedureNotReady) as refused:
        demand_ready(files(**changed))
    assert refused.value.parameters["reason"] == reason


@pytest.mark.parametrize(
    ("left_out", "reason"),
    [
        (("scenarios/overdue.yaml",), "no scenario enters"),
        (("scenarios/overdue.yaml", "scenarios/answered.yaml"), "it has no scenario"),
    ],
)
def test_a_procedure_that_is_not_rehearsed_is_refused(
    left_out: tuple[str, ...], reason: str
) -> None:
    found = {path: content for path, content in files().items() if path not in left_out}
    with pytest.raises(ProcedureNotReady) as refused:
        demand_ready(found)
    assert str(refused.value.parameters["reason"]).startswith(reason)


@pytest.mark.parametrize("name", names())
def test_every_procedure_that_ships_is_ready(name: str) -> None:
    assert demand_ready(folder(name)).code
