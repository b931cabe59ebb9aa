"""The table of all rules, in the order in which their findings are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from workflows.findings import Finding
from workflows.graph import Model
from workflows.lint import advice, ambiguity, calls, events, flows, silence, structure

Rule: TypeAlias = Callable[[Model], Iterator[Finding]]

RULES: Final[tuple[Rule, ...]] = (
    structure.something_to_run,
    structure.no_refused_kinds,
    structure.every_node_is_reached,
    calls.called_processes_exist,
    calls.calls_do_not_circle,
    calls.nesting_is_bounded,
    calls.joins_can_be_judged,
    structure.handlers_are_sound,
    structure.inner_starts_are_none,
    structure.loops_are_complete,
    structure.work_is_described,
    structure.compensation_is_sound,
    flows.flows_stay_in_their_scope,
    flows.ends_are_ends,
    flows.conditions_stand_where_they_count,
    flows.defaults_are_sound,
    flows.splits_have_conditions,
    flows.no_duplicate_flows,
    flows.message_flows_connect_pools,
    flows.messages_have_a_way,
    events.events_stand_where_they_may,
    events.boundaries_are_attached,
    events.errors_interrupt,
    events.cancels_belong_to_transactions,
    events.links_match,
    events.event_gateways_are_sound,
    events.starts_are_distinct,
    ambiguity.catchers_are_distinct,
    ambiguity.undoing_is_distinct,
    silence.silence_has_its_place,
    advice.labels,
    advice.scopes_begin_and_end,
    advice.ways_begin_and_end,
    advice.implicit_gateways,
    advice.conditions_are_complete,
    advice.terminations_end_something,
    advice.subtle_constructs,
)


def lint_model(model: Model) -> list[Finding]:
    """Return what every rule finds in the model."""
    return [finding for rule in RULES for finding in rule(model)]
