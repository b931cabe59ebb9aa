"""What a node cleans up by itself: uploads that broke off, sessions that ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from exchange.drained import Drained
from exchange.node import Node
from storage import people, traces
from storage.transactions import transaction

# Far longer than any upload lasts: its connection is cut off long before.
_DEAD: Final = timedelta(hours=6)
_OLD: Final = timedelta(days=30)


def clean(node: Node) -> Drained:
    """Delete unverified bytes that nobody writes any more, and sessions that ended."""
    files = node.spool.sweep(older_than=node.now() - _DEAD)
    with transaction():
        sessions = people.forget_sessions(ended_before=node.now())
        ended = traces.forget(before=node.now() - _OLD)
    return Drained(done=files + sessions + ended, more=False)
