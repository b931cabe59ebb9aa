"""The sequencer: gap-free numbers, each leaf once, and proofs that a stranger can check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from exchange import sequence
from exchange.node import Node
from signing.log.merkle import leaf_hash
from signing.log.proof import parse_proof, verify_proof
from signing.log.tiles import root_at
from storage import log
from tests.builders.storage import AT

pytestmark = pytest.mark.usefixtures("database")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Settings:
    keys_dir: Path


@pytest.fixture
def node(tmp_path: Path) -> Node:
    def now() -> datetime:
        return AT

    made = SimpleNamespace(settings=_Settings(keys_dir=tmp_path), epoch="0123456789ab", now=now)
    return cast(Node, made)


def _wait(count: int, *, first: int = 0) -> list[bytes]:
    leaves = [f"leaf {number}".encode() for number in range(first, first + count)]
    log.add_many([log.NewLeaf(leaf=leaf, opening=b"") for leaf in leaves])
    return leaves


def test_every_leaf_gets_one_number_and_a_proof(node: Node) -> None:
    leaves = _wait(300)
    sequence.sequence_log(node)
    leaves += _wait(7, first=300)
    found = sequence.proofs(node, leaves)
    (key,) = sequence.verifier_keys(node)
    indexes, heads = [], set()
    for leaf, content in zip(leaves, found, strict=True):
        assert content is not None
        proof = parse_proof(content)
        verify_proof(proof, entry=leaf, key=key)
        indexes.append(proof.index)
        heads.add(proof.checkpoint)
    assert indexes == list(range(307))
    assert len(heads) == 1
    assert log.state().root == root_at(log.Tiles(), size=307)


def test_a_leaf_that_was_never_logged_has_no_proof(node: Node) -> None:
    _wait(1)
    assert sequence.proofs(node, [b"never"]) == [None]


def test_an_unchanged_head_is_signed_once(node: Node) -> None:
    _wait(1)
    sequence.sequence_log(node)
    first = log.last_checkpoint()
    sequence.sequence_log(node)
    assert log.last_checkpoint() == first


def test_two_sequencers_at_once_number_each_leaf_once(
    node: Node, in_threads: Callable[..., list[object]]
) -> None:
    leaves = _wait(50)
    in_threads(*[lambda: sequence.sequence_log(node)] * 3)
    sequence.catch_up(node)
    entries = log.entries(0, 1000)
    assert sorted(entry.leaf for entry in entries) == sorted(leaves)
    assert [entry.index for entry in entries] == list(range(50))
    assert log.backlog().due == 0


def test_the_checkpoint_key_is_private_to_its_user(node: Node, tmp_path: Path) -> None:
    sequence.verifier_keys(node)
    assert (tmp_path / "log.key.pem").stat().st_mode & 0o777 == 0o600


def test_a_leaf_is_found_by_the_hash_of_its_entry(node: Node) -> None:
    (leaf,) = _wait(1)
    sequence.catch_up(node)
    assert log.index_of(leaf_hash(leaf).hex()) == 0
