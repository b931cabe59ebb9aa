"""The tree: roots, tiles, the growing edge, and proofs against a second way of computing them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing.log import Frontier, append, consistency_proof, frontier_at, inclusion_proof, root_at
from signing.log.errors import (
    LogIndexRefused,
    LogProofRefused,
    LogTileMalformed,
    LogTileMissing,
)
from signing.log.merkle import EMPTY_ROOT, leaf_hash, verify_consistency, verify_inclusion
from signing.log.tiles import (
    dump_entries,
    entries_path,
    parse_entries,
    parse_path,
    tile_path,
    tile_width,
)
from tests.builders.log import log_of, numbered


def tree(entries: list[bytes]) -> bytes:
    """The definition of RFC 6962 §2.1, word for word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return hashlib.sha256(b"\x01" + tree(entries[:split]) + tree(entries[split:])).digest()


# The eight leaves and roots that implementations of RFC 6962 have been compared with since 2013.
LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(9))
def test_root_is_the_published_one(size: int) -> None:
    entries = [bytes.fromhex(leaf) for leaf in LEAVES[:size]]
    assert append(Frontier(), entries).root.hex() == ROOTS[size]


@given(st.integers(0, 700), st.integers(1, 300))
@settings(max_examples=25)
def test_root_does_not_depend_on_how_entries_were_batched(size: int, batch: int) -> None:
    entries = numbered(size)
    tiles, frontier = log_of(entries, batch=batch)
    assert frontier.root == root_at(tiles, size=size) == tree(entries)
    assert frontier_at(tiles, size=size) == frontier


@given(st.data())
@settings(max_examples=40)
def test_every_entry_is_proved_in_every_tree_that_holds_it(data: st.DataObject) -> None:
    total = data.draw(st.integers(1, 600))
    size = data.draw(st.integers(1, total))
    index = data.draw(st.integers(0, size - 1))
    tiles, _ = log_of(numbered(total))
    path = inclusion_proof(tiles, index=index, size=size)
    root = tree(numbered(size))
    leaf = leaf_hash(str(index).encode())
    verify_inclusion(leaf, index=index, size=size, path=path, root=root)
    for wrong in (path[:-1], (*path, bytes(32)), tuple(reversed(path))):
        if wrong != path:
            with pytest.raises(LogProofRefused):
                verify_inclusion(leaf, index=index, size=size, path=wrong, root=root)
    with pytest.raises(LogProofRefused):
        verify_inclusion(leaf_hash(b"x"), index=index, size=size, path=path, root=root)


@given(st.data())
@settings(max_examples=40)
def test_every_tree_continues_every_older_one(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 600))
    old = data.draw(st.integers(0, size))
    tiles, frontier = log_of(numbered(size))
    path = consistency_proof(tiles, old_size=old, size=size)
    old_root = tree(numbered(old))
    verify_consistency(old_size=old, old_root=old_root, size=size, root=frontier.root, path=path)
    for wrong in (path[:-1], (*path, bytes(32))):
        if wrong != path:
            with pytest.raises(LogProofRefused):
                verify_consistency(
                    old_size=old, old_root=old_root, size=size, root=frontier.root, path=wrong
                )
    with pytest.raises(LogProofRefused):
        verify_consistency(
            old_size=old, old_root=bytes(32), size=size, root=frontier.root, path=path
        )


def test_small_trees_have_proofs_for_every_pair() -> None:
    tiles, _ = log_of(numbered(40))
    roots = [tree(numbered(size)) for size in range(41)]
    for size in range(1, 41):
        for index in range(size):
            path = inclusion_proof(tiles, index=index, size=size)
            leaf = leaf_hash(str(index).encode())
            verify_inclusion(leaf, index=index, size=size, path=path, root=roots[size])
        for old in range(size + 1):
            path = consistency_proof(tiles, old_size=old, size=size)
            verify_consistency(
                old_size=old, old_root=roots[old], size=size, root=roots[size], path=path
            )


@pytest.mark.parametrize("size", [255, 256, 257, 65_535, 65_536, 65_537, 70_000])
def test_tiles_of_all_levels_lead_to_one_root(size: int) -> None:
    tiles, frontier = log_of(numbered(size), batch=1000)
    assert root_at(tiles, size=size) == frontier.root
    for index in (0, 255, size // 2, size - 1):
        path = inclusion_proof(tiles, index=min(index, size - 1), size=size)
        leaf = leaf_hash(str(min(index, size - 1)).encode())
        verify_inclusion(leaf, index=min(index, size - 1), size=size, path=path, root=frontier.root)


def test_tree_of_70000_has_the_tiles_that_the_format_text_names() -> None:
    tiles, _ = log_of(numbered(70_000), batch=1000)
    widths = {place: len(hashes) // 32 for place, hashes in tiles.rows.items()}
    level = {n: [w for (lvl, _), w in sorted(widths.items()) if lvl == n] for n in range(4)}
    assert level[0] == [256] * 273 + [112]
    assert (level[1], level[2], level[3]) == ([256, 17], [1], [])


def test_append_returns_only_the_tiles_that_changed() -> None:
    _, frontier = log_of(numbered(600))
    appended = append(frontier, [b"one more"])
    assert [(tile.level, tile.index, tile.width) for tile in appended.tiles] == [(0, 2, 89)]
    assert [entry.index for entry in appended.entries] == [600]


def test_append_of_nothing_changes_nothing() -> None:
    _, frontier = log_of(numbered(300))
    appended = append(frontier, [])
    assert (appended.entries, appended.tiles) == ((), ())
    assert appended.frontier == frontier


def test_append_refuses_an_entry_no_bundle_can_carry() -> None:
    with pytest.raises(LogTileMalformed):
        append(Frontier(), [b"small", bytes(65_536)])


def test_frontier_refuses_hashes_of_another_size() -> None:
    with pytest.raises(LogTileMalformed):
        Frontier(size=2, open_tiles=(bytes(32),))


def test_a_lost_tile_is_named() -> None:
    tiles, _ = log_of(numbered(600))
    del tiles.rows[0, 1]
    with pytest.raises(LogTileMissing) as caught:
        inclusion_proof(tiles, index=300, size=600)
    assert caught.value.parameters["tile"] == "tile/0/001"


def test_proofs_outside_the_tree_are_refused() -> None:
    tiles, _ = log_of(numbered(3))
    with pytest.raises(LogIndexRefused):
        inclusion_proof(tiles, index=3, size=3)
    with pytest.raises(LogIndexRefused):
        consistency_proof(tiles, old_size=4, size=3)
    with pytest.raises(LogProofRefused):
        verify_inclusion(bytes(32), index=5, size=3, path=(), root=bytes(32))
    with pytest.raises(LogProofRefused):
        verify_consistency(old_size=5, old_root=b"", size=3, root=b"", path=())


def test_a_forked_log_of_equal_size_is_refused() -> None:
    one, other = tree(numbered(5)), tree([b"x", *numbered(5)[1:]])
    with pytest.raises(LogProofRefused):
        verify_consistency(old_size=5, old_root=one, size=5, root=other, path=())
    with pytest.raises(LogProofRefused):
        verify_consistency(old_size=0, old_root=one, size=5, root=other, path=())
    verify_consistency(old_size=0, old_root=EMPTY_ROOT, size=5, root=other, path=())


def test_hash_of_another_length_is_refused() -> None:
    leaves = [leaf_hash(one) for one in numbered(2)]
    root = tree(numbered(2))
    with pytest.raises(LogProofRefused):
        verify_inclusion(leaves[0], index=0, size=2, path=(leaves[1] + b"x",), root=root)


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 1_234_067, 256, "tile/0/x001/x234/067"),
        (2, 1000, 5, "tile/2/x001/000.p/5"),
        (None, 7, 255, "tile/entries/007.p/255"),
    ],
)
def test_addresses_are_those_of_the_format_text(
    level: int | None, index: int, width: int, path: str
) -> None:
    printed = (
        entries_path(index, width=width) if level is None else tile_path(level, index, width=width)
    )
    assert printed == path
    assert parse_path(path) == (level, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/00/000",
        "tile/0/x000/001",
        "tile/0/000.p/256",
        "tile/0/000.p/05",
        "tile/0/001/002",
        "tile/8/000",
        "tile/0/x001",
        "../tile/0/000",
        "tile/0/000\n",
        "tile/-1/000",
    ],
)
def test_other_spellings_of_an_address_are_refused(path: str) -> None:
    with pytest.raises(LogTileMalformed):
        parse_path(path)


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_refused(path: str) -> None:
    try:
        level, index, width = parse_path(path)
    except LogTileMalformed:
        return
    assert path == (
        entries_path(index, width=width) if level is None else tile_path(level, index, width=width)
    )


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
@settings(max_examples=20)
def test_entry_bundles_print_back(entries: list[bytes]) -> None:
    assert list(parse_entries(dump_entries(entries))) == entries


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x00\x02a", b"\x00\x00" * 257])
def test_entry_bundles_that_lie_are_refused(content: bytes) -> None:
    with pytest.raises(LogTileMalformed):
        parse_entries(content)


def test_entry_bundle_holds_1_to_256_entries() -> None:
    with pytest.raises(LogTileMalformed):
        dump_entries([])


def test_width_of_a_tile_follows_from_the_size() -> None:
    assert [tile_width(0, index, size=600) for index in range(4)] == [256, 256, 88, 0]
    assert tile_width(1, 0, size=600) == 2
