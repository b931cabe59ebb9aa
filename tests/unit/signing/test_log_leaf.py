"""Leaves: salted, blindable, one spelling, and free of what they commit to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier import canonical
from dossier.canonical import Json
from signing.log import (
    DossierPlace,
    LeafKind,
    Opening,
    dossier_token,
    parse_leaf,
    parse_opening,
)
from signing.log.errors import LogLeafRefused

OPENING = Opening(
    kind=LeafKind.TRANSITION,
    at=datetime(2026, 3, 2, 2, 0, 0, 123000, tzinfo=UTC),
    content={"actor": "nguyen.van.a", "kind": "task_completed", "element": "sign"},
    salt=bytes(range(32)),
    place=DossierPlace(dossier="H28-260302-000001", salt=bytes(32), sequence=4),
)


def test_leaf_has_fixed_bytes() -> None:
    # Spelled out, because logs outlive the program that wrote them.
    assert OPENING.leaf.dump() == (
        b'{"at":"2026-03-02T02:00:00.123Z",'
        b'"content":"46163c08f1991d97976a50553767f37aa45f7e1333a358c9fbf2aec05b543a99",'
        b'"dossier":"5b1bdca0627ab2f6707e9e23aa83611e6af25971eac78029fb7983ea9ae09e6d",'
        b'"dossier_seq":4,"kind":"transition","v":1}'
    )


def test_leaf_shows_nothing_of_what_it_commits_to() -> None:
    written = OPENING.leaf.dump()
    for secret in (b"nguyen", b"H28-260302", b"task_completed", bytes(range(32)).hex().encode()):
        assert secret not in written


def test_leaf_and_opening_print_back() -> None:
    assert parse_leaf(OPENING.leaf.dump()) == OPENING.leaf
    assert parse_opening(OPENING.dump()) == OPENING
    assert parse_opening(OPENING.dump()).leaf == OPENING.leaf


@pytest.mark.parametrize("dossier", ["H28-260302-0001", 'Hồ "sơ"\\'])
def test_leaf_and_opening_are_the_same_when_they_are_written_together(dossier: str) -> None:
    place = replace(OPENING.place, dossier=dossier) if OPENING.place else None
    opening = replace(OPENING, place=place)
    assert opening.dump_both() == (opening.leaf.dump(), opening.dump())
    assert parse_opening(opening.dump()) == opening


def test_leaf_of_no_dossier_prints_back() -> None:
    opening = replace(OPENING, place=None, kind=LeafKind.EPOCH)
    assert parse_opening(opening.dump()) == opening
    assert parse_leaf(opening.leaf.dump()).dossier_sequence == 0


@pytest.mark.parametrize(
    "changed",
    [
        replace(OPENING, content={"actor": "someone.else"}),
        replace(OPENING, salt=bytes(31) + b"x"),
        replace(OPENING, kind=LeafKind.MESSAGE),
        replace(OPENING, at=OPENING.at.replace(microsecond=124000)),
        replace(OPENING, place=None),
        replace(OPENING, place=DossierPlace(dossier="other", salt=bytes(32), sequence=4)),
        replace(
            OPENING, place=DossierPlace(dossier="H28-260302-000001", salt=bytes(32), sequence=5)
        ),
    ],
)
def test_another_opening_makes_another_leaf(changed: Opening) -> None:
    assert changed.leaf != OPENING.leaf


def test_leaves_of_one_dossier_know_each_other_and_no_other_dossier() -> None:
    assert dossier_token("A", salt=bytes(32)) == dossier_token("A", salt=bytes(32))
    assert dossier_token("A", salt=bytes(32)) != dossier_token("B", salt=bytes(32))
    assert dossier_token("A", salt=bytes(32)) != dossier_token("A", salt=b"x" * 32)


def test_salt_of_another_length_is_refused() -> None:
    with pytest.raises(LogLeafRefused):
        replace(OPENING, salt=b"short").dump()
    with pytest.raises(LogLeafRefused):
        _ = replace(OPENING, salt=b"short").leaf


def spoiled(written: bytes, **changes: Json) -> bytes:
    value = canonical.parse(written)
    assert isinstance(value, dict)
    return canonical.dump({**value, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": True},
        {"kind": "other"},
        {"kind": 1},
        {"at": "2026-03-02T02:00:00Z"},
        {"at": "2026-03-02T02:00:00.1Z"},
        {"dossier_seq": 0},
        {"dossier_seq": -1},
        {"dossier_seq": True},
        {"dossier_seq": "4"},
        {"dossier": ""},
        {"more": 1},
    ],
)
def test_other_leaves_and_openings_are_refused(changes: dict[str, Json]) -> None:
    with pytest.raises(LogLeafRefused):
        parse_leaf(spoiled(OPENING.leaf.dump(), **changes))
    with pytest.raises(LogLeafRefused):
        parse_opening(spoiled(OPENING.dump(), **changes))


@pytest.mark.parametrize("changes", [{"content": "ab"}, {"dossier": "ab"}, {"content": "A" * 64}])
def test_leaf_without_hashes_is_refused(changes: dict[str, Json]) -> None:
    with pytest.raises(LogLeafRefused):
        parse_leaf(spoiled(OPENING.leaf.dump(), **changes))


@pytest.mark.parametrize("name", ["salt", "dossier_salt"])
def test_opening_without_salts_is_refused(name: str) -> None:
    with pytest.raises(LogLeafRefused):
        parse_opening(spoiled(OPENING.dump(), **{name: ""}))


@given(st.binary(max_size=100))
def test_any_bytes_are_a_leaf_or_refused(content: bytes) -> None:
    with pytest.raises(LogLeafRefused):
        parse_leaf(content)
    with pytest.raises(LogLeafRefused):
        parse_opening(content)
