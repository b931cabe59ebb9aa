"""Policies can only be stricter, and what they ask is asked of every signature."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.errors import PolicyRefused
from signing.judgement import Judgement
from signing.policy import Trust, fingerprint
from signing.rules import Rules, parse_rules, standard
from signing.suite import NEVER, built_in
from signing.verify import judge_container
from tests.builders.signing import NOW, pki, sealed

HEAD = 'format = 1\nname = "archive"\nversion = "1"\n'
PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "policy.md"


def judged(policy: str, content: bytes | None = None) -> Judgement:
    rules = parse_rules((HEAD + policy).encode())
    trust = Trust(
        anchors=(pki().root.certificate,),
        certificates=(pki().issuing.certificate,),
        crls=pki().crls(),
        rules=rules,
    )
    return judge_container(content or sealed(), trust=trust, at=NOW)


def why(judgement: Judgement) -> str:
    sub = judgement.sub_indication
    codes = {reason.code for one in judgement.signatures for reason in one.reasons}
    return f"{sub.value if sub else 'passed'} {'+'.join(sorted(codes))}".strip()


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("", "passed"),
        ('[signatures]\nlevel = "B-T"', "passed"),
        ('[signatures]\nlevel = "B-LT"', "SIG_CONSTRAINTS_FAILURE level_too_low"),
        ('[signatures]\ncommitments = ["ProofOfOrigin", "ProofOfApproval"]', "passed"),
        (
            '[signatures]\ncommitments = ["ProofOfReceipt"]',
            "SIG_CONSTRAINTS_FAILURE commitment_not_allowed",
        ),
        ("[minimum]\nec_bits = 384", "CRYPTO_CONSTRAINTS_FAILURE algorithm_forbidden"),
        ("[minimum]\nrsa_bits = 4096", "passed"),
        ("[algorithms]\nSHA-256 = 2022-04-12", "passed"),
        (
            "[algorithms]\nSHA-256 = 2022-04-11",
            "CRYPTO_CONSTRAINTS_FAILURE_NO_POE algorithm_expired",
        ),
        ('[algorithms]\nECDSA = "never"', "CRYPTO_CONSTRAINTS_FAILURE algorithm_forbidden"),
        ('[algorithms]\nRSA-PKCS1 = "never"', "passed"),
        ("[revocation]\nmax_age_hours = 48", "passed"),
        ("[revocation]\nmax_age_hours = 12", "TRY_LATER revocation_stale"),
        ("[trust]\ntest_anchors = false", "CHAIN_CONSTRAINTS_FAILURE anchor_for_tests"),
        ("[trust]\ntest_anchors = true", "passed"),
        (
            '[trust]\nrefused = ["ROOT"]',
            "CHAIN_CONSTRAINTS_FAILURE anchor_refused",
        ),
    ],
)  # fmt: skip
def test_what_a_policy_asks_is_asked(policy: str, expected: str) -> None:
    root = fingerprint(pki().root.certificate)

    assert why(judged(policy.replace("ROOT", root))) == expected


def test_a_level_must_be_proved_by_each_signature() -> None:
    judgement = judged('[signatures]\nlevel = "B-T"', sealed(stamped=False))

    assert why(judgement) == "SIG_CONSTRAINTS_FAILURE level_too_low"


@pytest.mark.parametrize(
    "policy",
    [
        "[algorithms]\nSHA-1 = 2014-01-01",  # later than the suite
        '[algorithms]\nMD5 = "never"',
        "[algorithms]\nSHA-256 = true",
        '[algorithms]\nSHA-256 = "2024-02-30"',
        "[algorithms]\nSHA-256 = 2024-02-03T00:00:00Z",
        "[minimum]\nrsa_bits = 1024",
        "[minimum]\nec_bits = 224",
        '[signatures]\nlevel = "none"',
        "[signatures]\ncommitments = []",
        "[revocation]\nmax_age_hours = 0",
        '[trust]\nrefused = ["AB"]',
        "[checks]\ncoverage = false",
    ],
)
def test_a_laxer_or_unknown_policy_is_refused(policy: str) -> None:
    with pytest.raises(PolicyRefused):
        parse_rules((HEAD + policy).encode())


@pytest.mark.parametrize("missing", ["format", "name", "version"])
def test_a_policy_names_itself(missing: str) -> None:
    lines = [line for line in HEAD.splitlines() if not line.startswith(missing)]
    with pytest.raises(PolicyRefused):
        parse_rules("\n".join(lines).encode())


def test_json_says_the_same_as_toml() -> None:
    toml = parse_rules((HEAD + "[algorithms]\nSHA-256 = 2030-12-31").encode())
    table = {
        "format": 1,
        "name": "archive",
        "version": "1",
        "algorithms": {"SHA-256": "2030-12-31"},
    }
    read = parse_rules(json.dumps(table).encode())

    assert (read.label, read.suite) == (toml.label, toml.suite)
    assert read.sha256 != toml.sha256


def test_the_example_of_the_page_is_a_policy() -> None:
    example = PAGE.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]

    rules = parse_rules(example.encode())

    assert rules.suite.digests["sha1"] is NEVER
    assert not rules.test_anchors
    assert rules.max_age == timedelta(hours=24)


@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_policy_or_our_error(content: bytes) -> None:
    try:
        assert isinstance(parse_rules(content), Rules)
    except PolicyRefused:
        return


def test_the_suite_is_the_one_the_page_tells() -> None:
    suite = built_in()

    assert suite.end_of_digest("sha1") == datetime(2013, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert suite.end_of_digest("md5") is NEVER
    assert suite.end_of_digest("whirlpool") is NEVER
    assert suite.end_of_key("RSA", 1536) == suite.end_of_digest("sha1")
    assert suite.end_of_key("RSA", 512) is NEVER
    assert suite.end_of_key("EC", 521) > NOW
    assert standard().sha256 == ""
