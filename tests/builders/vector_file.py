"""The file form of a signature vector: a header, an empty line, the bytes to judge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tests.builders.signing import NOW

FORMAT = "TOTAL-FAILED FORMAT_FAILURE"
HASH = "TOTAL-FAILED HASH_FAILURE"
CRYPTO = "TOTAL-FAILED SIG_CRYPTO_FAILURE"
# What each row of the attack table is about.
ROWS = {
    1: "signature wrapping",
    2: "an Id twice",
    3: "no reference to data, an empty digest",
    4: "a signed file is missing or changed, a file is not covered",
    5: "several signatures, properties of another signature",
    6: "a key or certificate that is not the bound one",
    7: "references to addresses",
    8: "HMAC",
    9: "the method does not fit the key, values of a wrong length",
    10: "transforms that compute",
    11: "canonicalisation: comments, prefix lists, CDATA, much work",
    12: "DOCTYPE, entities, XInclude, deep XML",
    13: "weak algorithms and keys",
    14: "signed before or after the period of the certificate",
    15: "expired, with a proof of time",
    16: "expired, without one",
    17: "revoked before or after the proved time",
    18: "revocation data that is missing, stale, or of somebody else",
    19: "an authority or service that is not trusted at that time",
    20: "time-stamps over other data, by others, of another time",
    21: "archive time-stamps removed, swapped, covering less",
    22: "base64 with other characters",
    23: "ZIP: a name twice",
    24: "ZIP: bytes before, behind, two ends, a comment",
    25: "ZIP: entries that overlap",
    26: "ZIP: another name in an extra field",
    27: "ZIP: unsafe names",
    28: "ZIP: bombs, sizes that lie, encryption",
    29: "ZIP: local header and directory disagree",
    30: "percent-encoding of names",
    31: "the manifest lies",
    32: "the log: entries changed, proofs that do not hold",
    33: "backdating with a revoked key",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Vector:
    """One file to be judged and the verdict it must get."""

    name: str
    row: int  # of the attack table, signing.md §11
    rule: str
    expect: str  # indication and sub-indication
    content: bytes
    kind: str = "container"
    at: datetime = NOW
    crls: str = "current"  # a set of `crl_sets`
    ocsps: str = "none"  # trust/<ocsps>.*.ocsp
    trust_list: str = "none"  # trust/<trust_list>.xml, which then anchors instead of the root
    level: str = ""  # the level that must be reported; empty where it does not matter


def header(vector: Vector) -> bytes:
    """Return the header of a vector file, the empty line included."""
    lines = (
        f"expect: {vector.expect}",
        f"rule: {vector.rule}",
        f"row: {vector.row}",
        f"kind: {vector.kind}",
        f"at: {vector.at.isoformat()}",
        f"crls: {vector.crls}",
        f"ocsps: {vector.ocsps}",
        f"list: {vector.trust_list}",
        f"level: {vector.level}",
    )
    return "\n".join(lines).encode() + b"\n\n"


def table(rows: Iterable[tuple[int, str, str]]) -> str:
    """Return row, name and expectation of each vector as a Markdown table."""
    lines = ["| Row | Attack | Vector | Verdict |", "|---|---|---|---|"]
    lines += [
        f"| {row} | {ROWS[row]} | `{name}` | {expect} |" for row, name, expect in sorted(rows)
    ]
    return "\n".join(lines) + "\n"
