"""Gateways and flows: exact joins, inclusive joins, conditions, implicit splits and ends."""

import pytest

from tests.builders.workflows import Play, definition_of, draw, play
from workflows.commands import RaiseIncident


def test_a_join_keeps_excess_tokens_for_the_next_round() -> None:
    p = play("""
    start s
    xor m
    and f
    user a
    user b
    and j
    user after
    end e
    s > f
    f > a > m
    f > b > m
    f > j
    m > j
    j > after > e
    """)
    p.done("a")
    assert p.open == ["after", "b"]
    p.done("b")
    assert p.open == ["after"]  # the second token waits for a partner that never comes


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_join_keeps_single_writer(order: str) -> None:
    p = play(
        """
    start s
    and f
    user a
    user b
    and j
    user review
    end e
    s > f
    f > a > j
    f > b > j
    j > review > e
    """,
        status="draft",
    )
    for task in order:
        if task == "a":
            p.done("a", status="approved")
        else:
            p.done("b")
    assert p.values["status"] == "approved"


INCLUSIVE = """
start s
or f default=f-c
user a
user b
user c
or j
user after
end e
s > f
f > a if want_a
f > b if want_b
f > c
a > j
b > j
c > j
j > after > e
"""


@pytest.mark.parametrize(
    ("wants", "opened"),
    [((True, True), ["a", "b"]), ((True, False), ["a"]), ((False, False), ["c"])],
)
def test_inclusive_join_waits_for_what_its_split_sent(
    wants: tuple[bool, bool], opened: list[str]
) -> None:
    p = play(INCLUSIVE, want_a=wants[0], want_b=wants[1])
    assert p.open == opened
    for task in opened:
        assert p.open != ["after"]
        p.done(task)
    assert p.open == ["after"]
    assert p.done("after").finished


def test_inclusive_join_inside_a_loop_of_automatic_tasks() -> None:
    p = play(
        """
    start s
    xor m
    or f
    script a script=n=n+1
    script b script=k=k+1
    or j
    xor g default=g-after
    user after
    end e
    s > m > f
    f > a if true
    f > b if true
    a > j
    b > j
    j > g
    g > m if n<50
    g > after > e
    """,
        n=0,
        k=0,
    )
    assert (p.open, p.values["n"], p.values["k"]) == (["after"], 50, 50)


def test_gateway_without_a_true_condition_is_an_incident_that_can_be_retried() -> None:
    p = play(
        """
    start s
    xor g
    user a
    user b
    end e
    s > g
    g > a if n>5
    g > b if n<3
    a > e
    b > e
    """,
        n=4,
    )
    assert [(i.element_id, i.code) for i in p.incidents.values()] == [
        ("g", "no_condition_satisfied")
    ]
    p.values.update(play("start s\nend e\ns > e", n=9).values)
    assert p.retry("g").open == ["a"]


def test_condition_that_is_no_boolean_is_an_incident_never_a_silent_false() -> None:
    p = play(
        """
    start s
    xor g default=g-b
    user a
    user b
    end e
    s > g
    g > a if answer
    g > b
    a > e
    b > e
    """,
        answer="yes",
    )
    assert [i.code for i in p.sent(RaiseIncident)] == ["condition_not_boolean"]
    assert "yes" not in str(p.sent(RaiseIncident))


def test_conditional_flows_leaving_a_task() -> None:
    text = """
    start s
    user t
    user a
    user b
    user always
    end e
    s > t
    t > a if n>5
    t > b if n>7
    t > always
    a > e
    b > e
    always > e
    """
    assert play(text, n=6).done("t").open == ["a", "always"]
    assert play(text, n=1).done("t").open == ["always"]


def test_a_task_whose_only_condition_is_false_ends_its_token() -> None:
    p = play("start s\nuser t\nuser a\nend e\ns > t\nt > a if false\na > e")
    assert p.done("t").finished


def test_implicit_split_and_merge() -> None:
    p = play("""
    start s
    user a
    user b
    user c
    end e
    s > a
    s > b
    a > c
    b > c
    c > e
    """)
    assert p.open == ["a", "b"]
    assert p.done("a").done("b").open == ["c", "c"]
    assert p.done("c").done("c").finished


def test_process_without_start_and_end_events() -> None:
    p = play("user a\nuser b\na > b")
    assert p.done("a").done("b").finished


def test_ten_thousand_rounds_cost_nothing_more() -> None:
    p = play("""
    start s
    xor m
    user a
    xor g default=g-e
    end e
    s > m > a > g
    g > m if again
    g > e
    """)
    sizes = set()
    for turn in range(10_000):
        p.done("a", again=True)
        if turn > 9_000:
            sizes.add(len(p.snapshot))
    assert max(sizes) - min(sizes) <= 12
    assert p.done("a", again=False).finished


def test_automatic_loop_without_end_is_an_incident() -> None:
    p = play("start s\nxor m\nscript a script=n=1\ns > m > a > m")
    assert [i.code for i in p.incidents.values()] == ["step_limit"]
    assert not p.finished


def test_call_activity_runs_the_called_process_of_the_same_file() -> None:
    called = """<process id="q" isExecutable="true"><startEvent id="qs"/>
    <userTask id="qa"/><endEvent id="qe"/>
    <sequenceFlow id="q1" sourceRef="qs" targetRef="qa"/>
    <sequenceFlow id="q2" sourceRef="qa" targetRef="qe"/></process>"""
    from_text = """
    start s
    call c called=q lt:in.topic=subject lt:out.result=answer
    user after
    end e
    s > c > after > e
    """
    p = Play(definition_of(draw(from_text, top=called)), {"subject": "x"}).start()
    (task,) = p.tasks.values()
    assert (task.element_id, task.locals["topic"]) == ("qa", "x")
    assert "topic" not in p.values  # an input is a name of the call
    p.done("qa", answer="fine")
    assert (p.open, p.values["result"]) == (["after"], "fine")
