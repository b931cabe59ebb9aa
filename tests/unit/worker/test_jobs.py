"""Jobs: only ours run, and whatever fails in one stays in it."""

from __future__ import annotations

import logging

import pytest
from rq.timeouts import JobTimeoutException

from dossier.errors import Unavailable
from exchange import sweep
from exchange.doorbell import QUEUES
from exchange.drained import Drained
from worker import jobs
from worker.errors import JobRefused
from worker.queues import JOBS, find_job


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    monkeypatch.setattr(sweep, "forget_connection", lambda: calls.append("closed"))
    monkeypatch.setattr(jobs, "_give_back", lambda: None)
    return calls


@pytest.mark.parametrize(
    ("name", "arguments", "keywords"),
    [
        ("os.system", ["id"], {}),
        ("worker.jobs.advance", ["id"], {}),
        (None, ["id"], {}),
        ("advance", [], {}),
        ("advance", ["one", "two"], {}),
        ("advance", [{"not": "text"}], {}),
        ("advance", ["x" * 201], {}),
        ("advance", "id", {}),
        ("advance", ["id"], {"budget": 1}),
    ],
)
def test_anything_but_a_known_job_with_one_id_is_refused(
    name: object, arguments: object, keywords: object
) -> None:
    with pytest.raises(JobRefused):
        find_job(name, arguments, keywords)


def test_every_bell_has_a_job_and_every_job_a_bell() -> None:
    assert set(JOBS) == set(QUEUES)
    assert callable(find_job("advance", ["id"], {}))


def test_a_failure_of_ours_is_logged_and_the_connection_dropped(
    forgotten: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> Drained:
        raise Unavailable("expected a database")

    with caplog.at_level(logging.WARNING):
        assert jobs.caught("advance", fail) == Drained(done=0, more=False)
    assert forgotten == ["closed"]
    assert "drain failed" in caplog.text


def test_an_unforeseen_failure_does_not_end_the_worker(
    forgotten: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> Drained:
        raise ZeroDivisionError

    jobs.caught("advance", fail)
    assert "drain broke" in caplog.text
    assert forgotten == ["closed"]


def test_the_alarm_of_rq_ends_the_job_without_its_connection(forgotten: list[str]) -> None:
    def interrupted() -> Drained:
        raise JobTimeoutException("too long")

    with pytest.raises(JobTimeoutException):
        jobs.caught("advance", interrupted)
    assert forgotten == ["closed"]


def test_a_drain_that_is_not_finished_rings_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[tuple[str, str]] = []
    left = iter([Drained(done=5, more=True), Drained(done=1, more=False)])
    monkeypatch.setattr("exchange.doorbell.ring", lambda *bell: rung.append(bell))
    monkeypatch.setattr(jobs, "transitions", lambda: next(left))
    jobs.advance("first")
    jobs.advance("second")
    assert rung == [("advance", "first")]
