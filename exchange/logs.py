"""How this process logs: one line an event, as text or JSON, never with what belongs to a person.

A line holds the event's own constant words and those fields of `extra` that are listed here. What
foreign code puts into its messages is not known, so of it only the constant template is kept; and
of an exception its kind and places, because its text may quote what somebody typed.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Final, TextIO

from exchange.settings import Settings

_OURS: Final = (
    *("dossier", "signing", "workflows", "connectors", "storage", "printing"),
    *("exchange", "worker", "portal", "lienthong"),
)
# Names of jobs, codes of errors, numbers of processes: nothing of a dossier or a person.
FIELDS: Final = (
    *("job", "code", "error", "role", "process_id", "exit", "program", "log"),
    *("partner", "endpoint", "status", "seconds", "count", "attempt", "trace", "sha256"),
)
_PLACES: Final = 12
_WORDS: Final = 300


def configure(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Send all logging of this process to standard error, in the form of the settings."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if settings.log_format == "json" else TextLines())
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old.formatter, JsonLines | TextLines):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.log_level)


def fields(record: logging.LogRecord) -> dict[str, str | int | float]:
    """Return what may be said of a record, in the order in which it is read."""
    said: dict[str, str | int | float] = {
        "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "event": str(record.msg)[:_WORDS] if _is_constant(record) else "event of a library",
    }
    for name in FIELDS:
        value = getattr(record, name, None)
        if isinstance(value, str | int | float):
            said[name] = value
    if record.exc_info and record.exc_info[0] is not None:
        said["exception"] = record.exc_info[0].__name__
        frames = traceback.extract_tb(record.exc_info[2])[-_PLACES:]
        said["places"] = " ".join(f"{one.filename}:{one.lineno}:{one.name}" for one in frames)
    return said


def _is_constant(record: logging.LogRecord) -> bool:
    """Tell whether the message is a text of a program: ours always, others' when it has gaps."""
    if record.name.partition(".")[0] in _OURS:
        return True
    return isinstance(record.msg, str) and bool(record.args)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return json.dumps(fields(record), ensure_ascii=False)


class TextLines(logging.Formatter):
    """`time level logger: event name=value …`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said = fields(record)
        head = f"{said.pop('time')} {said.pop('level')} {said.pop('logger')}: {said.pop('event')}"
        line = " ".join([head, *(f"{name}={value}" for name, value in said.items())])
        return line.replace("\n", " ")
