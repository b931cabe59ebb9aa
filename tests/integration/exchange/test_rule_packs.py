"""Rule packs: published by two people, pinned by dossiers, never reaching an old one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from dossier.calendar import HERE, local_day
from dossier.model import Actor
from dossier.rulepack import DECLARATION, STATUSES, shipped_rule_packs
from exchange import proposals, rules
from exchange.deadlines import case_due
from exchange.errors import AlreadyPublished
from storage import dossiers
from storage.transactions import transaction
from tests.builders.exchange import OneNode


def next_pack(*, version: str, effective: str, off: str = "") -> Mapping[str, bytes]:
    """Return the newest shipped pack as another version, with one more day off."""
    files = dict(shipped_rule_packs()["2025.1"])
    declaration = files[DECLARATION].decode()
    declaration = declaration.replace('version = "2025.1"', f'version = "{version}"')
    declaration = declaration.replace("effective = 2025-07-01", f"effective = {effective}")
    if off:
        declaration = declaration.replace('"vn-2026-swap"', '"vn-2026-swap", "typhoon"')
        year = off[:4]
        files["calendars/typhoon.toml"] = f"""
version = "typhoon.1"
first_year = {year}
last_year = {year}
[basis.typhoon]
confirmed = true
source = "by hand"
citation.vi = "Công điện về bão"
citation.en = "Dispatch on the typhoon"
[[row]]
day = {off}
kind = "off"
basis = "typhoon"
name.vi = "Nghỉ tránh bão"
name.en = "Typhoon"
""".encode()
    return files | {DECLARATION: declaration.encode()}


def admins(one: OneNode) -> tuple[Actor, Actor]:
    """Return two people who may publish."""
    return one.actor("bd.quantri1"), one.actor("bd.quantri2")


def publish(one: OneNode, files: Mapping[str, bytes]) -> None:
    """Let two people publish a pack."""
    proposer, confirmer = admins(one)
    proposal = proposals.propose(proposer, files, at=one.node.now())
    proposals.confirm(confirmer, proposal.id, at=one.node.now())


def test_the_pack_in_effect_is_the_latest_of_its_day(one: OneNode) -> None:
    publish(one, next_pack(version="2027.1", effective="2027-01-01"))
    known = one.node.rules()
    for day, version in (
        ("2017-06-01", "2018.1"),
        ("2025-06-30", "2018.1"),
        ("2025-07-01", "2025.1"),
        ("2026-12-31", "2025.1"),
        ("2027-01-01", "2027.1"),
    ):
        assert known.effective(datetime.fromisoformat(day).date()).version == version


def test_a_new_pack_never_changes_an_old_dossier(one: OneNode) -> None:
    code = one.start_business()
    old = one.sides(code)["000.31.01.H08"]
    assert old.due is not None
    assert old.rule_pack == one.node.rules().effective(local_day(one.node.now())).version
    day = old.due.astimezone(HERE).date()
    today = local_day(one.node.now()).isoformat()
    publish(one, next_pack(version="2026.7", effective=today, off=day.isoformat()))
    with transaction():
        procedure = one.node.contracts().version("household-business", "1")
        case_due(one.node, procedure, old.id, at=old.opened)
    assert dossiers.get(old.id).due == old.due
    new = one.sides(one.start_business())["000.31.01.H08"]
    assert new.rule_pack == "2026.7"
    assert new.due is not None
    assert new.due >= old.due + timedelta(hours=12)


def test_what_a_status_does_to_the_clock_is_said_by_the_pinned_pack(one: OneNode) -> None:
    old = one.start_business(check="supplement")
    today = local_day(one.node.now()).isoformat()
    files = dict(next_pack(version="2026.9", effective=today))
    before, after = 'supplement_requested = "paused_if_basis"', 'supplement_requested = "runs"'
    assert before in files[STATUSES].decode()
    files[STATUSES] = files[STATUSES].decode().replace(before, after).encode()
    publish(one, files)
    new = one.start_business(check="supplement")
    sides = [one.sides(code)["000.31.01.H08"] for code in (old, new)]
    assert [side.rule_pack for side in sides] == ["2025.1", "2026.9"]
    assert [len(dossiers.pauses(side.id)) for side in sides] == [1, 0]
    one.later(timedelta(days=7))
    supplement = {"business_name": "Bún chả cá Cô Tám", "supplement_received": "Tên mới"}
    for code in (old, new):
        one.do("tp.motcua", code, "await_supplement", supplement)
    moved, kept = (one.sides(code)["000.31.01.H08"].due for code in (old, new))
    assert sides[1].due == kept
    assert moved is not None
    assert sides[0].due is not None
    assert moved > sides[0].due


def test_a_published_pack_and_a_shipped_one_never_change(one: OneNode) -> None:
    publish(one, next_pack(version="2027.1", effective="2027-01-01"))
    for version in ("2027.1", "2025.1"):
        with pytest.raises(AlreadyPublished):
            proposals.propose(
                admins(one)[0],
                next_pack(version=version, effective="2028-01-01"),
                at=one.node.now(),
            )
    assert [line.version for line in rules.known_packs()] == ["2018.1", "2025.1", "2027.1"]
