"""Paths keep to the constraints of RFC 5280 §6.1: names, policies, lengths, anchors."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from signing.certificate import Certificate
from signing.certpath import judge_path
from signing.judgement import Verdict
from signing.pathfinding import find_path
from signing.policy import Trust
from tests.builders.authorities import Authority
from tests.builders.signing import LONG, NOW

POLICY, OTHER = x509.ObjectIdentifier("1.2.3.1"), x509.ObjectIdentifier("1.2.3.2")
ROOT = Authority("Root")


def named(*parts: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, one) for one in parts])


def policies(*oids: x509.ObjectIdentifier) -> tuple[x509.ExtensionType, bool]:
    stated = [x509.PolicyInformation(one, None) for one in oids]
    return x509.CertificatePolicies(stated), False


def outcome(leaf: Certificate, *authorities: Authority, anchor: Authority = ROOT) -> str:
    trust = Trust(
        anchors=(anchor.certificate.der,),
        certificates=tuple(one.certificate.der for one in authorities),
    )
    found = find_path(leaf, trust=trust)
    return found.reasons[0].code if isinstance(found, Verdict) else "found"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (named("Hòa Bình", "Sở Tư pháp"), "found"),
        (named("Bình Định"), "chain_broken"),
        (named("Hòa Bình", "Sở Nội vụ"), "chain_broken"),
    ],
    ids=["inside", "outside", "excluded"],
)
def test_a_name_must_be_one_that_the_authority_may_certify(
    subject: x509.Name, expected: str
) -> None:
    constraints = x509.NameConstraints(
        permitted_subtrees=[x509.DirectoryName(named("Hòa Bình"))],
        excluded_subtrees=[x509.DirectoryName(named("Hòa Bình", "Sở Nội vụ"))],
    )
    ca = Authority("CA", above=ROOT, serial=2, extensions=[(constraints, True)])

    assert outcome(ca.issue(None, serial=9, subject=subject, ca=False), ca) == expected


@pytest.mark.parametrize(
    ("of_authority", "of_leaf", "expected"),
    [
        (POLICY, POLICY, "found"),
        (POLICY, OTHER, "chain_broken"),
        (POLICY, None, "chain_broken"),
    ],
    ids=["same", "another", "none"],
)
def test_a_policy_must_hold_along_the_path_where_one_is_demanded(
    of_authority: x509.ObjectIdentifier, of_leaf: x509.ObjectIdentifier | None, expected: str
) -> None:
    demanded = x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None)
    ca = Authority(
        "CA", above=ROOT, serial=2, extensions=[(demanded, True), policies(of_authority)]
    )
    leaf = ca.issue(None, serial=9, ca=False, extensions=[policies(of_leaf)] if of_leaf else [])

    assert outcome(leaf, ca) == expected


def test_any_policy_ends_where_it_is_inhibited() -> None:
    everything = x509.ObjectIdentifier("2.5.29.32.0")
    demanded = x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None)
    ca = Authority(
        "CA",
        above=ROOT,
        serial=2,
        extensions=[
            (demanded, True),
            (x509.InhibitAnyPolicy(skip_certs=0), True),
            policies(POLICY),
        ],
    )

    leaf = ca.issue(None, serial=9, ca=False, extensions=[policies(everything)])

    assert outcome(leaf, ca) == "chain_broken"


def test_an_end_entity_issues_nothing() -> None:
    ca = Authority("CA", above=ROOT, serial=2)
    person = Authority("Person", above=ca, serial=3)
    person.certificate = ca.issue(person, serial=3, ca=False)

    assert outcome(person.issue(None, serial=9, ca=False), ca, person) != "found"


def test_an_anchor_of_the_same_name_with_another_key_anchors_nothing() -> None:
    ca = Authority("CA", above=ROOT, serial=2)

    assert outcome(ca.issue(None, serial=9, ca=False), ca) == "found"
    assert outcome(ca.issue(None, serial=9, ca=False), ca, anchor=Authority("Root")) != "found"


def test_a_path_is_remembered_for_its_own_trust_and_extra_certificates_only() -> None:
    ca = Authority("CA", above=ROOT, serial=2)
    leaf = ca.issue(None, serial=9, ca=False)
    trust = Trust(anchors=(ROOT.certificate.der,))

    assert isinstance(find_path(leaf, trust=trust), Verdict)
    found = find_path(leaf, trust=trust, extra=(ca.certificate.der,))
    assert not isinstance(found, Verdict)
    assert find_path(leaf, trust=trust, extra=(ca.certificate.der,)) is found
    assert isinstance(find_path(leaf, trust=trust), Verdict)


def test_a_remembered_pass_ends_where_its_grounds_end() -> None:
    ca = Authority("CA", above=ROOT, serial=2)
    leaf = ca.issue(None, serial=9, ca=False)
    lists = (ROOT.crl(), ca.crl())  # until NOW + 6 days
    trust = Trust(anchors=(ROOT.certificate.der,), certificates=(ca.certificate.der,), crls=lists)

    def judged(time: datetime, at: datetime) -> str:
        fresh = replace(trust)
        first, second = (judge_path(leaf, trust=one, time=time, at=at) for one in (trust, fresh))
        assert first == second  # whatever is remembered
        return first.verdict.sub_indication.value if first.verdict.sub_indication else "passed"

    assert judged(NOW, NOW) == "passed"
    assert judged(NOW, NOW) == "passed"
    assert judged(NOW, NOW + timedelta(days=6)) == "passed"
    assert judged(NOW, NOW + timedelta(days=6, seconds=1)) == "TRY_LATER"
    assert judged(LONG.start - timedelta(seconds=1), NOW) == "NOT_YET_VALID"
    after = LONG.end + timedelta(seconds=1)
    assert judged(after, after) == "OUT_OF_BOUNDS_NO_POE"
