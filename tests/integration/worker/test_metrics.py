"""Metrics and the sweep: what is due is counted, and bells that were lost are rung again."""

from __future__ import annotations

import io
import multiprocessing
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from dossier.wire import WireReply, WireRequest
from exchange import doorbell, figures, metrics, sweep
from exchange.node import Node
from exchange.settings import load
from storage import instances, outbox
from storage.errors import StorageUnavailable
from tests.builders.storage import AT, store_instances
from tests.integration.storage.test_messages import new_outgoing

pytestmark = pytest.mark.usefixtures("database")
LATER = AT + timedelta(seconds=90)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    def now() -> datetime:
        return LATER

    return cast(Node, SimpleNamespace(now=now, settings=load({"LIENTHONG_HOME": str(tmp_path)})))


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    bells: list[str] = []
    monkeypatch.setattr(doorbell, "ring", lambda job, _identifier: bells.append(job))
    return bells


def test_the_figures_tell_what_is_due_and_since_when(node: Node) -> None:
    store_instances(3)
    figures = metrics.render(node).decode().splitlines()
    assert 'lienthong_due{work="transitions"} 3.0' in figures
    assert 'lienthong_oldest_due_seconds{work="transitions"} 90.0' in figures
    assert 'lienthong_instances{status="ready"} 3.0' in figures
    assert "lienthong_incidents_open 0.0" in figures
    assert "lienthong_database_writable 1.0" in figures
    assert 'lienthong_bells_waiting{queue="exchange"} -1.0' in figures


def test_rising_figures_are_summed_over_processes_that_came_and_went(
    node: Node, tmp_path: Path
) -> None:
    figures.publish(tmp_path / "before", now=True)  # what other tests counted in this process

    def count() -> None:
        figures.DRAIN_FAILURES.labels("deliver", "storage_full").inc(2)
        figures.TRANSITION_SECONDS.observe(0.02)
        figures.publish(node.settings.run_dir, now=True)

    for _ in range(2):
        process = multiprocessing.get_context("fork").Process(target=count)
        process.start()
        process.join()
    said = metrics.render(node).decode().splitlines()
    assert 'lienthong_drain_failures_total{code="storage_full",job="deliver"} 4.0' in said
    assert 'lienthong_transition_seconds_bucket{le="0.025"} 2.0' in said
    assert "lienthong_transition_seconds_count 2.0" in said


def test_figures_that_were_cut_off_are_counted_anew(node: Node) -> None:
    node.settings.run_dir.mkdir()
    (node.settings.run_dir / "figures.json").write_text('{"x": ')
    assert b"lienthong_redis_up 0.0" in metrics.render(node)


def test_deliveries_are_told_by_partner_and_state(node: Node) -> None:
    outbox.add(new_outgoing())
    said = metrics.render(node).decode()
    assert 'lienthong_messages_out{partner="H08",state="new"} 1.0' in said


def test_without_a_database_the_figures_say_so(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: object) -> None:
        raise StorageUnavailable("expected an answer of the database, got none")

    monkeypatch.setattr(instances, "backlog", away)
    said = metrics.render(node).decode().splitlines()
    assert "lienthong_database_up 0.0" in said
    assert "lienthong_redis_up 0.0" in said


def ask(node: Node, *, peer: str, headers: Mapping[str, str] | None = None) -> WireReply:
    return metrics.metrics_endpoint(node)(
        WireRequest(
            method="GET",
            path="/metrics",
            query="",
            headers=headers or {},
            stream=io.BytesIO(),
            peer=peer,
        )
    )


def test_only_this_machine_reads_the_figures(node: Node) -> None:
    reply = ask(node, peer="127.0.0.1")
    assert (reply.status, reply.headers["Content-Type"]) == (200, metrics.CONTENT_TYPE)
    assert b"lienthong_log_size" in b"".join(reply.body)
    assert ask(node, peer="::1").status == 200
    for peer in ("10.0.0.7", "", "::ffff:10.0.0.7"):
        assert ask(node, peer=peer).status == 404
    passed_on = {"x-forwarded-for": "203.0.113.9"}
    assert ask(node, peer="127.0.0.1", headers=passed_on).status == 404


def test_a_lost_bell_is_rung_again_and_a_backlog_rings_only_a_few(
    node: Node, rung: list[str]
) -> None:
    store_instances(20)
    assert sweep.ring_due(node) == 4
    assert rung == ["advance"] * 4
    assert sweep.ring_due(node) == 0


def test_what_a_dead_process_of_this_machine_held_is_given_back() -> None:
    store_instances(2)
    dead = sweep.owner_of(2**22 + 1)  # beyond the highest process number
    for owner in (dead, sweep.own_name()):
        instances.claim_ready(
            owner=owner, token=owner[-8:], lease=timedelta(seconds=60), limit=1, at=AT
        )
    assert sweep.free_dead(at=LATER) == 1
    assert instances.lease_owners() == {f"{os.uname().nodename}:{os.getpid()}"}
