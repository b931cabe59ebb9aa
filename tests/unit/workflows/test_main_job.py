"""The two procedures of the main job, pool by pool, with a restored snapshot at every step."""

from datetime import timedelta

from tests.builders.workflows import AT, Play, draw_pools
from workflows.commands import SendMessage
from workflows.definition import Deployment, deploy
from workflows.starts import message_starts

LETTER = draw_pools(
    {
        "sender": """
        start s
        user draft lt:form=letter
        user approve lt:sign=approved lt:assign.role=leader
        user number lt:register=outgoing
        send out
        receive answer
        boundary remind on=answer interrupting=false cycle=R2/PT10M
        user nudge
        end reminded
        end e
        s > draft > approve > number > out > answer > e
        remind > nudge > reminded
        """,
        "receiver": """
        start in message=letter-message
        user register lt:register=incoming
        user assign
        and f
        user one lt:assign.unit=service-centre
        user two lt:assign.unit=smart-city
        user three lt:assign.unit=home-affairs
        boundary late on=two interrupting=false duration=3wd
        manual call
        end called
        and j
        user reply lt:sign=approved
        send back
        end replied
        in > register > assign > f
        f > one > j
        f > two > j
        f > three > j
        late > call > called
        j > reply > back > replied
        """,
    },
    """
    out > in : official-letter
    back > answer : official-reply
    """,
)

REGISTRATION = draw_pools(
    {
        "commune": """
        start s
        user check
        send ask
        event wait
        catch coded message=code-message
        catch silent duration=param.tax_answer_timeout
        manual by_hand
        xor m
        xor g default=g-refuse
        user issue
        user refuse
        end e
        s > check > ask > wait
        wait > coded > m
        wait > silent > by_hand > m
        m > g
        g > issue if tax_code != null
        g > refuse
        issue > e
        refuse > e
        """,
        "tax": """
        start in message=ask-message
        user assess
        send reply
        end answered
        in > assess > reply > answered
        """,
    },
    """
    ask > in : tax-registration
    reply > coded : tax-code
    """,
)


def deployed(source: bytes) -> Deployment:
    deployment = deploy(source)
    assert deployment.is_runnable, deployment.findings
    return deployment


def test_sender_drafts_signs_numbers_sends_and_closes_on_the_reply() -> None:
    p = Play(deployed(LETTER).definition("sender")).start()
    p.done("draft", subject="Học tập kinh nghiệm")
    assert [(t.sign, t.assign.role) for t in p.tasks.values()] == [("approved", "leader")]
    p.done("approve")
    assert [t.register for t in p.tasks.values()] == ["outgoing"]
    p.done("number", outgoing_number=17)
    sent = p.sent(SendMessage)
    assert [(m.message_type, m.to_role, m.flow_id) for m in sent] == [
        ("official-letter", "receiver", "wire0")
    ]
    assert p.waiting == ["answer", "remind"]
    waiting = {s.element_id: s for s in p.subscriptions.values()}
    assert waiting["answer"].from_role == "receiver"
    assert waiting["answer"].message_type == "official-reply"
    assert waiting["remind"].due_at == AT + timedelta(minutes=10)
    p.timer("remind", timedelta(minutes=10))
    assert (p.open, p.waiting) == (["nudge"], ["answer", "remind"])
    p.timer("remind", timedelta(minutes=10))
    assert (p.open, p.waiting) == (["nudge", "nudge"], ["answer"])
    p.message("answer", reply_number="99/UBND")
    p.done("nudge").done("nudge")
    assert p.finished
    assert p.values["reply_number"] == "99/UBND"


def test_receiver_asks_three_units_in_parallel_and_replies() -> None:
    definition = deployed(LETTER).definition("receiver")
    (starting,) = message_starts(definition)
    assert (starting.message_type, starting.from_role) == ("official-letter", "sender")
    p = Play(definition).start(starting.element_id, subject="Thăm và làm việc")
    p.done("register", incoming_number=5).done("assign")
    assert p.open == ["one", "three", "two"]
    late = next(iter(p.subscriptions.values()))
    assert (late.due_at, late.due_text) == (None, "3wd")
    p.timer("late").done("three", c="x").done("one", a="y")
    assert p.open == ["call", "two"]
    p.done("two").done("call").done("reply")
    assert [m.message_type for m in p.sent(SendMessage)] == ["official-reply"]
    assert p.finished


def test_tax_answers_in_time() -> None:
    p = Play(
        deployed(REGISTRATION).definition("commune"), {"param": {"tax_answer_timeout": "PT20S"}}
    )
    p.start().done("check")
    due = {s.element_id: s.due_at for s in p.subscriptions.values()}
    assert due == {"coded": None, "silent": AT + timedelta(seconds=20)}
    p.message("coded", tax_code="8000000001")
    assert (p.open, p.waiting) == (["issue"], [])
    assert p.done("issue").finished


def test_tax_stays_silent() -> None:
    p = Play(
        deployed(REGISTRATION).definition("commune"), {"param": {"tax_answer_timeout": "PT20S"}}
    )
    p.start().done("check").timer("silent", timedelta(seconds=20))
    assert (p.open, p.waiting) == (["by_hand"], [])
    p.done("by_hand")
    assert p.open == ["refuse"]
