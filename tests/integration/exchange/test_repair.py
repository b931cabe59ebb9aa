"""Repair by hand: who may, what it would do, what it does, and what stays on record."""

from __future__ import annotations

from uuid import UUID

import pytest

from dossier.model import Actor
from dossier.repair import Repair, RepairKind, TokenPlace
from exchange import repair
from exchange.errors import DossierUnknown, NotAllowed, ReasonMissing
from exchange.queries.repair_page import repair_pages
from exchange.repair_errors import OwnWork, StepNotSkippable, TokenGone
from storage import history, instances
from tests.builders.exchange import LETTER, OneNode
from workflows.errors import RepairRefused

ADMIN = "hb.quantri1"


def standing(one: OneNode, code: str) -> tuple[Actor, UUID, list[TokenPlace]]:
    """Return the operator, the instance of the sending side and its tokens."""
    actor = one.actor(ADMIN)
    (page,) = repair_pages(one.node, actor, repair.find(one.node, actor, code))
    return actor, page.instance, list(page.tokens)


def ordered(
    kind: RepairKind, token: TokenPlace, to: str = "", reason: str = "wrong form"
) -> Repair:
    return Repair(kind=kind, token=token.id, to=to, reason=reason)


def test_the_page_shows_tokens_and_where_they_may_go(one: OneNode) -> None:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    _actor, _instance, tokens = standing(one, code)
    working = [token for token in tokens if token.targets]
    assert len(working) == 1
    assert "draft_letter" in {place.element_id for place in working[0].done_before}
    assert not working[0].can_skip  # the leader's signature cannot be left out


def test_a_rehearsal_changes_nothing(one: OneNode) -> None:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    before = set(one.open_tasks(code))
    actor, instance, tokens = standing(one, code)
    token = next(token for token in tokens if token.targets)
    told = repair.preview(
        one.node, actor, instance, ordered(RepairKind.BACK, token, "draft_letter")
    )
    assert {("task_opened", "draft_letter"), ("task_closed", token.element_id)} <= {
        (effect.what, effect.element_id) for effect in told
    }
    assert set(one.open_tasks(code)) == before


def test_sending_back_opens_the_earlier_task_and_is_on_record(one: OneNode) -> None:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    actor, instance, tokens = standing(one, code)
    token = next(token for token in tokens if token.targets)
    repair.carry_out(
        one.node, actor, instance, ordered(RepairKind.BACK, token, "draft_letter", " wrong  form ")
    )
    assert set(one.open_tasks(code)) == {"draft_letter"}
    (side,) = one.sides(code).values()
    (entry,) = [one for one in history.of_dossier(side.id) if one.kind == "token_returned"]
    assert entry.actor == ADMIN
    assert entry.parameters["reason"] == "wrong form"
    assert entry.parameters["to"] == "draft_letter"
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    assert set(one.open_tasks(code)) == {token.element_id}


def test_a_step_is_left_out_with_a_reason_only(one: OneNode) -> None:
    code = one.start_letter()
    actor, instance, tokens = standing(one, code)
    token = next(token for token in tokens if token.targets)
    with pytest.raises(ReasonMissing):
        repair.carry_out(one.node, actor, instance, ordered(RepairKind.SKIP, token, reason=" "))
    repair.carry_out(one.node, actor, instance, ordered(RepairKind.SKIP, token))
    assert "draft_letter" not in one.open_tasks(code)


def test_a_signature_is_never_left_out(one: OneNode) -> None:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    actor, instance, tokens = standing(one, code)
    token = next(token for token in tokens if token.targets)
    with pytest.raises(StepNotSkippable):
        repair.carry_out(one.node, actor, instance, ordered(RepairKind.SKIP, token))


def test_only_the_role_for_it_may_repair(one: OneNode) -> None:
    code = one.start_letter()
    _actor, instance, tokens = standing(one, code)
    leader, other = one.actor("hb.lanhdao"), one.actor("bd.quantri1")
    for actor in (leader, other):
        with pytest.raises(NotAllowed):
            repair.carry_out(one.node, actor, instance, ordered(RepairKind.SKIP, tokens[0]))
        with pytest.raises(DossierUnknown):
            repair.find(one.node, actor, code)
    with pytest.raises(NotAllowed):
        repair_pages(one.node, leader, one.sides(code)[next(iter(one.sides(code)))].id)


def test_who_worked_on_a_dossier_does_not_repair_it(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = one.start_letter()
    actor, instance, tokens = standing(one, code)
    monkeypatch.setattr("exchange.repair.tasks.hands_of", lambda _dossier: {ADMIN})
    with pytest.raises(OwnWork):
        repair.carry_out(one.node, actor, instance, ordered(RepairKind.SKIP, tokens[0]))


def test_a_token_cannot_be_moved_into_nowhere(one: OneNode) -> None:
    code = one.start_letter()
    actor, instance, tokens = standing(one, code)
    token = next(token for token in tokens if token.targets)
    with pytest.raises(RepairRefused):
        repair.carry_out(one.node, actor, instance, ordered(RepairKind.MOVE, token, "no-such"))
    with pytest.raises(TokenGone):
        repair.carry_out(
            one.node,
            actor,
            instance,
            Repair(kind=RepairKind.SKIP, token=f"{instance}:999", reason="x"),
        )


def test_a_repair_meets_a_change_on_its_way_and_is_decided_again(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = one.start_letter()
    actor, instance, tokens = standing(one, code)
    token = next(token for token in tokens if token.targets)
    whole = instances.lock
    seen: list[int] = []

    def slow(ids: list[UUID], *, token: str | None) -> dict[UUID, int]:
        found = whole(ids, token=token)
        seen.append(1)
        return {key: value - 1 for key, value in found.items()} if len(seen) == 1 else found

    monkeypatch.setattr(instances, "lock", slow)
    repair.carry_out(one.node, actor, instance, ordered(RepairKind.SKIP, token))
    assert len(seen) == 2
    assert "draft_letter" not in one.open_tasks(code)
