"""CRLs of every kind of RFC 5280 §5.2: what counts for which certificate, and what does not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography import x509

from signing.certificate import Certificate
from signing.crllist import name_key, parse_list
from signing.errors import RevocationRefused
from signing.judgement import PASSED, Verdict
from signing.policy import Trust
from signing.revocation import judge_revocation
from tests.builders.authorities import Authority, name
from tests.builders.signing import NOW

Reason = x509.ReasonFlags
POINT = "http://crl.example.vn/ca.crl"
DAY = timedelta(days=1)
ALL_BUT_COMPROMISE = frozenset(Reason) - {
    Reason.unspecified,
    Reason.remove_from_crl,
    Reason.key_compromise,
}


def scope(
    *,
    uri: str | None = None,
    indirect: bool = False,
    reasons: frozenset[Reason] | None = None,
    users: bool = False,
    authorities: bool = False,
    attributes: bool = False,
) -> x509.IssuingDistributionPoint:
    return x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier(uri)] if uri else None,
        relative_name=None,
        only_contains_user_certs=users,
        only_contains_ca_certs=authorities,
        only_some_reasons=reasons,
        indirect_crl=indirect,
        only_contains_attribute_certs=attributes,
    )


def at_point(uri: str = POINT, *, signer: Authority | None = None) -> x509.DistributionPoint:
    return x509.DistributionPoint(
        full_name=[x509.UniformResourceIdentifier(uri)],
        relative_name=None,
        reasons=None,
        crl_issuer=[x509.DirectoryName(signer.name)] if signer else None,
    )


ROOT = Authority("Root")
CA = Authority("CA", above=ROOT, serial=2)
LEAF = CA.issue(None, serial=100, ca=False)
LEAF_AT_POINT = CA.issue(None, serial=101, ca=False, points=[at_point()])
# The signer of lists for others, under the same root.
SIGNER = Authority("List signer", above=ROOT, serial=3)
LEAF_OF_OTHER = CA.issue(None, serial=102, ca=False, points=[at_point(signer=SIGNER)])


def judged(
    leaf: Certificate, *crls: bytes, certificates: tuple[bytes, ...] = (), time: datetime = NOW
) -> Verdict:
    trust = Trust(
        anchors=(ROOT.certificate.der,),
        certificates=(CA.certificate.der, *certificates),
        crls=crls,
    )
    return judge_revocation(leaf, CA.certificate, trust=trust, time=time, at=NOW)


def why(verdict: Verdict) -> str:
    return "passed" if verdict is PASSED else verdict.reasons[0].code


def test_a_delta_revokes_what_the_complete_list_does_not_name() -> None:
    complete = CA.crl(number=5)
    delta = CA.crl((100, Reason.key_compromise), number=7, base=5, at=NOW - DAY / 2)

    assert why(judged(LEAF, complete)) == "passed"
    assert why(judged(LEAF, complete, delta)) == "revoked"


def test_a_delta_lifts_a_suspension() -> None:
    complete = CA.crl((100, Reason.certificate_hold), number=5)
    delta = CA.crl((100, Reason.remove_from_crl), number=6, base=4, at=NOW - DAY / 2)

    assert why(judged(LEAF, complete)) == "certificate_suspended"
    assert why(judged(LEAF, complete, delta)) == "passed"


def test_a_newer_complete_list_lifts_a_suspension_and_no_revocation() -> None:
    newer = CA.crl(number=6, at=NOW - DAY / 2)

    assert why(judged(LEAF, CA.crl((100, Reason.certificate_hold)), newer)) == "passed"
    assert why(judged(LEAF, CA.crl((100, Reason.superseded)), newer)) == "revoked"


def test_a_delta_makes_an_old_complete_list_current() -> None:
    complete = CA.crl(number=5, at=NOW - 20 * DAY)

    assert why(judged(LEAF, complete)) == "revocation_stale"
    assert why(judged(LEAF, complete, CA.crl(number=9, base=5))) == "passed"


@pytest.mark.parametrize(
    "delta",
    [
        CA.crl(number=9, base=6),  # goes on from a list that came later
        CA.crl(number=5, base=5),  # not newer than the list
        CA.crl(number=9, base=5, point=scope(users=True)),  # of another scope
        ROOT.crl(number=9, base=5),  # of another issuer
    ],
    ids=["later-base", "older", "scope", "issuer"],
)
def test_a_delta_counts_with_its_own_complete_list_only(delta: bytes) -> None:
    assert why(judged(LEAF, CA.crl(number=5, at=NOW - 20 * DAY), delta)) == "revocation_stale"


def test_a_delta_alone_shows_nobody_as_good() -> None:
    assert why(judged(LEAF, CA.crl(number=9, base=5))) == "revocation_missing"
    assert why(judged(LEAF, CA.crl((100, Reason.superseded), number=9, base=5))) == "revoked"


def test_a_list_of_some_reasons_is_not_enough_alone() -> None:
    one = CA.crl(point=scope(reasons=frozenset({Reason.key_compromise})))
    other = CA.crl(point=scope(reasons=ALL_BUT_COMPROMISE), number=2)

    assert why(judged(LEAF, one)) == "revocation_partial"
    assert why(judged(LEAF, one, other)) == "passed"


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        (scope(users=True), "passed"),
        (scope(authorities=True), "revocation_missing"),
        (scope(attributes=True), "revocation_missing"),
        (scope(uri=POINT), "passed"),
        (scope(uri="http://crl.example.vn/other.crl"), "revocation_missing"),
    ],
    ids=["users", "authorities", "attributes", "point", "other-point"],
)
def test_a_list_counts_within_its_scope(
    point: x509.IssuingDistributionPoint, expected: str
) -> None:
    assert why(judged(LEAF_AT_POINT, CA.crl(point=point))) == expected


def test_the_list_of_a_point_does_not_count_for_a_certificate_without_it() -> None:
    assert why(judged(LEAF, CA.crl(point=scope(uri=POINT)))) == "revocation_missing"


def test_an_indirect_list_speaks_for_the_issuers_it_names() -> None:
    own = ROOT.crl()
    given = (SIGNER.certificate.der,)

    def found(*entries: tuple[int, Reason] | tuple[int, Reason, x509.Name]) -> str:
        listed = SIGNER.crl(*entries, point=scope(uri=POINT, indirect=True))
        return why(judged(LEAF_OF_OTHER, listed, own, certificates=given))

    assert found() == "passed"
    assert found((102, Reason.superseded, CA.name)) == "revoked"
    # An entry goes on with the issuer of the one before; without any it is the signer's own.
    assert found((7, Reason.superseded, CA.name), (102, Reason.superseded)) == "revoked"
    assert found((102, Reason.superseded)) == "passed"
    assert found((102, Reason.superseded, ROOT.name)) == "passed"


@pytest.mark.parametrize("missing", ["flag", "named", "path", "cleared", "revoked"])
def test_an_indirect_list_needs_every_link(missing: str) -> None:
    leaf = LEAF if missing == "named" else LEAF_OF_OTHER
    listed = SIGNER.crl(point=scope(uri=POINT, indirect=missing != "flag"))
    revoked = [(3, Reason.superseded)] if missing == "revoked" else []
    own = [] if missing == "cleared" else [ROOT.crl(*revoked)]
    given = () if missing == "path" else (SIGNER.certificate.der,)

    assert why(judged(leaf, listed, *own, certificates=given)) == "revocation_missing"


def test_a_list_signer_under_another_anchor_counts_for_nothing() -> None:
    stranger_root = Authority("Root")
    stranger = Authority("List signer", above=stranger_root, serial=3)
    trust = Trust(
        anchors=(ROOT.certificate.der, stranger_root.certificate.der),
        certificates=(CA.certificate.der, stranger.certificate.der),
        crls=(stranger.crl(point=scope(uri=POINT, indirect=True)), stranger_root.crl()),
    )

    verdict = judge_revocation(LEAF_OF_OTHER, CA.certificate, trust=trust, time=NOW, at=NOW)

    assert why(verdict) == "revocation_missing"


def test_a_list_by_the_new_key_of_the_same_authority_counts() -> None:
    renewed = Authority("CA", above=ROOT, serial=4)

    assert why(judged(LEAF, renewed.crl(), ROOT.crl())) == "revocation_missing"
    given = (renewed.certificate.der,)
    assert why(judged(LEAF, renewed.crl(), ROOT.crl(), certificates=given)) == "passed"


def test_names_that_differ_in_case_and_space_are_one() -> None:
    assert name_key(name("Cơ quan  A")) == name_key(name("cơ quan a"))
    assert name_key(name("Cơ quan A")) != name_key(name("Cơ quan B"))


def test_a_list_with_an_unknown_critical_extension_is_no_list() -> None:
    with pytest.raises(RevocationRefused):
        parse_list(CA.crl((7, Reason.superseded), unknown_in_entry=True))


def test_a_signature_that_does_not_hold_is_no_data() -> None:
    content = bytearray(CA.crl())
    content[-1] ^= 1

    assert why(judged(LEAF, bytes(content))) == "revocation_missing"
