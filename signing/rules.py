"""The rules a verification follows beyond the standards: the suite, and what a policy file adds.

A policy file may only be stricter than the rules of this edition, or settle what is a matter of
policy. It never turns a check off (signing.md, D8). `docs/reference/policy.md` lists the fields.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final

from jsonschema import Draft202012Validator

from signing.errors import PolicyRefused
from signing.judgement import Level
from signing.suite import NEVER, NO_END, Suite, built_in, end_of, hash_name

NAME: Final = "lienthong-verification"
VERSION: Final = "2"
MAX_POLICY_BYTES: Final = 64 * 1024
_SCHEMES: Final = ("ECDSA", "RSA-PSS", "RSA-PKCS1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What is asked of signatures, and the name under which reports tell it."""

    name: str
    version: str
    sha256: str  # of the policy file, lower-case hexadecimal; empty for the rules built in
    suite: Suite
    schemes: Mapping[str, datetime]  # end of ECDSA, RSA-PSS, RSA-PKCS1; a missing one has none
    smallest: Mapping[str, int]  # bits by kind of key, whatever the suite allows
    level: Level | None  # the lowest that passes; None: any
    commitments: frozenset[str] | None  # such as ProofOfApproval; None: any, or none at all
    max_age: timedelta | None  # of revocation data when it is used; None: up to its nextUpdate
    test_anchors: bool  # authorities that are marked as being for tests may anchor
    refused_anchors: frozenset[str]  # SHA-256, lower-case hexadecimal

    @property
    def label(self) -> str:
        """Return name and version as reports print them."""
        return f"{self.name}/{self.version}"


@cache
def standard() -> Rules:
    """Return the rules that hold without a policy file."""
    return Rules(
        name=NAME,
        version=VERSION,
        sha256="",
        suite=built_in(),
        schemes={},
        smallest={},
        level=None,
        commitments=None,
        max_age=None,
        test_anchors=True,
        refused_anchors=frozenset(),
    )


def parse_rules(content: bytes) -> Rules:
    """Return the rules of a policy file, TOML or JSON; raise `PolicyRefused` for anything else.

    Raises it too for a file that would be laxer than the rules of this edition.
    """
    table = _table(content)
    problems = sorted(_validator().iter_errors(table), key=lambda one: [*map(str, one.path)])
    if problems:
        where = "/".join(map(str, problems[0].path)) or "policy"
        raise PolicyRefused(f"{where}: {problems[0].message[:200]}", reason=where)
    base = standard()
    trust, signatures = table.get("trust", {}), table.get("signatures", {})
    hours = table.get("revocation", {}).get("max_age_hours")
    commitments = signatures.get("commitments")
    minimum = table.get("minimum", {})
    algorithms = {name: _end(name, until) for name, until in table.get("algorithms", {}).items()}
    return replace(
        base,
        name=table["name"],
        version=table["version"],
        sha256=hashlib.sha256(content).hexdigest(),
        suite=_stricter(base.suite, algorithms),
        schemes={name: algorithms[name] for name in _SCHEMES if name in algorithms},
        smallest={kind: minimum[key] for kind, key in _MINIMUM.items() if key in minimum},
        level=Level(signatures["level"]) if "level" in signatures else None,
        commitments=None if commitments is None else frozenset(commitments),
        max_age=None if hours is None else timedelta(hours=hours),
        test_anchors=trust.get("test_anchors", True),
        refused_anchors=frozenset(trust.get("refused", ())),
    )


_MINIMUM: Final = {"RSA": "rsa_bits", "EC": "ec_bits"}


@cache
def _validator() -> Draft202012Validator:
    schema = resources.files("signing").joinpath("schemas", "policy.schema.json")
    return Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))


def _table(content: bytes) -> dict[str, Any]:
    if len(content) > MAX_POLICY_BYTES:
        raise PolicyRefused(f"expected at most {MAX_POLICY_BYTES} bytes, got more", reason="size")
    try:
        text = content.decode()
        table = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        raise PolicyRefused("expected a policy in TOML or JSON", reason="format") from exc
    # TOML has dates of its own, JSON writes them as text: one schema for both.
    plain: dict[str, Any] = json.loads(json.dumps(table, default=_spelled))
    return plain


def _spelled(value: object) -> str:
    if type(value) is date:
        return value.isoformat()
    raise PolicyRefused("expected a day without a time", reason="format")


def _end(name: str, until: str) -> datetime:
    try:
        return NEVER if until == "never" else end_of({"until": date.fromisoformat(until)})
    except ValueError as exc:
        raise PolicyRefused("expected an existing day", reason=f"algorithms/{name}") from exc


def _stricter(suite: Suite, ends: Mapping[str, datetime]) -> Suite:
    """Return the suite with earlier ends; raise `PolicyRefused` for a later one."""
    digests = dict(suite.digests)
    for name, end in ends.items():
        if name in _SCHEMES:
            continue
        known = hash_name(name)
        if end > digests[known]:
            raise PolicyRefused(
                f"{name}: expected a day on or before the end that the suite states, got a later",
                reason=f"algorithms/{name}",
            )
        digests[known] = end
    return replace(suite, digests=digests)


def ends_of(
    rules: Rules, *, digests: Sequence[str], keys: Sequence[tuple[str, int]], scheme: str = ""
) -> tuple[tuple[str, datetime], ...]:
    """Return what among the given has an end, by its name in words, and when."""
    found = {_digest_words(one): rules.suite.end_of_digest(one) for one in digests}
    for kind, bits in keys:
        too_small = bits < rules.smallest.get(kind, 0)
        found[f"{kind}-{bits}"] = NEVER if too_small else rules.suite.end_of_key(kind, bits)
    if scheme:
        found[scheme] = rules.schemes.get(scheme, NO_END)
    return tuple((name, end) for name, end in found.items() if end != NO_END)


def _digest_words(name: str) -> str:
    return name.upper().replace("SHA", "SHA-")
