"""Silence in a play: the rules of a node, with a receipt for all that is not lost."""

from __future__ import annotations

import pytest

from dossier.calendar import load_calendar
from tests.builders.procedures import MORNING
from tests.builders.workflows import draw_pools
from workflows.bare import bare_procedure
from workflows.play import Play

WIRES = "ask > qs : question\nqe > wait : answer"
PARTNER = "start qs message=question\nend qe message=answer\nqs > qe"
RULE = '<lt:silence policy="{policy}" {more} citation="Luật A"/>'
ON_WAIT = (
    '<receiveTask id="wait"><extensionElements><lt:message type="answer"/>{rule}'
    "</extensionElements></receiveTask>"
)
LATE = (
    '<boundaryEvent id="late" attachedToRef="{host}"><extensionElements>{rule}'
    "</extensionElements><timerEventDefinition><timeDuration>{span}</timeDuration>"
    "</timerEventDefinition></boundaryEvent>"
)


def playing(body: str) -> Play:
    """Start the asking pool; the partner is a mock."""
    source = draw_pools({"asker": body, "partner": PARTNER}, WIRES)
    found = Play(
        bare_procedure(source, code="silence"),
        roles=["asker"],
        at=MORNING,
        calendar=load_calendar(),
    )
    return found


def on_the_wait(policy: str, more: str) -> str:
    """Draw a consultation whose rule stands on the wait."""
    wait = ON_WAIT.format(rule=RULE.format(policy=policy, more=more))
    return f"start s\nsend ask\n{wait}\nuser after\nend e\ns > ask > wait > after > e"


def beside(policy: str, *, span: str = "3wd") -> str:
    """Draw a consultation in a sub-process, its rule on the boundary."""
    rule = RULE.format(policy=policy, more='result="said"')
    return (
        "start s\nsub box {\nsend ask\n" + ON_WAIT.format(rule="") + "\nask > wait\n}\n"
        + LATE.format(host="box", rule=rule, span=span)
        + "\nuser after\nend e\ns > box > e\nlate > after > e"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "outcome"), [("consent", "deemed_consent"), ("refuse", "deemed_refusal")]
)
def test_silence_ends_the_wait_with_its_outcome(policy: str, outcome: str) -> None:
    found = playing(on_the_wait(policy, 'after="3wd" result="said"'))
    found.start("asker")
    found.forward("2wd")
    assert found.open_elements() == ()
    found.forward("1wd")
    assert found.open_elements() == ("after",)
    assert found.runs["asker"].values["said"] == outcome
    assert found.quiet.silent == ["wait"]


def test_escalation_leaves_the_wait_open_and_happens_once() -> None:
    found = playing(on_the_wait("escalate", 'after="PT1H"'))
    found.start("asker")
    found.forward("3wd")
    assert (found.open_elements(), found.quiet.silent) == ((), ["wait"])
    found.receive("answer")
    assert found.open_elements() == ("after",)


@pytest.mark.parametrize("span", ["3wd", "PT72H", "P3D"])
def test_a_boundary_speaks_for_those_awaited_inside(span: str) -> None:
    found = playing(beside("consent", span=span))
    found.start("asker")
    found.forward("3wd")
    assert found.open_elements() == ("after",)
    assert found.runs["asker"].values["said"] == "deemed_consent"
    assert found.quiet.silent == ["wait"]


def test_an_answer_in_time_leaves_no_trace_of_the_rule() -> None:
    found = playing(on_the_wait("consent", 'after="3wd" result="said"'))
    found.start("asker")
    found.receive("answer")
    found.forward("5wd")
    assert found.open_elements() == ("after",)
    assert found.quiet.silent == []
    assert "said" not in found.runs["asker"].values


@pytest.mark.parametrize(
    "body", [on_the_wait("consent", 'after="3wd" result="r"'), beside("refuse")]
)
def test_without_a_receipt_no_rule_falls(body: str) -> None:
    found = playing(body)
    found.lose("question")
    found.start("asker")
    found.forward("5wd")
    assert (found.open_elements(), found.quiet.silent) == ((), [])
    assert [one.code for one in found.runs["asker"].incidents.values()] == ["silence_unproven"]


def test_a_question_is_named_where_it_is_not_the_last_message() -> None:
    found = playing(on_the_wait("consent", 'after="3wd" result="r" question="other"'))
    found.start("asker")
    found.forward("5wd")
    assert [one.code for one in found.runs["asker"].incidents.values()] == ["silence_unproven"]


def test_a_late_opinion_is_kept_apart() -> None:
    found = playing(on_the_wait("consent", 'after="3wd" result="said"'))
    found.start("asker")
    found.forward("3wd")
    found.receive("answer", values={"said": "no"})
    assert [one.message_type for one in found.quiet.late] == ["answer"]
    assert found.undelivered == ()
    assert found.runs["asker"].values["said"] == "deemed_consent"


def test_an_event_gateway_takes_the_way_of_silence() -> None:
    rule = RULE.format(policy="refuse", more="")
    body = (
        "start s\nsend ask\nevent choose\n"
        '<intermediateCatchEvent id="wait"><extensionElements><lt:message type="answer"/>'
        '</extensionElements><messageEventDefinition messageRef="answer"/>'
        "</intermediateCatchEvent>\n"
        f'<intermediateCatchEvent id="late"><extensionElements>{rule}</extensionElements>'
        "<timerEventDefinition><timeDuration>3wd</timeDuration></timerEventDefinition>"
        "</intermediateCatchEvent>\n"
        "user answered\nuser silent\nend e\nend f\n"
        "s > ask > choose > wait > answered > e\nchoose > late > silent > f"
    )
    found = playing(body)
    found.start("asker")
    found.forward("3wd")
    assert (found.open_elements(), found.quiet.silent) == (("silent",), ["wait"])
