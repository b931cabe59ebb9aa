"""Timer and signal start events on a node: each occurrence opens one dossier an agency, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from dossier.calendar import local_day
from exchange import advance, starts
from exchange.errors import PartnerUnknown
from exchange.publish import publish
from storage import dossiers, history, incidents, instances, sql, start_events
from tests.builders.chaos import COMMUNE
from tests.builders.drawn import TOML, complete, later, open_at, opened
from tests.builders.exchange import BUDGET, OneNode
from tests.builders.workflows import draw_pools
from worker import children, jobs

ROLE = "lt:assign.role=specialist"
DAY = timedelta(days=1)


def in_force(one: OneNode, start: str, *, version: str = "1", code: str = "drawn") -> None:
    """Publish a drawn procedure whose start event is given."""
    drawn = (
        f"start s {start}\nuser a {ROLE}\nend e\ns > a > e"
        if start
        else f"start s\nuser a {ROLE}\nend e\ns > a > e"
    )
    toml = TOML.format(count=1).replace('version = "1"', f'version = "{version}"')
    files = {
        "procedure.toml": toml.replace('code = "drawn"', f'code = "{code}"').encode(),
        "process.bpmn": draw_pools({"commune": drawn}, ""),
    }
    publish(files, at=later(one), proposed_by="a", confirmed_by="b")
    work(one)


def work(one: OneNode) -> None:
    while starts.open_due(one.node).done + advance.drain_transitions(one.node, budget=BUDGET).done:
        pass


def pass_time(one: OneNode, step: timedelta) -> None:
    one.clock.forward(step)
    work(one)


def all_opened(agency: str = COMMUNE) -> list[UUID]:
    rows = sql.all_rows("SELECT id FROM dossier WHERE agency = %s ORDER BY code", (agency,))
    return [UUID(row[0]) for row in rows]


def test_a_cycle_opens_a_dossier_each_time(one: OneNode) -> None:
    in_force(one, "cycle=R3/PT24H")
    assert all_opened() == []
    pass_time(one, DAY)
    (first,) = all_opened()
    held = dossiers.get(first)
    day = local_day(one.node.now())
    assert held.subject == f"Vẽ {day:%d/%m/%Y}"
    opening = history.of_dossier(first)[0]
    assert (opening.kind, opening.actor) == ("dossier_opened", "system")
    (instance,) = instances.of_dossier(first)
    assert open_at(instance.id) == ["a"]
    work(one)
    assert len(all_opened()) == 1
    for count in (2, 3, 3, 3):
        pass_time(one, DAY)
        assert len(all_opened()) == count


def test_what_was_missed_while_the_node_was_down_is_opened_once(one: OneNode) -> None:
    in_force(one, "cycle=R/PT24H")
    pass_time(one, 10 * DAY + timedelta(hours=1))
    assert len(all_opened()) == 1
    pass_time(one, timedelta(hours=22))
    assert len(all_opened()) == 1
    pass_time(one, timedelta(hours=1))
    assert len(all_opened()) == 2


def test_a_date_opens_one_dossier_and_a_past_one_none(one: OneNode) -> None:
    soon = (one.node.now() + timedelta(hours=2)).isoformat(timespec="seconds")
    in_force(one, f"date={soon}")
    in_force(one, "date=2021-01-01T00:00:00Z", code="past")
    pass_time(one, 2 * DAY)
    pass_time(one, 2 * DAY)
    assert [dossiers.get(each).procedure for each in all_opened()] == ["drawn"]


def test_every_competent_agency_of_the_node_opens_its_own(one: OneNode) -> None:
    in_force(one, "duration=PT1H")
    competent = {
        str(agency.code)
        for agency in one.node.directory().agencies
        if "commune" in agency.competences and one.node.hosted(agency.code) is not None
    }
    pass_time(one, timedelta(hours=1))
    rows = sql.all_rows("SELECT agency FROM dossier")
    assert sorted(row[0] for row in rows) == sorted(competent)


def test_the_version_in_force_takes_over(one: OneNode) -> None:
    in_force(one, "cycle=R/PT24H")
    in_force(one, "cycle=R/PT48H", version="2")
    pass_time(one, DAY)
    assert all_opened() == []
    pass_time(one, DAY)
    assert [dossiers.get(each).procedure_version for each in all_opened()] == ["2"]
    in_force(one, "", version="3")  # starts by hand only
    pass_time(one, 5 * DAY)
    assert len(all_opened()) == 1


def test_what_is_owed_when_a_version_takes_over_is_opened_under_it(one: OneNode) -> None:
    in_force(one, "cycle=R/PT24H")
    one.clock.forward(DAY)
    in_force(one, "cycle=R/PT48H", version="2")
    assert [dossiers.get(each).procedure_version for each in all_opened()] == ["2"]


def test_workers_at_once_open_an_occurrence_once(
    one: OneNode, in_threads: Callable[..., list[object]]
) -> None:
    in_force(one, "cycle=R/PT24H")
    one.clock.forward(DAY)
    in_threads(*[lambda: starts.open_due(one.node)] * 4)
    assert len(all_opened()) == 1


def test_a_worker_that_dies_before_its_commit_leaves_the_occurrence_due(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_force(one, "cycle=R/PT24H")
    one.clock.forward(DAY)

    def die(_start: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("exchange.starts.start_events.move_on", die)
        with pytest.raises(KeyboardInterrupt):
            starts.open_due(one.node)
    assert all_opened() == []
    work(one)
    assert len(all_opened()) == 1


def test_what_cannot_be_opened_is_an_incident_until_it_can(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_given: object, **_named: object) -> dict[str, str]:
        raise PartnerUnknown("expected an agency competent in this territory", agency="tax")

    in_force(one, "cycle=R/PT24H")
    with monkeypatch.context() as alone:
        alone.setattr(starts, "bind_roles", nobody)
        pass_time(one, DAY)
        pass_time(one, DAY)
    assert all_opened() == []
    (found,) = incidents.open_incidents()
    assert (found.code, found.element_id) == ("partner_unknown", "s")
    assert found.parameters["procedure"] == "drawn"
    pass_time(one, DAY)
    assert len(all_opened()) == 1
    assert incidents.open_incidents() == []


def test_a_thrown_signal_opens_a_dossier_where_a_start_waits_for_it(one: OneNode) -> None:
    in_force(one, "signal=go", code="called")
    in_force(one, "signal=other", code="silent")
    throwing = opened(one, f"start s\nuser a {ROLE}\nthrow t signal=go\nend e\ns > a > t > e")
    before = set(all_opened())
    complete(one, throwing, "a")
    (new,) = set(all_opened()) - before
    assert dossiers.get(new).procedure == "called"
    (instance,) = instances.of_dossier(new)
    assert open_at(instance.id) == ["a"]


def test_a_start_with_several_signals_hears_each(one: OneNode) -> None:
    in_force(one, "signal=first signal=second", code="called")
    throwing = opened(
        one,
        f"start s\nuser a {ROLE}\nthrow t signal=second\nthrow u signal=first\nend e\n"
        "s > a > t > u > e",
    )
    before = set(all_opened())
    complete(one, throwing, "a")
    assert len(set(all_opened()) - before) == 2


def test_a_procedure_that_throws_its_own_start_signal_ends_in_an_incident(one: OneNode) -> None:
    files = {
        "procedure.toml": TOML.format(count=1).replace('code = "drawn"', 'code = "loop"').encode(),
        "process.bpmn": draw_pools(
            {"commune": "start s signal=go\nthrow t signal=go\nend e\ns > t > e"}, ""
        ),
    }
    publish(files, at=later(one), proposed_by="a", confirmed_by="b")
    work(one)
    throwing = opened(one, f"start s\nuser a {ROLE}\nthrow t signal=go\nend e\ns > a > t > e")
    before = set(all_opened())
    complete(one, throwing, "a")
    work(one)
    assert len(set(all_opened()) - before) == 20
    assert "signal_chain" in [one.code for one in incidents.open_incidents()]


def test_the_ticker_opens_what_is_due(here: OneNode) -> None:
    in_force(here, "duration=PT1H")
    assert jobs.starts in children._TICKS
    assert jobs.starts().done == 0
    sql.execute("UPDATE start_event SET due = 0 WHERE due IS NOT NULL")
    assert jobs.starts().done == 1
    assert jobs.starts().done == 0
    assert len(all_opened()) == 1


def test_a_late_worker_changes_nothing_of_the_version_that_took_over(one: OneNode) -> None:
    in_force(one, "cycle=R/PT24H")
    (old,) = start_events.lock("")
    in_force(one, "cycle=R/PT48H", version="2")
    (before,) = start_events.lock("")
    start_events.move_on(old, due=None)
    assert start_events.lock("") == [before]
