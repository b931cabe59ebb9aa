"""The trace context of work that waits: which job, for which row, and what rang for it."""

from __future__ import annotations

from datetime import datetime

from storage import sql


def keep(job: str, subject: str, traceparent: str) -> None:
    """Remember what rang for a row, in the transaction that made it due."""
    sql.execute(
        "INSERT INTO trace_context (job, subject, traceparent, at)"  # noqa: S608 - constants
        f" VALUES (%s, %s, %s, {sql.now()}) ON CONFLICT (job, subject)"
        " DO UPDATE SET traceparent = excluded.traceparent, at = excluded.at",
        (job, subject, traceparent),
    )


def of(job: str, subject: str) -> str:
    """Return what rang for a row last; empty when nobody recorded it."""
    row = sql.one_row(
        "SELECT traceparent FROM trace_context WHERE job = %s AND subject = %s", (job, subject)
    )
    return str(row[0]) if row else ""


def forget(*, before: datetime) -> int:
    """Delete what is older than any trace that anybody still looks at."""
    return sql.execute("DELETE FROM trace_context WHERE at < %s", (sql.from_instant(before),))
