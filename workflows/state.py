"""The snapshot: the live tokens of one instance as versioned bytes, and nothing else.

No case value and no history is in it, so its size does not grow with the life of an instance.
Layout: `LTI` + one byte of format version + zlib of compact JSON.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from SpiffWorkflow.util.task import TaskState

from dossier.canonical import Json
from workflows.definition import Definition
from workflows.errors import SnapshotNewer, SnapshotRefused
from workflows.expressions import Value, decode_value, encode_value
from workflows.expressions.errors import ValueRefused
from workflows.specs import TokenScope, TokenWorkflow, add_token
from workflows.walk import Walk, is_live, node_of, scope_entered, scopes_of, tokens_of

MAGIC: Final = b"LTI"
# 2: the names that an open call has for itself; 3: those of an activity that can be undone.
VERSION: Final = 3
_READABLE: Final = (1, 2, 3)
MAXIMUM_BYTES: Final = 16 * 1024 * 1024

_LEAST_WINDOW: Final = 10  # of zlib, as powers of two
_LEAST_TABLES: Final = 3

# Only these states outlive a transition.
_STATES: Final = {
    TaskState.WAITING: "j",  # at a join
    TaskState.STARTED: "w",  # waits for a fact
    TaskState.ERROR: "e",  # an incident
    TaskState.READY: "r",  # the instance halted before it could run
}
_STATE_OF: Final = {letter: state for state, letter in _STATES.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What a snapshot says about its instance besides the tokens."""

    instance_id: str
    digest: str  # of the definition it belongs to
    role: str
    counter: int
    halted: bool
    finished: bool
    queues: tuple[tuple[int, ...], ...]  # ready, thrown, counting, undoing; empty but when halted


def dump(walk: Walk) -> bytes:
    """Return the snapshot of a settled walk."""
    scopes: list[Any] = []
    for scope in scopes_of(walk):
        tokens: list[Any] = []
        for token in tokens_of(scope):
            place = [token.id, node_of(token).id, _STATES[token.state]]
            tokens.append([*place, token.internal_data] if token.internal_data else place)
        owner = 0 if scope is walk.workflow else scope.parent_task_id
        row = [owner, tokens]
        if scope.log or scope.locals:
            row.append(scope.log)
        if scope.locals:
            row.append(encode_locals(scope.locals))
        scopes.append(row)
    body: dict[str, Any] = {
        "i": walk.instance_id,
        "d": walk.definition.digest,
        "r": walk.definition.role,
        "n": walk.counter,
        "h": walk.halted,
        "f": walk.finished,
        "s": [] if walk.finished else scopes,
    }
    if walk.halted:  # whoever could move goes on after the repair
        queues = (walk.ready, walk.thrown, walk.counting, walk.undoing)
        body["q"] = [[token.id for token in queue if is_live(token)] for queue in queues]
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return MAGIC + bytes([VERSION]) + _deflated(text)


def _deflated(text: bytes) -> bytes:
    """Return the zlib stream of a text, made with a window and tables of the text's own size.

    Most of the time of a small one is otherwise spent on clearing the tables of a large one.
    """
    window = min(max(len(text).bit_length(), _LEAST_WINDOW), zlib.MAX_WBITS)
    tables = min(window - _LEAST_WINDOW + _LEAST_TABLES, zlib.DEF_MEM_LEVEL)
    packing = zlib.compressobj(6, zlib.DEFLATED, window, tables)
    return packing.compress(text) + packing.flush()


def parse(snapshot: bytes) -> tuple[Header, list[Any]]:
    """Return header and scopes of a snapshot; raise `SnapshotRefused` or `SnapshotNewer`."""
    if len(snapshot) > MAXIMUM_BYTES or snapshot[:3] != MAGIC:
        raise SnapshotRefused("expected a snapshot, got other bytes", reason="format")
    if snapshot[3:4] > bytes([VERSION]):
        raise SnapshotNewer(f"expected at most snapshot version {VERSION}, got {snapshot[3]}")
    if snapshot[3:4] not in [bytes([one]) for one in _READABLE]:
        raise SnapshotRefused(
            f"expected snapshot version {VERSION}, got {snapshot[3:4].hex()}", reason="version"
        )
    try:
        inflate = zlib.decompressobj()
        text = inflate.decompress(snapshot[4:], MAXIMUM_BYTES)
        if not inflate.eof or inflate.unused_data:
            raise ValueError("truncated or followed by other bytes")
        body = json.loads(text)
        header = Header(
            instance_id=body["i"],
            digest=body["d"],
            role=body["r"],
            counter=body["n"],
            halted=body["h"],
            finished=body["f"],
            queues=tuple(tuple(queue) for queue in body.get("q", ())),
        )
        return header, body["s"]
    except (zlib.error, ValueError, KeyError, TypeError) as exc:
        raise SnapshotRefused("expected a snapshot, got damaged bytes", reason="damaged") from exc


def restore(workflow: TokenWorkflow, definition: Definition, scopes: list[Any]) -> None:
    """Put the tokens of a snapshot into a fresh workflow."""
    try:
        for owner, tokens, *rest in scopes:
            scope = workflow if not owner else _scope(workflow, owner)
            scope.log = rest[0] if rest else []
            scope.locals = decode_locals(rest[1]) if len(rest) > 1 else {}
            for row in tokens:
                token = add_token(scope, row[1], row[0])
                token._state = _STATE_OF[row[2]]
                if len(row) > 3:
                    token.internal_data.update(row[3])
    except (KeyError, IndexError, ValueError, TypeError, ValueRefused) as exc:
        raise SnapshotRefused(
            "expected tokens of this definition, got others", reason="tokens"
        ) from exc


def resume(walk: Walk, header: Header) -> None:
    """Fill the queues again that a halt stopped."""
    queues = (walk.ready, walk.thrown, walk.counting, walk.undoing)
    for queue, numbers in zip(queues, header.queues, strict=False):
        for number in numbers:
            if number in walk.workflow.index:
                queue.append(walk.workflow.index[number])


def encode_locals(values: Mapping[str, Value]) -> dict[str, Json]:
    """Return the names of one call as a snapshot keeps them."""
    return {name: encode_value(value) for name, value in values.items()}


def decode_locals(kept: Mapping[str, Json]) -> dict[str, Value]:
    """Return the names of one call from a snapshot."""
    return {name: decode_value(value) for name, value in kept.items()}


def _scope(workflow: TokenWorkflow, owner: int) -> TokenScope:
    token = workflow.index[owner]
    return TokenScope(workflow, scope_entered(node_of(token)), token)
