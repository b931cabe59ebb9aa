"""The node's epoch: a random name made at its first start; message ids and the log bear it."""

from __future__ import annotations

import secrets
from typing import Final

from dossier.clock import Clock
from exchange import chronicle
from signing.log.leaf import LeafKind
from storage import agencies
from storage.transactions import transaction

_EPOCH: Final = "epoch"


def known_epoch() -> str | None:
    """Return the node's epoch, None before its first start."""
    return agencies.node_value(_EPOCH)


def epoch_of(clock: Clock) -> str:
    """Return the node's epoch, made if there is none; the log's first leaf names it.

    All processes of a new node start at once: one of them makes it, and the others wait for that.
    """
    known = known_epoch()
    if known:
        return known
    made = secrets.token_hex(6)
    with transaction():
        if agencies.claim_node_value(_EPOCH, made):
            event = {"epoch": made, "previous": ""}
            chronicle.write_node_event(LeafKind.EPOCH, event, at=clock.now())
    return known_epoch() or made
