"""The step loop: run what can run, carry what was thrown, close what is done, until all is quiet.

It takes the place of Spiff's own loop, which reads the wall clock, drains a sub-process before its
parent hears of an interruption, and stops seeing tokens below depth 1,000 (engine.md W5, W7, W9).
"""

from __future__ import annotations

from typing import Final

from SpiffWorkflow.util.task import TaskState

from dossier.errors import Rejected
from workflows.activities import behave, send_of_loop
from workflows.commands import BroadcastSignal, Finish, Outcome
from workflows.compensation import logged_scopes, remember, undo, undo_next
from workflows.events import broadcast, check_conditions
from workflows.graph import Event, EventKind, Kind
from workflows.loops import count_one, thrown_by
from workflows.receiving import receive_or_fail
from workflows.scopes import (
    catch_at,
    complete,
    depart,
    is_scope_empty,
    keep_inner,
    leave,
    raise_from,
)
from workflows.specs import Scope, Token
from workflows.tokens import fire_inclusive, may_pass_parallel, wait_at_inclusive
from workflows.walk import (
    DONE,
    LEAVING,
    PENDING,
    UNDOES,
    Walk,
    clear,
    fail,
    fail_with,
    is_live,
    live_tokens,
    node_of,
    owner_of,
    prune,
    scopes_of,
)

# Nodes that one fact may run; each instance of a loop may run some more.
STEP_LIMIT: Final = 10_000
STEPS_OF_AN_INSTANCE: Final = 100
_MOST_STEPS: Final = 100_000
_PRUNE_EVERY: Final = 500  # steps; keeps an automatic loop from growing the tree


class Advance:
    """The rules that Spiff's tokens ask, bound to one walk."""

    def __init__(self) -> None:
        self.walk: Walk | None = None

    def _bound(self) -> Walk:
        if self.walk is None:
            raise RuntimeError("expected a walk bound to the rules, got none")
        return self.walk

    def is_ready(self, token: Token) -> bool:
        """Tell whether an arriving token may run now."""
        node = node_of(token)
        if len(node.incoming) > 1 and node.kind is Kind.PARALLEL:
            return may_pass_parallel(token)
        if len(node.incoming) > 1 and node.kind is Kind.INCLUSIVE:
            return wait_at_inclusive(token)
        return True

    def made_ready(self, token: Token) -> None:
        """Queue a token that can run."""
        self._bound().ready.append(token)

    def run(self, token: Token) -> bool | None:
        """Do the work of the token's node."""
        walk = self._bound()
        try:
            outcome = _work(walk, token)
        except Rejected as exc:
            return fail_with(walk, token, exc)
        if not outcome or node_of(token).kind is Kind.EVENT_BASED:
            return outcome
        if not depart(walk, token):
            return False
        remember(walk, token, [], {})
        return True

    def leave(self, token: Token) -> None:
        """Put the successors of a finished token."""
        leave(self._bound(), token)


def _work(walk: Walk, token: Token) -> bool | None:
    marks = token.internal_data
    if marks.get(LEAVING):
        return True  # its work was done; only the way out failed
    return behave(walk, token)


def settle(walk: Walk) -> None:
    """Run until nothing moves without a fact; then prune."""
    step = 0
    while not walk.finished and not walk.halted and _step(walk):
        step += 1
        if step % _PRUNE_EVERY == 0:
            prune(walk)
    prune(walk)


def _step(walk: Walk) -> bool:
    if walk.thrown:
        carry(walk, walk.thrown.popleft())
        return True
    if walk.counting:
        _count(walk, walk.counting.popleft())
        return True
    if walk.undoing:
        _undo(walk, walk.undoing.popleft())
        return True
    while walk.ready:
        token = walk.ready.popleft()
        if token.has_state(TaskState.READY):
            _run(walk, token)
            return True
    definition = walk.definition
    if definition.reach and any(fire_inclusive(walk, scope) for scope in scopes_of(walk)):
        return True
    if definition.has_conditions and check_conditions(walk):
        return True
    return _close_one_scope(walk)


def _run(walk: Walk, token: Token) -> None:
    """Run a token, or stop it when too many ran before: a loop that never waits has no end.

    What needs no run (scopes that close, loops that count) goes on, so nothing is left hanging.
    """
    limit = min(STEP_LIMIT + STEPS_OF_AN_INSTANCE * walk.instances, _MOST_STEPS)
    walk.runs += 1
    if walk.runs > limit:
        fail(walk, token, "step_limit", {"limit": limit})
    else:
        token.run()


def _close_one_scope(walk: Walk) -> bool:
    for scope in reversed(scopes_of(walk)):
        if is_scope_empty(scope):
            close_scope(walk, scope)
            return True
    return False


def close_scope(walk: Walk, scope: Scope, outcome: Outcome = Outcome.COMPLETED) -> None:
    """End a scope without live tokens: its owner is done, or the instance is."""
    clear(walk, scope)
    owner = owner_of(walk, scope)
    if owner is None:
        walk.finished = True
        walk.commands.append(Finish(outcome=outcome))
        return
    del walk.workflow.subprocesses[owner.id]
    is_undoing = UNDOES in owner.internal_data
    if is_undoing or receive_or_fail(walk, owner, node_of(owner), dict(scope.locals)):
        complete(walk, owner, scope)
    else:
        keep_inner(owner, scope)


def _count(walk: Walk, body: Token) -> None:
    """Let a loop take note of a finished instance; a failing condition stops only the loop."""
    if not body.has_state(TaskState.STARTED):
        return
    try:
        thrown = thrown_by(walk, body)
    except Rejected as exc:
        fail_with(walk, body, exc)
        return
    for event in thrown:
        try:
            _throw_of_loop(walk, body, event)
        except Rejected as exc:
            fail_with(walk, body, exc)
        if not body.has_state(TaskState.STARTED):
            return  # a boundary event took it, or nobody caught the error
    try:
        count_one(walk, body)
    except Rejected as exc:
        body.internal_data[DONE] -= 1
        fail_with(walk, body, exc)


def _throw_of_loop(walk: Walk, body: Token, event: Event) -> None:
    """Throw what an activity throws as its instances finish; each signal has an id of its own."""
    if event.kind is EventKind.MESSAGE:
        send_of_loop(walk, body, event)
        return
    if event.kind is not EventKind.SIGNAL:
        _CARRIERS[event.kind](walk, body, event)
        return
    walk.counter += 1
    broadcast(walk, event.name, {})
    walk.commands.append(
        BroadcastSignal(
            signal_id=f"{walk.instance_id}:{walk.counter}",
            element_id=node_of(body).id,
            name=event.name or "",
        )
    )


def _undo(walk: Walk, token: Token) -> None:
    """Go on with a compensation; when all is undone, the token that asked for it goes on."""
    if not is_live(token) or undo_next(walk, token) or token.internal_data.get(PENDING):
        return
    if any(other.internal_data.get(UNDOES) == token.id for other in live_tokens(walk)):
        return
    token.internal_data.pop(PENDING, None)
    if node_of(token).kind not in (Kind.END, Kind.THROW):
        return  # a reopened sub-process closes when its scope is empty
    if any(event.kind is EventKind.CANCEL for event in node_of(token).events):
        _leave_by_cancel(walk, token)
    else:
        complete(walk, token)


def _leave_by_cancel(walk: Walk, token: Token) -> None:
    owner = owner_of(walk, token.workflow)
    if owner is None or not catch_at(walk, owner, EventKind.CANCEL, None):
        fail(walk, token, "cancel_not_caught")


# --- thrown events ----------------------------------------------------------------------------


def carry(walk: Walk, token: Token) -> None:
    """Let a thrown event take effect before any other token moves (W5, W6)."""
    if not is_live(token):
        return
    for event in node_of(token).events:
        _CARRIERS.get(event.kind, _carry_nothing)(walk, token, event)
        if not token.has_state(TaskState.STARTED) or PENDING in token.internal_data:
            return
    complete(walk, token)


def _carry_nothing(walk: Walk, token: Token, event: Event) -> None:
    """Messages left when the token arrived; links are flows."""


def _carry_error(walk: Walk, token: Token, event: Event) -> None:
    if raise_from(walk, token, EventKind.ERROR, event.code):
        return
    walk.halted = True
    fail(walk, token, "uncaught_error", {"error": event.code or event.name or ""})


def _carry_escalation(walk: Walk, token: Token, event: Event) -> None:
    raise_from(walk, token, EventKind.ESCALATION, event.code)


def _carry_signal(walk: Walk, token: Token, event: Event) -> None:
    broadcast(walk, event.name, {})
    walk.commands.append(
        BroadcastSignal(
            signal_id=walk.public(token), element_id=node_of(token).id, name=event.name or ""
        )
    )


def _carry_terminate(walk: Walk, token: Token, event: Event) -> None:
    scope = token.workflow
    clear(walk, scope, but=token)
    complete(walk, token)
    if owner_of(walk, scope) is None:
        close_scope(walk, scope, Outcome.TERMINATED)


def _carry_compensation(walk: Walk, token: Token, event: Event) -> None:
    undo(walk, token, logged_scopes(walk, token.workflow), event.activity)


def _carry_cancel(walk: Walk, token: Token, event: Event) -> None:
    clear(walk, token.workflow, but=token)
    undo(walk, token, (token.workflow,), None)


_CARRIERS: Final = {
    EventKind.COMPENSATION: _carry_compensation,
    EventKind.CANCEL: _carry_cancel,
    EventKind.ERROR: _carry_error,
    EventKind.ESCALATION: _carry_escalation,
    EventKind.SIGNAL: _carry_signal,
    EventKind.TERMINATE: _carry_terminate,
}
