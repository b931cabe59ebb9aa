"""Loops: standard, sequential, parallel, over collections, with conditions, and large ones."""

from decimal import Decimal

import pytest

from tests.builders.workflows import Play, definition_of, draw, play
from workflows import facts
from workflows.commands import CloseReason, CloseTask, OpenTask, SendMessage
from workflows.errors import TokenClosed
from workflows.expressions import Value


def loop(mark: str, kind: str = "user", **values: "Value | int") -> Play:
    return play(
        f"""
        start s
        {kind} a {mark}
        user after
        end e
        s > a > after > e
        """,
        **values,
    )


def test_parallel_loop_opens_all_and_waits_for_all() -> None:
    p = loop("parallel=n:3")
    assert p.open == ["a", "a", "a"]
    p.done("a").done("a")
    assert p.open == ["a"]
    assert p.done("a").open == ["after"]


def test_sequential_loop_opens_one_after_the_other() -> None:
    p = loop("sequential=n:2")
    assert p.open == ["a"]
    assert p.done("a").open == ["a"]
    assert p.done("a").open == ["after"]


@pytest.mark.parametrize("kind", ["parallel", "sequential"])
def test_empty_collection_passes_at_once(kind: str) -> None:
    assert loop(f"{kind}=of:units;item:unit", units=[]).open == ["after"]


def test_instances_see_their_element_and_gather_results_in_its_place() -> None:
    p = loop("parallel=of:units;item:unit;into:opinions;result:opinion", units=["x", "y"])
    seen = {task.locals["unit"]: task for task in p.tasks.values()}
    for unit in ("y", "x"):
        fact = facts.TaskCompleted(task_id=seen[unit].task_id, values={"opinion": unit + "!"})
        p.take(fact)
    assert p.values["opinions"] == ["x!", "y!"]
    assert "opinion" not in p.values
    assert p.open == ["after"]


def test_completion_condition_withdraws_the_rest() -> None:
    p = loop("parallel=n:5;until:nrOfCompletedInstances>=2")
    p.done("a").done("a")
    assert p.open == ["after"]
    reasons = [close.reason for close in p.sent(CloseTask)]
    assert reasons.count(CloseReason.CANCELLED) == 3


def test_standard_loop_goes_on_while_its_condition_holds() -> None:
    p = loop("loop=while:again")
    p.done("a", again=True)
    assert p.open == ["a"]
    assert p.done("a", again=False).open == ["after"]


def test_standard_loop_stops_at_its_maximum() -> None:
    p = loop("loop=max:2;while:true")
    p.done("a").done("a")
    assert p.open == ["after"]


def test_standard_loop_that_tests_before_may_not_run_at_all() -> None:
    assert loop("loop=while:false;before:1").open == ["after"]


def test_loop_over_a_subprocess_runs_each_instance_in_its_own_scope() -> None:
    p = play("""
    start s
    sub box parallel=n:2 {
    start bs
    user b1
    user b2
    end be
    bs > b1 > b2 > be
    }
    end e
    s > box > e
    """)
    p.done("b1").done("b2")
    assert p.open == ["b1"]
    assert p.done("b1").done("b2").finished


def test_interrupting_boundary_withdraws_all_instances() -> None:
    p = play("""
    start s
    user a parallel=n:3
    boundary t on=a duration=PT1H
    user late
    end e
    s > a > e
    t > late > e
    """)
    p.done("a").timer("t")
    assert (p.open, p.waiting) == (["late"], [])


def test_service_loop_takes_answers_in_any_order() -> None:
    p = loop("parallel=n:2 lt:service=ask", kind="service")
    p.answer("a").answer("a")
    assert p.open == ["after"]


def test_an_instance_is_completed_once() -> None:
    p = loop("parallel=n:2")
    task = next(iter(p.tasks))
    p.take(facts.TaskCompleted(task_id=task))
    with pytest.raises(TokenClosed):
        p.take(facts.TaskCompleted(task_id=task))


def test_unusable_count_is_an_incident_that_can_be_retried() -> None:
    p = loop("parallel=n:many", many="x")
    assert [i.code for i in p.incidents.values()] == ["loop_unusable"]
    p.values["many"] = Decimal(1)
    assert p.retry("a").open == ["a"]
    assert p.incidents == {}


def test_a_thousand_instances_cost_a_flat_snapshot() -> None:
    small = loop("parallel=n:10")
    large = loop("parallel=n:1000")
    assert len(large.sent(OpenTask)) == 1000
    assert len(large.snapshot) < 2 * len(small.snapshot) + 200
    large.done("a")
    assert len(large.tasks) == 999


def test_failing_completion_condition_stops_only_the_loop() -> None:
    p = loop("parallel=n:2;until:enough", enough="perhaps")
    p.done("a")
    assert [i.code for i in p.incidents.values()] == ["condition_not_boolean"]
    assert p.open == ["a"]
    p.values["enough"] = True
    assert p.retry("a").open == ["after"]


def test_definition_is_the_same_before_and_after() -> None:
    definition = definition_of(draw("start s\nuser a parallel=n:2\nend e\ns > a > e"))
    first = Play(definition).start()
    second = Play(definition).start()
    first.done("a").done("a")
    assert second.open == ["a", "a"]


def test_many_instances_may_run_many_steps_and_none_is_left_hanging() -> None:
    tasks = [f"t{number}" for number in range(9)]
    p = play(
        f"""
    sub box parallel=n:%d {{
    {chr(10).join(f"script {name} script=x=1" for name in tasks)}
    {" > ".join(tasks)}
    }}
    user after
    box > after
    """
        % 1200
    )
    assert p.open == ["after"]
    assert not p.incidents


def test_a_loop_sends_a_message_as_each_instance_finishes() -> None:
    source = draw("""
    <messageEventDefinition id="each" messageRef="letter"/>
    start s
    user a parallel=n:2;behavior:None
    end e
    s > a > e
    """).replace(b'behavior="None"', b'behavior="None" noneBehaviorEventRef="each"')
    definition = b'<messageEventDefinition id="each" messageRef="letter"/>'
    source = source.replace(definition, b"").replace(b"<process ", definition + b"<process ")
    p = Play(definition_of(source)).start().done("a").done("a")
    sent = p.sent(SendMessage)
    assert [one.message_type for one in sent] == ["letter", "letter"]
    assert len({one.send_id for one in sent}) == 2
    assert p.finished
