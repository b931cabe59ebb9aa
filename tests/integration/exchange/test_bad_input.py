"""What comes too early, too late, for somebody else or from the future: kept, visible, not lost."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from dossier.canonical import Json
from dossier.model import MessageState
from exchange.queries.dossier_page import dossier_page
from exchange.receive import Reception
from exchange.wiring import build
from storage import cases, incidents, instances, messages, sql
from storage.instances import InstanceStatus
from tests.builders.drawn import complete, opened
from tests.builders.exchange import LETTER, OneNode
from tests.builders.messages import BINH_DINH, HOA_BINH, Draft, hints_for, spooled
from worker import jobs
from workflows import state


def reply(one: OneNode, tmp_path: Path, *, code: str, conversation: UUID) -> None:
    """Let a reply arrive at Hòa Bình and be placed."""
    sent = Draft(
        node=one.node,
        at=one.node.now(),
        sender=BINH_DINH,
        receiver=HOA_BINH,
        message_type="reply",
        conversation=conversation,
        dossier_code=code,
        values={"reply_number": "1/X", "reply_subject": "V/v trả lời"},
        document_kind="reply",
    )
    container = spooled(tmp_path, sent.container())
    Reception(one.node).receive(hints_for(sent, container), container)
    one.drain()


def conversation_of(one: OneNode, code: str) -> UUID:
    return UUID(one.sides(code)[HOA_BINH].conversation_id)


def test_a_message_before_its_wait_is_kept_and_handed_over_later(
    one: OneNode, tmp_path: Path
) -> None:
    code = one.start_letter()
    reply(one, tmp_path, code=code, conversation=conversation_of(one, code))
    assert set(one.open_tasks(code)) == {"draft_letter"}
    kept = messages.messages_of(one.sides(code)[HOA_BINH].id)
    assert [message.state for message in kept] == [MessageState.BUFFERED]
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    one.do("hb.lanhdao", code, "sign_letter")
    one.do("hb.vanthu", code, "number_letter")
    assert "register_reply" in one.open_tasks(code)


def test_a_message_for_a_closed_dossier_is_kept_and_shown(one: OneNode, tmp_path: Path) -> None:
    code = one.send_letter()
    one.answer_letter(code)
    one.close_letter(code)
    ours = one.sides(code)[HOA_BINH]
    assert not ours.is_open
    reply(one, tmp_path, code=code, conversation=conversation_of(one, code))
    assert not one.sides(code)[HOA_BINH].is_open
    page = dossier_page(one.node, one.actor("hb.vanthu2"), ours.id)
    assert MessageState.BUFFERED in [message.state for message in page.messages]
    assert "message_buffered" in [entry.kind for entry in page.timeline]


def test_a_foreign_key_never_matches(one: OneNode, tmp_path: Path) -> None:
    code = one.send_letter()
    reply(one, tmp_path, code=code, conversation=UUID(int=7))
    reply(one, tmp_path, code="000.00.00.H28-261123-9999", conversation=conversation_of(one, code))
    assert "register_reply" not in one.open_tasks(code)
    one.answer_letter(code)
    assert "register_reply" in one.open_tasks(code)


def test_state_of_a_newer_version_is_left_to_the_newer_program(one: OneNode) -> None:
    code = one.start_letter()
    (instance,) = instances.of_dossier(one.sides(code)[HOA_BINH].id)
    newer = instance.snapshot[:3] + bytes([state.VERSION + 1]) + instance.snapshot[4:]
    _put(instance.id, newer)
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    found = instances.get(instance.id)
    assert (found.snapshot, found.status) == (newer, InstanceStatus.READY)
    assert "sign_letter" not in one.open_tasks(code)
    assert incidents.open_incidents() == []
    _put(instance.id, instance.snapshot)  # as if the program could read it now: nothing was lost
    one.later(timedelta(minutes=2))
    assert "sign_letter" in one.open_tasks(code)


def _put(instance: UUID, snapshot: bytes) -> None:
    # Compressed once more, as rows of earlier versions of the program are.
    sql.execute(
        "UPDATE instance SET snapshot = %s, version = version + 1 WHERE id = %s",
        (zlib.compress(snapshot), str(instance)),
    )


@pytest.mark.parametrize("value", ["UUID", {"typename": "datetime"}, [{"typename": "x"}]])
def test_a_value_called_typename_is_a_value_like_any_other(one: OneNode, value: Json) -> None:
    role = "lt:assign.role=specialist"
    instance = opened(one, f"start s\nuser a {role}\nuser b {role}\nend e\ns > a > b > e")
    complete(one, instance, "a", {"typename": value})
    restored = replace(one, node=build(one.node.settings, clock=one.clock))  # nothing in memory
    complete(restored, instance, "b")
    found = instances.get(instance)
    assert found.status is InstanceStatus.DONE
    assert cases.values(found.dossier)["typename"] == value


def test_a_bell_for_an_id_that_does_not_exist_only_drains(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "node", lambda: one.node)
    code = one.start_letter()
    before = _idle()
    for job in (jobs.advance, jobs.correlate, jobs.deliver, jobs.call):
        job("00000000-0000-4000-8000-000000000000")
        job("no id at all")
    assert _idle() == before + 8
    assert incidents.open_incidents() == []
    assert set(one.open_tasks(code)) == {"draft_letter"}


def _idle() -> float:
    return REGISTRY.get_sample_value("lienthong_bells_total", {"outcome": "idle"}) or 0.0
