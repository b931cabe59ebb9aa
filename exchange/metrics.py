"""Figures of the node in Prometheus' text form: what is due, how old, where things stand.

All are read from the database when somebody asks, so every process of the node tells the same.
They hold counts and ages and codes of agencies only, never codes of dossiers or names.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dossier.wire import WireEndpoint, WireReply, WireRequest
from exchange import doorbell
from exchange.node import Node
from storage import circuits, inbox, incidents, instances, log, outbox, timers
from storage.instances import Backlog

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_FORWARDED: Final = frozenset({"forwarded", "via", "x-forwarded-for", "x-real-ip"})


def metrics_endpoint(node: Node) -> WireEndpoint:
    """Return the endpoint of the figures, which answers this machine alone.

    A request that a proxy passed on does not come from here, whatever its peer address.
    """

    def answer(request: WireRequest) -> WireReply:
        if not _is_local(request):
            return WireReply(status=404, headers={"Content-Type": "text/plain"}, body=[])
        return WireReply(status=200, headers={"Content-Type": CONTENT_TYPE}, body=[render(node)])

    return answer


def render(node: Node) -> bytes:
    """Return the node's figures; raises `StorageUnavailable` without a database."""
    registry = CollectorRegistry()
    registry.register(_Figures(node.now()))
    return generate_latest(registry)


class _Figures(Collector):
    """Reads all figures once; each is one statement that an index answers."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families in a fixed order."""
        yield from self._backlogs()
        yield _family(
            "lienthong_instances",
            "Instances by status",
            "status",
            {status.value: count for status, count in instances.count_by_status().items()},
        )
        yield _family(
            "lienthong_messages_out", "Outgoing messages by state", "state", outbox.count_by_state()
        )
        yield _family(
            "lienthong_incidents_open", "Open incidents", "", {"": incidents.count_open()}
        )
        troubled = circuits.all_circuits()
        yield _family(
            "lienthong_partner_failures",
            "Failures in a row of partners that do not answer",
            "partner",
            {one.partner: one.failures for one in troubled},
        )
        yield _family(
            "lienthong_partner_circuit_open",
            "Partners that messages wait for without being tried",
            "partner",
            {one.partner: int(one.opened is not None) for one in troubled},
        )
        yield _family("lienthong_log_size", "Entries of the log", "", {"": log.state().size})
        bells = {name: doorbell.waiting(name) for name in sorted(set(doorbell.QUEUES.values()))}
        yield _family(
            "lienthong_bells_waiting",
            "Bells in the node's Redis, -1 when it does not answer",
            "queue",
            {name: -1 if count is None else count for name, count in bells.items()},
        )

    def _backlogs(self) -> Iterator[GaugeMetricFamily]:
        found = {
            "transitions": instances.backlog(self._at),
            "deliveries": outbox.backlog(self._at),
            "arrivals": inbox.backlog(),
            "timers": Backlog(due=timers.count_due(at=self._at), oldest=timers.next_due()),
            "log": log.backlog(),
        }
        yield _family(
            "lienthong_due",
            "Rows that are due",
            "work",
            {name: one.due for name, one in found.items()},
        )
        yield _family(
            "lienthong_oldest_due_seconds",
            "Age of the oldest row that is due",
            "work",
            {name: self._age(one.oldest) for name, one in found.items()},
        )

    def _age(self, oldest: datetime | None) -> float:
        return max(0.0, (self._at - oldest).total_seconds()) if oldest else 0.0


def _family(
    name: str, help_text: str, label: str, values: dict[str, int] | dict[str, float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_text, labels=[label] if label else [])
    for key, value in values.items():
        family.add_metric([key] if label else [], value)
    return family


def _is_local(request: WireRequest) -> bool:
    try:
        local = ipaddress.ip_address(request.peer).is_loopback
    except ValueError:  # a Unix socket has no address; a proxy stands before it
        return False
    return local and _FORWARDED.isdisjoint(request.headers)
