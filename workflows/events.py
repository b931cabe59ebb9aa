"""Subscriptions: open them, compute their due instants, and deliver to exactly one token."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from dossier.errors import Rejected
from workflows.commands import (
    CloseReason,
    HistoryEvent,
    OpenSubscription,
    SubscriptionKind,
)
from workflows.errors import TimerUnusable
from workflows.evaluating import evaluate, is_true
from workflows.expressions import Value, YearsMonths
from workflows.graph import Event, EventKind, Kind, Node, TimerForm
from workflows.quiet import awaited
from workflows.receiving import receive_or_fail
from workflows.routes import receives
from workflows.scopes import (
    complete,
    fire_boundary,
    fire_handler,
    waiting_for,
)
from workflows.specs import Token
from workflows.timing import (
    Duration,
    Timer,
    WorkingTime,
    in_utc,
    is_literal,
    parse_instant,
    parse_timer,
)
from workflows.walk import (
    GROUP,
    HOST,
    OPEN,
    Walk,
    close_rows,
    discard,
    fail_with,
    is_live,
    node_of,
    note,
    renew,
    subscriptions_of,
    tokens_of,
    waited_node,
    withdraw,
)

ARMED = "armed"  # cycle: when it was armed, ISO; the grid of its firings starts there
LEFT = "left"  # cycle: firings that are left, None without end
WAS_TRUE = "was_true"  # condition: its last value; it fires on the change from false to true
SEEN = "seen"  # parallel multiple: indexes of the events that have happened

_KINDS = {
    EventKind.MESSAGE: SubscriptionKind.MESSAGE,
    EventKind.SIGNAL: SubscriptionKind.SIGNAL,
    EventKind.TIMER: SubscriptionKind.TIMER,
    EventKind.CONDITION: SubscriptionKind.CONDITION,
}


def listen(walk: Walk, token: Token) -> None:
    """Open the subscriptions of a token that waits; raise what a timer expression raises."""
    node = waited_node(walk, token)
    opened = [
        _subscription(walk, token, node, event, subscription_id)
        for subscription_id, _index, event in subscriptions_of(walk, token)
    ]
    walk.commands.extend(opened)
    token.internal_data[OPEN] = "subscription"


def _subscription(
    walk: Walk, token: Token, node: Node, event: Event, subscription_id: str
) -> OpenSubscription:
    due_at, due_text = None, None
    matched = event.name
    flow = receives(walk, token) if event.kind is EventKind.MESSAGE else None
    silence = node.extension.silence
    if event.kind is EventKind.TIMER:
        due_at, due_text = _due(walk, token, event)
    elif event.kind is EventKind.MESSAGE:
        if silence is not None and silence.after:
            own = replace(event, text=silence.after, timer=TimerForm.DURATION)
            due_at, due_text = _due(walk, token, own)
        matched = flow.message_type if flow else node.extension.message_type or event.name
    return OpenSubscription(
        subscription_id=subscription_id,
        kind=_KINDS[event.kind],
        element_id=node.id,
        name=node.name or node.id,
        message_type=matched,
        from_role=flow.source_role if flow else None,
        due_at=due_at,
        due_text=due_text,
        silence=silence,
        awaits=_awaits(walk, node) if silence is not None else (),
        documents_in=node.extension.documents_in,
    )


def _awaits(walk: Walk, node: Node) -> tuple[str, ...]:
    return tuple(found.id for found in awaited(walk.definition.process, node))


def _due(walk: Walk, token: Token, event: Event) -> tuple[datetime | None, str | None]:
    timer = _timer(walk, token, event)
    if isinstance(timer, WorkingTime):
        return None, timer.text
    if isinstance(timer, datetime):
        return in_utc(timer), None
    if isinstance(timer, Duration):
        return in_utc(timer.after(walk.at)), str(timer)
    token.internal_data.setdefault(ARMED, walk.at.isoformat())
    token.internal_data.setdefault(LEFT, timer.count)
    armed = datetime.fromisoformat(token.internal_data[ARMED])
    due, _missed = timer.next_due(armed, walk.at)
    return in_utc(due), None


def _timer(walk: Walk, token: Token, event: Event) -> Timer:
    text, form = event.text or "", event.timer or TimerForm.DURATION
    if is_literal(text):
        return parse_timer(text, form)
    value = evaluate(walk, token, text)
    if isinstance(value, datetime):
        return value
    if isinstance(value, timedelta):
        if value < timedelta():
            raise TimerUnusable("expected a positive duration, got a negative one", timer=text)
        return Duration(months=0, exact=value)
    if isinstance(value, YearsMonths) and value.months > 0:
        return Duration(months=value.months, exact=timedelta())
    if isinstance(value, str) and is_literal(value):
        return parse_instant(value) if value[:4].isdigit() else parse_timer(value, form)
    raise TimerUnusable("expected a date, duration or cycle, got another value", timer=text[:60])


def deliver(walk: Walk, token: Token, index: int, values: dict[str, Value]) -> None:
    """Deliver one event to one waiting token."""
    node = waited_node(walk, token)
    if not receive_or_fail(walk, token, node, values, index):
        return
    if node.parallel_multiple and not _all_seen(token, node, index):
        return
    event = node.events[index]
    kind = node_of(token).kind
    if kind is Kind.BOUNDARY:
        host = walk.workflow.index[token.internal_data[HOST]]
        _rearm_or_close(walk, token, node, event)
        fire_boundary(walk, host, node)
    elif kind is Kind.EVENT_SUB_PROCESS:
        _rearm_or_close(walk, token, node, event)
        fire_handler(walk, token.workflow, node_of(token))
    else:
        _take_alternative(walk, token)
        complete(walk, token)


def end_silent(walk: Walk, token: Token) -> None:
    """Let a wait end because silence itself is the answer; no mapping of an answer applies."""
    _take_alternative(walk, token)
    complete(walk, token)


def _all_seen(token: Token, node: Node, index: int) -> bool:
    seen = sorted({*token.internal_data.get(SEEN, ()), index})
    token.internal_data[SEEN] = seen
    return len(seen) == len(node.events)


def _take_alternative(walk: Walk, token: Token) -> None:
    group = token.internal_data.pop(GROUP, None)
    if group is None:
        return
    note(walk, token, HistoryEvent.ENTERED)
    for other in tuple(tokens_of(token.workflow)):
        if other is not token and other.internal_data.get(GROUP) == group:
            withdraw(walk, other)


def _rearm_or_close(walk: Walk, token: Token, node: Node, event: Event) -> None:
    """Use the subscription up; a non-interrupting boundary or trigger then listens anew."""
    if node.interrupting:
        return  # withdrawn with its activity or scope
    close_rows(walk, token, CloseReason.COMPLETED)
    left = token.internal_data.get(LEFT)
    if event.kind is EventKind.TIMER and (event.timer is not TimerForm.CYCLE or left == 1):
        discard(token)
        return
    token.internal_data.pop(SEEN, None)
    if left is not None:
        token.internal_data[LEFT] = left - 1
    renew(walk, token)._ready()


def broadcast(walk: Walk, name: str | None, values: dict[str, Value]) -> int:
    """Deliver a signal to every token of this instance that waits for it; return how many did."""
    caught = 0
    for token, index, event in waiting_for(walk, EventKind.SIGNAL):
        if event.name == name and is_live(token):
            deliver(walk, token, index, values)
            caught += 1
    return caught


def check_conditions(walk: Walk) -> bool:
    """Deliver conditional events whose condition became true; tell whether one did."""
    for token, index, event in waiting_for(walk, EventKind.CONDITION):
        before = token.internal_data.get(WAS_TRUE, False)
        try:
            now = is_true(walk, token, event.text or "false")
        except Rejected as exc:
            fail_with(walk, token, exc)
            return True
        token.internal_data[WAS_TRUE] = now
        if now and not before:
            deliver(walk, token, index, {})
            return True
    return False
