"""Rule packs: what ships is sound, and every fault is refused with its place."""

from __future__ import annotations

import pytest

from dossier.rule_errors import RulePackRefused
from dossier.rulepack import DECLARATION, STATUSES, parse_rule_pack, shipped_rule_packs
from dossier.silence import Policy

FILES = shipped_rule_packs()["2025.1"]


@pytest.mark.parametrize("version", shipped_rule_packs())
def test_what_ships_is_sound(version: str) -> None:
    pack = parse_rule_pack(shipped_rule_packs()[version])
    assert pack.version == version
    assert pack.calendar.version == "vn-2026.1+vn-2026-swap.1"


def test_the_circular_of_2025_numbers_the_forms_anew() -> None:
    old, new = (
        parse_rule_pack(shipped_rule_packs()[version]).forms for version in ("2018.1", "2025.1")
    )
    assert (old["control"].number, new["control"].number) == ("05", "06")
    assert "stop" not in old
    assert new["stop"].number == "05"


def test_a_silence_rule_is_found_for_its_procedure_and_element() -> None:
    row = """
[[silence]]
procedure = "construction-permit"
policy = "escalate"
"""
    pack = parse_rule_pack({**FILES, DECLARATION: FILES[DECLARATION] + row.encode()})
    exact = pack.silence_of("construction-permit", "planning_silent")
    general = pack.silence_of("construction-permit", "wait_answer")
    assert exact is not None
    assert exact.rule.policy is Policy.CONSENT
    assert general is not None
    assert general.rule.policy is Policy.ESCALATE
    assert pack.silence_of("official-letter", "wait_reply") is None


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ('version = "2025.1"', 'version = "next"', "pack.version"),
        ("effective = 2025-07-01", 'effective = "soon"', "pack.effective"),
        ("citation = ", "source = ", "pack.source"),
        ('base = "vn"', 'base = "../vn"', "calendar"),
        ('hours = "standard"', 'hours = "night"', "calendars/"),
        ("digits = 4", "digits = 9", "codes.dossier"),
        ('policy = "consent"', 'policy = "agree"', "silence.1"),
        ('number = "01"', "", "forms.receipt.number"),
        ("[pack]", "[pack", DECLARATION),
    ],
)
def test_a_fault_is_refused_with_its_place(before: str, after: str, where: str) -> None:
    content = FILES[DECLARATION].decode()
    assert before in content
    changed = {**FILES, DECLARATION: content.replace(before, after, 1).encode()}
    with pytest.raises(RulePackRefused) as refused:
        parse_rule_pack(changed)
    assert refused.value.parameters["where"] == where


@pytest.mark.parametrize("path", [DECLARATION, STATUSES, "calendars/vn.toml"])
def test_a_missing_file_is_refused(path: str) -> None:
    with pytest.raises(RulePackRefused) as refused:
        parse_rule_pack({name: content for name, content in FILES.items() if name != path})
    assert refused.value.parameters["where"] == path


def test_an_extra_file_is_refused() -> None:
    with pytest.raises(RulePackRefused) as refused:
        parse_rule_pack({**FILES, "notes.txt": b""})
    assert refused.value.parameters["where"] == "notes.txt"


def test_statuses_must_be_complete() -> None:
    with pytest.raises(RulePackRefused):
        parse_rule_pack({**FILES, STATUSES: b'version = "1"\ncitation = "x"\n[clock]\n'})


def test_a_silence_rule_without_a_citation_is_refused() -> None:
    content = FILES[DECLARATION].decode().partition("[[silence]]")[0]
    row = '[[silence]]\nprocedure = "construction-permit"\npolicy = "consent"\n'
    with pytest.raises(RulePackRefused):
        parse_rule_pack({**FILES, DECLARATION: (content + row).encode()})
