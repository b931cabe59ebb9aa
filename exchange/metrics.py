"""Figures of the node in Prometheus' text form: what is due, how old, where things stand.

Levels are read from the database when somebody asks, so every process of the node tells the same;
what only rises comes from `exchange.figures`.
They hold counts and ages and codes of agencies only, never codes of dossiers or names.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dossier.clock import SystemClock
from dossier.errors import Unavailable
from dossier.wire import WireEndpoint, WireReply, WireRequest
from exchange import doorbell, figures
from exchange.node import Node
from exchange.settings import Settings
from storage import circuits, inbox, incidents, instances, log, tallies, timers
from storage.instances import Backlog
from storage.transactions import database_instant, is_read_only

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
    """Return the node's figures; without a database those that need none."""
    registry = CollectorRegistry()
    registry.register(_Figures(node.now(), node.settings))
    return generate_latest(registry)


class _Figures(Collector):
    """Reads all figures once; each is one statement that an index answers."""

    def __init__(self, at: datetime, of: Settings) -> None:
        self._at = at
        self._wall = SystemClock().now()
        self._settings = of

    def collect(self) -> Iterator[Metric]:
        """Yield the families in a fixed order."""
        try:
            levels = list(self._levels())
        except Unavailable:
            levels = []
        up = {"": int(bool(levels))}
        yield _family("lienthong_database_up", "Whether the database answers", "", up)
        yield from levels
        yield from self._bells()
        yield from figures.summed(self._settings.run_dir)

    def _levels(self) -> Iterator[Metric]:
        yield _family(
            "lienthong_database_writable",
            "Whether the database takes changes: no standby, not read-only",
            "",
            {"": int(not is_read_only())},
        )
        yield from self._backlogs()
        yield _family(
            "lienthong_instances",
            "Instances by status",
            "status",
            {status.value: count for status, count in instances.count_by_status().items()},
        )
        yield _by_partner()
        yield _family(
            "lienthong_incidents_open", "Open incidents", "", {"": incidents.count_open()}
        )
        yield _family(
            "lienthong_incidents", "Open incidents by code", "code", tallies.open_incidents()
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
        skew = (database_instant() - self._wall).total_seconds()
        yield _family(
            "lienthong_clock_seconds", "The database's clock less this machine's", "", {"": skew}
        )
        yield _family("lienthong_log_size", "Entries of the log", "", {"": log.state().size})

    def _bells(self) -> Iterator[Metric]:
        bells = {name: doorbell.waiting(name) for name in sorted(set(doorbell.QUEUES.values()))}
        yield _family(
            "lienthong_bells_waiting",
            "Bells in the node's Redis, -1 when it does not answer",
            "queue",
            {name: -1 if count is None else count for name, count in bells.items()},
        )
        is_up = doorbell.takes_bells(self._settings)
        yield _family(
            "lienthong_redis_up", "Whether the node's Redis takes bells", "", {"": int(is_up)}
        )

    def _backlogs(self) -> Iterator[Metric]:
        found = {
            "transitions": instances.backlog(self._at),
            "deliveries": tallies.delivery_backlog(self._at),
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


def _by_partner() -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "lienthong_messages_out", "Outgoing messages", labels=["partner", "state"]
    )
    for (partner, state), count in sorted(tallies.deliveries().items()):
        family.add_metric([partner, state], count)
    return family


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
