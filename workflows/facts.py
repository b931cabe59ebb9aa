"""The facts: everything the world can tell an instance, a closed set of frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from workflows.expressions import Value


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageStart:
    """A message, or another start event's occurrence, opens the instance.

    One of the two names is enough: the message type, or the start event itself.
    """

    message_type: str = ""
    element_id: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskCompleted:
    """A person finished a task."""

    task_id: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageArrived:
    """The one message that this subscription waited for."""

    subscription_id: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class TimerFired:
    """The due instant of this timer has come, or a rule of silence has fallen on this wait."""

    subscription_id: str
    values: Mapping[str, Value] = field(default_factory=dict)  # what silence means, to be written


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalRaised:
    """A signal from another instance; everyone here who waits for it gets it."""

    name: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceAnswered:
    """A service or decision call succeeded."""

    call_id: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceFailed:
    """A service or decision call failed for good; `code` may be caught by an error boundary."""

    call_id: str
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ValuesChanged:
    """Case values changed outside the process; conditional events look again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """Run a token with an incident again."""

    token_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """Put a token before another element of its scope or of a scope around it."""

    token_id: str
    element_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Skip:
    """Leave an element as if its work were done."""

    token_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancel:
    """Withdraw everything and end the instance."""


Fact: TypeAlias = (
    TaskCompleted
    | MessageArrived
    | TimerFired
    | SignalRaised
    | ServiceAnswered
    | ServiceFailed
    | ValuesChanged
    | Retry
    | Move
    | Skip
    | Cancel
)
