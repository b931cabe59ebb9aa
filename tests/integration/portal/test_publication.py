"""Pages of publishing: one person's proposal, another one's decision, in both languages."""

from __future__ import annotations

from datetime import date

from dossier.rulepack import DECLARATION, shipped_rule_packs
from exchange import proposals
from exchange.procedures.scaffold import scaffold_files
from storage import definitions
from tests.builders.exchange import OneNode
from tests.integration.portal.conftest import Enter

FIRST, SECOND = "bd.quantri1", "bd.quantri2"


def propose(one: OneNode, *, version: str = "1") -> str:
    """Let the first administrator propose a version; return the address of its page."""
    files = dict(scaffold_files("visa-letter", effective=date(2022, 1, 1)))
    declaration = files["procedure.toml"].replace(
        b'version = "1"', f'version = "{version}"'.encode(), 1
    )
    files["procedure.toml"] = declaration
    found = proposals.propose(one.actor(FIRST), files, at=one.node.now())
    return f"/procedures/proposals/{found.id}"


def test_the_second_person_sees_what_changes_and_publishes(one: OneNode, enter: Enter) -> None:
    address = propose(one)
    person = enter(SECOND)
    assert person.get("/procedures").having("data-state", "open")
    page = person.get(address)
    assert "<svg" in page.text
    assert "Phiên bản đầu tiên" in page.text
    assert person.post(f"{address}/confirm", {}, page=address).status == 302
    assert definitions.find_version("visa-letter", "1") is not None


def test_a_later_version_is_compared_with_the_running_one(one: OneNode, enter: Enter) -> None:
    propose(one)
    first = proposals.find_open("visa-letter", "1")
    proposals.confirm(one.actor(SECOND), first.id, at=one.node.now())
    page = enter(SECOND).get(propose(one, version="2"))
    assert "Khác gì so với phiên bản 1" in page.text
    assert "procedure.toml#procedure version: 1 → 2" in page.text


def test_who_proposed_is_offered_no_confirmation_and_cannot_force_it(
    one: OneNode, enter: Enter
) -> None:
    address = propose(one)
    person = enter(FIRST)
    page = person.get(address)
    assert not page.having("action", f"{address}/confirm")
    assert person.post(f"{address}/confirm", {}, page=address).status == 403
    assert definitions.find_version("visa-letter", "1") is None


def test_a_refusal_needs_a_reason_and_shows_it(one: OneNode, enter: Enter) -> None:
    address = propose(one)
    person = enter(SECOND)
    assert person.post(f"{address}/refuse", {"reason": " "}, page=address).status == 400
    assert person.post(f"{address}/refuse", {"reason": "Sai căn cứ"}, page=address).status == 302
    assert "Sai căn cứ" in person.get(address).text


def test_others_see_what_is_published_and_no_proposal(one: OneNode, enter: Enter) -> None:
    address = propose(one)
    person = enter("bd.vanthu")
    page = person.get("/procedures")
    assert "household-business" in page.text
    assert not page.having("data-proposal")
    assert person.get(address).status == 403


def test_a_rule_pack_is_decided_on_the_same_pages_in_english_too(
    one: OneNode, enter: Enter
) -> None:
    files = dict(shipped_rule_packs()["2025.1"])
    declaration = files[DECLARATION].replace(b'version = "2025.1"', b'version = "2027.1"')
    files[DECLARATION] = declaration.replace(b"digits = 4", b"digits = 5")
    found = proposals.propose(one.actor(FIRST), files, at=one.node.now())
    person = enter(SECOND)
    person.post("/language", {"language": "en", "next": "/desk"}, page="/desk")
    page = person.get(f"/procedures/proposals/{found.id}")
    assert "codes.dossier digits: 4 → 5" in page.text
    assert "Confirm and publish" in page.text
