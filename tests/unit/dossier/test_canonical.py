"""Canonical JSON: one spelling of a value, whichever way it takes through the writer."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier import canonical
from dossier.canonical import Json
from dossier.errors import CanonicalRefused

_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner),
    max_leaves=12,
)
_UNUSUAL: Callable[[Any], Json] = MappingProxyType  # takes the long way: it is no dict


@given(_PLAIN)
def test_the_short_way_and_the_long_way_write_the_same(value: Json) -> None:
    try:
        expected = canonical.dump(_UNUSUAL({"a": value}))
    except CanonicalRefused:
        with pytest.raises(CanonicalRefused):
            canonical.dump({"a": value})
        return
    assert canonical.dump({"a": value}) == expected
    assert canonical.parse(expected) == canonical.load(expected.decode())


def test_keys_are_sorted_text_is_composed_and_tuples_are_lists() -> None:
    decomposed = unicodedata.normalize("NFD", "Hồ sơ")
    assert canonical.dump({"b": (1, True, None), "a": decomposed}) == (
        '{"a":"Hồ sơ","b":[1,true,null]}'.encode()
    )


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), b"octets", {1: "a"}, {"a": {None: 1}}, [{"a": object()}], {"a": "\ud800"}],
)
def test_refuses_what_has_no_canonical_form(value: Any) -> None:  # noqa: ANN401 - the wrong types
    with pytest.raises(CanonicalRefused):
        canonical.dump(value)


@pytest.mark.parametrize("wrap", [lambda one: [one], lambda one: {"a": one}])
def test_refuses_more_than_32_levels(wrap: Callable[[Json], Json]) -> None:
    value: Json = 0
    for _ in range(32):
        value = wrap(value)
    assert canonical.parse(canonical.dump(value)) == value
    with pytest.raises(CanonicalRefused, match="levels"):
        canonical.dump(wrap(value))
