"""Judging algorithms, keys and what a policy asks, by the time that is proved.

EN 319 102-1 §5.2.7 and §5.2.8: an algorithm counts when the signature is proved to have existed
before the algorithm's end; the constraints of a policy make an answer INDETERMINATE.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from signing.algorithms import SignatureAlgorithm, key_kind
from signing.certificate import Certificate
from signing.indication import SubIndication
from signing.judgement import PASSED, Level, Verdict, gravest, indeterminate
from signing.pathfinding import Chain
from signing.policy import Ends, Trust
from signing.rules import Rules, ends_of
from signing.suite import NEVER, NO_END

_LADDER: Final = tuple(Level)


def judge_chain(chain: Chain, *, trust: Trust, time: datetime) -> Verdict:
    """Judge the keys of a path, and the digests of its signatures but the anchor's own."""
    return _judge_ends(_ends_of_chain(chain, trust), time)


def end_of_chain(chain: Chain, *, trust: Trust) -> datetime:
    """Return until when `judge_chain` passes a path."""
    return min((end for _, end in _ends_of_chain(chain, trust)), default=NO_END)


def _ends_of_chain(chain: Chain, trust: Trust) -> Ends:
    key = tuple(one.fingerprint for one in chain)
    ends = trust.ends.get(key)
    if ends is None:
        ends = trust.ends.put(key, _chain_ends(chain, trust.rules))
    return ends


def _chain_ends(chain: Chain, rules: Rules) -> Ends:
    keys = [key_kind(one.old_key) for one in chain if one.old_key is not None]
    return ends_of(rules, digests=[one.digest for one in chain[:-1] if one.digest], keys=keys)


def judge_method(uri: str, *, digests: Sequence[str], trust: Trust, time: datetime) -> Verdict:
    """Judge the signature method and the digests of what is signed (`hashlib` names).

    The signer's key belongs to its path.
    """
    key = (uri, *digests)
    ends = trust.ends.get(key)
    if ends is None:
        ends = trust.ends.put(key, _method_ends(uri, digests, trust.rules))
    return _judge_ends(ends, time)


def _method_ends(uri: str, digests: Sequence[str], rules: Rules) -> Ends:
    try:
        algorithm = SignatureAlgorithm(uri)
    except ValueError:
        return ()  # not listed: told by whoever verified the value
    return ends_of(rules, digests=[algorithm.hash_name, *digests], keys=(), scheme=algorithm.scheme)


def _judge_ends(ends: Ends, time: datetime) -> Verdict:
    return (
        PASSED
        if not ends
        else gravest(PASSED, *(_late(name, end) for name, end in ends if time > end))
    )


def _late(name: str, end: datetime) -> Verdict:
    if end == NEVER:
        return indeterminate(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "algorithm_forbidden", algorithm=name
        )
    return indeterminate(
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
        "algorithm_expired",
        algorithm=name,
        until=end.date().isoformat(),
    )


def judge_policy(
    rules: Rules, *, level: Level | None, commitments: Sequence[str], chain: Chain
) -> Verdict:
    """Judge what a policy asks of a signature: level, commitment, and who may not anchor it."""
    if not rules.sha256:
        return PASSED
    found = [_judge_level(rules, level), _judge_commitments(rules, commitments)]
    if chain:
        found.append(_judge_anchor(rules, chain[-1]))
    return gravest(*found)


def _judge_level(rules: Rules, level: Level | None) -> Verdict:
    if rules.level is None:
        return PASSED
    if level is not None and _LADDER.index(level) >= _LADDER.index(rules.level):
        return PASSED
    return indeterminate(
        SubIndication.SIG_CONSTRAINTS_FAILURE,
        "level_too_low",
        wanted=rules.level.value,
        level=level.value if level else "-",
    )


def _judge_commitments(rules: Rules, commitments: Sequence[str]) -> Verdict:
    if rules.commitments is None or (commitments and rules.commitments.issuperset(commitments)):
        return PASSED
    return indeterminate(
        SubIndication.SIG_CONSTRAINTS_FAILURE,
        "commitment_not_allowed",
        commitment=", ".join(commitments)[:200] or "-",
    )


def _judge_anchor(rules: Rules, anchor: Certificate) -> Verdict:
    if anchor.fingerprint.hex() in rules.refused_anchors:
        code = "anchor_refused"
    elif anchor.is_for_tests and not rules.test_anchors:
        code = "anchor_for_tests"
    else:
        return PASSED
    return indeterminate(SubIndication.CHAIN_CONSTRAINTS_FAILURE, code, certificate=anchor.subject)
