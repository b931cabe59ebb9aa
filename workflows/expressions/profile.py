"""The two profiles of the one language: what a place may use and how much of it.

The numbers are the limits of `docs/reference/feel.md`; a breach is an exception, never a stall.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Construct(Enum):
    """The constructs that a profile may lack."""

    FILTER = "filter"
    FOR = "for"
    FUNCTION = "function"
    POWER = "**"
    PLACEHOLDER = "?"
    FULL_LIBRARY = "library"


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """One use of the language: its constructs and its limits."""

    name: str
    refused: frozenset[Construct]
    source_chars: int
    nodes: int
    nesting: int
    steps: int
    call_depth: int
    list_items: int
    text_chars: int
    result_bytes: int


MODEL: Final = Profile(
    name="model",
    refused=frozenset(Construct),
    source_chars=2_000,
    nodes=200,
    nesting=32,
    steps=10_000,
    call_depth=16,
    list_items=10_000,
    text_chars=64 * 1024,
    result_bytes=64 * 1024,
)

DMN: Final = Profile(
    name="dmn",
    refused=frozenset(),
    source_chars=64_000,
    nodes=20_000,
    nesting=80,
    steps=1_000_000,
    call_depth=100,
    list_items=100_000,
    text_chars=1_000_000,
    result_bytes=4 * 1024 * 1024,
)
