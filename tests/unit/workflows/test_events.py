"""Catching and throwing: boundaries, event gateways, event sub-processes, errors, escalations."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.builders.workflows import AT, Play, definition_of, draw, play
from workflows import facts
from workflows.commands import BroadcastSignal, CloseSubscription, Finish, Outcome
from workflows.errors import InstanceClosed, InstanceHalted, TokenClosed
from workflows.expressions import Value
from workflows.starts import message_starts, other_starts

BOX = """
start s
sub box {
start bs
user inside
end be
bs > inside > be
}
%s
user main
user caught
end e
end e2
s > box > main > e
b > caught > e2
"""


@pytest.mark.parametrize(
    ("event", "fire"),
    [
        ("message=m", lambda p: p.message("b")),
        ("signal=sig", lambda p: p.signal("sig")),
        ("duration=PT1H", lambda p: p.timer("b")),
        ("conditional=ready", lambda p: change(p, ready=True)),
    ],
)
@pytest.mark.parametrize("interrupting", [True, False])
def test_boundary_events(event: str, fire: Callable[[Play], object], interrupting: bool) -> None:
    mark = "" if interrupting else "interrupting=false"
    p = play(BOX % f"boundary b on=box {mark} {event}", ready=False)
    assert (p.open, p.waiting) == (["inside"], ["b"])
    fire(p)
    assert p.open == (["caught"] if interrupting else ["caught", "inside"])
    if not interrupting:
        p.done("inside").done("main")
        assert not p.finished
    assert p.done("caught").finished
    assert p.subscriptions == {}


def change(p: Play, **values: Value) -> None:
    p.values.update(values)
    p.take(facts.ValuesChanged())


def test_noninterrupting_message_boundary_fires_many_times_with_fresh_ids() -> None:
    p = play(BOX % "boundary b on=box interrupting=false message=m")
    ids = set()
    for _ in range(3):
        ids.add(next(iter(p.subscriptions)))
        p.message("b")
    assert len(ids) == 3
    assert p.open == ["caught", "caught", "caught", "inside"]


def test_condition_fires_on_the_change_to_true_only() -> None:
    p = play(BOX % "boundary b on=box interrupting=false conditional=ready", ready=False)
    change(p, ready=True)
    change(p, other=True)
    assert p.open == ["caught", "inside"]
    change(p, ready=False)
    change(p, ready=True)
    assert p.open == ["caught", "caught", "inside"]


def test_condition_sees_what_a_task_inside_its_subprocess_writes() -> None:
    p = play(
        """
    start s
    sub box {
    start bs
    user inside
    user inside2
    end be
    bs > inside > inside2 > be
    }
    boundary b on=box conditional=ready
    user caught
    end e
    s > box > e
    b > caught > e
    """,
        ready=False,
    )
    assert p.done("inside", ready=True).open == ["caught"]


HANDLED = """
start s
user main
end e
sub h triggered=true {
start hs interrupting=%s %s
user handling
end he
hs > handling > he
}
s > main > e
"""


@pytest.mark.parametrize(
    ("event", "fire"),
    [
        ("message=m", lambda p: p.message("hs")),
        ("signal=sig", lambda p: p.signal("sig")),
        ("duration=PT1H", lambda p: p.timer("hs")),
        ("conditional=ready", lambda p: change(p, ready=True)),
    ],
)
@pytest.mark.parametrize("interrupting", ["true", "false"])
def test_event_subprocess(event: str, fire: Callable[[Play], object], interrupting: str) -> None:
    p = play(HANDLED % (interrupting, event), ready=False)
    assert (p.open, p.waiting) == (["main"], ["hs"])
    fire(p)
    assert p.open == (["handling"] if interrupting == "true" else ["handling", "main"])
    if interrupting == "false":
        p.done("main")
        assert not p.finished
    p.done("handling")
    assert p.finished
    assert p.subscriptions == {}


def test_noninterrupting_event_subprocess_runs_many_times() -> None:
    p = play(HANDLED % ("false", "message=m"))
    p.message("hs").message("hs")
    assert p.open == ["handling", "handling", "main"]
    p.done("main").done("handling").done("handling")
    assert p.finished


@pytest.mark.parametrize("kind", ["error", "escalation"])
def test_event_subprocess_catches_what_its_scope_throws(kind: str) -> None:
    p = play(f"""
    start s
    user main
    end bad {kind}=oops
    sub h triggered=true {{
    start hs {kind}=oops
    user handling
    end he
    hs > handling > he
    }}
    s > main > bad
    """)
    assert p.open == ["main"]
    assert p.done("main").open == ["handling"]
    assert p.done("handling").finished


def test_noninterrupting_escalation_lets_the_thrower_go_on() -> None:
    p = play("""
    start s
    sub box {
    start bs
    throw shout escalation=late
    user inside
    end be
    bs > shout > inside > be
    }
    boundary b on=box interrupting=false escalation=late
    user caught
    end e
    end e2
    s > box > e
    b > caught > e2
    """)
    assert p.open == ["caught", "inside"]


def test_interrupt_is_immediate() -> None:
    p = play("""
    start s
    sub box {
    start bs
    throw shout escalation=late
    script silent script=x=1
    user inside
    end be
    bs > shout > silent > inside > be
    }
    boundary b on=box escalation=late
    user caught
    end e
    s > box > e
    b > caught > e
    """)
    assert p.open == ["caught"]
    assert "silent" not in p.entered


def test_error_code_is_matched_and_a_catch_all_comes_second() -> None:
    text = """
    start s
    sub box {
    start bs
    user inside
    end bad error=oops
    bs > inside > bad
    }
    boundary any on=box error=-
    boundary exact on=box error=%s
    user by_any
    user by_code
    end e
    s > box > e
    any > by_any > e
    exact > by_code > e
    """
    assert play(text % "oops").done("inside").open == ["by_code"]
    assert play(text % "other").done("inside").open == ["by_any"]


def test_uncaught_error_is_incident() -> None:
    p = play("""
    start s
    and f
    user beside
    sub box {
    start bs
    sub inner {
    start is
    user inside
    end bad error=oops
    is > inside > bad
    }
    end be
    bs > inner > be
    }
    boundary b on=box error=other
    user caught
    end e
    s > f > box > e
    f > beside > e
    b > caught > e
    """)
    p.done("inside")
    assert [(i.element_id, i.code) for i in p.incidents.values()] == [("bad", "uncaught_error")]
    assert p.halted
    assert p.open == ["beside"]
    assert p.sent(Finish) == []
    with pytest.raises(InstanceHalted):
        p.done("beside")


def test_service_error_is_caught_by_its_boundary_or_becomes_an_incident() -> None:
    text = """
    start s
    service call lt:service=ask
    boundary b on=call error=refused
    user caught
    end e
    s > call > e
    b > caught > e
    """
    assert play(text).break_call("call", "refused").open == ["caught"]
    p = play(text).break_call("call", "broken")
    assert [i.code for i in p.incidents.values()] == ["call_failed"]
    old = set(p.incidents)
    p.retry("call")
    assert len(p.calls) == 1
    assert not old & set(p.calls)
    assert p.answer("call").finished


def test_event_gateway_two_timers() -> None:
    for first, second in (("PT2H", "PT1H"), ("PT1H", "PT2H")):
        p = play(f"""
        start s
        event g
        catch one duration={first}
        catch two duration={second}
        user after_one
        user after_two
        end e
        s > g
        g > one > after_one > e
        g > two > after_two > e
        """)
        due = {item.element_id: item.due_at for item in p.subscriptions.values()}
        assert due["two"] == AT + timedelta(hours=int(second[2]))
        p.timer("two")
        assert (p.open, p.waiting) == (["after_two"], [])


def test_event_gateway_with_receive_task_and_signal() -> None:
    p = play("""
    start s
    event g
    receive r message=m
    catch c signal=go
    user a
    user b
    end e
    s > g
    g > r > a > e
    g > c > b > e
    """)
    assert p.waiting == ["c", "r"]
    assert p.signal("go").open == ["b"]
    assert "r" not in p.entered


def test_thrown_signal_reaches_every_waiter_inside_and_the_other_instances() -> None:
    p = play("""
    start s
    and f
    catch one signal=go
    catch two signal=go
    user first
    throw shout signal=go
    end e
    s > f
    f > one > e
    f > two > e
    f > first > shout > e
    """)
    p.done("first")
    assert p.finished
    assert [command.name for command in p.sent(BroadcastSignal)] == ["go"]


def test_one_message_one_catcher() -> None:
    p = play("""
    start s
    and f
    receive one message=m
    receive two message=m
    user a
    user b
    end e
    s > f
    f > one > a > e
    f > two > b > e
    """)
    p.message("two", n=1)
    assert (p.open, p.waiting) == (["b"], ["one"])


def test_a_used_subscription_is_closed() -> None:
    p = play("start s\nreceive r message=m\nuser a\nend e\ns > r > a > e")
    used = next(iter(p.subscriptions))
    p.message("r")
    assert [c.subscription_id for c in p.sent(CloseSubscription)] == [used]
    with pytest.raises(TokenClosed):
        p.take(facts.MessageArrived(subscription_id=used))


def test_closed_instance_stays_closed() -> None:
    p = play(HANDLED % ("false", "message=m"))
    waiting = next(iter(p.subscriptions))
    p.done("main")
    assert p.finished
    with pytest.raises(InstanceClosed):
        p.take(facts.MessageArrived(subscription_id=waiting))


def test_terminate_ends_its_scope_and_at_top_the_instance() -> None:
    p = play("""
    start s
    sub box {
    start bs
    and f
    user inside
    end te terminate=-
    end be
    bs > f
    f > inside > be
    f > te
    }
    and g
    user a
    user b
    end e
    end stop terminate=-
    s > box > g
    g > a > e
    g > b > stop
    """)
    assert p.open == ["a", "b"]
    p.done("b")
    assert p.finished
    assert p.tasks == {}
    assert [command.outcome for command in p.sent(Finish)] == [Outcome.TERMINATED]


def test_an_instance_may_begin_at_a_receive_task_or_after_an_event_gateway() -> None:
    by_task = definition_of(draw("receive r message=m instantiate=true\nuser a\nend e\nr > a > e"))
    assert [start.element_id for start in message_starts(by_task)] == ["r"]
    assert Play(by_task).start("r").open == ["a"]
    by_gateway = definition_of(
        draw("""
    event g instantiate=true
    catch one message=m
    catch two signal=go
    user a
    user b
    end e
    g > one > a > e
    g > two > b > e
    """)
    )
    assert [start.element_id for start in message_starts(by_gateway)] == ["one"]
    assert [start.element_id for start in other_starts(by_gateway)] == ["two"]
    assert Play(by_gateway).start("two").open == ["b"]


def test_links_are_flows() -> None:
    p = play("""
    start s
    user a
    throw away link=over
    catch here link=over
    user b
    end e
    s > a > away
    here > b > e
    """)
    assert p.done("a").open == ["b"]
    assert p.entered == ["s", "a", "away", "here", "b"]


def test_cycle_past_start_is_bounded() -> None:
    p = play(BOX % "boundary b on=box interrupting=false cycle=R/2020-01-01T00:00:00Z/PT10M")
    due = next(iter(p.subscriptions.values())).due_at
    assert due is not None
    assert AT < due <= AT + timedelta(minutes=10)
    p.timer("b", timedelta(days=300))
    assert p.open == ["caught", "inside"]
    again = next(iter(p.subscriptions.values())).due_at
    assert again is not None
    assert p.at < again <= p.at + timedelta(minutes=10)


def test_all_events_of_a_parallel_multiple_event_are_needed() -> None:
    source = draw("""
    start s
    catch c message=m signal=go parallelMultiple=true
    user a
    end e
    s > c > a > e
    """)
    p = Play(definition_of(source)).start()
    assert p.waiting == ["c", "c"]
    p.signal("go")
    assert p.open == []
    message = next(s for s, c in p.subscriptions.items() if c.message_type == "m")
    p.take(facts.MessageArrived(subscription_id=message))
    assert p.open == ["a"]
