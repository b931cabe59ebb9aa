"""Many rows by one statement: the same rows on both databases as one statement each would write."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from storage import bulk, sql
from storage.errors import StorageUnavailable
from storage.transactions import transaction

pytestmark = pytest.mark.usefixtures("database")

_NAMES = "procedure agency element_id package_sha256 signal armed due"
_AWKWARD = ("{a,b}", 'say "no"', "back\\slash", "NULL", " ", "Hồ sơ\nmới", "")


def _insert(rows: list[tuple[str, int | None]], *, otherwise: str = "") -> int:
    return bulk.insert(
        "start_event",
        _NAMES,
        [(f"p{at}", "H28", text, "0" * 64, "", at, due) for at, (text, due) in enumerate(rows)],
        fixed={"fired": "2 + 3"},
        otherwise=otherwise,
    )


def _stored() -> list[sql.Row]:
    return sql.all_rows("SELECT element_id, due, fired FROM start_event ORDER BY id")


def test_rows_are_stored_in_their_order_with_any_text_and_what_is_fixed() -> None:
    rows = [(text, None if at % 2 else 10**15 + at) for at, text in enumerate(_AWKWARD)]
    assert _insert(rows) == len(rows)
    assert _stored() == [(text, due, 5) for text, due in rows]


def test_a_column_may_be_empty_in_every_row_and_there_may_be_no_row() -> None:
    assert _insert([("a", None), ("b", None)]) == 2
    assert _insert([]) == bulk.delete("start_event", "id", []) == 0
    assert bulk.update("start_event", "id", [], changes="armed = 1", where="true") == 0
    assert [row[1] for row in _stored()] == [None, None]


def test_a_row_that_is_there_is_kept_and_not_counted() -> None:
    for table, names, rows in (
        ("node_value", "name content", [("a", "1"), ("b", "2")]),
        ("node_value", "name content", [("b", "3"), ("c", "4")]),
    ):
        found = bulk.insert(table, names, rows, otherwise="ON CONFLICT (name) DO NOTHING")
    assert found == 1
    kept = sql.all_rows("SELECT name, content FROM node_value ORDER BY name")
    assert [row for row in kept if row[0] in "abc"] == [("a", "1"), ("b", "2"), ("c", "4")]


def test_each_row_gets_its_own_change_and_the_lost_ones_are_not_counted() -> None:
    _insert([("a", None), ("b", 7), ("c", None)])
    ids = [row[0] for row in sql.all_rows("SELECT id FROM start_event ORDER BY id")]
    found = bulk.update(
        "start_event",
        "id armed due",
        [(ids[0], 0, 11), (ids[1], 99, 12), (ids[2], 2, None), (-1, 0, 13)],
        changes="due = new.due, signal = start_event.element_id",
        where="start_event.id = new.id AND start_event.armed = new.armed",
    )
    assert found == 2
    rows = sql.all_rows("SELECT due, signal FROM start_event ORDER BY id")
    assert rows == [(11, "a"), (7, ""), (None, "c")]


def test_what_is_listed_is_deleted() -> None:
    _insert([("a", None), ("b", None), ("c", None)])
    assert bulk.delete("start_event", "element_id", ["a", "c", "x"]) == 2
    assert [row[0] for row in _stored()] == ["b"]


def test_a_text_that_is_too_long_is_never_cut() -> None:
    rows = [("p", "H28", "e", "0" * 65, "", 0, None)]
    try:
        with transaction():
            bulk.insert("start_event", _NAMES, rows, fixed={"fired": "0"})
    except StorageUnavailable:
        assert sql.is_postgresql()
        return
    assert sql.the_row("SELECT package_sha256 FROM start_event")[0] == "0" * 65


def test_many_rows_are_one_statement_on_postgresql() -> None:
    with CaptureQueriesContext(connection) as captured:
        _insert([("a", None)] * 40)
    assert len(captured) == 1
