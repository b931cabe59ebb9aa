"""The table of trace contexts; empty unless traces are recorded."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from storage.models.columns import counted, fixed, instant


class TraceContextRow(models.Model):
    """What was being recorded when a row became due."""

    id = counted()
    job = fixed(16)
    subject = fixed(128)
    traceparent = fixed(64)
    at = instant()

    class Meta:
        db_table = "trace_context"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "subject"], name="trace_context_once")
        ]
