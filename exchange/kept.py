"""Instances that this process has just advanced, kept for their next step.

Keyed by version: one that moved elsewhere meanwhile is not found. Taken out when it is used and put
back only after the commit, so nothing that was rolled back is ever seen again (worker.md §3).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from storage.instances import Claim, Instance

MOST: Final = 3000  # of a few kilobytes each


class KeptInstances:
    """Mutable, for the life of a process; may be used from several threads."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._by_id: OrderedDict[UUID, Instance] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, claims: Sequence[Claim]) -> dict[UUID, Instance]:
        """Return those that are here in the claimed version, and forget all that are claimed."""
        found: dict[UUID, Instance] = {}
        with self._lock:
            for claim in claims:
                instance = self._by_id.pop(claim.instance, None)
                if instance is not None and instance.version == claim.version:
                    found[claim.instance] = instance
        return found

    def put(self, instances: Iterable[Instance]) -> None:
        """Keep instances as they were just committed; the oldest make room."""
        with self._lock:
            for instance in instances:
                self._by_id[instance.id] = instance
                self._by_id.move_to_end(instance.id)
            while len(self._by_id) > self._most:
                self._by_id.popitem(last=False)
