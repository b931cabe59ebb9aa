"""Time passes: due timers become facts of their instances."""

from __future__ import annotations

from typing import Final

from exchange.drained import Drained, ring_after_commit
from exchange.node import Node
from exchange.silences import judge
from storage import facts, silences, timers
from storage.transactions import transaction

_BATCH: Final = 200


def fire_due(node: Node) -> Drained:
    """Turn due timers into facts, and ring for each instance after the commit."""
    now = node.now()
    with transaction():
        due = timers.take_due(at=now, limit=_BATCH)
        rules = silences.of_refs([timer.ref for timer in due])
        for timer in due:
            rule = rules.get(timer.ref)
            payload = judge(node, rule, at=now) if rule else {}
            if payload is None:
                continue
            facts.add(
                facts.NewFact(
                    instance=timer.instance,
                    kind=facts.FactKind.TIMER,
                    ref=timer.ref,
                    payload=payload,
                    actor="system",
                    on_behalf_of="",
                    at=now,
                )
            )
            ring_after_commit("advance", str(timer.instance))
    return Drained(done=len(due), more=len(due) == _BATCH)
