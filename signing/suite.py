"""Until when digests and keys count: `suite.toml` beside this module, versioned and cited.

A signature is judged by the time at which it is proved to have existed, never by the day on which
somebody looks (EN 319 102-1 §5.2.7).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final

from signing.errors import PolicyRefused

# Ends before everything: known by name, and never acceptable.
NEVER: Final = datetime.min.replace(tzinfo=UTC)
# Ends after everything: no end is known.
NO_END: Final = datetime.max.replace(tzinfo=UTC)
KEY_KINDS: Final = ("RSA", "EC")


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """Instants up to which digests and key sizes count."""

    name: str
    version: str
    digests: Mapping[str, datetime]  # by `hashlib` name
    keys: Mapping[str, tuple[tuple[int, datetime], ...]]  # by kind: smallest size first

    def end_of_digest(self, name: str) -> datetime:
        """Return until when a digest counts; `NEVER` for one that is not listed."""
        return self.digests.get(name, NEVER)

    def end_of_key(self, kind: str, bits: int) -> datetime:
        """Return until when a key counts; `NEVER` for one below every listed size."""
        ends = [end for smallest, end in self.keys.get(kind, ()) if smallest <= bits]
        return ends[-1] if ends else NEVER


@cache
def built_in() -> Suite:
    """Return the suite that this edition ships."""
    text = resources.files("signing").joinpath("suite.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    return Suite(
        name=table["name"],
        version=table["version"],
        digests={hash_name(name): end_of(row) for name, row in table["digests"].items()},
        keys={kind: _sizes(table["keys"][kind]) for kind in KEY_KINDS},
    )


def _sizes(rows: Mapping[str, Mapping[str, Any]]) -> tuple[tuple[int, datetime], ...]:
    return tuple(sorted((int(bits), end_of(row)) for bits, row in rows.items()))


def hash_name(name: str) -> str:
    """Return the `hashlib` name of a digest as people write it: SHA-256, sha256."""
    return name.replace("-", "").lower()


def end_of(row: Mapping[str, Any]) -> datetime:
    """Return the end that a row states: the last instant of a day, UTC; raise `PolicyRefused`."""
    until = row.get("until")
    if until is None:
        return NO_END
    if until == "never":
        return NEVER
    if type(until) is date:
        return datetime.combine(until + timedelta(days=1), time(), tzinfo=UTC) - timedelta(
            microseconds=1
        )
    raise PolicyRefused('expected a date or "never"', reason="until")
