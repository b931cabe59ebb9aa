"""What the engine promises, kept by the host: rows, waits and values in the database."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dossier.model import Actor, Role, RoleBinding
from dossier.repair import Repair, RepairKind
from exchange import advance, incidents, repair
from exchange.publish import publish
from exchange.queries.repair_page import repair_pages
from storage import cases, dossiers, facts, instances, sql
from storage import incidents as incident_rows
from storage.facts import FactKind, NewFact
from storage.instances import InstanceStatus
from tests.builders.chaos import ACTOR
from tests.builders.drawn import TOML, again, complete, later, open_at, opened
from tests.builders.exchange import BUDGET, OneNode
from tests.builders.workflows import draw_pools


def operator(role: Role) -> Actor:
    """Return a person with that role at the commune."""
    binding = RoleBinding(agency=ACTOR.bindings[0].agency, role=role)
    return Actor(
        user_id=99, username="operator", display_name="Operator", language="en", bindings=(binding,)
    )


BROKEN = """
start s
and f
user a lt:assign.role=specialist
user b lt:assign.role=specialist
user c lt:assign.role=specialist
end bad error=broken
end e
s > f
f > a > bad
f > b > c > e
"""


def test_a_halted_instance_keeps_what_people_do_until_it_is_repaired(one: OneNode) -> None:
    instance = opened(one, BROKEN)
    complete(one, instance, "a")
    assert instances.get(instance).status is InstanceStatus.INCIDENT
    complete(one, instance, "b")  # somebody worked on meanwhile
    assert open_at(instance) == []
    actor = operator(Role.BUSINESS_ADMIN)
    (page,) = repair_pages(one.node, actor, instances.get(instance).dossier)
    assert page.is_halted
    token = next(token for token in page.tokens if token.state == "incident")
    order = Repair(kind=RepairKind.BACK, token=token.id, to="a", reason="typing error")
    repair.carry_out(one.node, actor, instance, order)
    advance.drain_transitions(one.node, budget=BUDGET)
    assert open_at(instance) == ["a", "c"]


def test_a_signal_reaches_the_other_instances_of_the_node(one: OneNode) -> None:
    drawn = """
    start s
    xor x default=x-w
    user throws lt:assign.role=specialist
    throw t signal=go
    catch w signal=go
    user after lt:assign.role=specialist
    end e
    s > x
    x > throws if first
    x > w
    throws > t > e
    w > after > e
    """
    first = opened(one, "start s\nuser a lt:assign.role=specialist\nend e\ns > a > e")
    assert open_at(first) == ["a"]
    files = {
        "procedure.toml": TOML.format(count=1).replace('version = "1"', 'version = "2"').encode(),
        "process.bpmn": draw_pools({"commune": drawn.replace("if first", "if false")}, ""),
    }
    publish(files, at=later(one), proposed_by="a", confirmed_by="b")
    waiting = again(one)
    thrower = {
        **files,
        "procedure.toml": files["procedure.toml"].replace(b'version = "2"', b'version = "3"'),
        "process.bpmn": draw_pools({"commune": drawn.replace("if first", "if true")}, ""),
    }
    publish(thrower, at=later(one), proposed_by="a", confirmed_by="b")
    throwing = again(one)
    assert (open_at(waiting), open_at(throwing)) == ([], ["throws"])
    complete(one, throwing, "throws")
    advance.drain_transitions(one.node, budget=BUDGET)
    assert open_at(waiting) == ["after"]


MANY = """
start s
user vote lt:assign.role=specialist parallel=n:param.count;until:numberOfCompletedInstances>=2
user after lt:assign.role=specialist
end e
s > vote > after > e
"""


def test_a_completion_condition_withdraws_the_rows_that_are_left(one: OneNode) -> None:
    instance = opened(one, MANY, count=5)
    assert open_at(instance) == ["vote"] * 5
    complete(one, instance, "vote")
    complete(one, instance, "vote")
    assert open_at(instance) == ["after"]


def test_completing_one_of_a_thousand_costs_the_statements_of_one_of_ten(one: OneNode) -> None:
    counted = []
    for number, count in enumerate((10, 1000), start=1):
        text = MANY.replace(";until:numberOfCompletedInstances>=2", "")
        files = {
            "procedure.toml": TOML.format(count=count)
            .replace('version = "1"', f'version = "{number}"')
            .encode(),
            "process.bpmn": draw_pools({"commune": text}, ""),
        }
        publish(files, at=later(one), proposed_by="a", confirmed_by="b")
        instance = again(one)
        assert len(open_at(instance)) == count
        complete(one, instance, "vote")  # the instance is at hand from now on
        size = len(instances.get(instance).snapshot)
        with CaptureQueriesContext(connection) as captured:
            complete(one, instance, "vote")
        counted.append(len(captured))
        assert len(open_at(instance)) == count - 2
        assert size < 1000
    assert counted[0] == counted[1]


FAILING = """
start s
and f
user a lt:assign.role=specialist
xor x
user b lt:assign.role=specialist
end e
s > f
f > a > e
f > x
x > b if amount > limit
b > e
"""


def test_an_error_in_an_expression_stops_only_its_token_and_is_retried_in_batch(
    one: OneNode,
) -> None:
    instance = opened(one, FAILING)
    other = again(one)
    clerk = operator(Role.CLERK)
    rows = incidents.listed(one.node, clerk)
    assert {row.incident.element_id for row in rows} == {"x"}
    assert {row.names_read for row in rows} == {("amount", "limit")}
    assert open_at(instance) == open_at(other) == ["a"]
    for found in (instance, other):
        cases.write(instances.get(found).dossier, {"amount": 5, "limit": 1})
    tried, left = incidents.retry_all(one.node, clerk, procedure="drawn")
    assert (len(tried), left) == (2, [])
    advance.drain_transitions(one.node, budget=BUDGET)
    assert open_at(instance) == open_at(other) == ["a", "b"]
    assert incident_rows.open_incidents() == []


def test_data_objects_are_values_of_the_dossier(one: OneNode) -> None:
    drawn = """
    <dataObject id="d" name="fee"/>
    start s
    script x script="fee = 5 + 2"
    user a lt:assign.role=specialist
    end e
    s > x > a > e
    """
    instance = opened(one, drawn)
    assert cases.values(instances.get(instance).dossier)["fee"] == 7


def test_an_escalation_leaves_its_sub_process_running(one: OneNode) -> None:
    drawn = """
    start s
    sub p {
    start ps
    throw raised escalation=late
    user a lt:assign.role=specialist
    end pe
    ps > raised > a > pe
    }
    boundary b on=p interrupting=false escalation=late
    user told lt:assign.role=specialist
    end e
    end te
    s > p > e
    b > told > te
    """
    assert open_at(opened(one, drawn)) == ["a", "told"]


def test_a_message_that_comes_as_its_dossier_closes_is_kept(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = """
    start s
    user a lt:assign.role=specialist
    boundary b on=a interrupting=false message=news
    end e
    end be
    s > a > e
    b > be
    """
    instance = opened(one, drawn)
    kept: list[UUID] = []
    monkeypatch.setattr(
        "exchange.record.inbox.buffer", lambda message, *, dossier: kept.append(message)
    )
    (waiting,) = sql.the_row("SELECT ref FROM subscription WHERE instance = %s", (str(instance),))
    message = UUID(int=7)

    def arrive() -> None:
        facts.add(
            NewFact(
                instance=instance,
                kind=FactKind.MESSAGE,
                ref=waiting,
                payload={"message": str(message), "values": {}},
                actor="000.00.00.H28",
                on_behalf_of="",
                at=one.node.now(),
            )
        )

    complete(one, instance, "a", then=arrive)
    found = instances.get(instance)
    assert found.status is InstanceStatus.DONE
    assert not dossiers.get(found.dossier).is_open
    assert kept == [message]
