"""Publishing: what is not ready is refused, a version is stored and logged once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest

from exchange.procedures.errors import ProcedureNotReady
from exchange.procedures.scaffold import scaffold_files
from exchange.publish import publish_ready
from storage import definitions, sql
from storage.errors import RowConflict
from tests.builders.procedures import folder, names

pytestmark = pytest.mark.usefixtures("database")

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def files(**changed: tuple[str, str]) -> dict[str, bytes]:
    """Return a new procedure; `model=(before, after)` and the like replace texts in it."""
    paths = {
        "model": "process.bpmn",
        "declaration": "procedure.toml",
        "scenario": "scenarios/answered.yaml",
    }
    found = dict(scaffold_files("visa-letter", effective=date(2026, 3, 1)))
    for name, (before, after) in changed.items():
        content = found[paths[name]].decode()
        assert before in content
        found[paths[name]] = content.replace(before, after).encode()
    return found


def leaves() -> int:
    """Return how many leaves wait for the log."""
    row = sql.one_row("SELECT count(*) FROM log_pending")
    assert row is not None
    return int(row[0])


def test_a_ready_procedure_is_stored_and_logged() -> None:
    before = leaves()
    published = publish_ready(files(), at=AT, by="le.van.ba")
    stored = definitions.find_version("visa-letter", "1")
    assert stored is not None
    assert (stored.sha256, stored.published_by) == (published.digest, "le.van.ba")
    assert leaves() == before + 1


def test_the_same_version_again_changes_nothing() -> None:
    publish_ready(files(), at=AT, by="le.van.ba")
    before = leaves()
    publish_ready(files(), at=AT, by="tran.thi.tam")
    assert leaves() == before


def test_a_published_version_never_changes() -> None:
    publish_ready(files(), at=AT, by="le.van.ba")
    with pytest.raises(RowConflict):
        publish_ready(files(declaration=('total = "5wd"', 'total = "6wd"')), at=AT, by="le.van.ba")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"declaration": ('total = "5wd"', 'total = "0wd"')}, "it has errors"),
        ({"model": ('targetRef="decide_request"', 'targetRef="x"')}, "it has errors"),
        ({"scenario": ("open: [decide_request]", "open: []")}, "a scenario fails"),
    ],
)
def test_what_is_not_ready_is_refused(changed: Mapping[str, tuple[str, str]], reason: str) -> None:
    with pytest.raises(ProcedureNotReady) as refused:
        publish_ready(files(**changed), at=AT, by="le.van.ba")
    assert refused.value.parameters["reason"] == reason
    assert definitions.find_version("visa-letter", "1") is None


@pytest.mark.parametrize(
    ("left_out", "reason"),
    [
        (("scenarios/overdue.yaml",), "no scenario enters"),
        (("scenarios/overdue.yaml", "scenarios/answered.yaml"), "it has no scenario"),
    ],
)
def test_a_procedure_that_is_not_rehearsed_is_refused(
    left_out: tuple[str, ...], reason: str
) -> None:
    found = {path: content for path, content in files().items() if path not in left_out}
    with pytest.raises(ProcedureNotReady) as refused:
        publish_ready(found, at=AT, by="le.van.ba")
    assert str(refused.value.parameters["reason"]).startswith(reason)


@pytest.mark.parametrize("name", names())
def test_every_procedure_that_ships_is_ready(name: str) -> None:
    published = publish_ready(folder(name), at=AT, by="le.van.ba")
    assert definitions.find_version(published.code, published.version) is not None
