"""Log lines: their forms, their fields, and what never stands in them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange import logs
from exchange.settings import load

PERSON = "Nguyễn Thị Bí Mật"


@pytest.fixture(params=["text", "json"])
def said(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[io.StringIO]:
    """Give what this process logs, in each form."""
    stream = io.StringIO()
    here = {"LIENTHONG_HOME": str(tmp_path), "LIENTHONG_LOG_LEVEL": "DEBUG"}
    logs.configure(load({**here, "LIENTHONG_LOG_FORMAT": request.param}), stream=stream)
    yield stream
    root = logging.getLogger()
    root.removeHandler(next(one for one in root.handlers if getattr(one, "stream", 0) is stream))
    root.setLevel(logging.WARNING)


def test_an_event_and_its_fields_are_said(said: io.StringIO) -> None:
    logging.getLogger("worker.jobs").warning("drain failed", extra={"job": "deliver", "code": "x"})
    line = said.getvalue()
    for part in ("drain failed", "deliver", "worker.jobs", "WARNING"):
        assert part in line
    assert line.count("\n") == 1


def test_nothing_of_a_person_is_said(said: io.StringIO) -> None:
    ours, foreign = logging.getLogger("exchange.submit"), logging.getLogger("django.request")
    ours.warning("refused", extra={"subject": PERSON, "name_of_person": PERSON})
    ours.error("said %s", PERSON)
    foreign.warning("%s: %s", "Not Found", f"/dossiers?q={PERSON}")
    foreign.warning(f"formatted before: {PERSON}")
    foreign.warning("query %(sql)s", {"sql": PERSON})
    try:
        int(PERSON)
    except ValueError:
        ours.exception("broke")
        foreign.exception(f"broke at {PERSON}")
    assert len(said.getvalue().splitlines()) == 7
    for word in PERSON.split():
        assert word not in said.getvalue()
    assert "ValueError" in said.getvalue()
    assert "test_logs.py" in said.getvalue()


def test_a_line_stays_one_line(said: io.StringIO) -> None:
    logging.getLogger("worker").warning("one\ntwo", extra={"error": "three\nfour"})
    assert said.getvalue().count("\n") == 1


def test_json_lines_are_objects_with_aware_instants(tmp_path: Path) -> None:
    record = logging.LogRecord("worker", logging.INFO, "x.py", 1, "event", (), None)
    line = json.loads(logs.JsonLines().format(record))
    assert line["time"].endswith("+00:00")
    assert (line["level"], line["logger"], line["event"]) == ("INFO", "worker", "event")


def test_configuring_twice_says_everything_once(said: io.StringIO, tmp_path: Path) -> None:
    logs.configure(load({"LIENTHONG_HOME": str(tmp_path)}), stream=said)
    logging.getLogger("worker").warning("once")
    assert said.getvalue().count("once") == 1
